use super::*;

fn set(b: &mut Bench<Vga>, index: u32, value: u32) {
    b.write(0x1CE, Width::Word, index);
    b.write(0x1CF, Width::Word, value);
}

fn get(b: &mut Bench<Vga>, index: u32) -> u32 {
    b.write(0x1CE, Width::Word, index);
    b.read(0x1CF, Width::Word)
}

fn mode(b: &mut Bench<Vga>, x: u32, y: u32, bpp: u32, enable: u32) {
    b.outb(0x3C2, 0x63);
    b.indexed(0x3C4, 0, 3);
    b.inb(0x3DA);
    b.outb(0x3C0, 0x20);
    for (i, v) in [(4, 0), (1, x), (2, y), (3, bpp), (4, enable)] {
        set(b, i, v);
    }
}

#[test]
fn the_identifier_takes_every_published_version_and_nothing_else() {
    let mut b = isa();
    assert_eq!(get(&mut b, 0), 0xB0C5);
    for id in 0xB0C0..=0xB0C5 {
        set(&mut b, 0, id);
        assert_eq!(get(&mut b, 0), id);
    }
    set(&mut b, 0, 0xB0C6);
    assert_eq!(get(&mut b, 0), 0xB0C5);
}

#[test]
fn capabilities_are_reported_instead_of_the_mode_on_demand() {
    let mut b = isa();
    mode(&mut b, 640, 480, 8, 0x02);
    assert_eq!(
        [get(&mut b, 1), get(&mut b, 2), get(&mut b, 3)],
        [2560, 1600, 32]
    );
    set(&mut b, 4, 0);
    assert_eq!(
        [get(&mut b, 1), get(&mut b, 2), get(&mut b, 3)],
        [640, 480, 8]
    );
    assert_eq!(get(&mut b, 10), 16, "1 MiB in units of 64 KiB");
}

#[test]
fn the_size_cannot_change_while_the_mode_is_on() {
    let mut b = isa();
    mode(&mut b, 640, 480, 8, 0x41);
    set(&mut b, 1, 800);
    set(&mut b, 3, 16);
    assert_eq!(
        [get(&mut b, 1), get(&mut b, 3), get(&mut b, 4)],
        [640, 8, 0x41]
    );
}

#[test]
fn a_mode_that_does_not_fit_the_memory_does_not_come_on() {
    let mut b = isa();
    mode(&mut b, 1024, 768, 32, 0x41);
    assert_eq!(get(&mut b, 4), 0x40);
    mode(&mut b, 0, 0, 8, 0x01);
    assert_eq!(get(&mut b, 4), 0);
}

#[test]
fn video_memory_is_cleared_unless_asked_otherwise() {
    let mut b = isa();
    b.device.vram.write_u8(0x5_0000, 0x77);
    mode(&mut b, 640, 480, 8, 0xC1);
    assert_eq!(b.device.vram.read_u8(0x5_0000), 0x77);
    mode(&mut b, 640, 480, 8, 0x41);
    assert_eq!(b.device.vram.read_u8(0x5_0000), 0);
}

#[test]
fn the_window_shows_the_bank() {
    let mut b = isa();
    mode(&mut b, 640, 480, 8, 0x01);
    set(&mut b, 5, 3);
    b.mem_write(0xA_0010, Width::Dword, 0x4433_2211);
    assert_eq!(b.device.vram.read_u32(0x3_0010), 0x4433_2211);
    assert_eq!(b.mem_read(0xA_0011, Width::Word), 0x3322);
    assert_eq!(b.mem_read(0xB_0000, Width::Byte), 0xFF);
    set(&mut b, 5, 16);
    assert_eq!(get(&mut b, 5), 3, "there are 16 banks");
}

#[test]
fn pixels_of_each_depth_have_their_colours() {
    for (bpp, bytes, expected) in [
        (8, vec![5], 0x14_00_00),
        (15, vec![0x1F, 0x7C], 0xFF_00_FF),
        (16, vec![0xE0, 0x07], 0x00_FF_00),
        (24, vec![0x33, 0x22, 0x11], 0x11_22_33),
        (32, vec![0x33, 0x22, 0x11, 0xFF], 0x11_22_33),
    ] {
        let mut b = isa();
        mode(&mut b, 320, 200, bpp, 0x41);
        b.dac(5, [5, 0, 0]);
        let n = bytes.len();
        b.device.vram.write((320 + 2) * n, &bytes);
        let f = b.picture();
        assert_eq!((f.width, f.height), (320, 200));
        assert_eq!(pixel(&f, 2, 1), expected, "{bpp} bits");
        assert_eq!(pixel(&f, 3, 1), 0);
    }
}

#[test]
fn the_8_bit_dac_keeps_all_bits() {
    let mut b = isa();
    mode(&mut b, 320, 200, 8, 0x61);
    b.dac(0, [0x81, 0x42, 0x24]);
    assert_eq!(pixel(&b.picture(), 0, 0), 0x81_42_24);
}

#[test]
fn a_virtual_screen_is_larger_than_the_picture_and_pans() {
    let mut b = isa();
    mode(&mut b, 320, 200, 8, 0x41);
    set(&mut b, 6, 1024);
    assert_eq!([get(&mut b, 6), get(&mut b, 7)], [1024, 1024]);
    set(&mut b, 8, 100);
    set(&mut b, 9, 50);
    b.dac(1, [63, 63, 63]);
    b.device.vram.write_u8(50 * 1024 + 100, 1);
    assert_eq!(pixel(&b.picture(), 0, 0), 0xFF_FF_FF);
    set(&mut b, 8, 1024 - 319);
    set(&mut b, 9, 1024 - 199);
    assert_eq!([get(&mut b, 8), get(&mut b, 9)], [100, 50]);
    set(&mut b, 6, 319);
    assert_eq!(get(&mut b, 6), 1024);
}

#[test]
fn four_bit_modes_are_planar() {
    let mut b = isa();
    b.set_mode(&mode_12());
    mode(&mut b, 800, 600, 4, 0x01);
    for map in [0, 2] {
        b.indexed(0x3C4, 2, 1 << map);
        b.mem_write(0xA_0000 + 100 * 599 + 99, Width::Byte, 0x01);
    }
    let f = b.picture();
    assert_eq!((f.width, f.height), (800, 600));
    assert_eq!(pixel(&f, 799, 599), colour(0x05));
    assert_eq!(pixel(&f, 798, 599), 0);
}

#[test]
fn the_mode_runs_at_60_frames_in_a_second() {
    let mut b = isa();
    mode(&mut b, 640, 480, 8, 0x41);
    b.run_to_next_timer();
    let first = b.now();
    for _ in 0..60 {
        b.run_to_next_timer();
    }
    assert!(b.now().since(first).abs_diff(1_000_000_000) <= 1);
}
