//! Effective addresses: base + index * scale + displacement, prepared by lowering.

use crate::interpreter::Interpreter;
use crate::op::{Op, OpRef};
use emu_core::x86::Seg;

/// Bits of [`Op::d`] for a memory operand.
pub mod form {
    /// log2 of the scale.
    pub const SCALE: u8 = 0b11;
    /// Shift of the segment number.
    pub const SEGMENT_SHIFT: u8 = 2;
    /// The address wraps at 16 bits.
    pub const ADDRESS_16: u8 = 1 << 5;
}

/// A way to address memory.
pub trait Address: 'static {
    /// Whether offsets are linear addresses and no segment check is needed.
    const FLAT: bool;
    /// The offset in its segment.
    fn offset(cpu: &Interpreter, op: OpRef) -> u64;
}

/// 32-bit addresses in a segment with base 0 and limit 4 GiB.
pub struct Flat;

/// Everything else.
pub struct Segmented;

impl Address for Flat {
    const FLAT: bool = true;
    #[inline(always)]
    fn offset(cpu: &Interpreter, op: OpRef) -> u64 {
        u64::from(sum(cpu, op) as u32)
    }
}

impl Address for Segmented {
    const FLAT: bool = false;
    #[inline(always)]
    fn offset(cpu: &Interpreter, op: OpRef) -> u64 {
        let sum = sum(cpu, op);
        if op.d & form::ADDRESS_16 != 0 {
            u64::from(sum as u16)
        } else {
            u64::from(sum as u32)
        }
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

/// Encodes [`Op::d`].
pub fn encode(scale_log2: u8, seg: Seg, address_16: bool) -> u8 {
    scale_log2 & form::SCALE
        | (seg as u8) << form::SEGMENT_SHIFT
        | if address_16 { form::ADDRESS_16 } else { 0 }
}
