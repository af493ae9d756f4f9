//! Disks behind a PIIX3 on the primary channel.

use super::*;
use crate::piix3_ide::tests::{BAD_READ, BAD_WRITE, Rig, Shared, unit};

fn words(bytes: &[u8]) -> Vec<u16> {
    bytes
        .chunks_exact(2)
        .map(|p| u16::from_le_bytes([p[0], p[1]]))
        .collect()
}

fn identify(rig: &mut Rig) -> Vec<u16> {
    identify_device(rig, 0xA0)
}

fn identify_device(rig: &mut Rig, device: u8) -> Vec<u16> {
    rig.bench.outb(0x1F6, device);
    rig.command(0xEC);
    assert_eq!(rig.wait(), 0x58);
    assert_eq!(rig.acknowledge(), 0x58);
    let b = rig.read_block(512);
    assert_eq!(rig.wait(), 0x50);
    assert_eq!(b.iter().fold(0u8, |a, x| a.wrapping_add(*x)), 0, "checksum");
    words(&b)
}

#[test]
fn identify_device_tells_geometry_capacity_and_features() {
    let (mut rig, _) = Rig::disk(20160);
    let w = identify(&mut rig);
    assert_eq!(w[0], 0x0040);
    assert_eq!((w[1], w[3], w[6]), (20, 16, 63));
    let text = |from: usize, to: usize| -> String {
        w[from..=to]
            .iter()
            .flat_map(|x| x.to_be_bytes().map(char::from))
            .collect()
    };
    assert_eq!(text(27, 46), format!("{:40}", "BOXWOOD HARDDISK"));
    assert_eq!(text(10, 19), format!("{:20}", "BW0001"));
    assert_eq!(w[47], 0x8010);
    assert_eq!(w[49] & 0x0300, 0x0300, "LBA and DMA");
    assert_eq!(u32::from(w[60]) | (u32::from(w[61]) << 16), 20160);
    assert_eq!(w[63], 0x0407);
    assert_eq!(w[80], 0x007E);
    assert_eq!(w[83] & 0xC400, 0x4400, "48 bits");
    assert_eq!(w[82] & 1, 1, "SMART");
    assert_eq!(w[82] & 2, 0, "no security");
    assert_eq!((w[100], w[101], w[102], w[103]), (20160, 0, 0, 0));
    assert_eq!(w[128], 0);
    assert_eq!(w[255] & 0xFF, 0xA5);
}

#[test]
fn after_a_reset_the_signature_of_a_disk_stands_in_the_registers() {
    let (mut rig, _) = Rig::disk(100);
    for srst in [false, true] {
        if srst {
            rig.lba28(0x0123_4567, 0x89);
            rig.bench.outb(0x3F6, 4);
            assert_eq!(rig.bench.inb(0x3F6), 0x80);
            rig.bench.outb(0x3F6, 0);
            assert_eq!(rig.bench.inb(0x1F7), 0x80);
            rig.bench.advance_ns(RESET_NS);
        }
        assert_eq!(rig.bench.inb(0x1F7), 0x50);
        let regs: Vec<u8> = (0x1F1..=0x1F6).map(|p| rig.bench.inb(p)).collect();
        assert_eq!(regs, [1, 1, 1, 0, 0, 0]);
        assert!(!rig.bench.level(rig.irqs[0]), "a reset does not interrupt");
    }
}

#[test]
fn execute_device_diagnostic_interrupts_and_selects_device_0() {
    let (mut rig, _) = Rig::disk(100);
    rig.bench.outb(0x1F6, 0xB0);
    rig.command(0x90);
    assert_eq!(rig.wait(), 0x50);
    assert_eq!(rig.acknowledge(), 0x50);
    assert_eq!(rig.bench.inb(0x1F1), 0x01);
    assert_eq!(rig.bench.inb(0x1F6), 0x00);
}

#[test]
fn device_0_answers_with_status_0_for_an_absent_device_1() {
    let (mut rig, _) = Rig::disk(100);
    rig.bench.outb(0x1F6, 0xB0);
    assert_eq!(rig.bench.inb(0x1F7), 0);
    assert_eq!(rig.bench.inb(0x3F6), 0);
    rig.bench.outb(0x1F2, 0x55);
    assert_eq!(rig.bench.inb(0x1F2), 0x55, "device 0's register");
    rig.command(0xEC);
    assert_eq!(rig.bench.inb(0x1F7), 0, "nobody executes it");
    assert!(!rig.bench.run_to_next_timer());
    rig.bench.outb(0x1F6, 0xA0);
    assert_eq!(rig.bench.inb(0x1F7), 0x50);
}

