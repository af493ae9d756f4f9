//! Arithmetic and conversions of ordinary numbers (zero or normal) in few steps, for the control word that nearly all
//! programs have: rounding to nearest, extended precision, the precision exception masked. Whatever else there is, and
//! results near either end of the range, are `softfloat`'s.

use super::arith::Operation;
use super::state::{C1, Fpu};
use crate::softfloat::{F80, Flags};

const SIGN: u16 = 0x8000;
const EXPONENT: u16 = 0x7FFF;
const BIAS: i32 = 16383;
const INTEGER_BIT: u64 = 1 << 63;
const HALF: u64 = 1 << 63;
/// Biased exponents of results that are as far from underflow and overflow as not to be looked at again.
const INNER: std::ops::RangeInclusive<i32> = 2..=0x7FFD;

/// Control word: rounding control, precision control, the mask of the precision exception; and what is expected there.
const CONTROL_MASK: u16 = 3 << 10 | 3 << 8 | 1 << 5;
const USUAL_CONTROL: u16 = 3 << 8 | 1 << 5;

/// A result, and what C1 and the precision flag become.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Rounded<T> {
    /// The value.
    pub value: T,
    /// It is not exact.
    pub inexact: bool,
    /// It was rounded away from zero.
    pub up: bool,
}

impl<T> Rounded<T> {
    #[inline(always)]
    const fn exact(value: T) -> Self {
        Self {
            value,
            inexact: false,
            up: false,
        }
    }
}

#[inline(always)]
const fn exponent(v: F80) -> i32 {
    (v.sign_exp & EXPONENT) as i32
}

#[inline(always)]
const fn is_zero(v: F80) -> bool {
    v.sign_exp & EXPONENT == 0 && v.significand == 0
}

#[inline(always)]
const fn is_normal(v: F80) -> bool {
    let e = v.sign_exp & EXPONENT;
    v.significand >= INTEGER_BIT && e != 0 && e != EXPONENT
}

/// To nearest, ties to even: whether the kept bits go up, given the ones below with a half as bit 63.
#[inline(always)]
const fn goes_up(kept: u64, rest: u64) -> bool {
    rest > HALF || rest == HALF && kept & 1 != 0
}

/// Rounds a magnitude whose bit 127 is set; the lowest bit gathers what is below.
#[inline(always)]
fn rounded(sign: u16, exponent: i32, significand: u128) -> Option<Rounded<F80>> {
    let (kept, rest) = ((significand >> 64) as u64, significand as u64);
    let up = goes_up(kept, rest);
    let (kept, carry) = kept.overflowing_add(up.into());
    let exponent = exponent + i32::from(carry);
    let significand = if carry { INTEGER_BIT } else { kept };
    INNER.contains(&exponent).then_some(Rounded {
        value: F80 {
            sign_exp: sign | exponent as u16,
            significand,
        },
        inexact: rest != 0,
        up,
    })
}

/// `a + b`.
#[inline(always)]
fn add(a: F80, b: F80) -> Option<Rounded<F80>> {
    let (mut large, mut small) = (a, b);
    if exponent(a) < exponent(b) || exponent(a) == exponent(b) && a.significand < b.significand {
        (large, small) = (b, a);
    }
    if is_zero(small) {
        if is_zero(large) {
            // Zeros of different signs give the positive one.
            let sign = large.sign_exp & small.sign_exp;
            return Some(Rounded::exact(F80 {
                sign_exp: sign,
                significand: 0,
            }));
        }
        return is_normal(large).then_some(Rounded::exact(large));
    }
    if !is_normal(large) || !is_normal(small) {
        return None;
    }
    let sign = large.sign_exp & SIGN;
    // One bit of head room.
    let x = u128::from(large.significand) << 63;
    let y = u128::from(small.significand) << 63;
    let y = match exponent(large) - exponent(small) {
        0 => y,
        d @ 1..=127 => y >> d | u128::from(y << (128 - d) != 0),
        _ => 1,
    };
    let v = if (large.sign_exp ^ small.sign_exp) & SIGN == 0 {
        x + y
    } else {
        x - y
    };
    if v == 0 {
        return Some(Rounded::exact(F80::ZERO));
    }
    let room = v.leading_zeros();
    rounded(sign, exponent(large) + 1 - room as i32, v << room)
}

#[inline(always)]
fn negated(v: F80) -> F80 {
    F80 {
        sign_exp: v.sign_exp ^ SIGN,
        ..v
    }
}

/// A zero of the sign of a product or quotient.
#[inline(always)]
fn signed_zero(a: F80, b: F80) -> Option<Rounded<F80>> {
    Some(Rounded::exact(F80 {
        sign_exp: (a.sign_exp ^ b.sign_exp) & SIGN,
        significand: 0,
    }))
}

