//! Registers of the 8259A. Section names are those of the datasheet (Intel order number 231468).

use bitflags::bitflags;
use serde::{Deserialize, Serialize};

/// Ports of the chip: A0 = 0 and A0 = 1.
pub const PORTS: u16 = 2;

bitflags! {
    /// Initialization Command Word 1 (A0 = 0, D4 = 1), section "Initialization Command Words 1 and 2".
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    pub struct Icw1: u8 {
        /// IC4: ICW4 will follow.
        const IC4 = 0x01;
        /// SNGL: the only 8259A in the system; there is no ICW3.
        const SNGL = 0x02;
        /// ADI (MCS-80/85): call address interval, 1 = 4 bytes, 0 = 8 bytes.
        const ADI = 0x04;
        /// LTIM: all inputs are level triggered.
        const LTIM = 0x08;
        /// Always 1 in ICW1: tells it from an operation command word.
        const ICW1 = 0x10;
        /// A5 of the MCS-80/85 call address (only with an interval of 4).
        const A5 = 0x20;
        /// A6 of the MCS-80/85 call address.
        const A6 = 0x40;
        /// A7 of the MCS-80/85 call address.
        const A7 = 0x80;
    }
}

/// ICW2: T7-T3, the upper five bits of the vector in 8086 mode.
pub const ICW2_T: u8 = 0xF8;
/// ICW3 of a slave: ID2-ID0. The other bits are reserved.
pub const ICW3_ID: u8 = 0x07;

bitflags! {
    /// Initialization Command Word 4, section of the same name. Bits 7-5 are zero.
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    pub struct Icw4: u8 {
        /// uPM: 1 = 8086/8088 mode, 0 = MCS-80/85 mode.
        const UPM = 0x01;
        /// AEOI: automatic end of interrupt.
        const AEOI = 0x02;
        /// M/S: master (1) or slave (0) in buffered mode.
        const MS = 0x04;
        /// BUF: buffered mode; SP/EN becomes an output and M/S tells master from slave.
        const BUF = 0x08;
        /// SFNM: special fully nested mode.
        const SFNM = 0x10;
    }
}

/// Operation Command Word 2 (A0 = 0, D4 D3 = 00): the L2-L0 field.
pub const OCW2_LEVEL: u8 = 0x07;

/// Operation Command Word 2: what R, SL and EOI (bits 7-5) ask for.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Ocw2 {
    /// 000: stop rotating at automatic end of interrupt.
    ClearRotateInAeoi,
    /// 001: end of the highest interrupt in service.
    NonSpecificEoi,
    /// 010: no operation.
    NoOperation,
    /// 011: end of the interrupt at level L.
    SpecificEoi,
    /// 100: rotate at each automatic end of interrupt.
    SetRotateInAeoi,
    /// 101: end of the highest interrupt in service, which gets the lowest priority.
    RotateOnNonSpecificEoi,
    /// 110: level L gets the lowest priority.
    SetPriority,
    /// 111: end of the interrupt at level L, which gets the lowest priority.
    RotateOnSpecificEoi,
}

impl Ocw2 {
    /// Decodes bits 7-5.
    pub const fn decode(value: u8) -> Self {
        match value >> 5 {
            0 => Self::ClearRotateInAeoi,
            1 => Self::NonSpecificEoi,
            2 => Self::NoOperation,
            3 => Self::SpecificEoi,
            4 => Self::SetRotateInAeoi,
            5 => Self::RotateOnNonSpecificEoi,
            6 => Self::SetPriority,
            _ => Self::RotateOnSpecificEoi,
        }
    }
}

bitflags! {
    /// Operation Command Word 3 (A0 = 0, D7 = 0, D4 D3 = 01).
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct Ocw3: u8 {
        /// RIS: with RR, 1 = the next reads give the ISR, 0 = the IRR.
        const RIS = 0x01;
        /// RR: RIS is valid.
        const RR = 0x02;
        /// P: the next read is a poll.
        const P = 0x04;
        /// Always 1 in OCW3.
        const OCW3 = 0x08;
        /// SMM: with ESMM, set or clear special mask mode.
        const SMM = 0x20;
        /// ESMM: SMM is valid.
        const ESMM = 0x40;
    }
}

/// Poll word: I, set if an interrupt waited; bits 2-0 then hold its level.
pub const POLL_I: u8 = 0x80;

/// The level that answers when a request vanished before its acknowledgement ("default IR7", section
/// "Edge and Level Triggered Modes").
pub const DEFAULT_LEVEL: u8 = 7;

/// Edge/level control register of PIIX3 (82371SB datasheet, order number 290550, section 2.5.5: ELCR1 and
/// ELCR2): a set bit makes the input level triggered. In the first controller IRQ0, 1 and 2 stay edge triggered.
pub const ELCR1_WRITABLE: u8 = 0xF8;
/// As [`ELCR1_WRITABLE`] for the second controller, where IRQ8 and IRQ13 stay edge triggered.
pub const ELCR2_WRITABLE: u8 = 0xDE;
