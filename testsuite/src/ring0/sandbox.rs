//! What a case may change, as the host prepares it: descriptor tables, task state segments, stacks, page tables, code
//! and data (SDM vol. 3, chapters 3 to 7).

use super::layout::*;

/// A segment descriptor, field by field.
#[derive(Copy, Clone, Debug, Default)]
pub struct Segment {
    pub base: u32,
    /// 20 bits.
    pub limit: u32,
    /// S and the type: bits 4 to 0.
    pub kind: u8,
    pub dpl: u8,
    pub present: bool,
    /// D or B.
    pub big: bool,
    /// The limit counts pages.
    pub pages: bool,
    /// AVL and L.
    pub spare: u8,
}

impl Segment {
    /// Its eight bytes.
    pub fn raw(self) -> u64 {
        let rights = u64::from(self.kind & 0x1F)
            | u64::from(self.dpl & 3) << 5
            | u64::from(self.present) << 7;
        let upper =
            u64::from(self.spare & 3) | u64::from(self.big) << 2 | u64::from(self.pages) << 3;
        u64::from(self.limit & 0xFFFF)
            | u64::from(self.base & 0xFF_FFFF) << 16
            | rights << 40
            | u64::from(self.limit >> 16 & 0xF) << 48
            | upper << 52
            | u64::from(self.base >> 24) << 56
    }
}

/// A gate: call gates, task gates, interrupt and trap gates.
#[derive(Copy, Clone, Debug, Default)]
pub struct Gate {
    pub selector: u16,
    pub offset: u32,
    /// The type: bits 4 to 0, S among them.
    pub kind: u8,
    pub dpl: u8,
    pub present: bool,
    pub parameters: u8,
}

impl Gate {
    /// Its eight bytes.
    pub fn raw(self) -> u64 {
        let rights = u64::from(self.kind & 0x1F)
            | u64::from(self.dpl & 3) << 5
            | u64::from(self.present) << 7;
        u64::from(self.offset & 0xFFFF)
            | u64::from(self.selector) << 16
            | u64::from(self.parameters) << 32
            | rights << 40
            | u64::from(self.offset >> 16) << 48
    }
}

/// L in [`Segment::spare`].
pub const LONG: u8 = 2;

/// Types of descriptors, S included.
pub const DATA_RW: u8 = 0x13;
pub const CODE_R: u8 = 0x1B;
pub const TSS_16_AVAILABLE: u8 = 1;
pub const LDT_TYPE: u8 = 2;
pub const TSS_32_AVAILABLE: u8 = 9;
pub const TASK_GATE: u8 = 5;
pub const INTERRUPT_GATE_32: u8 = 14;

/// Places in the GDT that every case has; the index times 8.
pub const MAIN_TASK: u16 = 0x20;
pub const MAIN_LDT: u16 = 0x28;
/// 32-bit code of 4 GiB, DPL 0 to 3.
pub const CODE_32: u16 = 0x30;
/// 32-bit data of 4 GiB, DPL 0 to 3.
pub const DATA_32: u16 = 0x50;
/// 16-bit code of 64 KiB from the sandbox on, DPL 0 to 3.
pub const CODE_16: u16 = 0x70;
/// The same for data.
pub const DATA_16: u16 = 0x90;
pub const TASK_32: u16 = 0xB0;
pub const TASK_16: u16 = 0xB8;
/// The LDT of long mode, a descriptor of 16 bytes.
pub const LONG_LDT: u16 = 0xB0;
/// 64-bit code, DPL 0 to 3.
pub const CODE_64: u16 = 0x140;
/// From here on descriptors are random.
pub const WILD: u16 = 0xC0;
/// How many in the GDT; also all of the LDT.
pub const WILD_COUNT: u16 = 16;
/// How many descriptors the LDT has.
pub const LDT_COUNT: u16 = 16;

/// The selector of the `dpl`'th of four descriptors, with that RPL.
pub fn of_ring(first: u16, ring: u8) -> u16 {
    first + 8 * u16::from(ring) + u16::from(ring)
}

/// Where the stack of a ring begins.
pub fn stack_of(ring: u8) -> u32 {
    STACKS + STACK_BYTES * u32::from(ring)
}

/// The memory of [`SANDBOX`].
#[derive(Clone, PartialEq, Eq)]
pub struct Sandbox(Vec<u8>);

