//! Arithmetic and conversions of ordinary numbers (zero or normal) in few steps, for the control words that nearly all
//! programs have: rounding to nearest, the precision exception masked. Whatever else there is, and operands near either end
//! of the range, are `softfloat`'s.

use super::arith::Operation;
use super::state::{C0, C1, C2, C3, EXCEPTIONS, Fpu};
use super::transfer::Constant;
use crate::softfloat::{F80, Flags, Rounding};
use std::hint::select_unpredictable;

const SIGN: u16 = 0x8000;
const EXPONENT: u16 = 0x7FFF;
const BIAS: i32 = 16383;
const INTEGER_BIT: u64 = 1 << 63;
const HALF: u64 = 1 << 63;

/// The lowest biased exponent of an operand of arithmetic that is ordinary, and how many there are: no sum, product or
/// quotient of two such numbers, nor a root, comes near an end of the range. Numbers of double precision are all in there.
const LOWEST: i32 = BIAS - SPAN / 2;
const SPAN: i32 = 0x2000;

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
    /// An exact result.
    #[inline(always)]
    pub const fn exact(value: T) -> Self {
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
    v.significand >= INTEGER_BIT && e.wrapping_sub(1) < EXPONENT - 1
}

/// Whether both are normal, and far from the ends of the range.
#[inline(always)]
const fn are_inner(a: F80, b: F80) -> bool {
    let (x, y) = (exponent(a) - LOWEST, exponent(b) - LOWEST);
    ((x | y) as u32) < SPAN as u32 && (a.significand & b.significand) >= INTEGER_BIT
}

/// To nearest, ties to even: whether the kept bits go up, given the ones below with a half as bit 63.
#[inline(always)]
const fn goes_up(kept: u64, rest: u64) -> bool {
    // It carries if the rest is above a half, or if it is a half and what is kept is odd.
    rest.overflowing_add(HALF - 1 + (kept & 1)).1
}

/// Rounds a magnitude whose bit 63 is set, given the bits below; the lowest of these gathers what is below itself. `dropped`
/// bits of the significand do not count, as precision control says.
#[inline(always)]
fn rounded(sign: u16, exponent: i32, kept: u64, rest: u64, dropped: u32) -> Rounded<F80> {
    if dropped != 0 {
        return rounded_short(sign, exponent, kept, rest, dropped);
    }
    let up = goes_up(kept, rest);
    let (kept, carry) = kept.overflowing_add(up.into());
    Rounded {
        value: F80 {
            sign_exp: sign | (exponent + i32::from(carry)) as u16,
            significand: kept | u64::from(carry) << 63,
        },
        inexact: rest != 0,
        up,
    }
}

/// As [`rounded`], where some bits are dropped.
#[inline(always)]
fn rounded_short(sign: u16, exponent: i32, kept: u64, rest: u64, dropped: u32) -> Rounded<F80> {
    let rest = kept << (64 - dropped) | u64::from(rest != 0);
    let kept = kept >> dropped;
    let up = goes_up(kept, rest);
    let kept = kept + u64::from(up);
    let carry = kept >> (64 - dropped);
    Rounded {
        value: F80 {
            sign_exp: sign | (exponent + carry as i32) as u16,
            significand: kept << dropped | carry << 63,
        },
        inexact: rest != 0,
        up,
    }
}

/// `a + b`.
#[inline(always)]
fn add(a: F80, b: F80, dropped: u32) -> Option<Rounded<F80>> {
    if !are_inner(a, b) {
        // What the sum has too many bits of would have to be dropped.
        return if dropped == 0 { add_zero(a, b) } else { None };
    }
    let key = |v: F80| u128::from(v.sign_exp & EXPONENT) << 64 | u128::from(v.significand);
    let swap = key(a) < key(b);
    let large = select_unpredictable(swap, b.significand, a.significand);
    let small = select_unpredictable(swap, a.significand, b.significand);
    let sign_exp = select_unpredictable(swap, b.sign_exp, a.sign_exp);
    let exponent = i32::from(sign_exp & EXPONENT);
    let distance = (exponent * 2 - self::exponent(a) - self::exponent(b)) as u32;
    // One bit of head room.
    let x = u128::from(large) << 63;
    let y = if distance < 64 {
        u128::from(small >> 1 >> distance) << 64 | u128::from(small << (63 - distance))
    } else if distance < 128 {
        let y = u128::from(small) << 63;
        y >> distance | u128::from(y << (128 - distance) != 0)
    } else {
        1
    };
    // All bits set to subtract.
    let negate = i128::from(((a.sign_exp ^ b.sign_exp) as i16) >> 15) as u128;
    let v = x.wrapping_add(y ^ negate).wrapping_sub(negate);
    let (mut high, mut low) = ((v >> 64) as u64, v as u64);
    let mut exponent = exponent + 1;
    if high == 0 {
        // Nearly all has cancelled out.
        if low == 0 {
            return Some(Rounded::exact(F80::ZERO));
        }
        (high, low, exponent) = (low, 0, exponent - 64);
    }
    let room = high.leading_zeros();
    let kept = high << room | low >> 1 >> (room ^ 63);
    let sign = sign_exp & SIGN;
    let exponent = exponent - room as i32;
    Some(rounded(sign, exponent, kept, low << room, dropped))
}

