//! The images in `roms/` are what their sources assemble to, and their checksums are right.

use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;

/// Rebuilds everything into a scratch folder and compares.
pub fn check(root: &Path) -> Result<()> {
    let kept = root.join("roms");
    let scratch = root.join("target").join("roms-rebuilt");
    if scratch.exists() {
        std::fs::remove_dir_all(&scratch)?;
    }
    std::fs::create_dir_all(&scratch)?;
    rebuild(root, &scratch)?;
    let mut violations = Vec::new();
    let mut compared = 0;
    for entry in std::fs::read_dir(&scratch)? {
        let path = entry?.path();
        let name = path.file_name().context("a file without a name")?;
        // The sums of the scratch folder cover less than those of roms/.
        if name == "SHA256SUMS" {
            continue;
        }
        compared += 1;
        let old = std::fs::read(kept.join(name)).unwrap_or_default();
        if std::fs::read(&path)? != old {
            violations.push(format!(
                "roms/{} differs from what its source assembles to: cargo run -p bios --example write-roms",
                name.display()
            ));
        }
    }
    if compared == 0 {
        bail!("roms: this host's compiler cannot assemble x86 code, so nothing could be compared");
    }
    let sums = Command::new("sha256sum")
        .args(["--check", "--quiet", "SHA256SUMS"])
        .current_dir(&kept)
        .status()
        .context("sha256sum cannot be run")?;
    if !sums.success() {
        violations.push("roms/SHA256SUMS does not match".into());
    }
    super::verdict("roms", &violations)
}

fn rebuild(root: &Path, scratch: &Path) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args([
            "run",
            "--quiet",
            "-p",
            "bios",
            "--example",
            "write-roms",
            "--",
        ])
        .arg(scratch)
        .current_dir(root)
        .status()?;
    if !status.success() {
        bail!("write-roms failed");
    }
    Ok(())
}
