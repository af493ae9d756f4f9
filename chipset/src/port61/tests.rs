use super::*;
use emu_core::testkit::{Bench, Lines, conformance, golden};

fn make(lines: &mut Lines<'_>) -> Port61 {
    Port61::new(Wiring {
        timer_2_gate: lines.line("GATE2"),
        speaker: lines.line("speaker"),
        nmi: lines.line("NMI"),
    })
}

#[test]
fn port_61_keeps_the_laws_of_devices() {
    conformance(make);
}

#[test]
fn bits_0_and_1_gate_the_counter_and_the_speaker() {
    let mut b = Bench::new(make);
    let w = b.device.wiring;
    b.outb(0x61, 0x01);
    assert!(b.level(w.timer_2_gate) && !b.level(w.speaker));
    b.input(PIN_TIMER_2_OUT, true);
    assert!(!b.level(w.speaker));
    assert_eq!(b.inb(0x61), 0x21);
    b.outb(0x61, 0x03);
    assert!(b.level(w.speaker));
    b.input(PIN_TIMER_2_OUT, false);
    assert!(!b.level(w.speaker));
    assert_eq!(b.inb(0x61), 0x03);
}

#[test]
fn bit_4_changes_every_15_microseconds() {
    let mut b = Bench::new(make);
    let mut changes = 0;
    let mut last = b.inb(0x61) & 0x10;
    for _ in 0..10_000 {
        b.advance_ns(1_000);
        let now = b.inb(0x61) & 0x10;
        changes += u32::from(now != last);
        last = now;
    }
    // 10 ms / 15.0857 us
    assert_eq!(changes, 662);
}

#[test]
fn iochk_and_serr_are_latched_give_nmi_and_are_cleared_by_their_disable_bits() {
    for (pin, status, disable) in [(PIN_IOCHK, 0x40, 0x08), (PIN_SERR, 0x80, 0x04)] {
        let mut b = Bench::new(make);
        let nmi = b.device.wiring.nmi;
        b.input(pin, true);
        b.input(pin, false);
        assert!(b.level(nmi));
        assert_eq!(b.inb(0x61) & 0xC0, status);
        b.input(PIN_NMI_MASK, true);
        assert!(!b.level(nmi), "masked by port 70h");
        b.input(PIN_NMI_MASK, false);
        assert!(b.level(nmi));
        b.outb(0x61, disable);
        assert!(!b.level(nmi));
        b.input(pin, true);
        assert_eq!(b.inb(0x61) & 0xC0, 0);
        b.outb(0x61, 0);
        assert_eq!(b.inb(0x61) & 0xC0, status, "still asserted");
    }
}

#[test]
fn the_upper_bits_cannot_be_written() {
    let mut b = Bench::new(make);
    b.outb(0x61, 0xFF);
    assert_eq!(b.inb(0x61), 0x0F);
    b.reset(ResetKind::Hard);
    assert_eq!(b.inb(0x61), 0x00);
}

#[test]
fn a_state_saved_by_version_1_still_loads() {
    golden(make, concat!(env!("CARGO_MANIFEST_DIR"), "/src/port61"));
}
