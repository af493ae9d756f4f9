//! MOV between registers and an operation on the copy behind it, in one step. Code for a machine of two operands is full of
//! such pairs.
//!
//! The operation of the MOV executes both; the one behind it stays for whoever goes instruction by instruction. Neither may
//! fault, so that nobody can come between them.

use super::arith::Binary;
use super::operand::{As, Source};
use super::shift::{Count, Shift, count_mask};
use crate::alu::{Flags, Int};
use crate::context::{Context, Fast};
use crate::interpreter::Interpreter;
use crate::op::{Handler, OpRef, go};

/// What is done with the copy.
pub trait OnCopy: 'static {
    /// The type of the register.
    type Value: Int;
    /// Its new value and the flags; `op` is the operation behind the MOV.
    fn apply(cx: &mut Fast<'_>, op: OpRef, copy: Self::Value) -> Option<(Self::Value, Flags)>;
}

/// A two-operand operation whose source is not the copy.
pub struct BinaryOnCopy<O, T, S>(As<(O, T, S)>);

impl<O: Binary, T: Int, S: Source<T>> OnCopy for BinaryOnCopy<O, T, S> {
    type Value = T;
    #[inline(always)]
    fn apply(cx: &mut Fast<'_>, op: OpRef, copy: T) -> Option<(T, Flags)> {
        let b = S::get(cx, op).ok()?;
        Some(O::apply(copy, b, &cx.flags()))
    }
}

/// A shift or rotate by a constant.
pub struct ShiftOfCopy<O, T>(As<(O, T)>);

impl<O: Shift, T: Int> OnCopy for ShiftOfCopy<O, T> {
    type Value = T;
    #[inline(always)]
    fn apply(cx: &mut Fast<'_>, op: OpRef, copy: T) -> Option<(T, Flags)> {
        let count = Count::get(cx, op).ok()? & count_mask::<T>();
        Some(O::apply(copy, count.into(), &cx.flags()))
    }
}

/// The handlers of a pair: with the flags, and where nobody sees them.
pub fn pair<K: OnCopy>() -> [Handler; 2] {
    [joined::<K, false>, joined::<K, true>]
}

extern "C-unwind" fn joined<K: OnCopy, const QUIET: bool>(
    cpu: &mut Interpreter,
    op: OpRef,
    count: i64,
    a: u64,
    r: u64,
    k: u64,
) -> OpRef {
    let mut flags = Flags::from_words([a, r, k]);
    let copy = cpu.regs.get(op.b);
    // None of these depends on the flags that it leaves.
    let seen = if QUIET { Flags::explicit(0) } else { flags };
    let mut cx = Fast { cpu, flags: seen };
    if let Some((value, left)) = K::apply(&mut cx, op.plus(1), copy) {
        cx.cpu.regs.set::<K::Value>(op.a, value);
        if !QUIET {
            flags = left;
        }
    }
    go(cpu, op.plus(2), count, flags)
}
