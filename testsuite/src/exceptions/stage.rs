//! Our core on memory that holds descriptor tables, page tables, stacks and handlers for each mode.
//!
//! Linear addresses are physical ones. Each vector's handler is one HLT in ring 0.

use crate::vectors::bus::FlatBus;
use anyhow::{Context, Result};
use cpu::{CpuModel, Interpreter};
use emu_core::backend::{CpuBackend, CpuId, Exit, Invalidate};
use emu_core::x86::{
    CpuState, Cr0, Cr4, DescriptorTable, Efer, Gpr, Rflags, Seg, SegmentAttributes,
    SegmentRegister, Selector,
};

const RAM_BYTES: usize = 1 << 18;

// The interrupt vector table of real mode and virtual-8086 mode stands at 0.
pub const GDT: u64 = 0x1000;
pub const LDT: u64 = 0x1800;
pub const IDT: u64 = 0x2000;
pub const TSS: u64 = 0x3000;
/// Another task, to be switched to.
pub const OTHER_TSS: u64 = 0x3800;
pub const HANDLERS: u64 = 0x4000;
pub const STACK_0: u64 = 0x7000;
pub const STACK_3: u64 = 0x8000;
/// Data that everybody may read and write.
pub const DATA: u64 = 0x8800;
/// A page that is not there.
pub const ABSENT: u64 = 0x9000;
/// A page that may not be written, by ring 0 neither.
pub const READ_ONLY: u64 = 0xA000;
pub const CODE: u64 = 0xB000;
/// A page that only ring 0 may touch.
pub const SUPERVISOR: u64 = 0xC000;
const TABLES: u64 = 0x1_0000;

/// Offset of the I/O permission map in the TSS; the redirection map of VME stands below it.
pub const IO_MAP: u64 = 0x88;
const TSS_LIMIT: u32 = 0x88 + 0x80;

// Selectors.
pub const CODE_32: u16 = 0x08;
pub const DATA_0: u16 = 0x10;
pub const CODE_32_3: u16 = 0x18 | 3;
pub const DATA_3: u16 = 0x20 | 3;
pub const CODE_64: u16 = 0x28;
pub const DATA_64_3: u16 = 0x30 | 3;
pub const CODE_64_3: u16 = 0x38 | 3;
pub const MAIN_TASK: u16 = 0x40;
pub const LOCAL_TABLE: u16 = 0x50;
pub const OTHER_TASK: u16 = 0x60;
/// For a condition's own descriptor; 16 bytes each.
pub const OWN: u16 = 0x70;
pub const OWN_2: u16 = 0x80;
const GDT_LIMIT: u16 = 0x9F;
/// Beyond the GDT.
pub const BEYOND: u16 = 0xA0;

/// Types of descriptors, present and of DPL 0 (SDM vol. 3, sections 3.4.5.1 and 3.5).
pub const CODE_READABLE: u8 = 0x9B;
pub const CODE_EXECUTE_ONLY: u8 = 0x99;
pub const CODE_CONFORMING: u8 = 0x9F;
pub const DATA_WRITABLE: u8 = 0x93;
pub const DATA_READ_ONLY: u8 = 0x91;
pub const LDT_TYPE: u8 = 0x82;
pub const TASK_AVAILABLE: u8 = 0x89;
pub const TASK_BUSY: u8 = 0x8B;
pub const CALL_GATE: u8 = 0x8C;
pub const TASK_GATE: u8 = 0x85;
pub const INTERRUPT_GATE: u8 = 0x8E;
pub const DPL_3: u8 = 0x60;
pub const PRESENT: u8 = 0x80;

/// A mode, as the manual heads its lists of exceptions.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Mode {
    Real,
    Virtual8086,
    Protected,
    Compatibility,
    Bits64,
}

impl Mode {
    pub const ALL: [Self; 5] = [
        Self::Real,
        Self::Virtual8086,
        Self::Protected,
        Self::Compatibility,
        Self::Bits64,
    ];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Real => "real-address mode",
            Self::Virtual8086 => "virtual-8086 mode",
            Self::Protected => "protected mode",
            Self::Compatibility => "compatibility mode",
            Self::Bits64 => "64-bit mode",
        }
    }

    /// Whether it is a sub-mode of IA-32e mode.
    pub fn is_long(self) -> bool {
        matches!(self, Self::Compatibility | Self::Bits64)
    }

    /// Whether segments are paragraphs.
    pub fn is_8086(self) -> bool {
        matches!(self, Self::Real | Self::Virtual8086)
    }
}

