//! How the program ends: exit codes, and the one sentence that goes with a mistake.

use std::fmt;

/// The guest powered off, all steps were met, or a limit was reached with no expectation.
pub const OK: u8 = 0;
/// The command line makes no sense.
pub const USAGE: u8 = 64;
/// An image, a configuration or a snapshot cannot be used.
pub const DATA: u8 = 65;
/// A defect of ours.
pub const INTERNAL: u8 = 70;
/// Interrupts are off (or none is coming) and nothing can wake the CPU.
pub const HALTED_FOR_EVER: u8 = 123;
/// A limit passed before an expectation was met.
pub const LIMIT: u8 = 124;
/// The guest ended before an expectation was met.
pub const ENDED_EARLY: u8 = 125;
/// A triple fault, with `--on-triple-fault exit`.
pub const TRIPLE_FAULT: u8 = 126;

/// A user's mistake, or a file's: a sentence and an exit code.
#[derive(Debug)]
pub struct Mistake {
    pub code: u8,
    pub sentence: String,
}

impl Mistake {
    pub fn usage(sentence: impl Into<String>) -> Self {
        let sentence = sentence.into();
        Self {
            code: USAGE,
            sentence,
        }
    }

    pub fn data(sentence: impl Into<String>) -> Self {
        let sentence = sentence.into();
        Self {
            code: DATA,
            sentence,
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Mistake {}
