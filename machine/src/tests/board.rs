use super::parts::{Inverter, Latch, LatchState, Recorder, RecorderState};
use super::scripted::{Op, Scripted};
use crate::{Board, BoardBuilder, BoardFault, Conflicts, Machine, OnTripleFault, Stop, Until};
use emu_core::backend::{CpuId, CpuPin, SystemBus};
use emu_core::bus::Width::{Byte, Dword, Qword, Word};
use emu_core::bus::{Access, Decode, Gpa, Width};
use emu_core::host::{HostEvent, KeyCode};
use emu_core::ram::Ram;
use emu_core::snapshot::{Snapshot, SnapshotError, decode};
use emu_core::time::{Frequency, VirtTime};
use emu_core::wire::{Line, Sink};
use emu_core::{Cx, Device, ResetKind};
use serde::{Deserialize, Serialize};

const RATE: Frequency = Frequency::hz(1_000_000);
const CPU: CpuId = CpuId(0);

/// RAM at 0, as a device of the board.
struct Dram {
    ram: Ram,
    state: Nothing,
}
#[derive(Default, Clone, Serialize, Deserialize)]
struct Nothing;
impl Snapshot for Nothing {
    const VERSION: u16 = 1;
}
impl Device for Dram {
    const KIND: &'static str = "dram";
    type State = Nothing;
    fn state(&self) -> &Nothing {
        &self.state
    }
    fn state_mut(&mut self) -> &mut Nothing {
        &mut self.state
    }
    fn reset(&mut self, _kind: ResetKind, _cx: &mut Cx<'_>) {}
    fn decode(&self, d: &mut Decode) {
        let len = self.ram.len_bytes() as u64;
        d.ram(0, len, &self.ram, 0, Access::ReadWrite, 0);
    }
}

fn recorder(base: u16, native: Width, line: Line) -> Recorder {
    let state = RecorderState::default();
    Recorder {
        base,
        native,
        line,
        state,
    }
}

/// RAM; a word-wide recorder at 100h on IRQ 5 of the master; a byte-wide one at 108h on IRQ 1 of the slave at 2.
fn board() -> Board {
    let mut b = BoardBuilder::default();
    let ram = Ram::new("dram", 1 << 16).unwrap();
    b.block(&ram);
    b.add(
        "dram",
        Dram {
            ram,
            state: Nothing,
        },
    );
    let intr = b.wire("INTR", Sink::Cpu(CPU, CpuPin::Intr));
    let master = b.add(
        "master",
        Latch {
            intr: Some(intr),
            cascade: Some(2),
            state: LatchState::default(),
        },
    );
    let cascade = b.wire("cascade", Sink::Device(master, 2));
    let slave = b.add(
        "slave",
        Latch {
            intr: Some(cascade),
            ..Latch::default()
        },
    );
    b.pic_master(master);
    b.pic_slave(2, slave);
    let irq5 = b.wire("IRQ5", Sink::Device(master, 5));
    let irq9 = b.wire("IRQ9", Sink::Device(slave, 1));
    let wide = b.add("wide", recorder(0x100, Word, irq5));
    b.add("narrow", recorder(0x108, Byte, irq9));
    b.host_input(wide);
    b.finish(RATE).unwrap()
}

fn machine(script: &[Op]) -> Machine {
    Machine::new(board(), Box::new(Scripted::new(script)), "scripted")
}

fn state_of(board: &Board, name: &str) -> RecorderState {
    let slot = board.slots.iter().find(|s| s.name == name).unwrap();
    decode(name, 1, &slot.device.save().unwrap()).unwrap()
}

#[test]
fn accesses_wider_than_the_device_are_split_lowest_address_first() {
    let mut b = board();
    b.port_write(CPU, 0x100, Dword, 0x4433_2211);
    b.port_write(CPU, 0x108, Word, 0x2211);
    assert_eq!(b.port_read(CPU, 0x100, Dword), 0x4433_2211);
    assert_eq!(
        state_of(&b, "wide").log,
        [(0, 2, 0x2211), (2, 2, 0x4433), (0, 2, 0), (2, 2, 0)]
    );
    assert_eq!(state_of(&b, "narrow").log, [(0, 1, 0x11), (1, 1, 0x22)]);
}

#[test]
fn an_access_over_the_end_of_a_device_reaches_its_neighbour() {
    let mut b = board();
    b.port_write(CPU, 0x106, Dword, 0xDDCC_0000);
    assert_eq!(state_of(&b, "narrow").log, [(0, 1, 0xCC), (1, 1, 0xDD)]);
    assert_eq!(b.port_read(CPU, 0x10E, Dword), 0xFFFF_4433);
    assert_eq!(b.port_read(CPU, 0xFFFF, Dword), 0xFFFF_FFFF);
}

#[test]
fn memory_accesses_cross_from_ram_to_nothing_and_are_split_at_devices() {
    let mut b = board();
    b.mmio_write(CPU, Gpa(0xFFFC), false, Qword, 0x8877_6655_4433_2211);
    assert_eq!(
        b.mmio_read(CPU, Gpa(0xFFFC), false, Qword),
        0xFFFF_FFFF_4433_2211
    );
    assert_eq!(
        b.mmio_read(CPU, Gpa(0xF000_0100), false, Dword),
        0x4433_2211
    );
    assert_eq!(state_of(&b, "wide").log, [(0, 2, 0), (2, 2, 0)]);
}

#[test]
fn an_event_fires_at_its_exact_instruction_and_its_interrupt_walks_the_cascade() {
    // 1 MHz: an instruction takes a microsecond. The timer is armed during instruction 0, due 50 µs later.
    let mut m = machine(&[Op::Out(0x10F, Byte, 50), Op::Spin(1000)]);
    assert_eq!(m.run(Until::insns(50), None), Stop::Insns);
    assert_eq!(state_of(m.board(), "narrow").ticks, 1);
    m = machine(&[Op::Out(0x10F, Byte, 50), Op::Spin(1000)]);
    assert_eq!(m.run(Until::insns(49), None), Stop::Insns);
    assert_eq!(state_of(m.board(), "narrow").ticks, 0);
    assert_eq!(m.run(Until::insns(60), None), Stop::Insns);
    assert_eq!(m.cpu_state().gpr[3], 0x21, "the slave's vector");
}

#[test]
fn a_halted_cpu_makes_time_jump_to_the_next_event() {
    let mut m = machine(&[Op::Out(0x107, Byte, 200), Op::Halt, Op::Spin(5), Op::Halt]);
    assert_eq!(
        m.run(Until::time(VirtTime::from_ns(201_000)), None),
        Stop::Time
    );
    assert_eq!(m.cpu_state().gpr[3], 0x25);
    assert!(m.insns() < 10);
}

#[test]
fn a_halt_that_nothing_can_end_is_reported() {
    let mut m = machine(&[Op::Spin(10), Op::Halt]);
    assert_eq!(m.run(Until::FOREVER, None), Stop::HaltedForEver);
}

#[test]
fn shutdown_restarts_the_cpu_or_ends_the_run_as_asked() {
    let mut m = machine(&[Op::Spin(10), Op::Shutdown]);
    assert_eq!(m.run(Until::insns(35), None), Stop::Insns);
    let mut m = machine(&[Op::Spin(10), Op::Shutdown]);
    m.set_on_triple_fault(OnTripleFault::Exit);
    assert_eq!(m.run(Until::FOREVER, None), Stop::TripleFault);
    assert_eq!(m.insns(), 11);
}

#[test]
fn a_reset_request_resets_every_device_before_the_next_instruction() {
    let mut m = machine(&[Op::Out(0x108, Byte, 1), Op::Out(0x106, Byte, 0), Op::Halt]);
    m.run(Until::insns(2), None);
    assert!(state_of(m.board(), "narrow").log.is_empty());
    m.run(Until::insns(3), None);
    assert_eq!(m.cpu_state().rip, 1, "the CPU started again");
}

#[test]
fn a_ring_of_wires_is_named_instead_of_hanging() {
    let mut b = BoardBuilder::default();
    let id = b.next_id();
    let line = b.wire("ring", Sink::Device(id, 0));
    let state = LatchState::default();
    b.add("inverter", Inverter { line, state });
    let board = b.finish(RATE).unwrap();
    let mut m = Machine::new(board, Box::new(Scripted::new(&[])), "scripted");
    let stop = m.run(Until::FOREVER, None);
    assert_eq!(stop, Stop::Fault(BoardFault::WireLoop("ring".into())));
}

#[test]
fn the_builder_names_every_conflict() {
    let mut b = BoardBuilder::default();
    let a = b.add("com1", recorder(0x100, Byte, Line::UNCONNECTED));
    let c = b.add("com2", recorder(0x104, Byte, Line::UNCONNECTED));
    b.add("com1", recorder(0x200, Byte, Line::UNCONNECTED));
    b.dma_channel(2, a);
    b.dma_channel(2, c);
    b.pci(1, 0, a);
    b.pci(1, 0, c);
    let Err(Conflicts(all)) = b.finish(RATE) else {
        panic!("no conflict was found");
    };
    assert_eq!(
        all,
        [
            "two devices are called com1",
            "com1 and com2 are both on DMA channel 2",
            "com1 and com2 are both PCI function 0:01.0",
            "com1 and com2 both decode port 104h-107h",
        ]
    );
}

const BUSY: [Op; 9] = [
    Op::Out(0x107, Byte, 7),
    Op::Out(0x10F, Byte, 11),
    Op::Store(0x1234, Dword, 0xDEAD_BEEF),
    Op::Spin(100),
    Op::In(0x100, Dword),
    Op::Spin(1000),
    Op::Store(0x8000, Qword, 5),
    Op::Load(0x8000, Word),
    Op::Spin(1_000_000),
];

#[test]
fn save_restore_run_equals_run_at_every_point() {
    let mut straight = machine(&BUSY);
    straight.run(Until::insns(3000), None);
    let expected = straight.state_hash().unwrap();
    for at in [0, 1, 2, 3, 9, 50, 104, 105, 106, 107, 500, 1106, 2999] {
        let mut first = machine(&BUSY);
        first.run(Until::insns(at), None);
        let file = first.save().unwrap();
        let mut second = machine(&BUSY);
        second.restore(&file).unwrap();
        assert_eq!(second.state_hash().unwrap(), first.state_hash().unwrap());
        second.run(Until::insns(3000), None);
        assert_eq!(second.state_hash().unwrap(), expected, "saved at {at}");
    }
}

#[test]
fn a_snapshot_that_is_damaged_anywhere_is_refused() {
    let mut m = machine(&BUSY);
    m.run(Until::insns(500), None);
    let file = m.save().unwrap();
    for cut in (0..file.len()).step_by(7) {
        assert!(
            machine(&BUSY).restore(&file[..cut]).is_err(),
            "cut at {cut}"
        );
    }
    for i in (0..file.len()).step_by(11) {
        let mut bad = file.clone();
        bad[i] ^= 0x10;
        assert!(machine(&BUSY).restore(&bad).is_err(), "byte {i}");
    }
}

#[test]
fn a_snapshot_of_another_machine_is_refused_with_the_difference() {
    let file = machine(&BUSY).save().unwrap();
    let mut other = Machine::new(board(), Box::new(Scripted::new(&BUSY)), "another");
    let Err(SnapshotError::Invalid { reason, .. }) = other.restore(&file) else {
        panic!("it was taken");
    };
    assert!(reason.contains("\"scripted\"") && reason.contains("\"another\""));
}

fn key(code: u8, pressed: bool) -> HostEvent {
    let key = KeyCode(code);
    HostEvent::Key { key, pressed }
}

#[test]
fn inputs_arrive_at_their_moment_and_the_log_repeats_the_run() {
    let mut live = machine(&BUSY);
    for (insns, code) in [(100, 4), (101, 5), (777, 6)] {
        live.run(Until::insns(insns), None);
        live.input(key(code, true));
    }
    live.run(Until::insns(2000), None);
    assert_ne!(state_of(live.board(), "wide").keys, 0);
    let mut again = machine(&BUSY);
    for entry in live.input_log() {
        let crate::inputs::InputRecord::Key { key, pressed } = entry.input else {
            panic!("only keys were pressed");
        };
        again.schedule_input(entry.at, HostEvent::Key { key, pressed });
    }
    again.run(Until::insns(2000), None);
    assert_eq!(again.state_hash().unwrap(), live.state_hash().unwrap());
    assert_eq!(again.input_log(), live.input_log());
}

#[test]
fn how_a_run_is_sliced_changes_nothing() {
    let mut whole = machine(&BUSY);
    whole.run(Until::insns(3000), None);
    let mut sliced = machine(&BUSY);
    for n in 0..=3000 {
        sliced.run(Until::insns(n), None);
    }
    assert_eq!(whole.state_hash().unwrap(), sliced.state_hash().unwrap());
}
