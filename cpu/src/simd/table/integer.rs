//! Integer instructions.

use super::Apply::{Count, Flags, Lanes, LanesImm, Third, ToGeneral};
use super::Form::Mmx;
use super::{Row, form, quick, row};
use crate::alu::flags::{CF, ZF};
use crate::simd::V256;
use crate::simd::integer::*;
use crate::simd::quick;
use crate::simd::shuffle::*;
use iced_x86::Mnemonic as M;

fn byte_signs(v: V256, _: u8) -> u64 {
    signs::<u8>(v[0]) | signs::<u8>(v[1]) << 16
}
fn byte_signs_of_8(v: V256, _: u8) -> u64 {
    signs::<u8>(v[0])
}
fn single_signs(v: V256, _: u8) -> u64 {
    signs::<u32>(v[0]) | signs::<u32>(v[1]) << 4
}
fn double_signs(v: V256, _: u8) -> u64 {
    signs::<u64>(v[0]) | signs::<u64>(v[1]) << 2
}

/// ZF: no bit of `a & b` under the mask is set; CF: none of `!a & b`.
fn test_under(a: V256, b: V256, mask: u128) -> u64 {
    let clear = |x: u128, y: u128| (x | y) & mask == 0;
    let zf = if clear(a[0] & b[0], a[1] & b[1]) {
        ZF
    } else {
        0
    };
    let cf = if clear(!a[0] & b[0], !a[1] & b[1]) {
        CF
    } else {
        0
    };
    zf | cf
}
fn test(a: V256, b: V256) -> u64 {
    test_under(a, b, u128::MAX)
}
fn test_singles(a: V256, b: V256) -> u64 {
    test_under(a, b, 0x8000_0000_8000_0000_8000_0000_8000_0000)
}
fn test_doubles(a: V256, b: V256) -> u64 {
    test_under(a, b, 0x8000_0000_0000_0000_8000_0000_0000_0000)
}

const NO: M = M::INVALID;

