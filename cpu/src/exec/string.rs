//! MOVS, STOS, LODS, CMPS, SCAS, INS, OUTS, with and without REP.
//!
//! A repetition counts as one instruction of guest time. A repeated instruction does as many as fit before the next
//! event, keeps its counters up to date after each, and is then entered again: it can be interrupted between any two.
//! Repetitions that find their elements in memory at hand are done many at once ([`crate::mem::stretch`]), which nobody
//! can tell from one after the other.
//! Faults, traps and interrupts before the last repetition see the status flags from before the first (for faults SDM
//! vol. 2, "REP/REPE/REPZ/REPNE/REPNZ", says so; P6 and later do it for all).

use super::operand::As;
use crate::alu::{Flags, Int};
use crate::context::Context;
use crate::interpreter::{Interpreter, Leaving};
use crate::mem::address::Segmented;
use crate::mem::stretch::{Order, Stretch};
use crate::op::{Instruction, OpRef, Stop};
use emu_core::x86::{IoInstruction, IoKind, Rflags, Seg};

const RCX: u8 = 1;
const RSI: u8 = 6;
const RDI: u8 = 7;
const ES: usize = Seg::Es as usize;

/// What one repetition does. `N` is the address size, `T` the element.
pub trait Element: 'static {
    /// Whether (E)SI moves.
    const SOURCE: bool;
    /// Whether (E)DI moves.
    const DESTINATION: bool;
    /// Whether ZF may end the repetition.
    const COMPARES: bool;
    /// Whether the block must be left after each repetition (a device was accessed).
    const IO: bool = false;
    /// One element. `seg` is the source segment.
    fn step<T: Int>(
        cpu: &mut Interpreter,
        seg: usize,
        source: u64,
        destination: u64,
    ) -> Result<(), Stop>;
    /// The elements of a stretch, up to the one whose comparison ends the repetition. Gives how many; 0: there is no
    /// doing several at once.
    fn stretch<T: Int>(_: &mut Interpreter, _: &Stretch, _while_equal: bool) -> u64 {
        0
    }
}

/// MOVS: ES:(E)DI := DS:(E)SI.
pub struct Movs;
/// STOS: ES:(E)DI := accumulator.
pub struct Stos;
/// LODS: accumulator := DS:(E)SI.
pub struct Lods;
/// CMPS: flags of DS:(E)SI - ES:(E)DI.
pub struct Cmps;
/// SCAS: flags of accumulator - ES:(E)DI.
pub struct Scas;
/// INS: ES:(E)DI := port DX.
pub struct Ins;
/// OUTS: port DX := DS:(E)SI.
pub struct Outs;

impl Element for Movs {
    const SOURCE: bool = true;
    const DESTINATION: bool = true;
    const COMPARES: bool = false;
    #[inline(always)]
    fn step<T: Int>(cpu: &mut Interpreter, seg: usize, s: u64, d: u64) -> Result<(), Stop> {
        let v = cpu.load_at::<T, Segmented>(seg, s)?;
        cpu.store_at::<T, Segmented>(ES, d, v)
    }
    #[inline(always)]
    fn stretch<T: Int>(_: &mut Interpreter, elements: &Stretch, _: bool) -> u64 {
        elements.copy::<T>();
        elements.n
    }
}

impl Element for Stos {
    const SOURCE: bool = false;
    const DESTINATION: bool = true;
    const COMPARES: bool = false;
    #[inline(always)]
    fn step<T: Int>(cpu: &mut Interpreter, _: usize, _: u64, d: u64) -> Result<(), Stop> {
        let v = cpu.regs.get::<T>(0);
        cpu.store_at::<T, Segmented>(ES, d, v)
    }
    #[inline(always)]
    fn stretch<T: Int>(cpu: &mut Interpreter, elements: &Stretch, _: bool) -> u64 {
        elements.fill(cpu.regs.get::<T>(0));
        elements.n
    }
}

impl Element for Lods {
    const SOURCE: bool = true;
    const DESTINATION: bool = false;
    const COMPARES: bool = false;
    #[inline(always)]
    fn step<T: Int>(cpu: &mut Interpreter, seg: usize, s: u64, _: u64) -> Result<(), Stop> {
        let v = cpu.load_at::<T, Segmented>(seg, s)?;
        cpu.regs.set(0, v);
        Ok(())
    }
    #[inline(always)]
    fn stretch<T: Int>(cpu: &mut Interpreter, elements: &Stretch, _: bool) -> u64 {
        cpu.regs.set(0, elements.last::<T>());
        elements.n
    }
}

