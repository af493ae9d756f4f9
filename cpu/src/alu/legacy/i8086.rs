//! The 8086's own results and undefined flags.
//!
//! Its microcode multiplies and divides by shifting, adding and subtracting; the flags that its last arithmetic step
//! leaves are what programs see.

use super::{absolute, bit, corrected, magnitude, product_flags, signed};
use crate::alu::flags::{CF, Flags, OF};
use crate::alu::int::Int;
use crate::alu::shift;

pub use super::{aam, shl};

/// Quotient, remainder and flags, or the flags that a divide error leaves.
pub type Division<T> = Result<(T, T, Flags), Flags>;

/// SHR. `count` is not 0 and not masked.
pub fn shr<T: Int>(a: T, count: u32) -> (T, Flags) {
    shift::shr(a, count.min(T::BITS + 1))
}

/// SAR. `count` is not 0 and not masked.
pub fn sar<T: Int>(a: T, count: u32) -> (T, Flags) {
    shift::sar(a, count.min(T::BITS + 1))
}

/// SETMO and SETMOC (D0h to D3h with 6 in the reg field): all ones, flags as after a logic instruction.
pub fn setmo<T: Int>() -> (T, Flags) {
    let r = T::from_u64(T::MASK);
    (r, Flags::of_result(r, 0))
}

/// Above this AL's high digit is corrected: with AF set the limit is 9Fh, not 99h.
fn high_limit(flags: &Flags) -> u8 {
    if flags.af() { 0x9F } else { 0x99 }
}

/// DAA.
pub fn daa(al: u8, flags: &Flags) -> (u8, Flags) {
    super::decimal(al, flags, high_limit(flags), false)
}

/// DAS.
pub fn das(al: u8, flags: &Flags) -> (u8, Flags) {
    super::decimal(al, flags, high_limit(flags), true)
}

fn unpacked(ax: u16, flags: &Flags, subtract: bool) -> (u16, Flags) {
    let [al, ah] = ax.to_le_bytes();
    let adjust = super::needs_low_correction(al, flags);
    let (low, _) = corrected(al, if adjust { 6 } else { 0 }, subtract);
    let ah = match (adjust, subtract) {
        (false, _) => ah,
        (true, false) => ah.wrapping_add(1),
        (true, true) => ah.wrapping_sub(1),
    };
    let flags = super::unpacked_flags(al, adjust, subtract);
    (u16::from_le_bytes([low & 0xF, ah]), flags)
}

/// AAA: AH and AL are adjusted apart, no carry passes from AL to AH.
pub fn aaa(ax: u16, flags: &Flags) -> (u16, Flags) {
    unpacked(ax, flags, false)
}

/// AAS: no borrow passes from AH to AL.
pub fn aas(ax: u16, flags: &Flags) -> (u16, Flags) {
    unpacked(ax, flags, true)
}

/// AAD: all flags are those of AL + AH * base.
pub fn aad(ax: u16, base: u8) -> (u16, Flags) {
    let (r, flags) = super::aad_sum(ax, base);
    (r.into(), flags)
}

/// Flags of AAM's divide error: those of 0 - 0.
pub fn aam_by_zero() -> Flags {
    Flags::of_sub(0u8, 0, false)
}

/// MUL: (low, high, flags). SF, ZF and PF describe the high half, AF is clear.
pub fn mul<T: Int>(a: T, b: T) -> (T, T, Flags) {
    let p = u128::from(a.to_u64()) * u128::from(b.to_u64());
    let (low, high) = (T::from_u64(p as u64), T::from_u64((p >> T::BITS) as u64));
    (low, high, product_flags(high, high.to_u64() != 0, false))
}

/// IMUL: (low, high, flags). The high half is tested by adding the sign of the low half to it; SF, ZF, PF and AF are
/// that sum's. A repeat prefix inverts the sign of the product (`negate`).
pub fn imul<T: Int>(a: T, b: T, negate: bool) -> (T, T, Flags) {
    let p = i128::from(a.to_i64()) * i128::from(b.to_i64());
    let p = if negate { -p } else { p };
    let (low, high) = (T::from_u64(p as u64), T::from_u64((p >> T::BITS) as u64));
    let carry = low.to_u64() & T::SIGN != 0;
    let sum = T::from_u64((high.to_u64() + u64::from(carry)) & T::MASK);
    let af = sum.to_u64() & 0xF == 0 && carry;
    (low, high, product_flags(sum, sum.to_u64() != 0, af))
}

/// The microcode's division: a trial subtraction finds overflow, then one shift and one subtraction for each bit of the
/// quotient. The last subtraction that was a comparison leaves the flags.
fn divide<T: Int>(low: T, high: T, divisor: T) -> Division<T> {
    let d = divisor.to_u64();
    let (mut rest, mut bits, mut quotient) = (high.to_u64(), low.to_u64(), 0u64);
    let mut flags = Flags::of_sub(high, divisor, false);
    if rest >= d {
        return Err(flags);
    }
    for _ in 0..T::BITS {
        let doubled = rest << 1 | bits >> (T::BITS - 1);
        bits = bits << 1 & T::MASK;
        // A bit shifted out of the rest makes the subtraction certain; flags are not latched then.
        if doubled <= T::MASK {
            flags = Flags::of_sub(T::from_u64(doubled), divisor, false);
        }
        let fits = doubled >= d;
        rest = if fits { doubled - d } else { doubled };
        quotient = quotient << 1 | u64::from(fits);
    }
    Ok((T::from_u64(quotient), T::from_u64(rest), flags))
}

/// DIV. CF ends as the inverse of the quotient's top bit.
pub fn div<T: Int>(low: T, high: T, divisor: T) -> Division<T> {
    let (q, r, flags) = divide(low, high, divisor)?;
    Ok((q, r, flags.with(CF, bit(q.to_u64() & T::SIGN == 0, CF))))
}

/// IDIV. A quotient of -128 (-32768) counts as overflow; a repeat prefix inverts the quotient's sign (`negate`). CF
/// and OF end clear; a quotient that is too large by one bit leaves CF clear and OF as it was.
pub fn idiv<T: Int>(low: T, high: T, divisor: T, negate: bool) -> Division<T> {
    let (low, high, negative) = magnitude(low, high);
    let (d, divisor_negative) = absolute(divisor);
    let (q, r, flags) = divide(low, high, d)?;
    if q.to_u64() & T::SIGN != 0 {
        return Err(flags.with(CF, 0));
    }
    let q = signed(q, negative ^ divisor_negative ^ negate);
    Ok((q, signed(r, negative), flags.with(CF | OF, 0)))
}

#[cfg(test)]
mod tests;
