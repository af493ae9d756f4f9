//! Linear to physical: 32-bit, PAE, 4-level and 5-level paging (SDM vol. 3, chapter 4), accessed and dirty bits, page
//! faults; and from physical pages to host memory.
//!
//! Process-context identifiers are accepted, but no translation is kept for a context that is not the present one: the
//! processor may forget translations at any time (SDM vol. 3, section 4.10.1), and here MOV to CR3 forgets all that are
//! not global. Of the paging-structure caches there is the one that leads from an address to its page table.

use super::tlb::{Directory, Privilege};
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::models::{CpuModel, Traits};
use crate::op::Stop;
use emu_core::Gpa;
use emu_core::ram::Ram;
use emu_core::x86::{Cr0, Cr4, Efer, Exception};

/// Bits of paging-structure entries (SDM vol. 3, tables 4-4 to 4-20).
mod entry {
    pub const PRESENT: u64 = 1 << 0;
    pub const WRITABLE: u64 = 1 << 1;
    pub const USER: u64 = 1 << 2;
    pub const ACCESSED: u64 = 1 << 5;
    pub const DIRTY: u64 = 1 << 6;
    pub const PAGE_SIZE: u64 = 1 << 7;
    pub const GLOBAL: u64 = 1 << 8;
    /// Bits 62 to 59 of the entry that maps a page: its protection key.
    pub const KEY_SHIFT: u32 = 59;
    pub const NO_EXECUTE: u64 = 1 << 63;
}

/// Bits of a page fault's error code (SDM vol. 3, figure 4-12).
mod code {
    pub const PRESENT: u16 = 1 << 0;
    pub const WRITE: u16 = 1 << 1;
    pub const USER: u16 = 1 << 2;
    pub const RESERVED: u16 = 1 << 3;
    pub const FETCH: u16 = 1 << 4;
    pub const KEY: u16 = 1 << 5;
}

/// What is done with a translation.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Access {
    /// A load.
    Read,
    /// A store.
    Write,
    /// An instruction fetch.
    Fetch,
}

/// How a translation is going to be used.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Purpose {
    /// What for.
    pub access: Access,
    /// With which privilege.
    pub privilege: Privilege,
}

impl Purpose {
    /// A load.
    pub fn read(privilege: Privilege) -> Self {
        Self {
            access: Access::Read,
            privilege,
        }
    }

    /// A store.
    pub fn write(privilege: Privilege) -> Self {
        Self {
            access: Access::Write,
            privilege,
        }
    }

    /// An instruction fetch.
    pub fn fetch(user: bool) -> Self {
        Self {
            access: Access::Fetch,
            privilege: if user {
                Privilege::User
            } else {
                Privilege::Supervisor
            },
        }
    }

    fn is_user(self) -> bool {
        self.privilege == Privilege::User
    }

    fn is_write(self) -> bool {
        self.access == Access::Write
    }
}

/// A translation.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Translation {
    /// The physical address.
    pub gpa: u64,
    /// The page stays when CR3 is written.
    pub global: bool,
}

/// What all levels of a translation grant together, and the key of the page.
#[derive(Copy, Clone)]
struct Rights {
    /// WRITABLE and USER of all entries, NO_EXECUTE of any.
    bits: u64,
    key: u32,
}

impl Rights {
    const ALL: Self = Self {
        bits: entry::WRITABLE | entry::USER,
        key: 0,
    };

    /// Together with those of an entry further down.
    fn and(self, e: u64) -> Self {
        let granted = self.bits & e & (entry::WRITABLE | entry::USER);
        let denied = (self.bits | e) & entry::NO_EXECUTE;
        Self {
            bits: granted | denied,
            key: (e >> entry::KEY_SHIFT & 0xF) as u32,
        }
    }
}

impl Interpreter {
    /// Translates one linear address, setting accessed and dirty bits, or notes a page fault.
    pub(crate) fn translate(&mut self, linear: u64, purpose: Purpose) -> Result<Translation, Stop> {
        if !self.cr0.contains(Cr0::PG) {
            return Ok(Translation {
                gpa: linear,
                global: false,
            });
        }
        let walked = if let Some(known) = self.tlb.directory(linear) {
            self.walk_last(linear, purpose, &known)
        } else if self.is_long() {
            // Instructions' own operands were checked, with the fault of their segment.
            let canonical = self.is_canonical(linear);
            self.ensure(canonical, Fault::GP0)?;
            self.walk_long(linear, purpose)
        } else if self.cr4.contains(Cr4::PAE) {
            self.walk_pae(linear, purpose)
        } else {
            self.walk_32(linear, purpose)
        };
        walked.map_err(|mut error| {
            if purpose.is_write() {
                error |= code::WRITE;
            }
            if purpose.is_user() {
                error |= code::USER;
            }
            let tells_fetches = self.cr4.contains(Cr4::SMEP)
                || self.cr4.contains(Cr4::PAE) && self.efer.contains(Efer::NXE);
            if purpose.access == Access::Fetch && tells_fetches {
                error |= code::FETCH;
            }
            self.cr2 = linear;
            self.fault(Fault {
                exception: Exception::Page,
                code: error,
            })
        })
    }

