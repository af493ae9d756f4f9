//! Runs the suites that docs/conformance.md is made of, and makes it.

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How much to run.
#[derive(clap::Args)]
pub struct Args {
    /// Cases against the host's processor
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    native: u64,
    /// Cases of system instructions against Bochs; 0: none
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    ring0: u64,
    /// Which guests to boot
    #[arg(long, value_enum, default_value = "none")]
    guests: Guests,
    /// The folder with vectors/ and guests/; by default $BOXWOOD_SHARED, or ../shared beside the workspace
    #[arg(long, value_name = "DIR")]
    shared: Option<PathBuf>,
    /// JUnit files of other runs, a cluster's for instance: a suite that is given here is not run
    #[arg(value_name = "IN.xml")]
    given: Vec<PathBuf>,
}

#[derive(Copy, Clone, PartialEq, Eq, ValueEnum)]
enum Guests {
    None,
    Quick,
    All,
}

/// Runs what is not given, and writes the document.
pub fn run(root: &Path, args: &Args) -> Result<()> {
    let from_environment = std::env::var_os("BOXWOOD_SHARED").map(PathBuf::from);
    let shared = args.shared.clone().or(from_environment);
    let shared = shared.unwrap_or_else(|| root.join("../shared"));
    let folder = root.join("target/conformance");
    std::fs::create_dir_all(&folder)?;
    build(root, args.guests != Guests::None)?;
    let mut files = args.given.clone();
    let given: Vec<String> = args
        .given
        .iter()
        .map(|path| suite_of(path))
        .collect::<Result<_>>()?;
    for (name, words) in commands(args, &shared) {
        if given.contains(&words[0]) {
            println!("{name}: given");
            continue;
        }
        let file = folder.join(format!("{name}.xml"));
        let _ = std::fs::remove_file(&file);
        // A suite in which something failed stands in the document too.
        let mut command = testsuite(root);
        command.args(&words).arg("--junit").arg(&file);
        println!("testsuite {}", words.join(" "));
        command.status().context("testsuite cannot be run")?;
        ensure!(file.exists(), "{name} came to no result");
        files.push(file);
    }
    let mut command = testsuite(root);
    command
        .arg("conformance")
        .arg(root.join("docs/conformance.md"));
    let status = command.args(&files).status()?;
    ensure!(status.success(), "docs/conformance.md has failures");
    Ok(())
}

fn build(root: &Path, with_binary: bool) -> Result<()> {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(root);
    command.args(["build", "--release", "-p", "testsuite"]);
    if with_binary {
        command.args(["-p", "frontend"]);
    }
    ensure!(command.status()?.success(), "the suites do not compile");
    Ok(())
}

fn testsuite(root: &Path) -> Command {
    let mut command = Command::new(root.join("target/release/testsuite"));
    // The document is of whole runs, wherever it is made.
    for name in [
        "JOB_COMPLETION_INDEX",
        "BOXWOOD_SHARDS",
        "SLURM_ARRAY_TASK_ID",
    ] {
        command.env_remove(name);
    }
    command
}

/// The suites' files' names and command lines.
fn commands(args: &Args, shared: &Path) -> Vec<(String, Vec<String>)> {
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    let mut add = |name: &str, words: &[&str]| {
        let words = words.iter().map(|w| w.to_string()).collect();
        all.push((name.to_owned(), words));
    };
    for model in ["8086", "80286"] {
        let folder = shared.join("vectors").join(model);
        if folder.is_dir() {
            let folder = folder.display().to_string();
            add(
                &format!("vectors-{model}"),
                &["vectors", &folder, "--model", model],
            );
        } else {
            println!(
                "{} is not there: the {model}'s vectors are not run",
                folder.display()
            );
        }
    }
    add("native", &["native", "--count", &args.native.to_string()]);
    if args.ring0 != 0 {
        add("ring0", &["ring0", "--count", &args.ring0.to_string()]);
    }
    add("exceptions", &["exceptions"]);
    add("published", &["published"]);
    let images = shared.join("guests").display().to_string();
    let mut guests = vec!["guests", "run"];
    if Path::new(&images).is_dir() {
        guests.extend(["--images", &images]);
    }
    match args.guests {
        Guests::None => {}
        Guests::Quick => add("guests", &guests),
        Guests::All => {
            guests.extend(["--which", "all"]);
            add("guests", &guests);
        }
    }
    all
}

/// Of which suite a file is: the name of its `testsuite` element.
fn suite_of(path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path);
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    let name = text.split_once("<testsuite name=\"");
    let name = name.and_then(|(_, rest)| rest.split_once('"'));
    let (name, _) = name.with_context(|| format!("{} is no JUnit file", path.display()))?;
    Ok(name.to_owned())
}
