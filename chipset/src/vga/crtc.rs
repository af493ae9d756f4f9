//! The CRT controller: where lines begin and end, and which address each character clock shows.

use super::spec::crtc as r;
use serde::{Deserialize, Serialize};

/// The CRT controller's registers.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Crtc {
    index: u8,
    registers: [u8; 25],
}

/// What a scan line shows.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct ScanLine {
    /// The address counter at the first character.
    pub address: u16,
    /// The row scan counter.
    pub row_scan: u8,
    /// Whether the line lies below the split.
    pub below_split: bool,
}

impl Crtc {
    /// The address register.
    pub fn index(&self) -> u8 {
        self.index
    }
    /// Writes the address register.
    pub fn set_index(&mut self, value: u8) {
        self.index = value & r::INDEX_MASK;
    }
    /// Reads the addressed register; 0 where there is none. 10h and 11h give the light pen's latches (never set: no
    /// pen can be connected) while compatible read is off.
    pub fn read(&self) -> u8 {
        let i = usize::from(self.index);
        let pen = i == r::VERTICAL_RETRACE_START || i == r::VERTICAL_RETRACE_END;
        if pen && self.at(r::END_HORIZONTAL_BLANKING) & r::COMPATIBLE_READ == 0 {
            return 0;
        }
        self.registers.get(i).copied().unwrap_or(0)
    }
    /// Writes the addressed register.
    pub fn write(&mut self, value: u8) {
        let i = usize::from(self.index);
        let protect = self.at(r::VERTICAL_RETRACE_END) & r::PROTECT != 0;
        let mask = match (r::MASKS.get(i), protect) {
            (None, _) => return,
            (Some(_), true) if i == r::OVERFLOW => r::OVERFLOW_LINE_COMPARE,
            (Some(_), true) if i < r::OVERFLOW => 0,
            (Some(&mask), _) => mask,
        };
        self.registers[i] = (self.registers[i] & !mask) | (value & mask);
    }

    fn at(&self, i: usize) -> u8 {
        self.registers[i]
    }
    fn has(&self, i: usize, bit: u8) -> bool {
        self.registers[i] & bit != 0
    }
    fn word(&self, high: usize) -> u16 {
        u16::from_be_bytes([self.at(high), self.at(high + 1)])
    }
    /// A 10-bit vertical value whose bits 8 and 9 stand in the overflow register.
    fn vertical(&self, i: usize, bit8: u32, bit9: u32) -> u32 {
        let o = u32::from(self.at(r::OVERFLOW));
        u32::from(self.at(i)) | (((o >> bit8) & 1) << 8) | (((o >> bit9) & 1) << 9)
    }

