use super::*;
use emu_core::testkit::{Bench, Lines, conformance, golden};

const BASE: u64 = 0xFEE0_0000;
/// A round clock: a tick is 10 ns.
const CLOCK: Frequency = Frequency::hz(100_000_000);

fn unit(family: Family) -> impl Fn(&mut Lines<'_>) -> LocalApicUnit {
    move |lines| {
        let wiring = Wiring {
            intr: lines.line("INTR"),
            nmi: lines.line("NMI"),
            smi: lines.line("SMI"),
            init: lines.line("INIT"),
        };
        let config = Config {
            family,
            tsc_deadline: family == Family::X2apic,
            id: 0,
            bootstrap: true,
            virtual_wire: false,
            clock: CLOCK,
        };
        LocalApicUnit::new(wiring, config)
    }
}

type B = Bench<LocalApicUnit>;

fn bench() -> B {
    Bench::new(unit(Family::Xapic))
}

/// Enabled by software, spurious vector FFh.
fn enabled(family: Family) -> B {
    let mut b = Bench::new(unit(family));
    set(&mut b, 0xF0, 0x1FF);
    b
}

fn get(b: &mut B, offset: u64) -> u32 {
    b.mem_read(BASE + offset, Width::Dword) as u32
}

fn set(b: &mut B, offset: u64, value: u32) {
    b.mem_write(BASE + offset, Width::Dword, value.into());
}

fn read_msr(b: &mut B, register: LapicRegister) -> Option<u64> {
    b.with(|d, cx| LocalApic::read(d, register, cx))
}

fn write_msr(b: &mut B, register: LapicRegister, value: u64) -> bool {
    b.with(|d, cx| LocalApic::write(d, register, value, VirtTime::ZERO, cx))
}

fn intr(b: &B) -> bool {
    b.level(b.device.wiring.intr)
}

fn ack(b: &mut B) -> Acknowledge {
    b.with(|d, cx| d.acknowledge(cx))
}

fn pulses(b: &mut B, line: fn(&Wiring) -> Line) -> usize {
    let line = line(&b.device.wiring);
    b.take_edges(line).iter().filter(|e| e.1).count()
}

fn message(delivery: ApicDelivery, vector: u8) -> ApicMessage {
    ApicMessage {
        destination: ApicDestination::Physical(0),
        delivery,
        vector,
        level: false,
        tag: 0,
    }
}

fn receive(b: &mut B, m: ApicMessage) -> bool {
    b.with(|d, cx| d.receive(&m, cx))
}

/// A fixed interrupt arrives.
fn fixed(b: &mut B, vector: u8) {
    assert!(receive(b, message(ApicDelivery::Fixed, vector)));
}

#[test]
fn it_keeps_the_laws_of_devices() {
    for family in [Family::P6, Family::Xapic, Family::X2apic] {
        conformance(unit(family));
    }
}

#[test]
fn its_saved_state_keeps_its_shape() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/local_apic");
    golden(unit(Family::Xapic), folder);
}

#[test]
fn after_reset_the_registers_are_the_manuals_and_everything_is_masked() {
    let mut b = bench();
    assert_eq!(read_msr(&mut b, LapicRegister::Base), Some(0xFEE0_0900));
    for (offset, value) in [
        (0x20, 0),
        (0x30, 0x0005_0014),
        (0x80, 0),
        (0xD0, 0),
        (0xE0, 0xFFFF_FFFF),
        (0xF0, 0xFF),
        (0x100, 0),
        (0x180, 0),
        (0x200, 0),
        (0x280, 0),
        (0x300, 0),
        (0x310, 0),
        (0x320, 0x1_0000),
        (0x330, 0x1_0000),
        (0x340, 0x1_0000),
        (0x350, 0x1_0000),
        (0x360, 0x1_0000),
        (0x370, 0x1_0000),
        (0x380, 0),
        (0x390, 0),
        (0x3E0, 0),
    ] {
        assert_eq!(get(&mut b, offset), value, "{offset:X}h");
    }
    b.input(pin::LINT0, true);
    assert!(!intr(&b), "an 8259A is not heard before firmware says so");
    // As long as software has not enabled it, mask bits stay set.
    set(&mut b, 0x350, 0x700);
    assert_eq!(get(&mut b, 0x350), 0x1_0700);
    let mut p6 = Bench::new(unit(Family::P6));
    assert_eq!(get(&mut p6, 0x30), 0x0004_0011);
}

