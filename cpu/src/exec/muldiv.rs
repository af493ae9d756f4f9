//! MUL, IMUL, DIV, IDIV, and the decimal and ASCII adjustments.

use super::operand::{As, Imm, Source};
use crate::alu::{Int, bcd, muldiv};
use crate::context::Context;
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::op::{FlagUse, Hot, Instruction, OpRef, Stop};
use crate::registers::HIGH_BYTE;

/// The register that holds the high half of a product or dividend: AH or (E)DX.
const fn high<T: Int>() -> u8 {
    if T::BITS == 8 { HIGH_BYTE } else { 2 }
}

/// MUL: unsigned product of the accumulator and the operand into high:low.
pub struct Mul<T, S>(As<(T, S)>);

impl<T: Int, S: Source<T>> Hot for Mul<T, S> {
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, op: OpRef) -> Result<(), X::Stop> {
        let b = S::get(cx, op)?;
        let (l, h, flags) = muldiv::mul(cx.regs().get::<T>(0), b);
        cx.regs().set(0, l);
        cx.regs().set(high::<T>(), h);
        cx.set_flags(flags);
        Ok(())
    }
}

/// IMUL with one operand.
pub struct Imul<T, S>(As<(T, S)>);

impl<T: Int, S: Source<T>> Hot for Imul<T, S> {
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, op: OpRef) -> Result<(), X::Stop> {
        let b = S::get(cx, op)?;
        let (l, h, flags) = muldiv::imul(cx.regs().get::<T>(0), b);
        cx.regs().set(0, l);
        cx.regs().set(high::<T>(), h);
        cx.set_flags(flags);
        Ok(())
    }
}

/// IMUL with two or three operands: DEST := X * Y, truncated.
pub struct ImulTo<T, X, Y>(As<(T, X, Y)>);

impl<T: Int, D: Source<T>, S: Source<T>> Hot for ImulTo<T, D, S> {
    const SLOTS: usize = S::SLOTS;
    const CALM: bool = !D::IN_MEMORY && !S::IN_MEMORY;
    const FLAGS: FlagUse = FlagUse::REPLACES;
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, op: OpRef) -> Result<(), X::Stop> {
        let x = D::get(cx, op)?;
        let y = S::get(cx, op)?;
        let (l, _, flags) = muldiv::imul(x, y);
        cx.regs().set(op.a, l);
        cx.set_flags(flags);
        Ok(())
    }
}

/// DIV. Flags are undefined in the manual and unchanged here, as on P6 and later.
pub struct Div<T, S>(As<(T, S)>);

impl<T: Int, S: Source<T>> Hot for Div<T, S> {
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, op: OpRef) -> Result<(), X::Stop> {
        let d = S::get(cx, op)?;
        let (l, h) = (cx.regs().get::<T>(0), cx.regs().get::<T>(high::<T>()));
        // What is longer takes a call.
        cx.only_if(T::BITS < 64 || h.to_u64() == 0)?;
        let Some((q, r)) = muldiv::div(l, h, d) else {
            return Err(cx.refuse(Fault::DE));
        };
        cx.regs().set(0, q);
        cx.regs().set(high::<T>(), r);
        Ok(())
    }
}

/// IDIV.
pub struct Idiv<T, S>(As<(T, S)>);

impl<T: Int, S: Source<T>> Hot for Idiv<T, S> {
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, op: OpRef) -> Result<(), X::Stop> {
        let d = S::get(cx, op)?;
        let (l, h) = (cx.regs().get::<T>(0), cx.regs().get::<T>(high::<T>()));
        cx.only_if(T::BITS < 64 || h.to_i64() == l.to_i64() >> 63)?;
        let Some((q, r)) = muldiv::idiv(l, h, d) else {
            return Err(cx.refuse(Fault::DE));
        };
        cx.regs().set(0, q);
        cx.regs().set(high::<T>(), r);
        Ok(())
    }
}

/// Decimal adjust AL after addition.
pub struct Daa;
/// Decimal adjust AL after subtraction.
pub struct Das;
/// ASCII adjust AX after addition.
pub struct Aaa;
/// ASCII adjust AX after subtraction.
pub struct Aas;
/// ASCII adjust AX after multiplication.
pub struct Aam;
/// ASCII adjust AX before division.
pub struct Aad;

impl Instruction for Daa {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let (al, flags) = bcd::daa(cpu.regs.get(0), &cpu.flags);
        cpu.regs.set(0, al);
        cpu.flags = flags;
        Ok(())
    }
}

impl Instruction for Das {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let (al, flags) = bcd::das(cpu.regs.get(0), &cpu.flags);
        cpu.regs.set(0, al);
        cpu.flags = flags;
        Ok(())
    }
}

impl Instruction for Aaa {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let (ax, flags) = bcd::aaa(cpu.regs.get(0), &cpu.flags);
        cpu.regs.set(0, ax);
        cpu.flags = flags;
        Ok(())
    }
}

impl Instruction for Aas {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let (ax, flags) = bcd::aas(cpu.regs.get(0), &cpu.flags);
        cpu.regs.set(0, ax);
        cpu.flags = flags;
        Ok(())
    }
}

impl Instruction for Aam {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let base = Imm::get(cpu, op)?;
        let Some((ax, flags)) = bcd::aam(cpu.regs.get(0), base) else {
            return Err(cpu.fault(Fault::DE));
        };
        cpu.regs.set::<u16>(0, ax);
        cpu.flags = flags;
        Ok(())
    }
}

impl Instruction for Aad {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let base = Imm::get(cpu, op)?;
        let (ax, flags) = bcd::aad(cpu.regs.get(0), base);
        cpu.regs.set::<u16>(0, ax);
        cpu.flags = flags;
        Ok(())
    }
}

/// CBW, CWDE: sign-extends the lower half of the accumulator.
pub struct ExtendAccumulator<T>(As<T>);

impl<T: Int> Hot for ExtendAccumulator<T> {
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, _: OpRef) -> Result<(), X::Stop> {
        let v: T = cx.regs().get(0);
        let half = T::BITS / 2;
        let shift = 64 - half;
        cx.regs().set(
            0,
            T::from_u64(((v.to_u64() << shift) as i64 >> shift) as u64),
        );
        Ok(())
    }
}

/// CWD, CDQ: sign-extends the accumulator into (E)DX.
pub struct ExtendIntoDx<T>(As<T>);

impl<T: Int> Hot for ExtendIntoDx<T> {
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, _: OpRef) -> Result<(), X::Stop> {
        let v: T = cx.regs().get(0);
        cx.regs().set(2, T::from_u64((v.to_i64() >> 63) as u64));
        Ok(())
    }
}
