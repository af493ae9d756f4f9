//! Lowered instructions: what a block holds, and how one operation hands over to the next.
//!
//! A block is a row of slots of 16 bytes: a [`Head`], then operations with their further slots, ended by one that leaves
//! the block. An operation's handler executes it and tail-calls the handler of the next, within the block or, by a
//! [`Link`], at the head of another one; the arithmetic flags and the instructions that may still retire travel in
//! arguments, that is in host registers. Where the compiler makes no tail calls (builds with debug assertions) a handler
//! returns the next operation instead and [`Interpreter::chain`] calls that: see [`CHAINED`].
//!
//! A hot instruction has two handlers out of one description of what it does ([`Hot`]): [`fast`], which makes no call and
//! gives up, with nothing committed, when an access misses the TLB; and [`twin`], which does everything.
//!
//! # The invariant behind the `unsafe` in this file
//! An [`OpRef`] points into the slots of a block, and lowering says which slot is what. A block that is dropped while it
//! runs stays allocated until the run loop looks for the next block (`BlockCache::bury`). A link to it from its own page is
//! cut when it is dropped; one with a [`Pin`] is followed only in the generation of the block cache in which it was made,
//! and that is over before a block is freed. Every block ends with an operation that leaves it, so stepping from one
//! operation to the next never leaves the allocation.
#![expect(
    unsafe_code,
    reason = "operations are walked by pointer; see the invariant above"
)]

use crate::alu::Flags;
use crate::alu::flags::ARITHMETIC;
use crate::block::{Block, Generation};
use crate::context::{Context, Fast};
use crate::interpreter::{Interpreter, Leaving};
use iced_x86::ConditionCode;
use memmap2::{MmapOptions, MmapRaw};
use std::alloc::Layout;
use std::cell::UnsafeCell;
use std::ops::Deref;
use std::ptr::NonNull;

/// Whether handlers call one another. The compiler turns these calls into jumps when it optimises; other builds would
/// run out of stack.
const CHAINED: bool = !cfg!(debug_assertions);

/// Executes one operation and those behind it, with the instructions that may still retire behind the running block, and
/// the three words of [`Flags`]. The result is [`OpRef::NONE`], or without [`CHAINED`] the next operation.
pub type Handler = extern "C-unwind" fn(&mut Interpreter, OpRef, i64, u64, u64, u64) -> OpRef;

/// One lowered instruction (16 bytes). Wide forms take more slots.
#[repr(C)]
#[derive(Copy, Clone)]
pub struct Op {
    /// What executes it.
    pub handler: Handler,
    /// Register operand.
    pub a: u8,
    /// Second register, or base register.
    pub b: u8,
    /// Index register.
    pub c: u8,
    /// Scale, segment and address size of a memory operand (see [`crate::mem::address`]).
    pub d: u8,
    /// Immediate, displacement, or distance of the next instruction from the start of the block.
    pub imm: i32,
}

/// Where a branch leads, in a slot behind its operation.
#[repr(C)]
#[derive(Copy, Clone)]
pub struct Link {
    /// The first slot of the block there, or of [`UNLINKED`].
    target: *const Slot,
    /// The distance from the start of this block.
    pub distance: i32,
}

/// What a link that may lead out of the page holds for: in a slot behind the operation's links.
#[repr(C)]
#[derive(Copy, Clone)]
pub struct Pin {
    /// The linear address of the block that the link leads to.
    linear: u64,
    /// While this is current, it is still there.
    generation: Generation,
}

/// The first slot of a block.
#[repr(C)]
#[derive(Copy, Clone)]
pub struct Head {
    block: *const Block,
    /// Instructions of the block; [`DEAD`] if it may not be entered.
    insns: i32,
}

/// [`Head::insns`] of a block that was dropped: more than may ever retire in a chain.
const DEAD: i32 = i32::MAX;

/// One slot of a block.
#[repr(C)]
#[derive(Copy, Clone)]
pub union Slot {
    op: Op,
    link: Link,
    pin: Pin,
    head: Head,
}

const _: () = assert!(size_of::<Slot>() == 16);

/// What a link leads to that leads nowhere.
struct Unlinked(Slot);

