//! The state save maps. Offsets are the manuals': from SMBASE + 8000h for Intel's (7C00h to 7FFFh), from SMBASE for AMD's
//! (FC00h to FFFFh).

use crate::exec::system::{DR6_ONES, DR6_WRITABLE, DR7_ONES, DR7_WRITABLE};
use crate::models::{CpuModel, SaveMap};
use emu_core::Width;
use emu_core::x86::{
    Activity, CpuState, Cr0, Cr4, DescriptorTable, Efer, Gpr, IoInstruction, IoKind, Rflags,
    SegmentAttributes as A, SegmentRegister, Selector,
};

/// Where the longest map starts, from SMBASE on, and its length.
pub const START: u32 = 0xFC00;
pub const BYTES: usize = 0x400;

/// I/O instructions can be restarted (bit 16), SMBASE can be relocated (bit 17).
const EXTENSIONS: u32 = 3 << 16;
/// The revision level of AMD's 64-bit map.
const LEVEL_AMD64: u32 = 0x64;

/// What the I/O instruction restart field must hold.
const RESTART: u8 = 0xFF;

/// Ours, in a reserved byte: NMIs were blocked. (In AMD's 64-bit map it is the NMI mask, FECAh.)
const NMI_BLOCKED: u8 = 1 << 0;
/// Ours: the CPU was in shutdown.
const SHUT_DOWN: u8 = 1 << 1;
/// Ours: the SMI came behind an I/O instruction.
const BEHIND_IO: u8 = 1 << 2;
/// Ours: that was a string instruction.
const BEHIND_STRING_IO: u8 = 1 << 3;
/// Ours, in the reserved bit 8 of a segment's attributes: it cannot be used.
const UNUSABLE: u16 = 1 << 8;

/// Where a map has a register: in one place, or its lower and upper half apart.
#[derive(Copy, Clone)]
enum Place {
    Whole(usize, Width),
    Halves(usize, usize),
}
use Place::{Halves, Whole};

/// Where a map has a segment register: selector (and its width), attributes, limit, base.
struct Segment {
    selector: (usize, Width),
    attributes: usize,
    limit: usize,
    base: Place,
}

/// A kind of map.
pub struct Layout {
    /// Its first byte.
    start: usize,
    width: Width,
    gprs: usize,
    gpr: fn(usize) -> usize,
    rip: usize,
    rflags: usize,
    cr0: usize,
    cr3: usize,
    cr4: (usize, Width),
    dr6: usize,
    dr7: usize,
    efer: Option<usize>,
    /// The segment registers in their order, LDTR, TR.
    segment: fn(usize) -> Segment,
    /// GDTR and IDTR: limit, base.
    gdtr: (usize, Place),
    idtr: (usize, Place),
    auto_halt: usize,
    io_restart: usize,
    /// What a restarted I/O instruction finds: RIP, RCX, RSI, RDI.
    io_registers: [usize; 4],
    revision: usize,
    base: usize,
    /// Ours: a byte of flags, and the pending debug conditions.
    inner: usize,
    pending_debug: usize,
}

const DWORD: Width = Width::Dword;
const QWORD: Width = Width::Qword;
const LDTR: usize = 6;
const TR: usize = 7;

/// SDM vol. 3, table 32-1. The places of CR4 and of what a restarted instruction finds are those of the P6, as they have
/// become known; those of the hidden parts of segments and tables are ours.
static LAYOUT_32: Layout = Layout {
    start: 0x7E00,
    width: DWORD,
    gprs: 8,
    // EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI.
    gpr: |n| 0x7FD0 + 4 * n,
    rip: 0x7FF0,
    rflags: 0x7FF4,
    cr3: 0x7FF8,
    cr0: 0x7FFC,
    dr6: 0x7FCC,
    dr7: 0x7FC8,
    cr4: (0x7F14, DWORD),
    efer: None,
    segment: |n| {
        let hidden = 0x7E20 + 12 * n;
        let selector = match n {
            LDTR => 0x7FC0,
            TR => 0x7FC4,
            _ => 0x7FA8 + 4 * n,
        };
        Segment {
            selector: (selector, DWORD),
            attributes: hidden,
            limit: hidden + 4,
            base: Whole(hidden + 8, DWORD),
        }
    },
    gdtr: (0x7E80, Whole(0x7E84, DWORD)),
    idtr: (0x7E88, Whole(0x7E8C, DWORD)),
    auto_halt: 0x7F02,
    io_restart: 0x7F00,
    io_registers: [0x7F10, 0x7F08, 0x7F0C, 0x7F04],
    revision: 0x7EFC,
    base: 0x7EF8,
    inner: 0x7E00,
    pending_debug: 0x7E02,
};

