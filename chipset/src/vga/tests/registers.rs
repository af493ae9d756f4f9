use super::*;

#[test]
fn each_register_keeps_exactly_its_writable_bits() {
    let mut b = isa();
    b.outb(0x3C2, 0x01);
    let sequencer = [0x03, 0x3D, 0x0F, 0x3F, 0x0E];
    let graphics = [0x0F, 0x0F, 0x0F, 0x1F, 0x03, 0x7B, 0x0F, 0x0F, 0xFF];
    for (port, masks) in [(0x3C4, &sequencer[..]), (0x3CE, &graphics[..])] {
        for (i, &mask) in masks.iter().enumerate() {
            b.indexed(port, i as u8, 0xFF);
            assert_eq!(b.get(port, i as u8), mask, "{port:X}h index {i:X}h");
            b.indexed(port, i as u8, 0);
            assert_eq!(b.get(port, i as u8), 0);
        }
    }
    // Bit 7 of 11h protects 0 to 7, so it comes last.
    for i in (0..0x19).filter(|&i| i != 0x11) {
        let mask = match i {
            0x08 | 0x0B | 0x14 => 0x7F,
            0x0A => 0x3F,
            0x17 => 0xEF,
            _ => 0xFF,
        };
        b.indexed(0x3D4, 0x03, 0x80);
        b.indexed(0x3D4, i, 0xFF);
        assert_eq!(b.get(0x3D4, i), mask, "CRTC index {i:X}h");
    }
    for i in 0..0x15u8 {
        b.inb(0x3DA);
        b.outb(0x3C0, i);
        b.outb(0x3C0, 0xFF);
        let mask = match i {
            0..=0x0F | 0x12 => 0x3F,
            0x10 => 0xEF,
            0x11 => 0xFF,
            _ => 0x0F,
        };
        assert_eq!(b.inb(0x3C1), mask, "attribute index {i:X}h");
        b.inb(0x3DA);
    }
    b.outb(0x3C2, 0xFF);
    assert_eq!(b.inb(0x3CC), 0xEF);
    b.outb(0x3DA, 0xFF);
    assert_eq!(b.inb(0x3CA), 0x0B);
}

#[test]
fn index_registers_read_back_with_their_width() {
    let mut b = isa();
    b.outb(0x3C2, 0x01);
    for (port, mask) in [(0x3C4, 0x07), (0x3CE, 0x0F), (0x3D4, 0x1F)] {
        b.outb(port, 0xFF);
        assert_eq!(b.inb(port), mask);
    }
    b.inb(0x3DA);
    b.outb(0x3C0, 0xFF);
    assert_eq!(b.inb(0x3C0), 0x3F);
}

#[test]
fn misc_output_moves_the_crtc_between_monochrome_and_colour_ports() {
    let mut b = isa();
    b.outb(0x3C2, 0x00);
    b.indexed(0x3B4, 0x0F, 0x5A);
    assert_eq!(
        (b.inb(0x3B5), b.inb(0x3D5), b.inb(0x3DA)),
        (0x5A, 0xFF, 0xFF)
    );
    b.outb(0x3C2, 0x01);
    assert_eq!(
        (b.inb(0x3D5), b.inb(0x3B5), b.inb(0x3BA)),
        (0x5A, 0xFF, 0xFF)
    );
}

#[test]
fn video_subsystem_enable_takes_the_card_off_the_bus() {
    let mut b = isa();
    b.outb(0x3C2, 0x03);
    b.indexed(0x3CE, 6, 0x04);
    b.indexed(0x3C4, 2, 0x0F);
    b.outb(0x3C3, 0x00);
    assert_eq!((b.inb(0x3CC), b.inb(0x3C3)), (0xFF, 0x00));
    b.outb(0x3C3, 0x01);
    assert_eq!((b.inb(0x3CC), b.inb(0x3C3)), (0x03, 0x01));
}

#[test]
fn crtc_protection_leaves_only_line_compare_bit_8_writable() {
    let mut b = isa();
    b.outb(0x3C2, 0x01);
    b.crtc(0x11, 0x80);
    for i in 0..8 {
        b.crtc(i, 0xFF);
        let expected = if i == 7 { 0x10 } else { 0x00 };
        assert_eq!(b.get(0x3D4, i), expected, "index {i}");
    }
    b.crtc(0x09, 0x41);
    assert_eq!(b.get(0x3D4, 0x09), 0x41);
}

#[test]
fn the_light_pen_reads_where_compatible_read_is_off() {
    let mut b = isa();
    b.outb(0x3C2, 0x01);
    b.crtc(0x10, 0x9C);
    assert_eq!(b.get(0x3D4, 0x10), 0x00);
    b.crtc(0x03, 0x80);
    assert_eq!(b.get(0x3D4, 0x10), 0x9C);
}

#[test]
fn the_attribute_flip_flop_alternates_and_status_1_resets_it() {
    let mut b = isa();
    b.outb(0x3C2, 0x01);
    b.inb(0x3DA);
    b.outb(0x3C0, 0x11);
    b.outb(0x3C0, 0x3C);
    b.outb(0x3C0, 0x12);
    b.inb(0x3DA);
    b.outb(0x3C0, 0x11);
    assert_eq!(b.inb(0x3C1), 0x3C);
}

