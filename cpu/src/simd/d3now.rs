//! 3DNow! and its extensions: two singles, or integers, in an MMX register (AMD, "3DNow! Technology Manual", 21928; "AMD
//! Extensions to the 3DNow! and MMX Instruction Sets", 22466; "AMD64 Architecture Programmer's Manual", volume 5, 26569, the
//! tables "Numeric Range" of each instruction).
//!
//! There are no exceptions, flags or rounding control. Results are rounded to nearest, conversions truncate. A denormal
//! counts as zero; what is less than 2^-126 becomes zero, what is 2^128 or more the largest normal number, with the sign of
//! the true result. A sum or difference that is exactly zero has the sign of the first source.
//!
//! PFRCP and PFRSQRT are, as those of SSE ([`super::approximate`]), the exact functions at the middle of an interval: good for
//! 14 and 15 bits. The steps that follow them keep what the estimate is off by, where AMD's processors keep another form of
//! it that no manual gives: PFRCPIT1 gives `1 - b * x`, PFRSQIT1 half of it, PFRCPIT2 adds the product of it and
//! the estimate to the estimate, with one rounding.
//!
//! **Known inaccuracies**: estimates and intermediate results are no particular processor's; those of operands whose exponent
//! is all ones, which the manuals leave undefined, are IEEE's.

use super::approximate::{reciprocal_of_d3now, reciprocal_root_of_d3now};
use super::lane::{at, lane};
use crate::softfloat::{self, F32, FloatEnv};

const SIGN: u32 = 1 << 31;
/// The largest normal number.
const LARGEST: u32 = 0x7F7F_FFFF;
const INFINITY: u32 = 0x7F80_0000;
/// Denormals are zeros as operands and as results, everything is masked, rounding is to nearest.
const MXCSR: u32 = 0x1F80 | 1 << 6 | 1 << 15;

fn is_zero(v: u32) -> bool {
    v & INFINITY == 0
}

fn is_finite(v: u32) -> bool {
    v & INFINITY != INFINITY
}

/// A result that overflowed is the largest number.
fn limited(v: u32, finite: bool) -> u32 {
    if finite && v & !SIGN == INFINITY {
        v & SIGN | LARGEST
    } else {
        v
    }
}

fn computed(a: u32, b: u32, f: fn(F32, F32, &mut FloatEnv) -> F32) -> u32 {
    let v = f(F32(a), F32(b), &mut FloatEnv::sse(MXCSR)).0;
    limited(v, is_finite(a) && is_finite(b))
}

/// `v`, but with the sign of `first` if it is the zero that two numbers leave.
fn signed_by(v: u32, first: u32, second: u32) -> u32 {
    if v & !SIGN == 0 && !is_zero(first) && !is_zero(second) {
        // What underflowed has the sign of the larger operand already, and no two differ by less than their last place
        // but where that is a denormal.
        let exact = first & !SIGN == second & !SIGN;
        return if exact { first & SIGN } else { v };
    }
    v
}

fn add(a: u32, b: u32) -> u32 {
    signed_by(computed(a, b, softfloat::add::<F32>), a, b)
}

fn sub(a: u32, b: u32) -> u32 {
    signed_by(computed(a, b, softfloat::sub::<F32>), a, b)
}

fn mul(a: u32, b: u32) -> u32 {
    computed(a, b, softfloat::mul::<F32>)
}

/// A number as an integer that orders as it does; both zeros and all denormals are one.
fn ordered(v: u32) -> i32 {
    let magnitude = (v & !SIGN) as i32;
    match (is_zero(v), v & SIGN != 0) {
        (true, _) => 0,
        (false, true) => -magnitude,
        (false, false) => magnitude,
    }
}

/// A maximum or minimum that is a zero is a positive one.
fn positive_zero(v: u32) -> u32 {
    if is_zero(v) { 0 } else { v }
}

fn max(a: u32, b: u32) -> u32 {
    positive_zero(if ordered(a) > ordered(b) { a } else { b })
}

fn min(a: u32, b: u32) -> u32 {
    positive_zero(if ordered(a) < ordered(b) { a } else { b })
}

