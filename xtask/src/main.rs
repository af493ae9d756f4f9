//! Project chores: `cargo xtask TASK`.
//!
//! Each check prints what it looked at and fails with every violation, one a line.

mod arrows;
mod bench_compare;
mod chain;
mod conformance;
mod files;
mod roms;
mod sizes;
mod test;
mod unsafety;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

#[derive(Parser)]
#[command(name = "xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Crates import only what lies below them
    Arrows,
    /// No source file is long without a reason in its header
    Sizes,
    /// `unsafe` stands only in the files that may hold it, each block with its SAFETY comment
    Unsafe,
    /// The images in roms/ are what their sources assemble to, and match their checksums
    Roms,
    /// arrows, sizes, unsafe, roms
    Check,
    /// The handlers of a program built for release jump to one another
    Chain {
        /// The program
        #[arg(default_value = "target/release/boxwood")]
        program: PathBuf,
    },
    /// Runs the benchmarks and holds them against benches/baseline.toml
    BenchCompare(bench_compare::Args),
    /// Runs the suites and makes docs/conformance.md of what came of them
    Conformance(conformance::Args),
    /// Fetches what the tests boot, runs all tests and boots the guests that everybody has
    Test {
        /// More arguments for `cargo test`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

/// The workspace's folder.
fn root() -> PathBuf {
    let mut path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    path.pop();
    path
}

fn main() -> std::process::ExitCode {
    match run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("xtask: {e}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let root = root();
    match Cli::parse().task {
        Task::Arrows => arrows::check(&root),
        Task::Sizes => sizes::check(&root),
        Task::Unsafe => unsafety::check(&root),
        Task::Roms => roms::check(&root),
        Task::Check => {
            arrows::check(&root)?;
            sizes::check(&root)?;
            unsafety::check(&root)?;
            roms::check(&root)
        }
        Task::Chain { program } => chain::check(&program),
        Task::BenchCompare(args) => bench_compare::run(&root, &args),
        Task::Conformance(args) => conformance::run(&root, &args),
        Task::Test { args } => test::run(&root, &args),
    }
}

/// Fails with all violations, or says that there were none.
fn verdict(what: &str, violations: &[String]) -> Result<()> {
    if violations.is_empty() {
        println!("{what}: ok");
        return Ok(());
    }
    for v in violations {
        eprintln!("{what}: {v}");
    }
    anyhow::bail!("{what}: {} violations", violations.len())
}
