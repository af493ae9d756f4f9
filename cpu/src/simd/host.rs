//! Float arithmetic by the host's, where it is the same bit for bit and flag for flag.
//!
//! IEEE 754 leaves no choice where the operands are zero or normal, the rounding is to nearest and the result is neither
//! tiny nor an overflow. Whether it is exact does not matter where the exception that says so is masked and its flag is
//! set already, as behind the first inexact result of most programs ([`inexact_is_known`]). All else is `softfloat`'s. The
//! host's own rounding mode and flags are what Rust takes for granted; nothing touches or reads them.
//!
//! Where the host has vector instructions that are known here ([`arithmetic`]) they do it first, and give up of more: zeros,
//! for one. What is done lane by lane comes behind them, and elsewhere instead of them.
#![cfg_attr(
    target_arch = "x86_64",
    expect(
        unsafe_code,
        reason = "instructions of the host's: each takes the place of some ten to a hundred others"
    )
)]

use super::lane::{lane, with};
use super::quick::Quick;
use crate::alu::flags::{CF, ZF};
use std::ops::{Add, Div, Mul, Sub};
use vector::Xmm;

/// Instructions that any x86-64 host has.
#[cfg(target_arch = "x86_64")]
macro_rules! sse2 {
    ($code:expr) => {{
        // SAFETY: SSE2 is part of x86-64, and no more is used. What is read and written is as long as the code around says.
        unsafe { $code }
    }};
}

pub mod arithmetic;
pub mod vector;

#[cfg(target_arch = "x86_64")]
pub use arithmetic::Native;
/// A float of which the host's vector instructions know nothing.
#[cfg(not(target_arch = "x86_64"))]
pub trait Native {}
#[cfg(not(target_arch = "x86_64"))]
impl Native for f32 {}
#[cfg(not(target_arch = "x86_64"))]
impl Native for f64 {}

/// Whether the host's vector instructions are used for floats.
const NATIVE: bool = cfg!(target_arch = "x86_64");

/// What the host does with vectors of floats.
#[derive(Clone, Copy)]
pub enum Kind {
    /// `a + b`.
    Add,
    /// `a - b`.
    Sub,
    /// `a * b`.
    Mul,
    /// `a / b`.
    Div,
    /// The square root of `b`.
    Sqrt,
    /// `a` if it is less than `b`, else `b`.
    Min,
    /// `a` if it is greater than `b`, else `b`.
    Max,
}

/// MXCSR: rounding control, the mask of the precision exception, its flag (SDM vol. 1, section 10.2.3).
const ROUNDING: u32 = 3 << 13;
const PRECISION_MASK: u32 = 1 << 12;
const PRECISION_FLAG: u32 = 1 << 5;

/// Whether results are rounded to nearest, and that one is inexact would change nothing.
#[inline(always)]
pub fn inexact_is_known(mxcsr: u32) -> bool {
    mxcsr & (ROUNDING | PRECISION_MASK | PRECISION_FLAG) == PRECISION_MASK | PRECISION_FLAG
}

#[inline(always)]
fn ensure(condition: bool) -> Option<()> {
    condition.then_some(())
}

/// `f32` or `f64`.
pub trait Float:
    Copy
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Native
    + 'static
{
    /// Lanes in 128 bits.
    const LANES: u32;
    /// Lane `i` of a register.
    fn lane(v: u128, i: u32) -> Self;
    /// `v` with lane `i` replaced.
    fn put(self, v: u128, i: u32) -> u128;
    /// A lane of all ones or zeros.
    fn mask(v: u128, i: u32, ones: bool) -> u128;
    /// Zero or normal.
    fn is_ordinary(self) -> bool;
    /// Normal, and above the smallest normal numbers: no rounding has led there from below.
    fn is_above_tiny(self) -> bool;
    /// Either zero.
    fn is_zero(self) -> bool;
    /// The square root.
    fn root(self) -> Self;
}

