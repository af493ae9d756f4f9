//! What the 8086 and the 80286 do differently. Lowering picks these handlers by model, so no other handler asks which
//! processor it runs on.
//!
//! Sources: Intel, "The 8086 Family User's Manual" (1979); Intel, "iAPX 286 Programmer's Reference Manual" (1985); for
//! what both leave undefined, captures of an 8086 and an 80286 (SingleStepTests).
//!
//! **Known inaccuracies**: a string instruction of the 8086 that is interrupted between repetitions goes on with all of
//! its prefixes, where the chip goes on with the last one only; how far CX counts when a repeated store of the 80286
//! faults in its last repetition is not known from captures (it stops at 0 here), nor what ENTER leaves of SP and BP when
//! one of its later accesses faults (nothing here, but what it pushed stays in memory).

use super::operand::{As, Imm, Place, Source};
use super::shift::Shift;
use crate::alu::legacy::{i8086, i80286};
use crate::alu::{Flags, Int};
use crate::context::Context;
use crate::event::interrupt::Origin;
use crate::fault::Fault;
use crate::interpreter::{Interpreter, Leaving};
use crate::mem::address::Segmented;
use crate::op::{Instruction, OpRef, Stop};
use crate::registers::HIGH_BYTE;
use emu_core::x86::{Cr0, Exception, Gpr, Rflags, Seg, Selector};

const RCX: u8 = 1;
const RSI: u8 = 6;
const RDI: u8 = 7;
const ES: usize = Seg::Es as usize;
const SS: usize = Seg::Ss as usize;

/// The arithmetic of one processor.
pub trait Arithmetic: 'static {
    /// MUL: low half, high half, flags.
    fn mul<T: Int>(a: T, b: T) -> (T, T, Flags);
    /// IMUL.
    fn imul<T: Int>(a: T, b: T) -> (T, T, Flags);
    /// DIV: quotient, remainder, flags; or the flags of a divide error.
    fn div<T: Int>(low: T, high: T, divisor: T) -> i8086::Division<T>;
    /// IDIV.
    fn idiv<T: Int>(low: T, high: T, divisor: T) -> i8086::Division<T>;
    /// DAA.
    fn daa(al: u8, flags: &Flags) -> (u8, Flags);
    /// DAS.
    fn das(al: u8, flags: &Flags) -> (u8, Flags);
    /// AAA.
    fn aaa(ax: u16, flags: &Flags) -> (u16, Flags);
    /// AAS.
    fn aas(ax: u16, flags: &Flags) -> (u16, Flags);
    /// AAM, or the flags of its divide error.
    fn aam(al: u8, base: u8) -> Result<(u16, Flags), Flags>;
    /// AAD.
    fn aad(ax: u16, base: u8) -> (u16, Flags);
    /// Takes a divide error.
    fn divide_error(cpu: &mut Interpreter, op: OpRef) -> Stop;
}

/// The 8086.
pub struct I8086;
/// The 8086 with a repeat prefix before IMUL or IDIV.
pub struct I8086Negated;
/// The 80286.
pub struct I80286;

macro_rules! arithmetic_8086 {
    ($t:ty, $negate:literal) => {
        impl Arithmetic for $t {
            fn mul<T: Int>(a: T, b: T) -> (T, T, Flags) {
                i8086::mul(a, b)
            }
            fn imul<T: Int>(a: T, b: T) -> (T, T, Flags) {
                i8086::imul(a, b, $negate)
            }
            fn div<T: Int>(low: T, high: T, divisor: T) -> i8086::Division<T> {
                i8086::div(low, high, divisor)
            }
            fn idiv<T: Int>(low: T, high: T, divisor: T) -> i8086::Division<T> {
                i8086::idiv(low, high, divisor, $negate)
            }
            fn daa(al: u8, flags: &Flags) -> (u8, Flags) {
                i8086::daa(al, flags)
            }
            fn das(al: u8, flags: &Flags) -> (u8, Flags) {
                i8086::das(al, flags)
            }
            fn aaa(ax: u16, flags: &Flags) -> (u16, Flags) {
                i8086::aaa(ax, flags)
            }
            fn aas(ax: u16, flags: &Flags) -> (u16, Flags) {
                i8086::aas(ax, flags)
            }
            fn aam(al: u8, base: u8) -> Result<(u16, Flags), Flags> {
                i8086::aam(al, base).ok_or_else(i8086::aam_by_zero)
            }
            fn aad(ax: u16, base: u8) -> (u16, Flags) {
                i8086::aad(ax, base)
            }
            // An interrupt like INT 0: the address behind the instruction is pushed (8086 Family User's Manual,
            // section 2.6, "Internal interrupts").
            fn divide_error(cpu: &mut Interpreter, op: OpRef) -> Stop {
                cpu.trap(op, Exception::Divide)
            }
        }
    };
}

