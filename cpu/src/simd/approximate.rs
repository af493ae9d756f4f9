//! RCPPS and RSQRTPS (SDM vol. 2): |relative error| <= 1.5 * 2^-12, no flags, no rounding control. The manual leaves the
//! values open; ours are the exact functions at the middle of the interval of 2^-11 that the operand lies in, to 14
//! bits, the same on every host. Those of 3DNow! are made the same way, of smaller intervals.

use super::lane::{build, lane, with};

const SIGN: u32 = 1 << 31;
const INFINITY: u32 = 0x7F80_0000;
const QUIET: u32 = 0x0040_0000;
/// The default NaN.
const INDEFINITE: u32 = 0xFFC0_0000;
/// How near an approximation comes.
#[derive(Copy, Clone)]
struct Precision {
    /// Bits of the significand that are looked at, the integer bit not counted.
    index_bits: u32,
    /// Bits of the result behind the point.
    result_bits: u32,
}

const SSE: Precision = Precision {
    index_bits: 11,
    result_bits: 14,
};
const D3NOW: Precision = Precision {
    index_bits: 15,
    result_bits: 16,
};

impl Precision {
    /// The middle of the operand's interval, times 2^24: 2^24 to 2^25.
    fn middle(self, bits: u32) -> u64 {
        let fraction = bits & 0x7F_FFFF;
        let index = fraction >> (23 - self.index_bits);
        u64::from(((1 << self.index_bits | index) << 1 | 1) << (23 - self.index_bits))
    }

    /// `2^(exponent - 127) * significand / 2^result_bits`, the significand from 2^result_bits to 2^(result_bits + 1).
    fn assemble(self, sign: u32, exponent: i32, significand: u64) -> u32 {
        if exponent < 1 {
            return sign;
        }
        let fraction =
            (significand as u32 & ((1 << self.result_bits) - 1)) << (23 - self.result_bits);
        sign | (exponent as u32) << 23 | fraction
    }

    /// 1 / x of a normal number.
    fn reciprocal(self, x: u32) -> u32 {
        let exponent = (x >> 23 & 0xFF) as i32;
        // 1 / m lies in (1/2, 1): one more bit keeps result_bits behind the first.
        let q = (1u64 << (24 + self.result_bits + 1)) / self.middle(x);
        self.assemble(x & SIGN, 253 - exponent, q)
    }

    /// 1 / sqrt(x) of a positive normal number.
    fn reciprocal_root(self, x: u32) -> u32 {
        let exponent = (x >> 23 & 0xFF) as i32;
        let odd = (exponent - 127) & 1;
        // x = m * 2^odd * 2^even; 1 / sqrt(m * 2^odd) lies in (1/2, 1).
        let m = u128::from(self.middle(x)) << odd;
        let square = (1u128 << (24 + 2 * (self.result_bits + 1))) / m;
        let even = exponent - 127 - odd;
        self.assemble(0, 126 - even / 2, square.isqrt() as u64)
    }
}

/// PFRCP of a positive normal number.
pub fn reciprocal_of_d3now(x: u32) -> u32 {
    D3NOW.reciprocal(x)
}

/// PFRSQRT of a positive normal number.
pub fn reciprocal_root_of_d3now(x: u32) -> u32 {
    D3NOW.reciprocal_root(x)
}

/// 1 / x.
pub fn reciprocal(x: u32) -> u32 {
    let (sign, exponent) = (x & SIGN, x >> 23 & 0xFF);
    match exponent {
        // Denormals are taken as zeros.
        0 => sign | INFINITY,
        0xFF if x & 0x7F_FFFF != 0 => x | QUIET,
        0xFF => sign,
        _ => SSE.reciprocal(x),
    }
}

/// 1 / sqrt(x).
pub fn reciprocal_root(x: u32) -> u32 {
    let (sign, exponent) = (x & SIGN, x >> 23 & 0xFF);
    match exponent {
        0 => sign | INFINITY,
        0xFF if x & 0x7F_FFFF != 0 => x | QUIET,
        _ if sign != 0 => INDEFINITE,
        0xFF => 0,
        _ => SSE.reciprocal_root(x),
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
