//! The transcendental instructions (SDM vol. 1, section 8.3.8 to 8.3.10, and vol. 2: F2XM1, FYL2X, FYL2XP1, FSIN,
//! FCOS, FSINCOS, FPTAN, FPATAN), each computed to more than 100 bits and rounded once, so that a result errs by
//! hardly more than half a unit in the last place. The processors promise less than one unit; that is the manual's
//! own bound, and how far our results may lie from theirs.
//!
//! Angles are reduced by the 66-bit approximation of pi that the processors use (SDM vol. 1, section 8.3.8), so that
//! large angles give what they give.

use super::arith::{one_nan, two_nans};
use super::wide::{ONE, fraction_product};
use super::{Class, F80, Flags, Float, FloatEnv, Operand, Unrounded};

/// pi / 2 as a significand: also pi with 126 bits behind the point.
const PI: u128 = 0xC90F_DAA2_2168_C234_C4C6_628B_80DC_1CD1;
/// pi / 2 in units of 2^-67, as the processors have it.
const HALF_PI_66: u128 = 0xC_90FD_AA22_168C_234C;
/// Bits behind the point in a reduced angle.
const ANGLE_BITS: i32 = 67;
/// The natural logarithm of 2.
const LN_2: Unrounded = Unrounded {
    sign: false,
    exponent: -1,
    significand: 0xB172_17F7_D1CF_79AB_C9E3_B398_03F2_F6AF,
};
/// Twice the binary logarithm of e.
const TWO_LOG2_E: Unrounded = Unrounded {
    sign: false,
    exponent: 1,
    significand: 0xB8AA_3B29_5C17_F0BB_BE87_FED0_691D_3E88,
};
/// The exponent of the smallest normal number in extended precision.
const F80_MIN_EXPONENT: i32 = -16382;
/// Terms of the sine and cosine series: with angles up to pi/4 the next one is below 2^-110.
const TRIGONOMETRIC_TERMS: u128 = 15;
/// Terms of the series of 2^x - 1.
const EXPONENTIAL_TERMS: u128 = 30;
/// Terms of the area tangent series: arguments are at most 3 - sqrt(8).
const LOGARITHM_TERMS: u128 = 26;
/// Terms of the arc tangent series: arguments are at most 1/64.
const ARC_TANGENT_TERMS: u128 = 12;
/// log2 of how many arc tangents the table has.
const ARC_TANGENT_STEPS_LOG2: u32 = 5;
const ARC_TANGENT_STEPS: usize = 1 << ARC_TANGENT_STEPS_LOG2;

/// The arc tangents of 0/32 to 32/32, with 127 bits behind the point.
static ARC_TANGENTS: [u128; ARC_TANGENT_STEPS + 1] = arc_tangents();

/// Euler's series: atan(c) = sum over n of (2n)!! / (2n+1)!! * c^(2n+1) / (1+c^2)^(n+1).
const fn arc_tangents() -> [u128; ARC_TANGENT_STEPS + 1] {
    let mut table = [0; ARC_TANGENT_STEPS + 1];
    let n = ARC_TANGENT_STEPS as u128;
    let mut i = 1;
    while i <= ARC_TANGENT_STEPS {
        let c = i as u128;
        // c / (1 + c^2), with 127 bits behind the point, from integers: (i * n) / (n^2 + i^2).
        let below = n * n + c * c;
        let mut term = ONE / below * (c * n) + ONE % below * (c * n) / below;
        let (mut sum, mut k) = (0, 1);
        while term != 0 {
            sum += term;
            // * 2k / (2k + 1) * c^2 / (1 + c^2); the divisor stays below 2^20.
            let (numerator, denominator) = (2 * k * c * c, (2 * k + 1) * below);
            term = term / denominator * numerator + term % denominator * numerator / denominator;
            k += 1;
        }
        table[i] = sum;
        i += 1;
    }
    table
}

/// What a trigonometric instruction did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigonometric<T> {
    /// It has its result.
    Complete(T),
    /// The angle is 2^63 or more: the operand stays as it is, C2 is set.
    OutOfRange,
}

