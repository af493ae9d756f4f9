//! A sector as it stands on a disc: ECMA-130 (Yellow Book), chapter 14 and annexes A and B.

/// User data of a mode 1 sector.
pub(super) const USER_BYTES: usize = 2048;
/// The whole sector.
pub(super) const RAW_BYTES: usize = 2352;
const SYNC: [u8; 12] = [
    0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0,
];
/// Where the EDC stands; it covers everything before.
const EDC: usize = 2064;
/// Where the P parity stands, and the Q parity.
const P_PARITY: usize = 2076;
const Q_PARITY: usize = P_PARITY + 2 * P_COLUMNS * 2;
const P_COLUMNS: usize = 43;
const P_ROWS: usize = 24;
const Q_DIAGONALS: usize = 26;
const Q_LENGTH: usize = 43;
/// Words that the Q parity covers.
const Q_WORDS: usize = 1118;
/// Frames (sectors) before LBA 0: two seconds of pregap.
pub(super) const PREGAP_FRAMES: u32 = 150;

/// Minute, second and frame of a sector's absolute time.
pub(super) fn msf(lba: u32) -> [u8; 3] {
    let f = lba.saturating_add(PREGAP_FRAMES);
    [(f / 75 / 60) as u8, (f / 75 % 60) as u8, (f % 75) as u8]
}

/// The sector of an absolute time; `None` inside the pregap.
pub(super) fn lba(msf: [u8; 3]) -> Option<u32> {
    let [m, s, f] = msf.map(u32::from);
    ((m * 60 + s) * 75 + f).checked_sub(PREGAP_FRAMES)
}

fn bcd(n: u8) -> u8 {
    ((n / 10 % 10) << 4) | (n % 10)
}

/// Annex B: CRC of 32 bits, P(x) = (x^16 + x^15 + x^2 + 1)(x^16 + x^2 + x + 1), least significant bit first.
pub(super) fn edc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |crc, b| {
        (0..8).fold(crc ^ u32::from(*b), |c, _| {
            if c & 1 != 0 {
                (c >> 1) ^ 0xD801_8001
            } else {
                c >> 1
            }
        })
    })
}

/// Multiplication by alpha in GF(2^8), x^8 + x^4 + x^3 + x^2 + 1 (annex A).
fn times_alpha(x: u8) -> u8 {
    (x << 1) ^ (u8::from(x & 0x80 != 0) * 0x1D)
}

/// Division by 1 + alpha: by its inverse, F4h.
fn over_one_plus_alpha(mut x: u8) -> u8 {
    let mut product = 0;
    for bit in 0..8 {
        if 0xF4 >> bit & 1 != 0 {
            product ^= x;
        }
        x = times_alpha(x);
    }
    product
}

/// The two parity bytes of a vector: with them the sum of all bytes is 0, and so is the sum weighted with falling
/// powers of alpha, the last byte having weight 1.
fn parity(data: impl Iterator<Item = u8>) -> [u8; 2] {
    let (mut sum, mut weighted) = (0, 0);
    for d in data {
        sum ^= d;
        weighted = times_alpha(weighted ^ d);
    }
    // Two more places follow: the weights of the data end with alpha squared.
    let weighted = times_alpha(weighted);
    let first = over_one_plus_alpha(sum ^ weighted);
    [first, sum ^ first]
}

/// Makes a whole sector of its user data.
pub(super) fn raw(lba: u32, user: &[u8]) -> Vec<u8> {
    let mut s = vec![0; RAW_BYTES];
    s[..12].copy_from_slice(&SYNC);
    for (slot, value) in s[12..15].iter_mut().zip(msf(lba)) {
        *slot = bcd(value);
    }
    s[15] = 1;
    let n = user.len().min(USER_BYTES);
    s[16..16 + n].copy_from_slice(&user[..n]);
    let check = edc(&s[..EDC]);
    s[EDC..EDC + 4].copy_from_slice(&check.to_le_bytes());
    // Words of two bytes from the header on; low and high bytes are coded apart.
    for plane in 0..2 {
        for column in 0..P_COLUMNS {
            let at = |row: usize| 12 + 2 * (P_COLUMNS * row + column) + plane;
            let p = parity((0..P_ROWS).map(|row| s[at(row)]));
            s[at(P_ROWS)] = p[0];
            s[at(P_ROWS + 1)] = p[1];
        }
        for diagonal in 0..Q_DIAGONALS {
            let at = |i: usize| 12 + 2 * ((44 * i + 43 * diagonal) % Q_WORDS) + plane;
            let q = parity((0..Q_LENGTH).map(|i| s[at(i)]));
            s[Q_PARITY + 2 * diagonal + plane] = q[0];
            s[Q_PARITY + 2 * (Q_DIAGONALS + diagonal) + plane] = q[1];
        }
    }
    s
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_count_from_the_pregap() {
        assert_eq!(msf(0), [0, 2, 0]);
        assert_eq!(msf(75 * 60), [1, 2, 0]);
        assert_eq!(lba([0, 2, 16]), Some(16));
        assert_eq!(lba([0, 1, 74]), None);
    }

    #[test]
    fn a_raw_sector_holds_header_data_and_codes_whose_sums_vanish() {
        let user: Vec<u8> = (0..2048).map(|i| (i * 7 + i / 256) as u8).collect();
        let s = raw(16, &user);
        assert_eq!(s[12..16], [0x00, 0x02, 0x16, 0x01]);
        assert_eq!(s[16..2064], user);
        assert_eq!(edc(&s[..2068]), 0, "a CRC over data and CRC is 0");
        assert_eq!(s[2068..2076], [0; 8]);
        let vanishes = |vector: &[u8]| {
            let sum = vector.iter().fold(0, |a, b| a ^ b);
            let weighted = vector.iter().fold(0, |a, b| times_alpha(a) ^ b);
            sum == 0 && weighted == 0
        };
        for plane in 0..2 {
            for column in 0..43 {
                let v: Vec<u8> = (0..26)
                    .map(|row| s[12 + 2 * (43 * row + column) + plane])
                    .collect();
                assert!(vanishes(&v), "P {column}");
            }
            for diagonal in 0..26 {
                let mut v: Vec<u8> = (0..43)
                    .map(|i| s[12 + 2 * ((44 * i + 43 * diagonal) % 1118) + plane])
                    .collect();
                v.push(s[12 + 2 * (1118 + diagonal) + plane]);
                v.push(s[12 + 2 * (1118 + 26 + diagonal) + plane]);
                assert!(vanishes(&v), "Q {diagonal}");
            }
        }
    }
}
