//! Against `rustc_apfloat`, an independent implementation, for all three formats; and the cases the manual names.
//! (The instruction-by-instruction comparison with a real x87 is in the `testsuite` crate.)

use super::*;
use rustc_apfloat::ieee::{Double, Single, X87DoubleExtended};
use rustc_apfloat::{Float as ApFloat, FloatConvert, Round, Status, StatusAnd};

/// xorshift64*.
struct Prng(u64);

impl Prng {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    /// Few or many bits set, at either end.
    fn fraction(&mut self) -> u64 {
        match self.below(5) {
            0 => 0,
            1 => 1 << self.below(64),
            2 => u64::MAX << self.below(64),
            3 => u64::MAX >> self.below(64),
            _ => self.next(),
        }
    }

    /// A biased exponent of `bits` bits: the ends, the middle, anything; or one near `beside`.
    fn exponent(&mut self, bits: u32, beside: Option<u64>) -> u64 {
        let max = (1u64 << bits) - 1;
        let middle = max / 2;
        match (self.below(8), beside) {
            (0, _) => self.below(4),
            (1, _) => max - self.below(4),
            (2, _) => middle - 40 + self.below(80),
            (3..=5, Some(e)) => e.wrapping_add(self.below(130)).wrapping_sub(65) & max,
            (6, Some(e)) => (max - e).wrapping_add(self.below(80)).wrapping_sub(40) & max,
            _ => self.next() & max,
        }
    }
}

/// A format, its counterpart, and random encodings that both accept.
trait Tested: Float + PartialEq + core::fmt::Debug {
    type Ap: ApFloat + Copy + core::fmt::Debug;
    const MIN_NORMAL: Self;
    const MAX: Self;
    fn random(rng: &mut Prng, beside: Option<Self>) -> Self;
    fn ap(self) -> Self::Ap;
    fn from_ap(ap: Self::Ap) -> Self;
    fn magnitude(self) -> Self;
}

impl Tested for F32 {
    type Ap = Single;
    const MIN_NORMAL: Self = F32(1 << 23);
    const MAX: Self = F32(0x7F7F_FFFF);
    fn random(rng: &mut Prng, beside: Option<Self>) -> Self {
        let exponent = rng.exponent(8, beside.map(|b| u64::from(b.0 >> 23 & 0xFF)));
        Self(
            (rng.next() as u32) << 31 | (exponent as u32) << 23 | rng.fraction() as u32 & 0x7F_FFFF,
        )
    }
    fn ap(self) -> Single {
        Single::from_bits(self.0.into())
    }
    fn from_ap(ap: Single) -> Self {
        Self(ap.to_bits() as u32)
    }
    fn magnitude(self) -> Self {
        Self(self.0 & !(1 << 31))
    }
}

impl Tested for F64 {
    type Ap = Double;
    const MIN_NORMAL: Self = F64(1 << 52);
    const MAX: Self = F64(0x7FEF_FFFF_FFFF_FFFF);
    fn random(rng: &mut Prng, beside: Option<Self>) -> Self {
        let exponent = rng.exponent(11, beside.map(|b| b.0 >> 52 & 0x7FF));
        Self(rng.next() << 63 | exponent << 52 | rng.fraction() & ((1 << 52) - 1))
    }
    fn ap(self) -> Double {
        Double::from_bits(self.0.into())
    }
    fn from_ap(ap: Double) -> Self {
        Self(ap.to_bits() as u64)
    }
    fn magnitude(self) -> Self {
        Self(self.0 & !(1 << 63))
    }
}

impl Tested for F80 {
    type Ap = X87DoubleExtended;
    const MIN_NORMAL: Self = F80::new(1, 1 << 63);
    const MAX: Self = F80::new(0x7FFE, u64::MAX);
    fn random(rng: &mut Prng, beside: Option<Self>) -> Self {
        let exponent = rng.exponent(15, beside.map(|b| u64::from(b.sign_exp & 0x7FFF))) as u16;
        let integer = if exponent == 0 { 0 } else { 1 << 63 };
        Self::new(
            (rng.next() as u16) << 15 | exponent,
            rng.fraction() & !(1 << 63) | integer,
        )
    }
    fn ap(self) -> X87DoubleExtended {
        X87DoubleExtended::from_bits(u128::from(self.sign_exp) << 64 | u128::from(self.significand))
    }
    fn from_ap(ap: X87DoubleExtended) -> Self {
        let bits = ap.to_bits();
        Self::new((bits >> 64) as u16, bits as u64)
    }
    fn magnitude(self) -> Self {
        self.abs()
    }
}

