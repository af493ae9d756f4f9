//! String instructions.

use super::Lowering;
use crate::alu::Int;
use crate::exec::string::{Cmps, Element, Ins, Lods, Movs, Once, Outs, Repeat, Scas, Stos};
use iced_x86::{Mnemonic as M, OpKind};

/// Lowers the instruction at hand if it is one of these.
pub fn lower(l: &mut Lowering<'_>) -> bool {
    let kinds: Vec<OpKind> = (0..l.insn.op_count()).map(|n| l.insn.op_kind(n)).collect();
    let wide = kinds
        .iter()
        .any(|k| matches!(k, OpKind::MemorySegESI | OpKind::MemoryESEDI));
    let short = kinds
        .iter()
        .any(|k| matches!(k, OpKind::MemorySegSI | OpKind::MemoryESDI));
    let long = kinds
        .iter()
        .any(|k| matches!(k, OpKind::MemorySegRSI | OpKind::MemoryESRDI));
    let size = match (short, wide, long) {
        (true, ..) => 16,
        (_, true, _) => 32,
        (.., true) => 64,
        _ => return false,
    };
    match l.insn.mnemonic() {
        M::Movsb => addressed::<Movs, u8>(l, size),
        M::Movsw => addressed::<Movs, u16>(l, size),
        M::Movsd => addressed::<Movs, u32>(l, size),
        M::Movsq => addressed::<Movs, u64>(l, size),
        M::Stosb => addressed::<Stos, u8>(l, size),
        M::Stosw => addressed::<Stos, u16>(l, size),
        M::Stosd => addressed::<Stos, u32>(l, size),
        M::Stosq => addressed::<Stos, u64>(l, size),
        M::Lodsb => addressed::<Lods, u8>(l, size),
        M::Lodsw => addressed::<Lods, u16>(l, size),
        M::Lodsd => addressed::<Lods, u32>(l, size),
        M::Lodsq => addressed::<Lods, u64>(l, size),
        M::Cmpsb => addressed::<Cmps, u8>(l, size),
        M::Cmpsw => addressed::<Cmps, u16>(l, size),
        M::Cmpsd => addressed::<Cmps, u32>(l, size),
        M::Cmpsq => addressed::<Cmps, u64>(l, size),
        M::Scasb => addressed::<Scas, u8>(l, size),
        M::Scasw => addressed::<Scas, u16>(l, size),
        M::Scasd => addressed::<Scas, u32>(l, size),
        M::Scasq => addressed::<Scas, u64>(l, size),
        M::Insb => addressed::<Ins, u8>(l, size),
        M::Insw => addressed::<Ins, u16>(l, size),
        M::Insd => addressed::<Ins, u32>(l, size),
        M::Outsb => addressed::<Outs, u8>(l, size),
        M::Outsw => addressed::<Outs, u16>(l, size),
        M::Outsd => addressed::<Outs, u32>(l, size),
        _ => return false,
    }
    true
}

fn addressed<E: Element, T: Int>(l: &mut Lowering<'_>, size: u32) {
    match size {
        16 => repeated::<E, u16, T>(l),
        32 => repeated::<E, u32, T>(l),
        _ => repeated::<E, u64, T>(l),
    }
}

fn repeated<E: Element, N: Int, T: Int>(l: &mut Lowering<'_>) {
    let seg = l.memory_segment() as u8;
    let (equal, not_equal) = (l.insn.has_rep_prefix(), l.insn.has_repne_prefix());
    if not_equal && !equal {
        l.emit::<Repeat<E, N, T, false>>(seg, 0, 0);
    } else if equal {
        l.emit::<Repeat<E, N, T, true>>(seg, 0, 0);
    } else {
        l.emit::<Once<E, N, T>>(seg, 0, 0);
    }
    // A repeated instruction uses up what is left of the budget, and port I/O is followed by a look at the board.
    l.ends_block = equal || not_equal || E::IO;
    l.goes_on = !E::IO;
}
