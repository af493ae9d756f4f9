//! Effective addresses: base + index * scale + displacement, prepared by lowering.

use super::access::kept;
use crate::interpreter::Interpreter;
use crate::op::{Op, OpRef};
use emu_core::x86::Seg;

/// Bits of [`Op::d`] for a memory operand.
pub mod form {
    /// log2 of the scale.
    pub const SCALE: u8 = 0b11;
    /// Shift of the segment number.
    pub const SEGMENT_SHIFT: u8 = 2;
    /// Shift of the address size: an index of [`super::SIZE_MASKS`].
    pub const SIZE_SHIFT: u8 = 5;
}

/// The bits of an address that count, by address size: 32, 16, 64.
const SIZE_MASKS: [u64; 4] = [0xFFFF_FFFF, 0xFFFF, u64::MAX, u64::MAX];

/// A way to address memory.
pub trait Address: 'static {
    /// Whether offsets are linear addresses and no segment check is needed.
    const FLAT: bool;
    /// The offset in its segment.
    fn offset(cpu: &Interpreter, op: OpRef) -> u64;
}

/// 32-bit addresses in a segment with base 0 and limit 4 GiB, and in 64-bit mode 64-bit addresses with FS and GS left
/// out.
pub struct Flat;

/// [`Flat`] without an index register; `WIDE`: in 64-bit mode.
pub struct Base<const WIDE: bool>;

/// [`Flat`] with an index register, scaled by 2 to the power of `SCALE`; `WIDE`: in 64-bit mode.
pub struct Indexed<const WIDE: bool, const SCALE: u8>;

/// Everything else.
pub struct Segmented;

impl Address for Flat {
    const FLAT: bool = true;
    #[inline(always)]
    fn offset(cpu: &Interpreter, op: OpRef) -> u64 {
        kept(sum(cpu, op) & cpu.linear_mask)
    }
}

/// The bits of a flat offset that count, where the mode is known.
#[inline(always)]
fn flat<const WIDE: bool>(offset: u64) -> u64 {
    kept(if WIDE {
        offset
    } else {
        u64::from(offset as u32)
    })
}

impl<const WIDE: bool> Address for Base<WIDE> {
    const FLAT: bool = true;
    #[inline(always)]
    fn offset(cpu: &Interpreter, op: OpRef) -> u64 {
        flat::<WIDE>(cpu.regs.whole(op.b).wrapping_add(op.imm as i64 as u64))
    }
}

impl<const WIDE: bool, const SCALE: u8> Address for Indexed<WIDE, SCALE> {
    const FLAT: bool = true;
    #[inline(always)]
    fn offset(cpu: &Interpreter, op: OpRef) -> u64 {
        let (base, index) = (cpu.regs.whole(op.b), cpu.regs.whole(op.c));
        let sum = base.wrapping_add(index << SCALE);
        flat::<WIDE>(sum.wrapping_add(op.imm as i64 as u64))
    }
}

impl Address for Segmented {
    const FLAT: bool = false;
    #[inline(always)]
    fn offset(cpu: &Interpreter, op: OpRef) -> u64 {
        sum(cpu, op) & mask(&op)
    }
}

#[inline(always)]
fn sum(cpu: &Interpreter, op: OpRef) -> u64 {
    let (base, index) = (cpu.regs.whole(op.b), cpu.regs.whole(op.c));
    base.wrapping_add(index << (op.d & form::SCALE))
        .wrapping_add(op.imm as i64 as u64)
}

/// The segment number of a memory operand.
#[inline(always)]
pub fn segment(op: &Op) -> usize {
    usize::from(op.d >> form::SEGMENT_SHIFT & 7)
}

/// The bits of a memory operand's offset that count.
#[inline(always)]
pub fn mask(op: &Op) -> u64 {
    SIZE_MASKS[usize::from(op.d >> form::SIZE_SHIFT & 3)]
}

/// Encodes [`Op::d`]; `size_bits` is 16, 32 or 64.
pub fn encode(scale_log2: u8, seg: Seg, size_bits: u32) -> u8 {
    let size = match size_bits {
        16 => 1,
        64 => 2,
        _ => 0,
    };
    scale_log2 & form::SCALE | (seg as u8) << form::SEGMENT_SHIFT | size << form::SIZE_SHIFT
}
