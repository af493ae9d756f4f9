//! Operands, and the handlers that all instructions of the table share.
//!
//! Each operation takes two slots. The first has the destination's number in `a` and the memory operand, if any; the
//! second holds the first source's number (`a`), the second's (`b`), the third's (`c`), 1 for 256 bits (`d`), and the row
//! of the table and the immediate byte (`imm`).

use super::table::{Apply, Row};
use super::{Args, V256};
use crate::alu::Int;
use crate::alu::flags::ARITHMETIC;
use crate::context::Context;
use crate::exec::operand::As;
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::mem::address::{self, Address, Segmented};
use crate::op::{Instruction, OpRef, Stop};
use crate::softfloat::F80;
use std::marker::PhantomData;

/// What an operand asks of the CPU.
#[derive(Copy, Clone, PartialEq, Eq)]
pub struct Needs {
    /// The MMX registers.
    pub mmx: bool,
    /// SSE, not encoded by VEX.
    pub sse: bool,
    /// VEX.
    pub avx: bool,
}

/// Nothing.
pub const NOTHING: Needs = Needs {
    mmx: false,
    sse: false,
    avx: false,
};
/// MMX registers.
pub const MMX: Needs = Needs {
    mmx: true,
    ..NOTHING
};
/// XMM registers.
pub const SSE: Needs = Needs {
    sse: true,
    ..NOTHING
};
/// VEX.
pub const AVX: Needs = Needs {
    avx: true,
    ..NOTHING
};

/// A second source.
pub trait Source: 'static {
    /// What it asks for.
    const NEEDS: Needs = NOTHING;
    /// Reads it.
    fn get(cpu: &mut Interpreter, op: OpRef) -> Result<V256, Stop>;
}

/// A vector register.
pub struct Vector;
/// An MMX register.
pub struct Mm;
/// A general register.
pub struct General<T>(As<T>);
/// The immediate byte as a shift count.
pub struct Count;
/// Memory of up to 64 bits.
pub struct Mem<T, W>(PhantomData<(T, W)>);
/// Memory of 128 bits; `ALIGNED`: #GP if it is not.
pub struct Mem128<W, const ALIGNED: bool>(As<W>);
/// Memory of 64 bits, the alignment of which is not checked.
pub struct Unchecked64;
/// Memory of 256 bits.
pub struct Mem256<W, const ALIGNED: bool>(As<W>);

impl Source for Vector {
    #[inline(always)]
    fn get(cpu: &mut Interpreter, op: OpRef) -> Result<V256, Stop> {
        Ok(cpu.simd.get(op.plus(1).b))
    }
}
impl Source for Mm {
    const NEEDS: Needs = MMX;
    #[inline(always)]
    fn get(cpu: &mut Interpreter, op: OpRef) -> Result<V256, Stop> {
        Ok([cpu.mmx(op.plus(1).b).into(), 0])
    }
}
impl<T: Int> Source for General<T> {
    #[inline(always)]
    fn get(cpu: &mut Interpreter, op: OpRef) -> Result<V256, Stop> {
        Ok([cpu.regs.get::<T>(op.plus(1).b).to_u64().into(), 0])
    }
}
impl Source for Count {
    #[inline(always)]
    fn get(_: &mut Interpreter, op: OpRef) -> Result<V256, Stop> {
        Ok([u128::from(op.second() as u8), 0])
    }
}
impl<T: Int, W: Address> Source for Mem<T, W> {
    #[inline(always)]
    fn get(cpu: &mut Interpreter, op: OpRef) -> Result<V256, Stop> {
        Ok([cpu.load::<T, W>(op)?.to_u64().into(), 0])
    }
}
impl<W: Address, const ALIGNED: bool> Source for Mem128<W, ALIGNED> {
    #[inline(always)]
    fn get(cpu: &mut Interpreter, op: OpRef) -> Result<V256, Stop> {
        let [a, b] = cpu.load_wide::<W, 2>(op, alignment(ALIGNED, 16))?;
        Ok([joined(a, b), 0])
    }
}
impl Source for Unchecked64 {
    #[inline(always)]
    fn get(cpu: &mut Interpreter, op: OpRef) -> Result<V256, Stop> {
        let [v] = cpu.load_wide::<Segmented, 1>(op, 1)?;
        Ok([v.into(), 0])
    }
}
impl<W: Address, const ALIGNED: bool> Source for Mem256<W, ALIGNED> {
    #[inline(always)]
    fn get(cpu: &mut Interpreter, op: OpRef) -> Result<V256, Stop> {
        let [a, b, c, d] = cpu.load_wide::<W, 4>(op, alignment(ALIGNED, 32))?;
        Ok([joined(a, b), joined(c, d)])
    }
}