#[test]
fn registers_keep_their_writable_bits_only() {
    let mut b = enabled(Family::Xapic);
    for (offset, value) in [
        (0x20, 0xFF00_0000u32),
        (0x30, 0x0005_0014),
        (0x80, 0xFF),
        (0x90, 0xFF),
        (0xA0, 0xFF),
        (0xD0, 0xFF00_0000),
        (0xE0, 0xFFFF_FFFF),
        (0x310, 0xFF00_0000),
        (0x320, 0x3_00FF),
        (0x330, 0x1_07FF),
        (0x340, 0x1_07FF),
        (0x350, 0x1_A7FF),
        (0x360, 0x1_A7FF),
        (0x370, 0x1_00FF),
        (0x3E0, 0x0B),
        (0xF0, 0x3FF),
    ] {
        set(&mut b, offset, u32::MAX);
        assert_eq!(get(&mut b, offset), value, "{offset:X}h");
    }
    // Only the first four bytes of each sixteen are a register; a byte of one can be read.
    set(&mut b, 0x80, 0x5A);
    assert_eq!(b.mem_read(BASE + 0x84, Width::Dword), 0);
    assert_eq!(b.mem_read(BASE + 0x80, Width::Byte), 0x5A);
    b.mem_write(BASE + 0x80, Width::Byte, 0x10);
    assert_eq!(get(&mut b, 0x80), 0x5A);
}

#[test]
fn a_board_can_have_the_virtual_wire_from_reset_on() {
    let mut b = Bench::new(|lines: &mut Lines<'_>| {
        let mut unit = unit(Family::P6)(lines);
        unit.config.virtual_wire = true;
        LocalApicUnit::new(unit.wiring, unit.config)
    });
    assert_eq!((get(&mut b, 0x350), get(&mut b, 0x360)), (0x700, 0x1_0000));
    b.input(pin::LINT0, true);
    assert!(intr(&b));
    set(&mut b, 0xF0, 0x1FF);
    assert!(intr(&b));
    assert_eq!(ack(&mut b), Acknowledge::External);
    set(&mut b, 0x350, 0x1_0700);
    assert!(!intr(&b));
}

#[test]
fn virtual_wire_mode_lets_the_8259a_through_and_nmis() {
    let mut b = enabled(Family::P6);
    set(&mut b, 0x350, 0x700);
    set(&mut b, 0x360, 0x400);
    b.input(pin::LINT0, true);
    assert!(intr(&b));
    assert_eq!(ack(&mut b), Acknowledge::External);
    assert!(intr(&b), "a level");
    b.input(pin::LINT0, false);
    assert!(!intr(&b));
    b.input(pin::LINT1, true);
    assert_eq!(pulses(&mut b, |w| w.nmi), 1);
    b.input(pin::LINT1, false);
    set(&mut b, 0x360, 0x1_0400);
    b.input(pin::LINT1, true);
    assert_eq!(pulses(&mut b, |w| w.nmi), 0);
}

