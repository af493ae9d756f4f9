//! The loop: boundaries between instructions, where events, interrupts and debug traps are taken, and blocks between
//! them.
//!
//! # The invariant behind the `unsafe` in this file
//! `Attached` holds pointers to the bus and the probe, to the block that runs, and to the one that was left last. Bus and
//! probe are set on entry to [`CpuBackend::run`] from references that live until it returns, and cleared before it returns;
//! they are used only through `&mut self`. Blocks of the cache stay allocated until `BlockCache::bury`, which only this
//! loop calls, between blocks, and which makes it forget the one that was left.
#![expect(
    unsafe_code,
    reason = "the bus, the probe and the running block; see the invariant above"
)]

mod onward;
#[cfg(test)]
mod tests;

use crate::block::{Block, Generation, Place};
use crate::fault::Fault;
use crate::interpreter::{Interpreter, Leaving, mode};
use crate::mem::paging::PhysicalPages;
use crate::op::{HeadRef, OpRef, Stop};
use emu_core::backend::{
    Attention, BackendCaps, BackendStats, CpuBackend, Exit, Invalidate, Kick, Special, SystemBus,
};
use emu_core::probe::{Execute, Probe, Verdict, Watched};
use emu_core::x86::{Activity, CpuState, Dr6, Rflags, Seg};
use std::ptr::NonNull;

/// What is attached for the length of a slice or a block.
pub struct Attached {
    bus: Option<NonNull<dyn SystemBus>>,
    probe: Option<NonNull<dyn Probe>>,
    /// The head of the block that runs, or none.
    pub head: HeadRef,
    /// The block that was left last, by a branch or at its end, if it is in the cache.
    left_block: Option<NonNull<Block>>,
    /// Instructions retired since the board was last told, but for those since a block was entered.
    done: u64,
    /// Instructions that may retire before the board must be told.
    budget: u64,
    /// While a block runs: what is left of the budget behind its last instruction. A repetition of a string instruction but
    /// for the last takes one off.
    pub left: i64,
    /// The operation that executes.
    pub op: OpRef,
    /// A repeated string instruction was left before its end.
    pub repeating: bool,
    /// The running block was entered with RF.
    resumed: bool,
    /// The instruction traps for single stepping by the TF that it leaves, not by the one that it found.
    pub steps_by_new_flags: bool,
    /// The CPU runs block after block: between two of them, and behind an access to a device, it may go on without the run
    /// loop where that would find nothing to do.
    free: bool,
    /// The probe asked to stop.
    probe_stopped: bool,
}

impl Default for Attached {
    fn default() -> Self {
        Self {
            bus: None,
            probe: None,
            head: HeadRef::NONE,
            left_block: None,
            done: 0,
            budget: 0,
            left: 0,
            op: OpRef::NONE,
            repeating: false,
            resumed: false,
            steps_by_new_flags: false,
            free: false,
            probe_stopped: false,
        }
    }
}

/// The most that a slice's budget is: what is left of it stays far from what [`HeadRef::charge`] takes off for no block.
const BUDGET_MAX: u64 = 1 << 30;

// SAFETY: the pointers are only set while `run` is on the stack of the thread that owns the CPU.
unsafe impl Send for Attached {}

impl Interpreter {
    /// The bus.
    pub(crate) fn bus(&mut self) -> &mut dyn SystemBus {
        let bus = self
            .attached
            .bus
            .expect("instructions are executed only inside `run`");
        // SAFETY: see the file's header.
        unsafe { &mut *bus.as_ptr() }
    }

    /// The probe, if one watches.
    pub(crate) fn probe(&mut self) -> Option<&mut dyn Probe> {
        // SAFETY: see the file's header.
        self.attached.probe.map(|p| unsafe { &mut *p.as_ptr() })
    }

    /// Whether a slice is running.
    pub(crate) fn is_attached(&self) -> bool {
        self.attached.bus.is_some()
    }

    pub(crate) fn current_block(&self) -> Option<&Block> {
        self.attached.head.block()
    }

    /// The number, in the running block, of the instruction at `op`.
    #[inline]
    fn insn_at(&self, op: OpRef) -> usize {
        self.current_block()
            .map_or(0, |b| b.insn_of_slot(op.slots_from(b.slots.head())))
    }

