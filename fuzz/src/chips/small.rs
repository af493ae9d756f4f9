//! The chips with one or two registers.

use super::{Guest, STEPS, nothing, play};
use crate::Target;
use chipset::lpt::Lpt;
use chipset::{
    bochs_shutdown, coprocessor_error, debug_exit, debugcon, flash_rom, lpt, port61, port92,
};
use emu_core::host::CharLog;

pub const BOCHS_SHUTDOWN: Target = Target {
    name: "chip/bochs_shutdown",
    about: "accesses to Bochs' shutdown port",
    steps: STEPS,
    play: |rng, steps| {
        play(
            rng,
            steps,
            |_| bochs_shutdown::BochsShutdown::new(),
            |g: &mut Guest<'_, bochs_shutdown::BochsShutdown>| {
                for byte in *b"Shutdown" {
                    g.outb(0x8900, byte);
                    if g.one_in(8) {
                        g.save_and_restore();
                    }
                }
            },
        );
    },
};

pub const COPROCESSOR_ERROR: Target = Target {
    name: "chip/coprocessor_error",
    about: "accesses to the coprocessor error latch",
    steps: STEPS,
    play: |rng, steps| {
        let make = |lines: &mut emu_core::testkit::Lines<'_>| {
            coprocessor_error::CoprocessorError::new(coprocessor_error::Wiring {
                irq: lines.line("IRQ13"),
                ignne: lines.line("IGNNE#"),
            })
        };
        play(rng, steps, make, nothing);
    },
};

pub const DEBUG_EXIT: Target = Target {
    name: "chip/debug_exit",
    about: "accesses to the debug-exit port",
    steps: STEPS,
    play: |rng, steps| play(rng, steps, |_| debug_exit::DebugExit::new(0xF4), nothing),
};

pub const DEBUGCON: Target = Target {
    name: "chip/debugcon",
    about: "accesses to the debug console",
    steps: STEPS,
    play: |rng, steps| {
        let log = Box::new(CharLog::default());
        play(rng, steps, |_| debugcon::Debugcon::new(0xE9, log), nothing);
    },
};

pub const FLASH_ROM: Target = Target {
    name: "chip/flash_rom",
    about: "accesses to the BIOS ROM",
    steps: STEPS,
    play: |rng, steps| {
        let image = vec![0x5A; 64 << 10 << rng.below(3)];
        let make = |_: &mut emu_core::testkit::Lines<'_>| {
            flash_rom::FlashRom::new(&image).expect("a good size")
        };
        play(rng, steps, make, nothing);
    },
};

pub const LPT: Target = Target {
    name: "chip/lpt",
    about: "accesses to a parallel port",
    steps: STEPS,
    play: |rng, steps| {
        let printer = rng.below(2) == 1;
        let bidirectional = rng.below(2) == 1;
        let make = |lines: &mut emu_core::testkit::Lines<'_>| {
            let wiring = lpt::Wiring {
                irq: lines.line("IRQ7"),
            };
            let config = lpt::Config {
                base: 0x378,
                bidirectional,
            };
            let log: Box<dyn emu_core::host::CharBackend> = Box::new(CharLog::default());
            Lpt::new(wiring, config, printer.then_some(log))
        };
        play(rng, steps, make, |g: &mut Guest<'_, Lpt>| {
            // A character: data, strobe, acknowledge.
            let value = g.byte();
            g.outb(0x378, value);
            g.outb(0x37A, 0x1D);
            g.outb(0x37A, 0x1C);
            g.inb(0x379);
            g.wait();
        });
    },
};

pub const PORT61: Target = Target {
    name: "chip/port61",
    about: "accesses to port B",
    steps: STEPS,
    play: |rng, steps| {
        let make = |lines: &mut emu_core::testkit::Lines<'_>| {
            port61::Port61::new(port61::Wiring {
                timer_2_gate: lines.line("GATE2"),
                speaker: lines.line("speaker"),
                nmi: lines.line("NMI"),
            })
        };
        play(rng, steps, make, nothing);
    },
};

pub const PORT92: Target = Target {
    name: "chip/port92",
    about: "accesses to port 92h",
    steps: STEPS,
    play: |rng, steps| {
        let make = |lines: &mut emu_core::testkit::Lines<'_>| {
            port92::Port92::new(port92::Wiring {
                a20: lines.line("A20"),
            })
        };
        play(rng, steps, make, nothing);
    },
};
