//! Every form of every instruction that the models' processors have is executed, or stands here with the reason why not.

use super::decoder_options;
use super::legacy::{self, Form};
use super::lower::{Lowering, Rows};
use crate::interpreter::mode;
use crate::models::{CpuModel, Processor};
use iced_x86::{Code, CpuidFeature as F, Decoder, DecoderError};
use std::collections::{BTreeMap, BTreeSet};

/// What the 8086 to P6 have: what iced-x86 counts to their instruction groups.
const P6_FEATURES: [F; 18] = [
    F::INTEL8086,
    F::INTEL186,
    F::INTEL286,
    F::INTEL386,
    F::INTEL486,
    F::CPUID,
    F::CX8,
    F::CMOV,
    F::TSC,
    F::MSR,
    F::RDPMC,
    F::SEP,
    F::SMM,
    F::FPU,
    F::FPU287,
    F::FPU387,
    F::MULTIBYTENOP,
    F::PAUSE,
];

/// Undefined by definition.
const DEFINED_TO_BE_UNDEFINED: [&str; 5] = [
    "Ud0_r16_rm16",
    "Ud0_r32_rm32",
    "Ud1_r16_rm16",
    "Ud1_r32_rm32",
    "Ud2",
];

/// STOREALL of the 80286, which needs an in-circuit emulator to take what it stores.
const ONLY_UNDER_EMULATION: [&str; 1] = ["Storeall"];

/// What an assembler makes of WAIT and the form without, other names of forms that are met, and no instruction at all.
const PSEUDO_FORMS: [&str; 16] = [
    "Fclex",
    "Fdisi",
    "Feni",
    "Finit",
    "Fsave_m108byte",
    "Fsave_m94byte",
    "Fsetpm",
    "Fstcw_m2byte",
    "Fstenv_m14byte",
    "Fstenv_m28byte",
    "Fstsw_AX",
    "Fstsw_m2byte",
    "Nop_rm16",
    "Nop_rm32",
    "Ud0",
    "Zero_bytes",
];

/// Prefixes that select other forms.
const PREFIXES: [&[u8]; 6] = [&[], &[0x66], &[0x67], &[0x66, 0x67], &[0xF2], &[0xF3]];

/// Byte sequences that start every form: each opcode of both maps with each ModR/M byte, and zeros behind them.
fn sequences() -> impl Iterator<Item = Vec<u8>> {
    PREFIXES.into_iter().flat_map(|prefixes| {
        (0..512u32).flat_map(move |opcode| {
            (0..=255u8).map(move |modrm| {
                let mut bytes = prefixes.to_vec();
                if opcode >= 256 {
                    bytes.push(0x0F);
                }
                bytes.extend([opcode as u8, modrm]);
                bytes.extend([0; 10]);
                bytes
            })
        })
    })
}

/// Each form that is met, and whether every encoding of it is executed.
fn forms_of(model: &CpuModel) -> BTreeMap<Code, bool> {
    let mut forms = BTreeMap::new();
    for (bits, mode) in [(16, 0), (32, mode::CODE_32 | mode::STACK_32)] {
        for bytes in sequences() {
            let mut decoder = Decoder::with_ip(bits, &bytes, 0, decoder_options(model));
            let insn = decoder.decode();
            if decoder.last_error() != DecoderError::None {
                continue;
            }
            let len = decoder.position();
            let mut l = Lowering::new(model, mode, None, Rows::default());
            l.lower(&insn, Form::Plain, &bytes[..len], 0, len as u32);
            *forms.entry(insn.code()).or_insert(true) &= !l.refused;
        }
    }
    forms
}

fn names(codes: impl IntoIterator<Item = Code>) -> BTreeSet<String> {
    codes.into_iter().map(|c| format!("{c:?}")).collect()
}

fn belongs_to(code: Code, features: &[F]) -> bool {
    code.cpuid_features().iter().all(|f| features.contains(f))
}

#[test]
fn the_p6_executes_every_form_of_its_instructions_but_those_named_here() {
    let forms = forms_of(CpuModel::P6);
    let refused = names(
        forms
            .iter()
            .filter(|(code, executed)| !**executed && belongs_to(**code, &P6_FEATURES))
            .map(|(code, _)| *code),
    );
    let expected: BTreeSet<String> = DEFINED_TO_BE_UNDEFINED
        .iter()
        .map(|s| s.to_string())
        .collect();
    assert_eq!(refused, expected);
    let unmet: BTreeSet<String> =
        names(Code::values().filter(|c| belongs_to(*c, &P6_FEATURES) && !forms.contains_key(c)))
            .into_iter()
            .filter(|name| !name.contains("64") && !name.ends_with('q'))
            .filter(|name| !name.starts_with("Declare") && name != "INVALID")
            .collect();
    let pseudo = PSEUDO_FORMS.iter().map(|s| s.to_string()).collect();
    assert_eq!(unmet, pseudo, "forms that no byte sequence leads to");
}

#[test]
fn the_p6_executes_nothing_of_other_processors() {
    let strange = names(
        forms_of(CpuModel::P6)
            .into_iter()
            .filter(|(code, executed)| *executed && !belongs_to(*code, &P6_FEATURES))
            .map(|(code, _)| code),
    );
    assert_eq!(strange, BTreeSet::new());
}

/// What an 80286 has, its coprocessor included; an 8086 has less.
const I80286_FEATURES: [F; 8] = [
    F::INTEL8086,
    F::INTEL8086_ONLY,
    F::INTEL186,
    F::INTEL286,
    F::INTEL286_ONLY,
    F::FPU,
    F::FPU287,
    F::FPU287XL_ONLY,
];

fn refused_by(model: &str, processor: Processor) -> BTreeSet<String> {
    let model = CpuModel::by_name(model).expect("a model");
    let mut refused = BTreeSet::new();
    for bytes in sequences() {
        let Some(d) = legacy::decode(processor, model.has_fpu(), &bytes, 0) else {
            continue;
        };
        let mut l = Lowering::new(model, 0, None, Rows::default());
        l.lower(&d.insn, d.form, &bytes[..d.len], 0, d.len as u32);
        let code = d.insn.code();
        if l.refused && d.form != Form::Undefined && belongs_to(code, &I80286_FEATURES) {
            refused.insert(format!("{code:?}"));
        }
    }
    refused
}

#[test]
fn the_8086_and_the_80286_execute_every_form_of_their_instructions_but_those_named_here() {
    let set = |names: &[&[&str]]| -> BTreeSet<String> {
        names.concat().into_iter().map(String::from).collect()
    };
    assert_eq!(refused_by("8086", Processor::I8086), set(&[]));
    assert_eq!(
        refused_by("80286", Processor::I80286),
        set(&[&ONLY_UNDER_EMULATION])
    );
    assert_eq!(refused_by("8086+8087", Processor::I8086), set(&[]));
    assert_eq!(
        refused_by("80286+80287", Processor::I80286),
        set(&[&ONLY_UNDER_EMULATION])
    );
}
