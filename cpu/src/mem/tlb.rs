//! The translation lookaside buffers: linear page to host memory, one direct-mapped table per access kind and
//! privilege.
//!
//! An entry hits when its tag equals the page of the access's *last* byte while the slot is chosen by the first, so
//! an access that crosses a page misses without a test of its own. Pages that hold decoded code carry bit 0 in the
//! tag of their write entry: stores there miss, and the slow path looks at the code stamps.
//!
//! Whoever watches memory sends every access the slow way, which finds the same entries: being watched changes nothing.
//! Whoever watches some addresses does so with the accesses to their pages alone: they carry bit 1 in their tags.
//!
//! Instructions are fetched through a table of their own that never loses a page but when all or that page is
//! invalidated, or when it is full. So what the block cache knows of linear addresses always stands in it, and a guest
//! that changes its page tables and invalidates nothing (SDM vol. 3, section 4.10.2.3: old translations may then be
//! used) runs the same with that cache, without it, and one instruction at a time.

use super::access::{kept_ref, zeroed};
use super::device::DevicePages;
use super::paging::Translation;
use crate::alu::Int;
use crate::block::Hashing;
use std::collections::{HashMap, HashSet};

/// Tables of each kind, one for each [`Privilege`].
const TABLES: usize = 4;
/// Slots in one table: 64 MiB of neighbouring pages.
const SLOTS: usize = 1 << 14;
/// Bits of an address inside a page.
const PAGE_MASK: u64 = 0xFFF;
/// The tag of an empty slot; equals no page address.
const EMPTY: u64 = u64::MAX;
/// Tag bit: the page holds decoded code.
pub const HAS_CODE: u64 = 1;
/// Tag bit: a probe watches addresses in the page.
const WATCHED: u64 = 2;

/// Which table an access uses.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum Privilege {
    /// CPL 0 to 2, and system tables at any CPL: with SMAP, not to user pages.
    Supervisor = 0,
    /// CPL 3.
    User = 1,
    /// CPL 0 to 2 with SMAP and EFLAGS.AC: to user pages too.
    SupervisorWithAc = 2,
    /// Never filled: every access takes the slow path (alignment checks, watched memory).
    Uncached = 3,
}

/// What a table holds of a page. Zeros in a slot are an entry for page 0, and hit only in the slots where an access to that
/// page, or one that goes over into it, looks: those [`empty`] fills with [`NO_ENTRY`].
#[derive(Copy, Clone)]
pub(super) struct Entry {
    tag: u64,
    /// Host address minus linear address.
    addend: u64,
}

const NO_ENTRY: Entry = Entry {
    tag: EMPTY,
    addend: 0,
};

/// The entries of one privilege.
type Entries = Box<[Entry; SLOTS]>;

/// Entries none of which hits.
fn empty() -> Entries {
    let mut entries: Entries = zeroed();
    (entries[0], entries[SLOTS - 1]) = (NO_ENTRY, NO_ENTRY);
    entries
}

/// What is known of a slot besides its entry, in the low bits of its physical page.
mod note {
    /// The page stays when CR3 is written.
    pub const GLOBAL: u64 = 1 << 0;
    /// The slot stands among those with other pages.
    pub const AMONG_LOCAL: u64 = 1 << 1;
    /// The slot stands among those with global pages.
    pub const AMONG_GLOBAL: u64 = 1 << 2;
}

/// One kind of access: reads or writes. A slot's number counts through the privileges' tables.
struct Table {
    /// The table of the privilege that instructions' own accesses have at present: the fast path finds it without asking
    /// for the privilege.
    present: Entries,
    /// Which privilege that is.
    privilege: Privilege,
    /// The tables by privilege; at the place of the present one stands one that nobody uses.
    others: [Entries; TABLES],
    /// Physical address of the page in each slot, and bits of [`note`]; not looked at by the fast path.
    pages: Box<[u64; TABLES * SLOTS]>,
    /// Slots that were filled with pages that go when CR3 is written, each once.
    local: Vec<u32>,
    /// Slots that were filled with global pages, each once. They may hold others by now.
    global: Vec<u32>,
}

impl Table {
    fn new() -> Self {
        Self {
            present: empty(),
            privilege: Privilege::Supervisor,
            others: [(); TABLES].map(|()| empty()),
            pages: zeroed(),
            local: Vec::new(),
            global: Vec::new(),
        }
    }