/// An angle that can be computed with, or what answers in its place.
enum Angle<T> {
    Finite(Operand),
    Answer(Trigonometric<T>),
}

/// An angle brought to plus or minus pi/4 of a multiple of pi/2.
struct Reduced {
    /// The rest; none if it is zero.
    rest: Option<Unrounded>,
    /// Which multiple, modulo 4, of the magnitude.
    quadrant: u8,
}

fn angle(a: F80, at_zero: impl Fn(bool) -> F80, env: &mut FloatEnv) -> Angle<F80> {
    let x = Operand::from(a);
    let answer = |v| Angle::Answer(Trigonometric::Complete(v));
    if let Some(nan) = one_nan(&x, env) {
        return answer(nan);
    }
    match x.class {
        Class::Infinity => answer(F80::invalid(env)),
        Class::Zero => answer(at_zero(x.sign)),
        _ if x.exponent >= 63 => Angle::Answer(Trigonometric::OutOfRange),
        _ if env.denormal_operand_stops(x.denormal) => answer(F80::INDEFINITE),
        _ => Angle::Finite(x),
    }
}

fn reduce(x: &Operand) -> Reduced {
    let whole = widened(x);
    // In units of 2^-67 the magnitude is significand << shift.
    let shift = x.exponent - 63 + ANGLE_BITS;
    if shift < 0 {
        // Below 2^-4.
        return Reduced {
            rest: Some(Unrounded {
                sign: false,
                ..whole
            }),
            quadrant: 0,
        };
    }
    let circle = 4 * HALF_PI_66;
    let mut rest = u128::from(x.significand) % circle;
    let mut left = shift as u32;
    while left > 0 {
        // The circle has 70 bits.
        let step = left.min(56);
        rest = (rest << step) % circle;
        left -= step;
    }
    let mut quadrant = (rest / HALF_PI_66) as u8;
    rest %= HALF_PI_66;
    let beyond = rest > HALF_PI_66 / 2;
    if beyond {
        rest = HALF_PI_66 - rest;
        quadrant = (quadrant + 1) & 3;
    }
    Reduced {
        rest: Unrounded::normalised(beyond, 127 - ANGLE_BITS, rest),
        quadrant,
    }
}

fn widened(x: &Operand) -> Unrounded {
    Unrounded {
        sign: x.sign,
        exponent: x.exponent,
        significand: u128::from(x.significand) << 64,
    }
}

/// `1 - y/(a(a+1)) (1 - y/((a+2)(a+3)) (1 - ...))`: cos of an angle with the square `y` for a = 1, its sine over the
/// angle for a = 2.
fn alternating_series(square: u128, first: u128) -> u128 {
    let mut t = ONE;
    for i in (0..TRIGONOMETRIC_TERMS).rev() {
        let a = first + 2 * i;
        t = ONE - fraction_product(square, t) / (a * (a + 1));
    }
    t
}

/// Sine and cosine of a reduced angle, the sign of the angle left out; none where they are zero.
fn sine_and_cosine(reduced: &Reduced) -> [Option<Unrounded>; 2] {
    let (sine, cosine) = match reduced.rest {
        None => (None, Unrounded::ONE),
        Some(r) => {
            let square = r.square_fraction();
            let (s, c) = (alternating_series(square, 2), alternating_series(square, 1));
            let sine = if s == ONE {
                Some(r.less_an_iota())
            } else {
                r.times_fraction(s).map(Unrounded::more_an_iota)
            };
            let cosine = if c == ONE {
                Unrounded::ONE.less_an_iota()
            } else {
                Unrounded::ONE
                    .times_fraction(c)
                    .map_or(Unrounded::ONE, Unrounded::more_an_iota)
            };
            (sine, cosine)
        }
    };
    let negated = |v: Option<Unrounded>| v.map(|v| Unrounded { sign: !v.sign, ..v });
    let cosine = Some(cosine);
    match reduced.quadrant {
        0 => [sine, cosine],
        1 => [cosine, negated(sine)],
        2 => [negated(sine), negated(cosine)],
        _ => [negated(cosine), sine],
    }
}

