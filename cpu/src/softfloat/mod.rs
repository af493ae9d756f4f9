//! Floating point in integers: the truth for every guest operation on floats, the same on every host.
//!
//! *Intel 64 and IA-32 Architectures Software Developer's Manual* (325462), volume 1, chapters 4.8 and 4.9
//! (formats, exceptions), 8 (x87 FPU) and 11.5 (SSE exceptions), and volume 2 instruction by instruction. What the
//! manual leaves open was measured on Intel processors.
//!
//! One core serves the three formats. An encoding is taken apart into an [`Operand`]; an operation yields an exact
//! [`Unrounded`] value (128 significant bits, the last one sticky); [`round`] turns that into the destination format
//! and raises the flags. `f80` arithmetic takes operands of any format, as `FADD m32` and `FIADD m16` do, and never
//! rounds them first.
//!
//! | file | holds |
//! |---|---|
//! | `env` | rounding and precision control, masks, flags |
//! | `formats` | [`F32`], [`F64`], [`F80`]: encodings, classes, packing |
//! | `half` | half precision |
//! | `operand` | the unpacked operand |
//! | `round` | rounding, overflow, underflow, both masked and unmasked |
//! | `arith` | add, subtract, multiply, divide, square root, fused multiply-add |
//! | `remainder` | FPREM, FPREM1 |
//! | `scale` | FSCALE, FXTRACT |
//! | `compare` | ordered and unordered comparison |
//! | `convert` | between float formats, to and from integers, FRNDINT |
//! | `bcd` | packed decimal |
//! | `transcendental` | F2XM1, FYL2X, FYL2XP1, FSIN, FCOS, FSINCOS, FPTAN, FPATAN |
//! | `wide` | 127-bit arithmetic for them |
//!
//! **Result suppression.** An operation that meets an unmasked invalid, divide-by-zero or denormal exception
//! returns a value that must not be delivered; ask [`FloatEnv::suppresses_result`].

mod arith;
mod bcd;
mod compare;
mod convert;
mod env;
mod formats;
mod half;
mod operand;
mod remainder;
mod round;
mod scale;
#[cfg(test)]
mod tests;
mod transcendental;
mod wide;

pub use arith::{add, div, fma, mul, sqrt, sub};
pub use bcd::{BCD_INDEFINITE, bcd_load, bcd_store};
pub use compare::{Relation, compare_ordered, compare_unordered};
pub use convert::{convert, round_in_format, round_to_integral, store, to_i16, to_i32, to_i64};
pub use env::{Flags, FloatEnv, Precision, Rounding};
pub use formats::{F32, F64, F80, Float};
pub use half::{from_half, to_half};
pub use operand::{Class, Operand};
pub use remainder::{Remainder, RemainderKind, remainder};
pub use round::{Layout, Rounded, Unrounded, round};
pub use scale::{extract, scale};
pub use transcendental::{
    Trigonometric, arc_tangent, cosine, logarithm, logarithm_plus_one, sine, sine_cosine, tangent,
    two_to_the_power_minus_one,
};
