use super::spec::PC_CLOCK;
use super::*;
use emu_core::testkit::{Bench, Lines, Rng, conformance, golden};

fn make(lines: &mut Lines<'_>) -> I8254 {
    I8254::new(
        Wiring {
            out: [lines.line("OUT0"), Line::UNCONNECTED, lines.line("OUT2")],
        },
        Config::PC,
    )
}

/// A bench that moves clock pulse by clock pulse, with all gates high.
struct Pit(Bench<I8254>, u64);

impl Pit {
    fn new() -> Self {
        let mut b = Bench::new(make);
        b.input(2, true);
        Self(b, 0)
    }
    /// Counter 0 in a mode with a 16-bit binary count.
    fn start(mode: u8, count: u16) -> Self {
        let mut p = Self::new();
        p.program(0x30 | mode << 1, count);
        p
    }
    fn program(&mut self, word: u8, count: u16) {
        self.0.outb(0x43, word);
        self.write(count);
    }
    fn write(&mut self, count: u16) {
        self.0.outb(0x40, count as u8);
        self.0.outb(0x40, (count >> 8) as u8);
    }
    fn pulses(&mut self, n: u64) {
        self.1 += n;
        let to = PC_CLOCK.time_of(VirtTime::ZERO, self.1);
        self.0.advance_ns(to.since(self.0.now()));
    }
    fn out(&self) -> bool {
        self.0.level(self.0.device.wiring.out[0])
    }
    fn count(&mut self) -> u16 {
        self.0.outb(0x43, 0x00);
        u16::from_le_bytes([self.0.inb(0x40), self.0.inb(0x40)])
    }
    fn status(&mut self) -> u8 {
        self.0.outb(0x43, 0xE2);
        self.0.inb(0x40)
    }
    /// (count, OUT) behind each of the next `n` pulses, as in the datasheet's timing figures.
    fn figure(&mut self, n: usize) -> Vec<(u16, u8)> {
        (0..n)
            .map(|_| {
                self.pulses(1);
                (self.count(), self.out().into())
            })
            .collect()
    }
}

#[test]
fn a_timer_keeps_the_laws_of_devices() {
    conformance(make);
}

#[test]
fn mode_0_raises_out_n_plus_one_pulses_after_the_count() {
    let mut p = Pit::start(0, 4);
    assert!(!p.out());
    let seen = p.figure(7);
    assert_eq!(
        seen,
        [
            (4, 0),
            (3, 0),
            (2, 0),
            (1, 0),
            (0, 1),
            (0xFFFF, 1),
            (0xFFFE, 1)
        ]
    );
}

#[test]
fn mode_0_holds_its_count_while_gate_is_low() {
    let mut p = Pit::start(0, 3);
    p.pulses(2);
    p.0.input(0, false);
    assert_eq!(p.figure(2), [(2, 0), (2, 0)]);
    p.0.input(0, true);
    assert_eq!(p.figure(3), [(1, 0), (0, 1), (0xFFFF, 1)]);
}

#[test]
fn in_mode_0_the_first_byte_of_a_new_count_stops_counting_and_lowers_out() {
    let mut p = Pit::start(0, 2);
    p.pulses(3);
    assert!(p.out());
    p.0.outb(0x40, 5);
    assert!(!p.out());
    assert_eq!(p.figure(2), [(0, 0), (0, 0)]);
    p.0.outb(0x40, 0);
    assert_eq!(p.figure(2), [(5, 0), (4, 0)]);
}

#[test]
fn mode_1_gives_a_retriggerable_pulse_of_n_pulses() {
    let mut p = Pit::start(1, 3);
    p.pulses(5);
    assert!(p.out(), "not triggered yet");
    p.0.input(0, false);
    p.0.input(0, true);
    assert!(p.out(), "low from the pulse behind the trigger on");
    assert_eq!(p.figure(4), [(3, 0), (2, 0), (1, 0), (0, 1)]);
    p.0.input(0, false);
    p.0.input(0, true);
    p.pulses(2);
    p.0.input(0, false);
    p.0.input(0, true);
    assert_eq!(p.figure(4), [(3, 0), (2, 0), (1, 0), (0, 1)]);
}

