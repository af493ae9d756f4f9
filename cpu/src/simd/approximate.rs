//! RCPPS and RSQRTPS (SDM vol. 2): |relative error| <= 1.5 * 2^-12, no flags, no rounding control. The manual leaves the
//! values open; ours are the exact functions at the middle of the interval of 2^-11 that the operand lies in, to 14
//! bits, the same on every host.

use super::lane::{build, lane, with};

const SIGN: u32 = 1 << 31;
const INFINITY: u32 = 0x7F80_0000;
const QUIET: u32 = 0x0040_0000;
/// The default NaN.
const INDEFINITE: u32 = 0xFFC0_0000;
/// Bits of the significand that are looked at, the integer bit not counted.
const INDEX_BITS: u32 = 11;
/// Bits of the result behind the point.
const RESULT_BITS: u32 = 14;

/// The middle of the operand's interval, times 2^24: 2^24 to 2^25.
fn middle(bits: u32) -> u64 {
    let fraction = bits & 0x7F_FFFF;
    let index = fraction >> (23 - INDEX_BITS);
    u64::from(((1 << INDEX_BITS | index) << 1 | 1) << (23 - INDEX_BITS))
}

/// `2^(exponent - 127) * significand / 2^RESULT_BITS`, the significand from 2^RESULT_BITS to 2^(RESULT_BITS + 1).
fn assemble(sign: u32, exponent: i32, significand: u64) -> u32 {
    if exponent < 1 {
        return sign;
    }
    let fraction = (significand as u32 & ((1 << RESULT_BITS) - 1)) << (23 - RESULT_BITS);
    sign | (exponent as u32) << 23 | fraction
}

/// 1 / x.
pub fn reciprocal(x: u32) -> u32 {
    let (sign, exponent) = (x & SIGN, (x >> 23 & 0xFF) as i32);
    match exponent {
        // Denormals are taken as zeros.
        0 => sign | INFINITY,
        0xFF if x & 0x7F_FFFF != 0 => x | QUIET,
        0xFF => sign,
        _ => {
            // 1 / m lies in (1/2, 1): one more bit keeps RESULT_BITS behind the first.
            let q = (1u64 << (24 + RESULT_BITS + 1)) / middle(x);
            assemble(sign, 253 - exponent, q)
        }
    }
}

/// 1 / sqrt(x).
pub fn reciprocal_root(x: u32) -> u32 {
    let (sign, exponent) = (x & SIGN, (x >> 23 & 0xFF) as i32);
    match exponent {
        0 => sign | INFINITY,
        0xFF if x & 0x7F_FFFF != 0 => x | QUIET,
        _ if sign != 0 => INDEFINITE,
        0xFF => 0,
        _ => {
            let odd = (exponent - 127) & 1;
            // x = m * 2^odd * 2^even; 1 / sqrt(m * 2^odd) lies in (1/2, 1).
            let m = u128::from(middle(x)) << odd;
            let square = (1u128 << (24 + 2 * (RESULT_BITS + 1))) / m;
            let even = exponent - 127 - odd;
            assemble(0, 126 - even / 2, square.isqrt() as u64)
        }
    }
}

/// RCPPS.
pub fn reciprocals(_: u128, b: u128, _: u8) -> u128 {
    build(|i| reciprocal(lane(b, i)))
}
/// RSQRTPS.
pub fn reciprocal_roots(_: u128, b: u128, _: u8) -> u128 {
    build(|i| reciprocal_root(lane(b, i)))
}
/// RCPSS.
pub fn reciprocal_lowest(a: u128, b: u128, _: u8) -> u128 {
    with(a, 0, reciprocal(lane(b, 0)))
}
/// RSQRTSS.
pub fn reciprocal_root_lowest(a: u128, b: u128, _: u8) -> u128 {
    with(a, 0, reciprocal_root(lane(b, 0)))
}