fn all(condition: bool) -> u32 {
    if condition { u32::MAX } else { 0 }
}

/// The integer part, as far as it lies between two powers of two.
fn truncated(v: u32, bits: u32) -> i32 {
    let exponent = (v >> 23 & 0xFF) as i32 - 127;
    let negative = v & SIGN != 0;
    if exponent < 0 {
        return 0;
    }
    if exponent >= bits as i32 - 1 {
        let least = -1i64 << (bits - 1);
        return (if negative { least } else { -least - 1 }) as i32;
    }
    let significand = i64::from(v & 0x7F_FFFF | 0x80_0000);
    let magnitude = significand << exponent >> 23;
    (if negative { -magnitude } else { magnitude }) as i32
}

/// An integer as a number, truncated.
fn number(v: i32) -> u32 {
    let magnitude = v.unsigned_abs();
    if magnitude == 0 {
        return 0;
    }
    let exponent = 31 - magnitude.leading_zeros();
    let fraction = ((u64::from(magnitude) << 23 >> exponent) & 0x7F_FFFF) as u32;
    v as u32 & SIGN | (exponent + 127) << 23 | fraction
}

/// `a * b + c` with one rounding.
fn multiplied_and_added(a: u32, b: u32, c: u32) -> u32 {
    let v = softfloat::fma(F32(a), F32(b), F32(c), &mut FloatEnv::sse(MXCSR)).0;
    limited(v, [a, b, c].into_iter().all(is_finite))
}

const ONE: u32 = 0x3F80_0000;
const HALF: u32 = 0x3F00_0000;

fn reciprocal_step(b: u32, estimate: u32) -> u32 {
    multiplied_and_added(b ^ SIGN, estimate, ONE)
}

/// Of a negative number the root is that of its magnitude.
fn root_step(b: u32, square: u32) -> u32 {
    let rest = multiplied_and_added(b & !SIGN | SIGN, square & !SIGN, ONE);
    mul(rest, HALF)
}

fn last_step(rest: u32, estimate: u32) -> u32 {
    multiplied_and_added(rest, estimate, estimate)
}

fn estimate(v: u32, f: fn(u32) -> u32) -> u32 {
    match v >> 23 & 0xFF {
        0 => v & SIGN | LARGEST,
        0xFF => v,
        _ => f(v & !SIGN) | v & SIGN,
    }
}

fn pair(low: u32, high: u32) -> u128 {
    at(0, low) | at(1, high)
}

fn low(v: u128) -> u32 {
    lane(v, 0)
}

fn high(v: u128) -> u32 {
    lane(v, 1)
}

/// A function of each pair of doublewords.
fn each(a: u128, b: u128, f: impl Fn(u32, u32) -> u32) -> u128 {
    pair(f(low(a), low(b)), f(high(a), high(b)))
}

