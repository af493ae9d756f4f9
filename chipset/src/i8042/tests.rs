use super::spec::SERIAL_BYTE_NS;
use super::*;
use emu_core::host::{KeyCode, MouseEvent};
use emu_core::testkit::{Bench, Lines, conformance, golden};

fn make(lines: &mut Lines<'_>) -> I8042 {
    I8042::new(
        Wiring {
            keyboard_irq: lines.line("IRQ1"),
            mouse_irq: lines.line("IRQ12"),
            a20: lines.line("A20"),
        },
        Config::default(),
    )
}

const KEY_A: u8 = 0x04;
const KEY_PRINT_SCREEN: u8 = 0x46;
const KEY_PAUSE: u8 = 0x48;
const KEY_UP: u8 = 0x52;
const KEY_PAD_SLASH: u8 = 0x54;
const LEFT_CTRL: u8 = 0xE0;
const LEFT_SHIFT: u8 = 0xE1;
const RIGHT_SHIFT: u8 = 0xE5;
const LEFT_ALT: u8 = 0xE2;

struct Kbc(Bench<I8042>);

impl Kbc {
    /// A controller as after the self test: nothing enabled.
    fn fresh() -> Self {
        Self(Bench::new(make))
    }
    /// Both interfaces and interrupts enabled, no translation, all power-on codes read.
    fn ready(command_byte: u8) -> Self {
        let mut k = Self::fresh();
        k.command(0x60);
        k.data(command_byte);
        k.drain();
        k
    }
    fn wait_input(&mut self) {
        for _ in 0..100 {
            if self.0.inb(0x64) & 2 == 0 {
                return;
            }
            self.0.advance_ns(1_000_000);
        }
        panic!("the input buffer stays full");
    }
    fn command(&mut self, byte: u8) {
        self.0.outb(0x64, byte);
        self.wait_input();
    }
    fn data(&mut self, byte: u8) {
        self.0.outb(0x60, byte);
        self.wait_input();
    }
    /// All bytes that come within 20 ms of each other: (byte, from the mouse).
    fn drain_all(&mut self) -> Vec<(u8, bool)> {
        let mut out = Vec::new();
        let mut idle = 0;
        while idle < 20 {
            let status = self.0.inb(0x64);
            if status & 1 != 0 {
                out.push((self.0.inb(0x60), status & 0x20 != 0));
                idle = 0;
            } else {
                self.0.advance_ns(1_000_000);
                idle += 1;
            }
        }
        out
    }
    fn drain(&mut self) -> Vec<u8> {
        self.drain_all().into_iter().map(|b| b.0).collect()
    }
    fn ask(&mut self, command: u8) -> Vec<u8> {
        self.command(command);
        self.drain()
    }
    /// Bytes to the keyboard, and all that comes back.
    fn keyboard(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for &byte in bytes {
            self.data(byte);
            out.extend(self.drain());
        }
        out
    }
    fn mouse(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for &byte in bytes {
            self.command(0xD4);
            self.data(byte);
            out.extend(self.drain());
        }
        out
    }
    fn key(&mut self, usage: u8, pressed: bool) -> Vec<u8> {
        self.key_now(usage, pressed);
        self.drain()
    }
    fn key_now(&mut self, usage: u8, pressed: bool) {
        let key = KeyCode(usage);
        self.0
            .with(|d, cx| HostInput::host_input(d, HostEvent::Key { key, pressed }, cx));
    }
    fn moves(&mut self, event: MouseEvent) -> Vec<u8> {
        self.0
            .with(|d, cx| HostInput::host_input(d, HostEvent::Mouse(event), cx));
        self.drain()
    }
    fn line(&self, line: impl Fn(&Wiring) -> Line) -> bool {
        self.0.level(line(&self.0.device.wiring))
    }
}

const RAW: u8 = 0x00;
const RAW_WITH_INTERRUPTS: u8 = 0x03;
const TRANSLATED: u8 = 0x40;

