//! Moves, exchanges, the stack, flags.

use super::Lowering;
use super::arith::one_source;
use crate::alu::Int;
use crate::exec::data::by_condition;
use crate::exec::data::{
    Bswap, Cmov, Lea, LoadAccumulator, Mov, Movsx, Movzx, Setcc, StoreAccumulator, Xchg, Xlat,
};
use crate::exec::flag::{Clc, Cld, Cmc, Lahf, Nop, Sahf, Salc, Stc, Std};
use crate::exec::operand::{A, B, Imm, Imm2, Imm64, Mem};
use crate::exec::stack::{Enter, Leave, Pop, PopAll, PopTo, Push, PushAll};
use crate::interpreter::mode;
use crate::mem::address::{Flat, Segmented};
use iced_x86::{Code, Mnemonic as M, OpKind, Register};

/// Lowers the instruction at hand if it is one of these.
pub fn lower(l: &mut Lowering<'_>) -> bool {
    let special = |r: Register| r.is_segment_register() || r.is_cr() || r.is_dr() || r.is_tr();
    if (0..l.insn.op_count())
        .any(|n| l.insn.op_kind(n) == OpKind::Register && special(l.insn.op_register(n)))
    {
        return false;
    }
    match l.insn.mnemonic() {
        M::Mov => by_width!(l, 0, T => mov::<T>(l)),
        // A 32-bit result clears the upper half, so that a 64-bit destination needs no form of its own.
        M::Movzx => match (l.operand_bytes(0), l.operand_bytes(1)) {
            (2, 1) => zero_extend::<u16, u8>(l),
            (2, _) => zero_extend::<u16, u16>(l),
            (_, 1) => zero_extend::<u32, u8>(l),
            _ => zero_extend::<u32, u16>(l),
        },
        // On AMD's processors MOVSXD reads 32 bits whatever it writes.
        M::Movsxd if l.operand_bytes(0) == 2 && l.model.is_amd() => sign_extend::<u16, u32>(l),
        M::Movsx | M::Movsxd => match (l.operand_bytes(0), l.operand_bytes(1)) {
            (2, 1) => sign_extend::<u16, u8>(l),
            (2, _) => sign_extend::<u16, u16>(l),
            (8, 1) => sign_extend::<u64, u8>(l),
            (8, 2) => sign_extend::<u64, u16>(l),
            (8, _) => sign_extend::<u64, u32>(l),
            (_, 1) => sign_extend::<u32, u8>(l),
            (_, 2) => sign_extend::<u32, u16>(l),
            _ => sign_extend::<u32, u32>(l),
        },
        M::Lea => by_width!(l, 0, T => {
            let a = l.reg(0);
            if l.address_bits() == if l.is_64_bit() { 64 } else { 32 } {
                l.emit_memory::<Lea<T, Flat>>(a);
                lean!(l, M => Lea<T, M>, Lea<T, Flat>);
            } else {
                l.emit_memory::<Lea<T, Segmented>>(a);
            }
        }),
        M::Xchg => by_width!(l, 0, T => xchg::<T>(l)),
        M::Bswap => by_width!(l, 0, T => l.emit::<Bswap<T>>(0, l.reg(0), 0)),
        M::Xlatb => l.emit_memory_as::<Xlat<Flat>, Xlat<Segmented>>(0),
        M::Push => return push(l),
        M::Pop => return pop(l),
        M::Pusha => l.emit::<PushAll<u16>>(0, 0, 0),
        M::Pushad => l.emit::<PushAll<u32>>(0, 0, 0),
        M::Popa => l.emit::<PopAll<u16>>(0, 0, 0),
        M::Popad => l.emit::<PopAll<u32>>(0, 0, 0),
        M::Enter => {
            let level = l.insn.immediate8_2nd();
            let size = i32::from(l.insn.immediate16());
            match l.insn.code() {
                Code::Enterw_imm16_imm8 => l.emit::<Enter<u16>>(level, 0, size),
                Code::Enterq_imm16_imm8 => l.emit::<Enter<u64>>(level, 0, size),
                _ => l.emit::<Enter<u32>>(level, 0, size),
            }
        }
        M::Leave => match l.insn.code() {
            Code::Leavew => l.emit::<Leave<u16>>(0, 0, 0),
            Code::Leaveq => l.emit::<Leave<u64>>(0, 0, 0),
            _ => l.emit::<Leave<u32>>(0, 0, 0),
        },
        M::Nop | M::Pause | M::Reservednop | M::Endbr32 | M::Endbr64 => l.emit::<Nop>(0, 0, 0),
        M::Clc => l.emit::<Clc>(0, 0, 0),
        M::Stc => l.emit::<Stc>(0, 0, 0),
        M::Cmc => l.emit::<Cmc>(0, 0, 0),
        M::Cld => l.emit::<Cld>(0, 0, 0),
        M::Std => l.emit::<Std>(0, 0, 0),
        M::Lahf => l.emit::<Lahf>(0, 0, 0),
        M::Sahf => l.emit::<Sahf>(0, 0, 0),
        M::Salc => l.emit::<Salc>(0, 0, 0),
        _ => return conditional(l),
    }
    true
}

