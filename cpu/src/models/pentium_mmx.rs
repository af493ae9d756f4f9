//! The Intel Pentium with MMX technology (P55C).
//!
//! Intel, "Pentium Processor Family Developer's Manual" (241428); AP-485 (241618).
//!
//! What the [Pentium](super::pentium) is without, this is without too.

use super::{CpuModel, pentium};
use emu_core::x86::Cr4;
use iced_x86::CpuidFeature as F;

/// The model.
pub static MODEL: CpuModel = CpuModel {
    name: "pentium-mmx",
    description: "Intel Pentium with MMX technology (P55C)",
    features: pentium::BARE.features.with(&[F::RDPMC]),
    signature: 0x0543,
    cr4: Cr4::PCE.bits(),
    ..pentium::BARE
}
.with(pentium::FLAGS)
.with(&["mmx"]);