/// `a * b`.
#[inline(always)]
fn mul(a: F80, b: F80) -> Option<Rounded<F80>> {
    if !is_normal(a) || !is_normal(b) {
        let zeros = is_zero(a) && (is_zero(b) || is_normal(b)) || is_zero(b) && is_normal(a);
        return if zeros { signed_zero(a, b) } else { None };
    }
    let product = u128::from(a.significand) * u128::from(b.significand);
    let room = product.leading_zeros();
    rounded(
        (a.sign_exp ^ b.sign_exp) & SIGN,
        exponent(a) + exponent(b) - BIAS + 1 - room as i32,
        product << room,
    )
}

/// `a / b`.
#[inline(always)]
fn div(a: F80, b: F80) -> Option<Rounded<F80>> {
    if !is_normal(b) {
        return None;
    }
    if !is_normal(a) {
        return if is_zero(a) { signed_zero(a, b) } else { None };
    }
    let below = a.significand < b.significand;
    let dividend = u128::from(a.significand) << if below { 64 } else { 63 };
    let divisor = u128::from(b.significand);
    let quotient = dividend / divisor;
    let twice = (dividend - quotient * divisor) * 2;
    let guard = u128::from(twice >= divisor);
    let sticky = u128::from(twice != 0 && twice != divisor);
    rounded(
        (a.sign_exp ^ b.sign_exp) & SIGN,
        exponent(a) - exponent(b) + BIAS - i32::from(below),
        quotient << 64 | guard << 63 | sticky,
    )
}

/// One of the six operations on `destination` and `source`.
#[inline(always)]
pub fn operate(op: Operation, destination: F80, source: F80) -> Option<Rounded<F80>> {
    match op {
        Operation::Add => add(destination, source),
        Operation::Mul => mul(destination, source),
        Operation::Sub => add(destination, negated(source)),
        Operation::SubReverse => add(source, negated(destination)),
        Operation::Div => div(destination, source),
        Operation::DivReverse => div(source, destination),
    }
}

/// A number of an interchange format with so many bits of exponent and fraction, exactly.
#[inline(always)]
fn widened(bits: u64, exponent_bits: u32, fraction_bits: u32) -> Option<F80> {
    let largest = (1 << exponent_bits) - 1;
    let sign = (bits >> (exponent_bits + fraction_bits)) as u16 & 1;
    let e = (bits >> fraction_bits) as i32 & largest;
    let fraction = bits << (64 - fraction_bits) >> 1;
    if e == 0 || e == largest {
        return (e == 0 && fraction == 0).then_some(F80 {
            sign_exp: sign << 15,
            significand: 0,
        });
    }
    Some(F80 {
        sign_exp: sign << 15 | (e - largest / 2 + BIAS) as u16,
        significand: INTEGER_BIT | fraction,
    })
}

/// From double precision.
#[inline(always)]
pub fn from_f64(bits: u64) -> Option<F80> {
    widened(bits, 11, 52)
}

/// From single precision.
#[inline(always)]
pub fn from_f32(bits: u32) -> Option<F80> {
    widened(bits.into(), 8, 23)
}

/// From an integer.
#[inline(always)]
pub fn from_integer(v: i64) -> F80 {
    let magnitude = v.unsigned_abs();
    if magnitude == 0 {
        return F80::ZERO;
    }
    let room = magnitude.leading_zeros();
    let sign = if v < 0 { SIGN } else { 0 };
    F80 {
        sign_exp: sign | (BIAS + 63 - room as i32) as u16,
        significand: magnitude << room,
    }
}

/// To an interchange format with so many bits of exponent and fraction.
#[inline(always)]
fn narrowed(v: F80, exponent_bits: u32, fraction_bits: u32) -> Option<Rounded<u64>> {
    let sign = u64::from(v.sign_exp >> 15) << (exponent_bits + fraction_bits);
    if is_zero(v) {
        return Some(Rounded::exact(sign));
    }
    if !is_normal(v) {
        return None;
    }
    let largest = (1 << exponent_bits) - 1;
    let dropped = 63 - fraction_bits;
    let (kept, rest) = (v.significand >> dropped, v.significand << (64 - dropped));
    let up = goes_up(kept, rest);
    // With the hidden bit above the fraction, a carry goes into the exponent by itself.
    let e = exponent(v) - BIAS + largest / 2;
    if !(2..=largest - 2).contains(&e) {
        return None;
    }
    let magnitude = ((e as u64 - 1) << fraction_bits) + kept + u64::from(up);
    Some(Rounded {
        value: sign | magnitude,
        inexact: rest != 0,
        up,
    })
}

/// To double precision.
#[inline(always)]
pub fn to_f64(v: F80) -> Option<Rounded<u64>> {
    narrowed(v, 11, 52)
}

/// To single precision.
#[inline(always)]
pub fn to_f32(v: F80) -> Option<Rounded<u64>> {
    narrowed(v, 8, 23)
}

impl Fpu {
    /// Whether the control word is the usual one, for which this file is.
    #[inline(always)]
    pub(crate) const fn is_usual(&self) -> bool {
        self.control & CONTROL_MASK == USUAL_CONTROL
    }

