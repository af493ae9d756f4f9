//! Shifts, rotates, double shifts.

use super::operand::{As, Place, Source};
use crate::alu::flags::{CF, OF};
use crate::alu::{Flags, Int, shift};
use crate::context::Context;
use crate::op::{FlagUse, Hot, OpRef};

/// A shift or rotate by a count that is not 0 after masking.
pub trait Shift: 'static {
    /// Whether it turns through CF, that is by one bit more than the operand has.
    const THROUGH_CARRY: bool = false;
    /// What it does with the flags.
    const FLAGS: FlagUse = FlagUse::REPLACES;
    /// `a <op> count`.
    fn apply<T: Int>(a: T, count: u32, flags: &Flags) -> (T, Flags);
}

/// Shift left.
pub struct Shl;
/// Shift right, logical.
pub struct Shr;
/// Shift right, arithmetic.
pub struct Sar;
/// Rotate left.
pub struct Rol;
/// Rotate right.
pub struct Ror;
/// Rotate left through carry.
pub struct Rcl;
/// Rotate right through carry.
pub struct Rcr;

impl Shift for Shl {
    #[inline(always)]
    fn apply<T: Int>(a: T, count: u32, _: &Flags) -> (T, Flags) {
        shift::shl(a, count)
    }
}
impl Shift for Shr {
    #[inline(always)]
    fn apply<T: Int>(a: T, count: u32, _: &Flags) -> (T, Flags) {
        shift::shr(a, count)
    }
}
impl Shift for Sar {
    #[inline(always)]
    fn apply<T: Int>(a: T, count: u32, _: &Flags) -> (T, Flags) {
        shift::sar(a, count)
    }
}
impl Shift for Rol {
    const FLAGS: FlagUse = FlagUse::replacing(CF | OF);
    #[inline(always)]
    fn apply<T: Int>(a: T, count: u32, flags: &Flags) -> (T, Flags) {
        shift::rol(a, count, flags)
    }
}
impl Shift for Ror {
    const FLAGS: FlagUse = FlagUse::replacing(CF | OF);
    #[inline(always)]
    fn apply<T: Int>(a: T, count: u32, flags: &Flags) -> (T, Flags) {
        shift::ror(a, count, flags)
    }
}
impl Shift for Rcl {
    const THROUGH_CARRY: bool = true;
    const FLAGS: FlagUse = FlagUse::TOUCHES;
    #[inline(always)]
    fn apply<T: Int>(a: T, count: u32, flags: &Flags) -> (T, Flags) {
        shift::rcl(a, count, flags)
    }
}
impl Shift for Rcr {
    const THROUGH_CARRY: bool = true;
    const FLAGS: FlagUse = FlagUse::TOUCHES;
    #[inline(always)]
    fn apply<T: Int>(a: T, count: u32, flags: &Flags) -> (T, Flags) {
        shift::rcr(a, count, flags)
    }
}

/// DEST := DEST <op> COUNT, the count masked to 5 bits, 6 with 64-bit operands; a count of 0 changes neither operand nor flags (a memory
/// operand is written all the same).
pub struct ShiftBy<O, T, D, S>(As<(O, T, D, S)>);

impl<O: Shift, T: Int, D: Place<T>, S: Source<u8>> Hot for ShiftBy<O, T, D, S> {
    const SLOTS: usize = S::SLOTS;
    const CALM: bool = !D::IN_MEMORY;
    const FLAGS: FlagUse = if S::NEVER_ZERO {
        O::FLAGS
    } else {
        FlagUse::TOUCHES
    };
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, op: OpRef) -> Result<(), X::Stop> {
        let count = u32::from(S::get(cx, op)? & count_mask::<T>());
        // SDM vol. 2, "RCL/RCR/ROL/ROR": a zero-bit rotate affects no flags. The 80286 sets OF even then.
        let whole_turns = O::THROUGH_CARRY
            && T::BITS < 32
            && count % (T::BITS + 1) == 0
            && cx.cpu().model.processor.is_none();
        D::modify(cx, op, |a, flags| {
            if !S::NEVER_ZERO && count == 0 || whole_turns {
                (a, *flags)
            } else {
                O::apply(a, count, flags)
            }
        })
    }
}

/// The bits of a count that count.
pub const fn count_mask<T: Int>() -> u8 {
    if T::BITS == 64 { 63 } else { 31 }
}

/// The immediate in the first slot, which is not 0 where lowering has chosen this.
pub struct Count;

impl Source<u8> for Count {
    const NEVER_ZERO: bool = true;
    #[inline(always)]
    fn get<C: Context>(_: &mut C, op: OpRef) -> Result<u8, C::Stop> {
        Ok(op.imm as u8)
    }
}

/// The count in CL.
pub struct Cl;

impl Source<u8> for Cl {
    #[inline(always)]
    fn get<C: Context>(cx: &mut C, _: OpRef) -> Result<u8, C::Stop> {
        Ok(cx.regs().get(1))
    }
}

/// A double shift.
pub trait DoubleShift: 'static {
    /// `a:b <op> count`.
    fn apply<T: Int>(a: T, b: T, count: u32) -> (T, Flags);
}

/// Shift left, bits of the second operand come in from the right.
pub struct Shld;
/// Shift right, bits of the second operand come in from the left.
pub struct Shrd;

impl DoubleShift for Shld {
    #[inline(always)]
    fn apply<T: Int>(a: T, b: T, count: u32) -> (T, Flags) {
        shift::shld(a, b, count)
    }
}
impl DoubleShift for Shrd {
    #[inline(always)]
    fn apply<T: Int>(a: T, b: T, count: u32) -> (T, Flags) {
        shift::shrd(a, b, count)
    }
}

/// SHLD and SHRD: destination `D`, source register `S`, count `C`.
pub struct DoubleShiftBy<O, T, D, S, C>(As<(O, T, D, S, C)>);

impl<O: DoubleShift, T: Int, D: Place<T>, S: Source<T>, C: Source<u8>> Hot
    for DoubleShiftBy<O, T, D, S, C>
{
    const SLOTS: usize = C::SLOTS;
    const CALM: bool = !D::IN_MEMORY;
    const FLAGS: FlagUse = if C::NEVER_ZERO {
        FlagUse::REPLACES
    } else {
        FlagUse::TOUCHES
    };
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, op: OpRef) -> Result<(), X::Stop> {
        let count = u32::from(C::get(cx, op)? & count_mask::<T>());
        let b = S::get(cx, op)?;
        D::modify(cx, op, |a, flags| {
            if !C::NEVER_ZERO && count == 0 {
                (a, *flags)
            } else {
                O::apply(a, b, count)
            }
        })
    }
}
