//! The namespace: what stands on the board and cannot be found by itself.
//!
//! IDs are those of Microsoft's "Plug and Play Device Identifiers" and of the ACPI Specification; the PCI interrupt links
//! follow its section 6.2.8 and the PIIX3's PIRQRC registers (290550, section 2.2.11).

use super::aml::{Access, Expression, Object, Space, Statement, Value, encode};
use super::resource::Descriptor;
use super::{Board, IsaPort, PCI_INTERRUPTS, PM_BASE};

/// The PIIX3's four route control registers in its configuration space; bit 7 switches a route off.
const PIRQRC: u64 = 0x60;
const ROUTE_OFF: u64 = 0x80;
const ROUTE: u64 = 0x0F;
const LINKS: [char; 4] = ['A', 'B', 'C', 'D'];
/// The highest slot number of a bus.
const LAST_SLOT: u64 = 31;
/// Where a link's only interrupt stands in its template.
const LINK_INTERRUPT: u8 = 5;
/// _STA: present, enabled, shown, functioning; all but enabled.
const STATUS_ON: u64 = 0xB;
const STATUS_OFF: u64 = 0x9;
/// Where firmware puts the SMBus's registers.
const SMB_BASE: u16 = 0x700;

fn name(name: &str, value: Value) -> Object {
    Object::Name(name.into(), value)
}

fn hid(id: &'static str) -> Object {
    name("_HID", Value::Eisa(id))
}

fn crs(descriptors: Vec<Descriptor>) -> Object {
    name("_CRS", Value::Resources(descriptors))
}

fn method(name: &str, arguments: u8, body: Vec<Statement>) -> Object {
    Object::Method {
        name: name.into(),
        arguments,
        serialized: false,
        body,
    }
}

fn device(name: &str, id: &'static str, resources: Vec<Descriptor>) -> Object {
    Object::Device(name.into(), vec![hid(id), crs(resources)])
}

/// The definition block behind the header.
pub fn build(board: &Board) -> Vec<u8> {
    let off = Value::Package(vec![Value::Integer(0); 4]);
    let mut system = vec![
        Object::Region {
            name: "PMCR".into(),
            space: Space::SystemIo,
            offset: u64::from(PM_BASE) + 4,
            bytes: 2,
        },
        Object::Fields {
            region: "PMCR".into(),
            access: Access::Word,
            fields: vec![("SCIE".into(), 1)],
        },
        // ACPI mode, whatever firmware has left.
        method(
            "_INI",
            0,
            vec![Statement::Store(Expression::Integer(1), "SCIE".into())],
        ),
    ];
    system.extend((0..4).map(link));
    system.push(pci_root(board));
    encode(&[
        // Soft off: SUS_TYP 0 in the PIIX4's PMCNTRL (290562, section 7.2.3).
        name("\\_S5", off),
        Object::Scope("\\_PR".into(), vec![Object::Processor("CPU0".into(), 0)]),
        // Which interrupt controllers the system uses. Routes lead to the same number of both kinds.
        name("\\PICM", Value::Integer(0)),
        method(
            "\\_PIC",
            1,
            vec![Statement::Store(Expression::Argument(0), "\\PICM".into())],
        ),
        Object::Scope("\\_SB".into(), system),
    ])
}

/// A PCI interrupt link: PIRQA to PIRQD.
fn link(n: usize) -> Object {
    let letter = LINKS[n];
    let route = format!("\\_SB.PCI0.ISA.PRQ{letter}");
    let is_off = || Expression::name(route.clone()).and(ROUTE_OFF);
    let interrupt = |buffer| Statement::DwordField(buffer, LINK_INTERRUPT, "LIRQ".into());
    let set_interrupt = |value| Statement::Store(value, "LIRQ".into());
    let with_field = |name: &str, arguments, body| Object::Method {
        name: name.into(),
        arguments,
        serialized: true,
        body,
    };
    let interrupts = |list: Vec<u8>| Value::Resources(vec![Descriptor::Interrupts(list)]);
    Object::Device(
        format!("LNK{letter}"),
        vec![
            hid("PNP0C0F"),
            name("_UID", Value::Integer(n as u64 + 1)),
            name("_PRS", interrupts(PCI_INTERRUPTS.to_vec())),
            name("LCRS", interrupts(vec![0])),
            method(
                "_STA",
                0,
                vec![
                    Statement::If(
                        is_off(),
                        vec![Statement::Return(Expression::Integer(STATUS_OFF))],
                    ),
                    Statement::Return(Expression::Integer(STATUS_ON)),
                ],
            ),
            method(
                "_DIS",
                0,
                vec![Statement::Store(
                    Expression::name(route.clone()).or(ROUTE_OFF),
                    route.clone(),
                )],
            ),
            with_field(
                "_CRS",
                0,
                vec![
                    interrupt(Expression::name("LCRS")),
                    Statement::IfElse(
                        is_off(),
                        vec![set_interrupt(Expression::Integer(0))],
                        vec![set_interrupt(Expression::name(route.clone()).and(ROUTE))],
                    ),
                    Statement::Return(Expression::name("LCRS")),
                ],
            ),
            with_field(
                "_SRS",
                1,
                vec![
                    interrupt(Expression::Argument(0)),
                    Statement::Store(Expression::name("LIRQ").and(ROUTE), route.clone()),
                ],
            ),
        ],
    )
}

