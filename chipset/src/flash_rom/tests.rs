use super::*;
use emu_core::Width;
use emu_core::testkit::{Bench, conformance};

fn image(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|i| (i >> 12) as u8).collect()
}

/// A ROM in place of the bench's RAM, which covers the low alias at the same priority.
fn low_and_high(bytes: usize) -> (Vec<(u64, u64, usize)>, FlashRom) {
    let rom = FlashRom::new(&image(bytes)).expect("a good size");
    let mut decode = Decode::default();
    rom.decode(&mut decode);
    let ranges = decode.memory_ranges().iter();
    let seen = ranges.map(|r| match &r.target {
        emu_core::bus::MemoryTarget::Ram { offset, .. } => (r.base, r.len, *offset),
        other => panic!("{other:?}"),
    });
    (seen.collect(), rom)
}

#[test]
fn it_keeps_the_laws_of_devices() {
    conformance(|_| FlashRom::new(&image(64 << 10)).expect("a good size"));
}

#[test]
fn the_image_ends_at_4_gib_and_its_last_128_kib_at_1_mib() {
    let (ranges, _) = low_and_high(256 << 10);
    assert_eq!(
        ranges,
        [(0xFFFC_0000, 0x4_0000, 0), (0xE_0000, 0x2_0000, 0x2_0000)]
    );
    let (ranges, _) = low_and_high(64 << 10);
    assert_eq!(
        ranges,
        [(0xFFFF_0000, 0x1_0000, 0), (0xF_0000, 0x1_0000, 0)]
    );
}

#[test]
fn it_cannot_be_written() {
    let mut b = Bench::new(|_| FlashRom::new(&image(64 << 10)).expect("a good size"));
    b.mem_write(0xFFFF_F000, Width::Dword, 0);
    assert_eq!(b.mem_read(0xFFFF_F000, Width::Dword), 0x0F0F_0F0F);
}

#[test]
fn images_of_odd_sizes_are_refused() {
    for n in [
        0,
        1,
        4096,
        (64 << 10) + 1,
        96 << 10,
        (16 << 20) + (64 << 10),
    ] {
        assert!(matches!(FlashRom::new(&vec![0; n]), Err(ImageError::Size(m)) if m == n));
    }
}