    /// Instructions retired since the board was last told, `n` of the running block among them.
    fn done_with(&self, n: u64) -> u64 {
        let Some(b) = self.current_block() else {
            return self.attached.done;
        };
        let a = &self.attached;
        (a.budget as i64 - a.left - i64::from(b.insns) + n as i64) as u64
    }

    /// The address of the instruction behind `op`.
    pub(crate) fn next_rip(&self, op: OpRef) -> u64 {
        self.rip_of(self.insn_at(op) + 1)
    }

    /// The address of the instruction at `op`.
    pub(crate) fn this_rip(&self, op: OpRef) -> u64 {
        self.rip_of(self.insn_at(op))
    }

    /// The address of instruction `n` of the running block.
    #[inline]
    fn rip_of(&self, n: usize) -> u64 {
        let offset = self.current_block().map_or(0, |b| b.offset_of(n));
        self.wrap_rip(self.regs.block_rip().wrapping_add(offset))
    }

    /// Lets the instruction pointer wrap where the model's does.
    pub(crate) fn wrap_rip(&self, rip: u64) -> u64 {
        if self.model.ip_wraps {
            rip & 0xFFFF
        } else {
            rip & self.linear_mask
        }
    }

    /// Leaves the block at `op`; gives the first operation of the next, as [`Self::onward`] does.
    #[inline(never)]
    fn leave(&mut self, op: OpRef, stop: Stop) -> OpRef {
        let n = self.insn_at(op);
        self.attached.repeating = stop == Stop::Repeat;
        if std::mem::take(&mut self.attached.resumed) && self.attached.repeating {
            self.rflags.insert(Rflags::RF);
        }
        let retired = match stop {
            Stop::Fault => {
                self.rip = self.rip_of(n);
                n as u64
            }
            Stop::Repeat | Stop::Wait => {
                self.rip = self.rip_of(n);
                self.poll = true;
                n as u64
            }
            Stop::Branch => n as u64 + 1,
            Stop::Leave => {
                self.rip = self.rip_of(n + 1);
                self.poll = true;
                n as u64 + 1
            }
        };
        self.keep_prefetched(n, stop);
        self.finish_block(retired);
        if stop == Stop::Fault {
            self.poll = true;
            self.deliver_fault();
            self.attached.done += 1;
        }
        if stop != Stop::Branch {
            self.attached.left_block = None;
        }
        self.onward()
    }

    /// Ends the block after its last instruction; gives the first operation of the next, as [`Self::onward`] does.
    #[inline(never)]
    pub(crate) fn leave_at_end(&mut self) -> OpRef {
        let Some(b) = self.current_block() else {
            return OpRef::NONE;
        };
        let (len, insns) = (u64::from(b.len), u64::from(b.insns));
        self.attached.repeating = false;
        self.rip = self.wrap_rip(self.regs.block_rip().wrapping_add(len));
        self.finish_block(insns);
        self.onward()
    }

    /// Lets the block that was left last lead to the next one, if a link of it does.
    #[inline(always)]
    fn link_left_block(&mut self, next: &Block) {
        if let Some(from) = self.attached.left_block.take() {
            let base = self.segments[Seg::Cs as usize].base;
            let linear = base.wrapping_add(self.rip) & self.linear_mask;
            let recent = self.blocks.recent(linear, self.mode);
            let at = Place {
                rip: self.rip,
                linear,
                generation: recent.map_or(Generation::NONE, |(_, generation)| generation),
            };
            // SAFETY: see the file's header; nothing was freed since that one was left.
            unsafe { from.as_ref() }.link(self.regs.block_rip(), next, &at);
        }
    }

    fn finish_block(&mut self, retired: u64) {
        self.attached.done = self.done_with(retired);
        let block = self.current_block().filter(|b| b.kept && b.links[0] != 0);
        self.attached.left_block = block.map(NonNull::from);
        self.attached.head = HeadRef::NONE;
    }

    /// Tells the board how many instructions have retired, up to (not including) the one that executes.
    pub(crate) fn synchronize(&mut self) {
        let Some(mut bus) = self.attached.bus else {
            return;
        };
        let op = self.attached.op;
        let a = &mut self.attached;
        // The instruction that executes asks, so a block is running, unless code is fetched or an event delivered.
        let done = match a.head.block() {
            Some(b) => {
                let n = b.insn_of_slot(op.slots_from(a.head));
                let rest = a.left + i64::from(b.insns) - n as i64;
                let told = std::mem::replace(&mut a.budget, rest.max(0) as u64);
                (told as i64 - rest) as u64
            }
            None => {
                let done = std::mem::take(&mut a.done);
                a.budget = a.budget.saturating_sub(done);
                done
            }
        };
        self.retired += done;
        // SAFETY: see the file's header.
        unsafe { bus.as_mut() }.advance(done);
    }

