use super::*;

/// Loads a glyph: `rows` of character `code` in the font at `font` of map 2.
fn glyph(b: &mut Bench<Vga>, font: usize, code: u8, rows: &[u8]) {
    for (i, &row) in rows.iter().enumerate() {
        let at = font + usize::from(code) * 32 + i;
        b.device.vram.write_u8(at * 4 + 2, row);
    }
}

fn text_bench(mode: &ModeTable) -> Bench<Vga> {
    let mut b = isa();
    b.set_mode(mode);
    // The cursor stays out of the way unless a test wants it.
    b.crtc(0x0A, 0x20);
    b
}

#[test]
fn text_is_720_by_400_with_characters_of_nine_dots() {
    let mut b = text_bench(&mode_03());
    glyph(&mut b, 0, b'A', &[0b1000_0001; 16]);
    b.mem_write(0xB_8000, Width::Dword, 0x1E41_1E41);
    let f = b.picture();
    assert_eq!((f.width, f.height), (720, 400));
    let (fore, back) = (colour(0x3E), colour(0x01));
    let row: Vec<u32> = f.pixels[..18].to_vec();
    let one = [fore, back, back, back, back, back, back, fore, back];
    assert_eq!(row, [one, one].concat());
    assert_eq!(pixel(&f, 0, 15), fore);
    assert_eq!(pixel(&f, 0, 16), colour(0));
}

#[test]
fn line_graphics_continue_into_the_ninth_dot() {
    for (code, enabled, ninth) in [
        (0xC4, true, true),
        (0xC4, false, false),
        (0xE0, true, false),
    ] {
        let mut b = text_bench(&mode_03());
        b.attribute(0x10, if enabled { 0x0C } else { 0x08 });
        glyph(&mut b, 0, code, &[0xFF; 16]);
        b.mem_write(0xB_8000, Width::Word, 0x0700 | u64::from(code));
        let f = b.picture();
        assert_eq!(pixel(&f, 7, 3), colour(0x07));
        assert_eq!(
            pixel(&f, 8, 3),
            colour(if ninth { 0x07 } else { 0x00 }),
            "{code:X}h"
        );
    }
}

#[test]
fn forty_columns_have_dots_of_two_clocks() {
    let mut b = text_bench(&mode_01());
    glyph(&mut b, 0, 1, &[0x40; 16]);
    b.mem_write(0xB_8000, Width::Word, 0x0701);
    let f = b.picture();
    assert_eq!((f.width, f.height), (720, 400));
    assert_eq!(&f.pixels[..5], [0, 0, colour(7), colour(7), 0]);
}

#[test]
fn the_cursor_covers_its_rows_and_blinks_with_half_of_16_frames() {
    let mut b = text_bench(&mode_03());
    b.crtc(0x0A, 13);
    b.crtc(0x0B, 14);
    b.crtc(0x0E, 0);
    b.crtc(0x0F, 82);
    b.mem_write(0xB_8000 + 164, Width::Word, 0x0720);
    let at = (2 * 9, 16);
    let shown = |b: &mut Bench<Vga>| {
        let f = b.picture();
        (12..16)
            .map(|y| pixel(&f, at.0, at.1 + y) == colour(7))
            .collect::<Vec<_>>()
    };
    let mut phases = Vec::new();
    for _ in 0..64 {
        b.run_to_next_timer();
        let rows = shown(&mut b);
        assert!(rows == [false, true, true, false] || rows == [false; 4]);
        phases.push(rows[1]);
    }
    assert_eq!(phases.iter().filter(|&&on| on).count(), 32);
    let changes = phases.windows(2).filter(|w| w[0] != w[1]).count();
    assert!((7..=8).contains(&changes), "{changes} changes in 64 frames");
}

#[test]
fn a_cursor_that_ends_before_it_starts_is_not_shown() {
    let mut b = text_bench(&mode_03());
    b.crtc(0x0A, 14);
    b.crtc(0x0B, 13);
    b.mem_write(0xB_8000, Width::Word, 0x0720);
    assert!(b.picture().pixels.iter().all(|&p| p == 0));
}

