//! The Intel Pentium 4 (Northwood, stepping D1), the one of 32 bits that was sold most: SSE2, a second-level cache of
//! 512 KiB, one thread.
//!
//! Intel, "IA-32 Intel Architecture Software Developer's Manual" (245470 to 245472); AP-485 (241618).
//!
//! **Not implemented**: the debug store, the thermal monitor, performance counters, last-branch records.

use super::identity::INTEL;
use super::{Branches, Counters, CpuModel, Identity, Msrs, p6, pentium2};

/// The model.
pub static MODEL: CpuModel = CpuModel {
    name: "pentium4",
    description: "Intel Pentium 4 (Northwood)",
    lacks: &["dts", "acpi", "ss", "ht", "tm", "pbe", "cid"],
    msrs: MSRS,
    counters: Counters::NONE,
    branches: Branches::None,
    identity: Some(&IDENTITY),
    signature: 0x0F29,
    ..p6::BARE
}
.with(p6::FLAGS)
.with(pentium2::FLAGS)
.with(FLAGS);

/// Its features besides those of the Pentium II.
pub(super) const FLAGS: &[&str] = &["sse", "sse2", "clflush"];

/// Its model-specific registers.
pub(super) const MSRS: Msrs = Msrs::MICROCODE_SIGNATURE
    .union(Msrs::MICROCODE_UPDATE)
    .union(Msrs::MISC_ENABLE)
    .union(Msrs::APIC_BASE);

const IDENTITY: Identity = Identity {
    vendor: INTEL,
    brand: "Intel(R) Pentium(R) 4 CPU 2.80GHz",
    // "Intel Pentium 4 processor" (AP-485, table 3-8).
    brand_index: 9,
    basic_max: 2,
    extended_max: 0x8000_0004,
    // Data TLB and code TLB of 64 entries; 8 KiB data cache, trace cache of 12 K; 512 KiB second-level cache, no third.
    descriptors: [0x665B_5001, 0, 0, 0x007B_7040],
    caches: &[],
};