fn zero_extend<T: Int, N: Int>(l: &mut Lowering<'_>) {
    extend::<Movzx<T, N, B>, Movzx<T, N, Mem<Flat>>, Movzx<T, N, Mem<Segmented>>>(l);
    if l.is_memory(1) {
        lean!(l, M => Movzx<T, N, Mem<M>>, Movzx<T, N, Mem<Flat>>);
    }
}

fn sign_extend<T: Int, N: Int>(l: &mut Lowering<'_>) {
    extend::<Movsx<T, N, B>, Movsx<T, N, Mem<Flat>>, Movsx<T, N, Mem<Segmented>>>(l);
    if l.is_memory(1) {
        lean!(l, M => Movsx<T, N, Mem<M>>, Movsx<T, N, Mem<Flat>>);
    }
}

/// Whether the memory operand is an address of 64 bits that 32 bits, sign-extended, do not hold: MOV's moffs64.
fn is_far_offset(l: &Lowering<'_>) -> bool {
    let i = &l.insn;
    i.memory_displ_size() == 8
        && i.memory_base() == Register::None
        && i32::try_from(i.memory_displacement64() as i64).is_err()
}

fn mov<T: Int>(l: &mut Lowering<'_>) {
    if (l.is_memory(0) || l.is_memory(1)) && is_far_offset(l) {
        let address = l.insn.memory_displacement64();
        let seg = l.memory_segment() as u8;
        if l.is_memory(0) {
            l.emit::<StoreAccumulator<T>>(seg, 0, address as i32);
        } else {
            l.emit::<LoadAccumulator<T>>(seg, 0, address as i32);
        }
        l.emit_second((address >> 32) as i32);
        return;
    }
    if l.is_immediate(1) && T::BITS == 64 && !l.is_memory(0) {
        let (a, v) = (l.reg(0), l.insn.immediate(1));
        if v <= u64::from(u32::MAX) {
            l.emit::<Mov<u32, A, Imm>>(a, 0, v as i32);
        } else if i32::try_from(v as i64).is_ok() {
            l.emit::<Mov<u64, A, Imm>>(a, 0, v as i32);
        } else {
            l.emit::<Mov<u64, A, Imm64>>(a, 0, v as i32);
            l.emit_second((v >> 32) as i32);
        }
        return;
    }
    match (l.is_memory(0), l.is_memory(1), l.is_immediate(1)) {
        (true, _, true) => {
            l.emit_memory_as::<Mov<T, Mem<Flat>, Imm2>, Mov<T, Mem<Segmented>, Imm2>>(0);
            lean_base!(l, M => Mov<T, Mem<M>, Imm2>, Mov<T, Mem<Flat>, Imm2>);
            l.emit_second_immediate(1);
        }
        (true, ..) => {
            let a = l.reg(1);
            l.emit_memory_as::<Mov<T, Mem<Flat>, A>, Mov<T, Mem<Segmented>, A>>(a);
            lean!(l, M => Mov<T, Mem<M>, A>, Mov<T, Mem<Flat>, A>);
        }
        (_, true, _) => {
            let a = l.reg(0);
            l.emit_memory_as::<Mov<T, A, Mem<Flat>>, Mov<T, A, Mem<Segmented>>>(a);
            lean!(l, M => Mov<T, A, Mem<M>>, Mov<T, A, Mem<Flat>>);
        }
        (.., true) => l.emit_immediate::<Mov<T, A, Imm>>(l.reg(0), 0, 1),
        _ => {
            l.emit::<Mov<T, A, B>>(l.reg(0), l.reg(1), 0);
            l.note_copy(l.reg(0), T::BITS);
        }
    }
}

