use super::*;
use emu_core::testkit::{Bench, Lines, conformance, golden};

const PM_BASE: u16 = 0xB000;
const SMB_BASE: u16 = 0xB100;

fn function(lines: &mut Lines<'_>) -> Piix4Pm {
    Piix4Pm::new(Wiring {
        sci: lines.line("SCI"),
        smi: lines.line("SMI"),
        smbus: lines.line("SMBus"),
    })
}

fn set(b: &mut Bench<Piix4Pm>, offset: u8, width: Width, value: u32) {
    b.with(|d, cx| d.config_write(offset, width, value, cx));
}

fn get(b: &mut Bench<Piix4Pm>, offset: u8, width: Width) -> u32 {
    b.with(|d, cx| d.config_read(offset, width, cx))
}

/// A function whose I/O spaces are open.
fn bench() -> Bench<Piix4Pm> {
    let mut b = Bench::new(function);
    set(&mut b, 0x40, Width::Dword, PM_BASE.into());
    set(&mut b, 0x80, Width::Byte, 1);
    set(&mut b, 0x90, Width::Dword, SMB_BASE.into());
    set(&mut b, 0xD2, Width::Byte, 0x09);
    set(&mut b, 0x04, Width::Word, 1);
    b
}

fn pm(offset: u16) -> u16 {
    PM_BASE + offset
}

#[test]
fn it_keeps_the_laws_of_devices() {
    conformance(function);
}

#[test]
fn the_header_and_the_defaults_are_those_of_the_datasheet() {
    let mut b = Bench::new(function);
    for (offset, value) in [
        (0x00, 0x7113_8086),
        (0x04, 0x0280_0000),
        (0x08, 0x0680_0000),
        (0x3C, 0x0000_0100),
        (0x40, 0x0000_0001),
        (0x80, 0x0000_0000),
        (0x90, 0x0000_0001),
    ] {
        assert_eq!(get(&mut b, offset, Width::Dword), value, "{offset:X}h");
    }
    set(&mut b, 0x40, Width::Dword, 0xFFFF_FFFF);
    set(&mut b, 0x90, Width::Dword, 0xFFFF_FFFF);
    assert_eq!(get(&mut b, 0x40, Width::Dword), 0xFFC1);
    assert_eq!(get(&mut b, 0x90, Width::Dword), 0xFFF1);
}

#[test]
fn the_io_spaces_open_by_their_own_enables() {
    let mut b = Bench::new(function);
    set(&mut b, 0x40, Width::Dword, PM_BASE.into());
    assert_eq!(b.read(pm(0x34), Width::Dword), 0xFFFF_FFFF);
    set(&mut b, 0x80, Width::Byte, 1);
    assert_eq!(b.read(pm(0x34), Width::Dword), 0x7FFF_BFFF);
    set(&mut b, 0x90, Width::Dword, SMB_BASE.into());
    set(&mut b, 0xD2, Width::Byte, 1);
    assert_eq!(b.inb(SMB_BASE), 0xFF);
    set(&mut b, 0x04, Width::Word, 1);
    assert_eq!(b.inb(SMB_BASE), 0x00);
}

#[test]
fn the_timer_counts_24_bits_at_3_579545_mhz() {
    let mut b = bench();
    assert_eq!(b.read(pm(8), Width::Dword), 0);
    b.advance_ns(1_000_000_000);
    assert_eq!(b.read(pm(8), Width::Dword), 3_579_545);
    b.advance_ns(9_000_000_000);
    // 35,795,454.5 clocks after ten seconds.
    assert_eq!(b.read(pm(8), Width::Dword), 35_795_454 & 0x00FF_FFFF);
    b.write(pm(8), Width::Dword, 0);
    assert_eq!(b.read(pm(8), Width::Dword), 35_795_454 & 0x00FF_FFFF);
}

