//! Registers, commands and status bytes of the 82077AA (Intel 290166).

use bitflags::bitflags;
use serde::{Deserialize, Serialize};

/// Registers by address and direction (section 2.1).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Reg {
    /// Base + 0, read: status register A (PS/2 mode only).
    StatusA,
    /// Base + 1, read: status register B (PS/2 mode only).
    StatusB,
    /// Base + 2: digital output register.
    DigitalOutput,
    /// Base + 3: tape drive register.
    TapeDrive,
    /// Base + 4, read: main status register.
    MainStatus,
    /// Base + 4, write: data rate select register.
    DataRateSelect,
    /// Base + 5: data register (FIFO).
    Data,
    /// Base + 7, read: digital input register.
    DigitalInput,
    /// Base + 7, write: configuration control register.
    ConfigControl,
}

impl Reg {
    /// What a read of base + `offset` addresses.
    pub fn for_read(offset: u16) -> Option<Self> {
        Some(match offset {
            0 => Self::StatusA,
            1 => Self::StatusB,
            2 => Self::DigitalOutput,
            3 => Self::TapeDrive,
            4 => Self::MainStatus,
            5 => Self::Data,
            7 => Self::DigitalInput,
            _ => return None,
        })
    }
    /// What a write to base + `offset` addresses.
    pub fn for_write(offset: u16) -> Option<Self> {
        Some(match offset {
            2 => Self::DigitalOutput,
            3 => Self::TapeDrive,
            4 => Self::DataRateSelect,
            5 => Self::Data,
            7 => Self::ConfigControl,
            _ => return None,
        })
    }
}

bitflags! {
    /// Status register A in PS/2 mode (section 2.1.1a).
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct StatusA: u8 {
        /// The head steps inwards.
        const DIRECTION = 1 << 0;
        /// The disk is not write protected (the pin is active low).
        const NOT_WRITE_PROTECT = 1 << 1;
        /// No index pulse at the moment (active low).
        const NOT_INDEX = 1 << 2;
        /// Head 1 is selected.
        const HEAD_SELECT = 1 << 3;
        /// The head is not at track 0 (active low).
        const NOT_TRACK_0 = 1 << 4;
        /// A step pulse is under way.
        const STEP = 1 << 5;
        /// No second drive (active low).
        const NOT_DRIVE_2 = 1 << 6;
        /// The interrupt pin.
        const INTERRUPT_PENDING = 1 << 7;
    }
}

bitflags! {
    /// Status register B in PS/2 mode (section 2.1.2a).
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct StatusB: u8 {
        /// Motor of drive 0.
        const MOTOR_0 = 1 << 0;
        /// Motor of drive 1.
        const MOTOR_1 = 1 << 1;
        /// Write gate.
        const WRITE_ENABLE = 1 << 2;
        /// Toggles with read data.
        const READ_DATA_TOGGLE = 1 << 3;
        /// Toggles with write data.
        const WRITE_DATA_TOGGLE = 1 << 4;
        /// Bit 0 of the digital output register.
        const DRIVE_SELECT_0 = 1 << 5;
        /// Read as 1.
        const ALWAYS_1 = 0xC0;
    }
}

bitflags! {
    /// Digital output register (section 2.1.3).
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
    pub struct Dor: u8 {
        /// Drive select, two bits.
        const DRIVE_SELECT = 0b11;
        /// 0 holds the controller in reset.
        const NOT_RESET = 1 << 2;
        /// AT mode: enables the INT and DRQ pins.
        const DMA_GATE = 1 << 3;
        /// Motor of drive 0; 1 to 3 follow.
        const MOTOR_0 = 1 << 4;
        /// Motor of drive 1.
        const MOTOR_1 = 1 << 5;
        /// Motor of drive 2.
        const MOTOR_2 = 1 << 6;
        /// Motor of drive 3.
        const MOTOR_3 = 1 << 7;
    }
}

