//! Loads and stores of instructions: the fast path through the TLB, and the slow path that does everything.
//!
//! # The invariant behind the `unsafe` in this file
//! A host address in a TLB entry or a [`super::paging::PhysicalPage`] lies in a page of a block of guest memory that
//! the board keeps for as long as the entry: whoever changes the map raises `Attention::MAP_CHANGED`, and the CPU
//! then forgets all of them before it touches memory again. An access that hits stays inside the page.
#![expect(
    unsafe_code,
    reason = "guest memory is reached by host pointers; see the invariant above"
)]

use super::address::Address;
use super::paging::Purpose;
use super::tlb::{Filling, Privilege};
use crate::alu::Int;
use crate::fault::Fault;
use crate::interpreter::{Interpreter, Leaving};
use crate::models::SegmentEnd;
use crate::op::Stop;
use emu_core::probe::{Memory, MemoryAccess};
use emu_core::ram::granule_mask;
use emu_core::x86::{Cr0, Cr4, Exception, Rflags, Seg};
use emu_core::{Gpa, Width};

/// What is all integers, so that zeros are a value of it.
///
/// # Safety
/// That it is.
pub(super) unsafe trait Plain {}

// SAFETY: an entry is two integers.
unsafe impl Plain for super::tlb::Entry {}
// SAFETY: it is one.
unsafe impl Plain for u64 {}
// SAFETY: it is three integers.
unsafe impl Plain for super::paging::Known {}

/// A table of zeros, which the host commits as it is touched.
pub(super) fn zeroed<T: Plain, const N: usize>() -> Box<[T; N]> {
    // SAFETY: zeros are a value of each.
    unsafe { Box::<[T; N]>::new_zeroed().assume_init() }
}

/// The same value, of which the compiler no longer knows how it was made: so it keeps the value, for which the handlers have
/// a register, and not its parts, to make it again.
#[inline(always)]
pub(crate) fn kept(mut v: u64) -> u64 {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    // SAFETY: nothing is executed.
    unsafe {
        std::arch::asm!("/* {0} */", inout(reg) v, options(pure, nomem, nostack, preserves_flags));
    }
    v
}

/// The same for a reference.
#[inline(always)]
#[expect(
    clippy::pointers_in_nomem_asm_block,
    reason = "nothing is read or written there"
)]
pub(crate) fn kept_ref<T>(r: &T) -> &T {
    let mut p = std::ptr::from_ref(r);
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    // SAFETY: nothing is executed.
    unsafe {
        std::arch::asm!("/* {0} */", inout(reg) p, options(pure, nomem, nostack, preserves_flags));
    }
    // SAFETY: it is still the reference.
    unsafe { &*p }
}

#[inline(always)]
pub(crate) fn read_host<T: Int>(at: u64) -> T {
    let p = std::ptr::with_exposed_provenance::<u8>(at as usize);
    // SAFETY: see the file's header.
    let v = unsafe {
        match T::BITS {
            8 => u64::from(p.read()),
            16 => u64::from(p.cast::<u16>().read_unaligned()),
            32 => u64::from(p.cast::<u32>().read_unaligned()),
            _ => p.cast::<u64>().read_unaligned(),
        }
    };
    T::from_u64(u64::from_le(v.to_le()))
}

#[inline(always)]
pub(crate) fn write_host<T: Int>(at: u64, v: T) {
    let p = std::ptr::with_exposed_provenance_mut::<u8>(at as usize);
    let v = v.to_u64();
    // SAFETY: see the file's header.
    unsafe {
        match T::BITS {
            8 => p.write(v as u8),
            16 => p.cast::<u16>().write_unaligned((v as u16).to_le()),
            32 => p.cast::<u32>().write_unaligned((v as u32).to_le()),
            _ => p.cast::<u64>().write_unaligned(v.to_le()),
        }
    }
}

