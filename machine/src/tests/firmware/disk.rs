//! INT 13h for hard disks and CD-ROMs, and El Torito. (Diskettes: the tests of the floppy controller's guests.)

use super::*;
use emu_core::host::{DriveId, MediumChange, MemoryDisk};

/// 20 cylinders of 16 heads and 63 sectors; each sector begins with its number, and none is a boot sector.
const SECTORS: u32 = 20 * 16 * 63;

fn numbered_sectors() -> Vec<u8> {
    let mut bytes = vec![0; SECTORS as usize * 512];
    for (n, sector) in bytes.chunks_exact_mut(512).enumerate() {
        sector[..4].copy_from_slice(&(n as u32).to_le_bytes());
    }
    bytes
}

fn with_disk(name: &str) -> (Pc, Image) {
    let image = Image::new(name, &numbered_sectors());
    let spec = MachineSpec {
        disks: vec![image.medium()],
        ..MachineSpec::default()
    };
    (Pc::with(spec), image)
}

/// A disk address packet at the buffer's end.
fn packet(pc: &mut Pc, count: u16, segment: u16, lba: u64) -> Regs {
    let mut p = vec![0x10, 0];
    p.extend(count.to_le_bytes());
    p.extend(0u16.to_le_bytes());
    p.extend(segment.to_le_bytes());
    p.extend(lba.to_le_bytes());
    pc.poke(BUFFER + 0xF000, &p);
    Regs::default().dx(0x80).ds(BUFFER_SEGMENT).si(0xF000)
}

#[test]
fn a_hard_disk_is_read_and_written_by_cylinder_head_and_sector() {
    let (mut pc, _image) = with_disk("chs");
    assert!(pc.screen().contains("no boot sector"));
    let r = pc.int(0x13, Regs::ax(0x0800).dx(0x80));
    assert_eq!((r.ah(), r.carry), (0, false));
    assert_eq!(
        (r.ecx & 0xFFFF, r.edx & 0xFFFF),
        (0x133F, 0x0F01),
        "19, 63, 15, one disk"
    );
    let r = pc.int(0x13, Regs::ax(0x1500).dx(0x80));
    assert_eq!((r.ah(), r.carry), (3, false));
    assert_eq!((r.ecx & 0xFFFF) << 16 | r.edx & 0xFFFF, SECTORS);
    // Cylinder 2, head 3, sector 4, three sectors.
    let at = Regs::ax(0x0203).cx(0x0204).dx(0x0380).es(BUFFER_SEGMENT);
    let r = pc.int(0x13, at);
    assert_eq!((r.ah(), r.al(), r.carry), (0, 3, false));
    let lba = (2 * 16 + 3) * 63 + 3;
    assert_eq!(
        [0, 512, 1024].map(|n| pc.peek_u32(BUFFER + n)),
        [lba, lba + 1, lba + 2]
    );
    pc.poke(BUFFER, &[0xAA; 512]);
    let write = Regs { eax: 0x0301, ..at };
    assert!(!pc.int(0x13, write).carry);
    pc.poke(BUFFER, &[0; 1536]);
    pc.int(0x13, at);
    assert_eq!(
        (pc.peek_u32(BUFFER), pc.peek_u32(BUFFER + 512)),
        (0xAAAA_AAAA, lba + 1)
    );
    for ax in [
        0x0000, 0x0900, 0x0C01, 0x0D00, 0x1000, 0x1100, 0x1400, 0x0401,
    ] {
        let r = pc.int(0x13, Regs { eax: ax, ..at });
        assert_eq!((r.ah(), r.carry), (0, false), "{ax:04X}");
    }
}

