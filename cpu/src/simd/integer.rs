//! Integer lanes (SDM vol. 2, P-instructions): arithmetic, comparison, shifts, packing. Every function has the form
//! (destination, source, immediate) -> result and works on 128 bits; on MMX registers the upper half is 0 and the lower
//! half of the result counts, unless `mmx` has a form of its own.

use super::lane::{Lane, at, build, each, lane, lanes};

/// PADDB, PADDW, PADDD, PADDQ.
pub fn add<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, |x: T, y: T| T::of(x.bits().wrapping_add(y.bits())))
}
/// PSUBB, PSUBW, PSUBD, PSUBQ.
pub fn sub<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, |x: T, y: T| T::of(x.bits().wrapping_sub(y.bits())))
}
/// PADDSB, PADDSW, PADDUSB, PADDUSW.
pub fn add_saturating<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, |x: T, y: T| T::saturate(x.value() + y.value()))
}
/// PSUBSB, PSUBSW, PSUBUSB, PSUBUSW.
pub fn sub_saturating<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, |x: T, y: T| T::saturate(x.value() - y.value()))
}
/// PAVGB, PAVGW.
pub fn average<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, |x: T, y: T| T::of((x.bits() + y.bits() + 1) >> 1))
}
/// PCMPEQB, PCMPEQW, PCMPEQD, PCMPEQQ.
pub fn equal<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, |x: T, y: T| T::of(0u64.wrapping_sub((x == y).into())))
}
/// PCMPGTB, PCMPGTW, PCMPGTD, PCMPGTQ.
pub fn greater<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, |x: T, y: T| T::of(0u64.wrapping_sub((x > y).into())))
}
/// PMINxx.
pub fn min<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, |x: T, y: T| if x < y { x } else { y })
}
/// PMAXxx.
pub fn max<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, |x: T, y: T| if x > y { x } else { y })
}
/// PAND, ANDPS, ANDPD.
pub fn and(a: u128, b: u128, _: u8) -> u128 {
    a & b
}
/// PANDN, ANDNPS, ANDNPD.
pub fn and_not(a: u128, b: u128, _: u8) -> u128 {
    !a & b
}
/// POR, ORPS, ORPD.
pub fn or(a: u128, b: u128, _: u8) -> u128 {
    a | b
}
/// PXOR, XORPS, XORPD.
pub fn xor(a: u128, b: u128, _: u8) -> u128 {
    a ^ b
}
/// PMULLW, PMULLD.
pub fn multiply_low<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, |x: T, y: T| T::of(x.bits().wrapping_mul(y.bits())))
}
/// PMULHW, PMULHUW.
pub fn multiply_high<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, |x: T, y: T| {
        T::of(((x.value() * y.value()) >> T::BITS) as u64)
    })
}
/// PMULHRSW: the product with 15 bits behind the point, rounded.
pub fn multiply_round(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, |x: i16, y: i16| {
        ((((i32::from(x) * i32::from(y)) >> 14) + 1) >> 1) as i16
    })
}
/// PMULUDQ.
pub fn multiply_even_unsigned(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, |x: u64, y: u64| (x & 0xFFFF_FFFF) * (y & 0xFFFF_FFFF))
}
/// PMULDQ.
pub fn multiply_even_signed(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, |x: i64, y: i64| {
        i64::from(x as i32) * i64::from(y as i32)
    })
}
/// PMADDWD.
pub fn multiply_add(a: u128, b: u128, _: u8) -> u128 {
    let product = |i| i32::from(lane::<i16>(a, i)) * i32::from(lane::<i16>(b, i));
    build(|i| product(2 * i).wrapping_add(product(2 * i + 1)))
}
/// PMADDUBSW: unsigned bytes of the destination by signed bytes of the source.
pub fn multiply_add_bytes(a: u128, b: u128, _: u8) -> u128 {
    let product = |i| i64::from(lane::<u8>(a, i)) * i64::from(lane::<i8>(b, i));
    build(|i| i16::saturate(product(2 * i) + product(2 * i + 1)))
}
/// PSADBW: sums of absolute differences, one of each eight bytes.
pub fn sum_of_differences(a: u128, b: u128, _: u8) -> u128 {
    build(|q| {
        (0..8)
            .map(|i| lane::<u8>(a, 8 * q + i).abs_diff(lane::<u8>(b, 8 * q + i)))
            .map(u64::from)
            .sum::<u64>()
    })
}
/// MPSADBW: eight sums of absolute differences of four bytes; the immediate chooses where.
pub fn multiple_sums(a: u128, b: u128, imm: u8) -> u128 {
    let (from, of) = (u32::from(imm >> 2 & 1) * 4, u32::from(imm & 3) * 4);
    build(|i| {
        (0..4)
            .map(|k| lane::<u8>(a, from + i + k).abs_diff(lane::<u8>(b, of + k)))
            .map(u16::from)
            .sum::<u16>()
    })
}
/// PABSB, PABSW, PABSD.
pub fn absolute<T: Lane>(_: u128, b: u128, _: u8) -> u128 {
    build(|i| T::of(lane::<T>(b, i).value().unsigned_abs()))
}
/// PSIGNB, PSIGNW, PSIGND.
pub fn sign<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, |x: T, y: T| {
        T::of((x.value() * y.value().signum()) as u64)
    })
}

