//! One 8237A: four channels, their registers and their priority.

use super::spec::{self, Command, Mode, ReadReg, Service, WriteReg};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Channel {
    base_address: u16,
    base_count: u16,
    address: u16,
    count: u16,
    mode: Mode,
    /// A block transfer is under way: DREQ does not matter until terminal count.
    in_block: bool,
}

/// A controller.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Controller {
    channels: [Channel; 4],
    command: Command,
    /// Software requests.
    request: u8,
    mask: u8,
    /// Channels that reached terminal count since the status was read.
    terminal_counts: u8,
    temporary: u8,
    /// The next byte of an address or count is the high one.
    flip_flop: bool,
    /// Levels at the DREQ pins.
    dreq: u8,
    /// The channel with the lowest priority.
    lowest: u8,
}

/// What one transfer of a channel did.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) struct Step {
    pub(super) address: u16,
    pub(super) terminal_count: bool,
}

impl Controller {
    pub(super) fn new() -> Self {
        Self {
            channels: Default::default(),
            command: Command::empty(),
            request: 0,
            mask: spec::CHANNEL_BITS,
            terminal_counts: 0,
            temporary: 0,
            flip_flop: false,
            dreq: 0,
            lowest: 3,
        }
    }

    pub(super) fn valid(&self) -> bool {
        self.lowest < 4 && self.dreq <= spec::CHANNEL_BITS && self.mask <= spec::CHANNEL_BITS
    }

    /// The RESET pin, and the Master Clear command.
    pub(super) fn master_clear(&mut self) {
        self.command = Command::empty();
        self.request = 0;
        self.mask = spec::CHANNEL_BITS;
        self.terminal_counts = 0;
        self.temporary = 0;
        self.flip_flop = false;
        for channel in &mut self.channels {
            channel.in_block = false;
        }
    }

    pub(super) fn set_dreq(&mut self, channel: usize, high: bool) {
        let bit = 1 << channel;
        self.dreq = if high {
            self.dreq | bit
        } else {
            self.dreq & !bit
        };
    }

    /// DREQ pins that ask.
    fn dreq_active(&self) -> u8 {
        if self.command.contains(Command::DREQ_ACTIVE_LOW) {
            !self.dreq & spec::CHANNEL_BITS
        } else {
            self.dreq
        }
    }

    pub(super) fn mode(&self, channel: usize) -> Mode {
        self.channels[channel].mode
    }

    pub(super) fn memory_to_memory(&self) -> bool {
        self.command.contains(Command::MEMORY_TO_MEMORY)
    }

    /// Channels that want service, `dreq` being the pins that ask. Software requests cannot be masked.
    fn wanting(&self, dreq: u8) -> u8 {
        if self.command.contains(Command::DISABLE) {
            return 0;
        }
        let in_block = (0..4)
            .filter(|&n| self.channels[n].in_block)
            .fold(0, |bits, n| bits | 1 << n);
        (dreq & !self.mask) | self.request | in_block
    }

    /// The channel whose turn it is. Channels in `cascaded` have another source of requests than their pin.
    pub(super) fn next_channel(&self, cascaded: Option<(usize, bool)>) -> Option<usize> {
        let mut dreq = self.dreq_active();
        if let Some((channel, asks)) = cascaded {
            let bit = 1 << channel;
            dreq = if asks { dreq | bit } else { dreq & !bit };
        }
        let wanting = self.wanting(dreq);
        if wanting == 0 {
            return None;
        }
        // A block transfer keeps the bus.
        let held = (0..4).find(|&n| self.channels[n].in_block);
        held.or_else(|| {
            (0..4)
                .map(|n| (usize::from(self.lowest) + 1 + n) % 4)
                .find(|&n| wanting & (1 << n) != 0)
        })
    }

    /// Whether the controller asks for the bus.
    pub(super) fn hold_request(&self) -> bool {
        self.wanting(self.dreq_active()) != 0
    }

    /// Service went to a channel: with rotating priority it becomes the lowest.
    pub(super) fn served(&mut self, channel: usize) {
        self.lowest = if self.command.contains(Command::ROTATING) {
            channel as u8 & 3
        } else {
            3
        };
    }

