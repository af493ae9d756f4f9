//! The table of forms, what is not compared and why, and failures as lines that `--replay` takes.

use super::bench::Ending;
use super::case::CodeSize;
use super::compare::{Difference, Verdict};
use super::forms::{Forms, Why};
use super::generator::Generated;
use iced_x86::Code;
use std::collections::BTreeSet;
use std::fmt::Write;

/// What came of a form.
#[derive(Clone, Debug, Default)]
struct Tally {
    cases: u64,
    skipped: u64,
    failed: u64,
}

/// A failed case.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The case.
    pub generated: Generated,
    /// What differs.
    pub differences: Vec<Difference>,
    /// The host's child was lost: nothing to make plainer.
    pub lost_the_child: bool,
}

/// All results.
#[derive(Debug)]
pub struct Report {
    tallies: Vec<Tally>,
    /// The first failures of each form.
    pub failures: Vec<Failure>,
    shown_each: u64,
}

impl Report {
    /// For so many forms, of each of which so many failures are kept.
    pub fn new(forms: usize, shown_each: u64) -> Self {
        Self {
            tallies: vec![Tally::default(); forms],
            failures: Vec::new(),
            shown_each,
        }
    }

    /// Counts a result.
    pub fn add(&mut self, generated: &Generated, ending: &Ending) {
        let tally = &mut self.tallies[generated.target];
        tally.cases += 1;
        if !generated.emitted || *ending == Ending::Compared(Verdict::Skipped) {
            tally.skipped += 1;
        }
        if let Some(differences) = ending.failure() {
            tally.failed += 1;
            if tally.failed <= self.shown_each {
                self.failures.push(Failure {
                    generated: *generated,
                    differences,
                    lost_the_child: ending.is_death(),
                });
            }
        }
    }

    /// Cases that failed.
    pub fn failed(&self) -> u64 {
        self.tallies.iter().map(|t| t.failed).sum()
    }

    /// The table, and the names of what is left out; with `every`, forms without failure and what the model does not have
    /// too.
    pub fn print(&self, targets: &[(CodeSize, Code)], forms: &[(CodeSize, Forms)], every: bool) {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "{:<4} {:<40} {:>9} {:>8} {:>8}",
            "bits", "form", "cases", "skipped", "failed"
        );
        for ((size, code), t) in targets.iter().zip(&self.tallies) {
            if t.failed != 0 || every {
                let name = format!("{code:?}");
                let _ = writeln!(
                    text,
                    "{:<4} {name:<40} {:>9} {:>8} {:>8}",
                    size.bits(),
                    t.cases,
                    t.skipped,
                    t.failed
                );
            }
        }
        for (size, forms) in forms {
            for (why, codes) in &forms.others {
                let _ = writeln!(
                    text,
                    "{} bits, {}: {} forms",
                    size.bits(),
                    why.text(),
                    codes.len()
                );
                if *why == Why::NotOffered && !every {
                    continue;
                }
                let names: BTreeSet<_> = codes.iter().map(|c| format!("{c:?}")).collect();
                let names: Vec<_> = names.into_iter().collect();
                let _ = writeln!(text, "    {}", names.join(" "));
            }
        }
        print!("{text}");
    }

    /// The last line.
    pub fn print_total(&self) {
        let total = |of: fn(&Tally) -> u64| self.tallies.iter().map(of).sum::<u64>();
        let met = self.tallies.iter().filter(|t| t.cases != t.skipped).count();
        println!(
            "native: {} cases, {met} of {} forms, {} failed",
            total(|t| t.cases),
            self.tallies.len(),
            self.failed()
        );
    }

    /// Forms of which no case was compared.
    pub fn unmet<'a>(
        &'a self,
        targets: &'a [(CodeSize, Code)],
    ) -> impl Iterator<Item = (CodeSize, Code)> + 'a {
        let unmet = |t: &Tally| t.cases == t.skipped;
        targets
            .iter()
            .zip(&self.tallies)
            .filter(move |(_, t)| unmet(t))
            .map(|(target, _)| *target)
    }
}

/// What differs, as text.
pub fn describe(differences: &[Difference]) -> String {
    differences.iter().fold(String::new(), |mut text, d| {
        let _ = write!(text, "  {}: host {:x}, ours {:x}", d.what, d.host, d.ours);
        text
    })
}