#[test]
fn disabled_in_its_msr_the_pins_are_intr_and_nmi_and_the_page_is_gone() {
    let mut b = enabled(Family::Xapic);
    assert!(write_msr(&mut b, LapicRegister::Base, 0xFEE0_0100));
    assert_eq!(read_msr(&mut b, LapicRegister::Base), Some(0xFEE0_0100));
    assert_eq!(get(&mut b, 0x30), u32::MAX);
    b.input(pin::LINT0, true);
    assert!(intr(&b));
    assert_eq!(ack(&mut b), Acknowledge::External);
    b.input(pin::LINT1, true);
    assert_eq!(pulses(&mut b, |w| w.nmi), 1);
    assert_eq!(
        b.with(|d, _| d.rank(&message(ApicDelivery::Nmi, 0))),
        None,
        "it hears no messages"
    );
    // Enabled again it is as after reset.
    assert!(write_msr(&mut b, LapicRegister::Base, 0xFEE0_0900));
    assert_eq!(get(&mut b, 0xF0), 0xFF);
    assert!(!intr(&b));
    // The P6 family stays disabled until reset.
    let mut p6 = enabled(Family::P6);
    assert!(write_msr(&mut p6, LapicRegister::Base, 0xFEE0_0100));
    assert!(write_msr(&mut p6, LapicRegister::Base, 0xFEE0_0900));
    assert_eq!(read_msr(&mut p6, LapicRegister::Base), Some(0xFEE0_0100));
    p6.reset(ResetKind::Hard);
    assert_eq!(read_msr(&mut p6, LapicRegister::Base), Some(0xFEE0_0900));
}

#[test]
fn the_base_register_moves_the_page_and_refuses_reserved_bits() {
    let mut b = bench();
    assert!(write_msr(&mut b, LapicRegister::Base, 0xFEC1_0800));
    assert_eq!(
        read_msr(&mut b, LapicRegister::Base),
        Some(0xFEC1_0900),
        "BSP keeps what it is"
    );
    assert_eq!(b.mem_read(0xFEC1_0030, Width::Dword), 0x0005_0014);
    assert_eq!(b.mem_read(0xFEE0_0030, Width::Dword), 0xFFFF_FFFF);
    for bad in [1, 1 << 9, 1 << 10 | 1 << 11, 1 << 36] {
        assert!(!write_msr(&mut b, LapicRegister::Base, bad), "{bad:X}");
    }
    assert_eq!(read_msr(&mut b, LapicRegister::Base), Some(0xFEC1_0900));
}

#[test]
fn interrupts_are_delivered_by_priority_and_nest() {
    let mut b = enabled(Family::Xapic);
    for vector in [0x31, 0x52, 0x45] {
        fixed(&mut b, vector);
    }
    assert_eq!(get(&mut b, 0x210), 1 << 0x11);
    assert_eq!(get(&mut b, 0x220), 1 << 0x12 | 1 << 5);
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x52));
    assert_eq!(get(&mut b, 0xA0), 0x50);
    assert!(!intr(&b), "lower ones wait");
    fixed(&mut b, 0x5F);
    assert!(!intr(&b), "the same class waits");
    fixed(&mut b, 0x60);
    assert!(intr(&b));
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x60));
    assert_eq!(get(&mut b, 0x120), 1 << 0x12);
    assert_eq!(get(&mut b, 0x130), 1);
    set(&mut b, 0xB0, 0);
    assert_eq!(get(&mut b, 0xA0), 0x50);
    assert!(!intr(&b));
    set(&mut b, 0xB0, 0);
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x5F));
    set(&mut b, 0xB0, 0);
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x45));
    set(&mut b, 0xB0, 0);
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x31));
    set(&mut b, 0xB0, 0);
    assert_eq!(get(&mut b, 0xA0), 0);
    assert_eq!(b.take_apic_cycles(), [], "edges have no broadcast");
}

#[test]
fn the_task_priority_holds_back_its_class_and_lower_ones() {
    let mut b = enabled(Family::Xapic);
    set(&mut b, 0x80, 0x45);
    fixed(&mut b, 0x4F);
    assert!(!intr(&b));
    assert_eq!(get(&mut b, 0xA0), 0x45);
    assert_eq!(get(&mut b, 0x90), 0x45);
    set(&mut b, 0x80, 0x3F);
    assert!(intr(&b));
    assert_eq!(get(&mut b, 0x90), 0x40);
    // CR8 is its upper half.
    assert_eq!(read_msr(&mut b, LapicRegister::Cr8), Some(3));
    assert!(write_msr(&mut b, LapicRegister::Cr8, 4));
    assert_eq!(get(&mut b, 0x80), 0x40);
    assert!(!intr(&b));
    assert!(!write_msr(&mut b, LapicRegister::Cr8, 16));
    // A request that has gone meanwhile leaves the spurious vector, and nothing in service.
    assert_eq!(ack(&mut b), Acknowledge::Vector(0xFF));
    assert_eq!(get(&mut b, 0xA0), 0x40);
    // In the P6 family its low four bits are wired to ones.
    let mut p6 = enabled(Family::P6);
    set(&mut p6, 0xF0, 0x1C0);
    assert_eq!(get(&mut p6, 0xF0), 0x1CF);
}

