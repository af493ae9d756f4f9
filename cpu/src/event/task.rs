//! Hardware task switches (SDM vol. 3, chapter 7).
//!
//! Everything that can fault in the old task (the new TSS's descriptor and limit, the pages of both TSSs) is checked
//! before the first write. Then the old state is saved and the new one loaded, and from there on faults (the new
//! segments, in the order of table 7-1) belong to the new task.

use crate::exec::desc::{BUSY, Descriptor, null_register, virtual_8086_register};
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::mem::access::Place;
use crate::mem::tlb::Privilege;
use crate::op::{OpRef, Stop};
use emu_core::Width;
use emu_core::x86::{
    Cr0, Cr4, Dr6, Rflags, Seg, SegmentAttributes as A, SegmentRegister, Selector, SystemType,
};

/// What causes a task switch.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Reason {
    /// JMP.
    Jump,
    /// CALL, or an interrupt or exception: the new task links back to the old one.
    Nested,
    /// IRET with NT set.
    Return,
}

/// Offsets in a TSS (SDM vol. 3, figures 7-2 and 7-10).
struct Layout {
    width: Width,
    ip: u64,
    flags: u64,
    registers: u64,
    segments: u64,
    segment_step: u64,
    segment_count: usize,
    ldt: u64,
    limit_min: u32,
}

const TSS_32: Layout = Layout {
    width: Width::Dword,
    ip: 0x20,
    flags: 0x24,
    registers: 0x28,
    segments: 0x48,
    segment_step: 4,
    segment_count: 6,
    ldt: 0x60,
    limit_min: 0x67,
};

const TSS_16: Layout = Layout {
    width: Width::Word,
    ip: 0x0E,
    flags: 0x10,
    registers: 0x12,
    segments: 0x22,
    segment_step: 2,
    segment_count: 4,
    ldt: 0x2A,
    limit_min: 0x2B,
};

/// CR3 in a 32-bit TSS.
const TSS_32_CR3: u64 = 0x1C;
/// The T bit in a 32-bit TSS.
const TSS_32_TRAP: u64 = 0x64;
/// DR7.L0 to L3 and LE: a task switch clears them (SDM vol. 3, section 18.2.4).
const DR7_LOCAL: u64 = 0x155;

/// What a TSS holds of a task.
#[derive(Default)]
struct TaskState {
    cr3: Option<u64>,
    ip: u64,
    flags: u64,
    registers: [u64; 8],
    selectors: [u16; 6],
    ldt: u16,
    trap: bool,
}

impl Interpreter {
    /// The descriptor of a TSS that JMP, CALL or a task gate names by `selector`: global, available, present.
    pub(crate) fn available_tss(&mut self, selector: Selector) -> Result<Descriptor, Stop> {
        let gp = Fault::gp(selector);
        self.ensure(!selector.is_local() && !selector.is_null(), gp)?;
        let tss = self.fetch_descriptor(selector, gp)?;
        self.ensure(tss.is_available_tss(), gp)?;
        self.ensure(tss.is_present(), Fault::np(selector))?;
        Ok(tss)
    }

    /// A task switch by an instruction; `Err(Stop::Branch)` when it is done.
    pub(crate) fn enter_task(
        &mut self,
        selector: Selector,
        tss: Descriptor,
        reason: Reason,
        op: OpRef,
    ) -> Result<(), Stop> {
        let next = self.next_rip(op);
        let flags = self.flags_image() & !Rflags::RF.bits();
        let switched = self.switch_task(selector, tss, reason, next, flags);
        if switched == Err(Stop::Fault) {
            return switched;
        }
        let limit = u64::from(self.segment(Seg::Cs).limit);
        if switched.is_err() {
            self.deliver_fault();
        } else if self.rip > limit {
            self.fault = Fault::GP0;
            self.deliver_fault();
        }
        self.poll = true;
        Err(Stop::Branch)
    }

    /// IRET with NT set: back to the task that the link names.
    pub(crate) fn return_to_linked_task(&mut self, op: OpRef) -> Result<(), Stop> {
        let link = self.load_linear(self.tr.base, Width::Word, Privilege::Supervisor)?;
        let selector = Selector(link as u16);
        let ts = Fault::ts(selector);
        self.ensure(!selector.is_local() && !selector.is_null(), ts)?;
        let tss = self.fetch_descriptor(selector, ts)?;
        self.ensure(tss.is_busy_tss(), ts)?;
        self.ensure(tss.is_present(), Fault::np(selector))?;
        self.enter_task(selector, tss, Reason::Return, op)
    }

