//! INT 10h.

use super::*;

/// Mode, columns, rows, and the kind of its memory: a colour that fits, or none in text.
const MODES: [(u16, u8, u8, Option<u8>); 15] = [
    (0x00, 40, 25, None),
    (0x01, 40, 25, None),
    (0x02, 80, 25, None),
    (0x03, 80, 25, None),
    (0x04, 40, 25, Some(2)),
    (0x05, 40, 25, Some(3)),
    (0x06, 80, 25, Some(1)),
    (0x07, 80, 25, None),
    (0x0D, 40, 25, Some(5)),
    (0x0E, 80, 25, Some(9)),
    (0x0F, 80, 25, Some(1)),
    (0x10, 80, 25, Some(14)),
    (0x11, 80, 30, Some(1)),
    (0x12, 80, 30, Some(6)),
    (0x13, 40, 25, Some(0xA5)),
];

#[test]
fn every_mode_is_set_and_shows_text_and_dots() {
    let mut pc = Pc::new();
    for (mode, columns, rows, colour) in MODES {
        pc.int(0x10, Regs::ax(mode));
        let r = pc.int(0x10, Regs::ax(0x0F00));
        assert_eq!((u16::from(r.al()), r.ah()), (mode, columns), "{mode:X}");
        assert_eq!(pc.peek_u8(0x484) + 1, rows, "{mode:X}");
        match colour {
            None => {
                pc.int(0x10, Regs::ax(0x0200).dx(0x0305));
                pc.int(0x10, Regs::ax(0x0941).bx(0x0007).cx(3));
                pc.int(0x10, Regs::ax(0x0200).dx(0x0307));
                assert_eq!(
                    pc.int(0x10, Regs::ax(0x0800)).eax & 0xFFFF,
                    0x0741,
                    "{mode:X}"
                );
                assert!(pc.screen().contains(" AAA "));
            }
            Some(colour) => {
                let dot = Regs::default().cx(77).dx(33);
                let at = |ax: u16| Regs {
                    eax: ax.into(),
                    ..dot
                };
                pc.int(0x10, at(0x0C00 | u16::from(colour)));
                assert_eq!(pc.int(0x10, at(0x0D00)).al(), colour, "{mode:X}");
                assert_eq!(pc.int(0x10, at(0x0D00).cx(78)).al(), 0, "{mode:X}");
                if mode != 0x13 {
                    // Bit 7: exclusive or.
                    pc.int(0x10, at(0x0C80 | u16::from(colour)));
                    assert_eq!(pc.int(0x10, at(0x0D00)).al(), 0, "{mode:X}");
                }
                // A glyph reads back as its character.
                pc.int(0x10, Regs::ax(0x0200).dx(0x0203));
                pc.int(0x10, Regs::ax(0x0A00 | 0x52).bx(u16::from(colour)).cx(1));
                assert_eq!(pc.int(0x10, Regs::ax(0x0800)).al(), 0x52, "{mode:X}");
            }
        }
    }
}

#[test]
fn text_is_written_scrolled_and_paged() {
    let mut pc = Pc::new();
    pc.int(0x10, Regs::ax(0x0003));
    for byte in *b"one\r\ntwo\x08O\r\n" {
        pc.int(0x10, Regs::ax(0x0E00 | u16::from(byte)));
    }
    assert!(pc.screen().starts_with("one "), "{}", pc.screen());
    let r = pc.int(0x10, Regs::ax(0x0300));
    assert_eq!(r.edx & 0xFFFF, 0x0200);
    assert!(pc.screen().contains("twO"));
    // A string with attributes, the cursor moves with it.
    pc.poke(BUFFER, b"x\x1Ey\x2F");
    let string = Regs {
        ..Regs::ax(0x1303).cx(2).dx(0x0508).es(BUFFER_SEGMENT)
    };
    pc.int(0x10, string);
    assert_eq!(pc.int(0x10, Regs::ax(0x0300)).edx & 0xFFFF, 0x050A);
    pc.int(0x10, Regs::ax(0x0200).dx(0x0509));
    assert_eq!(pc.int(0x10, Regs::ax(0x0800)).eax & 0xFFFF, 0x2F79);
    // Up one line in a window, then down two in the whole.
    pc.int(0x10, Regs::ax(0x0601).bx(0x0700).cx(0x0400).dx(0x064F));
    pc.int(0x10, Regs::ax(0x0200).dx(0x0409));
    assert_eq!(pc.int(0x10, Regs::ax(0x0800)).eax & 0xFFFF, 0x2F79);
    pc.int(0x10, Regs::ax(0x0702).bx(0x4E00).cx(0).dx(0x184F));
    pc.int(0x10, Regs::ax(0x0200).dx(0x0609));
    assert_eq!(pc.int(0x10, Regs::ax(0x0800)).eax & 0xFFFF, 0x2F79);
    pc.int(0x10, Regs::ax(0x0200).dx(0x0000));
    assert_eq!(pc.int(0x10, Regs::ax(0x0800)).eax & 0xFFFF, 0x4E20);
    // Another page.
    pc.int(0x10, Regs::ax(0x0502));
    assert_eq!(pc.int(0x10, Regs::ax(0x0F00)).ebx >> 8 & 0xFF, 2);
    assert_eq!(pc.screen().trim(), "");
    pc.int(0x10, Regs::ax(0x0E50).bx(0x0200));
    assert_eq!(pc.screen().trim(), "P");
    // Cursor shape.
    pc.int(0x10, Regs::ax(0x0100).cx(0x0307));
    assert_eq!(pc.int(0x10, Regs::ax(0x0300)).ecx & 0xFFFF, 0x0307);
}

