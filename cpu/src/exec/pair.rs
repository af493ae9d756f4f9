//! Two plain instructions, one behind the other, in one step: what is saved is a jump that the host has to predict.
//!
//! The operation of the first executes both. The second keeps its own handler, for whoever begins or goes on there; where
//! either meets something out of the ordinary, that handler or the first one's goes on alone, with what came before it done.
//! Which instructions are paired is a matter of how often compilers emit them: registers, moves, and memory that is flat and
//! addressed by a base, or a base and an index.

#[cfg(test)]
mod tests;

use super::arith::{Add, Modify, Sub};
use super::data::{Lea, Mov, Movzx};
use super::logic::{And, Or, Xor};
use super::operand::{A, As, B, Imm, Mem};
use super::shift::{Count, Rol, Ror, Sar, ShiftBy, Shl, Shr};
use super::stack::{Pop, Push};
use crate::alu::Flags;
use crate::context::Fast;
use crate::interpreter::Interpreter;
use crate::mem::address::{Base, Flat, Indexed};
use crate::op::{Handler, Hot, Instruction, OpRef, fast, go, quiet, twin};
use std::sync::LazyLock;

/// An instruction that may be one of two.
trait Half: 'static {
    /// What executes it alone.
    const HANDLER: Handler;
    /// What it does, wherever lowering has chosen that handler.
    type Lean: Hot;
    /// What does the same in each case.
    type Whole: Instruction;
    /// Nobody sees the flags that it leaves.
    const QUIET: bool;
}

/// One whose flags may be seen, or that leaves none.
struct Seen<H, W = H>(As<(H, W)>);

impl<H: Hot + 'static, W: Instruction + 'static> Half for Seen<H, W> {
    const HANDLER: Handler = fast::<H, W>;
    type Lean = H;
    type Whole = W;
    const QUIET: bool = false;
}

/// One whose flags nobody sees.
struct Unseen<H>(As<H>);

impl<H: Hot + 'static> Half for Unseen<H> {
    const HANDLER: Handler = quiet::<H>;
    type Lean = H;
    type Whole = H;
    const QUIET: bool = true;
}

/// Executes a half; the flags behind it, or nothing if it has given up.
#[inline(always)]
fn execute<H: Half>(cpu: &mut Interpreter, op: OpRef, flags: Flags) -> Option<Flags> {
    const {
        assert!(<H::Lean as Hot>::SLOTS == 1);
        assert!(!H::QUIET || <H::Lean as Hot>::FLAGS.reads == 0);
    }
    let seen = if H::QUIET { Flags::explicit(0) } else { flags };
    let mut cx = Fast { cpu, flags: seen };
    H::Lean::run(&mut cx, op).ok()?;
    Some(if H::QUIET { flags } else { cx.flags })
}

extern "C-unwind" fn pair<X: Half, Y: Half>(
    cpu: &mut Interpreter,
    op: OpRef,
    count: i64,
    a: u64,
    r: u64,
    k: u64,
) -> OpRef {
    let flags = Flags::from_words([a, r, k]);
    let Some(flags) = execute::<X>(cpu, op, flags) else {
        return twin::<X::Whole>(cpu, op, count, a, r, k);
    };
    let second = op.plus(1);
    match execute::<Y>(cpu, second, flags) {
        Some(flags) => go(cpu, op.plus(2), count, flags),
        None => {
            let [a, r, k] = flags.words();
            twin::<Y::Whole>(cpu, second, count, a, r, k)
        }
    }
}

/// What may stand behind an instruction: halves, as `(first, (second, (.., ())))`.
trait Seconds {
    /// Adds the pairs of `X` and each of these.
    fn behind<X: Half>(rows: &mut Vec<[Handler; 3]>);
}

impl Seconds for () {
    #[inline(always)]
    fn behind<X: Half>(_: &mut Vec<[Handler; 3]>) {}
}

impl<Y: Half, Others: Seconds> Seconds for (Y, Others) {
    #[inline(always)]
    fn behind<X: Half>(rows: &mut Vec<[Handler; 3]>) {
        rows.push([X::HANDLER, Y::HANDLER, pair::<X, Y>]);
        Others::behind::<X>(rows);
    }
}