#[test]
fn attribute_bit_7_blinks_or_brightens_the_background() {
    let mut b = text_bench(&mode_03());
    glyph(&mut b, 0, 1, &[0xFF; 16]);
    b.mem_write(0xB_8000, Width::Word, 0x9701);
    let mut shown = 0;
    for _ in 0..64 {
        b.run_to_next_timer();
        let f = b.picture();
        assert_eq!(pixel(&f, 8, 0), colour(0x01));
        shown += u32::from(pixel(&f, 0, 0) == colour(0x07));
    }
    assert_eq!(shown, 32);
    b.attribute(0x10, 0x04);
    assert_eq!(pixel(&b.picture(), 8, 0), colour(0x39));
}

#[test]
fn attribute_bit_3_selects_the_second_font() {
    let mut b = text_bench(&mode_03());
    // Font A (bit 3 set) at 8 KiB: number 100b. Font B at 0.
    b.indexed(0x3C4, 3, 0x20);
    glyph(&mut b, 0x0000, 1, &[0x80; 16]);
    glyph(&mut b, 0x2000, 1, &[0x01; 16]);
    b.mem_write(0xB_8000, Width::Dword, 0x0F01_0701);
    let f = b.picture();
    assert_eq!([pixel(&f, 0, 0), pixel(&f, 7, 0)], [colour(7), 0]);
    assert_eq!([pixel(&f, 9, 0), pixel(&f, 16, 0)], [0, colour(0x3F)]);
}

#[test]
fn fonts_stand_where_the_map_select_says() {
    let mut s = sequencer::Sequencer::default();
    s.set_index(3);
    for (n, kib) in [
        (0, 0),
        (1, 16),
        (2, 32),
        (3, 48),
        (4, 8),
        (5, 24),
        (6, 40),
        (7, 56),
    ] {
        s.write((n & 3) | ((n & 4) << 2));
        assert_eq!(s.fonts(), [kib * 1024, 0]);
        s.write(((n & 3) << 2) | ((n & 4) << 3));
        assert_eq!(s.fonts(), [0, kib * 1024]);
    }
}

#[test]
fn monochrome_text_underlines_attribute_1_on_line_13() {
    let mut b = text_bench(&mode_07());
    b.mem_write(0xB_0000, Width::Dword, 0x0720_0120);
    let f = b.picture();
    let lit = |x, y| pixel(&f, x, y) == colour(0x08);
    assert!((0..9).all(|x| lit(x, 13)));
    assert!(!lit(0, 12) && !lit(0, 14) && !lit(9, 13));
}

#[test]
fn the_text_screen_holds_cells_cursor_and_colours() {
    let mut b = text_bench(&mode_03());
    b.crtc(0x0A, 0x0D);
    b.crtc(0x0C, 0x00);
    b.crtc(0x0D, 80);
    b.crtc(0x0E, 0);
    b.crtc(0x0F, 80 + 83);
    b.mem_write(0xB_8000 + 160, Width::Word, 0x1F48);
    let t = Display::text(&b.device).expect("text mode");
    assert_eq!((t.columns, t.rows, t.cells.len()), (80, 25, 2000));
    assert_eq!((t.cells[0].character, t.cells[0].attribute), (b'H', 0x1F));
    assert_eq!(t.cursor, Some((3, 1)));
    assert_eq!((t.palette[6], t.blink), (colour(0x14), true));
    b.set_mode(&mode_12());
    assert_eq!(Display::text(&b.device), None);
}

#[test]
fn mode_13h_shows_each_byte_as_four_pixels() {
    let mut b = isa();
    b.set_mode(&mode_13());
    for (at, v) in [(0, 1u64), (1, 2), (319, 3), (320, 4), (63_999, 200)] {
        b.mem_write(0xA_0000 + at, Width::Byte, v);
    }
    let f = b.picture();
    assert_eq!((f.width, f.height), (640, 400));
    for (x, y, v) in [
        (0, 0, 1),
        (1, 1, 1),
        (2, 0, 2),
        (639, 1, 3),
        (0, 2, 4),
        (1, 3, 4),
    ] {
        assert_eq!(pixel(&f, x, y), colour(v), "{x},{y}");
    }
    assert_eq!(pixel(&f, 639, 399), colour(200));
    assert_eq!(pixel(&f, 637, 399), colour(0));
}

