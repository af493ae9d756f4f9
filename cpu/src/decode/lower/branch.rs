//! Near branches.

use super::Lowering;
use super::data::flat_stack;
use crate::alu::Int;
use crate::exec::branch::{
    Call, CallTo, IfZero, Jcc, Jmp, JmpTo, Loop, LoopCondition, Ret, WhileCount, WhileEqual,
    WhileNotEqual,
};
use crate::exec::operand::{A, Mem};
use crate::mem::address::{Flat, Segmented};
use iced_x86::{Code, Mnemonic as M, OpKind};

/// Lowers the instruction at hand if it is one of these.
pub fn lower(l: &mut Lowering<'_>) -> bool {
    let wide = match l.insn.op0_kind() {
        OpKind::NearBranch16 => false,
        OpKind::NearBranch32 => true,
        _ => return indirect(l),
    };
    // The instruction pointer was 0 at the start of the block, so the target is its distance.
    let target = l.insn.near_branch_target() as u32 as i32;
    let end = l.end as i32;
    match l.insn.mnemonic() {
        M::Jmp if wide => l.emit::<Jmp<u32>>(0, 0, target),
        M::Jmp => l.emit::<Jmp<u16>>(0, 0, target),
        M::Call => {
            match (wide, flat_stack(l)) {
                (true, true) => l.emit::<Call<u32, Flat>>(0, 0, target),
                (true, false) => l.emit::<Call<u32, Segmented>>(0, 0, target),
                (false, true) => l.emit::<Call<u16, Flat>>(0, 0, target),
                (false, false) => l.emit::<Call<u16, Segmented>>(0, 0, target),
            }
            l.emit_second(end);
        }
        M::Loop => count::<WhileCount>(l, target, wide),
        M::Loope => count::<WhileEqual>(l, target, wide),
        M::Loopne => count::<WhileNotEqual>(l, target, wide),
        M::Jcxz | M::Jecxz => count::<IfZero>(l, target, wide),
        _ => {
            let code = l.insn.condition_code();
            if wide {
                by_condition!(code, C => l.emit::<Jcc<C, u32>>(0, 0, target));
            } else {
                by_condition!(code, C => l.emit::<Jcc<C, u16>>(0, 0, target));
            }
            l.emit_second(end);
        }
    }
    l.ends_block = true;
    true
}

fn count<L: LoopCondition>(l: &mut Lowering<'_>, target: i32, wide: bool) {
    let short_count = matches!(
        l.insn.code(),
        Code::Loop_rel8_16_CX
            | Code::Loop_rel8_32_CX
            | Code::Loope_rel8_16_CX
            | Code::Loope_rel8_32_CX
            | Code::Loopne_rel8_16_CX
            | Code::Loopne_rel8_32_CX
            | Code::Jcxz_rel8_16
            | Code::Jcxz_rel8_32
    );
    match (short_count, wide) {
        (true, true) => l.emit::<Loop<L, u16, u32>>(0, 0, target),
        (true, false) => l.emit::<Loop<L, u16, u16>>(0, 0, target),
        (false, true) => l.emit::<Loop<L, u32, u32>>(0, 0, target),
        (false, false) => l.emit::<Loop<L, u32, u16>>(0, 0, target),
    }
    l.emit_second(l.end as i32);
}

fn indirect(l: &mut Lowering<'_>) -> bool {
    match l.insn.mnemonic() {
        M::Jmp if l.insn.is_jmp_near_indirect() => match l.operand_bytes(0) {
            2 => jmp_to::<u16>(l),
            _ => jmp_to::<u32>(l),
        },
        M::Call if l.insn.is_call_near_indirect() => match l.operand_bytes(0) {
            2 => call_to::<u16>(l),
            _ => call_to::<u32>(l),
        },
        M::Ret => {
            let bytes = if l.insn.op_count() == 1 {
                i32::from(l.insn.immediate16())
            } else {
                0
            };
            let wide = matches!(l.insn.code(), Code::Retnd | Code::Retnd_imm16);
            match (wide, flat_stack(l)) {
                (true, true) => l.emit::<Ret<u32, Flat>>(0, 0, bytes),
                (true, false) => l.emit::<Ret<u32, Segmented>>(0, 0, bytes),
                (false, true) => l.emit::<Ret<u16, Flat>>(0, 0, bytes),
                (false, false) => l.emit::<Ret<u16, Segmented>>(0, 0, bytes),
            }
        }
        _ => return false,
    }
    l.ends_block = true;
    true
}

fn jmp_to<T: Int>(l: &mut Lowering<'_>) {
    if l.is_memory(0) {
        l.emit_memory_as::<JmpTo<T, Mem<Flat>>, JmpTo<T, Mem<Segmented>>>(0);
    } else {
        l.emit::<JmpTo<T, A>>(l.reg(0), 0, 0);
    }
}

fn call_to<T: Int>(l: &mut Lowering<'_>) {
    match (l.is_memory(0), flat_stack(l)) {
        (true, true) => {
            l.emit_memory_as::<CallTo<T, Mem<Flat>, Flat>, CallTo<T, Mem<Segmented>, Flat>>(0);
        }
        (true, false) => l
            .emit_memory_as::<CallTo<T, Mem<Flat>, Segmented>, CallTo<T, Mem<Segmented>, Segmented>>(
                0,
            ),
        (false, true) => l.emit::<CallTo<T, A, Flat>>(l.reg(0), 0, 0),
        (false, false) => l.emit::<CallTo<T, A, Segmented>>(l.reg(0), 0, 0),
    }
    l.emit_second(l.end as i32);
}
