//! Registers and commands of AT Attachment with Packet Interface - 6 (INCITS 361, T13/1410D).

use bitflags::bitflags;

/// Command block registers by offset from the command block's base, and those of the control block (section 7).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Reg {
    /// Base + 1, read.
    Error,
    /// Base + 1, write.
    Features,
    /// Base + 2; the interrupt reason of a packet device.
    SectorCount,
    /// Base + 3.
    LbaLow,
    /// Base + 4; the low byte count of a packet device.
    LbaMid,
    /// Base + 5; the high byte count of a packet device.
    LbaHigh,
    /// Base + 6.
    Device,
    /// Base + 7, read.
    Status,
    /// Base + 7, write.
    Command,
    /// Control block, read: status without acknowledging the interrupt.
    AlternateStatus,
    /// Control block, write.
    DeviceControl,
}

impl Reg {
    /// What a read of the command block at `offset` (1 to 7) addresses.
    pub fn for_read(offset: u16) -> Option<Self> {
        Some(match offset {
            1 => Self::Error,
            2 => Self::SectorCount,
            3 => Self::LbaLow,
            4 => Self::LbaMid,
            5 => Self::LbaHigh,
            6 => Self::Device,
            7 => Self::Status,
            _ => return None,
        })
    }
    /// What a write to the command block at `offset` (1 to 7) addresses.
    pub fn for_write(offset: u16) -> Option<Self> {
        Some(match offset {
            1 => Self::Features,
            7 => Self::Command,
            n => return Self::for_read(n),
        })
    }
}

bitflags! {
    /// Status register (section 7.15).
    #[derive(Copy, Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
    pub struct Status: u8 {
        /// The error register tells more (CHK of a packet device).
        const ERR = 1 << 0;
        /// Data request.
        const DRQ = 1 << 3;
        /// Seek complete (obsolete, but every disk sets it); SERV of a packet device.
        const DSC = 1 << 4;
        /// Device fault.
        const DF = 1 << 5;
        /// Device ready.
        const DRDY = 1 << 6;
        /// Busy.
        const BSY = 1 << 7;
    }
}

bitflags! {
    /// Error register (section 7.9 and each command).
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct Error: u8 {
        /// Command aborted.
        const ABRT = 1 << 2;
        /// The address was not found.
        const IDNF = 1 << 4;
        /// Uncorrectable data error (reads); write protected (writes).
        const UNC = 1 << 6;
        /// Write protected.
        const WP = 1 << 6;
    }
}

/// Error register after diagnostics: device 0 passed, device 1 passed or absent (section 9.10).
pub const DIAGNOSTIC_PASSED: u8 = 0x01;

/// Device register: device 1 is selected.
pub const DEVICE_DEV: u8 = 0x10;
/// Device register: the address is an LBA.
pub const DEVICE_LBA: u8 = 0x40;

bitflags! {
    /// Device control register (section 7.8).
    #[derive(Copy, Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
    pub struct Control: u8 {
        /// Interrupts are disabled.
        const NIEN = 1 << 1;
        /// Software reset.
        const SRST = 1 << 2;
        /// Reads give what was written before the last write (48-bit addresses).
        const HOB = 1 << 7;
    }
}

bitflags! {
    /// Sector count register of a packet device: interrupt reason (section 7.11.6 of SFF-8020i).
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct Reason: u8 {
        /// The transfer is the command packet, or there is none.
        const COD = 1 << 0;
        /// The transfer is to the host.
        const IO = 1 << 1;
    }
}

