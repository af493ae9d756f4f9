//! The interpreter: an x86 CPU that decodes each instruction once, lowers it to an operation with its own handler, and
//! executes blocks of them.
//!
//! Start with [`interpreter`] (the state), [`run`] (the loop), [`op`] (what a handler is, and how one hands over to the
//! next), [`context`] (what a hot instruction works on); `decode` fills blocks, `exec` holds the handlers by group, `mem` is segmentation, paging and the TLB, `event` delivers faults and
//! interrupts, `models` says what each CPU offers.

pub mod alu;
mod block;
mod context;
mod decode;
mod event;
mod exec;
mod fault;
mod interpreter;
#[cfg(test)]
mod long_mode_tests;
mod mem;
pub mod models;
mod op;
mod registers;
mod run;
mod simd;
pub mod softfloat;
#[cfg(test)]
mod string_tests;
#[cfg(test)]
mod tests;
mod tuning;
pub mod x87;

pub use interpreter::Interpreter;
pub use models::CpuModel;
pub use tuning::Tuning;
