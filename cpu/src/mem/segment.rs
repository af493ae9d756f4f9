//! Segment registers with what is derived from them: which offsets may be read and written (SDM vol. 3, section 5.3).

use emu_core::x86::{SegmentAttributes as A, SegmentRegister};

/// A segment register and the offsets that it lets through.
#[derive(Copy, Clone, Debug)]
pub struct Segment {
    /// The register.
    pub reg: SegmentRegister,
    read: (u64, u64),
    write: (u64, u64),
}

/// No offset at all.
const NOTHING: (u64, u64) = (1, 0);

impl Segment {
    /// Derives the ranges. In real mode (`real`) types and the present bit do not matter.
    pub fn new(reg: SegmentRegister, real: bool) -> Self {
        let a = reg.attributes;
        let limit = u64::from(reg.limit);
        let data = !a.contains(A::CODE);
        let range = if !real && data && a.contains(A::EXPAND_DOWN) {
            let top = if a.contains(A::BIG) {
                u64::from(u32::MAX)
            } else {
                0xFFFF
            };
            (limit + 1, top)
        } else {
            (0, limit)
        };
        if real {
            return Self {
                reg,
                read: range,
                write: range,
            };
        }
        let usable = a.contains(A::USABLE) && a.contains(A::PRESENT) && a.contains(A::NON_SYSTEM);
        let readable = usable && (data || a.contains(A::WRITABLE));
        let writable = usable && data && a.contains(A::WRITABLE);
        Self {
            reg,
            read: if readable { range } else { NOTHING },
            write: if writable { range } else { NOTHING },
        }
    }

    /// Whether `bytes` bytes at `offset` may be read.
    #[inline(always)]
    pub fn may_read(&self, offset: u64, bytes: u64) -> bool {
        offset >= self.read.0 && offset + (bytes - 1) <= self.read.1
    }

    /// Whether `bytes` bytes at `offset` may be written.
    #[inline(always)]
    pub fn may_write(&self, offset: u64, bytes: u64) -> bool {
        offset >= self.write.0 && offset + (bytes - 1) <= self.write.1
    }

    /// Base 0, 4 GiB, readable and writable (or, for code, just readable): offsets are linear addresses.
    pub fn is_flat_data(&self) -> bool {
        let all = (0, u64::from(u32::MAX));
        self.reg.base == 0 && self.read == all && self.write == all
    }
}

impl Default for Segment {
    fn default() -> Self {
        Self::new(SegmentRegister::default(), false)
    }
}
