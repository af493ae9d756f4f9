use super::*;
use emu_core::testkit::{Bench, Lines, conformance, golden};

fn make(lines: &mut Lines<'_>) -> Port92 {
    Port92::new(Wiring {
        a20: lines.line("A20"),
    })
}

#[test]
fn port_92_keeps_the_laws_of_devices() {
    conformance(make);
}

#[test]
fn bit_1_opens_address_line_20() {
    let mut b = Bench::new(make);
    let a20 = b.device.wiring.a20;
    assert!(!b.level(a20));
    b.outb(0x92, 0x02);
    assert!(b.level(a20));
    assert_eq!(b.inb(0x92), 0x02);
    b.reset(ResetKind::Hard);
    assert!(!b.level(a20));
}

#[test]
fn bit_0_resets_the_cpu_each_time_it_rises() {
    let mut b = Bench::new(make);
    b.outb(0x92, 0x01);
    assert_eq!(b.take_requests().reset, Some(ResetKind::Init));
    b.outb(0x92, 0x03);
    assert_eq!(b.take_requests().reset, None, "it has to go to 0 first");
    b.outb(0x92, 0x02);
    b.outb(0x92, 0x03);
    assert_eq!(b.take_requests().reset, Some(ResetKind::Init));
}

#[test]
fn reserved_bits_read_as_zero() {
    let mut b = Bench::new(make);
    b.outb(0x92, 0xFE);
    assert_eq!(b.inb(0x92), 0x02);
}

#[test]
fn a_state_saved_by_version_1_still_loads() {
    golden(make, concat!(env!("CARGO_MANIFEST_DIR"), "/src/port92"));
}
