//! The chips of the PC/AT.

use super::{Guest, STEPS, play};
use crate::Target;
use chipset::{i8042, i8237, i8254, i8259, mc146818, uart16550};
use emu_core::bus::Width;
use emu_core::device::Device;
use emu_core::host::CharLog;
use emu_core::testkit::Lines;

pub const I8042: Target = Target {
    name: "chip/i8042",
    about: "accesses to the keyboard controller, its keyboard and its mouse",
    steps: STEPS,
    play: |rng, steps| {
        let (keyboard, mouse) = (rng.below(8) != 0, rng.below(4) != 0);
        let make = |lines: &mut Lines<'_>| {
            let wiring = i8042::Wiring {
                keyboard_irq: lines.line("IRQ1"),
                mouse_irq: lines.line("IRQ12"),
                a20: lines.line("A20"),
            };
            let config = i8042::Config {
                keyboard,
                mouse,
                ..i8042::Config::default()
            };
            i8042::I8042::new(wiring, config)
        };
        play(rng, steps, make, keyboard_script);
    },
};

fn keyboard_script(g: &mut Guest<'_, i8042::I8042>) {
    const CONTROLLER: [u8; 20] = [
        0x20, 0x60, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xAB, 0xAC, 0xAD, 0xAE, 0xC0, 0xC1,
        0xC2, 0xD0, 0xD1, 0xDD, 0xDF,
    ];
    const DEVICE: [u8; 22] = [
        0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xEB, 0xEC, 0xED, 0xEE, 0xF0, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6,
        0xF7, 0xF8, 0xF9, 0xFA, 0xFD, 0xFE, 0xFF,
    ];
    match g.below(5) {
        0 => {
            let command = if g.one_in(3) {
                g.byte()
            } else {
                g.pick(&CONTROLLER)
            };
            g.outb(0x64, command);
            if g.one_in(2) {
                let value = g.byte();
                g.outb(0x60, value);
            }
        }
        1 => {
            // The controller's password: loaded, then typed.
            g.outb(0x64, 0xA5);
            for _ in 0..g.below(40) {
                let value = g.byte();
                g.outb(0x60, value);
            }
            g.outb(0x60, 0);
            g.outb(0x64, 0xA6);
        }
        2 => {
            g.outb(0x64, 0x60);
            let modes = g.pick(&[0x00, 0x03, 0x43, 0x47, 0x65, 0x77]);
            g.outb(0x60, modes);
        }
        kind => {
            // A command to a device, with the bytes that follow it.
            for _ in 0..=g.below(4) {
                if kind == 4 {
                    // To the mouse, or into the output buffer.
                    let to = g.pick(&[0xD4, 0xD4, 0xD4, 0xD2, 0xD3]);
                    g.outb(0x64, to);
                }
                let value = if g.one_in(2) {
                    g.pick(&DEVICE)
                } else {
                    g.byte()
                };
                g.outb(0x60, value);
                g.wait();
            }
        }
    }
    for _ in 0..g.below(6) {
        g.wait();
        if g.inb(0x64) & 1 != 0 {
            g.inb(0x60);
        }
    }
}

pub const I8237: Target = Target {
    name: "chip/i8237",
    about: "accesses to the DMA controllers",
    steps: STEPS,
    play: |rng, steps| {
        play(
            rng,
            steps,
            |_| i8237::I8237Pair::new(),
            |g| {
                let channel = g.below(4) as u16;
                let words = g.one_in(2);
                let (base, step) = if words { (0xC0, 2) } else { (0, 1) };
                let reg = |n: u16| base + n * step;
                let mode = g.byte() & 0xFC | channel as u8;
                g.outb(reg(12), 0);
                g.outb(reg(11), mode);
                for n in [channel * 2, channel * 2, channel * 2 + 1, channel * 2 + 1] {
                    let value = g.byte();
                    g.outb(reg(n), value);
                }
                g.outb(reg(10), channel as u8);
                if g.one_in(3) {
                    // A request by software, and the command register's odder bits.
                    let command = g.byte();
                    g.outb(reg(8), command);
                    g.outb(reg(9), 4 | channel as u8);
                }
                let pin = channel + if words { 4 } else { 0 };
                g.bench.input(pin, true);
                for _ in 0..g.below(300) {
                    let granted = g
                        .bench
                        .with(|d, cx| Device::dma_controller(d).and_then(|c| c.grant(cx)));
                    if granted.is_none() {
                        break;
                    }
                    g.inb(reg(8));
                }
                let high = g.one_in(2);
                g.bench.input(pin, high);
            },
        );
    },
};

pub const I8254: Target = Target {
    name: "chip/i8254",
    about: "accesses to the timer",
    steps: STEPS,
    play: |rng, steps| {
        let connected = rng.below(8);
        let make = |lines: &mut Lines<'_>| {
            let out = std::array::from_fn(|n| {
                if connected & 1 << n != 0 {
                    lines.line("OUT")
                } else {
                    emu_core::Line::UNCONNECTED
                }
            });
            i8254::I8254::new(i8254::Wiring { out }, i8254::Config::PC)
        };
        play(rng, steps, make, |g| {
            let counter = g.below(3) as u8;
            let (mode, access, bcd) = (g.below(8) as u8, g.below(4) as u8, g.below(2) as u8);
            g.outb(0x43, counter << 6 | access << 4 | mode << 1 | bcd);
            for _ in 0..g.below(3) {
                // Low bytes of 0 and 1 are where counts go wrong.
                let value = g.byte();
                g.outb(0x40 + u16::from(counter), value);
            }
            if g.one_in(3) {
                let command = 0xC0 | g.byte() & 0x3F;
                g.outb(0x43, command);
            }
            let pin = u16::from(counter);
            g.bench.input(pin, false);
            g.bench.input(pin, true);
            g.wait();
            for _ in 0..g.below(4) {
                g.inb(0x40 + u16::from(counter));
            }
            if g.one_in(200) {
                g.bench.advance_ns(60_000_000);
            }
        });
    },
};

