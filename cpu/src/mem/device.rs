//! Translations of pages behind which there is no memory of the host's: devices, ROMs for writes, nothing. The fast path
//! never finds them; the slow path does, and need not walk the page tables for each access.
//!
//! As the TLB they are for linear pages, and are forgotten whenever any of its pages is. What answers at the physical
//! address is asked at each access.

use super::tlb::Privilege;

const SLOTS: usize = 64;
const PAGE_MASK: u64 = 0xFFF;

#[derive(Copy, Clone)]
struct Entry {
    /// The linear page, with the access in its low bits.
    key: u64,
    /// That of [`DevicePages`] when it was filled.
    generation: u64,
    /// The physical page.
    page: u64,
}

/// The pages of one CPU.
pub struct DevicePages {
    entries: [Entry; SLOTS],
    generation: u64,
}

impl Default for DevicePages {
    fn default() -> Self {
        let none = Entry {
            key: 0,
            generation: 0,
            page: 0,
        };
        Self {
            entries: [none; SLOTS],
            generation: 1,
        }
    }
}

fn key(privilege: Privilege, write: bool, linear: u64) -> u64 {
    linear & !PAGE_MASK | u64::from(write) << 2 | privilege as u64
}

fn slot(write: bool, linear: u64) -> usize {
    ((linear >> 12) as usize * 2 + usize::from(write)) % SLOTS
}

impl DevicePages {
    /// The physical address of an access, if its page is here and the access stays inside it.
    pub fn find(&self, privilege: Privilege, write: bool, linear: u64, bytes: u64) -> Option<u64> {
        let e = &self.entries[slot(write, linear)];
        let hit = e.key == key(privilege, write, linear) && e.generation == self.generation;
        (hit && linear & PAGE_MASK <= 0x1000 - bytes).then_some(e.page | linear & PAGE_MASK)
    }

    /// Remembers a translation.
    pub fn fill(&mut self, privilege: Privilege, write: bool, linear: u64, gpa: u64) {
        self.entries[slot(write, linear)] = Entry {
            key: key(privilege, write, linear),
            generation: self.generation,
            page: gpa & !PAGE_MASK,
        };
    }

    /// Forgets everything.
    pub fn forget(&mut self) {
        self.generation += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_found_for_its_access_and_privilege_until_it_is_forgotten() {
        let mut pages = DevicePages::default();
        assert_eq!(pages.find(Privilege::Supervisor, false, 0, 1), None);
        pages.fill(Privilege::User, true, 0xFFFF_8000_000B_8ABC, 0xB_8ABC);
        let find = |pages: &DevicePages, p, write, at, n| pages.find(p, write, at, n);
        let at = 0xFFFF_8000_000B_8FF8;
        assert_eq!(find(&pages, Privilege::User, true, at, 8), Some(0xB_8FF8));
        assert_eq!(find(&pages, Privilege::User, true, at + 1, 8), None);
        assert_eq!(find(&pages, Privilege::User, false, at, 8), None);
        assert_eq!(find(&pages, Privilege::Supervisor, true, at, 8), None);
        assert_eq!(find(&pages, Privilege::User, true, 0xB_8FF8, 8), None);
        pages.forget();
        assert_eq!(find(&pages, Privilege::User, true, at, 8), None);
    }
}
