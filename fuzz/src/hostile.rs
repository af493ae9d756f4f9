//! Hostile bytes: values at the edges, and damage to files.

use emu_core::testkit::Rng;

const EDGES: [u8; 12] = [0, 1, 2, 3, 0x0F, 0x10, 0x55, 0x7F, 0x80, 0xAA, 0xFE, 0xFF];

/// A byte, half of the time one at an edge.
pub fn byte(rng: &mut Rng) -> u8 {
    let value = rng.next_u64();
    if value & 1 == 0 {
        EDGES[(value >> 8) as usize % EDGES.len()]
    } else {
        (value >> 16) as u8
    }
}

/// Fills a slice.
pub fn fill(bytes: &mut [u8], rng: &mut Rng) {
    for chunk in bytes.chunks_mut(8) {
        let value = rng.next_u64().to_le_bytes();
        chunk.copy_from_slice(&value[..chunk.len()]);
    }
}

fn place(len: usize, rng: &mut Rng) -> usize {
    rng.below(len as u64) as usize
}

/// Damages a file a little: flipped bits, bytes at an edge, runs of them, pieces moved, left out or doubled, an early
/// end.
pub fn damage(bytes: &mut Vec<u8>, rng: &mut Rng) {
    for _ in 0..=rng.below(4) {
        if bytes.is_empty() {
            return;
        }
        let at = place(bytes.len(), rng);
        match rng.below(16) {
            0..5 => bytes[at] ^= 1 << rng.below(8),
            5..9 => bytes[at] = byte(rng),
            9 | 10 => {
                // A whole number at an edge: lengths, counts, addresses.
                let width = 1usize << rng.below(4);
                let value = byte(rng);
                let end = (at + width).min(bytes.len());
                bytes[at..end].fill(value);
            }
            11 => {
                // A number in the variable-length form of the snapshot's sections: as large as it gets.
                let end = (at + 9).min(bytes.len());
                bytes[at..end].fill(0xFF);
                if let Some(last) = bytes.get_mut(end) {
                    *last = 1;
                }
            }
            12 => bytes.truncate(at),
            13 => {
                let (from, len) = (place(bytes.len(), rng), rng.below(64) as usize);
                let piece: Vec<u8> = bytes.iter().skip(from).take(len).copied().collect();
                let end = (at + piece.len()).min(bytes.len());
                bytes[at..end].copy_from_slice(&piece[..end - at]);
            }
            14 => {
                let end = (at + rng.below(16) as usize).min(bytes.len());
                bytes.drain(at..end);
            }
            _ => {
                let (value, len) = (byte(rng), rng.below(16) as usize);
                bytes.splice(at..at, std::iter::repeat_n(value, len));
            }
        }
    }
}
