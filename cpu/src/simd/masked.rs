//! AVX instructions that touch only some lanes, and those without operands: VMASKMOVxx, VPMASKMOVx, VGATHERxx,
//! VPGATHERxx, VZEROALL, VZEROUPPER.

use super::V256;
use super::exec::{AVX, NOTHING};
use super::host::vector::Registers;
use super::lane::{Lane, lane, with};
use crate::alu::Int;
use crate::exec::operand::As;
use crate::interpreter::Interpreter;
use crate::mem::address::{self, Address, Segmented};
use crate::op::{Instruction, OpRef, Stop};
use emu_core::x86::Rflags;

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

/// A masked load: the lanes whose mask has its sign clear are 0 and not looked at. No alignment is checked (SDM vol. 2,
/// "VMASKMOV").
pub struct MaskedLoad<T>(As<T>);
/// A masked store.
pub struct MaskedStore<T>(As<T>);

impl Interpreter {
    /// The lanes that a mask selects, each with its linear address: what the segment forbids comes before what the pages
    /// do.
    fn selected<T: Lane + Int>(
        &mut self,
        seg: usize,
        offset: u64,
        mask: &V256,
        wide: bool,
        write: bool,
    ) -> Result<impl Iterator<Item = (u32, u64)> + use<T>, Stop> {
        let (n, mut linear, mut chosen) = (lanes::<T>(wide), [0; 8], 0u8);
        for i in (0..n).filter(|&i| is_selected::<T>(mask, i)) {
            let from = u64::from(i) * T::BYTES as u64;
            linear[i as usize % 8] = self.check_element::<T>(seg, offset, from, write)?;
            chosen |= 1 << i;
        }
        let chosen = (0..n).filter(move |i| chosen >> i & 1 != 0);
        Ok(chosen.map(move |i| (i, linear[i as usize % 8])))
    }
}

impl<T: Lane + Int> Instruction for MaskedLoad<T> {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.may(AVX, NOTHING)?;
        let second = op.plus(1);
        let mask = cpu.simd.get(second.a);
        let (seg, offset) = (address::segment(&op), Segmented::offset(cpu, op));
        let mut v = [0; 2];
        for (i, linear) in cpu.selected::<T>(seg, offset, &mask, second.d != 0, false)? {
            replace(&mut v, i, cpu.load_element::<T>(linear)?);
        }
        cpu.simd.registers.set(op.a, v);
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
        for (i, linear) in cpu.selected::<T>(seg, offset, &mask, second.d != 0, true)? {
            places.push((i, cpu.place_checked(linear, T::WIDTH)?));
        }
        for (i, place) in places {
            cpu.close_slow(place, T::WIDTH, element::<T>(&v, i).bits());
        }
        Ok(())
    }
}

/// A gather of elements `T` at indices `I`. The first slot holds base, scale and displacement, the second the numbers of
/// the index vector (`b`) and of the mask (`c`). A lane that is done has its mask cleared, so that after a fault the
/// instruction goes on where it was; a trap of a lane that is done comes instead of a fault of the next, with RF set
/// (SDM vol. 2, "VGATHERDPS"). No alignment is checked (SDM vol. 2, table 2-28, "Type 12 Class Exception Conditions").
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
        // What lies above the lanes that there are becomes 0: of the mask at once, of the destination at the end.
        let (mut result, mut left) = (v, [0; 2]);
        // AMD's clear lane after lane, selected or not, and leave those behind as they were.
        let amd = cpu.model.is_amd();
        if amd {
            left = mask;
        } else {
            for i in (0..n).filter(|&i| is_selected::<T>(&mask, i)) {
                replace(&mut left, i, <T as Lane>::of(u64::MAX));
            }
        }
        let (cr2, mut gathered) = (cpu.cr2, false);
        for i in 0..n {
            if !is_selected::<T>(&left, i) {
                if amd {
                    replace(&mut left, i, <T as Lane>::of(0));
                }
                continue;
            }
            let scaled = (element::<I>(&index, i).value() << (op.d & address::form::SCALE)) as u64;
            let at = base.wrapping_add(scaled) & address::mask(&op);
            let loaded = cpu
                .check_element::<T>(seg, at, 0, false)
                .and_then(|linear| cpu.load_element::<T>(linear));
            match loaded {
                Ok(loaded) => {
                    replace(&mut result, i, loaded);
                    replace(&mut left, i, <T as Lane>::of(0));
                    gathered = true;
                }
                Err(stop) => {
                    cpu.simd.registers.set(op.a, result);
                    cpu.simd.registers.set(second.c, left);
                    let traps = cpu.rflags.contains(Rflags::TF) || cpu.pending_debug != 0;
                    if gathered && traps {
                        cpu.cr2 = cr2;
                        cpu.attached.left -= 1;
                        return Err(Stop::Repeat);
                    }
                    return Err(stop);
                }
            }
        }
        let bits = n * <T as Lane>::BITS;
        if bits <= 128 {
            result[1] = 0;
        }
        if bits == 64 {
            result[0] &= u128::from(u64::MAX);
        }
        cpu.simd.registers.set(op.a, result);
        cpu.simd.registers.set(second.c, [0; 2]);
        Ok(())
    }
}

/// VZEROALL (`ALL`) and VZEROUPPER.
pub struct Zero<const ALL: bool>;

impl<const ALL: bool> Instruction for Zero<ALL> {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        cpu.may(AVX, NOTHING)?;
        let n = cpu.vector_registers();
        for place in (0..n).map(Registers::place) {
            let low = if ALL { 0 } else { cpu.simd.get(place)[0] };
            cpu.simd.registers.set(place, [low, 0]);
        }
        Ok(())
    }
}
