//! Results as JUnit XML: one `testsuite`, a `testcase` for each row, the counts as properties.
//!
//! No times are written: the same run gives the same file.

use crate::results::{Results, Row, Tally};
use crate::shard::Shard;
use crate::suite::Suite;
use anyhow::{Context, Result, bail, ensure};
use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};
use std::path::Path;

const SHARD: &str = "shard";
const ORACLE: &str = "oracle";
const CASES: &str = "cases";
const SKIPPED: &str = "skipped";
const EXPLAINED: &str = "explained";
const FAILED: &str = "failed";
const INSTRUCTION: &str = "instruction";
/// Names of what was asked for begin so, lest they mean anything else.
const SETTING: &str = "setting.";
/// And those of counts over all rows.
const COUNTER: &str = "counter.";

/// Writes a file; whoever looks for it finds it whole.
pub fn write(results: &Results, path: &Path) -> Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    let mut draft = path.as_os_str().to_owned();
    draft.push(".part");
    std::fs::write(&draft, to_xml(results)?).with_context(cannot)?;
    std::fs::rename(&draft, path).with_context(cannot)
}

/// Reads a file.
pub fn read(path: &Path) -> Result<Results> {
    let text = std::fs::read_to_string(path);
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    from_xml(&text).with_context(|| format!("{} is no suite's result", path.display()))
}

pub(crate) fn to_xml(results: &Results) -> Result<String> {
    let mut suite = TestSuite::new(results.suite.name());
    suite.add_property(Property::new(SHARD, results.shard.to_string()));
    for (name, value) in &results.settings {
        suite.add_property(Property::new(format!("{SETTING}{name}"), value));
    }
    for oracle in &results.oracles {
        suite.add_property(Property::new(ORACLE, oracle));
    }
    for (name, n) in results.counters() {
        suite.add_property(Property::new(format!("{COUNTER}{name}"), n.to_string()));
    }
    let total = results.total();
    suite.add_property(Property::new(CASES, total.cases.to_string()));
    suite.add_property(Property::new(FAILED, total.failed.to_string()));
    for ((class, name), row) in results.rows() {
        let mut case = TestCase::new(name, status(row));
        case.set_classname(class);
        if let Some(instruction) = &row.instruction {
            case.add_property(Property::new(INSTRUCTION, instruction));
        }
        let t = row.tally;
        let counts = [
            (CASES, t.cases),
            (SKIPPED, t.skipped),
            (EXPLAINED, t.explained),
            (FAILED, t.failed),
        ];
        for (name, count) in counts {
            if count != 0 || name == CASES {
                case.add_property(Property::new(name, count.to_string()));
            }
        }
        suite.add_test_case(case);
    }
    let mut report = Report::new("boxwood");
    report.add_test_suite(suite);
    Ok(report.to_string()?)
}

fn status(row: &Row) -> TestCaseStatus {
    if let Some(reason) = &row.left_out {
        let mut status = TestCaseStatus::skipped();
        status.set_message(reason);
        return status;
    }
    if row.tally.failed == 0 {
        return TestCaseStatus::success();
    }
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(format!("{} of {}", row.tally.failed, row.tally.cases));
    let lines: Vec<_> = row
        .failures()
        .map(|(n, text)| format!("#{n} {text}"))
        .collect();
    if !lines.is_empty() {
        status.set_description(lines.join("\n"));
    }
    status
}

pub(crate) fn from_xml(text: &str) -> Result<Results> {
    let report = Report::deserialize_from_str(text)?;
    let [suite] = report.test_suites.as_slice() else {
        bail!("it has {} testsuite elements", report.test_suites.len());
    };
    let name = suite.name.as_str();
    let kind = Suite::by_name(name).with_context(|| format!("there is no suite {name}"))?;
    let shard = find(&suite.properties, SHARD).context("it does not say which part it is")?;
    let shard = Shard::parse(shard).map_err(anyhow::Error::msg)?;
    let mut results = Results::new(kind, shard);
    for p in &suite.properties {
        if let Some(name) = p.name.as_str().strip_prefix(SETTING) {
            results = results.set(name, p.value.as_str());
        } else if p.name.as_str() == ORACLE {
            results.oracles.insert(p.value.as_str().to_owned());
        } else if let Some(name) = p.name.as_str().strip_prefix(COUNTER) {
            results.count(name, count(&suite.properties, p.name.as_str())?);
        }
    }
    for case in &suite.test_cases {
        let class = case.classname.as_deref().unwrap_or_default();
        let row = row(case).with_context(|| format!("testcase {}", case.name.as_str()))?;
        results.add(class, case.name.as_str(), row);
    }
    let total = results.total();
    for (name, sum) in [(CASES, total.cases), (FAILED, total.failed)] {
        let told = count(&suite.properties, name)?;
        ensure!(
            told == sum,
            "it says {told} {name}, but its rows have {sum}"
        );
    }
    Ok(results)
}

