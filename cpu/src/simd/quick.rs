//! Vector instructions in few steps and without a call, for operands with which nothing out of the ordinary happens.
//!
//! A row of the table may name one; lowering then chooses its handler ([`shortcut`]), which hands over to that of the row
//! ([`Compute`] and its kin), with nothing committed, whenever it takes more: the instruction is refused, memory is not in
//! the TLB, a float is none of those that [`super::host`] takes. Only flat addresses, and no more than 128 bits.

use super::control::{XCR0_AVX, XCR0_SSE};
use super::exec::{
    Compute, Count, Destination, Encoding, General, Legacy, Mem, Mem128, Needs, Source, Store,
    Store128, ToFlags, ToGeneral, ToVex, ToXmm, Vector, Vex, joined,
};
use super::host;
use crate::alu::Int;
use crate::alu::flags::ARITHMETIC;
use crate::context::Fast;
use crate::interpreter::Interpreter;
use crate::mem::access;
use crate::mem::address::{self, Address, Flat, Segmented};
use crate::op::{Handler, OpRef, Shortcut, shortcut};
use emu_core::x86::{Cr0, Cr4};
use std::marker::PhantomData;

/// What an instruction does with two vectors.
pub trait Quick: 'static {
    /// Its value for the first source, the second and the immediate byte; none if it takes more.
    fn apply(a: u128, b: u128, imm: u8, mxcsr: u32) -> Option<u128>;
}

/// Where the operands are that are not vector registers.
#[derive(Copy, Clone, PartialEq, Eq)]
pub enum Shape {
    /// Nowhere.
    Registers,
    /// The second source is in memory.
    Load,
    /// The second source is the immediate: a shift count.
    Immediate,
    /// The second source is a general register; whether of 64 bits.
    General(bool),
    /// The destination is in memory.
    Store,
    /// The destination is a general register; whether of 64 bits.
    ToGeneral(bool),
}

/// The handler for a shape, if there is one; whether the instruction is encoded with VEX.
pub type Quicks = fn(Shape, bool) -> Option<Handler>;

/// A second source that is found without a call.
pub trait QuickSource: Source {
    /// Reads it.
    fn fetch(cpu: &Interpreter, op: OpRef) -> Option<u128>;
}

impl QuickSource for Vector {
    #[inline(always)]
    fn fetch(cpu: &Interpreter, op: OpRef) -> Option<u128> {
        Some(cpu.simd.get(op.plus(1).b)[0])
    }
}
impl QuickSource for Count {
    #[inline(always)]
    fn fetch(_: &Interpreter, op: OpRef) -> Option<u128> {
        Some(u128::from(op.second() as u8))
    }
}
impl<T: Int> QuickSource for General<T> {
    #[inline(always)]
    fn fetch(cpu: &Interpreter, op: OpRef) -> Option<u128> {
        Some(cpu.regs.get::<T>(op.plus(1).b).to_u64().into())
    }
}
impl<T: Int> QuickSource for Mem<T, Flat> {
    #[inline(always)]
    fn fetch(cpu: &Interpreter, op: OpRef) -> Option<u128> {
        load::<T>(cpu, op)
    }
}
impl<const ALIGNED: bool> QuickSource for Mem128<Flat, ALIGNED> {
    #[inline(always)]
    fn fetch(cpu: &Interpreter, op: OpRef) -> Option<u128> {
        let linear = Flat::offset(cpu, op);
        if ALIGNED && linear % 16 != 0 {
            return None;
        }
        let host = cpu.tlb.read_hit_of(linear, 16)?;
        Some(joined(
            access::read_host(host),
            access::read_host(host.wrapping_add(8)),
        ))
    }
}

#[inline(always)]
fn load<T: Int>(cpu: &Interpreter, op: OpRef) -> Option<u128> {
    let v = cpu.fast_load::<T, Flat>(address::segment(&op), Flat::offset(cpu, op))?;
    Some(v.to_u64().into())
}