    /// Instructions retired, up to (not including) the one that executes.
    pub(crate) fn instructions_so_far(&self) -> u64 {
        let n = self.insn_at(self.attached.op) as u64;
        self.retired + self.done_with(n)
    }

    /// The instructions that retired before the one that executes, or before the event that is delivered, and the instruction
    /// pointer there.
    pub(crate) fn instruction_at_hand(&self) -> (u64, u64) {
        match self.current_block() {
            Some(_) => {
                let op = self.attached.op;
                (self.instructions_so_far(), self.this_rip(op))
            }
            None => (self.retired + self.attached.done, self.rip),
        }
    }

    /// How many iterations a repeated string instruction at `op` may do before an event is due.
    pub(crate) fn repeat_budget(&self, op: OpRef) -> u64 {
        let used = self.done_with(self.insn_at(op) as u64);
        self.attached.budget.saturating_sub(used).max(1)
    }

    /// Executes up to `budget` instructions.
    fn execute(&mut self) {
        // A prefetch queue is looked after between instructions.
        let tuned = self.tuning.keeps_blocks && self.apart == 0;
        let free = tuned && self.model.prefetch_bytes == 0;
        while !self.poll && self.attached.done < self.attached.budget {
            if self.needs_care() {
                self.step_with_care(false);
                continue;
            }
            let Some(block) = self.block_at_rip(self.mode | self.single_behind_rf() | self.apart)
            else {
                continue;
            };
            // SAFETY: see the file's header.
            let b = unsafe { block.as_ref() };
            let room = self.attached.budget - self.attached.done;
            if u64::from(b.insns) <= room {
                self.link_left_block(b);
                self.attached.free = free;
                self.enter(block);
            } else if let Some(block) = self.block_at_rip(self.mode | mode::SINGLE) {
                self.attached.free = free;
                self.enter(block);
            }
            self.attached.free = false;
        }
    }

    /// Executes a block, and those that follow it.
    fn enter(&mut self, block: NonNull<Block>) {
        // SAFETY: see the file's header.
        let b = unsafe { block.as_ref() };
        let a = &mut self.attached;
        a.left = a.budget as i64 - a.done as i64 - i64::from(b.insns);
        a.head = b.slots.head();
        let first = a.head.first();
        self.take_rf();
        self.regs.set_block_rip(self.rip);
        self.chain(first);
    }

    /// The block at the instruction pointer; `None` if fetching faulted (the fault is then delivered) or the block
    /// cannot be entered as a whole (its first instructions have then been executed one by one).
    #[inline(always)]
    fn block_at_rip(&mut self, key: u32) -> Option<NonNull<Block>> {
        if self.blocks.bury() {
            self.attached.left_block = None;
        }
        self.leave_block = Leaving::No;
        let base = self.segments[Seg::Cs as usize].base;
        let limit = self.rip_limit;
        let linear = base.wrapping_add(self.rip) & self.linear_mask;
        if self.tuning.keeps_blocks
            && let Some((head, _)) = self.blocks.recent(linear, key)
            && !head.is_dead()
            && let Some(b) = head.block()
            && self.biased(self.rip) + u64::from(b.len) - 1 <= limit
        {
            return Some(NonNull::from(b));
        }
        self.fetch_block(linear, limit, key)
    }

    /// Finds or decodes the block at the instruction pointer.
    #[cold]
    #[inline(never)]
    fn fetch_block(&mut self, linear: u64, limit: u64, key: u32) -> Option<NonNull<Block>> {
        match self.decode_at(linear, limit, key) {
            Ok(block) => Some(block),
            Err(_) => {
                self.poll = true;
                self.deliver_fault();
                self.attached.done += 1;
                None
            }
        }
    }

