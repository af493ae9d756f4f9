//! Snapshots that were damaged on the way, and snapshots that somebody forged with checksums that are right.

use crate::{Target, hostile};
use emu_core::host::Frame;
use emu_core::snapshot::{Writer, read};
use emu_core::testkit::Rng;
use machine::boards::{self, Hosts};
use machine::spec::{MachineSpec, MediumSource};
use machine::{Machine, Stop, Until};
use std::cell::RefCell;

pub const FILE: Target = Target {
    name: "snapshot/file",
    about: "damaged snapshot files: refused, and the machine goes on as before; steps are files",
    steps: 1,
    play: damaged,
};

pub const FORGED: Target = Target {
    name: "snapshot/forged",
    about: "snapshots with forged contents and right checksums: refused or harmless; steps are files",
    steps: 1,
    play: forged,
};

/// Where snapshots are taken: the firmware's first instructions, its middle, and the demo at work.
const MOMENTS: [u64; 4] = [1000, 300_000, 3_000_000, 30_000_000];
/// Instructions that a machine runs on what it was given.
const AFTERWARDS: u64 = 100_000;

fn machine() -> Machine {
    let spec = MachineSpec {
        memory_bytes: 1 << 20,
        floppies: [Some(MediumSource::Demo), None],
        ..MachineSpec::default()
    };
    boards::build(&spec, Hosts::default()).expect("a machine")
}

thread_local! {
    /// Taking snapshots takes longer than forging them.
    static SAVED: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

fn saved(rng: &mut Rng) -> Vec<u8> {
    let n = rng.below(MOMENTS.len() as u64) as usize;
    SAVED.with_borrow_mut(|all| {
        if all.is_empty() {
            let mut m = machine();
            for moment in MOMENTS {
                m.run(Until::insns(moment), None);
                all.push(m.save().expect("a snapshot"));
            }
        }
        all[n].clone()
    })
}

/// The machine must still be what it was, or run on what it was given.
fn try_restore(file: &[u8]) {
    let mut m = machine();
    m.run(Until::insns(500), None);
    let before = m.state_hash().expect("a hash");
    if m.restore(file).is_err() {
        assert_eq!(
            m.state_hash().expect("a hash"),
            before,
            "a refused snapshot changed the machine"
        );
    }
    let until = Until::insns(m.insns().saturating_add(AFTERWARDS));
    for _ in 0..100 {
        match m.run(until, None) {
            Stop::Fault(fault) => panic!("{fault}"),
            Stop::Frame | Stop::Kicked => {}
            _ => break,
        }
    }
    m.screen_text();
    m.scanout(&mut Frame::default());
    m.save().expect("a snapshot");
}

fn damaged(rng: &mut Rng, _steps: u64) {
    let mut file = saved(rng);
    if rng.below(4) == 0 {
        file.truncate(rng.below(file.len() as u64) as usize);
    } else {
        hostile::damage(&mut file, rng);
    }
    try_restore(&file);
}

fn forged(rng: &mut Rng, _steps: u64) {
    let (file, other) = (saved(rng), saved(rng));
    let sections = read(&file).expect("our own snapshot");
    let others = read(&other).expect("our own snapshot");
    let mut writer = Writer::default();
    let victims = 1 + rng.below(3);
    let chosen: Vec<usize> = (0..victims)
        .map(|_| rng.below(sections.len() as u64) as usize)
        .collect();
    for (n, section) in sections.iter().enumerate() {
        let mut payload = section.payload.to_vec();
        let (mut name, mut version) = (section.name.to_string(), section.version);
        if chosen.contains(&n) {
            match rng.below(24) {
                0 => continue,
                1 => writer.section(&name, version, &payload),
                2 => version = version.wrapping_add(rng.below(3) as u16).wrapping_sub(1),
                3 => name.push('x'),
                4..8 => payload = others[n].payload.to_vec(),
                8 => {
                    payload = sections[rng.below(sections.len() as u64) as usize]
                        .payload
                        .to_vec()
                }
                _ => hostile::damage(&mut payload, rng),
            }
        }
        writer.section(&name, version, &payload);
    }
    try_restore(&writer.finish());
}