impl Element for Cmps {
    const SOURCE: bool = true;
    const DESTINATION: bool = true;
    const COMPARES: bool = true;
    #[inline(always)]
    fn step<T: Int>(cpu: &mut Interpreter, seg: usize, s: u64, d: u64) -> Result<(), Stop> {
        let a = cpu.load_at::<T, Segmented>(seg, s)?;
        let b = cpu.load_at::<T, Segmented>(ES, d)?;
        cpu.flags = Flags::of_sub(a, b, false);
        Ok(())
    }
    #[inline(always)]
    fn stretch<T: Int>(cpu: &mut Interpreter, elements: &Stretch, while_equal: bool) -> u64 {
        let (n, a, b) = elements.compare::<T>(None, while_equal);
        cpu.flags = Flags::of_sub(a, b, false);
        n
    }
}

impl Element for Scas {
    const SOURCE: bool = false;
    const DESTINATION: bool = true;
    const COMPARES: bool = true;
    #[inline(always)]
    fn step<T: Int>(cpu: &mut Interpreter, _: usize, _: u64, d: u64) -> Result<(), Stop> {
        let b = cpu.load_at::<T, Segmented>(ES, d)?;
        cpu.flags = Flags::of_sub(cpu.regs.get::<T>(0), b, false);
        Ok(())
    }
    #[inline(always)]
    fn stretch<T: Int>(cpu: &mut Interpreter, elements: &Stretch, while_equal: bool) -> u64 {
        let (n, a, b) = elements.compare(Some(cpu.regs.get::<T>(0)), while_equal);
        cpu.flags = Flags::of_sub(a, b, false);
        n
    }
}

impl Element for Ins {
    const SOURCE: bool = false;
    const DESTINATION: bool = true;
    const COMPARES: bool = false;
    const IO: bool = true;
    fn step<T: Int>(cpu: &mut Interpreter, _: usize, _: u64, d: u64) -> Result<(), Stop> {
        let port: u16 = cpu.regs.get(2);
        cpu.check_io(port, T::WIDTH)?;
        // The store is checked before the port is read: a fault must not lose what the device gave.
        let place = cpu.place(ES, d, T::WIDTH)?;
        let v = cpu.io_read(port, T::WIDTH);
        cpu.close_slow(place, T::WIDTH, v.into());
        Ok(())
    }
}

impl Element for Outs {
    const SOURCE: bool = true;
    const DESTINATION: bool = false;
    const COMPARES: bool = false;
    const IO: bool = true;
    fn step<T: Int>(cpu: &mut Interpreter, seg: usize, s: u64, _: u64) -> Result<(), Stop> {
        let port: u16 = cpu.regs.get(2);
        cpu.check_io(port, T::WIDTH)?;
        let v = cpu.load_at::<T, Segmented>(seg, s)?;
        cpu.io_write(port, T::WIDTH, v.to_u64() as u32);
        Ok(())
    }
}

#[inline(always)]
fn one<E: Element, N: Int, T: Int>(cpu: &mut Interpreter, seg: usize) -> Result<(), Stop> {
    let s = if E::SOURCE {
        cpu.regs.get::<N>(RSI).to_u64()
    } else {
        0
    };
    let d = if E::DESTINATION {
        cpu.regs.get::<N>(RDI).to_u64()
    } else {
        0
    };
    E::step::<T>(cpu, seg, s, d)?;
    step::<E, N, T>(cpu, 1);
    Ok(())
}

/// Moves (E)SI and (E)DI on by `n` elements.
#[inline(always)]
fn step<E: Element, N: Int, T: Int>(cpu: &mut Interpreter, n: u64) {
    let bytes = n.wrapping_mul(T::BYTES as u64);
    let step = if cpu.rflags.contains(Rflags::DF) {
        bytes.wrapping_neg()
    } else {
        bytes
    };
    for (moves, r) in [(E::SOURCE, RSI), (E::DESTINATION, RDI)] {
        if moves {
            let offset = cpu.regs.get::<N>(r).to_u64();
            cpu.regs.set(r, N::from_u64(offset.wrapping_add(step)));
        }
    }
}

/// INS or OUTS as an SMI behind it saves it.
fn io_instruction<E: Element, N: Int, T: Int>(
    cpu: &Interpreter,
    op: OpRef,
    repeated: IoKind,
) -> IoInstruction {
    let (kind, seg, offset) = if E::DESTINATION {
        (IoKind::INPUT, ES, cpu.regs.get::<N>(RDI))
    } else {
        (IoKind::empty(), op.a.into(), cpu.regs.get::<N>(RSI))
    };
    let base = cpu.segments[seg].base;
    IoInstruction {
        memory: base.wrapping_add(offset.to_u64()) & cpu.linear_mask,
        ..cpu.io_instruction(
            op,
            cpu.regs.get(2),
            T::WIDTH,
            kind | IoKind::STRING | repeated,
        )
    }
}

