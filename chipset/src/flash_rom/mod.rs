//! The system BIOS in a ROM.
//!
//! **What it is**: the memory chip behind BIOSCS#, as the 82371SB decodes it (order number 290550, "BIOS memory"):
//! the whole image ends at 4 GiB; its last 128 KiB (or all of it, if it is smaller) also end at 1 MiB, where reset
//! code and real-mode services expect them. The memory controller's shadow RAM covers that alias when it is enabled.
//!
//! **Memory**: up to FFFFFFFFh and up to FFFFFh, read only.
//!
//! **Not implemented**: programming (the erase and program commands of flash parts): writes reach nobody, as on a
//! board whose write line is not connected.

#[cfg(test)]
mod tests;

use emu_core::Device;
use emu_core::bus::{Access, Decode};
use emu_core::cx::{Cx, ResetKind};
use emu_core::ram::{OutOfMemory, Ram};
use emu_core::snapshot::Snapshot;
use serde::{Deserialize, Serialize};

/// The unit of an image's size.
pub const UNIT_BYTES: usize = 64 << 10;
/// The largest image: what lies between the local APIC's page and 4 GiB.
pub const MAX_BYTES: usize = 16 << 20;
/// How much of an image appears below 1 MiB.
pub const LOW_BYTES: usize = 128 << 10;
const LOW_END: u64 = 1 << 20;
const HIGH_END: u64 = 1 << 32;

/// Why an image cannot be the system BIOS.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The size does not suit.
    #[error("a BIOS image has a multiple of 64 KiB and at most 16 MiB; this one has {0} bytes")]
    Size(usize),
    /// The host has no memory.
    #[error(transparent)]
    Memory(#[from] OutOfMemory),
}

/// Nothing: a ROM has no state.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State;

impl Snapshot for State {
    const VERSION: u16 = 1;
}

/// The ROM.
#[derive(Debug)]
pub struct FlashRom {
    rom: Ram,
    state: State,
}

impl FlashRom {
    /// A ROM that holds `image`.
    pub fn new(image: &[u8]) -> Result<Self, ImageError> {
        let n = image.len();
        if n == 0 || n > MAX_BYTES || !n.is_multiple_of(UNIT_BYTES) {
            return Err(ImageError::Size(n));
        }
        Ok(Self {
            rom: Ram::with_contents("bios", image)?,
            state: State,
        })
    }
}

impl Device for FlashRom {
    const KIND: &'static str = "flash_rom";
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }
    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }
    fn reset(&mut self, _kind: ResetKind, _cx: &mut Cx<'_>) {}

    fn decode(&self, decode: &mut Decode) {
        let len = self.rom.len_bytes();
        let low = len.min(LOW_BYTES);
        for (end, n) in [(HIGH_END, len), (LOW_END, low)] {
            let n64 = n as u64;
            decode.ram(
                end - n64,
                n64,
                &self.rom,
                len - n,
                Access::Read,
                Decode::PRIORITY_BACKGROUND,
            );
        }
    }
}
