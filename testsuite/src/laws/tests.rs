//! The laws on a short run of the demo disk, and the suite itself: it must see what differs.

use super::guest::Guest;
use super::guest::Step::{Screen, Type, Wait};
use super::named::Named;
use super::recording::Recording;
use super::subject::{Bench, scratch_folder};
use super::ways::{self, Look, Outcome, Point, Seen, Way};
use super::{Args, DEFAULT_IPS, bisect};
use crate::operands::Prng;
use clap::Parser;
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

fn whole(points: Vec<u64>) -> impl Iterator<Item = (u64, Look)> {
    points.into_iter().map(|n| (n, Look::Whole))
}

fn points(n: usize, below: u64) -> impl Iterator<Item = (u64, Look)> {
    let mut rng = Prng::new(7);
    let mut points: Vec<u64> = (0..n).map(|_| rng.below(below)).collect();
    points.sort_unstable();
    whole(points)
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
    let reference = ways::reference(&bench, &recording, whole(points)).unwrap();
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

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

/// What `testsuite laws` makes of a command line that names the demo disk, and the file, to be removed.
fn of_user(more: &str) -> (Args, std::path::PathBuf) {
    let folder = scratch_folder().unwrap();
    let disk = folder.join("demo.img");
    std::fs::write(&disk, demo_disk::image()).unwrap();
    let line = ["laws", "--floppy"].into_iter().map(Into::into);
    let line = line.chain([disk.into_os_string()]);
    let line = line.chain(more.split_whitespace().map(Into::into));
    (Line::parse_from(line).args, folder)
}

fn long_run(named: &Named) -> (Bench, Recording) {
    let bench = Bench::of_user(named, Some(DEFAULT_IPS)).unwrap();
    (bench, Recording::of_nothing(named.insns))
}

#[test]
fn a_long_run_of_what_the_user_names_is_compared_often_and_holds() {
    let (args, folder) = of_user("--mem 4M --insns 3M --cpu-every 10k --state-every 1M");
    let named = &args.named;
    let (bench, recording) = long_run(named);
    let reference = ways::reference(&bench, &recording, named.points()).unwrap();
    let whole = reference.points.iter();
    let whole = whole.filter(|p| matches!(p.seen, Seen::Whole(_)));
    let whole: Vec<u64> = whole.map(|p| p.insns).collect();
    assert_eq!(whole, [1_000_000, 2_000_000, 3_000_000]);
    assert_eq!(reference.points.len(), 300);
    for way in [Way::Again, Way::Unfused, Way::Unlinked, Way::OneByOne] {
        let mut rng = Prng::new(8);
        let outcome = ways::compare(way, &bench, &recording, &reference, &mut rng).unwrap();
        // Again is not stopped where the others are.
        let compared = if way == Way::Again { 3 } else { 300 };
        assert_eq!((outcome.compared, outcome.differ.len()), (compared, 0));
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_long_run_that_begins_later_is_the_same_run() {
    let (args, folder) = of_user("--mem 4M --insns 3M --cpu-every 10k --state-every 1M");
    let points = |named: &Named, way| {
        let (bench, recording) = long_run(named);
        let reference = ways::reference(&bench, &recording, named.points()).unwrap();
        let mut rng = Prng::new(8);
        let outcome = ways::compare(way, &bench, &recording, &reference, &mut rng).unwrap();
        assert_eq!(outcome.differ.len(), 0);
        let seen = |p: &Point| (p.insns, p.ns, format!("{:?}", p.seen));
        reference.points.iter().map(seen).collect::<Vec<_>>()
    };
    let whole = points(&args.named, Way::Again);
    let mut later = args.named;
    later.from = Some(1_234_567);
    assert_eq!(points(&later, Way::Uncached), whole[123..]);
    std::fs::remove_dir_all(folder).unwrap();
}

/// The other machine has more memory, which its BIOS comes to ask for.
#[test]
fn a_long_run_of_another_machine_is_seen_to_differ_soon_and_no_further_compared() {
    let (args, folder) = of_user("--mem 4M --insns 3M --cpu-every 10k --state-every 1M");
    let (bench, recording) = long_run(&args.named);
    let reference = ways::reference(&bench, &recording, args.named.points()).unwrap();
    let (more, other_folder) = of_user("--mem 8M");
    let other = Bench::of_user(&more.named, Some(DEFAULT_IPS)).unwrap();
    for way in [Way::Unfused, Way::Again] {
        let mut rng = Prng::new(8);
        let outcome = ways::compare(way, &other, &recording, &reference, &mut rng).unwrap();
        assert_eq!(outcome.differ.len(), 1);
        assert!(outcome.compared < 300);
        let difference = &outcome.differ[0];
        let parts = &difference.parts;
        if way == Way::Again {
            assert_eq!((difference.insns, difference.after), (1_000_000, 0));
            assert!(parts.iter().any(|p| p == "device:mc146818"), "{parts:?}");
        } else {
            assert_eq!(*parts, ["cpu0"]);
            assert_eq!(difference.insns - difference.after, 10_000);
        }
    }
    std::fs::remove_dir_all(other_folder).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}
