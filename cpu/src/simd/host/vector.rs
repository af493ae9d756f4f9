//! 128 bits as a vector register of the host's holds them, and what the host's instructions make of them.
//!
//! Elsewhere than on x86-64 they are an integer, and the functions that an instruction of the host's would stand for do what
//! the instruction's row of the table does; tests run these beside the host's.
use crate::simd::V256;
use crate::simd::exec::joined;
use emu_core::x86::VECTOR_REGISTERS;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64 as x86;

/// Rows of the table without an immediate, each the name of the host's function.
macro_rules! like_rows {
    ($($name:ident)*) => {
        $(
            /// What the instruction of this name makes of two vectors; `_row`: as its row of the table has it.
            #[inline(always)]
            #[cfg(target_arch = "x86_64")]
            pub fn $name(a: Xmm, b: Xmm, _row: impl Fn(u128, u128) -> u128) -> Xmm {
                Xmm(sse2!(x86::$name(a.0, b.0)))
            }
            /// What the row of the table makes of two vectors.
            #[inline(always)]
            #[cfg(not(target_arch = "x86_64"))]
            pub fn $name(a: Xmm, b: Xmm, row: impl Fn(u128, u128) -> u128) -> Xmm {
                Xmm::of(row(a.bits(), b.bits()))
            }
        )*
    };
}

like_rows! {
    _mm_add_epi8 _mm_add_epi16 _mm_add_epi32 _mm_add_epi64 _mm_sub_epi8 _mm_sub_epi16 _mm_sub_epi32 _mm_sub_epi64
    _mm_adds_epi8 _mm_adds_epi16 _mm_adds_epu8 _mm_adds_epu16 _mm_subs_epi8 _mm_subs_epi16 _mm_subs_epu8 _mm_subs_epu16
    _mm_avg_epu8 _mm_avg_epu16 _mm_cmpeq_epi8 _mm_cmpeq_epi16 _mm_cmpeq_epi32 _mm_cmpgt_epi8 _mm_cmpgt_epi16
    _mm_cmpgt_epi32 _mm_min_epu8 _mm_max_epu8 _mm_min_epi16 _mm_max_epi16 _mm_and_si128 _mm_andnot_si128 _mm_or_si128
    _mm_xor_si128 _mm_mullo_epi16 _mm_mulhi_epi16 _mm_mulhi_epu16 _mm_mul_epu32 _mm_madd_epi16 _mm_sad_epu8
    _mm_sll_epi16 _mm_sll_epi32 _mm_sll_epi64 _mm_srl_epi16 _mm_srl_epi32 _mm_srl_epi64 _mm_sra_epi16 _mm_sra_epi32
    _mm_packs_epi16 _mm_packs_epi32 _mm_packus_epi16 _mm_unpacklo_epi8 _mm_unpacklo_epi16 _mm_unpacklo_epi32
    _mm_unpacklo_epi64 _mm_unpackhi_epi8 _mm_unpackhi_epi16 _mm_unpackhi_epi32 _mm_unpackhi_epi64
}

/// 128 bits.
#[derive(Copy, Clone)]
pub struct Xmm(
    #[cfg(target_arch = "x86_64")] pub(super) x86::__m128i,
    #[cfg(not(target_arch = "x86_64"))] u128,
);

#[cfg(target_arch = "x86_64")]
impl Xmm {
    /// Two quadwords, the low one first.
    #[inline(always)]
    pub fn load(v: &[u64; 2]) -> Self {
        Self(sse2!(x86::_mm_loadu_si128(v.as_ptr().cast())))
    }
    /// Its quadwords.
    #[inline(always)]
    pub fn store(self, to: &mut [u64; 2]) {
        sse2!(x86::_mm_storeu_si128(to.as_mut_ptr().cast(), self.0));
    }
    /// A low quadword, the upper one 0.
    #[inline(always)]
    pub fn of_low(v: u64) -> Self {
        Self(sse2!(x86::_mm_cvtsi64_si128(v as i64)))
    }
    /// An integer.
    #[inline(always)]
    pub fn of(v: u128) -> Self {
        Self(sse2!(x86::_mm_set_epi64x((v >> 64) as i64, v as i64)))
    }
    /// Its low quadword.
    #[inline(always)]
    pub fn low(self) -> u64 {
        sse2!(x86::_mm_cvtsi128_si64(self.0)) as u64
    }
    /// Its high quadword.
    #[inline(always)]
    pub fn high(self) -> u64 {
        sse2!(x86::_mm_cvtsi128_si64(x86::_mm_unpackhi_epi64(
            self.0, self.0
        ))) as u64
    }
    /// The same, of which the compiler no longer knows how it was made: so it does not make parts of it again.
    #[inline(always)]
    pub(super) fn kept(mut self) -> Self {
        // SAFETY: nothing is executed.
        unsafe {
            std::arch::asm!("/* {0} */", inout(xmm_reg) self.0, options(pure, nomem, nostack, preserves_flags));
        }
        self
    }
    /// The signs of its bytes.
    #[inline(always)]
    pub fn byte_signs(self) -> u64 {
        sse2!(x86::_mm_movemask_epi8(self.0)) as u64
    }
    /// The signs of its doublewords.
    #[inline(always)]
    pub fn single_signs(self) -> u64 {
        sse2!(x86::_mm_movemask_ps(x86::_mm_castsi128_ps(self.0))) as u64
    }
    /// The signs of its quadwords.
    #[inline(always)]
    pub fn double_signs(self) -> u64 {
        sse2!(x86::_mm_movemask_pd(x86::_mm_castsi128_pd(self.0))) as u64
    }
}

