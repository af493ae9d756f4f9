//! System instructions, held against other emulators.
//!
//! Ring 0 has no oracle on a host. So a generator ([`generator`]) makes cases from a seed: descriptor tables, task state
//! segments, page tables and registers in random, mostly sensible, states, and an instruction. A small program
//! ([`runtime`]) on a bootable disk ([`image`]) executes one after the other, at the privilege level that the case wants, up to the
//! exception that each ends with (its own, or the breakpoint behind it), and prints on port E9h what it finds then: the
//! exception, its frame, all registers, and every dword of the tables, stacks and data that has changed. The same disk
//! runs in our machine, in Bochs and in QEMU ([`machines`]). In long mode the runtime has a part of its own ([`runtime_64`]).
//! What differs ([`compare`]) is settled by the manual: either our CPU is wrong, or a rule ([`explained`], [`explained_long`],
//! [`explained_qemu`]) says with its section why a peer is.
//!
//! **Not implemented**: 5-level paging, protection keys, UMIP, which Bochs' model does not have. **Known gaps**: what QEMU alone does
//! not check is settled only where Bochs ran too.

mod case;
mod compare;
mod explained;
mod explained_long;
mod explained_qemu;
mod explained_witnessed;
mod generator;
mod image;
mod layout;
mod machines;
mod record;
mod report;
mod runtime;
mod runtime_64;
mod sandbox;
#[cfg(test)]
mod tests;

use crate::guests::cache_folder;
use anyhow::{Context, Result};
use campaign::{CampaignArgs, Results, Shard, Suite};
use machines::Who;
use sandbox::Sandbox;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many cases one disk has.
const CASES_PER_DISK: u64 = 5000;

/// `testsuite ring0`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The seed of all cases
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many cases
    #[arg(long, default_value_t = 10_000)]
    count: u64,
    #[command(flatten)]
    campaign: CampaignArgs,
    /// Whom to compare with
    #[arg(long, value_name = "NAME,..", value_delimiter = ',', value_parser = Who::parse, default_value = "bochs")]
    peers: Vec<Who>,
    /// Only cases of this kind, for example page
    #[arg(long, value_name = "KIND")]
    only: Option<String>,
    /// Run the case with this number alone, and show everything about it
    #[arg(long, value_name = "NUMBER", conflicts_with = "shard")]
    case: Option<u64>,
    /// Show the cases that the rule of this name explains too
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    /// Show up to N failures
    #[arg(long, value_name = "N", default_value_t = 20)]
    verbose: usize,
}

/// Runs the suite; `true` if no difference is left unexplained.
pub fn run(args: &Args) -> Result<bool> {
    let folder = Folder::new()?;
    let pristine = Sandbox::pristine();
    let mut report = report::Report::new(args.verbose, args.case.is_some(), args.rule.clone());
    let shard = match args.case {
        Some(_) => Shard::WHOLE,
        None => args.campaign.shard()?,
    };
    let numbers: Vec<u64> = match args.case {
        Some(n) => vec![n],
        None => shard.of(0..args.count).collect(),
    };
    let only = |case: &case::Case| args.only.as_deref().is_none_or(|o| case.kind.name() == o);
    for part in numbers.chunks(CASES_PER_DISK as usize) {
        let cases: Vec<_> = part
            .iter()
            .map(|&n| generator::generate(args.seed, n, &pristine))
            .filter(only)
            .collect();
        if cases.is_empty() {
            continue;
        }
        let ours = machines::run(Who::Boxwood, &cases, &pristine, folder.path())?;
        let theirs = std::thread::scope(|scope| {
            let threads: Vec<_> = args
                .peers
                .iter()
                .map(|&who| {
                    let (cases, pristine, folder) = (&cases, &pristine, folder.path());
                    scope.spawn(move || machines::run(who, cases, pristine, folder))
                })
                .collect();
            let joined = threads.into_iter().map(|t| t.join());
            joined
                .map(|r| r.unwrap_or_else(|_| Err(anyhow::anyhow!("a thread panicked"))))
                .collect::<Result<Vec<_>>>()
        })?;
        for (n, case) in cases.iter().enumerate() {
            let theirs: Vec<_> = args
                .peers
                .iter()
                .zip(&theirs)
                .map(|(&who, outcomes)| (who, &outcomes[n]))
                .collect();
            report.add(case, &ours[n], &theirs);
        }
    }
    report.print();
    let peers: Vec<_> = args.peers.iter().map(|p| p.name()).collect();
    let mut results = Results::new(Suite::Ring0, shard)
        .set("seed", args.seed)
        .set("count", args.count)
        .set("peers", peers.join(" "))
        .set_if("only", args.only.as_ref())
        .set_if("case", args.case);
    results.oracles.extend(peers.into_iter().map(String::from));
    report.fill(&mut results);
    campaign::conclude(&results, &args.campaign)
}

/// A folder that goes away.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ring0-{}-{n}", std::process::id());
        let path = cache_folder().join("scratch").join(name);
        std::fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
