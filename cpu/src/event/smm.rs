//! System management mode: SMI, the state save map, RSM (SDM vol. 3, chapter 32; AMD64 APM vol. 2, chapter 10).
//!
//! A model without long mode saves by the map of SDM vol. 3, table 32-1; one with it by that of AMD64 APM vol. 2, table
//! 10-2, which has a place for everything that RSM must find again. Fields that the 32-bit map calls reserved hold the hidden
//! parts of the segments, the tables and CR4.
//!
//! **Not implemented**: I/O instruction restart (bit 16 of the revision identifier says so) and the I/O state fields, which
//! read as 0; SMRR and the other MSRs of SMM; the monitor of VMX.
//!
//! **Known inaccuracies**: a 64-bit model of Intel's saves by AMD's map. While interrupts are held off by STI, MOV SS or POP SS
//! an SMI waits too, since no map has a place for that.

use crate::exec::system::{DR6_ONES, DR6_WRITABLE, DR7_ONES, DR7_WRITABLE};
use crate::interpreter::Interpreter;
use crate::op::{Instruction, OpRef, Stop};
use emu_core::Width;
use emu_core::backend::Special;
use emu_core::x86::{
    Activity, CpuState, Cr0, Cr4, DescriptorTable, Efer, Rflags, Seg, SegmentAttributes as A,
    SegmentRegister, Selector, SmmState,
};

/// Where the handler starts, from SMBASE on.
const ENTRY: u64 = 0x8000;
/// Where the state save map starts, from SMBASE on.
const MAP: u32 = 0xFE00;
const MAP_BYTES: usize = 0x200;

/// SMBASE can be relocated (bit 17).
const RELOCATES: u32 = 1 << 17;
/// What the revision identifier adds for the 64-bit map.
const REVISION_64: u32 = 0x64;

/// Ours, in a reserved byte: NMIs were blocked.
const NMI_BLOCKED: u8 = 1 << 0;
/// Ours: the CPU was in shutdown.
const SHUT_DOWN: u8 = 1 << 1;
/// Ours, in the reserved bit 8 of a segment's attributes: it cannot be used.
const UNUSABLE: u16 = 1 << 8;

/// The state save map, from SMBASE + FE00h on.
struct Map([u8; MAP_BYTES]);

/// Offsets of what both maps have, as the manuals count them (from SMBASE + 8000h or from SMBASE), less the map's start.
struct Layout {
    width: Width,
    gpr: fn(usize) -> usize,
    rip: usize,
    rflags: usize,
    cr0: usize,
    cr3: usize,
    cr4: usize,
    dr6: usize,
    dr7: usize,
    auto_halt: usize,
    revision: usize,
    base: usize,
    /// Ours: a byte of flags, and the pending debug conditions.
    inner: usize,
    pending_debug: usize,
}

const LAYOUT_32: Layout = Layout {
    width: Width::Dword,
    // EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI: downwards from 7FD0h.
    gpr: |n| 0x1D0 + 4 * n,
    rip: 0x1F0,
    rflags: 0x1F4,
    cr3: 0x1F8,
    cr0: 0x1FC,
    dr6: 0x1CC,
    dr7: 0x1C8,
    cr4: 0x114,
    auto_halt: 0x102,
    revision: 0xFC,
    base: 0xF8,
    inner: 0x00,
    pending_debug: 0x02,
};

const LAYOUT_64: Layout = Layout {
    width: Width::Qword,
    // RAX at FFF8h, RCX at FFF0h, ..., R15 at FF80h.
    gpr: |n| 0x1F8 - 8 * n,
    rip: 0x178,
    rflags: 0x170,
    dr6: 0x168,
    dr7: 0x160,
    cr0: 0x158,
    cr3: 0x150,
    cr4: 0x148,
    auto_halt: 0xC9,
    revision: 0xFC,
    base: 0x100,
    inner: 0xCA,
    pending_debug: 0xCC,
};

/// The 64-bit map's EFER, GDTR and IDTR (limit; the base follows 4 bytes behind), LDTR and TR.
const EFER: usize = 0xD0;
const GDTR_64: usize = 0x64;
const IDTR_64: usize = 0x84;
const LDTR_64: usize = 0x70;
const TR_64: usize = 0x90;

/// The 32-bit map's selectors (documented), and the hidden parts in its reserved fields: attributes, limit, base.
const SELECTORS_32: usize = 0x1A8;
const TR_32: usize = 0x1C4;
const LDTR_32: usize = 0x1C0;
const HIDDEN_32: usize = 0x20;
/// The same for GDTR and IDTR: limit, base.
const GDTR_32: usize = 0x80;
const IDTR_32: usize = 0x88;

