//! Runs instruction vectors that were captured from real processors (SingleStepTests) on our interpreter.

pub(crate) mod bus;
mod case;
mod metadata;
mod moo;
mod report;

pub use case::Model;

use anyhow::{Context, Result, bail};
use campaign::{CampaignArgs, Results, Row, Shard, Suite, Tally};
use case::{Bench, Outcome};
use cpu::{CpuModel, Interpreter};
use emu_core::backend::{CpuBackend, CpuId};
use metadata::Metadata;
use report::{Failure, OpcodeResult};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// `testsuite vectors`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder with a suite's *.MOO.gz (or *.MOO) files and its metadata.json
    folder: PathBuf,
    /// The processor to run them on
    #[arg(long, value_enum)]
    model: Model,
    #[command(flatten)]
    campaign: CampaignArgs,
    /// Show the first N failures of each opcode in full
    #[arg(long, value_name = "N", default_value_t = 0)]
    verbose: usize,
    /// Only this opcode, for example 0F01 or F6.4; F6 means all of F6.0 to F6.7 (repeat for more)
    #[arg(long, value_name = "OPCODE")]
    only: Vec<String>,
    /// Files that run at the same time
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// Run under a probe, by the interpreter's watched loop
    #[arg(long)]
    watched: bool,
    /// Compare the flags that the suite calls undefined too
    #[arg(long)]
    no_masks: bool,
}

/// Of the failures of an opcode so many stand in the results.
const DESCRIBED: usize = 10;

/// Makes a processor that stands as after reset.
type MakeCpu<'a> = &'a (dyn Fn() -> Result<Box<dyn CpuBackend>> + Sync);

/// Runs the suite; `true` if everything is as captured.
pub fn run(args: &Args) -> Result<bool> {
    let model = args.model;
    run_on(args, &|| backend(model))
}

fn backend(model: Model) -> Result<Box<dyn CpuBackend>> {
    let model = CpuModel::by_name(model.name())
        .with_context(|| format!("there is no CPU model {}", model.name()))?;
    Ok(Box::new(Interpreter::new(CpuId(0), model)))
}

fn run_on(args: &Args, make: MakeCpu<'_>) -> Result<bool> {
    let shard = args.campaign.shard()?;
    let metadata = Metadata::read(&args.folder)?;
    if !metadata.cpu().eq_ignore_ascii_case(args.model.suite_name()) {
        bail!(
            "{} was captured from a {}, not from a {}",
            args.folder.display(),
            metadata.cpu(),
            args.model.name()
        );
    }
    let files = files(&args.folder, &args.only)?;
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..args.jobs {
            scope.spawn(|| {
                let bench = || Bench::new(args.model, args.watched, !args.no_masks, make()?);
                let mut mine = None;
                while let Some((opcode, path)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = run_file(args, shard, &metadata, opcode, path, &bench, &mut mine)
                        .with_context(|| format!("cannot run {}", path.display()));
                    if let Ok(mut results) = results.lock() {
                        results.push(result);
                    }
                }
            });
        }
    });
    let mut results = results
        .into_inner()
        .unwrap_or_default()
        .into_iter()
        .collect::<Result<Vec<OpcodeResult>>>()?;
    results.sort_by(|a, b| a.opcode.cmp(&b.opcode));
    report::print(&results);
    let mut all = Results::new(Suite::Vectors, shard)
        .set("model", args.model.name())
        .set_if("only", (!args.only.is_empty()).then(|| args.only.join(" ")))
        .set_if("watched", args.watched.then_some("yes"))
        .set_if("masks", args.no_masks.then_some("no"));
    all.oracles.insert(format!("a real {}", metadata.cpu()));
    for result in results {
        let mut row = Row::default().counted(Tally {
            cases: result.runs,
            failed: result.failed,
            ..Tally::default()
        });
        row.instruction = result.instruction;
        for (number, text) in &result.described {
            row.describe(*number, text);
        }
        all.add(args.model.name(), &result.opcode, row);
    }
    campaign::conclude(&all, &args.campaign)
}

/// The suite's files with their opcodes.
fn files(folder: &Path, only: &[String]) -> Result<Vec<(String, PathBuf)>> {
    let cannot = || format!("cannot read the folder {}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Some(opcode) = name
            .strip_suffix(".gz")
            .unwrap_or(&name)
            .strip_suffix(".MOO")
        else {
            continue;
        };
        let opcode = opcode.to_owned();
        let wanted = |o: &String| {
            let byte = opcode.split_once('.').map_or(opcode.as_str(), |(b, _)| b);
            o.eq_ignore_ascii_case(&opcode) || o.eq_ignore_ascii_case(byte)
        };
        if only.is_empty() || only.iter().any(wanted) {
            files.push((opcode, path));
        }
    }
    if files.is_empty() {
        bail!("no MOO file for these opcodes in {}", folder.display());
    }
    // Longest first, so that the threads end together.
    files.sort_by_cached_key(|(opcode, path)| {
        let len = path.metadata().map_or(0, |m| m.len());
        (std::cmp::Reverse(len), opcode.clone())
    });
    Ok(files)
}

fn run_file(
    args: &Args,
    shard: Shard,
    metadata: &Metadata,
    opcode: &str,
    path: &Path,
    make: &dyn Fn() -> Result<Bench>,
    mine: &mut Option<Bench>,
) -> Result<OpcodeResult> {
    let mask = metadata
        .flags_mask(opcode)
        .with_context(|| format!("metadata.json does not know opcode {opcode}"))?;
    let tests = moo::read(path)?;
    let mut result = OpcodeResult {
        opcode: opcode.to_owned(),
        ..OpcodeResult::default()
    };
    result.instruction = tests.first().map(|t| report::mnemonic(&t.name).to_owned());
    for test in shard.of(&tests) {
        if metadata.is_revoked(&test.hash_hex()) {
            continue;
        }
        result.runs += 1;
        let mut bench = match mine.take() {
            Some(bench) => bench,
            None => make()?,
        };
        // A bench on which the interpreter panicked is not used again.
        let run = std::panic::AssertUnwindSafe(move || (bench.run(test, mask), bench));
        let outcome = match std::panic::catch_unwind(run) {
            Ok((outcome, bench)) => {
                *mine = Some(bench);
                outcome
            }
            Err(_) => Outcome::Lost("the interpreter panicked".into()),
        };
        if outcome != Outcome::Same {
            result.failed += 1;
            if result.described.len() < DESCRIBED {
                let text = format!("{} {}", test.name, test.hash_hex());
                result.described.push((test.index.into(), text));
            }
            if result.shown.len() < args.verbose {
                result.shown.push(Failure::new(test, outcome));
            }
        }
    }
    Ok(result)
}

#[cfg(test)]
mod tests;
