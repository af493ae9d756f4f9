//! What the host's processor itself answers. Oracles only; nothing here runs in an emulated machine.
//!
//! `testsuite native` walks iced-x86's table of forms and makes, for each that user mode can execute and that host and
//! model offer, instructions with random and edge-case operands and state ([`generator`], [`emit`], [`forms`]). Each is
//! executed by the host in a guarded child process ([`child`]) and by our core ([`subject`]), in the same code segment, on
//! the same memory with the same holes, up to the exception behind it or of its own. What the manual defines must be equal
//! ([`compare`]); a failure is shrunk ([`shrink`]) to one line, and such lines stay as tests (`testsuite/native/cases.txt`).
//!
//! x86-64 Linux hosts only.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod bench;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod case;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod child;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod compare;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod emit;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod forms;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod generator;
#[cfg(target_arch = "x86_64")]
pub mod host;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod layout;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod report;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod shrink;
#[cfg(target_arch = "x86_64")]
pub mod sse;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod subject;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod suite;
mod undefined;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub mod vector;
#[cfg(all(test, target_arch = "x86_64", target_os = "linux"))]
mod vector_tests;
#[cfg(target_arch = "x86_64")]
pub mod x87;

use anyhow::Result;
use campaign::CampaignArgs;
use std::path::PathBuf;

/// `testsuite native`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The seed of all cases
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many cases
    #[arg(long, default_value_t = 1_000_000)]
    count: u64,
    #[command(flatten)]
    campaign: CampaignArgs,
    /// Only forms whose names contain this, for example shld or Add_rm8
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Only code segments of this size (repeat for more)
    #[arg(long, value_name = "16|32|64")]
    bits: Vec<u32>,
    /// The CPU model, built as the host's maker would have; by default the one with the most features
    #[arg(long)]
    model: Option<String>,
    /// Shrink and show the first N failures of each form
    #[arg(long, value_name = "N", default_value_t = 1)]
    verbose: u64,
    /// List every form, those that are not compared too
    #[arg(long)]
    list: bool,
    /// Run one case, a line as the report shows it
    #[arg(long, value_name = "LINE", conflicts_with_all = ["only", "shard", "junit"])]
    replay: Option<String>,
    /// Run the cases of a file, one a line
    #[arg(long, value_name = "FILE", conflicts_with_all = ["only", "shard", "junit", "replay"])]
    replay_file: Option<PathBuf>,
}

/// Runs the suite; `true` if nothing failed.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub fn run(args: &Args) -> Result<bool> {
    suite::run(args)
}

/// Says that there is no oracle.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
pub fn run(_: &Args) -> Result<bool> {
    anyhow::bail!(
        "the host's processor is an oracle on x86-64 Linux hosts only; this is another one"
    )
}
