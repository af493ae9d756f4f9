//! The Intel 80286.
//!
//! **Not implemented**: the processor extension segment overrun interrupt (vector 9): the 80287's operands are checked
//! before the instruction begins, so a violation is #GP or #SS, as for any operand.

use super::{CpuModel, Processor};
use crate::x87::Generation;
use iced_x86::CpuidFeature as F;

/// Alone.
pub static MODEL: CpuModel = BARE;

/// With its coprocessor.
pub static WITH_80287: CpuModel = CpuModel {
    name: "80286+80287",
    description: "Intel 80286 with 80287",
    features: &[
        F::INTEL8086,
        F::INTEL186,
        F::INTEL286,
        F::INTEL286_ONLY,
        F::FPU,
        F::FPU287,
    ],
    ..BARE
};

const BARE: CpuModel = CpuModel {
    name: "80286",
    description: "Intel 80286",
    features: &[F::INTEL8086, F::INTEL186, F::INTEL286, F::INTEL286_ONLY],
    processor: Some(Processor::I80286),
    cpuid: &[],
    identity: None,
    fpu: Generation::I80287,
    ip_wraps: false,
    prefetch_bytes: 6,
    physical_bits: 24,
    signature: 0,
    flags_fixed: 0x0002,
    flags_writable: 0x7FD5,
    cr0: 0xF,
    cr4: 0,
    efer: 0,
    paging: super::Paging {
        pse_36: false,
        attribute_table: false,
        giant: false,
    },
    // The machine status word's upper bits read as 1.
    reset_cr0: 0xFFF0,
    // iAPX 286 Programmer's Reference Manual, section 10.4.
    reset_idt_limit: 0x3FF,
    reset_vector: (0xFF_0000, 0xFFF0),
};
