//! Newer instructions on general registers: POPCNT, LZCNT, TZCNT, MOVBE, CRC32, ADX, BMI1, BMI2, RDPID.
//!
//! Flags that the manual leaves undefined are those of the processors that have the instruction: cleared where nothing
//! else is said.

use super::operand::{As, Place, Source};
use crate::alu::flags::{CF, OF, ZF};
use crate::alu::{Flags, Int};
use crate::context::Context;
use crate::interpreter::Interpreter;
use crate::op::{Hot, Instruction, OpRef, Stop};
use crate::registers::ZERO;

/// A function of one operand, with flags.
pub trait Function: 'static {
    /// `f(v)`.
    fn apply<T: Int>(v: T, flags: &Flags) -> (T, Flags);
}

/// Register `a` := function of the source.
pub struct Apply<O, T, S>(As<(O, T, S)>);

impl<O: Function, T: Int, S: Source<T>> Hot for Apply<O, T, S> {
    #[inline(always)]
    fn run<X: Context>(cx: &mut X, op: OpRef) -> Result<(), X::Stop> {
        let v = S::get(cx, op)?;
        let (r, flags) = O::apply(v, &cx.flags());
        cx.regs().set(op.a, r);
        cx.set_flags(flags);
        Ok(())
    }
}

/// POPCNT: ZF for a zero source, the others cleared.
pub struct Popcnt;
/// LZCNT.
pub struct Lzcnt;
/// TZCNT.
pub struct Tzcnt;
/// BLSR: clears the lowest set bit.
pub struct Blsr;
/// BLSMSK: ones up to the lowest set bit.
pub struct Blsmsk;
/// BLSI: the lowest set bit alone.
pub struct Blsi;

impl Function for Popcnt {
    fn apply<T: Int>(v: T, _: &Flags) -> (T, Flags) {
        let n = v.to_u64().count_ones();
        let zf = if n == 0 { ZF } else { 0 };
        (T::from_u64(n.into()), Flags::explicit(zf))
    }
}

/// CF for a zero source, ZF for a zero result.
fn counted<T: Int>(source: T, n: u32) -> (T, Flags) {
    let cf = if source.to_u64() == 0 { CF } else { 0 };
    let zf = if n == 0 { ZF } else { 0 };
    (T::from_u64(n.into()), Flags::explicit(cf | zf))
}

impl Function for Lzcnt {
    fn apply<T: Int>(v: T, _: &Flags) -> (T, Flags) {
        counted(v, v.to_u64().leading_zeros() - (64 - T::BITS))
    }
}

impl Function for Tzcnt {
    fn apply<T: Int>(v: T, _: &Flags) -> (T, Flags) {
        counted(v, v.to_u64().trailing_zeros().min(T::BITS))
    }
}

/// SF and ZF of a result, CF given, OF, AF and PF cleared.
fn sign_and_zero<T: Int>(r: T, cf: bool) -> (T, Flags) {
    let kept = Flags::of_result(r, 0).bits() & (ZF | crate::alu::flags::SF);
    (r, Flags::explicit(kept | if cf { CF } else { 0 }))
}

impl Function for Blsr {
    fn apply<T: Int>(v: T, _: &Flags) -> (T, Flags) {
        let v = v.to_u64();
        sign_and_zero(T::from_u64(v & v.wrapping_sub(1)), v == 0)
    }
}

impl Function for Blsmsk {
    fn apply<T: Int>(v: T, _: &Flags) -> (T, Flags) {
        let v = v.to_u64();
        sign_and_zero(T::from_u64(v ^ v.wrapping_sub(1)), v == 0)
    }
}

impl Function for Blsi {
    fn apply<T: Int>(v: T, _: &Flags) -> (T, Flags) {
        let v = v.to_u64();
        sign_and_zero(T::from_u64(v & v.wrapping_neg()), v != 0)
    }
}

/// A function of the source and another register, with flags.
pub trait Combination: 'static {
    /// `f(source, register)`.
    fn apply<T: Int>(source: T, other: T, flags: &Flags) -> (T, Flags);
}

/// Register `a` := function of the source and the register that the second slot's immediate names.
pub struct Combine<O, T, S>(As<(O, T, S)>);

impl<O: Combination, T: Int, S: Source<T>> Instruction for Combine<O, T, S> {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let source = S::get(cpu, op)?;
        let other = cpu.regs.get::<T>(op.second() as u8);
        let (r, flags) = O::apply(source, other, &cpu.flags);
        cpu.regs.set(op.a, r);
        cpu.flags = flags;
        Ok(())
    }
}

