//! Conversions between float formats and integers (SDM vol. 2, CVTxx2xx).

use super::float::Number;
use super::lane::{Lane, at, lane, with};
use super::{Args, V256};
use crate::softfloat::{self, F32, F64, FloatEnv, Operand, Rounding};

fn rounding<const TRUNCATE: bool>(env: &FloatEnv) -> Rounding {
    if TRUNCATE {
        Rounding::Truncate
    } else {
        env.rounding
    }
}

/// CVTDQ2PS.
pub fn integers_to_singles(_: u128, b: u128, _: u8, env: &mut FloatEnv) -> u128 {
    (0..4).fold(0, |r, i| {
        let v: F32 = softfloat::convert(Operand::from(lane::<i32>(b, i)), env);
        r | at(i, v.0)
    })
}
/// CVTPI2PS: two into the lower half.
pub fn two_integers_to_singles(a: u128, b: u128, _: u8, env: &mut FloatEnv) -> u128 {
    let v = integers_to_singles(0, u128::from(b as u64), 0, env);
    a >> 64 << 64 | u128::from(v as u64)
}
/// CVTPS2DQ, CVTTPS2DQ; the low half: CVTPS2PI, CVTTPS2PI.
pub fn singles_to_integers<const TRUNCATE: bool, const LANES: u32>(
    _: u128,
    b: u128,
    _: u8,
    env: &mut FloatEnv,
) -> u128 {
    let rounding = rounding::<TRUNCATE>(env);
    (0..LANES).fold(0, |r, i| {
        r | at(i, softfloat::to_i32(F32::lane(b, i), rounding, env))
    })
}
/// CVTPD2PI, CVTTPD2PI, CVTPD2DQ, CVTTPD2DQ of two.
pub fn doubles_to_integers<const TRUNCATE: bool>(
    _: u128,
    b: u128,
    _: u8,
    env: &mut FloatEnv,
) -> u128 {
    let rounding = rounding::<TRUNCATE>(env);
    (0..2).fold(0, |r, i| {
        r | at(i, softfloat::to_i32(F64::lane(b, i), rounding, env))
    })
}
/// CVTDQ2PD, CVTPI2PD of two: exact.
pub fn integers_to_doubles(_: u128, b: u128, _: u8, env: &mut FloatEnv) -> u128 {
    (0..2).fold(0, |r, i| {
        let v: F64 = softfloat::convert(Operand::from(lane::<i32>(b, i)), env);
        r | at(i, v.0)
    })
}
/// CVTPS2PD of two.
pub fn singles_to_doubles(_: u128, b: u128, _: u8, env: &mut FloatEnv) -> u128 {
    (0..2).fold(0, |r, i| {
        let v: F64 = softfloat::convert(F32::lane(b, i), env);
        r | at(i, v.0)
    })
}
/// CVTPD2PS of two.
pub fn doubles_to_singles(_: u128, b: u128, _: u8, env: &mut FloatEnv) -> u128 {
    (0..2).fold(0, |r, i| {
        let v: F32 = softfloat::convert(F64::lane(b, i), env);
        r | at(i, v.0)
    })
}
/// CVTSS2SD, CVTSD2SS.
pub fn scalar<S: Number, D: Number>(a: u128, b: u128, _: u8, env: &mut FloatEnv) -> u128 {
    let v: D = softfloat::convert(S::lane(b, 0), env);
    with(a, 0, v.to_lane())
}
/// CVTSI2SS, CVTSI2SD: from a doubleword or a quadword.
pub fn from_integer<D: Number, I: Lane>(a: u128, b: u128, _: u8, env: &mut FloatEnv) -> u128 {
    let v: D = softfloat::convert(Operand::from(lane::<I>(b, 0).value()), env);
    with(a, 0, v.to_lane())
}
/// CVTSS2SI, CVTSD2SI, CVTTSS2SI, CVTTSD2SI: to a doubleword or (`wide`) a quadword.
pub fn to_integer<S: Number, const TRUNCATE: bool>(b: u128, wide: bool, env: &mut FloatEnv) -> u64 {
    let (v, rounding) = (S::lane(b, 0), rounding::<TRUNCATE>(env));
    if wide {
        softfloat::to_i64(v, rounding, env) as u64
    } else {
        u64::from(softfloat::to_i32(v, rounding, env) as u32)
    }
}

/// Doubles the width of what the lower 64 bits of each half-size source hold: two lanes into each half.
fn widen(x: &Args, f: impl Fn(u128) -> u128) -> V256 {
    [f(x.b[0]), if x.wide { f(x.b[0] >> 64) } else { 0 }]
}

/// A widening conversion on 128 or 256 bits: VCVTPS2PD, VCVTDQ2PD.
pub fn widening<const FLOAT: bool>(x: &Args, env: &mut FloatEnv) -> V256 {
    let cell = std::cell::RefCell::new(env);
    widen(x, |b| {
        let env: &mut FloatEnv = &mut cell.borrow_mut();
        if FLOAT {
            singles_to_doubles(0, b, 0, env)
        } else {
            integers_to_doubles(0, b, 0, env)
        }
    })
}

/// A narrowing conversion of two or four doubles: VCVTPD2PS, VCVTPD2DQ, VCVTTPD2DQ.
pub fn narrowing(
    x: &Args,
    env: &mut FloatEnv,
    f: fn(u128, u128, u8, &mut FloatEnv) -> u128,
) -> V256 {
    let low = f(0, x.b[0], 0, env);
    let high = if x.wide { f(0, x.b[1], 0, env) } else { 0 };
    [low | high << 64, 0]
}
/// CVTPD2PS.
pub fn narrow_to_singles(x: &Args, env: &mut FloatEnv) -> V256 {
    narrowing(x, env, doubles_to_singles)
}
/// CVTPD2DQ.
pub fn narrow_to_integers<const TRUNCATE: bool>(x: &Args, env: &mut FloatEnv) -> V256 {
    narrowing(x, env, doubles_to_integers::<TRUNCATE>)
}
