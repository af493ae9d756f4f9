//! Near jumps, calls, returns and loops, and the end of a block.
//!
//! A relative target and the address behind the instruction are kept as distances from the start of the block, in the links
//! behind the operation. Each of these has a handler of its own that goes straight on in the next block. A link into the
//! same page is followed without a question: whatever maps that page maps both blocks. Any other has a pin, a slot that
//! says at which linear address the block was found and in which generation of translations; while both are the same, and
//! the mode is, as it is throughout a chain, the link is followed too. What was found elsewhere since, and what has no
//! link, is looked up in the table of linear addresses ([`crate::block::BlockCache::recent`]), which belongs to one
//! generation as well. What is not there takes the long way, through the instruction as the run loop executes it.

use super::data::{When, by_condition};
use super::operand::{As, Source};
use crate::alu::{Flags, Int};
use crate::block::Generation;
use crate::context::{Context, Fast};
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::mem::address::Address;
use crate::op::{Fuse, Handler, HeadRef, Hot, Instruction, OpRef, Stop, go, go_on, twin};
use emu_core::x86::{Gpr, Seg};

/// How far a relative branch leads.
pub trait Reach: 'static {
    /// Not out of the page that its block starts in.
    const IN_PAGE: bool;
}

/// Into the page that the block starts in, in each case.
pub struct InPage;
/// Somewhere: a pin for each link stands behind the links.
pub struct Anywhere;

impl Reach for InPage {
    const IN_PAGE: bool = true;
}
impl Reach for Anywhere {
    const IN_PAGE: bool = false;
}

/// A block that may be entered.
struct Next {
    head: HeadRef,
    rip: u64,
    /// What is left of the instructions that may retire.
    count: i64,
}

impl Next {
    /// Goes on there.
    #[inline(always)]
    fn enter(self, cpu: &mut Interpreter, flags: Flags) -> OpRef {
        cpu.regs.set_block_rip(self.rip);
        cpu.attached.head = self.head;
        go(cpu, self.head.first(), self.count, flags)
    }
}

/// The linear address of a block at `rip`, if it certainly ends within the limit of the code segment.
#[inline(always)]
fn linear<T: Int>(cpu: &Interpreter, rip: u64) -> Option<u64> {
    if T::BITS == 64 {
        return Some(rip);
    }
    let base = cpu.segments[Seg::Cs as usize].base;
    (rip <= cpu.link_limit).then_some(base.wrapping_add(rip) & cpu.linear_mask)
}

/// The block at `rip`, if it is known and may be entered.
#[inline(always)]
fn at<T: Int>(cpu: &Interpreter, rip: u64, count: i64) -> Option<Next> {
    Some(found(cpu, linear::<T>(cpu, rip)?, rip, count)?.0)
}

/// The block at a linear address, if it is known and may be entered, and for how long it is there.
#[inline(always)]
fn found(cpu: &Interpreter, linear: u64, rip: u64, count: i64) -> Option<(Next, Generation)> {
    let (head, generation) = cpu.blocks.recent(linear, cpu.mode)?;
    Some((enterable(head, rip, count)?, generation))
}

#[inline(always)]
fn enterable(head: HeadRef, rip: u64, count: i64) -> Option<Next> {
    let count = head.charge(count);
    (count >= 0).then_some(Next { head, rip, count })
}

/// The block that the link in slot `n` leads to, if it may be entered. It lies in the page of this one.
#[inline(always)]
fn linked<T: Int>(cpu: &Interpreter, op: OpRef, n: usize, rip: u64, count: i64) -> Option<Next> {
    // The limit of a code segment has 32 bits.
    let cut = if T::BITS == 16 { T::MASK } else { u64::MAX };
    if T::BITS < 64 && rip > cpu.link_limit.min(cut) {
        return None;
    }
    enterable(op.linked(n), rip, count)
}

