//! Linear to physical: 32-bit and PAE paging (SDM vol. 3, chapter 4), accessed and dirty bits, page faults; and from
//! physical pages to host memory.

use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::op::Stop;
use emu_core::Gpa;
use emu_core::ram::Ram;
use emu_core::x86::{Cr0, Cr4, Exception};

/// Bits of paging-structure entries (SDM vol. 3, tables 4-4 to 4-11).
mod entry {
    pub const PRESENT: u64 = 1 << 0;
    pub const WRITABLE: u64 = 1 << 1;
    pub const USER: u64 = 1 << 2;
    pub const ACCESSED: u64 = 1 << 5;
    pub const DIRTY: u64 = 1 << 6;
    pub const PAGE_SIZE: u64 = 1 << 7;
    pub const GLOBAL: u64 = 1 << 8;
}

/// Bits of a page fault's error code (SDM vol. 3, figure 4-12).
mod code {
    pub const PRESENT: u16 = 1 << 0;
    pub const WRITE: u16 = 1 << 1;
    pub const USER: u16 = 1 << 2;
    pub const RESERVED: u16 = 1 << 3;
}

/// How a translation is going to be used.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Purpose {
    /// A store.
    pub write: bool,
    /// With user privilege.
    pub user: bool,
}

/// A translation.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Translation {
    /// The physical address.
    pub gpa: u64,
    /// The page stays when CR3 is written.
    pub global: bool,
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
        let walked = if self.cr4.contains(Cr4::PAE) {
            self.walk_pae(linear, purpose)
        } else {
            self.walk_32(linear, purpose)
        };
        walked.map_err(|mut error| {
            if purpose.write {
                error |= code::WRITE;
            }
            if purpose.user {
                error |= code::USER;
            }
            self.cr2 = linear;
            self.fault(Fault {
                exception: Exception::Page,
                code: error,
            })
        })
    }

    /// Whether the rights that all levels grant together suffice.
    fn allowed(&self, rights: u64, purpose: Purpose) -> bool {
        if purpose.user && rights & entry::USER == 0 {
            return false;
        }
        !purpose.write
            || rights & entry::WRITABLE != 0
            || (!purpose.user && !self.cr0.contains(Cr0::WP))
    }

    /// SDM vol. 3, section 4.3.
    fn walk_32(&mut self, linear: u64, purpose: Purpose) -> Result<Translation, u16> {
        let pde_at = (self.cr3 & 0xFFFF_F000) | (linear >> 20 & 0xFFC);
        let pde = u64::from(self.physical_read_u32(pde_at));
        if pde & entry::PRESENT == 0 {
            return Err(0);
        }
        let pge = self.cr4.contains(Cr4::PGE);
        let global = |e: u64| pge && e & entry::GLOBAL != 0;
        if pde & entry::PAGE_SIZE != 0 && self.cr4.contains(Cr4::PSE) {
            // Without PAT and PSE-36 bits 12 to 21 are reserved.
            if pde & 0x003F_F000 != 0 {
                return Err(code::PRESENT | code::RESERVED);
            }
            if !self.allowed(pde, purpose) {
                return Err(code::PRESENT);
            }
            self.large_pages = true;
            let t = Translation {
                gpa: (pde & 0xFFC0_0000) | (linear & 0x3F_FFFF),
                global: global(pde),
            };
            self.touch(pde_at, pde, purpose.write, false);
            return Ok(t);
        }
        let pte_at = (pde & 0xFFFF_F000) | (linear >> 10 & 0xFFC);
        let pte = u64::from(self.physical_read_u32(pte_at));
        if pte & entry::PRESENT == 0 {
            return Err(0);
        }
        if !self.allowed(pde & pte, purpose) {
            return Err(code::PRESENT);
        }
        let t = Translation {
            gpa: (pte & 0xFFFF_F000) | (linear & 0xFFF),
            global: global(pte),
        };
        if pde & entry::ACCESSED == 0 {
            self.physical_write_u32(pde_at, (pde | entry::ACCESSED) as u32);
        }
        self.touch(pte_at, pte, purpose.write, false);
        Ok(t)
    }

    /// SDM vol. 3, section 4.4. The four page-directory-pointer entries were loaded with CR3.
    fn walk_pae(&mut self, linear: u64, purpose: Purpose) -> Result<Translation, u16> {
        let address = ((1u64 << self.model.physical_bits) - 1) & !0xFFF;
        let reserved = !((1u64 << self.model.physical_bits) - 1);
        let pdpte = self.pdpte[(linear >> 30 & 3) as usize];
        if pdpte & entry::PRESENT == 0 {
            return Err(0);
        }
        let pde_at = (pdpte & address) | (linear >> 18 & 0xFF8);
        let pde = self.physical_read_u64(pde_at);
        if pde & entry::PRESENT == 0 {
            return Err(0);
        }
        let pge = self.cr4.contains(Cr4::PGE);
        let global = |e: u64| pge && e & entry::GLOBAL != 0;
        if pde & entry::PAGE_SIZE != 0 {
            if pde & (reserved | 0x1F_E000) != 0 {
                return Err(code::PRESENT | code::RESERVED);
            }
            if !self.allowed(pde, purpose) {
                return Err(code::PRESENT);
            }
            self.large_pages = true;
            let gpa = (pde & address & !0x1F_FFFF) | (linear & 0x1F_FFFF);
            let t = Translation {
                gpa,
                global: global(pde),
            };
            self.touch(pde_at, pde, purpose.write, true);
            return Ok(t);
        }
        if pde & reserved != 0 {
            return Err(code::PRESENT | code::RESERVED);
        }
        let pte_at = (pde & address) | (linear >> 9 & 0xFF8);
        let pte = self.physical_read_u64(pte_at);
        if pte & entry::PRESENT == 0 {
            return Err(0);
        }
        if pte & reserved != 0 {
            return Err(code::PRESENT | code::RESERVED);
        }
        if !self.allowed(pde & pte, purpose) {
            return Err(code::PRESENT);
        }
        let t = Translation {
            gpa: (pte & address) | (linear & 0xFFF),
            global: global(pte),
        };
        if pde & entry::ACCESSED == 0 {
            self.physical_write_u64(pde_at, pde | entry::ACCESSED);
        }
        self.touch(pte_at, pte, purpose.write, true);
        Ok(t)
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

    /// INVLPG. A page that was mapped by a large one drops all of that page's pieces, which stand in the TLB one by
    /// one and are not known apart: then everything goes.
    pub(crate) fn invalidate_page(&mut self, linear: u64) {
        if self.large_pages {
            self.flush_tlb(false);
        } else {
            self.tlb.flush_page(linear);
            self.blocks.forget_translations();
        }
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
    fn a20(&self, gpa: u64) -> u64 {
        let gpa = gpa & ((1 << self.model.physical_bits) - 1);
        if self.physical.a20_masked {
            gpa & !(1 << 20)
        } else {
            gpa
        }
    }

    /// The physical page that holds `gpa`.
    pub(crate) fn physical_page(&mut self, gpa: u64) -> PhysicalPage {
        let page = self.a20(gpa) & !0xFFF;
        let slot = (page >> 12) as usize % PHYSICAL_SLOTS;
        if let Some((tag, found)) = self.physical.pages[slot]
            && tag == page
        {
            return found;
        }
        let view = self.bus().page(Gpa(page), false);
        let host = |side: &Option<(Ram, usize)>| {
            side.as_ref()
                .and_then(|(ram, offset)| ram.host_ptr(*offset))
                .map_or(0, |p| p.as_ptr().expose_provenance() as u64)
        };
        let found = PhysicalPage {
            read: host(&view.read),
            write: host(&view.write),
        };
        self.physical.pages[slot] = Some((page, found));
        found
    }

    /// Reads physical memory of up to 8 bytes inside one page.
    pub(crate) fn physical_read(&mut self, gpa: u64, width: emu_core::Width) -> u64 {
        let page = self.physical_page(gpa);
        if page.read != 0 {
            return self.host_read(page.read + (gpa & 0xFFF), width);
        }
        let (id, gpa) = (self.id, Gpa(self.a20(gpa)));
        self.device_access();
        self.bus().mmio_read(id, gpa, false, width)
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
        let (id, gpa) = (self.id, Gpa(self.a20(gpa)));
        self.device_access();
        self.bus().mmio_write(id, gpa, false, width, value);
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

const PHYSICAL_SLOTS: usize = 256;

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
    pages: Vec<Option<(u64, PhysicalPage)>>,
    /// Every block of memory on the board.
    pub blocks: Vec<HostBlock>,
    /// The A20 gate is closed.
    pub a20_masked: bool,
}

impl Default for PhysicalPages {
    fn default() -> Self {
        Self {
            pages: vec![None; PHYSICAL_SLOTS],
            blocks: Vec::new(),
            a20_masked: false,
        }
    }
}

impl PhysicalPages {
    /// Forgets all pages and takes the board's present blocks.
    pub fn refresh(&mut self, blocks: &[Ram]) {
        self.pages.fill(None);
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