/// How a run ended.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Ended {
    /// In a handler.
    Exception {
        vector: u8,
        /// What lies on the stack, for vectors that push one.
        error: Option<u32>,
        /// The instruction pointer that was pushed.
        rip: u64,
    },
    Shutdown,
    /// Neither.
    Otherwise,
}

/// The core, and the state in which it will begin.
pub struct Stage {
    pub state: CpuState,
    pub mode: Mode,
    bus: FlatBus,
    cpu: Interpreter,
}

/// A descriptor: access byte with the type, and the four flags of the sixth byte (G, D, L, AVL).
pub fn descriptor(base: u64, limit: u32, access: u8, flags: u8) -> u64 {
    u64::from(limit & 0xFFFF)
        | (base & 0xFF_FFFF) << 16
        | u64::from(access) << 40
        | u64::from(limit >> 16 & 0xF) << 48
        | u64::from(flags & 0xF) << 52
        | (base >> 24 & 0xFF) << 56
}

/// A gate.
pub fn gate(selector: u16, offset: u64, access: u8) -> u64 {
    offset & 0xFFFF
        | u64::from(selector) << 16
        | u64::from(access) << 40
        | (offset >> 16 & 0xFFFF) << 48
}

/// The handler of a vector.
fn handler(vector: u64) -> u64 {
    HANDLERS + vector * 16
}

/// Whether a vector pushes an error code (SDM vol. 3, table 6-1).
fn has_error_code(vector: u8) -> bool {
    matches!(vector, 8 | 10..=14 | 17)
}

impl Stage {
    /// In a mode, at a level; nothing is written yet.
    pub fn new(model: &'static CpuModel, mode: Mode, ring: u8) -> Result<Self> {
        let bus = FlatBus::new(RAM_BYTES).context("no memory for the emulated processor")?;
        let mut stage = Self {
            state: model.reset_state(),
            mode,
            bus,
            cpu: Interpreter::new(CpuId(0), model),
        };
        stage.bus.ram().fill(0, RAM_BYTES, 0);
        stage.write_tables();
        stage.make_state(model, ring);
        Ok(stage)
    }

    pub fn write8(&self, at: u64, value: u8) {
        self.bus.ram().write_u8(at as usize, value);
    }

    pub fn write16(&self, at: u64, value: u16) {
        self.bus.ram().write_u16(at as usize, value);
    }

    pub fn write32(&self, at: u64, value: u32) {
        self.bus.ram().write_u32(at as usize, value);
    }

    pub fn write64(&self, at: u64, value: u64) {
        self.bus.ram().write_u64(at as usize, value);
    }

    pub fn write(&self, at: u64, bytes: &[u8]) {
        self.bus.ram().write(at as usize, bytes);
    }

    pub fn read(&self, at: u64, bytes: &mut [u8]) {
        self.bus.ram().read(at as usize, bytes);
    }

    /// A descriptor of the GDT.
    pub fn entry(&self, selector: u16, value: u64) {
        self.write64(GDT + u64::from(selector & !7), value);
    }

    /// What a stack or a table holds: as wide as the mode's.
    pub fn write_slot(&self, at: u64, value: u64) {
        match self.mode {
            Mode::Real | Mode::Virtual8086 => self.write16(at, value as u16),
            Mode::Protected | Mode::Compatibility => self.write32(at, value as u32),
            Mode::Bits64 => self.write64(at, value),
        }
    }

    /// Values on the stack, the first at its top.
    pub fn push_all(&mut self, values: &[u64]) {
        let size = match self.mode {
            Mode::Real | Mode::Virtual8086 => 2,
            Mode::Protected | Mode::Compatibility => 4,
            Mode::Bits64 => 8,
        };
        let top = self.state.gpr[Gpr::Rsp as usize] - size * values.len() as u64;
        for (n, value) in values.iter().enumerate() {
            self.write_slot(top + size * n as u64, *value);
        }
        self.state.gpr[Gpr::Rsp as usize] = top;
    }

    /// The gate of a vector.
    pub fn write_gate(&self, vector: u64, selector: u16, access: u8) {
        let raw = gate(selector, handler(vector), access);
        if self.mode.is_long() {
            self.write64(IDT + 16 * vector, raw);
            self.write64(IDT + 16 * vector + 8, 0);
        } else {
            self.write64(IDT + 8 * vector, raw);
        }
    }

    /// The entry of a page in the lowest 2 MiB.
    pub fn page_entry(&self, linear: u64) -> u64 {
        let table = TABLES + 0x3000;
        let size = if self.mode.is_long() { 8 } else { 4 };
        table + (linear >> 12) * size
    }

