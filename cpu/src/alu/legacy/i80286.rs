//! The 80286's own results and undefined flags.
//!
//! **Known inaccuracies**: the flags that an overflowing IDIV pushes when its rest ends equal to the divisor.

use super::{absolute, bit, magnitude, product_flags, signed};
use crate::alu::flags::{AF, CF, Flags, OF};
use crate::alu::int::Int;
use crate::alu::shift;

pub use super::i8086::Division;
pub use super::{aam, shl};

/// SHR. `count` is masked to 5 bits and not 0. AF is set.
pub fn shr<T: Int>(a: T, count: u32) -> (T, Flags) {
    let (r, flags) = shift::shr(a, count);
    (r, flags.with(AF, AF))
}

/// SAR. `count` is masked to 5 bits and not 0. AF is set.
pub fn sar<T: Int>(a: T, count: u32) -> (T, Flags) {
    let (r, flags) = shift::sar(a, count);
    (r, flags.with(AF, AF))
}

/// Above this AL's high digit is corrected.
const HIGH_LIMIT: u8 = 0x99;

/// DAA.
pub fn daa(al: u8, flags: &Flags) -> (u8, Flags) {
    super::decimal(al, flags, HIGH_LIMIT, false)
}

/// DAS. A borrow out of the correction of the low digit sets CF too.
pub fn das(al: u8, flags: &Flags) -> (u8, Flags) {
    let borrow = super::needs_low_correction(al, flags) && al < 6;
    let (r, f) = super::decimal(al, flags, HIGH_LIMIT, true);
    (r, if borrow { f.with(CF, CF) } else { f })
}

fn unpacked(ax: u16, flags: &Flags, subtract: bool) -> (u16, Flags) {
    let adjust = super::needs_low_correction(ax as u8, flags);
    let r = match (adjust, subtract) {
        (false, _) => ax,
        (true, false) => ax.wrapping_add(0x106),
        (true, true) => ax.wrapping_sub(0x106),
    };
    let flags = super::unpacked_flags(ax as u8, adjust, subtract);
    (r & 0xFF0F, flags)
}

/// AAA: a carry passes from AL to AH.
pub fn aaa(ax: u16, flags: &Flags) -> (u16, Flags) {
    unpacked(ax, flags, false)
}

/// AAS: a borrow passes from AH to AL.
pub fn aas(ax: u16, flags: &Flags) -> (u16, Flags) {
    unpacked(ax, flags, true)
}

/// AAD: flags of AL + AH * base, but OF equals CF.
pub fn aad(ax: u16, base: u8) -> (u16, Flags) {
    let (r, flags) = super::aad_sum(ax, base);
    (r.into(), flags.with(OF, bit(flags.cf(), OF)))
}

/// Flags of AAM's divide error: SF, ZF and PF of AL, the others clear.
pub fn aam_by_zero(al: u8) -> Flags {
    Flags::of_result(al, 0)
}

/// MUL: (low, high, flags). SF, ZF and PF describe the high half, AF is set.
pub fn mul<T: Int>(a: T, b: T) -> (T, T, Flags) {
    let p = u128::from(a.to_u64()) * u128::from(b.to_u64());
    let (low, high) = (T::from_u64(p as u64), T::from_u64((p >> T::BITS) as u64));
    (low, high, product_flags(high, high.to_u64() != 0, true))
}

/// IMUL, also by an immediate: (low, high, flags). SF, ZF and PF describe the high half, AF is set.
pub fn imul<T: Int>(a: T, b: T) -> (T, T, Flags) {
    let p = i128::from(a.to_i64()) * i128::from(b.to_i64());
    let (low, high) = (T::from_u64(p as u64), T::from_u64((p >> T::BITS) as u64));
    let overflow = i128::from(low.to_i64()) != p;
    (low, high, product_flags(high, overflow, true))
}

/// SF, ZF and PF of the remainder, AF set, CF and OF as given.
fn quotient_flags<T: Int>(remainder: T, cf_of: bool) -> Flags {
    product_flags(remainder, cf_of, true)
}

/// Flags of a quotient that does not fit: the processor subtracts once without shifting and then divides for one bit
/// less than the operand has; the last subtraction leaves the flags.
fn overflow_flags<T: Int>(low: T, high: T, divisor: T) -> Flags {
    let d = divisor.to_u64();
    let mut rest = high.to_u64().wrapping_sub(d) & T::MASK;
    let mut bits = low.to_u64();
    let mut flags = Flags::of_sub(high, divisor, false);
    for _ in 1..T::BITS {
        let doubled = rest << 1 | bits >> (T::BITS - 1);
        bits = bits << 1 & T::MASK;
        flags = Flags::of_sub(T::from_u64(doubled & T::MASK), divisor, false);
        rest = if doubled >= d {
            doubled.wrapping_sub(d)
        } else {
            doubled
        } & T::MASK;
    }
    flags
}

fn quotient<T: Int>(low: T, high: T, divisor: T) -> Option<(u64, u64)> {
    let d = divisor.to_u64();
    if high.to_u64() >= d {
        return None;
    }
    let n = u128::from(high.to_u64()) << T::BITS | u128::from(low.to_u64());
    Some(((n / u128::from(d)) as u64, (n % u128::from(d)) as u64))
}

/// DIV. CF and OF are the borrow of the last step's subtraction, as far as it fits the operand's width.
pub fn div<T: Int>(low: T, high: T, divisor: T) -> Division<T> {
    let Some((q, r)) = quotient(low, high, divisor) else {
        return Err(overflow_flags(low, high, divisor));
    };
    let d = divisor.to_u64();
    let last = if q & 1 != 0 { r + d } else { r } & T::MASK;
    let remainder = T::from_u64(r);
    Ok((
        T::from_u64(q),
        remainder,
        quotient_flags(remainder, last < d),
    ))
}

/// IDIV. It divides magnitudes, which never need the bit that is shifted out of the rest, so that bit is dropped: a
/// dividend that is far too large can come out as a quotient of -128 (-32768), which fits. CF and OF tell whether the
/// last rest was below the divisor, inverted if the divisor was negative.
pub fn idiv<T: Int>(low: T, high: T, divisor: T) -> Division<T> {
    let (low, high, negative) = magnitude(low, high);
    let (d, divisor_negative) = absolute(divisor);
    let d = d.to_u64();
    let (mut rest, mut bits, mut q) = (high.to_u64(), low.to_u64(), 0);
    for _ in 0..T::BITS {
        let doubled = (rest << 1 | bits >> (T::BITS - 1)) & T::MASK;
        bits = bits << 1 & T::MASK;
        let fits = doubled >= d;
        rest = if fits { doubled - d } else { doubled };
        q = q << 1 | u64::from(fits);
    }
    let remainder = signed(T::from_u64(rest), negative);
    let flags = quotient_flags(remainder, (rest < d) != divisor_negative);
    let negate = negative != divisor_negative;
    let largest = if negate { T::SIGN } else { T::SIGN - 1 };
    if q > largest {
        return Err(flags);
    }
    Ok((signed(T::from_u64(q), negate), remainder, flags))
}

#[cfg(test)]
mod tests;
