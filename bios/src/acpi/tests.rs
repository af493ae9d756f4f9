//! The tables as a system sees them: loaded as the script says, then walked from the root pointer.

use super::*;
use std::collections::BTreeMap;

const ROOT_AT: usize = 0xF_5000;
const TABLES_AT: usize = 0x1FF_0000;

fn board(apics: bool) -> Board {
    let port = |base, irq| IsaPort { base, irq };
    Board {
        io_apic: apics.then_some(IoApic {
            id: 1,
            address: 0xFEC0_0000,
        }),
        pci_memory: 0xE000_0000,
        serial_ports: vec![port(0x3F8, 4), port(0x2F8, 3), port(0x3E8, 4)],
        printer_port: port(0x378, 7),
    }
}

fn dword(bytes: &[u8], at: usize) -> usize {
    (0..4).fold(0, |n, i| n | usize::from(bytes[at + i]) << (8 * i))
}

fn word(bytes: &[u8], at: usize) -> usize {
    dword(bytes, at) & 0xFFFF
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |s, b| s.wrapping_add(*b))
}

fn name(bytes: &[u8]) -> String {
    let text = bytes[..56].iter().take_while(|b| **b != 0);
    text.map(|b| char::from(*b)).collect()
}

/// Does what firmware does with the files: the root pointer, and the tables.
fn loaded(board: &Board) -> [Vec<u8>; 2] {
    let files = files(board);
    let script = files[2].bytes.clone();
    assert_eq!(files[2].name, "etc/table-loader");
    assert_eq!(script.len() % 128, 0);
    let mut memory = BTreeMap::new();
    for entry in script.chunks(128) {
        let e = |at| dword(entry, at);
        match e(0) {
            1 => {
                let name = name(&entry[4..]);
                let file = files.iter().find(|f| f.name == name).unwrap();
                let at = match entry[64] {
                    1 => TABLES_AT,
                    2 => ROOT_AT,
                    zone => panic!("zone {zone}"),
                };
                assert!(e(60).is_power_of_two());
                assert!(memory.insert(name, (at, file.bytes.clone())).is_none());
            }
            2 => {
                let source = memory[&name(&entry[60..])].0;
                let bytes = &mut memory.get_mut(&name(&entry[4..])).unwrap().1;
                let (at, width) = (e(116), usize::from(entry[120]));
                let mut value = dword(bytes, at) + source;
                for byte in &mut bytes[at..at + width] {
                    *byte = value as u8;
                    value >>= 8;
                }
                assert_eq!(value, 0);
            }
            3 => {
                let bytes = &mut memory.get_mut(&name(&entry[4..])).unwrap().1;
                let range = sum(&bytes[e(64)..e(64) + e(68)]);
                let byte = &mut bytes[e(60)];
                *byte = byte.wrapping_sub(range);
            }
            other => panic!("command {other}"),
        }
    }
    ["etc/acpi/rsdp", "etc/acpi/tables"].map(|n| memory.remove(n).unwrap().1)
}

/// The table at an address.
fn table(tables: &[u8], at: usize) -> &[u8] {
    let at = at - TABLES_AT;
    &tables[at..at + dword(tables, at + 4)]
}

/// Those that a list of pointers of that width leads to, by their signatures.
fn listed<'a>(tables: &'a [u8], list: &[u8], width: usize) -> BTreeMap<&'a [u8], &'a [u8]> {
    let pointers = list[36..].chunks(width).map(|p| dword(p, 0));
    let found = pointers.map(|at| table(tables, at));
    found.map(|t| (&t[..4], t)).collect()
}

#[test]
fn every_table_is_found_from_the_root_pointer_and_sums_up_to_zero() {
    let [root, tables] = loaded(&board(true));
    assert_eq!(&root[..8], b"RSD PTR ");
    assert_eq!((root.len(), root[15], dword(&root, 20)), (36, 2, 36));
    assert_eq!((sum(&root[..20]), sum(&root)), (0, 0));
    let rsdt = table(&tables, dword(&root, 16));
    let xsdt = table(&tables, dword(&root, 24));
    assert_eq!((&rsdt[..4], &xsdt[..4]), (&b"RSDT"[..], &b"XSDT"[..]));
    let by_rsdt = listed(&tables, rsdt, 4);
    assert_eq!(by_rsdt, listed(&tables, xsdt, 8));
    assert_eq!(
        by_rsdt.keys().copied().collect::<Vec<_>>(),
        [b"APIC", b"FACP"]
    );
    let fadt = by_rsdt[&b"FACP"[..]];
    let dsdt = table(&tables, dword(fadt, 40));
    assert_eq!(&dsdt[..4], b"DSDT");
    for t in by_rsdt.into_values().chain([rsdt, xsdt, dsdt]) {
        assert_eq!(sum(t), 0, "{:?}", String::from_utf8_lossy(&t[..4]));
    }
    let facs = dword(fadt, 36);
    assert_eq!(&table(&tables, facs)[..4], b"FACS");
    assert_eq!((facs % 64, table(&tables, facs).len()), (0, 64));
    // The 64-bit pointers lead to the same.
    assert_eq!(dword(fadt, 132), facs);
    assert_eq!(dword(fadt, 140), dword(fadt, 40));
}

