//! The local APIC and the I/O APIC.

use super::{Guest, STEPS, play};
use crate::Target;
use chipset::i82093aa::I82093aa;
use chipset::local_apic::spec::Family;
use chipset::local_apic::{Config, LocalApicUnit, Wiring};
use emu_core::backend::LapicRegister;
use emu_core::bus::Width;
use emu_core::cap::{ApicDelivery, ApicDestination, ApicMessage};
use emu_core::testkit::Lines;
use emu_core::{Device, Frequency, VirtTime};

const LAPIC: u64 = 0xFEE0_0000;
const IOAPIC: u64 = 0xFEC0_0000;

pub const LOCAL_APIC: Target = Target {
    name: "chip/local_apic",
    about: "accesses to a local APIC: its page, its MSRs, messages, pins, the timer",
    steps: STEPS,
    play: |rng, steps| {
        let family = [Family::P6, Family::Xapic, Family::X2apic][rng.below(3) as usize];
        let tsc_deadline = family != Family::P6 && rng.below(2) == 1;
        let virtual_wire = rng.below(2) == 1;
        let make = |lines: &mut Lines<'_>| {
            LocalApicUnit::new(
                Wiring {
                    intr: lines.line("INTR"),
                    nmi: lines.line("NMI"),
                    smi: lines.line("SMI"),
                    init: lines.line("INIT"),
                },
                Config {
                    family,
                    tsc_deadline,
                    id: 0,
                    bootstrap: true,
                    virtual_wire,
                    clock: Frequency::hz(66_666_667),
                },
            )
        };
        play(rng, steps, make, local_apic_script);
    },
};

pub const I82093AA: Target = Target {
    name: "chip/i82093aa",
    about: "accesses to the I/O APIC, its pins, ends of interrupts",
    steps: STEPS,
    play: |rng, steps| {
        play(
            rng,
            steps,
            |_: &mut Lines<'_>| I82093aa::new(IOAPIC),
            i82093aa_script,
        );
    },
};

fn message<D: Device>(g: &mut Guest<'_, D>) -> ApicMessage {
    let deliveries = [
        ApicDelivery::Fixed,
        ApicDelivery::Fixed,
        ApicDelivery::LowestPriority,
        ApicDelivery::Smi,
        ApicDelivery::Nmi,
        ApicDelivery::Init,
        ApicDelivery::Startup,
        ApicDelivery::ExtInt,
    ];
    let wild = g.rng.next_u64() as u32;
    let destinations = [
        ApicDestination::Physical(0),
        ApicDestination::Physical(wild),
        ApicDestination::Logical(wild),
        ApicDestination::All,
        ApicDestination::Others,
    ];
    ApicMessage {
        destination: g.pick(&destinations),
        delivery: g.pick(&deliveries),
        vector: g.byte(),
        level: g.one_in(2),
        tag: g.byte(),
    }
}

fn local_apic_script(g: &mut Guest<'_, LocalApicUnit>) {
    match g.below(6) {
        0 => {
            // Enabled, with the timer running.
            let (divide, mode) = (g.byte(), g.pick(&[0u32, 2, 4, 6]));
            let count = g.rng.next_u64() as u32 >> g.below(32);
            for (offset, value) in [
                (0xF0, 0x1FF),
                (0x3E0, divide.into()),
                (0x320, mode << 16 | 0x40),
                (0x380, count),
            ] {
                g.bench
                    .mem_write(LAPIC + offset, Width::Dword, value.into());
            }
            g.wait();
            g.bench.mem_read(LAPIC + 0x390, Width::Dword);
        }
        1 => {
            let m = message(g);
            g.bench.with(|d, cx| {
                if let Some(a) = Device::apic_agent(d)
                    && a.rank(&m).is_some()
                {
                    a.receive(&m, cx);
                }
            });
            g.bench
                .with(|d, cx| Device::int_ack(d).map(|i| i.acknowledge(cx)));
            if g.one_in(2) {
                g.bench.mem_write(LAPIC + 0xB0, Width::Dword, 0);
            }
        }
        2 => {
            let number = g.byte();
            let registers = [
                LapicRegister::Base,
                LapicRegister::Cr8,
                LapicRegister::TscDeadline,
                LapicRegister::X2apic(number & 0x3F),
                LapicRegister::X2apic(number),
            ];
            let register = g.pick(&registers);
            let wild = g.rng.next_u64() >> g.below(64);
            let value = match register {
                LapicRegister::Base => g.pick(&[
                    0xFEE0_0900,
                    0xFEE0_0D00,
                    0xFEE0_0100,
                    0x800,
                    0xF_FFFF_F800,
                    wild,
                ]),
                _ => wild,
            };
            let at = VirtTime::from_ns(g.rng.next_u64() >> g.below(64));
            g.bench.with(|d, cx| {
                if let Some(l) = Device::local_apic(d) {
                    l.read(register, cx);
                    l.write(register, value, at, cx);
                    l.read(register, cx);
                }
            });
        }
        3 => {
            let (lint, value) = (g.pick(&[0x350u64, 0x360, 0x370, 0x340]), g.rng.next_u64());
            g.bench
                .mem_write(LAPIC + lint, Width::Dword, value & 0xF7FF);
            for _ in 0..g.below(6) {
                let (pin, high) = (g.below(4) as u16, g.one_in(2));
                g.bench.input(pin, high);
            }
        }
        4 => {
            let (high, low) = (g.rng.next_u64(), g.rng.next_u64());
            g.bench.mem_write(LAPIC + 0x310, Width::Dword, high);
            g.bench
                .mem_write(LAPIC + 0x300, Width::Dword, low & 0xC_CFFF);
            let (accepted, tag) = (g.one_in(2), g.byte());
            g.bench.with(|d, cx| {
                if let Some(a) = Device::apic_agent(d) {
                    a.sent(tag, accepted, cx);
                }
            });
            g.bench.take_apic_cycles();
        }
        _ => g.wait(),
    }
}

fn i82093aa_script(g: &mut Guest<'_, I82093aa>) {
    match g.below(3) {
        0 => {
            let (register, value) = (
                g.pick(&[0u8, 1, 2, 0x10, 0x12, 0x13, 0x24, 0x3E, 0x3F]),
                g.rng.next_u64(),
            );
            g.bench.mem_write(IOAPIC, Width::Dword, register.into());
            g.bench
                .mem_write(IOAPIC + 0x10, Width::Dword, value & 0xFF00_EFFF);
            g.bench.mem_read(IOAPIC + 0x10, Width::Dword);
        }
        1 => {
            for _ in 0..g.below(8) {
                let (pin, high) = (g.below(26) as u16, g.one_in(2));
                g.bench.input(pin, high);
            }
        }
        _ => {
            let (tag, vector, accepted) = (g.byte() & 31, g.byte(), g.one_in(3));
            g.bench.with(|d, cx| {
                if let Some(a) = Device::apic_agent(d) {
                    a.sent(tag, accepted, cx);
                    a.end_of_interrupt(vector, cx);
                }
            });
        }
    }
}
