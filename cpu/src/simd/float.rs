//! Float lanes: arithmetic, comparison, rounding on `softfloat`, packed and scalar (SDM vol. 2, section 11.5 of vol. 1
//! for exceptions). Every function has the form (destination, source, immediate, environment) -> result.

use super::lane::{Lane, build, lane, with};
use super::{Args, V256};
use crate::softfloat::{
    self, F32, F64, Float, FloatEnv, Operand, Relation, Rounding, compare_ordered,
    compare_unordered,
};
use std::cell::RefCell;

/// A format that fills lanes.
pub trait Number: Float + Into<Operand> + 'static {
    /// The lane's bits.
    type Bits: Lane;
    /// The sign bit.
    const SIGN: u64 = 1 << (<Self::Bits as Lane>::BITS - 1);
    /// From bits.
    fn of(bits: u64) -> Self;
    /// To bits.
    fn bits(self) -> u64;
    /// Lane `i` of a register.
    #[inline(always)]
    fn lane(v: u128, i: u32) -> Self {
        Self::of(lane::<Self::Bits>(v, i).bits())
    }
    /// As what a lane holds.
    #[inline(always)]
    fn to_lane(self) -> Self::Bits {
        <Self::Bits as Lane>::of(self.bits())
    }
}

impl Number for F32 {
    type Bits = u32;
    fn of(bits: u64) -> Self {
        Self(bits as u32)
    }
    fn bits(self) -> u64 {
        self.0.into()
    }
}
impl Number for F64 {
    type Bits = u64;
    fn of(bits: u64) -> Self {
        Self(bits)
    }
    fn bits(self) -> u64 {
        self.0
    }
}

/// An operation on two numbers; unary ones take the second, which is the source.
pub trait Operation: 'static {
    /// Its value.
    fn apply<T: Number>(a: T, b: T, imm: u8, env: &mut FloatEnv) -> T;
}

/// ADDxx.
pub struct Add;
/// SUBxx.
pub struct Sub;
/// MULxx.
pub struct Mul;
/// DIVxx.
pub struct Div;
/// SQRTxx.
pub struct Sqrt;
/// MINxx: the source unless the destination is less, also for zeros and NaNs.
pub struct Min;
/// MAXxx.
pub struct Max;
/// CMPxx: all ones or zeros.
pub struct Cmp;
/// ROUNDxx.
pub struct Round;

impl Operation for Add {
    fn apply<T: Number>(a: T, b: T, _: u8, env: &mut FloatEnv) -> T {
        softfloat::add(a, b, env)
    }
}
impl Operation for Sub {
    fn apply<T: Number>(a: T, b: T, _: u8, env: &mut FloatEnv) -> T {
        softfloat::sub(a, b, env)
    }
}
impl Operation for Mul {
    fn apply<T: Number>(a: T, b: T, _: u8, env: &mut FloatEnv) -> T {
        softfloat::mul(a, b, env)
    }
}
impl Operation for Div {
    fn apply<T: Number>(a: T, b: T, _: u8, env: &mut FloatEnv) -> T {
        softfloat::div(a, b, env)
    }
}
impl Operation for Sqrt {
    fn apply<T: Number>(_: T, b: T, _: u8, env: &mut FloatEnv) -> T {
        softfloat::sqrt(b, env)
    }
}
impl Operation for Min {
    fn apply<T: Number>(a: T, b: T, _: u8, env: &mut FloatEnv) -> T {
        let less = compare_ordered(a, b, env) == Relation::Less;
        admitted(if less { a } else { b }, env)
    }
}
impl Operation for Max {
    fn apply<T: Number>(a: T, b: T, _: u8, env: &mut FloatEnv) -> T {
        let greater = compare_ordered(a, b, env) == Relation::Greater;
        admitted(if greater { a } else { b }, env)
    }
}
impl Operation for Cmp {
    fn apply<T: Number>(a: T, b: T, imm: u8, env: &mut FloatEnv) -> T {
        T::of(if holds(a, b, imm, env) { u64::MAX } else { 0 })
    }
}
impl Operation for Round {
    fn apply<T: Number>(_: T, b: T, imm: u8, env: &mut FloatEnv) -> T {
        let rounding = if imm & 4 != 0 {
            env.rounding
        } else {
            Rounding::from_bits(imm.into())
        };
        let inexact = env.flags & softfloat::Flags::INEXACT;
        let v = softfloat::round_in_format(b, rounding, env);
        if imm & 8 != 0 {
            env.flags = (env.flags - softfloat::Flags::INEXACT) | inexact;
        }
        v
    }
}

