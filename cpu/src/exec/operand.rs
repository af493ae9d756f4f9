//! Operands as types: where an instruction reads a value and where it puts one.

use crate::alu::{Flags, Int};
use crate::context::Context;
use crate::mem::address::Address;
use crate::op::OpRef;
use std::marker::PhantomData;

/// Something to read.
pub trait Source<T: Int>: 'static {
    /// Slots of an operation with this operand, if it needs more than one.
    const SLOTS: usize = 1;
    /// It is in memory, so that reading or writing it may fault.
    const IN_MEMORY: bool = false;
    /// It is a count of which the bits that count are not all 0.
    const NEVER_ZERO: bool = false;
    /// Reads it.
    fn get<C: Context>(cx: &mut C, op: OpRef) -> Result<T, C::Stop>;
}

/// Something to write, or to read and write.
pub trait Place<T: Int>: Source<T> {
    /// Writes it.
    fn set<C: Context>(cx: &mut C, op: OpRef, v: T) -> Result<(), C::Stop>;
    /// Replaces its value by a function of it, and the flags with it.
    fn modify<C: Context>(
        cx: &mut C,
        op: OpRef,
        f: impl FnOnce(T, &Flags) -> (T, Flags),
    ) -> Result<(), C::Stop>;
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
    fn get<C: Context>(cx: &mut C, op: OpRef) -> Result<T, C::Stop> {
        Ok(cx.regs().get(op.a))
    }
}

impl<T: Int> Source<T> for B {
    #[inline(always)]
    fn get<C: Context>(cx: &mut C, op: OpRef) -> Result<T, C::Stop> {
        Ok(cx.regs().get(op.b))
    }
}

impl<T: Int> Source<T> for Imm {
    #[inline(always)]
    fn get<C: Context>(_: &mut C, op: OpRef) -> Result<T, C::Stop> {
        Ok(T::from_u64(op.imm as i64 as u64))
    }
}

impl<T: Int> Source<T> for Imm2 {
    const SLOTS: usize = 2;
    #[inline(always)]
    fn get<C: Context>(_: &mut C, op: OpRef) -> Result<T, C::Stop> {
        Ok(T::from_u64(op.second() as i64 as u64))
    }
}

impl<T: Int> Source<T> for Imm64 {
    const SLOTS: usize = 2;
    #[inline(always)]
    fn get<C: Context>(_: &mut C, op: OpRef) -> Result<T, C::Stop> {
        Ok(T::from_u64(op.imm64()))
    }
}

impl<T: Int, W: Address> Source<T> for Mem<W> {
    const IN_MEMORY: bool = true;
    #[inline(always)]
    fn get<C: Context>(cx: &mut C, op: OpRef) -> Result<T, C::Stop> {
        cx.load::<T, W>(op)
    }
}

impl<T: Int> Place<T> for A {
    #[inline(always)]
    fn set<C: Context>(cx: &mut C, op: OpRef, v: T) -> Result<(), C::Stop> {
        cx.regs().set(op.a, v);
        Ok(())
    }
    #[inline(always)]
    fn modify<C: Context>(
        cx: &mut C,
        op: OpRef,
        f: impl FnOnce(T, &Flags) -> (T, Flags),
    ) -> Result<(), C::Stop> {
        let (v, flags) = f(cx.regs().get(op.a), &cx.flags());
        cx.regs().set(op.a, v);
        cx.set_flags(flags);
        Ok(())
    }
}

impl<T: Int> Place<T> for B {
    #[inline(always)]
    fn set<C: Context>(cx: &mut C, op: OpRef, v: T) -> Result<(), C::Stop> {
        cx.regs().set(op.b, v);
        Ok(())
    }
    #[inline(always)]
    fn modify<C: Context>(
        cx: &mut C,
        op: OpRef,
        f: impl FnOnce(T, &Flags) -> (T, Flags),
    ) -> Result<(), C::Stop> {
        let (v, flags) = f(cx.regs().get(op.b), &cx.flags());
        cx.regs().set(op.b, v);
        cx.set_flags(flags);
        Ok(())
    }
}

impl<T: Int, W: Address> Place<T> for Mem<W> {
    #[inline(always)]
    fn set<C: Context>(cx: &mut C, op: OpRef, v: T) -> Result<(), C::Stop> {
        cx.store::<T, W>(op, v)
    }
    #[inline(always)]
    fn modify<C: Context>(
        cx: &mut C,
        op: OpRef,
        f: impl FnOnce(T, &Flags) -> (T, Flags),
    ) -> Result<(), C::Stop> {
        let (old, place) = cx.open::<T, W>(op)?;
        let (v, flags) = f(old, &cx.flags());
        cx.close(place, v);
        cx.set_flags(flags);
        Ok(())
    }
}

/// An operand-sized integer as a marker in an instruction's type.
pub type As<T> = PhantomData<T>;
