//! A CD-ROM drive behind a PIIX3, as device 0 of the primary channel.

use super::*;
use crate::piix3_ide::tests::{BAD_READ, Rig, Shared, pattern_disk};
use emu_core::cap::HostInput;
use emu_core::host::{DriveId, HostEvent, MediumChange};

const SECTORS: usize = 100;

fn identity() -> Identity {
    Identity::new("BOXWOOD CD-ROM", "BW0002")
}

fn rig() -> (Rig, Shared) {
    let disc = Shared::new(SECTORS * 4, true);
    let unit = Unit::cdrom(Some(Box::new(disc.clone())), identity());
    let mut rig = Rig::new([Some(unit), None], [None, None]);
    // The reset's unit attention.
    assert_eq!(packet(&mut rig, &[0x00], 0), Err((0x6, 0x29, 0x00)));
    (rig, disc)
}

/// Sends a packet; gives the status after it is executed.
fn send(rig: &mut Rig, bytes: &[u8], limit: u16, dma: bool) -> u8 {
    rig.bench.outb(0x1F6, 0xA0);
    rig.bench.outb(0x1F1, dma.into());
    rig.bench.outb(0x1F4, limit as u8);
    rig.bench.outb(0x1F5, (limit >> 8) as u8);
    rig.command(0xA0);
    assert_eq!(rig.wait(), 0x58);
    assert_eq!(
        rig.bench.inb(0x1F2),
        0x01,
        "a command packet, to the device"
    );
    assert!(!rig.bench.level(rig.irqs[0]));
    let mut p = bytes.to_vec();
    p.resize(12, 0);
    rig.write_block(&p);
    rig.wait()
}

fn read16(rig: &mut Rig, bytes: usize) -> Vec<u8> {
    let mut data: Vec<u8> = (0..bytes.div_ceil(2))
        .flat_map(|_| (rig.bench.read(0x1F0, Width::Word) as u16).to_le_bytes())
        .collect();
    data.truncate(bytes);
    data
}

/// Sense key, code and qualifier.
type Failure = (u8, u8, u8);

/// A whole PIO command: its data, or what REQUEST SENSE tells.
fn packet(rig: &mut Rig, bytes: &[u8], limit: u16) -> Result<Vec<u8>, Failure> {
    let mut status = send(rig, bytes, limit, false);
    let mut data = Vec::new();
    while status & 0x08 != 0 {
        assert_eq!(rig.acknowledge(), 0x58);
        assert_eq!(rig.bench.inb(0x1F2), 0x02, "data to the host");
        let n = u16::from_le_bytes([rig.bench.inb(0x1F4), rig.bench.inb(0x1F5)]);
        assert!(n > 0 && (limit == 0 || n <= limit));
        data.extend(read16(rig, n.into()));
        status = rig.wait();
    }
    assert_eq!(rig.bench.inb(0x1F2), 0x03, "completion");
    if rig.acknowledge() & 1 == 0 {
        return Ok(data);
    }
    let key = rig.bench.inb(0x1F1) >> 4;
    if bytes[0] == 0x03 {
        return Err((key, 0, 0));
    }
    let sense = packet(rig, &[0x03, 0, 0, 0, 18], 18).expect("REQUEST SENSE never fails");
    assert_eq!((sense[0] & 0x7F, sense[2], sense[7]), (0x70, key, 10));
    Err((key, sense[12], sense[13]))
}

#[test]
fn the_signature_and_the_identify_commands_tell_a_packet_device() {
    let (mut rig, _) = rig();
    rig.bench.outb(0x3F6, 4);
    rig.bench.outb(0x3F6, 0);
    assert_eq!(rig.wait(), 0x00, "not ready before its first command");
    let regs: Vec<u8> = (0x1F1..=0x1F5).map(|p| rig.bench.inb(p)).collect();
    assert_eq!(regs, [1, 1, 1, 0x14, 0xEB]);
    rig.bench.outb(0x1F4, 0);
    rig.command(0xEC);
    assert_eq!((rig.acknowledge(), rig.bench.inb(0x1F1)), (0x51, 0x04));
    assert_eq!((rig.bench.inb(0x1F4), rig.bench.inb(0x1F5)), (0x14, 0xEB));
    rig.command(0xA1);
    assert_eq!(rig.wait(), 0x58);
    rig.acknowledge();
    let b = read16(&mut rig, 512);
    assert_eq!(rig.wait(), 0x50);
    assert_eq!(u16::from_le_bytes([b[0], b[1]]), 0x85C0);
    assert_eq!(&b[54..64], b"OBWXOO DDC");
    assert_eq!(b.iter().fold(0u8, |a, x| a.wrapping_add(*x)), 0);
}

