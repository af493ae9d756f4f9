//! Everything that Boxwood executes.
//!
//! No such part was ever sold: the vendor's behaviour (SYSCALL only in 64-bit mode, what is undefined in 64-bit mode, the
//! width of a near branch) is Intel's, so that is the vendor string; the model number, F0h, is one that Intel has given
//! to nothing, so that software looks at the feature bits.

use super::identity::Cache;
use super::{CpuModel, Identity, Paging};
use crate::x87::Generation;
use iced_x86::CpuidFeature as F;

/// Family 6, model F0h, stepping 0.
const SIGNATURE: u32 = 0x000F_0600;

static IDENTITY: Identity = Identity {
    vendor: *b"GenuineIntel",
    brand: "Boxwood Virtual CPU max",
    caches: &[
        // 32 KiB data, 32 KiB code, 256 KiB, 4 MiB.
        Cache {
            kind: 1,
            level: 1,
            ways: 8,
            sets: 64,
        },
        Cache {
            kind: 2,
            level: 1,
            ways: 8,
            sets: 64,
        },
        Cache {
            kind: 3,
            level: 2,
            ways: 8,
            sets: 512,
        },
        Cache {
            kind: 3,
            level: 3,
            ways: 16,
            sets: 4096,
        },
    ],
    linear_bits: 57,
};

/// The model.
pub static MODEL: CpuModel = CpuModel {
    name: "max",
    description: "everything that is executed, with long mode",
    features: &[
        F::INTEL8086,
        F::INTEL186,
        F::INTEL286,
        F::INTEL386,
        F::INTEL486,
        F::CPUID,
        F::CMOV,
        F::CX8,
        F::TSC,
        F::MSR,
        F::RDPMC,
        F::SEP,
        F::FPU,
        F::FPU287,
        F::FPU387,
        F::MULTIBYTENOP,
        F::PAUSE,
        F::SMM,
        F::X64,
        F::SYSCALL,
        F::CMPXCHG16B,
        F::RDTSCP,
        F::RDPID,
        F::FSGSBASE,
        F::SMAP,
        F::INVPCID,
        F::PKU,
        F::POPCNT,
        F::LZCNT,
        F::MOVBE,
        F::BMI1,
        F::BMI2,
        F::ADX,
        F::FXSR,
        F::XSAVE,
        F::XSAVEOPT,
        F::XSAVEC,
        F::XSAVES,
        F::CLFSH,
        F::CLFLUSHOPT,
        F::CLWB,
        F::MMX,
        F::SSE,
        F::SSE2,
        F::SSE3,
        F::SSSE3,
        F::SSE4_1,
        F::SSE4_2,
        F::AES,
        F::PCLMULQDQ,
        F::SHA,
        F::AVX,
        F::AVX2,
        F::FMA,
        F::F16C,
    ],
    processor: None,
    cpuid: &[],
    identity: Some(&IDENTITY),
    fpu: Generation::I80387,
    ip_wraps: false,
    prefetch_bytes: 0,
    physical_bits: 40,
    signature: SIGNATURE,
    flags_fixed: 0x0000_0002,
    flags_writable: 0x003F_7FD5,
    cr0: 0xE005_003F,
    // VME, PVI, TSD, DE, PSE, PAE, MCE, PGE, PCE, OSFXSR, OSXMMEXCPT, UMIP, LA57, FSGSBASE, PCIDE, OSXSAVE, SMEP,
    // SMAP, PKE.
    cr4: 0x0077_1FFF,
    // SCE, LME, LMA, NXE.
    efer: 0xD01,
    paging: Paging {
        pse_36: true,
        attribute_table: true,
        giant: true,
    },
    reset_cr0: 0x6000_0010,
    reset_idt_limit: 0xFFFF,
    reset_vector: (0xFFFF_0000, 0xFFF0),
};
