//! The APIC timer (SDM volume 3, section 11.5.4): a count that follows from the moment at which it was started.

use super::spec::divisor;
use emu_core::{Frequency, VirtTime};
use serde::{Deserialize, Serialize};

/// The timer's counter.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Timer {
    /// The initial-count register.
    pub initial: u32,
    /// The divide configuration register.
    pub divide: u32,
    /// What the current-count register held at `start`.
    from: u32,
    start: VirtTime,
}

impl Timer {
    fn clock(&self, bus: Frequency) -> Frequency {
        bus.divided_by(divisor(self.divide))
    }

    /// The current count.
    pub fn current(&self, bus: Frequency, now: VirtTime, periodic: bool) -> u32 {
        let (ticks, from) = (
            self.clock(bus).ticks_at(self.start, now),
            u64::from(self.from),
        );
        match ticks.checked_sub(from) {
            None => (from - ticks) as u32,
            // Reaching 0 and being loaded again is one event.
            Some(over) if periodic && self.from != 0 && self.initial != 0 => {
                (u64::from(self.initial) - over % u64::from(self.initial)) as u32
            }
            Some(_) => 0,
        }
    }

    /// The first moment behind `now` at which the count reaches 0.
    pub fn next_zero(&self, bus: Frequency, now: VirtTime, periodic: bool) -> Option<VirtTime> {
        if self.from == 0 {
            return None;
        }
        let clock = self.clock(bus);
        let (ticks, from) = (clock.ticks_at(self.start, now), u64::from(self.from));
        let at = match ticks.checked_sub(from) {
            None => from,
            Some(over) if periodic && self.initial != 0 => {
                let period = u64::from(self.initial);
                from.saturating_add((over / period + 1).saturating_mul(period))
            }
            Some(_) => return None,
        };
        Some(clock.time_of(self.start, at))
    }

    /// A write to the initial-count register: counting begins anew; 0 stops it.
    pub fn load(&mut self, initial: u32, now: VirtTime) {
        self.initial = initial;
        self.from = initial;
        self.start = now;
    }

    /// What counts so far goes on under another divisor or mode.
    pub fn rebase(&mut self, bus: Frequency, now: VirtTime, periodic: bool) {
        let clock = self.clock(bus);
        let tick = clock.time_of(self.start, clock.ticks_at(self.start, now));
        self.from = self.current(bus, now, periodic);
        self.start = tick.min(now);
    }
}
