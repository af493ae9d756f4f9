//! Float instructions.

use super::Apply::{Compare, Float, Lanes, ToInteger, WholeFloat};
use super::Form::Quadword;
use super::{Row, form, row};
use crate::simd::approximate::*;
use crate::simd::convert;
use crate::simd::float::*;
use crate::softfloat::{F32, F64};
use iced_x86::Mnemonic as M;

const NO: M = M::INVALID;

pub const ROWS: &[Row] = &[
    row(M::Addps, M::Vaddps, Float(packed::<F32, Add>)),
    row(M::Addpd, M::Vaddpd, Float(packed::<F64, Add>)),
    row(M::Addss, M::Vaddss, Float(scalar::<F32, Add>)),
    row(M::Addsd, M::Vaddsd, Float(scalar::<F64, Add>)),
    row(M::Subps, M::Vsubps, Float(packed::<F32, Sub>)),
    row(M::Subpd, M::Vsubpd, Float(packed::<F64, Sub>)),
    row(M::Subss, M::Vsubss, Float(scalar::<F32, Sub>)),
    row(M::Subsd, M::Vsubsd, Float(scalar::<F64, Sub>)),
    row(M::Mulps, M::Vmulps, Float(packed::<F32, Mul>)),
    row(M::Mulpd, M::Vmulpd, Float(packed::<F64, Mul>)),
    row(M::Mulss, M::Vmulss, Float(scalar::<F32, Mul>)),
    row(M::Mulsd, M::Vmulsd, Float(scalar::<F64, Mul>)),
    row(M::Divps, M::Vdivps, Float(packed::<F32, Div>)),
    row(M::Divpd, M::Vdivpd, Float(packed::<F64, Div>)),
    row(M::Divss, M::Vdivss, Float(scalar::<F32, Div>)),
    row(M::Divsd, M::Vdivsd, Float(scalar::<F64, Div>)),
    row(M::Sqrtps, M::Vsqrtps, Float(packed::<F32, Sqrt>)),
    row(M::Sqrtpd, M::Vsqrtpd, Float(packed::<F64, Sqrt>)),
    row(M::Sqrtss, M::Vsqrtss, Float(scalar::<F32, Sqrt>)),
    row(M::Sqrtsd, M::Vsqrtsd, Float(scalar::<F64, Sqrt>)),
    row(M::Minps, M::Vminps, Float(packed::<F32, Min>)),
    row(M::Minpd, M::Vminpd, Float(packed::<F64, Min>)),
    row(M::Minss, M::Vminss, Float(scalar::<F32, Min>)),
    row(M::Minsd, M::Vminsd, Float(scalar::<F64, Min>)),
    row(M::Maxps, M::Vmaxps, Float(packed::<F32, Max>)),
    row(M::Maxpd, M::Vmaxpd, Float(packed::<F64, Max>)),
    row(M::Maxss, M::Vmaxss, Float(scalar::<F32, Max>)),
    row(M::Maxsd, M::Vmaxsd, Float(scalar::<F64, Max>)),
    row(M::Cmpps, M::Vcmpps, Float(packed::<F32, Cmp>)),
    row(M::Cmppd, M::Vcmppd, Float(packed::<F64, Cmp>)),
    row(M::Cmpss, M::Vcmpss, Float(scalar::<F32, Cmp>)),
    row(M::Cmpsd, M::Vcmpsd, Float(scalar::<F64, Cmp>)),
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
    ),
    row(
        M::Comisd,
        M::Vcomisd,
        Compare(compare_to_flags::<F64, true>),
    ),
    row(
        M::Ucomiss,
        M::Vucomiss,
        Compare(compare_to_flags::<F32, false>),
    ),
    row(
        M::Ucomisd,
        M::Vucomisd,
        Compare(compare_to_flags::<F64, false>),
    ),
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
    ),
    row(
        M::Cvtsd2ss,
        M::Vcvtsd2ss,
        Float(convert::scalar::<F64, F32>),
    ),
    form(
        Quadword,
        M::Cvtsi2ss,
        M::Vcvtsi2ss,
        Float(convert::from_integer::<F32, i64>),
    ),
    row(
        M::Cvtsi2ss,
        M::Vcvtsi2ss,
        Float(convert::from_integer::<F32, i32>),
    ),
    form(
        Quadword,
        M::Cvtsi2sd,
        M::Vcvtsi2sd,
        Float(convert::from_integer::<F64, i64>),
    ),
    row(
        M::Cvtsi2sd,
        M::Vcvtsi2sd,
        Float(convert::from_integer::<F64, i32>),
    ),
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
    ),
    row(
        M::Cvttsd2si,
        M::Vcvttsd2si,
        ToInteger(convert::to_integer::<F64, true>),
    ),
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
