//! The Intel Core 2 Duo (Conroe, stepping B2): long mode, SSSE3. One core of it.
//!
//! Intel SDM; AP-485 (241618).
//!
//! **Not implemented**: VMX, the debug store, thermal sensors, states of MWAIT deeper than C1, what
//! [performance counters](crate::exec::counters) and [configuration](crate::exec::configuration) lack.

use super::identity::{Cache, INTEL};
use super::{Branches, Counters, CpuModel, Identity, Msrs, p6, pentium2, pentium4};

/// The model.
pub static MODEL: CpuModel = BARE.with(FLAGS).with(&["pdcm"]);

/// Its features.
pub(super) const FLAGS: &[&str] = &["lm", "syscall", "nx", "pni", "monitor", "ssse3", "cx16"];

/// What later Intel models are measured from, with the features of the Pentium 4.
pub(super) const BARE: CpuModel = CpuModel {
    name: "core2",
    description: "Intel Core 2 Duo (Conroe)",
    lacks: &[
        "dts", "acpi", "ss", "ht", "tm", "pbe", "dtes64", "ds_cpl", "vmx", "est", "tm2", "xtpr",
    ],
    msrs: pentium4::MSRS.union(Msrs::BUS_CONFIGURATION),
    counters: Counters::CORE2,
    branches: Branches::CORE2,
    identity: Some(&IDENTITY),
    signature: 0x06F6,
    ..p6::BARE
}
.with(p6::FLAGS)
.with(pentium2::FLAGS)
.with(pentium4::FLAGS);

const IDENTITY: Identity = Identity {
    vendor: INTEL,
    brand: "Intel(R) Core(TM)2 CPU          6600  @ 2.40GHz",
    brand_index: 0,
    basic_max: 0xA,
    extended_max: 0x8000_0008,
    descriptors: [0x05B0_B101, 0x0056_57F0, 0, 0x2CB4_3049],
    caches: &[
        Cache::new(1, 1, 32, 8),
        Cache::new(2, 1, 32, 8),
        Cache::new(3, 2, 4096, 16),
    ],
};