    /// Whether the rights suffice (SDM vol. 3, section 4.6), or else the error code.
    fn check_rights(&self, rights: Rights, purpose: Purpose) -> Result<(), u16> {
        let user_page = rights.bits & entry::USER != 0;
        let user = purpose.is_user();
        let fetch = purpose.access == Access::Fetch;
        if user && !user_page {
            return Err(code::PRESENT);
        }
        if !user && user_page {
            let denied = if fetch {
                self.cr4.contains(Cr4::SMEP)
            } else {
                self.cr4.contains(Cr4::SMAP) && purpose.privilege == Privilege::Supervisor
            };
            if denied {
                return Err(code::PRESENT);
            }
        }
        if fetch {
            let denied = rights.bits & entry::NO_EXECUTE != 0 && self.efer.contains(Efer::NXE);
            return if denied { Err(code::PRESENT) } else { Ok(()) };
        }
        let protects = user || self.cr0.contains(Cr0::WP);
        if purpose.is_write() && rights.bits & entry::WRITABLE == 0 && protects {
            return Err(code::PRESENT);
        }
        if user_page && self.is_long() && self.cr4.contains(Cr4::PKE) {
            let key = self.pkru >> (2 * rights.key);
            if key & 1 != 0 || key & 2 != 0 && purpose.is_write() && protects {
                return Err(code::PRESENT | code::KEY);
            }
        }
        Ok(())
    }

    /// Bits of an entry that must be 0 whatever it is, with 64-bit entries.
    fn reserved(&self, ignored_above: u32) -> u64 {
        let address = (1u64 << self.model.physical_bits) - 1;
        let low = (1u64 << ignored_above) - 1;
        let mut reserved = low & !address;
        if !self.efer.contains(Efer::NXE) {
            reserved |= entry::NO_EXECUTE;
        }
        reserved
    }

    fn is_global(&self, e: u64) -> bool {
        self.cr4.contains(Cr4::PGE) && e & entry::GLOBAL != 0
    }

    /// SDM vol. 3, section 4.3.
    fn walk_32(&mut self, linear: u64, purpose: Purpose) -> Result<Translation, u16> {
        let pde_at = (self.cr3 & 0xFFFF_F000) | (linear >> 20 & 0xFFC);
        let pde = u64::from(self.physical_read_u32(pde_at));
        if pde & entry::PRESENT == 0 {
            return Err(0);
        }
        if pde & entry::PAGE_SIZE != 0 && self.cr4.contains(Cr4::PSE) {
            // Bit 12 is PAT's; with PSE-36 bits 13 to 20 are address bits 32 to 39, as far as there are.
            let above = if self.model.traits.contains(Traits::PSE36) {
                (pde >> 13 & 0xFF) << 32
            } else {
                0
            };
            let unused = if self.model.traits.contains(Traits::PSE36) {
                0x0020_0000
            } else {
                0x003F_E000
            };
            let pat = u64::from(!self.model.traits.contains(Traits::PAT)) << 12;
            if pde & (unused | pat) != 0 || above >> self.model.physical_bits != 0 {
                return Err(code::PRESENT | code::RESERVED);
            }
            self.check_rights(Rights::ALL.and(pde), purpose)?;
            self.tlb.note_large(linear, 22);
            let t = Translation {
                gpa: above | (pde & 0xFFC0_0000) | (linear & 0x3F_FFFF),
                global: self.is_global(pde),
            };
            self.touch(pde_at, pde, purpose.is_write(), false);
            return Ok(t);
        }
        let directory = Directory::new(linear, pde & 0xFFFF_F000, Rights::ALL.and(pde).bits);
        let t = self.walk_last(linear, purpose, &directory)?;
        if pde & entry::ACCESSED == 0 {
            self.physical_write_u32(pde_at, (pde | entry::ACCESSED) as u32);
        }
        self.note_directory(directory);
        Ok(t)
    }