// SAFETY: nothing in it is ever written, and its block pointer is null.
unsafe impl Sync for Unlinked {}

static UNLINKED: Unlinked = Unlinked(Slot {
    head: Head {
        block: std::ptr::null(),
        insns: DEAD,
    },
});

impl Slot {
    /// An operation.
    pub fn op(op: Op) -> Self {
        Self { op }
    }

    /// Gives an operation another handler, and the one that it had. The caller knows that there is an operation in this slot.
    pub fn set_handler(&mut self, handler: Handler) -> Handler {
        // SAFETY: as the caller knows.
        std::mem::replace(unsafe { &mut self.op.handler }, handler)
    }

    /// The handler of an operation. The caller knows that there is one in this slot.
    pub fn handler(&self) -> Handler {
        // SAFETY: as the caller knows.
        unsafe { self.op.handler }
    }

    /// A link that leads nowhere yet.
    pub fn link(distance: i32) -> Self {
        Self {
            link: Link {
                target: &raw const UNLINKED.0,
                distance,
            },
        }
    }

    /// What a link that leads nowhere holds for: no generation is 0.
    pub fn pin() -> Self {
        Self {
            pin: Pin {
                linear: 0,
                generation: Generation::NONE,
            },
        }
    }

    /// The head of a block that cannot be entered yet.
    pub fn head() -> Self {
        UNLINKED.0
    }
}

// SAFETY: a CPU and its blocks belong to one thread at a time.
unsafe impl Send for Slot {}

/// The slots of a block, out of an [`Arena`]. Its links and its head change while others point to them.
pub struct Slots {
    first: NonNull<UnsafeCell<Slot>>,
    len: usize,
}

// SAFETY: as above.
unsafe impl Send for Slots {}

impl Default for Slots {
    /// None.
    fn default() -> Self {
        Self {
            first: NonNull::dangling(),
            len: 0,
        }
    }
}

/// Memory for the slots of all blocks, one behind the other as they were decoded: a chain of blocks that follow one another
/// costs few misses of the host's caches and, in large pages, none of its TLB.
///
/// What it has given away must not be used when it is gone. It belongs to the block cache, and so do all blocks.
#[derive(Default)]
pub struct Arena {
    chunks: Vec<MmapRaw>,
    /// The rest of the last chunk.
    rest: Slots,
    /// What was taken back, by length.
    free: Vec<Vec<Slots>>,
    /// The bytes of all chunks.
    bytes: usize,
}

/// Bytes of a chunk; the host commits them as they are touched. A first one, which is smaller, does for most tests.
const CHUNK_BYTES: [usize; 2] = [1 << 18, 1 << 22];
/// Bytes of all chunks from which on an arena is full.
const ARENA_BYTES: usize = 20 << 20;

impl Arena {
    /// Copies the slots that lowering emitted.
    pub fn put(&mut self, slots: &[Slot]) -> Slots {
        let len = slots.len();
        let taken = self.free.get_mut(len).and_then(Vec::pop);
        let taken = taken.unwrap_or_else(|| self.cut(len));
        for (i, &slot) in slots.iter().enumerate() {
            // SAFETY: `taken` has `len` slots, and nobody else has them.
            unsafe { taken.first.add(i).write(UnsafeCell::new(slot)) };
        }
        taken
    }

    /// Whether there is as much memory as there should be at most. It still gives room, but all had better be dropped soon.
    #[inline(always)]
    pub fn is_full(&self) -> bool {
        self.bytes > ARENA_BYTES
    }

    /// The bytes that it has at most.
    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes back what nobody points to any more.
    pub fn take_back(&mut self, slots: Slots) {
        if self.free.len() <= slots.len {
            self.free.resize_with(slots.len + 1, Vec::new);
        }
        self.free[slots.len].push(slots);
    }

    /// So many slots that were never used.
    fn cut(&mut self, len: usize) -> Slots {
        if self.rest.len < len {
            self.grow(len);
        }
        let first = self.rest.first;
        self.rest = Slots {
            // SAFETY: there are so many from `first` on.
            first: unsafe { first.add(len) },
            len: self.rest.len - len,
        };
        Slots { first, len }
    }

