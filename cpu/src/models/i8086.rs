//! The Intel 8086, and the 8088, which differs by the width of its bus and the length of its queue.
//!
//! Intel, "The 8086 Family User's Manual" (9800722, 1979).

use super::{Branches, Counters, CpuModel, Features, Msrs, Processor, SaveMap, SegmentEnd, Traits};
use crate::x87::Generation;
use iced_x86::CpuidFeature as F;

const GROUPS: Features = Features::of(&[F::INTEL8086, F::INTEL8086_ONLY]);

/// Alone.
pub static MODEL: CpuModel = BARE;

/// With its coprocessor.
pub static WITH_8087: CpuModel = CpuModel {
    name: "8086+8087",
    description: "Intel 8086 with 8087",
    features: GROUPS.with(&[F::FPU]),
    ..BARE
};

/// The 8088.
pub static I8088: CpuModel = CpuModel {
    name: "8088",
    description: "Intel 8088",
    prefetch_bytes: 4,
    ..BARE
};

/// What the 80186 is measured from.
pub(super) const BARE: CpuModel = CpuModel {
    name: "8086",
    description: "Intel 8086",
    lacks: &[],
    features: GROUPS,
    traits: Traits::empty(),
    msrs: Msrs::empty(),
    counters: Counters::NONE,
    microcode: 0,
    branches: Branches::None,
    platform: None,
    // There is none; later ones are measured from this: Intel's, Core 2's level.
    save_map_32: SaveMap::Intel32,
    save_map_level: 0x100,
    processor: Some(Processor::I8086),
    identity: None,
    fpu: Generation::I8087,
    ip_wraps: true,
    segment_end: Some(SegmentEnd::Wraps),
    prefetch_bytes: 6,
    physical_bits: 20,
    signature: 0,
    flags_fixed: 0xF002,
    flags_writable: 0x0FD5,
    cr0: 0,
    cr0_fixed: 0,
    cr4: 0,
    efer: 0,
    reset_cr0: 0,
    // There is no such register: the table always has 256 vectors.
    reset_idt_limit: 0x3FF,
    reset_vector: (0xF_FFF0, 0),
};
