//! What cases of long mode have in common (SDM vol. 3, chapters 3 to 6): tables, task state segment, registers, selectors.

use super::super::case::*;
use super::super::layout::*;
use super::super::sandbox::*;
use super::Builder;

/// EFER: SCE, LME, NXE.
const SCE: u32 = 1;
const LME: u32 = 1 << 8;
const NXE: u32 = 1 << 11;
/// CR4.PGE and CR4.FSGSBASE.
const PGE: u32 = 1 << 7;
const FSGSBASE: u32 = 1 << 16;
/// What cannot be an address with 48 bits.
pub const NOT_CANONICAL: [u64; 6] = [
    0x8000_0000_0000,
    0xFFFF_7FFF_FFFF_FFFF,
    0x0001_0000_0008_6000,
    0x1234_5678_9ABC_DEF0,
    0xFF00_0000_0000_0000,
    0x8000_0000_0000_0000,
];

impl Builder {
    /// Tables, CR4, EFER and everything that legacy modes do not have.
    pub fn enter_long_mode(&mut self) {
        let code = !self.one_in(3);
        let mut cr4 = CR4_PAE;
        for (bit, often) in [
            (PGE, 2),
            (FSGSBASE, 2),
            (CR4_SMEP, 8),
            (CR4_SMAP, 8),
            // TSD, DE, PCE
            (4, 8),
            (8, 4),
            (0x100, 8),
        ] {
            if self.one_in(often) {
                cr4 |= bit;
            }
        }
        let mut efer = LME;
        if !self.one_in(8) {
            efer |= SCE;
        }
        if !self.one_in(3) {
            efer |= NXE;
        }
        let mut upper: [u32; 7] = std::array::from_fn(|_| match self.rng.below(3) {
            0 => self.rng.next_u64() as u32,
            _ => 0,
        });
        // Strings are short.
        upper[1] = 0;
        let extended = std::array::from_fn(|_| self.rng.next_u64());
        let context = self
            .one_in(6)
            .then(|| self.rng.pick(&[0u16, 1, 0x123, 0xFFF]));
        self.case.cr4 = cr4;
        self.case.efer = efer;
        self.case.ldtr = LONG_LDT;
        self.case.idt_limit = VECTORS as u16 * 16 - 1;
        self.case.sandbox.lengthen();
        self.case.long = Some(Long {
            code,
            upper,
            extended,
            rip_upper: 0,
            rsp_upper: 0,
            msrs: [0; 10],
            context,
        });
    }

    /// What is only in long mode.
    pub fn long(&mut self) -> &mut Long {
        self.case.long.as_mut().expect("a case of long mode")
    }

    /// An address of the sandbox, at times in the higher half.
    pub fn either_half(&mut self, at: u32) -> u64 {
        let high = if self.one_in(5) { HIGH_HALF } else { 0 };
        u64::from(at) | high
    }

    /// The same, and at times none at all.
    pub fn address(&mut self, at: u32, bad: u64) -> u64 {
        if self.one_in(bad) {
            return match self.rng.below(4) {
                0 => 0x3000_0000,
                _ => self.pick(&NOT_CANONICAL),
            };
        }
        self.either_half(at)
    }

    /// Sets one of the first seven registers, as numbered in [`Case::registers`].
    pub fn set_register(&mut self, n: usize, value: u64) {
        self.case.registers[n] = value as u32;
        if let Some(long) = &mut self.case.long {
            long.upper[n] = (value >> 32) as u32;
        }
    }

    /// Code, stack and RIP of a ring in 64-bit mode.
    pub fn at_ring_64(&mut self, ring: u8, at: u32) {
        self.case.wide = true;
        self.case.cs = of_ring(CODE_64, ring);
        self.case.eip = at;
        // A null selector is a stack segment too, but not at CPL 3 (SDM vol. 3, section 5.4.1.1).
        self.case.ss = if ring != 3 && self.one_in(4) {
            ring.into()
        } else {
            of_ring(DATA_32, ring)
        };
        self.case.esp = stack_of(ring) + STACK_START;
        let rip = self.either_half(at);
        let rsp = self.either_half(0);
        let long = self.long();
        long.rip_upper = (rip >> 32) as u32;
        long.rsp_upper = (rsp >> 32) as u32;
    }

