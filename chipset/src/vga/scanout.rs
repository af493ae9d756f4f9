//! The picture, as a pure function of registers and memory.
//!
//! A frame has one pixel for each master clock of the displayed part of a line and one row for each scan line:
//! what a monitor shows. So mode 13h is 640 x 400 with each pixel four times, text is 720 x 400.

use super::Registers;
use super::crtc::ScanLine;
use super::dispi::{BITS, plane_dots};
use super::graphics::ShiftMode;
use super::memory::VideoMemory;
use super::spec::{CHARACTER_BLINK_FRAMES, CURSOR_BLINK_FRAMES};
use emu_core::host::Frame;

/// The size of the black picture that a monitor without sync shows: a choice of ours.
const NO_SIGNAL: (usize, usize) = (640, 400);

/// The moment in the blink periods.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Blink {
    /// The cursor is shown.
    pub cursor: bool,
    /// Blinking characters are shown.
    pub characters: bool,
}

impl Blink {
    /// The state in frame `frame`.
    pub fn at(frame: u64) -> Self {
        Self {
            cursor: frame % CURSOR_BLINK_FRAMES < CURSOR_BLINK_FRAMES / 2,
            characters: frame % CHARACTER_BLINK_FRAMES < CHARACTER_BLINK_FRAMES / 2,
        }
    }
}

/// Draws the picture that `registers` make of `memory`.
pub fn scanout<M: VideoMemory + ?Sized>(
    registers: &Registers,
    memory: &M,
    blink: Blink,
    frame: &mut Frame,
) {
    let mut palette = registers.dac.palette();
    let off = !registers.sequencer.runs() || registers.sequencer.screen_off();
    if off {
        palette = [0; 256];
    }
    if let Some(mode) = registers.dispi.mode() {
        if off || !registers.attribute.shows_picture() {
            frame.resize(mode.width as usize, mode.height as usize);
            frame.pixels.fill(0);
        } else {
            let colours = registers.attribute.dac_addresses(false);
            registers
                .dispi
                .scanout(&mode, &palette, &colours, memory, frame);
        }
        return;
    }
    if !registers.sequencer.runs() || !registers.crtc.retrace_runs() {
        frame.resize(NO_SIGNAL.0, NO_SIGNAL.1);
        frame.pixels.fill(0);
        return;
    }
    let dots = registers.crtc.columns() as usize * registers.sequencer.character_dots();
    let repeat = registers.sequencer.clocks_per_dot();
    let width = dots * repeat;
    frame.resize(width, registers.crtc.lines() as usize);
    if off || !registers.attribute.shows_picture() {
        let border = palette[usize::from(registers.attribute.overscan())];
        frame.pixels.fill(border);
        return;
    }
    let painter = Painter::new(registers, memory, blink);
    let mut line_dots = Vec::with_capacity(dots + 9);
    let mut before: Option<ScanLine> = None;
    for y in 0..frame.height {
        let line = painter.line(y as u32);
        let (done, rest) = frame.pixels.split_at_mut(y * width);
        let row = &mut rest[..width];
        if before == Some(line) {
            row.copy_from_slice(&done[(y - 1) * width..]);
            continue;
        }
        before = Some(line);
        painter.dots(&line, &mut line_dots);
        if repeat == 1 {
            for (out, &dot) in row.iter_mut().zip(&line_dots) {
                *out = palette[usize::from(dot)];
            }
        } else {
            for (out, &dot) in row.chunks_exact_mut(repeat).zip(&line_dots) {
                out.fill(palette[usize::from(dot)]);
            }
        }
    }
}

/// Draws lines as DAC addresses.
pub(super) struct Painter<'a, M: ?Sized> {
    registers: &'a Registers,
    memory: &'a M,
    blink: Blink,
    colours: [u8; 16],
    nibbles: [u8; 16],
    fonts: [u16; 2],
    width: usize,
    /// Address, first and last row of the cursor while it is shown.
    cursor: Option<(u16, u8, u8)>,
    underline_row: u8,
    line_graphics: bool,
    attribute_blink: bool,
    graphics: bool,
    shift_mode: ShiftMode,
    pixels_of_8_bits: bool,
}

impl<'a, M: VideoMemory + ?Sized> Painter<'a, M> {
    pub(super) fn new(registers: &'a Registers, memory: &'a M, blink: Blink) -> Self {
        let attribute = &registers.attribute;
        let toggled = attribute.graphics() && attribute.blink() && !blink.characters;
        Self {
            registers,
            memory,
            blink,
            colours: attribute.dac_addresses(toggled && registers.graphics.graphics()),
            nibbles: std::array::from_fn(|i| attribute.nibble(i as u8)),
            fonts: registers.sequencer.fonts(),
            width: registers.sequencer.character_dots(),
            cursor: registers
                .crtc
                .cursor_rows()
                .filter(|_| blink.cursor)
                .map(|(first, last)| (registers.crtc.cursor_location(), first, last)),
            underline_row: registers.crtc.underline_row(),
            line_graphics: attribute.line_graphics(),
            attribute_blink: attribute.blink(),
            graphics: registers.graphics.graphics(),
            shift_mode: registers.graphics.shift_mode(),
            pixels_of_8_bits: attribute.pixels_of_8_bits(),
        }
    }

