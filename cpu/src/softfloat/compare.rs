//! Comparison (SDM vol. 2: FCOM, FUCOM, COMISS, UCOMISS).

use super::arith::admit;
use super::{Class, Flags, FloatEnv, Operand};
use core::cmp::Ordering;

/// How two operands stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The first is less.
    Less,
    /// They are equal; the two zeros are.
    Equal,
    /// The first is greater.
    Greater,
    /// One of them is a NaN or unsupported.
    Unordered,
}

/// Compares; a quiet NaN is an invalid operation (FCOM, COMISS).
pub fn compare_ordered(
    a: impl Into<Operand>,
    b: impl Into<Operand>,
    env: &mut FloatEnv,
) -> Relation {
    compare(admit(a, env), admit(b, env), true, env)
}

/// Compares; a quiet NaN is only unordered (FUCOM, UCOMISS).
pub fn compare_unordered(
    a: impl Into<Operand>,
    b: impl Into<Operand>,
    env: &mut FloatEnv,
) -> Relation {
    compare(admit(a, env), admit(b, env), false, env)
}

fn compare(a: Operand, b: Operand, quiet_is_invalid: bool, env: &mut FloatEnv) -> Relation {
    let quiet = a.is_nan() || b.is_nan();
    let signals = a.signals() || b.signals();
    if signals || quiet {
        if signals || quiet_is_invalid {
            env.raise(Flags::INVALID);
        }
        return Relation::Unordered;
    }
    env.denormal_operand_stops(a.denormal || b.denormal);
    match order(&a, &b) {
        Ordering::Less => Relation::Less,
        Ordering::Equal => Relation::Equal,
        Ordering::Greater => Relation::Greater,
    }
}

fn order(a: &Operand, b: &Operand) -> Ordering {
    let (zero_a, zero_b) = (a.class == Class::Zero, b.class == Class::Zero);
    match (zero_a, zero_b) {
        (true, true) => return Ordering::Equal,
        (true, false) => {
            return if b.sign {
                Ordering::Greater
            } else {
                Ordering::Less
            };
        }
        (false, true) => {
            return if a.sign {
                Ordering::Less
            } else {
                Ordering::Greater
            };
        }
        (false, false) => {}
    }
    if a.sign != b.sign {
        return b.sign.cmp(&a.sign);
    }
    let key = |o: &Operand| (o.class == Class::Infinity, o.exponent, o.significand);
    let magnitude = key(a).cmp(&key(b));
    if a.sign {
        magnitude.reverse()
    } else {
        magnitude
    }
}
