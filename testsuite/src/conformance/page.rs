//! The document itself.

use super::names::{Names, usual};
use anyhow::{Result, bail};
use campaign::{Results, Row, Suite, Tally};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The command that makes it.
const COMMAND: &str = "cargo xtask conformance";
/// Why a form is not compared with the host: the model does not execute it either.
const NOT_OFFERED: &str = "not offered by the model";

/// The bytes are compared all the same.
const UNDER_ANOTHER_NAME: &str = "compared as";

/// The document and what it adds up to.
pub struct Text {
    pub page: String,
    pub instructions: usize,
    pub failed: u64,
}

/// Cases of an instruction, and forms of it where the suite counts these.
#[derive(Copy, Clone, Default)]
struct Cell {
    tally: Tally,
    rows: u32,
    rows_met: u32,
}

/// A suite that counts by instruction.
struct Column {
    title: String,
    by_form: bool,
    cells: BTreeMap<String, Cell>,
}

/// What is said of a form that the host was not asked about.
#[derive(Default)]
struct LeftOut {
    /// Mnemonics, and how many forms of each.
    forms: BTreeMap<String, u32>,
}

/// Writes the document.
pub fn render(mut all: Vec<Results>) -> Result<Text> {
    all.sort_by(|a, b| (a.suite, &a.settings).cmp(&(b.suite, &b.settings)));
    if let Some(pair) = all
        .windows(2)
        .find(|p| p[0].suite == p[1].suite && p[0].settings == p[1].settings)
    {
        bail!("the same run of {} is given twice", pair[0].suite.name());
    }
    let names = Names::new();
    let columns: Vec<Column> = all.iter().filter_map(column).collect();
    let left_out = left_out(&all);
    let mut page = head(&all);
    let instructions = instructions(&mut page, &names, &columns);
    not_compared(&mut page, &names, &left_out, &columns);
    tables(&mut page, &all);
    let failed = all.iter().map(|r| r.total().failed).sum();
    Ok(Text {
        page,
        instructions,
        failed,
    })
}

fn column(results: &Results) -> Option<Column> {
    let setting = |name: &str| results.settings.get(name).cloned().unwrap_or_default();
    let title = match results.suite {
        Suite::Vectors => format!("a real {}", setting("model")),
        Suite::Native => "the host".into(),
        Suite::Ring0 => format!("ring 0: {}", setting("peers").replace(' ', ", ")),
        Suite::Exceptions => "exceptions".into(),
        Suite::Published => "published".into(),
        Suite::Guests | Suite::Laws | Suite::Fuzz => return None,
    };
    let mut cells: BTreeMap<String, Cell> = BTreeMap::new();
    for (_, row) in results.rows() {
        let Some(instruction) = &row.instruction else {
            continue;
        };
        if row.left_out.is_some() {
            continue;
        }
        let cell = cells.entry(usual(instruction).to_owned()).or_default();
        cell.tally.add(row.tally);
        cell.rows += 1;
        cell.rows_met += u32::from(row.tally.cases != row.tally.skipped);
    }
    Some(Column {
        title,
        by_form: results.suite == Suite::Native,
        cells,
    })
}

fn left_out(all: &[Results]) -> BTreeMap<String, LeftOut> {
    let mut reasons: BTreeMap<String, LeftOut> = BTreeMap::new();
    let native = all.iter().filter(|r| r.suite == Suite::Native);
    for (_, row) in native.flat_map(Results::rows) {
        if let (Some(reason), Some(instruction)) = (&row.left_out, &row.instruction) {
            let reason = reasons.entry(reason.clone()).or_default();
            *reason.forms.entry(instruction.clone()).or_default() += 1;
        }
    }
    reasons
}

fn head(all: &[Results]) -> String {
    let mut text = String::from("# Conformance\n\n");
    let _ = writeln!(
        text,
        "Which instruction was held against what, how often, and what differed. `{COMMAND}` made this page from the JUnit\n\
         files of the suites named here; do not edit it. [What it is held against](oracles.md) says what each suite does, and\n\
         [Campaigns](campaign.md) how a cluster runs them.\n"
    );
    let _ = writeln!(
        text,
        "| suite | asked for | held against | what came of it |"
    );
    let _ = writeln!(text, "|---|---|---|---|");
    for results in all {
        let settings: Vec<_> = results
            .settings
            .iter()
            .map(|(k, v)| format!("{k} {v}"))
            .collect();
        let oracles: Vec<_> = results.oracles.iter().map(String::as_str).collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            results.suite.name(),
            settings.join(", "),
            oracles.join("; "),
            results.verdict()
        );
    }
    let given: BTreeSet<Suite> = all.iter().map(|r| r.suite).collect();
    let missing = Suite::ALL.into_iter().filter(|s| !given.contains(s));
    let missing: Vec<_> = missing.map(Suite::name).collect();
    if !missing.is_empty() {
        let _ = writeln!(text, "\nNot run for this page: {}.", missing.join(", "));
    }
    text
}

