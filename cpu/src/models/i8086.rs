//! The Intel 8086.

use super::{CpuModel, Processor};
use crate::x87::Generation;
use iced_x86::CpuidFeature as F;

/// Alone.
pub static MODEL: CpuModel = BARE;

/// With its coprocessor.
pub static WITH_8087: CpuModel = CpuModel {
    name: "8086+8087",
    description: "Intel 8086 with 8087",
    features: &[F::INTEL8086, F::INTEL8086_ONLY, F::FPU],
    ..BARE
};

const BARE: CpuModel = CpuModel {
    name: "8086",
    description: "Intel 8086",
    features: &[F::INTEL8086, F::INTEL8086_ONLY],
    processor: Some(Processor::I8086),
    cpuid: &[],
    identity: None,
    fpu: Generation::I8087,
    ip_wraps: true,
    prefetch_bytes: 6,
    physical_bits: 20,
    signature: 0,
    flags_fixed: 0xF002,
    flags_writable: 0x0FD5,
    cr0: 0,
    cr4: 0,
    efer: 0,
    paging: super::Paging {
        pse_36: false,
        attribute_table: false,
        giant: false,
    },
    reset_cr0: 0,
    // There is no such register: the table always has 256 vectors.
    reset_idt_limit: 0x3FF,
    reset_vector: (0xF_FFF0, 0),
};
