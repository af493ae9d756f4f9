use super::{CoprocessorError, FERR, Wiring};
use emu_core::Line;
use emu_core::testkit::{Bench, Lines, conformance};

fn make(lines: &mut Lines<'_>) -> CoprocessorError {
    CoprocessorError::new(Wiring {
        irq: lines.line("IRQ13"),
        ignne: lines.line("IGNNE#"),
    })
}

fn bench() -> (Bench<CoprocessorError>, Line, Line) {
    let b = Bench::new(make);
    let w = b.device.wiring;
    (b, w.irq, w.ignne)
}

#[test]
fn an_error_requests_irq_13_until_port_f0_is_written() {
    let (mut b, irq, ignne) = bench();
    b.input(FERR, true);
    assert!(b.level(irq) && !b.level(ignne));
    b.outb(0xF0, 0);
    assert!(!b.level(irq) && b.level(ignne));
    b.input(FERR, false);
    assert!(!b.level(ignne));
}

#[test]
fn the_request_outlives_ferr() {
    let (mut b, irq, _) = bench();
    b.input(FERR, true);
    b.input(FERR, false);
    assert!(b.level(irq));
}

#[test]
fn a_write_without_an_error_does_not_assert_ignne() {
    let (mut b, _, ignne) = bench();
    b.outb(0xF0, 0);
    assert!(!b.level(ignne));
}

#[test]
fn it_conforms() {
    conformance(make);
}