/// Two quadwords, the first at the lower address.
#[inline(always)]
pub(crate) fn read_host_pair(at: u64) -> [u64; 2] {
    let p = std::ptr::with_exposed_provenance::<[u64; 2]>(at as usize);
    // SAFETY: see the file's header.
    unsafe { p.read_unaligned() }.map(u64::from_le)
}

#[inline(always)]
pub(crate) fn write_host_pair(at: u64, v: [u64; 2]) {
    let p = std::ptr::with_exposed_provenance_mut::<[u64; 2]>(at as usize);
    // SAFETY: see the file's header.
    unsafe { p.write_unaligned(v.map(u64::to_le)) }
}

/// Copies bytes, those of one page to those of one page; they may overlap.
#[inline(always)]
pub(crate) fn copy_host(from: u64, to: u64, bytes: usize) {
    let from = std::ptr::with_exposed_provenance::<u8>(from as usize);
    let to = std::ptr::with_exposed_provenance_mut::<u8>(to as usize);
    // SAFETY: see the file's header; neither side leaves the page that it begins in.
    unsafe { std::ptr::copy(from, to, bytes) }
}

/// Fills bytes of one page with the little-endian bytes of `pattern`, over and over.
pub(crate) fn fill_host(to: u64, bytes: usize, pattern: u64) {
    let to = std::ptr::with_exposed_provenance_mut::<u8>(to as usize);
    let (quadwords, rest) = (bytes / 8, bytes % 8);
    let pattern = pattern.to_le_bytes();
    // SAFETY: see the file's header; `8 * quadwords + rest` bytes do not leave the page that they begin in.
    unsafe {
        for i in 0..quadwords {
            to.cast::<[u8; 8]>().add(i).write(pattern);
        }
        for (i, &b) in pattern[..rest].iter().enumerate() {
            to.add(8 * quadwords + i).write(b);
        }
    }
}

/// [`Place::first_len`] of a place in a page that may hold decoded code: the code stamps must be looked at.
const CODE_PAGE: u8 = u8::MAX;

/// Where a read-modify-write instruction puts its result: checked, translated, ready to be written.
#[derive(Copy, Clone)]
pub struct Place {
    /// Host address; 0: `first` and `second` say where.
    host: u64,
    /// Physical address of the first part.
    first: u64,
    /// Bytes in the first part.
    first_len: u8,
    /// Physical address of the part on the next page.
    second: u64,
    /// Linear address, for probes.
    linear: u64,
}

impl Place {
    /// A place in a page without decoded code.
    #[inline(always)]
    pub fn in_memory(host: u64) -> Self {
        Self {
            host,
            first: 0,
            first_len: 0,
            second: 0,
            linear: 0,
        }
    }

    /// A place in a page that may hold some.
    pub(super) fn beside_code(host: u64) -> Self {
        Self {
            first_len: CODE_PAGE,
            ..Self::in_memory(host)
        }
    }

    /// The host address, if it is a place in a page without.
    #[inline(always)]
    pub fn memory(&self) -> Option<u64> {
        (self.host != 0 && self.first_len != CODE_PAGE).then_some(self.host)
    }
}

impl Interpreter {
    /// Loads from a segment if that takes no more than the TLB.
    #[inline(always)]
    pub(crate) fn fast_load<T: Int, A: Address>(&self, seg: usize, offset: u64) -> Option<T> {
        let linear = if A::FLAT {
            offset
        } else {
            let s = &self.segments[seg % 6];
            if !s.may_read(offset, T::BYTES as u64) {
                return None;
            }
            kept(s.base.wrapping_add(offset) & self.linear_mask)
        };
        self.tlb.read_hit::<T>(linear).map(read_host)
    }