/// Whether instructions that ask for this are enabled, as `Interpreter::may` has it.
#[inline(always)]
fn enabled(cpu: &Interpreter, needs: Needs) -> bool {
    const BOTH: u64 = XCR0_SSE | XCR0_AVX;
    if needs.avx {
        cpu.cr4.contains(Cr4::OSXSAVE) && cpu.simd.xcr0 & BOTH == BOTH && !cpu.cr0.contains(Cr0::TS)
    } else {
        cpu.cr4.contains(Cr4::OSFXSR) && !cpu.cr0.intersects(Cr0::EM | Cr0::TS)
    }
}

/// A vector from vectors.
struct Vectors<Q, D, S>(PhantomData<(Q, D, S)>);

impl<Q: Quick, D: Destination, S: QuickSource> Shortcut for Vectors<Q, D, S> {
    type Whole = Compute<D, S>;
    #[inline(always)]
    fn take(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let cpu = &mut *fast.cpu;
        if !enabled(cpu, D::NEEDS) {
            return None;
        }
        let b = S::fetch(cpu, op)?;
        let second = op.plus(1);
        let a = D::get(cpu, second.a)[0];
        let v = Q::apply(a, b, second.imm as u8, cpu.simd.mxcsr)?;
        D::set(cpu, op.a, [v, 0]);
        Some(())
    }
}

/// Of two vectors, the second in memory as `L`, with VEX as `V`.
pub fn vectors<Q: Quick, L: QuickSource, V: QuickSource>(
    shape: Shape,
    vex: bool,
) -> Option<Handler> {
    Some(match (shape, vex) {
        (Shape::Registers, false) => shortcut::<Vectors<Q, ToXmm, Vector>>,
        (Shape::Registers, true) => shortcut::<Vectors<Q, ToVex<false>, Vector>>,
        (Shape::Load, false) => shortcut::<Vectors<Q, ToXmm, L>>,
        (Shape::Load, true) => shortcut::<Vectors<Q, ToVex<false>, V>>,
        _ => return None,
    })
}

/// Of whole registers: memory is aligned unless VEX encodes the instruction.
pub fn packed<Q: Quick>(shape: Shape, vex: bool) -> Option<Handler> {
    vectors::<Q, Mem128<Flat, true>, Mem128<Flat, false>>(shape, vex)
}

/// Of lowest lanes of type `T`.
pub fn scalar<Q: Quick, T: Int>(shape: Shape, vex: bool) -> Option<Handler> {
    vectors::<Q, Mem<T, Flat>, Mem<T, Flat>>(shape, vex)
}

/// Shifts, by a register or by the immediate.
pub fn shifts<Q: Quick>(shape: Shape, vex: bool) -> Option<Handler> {
    match (shape, vex) {
        (Shape::Immediate, false) => Some(shortcut::<Vectors<Q, ToXmm, Count>>),
        (Shape::Immediate, true) => Some(shortcut::<Vectors<Q, ToVex<false>, Count>>),
        _ => packed::<Q>(shape, vex),
    }
}

/// From a general register or memory of type `T`.
pub fn from_general<Q: Quick, T: Int>(shape: Shape, vex: bool) -> Option<Handler> {
    Some(match (shape, vex) {
        (Shape::General(wide), false) if wide == (T::BITS == 64) => {
            shortcut::<Vectors<Q, ToXmm, General<T>>>
        }
        (Shape::General(wide), true) if wide == (T::BITS == 64) => {
            shortcut::<Vectors<Q, ToVex<false>, General<T>>>
        }
        (Shape::Load, false) => shortcut::<Vectors<Q, ToXmm, Mem<T, Flat>>>,
        (Shape::Load, true) => shortcut::<Vectors<Q, ToVex<false>, Mem<T, Flat>>>,
        _ => return None,
    })
}

