//! Registers of the parallel port: IBM, "PS/2 Hardware Interface Technical Reference: Common Interfaces" (S84F-9809),
//! section "Parallel Port Controller"; the printer's timing from Centronics' handshake as IEEE 1284-1994 (compatibility
//! mode) has it.

use bitflags::bitflags;
use serde::{Deserialize, Serialize};

/// Ports of the chip: data, status, control.
pub const PORTS: u16 = 3;
/// Data port.
pub const DATA: u16 = 0;
/// Status port, read only.
pub const STATUS: u16 = 1;

/// A printer is busy for this long after the strobe before it acknowledges: our choice, about what a printer with a
/// buffer takes.
pub const BUSY_NS: u64 = 5_000;
/// nACK is low for this long (IEEE 1284: 0.5 to 10 us).
pub const ACK_NS: u64 = 2_500;

bitflags! {
    /// The status port. Bits 1-0 are reserved and read as ones.
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    pub struct Status: u8 {
        /// Reserved.
        const RESERVED = 0x03;
        /// nIRQ: low from the end of an acknowledgement until the status is read.
        const NOT_IRQ = 0x04;
        /// nError.
        const NOT_ERROR = 0x08;
        /// Select: a printer is on line.
        const SELECT = 0x10;
        /// Paper end.
        const PAPER_END = 0x20;
        /// nACK.
        const NOT_ACK = 0x40;
        /// The Busy line, inverted.
        const NOT_BUSY = 0x80;
    }
}

bitflags! {
    /// The control port. Bits 7-6 are reserved and read as ones.
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    pub struct Control: u8 {
        /// Strobe: the line, inverted.
        const STROBE = 0x01;
        /// Auto feed: the line, inverted.
        const AUTO_FEED = 0x02;
        /// nInit: the line.
        const NOT_INIT = 0x04;
        /// Select in: the line, inverted.
        const SELECT_IN = 0x08;
        /// An acknowledgement interrupts.
        const INTERRUPT = 0x10;
        /// The data lines are inputs (bidirectional ports).
        const DIRECTION_IN = 0x20;
        /// Reserved.
        const RESERVED = 0xC0;
    }
}
