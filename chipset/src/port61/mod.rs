//! System control port B: speaker, and the sources of NMI.
//!
//! Manual: Intel "82371FB (PIIX) and 82371SB (PIIX3)", order number 290550, section 2.5.4.1.
//!
//! Port 61h. Inputs: [`PIN_TIMER_2_OUT`], [`PIN_IOCHK`] and [`PIN_SERR`] (high while the signal, active low on the bus,
//! is asserted), [`PIN_NMI_MASK`] (port 70h bit 7). Outputs: GATE of timer counter 2, the speaker's level, NMI.
//!
//! **Not implemented**: nothing.
//!
//! **Known inaccuracies**: the refresh toggle has the rate that every BIOS programs into timer counter 1; it does
//! not follow the counter.

pub mod spec;
#[cfg(test)]
mod tests;

use emu_core::bus::{Decode, Width};
use emu_core::cap::{Inputs, PortAddr, PortIo};
use emu_core::snapshot::Snapshot;
use emu_core::wire::{Line, Pin};
use emu_core::{Cx, Device, ResetKind, VirtTime};
use serde::{Deserialize, Serialize};
use spec::Bits;

/// OUT of timer counter 2.
pub const PIN_TIMER_2_OUT: Pin = 0;
/// IOCHK#, high while asserted.
pub const PIN_IOCHK: Pin = 1;
/// SERR#, high while asserted.
pub const PIN_SERR: Pin = 2;
/// High while NMI is masked.
pub const PIN_NMI_MASK: Pin = 3;

/// Output pins.
#[derive(Copy, Clone, Debug)]
pub struct Wiring {
    /// GATE of timer counter 2.
    pub timer_2_gate: Line,
    /// The level at the speaker.
    pub speaker: Line,
    /// NMI of the CPU.
    pub nmi: Line,
}

/// All that changes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// Bits 3-0 as written, bits 7 and 6 as latched, bit 5 as the pin is.
    bits: Bits,
    iochk: bool,
    serr: bool,
    nmi_masked: bool,
}

impl Snapshot for State {
    const VERSION: u16 = 1;
}

/// The port.
#[derive(Debug)]
pub struct Port61 {
    wiring: Wiring,
    state: State,
}

impl Port61 {
    /// The port, wired.
    pub fn new(wiring: Wiring) -> Self {
        Self {
            wiring,
            state: State::default(),
        }
    }

    fn drive(&mut self, cx: &mut Cx<'_>) {
        let s = &mut self.state;
        for (asserted, disable, latch) in [
            (s.iochk, Bits::IOCHK_DISABLE, Bits::IOCHK),
            (s.serr, Bits::SERR_DISABLE, Bits::SERR),
        ] {
            if s.bits.contains(disable) {
                s.bits.remove(latch);
            } else if asserted {
                s.bits.insert(latch);
            }
        }
        let bits = s.bits;
        let nmi = bits.intersects(Bits::IOCHK | Bits::SERR) && !s.nmi_masked;
        let speaker = bits.contains(Bits::SPEAKER_DATA | Bits::TIMER_2_OUT);
        cx.set_line(self.wiring.timer_2_gate, bits.contains(Bits::TIMER_2_GATE));
        cx.set_line(self.wiring.speaker, speaker);
        cx.set_line(self.wiring.nmi, nmi);
    }
}

impl Device for Port61 {
    const KIND: &'static str = "port61";
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }
    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }
    fn reset(&mut self, kind: ResetKind, cx: &mut Cx<'_>) {
        if kind != ResetKind::Init {
            self.state.bits &= Bits::TIMER_2_OUT;
            self.drive(cx);
        }
    }
    fn decode(&self, decode: &mut Decode) {
        decode.ports(0, spec::PORT, 1, Width::Byte);
    }
    fn port_io(&mut self) -> Option<&mut dyn PortIo> {
        Some(self)
    }
    fn inputs(&mut self) -> Option<&mut dyn Inputs> {
        Some(self)
    }
}

impl PortIo for Port61 {
    fn port_read(&mut self, _at: PortAddr, _width: Width, cx: &mut Cx<'_>) -> u32 {
        let refreshes = spec::REFRESH.ticks_at(VirtTime::ZERO, cx.now());
        let mut bits = self.state.bits;
        bits.set(Bits::REFRESH_TOGGLE, refreshes & 1 == 1);
        bits.bits().into()
    }

    fn port_write(&mut self, _at: PortAddr, _width: Width, value: u32, cx: &mut Cx<'_>) {
        let written = Bits::from_bits_retain(value as u8) & Bits::WRITABLE;
        self.state.bits = written | (self.state.bits - Bits::WRITABLE);
        self.drive(cx);
    }
}

impl Inputs for Port61 {
    fn input(&mut self, pin: Pin, high: bool, cx: &mut Cx<'_>) {
        match pin {
            PIN_TIMER_2_OUT => self.state.bits.set(Bits::TIMER_2_OUT, high),
            PIN_IOCHK => self.state.iochk = high,
            PIN_SERR => self.state.serr = high,
            PIN_NMI_MASK => self.state.nmi_masked = high,
            _ => return,
        }
        self.drive(cx);
    }
}
