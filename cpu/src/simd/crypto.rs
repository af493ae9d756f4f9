//! AES, carry-less multiplication and SHA (SDM vol. 1, section 12.13 and vol. 2; FIPS 197, FIPS 180-4). Functions of the
//! form (destination, source, immediate) -> result.

use super::lane::{build, lane};

/// Multiplication by x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1.
const fn double(v: u8) -> u8 {
    v << 1 ^ if v >> 7 != 0 { 0x1B } else { 0 }
}

/// The product in that field.
const fn times(mut a: u8, mut b: u8) -> u8 {
    let mut r = 0;
    while b != 0 {
        if b & 1 != 0 {
            r ^= a;
        }
        a = double(a);
        b >>= 1;
    }
    r
}

/// The substitution box of FIPS 197, section 5.1.1: the inverse, then an affine map.
static SUBSTITUTION: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let v = i as u8;
        // v^254 is the inverse, and 0 for 0.
        let mut inverse = 1;
        let mut n = 0;
        while n < 254 {
            inverse = times(inverse, v);
            n += 1;
        }
        if v == 0 {
            inverse = 0;
        }
        table[i] = inverse
            ^ inverse.rotate_left(1)
            ^ inverse.rotate_left(2)
            ^ inverse.rotate_left(3)
            ^ inverse.rotate_left(4)
            ^ 0x63;
        i += 1;
    }
    table
};

/// Its inverse.
static INVERSE: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        table[SUBSTITUTION[i] as usize] = i as u8;
        i += 1;
    }
    table
};

fn substitute(v: u128, table: &[u8; 256]) -> u128 {
    u128::from_le_bytes(v.to_le_bytes().map(|b| table[usize::from(b)]))
}

/// Row r of the state (byte 4c + r) moves by r columns: left, or with `n` = 3 right.
fn shift_rows(v: u128, n: u32) -> u128 {
    build(|i| {
        let (column, row) = (i / 4, i % 4);
        lane::<u8>(v, 4 * ((column + n * row) % 4) + row)
    })
}

/// Each column as a polynomial times a fixed one, the coefficients of its first row given.
fn mix_columns(v: u128, by: [u8; 4]) -> u128 {
    build(|i| {
        let (column, row) = (i / 4, i % 4);
        (0..4).fold(0u8, |sum, k| {
            let factor = by[((k + 4 - row) % 4) as usize];
            sum ^ times(lane(v, 4 * column + k), factor)
        })
    })
}

const MIX: [u8; 4] = [2, 3, 1, 1];
const UNMIX: [u8; 4] = [14, 11, 13, 9];

/// AESENC.
pub fn encrypt(a: u128, key: u128, _: u8) -> u128 {
    mix_columns(substitute(shift_rows(a, 1), &SUBSTITUTION), MIX) ^ key
}
/// AESENCLAST.
pub fn encrypt_last(a: u128, key: u128, _: u8) -> u128 {
    substitute(shift_rows(a, 1), &SUBSTITUTION) ^ key
}
/// AESDEC.
pub fn decrypt(a: u128, key: u128, _: u8) -> u128 {
    mix_columns(substitute(shift_rows(a, 3), &INVERSE), UNMIX) ^ key
}
/// AESDECLAST.
pub fn decrypt_last(a: u128, key: u128, _: u8) -> u128 {
    substitute(shift_rows(a, 3), &INVERSE) ^ key
}
/// AESIMC.
pub fn unmix(_: u128, b: u128, _: u8) -> u128 {
    mix_columns(b, UNMIX)
}
/// AESKEYGENASSIST.
pub fn key_assist(_: u128, b: u128, imm: u8) -> u128 {
    let s = substitute(b, &SUBSTITUTION);
    build(|i| {
        let word = lane::<u32>(s, i | 1);
        match i {
            1 | 3 => lane::<u32>(s, i).rotate_right(8) ^ u32::from(imm),
            _ => word,
        }
    })
}

/// PCLMULQDQ: polynomials over GF(2), of which the immediate chooses the halves.
pub fn carryless(a: u128, b: u128, imm: u8) -> u128 {
    let x = lane::<u64>(a, u32::from(imm & 1));
    let y = lane::<u64>(b, u32::from(imm >> 4 & 1));
    (0..64)
        .filter(|i| y >> i & 1 != 0)
        .fold(0, |sum, i| sum ^ u128::from(x) << i)
}

/// Doublewords, the most significant first.
fn words(v: u128) -> [u32; 4] {
    [lane(v, 3), lane(v, 2), lane(v, 1), lane(v, 0)]
}

