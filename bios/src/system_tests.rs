//! What software expects to find in the system BIOS image, restated from the documents.

use crate::{system_image, system_symbols};

fn word(at: usize) -> usize {
    let image = system_image();
    usize::from(image[at]) | usize::from(image[at + 1]) << 8
}

fn dword(at: usize) -> usize {
    word(at) | word(at + 2) << 16
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// The offset of a symbol in the F000 segment.
fn symbol(name: &str) -> usize {
    let line = system_symbols()
        .lines()
        .find(|line| line.split(' ').nth(1) == Some(name))
        .unwrap_or_else(|| panic!("no symbol {name}"));
    usize::from_str_radix(&line[..8], 16).unwrap() - 0xf_0000
}

/// The offset of the first paragraph that begins with `anchor`.
fn anchor(anchor: &[u8]) -> usize {
    (0..0x1_0000)
        .step_by(16)
        .find(|&at| system_image()[at..].starts_with(anchor))
        .unwrap_or_else(|| panic!("no {anchor:?}"))
}

#[test]
fn the_classical_entry_points_are_jumps_at_their_addresses() {
    // IBM PC AT Technical Reference, BIOS listings: POST, NMI, INT 13h, 19h, 14h, 16h, 09h, 13h (diskette),
    // 0Eh, 17h, 12h, 11h, 15h, 1Ah, 08h, 05h.
    for at in [
        0xe05b, 0xe2c3, 0xe3fe, 0xe6f2, 0xe739, 0xe82e, 0xe987, 0xec59, 0xef57, 0xefd2, 0xf841,
        0xf84d, 0xf859, 0xfe6e, 0xfea5, 0xff54,
    ] {
        assert_eq!(system_image()[at], 0xe9, "at {at:04x}");
        let target = (at + 3 + word(at + 1)) & 0xffff;
        assert!(target < 0xe000, "at {at:04x} to {target:04x}");
    }
    for at in [0xf065, 0xff53] {
        assert_eq!(system_image()[at], 0xcf, "IRET at {at:04x}");
    }
}

#[test]
fn the_vector_table_holds_interrupts_08_to_1f() {
    let vector = |number: usize| word(0xfef3 + 2 * (number - 8));
    for (number, offset) in [
        (0x08, 0xfea5),
        (0x09, 0xe987),
        (0x0e, 0xef57),
        (0x10, 0xf065),
        (0x11, 0xf84d),
        (0x12, 0xf841),
        (0x13, 0xe3fe),
        (0x14, 0xe739),
        (0x15, 0xf859),
        (0x16, 0xe82e),
        (0x17, 0xefd2),
        (0x19, 0xe6f2),
        (0x1a, 0xfe6e),
        (0x1c, 0xff53),
        (0x1d, 0xf0a4),
        (0x1e, 0xefc7),
    ] {
        assert_eq!(vector(number), offset, "INT {number:02x}h");
    }
}

#[test]
fn the_diskette_parameter_table_describes_a_1440_kib_medium() {
    let table = &system_image()[0xefc7..0xefc7 + 11];
    assert_eq!(table[3], 2, "512 bytes a sector");
    assert_eq!(table[4], 18, "sectors a track");
    assert_eq!(table[5], 0x1b, "gap length of 1.44 MB");
    assert_eq!(table[7], 0x6c, "format gap of 1.44 MB");
    assert_eq!(table[8], 0xf6, "fill byte");
}

#[test]
fn the_configuration_table_names_model_and_features() {
    assert_eq!(word(0xe6f5), 8);
    assert_eq!(system_image()[0xe6f7], 0xfc, "model: AT");
    // Feature byte 1: second 8259 (bit 6), clock (5), keyboard intercept (4), extended BIOS data area (2).
    assert_eq!(system_image()[0xe6fa], 0b0111_0100);
}

#[test]
fn the_pnp_structure_is_whole() {
    let at = anchor(b"$PnP");
    assert_eq!(system_image()[at + 5], 0x21);
    assert_eq!(sum(&system_image()[at..at + 0x21]), 0);
    assert_eq!(word(at + 0x0f), 0xf000, "real-mode entry segment");
}

#[test]
fn the_smbios_structures_can_be_walked_to_their_end() {
    let at = anchor(b"_SM_");
    let image = system_image();
    let length = usize::from(image[at + 5]);
    assert_eq!(length, 0x1f);
    assert_eq!(sum(&image[at..at + length]), 0);
    assert_eq!(&image[at + 0x10..at + 0x15], b"_DMI_");
    assert_eq!(sum(&image[at + 0x10..at + 0x1f]), 0);
    let (mut place, end) = (dword(at + 0x18) - 0xf_0000, word(at + 0x16));
    let end = place + end;
    let mut types = Vec::new();
    while place < end {
        types.push(image[place]);
        let mut strings = place + usize::from(image[place + 1]);
        while image[strings] != 0 || image[strings + 1] != 0 {
            strings += 1;
        }
        place = strings + 2;
    }
    assert_eq!(place, end);
    assert_eq!(types, [0, 1, 3, 4, 16, 17, 19, 32, 127]);
    assert_eq!(word(at + 0x1c), types.len());
}

#[test]
fn tables_of_optional_hardware_are_not_found_before_post_has_found_the_hardware() {
    for signature in [&b"_32_"[..], b"$PIR", b"RSD PTR "] {
        let found = (0..0x1_0000)
            .step_by(16)
            .any(|at| system_image()[at..].starts_with(signature));
        assert!(!found, "{signature:?}");
    }
}

#[test]
fn the_character_set_at_fa6e_is_the_vga_bios_one() {
    // The letter A has a bar and legs: its rows are not blank but for the last.
    let glyph = &system_image()[0xfa6e + 8 * 0x41..][..8];
    assert!(glyph[..7].iter().all(|row| *row != 0));
    assert_eq!(system_image()[0xfa6e..0xfa6e + 8], [0; 8]);
}

#[test]
fn every_symbol_lies_in_the_image_and_the_code_stays_below_the_fixed_part() {
    let mut highest_code = 0;
    for line in system_symbols().lines() {
        let address = usize::from_str_radix(&line[..8], 16).unwrap();
        assert!((0xf_0000..0x10_0000).contains(&address), "{line}");
        if address < 0xf_e05b {
            highest_code = highest_code.max(address);
        }
    }
    assert!(highest_code < 0xf_e000);
    assert_eq!(symbol("reset_entry"), 0xe05b);
    assert_eq!(symbol("font_8x8"), 0xfa6e);
}