    /// The host address to store at in a segment, if finding it takes no more than the TLB; `READ`: it may also be read.
    #[inline(always)]
    pub(crate) fn fast_place<T: Int, A: Address, const READ: bool>(
        &self,
        seg: usize,
        offset: u64,
    ) -> Option<u64> {
        let linear = if A::FLAT {
            offset
        } else {
            let s = &self.segments[seg % 6];
            let bytes = T::BYTES as u64;
            if !s.may_write(offset, bytes) || (READ && !s.may_read(offset, bytes)) {
                return None;
            }
            kept(s.base.wrapping_add(offset) & self.linear_mask)
        };
        self.tlb.write_hit::<T>(linear)
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn open_slow<T: Int>(
        &mut self,
        seg: usize,
        offset: u64,
    ) -> Result<(T, Place), Stop> {
        let n = T::BYTES as u64;
        if let Some((linear, privilege)) = self.plain_access(seg, offset, n, true)
            && let Some(place) = self.refill_write(linear, n, privilege)?
        {
            return Ok((read_host(place.host), place));
        }
        let place = self.place(seg, offset, T::WIDTH)?;
        let v = self.read_place(&place, T::WIDTH);
        Ok((T::from_u64(v), place))
    }

    /// Checks and translates a store without performing it.
    pub(crate) fn place(&mut self, seg: usize, offset: u64, width: Width) -> Result<Place, Stop> {
        if let Some(place) = self.place_round_the_end(seg, offset, width)? {
            return Ok(place);
        }
        let linear = self.linear(seg, offset, width, true)?;
        self.place_checked(linear, width)
    }

    /// As [`Self::place`], for the linear address that the checks of a segment have given.
    pub(crate) fn place_checked(&mut self, linear: u64, width: Width) -> Result<Place, Stop> {
        self.place_linear(linear, width, self.data_privilege())
    }

    /// Where segments have no limits, an access that goes over the end of one.
    fn place_round_the_end(
        &mut self,
        seg: usize,
        offset: u64,
        width: Width,
    ) -> Result<Option<Place>, Stop> {
        let Some(end) = self.model.segment_end else {
            return Ok(None);
        };
        if offset + width.bytes() as u64 <= 0x1_0000 {
            return Ok(None);
        }
        let base = self.segments[seg % 6].base;
        let linear = base + offset;
        let second = match end {
            SegmentEnd::Wraps => base,
            SegmentEnd::GoesOn => base + 0x1_0000,
        };
        let purpose = Purpose::write(Privilege::Supervisor);
        Ok(Some(Place {
            host: 0,
            first: self.translate(linear, purpose)?.gpa,
            first_len: (0x1_0000 - offset) as u8,
            second: self.translate(second, purpose)?.gpa,
            linear,
        }))
    }

    /// As [`Self::place`], for a linear address and with given privilege.
    pub(crate) fn place_linear(
        &mut self,
        linear: u64,
        width: Width,
        privilege: Privilege,
    ) -> Result<Place, Stop> {
        let n = width.bytes() as u64;
        if let Some((host, gpa)) = self.tlb.write_slow(privilege, linear, n) {
            // A probe wants to know the physical address.
            if !self.reports(linear, n) {
                return Ok(Place::beside_code(host));
            }
            return Ok(Place {
                host: 0,
                first: gpa,
                first_len: n as u8,
                second: 0,
                linear,
            });
        }
        if let Some(gpa) = self.tlb.device.find(privilege, true, linear, n) {
            return Ok(Place {
                host: 0,
                first: gpa,
                first_len: n as u8,
                second: 0,
                linear,
            });
        }
        let purpose = Purpose::write(privilege);
        let room = 0x1000 - (linear & 0xFFF);
        let first = self.translate(linear, purpose)?;
        if room >= n {
            let (len, global) = (n as u8, first.global);
            let host = self.fill_write(linear, first.gpa, privilege, global);
            if let Some(host) = host.filter(|_| !self.reports(linear, n)) {
                return Ok(Place::in_memory(host));
            }
            return Ok(Place {
                host: 0,
                first: first.gpa,
                first_len: len,
                second: 0,
                linear,
            });
        }
        let next = self.wrapped(linear.wrapping_add(room), linear);
        let second = self.translate(next, purpose)?.gpa;
        Ok(Place {
            host: 0,
            first: first.gpa,
            first_len: room as u8,
            second,
            linear,
        })
    }

    fn read_place(&mut self, place: &Place, width: Width) -> u64 {
        if place.host != 0 {
            return self.host_read(place.host, width);
        }
        let n = width.bytes();
        let first = usize::from(place.first_len);
        let v = if first >= n {
            self.physical_read(place.first, width)
        } else {
            self.read_parts(place.first, first, place.second, n)
        };
        self.watch(MemoryAccess::Read, place.linear, place.first, width, v);
        v
    }

    fn read_parts(&mut self, first: u64, first_len: usize, second: u64, n: usize) -> u64 {
        let mut v = 0;
        for i in 0..n {
            let at = if i < first_len {
                first + i as u64
            } else {
                second + (i - first_len) as u64
            };
            v |= self.physical_read(at, Width::Byte) << (8 * i);
        }
        v
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn close_slow(&mut self, place: Place, width: Width, v: u64) {
        if place.first_len == CODE_PAGE {
            self.note_overwrite(place.host, width.bytes());
            self.host_write(place.host, width, v);
            self.host_written(place.host, width.bytes());
            return;
        }
        if place.host != 0 {
            return self.host_write(place.host, width, v);
        }
        let n = width.bytes();
        let first = usize::from(place.first_len);
        if first >= n {
            self.physical_write(place.first, width, v);
        } else {
            for i in 0..n {
                let at = if i < first {
                    place.first + i as u64
                } else {
                    place.second + (i - first) as u64
                };
                self.physical_write(at, Width::Byte, v >> (8 * i) & 0xFF);
            }
        }
        self.watch(MemoryAccess::Write, place.linear, place.first, width, v);
    }

    /// What an access beyond the limit of the stack segment raises: #SS(0), but on the 80286 in real mode interrupt 13
    /// as for any other segment (as captured from one).
    pub(crate) fn stack_fault(&self) -> Fault {
        if self.model.processor.is_some() && self.is_real() {
            Fault::GP0
        } else {
            Fault::SS0
        }
    }

    /// An address that was computed from a linear one: below 4 GiB it wraps there, unless this is 64-bit mode.
    pub(crate) fn wrapped(&self, next: u64, linear: u64) -> u64 {
        if linear <= u64::from(u32::MAX) {
            next & self.linear_mask
        } else {
            next
        }
    }

    /// Checks a segment access with its alignment and gives its linear address.
    pub(crate) fn linear(
        &mut self,
        seg: usize,
        offset: u64,
        width: Width,
        write: bool,
    ) -> Result<u64, Stop> {
        let linear = self.linear_of_bytes(seg, offset, width.bytes() as u64, write)?;
        self.check_alignment(linear, width.bytes() as u64)?;
        Ok(linear)
    }

    /// #AC if alignment is checked and a linear address is no multiple of `bytes`.
    pub(crate) fn check_alignment(&mut self, linear: u64, bytes: u64) -> Result<(), Stop> {
        let checks =
            self.cpl == 3 && self.cr0.contains(Cr0::AM) && self.rflags.contains(Rflags::AC);
        self.ensure(
            !checks || linear & (bytes - 1) == 0,
            Fault::of(Exception::AlignmentCheck),
        )
    }

    /// Checks a segment access of `n` bytes but for its alignment and gives its linear address.
    pub(crate) fn linear_of_bytes(
        &mut self,
        seg: usize,
        offset: u64,
        n: u64,
        write: bool,
    ) -> Result<u64, Stop> {
        let s = &self.segments[seg % 6];
        let base = s.base;
        let ok = if write {
            s.may_write(offset, n)
        } else {
            s.may_read(offset, n)
        };
        // With a limit of 4 GiB an access may wrap round the end of the segment (SDM vol. 3, section 5.3 leaves it to
        // the implementation; AMD's processors let none).
        let wraps = !ok
            && !self.model.is_amd()
            && s.reg.limit == u32::MAX
            && offset <= u64::from(u32::MAX)
            && if write {
                s.may_write(offset, 1)
            } else {
                s.may_read(offset, 1)
            };
        if !ok && !wraps {
            let fault = if seg == Seg::Ss as usize {
                self.stack_fault()
            } else {
                Fault::GP0
            };
            return Err(self.fault(fault));
        }
        let linear = base.wrapping_add(offset) & self.linear_mask;
        if self.is_64_bit() {
            let ok = self.is_canonical(linear)
                && self.is_canonical(linear.wrapping_add(n - 1))
                // AMD's processors look at the offset in FS and GS too.
                && (!self.model.is_amd() || self.is_canonical(offset));
            let fault = if seg == Seg::Ss as usize {
                Fault::SS0
            } else {
                Fault::GP0
            };
            self.ensure(ok, fault)?;
        }
        Ok(linear)
    }

    /// A load that missed: every check, translation, devices.
    #[cold]
    #[inline(never)]
    pub(crate) fn load_slow(&mut self, seg: usize, offset: u64, width: Width) -> Result<u64, Stop> {
        let n = width.bytes() as u64;
        if let Some((linear, privilege)) = self.plain_access(seg, offset, n, false) {
            if let Some(gpa) = self.tlb.device.find(privilege, false, linear, n) {
                return Ok(self.device_read(gpa, width));
            }
            if let Some(host) = self.refill_read(linear, n, privilege)? {
                return Ok(self.host_read(host, width));
            }
        }
        if let Some(place) = self.place_round_the_end(seg, offset, width)? {
            return Ok(self.read_place(&place, width));
        }
        let linear = self.linear(seg, offset, width, false)?;
        self.load_checked(linear, width)
    }

    /// As [`Self::load_slow`], for the linear address that the checks of a segment have given.
    pub(super) fn load_checked(&mut self, linear: u64, width: Width) -> Result<u64, Stop> {
        self.load_linear(linear, width, self.data_privilege())
    }

    /// Checks and translates a load without performing it.
    pub(crate) fn check_load(&mut self, seg: usize, offset: u64, width: Width) -> Result<(), Stop> {
        let linear = self.linear(seg, offset, width, false)?;
        let purpose = Purpose::read(self.data_privilege());
        let room = 0x1000 - (linear & 0xFFF);
        self.translate(linear, purpose)?;
        if room < width.bytes() as u64 {
            self.translate(self.wrapped(linear.wrapping_add(room), linear), purpose)?;
        }
        Ok(())
    }

    /// The host address of a store that needs nothing but a hit of the TLB.
    #[inline]
    pub(crate) fn store_at_hand(&self, linear: u64, n: u64, privilege: Privilege) -> Option<u64> {
        if self.watch_memory {
            return None;
        }
        self.tlb.write_hit_with(privilege, linear, n)
    }

    /// Loads from a linear address with given privilege (descriptor tables and TSSs are read as supervisor).
    pub(crate) fn load_linear(
        &mut self,
        linear: u64,
        width: Width,
        privilege: Privilege,
    ) -> Result<u64, Stop> {
        let n = width.bytes();
        // What a breakpoint watches is not in the TLB.
        if !self.watch_memory
            && let Some(host) = self.tlb.read_hit_with(privilege, linear, n as u64)
        {
            return Ok(self.host_read(host, width));
        }
        self.load_linear_slow(linear, width, privilege)
    }

    #[inline(never)]
    fn load_linear_slow(
        &mut self,
        linear: u64,
        width: Width,
        privilege: Privilege,
    ) -> Result<u64, Stop> {
        let n = width.bytes();
        if let Some((host, gpa)) = self.tlb.read_slow(privilege, linear, n as u64) {
            let v = self.host_read(host, width);
            self.watch(MemoryAccess::Read, linear, gpa, width, v);
            return Ok(v);
        }
        if let Some(gpa) = self.tlb.device.find(privilege, false, linear, n as u64) {
            let v = self.physical_read(gpa, width);
            self.watch(MemoryAccess::Read, linear, gpa, width, v);
            return Ok(v);
        }
        // What may be written may be read.
        if let Some((host, fresh)) = self.tlb.written(privilege, linear, n as u64) {
            self.tlb.fill_read(privilege, linear, fresh);
            let v = self.host_read(host, width);
            self.watch(MemoryAccess::Read, linear, fresh.gpa, width, v);
            return Ok(v);
        }
        let purpose = Purpose::read(privilege);
        let room = (0x1000 - (linear & 0xFFF)) as usize;
        let first = self.translate(linear, purpose)?;
        let v = if room >= n {
            let page = self.physical_page(first.gpa);
            if page.read == 0 {
                let device = &mut self.tlb.device;
                device.fill(privilege, false, linear, first.gpa);
            } else if !self.is_watched(linear) {
                let fresh = Filling {
                    gpa: first.gpa,
                    host_page: page.read,
                    code: false,
                    global: first.global,
                };
                self.tlb.fill_read(privilege, linear, fresh);
            }
            if page.read != 0 {
                self.host_read(page.read + (first.gpa & 0xFFF), width)
            } else {
                self.physical_read(first.gpa, width)
            }
        } else {
            let next = self.wrapped(linear.wrapping_add(room as u64), linear);
            let second = self.translate(next, purpose)?;
            self.read_parts(first.gpa, room, second.gpa, n)
        };
        self.watch(MemoryAccess::Read, linear, first.gpa, width, v);
        Ok(v)
    }

    /// A store that missed.
    #[cold]
    #[inline(never)]
    pub(crate) fn store_slow(
        &mut self,
        seg: usize,
        offset: u64,
        width: Width,
        v: u64,
    ) -> Result<(), Stop> {
        let n = width.bytes() as u64;
        if let Some((linear, privilege)) = self.plain_access(seg, offset, n, true) {
            if let Some(gpa) = self.tlb.device.find(privilege, true, linear, n) {
                self.device_write(gpa, width, v);
                return Ok(());
            }
            if let Some(place) = self.refill_write(linear, n, privilege)? {
                self.close_slow(place, width, v);
                return Ok(());
            }
        }
        let place = self.place(seg, offset, width)?;
        self.close_slow(place, width, v);
        Ok(())
    }

    /// Stores to a linear address with given privilege.
    pub(crate) fn store_linear(
        &mut self,
        linear: u64,
        width: Width,
        privilege: Privilege,
        v: u64,
    ) -> Result<(), Stop> {
        let place = self.place_linear(linear, width, privilege)?;
        self.close_slow(place, width, v);
        Ok(())
    }

    /// Puts a page into the TLB if it may be there. Gives the host address if nobody need hear of a store to it.
    pub(super) fn fill_write(
        &mut self,
        linear: u64,
        gpa: u64,
        privilege: Privilege,
        global: bool,
    ) -> Option<u64> {
        let page = self.physical_page(gpa);
        if page.write == 0 {
            self.tlb.device.fill(privilege, true, linear, gpa);
            return None;
        }
        // A read-modify-write finds its page here and reads it too, so one that is read from elsewhere (memory behind a ROM)
        // stays out.
        if page.read != page.write || self.is_watched(linear) {
            return None;
        }
        let code = self.physical.locate(page.write).is_some_and(|(ram, n)| {
            ram.mark_dirty(n);
            ram.code_in(n) != 0
        });
        let fresh = Filling {
            gpa,
            host_page: page.write,
            code,
            global,
        };
        self.tlb.fill_write(privilege, linear, fresh);
        (!code).then_some(page.write + (gpa & 0xFFF))
    }

    /// Whether a page must stay out of the TLB because a breakpoint watches it.
    fn is_watched(&self, linear: u64) -> bool {
        self.has_data_breakpoint_on(linear & !0xFFF)
    }

    /// Whether the probe wants to hear of an access.
    fn reports(&self, linear: u64, bytes: u64) -> bool {
        self.watch_memory || self.tlb.watches(linear, bytes)
    }

    /// The privilege of an instruction's own loads and stores.
    pub(crate) fn data_privilege(&self) -> Privilege {
        if self.cpl == 3 {
            Privilege::User
        } else if self.cr4.contains(Cr4::SMAP) && self.rflags.contains(Rflags::AC) {
            Privilege::SupervisorWithAc
        } else {
            Privilege::Supervisor
        }
    }

    /// The tables that data accesses would use if nobody watched.
    pub(crate) fn unwatched_privilege(&self) -> Privilege {
        if self.cpl != 3 {
            self.data_privilege()
        } else if self.cr0.contains(Cr0::AM) && self.rflags.contains(Rflags::AC) {
            Privilege::Uncached
        } else {
            Privilege::User
        }
    }

    /// Reports an access on the slow path to data breakpoints and the probe.
    fn watch(&mut self, access: MemoryAccess, linear: u64, gpa: u64, width: Width, value: u64) {
        if self.dr7 & 0xFF != 0 {
            self.note_data_breakpoints(access, linear, width);
        }
        if self.reports(linear, width.bytes() as u64) {
            let (insns, rip) = self.instruction_at_hand();
            let m = Memory {
                cpu: self.id,
                insns,
                rip,
                access,
                linear,
                gpa: Gpa(gpa),
                width,
                value,
            };
            if let Some(p) = self.probe() {
                p.memory(&m);
            }
        }
    }

    /// Reads host memory that a [`super::paging::PhysicalPage`] names.
    pub(crate) fn host_read(&self, at: u64, width: Width) -> u64 {
        match width {
            Width::Byte => read_host::<u8>(at).into(),
            Width::Word => read_host::<u16>(at).into(),
            Width::Dword => read_host::<u32>(at).into(),
            Width::Qword => read_host(at),
        }
    }

    /// Copies host memory that a [`super::paging::PhysicalPage`] names, inside the page.
    pub(crate) fn host_copy(&self, at: u64, bytes: &mut [u8]) {
        let from = std::ptr::with_exposed_provenance::<u8>(at as usize);
        // SAFETY: see the file's header; what is copied to is no guest memory.
        unsafe { std::ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), bytes.len()) }
    }

