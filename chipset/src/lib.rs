//! The chips of a PC, one folder each. A chip knows its own pins and registers; what they are wired to is the board's.
#![warn(missing_docs)]

pub mod ata;
pub mod bochs_shutdown;
pub mod coprocessor_error;
pub mod debug_exit;
pub mod debugcon;
pub mod flash_rom;
pub mod fw_cfg;
pub mod i440fx;
pub mod i8042;
pub mod i82077aa;
pub mod i82093aa;
pub mod i8237;
pub mod i8254;
pub mod i8259;
pub mod local_apic;
pub mod lpt;
pub mod mc146818;
pub mod pci;
pub mod piix3;
pub mod piix3_ide;
pub mod piix4_pm;
pub mod port61;
pub mod port92;
pub mod uart16550;
pub mod vga;
