//! The first instruction behind which two ways of running differ.

use super::recording::Recording;
use super::subject::{Bench, Flavour, Subject};
use super::ways::{Difference, Way};
use anyhow::Result;
use emu_core::x86::CpuState;

/// In how many parts an interval is divided at a time.
const PARTS: u64 = 64;

/// Runs both ways side by side from the last point at which they were the same.
pub fn first_difference(
    way: Way,
    bench: &Bench,
    recording: &Recording,
    known: &Difference,
) -> Result<String> {
    let (mut same, mut differ) = (known.after, known.insns);
    let mut parts = known.parts.clone();
    while differ - same > 1 {
        let low = same;
        let (mut plain, mut other) = pair(way, bench, recording, known.after, same)?;
        let step = (differ - same).div_ceil(PARTS);
        let mut found = false;
        for n in (same + step..differ).step_by(step as usize).chain([differ]) {
            plain.run_to(n)?;
            other.run_to(n)?;
            let now = plain.parts()?.differences(&other.parts()?);
            if !now.is_empty() {
                (differ, parts, found) = (n, now, true);
                break;
            }
            same = n;
        }
        if !found {
            let runs = Runs {
                way,
                bench,
                recording,
                restored: known.after,
                low,
            };
            return runs.narrow(differ);
        }
    }
    let (mut plain, mut other) = pair(way, bench, recording, known.after, same)?;
    let before = plain.machine.cpu_state();
    plain.run_to(differ)?;
    other.run_to(differ)?;
    let what = format!("first different behind instruction {same}");
    Ok(describe(&what, &parts, &before, &plain, &other))
}

/// Pairs of runs that stop twice: at an instruction after which they are the same, and behind it.
struct Runs<'a> {
    way: Way,
    bench: &'a Bench,
    recording: &'a Recording,
    restored: u64,
    low: u64,
}

impl Runs<'_> {
    /// Both machines after `n` instructions, and the parts that differ.
    fn at(&self, n: u64) -> Result<(Subject, Subject, Vec<String>)> {
        let Self { way, restored, .. } = *self;
        let (mut plain, mut other) = pair(way, self.bench, self.recording, restored, self.low)?;
        plain.run_to(n)?;
        other.run_to(n)?;
        let parts = plain.parts()?.differences(&other.parts()?);
        Ok((plain, other, parts))
    }

    /// Before a stop instructions are executed one by one, so stops that are close may hide a difference in how they are
    /// executed together. With one stop behind `low` it is the end of such a block that is found.
    fn narrow(&self, differ: u64) -> Result<String> {
        let (mut same, mut found) = (self.low, (differ, self.at(differ)?));
        if found.1.2.is_empty() {
            return Ok("side by side, without the other points, they do not differ".into());
        }
        while found.0 - same > 1 {
            let middle = same + (found.0 - same) / 2;
            let at = self.at(middle)?;
            if at.2.is_empty() {
                same = middle;
            } else {
                found = (middle, at);
            }
        }
        let (differ, (plain, other, parts)) = found;
        let before = self.at(same)?.0.machine.cpu_state();
        let what = format!(
            "different at instruction {differ} if nothing stops them behind {}, and not at {same}",
            self.low
        );
        Ok(describe(&what, &parts, &before, &plain, &other))
    }
}

fn describe(
    what: &str,
    parts: &[String],
    before: &CpuState,
    plain: &Subject,
    other: &Subject,
) -> String {
    format!(
        "{what}: {}\nbefore: {before:?}\nplain:  {:?}\nother:  {:?}",
        parts.join(", "),
        plain.machine.cpu_state(),
        other.machine.cpu_state()
    )
}

/// Both machines after `insns` instructions; a way that restores has done so at `restored`.
fn pair(
    way: Way,
    bench: &Bench,
    recording: &Recording,
    restored: u64,
    insns: u64,
) -> Result<(Subject, Subject)> {
    let start = |flavour: Flavour| -> Result<Subject> {
        let mut subject = bench.power_on(flavour)?;
        recording.schedule(&mut subject.machine);
        Ok(subject)
    };
    let mut plain = start(Flavour::PLAIN)?;
    let mut other = start(way.flavour())?;
    if matches!(way, Way::Restored | Way::RestoredOnce) {
        other.run_to(restored)?;
        other = bench.restored(&other, recording)?;
    }
    plain.run_to(insns)?;
    other.run_to(insns)?;
    Ok((plain, other))
}
