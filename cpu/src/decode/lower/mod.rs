//! From a decoded [`iced_x86::Instruction`] to operations: everything that the decoder knows is settled here, so that
//! handlers do not test it again.

/// Runs code with `T` standing for the integer type of operand `n`'s width.
macro_rules! by_width {
    ($l:expr, $n:expr, $t:ident => $code:expr) => {
        match $l.operand_bytes($n) {
            1 => {
                type $t = u8;
                $code
            }
            2 => {
                type $t = u16;
                $code
            }
            8 => {
                type $t = u64;
                $code
            }
            _ => {
                type $t = u32;
                $code
            }
        }
    };
}

/// Runs code with `T` standing for the integer type of operand 0, which is of 32 or 64 bits.
macro_rules! by_wide {
    ($l:expr, $t:ident => $code:expr) => {
        if $l.operand_bytes(0) == 8 {
            type $t = u64;
            $code
        } else {
            type $t = u32;
            $code
        }
    };
}

/// Lets the operation just emitted be executed by the leanest handler for its flat address: `$lean`, with `$m` standing
/// for the kind of address, does the same as `$flat`.
macro_rules! lean {
    ($l:expr, $m:ident => $lean:ty, $flat:ty) => {
        lean_handler!($l, $m => $crate::op::fast::<$lean, $flat>)
    };
}

/// The same with the handler itself.
macro_rules! lean_handler {
    ($l:expr, $m:ident => $handler:expr) => {
        lean_handler!(@ $l, $m => $handler;
            (true, None) $crate::mem::address::Base<true>, (false, None) $crate::mem::address::Base<false>,
            (true, Some(0)) $crate::mem::address::Indexed<true, 0>, (true, Some(1)) $crate::mem::address::Indexed<true, 1>,
            (true, Some(2)) $crate::mem::address::Indexed<true, 2>, (true, Some(_)) $crate::mem::address::Indexed<true, 3>,
            (false, Some(0)) $crate::mem::address::Indexed<false, 0>, (false, Some(1)) $crate::mem::address::Indexed<false, 1>,
            (false, Some(2)) $crate::mem::address::Indexed<false, 2>, (false, Some(_)) $crate::mem::address::Indexed<false, 3>)
    };
    (@ $l:expr, $m:ident => $handler:expr; $($form:tt $address:ty),*) => {
        if $l.is_flat() {
            match ($l.is_64_bit(), $l.index_scale()) {
                $($form => {
                    type $m = $address;
                    $l.shorten($l.slots.len() - 1, $handler);
                })*
            }
        }
    };
}

/// As `lean!`, for addresses without an index register alone.
macro_rules! lean_base {
    ($l:expr, $m:ident => $lean:ty, $flat:ty) => {
        if $l.is_flat() && $l.index_scale().is_none() {
            if $l.is_64_bit() {
                type $m = $crate::mem::address::Base<true>;
                $l.shorten($l.slots.len() - 1, $crate::op::fast::<$lean, $flat>);
            } else {
                type $m = $crate::mem::address::Base<false>;
                $l.shorten($l.slots.len() - 1, $crate::op::fast::<$lean, $flat>);
            }
        }
    };
}

/// Lets an operation in memory that was emitted at `$slot` with operands of type `$t` be fused with a conditional jump behind
/// it, where its handler is a lean one without an index register.
macro_rules! fuse_base {
    ($l:expr, $slot:expr, $t:ty, $m:ident => $lean:ty, $flat:ty) => {
        if $l.is_flat() && $l.index_scale().is_none() && <$t>::BITS != 16 {
            let fuse = if $l.is_64_bit() {
                type $m = $crate::mem::address::Base<true>;
                $crate::exec::branch::fuse::<$lean, $flat, $t>()
            } else {
                type $m = $crate::mem::address::Base<false>;
                $crate::exec::branch::fuse::<$lean, $flat, $t>()
            };
            $l.may_fuse($slot, fuse);
        }
    };
}

mod arith;
mod bmi;
mod branch;
mod data;
mod legacy;
mod shift;
mod simd;
mod string;
mod system;
mod x87;

