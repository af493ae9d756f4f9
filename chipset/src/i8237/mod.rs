//! The DMA subsystem of a PC/AT: two 8237A controllers in cascade and the page register file.
//!
//! Datasheets: Intel "8237A High Performance Programmable DMA Controller", order number 231466; IBM "PC/AT Technical
//! Reference", 1502494, section "DMA Controller"; Intel "82371FB (PIIX) and 82371SB (PIIX3)", 290550, for the aliases
//! and for reading the mask.
//!
//! Ports 00h-0Fh (alias 10h-1Fh): channels 0-3, bytes. C0h-DFh: channels 4-7, words; an odd port is the even one before
//! it. 80h-8Fh: page registers. 80h belongs to no channel: it is the register that firmware writes its progress to.
//! Inputs: pins 0-3 and 5-7 are DREQ. The board runs the cycles that [`DmaController::grant`] gives and passes DACK
//! and terminal count on to the device of the channel.
//!
//! The first controller's request goes to channel 4, which has to be in cascade mode and unmasked. Cycles come no
//! faster than the real bus runs them: after each, the next waits for a timer.
//!
//! **Not implemented**: memory-to-memory transfers by the second controller (an AT's data path has only a byte for
//! them).
//!
//! **Known inaccuracies**: compressed timing and extended write change nothing. A memory-to-memory block is done at
//! once; its channels use their own page registers, where an AT's board selects none. A channel in cascade mode
//! gets no cycles, as no board has a bus master there.

mod controller;
pub mod spec;
#[cfg(test)]
mod tests;

use controller::Controller;
use emu_core::bus::{Decode, Width};
use emu_core::cap::{DmaController, DmaCycle, DmaTransfer, Inputs, PortAddr, PortIo, Timers};
use emu_core::event::TimerId;
use emu_core::snapshot::Snapshot;
use emu_core::wire::Pin;
use emu_core::{Cx, Device, Gpa, ResetKind, VirtTime};
use serde::{Deserialize, Serialize};
use spec::{ReadReg, Service, Transfer, WriteReg};

const REGION_1: u16 = 0;
const REGION_2: u16 = 1;
const REGION_PAGES: u16 = 2;

const TIMER_CYCLE: TimerId = 0;

/// The channel through which the second controller sees the first.
const CASCADE_CHANNEL: usize = 0;

/// All that changes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct State {
    bytes: Controller,
    words: Controller,
    pages: [u8; 16],
    /// When the bus is free for the next cycle.
    next_cycle: VirtTime,
}

impl Snapshot for State {
    const VERSION: u16 = 1;
    fn validate(&self) -> Result<(), &'static str> {
        if !self.bytes.valid() || !self.words.valid() {
            return Err("a controller has more than four channels");
        }
        Ok(())
    }
}

/// Both controllers and the page registers.
#[derive(Debug)]
pub struct I8237Pair {
    state: State,
}

impl Default for I8237Pair {
    fn default() -> Self {
        Self::new()
    }
}

impl I8237Pair {
    /// The subsystem as it stands in every PC/AT.
    pub fn new() -> Self {
        Self {
            state: State {
                bytes: Controller::new(),
                words: Controller::new(),
                pages: [0; 16],
                next_cycle: VirtTime::ZERO,
            },
        }
    }

    /// The last byte written to port 80h.
    pub fn post_code(&self) -> u8 {
        self.state.pages[0]
    }

    fn page(&self, channel: usize) -> u8 {
        self.state.pages[spec::PAGE_OF_CHANNEL[channel]]
    }

    fn byte_address(&self, channel: usize, address: u16) -> Gpa {
        Gpa(u64::from(self.page(channel)) << 16 | u64::from(address))
    }

    fn word_address(&self, channel: usize, address: u16) -> Gpa {
        Gpa(u64::from(self.page(channel) & spec::WORD_PAGE) << 16 | u64::from(address) << 1)
    }

    /// The channel, 0 to 7, that may have the bus now.
    fn next_channel(&self) -> Option<usize> {
        let asks = self.state.bytes.hold_request();
        let word = self
            .state
            .words
            .next_channel(Some((CASCADE_CHANNEL, asks)))?;
        let cascades = |c: &Controller, n| c.mode(n).service() == Service::Cascade;
        if word != CASCADE_CHANNEL {
            return (!cascades(&self.state.words, word)).then_some(word + 4);
        }
        if !cascades(&self.state.words, CASCADE_CHANNEL) {
            return None;
        }
        let byte = self.state.bytes.next_channel(None)?;
        (!cascades(&self.state.bytes, byte)).then_some(byte)
    }

