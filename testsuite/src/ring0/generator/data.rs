//! Data: segment limits, ports, alignment.

use super::super::case::*;
use super::super::layout::*;
use super::super::sandbox::*;
use super::segment::OVERRIDES;
use super::{Builder, ES, SS};

/// Where the segments of [`Builder::limit`] begin.
const BASE: u32 = DATA + 0x40;
/// Ports that nothing answers at.
const PORT: u32 = 0x140;

impl Builder {
    /// Accesses of every size around a segment's limit.
    pub fn limit(&mut self) {
        let cpl = self.case.cpl();
        let stack = self.one_in(3);
        let down = self.one_in(3);
        let limit = match self.rng.below(6) {
            0 => 0,
            1 => 1 + self.rng.below(16) as u32,
            2 => 0xFFFF,
            3 => self.rng.below(0x1000) as u32,
            _ => 0x100 + self.rng.below(0x800) as u32,
        };
        let pages = self.one_in(8);
        let limit_bytes = if pages {
            (limit & 1) << 12 | 0xFFF
        } else {
            limit
        };
        let kind = if down {
            0x17
        } else if !stack && self.one_in(4) {
            self.pick(&[0x11, 0x1B, 0x1F])
        } else {
            DATA_RW
        };
        let big = self.one_in(2);
        // Where an expand-down segment begins, in one of 16 bits so that its upper end is near too.
        let base = if down && !stack { BASE - 0x800 } else { BASE };
        let raw = Segment {
            base,
            limit: if pages { limit & 1 } else { limit },
            kind,
            dpl: if stack { cpl } else { 3 },
            present: true,
            big,
            pages,
            spare: 0,
        }
        .raw();
        self.case.sandbox.describe(WILD, raw);
        let off_by = self.rng.below(12) as u32;
        let offset = match self.rng.below(8) {
            0..=4 => limit_bytes.wrapping_sub(9).wrapping_add(off_by),
            5 => 0xFFFF_u32.wrapping_sub(8).wrapping_add(off_by),
            6 => 0xFFFF_FFF7_u32.wrapping_add(off_by),
            _ => limit_bytes.wrapping_add(off_by * 16),
        };
        if stack {
            self.case.ss = WILD | u16::from(cpl);
            self.case.esp = offset;
            let code: &[u8] = self.pick(&[
                &[0x50][..],
                &[0x66, 0x50],
                &[0x58],
                &[0x66, 0x58],
                &[0x60],
                &[0x66, 0x60],
                &[0x61],
                &[0x9C],
                &[0xE8, 0, 0, 0, 0],
                &[0xC8, 4, 0, 0],
                &[0xC8, 4, 0, 3],
                &[0xC9],
                &[0xC3],
                &[0x8F, 0x05, 0x00, 0x50, 0x08, 0x00],
            ]);
            let code = match (self.case.wide, code) {
                // The same in 16 bits.
                (false, [0xE8, ..]) => &[0xE8, 0, 0][..],
                (false, [0x8F, ..]) => &[0x58][..],
                (_, code) => code,
            };
            self.case.registers[4] = offset.wrapping_add(self.rng.below(12) as u32);
            self.emit(code);
            return;
        }
        let seg = self.pick(&[0u8, 3, 4, 5]);
        let index = [0usize, 9, 9, 1, 2, 3][usize::from(seg)];
        self.case.data[index] = WILD | 3;
        self.case.registers[2] = offset;
        let prefix = OVERRIDES[usize::from(seg)];
        if self.one_in(5) && (seg == ES || seg == 3) {
            self.string(seg, offset);
            return;
        }
        if !self.case.wide {
            self.emit(&[0x67]);
        }
        let code: &[u8] = self.pick(&[
            &[0x8A, 0x02][..],
            &[0x88, 0x02],
            &[0x8B, 0x02],
            &[0x89, 0x02],
            &[0x66, 0x8B, 0x02],
            &[0x66, 0x89, 0x02],
            &[0x01, 0x02],
            &[0x80, 0x02, 1],
            &[0x0F, 0xC7, 0x0A],
            &[0x62, 0x02],
            &[0xDD, 0x02],
            &[0xDB, 0x2A],
            &[0xDF, 0x22],
            &[0xC5, 0x1A],
            &[0xFF, 0x32],
            &[0x0F, 0xA3, 0x02],
            &[0x0F, 0xAB, 0x02],
            &[0x0F, 0x18, 0x0A],
            &[0x8D, 0x02],
        ]);
        if let [.., 0x0F, 0xA3 | 0xAB, _] = code {
            // A small bit offset.
            self.case.registers[0] &= 0x7F;
        }
        self.emit(&[prefix]);
        self.emit(code);
    }