arithmetic_8086!(I8086, false);
arithmetic_8086!(I8086Negated, true);

impl Interpreter {
    /// Takes an exception as INT does: the address behind the instruction is pushed.
    fn trap(&mut self, op: OpRef, exception: Exception) -> Stop {
        let next = self.next_rip(op);
        let delivered = self.software_interrupt(exception.vector(), Origin::Exception, next);
        delivered.err().unwrap_or(Stop::Branch)
    }
}

impl Arithmetic for I80286 {
    fn mul<T: Int>(a: T, b: T) -> (T, T, Flags) {
        i80286::mul(a, b)
    }
    fn imul<T: Int>(a: T, b: T) -> (T, T, Flags) {
        i80286::imul(a, b)
    }
    fn div<T: Int>(low: T, high: T, divisor: T) -> i8086::Division<T> {
        i80286::div(low, high, divisor)
    }
    fn idiv<T: Int>(low: T, high: T, divisor: T) -> i8086::Division<T> {
        i80286::idiv(low, high, divisor)
    }
    fn daa(al: u8, flags: &Flags) -> (u8, Flags) {
        i80286::daa(al, flags)
    }
    fn das(al: u8, flags: &Flags) -> (u8, Flags) {
        i80286::das(al, flags)
    }
    fn aaa(ax: u16, flags: &Flags) -> (u16, Flags) {
        i80286::aaa(ax, flags)
    }
    fn aas(ax: u16, flags: &Flags) -> (u16, Flags) {
        i80286::aas(ax, flags)
    }
    fn aam(al: u8, base: u8) -> Result<(u16, Flags), Flags> {
        i80286::aam(al, base).ok_or_else(|| i80286::aam_by_zero(al))
    }
    fn aad(ax: u16, base: u8) -> (u16, Flags) {
        i80286::aad(ax, base)
    }
    fn divide_error(cpu: &mut Interpreter, _: OpRef) -> Stop {
        cpu.fault(Fault::DE)
    }
}

/// The register that holds the high half of a product or dividend: AH or DX.
const fn high<T: Int>() -> u8 {
    if T::BITS == 8 { HIGH_BYTE } else { 2 }
}

fn set_pair<T: Int>(cpu: &mut Interpreter, (l, h, flags): (T, T, Flags)) {
    cpu.regs.set(0, l);
    cpu.regs.set(high::<T>(), h);
    cpu.flags = flags;
}

/// MUL by processor `P`.
pub struct Mul<P, T, S>(As<(P, T, S)>);
/// IMUL with one operand.
pub struct Imul<P, T, S>(As<(P, T, S)>);
/// IMUL by an immediate, into register `a`.
pub struct ImulTo<P, T, X, Y>(As<(P, T, X, Y)>);
/// DIV.
pub struct Div<P, T, S>(As<(P, T, S)>);
/// IDIV.
pub struct Idiv<P, T, S>(As<(P, T, S)>);

impl<P: Arithmetic, T: Int, S: Source<T>> Instruction for Mul<P, T, S> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let b = S::get(cpu, op)?;
        let product = P::mul(cpu.regs.get::<T>(0), b);
        set_pair(cpu, product);
        Ok(())
    }
}

impl<P: Arithmetic, T: Int, S: Source<T>> Instruction for Imul<P, T, S> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let b = S::get(cpu, op)?;
        let product = P::imul(cpu.regs.get::<T>(0), b);
        set_pair(cpu, product);
        Ok(())
    }
}