    /// Random descriptors, stacks of the TSS, model-specific registers, rights of the first pages.
    pub fn long_tables(&mut self) {
        for first in [WILD, 4] {
            let mut n = 0;
            while n < WILD_COUNT {
                let at = first + 8 * n;
                n += self.long_descriptor(at);
            }
        }
        if self.one_in(24) {
            self.case.ldtr = self.rng.pick(&[LONG_LDT, 0, 1]);
        }
        self.long_stacks();
        self.long_registers();
        let (smep, smap) = (self.case.cr4 & CR4_SMEP != 0, self.case.cr4 & CR4_SMAP != 0);
        let outer = self.case.cpl() == 3;
        for (page, user) in [
            (GDT, !smap),
            (STACKS, !smap),
            (OPERANDS, outer || !smap),
            (CODE, outer || !smep),
        ] {
            let at = IDENTITY + 8 * (page >> 12);
            let entry = own_entry(page) & if user { !0 } else { !4 };
            self.case.sandbox.put64(at, entry.into());
        }
        if smap {
            self.case.eflags |= self.u32() & 1 << 18;
            if outer {
                // A stack that ring 3 may use.
                self.case.esp = DATA + 0x1C00;
                if self.case.ss & 0xFFFC >= DATA_16 {
                    self.case.ss = of_ring(DATA_32, 3);
                }
            }
        }
    }

    /// One descriptor of 16 bytes or two of 8, or one of 8 at the end; how many places they take.
    fn long_descriptor(&mut self, at: u16) -> u16 {
        let index = (at & 0xFFF8) - if at & 4 == 0 { WILD } else { 0 };
        let room = index / 8 + 1 < WILD_COUNT;
        if !room || self.one_in(2) {
            let mut raw = self.wild_segment();
            if raw >> 43 & 1 != 0 && !self.one_in(3) {
                // 64-bit code; with D it is reserved.
                raw |= 1 << 53;
                if !self.one_in(6) {
                    raw &= !(1 << 54);
                }
            }
            self.case.sandbox.describe(at, raw);
            return 1;
        }
        let halves = match self.rng.below(6) {
            0..=3 => {
                let selector = self.long_code_selector();
                let offset = self.long_landing(selector, 8);
                let gate = Gate {
                    selector,
                    offset: offset as u32,
                    kind: self.pick(&[12, 12, 12, 12, 4, 14, 5]),
                    dpl: self.pick(&[0, 1, 2, 3, 3, 3]),
                    present: !self.one_in(10),
                    parameters: self.u8() & 0x1F,
                };
                [gate.raw(), offset >> 32]
            }
            4 => self.long_system_segment(TSS_32, TSS_32_AVAILABLE),
            _ => self.long_system_segment(LDT, LDT_TYPE),
        };
        // The upper half's type is to be 0, elsewhere bits are free or reserved.
        let noise = if self.one_in(10) {
            self.rng.next_u64() << 32
        } else if self.one_in(10) {
            u64::from(self.u8()) << 32
        } else {
            0
        };
        self.case
            .sandbox
            .describe_wide(at, [halves[0], halves[1] | noise]);
        2
    }

    /// A TSS or an LDT of 16 bytes.
    pub fn long_system_segment(&mut self, base: u32, kind: u8) -> [u64; 2] {
        let limit = self.pick(&[0x67, 0x67, 0x66, 0xFF, 0x7F, 7, 0, 0xFFFF]);
        let busy = if kind == TSS_32_AVAILABLE && self.one_in(3) {
            2
        } else {
            0
        };
        let kind = if self.one_in(10) {
            self.u8() & 0xF
        } else {
            kind | busy
        };
        let raw = Segment {
            base,
            limit,
            kind,
            dpl: self.u8() & 3,
            present: !self.one_in(10),
            spare: self.u8() & 1,
            ..Segment::default()
        }
        .raw();
        let at = self.address(base, 8);
        [raw, at >> 32]
    }

    fn long_stacks(&mut self) {
        let inner = stack_of(1) + 0x100;
        for n in 2..8u32 {
            let pointer = match n {
                2 => u64::from(inner),
                3 => u64::from(inner) + self.rng.below(16),
                4 => HIGH_HALF | u64::from(inner),
                5 => self.rng.pick(&NOT_CANONICAL),
                6 => 0x3000_0000,
                // The frame needs two pages: the upper one is there.
                _ => u64::from(STACKS) + self.rng.below(0x40),
            };
            self.case.sandbox.put64(TSS + IST + 8 * n, pointer);
        }
        if self.one_in(8) {
            let ring = self.rng.below(3) as u32;
            let low = self.rng.below(16) as u32;
            let pointer = self.address(stack_of(ring as u8) + STACK_START - low, 3);
            self.case.sandbox.put64(TSS + 4 + 8 * ring, pointer);
        }
    }