#[test]
fn a_keyboard_controller_keeps_the_laws_of_devices() {
    conformance(make);
}

#[test]
fn random_keys_and_mice_do_no_harm() {
    let mut rng = emu_core::testkit::Rng::new(3);
    for _ in 0..20 {
        let mut k = Kbc::ready(TRANSLATED);
        for _ in 0..400 {
            let n = rng.next_u64();
            match n & 3 {
                0 => k.key_now((n >> 8) as u8, n >> 63 == 0),
                1 => k.0.with(|d, cx| {
                    let event = MouseEvent {
                        dx: (n >> 8) as i32,
                        dy: (n >> 16) as i32,
                        wheel: (n >> 24) as i32,
                        buttons: n as u8,
                    };
                    HostInput::host_input(d, HostEvent::Mouse(event), cx);
                }),
                _ => {
                    k.0.random_step(&mut rng);
                }
            }
        }
        let saved = k.0.save();
        let mut copy = Bench::new(make);
        assert!(emu_core::DynDevice::load(&mut copy.device, 1, &saved).is_ok());
        assert_eq!(copy.save(), saved);
    }
}

#[test]
fn the_self_test_and_the_line_tests_pass() {
    let mut k = Kbc::fresh();
    assert_eq!(k.0.inb(0x64), 0x10);
    assert_eq!(k.ask(0xAA), [0x55]);
    assert_eq!(
        k.0.inb(0x64),
        0x1C,
        "system flag; the last write was a command"
    );
    assert_eq!(k.ask(0xAB), [0x00]);
    assert_eq!(k.ask(0xA9), [0x00]);
    assert_eq!(k.ask(0x20), [0x74]);
}

#[test]
fn input_buffer_full_shows_until_the_firmware_took_the_byte() {
    let mut k = Kbc::fresh();
    k.0.outb(0x64, 0x60);
    assert_eq!(k.0.inb(0x64), 0x1A);
    k.0.advance_ns(spec::INPUT_LATENCY_NS);
    assert_eq!(k.0.inb(0x64), 0x18);
    k.0.outb(0x60, 0x77);
    assert_eq!(k.0.inb(0x64), 0x12);
    k.0.advance_ns(spec::INPUT_LATENCY_NS);
    assert_eq!(k.ask(0x20), [0x77]);
}

#[test]
fn all_32_bytes_of_ram_can_be_written_and_read() {
    let mut k = Kbc::fresh();
    for at in 1..32 {
        k.command(0x60 | at);
        k.data(at ^ 0x5A);
    }
    for at in 1..32 {
        assert_eq!(k.ask(0x20 | at), [at ^ 0x5A]);
    }
}

#[test]
fn disabling_an_interface_sets_its_bit_and_silences_it() {
    let mut k = Kbc::ready(RAW);
    k.command(0xAD);
    k.command(0xA7);
    assert_eq!(k.ask(0x20), [0x30]);
    assert_eq!(k.ask(0xE0), [0x00], "both clocks held");
    assert_eq!(k.key(KEY_A, true), []);
    k.command(0xAE);
    assert_eq!(k.drain(), [0x1C], "the keyboard kept it");
    k.command(0xA8);
    assert_eq!(k.ask(0xE0), [0x03]);
}

#[test]
fn a_key_raises_irq1_one_byte_time_later_and_reading_lowers_it() {
    let mut k = Kbc::ready(RAW_WITH_INTERRUPTS);
    k.key_now(KEY_A, true);
    k.0.advance_ns(SERIAL_BYTE_NS - 1);
    assert!(!k.line(|w| w.keyboard_irq));
    k.0.advance_ns(1);
    assert!(k.line(|w| w.keyboard_irq));
    assert_eq!(k.0.inb(0x64) & 0x21, 0x01);
    assert_eq!(k.ask(0xD0)[0] & 0x10, 0x10);
    assert!(!k.line(|w| w.keyboard_irq));
}