#[test]
fn a_cable_without_devices_floats() {
    let (mut rig, _) = Rig::disk(100);
    for port in 0x171..=0x177 {
        assert_eq!(rig.bench.inb(port), 0x7F);
    }
    assert_eq!(rig.bench.inb(0x376), 0x7F);
    assert_eq!(rig.bench.read(0x170, Width::Word), 0xFFFF);
}

#[test]
fn two_devices_keep_apart() {
    let (a, b) = (Shared::new(100, false), Shared::new(200, false));
    let mut rig = Rig::new([Some(unit(&a)), Some(unit(&b))], [None, None]);
    rig.lba28(3, 1);
    rig.bench.outb(0x1F6, 0xF0);
    rig.command(0x20);
    assert_eq!(rig.wait(), 0x58);
    assert!(rig.bench.level(rig.irqs[0]));
    rig.bench.outb(0x1F6, 0xE0);
    assert!(
        !rig.bench.level(rig.irqs[0]),
        "device 1's interrupt, device 0 selected"
    );
    assert_eq!(rig.bench.inb(0x1F7), 0x50);
    rig.bench.outb(0x1F6, 0xF0);
    assert_eq!(rig.acknowledge(), 0x58);
    assert_eq!(rig.read_block(512), b.sectors_at(3, 1));
}

#[test]
fn identify_word_93_tells_which_device_it_is() {
    let (a, b) = (Shared::new(100, false), Shared::new(100, false));
    let mut rig = Rig::new([Some(unit(&a)), Some(unit(&b))], [None, None]);
    // Bits 15-14: 01, bit 13: 80 conductors; low half device 0's, high half device 1's.
    assert_eq!(identify_device(&mut rig, 0xA0)[93], 0x600B);
    assert_eq!(identify_device(&mut rig, 0xB0)[93], 0x6B00);
}

#[test]
fn read_sectors_interrupts_for_each_sector_and_not_at_the_end() {
    let (mut rig, disk) = Rig::disk(1000);
    rig.lba28(10, 3);
    rig.command(0x20);
    assert_eq!(rig.bench.inb(0x1F7), 0xD0);
    let mut data = Vec::new();
    for _ in 0..3 {
        assert_eq!(rig.wait(), 0x58);
        assert_eq!(rig.acknowledge(), 0x58);
        data.extend(rig.read_block(512));
    }
    assert_eq!(rig.wait(), 0x50);
    assert!(!rig.bench.level(rig.irqs[0]));
    assert_eq!(data, disk.sectors_at(10, 3));
    assert_eq!((rig.bench.inb(0x1F2), rig.bench.inb(0x1F3)), (0, 12));
}

#[test]
fn read_multiple_moves_blocks_and_a_short_last_one() {
    let (mut rig, disk) = Rig::disk(1000);
    rig.command(0xC4);
    assert_eq!(
        (rig.acknowledge(), rig.bench.inb(0x1F1)),
        (0x51, 0x04),
        "not set yet"
    );
    rig.bench.outb(0x1F2, 4);
    rig.command(0xC6);
    assert_eq!(rig.acknowledge(), 0x50);
    assert_eq!(identify(&mut rig)[59], 0x0104);
    rig.lba28(20, 6);
    rig.command(0xC4);
    assert_eq!(rig.wait(), 0x58);
    rig.acknowledge();
    let mut data = rig.read_block(4 * 512);
    assert_eq!(rig.wait(), 0x58);
    rig.acknowledge();
    data.extend(rig.read_block(2 * 512));
    assert_eq!(rig.wait(), 0x50);
    assert_eq!(data, disk.sectors_at(20, 6));
    rig.bench.outb(0x1F2, 3);
    rig.command(0xC6);
    assert_eq!((rig.acknowledge(), rig.bench.inb(0x1F1)), (0x51, 0x04));
}

#[test]
fn write_sectors_asks_without_interrupt_first_and_interrupts_behind_each() {
    let (mut rig, disk) = Rig::disk(1000);
    let data: Vec<u8> = (0..1024).map(|i| (i * 5) as u8).collect();
    rig.lba28(30, 2);
    rig.command(0x30);
    assert_eq!(rig.wait(), 0x58);
    assert!(!rig.bench.level(rig.irqs[0]));
    rig.write_block(&data[..512]);
    assert_eq!(rig.wait(), 0x58);
    assert_eq!(rig.acknowledge(), 0x58);
    rig.write_block(&data[512..]);
    assert_eq!(rig.wait(), 0x50);
    assert_eq!(rig.acknowledge(), 0x50);
    assert_eq!(disk.sectors_at(30, 2), data);
}

