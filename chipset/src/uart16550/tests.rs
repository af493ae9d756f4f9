use super::*;
use emu_core::host::CharLog;
use emu_core::testkit::{Bench, Lines, conformance, golden};

fn make_with(log: CharLog) -> impl Fn(&mut Lines<'_>) -> Uart16550 {
    move |lines| {
        let wiring = Wiring {
            irq: lines.line("IRQ4"),
        };
        let config = Config {
            base: 0x3F8,
            connected: true,
        };
        Uart16550::new(wiring, config, Box::new(log.clone()))
    }
}

const DATA: u16 = 0x3F8;
const IER: u16 = 0x3F9;
const IIR: u16 = 0x3FA;
const FCR: u16 = 0x3FA;
const LCR: u16 = 0x3FB;
const MCR: u16 = 0x3FC;
const LSR: u16 = 0x3FD;
const MSR: u16 = 0x3FE;

/// Ten bits at 9600 baud: 16 x 12 x 10 clocks of 1.8432 MHz.
const CHARACTER_NS: u64 = 1_041_667;

/// 9600 baud, 8 data bits, no parity, one stop bit; OUT2 on.
fn bench() -> (Bench<Uart16550>, CharLog) {
    let log = CharLog::default();
    let mut b = Bench::new(make_with(log.clone()));
    b.outb(LCR, 0x83);
    b.outb(DATA, 12);
    b.outb(IER, 0);
    b.outb(LCR, 0x03);
    b.outb(MCR, 0x0B);
    (b, log)
}

fn irq(b: &Bench<Uart16550>) -> bool {
    b.level(b.device.wiring.irq)
}

/// A character from the host, received completely.
fn receive(b: &mut Bench<Uart16550>, bytes: &[u8]) {
    for &byte in bytes {
        assert_eq!(b.device.receive_room(), 1);
        b.with(|d, cx| d.receive(byte, cx));
        assert_eq!(b.device.receive_room(), 0, "one at a time");
        b.advance_ns(CHARACTER_NS);
    }
}

#[test]
fn a_serial_port_keeps_the_laws_of_devices() {
    conformance(make_with(CharLog::default()));
}

#[test]
fn after_reset_the_registers_are_as_in_table_iii() {
    let mut b = Bench::new(make_with(CharLog::default()));
    for (port, value) in [
        (IER, 0),
        (IIR, 1),
        (LCR, 0),
        (MCR, 0),
        (LSR, 0x60),
        (MSR, 0xB0),
    ] {
        assert_eq!(b.inb(port), value, "{port:X}h");
    }
}

#[test]
fn a_character_takes_its_time_to_the_back_end() {
    let (mut b, log) = bench();
    b.outb(DATA, b'x');
    assert_eq!(
        b.inb(LSR),
        0x20,
        "holding register empty, shift register not"
    );
    b.outb(DATA, b'y');
    assert_eq!(b.inb(LSR), 0x00);
    b.advance_ns(CHARACTER_NS - 1);
    assert_eq!(log.bytes(), b"");
    b.advance_ns(1);
    assert_eq!(log.bytes(), b"x");
    b.advance_ns(CHARACTER_NS);
    assert_eq!((log.bytes(), b.inb(LSR)), (b"xy".to_vec(), 0x60));
}

#[test]
fn the_format_decides_how_long_a_character_is_and_how_many_bits_it_keeps() {
    // At 115200 baud a bit is 8680.6 ns.
    for (lcr, half_bits, mask) in [
        (0x00, 14, 0x1F),
        (0x04, 15, 0x1F),
        (0x1B, 22, 0xFF),
        (0x07, 22, 0xFF),
        (0x0A, 20, 0x7F),
    ] {
        let (mut b, log) = bench();
        b.outb(LCR, 0x80);
        b.outb(DATA, 1);
        b.outb(LCR, lcr);
        b.outb(DATA, 0xFF);
        let ns = (half_bits * 1_000_000_000u64).div_ceil(2 * 115_200);
        assert_eq!(b.armed(TIMER_TRANSMIT).map(|t| t.since(b.now())), Some(ns));
        b.advance_ns(ns);
        assert_eq!(log.bytes(), [mask]);
    }
}