/// The second source as it is.
pub struct Copy;
/// Its low quadword, the upper one 0.
pub struct CopyLow;

impl Quick for Copy {
    #[inline(always)]
    fn apply(_: u128, b: u128, _: u8, _: u32) -> Option<u128> {
        Some(b)
    }
}
impl Quick for CopyLow {
    #[inline(always)]
    fn apply(_: u128, b: u128, _: u8, _: u32) -> Option<u128> {
        Some(u128::from(b as u64))
    }
}

/// Whole registers to and from memory.
pub fn moves<const ALIGNED: bool>(shape: Shape, vex: bool) -> Option<Handler> {
    match (shape, vex) {
        (Shape::Store, false) => Some(shortcut::<StoreWhole<Legacy, ALIGNED>>),
        (Shape::Store, true) => Some(shortcut::<StoreWhole<Vex, ALIGNED>>),
        _ => vectors::<Copy, Mem128<Flat, ALIGNED>, Mem128<Flat, ALIGNED>>(shape, vex),
    }
}

/// MOVD and MOVQ: a doubleword or a quadword to and from general registers and memory, and MOVQ between registers.
pub fn moves_of_part<Q: Quick, T: Int>(shape: Shape, vex: bool) -> Option<Handler> {
    Some(match (shape, vex) {
        (Shape::Registers, false) => shortcut::<Vectors<Q, ToXmm, Vector>>,
        (Shape::Registers, true) => shortcut::<Vectors<Q, ToVex<false>, Vector>>,
        (Shape::Store, _) => return store_low::<T>(shape, vex),
        (Shape::ToGeneral(wide), false) if wide == (T::BITS == 64) => {
            shortcut::<LowToGeneral<T, Legacy>>
        }
        (Shape::ToGeneral(wide), true) if wide == (T::BITS == 64) => {
            shortcut::<LowToGeneral<T, Vex>>
        }
        _ => return from_general::<Q, T>(shape, vex),
    })
}

/// The lowest `T` stored.
pub fn store_low<T: Int>(shape: Shape, vex: bool) -> Option<Handler> {
    match (shape, vex) {
        (Shape::Store, false) => Some(shortcut::<StorePart<T, false, Legacy>>),
        (Shape::Store, true) => Some(shortcut::<StorePart<T, false, Vex>>),
        _ => None,
    }
}

/// The upper quadword stored.
pub fn store_high(shape: Shape, vex: bool) -> Option<Handler> {
    match (shape, vex) {
        (Shape::Store, false) => Some(shortcut::<StorePart<u64, true, Legacy>>),
        (Shape::Store, true) => Some(shortcut::<StorePart<u64, true, Vex>>),
        _ => None,
    }
}

/// A part of a register stored.
struct StorePart<T, const HIGH: bool, N>(PhantomData<(T, N)>);

impl<T: Int, const HIGH: bool, N: Encoding> Shortcut for StorePart<T, HIGH, N> {
    type Whole = Store<T, Segmented, Vector, N>;
    #[inline(always)]
    fn take(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let cpu = &*fast.cpu;
        if !enabled(cpu, N::NEEDS) {
            return None;
        }
        let v = cpu.simd.get(op.plus(1).b)[0] >> if HIGH { 64 } else { 0 };
        let offset = Flat::offset(cpu, op);
        let host = cpu.fast_place::<T, Flat, false>(address::segment(&op), offset)?;
        access::write_host(host, T::from_u64(v as u64));
        Some(())
    }
}

/// A whole register stored.
struct StoreWhole<N, const ALIGNED: bool>(PhantomData<N>);

impl<N: Encoding, const ALIGNED: bool> Shortcut for StoreWhole<N, ALIGNED> {
    type Whole = Store128<Segmented, N, ALIGNED>;
    #[inline(always)]
    fn take(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let cpu = &*fast.cpu;
        let linear = Flat::offset(cpu, op);
        if !enabled(cpu, N::NEEDS) || ALIGNED && linear % 16 != 0 {
            return None;
        }
        let host = cpu.tlb.write_hit_of(linear, 16)?;
        let v = cpu.simd.get(op.plus(1).b)[0];
        access::write_host(host, v as u64);
        access::write_host(host.wrapping_add(8), (v >> 64) as u64);
        Some(())
    }
}

