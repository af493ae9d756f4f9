//! Loads of segment registers, and questions about selectors.

use super::super::case::base_of;
use super::super::layout::*;
use super::{Builder, DS, ES, SS};

/// Segment override prefixes in the order ES CS SS DS FS GS.
pub const OVERRIDES: [u8; 6] = [0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65];

impl Builder {
    /// MOV, POP, LDS and its kin, and often an access behind it.
    pub fn segment_load(&mut self) {
        let selector = self.selector();
        let seg = self.pick(&[ES, SS, SS, DS, 4, 5]);
        let wide = self.case.wide != self.one_in(4);
        match self.rng.below(8) {
            0..=2 => {
                let seg = if self.one_in(40) { 1 } else { seg };
                let high = self.u32() & 0xFFFF_0000;
                self.case.registers[0] = high | u32::from(selector);
                self.operand_size(wide);
                self.emit(&[0x8E, 0xC0 | seg << 3]);
            }
            3 => {
                self.case.sandbox.put16(OPERANDS + 16, selector);
                self.with_memory(&[0x8E], seg, 16);
            }
            4 | 5 => {
                let high = self.u32() & 0xFFFF_0000;
                self.stack(true, &[high | u32::from(selector)]);
                self.operand_size(wide);
                match seg {
                    4 => self.emit(&[0x0F, 0xA1]),
                    5 => self.emit(&[0x0F, 0xA9]),
                    _ => self.emit(&[0x07 | seg << 3]),
                }
            }
            _ => {
                let offset = if seg == SS { self.case.esp } else { self.u32() };
                self.case.sandbox.put32(OPERANDS + 32, offset);
                let at = if wide { 36 } else { 34 };
                self.case.sandbox.put16(OPERANDS + at, selector);
                self.operand_size(wide);
                // Into EBP, or ESP.
                let (opcode, reg): (&[u8], u8) = match seg {
                    ES => (&[0xC4], 5),
                    DS => (&[0xC5], 5),
                    SS => (&[0x0F, 0xB2], 4),
                    4 => (&[0x0F, 0xB4], 5),
                    _ => (&[0x0F, 0xB5], 5),
                };
                self.with_memory(opcode, reg, 32);
            }
        }
        if !self.one_in(3) {
            self.probe(seg, selector);
        }
    }

    /// A byte of a segment that has just been loaded, around its limit or in the data.
    fn probe(&mut self, seg: u8, selector: u16) {
        let raw = self.case.sandbox.descriptor(selector);
        let mut limit = (raw & 0xFFFF | raw >> 32 & 0xF_0000) as u32;
        if raw >> 55 & 1 != 0 {
            limit = limit << 12 | 0xFFF;
        }
        let near = self.rng.below(3) as u32;
        let offset = match self.rng.below(4) {
            0 => limit.wrapping_sub(1).wrapping_add(near),
            1 => near,
            _ => (DATA + 0x100 + near).wrapping_sub(base_of(raw)),
        };
        self.case.registers[2] = offset;
        let opcode = self.pick(&[0x8A, 0x88, 0x8B, 0x89]);
        if !self.case.wide {
            self.emit(&[0x67]);
        }
        self.emit(&[OVERRIDES[usize::from(seg)], opcode, 0x1A]);
    }

    /// LAR, LSL, VERR, VERW, ARPL, SLDT, STR, SMSW, SGDT, SIDT.
    pub fn query(&mut self) {
        let selector = self.selector();
        let high = self.u32() & 0xFFFF_0000;
        self.case.registers[0] = high | u32::from(selector);
        self.case.sandbox.put16(OPERANDS + 16, selector);
        let wide = self.one_in(2);
        let form = self.pick(&[0u8, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9]);
        let memory = self.one_in(3);
        let (opcode, reg): (&[u8], u8) = match form {
            0 => (&[0x0F, 0x02], 5),
            1 => (&[0x0F, 0x03], 5),
            2 => (&[0x0F, 0x00], 4),
            3 => (&[0x0F, 0x00], 5),
            4 => (&[0x63], 1),
            5 => (&[0x0F, 0x00], 0),
            6 => (&[0x0F, 0x00], 1),
            7 => (&[0x0F, 0x01], 4),
            8 => (&[0x0F, 0x01], 0),
            _ => (&[0x0F, 0x01], 1),
        };
        self.operand_size(wide);
        if memory || form >= 8 {
            self.with_memory(opcode, reg, 16);
        } else {
            self.emit(opcode);
            self.emit(&[0xC0 | reg << 3]);
        }
    }
}