#[test]
fn a_new_count_in_mode_1_waits_for_the_next_trigger() {
    let mut p = Pit::start(1, 2);
    p.0.input(0, false);
    p.0.input(0, true);
    p.pulses(1);
    p.write(4);
    assert_eq!(p.figure(2), [(1, 0), (0, 1)]);
    p.0.input(0, false);
    p.0.input(0, true);
    assert_eq!(p.figure(1), [(4, 0)]);
}

#[test]
fn mode_2_lowers_out_for_the_last_pulse_of_each_n() {
    let mut p = Pit::start(2, 3);
    let seen = p.figure(7);
    assert_eq!(
        seen,
        [(3, 1), (2, 1), (1, 0), (3, 1), (2, 1), (1, 0), (3, 1)]
    );
}

#[test]
fn mode_2_takes_a_new_count_at_the_end_of_the_period_or_at_a_trigger() {
    let mut p = Pit::start(2, 4);
    p.pulses(2);
    p.write(5);
    assert_eq!(p.status() & 0x40, 0x40, "null count");
    assert_eq!(p.figure(4), [(2, 1), (1, 0), (5, 1), (4, 1)]);
    assert_eq!(p.status() & 0x40, 0);
    p.write(7);
    p.0.input(0, false);
    p.0.input(0, true);
    assert_eq!(p.figure(2), [(7, 1), (6, 1)]);
}

#[test]
fn gate_low_raises_out_at_once_in_modes_2_and_3() {
    let mut p = Pit::start(2, 3);
    p.pulses(3);
    assert!(!p.out());
    p.0.input(0, false);
    assert!(p.out());
    let mut p = Pit::start(3, 4);
    p.pulses(3);
    assert!(!p.out());
    p.0.input(0, false);
    assert!(p.out());
    p.0.input(0, true);
    assert_eq!(p.figure(3), [(4, 1), (2, 1), (4, 0)]);
}

#[test]
fn mode_3_divides_evenly_by_an_even_count() {
    let mut p = Pit::start(3, 4);
    let seen = p.figure(6);
    assert_eq!(seen, [(4, 1), (2, 1), (4, 0), (2, 0), (4, 1), (2, 1)]);
}

#[test]
fn mode_3_is_high_one_pulse_longer_with_an_odd_count() {
    let mut p = Pit::start(3, 5);
    let seen = p.figure(10);
    let period = [(4, 1), (2, 1), (0, 1), (4, 0), (2, 0)];
    assert_eq!(seen, [period, period].concat());
}

#[test]
fn mode_4_strobes_once_n_plus_one_pulses_after_the_count() {
    let mut p = Pit::start(4, 3);
    assert!(p.out());
    let seen = p.figure(6);
    assert_eq!(
        seen,
        [(3, 1), (2, 1), (1, 1), (0, 0), (0xFFFF, 1), (0xFFFE, 1)]
    );
    p.pulses(0x1_0000);
    p.0.take_edges(p.0.device.wiring.out[0]);
    p.pulses(0x1_0000);
    let line = p.0.device.wiring.out[0];
    assert!(p.0.take_edges(line).is_empty(), "no second strobe");
    p.0.input(0, false);
    p.write(2);
    assert_eq!(p.figure(2), [(2, 1), (2, 1)], "loaded, but gated");
}

#[test]
fn mode_5_strobes_n_plus_one_pulses_after_a_trigger() {
    let mut p = Pit::start(5, 3);
    p.pulses(10);
    assert!(p.out());
    p.0.input(0, false);
    p.0.input(0, true);
    p.0.input(0, false);
    assert_eq!(
        p.figure(5),
        [(3, 1), (2, 1), (1, 1), (0, 0), (0xFFFF, 1)],
        "the level of GATE does not matter"
    );
}

#[test]
fn the_system_tick_has_the_exact_rate_of_the_crystal() {
    let mut p = Pit::start(2, 0);
    let line = p.0.device.wiring.out[0];
    p.0.take_edges(line);
    p.0.advance_ns(3_600_000_000_000);
    let rising: Vec<_> = p.0.take_edges(line).into_iter().filter(|e| e.1).collect();
    // 3600 s x 315/264 MHz / 65536 = 65543.3 ticks; the first pulse loads the counter.
    assert_eq!(rising.len(), 65_543);
    let last = rising[65_542].0;
    assert_eq!(last, PC_CLOCK.time_of(VirtTime::ZERO, 1 + 65_543 * 65_536));
}

