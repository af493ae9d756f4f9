//! The tables of fixed shape: ACPI Specification 2.0, section 5.2 ("ACPI system description tables").

use super::loader::Script;
use super::{Board, IoApic, PCI_INTERRUPTS, PM_BASE, SCI, dsdt};

const OEM: [u8; 6] = *b"BOXWD ";
const OEM_TABLE: [u8; 8] = *b"BOXWOODP";
const CREATOR: [u8; 4] = *b"BXWD";
/// Bytes of a description header (table 5-4), and where its checksum stands.
pub const HEADER_BYTES: usize = 36;
const CHECKSUM: usize = 9;

/// The PIIX4's power management registers (290562, section 7.2): PM1 status and enable, PM1 control, timer,
/// general-purpose status and enable.
const PM1_EVENT: u16 = PM_BASE;
const PM1_EVENT_BYTES: u8 = 4;
const PM1_CONTROL: u16 = PM_BASE + 4;
const PM1_CONTROL_BYTES: u8 = 2;
const PM_TIMER: u16 = PM_BASE + 8;
const PM_TIMER_BYTES: u8 = 4;
const GP_EVENT: u16 = PM_BASE + 0xC;
const GP_EVENT_BYTES: u8 = 4;
/// The PIIX3's reset control register, and what resets CPU and PCI.
const RESET_PORT: u16 = 0xCF9;
const RESET_VALUE: u8 = 0x06;
/// The clock's century byte in CMOS RAM.
const CENTURY: u8 = 0x32;
/// Latencies of C2 and C3 that say that there is neither (table 5-5).
const NO_C2: u16 = 0x0FFF;
const NO_C3: u16 = 0x0FFF;
/// IA-PC boot architecture (table 5-6): devices of the ISA bus, a keyboard controller.
const LEGACY_DEVICES: u16 = 1 << 0;
const KEYBOARD_CONTROLLER: u16 = 1 << 1;
/// Feature flags (table 5-7): WBINVD works; C1; the sleep button is no fixed feature; the reset register.
const WBINVD: u32 = 1 << 0;
const PROC_C1: u32 = 1 << 2;
const SLP_BUTTON: u32 = 1 << 5;
const RESET_REG_SUP: u32 = 1 << 10;
/// Where the local APICs' registers stand.
const LOCAL_APIC: u32 = 0xFEE0_0000;
/// MADT: there are 8259As too (table 5-9).
const PCAT_COMPAT: u32 = 1;
/// MPS INTI flags (table 5-17): active high; level triggered.
const ACTIVE_HIGH: u16 = 1;
const LEVEL: u16 = 3 << 2;
/// The pin of the I/O APIC that the timer is wired to.
const TIMER_PIN: u32 = 2;

/// A table with its header; the checksum stays 0.
fn described(signature: &[u8; 4], revision: u8, body: &[u8]) -> Vec<u8> {
    let len = (HEADER_BYTES + body.len()) as u32;
    [
        &signature[..],
        &len.to_le_bytes(),
        &[revision, 0],
        &OEM,
        &OEM_TABLE,
        &1u32.to_le_bytes(),
        &CREATOR,
        &1u32.to_le_bytes(),
        body,
    ]
    .concat()
}

/// Builds all tables, the root pointer last.
pub fn build(board: &Board, script: &mut Script) {
    // The FACS has no checksum and no header. Version 1; no hardware signature, no waking vector.
    let mut facs = [&b"FACS"[..], &64u32.to_le_bytes()].concat();
    facs.resize(64, 0);
    facs[32] = 1;
    let facs = script.table(&facs);
    let dsdt = script.table(&described(b"DSDT", 1, &dsdt::build(board)));
    script.checksum(dsdt, CHECKSUM);
    let fadt = script.table(&fadt());
    for (at, width, to) in [(36, 4, facs), (40, 4, dsdt), (132, 8, facs), (140, 8, dsdt)] {
        script.pointer(fadt, at, width, to);
    }
    script.checksum(fadt, CHECKSUM);
    let mut listed = vec![fadt];
    if let Some(io_apic) = &board.io_apic {
        let madt = script.table(&described(b"APIC", 1, &madt(io_apic)));
        script.checksum(madt, CHECKSUM);
        listed.push(madt);
    }
    let [rsdt, xsdt] = [(b"RSDT", 4), (b"XSDT", 8)].map(|(signature, width)| {
        let empty = vec![0; width * listed.len()];
        let root = script.table(&described(signature, 1, &empty));
        for (i, &table) in listed.iter().enumerate() {
            script.pointer(root, HEADER_BYTES + i * width, width, table);
        }
        script.checksum(root, CHECKSUM);
        root
    });
    // Section 5.2.4.3: signature, checksum of the first 20 bytes, OEM, revision 2, RSDT, length, XSDT, checksum of all.
    let mut root = [&b"RSD PTR \0"[..], &OEM, &[2]].concat();
    root.resize(20, 0);
    root.extend(36u32.to_le_bytes());
    root.resize(36, 0);
    script.root(root, &[(16, 4, rsdt), (24, 8, xsdt)], &[(8, 20), (32, 36)]);
}