    /// One transfer: counts, and at terminal count sets what follows.
    pub(super) fn step(&mut self, channel: usize) -> Step {
        let held = channel == 0
            && self.memory_to_memory()
            && self.command.contains(Command::CHANNEL_0_HOLD);
        let c = &mut self.channels[channel];
        let address = c.address;
        if !held {
            c.address = if c.mode.decrements() {
                address.wrapping_sub(1)
            } else {
                address.wrapping_add(1)
            };
        }
        let terminal_count = c.count == 0;
        c.count = c.count.wrapping_sub(1);
        c.in_block = c.mode.service() == Service::Block && !terminal_count;
        Step {
            address,
            terminal_count,
        }
    }

    /// Terminal count of a channel.
    pub(super) fn end(&mut self, channel: usize) {
        let bit = 1 << channel;
        self.terminal_counts |= bit;
        self.request &= !bit;
        let c = &mut self.channels[channel];
        c.in_block = false;
        if c.mode.auto_initializes() {
            c.address = c.base_address;
            c.count = c.base_count;
        } else {
            self.mask |= bit;
        }
    }

    /// A memory-to-memory transfer ended: channel 0's request goes with it.
    pub(super) fn end_memory_to_memory(&mut self) {
        self.request &= !1;
        let c = &mut self.channels[0];
        c.in_block = false;
        if c.mode.auto_initializes() {
            c.address = c.base_address;
            c.count = c.base_count;
        }
    }

    pub(super) fn set_temporary(&mut self, byte: u8) {
        self.temporary = byte;
    }

    fn take_flip_flop(&mut self) -> bool {
        self.flip_flop = !self.flip_flop;
        !self.flip_flop
    }

    pub(super) fn read(&mut self, reg: Option<ReadReg>) -> u8 {
        match reg {
            Some(ReadReg::Address(n)) => {
                let high = self.take_flip_flop();
                self.channels[n].address.to_le_bytes()[usize::from(high)]
            }
            Some(ReadReg::Count(n)) => {
                let high = self.take_flip_flop();
                self.channels[n].count.to_le_bytes()[usize::from(high)]
            }
            Some(ReadReg::Status) => {
                let reached = std::mem::take(&mut self.terminal_counts);
                reached | ((self.dreq_active() | self.request) << 4)
            }
            Some(ReadReg::Temporary) => self.temporary,
            Some(ReadReg::Mask) => self.mask,
            None => 0xFF,
        }
    }

    pub(super) fn write(&mut self, reg: WriteReg, value: u8) {
        let selected = usize::from(value & Mode::CHANNEL);
        let bit = 1u8 << selected;
        let set_or_clear = |bits: u8| {
            if value & spec::SET_BIT != 0 {
                bits | bit
            } else {
                bits & !bit
            }
        };
        match reg {
            WriteReg::Address(n) => {
                let high = self.take_flip_flop();
                let c = &mut self.channels[n];
                c.base_address = with_byte(c.base_address, high, value);
                c.address = with_byte(c.address, high, value);
            }
            WriteReg::Count(n) => {
                let high = self.take_flip_flop();
                let c = &mut self.channels[n];
                c.base_count = with_byte(c.base_count, high, value);
                c.count = with_byte(c.count, high, value);
            }
            WriteReg::Command => self.command = Command::from_bits_retain(value),
            WriteReg::Request => self.request = set_or_clear(self.request),
            WriteReg::SingleMask => self.mask = set_or_clear(self.mask),
            WriteReg::Mode => {
                let c = &mut self.channels[selected];
                c.mode = Mode(value & !Mode::CHANNEL);
                c.in_block = false;
            }
            WriteReg::ClearFlipFlop => self.flip_flop = false,
            WriteReg::MasterClear => self.master_clear(),
            WriteReg::ClearMask => self.mask = 0,
            WriteReg::AllMask => self.mask = value & spec::CHANNEL_BITS,
        }
    }
}

fn with_byte(word: u16, high: bool, byte: u8) -> u16 {
    let mut bytes = word.to_le_bytes();
    bytes[usize::from(high)] = byte;
    u16::from_le_bytes(bytes)
}