bitflags! {
    /// Main status register (section 2.1.6).
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct Msr: u8 {
        /// Drive 0 seeks; bits 1 to 3 are drives 1 to 3.
        const DRIVE_0_BUSY = 1 << 0;
        /// All four.
        const DRIVES_BUSY = 0x0F;
        /// A command is under way.
        const COMMAND_BUSY = 1 << 4;
        /// Execution phase of a command in non-DMA mode.
        const NON_DMA = 1 << 5;
        /// The data register wants to be read (else written).
        const DIO = 1 << 6;
        /// The data register may be accessed.
        const RQM = 1 << 7;
    }
}

bitflags! {
    /// Data rate select register (section 2.1.5).
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct Dsr: u8 {
        /// Data rate.
        const RATE = 0b11;
        /// Write precompensation delay.
        const PRECOMPENSATION = 0b1_1100;
        /// Low power mode, left by a reset.
        const POWER_DOWN = 1 << 6;
        /// A reset that ends by itself.
        const SOFTWARE_RESET = 1 << 7;
    }
}

/// Bits 1:0 of the tape drive register (section 2.1.4).
pub const TDR_TAPE_SELECT: u8 = 0b11;
/// Digital input register: disk change (section 2.1.8).
pub const DIR_DISK_CHANGE: u8 = 0x80;
/// Digital input register in PS/2 mode: bits 6 to 3 read 1.
pub const DIR_PS2_ALWAYS_1: u8 = 0x78;
/// Digital input register in PS/2 mode: 0 at 500 Kbit/s and 1 Mbit/s.
pub const DIR_PS2_NOT_HIGH_DENSITY: u8 = 0x01;

/// Data rates as CCR and DSR select them (table 2-6).
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Rate {
    /// 00.
    Kbps500,
    /// 01.
    Kbps300,
    /// 10.
    Kbps250,
    /// 11.
    Mbps1,
}

impl Rate {
    /// From the two bits.
    pub fn from_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => Self::Kbps500,
            1 => Self::Kbps300,
            2 => Self::Kbps250,
            _ => Self::Mbps1,
        }
    }
    /// The two bits.
    pub fn bits(self) -> u8 {
        match self {
            Self::Kbps500 => 0,
            Self::Kbps300 => 1,
            Self::Kbps250 => 2,
            Self::Mbps1 => 3,
        }
    }
    /// Bits in a second.
    pub fn bits_per_second(self) -> u64 {
        match self {
            Self::Kbps500 => 500_000,
            Self::Kbps300 => 300_000,
            Self::Kbps250 => 250_000,
            Self::Mbps1 => 1_000_000,
        }
    }
    /// All intervals of SPECIFY scale with the data rate (table 5-10): `ns` is the value at 1 Mbit/s.
    pub fn scale_ns(self, ns: u64) -> u64 {
        ns * 1_000_000 / self.bits_per_second()
    }
}

/// Step interval at 1 Mbit/s: (16 - SRT) times this (table 5-10).
pub const STEP_UNIT_NS: u64 = 500_000;
/// Head load time at 1 Mbit/s: HLT times this, 0 counts as 128.
pub const HEAD_LOAD_UNIT_NS: u64 = 1_000_000;
/// Head unload time at 1 Mbit/s: HUT times this, 0 counts as 16.
pub const HEAD_UNLOAD_UNIT_NS: u64 = 8_000_000;
/// Step pulses after which RECALIBRATE gives up (section 5.2.2).
pub const RECALIBRATE_STEPS: u8 = 79;
/// What VERSION answers: an enhanced controller (section 5.2.9).
pub const VERSION_ENHANCED: u8 = 0x90;
/// Bytes in the FIFO.
pub const FIFO_BYTES: usize = 16;
/// The longest command.
pub const COMMAND_BYTES: usize = 9;
/// The longest result: DUMPREG.
pub const RESULT_BYTES: usize = 10;

bitflags! {
    /// Status register 0 (section 6.1).
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
    pub struct St0: u8 {
        /// Drive, two bits.
        const DRIVE = 0b11;
        /// Head address.
        const HEAD = 1 << 2;
        /// Equipment check: no track 0.
        const EQUIPMENT_CHECK = 1 << 4;
        /// Seek end.
        const SEEK_END = 1 << 5;
        /// Interrupt code 01: abnormal termination.
        const ABNORMAL = 0b01 << 6;
        /// Interrupt code 10: invalid command.
        const INVALID = 0b10 << 6;
        /// Interrupt code 11: polling found a change of ready.
        const POLLING = 0b11 << 6;
    }
}