#[test]
fn a20_follows_the_output_port() {
    let mut k = Kbc::fresh();
    assert!(k.line(|w| w.a20));
    k.command(0xD1);
    k.data(0xDD);
    assert!(!k.line(|w| w.a20));
    assert_eq!(k.ask(0xD0)[0] & 3, 1);
    k.command(0xD1);
    k.data(0xDF);
    assert!(k.line(|w| w.a20));
    assert_eq!(k.0.take_requests().reset, None);
}

#[test]
fn writing_the_output_port_leaves_the_interrupts_alone() {
    let mut k = Kbc::ready(RAW_WITH_INTERRUPTS);
    // DFh and DDh, by which programs open and close A20, have the bit of IRQ1 set.
    for value in [0xDF, 0xDD] {
        k.command(0xD1);
        k.data(value);
        assert!(!k.line(|w| w.keyboard_irq));
    }
    k.key_now(KEY_A, true);
    k.0.advance_ns(2_000_000);
    assert!(k.line(|w| w.keyboard_irq));
    k.command(0xD1);
    k.data(0xCF);
    assert!(k.line(|w| w.keyboard_irq), "the byte waits still");
    assert_eq!(k.drain(), [0x1C]);
    assert!(!k.line(|w| w.keyboard_irq));
}

#[test]
fn pulses_last_six_microseconds_and_bit_0_resets_the_cpu() {
    let mut k = Kbc::fresh();
    k.command(0xFE);
    assert_eq!(k.0.take_requests().reset, Some(ResetKind::Init));
    let a20 = k.0.device.wiring.a20;
    k.0.advance_ns(spec::PULSE_NS);
    k.0.take_edges(a20);
    k.command(0xFD);
    k.0.advance_ns(1_000_000);
    let edges = k.0.take_edges(a20);
    assert_eq!(edges.len(), 2);
    assert_eq!(edges[1].0.since(edges[0].0), spec::PULSE_NS);
    assert_eq!(k.0.take_requests().reset, None);
    k.command(0xFF);
    assert_eq!(k.0.take_requests().reset, None);
    k.command(0xD1);
    k.data(0x02);
    assert_eq!(k.0.take_requests().reset, Some(ResetKind::Init));
}

#[test]
fn d2_and_d3_give_bytes_as_if_from_the_devices() {
    let mut k = Kbc::ready(RAW_WITH_INTERRUPTS);
    k.command(0xD2);
    k.data(0x12);
    assert!(k.line(|w| w.keyboard_irq) && !k.line(|w| w.mouse_irq));
    assert_eq!(k.drain_all(), [(0x12, false)]);
    k.command(0xD3);
    k.data(0x34);
    assert!(!k.line(|w| w.keyboard_irq) && k.line(|w| w.mouse_irq));
    assert_eq!(k.drain_all(), [(0x34, true)]);
}

#[test]
fn the_input_port_can_be_read_and_polled() {
    let mut k = Kbc::fresh();
    assert_eq!(k.ask(0xC0), [0xB3]);
    k.command(0xC1);
    assert_eq!(k.0.inb(0x64) & 0xF0, 0x30);
    k.command(0xC2);
    assert_eq!(k.0.inb(0x64) & 0xF0, 0xB0);
    k.command(0xA7);
    assert_eq!(k.0.inb(0x64) & 0xF0, 0x10);
}

#[test]
fn a_missing_mouse_gives_resend_with_a_time_out() {
    let mut b = Bench::new(|lines| {
        let mut d = make(lines);
        d.config.mouse = false;
        d
    });
    b.outb(0x64, 0xD4);
    b.advance_ns(1_000_000);
    b.outb(0x60, 0xF4);
    b.advance_ns(14_000_000);
    assert_eq!(b.inb(0x64) & 0x41, 0);
    b.advance_ns(2_000_000);
    assert_eq!(b.inb(0x64) & 0x61, 0x61);
    assert_eq!(b.inb(0x60), 0xFE);
}