/// ANDN: source and not other.
pub struct Andn;
/// BEXTR: bits of the source, start and length in other.
pub struct Bextr;
/// BZHI: the source with bits from other on cleared.
pub struct Bzhi;
/// PDEP: deposits other's low bits where the source has ones.
pub struct Pdep;
/// PEXT: gathers other's bits where the source has ones.
pub struct Pext;
/// SARX.
pub struct Sarx;
/// SHLX.
pub struct Shlx;
/// SHRX.
pub struct Shrx;

impl Combination for Andn {
    fn apply<T: Int>(source: T, other: T, _: &Flags) -> (T, Flags) {
        sign_and_zero(T::from_u64(source.to_u64() & !other.to_u64()), false)
    }
}

impl Combination for Bextr {
    fn apply<T: Int>(source: T, other: T, _: &Flags) -> (T, Flags) {
        let (start, length) = (other.to_u64() as u8, (other.to_u64() >> 8) as u8);
        let moved = source.to_u64().checked_shr(start.into()).unwrap_or(0);
        let kept = if length < 64 {
            moved & ((1 << length) - 1)
        } else {
            moved
        };
        let zf = if kept == 0 { ZF } else { 0 };
        (T::from_u64(kept), Flags::explicit(zf))
    }
}

impl Combination for Bzhi {
    fn apply<T: Int>(source: T, other: T, _: &Flags) -> (T, Flags) {
        let n = u32::from(other.to_u64() as u8);
        let r = if n < T::BITS {
            source.to_u64() & ((1 << n) - 1)
        } else {
            source.to_u64()
        };
        sign_and_zero(T::from_u64(r), n >= T::BITS)
    }
}

impl Combination for Pdep {
    fn apply<T: Int>(source: T, other: T, flags: &Flags) -> (T, Flags) {
        let (mut mask, mut from, mut r) = (source.to_u64(), other.to_u64(), 0);
        while mask != 0 {
            let lowest = mask & mask.wrapping_neg();
            if from & 1 != 0 {
                r |= lowest;
            }
            from >>= 1;
            mask ^= lowest;
        }
        (T::from_u64(r), *flags)
    }
}

impl Combination for Pext {
    fn apply<T: Int>(source: T, other: T, flags: &Flags) -> (T, Flags) {
        let (mut mask, mut r, mut to) = (source.to_u64(), 0, 1u64);
        while mask != 0 {
            let lowest = mask & mask.wrapping_neg();
            if other.to_u64() & lowest != 0 {
                r |= to;
            }
            to = to.wrapping_shl(1);
            mask ^= lowest;
        }
        (T::from_u64(r), *flags)
    }
}

fn shift_count<T: Int>(other: T) -> u32 {
    other.to_u64() as u32 & (T::BITS - 1)
}

impl Combination for Sarx {
    fn apply<T: Int>(source: T, other: T, flags: &Flags) -> (T, Flags) {
        let r = source.to_i64() >> shift_count(other);
        (T::from_u64(r as u64), *flags)
    }
}

impl Combination for Shlx {
    fn apply<T: Int>(source: T, other: T, flags: &Flags) -> (T, Flags) {
        (T::from_u64(source.to_u64() << shift_count(other)), *flags)
    }
}

impl Combination for Shrx {
    fn apply<T: Int>(source: T, other: T, flags: &Flags) -> (T, Flags) {
        (T::from_u64(source.to_u64() >> shift_count(other)), *flags)
    }
}

/// RORX: register `a` := the source rotated right by the second slot's immediate.
pub struct Rorx<T, S>(As<(T, S)>);

impl<T: Int, S: Source<T>> Instruction for Rorx<T, S> {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let v = S::get(cpu, op)?.to_u64();
        let n = op.second() as u32 & (T::BITS - 1);
        let high = v.checked_shl(T::BITS - n).unwrap_or(0);
        cpu.regs.set(op.a, T::from_u64(v >> n | high));
        Ok(())
    }
}

/// MULX: register `a` and the register that the second slot names := high and low half of (E/R)DX times the source.
pub struct Mulx<T, S>(As<(T, S)>);

impl<T: Int, S: Source<T>> Instruction for Mulx<T, S> {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let (low, high, _) = crate::alu::muldiv::mul(S::get(cpu, op)?, cpu.regs.get::<T>(2));
        // If both are the same register it holds the high half.
        cpu.regs.set(op.second() as u8, low);
        cpu.regs.set(op.a, high);
        Ok(())
    }
}

