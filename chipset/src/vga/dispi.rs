//! The Bochs VBE extension: linear and banked modes of any size, set by a handful of 16-bit registers.

use super::memory::VideoMemory;
use super::spec::dispi as r;
use emu_core::host::Frame;
use serde::{Deserialize, Serialize};

/// The extension's registers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Dispi {
    index: u16,
    id: u16,
    xres: u16,
    yres: u16,
    bpp: u16,
    enable: u16,
    bank: u16,
    virt_width: u16,
    x_offset: u16,
    y_offset: u16,
    memory_64k: u16,
}

/// A mode that the extension shows.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Mode {
    /// Pixels of a line.
    pub width: u32,
    /// Lines.
    pub height: u32,
    /// Bits of a pixel: 4 (planar), 8, 15, 16, 24 or 32.
    pub bpp: u16,
}

impl Mode {
    /// Whether pixels lie one after the other, instead of in four maps.
    pub fn packed(&self) -> bool {
        self.bpp != 4
    }
}

/// What a write asks of the rest of the card.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Nothing.
    None,
    /// The mode has changed.
    Mode,
    /// The mode has changed and video memory must be cleared.
    ModeAndClear,
}

/// Bytes of a row in memory; of each map, if pixels have 4 bits.
fn row_bytes(pixels: u16, bpp: u16) -> usize {
    let pixels = usize::from(pixels);
    match bpp {
        4 => pixels / 8,
        15 => pixels * 2,
        _ => pixels * usize::from(bpp / 8),
    }
}

impl Dispi {
    /// The registers after reset, for a card with `vram_bytes` of memory.
    pub fn new(vram_bytes: usize) -> Self {
        Self {
            index: 0,
            id: r::ID_5,
            xres: 0,
            yres: 0,
            bpp: 8,
            enable: 0,
            bank: 0,
            virt_width: 0,
            x_offset: 0,
            y_offset: 0,
            memory_64k: u16::try_from(vram_bytes / r::BANK_BYTES).unwrap_or(u16::MAX),
        }
    }

    /// Whether a restored state is one that the registers can be in.
    pub fn is_valid(&self) -> bool {
        let on = self.enable & r::ENABLED != 0;
        !on || (self.fits(self.virt_width) && self.virt_width >= self.xres)
    }

    /// The index register.
    pub fn index(&self) -> u16 {
        self.index
    }
    /// Writes the index register.
    pub fn set_index(&mut self, value: u16) {
        self.index = value;
    }

    /// The mode that is shown, while the extension is on.
    pub fn mode(&self) -> Option<Mode> {
        (self.enable & r::ENABLED != 0).then_some(Mode {
            width: self.xres.into(),
            height: self.yres.into(),
            bpp: self.bpp,
        })
    }
    /// Whether a mode with packed pixels is on.
    pub fn packed(&self) -> bool {
        self.mode().is_some_and(|m| m.packed())
    }
    /// Whether the DAC has 8 bits.
    pub fn dac_8_bits(&self) -> bool {
        self.enable & r::DAC_8BIT != 0
    }
    /// The bank that the window shows.
    pub fn bank(&self) -> usize {
        self.bank.into()
    }

    fn memory_bytes(&self) -> usize {
        usize::from(self.memory_64k) * r::BANK_BYTES
    }
    fn row_bytes_total(&self, virt_width: u16) -> usize {
        row_bytes(virt_width, self.bpp) * if self.bpp == 4 { 4 } else { 1 }
    }
    /// Rows of the width given that memory holds.
    fn rows(&self, virt_width: u16) -> usize {
        self.memory_bytes()
            .checked_div(self.row_bytes_total(virt_width))
            .unwrap_or(0)
    }
    fn fits(&self, virt_width: u16) -> bool {
        self.xres > 0
            && self.yres > 0
            && self.xres <= r::MAX_XRES
            && self.yres <= r::MAX_YRES
            && matches!(self.bpp, 4 | 8 | 15 | 16 | 24 | 32)
            && self.rows(virt_width) >= self.yres.into()
    }

    /// Reads a register.
    pub fn read(&self, index: u16) -> u16 {
        let caps = self.enable & r::GET_CAPS != 0;
        match index {
            r::ID => self.id,
            r::XRES if caps => r::MAX_XRES,
            r::YRES if caps => r::MAX_YRES,
            r::BPP if caps => r::MAX_BPP,
            r::XRES => self.xres,
            r::YRES => self.yres,
            r::BPP => self.bpp,
            r::ENABLE => self.enable,
            r::BANK => self.bank,
            r::VIRT_WIDTH => self.virt_width,
            r::VIRT_HEIGHT => u16::try_from(self.rows(self.virt_width)).unwrap_or(u16::MAX),
            r::X_OFFSET => self.x_offset,
            r::Y_OFFSET => self.y_offset,
            r::VIDEO_MEMORY_64K => self.memory_64k,
            _ => 0,
        }
    }

