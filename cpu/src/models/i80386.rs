//! The Intel 80386DX, stepping D1: 32 bits, paging, virtual-8086 mode. No CPUID, no CR4, no write protection of pages for
//! the supervisor, none of the 80486's instructions (BSWAP, CMPXCHG, XADD, INVD, INVLPG, WBINVD).
//!
//! Intel, "80386 Programmer's Reference Manual" (230985, 1986); "Intel386 DX Microprocessor" data sheet (231630).
//!
//! Without a coprocessor, ESC with MSW.EM and TS clear goes to nobody and nothing comes of it, so FNINIT and FNSTSW show
//! software that there is none.
//!
//! **Not implemented**: the test registers TR6 and TR7 (#UD), and what the manual does not name: LOADALL (0F07h), UMOV.
//! **Known inaccuracies**: flags that the manual leaves undefined are those of later processors; none of the chip's
//! errata (POPAD among them) are there; the 80387 does not assert ERROR# after RESET.

use super::{CpuModel, i8086};
use crate::x87::Generation;
use iced_x86::CpuidFeature as F;

/// Alone.
pub static MODEL: CpuModel = BARE;

/// With its coprocessor.
pub static WITH_80387: CpuModel = CpuModel {
    name: "80386+80387",
    description: "Intel 80386DX with 80387",
    features: CpuModel::BASE_386.with(&[F::FPU, F::FPU287, F::FPU387]),
    // ET: the chip has found an 80387.
    reset_cr0: 0x10,
    ..BARE
};

/// What the 80486 is measured from.
pub(super) const BARE: CpuModel = CpuModel {
    name: "80386",
    description: "Intel 80386DX",
    features: CpuModel::BASE_386,
    processor: None,
    fpu: Generation::I80387,
    ip_wraps: false,
    segment_end: None,
    // Sixteen bytes (data sheet, section 1, "Instruction Prefetch").
    prefetch_bytes: 16,
    physical_bits: 32,
    // Component 3, revision 8 (data sheet, section 5.7).
    signature: 0x0308,
    flags_fixed: 0x0002,
    // VM and RF besides the 80286's.
    flags_writable: 0x0003_7FD5,
    // PE, MP, EM, TS, ET, PG.
    cr0: 0x8000_001F,
    reset_cr0: 0,
    reset_idt_limit: 0x3FF,
    reset_vector: (0xFFFF_0000, 0xFFF0),
    ..i8086::BARE
};