/// SDM vol. 3, table 32-3. The places of RCX, RSI and RDI for a restarted instruction are those of the chips, as they have
/// become known; what lies below 7DD0h is ours.
static LAYOUT_INTEL_64: Layout = Layout {
    start: 0x7C00,
    width: QWORD,
    gprs: 16,
    // RAX to RBX, RSP, RBP, RSI, RDI upwards; R8 to R15 downwards below them.
    gpr: |n| match n {
        0..8 => 0x7F5C + 8 * n,
        _ => 0x7F54 - 8 * (n - 8),
    },
    rip: 0x7FD8,
    rflags: 0x7FE8,
    cr3: 0x7FF0,
    cr0: 0x7FF8,
    dr6: 0x7FD0,
    dr7: 0x7FC8,
    cr4: (0x7E40, DWORD),
    efer: Some(0x7FE0),
    segment: |n| {
        let hidden = 0x7C20 + 16 * n;
        Segment {
            // ES to GS, LDTR, TR.
            selector: (0x7FA8 + 4 * n, DWORD),
            attributes: hidden,
            limit: hidden + 4,
            base: match n {
                LDTR => Halves(0x7E9C, 0x7DD4),
                _ => Whole(hidden + 8, QWORD),
            },
        }
    },
    gdtr: (0x7C08, Halves(0x7E8C, 0x7DD0)),
    idtr: (0x7C0A, Halves(0x7E94, 0x7DD8)),
    auto_halt: 0x7F02,
    io_restart: 0x7F00,
    io_registers: [0x7DE8, 0x7DF0, 0x7DF8, 0x7DE0],
    revision: 0x7EFC,
    base: 0x7EF8,
    inner: 0x7C00,
    pending_debug: 0x7C02,
};

/// AMD64 APM vol. 2, table 10-1.
static LAYOUT_AMD_64: Layout = Layout {
    start: 0xFE00,
    width: QWORD,
    gprs: 16,
    // RAX, RCX, ..., R15 downwards.
    gpr: |n| 0xFFF8 - 8 * n,
    rip: 0xFF78,
    rflags: 0xFF70,
    dr6: 0xFF68,
    dr7: 0xFF60,
    cr0: 0xFF58,
    cr3: 0xFF50,
    cr4: (0xFF48, QWORD),
    efer: Some(0xFED0),
    segment: |n| {
        let at = match n {
            LDTR => 0xFE70,
            TR => 0xFE90,
            _ => 0xFE00 + 16 * n,
        };
        Segment {
            selector: (at, Width::Word),
            attributes: at + 2,
            limit: at + 4,
            base: Whole(at + 8, QWORD),
        }
    },
    gdtr: (0xFE64, Whole(0xFE68, QWORD)),
    idtr: (0xFE84, Whole(0xFE88, QWORD)),
    auto_halt: 0xFEC9,
    io_restart: 0xFEC8,
    io_registers: [0xFEA0, 0xFEA8, 0xFEB0, 0xFEB8],
    revision: 0xFEFC,
    base: 0xFF00,
    inner: 0xFECA,
    pending_debug: 0xFECC,
};

/// I/O state and I/O memory address of Intel's 64-bit map (SDM vol. 3, table 32-5).
const IO_STATE: usize = 0x7FA4;
const IO_MEMORY_ADDRESS: usize = 0x7F9C;
/// The I/O trap doubleword in AMD's 32-bit map (AMD-K6-2E+ data sheet, 23542, table 48), and in the 64-bit one.
const IO_TRAP_32: usize = 0xFFA4;
const IO_TRAP_64: usize = 0xFEC0;

/// Intel's I/O state field.
fn io_state(io: &IoInstruction) -> u32 {
    let (kind, bytes) = (u32::from(io.kind.bits() & 0xF), u32::from(io.bytes & 7));
    u32::from(io.port) << 16 | kind << 4 | bytes << 1 | 1
}

/// AMD's I/O trap doubleword: IN, valid, string, repeated; with `sized` the size, TF and the I/O breakpoints that were met
/// ("BIOS and Kernel Developer's Guide for AMD Family 10h Processors", 31116, SMMFEC0).
fn io_trap(io: &IoInstruction, s: &CpuState, sized: bool) -> u32 {
    let bit = |on: bool, n: u32| u32::from(on) << n;
    let mut word = u32::from(io.port) << 16
        | bit(io.kind.contains(IoKind::INPUT), 0)
        | 1 << 1
        | bit(io.kind.contains(IoKind::STRING), 2)
        | bit(io.kind.contains(IoKind::REPEATED), 3);
    if sized {
        word |= u32::from(io.bytes & 7) << 4
            | bit(s.rflags.contains(Rflags::TF), 11)
            | (s.pending_debug as u32 & 0xF) << 12;
    }
    word
}

