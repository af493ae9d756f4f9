//! Shuffles, blends and moves between lanes (SDM vol. 2).

use super::lane::{Lane, at, build, lane, with};

/// MOVDQA, MOVD, MOVQ and whatever else takes its source as it is.
pub fn copy(_: u128, b: u128, _: u8) -> u128 {
    b
}
/// MOVQ xmm, xmm: the low quadword, the upper one 0.
pub fn copy_low(_: u128, b: u128, _: u8) -> u128 {
    u128::from(b as u64)
}
/// MOVSS xmm, xmm and MOVSD xmm, xmm: the lowest lane is replaced.
pub fn replace_lowest<T: Lane>(a: u128, b: u128, _: u8) -> u128 {
    with(a, 0, lane::<T>(b, 0))
}
/// MOVLPS xmm, m64; MOVLPD.
pub fn replace_low(a: u128, b: u128, _: u8) -> u128 {
    a >> 64 << 64 | u128::from(b as u64)
}
/// MOVHPS xmm, m64; MOVHPD; MOVLHPS; PUNPCKLQDQ, UNPCKLPD.
pub fn replace_high(a: u128, b: u128, _: u8) -> u128 {
    u128::from(a as u64) | b << 64
}
/// MOVHLPS.
pub fn high_to_low(a: u128, b: u128, _: u8) -> u128 {
    a >> 64 << 64 | b >> 64
}
/// PUNPCKHQDQ, UNPCKHPD.
pub fn highs(a: u128, b: u128, _: u8) -> u128 {
    a >> 64 | b >> 64 << 64
}
/// MOVHPS m64, xmm.
pub fn high(_: u128, b: u128, _: u8) -> u128 {
    b >> 64
}
/// MOVSLDUP.
pub fn duplicate_even(_: u128, b: u128, _: u8) -> u128 {
    build(|i| lane::<u32>(b, i & !1))
}
/// MOVSHDUP.
pub fn duplicate_odd(_: u128, b: u128, _: u8) -> u128 {
    build(|i| lane::<u32>(b, i | 1))
}
/// MOVDDUP.
pub fn duplicate_low(_: u128, b: u128, _: u8) -> u128 {
    u128::from(b as u64) | b << 64
}
/// VBROADCASTSS, VPBROADCASTx: the lowest lane everywhere.
pub fn broadcast<T: Lane>(b: u128) -> u128 {
    build(|_| lane::<T>(b, 0))
}

fn field(imm: u8, i: u32) -> u32 {
    u32::from(imm >> (2 * (i & 3)) & 3)
}
/// PSHUFD; VPERMILPS by immediate.
pub fn shuffle_doublewords(_: u128, b: u128, imm: u8) -> u128 {
    build(|i| lane::<u32>(b, field(imm, i)))
}
/// PSHUFLW.
pub fn shuffle_low_words(_: u128, b: u128, imm: u8) -> u128 {
    build(|i| lane::<u16>(b, if i < 4 { field(imm, i) } else { i }))
}
/// PSHUFHW.
pub fn shuffle_high_words(_: u128, b: u128, imm: u8) -> u128 {
    build(|i| lane::<u16>(b, if i < 4 { i } else { 4 + field(imm, i) }))
}
/// SHUFPS.
pub fn shuffle_singles(a: u128, b: u128, imm: u8) -> u128 {
    build(|i| lane::<u32>(if i < 2 { a } else { b }, field(imm, i)))
}
/// PSHUFB.
pub fn shuffle_bytes(a: u128, b: u128, _: u8) -> u128 {
    build(|i| match lane::<u8>(b, i) {
        n if n & 0x80 != 0 => 0,
        n => lane::<u8>(a, u32::from(n & 15)),
    })
}
/// PALIGNR: bytes of both, the destination above, shifted right.
pub fn align_right(a: u128, b: u128, imm: u8) -> u128 {
    let shift = 8 * u32::from(imm);
    let low = b.checked_shr(shift).unwrap_or_default();
    let high = match shift {
        0 => 0,
        1..=128 => a.checked_shl(128 - shift).unwrap_or_default(),
        _ => a.checked_shr(shift - 128).unwrap_or_default(),
    };
    low | high
}
/// PBLENDW, BLENDPS, BLENDPD, VPBLENDD: a bit of the immediate for each lane.
pub fn blend<T: Lane>(a: u128, b: u128, imm: u8) -> u128 {
    build(|i| lane::<T>(if imm >> i & 1 != 0 { b } else { a }, i))
}
/// PBLENDVB, BLENDVPS, BLENDVPD: the sign of each lane of the mask.
pub fn blend_by_sign<T: Lane>(a: u128, b: u128, mask: u128) -> u128 {
    build(|i| {
        let sign = lane::<T>(mask, i).bits() >> (T::BITS - 1);
        lane::<T>(if sign != 0 { b } else { a }, i)
    })
}
/// INSERTPS: which single of the source goes where, and what becomes 0. From memory the lane is 0.
pub fn insert_single(a: u128, b: u128, imm: u8) -> u128 {
    let v = with(
        a,
        u32::from(imm >> 4 & 3),
        lane::<u32>(b, u32::from(imm >> 6)),
    );
    build(|i| match imm >> i & 1 {
        0 => lane::<u32>(v, i),
        _ => 0,
    })
}
/// VPERMILPS, VPERMILPD by register: bits of each lane of the control choose.
pub fn permute_singles(a: u128, b: u128, _: u8) -> u128 {
    build(|i| lane::<u32>(a, lane::<u32>(b, i) & 3))
}
/// VPERMILPD by register: bit 1 chooses.
pub fn permute_doubles(a: u128, b: u128, _: u8) -> u128 {
    build(|i| lane::<u64>(a, (lane::<u64>(b, i) >> 1 & 1) as u32))
}
/// SHUFPD: bit 0 chooses from the destination, bit 1 from the source.
pub fn shuffle_doubles(a: u128, b: u128, imm: u8) -> u128 {
    let low = lane::<u64>(a, u32::from(imm & 1));
    let high = lane::<u64>(b, u32::from(imm >> 1 & 1));
    at(0, low) | at(1, high)
}
/// VPERMILPD by immediate.
pub fn permute_doubles_by_immediate(_: u128, b: u128, imm: u8) -> u128 {
    shuffle_doubles(b, b, imm)
}
