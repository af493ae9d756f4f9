//! The translation lookaside buffers: linear page to host memory, one direct-mapped table per access kind and
//! privilege.
//!
//! An entry hits when its tag equals the page of the access's *last* byte while the slot is chosen by the first, so
//! an access that crosses a page misses without a test of its own. Pages that hold decoded code carry bit 0 in the
//! tag of their write entry: stores there miss, and the slow path looks at the code stamps.
//!
//! Whoever watches memory sends every access the slow way, which finds the same entries: being watched changes nothing.
//!
//! Instructions are fetched through a table of their own that never loses a page but when all or that page is
//! invalidated, or when it is full. So what the block cache knows of linear addresses always stands in it, and a guest
//! that changes its page tables and invalidates nothing (SDM vol. 3, section 4.10.2.3: old translations may then be
//! used) runs the same with that cache, without it, and one instruction at a time.

use super::device::DevicePages;
use crate::alu::Int;
use crate::block::Hashing;
use std::collections::HashMap;

/// Tables of each kind, one for each [`Privilege`].
const TABLES: usize = 4;
/// Slots in one table.
const SLOTS: usize = 1024;
/// Bits of an address inside a page.
const PAGE_MASK: u64 = 0xFFF;
/// The tag of an empty slot; equals no page address.
const EMPTY: u64 = u64::MAX;
/// The tag of a slot that was filled and then dropped.
const DROPPED: u64 = u64::MAX - 1;
/// Tag bit: the page holds decoded code.
pub const HAS_CODE: u64 = 1;

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

#[derive(Copy, Clone)]
struct Entry {
    tag: u64,
    /// Host address minus linear address.
    addend: u64,
}

const NO_ENTRY: Entry = Entry {
    tag: EMPTY,
    addend: 0,
};

/// A value for each slot, made without a detour over the stack.
fn slots<T: Copy>(value: T) -> Box<[T; TABLES * SLOTS]> {
    let all = vec![value; TABLES * SLOTS].into_boxed_slice();
    all.try_into()
        .unwrap_or_else(|_| Box::new([value; TABLES * SLOTS]))
}

/// One kind of access: reads or writes.
struct Table {
    entries: Box<[Entry; TABLES * SLOTS]>,
    /// Physical address of the page in each slot; not looked at by the fast path.
    pages: Box<[u64; TABLES * SLOTS]>,
    filled: Vec<u16>,
    global: Vec<u64>,
}

impl Table {
    fn new() -> Self {
        Self {
            entries: slots(NO_ENTRY),
            pages: slots(0),
            filled: Vec::new(),
            global: vec![0; TABLES * SLOTS / 64],
        }
    }

    #[inline(always)]
    fn slot(privilege: Privilege, linear: u64) -> usize {
        privilege as usize * SLOTS + (linear >> 12) as usize % SLOTS
    }

    #[inline(always)]
    fn hit(&self, privilege: Privilege, linear: u64, bytes: u64) -> Option<u64> {
        let e = &self.entries[Self::slot(privilege, linear)];
        let last = linear.wrapping_add(bytes - 1);
        (e.tag == last & !PAGE_MASK).then(|| linear.wrapping_add(e.addend))
    }

    /// The host and the physical address of an access that hits, whether the page holds code or not.
    fn hit_slow(&self, privilege: Privilege, linear: u64, bytes: u64) -> Option<(u64, u64)> {
        let slot = Self::slot(privilege, linear);
        let (e, last) = (&self.entries[slot], linear.wrapping_add(bytes - 1));
        let gpa = self.pages[slot] | linear & PAGE_MASK;
        (e.tag & !HAS_CODE == last & !PAGE_MASK).then(|| (linear.wrapping_add(e.addend), gpa))
    }

    fn fill(&mut self, privilege: Privilege, linear: u64, fresh: Filling) {
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
        if self.entries[slot].tag == EMPTY {
            self.filled.push(slot as u16);
        }
        let tag = page | if code { HAS_CODE } else { 0 };
        self.entries[slot] = Entry {
            tag,
            addend: host_page.wrapping_sub(page),
        };
        self.pages[slot] = gpa & !PAGE_MASK;
        let (word, bit) = (slot / 64, 1 << (slot % 64));
        self.global[word] = (self.global[word] & !bit) | if global { bit } else { 0 };
    }

