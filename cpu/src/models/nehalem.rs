//! The Intel Core i7 (Nehalem: Bloomfield, stepping D0): SSE4.2, POPCNT. One thread of it.
//!
//! Intel SDM.
//!
//! **Not implemented**: as for [Core 2](super::core2).

use super::identity::{Cache, INTEL};
use super::{Branches, Counters, CpuModel, Identity, Platform, core2};

/// The model.
pub static MODEL: CpuModel = CpuModel {
    name: "nehalem",
    description: "Intel Core i7 (Nehalem)",
    lacks: &[
        "dts", "acpi", "ss", "ht", "tm", "pbe", "dtes64", "ds_cpl", "vmx", "est", "tm2", "xtpr",
    ],
    counters: Counters::NEHALEM,
    branches: Branches::NEHALEM,
    platform: Some(Platform::NEHALEM),
    identity: Some(&IDENTITY),
    signature: 0x0001_06A5,
    ..core2::BARE
}
.with(core2::FLAGS)
.with(FLAGS)
.with(&["pdcm"]);

/// Its features besides those of Core 2.
pub(super) const FLAGS: &[&str] = &["sse4_1", "sse4_2", "popcnt", "rdtscp"];

const IDENTITY: Identity = Identity {
    vendor: INTEL,
    brand: "Intel(R) Core(TM) i7 CPU         920  @ 2.67GHz",
    brand_index: 0,
    basic_max: 0xB,
    extended_max: 0x8000_0008,
    descriptors: [0x5503_5A01, 0x00F0_B2E4, 0, 0x09CA_212C],
    caches: &[
        Cache::new(1, 1, 32, 8),
        Cache::new(2, 1, 32, 4),
        Cache::new(3, 2, 256, 8),
        Cache::new(3, 3, 8192, 16),
    ],
};