#[test]
fn errors_of_a_hard_disk_stand_in_ah_and_in_the_bios_data_area() {
    let (mut pc, _image) = with_disk("errors");
    let bad = [
        // No such function; sector 0; head 16; cylinder 20; 129 sectors; no sectors; long read; format.
        (0x1900, 0x0001, 0x0080, 0x01),
        (0x0201, 0x0000, 0x0080, 0x01),
        (0x0201, 0x0001, 0x1080, 0x01),
        (0x0201, 0x1401, 0x0080, 0x04),
        (0x0281, 0x0001, 0x0080, 0x09),
        (0x0200, 0x0001, 0x0080, 0x01),
        (0x0A01, 0x0001, 0x0080, 0x01),
        (0x0500, 0x0001, 0x0080, 0x01),
        // A disk that is not there.
        (0x0201, 0x0001, 0x0081, 0x01),
    ];
    for (ax, cx, dx, status) in bad {
        let r = pc.int(0x13, Regs::ax(ax).cx(cx).dx(dx).es(BUFFER_SEGMENT));
        assert_eq!(
            (r.ah(), r.carry),
            (status, true),
            "{ax:04X} {cx:04X} {dx:04X}"
        );
        assert_eq!(pc.peek_u8(0x474), status);
        let r = pc.int(0x13, Regs::ax(0x0100).dx(0x80));
        assert_eq!(r.al(), status, "01h tells it again");
    }
    let r = pc.int(0x13, Regs::ax(0x1500).dx(0x81));
    assert_eq!((r.ah(), r.carry), (0, false), "no such disk");
    let r = pc.int(0x13, Regs::ax(0x0800).dx(0x81));
    assert_eq!((r.ah(), r.carry), (7, true));
}

#[test]
fn the_extensions_address_blocks() {
    let (mut pc, _image) = with_disk("edd");
    let r = pc.int(0x13, Regs::ax(0x4100).bx(0x55AA).dx(0x80));
    assert_eq!(
        (r.ebx & 0xFFFF, r.ecx & 5, r.ah(), r.carry),
        (0xAA55, 5, 0x30, false)
    );
    let p = packet(&mut pc, 100, 0x3000, 5000);
    let r = pc.int(0x13, Regs { eax: 0x4200, ..p });
    assert_eq!((r.ah(), r.carry), (0, false));
    assert_eq!(
        (pc.peek_u32(0x3_0000), pc.peek_u32(0x3_0000 + 99 * 512)),
        (5000, 5099)
    );
    pc.poke(0x3_0000, &[0x55; 512]);
    let p = packet(&mut pc, 1, 0x3000, 5001);
    let r = pc.int(0x13, Regs { eax: 0x4302, ..p });
    assert_eq!((r.ah(), r.carry), (0, false), "written and verified");
    for ax in [0x4400, 0x4700, 0x4E01] {
        let r = pc.int(0x13, Regs { eax: ax, ..p });
        assert_eq!((r.ah(), r.carry), (0, false), "{ax:04X}");
    }
    let p = packet(&mut pc, 3, 0x3000, 5000);
    pc.int(0x13, Regs { eax: 0x4200, ..p });
    assert_eq!(
        [0, 512, 1024].map(|n| pc.peek_u32(0x3_0000 + n)),
        [5000, 0x5555_5555, 5002]
    );
    // Past the end, and far past it.
    for lba in [u64::from(SECTORS) - 2, u64::from(SECTORS), 1 << 40] {
        let p = packet(&mut pc, 3, 0x3000, lba);
        let r = pc.int(0x13, Regs { eax: 0x4200, ..p });
        assert_eq!((r.ah(), r.carry), (1, true));
    }
    // Not removable.
    for ax in [0x4500, 0x4600] {
        let r = pc.int(0x13, Regs { eax: ax, ..p });
        assert_eq!((r.ah(), r.carry), (0xB2, true));
    }
    pc.poke(BUFFER, &0x42u16.to_le_bytes());
    let r = pc.int(0x13, Regs::ax(0x4800).dx(0x80).ds(BUFFER_SEGMENT));
    assert_eq!((r.ah(), r.carry), (0, false));
    assert_eq!(pc.peek_u16(BUFFER + 2) & 2, 2, "the geometry is valid");
    assert_eq!([4, 8, 12].map(|n| pc.peek_u32(BUFFER + n)), [20, 16, 63]);
    assert_eq!(
        (pc.peek_u32(BUFFER + 16), pc.peek_u16(BUFFER + 24)),
        (SECTORS, 512)
    );
    let sum = |bytes: &[u8]| bytes.iter().fold(0u8, |a, b| a.wrapping_add(*b));
    assert_eq!(pc.peek_u16(BUFFER + 30), 0xBEDD);
    assert_eq!(sum(&pc.peek(BUFFER + 30, 36)), 0, "device path");
    assert_eq!(pc.peek(BUFFER + 36, 12), b"PCI ATA     ");
    let dpte = u32::from(pc.peek_u16(BUFFER + 28)) * 16 + u32::from(pc.peek_u16(BUFFER + 26));
    assert_eq!(
        sum(&pc.peek(dpte, 16)),
        0,
        "device parameter table extension"
    );
    assert_eq!((pc.peek_u16(dpte), pc.peek_u16(dpte + 2)), (0x1F0, 0x3F6));
}

