//! Random cases. Most of a case is sensible, so that what is checked late is reached.

mod canonical;
mod data;
mod long;
mod long_system;
mod long_transfer;
mod paging;
mod segment;
mod system;
mod transfer;

use super::case::*;
use super::layout::*;
use super::sandbox::*;
use crate::operands::Prng;

/// How often each kind comes, of 100.
const WEIGHTS: [(Kind, u64); 15] = [
    (Kind::SegmentLoad, 12),
    (Kind::Query, 6),
    (Kind::Privileged, 7),
    (Kind::FarTransfer, 14),
    (Kind::FarReturn, 7),
    (Kind::Interrupt, 12),
    (Kind::InterruptReturn, 9),
    (Kind::Page, 12),
    (Kind::Limit, 8),
    (Kind::Port, 2),
    (Kind::Virtual8086, 4),
    (Kind::Alignment, 1),
    (Kind::Debug, 3),
    (Kind::Flags, 2),
    (Kind::FastCall, 1),
];

/// The same in long mode. The kinds that are not its own are those of compatibility mode, and of 64-bit mode.
const LONG_WEIGHTS: [(Kind, u64); 13] = [
    (Kind::SegmentLoad, 10),
    (Kind::Query, 6),
    (Kind::FarTransfer, 13),
    (Kind::FarReturn, 8),
    (Kind::Interrupt, 13),
    (Kind::InterruptReturn, 12),
    (Kind::Page, 10),
    (Kind::Limit, 3),
    (Kind::Port, 2),
    (Kind::Flags, 2),
    (Kind::SystemCall, 7),
    (Kind::Canonical, 8),
    (Kind::LongSystem, 6),
];

/// Case `number` of a seed.
pub fn generate(seed: u64, number: u64, pristine: &Sandbox) -> Case {
    let mut rng = Prng::new(seed.wrapping_mul(0x1_0000_0001).wrapping_add(number));
    // The first few numbers of a fresh generator are close to those of its neighbours.
    for _ in 0..4 {
        rng.next_u64();
    }
    let long = rng.below(5) < 2;
    let mut at = rng.below(100);
    let mut kind = Kind::SegmentLoad;
    let weights = if long { &LONG_WEIGHTS[..] } else { &WEIGHTS };
    for &(k, weight) in weights {
        if at < weight {
            kind = k;
            break;
        }
        at -= weight;
    }
    let mut b = Builder::new(rng, number, kind, long, pristine);
    match kind {
        Kind::FarTransfer if long => b.long_transfer(),
        Kind::FarReturn if long => b.long_far_return(),
        Kind::Interrupt if long => b.long_interrupt(),
        Kind::InterruptReturn if long => b.long_interrupt_return(),
        Kind::SegmentLoad => b.segment_load(),
        Kind::Query => b.query(),
        Kind::Privileged => b.privileged(),
        Kind::FarTransfer => b.far_transfer(),
        Kind::FarReturn => b.far_return(),
        Kind::Interrupt => b.interrupt(),
        Kind::InterruptReturn => b.interrupt_return(),
        Kind::Page => b.page(),
        Kind::Limit => b.limit(),
        Kind::Port => b.port(),
        Kind::Virtual8086 => b.virtual_8086(),
        Kind::Alignment => b.alignment(),
        Kind::Debug => b.debug(),
        Kind::Flags => b.flags(),
        Kind::FastCall => b.fast_call(),
        Kind::SystemCall => b.system_call(),
        Kind::Canonical => b.canonical(),
        Kind::LongSystem => b.long_system(),
    }
    b.case.place_code();
    b.case
}

/// A case without anything random, which its caller completes.
#[cfg(test)]
pub fn plain(number: u64, pristine: &Sandbox) -> Case {
    let rng = Prng::new(1);
    let mut case = Builder::new(rng, number, Kind::Query, false, pristine).case;
    case.sandbox = pristine.clone();
    case.cr0 = 0x8000_0011;
    case.cr4 = 0;
    case.eflags = 2;
    case.ldtr = MAIN_LDT;
    case.wide = true;
    case.data = [of_ring(DATA_32, 3); 4];
    case
}

/// Segment registers by their number in an instruction.
pub const ES: u8 = 0;
pub const SS: u8 = 2;
pub const DS: u8 = 3;

/// Makes one case.
pub struct Builder {
    pub rng: Prng,
    pub case: Case,
}