#[test]
fn palettes_fonts_and_displays_are_told_and_set() {
    let mut pc = Pc::new();
    pc.int(0x10, Regs::ax(0x0003));
    pc.int(0x10, Regs::ax(0x1000).bx(0x2A05));
    assert_eq!(
        pc.int(0x10, Regs::ax(0x1007).bx(0x0005)).ebx >> 8 & 0xFF,
        0x2A
    );
    pc.int(0x10, Regs::ax(0x1001).bx(0x1100));
    assert_eq!(pc.int(0x10, Regs::ax(0x1008)).ebx >> 8 & 0xFF, 0x11);
    pc.int(0x10, Regs::ax(0x1009).es(BUFFER_SEGMENT));
    let all = pc.peek(BUFFER, 17);
    assert_eq!((all[5], all[16]), (0x2A, 0x11));
    pc.poke(BUFFER + 5, &[0x05]);
    pc.int(0x10, Regs::ax(0x1002).es(BUFFER_SEGMENT));
    assert_eq!(
        pc.int(0x10, Regs::ax(0x1007).bx(0x0005)).ebx >> 8 & 0xFF,
        0x05
    );
    // DAC: red 3Fh, green 20h, blue 01h.
    pc.int(0x10, Regs::ax(0x1010).bx(100).cx(0x2001).dx(0x3F00));
    let r = pc.int(0x10, Regs::ax(0x1015).bx(100));
    assert_eq!((r.ecx & 0xFFFF, r.edx >> 8 & 0xFF), (0x2001, 0x3F));
    pc.int(
        0x10,
        Regs::ax(0x1017).bx(100).cx(1).dx(0x40).es(BUFFER_SEGMENT),
    );
    assert_eq!(pc.peek(BUFFER + 0x40, 3), [0x3F, 0x20, 0x01]);
    pc.int(
        0x10,
        Regs::ax(0x1012).bx(101).cx(1).dx(0x40).es(BUFFER_SEGMENT),
    );
    // 30 % red, 59 % green, 11 % blue.
    pc.int(0x10, Regs::ax(0x101B).bx(101).cx(1));
    let r = pc.int(0x10, Regs::ax(0x1015).bx(101));
    assert_eq!((r.ecx & 0xFFFF, r.edx >> 8 & 0xFF), (0x2626, 0x26));
    pc.int(0x10, Regs::ax(0x1018).bx(0x7F));
    assert_eq!(pc.int(0x10, Regs::ax(0x1019)).ebx & 0xFF, 0x7F);
    pc.int(0x10, Regs::ax(0x1013).bx(0x0100));
    pc.int(0x10, Regs::ax(0x1013).bx(0x0301));
    assert_eq!(pc.int(0x10, Regs::ax(0x101A)).ebx & 0xFFFF, 0x0301);
    pc.int(0x10, Regs::ax(0x1003).bx(0));
    pc.outb(0x3C0, 0x30);
    assert_eq!(pc.inb(0x3C1) & 0x08, 0, "no blinking");
    // Fonts.
    pc.int(0x10, Regs::ax(0x0003));
    let r = pc.int(0x10, Regs::ax(0x1130).bx(0x0600));
    assert_eq!((r.ecx & 0xFFFF, r.edx & 0xFF), (16, 24));
    let font = (u32::from(r.es) << 4) + (r.ebp & 0xFFFF);
    assert_ne!(pc.peek(font + 16 * 0x41, 16), [0; 16]);
    for (ax, rows) in [(0x1112, 50), (0x1111, 28), (0x1114, 25)] {
        pc.int(0x10, Regs::ax(ax));
        assert_eq!(pc.peek_u8(0x484) + 1, rows);
        assert_eq!(pc.screen().lines().count(), rows.into());
    }
    // The display: a VGA with a colour screen, 256 KiB.
    let r = pc.int(0x10, Regs::ax(0x1A00));
    assert_eq!((r.al(), r.ebx & 0xFFFF), (0x1A, 0x0008));
    let r = pc.int(0x10, Regs::ax(0x1200).bx(0x0010));
    assert_eq!(r.ebx & 0xFFFF, 0x0003);
    let r = pc.int(0x10, Regs::ax(0x1B00).es(BUFFER_SEGMENT));
    assert_eq!(r.al(), 0x1B);
    assert_eq!((pc.peek_u8(BUFFER + 4), pc.peek_u16(BUFFER + 5)), (3, 80));
    let told = [0x22, 0x23, 0x25, 0x27, 0x29, 0x2A, 0x31].map(|n| pc.peek_u8(BUFFER + n));
    assert_eq!(told, [25, 16, 8, 16, 8, 2, 3]);
    for (bx, al) in [
        (0x0030, 2),
        (0x0031, 0),
        (0x0032, 0),
        (0x0033, 1),
        (0x0034, 0),
        (0x0036, 0),
    ] {
        assert_eq!(
            pc.int(0x10, Regs::ax(0x1200 | al).bx(bx)).al(),
            0x12,
            "{bx:X}"
        );
    }
}

