//! The block cache: decoded runs of instructions, found by where their bytes lie in the host's memory and by mode.
//!
//! The host address of a page is the identity of the memory behind it, so every mapping of the same bytes (aliases,
//! shadow RAM, the A20 wrap) shares blocks, and a store through any of them finds what it overwrites. Nothing about
//! a run depends on these addresses: they only say where to look.

use crate::op::{HeadRef, Slots};
use emu_core::ram::granule_mask;
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
            }
        }
    }

    /// The number of the instruction that a slot belongs to.
    pub fn insn_of_slot(&self, slot: usize) -> usize {
        self.starts
            .partition_point(|s| usize::from(s.0) <= slot)
            .saturating_sub(1)
    }

    /// The distance of instruction `n` from the start of the block, in bytes.
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

/// All decoded blocks.
pub struct BlockCache {
    blocks: Vec<Option<Box<Block>>>,
    free: Vec<u32>,
    by_start: HashMap<(u64, u32), u32, Hashing>,
    by_page: HashMap<u64, Vec<u32>, Hashing>,
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
        let pages = Self::pages(&block);
        let number = match self.free.pop() {
            Some(n) => n,
            None => {
                self.blocks.push(None);
                (self.blocks.len() - 1) as u32
            }
        };
        for page in pages.into_iter().flatten() {
            self.by_page.entry(page).or_default().push(number);
        }
        block.kept = true;
        let block: &Block = self.blocks[number as usize].insert(Box::new(block));
        block.slots.open(block, block.insns);
        self.by_start.insert(key, number);
        (NonNull::from(block), block.slots.head())
    }

    fn pages(block: &Block) -> [Option<u64>; 2] {
        [Some(block.host & !0xFFF), block.second_page]
    }

    /// The bytes of a page that a block covers.
    fn covered(block: &Block, page: u64) -> Range<usize> {
        let offset = (block.host & 0xFFF) as usize;
        let end = offset + block.len as usize;
        if block.second_page == Some(page) && block.host & !0xFFF != page {
            0..end.saturating_sub(0x1000)
        } else {
            offset..end.min(0x1000)
        }
    }

    /// The code granules of a page that blocks cover.
    pub fn granules_of(&self, page: u64) -> u64 {
        let numbers = self.by_page.get(&page).map_or(&[][..], |v| v);
        numbers
            .iter()
            .filter_map(|&n| self.block(n))
            .map(|b| Self::covered(b, page))
            .fold(0, |mask, r| mask | granule_mask(r.start, r.end))
    }

    /// Drops the blocks that cover any of the bytes `range` of a page.
    pub fn overwrite(&mut self, page: u64, range: Range<usize>) {
        let Some(numbers) = self.by_page.get(&page) else {
            return;
        };
        let hit: Vec<u32> = numbers
            .iter()
            .copied()
            .filter(|&n| {
                self.block(n).is_some_and(|b| {
                    let c = Self::covered(b, page);
                    c.start < range.end && range.start < c.end
                })
            })
            .collect();
        for n in hit {
            self.remove(n);
        }
    }

    /// Drops all blocks whose code granules in a page meet `granules`.
    pub fn overwrite_granules(&mut self, page: u64, granules: u64) {
        for bit in 0..64 {
            if granules >> bit & 1 != 0 {
                self.overwrite(page, bit * 64..(bit + 1) * 64);
            }
        }
    }

    fn remove(&mut self, number: u32) {
        let Some(block) = self.blocks[number as usize].take() else {
            return;
        };
        self.by_start.remove(&(block.host, block.mode));
        for page in Self::pages(&block).into_iter().flatten() {
            if let Some(list) = self.by_page.get_mut(&page) {
                list.retain(|&n| n != number);
                if list.is_empty() {
                    self.by_page.remove(&page);
                }
            }
        }
        self.free.push(number);
        block.slots.close();
        // Links to it come from blocks of its page.
        let neighbours = self.by_page.get(&(block.host & !0xFFF));
        for &n in neighbours.map_or(&[][..], |v| v) {
            if let Some(b) = self.block(n) {
                for slot in b.links.into_iter().filter(|&slot| slot != 0) {
                    b.slots.disconnect(slot, block.slots.head());
                }
            }
        }
        self.buried.push(block);
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