/// Command codes (section 8 and annex B; those marked obsolete there are the ones that disks of the time still took).
#[expect(missing_docs, reason = "named as in the standard")]
pub mod command {
    pub const NOP: u8 = 0x00;
    pub const DEVICE_RESET: u8 = 0x08;
    /// Obsolete; 10h to 1Fh.
    pub const RECALIBRATE: u8 = 0x10;
    pub const RECALIBRATE_LAST: u8 = 0x1F;
    pub const READ_SECTORS: u8 = 0x20;
    pub const READ_SECTORS_NO_RETRY: u8 = 0x21;
    pub const READ_SECTORS_EXT: u8 = 0x24;
    pub const READ_DMA_EXT: u8 = 0x25;
    pub const READ_NATIVE_MAX_EXT: u8 = 0x27;
    pub const READ_MULTIPLE_EXT: u8 = 0x29;
    pub const WRITE_SECTORS: u8 = 0x30;
    pub const WRITE_SECTORS_NO_RETRY: u8 = 0x31;
    pub const WRITE_SECTORS_EXT: u8 = 0x34;
    pub const WRITE_DMA_EXT: u8 = 0x35;
    pub const SET_MAX_ADDRESS_EXT: u8 = 0x37;
    pub const WRITE_MULTIPLE_EXT: u8 = 0x39;
    pub const READ_VERIFY: u8 = 0x40;
    pub const READ_VERIFY_NO_RETRY: u8 = 0x41;
    pub const READ_VERIFY_EXT: u8 = 0x42;
    /// 70h to 7Fh.
    pub const SEEK: u8 = 0x70;
    pub const SEEK_LAST: u8 = 0x7F;
    pub const EXECUTE_DEVICE_DIAGNOSTIC: u8 = 0x90;
    pub const INITIALIZE_DEVICE_PARAMETERS: u8 = 0x91;
    pub const PACKET: u8 = 0xA0;
    pub const IDENTIFY_PACKET_DEVICE: u8 = 0xA1;
    pub const SMART: u8 = 0xB0;
    pub const READ_MULTIPLE: u8 = 0xC4;
    pub const WRITE_MULTIPLE: u8 = 0xC5;
    pub const SET_MULTIPLE_MODE: u8 = 0xC6;
    pub const READ_DMA: u8 = 0xC8;
    pub const READ_DMA_NO_RETRY: u8 = 0xC9;
    pub const WRITE_DMA: u8 = 0xCA;
    pub const WRITE_DMA_NO_RETRY: u8 = 0xCB;
    pub const STANDBY_IMMEDIATE: u8 = 0xE0;
    pub const IDLE_IMMEDIATE: u8 = 0xE1;
    pub const STANDBY: u8 = 0xE2;
    pub const IDLE: u8 = 0xE3;
    pub const READ_BUFFER: u8 = 0xE4;
    pub const CHECK_POWER_MODE: u8 = 0xE5;
    pub const SLEEP: u8 = 0xE6;
    pub const FLUSH_CACHE: u8 = 0xE7;
    pub const WRITE_BUFFER: u8 = 0xE8;
    pub const FLUSH_CACHE_EXT: u8 = 0xEA;
    pub const IDENTIFY_DEVICE: u8 = 0xEC;
    pub const SET_FEATURES: u8 = 0xEF;
    pub const READ_NATIVE_MAX: u8 = 0xF8;
    pub const SET_MAX: u8 = 0xF9;
    /// The power commands' older codes (94h to 99h).
    pub const STANDBY_IMMEDIATE_OLD: u8 = 0x94;
    pub const IDLE_IMMEDIATE_OLD: u8 = 0x95;
    pub const STANDBY_OLD: u8 = 0x96;
    pub const IDLE_OLD: u8 = 0x97;
    pub const CHECK_POWER_MODE_OLD: u8 = 0x98;
    pub const SLEEP_OLD: u8 = 0x99;
}

/// SET FEATURES subcommands (section 8.46).
#[expect(missing_docs, reason = "named as in the standard")]
pub mod feature {
    pub const ENABLE_WRITE_CACHE: u8 = 0x02;
    pub const SET_TRANSFER_MODE: u8 = 0x03;
    pub const DISABLE_READ_AHEAD: u8 = 0x55;
    pub const DISABLE_REVERTING: u8 = 0x66;
    pub const DISABLE_WRITE_CACHE: u8 = 0x82;
    pub const ENABLE_READ_AHEAD: u8 = 0xAA;
    pub const ENABLE_REVERTING: u8 = 0xCC;
}

/// SMART subcommands (section 8.54).
#[expect(missing_docs, reason = "named as in the standard")]
pub mod smart {
    pub const READ_DATA: u8 = 0xD0;
    pub const READ_THRESHOLDS: u8 = 0xD1;
    pub const ATTRIBUTE_AUTOSAVE: u8 = 0xD2;
    pub const SAVE_ATTRIBUTE_VALUES: u8 = 0xD3;
    pub const EXECUTE_OFF_LINE: u8 = 0xD4;
    pub const READ_LOG: u8 = 0xD5;
    pub const ENABLE: u8 = 0xD8;
    pub const DISABLE: u8 = 0xD9;
    pub const RETURN_STATUS: u8 = 0xDA;
    /// LBA mid and high of every SMART command, and of a healthy RETURN STATUS.
    pub const SIGNATURE: (u8, u8) = (0x4F, 0xC2);
    pub const LOG_DIRECTORY: u8 = 0x00;
    pub const LOG_ERROR_SUMMARY: u8 = 0x01;
    pub const LOG_SELF_TEST: u8 = 0x06;
}

/// Signature of a disk after a reset: LBA mid and high (section 9.12).
pub const SIGNATURE_DISK: (u8, u8) = (0x00, 0x00);
/// Signature of a packet device.
pub const SIGNATURE_PACKET: (u8, u8) = (0x14, 0xEB);
/// What the bus reads as when no device drives it: DD7 is pulled down (section 4.3 of the standard), the rest up.
pub const FLOATING_BUS: u8 = 0x7F;
/// Power modes as CHECK POWER MODE tells them.
pub const POWER_STANDBY: u8 = 0x00;
/// Active or idle.
pub const POWER_ACTIVE: u8 = 0xFF;
/// The largest 28-bit capacity.
pub const LBA28_SECTORS: u64 = 0x0FFF_FFFF;
/// The most cylinders that IDENTIFY DEVICE can tell.
pub const CYLINDERS_MAX: u64 = 16383;
/// Sectors per block at most for READ/WRITE MULTIPLE: ours.
pub const MULTIPLE_MAX: u8 = 16;