use super::amd;
use super::legacy::Form;
use crate::alu::flags::ARITHMETIC;
use crate::block::{Immediate, Start};
use crate::exec;
use crate::exec::branch::{Anywhere, InPage};
use crate::exec::pair::Pairs;
use crate::interpreter::mode;
use crate::mem::address;
use crate::models::CpuModel;
use crate::models::Traits;
use crate::op::{FlagUse, Fuse, Handler, Instruction, Op, Slot, whole};
use crate::registers::{BLOCK_RIP, HIGH_BYTE, REACH, REACH_REGISTER, ZERO};
use emu_core::x86::Seg;
use iced_x86::{Code, ConditionCode, EncodingKind, FlowControl, OpKind, Register};

/// Lowers the instructions of one block.
pub struct Lowering<'a> {
    /// The head and the operations so far.
    pub slots: Vec<Slot>,
    /// The slots of links, and of their pins; 0: none.
    pub links: [u16; 2],
    /// See [`crate::block::Block::pins`].
    pub pins: [u16; 2],
    /// Operations whose flags nobody can have seen but those behind them in this list.
    unseen: Vec<Unseen>,
    /// The last MOV between registers: its slot, its destination and the width.
    copy: Option<(usize, u8, u32)>,
    /// The slots of the MOVs that execute what is behind them too.
    leaders: Vec<usize>,
    /// The last operation, if a MOV executes it too: its slot, the MOV's slot, and the handler that the MOV had.
    led: Option<(usize, usize, Handler)>,
    /// The last operation, if a conditional jump behind it may be fused with it.
    fusible: Option<(usize, Fuse)>,
    /// log2 of the scale of the index register of the last operation in memory, if it has one.
    index_scale: Option<u8>,
    /// Where in its page the block starts; `None`: other blocks do not follow it without the run loop.
    pub place: Option<u32>,
    /// No operation is shortened, joined or fused, and no flags are left out: see [`crate::Tuning::shortens`].
    pub plain: bool,
    /// The CPU model.
    pub model: &'a CpuModel,
    /// Which instructions it executes.
    offered: Offered,
    /// Bits of [`mode`].
    pub mode: u32,
    /// The instruction at hand.
    pub insn: iced_x86::Instruction,
    /// Distance of the instruction's first byte from the start of the block.
    pub start: u32,
    /// Distance of the next instruction from the start of the block.
    pub end: u32,
    /// The slot of its first operation.
    first: usize,
    /// Its immediate, if one of its slots holds it as it is.
    pub immediate: Immediate,
    /// The instruction at hand is the last of its block.
    pub ends_block: bool,
    /// All the same the next block may follow without the run loop.
    pub goes_on: bool,
    /// Its operation always leaves the block: nothing need stand behind it.
    pub closed: bool,
    /// The next block may start with an instruction that goes on in the next page.
    pub crosses_next: bool,
    /// The instruction at hand is undefined.
    pub refused: bool,
}

/// What is of use for the next block.
#[derive(Default)]
pub struct Rows {
    /// See [`Lowering`].
    pub slots: Vec<Slot>,
    unseen: Vec<Unseen>,
    leaders: Vec<usize>,
    offered: Offered,
}

/// Which instructions the model executes, as far as it was asked for.
#[derive(Default)]
struct Offered(Vec<Option<bool>>);

impl Offered {
    fn has(&mut self, model: &CpuModel, insn: &iced_x86::Instruction) -> bool {
        if self.0.is_empty() {
            self.0.resize(Code::values().len(), None);
        }
        // It depends on nothing but the code.
        let known = &mut self.0[insn.code() as usize];
        *known.get_or_insert_with(|| model.offers(insn))
    }
}

/// An operation whose flags may not be seen.
struct Unseen {
    slot: usize,
    /// What it does with flags.
    flags: FlagUse,
    /// What executes it where nobody sees its flags.
    quiet: Option<Handler>,
    /// The slot of a MOV that executes it too, and what does so where nobody sees its flags.
    leader: Option<(usize, Handler)>,
}

impl<'a> Lowering<'a> {
    /// An empty block, in place of the one whose rows these are.
    pub fn new(model: &'a CpuModel, mode: u32, place: Option<u32>, rows: Rows) -> Self {
        let Rows {
            mut slots,
            mut unseen,
            mut leaders,
            offered,
        } = rows;
        unseen.clear();
        leaders.clear();
        slots.clear();
        slots.push(Slot::head());
        Self {
            slots,
            links: [0; 2],
            pins: [0; 2],
            unseen,
            copy: None,
            leaders,
            led: None,
            fusible: None,
            index_scale: None,
            place,
            plain: false,
            model,
            offered,
            mode,
            insn: iced_x86::Instruction::default(),
            start: 0,
            end: 0,
            first: 0,
            immediate: Immediate::default(),
            ends_block: false,
            goes_on: false,
            closed: false,
            crosses_next: false,
            refused: false,
        }
    }

