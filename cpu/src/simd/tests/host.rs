//! Arithmetic by the host's floats against `softfloat`: where there is a shortcut, the result is the same and no flag changes.

use crate::simd::convert;
use crate::simd::float::{self, Add, Cmp, Div, Max, Min, Mul, Sqrt, Sub, packed, scalar};
use crate::simd::host::vector::Xmm;
use crate::simd::host::*;
use crate::simd::quick::Quick;
use crate::softfloat::{F32, F64, FloatEnv};
use crate::tests::Random;

type Soft = fn(u128, u128, u8, &mut FloatEnv) -> u128;
type Short = fn(u128, u128, u8, u32) -> [Option<u128>; 2];

fn case<Q: Quick>(name: &'static str, soft: Soft) -> (&'static str, Short, Soft) {
    let short = |a, b, imm, mxcsr| {
        if Q::ROUNDS && !inexact_is_known(mxcsr) {
            return [None; 2];
        }
        let quick = Q::apply(Xmm::of(a), Xmm::of(b), imm);
        [quick.map(Xmm::bits), Q::patiently(a, b, imm)]
    };
    (name, short, soft)
}

/// MXCSR after power-on, with the precision flag.
const USUAL: u32 = 0x1F80 | 0x20;

impl Random {
    /// A number whose exponent, of `exponent` bits above `fraction` bits, is often at an end of its range.
    fn float(&mut self, exponent: u32, fraction: u32) -> u64 {
        let last = (1 << exponent) - 1;
        let middle = last / 2;
        let e = match self.below(6) {
            0 => self.below(4),
            1 => last - self.below(4),
            2 => middle - 2 + self.below(5),
            3 => middle / 2 + self.below(4),
            _ => self.next() & last,
        };
        let f = match self.below(5) {
            0 => 0,
            1 => u64::MAX,
            2 => 1 << self.below(fraction.into()),
            _ => self.next(),
        };
        let sign = self.next() >> 63;
        let zero = self.below(12) == 0;
        let magnitude = e << fraction | f & ((1 << fraction) - 1);
        sign << (exponent + fraction) | if zero { 0 } else { magnitude }
    }

    /// A register of doubles or singles, or of both.
    fn floats(&mut self) -> u128 {
        let double = |r: &mut Self| r.float(11, 52);
        let single = |r: &mut Self| r.float(8, 23) | r.float(8, 23) << 32;
        let half = |r: &mut Self| {
            if r.below(2) == 0 {
                double(r)
            } else {
                single(r)
            }
        };
        u128::from(half(self)) | u128::from(half(self)) << 64
    }

    fn mxcsr(&mut self) -> u32 {
        match self.below(3) {
            0 => (self.next() as u32) & 0xFFFF,
            // Denormals are zeros, tiny results become zero, other flags.
            1 => USUAL | (self.next() as u32) & 0x805F,
            _ => USUAL,
        }
    }
}

#[test]
fn shortcuts_are_as_softfloat_has_it() {
    let cases = [
        case::<Packed<f64, Plus>>("addpd", packed::<F64, Add>),
        case::<Packed<f64, Minus>>("subpd", packed::<F64, Sub>),
        case::<Packed<f64, Times>>("mulpd", packed::<F64, Mul>),
        case::<Packed<f64, Over>>("divpd", packed::<F64, Div>),
        case::<Packed<f64, Root>>("sqrtpd", packed::<F64, Sqrt>),
        case::<Packed<f32, Plus>>("addps", packed::<F32, Add>),
        case::<Packed<f32, Minus>>("subps", packed::<F32, Sub>),
        case::<Packed<f32, Times>>("mulps", packed::<F32, Mul>),
        case::<Packed<f32, Over>>("divps", packed::<F32, Div>),
        case::<Packed<f32, Root>>("sqrtps", packed::<F32, Sqrt>),
        case::<Scalar<f64, Plus>>("addsd", scalar::<F64, Add>),
        case::<Scalar<f64, Minus>>("subsd", scalar::<F64, Sub>),
        case::<Scalar<f64, Times>>("mulsd", scalar::<F64, Mul>),
        case::<Scalar<f64, Over>>("divsd", scalar::<F64, Div>),
        case::<Scalar<f64, Root>>("sqrtsd", scalar::<F64, Sqrt>),
        case::<Scalar<f32, Plus>>("addss", scalar::<F32, Add>),
        case::<Scalar<f32, Minus>>("subss", scalar::<F32, Sub>),
        case::<Scalar<f32, Times>>("mulss", scalar::<F32, Mul>),
        case::<Scalar<f32, Over>>("divss", scalar::<F32, Div>),
        case::<Scalar<f32, Root>>("sqrtss", scalar::<F32, Sqrt>),
        case::<PackedChoice<f64, Least>>("minpd", packed::<F64, Min>),
        case::<PackedChoice<f64, Greatest>>("maxpd", packed::<F64, Max>),
        case::<PackedChoice<f64, Compared>>("cmppd", packed::<F64, Cmp>),
        case::<PackedChoice<f32, Least>>("minps", packed::<F32, Min>),
        case::<PackedChoice<f32, Greatest>>("maxps", packed::<F32, Max>),
        case::<PackedChoice<f32, Compared>>("cmpps", packed::<F32, Cmp>),
        case::<ScalarChoice<f64, Least>>("minsd", scalar::<F64, Min>),
        case::<ScalarChoice<f32, Greatest>>("maxss", scalar::<F32, Max>),
        case::<ScalarChoice<f64, Compared>>("cmpsd", scalar::<F64, Cmp>),
        case::<ScalarChoice<f32, Compared>>("cmpss", scalar::<F32, Cmp>),
        case::<SingleToDouble>("cvtss2sd", convert::scalar::<F32, F64>),
        case::<DoubleToSingle>("cvtsd2ss", convert::scalar::<F64, F32>),
        case::<DwordToDouble>("cvtsi2sd", convert::from_integer::<F64, i32>),
        case::<QwordToDouble>("cvtsi2sd of 64 bits", convert::from_integer::<F64, i64>),
        case::<DwordToSingle>("cvtsi2ss", convert::from_integer::<F32, i32>),
        case::<QwordToSingle>("cvtsi2ss of 64 bits", convert::from_integer::<F32, i64>),
    ];
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for (name, short, soft) in cases {
        let mut taken = [0; 2];
        for _ in 0..100_000 {
            let (a, b, mxcsr) = (random.floats(), random.floats(), random.mxcsr());
            let predicate = random.next() as u8 & 31;
            for (n, v) in short(a, b, predicate, mxcsr).into_iter().enumerate() {
                let Some(v) = v else { continue };
                taken[n] += 1;
                let mut env = FloatEnv::sse(mxcsr);
                let expected = soft(a, b, predicate, &mut env);
                assert_eq!(v, expected, "{name} of {a:x} and {b:x}, MXCSR {mxcsr:x}");
                let flags = u32::from(env.flags.bits());
                assert_eq!(mxcsr | flags, mxcsr, "{name} of {a:x} and {b:x} raises");
                assert!(env.unmasked().is_empty(), "{name} of {a:x} and {b:x}");
            }
        }
        // The host's vectors give up of more.
        assert!(taken[0] > 300 && taken[1] > 1000, "{name}: {taken:?}");
    }
}

