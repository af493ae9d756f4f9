//! Far jumps, calls and returns, interrupts and exceptions, IRET.

use super::super::case::*;
use super::super::layout::*;
use super::super::sandbox::*;
use super::Builder;

impl Builder {
    /// A selector for a far transfer.
    fn target(&mut self) -> u16 {
        match self.rng.below(8) {
            0..=3 => self.wild_selector(),
            4 => of_ring(CODE_32, self.case.cpl()),
            5 => self.task_selector(),
            6 => self.code_selector(),
            _ => self.selector(),
        }
    }

    /// Parameters for call gates lie on the stack anyway.
    pub fn far_transfer(&mut self) {
        if self.one_in(12) {
            self.case.eflags |= EFLAGS_NT;
        }
        let selector = self.target();
        let offset = self.landing(selector);
        let wide = self.case.wide != self.one_in(4);
        self.operand_size(wide);
        let call = !self.one_in(3);
        if self.one_in(2) {
            self.emit(&[if call { 0x9A } else { 0xEA }]);
            if wide {
                self.emit(&offset.to_le_bytes());
            } else {
                self.emit(&(offset as u16).to_le_bytes());
            }
            self.emit(&selector.to_le_bytes());
        } else {
            self.case.sandbox.put32(OPERANDS + 16, offset);
            let at = OPERANDS + if wide { 20 } else { 18 };
            self.case.sandbox.put16(at, selector);
            self.with_memory(&[0xFF], if call { 3 } else { 5 }, 16);
        }
    }

    /// CS for a return: at the same level or an outer one, mostly.
    fn return_selector(&mut self) -> (u16, u8) {
        let cpl = self.case.cpl();
        let ring = cpl + self.rng.below(u64::from(4 - cpl)) as u8;
        let selector = match self.rng.below(10) {
            0..=4 => of_ring(CODE_32, ring),
            5 => of_ring(CODE_16, ring),
            6..=8 => self.wild_selector() & !3 | u16::from(ring),
            _ => self.selector(),
        };
        (selector, (selector & 3) as u8)
    }

    pub fn far_return(&mut self) {
        let (cs, ring) = self.return_selector();
        let eip = self.landing(cs);
        let wide = self.case.wide != self.one_in(4);
        let release = if self.one_in(2) {
            0
        } else {
            self.rng.pick(&[2u16, 4, 8, 1, 0x20])
        };
        let ss = self.stack_selector(ring);
        let esp = self.stack_pointer_for(ss, ring);
        let high = self.u32() << 16;
        self.stack(wide, &[eip, high | u32::from(cs)]);
        let unit: u32 = if wide { 4 } else { 2 };
        let above = self.stack_top() + 2 * unit + u32::from(release);
        if wide {
            self.case.sandbox.put32(above, esp);
            self.case.sandbox.put32(above + 4, ss.into());
        } else {
            self.case.sandbox.put16(above, esp as u16);
            self.case.sandbox.put16(above + 2, ss);
        }
        self.outer_data();
        self.operand_size(wide);
        if release == 0 {
            self.emit(&[0xCB]);
        } else {
            self.emit(&[0xCA]);
            self.emit(&release.to_le_bytes());
        }
    }

    /// Data segments that a return to an outer level must clear.
    fn outer_data(&mut self) {
        for n in [0, 2, 3] {
            if self.one_in(2) {
                let ring = self.case.cpl() + self.rng.below(u64::from(4 - self.case.cpl())) as u8;
                let first = self.pick(&[DATA_32, CODE_32, CODE_16]);
                self.case.data[n] = first + 8 * u16::from(ring) + u16::from(self.case.cpl());
            }
        }
    }

