//! Vector instructions in few steps and without a call, for operands with which nothing out of the ordinary happens.
//!
//! A row of the table may name one; lowering then chooses its handler ([`shortcut`]), which hands over to that of the row
//! ([`Compute`] and its kin), with nothing committed, whenever it takes more: the instruction is refused, memory is not in
//! the TLB, a float is none of those that [`super::host`] takes. Only flat addresses, and no more than 128 bits.

use super::Ready;
use super::exec::{
    Compute, Count, Destination, Encoding, General, Legacy, Mem, Mem128, Needs, Source, Store,
    Store128, ToFlags, ToGeneral, ToVex, ToXmm, Vector, Vex,
};
use super::host;
use super::host::vector::Xmm;
use crate::alu::{Flags, Int};
use crate::context::Fast;
use crate::interpreter::Interpreter;
use crate::mem::access;
use crate::mem::address::{self, Address, Base, Flat, Indexed, Segmented};
use crate::op::{Handler, OpRef, Shortcut, longer, shortcut, twin};
use std::marker::PhantomData;

/// What an instruction does with two vectors.
pub trait Quick: 'static {
    /// Its results are rounded: to nearest, and that one is not exact changes nothing.
    const ROUNDS: bool = false;
    /// Where [`Self::apply`] gives up, [`Self::patiently`] need not.
    const PATIENT: bool = false;
    /// Its value for the first source, the second and the immediate byte; none if it takes more.
    #[inline(always)]
    fn apply(a: Xmm, b: Xmm, imm: u8) -> Option<Xmm> {
        Self::patiently(a.bits(), b.bits(), imm).map(Xmm::of)
    }
    /// The same in more steps, on any host.
    fn patiently(a: u128, b: u128, imm: u8) -> Option<u128>;
}

/// How memory is addressed: in 64-bit mode, and with an index register of which scale.
pub type Place = (bool, Option<u8>);

/// A handler for a place; `$address` is the way to address it.
macro_rules! at {
    ($place:expr, $address:ident => $handler:expr) => {
        at!(@ $place, $address => $handler;
            (true, None) Base<true>, (false, None) Base<false>, (_, Some(_)) Flat)
    };
    // For each scale its own.
    (any $place:expr, $address:ident => $handler:expr) => {
        at!(@ $place, $address => $handler;
            (true, None) Base<true>, (false, None) Base<false>,
            (true, Some(0)) Indexed<true, 0>, (true, Some(1)) Indexed<true, 1>,
            (true, Some(2)) Indexed<true, 2>, (true, Some(_)) Indexed<true, 3>,
            (false, Some(0)) Indexed<false, 0>, (false, Some(1)) Indexed<false, 1>,
            (false, Some(2)) Indexed<false, 2>, (false, Some(_)) Indexed<false, 3>)
    };
    (@ $place:expr, $name:ident => $handler:expr; $($form:tt $address:ty),*) => {
        match $place {
            $($form => {
                type $name = $address;
                $handler as Handler
            })*
        }
    };
}

/// Where the operands are that are not vector registers.
#[derive(Copy, Clone, PartialEq, Eq)]
pub enum Shape {
    /// Nowhere.
    Registers,
    /// The second source is in memory.
    Load(Place),
    /// The second source is the immediate: a shift count.
    Immediate,
    /// The second source is a general register; whether of 64 bits.
    General(bool),
    /// The destination is in memory.
    Store(Place),
    /// The destination is a general register; whether of 64 bits.
    ToGeneral(bool),
}

/// The handler for a shape, if there is one; whether the instruction is encoded with VEX.
pub type Quicks = fn(Shape, bool) -> Option<Handler>;

/// A second source that is found without a call.
pub trait QuickSource: 'static {
    /// How the whole instruction reads it.
    type Whole: Source;
    /// Reads it.
    fn fetch(cpu: &Interpreter, op: OpRef) -> Option<Xmm>;
}