    /// A new chunk with room for `len` slots at least.
    #[cold]
    fn grow(&mut self, len: usize) {
        let bytes = CHUNK_BYTES[usize::from(!self.chunks.is_empty())];
        let bytes = bytes.max(len * size_of::<Slot>());
        let map = MmapOptions::new().len(bytes).map_anon().map(MmapRaw::from);
        let first = map.as_ref().ok().and_then(|m| NonNull::new(m.as_mut_ptr()));
        let (Ok(map), Some(first)) = (map, first) else {
            std::alloc::handle_alloc_error(Layout::new::<[Slot; 1]>());
        };
        // Without large pages it works as well.
        #[cfg(target_os = "linux")]
        if !self.chunks.is_empty() {
            let _ = map.advise(memmap2::Advice::HugePage);
        }
        self.chunks.push(map);
        self.bytes += bytes;
        self.rest = Slots {
            first: first.cast(),
            len: bytes / size_of::<Slot>(),
        };
    }
}

impl Slots {
    /// A slot, if there are so many.
    fn get(&self, n: usize) -> Option<*mut Slot> {
        // SAFETY: `n` is one of `len` slots.
        (n < self.len).then(|| UnsafeCell::raw_get(unsafe { self.first.add(n) }.as_ptr()))
    }

    /// The head.
    pub fn head(&self) -> HeadRef {
        HeadRef(self.first.as_ptr().cast())
    }

    /// Makes the head say which block this is: it can be entered from now on.
    pub fn open(&self, block: *const Block, insns: u32) {
        let insns = insns.min(DEAD as u32 - 1) as i32;
        if let Some(slot) = self.get(0) {
            // SAFETY: no reference to a slot outlives a statement.
            unsafe {
                *slot = Slot {
                    head: Head { block, insns },
                }
            };
        }
    }

    /// Lets nobody enter any more.
    pub fn close(&self) {
        if let Some(slot) = self.get(0) {
            // SAFETY: as above; the first slot is a head.
            unsafe { (*slot).head.insns = DEAD };
        }
    }

    /// The distance that the link in a slot leads to.
    pub fn distance(&self, slot: u16) -> Option<i32> {
        let slot = self.get(slot.into())?;
        // SAFETY: as above; the caller knows from lowering that there is a link.
        Some(unsafe { (*slot).link.distance })
    }

    /// Lets the link in a slot lead to a block.
    pub fn connect(&self, slot: u16, to: HeadRef) {
        if let Some(slot) = self.get(slot.into()) {
            // SAFETY: as above.
            unsafe { (*slot).link.target = to.0 };
        }
    }

    /// Gives the operation in a slot another immediate.
    pub fn set_immediate(&self, slot: u16, imm: i32) {
        if let Some(slot) = self.get(slot.into()) {
            // SAFETY: as above.
            unsafe { (*slot).op.imm = imm };
        }
    }

    /// Says in a slot what the link that belongs to it holds for.
    pub fn pin(&self, slot: u16, linear: u64, generation: Generation) {
        if let Some(slot) = self.get(slot.into()) {
            let pin = Pin { linear, generation };
            // SAFETY: as above.
            unsafe { *slot = Slot { pin } };
        }
    }

    /// Cuts the link in a slot if it leads to a block.
    pub fn disconnect(&self, slot: u16, from: HeadRef) {
        if let Some(slot) = self.get(slot.into()) {
            // SAFETY: as above.
            unsafe {
                if (*slot).link.target == from.0 {
                    (*slot).link.target = &raw const UNLINKED.0;
                }
            }
        }
    }
}

/// A pointer to the head of a block, or to none.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct HeadRef(*const Slot);

// SAFETY: a CPU and its blocks belong to one thread at a time.
unsafe impl Send for HeadRef {}

impl HeadRef {
    /// No block.
    pub const NONE: Self = Self(&raw const UNLINKED.0);

    #[inline(always)]
    fn head(&self) -> &Head {
        // SAFETY: see the file's header.
        unsafe { &(*self.0).head }
    }

    /// What is left of the instructions that may retire when the block has been entered; negative: it may not be.
    #[inline(always)]
    pub fn charge(self, count: i64) -> i64 {
        count - i64::from(self.head().insns)
    }