impl Map {
    fn get(&self, at: usize, width: Width) -> u64 {
        (0..width.bytes()).fold(0, |v, i| v | u64::from(self.0[at + i]) << (8 * i))
    }

    fn put(&mut self, at: usize, width: Width, value: u64) {
        let bytes = value.to_le_bytes();
        self.0[at..at + width.bytes()].copy_from_slice(&bytes[..width.bytes()]);
    }

    fn word(&self, at: usize) -> u16 {
        self.get(at, Width::Word) as u16
    }

    fn dword(&self, at: usize) -> u32 {
        self.get(at, Width::Dword) as u32
    }

    /// Attributes, limit and base at their places, of these widths.
    fn put_hidden(&mut self, at: [usize; 3], base: Width, r: &SegmentRegister) {
        let usable = r.attributes.contains(A::USABLE);
        let unusable = if usable { 0 } else { UNUSABLE };
        let attributes = r.attributes.bits() as u16 & 0xF0FF | unusable;
        self.put(at[0], Width::Word, attributes.into());
        self.put(at[1], Width::Dword, r.limit.into());
        self.put(at[2], base, r.base);
    }

    fn hidden(&self, at: [usize; 3], base: Width, selector: u16) -> SegmentRegister {
        let word = self.word(at[0]);
        let mut attributes = A::from_bits_retain(u32::from(word & 0xF0FF));
        attributes.set(A::USABLE, word & UNUSABLE == 0);
        SegmentRegister {
            selector: Selector(selector),
            base: self.get(at[2], base),
            limit: self.dword(at[1]),
            attributes,
        }
    }

    fn put_segment_64(&mut self, at: usize, r: &SegmentRegister) {
        self.put(at, Width::Word, r.selector.0.into());
        self.put_hidden([at + 2, at + 4, at + 8], Width::Qword, r);
    }

    fn segment_64(&self, at: usize) -> SegmentRegister {
        self.hidden([at + 2, at + 4, at + 8], Width::Qword, self.word(at))
    }

    /// `n` counts the hidden part: the six segments, then LDTR and TR.
    fn put_segment_32(&mut self, at: usize, n: usize, r: &SegmentRegister) {
        self.put(at, Width::Dword, r.selector.0.into());
        let hidden = HIDDEN_32 + 12 * n;
        self.put_hidden([hidden, hidden + 4, hidden + 8], Width::Dword, r);
    }

    fn segment_32(&self, at: usize, n: usize) -> SegmentRegister {
        let hidden = HIDDEN_32 + 12 * n;
        let selector = self.word(at);
        self.hidden([hidden, hidden + 4, hidden + 8], Width::Dword, selector)
    }

    fn put_table(&mut self, at: usize, base: Width, t: &DescriptorTable) {
        self.put(at, Width::Word, t.limit.into());
        self.put(at + 4, base, t.base);
    }

    fn table(&self, at: usize, base: Width) -> DescriptorTable {
        DescriptorTable {
            base: self.get(at + 4, base),
            limit: self.word(at),
        }
    }

    /// The map of a CPU in this state.
    fn of(s: &CpuState, long: bool) -> Self {
        let l = layout(long);
        let mut m = Self([0; MAP_BYTES]);
        for (n, v) in s.gpr.iter().enumerate().take(gprs(long)) {
            m.put((l.gpr)(n), l.width, *v);
        }
        for (at, v) in [
            (l.rip, s.rip),
            (l.rflags, s.rflags.bits()),
            (l.cr0, s.cr0.bits()),
            (l.cr3, s.cr3),
            (l.cr4, s.cr4.bits()),
            (l.dr6, s.dr6),
            (l.dr7, s.dr7),
        ] {
            m.put(at, l.width, v);
        }
        m.0[l.auto_halt] = (s.activity == Activity::Halted).into();
        let mut inner = 0;
        if s.nmi_blocked {
            inner |= NMI_BLOCKED;
        }
        if s.activity == Activity::Shutdown {
            inner |= SHUT_DOWN;
        }
        m.0[l.inner] = inner;
        m.put(l.pending_debug, Width::Word, s.pending_debug);
        let revision = RELOCATES | if long { REVISION_64 } else { 0 };
        m.put(l.revision, Width::Dword, revision.into());
        m.put(l.base, Width::Dword, s.smm.base.into());
        if long {
            for (n, r) in s.segments.iter().enumerate() {
                m.put_segment_64(16 * n, r);
            }
            m.put_segment_64(LDTR_64, &s.ldtr);
            m.put_segment_64(TR_64, &s.tr);
            m.put_table(GDTR_64, Width::Qword, &s.gdtr);
            m.put_table(IDTR_64, Width::Qword, &s.idtr);
            m.put(EFER, Width::Qword, s.efer.bits());
        } else {
            for (n, r) in s.segments.iter().enumerate() {
                m.put_segment_32(SELECTORS_32 + 4 * n, n, r);
            }
            m.put_segment_32(LDTR_32, 6, &s.ldtr);
            m.put_segment_32(TR_32, 7, &s.tr);
            m.put_table(GDTR_32, Width::Dword, &s.gdtr);
            m.put_table(IDTR_32, Width::Dword, &s.idtr);
        }
        m
    }