#[test]
fn device_reset_works_even_while_busy_and_does_not_interrupt() {
    let (mut rig, _) = rig();
    rig.command(0xA0);
    rig.write_block(&[0; 12]);
    assert_eq!(rig.bench.inb(0x3F6) & 0x80, 0x80);
    rig.command(0x08);
    assert_eq!(rig.bench.inb(0x1F7), 0x00);
    assert!(!rig.bench.level(rig.irqs[0]));
    assert!(!rig.bench.run_to_next_timer());
    assert_eq!(rig.bench.inb(0x1F5), 0xEB);
}

#[test]
fn read_10_moves_blocks_of_the_byte_count_limit() {
    let (mut rig, disc) = rig();
    for limit in [2048, 0xFFFF, 0, 512, 1000, 2] {
        let data = packet(&mut rig, &[0x28, 0, 0, 0, 0, 18, 0, 0, 3], limit).unwrap();
        assert_eq!(data, disc.sectors_at(18 * 4, 12), "limit {limit}");
    }
    let data = packet(&mut rig, &[0xA8, 0, 0, 0, 0, 30, 0, 0, 0, 70], 0xFFFE).unwrap();
    assert_eq!(data, disc.sectors_at(120, 280));
    assert_eq!(
        packet(&mut rig, &[0x28, 0, 0, 0, 0, 18, 0, 0, 0], 2048),
        Ok(vec![])
    );
}

#[test]
fn read_10_by_bus_master_dma() {
    let (mut rig, disc) = rig();
    rig.start_dma(true, &[(0x2_0000, 0), (0x3_0000, 40 * 2048 - 0x1_0000)]);
    send(&mut rig, &[0x28, 0, 0, 0, 0, 40, 0, 0, 40], 0, true);
    while !rig.bench.level(rig.irqs[0]) {
        assert!(rig.bench.run_to_next_timer());
    }
    assert_eq!(rig.acknowledge(), 0x50);
    assert_eq!(rig.bench.inb(0x1F2), 0x03);
    assert_eq!(rig.bench.inb(0xC002), 0x04);
    let mut data = vec![0; 40 * 2048];
    rig.bench.ram.read(0x2_0000, &mut data);
    assert_eq!(data, disc.sectors_at(160, 160));
}

#[test]
fn errors_are_told_by_sense_data() {
    let (mut rig, _) = rig();
    let last = SECTORS as u8;
    assert_eq!(
        packet(&mut rig, &[0x28, 0, 0, 0, 0, last, 0, 0, 1], 2048),
        Err((5, 0x21, 0))
    );
    assert_eq!(
        packet(&mut rig, &[0x28, 0, 0, 0, 0, last - 1, 0, 0, 2], 2048),
        Err((5, 0x21, 0))
    );
    assert_eq!(packet(&mut rig, &[0xFF], 2048), Err((5, 0x20, 0)));
    assert_eq!(
        packet(&mut rig, &[0x12, 1, 0, 0, 36], 2048),
        Err((5, 0x24, 0))
    );
    assert_eq!(
        packet(&mut rig, &[0x47], 2048),
        Err((5, 0x64, 0)),
        "no audio to play"
    );
    // The host cannot read this one.
    let bad = (BAD_READ / 4) as u8;
    assert_eq!(
        send(&mut rig, &[0x28, 0, 0, 0, 0, bad, 0, 0, 1], 2048, false),
        0x51
    );
    assert_eq!(rig.bench.inb(0x1F1), 0x34);
    rig.acknowledge();
    let sense = packet(&mut rig, &[0x03, 0, 0, 0, 18], 18).unwrap();
    assert_eq!(
        (sense[0], sense[2], sense[6], sense[12]),
        (0xF0, 3, bad, 0x11)
    );
    let sense = packet(&mut rig, &[0x03, 0, 0, 0, 18], 18).unwrap();
    assert_eq!(sense[2], 0, "told once");
}

