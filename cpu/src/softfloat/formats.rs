//! The three encodings (SDM vol. 1, section 4.2.2 and table 4-3).

use super::{Class, Flags, FloatEnv, Layout, Operand, Rounded, Unrounded, round};

/// Single precision, as its bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct F32(pub u32);

/// Double precision, as its bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct F64(pub u64);

/// Double extended precision, as its bits. Bit 63 of the significand is the integer bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct F80 {
    /// Bit 15: sign; bits 14-0: exponent, biased by 16383.
    pub sign_exp: u16,
    /// Significand.
    pub significand: u64,
}

const INTEGER_BIT: u64 = 1 << 63;
const QUIET_BIT: u64 = 1 << 62;

/// A destination format.
pub trait Float: Copy + Into<Operand> {
    /// Whether NaNs propagate by the rules of the x87 (the larger significand) rather than those of SSE (the first
    /// operand): SDM vol. 1, table 4-7.
    const X87_NANS: bool;

    /// The layout; `precise` ignores precision control.
    fn layout(env: &FloatEnv, precise: bool) -> Layout;

    /// Packs a magnitude.
    fn pack(sign: bool, rounded: Rounded) -> Self;

    /// Packs a NaN, made quiet.
    fn pack_nan(sign: bool, significand: u64) -> Self;

    /// The default NaN, "real indefinite".
    fn indefinite() -> Self {
        Self::pack_nan(true, INTEGER_BIT | QUIET_BIT)
    }

    /// Zero.
    fn zero(sign: bool) -> Self {
        Self::pack(sign, Rounded::Zero)
    }

    /// Infinity.
    fn infinity(sign: bool) -> Self {
        Self::pack(sign, Rounded::Infinity)
    }

    /// Raises invalid operation and gives the masked response.
    fn invalid(env: &mut FloatEnv) -> Self {
        env.raise(Flags::INVALID);
        Self::indefinite()
    }

    /// Rounds and packs under precision control.
    #[inline]
    fn from_unrounded(value: Unrounded, env: &mut FloatEnv) -> Self {
        let layout = Self::layout(env, false);
        Self::pack(value.sign, round(value, &layout, env))
    }

    /// Rounds and packs at the full precision of the format.
    #[inline]
    fn from_unrounded_precise(value: Unrounded, env: &mut FloatEnv) -> Self {
        let layout = Self::layout(env, true);
        Self::pack(value.sign, round(value, &layout, env))
    }
}

/// Unpacks an interchange format with a hidden integer bit, its fraction already aligned to bit 62.
#[inline]
const fn unpack(sign: bool, biased: u32, max_biased: u32, bias: i32, fraction: u64) -> Operand {
    if biased == max_biased {
        let class = if fraction == 0 {
            Class::Infinity
        } else if fraction & QUIET_BIT != 0 {
            Class::QuietNan
        } else {
            Class::SignallingNan
        };
        Operand::special(class, sign, fraction | INTEGER_BIT)
    } else if biased == 0 {
        Operand::finite(sign, 1 - bias, fraction, true)
    } else {
        Operand::finite(sign, biased as i32 - bias, fraction | INTEGER_BIT, false)
    }
}

/// The biased exponent for a rounded magnitude: 0 for a denormal.
#[inline]
const fn biased(exponent: i32, significand: u64, bias: i32) -> u64 {
    if significand & INTEGER_BIT != 0 {
        (exponent + bias) as u64
    } else {
        0
    }
}

impl From<F32> for Operand {
    #[inline]
    fn from(F32(bits): F32) -> Self {
        let fraction = u64::from(bits & 0x7F_FFFF) << 40;
        unpack(bits >> 31 != 0, bits >> 23 & 0xFF, 0xFF, 127, fraction)
    }
}

impl From<F64> for Operand {
    #[inline]
    fn from(F64(bits): F64) -> Self {
        let fraction = (bits << 11) & !INTEGER_BIT;
        let exponent = (bits >> 52) as u32 & 0x7FF;
        unpack(bits >> 63 != 0, exponent, 0x7FF, 1023, fraction)
    }
}

impl From<F80> for Operand {
    #[inline]
    fn from(value: F80) -> Self {
        let sign = value.sign();
        let significand = value.significand;
        let integer = significand & INTEGER_BIT != 0;
        match value.sign_exp & 0x7FFF {
            0 => Self::finite(sign, -16382, significand, true),
            _ if !integer => Self::special(Class::Unsupported, sign, significand),
            0x7FFF => {
                let class = if significand == INTEGER_BIT {
                    Class::Infinity
                } else if significand & QUIET_BIT != 0 {
                    Class::QuietNan
                } else {
                    Class::SignallingNan
                };
                Self::special(class, sign, significand)
            }
            biased => Self {
                class: Class::Finite,
                sign,
                denormal: false,
                exponent: i32::from(biased) - 16383,
                significand,
            },
        }
    }
}