const MODES: [(Rounding, Round); 4] = [
    (Rounding::Nearest, Round::NearestTiesToEven),
    (Rounding::Down, Round::TowardNegative),
    (Rounding::Up, Round::TowardPositive),
    (Rounding::Truncate, Round::TowardZero),
];

fn masked(rounding: Rounding) -> FloatEnv {
    FloatEnv {
        rounding,
        ..FloatEnv::x87(0x37F)
    }
}

/// Same value and flags. Of a NaN only that it is one is compared, and the denormal flag is not in `rustc_apfloat`.
/// That library calls a result tiny if the delivered one is subnormal; the x86 rule differs from it only where the
/// delivered one is the smallest normal number. Nor does it report an overflow that gives the largest finite number.
fn check<T: Tested>(
    ours: T,
    env: &FloatEnv,
    theirs: StatusAnd<T::Ap>,
    what: &dyn core::fmt::Debug,
) {
    let nan = Into::<Operand>::into(ours).is_nan();
    assert_eq!(nan, theirs.value.is_nan(), "{what:?}");
    if !nan {
        assert_eq!(ours, T::from_ap(theirs.value), "{what:?}");
    }
    let mut pairs = vec![
        (Flags::INVALID, Status::INVALID_OP),
        (Flags::ZERO_DIVIDE, Status::DIV_BY_ZERO),
        (Flags::INEXACT, Status::INEXACT),
    ];
    if ours.magnitude() != T::MAX {
        pairs.push((Flags::OVERFLOW, Status::OVERFLOW));
    }
    if ours.magnitude() != T::MIN_NORMAL {
        pairs.push((Flags::UNDERFLOW, Status::UNDERFLOW));
    }
    for (flag, status) in pairs {
        assert_eq!(
            env.flags.contains(flag),
            theirs.status.contains(status),
            "{flag:?} {what:?} {ours:?}"
        );
    }
}

fn signalling<T: Tested>(values: &[T]) -> bool {
    values
        .iter()
        .any(|&v| Into::<Operand>::into(v).class == Class::SignallingNan)
}

fn arithmetic<T: Tested>(seed: u64, cases: u32) {
    let mut rng = Prng(seed);
    for _ in 0..cases {
        let a = T::random(&mut rng, None);
        let b = T::random(&mut rng, Some(a));
        let (mode, round) = MODES[rng.below(4) as usize];
        if signalling(&[a, b]) {
            // Invalid in every operation here; rustc_apfloat reports it in some.
            let mut env = masked(mode);
            let sum: T = add(a, b, &mut env);
            assert!(Into::<Operand>::into(sum).class == Class::QuietNan);
            assert_eq!(env.flags, Flags::INVALID);
            continue;
        }
        let (x, y) = (a.ap(), b.ap());
        let mut env = masked(mode);
        let r: T = add(a, b, &mut env);
        check(r, &env, x.add_r(y, round), &("add", a, b, mode));
        let mut env = masked(mode);
        let r: T = sub(a, b, &mut env);
        check(r, &env, x.sub_r(y, round), &("sub", a, b, mode));
        let mut env = masked(mode);
        let r: T = mul(a, b, &mut env);
        check(r, &env, x.mul_r(y, round), &("mul", a, b, mode));
        let mut env = masked(mode);
        let r: T = div(a, b, &mut env);
        check(r, &env, x.div_r(y, round), &("div", a, b, mode));
        let mut env = masked(mode);
        let relation = compare_unordered(a, b, &mut env);
        let expected = match x.partial_cmp(&y) {
            Some(core::cmp::Ordering::Less) => Relation::Less,
            Some(core::cmp::Ordering::Equal) => Relation::Equal,
            Some(core::cmp::Ordering::Greater) => Relation::Greater,
            None => Relation::Unordered,
        };
        assert_eq!(relation, expected);
    }
}

