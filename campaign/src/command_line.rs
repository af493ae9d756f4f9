//! What the suites' command lines have in common.

use crate::results::Results;
use crate::shard::Shard;
use anyhow::Result;
use clap::Parser;
use clap::error::ErrorKind;
use std::path::PathBuf;
use thiserror::Error;

/// Exit code for a command that makes no sense.
pub const EXIT_WRONG_USE: u8 = 64;

/// A command, or the environment it runs in, makes no sense.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{0}")]
pub struct WrongUse(pub String);

/// What every suite takes.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct CampaignArgs {
    /// Run part I of N, counted from 1; by default what JOB_COMPLETION_INDEX and BOXWOOD_SHARDS, or the variables of a
    /// SLURM job array, say, and everything where they are not set
    #[arg(long, value_name = "I/N", value_parser = Shard::parse)]
    pub shard: Option<Shard>,
    /// Write what came of it as JUnit XML
    #[arg(long, value_name = "FILE.xml")]
    pub junit: Option<PathBuf>,
}

impl CampaignArgs {
    /// The part to run.
    pub fn shard(&self) -> Result<Shard, WrongUse> {
        Shard::given_or_scheduled(self.shard)
    }
}

/// Parses the command line. `Err` is the exit code of a program that has said what there is to say.
pub fn parse<C: Parser>(program: &str) -> Result<C, u8> {
    C::try_parse().map_err(|e| match e.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            print!("{e}");
            0
        }
        _ => {
            eprintln!("{program}: {}", one_sentence(&e.to_string()));
            EXIT_WRONG_USE
        }
    })
}

/// Clap's message without its list of usages.
fn one_sentence(text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let lines = text.lines().map(str::trim);
    let told: Vec<_> = lines
        .take_while(|l| !l.starts_with("Usage:") && !l.starts_with("For more"))
        .filter(|l| !l.is_empty())
        .collect();
    told.join("; ")
}

/// Writes the JUnit file if one is wanted, and prints the verdict as the last line; `true` if nothing failed.
pub fn conclude(results: &Results, args: &CampaignArgs) -> Result<bool> {
    if let Some(path) = &args.junit {
        crate::junit::write(results, path)?;
    }
    println!("{}", results.verdict());
    Ok(results.passed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        campaign: CampaignArgs,
    }

    #[test]
    fn a_part_that_is_none_of_the_whole_is_one_clear_sentence() {
        let e = Cli::try_parse_from(["suite", "--shard", "3/2"]).unwrap_err();
        assert_eq!(
            one_sentence(&e.to_string()),
            "invalid value '3/2' for '--shard <I/N>': a part is I/N with I from 1 to N, as in 2/4"
        );
    }

    #[test]
    fn a_part_on_the_command_line_is_taken() {
        let cli = Cli::try_parse_from(["suite", "--shard", "2/3", "--junit", "a.xml"]).unwrap();
        assert_eq!(cli.campaign.shard().unwrap().to_string(), "2/3");
    }
}