macro_rules! float {
    ($f:ty, $bits:ty, $fraction:expr, $exponents:expr) => {
        impl Float for $f {
            const LANES: u32 = 128 / <$bits>::BITS;
            #[inline(always)]
            fn lane(v: u128, i: u32) -> Self {
                Self::from_bits(lane::<$bits>(v, i))
            }
            #[inline(always)]
            fn put(self, v: u128, i: u32) -> u128 {
                with(v, i, self.to_bits())
            }
            #[inline(always)]
            fn mask(v: u128, i: u32, ones: bool) -> u128 {
                with(v, i, (0 as $bits).wrapping_sub(<$bits>::from(ones)))
            }
            #[inline(always)]
            fn is_ordinary(self) -> bool {
                // Without the sign the exponent is on top: 1 up to the last but one is normal.
                let v = self.to_bits() << 1;
                v == 0 || v.wrapping_sub(1 << ($fraction + 1)) < ($exponents - 1) << ($fraction + 1)
            }
            #[inline(always)]
            fn is_above_tiny(self) -> bool {
                let v = self.to_bits() << 1;
                v.wrapping_sub(2 << ($fraction + 1)) < ($exponents - 2) << ($fraction + 1)
            }
            #[inline(always)]
            fn is_zero(self) -> bool {
                self.to_bits() << 1 == 0
            }
            #[inline(always)]
            fn root(self) -> Self {
                self.sqrt()
            }
        }
    };
}

float!(f32, u32, 23, 0xFF);
float!(f64, u64, 52, 0x7FF);

/// An operation whose result is rounded.
pub trait Operation: 'static {
    /// Its value for ordinary operands, if it is as IEEE 754 without exceptions says.
    fn value<F: Float>(a: F, b: F) -> Option<F>;
    /// What the host's vector instructions call it.
    const KIND: Kind;
    /// It has one operand, the second.
    const UNARY: bool = false;
}

/// ADDxx.
pub struct Plus;
/// SUBxx.
pub struct Minus;
/// MULxx.
pub struct Times;
/// DIVxx.
pub struct Over;
/// SQRTxx.
pub struct Root;

/// A sum is never tiny and inexact, but zero only if it is exactly that.
#[inline(always)]
fn sum<F: Float>(v: F) -> Option<F> {
    ensure(v.is_above_tiny() || v.is_zero())?;
    Some(v)
}

impl Operation for Plus {
    const KIND: Kind = Kind::Add;
    #[inline(always)]
    fn value<F: Float>(a: F, b: F) -> Option<F> {
        sum(a + b)
    }
}
impl Operation for Minus {
    const KIND: Kind = Kind::Sub;
    #[inline(always)]
    fn value<F: Float>(a: F, b: F) -> Option<F> {
        sum(a - b)
    }
}
impl Operation for Times {
    const KIND: Kind = Kind::Mul;
    #[inline(always)]
    fn value<F: Float>(a: F, b: F) -> Option<F> {
        let v = a * b;
        ensure(v.is_above_tiny() || a.is_zero() || b.is_zero())?;
        Some(v)
    }
}
impl Operation for Over {
    const KIND: Kind = Kind::Div;
    #[inline(always)]
    fn value<F: Float>(a: F, b: F) -> Option<F> {
        let v = a / b;
        ensure(v.is_above_tiny() || a.is_zero() && !b.is_zero())?;
        Some(v)
    }
}
impl Operation for Root {
    const KIND: Kind = Kind::Sqrt;
    const UNARY: bool = true;
    #[inline(always)]
    fn value<F: Float>(_: F, b: F) -> Option<F> {
        let v = b.root();
        ensure(v.is_above_tiny() || b.is_zero())?;
        Some(v)
    }
}

#[inline(always)]
fn operate<F: Float, O: Operation>(a: u128, b: u128, i: u32) -> Option<F> {
    let (a, b) = (F::lane(a, i), F::lane(b, i));
    ensure((O::UNARY || a.is_ordinary()) && b.is_ordinary())?;
    O::value(a, b)
}

/// A scalar operation: the other lanes are the destination's.
pub struct Scalar<F, O>(std::marker::PhantomData<(F, O)>);
/// A packed operation.
pub struct Packed<F, O>(std::marker::PhantomData<(F, O)>);

impl<F: Float, O: Operation> Quick for Scalar<F, O> {
    const ROUNDS: bool = true;
    const PATIENT: bool = NATIVE;
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn apply(a: Xmm, b: Xmm, _: u8) -> Option<Xmm> {
        let v = F::lowest(O::KIND, a, b).kept();
        let first = if O::UNARY { b } else { a };
        arithmetic::are_lowest_plain::<F>(first, b, v).then_some(v)
    }
    #[inline(always)]
    fn patiently(a: u128, b: u128, _: u8) -> Option<u128> {
        Some(operate::<F, O>(a, b, 0)?.put(a, 0))
    }
}

