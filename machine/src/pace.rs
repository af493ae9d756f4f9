//! The real-time clock's brake: keeps guest time from running ahead of the host's clock.

use emu_core::time::VirtTime;
use std::time::{Duration, Instant};

/// Holds guest time against the host's monotonic clock.
#[derive(Debug)]
pub(crate) struct Pacer {
    host_epoch: Instant,
    guest_epoch: VirtTime,
}

impl Pacer {
    /// How much guest time runs between two looks at the host's clock.
    pub const SLICE_NS: u64 = 2_000_000;
    /// The longest sleep of a halted machine: this soon it notices a key or a closed window.
    pub const SLEEP_NS: u64 = 10_000_000;
    /// Arrears beyond this are forgiven: a host that was suspended or is too slow does not make the guest race.
    const ARREARS_NS: u64 = 200_000_000;

    pub fn new(now: VirtTime) -> Self {
        Self {
            host_epoch: Instant::now(),
            guest_epoch: now,
        }
    }

    /// Sleeps until the host's clock has reached the guest's `moment`.
    pub fn wait_until_host_reaches(&mut self, moment: VirtTime) {
        let due = Duration::from_nanos(moment.since(self.guest_epoch));
        let passed = self.host_epoch.elapsed();
        if due > passed {
            std::thread::sleep(due - passed);
        } else if passed - due > Duration::from_nanos(Self::ARREARS_NS) {
            *self = Self::new(moment);
        }
    }
}
