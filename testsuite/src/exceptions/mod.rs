//! The manual's lists of exceptions of the system instructions, condition by condition (SDM vol. 2: "Protected Mode
//! Exceptions", "Real-Address Mode Exceptions", "Virtual-8086 Mode Exceptions", "Compatibility Mode Exceptions" and
//! "64-Bit Mode Exceptions" of each instruction; what the lists refer to stands in vol. 3, chapters 3, 5, 6 and 7).
//!
//! Each condition is brought about on our core ([`stage`]): the vector, the error code, the instruction pointer that is
//! pushed, and CR2 of a page fault must be those of the list. Beside the conditions stand cases in which nothing is
//! wrong, which must complete, so that a condition cannot hold for another reason. What all instructions of a kind have in
//! common comes from one table ([`instructions`]); the files beside it hold what is special.
//!
//! **Not exercised**: what needs a feature that no model has (CET, MPX, performance counters), which the report names
//! condition by condition; what the lists say of enclaves (SGX), transactions (RTM) and guests of a hypervisor (VMX);
//! exceptions in real-address mode whose frame has no room on the stack, which shut the processor down.

mod condition;
mod flags;
mod instructions;
mod interrupts;
mod registers;
mod segments;
pub mod stage;
mod transfers;

use anyhow::{Context, Result};
use campaign::{CampaignArgs, Results, Row, Suite, Tally};
use condition::{Condition, Expected};

/// The count of cases in which nothing is wrong.
const COUNTERPARTS: &str = "complete because nothing is wrong";

/// `testsuite exceptions`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    campaign: CampaignArgs,
    /// Only instructions whose names contain this
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Name every condition
    #[arg(long)]
    list: bool,
}

/// All conditions.
fn conditions() -> Vec<Condition> {
    let mut all = instructions::conditions();
    all.extend(segments::conditions());
    all.extend(transfers::conditions());
    all.extend(interrupts::conditions());
    all.extend(registers::conditions());
    all.extend(flags::conditions());
    all
}

/// Runs the suite; `true` if all conditions that are exercised come as the manual says.
pub fn run(args: &Args) -> Result<bool> {
    let shard = args.campaign.shard()?;
    let only = args.only.to_lowercase();
    let mut wanted = conditions();
    wanted.retain(|c| c.instruction.contains(only.as_str()));
    let mut results =
        Results::new(Suite::Exceptions, shard).set_if("only", (!only.is_empty()).then_some(&only));
    results.oracles.insert("the SDM's lists".into());
    for condition in shard.of(&wanted) {
        let name = condition.name();
        let place = format!("{}, {}", condition.instruction, condition.mode.name());
        let mut row = Row::about(mnemonic(condition.instruction));
        if let Expected::LeftOut(why) = condition.expected {
            println!("{place}: {name}: not exercised: {why}");
            row = row.left_out(why);
        } else {
            let run = std::panic::AssertUnwindSafe(|| condition.run());
            let came = match std::panic::catch_unwind(run) {
                Ok(came) => came.with_context(|| name.clone())?,
                Err(_) => Some("the interpreter panicked".into()),
            };
            if condition.expected == Expected::Completes {
                results.count(COUNTERPARTS, 1);
            }
            row = row.counted(Tally {
                cases: 1,
                failed: u64::from(came.is_some()),
                ..Tally::default()
            });
            match came {
                Some(came) => {
                    println!("{place}: {name}: FAILED: {came}");
                    row.describe(0, &came);
                }
                None if args.list => println!("{place}: {name}: {}", in_words(condition.expected)),
                None => {}
            }
        }
        results.add(&place, &name, row);
    }
    for (what, n) in results.counters() {
        println!("{n} cases {what}");
    }
    campaign::conclude(&results, &args.campaign)
}

/// The mnemonic, without what distinguishes the forms.
fn mnemonic(instruction: &str) -> &str {
    match instruction {
        "ret far" => "retf",
        _ => instruction.split(' ').next().unwrap_or(instruction),
    }
}

fn in_words(expected: Expected) -> String {
    const NAMES: [&str; 18] = [
        "DE", "DB", "NMI", "BP", "OF", "BR", "UD", "NM", "DF", "9", "TS", "NP", "SS", "GP", "PF",
        "15", "MF", "AC",
    ];
    match expected {
        Expected::Exception(vector, error, _) => {
            let name = NAMES.get(usize::from(vector)).unwrap_or(&"?");
            format!("#{name}({error:x}h)")
        }
        _ => "completes".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_condition_comes_as_the_manual_says() {
        let mut wrong = Vec::new();
        for c in conditions() {
            if matches!(c.expected, Expected::LeftOut(_)) {
                continue;
            }
            if let Some(came) = c.run().unwrap() {
                wrong.push(format!(
                    "{} {:?}: {}: {came}",
                    c.instruction,
                    c.mode,
                    c.name()
                ));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn no_condition_stands_there_twice() {
        let mut seen = BTreeSet::new();
        for c in conditions() {
            let name = (c.instruction, c.mode, c.name());
            assert!(seen.insert(name.clone()), "{name:?}");
        }
    }

    #[test]
    fn a_wrong_expectation_is_seen() {
        let hlt = |ring| Condition::new("hlt", stage::Mode::Protected, ring, "", &[0xF4]);
        assert_eq!(hlt(3).faults(condition::GP, 0u32).run().unwrap(), None);
        assert!(hlt(3).faults(condition::GP, 8u32).run().unwrap().is_some());
        assert!(hlt(3).faults(condition::UD, 0u32).run().unwrap().is_some());
        assert!(hlt(3).run().unwrap().is_some());
        assert!(hlt(0).faults(condition::GP, 0u32).run().unwrap().is_some());
    }
}
