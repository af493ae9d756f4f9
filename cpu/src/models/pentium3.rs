//! The Intel Pentium III (Coppermine), with a second-level cache of 256 KiB.
//!
//! Intel, "Intel Architecture Software Developer's Manual" (243190 to 243192, 1999); AP-485 (241618).
//!
//! **Not implemented**: the processor serial number: this is a chip in which firmware has switched it off. What the [P6
//! family](super::p6) is without, this is without too.

use super::{CpuModel, Identity, p6, pentium2};

/// The model.
pub static MODEL: CpuModel = CpuModel {
    name: "pentium3",
    description: "Intel Pentium III (Coppermine)",
    lacks: &["pn"],
    identity: Some(&IDENTITY),
    signature: 0x0686,
    ..p6::BARE
}
.with(p6::FLAGS)
.with(pentium2::FLAGS)
.with(&["sse"]);

const IDENTITY: Identity = Identity {
    // "Intel Pentium III processor" (AP-485, table 3-8).
    brand_index: 2,
    // As the p6's, with a second-level cache of 256 KiB, 8 ways.
    descriptors: [0x0302_0101, 0, 0, 0x0C04_0882],
    ..p6::IDENTITY
};
