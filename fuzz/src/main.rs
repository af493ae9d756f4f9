//! `cargo run --profile fuzz -p fuzz -- TARGET|all`: throws hostile input at parts of the machine.

use clap::Parser;
use fuzz::{Plan, TARGETS, Target};
use std::process::ExitCode;

/// Exit code for a target that does not exist, as the front end's for bad usage.
const EXIT_USAGE: u8 = 64;

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
    /// The i-th of n equal parts of the cases
    #[arg(long, value_name = "i/n", default_value = "1/1", value_parser = parse_shard)]
    shard: (u64, u64),
    /// Only this case, as a failure named it
    #[arg(long, value_name = "CASE")]
    case: Option<u64>,
}

fn parse_shard(text: &str) -> Result<(u64, u64), String> {
    let parts = text.split_once('/');
    let numbers = parts.and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
    match numbers {
        Some((i, n)) if (1..=n).contains(&i) => Ok((i, n)),
        _ => Err("a shard is i/n with i from 1 to n, as in 2/4".into()),
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.target == "list" {
        for t in TARGETS {
            println!("{:24} {}", t.name, t.about);
        }
        return ExitCode::SUCCESS;
    }
    let chosen: Vec<&Target> = TARGETS
        .iter()
        .filter(|t| cli.target == "all" || t.name.starts_with(&cli.target))
        .collect();
    if chosen.is_empty() {
        eprintln!(
            "fuzz: there is no target {:?}; `list` names them",
            cli.target
        );
        return ExitCode::from(EXIT_USAGE);
    }
    let plan = Plan {
        count: cli.count,
        seed: cli.seed,
        shard: cli.shard,
        case: cli.case,
    };
    let (mut cases, mut failed) = (0, 0);
    for target in chosen {
        let report = fuzz::run(target, &plan);
        for failure in &report.failures {
            println!("{failure}");
        }
        println!(
            "{:24} {} steps in {} cases, {} failed",
            target.name, report.steps, report.cases, report.failed
        );
        cases += report.cases;
        failed += report.failed;
    }
    println!("fuzz: {cases} cases, {failed} failed");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
