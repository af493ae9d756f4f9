//! Operands of 16 bytes and more: to the segment they are one access, to everything behind it quadwords.
//!
//! Those that must be aligned raise #GP if they are not. Of the others a processor may check the alignment when EFLAGS.AC
//! asks for it ("treatment of #AC varies", SDM vol. 2, "MOVUPS" and its kin): Intel's check only operands of up to 8 bytes,
//! AMD's all, those of 32 as halves.

use super::access::{Place, read_host, write_host};
use super::address::{self, Address};
use super::paging::Purpose;
use crate::alu::Int;
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::op::{OpRef, Stop};
use emu_core::Width;

const QUADWORD: u64 = 8;

impl Interpreter {
    /// Loads the memory operand of an operation; #GP if its linear address is no multiple of `alignment`.
    #[inline(always)]
    pub(crate) fn load_wide<W: Address, const N: usize>(
        &mut self,
        op: OpRef,
        alignment: u64,
    ) -> Result<[u64; N], Stop> {
        let (seg, offset) = (address::segment(&op), W::offset(self, op));
        let bytes = QUADWORD * N as u64;
        let segment = &self.segments[seg % 6];
        let allowed = W::FLAT || segment.may_read(offset, bytes);
        let linear = if W::FLAT {
            offset
        } else {
            segment.base.wrapping_add(offset) & self.linear_mask
        };
        let simple = allowed && linear & (alignment - 1) == 0;
        match self.tlb.read_hit_of(linear, bytes) {
            Some(host) if simple => Ok(std::array::from_fn(|i| {
                read_host(host.wrapping_add(QUADWORD * i as u64))
            })),
            _ => {
                let mut v = [0; N];
                self.load_wide_slow(seg, offset, alignment, &mut v)?;
                Ok(v)
            }
        }
    }

    /// Loads quadwords at an offset in a segment.
    #[cold]
    #[inline(never)]
    pub(crate) fn load_wide_slow(
        &mut self,
        seg: usize,
        offset: u64,
        alignment: u64,
        to: &mut [u64],
    ) -> Result<(), Stop> {
        let bytes = QUADWORD * to.len() as u64;
        let linear = self.check_wide(seg, offset, bytes, alignment, false)?;
        let room = 0x1000 - (linear & 0xFFF);
        if room < bytes {
            // Both pages before a device on the first is read.
            let purpose = Purpose::read(self.data_privilege());
            self.translate(linear, purpose)?;
            self.translate(self.wrapped(linear.wrapping_add(room), linear), purpose)?;
        }
        for (i, v) in to.iter_mut().enumerate() {
            let at = linear.wrapping_add(QUADWORD * i as u64);
            *v = self.load_checked(self.wrapped(at, linear), Width::Qword)?;
        }
        Ok(())
    }

    /// Stores to the memory operand of an operation, all or nothing; #GP if its linear address is no multiple of
    /// `alignment`.
    #[inline(always)]
    pub(crate) fn store_wide<W: Address, const N: usize>(
        &mut self,
        op: OpRef,
        alignment: u64,
        v: [u64; N],
    ) -> Result<(), Stop> {
        let (seg, offset) = (address::segment(&op), W::offset(self, op));
        let bytes = QUADWORD * N as u64;
        let segment = &self.segments[seg % 6];
        let allowed = W::FLAT || segment.may_write(offset, bytes);
        let linear = if W::FLAT {
            offset
        } else {
            segment.base.wrapping_add(offset) & self.linear_mask
        };
        let simple = allowed && linear & (alignment - 1) == 0;
        match self.tlb.write_hit_of(linear, bytes) {
            Some(host) if simple => {
                for (i, v) in v.into_iter().enumerate() {
                    write_host(host.wrapping_add(QUADWORD * i as u64), v);
                }
                Ok(())
            }
            _ => self.store_wide_slow(seg, offset, alignment, &v),
        }
    }

    /// Stores quadwords at an offset in a segment, all or nothing.
    #[cold]
    #[inline(never)]
    pub(crate) fn store_wide_slow(
        &mut self,
        seg: usize,
        offset: u64,
        alignment: u64,
        v: &[u64],
    ) -> Result<(), Stop> {
        let bytes = QUADWORD * v.len() as u64;
        let linear = self.check_wide(seg, offset, bytes, alignment, true)?;
        let mut places: Vec<Place> = Vec::with_capacity(v.len());
        for i in 0..v.len() as u64 {
            let at = linear.wrapping_add(QUADWORD * i);
            places.push(self.place_checked(self.wrapped(at, linear), Width::Qword)?);
        }
        for (place, &v) in places.into_iter().zip(v) {
            self.close_slow(place, Width::Qword, v);
        }
        Ok(())
    }

    /// Whatever a store of so many bytes (a power of 2) at an offset in a segment would raise.
    pub(crate) fn check_store(&mut self, seg: usize, offset: u64, bytes: u64) -> Result<(), Stop> {
        let linear = self.linear_of_bytes(seg, offset, bytes, true)?;
        self.check_alignment(linear, bytes)?;
        let purpose = Purpose::write(self.data_privilege());
        self.translate(linear, purpose)?;
        let room = 0x1000 - (linear & 0xFFF);
        if room < bytes {
            self.translate(self.wrapped(linear.wrapping_add(room), linear), purpose)?;
        }
        Ok(())
    }

    /// The offset of a part of an operand. In a segment of 4 GiB an operand may go on at its start.
    fn part(&self, seg: usize, offset: u64, from: u64) -> u64 {
        let at = offset.wrapping_add(from);
        let wraps = !self.is_64_bit() && self.segments[seg % 6].reg.limit == u32::MAX;
        if wraps { at & u64::from(u32::MAX) } else { at }
    }

    /// The linear address of a selected element of an operand, whose alignment is not checked.
    pub(crate) fn check_element<T: Int>(
        &mut self,
        seg: usize,
        offset: u64,
        from: u64,
        write: bool,
    ) -> Result<u64, Stop> {
        let at = self.part(seg, offset, from);
        self.linear_of_bytes(seg, at, T::BYTES as u64, write)
    }

    /// The linear address of a quadword of an operand, some bytes of which are stored.
    pub(crate) fn check_masked_quadword(
        &mut self,
        seg: usize,
        offset: u64,
        from: u64,
    ) -> Result<u64, Stop> {
        let at = self.part(seg, offset, from);
        self.linear(seg, at, Width::Qword, true)
    }

    /// Loads from the linear address that the checks of a segment have given.
    #[inline(always)]
    pub(crate) fn load_element<T: Int>(&mut self, linear: u64) -> Result<T, Stop> {
        match self.tlb.read_hit::<T>(linear) {
            Some(host) => Ok(read_host(host)),
            None => self.load_checked(linear, T::WIDTH).map(T::from_u64),
        }
    }

    /// The alignment, then what the segment forbids. Gives the linear address.
    fn check_wide(
        &mut self,
        seg: usize,
        offset: u64,
        bytes: u64,
        alignment: u64,
        write: bool,
    ) -> Result<u64, Stop> {
        let base = self.segments[seg % 6].base;
        let aligned = base.wrapping_add(offset) & (alignment - 1) == 0;
        self.ensure(aligned, Fault::GP0)?;
        let linear = self.linear_of_bytes(seg, offset, bytes, write)?;
        if self.model.is_amd() && matches!(bytes, 8 | 16 | 32) {
            self.check_alignment(linear, bytes.min(16))?;
        }
        Ok(linear)
    }
}
