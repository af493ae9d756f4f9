//! PUSH, POP, PUSHA, POPA, ENTER, LEAVE.

use super::operand::{As, Place, Source};
use crate::alu::Int;
use crate::context::Context;
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::mem::address::{Address, Segmented};
use crate::op::{Hot, Instruction, OpRef, Stop};
use emu_core::x86::{Gpr, Seg};

const SS: usize = Seg::Ss as usize;

/// PUSH.
pub struct Push<T, S, W>(As<(T, S, W)>);

impl<T: Int, S: Source<T>, W: Address> Hot for Push<T, S, W> {
    const SLOTS: usize = S::SLOTS;
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, op: OpRef) -> Result<(), X::Stop> {
        let v = S::get(cx, op)?;
        cx.push::<T, W>(v)
    }
}

/// PUSH SP on the 8086 and 80186: pushes the value after the decrement.
pub struct PushNewSp;

impl Instruction for PushNewSp {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let v = cpu.regs.named::<u16>(Gpr::Rsp).wrapping_sub(2);
        cpu.push::<u16, Segmented>(v)
    }
}

/// POP to a register. POP (E)SP leaves what was on the stack.
pub struct Pop<T, W>(As<(T, W)>);

impl<T: Int, W: Address> Hot for Pop<T, W> {
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, op: OpRef) -> Result<(), X::Stop> {
        let v = cx.peek::<T, W>()?;
        cx.drop_from_stack::<T, W>(T::BYTES as u64);
        cx.regs().set(op.a, v);
        Ok(())
    }
}

/// POP to memory: the address is computed with the incremented stack pointer (SDM vol. 2, "POP").
pub struct PopTo<T, D>(As<(T, D)>);

impl<T: Int, D: Place<T>> Instruction for PopTo<T, D> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let v = cpu.peek::<T, Segmented>()?;
        let old = cpu.regs.named::<u64>(Gpr::Rsp);
        cpu.drop_from_stack::<T, Segmented>(T::BYTES as u64);
        let stored = D::set(cpu, op, v);
        if stored.is_err() {
            cpu.regs.set_named(Gpr::Rsp, old);
        }
        stored
    }
}

/// PUSHA, PUSHAD. All eight stores are checked before the first is made.
pub struct PushAll<T>(As<T>);

impl<T: Int> Instruction for PushAll<T> {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let (mask, top) = (cpu.stack_mask(), cpu.stack_pointer());
        let at = |n: u64| top.wrapping_sub(n * T::BYTES as u64) & mask;
        // SDM vol. 2, "PUSHA", real-address and virtual-8086 mode exceptions.
        let wraps = !cpu.is_protected() && matches!(top, 7 | 9 | 11 | 13 | 15);
        cpu.ensure(!wraps, Fault::GP0)?;
        let mut places = Vec::with_capacity(8);
        for n in 1..=8 {
            places.push(cpu.place(SS, at(n), T::WIDTH)?);
        }
        for (r, place) in places.into_iter().enumerate() {
            let v = cpu.regs.get::<T>(r as u8);
            cpu.close_slow(place, T::WIDTH, v.to_u64());
        }
        cpu.set_stack_pointer(at(8));
        Ok(())
    }
}

/// POPA, POPAD: (E)SP's place on the stack is skipped.
pub struct PopAll<T>(As<T>);

impl<T: Int> Instruction for PopAll<T> {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let (mask, top) = (cpu.stack_mask(), cpu.stack_pointer());
        let at = |n: u64| top.wrapping_add(n * T::BYTES as u64) & mask;
        let mut values = [T::from_u64(0); 8];
        for (n, v) in values.iter_mut().enumerate() {
            if n != 3 {
                *v = cpu.load_at::<T, Segmented>(SS, at(n as u64))?;
            }
        }
        for r in 0..8u8 {
            if r != Gpr::Rsp as u8 {
                cpu.regs.set(r, values[usize::from(7 - r)]);
            }
        }
        cpu.set_stack_pointer(at(8));
        Ok(())
    }
}

/// ENTER: the frame size is the first immediate, the nesting level the register field `a`. All accesses are checked
/// before the first is made; then enclosing frames' pointers are read and pushed one by one, so that the instruction
/// sees what it pushed itself.
pub struct Enter<T>(As<T>);

impl<T: Int> Instruction for Enter<T> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let size = op.imm as u32 as u64 & 0xFFFF;
        let level = u64::from(op.a % 32);
        let (mask, n) = (cpu.stack_mask(), T::BYTES as u64);
        let top = cpu.stack_pointer();
        let bp = cpu.regs.named::<u64>(Gpr::Rbp) & cpu.linear_mask;
        let enclosing = |i: u64| bp.wrapping_sub(i * n) & mask;
        // The whole register: with a 16-bit stack its upper half counts too (SDM vol. 2, "ENTER": FrameTemp := ESP).
        let frame = cpu.regs.named::<u64>(Gpr::Rsp) & !mask | top.wrapping_sub(n) & mask;
        // The old frame pointer, the enclosing frames' pointers, each read before it is pushed, this frame's.
        let pushes = if level == 0 { 1 } else { 1 + level };
        let mut places = Vec::with_capacity(pushes as usize);
        for i in 0..pushes {
            if (1..level).contains(&i) {
                cpu.check_load(SS, enclosing(i), T::WIDTH)?;
            }
            places.push(cpu.place(SS, top.wrapping_sub((i + 1) * n) & mask, T::WIDTH)?);
        }
        let sp = top.wrapping_sub(pushes * n).wrapping_sub(size) & mask;
        // The last element of the new frame must be writable (SDM vol. 2, "ENTER").
        cpu.place(SS, sp, T::WIDTH)?;
        for (place, i) in places.into_iter().zip(0..) {
            let v = match i {
                0 => bp & T::MASK,
                i if i < level => cpu.load_at::<T, Segmented>(SS, enclosing(i))?.to_u64(),
                _ => frame & T::MASK,
            };
            cpu.close_slow(place, T::WIDTH, v);
        }
        cpu.regs.set_named(Gpr::Rbp, T::from_u64(frame));
        cpu.set_stack_pointer(sp);
        Ok(())
    }
}

/// LEAVE: (E)SP := (E)BP; (E)BP := POP.
pub struct Leave<T>(As<T>);

impl<T: Int> Instruction for Leave<T> {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let frame = cpu.regs.named::<u64>(Gpr::Rbp) & cpu.stack_mask();
        let v = cpu.load_at::<T, Segmented>(SS, frame)?;
        cpu.set_stack_pointer(frame.wrapping_add(T::BYTES as u64));
        cpu.regs.set_named(Gpr::Rbp, v);
        Ok(())
    }
}
