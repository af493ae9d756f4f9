//! Our side: the same case on our core, under tables that give user mode what Linux gives it: IA-32e mode on a model that
//! has it, so that code segments of 16 and 32 bits are in compatibility mode; else protected mode. Every exception leads
//! to a HLT in ring 0; what the processor pushed there is the outcome.

use super::case::{Case, FX_BYTES, LOST, MXCSR, Memory, Outcome};
use super::layout::{self, Access, LOCALS, PAGE};
use crate::vectors::bus::FlatBus;
use anyhow::{Context, Result};
use cpu::{CpuModel, Interpreter};
use emu_core::backend::{CpuBackend, CpuId, Exit, Invalidate};
use emu_core::ram::DirtyClient;
use emu_core::x86::{
    CpuState, Cr0, Cr4, DescriptorTable, Efer, Rflags, Seg, SegmentAttributes, SegmentRegister,
    Selector, X87State,
};
use iced_x86::CpuidFeature;

/// Where XMM0 stands in an FXSAVE image.
const XMM: usize = 160;
/// XCR0 (SDM vol. 1, section 13.3).
const XCR0_X87_SSE_AVX: u64 = 7;

/// Physical memory.
const RAM_BYTES: usize = 1 << 20;
/// Physical: page tables, the first of them the root.
const TABLES: u64 = 0x1000;
/// Physical: the page of GDT, LDT and TSS, then those below.
const SYSTEM: u64 = 0x2_0000;
/// Offsets of the system pages, physical and linear.
const LDT: u64 = 0x200;
const TSS: u64 = 0x400;
const IDT: u64 = 0x1000;
const HANDLERS: u64 = 0x2000;
const RING0_STACK: u64 = 0x3000;
const SYSTEM_PAGES: u64 = 4;
/// Physical: the window's pages.
const FRAMES: u64 = 0x3_0000;
/// Linear address of the system pages for a processor without 64-bit mode: where no case reaches but by chance.
const SYSTEM_LINEAR_32: u64 = 0xE5A0_0000;
/// With it: in the half that Linux keeps to itself.
const SYSTEM_LINEAR_64: u64 = 0xFFFF_9A5C_E5A0_0000;
/// Bytes between handlers.
const HANDLER_BYTES: u64 = 16;
/// More than any case takes: each iteration of a repeated instruction counts.
const INSNS_LIMIT: u64 = 200_000;

const PRESENT: u64 = 1 << 0;
const WRITABLE: u64 = 1 << 1;
const USER: u64 = 1 << 2;
/// Accessed and dirty: no table is written during a case.
const USED: u64 = 3 << 5;
const EXECUTE_DISABLE: u64 = 1 << 63;
/// The physical address in an entry of any table here.
const ADDRESS: u64 = 0xFFFF_F000;

/// Selectors of ring 0, as Linux lays out its GDT.
const KERNEL_CS32: u16 = 0x08;
const KERNEL_CS64: u16 = 0x10;
const KERNEL_DATA: u16 = 0x18;
const TSS_SELECTOR: u16 = 0x40;
const LDT_SELECTOR: u16 = 0x50;
/// Descriptors in the GDT.
const GDT_ENTRIES: u64 = 16;

/// Our core on its own memory.
pub struct Subject {
    model: &'static CpuModel,
    cpu: Interpreter,
    bus: FlatBus,
    memory: Memory,
    template: CpuState,
    next_table: u64,
    system: u64,
    /// Everything runs in IA-32e mode.
    long: bool,
}

fn segment(selector: u16, descriptor: u64) -> SegmentRegister {
    let attributes = SegmentAttributes::from_bits_retain((descriptor >> 40) as u32 & 0xF0FF);
    let mut limit = (descriptor & 0xFFFF | descriptor >> 32 & 0xF_0000) as u32;
    if attributes.contains(SegmentAttributes::GRANULAR) {
        limit = limit << 12 | 0xFFF;
    }
    SegmentRegister {
        selector: Selector(selector),
        base: layout::base_of(descriptor).into(),
        limit,
        attributes: attributes | SegmentAttributes::USABLE,
    }
}

/// Whether an exception pushes an error code (SDM vol. 3, table 6-1).
pub fn has_error_code(vector: u8) -> bool {
    matches!(vector, 8 | 10..=14 | 17)
}

impl Subject {
    /// With a fresh processor.
    pub fn new(model: &'static CpuModel) -> Result<Self> {
        let long = model.has(CpuidFeature::X64);
        let mut subject = Self {
            model,
            cpu: Interpreter::new(CpuId(0), model),
            bus: FlatBus::new(RAM_BYTES).context("no memory for the emulated processor")?,
            memory: Memory::new(),
            template: model.reset_state(),
            next_table: TABLES + PAGE as u64,
            system: if long {
                SYSTEM_LINEAR_64
            } else {
                SYSTEM_LINEAR_32
            },
            long,
        };
        let ram = subject.bus.ram().clone();
        ram.fill(0, RAM_BYTES, 0);
        subject.map_everything();
        subject.write_tables();
        ram.write(FRAMES as usize, &subject.memory.before);
        subject.make_template();
        Ok(subject)
    }

