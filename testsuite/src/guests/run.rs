//! Booting a guest through the `boxwood` binary.

use super::fetch::{cache_folder, find};
use super::list::Guest;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// The `boxwood` that was built beside this program.
pub fn binary_beside_us() -> Result<PathBuf> {
    let mut folder = std::env::current_exe()?;
    folder.pop();
    // Test programs lie one folder deeper.
    if folder.ends_with("deps") {
        folder.pop();
    }
    let path = folder.join("boxwood");
    if !path.exists() {
        bail!("{} is not there: cargo build -p frontend", path.display());
    }
    Ok(path)
}

/// Boots a copy of the guest; says how long it took.
pub fn boot(guest: &Guest, boxwood: &Path, images: Option<&Path>) -> Result<String> {
    let original = find(guest, images)?;
    let scratch = cache_folder().join("scratch");
    std::fs::create_dir_all(&scratch)?;
    let name = format!(
        "{}-{}",
        std::process::id(),
        guest.name.replace([' ', '/'], "-")
    );
    let copy = scratch.join(&name);
    let stats = scratch.join(format!("{name}.json"));
    std::fs::copy(&original, &copy).with_context(|| original.display().to_string())?;
    let mut command = Command::new(boxwood);
    command.arg("run");
    if !guest.drive.is_empty() {
        command.arg(guest.drive);
    }
    command
        .arg(&copy)
        .args(["--display", "none", "--stats"])
        .arg(&stats)
        .args(guest.args);
    let started = Instant::now();
    let out = command.output().context("boxwood cannot be run")?;
    let seconds = started.elapsed().as_secs_f64();
    std::fs::remove_file(&copy)?;
    if !out.status.success() {
        bail!(
            "{} after {seconds:.0} s\n{}",
            out.status,
            String::from_utf8_lossy(&out.stderr)
        );
    }
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&stats)?)?;
    std::fs::remove_file(&stats)?;
    let insns = json["insns"]["total"].as_u64().unwrap_or(0);
    Ok(format!(
        "{seconds:.1} s, {:.1} million instructions",
        insns as f64 / 1e6
    ))
}
