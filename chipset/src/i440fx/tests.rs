use super::*;
use emu_core::bus::{Gpa, MemoryMap, Route};
use emu_core::testkit::{Bench, conformance, golden};

const MIB: usize = 1 << 20;

fn bench(bytes: usize) -> Bench<I440fx> {
    Bench::new(|_| I440fx::new(Ram::new("dram", bytes).expect("memory"), I440fx::PCI_HOLE))
}

fn get(b: &mut Bench<I440fx>, offset: u8, width: Width) -> u32 {
    b.with(|d, cx| d.config_read(offset, width, cx))
}

fn set(b: &mut Bench<I440fx>, offset: u8, value: u8) {
    b.with(|d, cx| d.config_write(offset, Width::Byte, value.into(), cx));
}

/// Whether DRAM answers (reads, writes) at an address.
fn answers(b: &Bench<I440fx>, at: u64, smm: bool) -> (bool, bool) {
    let mut map = MemoryMap::default();
    map.rebuild(&b.decoded());
    let dram = |r: Route| matches!(r, Route::Ram(s) if s.ram == b.device.dram);
    (
        dram(map.read_route(Gpa(at), smm)),
        dram(map.write_route(Gpa(at), smm)),
    )
}

const BOTH: (bool, bool) = (true, true);
const NONE: (bool, bool) = (false, false);

#[test]
fn it_keeps_the_laws_of_devices() {
    conformance(|_| I440fx::new(Ram::new("dram", 2 * MIB).expect("memory"), I440fx::PCI_HOLE));
}

#[test]
fn the_header_and_the_defaults_are_those_of_the_datasheet() {
    let mut b = bench(MIB);
    for (offset, value) in [
        (0x00, 0x1237_8086),
        (0x04, 0x0280_0006),
        (0x08, 0x0600_0002),
        (0x0C, 0x0000_0000),
        (0x58, 0x0000_0010),
        (0x5C, 0x0000_0000),
        (0x60, 0x0101_0101),
        (0x64, 0x0101_0101),
        (0x70, 0x0002_1000),
        (0x90, 0x0000_0000),
    ] {
        assert_eq!(get(&mut b, offset, Width::Dword), value, "{offset:X}h");
    }
    assert_eq!(get(&mut b, 0x57, Width::Byte), 0x01);
}

#[test]
fn confadd_is_a_register_for_doublewords_only() {
    let mut b = bench(MIB);
    b.write(0xCF8, Width::Dword, 0xFFFF_FFFF);
    assert_eq!(b.read(0xCF8, Width::Dword), 0x80FF_FFFC);
    b.write(0xCF8, Width::Byte, 0x00);
    b.write(0xCF8, Width::Word, 0x0000);
    assert_eq!(b.read(0xCF8, Width::Dword), 0x80FF_FFFC);
    assert_eq!(b.read(0xCF8, Width::Word), 0xFFFF);
    let address = b.device.config_address().expect("enabled");
    assert_eq!(
        (
            address.bus,
            address.device,
            address.function,
            address.register
        ),
        (0xFF, 0x1F, 7, 0xFC)
    );
    b.write(0xCF8, Width::Dword, 0x7FFF_FFFF);
    assert_eq!(b.device.config_address(), None);
}

#[test]
fn each_pam_field_steers_reads_and_writes_of_its_segment() {
    let segments = [
        (0x59, 4, 0xF_0000, 0xF_FFFF),
        (0x5A, 0, 0xC_0000, 0xC_3FFF),
        (0x5A, 4, 0xC_4000, 0xC_7FFF),
        (0x5B, 0, 0xC_8000, 0xC_BFFF),
        (0x5B, 4, 0xC_C000, 0xC_FFFF),
        (0x5C, 0, 0xD_0000, 0xD_3FFF),
        (0x5C, 4, 0xD_4000, 0xD_7FFF),
        (0x5D, 0, 0xD_8000, 0xD_BFFF),
        (0x5D, 4, 0xD_C000, 0xD_FFFF),
        (0x5E, 0, 0xE_0000, 0xE_3FFF),
        (0x5E, 4, 0xE_4000, 0xE_7FFF),
        (0x5F, 0, 0xE_8000, 0xE_BFFF),
        (0x5F, 4, 0xE_C000, 0xE_FFFF),
    ];
    let mut b = bench(MIB);
    for (register, shift, first, last) in segments {
        for field in 0..4u8 {
            set(&mut b, register, field << shift);
            let expected = (field & 1 != 0, field & 2 != 0);
            assert_eq!(answers(&b, first, false), expected, "{first:X}h");
            assert_eq!(answers(&b, last, false), expected, "{last:X}h");
            for other in segments.iter().filter(|s| s.2 != first) {
                assert_eq!(answers(&b, other.2, false), NONE);
            }
        }
        set(&mut b, register, 0);
    }
}

