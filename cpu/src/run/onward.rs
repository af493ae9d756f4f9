//! What the run loop would do between two blocks, and behind an access to a device, if there is nothing to do: done without
//! going there. An instruction that leaves its block (a system call, an exception, a return) so goes on in the next one, and
//! an I/O instruction in its own. Whatever is not plain is left to the loop, and nobody can tell which of them it was.

use super::BUDGET_MAX;
use crate::interpreter::{Interpreter, Leaving, mode};
use crate::op::{OpRef, Stop};
use emu_core::backend::Attention;
use emu_core::x86::{Activity, Rflags, Seg};

impl Interpreter {
    /// What comes behind an operation of so many slots that does not simply go on to the next: that one all the same, the
    /// first of another block, or [`OpRef::NONE`] for the run loop.
    #[cold]
    #[inline(never)]
    pub(crate) fn after(&mut self, op: OpRef, slots: usize, result: Result<(), Stop>) -> OpRef {
        // A jump by way of a device's register is an access to it like any other.
        self.poll |= self.leave_block == Leaving::Device && result == Err(Stop::Branch);
        match result {
            Ok(()) if self.stays() => op.plus(slots),
            Ok(()) => self.leave(op, Stop::Leave),
            Err(Stop::Branch) if self.attached.free => {
                let n = self.insn_at(op) as u64;
                self.attached.repeating = false;
                self.finish_block(n + 1);
                self.onward()
            }
            Err(stop) => self.leave(op, stop),
        }
    }

    /// Between two blocks: the first operation of the next one, entered, if there is nothing else for the run loop to do
    /// here; else [`OpRef::NONE`]. Nobody can tell this from the run loop.
    #[inline(always)]
    pub(super) fn onward(&mut self) -> OpRef {
        if !self.attached.free || self.needs_care() || self.blocks.is_crowded() {
            return OpRef::NONE;
        }
        if self.poll {
            let id = self.id;
            let (attention, due) = self.bus().pending(id);
            // What is due just here may end the slice, before which nothing is cleared.
            if !self.is_quiet(attention) || self.attached.done >= due {
                return OpRef::NONE;
            }
            self.poll = false;
            self.smm.io = None;
            // A device may have been accessed. Like what is done, this counts from where the board was last told.
            self.attached.budget = due.min(BUDGET_MAX);
        }
        let base = self.segments[Seg::Cs as usize].base;
        let linear = base.wrapping_add(self.rip) & self.linear_mask;
        let Some((head, _)) = self
            .blocks
            .recent(linear, self.mode | self.single_behind_rf())
        else {
            return OpRef::NONE;
        };
        let a = &self.attached;
        let left = head.charge(a.budget as i64 - a.done as i64);
        let Some(b) = head.block().filter(|_| left >= 0) else {
            return OpRef::NONE;
        };
        if self.biased(self.rip) + u64::from(b.len) - 1 > self.rip_limit {
            return OpRef::NONE;
        }
        self.link_left_block(b);
        self.leave_block = Leaving::No;
        self.attached.left = left;
        self.attached.head = head;
        self.take_rf();
        self.regs.set_block_rip(self.rip);
        head.first()
    }

    /// RF counts for one instruction; one that loads the flags may set it again (SDM vol. 3, section 18.3.1.1). That
    /// instruction is a block by itself.
    #[inline(always)]
    pub(super) fn single_behind_rf(&self) -> u32 {
        if self.rflags.contains(Rflags::RF) {
            mode::SINGLE
        } else {
            0
        }
    }

    /// A block is entered: RF is taken off for its only instruction.
    #[inline(always)]
    pub(super) fn take_rf(&mut self) {
        self.attached.resumed = self.rflags.contains(Rflags::RF);
        self.rflags.remove(Rflags::RF);
    }

    /// Behind an instruction that accessed a device: whether the block goes on, because a boundary would find nothing to
    /// do here. The board was told of the instructions before this one, so that its countdown counts from there.
    pub(crate) fn stays(&mut self) -> bool {
        let a = &self.attached;
        if !a.free || self.poll || self.leave_block == Leaving::Block || self.needs_care() {
            return false;
        }
        let id = self.id;
        let (attention, due) = self.bus().pending(id);
        if !self.is_quiet(attention) {
            return false;
        }
        let due = due.min(BUDGET_MAX);
        let a = &mut self.attached;
        let left = a.left + (due as i64 - a.budget as i64);
        // With nothing left an event may be due just behind this instruction.
        if left <= 0 {
            return false;
        }
        a.left = left;
        a.budget = due;
        self.leave_block = Leaving::No;
        true
    }

    /// Whether [`Self::boundary`] would do nothing but count.
    #[inline(always)]
    fn is_quiet(&self, attention: Attention) -> bool {
        let a20 = if self.physical.a20_masked {
            Attention::A20_MASKED
        } else {
            Attention::empty()
        };
        let asked = (attention ^ a20) - Attention::IGNNE;
        let heard = asked.is_empty() || asked == Attention::INTR && !self.interrupts_open();
        let waits = self.nmi_pending
            | self.smm.smi_pending
            | self.smm.init_pending
            | self.counting
            | (self.pending_debug != 0);
        heard && !waits && self.activity == Activity::Running && !self.kick.is_asked()
    }

    /// Whether the next instruction must be executed alone, with all the checks at its boundaries.
    #[inline(always)]
    pub(super) fn needs_care(&self) -> bool {
        // One test for all: as a rule none holds.
        self.sti_shadow
            | self.mov_ss_shadow
            | self.one_by_one
            | self.rflags.contains(Rflags::TF)
            | ((self.pending_debug | (self.dr7 & 0xFF)) != 0)
    }
}
