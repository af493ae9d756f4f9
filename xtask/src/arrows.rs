//! The dependency arrows between the workspace's crates point only down.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::Path;

/// What each crate may import of the workspace. Siblings never import each other.
const ALLOWED: [(&str, &[&str]); 13] = [
    ("emu-core", &[]),
    ("cpu", &["emu-core"]),
    ("accel-kvm", &["emu-core"]),
    ("chipset", &["emu-core"]),
    ("bios", &["emu-core"]),
    ("demo-disk", &[]),
    ("campaign", &[]),
    ("machine", BELOW_MACHINE),
    ("frontend", BELOW_TOP),
    ("testsuite", BELOW_SUITES),
    ("benches", BELOW_TOP),
    ("fuzz", BELOW_SUITES),
    ("xtask", &[]),
];
const BELOW_MACHINE: &[&str] = &[
    "emu-core",
    "cpu",
    "accel-kvm",
    "chipset",
    "bios",
    "demo-disk",
];
const BELOW_TOP: &[&str] = &[
    "emu-core",
    "cpu",
    "accel-kvm",
    "chipset",
    "bios",
    "demo-disk",
    "machine",
];

const BELOW_SUITES: &[&str] = &[
    "emu-core",
    "cpu",
    "accel-kvm",
    "chipset",
    "bios",
    "demo-disk",
    "machine",
    "campaign",
];

/// Checks every member's manifest, dev- and build-dependencies included.
pub fn check(root: &Path) -> Result<()> {
    let workspace = manifest(&root.join("Cargo.toml"))?;
    let members = workspace
        .get("workspace")
        .and_then(|w| w.get("members"))
        .and_then(|m| m.as_array())
        .context("the root manifest has no members")?;
    let mut edges: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for member in members {
        let folder = member.as_str().context("a member is no string")?;
        let m = manifest(&root.join(folder).join("Cargo.toml"))?;
        let name = m["package"]["name"]
            .as_str()
            .context("a package without a name")?;
        let tables = ["dependencies", "dev-dependencies", "build-dependencies"];
        let names = tables
            .iter()
            .filter_map(|t| m.get(*t).and_then(|d| d.as_table()))
            .flat_map(|d| d.keys().cloned());
        edges.insert(name.to_string(), names.collect());
    }
    let violations = violations(&edges);
    super::verdict("arrows", &violations)
}

fn violations(edges: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut found = Vec::new();
    for (name, wants) in edges {
        let Some((_, allowed)) = ALLOWED.iter().find(|(n, _)| n == name) else {
            found.push(format!(
                "{name} has no place in the house: name it in xtask/src/arrows.rs"
            ));
            continue;
        };
        for want in wants.iter().filter(|w| edges.contains_key(*w)) {
            if !allowed.contains(&want.as_str()) {
                found.push(format!("{name} -> {want} is no arrow that points down"));
            }
        }
    }
    found
}

fn manifest(path: &Path) -> Result<toml::Table> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    text.parse().with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrow_that_points_up_or_sideways_is_found() {
        let edges = |list: &[(&str, &[&str])]| -> BTreeMap<String, Vec<String>> {
            list.iter()
                .map(|(n, w)| (n.to_string(), w.iter().map(|s| s.to_string()).collect()))
                .collect()
        };
        let good = edges(&[
            ("emu-core", &[]),
            ("cpu", &["emu-core", "serde"]),
            ("chipset", &[]),
        ]);
        assert!(violations(&good).is_empty());
        let bad = edges(&[
            ("emu-core", &["cpu"]),
            ("cpu", &["chipset"]),
            ("chipset", &[]),
        ]);
        assert_eq!(violations(&bad).len(), 2);
        assert_eq!(violations(&edges(&[("stray", &[])])).len(), 1);
    }
}
