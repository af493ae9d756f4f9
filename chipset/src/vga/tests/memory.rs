use super::*;

/// A planar mode with the window at A0000h, set/reset and everything else off.
fn planar() -> Bench<Vga> {
    let mut b = isa();
    b.outb(0x3C2, 0x03);
    for (i, v) in [0x03, 0x01, 0x0F, 0x00, 0x06].into_iter().enumerate() {
        b.indexed(0x3C4, i as u8, v);
    }
    for (i, v) in [0, 0, 0, 0, 0, 0, 0x05, 0x0F, 0xFF].into_iter().enumerate() {
        b.indexed(0x3CE, i as u8, v);
    }
    b
}

fn gfx(b: &mut Bench<Vga>, index: u8, value: u8) {
    b.indexed(0x3CE, index, value);
}

fn put(b: &mut Bench<Vga>, at: u64, value: u8) {
    b.mem_write(0xA_0000 + at, Width::Byte, value.into());
}

fn get(b: &mut Bench<Vga>, at: u64) -> u8 {
    b.mem_read(0xA_0000 + at, Width::Byte) as u8
}

/// The byte of each map at an offset, read in read mode 0.
fn maps(b: &mut Bench<Vga>, at: u64) -> [u8; 4] {
    let mode = b.get(0x3CE, 5);
    gfx(b, 5, mode & !0x08);
    let out = std::array::from_fn(|m| {
        gfx(b, 4, m as u8);
        get(b, at)
    });
    gfx(b, 5, mode);
    out
}

#[test]
fn write_mode_0_writes_the_maps_that_the_mask_opens() {
    let mut b = planar();
    b.indexed(0x3C4, 2, 0b0101);
    put(&mut b, 5, 0xA5);
    assert_eq!(maps(&mut b, 5), [0xA5, 0, 0xA5, 0]);
}

#[test]
fn set_reset_replaces_data_in_the_enabled_maps() {
    let mut b = planar();
    gfx(&mut b, 0, 0b0001);
    gfx(&mut b, 1, 0b0011);
    put(&mut b, 0, 0x3C);
    assert_eq!(maps(&mut b, 0), [0xFF, 0x00, 0x3C, 0x3C]);
}

#[test]
fn data_is_rotated_right_before_it_is_combined() {
    let mut b = planar();
    gfx(&mut b, 3, 3);
    put(&mut b, 0, 0b0000_1001);
    assert_eq!(maps(&mut b, 0), [0b0010_0001; 4]);
}

#[test]
fn the_function_combines_data_with_the_latches() {
    for (function, expected) in [
        (0, 0x3C),
        (1, 0x3C & 0x55),
        (2, 0x3C | 0x55),
        (3, 0x3C ^ 0x55),
    ] {
        let mut b = planar();
        put(&mut b, 0, 0x55);
        get(&mut b, 0);
        gfx(&mut b, 3, function << 3);
        put(&mut b, 1, 0x3C);
        assert_eq!(maps(&mut b, 1), [expected; 4], "function {function}");
    }
}

#[test]
fn the_bit_mask_lets_latched_bits_through() {
    let mut b = planar();
    put(&mut b, 0, 0xF0);
    get(&mut b, 0);
    gfx(&mut b, 8, 0x0F);
    put(&mut b, 1, 0xAA);
    assert_eq!(maps(&mut b, 1), [0xFA; 4]);
}

#[test]
fn write_mode_1_copies_the_latches() {
    let mut b = planar();
    for (map, value) in [0x11, 0x22, 0x44, 0x88].into_iter().enumerate() {
        b.indexed(0x3C4, 2, 1 << map);
        put(&mut b, 0x100, value);
    }
    b.indexed(0x3C4, 2, 0x0F);
    gfx(&mut b, 5, 1);
    gfx(&mut b, 8, 0x00);
    get(&mut b, 0x100);
    put(&mut b, 0x200, 0xFF);
    gfx(&mut b, 5, 0);
    assert_eq!(maps(&mut b, 0x200), [0x11, 0x22, 0x44, 0x88]);
}

#[test]
fn write_mode_2_spreads_four_bits_over_the_maps() {
    let mut b = planar();
    gfx(&mut b, 5, 2);
    gfx(&mut b, 8, 0x18);
    get(&mut b, 0);
    put(&mut b, 0, 0xF6);
    assert_eq!(maps(&mut b, 0), [0, 0x18, 0x18, 0]);
}

#[test]
fn write_mode_3_masks_set_reset_with_data() {
    let mut b = planar();
    put(&mut b, 0, 0x81);
    get(&mut b, 0);
    gfx(&mut b, 5, 3);
    gfx(&mut b, 0, 0b1010);
    gfx(&mut b, 3, 1);
    gfx(&mut b, 8, 0x3F);
    put(&mut b, 0, 0x78);
    // Rotated data 3Ch and bit mask 3Fh let 3Ch pass.
    assert_eq!(maps(&mut b, 0), [0x81, 0xBD, 0x81, 0xBD]);
}

#[test]
fn read_mode_1_compares_colours_in_the_maps_that_it_cares_for() {
    let mut b = planar();
    gfx(&mut b, 5, 2);
    for (bit, dot) in [5, 5, 4, 13, 5, 0, 1, 5].into_iter().enumerate() {
        gfx(&mut b, 8, 0x80 >> bit);
        get(&mut b, 0);
        put(&mut b, 0, dot);
    }
    gfx(&mut b, 5, 8);
    gfx(&mut b, 2, 5);
    gfx(&mut b, 7, 0x0F);
    assert_eq!(get(&mut b, 0), 0b1100_1001);
    gfx(&mut b, 7, 0x07);
    assert_eq!(get(&mut b, 0), 0b1101_1001);
    gfx(&mut b, 7, 0x00);
    assert_eq!(get(&mut b, 0), 0xFF);
}

