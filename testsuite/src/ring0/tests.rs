//! The suite on our machine alone.

use super::case::{Case, Kind};
use super::compare::compare;
use super::explained::Situation;
use super::explained_qemu::QEMU_RULES;
use super::explained_witnessed::WITNESSED_RULES;
use super::layout::*;
use super::machines::{Who, run};
use super::record::{Outcome, Record};
use super::sandbox::*;
use super::{Folder, generator};

#[test]
fn every_case_ends_with_an_exception_or_a_shutdown() {
    let folder = Folder::new().unwrap();
    let pristine = Sandbox::pristine();
    let cases: Vec<_> = (0..400)
        .map(|n| generator::generate(7, n, &pristine))
        .collect();
    let outcomes = run(Who::Boxwood, &cases, &pristine, folder.path()).unwrap();
    assert_eq!(outcomes.len(), cases.len());
    let lost = outcomes
        .iter()
        .filter(|o| !matches!(o, Outcome::Recorded(_)))
        .count();
    assert!(lost * 50 < cases.len(), "{lost} lost");
    // Most instructions do something else than to fault.
    let breakpoints = outcomes.iter().filter(|o| match o {
        Outcome::Recorded(r) => r.vector() == 3,
        _ => false,
    });
    assert!(breakpoints.count() * 4 > cases.len());
}

/// A breakpoint in ring 3 or in the given one, to be changed.
fn plain(ring: u8) -> Case {
    let mut case = generator::plain(0, &Sandbox::pristine());
    case.cs = of_ring(CODE_32, ring);
    case.ss = of_ring(DATA_32, ring);
    case.esp = stack_of(ring) + STACK_START;
    case.eip = CODE;
    case
}

/// What our machine leaves of a case.
fn ours(mut case: Case) -> Record {
    case.place_code();
    let folder = Folder::new().unwrap();
    let pristine = Sandbox::pristine();
    match run(Who::Boxwood, &[case], &pristine, folder.path())
        .unwrap()
        .remove(0)
    {
        Outcome::Recorded(r) => *r,
        _ => panic!("shut down"),
    }
}

#[test]
fn a_null_selector_becomes_0_on_the_way_to_an_outer_level() {
    let mut case = plain(3);
    case.data = [1, of_ring(DATA_32, 3), 2, 3];
    let record = ours(case);
    assert_eq!(record.vector(), 3);
    assert_eq!(
        record.fields[record::SEGMENTS..record::SEGMENTS + 3],
        [0; 3]
    );
}

#[test]
fn dr4_is_an_invalid_opcode_with_debugging_extensions_once_the_level_is_right() {
    for (ring, cr4, vector) in [(0, 8, 6), (3, 8, 13), (3, 0, 13)] {
        let mut case = plain(ring);
        case.cr4 = cr4;
        case.code = vec![0x0F, 0x21, 0xE0];
        assert_eq!(ours(case).vector(), vector);
    }
}

#[test]
fn a_tss_in_the_ldt_is_refused_before_its_presence_is_looked_at() {
    let mut case = plain(0);
    let absent = Segment {
        base: TSS_32,
        limit: 0x67,
        kind: TSS_32_AVAILABLE,
        ..Segment::default()
    };
    case.sandbox.describe(0x0C, absent.raw());
    case.code = vec![0xEA, 0, 0, 0, 0, 0x0C, 0];
    let record = ours(case);
    assert_eq!((record.vector(), record.fields[record::ERROR]), (13, 0x0C));
}

#[test]
fn the_same_number_is_the_same_case() {
    let pristine = Sandbox::pristine();
    let case = || generator::generate(3, 99, &pristine).encode(&pristine);
    assert_eq!(case(), case());
}

/// A record of an exception at the case's first instruction.
fn ended(case: &Case, vector: u32, error: u32) -> Outcome {
    let mut fields = [0; record::DWORDS];
    fields[record::VECTOR] = vector << 16;
    fields[record::ERROR] = error;
    fields[record::EIP] = case.eip;
    fields[record::CS] = case.cs.into();
    let memory = std::collections::BTreeMap::new();
    Outcome::Recorded(Box::new(Record { fields, memory }))
}

#[test]
fn what_qemu_does_not_check_is_settled_by_a_second_witness_alone() {
    let mut case = plain(3);
    case.kind = Kind::Limit;
    case.code = vec![0x8A, 0x02];
    let (ours, theirs) = (ended(&case, 13, 0), ended(&case, 3, 0));
    let differences = compare(&case, &ours, &theirs);
    let settled = |case: &Case, others: &[_]| {
        let s = Situation {
            case,
            ours: &ours,
            theirs: &theirs,
            others,
        };
        let rules = || QEMU_RULES.iter().chain(WITNESSED_RULES);
        differences
            .iter()
            .all(|d| rules().any(|r| (r.explains)(&s, d)))
    };
    assert!(!differences.is_empty());
    assert!(settled(&case, &[vec![]]));
    // Nobody else was asked, or the other one agrees with the peer.
    assert!(!settled(&case, &[]));
    assert!(!settled(&case, std::slice::from_ref(&differences)));
    // Ours refuses something that no rule names.
    case.kind = Kind::Query;
    assert!(!settled(&case, &[vec![]]));
}

#[test]
fn an_error_code_of_a_gate_is_explained_if_its_index_is_doubled_and_not_otherwise() {
    let mut case = plain(0);
    case.long = of_long_mode();
    case.sandbox.lengthen();
    let ours = ended(&case, 13, 0x33);
    for (error, settled) in [(0x62, true), (0x63, true), (0x66, false), (0x72, false)] {
        let theirs = ended(&case, 13, error);
        let s = Situation {
            case: &case,
            ours: &ours,
            theirs: &theirs,
            others: &[],
        };
        let differences = compare(&case, &ours, &theirs);
        let explained = differences
            .iter()
            .all(|d| QEMU_RULES.iter().any(|r| (r.explains)(&s, d)));
        assert_eq!(explained, settled, "{error:x}");
    }
}

fn of_long_mode() -> Option<super::case::Long> {
    Some(super::case::Long {
        code: true,
        upper: [0; 7],
        extended: [0; 8],
        rip_upper: 0,
        rsp_upper: 0,
        msrs: [0; 10],
        context: None,
    })
}
