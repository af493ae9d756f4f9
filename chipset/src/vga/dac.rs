//! The video DAC: 256 colours of three values, and the three-step way to them.

use serde::{Deserialize, Serialize};
use serde_big_array::BigArray;

/// The DAC. Values are kept in 8 bits; a DAC of 6 bits fills the upper ones.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Dac {
    mask: u8,
    address: u8,
    reading: bool,
    /// Which of red, green, blue comes next.
    step: u8,
    /// The colour on its way to or from the palette.
    holding: [u8; 3],
    bits_8: bool,
    #[serde(with = "BigArray")]
    red: [u8; 256],
    #[serde(with = "BigArray")]
    green: [u8; 256],
    #[serde(with = "BigArray")]
    blue: [u8; 256],
}

impl Default for Dac {
    fn default() -> Self {
        Self {
            mask: 0xFF,
            address: 0,
            reading: false,
            step: 0,
            holding: [0; 3],
            bits_8: false,
            red: [0; 256],
            green: [0; 256],
            blue: [0; 256],
        }
    }
}

impl Dac {
    /// PEL mask.
    pub fn mask(&self) -> u8 {
        self.mask
    }
    /// Sets the PEL mask.
    pub fn set_mask(&mut self, value: u8) {
        self.mask = value;
    }
    /// The state register: 0 after the write address was set, 3 after the read address.
    pub fn state(&self) -> u8 {
        if self.reading { 3 } else { 0 }
    }
    /// The address register; it has already moved on to the next colour when one was loaded for reading.
    pub fn address(&self) -> u8 {
        self.address
    }
    /// Sets the address for writing.
    pub fn set_write_address(&mut self, value: u8) {
        self.address = value;
        self.reading = false;
        self.step = 0;
    }
    /// Sets the address for reading: loads the colour and moves on.
    pub fn set_read_address(&mut self, value: u8) {
        self.address = value;
        self.reading = true;
        self.step = 0;
        self.load();
    }
    fn load(&mut self) {
        let i = usize::from(self.address);
        self.holding = [self.red[i], self.green[i], self.blue[i]];
        self.address = self.address.wrapping_add(1);
    }
    fn next_step(&mut self) -> bool {
        self.step = (self.step + 1) % 3;
        self.step == 0
    }
    fn shift(&self) -> u32 {
        if self.bits_8 { 0 } else { 2 }
    }
    /// Reads the next of red, green, blue.
    pub fn read(&mut self) -> u8 {
        let value = self.holding[usize::from(self.step % 3)] >> self.shift();
        if self.next_step() {
            self.load();
        }
        value
    }
    /// Writes the next of red, green, blue; the colour changes with the third.
    pub fn write(&mut self, value: u8) {
        self.holding[usize::from(self.step % 3)] = value << self.shift();
        if self.next_step() {
            let i = usize::from(self.address);
            [self.red[i], self.green[i], self.blue[i]] = self.holding;
            self.address = self.address.wrapping_add(1);
        }
    }
    /// Chooses between 6 and 8 bits for each value.
    pub fn set_8_bits(&mut self, on: bool) {
        self.bits_8 = on;
    }
    /// The colour of an address as 00RRGGBB.
    pub fn rgb(&self, address: u8) -> u32 {
        let i = usize::from(address & self.mask);
        [self.red[i], self.green[i], self.blue[i]]
            .into_iter()
            .fold(0, |rgb, v| {
                let v = if self.bits_8 {
                    v
                } else {
                    (v & 0xFC) | (v >> 6)
                };
                (rgb << 8) | u32::from(v)
            })
    }
    /// The colours of all addresses.
    pub fn palette(&self) -> [u32; 256] {
        std::array::from_fn(|i| self.rgb(i as u8))
    }
    /// Whether a restored state is one that the DAC can be in.
    pub fn is_valid(&self) -> bool {
        self.step < 3
    }
}
