//! System control port A: the fast A20 gate and the fast reset.
//!
//! Manual: Intel "82371FB (PIIX) and 82371SB (PIIX3)", order number 290550, section 2.5.7.
//!
//! Port 92h. Output: A20 (high: address line 20 is passed on), on the same net as the keyboard controller's.
//!
//! **Not implemented**: what a PS/2 has besides (password lock, watchdog status, disk light), as PIIX3.
//!
//! **Known inaccuracies**: none.

pub mod spec;
#[cfg(test)]
mod tests;

use emu_core::bus::{Decode, Width};
use emu_core::cap::{PortAddr, PortIo};
use emu_core::snapshot::Snapshot;
use emu_core::wire::Line;
use emu_core::{Cx, Device, ResetKind};
use serde::{Deserialize, Serialize};
use spec::Bits;

/// Output pins.
#[derive(Copy, Clone, Debug)]
pub struct Wiring {
    /// High while address line 20 is passed on.
    pub a20: Line,
}

/// All that changes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct State {
    bits: Bits,
}

impl Snapshot for State {
    const VERSION: u16 = 1;
}

/// The port.
#[derive(Debug)]
pub struct Port92 {
    wiring: Wiring,
    state: State,
}

impl Port92 {
    /// The port, wired.
    pub fn new(wiring: Wiring) -> Self {
        Self {
            wiring,
            state: State::default(),
        }
    }

    fn set(&mut self, bits: Bits, cx: &mut Cx<'_>) {
        self.state.bits = bits;
        cx.set_line(self.wiring.a20, bits.contains(Bits::FAST_A20));
    }
}

impl Device for Port92 {
    const KIND: &'static str = "port92";
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }
    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }
    fn reset(&mut self, kind: ResetKind, cx: &mut Cx<'_>) {
        if kind != ResetKind::Init {
            self.set(Bits::empty(), cx);
        }
    }
    fn decode(&self, decode: &mut Decode) {
        decode.ports(0, spec::PORT, 1, Width::Byte);
    }
    fn port_io(&mut self) -> Option<&mut dyn PortIo> {
        Some(self)
    }
}

impl PortIo for Port92 {
    fn port_read(&mut self, _at: PortAddr, _width: Width, _cx: &mut Cx<'_>) -> u32 {
        self.state.bits.bits().into()
    }

    fn port_write(&mut self, _at: PortAddr, _width: Width, value: u32, cx: &mut Cx<'_>) {
        let bits = Bits::from_bits_truncate(value as u8);
        let rises = (bits - self.state.bits).contains(Bits::FAST_INIT);
        self.set(bits, cx);
        if rises {
            cx.request_reset(ResetKind::Init);
        }
    }
}