    /// Puts what the map holds into a state.
    fn restore(&self, s: &mut CpuState, long: bool) {
        let l = layout(long);
        let get = |at| self.get(at, l.width);
        for (n, v) in s.gpr.iter_mut().enumerate().take(gprs(long)) {
            *v = get((l.gpr)(n));
        }
        s.rip = get(l.rip);
        s.rflags = Rflags::from_bits_retain(get(l.rflags));
        s.cr0 = Cr0::from_bits_retain(get(l.cr0));
        s.cr3 = get(l.cr3);
        s.cr4 = Cr4::from_bits_retain(get(l.cr4));
        s.dr6 = get(l.dr6) & DR6_WRITABLE | DR6_ONES;
        s.dr7 = get(l.dr7) & DR7_WRITABLE | DR7_ONES;
        // A handler may clear it, and set it with unpredictable results (SDM vol. 3, table 32-5).
        s.activity = if self.0[l.auto_halt] & 1 != 0 {
            Activity::Halted
        } else {
            Activity::Running
        };
        let inner = self.0[l.inner];
        s.nmi_blocked = inner & NMI_BLOCKED != 0;
        if inner & SHUT_DOWN != 0 {
            s.activity = Activity::Shutdown;
        }
        s.pending_debug = self.word(l.pending_debug).into();
        s.smm.base = self.dword(l.base);
        if long {
            for (n, r) in s.segments.iter_mut().enumerate() {
                *r = self.segment_64(16 * n);
            }
            s.ldtr = self.segment_64(LDTR_64);
            s.tr = self.segment_64(TR_64);
            s.gdtr = self.table(GDTR_64, Width::Qword);
            s.idtr = self.table(IDTR_64, Width::Qword);
            s.efer = Efer::from_bits_retain(self.get(EFER, Width::Qword));
        } else {
            for (n, r) in s.segments.iter_mut().enumerate() {
                *r = self.segment_32(SELECTORS_32 + 4 * n, n);
            }
            s.ldtr = self.segment_32(LDTR_32, 6);
            s.tr = self.segment_32(TR_32, 7);
            s.gdtr = self.table(GDTR_32, Width::Dword);
            s.idtr = self.table(IDTR_32, Width::Dword);
        }
    }
}

fn layout(long: bool) -> &'static Layout {
    if long { &LAYOUT_64 } else { &LAYOUT_32 }
}

fn gprs(long: bool) -> usize {
    if long { 16 } else { 8 }
}

/// The state in which a handler starts (SDM vol. 3, table 32-4).
fn handler_state(s: &CpuState) -> CpuState {
    let data = A::PRESENT | A::NON_SYSTEM | A::WRITABLE | A::ACCESSED | A::GRANULAR | A::USABLE;
    let segment = |selector: u32, base: u32, attributes: A| SegmentRegister {
        selector: Selector(selector as u16),
        base: base.into(),
        limit: u32::MAX,
        attributes,
    };
    let base = s.smm.base;
    let mut new = CpuState {
        rip: ENTRY,
        rflags: Rflags::ONE,
        segments: [segment(0, 0, data); 6],
        cr0: s.cr0 - (Cr0::PE | Cr0::EM | Cr0::TS | Cr0::PG),
        cr4: Cr4::empty(),
        efer: Efer::empty(),
        dr7: DR7_ONES,
        activity: Activity::Running,
        nmi_blocked: true,
        pending_debug: 0,
        repeating: false,
        monitor: None,
        smm: SmmState {
            active: true,
            smi_pending: false,
            ..s.smm
        },
        ..*s
    };
    new.segments[Seg::Cs as usize] = segment(base >> 4, base, data | A::CODE);
    new
}

