use bitflags::bitflags;
use serde::{Deserialize, Serialize};

/// A segment selector (SDM vol. 3, section 3.4.2).
#[derive(
    Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
pub struct Selector(pub u16);

impl Selector {
    /// Requested privilege level.
    pub const fn rpl(self) -> u8 {
        (self.0 & 3) as u8
    }
    /// Whether it selects from the local table.
    pub const fn is_local(self) -> bool {
        self.0 & 4 != 0
    }
    /// Whether it is one of the four null selectors.
    pub const fn is_null(self) -> bool {
        self.0 & !3 == 0
    }
    /// Byte offset of the descriptor in its table.
    pub const fn table_offset(self) -> u32 {
        (self.0 & !7) as u32
    }
    /// The selector as an error code names it: index and table, EXT clear.
    pub const fn error_code(self) -> u16 {
        self.0 & !3
    }
}

bitflags! {
    /// Access rights of a segment: bits 8 to 23 of a descriptor's second doubleword, moved down by 8
    /// (SDM vol. 3, section 3.4.5). Bit 16 is ours: the segment register can be used.
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    pub struct SegmentAttributes: u32 {
        /// Accessed (code and data).
        const ACCESSED = 1 << 0;
        /// Data: writable. Code: readable.
        const WRITABLE = 1 << 1;
        /// Data: expand-down. Code: conforming.
        const EXPAND_DOWN = 1 << 2;
        /// Code rather than data.
        const CODE = 1 << 3;
        /// The whole type field.
        const TYPE = 0xF;
        /// S: code or data, not a system descriptor.
        const NON_SYSTEM = 1 << 4;
        /// Descriptor privilege level, both bits.
        const DPL = 3 << 5;
        /// Present.
        const PRESENT = 1 << 7;
        /// AVL, for software.
        const AVAILABLE = 1 << 12;
        /// L: 64-bit code.
        const LONG = 1 << 13;
        /// D/B: 32-bit default size, or 32-bit stack pointer, or 4 GiB upper bound.
        const BIG = 1 << 14;
        /// G: limit counts 4 KiB units.
        const GRANULAR = 1 << 15;
        /// The register holds a segment (it was not loaded with a null selector).
        const USABLE = 1 << 16;
    }
}

impl SegmentAttributes {
    /// The descriptor privilege level.
    pub const fn dpl(self) -> u8 {
        ((self.bits() >> 5) & 3) as u8
    }
    /// These rights with another privilege level.
    #[must_use]
    pub const fn with_dpl(self, dpl: u8) -> Self {
        Self::from_bits_retain((self.bits() & !Self::DPL.bits()) | ((dpl as u32 & 3) << 5))
    }
    /// The type field.
    pub const fn segment_type(self) -> u8 {
        (self.bits() & 0xF) as u8
    }
}

/// Types of system descriptors (SDM vol. 3, table 3-2).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the manual's own names")]
pub enum SystemType {
    Tss16Available = 1,
    Ldt = 2,
    Tss16Busy = 3,
    CallGate16 = 4,
    TaskGate = 5,
    InterruptGate16 = 6,
    TrapGate16 = 7,
    Tss32Available = 9,
    Tss32Busy = 11,
    CallGate32 = 12,
    InterruptGate32 = 14,
    TrapGate32 = 15,
}

/// A segment register with its hidden part.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct SegmentRegister {
    /// The visible part.
    pub selector: Selector,
    /// Base address.
    pub base: u64,
    /// Limit in bytes, granularity applied.
    pub limit: u32,
    /// Access rights.
    pub attributes: SegmentAttributes,
}
