//! No source file is longer than it must be.

use anyhow::Result;
use std::path::Path;

/// Past this many lines a file's header says why it is one file.
const LINES_MAX: usize = 800;
/// The words with which a header begins its reason.
const REASON: &str = "One file because";

/// Checks every source file.
pub fn check(root: &Path) -> Result<()> {
    let mut violations = Vec::new();
    for path in super::files::rust_files(root)? {
        let text = std::fs::read_to_string(root.join(&path))?;
        let lines = text.lines().count();
        if is_too_long(&text) {
            violations.push(format!(
                "{} has {lines} lines: split it, or say in its header \"{REASON} ..\"",
                path.display()
            ));
        }
    }
    super::verdict("sizes", &violations)
}

fn is_too_long(text: &str) -> bool {
    let header = text.lines().take_while(|l| l.starts_with("//!"));
    text.lines().count() > LINES_MAX && !header.into_iter().any(|l| l.contains(REASON))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_needs_a_reason_in_its_header() {
        let body = "fn f() {}\n".repeat(LINES_MAX);
        assert!(!is_too_long(&body));
        assert!(is_too_long(&format!("//! A file.\n{body}")));
        assert!(!is_too_long(&format!(
            "//! {REASON} it is a table.\n{body}"
        )));
        assert!(is_too_long(&format!("{body}//! {REASON} it is a table.\n")));
    }
}
