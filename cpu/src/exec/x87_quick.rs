//! x87 instructions in few steps and without a call, where no register is empty that should not be, or full that should not
//! be, and all numbers are ordinary ones ([`crate::x87::quick`]). Whatever else is [`super::x87`]'s, with nothing committed.

use super::data::CONDITIONS;
use super::operand::As;
use super::x87::{
    ArithMemory, ArithStack, CompareMemory, CompareStack, CompareToFlags, Execution, LoadControl,
    LoadExtended, LoadMemory, MoveIf, OPERATIONS, OnStack, Stack, StatusToAx, StoreControl,
    StoreMemory, StoreStatus, Wait, X87,
};
use super::x87_operand::{MemoryNumber, MemoryStore};
use crate::alu::flags::{CF, ZF};
use crate::alu::{Flags, Int};
use crate::context::Fast;
use crate::interpreter::Interpreter;
use crate::mem::access;
use crate::mem::address::{self, Address};
use crate::op::{OpRef, Shortcut};
use crate::softfloat::F80;
use crate::x87::Fpu;
use crate::x87::quick::{self, Rounded};
use crate::x87::state::{C0, C3, Ease};
use emu_core::x86::{Cr0, Seg};

/// An instruction that has a shortcut, which `A` tells how to address memory.
pub trait Quick: Execution {
    /// What must be known of control and status word.
    const EASE: Ease;
    /// Executes it but for what is recorded of the instruction, or gives up with nothing committed.
    fn attempt<A: Address>(fast: &mut Fast<'_>, op: OpRef) -> Option<()>;
}

/// The shortcut of an instruction.
pub struct Short<E, A>(As<(E, A)>);

impl<E: Quick, A: Address> Shortcut for Short<E, A> {
    type Whole = X87<E>;
    #[inline(always)]
    fn take(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let cpu = &*fast.cpu;
        if cpu.cr0.intersects(Cr0::EM | Cr0::TS) || !cpu.x87.is_settled(E::EASE) {
            return None;
        }
        E::attempt::<A>(fast, op)?;
        #[cfg(test)]
        tests::TAKEN.set(tests::TAKEN.get() + 1);
        if E::RECORDS {
            record(fast.cpu, op);
        }
        Some(())
    }
}

/// WAIT where nothing is waited for.
pub struct NothingWaits;

impl Shortcut for NothingWaits {
    type Whole = Wait;
    #[inline(always)]
    fn take(fast: &mut Fast<'_>, _: OpRef) -> Option<()> {
        let cpu = &*fast.cpu;
        let not_here = cpu.cr0.contains(Cr0::MP | Cr0::TS);
        (!not_here && cpu.x87.is_settled(Ease::CALM)).then_some(())
    }
}

/// FIP, FCS and FOP, on models whose instruction pointer is as wide as linear addresses are.
#[inline(always)]
fn record(cpu: &mut Interpreter, op: OpRef) {
    let second = op.plus(1);
    let rip = cpu.regs.block_rip().wrapping_add(second.imm as u64);
    cpu.x87.fip = rip & cpu.linear_mask;
    cpu.x87.fcs = cpu.segments[Seg::Cs as usize].reg.selector.0;
    cpu.x87.fop = u16::from_le_bytes([second.a, second.b]);
}

/// The memory operand of a shortcut.
#[derive(Clone, Copy)]
struct Operand {
    segment: usize,
    selector: u16,
    offset: u64,
}

impl Operand {
    #[inline(always)]
    fn new<A: Address>(cpu: &Interpreter, op: OpRef) -> Option<Self> {
        let segment = usize::from(op.plus(1).c);
        Some(Self {
            segment,
            selector: cpu.segments.get(segment)?.reg.selector.0,
            offset: A::offset(cpu, op),
        })
    }

    /// What lies `n` bytes behind it.
    #[inline(always)]
    fn plus(self, cpu: &Interpreter, n: u64) -> Self {
        Self {
            offset: self.offset.wrapping_add(n) & cpu.linear_mask,
            ..self
        }
    }

    #[inline(always)]
    fn load<T: Int, A: Address>(self, cpu: &Interpreter) -> Option<T> {
        cpu.fast_load::<T, A>(self.segment, self.offset)
    }

