//! The 16550A serial port.
//!
//! Datasheet: National Semiconductor, "PC16550D Universal Asynchronous Receiver/Transmitter with FIFOs", June 1995.
//!
//! Eight ports from the base that the board gives (3F8h, 2F8h, 3E8h, 2E8h). Inputs: [`PIN_CTS`], [`PIN_DSR`],
//! [`PIN_RI`], [`PIN_DCD`] (high while active). Output: the interrupt, which on a PC passes a gate that OUT2 opens.
//! What it sends goes to a character back end; what the host sends comes through [`SerialPort`].
//!
//! A character takes its time on the line, both ways, as divisor and format say.
//!
//! **Not implemented**: RXRDY and TXRDY (no PC leads them to a DMA channel; the mode bit has no other effect).
//!
//! **Known inaccuracies**: the host sends only when the receiver has room, as with a working handshake, so only the
//! loop-back overruns; characters from the host have no errors and no break. A character moves from the holding
//! register to the shift register at once. A divisor of zero counts as 65536. A break shows in the loop-back only, and at once.

pub mod spec;
#[cfg(test)]
mod tests;

use emu_core::bus::{Decode, Width};
use emu_core::cap::{Inputs, PortAddr, PortIo, SerialPort, Timers};
use emu_core::event::TimerId;
use emu_core::host::CharBackend;
use emu_core::snapshot::Snapshot;
use emu_core::wire::{Line, Pin};
use emu_core::{Cx, Device, ResetKind};
use serde::{Deserialize, Serialize};
use spec::{FIFO_BYTES, Fcr, Ier, Interrupt, Lcr, Lsr, Mcr, Msr, ReadReg, WriteReg};
use std::collections::VecDeque;

/// Clear to send.
pub const PIN_CTS: Pin = 0;
/// Data set ready.
pub const PIN_DSR: Pin = 1;
/// Ring indicator.
pub const PIN_RI: Pin = 2;
/// Data carrier detect.
pub const PIN_DCD: Pin = 3;

/// Output pins.
#[derive(Copy, Clone, Debug)]
pub struct Wiring {
    /// The interrupt, behind the gate.
    pub irq: Line,
}

/// What the board decides.
#[derive(Copy, Clone, Debug)]
pub struct Config {
    /// The first port.
    pub base: u16,
    /// Something is plugged in: CTS, DSR and DCD are active from power-on.
    pub connected: bool,
}

const TIMER_TRANSMIT: TimerId = 0;
const TIMER_RECEIVE: TimerId = 1;
const TIMER_TIMEOUT: TimerId = 2;

/// A character that was received, with its errors.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Received {
    byte: u8,
    errors: Lsr,
}

/// All that changes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct State {
    ier: Ier,
    fcr: Fcr,
    lcr: Lcr,
    mcr: Mcr,
    msr: Msr,
    scratch: u8,
    divisor: u16,
    /// Levels at the modem inputs, in the places of the modem status register.
    pins: Msr,
    receiver: VecDeque<Received>,
    transmitter: VecDeque<u8>,
    /// A character on its way in.
    receiving: Option<u8>,
    /// The transmitter shift register.
    sending: Option<u8>,
    overrun: bool,
    /// The transmitter holding register became empty and this was not seen yet.
    transmitter_interrupt: bool,
    timed_out: bool,
}

impl Snapshot for State {
    const VERSION: u16 = 1;
    fn validate(&self) -> Result<(), &'static str> {
        if self.receiver.len() > FIFO_BYTES || self.transmitter.len() > FIFO_BYTES {
            return Err("a FIFO holds more than it can");
        }
        Ok(())
    }
}

/// The chip.
pub struct Uart16550 {
    wiring: Wiring,
    config: Config,
    backend: Box<dyn CharBackend>,
    state: State,
}

impl Uart16550 {
    /// A serial port, wired; what it sends goes to `backend`.
    pub fn new(wiring: Wiring, config: Config, backend: Box<dyn CharBackend>) -> Self {
        let pins = if config.connected {
            Msr::CTS | Msr::DSR | Msr::DCD
        } else {
            Msr::empty()
        };
        let state = State {
            pins,
            msr: pins,
            ..State::default()
        };
        Self {
            wiring,
            config,
            backend,
            state,
        }
    }

