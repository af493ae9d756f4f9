//! `boxwood cpu`: what the CPU models are.

use crate::cli::CpuQuestion;
use crate::exit::{self, Mistake};
use cpu::CpuModel;
use cpu::models::flags::FLAGS;
use emu_core::x86::{Cr0, Cr4, Efer, Rflags};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;

/// Answers on standard output.
pub fn answer(question: &CpuQuestion) -> Result<u8, Mistake> {
    let text = match question {
        CpuQuestion::List => list(),
        CpuQuestion::Show { model } => show(named(model)?),
        CpuQuestion::Diff { from, to } => diff(named(from)?, named(to)?),
    };
    // Who closes the pipe has read enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(exit::OK)
}

fn named(text: &str) -> Result<&'static CpuModel, Mistake> {
    CpuModel::named(text).map_err(|e| Mistake::usage(e.to_string()))
}

fn list() -> String {
    let mut text = String::new();
    for model in CpuModel::ALL {
        let default = if model.name == machine::spec::DEFAULT_CPU {
            " (the default)"
        } else {
            ""
        };
        line(
            &mut text,
            model.name,
            &format!("{}{default}", model.description),
        );
    }
    text += "\nFeatures that --cpu MODEL,+FEATURE,-FEATURE adds and takes off, by their names in /proc/cpuinfo:\n";
    let names = FLAGS.iter().filter(|f| f.part_of.is_none()).map(|f| f.name);
    wrapped(&mut text, "", names);
    text
}

/// Everything that can be said of a model.
fn show(model: &CpuModel) -> String {
    let mut text = String::new();
    line(&mut text, model.name, model.description);
    wrapped(&mut text, "features", model.flags().map(|f| f.name));
    wrapped(&mut text, "not there", model.lacks.iter().copied());
    let groups: Vec<String> = model.features.iter().map(|f| format!("{f:?}")).collect();
    wrapped(&mut text, "instructions", groups.iter().map(String::as_str));
    for (name, value) in properties(model) {
        line(&mut text, name, &value);
    }
    let table = cpuid_table(model);
    if table.is_empty() {
        line(&mut text, "CPUID", "none");
    } else {
        text += "CPUID\n";
    }
    for ((leaf, subleaf), [a, b, c, d]) in table {
        let _ = writeln!(
            text,
            "  {leaf:08X}:{subleaf:X}  EAX {a:08X}  EBX {b:08X}  ECX {c:08X}  EDX {d:08X}"
        );
    }
    text
}

/// What differs, `-` before what the first has and `+` before what the second has.
fn diff(from: &CpuModel, to: &CpuModel) -> String {
    let mut text = String::new();
    line(&mut text, &format!("- {}", from.name), from.description);
    line(&mut text, &format!("+ {}", to.name), to.description);
    let only = |a: &CpuModel, b: &CpuModel| -> Vec<&str> {
        let flags = a.flags().filter(|f| !f.is_in(b));
        flags.map(|f| f.name).collect()
    };
    wrapped(&mut text, "- features", only(from, to).into_iter());
    wrapped(&mut text, "+ features", only(to, from).into_iter());
    let groups = |a: &CpuModel, b: &CpuModel| -> Vec<String> {
        let groups = a.features.iter().filter(|f| !b.has(*f));
        groups.map(|f| format!("{f:?}")).collect()
    };
    let (lost, won) = (groups(from, to), groups(to, from));
    wrapped(&mut text, "- instructions", lost.iter().map(String::as_str));
    wrapped(&mut text, "+ instructions", won.iter().map(String::as_str));
    for ((name, a), (_, b)) in properties(from).into_iter().zip(properties(to)) {
        if a != b {
            line(&mut text, &format!("- {name}"), &a);
            line(&mut text, &format!("+ {name}"), &b);
        }
    }
    let (old, new) = (cpuid_table(from), cpuid_table(to));
    let places: BTreeSet<(u32, u32)> = old.keys().chain(new.keys()).copied().collect();
    for place in places {
        let (a, b) = (old.get(&place), new.get(&place));
        if a == b {
            continue;
        }
        for (sign, registers) in [('-', a), ('+', b)] {
            if let Some([a, b, c, d]) = registers {
                let (leaf, subleaf) = place;
                let _ = writeln!(
                    text,
                    "{sign} CPUID {leaf:08X}:{subleaf:X}  EAX {a:08X}  EBX {b:08X}  ECX {c:08X}  EDX {d:08X}"
                );
            }
        }
    }
    text
}

/// Leaf and subleaf; EAX to EDX.
type CpuidTable = BTreeMap<(u32, u32), [u32; 4]>;