impl<F: Float, O: Operation> Quick for Packed<F, O> {
    const ROUNDS: bool = true;
    const PATIENT: bool = NATIVE;
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn apply(a: Xmm, b: Xmm, _: u8) -> Option<Xmm> {
        let v = F::all(O::KIND, a, b);
        F::are_plain(if O::UNARY { b } else { a }, b, v).then_some(v)
    }
    #[inline(always)]
    fn patiently(a: u128, b: u128, _: u8) -> Option<u128> {
        let mut v = a;
        for i in 0..F::LANES {
            v = operate::<F, O>(a, b, i)?.put(v, i);
        }
        Some(v)
    }
}

/// An operation that rounds nothing: of ordinary operands it raises no exception.
pub trait Choice: 'static {
    /// What the host's vector instructions call it, if they do.
    const KIND: Option<Kind> = None;
    /// Its lane.
    fn lane<F: Float>(into: u128, i: u32, a: F, b: F, imm: u8) -> u128;
}

/// MINxx.
pub struct Least;
/// MAXxx.
pub struct Greatest;
/// CMPxx.
pub struct Compared;

impl Choice for Least {
    const KIND: Option<Kind> = Some(Kind::Min);
    #[inline(always)]
    fn lane<F: Float>(into: u128, i: u32, a: F, b: F, _: u8) -> u128 {
        (if a < b { a } else { b }).put(into, i)
    }
}
impl Choice for Greatest {
    const KIND: Option<Kind> = Some(Kind::Max);
    #[inline(always)]
    fn lane<F: Float>(into: u128, i: u32, a: F, b: F, _: u8) -> u128 {
        (if a > b { a } else { b }).put(into, i)
    }
}
impl Choice for Compared {
    #[inline(always)]
    fn lane<F: Float>(into: u128, i: u32, a: F, b: F, imm: u8) -> u128 {
        let bit = if a < b {
            1
        } else if a == b {
            2
        } else {
            4
        };
        let holds = super::float::PREDICATES[usize::from(imm & 15)] & bit != 0;
        F::mask(into, i, holds)
    }
}

/// A scalar choice.
pub struct ScalarChoice<F, C>(std::marker::PhantomData<(F, C)>);
/// A packed choice.
pub struct PackedChoice<F, C>(std::marker::PhantomData<(F, C)>);

#[inline(always)]
fn choose<F: Float, C: Choice>(into: u128, a: u128, b: u128, i: u32, imm: u8) -> Option<u128> {
    let (a, b) = (F::lane(a, i), F::lane(b, i));
    ensure(a.is_ordinary() && b.is_ordinary())?;
    Some(C::lane(into, i, a, b, imm))
}

impl<F: Float, C: Choice> Quick for ScalarChoice<F, C> {
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn apply(a: Xmm, b: Xmm, imm: u8) -> Option<Xmm> {
        match C::KIND {
            Some(kind) => F::compare::<false>(a, b).then(|| F::lowest(kind, a, b)),
            None => Self::patiently(a.bits(), b.bits(), imm).map(Xmm::of),
        }
    }
    #[inline(always)]
    fn patiently(a: u128, b: u128, imm: u8) -> Option<u128> {
        choose::<F, C>(a, a, b, 0, imm)
    }
}

impl<F: Float, C: Choice> Quick for PackedChoice<F, C> {
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn apply(a: Xmm, b: Xmm, imm: u8) -> Option<Xmm> {
        match C::KIND {
            Some(kind) => F::compare::<true>(a, b).then(|| F::all(kind, a, b)),
            None => Self::patiently(a.bits(), b.bits(), imm).map(Xmm::of),
        }
    }
    #[inline(always)]
    fn patiently(a: u128, b: u128, imm: u8) -> Option<u128> {
        let mut v = a;
        for i in 0..F::LANES {
            v = choose::<F, C>(v, a, b, i, imm)?;
        }
        Some(v)
    }
}

