//! The Intel Core i7 of the second generation (Sandy Bridge, stepping D2): AVX, AES. One thread of it.
//!
//! Intel SDM.
//!
//! **Not implemented**: as for [Core 2](super::core2).

use super::identity::{CACHES_IN_LEAF_4, Cache, INTEL};
use super::{Branches, Counters, CpuModel, Identity, Platform, core2, nehalem};

/// The model.
pub static MODEL: CpuModel = CpuModel {
    name: "sandybridge",
    description: "Intel Core i7 (Sandy Bridge)",
    lacks: LACKS,
    // That of June 2013.
    microcode: 0x29,
    counters: Counters::NEHALEM,
    branches: Branches::NEHALEM,
    platform: Some(Platform::SANDYBRIDGE),
    save_map_level: 0x101,
    identity: Some(&IDENTITY),
    signature: 0x0002_06A7,
    ..core2::BARE
}
.with(core2::FLAGS)
.with(nehalem::FLAGS)
.with(FLAGS)
.with(&["pdcm"]);

pub(super) const LACKS: &[&str] = &[
    "dts", "acpi", "ss", "ht", "tm", "pbe", "dtes64", "ds_cpl", "vmx", "smx", "est", "tm2", "xtpr",
];

/// Its features besides those of Nehalem.
pub(super) const FLAGS: &[&str] = &[
    "pclmulqdq",
    "pcid",
    "x2apic",
    "tsc_deadline_timer",
    "aes",
    "xsave",
    "xsaveopt",
    "avx",
];

const IDENTITY: Identity = Identity {
    vendor: INTEL,
    brand: "Intel(R) Core(TM) i7-2600 CPU @ 3.40GHz",
    brand_index: 0,
    basic_max: 0xD,
    extended_max: 0x8000_0008,
    descriptors: CACHES_IN_LEAF_4,
    caches: CACHES,
};

pub(super) const CACHES: &[Cache] = &[
    Cache::new(1, 1, 32, 8),
    Cache::new(2, 1, 32, 8),
    Cache::new(3, 2, 256, 8),
    Cache::new(3, 3, 8192, 16),
];