fn row(case: &TestCase) -> Result<Row> {
    let properties = &case.properties;
    let mut row = Row::default().counted(Tally {
        cases: count(properties, CASES)?,
        skipped: count(properties, SKIPPED)?,
        explained: count(properties, EXPLAINED)?,
        failed: count(properties, FAILED)?,
    });
    row.instruction = find(properties, INSTRUCTION).map(str::to_owned);
    match &case.status {
        TestCaseStatus::Success { .. } => {}
        TestCaseStatus::Skipped { message, .. } => {
            row.left_out = Some(message.as_deref().unwrap_or_default().to_owned());
        }
        TestCaseStatus::NonSuccess { description, .. } => {
            for line in description.as_deref().unwrap_or_default().lines() {
                let line = line.trim().strip_prefix('#');
                if let Some((number, text)) = line.and_then(|l| l.split_once(' ')) {
                    row.describe(number.parse()?, text);
                }
            }
        }
    }
    Ok(row)
}

fn find<'a>(properties: &'a [Property], name: &str) -> Option<&'a str> {
    let found = properties.iter().find(|p| p.name.as_str() == name);
    found.map(|p| p.value.as_str())
}

fn count(properties: &[Property], name: &str) -> Result<u64> {
    let Some(text) = find(properties, name) else {
        return Ok(0);
    };
    let parsed = text.parse();
    parsed.with_context(|| format!("{name} is {text:?}, which is no count"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results() -> Results {
        let mut results = Results::new(Suite::Native, Shard::parse("2/3").unwrap())
            .set("seed", 7)
            .set("model", "max");
        results
            .oracles
            .insert("A \"fine\" <processor> & more".into());
        results.count("rule: a quirk", 17);
        let mut failing = Row::about("add");
        failing.tally = Tally {
            cases: 12,
            skipped: 1,
            explained: 2,
            failed: 3,
        };
        failing.describe(40, "add al,1  [1 < 2 & \"3\"]\n  rax: host 1, ours 2");
        failing.describe(8, "'first'");
        results.add("64 bits", "Add_AL_imm8", failing);
        let left_out = Row::about("rdtsc").left_out("counters differ");
        results.add("64 bits", "Rdtsc", left_out);
        results
    }

    #[test]
    fn what_is_written_is_read_again() {
        let results = results();
        let xml = to_xml(&results).unwrap();
        assert_eq!(from_xml(&xml).unwrap(), results, "{xml}");
        assert!(
            xml.contains("tests=\"2\"") && xml.contains("failures=\"1\""),
            "{xml}"
        );
    }

    #[test]
    fn the_first_failures_by_number_are_kept() {
        let mut row = Row::default();
        for n in (0..100).rev() {
            row.describe(n, "x");
        }
        let kept: Vec<_> = row.failures().map(|(n, _)| n).collect();
        assert_eq!(kept, Vec::from_iter(0..10));
    }

    #[test]
    fn a_file_that_is_cut_or_changed_is_refused() {
        let xml = to_xml(&results()).unwrap();
        let bad = [
            xml[..xml.len() / 2].to_owned(),
            xml.replacen("value=\"12\"", "value=\"13\"", 1),
            xml.replace("\"native\"", "\"naive\""),
            xml.replace("\"2/3\"", "\"4/3\""),
            String::new(),
        ];
        for text in bad {
            assert!(from_xml(&text).is_err(), "{text}");
        }
    }
}
