mod dispi;
mod memory;
mod picture;
mod registers;
mod timing;

use super::*;
use emu_core::testkit::{Bench, Lines, conformance, golden};

pub(super) const VRAM_BYTES: usize = 1 << 20;

pub(super) fn card(slot: Slot, lines: &mut Lines<'_>) -> Vga {
    let vram = Ram::new("vram", VRAM_BYTES).expect("memory");
    let rom = Ram::with_contents("vgabios", &[0x55, 0xAA, 0x40]).expect("memory");
    Vga::new(slot, vram, Some(rom), lines.line("vertical interrupt"))
}

pub(super) fn isa() -> Bench<Vga> {
    Bench::new(|lines| card(Slot::Isa, lines))
}

/// The register values of a standard mode, as the manual's BIOS tables list them.
pub(super) struct ModeTable {
    pub misc: u8,
    pub sequencer: [u8; 5],
    pub crtc: [u8; 25],
    pub graphics: [u8; 9],
    pub attribute: [u8; 21],
}

const EGA_PALETTE: [u8; 16] = [
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3A, 0x3B, 0x3C, 0x3D, 0x3E, 0x3F,
];

fn attribute(palette: [u8; 16], rest: [u8; 5]) -> [u8; 21] {
    std::array::from_fn(|i| if i < 16 { palette[i] } else { rest[i - 16] })
}

pub(super) fn mode_03() -> ModeTable {
    ModeTable {
        misc: 0x67,
        sequencer: [0x03, 0x00, 0x03, 0x00, 0x02],
        crtc: [
            0x5F, 0x4F, 0x50, 0x82, 0x55, 0x81, 0xBF, 0x1F, 0x00, 0x4F, 0x0D, 0x0E, 0, 0, 0, 0,
            0x9C, 0x8E, 0x8F, 0x28, 0x1F, 0x96, 0xB9, 0xA3, 0xFF,
        ],
        graphics: [0, 0, 0, 0, 0, 0x10, 0x0E, 0x00, 0xFF],
        attribute: attribute(EGA_PALETTE, [0x0C, 0x00, 0x0F, 0x08, 0x00]),
    }
}

pub(super) fn mode_01() -> ModeTable {
    let mut m = mode_03();
    m.sequencer[1] = 0x08;
    m.crtc[..6].copy_from_slice(&[0x2D, 0x27, 0x28, 0x90, 0x2B, 0xA0]);
    m.crtc[0x13] = 0x14;
    m
}

pub(super) fn mode_07() -> ModeTable {
    let mut m = mode_03();
    m.misc = 0xA6;
    m.crtc[0x14] = 0x0D;
    m.graphics[6] = 0x0A;
    let mut palette = [0x08; 16];
    palette[0] = 0x00;
    palette[8] = 0x10;
    palette[9..].fill(0x18);
    m.attribute = attribute(palette, [0x0E, 0x00, 0x0F, 0x08, 0x00]);
    m
}

pub(super) fn mode_04() -> ModeTable {
    ModeTable {
        misc: 0x63,
        sequencer: [0x03, 0x09, 0x03, 0x00, 0x02],
        crtc: [
            0x2D, 0x27, 0x28, 0x90, 0x2B, 0x80, 0xBF, 0x1F, 0x00, 0xC1, 0, 0, 0, 0, 0, 0, 0x9C,
            0x8E, 0x8F, 0x14, 0x00, 0x96, 0xB9, 0xA2, 0xFF,
        ],
        graphics: [0, 0, 0, 0, 0, 0x30, 0x0F, 0x00, 0xFF],
        attribute: attribute(
            [
                0x00, 0x13, 0x15, 0x17, 0x02, 0x04, 0x06, 0x07, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15,
                0x16, 0x17,
            ],
            [0x01, 0x00, 0x03, 0x00, 0x00],
        ),
    }
}

pub(super) fn mode_06() -> ModeTable {
    let mut m = mode_04();
    m.sequencer = [0x03, 0x01, 0x01, 0x00, 0x06];
    m.crtc[..6].copy_from_slice(&[0x5F, 0x4F, 0x50, 0x82, 0x54, 0x80]);
    m.crtc[0x13] = 0x28;
    m.crtc[0x17] = 0xC2;
    m.graphics[5] = 0x00;
    m.graphics[6] = 0x0D;
    m.attribute = attribute([0x17; 16], [0x01, 0x00, 0x01, 0x00, 0x00]);
    m.attribute[0] = 0;
    m
}

pub(super) fn mode_0d() -> ModeTable {
    let mut m = mode_12();
    m.misc = 0x63;
    m.sequencer[1] = 0x09;
    m.crtc = [
        0x2D, 0x27, 0x28, 0x90, 0x2B, 0x80, 0xBF, 0x1F, 0x00, 0xC0, 0, 0, 0, 0, 0, 0, 0x9C, 0x8E,
        0x8F, 0x14, 0x00, 0x96, 0xB9, 0xE3, 0xFF,
    ];
    m
}

pub(super) fn mode_0f() -> ModeTable {
    let mut m = mode_12();
    m.misc = 0xA2;
    m.crtc = [
        0x5F, 0x4F, 0x50, 0x82, 0x54, 0x80, 0xBF, 0x1F, 0x00, 0x40, 0, 0, 0, 0, 0, 0, 0x83, 0x85,
        0x5D, 0x28, 0x0F, 0x63, 0xBA, 0xE3, 0xFF,
    ];
    m.attribute = attribute(
        [
            0, 0x08, 0, 0, 0x18, 0x18, 0, 0, 0, 0x08, 0, 0, 0, 0x18, 0, 0,
        ],
        [0x0B, 0x00, 0x05, 0x00, 0x00],
    );
    m
}

