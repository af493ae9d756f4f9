//! Add, subtract, multiply, divide, square root, fused multiply-add (SDM vol. 2: FADD, FSUB, FMUL, FDIV, FSQRT and
//! their SSE counterparts).
//!
//! The order in which exceptions win (SDM vol. 1, section 4.9.2): unsupported and signalling operands, then quiet
//! NaNs, then other invalid operations and division by zero, then denormal operands, then the rest.

use super::round::shift_right_sticky;
use super::{Class, Flags, Float, FloatEnv, Operand, Rounding, Unrounded};

/// The operand as the operation sees it: denormals are zeros under DAZ.
#[inline]
pub(super) fn admit(operand: impl Into<Operand>, env: &FloatEnv) -> Operand {
    let operand = operand.into();
    if operand.denormal && env.denormals_are_zero {
        Operand::zero(operand.sign)
    } else {
        operand
    }
}

/// The result of an operation on a NaN or an unsupported encoding; none if there is neither.
#[inline]
pub(super) fn one_nan<T: Float>(a: &Operand, env: &mut FloatEnv) -> Option<T> {
    match a.class {
        Class::Unsupported => Some(T::invalid(env)),
        Class::SignallingNan => {
            env.raise(Flags::INVALID);
            Some(T::pack_nan(a.sign, a.significand))
        }
        Class::QuietNan => Some(T::pack_nan(a.sign, a.significand)),
        _ => None,
    }
}

/// The same for two operands (SDM vol. 1, table 4-7).
#[inline]
pub(super) fn two_nans<T: Float>(a: &Operand, b: &Operand, env: &mut FloatEnv) -> Option<T> {
    let finite = |o: &Operand| matches!(o.class, Class::Zero | Class::Finite | Class::Infinity);
    if finite(a) && finite(b) {
        return None;
    }
    if a.class == Class::Unsupported || b.class == Class::Unsupported {
        return Some(T::invalid(env));
    }
    if a.signals() || b.signals() {
        env.raise(Flags::INVALID);
    }
    let chosen = if !b.is_nan() {
        a
    } else if !a.is_nan() {
        b
    } else if !T::X87_NANS {
        a
    } else if a.class != b.class {
        if a.class == Class::QuietNan { a } else { b }
    } else if a.significand != b.significand {
        if a.significand > b.significand { a } else { b }
    } else if a.sign {
        b
    } else {
        a
    };
    Some(T::pack_nan(chosen.sign, chosen.significand))
}

#[inline]
fn widened(a: &Operand) -> Unrounded {
    Unrounded {
        sign: a.sign,
        exponent: a.exponent,
        significand: u128::from(a.significand) << 64,
    }
}

/// The exact sum; none if it is zero. Either the smaller one has its low 64 bits clear or both leave room enough
/// below that the sticky bit cannot move into a rounding position by cancellation: true for sums of operands, and
/// for a product of two 53-bit significands plus an operand.
#[inline]
fn sum(a: Unrounded, b: Unrounded) -> Option<Unrounded> {
    let (large, small) = if a.exponent >= b.exponent {
        (a, b)
    } else {
        (b, a)
    };
    // One bit of head room for the carry.
    let x = shift_right_sticky(large.significand, 1);
    let y = shift_right_sticky(
        small.significand,
        large.exponent.abs_diff(small.exponent).saturating_add(1),
    );
    let exponent = large.exponent + 1;
    if large.sign == small.sign {
        let total = x + y;
        let room = 1 - (total >> 127) as u32;
        Some(Unrounded {
            sign: large.sign,
            exponent: exponent - room as i32,
            significand: total << room,
        })
    } else if x >= y {
        Unrounded::normalised(large.sign, exponent, x - y)
    } else {
        Unrounded::normalised(small.sign, exponent, y - x)
    }
}

/// The sign of a sum that is exactly zero.
fn zero_sum_sign(a: bool, b: bool, env: &FloatEnv) -> bool {
    if a == b {
        a
    } else {
        env.rounding == Rounding::Down
    }
}

/// `a + b`.
pub fn add<T: Float>(a: impl Into<Operand>, b: impl Into<Operand>, env: &mut FloatEnv) -> T {
    let (a, b) = (admit(a, env), admit(b, env));
    match two_nans(&a, &b, env) {
        Some(nan) => nan,
        None => add_numbers(a, b, env),
    }
}

/// `a - b`.
pub fn sub<T: Float>(a: impl Into<Operand>, b: impl Into<Operand>, env: &mut FloatEnv) -> T {
    let (a, b) = (admit(a, env), admit(b, env));
    match two_nans(&a, &b, env) {
        Some(nan) => nan,
        None => add_numbers(a, b.negated(), env),
    }
}

#[inline]
fn add_numbers<T: Float>(a: Operand, b: Operand, env: &mut FloatEnv) -> T {
    let infinite = |o: &Operand| o.class == Class::Infinity;
    if infinite(&a) && infinite(&b) && a.sign != b.sign {
        return T::invalid(env);
    }
    if env.denormal_operand_stops(a.denormal || b.denormal) {
        return T::indefinite();
    }
    if infinite(&a) {
        return T::infinity(a.sign);
    }
    if infinite(&b) {
        return T::infinity(b.sign);
    }
    let exact = match (a.class, b.class) {
        (Class::Zero, Class::Zero) => None,
        (Class::Zero, _) => Some(widened(&b)),
        (_, Class::Zero) => Some(widened(&a)),
        _ => sum(widened(&a), widened(&b)),
    };
    match exact {
        Some(exact) => T::from_unrounded(exact, env),
        None => T::zero(zero_sum_sign(a.sign, b.sign, env)),
    }
}

