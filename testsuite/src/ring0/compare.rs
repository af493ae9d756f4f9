//! What differs between two machines' records of a case.

use super::case::Case;
use super::layout::{SANDBOX, record};
use super::record::{Outcome, Record};

/// One thing that differs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// One machine has shut down or went silent: 1 and 2; 0 stands for a record.
    Lost,
    /// A field of the record.
    Field(usize),
    /// A dword of the sandbox, by its address.
    Memory(u32),
}

/// A difference: ours and the peer's value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    pub what: What,
    pub ours: u32,
    pub theirs: u32,
}

impl Difference {
    /// Whether it is about which exception the case ends with, and where.
    pub fn is_of_the_end(&self) -> bool {
        matches!(
            self.what,
            What::Lost
                | What::Field(
                    record::VECTOR | record::ERROR | record::EIP | record::EIP_UPPER | record::CS
                )
        )
    }
}

/// The name of a field of the record.
pub fn field_name(n: usize) -> &'static str {
    const NAMES: [&str; record::DWORDS] = [
        "number",
        "vector:ds",
        "error",
        "eip",
        "cs",
        "eflags",
        "esp",
        "ss",
        "frame es",
        "frame ds",
        "frame fs",
        "frame gs",
        "eax",
        "ecx",
        "edx",
        "ebx",
        "handler esp",
        "ebp",
        "esi",
        "edi",
        "es",
        "fs",
        "gs",
        "handler ss",
        "handler eflags",
        "cr0",
        "cr2",
        "cr3",
        "cr4",
        "dr6",
        "dr7",
        "ldtr:tr",
        "link",
        "eip upper",
        "esp upper",
        "cr2 upper",
        "efer",
        "cr8",
        "eax upper",
        "ecx upper",
        "edx upper",
        "ebx upper",
        "esp upper",
        "ebp upper",
        "esi upper",
        "edi upper",
        "r8",
        "r8 upper",
        "r9",
        "r9 upper",
        "r10",
        "r10 upper",
        "r11",
        "r11 upper",
        "r12",
        "r12 upper",
        "r13",
        "r13 upper",
        "r14",
        "r14 upper",
        "r15",
        "r15 upper",
        "fs base",
        "fs base upper",
        "gs base",
        "gs base upper",
        "kernel gs base",
        "kernel gs base upper",
    ];
    NAMES[n]
}

/// All that differs.
pub fn compare(case: &Case, ours: &Outcome, theirs: &Outcome) -> Vec<Difference> {
    match (ours, theirs) {
        (Outcome::Shutdown, Outcome::Shutdown) => Vec::new(),
        (Outcome::Recorded(a), Outcome::Recorded(b)) => compare_records(case, a, b),
        // Silence proves nothing, on either side.
        _ => vec![Difference {
            what: What::Lost,
            ours: loss(ours),
            theirs: loss(theirs),
        }],
    }
}

fn loss(outcome: &Outcome) -> u32 {
    match outcome {
        Outcome::Recorded(_) => 0,
        Outcome::Shutdown => 1,
        Outcome::Silent => 2,
    }
}

fn compare_records(case: &Case, a: &Record, b: &Record) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (n, (&ours, &theirs)) in a.fields.iter().zip(&b.fields).enumerate() {
        if ours != theirs {
            let what = What::Field(n);
            differences.push(Difference { what, ours, theirs });
        }
    }
    let mut places: Vec<u32> = a.memory.keys().chain(b.memory.keys()).copied().collect();
    places.sort_unstable();
    places.dedup();
    for offset in places {
        let at = SANDBOX + (offset & 0xFFFC).min(super::layout::SANDBOX_BYTES - 4);
        let before = case.sandbox.get32(at);
        let value = |r: &Record| r.memory.get(&offset).copied().unwrap_or(before);
        let (ours, theirs) = (value(a), value(b));
        if ours != theirs {
            let what = What::Memory(at);
            differences.push(Difference { what, ours, theirs });
        }
    }
    differences
}
