//! Image files: whether they are recognised, opened, read and written without harm, whatever is in them.

use crate::{Target, hostile, pc};
use emu_core::testkit::Rng;
use machine::media::{self, DriveSlot, OpenOptions};

pub const MEDIA: Target = Target {
    name: "media",
    about: "image files with random and damaged headers; steps are files",
    steps: 1,
    play,
};

/// Sizes at which something is decided.
const SIZES: [u64; 14] = [
    1,
    511,
    512,
    513,
    2048,
    0x8000,
    0x8006,
    160 << 10,
    360 << 10,
    1440 << 10,
    (1440 << 10) - 512,
    2880 << 10,
    (2880 << 10) + 512,
    5 << 20,
];

fn header(rng: &mut Rng) -> Vec<u8> {
    let mut bytes = vec![0; 0x8800];
    if rng.below(4) == 0 {
        hostile::fill(&mut bytes, rng);
    }
    if rng.below(2) == 0 {
        bytes[510..512].copy_from_slice(&[0x55, 0xAA]);
    }
    if rng.below(2) == 0 {
        // A BIOS parameter block of a 1440K disk.
        bytes[..3].copy_from_slice(&[0xEB, 0x3C, 0x90]);
        bytes[11..26].copy_from_slice(&[0, 2, 1, 1, 0, 2, 224, 0, 0x40, 0x0B, 0xF0, 9, 0, 18, 0]);
    }
    if rng.below(3) == 0 {
        // A partition.
        bytes[446..462]
            .copy_from_slice(&[0x80, 1, 1, 0, 6, 15, 63, 100, 63, 0, 0, 0, 0, 0x40, 0x1F, 0]);
    }
    if rng.below(3) == 0 {
        bytes[0x8000..0x8006].copy_from_slice(b"\x01CD001");
    }
    match rng.below(12) {
        0 => bytes[..4].copy_from_slice(b"QFI\xFB"),
        1 => bytes[..4].copy_from_slice(b"KDMV"),
        2 => bytes[..8].copy_from_slice(b"conectix"),
        3 => bytes[0x40..0x44].copy_from_slice(b"\x7F\x10\xDA\xBE"),
        _ => {}
    }
    bytes
}

fn play(rng: &mut Rng, _steps: u64) {
    let mut bytes = header(rng);
    hostile::damage(&mut bytes, rng);
    let size = match rng.below(3) {
        0 => SIZES[rng.below(SIZES.len() as u64) as usize],
        1 => rng.below(6 << 20),
        // Terabytes of nothing.
        _ => (1u64 << (20 + rng.below(22))) + rng.below(3) - 1,
    };
    bytes.truncate(size as usize);
    let path = pc::image("media.img", &bytes);
    let file = std::fs::File::options()
        .write(true)
        .open(&path)
        .expect("the image file");
    // A file system may have no room for so large a hole.
    let _ = file.set_len(size);
    drop(file);
    let told = media::recognise(&path);
    if let Err(e) = &told {
        assert!(!e.to_string().contains('\n'));
    }
    for slot in [DriveSlot::Floppy, DriveSlot::HardDisk, DriveSlot::Cdrom] {
        let options = OpenOptions {
            read_only: rng.below(2) == 0,
            snapshot: true,
        };
        let Ok(mut medium) = media::open(&path, slot, options) else {
            continue;
        };
        let sectors = medium.sectors();
        let mut sector = [0; 2048];
        for _ in 0..8 {
            let count = 1 + rng.below(4);
            let lba = match rng.below(4) {
                0 => u64::MAX - rng.below(4),
                1 => sectors.saturating_sub(rng.below(4)),
                _ => rng.below(sectors),
            };
            let piece = &mut sector[..count as usize * 512];
            let inside = lba.checked_add(count).is_some_and(|end| end <= sectors);
            assert_eq!(medium.read(lba, piece).is_ok(), inside, "read of {lba}");
            let may_write = inside && !medium.read_only();
            assert_eq!(
                medium.write(lba, piece).is_ok(),
                may_write,
                "write of {lba}"
            );
        }
    }
}