impl Interpreter {
    /// Whether an SMI is taken at this boundary.
    pub(crate) fn takes_smi(&self) -> bool {
        self.smm.smi_pending && !self.smm.active && !self.sti_shadow && !self.mov_ss_shadow
    }

    /// Takes the SMI that waits.
    pub(crate) fn enter_smm(&mut self) {
        self.count_smi();
        let state = self.save_state();
        let map = Map::of(&state, self.model.has_long_mode());
        self.set_smm(true);
        self.count_delivery();
        for (n, bytes) in map.0.chunks_exact(8).enumerate() {
            let value = bytes.iter().rev().fold(0, |v, b| v << 8 | u64::from(*b));
            self.map_access(n, Some(value));
        }
        self.load_state(&handler_state(&state));
        self.poll = true;
    }

    /// The `n`th quadword of the state save map: writes it, or reads it.
    fn map_access(&mut self, n: usize, value: Option<u64>) -> u64 {
        let at = self.smm.base.wrapping_add(MAP + 8 * n as u32);
        if at & 7 == 0 {
            return match value {
                Some(v) => {
                    self.physical_write(at.into(), Width::Qword, v);
                    v
                }
                None => self.physical_read(at.into(), Width::Qword),
            };
        }
        (0..8).fold(0, |read, i| {
            let at = at.wrapping_add(i).into();
            let byte = match value {
                Some(v) => {
                    let byte = v >> (8 * i) & 0xFF;
                    self.physical_write(at, Width::Byte, byte);
                    byte
                }
                None => self.physical_read(at, Width::Byte),
            };
            read | byte << (8 * i)
        })
    }

    /// Changes between the board's two views of memory.
    fn set_smm(&mut self, active: bool) {
        self.smm.active = active;
        self.physical.forget_pages();
        self.flush_tlb(false);
        let id = self.id;
        self.bus().special_cycle(id, Special::SmiAct(active));
    }

    /// Whether RSM accepts what it found (SDM vol. 3, section 32.4.1; AMD64 APM vol. 2, section 10.3.4).
    fn can_resume(&self, s: &CpuState) -> bool {
        let implies = |bits: Cr0, needs: Cr0| !s.cr0.contains(bits) || s.cr0.contains(needs);
        let cs = s.segment(Seg::Cs).attributes;
        let paging = s.cr0.contains(Cr0::PG);
        let efer = s.efer.bits() & !self.model.efer & !Efer::LMA.bits();
        let long = s.efer.contains(Efer::LME) && paging;
        implies(Cr0::PG, Cr0::PE)
            && implies(Cr0::NW, Cr0::CD)
            && s.cr4.bits() & !self.model.cr4 == 0
            && efer == 0
            && (!long || s.cr4.contains(Cr4::PAE))
            && (!long || !cs.contains(A::LONG | A::BIG))
            && s.cr3 >> self.model.physical_bits.max(32) == 0
    }
}

/// RSM.
pub struct Rsm;

impl Instruction for Rsm {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        cpu.ensure(cpu.smm.active, crate::fault::Fault::UD)?;
        cpu.device_access();
        let mut map = Map([0; MAP_BYTES]);
        for n in 0..MAP_BYTES / 8 {
            let v = cpu.map_access(n, None);
            map.put(8 * n, Width::Qword, v);
        }
        let mut state = cpu.save_state();
        let long = cpu.model.has_long_mode();
        map.restore(&mut state, long);
        cpu.poll = true;
        if !cpu.can_resume(&state) {
            cpu.shut_down();
            return Err(Stop::Branch);
        }
        state.cr0 = state.cr0 & Cr0::from_bits_retain(cpu.model.cr0) | Cr0::ET;
        let writable = cpu.model.flags_writable;
        state.rflags = state.rflags & Rflags::from_bits_retain(writable)
            | Rflags::from_bits_retain(cpu.model.flags_fixed);
        state.smm.active = false;
        state.repeating = false;
        state.monitor = None;
        let activity = state.activity;
        cpu.set_smm(false);
        cpu.load_state(&state);
        let paging = cpu.cr0.contains(Cr0::PG) && cpu.cr4.contains(Cr4::PAE) && !cpu.is_long();
        let shut = activity == Activity::Shutdown;
        if shut || paging && cpu.load_pdptes(cpu.cr3).is_err() {
            cpu.shut_down();
        } else if activity == Activity::Halted {
            let id = cpu.id;
            cpu.bus().special_cycle(id, Special::Halt);
        }
        Err(Stop::Branch)
    }
}