#[test]
fn a_password_locks_the_keyboard_until_it_is_typed() {
    let mut k = Kbc::ready(TRANSLATED);
    assert_eq!(k.ask(0xA4), [0xF1]);
    k.command(0xA6);
    assert_eq!(k.key(KEY_A, true), [0x1E], "no password, no lock");
    k.key(KEY_A, false);
    k.command(0xA5);
    for code in [0x1E, 0x30, 0x00] {
        k.data(code);
    }
    assert_eq!(k.ask(0xA4), [0xFA]);
    k.command(0x74);
    k.data(0x99);
    k.command(0xA6);
    for usage in [KEY_A, KEY_A + 2, KEY_A] {
        assert_eq!(k.key(usage, true), []);
        assert_eq!(k.key(usage, false), []);
    }
    assert_eq!(k.key(KEY_A + 1, true), [0x99], "the byte of RAM 14h");
    assert_eq!(k.key(KEY_A + 1, false), [0xB0]);
}

#[test]
fn power_on_codes_wait_until_the_interfaces_are_enabled() {
    let mut k = Kbc::fresh();
    assert_eq!(k.drain(), []);
    k.command(0xAE);
    assert_eq!(k.drain_all(), [(0xAA, false)]);
    k.command(0xA8);
    assert_eq!(k.drain_all(), [(0xAA, true), (0x00, true)]);
}

#[test]
fn keyboard_reset_gives_ack_and_then_the_completion_code() {
    let mut k = Kbc::ready(RAW);
    k.data(0xFF);
    assert_eq!(k.drain(), [0xFA]);
    k.0.advance_ns(ps2_keyboard::BAT_NS);
    assert_eq!(k.drain(), [0xAA]);
}

#[test]
fn the_keyboard_answers_its_commands() {
    let mut k = Kbc::ready(RAW);
    assert_eq!(k.keyboard(&[0xEE]), [0xEE]);
    assert_eq!(k.keyboard(&[0xF2]), [0xFA, 0xAB, 0x83]);
    assert_eq!(k.keyboard(&[0xFE]), [0x83], "resend");
    assert_eq!(k.keyboard(&[0xF0, 0x00]), [0xFA, 0xFA, 0x02]);
    assert_eq!(
        k.keyboard(&[0xF0, 0x03, 0xF0, 0x00]),
        [0xFA; 4].into_iter().chain([0x03]).collect::<Vec<_>>()
    );
    assert_eq!(k.keyboard(&[0xED, 0x05]), [0xFA, 0xFA]);
    assert_eq!(k.0.device.indicators(), 0x05);
    assert_eq!(
        k.keyboard(&[0xED, 0xF4]),
        [0xFA, 0xFA],
        "F4h takes its place"
    );
    assert_eq!(k.0.device.indicators(), 0x05);
    for invalid in [0xEF, 0xF1, 0x00] {
        assert_eq!(k.keyboard(&[invalid]), [0xFE]);
    }
    assert_eq!(k.keyboard(&[0xF6, 0xF0, 0x00]), [0xFA, 0xFA, 0xFA, 0x02]);
}

#[test]
fn f5_stops_scanning_and_f4_starts_it() {
    let mut k = Kbc::ready(RAW);
    k.keyboard(&[0xF5]);
    assert_eq!(k.key(KEY_A, true), []);
    assert_eq!(k.key(KEY_A, false), []);
    k.keyboard(&[0xF4]);
    assert_eq!(k.key(KEY_A, true), [0x1C]);
}

