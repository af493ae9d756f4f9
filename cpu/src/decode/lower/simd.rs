//! MMX, SSE and VEX instructions: from iced-x86's operands to rows of `simd::table` and handlers.

use super::{Lowering, register};
use crate::alu::Int;
use crate::exec::data::Mov;
use crate::exec::operand;
use crate::mem::address::{self, Flat, Segmented};
use crate::op::Instruction;
use crate::simd::exec::{
    Compute, Count, Destination, Encoding, General, Legacy, Mem, Mem128, Mem256, Mm, OnMmx, Store,
    Store128, Store256, StoreHalf, StoreHalves, ToFlags, ToGeneral, ToMmx, ToVex, ToXmm,
    Unchecked64, Vector, Vex, args,
};
use crate::simd::host::vector::Registers;
use crate::simd::image::{Restore, Save};
use crate::simd::lane::Lane;
use crate::simd::masked::{Gather, MaskedLoad, MaskedStore, Zero};
use crate::simd::quick::Shape;
use crate::simd::special::{Emms, Fence, FlushLine, LoadMxcsr, MaskMove, MaskedBytes, StoreMxcsr};
use crate::simd::table::{self, Form, Row};
use crate::simd::text::CompareText;
use crate::simd::xsave::{Xgetbv, Xrstor, Xsave, XsaveCompacted, Xsetbv};
use iced_x86::{EncodingKind, Mnemonic as M, OpKind, Register};

/// Lowers the instruction at hand if it is one of these.
pub fn lower(l: &mut Lowering<'_>) -> bool {
    plain(l) || tabled(l)
}

fn is_vex(l: &Lowering<'_>) -> bool {
    l.insn.encoding() == EncodingKind::VEX
}

/// Instructions without a row.
fn plain(l: &mut Lowering<'_>) -> bool {
    match l.insn.mnemonic() {
        M::Emms | M::Femms => l.emit::<Emms>(0, 0, 0),
        M::Ldmxcsr => l.emit_memory::<LoadMxcsr<Legacy>>(0),
        M::Vldmxcsr => l.emit_memory::<LoadMxcsr<Vex>>(0),
        M::Stmxcsr => l.emit_memory::<StoreMxcsr<Legacy>>(0),
        M::Vstmxcsr => l.emit_memory::<StoreMxcsr<Vex>>(0),
        M::Mfence | M::Lfence | M::Sfence => l.emit::<Fence>(0, 0, 0),
        M::Clflush | M::Clflushopt | M::Clwb => l.emit_memory::<FlushLine>(0),
        M::Maskmovq => masked_bytes::<OnMmx>(l),
        M::Maskmovdqu => masked_bytes::<Legacy>(l),
        M::Vmaskmovdqu => masked_bytes::<Vex>(l),
        M::Fxsave => l.emit_memory::<Save<false>>(0),
        M::Fxrstor => l.emit_memory::<Restore<false>>(0),
        M::Fxsave64 => l.emit_memory::<Save<true>>(0),
        M::Fxrstor64 => l.emit_memory::<Restore<true>>(0),
        M::Xsave => l.emit_memory::<Xsave<false, false>>(0),
        M::Xsave64 => l.emit_memory::<Xsave<false, true>>(0),
        M::Xsaveopt => l.emit_memory::<Xsave<true, false>>(0),
        M::Xsaveopt64 => l.emit_memory::<Xsave<true, true>>(0),
        M::Xsavec => l.emit_memory::<XsaveCompacted<false, false>>(0),
        M::Xsavec64 => l.emit_memory::<XsaveCompacted<false, true>>(0),
        M::Xsaves => l.emit_memory::<XsaveCompacted<true, false>>(0),
        M::Xsaves64 => l.emit_memory::<XsaveCompacted<true, true>>(0),
        M::Xrstor => l.emit_memory::<Xrstor<false, false>>(0),
        M::Xrstor64 => l.emit_memory::<Xrstor<false, true>>(0),
        M::Xrstors => l.emit_memory::<Xrstor<true, false>>(0),
        M::Xrstors64 => l.emit_memory::<Xrstor<true, true>>(0),
        M::Xgetbv => l.emit::<Xgetbv>(0, 0, 0),
        M::Xsetbv => l.emit::<Xsetbv>(0, 0, 0),
        M::Movnti => {
            let source = register(l.insn.op1_register());
            match l.operand_bytes(1) {
                8 => l.emit_memory::<Mov<u64, operand::Mem<Segmented>, operand::A>>(source),
                _ => l.emit_memory::<Mov<u32, operand::Mem<Segmented>, operand::A>>(source),
            }
        }
        M::Vzeroall => l.emit::<Zero<true>>(0, 0, 0),
        M::Vzeroupper => l.emit::<Zero<false>>(0, 0, 0),
        M::Vmaskmovps | M::Vpmaskmovd => masked::<u32>(l),
        M::Vmaskmovpd | M::Vpmaskmovq => masked::<u64>(l),
        M::Vgatherdps | M::Vpgatherdd => return gather::<u32, i32>(l),
        M::Vgatherqps | M::Vpgatherqd => return gather::<u32, i64>(l),
        M::Vgatherdpd | M::Vpgatherdq => return gather::<u64, i32>(l),
        M::Vgatherqpd | M::Vpgatherqq => return gather::<u64, i64>(l),
        M::Pcmpestri => text::<u32, Legacy, true, false>(l),
        M::Pcmpestri64 => text::<u64, Legacy, true, false>(l),
        M::Pcmpestrm => text::<u32, Legacy, true, true>(l),
        M::Pcmpestrm64 => text::<u64, Legacy, true, true>(l),
        M::Pcmpistri => text::<u32, Legacy, false, false>(l),
        M::Pcmpistrm => text::<u32, Legacy, false, true>(l),
        M::Vpcmpestri => text::<u32, Vex, true, false>(l),
        M::Vpcmpestri64 => text::<u64, Vex, true, false>(l),
        M::Vpcmpestrm => text::<u32, Vex, true, true>(l),
        M::Vpcmpestrm64 => text::<u64, Vex, true, true>(l),
        M::Vpcmpistri => text::<u32, Vex, false, false>(l),
        M::Vpcmpistrm => text::<u32, Vex, false, true>(l),
        _ => return false,
    }
    true
}

