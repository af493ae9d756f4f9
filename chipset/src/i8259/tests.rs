use super::*;
use emu_core::testkit::{Bench, Lines, conformance, golden};

const INT: fn(&Bench<I8259>) -> bool = |b| b.level(b.device.wiring.int);

fn make(lines: &mut Lines<'_>) -> I8259 {
    I8259::new(
        Wiring {
            int: lines.line("INT"),
        },
        Config::MASTER,
    )
}

/// A master as a PC BIOS sets it up: edge triggered, vectors from 08h, slave on IR2, 8086 mode.
fn bench_with(icw4: u8) -> Bench<I8259> {
    let mut b = Bench::new(make);
    program(&mut b, 0x11, icw4);
    b
}

fn program(b: &mut Bench<I8259>, icw1: u8, icw4: u8) {
    b.outb(0x20, icw1);
    b.outb(0x21, 0x08);
    if icw1 & 2 == 0 {
        b.outb(0x21, 0x04);
    }
    if icw1 & 1 != 0 {
        b.outb(0x21, icw4);
    }
}

fn bench() -> Bench<I8259> {
    bench_with(0x01)
}

fn ack(b: &mut Bench<I8259>) -> Acknowledge {
    b.with(|d, cx| d.acknowledge(cx))
}

fn isr(b: &mut Bench<I8259>) -> u8 {
    b.outb(0x20, 0x0B);
    b.inb(0x20)
}

fn irr(b: &mut Bench<I8259>) -> u8 {
    b.outb(0x20, 0x0A);
    b.inb(0x20)
}

#[test]
fn a_pic_keeps_the_laws_of_devices() {
    conformance(make);
    conformance(|l| {
        I8259::new(
            Wiring { int: l.line("INT") },
            Config {
                elcr: None,
                ..Config::SLAVE
            },
        )
    });
}

#[test]
fn the_highest_request_is_acknowledged_first_and_blocks_lower_ones_until_its_end() {
    let mut b = bench();
    b.input(4, true);
    b.input(1, true);
    assert!(INT(&b));
    assert_eq!(irr(&mut b), 0x12);
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x09));
    assert_eq!((isr(&mut b), irr(&mut b)), (0x02, 0x10));
    assert!(!INT(&b), "IR4 waits behind IR1");
    b.input(0, true);
    assert!(INT(&b), "IR0 interrupts IR1's service");
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x08));
    b.outb(0x20, 0x20);
    assert_eq!(isr(&mut b), 0x02);
    b.outb(0x20, 0x20);
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x0C));
}

#[test]
fn an_edge_counts_once_and_a_level_asks_again() {
    let mut b = bench();
    b.input(5, true);
    ack(&mut b);
    b.outb(0x20, 0x20);
    assert!(!INT(&b), "still high, but no new edge");
    b.outb(0x4D0, 0x20);
    assert!(INT(&b), "level triggered now");
    ack(&mut b);
    b.outb(0x20, 0x65);
    assert!(INT(&b));
    b.input(5, false);
    assert!(!INT(&b));
}

#[test]
fn a_request_that_vanishes_gives_the_default_ir7_without_an_in_service_bit() {
    let mut b = bench();
    b.input(3, true);
    assert!(INT(&b));
    b.input(3, false);
    assert!(!INT(&b));
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x0F));
    assert_eq!(isr(&mut b), 0);
    b.input(7, true);
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x0F));
    assert_eq!(isr(&mut b), 0x80);
}

#[test]
fn masked_inputs_show_in_the_irr_and_interrupt_once_unmasked() {
    let mut b = bench();
    b.outb(0x21, 0xFF);
    b.input(6, true);
    assert!(!INT(&b));
    assert_eq!(irr(&mut b), 0x40);
    b.outb(0x21, 0xBF);
    assert_eq!(b.inb(0x21), 0xBF);
    assert!(INT(&b));
}

#[test]
fn specific_eoi_ends_the_level_named() {
    let mut b = bench();
    b.input(6, true);
    ack(&mut b);
    b.input(3, true);
    ack(&mut b);
    b.outb(0x20, 0x66);
    assert_eq!(isr(&mut b), 0x08);
}

#[test]
fn rotation_gives_the_level_served_the_lowest_priority() {
    let mut b = bench();
    b.input(4, true);
    ack(&mut b);
    b.outb(0x20, 0xA0);
    b.input(4, false);
    b.input(4, true);
    b.input(6, true);
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x0E), "IR5 is highest now");
    b.outb(0x20, 0xE6);
    b.input(0, true);
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x08));
    b.outb(0x20, 0x60);
    b.outb(0x20, 0xC3);
    b.input(0, false);
    b.input(0, true);
    assert_eq!(
        ack(&mut b),
        Acknowledge::Vector(0x0C),
        "IR3 was made lowest"
    );
}

#[test]
fn automatic_end_of_interrupt_leaves_nothing_in_service_and_can_rotate() {
    let mut b = bench_with(0x03);
    b.input(1, true);
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x09));
    assert_eq!(isr(&mut b), 0);
    b.outb(0x20, 0x80);
    b.input(1, false);
    b.input(1, true);
    ack(&mut b);
    b.input(1, false);
    b.input(1, true);
    b.input(3, true);
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x0B));
    b.outb(0x20, 0x00);
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x09));
}

