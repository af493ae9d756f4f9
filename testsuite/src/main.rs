//! The test suites that need a CPU or a whole board: `cargo run --release -p testsuite -- SUITE ..`.

use anyhow::Result;
use campaign::{EXIT_WRONG_USE, Results, WrongUse};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use testsuite::{conformance, exceptions, guests, laws, native, published, ring0, vectors};

/// Exit code for a suite that cannot be read (65 is the front end's code for a bad image or configuration too).
const EXIT_BAD_DATA: u8 = 65;

#[derive(Parser)]
#[command(name = "testsuite", about = "Runs Boxwood's larger test suites")]
struct Cli {
    #[command(subcommand)]
    suite: Suite,
}

#[derive(Subcommand)]
enum Suite {
    /// Instruction vectors captured from real processors
    Vectors(vectors::Args),
    /// Real software that boots
    Guests(guests::Args),
    /// However a machine runs, its state is the same at the same instruction
    Laws(laws::Args),
    /// The host's own processor against ours, instruction by instruction
    Native(native::Args),
    /// System instructions against other emulators
    Ring0(ring0::Args),
    /// The manual's lists of exceptions of the system instructions
    Exceptions(exceptions::Args),
    /// Results that standards publish, for instructions that hosts may lack
    Published(published::Args),
    /// Makes docs/conformance.md of JUnit files
    Conformance(conformance::Args),
    /// Adds up the JUnit files of a run's parts
    Merge(MergeArgs),
}

#[derive(clap::Args)]
struct MergeArgs {
    /// The file to write
    #[arg(value_name = "OUT.xml")]
    out: PathBuf,
    /// The files of all parts
    #[arg(value_name = "IN.xml", required = true)]
    parts: Vec<PathBuf>,
}

fn merge(args: &MergeArgs) -> Result<bool> {
    let read = |path: &PathBuf| -> Result<(String, Results)> {
        Ok((path.display().to_string(), campaign::read(path)?))
    };
    let parts = args.parts.iter().map(read).collect::<Result<_>>()?;
    let whole = campaign::merge(parts)?;
    campaign::write(&whole, &args.out)?;
    println!("{}", whole.verdict());
    Ok(whole.passed())
}

fn main() -> ExitCode {
    let cli: Cli = match campaign::parse("testsuite") {
        Ok(cli) => cli,
        Err(code) => return ExitCode::from(code),
    };
    let result = match cli.suite {
        Suite::Vectors(args) => vectors::run(&args),
        Suite::Guests(args) => guests::run(&args),
        Suite::Laws(args) => laws::run(&args),
        Suite::Native(args) => native::run(&args),
        Suite::Ring0(args) => ring0::run(&args),
        Suite::Exceptions(args) => exceptions::run(&args),
        Suite::Published(args) => published::run(&args),
        Suite::Conformance(args) => conformance::run(&args),
        Suite::Merge(args) => merge(&args),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("testsuite: {e:#}");
            let wrong_use = e.downcast_ref::<WrongUse>().is_some();
            ExitCode::from(if wrong_use {
                EXIT_WRONG_USE
            } else {
                EXIT_BAD_DATA
            })
        }
    }
}
