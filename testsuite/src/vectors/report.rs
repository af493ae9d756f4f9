//! The table of results, and failures in full.

use super::case::Outcome;
use super::moo::{Reg, Test};
use std::fmt::Write;

/// What came of an opcode's tests.
#[derive(Debug, Default)]
pub struct OpcodeResult {
    /// The file's name without its ending.
    pub opcode: String,
    /// The mnemonic.
    pub instruction: Option<String>,
    /// The first failures for the results, by number.
    pub described: Vec<(u64, String)>,
    /// Tests run.
    pub runs: u64,
    /// Tests that did not end as captured.
    pub failed: u64,
    /// The first of them.
    pub shown: Vec<Failure>,
}

/// A failed test, as text.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// Describes it.
    pub fn new(test: &Test, outcome: Outcome) -> Self {
        let mut text = format!("  #{} {}  [", test.index, test.name);
        for b in &test.bytes {
            let _ = write!(text, " {b:02X}");
        }
        let _ = writeln!(text, " ]  {}", test.hash_hex());
        let _ = write!(text, "    initial:");
        for reg in Reg::ALL {
            let name = format!("{reg:?}").to_lowercase();
            let value = test.initial.reg(reg).unwrap_or_default();
            let _ = write!(text, " {name}={value:04X}");
        }
        let _ = writeln!(text);
        if let Some(e) = test.exception {
            let _ = writeln!(text, "    the silicon took exception {}", e.vector);
        }
        match outcome {
            Outcome::Same => {}
            Outcome::Lost(why) => {
                let _ = writeln!(text, "    {why}");
            }
            Outcome::Different(differences) => {
                for d in differences {
                    let _ = writeln!(
                        text,
                        "    {:>8}: initial {:04X}, expected {:04X}, got {:04X}{}",
                        d.what,
                        d.initial,
                        d.expected,
                        d.got,
                        if matches!(d.mask, 0xFF | 0xFFFF) {
                            String::new()
                        } else {
                            format!(" (mask {:04X})", d.mask)
                        }
                    );
                }
            }
        }
        Self(text)
    }
}

/// The mnemonic in a test's name, behind its prefixes.
pub fn mnemonic(name: &str) -> &str {
    const PREFIXES: [&str; 11] = [
        "rep", "repe", "repz", "repne", "repnz", "lock", "cs", "ds", "es", "ss", "data16",
    ];
    let mut words = name.split_whitespace();
    words.find(|w| !PREFIXES.contains(w)).unwrap_or(name)
}

/// Prints the table.
pub fn print(results: &[OpcodeResult]) {
    let mut text = String::new();
    for result in results.iter().filter(|r| !r.shown.is_empty()) {
        let _ = writeln!(text, "{}:", result.opcode);
        for failure in &result.shown {
            text.push_str(&failure.0);
        }
    }
    let _ = writeln!(text, "{:<8} {:>7} {:>7}", "opcode", "runs", "failed");
    for r in results {
        let _ = writeln!(text, "{:<8} {:>7} {:>7}", r.opcode, r.runs, r.failed);
    }
    print!("{text}");
}