#[test]
fn f32_arithmetic_agrees_with_apfloat() {
    arithmetic::<F32>(0x1234_5678, 60_000);
}

#[test]
fn f64_arithmetic_agrees_with_apfloat() {
    arithmetic::<F64>(0x2345_6789, 60_000);
}

#[test]
fn f80_arithmetic_agrees_with_apfloat() {
    arithmetic::<F80>(0x3456_789A, 60_000);
}

fn fused<T: Tested>(seed: u64) {
    let mut rng = Prng(seed);
    for _ in 0..60_000 {
        let a = T::random(&mut rng, None);
        let b = T::random(&mut rng, Some(a));
        let mut env = masked(Rounding::Nearest);
        let near: T = mul(a, b, &mut env);
        let c = T::random(&mut rng, Some(near));
        let c = if rng.below(4) == 0 { near } else { c };
        if signalling(&[a, b, c]) {
            continue;
        }
        let infinite_times_zero = {
            let (a, b): (Operand, Operand) = (a.into(), b.into());
            (a.class == Class::Infinity && b.class == Class::Zero)
                || (a.class == Class::Zero && b.class == Class::Infinity)
        };
        if infinite_times_zero && Into::<Operand>::into(c).is_nan() {
            // Whether this is invalid is left to the implementation (IEEE 754-2008, 7.2).
            continue;
        }
        let (mode, round) = MODES[rng.below(4) as usize];
        let mut env = masked(mode);
        let r = fma(a, b, c, &mut env);
        check(
            r,
            &env,
            a.ap().mul_add_r(b.ap(), c.ap(), round),
            &(a, b, c, mode),
        );
    }
}

#[test]
fn fused_multiply_add_agrees_with_apfloat() {
    fused::<F32>(77);
    fused::<F64>(78);
}

fn narrowing<A: Tested, B: Tested>(seed: u64)
where
    A::Ap: FloatConvert<B::Ap>,
{
    let mut rng = Prng(seed);
    for _ in 0..60_000 {
        let a = A::random(&mut rng, None);
        if signalling(&[a]) {
            continue;
        }
        let (mode, round) = MODES[rng.below(4) as usize];
        let mut env = masked(mode);
        let r: B = convert(a, &mut env);
        let mut loses = false;
        check(r, &env, a.ap().convert_r(round, &mut loses), &(a, mode));
    }
}

#[test]
fn conversions_between_formats_agree_with_apfloat() {
    narrowing::<F80, F64>(1001);
    narrowing::<F80, F32>(1002);
    narrowing::<F64, F32>(1003);
    narrowing::<F64, F80>(1004);
    narrowing::<F32, F64>(1005);
    narrowing::<F32, F80>(1006);
}

fn integers<T: Tested>(seed: u64) {
    let mut rng = Prng(seed);
    for _ in 0..60_000 {
        let n = rng.next() as i64 >> rng.below(64);
        let (mode, round) = MODES[rng.below(4) as usize];
        let mut env = masked(mode);
        let r: T = convert(n, &mut env);
        check(r, &env, T::Ap::from_i128_r(n.into(), round), &(n, mode));

        let beside: T = convert(rng.next() as i64 >> rng.below(64), &mut masked(mode));
        let a = T::random(&mut rng, Some(beside));
        let mut exact = false;
        for (width, value, flags) in [
            {
                let mut env = masked(mode);
                (16, i64::from(to_i16(a, mode, &mut env)), env.flags)
            },
            {
                let mut env = masked(mode);
                (32, i64::from(to_i32(a, mode, &mut env)), env.flags)
            },
            {
                let mut env = masked(mode);
                (64, to_i64(a, mode, &mut env), env.flags)
            },
        ] {
            let theirs = a.ap().to_i128_r(width, round, &mut exact);
            if theirs.status.contains(Status::INVALID_OP) {
                assert_eq!(
                    (value, flags),
                    (i64::MIN >> (64 - width), Flags::INVALID),
                    "{a:?}"
                );
            } else {
                assert_eq!(i128::from(value), theirs.value, "{a:?} {width} {mode:?}");
                assert_eq!(
                    flags.contains(Flags::INEXACT),
                    theirs.status.contains(Status::INEXACT)
                );
            }
        }
    }
}

