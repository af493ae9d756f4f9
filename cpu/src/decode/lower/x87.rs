//! x87, by opcode: D8 to DF and ModRM (SDM vol. 2, tables ).

use super::Lowering;
use crate::exec::x87::{
    Absolute, ArcTangent, ArithMemory, ArithStack, ChangeSign, ClearExceptions, CompareMemory,
    CompareStack, CompareToFlags, Control, Cosine, DecrementTop, DisableInterrupts,
    EnableInterrupts, Examine, Exchange, Execution, Extract, Free, FreeAndPop, IncrementTop, Init,
    LoadBcd, LoadControl, LoadEnvironment, LoadExtended, LoadLnOf2, LoadLog2Of10, LoadLog2OfE,
    LoadLog10Of2, LoadMemory, LoadOne, LoadPi, LoadSt, LoadZero, Logarithm, LogarithmPlusOne,
    MoveIf, Nothing, PowerOfTwoMinusOne, Remainder, RemainderIeee, Restore, RoundToIntegral, Save,
    Scale, Sine, SineCosine, SquareRoot, Stack, StatusToAx, StoreControl, StoreEnvironment,
    StoreMemory, StoreSt, StoreStPop, StoreStUnchecked, StoreStatus, Tangent, Test, Wait, X87,
};
use crate::exec::x87_operand::{Bcd, I16, I32, I64, M32, M64, M80, MemoryNumber, Truncated};
use crate::interpreter::mode;
use crate::mem::address::{Base, Flat};
use iced_x86::Mnemonic;

/// Lowers the instruction at hand if it is one of these.
pub fn lower(l: &mut Lowering<'_>, bytes: &[u8]) -> bool {
    if l.insn.mnemonic() == Mnemonic::Wait {
        l.emit::<Wait>(0, 0, 0);
        return true;
    }
    let Some(mut e) = escape(l, bytes) else {
        return false;
    };
    if e.modrm < 0xC0 {
        let reg = e.modrm >> 3 & 7;
        memory(&mut e, reg)
    } else {
        register(&mut e)
    }
}

/// Lowers an instruction that the coprocessor of an 8086 or 80286 does not know, or any where there is none: the
/// processor hands it over, and nothing comes of it.
pub fn ignore(l: &mut Lowering<'_>, bytes: &[u8]) -> bool {
    let hands_over = l.model.processor.is_some() || !l.model.has_fpu();
    if !hands_over || l.model.offers(&l.insn) {
        return false;
    }
    escape(l, bytes).is_some_and(|mut e| e.stack::<Control<Nothing>>())
}

/// The opcode behind the prefixes, if it is D8 to DF.
fn escape<'a, 'b>(l: &'a mut Lowering<'b>, bytes: &[u8]) -> Option<Emit<'a, 'b>> {
    let is_prefix = |b: &u8| {
        matches!(
            b,
            0x26 | 0x2E | 0x36 | 0x3E | 0x64 | 0x65 | 0x66 | 0x67 | 0xF0 | 0xF1 | 0xF2 | 0xF3
        )
    };
    // REX, of which only what selects registers of a memory operand counts; one before another prefix is ignored.
    let is_rex = |b: &u8| l.is_64_bit() && (0x40..0x50).contains(b);
    let prefixes = bytes.iter().take_while(|b| is_prefix(b) || is_rex(b));
    let prefixes = prefixes.count();
    let wide = (l.mode & (mode::CODE_32 | mode::CODE_64) != 0) != bytes[..prefixes].contains(&0x66);
    let (&first, &modrm) = (bytes.get(prefixes)?, bytes.get(prefixes + 1)?);
    (0xD8..=0xDF).contains(&first).then_some(Emit {
        l,
        escape: first & 7,
        modrm,
        wide,
    })
}

struct Emit<'a, 'b> {
    l: &'a mut Lowering<'b>,
    escape: u8,
    modrm: u8,
    wide: bool,
}

impl Emit<'_, '_> {
    fn second(&mut self) {
        let start = self.l.start as i32;
        let segment = self.l.memory_segment() as u8;
        self.l
            .emit_second_with([self.modrm, self.escape, segment, 0], start);
    }

    fn memory<E: Execution>(&mut self) -> bool {
        let slot = self.l.slots.len();
        self.l.emit_memory::<X87<E>>(u8::from(self.wide));
        self.second();
        if !self.l.is_flat() {
            return true;
        }
        let shortcut = match (self.l.index_scale(), self.l.is_64_bit()) {
            (None, true) => E::shortcut::<Base<true>>(),
            (None, false) => E::shortcut::<Base<false>>(),
            (Some(_), _) => E::shortcut::<Flat>(),
        };
        if let Some(handler) = shortcut {
            self.l.shorten(slot, handler);
        }
        true
    }