/// The block that the link in slot `n` leads to, out of `links` that the operation has, if it may be entered. It lies
/// anywhere.
#[inline(always)]
fn linked_far<T: Int>(
    cpu: &Interpreter,
    op: OpRef,
    n: usize,
    links: usize,
    rip: u64,
    count: i64,
) -> Option<Next> {
    let linear = linear::<T>(cpu, rip)?;
    let pin = n + links;
    if let Some(generation) = op.pinned(pin, linear)
        && cpu.blocks.is_current(generation)
        && let Some(next) = enterable(op.linked(n), rip, count)
    {
        return Some(next);
    }
    let (next, generation) = found(cpu, linear, rip, count)?;
    op.lead(n, next.head, pin, linear, generation);
    Some(next)
}

/// The block at the target of a relative branch, which the first of its links leads to.
#[inline(always)]
fn at_target<T: Int, R: Reach>(
    cpu: &Interpreter,
    op: OpRef,
    links: usize,
    count: i64,
) -> Option<Next> {
    let rip = cpu.regs.block_rip().wrapping_add(op.distance(1) as u64);
    if R::IN_PAGE {
        linked::<T>(cpu, op, 1, rip, count)
    } else if T::BITS == 64 {
        let rip = rip.wrapping_add(cpu.regs.whole(op.b));
        linked_far::<T>(cpu, op, 1, links, rip, count)
    } else {
        linked_far::<T>(cpu, op, 1, links, rip & T::MASK, count)
    }
}

/// The block behind the running one, which the last of an operation's links leads to. Unlike a target it is not cut to the
/// operand size.
#[inline(always)]
fn behind<T: Int, R: Reach>(
    cpu: &Interpreter,
    op: OpRef,
    links: usize,
    count: i64,
) -> Option<Next> {
    let rip = cpu.regs.block_rip().wrapping_add(op.distance(links) as u64);
    if R::IN_PAGE {
        linked::<T>(cpu, op, links, rip, count)
    } else {
        linked_far::<T>(cpu, op, links, links, rip, count)
    }
}

impl Interpreter {
    /// Jumps to an offset in the code segment, if its limit allows.
    #[inline(always)]
    pub(crate) fn jump(&mut self, target: u64) -> Result<(), Stop> {
        self.check_target(target)?;
        self.rip = target;
        Err(Stop::Branch)
    }

    /// #GP(0) if a target lies beyond the limit of the code segment, or in 64-bit mode is not canonical.
    #[inline(always)]
    pub(crate) fn check_target(&mut self, target: u64) -> Result<(), Stop> {
        if self.biased(target) > self.rip_limit {
            return Err(self.fault(Fault::GP0));
        }
        Ok(())
    }

    /// The target of a relative branch: the first link has its distance from the start of the block, register `b` what is
    /// added to 64-bit ones.
    #[inline(always)]
    fn relative_target<T: Int>(&self, op: OpRef) -> u64 {
        let target = self.regs.block_rip().wrapping_add(op.distance(1) as u64);
        if T::BITS == 64 {
            target.wrapping_add(self.regs.whole(op.b))
        } else {
            target & T::MASK
        }
    }
}

/// Not an instruction: leaves the block behind its last one, by way of the run loop.
pub extern "C-unwind" fn end_of_block(
    cpu: &mut Interpreter,
    _: OpRef,
    count: i64,
    a: u64,
    r: u64,
    k: u64,
) -> OpRef {
    cpu.attached.left = count;
    cpu.flags = Flags::from_words([a, r, k]);
    let next = cpu.leave_at_end();
    go_on(cpu, next)
}

/// Not an instruction: goes on in the next block. `T` is the width of the instruction pointer.
pub extern "C-unwind" fn next_block<T: Int, R: Reach>(
    cpu: &mut Interpreter,
    op: OpRef,
    count: i64,
    a: u64,
    r: u64,
    k: u64,
) -> OpRef {
    match behind::<T, R>(cpu, op, 1, count) {
        Some(next) => next.enter(cpu, Flags::from_words([a, r, k])),
        None => end_of_block(cpu, op, count, a, r, k),
    }
}

/// JMP rel.
pub struct Jmp<T, R>(As<(T, R)>);