fn pack(value: Option<Unrounded>, flip: bool, env: &mut FloatEnv) -> F80 {
    match value {
        Some(v) => F80::from_unrounded_precise(
            Unrounded {
                sign: v.sign != flip,
                ..v
            },
            env,
        ),
        None => F80::zero(flip),
    }
}

/// The same for a function that is hardly less than its operand `x` near zero. Of the smallest normal number, which a
/// pseudo-denormal may be too, Intel's processors make that number, inexactly, and not a denormal, however they round. AMD's
/// round there as anywhere: towards zero to a denormal, which is an underflow.
fn pack_near(x: &Operand, value: Option<Unrounded>, flip: bool, env: &mut FloatEnv) -> F80 {
    let smallest = x.exponent == F80_MIN_EXPONENT && x.significand == 1 << 63;
    if smallest && env.leaves_unrounded {
        env.raise(Flags::INEXACT);
        return F80::new(u16::from(x.sign) << 15 | 1, x.significand);
    }
    pack(value, flip, env)
}

/// FSIN.
pub fn sine(a: F80, env: &mut FloatEnv) -> Trigonometric<F80> {
    match angle(a, F80::zero, env) {
        Angle::Answer(answer) => answer,
        Angle::Finite(x) => {
            let [sine, _] = sine_and_cosine(&reduce(&x));
            Trigonometric::Complete(pack_near(&x, sine, x.sign, env))
        }
    }
}

/// FCOS.
pub fn cosine(a: F80, env: &mut FloatEnv) -> Trigonometric<F80> {
    match angle(a, |_| F80::ONE, env) {
        Angle::Answer(answer) => answer,
        Angle::Finite(x) => {
            let [_, cosine] = sine_and_cosine(&reduce(&x));
            Trigonometric::Complete(pack(cosine, false, env))
        }
    }
}

/// FSINCOS: sine and cosine.
pub fn sine_cosine(a: F80, env: &mut FloatEnv) -> Trigonometric<(F80, F80)> {
    match angle(a, F80::zero, env) {
        Angle::Answer(Trigonometric::OutOfRange) => Trigonometric::OutOfRange,
        Angle::Answer(Trigonometric::Complete(v)) => {
            let zero = Operand::from(a).class == Class::Zero;
            Trigonometric::Complete((v, if zero { F80::ONE } else { v }))
        }
        Angle::Finite(x) => {
            let [sine, cosine] = sine_and_cosine(&reduce(&x));
            let sine = pack_near(&x, sine, x.sign, env);
            Trigonometric::Complete((sine, pack(cosine, false, env)))
        }
    }
}

/// FPTAN: the tangent; the instruction pushes 1 behind it (or the same NaN).
pub fn tangent(a: F80, env: &mut FloatEnv) -> Trigonometric<F80> {
    match angle(a, F80::zero, env) {
        Angle::Answer(answer) => answer,
        Angle::Finite(x) => {
            let tangent = match sine_and_cosine(&reduce(&x)) {
                [Some(s), Some(c)] if s.exponent < -64 => {
                    // A little more than the angle.
                    let r = Unrounded {
                        significand: (s.significand >> 64).wrapping_add(1) << 64,
                        ..s
                    };
                    let r = if r.significand == 0 {
                        Unrounded {
                            exponent: r.exponent + 1,
                            significand: ONE,
                            ..r
                        }
                    } else {
                        r
                    };
                    Some(Unrounded {
                        sign: s.sign != c.sign,
                        ..r.more_an_iota()
                    })
                }
                [Some(s), Some(c)] => Some(s.over(c).more_an_iota()),
                // The reduction leaves no angle without cosine: no multiple of a 66-bit odd number is a 64-bit one.
                [Some(_), None] | [None, _] => None,
            };
            Trigonometric::Complete(pack(tangent, x.sign, env))
        }
    }
}

