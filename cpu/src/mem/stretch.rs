//! Several elements of a repeated string instruction at once, as far as that is the same as one after the other: those of
//! a side lie in one page that the TLB knows, its segment allows them all, and the offset does not wrap among them.
//! Whatever takes more than a hit of the TLB (devices, watched pages, decoded code, checks of alignment) is not at hand,
//! and is done element by element.

use super::access;
use crate::alu::Int;
use crate::interpreter::Interpreter;
use emu_core::x86::Rflags;

const PAGE_BYTES: u64 = 0x1000;

/// How the elements of a string follow one another.
#[derive(Copy, Clone)]
pub struct Order {
    /// Towards lower addresses.
    down: bool,
    /// The bits of an offset that count.
    mask: u64,
}

/// Elements that are at hand: their number, and the host addresses of the first of them.
#[derive(Copy, Clone)]
pub struct Stretch {
    /// How many; at least 1.
    pub n: u64,
    /// Where the first is read; 0 if the instruction has no source.
    pub source: u64,
    /// Where the first is written, or compared; 0 if the instruction has no destination.
    pub destination: u64,
    /// How they follow one another.
    pub order: Order,
}

impl Order {
    /// As DF says, with the bits of an offset that count.
    #[inline(always)]
    pub fn new(cpu: &Interpreter, mask: u64) -> Self {
        Self {
            down: cpu.rflags.contains(Rflags::DF),
            mask,
        }
    }

    /// The offset in a register.
    #[inline(always)]
    pub fn offset(self, cpu: &Interpreter, register: u8) -> u64 {
        cpu.regs.whole(register) & self.mask
    }

    /// The address of the element `n` elements behind the one at `first`.
    #[inline(always)]
    fn behind<T: Int>(self, first: u64, n: u64) -> u64 {
        if self.down {
            first.wrapping_sub(n * T::BYTES as u64)
        } else {
            first.wrapping_add(n * T::BYTES as u64)
        }
    }

    /// The lowest address among `n` elements from the one at `first` on.
    #[inline(always)]
    fn lowest<T: Int>(self, first: u64, n: u64) -> u64 {
        if self.down {
            self.behind::<T>(first, n - 1)
        } else {
            first
        }
    }
}

impl Interpreter {
    /// How many elements from an offset on, but no more than `most`, lie in one page and before the offset wraps.
    #[inline(always)]
    pub(crate) fn reach<T: Int>(&self, seg: usize, offset: u64, order: Order, most: u64) -> u64 {
        let bytes = T::BYTES as u64;
        let in_page = self.segments[seg % 6].base.wrapping_add(offset) % PAGE_BYTES;
        // What there is for elements: in the page, and in the segment.
        let (page, segment) = if order.down {
            if in_page + bytes > PAGE_BYTES {
                return 0;
            }
            (in_page + bytes, offset.saturating_add(bytes))
        } else {
            (
                PAGE_BYTES - in_page,
                (order.mask - offset).saturating_add(1),
            )
        };
        most.min(page / bytes).min(segment / bytes)
    }

    /// The host address of the first of `n` elements that [`Self::reach`] allows, if nothing but a hit of the TLB stands
    /// before reading, or with `WRITE` writing, them all.
    #[inline(always)]
    pub(crate) fn at_hand<T: Int, const WRITE: bool>(
        &self,
        seg: usize,
        offset: u64,
        order: Order,
        n: u64,
    ) -> Option<u64> {
        let (low, bytes) = (order.lowest::<T>(offset, n), n * T::BYTES as u64);
        let s = &self.segments[seg % 6];
        let linear = s.base.wrapping_add(low) & self.linear_mask;
        let host = if WRITE {
            if !s.may_write(low, bytes) {
                return None;
            }
            self.tlb.write_hit_of(linear, bytes)?
        } else {
            if !s.may_read(low, bytes) {
                return None;
            }
            self.tlb.read_hit_of(linear, bytes)?
        };
        Some(host.wrapping_add(offset.wrapping_sub(low)))
    }
}

impl Stretch {
    /// Moves the elements, each after those before it.
    #[inline(always)]
    pub fn copy<T: Int>(&self) {
        // Two linear pages may be one in the host's memory, so it is there that they may overlap.
        let ahead = if self.order.down {
            self.source.wrapping_sub(self.destination)
        } else {
            self.destination.wrapping_sub(self.source)
        };
        let bytes = self.n * T::BYTES as u64;
        if ahead == 0 || ahead >= bytes {
            // No element is stored over one that is still to be read.
            let [from, to] =
                [self.source, self.destination].map(|first| self.order.lowest::<T>(first, self.n));
            access::copy_host(from, to, bytes as usize);
            return;
        }
        for i in 0..self.n {
            let [from, to] =
                [self.source, self.destination].map(|first| self.order.behind::<T>(first, i));
            access::write_host(to, access::read_host::<T>(from));
        }
    }

    /// Stores a value to each element.
    #[inline(always)]
    pub fn fill<T: Int>(&self, v: T) {
        // The value once for each of its places in a quadword.
        let pattern = v.to_u64().wrapping_mul(u64::MAX / T::MASK);
        let to = self.order.lowest::<T>(self.destination, self.n);
        access::fill_host(to, self.n as usize * T::BYTES, pattern);
    }

    /// The last element of the source.
    #[inline(always)]
    pub fn last<T: Int>(&self) -> T {
        access::read_host(self.order.behind::<T>(self.source, self.n - 1))
    }

    /// Compares elements, those of the source or else `with` to those of the destination, as long as `while_equal` says.
    /// Gives how many, and the last two that were compared.
    #[inline(always)]
    pub fn compare<T: Int>(&self, with: Option<T>, while_equal: bool) -> (u64, T, T) {
        let mut i = 0;
        loop {
            let a =
                with.unwrap_or_else(|| access::read_host(self.order.behind::<T>(self.source, i)));
            let b = access::read_host::<T>(self.order.behind::<T>(self.destination, i));
            i += 1;
            if i == self.n || (a == b) != while_equal {
                return (i, a, b);
            }
        }
    }
}
