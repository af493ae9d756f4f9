//! The 82093AA I/O APIC.
//!
//! **What it is**: Intel "82093AA I/O Advanced Programmable Interrupt Controller (IOAPIC)", order number 290566: 24
//! interrupt inputs, each with an entry of the redirection table that makes a message for the local APICs of it.
//!
//! **Memory**: a register select and a window at an address that the board gives (FEC00000h on a PC). **Wires in**:
//! INTIN0 to INTIN23 (pins 0 to 23). Messages go over the board ([`ApicAgent`]).
//!
//! SMI, NMI, INIT and ExtINT are sent at edges, as the data sheet wants them programmed, whatever the trigger bit says:
//! nobody would end them. A pin that is masked when its edge comes has lost it (section 3.2.4).
//!
//! **Not implemented**: bus arbitration: the arbitration ID follows the ID and does not change.
//!
//! **Known inaccuracies**
//! - A message that no local APIC accepts is not sent again and again: an edge is lost, and a level is tried again when
//!   its pin, its entry or an end of interrupt gives occasion.
//! - The PIIX3's APICBASE and its chip select enable do not move or hide it: the select is wired to the one address.

pub mod spec;
#[cfg(test)]
mod tests;

use emu_core::bus::{Decode, Width};
use emu_core::cap::{
    ApicAgent, ApicCycle, ApicDelivery, ApicDestination, ApicMessage, Inputs, Mmio, MmioAddr,
};
use emu_core::snapshot::Snapshot;
use emu_core::wire::Pin;
use emu_core::{Cx, Device, ResetKind};
use serde::{Deserialize, Serialize};

const PINS: usize = spec::PINS as usize;

/// What a guest can change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct State {
    select: u8,
    id: u32,
    entries: [u64; PINS],
    /// Levels at the pins.
    inputs: u32,
}

impl Snapshot for State {
    const VERSION: u16 = 1;
}

/// The chip.
#[derive(Debug)]
pub struct I82093aa {
    base: u64,
    state: State,
}

impl I82093aa {
    /// A chip whose registers stand at `base`.
    pub fn new(base: u64) -> Self {
        Self {
            base,
            state: Self::reset_state(0),
        }
    }

    fn reset_state(inputs: u32) -> State {
        State {
            select: 0,
            id: 0,
            entries: [spec::REDIRECTION_RESET; PINS],
            inputs,
        }
    }

    /// Whether an entry asks for as long as its pin is active, or at the pin's edge.
    fn by_level(entry: u64) -> bool {
        let ended = matches!(
            spec::delivery(entry),
            Some(ApicDelivery::Fixed | ApicDelivery::LowestPriority)
        );
        entry & spec::LEVEL != 0 && ended
    }

    fn active(&self, pin: usize) -> bool {
        let high = self.state.inputs >> pin & 1 != 0;
        high != (self.state.entries[pin] & spec::ACTIVE_LOW != 0)
    }

    fn send(&mut self, pin: usize, cx: &mut Cx<'_>) {
        let entry = self.state.entries[pin];
        let Some(delivery) = spec::delivery(entry) else {
            return;
        };
        if entry & (spec::MASKED | spec::SEND_PENDING) != 0 {
            return;
        }
        let to = (entry >> spec::DESTINATION_SHIFT) as u32;
        let destination = if entry & spec::LOGICAL != 0 {
            ApicDestination::Logical(to)
        } else if to & 0xF == 0xF {
            ApicDestination::All
        } else {
            // Physical IDs have four bits, 59 to 56 of the entry.
            ApicDestination::Physical(to & 0xF)
        };
        self.state.entries[pin] |= spec::SEND_PENDING;
        cx.apic_send(ApicCycle::Interrupt(ApicMessage {
            destination,
            delivery,
            vector: entry as u8,
            level: Self::by_level(entry),
            tag: pin as u8,
        }));
    }

    /// Sends for a level that is active and not being served.
    fn poll_level(&mut self, pin: usize, cx: &mut Cx<'_>) {
        let entry = self.state.entries[pin];
        if Self::by_level(entry) && entry & spec::REMOTE_IRR == 0 && self.active(pin) {
            self.send(pin, cx);
        }
    }

