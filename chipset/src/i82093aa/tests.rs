use super::*;
use emu_core::testkit::{Bench, Lines, conformance, golden};

const BASE: u64 = 0xFEC0_0000;

fn chip(_: &mut Lines<'_>) -> I82093aa {
    I82093aa::new(BASE)
}

fn bench() -> Bench<I82093aa> {
    Bench::new(chip)
}

fn get(b: &mut Bench<I82093aa>, register: u8) -> u32 {
    b.mem_write(BASE, Width::Dword, register.into());
    b.mem_read(BASE + 0x10, Width::Dword) as u32
}

fn set(b: &mut Bench<I82093aa>, register: u8, value: u32) {
    b.mem_write(BASE, Width::Dword, register.into());
    b.mem_write(BASE + 0x10, Width::Dword, value.into());
}

/// Programs a pin: the upper half first, as software does.
fn program(b: &mut Bench<I82093aa>, pin: u8, high: u32, low: u32) {
    set(b, 0x11 + 2 * pin, high);
    set(b, 0x10 + 2 * pin, low);
}

/// The messages sent since the last call; the board's answer to each is `accepted`.
fn delivered(b: &mut Bench<I82093aa>, accepted: bool) -> Vec<ApicMessage> {
    let cycles = b.take_apic_cycles();
    let messages: Vec<_> = cycles
        .into_iter()
        .map(|c| match c {
            ApicCycle::Interrupt(m) => m,
            ApicCycle::EndOfInterrupt(v) => panic!("an I/O APIC ends no interrupt: {v:X}h"),
        })
        .collect();
    for m in &messages {
        b.with(|d, cx| d.sent(m.tag, accepted, cx));
    }
    messages
}

#[test]
fn it_keeps_the_laws_of_devices() {
    conformance(chip);
}

#[test]
fn its_saved_state_keeps_its_shape() {
    golden(chip, concat!(env!("CARGO_MANIFEST_DIR"), "/src/i82093aa"));
}

#[test]
fn the_registers_have_the_data_sheets_defaults_and_writable_bits() {
    let mut b = bench();
    assert_eq!(get(&mut b, 0x00), 0);
    assert_eq!(get(&mut b, 0x01), 0x0017_0011);
    set(&mut b, 0x00, 0xFFFF_FFFF);
    assert_eq!(get(&mut b, 0x00), 0x0F00_0000);
    assert_eq!(get(&mut b, 0x02), 0x0F00_0000);
    set(&mut b, 0x01, 0);
    assert_eq!(get(&mut b, 0x01), 0x0017_0011);
    for pin in 0..24 {
        assert_eq!(get(&mut b, 0x10 + 2 * pin), 0x0001_0000, "pin {pin}");
        assert_eq!(get(&mut b, 0x11 + 2 * pin), 0);
        program(&mut b, pin, 0xFFFF_FFFF, 0xFFFF_FFFF);
        assert_eq!(get(&mut b, 0x10 + 2 * pin), 0x0001_AFFF);
        assert_eq!(get(&mut b, 0x11 + 2 * pin), 0xFF00_0000);
    }
    for reserved in [0x03, 0x0F, 0x40, 0xFF] {
        set(&mut b, reserved, 0xFFFF_FFFF);
        assert_eq!(get(&mut b, reserved), 0);
    }
    b.reset(ResetKind::Hard);
    assert_eq!(get(&mut b, 0x10), 0x0001_0000);
    assert!(b.take_apic_cycles().is_empty());
}