#[test]
fn the_state_is_saved_and_restored() {
    let mut pc = Pc::new();
    pc.int(0x10, Regs::ax(0x0012));
    pc.int(0x10, Regs::ax(0x1010).bx(5).cx(0x1122).dx(0x3300));
    let blocks = pc.int(0x10, Regs::ax(0x1C00).cx(7));
    assert_eq!(blocks.al(), 0x1C);
    let bytes = (blocks.ebx as usize & 0xFFFF) * 64;
    pc.poke(BUFFER, &vec![0xEE; bytes + 16]);
    let r = pc.int(0x10, Regs::ax(0x1C01).cx(7).es(BUFFER_SEGMENT));
    assert_eq!(r.al(), 0x1C);
    assert_eq!(
        pc.peek(BUFFER + bytes as u32, 16),
        [0xEE; 16],
        "no more than it said"
    );
    pc.int(0x10, Regs::ax(0x0003));
    pc.int(0x10, Regs::ax(0x1010).bx(5).cx(0).dx(0));
    pc.int(0x10, Regs::ax(0x1C02).cx(7).es(BUFFER_SEGMENT));
    assert_eq!(pc.int(0x10, Regs::ax(0x0F00)).al(), 0x12);
    let r = pc.int(0x10, Regs::ax(0x1015).bx(5));
    assert_eq!((r.ecx & 0xFFFF, r.edx >> 8 & 0xFF), (0x1122, 0x33));
    assert!(pc.machine.screen_text().is_none(), "graphics");
    // VBE's has the mode of the extension in it too.
    assert_eq!(pc.int(0x10, Regs::ax(0x4F02).bx(0x0103)).eax, 0x004F);
    let r = pc.int(0x10, Regs::ax(0x4F04).cx(15).dx(0));
    assert_eq!(r.eax, 0x004F);
    assert!(r.ebx & 0xFFFF > blocks.ebx & 0xFFFF || r.ebx & 0xFFFF >= 15);
    assert_eq!(
        pc.int(0x10, Regs::ax(0x4F04).cx(15).dx(1).es(BUFFER_SEGMENT))
            .eax,
        0x004F
    );
    pc.int(0x10, Regs::ax(0x0003));
    assert_eq!(
        pc.int(0x10, Regs::ax(0x4F04).cx(15).dx(2).es(BUFFER_SEGMENT))
            .eax,
        0x004F
    );
    let r = pc.int(0x10, Regs::ax(0x4F03));
    assert_eq!((r.eax, r.ebx & 0x1FF), (0x004F, 0x103));
}