impl QuickSource for Vector {
    type Whole = Self;
    #[inline(always)]
    fn fetch(cpu: &Interpreter, op: OpRef) -> Option<Xmm> {
        Some(cpu.simd.registers.xmm(op.plus(1).b))
    }
}
impl QuickSource for Count {
    type Whole = Self;
    #[inline(always)]
    fn fetch(_: &Interpreter, op: OpRef) -> Option<Xmm> {
        Some(Xmm::of_low(u64::from(op.second() as u8)))
    }
}
impl<T: Int> QuickSource for General<T> {
    type Whole = Self;
    #[inline(always)]
    fn fetch(cpu: &Interpreter, op: OpRef) -> Option<Xmm> {
        Some(Xmm::of_low(cpu.regs.get::<T>(op.plus(1).b).to_u64()))
    }
}
impl<T: Int, A: Address> QuickSource for Mem<T, A> {
    type Whole = Mem<T, Flat>;
    #[inline(always)]
    fn fetch(cpu: &Interpreter, op: OpRef) -> Option<Xmm> {
        let v = cpu.fast_load::<T, A>(address::segment(&op), A::offset(cpu, op))?;
        Some(Xmm::of_low(v.to_u64()))
    }
}
impl<A: Address, const ALIGNED: bool> QuickSource for Mem128<A, ALIGNED> {
    type Whole = Mem128<Flat, ALIGNED>;
    #[inline(always)]
    fn fetch(cpu: &Interpreter, op: OpRef) -> Option<Xmm> {
        let linear = A::offset(cpu, op);
        if ALIGNED && linear % 16 != 0 {
            return None;
        }
        let host = cpu.tlb.read_hit_of(linear, 16)?;
        Some(Xmm::load(&access::read_host_pair(host)))
    }
}

/// A destination that is written without a call.
pub trait QuickDestination: Destination {
    /// The first source.
    fn first(cpu: &Interpreter, op: OpRef) -> Xmm;
    /// Writes it.
    fn put(cpu: &mut Interpreter, op: OpRef, v: Xmm);
}

impl QuickDestination for ToXmm {
    #[inline(always)]
    fn first(cpu: &Interpreter, op: OpRef) -> Xmm {
        // The destination is the first source.
        cpu.simd.registers.xmm(op.a)
    }
    #[inline(always)]
    fn put(cpu: &mut Interpreter, op: OpRef, v: Xmm) {
        cpu.simd.registers.set_xmm(op.a, v);
    }
}
impl QuickDestination for ToVex<false> {
    #[inline(always)]
    fn first(cpu: &Interpreter, op: OpRef) -> Xmm {
        cpu.simd.registers.xmm(op.plus(1).a)
    }
    #[inline(always)]
    fn put(cpu: &mut Interpreter, op: OpRef, v: Xmm) {
        cpu.simd.registers.set_xmm_alone(op.a, v);
    }
}

/// What must be known for an instruction that asks for this.
const fn ready(needs: Needs, rounds: bool) -> Ready {
    match (needs.avx, rounds) {
        (false, false) => Ready::SSE,
        (true, false) => Ready::AVX,
        (false, true) => Ready::SSE_ROUNDS,
        (true, true) => Ready::AVX_ROUNDS,
    }
}

/// A vector from vectors.
struct Vectors<Q, D, S, const PATIENT: bool = false>(PhantomData<(Q, D, S)>);

impl<Q, D, S, const PATIENT: bool> Shortcut for Vectors<Q, D, S, PATIENT>
where
    Q: Quick,
    D: QuickDestination,
    S: QuickSource,
{
    type Whole = Compute<D, S::Whole>;
    const OTHERWISE: Handler = if Q::PATIENT && !PATIENT {
        longer::<Vectors<Q, D, S, true>>
    } else {
        twin::<Self::Whole>
    };
    #[inline(always)]
    fn take(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let cpu = &mut *fast.cpu;
        if !cpu.is_ready(const { ready(D::NEEDS, Q::ROUNDS) }) {
            return None;
        }
        let b = S::fetch(cpu, op)?;
        let a = D::first(cpu, op);
        let imm = op.second() as u8;
        let v = if PATIENT {
            Xmm::of(Q::patiently(a.bits(), b.bits(), imm)?)
        } else {
            Q::apply(a, b, imm)?
        };
        D::put(cpu, op, v);
        Some(())
    }
}

/// Of two registers.
fn registers<Q: Quick>(vex: bool) -> Handler {
    if vex {
        shortcut::<Vectors<Q, ToVex<false>, Vector>>
    } else {
        shortcut::<Vectors<Q, ToXmm, Vector>>
    }
}

/// Of whole registers: memory is aligned unless VEX encodes the instruction.
pub fn packed<Q: Quick>(shape: Shape, vex: bool) -> Option<Handler> {
    Some(match (shape, vex) {
        (Shape::Registers, _) => registers::<Q>(vex),
        (Shape::Load(place), false) => {
            at!(place, A => shortcut::<Vectors<Q, ToXmm, Mem128<A, true>>>)
        }
        (Shape::Load(place), true) => {
            at!(place, A => shortcut::<Vectors<Q, ToVex<false>, Mem128<A, false>>>)
        }
        _ => return None,
    })
}

/// Of lowest lanes of type `T`.
pub fn scalar<Q: Quick, T: Int>(shape: Shape, vex: bool) -> Option<Handler> {
    Some(match (shape, vex) {
        (Shape::Registers, _) => registers::<Q>(vex),
        (Shape::Load(place), false) => {
            at!(place, A => shortcut::<Vectors<Q, ToXmm, Mem<T, A>>>)
        }
        (Shape::Load(place), true) => {
            at!(place, A => shortcut::<Vectors<Q, ToVex<false>, Mem<T, A>>>)
        }
        _ => return None,
    })
}

