//! The block cache: decoded runs of instructions, found by where their bytes lie in the host's memory and by mode.
//!
//! The host address of a page is the identity of the memory behind it, so every mapping of the same bytes (aliases,
//! shadow RAM, the A20 wrap) shares blocks, and a store through any of them finds what it overwrites. Nothing about
//! a run depends on these addresses: they only say where to look.

use crate::decode::BLOCK_BYTES_MAX;
use crate::op::{HeadRef, Slots};
use emu_core::ram::{CODE_GRANULE_BYTES, PAGE_BYTES, granule_mask};
use std::cell::Cell;
use std::collections::HashMap;
use std::ops::Range;
use std::ptr::NonNull;

/// A run of instructions that is entered at its start.
pub struct Block {
    /// Host address of the first byte.
    pub host: u64,
    /// Bits of [`crate::interpreter::mode`] under which it was decoded.
    pub mode: u32,
    /// Bytes of code.
    pub len: u32,
    /// Instructions.
    pub insns: u32,
    /// For an instruction that crosses a page: the host address of the second page.
    pub second_page: Option<u64>,
    /// The lowered instructions, ended by one that leaves the block.
    pub slots: Slots,
    /// The slots of its links; 0: none.
    pub links: [u16; 2],
    /// For each instruction, and for the end: its first slot and its distance from the start of the block.
    pub starts: Box<[(u16, u16)]>,
    /// It is in the cache, and not set aside.
    pub kept: bool,
    /// A link of some block has led here since it was put into the cache.
    pub linked: Cell<bool>,
}

impl Block {
    /// Lets a link of this block that leads to the start of `to` lead there from now on. Only blocks of one page are linked:
    /// whatever maps that page maps both.
    pub fn link(&self, to: &Block) {
        let linkable = self.kept && to.kept && to.mode == self.mode && to.second_page.is_none();
        if !linkable || (self.host ^ to.host) >> 12 != 0 {
            return;
        }
        for slot in self.links.into_iter().filter(|&slot| slot != 0) {
            let distance = self.slots.distance(slot).unwrap_or_default();
            if self.host.wrapping_add(distance as i64 as u64) == to.host {
                self.slots.connect(slot, to.slots.head());
                to.linked.set(true);
            }
        }
    }

    /// The number of the instruction that a slot belongs to.
    #[inline]
    pub fn insn_of_slot(&self, slot: usize) -> usize {
        // Each instruction takes a slot at least, and few take more: from the first that it could be it is not far.
        let mut n = slot.min(self.starts.len()).saturating_sub(1);
        while n > 0 && usize::from(self.starts[n].0) > slot {
            n -= 1;
        }
        n
    }

    /// The distance of instruction `n` from the start of the block, in bytes.
    #[inline]
    pub fn offset_of(&self, n: usize) -> u64 {
        self.starts.get(n).map_or(self.len.into(), |s| s.1.into())
    }
}

/// An entry of the table that finds a block by linear address.
#[derive(Copy, Clone)]
struct Recent {
    linear: u64,
    generation: u64,
    head: HeadRef,
    mode: u32,
}

const RECENT_SLOTS: usize = 1 << 15;
/// Blocks kept before all are dropped: the bound of the cache's memory.
const BLOCKS_MAX: usize = 1 << 16;
/// Blocks that were dropped and are still allocated, at most.
const BURIED_MAX: usize = 256;

/// The bytes of a page that a block covers.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
struct Covered {
    block: u32,
    start: u16,
    end: u16,
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
struct Page {
    /// In the order of their starts.
    covered: Vec<Covered>,
    /// The bytes that any of `covered` holds, one bit each.
    bytes: [u64; PAGE_BYTES / CODE_GRANULE_BYTES],
    /// The granules that have such a byte.
    granules: u64,
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
    fn insert(&mut self, new: Covered) {
        let at = self.covered.partition_point(|c| c.start < new.start);
        self.covered.insert(at, new);
        let range = new.range();
        for n in bits(granules(&range)) {
            self.bytes[n] |= bytes_of_granule(n, &range);
            self.granules |= 1 << n;
        }
    }

