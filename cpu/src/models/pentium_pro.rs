//! The Intel Pentium Pro, stepping sB1.
//!
//! Intel, "Pentium Pro Family Developer's Manual" (242690 to 242692); AP-485 (241618).
//!
//! **Known inaccuracies**: the real chip sets CPUID's bit of SYSENTER without having the instruction, and AP-485 (section
//! 3.4) tells software to look at the signature; here the bit is clear.

use super::{CpuModel, Identity, p6};

/// The model.
pub static MODEL: CpuModel = CpuModel {
    name: "pentium-pro",
    description: "Intel Pentium Pro",
    lacks: &[],
    identity: Some(&IDENTITY),
    signature: 0x0619,
    ..p6::BARE
}
.with(&[
    "fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce", "cx8", "apic", "mtrr", "pge", "mca",
    "cmov",
]);

const IDENTITY: Identity = Identity {
    // As the p6's, with caches of 8 KiB, 8 KiB and 256 KiB.
    descriptors: [0x0302_0101, 0, 0, 0x0604_0A42],
    ..p6::IDENTITY
};