impl<T: Int, R: Reach> Instruction for Jmp<T, R> {
    const HANDLER: Handler = jmp::<T, R>;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let target = cpu.relative_target::<T>(op);
        cpu.jump(target)
    }
}

extern "C-unwind" fn jmp<T: Int, R: Reach>(
    cpu: &mut Interpreter,
    op: OpRef,
    count: i64,
    a: u64,
    r: u64,
    k: u64,
) -> OpRef {
    match at_target::<T, R>(cpu, op, 1, count) {
        Some(next) => next.enter(cpu, Flags::from_words([a, r, k])),
        None => twin::<Jmp<T, R>>(cpu, op, count, a, r, k),
    }
}

/// JMP r/m.
pub struct JmpTo<T, S>(As<(T, S)>);

impl<T: Int, S: Source<T>> Instruction for JmpTo<T, S> {
    const HANDLER: Handler = jmp_to::<T, S, Self>;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let target = S::get(cpu, op)?.to_u64();
        cpu.jump(target)
    }
}

/// Jumps where `S` says, as `W` does.
pub extern "C-unwind" fn jmp_to<T: Int, S: Source<T>, W: Instruction>(
    cpu: &mut Interpreter,
    op: OpRef,
    count: i64,
    a: u64,
    r: u64,
    k: u64,
) -> OpRef {
    let flags = Flags::from_words([a, r, k]);
    let mut cx = Fast { cpu, flags };
    let next = S::get(&mut cx, op)
        .ok()
        .and_then(|target| at::<T>(cx.cpu, target.to_u64(), count));
    match next {
        Some(next) => next.enter(cpu, flags),
        None => twin::<W>(cpu, op, count, a, r, k),
    }
}

/// Jcc rel: the first link leads to the target, the second behind the instruction.
pub struct Jcc<C, T, R>(As<(C, T, R)>);

impl<C: When, T: Int, R: Reach> Instruction for Jcc<C, T, R> {
    const HANDLER: Handler = jcc::<C, T, R>;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        if cpu.flags.holds(C::CONDITION) {
            let target = cpu.relative_target::<T>(op);
            cpu.jump(target)
        } else {
            fall_through(cpu, op)
        }
    }
}

extern "C-unwind" fn jcc<C: When, T: Int, R: Reach>(
    cpu: &mut Interpreter,
    op: OpRef,
    count: i64,
    a: u64,
    r: u64,
    k: u64,
) -> OpRef {
    branch_if::<C, T, R>(cpu, op, count, Flags::from_words([a, r, k]))
}

/// An instruction that leaves flags and, in the slots behind it, a conditional jump inside the page. `H` does what `W`
/// does, see [`crate::op::fast`].
extern "C-unwind" fn fused<H: Hot, W: Instruction, C: When, T: Int>(
    cpu: &mut Interpreter,
    op: OpRef,
    count: i64,
    a: u64,
    r: u64,
    k: u64,
) -> OpRef {
    let flags = Flags::from_words([a, r, k]);
    let mut cx = Fast { cpu, flags };
    match H::run(&mut cx, op) {
        Ok(()) => {
            let flags = cx.flags;
            branch_if::<C, T, InPage>(cpu, op.plus(H::SLOTS), count, flags)
        }
        Err(_) => twin::<W>(cpu, op, count, a, r, k),
    }
}

/// What fuses an instruction on `N`s with the jump behind it.
pub const fn fuse<H: Hot, W: Instruction, N: Int>() -> Option<Fuse> {
    Some(|condition, wide| {
        if wide {
            by_condition!(condition, C => return Some(fused::<H, W, C, u64>));
        } else if N::BITS < 64 {
            by_condition!(condition, C => return Some(fused::<H, W, C, u32>));
        }
        None
    })
}