#[cfg(not(target_arch = "x86_64"))]
impl Xmm {
    /// Two quadwords, the low one first.
    #[inline(always)]
    pub fn load(v: &[u64; 2]) -> Self {
        Self(joined(v[0], v[1]))
    }
    /// Its quadwords.
    #[inline(always)]
    pub fn store(self, to: &mut [u64; 2]) {
        *to = [self.low(), self.high()];
    }
    /// A low quadword, the upper one 0.
    #[inline(always)]
    pub fn of_low(v: u64) -> Self {
        Self(v.into())
    }
    /// An integer.
    #[inline(always)]
    pub fn of(v: u128) -> Self {
        Self(v)
    }
    /// Its low quadword.
    #[inline(always)]
    pub fn low(self) -> u64 {
        self.0 as u64
    }
    /// Its high quadword.
    #[inline(always)]
    pub fn high(self) -> u64 {
        (self.0 >> 64) as u64
    }
    /// The signs of its bytes.
    #[inline(always)]
    pub fn byte_signs(self) -> u64 {
        crate::simd::integer::signs::<u8>(self.0)
    }
    /// The signs of its doublewords.
    #[inline(always)]
    pub fn single_signs(self) -> u64 {
        crate::simd::integer::signs::<u32>(self.0)
    }
    /// The signs of its quadwords.
    #[inline(always)]
    pub fn double_signs(self) -> u64 {
        crate::simd::integer::signs::<u64>(self.0)
    }
}

impl Xmm {
    /// As an integer.
    #[inline(always)]
    pub fn bits(self) -> u128 {
        joined(self.low(), self.high())
    }
}

/// Shuffles whose immediate says which lanes: through memory, where a lane can be found by its number.
#[cfg(target_arch = "x86_64")]
mod shuffles {
    use super::{Xmm, x86};

    /// Two bits of the immediate.
    #[inline(always)]
    fn field(imm: u8, i: u32) -> usize {
        usize::from(imm >> (2 * i) & 3)
    }

    #[inline(always)]
    fn doublewords(v: Xmm) -> [i32; 4] {
        let mut lanes = [0; 4];
        sse2!(x86::_mm_storeu_si128(lanes.as_mut_ptr().cast(), v.0));
        lanes
    }

    #[inline(always)]
    fn words(v: Xmm) -> [u16; 8] {
        let mut lanes = [0; 8];
        sse2!(x86::_mm_storeu_si128(lanes.as_mut_ptr().cast(), v.0));
        lanes
    }

    /// SHUFPS.
    #[inline(always)]
    pub fn shuffle_singles(a: Xmm, b: Xmm, imm: u8) -> Xmm {
        let (a, b) = (doublewords(a), doublewords(b));
        let lanes = [
            a[field(imm, 0)],
            a[field(imm, 1)],
            b[field(imm, 2)],
            b[field(imm, 3)],
        ];
        Xmm(sse2!(x86::_mm_loadu_si128(lanes.as_ptr().cast())))
    }

    /// PSHUFD.
    #[inline(always)]
    pub fn shuffle_doublewords(_: Xmm, b: Xmm, imm: u8) -> Xmm {
        shuffle_singles(b, b, imm)
    }

    /// PSHUFLW.
    #[inline(always)]
    pub fn shuffle_low_words(_: Xmm, b: Xmm, imm: u8) -> Xmm {
        let lanes = words(b);
        let lane = |i| i32::from(lanes[field(imm, i)]);
        Xmm(sse2!({
            let v = x86::_mm_insert_epi16::<0>(b.0, lane(0));
            let v = x86::_mm_insert_epi16::<1>(v, lane(1));
            let v = x86::_mm_insert_epi16::<2>(v, lane(2));
            x86::_mm_insert_epi16::<3>(v, lane(3))
        }))
    }

