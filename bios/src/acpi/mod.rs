//! The ACPI tables of the board `pc`, as files for firmware to load.
//!
//! Document: Advanced Configuration and Power Interface Specification 2.0. Tables that only ACPI 1.0 knew are written so
//! that its systems read them too: there is an RSDT beside the XSDT, and the DSDT computes in 32 bits.
//!
//! A machine offers [`files`] through fw_cfg; firmware (ours, SeaBIOS, OVMF) allocates memory for the tables, puts them
//! there and fits their addresses and checksums as the script says ([`loader`]).
//!
//! The hardware is in ACPI mode only: there is no SMM handler that would switch (SMI_CMD is 0). SCI_EN is set by our
//! firmware, and by `\_SB._INI` for firmware that leaves it alone. That the power management registers stand at
//! [`PM_BASE`] is the custom of firmware for this chipset.
//!
//! **Not implemented**: sleeping states but S5, processor power states (the PIIX4's clock control is not there), wake-up
//! events, general-purpose events (the block is declared, no method handles one), HPET, SRAT, SSDTs; MP tables.

mod aml;
mod dsdt;
mod fixed;
mod loader;
mod resource;
#[cfg(test)]
mod tests;

pub use loader::File;

/// Where firmware puts the PIIX4's power management registers.
const PM_BASE: u16 = 0x600;
/// The system control interrupt: IRQ 9 of the PIIX4.
const SCI: u8 = 9;
/// The interrupts that PCI's may be routed to: those that no device on the board has. Firmware and software set them to
/// levels.
const PCI_INTERRUPTS: [u8; 3] = [5, 10, 11];

/// An I/O APIC.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct IoApic {
    /// Its ID: firmware gives it one that no local APIC has.
    pub id: u8,
    /// Where its registers stand.
    pub address: u32,
}

/// A port with an interrupt.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct IsaPort {
    /// Its first port.
    pub base: u16,
    /// Its interrupt.
    pub irq: u8,
}

/// What the board is made of, as far as it varies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Board {
    /// Its I/O APIC; none for a CPU without a local APIC.
    pub io_apic: Option<IoApic>,
    /// Where the range of addresses begins that PCI functions get; it ends below the I/O APIC.
    pub pci_memory: u32,
    /// COM1, COM2, ...
    pub serial_ports: Vec<IsaPort>,
    /// The printer port.
    pub printer_port: IsaPort,
}

/// The files by which firmware gets the tables.
pub fn files(board: &Board) -> [File; 3] {
    let mut script = loader::Script::new();
    fixed::build(board, &mut script);
    script.into_files()
}

/// The file `etc/e820`: memory of a machine whose RAM ends at `low_end` below 4 GiB and has `high_bytes` above: address
/// and length of 64 bits, type of 32 (1: memory).
pub fn e820(low_end: u64, high_bytes: u64) -> Vec<u8> {
    let ranges = [(0, low_end), (1 << 32, high_bytes)];
    let mut bytes = Vec::new();
    for (start, len) in ranges.into_iter().filter(|r| r.1 != 0) {
        bytes.extend(u64::to_le_bytes(start));
        bytes.extend(len.to_le_bytes());
        bytes.extend(1u32.to_le_bytes());
    }
    bytes
}