    fn set_privilege(&mut self, privilege: Privilege) {
        std::mem::swap(&mut self.present, &mut self.others[self.privilege as usize]);
        self.privilege = privilege;
        std::mem::swap(&mut self.present, &mut self.others[privilege as usize]);
    }

    fn entry(&self, slot: usize) -> &Entry {
        let table = if slot / SLOTS == self.privilege as usize {
            &self.present
        } else {
            &self.others[slot / SLOTS % TABLES]
        };
        &table[slot % SLOTS]
    }

    fn entry_mut(&mut self, slot: usize) -> &mut Entry {
        let table = if slot / SLOTS == self.privilege as usize {
            &mut self.present
        } else {
            &mut self.others[slot / SLOTS % TABLES]
        };
        &mut table[slot % SLOTS]
    }

    fn slot(privilege: Privilege, linear: u64) -> usize {
        privilege as usize * SLOTS + (linear >> 12) as usize % SLOTS
    }

    #[inline(always)]
    fn hit(&self, linear: u64, bytes: u64) -> Option<u64> {
        let e = kept_ref(&self.present[(linear >> 12) as usize % SLOTS]);
        let last = linear.wrapping_add(bytes - 1);
        (e.tag == last & !PAGE_MASK).then(|| linear.wrapping_add(e.addend))
    }

    /// As [`Self::hit`], with any privilege.
    fn hit_with(&self, privilege: Privilege, linear: u64, bytes: u64) -> Option<u64> {
        let e = self.entry(Self::slot(privilege, linear));
        let last = linear.wrapping_add(bytes - 1);
        (e.tag == last & !PAGE_MASK).then(|| linear.wrapping_add(e.addend))
    }

    /// The host and the physical address of an access that hits, whether the page holds code or not.
    fn hit_slow(&self, privilege: Privilege, linear: u64, bytes: u64) -> Option<(u64, u64)> {
        let slot = Self::slot(privilege, linear);
        let (e, last) = (*self.entry(slot), linear.wrapping_add(bytes - 1));
        let gpa = self.pages[slot] & !PAGE_MASK | linear & PAGE_MASK;
        (e.tag & !(HAS_CODE | WATCHED) == last & !PAGE_MASK)
            .then(|| (linear.wrapping_add(e.addend), gpa))
    }

    fn fill(&mut self, privilege: Privilege, linear: u64, fresh: Filling, watched: u64) {
        let Filling {
            gpa,
            host_page,
            code,
            global,
        } = fresh;
        if privilege == Privilege::Uncached {
            return;
        }
        let (slot, page) = (Self::slot(privilege, linear), linear & !PAGE_MASK);
        let tag = page | watched | if code { HAS_CODE } else { 0 };
        *self.entry_mut(slot) = Entry {
            tag,
            addend: host_page.wrapping_sub(page),
        };
        let (list, among) = if global {
            (&mut self.global, note::AMONG_GLOBAL)
        } else {
            (&mut self.local, note::AMONG_LOCAL)
        };
        let listed = self.pages[slot] & (note::AMONG_LOCAL | note::AMONG_GLOBAL);
        if listed & among == 0 {
            list.push(slot as u32);
        }
        let kind = if global { note::GLOBAL } else { 0 };
        self.pages[slot] = gpa & !PAGE_MASK | listed | among | kind;
    }

    fn flush(&mut self, keep_global: bool) {
        let mut local = std::mem::take(&mut self.local);
        for slot in local.drain(..) {
            let slot = slot as usize;
            self.pages[slot] &= !note::AMONG_LOCAL;
            if !keep_global || self.pages[slot] & note::GLOBAL == 0 {
                *self.entry_mut(slot) = NO_ENTRY;
            }
        }
        self.local = local;
        if !keep_global {
            let mut global = std::mem::take(&mut self.global);
            for slot in global.drain(..) {
                let slot = slot as usize;
                self.pages[slot] &= !note::AMONG_GLOBAL;
                *self.entry_mut(slot) = NO_ENTRY;
            }
            self.global = global;
        }
    }