impl Sandbox {
    /// As all cases have it.
    pub fn pristine() -> Self {
        let mut s = Self(vec![0; SANDBOX_BYTES as usize]);
        s.tables();
        s.tasks();
        for n in 0..STACK_BYTES {
            // Something to be copied and overwritten.
            let word = 0x5A00_0000 | n.wrapping_mul(0x0101_0301) & 0xFF_FFFF;
            s.put32(STACKS + 4 * n, word);
        }
        for n in 0..2 * 1024 {
            s.put32(DATA + 4 * n, (0xD000_0000 | (n * 0x11)) ^ 0x00F0_0F00);
        }
        s.0[(CODE - SANDBOX) as usize..(DATA - SANDBOX) as usize].fill(0xCC);
        // The window is filled in by the cases about paging.
        s.put32(DIRECTORY, OWN_TABLE | 0x27);
        s.put64(DIRECTORY_64, u64::from(IDENTITY | 0x27));
        s.put64(DIRECTORY_64 + 8, u64::from(TABLE | 0x27));
        for n in 0..MAPPED >> 12 {
            s.put64(IDENTITY + 8 * n, own_entry(n << 12).into());
        }
        let stack = (OWN_STACK - 0x1000) | 0x63;
        s.put64(IDENTITY + 8 * (ENTRY_STACK / 0x1000 - 1), stack.into());
        s
    }

    /// Makes it one of long mode: the tables of paging, a 64-bit TSS, gates of 16 bytes.
    pub fn lengthen(&mut self) {
        for entry in [0, 256] {
            self.put64(DIRECTORY + 8 * entry, u64::from(PAE_DIRECTORY | 0x27));
        }
        for entry in [0, 1] {
            let raw = u64::from(DIRECTORY_64 | 0x27);
            self.put64(PAE_DIRECTORY + 8 * entry, raw);
        }
        // The TSS descriptor is there already but for its upper half.
        self.describe(MAIN_LDT, 0);
        let table = Segment {
            base: LDT,
            limit: LDT_COUNT as u32 * 8 - 1,
            kind: LDT_TYPE,
            present: true,
            ..Segment::default()
        };
        self.describe_wide(LONG_LDT, [table.raw(), 0]);
        for at in (0..0x60).step_by(4) {
            self.put32(TSS + 4 + at, 0);
        }
        for ring in 0..3u8 {
            let top = stack_of(ring) + STACK_START;
            self.put64(TSS + 4 + 8 * u32::from(ring), top.into());
        }
        self.put64(TSS + IST + 8, DOUBLE_FAULT_STACK.into());
        for vector in 0..VECTORS {
            let gate = Gate {
                selector: CODE_64,
                offset: STUBS_64 + vector * STUB_BYTES,
                kind: INTERRUPT_GATE_32,
                dpl: if vector == 3 { 3 } else { 0 },
                present: true,
                // IST1.
                parameters: u8::from(vector == 8),
            };
            self.put_gate(vector, [gate.raw(), 0]);
        }
    }

    /// Writes a gate of long mode's IDT.
    pub fn put_gate(&mut self, vector: u32, halves: [u64; 2]) {
        for (n, half) in (0..).zip(halves) {
            self.put64(IDT + 16 * vector + 8 * n, half);
        }
    }

    /// Writes a descriptor of 16 bytes.
    pub fn describe_wide(&mut self, selector: u16, halves: [u64; 2]) {
        self.describe(selector, halves[0]);
        self.describe(selector + 8, halves[1]);
    }

    fn tables(&mut self) {
        for (selector, kind) in [(OWN_CODE, CODE_R), (OWN_DATA, DATA_RW)] {
            self.describe(selector, Segment { kind, ..flat(0) }.raw());
        }
        let task = |base, bytes: u32, kind| {
            let s = Segment {
                base,
                limit: bytes - 1,
                kind,
                present: true,
                ..Segment::default()
            };
            s.raw()
        };
        self.describe(
            DOUBLE_FAULT_TASK,
            task(DOUBLE_FAULT_TSS, 104, TSS_32_AVAILABLE),
        );
        self.describe(MAIN_TASK, task(TSS, TSS_BYTES, TSS_32_AVAILABLE));
        self.describe(MAIN_LDT, task(LDT, LDT_COUNT as u32 * 8, LDT_TYPE));
        self.describe(TASK_32, task(TSS_32, 0x100, TSS_32_AVAILABLE));
        self.describe(TASK_16, task(TSS_16, 0x100, TSS_16_AVAILABLE));
        for ring in 0..4u8 {
            let small = Segment {
                base: SANDBOX,
                limit: 0xFFFF,
                dpl: ring,
                present: true,
                ..Segment::default()
            };
            let selector = |first| first + 8 * u16::from(ring);
            let raw = |s: Segment, kind| Segment { kind, ..s }.raw();
            self.describe(selector(CODE_32), raw(flat(ring), CODE_R));
            self.describe(selector(DATA_32), raw(flat(ring), DATA_RW));
            self.describe(selector(CODE_16), raw(small, CODE_R));
            self.describe(selector(DATA_16), raw(small, DATA_RW));
            let long = Segment {
                kind: CODE_R,
                big: false,
                spare: LONG,
                ..flat(ring)
            };
            self.describe(selector(CODE_64), long.raw());
        }
        for vector in 0..VECTORS {
            let gate = Gate {
                selector: OWN_CODE,
                offset: STUBS + vector * STUB_BYTES,
                kind: INTERRUPT_GATE_32,
                dpl: if vector == 3 { 3 } else { 0 },
                present: true,
                parameters: 0,
            };
            self.put64(IDT + 8 * vector, gate.raw());
        }
        let double_fault = Gate {
            selector: DOUBLE_FAULT_TASK,
            kind: TASK_GATE,
            present: true,
            ..Gate::default()
        };
        self.put64(IDT + 8 * 8, double_fault.raw());
    }