#[test]
fn the_end_of_a_level_triggered_interrupt_is_broadcast() {
    let mut b = enabled(Family::Xapic);
    let level = ApicMessage {
        level: true,
        ..message(ApicDelivery::Fixed, 0x61)
    };
    assert!(receive(&mut b, level));
    assert_eq!(get(&mut b, 0x1B0), 2);
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x61));
    assert_eq!(b.take_apic_cycles(), []);
    set(&mut b, 0xB0, 0);
    assert_eq!(b.take_apic_cycles(), [ApicCycle::EndOfInterrupt(0x61)]);
    // An end with nothing in service is nothing.
    set(&mut b, 0xB0, 0);
    assert_eq!(b.take_apic_cycles(), []);
    // The trigger mode is the last request's.
    fixed(&mut b, 0x61);
    assert_eq!(get(&mut b, 0x1B0), 0);
}

#[test]
fn a_lint_pin_can_be_a_fixed_interrupt_by_edge_or_level_of_either_polarity() {
    let mut b = enabled(Family::Xapic);
    set(&mut b, 0x350, 0x41);
    b.input(pin::LINT0, true);
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x41));
    set(&mut b, 0xB0, 0);
    assert!(!intr(&b), "an edge counts once");
    // Active low, level triggered: high is at rest.
    set(&mut b, 0x360, 0xA042);
    b.input(pin::LINT1, true);
    b.input(pin::LINT1, false);
    assert_eq!(get(&mut b, 0x360), 0xE042, "remote IRR");
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x42));
    set(&mut b, 0xB0, 0);
    assert!(intr(&b), "the level is still there");
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x42));
    b.input(pin::LINT1, true);
    set(&mut b, 0xB0, 0);
    assert_eq!(get(&mut b, 0x360), 0xA042);
    assert!(!intr(&b));
}

#[test]
fn messages_other_than_interrupts_reach_the_core_even_if_software_has_disabled_it() {
    let mut b = bench();
    for delivery in [
        ApicDelivery::Nmi,
        ApicDelivery::Smi,
        ApicDelivery::Init,
        ApicDelivery::Startup,
    ] {
        assert!(receive(&mut b, message(delivery, 0)));
    }
    assert_eq!(pulses(&mut b, |w| w.nmi), 1);
    assert_eq!(pulses(&mut b, |w| w.smi), 1);
    assert_eq!(pulses(&mut b, |w| w.init), 1);
    for delivery in [ApicDelivery::Fixed, ApicDelivery::ExtInt] {
        assert!(!receive(&mut b, message(delivery, 0x40)));
    }
    let lowest = message(ApicDelivery::LowestPriority, 0x40);
    assert_eq!(b.with(|d, _| d.rank(&lowest)), None);
    set(&mut b, 0xF0, 0x1FF);
    assert!(receive(&mut b, message(ApicDelivery::ExtInt, 0)));
    assert!(intr(&b));
    assert_eq!(ack(&mut b), Acknowledge::External);
    assert!(!intr(&b), "a message is acknowledged once");
}

#[test]
fn disabling_by_software_masks_the_lvt_and_keeps_what_is_pending() {
    let mut b = enabled(Family::Xapic);
    set(&mut b, 0x320, 0x40);
    fixed(&mut b, 0x50);
    set(&mut b, 0xF0, 0xFF);
    assert_eq!(get(&mut b, 0x320), 0x1_0040);
    assert!(intr(&b));
    set(&mut b, 0xF0, 0x1FF);
    assert_eq!(
        get(&mut b, 0x320),
        0x1_0040,
        "software unmasks, not enabling"
    );
}

