//! Registers of the PIIX3 IDE function (Intel 290550, section 2.3 and 2.7).

use bitflags::bitflags;

/// Vendor ID: Intel.
pub const VENDOR: u16 = 0x8086;
/// Device ID of the PIIX3 IDE function (section 2.3.2).
pub const DEVICE: u16 = 0x7010;
/// Base class: mass storage; sub-class: IDE; interface: bus master, fixed legacy addresses (section 2.3.6).
pub const CLASS: (u8, u8, u8) = (0x01, 0x01, 0x80);
/// Bits 7:4 of the master latency timer can be written (section 2.3.7).
pub const LATENCY_MASK: u8 = 0xF0;
/// Bytes of bus master registers, both channels.
pub const BUS_MASTER_PORTS: u16 = 16;
/// IDE timing of the primary channel, 16 bits; the secondary's follows (section 2.3.10).
pub const IDETIM: u8 = 0x40;
/// The bits of IDETIM that can be written.
pub const IDETIM_MASK: u16 = 0xF3FF;
/// IDETIM: the channel's ports are decoded.
pub const IDETIM_DECODE: u16 = 1 << 15;
/// Slave IDE timing (section 2.3.11).
pub const SIDETIM: u8 = 0x44;

/// Command blocks of the two channels.
pub const COMMAND_BLOCK: [u16; 2] = [0x1F0, 0x170];
/// Control blocks: the alternate status and device control register.
pub const CONTROL_BLOCK: [u16; 2] = [0x3F6, 0x376];

/// A bus master register by its offset (section 2.7).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum BusMasterReg {
    /// Offset 0: command.
    Command,
    /// Offset 2: status.
    Status,
    /// Offset 4 to 7: descriptor table pointer; which byte.
    Table(u32),
}

impl BusMasterReg {
    /// What an offset addresses, and on which channel.
    pub fn decode(offset: u16) -> (usize, Option<Self>) {
        let reg = match offset & 7 {
            0 => Some(Self::Command),
            2 => Some(Self::Status),
            n @ 4..=7 => Some(Self::Table(u32::from(n) - 4)),
            _ => None,
        };
        (usize::from(offset >> 3 & 1), reg)
    }
}

bitflags! {
    /// Bus master command (section 2.7.1).
    #[derive(Copy, Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
    pub struct BmCommand: u8 {
        /// Start; clearing it stops the transfer for good.
        const START = 1 << 0;
        /// The bus master writes to memory (reads from the disk).
        const TO_MEMORY = 1 << 3;
    }
}

bitflags! {
    /// Bus master status (section 2.7.2).
    #[derive(Copy, Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
    pub struct BmStatus: u8 {
        /// A transfer is under way: from START until the last descriptor is used up.
        const ACTIVE = 1 << 0;
        /// A transfer over PCI failed. Cleared by writing 1.
        const ERROR = 1 << 1;
        /// The device's interrupt line rose. Cleared by writing 1.
        const INTERRUPT = 1 << 2;
        /// Firmware's note: drive 0 is set up for DMA.
        const DRIVE_0_DMA = 1 << 5;
        /// The same for drive 1.
        const DRIVE_1_DMA = 1 << 6;
    }
}

/// Bytes of a physical region descriptor (section 2.7.3).
pub const PRD_BYTES: u64 = 8;
/// Its address bits.
pub const PRD_ADDRESS: u32 = 0xFFFF_FFFE;
/// Its count bits; 0 means 64 KiB.
pub const PRD_COUNT: u32 = 0x0000_FFFE;
/// Its flag: the last one.
pub const PRD_END: u32 = 0x8000_0000;
/// The descriptor table pointer's bits.
pub const TABLE_MASK: u32 = 0xFFFF_FFFC;
