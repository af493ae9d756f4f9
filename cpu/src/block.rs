//! The block cache: decoded runs of instructions, found by where their bytes lie in the host's memory and by mode.
//!
//! What is kept is bounded: by the number of blocks, of pages with code, and by the bytes of all slots
//! ([`crate::op::Arena::is_full`]). At each bound everything is dropped, which costs less than to know what was used last. With
//! all tables that is less than 64 MiB for a CPU, whatever it executes.
//!
//! The host address of a page is the identity of the memory behind it, so every mapping of the same bytes (aliases,
//! shadow RAM, the A20 wrap) shares blocks, and a store through any of them finds what it overwrites. Nothing about
//! a run depends on these addresses: they only say where to look.

mod page;
#[cfg(test)]
mod patch_tests;
#[cfg(test)]
mod tests;

use crate::mem::access::read_host;
use crate::op::{Arena, HeadRef, Slot, Slots};
use emu_core::ram::{CODE_GRANULE_BYTES, PAGE_BYTES};
use page::{Covered, Page, bits};
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
    /// For each of them the slot of its pin; 0: it has none.
    pub pins: [u16; 2],
    /// Of each instruction, and of the end.
    pub starts: Vec<Start>,
    /// It is in the cache, and not set aside.
    pub kept: bool,
    /// A link without a pin has led here since it was put into the cache.
    pub linked: Cell<bool>,
}

/// What a block is made of.
pub struct NewBlock<'a> {
    /// See [`Block`].
    pub host: u64,
    /// See [`Block`].
    pub mode: u32,
    /// See [`Block`].
    pub len: u32,
    /// See [`Block`].
    pub second_page: Option<u64>,
    /// See [`Block`].
    pub slots: &'a [Slot],
    /// See [`Block`].
    pub links: [u16; 2],
    /// See [`Block`].
    pub pins: [u16; 2],
    /// See [`Block`].
    pub starts: &'a [Start],
}

/// Where an instruction of a block begins.
#[derive(Copy, Clone, Default)]
pub struct Start {
    /// Its first slot.
    pub slot: u16,
    /// Its distance from the start of the block.
    pub offset: u16,
    /// Its last bytes.
    pub immediate: Immediate,
}

/// The immediate at the end of an instruction, if one of its slots holds it as it is, and nothing else depends on it.
#[derive(Copy, Clone, Default)]
pub struct Immediate {
    /// 0: there is none.
    pub bytes: u8,
    /// It is sign-extended.
    pub signed: bool,
    /// The slot, counted from the instruction's first.
    pub slot: u8,
}

impl Immediate {
    /// What lies in host memory.
    fn read(self, at: u64) -> i32 {
        match (self.bytes, self.signed) {
            (1, false) => read_host::<u8>(at).into(),
            (1, true) => i32::from(read_host::<u8>(at) as i8),
            (2, _) => read_host::<u16>(at).into(),
            _ => read_host::<u32>(at) as i32,
        }
    }
}

impl Block {
    /// Reads the immediate anew whose bytes, or some of them, are those of its page that a store changed; false if there is none, or
    /// if it changed more.
    fn takes_immediate(&self, changed: &Range<usize>) -> bool {
        let from_start = |at: usize| at.checked_sub((self.host & 0xFFF) as usize);
        let (Some(from), Some(to)) = (from_start(changed.start), from_start(changed.end)) else {
            return false;
        };
        let behind = |s: &Start| usize::from(s.offset) <= from;
        let next = self.starts.partition_point(behind);
        let (Some(insn), Some(end)) =
            (self.starts.get(next.wrapping_sub(1)), self.starts.get(next))
        else {
            return false;
        };
        let (immediate, end) = (insn.immediate, usize::from(end.offset));
        let at = end - usize::from(immediate.bytes);
        if self.second_page.is_some() || from < at || to > end {
            return false;
        }
        let value = immediate.read(self.host + at as u64);
        let slot = insn.slot + u16::from(immediate.slot);
        self.slots.set_immediate(slot, value);
        true
    }