#[inline(always)]
fn branch_if<C: When, T: Int, R: Reach>(
    cpu: &mut Interpreter,
    op: OpRef,
    count: i64,
    flags: Flags,
) -> OpRef {
    if flags.holds(C::CONDITION) {
        if let Some(next) = at_target::<T, R>(cpu, op, 2, count) {
            return next.enter(cpu, flags);
        }
    } else if let Some(next) = behind::<T, R>(cpu, op, 2, count) {
        return next.enter(cpu, flags);
    }
    let [a, r, k] = flags.words();
    twin::<Jcc<C, T, R>>(cpu, op, count, a, r, k)
}

#[inline(always)]
fn fall_through(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
    let next = cpu.regs.block_rip().wrapping_add(op.distance(2) as u64);
    cpu.rip = cpu.wrap_rip(next);
    Err(Stop::Branch)
}

/// When LOOP and its kin jump.
pub trait LoopCondition: 'static {
    /// Whether the counter is decremented.
    const COUNTS: bool;
    /// Whether to jump, given the counter after the decrement and ZF.
    fn jumps(count: u64, zf: bool) -> bool;
}

/// LOOP.
pub struct WhileCount;
/// LOOPE.
pub struct WhileEqual;
/// LOOPNE.
pub struct WhileNotEqual;
/// J(E)CXZ.
pub struct IfZero;

impl LoopCondition for WhileCount {
    const COUNTS: bool = true;
    fn jumps(count: u64, _: bool) -> bool {
        count != 0
    }
}
impl LoopCondition for WhileEqual {
    const COUNTS: bool = true;
    fn jumps(count: u64, zf: bool) -> bool {
        count != 0 && zf
    }
}
impl LoopCondition for WhileNotEqual {
    const COUNTS: bool = true;
    fn jumps(count: u64, zf: bool) -> bool {
        count != 0 && !zf
    }
}
impl LoopCondition for IfZero {
    const COUNTS: bool = false;
    fn jumps(count: u64, _: bool) -> bool {
        count == 0
    }
}

/// LOOPcc and J(E)CXZ with a counter of type `N` and operand size `T`.
pub struct Loop<L, N, T, R>(As<(L, N, T, R)>);

impl<L: LoopCondition, N: Int, T: Int, R: Reach> Instruction for Loop<L, N, T, R> {
    const HANDLER: Handler = loop_or_not::<L, N, T, R>;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let old: N = cpu.regs.get(1);
        let count = if L::COUNTS {
            N::from_u64(old.to_u64().wrapping_sub(1))
        } else {
            old
        };
        if L::jumps(count.to_u64(), cpu.flags.zf()) {
            let target = cpu.relative_target::<T>(op);
            cpu.check_target(target)?;
            if L::COUNTS {
                cpu.regs.set(1, count);
            }
            cpu.jump(target)
        } else {
            if L::COUNTS {
                cpu.regs.set(1, count);
            }
            fall_through(cpu, op)
        }
    }
}

extern "C-unwind" fn loop_or_not<L: LoopCondition, N: Int, T: Int, R: Reach>(
    cpu: &mut Interpreter,
    op: OpRef,
    count: i64,
    a: u64,
    r: u64,
    k: u64,
) -> OpRef {
    let flags = Flags::from_words([a, r, k]);
    let n = cpu.regs.get::<N>(1).to_u64().wrapping_sub(L::COUNTS.into());
    let n = N::from_u64(n);
    let next = if L::jumps(n.to_u64(), flags.zf()) {
        at_target::<T, R>(cpu, op, 2, count)
    } else {
        behind::<T, R>(cpu, op, 2, count)
    };
    match next {
        Some(next) => {
            if L::COUNTS {
                cpu.regs.set(1, n);
            }
            next.enter(cpu, flags)
        }
        None => twin::<Loop<L, N, T, R>>(cpu, op, count, a, r, k),
    }
}

/// CALL rel: the link leads to the target; the immediate is the distance of the next instruction.
pub struct Call<T, W, R>(As<(T, W, R)>);

impl<T: Int, W: Address, R: Reach> Instruction for Call<T, W, R> {
    const HANDLER: Handler = call::<T, W, R>;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let target = cpu.relative_target::<T>(op);
        call_to::<T, W>(cpu, target, op.imm)
    }
}