    /// Remembers a page table in memory. One that is no memory is read at each walk, once.
    fn note_directory(&mut self, directory: Directory) {
        if self.physical_page(directory.table).read != 0 {
            self.tlb.note_directory(directory);
        }
    }

    /// SDM vol. 3, section 4.4. The four page-directory-pointer entries were loaded with CR3.
    fn walk_pae(&mut self, linear: u64, purpose: Purpose) -> Result<Translation, u16> {
        let pdpte = self.pdpte[(linear >> 30 & 3) as usize];
        if pdpte & entry::PRESENT == 0 {
            return Err(0);
        }
        // Bits 62 and below are reserved above the address.
        let reserved = self.reserved(63);
        self.walk_64(linear, purpose, pdpte, 2, reserved)
    }

    /// SDM vol. 3, section 4.5.
    fn walk_long(&mut self, linear: u64, purpose: Purpose) -> Result<Translation, u16> {
        let levels = if self.cr4.contains(Cr4::LA57) { 5 } else { 4 };
        let reserved = self.reserved(52);
        self.walk_64(linear, purpose, self.cr3, levels, reserved)
    }

    /// Walks `levels` levels of 64-bit entries from the table in `top`.
    fn walk_64(
        &mut self,
        linear: u64,
        purpose: Purpose,
        top: u64,
        levels: u32,
        reserved: u64,
    ) -> Result<Translation, u16> {
        let address = ((1u64 << self.model.physical_bits) - 1) & !0xFFF;
        let mut rights = Rights::ALL;
        let mut table = top & address;
        // The entries of the levels above the last, and what all of them have set.
        let mut above = [(0, entry::ACCESSED); 5];
        let mut all_above = entry::ACCESSED;
        let mut found = None;
        for level in (2..=levels).rev() {
            let shift = 12 + 9 * (level - 1);
            let at = table | (linear >> shift & 0x1FF) << 3;
            let e = self.physical_read_u64(at);
            if e & entry::PRESENT == 0 {
                return Err(0);
            }
            let large = e & entry::PAGE_SIZE != 0;
            if e & reserved != 0 || large && self.is_malformed_large(e, level) {
                return Err(code::PRESENT | code::RESERVED);
            }
            rights = rights.and(e);
            if large {
                self.check_rights(rights, purpose)?;
                self.tlb.note_large(linear, shift);
                self.touch(at, e, purpose.is_write(), true);
                let offset = (1u64 << shift) - 1;
                found = Some(Translation {
                    gpa: (e & address & !offset) | (linear & offset),
                    global: self.is_global(e),
                });
                break;
            }
            above[level as usize - 1] = (at, e);
            all_above &= e;
            table = e & address;
        }
        let t = match found {
            Some(t) => t,
            None => {
                let directory = Directory::new(linear, table, rights.bits);
                let t = self.walk_last(linear, purpose, &directory)?;
                self.note_directory(directory);
                t
            }
        };
        if all_above == 0 {
            for (at, e) in above.into_iter().rev() {
                if e & entry::ACCESSED == 0 {
                    self.physical_write_u64(at, e | entry::ACCESSED);
                }
            }
        }
        Ok(t)
    }

    /// The last level, with 32-bit entries or with those of 64 bits, once the page table is known.
    fn walk_last(
        &mut self,
        linear: u64,
        purpose: Purpose,
        known: &Directory,
    ) -> Result<Translation, u16> {
        let wide = self.cr4.contains(Cr4::PAE);
        let (at, e) = if wide {
            let at = known.table | (linear >> 12 & 0x1FF) << 3;
            (at, self.physical_read_u64(at))
        } else {
            let at = known.table | (linear >> 12 & 0x3FF) << 2;
            (at, self.physical_read_u32(at).into())
        };
        if e & entry::PRESENT == 0 {
            return Err(0);
        }
        // Bits 62 to 52 are reserved outside of IA-32e mode.
        if wide && e & self.reserved(if self.is_long() { 52 } else { 63 }) != 0 {
            return Err(code::PRESENT | code::RESERVED);
        }
        let above = Rights {
            bits: known.rights,
            ..Rights::ALL
        };
        self.check_rights(above.and(e), purpose)?;
        self.touch(at, e, purpose.is_write(), wide);
        let address = ((1u64 << self.model.physical_bits) - 1) & !0xFFF;
        Ok(Translation {
            gpa: (e & address) | (linear & 0xFFF),
            global: self.is_global(e),
        })
    }