impl<P: Arithmetic, T: Int, X: Source<T>, Y: Source<T>> Instruction for ImulTo<P, T, X, Y> {
    const SLOTS: usize = Y::SLOTS;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let x = X::get(cpu, op)?;
        let y = Y::get(cpu, op)?;
        let (l, _, flags) = P::imul(x, y);
        cpu.regs.set(op.a, l);
        cpu.flags = flags;
        Ok(())
    }
}

fn set_quotient<P: Arithmetic, T: Int>(
    cpu: &mut Interpreter,
    op: OpRef,
    division: i8086::Division<T>,
) -> Result<(), Stop> {
    match division {
        Ok(quotient) => {
            set_pair(cpu, quotient);
            Ok(())
        }
        Err(flags) => {
            cpu.flags = flags;
            Err(P::divide_error(cpu, op))
        }
    }
}

impl<P: Arithmetic, T: Int, S: Source<T>> Instruction for Div<P, T, S> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let d = S::get(cpu, op)?;
        let division = P::div(cpu.regs.get::<T>(0), cpu.regs.get(high::<T>()), d);
        set_quotient::<P, T>(cpu, op, division)
    }
}

impl<P: Arithmetic, T: Int, S: Source<T>> Instruction for Idiv<P, T, S> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let d = S::get(cpu, op)?;
        let division = P::idiv(cpu.regs.get::<T>(0), cpu.regs.get(high::<T>()), d);
        set_quotient::<P, T>(cpu, op, division)
    }
}

/// DAA.
pub struct Daa<P>(As<P>);
/// DAS.
pub struct Das<P>(As<P>);
/// AAA.
pub struct Aaa<P>(As<P>);
/// AAS.
pub struct Aas<P>(As<P>);
/// AAM.
pub struct Aam<P>(As<P>);
/// AAD.
pub struct Aad<P>(As<P>);

impl<P: Arithmetic> Instruction for Daa<P> {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let (al, flags) = P::daa(cpu.regs.get(0), &cpu.flags);
        cpu.regs.set(0, al);
        cpu.flags = flags;
        Ok(())
    }
}

impl<P: Arithmetic> Instruction for Das<P> {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let (al, flags) = P::das(cpu.regs.get(0), &cpu.flags);
        cpu.regs.set(0, al);
        cpu.flags = flags;
        Ok(())
    }
}

impl<P: Arithmetic> Instruction for Aaa<P> {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let (ax, flags) = P::aaa(cpu.regs.get(0), &cpu.flags);
        cpu.regs.set(0, ax);
        cpu.flags = flags;
        Ok(())
    }
}

impl<P: Arithmetic> Instruction for Aas<P> {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let (ax, flags) = P::aas(cpu.regs.get(0), &cpu.flags);
        cpu.regs.set(0, ax);
        cpu.flags = flags;
        Ok(())
    }
}

impl<P: Arithmetic> Instruction for Aam<P> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let base = Imm::get(cpu, op)?;
        match P::aam(cpu.regs.get(0), base) {
            Ok((ax, flags)) => {
                cpu.regs.set(0, ax);
                cpu.flags = flags;
                Ok(())
            }
            Err(flags) => {
                cpu.flags = flags;
                Err(P::divide_error(cpu, op))
            }
        }
    }
}

impl<P: Arithmetic> Instruction for Aad<P> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let base = Imm::get(cpu, op)?;
        let (ax, flags) = P::aad(cpu.regs.get(0), base);
        cpu.regs.set(0, ax);
        cpu.flags = flags;
        Ok(())
    }
}

/// SHL, with AF from its last step.
pub struct Shl;
/// SHR on the 8086, by any count.
pub struct Shr8086;
/// SAR on the 8086, by any count.
pub struct Sar8086;
/// SETMO, SETMOC: all ones.
pub struct SetMinusOne;
/// SHR on the 80286: AF is set.
pub struct Shr80286;
/// SAR on the 80286: AF is set.
pub struct Sar80286;

