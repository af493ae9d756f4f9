//! The Intel Core i7 of the sixth generation (Skylake, stepping R0): ADX, SMAP, XSAVES. One thread of it.
//!
//! Intel SDM.
//!
//! **Not implemented**: as for [Core 2](super::core2); MPX, TSX, SGX, processor trace, version 4 of performance
//! monitoring (this says 3).

use super::identity::{CACHES_IN_LEAF_4, Cache, INTEL};
use super::{
    Branches, Counters, CpuModel, Identity, Platform, core2, haswell, nehalem, sandybridge,
};

/// The model.
pub static MODEL: CpuModel = CpuModel {
    name: "skylake",
    description: "Intel Core i7 (Skylake)",
    lacks: &[
        "dts", "acpi", "ss", "ht", "tm", "pbe", "dtes64", "ds_cpl", "vmx", "smx", "est", "tm2",
        "sdbg", "xtpr", "sgx", "hle", "rtm", "mpx", "intel_pt",
    ],
    // That of April 2017.
    microcode: 0xBA,
    counters: Counters::HASWELL,
    branches: Branches::SKYLAKE,
    platform: Some(Platform::HASWELL),
    save_map_level: 0x101,
    identity: Some(&IDENTITY),
    physical_bits: 39,
    signature: 0x0005_06E3,
    ..core2::BARE
}
.with(core2::FLAGS)
.with(nehalem::FLAGS)
.with(sandybridge::FLAGS)
.with(haswell::FLAGS)
.with(&[
    "pdcm",
    "tsc_adjust",
    "rdseed",
    "adx",
    "smap",
    "clflushopt",
    "xsavec",
    "xsaves",
    "3dnowprefetch",
]);

const IDENTITY: Identity = Identity {
    vendor: INTEL,
    brand: "Intel(R) Core(TM) i7-6700 CPU @ 3.40GHz",
    brand_index: 0,
    basic_max: 0x16,
    extended_max: 0x8000_0008,
    descriptors: CACHES_IN_LEAF_4,
    caches: &[
        Cache::new(1, 1, 32, 8),
        Cache::new(2, 1, 32, 8),
        Cache::new(3, 2, 256, 4),
        Cache::new(3, 3, 8192, 16),
    ],
};
