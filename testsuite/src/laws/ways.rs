//! The ways to run a machine, and the comparison of each with the undisturbed run.

use super::recording::Recording;
use super::subject::{Bench, Flavour, Parts, Subject, Watch};
use crate::operands::Prng;
use anyhow::{Result, bail};
use cpu::Tuning;
use emu_core::time::VirtTime;
use machine::{ClockMode, Stop, Until};
use std::fmt;

/// Under the real-time clock a run takes as long as its guest time: only so much of it is compared.
const REALTIME_NS: u64 = 2_000_000_000;
/// From so many points a restored machine runs on to the end of the recording.
const LONG_RUNS: usize = 10;

/// A way to run a machine.
#[derive(Copy, Clone, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Way {
    /// The same once more, without a stop between power-on and the last point, then with other stops; in a long run with no
    /// stops but those at which the whole state is compared
    Again,
    /// The block cache is off: each instruction is decoded when it is executed
    Uncached,
    /// Nothing is fused, joined, shortened or left out
    Unfused,
    /// Blocks do not lead to one another: the run loop comes behind each
    Unlinked,
    /// Each instruction is a block by itself
    OneByOne,
    /// A probe looks on
    Watched,
    /// A probe looks on at loads and stores too: no page enters the TLB
    WatchedMemory,
    /// A probe looks on at the loads and stores of a few addresses, and at nothing else
    WatchedAddresses,
    /// At each point the machine is saved, and a fresh one goes on
    Restored,
    /// At some points the machine is saved, and a fresh one runs to the end
    RestoredOnce,
    /// Held back by the host's clock
    Realtime,
    /// Through the command line: the same command twice, and --save-at with --restore
    Commands,
}

impl Way {
    /// All.
    pub const ALL: [Self; 12] = [
        Self::Again,
        Self::Uncached,
        Self::Unfused,
        Self::Unlinked,
        Self::OneByOne,
        Self::Watched,
        Self::WatchedMemory,
        Self::WatchedAddresses,
        Self::Restored,
        Self::RestoredOnce,
        Self::Realtime,
        Self::Commands,
    ];

    /// For people.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Again => "again, other stops",
            Self::Uncached => "block cache off",
            Self::Unfused => "nothing fused",
            Self::Unlinked => "blocks not linked",
            Self::OneByOne => "one by one",
            Self::Watched => "watched",
            Self::WatchedMemory => "memory watched",
            Self::WatchedAddresses => "addresses watched",
            Self::Restored => "restored at each point",
            Self::RestoredOnce => "restored, to the end",
            Self::Realtime => "real-time clock",
            Self::Commands => "the command line",
        }
    }

    /// Whether a long run is compared with it where nobody says with what.
    pub fn is_for_long(self) -> bool {
        !matches!(self, Self::RestoredOnce | Self::Realtime | Self::Commands)
    }

    /// How the machine is set up.
    pub fn flavour(self) -> Flavour {
        let plain = Flavour::PLAIN;
        let fast = plain.tuning;
        let tuned = |tuning| Flavour { tuning, ..plain };
        match self {
            Self::Uncached => tuned(Tuning {
                keeps_blocks: false,
                ..fast
            }),
            Self::Unfused => tuned(Tuning {
                shortens: false,
                ..fast
            }),
            Self::Unlinked => tuned(Tuning {
                links_blocks: false,
                ..fast
            }),
            Self::OneByOne => tuned(Tuning {
                long_blocks: false,
                ..fast
            }),
            Self::Watched => Flavour {
                watch: Watch::Instructions,
                ..plain
            },
            Self::WatchedMemory => Flavour {
                watch: Watch::Memory,
                ..plain
            },
            // The data of the BIOS, in real mode and wherever else it is at hand.
            Self::WatchedAddresses => Flavour {
                watch: Watch::Addresses(0x400, 0x4FF),
                ..plain
            },
            Self::Realtime => Flavour {
                clock: ClockMode::RealTime,
                ..plain
            },
            Self::Again | Self::Restored | Self::RestoredOnce | Self::Commands => plain,
        }
    }
}

/// A point at which the states differ.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The last point before it at which they were the same, or 0.
    pub after: u64,
    /// The instruction count.
    pub insns: u64,
    /// The parts.
    pub parts: Vec<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "at instruction {} (the same at {}) differ: {}",
            self.insns,
            self.after,
            self.parts.join(", ")
        )
    }
}

/// What a comparison found.
#[derive(Default, Debug)]
pub struct Outcome {
    pub compared: usize,
    pub differ: Vec<Difference>,
    same_at: u64,
}

impl Outcome {
    fn compare(&mut self, point: &Point, subject: &Subject) -> Result<()> {
        self.note(point.insns, point.differences(subject)?);
        Ok(())
    }

    /// Counts a point and the parts that differ there.
    pub fn note(&mut self, insns: u64, parts: Vec<String>) {
        self.compared += 1;
        if parts.is_empty() {
            self.same_at = insns;
            return;
        }
        let after = self.same_at;
        self.differ.push(Difference {
            after,
            insns,
            parts,
        });
    }
}

/// How much is compared at a point.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Look {
    /// The CPU's state, which takes no time.
    Cpu,
    /// All of the machine and its media.
    Whole,
}

/// What the undisturbed run was like at a point.
#[derive(Clone, Debug)]
pub enum Seen {
    /// The digest of the CPU's state.
    Cpu(u64),
    /// Those of all parts.
    Whole(Parts),
}

