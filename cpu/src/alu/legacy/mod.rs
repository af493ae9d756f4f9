//! What the 8086 and the 80286 do where their manuals say "undefined": flags of shifts, products, quotients and decimal
//! adjustments, and results that later processors changed.
//!
//! The rules were worked out from captures of an Intel P80C86A-2 and a Harris 80C286-12 (SingleStepTests) and hold for
//! every capture, the flags that its masks call undefined included, but for those named under **Known inaccuracies** in
//! [`i80286`].

pub mod i80286;
pub mod i8086;

use super::flags::{AF, CF, Flags, OF};
use super::int::Int;
use super::shift;

const fn bit(on: bool, flag: u64) -> u64 {
    if on { flag } else { 0 }
}

/// SHL: the processor adds the operand to itself, so AF is the carry out of bit 3 of the last step. `count` is not 0.
pub fn shl<T: Int>(a: T, count: u32) -> (T, Flags) {
    let (r, flags) = shift::shl(a, count.min(T::BITS + 1));
    (r, flags.with(AF, r.to_u64()))
}

/// The four adjustments share one shape: which corrections apply, and the flags of the correcting sum or difference.
fn corrected(al: u8, correction: u8, subtract: bool) -> (u8, Flags) {
    if subtract {
        let r = al.wrapping_sub(correction);
        (r, Flags::of_sub(al, correction, false))
    } else {
        let r = al.wrapping_add(correction);
        (r, Flags::of_add(al, r, false))
    }
}

fn needs_low_correction(al: u8, flags: &Flags) -> bool {
    al & 0xF > 9 || flags.af()
}

/// DAA and DAS with the limit above which the high digit is corrected. OF, SF, ZF and PF are those of AL plus or minus
/// the whole correction.
fn decimal(al: u8, flags: &Flags, high_limit: u8, subtract: bool) -> (u8, Flags) {
    let low = needs_low_correction(al, flags);
    let high = al > high_limit || flags.cf();
    let correction = if low { 0x06 } else { 0 } + if high { 0x60 } else { 0 };
    let (r, f) = corrected(al, correction, subtract);
    (r, f.with(AF | CF, bit(low, AF) | bit(high, CF)))
}

/// Flags of AAA and AAS: those of AL plus or minus the correction, before the high digit is cut off.
fn unpacked_flags(al: u8, adjust: bool, subtract: bool) -> Flags {
    let (_, f) = corrected(al, if adjust { 6 } else { 0 }, subtract);
    f.with(AF | CF, bit(adjust, AF | CF))
}

/// AAM: AX and flags. By 0 it is a divide error; the flags are then left by [`aam_by_zero`](i8086::aam_by_zero).
pub fn aam(al: u8, base: u8) -> Option<(u16, Flags)> {
    let (high, low) = (al.checked_div(base)?, al % base);
    let ax = u16::from(high) << 8 | u16::from(low);
    Some((ax, Flags::of_result(low, 0)))
}

/// The sum that AAD makes.
fn aad_sum(ax: u16, base: u8) -> (u8, Flags) {
    let [al, ah] = ax.to_le_bytes();
    let r = al.wrapping_add(ah.wrapping_mul(base));
    (r, Flags::of_add(al, r, false))
}

/// The flags after a multiplication whose high half was tested: CF and OF given, the rest from `tested`.
fn product_flags<T: Int>(tested: T, overflow: bool, af: bool) -> Flags {
    Flags::of_result(tested, bit(overflow, CF | OF) | bit(af, AF))
}

/// Magnitude and sign of a dividend, high half first.
fn magnitude<T: Int>(low: T, high: T) -> (T, T, bool) {
    let negative = high.to_u64() & T::SIGN != 0;
    if !negative {
        return (low, high, false);
    }
    let n = u128::from(high.to_u64()) << T::BITS | u128::from(low.to_u64());
    let n = n.wrapping_neg();
    let part = |v: u128| T::from_u64(v as u64 & T::MASK);
    (part(n), part(n >> T::BITS), true)
}

/// Two's complement if `negate`.
fn signed<T: Int>(v: T, negate: bool) -> T {
    if negate {
        T::from_u64(v.to_u64().wrapping_neg() & T::MASK)
    } else {
        v
    }
}

/// The magnitude of an operand, and whether it is negative.
fn absolute<T: Int>(v: T) -> (T, bool) {
    let negative = v.to_u64() & T::SIGN != 0;
    (signed(v, negative), negative)
}