impl Layout {
    /// The map of a model.
    pub fn of(model: &CpuModel) -> &'static Self {
        match model.save_map() {
            SaveMap::Intel32 | SaveMap::Amd32 => &LAYOUT_32,
            SaveMap::Intel64 { .. } => &LAYOUT_INTEL_64,
            SaveMap::Amd64 => &LAYOUT_AMD_64,
        }
    }

    /// The quadwords of the longest map that this one has.
    pub fn quadwords(&self) -> std::ops::Range<usize> {
        index(self.start) / 8..BYTES / 8
    }
}

/// Where a byte lies in [`Map`].
fn index(offset: usize) -> usize {
    offset % BYTES
}

/// The contents of a map.
pub struct Map(pub [u8; BYTES]);

impl Map {
    pub fn get(&self, at: usize, width: Width) -> u64 {
        let at = index(at);
        (0..width.bytes()).fold(0, |v, i| v | u64::from(self.0[at + i]) << (8 * i))
    }

    pub fn put(&mut self, at: usize, width: Width, value: u64) {
        let (at, bytes) = (index(at), value.to_le_bytes());
        self.0[at..at + width.bytes()].copy_from_slice(&bytes[..width.bytes()]);
    }

    fn byte(&self, at: usize) -> u8 {
        self.0[index(at)]
    }

    fn put_place(&mut self, place: Place, value: u64) {
        match place {
            Whole(at, width) => self.put(at, width, value),
            Halves(low, high) => {
                self.put(low, DWORD, value);
                self.put(high, DWORD, value >> 32);
            }
        }
    }

    fn place(&self, place: Place) -> u64 {
        match place {
            Whole(at, width) => self.get(at, width),
            Halves(low, high) => self.get(low, DWORD) | self.get(high, DWORD) << 32,
        }
    }

    fn put_segment(&mut self, at: &Segment, r: &SegmentRegister) {
        let usable = r.attributes.contains(A::USABLE);
        let unusable = if usable { 0 } else { UNUSABLE };
        let attributes = r.attributes.bits() as u16 & 0xF0FF | unusable;
        self.put(at.selector.0, at.selector.1, r.selector.0.into());
        self.put(at.attributes, Width::Word, attributes.into());
        self.put(at.limit, DWORD, r.limit.into());
        self.put_place(at.base, r.base);
    }

    fn segment(&self, at: &Segment) -> SegmentRegister {
        let word = self.get(at.attributes, Width::Word) as u16;
        let mut attributes = A::from_bits_retain(u32::from(word & 0xF0FF));
        attributes.set(A::USABLE, word & UNUSABLE == 0);
        SegmentRegister {
            selector: Selector(self.get(at.selector.0, Width::Word) as u16),
            base: self.place(at.base),
            limit: self.get(at.limit, DWORD) as u32,
            attributes,
        }
    }

    fn put_table(&mut self, at: (usize, Place), t: &DescriptorTable) {
        self.put(at.0, Width::Word, t.limit.into());
        self.put_place(at.1, t.base);
    }

    fn table(&self, at: (usize, Place)) -> DescriptorTable {
        DescriptorTable {
            base: self.place(at.1),
            limit: self.get(at.0, Width::Word) as u16,
        }
    }