bitflags! {
    /// Status register 1 (section 6.2).
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
    pub struct St1: u8 {
        /// Missing address mark.
        const MISSING_ADDRESS_MARK = 1 << 0;
        /// Not writable.
        const NOT_WRITABLE = 1 << 1;
        /// No data: the sector was not found.
        const NO_DATA = 1 << 2;
        /// Overrun or underrun: the host was too slow.
        const OVERRUN = 1 << 4;
        /// A CRC is wrong.
        const DATA_ERROR = 1 << 5;
        /// End of cylinder: the last sector was passed without terminal count.
        const END_OF_CYLINDER = 1 << 7;
    }
}

bitflags! {
    /// Status register 2 (section 6.3).
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
    pub struct St2: u8 {
        /// No data address mark.
        const MISSING_DATA_ADDRESS_MARK = 1 << 0;
        /// The ID's cylinder is FFh.
        const BAD_CYLINDER = 1 << 1;
        /// Scan: condition not satisfied.
        const SCAN_NOT_SATISFIED = 1 << 2;
        /// Scan: equal.
        const SCAN_EQUAL_HIT = 1 << 3;
        /// The ID's cylinder is another one.
        const WRONG_CYLINDER = 1 << 4;
        /// The wrong CRC is that of the data field.
        const DATA_ERROR_IN_DATA = 1 << 5;
        /// Control mark: deleted data where none was wanted, or the reverse.
        const CONTROL_MARK = 1 << 6;
    }
}

bitflags! {
    /// Status register 3 (section 6.4).
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct St3: u8 {
        /// Drive, two bits.
        const DRIVE = 0b11;
        /// Head address.
        const HEAD = 1 << 2;
        /// Always 1.
        const ALWAYS_1 = 0b10_1000;
        /// At track 0.
        const TRACK_0 = 1 << 4;
        /// Write protected.
        const WRITE_PROTECTED = 1 << 6;
    }
}

/// First command byte: multi-track.
pub const MT: u8 = 0x80;
/// First command byte: MFM (double density).
pub const MFM: u8 = 0x40;
/// First command byte: skip sectors of the other kind.
pub const SK: u8 = 0x20;
/// First byte of RELATIVE SEEK: towards the spindle.
pub const DIR: u8 = 0x40;
/// First byte of LOCK.
pub const LOCK: u8 = 0x80;
/// Second byte of VERIFY: the last byte counts sectors.
pub const VERIFY_EC: u8 = 0x80;
/// Third byte of SPECIFY: non-DMA mode.
pub const ND: u8 = 0x01;
/// PERPENDICULAR MODE: the drive bits shall be overwritten.
pub const PERPENDICULAR_OW: u8 = 0x80;

bitflags! {
    /// Third byte of CONFIGURE (section 5.2.7).
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
    pub struct Configure: u8 {
        /// FIFO threshold less one.
        const THRESHOLD = 0x0F;
        /// Polling is disabled.
        const POLL_DISABLE = 1 << 4;
        /// The FIFO is disabled.
        const FIFO_DISABLE = 1 << 5;
        /// Implied seeks.
        const IMPLIED_SEEK = 1 << 6;
    }
}

/// The command set (table 5-1).
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Command {
    /// x2h.
    ReadTrack,
    /// 03h.
    Specify,
    /// 04h.
    SenseDriveStatus,
    /// x5h.
    WriteData,
    /// x6h.
    ReadData,
    /// 07h.
    Recalibrate,
    /// 08h.
    SenseInterruptStatus,
    /// x9h.
    WriteDeletedData,
    /// xAh.
    ReadId,
    /// xCh.
    ReadDeletedData,
    /// xDh.
    FormatTrack,
    /// 0Eh.
    DumpReg,
    /// 0Fh.
    Seek,
    /// 8Fh, CFh.
    RelativeSeek,
    /// 10h.
    Version,
    /// x11h.
    ScanEqual,
    /// 12h.
    PerpendicularMode,
    /// 13h.
    Configure,
    /// 14h, 94h.
    Lock,
    /// x16h.
    Verify,
    /// x19h.
    ScanLowOrEqual,
    /// x1Dh.
    ScanHighOrEqual,
}

