//! AES and carry-less products against published results (FIPS 197), and the error bound of the approximations.

use crate::simd::approximate::{reciprocal, reciprocal_root};
use crate::simd::crypto::*;
use crate::simd::lane::{build, lane};

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