    /// Switches to the task of `tss`. The old task goes on at `return_rip` with `flags`. `Err(Stop::Fault)`: nothing
    /// has changed; `Err(Stop::Branch)`: `self.fault` came up in the new task.
    pub(crate) fn switch_task(
        &mut self,
        selector: Selector,
        tss: Descriptor,
        reason: Reason,
        return_rip: u64,
        flags: u64,
    ) -> Result<(), Stop> {
        let new = if tss.is_32_bit_system() {
            &TSS_32
        } else {
            &TSS_16
        };
        let old = if self.tr.attributes.segment_type() & 8 != 0 {
            &TSS_32
        } else {
            &TSS_16
        };
        self.ensure(tss.limit() >= new.limit_min, Fault::ts(selector))?;
        self.ensure(self.tr.limit >= old.limit_min, Fault::ts(self.tr.selector))?;
        // All pages of the new TSS that are read: from here on they are known to be there.
        self.read_task(new, tss.base())?;

        let mut writes = Vec::with_capacity(20);
        if reason != Reason::Nested && !self.tr.selector.is_null() {
            let offset = u64::from(self.tr.selector.table_offset()) + 5;
            let at = self.system_address(self.gdtr.base, offset);
            let rights = self.load_linear(at, Width::Byte, Privilege::Supervisor)?;
            self.plan(&mut writes, at, Width::Byte, rights & !BUSY)?;
        }
        let saved = if reason == Reason::Return {
            flags & !Rflags::NT.bits()
        } else {
            flags
        };
        self.plan_save(&mut writes, old, return_rip, saved)?;
        if reason == Reason::Nested {
            let link = self.tr.selector.0.into();
            self.plan(&mut writes, tss.base(), Width::Word, link)?;
        }
        if reason != Reason::Return {
            let at = self.system_address(tss.at, 5);
            self.plan(&mut writes, at, Width::Byte, tss.raw >> 40 & 0xFF | BUSY)?;
        }

        for (place, width, value) in writes {
            self.close_slow(place, width, value);
        }
        // Read again: a task may return to itself.
        let state = self.read_task(new, tss.base()).map_err(|_| Stop::Branch)?;
        self.tr = tss.register(selector);
        self.tr.attributes |= A::WRITABLE;
        self.cr0 |= Cr0::TS;
        self.settle_simd();
        self.load_task(new, state, reason).map_err(|_| Stop::Branch)
    }

    /// Checks and translates a write.
    fn plan(
        &mut self,
        writes: &mut Vec<(Place, Width, u64)>,
        at: u64,
        width: Width,
        value: u64,
    ) -> Result<(), Stop> {
        let place = self.place_linear(at, width, Privilege::Supervisor)?;
        writes.push((place, width, value & width.mask()));
        Ok(())
    }

    /// Checks and translates what saves the present task.
    fn plan_save(
        &mut self,
        writes: &mut Vec<(Place, Width, u64)>,
        tss: &Layout,
        rip: u64,
        flags: u64,
    ) -> Result<(), Stop> {
        let base = self.tr.base;
        self.plan(writes, self.system_address(base, tss.ip), tss.width, rip)?;
        self.plan(
            writes,
            self.system_address(base, tss.flags),
            tss.width,
            flags,
        )?;
        let step = tss.width.bytes() as u64;
        for r in 0..8u8 {
            let at = self.system_address(base, tss.registers + step * u64::from(r));
            self.plan(writes, at, tss.width, self.regs.whole(r))?;
        }
        for (n, seg) in Seg::ALL.into_iter().enumerate().take(tss.segment_count) {
            let at = self.system_address(base, tss.segments + tss.segment_step * n as u64);
            self.plan(writes, at, Width::Word, self.segment(seg).selector.0.into())?;
        }
        Ok(())
    }

    fn read_task(&mut self, tss: &Layout, base: u64) -> Result<TaskState, Stop> {
        let wide = tss.width == Width::Dword;
        let mut s = TaskState::default();
        if wide {
            s.cr3 = Some(self.load_linear(
                self.system_address(base, TSS_32_CR3),
                Width::Dword,
                Privilege::Supervisor,
            )?);
            let trap = self.load_linear(
                self.system_address(base, TSS_32_TRAP),
                Width::Word,
                Privilege::Supervisor,
            )?;
            s.trap = trap & 1 != 0;
        }
        s.ip = self.load_linear(
            self.system_address(base, tss.ip),
            tss.width,
            Privilege::Supervisor,
        )?;
        s.flags = self.load_linear(
            self.system_address(base, tss.flags),
            tss.width,
            Privilege::Supervisor,
        )?;
        let step = tss.width.bytes() as u64;
        for (n, r) in s.registers.iter_mut().enumerate() {
            let at = self.system_address(base, tss.registers + step * n as u64);
            *r = self.load_linear(at, tss.width, Privilege::Supervisor)?;
        }
        for n in 0..tss.segment_count {
            let at = self.system_address(base, tss.segments + tss.segment_step * n as u64);
            s.selectors[n] = self.load_linear(at, Width::Word, Privilege::Supervisor)? as u16;
        }
        s.ldt = self.load_linear(
            self.system_address(base, tss.ldt),
            Width::Word,
            Privilege::Supervisor,
        )? as u16;
        Ok(s)
    }

