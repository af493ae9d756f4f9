//! The picture, as a pure function of registers and memory.
//!
//! A frame has one pixel for each master clock of the displayed part of a line and one row for each scan line:
//! what a monitor shows. So mode 13h is 640 x 400 with each pixel four times, text is 720 x 400.

use super::Registers;
use super::crtc::ScanLine;
use super::dispi::plane_dot;
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
        for (out, &dot) in row.chunks_exact_mut(repeat).zip(&line_dots) {
            out.fill(palette[usize::from(dot)]);
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
        if self.registers.graphics.graphics() {
            self.graphics(maps)
        } else {
            self.text(maps, counter, line.row_scan)
        }
    }

    fn text(&self, maps: u32, counter: u16, row_scan: u8) -> [u8; 9] {
        let r = self.registers;
        let [code, attribute, ..] = maps.to_le_bytes();
        let font = self.fonts[usize::from(attribute >> 3 & 1)];
        let at = usize::from(font) + usize::from(code) * 32 + usize::from(row_scan);
        let mut bits = u16::from((self.memory.maps(at & 0xFFFF) >> 16) as u8) << 1;
        if r.attribute.line_graphics() && (0xC0..=0xDF).contains(&code) {
            bits |= (bits >> 1) & 1;
        }
        if row_scan == r.crtc.underline_row() && attribute & 0x77 == 0x01 {
            bits = 0x1FF;
        }
        let (fore, mut back) = (attribute & 0x0F, attribute >> 4);
        if r.attribute.blink() {
            if back & 8 != 0 && !self.blink.characters {
                bits = 0;
            }
            back &= 7;
        }
        if self.blink.cursor
            && counter == r.crtc.cursor_location()
            && r.crtc
                .cursor_rows()
                .is_some_and(|(a, b)| (a..=b).contains(&row_scan))
        {
            bits = 0x1FF;
        }
        let (fore, back) = (
            self.colours[usize::from(fore)],
            self.colours[usize::from(back)],
        );
        std::array::from_fn(|i| if bits & (0x100 >> i) != 0 { fore } else { back })
    }

    fn graphics(&self, maps: u32) -> [u8; 9] {
        let mut out = [0; 9];
        let bytes = maps.to_le_bytes();
        let mut dots = [0u8; 8];
        match self.registers.graphics.shift_mode() {
            ShiftMode::Planar => {
                for (i, dot) in dots.iter_mut().enumerate() {
                    *dot = plane_dot(maps, 7 - i as u32);
                }
            }
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
        if self.registers.attribute.pixels_of_8_bits() {
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