#[test]
fn a_medium_change_is_a_unit_attention_and_an_event() {
    let (mut rig, _) = rig();
    let change = |rig: &mut Rig, medium: Option<Shared>| {
        let medium = medium.map(|m| Box::new(m) as Box<dyn BlockBackend>);
        let drive = DriveId::Atapi(0, 0);
        rig.bench.with(|d, cx| {
            HostInput::host_input(d, HostEvent::Medium(MediumChange { drive, medium }), cx);
        });
    };
    let event =
        |rig: &mut Rig| packet(rig, &[0x4A, 1, 0, 0, 0x10, 0, 0, 0, 8], 8).unwrap()[2..6].to_vec();
    assert_eq!(event(&mut rig), [4, 0x10, 0, 2]);
    change(&mut rig, None);
    assert_eq!(event(&mut rig), [4, 0x10, 3, 0]);
    assert_eq!(packet(&mut rig, &[0x00], 0), Err((2, 0x3A, 1)));
    assert_eq!(packet(&mut rig, &[0x25], 8), Err((2, 0x3A, 1)));
    change(&mut rig, Some(Shared::new(40, true)));
    assert!(
        packet(&mut rig, &[0x12, 0, 0, 0, 36], 36).is_ok(),
        "INQUIRY goes first"
    );
    assert_eq!(packet(&mut rig, &[0x00], 0), Err((6, 0x28, 0)));
    assert_eq!(packet(&mut rig, &[0x00], 0), Ok(vec![]));
    assert_eq!(event(&mut rig), [4, 0x10, 2, 2]);
    assert_eq!(event(&mut rig), [4, 0x10, 0, 2]);
    assert_eq!(
        packet(&mut rig, &[0x25], 8),
        Ok(vec![0, 0, 0, 9, 0, 0, 8, 0])
    );
}

#[test]
fn the_tray_opens_unless_it_is_locked() {
    let (mut rig, _) = rig();
    assert!(packet(&mut rig, &[0x1E, 0, 0, 0, 1], 0).is_ok());
    assert_eq!(packet(&mut rig, &[0x1B, 0, 0, 0, 2], 0), Err((5, 0x53, 2)));
    assert!(packet(&mut rig, &[0x1E, 0, 0, 0, 0], 0).is_ok());
    assert!(packet(&mut rig, &[0x1B, 0, 0, 0, 2], 0).is_ok());
    assert_eq!(packet(&mut rig, &[0x00], 0), Err((2, 0x3A, 2)));
    let status = packet(&mut rig, &[0xBD, 0, 0, 0, 0, 0, 0, 0, 0, 8], 8).unwrap();
    assert_eq!(status[1], 0x10, "door open");
    assert!(packet(&mut rig, &[0x1B, 0, 0, 0, 3], 0).is_ok());
    assert_eq!(packet(&mut rig, &[0x00], 0), Err((6, 0x28, 0)));
    assert!(packet(&mut rig, &[0x00], 0).is_ok());
}

#[test]
fn inquiry_and_capacity() {
    let (mut rig, _) = rig();
    let d = packet(&mut rig, &[0x12, 0, 0, 0, 36], 36).unwrap();
    assert_eq!(d[..5], [0x05, 0x80, 0x00, 0x21, 31]);
    assert_eq!(&d[8..36], b"BOXWOOD CD-ROM          1.0 ");
    assert_eq!(packet(&mut rig, &[0x12, 0, 0, 0, 5], 36).unwrap().len(), 5);
    assert_eq!(
        packet(&mut rig, &[0x25], 8),
        Ok(vec![0, 0, 0, 99, 0, 0, 8, 0])
    );
}