/// Sums or differences of neighbours: of the destination first, then of the source.
fn horizontal<T: Lane>(a: u128, b: u128, f: impl Fn(T, T) -> T) -> u128 {
    let half = lanes::<T>() / 2;
    build(|i| {
        let (v, i) = if i < half { (a, i) } else { (b, i - half) };
        f(lane(v, 2 * i), lane(v, 2 * i + 1))
    })
}
/// PHADDW, PHADDD.
pub fn horizontal_add<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
    horizontal(a, b, |x: T, y: T| T::of(x.bits().wrapping_add(y.bits())))
}
/// PHSUBW, PHSUBD.
pub fn horizontal_sub<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
    horizontal(a, b, |x: T, y: T| T::of(x.bits().wrapping_sub(y.bits())))
}
/// PHADDSW.
pub fn horizontal_add_saturating(a: u128, b: u128, _: u8) -> u128 {
    horizontal(a, b, |x: i16, y: i16| x.saturating_add(y))
}
/// PHSUBSW.
pub fn horizontal_sub_saturating(a: u128, b: u128, _: u8) -> u128 {
    horizontal(a, b, |x: i16, y: i16| x.saturating_sub(y))
}
/// PHMINPOSUW: the least word and its place.
pub fn least_word(_: u128, b: u128, _: u8) -> u128 {
    let (place, least) = (0..8)
        .map(|i| (i, lane::<u16>(b, i)))
        .min_by_key(|&(_, v)| v)
        .unwrap_or_default();
    u128::from(least) | u128::from(place) << 16
}

/// The count of a shift: the whole low quadword of the source counts.
fn count(b: u128, bits: u32) -> Option<u32> {
    u32::try_from(b as u64).ok().filter(|&n| n < bits)
}
/// PSLLW, PSLLD, PSLLQ.
pub fn shift_left<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
    count(b, T::BITS).map_or(0, |n| build(|i| T::of(lane::<T>(a, i).bits() << n)))
}
/// PSRLW, PSRLD, PSRLQ.
pub fn shift_right<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
    count(b, T::BITS).map_or(0, |n| build(|i| T::of(lane::<T>(a, i).bits() >> n)))
}
/// PSRAW, PSRAD.
pub fn shift_arithmetic<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
    let n = count(b, T::BITS).unwrap_or(T::BITS - 1);
    build(|i| T::of((lane::<T>(a, i).value() >> n) as u64))
}
/// PSLLDQ: by bytes.
pub fn shift_bytes_left(a: u128, b: u128, _: u8) -> u128 {
    count(b, 16).map_or(0, |n| a << (8 * n))
}
/// PSRLDQ.
pub fn shift_bytes_right(a: u128, b: u128, _: u8) -> u128 {
    count(b, 16).map_or(0, |n| a >> (8 * n))
}
/// VPSLLVD, VPSLLVQ.
pub fn shift_left_each<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, |x: T, n: T| match n.bits() {
        n if n < u64::from(T::BITS) => T::of(x.bits() << n),
        _ => T::of(0),
    })
}
/// VPSRLVD, VPSRLVQ.
pub fn shift_right_each<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, |x: T, n: T| match n.bits() {
        n if n < u64::from(T::BITS) => T::of(x.bits() >> n),
        _ => T::of(0),
    })
}
/// VPSRAVD.
pub fn shift_arithmetic_each(a: u128, b: u128, _: u8) -> u128 {
    each(a, b, |x: i32, n: i32| x >> (n as u32).min(31))
}

