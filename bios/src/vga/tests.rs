use crate::vga_image;

/// The bytes of the video parameter table's entry `index`.
fn parameters(index: usize) -> Vec<u8> {
    let built = crate::image::built_vga();
    let start = built.offset_of("vga_parameters").unwrap() as usize + index * 64;
    built.bytes[start..start + 64].to_vec()
}

/// Fails after a change of the assembly until `cargo run -p bios --example write-roms` has run.
#[test]
fn the_kept_vga_image_is_the_assembled_one() {
    let built = crate::image::built_vga();
    assert!(built.bytes == vga_image(), "run write-roms");
    assert!(
        built.symbol_file() == crate::vga_symbols(),
        "run write-roms"
    );
}

#[test]
fn the_vga_image_is_an_expansion_rom_that_sums_up_to_zero() {
    let image = vga_image();
    assert_eq!(image[..2], [0x55, 0xaa]);
    assert_eq!(image.len(), usize::from(image[2]) * 512);
    assert!(image.len() <= 0xa000, "C0000-C9FFF at most");
    let sum = image.iter().fold(0u8, |sum, &byte| sum.wrapping_add(byte));
    assert_eq!(sum, 0);
}

#[test]
fn the_pci_data_structure_names_the_standard_vga() {
    let image = vga_image();
    let pcir = usize::from(u16::from_le_bytes([image[0x18], image[0x19]]));
    assert_eq!(pcir % 4, 0);
    let data = &image[pcir..pcir + 24];
    assert_eq!(data[..4], *b"PCIR");
    assert_eq!(data[4..8], [0x34, 0x12, 0x11, 0x11]);
    assert_eq!(data[10..12], [24, 0], "length");
    assert_eq!(data[13..16], [0, 0, 3], "class: VGA-compatible display");
    assert_eq!(data[16], image[2], "length in 512-byte blocks");
    assert_eq!(data[20..22], [0, 0x80], "PC-AT code, last image");
    assert_eq!(image[0x1e..0x21], *b"IBM");
}

// PS/2 Hardware Interface Technical Reference: mode 3 with 400 lines has 9-dot cells of 16 lines, 449 lines
// in all; mode 13h chains the planes and doubles each of 200 lines.
#[test]
fn the_parameters_are_those_of_the_technical_reference() {
    let mode_3 = parameters(0x18);
    assert_eq!(mode_3[..5], [80, 24, 16, 0x00, 0x10]);
    assert_eq!(mode_3[5..9], [0x00, 0x03, 0x00, 0x02]);
    assert_eq!(mode_3[9], 0x67);
    assert_eq!(mode_3[10..12], [0x5f, 0x4f]);
    assert_eq!(mode_3[10 + 6], 0xbf);
    assert_eq!(mode_3[10 + 0x18], 0xff);
    let mode_13 = parameters(0x1c);
    assert_eq!(mode_13[5 + 3], 0x0e);
    assert_eq!(mode_13[10 + 9], 0x41);
    assert_eq!(mode_13[55 + 5], 0x40);
    assert_eq!(mode_13[63], 0xff);
}

fn glyph(set: &str, height: usize, code: usize) -> Vec<u8> {
    let built = crate::image::built_vga();
    let start = built.offset_of(set).unwrap() as usize + code * height;
    built.bytes[start..start + height].to_vec()
}

#[test]
fn box_drawing_characters_join_in_each_set() {
    for (set, height) in [
        ("vga_font_8x8", 8),
        ("vga_font_8x14", 14),
        ("vga_font_8x16", 16),
    ] {
        let [vertical, horizontal, cross] = [0xb3, 0xc4, 0xc5].map(|c| glyph(set, height, c));
        // A vertical line runs from top to bottom, a horizontal one from side to side, and both meet.
        assert!(
            vertical
                .iter()
                .all(|&line| line == vertical[0] && line != 0)
        );
        assert!(horizontal.contains(&0xff));
        for line in 0..height {
            assert_eq!(cross[line], vertical[line] | horizontal[line], "{set}");
        }
        // The full block is full, and its halves complete each other.
        assert!(glyph(set, height, 0xdb).iter().all(|&line| line == 0xff));
        let [lower, upper] = [0xdc, 0xdf].map(|c| glyph(set, height, c));
        assert!((0..height).all(|line| lower[line] ^ upper[line] == 0xff));
    }
}

#[test]
fn every_character_but_the_blanks_has_a_glyph_of_its_own() {
    for (set, height) in [
        ("vga_font_8x8", 8),
        ("vga_font_8x14", 14),
        ("vga_font_8x16", 16),
    ] {
        let mut seen = std::collections::HashMap::new();
        for code in 1..255 {
            if code == 0x20 {
                continue;
            }
            let bitmap = glyph(set, height, code);
            assert!(bitmap.iter().any(|&line| line != 0), "{set} {code:#x}");
            if let Some(other) = seen.insert(bitmap, code) {
                panic!("{set}: {code:#x} looks like {other:#x}");
            }
        }
    }
}

/// (number, width, height, bits a pixel) of every entry of the VBE mode list.
fn vbe_modes() -> Vec<[u16; 4]> {
    let built = crate::image::built_vga();
    let start = built.offset_of("vga_vbe_modes").unwrap() as usize;
    let word = |at: usize| u16::from_le_bytes([built.bytes[at], built.bytes[at + 1]]);
    (0..)
        .map(|n| start + n * 8)
        .take_while(|&at| word(at) != 0)
        .map(|at| [word(at), word(at + 2), word(at + 4), word(at + 6)])
        .collect()
}

// VBE Core Functions Standard 2.0, section 3: the mode numbers that VESA has given out.
#[test]
fn vbe_modes_have_the_numbers_that_vesa_gave_them() {
    let modes = vbe_modes();
    for wanted in [
        [0x100, 640, 400, 8],
        [0x101, 640, 480, 8],
        [0x102, 800, 600, 4],
        [0x103, 800, 600, 8],
        [0x104, 1024, 768, 4],
        [0x105, 1024, 768, 8],
        [0x106, 1280, 1024, 4],
        [0x107, 1280, 1024, 8],
        [0x10d, 320, 200, 15],
        [0x111, 640, 480, 16],
        [0x118, 1024, 768, 24],
        [0x11b, 1280, 1024, 24],
    ] {
        assert!(modes.contains(&wanted), "{wanted:x?}");
    }
}

#[test]
fn vbe_mode_numbers_are_unique_and_every_mode_can_be_described() {
    let modes = vbe_modes();
    for (n, [number, width, height, bits]) in modes.iter().copied().enumerate() {
        assert!((0x100..0x200).contains(&number));
        assert!(modes[..n].iter().all(|other| other[0] < number), "sorted");
        assert!(matches!(bits, 4 | 8 | 15 | 16 | 24 | 32));
        assert_eq!(width % 8, 0, "whole characters");
        let row_bytes =
            u32::from(width) * u32::from(bits.div_ceil(8)) / if bits == 4 { 8 } else { 1 };
        assert!(row_bytes <= 0xffff, "{number:x}: the field has 16 bits");
        let bytes = row_bytes * u32::from(height);
        assert!(
            bytes <= 16 << 20,
            "{number:x}: more than the default memory"
        );
    }
}
