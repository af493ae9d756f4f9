//! Memory operands of x87 instructions: what a load reads, and what a store writes.

use super::operand::As;
use crate::alu::Int;
use crate::context::Context;
use crate::interpreter::Interpreter;
use crate::mem::address::Segmented;
use crate::op::{OpRef, Stop};
use crate::softfloat::{F32, F64, F80, Operand, Rounding};
use crate::x87::Fpu;
use crate::x87::quick::{self, Rounded};
use crate::x87::state::Ease;
use crate::x87::transfer::{self, IntegerRounding, Store};

/// A memory operand that becomes a number.
pub trait MemoryNumber: 'static {
    /// Reads it.
    fn read(cpu: &mut Interpreter, op: OpRef) -> Result<Operand, Stop>;
    /// What it is in memory.
    type Bits: Int;
    /// The number, if it is ordinary.
    fn ordinary(bits: Self::Bits) -> Option<F80>;
}

/// Single precision.
pub struct M32;
/// Double precision.
pub struct M64;
/// Word integer.
pub struct I16;
/// Doubleword integer.
pub struct I32;
/// Quadword integer.
pub struct I64;

impl MemoryNumber for M32 {
    fn read(cpu: &mut Interpreter, op: OpRef) -> Result<Operand, Stop> {
        Ok(F32(cpu.load::<u32, Segmented>(op)?).into())
    }
    type Bits = u32;
    #[inline(always)]
    fn ordinary(bits: u32) -> Option<F80> {
        quick::from_f32(bits)
    }
}
impl MemoryNumber for M64 {
    fn read(cpu: &mut Interpreter, op: OpRef) -> Result<Operand, Stop> {
        Ok(F64(cpu.load::<u64, Segmented>(op)?).into())
    }
    type Bits = u64;
    #[inline(always)]
    fn ordinary(bits: u64) -> Option<F80> {
        quick::from_f64(bits)
    }
}
impl MemoryNumber for I16 {
    fn read(cpu: &mut Interpreter, op: OpRef) -> Result<Operand, Stop> {
        Ok((cpu.load::<u16, Segmented>(op)? as i16).into())
    }
    type Bits = u16;
    #[inline(always)]
    fn ordinary(bits: u16) -> Option<F80> {
        Some(quick::from_integer((bits as i16).into()))
    }
}
impl MemoryNumber for I32 {
    fn read(cpu: &mut Interpreter, op: OpRef) -> Result<Operand, Stop> {
        Ok((cpu.load::<u32, Segmented>(op)? as i32).into())
    }
    type Bits = u32;
    #[inline(always)]
    fn ordinary(bits: u32) -> Option<F80> {
        Some(quick::from_integer((bits as i32).into()))
    }
}
impl MemoryNumber for I64 {
    fn read(cpu: &mut Interpreter, op: OpRef) -> Result<Operand, Stop> {
        Ok((cpu.load::<u64, Segmented>(op)? as i64).into())
    }
    type Bits = u64;
    #[inline(always)]
    fn ordinary(bits: u64) -> Option<F80> {
        Some(quick::from_integer(bits as i64))
    }
}

/// What FST and FIST write.
pub trait MemoryStore: 'static {
    /// The value.
    type Value;
    /// Its size in memory.
    const BYTES: u64;
    /// There is a shortcut.
    const AT_HAND: bool = true;
    /// What must be known of the control and the status word for it.
    const EASE: Ease = Ease::ROUNDS;
    /// Computes it.
    fn compute(fpu: &Fpu) -> Store<Self::Value>;
    /// Computes its bits for an ordinary number, if there are 64 at most.
    #[inline(always)]
    fn narrow(_: F80, _: &Fpu) -> Option<Rounded<u64>> {
        None
    }
    /// Writes it.
    fn write(cpu: &mut Interpreter, op: OpRef, v: &Self::Value) -> Result<(), Stop>;
}