impl Shift for Shl {
    fn apply<T: Int>(a: T, count: u32, _: &Flags) -> (T, Flags) {
        i8086::shl(a, count)
    }
}
impl Shift for Shr8086 {
    fn apply<T: Int>(a: T, count: u32, _: &Flags) -> (T, Flags) {
        i8086::shr(a, count)
    }
}
impl Shift for Sar8086 {
    fn apply<T: Int>(a: T, count: u32, _: &Flags) -> (T, Flags) {
        i8086::sar(a, count)
    }
}
impl Shift for SetMinusOne {
    fn apply<T: Int>(_: T, _: u32, _: &Flags) -> (T, Flags) {
        i8086::setmo()
    }
}
impl Shift for Shr80286 {
    fn apply<T: Int>(a: T, count: u32, _: &Flags) -> (T, Flags) {
        i80286::shr(a, count)
    }
}
impl Shift for Sar80286 {
    fn apply<T: Int>(a: T, count: u32, _: &Flags) -> (T, Flags) {
        i80286::sar(a, count)
    }
}

/// A shift or rotate on the 8086: all eight bits of the count are used.
pub struct ShiftByAll<O, T, D, S>(As<(O, T, D, S)>);

impl<O: Shift, T: Int, D: Place<T>, S: Source<u8>> Instruction for ShiftByAll<O, T, D, S> {
    const SLOTS: usize = S::SLOTS;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let count = u32::from(S::get(cpu, op)?);
        D::modify(cpu, op, |a, flags| {
            if count == 0 {
                (a, *flags)
            } else {
                O::apply(a, count, flags)
            }
        })
    }
}

/// POP CS and MOV CS on the 8086: the next instruction is fetched from the new segment. `FROM_STACK` pops.
pub struct LoadCs<S, const FROM_STACK: bool>(As<S>);

impl<S: Source<u16>, const FROM_STACK: bool> Instruction for LoadCs<S, FROM_STACK> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let selector = if FROM_STACK {
            let v = cpu.peek::<u16, Segmented>()?;
            cpu.drop_from_stack::<u16, Segmented>(2);
            v
        } else {
            S::get(cpu, op)?
        };
        let next = cpu.next_rip(op);
        let cs = cpu.real_register(Seg::Cs, Selector(selector));
        cpu.set_segment(Seg::Cs, cs);
        cpu.jump(next)
    }
}

/// ESC without a coprocessor: the memory operand is read and dropped.
pub struct Escape<S>(As<S>);

impl<S: Source<u16>> Instruction for Escape<S> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        S::get(cpu, op).map(drop)
    }
}

/// As [`Escape`] on the 80286: interrupt 7 if MSW.EM or MSW.TS is set (iAPX 286 manual, section 10.2.2).
pub struct CheckedEscape<S>(As<S>);

impl<S: Source<u16>> Instruction for CheckedEscape<S> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        if cpu.cr0.intersects(Cr0::EM | Cr0::TS) {
            return Err(cpu.fault(Fault::NM));
        }
        S::get(cpu, op).map(drop)
    }
}

/// WAIT on the 80286: interrupt 7 if MSW.MP and MSW.TS are set.
pub struct CheckedWait;

impl Instruction for CheckedWait {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        if cpu.cr0.contains(Cr0::MP | Cr0::TS) {
            return Err(cpu.fault(Fault::NM));
        }
        Ok(())
    }
}

/// No memory operand.
pub struct Nothing;

impl Source<u16> for Nothing {
    fn get<C: Context>(_: &mut C, _: OpRef) -> Result<u16, C::Stop> {
        Ok(0)
    }
}

/// POP m16 on the 80286: SP has moved when the store faults.
pub struct PopTo80286<D>(As<D>);

impl<D: Place<u16>> Instruction for PopTo80286<D> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let sp = cpu.stack_pointer();
        let v = cpu.load_at::<u16, Segmented>(SS, sp)?;
        cpu.drop_from_stack::<u16, Segmented>(2);
        D::set(cpu, op, v)
    }
}

/// ENTER on the 80286: each push takes place before the next access is checked, and no access is made at the new top of
/// the stack.
pub struct Enter80286;

