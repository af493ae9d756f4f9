//! The Intel Core i7 of the fourth generation (Haswell, stepping C0): AVX2, FMA, BMI. One thread of it; with the microcode
//! that took TSX away.
//!
//! Intel SDM.
//!
//! **Not implemented**: as for [Core 2](super::core2).

use super::identity::{CACHES_IN_LEAF_4, INTEL};
use super::{Branches, Counters, CpuModel, Identity, Platform, core2, nehalem, sandybridge};

/// The model.
pub static MODEL: CpuModel = CpuModel {
    name: "haswell",
    description: "Intel Core i7 (Haswell)",
    lacks: &[
        "dts", "acpi", "ss", "ht", "tm", "pbe", "dtes64", "ds_cpl", "vmx", "smx", "est", "tm2",
        "sdbg", "xtpr",
    ],
    // That of January 2017.
    microcode: 0x22,
    counters: Counters::HASWELL,
    branches: Branches::HASWELL,
    platform: Some(Platform::HASWELL),
    save_map_level: 0x101,
    identity: Some(&IDENTITY),
    physical_bits: 39,
    signature: 0x0003_06C3,
    ..core2::BARE
}
.with(core2::FLAGS)
.with(nehalem::FLAGS)
.with(sandybridge::FLAGS)
.with(FLAGS)
.with(&["pdcm", "tsc_adjust"]);

/// Its features besides those of Sandy Bridge.
pub(super) const FLAGS: &[&str] = &[
    "fma", "movbe", "f16c", "fsgsbase", "bmi1", "avx2", "smep", "bmi2", "erms", "invpcid", "abm",
    "rdrand", "pdpe1gb",
];

const IDENTITY: Identity = Identity {
    vendor: INTEL,
    brand: "Intel(R) Core(TM) i7-4770 CPU @ 3.40GHz",
    brand_index: 0,
    basic_max: 0xD,
    extended_max: 0x8000_0008,
    descriptors: CACHES_IN_LEAF_4,
    caches: sandybridge::CACHES,
};
