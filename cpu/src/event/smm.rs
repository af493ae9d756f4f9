//! System management mode: SMI, RSM, and what an SMI finds in the [state save map](map) (SDM vol. 3, chapter 32; AMD64 APM
//! vol. 2, chapter 10).
//!
//! A model without long mode saves by the map of SDM vol. 3, table 32-1 (whose documented fields AMD's processors of 32 bits
//! share), one with it by that of AMD64 APM vol. 2, table 10-1, or if it is given the feature `intel_smram` by that of SDM
//! vol. 3, table 32-3. Reserved fields hold what a map has no other place for and RSM must find again: hidden parts of the
//! segments, limits of the tables.
//!
//! An SMI that is taken right behind an I/O instruction, or an iteration of one, leaves in the map what that was, and a
//! handler may have it executed again. As on the chips nothing tells an SMI that the access itself brought about from one
//! that came at the same time; behind any other instruction the restart field means nothing.
//!
//! **Not implemented**: SMRR and the other MSRs of SMM; AMD's local SMI status (FEC4h), which reads as 0; the monitor of VMX.
//!
//! **Known inaccuracies**: a 64-bit model of Intel's saves by AMD's map unless told otherwise: the board says that it is one of
//! an emulator, and firmware that runs there (SeaBIOS stops in its handler) knows no other. While interrupts are held off by STI, MOV SS or POP SS an SMI waits too, since no map has a place
//! for that. The revision level of all 32-bit maps is 0, the Pentium's: the manuals give none for later processors. Of which
//! kind the I/O memory address is SDM vol. 3 does not say: here it is linear. A debug condition that was held off behind MOV
//! SS until behind an I/O instruction is lost if that is restarted. Where the Athlon differs from the K6 is not known.

mod map;

use crate::exec::system::DR7_ONES;
use crate::interpreter::Interpreter;
use crate::op::{Instruction, OpRef, Stop};
use emu_core::Width;
use emu_core::backend::Special;
use emu_core::x86::{
    Activity, CpuState, Cr0, Cr4, Efer, Rflags, Seg, SegmentAttributes as A, SegmentRegister,
    Selector, SmmState,
};
use map::{Layout, Map};

/// Where the handler starts, from SMBASE on.
const ENTRY: u64 = 0x8000;

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
            io: None,
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
        let map = Map::of(&state, self.model);
        self.set_smm(true);
        self.count_delivery();
        for n in Layout::of(self.model).quadwords() {
            self.map_access(n, Some(map.get(8 * n, Width::Qword)));
        }
        self.load_state(&handler_state(&state));
        self.poll = true;
    }

    /// The `n`th quadword of the longest state save map: writes it, or reads it.
    fn map_access(&mut self, n: usize, value: Option<u64>) -> u64 {
        let at = self.smm.base.wrapping_add(map::START + 8 * n as u32);
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
        let mut map = Map([0; map::BYTES]);
        for n in Layout::of(cpu.model).quadwords() {
            let v = cpu.map_access(n, None);
            map.put(8 * n, Width::Qword, v);
        }
        let mut state = cpu.save_state();
        map.restore(&mut state, cpu.model);
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