#[test]
fn a_change_of_the_timers_highest_bit_raises_sci() {
    let mut b = bench();
    let sci = b.device.wiring.sci;
    b.write(pm(4), Width::Word, 0x0001);
    b.write(pm(2), Width::Word, 0x0001);
    // 2^23 clocks of 88/315 microseconds.
    let half = (8_388_608u64 * 88 * 1000).div_ceil(315);
    b.advance_ns(half - 1);
    assert_eq!((b.level(sci), b.read(pm(0), Width::Word)), (false, 0));
    b.advance_ns(1);
    assert_eq!((b.level(sci), b.read(pm(0), Width::Word)), (true, 1));
    b.write(pm(0), Width::Word, 0x0001);
    assert_eq!((b.level(sci), b.read(pm(0), Width::Word)), (false, 0));
    b.advance_ns(half);
    assert!(b.level(sci));
}

#[test]
fn the_status_follows_the_timer_even_when_nothing_is_enabled() {
    let mut b = bench();
    b.advance_ns(2_400_000_000);
    assert_eq!(b.read(pm(0), Width::Word), 1);
}

#[test]
fn the_power_button_sets_its_status_and_raises_sci_when_enabled() {
    let mut b = bench();
    let sci = b.device.wiring.sci;
    b.write(pm(4), Width::Word, 0x0001);
    b.with(|d, cx| HostInput::host_input(d, HostEvent::PowerButton, cx));
    assert_eq!(b.read(pm(0), Width::Word), 0x0100);
    assert!(!b.level(sci));
    b.write(pm(2), Width::Word, 0x0100);
    assert!(b.level(sci));
    b.write(pm(0), Width::Word, 0x0100);
    assert!(!b.level(sci));
}

#[test]
fn events_request_an_smi_while_sci_is_not_enabled() {
    let mut b = bench();
    let smi = b.device.wiring.smi;
    b.write(pm(2), Width::Word, 0x0400);
    b.input(pin::RTC, true);
    assert_eq!(b.take_edges(smi).len(), 0, "SMI_EN is clear");
    b.write(pm(0), Width::Word, 0xFFFF);
    b.write(pm(0x28), Width::Dword, 1);
    b.input(pin::RTC, true);
    assert_eq!(b.take_edges(smi).len(), 2);
    assert_eq!(b.read(pm(0x18), Width::Word), 0x0040, "PM1_STS");
}

#[test]
fn soft_off_switches_the_power_off_and_other_suspend_types_do_not() {
    let mut b = bench();
    b.take_requests();
    for kind in 1..8 {
        b.write(pm(4), Width::Word, (kind << 10) | 0x2000);
        assert!(!b.take_requests().power_off, "type {kind}");
        assert_eq!(b.read(pm(4), Width::Word), kind << 10);
    }
    b.write(pm(4), Width::Word, 0x2000);
    assert!(b.take_requests().power_off);
}

#[test]
fn a_write_to_apmc_requests_an_smi_when_both_enables_are_set() {
    let mut b = bench();
    let smi = b.device.wiring.smi;
    let apmc = |b: &mut Bench<Piix4Pm>| {
        b.input(pin::APMC, true);
        b.input(pin::APMC, false);
        (b.take_edges(smi).len(), b.read(pm(0x18), Width::Word))
    };
    assert_eq!(apmc(&mut b), (0, 0));
    set(&mut b, 0x5B, Width::Byte, 0x02);
    assert_eq!(apmc(&mut b), (0, 0x0020));
    b.write(pm(0x28), Width::Dword, 0x0000_0001);
    assert_eq!(apmc(&mut b), (2, 0x0020));
    b.write(pm(0x18), Width::Word, 0x0020);
    assert_eq!(b.read(pm(0x18), Width::Word), 0);
}

#[test]
fn the_global_lock_bits_call_the_other_side() {
    let mut b = bench();
    let (sci, smi) = (b.device.wiring.sci, b.device.wiring.smi);
    b.write(pm(4), Width::Word, 1);
    b.write(pm(2), Width::Word, 0x0020);
    b.write(pm(0x28), Width::Dword, 0x0000_0003);
    assert!(b.level(sci));
    assert_eq!(b.read(pm(0), Width::Word), 0x0020);
    assert_eq!(b.read(pm(0x28), Width::Dword), 1, "BIOS_RLS is write only");
    b.write(pm(0x20), Width::Word, 0x0002);
    b.take_edges(smi);
    b.write(pm(4), Width::Word, 0x0005);
    assert_eq!(b.take_edges(smi).len(), 2);
    assert_eq!(b.read(pm(0x18), Width::Word) & 1, 1);
}