/// What may come first, likewise.
trait Firsts {
    /// Adds the pairs of each of these and each of `Y`.
    fn before<Y: Seconds>(rows: &mut Vec<[Handler; 3]>);
}

impl Firsts for () {
    #[inline(always)]
    fn before<Y: Seconds>(_: &mut Vec<[Handler; 3]>) {}
}

impl<X: Half, Others: Firsts> Firsts for (X, Others) {
    #[inline(always)]
    fn before<Y: Seconds>(rows: &mut Vec<[Handler; 3]>) {
        Y::behind::<X>(rows);
        Others::before::<Y>(rows);
    }
}

/// A list of types.
macro_rules! list {
    () => { () };
    ($first:ty $(, $others:ty)* $(,)?) => { ($first, list!($($others),*)) };
}

type Binary<O, T, S> = Modify<O, T, A, S>;
type Shift<O, T> = ShiftBy<O, T, A, Count>;
type LoadAt<T, M> = Seen<Mov<T, A, Mem<M>>, Mov<T, A, Mem<Flat>>>;
type StoreAt<T, M> = Seen<Mov<T, Mem<M>, A>, Mov<T, Mem<Flat>, A>>;
type ExtendAt<N, M> = Seen<Movzx<u32, N, Mem<M>>, Movzx<u32, N, Mem<Flat>>>;
type Address<M> = Seen<Lea<u64, M>, Lea<u64, Flat>>;

/// Arithmetic whose flags nobody sees: what stands behind it replaces them.
type Quiet32 = list![
    Unseen<Binary<Add, u32, B>>,
    Unseen<Binary<Add, u32, Imm>>,
    Unseen<Binary<Sub, u32, B>>,
    Unseen<Binary<And, u32, B>>,
    Unseen<Binary<And, u32, Imm>>,
    Unseen<Binary<Or, u32, B>>,
    Unseen<Binary<Xor, u32, B>>,
    Unseen<Shift<Shl, u32>>,
    Unseen<Shift<Shr, u32>>,
    Unseen<Shift<Sar, u32>>,
    Unseen<Shift<Rol, u32>>,
    Unseen<Shift<Ror, u32>>,
];
type Quiet64 = list![
    Unseen<Binary<Add, u64, B>>,
    Unseen<Binary<Add, u64, Imm>>,
    Unseen<Binary<Sub, u64, B>>,
    Unseen<Shift<Shl, u64>>,
    Unseen<Shift<Shr, u64>>,
];
/// Arithmetic whose flags may be seen: by whom an access to memory behind it interrupts.
type Loud32 = list![
    Seen<Binary<Add, u32, B>>,
    Seen<Binary<Add, u32, Imm>>,
    Seen<Binary<Sub, u32, B>>,
    Seen<Binary<And, u32, Imm>>,
    Seen<Binary<Xor, u32, B>>,
    Seen<Shift<Shr, u32>>,
];
type Loud64 = list![
    Seen<Binary<Add, u64, B>>,
    Seen<Binary<Add, u64, Imm>>,
    Seen<Binary<Sub, u64, B>>,
];
/// What has nothing to do with flags.
type Moves32 = list![
    Seen<Mov<u32, A, B>>,
    Seen<Mov<u32, A, Imm>>,
    Seen<Movzx<u32, u8, B>>
];
type Moves64 = list![
    Seen<Mov<u64, A, B>>,
    Address<Base<true>>,
    Address<Indexed<true, 0>>,
];
/// What may fault, in 32-bit code and in 64-bit code.
type Memory32 = list![
    LoadAt<u32, Base<false>>,
    LoadAt<u32, Indexed<false, 2>>,
    StoreAt<u32, Base<false>>,
    ExtendAt<u8, Base<false>>,
    ExtendAt<u8, Indexed<false, 0>>,
    Seen<Push<u32, A, Flat>>,
    Seen<Pop<u32, Flat>>,
];
type Memory64 = list![
    LoadAt<u64, Base<true>>,
    LoadAt<u64, Indexed<true, 3>>,
    LoadAt<u32, Base<true>>,
    LoadAt<u32, Indexed<true, 2>>,
    StoreAt<u64, Base<true>>,
    StoreAt<u32, Base<true>>,
    ExtendAt<u8, Base<true>>,
    ExtendAt<u8, Indexed<true, 0>>,
    ExtendAt<u16, Base<true>>,
    Seen<Push<u64, A, Flat>>,
    Seen<Pop<u64, Flat>>,
];