fn text<T: Int, N: Encoding, const EXPLICIT: bool, const TO_MASK: bool>(l: &mut Lowering<'_>) {
    let memory = l.is_memory(1);
    let a = vector(l, 0);
    let imm = i32::from(l.imm(2) as u8);
    if memory {
        l.emit_memory::<CompareText<T, Mem128<Segmented, false>, N, EXPLICIT, TO_MASK>>(0);
        second(l, a, 0, 0, 0, imm);
    } else {
        let b = vector(l, 1);
        l.emit::<CompareText<T, Vector, N, EXPLICIT, TO_MASK>>(0, 0, 0);
        second(l, a, b, 0, 0, imm);
    }
}

fn masked<T: Lane + Int>(l: &mut Lowering<'_>) {
    let wide = l.insn.memory_size().size() == 32;
    if l.is_memory(0) {
        let (mask, source) = (vector(l, 1), vector(l, 2));
        l.emit_memory::<MaskedStore<T>>(0);
        second(l, mask, source, 0, wide.into(), 0);
    } else {
        let (destination, mask) = (vector(l, 0), vector(l, 1));
        l.emit_memory::<MaskedLoad<T>>(destination);
        second(l, mask, 0, 0, wide.into(), 0);
    }
}

fn gather<T: Lane + Int, I: Lane>(l: &mut Lowering<'_>) -> bool {
    let index = l.insn.memory_index();
    let (destination, mask) = (vector(l, 0), vector(l, 2));
    let number = Registers::place(index.number());
    if destination == mask || destination == number || mask == number {
        // Undefined (SDM vol. 2, "VGATHERDPS").
        return false;
    }
    let wide = index.is_ymm() || l.insn.op0_register().is_ymm();
    l.emit_memory::<Gather<T, I>>(destination);
    second(l, 0, number, mask, wide.into(), 0);
    true
}

fn masked_bytes<N: MaskedBytes>(l: &mut Lowering<'_>) {
    // The memory operand is implied: DS:(E)DI or what overrides DS.
    let kind = l.insn.op_kind(0);
    let (base, bits) = match kind {
        OpKind::MemorySegRDI => (Register::RDI, 64),
        OpKind::MemorySegEDI => (Register::EDI, 32),
        _ => (Register::DI, 16),
    };
    let d = address::encode(0, l.memory_segment(), bits);
    let (source, mask) = (vector(l, 1), vector(l, 2));
    l.emit_based::<MaskMove<N>>(register(base), d);
    second(l, source, mask, 0, 0, 0);
}