/// What the linear address of an operand of so many bytes must be a multiple of.
const fn alignment(aligned: bool, bytes: u64) -> u64 {
    if aligned { bytes } else { 1 }
}

/// 128 bits out of their halves.
pub const fn joined(low: u64, high: u64) -> u128 {
    low as u128 | (high as u128) << 64
}

impl Interpreter {
    /// MMn: the significand of Rn.
    #[inline(always)]
    pub(crate) fn mmx(&self, n: u8) -> u64 {
        self.x87.registers[usize::from(n & 7)].significand
    }

    /// Writes MMn; sign and exponent become all ones (SDM vol. 1, section 9.2.1).
    #[inline(always)]
    pub(crate) fn set_mmx(&mut self, n: u8, v: u64) {
        self.x87.registers[usize::from(n & 7)] = F80::new(0xFFFF, v);
    }

    /// Refuses what the operands' kinds are not enabled for.
    #[inline(always)]
    pub(crate) fn may(&mut self, a: Needs, b: Needs) -> Result<(), Stop> {
        if a.avx || b.avx {
            self.may_avx()?;
        }
        if a.sse || b.sse {
            self.may_sse()?;
        }
        if a.mmx || b.mmx {
            self.may_mmx()?;
        }
        Ok(())
    }
}

/// Where a vector goes.
pub trait Destination: 'static {
    /// What it asks for.
    const NEEDS: Needs;
    /// Both halves are computed.
    const WIDE: bool = false;
    /// Reads a register of its kind.
    fn get(cpu: &Interpreter, n: u8) -> V256;
    /// Writes it.
    fn set(cpu: &mut Interpreter, n: u8, v: V256);
}

/// An MMX register; `SSE`: of an instruction that also asks for SSE.
pub struct ToMmx<const SSE: bool>;
/// An XMM register; the upper half of the YMM register stays.
pub struct ToXmm;
/// A register of a VEX instruction: what lies above the result becomes 0.
pub struct ToVex<const WIDE: bool>;

impl<const SSE: bool> Destination for ToMmx<SSE> {
    const NEEDS: Needs = Needs {
        mmx: true,
        sse: SSE,
        avx: false,
    };
    #[inline(always)]
    fn get(cpu: &Interpreter, n: u8) -> V256 {
        [cpu.mmx(n).into(), 0]
    }
    #[inline(always)]
    fn set(cpu: &mut Interpreter, n: u8, v: V256) {
        cpu.set_mmx(n, v[0] as u64);
    }
}
impl Destination for ToXmm {
    const NEEDS: Needs = SSE;
    #[inline(always)]
    fn get(cpu: &Interpreter, n: u8) -> V256 {
        cpu.simd.get(n)
    }
    #[inline(always)]
    fn set(cpu: &mut Interpreter, n: u8, v: V256) {
        cpu.simd.registers.set_low(n, v[0]);
    }
}
impl<const WIDE: bool> Destination for ToVex<WIDE> {
    const NEEDS: Needs = AVX;
    const WIDE: bool = WIDE;
    #[inline(always)]
    fn get(cpu: &Interpreter, n: u8) -> V256 {
        cpu.simd.get(n)
    }
    #[inline(always)]
    fn set(cpu: &mut Interpreter, n: u8, v: V256) {
        cpu.simd.registers.set(n, v);
    }
}

fn halves(wide: bool, mut f: impl FnMut(usize) -> u128) -> V256 {
    let low = f(0);
    [low, if wide { f(1) } else { 0 }]
}

/// A vector result from vector sources.
pub struct Compute<D, S>(PhantomData<(D, S)>);