fn rows() -> Vec<[Handler; 3]> {
    let mut rows = Vec::new();
    /// Pairs each of the first list with each of those behind it.
    macro_rules! cross {
        ($x:ty: $($y:ty),*) => { $(<$x>::before::<$y>(&mut rows);)* };
    }
    cross!(Quiet32: Quiet32, Quiet64, Loud32, Loud64, Moves32, Moves64);
    cross!(Quiet64: Quiet32, Quiet64, Loud32, Loud64, Moves32, Moves64);
    cross!(Loud32: Moves32, Moves64, Memory32, Memory64);
    cross!(Loud64: Moves32, Moves64, Memory64);
    cross!(Moves32: Quiet32, Quiet64, Loud32, Loud64, Moves32, Moves64, Memory32, Memory64);
    cross!(Moves64: Quiet32, Quiet64, Loud32, Loud64, Moves32, Moves64, Memory64);
    cross!(Memory32: Quiet32, Loud32, Moves32, Memory32);
    cross!(Memory64: Quiet32, Quiet64, Loud32, Loud64, Moves32, Moves64, Memory64);
    rows
}

/// All pairs.
pub struct Pairs {
    /// The handlers of halves with their numbers, each in the first of its [`Pairs::slots`] that was free; 0: nothing.
    halves: Box<[(usize, u8); HALF_SLOTS]>,
    /// By the numbers of both halves.
    handlers: Vec<Option<Handler>>,
    /// How many halves there are.
    count: usize,
}

/// Many times the halves, so that most of what is none is found out at once.
const HALF_SLOTS: usize = 1 << 10;

static PAIRS: LazyLock<Pairs> = LazyLock::new(|| Pairs::new(&rows()));

impl Pairs {
    /// All of them.
    pub fn all() -> &'static Self {
        &PAIRS
    }

    fn new(rows: &[[Handler; 3]]) -> Self {
        let mut pairs = Self {
            halves: Box::new([(0, 0); HALF_SLOTS]),
            handlers: Vec::new(),
            count: 0,
        };
        for half in rows.iter().flat_map(|&[x, y, _]| [x, y]) {
            if pairs.half(half).is_none() {
                let slot = Self::slots(half).find(|&s| pairs.halves[s].0 == 0);
                // There is always one free.
                pairs.halves[slot.unwrap_or_default()] = (half as usize, pairs.count as u8);
                pairs.count += 1;
            }
        }
        pairs.handlers = vec![None; pairs.count * pairs.count];
        for &[x, y, both] in rows {
            if let (Some(x), Some(y)) = (pairs.half(x), pairs.half(y)) {
                pairs.handlers[usize::from(x) * pairs.count + usize::from(y)] = Some(both);
            }
        }
        pairs
    }

    /// Where to look for a handler, one slot after the other. Functions begin lines of the host's cache.
    fn slots(half: Handler) -> impl Iterator<Item = usize> {
        let first = half as usize >> 6;
        (first..first + HALF_SLOTS).map(|n| n % HALF_SLOTS)
    }

    /// The number of the half that a handler executes, if it does.
    #[inline]
    pub fn half(&self, handler: Handler) -> Option<u8> {
        let mut slots = Self::slots(handler).map(|s| self.halves[s]);
        let found = slots.find(|&(half, _)| half == handler as usize || half == 0)?;
        (found.0 != 0).then_some(found.1)
    }

    /// What executes both of two halves.
    #[inline]
    pub fn both(&self, first: u8, second: u8) -> Option<Handler> {
        let at = usize::from(first) * self.count + usize::from(second);
        self.handlers.get(at).copied().flatten()
    }
}
