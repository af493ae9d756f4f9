//! Counting, and showing what differs.

use super::case::{Case, Kind};
use super::compare::{Difference, What, compare, field_name};
use super::explained::{Rule, Situation, all_rules, rules};
use super::layout::{IDT, TSS, TSS_16, TSS_32, VECTORS, record};
use super::machines::Who;
use super::record::Outcome;
use super::sandbox::Sandbox;
use campaign::{Results, Row, Tally};
use std::collections::BTreeMap;

/// So many values of a case are shown.
const SHOWN: usize = 60;

/// The suite's tally.
pub struct Report {
    verbose: usize,
    /// Show every case, not only failures.
    everything: bool,
    /// Show the cases that this rule explains.
    rule: Option<String>,
    shutdowns: u64,
    failed: u64,
    rows: BTreeMap<(Kind, String), Row>,
    by_rule: BTreeMap<&'static str, u64>,
    by_end: BTreeMap<String, u64>,
    /// What brought all machines down, or left all silent: nothing else of it is compared.
    lost: Vec<String>,
}

/// The rule that explains a difference of a peer's.
fn explaining(situation: &Situation<'_>, who: Who, d: &Difference) -> Option<&'static Rule> {
    rules(situation.case).find(|r| r.peers.contains(&who) && (r.explains)(situation, d))
}

impl Report {
    pub fn new(verbose: usize, everything: bool, rule: Option<String>) -> Self {
        Self {
            verbose,
            everything,
            rule,
            shutdowns: 0,
            failed: 0,
            rows: BTreeMap::new(),
            by_rule: BTreeMap::new(),
            by_end: BTreeMap::new(),
            lost: Vec::new(),
        }
    }

    /// Compares a case.
    pub fn add(&mut self, case: &Case, ours: &Outcome, theirs: &[(Who, &Outcome)]) {
        let mut different = false;
        let mut failures: Vec<(Who, Vec<Difference>)> = Vec::new();
        let compared: Vec<_> = theirs.iter().map(|(_, o)| compare(case, ours, o)).collect();
        for (n, (&(who, outcome), differences)) in theirs.iter().zip(&compared).enumerate() {
            // What another peer has otherwise for a reason of its own says nothing about this one, unless both end alike.
            let counts = |other: usize, d: &&Difference| {
                let (who, outcome) = theirs[other];
                let alone = Situation {
                    case,
                    ours,
                    theirs: outcome,
                    others: &[],
                };
                explaining(&alone, who, d).is_none() || d.is_of_the_end() && differences.contains(d)
            };
            let others: Vec<Vec<Difference>> = (0..theirs.len())
                .filter(|&other| other != n && !differences.is_empty())
                .map(|other| {
                    let all = compared[other].iter();
                    all.filter(|d| counts(other, d)).cloned().collect()
                })
                .collect();
            different |= !differences.is_empty();
            let situation = Situation {
                case,
                ours,
                theirs: outcome,
                others: &others,
            };
            let (mut left, mut wanted) = (Vec::new(), Vec::new());
            for d in differences {
                match explaining(&situation, who, d) {
                    Some(rule) => {
                        *self.by_rule.entry(rule.name).or_default() += 1;
                        if self.rule.as_deref() == Some(rule.name) {
                            wanted.push(d.clone());
                        }
                    }
                    None => left.push(d.clone()),
                }
            }
            if !wanted.is_empty() {
                show(case, ours, theirs, &[(who, wanted)]);
            }
            if !left.is_empty() {
                failures.push((who, left));
            }
        }
        if !matches!(ours, Outcome::Recorded(_)) && theirs.iter().all(|(_, o)| *o == ours) {
            let text = case.disassembly();
            self.lost.push(format!("{} ({text})", case.number));
        }
        self.shutdowns += u64::from(*ours == Outcome::Shutdown);
        let mnemonic = case.mnemonic();
        let row = self.rows.entry((case.kind, mnemonic));
        let row = row.or_insert_with_key(|(_, mnemonic)| Row::about(mnemonic));
        row.tally.cases += 1;
        row.tally.explained += u64::from(different && failures.is_empty());
        row.tally.failed += u64::from(!failures.is_empty());
        self.failed += u64::from(!failures.is_empty());
        if !failures.is_empty() {
            row.describe(case.number, &case.disassembly());
        }
        let end = match ours {
            Outcome::Recorded(r) => format!("vector {}", r.vector()),
            Outcome::Shutdown => "shutdown".to_string(),
            Outcome::Silent => "silence".to_string(),
        };
        *self.by_end.entry(end).or_default() += 1;
        if self.everything || (!failures.is_empty() && self.failed <= self.verbose as u64) {
            show(case, ours, theirs, &failures);
        }
    }

    /// The rows of the results.
    pub fn fill(self, results: &mut Results) {
        for ((kind, mnemonic), row) in self.rows {
            results.add(kind.name(), &mnemonic, row);
        }
        results.count("shutdowns", self.shutdowns);
        for (rule, n) in self.by_rule {
            results.count(&format!("rule: {rule}"), n);
        }
    }

    /// The summary.
    pub fn print(&self) {
        println!("kind               cases  different  explained  failed");
        let mut by_kind: BTreeMap<Kind, Tally> = BTreeMap::new();
        for ((kind, _), row) in &self.rows {
            by_kind.entry(*kind).or_default().add(row.tally);
        }
        for (kind, t) in by_kind {
            println!(
                "{:<17} {:>6} {:>10} {:>10} {:>7}",
                kind.name(),
                t.cases,
                t.explained + t.failed,
                t.explained,
                t.failed
            );
        }
        let ends: Vec<_> = self
            .by_end
            .iter()
            .map(|(end, n)| format!("{end}: {n}"))
            .collect();
        println!("ends: {}", ends.join(", "));
        if !self.lost.is_empty() {
            println!("no machine survived: {}", self.lost.join(", "));
        }
        for rule in all_rules() {
            if let Some(n) = self.by_rule.get(rule.name) {
                println!("rule: {n} values: {}: {}", rule.name, rule.reason);
            }
        }
    }
}

fn show(
    case: &Case,
    ours: &Outcome,
    theirs: &[(Who, &Outcome)],
    failures: &[(Who, Vec<Difference>)],
) {
    println!(
        "case {} ({}), ring {}{}: {}",
        case.number,
        case.kind.name(),
        case.cpl(),
        if case.is_virtual() {
            " virtual-8086"
        } else if case.is_64_bit() {
            " 64 bits"
        } else if case.long.is_some() && case.wide {
            " compatibility"
        } else if case.wide {
            ""
        } else {
            " 16 bits"
        },
        case.disassembly()
    );
    println!(
        "    cs:eip {:04x}:{:08x} ss:esp {:04x}:{:08x} eflags {:08x} cr0 {:08x} cr4 {:x} efer {:x} dr7 {:x} es ds fs gs {:x?}",
        case.cs,
        case.eip,
        case.ss,
        case.esp,
        case.eflags,
        case.cr0,
        case.cr4,
        case.efer,
        case.dr7,
        case.data
    );
    println!("    eax ecx edx ebx ebp esi edi {:x?}", case.registers);
    if let Some(l) = &case.long {
        println!(
            "    upper {:x?} rip {:x} rsp {:x} r11 {:x} msrs {:x?} context {:x?} ldtr {:x}",
            l.upper, l.rip_upper, l.rsp_upper, l.extended[3], l.msrs, l.context, case.ldtr
        );
    }
    let end = |who: &str, outcome: &Outcome| match outcome {
        Outcome::Shutdown => println!("    {who}: shut down"),
        Outcome::Silent => println!("    {who}: silent"),
        Outcome::Recorded(r) => println!(
            "    {who}: vector {} error {:x} at {:x}:{:x}{:08x} eflags {:x} ss:esp {:x}:{:x}{:08x}",
            r.vector(),
            r.fields[record::ERROR],
            r.fields[record::CS],
            r.fields[record::EIP_UPPER],
            r.fields[record::EIP],
            r.fields[record::EFLAGS],
            r.fields[record::SS],
            r.fields[record::ESP_UPPER],
            r.fields[record::ESP],
        ),
    };
    end("boxwood", ours);
    for (who, outcome) in theirs {
        end(who.name(), outcome);
    }
    if let Outcome::Recorded(r) = ours {
        println!(
            "    boxwood: cr2 {:x}{:08x} ldtr:tr {:x}, the double fault from task {:x}",
            r.fields[record::CR2_UPPER],
            r.fields[record::CR2],
            r.fields[record::TASK],
            r.fields[record::LINK]
        );
    }
    for (who, differences) in failures {
        for d in differences.iter().take(SHOWN) {
            let what = match d.what {
                What::Lost => "recorded 0, shut down 1, silent 2".to_string(),
                What::Field(n) => field_name(n).to_string(),
                What::Memory(at) => format!("[{at:x}] (was {:x})", case.sandbox.get32(at)),
            };
            println!(
                "    {what}: boxwood {:x}, {} {:x}",
                d.ours,
                who.name(),
                d.theirs
            );
        }
        if differences.len() > SHOWN {
            println!(
                "    and {} more for {}",
                differences.len() - SHOWN,
                who.name()
            );
        }
    }
    let mut usual = Sandbox::pristine();
    if case.long.is_some() {
        usual.lengthen();
    }
    for vector in 0..VECTORS {
        let (at, upper) = match case.long {
            Some(_) => (IDT + 16 * vector, case.sandbox.get64(IDT + 16 * vector + 8)),
            None => (IDT + 8 * vector, 0),
        };
        let raw = case.sandbox.get64(at);
        if raw != usual.get64(at) || upper != 0 {
            println!("    gate {vector:02x}: {raw:016x} {upper:x}");
        }
    }
    if case.long.is_some() {
        let words = (0..13).map(|n| format!("{:x}", case.sandbox.get64(TSS + 4 + 8 * n)));
        println!("    task: {}", words.collect::<Vec<_>>().join(" "));
    }
    for (name, at, bytes) in [("32", TSS_32, 104), ("16", TSS_16, 44)] {
        let words = (0..bytes / 4).map(|n| format!("{:x}", case.sandbox.get32(at + 4 * n)));
        println!("    task {name}: {}", words.collect::<Vec<_>>().join(" "));
    }
    let selectors = interesting(case, ours, theirs);
    for selector in selectors {
        println!(
            "    descriptor {selector:04x}: {:016x}",
            case.sandbox.descriptor(selector)
        );
    }
}

/// Selectors that the case is probably about.
fn interesting(case: &Case, ours: &Outcome, theirs: &[(Who, &Outcome)]) -> Vec<u16> {
    let mut all = vec![case.registers[0] as u16];
    for outcome in std::iter::once(&ours).chain(theirs.iter().map(|(_, o)| o)) {
        if let Outcome::Recorded(r) = outcome {
            all.push(r.fields[record::ERROR] as u16);
            all.push(r.fields[record::CS] as u16);
            all.push(r.fields[record::SS] as u16);
            all.push(r.fields[record::LINK] as u16);
        }
    }
    let code = &case.code;
    all.extend(
        code.windows(2)
            .map(|w| u16::from_le_bytes([w[0], w[1]]))
            .filter(|_| matches!(code.first(), Some(0x9A | 0xEA | 0x66))),
    );
    let mut all: Vec<u16> = all.into_iter().map(|s| s & 0xFFFC).collect();
    all.retain(|&s| case.sandbox.descriptor(s) != 0);
    all.sort_unstable();
    all.dedup();
    all
}
