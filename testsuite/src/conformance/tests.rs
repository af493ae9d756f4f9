//! The document of small results, and the shape of the one in docs/.

use super::page::render;
use campaign::{Results, Row, Shard, Suite, Tally};

fn counted(instruction: &str, cases: u64, failed: u64) -> Row {
    Row::about(instruction).counted(Tally {
        cases,
        failed,
        ..Tally::default()
    })
}

fn small() -> Vec<Results> {
    let mut native = Results::new(Suite::Native, Shard::WHOLE)
        .set("seed", 1)
        .set("model", "max");
    native.oracles.insert("Some Processor 9000".into());
    native.add("32 bits", "Jne_rel8_32", counted("jne", 1200, 0));
    native.add("64 bits", "Jne_rel8_64", counted("jne", 34, 5));
    native.add("64 bits", "Vaddps_xmm_xmm_xmmm128", counted("vaddps", 9, 0));
    let left = |m| Row::about(m).left_out("counters differ from run to run");
    native.add("64 bits", "Rdtsc", left("rdtsc"));
    native.add("64 bits", "Rdpmc", left("rdpmc"));
    let far = Row::about("vaddph").left_out("not offered by the model");
    native.add("64 bits", "EVEX_Vaddph", far);
    let mut vectors = Results::new(Suite::Vectors, Shard::WHOLE).set("model", "8086");
    vectors.add("8086", "75", counted("jnz", 5000, 0));
    let mut ring0 = Results::new(Suite::Ring0, Shard::WHOLE).set("peers", "bochs");
    ring0.add("privileged", "rdtsc", counted("rdtsc", 77, 0));
    let mut guests = Results::new(Suite::Guests, Shard::WHOLE);
    guests.add(
        "GRUB CD",
        "SeaBIOS",
        Row::default().counted(Tally {
            cases: 1,
            ..Tally::default()
        }),
    );
    vec![guests, native, ring0, vectors]
}

#[test]
fn instruction_by_oracle_with_what_differs_and_what_is_left_out() {
    let text = render(small()).unwrap();
    assert_eq!((text.instructions, text.failed), (3, 5));
    let lines = [
        "| native | model max, seed 1 | Some Processor 9000 | native: 1243 cases, 3 of 3 forms, 5 failed |",
        "### 8086\n\n| | a real 8086 | the host |",
        "| jne | 5,000 | 1,234 **5 differ** |",
        "### AVX\n\n| | the host |\n|---|---:|\n| vaddps | 9 |",
        "- counters differ from run to run: 2 forms: rdpmc, rdtsc [ring 0: bochs].",
        "- not offered by the model: 1 forms",
        "Held against nothing but tests of our own and the guests: rdpmc.",
        "| GRUB CD | SeaBIOS | works |",
        "Not run for this page: exceptions, published, laws, fuzz.",
    ];
    for line in lines {
        assert!(text.page.contains(line), "{line}\n\n{}", text.page);
    }
}

#[test]
fn the_order_of_the_files_does_not_matter_and_none_counts_twice() {
    let mut turned = small();
    turned.reverse();
    assert_eq!(render(turned).unwrap().page, render(small()).unwrap().page);
    let twice = [small(), small()].concat();
    assert!(render(twice).is_err());
}

/// The numbers of a cell: cases, differences.
fn numbers(cell: &str) -> (u64, u64) {
    let mut words = cell.split_whitespace().filter(|w| !w.contains('/'));
    let mut next = || {
        let word = words.next().unwrap_or("0").trim_start_matches('*');
        word.replace(',', "").parse::<u64>().unwrap()
    };
    (next(), next())
}

#[test]
fn the_stored_document_adds_up_to_what_its_head_says() {
    let page = include_str!("../../../docs/conformance.md");
    assert!(page.starts_with("# Conformance\n"));
    let mut titles: Vec<&str> = Vec::new();
    let mut sums = std::collections::BTreeMap::<&str, (u64, u64)>::new();
    for line in page.lines() {
        if let Some(columns) = line.strip_prefix("| | ") {
            titles = columns.trim_end_matches(" |").split(" | ").collect();
        } else if line.starts_with('#') {
            titles.clear();
        } else if !titles.is_empty() && line.starts_with("| ") {
            let cells = line
                .trim_start_matches("| ")
                .trim_end_matches('|')
                .split('|');
            for (title, cell) in titles.iter().zip(cells.skip(1)) {
                let (cases, failed) = numbers(cell);
                let sum = sums.entry(title).or_default();
                *sum = (sum.0 + cases, sum.1 + failed);
            }
        }
    }
    for (title, suite) in [
        ("the host", "| native: "),
        ("a real 8086", "model 8086 | a real 8086 | vectors: "),
        ("a real 80286", "model 80286 | a real 286 | vectors: "),
    ] {
        let (cases, failed) = sums.get(title).copied().unwrap_or_default();
        assert!(cases > 0, "{title}");
        let at = page.find(suite).unwrap_or_else(|| panic!("no {suite}"));
        let verdict = page[at + suite.len()..].lines().next().unwrap();
        assert!(
            verdict.starts_with(&format!("{cases} ")),
            "{title}: {cases}: {verdict}"
        );
        assert!(
            verdict.ends_with(&format!(" {failed} failed |")),
            "{title}: {verdict}"
        );
    }
}