#[test]
fn the_fadt_describes_the_piix4s_registers() {
    let [root, tables] = loaded(&board(true));
    let rsdt = table(&tables, dword(&root, 16));
    let fadt = listed(&tables, rsdt, 4)[&b"FACP"[..]];
    // Table 5-5 of the ACPI Specification 2.0; the PIIX4's data sheet, "Power management I/O registers".
    assert_eq!((fadt.len(), fadt[8]), (244, 3));
    assert_eq!((word(fadt, 46), dword(fadt, 48)), (9, 0), "SCI, SMI_CMD");
    assert_eq!((dword(fadt, 56), fadt[88]), (0x600, 4), "PM1 events");
    assert_eq!((dword(fadt, 64), fadt[89]), (0x604, 2), "PM1 control");
    assert_eq!((dword(fadt, 76), fadt[91]), (0x608, 4), "timer");
    assert_eq!(
        (dword(fadt, 80), fadt[92]),
        (0x60C, 4),
        "general-purpose events"
    );
    assert!(
        word(fadt, 96) > 100 && word(fadt, 98) > 1000,
        "no C2, no C3"
    );
    assert_eq!(fadt[108], 0x32, "century");
    assert_eq!(word(fadt, 109), 0b11, "ISA devices, 8042");
    // WBINVD, PROC_C1, SLP_BUTTON, RESET_REG_SUP; TMR_VAL_EXT would be bit 8: the timer has 24 bits.
    assert_eq!(dword(fadt, 112), 1 | 1 << 2 | 1 << 5 | 1 << 10);
    assert_eq!(
        fadt[116..129],
        [1, 8, 0, 0, 0xF9, 0x0C, 0, 0, 0, 0, 0, 0, 6]
    );
    for (at, port, bits) in [
        (148, 0x600, 32),
        (172, 0x604, 16),
        (208, 0x608, 32),
        (220, 0x60C, 32),
    ] {
        assert_eq!(
            (fadt[at], fadt[at + 1], dword(fadt, at + 4)),
            (1, bits, port)
        );
    }
}

#[test]
fn the_madt_names_the_apics_and_the_wiring_that_differs_from_an_ats() {
    let [root, tables] = loaded(&board(true));
    let rsdt = table(&tables, dword(&root, 16));
    let madt = listed(&tables, rsdt, 4)[&b"APIC"[..]];
    assert_eq!((dword(madt, 36), dword(madt, 40)), (0xFEE0_0000, 1));
    let mut entries = Vec::new();
    let mut at = 44;
    while at < madt.len() {
        let len = usize::from(madt[at + 1]);
        entries.push(&madt[at..at + len]);
        at += len;
    }
    assert_eq!(at, madt.len());
    let want: [&[u8]; 8] = [
        &[0, 8, 0, 0, 1, 0, 0, 0],
        &[1, 12, 1, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0],
        &[2, 10, 0, 0, 2, 0, 0, 0, 0, 0],
        &[2, 10, 0, 9, 9, 0, 0, 0, 0x0D, 0],
        &[2, 10, 0, 5, 5, 0, 0, 0, 0x0D, 0],
        &[2, 10, 0, 10, 10, 0, 0, 0, 0x0D, 0],
        &[2, 10, 0, 11, 11, 0, 0, 0, 0x0D, 0],
        &[4, 6, 0xFF, 0, 0, 1],
    ];
    assert_eq!(entries, want);
}

#[test]
fn without_a_local_apic_there_is_no_madt() {
    let [root, tables] = loaded(&board(false));
    let rsdt = table(&tables, dword(&root, 16));
    let found = listed(&tables, rsdt, 4);
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), [b"FACP"]);
}

#[test]
fn the_dsdt_switches_off_and_routes_each_slot() {
    let [root, tables] = loaded(&board(true));
    let fadt = listed(&tables, table(&tables, dword(&root, 16)), 4)[&b"FACP"[..]];
    let dsdt = table(&tables, dword(fadt, 40));
    assert_eq!(dsdt[8], 1, "integers of 32 bits");
    let has = |bytes: &[u8]| dsdt.windows(bytes.len()).any(|w| w == bytes);
    assert!(has(b"\x08\\_S5_\x12\x06\x04\0\0\0\0"));
    // Slot 1, INTA#: PIRQA. Slot 2, INTB# (pin 1): PIRQC. Slot 31, INTD#: PIRQB.
    assert!(has(b"\x12\x0D\x04\x0C\xFF\xFF\x01\0\0LNKA\0"));
    assert!(has(b"\x12\x0D\x04\x0C\xFF\xFF\x02\0\x01LNKC\0"));
    assert!(has(b"\x12\x0E\x04\x0C\xFF\xFF\x1F\0\x0A\x03LNKB\0"));
    // COM1 and COM3 share IRQ 4, COM2 has IRQ 3 for itself.
    assert!(has(&[0x47, 1, 0xF8, 3, 0xF8, 3, 1, 8, 0x23, 0x10, 0, 0x11]));
    assert!(has(&[0x47, 1, 0xF8, 2, 0xF8, 2, 1, 8, 0x22, 0x08, 0]));
}

#[test]
fn the_memory_map_has_a_range_of_twenty_bytes_for_each_piece_of_memory() {
    assert_eq!(e820(32 << 20, 0).len(), 20);
    let two = e820(0xE000_0000, 1 << 30);
    assert_eq!(two.len(), 40);
    assert_eq!((dword(&two, 8), dword(&two, 16)), (0xE000_0000, 1));
    assert_eq!(two[20..28], [0, 0, 0, 0, 1, 0, 0, 0]);
}