    /// Whether no entry of a level may map a large page as this one does.
    fn is_malformed_large(&self, e: u64, level: u32) -> bool {
        let may_be = level == 2 || level == 3 && self.model.traits.contains(Traits::GIANT_PAGES);
        // Bit 12 is PAT's.
        let mut unused = ((1u64 << (12 + 9 * (level - 1))) - 1) & !0x1FFF;
        if !self.model.traits.contains(Traits::PAT) {
            unused |= 1 << 12;
        }
        !may_be || e & unused != 0
    }

    /// Sets the accessed and, for a store, the dirty bit of the entry that maps the page.
    fn touch(&mut self, at: u64, old: u64, write: bool, wide: bool) {
        let new = old | entry::ACCESSED | if write { entry::DIRTY } else { 0 };
        if new != old {
            if wide {
                self.physical_write_u64(at, new);
            } else {
                self.physical_write_u32(at, new as u32);
            }
        }
    }

    /// Forgets the translation of a page, global or not, and with it that of the whole large page that it may be a piece of
    /// (SDM vol. 3, section 4.10.4.1). True: code may be elsewhere now, and the running block must be left.
    pub(crate) fn invalidate_page(&mut self, linear: u64) -> bool {
        let code = self.tlb.flush_page(linear);
        if code {
            self.blocks.forget_translations(false);
        }
        code
    }

    /// Loads the page-directory-pointer entries (SDM vol. 3, section 4.4.1), or refuses reserved bits.
    pub(crate) fn load_pdptes(&mut self, cr3: u64) -> Result<(), Stop> {
        let mut new = [0; 4];
        for (i, e) in new.iter_mut().enumerate() {
            *e = self.physical_read_u64((cr3 & 0xFFFF_FFE0) + 8 * i as u64);
            let reserved = !((1u64 << self.model.physical_bits) - 1) | 0x1E6;
            if *e & entry::PRESENT != 0 && *e & reserved != 0 {
                return Err(self.fault(Fault::GP0));
            }
        }
        self.pdpte = new;
        Ok(())
    }

    /// Applies the model's address lines and the A20 gate.
    #[inline(always)]
    fn a20(&self, gpa: u64) -> u64 {
        gpa & self.physical.lines
    }

    /// The physical page that holds `gpa`.
    #[inline(always)]
    pub(crate) fn physical_page(&mut self, gpa: u64) -> PhysicalPage {
        let page = self.a20(gpa) & !0xFFF;
        match self.physical.known(page) {
            Some(found) => found,
            None => self.ask_for_page(page),
        }
    }

    /// Asks the bus what a physical page is.
    #[cold]
    #[inline(never)]
    fn ask_for_page(&mut self, page: u64) -> PhysicalPage {
        let smm = self.smm.active;
        let view = self.bus().page(Gpa(page), smm);
        let host = |side: &Option<(Ram, usize)>| {
            side.as_ref()
                .and_then(|(ram, offset)| ram.host_ptr(*offset))
                .map_or(0, |p| p.as_ptr().expose_provenance() as u64)
        };
        let found = PhysicalPage {
            read: host(&view.read),
            write: host(&view.write),
        };
        self.physical.learn(page, found);
        found
    }

    /// Reads physical memory of up to 8 bytes inside one page.
    #[inline(always)]
    pub(crate) fn physical_read(&mut self, gpa: u64, width: emu_core::Width) -> u64 {
        let page = self.physical_page(gpa);
        if page.read != 0 {
            return self.host_read(page.read + (gpa & 0xFFF), width);
        }
        self.device_read(gpa, width)
    }

    /// Reads what is no memory.
    #[cold]
    #[inline(never)]
    pub(super) fn device_read(&mut self, gpa: u64, width: emu_core::Width) -> u64 {
        let (id, gpa, smm) = (self.id, Gpa(self.a20(gpa)), self.smm.active);
        self.device_access();
        self.bus().mmio_read(id, gpa, smm, width)
    }

    /// Writes what is no memory.
    pub(super) fn device_write(&mut self, gpa: u64, width: emu_core::Width, value: u64) {
        let (id, gpa, smm) = (self.id, Gpa(self.a20(gpa)), self.smm.active);
        self.device_access();
        self.bus().mmio_write(id, gpa, smm, width, value);
    }

    /// Writes physical memory of up to 8 bytes inside one page.
    pub(crate) fn physical_write(&mut self, gpa: u64, width: emu_core::Width, value: u64) {
        let page = self.physical_page(gpa);
        if page.write != 0 {
            let at = page.write + (gpa & 0xFFF);
            self.note_overwrite(at, width.bytes());
            self.host_write(at, width, value);
            self.host_written(at, width.bytes());
            return;
        }
        self.device_write(gpa, width, value);
    }

