//! The event queue: which timer of which device fires next.

use crate::device::DeviceId;
use crate::time::VirtTime;
use serde::{Deserialize, Serialize};

/// A device's own number for one of its timers.
pub type TimerId = u16;

/// An armed timer.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Event {
    /// When it fires.
    pub at: VirtTime,
    /// Whose it is.
    pub device: DeviceId,
    /// Which of the device's timers.
    pub timer: TimerId,
    /// Order of arming, which decides between equal moments.
    sequence: u64,
}

/// Armed timers in the order in which they fire; each (device, timer) stands at most once.
///
/// A board has a few dozen timers, so a sorted vector (the next event last) beats a heap.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct EventQueue {
    events: Vec<Event>,
    next_sequence: u64,
}

impl EventQueue {
    /// Arms (or re-arms) a timer.
    pub fn arm(&mut self, device: DeviceId, timer: TimerId, at: VirtTime) {
        self.disarm(device, timer);
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let place = self
            .events
            .partition_point(|e| (e.at, e.sequence) > (at, sequence));
        self.events.insert(
            place,
            Event {
                at,
                device,
                timer,
                sequence,
            },
        );
    }

    /// Disarms a timer; nothing happens if it was not armed.
    pub fn disarm(&mut self, device: DeviceId, timer: TimerId) {
        if let Some(i) = self.position(device, timer) {
            self.events.remove(i);
        }
    }

    /// When a timer fires, if it is armed.
    pub fn armed(&self, device: DeviceId, timer: TimerId) -> Option<VirtTime> {
        self.position(device, timer).map(|i| self.events[i].at)
    }

    fn position(&self, device: DeviceId, timer: TimerId) -> Option<usize> {
        self.events
            .iter()
            .position(|e| e.device == device && e.timer == timer)
    }

    /// The moment of the next event, [`VirtTime::NEVER`] if none is armed.
    #[inline]
    pub fn next_deadline(&self) -> VirtTime {
        self.events.last().map_or(VirtTime::NEVER, |e| e.at)
    }

    /// Takes the next event out if it is due at `now`. One at [`VirtTime::NEVER`] never is.
    pub fn pop_due(&mut self, now: VirtTime) -> Option<Event> {
        if self.next_deadline() > now || self.next_deadline() == VirtTime::NEVER {
            return None;
        }
        self.events.pop()
    }

    /// Whether the queue is as [`Self::arm`] would have left it: in order, no timer twice, far from the last sequence
    /// number. What a snapshot holds may be anything.
    pub fn is_valid(&self) -> bool {
        let pairs = self.events.iter().zip(self.events.iter().skip(1));
        let ordered = pairs
            .clone()
            .all(|(later, sooner)| (later.at, later.sequence) > (sooner.at, sooner.sequence));
        let numbered = self.events.iter().all(|e| e.sequence < self.next_sequence);
        let mut timers: Vec<_> = self.events.iter().map(|e| (e.device, e.timer)).collect();
        timers.sort_unstable();
        let once = timers.windows(2).all(|w| w[0] != w[1]);
        ordered && numbered && once && self.next_sequence < 1 << 62
    }

    /// All armed timers, the next one last.
    pub fn iter(&self) -> impl Iterator<Item = &Event> {
        self.events.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_moments_fire_in_the_order_of_arming() {
        let mut q = EventQueue::default();
        let t = VirtTime::from_ns(5);
        q.arm(DeviceId(2), 0, t);
        q.arm(DeviceId(1), 0, t);
        q.arm(DeviceId(3), 0, VirtTime::from_ns(4));
        let order: Vec<_> = std::iter::from_fn(|| q.pop_due(t))
            .map(|e| e.device.0)
            .collect();
        assert_eq!(order, [3, 2, 1]);
    }

    #[test]
    fn what_is_armed_for_the_end_of_time_does_not_fire() {
        let mut q = EventQueue::default();
        q.arm(DeviceId(1), 0, VirtTime::NEVER);
        assert!(q.pop_due(VirtTime::NEVER).is_none());
        assert_eq!(q.armed(DeviceId(1), 0), Some(VirtTime::NEVER));
    }

    #[test]
    fn a_queue_out_of_order_or_with_a_timer_twice_is_not_valid() {
        let mut good = EventQueue::default();
        for n in 0..3 {
            good.arm(DeviceId(n), 0, VirtTime::from_ns(7));
        }
        assert!(good.is_valid());
        let mut disordered = good.clone();
        disordered.events.swap(0, 1);
        let mut doubled = good.clone();
        doubled.events[0].device = DeviceId(1);
        let mut last = good.clone();
        last.next_sequence = u64::MAX;
        for bad in [disordered, doubled, last] {
            assert!(!bad.is_valid(), "{bad:?}");
        }
    }

    #[test]
    fn arming_again_replaces_the_earlier_deadline() {
        let mut q = EventQueue::default();
        q.arm(DeviceId(1), 7, VirtTime::from_ns(5));
        q.arm(DeviceId(1), 7, VirtTime::from_ns(9));
        assert_eq!(q.armed(DeviceId(1), 7), Some(VirtTime::from_ns(9)));
        assert!(q.pop_due(VirtTime::from_ns(8)).is_none());
        q.disarm(DeviceId(1), 7);
        assert_eq!(q.next_deadline(), VirtTime::NEVER);
        assert!(q.pop_due(VirtTime::NEVER).is_none());
    }
}