    /// A repeated string instruction that runs into a limit.
    fn string(&mut self, seg: u8, offset: u32) {
        let count = self.rng.below(6) as u32;
        self.case.registers[1] = count;
        let good = DATA + 0x1800;
        let (source, destination) = if seg == ES {
            (good, offset)
        } else {
            (offset, good)
        };
        self.case.registers[5] = source;
        self.case.registers[6] = destination;
        if seg != ES {
            self.case.data[0] = of_ring(DATA_32, 3);
        }
        let code: &[u8] = self.pick(&[
            &[0xF3, 0xA4][..],
            &[0xF3, 0xA5],
            &[0xF3, 0xAB],
            &[0xF3, 0xAC],
            &[0xF2, 0xAE],
            &[0xF3, 0xA6],
            &[0xA5],
        ]);
        if !self.case.wide {
            self.emit(&[0x67]);
        }
        self.emit(code);
    }

    /// IN, OUT, INS and OUTS with IOPL and the permission bitmap.
    pub fn port(&mut self) {
        if self.case.long.is_none() && self.one_in(3) {
            self.enter_virtual_8086();
        } else if !self.one_in(3) {
            let wide = self.case.wide;
            self.at_ring(3, wide);
        }
        let port = PORT + self.rng.below(0x18) as u32;
        let bitmap = TSS + IO_BITMAP + port / 8 - 1;
        let bits = self.u32() & self.u32();
        self.case.sandbox.put32(bitmap, bits);
        match self.rng.below(6) {
            0 => {
                // The bitmap ends here or hereabouts.
                let raw = self.case.sandbox.descriptor(MAIN_TASK) & !0xFFFF;
                let limit = IO_BITMAP + port / 8 + self.rng.below(4) as u32 - 1;
                self.case
                    .sandbox
                    .describe(MAIN_TASK, raw | u64::from(limit));
            }
            1 => {
                let base = self.rng.pick(&[0xFFFFu16, 0x200, 0x1FF, 0x1FE, 0x68]);
                self.case.sandbox.put16(TSS + 102, base);
            }
            _ => (),
        }
        let high = self.u32() << 16;
        self.case.registers[2] = high | port;
        let wide = self.one_in(2);
        self.operand_size(wide);
        let opcode = self.pick(&[0xEC, 0xED, 0xEE, 0xEF, 0xED, 0xEF]);
        self.emit(&[opcode]);
    }

    /// Misaligned operands with AM and AC.
    pub fn alignment(&mut self) {
        if !self.one_in(4) {
            let wide = self.case.wide;
            self.at_ring(3, wide);
        }
        if !self.one_in(4) {
            self.case.cr0 |= CR0_AM;
        }
        if !self.one_in(4) {
            self.case.eflags |= 1 << 18;
        }
        let offset = self.rng.below(16) as u32;
        self.case.registers[2] = DATA + 0x100 + offset;
        if self.one_in(4) {
            // The stack.
            self.case.esp = self.case.esp.wrapping_sub(self.rng.below(4) as u32);
            let code: &[u8] = self.pick(&[&[0x50][..], &[0x58], &[0x66, 0x50], &[0x60], &[0x61]]);
            self.emit(code);
            return;
        }
        if !self.case.wide {
            self.emit(&[0x67]);
        }
        let code: &[u8] = self.pick(&[
            &[0x8B, 0x02][..],
            &[0x89, 0x02],
            &[0x66, 0x8B, 0x02],
            &[0x01, 0x02],
            &[0x0F, 0xC7, 0x0A],
            &[0xDD, 0x02],
            &[0xDB, 0x2A],
            &[0xD9, 0x02],
            &[0xC4, 0x1A],
            &[0x62, 0x02],
            &[0x8E, 0x22],
            &[0x0F, 0x01, 0x02],
            &[0xFF, 0x32],
        ]);
        self.emit(code);
    }