#[test]
fn the_transmitter_interrupt_comes_when_empty_and_goes_by_reading_iir_or_by_writing() {
    let (mut b, _) = bench();
    b.outb(IER, 0x02);
    assert!(irq(&b), "enabling it while the register is empty");
    assert_eq!(b.inb(IIR), 0x02);
    assert!(!irq(&b));
    assert_eq!(b.inb(IIR), 0x01);
    b.outb(DATA, 1);
    assert!(irq(&b), "the shift register took it at once");
    b.outb(DATA, 2);
    assert!(!irq(&b));
    b.advance_ns(CHARACTER_NS);
    assert!(irq(&b));
}

#[test]
fn received_data_interrupts_until_it_is_read() {
    let (mut b, _) = bench();
    b.outb(IER, 0x01);
    receive(&mut b, b"q");
    assert!(irq(&b));
    assert_eq!((b.inb(IIR), b.inb(LSR)), (0x04, 0x61));
    assert_eq!(b.inb(DATA), b'q');
    assert!(!irq(&b));
    assert_eq!(b.inb(LSR), 0x60);
}

#[test]
fn out2_gates_the_interrupt() {
    let (mut b, _) = bench();
    b.outb(IER, 0x02);
    b.outb(MCR, 0x03);
    assert!(!irq(&b));
    b.outb(MCR, 0x0B);
    assert!(irq(&b));
}

#[test]
fn the_fifo_interrupts_at_its_trigger_level_and_times_out_below_it() {
    for (fcr, level) in [(0x01, 1), (0x41, 4), (0x81, 8), (0xC1, 14)] {
        let (mut b, _) = bench();
        b.outb(IER, 0x01);
        b.outb(FCR, fcr);
        receive(&mut b, &vec![7; level - 1]);
        assert!(!irq(&b));
        receive(&mut b, &[8]);
        assert!(irq(&b));
        assert_eq!(b.inb(IIR), 0xC4);
        b.inb(DATA);
        assert!(!irq(&b), "below the level");
        b.advance_ns(4 * CHARACTER_NS + 10);
        assert_eq!(irq(&b), level > 1, "four character times without any");
        if level > 1 {
            assert_eq!(b.inb(IIR), 0xCC);
            b.inb(DATA);
            assert!(!irq(&b));
        }
    }
}

#[test]
fn sixteen_characters_fit_into_each_fifo() {
    let (mut b, log) = bench();
    b.outb(FCR, 0x07);
    receive(&mut b, b"0123456789abcdef");
    assert_eq!(b.device.receive_room(), 0, "the host waits");
    let read: Vec<u8> = (0..16).map(|_| b.inb(DATA)).collect();
    assert_eq!(read, b"0123456789abcdef");
    for byte in 0..20 {
        b.outb(DATA, byte);
    }
    b.advance_ns(20 * CHARACTER_NS);
    assert_eq!(
        log.bytes(),
        (0..17).collect::<Vec<u8>>(),
        "one shifts, 16 wait"
    );
}

#[test]
fn fifo_control_clears_the_fifos_and_shows_in_iir() {
    let (mut b, log) = bench();
    b.outb(FCR, 0x01);
    assert_eq!(b.inb(IIR), 0xC1);
    receive(&mut b, b"ab");
    b.outb(DATA, 1);
    b.outb(DATA, 2);
    b.outb(FCR, 0x07);
    assert_eq!(b.inb(LSR), 0x20);
    b.advance_ns(10 * CHARACTER_NS);
    assert_eq!(log.bytes(), [1]);
    b.outb(FCR, 0x00);
    assert_eq!(b.inb(IIR), 0x01);
}