    pub(super) fn line(&self, y: u32) -> ScanLine {
        let stops = self.registers.attribute.panning_compatible();
        self.registers.crtc.scan_line(y, stops)
    }

    /// Dots that panning moves out of the picture on the left.
    fn panning(&self, line: &ScanLine) -> usize {
        if line.below_split && self.registers.attribute.panning_compatible() {
            0
        } else {
            self.registers.attribute.panning(self.width)
        }
    }

    /// All dots of a line.
    fn dots(&self, line: &ScanLine, out: &mut Vec<u8>) {
        out.clear();
        let columns = self.registers.crtc.columns();
        for column in 0..=columns {
            out.extend_from_slice(&self.character(line, column)[..self.width]);
        }
        out.drain(..self.panning(line));
        out.truncate(columns as usize * self.width);
    }

    /// One dot of a line, as the beam passes it.
    pub(super) fn dot(&self, line: &ScanLine, dot: usize) -> u8 {
        let dot = dot + self.panning(line);
        self.character(line, (dot / self.width) as u32)[dot % self.width]
    }

    /// The dots of one character clock.
    fn character(&self, line: &ScanLine, column: u32) -> [u8; 9] {
        let crtc = &self.registers.crtc;
        let counter = crtc.counter(line, column);
        let address = crtc.memory_address(counter, line.row_scan);
        let maps = self.memory.maps(address.into());
        if self.graphics {
            self.graphics(maps)
        } else {
            self.text(maps, counter, line.row_scan)
        }
    }

    fn text(&self, maps: u32, counter: u16, row_scan: u8) -> [u8; 9] {
        let [code, attribute, ..] = maps.to_le_bytes();
        let font = self.fonts[usize::from(attribute >> 3 & 1)];
        let at = usize::from(font) + usize::from(code) * 32 + usize::from(row_scan);
        let mut bits = (self.memory.maps(at & 0xFFFF) >> 16) as u8;
        let mut ninth = self.line_graphics && (0xC0..=0xDF).contains(&code) && bits & 1 != 0;
        if row_scan == self.underline_row && attribute & 0x77 == 0x01 {
            (bits, ninth) = (0xFF, true);
        }
        let mut back = attribute >> 4;
        if self.attribute_blink {
            if back & 8 != 0 && !self.blink.characters {
                (bits, ninth) = (0, false);
            }
            back &= 7;
        }
        let at_cursor = self.cursor.is_some_and(|(location, first, last)| {
            counter == location && (first..=last).contains(&row_scan)
        });
        if at_cursor {
            (bits, ninth) = (0xFF, true);
        }
        let fore = self.colours[usize::from(attribute & 0x0F)];
        let back = self.colours[usize::from(back)];
        let (mask, every) = (BITS[usize::from(bits)], 0x0101_0101_0101_0101);
        let dots = ((u64::from(fore) * every) & mask) | ((u64::from(back) * every) & !mask);
        let mut out = [if ninth { fore } else { back }; 9];
        out[..8].copy_from_slice(&dots.to_le_bytes());
        out
    }

    fn graphics(&self, maps: u32) -> [u8; 9] {
        let mut out = [0; 9];
        let bytes = maps.to_le_bytes();
        let mut dots = [0u8; 8];
        match self.shift_mode {
            ShiftMode::Planar => dots = plane_dots(maps),
            ShiftMode::Interleaved => {
                for (i, dot) in dots.iter_mut().enumerate() {
                    let (map, shift) = (i / 4, 6 - 2 * (i % 4));
                    let pair = |m: usize| (bytes[m] >> shift) & 3;
                    *dot = pair(map) | (pair(map + 2) << 2);
                }
            }
            ShiftMode::Nibbles => {
                for (i, dot) in dots.iter_mut().enumerate() {
                    *dot = (bytes[i / 2] >> if i % 2 == 0 { 4 } else { 0 }) & 0x0F;
                }
            }
        }
        if self.pixels_of_8_bits {
            for (pair, two) in out.chunks_mut(2).zip(dots.chunks_exact(2)) {
                let half = |d: u8| self.nibbles[usize::from(d)];
                pair.fill((half(two[0]) << 4) | half(two[1]));
            }
        } else {
            for (to, &dot) in out.iter_mut().zip(&dots) {
                *to = self.colours[usize::from(dot)];
            }
        }
        // A ninth dot in graphics has nothing in the shift register.
        out[8] = self.colours[0];
        out
    }
}