    /// Takes over what a result says of itself.
    #[inline(always)]
    pub(crate) fn note<T>(&mut self, r: &Rounded<T>) {
        let precision = if r.inexact {
            u16::from(Flags::INEXACT.bits())
        } else {
            0
        };
        self.status = self.status & !C1 | if r.up { C1 } else { 0 } | precision;
    }

    /// Pushes a value; none if there is no room.
    #[inline(always)]
    pub(crate) fn push_quick(&mut self, value: F80) -> Option<()> {
        if !self.is_empty(7) {
            return None;
        }
        self.status &= !C1;
        super::stack::push(self, value);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::softfloat::{self as sf, F32, F64, FloatEnv, Operand};
    use crate::tests::Random;

    impl Random {
        /// Exponents that are near one another or at an end, significands with few bits or many.
        fn number(&mut self) -> F80 {
            let e = match self.next() % 8 {
                0 => self.next() % 4,
                1 => 0x7FFF - self.next() % 4,
                2 => 16383 - 1030 + self.next() % 16,
                3 => 16383 + 1016 + self.next() % 16,
                4 => 16383 - 130 + self.next() % 260,
                _ => 16383 - 40 + self.next() % 80,
            };
            let significand = match self.next() % 5 {
                0 => INTEGER_BIT,
                1 => u64::MAX,
                2 => INTEGER_BIT | 1 << (self.next() % 63),
                3 => INTEGER_BIT | self.next() << 40,
                _ => {
                    self.next()
                        | if self.next().is_multiple_of(8) {
                            0
                        } else {
                            INTEGER_BIT
                        }
                }
            };
            let sign = (self.next() as u16) & SIGN;
            if self.next().is_multiple_of(16) {
                F80::new(sign, 0)
            } else {
                F80::new(sign | e as u16, significand)
            }
        }
    }

    fn flags(env: &FloatEnv) -> (bool, bool) {
        assert!((env.flags - Flags::INEXACT).is_empty());
        (env.flags.contains(Flags::INEXACT), env.rounded_up)
    }

    #[test]
    fn operations_are_as_softfloat_has_them() {
        let mut random = Random(0x2545_F491_4F6C_DD1D);
        for op in [
            Operation::Add,
            Operation::Mul,
            Operation::Sub,
            Operation::SubReverse,
            Operation::Div,
            Operation::DivReverse,
        ] {
            let mut taken = 0;
            for _ in 0..200_000 {
                let (a, b) = (random.number(), random.number());
                let Some(r) = operate(op, a, b) else { continue };
                taken += 1;
                let mut env = FloatEnv::x87(0x37F);
                let expected: F80 = match op {
                    Operation::Add => sf::add(a, b, &mut env),
                    Operation::Mul => sf::mul(a, b, &mut env),
                    Operation::Sub => sf::sub(a, b, &mut env),
                    Operation::SubReverse => sf::sub(b, a, &mut env),
                    Operation::Div => sf::div(a, b, &mut env),
                    Operation::DivReverse => sf::div(b, a, &mut env),
                };
                assert_eq!(r.value, expected, "{op:?} {a:x?} {b:x?}");
                assert_eq!((r.inexact, r.up), flags(&env), "{op:?} {a:x?} {b:x?}");
            }
            assert!(taken > 50_000, "{op:?}: {taken}");
        }
    }

    #[test]
    fn conversions_are_as_softfloat_has_them() {
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        let mut taken = [0; 4];
        for _ in 0..200_000 {
            let v = random.number();
            if let Some(r) = to_f64(v) {
                let mut env = FloatEnv::x87(0x37F);
                let expected: F64 = sf::convert(Operand::from(v), &mut env);
                assert_eq!(
                    (r.value, r.inexact, r.up),
                    (expected.0, flags(&env).0, flags(&env).1),
                    "{v:x?}"
                );
                taken[0] += 1;
            }
            if let Some(r) = to_f32(v) {
                let mut env = FloatEnv::x87(0x37F);
                let expected: F32 = sf::convert(Operand::from(v), &mut env);
                assert_eq!(
                    (r.value, r.inexact, r.up),
                    (expected.0.into(), flags(&env).0, flags(&env).1),
                    "{v:x?}"
                );
                taken[1] += 1;
            }
            let mut env = FloatEnv::x87(0x37F);
            let bits = random.next();
            if let Some(wide) = from_f64(bits) {
                assert_eq!(
                    wide,
                    sf::convert(Operand::from(F64(bits)), &mut env),
                    "{bits:x}"
                );
                taken[2] += 1;
            }
            if let Some(wide) = from_f32(bits as u32) {
                assert_eq!(
                    wide,
                    sf::convert(Operand::from(F32(bits as u32)), &mut env),
                    "{bits:x}"
                );
                taken[3] += 1;
            }
            let integer = bits as i64 >> (random.next() % 64);
            assert_eq!(
                from_integer(integer),
                sf::convert(Operand::from(integer), &mut env),
                "{integer}"
            );
            assert!(env.flags.is_empty());
        }
        assert!(taken.iter().all(|&n| n > 20_000), "{taken:?}");
    }
}