    /// PSHUFHW.
    #[inline(always)]
    pub fn shuffle_high_words(_: Xmm, b: Xmm, imm: u8) -> Xmm {
        let lanes = words(b);
        let lane = |i| i32::from(lanes[4 + field(imm, i)]);
        Xmm(sse2!({
            let v = x86::_mm_insert_epi16::<4>(b.0, lane(0));
            let v = x86::_mm_insert_epi16::<5>(v, lane(1));
            let v = x86::_mm_insert_epi16::<6>(v, lane(2));
            x86::_mm_insert_epi16::<7>(v, lane(3))
        }))
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod shuffles {
    use super::Xmm;
    use crate::simd::shuffle;

    macro_rules! by_lanes {
        ($($name:ident)*) => {
            $(
                /// As the table's row has it.
                #[inline(always)]
                pub fn $name(a: Xmm, b: Xmm, imm: u8) -> Xmm {
                    Xmm::of(shuffle::$name(a.bits(), b.bits(), imm))
                }
            )*
        };
    }
    by_lanes! { shuffle_singles shuffle_doublewords shuffle_low_words shuffle_high_words }
}
pub use shuffles::{shuffle_doublewords, shuffle_high_words, shuffle_low_words, shuffle_singles};

/// Quadwords of a register.
const QUADWORDS: usize = 4;
/// Any byte names some quadword, behind which there are three more: so nobody need check it.
const WORDS: usize = 256 + QUADWORDS;

/// The vector registers. One is named by its first quadword's number, as [`Registers::place`] gives it.
#[derive(Clone, Debug)]
#[repr(align(32))]
pub struct Registers([u64; WORDS]);

impl Default for Registers {
    fn default() -> Self {
        Self([0; WORDS])
    }
}

impl Registers {
    /// What names YMMn.
    pub const fn place(n: usize) -> u8 {
        ((n % VECTOR_REGISTERS) * QUADWORDS) as u8
    }

    /// A YMM register.
    #[inline(always)]
    pub fn get(&self, place: u8) -> V256 {
        let (n, w) = (usize::from(place), &self.0);
        [joined(w[n], w[n + 1]), joined(w[n + 2], w[n + 3])]
    }

    /// Replaces a YMM register.
    #[inline(always)]
    pub fn set(&mut self, place: u8, v: V256) {
        let n = usize::from(place);
        let quadwords = v.map(|half| [half as u64, (half >> 64) as u64]);
        self.0[n..n + QUADWORDS].copy_from_slice(quadwords.as_flattened());
    }

    /// Replaces a YMM register's lower half.
    #[inline(always)]
    pub fn set_low(&mut self, place: u8, v: u128) {
        let n = usize::from(place);
        [self.0[n], self.0[n + 1]] = [v as u64, (v >> 64) as u64];
    }

    /// The first `n`.
    pub fn first(&self, n: usize) -> impl Iterator<Item = V256> + '_ {
        (0..n).map(|i| self.get(Self::place(i)))
    }

    /// An XMM register.
    #[inline(always)]
    pub fn xmm(&self, place: u8) -> Xmm {
        let n = usize::from(place);
        #[cfg(target_arch = "x86_64")]
        {
            // There are two quadwords from any `n` on.
            Xmm(sse2!(x86::_mm_loadu_si128(self.0.as_ptr().add(n).cast())))
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            Xmm(joined(self.0[n], self.0[n + 1]))
        }
    }

    /// The low quadword of a register.
    #[inline(always)]
    pub fn low(&self, place: u8) -> u64 {
        self.0[usize::from(place)]
    }

    /// Replaces an XMM register; the upper half of the YMM register stays.
    #[inline(always)]
    pub fn set_xmm(&mut self, place: u8, v: Xmm) {
        self.set_half(usize::from(place), v);
    }

    /// Replaces an XMM register; the upper half of the YMM register becomes 0.
    #[inline(always)]
    pub fn set_xmm_alone(&mut self, place: u8, v: Xmm) {
        self.set_half(usize::from(place), v);
        self.set_half(usize::from(place) + QUADWORDS / 2, Xmm::of_low(0));
    }

    /// `n` comes of a byte, and perhaps 2.
    #[inline(always)]
    fn set_half(&mut self, n: usize, v: Xmm) {
        #[cfg(target_arch = "x86_64")]
        {
            // There are two quadwords from any such `n` on.
            sse2!(x86::_mm_storeu_si128(
                self.0.as_mut_ptr().add(n).cast(),
                v.0
            ));
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            [self.0[n], self.0[n + 1]] = [v.low(), v.high()];
        }
    }
}
