//! FSCALE and FXTRACT (SDM vol. 2).

use super::arith::{one_nan, two_nans};
use super::convert::integral;
use super::{Class, F80, Flags, Float, FloatEnv, Operand, Rounding, Unrounded};

/// More than any difference of two exponents, biased adjustments included.
const FAR: i32 = 0x1_8000;

/// FSCALE: `a * 2^trunc(b)`.
pub fn scale(a: F80, b: F80, env: &mut FloatEnv) -> F80 {
    let (x, y) = (Operand::from(a), Operand::from(b));
    if let Some(nan) = two_nans(&x, &y, env) {
        return nan;
    }
    match (x.class, y.class, y.sign) {
        (Class::Infinity, Class::Infinity, true) | (Class::Zero, Class::Infinity, false) => {
            return F80::invalid(env);
        }
        _ => {}
    }
    if env.denormal_operand_stops(x.denormal || y.denormal) {
        return F80::INDEFINITE;
    }
    if x.class != Class::Finite {
        return a;
    }
    if y.class == Class::Infinity {
        return if y.sign {
            F80::zero(x.sign)
        } else {
            F80::infinity(x.sign)
        };
    }
    if y.class == Class::Zero && env.leaves_unrounded {
        // Not rounded: a denormal raises no underflow here, even unmasked.
        return a.without_pseudo_denormal();
    }
    let steps = match integral(&y, Rounding::Truncate) {
        Some(i) => i32::try_from(i.magnitude).unwrap_or(FAR).min(FAR),
        None => FAR,
    };
    let exact = Unrounded {
        sign: x.sign,
        exponent: x.exponent + if y.sign { -steps } else { steps },
        significand: u128::from(x.significand) << 64,
    };
    F80::from_unrounded_precise(exact, env)
}

/// FXTRACT: the significand (with the exponent of 1) and the unbiased exponent as a float.
pub fn extract(a: F80, env: &mut FloatEnv) -> (F80, F80) {
    let x = Operand::from(a);
    if let Some(nan) = one_nan(&x, env) {
        return (nan, nan);
    }
    match x.class {
        Class::Zero => {
            env.raise(Flags::ZERO_DIVIDE);
            (a, F80::infinity(true))
        }
        Class::Infinity => (a, F80::infinity(false)),
        _ => {
            if env.denormal_operand_stops(x.denormal) {
                return (F80::INDEFINITE, F80::INDEFINITE);
            }
            let significand = F80::new(u16::from(x.sign) << 15 | 16383, x.significand);
            let e = Operand::from(x.exponent);
            let exponent = match e.class {
                Class::Zero => F80::ZERO,
                _ => F80::new(
                    u16::from(e.sign) << 15 | (e.exponent + 16383) as u16,
                    e.significand,
                ),
            };
            (significand, exponent)
        }
    }
}