#[test]
fn vectors_below_16_are_errors() {
    let mut b = enabled(Family::Xapic);
    set(&mut b, 0x370, 0xFE);
    assert!(!receive(&mut b, message(ApicDelivery::Fixed, 15)));
    assert_eq!(
        get(&mut b, 0x280),
        0,
        "until it is written it shows nothing"
    );
    set(&mut b, 0x280, 0);
    assert_eq!(get(&mut b, 0x280), 0x40);
    assert_eq!(ack(&mut b), Acknowledge::Vector(0xFE));
    set(&mut b, 0xB0, 0);
    set(&mut b, 0x300, 0x4_000E);
    set(&mut b, 0x280, 0);
    assert_eq!(get(&mut b, 0x280), 0x20);
    // A register that is not there.
    get(&mut b, 0x40);
    set(&mut b, 0x3F0, 1);
    get(&mut b, 0xFF0);
    set(&mut b, 0x280, 0);
    assert_eq!(get(&mut b, 0x280), 0x80);
    set(&mut b, 0x280, 0);
    assert_eq!(get(&mut b, 0x280), 0);
    // An error vector that is one itself does not go round in circles.
    set(&mut b, 0x370, 3);
    get(&mut b, 0x40);
    set(&mut b, 0x280, 0);
    assert_eq!(get(&mut b, 0x280), 0xC0);
}

#[test]
fn only_the_p6_family_reports_a_message_that_nobody_accepted() {
    for (family, expected) in [(Family::P6, 4), (Family::Xapic, 0)] {
        let mut b = enabled(family);
        b.with(|d, cx| d.sent(0, false, cx));
        set(&mut b, 0x280, 0);
        assert_eq!(get(&mut b, 0x280), expected);
    }
}

#[test]
fn commands_go_to_whom_they_name() {
    let mut b = enabled(Family::Xapic);
    let mut command = |high: u32, low: u32| {
        set(&mut b, 0x310, high);
        set(&mut b, 0x300, low);
        b.take_apic_cycles()
    };
    let sent = |destination, delivery, vector| {
        vec![ApicCycle::Interrupt(ApicMessage {
            destination,
            delivery,
            vector,
            level: false,
            tag: 0,
        })]
    };
    use {ApicDelivery as D, ApicDestination as To};
    assert_eq!(
        command(0x0200_0000, 0x4041),
        sent(To::Physical(2), D::Fixed, 0x41)
    );
    assert_eq!(
        command(0x0300_0000, 0x4942),
        sent(To::Logical(3), D::LowestPriority, 0x42)
    );
    assert_eq!(command(0xFF00_0000, 0x4400), sent(To::All, D::Nmi, 0));
    assert_eq!(command(0, 0x8_4200), sent(To::All, D::Smi, 0));
    assert_eq!(command(0, 0xC_C500), sent(To::Others, D::Init, 0));
    assert_eq!(command(0, 0xC_8500), [], "INIT level de-assert");
    assert_eq!(command(0, 0xC_4699), sent(To::Others, D::Startup, 0x99));
    for reserved in [0x300, 0x700] {
        assert_eq!(command(0, reserved | 0x40), []);
    }
    // To itself.
    assert_eq!(command(0, 0x4_4050), []);
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x50));
    assert_eq!(get(&mut b, 0x300), 0x4_4050, "idle at once");
    // IDs of the APIC bus have four bits.
    let mut p6 = enabled(Family::P6);
    set(&mut p6, 0x310, 0x0F00_0000);
    set(&mut p6, 0x300, 0x4041);
    assert_eq!(p6.take_apic_cycles(), sent(To::All, D::Fixed, 0x41));
}

