//! Moves.

use super::Apply::Lanes;
use super::Form::{Load, Store};
use super::{Row, form, quick, row};
use crate::simd::quick;
use crate::simd::shuffle::*;
use iced_x86::Mnemonic as M;

const NO: M = M::INVALID;

pub const ROWS: &[Row] = &[
    row(M::Movaps, M::Vmovaps, Lanes(copy)).quick(quick::moves::<true>),
    row(M::Movapd, M::Vmovapd, Lanes(copy)).quick(quick::moves::<true>),
    row(M::Movdqa, M::Vmovdqa, Lanes(copy)).quick(quick::moves::<true>),
    row(M::Movups, M::Vmovups, Lanes(copy)).quick(quick::moves::<false>),
    row(M::Movupd, M::Vmovupd, Lanes(copy)).quick(quick::moves::<false>),
    row(M::Movdqu, M::Vmovdqu, Lanes(copy)).quick(quick::moves::<false>),
    row(M::Lddqu, M::Vlddqu, Lanes(copy)).quick(quick::moves::<false>),
    row(M::Movntdqa, M::Vmovntdqa, Lanes(copy)),
    row(M::Movntps, M::Vmovntps, Lanes(copy)).quick(quick::moves::<true>),
    row(M::Movntpd, M::Vmovntpd, Lanes(copy)).quick(quick::moves::<true>),
    row(M::Movntdq, M::Vmovntdq, Lanes(copy)).quick(quick::moves::<true>),
    row(M::Movntq, NO, Lanes(copy)),
    row(M::Movd, M::Vmovd, Lanes(copy)).quick(quick::moves_of_part::<quick::Copy, u32>),
    row(M::Movq, M::Vmovq, Lanes(copy_low)).quick(quick::moves_of_part::<quick::CopyLow, u64>),
    row(M::Movdq2q, NO, Lanes(copy_low)),
    row(M::Movq2dq, NO, Lanes(copy_low)),
    form(Load, M::Movss, M::Vmovss, Lanes(copy)).quick(quick::scalar_anywhere::<quick::Copy, u32>),
    form(Store, M::Movss, M::Vmovss, Lanes(copy)).quick(quick::store_low::<u32>),
    quick!(M::Movss, M::Vmovss, Lanes(replace_lowest::<u32>), packed),
    form(Load, M::Movsd, M::Vmovsd, Lanes(copy)).quick(quick::scalar_anywhere::<quick::Copy, u64>),
    form(Store, M::Movsd, M::Vmovsd, Lanes(copy)).quick(quick::store_low::<u64>),
    quick!(M::Movsd, M::Vmovsd, Lanes(replace_lowest::<u64>), packed),
    form(Store, M::Movlps, M::Vmovlps, Lanes(copy)).quick(quick::store_low::<u64>),
    quick!(M::Movlps, M::Vmovlps, Lanes(replace_low), scalar u64),
    form(Store, M::Movlpd, M::Vmovlpd, Lanes(copy)).quick(quick::store_low::<u64>),
    quick!(M::Movlpd, M::Vmovlpd, Lanes(replace_low), scalar u64),
    form(Store, M::Movhps, M::Vmovhps, Lanes(high)).quick(quick::store_high),
    quick!(M::Movhps, M::Vmovhps, Lanes(replace_high), scalar u64),
    form(Store, M::Movhpd, M::Vmovhpd, Lanes(high)).quick(quick::store_high),
    quick!(M::Movhpd, M::Vmovhpd, Lanes(replace_high), scalar u64),
    quick!(M::Movhlps, M::Vmovhlps, Lanes(high_to_low), packed),
    quick!(
        M::Movlhps,
        M::Vmovlhps,
        Lanes(replace_high),
        packed,
        _mm_unpacklo_epi64
    ),
    row(M::Movsldup, M::Vmovsldup, Lanes(duplicate_even)),
    row(M::Movshdup, M::Vmovshdup, Lanes(duplicate_odd)),
    quick!(M::Movddup, M::Vmovddup, Lanes(duplicate_low), scalar u64),
];
