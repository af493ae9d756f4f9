//! The attribute controller: from four-bit dots and character attributes to eight-bit DAC addresses.

use super::spec::attribute as r;
use serde::{Deserialize, Serialize};

/// The attribute controller's registers.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Attribute {
    /// Address bits and the palette address source.
    address: u8,
    /// Whether the next write to 3C0h is data.
    data_next: bool,
    registers: [u8; 21],
}

impl Attribute {
    /// The address register.
    pub fn address(&self) -> u8 {
        self.address
    }
    /// A read of input status 1 makes the next write an address.
    pub fn reset_flip_flop(&mut self) {
        self.data_next = false;
    }
    /// Reads the addressed register; 0 where there is none.
    pub fn read(&self) -> u8 {
        let i = usize::from(self.address & r::INDEX_MASK);
        self.registers.get(i).copied().unwrap_or(0)
    }
    /// A write to 3C0h: address and data in turn. Palette registers take data only while the palette address source
    /// is 0.
    pub fn write(&mut self, value: u8) {
        if self.data_next {
            let i = usize::from(self.address & r::INDEX_MASK);
            let open = i >= r::PALETTES || !self.shows_picture();
            if let Some(register) = self.registers.get_mut(i).filter(|_| open) {
                *register = value & r::MASKS[i];
            }
        } else {
            self.address = value & (r::INDEX_MASK | r::PALETTE_ADDRESS_SOURCE);
        }
        self.data_next = !self.data_next;
    }

    /// Whether dots reach the palette; else the whole screen has the overscan colour.
    pub fn shows_picture(&self) -> bool {
        self.address & r::PALETTE_ADDRESS_SOURCE != 0
    }
    fn mode(&self, bit: u8) -> bool {
        self.registers[r::MODE] & bit != 0
    }
    /// Graphics (else alphanumeric) attributes.
    pub fn graphics(&self) -> bool {
        self.mode(r::MODE_GRAPHICS)
    }
    /// Whether codes C0h to DFh continue into the ninth dot.
    pub fn line_graphics(&self) -> bool {
        self.mode(r::MODE_LINE_GRAPHICS)
    }
    /// Whether attribute bit 7 blinks.
    pub fn blink(&self) -> bool {
        self.mode(r::MODE_BLINK)
    }
    /// Whether panning stops at the split.
    pub fn panning_compatible(&self) -> bool {
        self.mode(r::MODE_PANNING_COMPATIBLE)
    }
    /// Whether two dots of four bits make one pixel of eight.
    pub fn pixels_of_8_bits(&self) -> bool {
        self.mode(r::MODE_256)
    }
    /// The border's colour.
    pub fn overscan(&self) -> u8 {
        self.registers[r::OVERSCAN]
    }
    /// Dots by which the picture moves left. In 9-dot modes 8 stands for none and 0 for one ("Horizontal PEL
    /// Panning Register").
    pub fn panning(&self, character_dots: usize) -> usize {
        let n = usize::from(self.registers[r::PANNING]);
        match (character_dots, n) {
            (9, 0..=7) => n + 1,
            (9, _) => 0,
            _ => n & 7,
        }
    }
    /// The bits of a dot whose planes are enabled.
    pub fn enabled(&self, dot: u8) -> u8 {
        dot & self.registers[r::PLANE_ENABLE] & 0x0F
    }
    /// The DAC addresses of the sixteen dots. Blinking graphics (`toggled`) change bit 3 behind the plane enable:
    /// mode 0Fh blinks where map 2 alone is set, with plane 3 disabled.
    pub fn dac_addresses(&self, toggled: bool) -> [u8; 16] {
        let toggle = if toggled { 8 } else { 0 };
        std::array::from_fn(|dot| self.dac_address(self.enabled(dot as u8) ^ toggle))
    }
    fn dac_address(&self, dot: u8) -> u8 {
        let palette = self.registers[usize::from(dot & 0x0F)];
        let select = self.registers[r::COLOUR_SELECT];
        let p54 = if self.mode(r::MODE_P54_SELECT) {
            (select & 3) << 4
        } else {
            palette & 0x30
        };
        ((select & 0x0C) << 4) | p54 | (palette & 0x0F)
    }
    /// The four bits that half of a 256-colour pixel becomes.
    pub fn nibble(&self, dot: u8) -> u8 {
        self.registers[usize::from(self.enabled(dot))] & 0x0F
    }
    /// The two outputs that status register 1 shows of a DAC address, as bits 0 and 1 ("Color Plane Enable
    /// Register", video status MUX).
    pub fn diagnostic(&self, dac_address: u8) -> u8 {
        let (low, high) = match (self.registers[r::PLANE_ENABLE] >> 4) & 3 {
            0 => (0, 2),
            1 => (4, 5),
            2 => (1, 3),
            _ => (6, 7),
        };
        ((dac_address >> low) & 1) | (((dac_address >> high) & 1) << 1)
    }
}