    /// What is of use for the next block, and the slots of this one.
    pub fn into_rows(self) -> Rows {
        Rows {
            slots: self.slots,
            unseen: self.unseen,
            leaders: self.leaders,
            offered: self.offered,
        }
    }

    /// Lowers one instruction, `start` and `end` bytes from the start of the block.
    pub fn lower(
        &mut self,
        insn: &iced_x86::Instruction,
        form: Form,
        bytes: &[u8],
        start: u32,
        end: u32,
    ) {
        self.insn = *insn;
        (self.start, self.end) = (start, end);
        self.first = self.slots.len();
        self.immediate = Immediate::default();
        self.ends_block = false;
        self.goes_on = false;
        self.refused = false;
        match form {
            Form::Undefined => return self.undefined(),
            Form::TooLong => {
                self.emit::<exec::flag::TooLong>(0, 0, 0);
                self.ends_block = true;
                return;
            }
            _ => {}
        }
        if self.model.is_amd() {
            let bits = mode::code_bits(self.mode);
            let cr8 = self.model.traits.contains(Traits::ALTERNATE_CR8);
            if amd::is_undefined(insn, bytes, bits, cr8) {
                return self.undefined();
            }
            if let Some(other) = amd::reading(insn, bytes) {
                self.insn = other;
            }
        }
        let insn = &self.insn;
        let offered = self.offered.has(self.model, insn);
        // VEX and its kin are undefined in real and virtual-8086 mode (SDM vol. 2, section 2.3).
        let encodable = insn.encoding() == EncodingKind::Legacy || self.mode & mode::PROTECTED != 0;
        let lowered = encodable
            && offered
            && (self
                .model
                .processor
                .is_some_and(|p| legacy::lower(self, p, form))
                || arith::lower(self)
                || bmi::lower(self)
                || data::lower(self)
                || branch::lower(self)
                || shift::lower(self)
                || string::lower(self)
                || system::lower(self)
                || simd::lower(self)
                || x87::lower(self, bytes));
        if !lowered && !x87::ignore(self, bytes) {
            self.undefined();
        }
    }

    /// #UD.
    pub fn undefined(&mut self) {
        self.refused = true;
        self.emit::<exec::flag::Undefined>(0, 0, 0);
        self.ends_block = true;
    }

    /// Ends the block when its last instruction does not.
    pub fn end_of_block(&mut self) {
        if self.closed {
            return;
        }
        let end = self.end as i32;
        // What ends a block may change what the next one depends on.
        if self.place.is_none() || self.ends_block && !self.goes_on {
            return self.push(exec::branch::end_of_block, 0, 0, 0, 0, 0);
        }
        let in_page = self.stays_in_page(end.into()) && !self.crosses_next;
        let next: Handler = match (in_page, self.is_64_bit()) {
            (true, true) => exec::branch::next_block::<u64, InPage>,
            (true, false) => exec::branch::next_block::<u32, InPage>,
            (false, true) => exec::branch::next_block::<u64, Anywhere>,
            (false, false) => exec::branch::next_block::<u32, Anywhere>,
        };
        self.push(next, 0, ZERO, 0, 0, 0);
        self.emit_links(&[end], in_page);
    }

    /// Lets each operation of one slot execute the next one too, where there is a handler for both. `starts` are those of the
    /// instructions and of the end.
    pub fn pair(&mut self, starts: &[Start]) {
        if self.place.is_none() || self.plain {
            return;
        }
        let pairs = Pairs::all();
        let mut leaders = self.leaders.iter().copied().peekable();
        let mut before: Option<(usize, u8)> = None;
        // The last of them is where no instruction begins.
        for start in &starts[..starts.len().saturating_sub(1)] {
            let slot = usize::from(start.slot);
            let half = pairs.half(self.slots[slot].handler());
            let both = match (before.take(), half) {
                (Some((first, x)), Some(y)) if first + 1 == slot => {
                    pairs.both(x, y).map(|both| (first, both))
                }
                _ => None,
            };
            // What the operation before it executes already is no first one.
            let led = leaders.next_if_eq(&(slot - 1)).is_some();
            match both {
                Some((first, both)) => {
                    self.slots[first].set_handler(both);
                }
                None if led => {}
                None => before = half.map(|half| (slot, half)),
            }
        }
    }

