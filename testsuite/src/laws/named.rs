//! Guests that a user names, compared over long runs: the CPU's state often, the whole machine's now and then.
//!
//! Nothing is typed. A digest of the CPU's state takes 8 bytes and no time worth mention, so that a run of 10⁹ instructions is
//! compared at ten thousand points and whatever differs is seen at most `--cpu-every` instructions later.

use super::ways::Look;
use anyhow::{Result, bail};
use cpu::CpuModel;
use machine::spec::{DEFAULT_CPU, DEFAULT_MEMORY_BYTES, LinuxSpec, MachineSpec};
use std::path::PathBuf;

/// What the user names.
#[derive(Clone, Debug, clap::Args)]
#[command(
    next_help_heading = "A long run of a guest of your own, by any of --floppy, --disk and --kernel"
)]
pub struct Named {
    /// Floppy in A:. No file that you name is written to: each machine has a copy
    #[arg(long, value_name = "FILE")]
    pub floppy: Option<PathBuf>,
    /// Hard disk (repeat for more)
    #[arg(long, value_name = "FILE")]
    pub disk: Vec<PathBuf>,
    /// Linux kernel (bzImage) to boot before any drive
    #[arg(long, value_name = "FILE")]
    pub kernel: Option<PathBuf>,
    /// The kernel's initial RAM disk
    #[arg(long, value_name = "FILE", requires = "kernel")]
    pub initrd: Option<PathBuf>,
    /// The kernel's command line
    #[arg(
        long,
        value_name = "TEXT",
        requires = "kernel",
        allow_hyphen_values = true
    )]
    pub append: Option<String>,
    /// Memory
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value_t = Bytes(DEFAULT_MEMORY_BYTES))]
    pub mem: Bytes,
    /// CPU model
    #[arg(long, value_name = "MODEL", default_value = DEFAULT_CPU)]
    pub cpu: String,
    /// Up to which instruction to run
    #[arg(long, value_name = "N", value_parser = parse_count, default_value = "1G")]
    pub insns: u64,
    /// Run to this instruction once, and begin there each time: for ways that are slow
    #[arg(long, value_name = "N", value_parser = parse_count)]
    pub from: Option<u64>,
    /// Compare the CPU's state after each so many instructions
    #[arg(long, value_name = "N", value_parser = parse_count, default_value = "100k")]
    pub cpu_every: u64,
    /// Compare all of the machine after each so many instructions, and at the end
    #[arg(long, value_name = "N", value_parser = parse_count, default_value = "100M")]
    pub state_every: u64,
}

/// A size, shown as it is written.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Bytes(pub u64);

impl std::fmt::Display for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}M", self.0 >> 20)
    }
}

/// A number with one of these letters behind it, or with none.
fn scaled(text: &str, letters: &[(char, u64)]) -> Option<u64> {
    let found = letters
        .iter()
        .find_map(|&(letter, factor)| Some((text.strip_suffix(letter)?, factor)));
    let (digits, factor) = found.unwrap_or((text, 1));
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

fn parse_size(text: &str) -> Result<Bytes, String> {
    let letters = [('K', 1 << 10), ('M', 1 << 20), ('G', 1 << 30)];
    // Without a letter it might be meant in bytes or in megabytes.
    let bytes = scaled(&text.to_uppercase(), &letters).filter(|_| !text.ends_with(is_digit));
    bytes
        .map(Bytes)
        .ok_or_else(|| "a size is a number with K, M or G behind it, as in 64M".into())
}

fn parse_count(text: &str) -> Result<u64, String> {
    let letters = [('K', 1_000), ('M', 1_000_000), ('G', 1_000_000_000)];
    let clean = text.to_uppercase().replace('_', "");
    let n = scaled(&clean, &letters).filter(|n| *n > 0);
    n.ok_or_else(|| "a count is a number above 0, with k, M or G behind it if you like".into())
}

impl Named {
    /// Whether there is anything to run.
    pub fn is_given(&self) -> bool {
        self.floppy.is_some() || !self.disk.is_empty() || self.kernel.is_some()
    }

    /// What it is called.
    pub fn name(&self) -> String {
        let files = [&self.kernel, &self.floppy].into_iter().flatten();
        let first = files.chain(&self.disk).next();
        let name = first.and_then(|path| path.file_name());
        name.map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// The machine, but for its media.
    pub fn spec(&self, ips: Option<u64>) -> Result<MachineSpec> {
        if self.disk.len() > 3 {
            bail!("there is room for three hard disks");
        }
        let default = MachineSpec::default();
        let spec = MachineSpec {
            memory_bytes: self.mem.0,
            cpu: self.cpu.clone(),
            linux: self.kernel.clone().map(|kernel| LinuxSpec {
                kernel,
                initrd: self.initrd.clone(),
                append: self.append.clone().unwrap_or_default(),
            }),
            insns_per_second: ips.unwrap_or(default.insns_per_second),
            ..default
        };
        spec.check()?;
        CpuModel::named(&spec.cpu)?;
        Ok(spec)
    }

    /// What to compare after how many instructions.
    pub fn points(&self) -> impl Iterator<Item = (u64, Look)> + use<> {
        let Self {
            insns,
            cpu_every,
            state_every,
            ..
        } = *self;
        let mut at = self.from.unwrap_or(0);
        std::iter::from_fn(move || {
            if at >= insns {
                return None;
            }
            let next = |every: u64| (at / every).saturating_add(1).saturating_mul(every);
            at = next(cpu_every).min(next(state_every)).min(insns);
            let whole = at == insns || at.is_multiple_of(state_every);
            Some((at, if whole { Look::Whole } else { Look::Cpu }))
        })
    }
}
