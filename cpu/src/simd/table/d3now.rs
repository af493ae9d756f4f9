//! 3DNow! and its extensions.

use super::Apply::Lanes;
use super::{Row, row};
use crate::simd::d3now::*;
use crate::simd::integer::average;
use iced_x86::Mnemonic as M;

const NO: M = M::INVALID;

pub const ROWS: &[Row] = &[
    row(M::Pavgusb, NO, Lanes(average::<u8>)),
    row(M::Pf2id, NO, Lanes(pf2id)),
    row(M::Pf2iw, NO, Lanes(pf2iw)),
    row(M::Pfacc, NO, Lanes(pfacc)),
    row(M::Pfadd, NO, Lanes(pfadd)),
    row(M::Pfcmpeq, NO, Lanes(pfcmpeq)),
    row(M::Pfcmpge, NO, Lanes(pfcmpge)),
    row(M::Pfcmpgt, NO, Lanes(pfcmpgt)),
    row(M::Pfmax, NO, Lanes(pfmax)),
    row(M::Pfmin, NO, Lanes(pfmin)),
    row(M::Pfmul, NO, Lanes(pfmul)),
    row(M::Pfnacc, NO, Lanes(pfnacc)),
    row(M::Pfpnacc, NO, Lanes(pfpnacc)),
    row(M::Pfrcp, NO, Lanes(pfrcp)),
    row(M::Pfrcpit1, NO, Lanes(pfrcpit1)),
    row(M::Pfrcpit2, NO, Lanes(pfrcpit2)),
    row(M::Pfrsqit1, NO, Lanes(pfrsqit1)),
    row(M::Pfrsqrt, NO, Lanes(pfrsqrt)),
    row(M::Pfsub, NO, Lanes(pfsub)),
    row(M::Pfsubr, NO, Lanes(pfsubr)),
    row(M::Pi2fd, NO, Lanes(pi2fd)),
    row(M::Pi2fw, NO, Lanes(pi2fw)),
    row(M::Pmulhrw, NO, Lanes(pmulhrw)),
    row(M::Pswapd, NO, Lanes(pswapd)),
];