#[test]
fn logical_destinations_are_flat_or_clusters() {
    let mut b = enabled(Family::Xapic);
    let addressed = |b: &mut B, to| {
        let m = ApicMessage {
            destination: ApicDestination::Logical(to),
            ..message(ApicDelivery::Fixed, 0x40)
        };
        b.with(|d, _| d.rank(&m)).is_some()
    };
    set(&mut b, 0xD0, 0x2400_0000);
    for (to, expected) in [(0x04, true), (0x20, true), (0xFF, true), (0xDB, false)] {
        assert_eq!(addressed(&mut b, to), expected, "flat {to:X}");
    }
    set(&mut b, 0xE0, 0x0FFF_FFFF);
    for (to, expected) in [
        (0x24, true),
        (0x2F, true),
        (0x2B, false),
        (0x34, false),
        (0xF4, true),
        (0xFF, true),
    ] {
        assert_eq!(addressed(&mut b, to), expected, "cluster {to:X}");
    }
    // Of several the least busy one gets an interrupt of lowest priority; the one that has it already comes first.
    set(&mut b, 0x80, 0x70);
    let lowest = message(ApicDelivery::LowestPriority, 0x40);
    assert_eq!(b.with(|d, _| d.rank(&lowest)), Some(0x70));
    fixed(&mut b, 0x40);
    assert_eq!(b.with(|d, _| d.rank(&lowest)), Some(0));
    set(&mut b, 0xF0, 0x3FF);
    assert_eq!(b.with(|d, _| d.rank(&lowest)), Some(0x70));
}

#[test]
fn the_timer_counts_down_once_at_its_divided_clock() {
    let mut b = enabled(Family::Xapic);
    // 100 MHz by 16 (configuration 0011b): 160 ns a tick.
    set(&mut b, 0x3E0, 0b0011);
    set(&mut b, 0x320, 0x40);
    set(&mut b, 0x380, 1000);
    assert_eq!(b.armed(TIMER), Some(VirtTime::from_ns(160_000)));
    b.advance_ns(159);
    assert_eq!(get(&mut b, 0x390), 1000);
    b.advance_ns(1);
    assert_eq!(get(&mut b, 0x390), 999);
    b.advance_ns(160_000 - 160 - 1);
    assert_eq!(get(&mut b, 0x390), 1);
    assert!(!intr(&b));
    b.advance_ns(1);
    assert_eq!(get(&mut b, 0x390), 0);
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x40));
    b.advance_ns(10_000_000);
    assert!(!intr(&b), "once");
    assert_eq!(get(&mut b, 0x380), 1000);
    // All divisors.
    for (configuration, divisor) in [
        (0b0000, 2),
        (0b0001, 4),
        (0b0010, 8),
        (0b0011, 16),
        (0b1000, 32),
        (0b1001, 64),
        (0b1010, 128),
        (0b1011, 1),
    ] {
        set(&mut b, 0x3E0, configuration);
        set(&mut b, 0x380, 100);
        b.advance_ns(10 * divisor);
        assert_eq!(get(&mut b, 0x390), 99, "{configuration:b}");
    }
}

#[test]
fn the_timer_repeats_without_drift() {
    let mut b = enabled(Family::Xapic);
    set(&mut b, 0x3E0, 0b1011);
    set(&mut b, 0x320, 0x2_0040);
    set(&mut b, 0x380, 250);
    for n in 1..=1000u64 {
        assert_eq!(b.armed(TIMER), Some(VirtTime::from_ns(2500 * n)));
        b.advance_ns(2500);
        assert_eq!(get(&mut b, 0x390), 250);
        assert_eq!(ack(&mut b), Acknowledge::Vector(0x40));
        set(&mut b, 0xB0, 0);
    }
    // Masked, it counts on, and nobody is told.
    b.advance_ns(1000);
    set(&mut b, 0x320, 0x3_0040);
    assert_eq!(b.armed(TIMER), None);
    assert_eq!(get(&mut b, 0x390), 150);
    b.advance_ns(2500);
    assert_eq!(get(&mut b, 0x390), 150);
    // One shot from here: what is left is counted.
    set(&mut b, 0x320, 0x40);
    b.advance_ns(1499);
    assert!(!intr(&b));
    b.advance_ns(1);
    assert!(intr(&b));
    assert_eq!(b.armed(TIMER), None);
    // 0 stops it.
    set(&mut b, 0x320, 0x2_0040);
    set(&mut b, 0x380, 10);
    set(&mut b, 0x380, 0);
    assert_eq!((b.armed(TIMER), get(&mut b, 0x390)), (None, 0));
}

