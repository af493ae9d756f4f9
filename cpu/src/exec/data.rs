//! MOV, MOVZX, MOVSX, LEA, XCHG, CMOVcc, SETcc, BSWAP, XLAT.

use super::operand::{As, B, Place, Source};
use crate::alu::{Condition, Int};
use crate::context::Context;
use crate::interpreter::Interpreter;
use crate::mem::address::{self, Address, Segmented};
use crate::op::{FlagUse, Hot, Instruction, OpRef, Stop};

/// DEST := SRC.
pub struct Mov<T, D, S>(As<(T, D, S)>);

impl<T: Int, D: Place<T>, S: Source<T>> Hot for Mov<T, D, S> {
    const SLOTS: usize = S::SLOTS;
    const CALM: bool = !D::IN_MEMORY && !S::IN_MEMORY;
    const FLAGS: FlagUse = FlagUse::NONE;
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, op: OpRef) -> Result<(), X::Stop> {
        let v = S::get(cx, op)?;
        D::set(cx, op, v)
    }
}

/// DEST := zero-extended SRC.
pub struct Movzx<T, N, S>(As<(T, N, S)>);

impl<T: Int, N: Int, S: Source<N>> Hot for Movzx<T, N, S> {
    const CALM: bool = !S::IN_MEMORY;
    const FLAGS: FlagUse = FlagUse::NONE;
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, op: OpRef) -> Result<(), X::Stop> {
        let v = S::get(cx, op)?;
        cx.regs().set(op.a, T::from_u64(v.to_u64()));
        Ok(())
    }
}

/// DEST := sign-extended SRC.
pub struct Movsx<T, N, S>(As<(T, N, S)>);

impl<T: Int, N: Int, S: Source<N>> Hot for Movsx<T, N, S> {
    const CALM: bool = !S::IN_MEMORY;
    const FLAGS: FlagUse = FlagUse::NONE;
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, op: OpRef) -> Result<(), X::Stop> {
        let v = S::get(cx, op)?;
        cx.regs().set(op.a, T::from_u64(v.to_i64() as u64));
        Ok(())
    }
}

/// DEST := effective address.
pub struct Lea<T, W>(As<(T, W)>);

impl<T: Int, W: Address> Hot for Lea<T, W> {
    const CALM: bool = true;
    const FLAGS: FlagUse = FlagUse::NONE;
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, op: OpRef) -> Result<(), X::Stop> {
        let offset = W::offset(cx.cpu(), op);
        cx.regs().set(op.a, T::from_u64(offset));
        Ok(())
    }
}

/// MOV from an address of 64 bits, in both slots, to the accumulator. `a` is the segment.
pub struct LoadAccumulator<T>(As<T>);

impl<T: Int> Instruction for LoadAccumulator<T> {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let v = cpu.load_at::<T, Segmented>(op.a.into(), op.imm64())?;
        cpu.regs.set(0, v);
        Ok(())
    }
}

/// MOV from the accumulator to an address of 64 bits, in both slots. `a` is the segment.
pub struct StoreAccumulator<T>(As<T>);

impl<T: Int> Instruction for StoreAccumulator<T> {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let v: T = cpu.regs.get(0);
        cpu.store_at::<T, Segmented>(op.a.into(), op.imm64(), v)
    }
}

/// Exchanges a place with a register.
pub struct Xchg<T, D, S>(As<(T, D, S)>);

impl<T: Int, D: Place<T>, S: Place<T>> Hot for Xchg<T, D, S> {
    const CALM: bool = !D::IN_MEMORY && !S::IN_MEMORY;
    const FLAGS: FlagUse = FlagUse::NONE;
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, op: OpRef) -> Result<(), X::Stop> {
        let b = S::get(cx, op)?;
        let mut old = b;
        D::modify(cx, op, |a, flags| {
            old = a;
            (b, *flags)
        })?;
        S::set(cx, op, old)
    }
}

