//! SHA-256 (FIPS 180-4), for the checksum file beside the images.

/// The first 32 bits of the fractional parts of the cube roots (`exponent` 3) or square roots (2) of
/// the first primes, computed exactly in integers (FIPS 180-4, sections 4.2.2 and 5.3.3).
fn root_fractions<const N: usize>(exponent: u32) -> [u32; N] {
    let mut primes = (2u128..).filter(|n| (2..*n).all(|d| n % d != 0));
    std::array::from_fn(|_| {
        let prime = primes.next().unwrap_or(2);
        // The largest r with r^exponent <= prime * 2^(32 * exponent); its low half is the fraction.
        let target = prime << (32 * exponent);
        let mut root = 0u128;
        for bit in (0..40).rev() {
            let candidate = root | 1 << bit;
            if candidate.checked_pow(exponent).is_some_and(|p| p <= target) {
                root = candidate;
            }
        }
        (root & 0xffff_ffff) as u32
    })
}

/// The digest of `message`.
pub fn digest(message: &[u8]) -> [u8; 32] {
    let constants: [u32; 64] = root_fractions(3);
    let mut hash: [u32; 8] = root_fractions(2);
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((message.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks_exact(64) {
        let mut w = [0u32; 64];
        for (word, bytes) in w.iter_mut().zip(block.chunks_exact(4)) {
            *word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        for t in 16..64 {
            let s0 = w[t - 15].rotate_right(7) ^ w[t - 15].rotate_right(18) ^ (w[t - 15] >> 3);
            let s1 = w[t - 2].rotate_right(17) ^ w[t - 2].rotate_right(19) ^ (w[t - 2] >> 10);
            w[t] = w[t - 16]
                .wrapping_add(s0)
                .wrapping_add(w[t - 7])
                .wrapping_add(s1);
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = hash;
        for t in 0..64 {
            let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let t1 = h
                .wrapping_add(s1)
                .wrapping_add((e & f) ^ (!e & g))
                .wrapping_add(constants[t])
                .wrapping_add(w[t]);
            let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let t2 = s0.wrapping_add((a & b) ^ (a & c) ^ (b & c));
            (h, g, f, e) = (g, f, e, d.wrapping_add(t1));
            (d, c, b, a) = (c, b, a, t1.wrapping_add(t2));
        }
        for (sum, part) in hash.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *sum = sum.wrapping_add(part);
        }
    }
    let mut out = [0; 32];
    for (bytes, word) in out.chunks_exact_mut(4).zip(hash) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn abc_has_the_digest_of_the_standards_example() {
        let text: String = super::digest(b"abc")
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            text,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
