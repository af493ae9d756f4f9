//! ADD to XADD, logic, multiplication, division, decimal adjustment, bit tests.

use super::Lowering;
use crate::alu::Int;
use crate::exec::arith::{
    Adc, Add, Binary, Cmpxchg, Cmpxchg8b, Cmpxchg16b, CmpxchgRegister, Compare, Dec, Inc, Modify,
    ModifyOne, Neg, Sbb, Sub, Unary, Xadd,
};
use crate::exec::bit::{BitAt, BitOf, BitOperation, BitScan, Complement, Reset, Set, Test};
use crate::exec::copy::{BinaryOnCopy, pair};
use crate::exec::logic::{And, Not, Or, Xor};
use crate::exec::muldiv::{
    Aaa, Aad, Aam, Aas, Daa, Das, Div, ExtendAccumulator, ExtendIntoDx, Idiv, Imul, ImulTo, Mul,
};
use crate::exec::operand::{A, B, Imm, Imm2, Mem};
use crate::mem::address::{Flat, Segmented};
use iced_x86::Mnemonic as M;

/// Lowers the instruction at hand if it is one of these.
pub fn lower(l: &mut Lowering<'_>) -> bool {
    match l.insn.mnemonic() {
        M::Add => binary::<Add>(l),
        M::Or => binary::<Or>(l),
        M::Adc => binary::<Adc>(l),
        M::Sbb => binary::<Sbb>(l),
        M::And => binary::<And>(l),
        M::Sub => binary::<Sub>(l),
        M::Xor => binary::<Xor>(l),
        M::Cmp => compare::<Sub>(l),
        M::Test => compare::<And>(l),
        M::Inc => unary::<Inc>(l),
        M::Dec => unary::<Dec>(l),
        M::Neg => unary::<Neg>(l),
        M::Not => unary::<Not>(l),
        M::Xadd => by_width!(l, 0, T => exchange_add::<T>(l)),
        M::Cmpxchg => by_width!(l, 0, T => compare_exchange::<T>(l)),
        M::Cmpxchg8b => l.emit_memory_as::<Cmpxchg8b<Flat>, Cmpxchg8b<Segmented>>(0),
        M::Cmpxchg16b => l.emit_memory::<Cmpxchg16b>(0),
        M::Mul => {
            by_width!(l, 0, T => one_source::<Mul<T, A>, Mul<T, Mem<Flat>>, Mul<T, Mem<Segmented>>>(l))
        }
        M::Div => {
            by_width!(l, 0, T => one_source::<Div<T, A>, Div<T, Mem<Flat>>, Div<T, Mem<Segmented>>>(l))
        }
        M::Idiv => {
            by_width!(l, 0, T => one_source::<Idiv<T, A>, Idiv<T, Mem<Flat>>, Idiv<T, Mem<Segmented>>>(l))
        }
        M::Imul if l.insn.op_count() == 1 => {
            by_width!(l, 0, T => one_source::<Imul<T, A>, Imul<T, Mem<Flat>>, Imul<T, Mem<Segmented>>>(l));
        }
        M::Imul => by_width!(l, 0, T => imul_to::<T>(l)),
        M::Daa => l.emit::<Daa>(0, 0, 0),
        M::Das => l.emit::<Das>(0, 0, 0),
        M::Aaa => l.emit::<Aaa>(0, 0, 0),
        M::Aas => l.emit::<Aas>(0, 0, 0),
        M::Aam => l.emit::<Aam>(0, 0, l.imm(0)),
        M::Aad => l.emit::<Aad>(0, 0, l.imm(0)),
        M::Cbw => l.emit::<ExtendAccumulator<u16>>(0, 0, 0),
        M::Cwde => l.emit::<ExtendAccumulator<u32>>(0, 0, 0),
        M::Cdqe => l.emit::<ExtendAccumulator<u64>>(0, 0, 0),
        M::Cwd => l.emit::<ExtendIntoDx<u16>>(0, 0, 0),
        M::Cdq => l.emit::<ExtendIntoDx<u32>>(0, 0, 0),
        M::Cqo => l.emit::<ExtendIntoDx<u64>>(0, 0, 0),
        M::Bt => by_width!(l, 0, T => bit::<Test, T>(l)),
        M::Bts => by_width!(l, 0, T => bit::<Set, T>(l)),
        M::Btr => by_width!(l, 0, T => bit::<Reset, T>(l)),
        M::Btc => by_width!(l, 0, T => bit::<Complement, T>(l)),
        M::Bsf => by_width!(l, 0, T => bit_scan::<true, T>(l)),
        M::Bsr => by_width!(l, 0, T => bit_scan::<false, T>(l)),
        _ => return false,
    }
    true
}

