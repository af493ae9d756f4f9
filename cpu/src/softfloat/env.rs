//! The environment of an operation: what the control word or MXCSR asks for, and what the status word gets.

use bitflags::bitflags;

/// Rounding control, encoded as in the x87 control word and MXCSR (SDM vol. 1, table 4-8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest value, ties to even.
    Nearest,
    /// Toward minus infinity.
    Down,
    /// Toward plus infinity.
    Up,
    /// Toward zero.
    Truncate,
}

impl Rounding {
    /// From the low two bits of an RC field.
    pub const fn from_bits(rc: u16) -> Self {
        match rc & 3 {
            0 => Self::Nearest,
            1 => Self::Down,
            2 => Self::Up,
            _ => Self::Truncate,
        }
    }
}

/// Precision control of the x87 control word (SDM vol. 1, table 8-2): it bounds the significand of add, subtract,
/// multiply, divide and square root, not the exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 24 bits.
    Single,
    /// 53 bits.
    Double,
    /// 64 bits; also the reserved encoding 01.
    Extended,
}

impl Precision {
    /// From the low two bits of a PC field.
    pub const fn from_bits(pc: u16) -> Self {
        match pc & 3 {
            0 => Self::Single,
            2 => Self::Double,
            _ => Self::Extended,
        }
    }

    /// Bits of the significand.
    pub const fn bits(self) -> u32 {
        match self {
            Self::Single => 24,
            Self::Double => 53,
            Self::Extended => 64,
        }
    }
}

bitflags! {
    /// The six floating-point exceptions, at the bit positions of the x87 status word and MXCSR.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Flags: u8 {
        /// IE: invalid operation.
        const INVALID = 1 << 0;
        /// DE: denormal operand.
        const DENORMAL = 1 << 1;
        /// ZE: division by zero.
        const ZERO_DIVIDE = 1 << 2;
        /// OE: numeric overflow.
        const OVERFLOW = 1 << 3;
        /// UE: numeric underflow.
        const UNDERFLOW = 1 << 4;
        /// PE: inexact result.
        const INEXACT = 1 << 5;
    }
}

impl Flags {
    /// The exceptions found before the operation is carried out; unmasked, they leave the destination unchanged.
    pub const PRE_COMPUTATION: Self = Self::INVALID.union(Self::DENORMAL).union(Self::ZERO_DIVIDE);
}

/// What an operation obeys (first part) and reports (`flags`, `rounded_up`, which it only ever sets).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloatEnv {
    /// Rounding control.
    pub rounding: Rounding,
    /// Precision control; only results of type `F80` look at it.
    pub precision: Precision,
    /// Exceptions that are masked.
    pub masked: Flags,
    /// MXCSR.DAZ: a denormal operand counts as zero and raises nothing.
    pub denormals_are_zero: bool,
    /// MXCSR.FTZ: with underflow masked, a tiny result becomes zero.
    pub flush_to_zero: bool,
    /// Some results next to the border of the normal numbers are not rounded, as Intel's processors do it; AMD's round these
    /// as all others. FSIN, FSINCOS and FPATAN by 1, which are hardly less than their operand, give of the smallest normal
    /// number that number, inexactly; and FPREM and FPREM1 by infinity and FSCALE by 0 leave a denormal number as it is, where
    /// an unmasked underflow would give it another exponent.
    pub leaves_unrounded: bool,
    /// Exceptions raised.
    pub flags: Flags,
    /// C1 of the status word: the last rounding increased the magnitude.
    pub rounded_up: bool,
    /// Exceptions that an earlier operation of the same instruction raised: those of the last hide them not.
    pub earlier: Flags,
}

impl FloatEnv {
    /// From an x87 control word (SDM vol. 1, section 8.1.5).
    pub const fn x87(control_word: u16) -> Self {
        Self {
            rounding: Rounding::from_bits(control_word >> 10),
            precision: Precision::from_bits(control_word >> 8),
            masked: Flags::from_bits_truncate((control_word & 0x3F) as u8),
            denormals_are_zero: false,
            flush_to_zero: false,
            leaves_unrounded: false,
            flags: Flags::empty(),
            rounded_up: false,
            earlier: Flags::empty(),
        }
    }

    /// From MXCSR (SDM vol. 1, section 10.2.3).
    pub const fn sse(mxcsr: u32) -> Self {
        Self {
            rounding: Rounding::from_bits((mxcsr >> 13) as u16),
            precision: Precision::Extended,
            masked: Flags::from_bits_truncate((mxcsr >> 7 & 0x3F) as u8),
            denormals_are_zero: mxcsr & 1 << 6 != 0,
            flush_to_zero: mxcsr & 1 << 15 != 0,
            leaves_unrounded: false,
            flags: Flags::empty(),
            rounded_up: false,
            earlier: Flags::empty(),
        }
    }

    /// Raises exceptions.
    pub fn raise(&mut self, flags: Flags) {
        self.flags |= flags;
    }

    /// Whether all of these exceptions are masked.
    pub const fn is_masked(&self, flags: Flags) -> bool {
        self.masked.contains(flags)
    }

    /// Another operation of the same instruction begins.
    pub fn begin_next_operation(&mut self) {
        self.earlier = self.flags;
    }

    /// Exceptions raised and not masked.
    pub const fn unmasked(&self) -> Flags {
        self.flags.difference(self.masked)
    }

    /// Whether an unmasked exception found before the computation forbids writing the destination
    /// (SDM vol. 1, section 4.9.1).
    pub const fn suppresses_result(&self) -> bool {
        self.unmasked().intersects(Flags::PRE_COMPUTATION)
    }

    /// Raises the denormal-operand exception if asked to; true if it is unmasked, so that the operation ends here.
    pub(super) fn denormal_operand_stops(&mut self, denormal: bool) -> bool {
        if denormal {
            self.raise(Flags::DENORMAL);
        }
        denormal && !self.is_masked(Flags::DENORMAL)
    }

    /// Records a rounding.
    pub(super) fn rounded(&mut self, inexact: bool, up: bool) {
        if inexact {
            self.raise(Flags::INEXACT);
        }
        self.rounded_up = up;
    }
}
