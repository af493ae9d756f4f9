//! The benchmarks against the stored ones: `benches/baseline.toml` holds the time of each in units of a loop of the host's
//! that is measured in the same run, so that two machines, or one with other work, can be compared as far as that goes.

use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// The host's own loop among the benchmarks (`benches::REFERENCE`).
const REFERENCE: &str = "host";
/// Where Criterion leaves what it measured.
const MEASURED: &str = "target/criterion";
const BASELINE: &str = "benches/baseline.toml";
const HEADER: &str = "# The time of each benchmark in units of the host's own loop: `cargo xtask bench-compare --save` writes it.\n";
/// Changes below this are noise, in percent.
const NOISE: f64 = 10.0;

#[derive(clap::Args)]
pub struct Args {
    /// Write what was measured as the new baseline
    #[arg(long)]
    save: bool,
    /// Compare what the last run has measured, without another one
    #[arg(long)]
    no_run: bool,
}

/// Median nanoseconds by benchmark.
type Times = BTreeMap<String, f64>;

pub fn run(root: &Path, args: &Args) -> Result<()> {
    if !args.no_run {
        // Else a benchmark that is gone would still be there.
        std::fs::remove_dir_all(root.join(MEASURED)).ok();
        let status = Command::new("cargo")
            .args(["bench", "-p", "benches", "--bench", "guest_code"])
            .current_dir(root)
            .status()
            .context("cargo cannot be run")?;
        if !status.success() {
            bail!("the benchmarks failed");
        }
    }
    let times = measured(&root.join(MEASURED))?;
    let Some(host) = times.get(REFERENCE) else {
        bail!("{MEASURED} has no benchmark {REFERENCE:?}: run without --no-run");
    };
    let ratios = times.iter().filter(|(name, _)| *name != REFERENCE);
    let ratios: Times = ratios.map(|(name, t)| (name.clone(), t / host)).collect();
    let path = root.join(BASELINE);
    if args.save {
        let lines = ratios
            .iter()
            .map(|(name, r)| format!("{name:?} = {r:.3}\n"));
        std::fs::write(&path, HEADER.to_owned() + &lines.collect::<String>())
            .with_context(|| format!("{BASELINE} cannot be written"))?;
        println!("bench-compare: {} written", BASELINE);
        return Ok(());
    }
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{BASELINE} cannot be read: --save writes it"))?;
    let baseline: Times =
        toml::from_str(&text).with_context(|| format!("{BASELINE} is not a table of numbers"))?;
    println!(
        "{:<32} {:>8} {:>8} {:>8}",
        "benchmark", "before", "now", "change"
    );
    for (name, now) in &ratios {
        match baseline.get(name) {
            Some(before) => {
                let change = (now / before - 1.0) * 100.0;
                let mark = match change {
                    c if c > NOISE => "slower",
                    c if c < -NOISE => "faster",
                    _ => "",
                };
                println!("{name:<32} {before:>8.2} {now:>8.2} {change:>+7.1}% {mark}");
            }
            None => println!("{name:<32} {:>8} {now:>8.2}", "new"),
        }
    }
    for name in baseline.keys().filter(|n| !ratios.contains_key(*n)) {
        println!("{name:<32} is gone");
    }
    Ok(())
}

/// What Criterion has measured: for each benchmark a folder with its name and its estimates.
fn measured(folder: &Path) -> Result<Times> {
    let mut times = Times::new();
    let groups = std::fs::read_dir(folder)
        .with_context(|| format!("{} cannot be read", folder.display()))?;
    for group in groups {
        let Ok(benchmarks) = std::fs::read_dir(group?.path()) else {
            continue;
        };
        for benchmark in benchmarks {
            let new = benchmark?.path().join("new");
            if !new.is_dir() {
                continue;
            }
            let json = |file: &str| -> Result<serde_json::Value> {
                let path = new.join(file);
                let text = std::fs::read_to_string(&path)
                    .with_context(|| format!("{} cannot be read", path.display()))?;
                serde_json::from_str(&text)
                    .with_context(|| format!("{} is not what Criterion writes", path.display()))
            };
            let name = json("benchmark.json")?["function_id"]
                .as_str()
                .map(str::to_owned);
            let median = json("estimates.json")?["median"]["point_estimate"].as_f64();
            if let (Some(name), Some(median)) = (name, median) {
                times.insert(name, median);
            }
        }
    }
    Ok(times)
}