fn from_words(w: [u32; 4]) -> u128 {
    build(|i| w[3 - i as usize])
}

/// SHA1NEXTE.
pub fn sha1_next(a: u128, b: u128, _: u8) -> u128 {
    let [w0, w1, w2, w3] = words(b);
    let e = lane::<u32>(a, 3).rotate_left(30);
    from_words([w0.wrapping_add(e), w1, w2, w3])
}
/// SHA1MSG1.
pub fn sha1_message_1(a: u128, b: u128, _: u8) -> u128 {
    let ([w0, w1, w2, w3], [w4, w5, _, _]) = (words(a), words(b));
    from_words([w2 ^ w0, w3 ^ w1, w4 ^ w2, w5 ^ w3])
}
/// SHA1MSG2.
pub fn sha1_message_2(a: u128, b: u128, _: u8) -> u128 {
    let ([x0, x1, x2, x3], [_, w13, w14, w15]) = (words(a), words(b));
    let w16 = (x0 ^ w13).rotate_left(1);
    from_words([
        w16,
        (x1 ^ w14).rotate_left(1),
        (x2 ^ w15).rotate_left(1),
        (x3 ^ w16).rotate_left(1),
    ])
}
/// SHA1RNDS4: four rounds; the immediate chooses function and constant (FIPS 180-4, sections 4.1.1 and 4.2.1).
pub fn sha1_rounds(state: u128, message: u128, imm: u8) -> u128 {
    let [mut a, mut b, mut c, mut d] = words(state);
    let mut e = 0u32;
    for w in words(message) {
        let (f, k) = match imm & 3 {
            0 => (b & c ^ !b & d, 0x5A82_7999),
            1 => (b ^ c ^ d, 0x6ED9_EBA1),
            2 => (b & c ^ b & d ^ c & d, 0x8F1B_BCDC),
            _ => (b ^ c ^ d, 0xCA62_C1D6u32),
        };
        // The first word already contains E.
        let next = f
            .wrapping_add(a.rotate_left(5))
            .wrapping_add(w)
            .wrapping_add(e)
            .wrapping_add(k);
        (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
    }
    from_words([a, b, c, d])
}

fn sigma_0(v: u32) -> u32 {
    v.rotate_right(7) ^ v.rotate_right(18) ^ v >> 3
}
fn sigma_1(v: u32) -> u32 {
    v.rotate_right(17) ^ v.rotate_right(19) ^ v >> 10
}
/// SHA256MSG1.
pub fn sha256_message_1(a: u128, b: u128, _: u8) -> u128 {
    build(|i| {
        let next = if i == 3 {
            lane::<u32>(b, 0)
        } else {
            lane(a, i + 1)
        };
        lane::<u32>(a, i).wrapping_add(sigma_0(next))
    })
}
/// SHA256MSG2.
pub fn sha256_message_2(a: u128, b: u128, _: u8) -> u128 {
    let w16 = lane::<u32>(a, 0).wrapping_add(sigma_1(lane(b, 2)));
    let w17 = lane::<u32>(a, 1).wrapping_add(sigma_1(lane(b, 3)));
    let w18 = lane::<u32>(a, 2).wrapping_add(sigma_1(w16));
    let w19 = lane::<u32>(a, 3).wrapping_add(sigma_1(w17));
    from_words([w19, w18, w17, w16])
}
/// SHA256RNDS2: two rounds; the third source (XMM0) holds message words with their constants added.
pub fn sha256_rounds(a: u128, b: u128, message: u128) -> u128 {
    let ([mut s2, mut s3, mut s6, mut s7], [mut s0, mut s1, mut s4, mut s5]) = (words(a), words(b));
    for i in 0..2 {
        let choice = s4 & s5 ^ !s4 & s6;
        let majority = s0 & s1 ^ s0 & s2 ^ s1 & s2;
        let big_1 = s4.rotate_right(6) ^ s4.rotate_right(11) ^ s4.rotate_right(25);
        let big_0 = s0.rotate_right(2) ^ s0.rotate_right(13) ^ s0.rotate_right(22);
        let t1 = choice
            .wrapping_add(big_1)
            .wrapping_add(lane::<u32>(message, i))
            .wrapping_add(s7);
        (s7, s6, s5, s4) = (s6, s5, s4, s3.wrapping_add(t1));
        (s3, s2, s1) = (s2, s1, s0);
        s0 = t1.wrapping_add(majority).wrapping_add(big_0);
    }
    from_words([s0, s1, s4, s5])
}