#[test]
fn the_palette_is_closed_while_it_feeds_the_screen() {
    let mut b = isa();
    b.outb(0x3C2, 0x01);
    b.inb(0x3DA);
    b.outb(0x3C0, 0x21);
    b.outb(0x3C0, 0x3F);
    assert_eq!(b.inb(0x3C1), 0x00);
    b.outb(0x3C0, 0x01);
    b.outb(0x3C0, 0x3F);
    assert_eq!(b.inb(0x3C1), 0x3F);
}

#[test]
fn the_dac_takes_three_writes_for_a_colour_and_reads_them_back() {
    let mut b = isa();
    b.dac(7, [1, 2, 0xFF]);
    b.outb(0x3C8, 8);
    b.outb(0x3C9, 9);
    assert_eq!((b.inb(0x3C7), b.inb(0x3C8)), (0, 8));
    b.outb(0x3C7, 7);
    assert_eq!((b.inb(0x3C7), b.inb(0x3C8)), (3, 8));
    assert_eq!([b.inb(0x3C9), b.inb(0x3C9), b.inb(0x3C9)], [1, 2, 0x3F]);
    assert_eq!(b.inb(0x3C9), 0, "the broken-off write to colour 8 was lost");
}

#[test]
fn the_pci_card_answers_only_what_the_command_register_enables() {
    let mut b = Bench::new(|lines| card(Slot::Pci, lines));
    assert_eq!(b.inb(0x3CC), 0xFF);
    let mut config = |offset, width, value| {
        b.with(|d, cx| d.config_write(offset, width, value, cx));
    };
    config(0x10, Width::Dword, 0xE000_0000);
    config(0x18, Width::Dword, 0xF000_0000);
    config(0x30, Width::Dword, 0xF001_0001);
    config(0x04, Width::Word, 0x0003);
    assert_eq!(b.inb(0x3CC), 0x00);
    b.mem_write(0xE000_0004, Width::Dword, 0x1234_5678);
    assert_eq!(b.mem_read(0xE000_0004, Width::Dword), 0x1234_5678);
    assert_eq!(b.mem_read(0xF001_0000, Width::Word), 0xAA55);
    b.mem_write(0xF000_0402, Width::Byte, 0x67);
    assert_eq!(
        (b.inb(0x3CC), b.mem_read(0xF000_040C, Width::Byte)),
        (0x67, 0x67)
    );
    assert_eq!(b.mem_read(0xF000_0500, Width::Word), 0xB0C5);
    let id = b.with(|d, cx| d.config_read(0, Width::Dword, cx));
    let class = b.with(|d, cx| d.config_read(8, Width::Dword, cx));
    assert_eq!((id, class >> 8), (0x1111_1234, 0x03_0000));
}

/// Where a card's BIOS is decoded from reset on.
fn bios_at(slot: Slot) -> Vec<u64> {
    let b = Bench::new(|lines| card(slot, lines));
    let decoded = b.decoded();
    let roms = decoded.memory_ranges().iter();
    roms.filter(|r| r.access == Access::Read)
        .map(|r| r.base)
        .collect()
}

#[test]
fn the_bios_stands_at_c0000_on_isa_and_on_a_boot_display() {
    assert_eq!(bios_at(Slot::Isa), [0xC_0000]);
    assert_eq!(bios_at(Slot::PciBootDisplay), [0xC_0000]);
    assert_eq!(bios_at(Slot::Pci), []);
}

#[test]
fn a_boot_display_answers_from_reset_on_and_can_be_turned_off() {
    let mut b = Bench::new(|lines| card(Slot::PciBootDisplay, lines));
    assert_eq!(b.inb(0x3CC), 0x00);
    b.with(|d, cx| d.config_write(0x04, Width::Word, 0, cx));
    assert_eq!(b.inb(0x3CC), 0xFF);
}

#[test]
fn only_a_boot_displays_expansion_rom_answers_while_memory_space_is_off() {
    for (slot, expected) in [(Slot::PciBootDisplay, 0x55), (Slot::Pci, 0xFF)] {
        let mut b = Bench::new(|lines| card(slot, lines));
        b.with(|d, cx| d.config_write(0x04, Width::Word, 0, cx));
        // A ROM of less than 64 KiB asks for no more than its image needs: here one page.
        b.with(|d, cx| d.config_write(0x30, Width::Dword, 0xFFFF_FFFE, cx));
        let size = b.with(|d, cx| d.config_read(0x30, Width::Dword, cx));
        assert_eq!(size, 0xFFFF_F000);
        b.with(|d, cx| d.config_write(0x30, Width::Dword, 0xE000_0000, cx));
        assert_eq!(
            b.mem_read(0xE000_0000, Width::Byte),
            0xFF,
            "its own enable bit is off"
        );
        b.with(|d, cx| d.config_write(0x30, Width::Dword, 0xE000_0001, cx));
        assert_eq!(b.mem_read(0xE000_0000, Width::Byte), expected);
        b.with(|d, cx| d.config_write(0x04, Width::Word, 2, cx));
        assert_eq!(b.mem_read(0xE000_0000, Width::Byte), 0x55);
    }
}