#[test]
fn mode_x_shows_240_lines_and_pans_by_whole_pixels() {
    let mut b = isa();
    b.set_mode(&mode_x());
    for map in 0..4u8 {
        b.indexed(0x3C4, 2, 1 << map);
        b.mem_write(0xA_0000, Width::Byte, 10 + u64::from(map));
        b.mem_write(0xA_0000 + 80 * 239 + 79, Width::Byte, 20 + u64::from(map));
    }
    let f = b.picture();
    assert_eq!((f.width, f.height), (640, 480));
    for i in 0..4 {
        assert_eq!(pixel(&f, 2 * i, 1), colour(10 + i as u8));
        assert_eq!(pixel(&f, 632 + 2 * i, 479), colour(20 + i as u8));
    }
    b.attribute(0x13, 2);
    let f = b.picture();
    assert_eq!(
        [pixel(&f, 0, 0), pixel(&f, 4, 0), pixel(&f, 6, 0)],
        [colour(11), colour(13), 0]
    );
}

#[test]
fn sixteen_colour_graphics_take_a_bit_from_each_map() {
    for (mode, scale, lines) in [(mode_12(), 1, 480), (mode_0d(), 2, 400)] {
        let mut b = isa();
        b.set_mode(&mode);
        for map in 0..4 {
            b.indexed(0x3C4, 2, 1 << map);
            // Dot n gets colour n in the first byte, 8 + n in the second.
            let byte = (0..8u64).fold(0, |v, n| v | (((n >> map) & 1) << (7 - n)));
            b.mem_write(0xA_0000, Width::Byte, byte);
            b.mem_write(0xA_0001, Width::Byte, if map == 3 { 0xFF } else { byte });
        }
        let f = b.picture();
        assert_eq!((f.width, f.height), (640, lines));
        for (n, &entry) in EGA_PALETTE.iter().enumerate() {
            assert_eq!(pixel(&f, n * scale, 0), colour(entry), "dot {n}");
        }
    }
}

#[test]
fn cga_modes_find_odd_lines_8_kib_further() {
    let mut b = isa();
    b.set_mode(&mode_04());
    b.mem_write(0xB_8000, Width::Word, 0xE41B);
    b.mem_write(0xB_A000, Width::Byte, 0xFF);
    let f = b.picture();
    assert_eq!((f.width, f.height), (640, 400));
    let cga = [0x00, 0x13, 0x15, 0x17];
    for (n, c) in [0, 1, 2, 3, 3, 2, 1, 0].into_iter().enumerate() {
        for (dx, y) in [(0, 0), (1, 1)] {
            assert_eq!(pixel(&f, 2 * n + dx, y), colour(cga[c]), "dot {n}");
        }
    }
    assert_eq!(
        [pixel(&f, 0, 2), pixel(&f, 7, 3), pixel(&f, 8, 2)],
        [colour(0x17), colour(0x17), 0]
    );

    b.set_mode(&mode_06());
    for at in [0xB_8000, 0xB_A000] {
        b.mem_write(at, Width::Byte, 0x81);
    }
    let f = b.picture();
    assert_eq!((f.width, f.height), (640, 400));
    for y in [0, 1, 2, 3] {
        let lit: Vec<usize> = (0..16)
            .filter(|&x| pixel(&f, x, y) == colour(0x17))
            .collect();
        assert_eq!(lit[..2], [0, 7]);
    }
}

#[test]
fn monochrome_graphics_blink_where_map_2_alone_is_set() {
    let mut b = isa();
    b.set_mode(&mode_0f());
    b.indexed(0x3C4, 2, 0b0001);
    b.mem_write(0xA_0000, Width::Byte, 0b1100_0000);
    b.indexed(0x3C4, 2, 0b0100);
    b.mem_write(0xA_0000, Width::Byte, 0b0110_0000);
    let mut blinked = [0; 4];
    for _ in 0..64 {
        b.run_to_next_timer();
        let f = b.picture();
        assert_eq!((f.width, f.height), (640, 350));
        for (x, count) in blinked.iter_mut().enumerate() {
            *count += u32::from(pixel(&f, x, 0) != 0);
        }
    }
    assert_eq!(blinked, [64, 64, 32, 0]);
}