    /// Writes host memory that a [`super::paging::PhysicalPage`] names.
    pub(crate) fn host_write(&self, at: u64, width: Width, v: u64) {
        match width {
            Width::Byte => write_host(at, v as u8),
            Width::Word => write_host(at, v as u16),
            Width::Dword => write_host(at, v as u32),
            Width::Qword => write_host(at, v),
        }
    }

    /// After a store on the slow path: marks the page dirty and drops code that was overwritten.
    pub(crate) fn host_written(&mut self, at: u64, bytes: usize) {
        let Some((ram, page)) = self.physical.locate(at) else {
            return;
        };
        ram.mark_dirty(page);
        let offset = (at & 0xFFF) as usize;
        let hit = ram.code_in(page) & granule_mask(offset, (offset + bytes).min(0x1000));
        if hit == 0 {
            return;
        }
        let host_page = at & !0xFFF;
        let dropped = self
            .blocks
            .overwrite(host_page, offset..offset + bytes, self.attached.head);
        // Code that was overwritten is likely to be decoded again: its stamps stay until a store finds that it was not.
        if !dropped {
            ram.set_code(page, self.stamped_granules(host_page));
        }
        // The running block is left if it was dropped. Of one that is not in the cache nobody says whether it was overwritten.
        let kept = self.current_block().is_some_and(|b| b.kept);
        if !kept || self.attached.head.is_dead() {
            self.leave_block = Leaving::Block;
        }
        self.granules_written(host_page, hit);
    }

    /// Called before a device is accessed: guest time must be exact, and behind this instruction the CPU looks at what has
    /// come of it.
    pub(crate) fn device_access(&mut self) {
        self.synchronize();
        self.leave_block = self.leave_block.max(Leaving::Device);
    }
}
