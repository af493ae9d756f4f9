//! The debug console: each byte written to its port is a character for the host.
//!
//! Documentation: Bochs User Manual, option `port_e9_hack`; QEMU manual, device `isa-debugcon`.
//!
//! One port, E9h or 402h by the board's choice. Reading gives E9h.
//!
//! **Not implemented**: nothing. **Known inaccuracies**: none.

pub mod spec;
#[cfg(test)]
mod tests;

use emu_core::bus::{Decode, Width};
use emu_core::cap::{PortAddr, PortIo};
use emu_core::host::CharBackend;
use emu_core::snapshot::Snapshot;
use emu_core::{Cx, Device, ResetKind};
use serde::{Deserialize, Serialize};

/// Nothing changes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct State;

impl Snapshot for State {
    const VERSION: u16 = 1;
}

/// The port.
pub struct Debugcon {
    port: u16,
    backend: Box<dyn CharBackend>,
    state: State,
}

impl Debugcon {
    /// A console at `port`, whose characters go to `backend`.
    pub fn new(port: u16, backend: Box<dyn CharBackend>) -> Self {
        Self {
            port,
            backend,
            state: State,
        }
    }
}

impl Device for Debugcon {
    const KIND: &'static str = "debugcon";
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }
    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }
    fn reset(&mut self, _kind: ResetKind, _cx: &mut Cx<'_>) {}
    fn decode(&self, decode: &mut Decode) {
        decode.ports(0, self.port, 1, Width::Byte);
    }
    fn port_io(&mut self) -> Option<&mut dyn PortIo> {
        Some(self)
    }
}

impl PortIo for Debugcon {
    fn port_read(&mut self, _at: PortAddr, _width: Width, _cx: &mut Cx<'_>) -> u32 {
        spec::PRESENT.into()
    }
    fn port_write(&mut self, _at: PortAddr, _width: Width, value: u32, _cx: &mut Cx<'_>) {
        self.backend.put(value as u8);
    }
}
