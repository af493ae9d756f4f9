//! Lanes of a 128-bit register: a register is a `u128`, its lane 0 the least significant.

/// An integer that fills a lane.
pub trait Lane: Copy + PartialOrd + 'static {
    /// Bits.
    const BITS: u32;
    /// The low bits of a value.
    fn of(v: u64) -> Self;
    /// The lane's bits, zero-extended.
    fn bits(self) -> u64;
    /// The value; not for unsigned quadwords.
    fn value(self) -> i64;
    /// The nearest value that fits.
    fn saturate(v: i64) -> Self;
}

macro_rules! lane {
    ($($t:ty, $unsigned:ty);*) => {
        $(impl Lane for $t {
            const BITS: u32 = <$t>::BITS;
            #[inline(always)]
            fn of(v: u64) -> Self {
                v as $t
            }
            #[inline(always)]
            fn bits(self) -> u64 {
                u64::from(self as $unsigned)
            }
            #[inline(always)]
            fn value(self) -> i64 {
                self as i64
            }
            #[inline(always)]
            fn saturate(v: i64) -> Self {
                let (low, high) = (<$t>::MIN as i64, <$t>::MAX as i64);
                (if Self::BITS == 64 { v } else { v.clamp(low, high) }) as $t
            }
        })*
    };
}

lane!(u8, u8; u16, u16; u32, u32; u64, u64; i8, u8; i16, u16; i32, u32; i64, u64);

/// Lanes in 128 bits.
pub const fn lanes<T: Lane>() -> u32 {
    128 / T::BITS
}

/// Lane `i`.
#[inline(always)]
pub fn lane<T: Lane>(v: u128, i: u32) -> T {
    T::of((v >> (i * T::BITS)) as u64)
}

/// A register of which lane `i` is `v` and all others are 0.
#[inline(always)]
pub fn at<T: Lane>(i: u32, v: T) -> u128 {
    u128::from(v.bits()) << (i * T::BITS)
}

/// A register made lane by lane.
#[inline(always)]
pub fn build<T: Lane>(f: impl Fn(u32) -> T) -> u128 {
    let mut r = 0;
    let mut i = 0;
    while i < lanes::<T>() {
        r |= at(i, f(i));
        i += 1;
    }
    r
}

/// A function of each pair of lanes.
#[inline(always)]
pub fn each<T: Lane>(a: u128, b: u128, f: impl Fn(T, T) -> T) -> u128 {
    build(|i| f(lane(a, i), lane(b, i)))
}

/// `v` with lane `i` replaced.
#[inline(always)]
pub fn with<T: Lane>(v: u128, i: u32, new: T) -> u128 {
    let mask = u128::from(u64::MAX >> (64 - T::BITS)) << (i * T::BITS);
    (v & !mask) | at(i, new)
}
