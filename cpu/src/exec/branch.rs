//! Near jumps, calls, returns and loops, and the end of a block.
//!
//! A relative target and the address behind the instruction are kept as distances from the start of the block.

use super::data::When;
use super::operand::{As, Source};
use crate::alu::Int;
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::mem::address::Address;
use crate::op::{Instruction, OpRef, Stop};
use emu_core::x86::Gpr;

impl Interpreter {
    /// Jumps to an offset in the code segment, if its limit allows.
    #[inline(always)]
    pub(crate) fn jump(&mut self, target: u64) -> Result<(), Stop> {
        self.check_target(target)?;
        self.rip = target;
        Err(Stop::Branch)
    }

    /// #GP(0) if a target lies beyond the limit of the code segment, or in 64-bit mode is not canonical.
    #[inline(always)]
    pub(crate) fn check_target(&mut self, target: u64) -> Result<(), Stop> {
        if self.biased(target) > self.rip_limit {
            return Err(self.fault(Fault::GP0));
        }
        Ok(())
    }

    /// The target of a relative branch: the immediate is its distance from the start of the block, register `b` what is
    /// added to 64-bit ones.
    #[inline(always)]
    fn relative_target<T: Int>(&self, op: OpRef) -> u64 {
        let target = self.regs.block_rip().wrapping_add(op.imm as i64 as u64);
        if T::BITS == 64 {
            target.wrapping_add(self.regs.whole(op.b))
        } else {
            target & T::MASK
        }
    }
}

/// Not an instruction: goes on after the last instruction of a block.
pub fn end_of_block(cpu: &mut Interpreter, _: OpRef) -> Option<OpRef> {
    cpu.leave_at_end();
    None
}

/// JMP rel.
pub struct Jmp<T>(As<T>);

impl<T: Int> Instruction for Jmp<T> {
    #[inline(always)]
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let target = cpu.relative_target::<T>(op);
        cpu.jump(target)
    }
}

/// JMP r/m.
pub struct JmpTo<T, S>(As<(T, S)>);

impl<T: Int, S: Source<T>> Instruction for JmpTo<T, S> {
    #[inline(always)]
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let target = S::get(cpu, op)?.to_u64();
        cpu.jump(target)
    }
}

/// Jcc rel: the second slot holds the distance of the next instruction.
pub struct Jcc<C, T>(As<(C, T)>);

impl<C: When, T: Int> Instruction for Jcc<C, T> {
    const SLOTS: usize = 2;
    #[inline(always)]
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        if cpu.flags.holds(C::CONDITION) {
            let target = cpu.relative_target::<T>(op);
            cpu.jump(target)
        } else {
            fall_through(cpu, op)
        }
    }
}

#[inline(always)]
fn fall_through(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
    let next = cpu.regs.block_rip().wrapping_add(op.second() as u64);
    cpu.rip = cpu.wrap_rip(next);
    Err(Stop::Branch)
}

/// When LOOP and its kin jump.
pub trait LoopCondition: 'static {
    /// Whether the counter is decremented.
    const COUNTS: bool;
    /// Whether to jump, given the counter after the decrement and ZF.
    fn jumps(count: u64, zf: bool) -> bool;
}

/// LOOP.
pub struct WhileCount;
/// LOOPE.
pub struct WhileEqual;
/// LOOPNE.
pub struct WhileNotEqual;
/// J(E)CXZ.
pub struct IfZero;

impl LoopCondition for WhileCount {
    const COUNTS: bool = true;
    fn jumps(count: u64, _: bool) -> bool {
        count != 0
    }
}
impl LoopCondition for WhileEqual {
    const COUNTS: bool = true;
    fn jumps(count: u64, zf: bool) -> bool {
        count != 0 && zf
    }
}
impl LoopCondition for WhileNotEqual {
    const COUNTS: bool = true;
    fn jumps(count: u64, zf: bool) -> bool {
        count != 0 && !zf
    }
}
impl LoopCondition for IfZero {
    const COUNTS: bool = false;
    fn jumps(count: u64, _: bool) -> bool {
        count == 0
    }
}

/// LOOPcc and J(E)CXZ with a counter of type `N` and operand size `T`.
pub struct Loop<L, N, T>(As<(L, N, T)>);

impl<L: LoopCondition, N: Int, T: Int> Instruction for Loop<L, N, T> {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let old: N = cpu.regs.get(1);
        let count = if L::COUNTS {
            N::from_u64(old.to_u64().wrapping_sub(1))
        } else {
            old
        };
        if L::jumps(count.to_u64(), cpu.flags.zf()) {
            let target = cpu.relative_target::<T>(op);
            cpu.check_target(target)?;
            if L::COUNTS {
                cpu.regs.set(1, count);
            }
            cpu.jump(target)
        } else {
            if L::COUNTS {
                cpu.regs.set(1, count);
            }
            fall_through(cpu, op)
        }
    }
}

/// CALL rel: the second slot holds the distance of the next instruction.
pub struct Call<T, W>(As<(T, W)>);

impl<T: Int, W: Address> Instruction for Call<T, W> {
    const SLOTS: usize = 2;
    #[inline(always)]
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let target = cpu.relative_target::<T>(op);
        call_to::<T, W>(cpu, target, op.second())
    }
}

/// CALL r/m: register `a`, or the memory operand; the second slot holds the distance of the next instruction.
pub struct CallTo<T, S, W>(As<(T, S, W)>);

impl<T: Int, S: Source<T>, W: Address> Instruction for CallTo<T, S, W> {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let target = S::get(cpu, op)?.to_u64();
        call_to::<T, W>(cpu, target, op.second())
    }
}

#[inline(always)]
fn call_to<T: Int, W: Address>(cpu: &mut Interpreter, target: u64, end: i32) -> Result<(), Stop> {
    let next = cpu.regs.block_rip().wrapping_add(end as u64);
    let next = T::from_u64(cpu.wrap_rip(next));
    if T::BYTES == 8 {
        // A processor (Skylake) has written the return address when it finds that the target is not canonical.
        let rsp: u64 = cpu.regs.named(Gpr::Rsp);
        cpu.push::<T, W>(next)?;
        if let Err(stop) = cpu.check_target(target) {
            cpu.regs.set_named(Gpr::Rsp, rsp);
            return Err(stop);
        }
    } else {
        cpu.check_target(target)?;
        cpu.push::<T, W>(next)?;
    }
    cpu.jump(target)
}

/// RET and RET imm16.
pub struct Ret<T, W>(As<(T, W)>);

impl<T: Int, W: Address> Instruction for Ret<T, W> {
    #[inline(always)]
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let target = cpu.peek::<T, W>()?.to_u64();
        cpu.check_target(target)?;
        cpu.drop_from_stack::<W>(T::BYTES as u64 + u64::from(op.imm as u16));
        cpu.jump(target)
    }
}
