//! Fast system calls, and the instructions of the operating system that long mode has or changes.

use super::super::case::*;
use super::super::layout::*;
use super::super::sandbox::*;
use super::Builder;
use super::long::NOT_CANONICAL;

/// STAR, LSTAR, CSTAR, FMASK, the bases, SYSENTER's.
const ADDRESSES: [u32; 8] = [
    0xC000_0082,
    0xC000_0083,
    0xC000_0100,
    0xC000_0101,
    0xC000_0102,
    0x175,
    0x176,
    0xC000_0081,
];
const FMASK: u32 = 0xC000_0084;
const EFER: u32 = 0xC000_0080;
const NONE: [u32; 3] = [0x4000_00FF, 0x3FFF_FFF0, 0xC000_4000];
/// CR4 as a Broadwell has it, without SMX and VMX, and without SMEP and SMAP, which would take the handlers' code and stacks
/// away; CR0's.
const CR4_BITS: u32 = 0x0007_07DF;
const CR0_BITS: u32 = 0x0005_002E;

impl Builder {
    /// SYSCALL, SYSRET, SYSENTER, SYSEXIT from every mode and level.
    pub fn system_call(&mut self) {
        let at = CODE + 0x800 + self.rng.below(0x700) as u32;
        let target = self.address(at, 8);
        let stack = self.address(stack_of(3) + STACK_START, 8);
        // SYSRET goes to RCX with the flags R11; SYSEXIT goes to RDX with the stack RCX.
        let code: &[u8] = self.pick(&[
            &[0x0F, 0x05][..],
            &[0x0F, 0x07],
            &[0x48, 0x0F, 0x07],
            &[0x0F, 0x34],
            &[0x0F, 0x35],
            &[0x48, 0x0F, 0x35],
        ]);
        // REX.W is DEC EAX elsewhere.
        let code = match code {
            [0x48, rest @ ..] if !self.case.is_64_bit() => rest,
            _ => code,
        };
        if code.ends_with(&[0x07]) {
            self.set_register(1, target);
        } else {
            self.set_register(1, stack);
            self.set_register(2, target);
        }
        if !self.one_in(3) {
            let ring = if code.ends_with(&[0x05]) { 3 } else { 0 };
            let wide = self.case.wide;
            if self.case.cr4 & (CR4_SMEP | CR4_SMAP) == 0 {
                self.at_ring(ring, wide);
            }
        }
        let flags = self.rng.next_u64() & !(1 << 8);
        self.long().extended[3] = flags;
        self.emit(code);
    }

    /// Control and model-specific registers, system descriptors of 16 bytes, bases of FS and GS, table registers.
    pub fn long_system(&mut self) {
        match self.rng.below(12) {
            0 | 1 => self.long_control_register(),
            2..=4 => self.long_model_specific(),
            5 => self.long_table(2, LDT, LDT_TYPE),
            6 => self.long_table(3, TSS_32, TSS_32_AVAILABLE),
            7 => self.long_table_register(),
            8 => {
                // SWAPGS, CLAC, STAC, CLTS, WBINVD, HLT's kin of the levels.
                let code: &[u8] = self.pick(&[
                    &[0x0F, 0x01, 0xF8][..],
                    &[0x0F, 0x01, 0xF8, 0x0F, 0x01, 0xF8],
                    &[0x0F, 0x01, 0xCA],
                    &[0x0F, 0x01, 0xCB],
                    &[0x0F, 0x06],
                    &[0x0F, 0x09],
                ]);
                self.emit(code);
            }
            9 => {
                // RDFSBASE RDGSBASE WRFSBASE WRGSBASE of RDX.
                let base = self.address(SANDBOX, 3);
                self.set_register(2, base);
                let wide = self.one_in(2) && self.case.is_64_bit();
                self.emit(&[0xF3]);
                if wide {
                    self.emit(&[0x48]);
                }
                let reg = self.rng.below(4) as u8;
                self.emit(&[0x0F, 0xAE, 0xC2 | reg << 3]);
            }
            10 => {
                // INVLPG, and INVPCID of every type.
                let at = self.address(DATA, 3);
                self.set_register(2, at);
                if !self.case.wide {
                    self.emit(&[0x67]);
                }
                if self.one_in(3) {
                    self.emit(&[0x0F, 0x01, 0x3A]);
                    return;
                }
                let linear = self.address(DATA, 3);
                let context = match self.rng.below(4) {
                    0 => self.rng.next_u64(),
                    1 => 0x1000,
                    2 => 0,
                    _ => self.rng.below(0x1000),
                };
                self.case.sandbox.put64(OPERANDS + 32, context);
                self.case.sandbox.put64(OPERANDS + 40, linear);
                self.set_register(2, OPERANDS.into());
                let kind = if self.one_in(6) {
                    self.rng.next_u64()
                } else {
                    self.rng.below(5)
                };
                self.set_register(0, kind);
                self.emit(&[0x66, 0x0F, 0x38, 0x82, 0x42, 0x20]);
            }
            _ => {
                let n = self.pick(&[0u8, 2, 3, 4]);
                if self.case.is_64_bit() && self.one_in(3) {
                    // CR8.
                    let v = if self.one_in(4) {
                        self.rng.next_u64()
                    } else {
                        self.rng.below(16)
                    };
                    self.set_register(0, v);
                    self.emit(&[0x44, 0x0F, 0x22, 0xC0, 0x44, 0x0F, 0x20, 0xC3]);
                } else if self.one_in(2) {
                    self.emit(&[0x0F, 0x20, 0xC0 | n << 3]);
                } else {
                    // DR1 to DR3, DR6, with upper halves; DR7 without a breakpoint.
                    let n = self.pick(&[1u8, 2, 3, 6, 7, 4]);
                    let mut v = self.rng.next_u64();
                    if self.one_in(2) {
                        v &= 0xFFFF_FFFF;
                    }
                    if n == 7 {
                        v &= !0x20FF;
                    }
                    self.set_register(0, v);
                    self.emit(&[0x0F, 0x23, 0xC0 | n << 3]);
                }
            }
        }
    }

