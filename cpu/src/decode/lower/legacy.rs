//! What the 8086, the 80186 and the 80286 lower differently: their own arithmetic, shifts, string instructions and forms.

use super::arith::one_source;
use super::{Lowering, segment};
use crate::alu::Int;
use crate::decode::legacy::Form;
use crate::exec::flag::Nop;
use crate::exec::legacy::{
    Aaa, Aad, Aam, Aas, Arithmetic, CheckedEscape, CheckedWait, Cmps, Daa, Das, Div, Element80286,
    Enter80286, Escape, I8086, I8086Negated, I80286, Idiv, Imul, ImulTo, Ins, LoadCs, Lods, Movs,
    Mul, Nothing, Once80286, Outs, PopTo80286, Repeat80286, Sar8086, Sar80286, Scas, SetMinusOne,
    ShiftByAll, Shl, Shr8086, Shr80286, Stos,
};
use crate::exec::loadall::Loadall;
use crate::exec::operand::{A, B, Imm, Imm2, Mem};
use crate::exec::shift::{Cl, Rcl, Rcr, Rol, Ror, Shift, ShiftBy};
use crate::exec::stack::PushNewSp;
use crate::mem::address::Segmented;
use crate::models::Processor;
use iced_x86::{Mnemonic as M, Register};

type InMemory = Mem<Segmented>;

/// Runs code with `T` standing for the type of operand `n`: a byte or a word.
macro_rules! by_old_width {
    ($l:expr, $n:expr, $t:ident => $code:expr) => {
        if $l.operand_bytes($n) == 1 {
            type $t = u8;
            $code
        } else {
            type $t = u16;
            $code
        }
    };
}

/// Lowers the instruction at hand if `processor` does it its own way.
pub fn lower(l: &mut Lowering<'_>, processor: Processor, form: Form) -> bool {
    match form {
        Form::Plain => match processor {
            Processor::I8086 => plain_8086(l),
            Processor::I80186 => plain_80186(l),
            Processor::I80286 => plain_80286(l),
        },
        Form::LoadCs => {
            match (l.insn.mnemonic(), l.is_memory(1)) {
                (M::Pop, _) => l.emit::<LoadCs<B, true>>(0, 0, 0),
                (_, true) => l.emit_memory::<LoadCs<InMemory, false>>(0),
                (_, false) => l.emit::<LoadCs<B, false>>(0, l.reg(1), 0),
            }
            l.ends_block = true;
            true
        }
        Form::SetMinusOne => {
            shift_8086::<SetMinusOne>(l);
            true
        }
        Form::Negated => arithmetic::<I8086Negated>(l),
        Form::Escape => {
            match processor {
                Processor::I8086 | Processor::I80186 => l.emit_memory::<Escape<InMemory>>(0),
                Processor::I80286 => l.emit_memory::<CheckedEscape<InMemory>>(0),
            }
            true
        }
        Form::EscapeRegister => {
            match processor {
                Processor::I8086 | Processor::I80186 => l.emit::<Nop>(0, 0, 0),
                Processor::I80286 => l.emit::<CheckedEscape<Nothing>>(0, 0, 0),
            }
            true
        }
        Form::Undefined | Form::TooLong => false,
    }
}

fn plain_8086(l: &mut Lowering<'_>) -> bool {
    match l.insn.mnemonic() {
        M::Shl | M::Sal => shift_8086::<Shl>(l),
        M::Shr => shift_8086::<Shr8086>(l),
        M::Sar => shift_8086::<Sar8086>(l),
        M::Rol => shift_8086::<Rol>(l),
        M::Ror => shift_8086::<Ror>(l),
        M::Rcl => shift_8086::<Rcl>(l),
        M::Rcr => shift_8086::<Rcr>(l),
        M::Push if !l.is_memory(0) && l.insn.op0_register() == Register::SP => {
            l.emit::<PushNewSp>(0, 0, 0);
        }
        // The TEST# pin is held low.
        M::Wait => l.emit::<Nop>(0, 0, 0),
        _ => return arithmetic::<I8086>(l),
    }
    true
}

/// What the 80186 does as the 8086, shifts by no more than 31.
fn plain_80186(l: &mut Lowering<'_>) -> bool {
    match l.insn.mnemonic() {
        M::Shl | M::Sal => shift_by_5_bits::<Shl>(l),
        M::Shr => shift_by_5_bits::<Shr8086>(l),
        M::Sar => shift_by_5_bits::<Sar8086>(l),
        M::Rol | M::Ror | M::Rcl | M::Rcr => return false,
        _ => return plain_8086(l),
    }
    true
}