#[test]
fn scan_codes_wait_until_a_command_has_its_parameter() {
    let mut k = Kbc::ready(RAW);
    assert_eq!(k.keyboard(&[0xED]), [0xFA]);
    assert_eq!(k.key(KEY_A, true), []);
    assert_eq!(k.keyboard(&[0x00]), [0xFA, 0x1C]);
    assert_eq!(k.keyboard(&[0xF3]), [0xFA]);
    assert_eq!(k.key(KEY_A, false), []);
    // A command instead of the parameter ends the wait too.
    assert_eq!(k.keyboard(&[0xEE]), [0xEE, 0xF0, 0x1C]);
}

#[test]
fn set_2_has_break_codes_behind_f0_and_translates_to_set_1() {
    let mut k = Kbc::ready(RAW);
    assert_eq!(k.key(KEY_A, true), [0x1C]);
    assert_eq!(k.key(KEY_A, true), [], "it is down already");
    assert_eq!(k.key(KEY_A, false), [0xF0, 0x1C]);
    assert_eq!(k.key(KEY_UP, true), [0xE0, 0x75]);
    assert_eq!(k.key(KEY_UP, false), [0xE0, 0xF0, 0x75]);
    let mut k = Kbc::ready(TRANSLATED);
    assert_eq!(k.key(KEY_A, true), [0x1E]);
    assert_eq!(k.key(KEY_A, false), [0x9E]);
    assert_eq!(k.key(KEY_UP, false), []);
    assert_eq!(k.key(KEY_UP, true), [0xE0, 0x48]);
    assert_eq!(k.key(KEY_UP, false), [0xE0, 0xC8]);
}

#[test]
fn translated_set_2_equals_set_1_for_every_key() {
    for usage in 0..=255 {
        for held in [
            None,
            Some(LEFT_SHIFT),
            Some(RIGHT_SHIFT),
            Some(LEFT_CTRL),
            Some(LEFT_ALT),
        ] {
            if held == Some(usage) {
                continue;
            }
            let codes = |set: u8, command_byte: u8| {
                let mut k = Kbc::ready(command_byte);
                k.keyboard(&[0xF0, set]);
                if let Some(modifier) = held {
                    k.key(modifier, true);
                }
                let mut all = Vec::new();
                for pressed in [true, false] {
                    all.extend(k.key(usage, pressed));
                }
                all
            };
            if usage % 8 == 4 || (0x39..0x58).contains(&usage) {
                assert_eq!(codes(2, TRANSLATED), codes(1, RAW), "usage {usage:02X}h");
            }
        }
    }
    // All the others alone, by the tables.
    for usage in 0..=255 {
        if let Some(key) = scan_codes::lookup(KeyCode(usage)) {
            assert_eq!(spec::TRANSLATION[usize::from(key.set_2)], key.set_1);
        }
    }
    assert_eq!(
        (0..=255)
            .filter(|&u| scan_codes::lookup(KeyCode(u)).is_some())
            .count(),
        106
    );
}

#[test]
fn pause_sends_make_and_break_at_once_and_does_not_repeat() {
    let mut k = Kbc::ready(RAW);
    let pause = [0xE1, 0x14, 0x77, 0xE1, 0xF0, 0x14, 0xF0, 0x77];
    assert_eq!(k.key(KEY_PAUSE, true), pause);
    k.0.advance_ns(3_000_000_000);
    assert_eq!(k.key(KEY_PAUSE, false), []);
    k.key(LEFT_CTRL, true);
    assert_eq!(k.key(KEY_PAUSE, true), [0xE0, 0x7E, 0xE0, 0xF0, 0x7E]);
    let mut k = Kbc::ready(TRANSLATED);
    assert_eq!(k.key(KEY_PAUSE, true), [0xE1, 0x1D, 0x45, 0xE1, 0x9D, 0xC5]);
}

