//! What an access that missed the TLB needs as a rule: a page walk and an entry. Everything else is left to
//! [`super::access`], which begins anew; nobody can tell which of them did it.

use super::access::Place;
use super::paging::{Purpose, Translation};
use super::tlb::{Filling, Privilege};
use crate::interpreter::Interpreter;
use crate::op::Stop;
use emu_core::x86::Exception;

impl Interpreter {
    /// The linear address and the privilege of an access inside one page that needs no check but that of its segment and
    /// those of the page. Whoever watches, and checks of alignment, take the long way.
    #[inline(always)]
    pub(super) fn plain_access(
        &self,
        seg: usize,
        offset: u64,
        n: u64,
        write: bool,
    ) -> Option<(u64, Privilege)> {
        let s = &self.segments[seg % 6];
        let ok = if write {
            s.may_write(offset, n)
        } else {
            s.may_read(offset, n)
        };
        let linear = s.base.wrapping_add(offset) & self.linear_mask;
        let privilege = self.tlb.privilege();
        let plain = privilege != Privilege::Uncached
            && self.dr7 & 0xFF == 0
            && !self.tlb.is_watched()
            && self.model.segment_end.is_none()
            // AMD's processors look at the offset in FS and GS too.
            && !self.model.is_amd();
        (ok && plain && linear & 0xFFF <= 0x1000 - n).then_some((linear, privilege))
    }

    /// Translates the address of a plain access. `Ok(None)`: a fault that depends on the segment.
    #[inline(always)]
    fn translate_plain(
        &mut self,
        linear: u64,
        purpose: Purpose,
    ) -> Result<Option<Translation>, Stop> {
        match self.translate(linear, purpose) {
            Ok(t) => Ok(Some(t)),
            Err(stop) if self.fault.exception == Exception::Page => Err(stop),
            Err(_) => Ok(None),
        }
    }

    /// Makes the page of a plain load readable and gives the host address; `None` if it must be looked at more closely.
    #[inline(always)]
    pub(super) fn refill_read(
        &mut self,
        linear: u64,
        n: u64,
        privilege: Privilege,
    ) -> Result<Option<u64>, Stop> {
        // What may be written may be read.
        let fresh = match self.tlb.written(privilege, linear, n) {
            Some((_, fresh)) => fresh,
            None => {
                let Some(t) = self.translate_plain(linear, Purpose::read(privilege))? else {
                    return Ok(None);
                };
                let page = self.physical_page(t.gpa);
                if page.read == 0 {
                    return Ok(None);
                }
                Filling {
                    gpa: t.gpa,
                    host_page: page.read,
                    code: false,
                    global: t.global,
                }
            }
        };
        self.tlb.fill_read(privilege, linear, fresh);
        Ok(Some(fresh.host_page + (linear & 0xFFF)))
    }

    /// Makes the page of a plain store writable and says where it goes; `None` if it must be looked at more closely.
    #[inline(always)]
    pub(super) fn refill_write(
        &mut self,
        linear: u64,
        n: u64,
        privilege: Privilege,
    ) -> Result<Option<Place>, Stop> {
        // It is there, so that only code in it kept the store from its page.
        if let Some((host, _)) = self.tlb.write_slow(privilege, linear, n) {
            return Ok(Some(Place::beside_code(host)));
        }
        let Some(t) = self.translate_plain(linear, Purpose::write(privilege))? else {
            return Ok(None);
        };
        let host = self.fill_write(linear, t.gpa, privilege, t.global);
        Ok(host.map(Place::in_memory))
    }
}
