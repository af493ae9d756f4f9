//! A short run of every target. Long ones: `cargo run --profile fuzz -p fuzz -- all --count 10000000`.

use campaign::Shard;
use fuzz::{Plan, TARGETS, run};

/// Plays the targets whose names begin so.
fn holds(prefix: &str, count: u64) {
    let plan = Plan {
        count,
        seed: 1,
        shard: Shard::WHOLE,
        case: None,
    };
    let mut played = 0;
    for target in TARGETS.iter().filter(|t| t.name.starts_with(prefix)) {
        let report = run(target, &plan);
        assert!(report.failures.is_empty(), "{:#?}", report.failures);
        assert!(report.steps >= count);
        played += 1;
    }
    assert!(played > 0, "there is no target {prefix}");
}

#[test]
fn no_chip_panics_or_hangs() {
    holds("chip/", 20_000);
}

#[test]
fn the_whole_board_neither_panics_nor_hangs() {
    holds("pc", 20_000);
}

#[test]
fn the_cpu_neither_panics_nor_hangs() {
    holds("cpu/", 20_000);
}

#[test]
fn no_image_file_panics() {
    holds("media", 300);
}

#[test]
fn no_snapshot_panics_or_changes_a_machine_that_refuses_it() {
    holds("snapshot/", 12);
}

#[test]
fn nothing_that_our_bios_boots_from_panics() {
    holds("boot/", 2);
}

#[test]
fn a_target_that_panics_is_reported_with_what_repeats_it() {
    let target = fuzz::Target {
        name: "broken",
        about: "fails in every other case",
        steps: 10,
        play: |rng, steps| assert!(rng.below(2) == 0, "{steps} steps"),
    };
    let plan = Plan {
        count: 1000,
        seed: 7,
        shard: Shard::parse("2/2").unwrap(),
        case: None,
    };
    let report = run(&target, &plan);
    assert_eq!(report.cases, 50, "every other case");
    assert!(report.failed > 0 && report.failed < 50);
    let line = &report.failures[0].1;
    assert!(
        line.contains("broken --seed 7 --case") && line.contains("10 steps"),
        "{line}"
    );
    // The same case alone fails again.
    let case = line.split("--case ").nth(1).unwrap();
    let case = case.split(':').next().unwrap().parse().unwrap();
    let again = run(
        &target,
        &Plan {
            case: Some(case),
            ..plan
        },
    );
    assert_eq!((again.cases, again.failed), (1, 1));
}