#[test]
fn print_screen_depends_on_shift_ctrl_and_alt() {
    let mut k = Kbc::ready(RAW);
    assert_eq!(k.key(KEY_PRINT_SCREEN, true), [0xE0, 0x12, 0xE0, 0x7C]);
    assert_eq!(
        k.key(KEY_PRINT_SCREEN, false),
        [0xE0, 0xF0, 0x7C, 0xE0, 0xF0, 0x12]
    );
    k.key(LEFT_CTRL, true);
    assert_eq!(k.key(KEY_PRINT_SCREEN, true), [0xE0, 0x7C]);
    assert_eq!(k.key(KEY_PRINT_SCREEN, false), [0xE0, 0xF0, 0x7C]);
    k.key(LEFT_ALT, true);
    assert_eq!(k.key(KEY_PRINT_SCREEN, true), [0x84]);
    assert_eq!(k.key(KEY_PRINT_SCREEN, false), [0xF0, 0x84]);
}

#[test]
fn navigation_keys_undo_shift_and_num_lock() {
    let mut k = Kbc::ready(RAW);
    k.key(LEFT_SHIFT, true);
    assert_eq!(k.key(KEY_UP, true), [0xE0, 0xF0, 0x12, 0xE0, 0x75]);
    assert_eq!(k.key(KEY_UP, false), [0xE0, 0xF0, 0x75, 0xE0, 0x12]);
    assert_eq!(k.key(KEY_PAD_SLASH, true), [0xE0, 0xF0, 0x12, 0xE0, 0x4A]);
    k.key(KEY_PAD_SLASH, false);
    k.keyboard(&[0xED, 0x02]);
    assert_eq!(k.key(KEY_UP, true), [0xE0, 0x75], "Shift and Num Lock");
    assert_eq!(k.key(KEY_UP, false), [0xE0, 0xF0, 0x75]);
    k.key(LEFT_SHIFT, false);
    assert_eq!(k.key(KEY_UP, true), [0xE0, 0x12, 0xE0, 0x75]);
    assert_eq!(k.key(KEY_UP, false), [0xE0, 0xF0, 0x75, 0xE0, 0xF0, 0x12]);
}

#[test]
fn a_held_key_repeats_after_the_delay_at_the_rate() {
    // Default: 500 ms, then 10.9 characters a second: (8 + 3) x 2 / 240 s = 91.7 ms.
    let mut k = Kbc::ready(RAW);
    let repeats = |k: &mut Kbc, ns: u64| {
        let end = k.0.now().plus_ns(ns);
        let mut n = 0;
        while k.0.now() < end {
            k.0.advance_ns(1_000_000);
            if k.0.inb(0x64) & 1 != 0 {
                assert_eq!(k.0.inb(0x60), 0x1C);
                n += 1;
            }
        }
        n
    };
    k.key_now(KEY_A, true);
    assert_eq!(repeats(&mut k, 499_000_000), 1);
    assert_eq!(repeats(&mut k, 1_000_000_000), 11);
    k.key(KEY_A, false);
    assert_eq!(repeats(&mut k, 1_000_000_000), 0);
    // Fastest: 250 ms, 30 characters a second.
    assert_eq!(k.keyboard(&[0xF3, 0x00]), [0xFA, 0xFA]);
    k.key_now(KEY_A, true);
    assert_eq!(repeats(&mut k, 248_000_000), 1);
    assert_eq!(repeats(&mut k, 1_000_000_000), 30);
}

#[test]
fn a_full_buffer_ends_in_the_overrun_code() {
    let mut k = Kbc::ready(RAW);
    k.command(0xAD);
    for usage in 0..20 {
        k.key_now(KEY_A + usage, true);
    }
    k.command(0xAE);
    let codes = k.drain();
    assert_eq!(codes.len(), 17);
    assert_eq!((codes[0], codes[16]), (0x1C, 0x00));
}

