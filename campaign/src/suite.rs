//! The suites by name, and how each says what came of it.

use crate::results::Results;

/// A suite.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Suite {
    /// Instructions recorded on real processors.
    Vectors,
    /// The host's processor.
    Native,
    /// Other emulators.
    Ring0,
    /// The manual's lists of exceptions.
    Exceptions,
    /// Results that standards publish.
    Published,
    /// Software that boots.
    Guests,
    /// The machine run in several ways.
    Laws,
    /// Hostile input.
    Fuzz,
}

impl Suite {
    /// All.
    pub const ALL: [Self; 8] = [
        Self::Vectors,
        Self::Native,
        Self::Ring0,
        Self::Exceptions,
        Self::Published,
        Self::Guests,
        Self::Laws,
        Self::Fuzz,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Vectors => "vectors",
            Self::Native => "native",
            Self::Ring0 => "ring0",
            Self::Exceptions => "exceptions",
            Self::Published => "published",
            Self::Guests => "guests",
            Self::Laws => "laws",
            Self::Fuzz => "fuzz",
        }
    }

    /// The suite of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }

    /// The line with which it ends.
    pub(crate) fn verdict(self, results: &Results) -> String {
        let t = results.total();
        let (name, cases, failed) = (self.name(), t.cases, t.failed);
        let counted = match self {
            Self::Vectors => format!("{cases} runs"),
            Self::Native => {
                let forms = results.rows().filter(|(_, r)| r.left_out.is_none());
                let met = |r: &crate::Row| r.tally.cases != r.tally.skipped;
                let (mut all, mut compared) = (0, 0);
                for (_, row) in forms {
                    all += 1;
                    compared += u32::from(met(row));
                }
                format!("{cases} cases, {compared} of {all} forms")
            }
            Self::Ring0 => {
                let rules = results.counters().filter(|(n, _)| n.starts_with("rule: "));
                let shutdowns = results.counters().find(|(n, _)| *n == "shutdowns");
                format!(
                    "{cases} cases, {} differences explained by {} rules, {} shutdowns",
                    t.explained,
                    rules.count(),
                    shutdowns.map_or(0, |(_, n)| n)
                )
            }
            Self::Exceptions => {
                let left_out = results.rows().filter(|(_, r)| r.left_out.is_some());
                let left_out = left_out.count() as u64;
                // Cases in which nothing is wrong are no conditions.
                let others: u64 = results.counters().map(|(_, n)| n).sum();
                let exercised = cases - others.min(cases);
                format!("{} conditions, {exercised} exercised", exercised + left_out)
            }
            Self::Guests => format!("{cases} run"),
            Self::Laws => format!("{cases} points"),
            Self::Published | Self::Fuzz => format!("{cases} cases"),
        };
        format!("{name}: {counted}, {failed} failed")
    }
}