    /// Executes one instruction with breakpoints, single stepping and interrupt shadows (SDM vol. 3, sections 6.9
    /// and 18.3.1).
    fn step_with_care(&mut self, watched: bool) {
        if self.pending_debug != 0 && !self.mov_ss_shadow {
            self.deliver_debug_trap();
            return;
        }
        let resume = self.rflags.contains(Rflags::RF);
        if !resume && !self.mov_ss_shadow && self.hits_instruction_breakpoint() {
            self.poll = true;
            self.deliver_debug_fault();
            self.attached.done += 1;
            return;
        }
        if self.virtual_interrupt_due {
            self.poll = true;
            self.fault = Fault::GP0;
            self.deliver_fault();
            self.attached.done += 1;
            return;
        }
        let stepping = self.rflags.contains(Rflags::TF);
        let on_branches = self.steps_on_branches();
        let (sti, mov_ss) = (self.sti_shadow, self.mov_ss_shadow);
        // An instruction that speaks to the board moves what is done over to what it was told of.
        let counted = |cpu: &Self| cpu.retired + cpu.attached.done;
        let before = counted(self);
        let Some(block) = self.block_at_rip(self.mode | mode::SINGLE) else {
            return;
        };
        if watched && !self.probe_allows(block) {
            return;
        }
        let branch = self.wanted_branch(block);
        self.sti_shadow = false;
        self.mov_ss_shadow = false;
        self.rflags.remove(Rflags::RF);
        self.attached.steps_by_new_flags = false;
        // Of a repeated string instruction, one repetition.
        self.attached.budget = self.attached.budget.min(self.attached.done + 1);
        let delivered = self.deliveries;
        self.enter(block);
        let by_new = self.attached.steps_by_new_flags;
        let stepping = stepping && (!by_new || self.rflags.contains(Rflags::TF));
        let faulted = self.deliveries != delivered;
        let completed = counted(self) > before && !faulted;
        if completed {
            let branched = self.finish_branch(branch);
            let stepping = stepping && (branched || !on_branches);
            if resume && self.attached.repeating {
                self.rflags.insert(Rflags::RF);
            }
            if stepping && !self.mov_ss_shadow {
                self.pending_debug |= Dr6::BS.bits();
            }
        } else if !faulted {
            self.sti_shadow = sti;
            self.mov_ss_shadow = mov_ss;
        }
        // Behind an I/O instruction the boundary does it: an SMI comes first.
        if self.pending_debug != 0 && !self.mov_ss_shadow && self.smm.io.is_none() {
            self.deliver_debug_trap();
        }
        self.poll = true;
    }

    /// Handles everything that happens at an instruction boundary. `Some`: the slice ends.
    fn boundary(&mut self) -> Option<Exit> {
        let done = std::mem::take(&mut self.attached.done);
        self.retired += done;
        self.bus().advance(done);
        self.poll = false;
        self.count();
        loop {
            let id = self.id;
            let attention = self.bus().attention(id);
            if self.smm.active && attention.contains(Attention::INIT) {
                self.bus().accept(id, Attention::INIT);
                self.smm.init_pending = true;
                continue;
            }
            let init_pending = self.smm.init_pending && !self.smm.active;
            if attention.intersects(Attention::RESET | Attention::INIT) || init_pending {
                let init = !attention.contains(Attention::RESET);
                self.bus().accept(id, Attention::RESET | Attention::INIT);
                self.reset(init);
                if let Some(p) = self.probe() {
                    p.reset(id);
                }
                continue;
            }
            if attention.contains(Attention::MAP_CHANGED)
                || attention.contains(Attention::A20_MASKED) != self.physical.a20_masked
            {
                self.bus().accept(id, Attention::MAP_CHANGED);
                self.take_map(attention);
            }
            if attention.contains(Attention::CODE_WRITTEN) {
                self.bus().accept(id, Attention::CODE_WRITTEN);
                self.drop_overwritten_code();
            }
            if attention.contains(Attention::NMI) {
                self.bus().accept(id, Attention::NMI);
                self.nmi_pending = true;
            }
            if attention.contains(Attention::SMI) {
                self.bus().accept(id, Attention::SMI);
                self.smm.smi_pending = self.model.has_smm();
            }
            if attention.contains(Attention::STOP) || self.kick.take() {
                return Some(Exit::SliceEnd);
            }
            // SMI comes before the traps of the last instruction (SDM vol. 3, table 6-2), and ends a shutdown.
            if self.takes_smi() {
                self.enter_smm();
                return None;
            }
            self.smm.io = None;
            // Out of a shutdown inside the handler of an NMI only a reset leads (SDM vol. 3, section 6.15, "Interrupt 8").
            if self.activity == Activity::Shutdown && (!self.nmi_pending || self.nmi_blocked) {
                return Some(Exit::Shutdown);
            }
            // Traps of the last instruction come before NMI and INTR (SDM vol. 3, table 6-2).
            if self.pending_debug != 0 && !self.mov_ss_shadow {
                self.deliver_debug_trap();
                if self.pending_debug != 0 {
                    // The delivery itself met a data breakpoint, and so will the next one: time passes all the same.
                    self.attached.done += 1;
                }
                return None;
            }
            if self.nmi_pending && !self.nmi_blocked && !self.mov_ss_shadow {
                self.nmi_pending = false;
                self.nmi_blocked = true;
                self.activity = Activity::Running;
                self.deliver_nmi();
                return None;
            }
            let open = self.interrupts_open();
            if open && attention.contains(Attention::INTR) {
                // Nobody answers if INTR fell in the meantime: then it does not end a HLT either.
                if let Some(vector) = self.bus().acknowledge(id) {
                    self.activity = Activity::Running;
                    self.deliver_external(vector);
                    return None;
                }
            }
            match self.activity {
                Activity::Waiting { .. }
                    if self.wait_is_over(attention.contains(Attention::INTR)) =>
                {
                    self.activity = Activity::Running;
                }
                Activity::Waiting { .. } | Activity::Halted => return Some(Exit::Halted),
                _ => {}
            }
            return None;
        }
    }

