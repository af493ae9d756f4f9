//! The 8254 programmable interval timer.
//!
//! Datasheet: Intel "8254 Programmable Interval Timer", order number 231164.
//!
//! Ports 40h-42h: the counters; 43h: the control word, which cannot be read. Inputs: pins 0-2 are GATE0-GATE2.
//! Outputs: OUT0 (the system tick), OUT1 (memory refresh on old boards), OUT2 (speaker, and bit 5 of port 61h).
//!
//! All counters follow from the one clock: pulse *n* falls at its exact moment since power-on, and a timer is
//! armed only for outputs that are connected.
//!
//! **Not implemented**: nothing.
//!
//! **Known inaccuracies**: GATE is sampled, and OUT changes, at the falling edge of the clock only. Before the
//! first control word the real counters are undefined; here they stand still in mode 0. The datasheet forbids a
//! count of 1 in modes 2 and 3: here mode 2 then keeps OUT low and mode 3 halves the clock. Digits above 9 in a
//! decimal count count as their value.

mod counter;
pub mod spec;
#[cfg(test)]
mod tests;

use counter::Counter;
use emu_core::bus::{Access as PortAccess, Decode, PortKind, Width};
use emu_core::cap::{Inputs, PortAddr, PortIo, Timers};
use emu_core::event::TimerId;
use emu_core::snapshot::Snapshot;
use emu_core::wire::{Line, Pin};
use emu_core::{Cx, Device, Frequency, ResetKind, VirtTime};
use serde::{Deserialize, Serialize};
use spec::{Access, ReadBack, Select};

/// Output pins.
#[derive(Copy, Clone, Debug)]
pub struct Wiring {
    /// OUT0-OUT2. Timers are armed only for those that are connected.
    pub out: [Line; 3],
}

/// What the board decides.
#[derive(Copy, Clone, Debug)]
pub struct Config {
    /// The first port.
    pub base: u16,
    /// CLK of all counters.
    pub clock: Frequency,
    /// Levels at the GATE pins at power-on; one that is tied high never changes.
    pub gates: [bool; 3],
}

impl Config {
    /// A PC: at 40h, GATE0 and GATE1 tied high, GATE2 driven by port 61h, which starts low.
    pub const PC: Self = Self {
        base: 0x40,
        clock: spec::PC_CLOCK,
        gates: [true, true, false],
    };
}

/// A connected counter that is further behind than this has its pulses skipped, not played: only a
/// damaged snapshot gets there.
const REPLAY_PULSES_MAX: u64 = 1 << 22;

/// All that changes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct State {
    counters: [Counter; 3],
    /// Up to which clock pulse each counter is computed.
    at_pulse: [u64; 3],
}

impl Snapshot for State {
    const VERSION: u16 = 1;
    fn validate(&self) -> Result<(), &'static str> {
        if !self.counters.iter().all(Counter::valid) {
            return Err("a counter holds a count that its mode cannot hold");
        }
        Ok(())
    }
}

/// The chip.
#[derive(Debug)]
pub struct I8254 {
    wiring: Wiring,
    config: Config,
    state: State,
}

impl I8254 {
    /// A chip, wired.
    pub fn new(wiring: Wiring, config: Config) -> Self {
        Self {
            wiring,
            config,
            state: State {
                counters: config.gates.map(Counter::new),
                at_pulse: [0; 3],
            },
        }
    }

    fn connected(&self, n: usize) -> bool {
        self.wiring.out[n] != Line::UNCONNECTED
    }

    fn pulse_at(&self, now: VirtTime) -> u64 {
        self.config.clock.ticks_at(VirtTime::ZERO, now)
    }

    /// Brings a counter up to the present, showing each change of a connected OUT.
    fn catch_up(&mut self, n: usize, cx: &mut Cx<'_>) {
        let now = self.pulse_at(cx.now());
        let mut behind = now.saturating_sub(self.state.at_pulse[n]);
        let counter = &mut self.state.counters[n];
        if self.wiring.out[n] != Line::UNCONNECTED && behind <= REPLAY_PULSES_MAX {
            while let Some(pulses) = counter.next_output_change().filter(|&p| p <= behind) {
                counter.advance(pulses);
                behind -= pulses;
                cx.set_line(self.wiring.out[n], counter.out());
            }
        }
        counter.advance(behind);
        self.state.at_pulse[n] = self.state.at_pulse[n].max(now);
    }

