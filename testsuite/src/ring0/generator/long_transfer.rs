//! Far transfers, interrupts and returns in long mode.

use super::super::case::*;
use super::super::layout::*;
use super::super::sandbox::*;
use super::Builder;

impl Builder {
    /// JMP and CALL to code, to compatibility mode and back, and through gates of 16 bytes.
    pub fn long_transfer(&mut self) {
        let selector = match self.rng.below(8) {
            0..=3 => self.wild_selector(),
            4 => of_ring(CODE_64, self.case.cpl()),
            5 => of_ring(CODE_32, self.case.cpl()),
            6 => self.long_code_selector(),
            _ => self.pick(&[MAIN_TASK, LONG_LDT, 0, 3]),
        };
        let offset = self.long_landing(selector, 8);
        let bytes = self.operand_width();
        let call = !self.one_in(3);
        if self.one_in(16) {
            self.case.eflags |= EFLAGS_NT;
        }
        if self.case.is_64_bit() && self.one_in(4) {
            // An unaligned stack.
            self.case.esp -= self.rng.below(16) as u32;
        }
        self.operand_bytes(bytes);
        let value = offset.to_le_bytes();
        let direct = if self.case.is_64_bit() { 20 } else { 2 };
        if self.one_in(direct) {
            self.emit(&[if call { 0x9A } else { 0xEA }]);
            self.emit(&value[..bytes.min(4) as usize]);
            self.emit(&selector.to_le_bytes());
            return;
        }
        self.case
            .sandbox
            .put(OPERANDS + 16, &value[..bytes as usize]);
        self.case.sandbox.put16(OPERANDS + 16 + bytes, selector);
        // The address size prefix comes before a REX prefix.
        let rex = (bytes == 8).then(|| self.case.code.pop()).flatten();
        match rex {
            Some(rex) => self.with_memory(&[rex, 0xFF], if call { 3 } else { 5 }, 16),
            None => self.with_memory(&[0xFF], if call { 3 } else { 5 }, 16),
        }
    }

    /// CS for a return.
    fn long_return_selector(&mut self) -> (u16, u8) {
        let cpl = self.case.cpl();
        let ring = cpl + self.rng.below(u64::from(4 - cpl)) as u8;
        let selector = match self.rng.below(10) {
            0..=3 => of_ring(CODE_64, ring),
            4 | 5 => of_ring(CODE_32, ring),
            6 => of_ring(CODE_16, ring),
            7 | 8 => self.wild_selector() & !3 | u16::from(ring),
            _ => self.selector(),
        };
        (selector, (selector & 3) as u8)
    }

    /// SS and RSP for a return.
    fn long_return_stack(&mut self, ring: u8) -> (u16, u64) {
        let ss = match self.rng.below(6) {
            0 => u16::from(ring),
            1 => self.u16() & 3,
            _ => self.stack_selector(ring),
        };
        let rsp = u64::from(self.stack_pointer_for(ss, ring));
        let rsp = match self.rng.below(12) {
            0 => self.pick(&super::long::NOT_CANONICAL),
            1 => rsp | HIGH_HALF,
            2 => rsp.wrapping_sub(self.rng.below(16)),
            _ => rsp,
        };
        (ss, rsp)
    }

    /// Data segments that a return to an outer level must clear.
    fn long_outer_data(&mut self) {
        for n in [0, 2, 3] {
            if self.one_in(3) {
                let ring = self.case.cpl() + self.rng.below(u64::from(4 - self.case.cpl())) as u8;
                let first = self.pick(&[DATA_32, CODE_32, CODE_64]);
                self.case.data[n] = first + 8 * u16::from(ring) + u16::from(self.case.cpl());
            }
        }
    }

    pub fn long_far_return(&mut self) {
        let (cs, ring) = self.long_return_selector();
        let rip = self.long_landing(cs, 10);
        let bytes = self.operand_width();
        let release = if self.one_in(2) {
            0
        } else {
            self.rng.pick(&[2u16, 4, 8, 1, 0x20])
        };
        let (ss, rsp) = self.long_return_stack(ring);
        let high = self.rng.next_u64() << 16;
        self.stack_of_width(bytes, &[rip, high | u64::from(cs)]);
        let above = self.stack_top() + 2 * bytes + u32::from(release);
        let (rsp, ss) = (rsp.to_le_bytes(), (high | u64::from(ss)).to_le_bytes());
        let s = &mut self.case.sandbox;
        s.put(above, &rsp[..bytes as usize]);
        s.put(above + bytes, &ss[..bytes as usize]);
        self.long_outer_data();
        self.operand_bytes(bytes);
        if release == 0 {
            self.emit(&[0xCB]);
        } else {
            self.emit(&[0xCA]);
            self.emit(&release.to_le_bytes());
        }
    }

