//! The host bridge, the ISA bridge, power management, and the firmware configuration device.

use super::{Guest, STEPS, play};
use crate::Target;
use chipset::fw_cfg::{Contents, FwCfg};
use chipset::i440fx::I440fx;
use chipset::piix3::{self, Piix3};
use chipset::piix4_pm::{self, Piix4Pm};
use emu_core::bus::Width;
use emu_core::ram::Ram;
use emu_core::testkit::Lines;

pub const FW_CFG: Target = Target {
    name: "chip/fw_cfg",
    about: "accesses to the firmware configuration device, its DMA included",
    steps: STEPS,
    play: |rng, steps| {
        let contents = Contents::new(64 << 20, 1)
            .item(0x8000, [1, 2, 3])
            .file("etc/z", [0x5A; 5])
            .and_then(|c| c.file("bootorder", *b"/pci@i0cf8\n\0"))
            .expect("two files");
        let device = FwCfg::new(contents).expect("it is small");
        play(rng, steps, |_| device, fw_cfg_script);
    },
};

fn fw_cfg_script(g: &mut Guest<'_, FwCfg>) {
    let items = [
        0u16, 1, 2, 3, 4, 5, 0x0E, 0x0F, 0x19, 0x20, 0x21, 0x22, 0x8000, 0x4000, 0xFFFF,
    ];
    let item = g.pick(&items);
    if g.one_in(2) {
        g.write(0x510, Width::Word, item.into());
        for _ in 0..g.below(100) {
            g.inb(0x511);
        }
        return;
    }
    // A DMA access: control, length, address, big-endian; sometimes at the end of memory, or of everything.
    let control = u32::from(item) << 16 | u32::from(g.byte() & 0x3F);
    let length = match g.below(6) {
        0 => u32::MAX,
        1 => 1 << 24,
        2 => 0,
        _ => g.below(5000) as u32,
    };
    let address = match g.below(6) {
        0 => u64::MAX,
        1 => g.rng.next_u64(),
        2 => (16 << 20) - 7,
        _ => g.below(1 << 20),
    };
    let at = match g.below(10) {
        0 => (16 << 20) - g.below(20),
        1 => g.rng.next_u64(),
        _ => g.below(1 << 20),
    };
    let mut access = control.to_be_bytes().to_vec();
    access.extend(length.to_be_bytes());
    access.extend(address.to_be_bytes());
    let room = (16u64 << 20).saturating_sub(at).min(16) as usize;
    if at < 16 << 20 {
        g.bench.ram.write(at as usize, &access[..room]);
    }
    g.write(0x514, Width::Dword, ((at >> 32) as u32).swap_bytes());
    g.write(0x518, Width::Dword, (at as u32).swap_bytes());
    g.wait();
}

pub const I440FX: Target = Target {
    name: "chip/i440fx",
    about: "accesses to the host bridge and the memory that it maps",
    steps: STEPS,
    play: |rng, steps| {
        let bytes = 1 << 20 << rng.below(3);
        let make = |_: &mut Lines<'_>| {
            I440fx::new(Ram::new("dram", bytes).expect("memory"), I440fx::PCI_HOLE)
        };
        play(rng, steps, make, |g| {
            let offset = 0x58 + g.below(0x1C) as u8;
            let value = g.byte();
            g.config_write(offset, Width::Byte, value.into());
            for _ in 0..g.below(8) {
                let (gpa, value) = (0xA_0000 + g.below(0x6_0000), g.rng.next_u64());
                let width = g.pick(&[Width::Byte, Width::Word, Width::Dword, Width::Qword]);
                g.bench.mem_write(gpa, width, value);
                g.bench.mem_read(gpa, width);
            }
            let address = g.rng.next_u64() as u32;
            g.write(0xCF8, Width::Dword, address);
            g.read(0xCF8, Width::Dword);
        });
    },
};

pub const PIIX3: Target = Target {
    name: "chip/piix3",
    about: "accesses to the ISA bridge",
    steps: STEPS,
    play: |rng, steps| {
        let make = |lines: &mut Lines<'_>| {
            Piix3::new(piix3::Wiring {
                isa_irqs: std::array::from_fn(|i| lines.line(&format!("IRQ{i}"))),
                smi: lines.line("SMI"),
                apmc: lines.line("APMC"),
            })
        };
        play(rng, steps, make, |g| {
            let (offset, value) = (
                g.pick(&[0x60u8, 0x61, 0x62, 0x63, 0x4E, 0xA0, 0xA2, 0xA8]),
                g.byte(),
            );
            g.config_write(offset, Width::Byte, value.into());
            let (pin, high) = (g.below(4) as u16, g.one_in(2));
            g.bench.input(pin, high);
            g.outb(0xB2, value);
            if g.one_in(40) {
                g.outb(0xCF9, value);
                g.outb(0xCF9, 6);
            }
        });
    },
};

pub const PIIX4_PM: Target = Target {
    name: "chip/piix4_pm",
    about: "accesses to power management and the SMBus",
    steps: STEPS,
    play: |rng, steps| {
        let preset = rng.below(3);
        let make = |lines: &mut Lines<'_>| {
            let function = Piix4Pm::new(piix4_pm::Wiring {
                sci: lines.line("SCI"),
                smi: lines.line("SMI"),
                smbus: lines.line("SMBus"),
            });
            match preset {
                0 => function,
                1 => function.with_smm_claimed(),
                _ => function.with_smi_enabled(),
            }
        };
        play(rng, steps, make, |g| {
            if g.one_in(6) {
                g.config_write(0x40, Width::Dword, 0xB000);
                g.config_write(0x80, Width::Byte, 1);
                g.config_write(0x90, Width::Dword, 0xB100);
                g.config_write(0xD2, Width::Byte, 9);
                g.config_write(0x04, Width::Word, 1);
            }
            match g.below(3) {
                0 => {
                    let (port, value) = (0xB000 + g.below(0x40) as u16, g.rng.next_u64() as u32);
                    let width = g.pick(&[Width::Byte, Width::Word, Width::Dword]);
                    g.write(port, width, value);
                }
                1 => {
                    // An SMBus transaction.
                    for (n, value) in [(0, 0xFF), (4, 0xA1), (3, 0), (5, 0), (6, 0)] {
                        let value = if g.one_in(3) { g.byte() } else { value };
                        g.outb(0xB100 + n, value);
                    }
                    let protocol = 0x40 | (g.below(8) as u8) << 2 | g.below(4) as u8;
                    g.outb(0xB102, protocol);
                    g.wait();
                    for _ in 0..g.below(40) {
                        g.inb(0xB107);
                    }
                }
                _ => {
                    // The PM timer, at the carry and long after.
                    let ns = g.rng.next_u64() >> g.below(40).max(22);
                    if g.one_in(100) {
                        g.bench.advance_ns(ns);
                    }
                    g.read(0xB008, Width::Dword);
                }
            }
        });
    },
};