    /// Shows each entry that was filled since the last flush.
    fn change_filled(&mut self, mut change: impl FnMut(&mut Entry)) {
        for n in 0..self.local.len() + self.global.len() {
            let listed = self.local.get(n);
            let slot = listed.unwrap_or_else(|| &self.global[n - self.local.len()]);
            change(self.entry_mut(*slot as usize));
        }
    }

    fn mark_code(&mut self, host_page: u64) {
        self.change_filled(|e| {
            if (e.tag & !PAGE_MASK).wrapping_add(e.addend) == host_page {
                e.tag |= HAS_CODE;
            }
        });
    }

    fn flush_page(&mut self, linear: u64) {
        for privilege in [
            Privilege::Supervisor,
            Privilege::User,
            Privilege::SupervisorWithAc,
        ] {
            let e = self.entry_mut(Self::slot(privilege, linear));
            if e.tag & !PAGE_MASK == linear & !PAGE_MASK {
                *e = NO_ENTRY;
            }
        }
    }

    /// Forgets all pages of a region.
    fn flush_region(&mut self, region: Region) {
        self.change_filled(|e| {
            if e.tag != EMPTY && region.holds(e.tag) {
                *e = NO_ENTRY;
            }
        });
    }
}

/// The linear addresses that one large page maps.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
struct Region {
    start: u64,
    /// log2 of its bytes.
    bits: u32,
}

impl Region {
    fn around(linear: u64, bits: u32) -> Self {
        Self {
            start: linear >> bits << bits,
            bits,
        }
    }

    fn holds(self, linear: u64) -> bool {
        linear >> self.bits == self.start >> self.bits
    }

    /// No two have the same: a region starts at a multiple of far more than 64.
    fn key(self) -> u64 {
        self.start | u64::from(self.bits)
    }
}

/// log2 of the sizes of large pages.
const LARGE: [u32; 3] = [21, 22, 30];
/// Large pages that are known at most; with one more all of them are taken to be anywhere.
const LARGE_MAX: usize = 4096;

/// The tag bit of the page of `linear` while these addresses are watched.
fn watched_bit(addresses: Option<(u64, u64)>, linear: u64) -> u64 {
    let (first, last) = (linear & !PAGE_MASK, linear | PAGE_MASK);
    match addresses {
        Some((from, to)) if first <= to && last >= from => WATCHED,
        _ => 0,
    }
}

/// What fills a slot.
#[derive(Copy, Clone, Debug)]
pub struct Filling {
    /// The physical address.
    pub gpa: u64,
    /// Where its page lies in the host's memory.
    pub host_page: u64,
    /// The page holds decoded code: stores only by way of the slow path.
    pub code: bool,
    /// The page stays when CR3 is written.
    pub global: bool,
}

/// Pages of code that are known at most; one more and all of them are forgotten.
const FETCHED_MAX: usize = 4096;

/// A page table that was walked to, and what the levels above it grant together: a paging-structure cache's entry (SDM
/// vol. 3, section 4.10.3.1, "PDE cache"). All of these levels have their accessed bits set.
#[derive(Copy, Clone)]
pub struct Directory {
    /// The linear address, without the bits that the table and the page take.
    tag: u64,
    /// The physical address of the table.
    pub table: u64,
    /// The rights, as [`super::paging`] has them.
    pub rights: u64,
}

const NO_DIRECTORY: Directory = Directory {
    tag: EMPTY,
    table: 0,
    rights: 0,
};
const DIRECTORIES: usize = 16;
/// Bits of a linear address that a page table of 64-bit entries, and its pages, take. One of 32-bit entries takes one more.
const TABLE_BITS: u32 = 21;

impl Directory {
    /// The page table at `table` is what the levels above lead to from a linear address, and grant these rights.
    pub fn new(linear: u64, table: u64, rights: u64) -> Self {
        Self {
            tag: linear >> TABLE_BITS,
            table,
            rights,
        }
    }
}

/// All tables of a CPU.
pub struct Tlb {
    read: Table,
    write: Table,
    /// By linear page and, in bit 0, user privilege: the physical page, and whether it is global.
    fetch: HashMap<u64, (u64, bool), Hashing>,
    /// Page tables, by linear address.
    directories: [Directory; DIRECTORIES],
    /// The large pages that were walked to since everything was forgotten, by [`Region::key`]: what stands in the tables
    /// are pieces of them.
    large: HashSet<u64, Hashing>,
    /// There were too many of them.
    large_anywhere: bool,
    /// Pages that are no memory of the host's.
    pub device: DevicePages,
    /// The first and the last linear address that a probe watches.
    watched: Option<(u64, u64)>,
    /// Entries filled since power-on.
    pub fills: u64,
}