impl Instruction for Enter80286 {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let size = op.imm as u16;
        let level = u16::from(op.a % 32);
        let bp: u16 = cpu.regs.named(Gpr::Rbp);
        let mut sp = cpu.regs.named::<u16>(Gpr::Rsp).wrapping_sub(2);
        let frame = sp;
        cpu.store_at::<u16, Segmented>(SS, sp.into(), bp)?;
        for i in 1..=level {
            let v = if i == level {
                frame
            } else {
                cpu.load_at::<u16, Segmented>(SS, bp.wrapping_sub(2 * i).into())?
            };
            sp = sp.wrapping_sub(2);
            cpu.store_at::<u16, Segmented>(SS, sp.into(), v)?;
        }
        cpu.regs.set_named(Gpr::Rbp, frame);
        cpu.regs.set_named(Gpr::Rsp, sp.wrapping_sub(size));
        Ok(())
    }
}

/// A string instruction's element that could not be moved: how far the registers have come.
pub struct Broken {
    stop: Stop,
    source_moved: bool,
    destination_moved: bool,
    /// How often CX has been decremented for the element, where the instruction repeats.
    counted: u64,
}

impl Broken {
    fn new(stop: Stop, source_moved: bool, destination_moved: bool, counted: u64) -> Self {
        Self {
            stop,
            source_moved,
            destination_moved,
            counted,
        }
    }
}

/// One element of a string instruction on the 80286, whose index registers move while the bus cycles run: after a
/// fault those of the accesses that were begun have moved, and CX counts ahead of stores.
pub trait Element80286: 'static {
    /// Whether SI moves.
    const SOURCE: bool;
    /// Whether DI moves.
    const DESTINATION: bool;
    /// Whether ZF may end the repetition.
    const COMPARES: bool = false;
    /// Whether a port is accessed.
    const IO: bool = false;
    /// One element.
    fn step<T: Int>(cpu: &mut Interpreter, seg: usize, s: u64, d: u64) -> Result<(), Broken>;
}

pub use super::string::{Cmps, Ins, Lods, Movs, Outs, Scas, Stos};

impl Element80286 for Movs {
    const SOURCE: bool = true;
    const DESTINATION: bool = true;
    fn step<T: Int>(cpu: &mut Interpreter, seg: usize, s: u64, d: u64) -> Result<(), Broken> {
        let v = cpu
            .load_at::<T, Segmented>(seg, s)
            .map_err(|stop| Broken::new(stop, true, false, 1))?;
        cpu.store_at::<T, Segmented>(ES, d, v)
            .map_err(|stop| Broken::new(stop, true, true, 2))
    }
}

impl Element80286 for Stos {
    const SOURCE: bool = false;
    const DESTINATION: bool = true;
    fn step<T: Int>(cpu: &mut Interpreter, _: usize, _: u64, d: u64) -> Result<(), Broken> {
        let v = cpu.regs.get::<T>(0);
        cpu.store_at::<T, Segmented>(ES, d, v)
            .map_err(|stop| Broken::new(stop, false, true, 2))
    }
}

impl Element80286 for Lods {
    const SOURCE: bool = true;
    const DESTINATION: bool = false;
    fn step<T: Int>(cpu: &mut Interpreter, seg: usize, s: u64, _: u64) -> Result<(), Broken> {
        let v = cpu
            .load_at::<T, Segmented>(seg, s)
            .map_err(|stop| Broken::new(stop, true, false, 1))?;
        cpu.regs.set(0, v);
        Ok(())
    }
}

// The destination is read before the source.
impl Element80286 for Cmps {
    const SOURCE: bool = true;
    const DESTINATION: bool = true;
    const COMPARES: bool = true;
    fn step<T: Int>(cpu: &mut Interpreter, seg: usize, s: u64, d: u64) -> Result<(), Broken> {
        let b = cpu
            .load_at::<T, Segmented>(ES, d)
            .map_err(|stop| Broken::new(stop, false, true, 0))?;
        let a = cpu
            .load_at::<T, Segmented>(seg, s)
            .map_err(|stop| Broken::new(stop, true, true, 1))?;
        cpu.flags = Flags::of_sub(a, b, false);
        Ok(())
    }
}

impl Element80286 for Scas {
    const SOURCE: bool = false;
    const DESTINATION: bool = true;
    const COMPARES: bool = true;
    fn step<T: Int>(cpu: &mut Interpreter, _: usize, _: u64, d: u64) -> Result<(), Broken> {
        let b = cpu
            .load_at::<T, Segmented>(ES, d)
            .map_err(|stop| Broken::new(stop, false, true, 1))?;
        cpu.flags = Flags::of_sub(cpu.regs.get::<T>(0), b, false);
        Ok(())
    }
}

