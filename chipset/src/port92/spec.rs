//! Bits of port 92h: Intel "82371FB (PIIX) and 82371SB (PIIX3)", order number 290550, section 2.5.7 (port 92
//! register). Bits 7-2 are reserved and read as zero.

use bitflags::bitflags;
use serde::{Deserialize, Serialize};

/// The port.
pub const PORT: u16 = 0x92;

bitflags! {
    /// The register.
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    pub struct Bits: u8 {
        /// FAST_INIT: going from 0 to 1 gives the CPU an INIT.
        const FAST_INIT = 0x01;
        /// FAST_A20: address line 20 is passed on.
        const FAST_A20 = 0x02;
    }
}
