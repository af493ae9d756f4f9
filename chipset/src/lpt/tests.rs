use super::spec::{ACK_NS, BUSY_NS};
use super::*;
use emu_core::host::CharLog;
use emu_core::testkit::{Bench, Lines, conformance, golden};

fn make(log: Option<CharLog>) -> impl Fn(&mut Lines<'_>) -> Lpt {
    move |lines| {
        let wiring = Wiring {
            irq: lines.line("IRQ7"),
        };
        let config = Config {
            base: 0x378,
            bidirectional: true,
        };
        let backend = log.clone().map(|l| Box::new(l) as Box<dyn CharBackend>);
        Lpt::new(wiring, config, backend)
    }
}

const DATA: u16 = 0x378;
const STATUS: u16 = 0x379;
const CONTROL: u16 = 0x37A;

fn print(b: &mut Bench<Lpt>, byte: u8, control: u8) {
    b.outb(DATA, byte);
    b.outb(CONTROL, control | 0x01);
    b.outb(CONTROL, control);
}

#[test]
fn a_parallel_port_keeps_the_laws_of_devices() {
    conformance(make(Some(CharLog::default())));
    conformance(make(None));
}

#[test]
fn a_strobe_prints_the_character_and_the_printer_is_busy_and_acknowledges() {
    let log = CharLog::default();
    let mut b = Bench::new(make(Some(log.clone())));
    b.outb(CONTROL, 0x0C);
    assert_eq!(b.inb(STATUS), 0xDF);
    b.outb(DATA, b'P');
    b.outb(CONTROL, 0x0D);
    assert_eq!(log.bytes(), b"", "not before the strobe ends");
    b.outb(CONTROL, 0x0C);
    assert_eq!(log.bytes(), b"P");
    assert_eq!(b.inb(STATUS), 0x5F, "busy");
    b.advance_ns(BUSY_NS);
    assert_eq!(b.inb(STATUS), 0x1F, "busy, and nACK low");
    b.advance_ns(ACK_NS);
    assert_eq!(b.inb(STATUS), 0xDB, "nIRQ until it is read");
    assert_eq!(b.inb(STATUS), 0xDF);
}

#[test]
fn a_strobe_while_busy_is_lost() {
    let log = CharLog::default();
    let mut b = Bench::new(make(Some(log.clone())));
    print(&mut b, b'a', 0x0C);
    print(&mut b, b'b', 0x0C);
    b.advance_ns(BUSY_NS + ACK_NS);
    print(&mut b, b'c', 0x0C);
    assert_eq!(log.bytes(), b"ac");
}

#[test]
fn an_acknowledgement_interrupts_where_control_bit_4_lets_it() {
    for (control, lets) in [(0x0C, false), (0x1C, true)] {
        let mut b = Bench::new(make(Some(CharLog::default())));
        let irq = b.device.wiring.irq;
        print(&mut b, b'x', control);
        b.advance_ns(BUSY_NS + ACK_NS - 1);
        assert!(!b.level(irq));
        b.advance_ns(1);
        assert_eq!(b.level(irq), lets);
        b.inb(STATUS);
        assert!(!b.level(irq));
    }
}

#[test]
fn init_holds_the_printer_in_reset() {
    let log = CharLog::default();
    let mut b = Bench::new(make(Some(log.clone())));
    b.outb(CONTROL, 0x08);
    assert_eq!(b.inb(STATUS) & 0x80, 0);
    print(&mut b, b'x', 0x08);
    assert_eq!(log.bytes(), b"");
    b.outb(CONTROL, 0x0C);
    assert_eq!(b.inb(STATUS) & 0x80, 0x80);
}

#[test]
fn the_data_port_reads_back_or_as_inputs_gives_open_lines() {
    let mut b = Bench::new(make(None));
    b.outb(DATA, 0x5A);
    assert_eq!(b.inb(DATA), 0x5A);
    b.outb(CONTROL, 0x2C);
    assert_eq!(b.inb(CONTROL), 0xEC);
    assert_eq!(b.inb(DATA), 0xFF);
}

#[test]
fn without_a_printer_the_port_shows_busy_and_paper_end() {
    let mut b = Bench::new(make(None));
    b.outb(CONTROL, 0x0C);
    assert_eq!(b.inb(STATUS), 0x7F);
    print(&mut b, b'x', 0x0C);
    b.advance_ns(1_000_000);
    assert_eq!(b.inb(STATUS), 0x7F);
}

#[test]
fn a_state_saved_by_version_1_still_loads() {
    golden(
        make(Some(CharLog::default())),
        concat!(env!("CARGO_MANIFEST_DIR"), "/src/lpt"),
    );
}
