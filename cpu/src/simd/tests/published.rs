//! Instructions that hosts may lack against published results: FIPS 197, FIPS 180-4; and the error bound of the
//! approximations.

use crate::simd::approximate::{reciprocal, reciprocal_root};
use crate::simd::crypto::*;
use crate::simd::lane::{build, lane};
use crate::simd::shuffle::align_right;

fn add(a: u128, b: u128) -> u128 {
    build(|i| lane::<u32>(a, i).wrapping_add(lane(b, i)))
}

/// "abc", padded to one block (FIPS 180-4, section 5.1.1), as big-endian words.
fn block() -> [u32; 16] {
    let mut w = [0; 16];
    (w[0], w[15]) = (0x6162_6380, 24);
    w
}

/// The fractional part of a prime's cube root, 32 bits of it (FIPS 180-4, section 4.2.2).
fn cube_root_fraction(prime: u128) -> u32 {
    // floor(cbrt(prime) * 2^32) by bisection of the cube.
    let (mut low, mut high) = (0u128, 1u128 << 36);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if middle * middle * middle <= prime << 96 {
            low = middle;
        } else {
            high = middle;
        }
    }
    low as u32
}

#[test]
fn sha_256_of_abc_is_the_published_one() {
    let primes = (2u128..).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0));
    let k: Vec<u32> = primes.take(64).map(cube_root_fraction).collect();
    let four = |w: &[u32]| build(|i| w[i as usize]);
    let w = block();
    let mut m = [
        four(&w[0..4]),
        four(&w[4..8]),
        four(&w[8..12]),
        four(&w[12..16]),
    ];
    // ABEF and CDGH, the first letter in the highest lane.
    let start_0 = 0x6A09_E667_BB67_AE85_510E_527F_9B05_688C_u128;
    let start_1 = 0x3C6E_F372_A54F_F53A_1F83_D9AB_5BE0_CD19_u128;
    let (mut abef, mut cdgh) = (start_0, start_1);
    for i in 0..16 {
        if i >= 4 {
            let between = align_right(m[3], m[2], 4);
            let next = add(sha256_message_1(m[0], m[1], 0), between);
            m = [m[1], m[2], m[3], sha256_message_2(next, m[3], 0)];
        }
        let wk = add(m[i.min(3)], four(&k[4 * i..]));
        cdgh = sha256_rounds(cdgh, abef, wk);
        abef = sha256_rounds(abef, cdgh, wk >> 64);
    }
    assert_eq!(
        add(abef, start_0),
        0xBA78_16BF_8F01_CFEA_B003_61A3_9617_7A9C
    );
    assert_eq!(
        add(cdgh, start_1),
        0x4141_40DE_5DAE_2223_B410_FF61_F200_15AD
    );
}

#[test]
fn sha_1_of_abc_is_the_published_one() {
    let w = block();
    let four = |w: &[u32]| build(|i| w[3 - i as usize]);
    let mut m = [
        four(&w[0..4]),
        four(&w[4..8]),
        four(&w[8..12]),
        four(&w[12..16]),
    ];
    let start = 0x6745_2301_EFCD_AB89_98BA_DCFE_1032_5476_u128;
    let start_e = 0xC3D2_E1F0_u128 << 96;
    let (mut abcd, mut previous) = (start, start);
    for i in 0..20 {
        if i >= 4 {
            let x = sha1_message_1(m[0], m[1], 0) ^ m[2];
            m = [m[1], m[2], m[3], sha1_message_2(x, m[3], 0)];
        }
        let message = m[i.min(3)];
        let with_e = if i == 0 {
            add(message, start_e)
        } else {
            sha1_next(previous, message, 0)
        };
        previous = abcd;
        abcd = sha1_rounds(abcd, with_e, (i / 5) as u8);
    }
    assert_eq!(add(abcd, start), 0xA999_3E36_4706_816A_BA3E_2571_7850_C26C);
    assert_eq!(sha1_next(previous, start_e, 0) >> 96, 0x9CD0_D89D);
}

#[test]
fn aes_128_of_the_example_is_the_published_one() {
    // FIPS 197, appendix B.
    let bytes = |v: u128| v.swap_bytes();
    let mut key = bytes(0x2B7E_1516_28AE_D2A6_ABF7_1588_09CF_4F3C);
    let mut state = bytes(0x3243_F6A8_885A_308D_3131_98A2_E037_0734) ^ key;
    let mut keys = vec![key];
    for rcon in [1u8, 2, 4, 8, 16, 32, 64, 128, 0x1B, 0x36] {
        let word = lane::<u32>(key_assist(0, key, rcon), 3);
        let spread = key ^ key << 32;
        let spread = spread ^ spread << 64;
        key = spread ^ build(|_| word);
        keys.push(key);
    }
    for k in &keys[1..10] {
        state = encrypt(state, *k, 0);
    }
    state = encrypt_last(state, keys[10], 0);
    assert_eq!(bytes(state), 0x3925_841D_02DC_09FB_DC11_8597_196A_0B32);
    state ^= keys[10];
    for k in keys[1..10].iter().rev() {
        state = decrypt(state, unmix(0, *k, 0), 0);
    }
    state = decrypt_last(state, keys[0], 0);
    assert_eq!(bytes(state), 0x3243_F6A8_885A_308D_3131_98A2_E037_0734);
}

#[test]
fn a_carryless_product_chooses_quadwords_by_its_immediate() {
    // (x + 1) * (x + 1) = x^2 + 1.
    assert_eq!(carryless(3, 3, 0), 5);
    let top = u128::from(u64::MAX) << 64;
    assert_eq!(
        carryless(top, 3 << 64, 0x11),
        u128::from(u64::MAX) ^ u128::from(u64::MAX) << 1
    );
    assert_eq!(carryless(top, 3 << 64, 0x10), 0);
}

#[test]
fn approximations_keep_the_manuals_error_bound() {
    let bound = 1.5 * f64::from(1u16 << 12).recip();
    for exponent in [1u32, 64, 126, 127, 128, 200, 252] {
        for fraction in (0..1 << 23).step_by(37) {
            let x = exponent << 23 | fraction;
            let value = f64::from(f32::from_bits(x));
            let r = f64::from(f32::from_bits(reciprocal(x)));
            assert!((r * value - 1.0).abs() <= bound, "1 / {value}: {r}");
            let r = f64::from(f32::from_bits(reciprocal_root(x)));
            assert!(
                (r * value.sqrt() - 1.0).abs() <= bound,
                "1 / sqrt {value}: {r}"
            );
        }
    }
    // Zeros, denormals, infinities, negative numbers.
    assert_eq!(
        [0, 1, 0x8000_0000].map(reciprocal),
        [0x7F80_0000, 0x7F80_0000, 0xFF80_0000]
    );
    assert_eq!(
        [0x7F80_0000, 0xFF80_0000, 0x7F80_0001].map(reciprocal),
        [0, 0x8000_0000, 0x7FC0_0001]
    );
    assert_eq!(
        [
            0x8000_0000,
            0x8000_0001,
            0xBF80_0000,
            0x7F80_0000,
            0xFF80_0000
        ]
        .map(reciprocal_root),
        [0xFF80_0000, 0xFF80_0000, 0xFFC0_0000, 0, 0xFFC0_0000]
    );
}