#[test]
fn vbe_tells_its_modes_and_sets_them() {
    let mut pc = Pc::new();
    pc.poke(BUFFER, b"VBE2");
    let r = pc.int(0x10, Regs::ax(0x4F00).es(BUFFER_SEGMENT));
    assert_eq!(r.eax, 0x004F);
    assert_eq!(
        (pc.peek(BUFFER, 4), pc.peek_u16(BUFFER + 4)),
        (b"VESA".to_vec(), 0x0200)
    );
    assert_eq!(pc.peek_u16(BUFFER + 18), 256, "16 MiB");
    let list = u32::from(pc.peek_u16(BUFFER + 16)) * 16 + u32::from(pc.peek_u16(BUFFER + 14));
    let modes = (0..200).map(|n| pc.peek_u16(list + 2 * n));
    let modes: Vec<u16> = modes.take_while(|&m| m != 0xFFFF).collect();
    for mode in [
        0x100, 0x101, 0x102, 0x105, 0x110, 0x111, 0x118, 0x11B, 0x189,
    ] {
        assert!(modes.contains(&mode), "{mode:X}");
    }
    for &mode in &modes {
        let r = pc.int(0x10, Regs::ax(0x4F01).cx(mode).es(BUFFER_SEGMENT));
        assert_eq!(r.eax, 0x004F, "{mode:X}");
        let (x, y) = (pc.peek_u16(BUFFER + 18), pc.peek_u16(BUFFER + 20));
        let (bits, attributes) = (pc.peek_u8(BUFFER + 25), pc.peek_u16(BUFFER));
        let linear = attributes & 0x80 != 0;
        assert_eq!(linear, bits != 4, "{mode:X}");
        let set = mode | if linear { 0x4000 } else { 0 };
        assert_eq!(
            pc.int(0x10, Regs::ax(0x4F02).bx(set)).eax,
            0x004F,
            "{mode:X}"
        );
        let mut frame = emu_core::host::Frame::default();
        assert!(pc.machine.scanout(&mut frame));
        assert_eq!(
            (frame.width, frame.height),
            (x.into(), y.into()),
            "{mode:X}"
        );
        let r = pc.int(0x10, Regs::ax(0x4F03));
        assert_eq!((r.eax, r.ebx & 0xFFFF), (0x004F, set.into()), "{mode:X}");
    }
    // What there is not.
    for (ax, bx, cx) in [
        (0x4F02, 0x0108, 0),
        (0x4F01, 0, 0x0108),
        (0x4F02, 0x4102, 0),
    ] {
        let r = pc.int(0x10, Regs::ax(ax).bx(bx).cx(cx).es(BUFFER_SEGMENT));
        assert_eq!(r.eax, 0x014F, "{ax:X}");
    }
    assert_ne!(pc.int(0x10, Regs::ax(0x4F15)).al(), 0x4F);
}

#[test]
fn vbe_moves_windows_lines_start_and_palette() {
    let mut pc = Pc::new();
    assert_eq!(pc.int(0x10, Regs::ax(0x4F02).bx(0x0101)).eax, 0x004F);
    // Bank 3 by call and by the far pointer that mode information gives.
    assert_eq!(pc.int(0x10, Regs::ax(0x4F05).bx(0).dx(3)).eax, 0x004F);
    // MOV BYTE ES:[0005], 77h
    pc.code(
        &[0x26, 0xC6, 0x06, 0x05, 0x00, 0x77],
        Regs::default().es(0xA000),
    );
    pc.int(0x10, Regs::ax(0x4F01).cx(0x0101).es(BUFFER_SEGMENT));
    let mut far_call = vec![0x9A];
    far_call.extend(pc.peek(BUFFER + 12, 4));
    pc.code(&far_call, Regs::default().dx(0));
    assert_eq!(pc.int(0x10, Regs::ax(0x4F05).bx(0x0100)).edx & 0xFFFF, 0);
    let frame_buffer = pc.peek_u32(BUFFER + 40);
    assert_eq!(pc.peek_u8(frame_buffer + 3 * 0x1_0000 + 5), 0x77);
    let r = pc.int(0x10, Regs::ax(0x4F05).dx(0x100));
    assert_eq!(r.eax, 0x014F, "past the memory");
    // Lines of 1000 pixels, in pixels and in bytes.
    for bl in [0, 2] {
        let r = pc.int(0x10, Regs::ax(0x4F06).bx(bl).cx(1000));
        assert_eq!((r.eax, r.word()[1], r.word()[2]), (0x004F, 1000, 1000));
        assert_eq!(r.edx & 0xFFFF, (16 << 20) / 1000);
    }
    assert_eq!(pc.int(0x10, Regs::ax(0x4F06).bx(1)).word()[1], 1000);
    assert_eq!(
        pc.int(0x10, Regs::ax(0x4F07).bx(0x80).cx(16).dx(100)).eax,
        0x004F
    );
    let r = pc.int(0x10, Regs::ax(0x4F07).bx(1));
    assert_eq!((r.ecx & 0xFFFF, r.edx & 0xFFFF), (16, 100));
    assert_eq!(pc.int(0x10, Regs::ax(0x4F07).cx(900)).eax, 0x024F);
    let r = pc.int(0x10, Regs::ax(0x4F08).bx(0x0800));
    assert_eq!((r.eax, r.ebx >> 8 & 0xFF), (0x004F, 8));
    pc.poke(BUFFER, &[0x81, 0x92, 0xA3, 0x00]);
    let one = Regs::default().cx(1).dx(9).es(BUFFER_SEGMENT);
    assert_eq!(pc.int(0x10, Regs { eax: 0x4F09, ..one }).eax, 0x004F);
    pc.poke(BUFFER, &[0; 4]);
    assert_eq!(
        pc.int(
            0x10,
            Regs {
                eax: 0x4F09,
                ebx: 1,
                ..one
            }
        )
        .eax,
        0x004F
    );
    assert_eq!(pc.peek(BUFFER, 3), [0x81, 0x92, 0xA3], "eight bits each");
}
