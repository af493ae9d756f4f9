//! Snapshots that are refused.

use crate::boards::{self, Hosts};
use crate::spec::MachineSpec;
use crate::{Machine, Until};
use emu_core::snapshot::{Writer, read};

fn machine() -> Machine {
    let spec = MachineSpec {
        memory_bytes: 1 << 20,
        ..MachineSpec::default()
    };
    boards::build(&spec, Hosts::default()).unwrap()
}

/// The snapshot with the contents of one section changed and all checksums right.
fn forged(file: &[u8], name: &str, change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut writer = Writer::default();
    for section in read(file).unwrap() {
        let mut payload = section.payload.to_vec();
        if section.name == name {
            change(&mut payload);
        }
        writer.section(section.name, section.version, &payload);
    }
    writer.finish()
}

#[test]
fn a_snapshot_that_is_refused_changes_nothing() {
    let mut source = machine();
    source.run(Until::insns(20_000), None);
    let good = source.save().unwrap();
    let names: Vec<String> = read(&good)
        .unwrap()
        .iter()
        .map(|s| s.name.to_string())
        .collect();
    let mut m = machine();
    m.run(Until::insns(300), None);
    let before = m.state_hash().unwrap();
    for name in &names {
        let bad = forged(&good, name, |payload| payload.push(0));
        // What follows a compressed block is no part of it, but a section of another length is not ours.
        if m.restore(&bad).is_err() {
            assert_eq!(m.state_hash().unwrap(), before, "{name}");
        } else {
            panic!("{name}: a byte too many was taken");
        }
    }
    m.run(Until::insns(20_000), None);
    assert_eq!(m.state_hash().unwrap(), source.state_hash().unwrap());
}

#[test]
fn a_clock_that_cannot_be_is_refused() {
    let mut m = machine();
    let good = m.save().unwrap();
    // The section begins with the clock: epoch, its instruction count, rate, count. FFh..01h is the largest number
    // in the variable-length form.
    for at in 0..4 {
        let bad = forged(&good, "board", |payload| {
            payload.splice(at..at + 1, [[0xFF; 9].as_slice(), &[1]].concat());
        });
        assert!(m.restore(&bad).is_err(), "number {at}");
    }
}

#[test]
fn a_snapshot_goes_on_with_the_same_features_only() {
    let build = |cpu: &str| {
        let spec = MachineSpec {
            memory_bytes: 1 << 20,
            cpu: cpu.to_string(),
            ..MachineSpec::default()
        };
        boards::build(&spec, Hosts::default()).unwrap()
    };
    let mut source = build("haswell,-fma,-avx2");
    source.run(Until::insns(1000), None);
    let snapshot = source.save().unwrap();
    // The same in another order, and with a change that is none.
    build("haswell,-avx2,-fma,+movbe")
        .restore(&snapshot)
        .unwrap();
    for other in ["haswell", "haswell,-avx2", "skylake"] {
        let error = build(other).restore(&snapshot).unwrap_err().to_string();
        assert!(error.contains("\"haswell,-fma,-avx2\""), "{error}");
        assert!(
            error.contains(&format!("this machine has {other:?}")),
            "{error}"
        );
    }
}
