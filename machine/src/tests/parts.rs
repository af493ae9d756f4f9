//! Small devices for tests of the board.

use emu_core::bus::{Decode, Width};
use emu_core::cap::*;
use emu_core::cx::{Cx, ResetKind};
use emu_core::host::HostEvent;
use emu_core::snapshot::Snapshot;
use emu_core::wire::Pin;
use emu_core::{Device, Line};
use serde::{Deserialize, Serialize};

/// Logs every access as (offset, width in bytes, value); a write of value `n` to offset 7 starts a periodic timer
/// of `n` µs, whose each tick pulses the line.
pub struct Recorder {
    pub base: u16,
    pub native: Width,
    pub line: Line,
    pub state: RecorderState,
}

#[derive(Default, Clone, Serialize, Deserialize)]
pub struct RecorderState {
    pub log: Vec<(u16, u8, u32)>,
    pub period_us: u32,
    pub ticks: u32,
    pub keys: u32,
    pub dma: u32,
}

impl Snapshot for RecorderState {
    const VERSION: u16 = 1;
}

impl Device for Recorder {
    const KIND: &'static str = "recorder";
    type State = RecorderState;
    fn state(&self) -> &RecorderState {
        &self.state
    }
    fn state_mut(&mut self) -> &mut RecorderState {
        &mut self.state
    }
    fn reset(&mut self, _kind: ResetKind, cx: &mut Cx<'_>) {
        self.state = RecorderState::default();
        cx.set_line(self.line, false);
        cx.disarm(0);
    }
    fn decode(&self, decode: &mut Decode) {
        decode.ports(0, self.base, 8, self.native);
        decode.mmio(0, 0xF000_0000 + u64::from(self.base), 8, self.native);
    }
    fn port_io(&mut self) -> Option<&mut dyn PortIo> {
        Some(self)
    }
    fn mmio(&mut self) -> Option<&mut dyn Mmio> {
        Some(self)
    }
    fn timers(&mut self) -> Option<&mut dyn Timers> {
        Some(self)
    }
    fn host_input(&mut self) -> Option<&mut dyn HostInput> {
        Some(self)
    }
    fn isa_dma(&mut self) -> Option<&mut dyn IsaDma> {
        Some(self)
    }
}

impl PortIo for Recorder {
    fn port_read(&mut self, at: PortAddr, width: Width, _cx: &mut Cx<'_>) -> u32 {
        self.state.log.push((at.offset, width.bytes() as u8, 0));
        0x4433_2211_u32 >> (8 * (at.offset & 3))
    }
    fn port_write(&mut self, at: PortAddr, width: Width, value: u32, cx: &mut Cx<'_>) {
        self.state.log.push((at.offset, width.bytes() as u8, value));
        if at.offset == 7 {
            self.state.period_us = value;
            cx.arm(0, cx.now().plus_ns(u64::from(value) * 1000));
        }
        if at.offset == 6 {
            cx.request_reset(ResetKind::Hard);
        }
    }
}

impl Mmio for Recorder {
    fn mmio_read(&mut self, at: MmioAddr, width: Width, _cx: &mut Cx<'_>) -> u64 {
        let at = at.offset as u16;
        self.state.log.push((at, width.bytes() as u8, 0));
        u64::from(0x4433_2211_u32 >> (8 * (at & 3)))
    }
    fn mmio_write(&mut self, at: MmioAddr, width: Width, value: u64, _cx: &mut Cx<'_>) {
        let at = at.offset as u16;
        self.state.log.push((at, width.bytes() as u8, value as u32));
    }
}

impl Timers for Recorder {
    fn expired(&mut self, _timer: u16, cx: &mut Cx<'_>) {
        self.state.ticks += 1;
        cx.set_line(self.line, true);
        cx.set_line(self.line, false);
        let period_ns = u64::from(self.state.period_us) * 1000;
        cx.arm(0, cx.now().plus_ns(period_ns));
    }
}

impl HostInput for Recorder {
    fn host_input(&mut self, event: HostEvent, _cx: &mut Cx<'_>) {
        if let HostEvent::Key { key, pressed } = event {
            self.state.keys = self.state.keys * 31 + u32::from(key.0) * 2 + u32::from(pressed);
        }
    }
}

impl IsaDma for Recorder {
    fn dack_read(&mut self, tc: bool, _cx: &mut Cx<'_>) -> u16 {
        self.state.dma += 1;
        0xA0 + self.state.dma as u16 + if tc { 0x10 } else { 0 }
    }
    fn dack_write(&mut self, value: u16, _tc: bool, _cx: &mut Cx<'_>) {
        self.state.dma += u32::from(value);
    }
}

/// An interrupt controller with one request latch per pin and one vector per pin, from 20h; pin 2 is a cascade.
#[derive(Default)]
pub struct Latch {
    pub intr: Option<Line>,
    pub cascade: Option<u16>,
    pub state: LatchState,
}

#[derive(Default, Clone, Serialize, Deserialize)]
pub struct LatchState {
    pub requests: u16,
}

impl Snapshot for LatchState {
    const VERSION: u16 = 1;
}

impl Device for Latch {
    const KIND: &'static str = "latch";
    type State = LatchState;
    fn state(&self) -> &LatchState {
        &self.state
    }
    fn state_mut(&mut self) -> &mut LatchState {
        &mut self.state
    }
    fn reset(&mut self, _kind: ResetKind, cx: &mut Cx<'_>) {
        self.state = LatchState::default();
        self.drive(cx);
    }
    fn inputs(&mut self) -> Option<&mut dyn Inputs> {
        Some(self)
    }
    fn int_ack(&mut self) -> Option<&mut dyn IntAck> {
        Some(self)
    }
}

impl Latch {
    fn drive(&self, cx: &mut Cx<'_>) {
        if let Some(line) = self.intr {
            cx.set_line(line, self.state.requests != 0);
        }
    }
}

impl Inputs for Latch {
    fn input(&mut self, pin: Pin, high: bool, cx: &mut Cx<'_>) {
        if high {
            self.state.requests |= 1 << pin;
        }
        self.drive(cx);
    }
}

impl IntAck for Latch {
    fn acknowledge(&mut self, cx: &mut Cx<'_>) -> Acknowledge {
        let pin = self.state.requests.trailing_zeros() as u16;
        self.state.requests &= self.state.requests.wrapping_sub(1);
        self.drive(cx);
        if self.cascade == Some(pin) {
            Acknowledge::Slave(pin as u8)
        } else {
            Acknowledge::Vector(0x20 + pin as u8)
        }
    }
}

/// An inverter: with its output led to its input it never settles.
pub struct Inverter {
    pub line: Line,
    pub state: LatchState,
}

impl Device for Inverter {
    const KIND: &'static str = "inverter";
    type State = LatchState;
    fn state(&self) -> &LatchState {
        &self.state
    }
    fn state_mut(&mut self) -> &mut LatchState {
        &mut self.state
    }
    fn reset(&mut self, _kind: ResetKind, cx: &mut Cx<'_>) {
        cx.set_line(self.line, true);
    }
    fn inputs(&mut self) -> Option<&mut dyn Inputs> {
        Some(self)
    }
}

impl Inputs for Inverter {
    fn input(&mut self, _pin: Pin, high: bool, cx: &mut Cx<'_>) {
        cx.set_line(self.line, !high);
    }
}