/// Kinds of operands.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Kind {
    Mmx,
    Xmm,
    Ymm,
    General,
    Memory,
    Immediate,
}

fn kind(l: &Lowering<'_>, n: u32) -> Option<Kind> {
    if l.is_memory(n) {
        return Some(Kind::Memory);
    }
    if l.insn.op_kind(n) != OpKind::Register {
        return Some(Kind::Immediate);
    }
    let r = l.insn.op_register(n);
    Some(if r.is_mm() {
        Kind::Mmx
    } else if r.is_xmm() {
        Kind::Xmm
    } else if r.is_ymm() {
        Kind::Ymm
    } else if r.is_gpr() {
        Kind::General
    } else {
        return None;
    })
}

fn vector(l: &Lowering<'_>, n: u32) -> u8 {
    let r = l.insn.op_register(n);
    if r.is_mm() {
        r.number() as u8
    } else {
        Registers::place(r.number())
    }
}

fn second(l: &mut Lowering<'_>, a: u8, b: u8, c: u8, d: u8, imm: i32) {
    l.emit_second_with([a, b, c, d], imm);
}

/// What the second slot holds.
struct Second {
    a: u8,
    b: u8,
    c: u8,
    wide: bool,
    imm: i32,
}

fn put<I: Instruction>(l: &mut Lowering<'_>, destination: u8, memory: bool, s: &Second) {
    if memory {
        l.emit_memory::<I>(destination);
    } else {
        l.emit::<I>(destination, 0, 0);
    }
    let dot_product = matches!(l.insn.mnemonic(), M::Dpps | M::Dppd | M::Vdpps | M::Vdppd);
    let mut flags = if s.wide { args::WIDE } else { 0 };
    if dot_product && l.model.is_amd() {
        flags |= args::LOWER_FIRST;
    }
    second(l, s.a, s.b, s.c, flags, s.imm);
}

/// Whether a 128-bit (256-bit) memory operand must be aligned: all without VEX but these, and with VEX only these. On AMD's
/// processors those of SHA need not.
fn must_align(l: &Lowering<'_>) -> bool {
    match l.insn.mnemonic() {
        M::Movups | M::Movupd | M::Movdqu | M::Lddqu => false,
        M::Sha1nexte | M::Sha1msg1 | M::Sha1msg2 | M::Sha1rnds4 if l.model.is_amd() => false,
        M::Sha256msg1 | M::Sha256msg2 | M::Sha256rnds2 if l.model.is_amd() => false,
        M::Vmovaps
        | M::Vmovapd
        | M::Vmovdqa
        | M::Vmovntps
        | M::Vmovntpd
        | M::Vmovntdq
        | M::Vmovntdqa => true,
        _ => !is_vex(l),
    }
}

fn tabled(l: &mut Lowering<'_>) -> bool {
    if !table::has(l.insn.mnemonic()) {
        return false;
    }
    let Some(kinds) = (0..l.insn.op_count())
        .map(|n| kind(l, n))
        .collect::<Option<Vec<Kind>>>()
    else {
        return false;
    };
    let is_vector = |k: &Kind| matches!(k, Kind::Mmx | Kind::Xmm | Kind::Ymm);
    if kinds.is_empty() || l.insn.is_string_instruction() {
        return false;
    }
    let has_immediate = kinds.last() == Some(&Kind::Immediate);
    let sources = kinds.len() as u32 - u32::from(has_immediate);
    let mut forms = Vec::with_capacity(3);
    if kinds[0] == Kind::Memory {
        forms.push(Form::Store);
    } else if kinds.contains(&Kind::Memory) {
        forms.push(Form::Load);
    }
    if kinds[0] == Kind::Mmx || !is_vector(&kinds[0]) && kinds.get(1) == Some(&Kind::Mmx) {
        forms.push(Form::Mmx);
    }
    if has_immediate {
        forms.push(Form::Immediate);
    }
    let last = sources - 1;
    if kinds[last as usize] == Kind::General && l.operand_bytes(last) == 8
        || kinds[last as usize] == Kind::Memory && l.insn.memory_size().size() == 8
    {
        forms.push(Form::Quadword);
    }
    let Some(row) = table::find(l.insn.mnemonic(), &forms) else {
        return false;
    };
    let slot = l.slots.len();
    if !from_row(l, &kinds, row, sources) {
        return false;
    }
    if let Some(shape) = shape(l, &kinds, sources)
        && let Some(handler) = (Row::numbered(row).quick)(shape, is_vex(l))
    {
        l.shorten(slot, handler);
    }
    true
}