    /// Lets the links of this block that lead to `to` lead there from now on, when it has left for there. It ran at the
    /// instruction pointer `from`, and `to` was found at `at` now.
    pub fn link(&self, from: u64, to: &Block, at: &Place) {
        if !self.kept || !to.kept || to.mode != self.mode {
            return;
        }
        for (slot, pin) in self.links.into_iter().zip(self.pins) {
            if slot == 0 {
                continue;
            }
            let distance = self.slots.distance(slot).unwrap_or_default() as i64 as u64;
            if pin != 0 {
                // A pin that is wrong by more than 64 KiB is of no use and does no harm.
                if (from.wrapping_add(distance) ^ at.rip) & 0xFFFF == 0 {
                    self.slots.connect(slot, to.slots.head());
                    self.slots.pin(pin, at.linear, at.generation);
                }
            } else if to.second_page.is_none()
                && (self.host ^ to.host) >> 12 == 0
                && self.host.wrapping_add(distance) == to.host
            {
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
        while n > 0 && usize::from(self.starts[n].slot) > slot {
            n -= 1;
        }
        n
    }

    /// The distance of instruction `n` from the start of the block, in bytes.
    #[inline]
    pub fn offset_of(&self, n: usize) -> u64 {
        self.starts
            .get(n)
            .map_or(self.len.into(), |s| s.offset.into())
    }
}

/// Where a block was found.
pub struct Place {
    /// The instruction pointer there.
    pub rip: u64,
    /// The linear address.
    pub linear: u64,
    /// The generation in which it leads to the block.
    pub generation: Generation,
}

/// An entry of the table that finds a block by linear address.
#[derive(Copy, Clone)]
struct Recent {
    linear: u64,
    generation: Generation,
    head: HeadRef,
    mode: u32,
    /// [`BlockCache::freed`] when the entry was made: while it is the same, the block is still allocated.
    freed: u32,
}

/// When translations were learned: while a generation is current, they hold.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Generation(u64);

impl Generation {
    /// Never current.
    pub const NONE: Self = Self(0);
}

/// The generations of the translations that hold at present.
struct Generations {
    last: u64,
    /// Of pages that go when CR3 is written.
    local: Generation,
    /// Of global pages.
    global: Generation,
}

impl Default for Generations {
    fn default() -> Self {
        Self {
            last: 2,
            local: Generation(1),
            global: Generation(2),
        }
    }
}

impl Generations {
    fn next(&mut self) -> Generation {
        self.last += 1;
        Generation(self.last)
    }
}

const NOTHING_RECENT: Recent = Recent {
    linear: 0,
    generation: Generation::NONE,
    head: HeadRef::NONE,
    mode: 0,
    freed: 0,
};

const RECENT_SLOTS: usize = 1 << 15;
/// Blocks kept, with those that were overwritten, before these are dropped, or all if they are too few: the bound of the cache's
/// memory.
const BLOCKS_MAX: usize = 1 << 16;
/// Pages with code, or that had some, that are known before all blocks are dropped; half as many if all of them have.
const PAGES_MAX: usize = 1 << 14;
/// Blocks that were dropped and are still allocated, at most.
const BURIED_MAX: usize = 256;
/// Blocks that were freed and are still allocated, at most.
const SPARE_MAX: usize = 2 * BURIED_MAX;

/// All decoded blocks.
pub struct BlockCache {
    blocks: Vec<Option<Box<Block>>>,
    free: Vec<u32>,
    by_start: HashMap<(u64, u32), u32, Hashing>,
    by_page: HashMap<u64, Page, Hashing>,
    recent: Box<[Recent; RECENT_SLOTS]>,
    generations: Generations,
    /// How many times blocks were freed.
    freed: u32,
    /// Blocks that were dropped but may still be running, or be found by the table.
    #[expect(clippy::vec_box, reason = "a running block must not move")]
    buried: Vec<Box<Block>>,
    /// A block that is executed once and not kept.
    aside: Option<Box<Block>>,
    /// What is left of blocks that were freed.
    #[expect(clippy::vec_box, reason = "a block that is made of it must not move")]
    spare: Vec<Box<Block>>,
    /// Where the slots of all of these are. None of a spare one is used.
    arena: Arena,
    /// Room for the numbers of blocks that are about to be dropped.
    met: Vec<u32>,
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
        let recent = vec![NOTHING_RECENT; RECENT_SLOTS].into_boxed_slice();
        Self {
            blocks: Vec::new(),
            free: Vec::new(),
            by_start: HashMap::default(),
            by_page: HashMap::default(),
            recent: recent
                .try_into()
                .unwrap_or_else(|_| Box::new([NOTHING_RECENT; RECENT_SLOTS])),
            generations: Generations::default(),
            freed: 0,
            buried: Vec::new(),
            aside: None,
            spare: Vec::new(),
            arena: Arena::default(),
            met: Vec::new(),
        }
    }
}

#[inline(always)]
fn recent_slot(linear: u64) -> usize {
    const BITS: u32 = RECENT_SLOTS.trailing_zeros();
    (linear.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - BITS)) as usize
}

impl BlockCache {
    /// The block that ran at this linear address under this mode, if no translation has changed since, and for how long it
    /// is there. It may be dead.
    #[inline(always)]
    pub fn recent(&self, linear: u64, mode: u32) -> Option<(HeadRef, Generation)> {
        let r = &self.recent[recent_slot(linear)];
        let same = r.linear == linear && r.mode == mode;
        (same && self.is_current(r.generation)).then_some((r.head, r.generation))
    }

