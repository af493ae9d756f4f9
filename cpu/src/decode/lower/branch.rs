//! Near branches.

use super::Lowering;
use super::data::flat_stack;
use crate::alu::Int;
use crate::exec::branch::{
    self as exec, Anywhere, Call, CallTo, IfZero, InPage, Jcc, Jmp, JmpTo, Loop, LoopCondition,
    Reach, Ret, WhileCount, WhileEqual, WhileNotEqual,
};
use crate::exec::data::by_condition;
use crate::exec::operand::{A, Mem};
use crate::mem::address::{Flat, Segmented};
use crate::registers::{REACH, REACH_REGISTER, ZERO};
use iced_x86::{Code, Mnemonic as M, OpKind};

/// Runs code with `T` standing for the integer type of the operand size.
macro_rules! by_size {
    ($bits:expr, $t:ident => $code:expr) => {
        match $bits {
            16 => {
                type $t = u16;
                $code
            }
            32 => {
                type $t = u32;
                $code
            }
            _ => {
                type $t = u64;
                $code
            }
        }
    };
}

/// Lowers the instruction at hand if it is one of these.
pub fn lower(l: &mut Lowering<'_>) -> bool {
    let bits = match l.insn.op0_kind() {
        OpKind::NearBranch16 => 16,
        OpKind::NearBranch32 => 32,
        OpKind::NearBranch64 => 64,
        _ => return indirect(l),
    };
    // The instruction pointer was 0 at the start of the block, so the target is its distance. Where 64 bits of it count
    // it may not fit 32 (a displacement of nearly 2 GiB): then [`REACH`] is added to it.
    let mut target = l.insn.near_branch_target() as i64;
    let mut reach = ZERO;
    if bits == 64 && i32::try_from(target).is_err() {
        target -= REACH as i64;
        reach = REACH_REGISTER;
    }
    let target = target as u32 as i32;
    let end = l.end as i32;
    if l.stays_in_page(target.into())
        && (l.insn.mnemonic() == M::Call || l.stays_in_page(end.into()))
    {
        relative::<InPage>(l, bits, target, reach, end);
    } else {
        relative::<Anywhere>(l, bits, target, reach, end);
    }
    l.ends_block = true;
    l.closed = true;
    true
}

fn relative<R: Reach>(l: &mut Lowering<'_>, bits: u32, target: i32, reach: u8, end: i32) {
    match l.insn.mnemonic() {
        M::Jmp => by_size!(bits, T => l.emit::<Jmp<T, R>>(0, reach, 0)),
        M::Call => by_size!(bits, T => match flat_stack(l) {
            true => l.emit::<Call<T, Flat, R>>(0, reach, end),
            false => l.emit::<Call<T, Segmented, R>>(0, reach, end),
        }),
        M::Loop => count::<WhileCount, R>(l, reach, bits),
        // On AMD's processors a repeat prefix says which of the two it is.
        M::Loope if l.model.is_amd() && l.insn.has_repne_prefix() => {
            count::<WhileNotEqual, R>(l, reach, bits)
        }
        M::Loopne if l.model.is_amd() && l.insn.has_rep_prefix() => {
            count::<WhileEqual, R>(l, reach, bits)
        }
        M::Loope => count::<WhileEqual, R>(l, reach, bits),
        M::Loopne => count::<WhileNotEqual, R>(l, reach, bits),
        M::Jcxz | M::Jecxz | M::Jrcxz => count::<IfZero, R>(l, reach, bits),
        _ => {
            let code = l.insn.condition_code();
            if R::IN_PAGE && bits == if l.is_64_bit() { 64 } else { 32 } {
                l.fuse(code);
            }
            by_size!(bits, T => by_condition!(code, C => l.emit::<Jcc<C, T, R>>(0, reach, 0)));
        }
    }
    if matches!(l.insn.mnemonic(), M::Jmp | M::Call) {
        l.emit_links(&[target], R::IN_PAGE);
    } else {
        l.emit_links(&[target, end], R::IN_PAGE);
    }
}

/// The width of the counter of LOOP and its kin.
fn counter_bits(code: Code) -> u32 {
    match code {
        Code::Loop_rel8_16_CX
        | Code::Loop_rel8_32_CX
        | Code::Loope_rel8_16_CX
        | Code::Loope_rel8_32_CX
        | Code::Loopne_rel8_16_CX
        | Code::Loopne_rel8_32_CX
        | Code::Jcxz_rel8_16
        | Code::Jcxz_rel8_32 => 16,
        Code::Loop_rel8_16_RCX
        | Code::Loop_rel8_64_RCX
        | Code::Loope_rel8_16_RCX
        | Code::Loope_rel8_64_RCX
        | Code::Loopne_rel8_16_RCX
        | Code::Loopne_rel8_64_RCX
        | Code::Jrcxz_rel8_16
        | Code::Jrcxz_rel8_64 => 64,
        _ => 32,
    }
}

fn count<L: LoopCondition, R: Reach>(l: &mut Lowering<'_>, reach: u8, bits: u32) {
    let counter = counter_bits(l.insn.code());
    by_size!(bits, T => match counter {
        16 => l.emit::<Loop<L, u16, T, R>>(0, reach, 0),
        32 => l.emit::<Loop<L, u32, T, R>>(0, reach, 0),
        _ => l.emit::<Loop<L, u64, T, R>>(0, reach, 0),
    });
}

fn indirect(l: &mut Lowering<'_>) -> bool {
    match l.insn.mnemonic() {
        M::Jmp if l.insn.is_jmp_near_indirect() => by_width!(l, 0, T => jmp_to::<T>(l)),
        M::Call if l.insn.is_call_near_indirect() => by_width!(l, 0, T => call_to::<T>(l)),
        M::Ret => {
            let bytes = if l.insn.op_count() == 1 {
                i32::from(l.insn.immediate16())
            } else {
                0
            };
            let bits = match l.insn.code() {
                Code::Retnd | Code::Retnd_imm16 => 32,
                Code::Retnq | Code::Retnq_imm16 => 64,
                _ => 16,
            };
            by_size!(bits, T => match flat_stack(l) {
                true => l.emit::<Ret<T, Flat>>(0, 0, bytes),
                false => l.emit::<Ret<T, Segmented>>(0, 0, bytes),
            });
        }
        _ => return false,
    }
    l.ends_block = true;
    l.closed = true;
    true
}

fn jmp_to<T: Int>(l: &mut Lowering<'_>) {
    if l.is_memory(0) {
        l.emit_memory_as::<JmpTo<T, Mem<Flat>>, JmpTo<T, Mem<Segmented>>>(0);
        if T::BITS >= 32 {
            lean_handler!(l, M => exec::jmp_to::<T, Mem<M>, JmpTo<T, Mem<Flat>>>);
        }
    } else {
        l.emit::<JmpTo<T, A>>(l.reg(0), 0, 0);
    }
}

fn call_to<T: Int>(l: &mut Lowering<'_>) {
    match (l.is_memory(0), flat_stack(l)) {
        (true, true) => {
            l.emit_memory_as::<CallTo<T, Mem<Flat>, Flat>, CallTo<T, Mem<Segmented>, Flat>>(0);
            if T::BITS >= 32 {
                lean_handler!(l, M => exec::call_through::<T, Mem<M>, Flat, CallTo<T, Mem<Flat>, Flat>>);
            }
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
