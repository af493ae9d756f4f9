//! What last-branch records a model has.

/// Last-branch records (SDM vol. 3, chapter 18).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Branches {
    /// None.
    None,
    /// The last branch, and the last before an interrupt: the P6 family, AMD.
    Last,
    /// A stack of them.
    Stack {
        /// How many; a power of two.
        depth: u32,
        /// The numbers of the first registers: from, to, more (0: there is no more).
        numbers: [u32; 3],
        /// The format that IA32_PERF_CAPABILITIES names.
        format: u64,
    },
}

impl Branches {
    /// The Core 2's.
    pub const CORE2: Self = Self::Stack {
        depth: 4,
        numbers: [0x40, 0x60, 0],
        format: 1,
    };
    /// From Nehalem on: in the upper bits of "from" stands whether the branch was mispredicted.
    pub const NEHALEM: Self = Self::Stack {
        depth: 16,
        numbers: [0x680, 0x6C0, 0],
        format: 3,
    };
    /// From Haswell on: and bits of TSX.
    pub const HASWELL: Self = Self::Stack {
        depth: 16,
        numbers: [0x680, 0x6C0, 0],
        format: 4,
    };
    /// Skylake's.
    pub const SKYLAKE: Self = Self::Stack {
        depth: 32,
        numbers: [0x680, 0x6C0, 0xDC0],
        format: 5,
    };

    /// Whether MSR_LBR_SELECT is there: from Nehalem on.
    pub fn has_select(self) -> bool {
        matches!(self, Self::Stack { format, .. } if format > 1)
    }

    /// The format, as IA32_PERF_CAPABILITIES names it.
    pub fn format(self) -> u64 {
        match self {
            Self::Stack { format, .. } => format,
            Self::None | Self::Last => 0,
        }
    }
}