    /// Characters of a line, blanking included.
    pub fn horizontal_total(&self) -> u32 {
        u32::from(self.at(r::HORIZONTAL_TOTAL)) + 5
    }
    /// Characters shown in a line.
    pub fn columns(&self) -> u32 {
        (u32::from(self.at(r::HORIZONTAL_DISPLAY_END)) + 1).min(self.horizontal_total())
    }
    /// Scan lines for one count of the vertical counter.
    fn lines_per_count(&self) -> u32 {
        1 + u32::from(self.has(r::MODE, r::MODE_LINES_TIMES_2))
    }
    /// Scan lines of a frame.
    pub fn vertical_total(&self) -> u32 {
        (self.vertical(r::VERTICAL_TOTAL, 0, 5) + 2) * self.lines_per_count()
    }
    /// Scan lines shown.
    pub fn lines(&self) -> u32 {
        let shown = (self.vertical(r::VERTICAL_DISPLAY_END, 1, 6) + 1) * self.lines_per_count();
        shown.min(self.vertical_total())
    }
    /// The scan line with which vertical retrace begins.
    pub fn retrace_start(&self) -> u32 {
        self.vertical(r::VERTICAL_RETRACE_START, 2, 7) * self.lines_per_count()
    }
    /// Scan lines of the vertical retrace: until the counter's low four bits match.
    pub fn retrace_lines(&self) -> u32 {
        let start = self.at(r::VERTICAL_RETRACE_START);
        let width = self.at(r::VERTICAL_RETRACE_END).wrapping_sub(start) & 0x0F;
        (if width == 0 { 16 } else { u32::from(width) }) * self.lines_per_count()
    }
    /// Whether the retraces run.
    pub fn retrace_runs(&self) -> bool {
        self.has(r::MODE, r::MODE_RETRACE)
    }
    /// Whether the vertical interrupt is enabled.
    pub fn interrupt_enabled(&self) -> bool {
        !self.has(r::VERTICAL_RETRACE_END, r::INTERRUPT_DISABLE)
    }
    /// Whether the vertical interrupt is held clear.
    pub fn interrupt_cleared(&self) -> bool {
        !self.has(r::VERTICAL_RETRACE_END, r::INTERRUPT_NOT_CLEARED)
    }
    /// The last scan line above the split.
    fn split_line(&self) -> u32 {
        let bit9 = u32::from(self.at(r::MAXIMUM_SCAN_LINE) >> 6) & 1;
        let line = (self.vertical(r::LINE_COMPARE, 4, 8) & 0x1FF) | (bit9 << 9);
        line * self.lines_per_count() + (self.lines_per_count() - 1)
    }
    /// Scan lines of a row.
    pub fn row_lines(&self) -> u32 {
        u32::from(self.at(r::MAXIMUM_SCAN_LINE) & 0x1F) + 1
    }
    /// Whether the row scan counter counts every second line.
    pub fn double_scan(&self) -> bool {
        self.has(r::MAXIMUM_SCAN_LINE, r::DOUBLE_SCAN)
    }
    /// The address counter at the top left character.
    pub fn start_address(&self) -> u16 {
        self.word(r::START_ADDRESS)
    }
    /// By how much the address counter grows from row to row.
    pub fn row_addresses(&self) -> u16 {
        u16::from(self.at(r::OFFSET)) * 2
    }
    /// Whole characters by which the picture moves left.
    fn byte_panning(&self) -> u16 {
        u16::from(self.at(r::PRESET_ROW_SCAN) >> 5) & 3
    }
    /// The address counter at the cursor, its skew included.
    pub fn cursor_location(&self) -> u16 {
        let skew = u16::from(self.at(r::CURSOR_END) >> 5) & 3;
        self.word(r::CURSOR_LOCATION).wrapping_add(skew)
    }
    /// First and last row scan of the cursor; `None` if it is off or would end before it starts.
    pub fn cursor_rows(&self) -> Option<(u8, u8)> {
        let (start, end) = (
            self.at(r::CURSOR_START) & 0x1F,
            self.at(r::CURSOR_END) & 0x1F,
        );
        let on = !self.has(r::CURSOR_START, r::CURSOR_OFF);
        (on && start <= end).then_some((start, end))
    }
    /// The row scan of the underline.
    pub fn underline_row(&self) -> u8 {
        self.at(r::UNDERLINE) & 0x1F
    }

    /// What scan line `line` shows. `panning_stops`: byte panning ends at the split.
    pub fn scan_line(&self, line: u32, panning_stops: bool) -> ScanLine {
        let double = u32::from(self.double_scan());
        let rows = self.row_lines();
        let split = self.split_line();
        let below_split = line > split;
        let preset = u32::from(self.at(r::PRESET_ROW_SCAN) & 0x1F);
        let (row, scan) = if below_split {
            let n = (line - split - 1) >> double;
            (n / rows, n % rows)
        } else {
            let n = line >> double;
            if preset < rows {
                ((n + preset) / rows, (n + preset) % rows)
            } else if n < 32 - preset {
                // Past its maximum already: the five-bit counter runs on until it wraps.
                (0, preset + n)
            } else {
                let n = n - (32 - preset);
                (n / rows, n % rows)
            }
        };
        let start = if below_split { 0 } else { self.start_address() };
        let panning = if below_split && panning_stops {
            0
        } else {
            self.byte_panning()
        };
        ScanLine {
            address: start
                .wrapping_add(panning)
                .wrapping_add((row as u16).wrapping_mul(self.row_addresses())),
            row_scan: scan as u8,
            below_split,
        }
    }

    /// The address counter at a character of a line.
    pub fn counter(&self, line: &ScanLine, column: u32) -> u16 {
        let shift = if self.has(r::UNDERLINE, r::COUNT_BY_4) {
            2
        } else {
            u32::from(self.has(r::MODE, r::MODE_COUNT_BY_2))
        };
        line.address.wrapping_add((column >> shift) as u16)
    }

    /// The memory address that the counter becomes ("CRT Mode Control Register").
    pub fn memory_address(&self, counter: u16, row_scan: u8) -> u16 {
        let mut address = if self.has(r::UNDERLINE, r::DOUBLEWORD) {
            (counter << 2) | ((counter >> 12) & 3)
        } else if self.has(r::MODE, r::MODE_BYTE) {
            counter
        } else if self.has(r::MODE, r::MODE_WRAP_15) {
            counter.rotate_left(1)
        } else {
            (counter << 1) | ((counter >> 13) & 1)
        };
        for (bit, open, scan) in [(13, r::MODE_ADDRESS_13, 0), (14, r::MODE_ADDRESS_14, 1)] {
            if !self.has(r::MODE, open) {
                address = (address & !(1 << bit)) | ((u16::from(row_scan) >> scan) & 1) << bit;
            }
        }
        address
    }
}