#[test]
fn line_compare_starts_the_lower_picture_at_address_0() {
    let mut b = isa();
    b.set_mode(&mode_12());
    // Line compare 99: bits 8 and 9 are cleared in overflow and maximum scan line.
    b.crtc(0x11, 0x0C);
    b.crtc(0x07, 0x3E & !0x10);
    b.crtc(0x09, 0x00);
    b.crtc(0x18, 99);
    b.crtc(0x0C, 0x40);
    b.indexed(0x3C4, 2, 0x01);
    b.mem_write(0xA_0000, Width::Byte, 0xFF);
    b.mem_write(0xA_4000, Width::Byte, 0x0F);
    let f = b.picture();
    assert_eq!([pixel(&f, 0, 0), pixel(&f, 4, 0)], [0, colour(1)]);
    assert_eq!(
        [pixel(&f, 0, 99), pixel(&f, 0, 100), pixel(&f, 0, 101)],
        [0, colour(1), 0]
    );

    // Panning moves both parts, or only the upper one.
    b.attribute(0x13, 4);
    let f = b.picture();
    assert_eq!(
        [pixel(&f, 0, 0), pixel(&f, 3, 100), pixel(&f, 4, 100)],
        [colour(1), colour(1), 0]
    );
    b.attribute(0x10, 0x21);
    let f = b.picture();
    assert_eq!([pixel(&f, 0, 0), pixel(&f, 7, 100)], [colour(1), colour(1)]);
}

#[test]
fn preset_row_scan_and_byte_panning_scroll_text() {
    let mut b = text_bench(&mode_03());
    let rows: Vec<u8> = (0..16).map(|i| if i == 5 { 0x80 } else { 0 }).collect();
    glyph(&mut b, 0, 1, &rows);
    b.mem_write(0xB_8002, Width::Word, 0x0701);
    assert_eq!(pixel(&b.picture(), 9, 5), colour(7));
    b.crtc(0x08, 0x20 | 3);
    let f = b.picture();
    assert_eq!([pixel(&f, 0, 2), pixel(&f, 9, 5)], [colour(7), 0]);
    // PEL panning in 9-dot modes: 8 is none, 0 is one dot.
    b.crtc(0x08, 0);
    b.attribute(0x13, 0);
    assert_eq!(pixel(&b.picture(), 8, 5), colour(7));
}

#[test]
fn the_palette_address_gets_its_upper_bits_from_color_select() {
    let mut b = isa();
    b.set_mode(&mode_12());
    b.mem_write(0xA_0000, Width::Byte, 0x80);
    for (mode, select, expected) in [(0x01, 0x0F, 0xFF), (0x81, 0x05, 0x5F), (0x01, 0x04, 0x7F)] {
        b.attribute(0x10, mode);
        b.attribute(0x14, select);
        assert_eq!(pixel(&b.picture(), 0, 0), colour(expected));
    }
    b.outb(0x3C6, 0x0F);
    assert_eq!(pixel(&b.picture(), 0, 0), colour(0x0F));
}

#[test]
fn a_screen_that_is_off_is_black_and_without_palette_it_has_the_border_colour() {
    let mut b = isa();
    b.set_mode(&mode_13());
    b.mem_write(0xA_0000, Width::Byte, 9);
    b.attribute(0x11, 0x2A);
    b.inb(0x3DA);
    b.outb(0x3C0, 0x00);
    assert!(b.picture().pixels.iter().all(|&p| p == colour(0x2A)));
    b.inb(0x3DA);
    b.outb(0x3C0, 0x20);
    b.indexed(0x3C4, 1, 0x21);
    assert!(b.picture().pixels.iter().all(|&p| p == 0));
    b.indexed(0x3C4, 1, 0x01);
    assert_eq!(pixel(&b.picture(), 0, 0), colour(9));
}