impl Element80286 for Ins {
    const SOURCE: bool = false;
    const DESTINATION: bool = true;
    const IO: bool = true;
    fn step<T: Int>(cpu: &mut Interpreter, _: usize, _: u64, d: u64) -> Result<(), Broken> {
        let port: u16 = cpu.regs.get(2);
        cpu.check_io(port, T::WIDTH)
            .map_err(|stop| Broken::new(stop, false, false, 0))?;
        let place = cpu
            .place(ES, d, T::WIDTH)
            .map_err(|stop| Broken::new(stop, false, true, 2))?;
        let v = cpu.io_read(port, T::WIDTH);
        cpu.close_slow(place, T::WIDTH, v.into());
        Ok(())
    }
}

impl Element80286 for Outs {
    const SOURCE: bool = true;
    const DESTINATION: bool = false;
    const IO: bool = true;
    fn step<T: Int>(cpu: &mut Interpreter, seg: usize, s: u64, _: u64) -> Result<(), Broken> {
        let port: u16 = cpu.regs.get(2);
        cpu.check_io(port, T::WIDTH)
            .map_err(|stop| Broken::new(stop, false, false, 0))?;
        let v = cpu
            .load_at::<T, Segmented>(seg, s)
            .map_err(|stop| Broken::new(stop, true, false, 1))?;
        cpu.io_write(port, T::WIDTH, v.to_u64() as u32);
        Ok(())
    }
}

fn one<E: Element80286, T: Int>(cpu: &mut Interpreter, seg: usize) -> Result<(), (Stop, u64)> {
    let (s, d) = (cpu.regs.get::<u16>(RSI), cpu.regs.get::<u16>(RDI));
    let step = T::BYTES as u16;
    let moved = |v: u16, down: bool| {
        if down {
            v.wrapping_sub(step)
        } else {
            v.wrapping_add(step)
        }
    };
    let result = E::step::<T>(cpu, seg, s.into(), d.into());
    let (source, destination) = match &result {
        Ok(()) => (E::SOURCE, E::DESTINATION),
        Err(b) => (b.source_moved, b.destination_moved),
    };
    let down = cpu.rflags.contains(Rflags::DF);
    if source {
        cpu.regs.set(RSI, moved(s, down));
    }
    if destination {
        cpu.regs.set(RDI, moved(d, down));
    }
    result.map_err(|b| (b.stop, b.counted))
}

/// A string instruction on the 80286 without a repeat prefix. `a` is the source segment.
pub struct Once80286<E, T>(As<(E, T)>);

impl<E: Element80286, T: Int> Instruction for Once80286<E, T> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        one::<E, T>(cpu, op.a.into()).map_err(|(stop, _)| stop)?;
        if E::IO { Err(Stop::Leave) } else { Ok(()) }
    }
}

/// A repeated string instruction on the 80286.
pub struct Repeat80286<E, T, const WHILE_EQUAL: bool>(As<(E, T)>);

impl<E: Element80286, T: Int, const WHILE_EQUAL: bool> Instruction
    for Repeat80286<E, T, WHILE_EQUAL>
{
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let mut left = cpu.regs.get::<u16>(RCX);
        if left == 0 {
            return Ok(());
        }
        let mut budget = cpu.repeat_budget(op);
        loop {
            if let Err((stop, counted)) = one::<E, T>(cpu, op.a.into()) {
                cpu.regs.set(RCX, left.saturating_sub(counted as u16));
                return Err(stop);
            }
            left -= 1;
            cpu.regs.set(RCX, left);
            if left == 0 || (E::COMPARES && cpu.flags.zf() != WHILE_EQUAL) {
                return if E::IO { Err(Stop::Leave) } else { Ok(()) };
            }
            cpu.attached.left -= 1;
            budget -= 1;
            if budget == 0 || E::IO || cpu.leave_block != Leaving::No {
                return Err(Stop::Repeat);
            }
        }
    }
}
