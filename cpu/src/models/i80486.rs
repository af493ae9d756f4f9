//! The Intel 80486DX: an 80386 with its coprocessor and a cache on the chip, alignment checks, write protection for the
//! supervisor. This is one from before CPUID (which came with the SL-enhanced ones in 1993), so EFLAGS.ID cannot be set.
//!
//! Intel, "i486 Processor Programmer's Reference Manual" (240486, 1990); "Intel486 DX Microprocessor" data sheet (240440).
//!
//! **Not implemented**: the test registers TR3 to TR7 (#UD); the cache itself.
//! **Known inaccuracies**: flags that the manual leaves undefined are those of later processors.

use super::{CpuModel, i80386};
use iced_x86::CpuidFeature as F;

/// The model.
pub static MODEL: CpuModel = BARE;

/// What the Pentium is measured from.
pub(super) const BARE: CpuModel = CpuModel {
    name: "80486",
    description: "Intel 80486DX",
    features: CpuModel::BASE_386.with(&[F::INTEL486, F::FPU, F::FPU287, F::FPU387]),
    // Two lines of 16 bytes (data sheet, section 2).
    prefetch_bytes: 32,
    // Model 0, stepping D0.
    signature: 0x0404,
    // AC.
    flags_writable: 0x0007_7FD5,
    // NE, WP, AM, NW and CD besides the 80386's; ET is 1.
    cr0: 0xE005_003F,
    cr0_fixed: 0x10,
    reset_cr0: 0x6000_0010,
    reset_idt_limit: 0xFFFF,
    ..i80386::BARE
};