    fn long_control_register(&mut self) {
        let c = &self.case;
        let random = self.rng.next_u64() as u32;
        let (n, value) = match self.rng.below(6) {
            0 | 1 => {
                let mut v = c.cr0 ^ (random & CR0_BITS);
                match self.rng.below(8) {
                    0 => v ^= 1 << 29 | random & 1 << 30,
                    1 => v &= !1,
                    2 => v &= !(1 << 31),
                    _ => (),
                }
                (0u8, v)
            }
            2 => (2, random),
            3 => (
                3,
                c.cr3 | random & 0x18 | if random >> 31 == 0 { random & 0xFE7 } else { 0 },
            ),
            _ => {
                let mut v = c.cr4 ^ (random & CR4_BITS);
                match self.rng.below(5) {
                    0 => v |= 1 << (26 + self.rng.below(6)),
                    1 => (),
                    _ => v |= CR4_PAE,
                }
                (4, v)
            }
        };
        let mut value = u64::from(value);
        if self.one_in(5) {
            value |= 1 << (32 + self.rng.below(32));
        }
        if n == 3 && self.one_in(3) {
            // Nothing is flushed; reserved without process-context identifiers.
            value |= 1 << 63;
        }
        self.set_register(0, value);
        self.emit(&[0x0F, 0x22, 0xC0 | n << 3]);
    }

    fn long_model_specific(&mut self) {
        let random = self.rng.next_u64();
        let (register, value) = match self.rng.below(8) {
            0..=4 => {
                let register = self.pick(&ADDRESSES);
                (register, self.address(CODE, 2))
            }
            5 => (FMASK, random >> (32 * (random & 1))),
            6 => {
                let change = 1u64 << self.rng.pick(&[0u32, 8, 10, 11, 11, 0, 1, 9, 16, 40]);
                (EFER, u64::from(self.case.efer | 1 << 10) ^ change)
            }
            _ => (self.pick(&NONE), random),
        };
        self.set_register(1, register.into());
        self.set_register(0, value & 0xFFFF_FFFF);
        self.set_register(2, value >> 32);
        self.emit(&[0x0F, 0x30, 0x0F, 0x32]);
    }

    /// LLDT and LTR.
    fn long_table(&mut self, reg: u8, base: u32, kind: u8) {
        let selector = match self.rng.below(6) {
            0 => self.u16() & 3,
            1 => self.selector(),
            _ => {
                let halves = self.long_system_segment(base, kind);
                self.case.sandbox.describe_wide(WILD, halves);
                WILD | self.u16() & 3
            }
        };
        let high = self.rng.next_u64() << 16;
        self.set_register(0, high | u64::from(selector));
        if self.one_in(3) {
            self.case.sandbox.put16(OPERANDS + 16, selector);
            self.with_memory(&[0x0F, 0x00], reg, 16);
        } else {
            self.emit(&[0x0F, 0x00, 0xC0 | reg << 3]);
        }
    }

    /// LGDT and LIDT of ten bytes: stored and taken back before the breakpoint.
    fn long_table_register(&mut self) {
        let (load, store, base, limit) = if self.one_in(2) {
            (2, 0, GDT, GDT_BYTES - 1)
        } else {
            (3, 1, IDT, VECTORS * 16 - 1)
        };
        let address = if self.one_in(3) {
            self.pick(&NOT_CANONICAL)
        } else {
            self.rng.next_u64() >> 17
        };
        let s = &mut self.case.sandbox;
        s.put16(OPERANDS + 16, limit as u16 ^ 0x55);
        s.put64(OPERANDS + 18, address);
        s.put16(OPERANDS + 32, limit as u16);
        s.put64(OPERANDS + 34, base.into());
        self.with_memory(&[0x0F, 0x01], load, 16);
        if self.case.cpl() == 0 {
            self.with_memory(&[0x0F, 0x01], store, 48);
            self.operand_size(true);
            self.with_memory(&[0x0F, 0x01], load, 32);
        }
    }
}