    /// IRET of every shape.
    pub fn long_interrupt_return(&mut self) {
        let bytes = self.operand_width();
        let mut flags = self.u32() & 0x003F_FED7 & !(1 << 8);
        if !self.one_in(6) {
            flags &= !EFLAGS_NT;
        }
        // There is no virtual-8086 mode.
        if !self.one_in(6) {
            flags &= !EFLAGS_VM;
        }
        if self.one_in(12) {
            // There are no tasks to return to.
            self.case.eflags |= EFLAGS_NT;
        }
        let (cs, ring) = self.long_return_selector();
        let rip = self.long_landing(cs, 10);
        let (ss, rsp) = self.long_return_stack(ring);
        let high = self.rng.next_u64() << 16;
        let upper = if self.one_in(4) {
            self.rng.next_u64() << 32
        } else {
            0
        };
        let frame = [
            rip,
            high | u64::from(cs),
            u64::from(flags) | upper,
            rsp,
            high | u64::from(ss),
        ];
        self.stack_of_width(bytes, &frame);
        self.long_outer_data();
        self.operand_bytes(bytes);
        self.emit(&[0xCF]);
    }

    /// INT n and exceptions through gates of 16 bytes.
    pub fn long_interrupt(&mut self) {
        let software = !self.one_in(3);
        let vector = if software {
            0x20 + self.rng.below(16) as u32
        } else {
            self.pick(&[0u32, 6, 13, 14])
        };
        let mut halves = self.long_gate(software);
        if vector == 14 && (halves[0] >> 48 == 0x3000 || self.case.cr4 & CR4_SMEP != 0) {
            // Page faults without end.
            halves = [halves[0] & !(0xFFFF << 48) | 0xFFFF, 0x1234_5678];
        }
        self.case.sandbox.put_gate(vector, halves);
        if self.one_in(12) {
            self.case.eflags |= EFLAGS_NT;
        }
        if self.case.is_64_bit() && self.one_in(2) {
            // The processor aligns the stack.
            self.case.esp -= self.rng.below(16) as u32;
        }
        match vector {
            0 => self.emit(&[0x31, 0xC9, 0xF7, 0xF1]),
            6 => self.emit(&[0x0F, 0x0B]),
            13 => {
                let beyond = GDT_BYTES as u16 | u16::from(self.u8() & 0xF8);
                self.set_register(0, beyond.into());
                self.emit(&[0x8E, 0xE0]);
            }
            14 => {
                let at = 0x3000_0000 + (self.u32() & 0xFFFF);
                let at = self.either_half(at);
                self.set_register(2, at);
                if !self.case.wide {
                    self.emit(&[0x67]);
                }
                let opcode = self.pick(&[0x8A, 0x88]);
                self.emit(&[opcode, 0x02]);
            }
            _ => {
                let n = if self.one_in(12) {
                    0x30 + self.rng.below(0x20) as u8
                } else {
                    vector as u8
                };
                if self.one_in(24) {
                    self.case.idt_limit = 0x207 + 8 * (self.u16() & 3);
                }
                self.emit(&[0xCD, n]);
            }
        }
    }

    fn long_gate(&mut self, software: bool) -> [u64; 2] {
        let selector = match self.rng.below(8) {
            0..=2 => CODE_64,
            3 | 4 => of_ring(CODE_64, self.case.cpl()),
            _ => self.long_code_selector(),
        };
        let offset = self.long_landing(selector, 8);
        let dpl = if software && !self.one_in(4) {
            3
        } else {
            self.u8() & 3
        };
        let stack = if self.one_in(2) { 0 } else { self.u8() & 7 };
        let gate = Gate {
            selector,
            offset: offset as u32,
            kind: if self.one_in(10) {
                self.u8() & 0x1F
            } else {
                self.pick(&[14, 14, 15])
            },
            dpl,
            present: !self.one_in(12),
            // The bits above IST are reserved and not looked at.
            parameters: stack | if self.one_in(8) { self.u8() & 0x18 } else { 0 },
        };
        let reserved = if self.one_in(6) {
            self.rng.next_u64() << 32
        } else {
            0
        };
        [gate.raw(), offset >> 32 | reserved]
    }
}