/// Where the operands are, for a shortcut: not with MMX or YMM registers, nor in a segment.
fn shape(l: &Lowering<'_>, kinds: &[Kind], sources: u32) -> Option<Shape> {
    let others = |k: &Kind| matches!(k, Kind::Mmx | Kind::Ymm);
    if kinds.iter().any(others) || kinds.contains(&Kind::Memory) && !l.is_flat() {
        return None;
    }
    Some(match (kinds[0], kinds[sources as usize - 1]) {
        (Kind::Memory, _) => Shape::Store((l.is_64_bit(), l.index_scale())),
        (Kind::General, Kind::Xmm) => Shape::ToGeneral(l.operand_bytes(0) == 8),
        (Kind::Xmm, Kind::General) => Shape::General(l.operand_bytes(sources - 1) == 8),
        (Kind::Xmm, Kind::Memory) => Shape::Load((l.is_64_bit(), l.index_scale())),
        (Kind::Xmm, Kind::Xmm) if kinds.len() as u32 > sources && is_shift(l.insn.mnemonic()) => {
            Shape::Immediate
        }
        (Kind::Xmm, Kind::Xmm) => Shape::Registers,
        _ => return None,
    })
}

/// Lowers an instruction as its row says.
fn from_row(l: &mut Lowering<'_>, kinds: &[Kind], row: i32, sources: u32) -> bool {
    let has_immediate = kinds.len() as u32 > sources;
    let mut immediate = if has_immediate {
        l.imm(sources) as u8
    } else {
        0
    };
    match l.insn.mnemonic() {
        // Without VEX there are eight predicates.
        M::Cmpps | M::Cmppd | M::Cmpss | M::Cmpsd => immediate &= 7,
        M::Vcmpps | M::Vcmppd | M::Vcmpss | M::Vcmpsd => immediate &= 31,
        // From memory there is one single to choose.
        M::Insertps | M::Vinsertps if kinds.contains(&Kind::Memory) => immediate &= 0x3F,
        _ => {}
    }
    let mut s = Second {
        a: 0,
        b: 0,
        c: 0,
        wide: kinds.contains(&Kind::Ymm)
            || kinds.contains(&Kind::Memory) && l.insn.memory_size().size() == 32,
        imm: row | i32::from(immediate),
    };
    if kinds[0] == Kind::Memory {
        s.b = vector(l, 1);
        return store(l, kinds[1], &s);
    }
    let number = |l: &Lowering<'_>, n: u32| match kinds[n as usize] {
        Kind::General => register(l.insn.op_register(n)),
        Kind::Memory => 0,
        _ => vector(l, n),
    };
    // A shift by an immediate has one vector source.
    let count = has_immediate && is_shift(l.insn.mnemonic());
    let destination = number(l, 0);
    let (source, from) = match (sources, count) {
        (1, _) => {
            s.a = destination;
            (Kind::Immediate, 0)
        }
        (_, true) => {
            s.a = number(l, 1);
            (Kind::Immediate, 1)
        }
        (2, _) => {
            s.a = destination;
            (kinds[1], 1)
        }
        _ => {
            s.a = number(l, 1);
            (kinds[2], 2)
        }
    };
    s.b = if source == Kind::Immediate {
        0
    } else {
        number(l, from)
    };
    // The third source: a register of its own, XMM0, or the destination of a fused operation.
    s.c = match sources {
        4 => number(l, 3),
        _ if is_vex(l) => destination,
        _ => 0,
    };
    match kinds[0] {
        Kind::Mmx if is_sse_to_mmx(l.insn.mnemonic()) => {
            to_vector::<ToMmx<true>>(l, source, from, destination, &s)
        }
        Kind::Mmx => to_vector::<ToMmx<false>>(l, source, from, destination, &s),
        Kind::Xmm if !is_vex(l) && is_flags(l.insn.mnemonic()) => {
            to_flags::<Legacy>(l, source, from, destination, &s)
        }
        Kind::Xmm | Kind::Ymm if is_flags(l.insn.mnemonic()) => {
            to_flags::<Vex>(l, source, from, destination, &s)
        }
        Kind::Xmm if !is_vex(l) => to_vector::<ToXmm>(l, source, from, destination, &s),
        Kind::Xmm => to_vector::<ToVex<false>>(l, source, from, destination, &s),
        Kind::Ymm => to_vector::<ToVex<true>>(l, source, from, destination, &s),
        Kind::General => {
            let wide = l.operand_bytes(0) == 8;
            match (wide, is_vex(l)) {
                (false, false) => to_general::<u32, Legacy>(l, source, destination, &s),
                (true, false) => to_general::<u64, Legacy>(l, source, destination, &s),
                (false, true) => to_general::<u32, Vex>(l, source, destination, &s),
                (true, true) => to_general::<u64, Vex>(l, source, destination, &s),
            }
        }
        _ => false,
    }
}

