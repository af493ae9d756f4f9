//! The AMD Athlon (Thunderbird, K7): no SSE, but its integer instructions on MMX registers, and 3DNow!.
//!
//! AMD, "AMD Athlon Processor x86 Code Optimization Guide" (22007); "AMD Processor Recognition Application Note" (20734);
//! "3DNow! Technology Manual" (21928); "AMD Extensions to the 3DNow! and MMX Instruction Sets" (22466); "SYSCALL and SYSRET Instruction Specification" (21086).
//!
//! **Not implemented**: the K7's own MSRs (HWCR, SYSCFG, IORR, TOP_MEM); what [performance counters](crate::exec::counters)
//! lack.
//! **Known inaccuracies**: where AMD's processors differ from Intel's in what no feature stands for, this is as a much later one
//! of theirs was measured ([`Traits::AMD`]): the K7's FXSAVE did not write the x87 pointers at all while no unmasked exception
//! was pending. Flags that are left undefined are as Intel's.

use super::identity::{AMD, Cache};
use super::{Branches, Counters, CpuModel, Identity, Msrs, SaveMap, Traits, p6, pentium2};

/// The model.
pub static MODEL: CpuModel = CpuModel {
    name: "athlon",
    description: "AMD Athlon (K7, Thunderbird)",
    lacks: &[],
    traits: Traits::AMD,
    msrs: Msrs::MICROCODE_SIGNATURE.union(Msrs::APIC_BASE),
    counters: Counters::AMD,
    branches: Branches::Last,
    save_map_32: SaveMap::Amd32,
    identity: Some(&IDENTITY),
    signature: 0x0642,
    ..p6::BARE
}
.with(p6::FLAGS)
.with(pentium2::FLAGS)
.with(&["syscall", "mmxext", "3dnowext", "3dnow"]);

const IDENTITY: Identity = Identity {
    vendor: AMD,
    brand: "AMD Athlon(tm) Processor",
    brand_index: 0,
    basic_max: 1,
    extended_max: 0x8000_0006,
    descriptors: [0; 4],
    caches: &[
        Cache::new(1, 1, 64, 2),
        Cache::new(2, 1, 64, 2),
        Cache::new(3, 2, 256, 16),
    ],
};
