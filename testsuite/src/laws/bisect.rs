//! The first instruction behind which two ways of running differ.

use super::recording::Recording;
use super::subject::{Bench, Flavour, Subject};
use super::ways::{Difference, Way};
use anyhow::Result;

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
            return Ok("side by side, without the other points, they do not differ".into());
        }
    }
    let (plain, other) = pair(way, bench, recording, known.after, same)?;
    let before = plain.machine.cpu_state();
    let (mut plain, mut other) = (plain, other);
    plain.run_to(differ)?;
    other.run_to(differ)?;
    Ok(format!(
        "first different behind instruction {same}: {}\nbefore: {before:?}\nplain:  {:?}\nother:  {:?}",
        parts.join(", "),
        plain.machine.cpu_state(),
        other.machine.cpu_state()
    ))
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
