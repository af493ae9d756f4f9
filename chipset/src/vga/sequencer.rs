//! The sequencer: memory timing, map mask, fonts.

use super::spec::sequencer as r;
use serde::{Deserialize, Serialize};

/// The sequencer's registers.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Sequencer {
    index: u8,
    registers: [u8; 5],
}

impl Sequencer {
    /// The address register.
    pub fn index(&self) -> u8 {
        self.index
    }
    /// Writes the address register.
    pub fn set_index(&mut self, value: u8) {
        self.index = value & r::INDEX_MASK;
    }
    /// Reads the addressed register; 0 where there is none.
    pub fn read(&self) -> u8 {
        self.registers
            .get(usize::from(self.index))
            .copied()
            .unwrap_or(0)
    }
    /// Writes the addressed register.
    pub fn write(&mut self, value: u8) {
        let i = usize::from(self.index);
        if let Some(register) = self.registers.get_mut(i) {
            *register = value & r::MASKS[i];
        }
    }

    fn clocking(&self, bit: u8) -> bool {
        self.registers[r::CLOCKING] & bit != 0
    }
    /// Whether neither reset is asserted.
    pub fn runs(&self) -> bool {
        self.registers[r::RESET] == r::RESET_RUN
    }
    /// Whether the screen is turned off.
    pub fn screen_off(&self) -> bool {
        self.clocking(r::CLOCKING_SCREEN_OFF)
    }
    /// Dots of a character: 8 or 9.
    pub fn character_dots(&self) -> usize {
        if self.clocking(r::CLOCKING_8_DOTS) {
            8
        } else {
            9
        }
    }
    /// Master clocks of a dot: 1 or 2.
    pub fn clocks_per_dot(&self) -> usize {
        if self.clocking(r::CLOCKING_HALF) {
            2
        } else {
            1
        }
    }
    /// The maps that the CPU may write.
    pub fn map_mask(&self) -> u8 {
        self.registers[r::MAP_MASK]
    }
    /// Where in map 2 the two fonts stand: (attribute bit 3 clear: B, set: A). Section "Character Map Select": the
    /// two-bit number counts in 16 KiB, its extra high bit adds 8 KiB.
    pub fn fonts(&self) -> [u16; 2] {
        let v = u16::from(self.registers[r::CHARACTER_MAP]);
        let place = |pair: u16, high: u16| (pair << 14) | (high << 13);
        [
            place(v & 3, (v >> 4) & 1),
            place((v >> 2) & 3, (v >> 5) & 1),
        ]
    }
    fn memory_mode(&self, bit: u8) -> bool {
        self.registers[r::MEMORY_MODE] & bit != 0
    }
    /// Whether each map has 64 KiB instead of 16.
    pub fn extended_memory(&self) -> bool {
        self.memory_mode(r::MEMORY_EXTENDED)
    }
    /// Whether writes at even addresses go to maps 0 and 2 and at odd ones to 1 and 3.
    pub fn odd_even(&self) -> bool {
        !self.memory_mode(r::MEMORY_SEQUENTIAL)
    }
    /// Whether address bits 0 and 1 select the map.
    pub fn chain_4(&self) -> bool {
        self.memory_mode(r::MEMORY_CHAIN_4)
    }
}