impl Command {
    /// The command that a first byte begins; `None`: invalid.
    pub fn decode(first: u8) -> Option<Self> {
        // Reserved bits must be 0.
        Some(match (first & 0x1F, first) {
            (0x02, b) if b & 0xA0 == 0 => Self::ReadTrack,
            (0x03, 0x03) => Self::Specify,
            (0x04, 0x04) => Self::SenseDriveStatus,
            (0x05, b) if b & SK == 0 => Self::WriteData,
            (0x06, _) => Self::ReadData,
            (0x07, 0x07) => Self::Recalibrate,
            (0x08, 0x08) => Self::SenseInterruptStatus,
            (0x09, b) if b & SK == 0 => Self::WriteDeletedData,
            (0x0A, b) if b & 0xA0 == 0 => Self::ReadId,
            (0x0C, _) => Self::ReadDeletedData,
            (0x0D, b) if b & 0xA0 == 0 => Self::FormatTrack,
            (0x0E, 0x0E) => Self::DumpReg,
            (0x0F, 0x0F) => Self::Seek,
            (0x0F, 0x8F | 0xCF) => Self::RelativeSeek,
            (0x10, 0x10) => Self::Version,
            (0x11, _) => Self::ScanEqual,
            (0x12, 0x12) => Self::PerpendicularMode,
            (0x13, 0x13) => Self::Configure,
            (0x14, 0x14 | 0x94) => Self::Lock,
            (0x16, _) => Self::Verify,
            (0x19, _) => Self::ScanLowOrEqual,
            (0x1D, _) => Self::ScanHighOrEqual,
            _ => return None,
        })
    }

    /// Bytes in the command phase.
    pub fn bytes(self) -> usize {
        match self {
            Self::ReadTrack
            | Self::WriteData
            | Self::ReadData
            | Self::WriteDeletedData
            | Self::ReadDeletedData
            | Self::Verify
            | Self::ScanEqual
            | Self::ScanLowOrEqual
            | Self::ScanHighOrEqual => 9,
            Self::FormatTrack => 6,
            Self::Configure => 4,
            Self::Specify | Self::Seek | Self::RelativeSeek => 3,
            Self::SenseDriveStatus | Self::Recalibrate | Self::ReadId | Self::PerpendicularMode => {
                2
            }
            Self::SenseInterruptStatus | Self::DumpReg | Self::Version | Self::Lock => 1,
        }
    }

    /// Whether the host supplies the data of the execution phase.
    pub fn host_writes(self) -> bool {
        matches!(
            self,
            Self::WriteData
                | Self::WriteDeletedData
                | Self::FormatTrack
                | Self::ScanEqual
                | Self::ScanLowOrEqual
                | Self::ScanHighOrEqual
        )
    }

    /// Whether the command compares the host's data with the disk's.
    pub fn is_scan(self) -> bool {
        matches!(
            self,
            Self::ScanEqual | Self::ScanLowOrEqual | Self::ScanHighOrEqual
        )
    }

    /// Whether the command records on the disk.
    pub fn records(self) -> bool {
        matches!(
            self,
            Self::WriteData | Self::WriteDeletedData | Self::FormatTrack
        )
    }
}

/// MFM track layout in bytes (section 5.2.6 of the format description, table 5-7): from the index pulse to the first
/// sector's sync field (gap 4a, sync, index mark, gap 1).
pub const TRACK_PREAMBLE_BYTES: u64 = 80 + 12 + 4 + 50;
/// Sync, address mark, ID, CRC.
pub const ID_FIELD_BYTES: u64 = 12 + 4 + 4 + 2;
/// Gap 2, sync and data address mark, up to the first data byte.
pub const ID_TO_DATA_BYTES: u64 = 22 + 12 + 4;
/// CRC behind the data.
pub const DATA_CRC_BYTES: u64 = 2;