/// A condition as a type.
pub trait When: 'static {
    /// Which.
    const CONDITION: Condition;
}

/// A condition by its encoding.
pub struct Cc<const N: u8>;

/// The conditions in the order of their encoding.
pub const CONDITIONS: [Condition; 16] = [
    Condition::O,
    Condition::No,
    Condition::B,
    Condition::Ae,
    Condition::E,
    Condition::Ne,
    Condition::Be,
    Condition::A,
    Condition::S,
    Condition::Ns,
    Condition::P,
    Condition::Np,
    Condition::L,
    Condition::Ge,
    Condition::Le,
    Condition::G,
];

impl<const N: u8> When for Cc<N> {
    const CONDITION: Condition = CONDITIONS[N as usize];
}

/// Runs code with `C` standing for the type of a condition.
macro_rules! by_condition {
    ($code:expr, $c:ident => $body:expr) => {
        $crate::exec::data::by_condition!(@ $code, $c => $body;
            o 0, no 1, b 2, ae 3, e 4, ne 5, be 6, a 7, s 8, ns 9, p 10, np 11, l 12, ge 13, le 14, g 15)
    };
    (@ $code:expr, $c:ident => $body:expr; $($name:ident $n:literal),*) => {
        match $code {
            $(iced_x86::ConditionCode::$name => {
                type $c = $crate::exec::data::Cc<$n>;
                $body
            })*
            iced_x86::ConditionCode::None => {}
        }
    };
}
pub(crate) use by_condition;

/// IF condition THEN DEST := SRC; the source is read in any case.
pub struct Cmov<C, T, S>(As<(C, T, S)>);

impl<C: When, T: Int, S: Source<T>> Hot for Cmov<C, T, S> {
    const CALM: bool = !S::IN_MEMORY;
    const FLAGS: FlagUse = FlagUse::reading(C::CONDITION.reads());
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, op: OpRef) -> Result<(), X::Stop> {
        let v = S::get(cx, op)?;
        // A 32-bit destination is written even when the condition fails (SDM vol. 2, "CMOVcc").
        let old = cx.regs().get(op.a);
        let v = if cx.flags().holds(C::CONDITION) {
            v
        } else {
            old
        };
        cx.regs().set(op.a, v);
        Ok(())
    }
}

/// DEST := condition.
pub struct Setcc<C, D>(As<(C, D)>);

impl<C: When, D: Place<u8>> Hot for Setcc<C, D> {
    const CALM: bool = !D::IN_MEMORY;
    const FLAGS: FlagUse = FlagUse::reading(C::CONDITION.reads());
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, op: OpRef) -> Result<(), X::Stop> {
        let v = cx.flags().holds(C::CONDITION);
        D::set(cx, op, v.into())
    }
}

/// Reverses the bytes of a register. (With a 16-bit register the result is undefined: P6 and later clear it.)
pub struct Bswap<T>(As<T>);

impl<T: Int> Hot for Bswap<T> {
    const CALM: bool = true;
    const FLAGS: FlagUse = FlagUse::NONE;
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, op: OpRef) -> Result<(), X::Stop> {
        let v: T = B::get(cx, op)?;
        let swapped = if T::BITS == 16 {
            0
        } else {
            v.to_u64().swap_bytes() >> (64 - T::BITS)
        };
        B::set(cx, op, T::from_u64(swapped))
    }
}

/// AL := [(E)BX + AL]. The memory operand's base is (E)BX, its index AL.
pub struct Xlat<W>(As<W>);

impl<W: Address> Instruction for Xlat<W> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let al = cpu.regs.get::<u8>(0);
        let base = cpu.regs.whole(3).wrapping_add(al.into());
        let offset = base & address::mask(&op);
        let v = cpu.load_at::<u8, W>(address::segment(&op), offset)?;
        cpu.regs.set(0, v);
        Ok(())
    }
}