    fn remove(&mut self, old: Covered) {
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
    fn meeting(&self, range: &Range<usize>) -> impl Iterator<Item = Covered> {
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
    fn has_code_in(&self, range: &Range<usize>) -> bool {
        bits(granules(range) & self.granules)
            .any(|n| self.bytes[n] & bytes_of_granule(n, range) != 0)
    }
}

/// The granules of a page that a range meets.
fn granules(range: &Range<usize>) -> u64 {
    granule_mask(range.start, range.end.min(PAGE_BYTES))
}

/// The bytes of granule `n` of a page that lie in a range, one bit each.
fn bytes_of_granule(n: usize, range: &Range<usize>) -> u64 {
    let at = n * CODE_GRANULE_BYTES;
    let start = range.start.saturating_sub(at);
    let end = range.end.saturating_sub(at).min(CODE_GRANULE_BYTES);
    if start >= end {
        return 0;
    }
    u64::MAX >> (CODE_GRANULE_BYTES - (end - start)) << start
}

/// The numbers of the bits that are set.
fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let n = (mask != 0).then(|| mask.trailing_zeros() as usize);
        mask &= mask.wrapping_sub(1);
        n
    })
}

/// All decoded blocks.
pub struct BlockCache {
    blocks: Vec<Option<Box<Block>>>,
    free: Vec<u32>,
    by_start: HashMap<(u64, u32), u32, Hashing>,
    by_page: HashMap<u64, Page, Hashing>,
    recent: Box<[Recent; RECENT_SLOTS]>,
    generation: u64,
    /// Blocks that were dropped but may still be running, or be found by the table.
    #[expect(clippy::vec_box, reason = "a running block must not move")]
    buried: Vec<Box<Block>>,
    /// A block that is executed once and not kept.
    aside: Option<Box<Block>>,
}

/// A fast hash for addresses (Fibonacci hashing); the keys are not chosen by anybody.
#[derive(Clone, Default)]
pub struct Hashing;

/// See [`Hashing`].
#[derive(Default)]
pub struct Hasher(u64);

impl std::hash::BuildHasher for Hashing {
    type Hasher = Hasher;
    fn build_hasher(&self) -> Hasher {
        Hasher::default()
    }
}

impl std::hash::Hasher for Hasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
    fn write(&mut self, bytes: &[u8]) {
        for &b in bytes {
            self.write_u64(b.into());
        }
    }
    fn write_u32(&mut self, v: u32) {
        self.write_u64(v.into());
    }
    fn write_u64(&mut self, v: u64) {
        self.0 = (self.0.rotate_left(23) ^ v).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

impl Default for BlockCache {
    fn default() -> Self {
        let none = Recent {
            linear: 0,
            generation: 0,
            head: HeadRef::NONE,
            mode: 0,
        };
        let recent = vec![none; RECENT_SLOTS].into_boxed_slice();
        Self {
            blocks: Vec::new(),
            free: Vec::new(),
            by_start: HashMap::default(),
            by_page: HashMap::default(),
            recent: recent
                .try_into()
                .unwrap_or_else(|_| Box::new([none; RECENT_SLOTS])),
            generation: 1,
            buried: Vec::new(),
            aside: None,
        }
    }
}

#[inline(always)]
fn recent_slot(linear: u64) -> usize {
    const BITS: u32 = RECENT_SLOTS.trailing_zeros();
    (linear.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - BITS)) as usize
}

impl BlockCache {
    /// The block that ran at this linear address under this mode, if no translation has changed since. It may be dead.
    #[inline(always)]
    pub fn recent(&self, linear: u64, mode: u32) -> Option<HeadRef> {
        let r = &self.recent[recent_slot(linear)];
        (r.linear == linear && r.mode == mode && r.generation == self.generation).then_some(r.head)
    }

    /// The block that starts at a host address.
    pub fn find(&self, host: u64, mode: u32) -> Option<u32> {
        self.by_start.get(&(host, mode)).copied()
    }

    /// A block by number.
    pub fn block(&self, number: u32) -> Option<&Block> {
        self.blocks.get(number as usize).and_then(|b| b.as_deref())
    }

    /// Remembers that a linear address leads to a block.
    pub fn remember(&mut self, linear: u64, mode: u32, head: HeadRef) {
        let generation = self.generation;
        self.recent[recent_slot(linear)] = Recent {
            linear,
            generation,
            head,
            mode,
        };
    }

    /// Holds a block that is executed once and not found again.
    pub fn set_aside(&mut self, block: Block) -> NonNull<Block> {
        let block: &Block = self.aside.insert(Box::new(block));
        block.slots.open(block, block.insns);
        NonNull::from(block)
    }

