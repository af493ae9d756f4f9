//! The Intel Pentium of 75 to 200 MHz (P54C), stepping cC0.
//!
//! Intel, "Pentium Processor Family Developer's Manual" (241428); AP-485, "Intel Processor Identification and the CPUID
//! Instruction" (241618).
//!
//! **Not implemented**: what [performance counters](crate::exec::counters) lack, test registers in MSRs, what
//! [`crate::event::smm`] lacks. A machine check never comes up, so P5_MC_ADDR and P5_MC_TYPE read 0.
//! **Known inaccuracies**: none of the chip's errata (LOCK CMPXCHG8B with a register among them) are there.

use super::identity::INTEL;
use super::{Counters, CpuModel, Identity, Msrs, i80486};
use iced_x86::CpuidFeature as F;

/// The model.
pub static MODEL: CpuModel = BARE.with(FLAGS);

/// Its features.
pub(super) const FLAGS: &[&str] = &[
    "fpu", "vme", "de", "pse", "tsc", "msr", "mce", "cx8", "apic",
];

/// What later models are measured from: without features, to be given their own.
pub(super) const BARE: CpuModel = CpuModel {
    name: "pentium",
    description: "Intel Pentium (P54C)",
    features: CpuModel::BASE_386.with(&[F::INTEL486, F::CPUID, F::SMM]),
    msrs: Msrs::P5_MACHINE_CHECK,
    counters: Counters::PENTIUM,
    identity: Some(&IDENTITY),
    // Stores into code are seen at the next instruction.
    prefetch_bytes: 0,
    signature: 0x052C,
    // VIF, VIP and ID.
    flags_writable: 0x003F_7FD5,
    ..i80486::BARE
};

pub(super) const IDENTITY: Identity = Identity {
    vendor: INTEL,
    brand: "",
    brand_index: 0,
    basic_max: 1,
    extended_max: 0,
    descriptors: [0; 4],
    caches: &[],
};
