//! The Intel 8086.

use super::CpuModel;
use crate::x87::Generation;
use iced_x86::CpuidFeature as F;

/// The model.
pub static MODEL: CpuModel = CpuModel {
    name: "8086",
    description: "Intel 8086",
    features: &[F::INTEL8086, F::INTEL8086_ONLY, F::FPU],
    cpuid: &[],
    fpu: Generation::I8087,
    ip_wraps: true,
    signature: 0,
    flags_fixed: 0xF002,
    flags_writable: 0x0FD5,
    cr0: 0,
    cr4: 0,
    reset_cr0: 0,
    reset_vector: (0xF_FFF0, 0),
};