    /// Whether the block was dropped.
    pub fn is_dead(self) -> bool {
        self.head().insns == DEAD
    }

    /// The first operation.
    #[inline(always)]
    pub fn first(self) -> OpRef {
        OpRef(self.0).plus(1)
    }

    /// The block.
    #[inline(always)]
    pub fn block(&self) -> Option<&Block> {
        // SAFETY: see the file's header; `UNLINKED` has a null pointer.
        unsafe { self.head().block.as_ref() }
    }
}

/// A pointer to an operation of a block.
#[derive(Copy, Clone, PartialEq, Eq)]
#[repr(transparent)]
pub struct OpRef(*const Slot);

// SAFETY: a CPU and its blocks belong to one thread at a time.
unsafe impl Send for OpRef {}

impl OpRef {
    /// No operation.
    pub const NONE: Self = Self(std::ptr::null());

    /// The operation `n` slots further on.
    #[inline(always)]
    #[must_use]
    pub fn plus(self, n: usize) -> Self {
        // SAFETY: handlers step only over slots that lowering emitted for them, inside one block.
        Self(unsafe { self.0.add(n) })
    }

    /// The immediate in the second slot.
    #[inline(always)]
    pub fn second(self) -> i32 {
        self.plus(1).imm
    }

    /// The 64 bits whose low half is in the first slot and whose high half is in the second.
    #[inline(always)]
    pub fn imm64(self) -> u64 {
        u64::from(self.imm as u32) | u64::from(self.second() as u32) << 32
    }

    /// The distance that the link in slot `n` leads to.
    #[inline(always)]
    pub fn distance(self, n: usize) -> i64 {
        // SAFETY: only operations that lowering gave links are asked for them.
        i64::from(unsafe { (*self.plus(n).0).link.distance })
    }

    /// The block that the link in slot `n` leads to.
    #[inline(always)]
    pub fn linked(self, n: usize) -> HeadRef {
        // SAFETY: as above.
        HeadRef(unsafe { (*self.plus(n).0).link.target })
    }

    /// Until when the link that the pin in slot `n` belongs to leads to what is at `linear`, if that is where it led.
    #[inline(always)]
    pub fn pinned(self, n: usize, linear: u64) -> Option<Generation> {
        // SAFETY: only operations that lowering gave pins are asked for them.
        let pin = unsafe { (*self.plus(n).0).pin };
        (pin.linear == linear).then_some(pin.generation)
    }

    /// Lets the link in slot `link` lead to a block, as the pin in slot `pin` says from now on.
    #[inline(always)]
    pub fn lead(self, link: usize, to: HeadRef, pin: usize, linear: u64, generation: Generation) {
        // The slots are `UnsafeCell`s, and no reference to one outlives a statement.
        let [link, pin_at] = [link, pin].map(|n| self.plus(n).0.cast_mut());
        let pin = Pin { linear, generation };
        // SAFETY: as above.
        unsafe {
            (*link).link.target = to.0;
            *pin_at = Slot { pin };
        }
    }

    /// How many slots this operation lies behind the head.
    pub fn slots_from(self, head: HeadRef) -> usize {
        (self.0 as usize - head.0 as usize) / size_of::<Slot>()
    }
}

impl Deref for OpRef {
    type Target = Op;
    #[inline(always)]
    fn deref(&self) -> &Op {
        // SAFETY: see the file's header.
        unsafe { &(*self.0).op }
    }
}

/// Why an operation does not simply go on to the next one.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Stop {
    /// It faulted: nothing is committed, `Interpreter::fault` says what.
    Fault,
    /// It is done and has set the instruction pointer.
    Branch,
    /// It is done; the next instruction follows, but the block must be left.
    Leave,
    /// A repeated string instruction has used up its budget and continues at the same instruction.
    Repeat,
    /// It waits for something outside of the CPU and is tried again.
    Wait,
}

/// What an instruction does with the arithmetic flags, as bits of the flags register.
#[derive(Copy, Clone, Debug)]
pub struct FlagUse {
    /// What it depends on.
    pub reads: u64,
    /// What it may change.
    pub changes: u64,
    /// What it changes whatever it was.
    pub replaces: u64,
}

