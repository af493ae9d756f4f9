//! Packed decimal: 18 digits, two to a byte, the sign in bit 79 (SDM vol. 1, section 4.7; vol. 2: FBLD, FBSTP).

use super::convert::integral;
use super::{Class, F80, Flags, Float, FloatEnv, Operand};

/// 10^18: the first magnitude that has no encoding.
const LIMIT: u64 = 1_000_000_000_000_000_000;

/// The packed BCD indefinite (SDM vol. 1, table 4-4).
pub const BCD_INDEFINITE: [u8; 10] = [0, 0, 0, 0, 0, 0, 0, 0xC0, 0xFF, 0xFF];

/// FBLD. Always exact. Digits above 9 are undefined in the manual; as the hardware does, each counts with its binary
/// value times its power of ten.
pub fn bcd_load(bytes: [u8; 10]) -> F80 {
    let sign = bytes[9] & 0x80 != 0;
    let magnitude = bytes[..9].iter().rev().fold(0u64, |value, byte| {
        // At most 15 in each of 18 digits: below 2^61.
        value * 100 + u64::from(byte >> 4) * 10 + u64::from(byte & 15)
    });
    let operand = Operand::finite(sign, 63, magnitude, false);
    match operand.class {
        Class::Zero => F80::zero(sign),
        _ => F80::new(
            u16::from(sign) << 15 | (operand.exponent + 16383) as u16,
            operand.significand,
        ),
    }
}

/// FBSTP: rounds to an integer by the rounding control.
pub fn bcd_store(a: F80, env: &mut FloatEnv) -> [u8; 10] {
    let operand = Operand::from(a);
    let integral = match operand.class {
        Class::Zero | Class::Finite => integral(&operand, env.rounding),
        _ => None,
    };
    let Some(i) = integral.filter(|i| i.magnitude < LIMIT) else {
        env.raise(Flags::INVALID);
        return BCD_INDEFINITE;
    };
    env.rounded(i.inexact, i.up);
    let mut bytes = [0; 10];
    let mut rest = i.magnitude;
    for byte in &mut bytes[..9] {
        let pair = (rest % 100) as u8;
        *byte = ((pair / 10) << 4) | (pair % 10);
        rest /= 100;
    }
    bytes[9] = u8::from(operand.sign) << 7;
    bytes
}