/// A generic address of I/O space (section 5.2.3.1).
fn port(at: u16, bytes: u8) -> [u8; 12] {
    let mut address = [0; 12];
    address[0] = 1;
    address[1] = bytes * 8;
    address[4..6].copy_from_slice(&at.to_le_bytes());
    address
}

/// Section 5.2.8. What is not named is 0: no SMI command, no second blocks, no PM2 control, no C2, C3 or throttling, no
/// alarm for day or month.
fn fadt() -> Vec<u8> {
    let mut body = vec![0; 244 - HEADER_BYTES];
    let mut set = |at: usize, bytes: &[u8]| {
        let at = at - HEADER_BYTES;
        body[at..at + bytes.len()].copy_from_slice(bytes);
    };
    set(46, &u16::from(SCI).to_le_bytes());
    for (at, block) in [
        (56, PM1_EVENT),
        (64, PM1_CONTROL),
        (76, PM_TIMER),
        (80, GP_EVENT),
    ] {
        set(at, &u32::from(block).to_le_bytes());
    }
    set(88, &[PM1_EVENT_BYTES, PM1_CONTROL_BYTES, 0, PM_TIMER_BYTES]);
    set(92, &[GP_EVENT_BYTES]);
    set(96, &NO_C2.to_le_bytes());
    set(98, &NO_C3.to_le_bytes());
    set(108, &[CENTURY]);
    set(109, &(LEGACY_DEVICES | KEYBOARD_CONTROLLER).to_le_bytes());
    let features = WBINVD | PROC_C1 | SLP_BUTTON | RESET_REG_SUP;
    set(112, &features.to_le_bytes());
    set(116, &port(RESET_PORT, 1));
    set(128, &[RESET_VALUE]);
    for (at, block, bytes) in [
        (148, PM1_EVENT, PM1_EVENT_BYTES),
        (172, PM1_CONTROL, PM1_CONTROL_BYTES),
        (208, PM_TIMER, PM_TIMER_BYTES),
        (220, GP_EVENT, GP_EVENT_BYTES),
    ] {
        set(at, &port(block, bytes));
    }
    described(b"FACP", 3, &body)
}

/// Section 5.2.10.4: one processor; the 8259As' interrupts have the numbers of the I/O APIC's pins, but for the timer's.
fn madt(io_apic: &IoApic) -> Vec<u8> {
    let mut body = [LOCAL_APIC.to_le_bytes(), PCAT_COMPAT.to_le_bytes()].concat();
    // Processor local APIC: processor 0 has APIC 0 and is enabled.
    body.extend([0, 8, 0, 0, 1, 0, 0, 0]);
    // I/O APIC: its interrupts are those from 0 on.
    body.extend([1, 12, io_apic.id, 0]);
    body.extend(io_apic.address.to_le_bytes());
    body.extend(0u32.to_le_bytes());
    let mut overridden = |irq: u8, pin: u32, flags: u16| {
        body.extend([2, 10, 0, irq]);
        body.extend(pin.to_le_bytes());
        body.extend(flags.to_le_bytes());
    };
    overridden(0, TIMER_PIN, 0);
    for irq in [SCI].into_iter().chain(PCI_INTERRUPTS) {
        overridden(irq, irq.into(), ACTIVE_HIGH | LEVEL);
    }
    // Local APIC NMI: of all processors, at LINT1.
    body.extend([4, 6, 0xFF, 0, 0, 1]);
    body
}