/// FPATAN: the angle of the point (x, y).
pub fn arc_tangent(y: F80, x: F80, env: &mut FloatEnv) -> F80 {
    let (y, x) = (Operand::from(y), Operand::from(x));
    if let Some(nan) = two_nans(&y, &x, env) {
        return nan;
    }
    if env.denormal_operand_stops(y.denormal || x.denormal) {
        return F80::INDEFINITE;
    }
    // SDM vol. 2, table "FPATAN Results".
    let quarters = match (y.class, x.class) {
        (Class::Infinity, Class::Infinity) => Some(if x.sign { 3 } else { 1 }),
        (Class::Infinity, _) | (Class::Finite, Class::Zero) => Some(2),
        (Class::Zero, _) | (_, Class::Infinity) => Some(if x.sign { 4 } else { 0 }),
        _ => None,
    };
    let from_fixed_126 = |v: u128, env: &mut FloatEnv| {
        let value = Unrounded::normalised(y.sign, 1, v).map(Unrounded::more_an_iota);
        pack(value, false, env)
    };
    if let Some(quarters) = quarters {
        return match quarters {
            0 => F80::zero(y.sign),
            3 => from_fixed_126(PI / 4 * 3, env),
            n => from_fixed_126(PI / 4 * n, env),
        };
    }
    let (above, right) = (widened(&y), widened(&x));
    let steep = (y.exponent, y.significand) > (x.exponent, x.significand);
    let ratio = if steep {
        right.over(above)
    } else {
        above.over(right)
    };
    let ratio = Unrounded {
        sign: false,
        ..ratio
    };
    let acute = arc_tangent_of_ratio(ratio);
    if !steep && !x.sign {
        let one = x.exponent == 0 && x.significand == 1 << 63;
        let value = Some(acute);
        return if one {
            pack_near(&y, value, y.sign, env)
        } else {
            pack(value, y.sign, env)
        };
    }
    let acute = acute.fixed(126);
    let v = match (steep, x.sign) {
        (true, false) => PI / 2 - acute,
        (true, true) => PI / 2 + acute,
        (false, _) => PI - acute,
    };
    from_fixed_126(v, env)
}

/// The arc tangent of a value in (0, 1].
fn arc_tangent_of_ratio(ratio: Unrounded) -> Unrounded {
    let fixed = ratio.fixed(127);
    let unit = 127 - ARC_TANGENT_STEPS_LOG2;
    let step = (fixed + (1 << (unit - 1))) >> unit;
    if step == 0 {
        let t = arc_tangent_series(ratio.square_fraction());
        return if t == ONE {
            ratio.less_an_iota()
        } else {
            ratio
                .times_fraction(t)
                .map_or(ratio, Unrounded::more_an_iota)
        };
    }
    // atan(r) = atan(c) + atan((r - c) / (1 + r c))
    let table = ARC_TANGENTS[step as usize % (ARC_TANGENT_STEPS + 1)];
    let c = step << unit;
    let (sign, distance) = (fixed < c, fixed.abs_diff(c));
    let below = (1 << 126) + (fixed >> (1 + ARC_TANGENT_STEPS_LOG2)) * step;
    let rest = match (
        Unrounded::normalised(sign, 0, distance),
        Unrounded::normalised(false, 1, below),
    ) {
        (Some(above), Some(below)) => {
            let w = above.over(below);
            let t = arc_tangent_series(w.square_fraction());
            w.times_fraction(t).map_or(0, |v| v.fixed(127))
        }
        _ => 0,
    };
    let v = if sign { table - rest } else { table + rest };
    Unrounded::normalised(false, 0, v).map_or(ratio, Unrounded::more_an_iota)
}

/// `1 - y/3 + y^2/5 - ...`
fn arc_tangent_series(square: u128) -> u128 {
    let mut t = 0;
    for k in (0..=ARC_TANGENT_TERMS).rev() {
        t = ONE / (2 * k + 1) - fraction_product(square, t);
    }
    t
}