/// The lowest lane in a general register.
struct LowToGeneral<T, N>(PhantomData<(T, N)>);

impl<T: Int, N: Encoding> Shortcut for LowToGeneral<T, N> {
    type Whole = ToGeneral<T, Vector, N>;
    #[inline(always)]
    fn take(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let cpu = &mut *fast.cpu;
        if !enabled(cpu, N::NEEDS) {
            return None;
        }
        let v = cpu.simd.get(op.plus(1).b)[0] as u64;
        cpu.regs.set::<T>(op.a, T::from_u64(v));
        Some(())
    }
}

/// An integer from a float.
struct FloatToGeneral<F, T, S, N>(PhantomData<(F, T, S, N)>);

impl<F, T, S, N> Shortcut for FloatToGeneral<F, T, S, N>
where
    F: host::Float + Into<f64>,
    T: Int,
    S: QuickSource,
    N: Encoding,
{
    type Whole = ToGeneral<T, S, N>;
    #[inline(always)]
    fn take(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let cpu = &mut *fast.cpu;
        if !enabled(cpu, N::NEEDS) {
            return None;
        }
        let b = S::fetch(cpu, op)?;
        let v = host::truncated::<F>(b, T::BITS == 64, cpu.simd.mxcsr)?;
        cpu.regs.set::<T>(op.a, T::from_u64(v));
        Some(())
    }
}

/// CVTTSD2SI and CVTTSS2SI from a register.
pub fn to_general<F: host::Float + Into<f64>>(shape: Shape, vex: bool) -> Option<Handler> {
    Some(match (shape, vex) {
        (Shape::ToGeneral(false), false) => shortcut::<FloatToGeneral<F, u32, Vector, Legacy>>,
        (Shape::ToGeneral(true), false) => shortcut::<FloatToGeneral<F, u64, Vector, Legacy>>,
        (Shape::ToGeneral(false), true) => shortcut::<FloatToGeneral<F, u32, Vector, Vex>>,
        (Shape::ToGeneral(true), true) => shortcut::<FloatToGeneral<F, u64, Vector, Vex>>,
        _ => return None,
    })
}

/// Flags from two floats. `W` is the source as the whole instruction reads it.
struct Comparison<F, S, W, N>(PhantomData<(F, S, W, N)>);

impl<F: host::Float, S: QuickSource, W: Source, N: Encoding> Shortcut for Comparison<F, S, W, N> {
    type Whole = ToFlags<W, N>;
    #[inline(always)]
    fn take(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let cpu = &*fast.cpu;
        if !enabled(cpu, N::NEEDS) {
            return None;
        }
        let b = S::fetch(cpu, op)?;
        let bits = host::flags_of::<F>(cpu.simd.get(op.a)[0], b)?;
        fast.flags = fast.flags.with(ARITHMETIC, bits);
        Some(())
    }
}

/// COMISx and UCOMISx, with memory of type `T`.
pub fn comparisons<F: host::Float, T: Int>(shape: Shape, vex: bool) -> Option<Handler> {
    Some(match (shape, vex) {
        (Shape::Registers, false) => shortcut::<Comparison<F, Vector, Vector, Legacy>>,
        (Shape::Registers, true) => shortcut::<Comparison<F, Vector, Vector, Vex>>,
        (Shape::Load, false) => shortcut::<Comparison<F, Mem<T, Flat>, Mem<T, Segmented>, Legacy>>,
        (Shape::Load, true) => shortcut::<Comparison<F, Mem<T, Flat>, Mem<T, Segmented>, Vex>>,
        _ => return None,
    })
}