    fn long_registers(&mut self) {
        let bases = std::array::from_fn::<u64, 3, _>(|_| match self.rng.below(4) {
            0 => 0,
            1 => SANDBOX.into(),
            2 => HIGH_HALF,
            _ => self.rng.next_u64() >> 17,
        });
        let selector = |b: &mut Self| {
            let first = b.pick(&[CODE_32, CODE_64, CODE_16, OWN_CODE]);
            u64::from(first + 8 * (b.u16() & 3) + (b.u16() & 3))
        };
        let star = selector(self) << 32 | selector(self) << 48 | u64::from(self.u32());
        let entry = |b: &mut Self| {
            let at = CODE + b.rng.below(0xF00) as u32;
            b.either_half(at)
        };
        let (lstar, cstar) = (entry(self), entry(self));
        let mask = u64::from(self.u32() & 0x003F_7FD5);
        let cs = match self.rng.below(6) {
            0 => u64::from(self.u8() & 3),
            1 => u64::from(CODE_64),
            _ => u64::from(CODE_32),
        };
        let stack = self.either_half(stack_of(0) + STACK_START);
        let entry = entry(self);
        self.long().msrs = [
            bases[0], bases[1], bases[2], star, lstar, cstar, mask, cs, stack, entry,
        ];
    }

    /// A selector of something that is probably code, mostly of 64 bits.
    pub fn long_code_selector(&mut self) -> u16 {
        let ring = self.u8() & 3;
        match self.rng.below(8) {
            0..=3 => of_ring(CODE_64, ring),
            4 => of_ring(CODE_32, ring),
            5 => of_ring(CODE_16, ring),
            6 => self.wild_selector(),
            _ => self.selector(),
        }
    }

    /// A place in the code, as an offset in the segment of a selector; one in `bad` is none.
    pub fn long_landing(&mut self, selector: u16, bad: u64) -> u64 {
        let raw = self.case.sandbox.descriptor(selector);
        if raw >> 53 & 1 == 0 {
            return self.landing(selector).into();
        }
        let at = CODE + self.rng.below(0xF00) as u32;
        self.address(at, bad)
    }

    /// Puts values of 2, 4 or 8 bytes on the stack, the first on its top.
    pub fn stack_of_width(&mut self, bytes: u32, values: &[u64]) {
        let mut at = self.stack_top();
        for &v in values {
            self.case
                .sandbox
                .put(at, &v.to_le_bytes()[..bytes as usize]);
            at += bytes;
        }
    }

    /// Emits the prefix for operands of that many bytes.
    pub fn operand_bytes(&mut self, bytes: u32) {
        match bytes {
            8 => self.emit(&[0x48]),
            _ => self.operand_size(bytes == 4),
        }
    }

    /// An operand size that the mode has.
    pub fn operand_width(&mut self) -> u32 {
        if self.case.is_64_bit() {
            self.pick(&[8, 8, 8, 4, 2])
        } else if self.case.wide != self.one_in(4) {
            4
        } else {
            2
        }
    }

    /// 4-level paging with every bit of every level; returns the window's address.
    pub fn long_window(&mut self) -> u32 {
        let entry = |b: &mut Self, often| b.entry_flags(often) | b.high_bits();
        // A: what leads there is not always known to have been used.
        let top = entry(self, 12) & !0x80;
        let top = if self.one_in(24) { top | 0x80 } else { top };
        self.case
            .sandbox
            .put64(DIRECTORY + 8 * 256, top | u64::from(PAE_DIRECTORY));
        let pointer = entry(self, 10);
        if self.one_in(8) {
            // 1 GiB; the bits below bit 30 are reserved but for PAT.
            let reserved = if self.one_in(4) {
                1 << (13 + self.rng.below(17))
            } else {
                0
            };
            self.case
                .sandbox
                .put64(PAE_DIRECTORY + 8, pointer | 0x80 | reserved);
            return (WINDOW_64 & 0xC000_0000) + DATA;
        }
        self.case
            .sandbox
            .put64(PAE_DIRECTORY + 8, pointer & !0x80 | u64::from(DIRECTORY_64));
        let directory = entry(self, 6);
        if self.one_in(4) {
            let reserved = if self.one_in(4) {
                1 << (13 + self.rng.below(8))
            } else {
                0
            };
            self.case
                .sandbox
                .put64(DIRECTORY_64 + 8, directory | 0x80 | reserved);
            return WINDOW_64 + DATA;
        }
        self.case
            .sandbox
            .put64(DIRECTORY_64 + 8, directory & !0x80 | u64::from(TABLE));
        for n in 0..2 {
            let page = entry(self, 4) & !0x80;
            let frame = u64::from(DATA + 0x1000 * n);
            self.case.sandbox.put64(TABLE + 8 * n, page | frame);
        }
        WINDOW_64
    }
}
