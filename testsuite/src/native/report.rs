//! The table of forms, what is not compared and why, and failures as lines that `--replay` takes.

use super::bench::Ending;
use super::case::CodeSize;
use super::compare::{Difference, Verdict};
use super::forms::{Forms, Why};
use super::generator::Generated;
use campaign::{Results, Row, Tally};
use iced_x86::Code;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Of the failures of a form so many are kept as lines.
const DESCRIBED: usize = 10;

/// What came of a form.
#[derive(Clone, Debug, Default)]
struct FormTally {
    counts: Tally,
    described: Vec<(u64, String)>,
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
    tallies: Vec<FormTally>,
    /// The first failures of each form.
    pub failures: Vec<Failure>,
    shown_each: u64,
}

impl Report {
    /// For so many forms, of each of which so many failures are kept.
    pub fn new(forms: usize, shown_each: u64) -> Self {
        Self {
            tallies: vec![FormTally::default(); forms],
            failures: Vec::new(),
            shown_each,
        }
    }

    /// Counts a result.
    pub fn add(&mut self, generated: &Generated, ending: &Ending) {
        let FormTally { counts, described } = &mut self.tallies[generated.target];
        counts.cases += 1;
        if !generated.emitted || *ending == Ending::Compared(Verdict::Skipped) {
            counts.skipped += 1;
        }
        if let Some(differences) = ending.failure() {
            counts.failed += 1;
            if described.len() < DESCRIBED {
                let line = generated.case.line();
                described.push((generated.index, line + &describe(&differences)));
            }
            if counts.failed <= self.shown_each {
                self.failures.push(Failure {
                    generated: *generated,
                    differences,
                    lost_the_child: ending.is_death(),
                });
            }
        }
    }

    /// Cases that failed.
    #[cfg(test)]
    pub fn failed(&self) -> u64 {
        self.tallies.iter().map(|t| t.counts.failed).sum()
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
        for ((size, code), tally) in targets.iter().zip(&self.tallies) {
            let t = tally.counts;
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

    /// The rows of the results: the forms that were compared, and those that were not with the reason.
    pub fn fill(
        &self,
        results: &mut Results,
        targets: &[(CodeSize, Code)],
        forms: &[(CodeSize, Forms)],
    ) {
        let class = |size: CodeSize| format!("{} bits", size.bits());
        let about = |code: Code| Row::about(&format!("{:?}", code.mnemonic()).to_lowercase());
        for ((size, code), tally) in targets.iter().zip(&self.tallies) {
            let mut row = about(*code).counted(tally.counts);
            for (number, text) in &tally.described {
                row.describe(*number, text);
            }
            results.add(&class(*size), &format!("{code:?}"), row);
        }
        for (size, forms) in forms {
            for (why, codes) in &forms.others {
                for code in codes {
                    let row = about(*code).left_out(&why.text());
                    results.add(&class(*size), &format!("{code:?}"), row);
                }
            }
        }
    }

    /// Forms of which no case was compared.
    pub fn unmet<'a>(
        &'a self,
        targets: &'a [(CodeSize, Code)],
    ) -> impl Iterator<Item = (CodeSize, Code)> + 'a {
        let unmet = |t: &FormTally| t.counts.cases == t.counts.skipped;
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