impl<D: Destination, S: Source> Instruction for Compute<D, S> {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.may(D::NEEDS, S::NEEDS)?;
        let b = S::get(cpu, op)?;
        let second = op.plus(1);
        let a = D::get(cpu, second.a);
        let imm = second.imm as u8;
        let row = Row::numbered(second.imm);
        let mut env = cpu.float_env();
        let v = match row.apply {
            Apply::Lanes(f) => halves(D::WIDE, |i| f(a[i], b[i], imm)),
            Apply::LanesImm(shift, f) => halves(D::WIDE, |i| {
                f(a[i], b[i], imm >> (u32::from(shift) * i as u32))
            }),
            Apply::Count(f) => halves(D::WIDE, |i| f(a[i], b[0], imm)),
            Apply::Third(f) => {
                let c = cpu.simd.get(second.c);
                halves(D::WIDE, |i| f(a[i], b[i], c[i]))
            }
            Apply::Float(f) => {
                let v = halves(D::WIDE, |i| f(a[i], b[i], imm, &mut env));
                cpu.settle(&env)?;
                v
            }
            Apply::Fused(f) => {
                let c = cpu.simd.get(second.c);
                let v = halves(D::WIDE, |i| f(a[i], b[i], c[i], &mut env));
                cpu.settle(&env)?;
                v
            }
            Apply::Whole(f) => f(&args(op, a, b)),
            Apply::WholeFloat(f) => {
                let v = f(&args(op, a, b), &mut env);
                cpu.settle(&env)?;
                v
            }
            // The table's rows of these kinds are lowered to the handlers below.
            Apply::ToGeneral(_) | Apply::ToInteger(_) | Apply::Flags(_) | Apply::Compare(_) => {
                return Err(cpu.fault(Fault::UD));
            }
        };
        D::set(cpu, op.a, v);
        if D::NEEDS.mmx || S::NEEDS.mmx {
            cpu.enter_mmx();
        }
        Ok(())
    }
}

fn args(op: OpRef, a: V256, b: V256) -> Args {
    let second = op.plus(1);
    Args {
        a,
        b,
        imm: second.imm as u8,
        wide: second.d & args::WIDE != 0,
        lower_first: second.d & args::LOWER_FIRST != 0,
    }
}

/// What `d` of the second slot says of [`Args`].
pub mod args {
    /// [`super::Args::wide`].
    pub const WIDE: u8 = 1;
    /// [`super::Args::lower_first`].
    pub const LOWER_FIRST: u8 = 2;
}

/// A general register from a vector: `N` says what encodes it.
pub struct ToGeneral<T, S, N>(PhantomData<(T, S, N)>);

/// Encoded without VEX.
pub struct Legacy;
/// Encoded with VEX.
pub struct Vex;
/// On MMX registers.
pub struct OnMmx;

/// How an instruction without a vector destination is encoded.
pub trait Encoding: 'static {
    /// What it asks for.
    const NEEDS: Needs;
}
impl Encoding for Legacy {
    const NEEDS: Needs = SSE;
}
impl Encoding for Vex {
    const NEEDS: Needs = AVX;
}
impl Encoding for OnMmx {
    const NEEDS: Needs = MMX;
}

impl<T: Int, S: Source, N: Encoding> Instruction for ToGeneral<T, S, N> {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.may(N::NEEDS, S::NEEDS)?;
        let b = S::get(cpu, op)?;
        let second = op.plus(1);
        let v = match Row::numbered(second.imm).apply {
            Apply::ToGeneral(f) if second.d == 0 => f([b[0], 0], second.imm as u8),
            Apply::ToGeneral(f) => f(b, second.imm as u8),
            Apply::Lanes(f) => f(0, b[0], second.imm as u8) as u64,
            Apply::ToInteger(f) => {
                let mut env = cpu.float_env();
                let v = f(b[0], T::BITS == 64, &mut env);
                cpu.settle(&env)?;
                v
            }
            _ => return Err(cpu.fault(Fault::UD)),
        };
        cpu.regs.set::<T>(op.a, T::from_u64(v));
        if N::NEEDS.mmx || S::NEEDS.mmx {
            cpu.enter_mmx();
        }
        Ok(())
    }
}

/// Flags from two vectors.
pub struct ToFlags<S, N>(PhantomData<(S, N)>);

