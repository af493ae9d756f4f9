//! Bochs' shutdown port: the characters "Shutdown", one after another, switch the power off.
//!
//! Documentation: Bochs User Manual, section on shutting down from the guest (port 8900h).
//!
//! Port 8900h, write only.
//!
//! **Not implemented**: nothing. **Known inaccuracies**: none.

pub mod spec;
#[cfg(test)]
mod tests;

use emu_core::bus::{Access, Decode, PortKind, Width};
use emu_core::cap::{PortAddr, PortIo};
use emu_core::snapshot::Snapshot;
use emu_core::{Cx, Device, ResetKind};
use serde::{Deserialize, Serialize};

/// All that changes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// How many characters of the word have come.
    matched: u8,
}

impl Snapshot for State {
    const VERSION: u16 = 1;
    fn validate(&self) -> Result<(), &'static str> {
        if usize::from(self.matched) >= spec::WORD.len() {
            return Err("more characters than the word has");
        }
        Ok(())
    }
}

/// The port.
#[derive(Debug, Default)]
pub struct BochsShutdown {
    state: State,
}

impl BochsShutdown {
    /// The port.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Device for BochsShutdown {
    const KIND: &'static str = "bochs_shutdown";
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }
    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }
    fn reset(&mut self, kind: ResetKind, _cx: &mut Cx<'_>) {
        if kind != ResetKind::Init {
            self.state.matched = 0;
        }
    }
    fn decode(&self, decode: &mut Decode) {
        let kind = PortKind::Registers(0);
        decode.ports_with(kind, spec::PORT, 1, Width::Byte, Access::Write);
    }
    fn port_io(&mut self) -> Option<&mut dyn PortIo> {
        Some(self)
    }
}

impl PortIo for BochsShutdown {
    fn port_read(&mut self, _at: PortAddr, _width: Width, _cx: &mut Cx<'_>) -> u32 {
        u32::MAX
    }
    fn port_write(&mut self, _at: PortAddr, _width: Width, value: u32, cx: &mut Cx<'_>) {
        let byte = value as u8;
        let matched = usize::from(self.state.matched);
        self.state.matched = if spec::WORD[matched] == byte {
            self.state.matched + 1
        } else {
            u8::from(spec::WORD[0] == byte)
        };
        if usize::from(self.state.matched) == spec::WORD.len() {
            self.state.matched = 0;
            cx.power_off();
        }
    }
}
