//! Memory operands of x87 instructions: what a load reads, and what a store writes.

use super::operand::As;
use super::x87_quick::load_flat;
use crate::context::Context;
use crate::interpreter::Interpreter;
use crate::mem::address::Segmented;
use crate::op::{OpRef, Stop};
use crate::softfloat::{F32, F64, F80, Operand};
use crate::x87::Fpu;
use crate::x87::quick::{self, Rounded};
use crate::x87::transfer::{self, IntegerRounding, Store};

/// A memory operand that becomes a number.
pub trait MemoryNumber: 'static {
    /// Reads it.
    fn read(cpu: &mut Interpreter, op: OpRef) -> Result<Operand, Stop>;
    /// Reads it if it is at hand and ordinary.
    fn at_hand(cpu: &Interpreter, op: OpRef) -> Option<F80>;
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
    #[inline(always)]
    fn at_hand(cpu: &Interpreter, op: OpRef) -> Option<F80> {
        quick::from_f32(load_flat(cpu, op)?)
    }
}
impl MemoryNumber for M64 {
    fn read(cpu: &mut Interpreter, op: OpRef) -> Result<Operand, Stop> {
        Ok(F64(cpu.load::<u64, Segmented>(op)?).into())
    }
    #[inline(always)]
    fn at_hand(cpu: &Interpreter, op: OpRef) -> Option<F80> {
        quick::from_f64(load_flat(cpu, op)?)
    }
}
impl MemoryNumber for I16 {
    fn read(cpu: &mut Interpreter, op: OpRef) -> Result<Operand, Stop> {
        Ok((cpu.load::<u16, Segmented>(op)? as i16).into())
    }
    #[inline(always)]
    fn at_hand(cpu: &Interpreter, op: OpRef) -> Option<F80> {
        Some(quick::from_integer(
            (load_flat::<u16>(cpu, op)? as i16).into(),
        ))
    }
}
impl MemoryNumber for I32 {
    fn read(cpu: &mut Interpreter, op: OpRef) -> Result<Operand, Stop> {
        Ok((cpu.load::<u32, Segmented>(op)? as i32).into())
    }
    #[inline(always)]
    fn at_hand(cpu: &Interpreter, op: OpRef) -> Option<F80> {
        Some(quick::from_integer(
            (load_flat::<u32>(cpu, op)? as i32).into(),
        ))
    }
}
impl MemoryNumber for I64 {
    fn read(cpu: &mut Interpreter, op: OpRef) -> Result<Operand, Stop> {
        Ok((cpu.load::<u64, Segmented>(op)? as i64).into())
    }
    #[inline(always)]
    fn at_hand(cpu: &Interpreter, op: OpRef) -> Option<F80> {
        Some(quick::from_integer(load_flat::<u64>(cpu, op)? as i64))
    }
}

/// What FST and FIST write.
pub trait MemoryStore: 'static {
    /// The value.
    type Value;
    /// Its size in memory.
    const BYTES: u64;
    /// [`Self::narrow`] gives something.
    const NARROWS: bool = false;
    /// Computes it.
    fn compute(fpu: &Fpu) -> Store<Self::Value>;
    /// Computes the bits of a float of 32 or 64 bits for an ordinary number.
    #[inline(always)]
    fn narrow(_: F80) -> Option<Rounded<u64>> {
        None
    }
    /// Writes it.
    fn write(cpu: &mut Interpreter, op: OpRef, v: &Self::Value) -> Result<(), Stop>;
}

impl MemoryStore for M32 {
    type Value = F32;
    const BYTES: u64 = 4;
    const NARROWS: bool = true;
    fn compute(fpu: &Fpu) -> Store<F32> {
        transfer::store_f32(fpu)
    }
    fn write(cpu: &mut Interpreter, op: OpRef, v: &F32) -> Result<(), Stop> {
        cpu.store::<u32, Segmented>(op, v.0)
    }
    #[inline(always)]
    fn narrow(v: F80) -> Option<Rounded<u64>> {
        quick::to_f32(v)
    }
}
impl MemoryStore for M64 {
    type Value = F64;
    const BYTES: u64 = 8;
    const NARROWS: bool = true;
    fn compute(fpu: &Fpu) -> Store<F64> {
        transfer::store_f64(fpu)
    }
    fn write(cpu: &mut Interpreter, op: OpRef, v: &F64) -> Result<(), Stop> {
        cpu.store::<u64, Segmented>(op, v.0)
    }
    #[inline(always)]
    fn narrow(v: F80) -> Option<Rounded<u64>> {
        quick::to_f64(v)
    }
}
impl MemoryStore for I16 {
    type Value = i16;
    const BYTES: u64 = 2;
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
    fn compute(fpu: &Fpu) -> Store<[u8; 10]> {
        transfer::store_bcd(fpu)
    }
    fn write(cpu: &mut Interpreter, op: OpRef, v: &[u8; 10]) -> Result<(), Stop> {
        let [low @ .., h0, h1] = *v;
        cpu.store_extended(op, u64::from_le_bytes(low), u16::from_le_bytes([h0, h1]))
    }
}