    /// Takes the board's present memory map.
    fn take_map(&mut self, attention: Attention) {
        let masked = attention.contains(Attention::A20_MASKED);
        self.physical.mask_a20(self.model, masked);
        let blocks = self.bus().blocks().to_vec();
        self.physical.refresh(&blocks);
        self.flush_tlb(false);
        self.watch_monitored_line();
    }

    /// Drops code that devices wrote over.
    fn drop_overwritten_code(&mut self) {
        let blocks: Vec<_> = self
            .physical
            .blocks
            .iter()
            .map(|b| (b.start, b.ram.clone()))
            .collect();
        for (start, ram) in blocks {
            if ram.code_was_written() {
                for (page, granules) in ram.take_code_writes() {
                    let host_page = start + (u64::from(page) << 12);
                    self.blocks.overwrite_granules(host_page, granules);
                    self.granules_written(host_page, granules);
                    ram.set_code(page as usize, self.stamped_granules(host_page));
                }
            }
        }
    }

    fn run_slice(&mut self, watched: bool) -> Exit {
        loop {
            let deliveries = self.deliveries;
            if let Some(exit) = self.boundary() {
                return exit;
            }
            let due = self.bus().countdown().min(self.until_counter_interrupts());
            self.attached.budget = due.min(BUDGET_MAX);
            if self.deliveries != deliveries {
                // A gate may leave interrupts open: what else is pending is looked at behind the handler's first
                // instruction, however long its block is.
                self.attached.budget = self.attached.budget.min(1);
            }
            if watched {
                if let Some(exit) = self.execute_watched() {
                    return exit;
                }
            } else {
                self.execute();
            }
        }
    }

    fn execute_watched(&mut self) -> Option<Exit> {
        while !self.poll && self.attached.done < self.attached.budget {
            let before = (self.attached.done, self.deliveries);
            self.step_watched();
            if (self.attached.done, self.deliveries) == before && self.stopped_by_probe() {
                let done = std::mem::take(&mut self.attached.done);
                self.retired += done;
                self.bus().advance(done);
                return Some(Exit::Probe);
            }
        }
        None
    }

    /// One instruction under a probe: the same as without, one at a time.
    fn step_watched(&mut self) {
        self.attached.probe_stopped = false;
        if self.needs_care() {
            self.step_with_care(true);
            return;
        }
        let Some(block) = self.block_at_rip(self.mode | mode::SINGLE) else {
            return;
        };
        if self.probe_allows(block) {
            self.enter(block);
        }
    }

    fn stopped_by_probe(&self) -> bool {
        self.attached.probe_stopped
    }