fn is_shift(m: M) -> bool {
    matches!(
        m,
        M::Psllw
            | M::Pslld
            | M::Psllq
            | M::Psrlw
            | M::Psrld
            | M::Psrlq
            | M::Psraw
            | M::Psrad
            | M::Pslldq
            | M::Psrldq
            | M::Vpsllw
            | M::Vpslld
            | M::Vpsllq
            | M::Vpsrlw
            | M::Vpsrld
            | M::Vpsrlq
            | M::Vpsraw
            | M::Vpsrad
            | M::Vpslldq
            | M::Vpsrldq
    )
}

/// MMX instructions that take their source from an XMM register or from floats.
fn is_sse_to_mmx(m: M) -> bool {
    matches!(
        m,
        M::Movdq2q | M::Cvtps2pi | M::Cvttps2pi | M::Cvtpd2pi | M::Cvttpd2pi
    )
}

fn is_flags(m: M) -> bool {
    matches!(
        m,
        M::Comiss
            | M::Comisd
            | M::Ucomiss
            | M::Ucomisd
            | M::Ptest
            | M::Vcomiss
            | M::Vcomisd
            | M::Vucomiss
            | M::Vucomisd
            | M::Vptest
            | M::Vtestps
            | M::Vtestpd
    )
}

fn to_vector<D: Destination>(
    l: &mut Lowering<'_>,
    source: Kind,
    from: u32,
    destination: u8,
    s: &Second,
) -> bool {
    match source {
        Kind::Mmx => put::<Compute<D, Mm>>(l, destination, false, s),
        Kind::Xmm | Kind::Ymm => put::<Compute<D, Vector>>(l, destination, false, s),
        Kind::Immediate => put::<Compute<D, Count>>(l, destination, false, s),
        Kind::General if l.operand_bytes(from) == 8 => {
            put::<Compute<D, General<u64>>>(l, destination, false, s)
        }
        Kind::General => put::<Compute<D, General<u32>>>(l, destination, false, s),
        Kind::Memory => match (l.insn.memory_size().size(), must_align(l), l.is_flat()) {
            (1, ..) => load::<Compute<D, Mem<u8, Segmented>>>(l, destination, s),
            (2, ..) => load::<Compute<D, Mem<u16, Segmented>>>(l, destination, s),
            (4, _, false) => load::<Compute<D, Mem<u32, Segmented>>>(l, destination, s),
            (4, _, true) => load::<Compute<D, Mem<u32, Flat>>>(l, destination, s),
            (8, ..) if l.insn.mnemonic() == M::Vcvtph2ps => {
                load::<Compute<D, Unchecked64>>(l, destination, s);
            }
            (8, _, false) => load::<Compute<D, Mem<u64, Segmented>>>(l, destination, s),
            (8, _, true) => load::<Compute<D, Mem<u64, Flat>>>(l, destination, s),
            (16, true, false) => load::<Compute<D, Mem128<Segmented, true>>>(l, destination, s),
            (16, true, true) => load::<Compute<D, Mem128<Flat, true>>>(l, destination, s),
            (16, false, false) => load::<Compute<D, Mem128<Segmented, false>>>(l, destination, s),
            (16, false, true) => load::<Compute<D, Mem128<Flat, false>>>(l, destination, s),
            (32, true, _) => load::<Compute<D, Mem256<Segmented, true>>>(l, destination, s),
            (32, false, _) => load::<Compute<D, Mem256<Segmented, false>>>(l, destination, s),
            _ => return false,
        },
    }
    true
}

