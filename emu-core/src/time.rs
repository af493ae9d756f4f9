//! Guest time: one monotone clock in nanoseconds, and exact conversion to and from device clocks.
//!
//! Nothing here is accumulated and nothing is a float: a device computes its tick *n* from the moment at
//! which its counter was started, so rounding to a nanosecond never drifts.

use serde::{Deserialize, Serialize};

/// Nanoseconds in a second.
pub const NS_PER_SECOND: u64 = 1_000_000_000;

/// A moment in guest time: nanoseconds since power-on.
#[derive(
    Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
pub struct VirtTime(u64);

impl VirtTime {
    /// Power-on.
    pub const ZERO: Self = Self(0);
    /// The end of time; a deadline that is never reached.
    pub const NEVER: Self = Self(u64::MAX);

    /// The moment `ns` nanoseconds after power-on.
    pub const fn from_ns(ns: u64) -> Self {
        Self(ns)
    }

    /// Nanoseconds since power-on.
    pub const fn as_ns(self) -> u64 {
        self.0
    }

    /// This moment moved later by `ns` nanoseconds; stays at [`VirtTime::NEVER`] instead of wrapping.
    #[must_use]
    pub const fn plus_ns(self, ns: u64) -> Self {
        Self(self.0.saturating_add(ns))
    }

    /// Nanoseconds from `earlier` to this moment, 0 if `earlier` is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A clock frequency as an exact ratio of integers, in hertz.
///
/// The PC's 14.31818 MHz crystal, for one, is `Frequency::ratio(315_000_000, 22)`.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Frequency {
    numerator: u64,
    denominator: u64,
}

impl Frequency {
    /// A whole number of hertz; 0 is taken as 1.
    pub const fn hz(hz: u64) -> Self {
        Self::ratio(hz, 1)
    }

    /// `numerator / denominator` hertz; zeros are taken as ones.
    pub const fn ratio(numerator: u64, denominator: u64) -> Self {
        Self {
            numerator: if numerator == 0 { 1 } else { numerator },
            denominator: if denominator == 0 { 1 } else { denominator },
        }
    }

    /// This clock divided by `n` (0 is taken as 1).
    #[must_use]
    pub const fn divided_by(self, n: u64) -> Self {
        Self::ratio(self.numerator, self.denominator.saturating_mul(n))
    }

    /// Whole ticks completed in `ns` nanoseconds.
    pub fn ticks_in(self, ns: u64) -> u64 {
        scale_down(ns, self.numerator, self.scaled_denominator())
    }

    /// The first nanosecond at which `ticks` ticks are complete: the inverse of [`Self::ticks_in`].
    pub fn ns_of(self, ticks: u64) -> u64 {
        scale_up(ticks, self.scaled_denominator(), self.numerator)
    }

    /// Nanoseconds in a second times the denominator: ticks are `ns * numerator / this`.
    fn scaled_denominator(self) -> u128 {
        u128::from(NS_PER_SECOND) * u128::from(self.denominator)
    }

    /// Ticks completed at `now` by a counter that started at `epoch`.
    pub fn ticks_at(self, epoch: VirtTime, now: VirtTime) -> u64 {
        self.ticks_in(now.since(epoch))
    }

    /// The moment of tick `n` of a counter that started at `epoch`.
    pub fn time_of(self, epoch: VirtTime, n: u64) -> VirtTime {
        epoch.plus_ns(self.ns_of(n))
    }
}

/// The board clock: guest time follows from the count of retired instructions.
///
/// A change of rate starts a new epoch, so nothing is accumulated and the count alone gives the time.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InsnClock {
    epoch: VirtTime,
    epoch_insns: u64,
    rate: Frequency,
    insns: u64,
}

impl InsnClock {
    /// A clock at power-on that runs at `rate` instructions per second.
    pub const fn new(rate: Frequency) -> Self {
        Self {
            epoch: VirtTime::ZERO,
            epoch_insns: 0,
            rate,
            insns: 0,
        }
    }