    fn tasks(&mut self) {
        for ring in 0..3u8 {
            let at = TSS + 4 + 8 * u32::from(ring);
            self.put32(at, stack_of(ring) + STACK_START);
            self.put32(at + 4, of_ring(DATA_32, ring).into());
        }
        self.put32(TSS + 28, DIRECTORY);
        self.put32(TSS + 100, IO_BITMAP << 16);
        self.put8(TSS + TSS_BYTES - 1, 0xFF);
    }

    /// All of it.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn slice(&mut self, at: u32, bytes: usize) -> &mut [u8] {
        let at = (at - SANDBOX) as usize;
        &mut self.0[at..at + bytes]
    }

    pub fn put8(&mut self, at: u32, value: u8) {
        self.slice(at, 1)[0] = value;
    }
    pub fn put16(&mut self, at: u32, value: u16) {
        self.slice(at, 2).copy_from_slice(&value.to_le_bytes());
    }
    pub fn put32(&mut self, at: u32, value: u32) {
        self.slice(at, 4).copy_from_slice(&value.to_le_bytes());
    }
    pub fn put64(&mut self, at: u32, value: u64) {
        self.slice(at, 8).copy_from_slice(&value.to_le_bytes());
    }
    pub fn put(&mut self, at: u32, bytes: &[u8]) {
        self.slice(at, bytes.len()).copy_from_slice(bytes);
    }

    /// A dword of it.
    pub fn get32(&self, at: u32) -> u32 {
        let at = (at - SANDBOX) as usize;
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&self.0[at..at + 4]);
        u32::from_le_bytes(bytes)
    }

    /// A qword of it.
    pub fn get64(&self, at: u32) -> u64 {
        u64::from(self.get32(at)) | u64::from(self.get32(at + 4)) << 32
    }

    /// Where a selector's descriptor is, if the tables have room for it.
    pub fn descriptor_at(selector: u16) -> Option<u32> {
        let offset = u32::from(selector & 0xFFF8);
        let (table, bytes) = if selector & 4 == 0 {
            (GDT, GDT_BYTES)
        } else {
            (LDT, LDT_BYTES)
        };
        (offset < bytes).then_some(table + offset)
    }

    /// Writes a descriptor.
    pub fn describe(&mut self, selector: u16, raw: u64) {
        if let Some(at) = Self::descriptor_at(selector) {
            self.put64(at, raw);
        }
    }

    /// A selector's descriptor, or 0.
    pub fn descriptor(&self, selector: u16) -> u64 {
        Self::descriptor_at(selector).map_or(0, |at| self.get64(at))
    }

    /// What differs from `from`: runs of dwords, each with its place in dwords. Close ones are joined.
    pub fn patches(&self, from: &Self) -> Vec<(usize, &[u8])> {
        let differs = |n: usize| self.0[4 * n..4 * n + 4] != from.0[4 * n..4 * n + 4];
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for n in (0..self.0.len() / 4).filter(|&n| differs(n)) {
            match runs.last_mut() {
                Some((_, end)) if n - *end < 2 => *end = n + 1,
                _ => runs.push((n, n + 1)),
            }
        }
        runs.into_iter()
            .map(|(start, end)| (start, &self.0[4 * start..4 * end]))
            .collect()
    }
}

/// Where IST1 is in a 64-bit TSS, less 8 (SDM vol. 3, figure 8-11).
pub const IST: u32 = 0x1C;

/// The entry of a page table that maps an address below [`MAPPED`].
pub fn own_entry(at: u32) -> u32 {
    // Present, writable, accessed, dirty; for everybody from the sandbox on, and the first page: interrupts that
    // virtual-8086 mode handles by itself use its table.
    match at {
        0 => 0x67,
        RUNTIME..STACKS_END => at | 0x63,
        SANDBOX..FILLER => at | 0x67,
        FILLER.. => FILLER | 0x67,
        _ => 0,
    }
}

/// A segment of 4 GiB; the kind is to be filled in.
pub fn flat(dpl: u8) -> Segment {
    Segment {
        limit: 0xF_FFFF,
        dpl,
        present: true,
        big: true,
        pages: true,
        ..Segment::default()
    }
}