    /// Adds a block in place of any with the same start and mode.
    pub fn insert(&mut self, mut block: Block) -> (NonNull<Block>, HeadRef) {
        if self.by_start.len() >= BLOCKS_MAX {
            self.clear();
        }
        let key = (block.host, block.mode);
        if let Some(old) = self.find(key.0, key.1) {
            self.remove(old);
        }
        let number = match self.free.pop() {
            Some(n) => n,
            None => {
                self.blocks.push(None);
                (self.blocks.len() - 1) as u32
            }
        };
        for (page, covered) in Self::covered(&block, number) {
            self.by_page.entry(page).or_default().insert(covered);
        }
        block.kept = true;
        let block: &Block = self.blocks[number as usize].insert(Box::new(block));
        block.slots.open(block, block.insns);
        self.by_start.insert(key, number);
        (NonNull::from(block), block.slots.head())
    }

    /// The pages that a block covers, and what it covers of them.
    fn covered(block: &Block, number: u32) -> impl Iterator<Item = (u64, Covered)> {
        let start = (block.host & 0xFFF) as usize;
        let end = start + block.len as usize;
        let part = move |start, end| Covered {
            block: number,
            start: start as u16,
            end: end as u16,
        };
        let first = (block.host & !0xFFF, part(start, end.min(PAGE_BYTES)));
        let second = block
            .second_page
            .map(|page| (page, part(0, end.saturating_sub(PAGE_BYTES))));
        std::iter::once(first).chain(second)
    }

    /// The code granules of a page that blocks cover.
    pub fn granules_of(&self, page: u64) -> u64 {
        self.by_page.get(&page).map_or(0, |p| p.granules)
    }

    /// Drops the blocks that cover any of the bytes `range` of a page; whether there were any.
    pub fn overwrite(&mut self, page: u64, range: Range<usize>) -> bool {
        let page = self.by_page.get(&page);
        let Some(page) = page.filter(|p| p.has_code_in(&range)) else {
            return false;
        };
        let met: Vec<Covered> = page.meeting(&range).collect();
        for c in met {
            self.remove(c.block);
        }
        true
    }

    /// Drops all blocks whose code granules in a page meet `granules`.
    pub fn overwrite_granules(&mut self, page: u64, granules: u64) {
        for n in bits(granules) {
            self.overwrite(page, n * CODE_GRANULE_BYTES..(n + 1) * CODE_GRANULE_BYTES);
        }
    }

    fn remove(&mut self, number: u32) {
        let Some(block) = self.blocks[number as usize].take() else {
            return;
        };
        self.by_start.remove(&(block.host, block.mode));
        for (page, covered) in Self::covered(&block, number) {
            if let Some(p) = self.by_page.get_mut(&page) {
                p.remove(covered);
                if p.covered.is_empty() {
                    self.by_page.remove(&page);
                }
            }
        }
        self.free.push(number);
        block.slots.close();
        if block.linked.get() {
            self.cut_links_to(&block);
        }
        self.buried.push(block);
    }

    /// Links to a block come from blocks of its page.
    fn cut_links_to(&self, block: &Block) {
        let neighbours = self.by_page.get(&(block.host & !0xFFF));
        for c in neighbours.map_or(&[][..], |p| &p.covered) {
            if let Some(b) = self.block(c.block) {
                for slot in b.links.into_iter().filter(|&slot| slot != 0) {
                    b.slots.disconnect(slot, block.slots.head());
                }
            }
        }
    }

    /// Frees blocks that were dropped, when they are many (then true); nothing of them is running any more.
    #[inline(always)]
    pub fn bury(&mut self) -> bool {
        let many = self.buried.len() > BURIED_MAX;
        if many {
            self.generation += 1;
            self.buried.clear();
        }
        many
    }

    /// Whether [`Self::bury`] has something to do.
    #[inline(always)]
    pub fn is_crowded(&self) -> bool {
        self.buried.len() > BURIED_MAX
    }

    /// Linear addresses may now lead elsewhere.
    pub fn forget_translations(&mut self) {
        self.generation += 1;
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.buried.extend(self.blocks.drain(..).flatten());
        for block in &self.buried {
            block.slots.close();
        }
        self.free.clear();
        self.by_start.clear();
        self.by_page.clear();
        self.generation += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Slot;

    const PAGES: [u64; 2] = [0x10_0000, 0x10_1000];

    fn block(host: u64, mode: u32, len: u32, second_page: Option<u64>) -> Block {
        Block {
            host,
            mode,
            len,
            insns: 1,
            second_page,
            slots: Slots::new(&[Slot::head()]),
            links: [0; 2],
            starts: Box::new([]),
            kept: false,
            linked: Cell::new(false),
        }
    }

    /// The bytes of a page that a block covers, one by one.
    fn bytes_in(b: &Block, page: u64) -> Vec<usize> {
        let byte = |i| match b.second_page {
            Some(second) if (b.host & 0xFFF) + i >= 0x1000 => second + (b.host + i) % 0x1000,
            _ => b.host + i,
        };
        let all = (0..u64::from(b.len)).map(byte);
        all.filter(|at| at & !0xFFF == page)
            .map(|at| (at & 0xFFF) as usize)
            .collect()
    }

    fn next(seed: &mut u64, below: u64) -> u64 {
        *seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) % below
    }