#[test]
fn set_3_has_one_code_a_key_and_a_mode_for_each() {
    let mut k = Kbc::ready(RAW);
    k.keyboard(&[0xF0, 0x03]);
    assert_eq!(k.key(KEY_A, true), [0x1C]);
    assert_eq!(k.key(KEY_A, false), [], "typematic keys have no break code");
    assert_eq!(k.key(LEFT_CTRL, true), [0x11]);
    assert_eq!(k.key(LEFT_CTRL, false), [0xF0, 0x11]);
    assert_eq!(k.key(KEY_PAUSE, true), [0x62]);
    assert_eq!(k.key(KEY_UP, true), [0x63]);
    k.key(KEY_UP, false);
    assert_eq!(k.keyboard(&[0xFC, 0x1C, 0xF4]), [0xFA; 3]);
    k.key(KEY_A, true);
    assert_eq!(k.key(KEY_A, false), [0xF0, 0x1C]);
    k.keyboard(&[0xFA]);
    k.key(KEY_UP, true);
    assert_eq!(k.key(KEY_UP, false), [0xF0, 0x63]);
    k.keyboard(&[0xF9]);
    k.key_now(KEY_A, true);
    k.0.advance_ns(2_000_000_000);
    assert_eq!(k.drain(), [0x1C], "make only: no repetition");
    assert_eq!(k.key(KEY_A, false), []);
}

#[test]
fn the_mouse_answers_its_commands() {
    let mut k = Kbc::ready(RAW);
    assert_eq!(k.mouse(&[0xF2]), [0xFA, 0x00]);
    assert_eq!(k.mouse(&[0xE9]), [0xFA, 0x00, 0x02, 100]);
    assert_eq!(k.mouse(&[0xE8, 3, 0xF3, 200, 0xE7, 0xF4]), [0xFA; 6]);
    assert_eq!(k.mouse(&[0xE9]), [0xFA, 0x30, 3, 200]);
    assert_eq!(k.mouse(&[0xFE]), [0xFA, 0x30, 3, 200], "resend");
    assert_eq!(k.mouse(&[0xF6, 0xE9]), [0xFA, 0xFA, 0x00, 0x02, 100]);
    assert_eq!(
        k.mouse(&[0x12, 0x12]),
        [0xFE, 0xFC],
        "the second one is an error"
    );
    assert_eq!(k.mouse(&[0xF3, 201, 60]), [0xFA, 0xFE, 0xFA]);
    k.command(0xD4);
    k.data(0xFF);
    assert_eq!(k.drain(), [0xFA]);
    k.0.advance_ns(ps2_mouse::BAT_NS);
    assert_eq!(k.drain(), [0xAA, 0x00]);
}

fn motion(dx: i32, dy: i32, wheel: i32, buttons: u8) -> MouseEvent {
    MouseEvent {
        dx,
        dy,
        wheel,
        buttons,
    }
}

#[test]
fn stream_mode_reports_motion_and_buttons_with_irq12() {
    let mut k = Kbc::ready(RAW_WITH_INTERRUPTS);
    assert_eq!(k.moves(motion(5, 0, 0, 0)), [], "not enabled");
    k.mouse(&[0xF4]);
    assert_eq!(k.moves(motion(5, -3, 0, 0)), [0x28, 5, 0xFD]);
    assert_eq!(k.moves(motion(-1, 2, 0, 1)), [0x19, 0xFF, 2]);
    assert_eq!(k.moves(motion(0, 0, 0, 6)), [0x0E, 0, 0]);
    assert_eq!(k.moves(motion(0, 0, 1, 6)), [], "no wheel in this protocol");
    k.0.with(|d, cx| HostInput::host_input(d, HostEvent::Mouse(motion(1, 1, 0, 0)), cx));
    k.0.advance_ns(SERIAL_BYTE_NS);
    assert!(k.line(|w| w.mouse_irq) && !k.line(|w| w.keyboard_irq));
    assert_eq!(k.0.inb(0x64) & 0x21, 0x21);
}