    /// The block that ran at this linear address under this mode before translations were forgotten, if `host` is where its
    /// bytes lie: the page was translated anew, in a global page or in another.
    pub fn revive(&mut self, linear: u64, mode: u32, host: u64, global: bool) -> Option<&Block> {
        let generation = self.generation(global);
        let r = &mut self.recent[recent_slot(linear)];
        // A block that was freed must not be looked at.
        if r.linear != linear || r.mode != mode || r.freed != self.freed || r.head.is_dead() {
            return None;
        }
        let block = r.head.block().filter(|b| b.host == host)?;
        if block.second_page.is_some() {
            return None;
        }
        r.generation = generation;
        Some(block)
    }

    /// Whether what was learned in a generation holds still.
    #[inline(always)]
    pub fn is_current(&self, generation: Generation) -> bool {
        generation == self.generations.local || generation == self.generations.global
    }

    /// The generation of what is learned now of global pages, or of others.
    fn generation(&self, global: bool) -> Generation {
        if global {
            self.generations.global
        } else {
            self.generations.local
        }
    }

    /// The block that starts at a host address, if it was not overwritten.
    pub fn find(&self, host: u64, mode: u32) -> Option<u32> {
        let number = *self.by_start.get(&(host, mode))?;
        let block = self.block(number)?;
        (!block.slots.head().is_dead()).then_some(number)
    }

    /// A block by number.
    pub fn block(&self, number: u32) -> Option<&Block> {
        self.blocks.get(number as usize).and_then(|b| b.as_deref())
    }

    /// What executes the instructions of all blocks.
    #[cfg(test)]
    pub fn handlers(&self) -> impl Iterator<Item = crate::op::Handler> {
        let blocks = self.blocks.iter().flatten();
        blocks.flat_map(|b| {
            let insns = b.starts[..b.insns as usize].iter();
            insns.map(|s| b.slots.head().first().plus(usize::from(s.slot) - 1).handler)
        })
    }

    /// Remembers that a linear address leads to a block, which lies in global pages or in others.
    pub fn remember(&mut self, linear: u64, mode: u32, head: HeadRef, global: bool) {
        let generation = self.generation(global);
        self.recent[recent_slot(linear)] = Recent {
            linear,
            generation,
            head,
            mode,
            freed: self.freed,
        };
    }

    /// Holds a block that is executed once and not found again.
    pub fn set_aside(&mut self, new: &NewBlock<'_>) -> NonNull<Block> {
        if let Some(old) = self.aside.take() {
            self.recycle(old);
        }
        let block = self.make(new);
        let block: &Block = self.aside.insert(block);
        block.slots.open(block, block.insns);
        NonNull::from(block)
    }

    /// A block that is not in the cache.
    fn make(&mut self, new: &NewBlock<'_>) -> Box<Block> {
        let slots = self.arena.put(new.slots);
        let (spare, mut starts) = match self.spare.pop() {
            Some(mut block) => {
                let starts = std::mem::take(&mut block.starts);
                (Some(block), starts)
            }
            None => (None, Vec::with_capacity(new.starts.len())),
        };
        starts.clear();
        starts.extend_from_slice(new.starts);
        let block = Block {
            host: new.host,
            mode: new.mode,
            len: new.len,
            insns: starts.len().saturating_sub(1) as u32,
            second_page: new.second_page,
            slots,
            links: new.links,
            pins: new.pins,
            starts,
            kept: false,
            linked: Cell::new(false),
        };
        match spare {
            Some(mut place) => {
                *place = block;
                place
            }
            None => Box::new(block),
        }
    }

    /// Takes a block apart that nobody points to any more.
    fn recycle(&mut self, mut block: Box<Block>) {
        self.arena.take_back(std::mem::take(&mut block.slots));
        if self.spare.len() < SPARE_MAX {
            self.spare.push(block);
        }
    }

    /// Adds a block in place of any with the same start and mode.
    pub fn insert(&mut self, new: &NewBlock<'_>) -> (NonNull<Block>, HeadRef) {
        if self.by_start.len() >= BLOCKS_MAX || self.by_page.len() >= PAGES_MAX {
            self.drop_overwritten();
        }
        let key = (new.host, new.mode);
        let mut block = self.make(new);
        block.kept = true;
        let number = match self.by_start.get(&key).copied() {
            Some(old) if self.takes_the_place_of(old, &block) => {
                self.close(old);
                let old_block = self.blocks[old as usize].take();
                self.buried.extend(old_block);
                old
            }
            other => {
                if let Some(old) = other {
                    self.remove(old);
                }
                self.add(key, &block)
            }
        };
        let block: &Block = self.blocks[number as usize].insert(block);
        block.slots.open(block, block.insns);
        (NonNull::from(block), block.slots.head())
    }

