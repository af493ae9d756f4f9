//! Operands as types: where an instruction reads a value and where it puts one.

use crate::alu::{Flags, Int};
use crate::interpreter::Interpreter;
use crate::mem::address::Address;
use crate::op::{OpRef, Stop};
use std::marker::PhantomData;

/// Something to read.
pub trait Source<T: Int>: 'static {
    /// Slots of an operation with this operand, if it needs more than one.
    const SLOTS: usize = 1;
    /// Reads it.
    fn get(cpu: &mut Interpreter, op: OpRef) -> Result<T, Stop>;
}

/// Something to write, or to read and write.
pub trait Place<T: Int>: Source<T> {
    /// Writes it.
    fn set(cpu: &mut Interpreter, op: OpRef, v: T) -> Result<(), Stop>;
    /// Replaces its value by a function of it, and the flags with it.
    fn modify(
        cpu: &mut Interpreter,
        op: OpRef,
        f: impl FnOnce(T, &Flags) -> (T, Flags),
    ) -> Result<(), Stop>;
}

/// The register in [`crate::op::Op::a`].
pub struct A;
/// The register in [`crate::op::Op::b`].
pub struct B;
/// The immediate in the first slot.
pub struct Imm;
/// The immediate in the second slot (the first holds a displacement).
pub struct Imm2;
/// The immediate of 64 bits in both slots.
pub struct Imm64;
/// The memory operand.
pub struct Mem<W: Address>(PhantomData<W>);

impl<T: Int> Source<T> for A {
    #[inline(always)]
    fn get(cpu: &mut Interpreter, op: OpRef) -> Result<T, Stop> {
        Ok(cpu.regs.get(op.a))
    }
}

impl<T: Int> Source<T> for B {
    #[inline(always)]
    fn get(cpu: &mut Interpreter, op: OpRef) -> Result<T, Stop> {
        Ok(cpu.regs.get(op.b))
    }
}

impl<T: Int> Source<T> for Imm {
    #[inline(always)]
    fn get(_: &mut Interpreter, op: OpRef) -> Result<T, Stop> {
        Ok(T::from_u64(op.imm as i64 as u64))
    }
}

impl<T: Int> Source<T> for Imm2 {
    const SLOTS: usize = 2;
    #[inline(always)]
    fn get(_: &mut Interpreter, op: OpRef) -> Result<T, Stop> {
        Ok(T::from_u64(op.second() as i64 as u64))
    }
}

impl<T: Int> Source<T> for Imm64 {
    const SLOTS: usize = 2;
    #[inline(always)]
    fn get(_: &mut Interpreter, op: OpRef) -> Result<T, Stop> {
        Ok(T::from_u64(op.imm64()))
    }
}

impl<T: Int, W: Address> Source<T> for Mem<W> {
    #[inline(always)]
    fn get(cpu: &mut Interpreter, op: OpRef) -> Result<T, Stop> {
        cpu.load::<T, W>(op)
    }
}

impl<T: Int> Place<T> for A {
    #[inline(always)]
    fn set(cpu: &mut Interpreter, op: OpRef, v: T) -> Result<(), Stop> {
        cpu.regs.set(op.a, v);
        Ok(())
    }
    #[inline(always)]
    fn modify(
        cpu: &mut Interpreter,
        op: OpRef,
        f: impl FnOnce(T, &Flags) -> (T, Flags),
    ) -> Result<(), Stop> {
        let (v, flags) = f(cpu.regs.get(op.a), &cpu.flags);
        cpu.regs.set(op.a, v);
        cpu.flags = flags;
        Ok(())
    }
}

impl<T: Int> Place<T> for B {
    #[inline(always)]
    fn set(cpu: &mut Interpreter, op: OpRef, v: T) -> Result<(), Stop> {
        cpu.regs.set(op.b, v);
        Ok(())
    }
    #[inline(always)]
    fn modify(
        cpu: &mut Interpreter,
        op: OpRef,
        f: impl FnOnce(T, &Flags) -> (T, Flags),
    ) -> Result<(), Stop> {
        let (v, flags) = f(cpu.regs.get(op.b), &cpu.flags);
        cpu.regs.set(op.b, v);
        cpu.flags = flags;
        Ok(())
    }
}

impl<T: Int, W: Address> Place<T> for Mem<W> {
    #[inline(always)]
    fn set(cpu: &mut Interpreter, op: OpRef, v: T) -> Result<(), Stop> {
        cpu.store::<T, W>(op, v)
    }
    #[inline(always)]
    fn modify(
        cpu: &mut Interpreter,
        op: OpRef,
        f: impl FnOnce(T, &Flags) -> (T, Flags),
    ) -> Result<(), Stop> {
        let (old, place) = cpu.open::<T, W>(op)?;
        let (v, flags) = f(old, &cpu.flags);
        cpu.close(place, v);
        cpu.flags = flags;
        Ok(())
    }
}

/// An operand-sized integer as a marker in an instruction's type.
pub type As<T> = PhantomData<T>;
