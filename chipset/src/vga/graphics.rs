//! The graphics controller: what happens to data between the CPU and the four maps.
//!
//! A doubleword here holds one byte of each map, map 0 in the low byte.

use super::spec::graphics as r;
use serde::{Deserialize, Serialize};

/// The graphics controller's registers and its latches.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Graphics {
    index: u8,
    registers: [u8; 9],
    latches: u32,
}

/// How the shift registers deliver dots.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ShiftMode {
    /// One bit of each map is a dot.
    Planar,
    /// Two bits of maps 0 and 2, then of 1 and 3.
    Interleaved,
    /// Four bits at a time, map by map: half of a 256-colour pixel.
    Nibbles,
}

/// FFh in the byte of each map whose bit is set.
pub(super) const fn spread(maps: u8) -> u32 {
    const BYTES: [u32; 16] = {
        let mut table = [0; 16];
        let mut maps = 0;
        while maps < 16 {
            let mut map = 0;
            while map < 4 {
                if maps & (1 << map) != 0 {
                    table[maps] |= 0xFF << (8 * map);
                }
                map += 1;
            }
            maps += 1;
        }
        table
    };
    BYTES[(maps & 0x0F) as usize]
}

/// The same byte for each map.
fn replicate(byte: u8) -> u32 {
    u32::from(byte) * 0x0101_0101
}

impl Graphics {
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

    fn mode(&self, bit: u8) -> bool {
        self.registers[r::MODE] & bit != 0
    }
    /// Read mode 1: color compare.
    pub fn read_mode_1(&self) -> bool {
        self.mode(r::MODE_READ_1)
    }
    /// Whether address bit 0 takes part in the choice of the map that is read.
    pub fn read_odd_even(&self) -> bool {
        self.mode(r::MODE_ODD_EVEN)
    }
    /// The map that read mode 0 reads.
    pub fn read_map(&self) -> u8 {
        self.registers[r::READ_MAP]
    }
    /// How dots leave the shift registers.
    pub fn shift_mode(&self) -> ShiftMode {
        if self.mode(r::MODE_SHIFT_256) {
            ShiftMode::Nibbles
        } else if self.mode(r::MODE_SHIFT_INTERLEAVE) {
            ShiftMode::Interleaved
        } else {
            ShiftMode::Planar
        }
    }
    /// Graphics (else alphanumeric) addressing.
    pub fn graphics(&self) -> bool {
        self.registers[r::MISCELLANEOUS] & r::MISC_GRAPHICS != 0
    }
    /// Whether address bit 0 is replaced by a higher one.
    pub fn chain_odd_even(&self) -> bool {
        self.registers[r::MISCELLANEOUS] & r::MISC_CHAIN_ODD_EVEN != 0
    }
    /// Memory map select: 0 A0000h 128 KiB, 1 A0000h 64 KiB, 2 B0000h 32 KiB, 3 B8000h 32 KiB.
    pub fn memory_map(&self) -> u8 {
        (self.registers[r::MISCELLANEOUS] >> 2) & 3
    }

    /// Whether a write leaves the CPU's byte as it is: write mode 0 with nothing enabled.
    pub fn passes_data_through(&self) -> bool {
        self.registers[r::MODE] & 3 == 0
            && self.registers[r::ENABLE_SET_RESET] == 0
            && self.registers[r::DATA_ROTATE] == 0
            && self.registers[r::BIT_MASK] == 0xFF
    }

    /// Loads the latches, as each read of display memory does.
    pub fn latch(&mut self, maps: u32) {
        self.latches = maps;
    }

    /// What the CPU reads from latched data: `map` in read mode 0, else the result of color compare.
    pub fn cpu_read(&self, map: u8) -> u8 {
        if !self.read_mode_1() {
            return (self.latches >> (8 * u32::from(map & 3))) as u8;
        }
        let compare = spread(self.registers[r::COLOUR_COMPARE]);
        let care = spread(self.registers[r::COLOUR_DONT_CARE]);
        let differ = (self.latches ^ compare) & care;
        !(differ | (differ >> 8) | (differ >> 16) | (differ >> 24)) as u8
    }

    /// What goes to the four maps when the CPU writes `data`. ("Graphics Mode Register", write modes 0 to 3.)
    pub fn cpu_write(&self, data: u8) -> u32 {
        let g = &self.registers;
        let rotated = data.rotate_right(u32::from(g[r::DATA_ROTATE] & 7));
        let set_reset = spread(g[r::SET_RESET]);
        let (source, bit_mask) = match g[r::MODE] & 3 {
            0 => {
                let enable = spread(g[r::ENABLE_SET_RESET]);
                let source = (replicate(rotated) & !enable) | (set_reset & enable);
                (source, g[r::BIT_MASK])
            }
            1 => return self.latches,
            2 => (spread(data & 0x0F), g[r::BIT_MASK]),
            _ => (set_reset, rotated & g[r::BIT_MASK]),
        };
        let result = match g[r::DATA_ROTATE] >> 3 {
            0 => source,
            1 => source & self.latches,
            2 => source | self.latches,
            _ => source ^ self.latches,
        };
        let bits = replicate(bit_mask);
        (result & bits) | (self.latches & !bits)
    }
}
