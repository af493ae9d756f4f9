//! Where an instruction finds its registers, flags and memory: in the CPU as a whole, or, on the fast path, with the flags in
//! host registers and with memory only as far as the TLB knows it.

use crate::alu::{Flags, Int};
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::mem::access::{self, Place};
use crate::mem::address::{self, Address};
use crate::op::{OpRef, Stop};
use crate::registers::Registers;
use emu_core::x86::{Gpr, Seg};

/// What a hot instruction works on.
pub trait Context {
    /// Why it could not be executed.
    type Stop;
    /// Where a read-modify-write instruction puts its result.
    type Place: Copy;

    /// The CPU, to look at.
    fn cpu(&self) -> &Interpreter;
    /// The general registers.
    fn regs(&mut self) -> &mut Registers;
    /// The arithmetic flags.
    fn flags(&self) -> Flags;
    /// Replaces them.
    fn set_flags(&mut self, flags: Flags);
    /// Gives up unless a condition holds that the fast path relies on; without effect where everything can be done.
    fn only_if(&self, condition: bool) -> Result<(), Self::Stop>;
    /// The instruction faults.
    fn refuse(&mut self, fault: Fault) -> Self::Stop;
    /// Loads from a segment.
    fn load_at<T: Int, A: Address>(&mut self, seg: usize, offset: u64) -> Result<T, Self::Stop>;
    /// Stores to a segment.
    fn store_at<T: Int, A: Address>(
        &mut self,
        seg: usize,
        offset: u64,
        v: T,
    ) -> Result<(), Self::Stop>;
    /// Loads the memory operand of a read-modify-write instruction, with the right to write it.
    fn open<T: Int, A: Address>(&mut self, op: OpRef) -> Result<(T, Self::Place), Self::Stop>;
    /// Writes what [`Self::open`] gave the place for; cannot fail.
    fn close<T: Int>(&mut self, place: Self::Place, v: T);

    /// Loads the memory operand of an operation.
    #[inline(always)]
    fn load<T: Int, A: Address>(&mut self, op: OpRef) -> Result<T, Self::Stop> {
        let offset = A::offset(self.cpu(), op);
        self.load_at::<T, A>(address::segment(&op), offset)
    }

    /// Stores to the memory operand of an operation.
    #[inline(always)]
    fn store<T: Int, A: Address>(&mut self, op: OpRef, v: T) -> Result<(), Self::Stop> {
        let offset = A::offset(self.cpu(), op);
        self.store_at::<T, A>(address::segment(&op), offset, v)
    }

    /// Pushes a value.
    #[inline(always)]
    fn push<T: Int, W: Address>(&mut self, v: T) -> Result<(), Self::Stop> {
        let cpu = self.cpu();
        let sp = cpu.regs.whole(Gpr::Rsp as u8);
        let mask = stack_mask::<T, W>(cpu);
        let sp = access::kept(sp.wrapping_sub(T::BYTES as u64) & mask);
        self.store_at::<T, W>(Seg::Ss as usize, sp, v)?;
        self.set_sp::<W>(sp, mask);
        Ok(())
    }

    /// The value on top of the stack.
    #[inline(always)]
    fn peek<T: Int, W: Address>(&mut self) -> Result<T, Self::Stop> {
        let cpu = self.cpu();
        let sp = access::kept(cpu.regs.whole(Gpr::Rsp as u8) & stack_mask::<T, W>(cpu));
        self.load_at::<T, W>(Seg::Ss as usize, sp)
    }

    /// Takes `bytes` bytes off the stack; what stood there was a `T`.
    #[inline(always)]
    fn drop_from_stack<T: Int, W: Address>(&mut self, bytes: u64) {
        let cpu = self.cpu();
        // Read anew: it costs less than to keep it since it was peeked at.
        let regs = access::kept_ref(&cpu.regs);
        let sp = regs.whole(Gpr::Rsp as u8).wrapping_add(bytes);
        let mask = stack_mask::<T, W>(cpu);
        self.set_sp::<W>(sp, mask);
    }

    /// Replaces the stack pointer, as far as the stack's size lets it count.
    #[inline(always)]
    fn set_sp<W: Address>(&mut self, sp: u64, mask: u64) {
        if !W::FLAT && mask == 0xFFFF {
            self.regs().set_named(Gpr::Rsp, sp as u16);
        } else {
            self.regs().set_named(Gpr::Rsp, sp & mask);
        }
    }
}