impl Builder {
    fn new(mut rng: Prng, number: u64, kind: Kind, long: bool, pristine: &Sandbox) -> Self {
        let r32 = |rng: &mut Prng| rng.next_u64() as u32;
        let registers = std::array::from_fn(|_| r32(&mut rng));
        let case = Case {
            number,
            kind,
            sandbox: pristine.clone(),
            cr0: 0x8000_0011 | if rng.below(2) == 0 { CR0_WP } else { 0 },
            cr3: DIRECTORY,
            cr4: 0,
            efer: 0,
            dr7: 0x400,
            breakpoints: [0; 3],
            ldtr: MAIN_LDT,
            gdt_limit: GDT_BYTES as u16 - 1,
            idt_limit: VECTORS as u16 * 8 - 1,
            registers,
            eip: 0,
            cs: 0,
            eflags: 2,
            esp: 0,
            ss: 0,
            data: [0; 4],
            code: Vec::new(),
            wide: true,
            long: None,
        };
        let mut b = Self { rng, case };
        b.case.eflags |= b.u32() & 0x0020_0AD5;
        if b.one_in(2) {
            b.case.eflags |= (b.u32() & 3) << 12;
        }
        if b.one_in(12) {
            b.case.eflags |= 1 << 18;
        }
        if long {
            b.enter_long_mode();
        } else if b.one_in(10) {
            b.use_pae();
        }
        let ring = b.ring();
        let wide = !b.one_in(4);
        b.at_ring(ring, wide);
        for n in 0..4 {
            b.case.data[n] = match b.rng.below(8) {
                0 => b.u16() & 3,
                1 => of_ring(DATA_16, 3),
                _ => of_ring(DATA_32, 3),
            };
        }
        // DS is always good for operands in memory.
        b.case.data[1] = of_ring(DATA_32, 3);
        if long {
            b.long_tables();
        } else {
            b.wild_tables();
        }
        b
    }