/// The operand as DAZ lets it in.
fn admitted<T: Number>(v: T, env: &FloatEnv) -> T {
    let operand: Operand = v.into();
    if operand.denormal && env.denormals_are_zero {
        T::zero(operand.sign)
    } else {
        v
    }
}

/// CMPxx's predicates 0 to 15 by the relations that they hold for: less 1, equal 2, greater 4, unordered 8.
pub const PREDICATES: [u8; 16] = [2, 1, 3, 8, 13, 14, 12, 7, 10, 9, 11, 0, 5, 6, 4, 15];
/// Those of them that signal on a quiet NaN; 16 to 31 are the same predicates, signalling the other way.
const SIGNALLING: u16 = 0b0110_0110_0110_0110;

/// Whether a predicate of CMPxx holds (SDM vol. 2, table 3-1).
fn holds<T: Number>(a: T, b: T, predicate: u8, env: &mut FloatEnv) -> bool {
    let signals = (SIGNALLING >> (predicate & 15) ^ u16::from(predicate >> 4)) & 1 != 0;
    let relation = if signals {
        compare_ordered(a, b, env)
    } else {
        compare_unordered(a, b, env)
    };
    let bit = match relation {
        Relation::Less => 1,
        Relation::Equal => 2,
        Relation::Greater => 4,
        Relation::Unordered => 8,
    };
    PREDICATES[usize::from(predicate & 15)] & bit != 0
}

/// Makes a register of numbers lane by lane, each of which may raise flags.
fn build_numbers<T: Number>(env: &mut FloatEnv, f: impl Fn(u32, &mut FloatEnv) -> T) -> u128 {
    let env = RefCell::new(env);
    build(|i| f(i, &mut env.borrow_mut()).to_lane())
}

/// A packed operation.
pub fn packed<T: Number, O: Operation>(a: u128, b: u128, imm: u8, env: &mut FloatEnv) -> u128 {
    build_numbers(env, |i, env| {
        O::apply(T::lane(a, i), T::lane(b, i), imm, env)
    })
}

/// A scalar operation: the other lanes are the destination's.
pub fn scalar<T: Number, O: Operation>(a: u128, b: u128, imm: u8, env: &mut FloatEnv) -> u128 {
    let v = O::apply(T::lane(a, 0), T::lane(b, 0), imm, env);
    with(a, 0, v.to_lane())
}

/// ADDSUBPS, ADDSUBPD: odd lanes are added, even ones subtracted.
pub fn add_sub<T: Number>(a: u128, b: u128, _: u8, env: &mut FloatEnv) -> u128 {
    build_numbers::<T>(env, |i, env| {
        let (a, b) = (T::lane(a, i), T::lane(b, i));
        if i % 2 == 0 {
            softfloat::sub(a, b, env)
        } else {
            softfloat::add(a, b, env)
        }
    })
}

/// HADDPS, HADDPD, HSUBPS, HSUBPD.
pub fn horizontal<T: Number, O: Operation>(a: u128, b: u128, _: u8, env: &mut FloatEnv) -> u128 {
    let half = super::lane::lanes::<T::Bits>() / 2;
    build_numbers(env, |i, env| {
        let (v, i) = if i < half { (a, i) } else { (b, i - half) };
        O::apply(T::lane(v, 2 * i), T::lane(v, 2 * i + 1), 0, env)
    })
}