/// ADCX (`FLAG` is CF) and ADOX (OF): register `a` += source and that flag, which alone changes.
pub struct AddWith<T, S, const FLAG: u64>(As<(T, S)>);

impl<T: Int, S: Source<T>, const FLAG: u64> Instruction for AddWith<T, S, FLAG> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let b = S::get(cpu, op)?;
        let carry = if FLAG == OF {
            cpu.flags.of()
        } else {
            cpu.flags.cf()
        };
        let a: T = cpu.regs.get(op.a);
        let sum = u128::from(a.to_u64()) + u128::from(b.to_u64()) + u128::from(carry);
        cpu.regs.set(op.a, T::from_u64(sum as u64));
        let flag = if sum >> T::BITS != 0 { FLAG } else { 0 };
        cpu.flags = cpu.flags.with(FLAG, flag);
        Ok(())
    }
}

fn swapped<T: Int>(v: T) -> T {
    T::from_u64(v.to_u64().swap_bytes() >> (64 - T::BITS))
}

/// MOVBE: a move with the bytes in reverse order.
pub struct Movbe<T, D, S>(As<(T, D, S)>);

impl<T: Int, D: Place<T>, S: Source<T>> Instruction for Movbe<T, D, S> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let v = S::get(cpu, op)?;
        D::set(cpu, op, swapped(v))
    }
}

/// CRC32: the source is added to the CRC-32C in register `a`; a 64-bit destination's upper half becomes 0.
pub struct Crc32<T, S>(As<(T, S)>);

/// The polynomial 11EDC6F41h, bits reversed (SDM vol. 2, "CRC32").
const CRC_32C: u32 = 0x82F6_3B78;

impl<T: Int, S: Source<T>> Instruction for Crc32<T, S> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let v = S::get(cpu, op)?.to_u64();
        let mut crc: u32 = cpu.regs.get(op.a);
        for byte in &v.to_le_bytes()[..T::BYTES] {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = crc >> 1 ^ if crc & 1 != 0 { CRC_32C } else { 0 };
            }
        }
        cpu.regs.set(op.a, crc);
        Ok(())
    }
}

/// RDPID: IA32_TSC_AUX to register `a`.
pub struct Rdpid;

impl Instruction for Rdpid {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        debug_assert_ne!(op.a, ZERO);
        cpu.regs.set(op.a, cpu.msr.tsc_aux);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits<T: Int>(pair: (T, Flags)) -> (u64, u64) {
        (pair.0.to_u64(), pair.1.bits())
    }

    #[test]
    fn counts_of_zeros_say_by_carry_that_there_was_no_bit() {
        let f = Flags::explicit(0);
        assert_eq!(bits(Lzcnt::apply(0u16, &f)), (16, CF));
        assert_eq!(bits(Lzcnt::apply(0x8000u16, &f)), (0, ZF));
        assert_eq!(bits(Tzcnt::apply(0u64, &f)), (64, CF));
        assert_eq!(bits(Tzcnt::apply(8u32, &f)), (3, 0));
        assert_eq!(bits(Popcnt::apply(0xF0F0u16, &f)), (8, 0));
        assert_eq!(bits(Popcnt::apply(0u32, &f)), (0, ZF));
    }

    #[test]
    fn deposit_and_extract_are_each_others_inverse() {
        let f = Flags::explicit(0);
        assert_eq!(bits(Pdep::apply(0xFF00_00F0u32, 0xABC, &f)).0, 0xAB00_00C0);
        assert_eq!(bits(Pext::apply(0xFF00_00F0u32, 0xAB00_00C0, &f)).0, 0xABC);
        assert_eq!(
            bits(Pext::apply(u64::MAX, 0x8000_0000_0000_0001, &f)).0,
            1 << 63 | 1
        );
    }

    #[test]
    fn bit_fields_end_at_the_operands_width() {
        let f = Flags::explicit(0);
        assert_eq!(bits(Bextr::apply(0x1234_5678u32, 0x0804, &f)).0, 0x67);
        assert_eq!(bits(Bextr::apply(u64::MAX, 0xFF40, &f)), (0, ZF));
        assert_eq!(bits(Bzhi::apply(0xFFu32, 32, &f)), (0xFF, CF));
        assert_eq!(bits(Bzhi::apply(0xFFu32, 4, &f)), (0xF, 0));
        assert_eq!(bits(Blsr::apply(0u32, &f)), (0, ZF | CF));
        assert_eq!(bits(Blsi::apply(12u32, &f)), (4, CF));
        assert_eq!(bits(Blsmsk::apply(4u32, &f)), (7, 0));
    }
}