/// PFADD.
pub fn pfadd(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, add)
}
/// PFSUB.
pub fn pfsub(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, sub)
}
/// PFSUBR.
pub fn pfsubr(a: u128, b: u128, _: u8) -> u128 {
    each(b, a, sub)
}
/// PFMUL.
pub fn pfmul(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, mul)
}
/// PFACC: the sum of each operand's numbers.
pub fn pfacc(a: u128, b: u128, _: u8) -> u128 {
    pair(add(low(a), high(a)), add(low(b), high(b)))
}
/// PFNACC: the differences.
pub fn pfnacc(a: u128, b: u128, _: u8) -> u128 {
    pair(sub(low(a), high(a)), sub(low(b), high(b)))
}
/// PFPNACC: the destination's difference, the source's sum.
pub fn pfpnacc(a: u128, b: u128, _: u8) -> u128 {
    pair(sub(low(a), high(a)), add(low(b), high(b)))
}
/// PFMAX.
pub fn pfmax(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, max)
}
/// PFMIN.
pub fn pfmin(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, min)
}
/// PFCMPEQ.
pub fn pfcmpeq(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, |a, b| all(ordered(a) == ordered(b)))
}
/// PFCMPGE.
pub fn pfcmpge(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, |a, b| all(ordered(a) >= ordered(b)))
}
/// PFCMPGT.
pub fn pfcmpgt(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, |a, b| all(ordered(a) > ordered(b)))
}
/// PF2ID.
pub fn pf2id(_: u128, b: u128, _: u8) -> u128 {
    each(b, b, |v, _| truncated(v, 32) as u32)
}
/// PF2IW: words, sign-extended.
pub fn pf2iw(_: u128, b: u128, _: u8) -> u128 {
    each(b, b, |v, _| truncated(v, 16) as u32)
}
/// PI2FD.
pub fn pi2fd(_: u128, b: u128, _: u8) -> u128 {
    each(b, b, |v, _| number(v as i32))
}
/// PI2FW: of the low word of each doubleword.
pub fn pi2fw(_: u128, b: u128, _: u8) -> u128 {
    each(b, b, |v, _| number((v as i16).into()))
}
/// PFRCP: of the low number, to both.
pub fn pfrcp(_: u128, b: u128, _: u8) -> u128 {
    let v = estimate(low(b), reciprocal_of_d3now);
    pair(v, v)
}
/// PFRSQRT: of the low number, to both.
pub fn pfrsqrt(_: u128, b: u128, _: u8) -> u128 {
    let v = estimate(low(b), reciprocal_root_of_d3now);
    pair(v, v)
}
/// PFRCPIT1.
pub fn pfrcpit1(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, reciprocal_step)
}
/// PFRSQIT1.
pub fn pfrsqit1(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, root_step)
}
/// PFRCPIT2.
pub fn pfrcpit2(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, last_step)
}
/// PMULHRW: the upper halves of the products of words, rounded.
pub fn pmulhrw(a: u128, b: u128, _: u8) -> u128 {
    super::lane::each::<i16>(a, b, |a, b| {
        ((i32::from(a) * i32::from(b) + 0x8000) >> 16) as i16
    })
}
/// PSWAPD.
pub fn pswapd(_: u128, b: u128, _: u8) -> u128 {
    pair(high(b), low(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn f(v: f32) -> u32 {
        v.to_bits()
    }

    fn both(a: f32, b: f32) -> u128 {
        pair(f(a), f(b))
    }

    const TINIEST: u32 = 0x0080_0000;
    const MINUS_ZERO: u32 = SIGN;

    #[test]
    fn sums_and_products_go_by_the_manuals_tables_of_ranges() {
        assert_eq!(pfadd(both(1.5, -2.0), both(2.25, 0.5), 0), both(3.75, -1.5));
        assert_eq!(
            pfsub(both(1.5, -2.0), both(2.25, 0.5), 0),
            both(-0.75, -2.5)
        );
        assert_eq!(pfsubr(both(1.5, -2.0), both(2.25, 0.5), 0), both(0.75, 2.5));
        assert_eq!(pfmul(both(1.5, -2.0), both(2.0, 0.5), 0), both(3.0, -1.0));
        // Nearest even: 1 + 2^-24 and 1 + 3 * 2^-24.
        assert_eq!(add(f(1.0), f(2f32.powi(-24))), f(1.0));
        assert_eq!(add(0x3F80_0001, f(2f32.powi(-24))), 0x3F80_0002);
        // Beyond the largest number; below 2^-126.
        assert_eq!(add(LARGEST, LARGEST), LARGEST);
        assert_eq!(sub(SIGN | LARGEST, LARGEST), SIGN | LARGEST);
        assert_eq!(mul(f(-1e30), f(1e30)), SIGN | LARGEST);
        assert_eq!(mul(f(-1e-30), f(1e-30)), MINUS_ZERO);
        assert_eq!(sub(TINIEST, TINIEST + 1), MINUS_ZERO);
        assert_eq!(sub(TINIEST + 1, TINIEST), 0);
        // Denormals are zeros, and zero plus a number is that number.
        assert_eq!(add(1, TINIEST), TINIEST);
        assert_eq!(mul(0x007F_FFFF, f(1e30)), 0);
        assert_eq!(sub(0, f(3.0)), f(-3.0));
        // Two zeros: the signs are combined by AND.
        assert_eq!(add(0, MINUS_ZERO), 0);
        assert_eq!(add(MINUS_ZERO, MINUS_ZERO), MINUS_ZERO);
        assert_eq!(sub(MINUS_ZERO, 0), MINUS_ZERO);
        assert_eq!(sub(MINUS_ZERO, MINUS_ZERO), 0);
        // Numbers that cancel: the sign of the first.
        assert_eq!(add(f(-3.0), f(3.0)), MINUS_ZERO);
        assert_eq!(add(f(3.0), f(-3.0)), 0);
        assert_eq!(sub(f(-3.0), f(-3.0)), MINUS_ZERO);
    }

    #[test]
    fn accumulations_take_each_operand_for_itself() {
        let (a, b) = (both(10.0, 4.0), both(1.0, 0.25));
        assert_eq!(pfacc(a, b, 0), both(14.0, 1.25));
        assert_eq!(pfnacc(a, b, 0), both(6.0, 0.75));
        assert_eq!(pfpnacc(a, b, 0), both(6.0, 1.25));
        assert_eq!(pswapd(a, b, 0), both(0.25, 1.0));
    }

    #[test]
    fn comparisons_take_both_zeros_for_equal_and_a_zero_result_is_positive() {
        let all = u32::MAX;
        let (a, b) = (pair(MINUS_ZERO, f(-1.0)), pair(0, f(-2.0)));
        assert_eq!(pfcmpeq(a, b, 0), pair(all, 0));
        assert_eq!(pfcmpge(a, b, 0), pair(all, all));
        assert_eq!(pfcmpgt(a, b, 0), pair(0, all));
        assert_eq!(pfmax(a, b, 0), pair(0, f(-1.0)));
        assert_eq!(pfmin(a, b, 0), pair(0, f(-2.0)));
        assert_eq!(
            pfmax(pair(MINUS_ZERO, f(2.0)), both(-5.0, 0.0), 0),
            both(0.0, 2.0)
        );
        assert_eq!(
            pfmin(pair(MINUS_ZERO, f(2.0)), both(-5.0, 0.0), 0),
            both(-5.0, 0.0)
        );
    }

    #[test]
    fn conversions_truncate_and_saturate() {
        let integer = |v: f32| low(pf2id(0, both(v, 0.0), 0));
        for (v, expected) in [
            (0.99, 0),
            (-0.99, 0),
            (-1.99, u32::MAX),
            (16_777_215.0, 0x00FF_FFFF),
            (2_147_483_520.0, 0x7FFF_FF80),
            (2_147_483_648.0, 0x7FFF_FFFF),
            (1e30, 0x7FFF_FFFF),
            (-2_147_483_648.0, 0x8000_0000),
            (-1e30, 0x8000_0000),
        ] {
            assert_eq!(integer(v), expected, "{v}");
        }
        let word = |v: f32| low(pf2iw(0, both(v, 0.0), 0));
        for (v, expected) in [
            (32767.9, 0x7FFF),
            (32768.0, 0x7FFF),
            (1e9, 0x7FFF),
            (-32768.0, 0xFFFF_8000),
            (-40000.0, 0xFFFF_8000),
            (-2.5, 0xFFFF_FFFE),
        ] {
            assert_eq!(word(v), expected, "{v}");
        }
        // 2^24 + 1 and 2^31 - 1 have more than 24 bits.
        let from = |v: i32| pi2fd(0, pair(v as u32, 0), 0) as u32;
        assert_eq!(from(0x0100_0001), f(16_777_216.0));
        assert_eq!(from(i32::MAX), 0x4EFF_FFFF);
        assert_eq!(from(-i32::MAX), 0xCEFF_FFFF);
        assert_eq!(from(i32::MIN), f(-2_147_483_648.0));
        assert_eq!(
            pi2fw(0, pair(0xFFFF_7FFF, 0x8000), 0),
            both(32767.0, -32768.0)
        );
    }

    #[test]
    fn products_of_words_are_rounded() {
        let one = |a: u16, b: u16| pmulhrw(a.into(), b.into(), 0) as u16;
        assert_eq!(one(0x4000, 2), 1, "8000h rounds up, where PMULHW gives 0");
        assert_eq!(one(0x3FFF, 2), 0);
        assert_eq!(one(0xC000, 2), 0, "-8000h rounds up too");
        assert_eq!(one(0x8000, 0x8000), 0x4000);
    }

    fn is_rounded(v: u32, exact: f64) -> bool {
        v == (exact as f32).to_bits()
    }

    fn is_within_a_unit(v: u32, exact: f64) -> bool {
        v.abs_diff((exact as f32).to_bits()) <= 1
    }

    #[test]
    fn estimates_have_the_precision_that_the_manual_promises() {
        for n in (0..1u32 << 24).step_by(37) {
            // Both parities of the exponent.
            let v = ONE + n;
            let x = f64::from(f32::from_bits(v));
            let off = |estimate: u32, exact: f64| {
                (f64::from(f32::from_bits(estimate)) / exact - 1.0).abs()
            };
            assert!(off(pfrcp(0, v.into(), 0) as u32, 1.0 / x) < 2f64.powi(-14));
            assert!(off(pfrsqrt(0, v.into(), 0) as u32, 1.0 / x.sqrt()) < 2f64.powi(-15));
        }
        let reciprocal = |v: u32| pfrcp(0, pair(v, 7), 0);
        // The table of PFRCP: zero, and a result below 2^-126; both halves are the low one's.
        assert_eq!(reciprocal(0), pair(LARGEST, LARGEST));
        assert_eq!(reciprocal(SIGN | 1), pair(SIGN | LARGEST, SIGN | LARGEST));
        assert_eq!(reciprocal(SIGN | LARGEST), pair(SIGN, SIGN));
        let root = |v: u32| pfrsqrt(0, v.into(), 0) as u32;
        assert_eq!(root(MINUS_ZERO), SIGN | LARGEST);
        // Of a negative number: that of its magnitude, negative.
        assert_eq!(root(f(-16.0)), SIGN | root(f(16.0)));
    }

    #[test]
    fn the_sequences_of_the_optimization_guide_reach_24_bits() {
        // AMD, 22007, "Use 3DNow! Instructions for Fast Division", "for Fast Square Root and Reciprocal Square Root": one unit
        // at most, and correctly rounded for about 99% and 87% of all arguments.
        let (mut count, mut reciprocals, mut roots) = (0, 0, 0);
        for n in (0..1u32 << 24).step_by(41) {
            let v = ONE + n;
            let b = u128::from(v);
            let x = f64::from(f32::from_bits(v));
            let x0 = pfrcp(0, b, 0);
            let x1 = pfrcpit1(b, x0, 0);
            let x2 = pfrcpit2(x1, x0, 0) as u32;
            assert!(is_within_a_unit(x2, 1.0 / x), "{v:x}");
            reciprocals += u32::from(is_rounded(x2, 1.0 / x));
            let x0 = pfrsqrt(0, b, 0);
            let x1 = pfmul(x0, x0, 0);
            let x2 = pfrsqit1(b, x1, 0);
            let x3 = pfrcpit2(x2, x0, 0) as u32;
            assert!(is_within_a_unit(x3, 1.0 / x.sqrt()), "{v:x}");
            roots += u32::from(is_rounded(x3, 1.0 / x.sqrt()));
            count += 1;
        }
        assert!(reciprocals * 100 >= count * 98, "{reciprocals} of {count}");
        assert!(roots * 100 >= count * 86, "{roots} of {count}");
        // 1 / 0 and 1 / sqrt(0) stay the largest number.
        let x0 = pfrcp(0, 0, 0);
        assert_eq!(pfrcpit2(pfrcpit1(0, x0, 0), x0, 0) as u32, LARGEST);
        let x0 = pfrsqrt(0, 0, 0);
        let x1 = pfmul(x0, x0, 0);
        assert_eq!(pfrcpit2(pfrsqit1(0, x1, 0), x0, 0) as u32, LARGEST);
        // 1 / -3.
        let b = u128::from(f(-3.0));
        let x0 = pfrcp(0, b, 0);
        let third = pfrcpit2(pfrcpit1(b, x0, 0), x0, 0) as u32;
        assert_eq!(third, f(-1.0 / 3.0));
    }
}
