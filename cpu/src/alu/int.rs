//! Operand widths as types.

use emu_core::Width;

/// An unsigned integer of operand width: `u8`, `u16`, `u32` (and `u64`).
pub trait Int: Copy + Eq + Ord + std::fmt::Debug + 'static {
    /// Bits.
    const BITS: u32;
    /// The width as the bus knows it.
    const WIDTH: Width;
    /// The low bits of a value.
    fn from_u64(v: u64) -> Self;
    /// Zero-extended.
    fn to_u64(self) -> u64;
    /// Sign-extended.
    fn to_i64(self) -> i64;
    /// Rotated by a count of which as many bits count as the width has.
    fn rotated_left(self, count: u32) -> Self;
    /// See [`Self::rotated_left`].
    fn rotated_right(self, count: u32) -> Self;

    /// Bytes.
    const BYTES: usize = Self::BITS as usize / 8;
    /// All ones, zero-extended.
    const MASK: u64 = u64::MAX >> (64 - Self::BITS);
    /// The sign bit.
    const SIGN: u64 = 1 << (Self::BITS - 1);
}

macro_rules! int {
    ($t:ty, $signed:ty, $width:ident) => {
        impl Int for $t {
            const BITS: u32 = <$t>::BITS;
            const WIDTH: Width = Width::$width;
            #[inline(always)]
            fn from_u64(v: u64) -> Self {
                v as $t
            }
            #[inline(always)]
            fn to_u64(self) -> u64 {
                u64::from(self)
            }
            #[inline(always)]
            fn to_i64(self) -> i64 {
                i64::from(self as $signed)
            }
            #[inline(always)]
            fn rotated_left(self, count: u32) -> Self {
                self.rotate_left(count)
            }
            #[inline(always)]
            fn rotated_right(self, count: u32) -> Self {
                self.rotate_right(count)
            }
        }
    };
}

int!(u8, i8, Byte);
int!(u16, i16, Word);
int!(u32, i32, Dword);
int!(u64, i64, Qword);