/// F2XM1: 2^a - 1. Outside of -1 to +1 the manual leaves the result undefined; the operand stays as it is.
pub fn two_to_the_power_minus_one(a: F80, env: &mut FloatEnv) -> F80 {
    let x = Operand::from(a);
    if let Some(nan) = one_nan(&x, env) {
        return nan;
    }
    match x.class {
        Class::Zero => return a,
        Class::Infinity => {
            return if x.sign {
                F80::ONE.negate()
            } else {
                F80::infinity(false)
            };
        }
        _ => {}
    }
    if env.denormal_operand_stops(x.denormal) {
        return F80::INDEFINITE;
    }
    if x.exponent >= 0 {
        // The processors call even the exact results inexact.
        env.raise(Flags::INEXACT);
        if x.exponent == 0 && x.significand == 1 << 63 {
            // 2^1 - 1 and 2^-1 - 1.
            return if x.sign {
                F80::new(0x8000 | 16382, 1 << 63)
            } else {
                F80::ONE
            };
        }
        return a;
    }
    let u = widened(&x).times(LN_2);
    let fixed = u.fixed(128);
    // (e^u - 1) / u = 1 + u/2 (1 + u/3 (1 + ...))
    let mut t = ONE;
    for k in (2..=EXPONENTIAL_TERMS).rev() {
        let term = fraction_product(fixed, t) / k;
        t = if x.sign { ONE - term } else { ONE + term };
    }
    let value = u.times_fraction(t).map(Unrounded::more_an_iota);
    pack(value, false, env)
}

/// `1 + y/3 + y^2/5 + ...`
fn area_tangent_series(square: u128) -> u128 {
    let mut t = 0;
    for k in (0..=LOGARITHM_TERMS).rev() {
        t = ONE / (2 * k + 1) + fraction_product(square, t);
    }
    t
}

/// The binary logarithm of (1 + f) / (1 - f).
fn logarithm_of_ratio(f: Unrounded) -> Unrounded {
    let t = area_tangent_series(f.square_fraction());
    f.times_fraction(t).map_or(f, |v| v.times(TWO_LOG2_E))
}

/// FYL2X: y * log2(x).
pub fn logarithm(y: F80, x: F80, env: &mut FloatEnv) -> F80 {
    let (y, x) = (Operand::from(y), Operand::from(x));
    if let Some(nan) = two_nans(&y, &x, env) {
        return nan;
    }
    // SDM vol. 2, table "FYL2X Results".
    let one = x.class == Class::Finite && !x.sign && x.exponent == 0 && x.significand == 1 << 63;
    let below_one = x.class == Class::Finite && x.exponent < 0;
    match (y.class, x.class) {
        (_, Class::Finite | Class::Infinity) if x.sign => return F80::invalid(env),
        (Class::Zero, Class::Zero | Class::Infinity) => return F80::invalid(env),
        (Class::Infinity, Class::Finite) if one => return F80::invalid(env),
        (Class::Infinity, Class::Zero) => return F80::infinity(!y.sign),
        (Class::Finite, Class::Zero) => {
            env.raise(Flags::ZERO_DIVIDE);
            return F80::infinity(!y.sign);
        }
        _ => {}
    }
    if env.denormal_operand_stops(y.denormal || x.denormal) {
        return F80::INDEFINITE;
    }
    match (y.class, x.class) {
        (_, Class::Infinity) => return F80::infinity(y.sign),
        (Class::Infinity, _) => return F80::infinity(y.sign != below_one),
        (Class::Zero, _) => return F80::zero(y.sign != below_one),
        _ if one => return F80::zero(y.sign),
        _ => {}
    }
    let y = widened(&y);
    if x.significand == 1 << 63 {
        // A power of two: the logarithm is an integer. The processors call even an exact product inexact, and so a
        // denormal one an underflow.
        let e = Operand::from(x.exponent);
        let result = F80::from_unrounded_precise(y.times(widened(&e)), env);
        let tiny = result.sign_exp & 0x7FFF == 0;
        env.raise(
            Flags::INEXACT
                | if tiny {
                    Flags::UNDERFLOW
                } else {
                    Flags::empty()
                },
        );
        return result;
    }
    let logarithm = binary_logarithm(widened(&x));
    F80::from_unrounded_precise(y.times(logarithm).more_an_iota(), env)
}