    fn loops_back(&self) -> bool {
        self.state.mcr.contains(Mcr::LOOP)
    }

    fn has_fifos(&self) -> bool {
        self.state.fcr.contains(Fcr::ENABLE)
    }

    fn depth(&self) -> usize {
        if self.has_fifos() { FIFO_BYTES } else { 1 }
    }

    fn character_ns(&self) -> u64 {
        let divisor = match self.state.divisor {
            0 => 0x1_0000,
            n => u64::from(n),
        };
        let clocks = divisor * (spec::CLOCKS_PER_BIT / 2) * self.state.lcr.half_bits();
        spec::CRYSTAL.ns_of(clocks)
    }

    fn line_status(&self) -> Lsr {
        let s = &self.state;
        let mut lsr = Lsr::empty();
        lsr.set(Lsr::DR, !s.receiver.is_empty());
        lsr.set(Lsr::OE, s.overrun);
        lsr.set(Lsr::THRE, s.transmitter.is_empty());
        lsr.set(Lsr::TEMT, s.transmitter.is_empty() && s.sending.is_none());
        if let Some(top) = s.receiver.front() {
            lsr |= top.errors;
        }
        let errors = s.receiver.iter().any(|r| !r.errors.is_empty());
        lsr.set(Lsr::FIFO_ERROR, self.has_fifos() && errors);
        lsr
    }

    /// The pending interrupt with the highest priority.
    fn pending(&self) -> Option<Interrupt> {
        let s = &self.state;
        let trigger = if self.has_fifos() {
            s.fcr.trigger_level()
        } else {
            1
        };
        let sources = [
            (
                Ier::LINE_STATUS,
                self.line_status().intersects(Lsr::ERRORS),
                Interrupt::LineStatus,
            ),
            (
                Ier::RECEIVED_DATA,
                s.receiver.len() >= trigger,
                Interrupt::ReceivedData,
            ),
            (Ier::RECEIVED_DATA, s.timed_out, Interrupt::Timeout),
            (
                Ier::TRANSMITTER_EMPTY,
                s.transmitter_interrupt,
                Interrupt::TransmitterEmpty,
            ),
            (
                Ier::MODEM_STATUS,
                s.msr.intersects(Msr::DELTAS),
                Interrupt::ModemStatus,
            ),
        ];
        sources
            .into_iter()
            .find(|&(enable, pending, _)| pending && s.ier.contains(enable))
            .map(|(.., interrupt)| interrupt)
    }

    fn drive_irq(&mut self, cx: &mut Cx<'_>) {
        // The loop-back holds the OUT2 pin inactive.
        let gate = self.state.mcr.contains(Mcr::OUT2) && !self.loops_back();
        cx.set_line(self.wiring.irq, gate && self.pending().is_some());
    }

    /// The modem inputs as the chip sees them.
    fn update_modem(&mut self) {
        let s = &mut self.state;
        let levels = if s.mcr.contains(Mcr::LOOP) {
            [
                (Mcr::RTS, Msr::CTS),
                (Mcr::DTR, Msr::DSR),
                (Mcr::OUT1, Msr::RI),
                (Mcr::OUT2, Msr::DCD),
            ]
            .into_iter()
            .filter(|&(out, _)| s.mcr.contains(out))
            .fold(Msr::empty(), |levels, (_, level)| levels | level)
        } else {
            s.pins
        };
        let before = s.msr & Msr::LEVELS;
        let changed = before ^ levels;
        for (level, delta) in [
            (Msr::CTS, Msr::DCTS),
            (Msr::DSR, Msr::DDSR),
            (Msr::DCD, Msr::DDCD),
        ] {
            if changed.contains(level) {
                s.msr |= delta;
            }
        }
        if before.contains(Msr::RI) && !levels.contains(Msr::RI) {
            s.msr |= Msr::TERI;
        }
        s.msr = (s.msr - Msr::LEVELS) | levels;
    }

    /// The shift register takes the next character.
    fn start_sending(&mut self, cx: &mut Cx<'_>) {
        if self.state.sending.is_some() {
            return;
        }
        self.state.sending = self.state.transmitter.pop_front();
        if self.state.sending.is_some() {
            if self.state.transmitter.is_empty() {
                self.state.transmitter_interrupt = true;
            }
            cx.arm(TIMER_TRANSMIT, cx.now().plus_ns(self.character_ns()));
        }
    }