#[test]
fn chain_4_spreads_addresses_over_the_maps_and_keeps_their_offset() {
    let mut b = planar();
    b.indexed(0x3C4, 4, 0x0E);
    b.mem_write(0xA_0100, Width::Dword, 0x4433_2211);
    for (i, v) in [0x11, 0x22, 0x33, 0x44].into_iter().enumerate() {
        assert_eq!(get(&mut b, 0x100 + i as u64), v);
    }
    put(&mut b, 0xC105, 0x99);
    assert_eq!(b.mem_read(0xA_C104, Width::Dword), 0x9900);
    // Without chaining the maps show where the bytes went: offset A & FFFCh, with A15 and A14 as its low bits.
    b.indexed(0x3C4, 4, 0x06);
    assert_eq!(maps(&mut b, 0x100), [0x11, 0x22, 0x33, 0x44]);
    assert_eq!(maps(&mut b, 0xC107), [0, 0x99, 0, 0]);
}

#[test]
fn the_map_mask_holds_in_chain_4_too() {
    let mut b = planar();
    b.indexed(0x3C4, 4, 0x0E);
    b.indexed(0x3C4, 2, 0b0101);
    b.mem_write(0xA_0000, Width::Dword, 0x4433_2211);
    assert_eq!(b.mem_read(0xA_0000, Width::Dword), 0x0033_0011);
}

#[test]
fn odd_even_text_writes_put_characters_in_map_0_and_attributes_in_map_1() {
    let mut b = isa();
    b.set_mode(&mode_03());
    b.mem_write(0xB_8004, Width::Word, 0x1F41);
    b.mem_write(0xB_8006, Width::Byte, 0x42);
    b.mem_write(0xB_8007, Width::Byte, 0x2E);
    assert_eq!(b.mem_read(0xB_8004, Width::Dword), 0x2E42_1F41);
    let mut bytes = [0; 16];
    b.device.vram.read(4 * 4, &mut bytes);
    assert_eq!(
        bytes,
        [0x41, 0x1F, 0, 0, 0, 0, 0, 0, 0x42, 0x2E, 0, 0, 0, 0, 0, 0]
    );
}

#[test]
fn the_page_bit_takes_the_place_of_address_bit_0() {
    let mut b = isa();
    b.set_mode(&mode_03());
    b.outb(0x3C2, 0x67 & !0x20);
    b.mem_write(0xB_8000, Width::Word, 0x0741);
    let mut bytes = [0; 8];
    b.device.vram.read(0, &mut bytes);
    assert_eq!(bytes, [0, 0, 0, 0, 0x41, 0x07, 0, 0]);
}

#[test]
fn the_memory_map_select_opens_one_of_four_windows() {
    let mut b = planar();
    for (select, open) in [
        (0, [true, true, true]),
        (1, [true, false, false]),
        (2, [false, true, false]),
        (3, [false, false, true]),
    ] {
        gfx(&mut b, 6, 0x01 | (select << 2));
        for (at, answers) in [0xA_0000, 0xB_0000, 0xB_8000].into_iter().zip(open) {
            b.mem_write(at, Width::Byte, 0x00);
            let read = b.mem_read(at, Width::Byte);
            assert_eq!(read == 0, answers, "map {select}, {at:X}h");
        }
    }
    b.outb(0x3C2, 0x01);
    assert_eq!(b.mem_read(0xB_8000, Width::Byte), 0xFF, "RAM is disabled");
}

#[test]
fn without_extended_memory_a_map_has_16_kib() {
    let mut b = planar();
    b.indexed(0x3C4, 4, 0x04);
    put(&mut b, 0x4001, 0x77);
    assert_eq!(get(&mut b, 0x0001), 0x77);
}

#[test]
fn wide_accesses_equal_their_bytes() {
    use emu_core::testkit::Rng;
    let mut rng = Rng::new(7);
    for round in 0..300 {
        let (mut wide, mut narrow) = (planar(), planar());
        for b in [&mut wide, &mut narrow] {
            let mut set = Rng::new(round + 1);
            for i in 0..5 {
                let v = if i == 0 {
                    3
                } else {
                    set.next_u64() as u8 | ((i == 2) as u8 * 3)
                };
                b.indexed(0x3C4, i, v);
            }
            // Half of the rounds keep the data path plain, where the short cuts are.
            let plain = set.below(2) == 0;
            for i in 0..9 {
                let v = set.next_u64() as u8;
                gfx(
                    b,
                    i,
                    if plain && [0, 1, 3].contains(&i) {
                        0
                    } else {
                        v
                    },
                );
            }
            if plain {
                gfx(b, 8, 0xFF);
                gfx(b, 5, 0x10);
            }
            let r = (set.below(4) as u8) << 2;
            gfx(b, 6, r | 0x02);
        }
        for _ in 0..20 {
            let width = [Width::Word, Width::Dword, Width::Qword][rng.below(3) as usize];
            let (at, value) = (0xA_0000 + rng.below(0x1_FFF8), rng.next_u64());
            wide.mem_write(at, width, value);
            for i in 0..width.bytes() as u64 {
                narrow.mem_write(at + i, Width::Byte, (value >> (8 * i)) & 0xFF);
            }
            let at = 0xA_0000 + rng.below(0x1_FFF8);
            let bytes = (0..width.bytes() as u64).fold(0, |v, i| {
                v | narrow.mem_read(at + i, Width::Byte) << (8 * i)
            });
            assert_eq!(wide.mem_read(at, width), bytes, "round {round}");
        }
        assert_eq!(wide.save(), narrow.save(), "latches, round {round}");
    }
}
