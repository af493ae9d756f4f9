//! Control and debug registers, model-specific registers, table registers, flags, breakpoints, SYSENTER.

use super::super::case::*;
use super::super::layout::*;
use super::super::sandbox::*;
use super::Builder;

/// CR0: MP EM TS NE WP AM.
const CR0_BITS: u32 = 0x0005_002E;
/// CR4: VME PVI TSD DE PSE MCE PGE PCE OSFXSR OSXMMEXCPT.
const CR4_BITS: u32 = 0x0000_07DF;
/// Model-specific registers that all three have.
const SYSENTER_CS: u32 = 0x174;
const PAT: u32 = 0x277;
const EFER: u32 = 0xC000_0080;
/// One that none has.
const NO_MSR: u32 = 0x3FFF_FFF0;

impl Builder {
    /// Instructions of the operating system, at every level.
    pub fn privileged(&mut self) {
        match self.rng.below(16) {
            0 => {
                let code: &[u8] = self.pick(&[&[0x0F, 0x06][..], &[0x0F, 0x09], &[0xFA], &[0xFB]]);
                self.emit(code);
            }
            1 => {
                // LMSW cannot clear PE.
                self.case.cr0 |= self.u32() & 0xE;
                self.emit(&[0x0F, 0x01, 0xF0]);
            }
            2 => self.with_memory(&[0x0F, 0x01], 7, 16),
            3 => {
                let n = self.pick(&[0u8, 2, 3, 4, 1, 5, 7]);
                self.emit(&[0x0F, 0x20, 0xC0 | n << 3]);
            }
            4 | 5 => self.load_control_register(),
            6 => {
                if self.one_in(2) {
                    self.case.cr4 |= 8;
                }
                let n = self.pick(&[1u8, 2, 3, 4, 5, 6, 7]);
                self.emit(&[0x0F, 0x21, 0xC0 | n << 3]);
            }
            7 => {
                if self.one_in(2) {
                    self.case.cr4 |= 8;
                }
                let n = self.pick(&[1u8, 2, 3, 6, 4, 5, 7]);
                if n == 7 || n == 5 {
                    // No breakpoint, and no general detect.
                    self.case.registers[0] &= !0x20FF;
                }
                self.emit(&[0x0F, 0x23, 0xC0 | n << 3]);
            }
            8 | 9 => self.load_local_table(),
            10 | 11 => self.load_task_register(),
            12 => self.load_table_register(),
            13 | 14 => self.model_specific(),
            _ => {
                let code: &[u8] = self.pick(&[&[0x0F, 0x31][..], &[0x0F, 0x33], &[0xF4]]);
                if code == [0xF4] && self.case.cpl() == 0 {
                    let wide = self.case.wide;
                    self.at_ring(3, wide);
                }
                if code == [0x0F, 0x33] {
                    // What a counter counts is the processor's own affair: an invalid one.
                    self.case.registers[1] = 0x3FFF;
                }
                if self.one_in(2) {
                    self.case.cr4 |= self.u32() & 0x104;
                }
                self.emit(code);
                // The time is the machine's own affair.
                for opcode in [0xB8, 0xBA] {
                    self.operand_size(true);
                    self.emit(&[opcode, 0, 0, 0, 0]);
                }
            }
        }
    }

    fn load_control_register(&mut self) {
        let c = &mut self.case;
        let random = self.rng.next_u64() as u32;
        let (n, value) = match self.rng.below(8) {
            0..=2 => {
                let mut v = c.cr0 ^ (random & CR0_BITS);
                match self.rng.below(8) {
                    0 => v ^= 1 << 29 | random & 1 << 30,
                    1 => v &= !1,
                    2 => v |= random & 0x1FF8_FFC0 & !CR0_BITS,
                    _ => (),
                }
                // Without protection, paging faults; that alone is wanted.
                (0u8, v)
            }
            3 => (2, random),
            4 => {
                let mut v = c.cr3 | random & 0x18;
                if c.cr4 & CR4_PAE != 0 && self.rng.below(2) == 0 {
                    // Another table of four entries, one of them with reserved bits, perhaps.
                    const OTHER: u32 = 0x40;
                    let first = c.sandbox.get64(DIRECTORY);
                    c.sandbox.put64(DIRECTORY + OTHER, first);
                    let n = self.rng.below(4) as u32;
                    let entry = u64::from(PAE_DIRECTORY | 1)
                        | 1u64 << self.rng.below(12)
                        | if self.rng.below(4) == 0 { 1 << 55 } else { 0 };
                    c.sandbox.put64(DIRECTORY + OTHER + 8 * n, entry);
                    v |= OTHER;
                }
                (3, v)
            }
            _ => {
                let mut v = c.cr4 ^ (random & CR4_BITS);
                if self.rng.below(6) == 0 {
                    v |= 1 << (26 + self.rng.below(6));
                }
                if self.rng.below(8) == 0 {
                    v |= 1 << 15;
                }
                (4, v)
            }
        };
        self.case.registers[0] = value;
        self.emit(&[0x0F, 0x22, 0xC0 | n << 3]);
    }