/// A disc with an El Torito boot image of this media type in block 19.
fn disc(media: u8, image: &[u8]) -> MemoryDisk {
    let mut d = vec![0; 19 * 2048];
    d[16 * 2048..][..7].copy_from_slice(b"\x01CD001\x01");
    d[17 * 2048..][..30].copy_from_slice(b"\0CD001\x01EL TORITO SPECIFICATION");
    d[17 * 2048 + 0x47] = 18;
    let catalog = &mut d[18 * 2048..];
    // Validation entry: its words sum up to 0.
    catalog[0] = 1;
    catalog[28..32].copy_from_slice(&[0xAA, 0x55, 0x55, 0xAA]);
    let sectors = if media == 0 { 4 } else { 1 };
    catalog[32..44].copy_from_slice(&[0x88, media, 0, 0, 0, 0, sectors, 0, 19, 0, 0, 0]);
    d.extend(image);
    d.resize(d.len().next_multiple_of(2048), 0);
    MemoryDisk::new(d, true)
}

/// A boot sector that writes to the debug-exit port.
fn boot_sector() -> Vec<u8> {
    let mut s = vec![0xE6, EXIT_PORT, 0xEB, 0xFE];
    s.resize(510, 0);
    s.extend([0x55, 0xAA]);
    s
}

/// Starts INT 19h with a disc in the drive; gives the registers in which its boot image starts.
fn boot_disc(pc: &mut Pc, disc: MemoryDisk) -> (Regs, u32) {
    pc.machine.input(HostEvent::Medium(MediumChange {
        drive: DriveId::Atapi(1, 0),
        medium: Some(Box::new(disc)),
    }));
    pc.prepare(0x19, Regs::default());
    let r = pc.run_to_exit();
    let s = pc.machine.cpu.state();
    (r, (s.segments[Seg::Cs as usize].base + s.rip) as u32 - 2)
}

