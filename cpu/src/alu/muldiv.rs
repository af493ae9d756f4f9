//! Multiplication and division (SDM vol. 2, "MUL", "IMUL", "DIV", "IDIV").
//!
//! SF, ZF, AF and PF after a multiplication are undefined in the manual; P6 and later set SF and PF from the low half
//! of the product and clear ZF and AF.

use super::flags::{CF, Flags, OF, PF, SF};
use super::int::Int;

fn product_flags(low: u64, sign: u64, overflow: bool) -> Flags {
    let mut bits = if overflow { CF | OF } else { 0 };
    if low & sign != 0 {
        bits |= SF;
    }
    if (low as u8).count_ones().is_multiple_of(2) {
        bits |= PF;
    }
    Flags::explicit(bits)
}

/// MUL: (low, high, flags).
#[inline]
pub fn mul<T: Int>(a: T, b: T) -> (T, T, Flags) {
    let p = u128::from(a.to_u64()) * u128::from(b.to_u64());
    let (low, high) = (T::from_u64(p as u64), T::from_u64((p >> T::BITS) as u64));
    (
        low,
        high,
        product_flags(low.to_u64(), T::SIGN, high.to_u64() != 0),
    )
}

/// IMUL with a double-width result: (low, high, flags).
#[inline]
pub fn imul<T: Int>(a: T, b: T) -> (T, T, Flags) {
    let p = i128::from(a.to_i64()) * i128::from(b.to_i64());
    let (low, high) = (T::from_u64(p as u64), T::from_u64((p >> T::BITS) as u64));
    let overflow = i128::from(low.to_i64()) != p;
    (low, high, product_flags(low.to_u64(), T::SIGN, overflow))
}

/// DIV: quotient and remainder; `None` is #DE.
#[inline]
pub fn div<T: Int>(low: T, high: T, divisor: T) -> Option<(T, T)> {
    let (l, h, d) = (low.to_u64(), high.to_u64(), divisor.to_u64());
    // The quotient fits if the high half is less than the divisor.
    if h >= d {
        return None;
    }
    let (q, r) = if T::BITS < 64 || h == 0 {
        let n = if T::BITS < 64 {
            (h << (T::BITS % 64)) | l
        } else {
            l
        };
        (n / d, n % d)
    } else {
        let (n, d) = (u128::from(h) << 64 | u128::from(l), u128::from(d));
        ((n / d) as u64, (n % d) as u64)
    };
    Some((T::from_u64(q), T::from_u64(r)))
}

/// IDIV: quotient and remainder; `None` is #DE.
#[inline]
pub fn idiv<T: Int>(low: T, high: T, divisor: T) -> Option<(T, T)> {
    let d = divisor.to_i64();
    let (q, r) = if T::BITS < 64 || high.to_i64() == low.to_i64() >> 63 {
        let n = if T::BITS < 64 {
            high.to_i64() << (T::BITS % 64) | low.to_u64() as i64
        } else {
            low.to_i64()
        };
        (n.checked_div(d)?, n.wrapping_rem(d))
    } else {
        let n = i128::from(high.to_i64()) << 64 | i128::from(low.to_u64());
        let q = n.checked_div(d.into())?;
        (q.try_into().ok()?, (n % i128::from(d)) as i64)
    };
    let quotient = T::from_u64(q as u64);
    (quotient.to_i64() == q).then(|| (quotient, T::from_u64(r as u64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_report_a_high_half_that_matters() {
        let (l, h, f) = mul(0xFFu8, 0xFF);
        assert_eq!((l, h, f.cf(), f.of()), (0x01, 0xFE, true, true));
        let (l, h, f) = imul(0xFFu8, 0xFF);
        assert_eq!((l, h, f.cf()), (1, 0, false));
        let (l, h, f) = imul(0x8000_0000u32, 0x8000_0000);
        assert_eq!((l, h, f.of()), (0, 0x4000_0000, true));
    }

    #[test]
    fn division_overflow_is_a_divide_error() {
        assert_eq!(div(0u8, 1, 1), None);
        assert_eq!(div(7u8, 0, 0), None);
        assert_eq!(div(7u8, 0, 2), Some((3, 1)));
        assert_eq!(idiv(0xF9u8, 0xFF, 2), Some((0xFD, 0xFF)));
        assert_eq!(idiv(0x80u8, 0x00, 0xFF), Some((0x80, 0)));
        assert_eq!(idiv(0x80u8, 0x00, 0x01), None);
    }
}
