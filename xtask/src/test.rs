//! The README's test command: fetches what the tests boot, runs all tests, and boots the guests that everybody has.

use anyhow::{Context, Result, bail};
use std::fs::File;
use std::path::Path;
use std::process::Command;

/// Runs all of it, even if a part fails (a guest that cannot be had keeps no other test from running), and fails with
/// the list of what failed.
pub fn run(root: &Path, args: &[String]) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut failed = Vec::new();
    let mut run = |line: &str, more: &[String]| -> Result<()> {
        let line = format!("cargo {line}");
        println!("{line} {}", more.join(" "));
        let status = Command::new(&cargo)
            .args(line.split(' ').skip(1))
            .args(more)
            .current_dir(root)
            .status()
            .context("cargo cannot be run")?;
        if !status.success() {
            failed.push(line);
        }
        Ok(())
    };
    run("run --quiet -p testsuite -- guests fetch", &[])?;
    run("test --workspace", args)?;
    run("build --quiet --release -p frontend -p testsuite", &[])?;
    run(
        "run --quiet --release -p testsuite -- guests run --origin public",
        &[],
    )?;
    // The tests of the KVM back end have nothing to run on without it.
    if let Err(e) = File::options().read(true).write(true).open("/dev/kvm") {
        println!("not tested: the KVM back end, because /dev/kvm cannot be opened ({e})");
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join("; "));
    }
    Ok(())
}