    fn read_register(&self) -> u32 {
        match self.state.select {
            spec::ID | spec::ARBITRATION => self.state.id,
            spec::VERSION => spec::VERSION_VALUE,
            n => match self.redirection(n) {
                Some((pin, high)) => (self.state.entries[pin] >> (32 * u32::from(high))) as u32,
                None => 0,
            },
        }
    }

    /// The pin of a redirection register, and whether it is the upper half.
    fn redirection(&self, register: u8) -> Option<(usize, bool)> {
        let n = usize::from(register.checked_sub(spec::REDIRECTION)?);
        (n / 2 < PINS).then_some((n / 2, n % 2 == 1))
    }

    fn write_register(&mut self, value: u32, cx: &mut Cx<'_>) {
        let register = self.state.select;
        if register == spec::ID {
            self.state.id = value & spec::ID_MASK;
        }
        let Some((pin, high)) = self.redirection(register) else {
            return;
        };
        let (shift, lane) = if high {
            (32, !0u64 << 32)
        } else {
            (0, u64::from(u32::MAX))
        };
        let mask = lane & spec::WRITABLE;
        let entry = &mut self.state.entries[pin];
        *entry = *entry & !mask | u64::from(value) << shift & mask;
        if !Self::by_level(*entry) {
            *entry &= !spec::REMOTE_IRR;
        }
        self.poll_level(pin, cx);
    }
}

impl Device for I82093aa {
    const KIND: &'static str = "i82093aa";
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }
    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }
    fn reset(&mut self, kind: ResetKind, _cx: &mut Cx<'_>) {
        if kind != ResetKind::Init {
            self.state = Self::reset_state(self.state.inputs);
        }
    }
    fn decode(&self, decode: &mut Decode) {
        decode.mmio(0, self.base, spec::BYTES, Width::Dword);
    }
    fn mmio(&mut self) -> Option<&mut dyn Mmio> {
        Some(self)
    }
    fn inputs(&mut self) -> Option<&mut dyn Inputs> {
        Some(self)
    }
    fn apic_agent(&mut self) -> Option<&mut dyn ApicAgent> {
        Some(self)
    }
}

impl Mmio for I82093aa {
    fn mmio_read(&mut self, at: MmioAddr, _width: Width, _cx: &mut Cx<'_>) -> u64 {
        let value = match at.offset & !3 {
            spec::IOREGSEL => self.state.select.into(),
            spec::IOWIN => self.read_register(),
            _ => 0,
        };
        u64::from(value >> (8 * (at.offset & 3)))
    }

    fn mmio_write(&mut self, at: MmioAddr, width: Width, value: u64, cx: &mut Cx<'_>) {
        match (at.offset, width) {
            (spec::IOREGSEL, _) => self.state.select = value as u8,
            // "All accesses to the window are of 32 bits" (section 3.1.2).
            (spec::IOWIN, Width::Dword) => self.write_register(value as u32, cx),
            _ => {}
        }
    }
}

impl Inputs for I82093aa {
    fn input(&mut self, pin: Pin, high: bool, cx: &mut Cx<'_>) {
        if pin >= spec::PINS {
            return;
        }
        let place = usize::from(pin);
        let before = self.active(place);
        if high {
            self.state.inputs |= 1 << pin;
        } else {
            self.state.inputs &= !(1 << pin);
        }
        if Self::by_level(self.state.entries[place]) {
            self.poll_level(place, cx);
        } else if self.active(place) && !before {
            self.send(place, cx);
        }
    }
}

impl ApicAgent for I82093aa {
    fn rank(&self, _message: &ApicMessage) -> Option<u8> {
        None
    }
    fn receive(&mut self, _message: &ApicMessage, _cx: &mut Cx<'_>) -> bool {
        false
    }
    fn sent(&mut self, tag: u8, accepted: bool, _cx: &mut Cx<'_>) {
        if let Some(entry) = self.state.entries.get_mut(usize::from(tag)) {
            *entry &= !spec::SEND_PENDING;
            if accepted && Self::by_level(*entry) {
                *entry |= spec::REMOTE_IRR;
            }
        }
    }
    fn end_of_interrupt(&mut self, vector: u8, cx: &mut Cx<'_>) {
        for pin in 0..PINS {
            let entry = self.state.entries[pin];
            if entry & spec::REMOTE_IRR != 0 && entry as u8 == vector {
                self.state.entries[pin] &= !spec::REMOTE_IRR;
                self.poll_level(pin, cx);
            }
        }
    }
}