    /// INT n, INT3's kin, and exceptions through gates of any kind.
    pub fn interrupt(&mut self) {
        let software = !self.one_in(3);
        let vector = if software {
            0x20 + self.rng.below(16) as u32
        } else {
            self.pick(&[0u32, 4, 5, 6, 13, 14])
        };
        if software || self.one_in(2) {
            let raw = self.wild_gate(software);
            self.case.sandbox.put64(IDT + 8 * vector, raw);
        }
        if self.one_in(12) {
            self.case.eflags |= EFLAGS_NT;
        }
        match vector {
            0 => self.emit(&[0x31, 0xC9, 0xF7, 0xF1]),
            4 => {
                self.case.eflags |= 1 << 11;
                self.emit(&[0xCE]);
            }
            5 => {
                self.case.sandbox.put32(OPERANDS + 16, 5);
                self.case.sandbox.put32(OPERANDS + 20, 9);
                self.with_memory(&[0x62], 0, 16);
            }
            6 => self.emit(&[0x0F, 0x0B]),
            13 => {
                let beyond = GDT_BYTES as u16 | u16::from(self.u8() & 0xF8);
                self.case.registers[0] = beyond.into();
                self.emit(&[0x8E, 0xE0]);
            }
            14 => {
                self.case.registers[2] = 0x3000_0000 + (self.u32() & 0xFFFF);
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
                    self.case.idt_limit = 0x107;
                }
                self.emit(&[0xCD, n]);
            }
        }
    }

    /// Something in the IDT.
    fn wild_gate(&mut self, software: bool) -> u64 {
        if self.one_in(20) {
            return self.wild_descriptor();
        }
        if self.one_in(6) {
            let selector = self.task_selector();
            let dpl = if self.one_in(4) { self.u8() & 3 } else { 3 };
            return Gate {
                selector,
                offset: self.u32(),
                kind: TASK_GATE,
                dpl,
                present: !self.one_in(12),
                parameters: 0,
            }
            .raw();
        }
        let selector = match self.rng.below(8) {
            0..=2 => CODE_32,
            3 => of_ring(CODE_32, self.case.cpl()),
            4 => CODE_16 + self.u16() % 4 * 8,
            _ => self.code_selector(),
        };
        let offset = self.landing(selector);
        let dpl = if software && !self.one_in(4) {
            3
        } else {
            self.u8() & 3
        };
        Gate {
            selector,
            offset,
            kind: self.pick(&[6, 7, 14, 14, 15]),
            dpl,
            present: !self.one_in(12),
            parameters: 0,
        }
        .raw()
    }

    /// IRET of every shape.
    pub fn interrupt_return(&mut self) {
        let wide = self.case.wide != self.one_in(4);
        let mut flags = self.u32() & 0x003F_FED7;
        if self.one_in(2) {
            flags |= 1 << 16;
        }
        if self.one_in(8) {
            // To the task that the link names.
            self.case.eflags |= EFLAGS_NT;
            let link = self.task_selector();
            self.case.sandbox.put16(TSS, link);
            for selector in [TASK_32, TASK_16] {
                if !self.one_in(4) {
                    let busy = self.case.sandbox.descriptor(selector) | 2 << 40;
                    self.case.sandbox.describe(selector, busy);
                }
            }
            for n in 0..WILD_COUNT {
                let raw = self.case.sandbox.descriptor(WILD + 8 * n);
                if raw >> 40 & 0x17 == 1 && self.one_in(2) {
                    self.case.sandbox.describe(WILD + 8 * n, raw | 2 << 40);
                }
            }
            self.operand_size(wide);
            self.emit(&[0xCF]);
            return;
        }
        // A trap flag that comes into force would trap behind the breakpoint instruction.
        flags &= !(1 << 8);
        if self.case.cpl() == 0 && self.one_in(5) {
            self.return_to_virtual_8086(flags | EFLAGS_VM);
            self.operand_size(wide);
            self.emit(&[0xCF]);
            return;
        }
        let (cs, ring) = self.return_selector();
        let eip = self.landing(cs);
        let ss = self.stack_selector(ring);
        let esp = self.stack_pointer_for(ss, ring);
        if !self.one_in(6) {
            flags &= !EFLAGS_NT;
        }
        // From an outer level VM is not looked at.
        if self.case.cpl() != 0 && self.one_in(6) {
            flags |= EFLAGS_VM;
        }
        let high = self.u32() << 16;
        let frame = [eip, high | u32::from(cs), flags, esp, ss.into()];
        self.stack(wide, &frame);
        self.outer_data();
        self.operand_size(wide);
        self.emit(&[0xCF]);
    }

    fn return_to_virtual_8086(&mut self, flags: u32) {
        let segment = SANDBOX >> 4;
        let ip = CODE - SANDBOX + self.rng.below(0xF00) as u32;
        let high = if self.one_in(12) { 0x1_0000 } else { 0 };
        let mut frame = vec![
            ip | high,
            segment | self.u32() << 16,
            flags,
            stack_of(3) + STACK_START - SANDBOX,
            segment,
        ];
        for _ in 0..4 {
            frame.push(self.u32());
        }
        self.stack(true, &frame);
    }
}