#[test]
fn a_disc_boots_without_emulation() {
    let mut pc = Pc::new();
    let mut image = boot_sector();
    image.resize(4096, 0x77);
    let (r, at) = boot_disc(&mut pc, disc(0, &image));
    assert_eq!((at, r.edx & 0xFF), (0x7C00, 0xE0));
    assert_eq!(pc.peek_u8(0x7C00 + 2047), 0x77, "four sectors were loaded");
    let pnp = (u32::from(r.es) << 4) + (r.edi & 0xFFFF);
    assert_eq!(pc.peek(pnp, 4), b"$PnP");
    // The specification packet.
    let r = pc.int(0x13, Regs::ax(0x4B01).dx(0xE0).ds(BUFFER_SEGMENT));
    assert_eq!((r.ah(), r.carry), (0, false));
    assert_eq!(pc.peek(BUFFER, 3), [0x13, 0x00, 0xE0]);
    assert_eq!(pc.peek_u32(BUFFER + 4), 19);
    // Blocks of 2048 bytes.
    let p = packet(&mut pc, 1, 0x3000, 17).dx(0xE0);
    assert!(!pc.int(0x13, Regs { eax: 0x4200, ..p }).carry);
    assert_eq!(pc.peek(0x3_0001, 5), b"CD001");
    let r = pc.int(0x13, Regs { eax: 0x4300, ..p });
    assert_eq!((r.ah(), r.carry), (0x03, true), "write protected");
    pc.poke(BUFFER, &0x1Eu16.to_le_bytes());
    let r = pc.int(0x13, Regs::ax(0x4800).dx(0xE0).ds(BUFFER_SEGMENT));
    assert!(!r.carry);
    assert_eq!(
        (pc.peek_u16(BUFFER + 2) & 0x74, pc.peek_u16(BUFFER + 24)),
        (0x74, 2048)
    );
    let lock = |al: u16| Regs::ax(0x4500 | al).dx(0xE0);
    assert!(!pc.int(0x13, lock(0)).carry);
    assert_eq!(pc.int(0x13, Regs::ax(0x4600).dx(0xE0)).ah(), 0xB1, "locked");
    assert_eq!(pc.int(0x13, lock(2)).al(), 1);
    assert!(!pc.int(0x13, lock(1)).carry);
    assert!(!pc.int(0x13, Regs::ax(0x4600).dx(0xE0)).carry, "ejected");
    assert!(pc.int(0x13, Regs { eax: 0x4200, ..p }).carry, "no medium");
}

#[test]
fn a_disc_stands_for_a_diskette_or_a_hard_disk() {
    let mut pc = Pc::new();
    // 1.44 MB.
    let mut image = boot_sector();
    image.resize(1440 << 10, 0);
    let lba = (79 * 2 + 1) * 18 + 16;
    image[lba * 512..][..4].copy_from_slice(b"last");
    let (r, at) = boot_disc(&mut pc, disc(2, &image));
    assert_eq!((at, r.edx & 0xFF), (0x7C00, 0x00));
    let r = pc.int(0x13, Regs::ax(0x0800));
    assert_eq!(
        (r.ecx & 0xFFFF, r.edx >> 8 & 0xFF, r.ebx & 0xFF),
        (0x4F12, 1, 4)
    );
    let r = pc.int(
        0x13,
        Regs::ax(0x0202).cx(0x4F11).dx(0x0100).es(BUFFER_SEGMENT),
    );
    assert_eq!((r.ah(), r.al(), r.carry), (0, 2, false));
    assert_eq!(pc.peek(BUFFER, 4), b"last");
    let r = pc.int(0x13, Regs::ax(0x0301).cx(0x0001).es(BUFFER_SEGMENT));
    assert_eq!((r.ah(), r.carry), (0x03, true), "write protected");
    let r = pc.int(0x13, Regs::ax(0x4B00).dx(0x7F).ds(BUFFER_SEGMENT));
    assert!(!r.carry);
    assert_eq!(pc.peek(BUFFER, 3), [0x13, 0x02, 0x00]);
    let r = pc.int(
        0x13,
        Regs::ax(0x0202).cx(0x4F11).dx(0x0100).es(BUFFER_SEGMENT),
    );
    assert!(r.carry, "the emulation has ended");
    // A hard disk: the geometry follows from its partition.
    let mut image = boot_sector();
    image[0x1BE..][..8].copy_from_slice(&[0x80, 1, 1, 0, 6, 3, 17, 9]);
    image.resize(10 * 4 * 17 * 512, 0);
    image[17 * 512..][..4].copy_from_slice(b"head");
    let (r, _) = boot_disc(&mut pc, disc(4, &image));
    assert_eq!(r.edx & 0xFF, 0x80);
    let r = pc.int(0x13, Regs::ax(0x0800).dx(0x80));
    assert_eq!((r.ecx & 0xFFFF, r.edx & 0xFFFF), (0x0911, 0x0301));
    let r = pc.int(
        0x13,
        Regs::ax(0x0201).cx(0x0001).dx(0x0180).es(BUFFER_SEGMENT),
    );
    assert!(!r.carry);
    assert_eq!(pc.peek(BUFFER, 4), b"head");
}