    /// Whether what is so far from the start of the block lies in the page that it starts in.
    pub fn stays_in_page(&self, distance: i64) -> bool {
        let place = i64::from(self.place.unwrap_or_default());
        (0..0x1000).contains(&(place + distance))
    }

    fn push(&mut self, handler: Handler, a: u8, b: u8, c: u8, d: u8, imm: i32) {
        self.slots.push(Slot::op(Op {
            handler,
            a,
            b,
            c,
            d,
            imm,
        }));
    }

    fn handler<I: Instruction>(&self) -> Handler {
        // A near branch leads on by a handler of its own; a far one has no other.
        let plain = self.plain && self.insn.flow_control() == FlowControl::Next;
        if self.place.is_none() || plain {
            whole::<I>
        } else {
            I::HANDLER
        }
    }

    /// Notes what the next operation does with the flags.
    fn note_flags<I: Instruction>(&mut self) {
        self.fusible = None;
        if self.place.is_none() || self.plain {
            return;
        }
        if !I::CALM {
            self.leave_out_flags();
        }
        if I::CALM && I::FLAGS.reads | I::FLAGS.changes != 0 {
            self.unseen.push(Unseen {
                slot: self.slots.len(),
                flags: I::FLAGS,
                quiet: I::QUIET,
                leader: None,
            });
        }
        self.fusible = I::FUSE.map(|fuse| (self.slots.len(), fuse));
    }

    /// The flags can be seen here: operations before this point leave out what is replaced before that.
    fn leave_out_flags(&mut self) {
        let mut seen = ARITHMETIC;
        for op in self.unseen.drain(..).rev() {
            match op.quiet {
                Some(quiet) if op.flags.changes & seen == 0 => {
                    self.slots[op.slot].set_handler(quiet);
                    if let Some((slot, quiet)) = op.leader {
                        self.slots[slot].set_handler(quiet);
                    }
                }
                _ => seen &= !op.flags.replaces,
            }
            seen |= op.flags.reads;
        }
    }

    /// The operation just emitted is a MOV between registers of so many bits.
    pub fn note_copy(&mut self, to: u8, bits: u32) {
        self.copy = Some((self.slots.len() - 1, to, bits));
    }

    /// Lets a MOV before the operation just emitted, which works on register `a`, execute it too if that is its destination:
    /// see [`exec::copy`].
    pub fn join_copy(&mut self, a: u8, bits: u32, [handler, quiet]: [Handler; 2]) {
        let slot = self.slots.len() - 1;
        if self.place.is_none() || self.plain || self.copy != Some((slot - 1, a, bits)) {
            return;
        }
        let mov = self.slots[slot - 1].set_handler(handler);
        self.leaders.push(slot - 1);
        self.led = Some((slot, slot - 1, mov));
        if let Some(op) = self.unseen.last_mut().filter(|op| op.slot == slot) {
            op.leader = Some((slot - 1, quiet));
        }
    }

    /// Lets the operation before this one, a conditional jump inside the page, execute it too.
    pub fn fuse(&mut self, condition: ConditionCode) {
        if let Some((slot, fuse)) = self.fusible.take()
            && let Some(handler) = fuse(condition, self.is_64_bit())
        {
            self.shorten(slot, handler);
            if let Some((_, mov, handler)) = self.led.filter(|led| led.0 == slot) {
                self.slots[mov].set_handler(handler);
                self.leaders.pop();
            }
        }
    }

    /// As [`Self::fuse`], for an operation in memory at `slot` that is the last so far.
    pub fn may_fuse(&mut self, slot: usize, fuse: Option<Fuse>) {
        self.fusible = fuse.map(|fuse| (slot, fuse));
    }

    /// log2 of the scale of the memory operand's index register, if it has one.
    pub fn index_scale(&self) -> Option<u8> {
        self.index_scale
    }