#[test]
fn general_purpose_events_raise_sci() {
    let mut b = bench();
    let sci = b.device.wiring.sci;
    b.write(pm(4), Width::Word, 1);
    b.write(pm(0xE), Width::Word, 0xFFFF);
    assert_eq!(b.read(pm(0xE), Width::Word), 0x0F01);
    for (pin, bit) in [
        (pin::THERMAL, 0),
        (pin::USB, 8),
        (pin::GENERAL_PURPOSE, 9),
        (pin::RING, 10),
        (pin::LID, 11),
    ] {
        b.input(pin, true);
        assert_eq!(b.read(pm(0xC), Width::Word), 1 << bit);
        assert!(b.level(sci));
        b.write(pm(0xC), Width::Word, 1 << bit);
        assert!(!b.level(sci));
    }
}

#[test]
fn an_smbus_address_that_nobody_acknowledges_ends_with_a_device_error() {
    let mut b = bench();
    let line = b.device.wiring.smbus;
    b.outb(SMB_BASE + 4, 0xA1);
    b.outb(SMB_BASE + 2, 0x49);
    assert_eq!((b.inb(SMB_BASE), b.inb(SMB_BASE + 2)), (0x01, 0x09));
    b.advance_ns(11 * 62_500 - 1);
    assert_eq!(b.inb(SMB_BASE), 0x01);
    b.advance_ns(1);
    assert_eq!(b.inb(SMB_BASE), 0x04);
    assert!(b.level(line));
    b.outb(SMB_BASE + 2, 0x49);
    assert_eq!(b.inb(SMB_BASE), 0x04, "status must be cleared first");
    b.outb(SMB_BASE, 0x1E);
    assert!(!b.level(line));
    b.outb(SMB_BASE + 2, 0x49);
    assert_eq!(b.inb(SMB_BASE), 0x01);
    b.outb(SMB_BASE + 2, 0x02);
    assert_eq!(b.inb(SMB_BASE), 0x10, "killed");
    b.advance_ns(1_000_000);
    assert_eq!(b.inb(SMB_BASE), 0x10);
}

#[test]
fn a_protocol_that_does_not_exist_is_a_device_error_at_once() {
    let mut b = bench();
    b.outb(SMB_BASE + 2, 0x40 | (6 << 2));
    assert_eq!(b.inb(SMB_BASE), 0x04);
}

#[test]
fn block_data_is_an_array_whose_index_host_control_resets() {
    let mut b = bench();
    b.inb(SMB_BASE + 2);
    for i in 0..33 {
        b.outb(SMB_BASE + 7, i);
    }
    b.inb(SMB_BASE + 2);
    assert_eq!((b.inb(SMB_BASE + 7), b.inb(SMB_BASE + 7)), (32, 1));
}

#[test]
fn smm_can_be_claimed_before_firmware_comes_to_it() {
    let mut b = Bench::new(|lines| function(lines).with_smm_claimed());
    assert_eq!(get(&mut b, 0x5B, Width::Byte), 0x02);
}

#[test]
fn a_board_can_have_smi_enabled_from_reset_on() {
    let mut b = Bench::new(|lines| function(lines).with_smi_enabled());
    set(&mut b, 0x5B, Width::Byte, 0x02);
    let smi = b.device.wiring.smi;
    b.input(pin::APMC, true);
    assert_eq!(b.take_edges(smi).len(), 2);
    set(&mut b, 0x40, Width::Dword, PM_BASE.into());
    set(&mut b, 0x80, Width::Byte, 1);
    assert_eq!(b.read(pm(0x28), Width::Dword), 1);
    b.write(pm(0x28), Width::Dword, 0);
    b.input(pin::APMC, false);
    b.input(pin::APMC, true);
    assert_eq!(b.take_edges(smi).len(), 0);
}

#[test]
fn a_state_saved_by_version_1_still_loads() {
    golden(
        function,
        concat!(env!("CARGO_MANIFEST_DIR"), "/src/piix4_pm"),
    );
}
