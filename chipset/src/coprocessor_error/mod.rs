//! The coprocessor error logic of the PIIX3: FERR#, IRQ 13 and IGNNE#.
//!
//! **What it is**: a part of the 82371SB (order number 290550; "Coprocessor Error", register F0h and the signals
//! FERR# and IGNNE#), which keeps what the PC/AT's board did with an 80287: an unmasked floating-point error raises IRQ 13,
//! and the handler's write to port F0h takes the request away and lets the CPU go on.
//!
//! **Ports**: F0h (write). **Wires in**: FERR# (pin 0; high: asserted). **Wires out**: IRQ 13, IGNNE# (high: asserted).
//!
//! **Not implemented**: port F1h, by which an AT resets its 80287; no PIIX has it.

pub mod spec;
#[cfg(test)]
mod tests;

use emu_core::bus::{Access, Decode, PortKind, Width};
use emu_core::cap::{Inputs, PortAddr, PortIo};
use emu_core::cx::{Cx, ResetKind};
use emu_core::snapshot::Snapshot;
use emu_core::wire::Pin;
use emu_core::{Device, Line};
use serde::{Deserialize, Serialize};
use spec::PORT_COPROCESSOR_ERROR;

/// The FERR# input.
pub const FERR: Pin = 0;

/// Where the outputs lead.
#[derive(Copy, Clone, Debug)]
pub struct Wiring {
    /// IRQ 13.
    pub irq: Line,
    /// IGNNE# to the CPU.
    pub ignne: Line,
}

/// What changes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct State {
    ferr: bool,
    requested: bool,
    ignoring: bool,
}

impl Snapshot for State {
    const VERSION: u16 = 1;
}

/// The logic.
#[derive(Debug)]
pub struct CoprocessorError {
    wiring: Wiring,
    state: State,
}

impl CoprocessorError {
    /// The logic, wired.
    pub fn new(wiring: Wiring) -> Self {
        Self {
            wiring,
            state: State::default(),
        }
    }

    fn drive(&self, cx: &mut Cx<'_>) {
        cx.set_line(self.wiring.irq, self.state.requested);
        cx.set_line(self.wiring.ignne, self.state.ignoring);
    }
}

impl Device for CoprocessorError {
    const KIND: &'static str = "coprocessor_error";
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }
    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }
    fn reset(&mut self, kind: ResetKind, cx: &mut Cx<'_>) {
        if kind == ResetKind::Init {
            return;
        }
        // The pin is the CPU's: its level stays what the CPU makes it.
        self.state.requested = false;
        self.state.ignoring = false;
        self.drive(cx);
    }
    fn decode(&self, decode: &mut Decode) {
        let kind = PortKind::Registers(0);
        decode.ports_with(kind, PORT_COPROCESSOR_ERROR, 1, Width::Byte, Access::Write);
    }
    fn port_io(&mut self) -> Option<&mut dyn PortIo> {
        Some(self)
    }
    fn inputs(&mut self) -> Option<&mut dyn Inputs> {
        Some(self)
    }
}

impl PortIo for CoprocessorError {
    fn port_read(&mut self, _at: PortAddr, width: Width, _cx: &mut Cx<'_>) -> u32 {
        width.mask() as u32
    }
    fn port_write(&mut self, _at: PortAddr, _width: Width, _value: u32, cx: &mut Cx<'_>) {
        self.state.requested = false;
        // "If FERR# is not asserted when the write occurs, IGNNE# is not asserted."
        self.state.ignoring |= self.state.ferr;
        self.drive(cx);
    }
}

impl Inputs for CoprocessorError {
    fn input(&mut self, pin: Pin, high: bool, cx: &mut Cx<'_>) {
        if pin != FERR {
            return;
        }
        self.state.ferr = high;
        if high {
            self.state.requested = true;
        } else {
            self.state.ignoring = false;
        }
        self.drive(cx);
    }
}
