//! The debug exit port: a write ends the run, and its value becomes the exit code.
//!
//! Documentation: QEMU manual, device `isa-debug-exit`.
//!
//! Four ports from F4h on (the board may choose another place), write only. The exit code is (value << 1) | 1, cut
//! to eight bits.
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

/// Nothing changes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct State;

impl Snapshot for State {
    const VERSION: u16 = 1;
}

/// The port.
#[derive(Debug)]
pub struct DebugExit {
    port: u16,
    state: State,
}

impl DebugExit {
    /// An exit at `port`.
    pub fn new(port: u16) -> Self {
        Self { port, state: State }
    }
}

impl Device for DebugExit {
    const KIND: &'static str = "debug_exit";
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }
    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }
    fn reset(&mut self, _kind: ResetKind, _cx: &mut Cx<'_>) {}
    fn decode(&self, decode: &mut Decode) {
        decode.ports_with(
            PortKind::Registers(0),
            self.port,
            spec::PORTS,
            Width::Dword,
            Access::Write,
        );
    }
    fn port_io(&mut self) -> Option<&mut dyn PortIo> {
        Some(self)
    }
}

impl PortIo for DebugExit {
    fn port_read(&mut self, _at: PortAddr, _width: Width, _cx: &mut Cx<'_>) -> u32 {
        u32::MAX
    }
    fn port_write(&mut self, _at: PortAddr, _width: Width, value: u32, cx: &mut Cx<'_>) {
        cx.exit(spec::exit_code(value));
    }
}
