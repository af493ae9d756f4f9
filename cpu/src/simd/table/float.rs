//! Float instructions.

use super::Apply::{Compare, Float, Lanes, ToInteger, WholeFloat};
use super::Form::Quadword;
use super::{Row, form, row};
use crate::simd::approximate::*;
use crate::simd::convert;
use crate::simd::float::*;
use crate::simd::host::{
    Compared, DoubleToSingle, DwordToDouble, DwordToSingle, Greatest, Least, Minus, Over, Packed,
    PackedChoice, Plus, QwordToDouble, QwordToSingle, Root, Scalar, ScalarChoice, SingleToDouble,
    Times,
};
use crate::simd::quick;
use crate::softfloat::{F32, F64};
use iced_x86::Mnemonic as M;

const NO: M = M::INVALID;

pub const ROWS: &[Row] = &[
    row(M::Addps, M::Vaddps, Float(packed::<F32, Add>)).quick(quick::packed::<Packed<f32, Plus>>),
    row(M::Addpd, M::Vaddpd, Float(packed::<F64, Add>)).quick(quick::packed::<Packed<f64, Plus>>),
    row(M::Addss, M::Vaddss, Float(scalar::<F32, Add>))
        .quick(quick::scalar::<Scalar<f32, Plus>, u32>),
    row(M::Addsd, M::Vaddsd, Float(scalar::<F64, Add>))
        .quick(quick::scalar_anywhere::<Scalar<f64, Plus>, u64>),
    row(M::Subps, M::Vsubps, Float(packed::<F32, Sub>)).quick(quick::packed::<Packed<f32, Minus>>),
    row(M::Subpd, M::Vsubpd, Float(packed::<F64, Sub>)).quick(quick::packed::<Packed<f64, Minus>>),
    row(M::Subss, M::Vsubss, Float(scalar::<F32, Sub>))
        .quick(quick::scalar::<Scalar<f32, Minus>, u32>),
    row(M::Subsd, M::Vsubsd, Float(scalar::<F64, Sub>))
        .quick(quick::scalar_anywhere::<Scalar<f64, Minus>, u64>),
    row(M::Mulps, M::Vmulps, Float(packed::<F32, Mul>)).quick(quick::packed::<Packed<f32, Times>>),
    row(M::Mulpd, M::Vmulpd, Float(packed::<F64, Mul>)).quick(quick::packed::<Packed<f64, Times>>),
    row(M::Mulss, M::Vmulss, Float(scalar::<F32, Mul>))
        .quick(quick::scalar::<Scalar<f32, Times>, u32>),
    row(M::Mulsd, M::Vmulsd, Float(scalar::<F64, Mul>))
        .quick(quick::scalar_anywhere::<Scalar<f64, Times>, u64>),
    row(M::Divps, M::Vdivps, Float(packed::<F32, Div>)).quick(quick::packed::<Packed<f32, Over>>),
    row(M::Divpd, M::Vdivpd, Float(packed::<F64, Div>)).quick(quick::packed::<Packed<f64, Over>>),
    row(M::Divss, M::Vdivss, Float(scalar::<F32, Div>))
        .quick(quick::scalar::<Scalar<f32, Over>, u32>),
    row(M::Divsd, M::Vdivsd, Float(scalar::<F64, Div>))
        .quick(quick::scalar_anywhere::<Scalar<f64, Over>, u64>),
    row(M::Sqrtps, M::Vsqrtps, Float(packed::<F32, Sqrt>))
        .quick(quick::packed::<Packed<f32, Root>>),
    row(M::Sqrtpd, M::Vsqrtpd, Float(packed::<F64, Sqrt>))
        .quick(quick::packed::<Packed<f64, Root>>),
    row(M::Sqrtss, M::Vsqrtss, Float(scalar::<F32, Sqrt>))
        .quick(quick::scalar::<Scalar<f32, Root>, u32>),
    row(M::Sqrtsd, M::Vsqrtsd, Float(scalar::<F64, Sqrt>))
        .quick(quick::scalar_anywhere::<Scalar<f64, Root>, u64>),
    row(M::Minps, M::Vminps, Float(packed::<F32, Min>))
        .quick(quick::packed::<PackedChoice<f32, Least>>),
    row(M::Minpd, M::Vminpd, Float(packed::<F64, Min>))
        .quick(quick::packed::<PackedChoice<f64, Least>>),
    row(M::Minss, M::Vminss, Float(scalar::<F32, Min>))
        .quick(quick::scalar::<ScalarChoice<f32, Least>, u32>),
    row(M::Minsd, M::Vminsd, Float(scalar::<F64, Min>))
        .quick(quick::scalar::<ScalarChoice<f64, Least>, u64>),
    row(M::Maxps, M::Vmaxps, Float(packed::<F32, Max>))
        .quick(quick::packed::<PackedChoice<f32, Greatest>>),
    row(M::Maxpd, M::Vmaxpd, Float(packed::<F64, Max>))
        .quick(quick::packed::<PackedChoice<f64, Greatest>>),
    row(M::Maxss, M::Vmaxss, Float(scalar::<F32, Max>))
        .quick(quick::scalar::<ScalarChoice<f32, Greatest>, u32>),
    row(M::Maxsd, M::Vmaxsd, Float(scalar::<F64, Max>))
        .quick(quick::scalar::<ScalarChoice<f64, Greatest>, u64>),
    row(M::Cmpps, M::Vcmpps, Float(packed::<F32, Cmp>))
        .quick(quick::packed::<PackedChoice<f32, Compared>>),
    row(M::Cmppd, M::Vcmppd, Float(packed::<F64, Cmp>))
        .quick(quick::packed::<PackedChoice<f64, Compared>>),
    row(M::Cmpss, M::Vcmpss, Float(scalar::<F32, Cmp>))
        .quick(quick::scalar::<ScalarChoice<f32, Compared>, u32>),
    row(M::Cmpsd, M::Vcmpsd, Float(scalar::<F64, Cmp>))
        .quick(quick::scalar::<ScalarChoice<f64, Compared>, u64>),
    row(M::Roundps, M::Vroundps, Float(packed::<F32, Round>)),
    row(M::Roundpd, M::Vroundpd, Float(packed::<F64, Round>)),
    row(M::Roundss, M::Vroundss, Float(scalar::<F32, Round>)),
    row(M::Roundsd, M::Vroundsd, Float(scalar::<F64, Round>)),
    row(M::Addsubps, M::Vaddsubps, Float(add_sub::<F32>)),
    row(M::Addsubpd, M::Vaddsubpd, Float(add_sub::<F64>)),
    row(M::Haddps, M::Vhaddps, Float(horizontal::<F32, Add>)),
    row(M::Haddpd, M::Vhaddpd, Float(horizontal::<F64, Add>)),
    row(M::Hsubps, M::Vhsubps, Float(horizontal::<F32, Sub>)),
    row(M::Hsubpd, M::Vhsubpd, Float(horizontal::<F64, Sub>)),
    row(M::Dpps, M::Vdpps, WholeFloat(dot_product::<F32>)),
    row(M::Dppd, M::Vdppd, WholeFloat(dot_product::<F64>)),
    row(
        M::Comiss,
        M::Vcomiss,
        Compare(compare_to_flags::<F32, true>),
    )
    .quick(quick::comparisons::<f32, u32>),
    row(
        M::Comisd,
        M::Vcomisd,
        Compare(compare_to_flags::<F64, true>),
    )
    .quick(quick::comparisons::<f64, u64>),
    row(
        M::Ucomiss,
        M::Vucomiss,
        Compare(compare_to_flags::<F32, false>),
    )
    .quick(quick::comparisons::<f32, u32>),
    row(
        M::Ucomisd,
        M::Vucomisd,
        Compare(compare_to_flags::<F64, false>),
    )
    .quick(quick::comparisons::<f64, u64>),
    row(M::Rcpps, M::Vrcpps, Lanes(reciprocals)),
    row(M::Rcpss, M::Vrcpss, Lanes(reciprocal_lowest)),
    row(M::Rsqrtps, M::Vrsqrtps, Lanes(reciprocal_roots)),
    row(M::Rsqrtss, M::Vrsqrtss, Lanes(reciprocal_root_lowest)),
    row(
        M::Cvtdq2ps,
        M::Vcvtdq2ps,
        Float(convert::integers_to_singles),
    ),
    row(
        M::Cvtps2dq,
        M::Vcvtps2dq,
        Float(convert::singles_to_integers::<false, 4>),
    ),
    row(
        M::Cvttps2dq,
        M::Vcvttps2dq,
        Float(convert::singles_to_integers::<true, 4>),
    ),
    row(
        M::Cvtdq2pd,
        M::Vcvtdq2pd,
        WholeFloat(convert::widening::<false>),
    ),
    row(
        M::Cvtps2pd,
        M::Vcvtps2pd,
        WholeFloat(convert::widening::<true>),
    ),
    row(
        M::Cvtpd2ps,
        M::Vcvtpd2ps,
        WholeFloat(convert::narrow_to_singles),
    ),
    row(
        M::Cvtpd2dq,
        M::Vcvtpd2dq,
        WholeFloat(convert::narrow_to_integers::<false>),
    ),
    row(
        M::Cvttpd2dq,
        M::Vcvttpd2dq,
        WholeFloat(convert::narrow_to_integers::<true>),
    ),
    row(
        M::Cvtss2sd,
        M::Vcvtss2sd,
        Float(convert::scalar::<F32, F64>),
    )
    .quick(quick::scalar::<SingleToDouble, u32>),
    row(
        M::Cvtsd2ss,
        M::Vcvtsd2ss,
        Float(convert::scalar::<F64, F32>),
    )
    .quick(quick::scalar::<DoubleToSingle, u64>),
    form(
        Quadword,
        M::Cvtsi2ss,
        M::Vcvtsi2ss,
        Float(convert::from_integer::<F32, i64>),
    )
    .quick(quick::from_general::<QwordToSingle, u64>),
    row(
        M::Cvtsi2ss,
        M::Vcvtsi2ss,
        Float(convert::from_integer::<F32, i32>),
    )
    .quick(quick::from_general::<DwordToSingle, u32>),
    form(
        Quadword,
        M::Cvtsi2sd,
        M::Vcvtsi2sd,
        Float(convert::from_integer::<F64, i64>),
    )
    .quick(quick::from_general::<QwordToDouble, u64>),
    row(
        M::Cvtsi2sd,
        M::Vcvtsi2sd,
        Float(convert::from_integer::<F64, i32>),
    )
    .quick(quick::from_general::<DwordToDouble, u32>),
    row(
        M::Cvtss2si,
        M::Vcvtss2si,
        ToInteger(convert::to_integer::<F32, false>),
    ),
    row(
        M::Cvtsd2si,
        M::Vcvtsd2si,
        ToInteger(convert::to_integer::<F64, false>),
    ),
    row(
        M::Cvttss2si,
        M::Vcvttss2si,
        ToInteger(convert::to_integer::<F32, true>),
    )
    .quick(quick::to_general::<f32>),
    row(
        M::Cvttsd2si,
        M::Vcvttsd2si,
        ToInteger(convert::to_integer::<F64, true>),
    )
    .quick(quick::to_general::<f64>),
    row(M::Cvtpi2ps, NO, Float(convert::two_integers_to_singles)),
    row(M::Cvtpi2pd, NO, Float(convert::integers_to_doubles)),
    row(
        M::Cvtps2pi,
        NO,
        Float(convert::singles_to_integers::<false, 2>),
    ),
    row(
        M::Cvttps2pi,
        NO,
        Float(convert::singles_to_integers::<true, 2>),
    ),
    row(
        M::Cvtpd2pi,
        NO,
        Float(convert::doubles_to_integers::<false>),
    ),
    row(
        M::Cvttpd2pi,
        NO,
        Float(convert::doubles_to_integers::<true>),
    ),
];
