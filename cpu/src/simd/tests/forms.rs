//! Every form of every vector instruction is executed if the model shows its feature, and undefined if it does not.

use crate::decode::decoder_options;
use crate::decode::legacy::Form;
use crate::decode::lower::{Lowering, Rows};
use crate::interpreter::mode;
use crate::models::{CpuModel, Features};
use iced_x86::{Code, CpuidFeature as F, Decoder, DecoderError, EncodingKind, Instruction};
use std::collections::BTreeSet;

/// What is walked.
const FEATURES: &[F] = &[
    F::MMX,
    F::D3NOW,
    F::D3NOWEXT,
    F::SSE,
    F::SSE2,
    F::SSE3,
    F::SSSE3,
    F::SSE4_1,
    F::SSE4_2,
    F::SSE4A,
    F::AES,
    F::PCLMULQDQ,
    F::SHA,
    F::GFNI,
    F::FXSR,
    F::XSAVE,
    F::XSAVEOPT,
    F::XSAVEC,
    F::XSAVES,
    F::AVX,
    F::AVX2,
    F::FMA,
    F::F16C,
    F::VAES,
    F::VPCLMULQDQ,
    F::CLFSH,
    F::CLFLUSHOPT,
    F::CLWB,
];

/// Forms that the decoder takes for hint NOPs.
const HINTS: [&str; 4] = [
    "Prefetchnta_m8",
    "Prefetcht0_m8",
    "Prefetcht1_m8",
    "Prefetcht2_m8",
];

fn is_walked(code: Code) -> bool {
    let features = code.cpuid_features();
    features.iter().any(|f| FEATURES.contains(f))
        && !features
            .iter()
            .any(|f| format!("{f:?}").starts_with("AVX512"))
        && matches!(
            code.encoding(),
            EncodingKind::Legacy | EncodingKind::VEX | EncodingKind::D3NOW
        )
}

/// Each opcode of each map with each prefix, register forms, memory forms and one with a vector index.
fn sequences(mut each: impl FnMut(&[u8])) {
    const REX: [&[u8]; 2] = [&[], &[0x48]];
    const PREFIXES: [&[u8]; 5] = [&[], &[0x66], &[0xF3], &[0xF2], &[0x66, 0xF2]];
    const MAPS: [&[u8]; 4] = [&[], &[0x0F], &[0x0F, 0x38], &[0x0F, 0x3A]];
    let mut operands = Vec::new();
    for reg in 0..8u8 {
        // [esi], a register, and [esi + xmm2] with a mask and a destination that differ.
        operands.push((vec![reg << 3 | 6], 0xF));
        operands.extend((0..8).map(|rm| (vec![0xC0 | reg << 3 | rm], 0xF)));
        operands.push((vec![0xC1 | reg << 3], 0x4));
        operands.push((vec![reg << 3 | 6], 0x4));
        if !(2..4).contains(&reg) {
            operands.push((vec![reg << 3 | 4, 0x16], 0xC));
        }
    }
    let mut bytes = Vec::new();
    for opcode in 0..=255u8 {
        for (operand, v) in &operands {
            for (number, map) in (0u8..).zip(MAPS) {
                for (pp, prefix) in (0u8..).zip(PREFIXES) {
                    let mut put = |start: &[&[u8]]| {
                        bytes.clear();
                        start.iter().for_each(|part| bytes.extend(*part));
                        bytes.push(opcode);
                        bytes.extend(operand);
                        bytes.extend([0x30; 8]);
                        each(&bytes);
                    };
                    for rex in REX {
                        put(&[prefix, rex, map]);
                    }
                    if number == 0 || pp == 4 {
                        continue;
                    }
                    for wl in 0..4u8 {
                        let last = (wl & 1) << 7 | v << 3 | (wl >> 1) << 2 | pp;
                        put(&[&[0xC4, 0xE0 | number, last]]);
                    }
                }
            }
        }
    }
    // 3DNow! has its opcode behind the operands.
    for opcode in 0..=255u8 {
        each(&[0x0F, 0x0F, 0xC1, opcode]);
    }
}

fn decode(bits: u32, bytes: &[u8]) -> Option<(Instruction, usize)> {
    let model = CpuModel::by_name("max")?;
    let mut decoder = Decoder::with_ip(bits, bytes, 0, decoder_options(model));
    let insn = decoder.decode();
    (decoder.last_error() == DecoderError::None && is_walked(insn.code()))
        .then(|| (insn, decoder.position()))
}

fn is_refused(model: &CpuModel, mode: u32, insn: &Instruction, bytes: &[u8]) -> bool {
    let mut l = Lowering::new(model, mode, None, Rows::default());
    l.lower(insn, Form::Plain, bytes, 0, bytes.len() as u32);
    l.refused
}

const CODE_32: u32 = mode::CODE_32 | mode::STACK_32 | mode::PROTECTED;
const CODE_64: u32 = mode::CODE_64 | mode::PROTECTED;

#[test]
fn a_form_is_executed_exactly_if_the_model_shows_its_feature() {
    let (max, p6) = (CpuModel::by_name("max").expect("a model"), CpuModel::P6);
    let mut met = BTreeSet::new();
    let mut wrong = BTreeSet::new();
    for (bits, mode) in [(32, CODE_32), (32, CODE_32 | mode::FLAT), (64, CODE_64)] {
        sequences(|bytes| {
            let Some((insn, len)) = decode(bits, bytes) else {
                return;
            };
            let bytes = &bytes[..len];
            met.insert(insn.code());
            if is_refused(max, mode, &insn, bytes) == max.offers(&insn)
                || !is_refused(p6, mode, &insn, bytes)
            {
                wrong.insert(format!("{bits}: {:?} {bytes:02X?}", insn.code()));
            }
        });
    }
    assert_eq!(wrong, BTreeSet::new());
    let missed: BTreeSet<String> = Code::values()
        .filter(|c| is_walked(*c) && !met.contains(c))
        .map(|c| format!("{c:?}"))
        .collect();
    assert_eq!(missed, HINTS.iter().map(|s| s.to_string()).collect());
}

#[test]
fn a_gather_whose_registers_are_not_all_different_is_undefined() {
    // vgatherdps xmm0, [esi + xmm2], xmm3, and with two registers the same (SDM vol. 2, "VGATHERDPS").
    let mut model = CpuModel::by_name("max").expect("a model").clone();
    model.features = Features::of(&[F::AVX, F::AVX2]);
    for (v, reg, refused) in [(3u8, 0u8, false), (0, 0, true), (3, 2, true), (2, 0, true)] {
        let bytes = [0xC4, 0xE2, (!v & 0xF) << 3 | 1, 0x92, reg << 3 | 4, 0x16];
        let executed =
            decode(32, &bytes).is_some_and(|(insn, _)| !is_refused(&model, CODE_32, &insn, &bytes));
        assert_eq!(executed, !refused, "{bytes:02X?}");
    }
}

#[test]
fn vex_is_undefined_outside_of_protected_mode() {
    let mut model = CpuModel::by_name("max").expect("a model").clone();
    model.features = Features::of(&[F::AVX]);
    // vaddps xmm0, xmm1, xmm2
    let bytes = [0xC5, 0xF0, 0x58, 0xC2];
    let (insn, _) = decode(16, &bytes).expect("an instruction");
    assert!(is_refused(&model, 0, &insn, &bytes));
    assert!(is_refused(&model, mode::VIRTUAL_8086, &insn, &bytes));
    assert!(!is_refused(&model, mode::PROTECTED, &insn, &bytes));
}