/// A point of the undisturbed run.
#[derive(Clone, Debug)]
pub struct Point {
    /// The instruction count.
    pub insns: u64,
    /// The guest's clock, in nanoseconds.
    pub ns: u64,
    /// The state.
    pub seen: Seen,
}

impl Point {
    fn is_whole(&self) -> bool {
        matches!(self.seen, Seen::Whole(_))
    }

    /// The parts in which a machine differs that is there.
    fn differences(&self, subject: &Subject) -> Result<Vec<String>> {
        let mut differ = match &self.seen {
            Seen::Cpu(hash) if subject.cpu()? == *hash => vec![],
            Seen::Cpu(_) => vec!["cpu0".into()],
            Seen::Whole(parts) => parts.differences(&subject.parts()?),
        };
        let is_late = subject.machine.now().as_ns() != self.ns;
        if is_late && !differ.iter().any(|part| part == "time") {
            differ.push("time".into());
        }
        Ok(differ)
    }
}

/// The undisturbed run.
#[derive(Debug)]
pub struct Reference {
    /// What it was like, in order.
    pub points: Vec<Point>,
    /// If the guest ended before the last of the points that were asked for: where, and why.
    pub ended: Option<(u64, Stop)>,
}

impl Reference {
    /// Whether only the CPU's state is known of some points, because there are so many of them.
    fn is_long(&self) -> bool {
        !self.points.iter().all(Point::is_whole)
    }
}

/// The undisturbed run, as far as the guest goes.
pub fn reference(
    bench: &Bench,
    recording: &Recording,
    points: impl IntoIterator<Item = (u64, Look)>,
) -> Result<Reference> {
    let mut subject = bench.power_on(Flavour::PLAIN)?;
    recording.schedule(&mut subject.machine);
    let (mut seen, mut ended) = (Vec::new(), None);
    for (insns, look) in points {
        let stop = subject.run(Until::insns(insns));
        if stop != Stop::Insns {
            ended = Some((subject.machine.insns(), stop));
            break;
        }
        let state = match look {
            Look::Cpu => Seen::Cpu(subject.cpu()?),
            Look::Whole => Seen::Whole(subject.parts()?),
        };
        seen.push(Point {
            insns,
            ns: subject.machine.now().as_ns(),
            seen: state,
        });
    }
    if seen.is_empty() {
        bail!("the guest ended before the first point: {ended:?}");
    }
    Ok(Reference {
        points: seen,
        ended,
    })
}

/// Runs the guest in another way and compares it with the undisturbed run; a long run up to the first difference.
pub fn compare(
    way: Way,
    bench: &Bench,
    recording: &Recording,
    reference: &Reference,
    rng: &mut Prng,
) -> Result<Outcome> {
    let mut outcome = Outcome {
        same_at: bench.begins_at(),
        ..Outcome::default()
    };
    if way == Way::RestoredOnce {
        return restored_once(bench, recording, reference);
    }
    let long = reference.is_long();
    if way == Way::Again
        && !long
        && let Some(last) = reference.points.last()
    {
        let mut subject = bench.power_on(way.flavour())?;
        recording.schedule(&mut subject.machine);
        subject.run_to(last.insns)?;
        outcome.compare(last, &subject)?;
        outcome.same_at = bench.begins_at();
    }
    let mut subject = bench.power_on(way.flavour())?;
    recording.schedule(&mut subject.machine);
    // These ways make a difference to how often a machine stops.
    let whole_only = long && matches!(way, Way::Again | Way::Restored);
    for point in reference.points.iter() {
        if whole_only && !point.is_whole() {
            continue;
        }
        if way == Way::Realtime && point.ns > REALTIME_NS {
            break;
        }
        if way == Way::Again && !long {
            stop_on_the_way(&mut subject, point.insns, rng);
        }
        subject.run_to(point.insns)?;
        outcome.compare(point, &subject)?;
        if way == Way::Restored {
            subject = bench.restored(&subject, recording)?;
            // The state itself, before anything runs.
            let parts = point.differences(&subject)?;
            if !parts.is_empty() {
                outcome.note(point.insns, parts);
            }
        }
        if long && !outcome.differ.is_empty() {
            break;
        }
    }
    Ok(outcome)
}

/// Stops at some instructions and some moments before instruction `n`.
fn stop_on_the_way(subject: &mut Subject, n: u64, rng: &mut Prng) {
    for _ in 0..rng.below(6) {
        let m = &subject.machine;
        let far = n.saturating_sub(m.insns());
        let insns = m.insns() + rng.below(far + 1);
        let time = match rng.below(2) {
            0 => VirtTime::NEVER,
            _ => m.now().plus_ns(rng.below(100_000_000)),
        };
        subject.run(Until { insns, time });
    }
}

fn restored_once(bench: &Bench, recording: &Recording, reference: &Reference) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut subject = bench.power_on(Flavour::PLAIN)?;
    recording.schedule(&mut subject.machine);
    let long = reference.is_long();
    let whole = reference.points.iter().enumerate();
    let whole: Vec<_> = whole.filter(|(_, point)| point.is_whole()).collect();
    let step = whole.len().div_ceil(LONG_RUNS);
    for &(i, from) in whole.iter().step_by(step.max(1)) {
        subject.run_to(from.insns)?;
        let mut fresh = bench.restored(&subject, recording)?;
        outcome.same_at = from.insns;
        for point in &reference.points[i..] {
            fresh.run_to(point.insns)?;
            outcome.compare(point, &fresh)?;
            if long && !outcome.differ.is_empty() {
                return Ok(outcome);
            }
        }
    }
    Ok(outcome)
}