    fn load_local_table(&mut self) {
        let selector = match self.rng.below(4) {
            0 => MAIN_LDT,
            1 => self.u16() & 3,
            _ => {
                let selector = self.selector();
                if self.one_in(2) {
                    let limit = self.pick(&[0x7F, 7, 0xFFFF]);
                    let raw = self.system_segment(LDT, limit, LDT_TYPE);
                    self.case.sandbox.describe(WILD, raw);
                    WILD
                } else {
                    selector
                }
            }
        };
        let high = self.u32() << 16;
        self.case.registers[0] = high | u32::from(selector);
        if self.one_in(3) {
            self.case.sandbox.put16(OPERANDS + 16, selector);
            self.with_memory(&[0x0F, 0x00], 2, 16);
        } else {
            self.emit(&[0x0F, 0x00, 0xD0]);
        }
        // Is it in force?
        self.case.registers[3] = self.wild_selector().into();
        self.emit(&[0x0F, 0x02, 0xCB]);
    }

    fn load_task_register(&mut self) {
        let selector = match self.rng.below(3) {
            0 => self.task_selector(),
            1 => {
                let raw = self.wild_task();
                self.case.sandbox.describe(WILD, raw);
                WILD
            }
            _ => self.selector(),
        };
        let high = self.u32() << 16;
        self.case.registers[0] = high | u32::from(selector);
        if self.one_in(3) {
            self.case.sandbox.put16(OPERANDS + 16, selector);
            self.with_memory(&[0x0F, 0x00], 3, 16);
        } else {
            self.emit(&[0x0F, 0x00, 0xD8]);
        }
    }

    /// LGDT and LIDT: stored and taken back before the breakpoint.
    fn load_table_register(&mut self) {
        let (load, store, base, limit) = if self.one_in(2) {
            (2, 0, GDT, GDT_BYTES - 1)
        } else {
            (3, 1, IDT, VECTORS * 8 - 1)
        };
        let value = u64::from(self.u16()) | u64::from(self.u32()) << 16;
        self.case.sandbox.put64(OPERANDS + 16, value);
        let good = u64::from(limit) | u64::from(base) << 16;
        self.case.sandbox.put64(OPERANDS + 32, good);
        let wide = self.one_in(2);
        self.operand_size(wide);
        self.with_memory(&[0x0F, 0x01], load, 16);
        if self.case.cpl() == 0 {
            self.operand_size(true);
            self.with_memory(&[0x0F, 0x01], store, 48);
            self.operand_size(true);
            self.with_memory(&[0x0F, 0x01], load, 32);
        }
    }

    fn model_specific(&mut self) {
        let value = u64::from(self.u32()) << 32 | u64::from(self.u32());
        let (register, value) = match self.rng.below(8) {
            0 => (NO_MSR, value),
            1 => (SYSENTER_CS, value & 0xFFFF),
            2 => (SYSENTER_CS + 1 + self.u32() % 2, value & 0xFFFF_FFFF),
            3 | 4 => {
                // Memory types 0, 1, 4 to 7; 2 and 3 are reserved.
                let mut v = 0x0007_0406_0007_0406;
                if self.one_in(2) {
                    v |= 1 << (8 * self.rng.below(8) + self.rng.below(8));
                }
                (PAT, v)
            }
            5 => (EFER, 1 << self.rng.pick(&[11, 1, 2, 9, 16, 20, 40])),
            6 => (EFER, u64::from(self.case.efer)),
            _ => (self.rng.pick(&[0x4000_00FF, 0x8000_0000, 0xC000_4000]), 0),
        };
        self.case.registers[1] = register;
        self.case.registers[0] = value as u32;
        self.case.registers[2] = (value >> 32) as u32;
        let write = !self.one_in(4);
        if write || register == PAT || register == EFER || register >> 4 == 0x17 {
            self.emit(&[0x0F, 0x30]);
            self.emit(&[0x0F, 0x32]);
        } else {
            self.emit(&[0x0F, 0x32]);
        }
        if register == PAT {
            // As it was at power-on.
            if self.case.wide {
                self.emit(&[0xBB]);
                self.emit(&0x0007_0406u32.to_le_bytes());
                self.emit(&[0x89, 0xD8, 0x89, 0xDA, 0x0F, 0x30]);
            }
        }
    }

