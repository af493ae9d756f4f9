//! What came of a suite, or of a part of it.

use crate::shard::Shard;
use crate::suite::Suite;
use std::collections::{BTreeMap, BTreeSet};

/// Of the failures of one row so many are described; the others are only counted.
const DESCRIBED_MAX: usize = 10;

/// Counts.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Everything that was run.
    pub cases: u64,
    /// Of these, what could not be compared.
    pub skipped: u64,
    /// What differs for a reason that is known not to be ours.
    pub explained: u64,
    /// What failed.
    pub failed: u64,
}

impl Tally {
    /// Adds another.
    pub fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.skipped += other.skipped;
        self.explained += other.explained;
        self.failed += other.failed;
    }
}

/// A form, a file, a guest, a law: what a suite counts by.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Row {
    /// The mnemonic of the instruction that it is about, if it is about one.
    pub instruction: Option<String>,
    /// Why nothing of it was run.
    pub left_out: Option<String>,
    /// The counts.
    pub tally: Tally,
    failures: BTreeMap<u64, String>,
}

impl Row {
    /// About an instruction.
    pub fn about(instruction: &str) -> Self {
        Self {
            instruction: Some(instruction.to_owned()),
            ..Self::default()
        }
    }

    /// With these counts.
    pub fn counted(mut self, tally: Tally) -> Self {
        self.tally = tally;
        self
    }

    /// Not run, for a reason.
    pub fn left_out(mut self, reason: &str) -> Self {
        self.left_out = Some(reason.to_owned());
        self
    }

    /// Describes a failure, which [`Row::tally`] counts already; the first ones by number are kept.
    pub fn describe(&mut self, number: u64, text: &str) {
        self.failures
            .insert(number, text.trim().replace('\n', "; "));
        while self.failures.len() > DESCRIBED_MAX {
            self.failures.pop_last();
        }
    }

    /// The first failures: their numbers and what is wrong.
    pub fn failures(&self) -> impl Iterator<Item = (u64, &str)> {
        self.failures.iter().map(|(n, text)| (*n, text.as_str()))
    }

    fn add(&mut self, other: Self) {
        // Hosts differ: what one of them lacks another may have run.
        if other.left_out.is_none() {
            self.left_out = None;
        }
        if self.instruction.is_none() {
            self.instruction = other.instruction;
        }
        self.tally.add(other.tally);
        for (number, text) in other.failures {
            self.describe(number, &text);
        }
    }
}

/// All rows of a run. Their order is that of their names, whoever ran them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Results {
    /// Of which suite.
    pub suite: Suite,
    /// Of which part.
    pub shard: Shard,
    /// What was asked for; the same in all parts of a run.
    pub settings: BTreeMap<String, String>,
    /// What it was held against; parts may have run on different hosts.
    pub oracles: BTreeSet<String>,
    /// What is counted over all rows.
    counters: BTreeMap<String, u64>,
    rows: BTreeMap<(String, String), Row>,
}

impl Results {
    /// Nothing yet.
    pub fn new(suite: Suite, shard: Shard) -> Self {
        Self {
            suite,
            shard,
            settings: BTreeMap::new(),
            oracles: BTreeSet::new(),
            counters: BTreeMap::new(),
            rows: BTreeMap::new(),
        }
    }

    /// Notes what was asked for.
    pub fn set(mut self, name: &str, value: impl ToString) -> Self {
        self.settings.insert(name.to_owned(), value.to_string());
        self
    }

    /// Notes what was asked for, if it was.
    pub fn set_if(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    /// Adds to a count over all rows.
    pub fn count(&mut self, name: &str, n: u64) {
        *self.counters.entry(name.to_owned()).or_default() += n;
    }

    /// The counts over all rows.
    pub fn counters(&self) -> impl Iterator<Item = (&str, u64)> {
        self.counters.iter().map(|(name, n)| (name.as_str(), *n))
    }

    /// Adds a row to what is known of its class and name.
    pub fn add(&mut self, class: &str, name: &str, row: Row) {
        use std::collections::btree_map::Entry;
        match self.rows.entry((class.to_owned(), name.to_owned())) {
            Entry::Vacant(e) => {
                e.insert(row);
            }
            Entry::Occupied(mut e) => e.get_mut().add(row),
        }
    }

    /// The rows with their classes and names.
    pub fn rows(&self) -> impl Iterator<Item = ((&str, &str), &Row)> {
        let rows = self.rows.iter();
        rows.map(|((class, name), row)| ((class.as_str(), name.as_str()), row))
    }

    pub(crate) fn into_rows(self) -> impl Iterator<Item = ((String, String), Row)> {
        self.rows.into_iter()
    }

    /// The sum.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        for row in self.rows.values() {
            total.add(row.tally);
        }
        total
    }

    /// Whether something ran and nothing failed. Of many parts one may have nothing to do.
    pub fn passed(&self) -> bool {
        let total = self.total();
        total.failed == 0 && (total.cases > 0 || self.shard.count() > 1)
    }

    /// The suite's last line.
    pub fn verdict(&self) -> String {
        self.suite.verdict(self)
    }
}
