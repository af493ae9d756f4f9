//! The test suites that need a CPU or a whole board: `cargo run --release -p testsuite -- SUITE ..`.

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use testsuite::{guests, laws, native, ring0, vectors};

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
}

fn main() -> ExitCode {
    let result = match Cli::parse().suite {
        Suite::Vectors(args) => vectors::run(&args),
        Suite::Guests(args) => guests::run(&args),
        Suite::Laws(args) => laws::run(&args),
        Suite::Native(args) => native::run(&args),
        Suite::Ring0(args) => ring0::run(&args),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("testsuite: {e:#}");
            ExitCode::from(EXIT_BAD_DATA)
        }
    }
}
