//! Everything that Boxwood executes, 3DNow! too, and Intel's processors have.
//!
//! No such part was ever sold: the vendor's behaviour (SYSCALL only in 64-bit mode, what is undefined in 64-bit mode, the
//! width of a near branch) is Intel's, so that is the vendor string; the model number, F0h, is one that Intel has given
//! to nothing, so that software looks at the feature bits.

use super::identity::{CACHES_IN_LEAF_4, Cache, INTEL};
use super::{Branches, Counters, CpuModel, Identity, core2, p6};

/// The model.
pub static MODEL: CpuModel = CpuModel {
    name: "max",
    description: "everything that is executed, with long mode",
    lacks: &[],
    // What a Core 2 has, and what later ones add.
    msrs: core2::BARE.msrs,
    counters: Counters::HASWELL,
    branches: Branches::HASWELL,
    identity: Some(&IDENTITY),
    physical_bits: 40,
    // Family 6, model F0h, stepping 0.
    signature: 0x000F_0600,
    ..p6::BARE
}
.with(&[
    "fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce", "cx8", "apic", "sep", "mtrr", "pge",
    "mca", "cmov", "pat", "pse36", "clflush", "mmx", "fxsr", "sse", "sse2",
])
.with(&[
    "pni",
    "monitor",
    "pclmulqdq",
    "ssse3",
    "fma",
    "cx16",
    "pdcm",
    "pcid",
    "sse4_1",
    "sse4_2",
    "x2apic",
    "movbe",
    "popcnt",
    "tsc_deadline_timer",
    "aes",
    "xsave",
    "avx",
    "f16c",
    "rdrand",
])
.with(&[
    "fsgsbase",
    "tsc_adjust",
    "bmi1",
    "avx2",
    "smep",
    "bmi2",
    "invpcid",
    "rdseed",
    "adx",
    "smap",
    "clflushopt",
    "clwb",
    "sha_ni",
    "umip",
    "pku",
    "la57",
    "rdpid",
    "arch_capabilities",
    "xsaveopt",
    "xsavec",
    "xsaves",
])
.with(&[
    "abm", "syscall", "nx", "pdpe1gb", "rdtscp", "3dnowext", "3dnow", "lm",
]);

const IDENTITY: Identity = Identity {
    vendor: INTEL,
    brand: "Boxwood Virtual CPU max",
    brand_index: 0,
    basic_max: 0xD,
    extended_max: 0x8000_0008,
    descriptors: CACHES_IN_LEAF_4,
    caches: &[
        Cache::new(1, 1, 32, 8),
        Cache::new(2, 1, 32, 8),
        Cache::new(3, 2, 256, 8),
        Cache::new(3, 3, 4096, 16),
    ],
};
