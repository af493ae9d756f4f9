//! The suites' `metadata.json` (which flags are undefined after which opcode) and `revocation_list.txt` (tests that
//! their author withdrew).

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// All flags count.
const ALL_FLAGS: u16 = 0xFFFF;

#[derive(Debug, Default, Deserialize)]
struct Opcode {
    #[serde(rename = "flags-mask")]
    flags_mask: Option<u16>,
    #[serde(default)]
    reg: HashMap<String, Opcode>,
}

#[derive(Debug, Deserialize)]
struct File {
    cpu: String,
    opcodes: HashMap<String, Opcode>,
}

/// A suite's masks and revoked tests.
#[derive(Debug, Default)]
pub struct Metadata {
    cpu: String,
    opcodes: HashMap<String, Opcode>,
    revoked: HashSet<String>,
}

impl Metadata {
    /// Reads both files of a suite's folder. A suite without a revocation list has revoked nothing.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("metadata.json");
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read the suite's masks, {}", path.display()))?;
        let list = folder.join("revocation_list.txt");
        let revoked = match std::fs::read_to_string(&list) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(e).with_context(|| format!("cannot read {}", list.display())),
        };
        Self::parse(&text, &revoked).with_context(|| format!("{} is malformed", path.display()))
    }

    fn parse(json: &str, revoked: &str) -> Result<Self> {
        let file: File = serde_json::from_str(json)?;
        if file.opcodes.is_empty() {
            bail!("it lists no opcode");
        }
        let revoked = revoked
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty() && !l.starts_with('#'))
            .map(str::to_ascii_lowercase)
            .collect();
        Ok(Self {
            cpu: file.cpu,
            opcodes: file.opcodes,
            revoked,
        })
    }

    /// The processor that the suite was captured from, in the suite's own words.
    pub fn cpu(&self) -> &str {
        &self.cpu
    }

    /// The flags that are defined after an opcode (`F6.4` is F6 with 4 in the reg field), or `None` if the suite does
    /// not know it.
    pub fn flags_mask(&self, opcode: &str) -> Option<u16> {
        let (byte, reg) = match opcode.split_once('.') {
            Some((byte, reg)) => (byte, Some(reg)),
            None => (opcode, None),
        };
        let entry = self.opcodes.get(byte)?;
        let entry = match reg {
            Some(reg) => entry.reg.get(reg)?,
            None => entry,
        };
        Some(entry.flags_mask.unwrap_or(ALL_FLAGS))
    }

    /// Whether the suite's author withdrew this test.
    pub fn is_revoked(&self, hash_hex: &str) -> bool {
        self.revoked.contains(hash_hex)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"cpu": "286", "opcodes": {
        "00": {"status": "normal"},
        "27": {"status": "normal", "flags-mask": 63487},
        "F6": {"reg": {"4": {"flags-mask": 65323}, "5": {}}}}}"#;

    #[test]
    fn masks_are_found_by_opcode_and_reg_field() {
        let m = Metadata::parse(JSON, "").unwrap();
        assert_eq!(m.cpu(), "286");
        assert_eq!(m.flags_mask("00"), Some(0xFFFF));
        assert_eq!(m.flags_mask("27"), Some(0xF7FF));
        assert_eq!(m.flags_mask("F6.4"), Some(0xFF2B));
        assert_eq!(m.flags_mask("F6.5"), Some(0xFFFF));
        assert_eq!(m.flags_mask("F6.6"), None);
        assert_eq!(m.flags_mask("42"), None);
    }

    #[test]
    fn revoked_hashes_are_lines_that_are_no_comment() {
        let m = Metadata::parse(JSON, "# list\n\nAB12\n").unwrap();
        assert!(m.is_revoked("ab12"));
        assert!(!m.is_revoked("# list"));
    }

    #[test]
    fn a_file_that_is_no_metadata_is_refused() {
        assert!(Metadata::parse("{}", "").is_err());
        assert!(Metadata::parse(r#"{"cpu":"x","opcodes":{}}"#, "").is_err());
        assert!(
            Metadata::parse(r#"{"cpu":"x","opcodes":{"00":{"flags-mask":65536}}}"#, "").is_err()
        );
    }
}