impl Default for Tlb {
    fn default() -> Self {
        Self {
            read: Table::new(),
            write: Table::new(),
            fetch: HashMap::default(),
            directories: [NO_DIRECTORY; DIRECTORIES],
            large: HashSet::default(),
            large_anywhere: false,
            device: DevicePages::default(),
            watched: None,
            fills: 0,
        }
    }
}

impl Tlb {
    /// With which privilege instructions access data from now on.
    pub fn set_privilege(&mut self, privilege: Privilege) {
        if privilege != self.read.privilege {
            self.read.set_privilege(privilege);
            self.write.set_privilege(privilege);
        }
    }

    /// With which privilege instructions access data.
    pub fn privilege(&self) -> Privilege {
        self.read.privilege
    }

    /// The host address for a read of so many bytes with any privilege.
    pub fn read_hit_with(&self, privilege: Privilege, linear: u64, bytes: u64) -> Option<u64> {
        self.read.hit_with(privilege, linear, bytes)
    }

    /// The host address for a write of so many bytes with any privilege.
    pub fn write_hit_with(&self, privilege: Privilege, linear: u64, bytes: u64) -> Option<u64> {
        self.write.hit_with(privilege, linear, bytes)
    }

    /// The host address for an instruction's read, if the page is here and the access stays inside it.
    #[inline(always)]
    pub fn read_hit<T: Int>(&self, linear: u64) -> Option<u64> {
        self.read.hit(linear, T::BYTES as u64)
    }

    /// The same for so many bytes.
    #[inline(always)]
    pub fn read_hit_of(&self, linear: u64, bytes: u64) -> Option<u64> {
        self.read.hit(linear, bytes)
    }

    /// The host address for an instruction's write.
    #[inline(always)]
    pub fn write_hit<T: Int>(&self, linear: u64) -> Option<u64> {
        self.write.hit(linear, T::BYTES as u64)
    }

    /// The same for so many bytes.
    #[inline(always)]
    pub fn write_hit_of(&self, linear: u64, bytes: u64) -> Option<u64> {
        self.write.hit(linear, bytes)
    }

    /// The host and the physical address of a read, for whoever may not take the fast path.
    pub fn read_slow(&self, privilege: Privilege, linear: u64, bytes: u64) -> Option<(u64, u64)> {
        self.read.hit_slow(privilege, linear, bytes)
    }

    /// The host and the physical address of a write, into a page with decoded code or without.
    pub fn write_slow(&self, privilege: Privilege, linear: u64, bytes: u64) -> Option<(u64, u64)> {
        self.write.hit_slow(privilege, linear, bytes)
    }

    /// For a read: the host address, and what a page is readable as that is writable.
    pub fn written(&self, privilege: Privilege, linear: u64, bytes: u64) -> Option<(u64, Filling)> {
        let (host, gpa) = self.write_slow(privilege, linear, bytes)?;
        let notes = self.write.pages[Table::slot(privilege, linear)];
        let fresh = Filling {
            gpa,
            host_page: host & !PAGE_MASK,
            code: false,
            global: notes & note::GLOBAL != 0,
        };
        Some((host, fresh))
    }

    /// A probe watches these linear addresses, the first to the last, or none any more. Their pages stay, but the fast path
    /// misses them.
    pub fn watch(&mut self, addresses: Option<(u64, u64)>) {
        if self.watched == addresses {
            return;
        }
        self.watched = addresses;
        for table in [&mut self.read, &mut self.write] {
            table.change_filled(|e| {
                if e.tag != EMPTY {
                    e.tag = e.tag & !WATCHED | watched_bit(addresses, e.tag);
                }
            });
        }
    }

    /// Whether a probe watches addresses.
    #[inline(always)]
    pub fn is_watched(&self) -> bool {
        self.watched.is_some()
    }

    /// Whether a probe watches any of so many bytes.
    #[inline]
    pub fn watches(&self, linear: u64, bytes: u64) -> bool {
        let last = linear.saturating_add(bytes - 1);
        self.watched
            .is_some_and(|(from, to)| linear <= to && last >= from)
    }