    /// Whether a machine can go on from here: the clock counts forwards, at a rate that a machine may have, and is far
    /// from the end of its range. What a snapshot holds may be anything.
    pub fn is_valid(&self) -> bool {
        const FAR: u64 = 1 << 62;
        const RATES: std::ops::RangeInclusive<u128> = 1_000..=1_000_000_000_000;
        let (n, d) = (self.rate.numerator, self.rate.denominator);
        n != 0
            && d != 0
            && RATES.contains(&(u128::from(n) / u128::from(d)))
            && self.epoch_insns <= self.insns
            && self.insns < FAR
            && self.epoch.as_ns() < FAR
            && self.now().as_ns() < FAR
    }

    /// Instructions retired since power-on.
    #[inline]
    pub const fn insns(&self) -> u64 {
        self.insns
    }

    /// Cycles of a counter of this rate since power-on: it counts retired instructions one by one and goes on counting
    /// while time jumps.
    pub fn cycles(&self) -> u64 {
        let at_epoch = self.rate.ticks_covering(self.epoch.as_ns());
        at_epoch.saturating_add(self.insns - self.epoch_insns)
    }

    /// The moment at which [`Self::cycles`] comes to `n` if the CPU halts until then, as it does for whoever waits.
    pub fn time_of_cycle(&self, n: u64) -> VirtTime {
        let at_epoch = self.rate.ticks_covering(self.epoch.as_ns());
        self.rate
            .time_of_floor(self.epoch, n.saturating_sub(at_epoch))
    }

    /// Instructions per guest second.
    pub const fn rate(&self) -> Frequency {
        self.rate
    }

    /// The present moment.
    pub fn now(&self) -> VirtTime {
        self.rate
            .time_of_floor(self.epoch, self.insns - self.epoch_insns)
    }

    /// Counts `n` more retired instructions.
    #[inline]
    pub fn advance(&mut self, n: u64) {
        self.insns = self.insns.saturating_add(n);
    }

    /// How many more instructions until `deadline` is reached (0 if it has been).
    pub fn insns_until(&self, deadline: VirtTime) -> u64 {
        if deadline == VirtTime::NEVER {
            return u64::MAX;
        }
        let ns = deadline.since(self.epoch);
        let total = self.rate.ticks_covering(ns);
        total.saturating_sub(self.insns - self.epoch_insns)
    }

    /// Jumps to `moment` without retiring an instruction (all CPUs halted); never backwards.
    pub fn jump_to(&mut self, moment: VirtTime) {
        if moment > self.now() {
            self.epoch = moment;
            self.epoch_insns = self.insns;
        }
    }
}

impl Frequency {
    /// The moment that `ticks` ticks after `epoch` fall in, rounded down to a nanosecond.
    fn time_of_floor(self, epoch: VirtTime, ticks: u64) -> VirtTime {
        epoch.plus_ns(scale_down(ticks, self.scaled_denominator(), self.numerator))
    }

    /// The smallest number of ticks whose time, rounded down, is at least `ns`.
    fn ticks_covering(self, ns: u64) -> u64 {
        scale_up(ns, self.numerator, self.scaled_denominator())
    }
}

/// `n * multiplier / divisor`, rounded down; the largest number where it does not fit.
///
/// The board asks for the time at each port access, so the usual sizes are computed in 64 bits.
fn scale_down(n: u64, multiplier: impl Into<u128>, divisor: impl Into<u128>) -> u64 {
    let (multiplier, divisor) = (multiplier.into(), divisor.into());
    match product_64(n, multiplier, divisor) {
        Some((product, divisor)) => product / divisor,
        None => {
            let q = u128::from(n).saturating_mul(multiplier) / divisor;
            u64::try_from(q).unwrap_or(u64::MAX)
        }
    }
}

/// `n * multiplier / divisor`, rounded up; the largest number where it does not fit.
fn scale_up(n: u64, multiplier: impl Into<u128>, divisor: impl Into<u128>) -> u64 {
    let (multiplier, divisor) = (multiplier.into(), divisor.into());
    match product_64(n, multiplier, divisor) {
        Some((product, divisor)) => product.div_ceil(divisor),
        None => {
            let q = u128::from(n).saturating_mul(multiplier).div_ceil(divisor);
            u64::try_from(q).unwrap_or(u64::MAX)
        }
    }
}