/// The same, with a handler for each way to address memory.
pub fn scalar_anywhere<Q: Quick, T: Int>(shape: Shape, vex: bool) -> Option<Handler> {
    Some(match (shape, vex) {
        (Shape::Load(place), false) => {
            at!(any place, A => shortcut::<Vectors<Q, ToXmm, Mem<T, A>>>)
        }
        (Shape::Load(place), true) => {
            at!(any place, A => shortcut::<Vectors<Q, ToVex<false>, Mem<T, A>>>)
        }
        (Shape::Registers, _) => registers::<Q>(vex),
        _ => return None,
    })
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
        (Shape::Load(_), _) => return scalar::<Q, T>(shape, vex),
        _ => return None,
    })
}

/// The second source as it is.
pub struct Copy;
/// Its low quadword, the upper one 0.
pub struct CopyLow;

impl Quick for Copy {
    #[inline(always)]
    fn apply(_: Xmm, b: Xmm, _: u8) -> Option<Xmm> {
        Some(b)
    }
    #[inline(always)]
    fn patiently(_: u128, b: u128, _: u8) -> Option<u128> {
        Some(b)
    }
}
impl Quick for CopyLow {
    #[inline(always)]
    fn apply(_: Xmm, b: Xmm, _: u8) -> Option<Xmm> {
        Some(Xmm::of_low(b.low()))
    }
    #[inline(always)]
    fn patiently(_: u128, b: u128, _: u8) -> Option<u128> {
        Some(u128::from(b as u64))
    }
}

/// Whole registers to and from memory.
pub fn moves<const ALIGNED: bool>(shape: Shape, vex: bool) -> Option<Handler> {
    Some(match (shape, vex) {
        (Shape::Registers, _) => registers::<Copy>(vex),
        (Shape::Load(place), false) => {
            at!(any place, A => shortcut::<Vectors<Copy, ToXmm, Mem128<A, ALIGNED>>>)
        }
        (Shape::Load(place), true) => {
            at!(any place, A => shortcut::<Vectors<Copy, ToVex<false>, Mem128<A, ALIGNED>>>)
        }
        (Shape::Store(place), false) => {
            at!(any place, A => shortcut::<StoreWhole<A, Legacy, ALIGNED>>)
        }
        (Shape::Store(place), true) => {
            at!(any place, A => shortcut::<StoreWhole<A, Vex, ALIGNED>>)
        }
        _ => return None,
    })
}

/// MOVD and MOVQ: a doubleword or a quadword to and from general registers and memory, and MOVQ between registers.
pub fn moves_of_part<Q: Quick, T: Int>(shape: Shape, vex: bool) -> Option<Handler> {
    Some(match (shape, vex) {
        (Shape::Registers | Shape::Load(_), _) => return scalar_anywhere::<Q, T>(shape, vex),
        (Shape::Store(_), _) => return store_low::<T>(shape, vex),
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
        (Shape::Store(place), false) => {
            Some(at!(any place, A => shortcut::<StorePart<T, false, A, Legacy>>))
        }
        (Shape::Store(place), true) => {
            Some(at!(any place, A => shortcut::<StorePart<T, false, A, Vex>>))
        }
        _ => None,
    }
}

/// The upper quadword stored.
pub fn store_high(shape: Shape, vex: bool) -> Option<Handler> {
    match (shape, vex) {
        (Shape::Store(place), false) => {
            Some(at!(place, A => shortcut::<StorePart<u64, true, A, Legacy>>))
        }
        (Shape::Store(place), true) => {
            Some(at!(place, A => shortcut::<StorePart<u64, true, A, Vex>>))
        }
        _ => None,
    }
}

/// A part of a register stored.
struct StorePart<T, const HIGH: bool, A, N>(PhantomData<(T, A, N)>);

impl<T: Int, const HIGH: bool, A: Address, N: Encoding> Shortcut for StorePart<T, HIGH, A, N> {
    type Whole = Store<T, Segmented, Vector, N>;
    #[inline(always)]
    fn take(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let cpu = &*fast.cpu;
        if !cpu.is_ready(const { ready(N::NEEDS, false) }) {
            return None;
        }
        let offset = A::offset(cpu, op);
        let host = cpu.fast_place::<T, A, false>(address::segment(&op), offset)?;
        let register = op.plus(1).b;
        let v = if HIGH {
            cpu.simd.registers.xmm(register).high()
        } else {
            cpu.simd.registers.low(register)
        };
        access::write_host(host, T::from_u64(v));
        Some(())
    }
}

/// A whole register stored.
struct StoreWhole<A, N, const ALIGNED: bool>(PhantomData<(A, N)>);

impl<A: Address, N: Encoding, const ALIGNED: bool> Shortcut for StoreWhole<A, N, ALIGNED> {
    type Whole = Store128<Segmented, N, ALIGNED>;
    #[inline(always)]
    fn take(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let cpu = &*fast.cpu;
        if !cpu.is_ready(const { ready(N::NEEDS, false) }) {
            return None;
        }
        let linear = A::offset(cpu, op);
        if ALIGNED && linear % 16 != 0 {
            return None;
        }
        let host = cpu.tlb.write_hit_of(linear, 16)?;
        let mut quadwords = [0; 2];
        cpu.simd.registers.xmm(op.plus(1).b).store(&mut quadwords);
        access::write_host_pair(host, quadwords);
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
        if !cpu.is_ready(const { ready(N::NEEDS, false) }) {
            return None;
        }
        let v = cpu.simd.registers.low(op.plus(1).b);
        cpu.regs.set::<T>(op.a, T::from_u64(v));
        Some(())
    }
}

/// The signs of a vector's lanes.
pub trait Signs: 'static {
    /// They.
    fn of(v: Xmm) -> u64;
}
/// Of bytes.
pub struct Bytes;
/// Of doublewords.
pub struct Doublewords;
/// Of quadwords.
pub struct Quadwords;

