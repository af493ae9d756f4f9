//! BT, BTS, BTR, BTC, BSF, BSR.

use super::operand::{As, Place, Source};
use crate::alu::flags::{CF, ZF};
use crate::alu::{Flags, Int};
use crate::context::Context;
use crate::interpreter::Interpreter;
use crate::mem::address::{self, Address};
use crate::op::{Hot, Instruction, OpRef, Stop};

/// What becomes of the tested bit.
pub trait BitOperation: 'static {
    /// Whether the operand is written.
    const WRITES: bool;
    /// The operand with the bit changed.
    fn change(v: u64, bit: u64) -> u64;
}

/// BT: nothing.
pub struct Test;
/// BTS: set.
pub struct Set;
/// BTR: cleared.
pub struct Reset;
/// BTC: complemented.
pub struct Complement;

impl BitOperation for Test {
    const WRITES: bool = false;
    fn change(v: u64, _: u64) -> u64 {
        v
    }
}
impl BitOperation for Set {
    const WRITES: bool = true;
    fn change(v: u64, bit: u64) -> u64 {
        v | bit
    }
}
impl BitOperation for Reset {
    const WRITES: bool = true;
    fn change(v: u64, bit: u64) -> u64 {
        v & !bit
    }
}
impl BitOperation for Complement {
    const WRITES: bool = true;
    fn change(v: u64, bit: u64) -> u64 {
        v ^ bit
    }
}

/// CF := the bit; the other flags stay (the manual leaves OF, SF, AF and PF undefined; ZF is unaffected).
fn with_cf(flags: &Flags, set: bool) -> Flags {
    flags.with(CF, if set { CF } else { 0 })
}

/// A bit test whose bit number is taken modulo the operand size: registers, and memory with an immediate.
pub struct BitOf<O, T, D, S>(As<(O, T, D, S)>);

impl<O: BitOperation, T: Int, D: Place<T>, S: Source<T>> Hot for BitOf<O, T, D, S> {
    const SLOTS: usize = S::SLOTS;
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, op: OpRef) -> Result<(), X::Stop> {
        let n = S::get(cx, op)?.to_u64() % u64::from(T::BITS);
        let bit = 1 << n;
        if !O::WRITES {
            let v = D::get(cx, op)?.to_u64();
            cx.set_flags(with_cf(&cx.flags(), v & bit != 0));
            return Ok(());
        }
        D::modify(cx, op, |a, flags| {
            let v = a.to_u64();
            (T::from_u64(O::change(v, bit)), with_cf(flags, v & bit != 0))
        })
    }
}

/// A bit test in memory whose bit number is a register: a signed distance that reaches beyond the operand.
pub struct BitAt<O, T, W>(As<(O, T, W)>);

impl<O: BitOperation, T: Int, W: Address> Instruction for BitAt<O, T, W> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let n = cpu.regs.get::<T>(op.a).to_i64();
        let element = n >> T::BITS.trailing_zeros();
        let bit = 1 << (n & i64::from(T::BITS - 1));
        let offset = W::offset(cpu, op).wrapping_add((element * T::BYTES as i64) as u64);
        let offset = offset & address::mask(&op);
        let seg = address::segment(&op);
        let v = if O::WRITES {
            let place = cpu.place(seg, offset, T::WIDTH)?;
            let v = cpu.load_at::<T, W>(seg, offset)?.to_u64();
            cpu.close_slow(place, T::WIDTH, O::change(v, bit) & T::MASK);
            v
        } else {
            cpu.load_at::<T, W>(seg, offset)?.to_u64()
        };
        cpu.flags = with_cf(&cpu.flags, v & bit != 0);
        Ok(())
    }
}

/// BSF (`FORWARD`) and BSR: index of the first set bit. With a zero operand ZF is set and the destination keeps its
/// value, as on all Intel processors (the manual calls it undefined).
pub struct BitScan<const FORWARD: bool, T, S>(As<(T, S)>);

impl<const FORWARD: bool, T: Int, S: Source<T>> Hot for BitScan<FORWARD, T, S> {
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, op: OpRef) -> Result<(), X::Stop> {
        let v = S::get(cx, op)?.to_u64();
        // The other flags are undefined; P6 and later compute them from the source as a logical operation does.
        let flags = Flags::of_result(T::from_u64(v), 0);
        cx.set_flags(flags.with(ZF, if v == 0 { ZF } else { 0 }));
        if v != 0 {
            let n = if FORWARD {
                v.trailing_zeros()
            } else {
                63 - v.leading_zeros()
            };
            cx.regs().set(op.a, T::from_u64(n.into()));
        }
        Ok(())
    }
}
