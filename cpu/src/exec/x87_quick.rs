//! x87 instructions in few steps and without a call, where no register is empty that should not be, or full that should not
//! be, and all numbers are ordinary ones ([`crate::x87::quick`]). Whatever else is [`super::x87`]'s, with nothing committed.

use super::operand::As;
use super::x87::{
    ArithMemory, ArithStack, Execution, LoadMemory, OPERATIONS, OnStack, Stack, StoreMemory, X87,
};
use super::x87_operand::{MemoryNumber, MemoryStore};
use crate::alu::Int;
use crate::context::Fast;
use crate::interpreter::Interpreter;
use crate::mem::access;
use crate::mem::address::{self, Address, Flat};
use crate::op::{OpRef, Shortcut};
use crate::softfloat::F80;
use crate::x87::Fpu;
use crate::x87::quick;
use emu_core::x86::Cr0;

/// An instruction that waits and records, and that has a shortcut where no register is empty that should not be, or full
/// that should not be, and all numbers are ordinary ones ([`quick`]).
pub trait Quick: Execution {
    /// Executes it but for what is recorded, or gives up with nothing committed.
    fn attempt(cpu: &mut Interpreter, op: OpRef) -> Option<()>;
}

/// The shortcut of an instruction.
pub struct Short<E>(As<E>);

impl<E: Quick> Shortcut for Short<E> {
    type Whole = X87<E>;
    #[inline(always)]
    fn take(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let cpu = &mut *fast.cpu;
        // Without a pending exception FERR# is not asserted either, or is about to be released.
        let refused = cpu.cr0.intersects(Cr0::EM | Cr0::TS) || cpu.x87.exception_pending();
        if refused || cpu.ferr {
            return None;
        }
        E::attempt(cpu, op)?;
        cpu.record_x87(op);
        Some(())
    }
}

/// The memory operand of a shortcut.
#[inline(always)]
pub fn load_flat<T: Int>(cpu: &Interpreter, op: OpRef) -> Option<T> {
    cpu.fast_load::<T, Flat>(address::segment(&op), Flat::offset(cpu, op))
}

impl<M: MemoryNumber, const N: usize> Quick for ArithMemory<M, N> {
    #[inline(always)]
    fn attempt(cpu: &mut Interpreter, op: OpRef) -> Option<()> {
        let v = M::at_hand(cpu, op)?;
        arithmetic(&mut cpu.x87, N, 0, v)?;
        cpu.record_operand(op);
        Some(())
    }
}

impl<M: MemoryNumber> Quick for LoadMemory<M> {
    #[inline(always)]
    fn attempt(cpu: &mut Interpreter, op: OpRef) -> Option<()> {
        let v = M::at_hand(cpu, op)?;
        cpu.x87.push_quick(v)?;
        cpu.record_operand(op);
        Some(())
    }
}

impl<const N: usize, const TO_STI: bool, const POP: bool> Quick for ArithStack<N, TO_STI, POP> {
    #[inline(always)]
    fn attempt(cpu: &mut Interpreter, op: OpRef) -> Option<()> {
        let fpu = &mut cpu.x87;
        let (destination, source) = if TO_STI { (op.a, 0) } else { (0, op.a) };
        if fpu.is_empty(source) {
            return None;
        }
        arithmetic(fpu, N, destination, fpu.st(source))?;
        if POP {
            fpu.free(0);
            fpu.rotate(1);
        }
        Some(())
    }
}

impl<M: MemoryStore, const POP: bool> Quick for StoreMemory<M, POP> {
    #[inline(always)]
    fn attempt(cpu: &mut Interpreter, op: OpRef) -> Option<()> {
        let fpu = &cpu.x87;
        if fpu.is_empty(0) || !fpu.is_usual() {
            return None;
        }
        let r = M::narrow(fpu.st(0))?;
        let (seg, offset) = (address::segment(&op), Flat::offset(cpu, op));
        if M::BYTES == 8 {
            let host = cpu.fast_place::<u64, Flat, false>(seg, offset)?;
            access::write_host(host, r.value);
        } else {
            let host = cpu.fast_place::<u32, Flat, false>(seg, offset)?;
            access::write_host(host, r.value as u32);
        }
        let fpu = &mut cpu.x87;
        fpu.note(&r);
        if POP {
            fpu.free(0);
            fpu.rotate(1);
        }
        cpu.record_operand(op);
        Some(())
    }
}

impl<F: OnStack> Quick for Stack<F> {
    #[inline(always)]
    fn attempt(cpu: &mut Interpreter, op: OpRef) -> Option<()> {
        if !F::is_calm(&cpu.x87, op.a) {
            return None;
        }
        F::run(&mut cpu.x87, op.a);
        Some(())
    }
}

/// One of [`OPERATIONS`] on ST(i) and a number; the result goes to ST(i).
#[inline(always)]
fn arithmetic(fpu: &mut Fpu, n: usize, i: u8, source: F80) -> Option<()> {
    if fpu.is_empty(i) || !fpu.is_usual() {
        return None;
    }
    let r = quick::operate(OPERATIONS[n], fpu.st(i), source)?;
    fpu.note(&r);
    fpu.set_st(i, r.value);
    Some(())
}