fn binary<O: Binary>(l: &mut Lowering<'_>) {
    by_width!(l, 0, T => binary_of::<O, T>(l));
}

fn binary_of<O: Binary, T: Int>(l: &mut Lowering<'_>) {
    match (l.is_memory(0), l.is_memory(1), l.is_immediate(1)) {
        (true, _, true) => {
            l.emit_memory_as::<Modify<O, T, Mem<Flat>, Imm2>, Modify<O, T, Mem<Segmented>, Imm2>>(
                0,
            );
            lean_base!(l, M => Modify<O, T, Mem<M>, Imm2>, Modify<O, T, Mem<Flat>, Imm2>);
            l.emit_second_immediate(1);
        }
        (true, ..) => {
            let a = l.reg(1);
            l.emit_memory_as::<Modify<O, T, Mem<Flat>, A>, Modify<O, T, Mem<Segmented>, A>>(a);
            lean_base!(l, M => Modify<O, T, Mem<M>, A>, Modify<O, T, Mem<Flat>, A>);
        }
        (_, true, _) => {
            let a = l.reg(0);
            l.emit_memory_as::<Modify<O, T, A, Mem<Flat>>, Modify<O, T, A, Mem<Segmented>>>(a);
            lean!(l, M => Modify<O, T, A, Mem<M>>, Modify<O, T, A, Mem<Flat>>);
        }
        (.., true) => {
            l.emit_immediate::<Modify<O, T, A, Imm>>(l.reg(0), 0, 1);
            if O::FOLLOWS_COPIES && T::BITS >= 32 {
                l.join_copy(l.reg(0), T::BITS, pair::<BinaryOnCopy<O, T, Imm>>());
            }
        }
        _ => {
            l.emit::<Modify<O, T, A, B>>(l.reg(0), l.reg(1), 0);
            if O::FOLLOWS_COPIES && T::BITS >= 32 && l.reg(0) != l.reg(1) {
                l.join_copy(l.reg(0), T::BITS, pair::<BinaryOnCopy<O, T, B>>());
            }
        }
    }
}

fn compare<O: Binary>(l: &mut Lowering<'_>) {
    by_width!(l, 0, T => compare_of::<O, T>(l));
}

fn compare_of<O: Binary, T: Int>(l: &mut Lowering<'_>) {
    let slot = l.slots.len();
    match (l.is_memory(0), l.is_memory(1), l.is_immediate(1)) {
        (true, _, true) => {
            l.emit_memory_as::<Compare<O, T, Mem<Flat>, Imm2>, Compare<O, T, Mem<Segmented>, Imm2>>(
                0,
            );
            lean_base!(l, M => Compare<O, T, Mem<M>, Imm2>, Compare<O, T, Mem<Flat>, Imm2>);
            l.emit_second_immediate(1);
            fuse_base!(l, slot, T, M => Compare<O, T, Mem<M>, Imm2>, Compare<O, T, Mem<Flat>, Imm2>);
        }
        (true, ..) => {
            let a = l.reg(1);
            l.emit_memory_as::<Compare<O, T, Mem<Flat>, A>, Compare<O, T, Mem<Segmented>, A>>(a);
            lean_base!(l, M => Compare<O, T, Mem<M>, A>, Compare<O, T, Mem<Flat>, A>);
            fuse_base!(l, slot, T, M => Compare<O, T, Mem<M>, A>, Compare<O, T, Mem<Flat>, A>);
        }
        (_, true, _) => {
            let a = l.reg(0);
            l.emit_memory_as::<Compare<O, T, A, Mem<Flat>>, Compare<O, T, A, Mem<Segmented>>>(a);
            lean_base!(l, M => Compare<O, T, A, Mem<M>>, Compare<O, T, A, Mem<Flat>>);
            fuse_base!(l, slot, T, M => Compare<O, T, A, Mem<M>>, Compare<O, T, A, Mem<Flat>>);
        }
        (.., true) => l.emit_immediate::<Compare<O, T, A, Imm>>(l.reg(0), 0, 1),
        _ => l.emit::<Compare<O, T, A, B>>(l.reg(0), l.reg(1), 0),
    }
}

