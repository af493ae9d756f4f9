//! The AMD EPYC 7601 (Naples, Zen, stepping B2). One thread of it.
//!
//! AMD, "AMD64 Architecture Programmer's Manual" (24592 to 24594, 26568, 26569); "CPUID Specification" (25481);
//! "Processor Programming Reference for AMD Family 17h Models 01h, 08h" (54945).
//!
//! **Not implemented**: SVM, SSE4A, CLZERO, the topology leaves from 8000_0009h on; what [configuration](crate::exec::configuration)
//! and [performance counters](crate::exec::counters) lack, and AMD's other MSRs, which fault.
//! **Known inaccuracies**: where AMD's processors differ from Intel's in what no feature stands for, this is as a later one of
//! theirs was measured in user mode ([`Traits::AMD`]); flags that are left undefined, SYSRET to an address that is not canonical,
//! and bases of segment registers that are loaded with null selectors are as Intel's.

use super::identity::{AMD, Cache};
use super::{Branches, Counters, CpuModel, Identity, Msrs, Traits, core2, nehalem};

/// The model.
pub static MODEL: CpuModel = CpuModel {
    name: "epyc",
    description: "AMD EPYC (Naples, Zen)",
    lacks: &[
        "ht",
        "fxsr_opt",
        "cmp_legacy",
        "svm",
        "extapic",
        "sse4a",
        "misalignsse",
        "osvw",
        "skinit",
        "wdt",
        "tce",
        "topoext",
        "perfctr_core",
        "clzero",
    ],
    traits: core2::BARE.traits.union(Traits::AMD),
    msrs: Msrs::MICROCODE_SIGNATURE
        .union(Msrs::APIC_BASE)
        .union(Msrs::AMD_CONFIGURATION),
    counters: Counters::AMD,
    branches: Branches::Last,
    identity: Some(&IDENTITY),
    physical_bits: 48,
    signature: 0x0080_0F12,
    ..core2::BARE
}
.with(core2::FLAGS)
.with(nehalem::FLAGS)
.with(&[
    "mmxext",
    "pclmulqdq",
    "fma",
    "movbe",
    "aes",
    "xsave",
    "avx",
    "f16c",
    "fsgsbase",
    "bmi1",
    "avx2",
    "smep",
    "bmi2",
    "rdrand",
    "rdseed",
    "adx",
    "smap",
    "clflushopt",
    "sha_ni",
    "xsaveopt",
    "xsavec",
    "xsaves",
    "abm",
    "cr8_legacy",
    "3dnowprefetch",
    "pdpe1gb",
]);

const IDENTITY: Identity = Identity {
    vendor: AMD,
    brand: "AMD EPYC 7601 32-Core Processor",
    brand_index: 0,
    basic_max: 0xD,
    extended_max: 0x8000_0008,
    descriptors: [0; 4],
    caches: &[
        Cache::new(1, 1, 32, 8),
        Cache::new(2, 1, 64, 4),
        Cache::new(3, 2, 512, 8),
        Cache::new(3, 3, 8192, 16),
    ],
};
