//! Conversions between float formats, to integers, and to integral floats (SDM vol. 2: FLD, FST, FIST, FISTTP,
//! FRNDINT, CVTxx2xx). Integers become [`Operand`]s exactly; `convert` rounds them into a format.

use super::arith::{admit, one_nan};
use super::round::{rounds_up, shift_right_sticky};
use super::{Class, F80, Flags, Float, FloatEnv, Operand, Rounding, Unrounded};

/// Converts to another format at its full precision, whatever precision control says. A signalling NaN is invalid
/// and becomes quiet; a denormal operand raises DE. FLD delivers its (exact) result even if that is unmasked.
pub fn convert<T: Float>(a: impl Into<Operand>, env: &mut FloatEnv) -> T {
    let a = admit(a, env);
    let finite = matches!(a.class, Class::Zero | Class::Finite | Class::Infinity);
    if finite && env.denormal_operand_stops(a.denormal) && !T::X87_NANS {
        return T::indefinite();
    }
    convert_quietly(a, env)
}

/// FST to memory: as [`convert`], but a denormal operand raises nothing, and an unmasked overflow or underflow, upon
/// which nothing is stored, does not report the rounding.
pub fn store<T: Float>(a: F80, env: &mut FloatEnv) -> T {
    let mut local = FloatEnv {
        flags: Flags::empty(),
        ..*env
    };
    let result = convert_quietly(Operand::from(a), &mut local);
    if local
        .unmasked()
        .intersects(Flags::OVERFLOW | Flags::UNDERFLOW)
    {
        local.flags.remove(Flags::INEXACT);
        local.rounded_up = false;
    }
    env.raise(local.flags);
    env.rounded_up = local.rounded_up;
    result
}

fn convert_quietly<T: Float>(a: Operand, env: &mut FloatEnv) -> T {
    if let Some(nan) = one_nan(&a, env) {
        return nan;
    }
    match a.class {
        Class::Zero => T::zero(a.sign),
        Class::Infinity => T::infinity(a.sign),
        _ => T::from_unrounded_precise(
            Unrounded {
                sign: a.sign,
                exponent: a.exponent,
                significand: u128::from(a.significand) << 64,
            },
            env,
        ),
    }
}

/// A magnitude rounded to an integer.
pub(super) struct Integral {
    pub magnitude: u64,
    pub inexact: bool,
    pub up: bool,
}

/// Rounds a zero or finite operand to an integer; none if it does not fit in 64 bits.
pub(super) fn integral(a: &Operand, rounding: Rounding) -> Option<Integral> {
    if a.class == Class::Zero {
        return Some(Integral {
            magnitude: 0,
            inexact: false,
            up: false,
        });
    }
    if a.exponent > 63 {
        return None;
    }
    let fixed = shift_right_sticky(u128::from(a.significand) << 64, a.exponent.abs_diff(63));
    let (whole, rest) = ((fixed >> 64) as u64, fixed as u64);
    let up = rounds_up(rounding, a.sign, whole & 1 != 0, rest);
    Some(Integral {
        magnitude: whole.checked_add(u64::from(up))?,
        inexact: rest != 0,
        up,
    })
}

/// To a signed integer of `bits` bits; out of range, infinity and NaN are invalid and give the integer indefinite,
/// the most negative one (SDM vol. 1, table 4-1).
fn to_integer(a: Operand, bits: u32, rounding: Rounding, env: &mut FloatEnv) -> i64 {
    let indefinite = i64::MIN >> (64 - bits);
    let limit = 1u64 << (bits - 1);
    let integral = match a.class {
        Class::Zero | Class::Finite => integral(&a, rounding),
        _ => None,
    };
    match integral {
        Some(i) if i.magnitude < limit || i.magnitude == limit && a.sign => {
            env.rounded(i.inexact, i.up);
            let magnitude = i.magnitude as i64;
            if a.sign {
                magnitude.wrapping_neg()
            } else {
                magnitude
            }
        }
        _ => {
            env.raise(Flags::INVALID);
            indefinite
        }
    }
}

/// To a 16-bit integer, in the given rounding mode (FISTTP and CVTT.. truncate).
pub fn to_i16(a: impl Into<Operand>, rounding: Rounding, env: &mut FloatEnv) -> i16 {
    to_integer(admit(a, env), 16, rounding, env) as i16
}

/// To a 32-bit integer.
pub fn to_i32(a: impl Into<Operand>, rounding: Rounding, env: &mut FloatEnv) -> i32 {
    to_integer(admit(a, env), 32, rounding, env) as i32
}

/// To a 64-bit integer.
pub fn to_i64(a: impl Into<Operand>, rounding: Rounding, env: &mut FloatEnv) -> i64 {
    to_integer(admit(a, env), 64, rounding, env)
}

/// FRNDINT: rounds to an integral value.
pub fn round_to_integral(a: F80, env: &mut FloatEnv) -> F80 {
    let operand = Operand::from(a);
    if let Some(nan) = one_nan(&operand, env) {
        return nan;
    }
    if env.denormal_operand_stops(operand.denormal) {
        return F80::INDEFINITE;
    }
    if operand.class != Class::Finite || operand.exponent >= 63 {
        return a;
    }
    let Some(i) = integral(&operand, env.rounding) else {
        return a;
    };
    env.rounded(i.inexact, i.up);
    let result = Operand::finite(operand.sign, 63, i.magnitude, false);
    match result.class {
        Class::Zero => F80::zero(operand.sign),
        _ => F80::new(
            u16::from(operand.sign) << 15 | (result.exponent + 16383) as u16,
            result.significand,
        ),
    }
}

/// ROUNDPS and its kin: an SSE operand rounded to an integral value in the given mode. A denormal operand raises
/// nothing but inexact (SDM vol. 2, "ROUNDPS").
pub fn round_in_format<T: Float>(a: T, rounding: Rounding, env: &mut FloatEnv) -> T {
    let operand = admit(a, env);
    if let Some(nan) = one_nan(&operand, env) {
        return nan;
    }
    if operand.class == Class::Zero {
        return T::zero(operand.sign);
    }
    if operand.class != Class::Finite || operand.exponent >= 63 {
        return a;
    }
    let Some(i) = integral(&operand, rounding) else {
        return a;
    };
    env.rounded(i.inexact, i.up);
    let result = Operand::finite(operand.sign, 63, i.magnitude, false);
    match result.class {
        Class::Zero => T::zero(operand.sign),
        // An integer of no more bits than the operand had: exact.
        _ => T::from_unrounded_precise(
            Unrounded {
                sign: result.sign,
                exponent: result.exponent,
                significand: u128::from(result.significand) << 64,
            },
            env,
        ),
    }
}
