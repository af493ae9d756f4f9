//! `unsafe` lives in named files only, each block with its reason.

use anyhow::Result;
use std::path::Path;

/// Files and folders (with a final slash) that may hold `unsafe`, and what for.
const MAY: [(&str, &str); 10] = [
    ("emu-core/src/ram.rs", "guest memory"),
    ("cpu/src/mem/access.rs", "the memory fast path"),
    ("cpu/src/run.rs", "the block loop"),
    (
        "cpu/src/op.rs",
        "the block loop walks operations by pointer",
    ),
    ("cpu/src/simd/host", "host vector instructions"),
    ("accel-kvm/src/sys", "ioctls"),
    ("bios/src/image.rs", "extern statics of assembled images"),
    (
        "roms/demo/src/image.rs",
        "extern statics of assembled images",
    ),
    ("machine/src/net/tap.rs", "ioctls"),
    ("testsuite/src/native/", "host instructions as oracle"),
];

/// How many lines above an `unsafe` may hold its SAFETY comment.
const REACH: usize = 12;

/// Checks every source file.
pub fn check(root: &Path) -> Result<()> {
    let mut violations = Vec::new();
    for path in super::files::rust_files(root)? {
        let text = std::fs::read_to_string(root.join(&path))?;
        let name = path.display().to_string();
        // This file names what it looks for.
        if name == "xtask/src/unsafety.rs" {
            continue;
        }
        violations.extend(in_file(&name, &text));
    }
    super::verdict("unsafe", &violations)
}

fn in_file(name: &str, text: &str) -> Vec<String> {
    let allowed = MAY
        .iter()
        .any(|(place, _)| name == *place || (name.starts_with(place) && !place.ends_with(".rs")));
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        if !is_unsafe(line) {
            continue;
        }
        let at = i + 1;
        if !allowed {
            found.push(format!(
                "{name}:{at}: unsafe outside the files that may hold it"
            ));
            continue;
        }
        // A function that is unsafe to call explains itself under # Safety; an extern block declares only.
        let explained = lines[i.saturating_sub(REACH)..=i]
            .iter()
            .any(|l| l.contains("SAFETY:") || l.contains("# Safety"));
        let declares = line.contains("unsafe fn")
            || line.contains("unsafe extern")
            || line.contains("unsafe(");
        if !explained && !declares {
            found.push(format!("{name}:{at}: unsafe without a SAFETY comment"));
        }
    }
    found
}

/// Whether a line of code uses the keyword (comments, strings and lint names do not count).
fn is_unsafe(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    if code.contains("unsafe_code") || code.contains("unsafe_op") || code.contains('"') {
        return false;
    }
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|word| word == "unsafe")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &str = "fn f() {\n    unsafe { g() }\n}\n";

    #[test]
    fn unsafe_in_a_file_that_may_not_hold_it_is_found() {
        assert_eq!(in_file("chipset/src/vga/mod.rs", BLOCK).len(), 1);
        assert!(
            in_file(
                "chipset/src/vga/mod.rs",
                "// unsafe\n#![deny(unsafe_code)]\n"
            )
            .is_empty()
        );
    }

    #[test]
    fn unsafe_needs_its_comment_even_where_it_may_stand() {
        assert_eq!(in_file("emu-core/src/ram.rs", BLOCK).len(), 1);
        let good = "fn f() {\n    // SAFETY: g is fine.\n    unsafe { g() }\n}\n";
        assert!(in_file("emu-core/src/ram.rs", good).is_empty());
    }
}
