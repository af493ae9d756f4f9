//! The IDE function with disks and a CD-ROM drive: whole commands, packets, PIO, bus master tables.

use super::{Guest, STEPS, play};
use crate::Target;
use chipset::ata::{Identity, Unit};
use chipset::piix3_ide::Piix3Ide;
use emu_core::bus::Width;
use emu_core::host::{BlockBackend, DriveId, HostEvent, MediumChange, MemoryDisk};
use emu_core::testkit::{Lines, Rng};

pub const PIIX3_IDE: Target = Target {
    name: "chip/piix3_ide",
    about: "accesses to the IDE function, two disks and a CD-ROM drive",
    steps: STEPS,
    play: |rng, steps| {
        let units = [
            unit(rng, false),
            unit(rng, false),
            unit(rng, true),
            unit(rng, true),
        ];
        let make = |lines: &mut Lines<'_>| {
            let irqs = [lines.line("irq14"), lines.line("irq15")];
            let [a, b, c, d] = units;
            Piix3Ide::new(irqs, [a, b], [c, d])
        };
        play(rng, steps, make, script);
    },
};

fn disk(rng: &mut Rng, cd: bool) -> Box<dyn BlockBackend> {
    let sectors = match rng.below(4) {
        0 => 1,
        1 => 63,
        2 => 2880,
        _ => 5000,
    };
    let bytes = if cd { sectors * 2048 } else { sectors * 512 };
    Box::new(MemoryDisk::new(vec![0xC3; bytes], cd || rng.below(4) == 0))
}

fn unit(rng: &mut Rng, cd: bool) -> Option<Unit> {
    match rng.below(5) {
        0 => None,
        n => {
            let identity = Identity::new("FUZZ", "0");
            let medium = (n > 1).then(|| disk(rng, cd));
            Some(match (cd, medium) {
                (true, medium) => Unit::cdrom(medium, identity),
                (false, medium) => Unit::disk(medium.unwrap_or_else(|| disk(rng, cd)), identity),
            })
        }
    }
}

/// ATA/ATAPI-6 command codes that some device knows.
const COMMANDS: [u8; 54] = [
    0x00, 0x08, 0x10, 0x20, 0x21, 0x24, 0x25, 0x27, 0x29, 0x30, 0x31, 0x34, 0x35, 0x37, 0x39, 0x40,
    0x41, 0x42, 0x70, 0x90, 0x91, 0x94, 0x95, 0x98, 0x99, 0xA0, 0xA0, 0xA0, 0xA0, 0xA1, 0xB0, 0xB0,
    0xC4, 0xC5, 0xC6, 0xC8, 0xC9, 0xCA, 0xCB, 0xE0, 0xE1, 0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8,
    0xEA, 0xEC, 0xEF, 0xF8, 0xF9, 0xEF,
];

/// MMC and SPC packet codes.
const PACKETS: [u8; 30] = [
    0x00, 0x03, 0x12, 0x15, 0x1A, 0x1B, 0x1E, 0x23, 0x25, 0x28, 0x2B, 0x42, 0x43, 0x44, 0x45, 0x46,
    0x47, 0x4A, 0x4B, 0x4E, 0x51, 0x52, 0x55, 0x5A, 0xA8, 0xAD, 0xB9, 0xBB, 0xBD, 0xBE,
];

fn script(g: &mut Guest<'_, Piix3Ide>) {
    match g.below(24) {
        0 => {
            let (drive, cd) = (g.below(2) as u8, g.one_in(2));
            let medium = g.one_in(2).then(|| disk(g.rng, cd));
            g.give(HostEvent::Medium(MediumChange {
                drive: DriveId::Atapi(1, drive),
                medium,
            }));
        }
        1 => {
            let control = g.byte();
            g.outb(0x3F6, control);
            g.outb(0x376, control);
        }
        2 => {
            // Open the function's windows: I/O, bus master, both channels' timing registers.
            g.config_write(0x04, Width::Word, 5);
            g.config_write(0x20, Width::Dword, 0xC000);
            g.config_write(0x40, Width::Dword, 0x8000_8000);
        }
        _ => command(g),
    }
}

/// A table of physical regions in the bench's memory, sometimes one that never ends.
fn table(g: &mut Guest<'_, Piix3Ide>) -> u32 {
    let at = (g.below(4096) * 4) as u32;
    for n in 0..=g.below(6) {
        let address = if g.one_in(6) {
            g.rng.next_u64() as u32
        } else {
            0x10_0000 + (g.below(1 << 20) as u32)
        };
        let count = if g.one_in(4) {
            u32::from(g.byte())
        } else {
            g.below(0x1_0000) as u32
        };
        let last = u32::from(g.one_in(2)) << 31;
        let entry = u64::from(address) | u64::from(count | last) << 32;
        let bytes = entry.to_le_bytes();
        g.bench.ram.write(at as usize + n as usize * 8, &bytes);
    }
    at
}

fn command(g: &mut Guest<'_, Piix3Ide>) {
    let channel = g.below(2) as u16;
    let base = if channel == 0 { 0x1F0 } else { 0x170 };
    let drive = (g.below(2) as u8) << 4;
    let lba = if g.one_in(3) { 0 } else { 0x40 };
    let master = 0xC000 + 8 * channel;
    let with_dma = g.one_in(3);
    if with_dma {
        let table = table(g);
        g.write(master + 4, Width::Dword, table);
        let direction = if g.one_in(2) { 8 } else { 0 };
        g.outb(master, direction);
        g.outb(master + 2, 6);
    }
    let low = if g.one_in(6) { g.byte() & 15 } else { 0 };
    g.outb(base + 6, 0xA0 | lba | drive | low);
    let code = if g.one_in(12) {
        g.byte()
    } else {
        g.pick(&COMMANDS)
    };
    for _ in 0..=g.below(2) {
        // Twice for the extended commands' other halves.
        for n in 1..=5 {
            let value = match (code, n) {
                (0xB0, 1) => 0xD0 + g.below(12) as u8,
                (0xB0, 4) => 0x4F,
                (0xB0, 5) => 0xC2,
                _ if g.one_in(3) => g.byte(),
                _ => g.below(8) as u8,
            };
            g.outb(base + n, value);
        }
    }
    g.outb(base + 7, code);
    if with_dma {
        let start = if g.one_in(2) { 9 } else { 1 };
        g.outb(master, start);
    }
    g.wait();
    if code == 0xA0 {
        packet(g, base);
    }
    for _ in 0..g.below(12) {
        g.wait();
        let status = g.inb(base + 7);
        if status & 0x08 != 0 || g.one_in(8) {
            let width = g.pick(&[Width::Word, Width::Word, Width::Dword, Width::Byte]);
            for _ in 0..g.below(600) {
                if g.one_in(2) {
                    g.read(base, width);
                } else {
                    let value = g.rng.next_u64() as u32;
                    g.write(base, width, value);
                }
            }
        }
        if with_dma {
            g.inb(master + 2);
        }
    }
    if with_dma && !g.one_in(4) {
        g.outb(master, 0);
    }
}

fn packet(g: &mut Guest<'_, Piix3Ide>, base: u16) {
    let code = if g.one_in(12) {
        g.byte()
    } else {
        g.pick(&PACKETS)
    };
    let mut bytes = [0; 12];
    bytes[0] = code;
    for byte in &mut bytes[1..] {
        *byte = if g.one_in(3) {
            g.byte()
        } else {
            g.below(4) as u8
        };
    }
    for pair in bytes.chunks_exact(2) {
        g.write(
            base,
            Width::Word,
            u16::from_le_bytes([pair[0], pair[1]]).into(),
        );
    }
}
