//! AVX instructions that touch only some lanes, and those without operands: VMASKMOVxx, VPMASKMOVx, VGATHERxx,
//! VPGATHERxx, VZEROALL, VZEROUPPER.

use super::V256;
use super::exec::{AVX, NOTHING};
use super::lane::{Lane, lane, with};
use crate::alu::Int;
use crate::exec::operand::As;
use crate::interpreter::Interpreter;
use crate::mem::address::{self, Address, Segmented};
use crate::op::{Instruction, OpRef, Stop};

fn element<T: Lane>(v: &V256, i: u32) -> T {
    let n = super::lane::lanes::<T>();
    lane(v[((i / n) & 1) as usize], i % n)
}

fn replace<T: Lane>(v: &mut V256, i: u32, new: T) {
    let n = super::lane::lanes::<T>();
    let half = &mut v[((i / n) & 1) as usize];
    *half = with(*half, i % n, new);
}

fn is_selected<T: Lane>(mask: &V256, i: u32) -> bool {
    element::<T>(mask, i).bits() >> (T::BITS - 1) != 0
}

/// Lanes of a vector of 128 or (`wide`) 256 bits.
const fn lanes<T: Lane>(wide: bool) -> u32 {
    super::lane::lanes::<T>() << wide as u32
}

/// A masked load: the lanes whose mask has its sign clear are 0 and not looked at.
pub struct MaskedLoad<T>(As<T>);
/// A masked store.
pub struct MaskedStore<T>(As<T>);

impl<T: Lane + Int> Instruction for MaskedLoad<T> {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.may(AVX, NOTHING)?;
        let second = op.plus(1);
        let mask = cpu.simd.get(second.a);
        let (seg, offset) = (address::segment(&op), Segmented::offset(cpu, op));
        let mut v = [0; 2];
        for i in 0..lanes::<T>(second.d != 0) {
            if is_selected::<T>(&mask, i) {
                let at = offset.wrapping_add(u64::from(i) * T::BYTES as u64);
                replace(&mut v, i, cpu.load_at::<T, Segmented>(seg, at)?);
            }
        }
        *cpu.simd.get_mut(op.a) = v;
        Ok(())
    }
}

impl<T: Lane + Int> Instruction for MaskedStore<T> {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.may(AVX, NOTHING)?;
        let second = op.plus(1);
        let (mask, v) = (cpu.simd.get(second.a), cpu.simd.get(second.b));
        let (seg, offset) = (address::segment(&op), Segmented::offset(cpu, op));
        let mut places = Vec::with_capacity(8);
        for i in 0..lanes::<T>(second.d != 0) {
            if is_selected::<T>(&mask, i) {
                let at = offset.wrapping_add(u64::from(i) * T::BYTES as u64);
                places.push((i, cpu.place(seg, at, T::WIDTH)?));
            }
        }
        for (i, place) in places {
            cpu.close_slow(place, T::WIDTH, element::<T>(&v, i).bits());
        }
        Ok(())
    }
}

/// A gather of elements `T` at indices `I`. The first slot holds base, scale and displacement, the second the numbers of
/// the index vector (`b`) and of the mask (`c`). A lane that is done has its mask cleared, so that after a fault the
/// instruction goes on where it was.
pub struct Gather<T, I>(As<(T, I)>);

impl<T: Lane + Int, I: Lane> Instruction for Gather<T, I> {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.may(AVX, NOTHING)?;
        let second = op.plus(1);
        let wide = second.d != 0;
        let (index, mask) = (cpu.simd.get(second.b), cpu.simd.get(second.c));
        let v = cpu.simd.get(op.a);
        let (seg, base) = (address::segment(&op), Segmented::offset(cpu, op));
        let n = lanes::<T>(wide).min(lanes::<I>(wide));
        // What lies above the lanes that there are becomes 0.
        let (mut result, mut left) = ([0; 2], [0; 2]);
        for i in 0..n {
            replace(&mut result, i, element::<T>(&v, i));
            if is_selected::<T>(&mask, i) {
                replace(&mut left, i, <T as Lane>::of(u64::MAX));
            }
        }
        for i in 0..n {
            if !is_selected::<T>(&left, i) {
                continue;
            }
            let scaled = (element::<I>(&index, i).value() << (op.d & address::form::SCALE)) as u64;
            let at = base.wrapping_add(scaled) & address::mask(&op);
            match cpu.load_at::<T, Segmented>(seg, at) {
                Ok(loaded) => {
                    replace(&mut result, i, loaded);
                    replace(&mut left, i, <T as Lane>::of(0));
                }
                Err(stop) => {
                    *cpu.simd.get_mut(op.a) = result;
                    *cpu.simd.get_mut(second.c) = left;
                    return Err(stop);
                }
            }
        }
        *cpu.simd.get_mut(op.a) = result;
        *cpu.simd.get_mut(second.c) = [0; 2];
        Ok(())
    }
}

/// VZEROALL (`ALL`) and VZEROUPPER.
pub struct Zero<const ALL: bool>;

impl<const ALL: bool> Instruction for Zero<ALL> {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        cpu.may(AVX, NOTHING)?;
        let n = cpu.vector_registers();
        for register in &mut cpu.simd.registers[..n] {
            register[1] = 0;
            if ALL {
                register[0] = 0;
            }
        }
        Ok(())
    }
}
