//! An encoding taken apart.

/// What an operand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Plus or minus zero.
    Zero,
    /// Finite and not zero.
    Finite,
    /// Plus or minus infinity.
    Infinity,
    /// Quiet NaN.
    QuietNan,
    /// Signalling NaN.
    SignallingNan,
    /// An extended-precision encoding the 80387 and later reject: pseudo-NaN, pseudo-infinity, unnormal
    /// (SDM vol. 1, table 8-3).
    Unsupported,
}

/// An unpacked operand of any format.
///
/// A finite one has the value `significand / 2^63 * 2^exponent`, bit 63 of the significand set. A NaN keeps its
/// significand, aligned to the left with the integer bit set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand {
    /// What it is.
    pub class: Class,
    /// The sign bit.
    pub sign: bool,
    /// Its encoding was a denormal or a pseudo-denormal, in its own format.
    pub denormal: bool,
    /// Unbiased exponent.
    pub exponent: i32,
    /// Significand.
    pub significand: u64,
}

impl Operand {
    /// Zero.
    pub const fn zero(sign: bool) -> Self {
        Self {
            class: Class::Zero,
            sign,
            denormal: false,
            exponent: 0,
            significand: 0,
        }
    }

    /// Not finite: infinity, NaN or unsupported.
    pub(super) const fn special(class: Class, sign: bool, significand: u64) -> Self {
        Self {
            class,
            sign,
            denormal: false,
            exponent: 0,
            significand,
        }
    }

    /// `significand / 2^63 * 2^exponent`, normalised here; zero if the significand is.
    #[inline]
    pub const fn finite(sign: bool, exponent: i32, significand: u64, denormal: bool) -> Self {
        if significand == 0 {
            return Self::zero(sign);
        }
        let shift = significand.leading_zeros();
        Self {
            class: Class::Finite,
            sign,
            denormal,
            exponent: exponent - shift as i32,
            significand: significand << shift,
        }
    }

    /// Whether it is a NaN of either kind.
    pub const fn is_nan(&self) -> bool {
        matches!(self.class, Class::QuietNan | Class::SignallingNan)
    }

    /// Whether any operation other than moving it is invalid.
    pub(super) const fn signals(&self) -> bool {
        matches!(self.class, Class::SignallingNan | Class::Unsupported)
    }

    /// With the sign inverted.
    #[inline]
    pub const fn negated(mut self) -> Self {
        self.sign = !self.sign;
        self
    }
}

impl From<i64> for Operand {
    fn from(value: i64) -> Self {
        Self::finite(value < 0, 63, value.unsigned_abs(), false)
    }
}

impl From<i32> for Operand {
    fn from(value: i32) -> Self {
        i64::from(value).into()
    }
}

impl From<i16> for Operand {
    fn from(value: i16) -> Self {
        i64::from(value).into()
    }
}