    /// Channels 0 and 1 copy a block: from where 0 points to where 1 points, as long as 1 counts.
    fn copy_memory(&mut self, cx: &mut Cx<'_>) {
        loop {
            let from = self.state.bytes.step(0);
            let to = self.state.bytes.step(1);
            let mut byte = [0];
            cx.dma_read(self.byte_address(0, from.address), &mut byte);
            self.state.bytes.set_temporary(byte[0]);
            cx.dma_write(self.byte_address(1, to.address), &byte);
            if to.terminal_count {
                break;
            }
        }
        self.state.bytes.end(1);
        self.state.bytes.end_memory_to_memory();
    }

    /// Asks the board for the bus if a channel wants it.
    fn ask(&self, cx: &mut Cx<'_>) {
        if self.next_channel().is_some() {
            cx.request_dma();
        }
    }
}

impl Device for I8237Pair {
    const KIND: &'static str = "i8237";
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
        self.state.bytes.master_clear();
        self.state.words.master_clear();
        cx.disarm(TIMER_CYCLE);
    }
    fn decode(&self, decode: &mut Decode) {
        for (region, (base, len)) in [
            (REGION_1, spec::PORTS_1),
            (REGION_2, spec::PORTS_2),
            (REGION_PAGES, spec::PAGE_PORTS),
        ] {
            decode.ports(region, base, len, Width::Byte);
        }
    }
    fn port_io(&mut self) -> Option<&mut dyn PortIo> {
        Some(self)
    }
    fn inputs(&mut self) -> Option<&mut dyn Inputs> {
        Some(self)
    }
    fn timers(&mut self) -> Option<&mut dyn Timers> {
        Some(self)
    }
    fn dma_controller(&mut self) -> Option<&mut dyn DmaController> {
        Some(self)
    }
}

impl PortIo for I8237Pair {
    fn port_read(&mut self, at: PortAddr, _width: Width, _cx: &mut Cx<'_>) -> u32 {
        let s = &mut self.state;
        let value = match at.region {
            REGION_1 => s.bytes.read(ReadReg::decode(at.offset)),
            REGION_2 => s.words.read(ReadReg::decode(at.offset >> 1)),
            _ => s.pages[usize::from(at.offset & 0xF)],
        };
        value.into()
    }

    fn port_write(&mut self, at: PortAddr, _width: Width, value: u32, cx: &mut Cx<'_>) {
        let value = value as u8;
        let s = &mut self.state;
        match at.region {
            REGION_1 => s.bytes.write(WriteReg::decode(at.offset), value),
            REGION_2 => s.words.write(WriteReg::decode(at.offset >> 1), value),
            // A page says where to, not whether.
            _ => {
                s.pages[usize::from(at.offset & 0xF)] = value;
                return;
            }
        }
        self.ask(cx);
    }
}

impl Inputs for I8237Pair {
    fn input(&mut self, pin: Pin, high: bool, cx: &mut Cx<'_>) {
        match pin {
            0..=3 => self.state.bytes.set_dreq(usize::from(pin), high),
            5..=7 => self.state.words.set_dreq(usize::from(pin) - 4, high),
            _ => return,
        }
        self.ask(cx);
    }
}

impl Timers for I8237Pair {
    fn expired(&mut self, _timer: TimerId, cx: &mut Cx<'_>) {
        self.ask(cx);
    }
}

impl DmaController for I8237Pair {
    fn grant(&mut self, cx: &mut Cx<'_>) -> Option<DmaCycle> {
        let mut channel = self.next_channel()?;
        if cx.now() < self.state.next_cycle {
            cx.arm(TIMER_CYCLE, self.state.next_cycle);
            return None;
        }
        if channel == 0 && self.state.bytes.memory_to_memory() {
            self.state.bytes.served(0);
            self.copy_memory(cx);
            channel = self.next_channel()?;
            if channel == 0 {
                // It asks again already: another block, in another call.
                self.state.next_cycle = cx.now().plus_ns(spec::CYCLE_NS);
                cx.arm(TIMER_CYCLE, self.state.next_cycle);
                return None;
            }
        }
        self.state.next_cycle = cx.now().plus_ns(spec::CYCLE_NS);
        let word = channel >= 4;
        let (controller, n) = if word {
            (&mut self.state.words, channel - 4)
        } else {
            self.state.words.served(CASCADE_CHANNEL);
            (&mut self.state.bytes, channel)
        };
        controller.served(n);
        let transfer = controller.mode(n).transfer();
        let step = controller.step(n);
        if step.terminal_count {
            controller.end(n);
        }
        let address = if word {
            self.word_address(channel, step.address)
        } else {
            self.byte_address(channel, step.address)
        };
        Some(DmaCycle {
            channel: channel as u8,
            transfer: match transfer {
                Transfer::Verify => DmaTransfer::Verify,
                Transfer::Write => DmaTransfer::WriteMemory,
                Transfer::Read => DmaTransfer::ReadMemory,
            },
            address,
            word,
            terminal_count: step.terminal_count,
        })
    }
}
