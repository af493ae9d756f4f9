//! ADD, ADC, SUB, SBB, CMP, INC, DEC, NEG, XADD, CMPXCHG, CMPXCHG8B, CMPXCHG16B.

use super::branch::fuse;
use super::operand::{As, Place, Source};
use crate::alu::flags::{ARITHMETIC, CF};
use crate::alu::{Flags, Int};
use crate::context::Context;
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::mem::address::{self, Address, Segmented};
use crate::op::{FlagUse, Fuse, Hot, Instruction, OpRef, Stop};
use emu_core::Width;
use emu_core::x86::Gpr;

/// A two-operand operation that leaves a result and flags.
pub trait Binary: 'static {
    /// What it does with the flags.
    const FLAGS: FlagUse = FlagUse::REPLACES;
    /// Conditional jumps often follow it.
    const FUSES: bool = false;
    /// It depends on no flags, and often works on a register that was just copied.
    const FOLLOWS_COPIES: bool = true;
    /// `a <op> b`.
    fn apply<T: Int>(a: T, b: T, flags: &Flags) -> (T, Flags);
}

/// DEST := DEST + SRC.
pub struct Add;
/// DEST := DEST + SRC + CF.
pub struct Adc;
/// DEST := DEST - SRC.
pub struct Sub;
/// DEST := DEST - (SRC + CF).
pub struct Sbb;

impl Binary for Add {
    const FUSES: bool = true;
    #[inline(always)]
    fn apply<T: Int>(a: T, b: T, _: &Flags) -> (T, Flags) {
        let r = T::from_u64(a.to_u64().wrapping_add(b.to_u64()));
        (r, Flags::of_add(a, r, false))
    }
}

impl Binary for Adc {
    const FOLLOWS_COPIES: bool = false;
    const FLAGS: FlagUse = FlagUse {
        reads: CF,
        ..FlagUse::REPLACES
    };
    #[inline(always)]
    fn apply<T: Int>(a: T, b: T, flags: &Flags) -> (T, Flags) {
        let c = flags.cf();
        let r = T::from_u64(a.to_u64().wrapping_add(b.to_u64()).wrapping_add(c.into()));
        (r, Flags::of_add(a, r, c))
    }
}

impl Binary for Sub {
    const FUSES: bool = true;
    #[inline(always)]
    fn apply<T: Int>(a: T, b: T, _: &Flags) -> (T, Flags) {
        (
            T::from_u64(a.to_u64().wrapping_sub(b.to_u64())),
            Flags::of_sub(a, b, false),
        )
    }
}

impl Binary for Sbb {
    const FOLLOWS_COPIES: bool = false;
    const FLAGS: FlagUse = FlagUse::TOUCHES;
    #[inline(always)]
    fn apply<T: Int>(a: T, b: T, flags: &Flags) -> (T, Flags) {
        let c = flags.cf();
        let r = T::from_u64(a.to_u64().wrapping_sub(b.to_u64()).wrapping_sub(c.into()));
        (r, Flags::of_sub(a, b, c))
    }
}

/// An instruction that replaces its destination by a function of both operands.
pub struct Modify<O, T, D, S>(As<(O, T, D, S)>);

impl<O: Binary, T: Int, D: Place<T>, S: Source<T>> Hot for Modify<O, T, D, S> {
    const SLOTS: usize = S::SLOTS;
    const CALM: bool = !D::IN_MEMORY && !S::IN_MEMORY;
    const FLAGS: FlagUse = O::FLAGS;
    const FUSE: Option<Fuse> = if <Self as Hot>::CALM && O::FUSES && T::BITS >= 32 {
        fuse::<Self, Self, T>()
    } else {
        None
    };
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, op: OpRef) -> Result<(), X::Stop> {
        let b = S::get(cx, op)?;
        D::modify(cx, op, |a, flags| O::apply(a, b, flags))
    }
}

/// An instruction that only leaves flags: CMP, TEST.
pub struct Compare<O, T, D, S>(As<(O, T, D, S)>);

