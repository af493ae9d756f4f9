//! Hostile input for every part that takes any: guests, images, snapshots.
//!
//! Each target is a plain function that plays one *case* from a seed; nothing but the seed decides what happens. A
//! case fails if it panics: an arithmetic overflow or a failed assertion of the code under test, a law that the
//! target itself checks, or a count of steps without progress (hangs are found by counting, never by the host's
//! clock). A failure is one line with the command that repeats it.
//!
//! ```text
//! cargo run --profile fuzz -p fuzz -- all --count 1000000     (release speed, with overflow checks)
//! cargo run --profile fuzz -p fuzz -- chip/i82077aa --seed 1 --case 17
//! ```

mod boot;
mod chips;
mod cpu;
mod hostile;
mod media;
mod pc;
mod run;
mod snapshot;

pub use run::{Plan, Report, Target, run};

/// All targets.
pub const TARGETS: &[Target] = &[
    chips::small::BOCHS_SHUTDOWN,
    chips::small::COPROCESSOR_ERROR,
    chips::small::DEBUG_EXIT,
    chips::small::DEBUGCON,
    chips::small::FLASH_ROM,
    chips::small::LPT,
    chips::small::PORT61,
    chips::small::PORT92,
    chips::apic::I82093AA,
    chips::apic::LOCAL_APIC,
    chips::legacy::I8042,
    chips::legacy::I8237,
    chips::legacy::I8254,
    chips::legacy::I8259_MASTER,
    chips::legacy::I8259_SLAVE,
    chips::legacy::MC146818,
    chips::legacy::UART16550,
    chips::floppy::I82077AA,
    chips::floppy::I82077AA_PS2,
    chips::ide::PIIX3_IDE,
    chips::bridges::FW_CFG,
    chips::bridges::I440FX,
    chips::bridges::PIIX3,
    chips::bridges::PIIX4_PM,
    chips::vga::VGA_PCI,
    chips::vga::VGA_ISA,
    pc::PC,
    cpu::DECODE,
    cpu::REAL,
    cpu::PROTECTED,
    cpu::LONG,
    cpu::CACHE,
    cpu::STATE,
    media::MEDIA,
    snapshot::FILE,
    snapshot::FORGED,
    boot::EL_TORITO,
    boot::BOOT_SECTOR,
];