    /// The bytes of the first instruction of a block, and how many they are.
    pub(crate) fn first_bytes(&self, block: NonNull<Block>) -> ([u8; 15], usize) {
        // SAFETY: see the file's header.
        let b = unsafe { block.as_ref() };
        let len = b.offset_of(1).min(15) as usize;
        let mut bytes = [0; 15];
        for (i, byte) in bytes[..len].iter_mut().enumerate() {
            let in_first = 0x1000 - (b.host & 0xFFF) as usize;
            let at = match b.second_page {
                Some(second) if i >= in_first => second + (i - in_first) as u64,
                _ => b.host + i as u64,
            };
            *byte = if b.host == 0 {
                0
            } else {
                self.host_read(at, emu_core::Width::Byte) as u8
            };
        }
        (bytes, len)
    }

    /// Shows the first instruction of a block to the probe; false if it says stop.
    fn probe_allows(&mut self, block: NonNull<Block>) -> bool {
        let (bytes, len) = self.first_bytes(block);
        let base = self.segments[Seg::Cs as usize].base;
        let at = Execute {
            cpu: self.id,
            insns: self.retired + self.attached.done,
            linear: base.wrapping_add(self.rip) & self.linear_mask,
            bytes: &bytes[..len],
            code_bits: crate::interpreter::mode::code_bits(self.mode) as u8,
        };
        let probe = self.attached.probe;
        let this = &*self;
        let state = || {
            let mut s = this.save_state();
            s.retired += this.attached.done;
            s
        };
        // SAFETY: see the file's header; the probe is not part of `self`.
        let verdict = probe.map(|p| unsafe { &mut *p.as_ptr() }.execute(&at, &state));
        if verdict == Some(Verdict::Stop) {
            self.attached.probe_stopped = true;
            return false;
        }
        true
    }

    /// Marks the CPU as stopped by a triple fault.
    pub(crate) fn shut_down(&mut self) {
        self.activity = Activity::Shutdown;
        self.pending_debug = 0;
        self.poll = true;
        let id = self.id;
        self.bus().special_cycle(id, Special::Shutdown);
    }
}

impl CpuBackend for Interpreter {
    fn run(&mut self, bus: &mut dyn SystemBus, probe: Option<&mut dyn Probe>) -> Exit {
        let watched = probe.as_ref().is_some_and(|p| p.wants_execute());
        let memory = probe.as_ref().map_or(Watched::Nothing, |p| p.watched());
        // SAFETY: only the lifetime is erased; both are cleared below, before the references end.
        self.attached.bus = Some(unsafe {
            std::mem::transmute::<NonNull<dyn SystemBus + '_>, NonNull<dyn SystemBus>>(
                NonNull::from(bus),
            )
        });
        // SAFETY: as above.
        self.attached.probe = probe.map(|p| unsafe {
            std::mem::transmute::<NonNull<dyn Probe + '_>, NonNull<dyn Probe>>(NonNull::from(p))
        });
        if self.watch_memory != (memory == Watched::Everything) {
            self.watch_memory = memory == Watched::Everything;
            self.update_mode();
        }
        self.tlb.watch(match memory {
            Watched::Addresses(first, last) => Some((first, last)),
            Watched::Nothing | Watched::Everything => None,
        });
        if self.physical.blocks.is_empty() {
            let id = self.id;
            let attention = self.bus().attention(id);
            self.take_map(attention);
        }
        self.watch_monitored_line();
        let exit = self.run_slice(watched);
        self.attached.bus = None;
        self.attached.probe = None;
        self.attached.head = HeadRef::NONE;
        self.attached.left_block = None;
        self.stats.exits += 1;
        exit
    }

    fn state(&self) -> CpuState {
        self.save_state()
    }

    fn set_state(&mut self, state: &CpuState) {
        self.load_state(state);
    }

    fn invalidate(&mut self, what: Invalidate) {
        match what {
            Invalidate::Memory => {
                self.physical = PhysicalPages::new(self.model);
                self.flush_tlb(false);
            }
            Invalidate::WriteTracking => self.tlb.flush_writes(),
            Invalidate::All => {
                self.physical = PhysicalPages::new(self.model);
                self.blocks.clear();
                self.flush_tlb(false);
            }
        }
    }

    fn kick(&self) -> Kick {
        self.kick.clone()
    }

    fn caps(&self) -> BackendCaps {
        BackendCaps {
            exact: true,
            probes: true,
        }
    }

    fn stats(&self) -> BackendStats {
        BackendStats {
            tlb_fills: self.tlb.fills,
            ..self.stats
        }
    }
}