pub const ROWS: &[Row] = &[
    quick!(M::Paddb, M::Vpaddb, Lanes(add::<u8>), packed, _mm_add_epi8),
    quick!(
        M::Paddw,
        M::Vpaddw,
        Lanes(add::<u16>),
        packed,
        _mm_add_epi16
    ),
    quick!(
        M::Paddd,
        M::Vpaddd,
        Lanes(add::<u32>),
        packed,
        _mm_add_epi32
    ),
    quick!(
        M::Paddq,
        M::Vpaddq,
        Lanes(add::<u64>),
        packed,
        _mm_add_epi64
    ),
    quick!(M::Psubb, M::Vpsubb, Lanes(sub::<u8>), packed, _mm_sub_epi8),
    quick!(
        M::Psubw,
        M::Vpsubw,
        Lanes(sub::<u16>),
        packed,
        _mm_sub_epi16
    ),
    quick!(
        M::Psubd,
        M::Vpsubd,
        Lanes(sub::<u32>),
        packed,
        _mm_sub_epi32
    ),
    quick!(
        M::Psubq,
        M::Vpsubq,
        Lanes(sub::<u64>),
        packed,
        _mm_sub_epi64
    ),
    quick!(
        M::Paddsb,
        M::Vpaddsb,
        Lanes(add_saturating::<i8>),
        packed,
        _mm_adds_epi8
    ),
    quick!(
        M::Paddsw,
        M::Vpaddsw,
        Lanes(add_saturating::<i16>),
        packed,
        _mm_adds_epi16
    ),
    quick!(
        M::Paddusb,
        M::Vpaddusb,
        Lanes(add_saturating::<u8>),
        packed,
        _mm_adds_epu8
    ),
    quick!(
        M::Paddusw,
        M::Vpaddusw,
        Lanes(add_saturating::<u16>),
        packed,
        _mm_adds_epu16
    ),
    quick!(
        M::Psubsb,
        M::Vpsubsb,
        Lanes(sub_saturating::<i8>),
        packed,
        _mm_subs_epi8
    ),
    quick!(
        M::Psubsw,
        M::Vpsubsw,
        Lanes(sub_saturating::<i16>),
        packed,
        _mm_subs_epi16
    ),
    quick!(
        M::Psubusb,
        M::Vpsubusb,
        Lanes(sub_saturating::<u8>),
        packed,
        _mm_subs_epu8
    ),
    quick!(
        M::Psubusw,
        M::Vpsubusw,
        Lanes(sub_saturating::<u16>),
        packed,
        _mm_subs_epu16
    ),
    quick!(
        M::Pavgb,
        M::Vpavgb,
        Lanes(average::<u8>),
        packed,
        _mm_avg_epu8
    ),
    quick!(
        M::Pavgw,
        M::Vpavgw,
        Lanes(average::<u16>),
        packed,
        _mm_avg_epu16
    ),
    quick!(
        M::Pcmpeqb,
        M::Vpcmpeqb,
        Lanes(equal::<u8>),
        packed,
        _mm_cmpeq_epi8
    ),
    quick!(
        M::Pcmpeqw,
        M::Vpcmpeqw,
        Lanes(equal::<u16>),
        packed,
        _mm_cmpeq_epi16
    ),
    quick!(
        M::Pcmpeqd,
        M::Vpcmpeqd,
        Lanes(equal::<u32>),
        packed,
        _mm_cmpeq_epi32
    ),
    row(M::Pcmpeqq, M::Vpcmpeqq, Lanes(equal::<u64>)),
    quick!(
        M::Pcmpgtb,
        M::Vpcmpgtb,
        Lanes(greater::<i8>),
        packed,
        _mm_cmpgt_epi8
    ),
    quick!(
        M::Pcmpgtw,
        M::Vpcmpgtw,
        Lanes(greater::<i16>),
        packed,
        _mm_cmpgt_epi16
    ),
    quick!(
        M::Pcmpgtd,
        M::Vpcmpgtd,
        Lanes(greater::<i32>),
        packed,
        _mm_cmpgt_epi32
    ),
    row(M::Pcmpgtq, M::Vpcmpgtq, Lanes(greater::<i64>)),
    quick!(
        M::Pminub,
        M::Vpminub,
        Lanes(min::<u8>),
        packed,
        _mm_min_epu8
    ),
    row(M::Pminuw, M::Vpminuw, Lanes(min::<u16>)),
    row(M::Pminud, M::Vpminud, Lanes(min::<u32>)),
    row(M::Pminsb, M::Vpminsb, Lanes(min::<i8>)),
    quick!(
        M::Pminsw,
        M::Vpminsw,
        Lanes(min::<i16>),
        packed,
        _mm_min_epi16
    ),
    row(M::Pminsd, M::Vpminsd, Lanes(min::<i32>)),
    quick!(
        M::Pmaxub,
        M::Vpmaxub,
        Lanes(max::<u8>),
        packed,
        _mm_max_epu8
    ),
    row(M::Pmaxuw, M::Vpmaxuw, Lanes(max::<u16>)),
    row(M::Pmaxud, M::Vpmaxud, Lanes(max::<u32>)),
    row(M::Pmaxsb, M::Vpmaxsb, Lanes(max::<i8>)),
    quick!(
        M::Pmaxsw,
        M::Vpmaxsw,
        Lanes(max::<i16>),
        packed,
        _mm_max_epi16
    ),
    row(M::Pmaxsd, M::Vpmaxsd, Lanes(max::<i32>)),
    quick!(M::Pand, M::Vpand, Lanes(and), packed, _mm_and_si128),
    quick!(
        M::Pandn,
        M::Vpandn,
        Lanes(and_not),
        packed,
        _mm_andnot_si128
    ),
    quick!(M::Por, M::Vpor, Lanes(or), packed, _mm_or_si128),
    quick!(M::Pxor, M::Vpxor, Lanes(xor), packed, _mm_xor_si128),
    quick!(M::Andps, M::Vandps, Lanes(and), packed, _mm_and_si128),
    quick!(M::Andpd, M::Vandpd, Lanes(and), packed, _mm_and_si128),
    quick!(
        M::Andnps,
        M::Vandnps,
        Lanes(and_not),
        packed,
        _mm_andnot_si128
    ),
    quick!(
        M::Andnpd,
        M::Vandnpd,
        Lanes(and_not),
        packed,
        _mm_andnot_si128
    ),
    quick!(M::Orps, M::Vorps, Lanes(or), packed, _mm_or_si128),
    quick!(M::Orpd, M::Vorpd, Lanes(or), packed, _mm_or_si128),
    quick!(M::Xorps, M::Vxorps, Lanes(xor), packed, _mm_xor_si128),
    quick!(M::Xorpd, M::Vxorpd, Lanes(xor), packed, _mm_xor_si128),
    quick!(
        M::Pmullw,
        M::Vpmullw,
        Lanes(multiply_low::<u16>),
        packed,
        _mm_mullo_epi16
    ),
    quick!(M::Pmulld, M::Vpmulld, Lanes(multiply_low::<u32>), packed),
    quick!(
        M::Pmulhw,
        M::Vpmulhw,
        Lanes(multiply_high::<i16>),
        packed,
        _mm_mulhi_epi16
    ),
    quick!(
        M::Pmulhuw,
        M::Vpmulhuw,
        Lanes(multiply_high::<u16>),
        packed,
        _mm_mulhi_epu16
    ),
    row(M::Pmulhrsw, M::Vpmulhrsw, Lanes(multiply_round)),
    quick!(
        M::Pmuludq,
        M::Vpmuludq,
        Lanes(multiply_even_unsigned),
        packed,
        _mm_mul_epu32
    ),
    row(M::Pmuldq, M::Vpmuldq, Lanes(multiply_even_signed)),
    quick!(
        M::Pmaddwd,
        M::Vpmaddwd,
        Lanes(multiply_add),
        packed,
        _mm_madd_epi16
    ),
    row(M::Pmaddubsw, M::Vpmaddubsw, Lanes(multiply_add_bytes)),
    quick!(
        M::Psadbw,
        M::Vpsadbw,
        Lanes(sum_of_differences),
        packed,
        _mm_sad_epu8
    ),
    row(M::Mpsadbw, M::Vmpsadbw, LanesImm(3, multiple_sums)),
    row(M::Pabsb, M::Vpabsb, Lanes(absolute::<i8>)),
    row(M::Pabsw, M::Vpabsw, Lanes(absolute::<i16>)),
    row(M::Pabsd, M::Vpabsd, Lanes(absolute::<i32>)),
    row(M::Psignb, M::Vpsignb, Lanes(sign::<i8>)),
    row(M::Psignw, M::Vpsignw, Lanes(sign::<i16>)),
    row(M::Psignd, M::Vpsignd, Lanes(sign::<i32>)),
    form(Mmx, M::Phaddw, NO, Lanes(mmx::horizontal_add::<u16>)),
    row(M::Phaddw, M::Vphaddw, Lanes(horizontal_add::<u16>)),
    form(Mmx, M::Phaddd, NO, Lanes(mmx::horizontal_add::<u32>)),
    row(M::Phaddd, M::Vphaddd, Lanes(horizontal_add::<u32>)),
    form(Mmx, M::Phsubw, NO, Lanes(mmx::horizontal_sub::<u16>)),
    row(M::Phsubw, M::Vphsubw, Lanes(horizontal_sub::<u16>)),
    form(Mmx, M::Phsubd, NO, Lanes(mmx::horizontal_sub::<u32>)),
    row(M::Phsubd, M::Vphsubd, Lanes(horizontal_sub::<u32>)),
    form(Mmx, M::Phaddsw, NO, Lanes(mmx::horizontal_add_saturating)),
    row(M::Phaddsw, M::Vphaddsw, Lanes(horizontal_add_saturating)),
    form(Mmx, M::Phsubsw, NO, Lanes(mmx::horizontal_sub_saturating)),
    row(M::Phsubsw, M::Vphsubsw, Lanes(horizontal_sub_saturating)),
    row(M::Phminposuw, M::Vphminposuw, Lanes(least_word)),
    quick!(
        M::Psllw,
        M::Vpsllw,
        Count(shift_left::<u16>),
        shifts,
        _mm_sll_epi16
    ),
    quick!(
        M::Pslld,
        M::Vpslld,
        Count(shift_left::<u32>),
        shifts,
        _mm_sll_epi32
    ),
    quick!(
        M::Psllq,
        M::Vpsllq,
        Count(shift_left::<u64>),
        shifts,
        _mm_sll_epi64
    ),
    quick!(
        M::Psrlw,
        M::Vpsrlw,
        Count(shift_right::<u16>),
        shifts,
        _mm_srl_epi16
    ),
    quick!(
        M::Psrld,
        M::Vpsrld,
        Count(shift_right::<u32>),
        shifts,
        _mm_srl_epi32
    ),
    quick!(
        M::Psrlq,
        M::Vpsrlq,
        Count(shift_right::<u64>),
        shifts,
        _mm_srl_epi64
    ),
    quick!(
        M::Psraw,
        M::Vpsraw,
        Count(shift_arithmetic::<i16>),
        shifts,
        _mm_sra_epi16
    ),
    quick!(
        M::Psrad,
        M::Vpsrad,
        Count(shift_arithmetic::<i32>),
        shifts,
        _mm_sra_epi32
    ),
    quick!(M::Pslldq, M::Vpslldq, Count(shift_bytes_left), shifts),
    quick!(M::Psrldq, M::Vpsrldq, Count(shift_bytes_right), shifts),
    form(Mmx, M::Packsswb, NO, Lanes(mmx::pack::<i16, i8>)),
    quick!(
        M::Packsswb,
        M::Vpacksswb,
        Lanes(pack::<i16, i8>),
        packed,
        _mm_packs_epi16
    ),
    form(Mmx, M::Packssdw, NO, Lanes(mmx::pack::<i32, i16>)),
    quick!(
        M::Packssdw,
        M::Vpackssdw,
        Lanes(pack::<i32, i16>),
        packed,
        _mm_packs_epi32
    ),
    form(Mmx, M::Packuswb, NO, Lanes(mmx::pack::<i16, u8>)),
    quick!(
        M::Packuswb,
        M::Vpackuswb,
        Lanes(pack::<i16, u8>),
        packed,
        _mm_packus_epi16
    ),
    row(M::Packusdw, M::Vpackusdw, Lanes(pack::<i32, u16>)),
    quick!(
        M::Punpcklbw,
        M::Vpunpcklbw,
        Lanes(interleave_low::<u8>),
        packed,
        _mm_unpacklo_epi8
    ),
    quick!(
        M::Punpcklwd,
        M::Vpunpcklwd,
        Lanes(interleave_low::<u16>),
        packed,
        _mm_unpacklo_epi16
    ),
    quick!(
        M::Punpckldq,
        M::Vpunpckldq,
        Lanes(interleave_low::<u32>),
        packed,
        _mm_unpacklo_epi32
    ),
    quick!(
        M::Punpcklqdq,
        M::Vpunpcklqdq,
        Lanes(replace_high),
        packed,
        _mm_unpacklo_epi64
    ),
    form(Mmx, M::Punpckhbw, NO, Lanes(mmx::interleave_high::<u8>)),
    quick!(
        M::Punpckhbw,
        M::Vpunpckhbw,
        Lanes(interleave_high::<u8>),
        packed,
        _mm_unpackhi_epi8
    ),
    form(Mmx, M::Punpckhwd, NO, Lanes(mmx::interleave_high::<u16>)),
    quick!(
        M::Punpckhwd,
        M::Vpunpckhwd,
        Lanes(interleave_high::<u16>),
        packed,
        _mm_unpackhi_epi16
    ),
    form(Mmx, M::Punpckhdq, NO, Lanes(mmx::interleave_high::<u32>)),
    quick!(
        M::Punpckhdq,
        M::Vpunpckhdq,
        Lanes(interleave_high::<u32>),
        packed,
        _mm_unpackhi_epi32
    ),
    quick!(
        M::Punpckhqdq,
        M::Vpunpckhqdq,
        Lanes(highs),
        packed,
        _mm_unpackhi_epi64
    ),
    quick!(
        M::Unpcklps,
        M::Vunpcklps,
        Lanes(interleave_low::<u32>),
        packed,
        _mm_unpacklo_epi32
    ),
    quick!(
        M::Unpcklpd,
        M::Vunpcklpd,
        Lanes(replace_high),
        packed,
        _mm_unpacklo_epi64
    ),
    quick!(
        M::Unpckhps,
        M::Vunpckhps,
        Lanes(interleave_high::<u32>),
        packed,
        _mm_unpackhi_epi32
    ),
    quick!(
        M::Unpckhpd,
        M::Vunpckhpd,
        Lanes(highs),
        packed,
        _mm_unpackhi_epi64
    ),
    form(Mmx, M::Pinsrw, NO, Lanes(mmx::insert_word)),
    row(M::Pinsrw, M::Vpinsrw, Lanes(insert::<u16>)),
    row(M::Pinsrb, M::Vpinsrb, Lanes(insert::<u8>)),
    row(M::Pinsrd, M::Vpinsrd, Lanes(insert::<u32>)),
    row(M::Pinsrq, M::Vpinsrq, Lanes(insert::<u64>)),
    row(M::Pextrb, M::Vpextrb, Lanes(extract::<u8>)),
    form(Mmx, M::Pextrw, NO, Lanes(mmx::extract_word)),
    row(M::Pextrw, M::Vpextrw, Lanes(extract::<u16>)),
    row(M::Pextrd, M::Vpextrd, Lanes(extract::<u32>)),
    row(M::Pextrq, M::Vpextrq, Lanes(extract::<u64>)),
    row(M::Extractps, M::Vextractps, Lanes(extract::<u32>)),
    row(M::Insertps, M::Vinsertps, Lanes(insert_single)),
    form(Mmx, M::Pmovmskb, NO, ToGeneral(byte_signs_of_8)),
    row(M::Pmovmskb, M::Vpmovmskb, ToGeneral(byte_signs)).quick(quick::signs::<quick::Bytes>),
    row(M::Movmskps, M::Vmovmskps, ToGeneral(single_signs))
        .quick(quick::signs::<quick::Doublewords>),
    row(M::Movmskpd, M::Vmovmskpd, ToGeneral(double_signs)).quick(quick::signs::<quick::Quadwords>),
    row(M::Ptest, M::Vptest, Flags(test)),
    row(NO, M::Vtestps, Flags(test_singles)),
    row(NO, M::Vtestpd, Flags(test_doubles)),
    quick!(M::Pshufd, M::Vpshufd, Lanes(shuffle_doublewords), packed, shuffle_doublewords imm),
    quick!(M::Pshuflw, M::Vpshuflw, Lanes(shuffle_low_words), packed, shuffle_low_words imm),
    quick!(M::Pshufhw, M::Vpshufhw, Lanes(shuffle_high_words), packed, shuffle_high_words imm),
    row(M::Pshufw, NO, Lanes(mmx::shuffle_words)),
    quick!(M::Shufps, M::Vshufps, Lanes(shuffle_singles), packed, shuffle_singles imm),
    row(M::Shufpd, M::Vshufpd, LanesImm(2, shuffle_doubles)),
    form(Mmx, M::Pshufb, NO, Lanes(mmx::shuffle_bytes)),
    quick!(M::Pshufb, M::Vpshufb, Lanes(shuffle_bytes), packed),
    form(Mmx, M::Palignr, NO, Lanes(mmx::align_right)),
    quick!(M::Palignr, M::Vpalignr, Lanes(align_right), packed),
    row(M::Pblendw, M::Vpblendw, Lanes(blend::<u16>)),
    row(M::Blendps, M::Vblendps, LanesImm(4, blend::<u32>)),
    row(M::Blendpd, M::Vblendpd, LanesImm(2, blend::<u64>)),
    row(M::Pblendvb, M::Vpblendvb, Third(blend_by_sign::<u8>)),
    row(M::Blendvps, M::Vblendvps, Third(blend_by_sign::<u32>)),
    row(M::Blendvpd, M::Vblendvpd, Third(blend_by_sign::<u64>)),
];