impl Float for F32 {
    const X87_NANS: bool = false;

    #[inline]
    fn layout(_: &FloatEnv, _: bool) -> Layout {
        Layout {
            precision: 24,
            min_exponent: -126,
            max_exponent: 127,
            bias_adjust: None,
        }
    }

    #[inline]
    fn pack(sign: bool, rounded: Rounded) -> Self {
        let magnitude = match rounded {
            Rounded::Zero => 0,
            Rounded::Finite {
                exponent,
                significand,
            } => biased(exponent, significand, 127) << 23 | (significand >> 40 & 0x7F_FFFF),
            Rounded::Infinity => 0xFF << 23,
        };
        Self(u32::from(sign) << 31 | magnitude as u32)
    }

    #[inline]
    fn pack_nan(sign: bool, significand: u64) -> Self {
        let fraction = (significand | QUIET_BIT) >> 40 & 0x7F_FFFF;
        Self(u32::from(sign) << 31 | 0xFF << 23 | fraction as u32)
    }
}

impl Float for F64 {
    const X87_NANS: bool = false;

    #[inline]
    fn layout(_: &FloatEnv, _: bool) -> Layout {
        Layout {
            precision: 53,
            min_exponent: -1022,
            max_exponent: 1023,
            bias_adjust: None,
        }
    }

    #[inline]
    fn pack(sign: bool, rounded: Rounded) -> Self {
        let magnitude = match rounded {
            Rounded::Zero => 0,
            Rounded::Finite {
                exponent,
                significand,
            } => biased(exponent, significand, 1023) << 52 | (significand & !INTEGER_BIT) >> 11,
            Rounded::Infinity => 0x7FF << 52,
        };
        Self(u64::from(sign) << 63 | magnitude)
    }

    #[inline]
    fn pack_nan(sign: bool, significand: u64) -> Self {
        let fraction = (significand & !INTEGER_BIT | QUIET_BIT) >> 11;
        Self(u64::from(sign) << 63 | 0x7FF << 52 | fraction)
    }
}

impl Float for F80 {
    const X87_NANS: bool = true;

    #[inline]
    fn layout(env: &FloatEnv, precise: bool) -> Layout {
        Layout {
            precision: if precise { 64 } else { env.precision.bits() },
            min_exponent: -16382,
            max_exponent: 16383,
            bias_adjust: Some(24576),
        }
    }

    #[inline]
    fn pack(sign: bool, rounded: Rounded) -> Self {
        let (exponent, significand) = match rounded {
            Rounded::Zero => (0, 0),
            Rounded::Finite {
                exponent,
                significand,
            } => (biased(exponent, significand, 16383) as u16, significand),
            Rounded::Infinity => (0x7FFF, INTEGER_BIT),
        };
        Self::new(u16::from(sign) << 15 | exponent, significand)
    }

    #[inline]
    fn pack_nan(sign: bool, significand: u64) -> Self {
        Self::new(
            u16::from(sign) << 15 | 0x7FFF,
            significand | INTEGER_BIT | QUIET_BIT,
        )
    }
}

impl F80 {
    /// Plus zero.
    pub const ZERO: Self = Self::new(0, 0);
    /// One.
    pub const ONE: Self = Self::new(16383, INTEGER_BIT);
    /// The default NaN.
    pub const INDEFINITE: Self = Self::new(0xFFFF, INTEGER_BIT | QUIET_BIT);

    /// From its two parts.
    pub const fn new(sign_exp: u16, significand: u64) -> Self {
        Self {
            sign_exp,
            significand,
        }
    }

    /// From its ten bytes in memory, little-endian.
    pub const fn from_le_bytes(bytes: [u8; 10]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j] = bytes;
        Self::new(
            u16::from_le_bytes([i, j]),
            u64::from_le_bytes([a, b, c, d, e, f, g, h]),
        )
    }

    /// Its ten bytes in memory, little-endian.
    pub fn to_le_bytes(self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&self.significand.to_le_bytes());
        bytes[8..].copy_from_slice(&self.sign_exp.to_le_bytes());
        bytes
    }

    /// The same value; a pseudo-denormal becomes the normal number that it is.
    pub(super) const fn without_pseudo_denormal(self) -> Self {
        let pseudo = self.sign_exp & 0x7FFF == 0 && self.significand & INTEGER_BIT != 0;
        Self::new(self.sign_exp | pseudo as u16, self.significand)
    }

    /// The sign bit.
    pub const fn sign(self) -> bool {
        self.sign_exp >> 15 != 0
    }

    /// FABS: clears the sign of any encoding.
    pub const fn abs(self) -> Self {
        Self::new(self.sign_exp & 0x7FFF, self.significand)
    }

    /// FCHS: inverts the sign of any encoding.
    pub const fn negate(self) -> Self {
        Self::new(self.sign_exp ^ 0x8000, self.significand)
    }
}
