//! The P6 family (a Pentium II without MMX): the model with which tests begin, and what Boxwood's other
//! models from the Pentium Pro on are measured from.
//!
//! Intel, "Intel Architecture Software Developer's Manual" (243190 to 243192); AP-485 (241618), table 3-5.
//!
//! The local APIC is the board's: where there is none, CPUID's bit is off.
//!
//! **Not implemented**: what [performance counters](crate::exec::counters) and
//! [last-branch records](crate::event::branches) lack.

use super::identity::INTEL;
use super::{Branches, Counters, CpuModel, Identity, Msrs, pentium};
use emu_core::x86::Cr4;
use iced_x86::CpuidFeature as F;

/// The model.
pub static MODEL: CpuModel = BARE.with(FLAGS);

/// Its features.
pub(super) const FLAGS: &[&str] = &[
    "fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce", "cx8", "apic", "sep", "mtrr", "pge",
    "mca", "cmov",
];

/// Without features, to be given a model's own.
pub(super) const BARE: CpuModel = CpuModel {
    name: "p6",
    description: "Intel P6 family (Pentium II class, without MMX)",
    lacks: &["mmx"],
    features: CpuModel::BASE_386.with(&[
        F::INTEL486,
        F::CPUID,
        F::RDPMC,
        F::MULTIBYTENOP,
        F::PAUSE,
        F::SMM,
    ]),
    msrs: Msrs::MICROCODE_SIGNATURE
        .union(Msrs::MICROCODE_UPDATE)
        .union(Msrs::BUS_CONFIGURATION)
        .union(Msrs::APIC_BASE),
    counters: Counters::P6,
    branches: Branches::Last,
    identity: Some(&IDENTITY),
    physical_bits: 36,
    // SYSENTER works from model 3, stepping 3 on; model 3 stepping 4 is the first Pentium II that offers it.
    signature: 0x0634,
    cr4: Cr4::PCE.bits(),
    ..pentium::BARE
};

pub(super) const IDENTITY: Identity = Identity {
    basic_max: 2,
    // Caches and TLBs (AP-485, table 3-7): one query tells all. Code TLB of 32 entries, 2 for large pages; 16 KiB
    // code cache; data TLB of 64 entries, 8 for large pages; 16 KiB data cache; 512 KiB second-level cache.
    descriptors: [0x0302_0101, 0, 0, 0x0C04_0843],
    vendor: INTEL,
    ..pentium::IDENTITY
};