#[inline(always)]
fn stack_mask<T: Int, W: Address>(cpu: &Interpreter) -> u64 {
    if T::BITS == 64 {
        // Only in 64-bit mode.
        u64::MAX
    } else if W::FLAT {
        cpu.linear_mask
    } else {
        cpu.stack_mask()
    }
}

impl Context for Interpreter {
    type Stop = Stop;
    type Place = Place;

    fn cpu(&self) -> &Interpreter {
        self
    }
    fn regs(&mut self) -> &mut Registers {
        &mut self.regs
    }
    fn flags(&self) -> Flags {
        self.flags
    }
    fn set_flags(&mut self, flags: Flags) {
        self.flags = flags;
    }
    fn only_if(&self, _: bool) -> Result<(), Stop> {
        Ok(())
    }
    fn refuse(&mut self, fault: Fault) -> Stop {
        self.fault(fault)
    }
    #[inline(always)]
    fn load_at<T: Int, A: Address>(&mut self, seg: usize, offset: u64) -> Result<T, Stop> {
        match self.fast_load::<T, A>(seg, offset) {
            Some(v) => Ok(v),
            None => self.load_slow(seg, offset, T::WIDTH).map(T::from_u64),
        }
    }
    #[inline(always)]
    fn store_at<T: Int, A: Address>(&mut self, seg: usize, offset: u64, v: T) -> Result<(), Stop> {
        match self.fast_place::<T, A, false>(seg, offset) {
            Some(host) => {
                access::write_host(host, v);
                Ok(())
            }
            None => self.store_slow(seg, offset, T::WIDTH, v.to_u64()),
        }
    }
    fn open<T: Int, A: Address>(&mut self, op: OpRef) -> Result<(T, Place), Stop> {
        let (seg, offset) = (address::segment(&op), A::offset(self, op));
        match self.fast_place::<T, A, true>(seg, offset) {
            Some(host) => Ok((access::read_host(host), Place::in_memory(host))),
            None => self.open_slow::<T>(seg, offset),
        }
    }
    fn close<T: Int>(&mut self, place: Place, v: T) {
        match place.memory() {
            Some(host) => access::write_host(host, v),
            None => self.close_slow(place, T::WIDTH, v.to_u64()),
        }
    }
}

/// The fast path: no call, no event, nothing but the TLB.
pub struct Fast<'a> {
    /// The CPU.
    pub cpu: &'a mut Interpreter,
    /// The arithmetic flags; those in the CPU are stale.
    pub flags: Flags,
}

/// The fast path cannot do it.
pub struct Miss;

impl Context for Fast<'_> {
    type Stop = Miss;
    type Place = u64;

    #[inline(always)]
    fn cpu(&self) -> &Interpreter {
        self.cpu
    }
    #[inline(always)]
    fn regs(&mut self) -> &mut Registers {
        &mut self.cpu.regs
    }
    #[inline(always)]
    fn flags(&self) -> Flags {
        self.flags
    }
    #[inline(always)]
    fn set_flags(&mut self, flags: Flags) {
        self.flags = flags;
    }
    #[inline(always)]
    fn only_if(&self, condition: bool) -> Result<(), Miss> {
        if condition { Ok(()) } else { Err(Miss) }
    }
    #[inline(always)]
    fn refuse(&mut self, _: Fault) -> Miss {
        Miss
    }
    #[inline(always)]
    fn load_at<T: Int, A: Address>(&mut self, seg: usize, offset: u64) -> Result<T, Miss> {
        self.cpu.fast_load::<T, A>(seg, offset).ok_or(Miss)
    }
    #[inline(always)]
    fn store_at<T: Int, A: Address>(&mut self, seg: usize, offset: u64, v: T) -> Result<(), Miss> {
        let host = self
            .cpu
            .fast_place::<T, A, false>(seg, offset)
            .ok_or(Miss)?;
        access::write_host(host, v);
        Ok(())
    }
    #[inline(always)]
    fn open<T: Int, A: Address>(&mut self, op: OpRef) -> Result<(T, u64), Miss> {
        let offset = A::offset(self.cpu, op);
        let seg = address::segment(&op);
        let host = self.cpu.fast_place::<T, A, true>(seg, offset).ok_or(Miss)?;
        Ok((access::read_host(host), host))
    }
    #[inline(always)]
    fn close<T: Int>(&mut self, host: u64, v: T) {
        access::write_host(host, v);
    }
}