/// A move from a register (`R`) or memory (`F`, `S`) to a register.
fn extend<R, F, S>(l: &mut Lowering<'_>)
where
    R: crate::op::Instruction,
    F: crate::op::Instruction,
    S: crate::op::Instruction,
{
    let a = l.reg(0);
    if l.is_memory(1) {
        l.emit_memory_as::<F, S>(a)
    } else {
        l.emit::<R>(a, l.reg(1), 0)
    }
}

fn xchg<T: Int>(l: &mut Lowering<'_>) {
    if l.is_memory(0) {
        let a = l.reg(1);
        l.emit_memory_as::<Xchg<T, Mem<Flat>, A>, Xchg<T, Mem<Segmented>, A>>(a);
    } else if l.is_memory(1) {
        let a = l.reg(0);
        l.emit_memory_as::<Xchg<T, Mem<Flat>, A>, Xchg<T, Mem<Segmented>, A>>(a);
    } else {
        l.emit::<Xchg<T, A, B>>(l.reg(0), l.reg(1), 0);
    }
}

/// Whether pushes and pops go to a flat stack of the mode's full width.
pub fn flat_stack(l: &Lowering<'_>) -> bool {
    l.is_64_bit() || l.mode & (mode::FLAT | mode::STACK_32) == mode::FLAT | mode::STACK_32
}

fn push(l: &mut Lowering<'_>) -> bool {
    match l.insn.stack_pointer_increment() {
        -2 => push_of::<u16>(l),
        -4 => push_of::<u32>(l),
        -8 => push_of::<u64>(l),
        _ => return false,
    }
    true
}

fn push_of<T: Int>(l: &mut Lowering<'_>) {
    match (flat_stack(l), l.is_memory(0), l.is_immediate(0)) {
        (true, true, _) => {
            l.emit_memory_as::<Push<T, Mem<Flat>, Flat>, Push<T, Mem<Segmented>, Flat>>(0);
        }
        (false, true, _) => {
            l.emit_memory_as::<Push<T, Mem<Flat>, Segmented>, Push<T, Mem<Segmented>, Segmented>>(
                0,
            );
        }
        (true, _, true) => l.emit_immediate::<Push<T, Imm, Flat>>(0, 0, 0),
        (false, _, true) => l.emit_immediate::<Push<T, Imm, Segmented>>(0, 0, 0),
        (true, ..) => l.emit::<Push<T, A, Flat>>(l.reg(0), 0, 0),
        (false, ..) => l.emit::<Push<T, A, Segmented>>(l.reg(0), 0, 0),
    }
}

fn pop(l: &mut Lowering<'_>) -> bool {
    match l.insn.stack_pointer_increment() {
        2 => pop_of::<u16>(l),
        4 => pop_of::<u32>(l),
        8 => pop_of::<u64>(l),
        _ => return false,
    }
    true
}

fn pop_of<T: Int>(l: &mut Lowering<'_>) {
    match (flat_stack(l), l.is_memory(0)) {
        (_, true) => l.emit_memory_as::<PopTo<T, Mem<Flat>>, PopTo<T, Mem<Segmented>>>(0),
        (true, _) => l.emit::<Pop<T, Flat>>(l.reg(0), 0, 0),
        (false, _) => l.emit::<Pop<T, Segmented>>(l.reg(0), 0, 0),
    }
}

/// SETcc and CMOVcc.
fn conditional(l: &mut Lowering<'_>) -> bool {
    use iced_x86::ConditionCode;
    let code = l.insn.condition_code();
    // LOOPcc and Jcc have a condition too, and a branch target; FCMOVcc has x87 registers.
    if code == ConditionCode::None
        || !matches!(l.insn.op_kind(0), OpKind::Register | OpKind::Memory)
        || (!l.is_memory(0) && !l.insn.op_register(0).is_gpr())
    {
        return false;
    }
    match (l.insn.op_count(), l.operand_bytes(0)) {
        (1, _) => by_condition!(code, C => {
            one_source::<Setcc<C, A>, Setcc<C, Mem<Flat>>, Setcc<C, Mem<Segmented>>>(l);
        }),
        (_, 2) => by_condition!(code, C => {
            extend::<Cmov<C, u16, B>, Cmov<C, u16, Mem<Flat>>, Cmov<C, u16, Mem<Segmented>>>(l);
        }),
        (_, 8) => by_condition!(code, C => {
            extend::<Cmov<C, u64, B>, Cmov<C, u64, Mem<Flat>>, Cmov<C, u64, Mem<Segmented>>>(l);
        }),
        _ => by_condition!(code, C => {
            extend::<Cmov<C, u32, B>, Cmov<C, u32, Mem<Flat>>, Cmov<C, u32, Mem<Segmented>>>(l);
        }),
    }
    true
}