    /// Gives the operation in a slot a handler that tries a shortcut first.
    pub fn shorten(&mut self, slot: usize, handler: Handler) {
        if self.place.is_some() && !self.plain {
            self.slots[slot].set_handler(handler);
        }
    }

    /// An operation on registers and an immediate.
    pub fn emit<I: Instruction>(&mut self, a: u8, b: u8, imm: i32) {
        self.note_flags::<I>();
        self.push(self.handler::<I>(), a, b, 0, 0, imm);
    }

    /// An operation on registers and immediate operand `n`.
    pub fn emit_immediate<I: Instruction>(&mut self, a: u8, b: u8, n: u32) {
        self.emit::<I>(a, b, self.imm(n));
        self.note_immediate(n);
    }

    /// The slot just emitted holds immediate operand `n`, and nothing that was emitted depends on it.
    fn note_immediate(&mut self, n: u32) {
        // With a prefetch queue it would be read anew too early.
        if self.place.is_none() || self.plain {
            return;
        }
        let (bytes, signed) = match self.insn.op_kind(n) {
            OpKind::Immediate8 => (1, false),
            OpKind::Immediate8to16 | OpKind::Immediate8to32 | OpKind::Immediate8to64 => (1, true),
            OpKind::Immediate16 => (2, false),
            OpKind::Immediate32 | OpKind::Immediate32to64 => (4, true),
            _ => return,
        };
        self.immediate = Immediate {
            bytes,
            signed,
            slot: (self.slots.len() - 1 - self.first) as u8,
        };
    }

    /// An operation with an implied memory operand: a base register, and [`Op::d`].
    pub fn emit_based<I: Instruction>(&mut self, base: u8, d: u8) {
        self.note_flags::<I>();
        self.push(self.handler::<I>(), 0, base, ZERO, d, 0);
    }

    /// Slots behind an operation that say how far from the start of the block it leads, and, but for links into the page,
    /// what they hold for.
    pub fn emit_links(&mut self, distances: &[i32], in_page: bool) {
        for (&distance, slot) in distances.iter().zip(&mut self.links) {
            *slot = self.slots.len() as u16;
            self.slots.push(Slot::link(distance));
        }
        if in_page {
            return;
        }
        for (_, slot) in distances.iter().zip(&mut self.pins) {
            *slot = self.slots.len() as u16;
            self.slots.push(Slot::pin());
        }
    }

    /// An operation with register `a` and the instruction's memory operand.
    pub fn emit_memory<I: Instruction>(&mut self, a: u8) {
        self.note_flags::<I>();
        self.push_memory(self.handler::<I>(), a);
    }

    /// As [`Self::emit_memory`], in the form for flat or for segmented addresses. `F` is the instruction with
    /// [`Flat`], `S` with [`Segmented`] addressing.
    pub fn emit_memory_as<F: Instruction, S: Instruction>(&mut self, a: u8) {
        if self.is_flat() {
            self.emit_memory::<F>(a)
        } else {
            self.emit_memory::<S>(a)
        }
    }

    /// The second slot of a wide operation with immediate operand `n`.
    pub fn emit_second_immediate(&mut self, n: u32) {
        self.emit_second(self.imm(n));
        self.note_immediate(n);
    }

    /// The second slot of a wide operation.
    pub fn emit_second(&mut self, imm: i32) {
        self.emit_second_with([0; 4], imm);
    }

    /// The second slot of a wide operation with something in its registers' places.
    pub fn emit_second_with(&mut self, [a, b, c, d]: [u8; 4], imm: i32) {
        self.push(whole::<exec::flag::Undefined>, a, b, c, d, imm);
    }

    fn push_memory(&mut self, handler: Handler, a: u8) {
        let i = &self.insn;
        let base = register(i.memory_base());
        let mut index = register(i.memory_index());
        let scale = i.memory_index_scale().trailing_zeros() as u8;
        let d = address::encode(scale, self.memory_segment(), self.address_bits());
        let mut displacement = i.memory_displacement64() as i64;
        if base == BLOCK_RIP && i32::try_from(displacement).is_err() && self.address_bits() == 64 {
            // Counted from the start of the block, not from the end of the instruction.
            displacement -= REACH as i64;
            index = REACH_REGISTER;
        }
        self.index_scale = (index != ZERO).then_some(scale);
        self.push(handler, a, base, index, d, displacement as u32 as i32);
    }