fn plain_80286(l: &mut Lowering<'_>) -> bool {
    match l.insn.mnemonic() {
        M::Shl | M::Sal => shift_by_5_bits::<Shl>(l),
        M::Shr => shift_by_5_bits::<Shr80286>(l),
        M::Sar => shift_by_5_bits::<Sar80286>(l),
        M::Pop if l.is_memory(0) => l.emit_memory::<PopTo80286<InMemory>>(0),
        M::Wait => l.emit::<CheckedWait>(0, 0, 0),
        M::Enter => {
            let size = i32::from(l.insn.immediate16());
            l.emit::<Enter80286>(l.insn.immediate8_2nd(), 0, size);
        }
        M::Loadall => {
            l.emit::<Loadall>(0, 0, 0);
            l.ends_block = true;
        }
        M::Movsb => string::<Movs, u8>(l),
        M::Movsw => string::<Movs, u16>(l),
        M::Stosb => string::<Stos, u8>(l),
        M::Stosw => string::<Stos, u16>(l),
        M::Lodsb => string::<Lods, u8>(l),
        M::Lodsw => string::<Lods, u16>(l),
        M::Cmpsb => string::<Cmps, u8>(l),
        M::Cmpsw => string::<Cmps, u16>(l),
        M::Scasb => string::<Scas, u8>(l),
        M::Scasw => string::<Scas, u16>(l),
        M::Insb => string::<Ins, u8>(l),
        M::Insw => string::<Ins, u16>(l),
        M::Outsb => string::<Outs, u8>(l),
        M::Outsw => string::<Outs, u16>(l),
        _ => return arithmetic::<I80286>(l),
    }
    true
}

fn arithmetic<P: Arithmetic>(l: &mut Lowering<'_>) -> bool {
    match l.insn.mnemonic() {
        M::Mul => by_old_width!(l, 0, T => one::<Mul<P, T, A>, Mul<P, T, InMemory>>(l)),
        M::Div => by_old_width!(l, 0, T => one::<Div<P, T, A>, Div<P, T, InMemory>>(l)),
        M::Idiv => by_old_width!(l, 0, T => one::<Idiv<P, T, A>, Idiv<P, T, InMemory>>(l)),
        M::Imul if l.insn.op_count() == 1 => {
            by_old_width!(l, 0, T => one::<Imul<P, T, A>, Imul<P, T, InMemory>>(l));
        }
        M::Imul => {
            let a = l.reg(0);
            if l.is_memory(1) {
                l.emit_memory::<ImulTo<P, u16, InMemory, Imm2>>(a);
                l.emit_second(l.imm(2));
            } else {
                l.emit::<ImulTo<P, u16, B, Imm>>(a, l.reg(1), l.imm(2));
            }
        }
        M::Daa => l.emit::<Daa<P>>(0, 0, 0),
        M::Das => l.emit::<Das<P>>(0, 0, 0),
        M::Aaa => l.emit::<Aaa<P>>(0, 0, 0),
        M::Aas => l.emit::<Aas<P>>(0, 0, 0),
        M::Aam => l.emit::<Aam<P>>(0, 0, l.imm(0)),
        M::Aad => l.emit::<Aad<P>>(0, 0, l.imm(0)),
        _ => return false,
    }
    true
}

fn one<R: crate::op::Instruction, S: crate::op::Instruction>(l: &mut Lowering<'_>) {
    one_source::<R, S, S>(l);
}

fn shift_8086<O: Shift>(l: &mut Lowering<'_>) {
    by_old_width!(l, 0, T => shift_of::<ShiftByAll<O, T, InMemory, Imm2>, ShiftByAll<O, T, InMemory, Cl>,
        ShiftByAll<O, T, A, Imm>, ShiftByAll<O, T, A, Cl>>(l));
}

fn shift_by_5_bits<O: Shift>(l: &mut Lowering<'_>) {
    by_old_width!(l, 0, T => shift_of::<ShiftBy<O, T, InMemory, Imm2>, ShiftBy<O, T, InMemory, Cl>,
        ShiftBy<O, T, A, Imm>, ShiftBy<O, T, A, Cl>>(l));
}

/// Memory by an immediate, memory by CL, register by an immediate, register by CL.
fn shift_of<MI, MC, RI, RC>(l: &mut Lowering<'_>)
where
    MI: crate::op::Instruction,
    MC: crate::op::Instruction,
    RI: crate::op::Instruction,
    RC: crate::op::Instruction,
{
    match (l.is_memory(0), l.is_immediate(1)) {
        (true, true) => {
            l.emit_memory::<MI>(0);
            l.emit_second(l.imm(1));
        }
        (true, false) => l.emit_memory::<MC>(0),
        (false, true) => l.emit::<RI>(l.reg(0), 0, l.imm(1)),
        (false, false) => l.emit::<RC>(l.reg(0), 0, 0),
    }
}

fn string<E: Element80286, T: Int>(l: &mut Lowering<'_>) {
    let seg = segment(l.insn.memory_segment()) as u8;
    if l.insn.has_repne_prefix() {
        l.emit::<Repeat80286<E, T, false>>(seg, 0, 0);
        l.ends_block = true;
    } else if l.insn.has_rep_prefix() {
        l.emit::<Repeat80286<E, T, true>>(seg, 0, 0);
        l.ends_block = true;
    } else {
        l.emit::<Once80286<E, T>>(seg, 0, 0);
        l.ends_block = E::IO;
    }
}