#[test]
fn chs_addresses_follow_the_logical_geometry() {
    let (mut rig, disk) = Rig::disk(20160);
    let read = |rig: &mut Rig, c: u16, h: u8, s: u8| {
        rig.bench.outb(0x1F6, 0xA0 | h);
        rig.bench.outb(0x1F2, 1);
        rig.bench.outb(0x1F3, s);
        rig.bench.outb(0x1F4, c as u8);
        rig.bench.outb(0x1F5, (c >> 8) as u8);
        rig.command(0x20);
        match rig.wait() {
            0x58 => Some(rig.read_block(512)),
            _ => None,
        }
    };
    assert_eq!(
        read(&mut rig, 2, 3, 4),
        Some(disk.sectors_at((2 * 16 + 3) * 63 + 3, 1))
    );
    for (c, h, s) in [(20, 0, 1), (0, 0, 0), (0, 0, 64)] {
        assert_eq!(read(&mut rig, c, h, s), None);
        assert_eq!(rig.bench.inb(0x1F1), 0x10, "IDNF");
    }
    // 4 heads of 17 sectors.
    rig.bench.outb(0x1F6, 0xA3);
    rig.bench.outb(0x1F2, 17);
    rig.command(0x91);
    assert_eq!(rig.acknowledge(), 0x50);
    assert_eq!(
        read(&mut rig, 2, 3, 4),
        Some(disk.sectors_at((2 * 4 + 3) * 17 + 3, 1))
    );
    assert_eq!(read(&mut rig, 2, 4, 4), None);
    let w = identify(&mut rig);
    assert_eq!(w[54..57], [20160 / 68, 4, 17]);
}

#[test]
fn forty_eight_bit_addresses_and_counts_use_both_register_values() {
    let (mut rig, disk) = Rig::disk(1000);
    rig.bench.outb(0x1F6, 0x40);
    for (port, high, low) in [
        (0x1F2, 0, 1),
        (0x1F3, 0, 0x20),
        (0x1F4, 0, 1),
        (0x1F5, 0, 0),
    ] {
        rig.bench.outb(port, high);
        rig.bench.outb(port, low);
    }
    rig.command(0x24);
    assert_eq!(rig.wait(), 0x58);
    assert_eq!(rig.read_block(512), disk.sectors_at(0x120, 1));
    // LBA 1_0000_0120h is past the end.
    rig.bench.outb(0x1F3, 1);
    rig.bench.outb(0x1F3, 0x20);
    rig.bench.outb(0x1F2, 0);
    rig.bench.outb(0x1F2, 1);
    rig.command(0x24);
    assert_eq!(rig.wait(), 0x51);
    assert_eq!(rig.bench.inb(0x1F1), 0x10);
    rig.bench.outb(0x3F6, 0x80);
    assert_eq!(rig.bench.inb(0x1F3), 1, "the high part shows with HOB");
    rig.bench.outb(0x3F6, 0);
    assert_eq!(rig.bench.inb(0x1F3), 0x20);
}

#[test]
fn an_address_past_the_end_is_not_found_and_a_transfer_stops_there() {
    let (mut rig, _) = Rig::disk(100);
    rig.lba28(100, 1);
    rig.command(0x20);
    assert_eq!(rig.acknowledge(), 0x51);
    assert_eq!(rig.bench.inb(0x1F1), 0x10);
    rig.lba28(99, 2);
    rig.command(0x20);
    assert_eq!(rig.wait(), 0x58);
    rig.acknowledge();
    rig.read_block(512);
    assert_eq!(rig.wait(), 0x51);
    assert_eq!(rig.bench.inb(0x1F1), 0x10);
    assert_eq!((rig.bench.inb(0x1F3), rig.bench.inb(0x1F2)), (100, 1));
}