    fn assert_is_as_counted(cache: &BlockCache, page: u64) {
        let mut bytes = [0; 64];
        let blocks = || cache.blocks.iter().flatten();
        for at in blocks().flat_map(|b| bytes_in(b, page)) {
            bytes[at / 64] |= 1 << (at % 64);
        }
        let known = cache.by_page.get(&page);
        assert_eq!(known.map_or([0; 64], |p| p.bytes), bytes);
        let granules = (0..64).filter(|&n| bytes[n] != 0);
        assert_eq!(
            cache.granules_of(page),
            granules.fold(0, |all, n| all | 1 << n)
        );
        let covered = known.map_or(&[][..], |p| &p.covered);
        assert!(covered.is_sorted_by_key(|c| c.start));
        let parts = |b: &Block| {
            let first = usize::from(b.host & !0xFFF == page);
            first + usize::from(b.second_page == Some(page))
        };
        assert_eq!(covered.len(), blocks().map(|b| parts(b)).sum::<usize>());
    }

    /// Blocks come, are replaced and are overwritten, over the end of a page and round it where both of its mappings are
    /// neighbours: what is known of the pages is what the blocks cover, and a store drops what it hits and no more.
    #[test]
    fn pages_know_what_their_blocks_cover() {
        let mut cache = BlockCache::default();
        let mut seed = 1;
        for _ in 0..5000 {
            let page = PAGES[next(&mut seed, 2) as usize];
            match next(&mut seed, 8) {
                0 => {
                    let host = page + 0xFF1 + next(&mut seed, 15);
                    let len = 0x1000 - (host & 0xFFF) + 1 + next(&mut seed, 14);
                    let second = PAGES[next(&mut seed, 2) as usize];
                    cache.insert(block(host, 0, len as u32, Some(second)));
                }
                1..5 => {
                    let start = next(&mut seed, 0x1000);
                    let most = BLOCK_BYTES_MAX.min(0x1000 - start);
                    let len = 1 + next(&mut seed, most);
                    let mode = next(&mut seed, 3) as u32;
                    cache.insert(block(page + start, mode, len as u32, None));
                }
                5 => {
                    let granules = next(&mut seed, 1 << 31) & next(&mut seed, 1 << 31);
                    cache.overwrite_granules(page, granules << next(&mut seed, 33));
                }
                _ => {
                    let start = next(&mut seed, 0x1000) as usize;
                    let end = (start + 1 + next(&mut seed, 8) as usize).min(0x1000);
                    let is_hit = |b: &Block| {
                        let bytes = bytes_in(b, page);
                        bytes.iter().any(|at| (start..end).contains(at))
                    };
                    let keys = |cache: &BlockCache, missed_only: bool| {
                        let blocks = cache.blocks.iter().flatten();
                        let mut keys: Vec<_> = blocks
                            .filter(|b| !(missed_only && is_hit(b)))
                            .map(|b| (b.host, b.mode))
                            .collect();
                        keys.sort_unstable();
                        keys
                    };
                    let (before, missed) = (keys(&cache, false), keys(&cache, true));
                    let dropped = cache.overwrite(page, start..end);
                    assert_eq!(dropped, before != missed);
                    assert_eq!(keys(&cache, false), missed);
                }
            }
            for page in PAGES {
                assert_is_as_counted(&cache, page);
            }
            cache.bury();
        }
    }

    #[test]
    fn bytes_of_granules_are_those_of_the_range() {
        let all = |range| {
            let granules = (0..64).map(|n| bytes_of_granule(n, &range));
            granules.collect::<Vec<_>>()
        };
        assert_eq!(all(0..4096), [u64::MAX; 64]);
        assert_eq!(all(63..129)[..4], [1 << 63, u64::MAX, 1, 0]);
        assert_eq!(all(70..72)[..3], [0, 3 << 6, 0]);
        assert_eq!(all(5..5), [0; 64]);
    }
}