    /// The map of a CPU in this state.
    pub fn of(s: &CpuState, model: &CpuModel) -> Self {
        let l = Layout::of(model);
        let mut m = Self([0; BYTES]);
        for (n, v) in s.gpr.iter().enumerate().take(l.gprs) {
            m.put((l.gpr)(n), l.width, *v);
        }
        for (at, v) in [
            (l.rip, s.rip),
            (l.rflags, s.rflags.bits()),
            (l.cr0, s.cr0.bits()),
            (l.cr3, s.cr3),
            (l.dr6, s.dr6),
            (l.dr7, s.dr7),
        ] {
            m.put(at, l.width, v);
        }
        m.put(l.cr4.0, l.cr4.1, s.cr4.bits());
        if let Some(at) = l.efer {
            m.put(at, QWORD, s.efer.bits());
        }
        for (n, r) in s.segments.iter().chain([&s.ldtr, &s.tr]).enumerate() {
            m.put_segment(&(l.segment)(n), r);
        }
        m.put_table(l.gdtr, &s.gdtr);
        m.put_table(l.idtr, &s.idtr);
        let halted = s.activity == Activity::Halted;
        m.put(l.auto_halt, Width::Byte, halted.into());
        m.put(l.base, DWORD, s.smm.base.into());
        m.put(l.pending_debug, Width::Word, s.pending_debug);
        let level = match model.save_map() {
            SaveMap::Intel32 | SaveMap::Amd32 => 0,
            SaveMap::Intel64 { level } => level.into(),
            SaveMap::Amd64 => LEVEL_AMD64,
        };
        m.put(l.revision, DWORD, (EXTENSIONS | level).into());
        let mut inner = 0;
        if s.nmi_blocked {
            inner |= NMI_BLOCKED;
        }
        if s.activity == Activity::Shutdown {
            inner |= SHUT_DOWN;
        }
        if let Some(io) = &s.smm.io {
            inner |= BEHIND_IO;
            if io.kind.contains(IoKind::STRING) {
                inner |= BEHIND_STRING_IO;
            }
            m.put_io(l, io, s, model);
        }
        m.put(l.inner, Width::Byte, inner.into());
        m
    }

    /// What concerns the I/O instruction before the SMI.
    fn put_io(&mut self, l: &Layout, io: &IoInstruction, s: &CpuState, model: &CpuModel) {
        for (at, v) in l
            .io_registers
            .into_iter()
            .zip([io.rip, io.rcx, io.rsi, io.rdi])
        {
            self.put(at, l.width, v);
        }
        match model.save_map() {
            // Revisions below 30004h have no I/O state (SDM vol. 3, section 32.7.1).
            SaveMap::Intel32 => {}
            SaveMap::Intel64 { .. } => {
                self.put(IO_STATE, DWORD, io_state(io).into());
                self.put(IO_MEMORY_ADDRESS, QWORD, io.memory);
            }
            SaveMap::Amd32 => self.put(IO_TRAP_32, DWORD, io_trap(io, s, false).into()),
            SaveMap::Amd64 => self.put(IO_TRAP_64, DWORD, io_trap(io, s, true).into()),
        }
    }

    /// Puts what the map holds into a state.
    pub fn restore(&self, s: &mut CpuState, model: &CpuModel) {
        let l = Layout::of(model);
        let get = |at| self.get(at, l.width);
        for (n, v) in s.gpr.iter_mut().enumerate().take(l.gprs) {
            *v = get((l.gpr)(n));
        }
        s.rip = get(l.rip);
        s.rflags = Rflags::from_bits_retain(get(l.rflags));
        s.cr0 = Cr0::from_bits_retain(get(l.cr0));
        s.cr3 = get(l.cr3);
        s.cr4 = Cr4::from_bits_retain(self.get(l.cr4.0, l.cr4.1));
        s.dr6 = get(l.dr6) & DR6_WRITABLE | DR6_ONES;
        s.dr7 = get(l.dr7) & DR7_WRITABLE | DR7_ONES;
        if let Some(at) = l.efer {
            s.efer = Efer::from_bits_retain(self.get(at, QWORD));
        }
        for (n, r) in s.segments.iter_mut().enumerate() {
            *r = self.segment(&(l.segment)(n));
        }
        s.ldtr = self.segment(&(l.segment)(LDTR));
        s.tr = self.segment(&(l.segment)(TR));
        s.gdtr = self.table(l.gdtr);
        s.idtr = self.table(l.idtr);
        // A handler may clear it, and set it with unpredictable results (SDM vol. 3, table 32-7).
        s.activity = if self.byte(l.auto_halt) & 1 != 0 {
            Activity::Halted
        } else {
            Activity::Running
        };
        let inner = self.byte(l.inner);
        s.nmi_blocked = inner & NMI_BLOCKED != 0;
        if inner & SHUT_DOWN != 0 {
            s.activity = Activity::Shutdown;
        }
        s.pending_debug = self.get(l.pending_debug, Width::Word);
        s.smm.base = self.get(l.base, DWORD) as u32;
        if inner & BEHIND_IO != 0 && self.byte(l.io_restart) == RESTART {
            let [rip, registers @ ..] = l.io_registers;
            s.rip = get(rip);
            if inner & BEHIND_STRING_IO != 0 {
                for (n, at) in [Gpr::Rcx, Gpr::Rsi, Gpr::Rdi].into_iter().zip(registers) {
                    s.gpr[n as usize] = get(at);
                }
            }
            // Its traps come up when it has been executed again (AMD-K6-2E+ data sheet, 23542, "I/O Trap Restart Slot").
            s.pending_debug = 0;
        }
    }
}