fn unary<O: Unary>(l: &mut Lowering<'_>) {
    by_width!(l, 0, T => one_source::<ModifyOne<O, T, A>, ModifyOne<O, T, Mem<Flat>>, ModifyOne<O, T, Mem<Segmented>>>(l));
}

/// An instruction with one operand in a register (`R`) or in memory (`F` flat, `S` segmented).
pub fn one_source<R, F, S>(l: &mut Lowering<'_>)
where
    R: crate::op::Instruction,
    F: crate::op::Instruction,
    S: crate::op::Instruction,
{
    if l.is_memory(0) {
        l.emit_memory_as::<F, S>(0)
    } else {
        l.emit::<R>(l.reg(0), 0, 0)
    }
}

fn exchange_add<T: Int>(l: &mut Lowering<'_>) {
    let a = l.reg(1);
    if l.is_memory(0) {
        l.emit_memory_as::<Xadd<T, Mem<Flat>, A>, Xadd<T, Mem<Segmented>, A>>(a);
    } else {
        l.emit::<Xadd<T, B, A>>(a, l.reg(0), 0);
    }
}

fn compare_exchange<T: Int>(l: &mut Lowering<'_>) {
    if l.is_memory(0) {
        let a = l.reg(1);
        l.emit_memory_as::<Cmpxchg<T, Mem<Flat>, A>, Cmpxchg<T, Mem<Segmented>, A>>(a);
    } else {
        l.emit::<CmpxchgRegister<T>>(l.reg(0), l.reg(1), 0);
    }
}

fn imul_to<T: Int>(l: &mut Lowering<'_>) {
    let a = l.reg(0);
    match (l.insn.op_count(), l.is_memory(1)) {
        (2, true) => {
            l.emit_memory_as::<ImulTo<T, Mem<Flat>, A>, ImulTo<T, Mem<Segmented>, A>>(a);
        }
        (2, false) => l.emit::<ImulTo<T, A, B>>(a, l.reg(1), 0),
        (_, true) => {
            l.emit_memory_as::<ImulTo<T, Mem<Flat>, Imm2>, ImulTo<T, Mem<Segmented>, Imm2>>(a);
            l.emit_second_immediate(2);
        }
        (_, false) => l.emit_immediate::<ImulTo<T, B, Imm>>(a, l.reg(1), 2),
    }
}

fn bit<O: BitOperation, T: Int>(l: &mut Lowering<'_>) {
    match (l.is_memory(0), l.is_immediate(1)) {
        (true, true) => {
            l.emit_memory_as::<BitOf<O, T, Mem<Flat>, Imm2>, BitOf<O, T, Mem<Segmented>, Imm2>>(0);
            l.emit_second_immediate(1);
        }
        (true, false) => {
            let a = l.reg(1);
            l.emit_memory_as::<BitAt<O, T, Flat>, BitAt<O, T, Segmented>>(a);
        }
        (false, true) => l.emit_immediate::<BitOf<O, T, A, Imm>>(l.reg(0), 0, 1),
        (false, false) => l.emit::<BitOf<O, T, A, B>>(l.reg(0), l.reg(1), 0),
    }
}

fn bit_scan<const FORWARD: bool, T: Int>(l: &mut Lowering<'_>) {
    let a = l.reg(0);
    if l.is_memory(1) {
        l.emit_memory_as::<BitScan<FORWARD, T, Mem<Flat>>, BitScan<FORWARD, T, Mem<Segmented>>>(a);
    } else {
        l.emit::<BitScan<FORWARD, T, B>>(a, l.reg(1), 0);
    }
}
