//! `cargo run --profile fuzz -p fuzz -- TARGET|all`: throws hostile input at parts of the machine.

use anyhow::Result;
use campaign::{CampaignArgs, EXIT_WRONG_USE, Results, Row, Shard, Suite, Tally, WrongUse};
use clap::Parser;
use fuzz::{Plan, TARGETS, Target};
use std::process::ExitCode;

/// Exit code for a result that cannot be written.
const EXIT_BAD_DATA: u8 = 65;

#[derive(Parser)]
#[command(
    name = "fuzz",
    about = "Throws hostile input at parts of the machine; nothing may panic or hang"
)]
struct Cli {
    /// A target, the first part of several targets' names, `all`, or `list`
    target: String,
    /// Steps for each target: accesses, instructions or files, as `list` says
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    count: u64,
    /// Another seed gives other cases
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    campaign: CampaignArgs,
    /// Only this case, as a failure named it
    #[arg(long, value_name = "CASE", conflicts_with = "shard")]
    case: Option<u64>,
}

fn main() -> ExitCode {
    match campaign::parse("fuzz").map(|cli| run(&cli)) {
        Err(code) => ExitCode::from(code),
        Ok(Ok(true)) => ExitCode::SUCCESS,
        Ok(Ok(false)) => ExitCode::FAILURE,
        Ok(Err(e)) => {
            eprintln!("fuzz: {e:#}");
            let wrong_use = e.downcast_ref::<WrongUse>().is_some();
            ExitCode::from(if wrong_use {
                EXIT_WRONG_USE
            } else {
                EXIT_BAD_DATA
            })
        }
    }
}

/// Plays what was asked for; whether nothing failed.
fn run(cli: &Cli) -> Result<bool> {
    if cli.target == "list" {
        for t in TARGETS {
            println!("{:24} {}", t.name, t.about);
        }
        return Ok(true);
    }
    let chosen: Vec<&Target> = TARGETS
        .iter()
        .filter(|t| cli.target == "all" || t.name.starts_with(&cli.target))
        .collect();
    if chosen.is_empty() {
        let sentence = format!("there is no target {:?}; `list` names them", cli.target);
        return Err(WrongUse(sentence).into());
    }
    let plan = Plan {
        count: cli.count,
        seed: cli.seed,
        shard: match cli.case {
            Some(_) => Shard::WHOLE,
            None => cli.campaign.shard()?,
        },
        case: cli.case,
    };
    let mut results = Results::new(Suite::Fuzz, plan.shard)
        .set("seed", plan.seed)
        .set("count", plan.count)
        .set("targets", &cli.target)
        .set_if("case", plan.case);
    results.oracles.insert("nothing may panic or hang".into());
    for target in chosen {
        let report = fuzz::run(target, &plan);
        let mut row = Row::default().counted(Tally {
            cases: report.cases,
            failed: report.failed,
            ..Tally::default()
        });
        for (case, failure) in &report.failures {
            println!("{failure}");
            row.describe(*case, failure);
        }
        println!(
            "{:24} {} steps in {} cases, {} failed",
            target.name, report.steps, report.cases, report.failed
        );
        let (class, name) = target.name.split_once('/').unwrap_or(("", target.name));
        results.add(class, name, row);
    }
    campaign::conclude(&results, &cli.campaign)
}
