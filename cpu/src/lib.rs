//! The interpreter: decode, blocks, execute.
pub mod softfloat;