    /// Code, stack and data in virtual-8086 mode.
    pub fn enter_virtual_8086(&mut self) {
        let segment = (SANDBOX >> 4) as u16;
        let c = &mut self.case;
        c.eflags |= EFLAGS_VM;
        c.wide = false;
        c.cs = segment;
        c.ss = segment;
        c.data = [segment; 4];
        c.eip = CODE - SANDBOX + self.rng.below(0xE00) as u32;
        c.esp = stack_of(3) + STACK_START - SANDBOX;
        let high = self.u32() << 16;
        if self.one_in(4) {
            self.case.esp |= high;
        }
    }

    /// What virtual-8086 mode treats in its own way.
    pub fn virtual_8086(&mut self) {
        self.enter_virtual_8086();
        if self.one_in(2) {
            self.case.cr4 |= 1;
        }
        // VIF and VIP.
        self.case.eflags |= self.u32() & 0x18_0000;
        let vector = 0x20 + self.rng.below(0x20) as u8;
        let redirection = TSS + IO_BITMAP - 32;
        for n in 0..8 {
            let bits = self.u32();
            self.case.sandbox.put32(redirection + 4 * n, bits);
        }
        if self.one_in(3) {
            let kind = self.pick(&[6, 7, 14, 15]);
            let selector = if self.one_in(2) {
                CODE_32
            } else {
                self.code_selector()
            };
            let raw = Gate {
                selector,
                offset: self.landing(selector),
                kind,
                dpl: self.pick(&[3, 3, 0]),
                present: true,
                parameters: 0,
            }
            .raw();
            self.case.sandbox.put64(IDT + 8 * u32::from(vector), raw);
        }
        let flags = self.u32() & 0x003C_FED7;
        let ip = CODE - SANDBOX + self.rng.below(0xF00) as u32;
        let cs = u32::from((SANDBOX >> 4) as u16);
        match self.rng.below(16) {
            0 => self.emit(&[0xFA]),
            1 => self.emit(&[0xFB]),
            2 => self.emit(&[0x9C]),
            3 => self.emit(&[0x66, 0x9C]),
            4 => {
                self.stack(false, &[flags]);
                self.emit(&[0x9D]);
            }
            5 => {
                self.stack(true, &[flags]);
                self.emit(&[0x66, 0x9D]);
            }
            6 => {
                self.stack(false, &[ip, cs, flags]);
                self.emit(&[0xCF]);
            }
            7 => {
                self.stack(true, &[ip, cs, flags]);
                self.emit(&[0x66, 0xCF]);
            }
            8..=11 => self.emit(&[0xCD, vector]),
            12 => {
                self.case.registers[0] = (self.case.registers[0] & 0xFFFF_0000) | cs;
                let seg = self.pick(&[ES, SS, 3, 4, 5]);
                self.emit(&[0x8E, 0xC0 | seg << 3]);
            }
            13 => {
                self.stack(false, &[ip, cs]);
                let code: &[u8] = self.pick(&[&[0xCB][..], &[0xCA, 4, 0], &[0xC3]]);
                self.emit(code);
            }
            14 => {
                // Limits of 64 KiB.
                self.case.registers[3] = 0xFFFE + self.rng.below(3) as u32;
                let code: &[u8] = self.pick(&[
                    &[0x67, 0x8B, 0x03][..],
                    &[0x67, 0x66, 0x8B, 0x03],
                    &[0x8B, 0x07],
                ]);
                self.emit(code);
            }
            _ => {
                let code: &[u8] = self.pick(&[
                    &[0xF4][..],
                    &[0x0F, 0x00, 0xC0],
                    &[0x0F, 0x02, 0xC0],
                    &[0x63, 0xC0],
                    &[0x0F, 0x01, 0xE0],
                    &[0x0F, 0x20, 0xC0],
                    &[0x0F, 0x06],
                    &[0x0F, 0x32],
                    &[0xCC],
                    &[0xCE],
                ]);
                self.emit(code);
            }
        }
    }
}
