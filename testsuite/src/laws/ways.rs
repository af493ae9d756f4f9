//! The ways to run a machine, and the comparison of each with the undisturbed run.

use super::Reference;
use super::recording::Recording;
use super::subject::{Bench, Flavour, Parts, Subject, Watch};
use crate::operands::Prng;
use anyhow::Result;
use emu_core::time::VirtTime;
use machine::{ClockMode, Until};
use std::fmt;

/// Under the real-time clock a run takes as long as its guest time: only so much of it is compared.
const REALTIME_NS: u64 = 2_000_000_000;
/// From so many points a restored machine runs on to the end of the recording.
const LONG_RUNS: usize = 10;

/// A way to run a machine.
#[derive(Copy, Clone, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Way {
    /// The same once more, without a stop between power-on and the last point, then with other stops
    Again,
    /// The block cache is off
    Uncached,
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
    pub const ALL: [Self; 9] = [
        Self::Again,
        Self::Uncached,
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
            Self::Watched => "watched",
            Self::WatchedMemory => "memory watched",
            Self::WatchedAddresses => "addresses watched",
            Self::Restored => "restored at each point",
            Self::RestoredOnce => "restored, to the end",
            Self::Realtime => "real-time clock",
            Self::Commands => "the command line",
        }
    }

    /// How the machine is set up.
    pub fn flavour(self) -> Flavour {
        let plain = Flavour::PLAIN;
        match self {
            Self::Uncached => Flavour {
                block_cache: false,
                ..plain
            },
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
    fn compare(&mut self, insns: u64, expected: &Parts, subject: &Subject) -> Result<()> {
        self.note(insns, expected.differences(&subject.parts()?));
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

/// The undisturbed run.
pub fn reference(bench: &Bench, recording: &Recording, points: Vec<u64>) -> Result<Reference> {
    let mut subject = bench.power_on(Flavour::PLAIN)?;
    recording.schedule(&mut subject.machine);
    let (mut states, mut times_ns) = (Vec::new(), Vec::new());
    for &n in &points {
        subject.run_to(n)?;
        states.push(subject.parts()?);
        times_ns.push(subject.machine.now().as_ns());
    }
    Ok(Reference {
        points,
        states,
        times_ns,
    })
}

/// Runs the guest in another way and compares it with the undisturbed run.
pub fn compare(
    way: Way,
    bench: &Bench,
    recording: &Recording,
    reference: &Reference,
    rng: &mut Prng,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let pairs = || reference.points.iter().copied().zip(&reference.states);
    if way == Way::RestoredOnce {
        return restored_once(bench, recording, reference);
    }
    if way == Way::Again
        && let Some((n, expected)) = pairs().next_back()
    {
        let mut subject = bench.power_on(way.flavour())?;
        recording.schedule(&mut subject.machine);
        subject.run_to(n)?;
        outcome.compare(n, expected, &subject)?;
        outcome.same_at = 0;
    }
    let mut subject = bench.power_on(way.flavour())?;
    recording.schedule(&mut subject.machine);
    for (i, (n, expected)) in pairs().enumerate() {
        if way == Way::Realtime && reference.times_ns[i] > REALTIME_NS {
            break;
        }
        if way == Way::Again {
            stop_on_the_way(&mut subject, n, rng);
        }
        subject.run_to(n)?;
        outcome.compare(n, expected, &subject)?;
        if way == Way::Restored {
            subject = bench.restored(&subject, recording)?;
            // The state itself, before anything runs.
            let parts = expected.differences(&subject.parts()?);
            if !parts.is_empty() {
                outcome.note(n, parts);
            }
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
    let step = reference.points.len().div_ceil(LONG_RUNS);
    for (i, &n) in reference.points.iter().enumerate().step_by(step.max(1)) {
        subject.run_to(n)?;
        let mut fresh = bench.restored(&subject, recording)?;
        outcome.same_at = n;
        for (&n, expected) in reference.points[i..].iter().zip(&reference.states[i..]) {
            fresh.run_to(n)?;
            outcome.compare(n, expected, &fresh)?;
        }
    }
    Ok(outcome)
}
