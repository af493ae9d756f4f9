//! Registers of the 8254. Section names are those of the datasheet (Intel order number 231164).

use bitflags::bitflags;
use emu_core::Frequency;
use serde::{Deserialize, Serialize};

/// The clock of a PC's timer: the 14.31818 MHz crystal (315/22 MHz) divided by twelve.
pub const PC_CLOCK: Frequency = Frequency::ratio(315_000_000, 22 * 12);

/// Ports of the chip: three counters and the control word register.
pub const COUNTER_PORTS: u16 = 3;
/// Offset of the control word register, which can only be written.
pub const CONTROL_WORD: u16 = 3;

bitflags! {
    /// Read-back command (control word with SC = 11), section "Read-Back Command". Bit 0 must be 0.
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct ReadBack: u8 {
        /// CNT 0.
        const COUNTER_0 = 0x02;
        /// CNT 1.
        const COUNTER_1 = 0x04;
        /// CNT 2.
        const COUNTER_2 = 0x08;
        /// STATUS, active low: latch the status of the selected counters.
        const NO_STATUS = 0x10;
        /// COUNT, active low: latch the count of the selected counters.
        const NO_COUNT = 0x20;
    }
}

/// Status byte bit 7: the level of the OUT pin.
pub const STATUS_OUTPUT: u8 = 0x80;
/// Status byte bit 6: a count was written that is not yet in the counting element.
pub const STATUS_NULL_COUNT: u8 = 0x40;
/// Status byte bits 5-0, and the control word's: RW, mode, BCD as they were programmed.
pub const CONTROL_BITS: u8 = 0x3F;
/// Control word bit 0: count in four decimal digits.
pub const CONTROL_BCD: u8 = 0x01;

/// Control word bits 7-6 (SC): what the word is for.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Select {
    /// One of the counters.
    Counter(usize),
    /// A read-back command.
    ReadBack,
}

impl Select {
    /// Decodes SC1-SC0.
    pub const fn decode(word: u8) -> Self {
        match word >> 6 {
            3 => Self::ReadBack,
            n => Self::Counter(n as usize),
        }
    }
}

/// Control word bits 5-4 (RW): which bytes of a count are read and written. 00 is the counter latch command.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Access {
    /// 01: the least significant byte only; the other is zero.
    Low,
    /// 10: the most significant byte only; the other is zero.
    High,
    /// 11: the least significant byte first, then the other.
    LowThenHigh,
}

impl Access {
    /// Decodes RW1-RW0; `None` is the counter latch command.
    pub const fn decode(word: u8) -> Option<Self> {
        match (word >> 4) & 3 {
            0 => None,
            1 => Some(Self::Low),
            2 => Some(Self::High),
            _ => Some(Self::LowThenHigh),
        }
    }
}

/// Control word bits 3-1 (M): the modes, by the datasheet's names.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Mode {
    /// Mode 0.
    InterruptOnTerminalCount,
    /// Mode 1.
    HardwareRetriggerableOneShot,
    /// Mode 2, also chosen by 110.
    RateGenerator,
    /// Mode 3, also chosen by 111.
    SquareWave,
    /// Mode 4.
    SoftwareTriggeredStrobe,
    /// Mode 5.
    HardwareTriggeredStrobe,
}

impl Mode {
    /// Decodes M2-M0.
    pub const fn decode(word: u8) -> Self {
        match (word >> 1) & 7 {
            0 => Self::InterruptOnTerminalCount,
            1 => Self::HardwareRetriggerableOneShot,
            2 | 6 => Self::RateGenerator,
            3 | 7 => Self::SquareWave,
            4 => Self::SoftwareTriggeredStrobe,
            _ => Self::HardwareTriggeredStrobe,
        }
    }
}