/// DPPS and DPPD: products chosen by the upper half of the immediate, added pairwise, put where the lower half says.
pub fn dot_product<T: Number>(x: &Args, env: &mut FloatEnv) -> V256 {
    let halves = if x.wide { 2 } else { 1 };
    let mut v = [0; 2];
    for (half, v) in v.iter_mut().enumerate().take(halves) {
        *v = build_numbers(env, |i, env| {
            if x.imm >> (4 + i) & 1 != 0 {
                softfloat::mul(T::lane(x.a[half], i), T::lane(x.b[half], i), env)
            } else {
                T::zero(false)
            }
        });
    }
    // Which of two NaNs wins differs by lane, as measured: of neighbours DPPS takes the other one's first, DPPD its own;
    // of pairs its own. On AMD's processors it is always the one of the lower lane.
    let additions: &[(u32, bool)] = match super::lane::lanes::<T::Bits>() {
        2 => &[(1, true)],
        _ => &[(1, false), (2, true)],
    };
    for &(other, own_first) in additions {
        // "Unmasked exceptions will leave the destination operands unchanged", "in the order of their execution" (SDM
        // vol. 2, "DPPS"), for both halves.
        if !env.unmasked().is_empty() {
            return x.a;
        }
        env.begin_next_operation();
        for v in v.iter_mut().take(halves) {
            let own_first = |i: u32| {
                if x.lower_first {
                    i & other == 0
                } else {
                    own_first
                }
            };
            *v = add_lanes::<T>(*v, other, own_first, env);
        }
    }
    v.map(|v| {
        build(|i| {
            if x.imm >> i & 1 != 0 {
                T::lane(v, i).to_lane()
            } else {
                <T::Bits as Lane>::of(0)
            }
        })
    })
}

/// Adds to each lane the one whose number differs in the bit `other`.
fn add_lanes<T: Number>(
    v: u128,
    other: u32,
    own_first: impl Fn(u32) -> bool,
    env: &mut FloatEnv,
) -> u128 {
    build_numbers::<T>(env, |i, env| {
        let (own, other) = (T::lane(v, i), T::lane(v, i ^ other));
        if own_first(i) {
            softfloat::add(own, other, env)
        } else {
            softfloat::add(other, own, env)
        }
    })
}

/// COMISx and UCOMISx: ZF, PF and CF.
pub fn compare_to_flags<T: Number, const ORDERED: bool>(
    a: u128,
    b: u128,
    env: &mut FloatEnv,
) -> u64 {
    use crate::alu::flags::{CF, PF, ZF};
    let (a, b) = (T::lane(a, 0), T::lane(b, 0));
    let relation = if ORDERED {
        compare_ordered(a, b, env)
    } else {
        compare_unordered(a, b, env)
    };
    match relation {
        Relation::Less => CF,
        Relation::Equal => ZF,
        Relation::Greater => 0,
        Relation::Unordered => ZF | PF | CF,
    }
}

/// What a fused multiply-add does with its product and addend.
#[derive(Copy, Clone, PartialEq, Eq)]
pub struct Signs {
    /// The product is negated.
    pub product: bool,
    /// The addend is negated, in even and in odd lanes.
    pub addend: [bool; 2],
}

/// `a * b + c` in each lane, with signs. NaNs keep theirs.
pub fn fused<T: Number>(a: u128, b: u128, c: u128, signs: Signs, env: &mut FloatEnv) -> u128 {
    build_numbers::<T>(env, |i, env| fused_lane(a, b, c, i, signs, env))
}

/// One lane of [`fused`].
pub fn fused_lane<T: Number>(
    a: u128,
    b: u128,
    c: u128,
    i: u32,
    signs: Signs,
    env: &mut FloatEnv,
) -> T {
    let negate = |v: T, negate: bool| {
        let operand: Operand = v.into();
        T::of(
            v.bits()
                ^ if negate && !operand.is_nan() {
                    T::SIGN
                } else {
                    0
                },
        )
    };
    let (a, b, c) = (T::lane(a, i), T::lane(b, i), T::lane(c, i));
    softfloat::fma(
        negate(a, signs.product),
        b,
        negate(c, signs.addend[(i & 1) as usize]),
        env,
    )
}
