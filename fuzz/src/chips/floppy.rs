//! The floppy controller: whole commands with parameters, data by DMA and by FIFO, disks of every geometry.

use super::{Guest, STEPS, play};
use crate::Target;
use chipset::i82077aa::{Config, DriveType, Geometry, HostMode, I82077aa};
use emu_core::host::{BlockBackend, DriveId, HostEvent, MediumChange, MemoryDisk};
use emu_core::testkit::{Lines, Rng};

pub const I82077AA: Target = Target {
    name: "chip/i82077aa",
    about: "accesses to the floppy controller and its drives",
    steps: STEPS,
    play: |rng, steps| floppy(rng, steps, HostMode::At),
};

pub const I82077AA_PS2: Target = Target {
    name: "chip/i82077aa-ps2",
    about: "the same, strapped as in a PS/2",
    steps: STEPS,
    play: |rng, steps| floppy(rng, steps, HostMode::Ps2),
};

fn disk(rng: &mut Rng) -> Option<Box<dyn BlockBackend>> {
    let value = rng.next_u64();
    if value & 7 == 0 {
        return None;
    }
    let known = Geometry::KNOWN;
    let geometry = known[(value >> 8) as usize % known.len()];
    let bytes = geometry.bytes() as usize;
    // Sometimes a disk of a size that no drive reads.
    let bytes = if value & 0xF0 == 0 { bytes / 3 } else { bytes };
    let (fill, read_only) = ((value >> 24) as u8, value & 0x300 == 0);
    Some(Box::new(MemoryDisk::new(vec![fill; bytes], read_only)))
}

fn floppy(rng: &mut Rng, steps: u64, mode: HostMode) {
    let types = [
        DriveType::Mb1_44,
        DriveType::Mb1_2,
        DriveType::Mb2_88,
        DriveType::Kb360,
        DriveType::Kb720,
    ];
    let mut drive = || (rng.below(6) != 0).then_some(types[rng.below(5) as usize]);
    let drives = [drive(), drive()];
    let disks = [disk(rng), disk(rng)];
    let make = |lines: &mut Lines<'_>| {
        let config = Config {
            base: 0x3F0,
            mode,
            irq: lines.line("irq"),
            drq: lines.line("drq"),
            drives,
        };
        I82077aa::new(config, disks)
    };
    play(rng, steps, make, script);
}

const DOR: u16 = 0x3F2;
const MSR: u16 = 0x3F4;
const FIFO: u16 = 0x3F5;

/// Commands with the number of bytes that follow (82077AA data sheet, section 5.0).
const COMMANDS: [(u8, u64); 25] = [
    (0x02, 8),
    (0x03, 2),
    (0x04, 1),
    (0x05, 8),
    (0x06, 8),
    (0x07, 1),
    (0x08, 0),
    (0x09, 8),
    (0x0A, 1),
    (0x0C, 8),
    (0x0D, 5),
    (0x0E, 0),
    (0x0F, 2),
    (0x8F, 2),
    (0xCF, 2),
    (0x10, 0),
    (0x11, 8),
    (0x12, 1),
    (0x13, 3),
    (0x14, 0),
    (0x94, 0),
    (0x16, 8),
    (0x19, 8),
    (0x1D, 8),
    (0x1F, 0),
];

fn script(g: &mut Guest<'_, I82077aa>) {
    match g.below(16) {
        0 => {
            let value = g.byte();
            g.outb(DOR, value);
        }
        1 => {
            // A reset by the digital output register, or by the data rate select register.
            g.outb(DOR, 0);
            g.outb(DOR, 0x1C);
            g.outb(0x3F4, 0x80);
            g.wait();
        }
        2 => {
            let rate = g.below(4) as u8;
            g.outb(0x3F7, rate);
        }
        3 => {
            let drive = g.below(3) as u8;
            let medium = disk(g.rng);
            g.give(HostEvent::Medium(MediumChange {
                drive: DriveId::Floppy(drive),
                medium,
            }));
        }
        _ => command(g),
    }
}

fn command(g: &mut Guest<'_, I82077aa>) {
    let unit = g.below(4) as u8;
    if !g.one_in(8) {
        g.outb(DOR, 0x0C | 0x10 << unit | unit);
    }
    let (opcode, parameters) = g.pick(&COMMANDS);
    let options = if g.one_in(3) { g.byte() & 0xE0 } else { 0x40 };
    g.outb(FIFO, opcode | options);
    // Sensible parameters mostly, or the command ends at the first check.
    let (cylinder, head) = (g.below(84) as u8, g.below(2) as u8);
    let sector = g.below(22) as u8;
    let size = if g.one_in(4) { g.byte() } else { 2 };
    let last = g.below(37) as u8;
    let sane = [
        head << 2 | unit,
        cylinder,
        head,
        sector,
        size,
        last,
        0x1B,
        0xFF,
    ];
    for n in 0..parameters {
        let value = if g.one_in(12) {
            g.byte()
        } else {
            sane[n as usize]
        };
        g.outb(FIFO, value);
    }
    for _ in 0..g.below(24) {
        g.wait();
        if g.inb(MSR) & 0x20 != 0 || g.one_in(4) {
            // Execution without DMA, or a guest that does not ask first.
            for _ in 0..g.below(700) {
                if g.one_in(2) {
                    g.inb(FIFO);
                } else {
                    let value = g.byte();
                    g.outb(FIFO, value);
                }
            }
        } else {
            let cycles = g.below(600);
            g.dma(cycles);
        }
    }
    if g.one_in(4) {
        return;
    }
    for _ in 0..16 {
        if g.inb(MSR) & 0xC0 != 0xC0 {
            break;
        }
        g.inb(FIFO);
    }
}