#[test]
fn packets_come_no_faster_than_the_sample_rate() {
    let mut k = Kbc::ready(RAW);
    k.mouse(&[0xF3, 10, 0xF4]);
    assert_eq!(k.moves(motion(1, 0, 0, 0)), [8, 1, 0]);
    assert_eq!(k.moves(motion(2, 0, 0, 0)), [], "within 100 ms");
    k.moves(motion(3, 0, 0, 0));
    k.0.advance_ns(100_000_000);
    assert_eq!(k.drain(), [8, 5, 0]);
}

#[test]
fn motion_too_long_for_a_packet_goes_on_in_the_next() {
    let mut k = Kbc::ready(RAW);
    k.mouse(&[0xF4]);
    assert_eq!(
        k.moves(motion(600, 0, 0, 0)),
        [8, 255, 0, 8, 255, 0, 8, 90, 0]
    );
}

#[test]
fn resolution_and_scaling_change_the_counts() {
    let mut k = Kbc::ready(RAW);
    k.mouse(&[0xE8, 3, 0xF4]);
    assert_eq!(k.moves(motion(10, 0, 0, 0)), [8, 20, 0]);
    k.mouse(&[0xE8, 0]);
    assert_eq!(k.moves(motion(10, 0, 0, 0)), [8, 2, 0]);
    k.mouse(&[0xF6, 0xE7, 0xF4]);
    for (count, scaled) in [(1, 1), (2, 1), (3, 3), (4, 6), (5, 9), (6, 12), (40, 80)] {
        assert_eq!(k.moves(motion(count, 0, 0, 0)), [8, scaled, 0]);
    }
}

#[test]
fn remote_mode_reports_when_asked_and_wrap_mode_echoes() {
    let mut k = Kbc::ready(RAW);
    assert_eq!(k.mouse(&[0xF4, 0xF0]), [0xFA, 0xFA]);
    assert_eq!(k.moves(motion(7, 1, 0, 0)), []);
    assert_eq!(k.mouse(&[0xEB]), [0xFA, 8, 7, 1]);
    assert_eq!(k.mouse(&[0xEB]), [0xFA, 8, 0, 0]);
    assert_eq!(k.mouse(&[0xEE, 0x55, 0xF4, 0xEC]), [0xFA, 0x55, 0xF4, 0xFA]);
    assert_eq!(k.mouse(&[0xE9])[1] & 0x40, 0x40, "remote still");
}

#[test]
fn the_wheel_and_the_side_buttons_are_unlocked_by_sample_rates() {
    let mut k = Kbc::ready(RAW);
    k.mouse(&[0xF3, 200, 0xF3, 100, 0xF3, 80]);
    assert_eq!(k.mouse(&[0xF2]), [0xFA, 3]);
    k.mouse(&[0xF4]);
    assert_eq!(k.moves(motion(1, 2, 1, 0)), [8, 1, 2, 0xFF]);
    assert_eq!(k.moves(motion(0, 0, -2, 0)), [8, 0, 0, 2]);
    k.mouse(&[0xF3, 200, 0xF3, 200, 0xF3, 80]);
    assert_eq!(k.mouse(&[0xF2]), [0xFA, 4]);
    assert_eq!(k.moves(motion(0, 0, 1, 0x18)), [8, 0, 0, 0x3F]);
    k.mouse(&[0xFF]);
    k.0.advance_ns(ps2_mouse::BAT_NS);
    k.drain();
    assert_eq!(k.mouse(&[0xF2]), [0xFA, 0]);
}

#[test]
fn a_hard_reset_leaves_the_devices_alone() {
    let mut k = Kbc::ready(RAW);
    k.keyboard(&[0xED, 0x07]);
    k.0.reset(ResetKind::Hard);
    assert_eq!(k.0.device.indicators(), 7);
    assert_eq!(k.ask(0x20), [0x70]);
}

#[test]
fn a_state_saved_by_version_1_still_loads() {
    golden(make, concat!(env!("CARGO_MANIFEST_DIR"), "/src/i8042"));
}
