//! What a machine printed about a case.

use super::layout::record;
use std::collections::BTreeMap;

/// How a case ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// With an exception.
    Recorded(Box<Record>),
    /// The machine shut down: an exception came up while it delivered a double fault.
    Shutdown,
    /// It printed nothing more.
    Silent,
}

/// The state behind the exception.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    pub fields: [u32; record::DWORDS],
    /// Dwords of the sandbox that changed, by offset.
    pub memory: BTreeMap<u32, u32>,
}

impl Record {
    /// Parses a line.
    pub fn parse(line: &str) -> Option<Self> {
        let words = line
            .strip_prefix('#')?
            .split_ascii_whitespace()
            .map(|w| u32::from_str_radix(w, 16).ok());
        let mut fields = [0; record::DWORDS];
        let words: Option<Vec<u32>> = words.collect();
        let words = words?;
        // The number says how many follow.
        let long = words.first()? & record::LONG != 0;
        let many = if long {
            record::DWORDS
        } else {
            record::LEGACY_DWORDS
        };
        fields[..many].copy_from_slice(words.get(..many)?);
        fields[record::NUMBER] &= !record::LONG;
        let rest = &words[many..];
        let pairs = rest.chunks_exact(2);
        if !pairs.remainder().is_empty() {
            return None;
        }
        let memory = pairs.map(|p| (p[0], p[1])).collect();
        Some(Self { fields, memory })
    }

    /// The vector.
    pub fn vector(&self) -> u32 {
        self.fields[record::VECTOR] >> 16
    }
}
