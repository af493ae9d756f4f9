//! What a PC's setup program would have left in CMOS RAM: by these bytes firmware knows its board.
//!
//! Bytes 10h to 33h are the AT's (IBM PC AT Technical Reference, "CMOS RAM"); 34h, 35h, 38h, 39h, 3Dh, 5Bh-5Dh and
//! 5Fh are those that Bochs' and later firmware read.

use crate::spec::BootDevice;
use chipset::i82077aa::DriveType;

/// What the bytes describe.
pub struct Setup<'a> {
    pub memory_bytes: u64,
    /// Where memory that lies in the way of the PCI hole begins again.
    pub pci_hole: u64,
    pub floppies: [Option<DriveType>; 2],
    pub disks: usize,
    pub boot: &'a [BootDevice],
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// The bytes as (index, value).
pub fn bytes(setup: &Setup<'_>) -> Vec<(u8, u8)> {
    let mut all = Vec::new();
    let mut word = |at: u8, value: u64| {
        let value = value.min(0xFFFF) as u16;
        all.push((at, value as u8));
        all.push((at + 1, (value >> 8) as u8));
    };
    let low = setup.memory_bytes.min(setup.pci_hole);
    word(0x15, 640);
    // Extended memory in KiB, twice; memory above 16 MiB in units of 64 KiB.
    let extended = low.saturating_sub(MIB) / KIB;
    word(0x17, extended);
    word(0x30, extended);
    word(0x34, low.saturating_sub(16 * MIB) / (64 * KIB));
    let above = setup.memory_bytes.saturating_sub(low) / (64 * KIB);
    word(0x5B, above & 0xFFFF);
    all.push((0x5D, (above >> 16) as u8));
    let drive = |d: Option<DriveType>| d.map_or(0, DriveType::cmos);
    all.push((
        0x10,
        drive(setup.floppies[0]) << 4 | drive(setup.floppies[1]),
    ));
    // Types of the two disks of the first channel: 0Fh means "see 19h, 1Ah", and 47 there "as the disk says".
    let present = |n: usize| setup.disks > n;
    all.push((
        0x12,
        (u8::from(present(0)) * 0xF0) | (u8::from(present(1)) * 0x0F),
    ));
    all.push((0x19, u8::from(present(0)) * 47));
    all.push((0x1A, u8::from(present(1)) * 47));
    // Equipment: floppies, coprocessor, mouse port; video as its BIOS says.
    let floppies = setup.floppies.iter().flatten().count() as u8;
    let equipment = match floppies {
        0 => 0,
        n => 1 | (n - 1) << 6,
    };
    all.push((0x14, equipment | 1 << 1 | 1 << 2));
    // Boot order: three nibbles, the usual one if none was asked for, as Bochs' BIOS boots nothing without; the
    // floppy's signature is not insisted on, as diskettes of old have none.
    let usual = [BootDevice::Floppy, BootDevice::Disk, BootDevice::Cdrom];
    let boot = if setup.boot.is_empty() {
        &usual[..]
    } else {
        setup.boot
    };
    let nibble = |n: usize| match boot.get(n) {
        None => 0,
        Some(BootDevice::Floppy) => 1,
        Some(BootDevice::Disk) => 2,
        Some(BootDevice::Cdrom) => 3,
        Some(BootDevice::Network) => 4,
    };
    all.push((0x3D, nibble(0) | nibble(1) << 4));
    all.push((0x38, nibble(2) << 4 | 1));
    let sum: u16 = all
        .iter()
        .filter(|(at, _)| (0x10..=0x2D).contains(at))
        .map(|(_, value)| u16::from(*value))
        .sum();
    all.push((0x2E, (sum >> 8) as u8));
    all.push((0x2F, sum as u8));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_a_128_mib_machine_stands_in_all_its_places() {
        let all = bytes(&Setup {
            memory_bytes: 128 * MIB,
            pci_hole: 0xE000_0000,
            floppies: [Some(DriveType::Mb1_44), None],
            disks: 1,
            boot: &[BootDevice::Disk, BootDevice::Floppy],
        });
        let at = |n: u8| all.iter().find(|b| b.0 == n).map(|b| b.1);
        // 640 KiB base; 127 MiB extended is more than FFFFh KiB... the word saturates; 112 MiB are 1792 units.
        assert_eq!((at(0x15), at(0x16)), (Some(0x80), Some(0x02)));
        assert_eq!((at(0x30), at(0x31)), (Some(0xFF), Some(0xFF)));
        assert_eq!((at(0x34), at(0x35)), (Some(0x00), Some(0x07)));
        assert_eq!((at(0x10), at(0x12)), (Some(0x40), Some(0xF0)));
        assert_eq!(at(0x3D), Some(0x12));
        // Without an order: floppy, hard disk, CD.
        let usual = bytes(&Setup {
            memory_bytes: 128 * MIB,
            pci_hole: 0xE000_0000,
            floppies: [None, None],
            disks: 0,
            boot: &[],
        });
        assert!(usual.contains(&(0x3D, 0x21)) && usual.contains(&(0x38, 0x31)));
        // One floppy, FPU, mouse.
        assert_eq!(at(0x14), Some(0b0000_0111));
        let sum: u16 = (0x10..=0x2D).filter_map(at).map(u16::from).sum();
        assert_eq!(
            (at(0x2E), at(0x2F)),
            (Some((sum >> 8) as u8), Some(sum as u8))
        );
    }
}