    fn write_u64(&self, at: u64, value: u64) {
        self.bus.ram().write_u64(at as usize, value);
    }

    fn map_everything(&mut self) {
        for page in 0..SYSTEM_PAGES {
            let at = page * PAGE as u64;
            self.map(self.system + at, SYSTEM + at, WRITABLE);
        }
        for (n, (offset, access)) in layout::PAGES.into_iter().enumerate() {
            let rights = match access {
                Access::Execute => USER,
                Access::Write => USER | WRITABLE | EXECUTE_DISABLE,
                Access::Read => USER | EXECUTE_DISABLE,
            };
            let frame = FRAMES + (n * PAGE) as u64;
            self.map(layout::LOW + u64::from(offset), frame, rights);
            if self.long {
                self.map(layout::HIGH + u64::from(offset), frame, rights);
            }
        }
    }

    /// Maps a page by 4-level paging or by 32-bit paging (SDM vol. 3, sections 4.5 and 4.3).
    fn map(&mut self, linear: u64, physical: u64, rights: u64) {
        let (levels, index_bits) = if self.long { (4, 9) } else { (2, 10) };
        let mut table = TABLES;
        for level in (0..levels).rev() {
            let index = linear >> (12 + level * index_bits) & ((1 << index_bits) - 1);
            let entry = table + index * if self.long { 8 } else { 4 };
            if level == 0 {
                self.write_entry(entry, physical | PRESENT | USED | rights);
            } else {
                if self.read_entry(entry) == 0 {
                    let fresh = self.next_table;
                    self.next_table += PAGE as u64;
                    self.write_entry(entry, fresh | PRESENT | WRITABLE | USER | USED);
                }
                table = self.read_entry(entry) & ADDRESS;
            }
        }
    }

    fn read_entry(&self, at: u64) -> u64 {
        if self.long {
            self.bus.ram().read_u64(at as usize)
        } else {
            self.bus.ram().read_u32(at as usize).into()
        }
    }

    /// An entry of 32 bits cannot forbid execution.
    fn write_entry(&self, at: u64, entry: u64) {
        if self.long {
            self.write_u64(at, entry);
        } else {
            self.bus.ram().write_u32(at as usize, entry as u32);
        }
    }

    fn write_tables(&self) {
        let system = self.system;
        let entry = |selector: u16, descriptor: u64| {
            self.write_u64(SYSTEM + u64::from(selector & !7), descriptor);
        };
        entry(KERNEL_CS32, layout::descriptor(0, 0xF_FFFF, 0x9B, 0xC));
        entry(KERNEL_CS64, layout::descriptor(0, 0xF_FFFF, 0x9B, 0xA));
        entry(KERNEL_DATA, layout::descriptor(0, 0xF_FFFF, 0x93, 0xC));
        for selector in [layout::CS32, layout::FLAT, layout::CS64] {
            entry(
                selector,
                layout::user_descriptor(selector).unwrap_or_default(),
            );
        }
        entry(TSS_SELECTOR, self.tss_descriptor());
        entry(LDT_SELECTOR, self.ldt_descriptor());
        if self.long {
            // The upper halves of their addresses.
            entry(TSS_SELECTOR + 8, system >> 32);
            entry(LDT_SELECTOR + 8, system >> 32);
        }
        for (n, local) in LOCALS.iter().enumerate() {
            self.write_u64(SYSTEM + LDT + 8 * n as u64, local.descriptor());
        }
        // The stack of ring 0, and an I/O map beyond the limit: no port is allowed.
        let ram = self.bus.ram();
        let stack_top = system + RING0_STACK + PAGE as u64;
        if self.long {
            self.write_u64(SYSTEM + TSS + 4, stack_top);
        } else {
            ram.write_u32((SYSTEM + TSS + 4) as usize, stack_top as u32);
            ram.write_u32((SYSTEM + TSS + 8) as usize, KERNEL_DATA.into());
        }
        ram.write_u16((SYSTEM + TSS + 0x66) as usize, 0xFFFF);
        ram.fill((SYSTEM + HANDLERS) as usize, PAGE, 0xF4);
        for vector in 0..256u64 {
            self.write_gate(vector);
        }
    }