#[test]
fn interrupts_are_told_by_priority() {
    let (mut b, _) = bench();
    b.outb(IER, 0x0F);
    b.outb(MCR, 0x1B); // loop-back: DCD and RI fall away
    b.outb(MCR, 0x13);
    b.outb(DATA, 1);
    b.advance_ns(CHARACTER_NS);
    b.outb(DATA, 2);
    b.advance_ns(CHARACTER_NS);
    assert_eq!(b.inb(IIR), 0x06, "overrun");
    assert_eq!(b.inb(LSR), 0x63);
    assert_eq!(b.inb(IIR), 0x04);
    assert_eq!(b.inb(DATA), 2, "the new character took the old one's place");
    assert_eq!(b.inb(IIR), 0x02);
    assert_eq!(b.inb(IIR), 0x00);
    assert_eq!(b.inb(MSR) & 0x0F, 0x08);
    assert_eq!(b.inb(IIR), 0x01);
}

#[test]
fn a_full_fifo_overruns_and_keeps_what_it_has() {
    let (mut b, _) = bench();
    b.outb(FCR, 0x01);
    b.outb(MCR, 0x10);
    for byte in 0..17 {
        b.outb(DATA, byte);
    }
    b.advance_ns(17 * CHARACTER_NS);
    assert_eq!(b.inb(LSR) & 0x03, 0x03);
    let read: Vec<u8> = (0..17).map(|_| b.inb(DATA)).collect();
    assert_eq!(read[..16], (0..16).collect::<Vec<u8>>());
    assert_eq!(b.inb(LSR) & 0x01, 0);
}

#[test]
fn the_loop_back_leads_modem_outputs_to_inputs_and_holds_the_interrupt() {
    let (mut b, log) = bench();
    b.outb(IER, 0x02);
    for (mcr, msr) in [
        (0x10, 0x00),
        (0x11, 0x20),
        (0x12, 0x10),
        (0x14, 0x40),
        (0x18, 0x80),
    ] {
        b.outb(MCR, mcr);
        assert_eq!(b.inb(MSR) & 0xF0, msr);
        assert!(!irq(&b));
    }
    b.outb(DATA, 0x55);
    b.advance_ns(CHARACTER_NS);
    assert_eq!((b.inb(DATA), log.bytes().len()), (0x55, 0));
    assert_eq!(b.device.receive_room(), 0);
}

#[test]
fn a_break_in_the_loop_back_is_a_zero_with_break_and_framing_error() {
    let (mut b, _) = bench();
    b.outb(FCR, 0x01);
    b.outb(MCR, 0x10);
    b.outb(LCR, 0x43);
    assert_eq!(b.inb(LSR), 0xF9);
    assert_eq!(b.inb(LSR), 0x61, "told once");
    assert_eq!(b.inb(DATA), 0);
    assert_eq!(b.inb(LSR), 0x60);
}

#[test]
fn modem_inputs_set_deltas_and_ri_its_trailing_edge() {
    let (mut b, _) = bench();
    b.outb(IER, 0x08);
    b.inb(MSR);
    b.input(PIN_RI, true);
    assert_eq!(b.inb(MSR), 0xF0);
    assert!(!irq(&b));
    b.input(PIN_RI, false);
    b.input(PIN_CTS, false);
    b.input(PIN_DSR, false);
    b.input(PIN_DCD, false);
    assert!(irq(&b));
    assert_eq!(b.inb(MSR), 0x0F);
    assert!(!irq(&b));
    assert_eq!(b.inb(MSR), 0x00);
}

#[test]
fn scratch_and_divisor_keep_their_bytes_over_a_reset() {
    let (mut b, _) = bench();
    b.outb(0x3FF, 0xA5);
    b.reset(ResetKind::Hard);
    assert_eq!(b.inb(0x3FF), 0xA5);
    b.outb(LCR, 0x80);
    assert_eq!((b.inb(DATA), b.inb(IER)), (12, 0));
    b.outb(IER, 0x34);
    assert_eq!(b.inb(IER), 0x34);
    b.outb(LCR, 0x00);
    b.outb(IER, 0xFF);
    assert_eq!(b.inb(IER), 0x0F);
    b.outb(MCR, 0xFF);
    assert_eq!(b.inb(MCR), 0x1F);
}

#[test]
fn a_state_saved_by_version_1_still_loads() {
    golden(
        make_with(CharLog::default()),
        concat!(env!("CARGO_MANIFEST_DIR"), "/src/uart16550"),
    );
}