impl MemoryStore for M32 {
    type Value = F32;
    const BYTES: u64 = 4;
    const EASE: Ease = Ease::NEAREST;
    fn compute(fpu: &Fpu) -> Store<F32> {
        transfer::store_f32(fpu)
    }
    fn write(cpu: &mut Interpreter, op: OpRef, v: &F32) -> Result<(), Stop> {
        cpu.store::<u32, Segmented>(op, v.0)
    }
    #[inline(always)]
    fn narrow(v: F80, _: &Fpu) -> Option<Rounded<u64>> {
        quick::to_f32(v)
    }
}
impl MemoryStore for M64 {
    type Value = F64;
    const BYTES: u64 = 8;
    const EASE: Ease = Ease::NEAREST;
    fn compute(fpu: &Fpu) -> Store<F64> {
        transfer::store_f64(fpu)
    }
    fn write(cpu: &mut Interpreter, op: OpRef, v: &F64) -> Result<(), Stop> {
        cpu.store::<u64, Segmented>(op, v.0)
    }
    #[inline(always)]
    fn narrow(v: F80, _: &Fpu) -> Option<Rounded<u64>> {
        quick::to_f64(v)
    }
}
impl MemoryStore for I16 {
    type Value = i16;
    const BYTES: u64 = 2;
    #[inline(always)]
    fn narrow(v: F80, fpu: &Fpu) -> Option<Rounded<u64>> {
        quick::to_integer(v, 16, fpu.rounding())
    }
    fn compute(fpu: &Fpu) -> Store<i16> {
        transfer::store_i16(fpu, IntegerRounding::Control)
    }
    fn write(cpu: &mut Interpreter, op: OpRef, v: &i16) -> Result<(), Stop> {
        cpu.store::<u16, Segmented>(op, *v as u16)
    }
}
impl MemoryStore for Truncated<I16> {
    type Value = i16;
    const BYTES: u64 = 2;
    #[inline(always)]
    fn narrow(v: F80, _: &Fpu) -> Option<Rounded<u64>> {
        quick::to_integer(v, 16, Rounding::Truncate)
    }
    fn compute(fpu: &Fpu) -> Store<i16> {
        transfer::store_i16(fpu, IntegerRounding::Truncate)
    }
    fn write(cpu: &mut Interpreter, op: OpRef, v: &i16) -> Result<(), Stop> {
        I16::write(cpu, op, v)
    }
}
impl MemoryStore for I32 {
    type Value = i32;
    const BYTES: u64 = 4;
    #[inline(always)]
    fn narrow(v: F80, fpu: &Fpu) -> Option<Rounded<u64>> {
        quick::to_integer(v, 32, fpu.rounding())
    }
    fn compute(fpu: &Fpu) -> Store<i32> {
        transfer::store_i32(fpu, IntegerRounding::Control)
    }
    fn write(cpu: &mut Interpreter, op: OpRef, v: &i32) -> Result<(), Stop> {
        cpu.store::<u32, Segmented>(op, *v as u32)
    }
}
impl MemoryStore for Truncated<I32> {
    type Value = i32;
    const BYTES: u64 = 4;
    #[inline(always)]
    fn narrow(v: F80, _: &Fpu) -> Option<Rounded<u64>> {
        quick::to_integer(v, 32, Rounding::Truncate)
    }
    fn compute(fpu: &Fpu) -> Store<i32> {
        transfer::store_i32(fpu, IntegerRounding::Truncate)
    }
    fn write(cpu: &mut Interpreter, op: OpRef, v: &i32) -> Result<(), Stop> {
        I32::write(cpu, op, v)
    }
}
impl MemoryStore for I64 {
    type Value = i64;
    const BYTES: u64 = 8;
    #[inline(always)]
    fn narrow(v: F80, fpu: &Fpu) -> Option<Rounded<u64>> {
        quick::to_integer(v, 64, fpu.rounding())
    }
    fn compute(fpu: &Fpu) -> Store<i64> {
        transfer::store_i64(fpu, IntegerRounding::Control)
    }
    fn write(cpu: &mut Interpreter, op: OpRef, v: &i64) -> Result<(), Stop> {
        cpu.store::<u64, Segmented>(op, *v as u64)
    }
}
impl MemoryStore for Truncated<I64> {
    type Value = i64;
    const BYTES: u64 = 8;
    #[inline(always)]
    fn narrow(v: F80, _: &Fpu) -> Option<Rounded<u64>> {
        quick::to_integer(v, 64, Rounding::Truncate)
    }
    fn compute(fpu: &Fpu) -> Store<i64> {
        transfer::store_i64(fpu, IntegerRounding::Truncate)
    }
    fn write(cpu: &mut Interpreter, op: OpRef, v: &i64) -> Result<(), Stop> {
        I64::write(cpu, op, v)
    }
}
/// An integer rounded toward zero, whatever the rounding control says: FISTTP.
pub struct Truncated<M>(As<M>);
/// Extended precision.
pub struct M80;
/// Packed decimal.
pub struct Bcd;

impl MemoryStore for M80 {
    type Value = F80;
    const BYTES: u64 = 10;
    const EASE: Ease = Ease::CALM;
    fn compute(fpu: &Fpu) -> Store<F80> {
        transfer::store_f80(fpu)
    }
    fn write(cpu: &mut Interpreter, op: OpRef, v: &F80) -> Result<(), Stop> {
        cpu.store_extended(op, v.significand, v.sign_exp)
    }
}
impl MemoryStore for Bcd {
    type Value = [u8; 10];
    const BYTES: u64 = 10;
    const AT_HAND: bool = false;
    fn compute(fpu: &Fpu) -> Store<[u8; 10]> {
        transfer::store_bcd(fpu)
    }
    fn write(cpu: &mut Interpreter, op: OpRef, v: &[u8; 10]) -> Result<(), Stop> {
        let [low @ .., h0, h1] = *v;
        cpu.store_extended(op, u64::from_le_bytes(low), u16::from_le_bytes([h0, h1]))
    }
}
