//! The README's test command: fetches what the tests boot and runs all tests.

use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;

/// Runs all tests of the workspace. Guests are fetched by the test suite itself, which says what it cannot get.
pub fn run(root: &Path, args: &[String]) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let run = |words: &[&str], more: &[String]| -> Result<()> {
        println!("cargo {} {}", words.join(" "), more.join(" "));
        let status = Command::new(&cargo)
            .args(words)
            .args(more)
            .current_dir(root)
            .status()
            .context("cargo cannot be run")?;
        if !status.success() {
            bail!("cargo {} failed", words.join(" "));
        }
        Ok(())
    };
    run(
        &["run", "--quiet", "-p", "testsuite", "--", "guests", "fetch"],
        &[],
    )?;
    run(&["test", "--workspace"], args)
}
