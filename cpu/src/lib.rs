//! The interpreter: decode, blocks, execute.
pub mod softfloat;
pub mod x87;