impl<O: Binary, T: Int, D: Source<T>, S: Source<T>> Hot for Compare<O, T, D, S> {
    const SLOTS: usize = S::SLOTS;
    const CALM: bool = !D::IN_MEMORY && !S::IN_MEMORY;
    const FLAGS: FlagUse = O::FLAGS;
    const FUSE: Option<Fuse> = if <Self as Hot>::CALM && O::FUSES && T::BITS != 16 {
        fuse::<Self, Self, T>()
    } else {
        None
    };
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, op: OpRef) -> Result<(), X::Stop> {
        let a = D::get(cx, op)?;
        let b = S::get(cx, op)?;
        cx.set_flags(O::apply(a, b, &cx.flags()).1);
        Ok(())
    }
}

/// A one-operand operation.
pub trait Unary: 'static {
    /// What it does with the flags.
    const FLAGS: FlagUse = FlagUse::TOUCHES;
    /// Conditional jumps often follow it.
    const FUSES: bool = false;
    /// `<op> a`.
    fn apply<T: Int>(a: T, flags: &Flags) -> (T, Flags);
}

/// DEST := DEST + 1, CF kept.
pub struct Inc;
/// DEST := DEST - 1, CF kept.
pub struct Dec;
/// DEST := 0 - DEST.
pub struct Neg;

impl Unary for Inc {
    const FLAGS: FlagUse = FlagUse::replacing(ARITHMETIC & !CF);
    const FUSES: bool = true;
    #[inline(always)]
    fn apply<T: Int>(a: T, flags: &Flags) -> (T, Flags) {
        let r = T::from_u64(a.to_u64().wrapping_add(1));
        (r, Flags::of_inc(r, flags.cf()))
    }
}

impl Unary for Dec {
    const FLAGS: FlagUse = FlagUse::replacing(ARITHMETIC & !CF);
    const FUSES: bool = true;
    #[inline(always)]
    fn apply<T: Int>(a: T, flags: &Flags) -> (T, Flags) {
        let r = T::from_u64(a.to_u64().wrapping_sub(1));
        (r, Flags::of_dec(r, flags.cf()))
    }
}

impl Unary for Neg {
    const FLAGS: FlagUse = FlagUse::REPLACES;
    #[inline(always)]
    fn apply<T: Int>(a: T, _: &Flags) -> (T, Flags) {
        let zero = T::from_u64(0);
        (
            T::from_u64(a.to_u64().wrapping_neg()),
            Flags::of_sub(zero, a, false),
        )
    }
}

/// An instruction that replaces its operand by a function of it.
pub struct ModifyOne<O, T, D>(As<(O, T, D)>);

impl<O: Unary, T: Int, D: Place<T>> Hot for ModifyOne<O, T, D> {
    const CALM: bool = !D::IN_MEMORY;
    const FLAGS: FlagUse = O::FLAGS;
    const FUSE: Option<Fuse> = if <Self as Hot>::CALM && O::FUSES && T::BITS >= 32 {
        fuse::<Self, Self, T>()
    } else {
        None
    };
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, op: OpRef) -> Result<(), X::Stop> {
        D::modify(cx, op, |a, flags| O::apply(a, flags))
    }
}

/// XADD: TEMP := SRC + DEST; SRC := DEST; DEST := TEMP. The source register is `S`.
pub struct Xadd<T, D, S>(As<(T, D, S)>);

impl<T: Int, D: Place<T>, S: Place<T>> Instruction for Xadd<T, D, S> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let b = S::get(cpu, op)?;
        let mut old = b;
        // The register is written first, so that XADD of a register with itself leaves the sum.
        let mut sum = b;
        let mut flags = cpu.flags;
        D::modify(cpu, op, |a, f| {
            old = a;
            (sum, flags) = Add::apply(a, b, f);
            (sum, flags)
        })?;
        S::set(cpu, op, old)?;
        if std::any::TypeId::of::<D>() == std::any::TypeId::of::<super::operand::B>() {
            D::set(cpu, op, sum)?;
        }
        cpu.flags = flags;
        Ok(())
    }
}

