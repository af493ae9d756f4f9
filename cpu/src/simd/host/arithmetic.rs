//! Floats in the host's vector registers, and a look at all operands and results at once: whether each is so far from anything
//! out of the ordinary that the result is as IEEE 754 says, and no exception is raised but that it may not be exact.
#![cfg(target_arch = "x86_64")]

use super::Kind;
use super::vector::Xmm;
use std::arch::x86_64::*;

/// A float as the host's vector instructions know it. A *mark* is the upper doubleword of one, with its exponent.
pub trait Native {
    /// Bits of a mark below the exponent.
    const FRACTION: u32;
    /// An operation on the lowest lanes, the others being those of `a`.
    fn lowest(kind: Kind, a: Xmm, b: Xmm) -> Xmm;
    /// An operation on all lanes.
    fn all(kind: Kind, a: Xmm, b: Xmm) -> Xmm;
    /// The marks of the lowest lanes of three vectors.
    fn marks(a: Xmm, b: Xmm, c: Xmm) -> __m128i;
    /// Whether all lanes of three vectors are plain.
    fn are_plain(a: Xmm, b: Xmm, c: Xmm) -> bool;
    /// Whether the lowest lanes, or (`ALL`) all, compare without an exception: they are neither NaNs nor denormals.
    fn compare<const ALL: bool>(a: Xmm, b: Xmm) -> bool;
    /// Whether the lowest lane of `a` is less than that of `b`, and whether it is that or equal.
    fn order(a: Xmm, b: Xmm) -> (bool, bool);
    /// The lowest lane as an integer, the rest of it cut off; the least integer if it does not fit.
    fn truncate(v: Xmm, wide: bool) -> i64;
}

/// Numbers of a range of exponents in marks: all ones in those outside of it. Of 0 the exponent is 0.
#[inline(always)]
fn outside(marks: __m128i, fraction: u32, least: i64, last: i64) -> __m128i {
    // Without the sign the exponent is on top. Moved to where the integers begin, so that one comparison does.
    let unit = 1i64 << (fraction + 1);
    let first = i64::from(i32::MIN);
    let (bias, highest) = (first - least * unit, first + (last + 1 - least) * unit - 1);
    sse2!({
        let v = _mm_add_epi32(_mm_add_epi32(marks, marks), _mm_set1_epi32(bias as i32));
        _mm_cmpgt_epi32(v, _mm_set1_epi32(highest as i32))
    })
}

/// All ones in the marks that are not plain: those of zeros, denormals, the smallest normal numbers, infinities and NaNs.
#[inline(always)]
fn not_plain<F: Native>(marks: __m128i) -> __m128i {
    outside(marks, F::FRACTION, 2, (1 << (31 - F::FRACTION)) - 2)
}

/// All ones in the marks of zeros, denormals and NaNs (and infinities).
#[inline(always)]
fn not_normal<F: Native>(marks: __m128i) -> __m128i {
    outside(marks, F::FRACTION, 1, (1 << (31 - F::FRACTION)) - 2)
}

/// Whether the lowest lanes of three vectors are plain.
#[inline(always)]
pub fn are_lowest_plain<F: Native>(a: Xmm, b: Xmm, c: Xmm) -> bool {
    let marks = not_plain::<F>(F::marks(a, b, c));
    sse2!(_mm_movemask_ps(_mm_castsi128_ps(marks)) == 0)
}

#[inline(always)]
fn ps(v: Xmm) -> __m128 {
    sse2!(_mm_castsi128_ps(v.0))
}

#[inline(always)]
fn pd(v: Xmm) -> __m128d {
    sse2!(_mm_castsi128_pd(v.0))
}

#[inline(always)]
fn of_ps(v: __m128) -> Xmm {
    Xmm(sse2!(_mm_castps_si128(v)))
}

#[inline(always)]
fn of_pd(v: __m128d) -> Xmm {
    Xmm(sse2!(_mm_castpd_si128(v)))
}

