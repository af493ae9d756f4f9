//! Segment registers with what is derived from them: which offsets may be read and written (SDM vol. 3, section 5.3).

use emu_core::x86::{SegmentAttributes as A, SegmentRegister};

/// What a segment register means.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Rules {
    /// Real mode: types and the present bit do not matter.
    Real,
    /// Protected mode, virtual-8086 mode, compatibility mode.
    Protected,
    /// 64-bit mode, FS and GS: only the base counts (SDM vol. 3, section 3.4.4).
    Based,
    /// 64-bit mode, the others: nothing counts.
    Unused,
}

/// A segment register and the offsets that it lets through.
#[derive(Copy, Clone, Debug)]
pub struct Segment {
    /// The register.
    pub reg: SegmentRegister,
    /// What is added to an offset.
    pub base: u64,
    read: (u64, u64),
    write: (u64, u64),
}

/// No offset at all.
const NOTHING: (u64, u64) = (1, 0);
/// Every offset.
const EVERYTHING: (u64, u64) = (0, u64::MAX);

impl Segment {
    /// Derives base and ranges.
    pub fn new(reg: SegmentRegister, rules: Rules) -> Self {
        let (base, read, write) = match rules {
            Rules::Real => {
                let range = (0, u64::from(reg.limit));
                (reg.base, range, range)
            }
            Rules::Protected => {
                let (read, write) = protected(&reg);
                (reg.base, read, write)
            }
            Rules::Based => (reg.base, EVERYTHING, EVERYTHING),
            Rules::Unused => (0, EVERYTHING, EVERYTHING),
        };
        Self {
            reg,
            base,
            read,
            write,
        }
    }

    /// Whether `bytes` bytes at `offset` may be read.
    #[inline(always)]
    pub fn may_read(&self, offset: u64, bytes: u64) -> bool {
        offset >= self.read.0 && offset.wrapping_add(bytes - 1) <= self.read.1
    }

    /// Whether `bytes` bytes at `offset` may be written.
    #[inline(always)]
    pub fn may_write(&self, offset: u64, bytes: u64) -> bool {
        offset >= self.write.0 && offset.wrapping_add(bytes - 1) <= self.write.1
    }

    /// Base 0, 4 GiB, readable and writable (or, for code, just readable): offsets are linear addresses.
    pub fn is_flat_data(&self) -> bool {
        let all = (0, u64::from(u32::MAX));
        self.base == 0 && self.read == all && self.write == all
    }
}

/// The offsets that may be read and written in protected mode.
fn protected(reg: &SegmentRegister) -> ((u64, u64), (u64, u64)) {
    let a = reg.attributes;
    let limit = u64::from(reg.limit);
    let data = !a.contains(A::CODE);
    let range = if data && a.contains(A::EXPAND_DOWN) {
        let top = if a.contains(A::BIG) {
            u64::from(u32::MAX)
        } else {
            0xFFFF
        };
        (limit + 1, top)
    } else {
        (0, limit)
    };
    let usable = a.contains(A::USABLE) && a.contains(A::PRESENT) && a.contains(A::NON_SYSTEM);
    let readable = usable && (data || a.contains(A::WRITABLE));
    let writable = usable && data && a.contains(A::WRITABLE);
    (
        if readable { range } else { NOTHING },
        if writable { range } else { NOTHING },
    )
}

impl Default for Segment {
    fn default() -> Self {
        Self::new(SegmentRegister::default(), Rules::Protected)
    }
}
