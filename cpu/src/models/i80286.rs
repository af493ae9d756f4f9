//! The Intel 80286.

use super::CpuModel;
use crate::x87::Generation;
use iced_x86::CpuidFeature as F;

/// The model.
pub static MODEL: CpuModel = CpuModel {
    name: "80286",
    description: "Intel 80286",
    features: &[
        F::INTEL8086,
        F::INTEL186,
        F::INTEL286,
        F::INTEL286_ONLY,
        F::FPU,
        F::FPU287,
    ],
    cpuid: &[],
    fpu: Generation::I80287,
    ip_wraps: false,
    signature: 0,
    flags_fixed: 0x0002,
    flags_writable: 0x7FD5,
    cr0: 0xF,
    cr4: 0,
    // The machine status word's upper bits read as 1.
    reset_cr0: 0xFFF0,
    reset_vector: (0xFF_0000, 0xFFF0),
};