/// Product and divisor, if both fit 64 bits.
fn product_64(n: u64, multiplier: u128, divisor: u128) -> Option<(u64, u64)> {
    let product = n.checked_mul(u64::try_from(multiplier).ok()?)?;
    Some((product, u64::try_from(divisor).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_count_instructions_one_by_one_and_go_on_while_time_jumps() {
        // 3 instructions in 10 ns: nothing is a whole number of nanoseconds.
        let mut clock = InsnClock::new(Frequency::hz(300_000_000));
        clock.advance(7);
        assert_eq!(clock.cycles(), 7);
        let mut last = clock.cycles();
        for step in 1..2000 {
            clock.jump_to(clock.now().plus_ns(step % 17));
            assert!(clock.cycles() >= last);
            assert!(clock.cycles() - last <= (step % 17) * 3 / 10 + 2);
            last = clock.cycles();
            clock.advance(step % 5);
            assert_eq!(clock.cycles(), last + step % 5);
            last = clock.cycles();
        }
        // A second's halt is a second's cycles.
        clock.jump_to(clock.now().plus_ns(1_000_000_000));
        assert!((clock.cycles() - last).abs_diff(300_000_000) <= 1);
        // The moment of a cycle is the first at which it is counted, within its own length.
        let n = clock.cycles() + 1000;
        let at = clock.time_of_cycle(n);
        clock.jump_to(at);
        assert!(clock.cycles().abs_diff(n) <= 1);
    }

    #[test]
    fn a_clock_that_counts_backwards_or_has_no_rate_is_not_valid() {
        let good = InsnClock::new(Frequency::hz(100_000_000));
        assert!(good.is_valid());
        let backwards = InsnClock {
            epoch_insns: 1,
            ..good
        };
        let at_the_end = InsnClock {
            insns: u64::MAX,
            ..good
        };
        let late = InsnClock {
            epoch: VirtTime::NEVER,
            ..good
        };
        let stopped = InsnClock {
            rate: Frequency {
                numerator: 0,
                denominator: 0,
            },
            ..good
        };
        for bad in [backwards, at_the_end, late, stopped] {
            assert!(!bad.is_valid(), "{bad:?}");
        }
    }

    #[test]
    fn tick_n_completes_at_exactly_the_nanosecond_given_for_it() {
        let pit = Frequency::ratio(315_000_000, 22 * 12);
        for n in [0, 1, 2, 3, 1193, 65536, 1_193_182, u64::from(u32::MAX)] {
            let ns = pit.ns_of(n);
            assert_eq!(pit.ticks_in(ns), n);
            assert!(n == 0 || pit.ticks_in(ns - 1) == n - 1);
        }
    }

    #[test]
    fn the_board_clock_reaches_a_deadline_at_the_count_it_announced() {
        for rate in [3_000_000, 100_000_000, 333_333_333, 4_000_000_000] {
            let mut clock = InsnClock::new(Frequency::hz(rate));
            clock.advance(17);
            let deadline = VirtTime::from_ns(1_000_003);
            let n = clock.insns_until(deadline);
            let mut before = clock;
            before.advance(n - 1);
            assert!(before.now() < deadline);
            clock.advance(n);
            assert!(clock.now() >= deadline);
            assert_eq!(clock.insns_until(deadline), 0);
        }
    }

    #[test]
    fn a_jump_moves_time_but_not_the_instruction_count() {
        let mut clock = InsnClock::new(Frequency::hz(100_000_000));
        clock.advance(5);
        clock.jump_to(VirtTime::from_ns(10_000));
        assert_eq!((clock.insns(), clock.now().as_ns()), (5, 10_000));
        clock.jump_to(VirtTime::from_ns(1));
        assert_eq!(clock.now().as_ns(), 10_000);
        clock.advance(1);
        assert_eq!(clock.now().as_ns(), 10_010);
    }
}