    /// Becomes the new task. Faults are the new task's.
    fn load_task(&mut self, tss: &Layout, s: TaskState, reason: Reason) -> Result<(), Stop> {
        self.rip = s.ip;
        for (r, &v) in (0..8u8).zip(&s.registers) {
            if tss.width == Width::Dword {
                self.regs.set(r, v as u32);
            } else {
                self.regs.set(r, v as u16);
            }
        }
        // Until each is loaded, a segment register holds a selector and nothing else; CPL is already the new one.
        let cpl = (s.selectors[Seg::Cs as usize] & 3) as u8;
        for seg in Seg::ALL {
            let mut reg = null_register(Selector(s.selectors[seg as usize]));
            if seg == Seg::Ss {
                reg.attributes = A::empty().with_dpl(cpl);
            }
            self.put_segment(seg, reg);
        }
        self.ldtr = null_register(Selector(s.ldt));
        let mut flags = s.flags & self.model.flags_writable | self.model.flags_fixed;
        if reason == Reason::Nested {
            flags |= Rflags::NT.bits();
        }
        self.set_rflags(Rflags::from_bits_retain(flags));
        if self.dr7 & DR7_LOCAL != 0 {
            self.dr7 &= !DR7_LOCAL;
            self.breakpoints_changed();
        }
        if s.trap {
            self.pending_debug |= Dr6::BT.bits();
        }
        if let Some(cr3) = s.cr3
            && self.cr0.contains(Cr0::PG)
        {
            self.cr3 = cr3;
            self.flush_tlb(true);
            if self.cr4.contains(Cr4::PAE) {
                self.load_pdptes(cr3)?;
            }
        }
        let loaded = self.load_task_segments(&s.selectors, cpl);
        self.update_mode();
        loaded
    }

    fn load_task_segments(&mut self, selectors: &[u16; 6], cpl: u8) -> Result<(), Stop> {
        let ldt = self.ldtr.selector;
        if !ldt.is_null() {
            let ts = Fault::ts(ldt);
            self.ensure(!ldt.is_local(), ts)?;
            let d = self.fetch_descriptor(ldt, ts)?;
            self.ensure(d.system_type() == Some(SystemType::Ldt), ts)?;
            self.ensure(d.is_present(), ts)?;
            self.ldtr = d.register(ldt);
        }
        if self.rflags.contains(Rflags::VM) {
            for seg in Seg::ALL {
                self.put_segment(
                    seg,
                    virtual_8086_register(Selector(selectors[seg as usize])),
                );
            }
            return Ok(());
        }
        let cs = Selector(selectors[Seg::Cs as usize]);
        let reg = self.task_code(cs)?;
        self.put_segment(Seg::Cs, reg);
        let ss = Selector(selectors[Seg::Ss as usize]);
        let reg = self.task_stack(ss, cpl)?;
        self.put_segment(Seg::Ss, reg);
        for seg in [Seg::Ds, Seg::Es, Seg::Fs, Seg::Gs] {
            let selector = Selector(selectors[seg as usize]);
            if !selector.is_null() {
                let reg = self.task_data(selector, cpl)?;
                self.put_segment(seg, reg);
            }
        }
        Ok(())
    }

    fn task_code(&mut self, selector: Selector) -> Result<SegmentRegister, Stop> {
        let ts = Fault::ts(selector);
        self.ensure(!selector.is_null(), ts)?;
        let d = self.fetch_descriptor(selector, ts)?;
        self.ensure(d.is_code(), ts)?;
        let fits = if d.is_conforming() {
            d.dpl() <= selector.rpl()
        } else {
            d.dpl() == selector.rpl()
        };
        self.ensure(fits, ts)?;
        self.ensure(d.is_present(), Fault::np(selector))?;
        self.mark_accessed(d)?;
        Ok(d.register(selector))
    }

    fn task_stack(&mut self, selector: Selector, cpl: u8) -> Result<SegmentRegister, Stop> {
        let ts = Fault::ts(selector);
        self.ensure(!selector.is_null(), ts)?;
        let d = self.fetch_descriptor(selector, ts)?;
        self.ensure(d.is_writable_data(), ts)?;
        self.ensure(d.is_present(), Fault::ss(selector))?;
        self.ensure(d.dpl() == cpl && selector.rpl() == cpl, ts)?;
        self.mark_accessed(d)?;
        Ok(d.register(selector))
    }

    fn task_data(&mut self, selector: Selector, cpl: u8) -> Result<SegmentRegister, Stop> {
        let ts = Fault::ts(selector);
        let d = self.fetch_descriptor(selector, ts)?;
        self.ensure(d.is_readable(), ts)?;
        self.ensure(d.is_present(), Fault::np(selector))?;
        let allowed = d.is_conforming() || cpl.max(selector.rpl()) <= d.dpl();
        self.ensure(allowed, ts)?;
        self.mark_accessed(d)?;
        Ok(d.register(selector))
    }
}