    /// Makes a page readable.
    pub fn fill_read(&mut self, privilege: Privilege, linear: u64, fresh: Filling) {
        self.fills += 1;
        let watched = watched_bit(self.watched, linear);
        self.read.fill(privilege, linear, fresh, watched);
    }

    /// Makes a page writable.
    pub fn fill_write(&mut self, privilege: Privilege, linear: u64, fresh: Filling) {
        self.fills += 1;
        let watched = watched_bit(self.watched, linear);
        self.write.fill(privilege, linear, fresh, watched);
    }

    /// Where an instruction at `linear` is fetched from, if the page is here.
    pub fn fetch_hit(&self, user: bool, linear: u64) -> Option<Translation> {
        let (page, global) = *self.fetch.get(&(linear & !PAGE_MASK | u64::from(user)))?;
        Some(Translation {
            gpa: page | linear & PAGE_MASK,
            global,
        })
    }

    /// Makes a page executable. True: there was no room, and other pages were forgotten.
    pub fn fill_fetch(&mut self, user: bool, linear: u64, gpa: u64, global: bool) -> bool {
        let full = self.fetch.len() >= FETCHED_MAX;
        if full {
            self.fetch.clear();
        }
        self.fills += 1;
        let entry = (gpa & !PAGE_MASK, global);
        self.fetch
            .insert(linear & !PAGE_MASK | u64::from(user), entry);
        full
    }

    /// A page now holds code: stores to it must take the slow path.
    pub fn mark_code(&mut self, host_page: u64) {
        self.write.mark_code(host_page);
    }

    /// Forgets everything, but for global pages if `keep_global`.
    pub fn flush(&mut self, keep_global: bool) {
        self.device.forget();
        self.read.flush(keep_global);
        self.write.flush(keep_global);
        self.directories = [NO_DIRECTORY; DIRECTORIES];
        if keep_global {
            self.fetch.retain(|_, (_, global)| *global);
        } else {
            self.fetch.clear();
            self.large.clear();
            self.large_anywhere = false;
        }
    }

    /// The page table for a linear address, if it is known.
    pub fn directory(&self, linear: u64) -> Option<Directory> {
        let tag = linear >> TABLE_BITS;
        let known = self.directories[tag as usize % DIRECTORIES];
        (known.tag == tag).then_some(known)
    }

    /// The levels above a page table led there, and are marked as accessed.
    pub fn note_directory(&mut self, directory: Directory) {
        self.directories[directory.tag as usize % DIRECTORIES] = directory;
    }

    /// A large page of `1 << bits` bytes was walked to.
    pub fn note_large(&mut self, linear: u64, bits: u32) {
        if self.large.len() < LARGE_MAX {
            self.large.insert(Region::around(linear, bits).key());
        } else {
            self.large_anywhere = true;
        }
    }

    /// Forgets everything but code.
    pub fn flush_data(&mut self) {
        self.device.forget();
        self.read.flush(false);
        self.write.flush(false);
    }

    /// Forgets writable pages, so that the next store marks its page dirty again.
    pub fn flush_writes(&mut self) {
        self.device.forget();
        self.write.flush(false);
    }

    /// Forgets one page, and all pieces of the large page that it may be one of. True: code may have been among them.
    pub fn flush_page(&mut self, linear: u64) -> bool {
        self.device.forget();
        if self.large_anywhere {
            self.flush(false);
            return true;
        }
        self.read.flush_page(linear);
        self.write.flush_page(linear);
        // INVLPG drops all of them (SDM vol. 3, section 4.10.4.1).
        self.directories = [NO_DIRECTORY; DIRECTORIES];
        let mut code = false;
        for user in 0..2 {
            let key = linear & !PAGE_MASK | user;
            code |= self.fetch.remove(&key).is_some();
        }
        if self.large.is_empty() {
            return code;
        }
        for region in LARGE.map(|bits| Region::around(linear, bits)) {
            if self.large.remove(&region.key()) {
                self.read.flush_region(region);
                self.write.flush_region(region);
                let before = self.fetch.len();
                self.fetch.retain(|&key, _| !region.holds(key));
                code |= self.fetch.len() != before;
            }
        }
        code
    }
}