    /// Trap flag, instruction and data breakpoints, general detect, ICEBP.
    pub fn debug(&mut self) {
        let ring = self.pick(&[1, 2, 3, 3]);
        let wide = self.case.wide;
        self.at_ring(ring, wide);
        let at = DATA + 0x200;
        self.case.registers[2] = at;
        let size = if wide { &[][..] } else { &[0x67][..] };
        match self.rng.below(8) {
            0..=2 => {
                self.case.eflags |= 1 << 8;
                if self.one_in(3) {
                    self.case.eflags |= 1 << 16;
                }
                let selector = self.selector();
                self.stack(true, &[self.case.ss.into(), 0x0000_0002]);
                self.case.registers[0] = of_ring(DATA_32, ring).into();
                let code: &[u8] = self.pick(&[
                    &[0x90][..],
                    &[0x8E, 0xD0],
                    &[0x17],
                    &[0x9D],
                    &[0x9C],
                    &[0xFB],
                    &[0xCD, 0x20],
                    &[0xCC],
                    &[0x0F, 0x0B],
                    &[0xF3, 0xA4],
                    &[0xEB, 0x00],
                    &[0x0F, 0xA2],
                ]);
                if code == [0xF3, 0xA4] {
                    self.case.registers[1] = self.rng.below(4) as u32;
                    self.case.registers[5] = DATA;
                    self.case.registers[6] = DATA + 0x100;
                }
                if code == [0xCD, 0x20] {
                    let gate = Gate {
                        selector: if self.rng.below(4) == 0 {
                            selector
                        } else {
                            CODE_32
                        },
                        offset: CODE + 0xF00,
                        kind: 14 + self.u8() % 2,
                        dpl: 3,
                        present: true,
                        parameters: 0,
                    };
                    self.case.sandbox.put64(IDT + 8 * 0x20, gate.raw());
                }
                if code == [0x0F, 0xA2] {
                    // CPUID: what it says is the model's own affair.
                    self.emit(&[0x90]);
                    return;
                }
                self.emit(code);
            }
            3 | 4 => {
                // A breakpoint on the instruction or on the one behind it.
                let n = self.rng.below(3) as u32 + 1;
                let code_at = self.case.code_at();
                self.case.breakpoints[n as usize - 1] = code_at + self.rng.below(2) as u32;
                self.case.dr7 |= 1 << (2 * n + self.u32() % 2);
                if self.one_in(3) {
                    self.case.eflags |= 1 << 16;
                }
                self.emit(&[0x90, 0x40]);
            }
            5 | 6 => {
                let n = self.rng.below(3) as u32 + 1;
                let length = self.rng.pick(&[0u32, 1, 3]);
                let kind = self.rng.pick(&[1u32, 3]);
                let offset = self.rng.below(8) as u32;
                self.case.breakpoints[n as usize - 1] = (at + offset) & !length;
                self.case.dr7 |=
                    1 << (2 * n + self.u32() % 2) | kind << (16 + 4 * n) | length << (18 + 4 * n);
                self.case.registers[2] = at + self.rng.below(8) as u32;
                self.emit(size);
                let code: &[u8] = self.pick(&[
                    &[0x8A, 0x02][..],
                    &[0x88, 0x02],
                    &[0x8B, 0x02],
                    &[0x89, 0x02],
                    &[0x01, 0x02],
                ]);
                self.emit(code);
            }
            _ => self.emit(&[0xF1]),
        }
    }

    /// POPF, PUSHF, CLI, STI with IOPL and protected-mode virtual interrupts.
    pub fn flags(&mut self) {
        if self.one_in(2) {
            self.case.cr4 |= 2;
            let wide = self.case.wide;
            if !self.one_in(3) {
                self.at_ring(3, wide);
            }
        }
        if self.case.cpl() != 0 {
            self.case.eflags |= self.u32() & 0x18_0000;
        }
        let value = self.u32() & 0x003F_FED7;
        self.stack(true, &[value]);
        let wide = self.one_in(2);
        self.operand_size(wide);
        let opcode = self.pick(&[0x9C, 0x9D, 0x9D, 0x9D, 0xFA, 0xFB]);
        self.emit(&[opcode]);
    }

    /// SYSENTER and SYSEXIT; the registers are loaded before, which only ring 0 can.
    pub fn fast_call(&mut self) {
        let at = CODE + 0xE80 + self.rng.below(0x100) as u32;
        if !self.one_in(4) {
            self.at_ring(0, true);
            let cs = match self.rng.below(4) {
                0 => u32::from(self.u16() & 3),
                _ => u32::from(CODE_32),
            };
            let stack = stack_of(0) + STACK_START;
            for (n, v) in [cs, stack, at].into_iter().enumerate() {
                self.emit(&[0xB9]);
                self.emit(&(SYSENTER_CS + n as u32).to_le_bytes());
                self.emit(&[0xB8]);
                self.emit(&v.to_le_bytes());
                self.emit(&[0xBA, 0, 0, 0, 0, 0x0F, 0x30]);
            }
            // SYSEXIT goes to EDX with the stack ECX.
            self.emit(&[0xBA]);
            self.emit(&at.to_le_bytes());
            self.emit(&[0xB9]);
            let user = stack_of(3) + STACK_START;
            self.emit(&user.to_le_bytes());
        }
        let exit = self.case.cpl() != 0 || self.one_in(2);
        self.emit(&[0x0F, if exit { 0x35 } else { 0x34 }]);
    }
}
