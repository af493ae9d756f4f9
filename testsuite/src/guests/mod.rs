//! Real software as tests: where each guest comes from, how it is started, what shows that it works.
//!
//! `guests fetch` gets what comes from Debian's packages; `guests run` boots each guest under each of its firmwares,
//! and with `--images DIR` also the floppy images of a folder and the hard disks that are made of them.

mod boot_code;
mod disk;
mod dos;
mod firmware;
mod initramfs;
mod linux;
mod linux_disk;
mod list;
mod package;
mod run;
mod selftests;
mod stress_ng;

use anyhow::Result;
use campaign::{CampaignArgs, Results, Row as ResultRow, Shard, Suite, Tally};
use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use list::Source;
use run::{Places, Row};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

pub use package::cache_folder;
pub use run::binary_beside_us;

/// How much to run.
#[derive(Copy, Clone, PartialEq, Eq, Debug, ValueEnum)]
pub enum Which {
    /// What takes seconds.
    Quick,
    /// Everything.
    All,
}

/// Guests of which origin to run.
#[derive(Copy, Clone, PartialEq, Eq, Debug, ValueEnum)]
pub enum Origin {
    /// Every one that can be had.
    Any,
    /// Those that everybody has: from Debian's packages, and our own.
    Public,
    /// Those of the folder given with --images.
    Images,
}

#[derive(ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Gets the guests, firmware and programs that come from Debian's packages, without root
    Fetch(FetchArgs),
    /// Boots the guests
    Run(RunArgs),
}

#[derive(ClapArgs)]
struct FetchArgs {
    /// For which guests
    #[arg(long, value_enum, default_value = "quick")]
    which: Which,
}

#[derive(ClapArgs)]
struct RunArgs {
    /// A folder with freedos-*.img and elks-1440k.img
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// How much
    #[arg(long, value_enum, default_value = "quick")]
    which: Which,
    /// Guests of which origin
    #[arg(long, value_enum, default_value = "any")]
    origin: Origin,
    /// Only rows whose name contains this
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    #[command(flatten)]
    campaign: CampaignArgs,
    /// Guests that run at the same time; as many as the host has processors if it is not given
    #[arg(long)]
    jobs: Option<usize>,
    /// The boxwood binary; the one beside this program if it is not given
    #[arg(long)]
    boxwood: Option<PathBuf>,
}

/// Runs the task; whether all guests did what they should.
pub fn run(args: &Args) -> Result<bool> {
    match &args.task {
        Task::Fetch(args) => {
            package::fetch(&list::package_files(args.which == Which::Quick))?;
            Ok(true)
        }
        Task::Run(args) => run_rows(args),
    }
}

/// The rows that were asked for.
fn rows(args: &RunArgs, shard: Shard) -> Vec<Row> {
    let all = list::guests().into_iter().flat_map(|guest| {
        let firmware = guest.firmware.iter();
        firmware.map(move |&firmware| Row {
            guest: guest.clone(),
            firmware,
        })
    });
    let wanted = all.filter(|row| {
        let is_image = matches!(row.guest.medium.source(), Source::Image(_));
        let origin = match args.origin {
            Origin::Any => !is_image || args.images.is_some(),
            Origin::Public => !is_image,
            Origin::Images => is_image,
        };
        origin
            && (args.which == Which::All || row.guest.quick)
            && row.name().contains(args.only.as_str())
    });
    shard.of(wanted).collect()
}

fn run_rows(args: &RunArgs) -> Result<bool> {
    let places = Places {
        boxwood: match &args.boxwood {
            Some(path) => path.clone(),
            None => run::binary_beside_us()?,
        },
        images: args.images.clone(),
    };
    let shard = args.campaign.shard()?;
    let rows = rows(args, shard);
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = args.jobs.unwrap_or_else(cores).max(1);
    let started = Instant::now();
    let next = AtomicUsize::new(0);
    let mut results = Results::new(Suite::Guests, shard)
        .set("which", value_name(args.which))
        .set("origin", value_name(args.origin))
        .set_if("only", (!args.only.is_empty()).then_some(&args.only));
    results.oracles.insert("software as it is published".into());
    let results = Mutex::new(results);
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(rows.len()) {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = run::boot(row, &places);
                    let mut results = results.lock().unwrap_or_else(|e| e.into_inner());
                    let name = row.name();
                    let mut counted = ResultRow::default().counted(Tally {
                        cases: 1,
                        failed: u64::from(result.is_err()),
                        ..Tally::default()
                    });
                    match result {
                        Ok(cost) => println!(
                            "{name:<44} ok {:>7.1} s {:>9.1} million instructions",
                            cost.host_seconds,
                            cost.insns as f64 / 1e6
                        ),
                        Err(e) => {
                            counted.describe(0, &format!("{e:#}"));
                            println!("{name:<44} FAILED {e:#}");
                        }
                    }
                    results.add(row.guest.name, row.firmware.name, counted);
                }
            });
        }
    });
    let results = results.into_inner().unwrap_or_else(|e| e.into_inner());
    println!("all of it in {:.0} s", started.elapsed().as_secs_f64());
    campaign::conclude(&results, &args.campaign)
}

/// A choice as the command line writes it.
fn value_name(choice: impl ValueEnum) -> String {
    let value = choice.to_possible_value();
    value.map_or_else(String::new, |v| v.get_name().to_owned())
}
