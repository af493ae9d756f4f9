//! The parts of a run become the whole.

use crate::results::Results;
use crate::shard::Shard;
use anyhow::{Context, Result, bail, ensure};

/// Adds up the parts of one run, each with the name it is known by (its file's). All of them must be there, once.
pub fn merge(parts: Vec<(String, Results)>) -> Result<Results> {
    let (first_name, first) = parts.first().context("there is nothing to merge")?;
    let count = first.shard.count();
    let mut whole = Results::new(first.suite, Shard::WHOLE);
    whole.settings = first.settings.clone();
    let mut seen: Vec<Option<&str>> = vec![None; count];
    for (name, part) in &parts {
        ensure!(
            part.suite == whole.suite,
            "{first_name} is of the suite {}, {name} of {}",
            whole.suite.name(),
            part.suite.name()
        );
        ensure!(
            part.shard.count() == count,
            "{first_name} is one of {count} parts, {name} one of {}",
            part.shard.count()
        );
        let all = whole.settings.keys().chain(part.settings.keys());
        for key in all {
            let (a, b) = (whole.settings.get(key), part.settings.get(key));
            let word = |v: Option<&String>| v.map_or("not given", |v| v.as_str()).to_owned();
            ensure!(
                a == b,
                "{first_name} and {name} are of different runs: {key} is {} and {}",
                word(a),
                word(b)
            );
        }
        let place = &mut seen[part.shard.index()];
        if let Some(other) = place.replace(name) {
            bail!("{other} and {name} are both part {}", part.shard);
        }
    }
    let missing: Vec<_> = (0..count)
        .filter(|&n| seen[n].is_none())
        .map(|n| (n + 1).to_string())
        .collect();
    ensure!(
        missing.is_empty(),
        "of {count} parts these are missing: {}",
        missing.join(", ")
    );
    for (_, part) in parts {
        whole.oracles.extend(part.oracles.iter().cloned());
        for (name, n) in part.counters() {
            whole.count(name, n);
        }
        for ((class, name), row) in part.into_rows() {
            whole.add(&class, &name, row);
        }
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{Row, Tally};
    use crate::suite::Suite;

    /// Of 100 cases of 7 forms every 13th fails.
    fn run(shard: &str) -> Results {
        let shard = Shard::parse(shard).unwrap();
        let mut results = Results::new(Suite::Native, shard).set("seed", 1);
        for case in shard.of(0..100u64) {
            let failed = u64::from(case % 13 == 0);
            let mut row = Row::about("add");
            row.tally = Tally {
                cases: 1,
                failed,
                ..Tally::default()
            };
            if failed != 0 {
                row.describe(case, &format!("case {case}"));
            }
            results.count("failed as was to be expected", failed);
            results.add("64 bits", &format!("form {}", case % 7), row);
        }
        results
    }

    fn named(parts: &[&str]) -> Vec<(String, Results)> {
        parts.iter().map(|p| (p.to_string(), run(p))).collect()
    }

    #[test]
    fn the_parts_are_merged_to_the_whole() {
        for parts in [&["1/1"][..], &["2/2", "1/2"], &["3/4", "1/4", "4/4", "2/4"]] {
            assert_eq!(merge(named(parts)).unwrap(), run("1/1"));
        }
        let verdict = merge(named(&["1/2", "2/2"])).unwrap().verdict();
        assert_eq!(verdict, "native: 100 cases, 7 of 7 forms, 8 failed");
    }

    #[test]
    fn more_parts_than_work_are_no_failure() {
        let parts: Vec<_> = (1..=200).map(|n| format!("{n}/200")).collect();
        let parts: Vec<_> = parts.iter().map(String::as_str).collect();
        assert!(run("150/200").passed());
        assert_eq!(merge(named(&parts)).unwrap(), run("1/1"));
        assert!(!run("1/1").passed());
        assert!(!Results::new(Suite::Native, Shard::WHOLE).passed());
    }

    #[test]
    fn missing_and_double_parts_are_named() {
        let error = |parts: &[&str]| merge(named(parts)).unwrap_err().to_string();
        assert!(error(&["2/4", "4/4"]).ends_with("missing: 1, 3"));
        assert!(error(&["2/2", "2/2", "1/2"]).contains("both part 2/2"));
        assert!(error(&["1/2", "2/3"]).contains("one of 3"));
        assert!(error(&[]).contains("nothing"));
    }

    #[test]
    fn parts_of_different_runs_are_refused() {
        let mut parts = named(&["1/2", "2/2"]);
        parts[1].1.settings.insert("seed".into(), "2".into());
        let error = merge(parts).unwrap_err().to_string();
        assert!(error.contains("seed is 1 and 2"), "{error}");
        let mut parts = named(&["1/2", "2/2"]);
        parts[1].1.suite = Suite::Ring0;
        assert!(merge(parts).is_err());
        let mut parts = named(&["1/2", "2/2"]);
        parts[0].1.settings.insert("only".into(), "add".into());
        assert!(merge(parts).unwrap_err().to_string().contains("not given"));
    }
}
