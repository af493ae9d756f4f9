//! The same board under KVM. A host without KVM has nothing to test here, which
//! `cargo xtask test` says; `.ci/run` wants it.

use crate::Board;
use crate::boards::{Hosts, build_board};
use crate::spec::MachineSpec;
use cpu::{CpuModel, Interpreter};
use emu_core::backend::{Attention, CpuBackend, CpuId, Exit, Special, SystemBus};
use emu_core::bus::{Gpa, PageView, Width};
use emu_core::ram::Ram;
use emu_core::x86::CpuState;

/// The port of the power-on self-test's progress.
const PROGRESS: u16 = 0x80;
/// So many codes are compared: all of the self-test but its end.
const CODES: usize = 16;
/// More than the way to them takes.
const TURNS_MAX: u32 = 100_000;

/// A board that asks the CPU to stop once it has shown enough codes.
struct Watched {
    board: Board,
    codes: Vec<u8>,
    wanted: usize,
}

impl SystemBus for Watched {
    fn attention(&self, cpu: CpuId) -> Attention {
        let stop = if self.codes.len() >= self.wanted {
            Attention::STOP
        } else {
            Attention::empty()
        };
        self.board.attention(cpu) | stop
    }
    fn accept(&mut self, cpu: CpuId, bits: Attention) {
        self.board.accept(cpu, bits);
    }
    fn advance(&mut self, retired: u64) {
        self.board.advance(retired);
    }
    fn countdown(&self) -> u64 {
        self.board.countdown()
    }
    fn insns(&self) -> u64 {
        self.board.insns()
    }
    fn cycles(&self) -> u64 {
        self.board.cycles()
    }
    fn port_read(&mut self, cpu: CpuId, port: u16, width: Width) -> u32 {
        self.board.port_read(cpu, port, width)
    }
    fn port_write(&mut self, cpu: CpuId, port: u16, width: Width, value: u32) {
        if port == PROGRESS {
            self.codes.push(value as u8);
        }
        self.board.port_write(cpu, port, width, value);
    }
    fn mmio_read(&mut self, cpu: CpuId, gpa: Gpa, smm: bool, width: Width) -> u64 {
        self.board.mmio_read(cpu, gpa, smm, width)
    }
    fn mmio_write(&mut self, cpu: CpuId, gpa: Gpa, smm: bool, width: Width, value: u64) {
        self.board.mmio_write(cpu, gpa, smm, width, value);
    }
    fn page(&self, gpa: Gpa, smm: bool) -> PageView {
        self.board.page(gpa, smm)
    }
    fn acknowledge(&mut self, cpu: CpuId) -> Option<u8> {
        self.board.acknowledge(cpu)
    }
    fn special_cycle(&mut self, cpu: CpuId, cycle: Special) {
        self.board.special_cycle(cpu, cycle);
    }
    fn blocks(&self) -> &[Ram] {
        self.board.blocks()
    }
}

fn spec() -> MachineSpec {
    MachineSpec {
        memory_bytes: 4 << 20,
        ..MachineSpec::default()
    }
}

fn model() -> &'static CpuModel {
    CpuModel::named(&spec().cpu).unwrap()
}

/// KVM, if this host has it.
fn kvm() -> Option<Box<dyn CpuBackend>> {
    match accel_kvm::cpu(&model().reset_state(), spec().insns_per_second) {
        Ok(cpu) => Some(cpu),
        Err(e) => {
            eprintln!("not tested: {e}");
            None
        }
    }
}

/// A board that nobody has run yet.
fn board() -> Watched {
    Watched {
        board: build_board(&spec(), Hosts::default()).unwrap().0,
        codes: Vec::new(),
        wanted: 0,
    }
}

/// Runs until so many codes were shown.
fn run(cpu: &mut dyn CpuBackend, bus: &mut Watched, wanted: usize) {
    bus.wanted = wanted;
    for _ in 0..TURNS_MAX {
        bus.board.begin_slice(u64::MAX);
        let exit = cpu.run(bus, None);
        if bus.codes.len() >= wanted {
            break;
        }
        match exit {
            Exit::SliceEnd => {}
            Exit::Halted => {
                let next = bus.board.next_deadline();
                bus.board.jump_to(next);
            }
            Exit::Shutdown | Exit::Probe => panic!("{exit:?} after {:02x?}", bus.codes),
        }
    }
}

/// What the interpreter shows, and the state of the CPU then.
fn interpreted() -> (Vec<u8>, CpuState) {
    let mut bus = board();
    let mut cpu = Interpreter::new(CpuId(0), model());
    run(&mut cpu, &mut bus, CODES);
    assert_eq!(bus.codes.len(), CODES);
    (bus.codes, cpu.state())
}

#[test]
fn our_bios_shows_the_same_first_progress_codes_under_kvm() {
    let Some(mut cpu) = kvm() else {
        return;
    };
    let mut bus = board();
    run(&mut *cpu, &mut bus, CODES);
    let (codes, state) = interpreted();
    assert_eq!(bus.codes, codes);
    // Both stand behind the same OUT.
    let there = cpu.state();
    assert_eq!(
        (there.rip, there.segments[1]),
        (state.rip, state.segments[1])
    );
}

/// The display's BIOS is copied with a repeated string instruction that reads memory-mapped ROM, across many slices: one
/// byte that is wrong, and it would not be run.
#[test]
fn a_repeated_read_of_mapped_rom_is_whole_across_slices_under_kvm() {
    let Some(mut cpu) = kvm() else {
        return;
    };
    let mut bus = board();
    run(&mut *cpu, &mut bus, CODES);
    let mut int_10h = [0; 4];
    let (ram, offset) = bus.page(Gpa(0), false).read.unwrap();
    ram.read(offset + 0x40, &mut int_10h);
    assert_eq!(&int_10h[2..], [0x00, 0xC0], "the segment of INT 10h");
}

#[test]
fn a_machine_crosses_from_kvm_to_the_interpreter_and_goes_on() {
    let Some(mut cpu) = kvm() else {
        return;
    };
    let mut bus = board();
    run(&mut *cpu, &mut bus, CODES / 2);
    let mut interpreter = Interpreter::new(CpuId(0), model());
    interpreter.set_state(&cpu.state());
    run(&mut interpreter, &mut bus, CODES);
    assert_eq!(bus.codes, interpreted().0);
}

#[test]
fn a_state_that_is_put_into_kvm_comes_out_again() {
    let Some(mut cpu) = kvm() else {
        return;
    };
    let mut state = model().reset_state();
    state.gpr = std::array::from_fn(|n| 0x1111_1111 * n as u64);
    state.dr[1] = 0x1234;
    state.msr.sysenter_eip = 0xC000_1234;
    state.simd.vectors[3] = [5, 6, 0, 0];
    state.x87.significand[2] = 1 << 63;
    cpu.set_state(&state);
    // The board stops it before its first instruction.
    let mut bus = board();
    bus.board.begin_slice(0);
    let exit = cpu.run(&mut bus, None);
    assert_eq!((exit, cpu.state()), (Exit::SliceEnd, state));
}
