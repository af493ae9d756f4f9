//! What sees a 256-bit register as a whole: broadcasts, permutations, widening moves, and half-precision conversions
//! (SDM vol. 2, V-instructions).

use super::integer::extend;
use super::lane::{Lane, lane};
use super::{Args, V256};
use crate::softfloat::{F32, FloatEnv, Rounding, from_half, to_half};

/// A 256-bit register made lane by lane.
fn build<T: Lane>(wide: bool, f: impl Fn(u32) -> T) -> V256 {
    let n = super::lane::lanes::<T>();
    let half = |from| super::lane::build(|i| f(from + i));
    [half(0), if wide { half(n) } else { 0 }]
}

/// Lane `i` of a 256-bit register.
fn element<T: Lane>(v: &V256, i: u32) -> T {
    let n = super::lane::lanes::<T>();
    lane(v[((i / n) & 1) as usize], i % n)
}

/// VBROADCASTSS, VBROADCASTSD, VPBROADCASTx.
pub fn broadcast<T: Lane>(x: &Args) -> V256 {
    let v = super::shuffle::broadcast::<T>(x.b[0]);
    [v, if x.wide { v } else { 0 }]
}
/// VBROADCASTF128, VBROADCASTI128.
pub fn broadcast_half(x: &Args) -> V256 {
    [x.b[0]; 2]
}
/// VINSERTF128, VINSERTI128.
pub fn insert_half(x: &Args) -> V256 {
    if x.imm & 1 == 0 {
        [x.b[0], x.a[1]]
    } else {
        [x.a[0], x.b[0]]
    }
}
/// VEXTRACTF128, VEXTRACTI128.
pub fn extract_half(x: &Args) -> V256 {
    [x.b[usize::from(x.imm & 1)], 0]
}
/// VPERM2F128, VPERM2I128: a half of either source or 0 for each half.
pub fn permute_halves(x: &Args) -> V256 {
    let half = |control: u8| match control & 0xF {
        c if c & 8 != 0 => 0,
        c if c & 2 != 0 => x.b[usize::from(c & 1)],
        c => x.a[usize::from(c & 1)],
    };
    [half(x.imm), half(x.imm >> 4)]
}
/// VPERMQ, VPERMPD.
pub fn permute_quadwords(x: &Args) -> V256 {
    build(true, |i| {
        element::<u64>(&x.b, u32::from(x.imm >> (2 * i) & 3))
    })
}
/// VPERMD, VPERMPS: the first source chooses lanes of the second.
pub fn permute_doublewords(x: &Args) -> V256 {
    build(true, |i| element::<u32>(&x.b, element::<u32>(&x.a, i) & 7))
}
/// VPMOVSXxx, VPMOVZXxx.
pub fn widen<S: Lane, D: Lane>(x: &Args) -> V256 {
    let used = super::lane::lanes::<D>() * S::BITS;
    let high = x.b[0] >> (used % 128);
    [
        extend::<S, D>(0, x.b[0], 0),
        if x.wide {
            extend::<S, D>(0, high, 0)
        } else {
            0
        },
    ]
}

/// VCVTPH2PS: exact; a signalling NaN is invalid, a denormal raises nothing.
pub fn halves_to_singles(x: &Args, env: &mut FloatEnv) -> V256 {
    let cell = std::cell::RefCell::new(env);
    build(x.wide, |i| {
        let env: &mut FloatEnv = &mut cell.borrow_mut();
        from_half(lane::<u16>(x.b[0], i & 7), env).0
    })
}
/// VCVTPS2PH: the immediate or MXCSR says how to round; FTZ does not matter.
pub fn singles_to_halves(x: &Args, env: &mut FloatEnv) -> V256 {
    let (rounding, flush) = (env.rounding, env.flush_to_zero);
    if x.imm & 4 == 0 {
        env.rounding = Rounding::from_bits(x.imm.into());
    }
    env.flush_to_zero = false;
    let mut v = 0;
    for i in 0..if x.wide { 8 } else { 4 } {
        let half = to_half(F32(element(&x.b, i)), env);
        v |= super::lane::at(i, half);
    }
    (env.rounding, env.flush_to_zero) = (rounding, flush);
    [v, 0]
}

/// A fused multiply-add of one of the three orders: sources (first, second, destination). NaNs win in the order in
/// which `softfloat::fma` takes its operands.
pub fn order<const ORDER: u32>(a: u128, b: u128, d: u128) -> (u128, u128, u128) {
    match ORDER {
        132 => (d, b, a),
        213 => (a, d, b),
        _ => (a, b, d),
    }
}

/// How the signs of a fused operation are encoded in a const parameter: bit 0 negates the product, bits 1 and 2 the
/// addend in even and odd lanes.
const fn signs(code: u8) -> super::float::Signs {
    super::float::Signs {
        product: code & 1 != 0,
        addend: [code & 2 != 0, code & 4 != 0],
    }
}

/// VFMADD132PS and its kin, packed.
pub fn fused<T: super::float::Number, const ORDER: u32, const SIGNS: u8>(
    a: u128,
    b: u128,
    d: u128,
    env: &mut FloatEnv,
) -> u128 {
    let (x, y, z) = order::<ORDER>(a, b, d);
    super::float::fused::<T>(x, y, z, signs(SIGNS), env)
}

/// VFMADD132SS and its kin: the other lanes are the destination's.
pub fn fused_scalar<T: super::float::Number, const ORDER: u32, const SIGNS: u8>(
    a: u128,
    b: u128,
    d: u128,
    env: &mut FloatEnv,
) -> u128 {
    let (x, y, z) = order::<ORDER>(a, b, d);
    let v: T = super::float::fused_lane(x, y, z, 0, signs(SIGNS), env);
    super::lane::with(d, 0, v.to_lane())
}