impl FlagUse {
    /// It has nothing to do with them.
    pub const NONE: Self = Self::reading(0);
    /// It replaces all six and reads none.
    pub const REPLACES: Self = Self::replacing(ARITHMETIC);
    /// It reads some, or replaces some.
    pub const TOUCHES: Self = Self {
        reads: ARITHMETIC,
        changes: ARITHMETIC,
        replaces: 0,
    };

    /// It reads some and changes none.
    pub const fn reading(reads: u64) -> Self {
        Self {
            reads,
            changes: 0,
            replaces: 0,
        }
    }

    /// It replaces some and leaves the others.
    pub const fn replacing(replaced: u64) -> Self {
        Self {
            reads: 0,
            changes: replaced,
            replaces: replaced,
        }
    }
}

/// Gives the handler of an instruction and the conditional jump behind it, which `wide` says to be 64-bit mode's, if
/// there is one.
pub type Fuse = fn(condition: ConditionCode, wide: bool) -> Option<Handler>;

/// An instruction's semantics: read all, check all, then write.
pub trait Instruction: Sized {
    /// Slots that the operation takes.
    const SLOTS: usize = 1;
    /// What executes it in a block that other blocks may follow.
    const HANDLER: Handler = whole::<Self>;
    /// It neither faults nor leaves the block.
    const CALM: bool = false;
    /// What it does with the arithmetic flags.
    const FLAGS: FlagUse = FlagUse::TOUCHES;
    /// What executes it where nobody sees the flags that it leaves.
    const QUIET: Option<Handler> = None;
    /// What executes it together with the conditional jump behind it.
    const FUSE: Option<Fuse> = None;
    /// Executes it.
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop>;
}

/// An instruction that is executed often, described for both of its handlers.
pub trait Hot: Sized {
    /// Slots that the operation takes.
    const SLOTS: usize = 1;
    /// It neither faults nor leaves the block: its operands are registers and immediates.
    const CALM: bool = false;
    /// What it does with the arithmetic flags.
    const FLAGS: FlagUse = FlagUse::TOUCHES;
    /// What executes it together with the conditional jump behind it.
    const FUSE: Option<Fuse> = None;
    /// Executes it, or gives up with nothing committed.
    fn run<C: Context>(cx: &mut C, op: OpRef) -> Result<(), C::Stop>;
}

impl<H: Hot> Instruction for H {
    const SLOTS: usize = H::SLOTS;
    const HANDLER: Handler = fast::<H, H>;
    const CALM: bool = H::CALM;
    const FLAGS: FlagUse = H::FLAGS;
    const FUSE: Option<Fuse> = H::FUSE;
    const QUIET: Option<Handler> = if H::CALM && H::FLAGS.changes != 0 {
        Some(quiet::<H>)
    } else {
        None
    };
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        H::run(cpu, op)
    }
}

