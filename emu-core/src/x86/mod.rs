//! Definitions of the x86 architecture: registers, bits, exceptions. No behaviour.
//!
//! Sections cited are of the Intel 64 and IA-32 Architectures Software Developer's Manual (SDM).

mod control;
mod exception;
mod flags;
mod segment;
mod simd;
mod state;
mod x87;

pub use control::{Cr0, Cr4, Dr6, Efer};
pub use exception::{Exception, ExceptionClass};
pub use flags::Rflags;
pub use segment::{SegmentAttributes, SegmentRegister, Selector, SystemType};
pub use simd::{MXCSR_RESET, Restored, SimdState, VECTOR_REGISTERS};
pub use state::{
    Activity, BranchRecords, Configuration, CpuState, DescriptorTable, GPR_COUNT, Gpr,
    IoInstruction, IoKind, MachineCheckBank, MsrState, Mtrrs, Performance, Prefetch, Seg, SmmState,
    VECTOR_COUNT,
};
pub use x87::X87State;