/// `a + b` if one of them is zero.
#[inline(always)]
fn add_zero(a: F80, b: F80) -> Option<Rounded<F80>> {
    let sum = match (is_zero(a), is_zero(b)) {
        // Zeros of different signs give the positive one.
        (true, true) => F80 {
            sign_exp: a.sign_exp & b.sign_exp,
            significand: 0,
        },
        (true, false) if is_normal(b) => b,
        (false, true) if is_normal(a) => a,
        _ => return None,
    };
    Some(Rounded::exact(sum))
}

/// `-v`.
#[inline(always)]
pub const fn negated(v: F80) -> F80 {
    F80 {
        sign_exp: v.sign_exp ^ SIGN,
        significand: v.significand,
    }
}

/// `v` without its sign.
#[inline(always)]
pub const fn absolute(v: F80) -> F80 {
    F80 {
        sign_exp: v.sign_exp & EXPONENT,
        significand: v.significand,
    }
}

/// The sign of a product or quotient.
#[inline(always)]
const fn sign_of_both(a: F80, b: F80) -> u16 {
    (a.sign_exp ^ b.sign_exp) & SIGN
}

/// A zero as product or quotient.
#[inline(always)]
fn signed_zero(a: F80, b: F80) -> Option<Rounded<F80>> {
    Some(Rounded::exact(F80 {
        sign_exp: sign_of_both(a, b),
        significand: 0,
    }))
}

/// `a * b`.
#[inline(always)]
fn mul(a: F80, b: F80, dropped: u32) -> Option<Rounded<F80>> {
    if !are_inner(a, b) {
        let zero = is_zero(a) && (is_zero(b) || is_normal(b)) || is_zero(b) && is_normal(a);
        return if zero { signed_zero(a, b) } else { None };
    }
    let product = u128::from(a.significand) * u128::from(b.significand);
    // Two leading bits multiply to one or two.
    let two = (product >> 127) as i32;
    let doubled = u128::from(two == 0).wrapping_neg();
    let product = product + (product & doubled);
    Some(rounded(
        sign_of_both(a, b),
        exponent(a) + exponent(b) - BIAS + two,
        (product >> 64) as u64,
        product as u64,
        dropped,
    ))
}

/// `a / b`.
#[inline(always)]
fn div(a: F80, b: F80, dropped: u32) -> Option<Rounded<F80>> {
    if !are_inner(a, b) {
        let zero = is_zero(a) && is_normal(b);
        return if zero { signed_zero(a, b) } else { None };
    }
    let below = a.significand < b.significand;
    let dividend = u128::from(a.significand) << if below { 64 } else { 63 };
    let divisor = u128::from(b.significand);
    let quotient = dividend / divisor;
    let twice = (dividend - quotient * divisor) * 2;
    let guard = u64::from(twice >= divisor);
    let sticky = u64::from(twice != 0 && twice != divisor);
    Some(rounded(
        sign_of_both(a, b),
        exponent(a) - exponent(b) + BIAS - i32::from(below),
        quotient as u64,
        guard << 63 | sticky,
        dropped,
    ))
}

/// The square root.
#[inline(always)]
pub fn square_root(v: F80, dropped: u32) -> Option<Rounded<F80>> {
    if is_zero(v) {
        return Some(Rounded::exact(v));
    }
    if v.sign_exp & SIGN != 0 || !are_inner(v, v) {
        return None;
    }
    let e = exponent(v) - BIAS;
    let radicand = u128::from(v.significand) << (63 + (e & 1));
    let root = integer_root(radicand);
    let rest = radicand - u128::from(root) * u128::from(root);
    // The root lies above `root` and a half exactly if the rest is above `root`, and it is never that.
    let guard = u64::from(rest > root.into());
    let below = guard << 63 | u64::from(rest != 0);
    Some(rounded(0, (e >> 1) + BIAS, root, below, dropped))
}