/// CMPXCHG: if accumulator = DEST then DEST := SRC else accumulator := DEST. The destination is always written.
pub struct Cmpxchg<T, D, S>(As<(T, D, S)>);

impl<T: Int, D: Place<T>, S: Source<T>> Instruction for Cmpxchg<T, D, S> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let new = S::get(cpu, op)?;
        let accumulator = cpu.regs.get::<T>(0);
        let mut old = accumulator;
        D::modify(cpu, op, |a, f| {
            old = a;
            let flags = Sub::apply(accumulator, a, f).1;
            (if a == accumulator { new } else { a }, flags)
        })?;
        if old != accumulator {
            cpu.regs.set::<T>(0, old);
        }
        Ok(())
    }
}

/// CMPXCHG of register `a` with register `b`. A destination that is not replaced is not written, so that with 32-bit
/// operands its upper half stays (as processors with 64-bit mode do).
pub struct CmpxchgRegister<T>(As<T>);

impl<T: Int> Instruction for CmpxchgRegister<T> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let (accumulator, old) = (cpu.regs.get::<T>(0), cpu.regs.get::<T>(op.a));
        cpu.flags = Sub::apply(accumulator, old, &cpu.flags).1;
        if old == accumulator {
            let new = cpu.regs.get::<T>(op.b);
            cpu.regs.set::<T>(op.a, new);
        } else {
            cpu.regs.set::<T>(0, old);
        }
        Ok(())
    }
}

/// CMPXCHG8B (SDM vol. 2): compares EDX:EAX with m64, writes ECX:EBX if equal, else loads it. Only ZF changes.
pub struct Cmpxchg8b<W>(As<W>);

/// CMPXCHG16B (SDM vol. 2): the same with RDX:RAX, RCX:RBX and m128, which must be aligned.
pub struct Cmpxchg16b;

impl Instruction for Cmpxchg16b {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let (seg, offset) = (address::segment(&op), Segmented::offset(cpu, op));
        let next = offset.wrapping_add(8) & address::mask(&op);
        let linear = cpu.segments[seg % 6].base.wrapping_add(offset);
        cpu.ensure(linear & 15 == 0, Fault::GP0)?;
        // One page holds both halves.
        let places = [
            cpu.place(seg, offset, Width::Qword)?,
            cpu.place(seg, next, Width::Qword)?,
        ];
        let old = [
            cpu.load_at::<u64, Segmented>(seg, offset)?,
            cpu.load_at::<u64, Segmented>(seg, next)?,
        ];
        let pair = |cpu: &Interpreter, low, high| [cpu.regs.named(low), cpu.regs.named(high)];
        let equal = old == pair(cpu, Gpr::Rax, Gpr::Rdx);
        let new = if equal {
            pair(cpu, Gpr::Rbx, Gpr::Rcx)
        } else {
            old
        };
        for (place, v) in places.into_iter().zip(new) {
            cpu.close_slow(place, Width::Qword, v);
        }
        if !equal {
            cpu.regs.set_named(Gpr::Rax, old[0]);
            cpu.regs.set_named(Gpr::Rdx, old[1]);
        }
        let zf = crate::alu::flags::ZF;
        cpu.flags = cpu.flags.with(zf, if equal { zf } else { 0 });
        Ok(())
    }
}

impl<W: Address> Instruction for Cmpxchg8b<W> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let pair = |cpu: &Interpreter, high: u8, low: u8| {
            cpu.regs.get::<u32>(low).to_u64() | cpu.regs.get::<u32>(high).to_u64() << 32
        };
        let (old, place) = cpu.open::<u64, W>(op)?;
        let expected = pair(cpu, 2, 0);
        let equal = old == expected;
        let new = if equal { pair(cpu, 1, 3) } else { old };
        cpu.close(place, new);
        if !equal {
            cpu.regs.set::<u32>(0, old as u32);
            cpu.regs.set::<u32>(2, (old >> 32) as u32);
        }
        let zf = crate::alu::flags::ZF;
        cpu.flags = cpu.flags.with(zf, if equal { zf } else { 0 });
        Ok(())
    }
}
