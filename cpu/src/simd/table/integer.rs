//! Integer instructions.

use super::Apply::{Count, Flags, Lanes, LanesImm, Third, ToGeneral};
use super::Form::Mmx;
use super::{Row, form, row};
use crate::alu::flags::{CF, ZF};
use crate::simd::V256;
use crate::simd::integer::*;
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
    row(M::Paddb, M::Vpaddb, Lanes(add::<u8>)),
    row(M::Paddw, M::Vpaddw, Lanes(add::<u16>)),
    row(M::Paddd, M::Vpaddd, Lanes(add::<u32>)),
    row(M::Paddq, M::Vpaddq, Lanes(add::<u64>)),
    row(M::Psubb, M::Vpsubb, Lanes(sub::<u8>)),
    row(M::Psubw, M::Vpsubw, Lanes(sub::<u16>)),
    row(M::Psubd, M::Vpsubd, Lanes(sub::<u32>)),
    row(M::Psubq, M::Vpsubq, Lanes(sub::<u64>)),
    row(M::Paddsb, M::Vpaddsb, Lanes(add_saturating::<i8>)),
    row(M::Paddsw, M::Vpaddsw, Lanes(add_saturating::<i16>)),
    row(M::Paddusb, M::Vpaddusb, Lanes(add_saturating::<u8>)),
    row(M::Paddusw, M::Vpaddusw, Lanes(add_saturating::<u16>)),
    row(M::Psubsb, M::Vpsubsb, Lanes(sub_saturating::<i8>)),
    row(M::Psubsw, M::Vpsubsw, Lanes(sub_saturating::<i16>)),
    row(M::Psubusb, M::Vpsubusb, Lanes(sub_saturating::<u8>)),
    row(M::Psubusw, M::Vpsubusw, Lanes(sub_saturating::<u16>)),
    row(M::Pavgb, M::Vpavgb, Lanes(average::<u8>)),
    row(M::Pavgw, M::Vpavgw, Lanes(average::<u16>)),
    row(M::Pcmpeqb, M::Vpcmpeqb, Lanes(equal::<u8>)),
    row(M::Pcmpeqw, M::Vpcmpeqw, Lanes(equal::<u16>)),
    row(M::Pcmpeqd, M::Vpcmpeqd, Lanes(equal::<u32>)),
    row(M::Pcmpeqq, M::Vpcmpeqq, Lanes(equal::<u64>)),
    row(M::Pcmpgtb, M::Vpcmpgtb, Lanes(greater::<i8>)),
    row(M::Pcmpgtw, M::Vpcmpgtw, Lanes(greater::<i16>)),
    row(M::Pcmpgtd, M::Vpcmpgtd, Lanes(greater::<i32>)),
    row(M::Pcmpgtq, M::Vpcmpgtq, Lanes(greater::<i64>)),
    row(M::Pminub, M::Vpminub, Lanes(min::<u8>)),
    row(M::Pminuw, M::Vpminuw, Lanes(min::<u16>)),
    row(M::Pminud, M::Vpminud, Lanes(min::<u32>)),
    row(M::Pminsb, M::Vpminsb, Lanes(min::<i8>)),
    row(M::Pminsw, M::Vpminsw, Lanes(min::<i16>)),
    row(M::Pminsd, M::Vpminsd, Lanes(min::<i32>)),
    row(M::Pmaxub, M::Vpmaxub, Lanes(max::<u8>)),
    row(M::Pmaxuw, M::Vpmaxuw, Lanes(max::<u16>)),
    row(M::Pmaxud, M::Vpmaxud, Lanes(max::<u32>)),
    row(M::Pmaxsb, M::Vpmaxsb, Lanes(max::<i8>)),
    row(M::Pmaxsw, M::Vpmaxsw, Lanes(max::<i16>)),
    row(M::Pmaxsd, M::Vpmaxsd, Lanes(max::<i32>)),
    row(M::Pand, M::Vpand, Lanes(and)),
    row(M::Pandn, M::Vpandn, Lanes(and_not)),
    row(M::Por, M::Vpor, Lanes(or)),
    row(M::Pxor, M::Vpxor, Lanes(xor)),
    row(M::Andps, M::Vandps, Lanes(and)),
    row(M::Andpd, M::Vandpd, Lanes(and)),
    row(M::Andnps, M::Vandnps, Lanes(and_not)),
    row(M::Andnpd, M::Vandnpd, Lanes(and_not)),
    row(M::Orps, M::Vorps, Lanes(or)),
    row(M::Orpd, M::Vorpd, Lanes(or)),
    row(M::Xorps, M::Vxorps, Lanes(xor)),
    row(M::Xorpd, M::Vxorpd, Lanes(xor)),
    row(M::Pmullw, M::Vpmullw, Lanes(multiply_low::<u16>)),
    row(M::Pmulld, M::Vpmulld, Lanes(multiply_low::<u32>)),
    row(M::Pmulhw, M::Vpmulhw, Lanes(multiply_high::<i16>)),
    row(M::Pmulhuw, M::Vpmulhuw, Lanes(multiply_high::<u16>)),
    row(M::Pmulhrsw, M::Vpmulhrsw, Lanes(multiply_round)),
    row(M::Pmuludq, M::Vpmuludq, Lanes(multiply_even_unsigned)),
    row(M::Pmuldq, M::Vpmuldq, Lanes(multiply_even_signed)),
    row(M::Pmaddwd, M::Vpmaddwd, Lanes(multiply_add)),
    row(M::Pmaddubsw, M::Vpmaddubsw, Lanes(multiply_add_bytes)),
    row(M::Psadbw, M::Vpsadbw, Lanes(sum_of_differences)),
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
    row(M::Psllw, M::Vpsllw, Count(shift_left::<u16>)),
    row(M::Pslld, M::Vpslld, Count(shift_left::<u32>)),
    row(M::Psllq, M::Vpsllq, Count(shift_left::<u64>)),
    row(M::Psrlw, M::Vpsrlw, Count(shift_right::<u16>)),
    row(M::Psrld, M::Vpsrld, Count(shift_right::<u32>)),
    row(M::Psrlq, M::Vpsrlq, Count(shift_right::<u64>)),
    row(M::Psraw, M::Vpsraw, Count(shift_arithmetic::<i16>)),
    row(M::Psrad, M::Vpsrad, Count(shift_arithmetic::<i32>)),
    row(M::Pslldq, M::Vpslldq, Count(shift_bytes_left)),
    row(M::Psrldq, M::Vpsrldq, Count(shift_bytes_right)),
    form(Mmx, M::Packsswb, NO, Lanes(mmx::pack::<i16, i8>)),
    row(M::Packsswb, M::Vpacksswb, Lanes(pack::<i16, i8>)),
    form(Mmx, M::Packssdw, NO, Lanes(mmx::pack::<i32, i16>)),
    row(M::Packssdw, M::Vpackssdw, Lanes(pack::<i32, i16>)),
    form(Mmx, M::Packuswb, NO, Lanes(mmx::pack::<i16, u8>)),
    row(M::Packuswb, M::Vpackuswb, Lanes(pack::<i16, u8>)),
    row(M::Packusdw, M::Vpackusdw, Lanes(pack::<i32, u16>)),
    row(M::Punpcklbw, M::Vpunpcklbw, Lanes(interleave_low::<u8>)),
    row(M::Punpcklwd, M::Vpunpcklwd, Lanes(interleave_low::<u16>)),
    row(M::Punpckldq, M::Vpunpckldq, Lanes(interleave_low::<u32>)),
    row(M::Punpcklqdq, M::Vpunpcklqdq, Lanes(replace_high)),
    form(Mmx, M::Punpckhbw, NO, Lanes(mmx::interleave_high::<u8>)),
    row(M::Punpckhbw, M::Vpunpckhbw, Lanes(interleave_high::<u8>)),
    form(Mmx, M::Punpckhwd, NO, Lanes(mmx::interleave_high::<u16>)),
    row(M::Punpckhwd, M::Vpunpckhwd, Lanes(interleave_high::<u16>)),
    form(Mmx, M::Punpckhdq, NO, Lanes(mmx::interleave_high::<u32>)),
    row(M::Punpckhdq, M::Vpunpckhdq, Lanes(interleave_high::<u32>)),
    row(M::Punpckhqdq, M::Vpunpckhqdq, Lanes(highs)),
    row(M::Unpcklps, M::Vunpcklps, Lanes(interleave_low::<u32>)),
    row(M::Unpcklpd, M::Vunpcklpd, Lanes(replace_high)),
    row(M::Unpckhps, M::Vunpckhps, Lanes(interleave_high::<u32>)),
    row(M::Unpckhpd, M::Vunpckhpd, Lanes(highs)),
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
    row(M::Pmovmskb, M::Vpmovmskb, ToGeneral(byte_signs)),
    row(M::Movmskps, M::Vmovmskps, ToGeneral(single_signs)),
    row(M::Movmskpd, M::Vmovmskpd, ToGeneral(double_signs)),
    row(M::Ptest, M::Vptest, Flags(test)),
    row(NO, M::Vtestps, Flags(test_singles)),
    row(NO, M::Vtestpd, Flags(test_doubles)),
    row(M::Pshufd, M::Vpshufd, Lanes(shuffle_doublewords)),
    row(M::Pshuflw, M::Vpshuflw, Lanes(shuffle_low_words)),
    row(M::Pshufhw, M::Vpshufhw, Lanes(shuffle_high_words)),
    row(M::Pshufw, NO, Lanes(mmx::shuffle_words)),
    row(M::Shufps, M::Vshufps, Lanes(shuffle_singles)),
    row(M::Shufpd, M::Vshufpd, LanesImm(2, shuffle_doubles)),
    form(Mmx, M::Pshufb, NO, Lanes(mmx::shuffle_bytes)),
    row(M::Pshufb, M::Vpshufb, Lanes(shuffle_bytes)),
    form(Mmx, M::Palignr, NO, Lanes(mmx::align_right)),
    row(M::Palignr, M::Vpalignr, Lanes(align_right)),
    row(M::Pblendw, M::Vpblendw, Lanes(blend::<u16>)),
    row(M::Blendps, M::Vblendps, LanesImm(4, blend::<u32>)),
    row(M::Blendpd, M::Vblendpd, LanesImm(2, blend::<u64>)),
    row(M::Pblendvb, M::Vpblendvb, Third(blend_by_sign::<u8>)),
    row(M::Blendvps, M::Vblendvps, Third(blend_by_sign::<u32>)),
    row(M::Blendvpd, M::Vblendvpd, Third(blend_by_sign::<u64>)),
];