/// All leaves, with the subleaves that say something.
fn cpuid_table(model: &CpuModel) -> CpuidTable {
    if model.identity.is_none() {
        return CpuidTable::new();
    }
    let basic = model.cpuid(0, 0)[0];
    let extended = model.cpuid(0x8000_0000, 0)[0];
    let extended = if extended >= 0x8000_0000 { extended } else { 0 };
    let leaves = (0..=basic).chain(0x8000_0000..=extended);
    let mut rows = CpuidTable::new();
    for leaf in leaves {
        let subleaves = match leaf {
            4 | 7 | 0xB => 0..4,
            0xD => 0..64,
            _ => 0..1,
        };
        for subleaf in subleaves {
            let registers = model.cpuid(leaf, subleaf);
            let says_nothing = registers[..2] == [0; 2] && registers[3] == 0;
            if subleaf == 0 || !says_nothing {
                rows.insert((leaf, subleaf), registers);
            }
        }
    }
    rows
}

/// Names and values of what is neither an instruction nor CPUID.
fn properties(model: &CpuModel) -> Vec<(&'static str, String)> {
    let cr0 = Cr0::from_bits_retain(model.cr0);
    let cr4 = Cr4::from_bits_retain(model.cr4);
    let efer = Efer::from_bits_retain(model.efer);
    let flags = Rflags::from_bits_retain(model.flags_writable);
    let fixed = model.flags_fixed;
    let queue = match model.prefetch_bytes {
        0 => "stores into code are seen by the next instruction".into(),
        n => format!("{n} bytes, which keep what was there before a store"),
    };
    let fpu = if model.has_fpu() {
        format!("{:?}", model.fpu)
    } else {
        "none".into()
    };
    vec![
        (
            "EFLAGS",
            bits(flags.bits(), flags.iter_names().map(|n| n.0)),
        ),
        ("EFLAGS, always 1", format!("{fixed:X}h")),
        ("CR0", bits(cr0.bits(), cr0.iter_names().map(|n| n.0))),
        ("CR0 after reset", format!("{:X}h", model.reset_cr0)),
        ("CR4", bits(cr4.bits(), cr4.iter_names().map(|n| n.0))),
        (
            "IA32_EFER",
            bits(efer.bits(), efer.iter_names().map(|n| n.0)),
        ),
        ("EDX after reset", format!("{:X}h", model.signature)),
        (
            "addresses",
            match model.processor {
                Some(_) => format!("{} bits", model.physical_bits),
                None => format!(
                    "{} bits physical, {} bits linear",
                    model.physical_bits,
                    model.linear_bits()
                ),
            },
        ),
        ("x87", fpu),
        ("prefetch queue", queue),
        ("other MSRs", joined(model.msrs.iter_names().map(|n| n.0))),
        (
            "other properties",
            joined(model.traits.iter_names().map(|n| n.0)),
        ),
    ]
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() {
        "none".into()
    } else {
        names.join(" ")
    }
}

/// A register's bits that exist.
fn bits<'a>(value: u64, names: impl Iterator<Item = &'a str>) -> String {
    if value == 0 {
        return "none".into();
    }
    format!("{value:X}h: {}", joined(names))
}

const NAME_COLUMNS: usize = 20;
const LINE_COLUMNS: usize = 120;

fn line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{name:NAME_COLUMNS$}{value}");
}

/// Words behind a name, broken into lines; nothing if there are none.
fn wrapped<'a>(text: &mut String, name: &str, words: impl Iterator<Item = &'a str>) {
    let mut row = String::new();
    let mut name = name;
    for word in words {
        if !row.is_empty() && NAME_COLUMNS + row.len() + 1 + word.len() > LINE_COLUMNS {
            line(text, name, &row);
            name = "";
            row.clear();
        }
        if !row.is_empty() {
            row.push(' ');
        }
        row += word;
    }
    if !row.is_empty() {
        line(text, name, &row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str) -> &'static CpuModel {
        CpuModel::named(name).expect("a model")
    }

    #[test]
    fn the_list_names_every_model_and_every_feature_that_can_be_changed() {
        let text = list();
        for m in CpuModel::ALL {
            assert!(
                text.lines().any(|l| l.starts_with(&format!("{} ", m.name))),
                "{}",
                m.name
            );
        }
        assert!(text.contains(" avx2 ") && !text.contains("lahf_lm"));
        assert!(text.lines().all(|l| l.len() <= LINE_COLUMNS));
    }

    #[test]
    fn a_model_is_shown_with_its_cpuid_and_its_lacks() {
        let text = show(model("haswell,-avx2"));
        assert!(text.starts_with("haswell,-avx2 "), "{text}");
        assert!(
            text.contains("00000000:0  EAX 0000000D  EBX 756E6547  ECX 6C65746E  EDX 49656E69")
        );
        assert!(text.contains(" vmx"), "what the real chip has");
        assert!(show(model("80386")).contains("CPUID               none"));
        assert!(
            show(model("80386")).contains("addresses           32 bits physical, 32 bits linear")
        );
    }

    #[test]
    fn a_difference_names_what_each_has_alone() {
        let text = diff(model("haswell"), model("haswell,-avx2"));
        assert!(text.contains("- features          avx2\n"), "{text}");
        assert!(!text.contains("+ features"));
        let leaves = text.lines().filter(|l| l.contains("CPUID 00000007:0"));
        assert_eq!(leaves.count(), 2);
        // Nothing but names.
        assert_eq!(diff(model("max"), model("max")).lines().count(), 2);
    }
}