/// The binary logarithm of a positive value that is no power of two.
fn binary_logarithm(x: Unrounded) -> Unrounded {
    // x = m * 2^e with m from sqrt(1/2) to sqrt(2); f = (m - 1) / (m + 1).
    const SQRT_2: u128 = 0xB504_F333_F9DE_6484 << 64;
    let s = x.significand;
    let (e, sign, above, below) = if s > SQRT_2 {
        (x.exponent + 1, true, s.wrapping_neg(), ONE + (s >> 1))
    } else {
        (x.exponent, false, s - ONE, (s >> 1) + (ONE >> 1))
    };
    // `below` is half of m + 1 in the units of `above`.
    let f = match (
        Unrounded::normalised(sign, 0, above),
        Unrounded::normalised(false, 1, below),
    ) {
        (Some(above), Some(below)) => above.over(below),
        _ => Unrounded::ONE,
    };
    let fraction = logarithm_of_ratio(f);
    if e == 0 {
        return fraction;
    }
    const BITS: u32 = 112;
    let (whole, part) = (u128::from(e.unsigned_abs()) << BITS, fraction.fixed(BITS));
    let sum = if fraction.sign == (e < 0) {
        whole + part
    } else {
        whole - part
    };
    Unrounded::normalised(e < 0, 127 - BITS as i32, sum).unwrap_or(fraction)
}

/// FYL2XP1: y * log2(x + 1). Beyond 1 - sqrt(1/2) the manual leaves the result undefined; here it stays right as far
/// as the logarithm exists.
pub fn logarithm_plus_one(y: F80, x: F80, env: &mut FloatEnv) -> F80 {
    let (y, x) = (Operand::from(y), Operand::from(x));
    if let Some(nan) = two_nans(&y, &x, env) {
        return nan;
    }
    // SDM vol. 2, table "FYL2XP1 Results".
    match (y.class, x.class) {
        (_, Class::Infinity) if x.sign => return F80::invalid(env),
        (_, Class::Finite) if x.sign && x.exponent >= 0 => return F80::invalid(env),
        (Class::Infinity, Class::Zero) | (Class::Zero, Class::Infinity) => {
            return F80::invalid(env);
        }
        _ => {}
    }
    if env.denormal_operand_stops(y.denormal || x.denormal) {
        return F80::INDEFINITE;
    }
    match (y.class, x.class) {
        (_, Class::Infinity) => return F80::infinity(y.sign),
        (Class::Infinity, _) => return F80::infinity(y.sign != x.sign),
        (Class::Zero, _) | (_, Class::Zero) => return F80::zero(y.sign != x.sign),
        _ => {}
    }
    let (y, wide) = (widened(&y), widened(&x));
    let logarithm = if x.exponent >= 64 {
        binary_logarithm(wide)
    } else if x.exponent >= -1 {
        // x + 1 needs no more than 128 bits.
        const BITS: u32 = 62;
        let one = 1 << BITS;
        let x_fixed = wide.fixed(BITS);
        let sum = if x.sign { one - x_fixed } else { one + x_fixed };
        match Unrounded::normalised(false, 127 - BITS as i32, sum) {
            Some(power) if power.significand == ONE => {
                let e = Operand::from(power.exponent);
                return match e.class {
                    Class::Finite => F80::from_unrounded_precise(y.times(widened(&e)), env),
                    _ => F80::zero(y.sign),
                };
            }
            Some(sum) => binary_logarithm(sum),
            None => return F80::invalid(env),
        }
    } else {
        // f = x / (2 + x)
        const BITS: u32 = 125;
        let two = 2 << BITS;
        let x_fixed = wide.fixed(BITS);
        let sum = if x.sign { two - x_fixed } else { two + x_fixed };
        let below = Unrounded::normalised(false, 127 - BITS as i32, sum).unwrap_or(wide);
        logarithm_of_ratio(wide.over(below))
    };
    F80::from_unrounded_precise(y.times(logarithm).more_an_iota(), env)
}
