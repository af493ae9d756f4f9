//! The Intel Pentium II (Deschutes), with a second-level cache of 512 KiB.
//!
//! Intel, "P6 Family of Processors Hardware Developer's Manual" (244001); AP-485 (241618).
//!
//! What the [P6 family](super::p6) is without, this is without too.

use super::{CpuModel, p6};

/// The model.
pub static MODEL: CpuModel = CpuModel {
    name: "pentium2",
    description: "Intel Pentium II (Deschutes)",
    lacks: &[],
    signature: 0x0652,
    ..p6::BARE
}
.with(p6::FLAGS)
.with(FLAGS);

/// Its features besides those of the P6 family.
pub(super) const FLAGS: &[&str] = &["pat", "pse36", "mmx", "fxsr"];
