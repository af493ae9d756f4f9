//! Half precision, a format of conversions alone (SDM vol. 1, section 14.4; IEEE 754 binary16).

use super::convert::convert;
use super::{Class, F32, Flags, Float, FloatEnv, Layout, Operand, Rounded, Unrounded, round};

const LAYOUT: Layout = Layout {
    precision: 11,
    min_exponent: -14,
    max_exponent: 15,
    bias_adjust: None,
};

/// VCVTPH2PS of one lane. Denormals raise nothing and DAZ does not matter.
pub fn from_half(half: u16, env: &mut FloatEnv) -> F32 {
    let (sign, exponent) = (half >> 15 != 0, i32::from(half >> 10 & 0x1F));
    let fraction = u64::from(half & 0x3FF) << 53;
    match exponent {
        0x1F if fraction == 0 => F32::infinity(sign),
        0x1F => {
            if half & 0x200 == 0 {
                env.raise(Flags::INVALID);
            }
            F32::pack_nan(sign, fraction | 1 << 63)
        }
        // A single holds every half exactly.
        0 => convert(Operand::finite(sign, -14, fraction, false), env),
        _ => convert(
            Operand::finite(sign, exponent - 15, fraction | 1 << 63, false),
            env,
        ),
    }
}

/// VCVTPS2PH of one lane.
pub fn to_half(single: F32, env: &mut FloatEnv) -> u16 {
    let operand = Operand::from(single);
    let sign = u16::from(operand.sign) << 15;
    match operand.class {
        Class::Zero => sign,
        Class::Infinity => sign | 0x7C00,
        Class::QuietNan | Class::SignallingNan | Class::Unsupported => {
            if operand.class == Class::SignallingNan {
                env.raise(Flags::INVALID);
            }
            sign | 0x7E00 | (operand.significand >> 53) as u16 & 0x3FF
        }
        Class::Finite => {
            if operand.denormal && env.denormals_are_zero {
                return sign;
            }
            if env.denormal_operand_stops(operand.denormal) {
                return 0;
            }
            if operand.denormal {
                // Less than every half: inexact, as processors say even with underflow unmasked.
                env.raise(Flags::INEXACT);
            }
            let value = Unrounded {
                sign: operand.sign,
                exponent: operand.exponent,
                significand: u128::from(operand.significand) << 64,
            };
            match round(value, &LAYOUT, env) {
                Rounded::Zero => sign,
                Rounded::Infinity => sign | 0x7C00,
                Rounded::Finite {
                    exponent,
                    significand,
                } => {
                    let biased = if significand >> 63 != 0 {
                        (exponent + 15) as u16
                    } else {
                        0
                    };
                    sign | biased << 10 | (significand >> 53) as u16 & 0x3FF
                }
            }
        }
    }
}
