//! The Intel 80286.
//!
//! Intel, "iAPX 286 Programmer's Reference Manual" (210498, 1985).
//!
//! **Not implemented**: the processor extension segment overrun interrupt (vector 9): the 80287's operands are checked
//! before the instruction begins, so a violation is #GP or #SS, as for any operand.

use super::{CpuModel, Features, Processor, i8086};
use crate::x87::Generation;
use iced_x86::CpuidFeature as F;

const GROUPS: Features = Features::of(&[F::INTEL8086, F::INTEL186, F::INTEL286, F::INTEL286_ONLY]);

/// Alone.
pub static MODEL: CpuModel = BARE;

/// With its coprocessor.
pub static WITH_80287: CpuModel = CpuModel {
    name: "80286+80287",
    description: "Intel 80286 with 80287",
    features: GROUPS.with(&[F::FPU, F::FPU287]),
    ..BARE
};

const BARE: CpuModel = CpuModel {
    name: "80286",
    description: "Intel 80286",
    features: GROUPS,
    processor: Some(Processor::I80286),
    fpu: Generation::I80287,
    ip_wraps: false,
    segment_end: None,
    physical_bits: 24,
    flags_fixed: 0x0002,
    flags_writable: 0x7FD5,
    cr0: 0xF,
    // The machine status word's upper bits read as 1.
    reset_cr0: 0xFFF0,
    // Section 10.4.
    reset_vector: (0xFF_0000, 0xFFF0),
    ..i8086::BARE
};
