use super::*;
use emu_core::testkit::{Bench, Lines, conformance, golden};

fn bridge(lines: &mut Lines<'_>) -> Piix3 {
    Piix3::new(Wiring {
        isa_irqs: std::array::from_fn(|i| lines.line(&format!("IRQ{i}"))),
        smi: lines.line("SMI"),
        apmc: lines.line("APMC"),
    })
}

fn bench() -> Bench<Piix3> {
    Bench::new(bridge)
}

fn get(b: &mut Bench<Piix3>, offset: u8, width: Width) -> u32 {
    b.with(|d, cx| d.config_read(offset, width, cx))
}

fn set(b: &mut Bench<Piix3>, offset: u8, width: Width, value: u32) {
    b.with(|d, cx| d.config_write(offset, width, value, cx));
}

fn high(b: &Bench<Piix3>) -> Vec<usize> {
    let lines = &b.device.wiring.isa_irqs;
    (0..16).filter(|&i| b.level(lines[i])).collect()
}

#[test]
fn it_keeps_the_laws_of_devices() {
    conformance(bridge);
}

#[test]
fn the_header_and_the_defaults_are_those_of_the_datasheet() {
    let mut b = bench();
    for (offset, width, value) in [
        (0x00, Width::Dword, 0x7000_8086),
        (0x04, Width::Dword, 0x0200_0007),
        (0x08, Width::Dword, 0x0601_0000),
        (0x0E, Width::Byte, 0x80),
        (0x4C, Width::Byte, 0x4D),
        (0x4E, Width::Word, 0x0003),
        (0x60, Width::Dword, 0x8080_8080),
        (0x69, Width::Byte, 0x02),
        (0x6A, Width::Word, 0x0000),
        (0x70, Width::Byte, 0x80),
        (0x76, Width::Word, 0x0404),
        (0x78, Width::Word, 0x0002),
        (0x82, Width::Byte, 0x00),
        (0xA0, Width::Byte, 0x08),
        (0xA8, Width::Byte, 0x0F),
    ] {
        assert_eq!(get(&mut b, offset, width), value, "{offset:X}h");
    }
}

#[test]
fn a_pirq_reaches_the_interrupt_that_its_route_names() {
    let mut b = bench();
    b.input(0, true);
    assert_eq!(high(&b), []);
    set(&mut b, 0x60, Width::Byte, 0x0B);
    assert_eq!(high(&b), [11]);
    set(&mut b, 0x60, Width::Byte, 0x05);
    assert_eq!(high(&b), [5]);
    set(&mut b, 0x60, Width::Byte, 0x85);
    assert_eq!(high(&b), []);
}

#[test]
fn pirqs_on_one_interrupt_share_it() {
    let mut b = bench();
    set(&mut b, 0x60, Width::Dword, 0x0A0B_0B0B);
    b.input(0, true);
    b.input(2, true);
    b.input(3, true);
    assert_eq!(high(&b), [10, 11]);
    b.input(0, false);
    assert_eq!(high(&b), [10, 11]);
    b.input(2, false);
    assert_eq!(high(&b), [10]);
}

#[test]
fn reserved_interrupts_are_never_driven() {
    let mut b = bench();
    b.input(1, true);
    for irq in 0..16 {
        set(&mut b, 0x61, Width::Byte, irq);
        let expected: &[usize] = if [0, 1, 2, 8, 13].contains(&irq) {
            &[]
        } else {
            &[irq as usize]
        };
        assert_eq!(high(&b), expected);
    }
}

#[test]
fn the_reset_control_register_resets_on_a_rising_edge_of_bit_2() {
    let mut b = bench();
    b.outb(0xCF9, 0x02);
    assert_eq!(b.take_requests().reset, None);
    b.outb(0xCF9, 0x06);
    assert_eq!(b.take_requests().reset, Some(ResetKind::Hard));
    b.outb(0xCF9, 0x06);
    assert_eq!(b.take_requests().reset, None);
    b.outb(0xCF9, 0x00);
    b.outb(0xCF9, 0x04);
    assert_eq!(b.take_requests().reset, Some(ResetKind::Init));
    assert_eq!(b.inb(0xCF9), 0x04);
}

#[test]
fn a_write_to_apmc_requests_an_smi_when_enabled_and_gated() {
    let mut b = bench();
    let (smi, apmc) = (b.device.wiring.smi, b.device.wiring.apmc);
    b.outb(0xB3, 0x55);
    b.outb(0xB2, 0x12);
    assert_eq!((b.inb(0xB2), b.inb(0xB3)), (0x12, 0x55));
    assert_eq!((b.take_edges(smi).len(), b.take_edges(apmc).len()), (0, 2));
    set(&mut b, 0xA2, Width::Word, 0x0080);
    b.outb(0xB2, 0x13);
    assert_eq!(get(&mut b, 0xAA, Width::Word), 0x0080);
    assert_eq!(b.take_edges(smi).len(), 0, "the gate is closed");
    set(&mut b, 0xA0, Width::Byte, 0x09);
    b.outb(0xB2, 0x14);
    assert_eq!(b.take_edges(smi).len(), 2);
    set(&mut b, 0xAA, Width::Word, 0xFFFF);
    assert_eq!(get(&mut b, 0xAA, Width::Word), 0x0080);
    set(&mut b, 0xAA, Width::Word, 0x0000);
    assert_eq!(get(&mut b, 0xAA, Width::Word), 0x0000);
}

#[test]
fn a_reset_turns_routes_off_but_the_pins_stay_as_they_are_driven() {
    let mut b = bench();
    set(&mut b, 0x63, Width::Byte, 0x09);
    b.input(3, true);
    b.reset(ResetKind::Hard);
    assert_eq!(high(&b), []);
    set(&mut b, 0x63, Width::Byte, 0x09);
    assert_eq!(high(&b), [9]);
}

#[test]
fn a_state_saved_by_version_1_still_loads() {
    golden(bridge, concat!(env!("CARGO_MANIFEST_DIR"), "/src/piix3"));
}
