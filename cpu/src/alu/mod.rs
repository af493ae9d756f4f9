//! Pure functions on values and flags, generic over operand width. They know no CPU state.

pub mod bcd;
pub mod flags;
pub mod int;
pub mod legacy;
pub mod muldiv;
pub mod shift;

pub use flags::{Condition, Flags};
pub use int::Int;
