//! The laws through the command line: the same command twice gives the same `state_hash`, and a run that was saved with
//! `--save-at` and taken up with `--restore` ends as the unbroken run does.

use super::Args;
use super::subject::{Bench, scratch_folder};
use super::ways::Outcome;
use crate::guests::binary_beside_us;
use crate::operands::Prng;
use anyhow::{Context, Result, bail};
use machine::spec::RomSource;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How far the runs go: beyond the start of every guest's own kernel, before any of them idles.
const INSNS: u64 = 60_000_000;

/// The binary, and a folder for its files.
struct Boxwood<'a> {
    binary: PathBuf,
    folder: PathBuf,
    bench: &'a Bench,
}

impl Boxwood<'_> {
    /// Runs with a fresh copy of the floppy to [`INSNS`]; the state hash, and whether the floppy is as it was.
    fn run(&self, more: &[String]) -> Result<(String, bool)> {
        let (floppy, stats) = (self.folder.join("a.img"), self.folder.join("stats.json"));
        std::fs::copy(self.bench.floppy(), &floppy)?;
        let mut command = Command::new(&self.binary);
        command.arg("run").arg(&floppy);
        let spec = self.bench.spec();
        for (option, rom) in [("--bios", &spec.bios), ("--vgabios", &spec.vgabios)] {
            if let RomSource::File(path) = rom {
                command.arg(option).arg(path);
            }
        }
        let out = command
            .args(["--display", "none", "--mem", "4M", "--timeout-insns"])
            .arg(INSNS.to_string())
            .arg("--stats")
            .arg(&stats)
            .args(more)
            .output()
            .context("boxwood cannot be run")?;
        if !out.status.success() {
            bail!("{}: {}", out.status, String::from_utf8_lossy(&out.stderr));
        }
        let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&stats)?)?;
        let hash = json["state_hash"].as_str().context("no state_hash")?;
        let insns = json["insns"]["total"].as_u64();
        if insns != Some(INSNS) {
            bail!("it stopped at instruction {insns:?}");
        }
        let same = std::fs::read(&floppy)? == std::fs::read(self.bench.floppy())?;
        Ok((hash.to_string(), same))
    }
}

/// Compares at `points` instructions.
pub fn run(args: &Args, bench: &Bench, points: usize) -> Result<Outcome> {
    let binary = match &args.boxwood {
        Some(path) => path.clone(),
        None => binary_beside_us()?,
    };
    let boxwood = Boxwood {
        binary,
        folder: scratch_folder()?,
        bench,
    };
    let outcome = run_in(&boxwood, args.seed, points);
    std::fs::remove_dir_all(&boxwood.folder)?;
    outcome
}

fn run_in(boxwood: &Boxwood<'_>, seed: u64, points: usize) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut note = |insns, same: bool| {
        let parts = if same {
            vec![]
        } else {
            vec!["state_hash".into()]
        };
        outcome.note(insns, parts);
    };
    let (expected, unwritten) = boxwood.run(&[])?;
    if !unwritten {
        bail!(
            "the guest writes to its floppy before instruction {INSNS}: a restored run would find another one"
        );
    }
    note(INSNS, boxwood.run(&[])?.0 == expected);
    let mut rng = Prng::new(seed);
    let points: Vec<u64> = (0..points).map(|_| rng.below(INSNS)).collect();
    let file = |n: u64| -> PathBuf { Path::new(&boxwood.folder).join(format!("{n}.snap")) };
    let mut saves = Vec::new();
    for &n in &points {
        saves.extend(["--save-at".into(), format!("{n}={}", file(n).display())]);
    }
    // That the machine is saved changes nothing.
    note(INSNS, boxwood.run(&saves)?.0 == expected);
    for &n in &points {
        let (hash, _) = boxwood.run(&["--restore".into(), file(n).display().to_string()])?;
        note(n, hash == expected);
    }
    Ok(outcome)
}
