//! What is decoded of a page.

use crate::decode::BLOCK_BYTES_MAX;
use emu_core::ram::{CODE_GRANULE_BYTES, PAGE_BYTES, granule_mask};
use std::ops::Range;

/// The bytes of a page that a block covers.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Covered {
    /// Its number.
    pub block: u32,
    /// The first byte.
    pub start: u16,
    /// The one behind the last.
    pub end: u16,
}

impl Covered {
    fn range(self) -> Range<usize> {
        self.start.into()..self.end.into()
    }

    fn meets(self, range: &Range<usize>) -> bool {
        usize::from(self.start) < range.end && range.start < usize::from(self.end)
    }
}

/// What is decoded of a page. Guests write beside their code far more often than over it, so that a store hits no block is
/// told without a look at any.
pub struct Page {
    /// In the order of their starts.
    pub covered: Vec<Covered>,
    /// The bytes that any of `covered` holds, one bit each.
    pub bytes: [u64; PAGE_BYTES / CODE_GRANULE_BYTES],
    /// The granules that have such a byte.
    pub granules: u64,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            covered: Vec::new(),
            bytes: [0; PAGE_BYTES / CODE_GRANULE_BYTES],
            granules: 0,
        }
    }
}

impl Page {
    /// A block is there.
    pub fn insert(&mut self, new: Covered) {
        let at = self.covered.partition_point(|c| c.start < new.start);
        self.covered.insert(at, new);
        let range = new.range();
        for n in bits(granules(&range)) {
            self.bytes[n] |= bytes_of_granule(n, &range);
            self.granules |= 1 << n;
        }
    }

    /// It is there no more.
    pub fn remove(&mut self, old: Covered) {
        let range = old.range();
        let at = self.covered.partition_point(|c| c.start < old.start);
        let same = self.covered[at..].iter().position(|c| *c == old);
        let Some(same) = same else { return };
        self.covered.remove(at + same);
        let mut left = [0; PAGE_BYTES / CODE_GRANULE_BYTES];
        for c in self.meeting(&range) {
            let range = c.range();
            for n in bits(granules(&range)) {
                left[n] |= bytes_of_granule(n, &range);
            }
        }
        for n in bits(granules(&range)) {
            self.bytes[n] = self.bytes[n] & !bytes_of_granule(n, &range) | left[n];
            if self.bytes[n] == 0 {
                self.granules &= !(1 << n);
            }
        }
    }

    /// What covers any byte of a range.
    pub fn meeting(&self, range: &Range<usize>) -> impl Iterator<Item = Covered> {
        let first = (range.start + 1).saturating_sub(BLOCK_BYTES_MAX as usize);
        let first = self
            .covered
            .partition_point(|c| usize::from(c.start) < first);
        let starting = self.covered[first..].iter();
        starting
            .take_while(|c| usize::from(c.start) < range.end)
            .filter(|c| c.meets(range))
            .copied()
    }

    /// Whether anything covers a byte of a range.
    pub fn has_code_in(&self, range: &Range<usize>) -> bool {
        bits(granules(range) & self.granules)
            .any(|n| self.bytes[n] & bytes_of_granule(n, range) != 0)
    }
}

/// The granules of a page that a range meets.
fn granules(range: &Range<usize>) -> u64 {
    granule_mask(range.start, range.end.min(PAGE_BYTES))
}

/// The bytes of granule `n` of a page that lie in a range, one bit each.
pub fn bytes_of_granule(n: usize, range: &Range<usize>) -> u64 {
    let at = n * CODE_GRANULE_BYTES;
    let start = range.start.saturating_sub(at);
    let end = range.end.saturating_sub(at).min(CODE_GRANULE_BYTES);
    if start >= end {
        return 0;
    }
    u64::MAX >> (CODE_GRANULE_BYTES - (end - start)) << start
}

/// The numbers of the bits that are set.
pub fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let n = (mask != 0).then(|| mask.trailing_zeros() as usize);
        mask &= mask.wrapping_sub(1);
        n
    })
}
