//! The VGA: indexed registers, the DISPI extension, planar writes, pictures of whatever comes of it.

use super::{Guest, STEPS, play};
use crate::Target;
use chipset::vga::{Slot, Vga};
use emu_core::bus::Width;
use emu_core::ram::Ram;
use emu_core::testkit::{Lines, Rng};

pub const VGA_PCI: Target = Target {
    name: "chip/vga-pci",
    about: "accesses to the VGA as a PCI card, and its picture",
    steps: STEPS,
    play: |rng, steps| vga(rng, steps, Slot::PciBootDisplay),
};

pub const VGA_ISA: Target = Target {
    name: "chip/vga-isa",
    about: "accesses to the VGA as an ISA card, and its picture",
    steps: STEPS,
    play: |rng, steps| vga(rng, steps, Slot::Isa),
};

fn vga(rng: &mut Rng, steps: u64, slot: Slot) {
    let bytes = (256 << 10) << (2 * rng.below(4));
    let rom = rng.below(2) == 1;
    let make = |lines: &mut Lines<'_>| {
        let vram = Ram::new("vram", bytes).expect("memory");
        let rom = rom.then(|| Ram::with_contents("vgabios", &[0x55, 0xAA, 0x40]).expect("memory"));
        Vga::new(slot, vram, rom, lines.line("vertical interrupt"))
    };
    play(rng, steps, make, script);
}

fn script(g: &mut Guest<'_, Vga>) {
    match g.below(10) {
        0..4 => {
            let (port, registers) =
                g.pick(&[(0x3C4, 8), (0x3D4, 0x1A), (0x3B4, 0x1A), (0x3CE, 10)]);
            let (index, value) = (g.below(registers) as u8, g.byte());
            g.outb(port, index);
            g.outb(port + 1, value);
            g.inb(port + 1);
        }
        4 => {
            g.inb(0x3DA);
            let (index, value) = (g.below(0x40) as u8, g.byte());
            g.outb(0x3C0, index);
            g.outb(0x3C0, value);
            g.inb(0x3C1);
        }
        5 => {
            let start = g.byte();
            g.outb(0x3C8, start);
            g.outb(0x3C7, start);
            for _ in 0..g.below(12) {
                let value = g.byte();
                g.outb(0x3C9, value);
                g.inb(0x3C9);
            }
        }
        6 => {
            let value = g.byte();
            g.outb(0x3C2, value);
            g.inb(0x3CC);
            g.inb(0x3C2);
        }
        7 => {
            // DISPI: sizes at and past the edges, then enabled.
            for (index, sane) in [(1, 640), (2, 480), (3, 8), (5, 0), (6, 640), (8, 0), (9, 0)] {
                let value = match g.below(6) {
                    0 => u32::from(g.byte()) << 8 | 0xFF,
                    1 => u32::from(g.byte()),
                    2 => g.pick(&[4, 15, 16, 24, 32, 0xFFFF, 1920, 1200, 2560]),
                    _ => sane,
                };
                g.write(0x1CE, Width::Word, index);
                g.write(0x1CF, Width::Word, value);
            }
            let enable = g.pick(&[0x00u32, 0x01, 0x41, 0xC1, 0xE1, 0x63]);
            g.write(0x1CE, Width::Word, 4);
            g.write(0x1CF, Width::Word, enable);
            for index in 0..12 {
                g.write(0x1CE, Width::Word, index);
                g.read(0x1CF, Width::Word);
            }
        }
        _ => {
            let base = g.pick(&[0xA_0000, 0xB_0000, 0xB_8000]);
            for _ in 0..g.below(16) {
                let (gpa, value) = (base + g.below(0x1_0000), g.rng.next_u64());
                let width = g.pick(&[Width::Byte, Width::Word, Width::Dword]);
                g.bench.mem_write(gpa, width, value);
                g.bench.mem_read(gpa, width);
            }
        }
    }
    if g.one_in(60) {
        g.picture();
    }
    if g.one_in(6) {
        g.wait();
    }
}