/// The host bridge: what it passes on, and where each slot's interrupts lead.
fn pci_root(board: &Board) -> Object {
    // Slot n, pin p (INTA# is 0): link (n + p - 1) mod 4.
    let routes = (1..=LAST_SLOT).flat_map(|slot| {
        (0..4u64).map(move |pin| {
            let link = LINKS[(slot + pin + 3) as usize % 4];
            Value::Package(vec![
                Value::Integer(slot << 16 | 0xFFFF),
                Value::Integer(pin),
                Value::Reference(format!("LNK{link}")),
                Value::Integer(0),
            ])
        })
    });
    let last = board
        .io_apic
        .map_or(0xFEBF_FFFF, |a| a.address.wrapping_sub(1));
    Object::Device(
        "PCI0".into(),
        vec![
            hid("PNP0A03"),
            name("_UID", Value::Integer(0)),
            crs(vec![
                Descriptor::Buses(0, 0xFF),
                Descriptor::Ports(0xCF8, 8),
                Descriptor::PortWindow(0, 0xCF7),
                Descriptor::PortWindow(0xD00, 0xFFFF),
                Descriptor::MemoryWindow(0xA_0000, 0xB_FFFF),
                Descriptor::MemoryWindow(board.pci_memory, last),
            ]),
            name("_PRT", Value::Package(routes.collect())),
            isa_bridge(board),
        ],
    )
}

/// The PIIX3 and what stands behind it.
fn isa_bridge(board: &Board) -> Object {
    use Descriptor::{Dma, Irq, Memory, Ports, SharedIrq};
    let mut inside = vec![
        name("_ADR", Value::Integer(0x0001_0000)),
        Object::Region {
            name: "PIRQ".into(),
            space: Space::PciConfig,
            offset: PIRQRC,
            bytes: 4,
        },
        Object::Fields {
            region: "PIRQ".into(),
            access: Access::Byte,
            fields: LINKS.map(|l| (format!("PRQ{l}"), 8)).to_vec(),
        },
        device(
            "PIC",
            "PNP0000",
            vec![Ports(0x20, 2), Ports(0xA0, 2), Ports(0x4D0, 2), Irq(2)],
        ),
        device(
            "DMAC",
            "PNP0200",
            vec![
                Ports(0x00, 16),
                Ports(0x81, 15),
                Ports(0xC0, 32),
                Dma(4, true),
            ],
        ),
        device("TIMR", "PNP0100", vec![Ports(0x40, 4), Irq(0)]),
        device("RTC", "PNP0B00", vec![Ports(0x70, 2), Irq(8)]),
        device("SPKR", "PNP0800", vec![Ports(0x61, 1)]),
        device("FPU", "PNP0C04", vec![Ports(0xF0, 1), Irq(13)]),
        device(
            "KBD",
            "PNP0303",
            vec![Ports(0x60, 1), Ports(0x64, 1), Irq(1)],
        ),
        device("MOU", "PNP0F13", vec![Irq(12)]),
        device(
            "FDC0",
            "PNP0700",
            vec![Ports(0x3F0, 6), Ports(0x3F7, 1), Irq(6), Dma(2, false)],
        ),
    ];
    for (n, port) in board.serial_ports.iter().enumerate() {
        let with = |other: &IsaPort| other.irq == port.irq;
        let irq = match board.serial_ports.iter().filter(|p| with(p)).count() {
            1 => Irq(port.irq),
            _ => SharedIrq(port.irq),
        };
        inside.push(Object::Device(
            format!("COM{}", n + 1),
            vec![
                hid("PNP0501"),
                name("_UID", Value::Integer(n as u64 + 1)),
                crs(vec![Ports(port.base, 8), irq]),
            ],
        ));
    }
    let IsaPort { base, irq } = board.printer_port;
    inside.push(device("LPT1", "PNP0400", vec![Ports(base, 3), Irq(irq)]));
    // What else the board decodes: power management and SMBus, and the APICs.
    let mut taken = vec![Ports(PM_BASE, 0x40), Ports(SMB_BASE, 0x10)];
    if let Some(io_apic) = board.io_apic {
        taken.extend([io_apic.address, 0xFEE0_0000].map(|base| Memory {
            base,
            bytes: 0x1000,
        }));
    }
    inside.push(device("MBRD", "PNP0C02", taken));
    inside.push(Object::Device(
        "FWCF".into(),
        vec![
            name("_HID", Value::Text("QEMU0002")),
            name("_STA", Value::Integer(STATUS_ON)),
            crs(vec![Ports(0x510, 12)]),
        ],
    ));
    Object::Device("ISA".into(), inside)
}
