//! The laws of a machine's state: however a machine is run, its state after the same number of instructions is the
//! same. Real software is recorded once, typing and all, and then run again in every [`Way`] that there is; the state is
//! compared at the same random instructions, wherever they fall: between two repetitions of a string instruction,
//! behind STI, in the middle of a transfer. A guest that the user names runs by itself, and for long: see [`named`].
//!
//! A point's state is that of [`machine::Machine::state_parts`] and the contents of the media.

mod bisect;
mod commands;
mod guest;
mod named;
mod recording;
mod subject;
mod typing;
mod ways;

#[cfg(test)]
mod tests;

use crate::operands::Prng;
use anyhow::{Context, Result, bail};
use campaign::{CampaignArgs, Results, Row, Suite, Tally};
use guest::{GUESTS, Guest};
use named::Named;
use recording::Recording;
use std::path::PathBuf;
use std::time::Instant;
use subject::Bench;
use ways::Look;

pub use ways::Way;

/// How many points that differ are shown for each way.
const SHOWN: usize = 3;
/// Of that kind a 386 was: what waits in a loop costs few instructions. It is a prime number, so that an instruction takes
/// no whole number of nanoseconds and rounding counts.
const DEFAULT_IPS: u64 = 4_000_037;

/// `testsuite laws`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// A folder with freedos-1440k.img and elks-1440k.img; without it only the demo disk runs
    #[arg(long, value_name = "DIR")]
    pub images: Option<PathBuf>,
    /// How many instructions to look at in each guest
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub points: usize,
    /// Which instructions: another seed, other points
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Only guests whose name contains this
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub only: String,
    /// Only these ways (repeat for more)
    #[arg(long, value_enum)]
    pub way: Vec<Way>,
    #[command(flatten)]
    pub campaign: CampaignArgs,
    /// Instructions per guest second [4000037; for a guest of your own what boxwood run takes]
    #[arg(long, value_name = "N")]
    pub ips: Option<u64>,
    /// After a difference, find the first instruction behind which the states differ
    #[arg(long)]
    pub bisect: bool,
    /// The boxwood binary; the one beside this program if it is not given
    #[arg(long)]
    pub boxwood: Option<PathBuf>,
    #[command(flatten)]
    pub named: Named,
}

/// Runs the guests; `true` if all laws hold.
pub fn run(args: &Args) -> Result<bool> {
    if args.named.is_given() {
        return run_named(args);
    }
    if args.points == 0 {
        bail!("--points 0 looks at nothing");
    }
    let ways = if args.way.is_empty() {
        Way::ALL.to_vec()
    } else {
        args.way.clone()
    };
    let wanted: Vec<&Guest> = GUESTS
        .iter()
        .filter(|g| g.name.contains(args.only.as_str()))
        .filter(|g| args.images.is_some() || g.image.is_none())
        .collect();
    if wanted.is_empty() {
        bail!(
            "no guest's name contains {:?} (or it needs --images)",
            args.only
        );
    }
    let shard = args.campaign.shard()?;
    let mut jobs: Vec<(&Guest, Way)> = Vec::new();
    for guest in wanted {
        jobs.extend(ways.iter().map(|w| (guest, *w)));
    }
    let mine: Vec<_> = shard.of(jobs).collect();
    let ips = args.ips.unwrap_or(DEFAULT_IPS);
    let mut results = Results::new(Suite::Laws, shard)
        .set("seed", args.seed)
        .set("points", args.points)
        .set("ips", ips)
        .set("ways", in_words(&ways))
        .set_if("only", (!args.only.is_empty()).then_some(&args.only));
    results.oracles.insert("the machine itself".into());
    for same_guest in mine.chunk_by(|a, b| a.0.name == b.0.name) {
        let guest = same_guest[0].0;
        let ways: Vec<Way> = same_guest.iter().map(|j| j.1).collect();
        run_guest(args, guest, ips, &ways, &mut results).with_context(|| guest.name)?;
    }
    campaign::conclude(&results, &args.campaign)
}

fn in_words(ways: &[Way]) -> String {
    let ways: Vec<_> = ways.iter().map(|w| w.in_words()).collect();
    ways.join(", ")
}

/// A guest, and where to look at it.
struct Plan<'a, P> {
    name: &'a str,
    bench: &'a Bench,
    recording: &'a Recording,
    points: P,
}