#[test]
fn decimal_counters_count_in_four_digits() {
    let mut p = Pit::new();
    p.program(0x35, 0x1000);
    p.pulses(2);
    assert_eq!(p.count(), 0x0999);
    p.program(0x35, 0);
    p.pulses(2);
    assert_eq!(p.count(), 0x9999, "zero stands for 10000");
    p.pulses(9998);
    assert_eq!(p.count(), 0x0001);
    assert!(!p.out());
}

#[test]
fn a_latched_count_stays_until_both_bytes_are_read() {
    let mut p = Pit::start(2, 0x1234);
    p.pulses(1);
    p.0.outb(0x43, 0x00);
    p.pulses(0x100);
    p.0.outb(0x43, 0x00);
    assert_eq!((p.0.inb(0x40), p.0.inb(0x40)), (0x34, 0x12));
    assert_eq!((p.0.inb(0x40), p.0.inb(0x40)), (0x34, 0x11), "live again");
}

#[test]
fn read_back_gives_status_first_and_then_the_count() {
    let mut p = Pit::start(3, 0x2000);
    assert_eq!(p.status(), 0x80 | 0x40 | 0x36, "not loaded yet: null count");
    p.pulses(1);
    p.0.outb(0x43, 0xC2);
    assert_eq!(p.0.inb(0x40), 0xB6);
    assert_eq!((p.0.inb(0x40), p.0.inb(0x40)), (0x00, 0x20));
    // Several counters at once.
    p.0.outb(0x43, 0xEE);
    assert_eq!(p.0.inb(0x40), 0xB6);
    assert_eq!(p.0.inb(0x41) & 0x40, 0x40);
    assert_eq!(p.0.inb(0x42) & 0x40, 0x40);
}

#[test]
fn one_byte_counts_leave_the_other_byte_zero() {
    let mut p = Pit::new();
    p.0.outb(0x43, 0x14);
    p.0.outb(0x40, 0x80);
    p.pulses(1);
    assert_eq!(p.0.inb(0x40), 0x80);
    p.0.outb(0x43, 0x24);
    p.0.outb(0x40, 0x12);
    p.pulses(1);
    assert_eq!((p.0.inb(0x40), p.0.inb(0x40)), (0x12, 0x12));
    p.pulses(1);
    assert_eq!(p.0.inb(0x40), 0x11);
}

#[test]
fn the_control_word_cannot_be_read() {
    assert_eq!(Pit::new().0.inb(0x43), 0xFF);
}

#[test]
fn an_unconnected_output_arms_no_timer_and_still_counts() {
    let mut b = Bench::new(make);
    b.outb(0x43, 0x74);
    b.outb(0x41, 0x12);
    b.outb(0x41, 0x00);
    assert_eq!(b.armed(1), None);
    b.advance_ns(10_000_000_000);
    b.outb(0x43, 0x40);
    let count = u16::from_le_bytes([b.inb(0x41), b.inb(0x41)]);
    let pulses = PC_CLOCK.ticks_in(10_000_000_000) - 1;
    assert_eq!(u64::from(count), 18 - pulses % 18);
}

#[test]
fn advancing_at_once_equals_advancing_pulse_by_pulse() {
    let mut rng = Rng::new(7);
    for _ in 0..2000 {
        let mut c = Counter::new(rng.below(4) != 0);
        let word = rng.next_u64() as u8 & 0x0F | 0x30;
        c.program(word, Access::LowThenHigh);
        for _ in 0..6 {
            match rng.below(4) {
                0 => {
                    c.write(rng.below(12) as u8);
                    c.write(rng.below(8) as u8 / 7);
                }
                1 => c.set_gate(false),
                _ => c.set_gate(true),
            }
            let n = rng.below(700);
            let mut slow = c.clone();
            (0..n).for_each(|_| slow.advance(1));
            c.advance(n);
            assert_eq!(c, slow, "word {word:02X}, {n} pulses");
        }
    }
}

#[test]
fn hard_reset_leaves_the_counters_running() {
    let mut p = Pit::start(2, 100);
    p.pulses(10);
    p.0.reset(ResetKind::Hard);
    assert_eq!(p.count(), 91);
}

#[test]
fn a_state_saved_by_version_1_still_loads() {
    golden(make, concat!(env!("CARGO_MANIFEST_DIR"), "/src/i8254"));
}