/// The integer below the square root of a number with bit 127 or 126 set.
#[inline(always)]
fn integer_root(v: u128) -> u64 {
    // Floats say where the search begins, integers where it ends.
    let estimate = ((v >> 66) as i64 as f64).sqrt();
    let root = (estimate * (1u64 << 33) as f64) as u64;
    // A step of Newton's, with what is left of `v`: it is below 2^80.
    let rest = v.wrapping_sub(u128::from(root) * u128::from(root)) as i128;
    let step = (rest >> 20) as i64 as f64 / (estimate * f64::from(1 << 14));
    let mut root = root.wrapping_add_signed(step as i64);
    loop {
        let square = u128::from(root) * u128::from(root);
        if square > v {
            root = root.wrapping_sub(1);
        } else if v - square > 2 * u128::from(root) {
            root = root.wrapping_add(1);
        } else {
            return root;
        }
    }
}

/// One of the six operations on `destination` and `source`. `dropped` bits of the significand do not count.
#[inline(always)]
pub fn operate(op: Operation, destination: F80, source: F80, dropped: u32) -> Option<Rounded<F80>> {
    match op {
        Operation::Add => add(destination, source, dropped),
        Operation::Mul => mul(destination, source, dropped),
        Operation::Sub => add(destination, negated(source), dropped),
        Operation::SubReverse => add(source, negated(destination), dropped),
        Operation::Div => div(destination, source, dropped),
        Operation::DivReverse => div(source, destination, dropped),
    }
}

/// A bit, or none.
#[inline(always)]
fn bit(set: bool, bit: u16) -> u16 {
    u16::from(set) * bit
}