impl<S: Source, N: Encoding> Instruction for ToFlags<S, N> {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.may(N::NEEDS, S::NEEDS)?;
        let b = S::get(cpu, op)?;
        let second = op.plus(1);
        let a = cpu.simd.get(op.a);
        let bits = match Row::numbered(second.imm).apply {
            Apply::Flags(f) if second.d == 0 => f(a, [b[0], 0]),
            Apply::Flags(f) => f(a, b),
            Apply::Compare(f) => {
                let mut env = cpu.float_env();
                let bits = f(a[0], b[0], &mut env);
                cpu.settle(&env)?;
                bits
            }
            _ => return Err(cpu.fault(Fault::UD)),
        };
        cpu.flags = cpu.flags.with(ARITHMETIC, bits);
        Ok(())
    }
}

/// A register, or what the table makes of it, stored: `T` is the integer that goes to memory.
pub struct Store<T, W, S, N>(PhantomData<(T, W, S, N)>);

impl<T: Int, W: Address, S: Source, N: Encoding> Instruction for Store<T, W, S, N> {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.may(N::NEEDS, S::NEEDS)?;
        let b = S::get(cpu, op)?;
        let second = op.plus(1);
        let v = match Row::numbered(second.imm).apply {
            Apply::Lanes(f) => f(0, b[0], second.imm as u8),
            _ => return Err(cpu.fault(Fault::UD)),
        };
        cpu.store::<T, W>(op, T::from_u64(v as u64))?;
        if N::NEEDS.mmx || S::NEEDS.mmx {
            cpu.enter_mmx();
        }
        Ok(())
    }
}

/// An XMM register stored as it is.
pub struct Store128<W, N, const ALIGNED: bool>(PhantomData<(W, N)>);

impl<W: Address, N: Encoding, const ALIGNED: bool> Instruction for Store128<W, N, ALIGNED> {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.may(N::NEEDS, NOTHING)?;
        let [v, _] = cpu.simd.get(op.plus(1).b);
        cpu.store_wide::<W, 2>(op, alignment(ALIGNED, 16), [v as u64, (v >> 64) as u64])
    }
}

/// A half of a YMM register, which the immediate chooses, stored: VEXTRACTF128, VEXTRACTI128.
pub struct StoreHalf;

impl Instruction for StoreHalf {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.may(AVX, NOTHING)?;
        let second = op.plus(1);
        let v = cpu.simd.get(second.b)[(second.imm & 1) as usize];
        cpu.store_wide::<Segmented, 2>(op, 1, [v as u64, (v >> 64) as u64])
    }
}

/// Halves of singles, stored: VCVTPS2PH to memory. No alignment is checked (SDM vol. 2, "Type 11 Class Exception
/// Conditions").
pub struct StoreHalves<const WIDE: bool>;

impl<const WIDE: bool> Instruction for StoreHalves<WIDE> {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.may(AVX, NOTHING)?;
        let b = cpu.simd.get(op.plus(1).b);
        let mut env = cpu.float_env();
        let [v, _] = super::wide::singles_to_halves(&args(op, [0; 2], b), &mut env);
        if cpu.model.is_amd() {
            // The fault of the store comes first.
            let (seg, offset) = (address::segment(&op), Segmented::offset(cpu, op));
            cpu.check_store(seg, offset, if WIDE { 16 } else { 8 })?;
        }
        // The flags count only if the store goes through.
        let before = cpu.simd.mxcsr;
        cpu.settle(&env)?;
        let stored = if WIDE {
            cpu.store_wide::<Segmented, 2>(op, 1, [v as u64, (v >> 64) as u64])
        } else {
            cpu.store_wide::<Segmented, 1>(op, 1, [v as u64])
        };
        if stored.is_err() {
            cpu.set_mxcsr(before);
        }
        stored
    }
}

/// A YMM register stored as it is.
pub struct Store256<W, const ALIGNED: bool>(As<W>);

impl<W: Address, const ALIGNED: bool> Instruction for Store256<W, ALIGNED> {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.may(AVX, NOTHING)?;
        let [l, h] = cpu.simd.get(op.plus(1).b);
        let parts = [l as u64, (l >> 64) as u64, h as u64, (h >> 64) as u64];
        cpu.store_wide::<W, 4>(op, alignment(ALIGNED, 32), parts)
    }
}
