//! Random floating-point operands, weighted towards the edges of every format.

/// A xorshift64* generator: small, fast, and the same everywhere.
#[derive(Clone, Debug)]
pub struct Prng(u64);

impl Prng {
    /// Seeded; any seed will do.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(n)) >> 64) as u64
    }

    /// One of them.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

/// A 64-bit significand pattern: random, sparse, dense, near a rounding boundary of 24, 53 or 64 bits.
pub fn significand(rng: &mut Prng) -> u64 {
    match rng.below(8) {
        0 => rng.next_u64(),
        1 => 1 << rng.below(64),
        2 => u64::MAX << rng.below(64),
        3 => u64::MAX >> rng.below(64),
        4 => (1 << rng.below(64)) | (1 << rng.below(64)),
        5 => {
            // An exact half, or one off, below a kept significand.
            let bits = rng.pick(&[24, 53, 63]);
            let half = 1u64 << (63 - bits);
            ((rng.next_u64() >> (64 - bits)) << (64 - bits) | half)
                .wrapping_add(rng.below(3))
                .wrapping_sub(1)
        }
        6 => rng.next_u64() & rng.next_u64() & rng.next_u64(),
        _ => rng.next_u64() << rng.below(64),
    }
}

/// Any encoding of the double extended format, as sign and exponent, significand.
pub fn f80(rng: &mut Prng) -> (u16, u64) {
    const INTEGER: u64 = 1 << 63;
    let sign = (rng.next_u64() as u16) & 0x8000;
    let any = significand(rng);
    let (exponent, significand) = match rng.below(24) {
        0 => (0, 0),
        1 => (0, any & !INTEGER),
        2 => (0, any | INTEGER),
        3 => (0x7FFF, INTEGER),
        4 => (0x7FFF, any | INTEGER),
        5 => (0x7FFF, any),
        6 => (rng.below(0x8000) as u16, any & !INTEGER),
        7 => (rng.below(130) as u16, any | INTEGER),
        8 => (0x7FFE - rng.below(130) as u16, any | INTEGER),
        9 => (rng.below(0x7FFF) as u16, any | INTEGER),
        // Around the ends of single and double precision.
        10 => (0x3FFF - 127 - 30 + rng.below(60) as u16, any | INTEGER),
        11 => (0x3FFF + 127 - 5 + rng.below(10) as u16, any | INTEGER),
        12 => (0x3FFF - 1023 - 60 + rng.below(70) as u16, any | INTEGER),
        13 => (0x3FFF + 1023 - 5 + rng.below(10) as u16, any | INTEGER),
        // Around the ends of the integers, and small ones.
        14 => (0x3FFF + 10 + rng.below(60) as u16, any | INTEGER),
        15 => (
            0x3FFF + rng.pick(&[14u16, 15, 30, 31, 58, 59, 60, 62, 63]),
            any | INTEGER,
        ),
        16 => (0x3FFF, INTEGER),
        _ => (0x3FFF - 10 + rng.below(80) as u16, any | INTEGER),
    };
    (sign | exponent, significand)
}

/// A second operand: related to the first in value or exponent often enough to cancel, to tie and to leave the
/// range, otherwise independent.
pub fn f80_beside(rng: &mut Prng, a: (u16, u64)) -> (u16, u64) {
    let exponent = a.0 & 0x7FFF;
    let sign = (rng.next_u64() as u16) & 0x8000;
    let integer = if exponent == 0 { 0 } else { 1 << 63 };
    match rng.below(10) {
        0 => (sign | exponent, a.1),
        1 => (
            sign | exponent,
            a.1.wrapping_add(rng.below(5)).wrapping_sub(2) | integer,
        ),
        2 => (
            sign | (exponent
                .wrapping_add(rng.below(140) as u16)
                .wrapping_sub(70)
                & 0x7FFF),
            significand(rng) | 1 << 63,
        ),
        3 => (
            sign | (exponent.wrapping_add(rng.below(5) as u16).wrapping_sub(2) & 0x7FFF),
            significand(rng) | 1 << 63,
        ),
        // Products and quotients near the smallest and the largest number.
        4 => (
            sign | (0x3FFFu16
                .wrapping_sub(exponent)
                .wrapping_add(rng.below(140) as u16)
                .wrapping_sub(70)
                & 0x7FFF),
            significand(rng) | 1 << 63,
        ),
        5 => (
            sign | (exponent
                .wrapping_add(0x3FFE)
                .wrapping_add(rng.below(140) as u16)
                .wrapping_sub(70)
                & 0x7FFF),
            significand(rng) | 1 << 63,
        ),
        // Integers, for FSCALE.
        6 => {
            let n = significand(rng) >> (32 + rng.below(31)) | 1;
            let shift = n.leading_zeros();
            (sign | (0x3FFF + 63 - shift as u16), n << shift)
        }
        _ => f80(rng),
    }
}

/// Any encoding of single precision.
pub fn f32_bits(rng: &mut Prng) -> u32 {
    let fraction = (significand(rng) >> (rng.below(2) * 41)) as u32 & 0x7F_FFFF;
    let exponent = match rng.below(8) {
        0 => 0,
        1 => 0xFF,
        2 => rng.below(30) as u32,
        3 => 0xFE - rng.below(30) as u32,
        4 => 127,
        _ => rng.below(256) as u32,
    };
    let fraction = if rng.below(6) == 0 { 0 } else { fraction };
    (rng.next_u64() as u32) << 31 | exponent << 23 | fraction
}

/// Any encoding of double precision.
pub fn f64_bits(rng: &mut Prng) -> u64 {
    let fraction = significand(rng) >> (rng.below(2) * 12) & 0xF_FFFF_FFFF_FFFF;
    let exponent = match rng.below(8) {
        0 => 0,
        1 => 0x7FF,
        2 => rng.below(60),
        3 => 0x7FE - rng.below(60),
        4 => 1023,
        _ => rng.below(2048),
    };
    let fraction = if rng.below(6) == 0 { 0 } else { fraction };
    rng.next_u64() << 63 | exponent << 52 | fraction
}