#[test]
fn integer_conversions_agree_with_apfloat() {
    integers::<F32>(2001);
    integers::<F64>(2002);
    integers::<F80>(2003);
}

#[test]
fn rounding_to_integral_agrees_with_apfloat() {
    let mut rng = Prng(3001);
    for _ in 0..60_000 {
        let a = F80::random(&mut rng, Some(F80::ONE));
        if signalling(&[a]) {
            continue;
        }
        let (mode, round) = MODES[rng.below(4) as usize];
        let mut env = masked(mode);
        let r = round_to_integral(a, &mut env);
        let theirs = a.ap().round_to_integral(round).value;
        assert!(
            r == F80::from_ap(theirs) || theirs.is_nan(),
            "{a:?} {mode:?}"
        );
        assert_eq!(
            env.flags.contains(Flags::INEXACT),
            !theirs.is_nan() && theirs != a.ap()
        );
    }
}

/// Repeats the partial remainder until it is complete, as programs do.
fn whole_remainder(mut a: F80, b: F80, kind: RemainderKind) -> F80 {
    loop {
        let r = remainder(a, b, kind, &mut masked(Rounding::Nearest));
        a = r.value;
        if !r.partial {
            return a;
        }
    }
}

#[test]
fn remainders_agree_with_apfloat() {
    let mut rng = Prng(4001);
    for _ in 0..20_000 {
        let a = F80::random(&mut rng, None);
        let b = F80::random(&mut rng, Some(a));
        let (x, y): (Operand, Operand) = (a.into(), b.into());
        if x.class != Class::Finite || y.class != Class::Finite || x.exponent - y.exponent > 2000 {
            continue;
        }
        let truncated = whole_remainder(a, b, RemainderKind::Truncate);
        assert_eq!(
            truncated,
            F80::from_ap(a.ap().c_fmod(b.ap()).value),
            "fmod {a:?} {b:?}"
        );
        let nearest = whole_remainder(a, b, RemainderKind::Nearest);
        assert_eq!(
            nearest,
            F80::from_ap(a.ap().ieee_rem(b.ap()).value),
            "ieee {a:?} {b:?}"
        );
    }
}

/// The square root is the largest representable number whose square is not above the operand, or the next one.
#[test]
fn square_roots_are_correctly_rounded() {
    let mut rng = Prng(5001);
    for _ in 0..60_000 {
        let a = F64(F64::random(&mut rng, None).0 & !(1 << 63));
        if Into::<Operand>::into(a).class != Class::Finite {
            continue;
        }
        let root: F64 = sqrt(a, &mut masked(Rounding::Nearest));
        // The host's own square root is correctly rounded by IEEE 754.
        assert_eq!(root.0, f64::from_bits(a.0).sqrt().to_bits(), "{a:?}");
        let mut env = masked(Rounding::Down);
        let below: F64 = sqrt(a, &mut env);
        let mut up_env = masked(Rounding::Up);
        let above: F64 = sqrt(a, &mut up_env);
        let inexact = env.flags.contains(Flags::INEXACT);
        assert_eq!(above.0 - below.0, u64::from(inexact));
        assert_eq!(up_env.rounded_up, inexact);
        let error = fma(
            below,
            below,
            F64(a.0 | 1 << 63),
            &mut masked(Rounding::Down),
        );
        assert!(
            error.0 >> 63 != 0 || !inexact,
            "the lower root is not above the root: {a:?}"
        );
    }
}