#[test]
fn the_timer_can_wait_for_the_time_stamp_counter() {
    let mut b = enabled(Family::X2apic);
    let deadline = |b: &mut B, cycle, ns| {
        b.with(|d, cx| {
            let at = VirtTime::from_ns(ns);
            LocalApic::write(d, LapicRegister::TscDeadline, cycle, at, cx)
        })
    };
    assert!(deadline(&mut b, 500, 900));
    assert_eq!(
        read_msr(&mut b, LapicRegister::TscDeadline),
        Some(0),
        "in another mode a write is ignored"
    );
    set(&mut b, 0x320, 0x4_0040);
    assert!(deadline(&mut b, 500, 900));
    assert_eq!(read_msr(&mut b, LapicRegister::TscDeadline), Some(500));
    set(&mut b, 0x380, 7);
    assert_eq!((get(&mut b, 0x380), get(&mut b, 0x390)), (0, 0));
    b.advance_ns(899);
    assert!(!intr(&b));
    b.advance_ns(1);
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x40));
    assert_eq!(read_msr(&mut b, LapicRegister::TscDeadline), Some(0));
    assert!(deadline(&mut b, 1, 0), "in the past: at once");
    b.advance_ns(0);
    assert_eq!(get(&mut b, 0x220), 1);
    assert!(deadline(&mut b, 900, 5000));
    assert!(deadline(&mut b, 0, 0));
    assert_eq!(b.armed(TIMER), None);
    // Without the feature there is no such register.
    let mut p6 = enabled(Family::P6);
    assert_eq!(read_msr(&mut p6, LapicRegister::TscDeadline), None);
    assert!(!deadline(&mut p6, 1, 1));
}

#[test]
fn init_keeps_the_id_and_the_base() {
    let mut b = enabled(Family::Xapic);
    set(&mut b, 0x20, 0x0500_0000);
    set(&mut b, 0x350, 0x700);
    set(&mut b, 0x320, 0x40);
    set(&mut b, 0x380, 100);
    fixed(&mut b, 0x50);
    b.input(pin::LINT0, true);
    b.reset(ResetKind::Init);
    assert_eq!(get(&mut b, 0x20), 0x0500_0000);
    assert_eq!((get(&mut b, 0xF0), get(&mut b, 0x350)), (0xFF, 0x1_0000));
    assert_eq!(b.armed(TIMER), None);
    assert!(!intr(&b));
    b.reset(ResetKind::Hard);
    assert_eq!(get(&mut b, 0x20), 0);
}

