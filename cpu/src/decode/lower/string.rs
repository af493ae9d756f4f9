//! String instructions.

use super::{Lowering, segment};
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
    if !wide && !short {
        return false;
    }
    match l.insn.mnemonic() {
        M::Movsb => addressed::<Movs, u8>(l, wide),
        M::Movsw => addressed::<Movs, u16>(l, wide),
        M::Movsd => addressed::<Movs, u32>(l, wide),
        M::Stosb => addressed::<Stos, u8>(l, wide),
        M::Stosw => addressed::<Stos, u16>(l, wide),
        M::Stosd => addressed::<Stos, u32>(l, wide),
        M::Lodsb => addressed::<Lods, u8>(l, wide),
        M::Lodsw => addressed::<Lods, u16>(l, wide),
        M::Lodsd => addressed::<Lods, u32>(l, wide),
        M::Cmpsb => addressed::<Cmps, u8>(l, wide),
        M::Cmpsw => addressed::<Cmps, u16>(l, wide),
        M::Cmpsd => addressed::<Cmps, u32>(l, wide),
        M::Scasb => addressed::<Scas, u8>(l, wide),
        M::Scasw => addressed::<Scas, u16>(l, wide),
        M::Scasd => addressed::<Scas, u32>(l, wide),
        M::Insb => addressed::<Ins, u8>(l, wide),
        M::Insw => addressed::<Ins, u16>(l, wide),
        M::Insd => addressed::<Ins, u32>(l, wide),
        M::Outsb => addressed::<Outs, u8>(l, wide),
        M::Outsw => addressed::<Outs, u16>(l, wide),
        M::Outsd => addressed::<Outs, u32>(l, wide),
        _ => return false,
    }
    true
}

fn addressed<E: Element, T: Int>(l: &mut Lowering<'_>, wide: bool) {
    if wide {
        repeated::<E, u32, T>(l)
    } else {
        repeated::<E, u16, T>(l)
    }
}

fn repeated<E: Element, N: Int, T: Int>(l: &mut Lowering<'_>) {
    let seg = segment(l.insn.memory_segment()) as u8;
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
}