extern "C-unwind" fn call<T: Int, W: Address, R: Reach>(
    cpu: &mut Interpreter,
    op: OpRef,
    count: i64,
    a: u64,
    r: u64,
    k: u64,
) -> OpRef {
    let flags = Flags::from_words([a, r, k]);
    if let Some(next) = at_target::<T, R>(cpu, op, 1, count) {
        let mut cx = Fast { cpu, flags };
        let end = cx.cpu.regs.block_rip().wrapping_add(op.imm as u64);
        if cx.push::<T, W>(T::from_u64(end)).is_ok() {
            return next.enter(cpu, flags);
        }
    }
    twin::<Call<T, W, R>>(cpu, op, count, a, r, k)
}

/// CALL r/m: register `a`, or the memory operand; the second slot holds the distance of the next instruction.
pub struct CallTo<T, S, W>(As<(T, S, W)>);

impl<T: Int, S: Source<T>, W: Address> Instruction for CallTo<T, S, W> {
    const HANDLER: Handler = call_through::<T, S, W, Self>;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let target = S::get(cpu, op)?.to_u64();
        call_to::<T, W>(cpu, target, op.second())
    }
}

/// Calls where `S` says, as `I` does, with a stack that is `W`.
pub extern "C-unwind" fn call_through<T: Int, S: Source<T>, W: Address, I: Instruction>(
    cpu: &mut Interpreter,
    op: OpRef,
    count: i64,
    a: u64,
    r: u64,
    k: u64,
) -> OpRef {
    let flags = Flags::from_words([a, r, k]);
    let mut cx = Fast { cpu, flags };
    let next = S::get(&mut cx, op)
        .ok()
        .and_then(|target| at::<T>(cx.cpu, target.to_u64(), count));
    if let Some(next) = next {
        let end = cx.cpu.regs.block_rip().wrapping_add(op.second() as u64);
        if cx.push::<T, W>(T::from_u64(end)).is_ok() {
            return next.enter(cpu, flags);
        }
    }
    twin::<I>(cpu, op, count, a, r, k)
}

#[inline(always)]
fn call_to<T: Int, W: Address>(cpu: &mut Interpreter, target: u64, end: i32) -> Result<(), Stop> {
    let next = cpu.regs.block_rip().wrapping_add(end as u64);
    let next = T::from_u64(cpu.wrap_rip(next));
    if T::BYTES == 8 {
        // A processor (Skylake) has written the return address when it finds that the target is not canonical.
        let rsp: u64 = cpu.regs.named(Gpr::Rsp);
        cpu.push::<T, W>(next)?;
        if let Err(stop) = cpu.check_target(target) {
            cpu.regs.set_named(Gpr::Rsp, rsp);
            return Err(stop);
        }
    } else {
        cpu.check_target(target)?;
        cpu.push::<T, W>(next)?;
    }
    cpu.jump(target)
}

/// RET and RET imm16.
pub struct Ret<T, W>(As<(T, W)>);

impl<T: Int, W: Address> Instruction for Ret<T, W> {
    const HANDLER: Handler = ret::<T, W>;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let target = cpu.peek::<T, W>()?.to_u64();
        cpu.check_target(target)?;
        cpu.drop_from_stack::<T, W>(T::BYTES as u64 + u64::from(op.imm as u16));
        cpu.jump(target)
    }
}

extern "C-unwind" fn ret<T: Int, W: Address>(
    cpu: &mut Interpreter,
    op: OpRef,
    count: i64,
    a: u64,
    r: u64,
    k: u64,
) -> OpRef {
    let flags = Flags::from_words([a, r, k]);
    let mut cx = Fast { cpu, flags };
    let next = cx
        .peek::<T, W>()
        .ok()
        .and_then(|target| at::<T>(cx.cpu, target.to_u64(), count));
    match next {
        Some(next) => {
            cx.drop_from_stack::<T, W>(T::BYTES as u64 + u64::from(op.imm as u16));
            next.enter(cpu, flags)
        }
        None => twin::<Ret<T, W>>(cpu, op, count, a, r, k),
    }
}