/// PACKSSWB, PACKSSDW, PACKUSWB, PACKUSDW.
pub fn pack<S: Lane, D: Lane>(a: u128, b: u128, _: u8) -> u128 {
    let half = lanes::<S>();
    build(|i| {
        let v: S = if i < half {
            lane(a, i)
        } else {
            lane(b, i - half)
        };
        D::saturate(v.value())
    })
}
/// PUNPCKLxx, UNPCKLPS, UNPCKLPD: the low halves, interleaved.
pub fn interleave_low<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
    build(|i| lane::<T>(if i % 2 == 0 { a } else { b }, i / 2))
}
/// PUNPCKHxx, UNPCKHPS, UNPCKHPD: the high halves.
pub fn interleave_high<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
    interleave_low::<T>(a >> 64, b >> 64, 0)
}
/// PMOVSXxx, PMOVZXxx: the low lanes of the source, widened.
pub fn extend<S: Lane, D: Lane>(_: u128, b: u128, _: u8) -> u128 {
    build(|i| D::of(lane::<S>(b, i).value() as u64))
}
/// PINSRB, PINSRW, PINSRD, PINSRQ.
pub fn insert<T: Lane>(a: u128, b: u128, imm: u8) -> u128 {
    let i = u32::from(imm) % lanes::<T>();
    super::lane::with(a, i, lane::<T>(b, 0))
}
/// PEXTRB, PEXTRW, PEXTRD, PEXTRQ, EXTRACTPS.
pub fn extract<T: Lane>(_: u128, b: u128, imm: u8) -> u128 {
    at(0, lane::<T>(b, u32::from(imm) % lanes::<T>()))
}
/// The sign bits of all lanes: MOVMSKPS, MOVMSKPD, PMOVMSKB.
pub fn signs<T: Lane>(v: u128) -> u64 {
    (0..lanes::<T>())
        .map(|i| (lane::<T>(v, i).bits() >> (T::BITS - 1)) << i)
        .fold(0, |all, bit| all | bit)
}

/// Forms on 64-bit registers that are not the lower half of the 128-bit ones.
pub mod mmx {
    use super::{Lane, lane};
    use crate::simd::lane::build;

    fn joined(a: u128, b: u128) -> u128 {
        a | b << 64
    }
    /// PACKSSWB, PACKSSDW, PACKUSWB.
    pub fn pack<S: Lane, D: Lane>(a: u128, b: u128, _: u8) -> u128 {
        super::pack::<S, D>(joined(a, b), 0, 0)
    }
    /// PUNPCKHBW, PUNPCKHWD, PUNPCKHDQ.
    pub fn interleave_high<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
        super::interleave_low::<T>(a, b, 0) >> 64
    }
    /// PHADDW, PHADDD.
    pub fn horizontal_add<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
        super::horizontal_add::<T>(joined(a, b), 0, 0)
    }
    /// PHSUBW, PHSUBD.
    pub fn horizontal_sub<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
        super::horizontal_sub::<T>(joined(a, b), 0, 0)
    }
    /// PHADDSW.
    pub fn horizontal_add_saturating(a: u128, b: u128, _: u8) -> u128 {
        super::horizontal_add_saturating(joined(a, b), 0, 0)
    }
    /// PHSUBSW.
    pub fn horizontal_sub_saturating(a: u128, b: u128, _: u8) -> u128 {
        super::horizontal_sub_saturating(joined(a, b), 0, 0)
    }
    /// PSHUFB.
    pub fn shuffle_bytes(a: u128, b: u128, _: u8) -> u128 {
        build(|i| match lane::<u8>(b, i) {
            n if n & 0x80 != 0 => 0,
            n => lane::<u8>(a, u32::from(n & 7)),
        })
    }
    /// PALIGNR.
    pub fn align_right(a: u128, b: u128, imm: u8) -> u128 {
        joined(b, a)
            .checked_shr(8 * u32::from(imm))
            .unwrap_or_default()
    }
    /// PSHUFW.
    pub fn shuffle_words(_: u128, b: u128, imm: u8) -> u128 {
        build(|i| lane::<u16>(b, u32::from(imm >> (2 * (i & 3)) & 3)))
    }
    /// PEXTRW.
    pub fn extract_word(_: u128, b: u128, imm: u8) -> u128 {
        super::extract::<u16>(0, b, imm & 3)
    }
    /// PINSRW.
    pub fn insert_word(a: u128, b: u128, imm: u8) -> u128 {
        super::insert::<u16>(a, b, imm & 3)
    }
}