/// The exact product of two operands that are zero or finite.
#[inline]
fn product(a: &Operand, b: &Operand) -> Option<Unrounded> {
    let product = u128::from(a.significand) * u128::from(b.significand);
    if product == 0 {
        return None;
    }
    // Two leading bits multiply to one or two.
    let room = 1 - (product >> 127) as u32;
    Some(Unrounded {
        sign: a.sign != b.sign,
        exponent: a.exponent + b.exponent + 1 - room as i32,
        significand: product << room,
    })
}

/// `a * b`.
pub fn mul<T: Float>(a: impl Into<Operand>, b: impl Into<Operand>, env: &mut FloatEnv) -> T {
    let (a, b) = (admit(a, env), admit(b, env));
    if let Some(nan) = two_nans(&a, &b, env) {
        return nan;
    }
    let sign = a.sign != b.sign;
    let any = |class| a.class == class || b.class == class;
    if any(Class::Infinity) && any(Class::Zero) {
        return T::invalid(env);
    }
    if env.denormal_operand_stops(a.denormal || b.denormal) {
        return T::indefinite();
    }
    if any(Class::Infinity) {
        return T::infinity(sign);
    }
    match product(&a, &b) {
        Some(exact) => T::from_unrounded(exact, env),
        None => T::zero(sign),
    }
}

/// `a / b`.
pub fn div<T: Float>(a: impl Into<Operand>, b: impl Into<Operand>, env: &mut FloatEnv) -> T {
    let (a, b) = (admit(a, env), admit(b, env));
    if let Some(nan) = two_nans(&a, &b, env) {
        return nan;
    }
    let sign = a.sign != b.sign;
    match (a.class, b.class) {
        (Class::Infinity, Class::Infinity) | (Class::Zero, Class::Zero) => return T::invalid(env),
        (Class::Finite, Class::Zero) => {
            env.raise(Flags::ZERO_DIVIDE);
            return T::infinity(sign);
        }
        _ => {}
    }
    if env.denormal_operand_stops(a.denormal || b.denormal) {
        return T::indefinite();
    }
    if a.class == Class::Infinity {
        return T::infinity(sign);
    }
    if a.class == Class::Zero || b.class == Class::Infinity {
        return T::zero(sign);
    }
    // 64 quotient bits, the first of them set; then one guard bit, and the rest only as zero or not.
    let below = a.significand < b.significand;
    let dividend = u128::from(a.significand) << if below { 64 } else { 63 };
    let divisor = u128::from(b.significand);
    let quotient = dividend / divisor;
    let rest = dividend - quotient * divisor;
    let guard = rest * 2 >= divisor;
    let sticky = rest != 0 && rest * 2 != divisor;
    T::from_unrounded(
        Unrounded {
            sign,
            exponent: a.exponent - b.exponent - i32::from(below),
            significand: quotient << 64 | u128::from(guard) << 63 | u128::from(sticky),
        },
        env,
    )
}

/// The square root.
pub fn sqrt<T: Float>(a: impl Into<Operand>, env: &mut FloatEnv) -> T {
    let a = admit(a, env);
    if let Some(nan) = one_nan(&a, env) {
        return nan;
    }
    if a.sign && a.class != Class::Zero {
        return T::invalid(env);
    }
    if env.denormal_operand_stops(a.denormal) {
        return T::indefinite();
    }
    match a.class {
        Class::Zero => return T::zero(a.sign),
        Class::Infinity => return T::infinity(false),
        _ => {}
    }
    // 64 root bits, the first of them set. The root lies above r + 1/2 exactly if the remainder is above r, and it
    // is never r + 1/2.
    let radicand = u128::from(a.significand) << (63 + (a.exponent & 1));
    let root = radicand.isqrt();
    let rest = radicand - root * root;
    let guard = rest > root;
    T::from_unrounded(
        Unrounded {
            sign: false,
            exponent: a.exponent >> 1,
            significand: root << 64 | u128::from(guard) << 63 | u128::from(rest != 0),
        },
        env,
    )
}

/// `a * b + c` rounded once, for `F32` and `F64`. With several NaNs the first in the order a, b, c
/// wins; for VFMADD132, 213 and 231 a and b are their operands 1 and 3, 2 and 1, 2 and 3.
pub fn fma<T: Float>(a: T, b: T, c: T, env: &mut FloatEnv) -> T {
    let (a, b, c) = (admit(a, env), admit(b, env), admit(c, env));
    if a.signals() || b.signals() || c.signals() {
        env.raise(Flags::INVALID);
    }
    if let Some(nan) = [a, b, c].iter().find(|o| o.is_nan()) {
        return T::pack_nan(nan.sign, nan.significand);
    }
    let sign = a.sign != b.sign;
    let any = |class| a.class == class || b.class == class;
    let infinite = any(Class::Infinity);
    if infinite && (any(Class::Zero) || c.class == Class::Infinity && c.sign != sign) {
        return T::invalid(env);
    }
    if env.denormal_operand_stops(a.denormal || b.denormal || c.denormal) {
        return T::indefinite();
    }
    if infinite {
        return T::infinity(sign);
    }
    if c.class == Class::Infinity {
        return T::infinity(c.sign);
    }
    let addend = (c.class == Class::Finite).then(|| widened(&c));
    let exact = match (product(&a, &b), addend) {
        (Some(product), Some(addend)) => sum(product, addend),
        (product, addend) => product.or(addend),
    };
    match exact {
        Some(exact) => T::from_unrounded(exact, env),
        None => T::zero(zero_sum_sign(sign, c.sign, env)),
    }
}