    fn stack<E: Execution>(&mut self) -> bool {
        let slot = self.l.slots.len();
        self.l.emit::<X87<E>>(self.modrm & 7, 0, 0);
        self.second();
        // What is recorded would wrap.
        let handler = E::shortcut::<Flat>().filter(|_| !self.l.model.ip_wraps);
        if let Some(handler) = handler {
            self.l.shorten(slot, handler);
        }
        true
    }
}

fn arith_memory<M: MemoryNumber>(e: &mut Emit<'_, '_>, reg: u8) -> bool {
    match reg {
        0 => e.memory::<ArithMemory<M, 0>>(),
        1 => e.memory::<ArithMemory<M, 1>>(),
        2 => e.memory::<CompareMemory<M, false>>(),
        3 => e.memory::<CompareMemory<M, true>>(),
        4 => e.memory::<ArithMemory<M, 4>>(),
        5 => e.memory::<ArithMemory<M, 5>>(),
        6 => e.memory::<ArithMemory<M, 6>>(),
        _ => e.memory::<ArithMemory<M, 7>>(),
    }
}

fn memory(e: &mut Emit<'_, '_>, reg: u8) -> bool {
    match (e.escape, reg) {
        (0, _) => arith_memory::<M32>(e, reg),
        (2, _) => arith_memory::<I32>(e, reg),
        (4, _) => arith_memory::<M64>(e, reg),
        (6, _) => arith_memory::<I16>(e, reg),
        (1, 0) => e.memory::<LoadMemory<M32>>(),
        (1, 2) => e.memory::<StoreMemory<M32, false>>(),
        (1, 3) => e.memory::<StoreMemory<M32, true>>(),
        (1, 4) => e.memory::<LoadEnvironment>(),
        (1, 5) => e.memory::<LoadControl>(),
        (1, 6) => e.memory::<StoreEnvironment>(),
        (1, 7) => e.memory::<StoreControl>(),
        (3, 0) => e.memory::<LoadMemory<I32>>(),
        (3, 1) => e.memory::<StoreMemory<Truncated<I32>, true>>(),
        (3, 2) => e.memory::<StoreMemory<I32, false>>(),
        (3, 3) => e.memory::<StoreMemory<I32, true>>(),
        (3, 5) => e.memory::<LoadExtended>(),
        (3, 7) => e.memory::<StoreMemory<M80, true>>(),
        (5, 0) => e.memory::<LoadMemory<M64>>(),
        (5, 1) => e.memory::<StoreMemory<Truncated<I64>, true>>(),
        (5, 2) => e.memory::<StoreMemory<M64, false>>(),
        (5, 3) => e.memory::<StoreMemory<M64, true>>(),
        (5, 4) => e.memory::<Restore>(),
        (5, 6) => e.memory::<Save>(),
        (5, 7) => e.memory::<StoreStatus>(),
        (7, 0) => e.memory::<LoadMemory<I16>>(),
        (7, 1) => e.memory::<StoreMemory<Truncated<I16>, true>>(),
        (7, 2) => e.memory::<StoreMemory<I16, false>>(),
        (7, 3) => e.memory::<StoreMemory<I16, true>>(),
        (7, 4) => e.memory::<LoadBcd>(),
        (7, 5) => e.memory::<LoadMemory<I64>>(),
        (7, 6) => e.memory::<StoreMemory<Bcd, true>>(),
        (7, 7) => e.memory::<StoreMemory<I64, true>>(),
        _ => false,
    }
}

