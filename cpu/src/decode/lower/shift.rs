//! Shifts and rotates.

use super::Lowering;
use crate::alu::Int;
use crate::exec::copy::{ShiftOfCopy, pair};
use crate::exec::operand::{A, B, Imm, Imm2, Mem};
use crate::exec::shift::{
    Cl, Count, DoubleShift, DoubleShiftBy, Rcl, Rcr, Rol, Ror, Sar, Shift, ShiftBy, Shl, Shld, Shr,
    Shrd, count_mask,
};
use crate::mem::address::{Flat, Segmented};
use iced_x86::Mnemonic as M;

/// Lowers the instruction at hand if it is one of these.
pub fn lower(l: &mut Lowering<'_>) -> bool {
    match l.insn.mnemonic() {
        M::Shl | M::Sal => shift::<Shl>(l),
        M::Shr => shift::<Shr>(l),
        M::Sar => shift::<Sar>(l),
        M::Rol => shift::<Rol>(l),
        M::Ror => shift::<Ror>(l),
        M::Rcl => shift::<Rcl>(l),
        M::Rcr => shift::<Rcr>(l),
        M::Shld => double::<Shld>(l),
        M::Shrd => double::<Shrd>(l),
        _ => return false,
    }
    true
}

fn shift<O: Shift>(l: &mut Lowering<'_>) {
    by_width!(l, 0, T => shift_of::<O, T>(l));
}

/// Whether operand `n`, a count, is an immediate that turns or shifts something.
fn is_count<T: Int>(l: &Lowering<'_>, n: u32) -> bool {
    l.is_immediate(n) && l.imm(n) as u8 & count_mask::<T>() != 0
}

fn shift_of<O: Shift, T: Int>(l: &mut Lowering<'_>) {
    match (l.is_memory(0), l.is_immediate(1)) {
        (true, true) => {
            l.emit_memory_as::<ShiftBy<O, T, Mem<Flat>, Imm2>, ShiftBy<O, T, Mem<Segmented>, Imm2>>(
                0,
            );
            l.emit_second(l.imm(1));
        }
        (true, false) => {
            l.emit_memory_as::<ShiftBy<O, T, Mem<Flat>, Cl>, ShiftBy<O, T, Mem<Segmented>, Cl>>(0);
        }
        (false, true) if is_count::<T>(l, 1) => {
            l.emit::<ShiftBy<O, T, A, Count>>(l.reg(0), 0, l.imm(1));
            if !O::THROUGH_CARRY && T::BITS >= 32 {
                l.join_copy(l.reg(0), T::BITS, pair::<ShiftOfCopy<O, T>>());
            }
        }
        (false, true) => l.emit::<ShiftBy<O, T, A, Imm>>(l.reg(0), 0, l.imm(1)),
        (false, false) => l.emit::<ShiftBy<O, T, A, Cl>>(l.reg(0), 0, 0),
    }
}

fn double<O: DoubleShift>(l: &mut Lowering<'_>) {
    match l.operand_bytes(0) {
        2 => double_of::<O, u16>(l),
        8 => double_of::<O, u64>(l),
        _ => double_of::<O, u32>(l),
    }
}

fn double_of<O: DoubleShift, T: Int>(l: &mut Lowering<'_>) {
    match (l.is_memory(0), l.is_immediate(2)) {
        (true, true) => {
            let a = l.reg(1);
            l.emit_memory_as::<
                DoubleShiftBy<O, T, Mem<Flat>, A, Imm2>,
                DoubleShiftBy<O, T, Mem<Segmented>, A, Imm2>,
            >(a);
            l.emit_second(l.imm(2));
        }
        (true, false) => {
            let a = l.reg(1);
            l.emit_memory_as::<
                DoubleShiftBy<O, T, Mem<Flat>, A, Cl>,
                DoubleShiftBy<O, T, Mem<Segmented>, A, Cl>,
            >(a);
        }
        (false, true) if is_count::<T>(l, 2) => {
            l.emit::<DoubleShiftBy<O, T, A, B, Count>>(l.reg(0), l.reg(1), l.imm(2));
        }
        (false, true) => l.emit::<DoubleShiftBy<O, T, A, B, Imm>>(l.reg(0), l.reg(1), l.imm(2)),
        (false, false) => l.emit::<DoubleShiftBy<O, T, A, B, Cl>>(l.reg(0), l.reg(1), 0),
    }
}