    fn flush(&mut self, keep_global: bool) {
        let (entries, global) = (&mut self.entries, &self.global);
        self.filled.retain(|&slot| {
            let slot = usize::from(slot);
            let keep = keep_global && global[slot / 64] >> (slot % 64) & 1 != 0;
            if !keep {
                entries[slot] = NO_ENTRY;
            }
            keep
        });
    }

    fn flush_page(&mut self, linear: u64) {
        for privilege in [
            Privilege::Supervisor,
            Privilege::User,
            Privilege::SupervisorWithAc,
        ] {
            let e = &mut self.entries[Self::slot(privilege, linear)];
            if e.tag & !PAGE_MASK == linear & !PAGE_MASK {
                // The slot stays in `filled`, so its tag is another one that equals no page.
                *e = Entry {
                    tag: DROPPED,
                    addend: 0,
                };
            }
        }
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

/// All tables of a CPU.
pub struct Tlb {
    read: Table,
    write: Table,
    /// By linear page and, in bit 0, user privilege: the physical page, and whether it is global.
    fetch: HashMap<u64, (u64, bool), Hashing>,
    /// Pages that are no memory of the host's.
    pub device: DevicePages,
    /// Entries filled since power-on.
    pub fills: u64,
}

impl Default for Tlb {
    fn default() -> Self {
        Self {
            read: Table::new(),
            write: Table::new(),
            fetch: HashMap::default(),
            device: DevicePages::default(),
            fills: 0,
        }
    }
}

impl Tlb {
    /// The host address for a read, if the page is here and the access stays inside it.
    #[inline(always)]
    pub fn read_hit<T: Int>(&self, privilege: Privilege, linear: u64) -> Option<u64> {
        self.read.hit(privilege, linear, T::BYTES as u64)
    }

    /// The same for so many bytes.
    #[inline(always)]
    pub fn read_hit_of(&self, privilege: Privilege, linear: u64, bytes: u64) -> Option<u64> {
        self.read.hit(privilege, linear, bytes)
    }

    /// The host address for a write.
    #[inline(always)]
    pub fn write_hit<T: Int>(&self, privilege: Privilege, linear: u64) -> Option<u64> {
        self.write.hit(privilege, linear, T::BYTES as u64)
    }

    /// The same for so many bytes.
    #[inline(always)]
    pub fn write_hit_of(&self, privilege: Privilege, linear: u64, bytes: u64) -> Option<u64> {
        self.write.hit(privilege, linear, bytes)
    }

    /// The host and the physical address of a read, for whoever may not take the fast path.
    pub fn read_slow(&self, privilege: Privilege, linear: u64, bytes: u64) -> Option<(u64, u64)> {
        self.read.hit_slow(privilege, linear, bytes)
    }

    /// The host and the physical address of a write, into a page with decoded code or without.
    pub fn write_slow(&self, privilege: Privilege, linear: u64, bytes: u64) -> Option<(u64, u64)> {
        self.write.hit_slow(privilege, linear, bytes)
    }

    /// Makes a page readable.
    pub fn fill_read(&mut self, privilege: Privilege, linear: u64, fresh: Filling) {
        self.fills += 1;
        self.read.fill(privilege, linear, fresh);
    }

    /// Makes a page writable.
    pub fn fill_write(&mut self, privilege: Privilege, linear: u64, fresh: Filling) {
        self.fills += 1;
        self.write.fill(privilege, linear, fresh);
    }

    /// The physical address that an instruction at `linear` is fetched from, if the page is here.
    pub fn fetch_hit(&self, user: bool, linear: u64) -> Option<u64> {
        let (page, _) = self.fetch.get(&(linear & !PAGE_MASK | u64::from(user)))?;
        Some(page | linear & PAGE_MASK)
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
        for &slot in &self.write.filled {
            let e = &mut self.write.entries[usize::from(slot)];
            if (e.tag & !PAGE_MASK).wrapping_add(e.addend) == host_page {
                e.tag |= HAS_CODE;
            }
        }
    }

    /// Forgets everything, but for global pages if `keep_global`.
    pub fn flush(&mut self, keep_global: bool) {
        self.device.forget();
        self.read.flush(keep_global);
        self.write.flush(keep_global);
        if keep_global {
            self.fetch.retain(|_, (_, global)| *global);
        } else {
            self.fetch.clear();
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

    /// Forgets one page.
    pub fn flush_page(&mut self, linear: u64) {
        self.device.forget();
        self.read.flush_page(linear);
        self.write.flush_page(linear);
        for user in 0..2 {
            self.fetch.remove(&(linear & !PAGE_MASK | user));
        }
    }
}