/// Runs a guest of the list in several ways.
fn run_guest(
    args: &Args,
    guest: &'static Guest,
    ips: u64,
    ways: &[Way],
    results: &mut Results,
) -> Result<()> {
    let bench = Bench::new(guest, args.images.as_deref(), ips)?;
    let started = Instant::now();
    let recording = Recording::make(&bench)?;
    let mut rng = Prng::new(args.seed);
    let mut points: Vec<u64> = (0..args.points)
        .map(|_| rng.below(recording.insns))
        .collect();
    points.sort_unstable();
    println!(
        "{:<22} {} instructions, {} keys, {:.1} s of guest time, recorded in {:.1} s",
        guest.name,
        recording.insns,
        recording.keys.len(),
        recording.ns as f64 / 1e9,
        started.elapsed().as_secs_f64()
    );
    let plan = Plan {
        name: guest.name,
        bench: &bench,
        recording: &recording,
        points: points.into_iter().map(|n| (n, Look::Whole)),
    };
    run_plan(args, plan, ways, results)
}

/// Runs the guest that the user names in several ways.
fn run_named(args: &Args) -> Result<bool> {
    let named = &args.named;
    let wanted = |way: &Way| args.way.contains(way) || args.way.is_empty() && way.is_for_long();
    let ways: Vec<Way> = Way::ALL.into_iter().filter(wanted).collect();
    if ways.contains(&Way::Commands) {
        bail!("the command line is compared with guests of the list only");
    }
    let shard = args.campaign.shard()?;
    let mut results = Results::new(Suite::Laws, shard)
        .set("seed", args.seed)
        .set("insns", named.insns)
        .set_if("from", named.from)
        .set("cpu_every", named.cpu_every)
        .set("state_every", named.state_every)
        .set("cpu", &named.cpu)
        .set("ways", in_words(&ways))
        .set_if("ips", args.ips);
    results.oracles.insert("the machine itself".into());
    let mine: Vec<Way> = shard.of(ways).collect();
    let name = named.name();
    let bench = Bench::of_user(named, args.ips).with_context(|| name.clone())?;
    let plan = Plan {
        name: &name,
        bench: &bench,
        recording: &Recording::of_nothing(named.insns),
        points: named.points(),
    };
    run_plan(args, plan, &mine, &mut results).with_context(|| name.clone())?;
    campaign::conclude(&results, &args.campaign)
}

/// Runs a guest in several ways.
fn run_plan(
    args: &Args,
    plan: Plan<'_, impl Iterator<Item = (u64, Look)>>,
    ways: &[Way],
    results: &mut Results,
) -> Result<()> {
    let Plan {
        name,
        bench,
        recording,
        points,
    } = plan;
    let started = Instant::now();
    let reference = ways::reference(bench, recording, points)?;
    println!(
        "{name:<22} {:<22} {} points, {:.1} s",
        "the run itself",
        reference.points.len(),
        started.elapsed().as_secs_f64()
    );
    if let Some((insns, stop)) = &reference.ended {
        println!("    the guest ended at instruction {insns}: {stop:?}");
    }
    for &way in ways {
        let started = Instant::now();
        let outcome = if way == Way::Commands {
            commands::run(args, bench, args.points.div_ceil(10))?
        } else {
            let mut rng = Prng::new(args.seed ^ 0x5EED);
            ways::compare(way, bench, recording, &reference, &mut rng)?
        };
        println!(
            "{name:<22} {:<22} {} points, {} differ, {:.1} s",
            way.in_words(),
            outcome.compared,
            outcome.differ.len(),
            started.elapsed().as_secs_f64()
        );
        for difference in outcome.differ.iter().take(SHOWN) {
            println!("    {difference}");
        }
        if args.bisect
            && let Some(first) = outcome.differ.first()
        {
            let found = bisect::first_difference(way, bench, recording, first)?;
            println!("    {found}");
        }
        let mut row = Row::default().counted(Tally {
            cases: outcome.compared as u64,
            failed: outcome.differ.len() as u64,
            ..Tally::default()
        });
        for difference in &outcome.differ {
            row.describe(difference.insns, &difference.to_string());
        }
        results.add(name, way.in_words(), row);
    }
    Ok(())
}