pub(super) fn mode_12() -> ModeTable {
    ModeTable {
        misc: 0xE3,
        sequencer: [0x03, 0x01, 0x0F, 0x00, 0x06],
        crtc: [
            0x5F, 0x4F, 0x50, 0x82, 0x54, 0x80, 0x0B, 0x3E, 0x00, 0x40, 0, 0, 0, 0, 0, 0, 0xEA,
            0x8C, 0xDF, 0x28, 0x00, 0xE7, 0x04, 0xE3, 0xFF,
        ],
        graphics: [0, 0, 0, 0, 0, 0x00, 0x05, 0x0F, 0xFF],
        attribute: attribute(EGA_PALETTE, [0x01, 0x00, 0x0F, 0x00, 0x00]),
    }
}

pub(super) fn mode_13() -> ModeTable {
    ModeTable {
        misc: 0x63,
        sequencer: [0x03, 0x01, 0x0F, 0x00, 0x0E],
        crtc: [
            0x5F, 0x4F, 0x50, 0x82, 0x54, 0x80, 0xBF, 0x1F, 0x00, 0x41, 0, 0, 0, 0, 0, 0, 0x9C,
            0x8E, 0x8F, 0x28, 0x40, 0x96, 0xB9, 0xA3, 0xFF,
        ],
        graphics: [0, 0, 0, 0, 0, 0x40, 0x05, 0x0F, 0xFF],
        attribute: attribute(
            std::array::from_fn(|i| i as u8),
            [0x41, 0x00, 0x0F, 0x00, 0x00],
        ),
    }
}

/// 320 x 240 in 256 colours without chaining, as it became known from Michael Abrash's articles.
pub(super) fn mode_x() -> ModeTable {
    let mut m = mode_13();
    m.misc = 0xE3;
    m.sequencer[4] = 0x06;
    for (i, v) in [
        (0x06, 0x0D),
        (0x07, 0x3E),
        (0x10, 0xEA),
        (0x11, 0x8C),
        (0x12, 0xDF),
        (0x14, 0x00),
        (0x15, 0xE7),
        (0x16, 0x06),
        (0x17, 0xE3),
    ] {
        m.crtc[i] = v;
    }
    m
}

/// The tests' way to the registers.
pub(super) trait Programming {
    fn indexed(&mut self, port: u16, index: u8, value: u8);
    fn get(&mut self, port: u16, index: u8) -> u8;
    fn crtc(&mut self, index: u8, value: u8);
    fn attribute(&mut self, index: u8, value: u8);
    fn dac(&mut self, index: u8, rgb: [u8; 3]);
    fn set_mode(&mut self, mode: &ModeTable);
    fn picture(&mut self) -> Frame;
}

impl Programming for Bench<Vga> {
    fn indexed(&mut self, port: u16, index: u8, value: u8) {
        self.outb(port, index);
        self.outb(port + 1, value);
    }
    fn get(&mut self, port: u16, index: u8) -> u8 {
        self.outb(port, index);
        self.inb(port + 1)
    }
    fn crtc(&mut self, index: u8, value: u8) {
        let port = self.device.registers().crtc_port();
        self.indexed(port, index, value);
    }
    /// Writes an attribute register and leaves the picture on.
    fn attribute(&mut self, index: u8, value: u8) {
        let status = self.device.registers().status_port();
        self.inb(status);
        self.outb(0x3C0, index);
        self.outb(0x3C0, value);
        self.outb(0x3C0, 0x20);
        self.inb(status);
    }
    fn dac(&mut self, index: u8, rgb: [u8; 3]) {
        self.outb(0x3C8, index);
        for v in rgb {
            self.outb(0x3C9, v);
        }
    }
    /// Programs a mode; DAC entry n becomes the colour (n / 4, n % 4, 0) in the values of [`colour`].
    fn set_mode(&mut self, mode: &ModeTable) {
        self.outb(0x3C2, mode.misc);
        for (i, &v) in mode.sequencer.iter().enumerate() {
            self.indexed(0x3C4, i as u8, v);
        }
        self.crtc(0x11, 0);
        for (i, &v) in mode.crtc.iter().enumerate() {
            self.crtc(i as u8, v);
        }
        for (i, &v) in mode.graphics.iter().enumerate() {
            self.indexed(0x3CE, i as u8, v);
        }
        for (i, &v) in mode.attribute.iter().enumerate() {
            self.attribute(i as u8, v);
        }
        self.outb(0x3C6, 0xFF);
        for i in 0..=255 {
            self.dac(i, [i & 0x3F, i >> 6, 0]);
        }
    }
    fn picture(&mut self) -> Frame {
        let mut frame = Frame::default();
        Display::scanout(&mut self.device, &mut frame);
        frame
    }
}

/// The pixel that DAC entry `index` gives after [`Programming::set_mode`].
pub(super) fn colour(index: u8) -> u32 {
    let stretch = |v: u8| u32::from((v << 2) | (v >> 4));
    (stretch(index & 0x3F) << 16) | (stretch(index >> 6) << 8)
}

pub(super) fn pixel(frame: &Frame, x: usize, y: usize) -> u32 {
    frame.pixels[y * frame.width + x]
}

#[test]
fn the_isa_card_keeps_the_laws_of_devices() {
    conformance(|lines| card(Slot::Isa, lines));
}

#[test]
fn the_pci_card_keeps_the_laws_of_devices() {
    conformance(|lines| card(Slot::Pci, lines));
}

#[test]
fn a_state_saved_by_version_1_still_loads() {
    golden(
        |lines| card(Slot::Pci, lines),
        concat!(env!("CARGO_MANIFEST_DIR"), "/src/vga"),
    );
}
