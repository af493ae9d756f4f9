//! MMX, SSE and what followed: vector registers and the instructions on them.
//!
//! *Intel 64 and IA-32 Architectures Software Developer's Manual* (325462): volume 1, chapters 9 to 14, volume 2
//! instruction by instruction, volume 3, chapter 13 (system programming).
//!
//! An instruction is a row of a table: its mnemonics with and without VEX, and a plain function on 128-bit values
//! ([`table`]). A few generic handlers ([`exec`]) read the operands, apply the function to one or both halves and write
//! the result as the encoding wants it: legacy SSE leaves the upper half of a YMM register alone, VEX clears it, MMX
//! marks the x87 registers as in use. Lowering chooses the handler by the kinds of the operands.
//!
//! | file | holds |
//! |---|---|
//! | `lane` | lanes of a 128-bit value |
//! | `integer` | integer arithmetic, comparison, shifts, packing |
//! | `shuffle` | moves between lanes, blends |
//! | `float` | float arithmetic and comparison, on `softfloat` |
//! | `convert` | conversions |
//! | `approximate` | RCPPS, RSQRTPS |
//! | `d3now` | 3DNow! |
//! | `crypto` | AES, carry-less multiplication, SHA |
//! | `wide` | what sees 256 bits as a whole, fused multiply-add |
//! | `table` | which mnemonic is which function |
//! | `control` | who may execute what, MXCSR, #XM |
//! | `exec` | operands and the generic handlers |
//! | `quick` | shortcuts where nothing out of the ordinary happens |
//! | `host` | float arithmetic for them, the registers in the host's vectors |
//! | `text` | PCMPxSTRx |
//! | `masked` | masked moves, gathers, VZEROALL |
//! | `special` | masked byte stores, EMMS, fences and cache control |
//! | `image` | FXSAVE, FXRSTOR |
//! | `xsave` | XSAVE and its kin, XCR0 |
//!
//! **Known inaccuracies**: RCPPS and RSQRTPS keep the manual's error bound but are no particular processor's values.

pub mod approximate;
pub mod control;
pub mod convert;
pub mod crypto;
pub mod d3now;
pub mod exec;
pub mod float;
pub mod host;
pub mod image;
pub mod integer;
pub mod lane;
pub mod masked;
pub mod quick;
pub mod shuffle;
pub mod special;
pub mod table;
#[cfg(test)]
mod tests;
pub mod text;
pub mod wide;
pub mod xsave;

use bitflags::bitflags;
use emu_core::x86::{MXCSR_RESET, SimdState};
use host::vector::Registers;

/// A YMM register: its two halves, the XMM register first.
pub type V256 = [u128; 2];

bitflags! {
    /// What is known of CR0, CR4, XCR0 and MXCSR, so that what is done in few steps asks only once. All clear: nothing.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Ready: u8 {
        /// SSE instructions are enabled.
        const SSE = 1 << 0;
        /// VEX instructions are enabled.
        const AVX = 1 << 1;
        /// SSE instructions are enabled; results are rounded to nearest, and one that is not exact changes nothing of MXCSR.
        const SSE_ROUNDS = 1 << 2;
        /// VEX instructions are enabled, and it is so.
        const AVX_ROUNDS = 1 << 3;
    }
}

/// The vector registers and their control registers.
#[derive(Clone, Debug)]
pub struct Simd {
    /// YMM0 to YMM15.
    pub registers: Registers,
    /// MXCSR.
    mxcsr: u32,
    /// XCR0.
    xcr0: u64,
    /// See [`Ready`]; derived.
    ready: Ready,
}

impl Default for Simd {
    fn default() -> Self {
        Self {
            registers: Registers::default(),
            mxcsr: MXCSR_RESET,
            xcr0: 1,
            ready: Ready::empty(),
        }
    }
}

impl Simd {
    /// The register that an operation names.
    #[inline(always)]
    pub fn get(&self, place: u8) -> V256 {
        self.registers.get(place)
    }

    /// XCR0.
    pub fn xcr0(&self) -> u64 {
        self.xcr0
    }

    /// From the exchanged form. Bits that do not exist stay 0. `Interpreter::settle_simd` must follow.
    pub fn from_state(s: &SimdState) -> Self {
        let mut registers = Registers::default();
        for (n, &[a, b, c, d]) in s.vectors.iter().enumerate() {
            registers.set(
                Registers::place(n),
                [exec::joined(a, b), exec::joined(c, d)],
            );
        }
        Self {
            registers,
            mxcsr: s.mxcsr & control::MXCSR_BITS,
            xcr0: s.xcr0 & control::XCR0_BITS | 1,
            ready: Ready::empty(),
        }
    }

    /// To the exchanged form.
    pub fn to_state(&self) -> SimdState {
        SimdState {
            vectors: std::array::from_fn(|n| {
                let [l, h] = self.registers.get(Registers::place(n));
                [l as u64, (l >> 64) as u64, h as u64, (h >> 64) as u64]
            }),
            mxcsr: self.mxcsr,
            xcr0: self.xcr0,
        }
    }
}

/// What an instruction works on that sees whole registers.
pub struct Args {
    /// First source.
    pub a: V256,
    /// Second source, the one that may be in memory; for instructions with one source that.
    pub b: V256,
    /// Immediate.
    pub imm: u8,
    /// 256 bits.
    pub wide: bool,
    /// Of two NaNs that DPPS or DPPD adds, the one of the lower lane wins: so on AMD's processors.
    pub lower_first: bool,
}
