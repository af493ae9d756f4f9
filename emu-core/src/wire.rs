//! Wires between chips: output lines drive nets, nets reach input pins, and levels travel in order.
//!
//! A device owns [`Line`]s, handles to its output pins, and never learns where they lead: an IRQ number is
//! the board's business. A net is high while any line on it is high (wired OR).

use crate::backend::{CpuId, CpuPin};
use crate::device::DeviceId;
use std::collections::VecDeque;

/// A device's own number for one of its input pins.
pub type Pin = u16;

/// An output pin of a device. [`Line::UNCONNECTED`] leads nowhere.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Line(u16);

impl Line {
    /// A pin that the board leaves open.
    pub const UNCONNECTED: Self = Self(u16::MAX);
}

/// Several lines on one wire.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct NetId(u16);

/// Where a net leads.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Sink {
    /// An input pin of a device.
    Device(DeviceId, Pin),
    /// An input pin of a CPU.
    Cpu(CpuId, CpuPin),
}

#[derive(Clone, Debug)]
struct Net {
    name: String,
    drivers_high: u16,
    sinks: Vec<Sink>,
}

#[derive(Clone, Debug)]
struct LineState {
    net: NetId,
    high: bool,
}

/// All wires of a board, and the transitions that are still on their way.
#[derive(Clone, Debug, Default)]
pub struct Wires {
    lines: Vec<LineState>,
    nets: Vec<Net>,
    transitions: VecDeque<(NetId, bool)>,
}

impl Wires {
    /// A new net, low, that leads nowhere yet.
    pub fn add_net(&mut self, name: impl Into<String>) -> NetId {
        self.nets.push(Net {
            name: name.into(),
            drivers_high: 0,
            sinks: Vec::new(),
        });
        NetId((self.nets.len() - 1) as u16)
    }

    /// A new output line that drives `net`.
    pub fn add_line(&mut self, net: NetId) -> Line {
        self.lines.push(LineState { net, high: false });
        Line((self.lines.len() - 1) as u16)
    }

    /// Leads `net` to one more input.
    pub fn connect(&mut self, net: NetId, sink: Sink) {
        self.nets[usize::from(net.0)].sinks.push(sink);
    }

    /// Drives a line; a change of its net's level is queued for delivery.
    #[inline]
    pub fn set(&mut self, line: Line, high: bool) {
        let Some(state) = self.lines.get_mut(usize::from(line.0)) else {
            return;
        };
        if state.high == high {
            return;
        }
        state.high = high;
        let id = state.net;
        let net = &mut self.nets[usize::from(id.0)];
        let before = net.drivers_high > 0;
        net.drivers_high = if high {
            net.drivers_high + 1
        } else {
            net.drivers_high.saturating_sub(1)
        };
        let after = net.drivers_high > 0;
        if before != after {
            self.transitions.push_back((id, after));
        }
    }

    /// The level that a line itself drives.
    pub fn line_level(&self, line: Line) -> bool {
        self.lines.get(usize::from(line.0)).is_some_and(|l| l.high)
    }

    /// The level of a net.
    pub fn net_level(&self, net: NetId) -> bool {
        self.nets[usize::from(net.0)].drivers_high > 0
    }

    /// The net that a line drives.
    pub fn net_of(&self, line: Line) -> Option<NetId> {
        self.lines.get(usize::from(line.0)).map(|l| l.net)
    }

    /// The net's name, for messages.
    pub fn net_name(&self, net: NetId) -> &str {
        &self.nets[usize::from(net.0)].name
    }

    /// All nets.
    pub fn nets(&self) -> impl Iterator<Item = NetId> + use<> {
        (0..self.nets.len()).map(|i| NetId(i as u16))
    }

    /// Where a net leads.
    pub fn sinks(&self, net: NetId) -> &[Sink] {
        &self.nets[usize::from(net.0)].sinks
    }

    /// The next transition to deliver, in the order in which they happened.
    #[inline]
    pub fn next_transition(&mut self) -> Option<(NetId, bool)> {
        self.transitions.pop_front()
    }

    /// Whether transitions wait for delivery.
    #[inline]
    pub fn has_transitions(&self) -> bool {
        !self.transitions.is_empty()
    }

    /// The levels of all lines, for a snapshot (taken only when no transition is on its way).
    pub fn levels(&self) -> Vec<bool> {
        self.lines.iter().map(|l| l.high).collect()
    }

    /// Puts back the levels that [`Self::levels`] gave, without any transition. False if the number of lines differs.
    #[must_use]
    pub fn restore_levels(&mut self, levels: &[bool]) -> bool {
        if levels.len() != self.lines.len() {
            return false;
        }
        for net in &mut self.nets {
            net.drivers_high = 0;
        }
        for (line, &high) in self.lines.iter_mut().zip(levels) {
            line.high = high;
            self.nets[usize::from(line.net.0)].drivers_high += u16::from(high);
        }
        self.transitions.clear();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_net_falls_only_when_its_last_driver_falls() {
        let mut w = Wires::default();
        let net = w.add_net("IRQ11");
        let (a, b) = (w.add_line(net), w.add_line(net));
        w.set(a, true);
        w.set(b, true);
        w.set(a, false);
        assert!(w.net_level(net));
        w.set(b, false);
        let seen: Vec<_> = std::iter::from_fn(|| w.next_transition())
            .map(|t| t.1)
            .collect();
        assert_eq!(seen, [true, false]);
    }

    #[test]
    fn a_pulse_is_delivered_as_two_transitions() {
        let mut w = Wires::default();
        let net = w.add_net("IRQ0");
        let a = w.add_line(net);
        w.set(a, true);
        w.set(a, false);
        w.set(a, true);
        let seen: Vec<_> = std::iter::from_fn(|| w.next_transition())
            .map(|t| t.1)
            .collect();
        assert_eq!(seen, [true, false, true]);
    }

    #[test]
    fn restored_levels_cause_no_transition() {
        let mut w = Wires::default();
        let net = w.add_net("n");
        let a = w.add_line(net);
        assert!(w.restore_levels(&[true]));
        assert!(w.net_level(net) && w.line_level(a) && !w.has_transitions());
        assert!(!w.restore_levels(&[true, false]));
    }
}
