//! From an exact value to a significand of the destination's width (SDM vol. 1, sections 4.8.4, 4.9.1.4 to 4.9.1.6).

use super::{Flags, FloatEnv, Rounding};

/// An exact non-zero value `significand / 2^127 * 2^exponent`. Bit 127 is set; bit 0 is sticky: it is 1 if anything
/// below it is not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unrounded {
    /// The sign.
    pub sign: bool,
    /// Unbiased exponent.
    pub exponent: i32,
    /// Significand.
    pub significand: u128,
}

impl Unrounded {
    /// Normalises; none if the significand is zero.
    #[inline]
    pub(super) fn normalised(sign: bool, exponent: i32, significand: u128) -> Option<Self> {
        if significand == 0 {
            return None;
        }
        let shift = significand.leading_zeros();
        Some(Self {
            sign,
            exponent: exponent - shift as i32,
            significand: significand << shift,
        })
    }
}

/// What a destination can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Bits of the significand, the integer bit included.
    pub precision: u32,
    /// Exponent of the smallest normal number.
    pub min_exponent: i32,
    /// Exponent of the largest finite number.
    pub max_exponent: i32,
    /// What the unmasked response to overflow subtracts from the exponent, and to underflow adds
    /// (SDM vol. 1, section 8.5.4); none for a destination that is then left alone.
    pub bias_adjust: Option<i32>,
}

/// A rounded magnitude.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounded {
    /// Zero.
    Zero,
    /// `significand / 2^63 * 2^exponent`; bit 63 is clear only for a denormal, which has the smallest exponent.
    Finite {
        /// Unbiased exponent.
        exponent: i32,
        /// Significand, aligned to the left.
        significand: u64,
    },
    /// Infinity.
    Infinity,
}

/// Shifts right; the lowest bit of the result gathers what falls out.
#[inline]
pub(super) const fn shift_right_sticky(value: u128, shift: u32) -> u128 {
    match shift {
        0 => value,
        1..=127 => value >> shift | (value << (128 - shift) != 0) as u128,
        _ => (value != 0) as u128,
    }
}

/// Whether rounding goes away from zero, given the last kept bit and what lies below it (scaled so that one half is
/// bit 63, the lowest bit sticky).
#[inline]
pub(super) const fn rounds_up(rounding: Rounding, sign: bool, odd: bool, rest: u64) -> bool {
    const HALF: u64 = 1 << 63;
    match rounding {
        Rounding::Nearest => rest > HALF - odd as u64,
        Rounding::Down => sign && rest != 0,
        Rounding::Up => !sign && rest != 0,
        Rounding::Truncate => false,
    }
}

struct Cut {
    /// Aligned to the left.
    significand: u64,
    /// The increment ran out at the top: the value is the next power of two.
    carry: bool,
    inexact: bool,
    up: bool,
}

/// Keeps the top `precision` bits (1 to 64).
#[inline]
fn cut(sign: bool, significand: u128, precision: u32, rounding: Rounding) -> Cut {
    let (high, low) = ((significand >> 64) as u64, significand as u64);
    let (kept, rest) = if precision == 64 {
        (high, low)
    } else {
        let below = u64::MAX >> precision;
        (high & !below, high << precision | u64::from(low != 0))
    };
    let unit = 1 << (64 - precision);
    let up = rounds_up(rounding, sign, kept & unit != 0, rest);
    let (significand, carry) = kept.overflowing_add(if up { unit } else { 0 });
    Cut {
        significand,
        carry,
        inexact: rest != 0,
        up,
    }
}

/// Rounds to the layout and raises overflow, underflow and inexact.
#[inline]
pub fn round(value: Unrounded, layout: &Layout, env: &mut FloatEnv) -> Rounded {
    let sign = value.sign;
    let normal = cut(sign, value.significand, layout.precision, env.rounding);
    let (exponent, significand) = if normal.carry {
        (value.exponent + 1, 1 << 63)
    } else {
        (value.exponent, normal.significand)
    };
    if exponent > layout.max_exponent {
        return overflowed(sign, exponent, significand, &normal, layout, env);
    }
    // Tiny is decided after rounding as if the exponent had no bounds.
    if exponent < layout.min_exponent {
        return tiny(value, exponent, significand, &normal, layout, env);
    }
    env.rounded(normal.inexact, normal.up);
    Rounded::Finite {
        exponent,
        significand,
    }
}

#[cold]
fn overflowed(
    sign: bool,
    exponent: i32,
    significand: u64,
    cut: &Cut,
    layout: &Layout,
    env: &mut FloatEnv,
) -> Rounded {
    env.raise(Flags::OVERFLOW);
    if !env.is_masked(Flags::OVERFLOW) {
        return unmasked(exponent, significand, cut, layout, env, false);
    }
    let infinite = match env.rounding {
        Rounding::Nearest => true,
        Rounding::Down => sign,
        Rounding::Up => !sign,
        Rounding::Truncate => false,
    };
    env.rounded(true, infinite);
    if infinite {
        return Rounded::Infinity;
    }
    Rounded::Finite {
        exponent: layout.max_exponent,
        significand: u64::MAX << (64 - layout.precision),
    }
}

#[cold]
fn tiny(
    value: Unrounded,
    exponent: i32,
    significand: u64,
    normal: &Cut,
    layout: &Layout,
    env: &mut FloatEnv,
) -> Rounded {
    if !env.is_masked(Flags::UNDERFLOW) {
        env.raise(Flags::UNDERFLOW);
        return unmasked(exponent, significand, normal, layout, env, true);
    }
    if env.flush_to_zero {
        env.raise(Flags::UNDERFLOW);
        env.rounded(true, false);
        return Rounded::Zero;
    }
    let shift = layout.min_exponent.abs_diff(value.exponent);
    let denormal = cut(
        value.sign,
        shift_right_sticky(value.significand, shift),
        layout.precision,
        env.rounding,
    );
    if denormal.inexact {
        env.raise(Flags::UNDERFLOW);
    }
    env.rounded(denormal.inexact, denormal.up);
    match denormal.significand {
        0 => Rounded::Zero,
        significand => Rounded::Finite {
            exponent: layout.min_exponent,
            significand,
        },
    }
}

/// The unmasked response: the significand rounded as usual, the exponent brought back into range. FSCALE can be out
/// of range even then: it gives infinity or zero, inexactly.
fn unmasked(
    exponent: i32,
    significand: u64,
    cut: &Cut,
    layout: &Layout,
    env: &mut FloatEnv,
    tiny: bool,
) -> Rounded {
    let adjust = layout.bias_adjust.unwrap_or(0);
    let exponent = if tiny {
        exponent.saturating_add(adjust)
    } else {
        exponent.saturating_sub(adjust)
    };
    if layout.bias_adjust.is_some() {
        if exponent > layout.max_exponent {
            env.rounded(true, true);
            return Rounded::Infinity;
        }
        if exponent < layout.min_exponent {
            env.rounded(true, false);
            return Rounded::Zero;
        }
    }
    env.rounded(cut.inexact, cut.up);
    Rounded::Finite {
        exponent: exponent.clamp(layout.min_exponent, layout.max_exponent),
        significand,
    }
}