/// A way through an instruction that makes no call, and is open only if nothing out of the ordinary happens.
pub trait Shortcut {
    /// The instruction.
    type Whole: Instruction;
    /// What executes it where this gives up.
    const OTHERWISE: Handler = twin::<Self::Whole>;
    /// Executes it, or gives up with nothing committed.
    fn take(fast: &mut Fast<'_>, op: OpRef) -> Option<()>;
}

/// Hands over to the operation at `op`.
#[inline(always)]
pub fn go(cpu: &mut Interpreter, op: OpRef, count: i64, flags: Flags) -> OpRef {
    let [a, r, k] = flags.words();
    if CHAINED {
        (op.handler)(cpu, op, count, a, r, k)
    } else {
        cpu.attached.left = count;
        cpu.flags = flags;
        op
    }
}

/// The handler of an instruction that is not hot, and of any where blocks do not follow one another.
pub extern "C-unwind" fn whole<I: Instruction>(
    cpu: &mut Interpreter,
    op: OpRef,
    count: i64,
    a: u64,
    r: u64,
    k: u64,
) -> OpRef {
    completely::<I>(cpu, op, count, Flags::from_words([a, r, k]))
}

/// What [`fast`] falls back to.
#[cold]
#[inline(never)]
pub extern "C-unwind" fn twin<I: Instruction>(
    cpu: &mut Interpreter,
    op: OpRef,
    count: i64,
    a: u64,
    r: u64,
    k: u64,
) -> OpRef {
    completely::<I>(cpu, op, count, Flags::from_words([a, r, k]))
}

/// An instruction out of line: its variables must not be there when the next handler is called.
#[inline(never)]
fn execute<I: Instruction>(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
    I::execute(cpu, op)
}

#[inline(always)]
fn completely<I: Instruction>(cpu: &mut Interpreter, op: OpRef, count: i64, flags: Flags) -> OpRef {
    cpu.attached.op = op;
    cpu.attached.left = count;
    cpu.flags = flags;
    match execute::<I>(cpu, op) {
        Ok(()) if cpu.leave_block == Leaving::No => {
            let (count, flags) = (cpu.attached.left, cpu.flags);
            go(cpu, op.plus(I::SLOTS), count, flags)
        }
        result => {
            let next = cpu.after(op, I::SLOTS, result);
            go_on(cpu, next)
        }
    }
}

/// Hands over to the operation at `next`, if it is one.
#[inline(always)]
pub fn go_on(cpu: &mut Interpreter, next: OpRef) -> OpRef {
    if next == OpRef::NONE {
        return next;
    }
    let (count, flags) = (cpu.attached.left, cpu.flags);
    go(cpu, next, count, flags)
}

/// The handler of a hot instruction `W`. `H` is the same, or a form of it that is simpler to execute and does what `W` does
/// wherever lowering has chosen it.
pub extern "C-unwind" fn fast<H: Hot, W: Instruction>(
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
            go(cpu, op.plus(H::SLOTS), count, flags)
        }
        Err(_) => twin::<W>(cpu, op, count, a, r, k),
    }
}

/// The handler of an instruction that has a shortcut.
pub extern "C-unwind" fn shortcut<S: Shortcut>(
    cpu: &mut Interpreter,
    op: OpRef,
    count: i64,
    a: u64,
    r: u64,
    k: u64,
) -> OpRef {
    let flags = Flags::from_words([a, r, k]);
    let mut fast = Fast { cpu, flags };
    match S::take(&mut fast, op) {
        Some(()) => {
            let flags = fast.flags;
            go(cpu, op.plus(S::Whole::SLOTS), count, flags)
        }
        None => (S::OTHERWISE)(cpu, op, count, a, r, k),
    }
}

/// [`Shortcut::OTHERWISE`] of a shortcut behind which there is another: out of line, so that the first stays short.
#[cold]
#[inline(never)]
pub extern "C-unwind" fn longer<S: Shortcut>(
    cpu: &mut Interpreter,
    op: OpRef,
    count: i64,
    a: u64,
    r: u64,
    k: u64,
) -> OpRef {
    shortcut::<S>(cpu, op, count, a, r, k)
}

/// The handler of a hot instruction where nobody sees the flags that it leaves: they stay as they are.
pub extern "C-unwind" fn quiet<H: Hot>(
    cpu: &mut Interpreter,
    op: OpRef,
    count: i64,
    a: u64,
    r: u64,
    k: u64,
) -> OpRef {
    let flags = Flags::from_words([a, r, k]);
    // Where the result does not depend on the flags either, it is not worth a look at them.
    let seen = if H::FLAGS.reads == 0 {
        Flags::explicit(0)
    } else {
        flags
    };
    let mut cx = Fast { cpu, flags: seen };
    match H::run(&mut cx, op) {
        Ok(()) => go(cpu, op.plus(H::SLOTS), count, flags),
        Err(_) => twin::<H>(cpu, op, count, a, r, k),
    }
}

impl Interpreter {
    /// Executes from an operation on until the chain is left.
    pub(crate) fn chain(&mut self, first: OpRef) {
        let mut op = first;
        while op != OpRef::NONE {
            let [a, r, k] = self.flags.words();
            op = (op.handler)(self, op, self.attached.left, a, r, k);
        }
    }
}

impl std::fmt::Debug for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Op({:p} a={:02x} b={:02x} c={:02x} d={:02x} imm={:x})",
            self.handler as *const (), self.a, self.b, self.c, self.d, self.imm
        )
    }
}