#[test]
fn x2apic_mode_has_its_registers_in_msrs_and_refuses_what_is_reserved() {
    let mut b = enabled(Family::X2apic);
    let msr = |n: u8| LapicRegister::X2apic(n);
    assert_eq!(read_msr(&mut b, msr(2)), None, "not in xAPIC mode");
    // The ways between the modes.
    assert!(write_msr(&mut b, LapicRegister::Base, 0xFEE0_0D00));
    assert!(!write_msr(&mut b, LapicRegister::Base, 0xFEE0_0900));
    assert!(!write_msr(&mut b, LapicRegister::Base, 0xFEE0_0500));
    assert_eq!(get(&mut b, 0x30), u32::MAX, "the page is gone");
    for (n, value) in [
        (0x02, Some(0)),
        (0x03, Some(0x0106_0015)),
        (0x0D, Some(1)),
        (0x0F, Some(0x1FF)),
        (0x09, None),
        (0x0B, None),
        (0x0C, None),
        (0x0E, None),
        (0x2F, Some(0x1_0000)),
        (0x31, None),
        (0x3F, None),
        (0x40, None),
    ] {
        assert_eq!(read_msr(&mut b, msr(n)), value, "{n:X}h");
    }
    for (n, bad) in [
        (0x02, 0),
        (0x03, 0),
        (0x08, 0x100),
        (0x0B, 1),
        (0x0D, 0),
        (0x0F, 0x400),
        (0x28, 1),
        (0x30, 0x1000),
        (0x32, 0x8_0000),
        (0x38, 1 << 32),
        (0x39, 0),
        (0x3E, 4),
        (0x3F, 0x100),
    ] {
        assert!(!write_msr(&mut b, msr(n), bad), "{n:X}h");
    }
    // 64 bits of command at once.
    assert!(write_msr(&mut b, msr(0x30), 0x0001_0002_0000_4841));
    assert_eq!(read_msr(&mut b, msr(0x30)), Some(0x0001_0002_0000_4841));
    let to = |destination| {
        let m = message(ApicDelivery::Fixed, 0x41);
        ApicCycle::Interrupt(ApicMessage { destination, ..m })
    };
    assert_eq!(
        b.take_apic_cycles(),
        [to(ApicDestination::Logical(0x0001_0002))]
    );
    assert!(write_msr(&mut b, msr(0x30), 0xFFFF_FFFF_0000_4041));
    assert_eq!(b.take_apic_cycles(), [to(ApicDestination::All)]);
    assert!(write_msr(&mut b, msr(0x3F), 0x77));
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x77));
    assert_eq!(read_msr(&mut b, msr(0x13)), Some(1 << 0x17));
    assert!(write_msr(&mut b, msr(0x0B), 0));
    assert_eq!(read_msr(&mut b, msr(0x13)), Some(0));
    // With broadcasts suppressed the end of a level stays here.
    assert!(write_msr(&mut b, msr(0x0F), 0x11FF));
    let level = ApicMessage {
        level: true,
        ..message(ApicDelivery::Fixed, 0x61)
    };
    assert!(receive(&mut b, level));
    ack(&mut b);
    assert!(write_msr(&mut b, msr(0x0B), 0));
    assert_eq!(b.take_apic_cycles(), []);
    assert!(write_msr(&mut b, LapicRegister::Base, 0xFEE0_0100));
    assert!(!write_msr(&mut b, LapicRegister::Base, 0xFEE0_0D00));
}

#[test]
fn counters_and_the_thermal_sensor_have_entries_of_their_own() {
    let mut b = enabled(Family::Xapic);
    set(&mut b, 0x340, 0x400);
    set(&mut b, 0x330, 0x48);
    b.input(pin::PERFORMANCE, true);
    assert_eq!(pulses(&mut b, |w| w.nmi), 1);
    b.input(pin::THERMAL, true);
    assert_eq!(ack(&mut b), Acknowledge::Vector(0x48));
    set(&mut b, 0x340, 0x200);
    b.input(pin::PERFORMANCE, true);
    assert_eq!(pulses(&mut b, |w| w.smi), 1);
    set(&mut b, 0x340, 0x500);
    b.input(pin::PERFORMANCE, true);
    assert_eq!(pulses(&mut b, |w| w.init), 1);
}

#[test]
fn an_interrupt_of_the_counters_masks_its_entry_but_not_on_the_p6() {
    for (family, masked) in [(Family::Xapic, true), (Family::P6, false)] {
        let mut b = enabled(family);
        set(&mut b, 0x340, 0x400);
        b.input(pin::PERFORMANCE, true);
        b.input(pin::PERFORMANCE, false);
        assert_eq!(pulses(&mut b, |w| w.nmi), 1);
        assert_eq!(get(&mut b, 0x340), if masked { 0x1_0400 } else { 0x400 });
        b.input(pin::PERFORMANCE, true);
        assert_eq!(pulses(&mut b, |w| w.nmi), if masked { 0 } else { 1 });
    }
}