    fn write_tables(&mut self) {
        let (mode, long) = (self.mode, self.mode.is_long());
        let flat = |access, flags| descriptor(0, 0xF_FFFF, access, flags);
        self.entry(CODE_32, flat(CODE_READABLE, 0xC));
        self.entry(DATA_0, flat(DATA_WRITABLE, 0xC));
        self.entry(CODE_32_3, flat(CODE_READABLE | DPL_3, 0xC));
        self.entry(DATA_3, flat(DATA_WRITABLE | DPL_3, 0xC));
        self.entry(CODE_64, flat(CODE_READABLE, 0xA));
        self.entry(DATA_64_3, flat(DATA_WRITABLE | DPL_3, 0xC));
        self.entry(CODE_64_3, flat(CODE_READABLE | DPL_3, 0xA));
        self.entry(MAIN_TASK, descriptor(TSS, TSS_LIMIT, TASK_BUSY, 0));
        self.entry(LOCAL_TABLE, descriptor(LDT, 0x7F, LDT_TYPE, 0));
        self.entry(OTHER_TASK, descriptor(OTHER_TSS, 0x67, TASK_AVAILABLE, 0));
        if long {
            self.write64(TSS + 4, STACK_0);
        } else {
            self.write32(TSS + 4, STACK_0 as u32);
            self.write32(TSS + 8, DATA_0.into());
            self.write_other_task();
        }
        // Port 80h may be used by everybody, no other; software interrupts of virtual-8086 mode go to protected mode.
        self.write16(TSS + 0x66, IO_MAP as u16);
        for n in IO_MAP - 32..=u64::from(TSS_LIMIT) {
            self.write8(TSS + n, 0xFF);
        }
        self.write8(TSS + IO_MAP + 0x10, 0xFE);
        let code = if long { CODE_64 } else { CODE_32 };
        for vector in 0..256u64 {
            self.write8(handler(vector), 0xF4);
            if mode == Mode::Real {
                self.write32(4 * vector, handler(vector) as u32);
                continue;
            }
            let dpl = if matches!(vector, 1 | 3 | 4) {
                DPL_3
            } else {
                0
            };
            self.write_gate(vector, code, INTERRUPT_GATE | dpl);
        }
        if mode != Mode::Real {
            self.write_page_tables();
        }
    }

    /// A task of ring 0 that begins at a breakpoint.
    fn write_other_task(&self) {
        let set = |offset: u64, value: u64| self.write32(OTHER_TSS + offset, value as u32);
        set(4, STACK_0);
        set(8, DATA_0.into());
        set(0x1C, TABLES);
        set(0x20, CODE + 0x800);
        set(0x24, 2);
        set(0x38, STACK_0 - 0x400);
        for (offset, selector) in [
            (0x48, DATA_0),
            (0x4C, CODE_32),
            (0x50, DATA_0),
            (0x54, DATA_0),
        ] {
            set(offset, selector.into());
        }
        self.write16(OTHER_TSS + 0x66, 0x68);
        self.write8(CODE + 0x800, 0xCC);
    }

    /// 32-bit paging, or 4-level paging in IA-32e mode (SDM vol. 3, sections 4.3 and 4.5); the lowest table is the same page.
    fn write_page_tables(&self) {
        const USER: u64 = 4 | 2 | 1;
        let last = TABLES + 0x3000;
        if self.mode.is_long() {
            self.write64(TABLES, (TABLES + 0x1000) | USER);
            self.write64(TABLES + 0x1000, (TABLES + 0x2000) | USER);
            self.write64(TABLES + 0x2000, last | USER);
        } else {
            self.write32(TABLES, (last | USER) as u32);
        }
        for page in 0..(RAM_BYTES as u64 >> 12) {
            let linear = page << 12;
            let rights = match linear {
                ABSENT => 0,
                READ_ONLY => 4 | 1,
                SUPERVISOR => 2 | 1,
                _ => USER,
            };
            let at = self.page_entry(linear);
            if self.mode.is_long() {
                self.write64(at, linear | rights);
            } else {
                self.write32(at, (linear | rights) as u32);
            }
        }
    }