    fn sent(&mut self, cx: &mut Cx<'_>) {
        let Some(byte) = self.state.sending.take() else {
            return;
        };
        let byte = byte & self.state.lcr.data_mask();
        if !self.loops_back() {
            self.backend.put(byte);
        } else if !self.state.lcr.sends_break() {
            self.arrive(byte, Lsr::empty(), cx);
        }
        self.start_sending(cx);
    }

    /// A character is complete in the receiver.
    fn arrive(&mut self, byte: u8, errors: Lsr, cx: &mut Cx<'_>) {
        let depth = self.depth();
        let s = &mut self.state;
        let received = Received { byte, errors };
        if s.receiver.len() < depth {
            s.receiver.push_back(received);
        } else {
            s.overrun = true;
            // Without FIFOs the new character takes the place of the old one; a full FIFO keeps what it has.
            if depth == 1 {
                s.receiver.clear();
                s.receiver.push_back(received);
            }
        }
        self.restart_timeout(cx);
    }

    fn restart_timeout(&mut self, cx: &mut Cx<'_>) {
        if self.has_fifos() && !self.state.receiver.is_empty() {
            let ns = self.character_ns().saturating_mul(spec::TIMEOUT_CHARACTERS);
            cx.arm(TIMER_TIMEOUT, cx.now().plus_ns(ns));
        } else {
            cx.disarm(TIMER_TIMEOUT);
        }
    }

    fn clear_receiver(&mut self, cx: &mut Cx<'_>) {
        self.state.receiver.clear();
        self.state.timed_out = false;
        cx.disarm(TIMER_TIMEOUT);
    }

    fn read_receiver(&mut self, cx: &mut Cx<'_>) -> u8 {
        let byte = self.state.receiver.pop_front().map_or(0, |r| r.byte);
        self.state.timed_out = false;
        self.restart_timeout(cx);
        byte
    }

    fn write_fcr(&mut self, value: Fcr, cx: &mut Cx<'_>) {
        let switches = (self.state.fcr ^ value).contains(Fcr::ENABLE);
        if switches || value.contains(Fcr::ENABLE | Fcr::CLEAR_RECEIVER) {
            self.clear_receiver(cx);
        }
        if (switches || value.contains(Fcr::ENABLE | Fcr::CLEAR_TRANSMITTER))
            && !self.state.transmitter.is_empty()
        {
            self.state.transmitter.clear();
            self.state.transmitter_interrupt = true;
        }
        // "Bit 0 must be a 1 when other FCR bits are written to or they will not be programmed."
        self.state.fcr = if value.contains(Fcr::ENABLE) {
            value & (Fcr::ENABLE | Fcr::DMA_MODE | Fcr::TRIGGER_LOW | Fcr::TRIGGER_HIGH)
        } else {
            Fcr::empty()
        };
    }

    fn write_ier(&mut self, value: Ier) {
        let enabled = (value - self.state.ier).contains(Ier::TRANSMITTER_EMPTY);
        if enabled && self.state.transmitter.is_empty() {
            self.state.transmitter_interrupt = true;
        }
        self.state.ier = value;
    }

    fn write_lcr(&mut self, value: Lcr, cx: &mut Cx<'_>) {
        let begins_break = value.sends_break() && !self.state.lcr.sends_break();
        self.state.lcr = value;
        if begins_break && self.loops_back() {
            self.arrive(0, Lsr::BI | Lsr::FE, cx);
        }
    }
}

impl Device for Uart16550 {
    const KIND: &'static str = "uart16550";
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
        // Table III: scratch, divisor and data stay as they are.
        self.state = State {
            scratch: self.state.scratch,
            divisor: self.state.divisor,
            pins: self.state.pins,
            msr: self.state.pins,
            ..State::default()
        };
        for timer in [TIMER_TRANSMIT, TIMER_RECEIVE, TIMER_TIMEOUT] {
            cx.disarm(timer);
        }
        self.drive_irq(cx);
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
    fn inputs(&mut self) -> Option<&mut dyn Inputs> {
        Some(self)
    }
    fn serial_port(&mut self) -> Option<&mut dyn SerialPort> {
        Some(self)
    }
}

