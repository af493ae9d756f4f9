//! The parallel port, standard and bidirectional (SPP), with a printer behind it.
//!
//! Manual: IBM, "PS/2 Hardware Interface Technical Reference: Common Interfaces", S84F-9809, section "Parallel Port
//! Controller".
//!
//! Three ports from the base that the board gives (378h, 278h, 3BCh). Output: the interrupt, which rises with
//! nACK's trailing edge if the control port lets it, and stays until the status is read (nIRQ, as on a PS/2).
//!
//! The printer, if there is one, takes a character at the strobe's trailing edge, is busy, and acknowledges it.
//! Its characters go to a character back end.
//!
//! **Not implemented**: EPP and ECP (other chips have them; their ports are open bus).
//!
//! **Known inaccuracies**: nobody drives the data lines from outside, so that as inputs they read as ones.

pub mod spec;
#[cfg(test)]
mod tests;

use emu_core::bus::{Decode, Width};
use emu_core::cap::{PortAddr, PortIo, Timers};
use emu_core::event::TimerId;
use emu_core::host::CharBackend;
use emu_core::snapshot::Snapshot;
use emu_core::wire::Line;
use emu_core::{Cx, Device, ResetKind};
use serde::{Deserialize, Serialize};
use spec::{Control, Status};

/// Output pins.
#[derive(Copy, Clone, Debug)]
pub struct Wiring {
    /// The interrupt.
    pub irq: Line,
}

/// What the board decides.
#[derive(Copy, Clone, Debug)]
pub struct Config {
    /// The first port.
    pub base: u16,
    /// The data lines can be turned round.
    pub bidirectional: bool,
}

const TIMER_PRINTER: TimerId = 0;

/// What the printer does.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
enum Printer {
    #[default]
    Ready,
    /// Busy is high.
    Busy,
    /// nACK is low, Busy high.
    Acknowledges,
}

/// All that changes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct State {
    data: u8,
    control: Control,
    printer: Printer,
    /// An acknowledgement since the status was read.
    acknowledged: bool,
}

impl Snapshot for State {
    const VERSION: u16 = 1;
}

/// The port and its printer.
pub struct Lpt {
    wiring: Wiring,
    config: Config,
    backend: Option<Box<dyn CharBackend>>,
    state: State,
}

impl Lpt {
    /// A port, wired; with a back end a printer is plugged in.
    pub fn new(wiring: Wiring, config: Config, backend: Option<Box<dyn CharBackend>>) -> Self {
        Self {
            wiring,
            config,
            backend,
            state: State::default(),
        }
    }

    fn status(&self) -> Status {
        let s = &self.state;
        let mut status = Status::RESERVED | Status::NOT_ERROR | Status::NOT_ACK | Status::NOT_BUSY;
        status.set(Status::NOT_IRQ, !s.acknowledged);
        match self.backend {
            // Open lines: pull-ups on all of them, and Busy is inverted.
            None => status = (status | Status::SELECT | Status::PAPER_END) - Status::NOT_BUSY,
            Some(_) => {
                status |= Status::SELECT;
                status.set(Status::NOT_BUSY, s.printer == Printer::Ready);
                status.set(Status::NOT_ACK, s.printer != Printer::Acknowledges);
                if !s.control.contains(Control::NOT_INIT) {
                    status -= Status::NOT_BUSY;
                }
            }
        }
        status
    }

    fn drive(&mut self, cx: &mut Cx<'_>) {
        let enabled = self.state.control.contains(Control::INTERRUPT);
        cx.set_line(self.wiring.irq, enabled && self.state.acknowledged);
    }

    fn write_control(&mut self, value: Control, cx: &mut Cx<'_>) {
        let strobe_ends = (self.state.control - value).contains(Control::STROBE);
        self.state.control = value;
        if !value.contains(Control::NOT_INIT) {
            // The printer is held in reset.
            self.state.printer = Printer::Ready;
            cx.disarm(TIMER_PRINTER);
        } else if strobe_ends && self.state.printer == Printer::Ready {
            let inputs = value.contains(Control::DIRECTION_IN);
            let data = if inputs { 0xFF } else { self.state.data };
            if let Some(backend) = &mut self.backend {
                backend.put(data);
                self.state.printer = Printer::Busy;
                cx.arm(TIMER_PRINTER, cx.now().plus_ns(spec::BUSY_NS));
            }
        }
    }
}

impl Device for Lpt {
    const KIND: &'static str = "lpt";
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }
    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }
    fn reset(&mut self, kind: ResetKind, cx: &mut Cx<'_>) {
        if kind != ResetKind::Init {
            self.state = State::default();
            cx.disarm(TIMER_PRINTER);
            self.drive(cx);
        }
    }
    fn decode(&self, decode: &mut Decode) {
        decode.ports(0, self.config.base, spec::PORTS, Width::Byte);
    }
    fn port_io(&mut self) -> Option<&mut dyn PortIo> {
        Some(self)
    }
    fn timers(&mut self) -> Option<&mut dyn Timers> {
        Some(self)
    }
}

impl PortIo for Lpt {
    fn port_read(&mut self, at: PortAddr, _width: Width, cx: &mut Cx<'_>) -> u32 {
        let value = match at.offset {
            spec::DATA if self.state.control.contains(Control::DIRECTION_IN) => 0xFF,
            spec::DATA => self.state.data,
            spec::STATUS => {
                let status = self.status();
                self.state.acknowledged = false;
                self.drive(cx);
                status.bits()
            }
            _ => (self.state.control | Control::RESERVED).bits(),
        };
        value.into()
    }

    fn port_write(&mut self, at: PortAddr, _width: Width, value: u32, cx: &mut Cx<'_>) {
        let value = value as u8;
        match at.offset {
            spec::DATA => self.state.data = value,
            spec::STATUS => {}
            _ => {
                let mut control = Control::from_bits_retain(value) - Control::RESERVED;
                if !self.config.bidirectional {
                    control -= Control::DIRECTION_IN;
                }
                self.write_control(control, cx);
            }
        }
        self.drive(cx);
    }
}

impl Timers for Lpt {
    fn expired(&mut self, _timer: TimerId, cx: &mut Cx<'_>) {
        match self.state.printer {
            Printer::Busy => {
                self.state.printer = Printer::Acknowledges;
                self.state.acknowledged = false;
                cx.arm(TIMER_PRINTER, cx.now().plus_ns(spec::ACK_NS));
            }
            Printer::Acknowledges => {
                self.state.printer = Printer::Ready;
                self.state.acknowledged = true;
            }
            Printer::Ready => {}
        }
        self.drive(cx);
    }
}