    /// An interrupt gate to the handler of a vector.
    fn write_gate(&self, vector: u64) {
        let handler = self.system + HANDLERS + vector * HANDLER_BYTES;
        // INT3 and INTO may be executed by user mode, other vectors not.
        let access = if matches!(vector, 3 | 4) { 0xEE } else { 0x8E };
        let selector = if self.long { KERNEL_CS64 } else { KERNEL_CS32 };
        let gate = (handler & 0xFFFF)
            | u64::from(selector) << 16
            | access << 40
            | (handler >> 16 & 0xFFFF) << 48;
        if self.long {
            self.write_u64(SYSTEM + IDT + vector * 16, gate);
            self.write_u64(SYSTEM + IDT + vector * 16 + 8, handler >> 32);
        } else {
            self.write_u64(SYSTEM + IDT + vector * 8, gate);
        }
    }

    fn tss_descriptor(&self) -> u64 {
        layout::descriptor((self.system + TSS) as u32, 0x67, 0x8B, 0)
    }

    fn ldt_descriptor(&self) -> u64 {
        let limit = LOCALS.len() as u32 * 8 - 1;
        layout::descriptor((self.system + LDT) as u32, limit, 0x82, 0)
    }

    fn make_template(&mut self) {
        let (system, long) = (self.system, self.long);
        let [mut tr, mut ldtr] = [
            segment(TSS_SELECTOR, self.tss_descriptor()),
            segment(LDT_SELECTOR, self.ldt_descriptor()),
        ];
        (tr.base, ldtr.base) = (system + TSS, system + LDT);
        let s = &mut self.template;
        s.cr0 = Cr0::PE | Cr0::MP | Cr0::ET | Cr0::NE | Cr0::WP | Cr0::AM | Cr0::PG;
        s.cr3 = TABLES;
        let mut cr4 = Cr4::DE | Cr4::PSE | Cr4::MCE | Cr4::PGE | Cr4::OSFXSR | Cr4::OSXMMEXCPT;
        cr4 |= Cr4::FSGSBASE | Cr4::UMIP | Cr4::OSXSAVE;
        if long {
            cr4 |= Cr4::PAE;
            s.efer = Efer::SCE | Efer::LME | Efer::LMA | Efer::NXE;
        }
        s.cr4 = Cr4::from_bits_retain(cr4.bits() & self.model.cr4);
        s.gdtr = DescriptorTable {
            base: system,
            limit: (GDT_ENTRIES * 8 - 1) as u16,
        };
        s.idtr = DescriptorTable {
            base: system + IDT,
            limit: if long { 0xFFF } else { 0x7FF },
        };
        (s.tr, s.ldtr) = (tr, ldtr);
        if self.model.has(CpuidFeature::AVX) {
            s.simd.xcr0 = XCR0_X87_SSE_AVX;
        }
    }

    /// Whether pages can forbid execution.
    pub fn has_execute_disable(&self) -> bool {
        self.long
    }