#[test]
fn quiet_nans_propagate_by_the_larger_significand_on_x87_and_by_position_on_sse() {
    let small = F80::new(0x7FFF, 0xC000_0000_0000_0001);
    let large = F80::new(0xFFFF, 0xC000_0000_0000_0002);
    let mut env = masked(Rounding::Nearest);
    assert_eq!(add::<F80>(small, large, &mut env), large);
    assert_eq!(add::<F80>(large, small, &mut env), large);
    // Equal significands: the positive one.
    assert_eq!(mul::<F80>(small.negate(), small, &mut env), small);
    // A quiet NaN wins over a signalling one whatever the significands.
    let signalling = F80::new(0x7FFF, 0xBFFF_FFFF_FFFF_FFFF);
    assert_eq!(env.flags, Flags::empty());
    assert_eq!(add::<F80>(signalling, small, &mut env), small);
    assert_eq!(env.flags, Flags::INVALID);
    let first = F32(0x7F80_0001);
    let second = F32(0xFFFF_FFFF);
    assert_eq!(add::<F32>(first, second, &mut env), F32(0x7FC0_0001));
    assert_eq!(add::<F32>(second, first, &mut env), second);
}

#[test]
fn unsupported_encodings_are_invalid_and_pseudo_denormals_are_denormal_operands() {
    for rejected in [
        F80::new(0x7FFF, 1),       // pseudo-NaN
        F80::new(0x7FFF, 0),       // pseudo-infinity
        F80::new(0x3FFF, 1 << 62), // unnormal
    ] {
        let mut env = masked(Rounding::Nearest);
        assert_eq!(add::<F80>(rejected, F80::ONE, &mut env), F80::INDEFINITE);
        assert_eq!(env.flags, Flags::INVALID);
    }
    let pseudo_denormal = F80::new(0, 1 << 63);
    let mut env = masked(Rounding::Nearest);
    assert_eq!(
        mul::<F80>(pseudo_denormal, F80::ONE, &mut env),
        F80::new(1, 1 << 63)
    );
    assert_eq!(env.flags, Flags::DENORMAL);
}

#[test]
fn unmasked_underflow_delivers_the_result_with_24576_added_to_its_exponent() {
    let tiny = F80::new(1, 1 << 63);
    let half = F80::new(0x3FFE, 1 << 63);
    let mut env = FloatEnv::x87(0x37F & !0x10);
    assert_eq!(mul::<F80>(tiny, half, &mut env), F80::new(24576, 1 << 63));
    // Tiny though exact: the unmasked rule does not ask for inexactness.
    assert_eq!(env.flags, Flags::UNDERFLOW);
    let mut env = FloatEnv::x87(0x37F);
    assert_eq!(mul::<F80>(tiny, half, &mut env), F80::new(0, 1 << 62));
    assert_eq!(env.flags, Flags::empty());
}

#[test]
fn denormals_are_zero_and_flush_to_zero_act_on_sse_operands_and_results() {
    let denormal = F32(1);
    let mut env = FloatEnv::sse(0x1F80 | 1 << 6);
    assert_eq!(add::<F32>(denormal, F32(0x8000_0000), &mut env), F32(0));
    assert_eq!(env.flags, Flags::empty());
    let mut env = FloatEnv::sse(0x1F80 | 1 << 15);
    let half = F32(0x3F00_0000);
    assert_eq!(
        mul::<F32>(F32(0x8080_0000), half, &mut env),
        F32(0x8000_0000)
    );
    assert_eq!(env.flags, Flags::UNDERFLOW | Flags::INEXACT);
}

#[test]
fn packed_decimal_round_trips_and_its_limit_is_eighteen_nines() {
    let nines = [0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x80];
    let value = bcd_load(nines);
    let mut env = masked(Rounding::Nearest);
    assert_eq!(
        to_i64(value, Rounding::Nearest, &mut env),
        -999_999_999_999_999_999
    );
    assert_eq!(bcd_store(value, &mut env), nines);
    assert_eq!(env.flags, Flags::empty());
    let limit: F80 = convert(1_000_000_000_000_000_000i64, &mut env);
    assert_eq!(
        bcd_store(limit, &mut env),
        [0, 0, 0, 0, 0, 0, 0, 0xC0, 0xFF, 0xFF]
    );
    assert_eq!(env.flags, Flags::INVALID);
}