    #[inline(always)]
    fn place<T: Int, A: Address>(self, cpu: &Interpreter) -> Option<u64> {
        cpu.fast_place::<T, A, false>(self.segment, self.offset)
    }

    /// FDP and FDS.
    #[inline(always)]
    fn record(self, fpu: &mut Fpu) {
        fpu.fdp = self.offset;
        fpu.fds = self.selector;
    }
}

/// Loads the number in memory.
#[inline(always)]
fn number<M: MemoryNumber, A: Address>(cpu: &Interpreter, from: Operand) -> Option<F80> {
    M::ordinary(from.load::<M::Bits, A>(cpu)?)
}

impl<M: MemoryNumber, const N: usize> Quick for ArithMemory<M, N> {
    const EASE: Ease = Ease::NEAREST;
    #[inline(always)]
    fn attempt<A: Address>(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let from = Operand::new::<A>(fast.cpu, op)?;
        let v = number::<M, A>(fast.cpu, from)?;
        let fpu = &mut fast.cpu.x87;
        let index = fpu.full(0)?;
        operate::<N>(fpu, index, v)?;
        from.record(fpu);
        Some(())
    }
}

impl<M: MemoryNumber, const POP: bool> Quick for CompareMemory<M, POP> {
    const EASE: Ease = Ease::CALM;
    #[inline(always)]
    fn attempt<A: Address>(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let from = Operand::new::<A>(fast.cpu, op)?;
        let v = number::<M, A>(fast.cpu, from)?;
        let fpu = &mut fast.cpu.x87;
        let relation = quick::compare(fpu.value(0)?, v)?;
        fpu.set_relation(relation);
        if POP {
            fpu.pop_quick();
        }
        from.record(fpu);
        Some(())
    }
}

impl<M: MemoryNumber> Quick for LoadMemory<M> {
    const EASE: Ease = Ease::CALM;
    #[inline(always)]
    fn attempt<A: Address>(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let from = Operand::new::<A>(fast.cpu, op)?;
        let v = number::<M, A>(fast.cpu, from)?;
        let fpu = &mut fast.cpu.x87;
        fpu.push_quick(v)?;
        from.record(fpu);
        Some(())
    }
}

impl Quick for LoadExtended {
    const EASE: Ease = Ease::CALM;
    #[inline(always)]
    fn attempt<A: Address>(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let cpu = &mut *fast.cpu;
        let from = Operand::new::<A>(cpu, op)?;
        let v = F80 {
            significand: from.load::<u64, A>(cpu)?,
            sign_exp: from.plus(cpu, 8).load::<u16, A>(cpu)?,
        };
        cpu.x87.push_quick(v)?;
        from.record(&mut cpu.x87);
        Some(())
    }
}

impl<M: MemoryStore, const POP: bool> Quick for StoreMemory<M, POP> {
    const EASE: Ease = M::EASE;
    #[inline(always)]
    fn attempt<A: Address>(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let cpu = &mut *fast.cpu;
        let to = Operand::new::<A>(cpu, op)?;
        let v = cpu.x87.value(0)?;
        let r = if M::BYTES == 10 {
            let first = to.place::<u64, A>(cpu)?;
            let second = to.plus(cpu, 8).place::<u16, A>(cpu)?;
            access::write_host(first, v.significand);
            access::write_host(second, v.sign_exp);
            Rounded::exact(0)
        } else {
            let r = M::narrow(v, &cpu.x87)?;
            match M::BYTES {
                2 => access::write_host(to.place::<u16, A>(cpu)?, r.value as u16),
                4 => access::write_host(to.place::<u32, A>(cpu)?, r.value as u32),
                _ => access::write_host(to.place::<u64, A>(cpu)?, r.value),
            }
            r
        };
        let fpu = &mut cpu.x87;
        fpu.note(&r);
        if POP {
            fpu.pop_quick();
        }
        to.record(fpu);
        Some(())
    }
}

impl<const N: usize, const TO_STI: bool, const POP: bool> Quick for ArithStack<N, TO_STI, POP> {
    const EASE: Ease = Ease::NEAREST;
    #[inline(always)]
    fn attempt<A: Address>(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let fpu = &mut fast.cpu.x87;
        let (top, other) = (fpu.full(0)?, fpu.full(op.a)?);
        let (destination, source) = if TO_STI { (other, top) } else { (top, other) };
        operate::<N>(fpu, destination, fpu.registers[source])?;
        if POP {
            fpu.pop_quick();
        }
        Some(())
    }
}

/// One of [`OPERATIONS`] on a register, which is not empty, and a number; the result goes to the register.
#[inline(always)]
fn operate<const N: usize>(fpu: &mut Fpu, destination: usize, source: F80) -> Option<()> {
    let (value, dropped) = (fpu.registers[destination], fpu.dropped());
    let r = quick::operate(OPERATIONS[N], value, source, dropped)?;
    fpu.registers[destination] = r.value;
    fpu.note(&r);
    Some(())
}

impl<const ORDERED: bool, const POPS: u8> Quick for CompareStack<ORDERED, POPS> {
    const EASE: Ease = Ease::CALM;
    #[inline(always)]
    fn attempt<A: Address>(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let fpu = &mut fast.cpu.x87;
        let relation = quick::compare(fpu.value(0)?, fpu.value(op.a)?)?;
        fpu.set_relation(relation);
        for _ in 0..POPS {
            fpu.pop_quick();
        }
        Some(())
    }
}

impl<const ORDERED: bool, const POP: bool> Quick for CompareToFlags<ORDERED, POP> {
    const EASE: Ease = Ease::CALM;
    #[inline(always)]
    fn attempt<A: Address>(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let fpu = &mut fast.cpu.x87;
        let relation = quick::compare(fpu.value(0)?, fpu.value(op.a)?)?;
        if POP {
            fpu.pop_quick();
        }
        let bit = |c: u16, bit: u64| u64::from(relation & c != 0) * bit;
        fast.flags = Flags::explicit(bit(C3, ZF) | bit(C0, CF));
        Some(())
    }
}

impl<const N: usize> Quick for MoveIf<N> {
    const EASE: Ease = Ease::CALM;
    #[inline(always)]
    fn attempt<A: Address>(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let holds = fast.flags.holds(CONDITIONS[N]);
        let fpu = &mut fast.cpu.x87;
        let (to, from) = (fpu.full(0)?, fpu.full(op.a)?);
        if holds {
            fpu.registers[to] = fpu.registers[from];
        }
        Some(())
    }
}

impl<F: OnStack> Quick for Stack<F> {
    const EASE: Ease = match F::EASE {
        Some(ease) => ease,
        None => Ease::all(),
    };
    #[inline(always)]
    fn attempt<A: Address>(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        F::attempt(&mut fast.cpu.x87, op.a)
    }
}

impl Quick for LoadControl {
    const EASE: Ease = Ease::CALM;
    #[inline(always)]
    fn attempt<A: Address>(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let cpu = &mut *fast.cpu;
        let offset = A::offset(cpu, op);
        let word = cpu.fast_load::<u16, A>(address::segment(&op), offset)?;
        cpu.x87.load_control_quick(word)
    }
}

impl Quick for StoreControl {
    const EASE: Ease = Ease::CALM;
    #[inline(always)]
    fn attempt<A: Address>(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let word = fast.cpu.x87.control;
        store_word::<A>(fast.cpu, op, word)
    }
}

impl Quick for StoreStatus {
    const EASE: Ease = Ease::CALM;
    #[inline(always)]
    fn attempt<A: Address>(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let word = fast.cpu.x87.status_word();
        store_word::<A>(fast.cpu, op, word)
    }
}

#[inline(always)]
fn store_word<A: Address>(cpu: &Interpreter, op: OpRef, word: u16) -> Option<()> {
    let offset = A::offset(cpu, op);
    let host = cpu.fast_place::<u16, A, false>(address::segment(&op), offset)?;
    access::write_host(host, word);
    Some(())
}

impl Quick for StatusToAx {
    const EASE: Ease = Ease::CALM;
    #[inline(always)]
    fn attempt<A: Address>(fast: &mut Fast<'_>, _: OpRef) -> Option<()> {
        let word = fast.cpu.x87.status_word();
        fast.cpu.regs.set(0, word);
        Some(())
    }
}

#[cfg(test)]
mod tests;