#[test]
fn a_sector_that_the_host_cannot_read_is_uncorrectable() {
    let (mut rig, disk) = Rig::disk(1000);
    rig.bench.outb(0x1F2, 16);
    rig.command(0xC6);
    rig.lba28(BAD_READ as u32 - 2, 8);
    rig.command(0xC4);
    assert_eq!(rig.wait(), 0x58);
    rig.acknowledge();
    assert_eq!(
        rig.read_block(1024),
        disk.sectors_at(BAD_READ as usize - 2, 2),
        "what comes before is given"
    );
    assert_eq!(rig.wait(), 0x51);
    assert_eq!(rig.bench.inb(0x1F1), 0x40);
    assert_eq!(u64::from(rig.bench.inb(0x1F3)), BAD_READ);
    assert_eq!(rig.bench.inb(0x1F2), 6);
    rig.lba28(60, 20);
    rig.command(0x40);
    assert_eq!(rig.wait(), 0x51);
    assert_eq!(
        (rig.bench.inb(0x1F1), u64::from(rig.bench.inb(0x1F3))),
        (0x40, BAD_READ)
    );
    rig.lba28(70, 0);
    rig.command(0x40);
    assert_eq!(rig.wait(), 0x50, "256 sectors are good");
}

#[test]
fn a_write_that_the_host_cannot_keep_is_a_device_fault() {
    let (mut rig, _) = Rig::disk(1000);
    rig.lba28(BAD_WRITE as u32, 1);
    rig.command(0x30);
    rig.wait();
    rig.write_block(&[0; 512]);
    assert_eq!(rig.wait(), 0x71);
    assert_eq!(rig.bench.inb(0x1F1), 0x04);
    assert_eq!(u64::from(rig.bench.inb(0x1F3)), BAD_WRITE);
}

#[test]
fn a_write_protected_image_refuses_writes() {
    let disk = Shared::new(100, true);
    let mut rig = Rig::new([Some(unit(&disk)), None], [None, None]);
    rig.lba28(1, 1);
    rig.command(0x30);
    assert_eq!(rig.acknowledge(), 0x51);
    assert_eq!(rig.bench.inb(0x1F1), 0x44);
}

#[test]
fn unknown_commands_and_the_security_feature_set_abort() {
    let (mut rig, _) = Rig::disk(100);
    for code in [
        0x00, 0x08, 0x22, 0xA0, 0xA1, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xFF,
    ] {
        rig.command(code);
        assert_eq!(
            (rig.acknowledge(), rig.bench.inb(0x1F1)),
            (0x51, 0x04),
            "{code:02X}h"
        );
    }
}

#[test]
fn set_features_chooses_transfer_modes() {
    let (mut rig, _) = Rig::disk(100);
    let mut set = |feature: u8, count: u8| {
        rig.bench.outb(0x1F1, feature);
        rig.bench.outb(0x1F2, count);
        rig.command(0xEF);
        let status = rig.acknowledge();
        let w = identify(&mut rig);
        (status, w[63], w[88], w[85])
    };
    assert_eq!(set(0x03, 0x21), (0x50, 0x0207, 0x003F, 0x7469));
    assert_eq!(set(0x03, 0x44), (0x50, 0x0007, 0x103F, 0x7469));
    assert_eq!(set(0x03, 0x46).0, 0x51);
    assert_eq!(set(0x82, 0).3 & 0x20, 0);
    assert_eq!(set(0x02, 0).3 & 0x20, 0x20);
    assert_eq!(set(0x55, 0).3 & 0x40, 0);
    assert_eq!(set(0x99, 0).0, 0x51);
}

#[test]
fn power_modes_are_told_and_the_standby_timer_runs() {
    let (mut rig, _) = Rig::disk(100);
    let check = |rig: &mut Rig| {
        rig.command(0xE5);
        rig.acknowledge();
        rig.bench.inb(0x1F2)
    };
    assert_eq!(check(&mut rig), 0xFF);
    rig.command(0xE0);
    rig.acknowledge();
    assert_eq!(check(&mut rig), 0x00);
    // IDLE with a timer of 2 x 5 seconds.
    rig.bench.outb(0x1F2, 2);
    rig.command(0xE3);
    rig.acknowledge();
    rig.bench.advance_ns(9_000_000_000);
    assert_eq!(check(&mut rig), 0xFF);
    rig.bench.advance_ns(1_000_000_000);
    assert_eq!(check(&mut rig), 0x00);
    rig.command(0xE6);
    rig.acknowledge();
    rig.command(0xE5);
    assert!(!rig.bench.level(rig.irqs[0]), "asleep");
    rig.bench.outb(0x3F6, 4);
    rig.bench.outb(0x3F6, 0);
    rig.wait();
    assert_eq!(check(&mut rig), 0xFF);
}

