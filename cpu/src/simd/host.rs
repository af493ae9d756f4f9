//! Float arithmetic by the host's, where it is the same bit for bit and flag for flag.
//!
//! IEEE 754 leaves no choice where the operands are zero or normal, the rounding is to nearest and the result is neither
//! tiny nor an overflow. Whether it is exact does not matter where the exception that says so is masked and its flag is
//! set already, as behind the first inexact result of most programs ([`inexact_is_known`]). All else is `softfloat`'s. The
//! host's own rounding mode and flags are what Rust takes for granted; nothing touches or reads them.

use super::lane::{lane, with};
use super::quick::Quick;
use crate::alu::flags::{CF, ZF};
use std::ops::{Add, Div, Mul, Sub};

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
    #[inline(always)]
    fn value<F: Float>(a: F, b: F) -> Option<F> {
        sum(a + b)
    }
}
impl Operation for Minus {
    #[inline(always)]
    fn value<F: Float>(a: F, b: F) -> Option<F> {
        sum(a - b)
    }
}
impl Operation for Times {
    #[inline(always)]
    fn value<F: Float>(a: F, b: F) -> Option<F> {
        let v = a * b;
        ensure(v.is_above_tiny() || a.is_zero() || b.is_zero())?;
        Some(v)
    }
}
impl Operation for Over {
    #[inline(always)]
    fn value<F: Float>(a: F, b: F) -> Option<F> {
        let v = a / b;
        ensure(v.is_above_tiny() || a.is_zero() && !b.is_zero())?;
        Some(v)
    }
}
impl Operation for Root {
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
    #[inline(always)]
    fn apply(a: u128, b: u128, _: u8, mxcsr: u32) -> Option<u128> {
        ensure(inexact_is_known(mxcsr))?;
        Some(operate::<F, O>(a, b, 0)?.put(a, 0))
    }
}

impl<F: Float, O: Operation> Quick for Packed<F, O> {
    #[inline(always)]
    fn apply(a: u128, b: u128, _: u8, mxcsr: u32) -> Option<u128> {
        ensure(inexact_is_known(mxcsr))?;
        let mut v = a;
        for i in 0..F::LANES {
            v = operate::<F, O>(a, b, i)?.put(v, i);
        }
        Some(v)
    }
}

/// An operation that rounds nothing: of ordinary operands it raises no exception.
pub trait Choice: 'static {
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
    #[inline(always)]
    fn lane<F: Float>(into: u128, i: u32, a: F, b: F, _: u8) -> u128 {
        (if a < b { a } else { b }).put(into, i)
    }
}
impl Choice for Greatest {
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
    #[inline(always)]
    fn apply(a: u128, b: u128, imm: u8, _: u32) -> Option<u128> {
        choose::<F, C>(a, a, b, 0, imm)
    }
}

impl<F: Float, C: Choice> Quick for PackedChoice<F, C> {
    #[inline(always)]
    fn apply(a: u128, b: u128, imm: u8, _: u32) -> Option<u128> {
        let mut v = a;
        for i in 0..F::LANES {
            v = choose::<F, C>(v, a, b, i, imm)?;
        }
        Some(v)
    }
}

/// COMISx and UCOMISx of ordinary numbers: ZF, PF and CF.
#[inline(always)]
pub fn flags_of<F: Float>(a: u128, b: u128) -> Option<u64> {
    let (a, b) = (F::lane(a, 0), F::lane(b, 0));
    ensure(a.is_ordinary() && b.is_ordinary())?;
    Some(if a < b {
        CF
    } else if a == b {
        ZF
    } else {
        0
    })
}

/// CVTSS2SD.
pub struct SingleToDouble;
/// CVTSD2SS.
pub struct DoubleToSingle;

impl Quick for SingleToDouble {
    #[inline(always)]
    fn apply(a: u128, b: u128, _: u8, _: u32) -> Option<u128> {
        let b = f32::lane(b, 0);
        ensure(b.is_ordinary())?;
        Some(f64::from(b).put(a, 0))
    }
}
impl Quick for DoubleToSingle {
    #[inline(always)]
    fn apply(a: u128, b: u128, _: u8, mxcsr: u32) -> Option<u128> {
        let b = f64::lane(b, 0);
        let v = b as f32;
        ensure(inexact_is_known(mxcsr) && (v.is_above_tiny() || b.is_zero()))?;
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
    #[inline(always)]
    fn apply(a: u128, b: u128, _: u8, _: u32) -> Option<u128> {
        Some(f64::from(b as i32).put(a, 0))
    }
}
impl Quick for QwordToDouble {
    #[inline(always)]
    fn apply(a: u128, b: u128, _: u8, mxcsr: u32) -> Option<u128> {
        ensure(inexact_is_known(mxcsr))?;
        Some((b as i64 as f64).put(a, 0))
    }
}
impl Quick for DwordToSingle {
    #[inline(always)]
    fn apply(a: u128, b: u128, _: u8, mxcsr: u32) -> Option<u128> {
        ensure(inexact_is_known(mxcsr))?;
        Some((b as i32 as f32).put(a, 0))
    }
}
impl Quick for QwordToSingle {
    #[inline(always)]
    fn apply(a: u128, b: u128, _: u8, mxcsr: u32) -> Option<u128> {
        ensure(inexact_is_known(mxcsr))?;
        Some((b as i64 as f32).put(a, 0))
    }
}

/// CVTTSD2SI and CVTTSS2SI of a number well inside the range of the integer.
#[inline(always)]
pub fn truncated<F: Float + Into<f64>>(b: u128, wide: bool, mxcsr: u32) -> Option<u64> {
    let v = F::lane(b, 0);
    ensure(inexact_is_known(mxcsr) && v.is_ordinary())?;
    let v: f64 = v.into();
    let limit = if wide {
        (1u64 << 62) as f64
    } else {
        (1u64 << 30) as f64
    };
    ensure(v.abs() < limit)?;
    Some(v as i64 as u64)
}