    /// Whether a block covers the same bytes as another one.
    fn takes_the_place_of(&self, old: u32, block: &Block) -> bool {
        self.block(old)
            .is_some_and(|old| old.len == block.len && old.second_page == block.second_page)
    }

    /// A number for a block, under which all tables but that of linear addresses have it.
    fn add(&mut self, key: (u64, u32), block: &Block) -> u32 {
        let number = match self.free.pop() {
            Some(n) => n,
            None => {
                self.blocks.push(None);
                (self.blocks.len() - 1) as u32
            }
        };
        for (page, covered) in Self::covered(block, number) {
            self.by_page.entry(page).or_default().insert(covered);
        }
        self.by_start.insert(key, number);
        number
    }

    /// Forgets the blocks that were overwritten and the pages that had code once; if few blocks or pages are free then,
    /// everything.
    #[cold]
    #[inline(never)]
    fn drop_overwritten(&mut self) {
        for number in 0..self.blocks.len() as u32 {
            let block = self.block(number);
            if block.is_some_and(|b| b.slots.head().is_dead()) {
                self.remove(number);
            }
        }
        self.by_page.retain(|_, page| !page.covered.is_empty());
        if self.by_start.len() >= BLOCKS_MAX / 2 || self.by_page.len() >= PAGES_MAX / 2 {
            self.clear();
        }
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

    /// Drops the blocks that cover any of the bytes `range` of a page; whether there were any. Of what changed in one immediate
    /// alone, as in code that is patched for the next time that it runs, the new one is read; but not of the block that is
    /// `running`, whose operation at hand may have to look at the old one again.
    pub fn overwrite(&mut self, page: u64, range: Range<usize>, running: HeadRef) -> bool {
        let page = self.by_page.get(&page);
        let Some(page) = page.filter(|p| p.has_code_in(&range)) else {
            return false;
        };
        let mut met = std::mem::take(&mut self.met);
        met.extend(page.meeting(&range).map(|c| c.block));
        for number in met.drain(..) {
            let open = self.block(number).filter(|b| !b.slots.head().is_dead());
            if open.is_some_and(|b| b.slots.head() != running && b.takes_immediate(&range)) {
                continue;
            }
            // What is overwritten is likely to be decoded again at once, and then finds its place in the tables as it was. Where
            // it is overwritten again instead, there is no more code.
            if !self.close(number) {
                self.remove(number);
            }
        }
        self.met = met;
        true
    }

    /// Drops all blocks whose code granules in a page meet `granules`.
    pub fn overwrite_granules(&mut self, page: u64, granules: u64) {
        for n in bits(granules) {
            let range = n * CODE_GRANULE_BYTES..(n + 1) * CODE_GRANULE_BYTES;
            self.overwrite(page, range, HeadRef::NONE);
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
            }
        }
        self.free.push(number);
        self.close_block(&block);
        self.buried.push(block);
    }

    /// Lets nobody enter a block any more; false if nobody could.
    fn close(&self, number: u32) -> bool {
        let open = self.block(number).filter(|b| !b.slots.head().is_dead());
        if let Some(block) = open {
            self.close_block(block);
        }
        open.is_some()
    }

    fn close_block(&self, block: &Block) {
        block.slots.close();
        if block.linked.replace(false) {
            self.cut_links_to(block);
        }
    }

    /// Links without a pin to a block come from blocks of its page.
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

    /// Frees blocks that were dropped, when they are many, and all blocks when they take too much memory (then true);
    /// nothing of them is running any more.
    #[inline(always)]
    pub fn bury(&mut self) -> bool {
        let crowded = self.is_crowded();
        if crowded {
            self.make_room();
        }
        crowded
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self) {
        let full = self.arena.is_full();
        if full {
            self.clear();
            self.buried.extend(self.aside.take());
        }
        self.forget_translations(false);
        self.freed = self.freed.wrapping_add(1);
        if self.freed == 0 {
            // What has the same number was made four thousand million times ago.
            self.recent.fill(NOTHING_RECENT);
        }
        while let Some(block) = self.buried.pop() {
            self.recycle(block);
        }
        if full {
            self.arena = Arena::default();
        }
    }

    /// Whether [`Self::bury`] has something to do.
    #[inline(always)]
    pub fn is_crowded(&self) -> bool {
        self.buried.len() > BURIED_MAX || self.arena.is_full()
    }

    /// Linear addresses may now lead elsewhere, or those outside of global pages.
    pub fn forget_translations(&mut self, keep_global: bool) {
        self.generations.local = self.generations.next();
        if !keep_global {
            self.generations.global = self.generations.next();
        }
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
        self.forget_translations(false);
    }
}