    /// Drives OUT and arms the timer for its next change.
    fn drive(&mut self, n: usize, cx: &mut Cx<'_>) {
        if !self.connected(n) {
            return;
        }
        cx.set_line(self.wiring.out[n], self.state.counters[n].out());
        match self.state.counters[n].next_output_change() {
            Some(pulses) => {
                let pulse = self.state.at_pulse[n].saturating_add(pulses);
                let at = self.config.clock.time_of(VirtTime::ZERO, pulse);
                if cx.armed(n as TimerId) != Some(at) {
                    cx.arm(n as TimerId, at);
                }
            }
            None => cx.disarm(n as TimerId),
        }
    }

    fn with_counter<R>(
        &mut self,
        n: usize,
        cx: &mut Cx<'_>,
        act: impl FnOnce(&mut Counter) -> R,
    ) -> R {
        self.catch_up(n, cx);
        let r = act(&mut self.state.counters[n]);
        self.drive(n, cx);
        r
    }

    fn write_control(&mut self, word: u8, cx: &mut Cx<'_>) {
        match (Select::decode(word), Access::decode(word)) {
            (Select::ReadBack, _) => {
                let command = ReadBack::from_bits_retain(word);
                let selected = [
                    ReadBack::COUNTER_0,
                    ReadBack::COUNTER_1,
                    ReadBack::COUNTER_2,
                ];
                for (n, bit) in selected.into_iter().enumerate() {
                    if command.contains(bit) {
                        self.with_counter(n, cx, |c| {
                            if !command.contains(ReadBack::NO_COUNT) {
                                c.latch_count();
                            }
                            if !command.contains(ReadBack::NO_STATUS) {
                                c.latch_status();
                            }
                        });
                    }
                }
            }
            (Select::Counter(n), None) => self.with_counter(n, cx, Counter::latch_count),
            (Select::Counter(n), Some(access)) => {
                self.with_counter(n, cx, |c| c.program(word, access));
            }
        }
    }
}

const REGION_COUNTERS: u16 = 0;
const REGION_CONTROL: u16 = 1;

impl Device for I8254 {
    const KIND: &'static str = "i8254";
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }
    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }
    fn reset(&mut self, kind: ResetKind, cx: &mut Cx<'_>) {
        // The chip has no reset pin: only power-on finds it in a fresh state.
        if kind == ResetKind::PowerOn {
            let pulse = self.pulse_at(cx.now());
            self.state = State {
                counters: self.config.gates.map(Counter::new),
                at_pulse: [pulse; 3],
            };
            for n in 0..3 {
                self.drive(n, cx);
            }
        }
    }
    fn decode(&self, decode: &mut Decode) {
        let base = self.config.base;
        decode.ports(REGION_COUNTERS, base, spec::COUNTER_PORTS, Width::Byte);
        decode.ports_with(
            PortKind::Registers(REGION_CONTROL),
            base.wrapping_add(spec::CONTROL_WORD),
            1,
            Width::Byte,
            PortAccess::Write,
        );
    }
    fn port_io(&mut self) -> Option<&mut dyn PortIo> {
        Some(self)
    }
    fn timers(&mut self) -> Option<&mut dyn Timers> {
        Some(self)
    }
    fn inputs(&mut self) -> Option<&mut dyn Inputs> {
        Some(self)
    }
}

impl PortIo for I8254 {
    fn port_read(&mut self, at: PortAddr, _width: Width, cx: &mut Cx<'_>) -> u32 {
        match (at.region, usize::from(at.offset)) {
            (REGION_COUNTERS, n @ 0..=2) => self.with_counter(n, cx, Counter::read).into(),
            _ => u32::MAX,
        }
    }

    fn port_write(&mut self, at: PortAddr, _width: Width, value: u32, cx: &mut Cx<'_>) {
        match (at.region, usize::from(at.offset)) {
            (REGION_COUNTERS, n @ 0..=2) => self.with_counter(n, cx, |c| c.write(value as u8)),
            _ => self.write_control(value as u8, cx),
        }
    }
}

impl Timers for I8254 {
    fn expired(&mut self, timer: TimerId, cx: &mut Cx<'_>) {
        let n = usize::from(timer);
        if n < 3 {
            self.with_counter(n, cx, |_| ());
        }
    }
}

impl Inputs for I8254 {
    fn input(&mut self, pin: Pin, high: bool, cx: &mut Cx<'_>) {
        let n = usize::from(pin);
        if n < 3 {
            self.with_counter(n, cx, |c| c.set_gate(high));
        }
    }
}