    fn physical_read_u32(&mut self, gpa: u64) -> u32 {
        self.physical_read(gpa, emu_core::Width::Dword) as u32
    }

    fn physical_read_u64(&mut self, gpa: u64) -> u64 {
        self.physical_read(gpa, emu_core::Width::Qword)
    }

    fn physical_write_u32(&mut self, gpa: u64, value: u32) {
        self.physical_write(gpa, emu_core::Width::Dword, value.into());
    }

    fn physical_write_u64(&mut self, gpa: u64, value: u64) {
        self.physical_write(gpa, emu_core::Width::Qword, value);
    }
}

/// Where a physical page lies in the host's memory; 0: it does not (a device, a ROM for writes, nothing).
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct PhysicalPage {
    /// For reads and fetches.
    pub read: u64,
    /// For writes.
    pub write: u64,
}

const PHYSICAL_SLOTS: usize = 1 << 14;
/// The generation after which the table is emptied: one fewer than fit the bits of an address inside a page.
const GENERATIONS: u64 = 0xFFF;

/// What is known of one physical page; zeros: nothing.
#[derive(Copy, Clone)]
pub(super) struct Known {
    /// Its address, and in the bits below the generation.
    tag: u64,
    page: PhysicalPage,
}

const NOTHING_KNOWN: Known = Known {
    tag: 0,
    page: PhysicalPage { read: 0, write: 0 },
};

/// A block of memory and its place in the host's.
pub struct HostBlock {
    /// Host address of the first byte.
    pub start: u64,
    /// Host address past the last byte.
    pub end: u64,
    /// The block.
    pub ram: Ram,
}

/// What is known of physical pages, until the map changes.
pub struct PhysicalPages {
    /// By address.
    pages: Box<[Known; PHYSICAL_SLOTS]>,
    /// Goes up when all pages are forgotten; never 0.
    generation: u64,
    /// Every block of memory on the board.
    pub blocks: Vec<HostBlock>,
    /// The A20 gate is closed.
    pub a20_masked: bool,
    /// The address lines that are left; derived.
    lines: u64,
}

/// The address lines of a model.
fn lines_of(model: &CpuModel) -> u64 {
    (1 << model.physical_bits) - 1
}

impl PhysicalPages {
    /// Nothing is known yet, and the A20 gate is open.
    pub fn new(model: &CpuModel) -> Self {
        Self {
            pages: super::access::zeroed(),
            generation: 1,
            blocks: Vec::new(),
            a20_masked: false,
            lines: lines_of(model),
        }
    }

    /// Opens or closes the A20 gate.
    pub fn mask_a20(&mut self, model: &CpuModel, masked: bool) {
        self.a20_masked = masked;
        self.lines = lines_of(model) & !(u64::from(masked) << 20);
    }

    /// What is known of the page at an address.
    #[inline(always)]
    fn known(&self, page: u64) -> Option<PhysicalPage> {
        let known = &self.pages[(page >> 12) as usize % PHYSICAL_SLOTS];
        (known.tag == page | self.generation).then_some(known.page)
    }

    fn learn(&mut self, address: u64, page: PhysicalPage) {
        let tag = address | self.generation;
        self.pages[(address >> 12) as usize % PHYSICAL_SLOTS] = Known { tag, page };
    }

    /// Forgets all pages.
    pub fn forget_pages(&mut self) {
        self.generation += 1;
        if self.generation == GENERATIONS {
            self.generation = 1;
            self.pages.fill(NOTHING_KNOWN);
        }
    }

    /// Forgets all pages and takes the board's present blocks.
    pub fn refresh(&mut self, blocks: &[Ram]) {
        self.forget_pages();
        self.blocks = blocks
            .iter()
            .filter_map(|ram| {
                let start = ram.host_ptr(0)?.as_ptr().expose_provenance() as u64;
                Some(HostBlock {
                    start,
                    end: start + ram.len_bytes() as u64,
                    ram: ram.clone(),
                })
            })
            .collect();
    }

    /// The block and page number that a host address lies in.
    pub fn locate(&self, host: u64) -> Option<(&Ram, usize)> {
        let b = self
            .blocks
            .iter()
            .find(|b| (b.start..b.end).contains(&host))?;
        Some((&b.ram, ((host - b.start) >> 12) as usize))
    }
}