fn pic_script(g: &mut Guest<'_, i8259::I8259>, base: u16) {
    match g.below(4) {
        0 => {
            let icw1 = 0x10 | g.byte() & 0x0F;
            g.outb(base, icw1);
            for _ in 0..g.below(5) {
                let value = g.byte();
                g.outb(base + 1, value);
            }
        }
        1 => {
            let ocw2 = g.byte() & 0xE7;
            g.outb(base, ocw2);
        }
        2 => {
            let ocw3 = g.byte() & 0x6F | 8;
            g.outb(base, ocw3);
            g.inb(base);
        }
        _ => {
            let (pin, high) = (g.below(8) as u16, g.one_in(2));
            g.bench.input(pin, high);
            g.bench
                .with(|d, cx| Device::int_ack(d).map(|i| i.acknowledge(cx)));
        }
    }
}

pub const I8259_MASTER: Target = Target {
    name: "chip/i8259-master",
    about: "accesses to the first interrupt controller",
    steps: STEPS,
    play: |rng, steps| {
        let make = |lines: &mut Lines<'_>| {
            let int = lines.line("INT");
            i8259::I8259::new(i8259::Wiring { int }, i8259::Config::MASTER)
        };
        play(rng, steps, make, |g| pic_script(g, 0x20));
    },
};

pub const I8259_SLAVE: Target = Target {
    name: "chip/i8259-slave",
    about: "accesses to the second interrupt controller",
    steps: STEPS,
    play: |rng, steps| {
        let make = |lines: &mut Lines<'_>| {
            let int = lines.line("INT");
            i8259::I8259::new(i8259::Wiring { int }, i8259::Config::SLAVE)
        };
        play(rng, steps, make, |g| pic_script(g, 0xA0));
    },
};

pub const MC146818: Target = Target {
    name: "chip/mc146818",
    about: "accesses to the real-time clock",
    steps: STEPS,
    play: |rng, steps| {
        let starts = [0, 946_684_800, 4_102_444_799, u64::MAX, 1 << 40];
        let start = starts[rng.below(5) as usize];
        let make = |lines: &mut Lines<'_>| {
            let wiring = mc146818::Wiring {
                irq: lines.line("IRQ"),
                nmi_mask: lines.line("NMI mask"),
            };
            let config = mc146818::Config {
                start_unix_seconds: start,
                cmos: vec![(0x10, 0x40)],
            };
            mc146818::Mc146818::new(wiring, &config)
        };
        play(rng, steps, make, |g| {
            let index = if g.one_in(4) {
                g.byte()
            } else {
                g.below(0x10) as u8
            };
            let bank = if g.one_in(6) { 0x72 } else { 0x70 };
            g.outb(bank, index);
            if g.one_in(2) {
                g.inb(bank + 1);
            } else {
                let value = g.byte();
                g.outb(bank + 1, value);
            }
            if g.one_in(3) {
                g.bench.run_to_next_timer();
            }
            if g.one_in(50) {
                // Days, for the calendar and the alarm.
                let days = g.below(4000);
                g.bench.advance_ns(days * 1_000_000_000);
            }
        });
    },
};

pub const UART16550: Target = Target {
    name: "chip/uart16550",
    about: "accesses to a serial port",
    steps: STEPS,
    play: |rng, steps| {
        let connected = rng.below(4) != 0;
        let make = |lines: &mut Lines<'_>| {
            let wiring = uart16550::Wiring {
                irq: lines.line("IRQ4"),
            };
            let config = uart16550::Config {
                base: 0x3F8,
                connected,
            };
            uart16550::Uart16550::new(wiring, config, Box::new(CharLog::default()))
        };
        play(rng, steps, make, |g| {
            match g.below(4) {
                0 => {
                    g.outb(0x3FB, 0x83);
                    let divisor = g.pick(&[0u32, 1, 12, 0xFFFF, 0x180]);
                    g.write(0x3F8, Width::Word, divisor);
                    let line = g.byte();
                    g.outb(0x3FB, line & 0x7F);
                }
                1 => {
                    let fifo = g.byte();
                    g.outb(0x3FA, fifo | 1);
                    for _ in 0..g.below(20) {
                        let value = g.byte();
                        g.outb(0x3F8, value);
                    }
                }
                2 => {
                    let modem = g.byte();
                    g.outb(0x3FC, modem);
                    for _ in 0..g.below(20) {
                        let value = g.byte();
                        g.bench.with(|d, cx| {
                            if let Some(s) = Device::serial_port(d)
                                && s.receive_room() > 0
                            {
                                s.receive(value, cx);
                            }
                        });
                        g.wait();
                    }
                }
                _ => {
                    let enable = g.byte();
                    g.outb(0x3F9, enable);
                    for port in [0x3FA, 0x3FD, 0x3FE, 0x3F8] {
                        g.inb(port);
                    }
                }
            }
            g.wait();
        });
    },
};
