//! The rules of the comparison, with a processor that does what a test tells it.

use super::case::{Bench, Model, Outcome};
use super::moo::{Exception, Reg, Side, Test};
use emu_core::backend::{
    BackendCaps, BackendStats, CpuBackend, CpuId, Exit, Invalidate, Kick, SystemBus,
};
use emu_core::bus::{Gpa, Width};
use emu_core::probe::Probe;
use emu_core::x86::{CpuState, Gpr, Rflags};

/// Executes by calling a function.
struct Scripted<F> {
    state: CpuState,
    script: F,
}

impl<F: FnMut(&mut CpuState, &mut dyn SystemBus) -> Exit + Send> CpuBackend for Scripted<F> {
    fn run(&mut self, bus: &mut dyn SystemBus, _: Option<&mut dyn Probe>) -> Exit {
        (self.script)(&mut self.state, bus)
    }
    fn state(&self) -> CpuState {
        self.state
    }
    fn set_state(&mut self, state: &CpuState) {
        self.state = *state;
    }
    fn invalidate(&mut self, _: Invalidate) {}
    fn kick(&self) -> Kick {
        Kick::default()
    }
    fn caps(&self) -> BackendCaps {
        BackendCaps::default()
    }
    fn stats(&self) -> BackendStats {
        BackendStats::default()
    }
}

fn run(
    model: Model,
    test: &Test,
    flags_mask: u16,
    script: impl FnMut(&mut CpuState, &mut dyn SystemBus) -> Exit + Send + 'static,
) -> Outcome {
    let cpu = Scripted {
        state: CpuState::default(),
        script,
    };
    Bench::new(model, false, true, Box::new(cpu))
        .unwrap()
        .run(test, flags_mask)
}

fn store(bus: &mut dyn SystemBus, at: u64, value: u8) {
    bus.mmio_write(CpuId(0), Gpa(at), false, Width::Byte, value.into());
}

/// INC AX, as the 80286 suite would have it: AX 1234h becomes 1235h, and HLT is passed.
fn inc_ax() -> Test {
    let mut regs = [Some(0); Reg::COUNT];
    regs[Reg::Ax as usize] = Some(0x1234);
    regs[Reg::Ip as usize] = Some(0x100);
    regs[Reg::Flags as usize] = Some(0xF002);
    let mut changes = [None; Reg::COUNT];
    changes[Reg::Ax as usize] = Some(0x1235);
    changes[Reg::Ip as usize] = Some(0x102);
    changes[Reg::Flags as usize] = Some(0x0006);
    Test {
        bytes: vec![0x40, 0xF4],
        initial: Side {
            regs,
            ram: vec![(0x100, 0x40), (0x101, 0xF4)],
        },
        changes: Side {
            regs: changes,
            ram: vec![],
        },
        ..Test::default()
    }
}

fn do_inc_ax(s: &mut CpuState) {
    s.gpr[Gpr::Rax as usize] += 1;
    s.rip += 2;
    s.rflags |= Rflags::PF;
}

#[test]
fn a_run_that_ends_as_captured_passes() {
    let outcome = run(Model::I80286, &inc_ax(), 0xFFFF, |s, _| {
        assert_eq!(s.rflags.bits(), 2, "IOPL and NT cannot be set in real mode");
        do_inc_ax(s);
        Exit::Halted
    });
    assert_eq!(outcome, Outcome::Same);
}

#[test]
fn a_register_that_the_test_does_not_name_must_not_change() {
    let outcome = run(Model::I80286, &inc_ax(), 0xFFFF, |s, _| {
        do_inc_ax(s);
        s.gpr[Gpr::Rdi as usize] = 1;
        Exit::Halted
    });
    let Outcome::Different(d) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!((d.len(), d[0].what.as_str(), d[0].got), (1, "di", 1));
}

#[test]
fn a_byte_that_the_test_does_not_name_must_not_change() {
    let outcome = run(Model::I80286, &inc_ax(), 0xFFFF, |s, bus| {
        do_inc_ax(s);
        let old = bus.mmio_read(CpuId(0), Gpa(0x54_3210), false, Width::Byte);
        store(bus, 0x54_3210, !old as u8);
        Exit::Halted
    });
    let Outcome::Different(d) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!((d.len(), d[0].what.as_str()), (1, "[543210]"));
}

#[test]
fn a_run_that_does_not_halt_is_lost_whatever_its_registers_say() {
    let outcome = run(Model::I80286, &inc_ax(), 0xFFFF, |s, _| {
        do_inc_ax(s);
        Exit::SliceEnd
    });
    assert!(matches!(outcome, Outcome::Lost(_)));
}

#[test]
fn undefined_flags_are_masked_in_the_register_and_in_the_word_that_an_exception_pushed() {
    let mut test = inc_ax();
    test.initial.regs[Reg::Sp as usize] = Some(0x202);
    test.changes.regs[Reg::Sp as usize] = Some(0x1FC);
    test.changes.ram = vec![(0x200, 0x06), (0x201, 0x00)];
    test.exception = Some(Exception {
        vector: 0,
        flags_address: 0x200,
    });
    let script = |pushed: u8| {
        move |s: &mut CpuState, bus: &mut dyn SystemBus| {
            do_inc_ax(s);
            s.rflags ^= Rflags::ZF;
            s.gpr[Gpr::Rsp as usize] = 0x1FC;
            store(bus, 0x200, pushed);
            store(bus, 0x201, 0);
            Exit::Halted
        }
    };
    let not_zf = !(Rflags::ZF.bits() as u16);
    let run = |mask, pushed| run(Model::I80286, &test, mask, script(pushed));
    assert_eq!(run(not_zf, 0x46), Outcome::Same);
    assert!(matches!(run(0xFFFF, 0x46), Outcome::Different(d) if d.len() == 2));
    assert!(matches!(run(not_zf, 0x07), Outcome::Different(d) if d.len() == 1));
}

#[test]
fn a_divide_error_on_the_8086_is_known_by_its_handler() {
    let mut test = inc_ax();
    test.initial.ram = vec![(0, 0), (1, 4), (2, 0), (3, 0)];
    test.initial.regs[Reg::Sp as usize] = Some(3);
    test.changes = Side::default();
    test.changes.regs[Reg::Sp as usize] = Some(0xFFFD);
    test.changes.regs[Reg::Ip as usize] = Some(0x400);
    // The flags word stands at SS:0001.
    test.changes.ram = vec![(1, 0x06), (2, 0xF0)];
    let outcome = run(Model::I8086, &test, 0xFFBF, |s, bus| {
        s.gpr[Gpr::Rsp as usize] = 0xFFFD;
        s.rip = 0x400;
        store(bus, 1, 0x46);
        store(bus, 2, 0xF0);
        Exit::SliceEnd
    });
    assert_eq!(outcome, Outcome::Same);
}