    pub fn u8(&mut self) -> u8 {
        self.rng.next_u64() as u8
    }
    pub fn u16(&mut self) -> u16 {
        self.rng.next_u64() as u16
    }
    pub fn u32(&mut self) -> u32 {
        self.rng.next_u64() as u32
    }
    pub fn one_in(&mut self, n: u64) -> bool {
        self.rng.below(n) == 0
    }
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        self.rng.pick(from)
    }

    /// 0 and 3 mostly.
    fn ring(&mut self) -> u8 {
        self.pick(&[0, 0, 0, 0, 3, 3, 3, 1, 2])
    }

    /// Code, stack and EIP for a ring.
    pub fn at_ring(&mut self, ring: u8, wide: bool) {
        let at = CODE + self.rng.below(0xE00) as u32;
        if self.case.is_64_bit() {
            self.at_ring_64(ring, at);
            return;
        }
        self.case.wide = wide;
        if wide {
            self.case.cs = of_ring(CODE_32, ring);
            self.case.eip = at;
        } else {
            self.case.cs = of_ring(CODE_16, ring);
            self.case.eip = at - SANDBOX;
        }
        let stack = stack_of(ring) + STACK_START;
        if self.one_in(4) {
            self.case.ss = of_ring(DATA_16, ring);
            // Only SP counts.
            self.case.esp = (stack - SANDBOX) | self.u32() << 16;
        } else {
            self.case.ss = of_ring(DATA_32, ring);
            self.case.esp = stack;
        }
    }

    /// The linear address of the top of the stack.
    pub fn stack_top(&self) -> u32 {
        if self.case.is_virtual() {
            return (u32::from(self.case.ss) << 4) + (self.case.esp & 0xFFFF);
        }
        if self.case.is_64_bit() {
            return self.case.esp;
        }
        let raw = self.case.sandbox.descriptor(self.case.ss);
        let big = raw >> 54 & 1 != 0;
        let esp = if big {
            self.case.esp
        } else {
            self.case.esp & 0xFFFF
        };
        base_of(raw).wrapping_add(esp)
    }

    /// Puts values on the stack, the first on its top.
    pub fn stack(&mut self, wide: bool, values: &[u32]) {
        let mut at = self.stack_top();
        for &v in values {
            if wide {
                self.case.sandbox.put32(at, v);
                at += 4;
            } else {
                self.case.sandbox.put16(at, v as u16);
                at += 2;
            }
        }
    }

    /// PAE instead of 32-bit paging.
    pub fn use_pae(&mut self) {
        self.case.cr4 |= CR4_PAE;
        let s = &mut self.case.sandbox;
        s.put64(DIRECTORY, u64::from(PAE_DIRECTORY | 1));
        s.put64(PAE_DIRECTORY, u64::from(OWN_PAE_TABLE | 0x27));
    }

    /// Appends to the instructions.
    pub fn emit(&mut self, bytes: &[u8]) {
        self.case.code.extend_from_slice(bytes);
    }

    /// The prefix that makes operands 32 or 16 bits wide.
    pub fn operand_size(&mut self, wide: bool) {
        if wide != self.case.wide {
            self.emit(&[0x66]);
        }
    }

    /// An instruction of `opcode` with the operand [`OPERANDS`]` + offset` by DS.
    pub fn with_memory(&mut self, opcode: &[u8], reg: u8, offset: u32) {
        if !self.case.wide {
            self.emit(&[0x67]);
        }
        self.emit(opcode);
        if self.case.is_64_bit() {
            // Without a SIB byte it would be relative to RIP.
            self.emit(&[reg << 3 | 4, 0x25]);
        } else {
            self.emit(&[reg << 3 | 5]);
        }
        self.emit(&(OPERANDS + offset).to_le_bytes());
    }

    /// A segment, a gate or anything else.
    pub fn wild_descriptor(&mut self) -> u64 {
        match self.rng.below(20) {
            0..=11 => self.wild_segment(),
            12..=15 => self.wild_call_gate(),
            16 => self.wild_task_gate(),
            17 => self.wild_task(),
            18 => {
                let limit = self.rng.pick(&[0, 7, 0x3F, 0x7F, 0xFFFF]);
                self.system_segment(LDT, limit, LDT_TYPE)
            }
            _ => {
                let kind = self.u8() & 0xF;
                let raw = self.wild_segment() & !(0x1F << 40);
                raw | u64::from(kind) << 40
            }
        }
    }

    fn present(&mut self) -> bool {
        !self.one_in(10)
    }

    /// Code or data.
    pub fn wild_segment(&mut self) -> u64 {
        let (base, limit, pages) = match self.rng.below(8) {
            0..=2 => (0, 0xF_FFFF, true),
            3 | 4 => (SANDBOX, 0xFFFF, false),
            5 => (CODE, self.rng.pick(&[0xFFF, 0x7FF, 0xFFFF]), false),
            6 => {
                let base = SANDBOX + (self.u32() & 0x7FF0);
                let limit = self.rng.pick(&[0, 1, 3, 0xFF, 0xFFF, 0xFFFF, 0xF_FFFF]);
                (base, limit, self.rng.below(4) == 0)
            }
            _ => (
                SANDBOX,
                self.rng.below(0x1_0000) as u32,
                self.rng.below(6) == 0,
            ),
        };
        Segment {
            base,
            limit,
            kind: 0x10 | self.u8() & 0xF,
            dpl: self.u8() & 3,
            present: self.present(),
            big: !self.one_in(4),
            pages,
            spare: self.u8() & 1,
        }
        .raw()
    }

    /// A place in the code, as an offset in the segment of a selector.
    pub fn landing(&mut self, selector: u16) -> u32 {
        let raw = self.case.sandbox.descriptor(selector);
        let at = CODE + self.rng.below(0xF00) as u32;
        if self.one_in(16) {
            // Out of a small segment, or in no page.
            return self.rng.pick(&[0x3000_0000, 0xA_0000, 0xFFFF_FFFF]);
        }
        at.wrapping_sub(base_of(raw))
    }

    /// A call gate, mostly to code.
    pub fn wild_call_gate(&mut self) -> u64 {
        let selector = self.code_selector();
        let offset = self.landing(selector);
        let parameters = if self.one_in(2) { 0 } else { self.u8() & 0x1F };
        Gate {
            selector,
            offset,
            kind: self.pick(&[4, 12, 12]),
            dpl: self.pick(&[0, 1, 2, 3, 3, 3]),
            present: self.present(),
            parameters,
        }
        .raw()
    }

    fn wild_task_gate(&mut self) -> u64 {
        let selector = self.task_selector();
        Gate {
            selector,
            offset: self.u32(),
            kind: TASK_GATE,
            dpl: self.pick(&[0, 1, 2, 3, 3, 3]),
            present: self.present(),
            parameters: 0,
        }
        .raw()
    }

    /// A TSS descriptor.
    fn wild_task(&mut self) -> u64 {
        let (base, kind, limits): (u32, u8, &[u32]) = if self.one_in(2) {
            (TSS_32, 9, &[0x67, 0x66, 0x68, 0xFF, 0x2B, 0])
        } else {
            (TSS_16, 1, &[0x2B, 0x2A, 0x2C, 0xFF, 0x67, 0])
        };
        let limit = self.pick(limits);
        let busy = if self.one_in(3) { 2 } else { 0 };
        self.system_segment(base, limit, kind | busy)
    }

    fn system_segment(&mut self, base: u32, limit: u32, kind: u8) -> u64 {
        Segment {
            base,
            limit,
            kind,
            dpl: self.pick(&[0, 0, 1, 2, 3, 3]),
            present: self.present(),
            spare: self.u8() & 1,
            ..Segment::default()
        }
        .raw()
    }

    /// A selector of something that is probably code.
    pub fn code_selector(&mut self) -> u16 {
        let ring = self.u8() & 3;
        match self.rng.below(8) {
            0..=2 => of_ring(CODE_32, ring),
            3 => of_ring(CODE_16, ring),
            4..=6 => self.wild_selector(),
            _ => self.selector(),
        }
    }

    /// A selector of something that is probably a TSS.
    pub fn task_selector(&mut self) -> u16 {
        let rpl = self.u16() & 3;
        match self.rng.below(8) {
            0..=3 => TASK_32 | rpl,
            4 | 5 => TASK_16 | rpl,
            6 => MAIN_TASK | rpl,
            _ => self.selector(),
        }
    }

    /// One of the random descriptors.
    pub fn wild_selector(&mut self) -> u16 {
        let rpl = self.rpl();
        if self.one_in(2) {
            WILD + 8 * self.rng.below(WILD_COUNT.into()) as u16 + rpl
        } else {
            8 * self.rng.below(LDT_COUNT.into()) as u16 + 4 + rpl
        }
    }

    fn rpl(&mut self) -> u16 {
        if self.one_in(2) {
            u16::from(self.case.cpl())
        } else {
            self.u16() & 3
        }
    }

    /// Any selector.
    pub fn selector(&mut self) -> u16 {
        let rpl = self.rpl();
        match self.rng.below(20) {
            0..=10 => self.wild_selector(),
            11..=13 => {
                let first = self.pick(&[CODE_32, DATA_32, DATA_32, CODE_16, DATA_16]);
                let ring = self.u16() & 3;
                first + 8 * ring + rpl
            }
            14 | 15 => self.pick(&[MAIN_TASK, MAIN_LDT, TASK_32, TASK_16]) + rpl,
            16 => rpl,
            // Behind the ends of the tables.
            17 => (GDT_BYTES as u16 + 8 * (self.u16() & 0xFF)) | rpl,
            18 => (LDT_BYTES as u16 + 8 * (self.u16() & 0xFF)) | 4 | rpl,
            _ => of_ring(DATA_32, self.case.cpl()),
        }
    }

    /// A selector of data that can be a stack of that level, mostly.
    pub fn stack_selector(&mut self, ring: u8) -> u16 {
        match self.rng.below(8) {
            0..=4 => of_ring(DATA_32, ring),
            5 => of_ring(DATA_16, ring),
            _ => self.selector(),
        }
    }

    /// A stack pointer for a stack selector.
    pub fn stack_pointer_for(&mut self, selector: u16, ring: u8) -> u32 {
        let raw = self.case.sandbox.descriptor(selector);
        if self.one_in(24) {
            return self.pick(&[0, 1, 2, 6, 0x3000_0000]);
        }
        (stack_of(ring) + STACK_START).wrapping_sub(base_of(raw))
    }

    fn wild_tables(&mut self) {
        for n in 0..WILD_COUNT {
            let raw = self.wild_descriptor();
            self.case.sandbox.describe(WILD + 8 * n, raw);
        }
        for n in 0..LDT_COUNT {
            let raw = self.wild_descriptor();
            self.case.sandbox.describe(8 * n + 4, raw);
        }
        if self.one_in(24) {
            let raw = self.rng.pick(&[MAIN_LDT, 0, 1]);
            self.case.ldtr = raw;
        }
        self.task_32();
        self.task_16();
        if self.one_in(8) {
            // An inner stack that is not as it should be.
            let ring = self.rng.below(3) as u8;
            let selector = self.stack_selector(ring);
            let pointer = self.stack_pointer_for(selector, ring);
            if ring != 0 {
                let at = TSS + 4 + 8 * u32::from(ring);
                self.case.sandbox.put32(at, pointer);
                self.case.sandbox.put32(at + 4, selector.into());
            }
        }
    }

    /// CS, EIP, SS, ESP of a task.
    fn task_pointers(&mut self) -> (u8, u16, u32, u16, u32) {
        let ring = self.pick(&[0, 0, 3, 1, 2]);
        let cs = if self.one_in(6) {
            self.code_selector()
        } else {
            let first = self.pick(&[CODE_32, CODE_16]);
            of_ring(first, ring)
        };
        let eip = self.landing(cs);
        let ss = if self.one_in(10) {
            self.selector()
        } else {
            self.stack_selector(ring)
        };
        let esp = self.stack_pointer_for(ss, ring);
        (ring, cs, eip, ss, esp)
    }

    fn task_data(&mut self) -> u16 {
        match self.rng.below(12) {
            0 => self.selector(),
            1 => self.u16() & 3,
            _ => of_ring(DATA_32, 3),
        }
    }

    fn task_flags(&mut self) -> u32 {
        let mut flags = 2 | self.u32() & 0x0024_3AD5;
        if self.one_in(12) {
            flags |= EFLAGS_NT;
        }
        flags
    }

    fn task_32(&mut self) {
        let (_, cs, eip, ss, esp) = self.task_pointers();
        let mut flags = self.task_flags();
        let virtual_8086 = self.one_in(12);
        let t = TSS_32;
        if virtual_8086 {
            flags |= EFLAGS_VM;
        }
        let mut words = [0u32; 26];
        words[0] = self.task_selector().into();
        for ring in 0..3u8 {
            words[1 + 2 * usize::from(ring)] = stack_of(ring) + STACK_START - 0x80;
            words[2 + 2 * usize::from(ring)] = of_ring(DATA_32, ring).into();
        }
        words[7] = DIRECTORY;
        words[8] = if virtual_8086 {
            0x6000 + (eip & 0xFF)
        } else {
            eip
        };
        words[9] = flags;
        for w in &mut words[10..18] {
            *w = self.rng.next_u64() as u32;
        }
        words[14] = if virtual_8086 { 0x1E80 } else { esp };
        words[18] = self.task_data().into();
        words[19] = if virtual_8086 {
            SANDBOX >> 4
        } else {
            cs.into()
        };
        words[20] = if virtual_8086 {
            SANDBOX >> 4
        } else {
            ss.into()
        };
        for w in &mut words[21..24] {
            *w = self.task_data().into();
        }
        words[24] = match self.rng.below(10) {
            0 => self.selector().into(),
            1 | 2 => 0,
            _ => MAIN_LDT.into(),
        };
        words[25] = 0x68 << 16;
        for (n, w) in words.into_iter().enumerate() {
            self.case.sandbox.put32(t + 4 * n as u32, w);
        }
    }

    fn task_16(&mut self) {
        let (ring, cs, eip, mut ss, mut esp) = self.task_pointers();
        // The upper half of a 16-bit task's ESP is not defined: its stack is one of 16 bits.
        if self.case.sandbox.descriptor(ss) >> 54 & 1 != 0 {
            ss = of_ring(DATA_16, ring);
            esp = self.stack_pointer_for(ss, ring);
        }
        let mut words = [0u16; 22];
        words[0] = self.task_selector();
        for ring in 0..3u8 {
            words[1 + 2 * usize::from(ring)] = (stack_of(ring) + STACK_START - SANDBOX) as u16;
            words[2 + 2 * usize::from(ring)] = of_ring(DATA_16, ring);
        }
        words[7] = eip as u16;
        words[8] = self.task_flags() as u16;
        for w in &mut words[9..17] {
            *w = self.rng.next_u64() as u16;
        }
        words[13] = esp as u16;
        words[17] = self.task_data();
        words[18] = cs;
        words[19] = ss;
        words[20] = self.task_data();
        words[21] = if self.one_in(4) { 0 } else { MAIN_LDT };
        for (n, w) in words.into_iter().enumerate() {
            self.case.sandbox.put16(TSS_16 + 2 * n as u32, w);
        }
    }
}