fn register(e: &mut Emit<'_, '_>) -> bool {
    let reg = e.modrm >> 3 & 7;
    match (e.escape, reg) {
        (0, 0) => e.stack::<ArithStack<0, false, false>>(),
        (0, 1) => e.stack::<ArithStack<1, false, false>>(),
        (0, 4) => e.stack::<ArithStack<4, false, false>>(),
        (0, 5) => e.stack::<ArithStack<5, false, false>>(),
        (0, 6) => e.stack::<ArithStack<6, false, false>>(),
        (0, 7) => e.stack::<ArithStack<7, false, false>>(),
        // FCOM and FCOMP, with their aliases FCOM2, FCOMP3 and FCOMP5.
        (0 | 4, 2) => e.stack::<CompareStack<true, 0>>(),
        (0 | 4, 3) | (6, 2) => e.stack::<CompareStack<true, 1>>(),
        (1, 0) => e.stack::<Stack<LoadSt>>(),
        // FXCH, with its aliases FXCH4 and FXCH7.
        (1 | 5 | 7, 1) => e.stack::<Stack<Exchange>>(),
        (1, 3) => e.stack::<Stack<StoreStUnchecked>>(),
        (1, _) => escape_1(e),
        (2, 0) => e.stack::<MoveIf<2>>(),
        (2, 1) => e.stack::<MoveIf<4>>(),
        (2, 2) => e.stack::<MoveIf<6>>(),
        (2, 3) => e.stack::<MoveIf<10>>(),
        (2, 5) if e.modrm == 0xE9 => e.stack::<CompareStack<false, 2>>(),
        (3, 0) => e.stack::<MoveIf<3>>(),
        (3, 1) => e.stack::<MoveIf<5>>(),
        (3, 2) => e.stack::<MoveIf<7>>(),
        (3, 3) => e.stack::<MoveIf<11>>(),
        (3, 4) => match e.modrm {
            0xE0 => e.stack::<Control<EnableInterrupts>>(),
            0xE1 => e.stack::<Control<DisableInterrupts>>(),
            0xE2 => e.stack::<Control<ClearExceptions>>(),
            0xE3 => e.stack::<Control<Init>>(),
            // FNSETPM: the image format follows from the mode.
            0xE4 => e.stack::<Control<Nothing>>(),
            _ => false,
        },
        (3, 5) => e.stack::<CompareToFlags<false, false>>(),
        (3, 6) => e.stack::<CompareToFlags<true, false>>(),
        // With ST(i) as destination SUB and SUBR, DIV and DIVR change places (SDM vol. 2, table A-15).
        (4, 0) => e.stack::<ArithStack<0, true, false>>(),
        (4, 1) => e.stack::<ArithStack<1, true, false>>(),
        (4, 4) => e.stack::<ArithStack<5, true, false>>(),
        (4, 5) => e.stack::<ArithStack<4, true, false>>(),
        (4, 6) => e.stack::<ArithStack<7, true, false>>(),
        (4, 7) => e.stack::<ArithStack<6, true, false>>(),
        (5, 0) => e.stack::<Stack<Free>>(),
        (5, 2) => e.stack::<Stack<StoreSt>>(),
        // FSTP, with its aliases FSTP8 and FSTP9.
        (5, 3) | (7, 2 | 3) => e.stack::<Stack<StoreStPop>>(),
        (5, 4) => e.stack::<CompareStack<false, 0>>(),
        (5, 5) => e.stack::<CompareStack<false, 1>>(),
        (6, 0) => e.stack::<ArithStack<0, true, true>>(),
        (6, 1) => e.stack::<ArithStack<1, true, true>>(),
        (6, 3) if e.modrm == 0xD9 => e.stack::<CompareStack<true, 2>>(),
        (6, 4) => e.stack::<ArithStack<5, true, true>>(),
        (6, 5) => e.stack::<ArithStack<4, true, true>>(),
        (6, 6) => e.stack::<ArithStack<7, true, true>>(),
        (6, 7) => e.stack::<ArithStack<6, true, true>>(),
        (7, 0) => e.stack::<Stack<FreeAndPop>>(),
        (7, 4) if e.modrm == 0xE0 => e.stack::<StatusToAx>(),
        (7, 5) => e.stack::<CompareToFlags<false, true>>(),
        (7, 6) => e.stack::<CompareToFlags<true, true>>(),
        _ => false,
    }
}

/// D9 D0 to D9 FF.
fn escape_1(e: &mut Emit<'_, '_>) -> bool {
    match e.modrm {
        0xD0 => e.stack::<Stack<Nothing>>(),
        0xE0 => e.stack::<Stack<ChangeSign>>(),
        0xE1 => e.stack::<Stack<Absolute>>(),
        0xE4 => e.stack::<Stack<Test>>(),
        0xE5 => e.stack::<Stack<Examine>>(),
        0xE8 => e.stack::<Stack<LoadOne>>(),
        0xE9 => e.stack::<Stack<LoadLog2Of10>>(),
        0xEA => e.stack::<Stack<LoadLog2OfE>>(),
        0xEB => e.stack::<Stack<LoadPi>>(),
        0xEC => e.stack::<Stack<LoadLog10Of2>>(),
        0xED => e.stack::<Stack<LoadLnOf2>>(),
        0xEE => e.stack::<Stack<LoadZero>>(),
        0xF0 => e.stack::<Stack<PowerOfTwoMinusOne>>(),
        0xF1 => e.stack::<Stack<Logarithm>>(),
        0xF2 => e.stack::<Stack<Tangent>>(),
        0xF3 => e.stack::<Stack<ArcTangent>>(),
        0xF4 => e.stack::<Stack<Extract>>(),
        0xF5 => e.stack::<Stack<RemainderIeee>>(),
        0xF6 => e.stack::<Stack<DecrementTop>>(),
        0xF7 => e.stack::<Stack<IncrementTop>>(),
        0xF8 => e.stack::<Stack<Remainder>>(),
        0xF9 => e.stack::<Stack<LogarithmPlusOne>>(),
        0xFA => e.stack::<Stack<SquareRoot>>(),
        0xFB => e.stack::<Stack<SineCosine>>(),
        0xFC => e.stack::<Stack<RoundToIntegral>>(),
        0xFD => e.stack::<Stack<Scale>>(),
        0xFE => e.stack::<Stack<Sine>>(),
        0xFF => e.stack::<Stack<Cosine>>(),
        _ => false,
    }
}
