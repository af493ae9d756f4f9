//! The general registers, addressed as lowering prepared them.

use crate::alu::Int;
use emu_core::x86::Gpr;

/// Number of the register that always reads as 0: stands for "no base" and "no index".
pub const ZERO: u8 = 16;
/// Number of the register that holds the instruction pointer as it was at the start of the running block: the base of
/// RIP-relative addresses, which lowering makes relative to it.
pub const BLOCK_RIP: u8 = 17;
/// Number of the register that always reads as [`REACH`].
pub const REACH_REGISTER: u8 = 18;
/// More than a block is long: what a RIP-relative displacement is short of when, counted from the start of the block, it
/// does not fit 32 bits any more.
pub const REACH: u64 = 0x1000;
/// Set in a register number to name bits 8 to 15 (AH, CH, DH, BH).
pub const HIGH_BYTE: u8 = 0x80;

/// General registers. A 32-bit write clears the upper half, as in 64-bit mode; outside of it nobody sees that half.
/// There is one for each value of a byte, though few are used: so no number needs to be checked.
#[derive(Clone, Debug)]
pub struct Registers([u64; 256]);

impl Default for Registers {
    fn default() -> Self {
        let mut r = [0; 256];
        r[usize::from(REACH_REGISTER)] = REACH;
        Self(r)
    }
}

impl Registers {
    /// Reads the operand-sized register `r`.
    #[inline(always)]
    pub fn get<T: Int>(&self, r: u8) -> T {
        if T::BITS == 8 {
            let v = self.whole(r & !HIGH_BYTE);
            T::from_u64(if r & HIGH_BYTE != 0 { v >> 8 } else { v })
        } else {
            T::from_u64(self.whole(r))
        }
    }

    /// Writes the operand-sized register `r`.
    #[inline(always)]
    pub fn set<T: Int>(&mut self, r: u8, v: T) {
        let n = if T::BITS == 8 { r & !HIGH_BYTE } else { r };
        let slot = &mut self.0[usize::from(n)];
        *slot = match T::BITS {
            8 if r & HIGH_BYTE != 0 => (*slot & !0xFF00) | (v.to_u64() << 8),
            8 => (*slot & !0xFF) | v.to_u64(),
            16 => (*slot & !0xFFFF) | v.to_u64(),
            _ => v.to_u64(),
        };
    }

    /// The whole register.
    #[inline(always)]
    pub fn whole(&self, r: u8) -> u64 {
        self.0[usize::from(r)]
    }

    /// The instruction pointer as it was at the start of the running block.
    #[inline(always)]
    pub fn block_rip(&self) -> u64 {
        self.whole(BLOCK_RIP)
    }

    /// A block starts at this instruction pointer.
    #[inline(always)]
    pub fn set_block_rip(&mut self, rip: u64) {
        self.0[usize::from(BLOCK_RIP)] = rip;
    }

    /// A named register.
    pub fn named<T: Int>(&self, r: Gpr) -> T {
        self.get(r as u8)
    }

    /// Writes a named register.
    pub fn set_named<T: Int>(&mut self, r: Gpr, v: T) {
        self.set(r as u8, v);
    }
}