    /// Runs a case.
    pub fn run(&mut self, case: &Case) -> Outcome {
        let ram = self.bus.ram().clone();
        self.memory
            .prepare(case, |at, byte| ram.write_u8(FRAMES as usize + at, byte));
        let before = self.state_before(case);
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            self.cpu.invalidate(Invalidate::WriteTracking);
            self.cpu.set_state(&before);
            self.bus.allow(INSNS_LIMIT);
            let exit = self.cpu.run(&mut self.bus, None);
            (exit, self.cpu.state())
        }));
        let mut outcome = Outcome::new();
        match ran {
            Ok((Exit::Halted, after)) => self.note_state(case, &after, &mut outcome),
            Ok(_) => {}
            Err(_) => self.cpu = Interpreter::new(CpuId(0), self.model),
        }
        let mut page_now = [0; PAGE];
        for page in 0..layout::PAGES.len() {
            let frame = FRAMES as usize / PAGE + page;
            if ram.take_dirty(frame, DirtyClient::Snapshot) {
                ram.read(frame * PAGE, &mut page_now);
                outcome.note_changes(page, &self.memory.before[page * PAGE..][..PAGE], &page_now);
            }
        }
        self.memory.clean(case, &outcome, |at, bytes| {
            ram.write(FRAMES as usize + at, bytes)
        });
        for page in 0..layout::PAGES.len() {
            ram.take_dirty(FRAMES as usize / PAGE + page, DirtyClient::Snapshot);
        }
        outcome
    }

    fn state_before(&self, case: &Case) -> CpuState {
        let mut s = self.template;
        for (to, from) in s.gpr.iter_mut().zip(case.gpr) {
            *to = from;
        }
        s.rip = case.rip();
        s.rflags = Rflags::from_bits_retain(case.flags | 2);
        for (n, &selector) in case.selectors.iter().enumerate() {
            s.segments[n] = match layout::user_descriptor(selector) {
                Some(d) => segment(selector, d),
                // A null selector; what the register's hidden part then holds nobody sees.
                None => SegmentRegister {
                    selector: Selector(selector),
                    ..SegmentRegister::default()
                },
            };
            s.segments[n].base = case.segment_base(n);
        }
        s.x87 = x87_of(&case.fx);
        for (n, vector) in s.simd.vectors.iter_mut().enumerate() {
            let low = u64_at(&case.fx, XMM + 16 * n);
            let high = u64_at(&case.fx, XMM + 16 * n + 8);
            let [third, fourth] = case.ymm_high[n];
            *vector = [low, high, third, fourth];
        }
        s.simd.mxcsr = u64_at(&case.fx, MXCSR) as u32;
        s.retired = self.cpu.state().retired;
        s
    }

    fn note_state(&self, case: &Case, after: &CpuState, outcome: &mut Outcome) {
        let handlers = self.system + HANDLERS;
        let Some(offset) = after
            .rip
            .checked_sub(handlers + 1)
            .filter(|o| *o < PAGE as u64)
        else {
            return;
        };
        // A handler of one byte: the case ended in it, or in none.
        if offset % HANDLER_BYTES != 0 || after.cpl() != 0 {
            return;
        }
        outcome.vector = (offset / HANDLER_BYTES) as u8;
        let mut at = after.gpr[4].wrapping_sub(self.system) & 0x3FFF;
        let ram = self.bus.ram();
        let slot = if self.long { 8 } else { 4 };
        let mut pop = || {
            let value = ram.read_u64((SYSTEM + at) as usize);
            at = (at + slot) & 0x3FFF;
            if slot == 8 {
                value
            } else {
                value & 0xFFFF_FFFF
            }
        };
        if has_error_code(outcome.vector) {
            outcome.error = pop() as u32;
        }
        outcome.rip = pop();
        let cs = pop() as u16;
        outcome.flags = pop();
        let rsp = pop();
        let ss = pop() as u16;
        outcome.cr2 = after.cr2;
        for (to, from) in outcome.gpr.iter_mut().zip(after.gpr) {
            *to = from;
        }
        outcome.gpr[4] = rsp;
        for (to, from) in outcome.selectors.iter_mut().zip(&after.segments) {
            *to = from.selector.0;
        }
        outcome.selectors[Seg::Cs as usize] = cs;
        outcome.selectors[Seg::Ss as usize] = ss;
        outcome.bases = [after.segment(Seg::Fs).base, after.segment(Seg::Gs).base];
        outcome.fx = case.fx;
        fx_of(&after.x87, &mut outcome.fx);
        let fx = &mut outcome.fx;
        fx[MXCSR..MXCSR + 4].copy_from_slice(&after.simd.mxcsr.to_le_bytes());
        for (n, [low, high, third, fourth]) in after.simd.vectors.into_iter().enumerate() {
            let at = XMM + 16 * n;
            fx[at..at + 8].copy_from_slice(&low.to_le_bytes());
            fx[at + 8..at + 16].copy_from_slice(&high.to_le_bytes());
            outcome.ymm_high[n] = [third, fourth];
        }
        debug_assert!(outcome.vector != LOST);
    }
}

fn u16_at(fx: &[u8; FX_BYTES], at: usize) -> u16 {
    u16::from_le_bytes([fx[at], fx[at + 1]])
}

fn u64_at(fx: &[u8; FX_BYTES], at: usize) -> u64 {
    (0..8).rev().fold(0, |v, i| v << 8 | u64::from(fx[at + i]))
}

/// The x87 part of an FXSAVE64 image (SDM vol. 1, table 10-2).
fn x87_of(fx: &[u8; FX_BYTES]) -> X87State {
    let mut x = X87State {
        control: u16_at(fx, 0),
        status: u16_at(fx, 2),
        not_empty: fx[4],
        opcode: u16_at(fx, 6) & 0x7FF,
        instruction_pointer: u64_at(fx, 8),
        data_pointer: u64_at(fx, 16),
        ..X87State::default()
    };
    let top = usize::from(x.status >> 11 & 7);
    for i in 0..8 {
        let register = (top + i) & 7;
        x.significand[register] = u64_at(fx, 32 + 16 * i);
        x.sign_exponent[register] = u16_at(fx, 40 + 16 * i);
    }
    x
}

/// Writes the x87 part of an FXSAVE64 image.
fn fx_of(x: &X87State, fx: &mut [u8; FX_BYTES]) {
    let mut put = |at: usize, bytes: &[u8]| fx[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &x.control.to_le_bytes());
    put(2, &x.status.to_le_bytes());
    put(4, &[x.not_empty, 0]);
    put(6, &x.opcode.to_le_bytes());
    put(8, &x.instruction_pointer.to_le_bytes());
    put(16, &x.data_pointer.to_le_bytes());
    let top = usize::from(x.status >> 11 & 7);
    for i in 0..8 {
        let register = (top + i) & 7;
        put(32 + 16 * i, &x.significand[register].to_le_bytes());
        put(40 + 16 * i, &x.sign_exponent[register].to_le_bytes());
    }
}
