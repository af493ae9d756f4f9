//! The buses: port and memory maps built from what each device says it decodes.

mod decode;
mod memory;
mod ports;

pub use decode::{
    Access, Conflict, Decode, MemoryRange, MemoryTarget, PortKind, PortRange, SmmView,
};
pub use memory::{MemoryMap, MmioTarget, PageView, RamSpan, Route};
pub use ports::{PortMap, PortTarget};

use serde::{Deserialize, Serialize};

/// A guest-physical address.
#[derive(
    Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
pub struct Gpa(pub u64);

impl std::fmt::Display for Gpa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:08X}h", self.0)
    }
}

/// The size of one access.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Width {
    /// 8 bits.
    Byte,
    /// 16 bits.
    Word,
    /// 32 bits.
    Dword,
    /// 64 bits.
    Qword,
}

impl Width {
    /// Bytes: 1, 2, 4 or 8.
    pub const fn bytes(self) -> usize {
        1 << self as u8
    }

    /// Bits: 8, 16, 32 or 64.
    pub const fn bits(self) -> u32 {
        8 << self as u8
    }

    /// All bits of a value of this width.
    pub const fn mask(self) -> u64 {
        u64::MAX >> (64 - self.bits())
    }
}

/// What nobody drives reads as: the bus's pull-ups.
pub const OPEN_BUS: u64 = u64::MAX;
