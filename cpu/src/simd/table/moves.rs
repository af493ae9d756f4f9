//! Moves.

use super::Apply::Lanes;
use super::Form::{Load, Store};
use super::{Row, form, row};
use crate::simd::shuffle::*;
use iced_x86::Mnemonic as M;

const NO: M = M::INVALID;

pub const ROWS: &[Row] = &[
    row(M::Movaps, M::Vmovaps, Lanes(copy)),
    row(M::Movapd, M::Vmovapd, Lanes(copy)),
    row(M::Movdqa, M::Vmovdqa, Lanes(copy)),
    row(M::Movups, M::Vmovups, Lanes(copy)),
    row(M::Movupd, M::Vmovupd, Lanes(copy)),
    row(M::Movdqu, M::Vmovdqu, Lanes(copy)),
    row(M::Lddqu, M::Vlddqu, Lanes(copy)),
    row(M::Movntdqa, M::Vmovntdqa, Lanes(copy)),
    row(M::Movntps, M::Vmovntps, Lanes(copy)),
    row(M::Movntpd, M::Vmovntpd, Lanes(copy)),
    row(M::Movntdq, M::Vmovntdq, Lanes(copy)),
    row(M::Movntq, NO, Lanes(copy)),
    row(M::Movd, M::Vmovd, Lanes(copy)),
    row(M::Movq, M::Vmovq, Lanes(copy_low)),
    row(M::Movdq2q, NO, Lanes(copy_low)),
    row(M::Movq2dq, NO, Lanes(copy_low)),
    form(Load, M::Movss, M::Vmovss, Lanes(copy)),
    form(Store, M::Movss, M::Vmovss, Lanes(copy)),
    row(M::Movss, M::Vmovss, Lanes(replace_lowest::<u32>)),
    form(Load, M::Movsd, M::Vmovsd, Lanes(copy)),
    form(Store, M::Movsd, M::Vmovsd, Lanes(copy)),
    row(M::Movsd, M::Vmovsd, Lanes(replace_lowest::<u64>)),
    form(Store, M::Movlps, M::Vmovlps, Lanes(copy)),
    row(M::Movlps, M::Vmovlps, Lanes(replace_low)),
    form(Store, M::Movlpd, M::Vmovlpd, Lanes(copy)),
    row(M::Movlpd, M::Vmovlpd, Lanes(replace_low)),
    form(Store, M::Movhps, M::Vmovhps, Lanes(high)),
    row(M::Movhps, M::Vmovhps, Lanes(replace_high)),
    form(Store, M::Movhpd, M::Vmovhpd, Lanes(high)),
    row(M::Movhpd, M::Vmovhpd, Lanes(replace_high)),
    row(M::Movhlps, M::Vmovhlps, Lanes(high_to_low)),
    row(M::Movlhps, M::Vmovlhps, Lanes(replace_high)),
    row(M::Movsldup, M::Vmovsldup, Lanes(duplicate_even)),
    row(M::Movshdup, M::Vmovshdup, Lanes(duplicate_odd)),
    row(M::Movddup, M::Vmovddup, Lanes(duplicate_low)),
];
