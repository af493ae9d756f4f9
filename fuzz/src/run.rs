//! Plays the cases of a target and catches what fails.

use campaign::Shard;
use emu_core::testkit::Rng;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// How many failures of one target are described; the others are only counted.
const DESCRIBED_MAX: u64 = 20;

/// Something to throw hostile input at.
#[derive(Copy, Clone, Debug)]
pub struct Target {
    /// `chip/i8254`
    pub name: &'static str,
    /// What it does, and what its steps are.
    pub about: &'static str,
    /// Steps in one case.
    pub steps: u64,
    /// Plays a case of so many steps.
    pub play: fn(&mut Rng, u64),
}

/// How much to do.
#[derive(Copy, Clone, Debug)]
pub struct Plan {
    /// Steps for each target.
    pub count: u64,
    /// Another seed gives other cases.
    pub seed: u64,
    /// The part of the cases to play.
    pub shard: Shard,
    /// Only this case.
    pub case: Option<u64>,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Cases played.
    pub cases: u64,
    /// Steps played.
    pub steps: u64,
    /// Cases that failed.
    pub failed: u64,
    /// The numbers of the first failures, with one line each.
    pub failures: Vec<(u64, String)>,
}

thread_local! {
    /// Where this thread's last panic happened and what it said.
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps panics quiet: they are reported with their case.
fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            let payload = info.payload();
            let text = payload
                .downcast_ref::<&str>()
                .map(ToString::to_string)
                .or_else(|| payload.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            let text = format!("{place}: {}", text.replace('\n', " "));
            LAST_PANIC.with(|p| *p.borrow_mut() = text);
        }));
    });
}

/// The seed of a case: neighbours must not resemble each other.
fn case_seed(target: &str, seed: u64, case: u64) -> u64 {
    let mut x = seed ^ 0x9E37_79B9_7F4A_7C15;
    for byte in target.bytes() {
        x = (x ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    }
    x = x.wrapping_add(case.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// Plays a target's cases.
pub fn run(target: &Target, plan: &Plan) -> Report {
    install_hook();
    let mut report = Report::default();
    let all = plan.count.div_ceil(target.steps);
    let (cases, shard) = match plan.case {
        Some(case) => (case..case + 1, Shard::WHOLE),
        None => (0..all, plan.shard),
    };
    for case in shard.of(cases) {
        let mut rng = Rng::new(case_seed(target.name, plan.seed, case));
        let played = catch_unwind(AssertUnwindSafe(|| (target.play)(&mut rng, target.steps)));
        report.cases += 1;
        report.steps += target.steps;
        if played.is_err() {
            report.failed += 1;
            if report.failed <= DESCRIBED_MAX {
                let why = LAST_PANIC.with(|p| p.borrow().clone());
                let again = format!("fuzz {} --seed {} --case {case}", target.name, plan.seed);
                let line = format!("FAILED: {again}: {why}");
                report.failures.push((case, line));
            }
        }
    }
    report
}