#[test]
fn the_low_half_of_pam0_does_not_exist() {
    let mut b = bench(MIB);
    set(&mut b, 0x59, 0xFF);
    assert_eq!(get(&mut b, 0x59, Width::Byte), 0x30);
}

#[test]
fn smram_is_dram_in_smm_or_when_open() {
    let mut b = bench(MIB);
    let at = 0xA_0000;
    assert_eq!(
        (answers(&b, at, false), answers(&b, at, true)),
        (NONE, NONE)
    );
    set(&mut b, 0x72, 0x08);
    assert_eq!(
        (answers(&b, at, false), answers(&b, at, true)),
        (NONE, BOTH)
    );
    set(&mut b, 0x72, 0x48);
    assert_eq!(
        (answers(&b, 0xB_FFFF, false), answers(&b, at, true)),
        (BOTH, BOTH)
    );
    assert_eq!(get(&mut b, 0x72, Width::Byte), 0x4A);
}

#[test]
fn a_locked_smram_stays_closed_until_reset() {
    let mut b = bench(MIB);
    set(&mut b, 0x72, 0x58);
    assert_eq!(get(&mut b, 0x72, Width::Byte), 0x1A);
    set(&mut b, 0x72, 0x48);
    assert_eq!(get(&mut b, 0x72, Width::Byte), 0x1A);
    b.reset(ResetKind::Hard);
    assert_eq!(get(&mut b, 0x72, Width::Byte), 0x02);
}

#[test]
fn the_fixed_holes_take_dram_away() {
    let mut b = bench(32 * MIB);
    for (fdhc, low, high) in [(0x00, BOTH, BOTH), (0x40, NONE, BOTH), (0x80, BOTH, NONE)] {
        set(&mut b, 0x68, fdhc);
        assert_eq!(answers(&b, 0x8_0000, false), low);
        assert_eq!(answers(&b, 0x9_FFFF, false), low);
        assert_eq!(answers(&b, 0x7_FFFF, false), BOTH);
        assert_eq!(answers(&b, 15 << 20, false), high);
        assert_eq!(answers(&b, (16 << 20) - 1, false), high);
        assert_eq!(answers(&b, 16 << 20, false), BOTH);
    }
}

#[test]
fn dram_ends_at_its_size_and_goes_on_above_4_gib_past_the_hole() {
    let b = bench(4 * MIB);
    assert_eq!(answers(&b, (4 << 20) - 1, false), BOTH);
    assert_eq!(answers(&b, 4 << 20, false), NONE);
    let dram = Ram::new("dram", 4 * MIB).expect("memory");
    let mut b = Bench::new(|_| I440fx::new(dram, 3 << 20));
    assert_eq!(answers(&b, 3 << 20, false), NONE);
    b.mem_write(1 << 32, Width::Dword, 0x1234_5678);
    assert_eq!(b.device.dram.read_u32(3 << 20), 0x1234_5678);
    assert_eq!(answers(&b, (1 << 32) + (1 << 20), false), NONE);
}

#[test]
fn trc_resets_on_a_rising_edge_of_its_bit_2() {
    let mut b = bench(MIB);
    set(&mut b, 0x93, 0x04);
    assert_eq!(b.take_requests().reset, Some(ResetKind::Init));
    set(&mut b, 0x93, 0x06);
    assert_eq!(b.take_requests().reset, None);
    set(&mut b, 0x93, 0x02);
    set(&mut b, 0x93, 0x06);
    assert_eq!(b.take_requests().reset, Some(ResetKind::Hard));
}

#[test]
fn a_board_can_give_it_a_subsystem_id() {
    let dram = Ram::new("dram", MIB).expect("memory");
    let mut b = Bench::new(|_| I440fx::new(dram, I440fx::PCI_HOLE).with_subsystem(0x1AF4, 0x1100));
    b.with(|d, cx| d.config_write(0x2C, Width::Dword, 0, cx));
    assert_eq!(get(&mut b, 0x2C, Width::Dword), 0x1100_1AF4);
}

#[test]
fn a_state_saved_by_version_1_still_loads() {
    golden(
        |_| I440fx::new(Ram::new("dram", MIB).expect("memory"), I440fx::PCI_HOLE),
        concat!(env!("CARGO_MANIFEST_DIR"), "/src/i440fx"),
    );
}
