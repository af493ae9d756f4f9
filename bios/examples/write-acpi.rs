//! Writes the ACPI tables into a folder, each into a file of its own for `iasl -d`: `cargo run -p bios --example
//! write-acpi DIR`.

use bios::acpi::{Board, IoApic, IsaPort, files};

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os().nth(1).unwrap_or_else(|| ".".into());
    let port = |base, irq| IsaPort { base, irq };
    let board = Board {
        io_apic: Some(IoApic {
            id: 1,
            address: 0xFEC0_0000,
        }),
        pci_memory: 0xE000_0000,
        serial_ports: vec![
            port(0x3F8, 4),
            port(0x2F8, 3),
            port(0x3E8, 4),
            port(0x2E8, 3),
        ],
        printer_port: port(0x378, 7),
    };
    let [_, tables, _] = files(&board);
    // Each begins on 64 bytes: signature, length.
    let mut at = 0;
    while let Some(header) = tables.bytes.get(at..at + 8) {
        let (signature, len) = header.split_at(4);
        let len = len.iter().rev().fold(0, |n, b| n << 8 | usize::from(*b));
        let mut table = tables.bytes[at..at + len].to_vec();
        if signature != b"FACS" {
            table[9] = table.iter().fold(0u8, |sum, b| sum.wrapping_sub(*b));
        }
        let name = String::from_utf8_lossy(signature).to_lowercase();
        std::fs::write(std::path::Path::new(&folder).join(name + ".dat"), table)?;
        at = (at + len).next_multiple_of(64);
    }
    Ok(())
}
