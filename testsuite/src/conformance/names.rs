//! The instructions' names, and the feature that each came with.

use iced_x86::{Code, CpuidFeature, EncodingKind};
use std::collections::BTreeMap;

/// What came with no feature that iced-x86 has a name for: undocumented on the processor that was recorded.
pub const UNDOCUMENTED: &str = "Without a name in the manuals";

/// Where an instruction stands in the document.
pub type Group = (usize, String);

/// Mnemonics and their groups.
pub struct Names(BTreeMap<String, Group>);

impl Names {
    /// By iced-x86's table: an instruction belongs to the feature of the form with the oldest encoding.
    pub fn new() -> Self {
        let mut groups: BTreeMap<String, (EncodingKind, Group)> = BTreeMap::new();
        for code in Code::values().filter(|c| c.op_code().is_instruction()) {
            let name = format!("{:?}", code.mnemonic()).to_lowercase();
            let found = (code.op_code().encoding(), group_of(code));
            match groups.get_mut(&name) {
                Some(known) if *known <= found => {}
                Some(known) => *known = found,
                None => {
                    groups.insert(name, found);
                }
            }
        }
        let groups = groups.into_iter().map(|(name, (_, group))| (name, group));
        Self(groups.collect())
    }

    /// The group of an instruction.
    pub fn group(&self, mnemonic: &str) -> Group {
        let known = self.0.get(mnemonic).cloned();
        known.unwrap_or_else(|| (usize::MAX, UNDOCUMENTED.into()))
    }
}

fn group_of(code: Code) -> Group {
    let features = code.cpuid_features();
    let newest = features.iter().map(|f| *f as usize).max().unwrap_or(0);
    let names: Vec<String> = features.iter().map(|f| title(*f)).collect();
    (newest, names.join(" and "))
}

/// A feature as a heading.
fn title(feature: CpuidFeature) -> String {
    let name = format!("{feature:?}");
    match name.strip_prefix("INTEL") {
        Some("8086") => "8086".into(),
        Some(number @ ("186" | "286" | "386" | "486")) => format!("80{number}"),
        _ => name.replace('_', "."),
    }
}

/// One name for each instruction: the recorded suites write some as other assemblers do.
pub fn usual(mnemonic: &str) -> &str {
    match mnemonic {
        "callf" => "call",
        "jmpf" => "jmp",
        "retn" => "ret",
        "jz" => "je",
        "jnz" => "jne",
        "jnb" => "jae",
        "jnbe" => "ja",
        "jnl" => "jge",
        "jnle" => "jg",
        "xlat" => "xlatb",
        "(bad)" => "an undefined opcode",
        "esc" => "an opcode of the coprocessor",
        other => other,
    }
}