/// COMISx and UCOMISx of ordinary numbers: ZF, PF and CF.
#[inline(always)]
pub fn flags_of<F: Float>(a: Xmm, b: Xmm) -> Option<u64> {
    #[cfg(target_arch = "x86_64")]
    let (below, at_most) = {
        ensure(F::compare::<false>(a, b))?;
        F::order(a, b)
    };
    #[cfg(not(target_arch = "x86_64"))]
    let (below, at_most) = {
        let (a, b) = (F::lane(a.bits(), 0), F::lane(b.bits(), 0));
        ensure(a.is_ordinary() && b.is_ordinary())?;
        (a < b, a <= b)
    };
    // Not both: the second says that they are equal.
    Some(u64::from(below) * CF + u64::from(at_most & !below) * ZF)
}

/// CVTSS2SD.
pub struct SingleToDouble;
/// CVTSD2SS.
pub struct DoubleToSingle;

impl Quick for SingleToDouble {
    #[inline(always)]
    fn patiently(a: u128, b: u128, _: u8) -> Option<u128> {
        let b = f32::lane(b, 0);
        ensure(b.is_ordinary())?;
        Some(f64::from(b).put(a, 0))
    }
}
impl Quick for DoubleToSingle {
    const ROUNDS: bool = true;
    #[inline(always)]
    fn patiently(a: u128, b: u128, _: u8) -> Option<u128> {
        let b = f64::lane(b, 0);
        let v = b as f32;
        ensure(v.is_above_tiny() || b.is_zero())?;
        Some(v.put(a, 0))
    }
}

/// CVTSI2SD from 32 bits, which is exact.
pub struct DwordToDouble;
/// CVTSI2SD from 64 bits.
pub struct QwordToDouble;
/// CVTSI2SS from 32 bits.
pub struct DwordToSingle;
/// CVTSI2SS from 64 bits.
pub struct QwordToSingle;

impl Quick for DwordToDouble {
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn apply(a: Xmm, b: Xmm, _: u8) -> Option<Xmm> {
        Some(arithmetic::double_of_integer(a, b.low(), false))
    }
    #[inline(always)]
    fn patiently(a: u128, b: u128, _: u8) -> Option<u128> {
        Some(f64::from(b as i32).put(a, 0))
    }
}
impl Quick for QwordToDouble {
    const ROUNDS: bool = true;
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn apply(a: Xmm, b: Xmm, _: u8) -> Option<Xmm> {
        Some(arithmetic::double_of_integer(a, b.low(), true))
    }
    #[inline(always)]
    fn patiently(a: u128, b: u128, _: u8) -> Option<u128> {
        Some((b as i64 as f64).put(a, 0))
    }
}
impl Quick for DwordToSingle {
    const ROUNDS: bool = true;
    #[inline(always)]
    fn patiently(a: u128, b: u128, _: u8) -> Option<u128> {
        Some((b as i32 as f32).put(a, 0))
    }
}
impl Quick for QwordToSingle {
    const ROUNDS: bool = true;
    #[inline(always)]
    fn patiently(a: u128, b: u128, _: u8) -> Option<u128> {
        Some((b as i64 as f32).put(a, 0))
    }
}

/// CVTTSD2SI and CVTTSS2SI, if no more comes of it than that the result is not exact.
#[inline(always)]
pub fn truncated<F: Float + Into<f64>>(b: Xmm, wide: bool) -> Option<u64> {
    #[cfg(target_arch = "x86_64")]
    {
        // What does not fit becomes the least integer, which is left to others even where it fits.
        let v = F::truncate(b, wide);
        let least = if wide { i64::MIN } else { i32::MIN.into() };
        (v != least).then_some(v as u64)
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        truncated_patiently::<F>(b.bits(), wide)
    }
}

/// The same of a number well inside the range of the integer.
#[cfg(any(test, not(target_arch = "x86_64")))]
pub fn truncated_patiently<F: Float + Into<f64>>(b: u128, wide: bool) -> Option<u64> {
    let v = F::lane(b, 0);
    ensure(v.is_ordinary())?;
    let v: f64 = v.into();
    let limit = if wide {
        (1u64 << 62) as f64
    } else {
        (1u64 << 30) as f64
    };
    ensure(v.abs() < limit)?;
    Some(v as i64 as u64)
}
