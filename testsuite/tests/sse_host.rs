//! The softfloat against scalar SSE arithmetic of the host, in every rounding mode, with and without DAZ and FTZ.
#![cfg(target_arch = "x86_64")]

use cpu::softfloat::*;
use testsuite::native::sse::{Instruction, execute, is_supported};
use testsuite::operands::{self, Prng};

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Float(u64),
    Integer(u64),
    /// ZF, PF, CF.
    Comparison(bool, bool, bool),
}

fn single(r: F32) -> Answer {
    Answer::Float(r.0.into())
}

fn double(r: F64) -> Answer {
    Answer::Float(r.0)
}

fn comparison(relation: Relation) -> Answer {
    let unordered = relation == Relation::Unordered;
    Answer::Comparison(
        unordered || relation == Relation::Equal,
        unordered,
        unordered || relation == Relation::Less,
    )
}

fn ours(instruction: Instruction, [a, b, c]: [u64; 3], e: &mut FloatEnv) -> Answer {
    use Instruction::*;
    let (a32, b32, c32) = (F32(a as u32), F32(b as u32), F32(c as u32));
    let (a64, b64, c64) = (F64(a), F64(b), F64(c));
    match instruction {
        Addss => single(add(a32, b32, e)),
        Addsd => double(add(a64, b64, e)),
        Subss => single(sub(a32, b32, e)),
        Subsd => double(sub(a64, b64, e)),
        Mulss => single(mul(a32, b32, e)),
        Mulsd => double(mul(a64, b64, e)),
        Divss => single(div(a32, b32, e)),
        Divsd => double(div(a64, b64, e)),
        Sqrtss => single(sqrt(b32, e)),
        Sqrtsd => double(sqrt(b64, e)),
        Cvtss2sd => double(convert(b32, e)),
        Cvtsd2ss => single(convert(b64, e)),
        Cvtss2si => Answer::Integer(to_i32(b32, e.rounding, e) as u32 as u64),
        Cvtsd2si64 => Answer::Integer(to_i64(b64, e.rounding, e) as u64),
        Cvttss2si64 => Answer::Integer(to_i64(b32, Rounding::Truncate, e) as u64),
        Cvttsd2si => Answer::Integer(to_i32(b64, Rounding::Truncate, e) as u32 as u64),
        Cvtsi2ss64 => single(convert(a as i64, e)),
        Cvtsi2sd64 => double(convert(a as i64, e)),
        Comiss => comparison(compare_ordered(a32, b32, e)),
        Comisd => comparison(compare_ordered(a64, b64, e)),
        Ucomiss => comparison(compare_unordered(a32, b32, e)),
        Ucomisd => comparison(compare_unordered(a64, b64, e)),
        Vfmadd213ss => single(fma(b32, a32, c32, e)),
        Vfmadd213sd => double(fma(b64, a64, c64, e)),
    }
}

const SINGLE: [Instruction; 11] = {
    use Instruction::*;
    [
        Addss,
        Subss,
        Mulss,
        Divss,
        Sqrtss,
        Cvtss2sd,
        Cvtss2si,
        Cvttss2si64,
        Comiss,
        Ucomiss,
        Vfmadd213ss,
    ]
};
const DOUBLE: [Instruction; 11] = {
    use Instruction::*;
    [
        Addsd,
        Subsd,
        Mulsd,
        Divsd,
        Sqrtsd,
        Cvtsd2ss,
        Cvtsd2si64,
        Cvttsd2si,
        Comisd,
        Ucomisd,
        Vfmadd213sd,
    ]
};

/// A second or third operand: often close to the first in value or in exponent.
fn beside(rng: &mut Prng, a: u64, fraction_bits: u32, random: u64) -> u64 {
    let sign = rng.next_u64() & 1 << if fraction_bits == 23 { 31 } else { 63 };
    match rng.below(6) {
        0 => a ^ sign,
        1 => a.wrapping_add(rng.below(5)).wrapping_sub(2) ^ sign,
        2 => a.wrapping_add(rng.below(120).wrapping_sub(60) << fraction_bits) ^ sign,
        _ => random,
    }
}

fn check(
    instruction: Instruction,
    mxcsr: u32,
    operands: [u64; 3],
    failures: &mut Vec<(Instruction, String)>,
) {
    if !is_supported(instruction) {
        return;
    }
    let host = execute(instruction, mxcsr, operands);
    let mut env = FloatEnv::sse(mxcsr | 0x1F80);
    let ours = ours(instruction, operands, &mut env);
    let (zf, pf, cf) = host.comparison;
    let single = SINGLE.contains(&instruction) && instruction != Instruction::Cvtss2sd
        || matches!(instruction, Instruction::Cvtsd2ss | Instruction::Cvtsi2ss64);
    let theirs = match ours {
        Answer::Float(_) if single => Answer::Float(host.xmm & 0xFFFF_FFFF),
        Answer::Float(_) => Answer::Float(host.xmm),
        Answer::Integer(_) => Answer::Integer(host.rax),
        Answer::Comparison(..) => Answer::Comparison(zf, pf, cf),
    };
    if (ours != theirs || env.flags.bits() != host.flags)
        && failures.iter().filter(|f| f.0 == instruction).count() < 3
    {
        let text = format!(
            "{instruction:?} mxcsr={mxcsr:04X} {operands:X?}: host {theirs:X?} {:?}, ours {ours:X?} {:?}",
            Flags::from_bits_truncate(host.flags),
            env.flags
        );
        failures.push((instruction, text));
    }
}

#[test]
fn scalar_sse_results_and_flags_match_the_host() {
    let cases: u64 = std::env::var("BOXWOOD_CASES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(500_000);
    let mut rng = Prng::new(21);
    let mut failures = Vec::new();
    for _ in 0..cases / 24 {
        let mxcsr =
            (rng.below(4) as u32) << 13 | (rng.below(2) as u32) << 15 | (rng.below(2) as u32) << 6;
        let a = u64::from(operands::f32_bits(&mut rng));
        let random = [0; 2].map(|_| u64::from(operands::f32_bits(&mut rng)));
        let (b, c) = (
            beside(&mut rng, a, 23, random[0]),
            beside(&mut rng, a, 23, random[1]),
        );
        for instruction in SINGLE {
            check(
                instruction,
                mxcsr,
                [a, b & 0xFFFF_FFFF, c & 0xFFFF_FFFF],
                &mut failures,
            );
        }
        let a = operands::f64_bits(&mut rng);
        let random = [0; 2].map(|_| operands::f64_bits(&mut rng));
        let (b, c) = (
            beside(&mut rng, a, 52, random[0]),
            beside(&mut rng, a, 52, random[1]),
        );
        for instruction in DOUBLE {
            check(instruction, mxcsr, [a, b, c], &mut failures);
        }
        let n = rng.next_u64().cast_signed() >> rng.below(64);
        check(
            Instruction::Cvtsi2ss64,
            mxcsr,
            [n as u64, 0, 0],
            &mut failures,
        );
        check(
            Instruction::Cvtsi2sd64,
            mxcsr,
            [n as u64, 0, 0],
            &mut failures,
        );
    }
    for (_, text) in &failures {
        eprintln!("{text}");
    }
    assert!(failures.is_empty());
}
