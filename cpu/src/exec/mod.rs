//! What instructions do, by group. Each is a type that implements [`crate::op::Instruction`], generic over operand
//! width and form, so that lowering picks the exact handler and nothing is decided twice.

pub mod arith;
pub mod bit;
pub mod bmi;
pub mod branch;
pub mod configuration;
pub mod copy;
pub mod counters;
pub mod cpuid;
pub mod data;
pub mod desc;
pub mod far;
pub mod flag;
pub mod io;
pub mod legacy;
pub mod loadall;
pub mod logic;
pub mod long;
pub mod monitor;
pub mod msr;
pub mod muldiv;
pub mod operand;
pub mod pair;
pub mod random;
pub mod shift;
pub mod stack;
pub mod string;
pub mod system;
pub mod x87;
pub mod x87_operand;
pub mod x87_quick;
