//! A failing case made plain: everything that the failure does not need goes.

use super::bench::Bench;
use super::case::{Case, FX_BYTES, TF};
use super::generator::decode;
use anyhow::Result;

/// How often everything is tried.
const ROUNDS: u32 = 4;

/// Shrinks a case that fails with a difference in `what`; the result still fails so.
pub fn shrink(bench: &mut Bench, case: &Case, what: &str) -> Result<Case> {
    let mut best = *case;
    let form = decode(case).code();
    let fails = |bench: &mut Bench, case: &Case| -> Result<bool> {
        let (ending, ..) = bench.run_one(case)?;
        Ok(ending
            .failure()
            .is_some_and(|d| d.iter().any(|d| d.what == what)))
    };
    for _ in 0..ROUNDS {
        let before = best;
        for candidate in simpler(&best) {
            // Each is one change of the case as it was; it may not apply to the case as it is now.
            let merged = merge(&best, &before, &candidate);
            if merged != best && decode(&merged).code() == form && fails(bench, &merged)? {
                best = merged;
            }
        }
        if best == before {
            break;
        }
    }
    Ok(best)
}

/// Applies the difference between `before` and `candidate` to `best`.
fn merge(best: &Case, before: &Case, candidate: &Case) -> Case {
    let mut merged = *best;
    for n in 0..16 {
        if candidate.gpr[n] != before.gpr[n] {
            merged.gpr[n] = candidate.gpr[n];
        }
        if candidate.ymm_high[n] != before.ymm_high[n] {
            merged.ymm_high[n] = candidate.ymm_high[n];
        }
    }
    for n in 0..6 {
        if candidate.selectors[n] != before.selectors[n] {
            merged.selectors[n] = candidate.selectors[n];
        }
    }
    merged.flags = best.flags ^ (before.flags ^ candidate.flags);
    for n in 0..FX_BYTES {
        if candidate.fx[n] != before.fx[n] {
            merged.fx[n] = candidate.fx[n];
        }
    }
    if candidate.bases != before.bases {
        merged.bases = candidate.bases;
    }
    if (candidate.at, candidate.high) != (before.at, before.high) {
        (merged.at, merged.high) = (candidate.at, candidate.high);
    }
    if (candidate.patches, candidate.patch_count) != (before.patches, before.patch_count)
        && (best.patches, best.patch_count) == (before.patches, before.patch_count)
    {
        (merged.patches, merged.patch_count) = (candidate.patches, candidate.patch_count);
    }
    if (candidate.code, candidate.len) != (before.code, before.len)
        && (best.code, best.len) == (before.code, before.len)
    {
        (merged.code, merged.len) = (candidate.code, candidate.len);
    }
    merged
}

/// Cases with one thing plainer.
fn simpler(case: &Case) -> Vec<Case> {
    let plain = Case::new(case.size);
    let mut all = Vec::new();
    let mut with = |change: &dyn Fn(&mut Case)| {
        let mut c = *case;
        change(&mut c);
        if c != *case {
            all.push(c);
        }
    };
    with(&|c| c.fx = plain.fx);
    with(&|c| c.ymm_high = plain.ymm_high);
    for n in 0..usize::from(case.patch_count) {
        with(&|c| {
            c.patches.copy_within(n + 1.., n);
            c.patch_count -= 1;
            for p in &mut c.patches[usize::from(c.patch_count)..] {
                *p = plain.patches[0];
            }
        });
    }
    for n in 0..16 {
        with(&|c| c.gpr[n] = plain.gpr[n]);
        if case.gpr[n] != plain.gpr[n] {
            with(&|c| c.gpr[n] = 0);
            with(&|c| c.gpr[n] &= 0xFFFF);
        }
        with(&|c| c.ymm_high[n] = [0; 2]);
        with(&|c| c.fx[160 + 16 * n..176 + 16 * n].fill(0));
    }
    for n in 0..6 {
        with(&|c| c.selectors[n] = plain.selectors[n]);
    }
    for n in 0..8 {
        with(&|c| c.fx[32 + 16 * n..48 + 16 * n].fill(0));
    }
    for (from, to) in [(0, 2), (2, 4), (4, 5), (6, 8), (8, 16), (16, 24), (24, 28)] {
        with(&|c| c.fx[from..to].copy_from_slice(&plain.fx[from..to]));
    }
    for bit in [0, 2, 4, 6, 7, 10, 11, 18] {
        with(&|c| c.flags &= !(1 << bit));
    }
    with(&|c| c.flags |= TF);
    with(&|c| c.bases = [0; 2]);
    with(&|c| c.high = false);
    with(&|c| (c.at, c.high) = (plain.at, plain.high));
    // A prefix less.
    for n in 0..usize::from(case.len).saturating_sub(1).min(4) {
        with(&|c| {
            c.code.copy_within(n + 1.., n);
            c.code[15] = 0;
            c.len -= 1;
        });
    }
    all
}