#[test]
fn the_table_of_contents_has_one_data_track_in_every_format() {
    let (mut rig, _) = rig();
    let mut toc = |msf: u8, format: u8, track: u8, control: u8| {
        packet(
            &mut rig,
            &[0x43, msf << 1, format, 0, 0, 0, track, 4, 0, control],
            0xFFFE,
        )
    };
    let track = [0, 0x14, 1, 0, 0, 0, 0, 0];
    let lead_out = [0, 0x14, 0xAA, 0, 0, 0, 0, 100];
    assert_eq!(
        toc(0, 0, 0, 0).unwrap(),
        [&[0, 18, 1, 1][..], &track, &lead_out].concat()
    );
    assert_eq!(
        toc(0, 0, 0xAA, 0).unwrap(),
        [&[0, 10, 1, 1][..], &lead_out].concat()
    );
    assert_eq!(toc(1, 0, 1, 0).unwrap()[8..12], [0, 0, 2, 0], "00:02:00");
    assert_eq!(
        toc(1, 0, 0xAA, 0).unwrap()[8..12],
        [0, 0, 3, 25],
        "150 + 100 frames"
    );
    assert_eq!(toc(0, 0, 2, 0), Err((5, 0x24, 0)));
    assert_eq!(
        toc(0, 1, 0, 0).unwrap(),
        [&[0, 10, 1, 1][..], &track].concat()
    );
    let full = toc(0, 2, 0, 0).unwrap();
    assert_eq!(full.len(), 4 + 4 * 11);
    assert_eq!(full[4..15], [1, 0x14, 0, 0xA0, 0, 0, 0, 0, 1, 0, 0]);
    assert_eq!(full[26..37], [1, 0x14, 0, 0xA2, 0, 0, 0, 0, 0, 3, 25]);
    assert_eq!(toc(0, 0, 0, 0x80).unwrap(), full, "SFF-8020i's format bits");
    assert_eq!(toc(0, 5, 0, 0), Err((5, 0x24, 0)));
}

#[test]
fn read_cd_gives_the_fields_that_are_asked_for() {
    let (mut rig, disc) = rig();
    let user = disc.sectors_at(20 * 4, 4);
    let mut read = |fields: u8, sub: u8| {
        packet(
            &mut rig,
            &[0xBE, 0, 0, 0, 0, 20, 0, 0, 1, fields, sub],
            0xFFFE,
        )
        .unwrap()
    };
    assert_eq!(read(0x10, 0), user);
    let raw = read(0xF8, 0);
    assert_eq!(raw.len(), 2352);
    assert_eq!(
        raw[..16],
        [
            0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 2, 0x20, 1
        ]
    );
    assert_eq!(raw[16..2064], user);
    assert_eq!(read(0x20, 0), [0, 2, 0x20, 1]);
    let q = read(0x00, 2);
    assert_eq!(q[..10], [0x41, 1, 1, 0, 0, 0x20, 0, 0, 2, 0x20]);
    assert_eq!(read(0x10, 1).len(), 2048 + 96);
    assert_eq!(read(0x00, 0), []);
    // The same by time: 00:02:20 up to, not including, 00:02:21.
    assert_eq!(
        packet(&mut rig, &[0xB9, 0, 0, 0, 2, 20, 0, 2, 21, 0x10], 0xFFFE),
        Ok(user)
    );
    assert_eq!(
        packet(&mut rig, &[0xBE, 1 << 2, 0, 0, 0, 20, 0, 0, 1, 0x10], 0),
        Err((5, 0x64, 0))
    );
}

