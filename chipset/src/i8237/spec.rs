//! Registers of the 8237A. Section names are those of the datasheet (Intel order number 231466).

use bitflags::bitflags;
use serde::{Deserialize, Serialize};

/// Ports of the first controller, with the alias at 10h that PIIX3 decodes.
pub const PORTS_1: (u16, u16) = (0x00, 0x20);
/// Ports of the second controller: its A0 is the bus's A1.
pub const PORTS_2: (u16, u16) = (0xC0, 0x20);
/// The page registers.
pub const PAGE_PORTS: (u16, u16) = (0x80, 0x10);

/// One bus cycle: five clocks (S1, S2, S3, S4 and idle) of the PC/AT's 4 MHz DMA clock.
pub const CYCLE_NS: u64 = 5 * 250;

/// Where in the page register file each channel's page stands (PC/AT Technical Reference, "DMA Controller").
pub const PAGE_OF_CHANNEL: [usize; 8] = [7, 3, 1, 2, 0xF, 0xB, 9, 0xA];
/// A word channel drives A16 itself: bit 0 of its page is not used.
pub const WORD_PAGE: u8 = 0xFE;

bitflags! {
    /// Command register.
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    pub struct Command: u8 {
        /// Memory-to-memory transfers by channels 0 and 1.
        const MEMORY_TO_MEMORY = 0x01;
        /// Channel 0 keeps its address in them.
        const CHANNEL_0_HOLD = 0x02;
        /// The controller is disabled.
        const DISABLE = 0x04;
        /// Compressed timing.
        const COMPRESSED = 0x08;
        /// Rotating priority.
        const ROTATING = 0x10;
        /// Extended write.
        const EXTENDED_WRITE = 0x20;
        /// DREQ is active low.
        const DREQ_ACTIVE_LOW = 0x40;
        /// DACK is active high.
        const DACK_ACTIVE_HIGH = 0x80;
    }
}

/// What a channel moves (mode register bits 3-2).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Transfer {
    /// 00, and the illegal 11.
    Verify,
    /// 01: to memory.
    Write,
    /// 10: from memory.
    Read,
}

/// How long a channel keeps the bus (mode register bits 7-6).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Service {
    /// 00: as long as DREQ is active.
    Demand,
    /// 01: one transfer.
    Single,
    /// 10: until terminal count.
    Block,
    /// 11: another controller or a bus master uses the bus.
    Cascade,
}

/// Mode register of a channel.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Mode(pub u8);

impl Mode {
    /// Bits 1-0 of the value written: the channel.
    pub const CHANNEL: u8 = 0x03;
    const AUTO_INITIALIZE: u8 = 0x10;
    const DECREMENT: u8 = 0x20;

    /// Bits 3-2.
    pub const fn transfer(self) -> Transfer {
        match (self.0 >> 2) & 3 {
            1 => Transfer::Write,
            2 => Transfer::Read,
            _ => Transfer::Verify,
        }
    }
    /// Bits 7-6.
    pub const fn service(self) -> Service {
        match self.0 >> 6 {
            0 => Service::Demand,
            1 => Service::Single,
            2 => Service::Block,
            _ => Service::Cascade,
        }
    }
    /// Bit 4: address and count start anew at terminal count.
    pub const fn auto_initializes(self) -> bool {
        self.0 & Self::AUTO_INITIALIZE != 0
    }
    /// Bit 5: the address counts down.
    pub const fn decrements(self) -> bool {
        self.0 & Self::DECREMENT != 0
    }
}

/// Request and single mask register: bit 2 sets, else clears, the bit of the channel in bits 1-0.
pub const SET_BIT: u8 = 0x04;
/// One bit for each channel.
pub const CHANNEL_BITS: u8 = 0x0F;

/// A register that can be read.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ReadReg {
    /// Current address of a channel.
    Address(usize),
    /// Current word count of a channel.
    Count(usize),
    /// Status.
    Status,
    /// Temporary register.
    Temporary,
    /// Mask register (as PIIX3; the 8237A does not drive the bus).
    Mask,
}

impl ReadReg {
    /// Decodes A3-A0 with IOR.
    pub const fn decode(a: u16) -> Option<Self> {
        match a & 0x0F {
            n @ 0..=7 if n & 1 == 0 => Some(Self::Address(n as usize / 2)),
            n @ 0..=7 => Some(Self::Count(n as usize / 2)),
            8 => Some(Self::Status),
            0xD => Some(Self::Temporary),
            0xF => Some(Self::Mask),
            _ => None,
        }
    }
}

/// A register or software command that can be written.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum WriteReg {
    /// Base and current address of a channel.
    Address(usize),
    /// Base and current word count of a channel.
    Count(usize),
    /// Command.
    Command,
    /// Request.
    Request,
    /// Single mask bit.
    SingleMask,
    /// Mode.
    Mode,
    /// Clear byte pointer flip-flop.
    ClearFlipFlop,
    /// Master clear.
    MasterClear,
    /// Clear mask register.
    ClearMask,
    /// Write all mask bits.
    AllMask,
}

impl WriteReg {
    /// Decodes A3-A0 with IOW.
    pub const fn decode(a: u16) -> Self {
        match a & 0x0F {
            n @ 0..=7 if n & 1 == 0 => Self::Address(n as usize / 2),
            n @ 0..=7 => Self::Count(n as usize / 2),
            8 => Self::Command,
            9 => Self::Request,
            0xA => Self::SingleMask,
            0xB => Self::Mode,
            0xC => Self::ClearFlipFlop,
            0xD => Self::MasterClear,
            0xE => Self::ClearMask,
            _ => Self::AllMask,
        }
    }
}