#[test]
fn special_mask_mode_lets_lower_levels_through_a_masked_one_in_service() {
    let mut b = bench();
    b.input(1, true);
    ack(&mut b);
    b.input(5, true);
    assert!(!INT(&b));
    b.outb(0x20, 0x68);
    assert!(!INT(&b), "not yet masked");
    b.outb(0x21, 0x02);
    assert!(INT(&b));
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x0D));
    // A masked bit is not cleared by a non-specific EOI in this mode.
    b.outb(0x20, 0x20);
    assert_eq!(isr(&mut b), 0x02);
    b.outb(0x20, 0x20);
    assert_eq!(isr(&mut b), 0x02);
    b.outb(0x20, 0x48);
    b.outb(0x20, 0x20);
    assert_eq!(isr(&mut b), 0);
}

#[test]
fn a_poll_acknowledges_and_names_the_level() {
    let mut b = bench();
    b.outb(0x20, 0x0C);
    assert_eq!(b.inb(0x20) & 0x80, 0);
    b.input(6, true);
    b.outb(0x20, 0x0C);
    assert_eq!(b.inb(0x20), 0x86);
    assert_eq!(isr(&mut b), 0x40);
    assert!(!INT(&b));
}

#[test]
fn an_input_with_a_slave_names_the_slave() {
    let mut b = bench();
    b.input(2, true);
    assert_eq!(ack(&mut b), Acknowledge::Slave(2));
    assert_eq!(isr(&mut b), 0x04);
}

#[test]
fn special_fully_nested_mode_takes_a_second_request_from_the_same_slave() {
    for (icw4, again) in [(0x01, false), (0x11, true)] {
        let mut b = bench_with(icw4);
        b.input(2, true);
        ack(&mut b);
        b.input(2, false);
        b.input(2, true);
        assert_eq!(INT(&b), again);
        b.input(5, true);
        b.input(2, false);
        assert!(!INT(&b), "lower levels stay out");
    }
}

#[test]
fn int_falls_at_each_acknowledgement_so_that_a_master_sees_the_next_edge() {
    let mut b = bench_with(0x03);
    b.input(1, true);
    b.input(4, true);
    let line = b.device.wiring.int;
    b.take_edges(line);
    ack(&mut b);
    let levels: Vec<_> = b.take_edges(line).iter().map(|e| e.1).collect();
    assert_eq!(levels, [false, true]);
}

#[test]
fn icw1_clears_masks_latches_and_modes_and_awaits_the_sequence() {
    let mut b = bench();
    b.outb(0x21, 0x55);
    b.input(3, true);
    b.outb(0x20, 0x68);
    b.outb(0x20, 0x13);
    assert_eq!(b.inb(0x21), 0, "IMR is cleared");
    assert_eq!(
        b.inb(0x20),
        0,
        "reads give the IRR, whose edges are forgotten"
    );
    b.outb(0x21, 0x70);
    b.outb(0x21, 0x01);
    b.outb(0x21, 0xFE);
    assert_eq!(b.inb(0x21), 0xFE, "SNGL: there was no ICW3");
    b.outb(0x21, 0x00);
    b.input(2, true);
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x72), "SNGL: no slave");
}

#[test]
fn buffered_mode_says_who_is_master_and_a_slave_answers_to_its_id_only() {
    let slave = |l: &mut Lines<'_>| I8259::new(Wiring { int: l.line("INT") }, Config::SLAVE);
    let mut b = Bench::new(slave);
    b.outb(0xA0, 0x11);
    assert!(b.device.answers_to(7), "the slave address is set to 7");
    b.outb(0xA1, 0x70);
    b.outb(0xA1, 0x02);
    b.outb(0xA1, 0x01);
    assert!(b.device.answers_to(2) && !b.device.answers_to(3));
    b.input(1, true);
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x71));
    b.outb(0xA0, 0x20);
    b.outb(0xA0, 0x11);
    b.outb(0xA1, 0x70);
    b.outb(0xA1, 0x02);
    b.outb(0xA1, 0x0D);
    assert!(!b.device.answers_to(2), "buffered master");
    b.input(1, false);
    b.input(1, true);
    assert_eq!(ack(&mut b), Acknowledge::Slave(1));
}

#[test]
fn mcs80_mode_gives_the_low_byte_of_the_call_address() {
    let mut b = Bench::new(make);
    b.outb(0x20, 0xB6); // A7 A5, interval 4, single, no ICW4
    b.outb(0x21, 0x12);
    b.input(3, true);
    assert_eq!(ack(&mut b), Acknowledge::Vector(0xA0 | (3 << 2)));
    b.outb(0x20, 0xF2); // interval 8: A5 is the level's
    b.outb(0x21, 0x12);
    b.input(3, false);
    b.input(3, true);
    assert_eq!(ack(&mut b), Acknowledge::Vector(0xC0 | (3 << 3)));
}

#[test]
fn the_edge_level_register_keeps_system_inputs_edge_triggered() {
    let mut b = bench();
    b.outb(0x4D0, 0xFF);
    assert_eq!(b.inb(0x4D0), 0xF8);
    let mut b = Bench::new(|l| I8259::new(Wiring { int: l.line("INT") }, Config::SLAVE));
    b.outb(0x4D1, 0xFF);
    assert_eq!(b.inb(0x4D1), 0xDE);
}

#[test]
fn ltim_makes_all_inputs_level_triggered_where_there_is_no_edge_level_register() {
    let mut b = Bench::new(|l| {
        I8259::new(
            Wiring { int: l.line("INT") },
            Config {
                elcr: None,
                ..Config::MASTER
            },
        )
    });
    b.input(0, true);
    program(&mut b, 0x19, 0x01);
    assert!(INT(&b));
    program(&mut b, 0x11, 0x01);
    assert!(!INT(&b));
}

#[test]
fn a_state_saved_by_version_1_still_loads() {
    golden(make, concat!(env!("CARGO_MANIFEST_DIR"), "/src/i8259"));
}