#[test]
fn integers_are_as_the_table_has_them() {
    let mut random = Random(0x0123_4567_89AB_CDEF);
    let mut rows = 0;
    for (n, both) in crate::simd::table::both().enumerate() {
        rows += 1;
        for _ in 0..20_000 {
            let mut v = || {
                let v = u128::from(random.next()) << 64 | u128::from(random.next());
                match random.below(4) {
                    0 => v & u128::from(random.below(200)),
                    1 => v | u128::MAX << random.below(128),
                    2 => v & 0x8000_80FF_7F01_8000_FFFF_7FFF_0000_FF80,
                    _ => v,
                }
            };
            let (a, b) = (v(), v());
            let imm = random.next() as u8;
            let [quick, slow] = both(a, b, imm);
            assert!(quick.is_some());
            assert_eq!(quick, slow, "row {n}: {a:x} {b:x} {imm:x}");
        }
    }
    assert!(rows > 50, "{rows}");
}

#[test]
fn flags_and_integers_are_as_softfloat_has_them() {
    let mut random = Random(0xD1B5_4A32_D192_ED03);
    let mut taken = [0; 6];
    for _ in 0..200_000 {
        let (a, b, mxcsr) = (random.floats(), random.floats(), random.mxcsr());
        let comparisons = [
            (
                flags_of::<f64>(Xmm::of(a), Xmm::of(b)),
                float::compare_to_flags::<F64, true> as fn(u128, u128, &mut _) -> u64,
            ),
            (
                flags_of::<f32>(Xmm::of(a), Xmm::of(b)),
                float::compare_to_flags::<F32, false>,
            ),
        ];
        for (n, (short, soft)) in comparisons.into_iter().enumerate() {
            let Some(v) = short else { continue };
            let mut env = FloatEnv::sse(mxcsr);
            assert_eq!(v, soft(a, b, &mut env), "{a:x} {b:x}");
            assert!(env.flags.is_empty(), "{a:x} {b:x}");
            taken[n] += 1;
        }
        let wide = random.below(2) == 0;
        if !inexact_is_known(mxcsr) {
            continue;
        }
        type ToInteger = fn(u128, bool, &mut FloatEnv) -> u64;
        let (double, single): (ToInteger, ToInteger) = (
            convert::to_integer::<F64, true>,
            convert::to_integer::<F32, true>,
        );
        let integers = [
            (truncated::<f64>(Xmm::of(b), wide), double),
            (truncated_patiently::<f64>(b, wide), double),
            (truncated::<f32>(Xmm::of(b), wide), single),
            (truncated_patiently::<f32>(b, wide), single),
        ];
        for (n, (short, soft)) in integers.into_iter().enumerate() {
            let Some(v) = short else { continue };
            let mut env = FloatEnv::sse(mxcsr);
            let expected = soft(b, wide, &mut env);
            let bits = if wide { u64::MAX } else { u64::from(u32::MAX) };
            assert_eq!(v & bits, expected & bits, "{b:x}");
            assert_eq!(mxcsr | u32::from(env.flags.bits()), mxcsr, "{b:x}");
            taken[2 + n] += 1;
        }
    }
    assert!(taken.iter().all(|&n| n > 1000), "{taken:?}");
}