#[test]
fn set_max_address_hides_sectors_only_directly_after_read_native_max() {
    let (mut rig, _) = Rig::disk(1000);
    rig.bench.outb(0x1F6, 0xE0);
    rig.command(0xF8);
    assert_eq!(rig.acknowledge(), 0x50);
    let lba =
        |rig: &mut Rig| u32::from(rig.bench.inb(0x1F3)) | (u32::from(rig.bench.inb(0x1F4)) << 8);
    assert_eq!(lba(&mut rig), 999);
    rig.lba28(499, 0);
    rig.bench.outb(0x1F1, 0);
    rig.command(0xF9);
    assert_eq!(rig.acknowledge(), 0x50);
    assert_eq!(identify(&mut rig)[60], 500);
    rig.lba28(500, 1);
    rig.command(0x20);
    assert_eq!(rig.acknowledge(), 0x51);
    rig.lba28(999, 0);
    rig.command(0xF9);
    assert_eq!(
        (rig.acknowledge(), rig.bench.inb(0x1F1)),
        (0x51, 0x04),
        "not directly after"
    );
    rig.command(0x27);
    assert_eq!(rig.acknowledge(), 0x50);
    assert_eq!(lba(&mut rig), 999);
}

#[test]
fn smart_pages_carry_their_checksums_and_count_errors() {
    let (mut rig, _) = Rig::disk(1000);
    let smart = |rig: &mut Rig, sub: u8, low: u8| {
        rig.bench.outb(0x1F6, 0xA0);
        rig.bench.outb(0x1F1, sub);
        rig.bench.outb(0x1F2, 1);
        rig.bench.outb(0x1F3, low);
        rig.bench.outb(0x1F4, 0x4F);
        rig.bench.outb(0x1F5, 0xC2);
        rig.command(0xB0);
        rig.wait()
    };
    let page = |rig: &mut Rig, sub: u8, low: u8| {
        assert_eq!(smart(rig, sub, low), 0x58);
        let b = rig.read_block(512);
        assert_eq!(
            b.iter().fold(0u8, |a, x| a.wrapping_add(*x)),
            0,
            "{sub:02X} {low:02X}"
        );
        b
    };
    rig.lba28(BAD_READ as u32, 1);
    rig.command(0x20);
    rig.wait();
    let data = page(&mut rig, 0xD0, 0);
    assert_eq!((data[2], data[5], data[7]), (0x01, 99, 1), "one read error");
    let thresholds = page(&mut rig, 0xD1, 0);
    assert_eq!((thresholds[2], thresholds[3]), (0x01, 6));
    assert_eq!(smart(&mut rig, 0xD4, 0x01), 0x50);
    let log = page(&mut rig, 0xD5, 0x06);
    assert_eq!((log[0], log[2], log[508]), (1, 0x01, 1));
    assert_eq!(page(&mut rig, 0xD5, 0x01)[452], 1);
    assert_eq!(smart(&mut rig, 0xD5, 0x33), 0x51);
    assert_eq!(smart(&mut rig, 0xDA, 0), 0x50);
    assert_eq!(
        (rig.bench.inb(0x1F4), rig.bench.inb(0x1F5)),
        (0x4F, 0xC2),
        "healthy"
    );
    assert_eq!(smart(&mut rig, 0xD9, 0), 0x50);
    assert_eq!(identify(&mut rig)[85] & 1, 0);
    assert_eq!(smart(&mut rig, 0xDA, 0), 0x51);
    assert_eq!(smart(&mut rig, 0xD8, 0), 0x50);
}

#[test]
fn the_sector_buffer_is_written_and_read_back() {
    let (mut rig, _) = Rig::disk(100);
    let data: Vec<u8> = (0..512).map(|i| (i ^ 0x5A) as u8).collect();
    rig.command(0xE8);
    assert_eq!(rig.wait(), 0x58);
    rig.write_block(&data);
    assert_eq!(rig.wait(), 0x50);
    rig.acknowledge();
    rig.command(0xE4);
    assert_eq!(rig.wait(), 0x58);
    assert_eq!(rig.read_block(512), data);
}

#[test]
fn a_soft_reset_ends_a_transfer() {
    let (mut rig, _) = Rig::disk(1000);
    rig.lba28(0, 8);
    rig.command(0x20);
    rig.wait();
    rig.read_block(100);
    rig.bench.outb(0x3F6, 4);
    rig.bench.outb(0x3F6, 0);
    assert_eq!(rig.wait(), 0x50);
    assert_eq!(rig.bench.read(0x1F0, Width::Word), 0xFFFF);
}
