//! What performance counters a model has.

/// Whose counters they are.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Maker {
    /// None.
    Nobody,
    /// Intel's Pentium: CESR and two counters (241428, chapter 33, "Performance monitoring").
    Pentium,
    /// Intel's P6 family (SDM vol. 3, "Performance Monitoring (P6 Family Processor)").
    P6,
    /// Intel's, as leaf 0Ah describes them (SDM vol. 3, "Architectural Performance Monitoring").
    Architectural,
    /// AMD's, from the K7 on (24593, section 13.2, "Performance Monitoring Counters").
    Amd,
}

/// A model's performance counters.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Counters {
    /// Whose.
    pub maker: Maker,
    /// The version of leaf 0Ah.
    pub version: u32,
    /// How many count what software selects.
    pub general: u32,
    /// How many count one thing.
    pub fixed: u32,
    /// Bits of each.
    pub bits: u32,
    /// The general ones have a second number at which all their bits can be written.
    pub full_width: bool,
}

impl Counters {
    /// No counters.
    pub const NONE: Self = Self {
        maker: Maker::Nobody,
        version: 0,
        general: 0,
        fixed: 0,
        bits: 40,
        full_width: false,
    };
    /// The Pentium's.
    pub const PENTIUM: Self = Self {
        maker: Maker::Pentium,
        general: 2,
        ..Self::NONE
    };
    /// The P6 family's.
    pub const P6: Self = Self {
        maker: Maker::P6,
        general: 2,
        ..Self::NONE
    };
    /// The Core 2's.
    pub const CORE2: Self = Self {
        maker: Maker::Architectural,
        version: 2,
        general: 2,
        fixed: 3,
        ..Self::NONE
    };
    /// Those from Nehalem on.
    pub const NEHALEM: Self = Self {
        version: 3,
        general: 4,
        bits: 48,
        ..Self::CORE2
    };
    /// Those from Ivy Bridge on.
    pub const HASWELL: Self = Self {
        full_width: true,
        ..Self::NEHALEM
    };
    /// AMD's.
    pub const AMD: Self = Self {
        maker: Maker::Amd,
        general: 4,
        bits: 48,
        ..Self::NONE
    };

    /// Leaf 0Ah. Of the seven architectural events those of caches and branches (bits 3 to 6 of EBX) are not there.
    pub fn leaf(&self) -> [u32; 4] {
        if self.maker != Maker::Architectural {
            return [0; 4];
        }
        let general = self.version | self.general << 8 | self.bits << 16 | 7 << 24;
        [general, 0x78, 0, self.fixed | self.bits << 5]
    }
}