impl PortIo for Uart16550 {
    fn port_read(&mut self, at: PortAddr, _width: Width, cx: &mut Cx<'_>) -> u32 {
        let value = match ReadReg::decode(at.offset, self.state.lcr.divisor_access()) {
            ReadReg::Rbr => self.read_receiver(cx),
            ReadReg::Ier => self.state.ier.bits(),
            ReadReg::Iir => {
                let pending = self.pending();
                if pending == Some(Interrupt::TransmitterEmpty) {
                    self.state.transmitter_interrupt = false;
                }
                let fifos = if self.has_fifos() { spec::IIR_FIFOS } else { 0 };
                fifos | pending.map_or(spec::IIR_NONE, |i| i as u8)
            }
            ReadReg::Lcr => self.state.lcr.0,
            ReadReg::Mcr => self.state.mcr.bits(),
            ReadReg::Lsr => {
                let lsr = self.line_status();
                self.state.overrun = false;
                if let Some(top) = self.state.receiver.front_mut() {
                    top.errors = Lsr::empty();
                }
                lsr.bits()
            }
            ReadReg::Msr => {
                let msr = self.state.msr;
                self.state.msr -= Msr::DELTAS;
                msr.bits()
            }
            ReadReg::Scr => self.state.scratch,
            ReadReg::Dll => self.state.divisor.to_le_bytes()[0],
            ReadReg::Dlm => self.state.divisor.to_le_bytes()[1],
        };
        self.drive_irq(cx);
        value.into()
    }

    fn port_write(&mut self, at: PortAddr, _width: Width, value: u32, cx: &mut Cx<'_>) {
        let value = value as u8;
        let [low, high] = self.state.divisor.to_le_bytes();
        match WriteReg::decode(at.offset, self.state.lcr.divisor_access()) {
            Some(WriteReg::Thr) => {
                self.state.transmitter_interrupt = false;
                if !self.has_fifos() {
                    self.state.transmitter.clear();
                }
                if self.state.transmitter.len() < FIFO_BYTES {
                    self.state.transmitter.push_back(value);
                }
                self.start_sending(cx);
            }
            Some(WriteReg::Ier) => self.write_ier(Ier::from_bits_truncate(value)),
            Some(WriteReg::Fcr) => self.write_fcr(Fcr::from_bits_retain(value), cx),
            Some(WriteReg::Lcr) => self.write_lcr(Lcr(value), cx),
            Some(WriteReg::Mcr) => {
                self.state.mcr = Mcr::from_bits_truncate(value);
                self.update_modem();
            }
            Some(WriteReg::Scr) => self.state.scratch = value,
            Some(WriteReg::Dll) => self.state.divisor = u16::from_le_bytes([value, high]),
            Some(WriteReg::Dlm) => self.state.divisor = u16::from_le_bytes([low, value]),
            None => {}
        }
        self.drive_irq(cx);
    }
}

impl Timers for Uart16550 {
    fn expired(&mut self, timer: TimerId, cx: &mut Cx<'_>) {
        match timer {
            TIMER_TRANSMIT => self.sent(cx),
            TIMER_RECEIVE => {
                if let Some(byte) = self.state.receiving.take() {
                    self.arrive(byte & self.state.lcr.data_mask(), Lsr::empty(), cx);
                }
            }
            _ => self.state.timed_out = !self.state.receiver.is_empty(),
        }
        self.drive_irq(cx);
    }
}

impl Inputs for Uart16550 {
    fn input(&mut self, pin: Pin, high: bool, cx: &mut Cx<'_>) {
        let level = match pin {
            PIN_CTS => Msr::CTS,
            PIN_DSR => Msr::DSR,
            PIN_RI => Msr::RI,
            PIN_DCD => Msr::DCD,
            _ => return,
        };
        self.state.pins.set(level, high);
        self.update_modem();
        self.drive_irq(cx);
    }
}

impl SerialPort for Uart16550 {
    fn receive_room(&self) -> usize {
        let free = self.state.receiver.len() < self.depth();
        usize::from(free && self.state.receiving.is_none() && !self.loops_back())
    }

    fn receive(&mut self, byte: u8, cx: &mut Cx<'_>) {
        if self.receive_room() > 0 {
            self.state.receiving = Some(byte);
            cx.arm(TIMER_RECEIVE, cx.now().plus_ns(self.character_ns()));
        }
    }
}
