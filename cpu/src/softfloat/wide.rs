//! Arithmetic on [`Unrounded`] values and on 128-bit fractions, for the functions that have no exact result. Each
//! operation errs by a few units of the last of 127 bits; bit 0 of an [`Unrounded`] result is sticky.

use super::Unrounded;

/// 1 with 127 bits behind the point.
pub(super) const ONE: u128 = 1 << 127;

/// The 256-bit product: high and low half.
const fn wide_product(a: u128, b: u128) -> (u128, u128) {
    const LOW: u128 = u64::MAX as u128;
    let (a1, a0, b1, b0) = (a >> 64, a & LOW, b >> 64, b & LOW);
    let (low, mid, cross) = (a0 * b0, a1 * b0, a0 * b1);
    let carry = ((low >> 64) + (mid & LOW) + (cross & LOW)) >> 64;
    let high = a1 * b1 + (mid >> 64) + (cross >> 64) + carry;
    (high, a.wrapping_mul(b))
}

/// The high half of the product: the product of two fractions of which one has 128 bits behind the point, in the
/// format of the other.
pub(super) const fn fraction_product(a: u128, b: u128) -> u128 {
    wide_product(a, b).0
}

/// `a / b` of two significands with bit 127 set: a significand with bit 127 set, and what to add to the exponent.
const fn quotient_of_significands(a: u128, b: u128) -> (u128, i32) {
    let (mut rest, mut quotient, mut bits, exponent) = if a >= b {
        (a - b, 1, 127, 0)
    } else {
        (a, 0, 128, -1)
    };
    while bits > 0 {
        let carry = rest >> 127 != 0;
        rest <<= 1;
        quotient <<= 1;
        if carry || rest >= b {
            rest = rest.wrapping_sub(b);
            quotient |= 1;
        }
        bits -= 1;
    }
    (quotient | (rest != 0) as u128, exponent)
}

impl Unrounded {
    /// One.
    pub(super) const ONE: Self = Self {
        sign: false,
        exponent: 0,
        significand: ONE,
    };

    /// `self * other`.
    pub(super) const fn times(self, other: Self) -> Self {
        let (high, low) = wide_product(self.significand, other.significand);
        let exponent = self.exponent + other.exponent;
        let (exponent, significand, rest) = if high >> 127 != 0 {
            (exponent + 1, high, low)
        } else {
            (exponent, high << 1 | low >> 127, low << 1)
        };
        Self {
            sign: self.sign != other.sign,
            exponent,
            significand: significand | (rest != 0) as u128,
        }
    }

    /// `self * fraction`, the fraction with 127 bits behind the point; none if it is zero.
    pub(super) fn times_fraction(self, fraction: u128) -> Option<Self> {
        let factor = Self::normalised(false, 0, fraction)?;
        Some(self.times(factor))
    }

    /// `self / other`.
    pub(super) const fn over(self, other: Self) -> Self {
        let (significand, exponent) = quotient_of_significands(self.significand, other.significand);
        Self {
            sign: self.sign != other.sign,
            exponent: self.exponent - other.exponent + exponent,
            significand,
        }
    }

    /// The magnitude with `bits` bits behind the point, cut off; the caller knows that it fits.
    pub(super) const fn fixed(self, bits: u32) -> u128 {
        let shift = 127 - bits as i32 - self.exponent;
        match shift {
            0 => self.significand,
            1..=127 => self.significand >> shift,
            i32::MIN..=-1 => self.significand << (-shift & 127),
            _ => 0,
        }
    }

    /// The square with 128 bits behind the point; the magnitude is below 1.
    pub(super) const fn square_fraction(self) -> u128 {
        let high = fraction_product(self.significand, self.significand);
        // significand / 2^127 * 2^exponent, squared: high / 2^126 * 2^(2 * exponent).
        let shift = -2 - 2 * self.exponent;
        match shift {
            0..=127 => high >> shift,
            _ => 0,
        }
    }

    /// A little less in magnitude: for a value that was computed as exact and is not.
    pub(super) const fn less_an_iota(self) -> Self {
        let below = self.significand - 1;
        if below >> 127 != 0 {
            Self {
                significand: below | 1,
                ..self
            }
        } else {
            Self {
                exponent: self.exponent - 1,
                significand: u128::MAX,
                ..self
            }
        }
    }

    /// A little more in magnitude.
    pub(super) const fn more_an_iota(self) -> Self {
        Self {
            significand: self.significand | 1,
            ..self
        }
    }
}
