//! IDENTIFY DEVICE (ATA/ATAPI-6 section 8.15).

use super::atapi::{CdRom, CdState};
use super::disk::{Disk, DiskState};
use super::spec::{LBA28_SECTORS, MULTIPLE_MAX};

/// 256 words, little-endian.
pub(super) struct Words(pub [u16; 256]);

impl Words {
    pub fn new() -> Self {
        Self([0; 256])
    }

    /// A string: two characters in a word, the first in the high byte, padded with blanks (section 3.2.8).
    pub fn text(&mut self, first: usize, words: usize, text: &str) {
        let mut bytes: Vec<u8> = text
            .bytes()
            .map(|b| if (0x20..0x7F).contains(&b) { b } else { b'?' })
            .collect();
        bytes.resize(words * 2, b' ');
        for (i, pair) in bytes.chunks_exact(2).enumerate() {
            self.0[first + i] = u16::from_be_bytes([pair[0], pair[1]]);
        }
    }

    /// A number of 32 bits, low word first.
    pub fn dword(&mut self, first: usize, value: u32) {
        self.0[first] = value as u16;
        self.0[first + 1] = (value >> 16) as u16;
    }

    /// All bytes, with signature and checksum in word 255 (section 8.15.66).
    pub fn bytes(mut self) -> Vec<u8> {
        self.0[255] = 0x00A5;
        let mut bytes: Vec<u8> = self.0.iter().flat_map(|w| w.to_le_bytes()).collect();
        bytes[511] = checksum(&bytes[..511]);
        bytes
    }
}

/// The byte that makes a sum of 0.
pub(super) fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0u8, |a, b| a.wrapping_sub(*b))
}

/// Words 63 and 88: modes supported in the low byte, the selected one in the high byte.
fn modes(supported: u16, selected: Option<u8>) -> u16 {
    supported | selected.map_or(0, |n| 0x100 << (n & 7))
}

/// IDENTIFY DEVICE of a disk that is device 1 (`second`) or device 0 of its cable.
pub(super) fn disk(disk: &Disk, s: &DiskState, second: bool) -> Vec<u8> {
    let mut w = Words::new();
    let default = disk.default_chs();
    // A fixed ATA device.
    w.0[0] = 0x0040;
    w.0[1] = default.cylinders;
    w.0[3] = default.heads.into();
    w.0[6] = default.sectors.into();
    w.text(10, 10, &disk.identity.serial);
    w.text(23, 4, &disk.identity.firmware);
    w.text(27, 20, &disk.identity.model);
    w.0[47] = 0x8000 | u16::from(MULTIPLE_MAX);
    // LBA, DMA, IORDY may be disabled, IORDY, standby timer values of the standard.
    w.0[49] = 0x2F00;
    w.0[50] = 0x4000;
    w.0[51] = 0x0200;
    // Words 54 to 58, 64 to 70 and 88 are valid.
    w.0[53] = 0x0007;
    w.0[54] = s.chs.cylinders;
    w.0[55] = s.chs.heads.into();
    w.0[56] = s.chs.sectors.into();
    let chs_sectors =
        u32::from(s.chs.cylinders) * u32::from(s.chs.heads) * u32::from(s.chs.sectors);
    w.dword(57, chs_sectors);
    w.0[59] = match s.multiple {
        0 => 0,
        n => 0x0100 | u16::from(n),
    };
    w.dword(60, s.accessible.min(LBA28_SECTORS) as u32);
    w.0[63] = modes(0x0007, s.multiword_mode);
    // PIO modes 3 and 4; cycle times of 120 ns.
    w.0[64] = 0x0003;
    for word in &mut w.0[65..=68] {
        *word = 120;
    }
    // ATA-1 to ATA/ATAPI-6.
    w.0[80] = 0x007E;
    w.0[81] = 0x0000;
    // Supported: SMART, power management, write cache, look-ahead, host protected area, WRITE and READ BUFFER, NOP.
    w.0[82] = 0x0001 | 0x0008 | 0x0020 | 0x0040 | 0x0400 | 0x1000 | 0x2000 | 0x4000;
    // 48-bit addresses, FLUSH CACHE, FLUSH CACHE EXT.
    w.0[83] = 0x4000 | 0x0400 | 0x1000 | 0x2000;
    // SMART error log and self-test.
    w.0[84] = 0x4000 | 0x0003;
    w.0[85] = (w.0[82] & !0x0061)
        | u16::from(s.smart.enabled)
        | (u16::from(s.write_cache) << 5)
        | (u16::from(s.read_ahead) << 6);
    w.0[86] = w.0[83] & !0xC000;
    w.0[87] = w.0[84];
    w.0[88] = modes(0x003F, s.ultra_mode);
    // Hardware reset result: 80-conductor cable seen; in its own half each device tells that its number was set by a
    // jumper, and device 0 that it passed its diagnostics, device 1 that it asserted PDIAG-.
    w.0[93] = 0x6000 | if second { 0x0B00 } else { 0x000B };
    let long = s.accessible.to_le_bytes();
    for (i, pair) in long.chunks_exact(2).enumerate().take(3) {
        w.0[100 + i] = u16::from_le_bytes([pair[0], pair[1]]);
    }
    // Word 128 stays 0: no security feature set.
    w.bytes()
}

/// IDENTIFY PACKET DEVICE (section 8.16).
pub(super) fn packet(cd: &CdRom, s: &CdState) -> Vec<u8> {
    let mut w = Words::new();
    // Packet device, CD-ROM, removable, DRQ within 50 microseconds, packets of 12 bytes.
    w.0[0] = 0x85C0;
    w.text(10, 10, &cd.identity.serial);
    w.text(23, 4, &cd.identity.firmware);
    w.text(27, 20, &cd.identity.model);
    // DMA, LBA, IORDY.
    w.0[49] = 0x0F00;
    w.0[50] = 0x4000;
    w.0[51] = 0x0200;
    w.0[53] = 0x0006;
    w.0[63] = modes(0x0007, s.multiword_mode);
    w.0[64] = 0x0003;
    for word in &mut w.0[65..=68] {
        *word = 120;
    }
    w.0[80] = 0x007E;
    // Power management, PACKET, DEVICE RESET, NOP.
    w.0[82] = 0x0008 | 0x0010 | 0x0200 | 0x4000;
    w.0[83] = 0x4000;
    w.0[84] = 0x4000;
    w.0[85] = w.0[82];
    w.0[87] = 0x4000;
    w.0[88] = modes(0x0007, s.ultra_mode);
    w.bytes()
}
