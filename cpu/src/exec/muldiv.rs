//! MUL, IMUL, DIV, IDIV, and the decimal and ASCII adjustments.

use super::operand::{As, Imm, Source};
use crate::alu::{Int, bcd, muldiv};
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::op::{Instruction, OpRef, Stop};
use crate::registers::HIGH_BYTE;

/// The register that holds the high half of a product or dividend: AH or (E)DX.
const fn high<T: Int>() -> u8 {
    if T::BITS == 8 { HIGH_BYTE } else { 2 }
}

/// MUL: unsigned product of the accumulator and the operand into high:low.
pub struct Mul<T, S>(As<(T, S)>);

impl<T: Int, S: Source<T>> Instruction for Mul<T, S> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let b = S::get(cpu, op)?;
        let (l, h, flags) = muldiv::mul(cpu.regs.get::<T>(0), b);
        cpu.regs.set(0, l);
        cpu.regs.set(high::<T>(), h);
        cpu.flags = flags;
        Ok(())
    }
}

/// IMUL with one operand.
pub struct Imul<T, S>(As<(T, S)>);

impl<T: Int, S: Source<T>> Instruction for Imul<T, S> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let b = S::get(cpu, op)?;
        let (l, h, flags) = muldiv::imul(cpu.regs.get::<T>(0), b);
        cpu.regs.set(0, l);
        cpu.regs.set(high::<T>(), h);
        cpu.flags = flags;
        Ok(())
    }
}

/// IMUL with two or three operands: DEST := X * Y, truncated.
pub struct ImulTo<T, X, Y>(As<(T, X, Y)>);

impl<T: Int, X: Source<T>, Y: Source<T>> Instruction for ImulTo<T, X, Y> {
    const SLOTS: usize = Y::SLOTS;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let x = X::get(cpu, op)?;
        let y = Y::get(cpu, op)?;
        let (l, _, flags) = muldiv::imul(x, y);
        cpu.regs.set(op.a, l);
        cpu.flags = flags;
        Ok(())
    }
}

/// DIV. Flags are undefined in the manual and unchanged here, as on P6 and later.
pub struct Div<T, S>(As<(T, S)>);

impl<T: Int, S: Source<T>> Instruction for Div<T, S> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let d = S::get(cpu, op)?;
        let (l, h) = (cpu.regs.get::<T>(0), cpu.regs.get::<T>(high::<T>()));
        let Some((q, r)) = muldiv::div(l, h, d) else {
            return Err(cpu.fault(Fault::DE));
        };
        cpu.regs.set(0, q);
        cpu.regs.set(high::<T>(), r);
        Ok(())
    }
}

/// IDIV.
pub struct Idiv<T, S>(As<(T, S)>);

impl<T: Int, S: Source<T>> Instruction for Idiv<T, S> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let d = S::get(cpu, op)?;
        let (l, h) = (cpu.regs.get::<T>(0), cpu.regs.get::<T>(high::<T>()));
        let Some((q, r)) = muldiv::idiv(l, h, d) else {
            return Err(cpu.fault(Fault::DE));
        };
        cpu.regs.set(0, q);
        cpu.regs.set(high::<T>(), r);
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

impl<T: Int> Instruction for ExtendAccumulator<T> {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let v: T = cpu.regs.get(0);
        let half = T::BITS / 2;
        let shift = 64 - half;
        cpu.regs.set(
            0,
            T::from_u64(((v.to_u64() << shift) as i64 >> shift) as u64),
        );
        Ok(())
    }
}

/// CWD, CDQ: sign-extends the accumulator into (E)DX.
pub struct ExtendIntoDx<T>(As<T>);

impl<T: Int> Instruction for ExtendIntoDx<T> {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let v: T = cpu.regs.get(0);
        cpu.regs.set(2, T::from_u64((v.to_i64() >> 63) as u64));
        Ok(())
    }
}
