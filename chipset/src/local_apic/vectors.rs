//! A set of interrupt vectors, as ISR, TMR and IRR hold it.

use serde::{Deserialize, Serialize};

/// One bit for each vector.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Vectors([u32; 8]);

impl Vectors {
    /// Puts a vector in, or takes it out.
    pub fn set(&mut self, vector: u8, present: bool) {
        let (word, bit) = (&mut self.0[usize::from(vector >> 5)], 1 << (vector & 31));
        if present {
            *word |= bit;
        } else {
            *word &= !bit;
        }
    }

    /// Whether a vector is in it.
    pub fn contains(&self, vector: u8) -> bool {
        self.0[usize::from(vector >> 5)] >> (vector & 31) & 1 != 0
    }

    /// The vector with the highest priority.
    pub fn highest(&self) -> Option<u8> {
        let word = self.0.iter().rposition(|w| *w != 0)?;
        Some((word as u32 * 32 + self.0[word].ilog2()) as u8)
    }

    /// The doubleword that a register shows.
    pub fn word(&self, n: u8) -> u32 {
        self.0[usize::from(n & 7)]
    }
}
