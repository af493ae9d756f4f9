//! Debug registers: instruction, data and I/O breakpoints, and the traps they cause (SDM vol. 3, chapter 18).
//!
//! **Known inaccuracies**: a Bn bit of DR6 is set only for breakpoints that are enabled.

use crate::fault::Fault;
use crate::interpreter::{Interpreter, Leaving};
use emu_core::Width;
use emu_core::probe::MemoryAccess;
use emu_core::x86::{Activity, Cr4, Exception, Rflags, Seg};

/// What a breakpoint watches: R/Wn of DR7.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Kind {
    Execute,
    Write,
    Io,
    ReadWrite,
}

/// One of the four breakpoints.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
struct Breakpoint {
    /// Its bit in DR6.
    bit: u64,
    kind: Kind,
    first: u64,
    last: u64,
}

impl Interpreter {
    /// The breakpoints that are enabled (SDM vol. 3, section 18.2.4).
    fn breakpoints(&self) -> impl Iterator<Item = Breakpoint> + '_ {
        (0..4usize).filter_map(|n| {
            if self.dr7 >> (2 * n) & 3 == 0 {
                return None;
            }
            let kind = match self.dr7 >> (16 + 4 * n) & 3 {
                0 => Kind::Execute,
                1 => Kind::Write,
                2 => Kind::Io,
                _ => Kind::ReadWrite,
            };
            let bytes = [1, 2, 8, 4][(self.dr7 >> (18 + 4 * n) & 3) as usize];
            let first = self.dr[n] & !(bytes - 1);
            Some(Breakpoint {
                bit: 1 << n,
                kind,
                first,
                last: first.saturating_add(bytes - 1),
            })
        })
    }

    /// The DR6 bits of the instruction breakpoints at the instruction pointer.
    fn instruction_breakpoints(&self) -> u64 {
        let base = self.segments[Seg::Cs as usize].base;
        let at = base.wrapping_add(self.rip) & self.linear_mask;
        self.breakpoints()
            .filter(|b| b.kind == Kind::Execute && b.first == at && b.last == at)
            .fold(0, |bits, b| bits | b.bit)
    }

    /// Whether the next instruction has a breakpoint.
    pub(crate) fn hits_instruction_breakpoint(&self) -> bool {
        self.dr7 & 0xFF != 0 && self.instruction_breakpoints() != 0
    }

    /// Whether a page holds bytes that a data breakpoint watches.
    pub(crate) fn has_data_breakpoint_on(&self, page: u64) -> bool {
        self.dr7 & 0xFF != 0
            && self.breakpoints().any(|b| {
                matches!(b.kind, Kind::Write | Kind::ReadWrite)
                    && b.first <= page | 0xFFF
                    && b.last >= page
            })
    }

    /// Notes the data breakpoints that an access meets: they trap behind the instruction.
    pub(crate) fn note_data_breakpoints(
        &mut self,
        access: MemoryAccess,
        linear: u64,
        width: Width,
    ) {
        let last = linear.saturating_add(width.bytes() as u64 - 1);
        let met = self
            .breakpoints()
            .filter(|b| match b.kind {
                Kind::Write => access == MemoryAccess::Write,
                Kind::ReadWrite => true,
                Kind::Execute | Kind::Io => false,
            })
            .filter(|b| b.first <= last && linear <= b.last)
            .fold(0, |bits, b| bits | b.bit);
        self.note_breakpoints(met);
    }

    /// Notes the I/O breakpoints that a port access meets.
    pub(crate) fn note_io_breakpoint(&mut self, port: u16, width: Width) {
        if !self.cr4.contains(Cr4::DE) || self.dr7 & 0xFF == 0 {
            return;
        }
        let (first, last) = (
            u64::from(port),
            u64::from(port) + (width.bytes() as u64 - 1),
        );
        let met = self
            .breakpoints()
            .filter(|b| b.kind == Kind::Io && b.first <= last && first <= b.last)
            .fold(0, |bits, b| bits | b.bit);
        self.note_breakpoints(met);
    }

    fn note_breakpoints(&mut self, bits: u64) {
        if bits != 0 {
            self.pending_debug |= bits;
            self.leave_block = Leaving::Block;
        }
    }

    /// Delivers the debug conditions that wait, as a trap.
    pub(crate) fn deliver_debug_trap(&mut self) {
        self.dr6 |= std::mem::take(&mut self.pending_debug);
        self.poll = true;
        // A debug exception ends HLT (SDM vol. 2, "HLT").
        self.activity = Activity::Running;
        let between = self.resume_flag();
        // AMD's processors leave RF clear where Intel's set it, between two repetitions.
        let flags = if self.model.is_amd() {
            Rflags::empty()
        } else {
            between
        };
        self.deliver_chain(Fault::of(Exception::Debug), flags);
    }

    /// Delivers an instruction breakpoint: a fault whose image of the flags has RF as it is (SDM vol. 3, section
    /// 18.3.1.1).
    pub(crate) fn deliver_debug_fault(&mut self) {
        self.dr6 |= self.instruction_breakpoints();
        self.poll = true;
        self.deliver_chain(Fault::of(Exception::Debug), Rflags::empty());
    }

    /// After DR0 to DR3 or DR7 changed: pages that are now watched must leave the TLB, the others may enter it.
    pub(crate) fn breakpoints_changed(&mut self) {
        self.flush_tlb(false);
    }
}
