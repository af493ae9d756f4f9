//! The laws on a short run of the demo disk, and the suite itself: it must see what differs.

use super::guest::Guest;
use super::guest::Step::{Screen, Type, Wait};
use super::recording::Recording;
use super::subject::Bench;
use super::ways::{self, Outcome, Way};
use super::{DEFAULT_IPS, bisect};
use crate::operands::Prng;
use emu_core::time::VirtTime;

/// Boots, reads a sector by DMA, goes to protected mode and back.
const SHORT: Guest = Guest {
    name: "a short run of the demo disk",
    image: None,
    firmware: None,
    steps: &[
        Screen("Demo disk"),
        Type("b"),
        Wait(300),
        Type(" "),
        Wait(50),
        Type("d"),
        Wait(200),
    ],
};

fn points(n: usize, below: u64) -> Vec<u64> {
    let mut rng = Prng::new(7);
    let mut points: Vec<u64> = (0..n).map(|_| rng.below(below)).collect();
    points.sort_unstable();
    points
}

#[test]
fn however_the_demo_disk_is_run_its_state_is_the_same_at_every_point() {
    let bench = Bench::new(&SHORT, None, DEFAULT_IPS).unwrap();
    let recording = Recording::make(&bench).unwrap();
    let reference = ways::reference(&bench, &recording, points(12, recording.insns)).unwrap();
    for way in Way::ALL {
        if way == Way::Commands {
            continue;
        }
        let mut rng = Prng::new(8);
        let outcome = ways::compare(way, &bench, &recording, &reference, &mut rng).unwrap();
        assert!(outcome.compared > 0, "{way:?}");
        let first = outcome.differ.first().map(ToString::to_string);
        assert_eq!(first, None, "{way:?}");
    }
}

#[test]
fn a_key_that_does_not_come_is_seen() {
    let bench = Bench::new(&SHORT, None, DEFAULT_IPS).unwrap();
    let mut recording = Recording::make(&bench).unwrap();
    let points = vec![1000, recording.insns - 1];
    let reference = ways::reference(&bench, &recording, points).unwrap();
    let compare = |recording: &Recording| -> Outcome {
        let mut rng = Prng::new(8);
        ways::compare(Way::Watched, &bench, recording, &reference, &mut rng).unwrap()
    };
    assert!(compare(&recording).differ.is_empty());
    recording.keys[0].at = VirtTime::NEVER;
    let outcome = compare(&recording);
    assert_eq!((outcome.compared, outcome.differ.len()), (2, 1));
    let difference = &outcome.differ[0];
    assert_eq!(difference.after, 1000);
    assert!(difference.parts.iter().any(|p| p == "ram:dram"));
    // Side by side with the same keys there is nothing to be found.
    let found = bisect::first_difference(Way::Watched, &bench, &recording, difference).unwrap();
    assert!(found.contains("do not differ"), "{found}");
}
