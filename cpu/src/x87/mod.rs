//! The x87 floating-point unit: its state, and what each instruction does to it, without memory, EFLAGS or faults of
//! the processor around it. The handlers fetch operands, call a function from here, and write results.
//!
//! *Intel 64 and IA-32 Architectures Software Developer's Manual* (325462), volume 1, chapter 8, and volume 2;
//! *8087 Math Coprocessor* data sheet (205835); *80287* data sheet (210920).
//!
//! | file | holds |
//! |---|---|
//! | `state` | registers, tags, control and status word, pointers |
//! | `stack` | stack faults, delivery of results |
//! | `arith` | arithmetic, FSQRT, FRNDINT, FSCALE, FXTRACT, FPREM, FPREM1, FABS, FCHS |
//! | `transcendental` | F2XM1, FYL2X, FYL2XP1, FSIN, FCOS, FSINCOS, FPTAN, FPATAN |
//! | `compare` | FCOM, FUCOM, FCOMI, FTST, FXAM |
//! | `transfer` | loads, stores, constants, FXCH, FCMOVcc |
//! | `control` | FNINIT, FNCLEX, FLDCW, stack pointer, FFREE, FENI, FDISI |
//! | `image` | FNSTENV, FLDENV, FNSAVE, FRSTOR |
//! | `quick` | arithmetic and conversions of ordinary numbers in few steps |
//! | `fxsave` | the x87 part of FXSAVE and FXRSTOR |
//!
//! **What a handler does**, in this order: #NM by CR0.EM and CR0.TS; for a waiting instruction #MF or FERR# if
//! [`Fpu::exception_pending`]; operand from memory; the function; for a store the write, then
//! [`transfer::Store::commit`]; [`Fpu::record_instruction`] and [`Fpu::record_operand`] for all but the
//! control instructions.
//!
//! **Undocumented aliases** are the same functions: FCOM2 (DC D0+i), FCOMP3 (DC D8+i), FCOMP5 (DE D0+i), FXCH4
//! (DD C8+i), FXCH7 (DF C8+i), FSTP1 (D9 D8+i: [`transfer::store_st_unchecked`]), FSTP8 (DF D0+i), FSTP9 (DF D8+i),
//! FFREEP (DF C0+i).
//!
//! **Not implemented:** of the 8087 and 80287: arithmetic on unnormals and pseudo-infinities, the normalising response to denormals, and
//! their different partial remainder, FSCALE and
//! transcendental ranges; they compute as the 80387 does. What is done of them:
//! infinity control, FENI and FDISI, control word after FNINIT, 16-bit images. FSETPM has nothing to set: the
//! caller chooses the image format by its mode.

pub mod arith;
pub mod compare;
pub mod control;
pub mod fxsave;
pub mod image;
pub mod quick;
mod stack;
pub mod state;
#[cfg(test)]
mod tests;
pub mod transcendental;
pub mod transfer;

pub use state::{Fpu, Generation};