fn load<I: Instruction>(l: &mut Lowering<'_>, destination: u8, s: &Second) {
    put::<I>(l, destination, true, s);
}

fn to_flags<N: Encoding>(
    l: &mut Lowering<'_>,
    source: Kind,
    _: u32,
    first: u8,
    s: &Second,
) -> bool {
    match source {
        Kind::Memory => match (l.insn.memory_size().size(), must_align(l)) {
            (4, _) => load::<ToFlags<Mem<u32, Segmented>, N>>(l, first, s),
            (8, _) => load::<ToFlags<Mem<u64, Segmented>, N>>(l, first, s),
            (16, true) => load::<ToFlags<Mem128<Segmented, true>, N>>(l, first, s),
            (16, false) => load::<ToFlags<Mem128<Segmented, false>, N>>(l, first, s),
            _ => load::<ToFlags<Mem256<Segmented, false>, N>>(l, first, s),
        },
        _ => put::<ToFlags<Vector, N>>(l, first, false, s),
    }
    true
}

fn to_general<T: crate::alu::Int, N: Encoding>(
    l: &mut Lowering<'_>,
    source: Kind,
    destination: u8,
    s: &Second,
) -> bool {
    match source {
        Kind::Mmx => put::<ToGeneral<T, Mm, OnMmx>>(l, destination, false, s),
        Kind::Xmm | Kind::Ymm => put::<ToGeneral<T, Vector, N>>(l, destination, false, s),
        Kind::Memory if l.insn.memory_size().size() == 4 => {
            load::<ToGeneral<T, Mem<u32, Segmented>, N>>(l, destination, s)
        }
        Kind::Memory => load::<ToGeneral<T, Mem<u64, Segmented>, N>>(l, destination, s),
        _ => return false,
    }
    true
}

fn store(l: &mut Lowering<'_>, source: Kind, s: &Second) -> bool {
    let (size, vex, aligned) = (l.insn.memory_size().size(), is_vex(l), must_align(l));
    if source == Kind::Mmx {
        match size {
            4 => load::<Store<u32, Segmented, Mm, OnMmx>>(l, 0, s),
            _ => load::<Store<u64, Segmented, Mm, OnMmx>>(l, 0, s),
        }
        return true;
    }
    match l.insn.mnemonic() {
        M::Vextractf128 | M::Vextracti128 => {
            load::<StoreHalf>(l, 0, s);
            return true;
        }
        M::Vcvtps2ph => {
            if source == Kind::Ymm {
                load::<StoreHalves<true>>(l, 0, s);
            } else {
                load::<StoreHalves<false>>(l, 0, s);
            }
            return true;
        }
        _ => {}
    }
    match (size, vex, aligned) {
        (32, _, true) => load::<Store256<Segmented, true>>(l, 0, s),
        (32, _, false) => load::<Store256<Segmented, false>>(l, 0, s),
        (16, false, true) if l.is_flat() => load::<Store128<Flat, Legacy, true>>(l, 0, s),
        (16, false, true) => load::<Store128<Segmented, Legacy, true>>(l, 0, s),
        (16, false, false) if l.is_flat() => load::<Store128<Flat, Legacy, false>>(l, 0, s),
        (16, false, false) => load::<Store128<Segmented, Legacy, false>>(l, 0, s),
        (16, true, true) => load::<Store128<Segmented, Vex, true>>(l, 0, s),
        (16, true, false) => load::<Store128<Segmented, Vex, false>>(l, 0, s),
        (_, false, _) => store_part::<Legacy>(l, size, s),
        (_, true, _) => store_part::<Vex>(l, size, s),
    }
    true
}

fn store_part<N: Encoding>(l: &mut Lowering<'_>, size: usize, s: &Second) {
    match size {
        1 => load::<Store<u8, Segmented, Vector, N>>(l, 0, s),
        2 => load::<Store<u16, Segmented, Vector, N>>(l, 0, s),
        4 => load::<Store<u32, Segmented, Vector, N>>(l, 0, s),
        _ => load::<Store<u64, Segmented, Vector, N>>(l, 0, s),
    }
}
