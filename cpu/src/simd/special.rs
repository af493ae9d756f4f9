//! Instructions that are not a function of their operands alone: EMMS, MXCSR, masked byte stores, fences and cache
//! control.

use super::Simd;
use super::exec::{Encoding, Legacy, MMX, NOTHING, Needs, OnMmx};
use super::lane::lane;
use crate::context::Context;
use crate::exec::operand::As;
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::mem::address::{self, Address, Segmented};
use crate::op::{Instruction, OpRef, Stop};
use emu_core::Width;

/// EMMS, FEMMS: all x87 registers are empty.
pub struct Emms;

impl Instruction for Emms {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        cpu.may(MMX, NOTHING)?;
        cpu.x87.top = 0;
        cpu.x87.occupied = 0;
        Ok(())
    }
}

/// LDMXCSR.
pub struct LoadMxcsr<N>(As<N>);
/// STMXCSR.
pub struct StoreMxcsr<N>(As<N>);

impl<N: Encoding> Instruction for LoadMxcsr<N> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.may(N::NEEDS, NOTHING)?;
        let v = cpu.load::<u32, Segmented>(op)?;
        cpu.ensure(Simd::mxcsr_can_hold(v), Fault::GP0)?;
        cpu.set_mxcsr(v);
        Ok(())
    }
}
impl<N: Encoding> Instruction for StoreMxcsr<N> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.may(N::NEEDS, NOTHING)?;
        let v = cpu.simd.mxcsr;
        cpu.store::<u32, Segmented>(op, v)
    }
}

/// The registers that MASKMOVQ and MASKMOVDQU name.
pub trait MaskedBytes: 'static {
    /// What they ask for.
    const NEEDS: Needs;
    /// Bytes.
    const BYTES: u32;
    /// Reads one.
    fn get(cpu: &Interpreter, n: u8) -> u128;
}

impl MaskedBytes for OnMmx {
    const NEEDS: Needs = MMX;
    const BYTES: u32 = 8;
    fn get(cpu: &Interpreter, n: u8) -> u128 {
        cpu.mmx(n).into()
    }
}
impl MaskedBytes for Legacy {
    const NEEDS: Needs = <Self as Encoding>::NEEDS;
    const BYTES: u32 = 16;
    fn get(cpu: &Interpreter, n: u8) -> u128 {
        cpu.simd.get(n)[0]
    }
}
impl MaskedBytes for super::exec::Vex {
    const NEEDS: Needs = <Self as Encoding>::NEEDS;
    const BYTES: u32 = 16;
    fn get(cpu: &Interpreter, n: u8) -> u128 {
        cpu.simd.get(n)[0]
    }
}

/// MASKMOVQ, MASKMOVDQU: the bytes whose mask has its sign set, at DS:(E)DI. The first slot holds the address, the
/// second the numbers of source (`a`) and mask (`b`). A quadword of which no byte is selected is not looked at; any other is
/// checked as a whole.
pub struct MaskMove<N>(As<N>);

impl<N: MaskedBytes> Instruction for MaskMove<N> {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.may(N::NEEDS, NOTHING)?;
        let second = op.plus(1);
        let (v, mask) = (N::get(cpu, second.a), N::get(cpu, second.b));
        let (seg, offset) = (address::segment(&op), Segmented::offset(cpu, op));
        let selected = |i: &u32| lane::<u8>(mask, *i) >> 7 != 0;
        let mut quadwords = [0; 2];
        for n in 0..N::BYTES / 8 {
            if (8 * n..8 * n + 8).any(|i| selected(&i)) {
                let from = u64::from(8 * n);
                quadwords[n as usize] = cpu.check_masked_quadword(seg, offset, from)?;
            }
        }
        for n in 0..N::BYTES / 8 {
            if (8 * n..8 * n + 8).any(|i| selected(&i)) {
                cpu.place_checked(quadwords[n as usize], Width::Qword)?;
            }
        }
        let mut places = Vec::with_capacity(16);
        for i in (0..N::BYTES).filter(selected) {
            let quadword = quadwords[i as usize / 8];
            let linear = cpu.wrapped(quadword.wrapping_add(u64::from(i % 8)), quadword);
            places.push((cpu.place_checked(linear, Width::Byte)?, lane::<u8>(v, i)));
        }
        for (place, v) in places {
            cpu.close_slow(place, Width::Byte, v.into());
        }
        if N::NEEDS.mmx {
            cpu.enter_mmx();
        }
        Ok(())
    }
}

/// MFENCE, LFENCE, SFENCE, PREFETCHx: memory is always in order.
pub struct Fence;

impl Instruction for Fence {
    fn execute(_: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        Ok(())
    }
}

/// CLFLUSH, CLFLUSHOPT, CLWB: checked as a load of a byte; there is no cache to write back.
pub struct FlushLine;

impl Instruction for FlushLine {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let (seg, offset) = (address::segment(&op), Segmented::offset(cpu, op));
        cpu.check_load(seg, offset, Width::Byte)
    }
}
