//! AND, OR, XOR, TEST, NOT.

use super::arith::{Binary, Unary};
use crate::alu::{Flags, Int};
use crate::op::FlagUse;

/// DEST := DEST AND SRC. AF, which the manual leaves undefined, is cleared, as P6 and later do.
pub struct And;
/// DEST := DEST OR SRC.
pub struct Or;
/// DEST := DEST XOR SRC.
pub struct Xor;
/// DEST := NOT DEST. No flags.
pub struct Not;

impl Binary for And {
    const FUSES: bool = true;
    #[inline(always)]
    fn apply<T: Int>(a: T, b: T, _: &Flags) -> (T, Flags) {
        let r = T::from_u64(a.to_u64() & b.to_u64());
        (r, Flags::of_result(r, 0))
    }
}

impl Binary for Or {
    #[inline(always)]
    fn apply<T: Int>(a: T, b: T, _: &Flags) -> (T, Flags) {
        let r = T::from_u64(a.to_u64() | b.to_u64());
        (r, Flags::of_result(r, 0))
    }
}

impl Binary for Xor {
    #[inline(always)]
    fn apply<T: Int>(a: T, b: T, _: &Flags) -> (T, Flags) {
        let r = T::from_u64(a.to_u64() ^ b.to_u64());
        (r, Flags::of_result(r, 0))
    }
}

impl Unary for Not {
    const FLAGS: FlagUse = FlagUse::NONE;
    #[inline(always)]
    fn apply<T: Int>(a: T, flags: &Flags) -> (T, Flags) {
        (T::from_u64(!a.to_u64()), *flags)
    }
}