    fn make_state(&mut self, model: &CpuModel, ring: u8) {
        let mode = self.mode;
        let s = &mut self.state;
        s.rip = CODE;
        s.gpr = [0; 16];
        s.rflags = Rflags::from_bits_retain(2);
        s.gpr[Gpr::Rsp as usize] = if ring == 0 { STACK_0 } else { STACK_3 };
        // Where a memory operand lies, addressed by BX, EDI or RDI, or RBP, by the same bytes in every mode.
        for gpr in [Gpr::Rbx, Gpr::Rdi, Gpr::Rbp] {
            s.gpr[gpr as usize] = DATA;
        }
        if mode == Mode::Real {
            for seg in [Seg::Es, Seg::Cs, Seg::Ss, Seg::Ds, Seg::Fs, Seg::Gs] {
                let register = &mut s.segments[seg as usize];
                (register.selector, register.base, register.limit) = (Selector(0), 0, 0xFFFF);
            }
            s.idtr = DescriptorTable {
                base: 0,
                limit: 0x3FF,
            };
            return;
        }
        s.cr0 = Cr0::PE | Cr0::MP | Cr0::ET | Cr0::NE | Cr0::WP | Cr0::PG;
        s.cr3 = TABLES;
        s.cr4 = Cr4::from_bits_retain((Cr4::OSFXSR | Cr4::OSXSAVE).bits() & model.cr4);
        s.gdtr = DescriptorTable {
            base: GDT,
            limit: GDT_LIMIT,
        };
        s.idtr = DescriptorTable {
            base: IDT,
            limit: if mode.is_long() { 0xFFF } else { 0x7FF },
        };
        if mode.is_long() {
            s.cr4 |= Cr4::PAE;
            s.efer = Efer::SCE | Efer::LME | Efer::LMA;
        }
        let (code, data) = match (mode, ring) {
            (Mode::Bits64, 0) => (CODE_64, DATA_0),
            (Mode::Bits64, _) => (CODE_64_3, DATA_3),
            (_, 0) => (CODE_32, DATA_0),
            _ => (CODE_32_3, DATA_3),
        };
        let load = |selector: u16| self.register(selector);
        let (code, data) = (load(code), load(data));
        let (tr, ldtr) = (load(MAIN_TASK), load(LOCAL_TABLE));
        let s = &mut self.state;
        s.segments = [data; 6];
        s.segments[Seg::Cs as usize] = code;
        (s.tr, s.ldtr) = (tr, ldtr);
        if mode == Mode::Virtual8086 {
            s.rflags |= Rflags::VM;
            for seg in &mut s.segments {
                (seg.selector, seg.base, seg.limit) = (Selector(0), 0, 0xFFFF);
                let access = DATA_WRITABLE | DPL_3;
                seg.attributes = SegmentAttributes::from_bits_retain(access.into());
                seg.attributes |= SegmentAttributes::USABLE;
            }
        }
    }

    /// A segment register as the GDT's descriptor would load it.
    pub fn register(&self, selector: u16) -> SegmentRegister {
        let raw = self
            .bus
            .ram()
            .read_u64((GDT + u64::from(selector & !7)) as usize);
        let attributes = SegmentAttributes::from_bits_retain((raw >> 40) as u32 & 0xF0FF);
        let mut limit = (raw & 0xFFFF | raw >> 32 & 0xF_0000) as u32;
        if attributes.contains(SegmentAttributes::GRANULAR) {
            limit = limit << 12 | 0xFFF;
        }
        SegmentRegister {
            selector: Selector(selector),
            base: raw >> 16 & 0xFF_FFFF | raw >> 56 << 24,
            limit,
            attributes: attributes | SegmentAttributes::USABLE,
        }
    }

    /// Runs until a handler is reached, so many instructions at most.
    pub fn run(&mut self, insns: u64) -> Ended {
        self.cpu.invalidate(Invalidate::WriteTracking);
        self.cpu.set_state(&self.state);
        self.bus.allow(insns);
        let exit = self.cpu.run(&mut self.bus, None);
        self.state = self.cpu.state();
        match exit {
            Exit::Shutdown => return Ended::Shutdown,
            Exit::Halted => {}
            Exit::SliceEnd | Exit::Probe => return Ended::Otherwise,
        }
        // HLT is one byte long.
        let at = self.state.rip.wrapping_sub(1);
        if at < HANDLERS || at >= handler(256) || !at.is_multiple_of(16) {
            return Ended::Otherwise;
        }
        let vector = ((at - HANDLERS) / 16) as u8;
        let mut slots = [0; 16];
        self.read(
            self.state.gpr[Gpr::Rsp as usize] & (RAM_BYTES as u64 - 1),
            &mut slots,
        );
        let size = match self.mode {
            Mode::Real => 2,
            Mode::Virtual8086 | Mode::Protected => 4,
            Mode::Compatibility | Mode::Bits64 => 8,
        };
        let slot = |n: usize| {
            let bytes = slots[n * size..(n + 1) * size].iter().rev();
            bytes.fold(0u64, |value, b| value << 8 | u64::from(*b))
        };
        let with_error = self.mode != Mode::Real && has_error_code(vector);
        Ended::Exception {
            vector,
            error: with_error.then(|| slot(0) as u32),
            rip: slot(usize::from(with_error)),
        }
    }
}
