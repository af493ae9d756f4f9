//! `docs/conformance.md`: instruction by oracle, made of the suites' JUnit files. The same files give the same text.

mod names;
mod page;
#[cfg(test)]
mod tests;

use anyhow::{Context, Result, ensure};
use campaign::Results;
use std::path::PathBuf;

/// `testsuite conformance`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The document to write
    #[arg(value_name = "OUT.md")]
    out: PathBuf,
    /// JUnit files of whole suites, as `merge` or a run that is not shared writes them
    #[arg(value_name = "IN.xml", required = true)]
    results: Vec<PathBuf>,
}

/// Writes the document; `true` if nothing in it failed.
pub fn run(args: &Args) -> Result<bool> {
    let read = |path: &PathBuf| -> Result<Results> {
        let results = campaign::read(path)?;
        let (shard, name) = (results.shard, path.display());
        ensure!(
            shard.count() == 1,
            "{name} is part {shard} of a run; merge it first"
        );
        Ok(results)
    };
    let results = args.results.iter().map(read).collect::<Result<Vec<_>>>()?;
    let text = page::render(results)?;
    let cannot = || format!("cannot write {}", args.out.display());
    std::fs::write(&args.out, &text.page).with_context(cannot)?;
    let (rows, failed) = (text.instructions, text.failed);
    println!("conformance: {rows} instructions, {failed} failed");
    Ok(failed == 0)
}