impl Native for f64 {
    const FRACTION: u32 = 20;
    #[inline(always)]
    fn lowest(kind: Kind, a: Xmm, b: Xmm) -> Xmm {
        let (a, b) = (pd(a), pd(b));
        of_pd(sse2!(match kind {
            Kind::Add => _mm_add_sd(a, b),
            Kind::Sub => _mm_sub_sd(a, b),
            Kind::Mul => _mm_mul_sd(a, b),
            Kind::Div => _mm_div_sd(a, b),
            Kind::Sqrt => _mm_sqrt_sd(a, b),
            Kind::Min => _mm_min_sd(a, b),
            Kind::Max => _mm_max_sd(a, b),
        }))
    }
    #[inline(always)]
    fn all(kind: Kind, a: Xmm, b: Xmm) -> Xmm {
        let (a, b) = (pd(a), pd(b));
        of_pd(sse2!(match kind {
            Kind::Add => _mm_add_pd(a, b),
            Kind::Sub => _mm_sub_pd(a, b),
            Kind::Mul => _mm_mul_pd(a, b),
            Kind::Div => _mm_div_pd(a, b),
            Kind::Sqrt => _mm_sqrt_pd(b),
            Kind::Min => _mm_min_pd(a, b),
            Kind::Max => _mm_max_pd(a, b),
        }))
    }
    #[inline(always)]
    fn marks(a: Xmm, b: Xmm, c: Xmm) -> __m128i {
        let both = Xmm(sse2!(_mm_unpacklo_epi64(a.0, b.0)));
        of_ps(sse2!(_mm_shuffle_ps::<0b01_01_11_01>(ps(both), ps(c)))).0
    }
    #[inline(always)]
    fn are_plain(a: Xmm, b: Xmm, c: Xmm) -> bool {
        let operands = of_ps(sse2!(_mm_shuffle_ps::<0b11_01_11_01>(ps(a), ps(b))));
        let results = of_ps(sse2!(_mm_shuffle_ps::<0b11_01_11_01>(ps(c), ps(c))));
        let (x, y) = (not_plain::<Self>(operands.0), not_plain::<Self>(results.0));
        sse2!(_mm_movemask_ps(_mm_castsi128_ps(_mm_or_si128(x, y))) == 0)
    }
    #[inline(always)]
    fn compare<const ALL: bool>(a: Xmm, b: Xmm) -> bool {
        // Of each lane the upper half says what it is, and the lowest may be zero.
        let strange = |v: Xmm| {
            let odd = Xmm(not_normal::<Self>(v.0));
            sse2!(_mm_andnot_pd(
                _mm_cmpeq_pd(pd(v), _mm_setzero_pd()),
                pd(odd)
            ))
        };
        if ALL {
            sse2!(_mm_movemask_pd(_mm_or_pd(strange(a), strange(b))) == 0)
        } else {
            let both = Xmm(sse2!(_mm_unpacklo_epi64(a.0, b.0)));
            sse2!(_mm_movemask_pd(strange(both)) == 0)
        }
    }
    #[inline(always)]
    fn order(a: Xmm, b: Xmm) -> (bool, bool) {
        let (a, b) = (sse2!(_mm_cvtsd_f64(pd(a))), sse2!(_mm_cvtsd_f64(pd(b))));
        (a < b, a <= b)
    }
    #[inline(always)]
    fn truncate(v: Xmm, wide: bool) -> i64 {
        if wide {
            sse2!(_mm_cvttsd_si64(pd(v)))
        } else {
            sse2!(_mm_cvttsd_si32(pd(v))).into()
        }
    }
}

impl Native for f32 {
    const FRACTION: u32 = 23;
    #[inline(always)]
    fn lowest(kind: Kind, a: Xmm, b: Xmm) -> Xmm {
        let (a, b) = (ps(a), ps(b));
        of_ps(sse2!(match kind {
            Kind::Add => _mm_add_ss(a, b),
            Kind::Sub => _mm_sub_ss(a, b),
            Kind::Mul => _mm_mul_ss(a, b),
            Kind::Div => _mm_div_ss(a, b),
            Kind::Sqrt => _mm_move_ss(a, _mm_sqrt_ss(b)),
            Kind::Min => _mm_min_ss(a, b),
            Kind::Max => _mm_max_ss(a, b),
        }))
    }
    #[inline(always)]
    fn all(kind: Kind, a: Xmm, b: Xmm) -> Xmm {
        let (a, b) = (ps(a), ps(b));
        of_ps(sse2!(match kind {
            Kind::Add => _mm_add_ps(a, b),
            Kind::Sub => _mm_sub_ps(a, b),
            Kind::Mul => _mm_mul_ps(a, b),
            Kind::Div => _mm_div_ps(a, b),
            Kind::Sqrt => _mm_sqrt_ps(b),
            Kind::Min => _mm_min_ps(a, b),
            Kind::Max => _mm_max_ps(a, b),
        }))
    }
    #[inline(always)]
    fn marks(a: Xmm, b: Xmm, c: Xmm) -> __m128i {
        let both = Xmm(sse2!(_mm_unpacklo_epi32(a.0, b.0)));
        of_ps(sse2!(_mm_shuffle_ps::<0b00_00_01_00>(ps(both), ps(c)))).0
    }
    #[inline(always)]
    fn are_plain(a: Xmm, b: Xmm, c: Xmm) -> bool {
        let [a, b, c] = [a, b, c].map(|v| not_plain::<Self>(v.0));
        sse2!(_mm_movemask_ps(_mm_castsi128_ps(_mm_or_si128(_mm_or_si128(a, b), c))) == 0)
    }
    #[inline(always)]
    fn compare<const ALL: bool>(a: Xmm, b: Xmm) -> bool {
        let strange = |v: Xmm| {
            let odd = Xmm(not_normal::<Self>(v.0));
            sse2!(_mm_andnot_ps(
                _mm_cmpeq_ps(ps(v), _mm_setzero_ps()),
                ps(odd)
            ))
        };
        if ALL {
            sse2!(_mm_movemask_ps(_mm_or_ps(strange(a), strange(b))) == 0)
        } else {
            let both = Xmm(sse2!(_mm_unpacklo_epi32(a.0, b.0)));
            sse2!(_mm_movemask_ps(strange(both)) & 3 == 0)
        }
    }
    #[inline(always)]
    fn order(a: Xmm, b: Xmm) -> (bool, bool) {
        let (a, b) = (sse2!(_mm_cvtss_f32(ps(a))), sse2!(_mm_cvtss_f32(ps(b))));
        (a < b, a <= b)
    }
    #[inline(always)]
    fn truncate(v: Xmm, wide: bool) -> i64 {
        if wide {
            sse2!(_mm_cvttss_si64(ps(v)))
        } else {
            sse2!(_mm_cvttss_si32(ps(v))).into()
        }
    }
}

/// CVTSI2SD and CVTSI2SS, for `f64` and `f32`, of a quadword if `wide`.
#[inline(always)]
pub fn double_of_integer(a: Xmm, v: u64, wide: bool) -> Xmm {
    of_pd(sse2!(if wide {
        _mm_cvtsi64_sd(pd(a), v as i64)
    } else {
        _mm_cvtsi32_sd(pd(a), v as i32)
    }))
}
