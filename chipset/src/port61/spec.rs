//! Bits of port 61h: Intel "82371FB (PIIX) and 82371SB (PIIX3)", order number 290550, section 2.5.4.1 (NMI status and
//! control register); IBM "PC/AT Technical Reference", 1502494.

use bitflags::bitflags;
use emu_core::Frequency;
use serde::{Deserialize, Serialize};

/// The port.
pub const PORT: u16 = 0x61;

/// Memory refresh: the timer's 1.193182 MHz divided by 18, one request every 15.09 us. Bit 4 changes with each.
pub const REFRESH: Frequency = Frequency::ratio(315_000_000, 22 * 12 * 18);

bitflags! {
    /// The register. Bits 7-4 are read only.
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    pub struct Bits: u8 {
        /// GATE of timer counter 2.
        const TIMER_2_GATE = 0x01;
        /// The counter's output goes to the speaker.
        const SPEAKER_DATA = 0x02;
        /// SERR# (parity check) is disabled and its status cleared.
        const SERR_DISABLE = 0x04;
        /// IOCHK# is disabled and its status cleared.
        const IOCHK_DISABLE = 0x08;
        /// Changes with every refresh request.
        const REFRESH_TOGGLE = 0x10;
        /// OUT of timer counter 2.
        const TIMER_2_OUT = 0x20;
        /// IOCHK# was active.
        const IOCHK = 0x40;
        /// SERR# was active.
        const SERR = 0x80;
    }
}

impl Bits {
    /// What can be written.
    pub const WRITABLE: Self = Self::from_bits_retain(0x0F);
}