impl Signs for Bytes {
    #[inline(always)]
    fn of(v: Xmm) -> u64 {
        v.byte_signs()
    }
}
impl Signs for Doublewords {
    #[inline(always)]
    fn of(v: Xmm) -> u64 {
        v.single_signs()
    }
}
impl Signs for Quadwords {
    #[inline(always)]
    fn of(v: Xmm) -> u64 {
        v.double_signs()
    }
}

/// Signs in a general register.
struct SignsToGeneral<G, T, N>(PhantomData<(G, T, N)>);

impl<G: Signs, T: Int, N: Encoding> Shortcut for SignsToGeneral<G, T, N> {
    type Whole = ToGeneral<T, Vector, N>;
    #[inline(always)]
    fn take(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let cpu = &mut *fast.cpu;
        if !cpu.is_ready(const { ready(N::NEEDS, false) }) {
            return None;
        }
        let v = G::of(cpu.simd.registers.xmm(op.plus(1).b));
        cpu.regs.set::<T>(op.a, T::from_u64(v));
        Some(())
    }
}

/// PMOVMSKB, MOVMSKPS and MOVMSKPD.
pub fn signs<G: Signs>(shape: Shape, vex: bool) -> Option<Handler> {
    Some(match (shape, vex) {
        (Shape::ToGeneral(false), false) => shortcut::<SignsToGeneral<G, u32, Legacy>>,
        (Shape::ToGeneral(true), false) => shortcut::<SignsToGeneral<G, u64, Legacy>>,
        (Shape::ToGeneral(false), true) => shortcut::<SignsToGeneral<G, u32, Vex>>,
        (Shape::ToGeneral(true), true) => shortcut::<SignsToGeneral<G, u64, Vex>>,
        _ => return None,
    })
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
    type Whole = ToGeneral<T, S::Whole, N>;
    #[inline(always)]
    fn take(fast: &mut Fast<'_>, op: OpRef) -> Option<()> {
        let cpu = &mut *fast.cpu;
        if !cpu.is_ready(const { ready(N::NEEDS, true) }) {
            return None;
        }
        let v = host::truncated::<F>(S::fetch(cpu, op)?, T::BITS == 64)?;
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
        if !cpu.is_ready(const { ready(N::NEEDS, false) }) {
            return None;
        }
        let b = S::fetch(cpu, op)?;
        let bits = host::flags_of::<F>(cpu.simd.registers.xmm(op.a), b)?;
        fast.flags = Flags::explicit(bits);
        Some(())
    }
}

/// COMISx and UCOMISx, with memory of type `T`.
pub fn comparisons<F: host::Float, T: Int>(shape: Shape, vex: bool) -> Option<Handler> {
    Some(match (shape, vex) {
        (Shape::Registers, false) => shortcut::<Comparison<F, Vector, Vector, Legacy>>,
        (Shape::Registers, true) => shortcut::<Comparison<F, Vector, Vector, Vex>>,
        (Shape::Load(place), false) => {
            at!(place, A => shortcut::<Comparison<F, Mem<T, A>, Mem<T, Segmented>, Legacy>>)
        }
        (Shape::Load(place), true) => {
            at!(place, A => shortcut::<Comparison<F, Mem<T, A>, Mem<T, Segmented>, Vex>>)
        }
        _ => return None,
    })
}