/// The tables by feature; how many instructions there are.
fn instructions(page: &mut String, names: &Names, columns: &[Column]) -> usize {
    let mut groups = BTreeMap::new();
    for column in columns {
        for mnemonic in column.cells.keys() {
            let group: &mut BTreeSet<&str> = groups.entry(names.group(mnemonic)).or_default();
            group.insert(mnemonic);
        }
    }
    page.push_str(
        "\n## Instructions\n\n\
         A cell says how many cases there were; `2/3` behind it how many of the forms that were tried could be compared, where that\n\
         is not all of them; and in bold how many differed without an explanation. Differences that a rule with the manual's section\n\
         explains are not counted. An empty cell: not tried there.\n",
    );
    let mut count = 0;
    for ((_, title), mnemonics) in &groups {
        let has = |c: &&Column| mnemonics.iter().any(|m| c.cells.contains_key(*m));
        let used: Vec<&Column> = columns.iter().filter(has).collect();
        let titles: Vec<_> = used.iter().map(|c| c.title.as_str()).collect();
        let _ = writeln!(page, "\n### {title}\n\n| | {} |", titles.join(" | "));
        let _ = writeln!(page, "|---|{}", "---:|".repeat(used.len()));
        for mnemonic in mnemonics {
            let cells: Vec<_> = used.iter().map(|c| cell(c, mnemonic)).collect();
            let _ = writeln!(page, "| {mnemonic} | {} |", cells.join(" | "));
            count += 1;
        }
    }
    count
}

fn cell(column: &Column, mnemonic: &str) -> String {
    let Some(cell) = column.cells.get(mnemonic) else {
        return String::new();
    };
    let mut text = grouped(cell.tally.cases);
    if column.by_form && cell.rows_met != cell.rows {
        let _ = write!(text, " {}/{}", cell.rows_met, cell.rows);
    }
    if cell.tally.failed != 0 {
        let _ = write!(text, " **{} differ**", grouped(cell.tally.failed));
    }
    text
}

/// 1234567 as 1,234,567.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, d) in digits.chars().enumerate() {
        if i != 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(d);
    }
    text
}

/// What the host was not asked, and who else was.
fn not_compared(
    page: &mut String,
    names: &Names,
    left_out: &BTreeMap<String, LeftOut>,
    columns: &[Column],
) {
    if left_out.is_empty() {
        return;
    }
    page.push_str(
        "\n## Forms that were not compared with the host\n\n\
         A form is an instruction with its kinds of operands, in code segments of one size. In brackets: what else it was held against.\n\n",
    );
    let mut alone: BTreeSet<&str> = BTreeSet::new();
    for (reason, LeftOut { forms }) in left_out {
        let total: u32 = forms.values().sum();
        if reason == NOT_OFFERED {
            let mut by_feature: BTreeMap<_, u32> = BTreeMap::new();
            for (mnemonic, n) in forms {
                *by_feature.entry(names.group(mnemonic)).or_default() += n;
            }
            let list = by_feature
                .iter()
                .map(|((_, title), n)| format!("{title} {n}"));
            let list: Vec<_> = list.collect();
            let _ = writeln!(
                page,
                "- {reason}: {total} forms by the feature that their instruction came with: {}.",
                list.join(", ")
            );
            continue;
        }
        let mut list = Vec::new();
        for mnemonic in forms.keys() {
            let elsewhere: Vec<_> = columns
                .iter()
                .filter(|c| c.cells.get(mnemonic).is_some_and(|cell| cell.rows_met > 0))
                .map(|c| c.title.as_str())
                .collect();
            if elsewhere.is_empty() {
                if !reason.contains(UNDER_ANOTHER_NAME) {
                    alone.insert(mnemonic);
                }
                list.push(mnemonic.clone());
            } else {
                list.push(format!("{mnemonic} [{}]", elsewhere.join("; ")));
            }
        }
        let _ = writeln!(page, "- {reason}: {total} forms: {}.", list.join(", "));
    }
    if !alone.is_empty() {
        let list: Vec<_> = alone.into_iter().collect();
        let _ = writeln!(
            page,
            "\nHeld against nothing but tests of our own and the guests: {}.",
            list.join(", ")
        );
    }
}

/// Suites that count by something else than instructions, and what an instruction suite left out.
fn tables(page: &mut String, all: &[Results]) {
    for results in all {
        let (title, columns) = match results.suite {
            Suite::Guests => ("Guests", "| guest | with | |"),
            Suite::Laws => ("Laws", "| guest | way | points |"),
            Suite::Fuzz => ("Hostile input", "| part | target | cases |"),
            Suite::Exceptions => {
                exceptions(page, results);
                continue;
            }
            Suite::Vectors | Suite::Native | Suite::Ring0 | Suite::Published => continue,
        };
        let _ = writeln!(page, "\n## {title}\n\n{columns}\n|---|---|---:|");
        for ((class, name), row) in results.rows() {
            let _ = writeln!(
                page,
                "| {class} | {name} | {} |",
                outcome(results.suite, row)
            );
        }
    }
}

fn outcome(suite: Suite, row: &Row) -> String {
    let Tally { cases, failed, .. } = row.tally;
    match (suite, failed) {
        (Suite::Guests, 0) => "works".into(),
        (_, 0) => grouped(cases),
        (Suite::Guests, _) => "**fails**".into(),
        _ => format!("{} **{} differ**", grouped(cases), grouped(failed)),
    }
}

fn exceptions(page: &mut String, results: &Results) {
    let left: Vec<_> = results
        .rows()
        .filter(|(_, r)| r.left_out.is_some())
        .collect();
    if left.is_empty() {
        return;
    }
    page.push_str("\n## Conditions of exceptions that were not exercised\n\n");
    for ((class, name), row) in left {
        let reason = row.left_out.as_deref().unwrap_or_default();
        let _ = writeln!(page, "- {class}: {name}: {reason}");
    }
}