/// A string instruction without a repeat prefix. `a` is the source segment.
pub struct Once<E, N, T>(As<(E, N, T)>);

impl<E: Element, N: Int, T: Int> Instruction for Once<E, N, T> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let io = E::IO.then(|| io_instruction::<E, N, T>(cpu, op, IoKind::empty()));
        one::<E, N, T>(cpu, op.a.into())?;
        if E::IO {
            cpu.smm.io = io;
            return Err(Stop::Leave);
        }
        Ok(())
    }
}

/// Does several repetitions at once, no more than `most`, if all their elements are at hand. Gives how many; 0: the next one
/// must be done by itself. `seg` is the source segment, `mask` the bits of an offset that count.
///
/// Moving on is left to the caller, so that there are no instances of this for each address size.
#[inline(never)]
fn several<E: Element, T: Int>(
    cpu: &mut Interpreter,
    seg: usize,
    mask: u64,
    most: u64,
    while_equal: bool,
) -> u64 {
    let order = Order::new(cpu, mask);
    let (s, d) = (order.offset(cpu, RSI), order.offset(cpu, RDI));
    let mut n = most;
    if E::SOURCE {
        n = cpu.reach::<T>(seg, s, order, n);
    }
    if E::DESTINATION {
        n = cpu.reach::<T>(ES, d, order, n);
    }
    if n == 0 {
        return 0;
    }
    let source = if E::SOURCE {
        cpu.at_hand::<T, false>(seg, s, order, n)
    } else {
        Some(0)
    };
    let destination = match (E::DESTINATION, E::COMPARES) {
        (false, _) => Some(0),
        (_, true) => cpu.at_hand::<T, false>(ES, d, order, n),
        (_, false) => cpu.at_hand::<T, true>(ES, d, order, n),
    };
    let (Some(source), Some(destination)) = (source, destination) else {
        return 0;
    };
    let elements = Stretch {
        n,
        source,
        destination,
        order,
    };
    E::stretch::<T>(cpu, &elements, while_equal)
}

/// A repeated string instruction. `WHILE_EQUAL` is REPE rather than REPNE, for those that compare.
pub struct Repeat<E, N, T, const WHILE_EQUAL: bool>(As<(E, N, T)>);

impl<E: Element, N: Int, T: Int, const WHILE_EQUAL: bool> Instruction
    for Repeat<E, N, T, WHILE_EQUAL>
{
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        if E::IO {
            // Even a count of 0 needs the permission.
            let port: u16 = cpu.regs.get(2);
            cpu.check_io(port, T::WIDTH)?;
        }
        let mut left = cpu.regs.get::<N>(RCX).to_u64();
        if left == 0 {
            return Ok(());
        }
        let flags = cpu.flags;
        // Where it is not yet known what the last comparison will be, Intel's processors from the 80386 on keep the flags.
        let keeps_flags = E::COMPARES && cpu.model.processor.is_none() && !cpu.model.is_amd();
        let mut budget = cpu.repeat_budget(op);
        loop {
            let io = E::IO.then(|| io_instruction::<E, N, T>(cpu, op, IoKind::REPEATED));
            let mut done = 0;
            if !E::IO && cpu.leave_block == Leaving::No {
                let most = left.min(budget);
                done = several::<E, T>(cpu, op.a.into(), N::MASK, most, WHILE_EQUAL);
            }
            if done != 0 {
                step::<E, N, T>(cpu, done);
            } else {
                if let Err(stop) = one::<E, N, T>(cpu, op.a.into()) {
                    if keeps_flags {
                        cpu.flags = flags;
                    }
                    return Err(stop);
                }
                done = 1;
            }
            if E::IO {
                cpu.smm.io = io;
            }
            left -= done;
            cpu.regs.set(RCX, N::from_u64(left));
            let ended = left == 0 || (E::COMPARES && cpu.flags.zf() != WHILE_EQUAL);
            // The repetition that ends the instruction is counted as the instruction itself.
            cpu.attached.left -= (done - u64::from(ended)) as i64;
            if ended {
                return if E::IO { Err(Stop::Leave) } else { Ok(()) };
            }
            budget -= done;
            if budget == 0 || E::IO || cpu.leave_block != Leaving::No {
                if keeps_flags {
                    cpu.flags = flags;
                }
                return Err(Stop::Repeat);
            }
        }
    }
}