    /// The segment of the memory operand. In 64-bit mode no prefix selects another one than FS and GS (SDM vol. 1,
    /// section 3.3.7.1); the base register says whether a bad address is a stack fault.
    pub fn memory_segment(&self) -> Seg {
        let i = &self.insn;
        let seg = segment(i.memory_segment());
        if self.is_64_bit() && !matches!(seg, Seg::Fs | Seg::Gs) {
            return match i.memory_base() {
                Register::RSP | Register::ESP | Register::RBP | Register::EBP => Seg::Ss,
                _ => Seg::Ds,
            };
        }
        seg
    }

    /// Whether this is 64-bit code.
    pub fn is_64_bit(&self) -> bool {
        self.mode & mode::CODE_64 != 0
    }

    /// The address size of the memory operand: 16, 32 or 64.
    pub fn address_bits(&self) -> u32 {
        let i = &self.insn;
        let register = match i.memory_base() {
            Register::None => i.memory_index(),
            base => base,
        };
        match register {
            Register::RIP => 64,
            Register::EIP => 32,
            r if r.is_gpr() && !r.is_gpr8() => 8 * r.size() as u32,
            // A displacement alone, or with a vector register as index.
            _ => match i.memory_displ_size() {
                2 => 16,
                8 => 64,
                _ => 32,
            },
        }
    }

    /// Whether the memory operand is an offset of the mode's full width in a flat segment.
    pub fn is_flat(&self) -> bool {
        let bits = if self.is_64_bit() { 64 } else { 32 };
        self.mode & mode::FLAT != 0
            && self.address_bits() == bits
            && matches!(self.memory_segment(), Seg::Ds | Seg::Es | Seg::Ss)
    }

    /// Whether operand `n` is in memory.
    pub fn is_memory(&self, n: u32) -> bool {
        self.insn.op_kind(n) == OpKind::Memory
    }

    /// Whether operand `n` is an immediate.
    pub fn is_immediate(&self, n: u32) -> bool {
        matches!(
            self.insn.op_kind(n),
            OpKind::Immediate8
                | OpKind::Immediate8_2nd
                | OpKind::Immediate16
                | OpKind::Immediate32
                | OpKind::Immediate8to16
                | OpKind::Immediate8to32
                | OpKind::Immediate64
                | OpKind::Immediate8to64
                | OpKind::Immediate32to64
        )
    }

    /// Register operand `n`, as [`crate::registers::Registers`] numbers it.
    pub fn reg(&self, n: u32) -> u8 {
        register(self.insn.op_register(n))
    }

    /// Immediate operand `n`, sign-extended as the instruction says.
    pub fn imm(&self, n: u32) -> i32 {
        self.insn.immediate(n) as i32
    }

    /// Bytes of operand `n`.
    pub fn operand_bytes(&self, n: u32) -> usize {
        match self.insn.op_kind(n) {
            OpKind::Register => self.insn.op_register(n).size(),
            OpKind::Memory => self.insn.memory_size().size(),
            OpKind::Immediate8 | OpKind::Immediate8_2nd => 1,
            OpKind::Immediate16 | OpKind::Immediate8to16 => 2,
            OpKind::Immediate64 | OpKind::Immediate8to64 | OpKind::Immediate32to64 => 8,
            _ => 4,
        }
    }
}

/// A general register as [`crate::registers::Registers`] numbers it; "none" reads as 0.
pub fn register(r: Register) -> u8 {
    if r.is_gpr8() {
        let n = r.number() as u8;
        // iced numbers AL..BH 0 to 7 like the encoding without REX, then SPL..DIL, then R8L..R15L.
        return match n {
            0..4 => n,
            4..8 => (n - 4) | HIGH_BYTE,
            _ => n - 4,
        };
    }
    if r.is_ip() {
        return BLOCK_RIP;
    }
    if r.is_gpr() { r.number() as u8 } else { ZERO }
}

/// A segment register.
pub fn segment(r: Register) -> Seg {
    match r {
        Register::ES => Seg::Es,
        Register::CS => Seg::Cs,
        Register::SS => Seg::Ss,
        Register::FS => Seg::Fs,
        Register::GS => Seg::Gs,
        _ => Seg::Ds,
    }
}