#[test]
fn an_edge_makes_one_message_and_is_lost_while_masked() {
    let mut b = bench();
    program(&mut b, 4, 0x0300_0000, 0x0000_0034);
    b.input(4, true);
    let expected = ApicMessage {
        destination: ApicDestination::Physical(3),
        delivery: ApicDelivery::Fixed,
        vector: 0x34,
        level: false,
        tag: 4,
    };
    // Until the message was accepted the delivery status says so.
    assert_eq!(get(&mut b, 0x18), 0x0000_1034);
    assert_eq!(delivered(&mut b, true), [expected]);
    assert_eq!(get(&mut b, 0x18), 0x0000_0034);
    b.input(4, false);
    assert_eq!(delivered(&mut b, true), []);
    program(&mut b, 4, 0x0300_0000, 0x0001_0034);
    b.input(4, true);
    program(&mut b, 4, 0x0300_0000, 0x0000_0034);
    assert_eq!(delivered(&mut b, true), []);
}

#[test]
fn a_level_is_sent_once_until_it_is_ended_and_again_if_it_is_still_there() {
    let mut b = bench();
    b.input(10, true);
    program(&mut b, 10, 0x0100_0000, 0x0000_A955);
    let sent = delivered(&mut b, true);
    assert_eq!(sent.len(), 0, "active low: high is at rest");
    b.input(10, false);
    let sent = delivered(&mut b, true);
    assert_eq!(sent.len(), 1);
    assert!(sent[0].level && sent[0].destination == ApicDestination::Logical(1));
    assert_eq!(sent[0].delivery, ApicDelivery::LowestPriority);
    assert_eq!(get(&mut b, 0x24), 0x0000_E955, "remote IRR");
    // Another vector's end is nothing to it.
    b.with(|d, cx| d.end_of_interrupt(0x54, cx));
    assert_eq!(delivered(&mut b, true), []);
    b.with(|d, cx| d.end_of_interrupt(0x55, cx));
    assert_eq!(delivered(&mut b, true).len(), 1);
    b.input(10, true);
    b.with(|d, cx| d.end_of_interrupt(0x55, cx));
    assert_eq!(delivered(&mut b, true), []);
    assert_eq!(get(&mut b, 0x24), 0x0000_A955);
}

#[test]
fn a_level_that_nobody_accepts_leaves_remote_irr_clear_and_is_tried_again() {
    let mut b = bench();
    program(&mut b, 9, 0, 0x0000_8051);
    b.input(9, true);
    assert_eq!(delivered(&mut b, false).len(), 1);
    assert_eq!(get(&mut b, 0x22), 0x0000_8051);
    set(&mut b, 0x22, 0x0000_8051);
    assert_eq!(delivered(&mut b, true).len(), 1);
    assert_eq!(get(&mut b, 0x22), 0x0000_C051);
}

#[test]
fn unmasking_a_level_that_waits_sends_it_and_edge_mode_clears_remote_irr() {
    let mut b = bench();
    b.input(16, true);
    program(&mut b, 16, 0, 0x0001_8041);
    assert_eq!(delivered(&mut b, true), []);
    set(&mut b, 0x30, 0x0000_8041);
    assert_eq!(delivered(&mut b, true).len(), 1);
    set(&mut b, 0x30, 0x0001_0041);
    assert_eq!(get(&mut b, 0x30), 0x0001_0041);
}

#[test]
fn the_delivery_modes_are_passed_on_and_reserved_ones_send_nothing() {
    let mut b = bench();
    for (mode, expected) in [
        (0, Some(ApicDelivery::Fixed)),
        (1, Some(ApicDelivery::LowestPriority)),
        (2, Some(ApicDelivery::Smi)),
        (3, None),
        (4, Some(ApicDelivery::Nmi)),
        (5, Some(ApicDelivery::Init)),
        (6, None),
        (7, Some(ApicDelivery::ExtInt)),
    ] {
        program(&mut b, 0, 0xFF00_0000, mode << 8 | 0x20);
        b.input(0, true);
        let sent = delivered(&mut b, true);
        assert_eq!(sent.first().map(|m| m.delivery), expected, "mode {mode}");
        if let Some(m) = sent.first() {
            assert_eq!(m.destination, ApicDestination::All);
        }
        b.input(0, false);
    }
}
