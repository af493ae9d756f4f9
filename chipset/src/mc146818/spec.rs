//! Registers of the MC146818A. Section names are those of its data sheet (Motorola, ADI-952).

use bitflags::bitflags;
use emu_core::Frequency;
use serde::{Deserialize, Serialize};

/// The crystal of a PC's clock.
pub const CRYSTAL: Frequency = Frequency::hz(32_768);

/// Bytes in one bank: 14 registers and RAM.
pub const BANK_BYTES: usize = 128;

/// Address map, section "Address Map".
pub mod index {
    /// Seconds.
    pub const SECONDS: usize = 0x00;
    /// Seconds alarm.
    pub const SECONDS_ALARM: usize = 0x01;
    /// Minutes.
    pub const MINUTES: usize = 0x02;
    /// Minutes alarm.
    pub const MINUTES_ALARM: usize = 0x03;
    /// Hours.
    pub const HOURS: usize = 0x04;
    /// Hours alarm.
    pub const HOURS_ALARM: usize = 0x05;
    /// Day of the week, Sunday is 1.
    pub const DAY_OF_WEEK: usize = 0x06;
    /// Day of the month.
    pub const DATE: usize = 0x07;
    /// Month.
    pub const MONTH: usize = 0x08;
    /// Year of the century.
    pub const YEAR: usize = 0x09;
    /// Register A.
    pub const A: usize = 0x0A;
    /// Register B.
    pub const B: usize = 0x0B;
    /// Register C, read only.
    pub const C: usize = 0x0C;
    /// Register D, read only.
    pub const D: usize = 0x0D;
    /// By convention of the PC/AT, the century in BCD; for the chip it is RAM.
    pub const CENTURY: usize = 0x32;
}

/// Seconds register: its highest bit is read only.
pub const SECONDS_WRITABLE: u8 = 0x7F;
/// Hours register in 12-hour mode: set from noon on.
pub const HOURS_PM: u8 = 0x80;
/// Alarm bytes from here on match any value ("don't care").
pub const ALARM_DONT_CARE: u8 = 0xC0;

/// Register A: UIP, an update is in progress or about to begin. Read only.
pub const A_UIP: u8 = 0x80;
/// Register A: DV2-DV0 and RS3-RS0, what can be written.
pub const A_WRITABLE: u8 = 0x7F;

/// Register A bits 6-4: the divider chain.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Divider {
    /// 000: made for a 4.194304 MHz crystal.
    Mhz4,
    /// 001: made for a 1.048576 MHz crystal.
    Mhz1,
    /// 010: made for a 32.768 kHz crystal.
    Khz32,
    /// 110, 111: held in reset.
    Reset,
    /// 011, 100, 101: for tests of the chip only.
    Test,
}

impl Divider {
    /// Decodes register A.
    pub const fn decode(a: u8) -> Self {
        match (a >> 4) & 7 {
            0 => Self::Mhz4,
            1 => Self::Mhz1,
            2 => Self::Khz32,
            6 | 7 => Self::Reset,
            _ => Self::Test,
        }
    }

    /// Whether the chain runs.
    pub const fn runs(self) -> bool {
        matches!(self, Self::Mhz4 | Self::Mhz1 | Self::Khz32)
    }

    /// Crystal cycles from one update to the next.
    pub const fn cycles_per_update(self) -> u64 {
        match self {
            Self::Mhz4 => 1 << 22,
            Self::Mhz1 => 1 << 20,
            _ => 1 << 15,
        }
    }

    /// t_BUC (section "Update Cycle", table 6): UIP rises 244 us before an update begins, in crystal cycles.
    pub const fn cycles_before_update(self) -> u64 {
        match self {
            Self::Mhz4 => 1024,
            Self::Mhz1 => 256,
            _ => 8,
        }
    }

    /// t_UC (table 6): an update takes 248 us with the fast crystals, 1984 us with 32.768 kHz.
    pub const fn update_cycles(self) -> u64 {
        match self {
            Self::Mhz4 => 1040,
            Self::Mhz1 => 260,
            _ => 65,
        }
    }

    /// Crystal cycles between two periodic interrupts for RS3-RS0 (table 5); `None` for rate 0.
    pub const fn periodic_cycles(self, a: u8) -> Option<u64> {
        let rate = a & 0x0F;
        match (self, rate) {
            (_, 0) => None,
            (Self::Mhz4, r) => Some(1 << (r + 6)),
            (Self::Mhz1, r) => Some(1 << (r + 4)),
            (_, r @ 1..=2) => Some(1 << (r + 6)),
            (_, r) => Some(1 << (r - 1)),
        }
    }
}

bitflags! {
    /// Register B.
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    pub struct B: u8 {
        /// DSE: daylight saving changes in April and October.
        const DSE = 0x01;
        /// 24/12: 1 = 24-hour mode.
        const H24 = 0x02;
        /// DM: 1 = binary, 0 = BCD.
        const DM = 0x04;
        /// SQWE: square wave at the SQW pin.
        const SQWE = 0x08;
        /// UIE: interrupt at the end of each update.
        const UIE = 0x10;
        /// AIE: interrupt at the alarm.
        const AIE = 0x20;
        /// PIE: periodic interrupt.
        const PIE = 0x40;
        /// SET: no updates.
        const SET = 0x80;
    }
}

bitflags! {
    /// Register C. Reading clears it.
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    pub struct C: u8 {
        /// UF: an update ended.
        const UF = 0x10;
        /// AF: the alarm time was reached.
        const AF = 0x20;
        /// PF: an edge of the periodic rate.
        const PF = 0x40;
        /// IRQF: an enabled flag is set; the IRQ pin is active.
        const IRQF = 0x80;
    }
}

/// Register D: VRT, the battery never failed. The other bits read as zero.
pub const D_VRT: u8 = 0x80;

/// Port 70h bit 7 (PC/AT Technical Reference): NMI is masked.
pub const PORT_NMI_MASK: u8 = 0x80;
/// Port 70h and 72h bits 6-0: the index.
pub const PORT_INDEX: u8 = 0x7F;
