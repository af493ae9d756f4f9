//! Lowered instructions: what a block holds and how one is executed.
//!
//! # The invariant behind the `unsafe` in this file
//! An [`OpRef`] points into the operations of a block. A block that is dropped while it runs stays allocated until
//! the run loop looks for the next block (`BlockCache::bury`), and every block ends with an operation that leaves it,
//! so stepping from one operation to the next never leaves the allocation.
#![expect(
    unsafe_code,
    reason = "the block loop walks operations by pointer; see the invariant above"
)]

use crate::interpreter::Interpreter;
use std::ops::Deref;

/// Executes one operation and gives the next, or `None` to leave the block.
pub type Handler = fn(&mut Interpreter, OpRef) -> Option<OpRef>;

/// One lowered instruction (16 bytes). Wide forms take a second slot for an immediate.
#[repr(C)]
#[derive(Copy, Clone)]
pub struct Op {
    /// What executes it.
    pub handler: Handler,
    /// Register operand.
    pub a: u8,
    /// Second register, or base register.
    pub b: u8,
    /// Index register.
    pub c: u8,
    /// Scale, segment and address size of a memory operand (see [`crate::mem::address`]).
    pub d: u8,
    /// Immediate, displacement, or distance of a branch target from the start of the block.
    pub imm: i32,
}

const _: () = assert!(size_of::<Op>() == 16);

/// A pointer to an operation of a block.
#[derive(Copy, Clone, PartialEq, Eq)]
pub struct OpRef(*const Op);

impl Default for OpRef {
    /// No operation.
    fn default() -> Self {
        Self(std::ptr::null())
    }
}

impl OpRef {
    /// The first operation of a block.
    pub fn first(ops: &[Op]) -> Self {
        Self(ops.as_ptr())
    }

    /// The operation `n` slots further on.
    #[inline(always)]
    #[must_use]
    pub fn plus(self, n: usize) -> Self {
        // SAFETY: handlers step only over slots that lowering emitted for them, inside one block.
        Self(unsafe { self.0.add(n) })
    }

    /// The immediate in the second slot.
    #[inline(always)]
    pub fn second(self) -> i32 {
        self.plus(1).imm
    }

    /// The 64 bits whose low half is in the first slot and whose high half is in the second.
    #[inline(always)]
    pub fn imm64(self) -> u64 {
        u64::from(self.imm as u32) | u64::from(self.second() as u32) << 32
    }

    /// How many slots this operation lies behind `first`.
    pub fn slots_from(self, first: Self) -> usize {
        (self.0 as usize - first.0 as usize) / size_of::<Op>()
    }
}

impl Deref for OpRef {
    type Target = Op;
    #[inline(always)]
    fn deref(&self) -> &Op {
        // SAFETY: see the file's header.
        unsafe { &*self.0 }
    }
}

/// Why an operation does not simply go on to the next one.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Stop {
    /// It faulted: nothing is committed, `Interpreter::fault` says what.
    Fault,
    /// It is done and has set the instruction pointer.
    Branch,
    /// It is done; the next instruction follows, but the block must be left.
    Leave,
    /// A repeated string instruction has used up its budget and continues at the same instruction.
    Repeat,
    /// It waits for something outside of the CPU and is tried again.
    Wait,
}

/// An instruction's semantics: read all, check all, then write.
pub trait Instruction {
    /// Slots that the operation takes.
    const SLOTS: usize = 1;
    /// Executes it.
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop>;
}

/// The call-loop dispatcher of an instruction.
pub fn call<I: Instruction>(cpu: &mut Interpreter, op: OpRef) -> Option<OpRef> {
    cpu.attached.op = op;
    match I::execute(cpu, op) {
        Ok(()) if !cpu.leave_block => Some(op.plus(I::SLOTS)),
        Ok(()) => cpu.leave(op, Stop::Leave),
        Err(stop) => cpu.leave(op, stop),
    }
}

impl std::fmt::Debug for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Op({:p} a={:02x} b={:02x} c={:02x} d={:02x} imm={:x})",
            self.handler as *const (), self.a, self.b, self.c, self.d, self.imm
        )
    }
}