    /// Writes a register. The size and depth can change only while the extension is off; a value that is out of
    /// range leaves the register as it is.
    pub fn write(&mut self, index: u16, value: u16) -> Effect {
        let on = self.mode().is_some();
        match index {
            r::ID if (r::ID_0..=r::ID_5).contains(&value) => self.id = value,
            r::XRES if !on && value <= r::MAX_XRES => self.xres = value & !7,
            r::YRES if !on && value <= r::MAX_YRES => self.yres = value,
            r::BPP if !on && value == 0 => self.bpp = 8,
            r::BPP if !on && matches!(value, 4 | 8 | 15 | 16 | 24 | 32) => self.bpp = value,
            r::BANK if value < self.banks() => self.bank = value,
            r::VIRT_WIDTH if on => {
                let width = if self.bpp == 4 { value & !7 } else { value };
                if width >= self.xres && self.fits(width) {
                    self.virt_width = width;
                    self.x_offset = self.x_offset.min(width - self.xres);
                    self.y_offset = self.y_offset.min(self.last_y_offset());
                }
            }
            r::X_OFFSET if on && value <= self.virt_width - self.xres => self.x_offset = value,
            r::Y_OFFSET if on && value <= self.last_y_offset() => self.y_offset = value,
            r::ENABLE => return self.write_enable(value & r::ENABLE_MASK),
            _ => {}
        }
        Effect::None
    }

    fn banks(&self) -> u16 {
        if self.bpp == 4 {
            self.memory_64k / 4
        } else {
            self.memory_64k
        }
    }

    fn last_y_offset(&self) -> u16 {
        let last = self.rows(self.virt_width).saturating_sub(self.yres.into());
        u16::try_from(last).unwrap_or(u16::MAX)
    }

    fn write_enable(&mut self, value: u16) -> Effect {
        let was_on = self.mode().is_some();
        let mut value = value;
        if value & r::ENABLED != 0 && !was_on {
            if self.fits(self.xres) {
                self.virt_width = self.xres;
                (self.x_offset, self.y_offset, self.bank) = (0, 0, 0);
            } else {
                value &= !r::ENABLED;
            }
        }
        self.enable = value;
        match (was_on, self.mode().is_some()) {
            (false, true) if value & r::NO_CLEAR == 0 => Effect::ModeAndClear,
            (a, b) if a != b => Effect::Mode,
            _ => Effect::None,
        }
    }

    /// Draws the picture.
    pub(super) fn scanout<M: VideoMemory + ?Sized>(
        &self,
        mode: &Mode,
        palette: &[u32; 256],
        plane_colours: &[u8; 16],
        memory: &M,
        frame: &mut Frame,
    ) {
        let width = mode.width as usize;
        frame.resize(width, mode.height as usize);
        let pitch = row_bytes(self.virt_width, self.bpp);
        let x = usize::from(self.x_offset);
        let mut bytes = vec![0; row_bytes(self.xres, self.bpp)];
        for (y, row) in frame.pixels.chunks_exact_mut(width.max(1)).enumerate() {
            let start = (y + usize::from(self.y_offset)) * pitch;
            if !mode.packed() {
                let mut dots = (start + x / 8..)
                    .flat_map(|at| plane_dots(memory.maps(at)))
                    .skip(x % 8);
                for pixel in row {
                    let dot = usize::from(dots.next().unwrap_or(0));
                    *pixel = palette[usize::from(plane_colours[dot])];
                }
                continue;
            }
            memory.bytes(start + row_bytes(self.x_offset, self.bpp), &mut bytes);
            draw_packed(self.bpp, palette, &bytes, row);
        }
    }
}

/// The eight dots that a byte of each of four maps gives: one bit of each, the highest first.
pub(super) fn plane_dots(maps: u32) -> [u8; 8] {
    let bytes = maps.to_le_bytes();
    let dots = (0..4).fold(0, |dots, map| {
        dots | ((BITS[usize::from(bytes[map])] & 0x0101_0101_0101_0101) << map)
    });
    dots.to_le_bytes()
}

/// For each byte: FFh for each bit that is set, the highest bit first in memory order.
pub(super) const BITS: [u64; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut bit = 0;
        while bit < 8 {
            if byte & (0x80 >> bit) != 0 {
                table[byte] |= 0xFF << (8 * bit);
            }
            bit += 1;
        }
        byte += 1;
    }
    table
};

fn draw_packed(bpp: u16, palette: &[u32; 256], bytes: &[u8], row: &mut [u32]) {
    // A value of `n` bits stretched to 8 by repeating its upper bits.
    let stretch = |v: u32, n: u32| (v << (8 - n)) | (v >> (2 * n - 8));
    let rgb = |r: u32, g: u32, b: u32| (r << 16) | (g << 8) | b;
    match bpp {
        8 => {
            for (pixel, &b) in row.iter_mut().zip(bytes) {
                *pixel = palette[usize::from(b)];
            }
        }
        15 | 16 => {
            for (pixel, b) in row.iter_mut().zip(bytes.chunks_exact(2)) {
                let v = u32::from(u16::from_le_bytes([b[0], b[1]]));
                *pixel = if bpp == 15 {
                    let c = |at: u32| stretch((v >> at) & 31, 5);
                    rgb(c(10), c(5), c(0))
                } else {
                    rgb(
                        stretch(v >> 11, 5),
                        stretch((v >> 5) & 63, 6),
                        stretch(v & 31, 5),
                    )
                };
            }
        }
        _ => {
            for (pixel, b) in row.iter_mut().zip(bytes.chunks_exact(usize::from(bpp / 8))) {
                *pixel = rgb(b[2].into(), b[1].into(), b[0].into());
            }
        }
    }
}