#[test]
fn mode_pages_are_sensed_and_selected() {
    let (mut rig, _) = rig();
    let sense = |rig: &mut Rig, page: u8| packet(rig, &[0x5A, 0, page, 0, 0, 0, 0, 1, 0], 0xFFFE);
    let caps = sense(&mut rig, 0x2A).unwrap();
    assert_eq!(
        (caps.len(), caps[1], caps[2], caps[8], caps[9]),
        (28, 26, 0x01, 0x2A, 18)
    );
    assert_eq!(sense(&mut rig, 0x3F).unwrap().len(), 8 + 8 + 8 + 16 + 20);
    assert_eq!(sense(&mut rig, 0xC1), Err((5, 0x39, 0)), "nothing is saved");
    assert_eq!(sense(&mut rig, 0x05), Err((5, 0x24, 0)));
    let select = |rig: &mut Rig, list: &[u8]| {
        let status = send(
            rig,
            &[0x55, 0x10, 0, 0, 0, 0, 0, 0, list.len() as u8],
            0xFFFE,
            false,
        );
        assert_eq!(status, 0x58);
        assert_eq!(rig.acknowledge(), 0x58);
        assert_eq!(rig.bench.inb(0x1F2), 0x00, "data to the device");
        rig.write_block(list);
        rig.wait();
        rig.acknowledge() & 1
    };
    let page = [1, 6, 0x20, 9, 0, 0, 0, 0];
    assert_eq!(select(&mut rig, &[[0; 8], page].concat()), 0);
    assert_eq!(sense(&mut rig, 0x01).unwrap()[8..], page);
    assert_eq!(
        select(&mut rig, &[&[0; 8][..], &[0x2A, 18, 0, 0]].concat()),
        1
    );
    assert_eq!(select(&mut rig, &[&[0; 8][..], &[7, 2, 0, 0]].concat()), 1);
    let sense_data = packet(&mut rig, &[0x03, 0, 0, 0, 18], 18).unwrap();
    assert_eq!((sense_data[2], sense_data[12]), (5, 0x26));
}

#[test]
fn configuration_disc_information_sub_channel_and_header() {
    let (mut rig, _) = rig();
    let c = packet(&mut rig, &[0x46, 0, 0, 0, 0, 0, 0, 1, 0], 0xFFFE).unwrap();
    assert_eq!(
        u32::from_be_bytes([c[0], c[1], c[2], c[3]]) as usize,
        c.len() - 4
    );
    assert_eq!(c[6..8], [0, 8], "profile: CD-ROM");
    assert_eq!(c[8..16], [0, 0, 3, 4, 0, 8, 1, 0]);
    let one = packet(&mut rig, &[0x46, 2, 0, 0x1E, 0, 0, 0, 1, 0], 0xFFFE).unwrap();
    assert_eq!(one[8..], [0, 0x1E, 1, 4, 0, 0, 0, 0]);
    let info = packet(&mut rig, &[0x51, 0, 0, 0, 0, 0, 0, 0, 34], 0xFFFE).unwrap();
    assert_eq!(info[..7], [0, 32, 0x0E, 1, 1, 1, 1]);
    packet(&mut rig, &[0x2B, 0, 0, 0, 0, 50], 0).unwrap();
    let q = packet(&mut rig, &[0x42, 0, 0x40, 1, 0, 0, 0, 0, 16], 0xFFFE).unwrap();
    assert_eq!(q, [0, 0x15, 0, 12, 1, 0x14, 1, 1, 0, 0, 0, 50, 0, 0, 0, 50]);
    assert_eq!(
        packet(&mut rig, &[0x2B, 0, 0, 0, 0, 100], 0),
        Err((5, 0x21, 0))
    );
    let h = packet(&mut rig, &[0x44, 0, 0, 0, 0, 7, 0, 0, 8], 8).unwrap();
    assert_eq!(h, [1, 0, 0, 0, 0, 0, 0, 7]);
}

#[test]
fn a_disk_and_a_cd_rom_drive_share_a_cable() {
    let unit = Unit::cdrom(None, identity());
    let mut rig = Rig::new([Some(pattern_disk()), Some(unit)], [None, None]);
    rig.bench.outb(0x1F6, 0xB0);
    assert_eq!((rig.bench.inb(0x1F4), rig.bench.inb(0x1F5)), (0x14, 0xEB));
    rig.command(0xEC);
    assert_eq!(rig.acknowledge(), 0x51);
    rig.bench.outb(0x1F6, 0xA0);
    assert_eq!(rig.bench.inb(0x1F7), 0x50);
    rig.command(0xEC);
    assert_eq!(rig.wait(), 0x58);
}