/// Which of C0 and C3 a comparison of `a` with `b` sets, as neither is a NaN.
#[inline(always)]
pub fn compare(a: F80, b: F80) -> Option<u16> {
    let is_number = |v| is_normal(v) || is_zero(v);
    if !is_number(a) || !is_number(b) {
        return None;
    }
    // Numbers that stand in the same order; both zeros are 0.
    let key = |v: F80| {
        let magnitude = i128::from(exponent(v)) << 64 | i128::from(v.significand);
        let negative = i128::from(v.sign_exp as i16 >> 15);
        (magnitude ^ negative) - negative
    };
    let (a, b) = (key(a), key(b));
    Some(bit(a < b, C0) | bit(a == b, C3))
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
    let largest = (1 << exponent_bits) - 1;
    let sign = u64::from(v.sign_exp >> 15) << (exponent_bits + fraction_bits);
    let e = exponent(v) - (BIAS - largest / 2);
    if v.significand < INTEGER_BIT || !(2..=largest - 2).contains(&e) {
        return is_zero(v).then_some(Rounded::exact(sign));
    }
    let dropped = 63 - fraction_bits;
    let (kept, rest) = (v.significand >> dropped, v.significand << (64 - dropped));
    let up = goes_up(kept, rest);
    // With the hidden bit above the fraction, a carry goes into the exponent by itself.
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

/// The magnitude of an ordinary number, rounded to an integer; none from 2^63 on.
#[inline(always)]
fn integral(v: F80, rounding: Rounding) -> Option<Rounded<u64>> {
    let e = exponent(v) - BIAS;
    if v.significand < INTEGER_BIT || e >= 63 {
        return is_zero(v).then_some(Rounded::exact(0));
    }
    let (kept, rest) = if e >= -1 {
        (v.significand >> 1 >> (62 - e), v.significand << (e + 1))
    } else if e > -BIAS {
        // Less than a half, and not zero.
        (0, 1)
    } else {
        return None;
    };
    let inexact = rest != 0;
    let negative = v.sign_exp & SIGN != 0;
    let up = match rounding {
        Rounding::Nearest => goes_up(kept, rest),
        Rounding::Down => inexact && negative,
        Rounding::Up => inexact && !negative,
        Rounding::Truncate => false,
    };
    Some(Rounded {
        value: kept + u64::from(up),
        inexact,
        up,
    })
}

/// To an integer of so many bits.
#[inline(always)]
pub fn to_integer(v: F80, bits: u32, rounding: Rounding) -> Option<Rounded<u64>> {
    let r = integral(v, rounding)?;
    let negative = u64::from(v.sign_exp >> 15).wrapping_neg();
    (r.value >> (bits - 1) == 0).then_some(Rounded {
        value: (r.value ^ negative).wrapping_sub(negative),
        ..r
    })
}

/// To a number without a fraction.
#[inline(always)]
pub fn round_to_integral(v: F80, rounding: Rounding) -> Option<Rounded<F80>> {
    if is_normal(v) && exponent(v) >= BIAS + 63 {
        return Some(Rounded::exact(v));
    }
    let r = integral(v, rounding)?;
    let sign = v.sign_exp & SIGN;
    let (sign_exp, significand) = match r.value {
        0 => (sign, 0),
        n => {
            let room = n.leading_zeros();
            (sign | (BIAS + 63 - room as i32) as u16, n << room)
        }
    };
    Some(Rounded {
        value: F80 {
            sign_exp,
            significand,
        },
        inexact: r.inexact,
        up: r.up,
    })
}

impl Fpu {
    /// Takes over what a result says of itself.
    #[inline(always)]
    pub(crate) fn note<T>(&mut self, r: &Rounded<T>) {
        let precision = bit(r.inexact, u16::from(Flags::INEXACT.bits()));
        self.status = self.status & !C1 | bit(r.up, C1) | precision;
    }

    /// Pushes a value; none if there is no room.
    #[inline(always)]
    pub(crate) fn push_quick(&mut self, value: F80) -> Option<()> {
        let index = self.index(7);
        if self.occupied >> index & 1 != 0 {
            return None;
        }
        self.status &= !C1;
        self.registers[index] = value;
        self.occupied |= 1 << index;
        self.top = index as u8;
        Some(())
    }

    /// Pops.
    #[inline(always)]
    pub(crate) fn pop_quick(&mut self) {
        self.occupied &= !(1 << self.index(0));
        self.top = self.index(1) as u8;
    }

    /// Replaces ST(0) by a function of it that raises nothing.
    #[inline(always)]
    pub(crate) fn replace_quick(&mut self, f: impl FnOnce(F80) -> F80) -> Option<()> {
        let index = self.full(0)?;
        self.registers[index] = f(self.registers[index]);
        self.status &= !C1;
        Some(())
    }

    /// Replaces ST(0) by a function of it that rounds.
    #[inline(always)]
    pub(crate) fn round_quick(
        &mut self,
        f: impl FnOnce(F80) -> Option<Rounded<F80>>,
    ) -> Option<()> {
        let index = self.full(0)?;
        let r = f(self.registers[index])?;
        self.registers[index] = r.value;
        self.note(&r);
        Some(())
    }

    /// Copies ST(0) to ST(i).
    #[inline(always)]
    pub(crate) fn store_quick(&mut self, i: u8) -> Option<()> {
        let (from, to) = (self.full(0)?, self.index(i));
        self.registers[to] = self.registers[from];
        self.occupied |= 1 << to;
        self.status &= !C1;
        Some(())
    }

    /// Exchanges ST(0) and ST(i).
    #[inline(always)]
    pub(crate) fn exchange_quick(&mut self, i: u8) -> Option<()> {
        let (a, b) = (self.full(0)?, self.full(i)?);
        self.registers.swap(a, b);
        self.status &= !C1;
        Some(())
    }

    /// Pushes a constant.
    #[inline(always)]
    pub(crate) fn push_constant(&mut self, constant: Constant) -> Option<()> {
        self.push_quick(constant.rounded(self.rounding()))
    }

    /// Rounding control.
    #[inline(always)]
    pub(crate) const fn rounding(&self) -> Rounding {
        Rounding::from_bits(self.control >> 10)
    }

    /// C0 and C3 as a comparison of numbers gives them.
    #[inline(always)]
    pub(crate) fn set_relation(&mut self, relation: u16) {
        self.status = self.status & !(C0 | C1 | C2 | C3) | relation;
    }

    /// FLDCW that unmasks no flagged exception.
    #[inline(always)]
    pub(crate) fn load_control_quick(&mut self, word: u16) -> Option<()> {
        let word = self.control_word(word);
        if self.status & !word & EXCEPTIONS != 0 {
            return None;
        }
        self.control = word;
        self.settle(false);
        Some(())
    }

    /// The register that ST(i) is, unless it is empty.
    #[inline(always)]
    pub(crate) fn full(&self, i: u8) -> Option<usize> {
        let index = self.index(i);
        (self.occupied >> index & 1 != 0).then_some(index)
    }

    /// ST(i), unless it is empty.
    #[inline(always)]
    pub(crate) fn value(&self, i: u8) -> Option<F80> {
        Some(self.registers[self.full(i)?])
    }
}

#[cfg(test)]
mod tests;
