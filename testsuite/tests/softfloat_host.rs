//! The softfloat against the x87 of the host: results, exception flags and condition codes, for millions of operand
//! pairs in every rounding mode and precision, with exceptions masked and unmasked.
#![cfg(target_arch = "x86_64")]

use cpu::softfloat::*;
use testsuite::native::host;
use testsuite::native::x87::{Memory, SaveImage, execute};
use testsuite::operands::{self, Prng};

/// What the instruction is expected to leave.
struct Outcome {
    /// ST(0), or the value that was pushed or stored into ST(0).
    st0: F80,
    /// ST(1) after it, where it changes or matters.
    st1: Option<F80>,
    /// What stands in memory.
    memory: Option<Vec<u8>>,
    /// C3 C2 C1 C0 as bits 14, 10, 9, 8; C1 comes from the environment unless the instruction defines it.
    conditions: u16,
    /// The conditions that are defined, besides C1.
    defined: u16,
}

impl Outcome {
    fn st0(st0: F80) -> Self {
        Self {
            st0,
            st1: None,
            memory: None,
            conditions: 0,
            defined: 0,
        }
    }
}

const C0: u16 = 1 << 8;
const C1: u16 = 1 << 9;
const C2: u16 = 1 << 10;
const C3: u16 = 1 << 14;

struct Case {
    a: F80,
    b: F80,
    memory: [u8; 16],
}

impl Case {
    fn m<const N: usize>(&self) -> [u8; N] {
        self.memory[..N].try_into().unwrap()
    }
    fn m32(&self) -> F32 {
        F32(u32::from_le_bytes(self.m()))
    }
    fn m64(&self) -> F64 {
        F64(u64::from_le_bytes(self.m()))
    }
    fn i16(&self) -> i16 {
        i16::from_le_bytes(self.m())
    }
    fn i32(&self) -> i32 {
        i32::from_le_bytes(self.m())
    }
    fn i64(&self) -> i64 {
        i64::from_le_bytes(self.m())
    }
}

type Model = fn(&Case, &mut FloatEnv) -> Outcome;

struct Instruction {
    name: &'static str,
    code: (u8, u8),
    model: Model,
}

/// ST(0) after an operation, unchanged if its result is suppressed.
fn kept(case: &Case, value: F80, env: &FloatEnv) -> Outcome {
    Outcome::st0(if env.suppresses_result() {
        case.a
    } else {
        value
    })
}

fn relation(case: &Case, relation: Relation) -> Outcome {
    let conditions = match relation {
        Relation::Greater => 0,
        Relation::Less => C0,
        Relation::Equal => C3,
        Relation::Unordered => C0 | C2 | C3,
    };
    Outcome {
        conditions,
        defined: C0 | C2 | C3,
        ..Outcome::st0(case.a)
    }
}

fn rem(case: &Case, kind: RemainderKind, env: &mut FloatEnv) -> Outcome {
    let r = remainder(case.a, case.b, kind, env);
    let mut conditions = if r.partial { C2 } else { 0 };
    for (bit, c) in [(0, C1), (1, C3), (2, C0)] {
        if r.quotient.unwrap_or(0) >> bit & 1 != 0 {
            conditions |= c;
        }
    }
    Outcome {
        conditions,
        defined: C0 | C1 | C2 | C3,
        ..kept(case, r.value, env)
    }
}

/// A store: nothing is written if an unmasked invalid, overflow or underflow exception arises.
fn stored(case: &Case, bytes: &[u8], env: &FloatEnv, popped: bool) -> Outcome {
    let written = env.unmasked().difference(Flags::INEXACT).is_empty();
    let memory = if written {
        bytes.to_vec()
    } else {
        case.memory[..bytes.len()].to_vec()
    };
    let st0 = if popped && written { case.b } else { case.a };
    Outcome {
        memory: Some(memory),
        ..Outcome::st0(st0)
    }
}

/// A load: only an unmasked invalid operation keeps the value from being pushed.
fn loaded(case: &Case, value: F80, env: &FloatEnv) -> Outcome {
    let suppressed = env.unmasked().contains(Flags::INVALID);
    Outcome::st0(if suppressed { case.a } else { value })
}

macro_rules! instruction {
    ($name:literal, $escape:literal $modrm:literal, $model:expr) => {
        Instruction {
            name: $name,
            code: ($escape, $modrm),
            model: $model,
        }
    };
}

#[rustfmt::skip]
const INSTRUCTIONS: &[Instruction] = &[
    instruction!("fadd st0,st1", 0xD8 0xC1, |c, e| { let r = add(c.a, c.b, e); kept(c, r, e) }),
    instruction!("fmul st0,st1", 0xD8 0xC9, |c, e| { let r = mul(c.a, c.b, e); kept(c, r, e) }),
    instruction!("fsub st0,st1", 0xD8 0xE1, |c, e| { let r = sub(c.a, c.b, e); kept(c, r, e) }),
    instruction!("fsubr st0,st1", 0xD8 0xE9, |c, e| { let r = sub(c.b, c.a, e); kept(c, r, e) }),
    instruction!("fdiv st0,st1", 0xD8 0xF1, |c, e| { let r = div(c.a, c.b, e); kept(c, r, e) }),
    instruction!("fdivr st0,st1", 0xD8 0xF9, |c, e| { let r = div(c.b, c.a, e); kept(c, r, e) }),
    instruction!("fsqrt", 0xD9 0xFA, |c, e| { let r = sqrt(c.a, e); kept(c, r, e) }),
    instruction!("frndint", 0xD9 0xFC, |c, e| { let r = round_to_integral(c.a, e); kept(c, r, e) }),
    instruction!("fscale", 0xD9 0xFD, |c, e| { let r = scale(c.a, c.b, e); kept(c, r, e) }),
    instruction!("fprem", 0xD9 0xF8, |c, e| rem(c, RemainderKind::Truncate, e)),
    instruction!("fprem1", 0xD9 0xF5, |c, e| rem(c, RemainderKind::Nearest, e)),
    instruction!("fxtract", 0xD9 0xF4, |c, e| {
        let (significand, exponent) = extract(c.a, e);
        if e.suppresses_result() { return Outcome::st0(c.a) }
        Outcome { st1: Some(exponent), ..Outcome::st0(significand) }
    }),
    instruction!("fadd m32", 0xD8 0x00, |c, e| { let r = add(c.a, c.m32(), e); kept(c, r, e) }),
    instruction!("fmul m32", 0xD8 0x08, |c, e| { let r = mul(c.a, c.m32(), e); kept(c, r, e) }),
    instruction!("fdivr m32", 0xD8 0x38, |c, e| { let r = div(c.m32(), c.a, e); kept(c, r, e) }),
    instruction!("fsub m64", 0xDC 0x20, |c, e| { let r = sub(c.a, c.m64(), e); kept(c, r, e) }),
    instruction!("fsubr m64", 0xDC 0x28, |c, e| { let r = sub(c.m64(), c.a, e); kept(c, r, e) }),
    instruction!("fdiv m64", 0xDC 0x30, |c, e| { let r = div(c.a, c.m64(), e); kept(c, r, e) }),
    instruction!("fiadd m32", 0xDA 0x00, |c, e| { let r = add(c.a, c.i32(), e); kept(c, r, e) }),
    instruction!("fidiv m32", 0xDA 0x30, |c, e| { let r = div(c.a, c.i32(), e); kept(c, r, e) }),
    instruction!("fidivr m16", 0xDE 0x38, |c, e| { let r = div(c.i16(), c.a, e); kept(c, r, e) }),
    instruction!("fimul m16", 0xDE 0x08, |c, e| { let r = mul(c.a, c.i16(), e); kept(c, r, e) }),
    instruction!("fcom st1", 0xD8 0xD1, |c, e| { let r = compare_ordered(c.a, c.b, e); relation(c, r) }),
    instruction!("fucom st1", 0xDD 0xE1, |c, e| { let r = compare_unordered(c.a, c.b, e); relation(c, r) }),
    instruction!("fcom m32", 0xD8 0x10, |c, e| { let r = compare_ordered(c.a, c.m32(), e); relation(c, r) }),
    instruction!("fcom m64", 0xDC 0x10, |c, e| { let r = compare_ordered(c.a, c.m64(), e); relation(c, r) }),
    instruction!("ficom m32", 0xDA 0x10, |c, e| { let r = compare_ordered(c.a, c.i32(), e); relation(c, r) }),
    instruction!("ficom m16", 0xDE 0x10, |c, e| { let r = compare_ordered(c.a, c.i16(), e); relation(c, r) }),
    instruction!("ftst", 0xD9 0xE4, |c, e| { let r = compare_ordered(c.a, F80::ZERO, e); relation(c, r) }),
    instruction!("fld m32", 0xD9 0x00, |c, e| { let r = convert(c.m32(), e); loaded(c, r, e) }),
    instruction!("fld m64", 0xDD 0x00, |c, e| { let r = convert(c.m64(), e); loaded(c, r, e) }),
    instruction!("fild m16", 0xDF 0x00, |c, e| { let r = convert(c.i16(), e); loaded(c, r, e) }),
    instruction!("fild m32", 0xDB 0x00, |c, e| { let r = convert(c.i32(), e); loaded(c, r, e) }),
    instruction!("fild m64", 0xDF 0x28, |c, e| { let r = convert(c.i64(), e); loaded(c, r, e) }),
    instruction!("fbld", 0xDF 0x20, |c, e| loaded(c, bcd_load(c.m()), e)),
    instruction!("fst m32", 0xD9 0x10, |c, e| { let r: F32 = store(c.a, e); stored(c, &r.0.to_le_bytes(), e, false) }),
    instruction!("fst m64", 0xDD 0x10, |c, e| { let r: F64 = store(c.a, e); stored(c, &r.0.to_le_bytes(), e, false) }),
    instruction!("fistp m16", 0xDF 0x18, |c, e| { let r = to_i16(c.a, e.rounding, e); stored(c, &r.to_le_bytes(), e, true) }),
    instruction!("fist m32", 0xDB 0x10, |c, e| { let r = to_i32(c.a, e.rounding, e); stored(c, &r.to_le_bytes(), e, false) }),
    instruction!("fistp m64", 0xDF 0x38, |c, e| { let r = to_i64(c.a, e.rounding, e); stored(c, &r.to_le_bytes(), e, true) }),
    instruction!("fisttp m32", 0xDB 0x08, |c, e| { let r = to_i32(c.a, Rounding::Truncate, e); stored(c, &r.to_le_bytes(), e, true) }),
    instruction!("fbstp", 0xDF 0x30, |c, e| { let r = bcd_store(c.a, e); stored(c, &r, e, true) }),
    instruction!("fchs", 0xD9 0xE0, |c, _| Outcome::st0(c.a.negate())),
    instruction!("fabs", 0xD9 0xE1, |c, _| Outcome::st0(c.a.abs())),
];

fn pair(v: F80) -> (u16, u64) {
    (v.sign_exp, v.significand)
}

/// Runs one case on both; a description of the difference, if any.
fn differ(i: &Instruction, case: &Case, control: u16) -> Option<String> {
    let empty = (0, 0);
    let st = [
        pair(case.a),
        pair(case.b),
        empty,
        empty,
        empty,
        empty,
        empty,
        empty,
    ];
    let image = SaveImage::new(control, 0, 0xFFF0, &st);
    let mut memory = Memory([0; 128]);
    memory.0[..16].copy_from_slice(&case.memory);
    let (after, _) = execute(i.code.0, i.code.1, &image, &mut memory, 0);

    let mut env = FloatEnv {
        leaves_unrounded: !host::is_amd(),
        ..FloatEnv::x87(control)
    };
    let expected = (i.model)(case, &mut env);
    let mut conditions = expected.conditions;
    if expected.defined & C1 == 0 && env.rounded_up {
        conditions |= C1;
    }
    let defined = expected.defined | C1;
    let host_flags = Flags::from_bits_truncate(after.status() as u8 & 0x3F);
    let same = after.st(0) == pair(expected.st0)
        && expected.st1.is_none_or(|st1| after.st(1) == pair(st1))
        && expected
            .memory
            .as_ref()
            .is_none_or(|m| memory.0.starts_with(m))
        && host_flags == env.flags
        && after.status() & defined == conditions & defined;
    (!same).then(|| {
        format!(
            "{} cw={control:04X} a={:04X}.{:016X} b={:04X}.{:016X} m={:02X?}\n  host st0={:04X?} st1={:04X?} m={:02X?} {:?} c={:04X}\n  ours st0={:04X?} st1={:04X?} m={:02X?} {:?} c={:04X}",
            i.name, case.a.sign_exp, case.a.significand, case.b.sign_exp, case.b.significand, &case.memory[..10],
            after.st(0), after.st(1), &memory.0[..10], host_flags, after.status() & defined,
            pair(expected.st0), expected.st1.map(pair), expected.memory, env.flags, conditions & defined,
        )
    })
}

fn random_case(rng: &mut Prng) -> Case {
    let a = operands::f80(rng);
    let b = operands::f80_beside(rng, a);
    let mut memory = [0; 16];
    memory[8..].copy_from_slice(&rng.next_u64().to_le_bytes());
    let low = match rng.below(6) {
        0 | 1 => operands::f64_bits(rng),
        2 | 3 => u64::from(operands::f32_bits(rng)),
        4 => operands::significand(rng) >> rng.below(64),
        _ => rng.next_u64(),
    };
    memory[..8].copy_from_slice(&low.to_le_bytes());
    Case {
        a: F80::new(a.0, a.1),
        b: F80::new(b.0, b.1),
        memory,
    }
}

fn compare(seed: u64, count: u64, control: impl Fn(&mut Prng) -> u16) {
    let mut rng = Prng::new(seed);
    let mut failures: Vec<(&str, u32, String)> = Vec::new();
    for _ in 0..count / INSTRUCTIONS.len() as u64 {
        let case = random_case(&mut rng);
        let control = control(&mut rng);
        for i in INSTRUCTIONS {
            if let Some(text) = differ(i, &case, control) {
                match failures.iter_mut().find(|f| f.0 == i.name) {
                    Some(f) => {
                        f.1 += 1;
                        if f.1 < 4 {
                            f.2 = format!("{}\n{text}", f.2);
                        }
                    }
                    None => failures.push((i.name, 1, text)),
                }
            }
        }
    }
    for (name, times, first) in &failures {
        eprintln!("{name}: {times} differences, the first:\n{first}");
    }
    assert!(failures.is_empty());
}

fn random_mode(rng: &mut Prng) -> u16 {
    0x40 | (rng.below(4) as u16) << 10 | rng.pick(&[0, 2, 3, 3, 1]) << 8
}

/// Cases per test, from the environment for longer runs.
fn count(default: u64) -> u64 {
    std::env::var("BOXWOOD_CASES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(default)
}

#[test]
fn masked_results_and_flags_match_the_host() {
    compare(1, count(600_000), |rng| random_mode(rng) | 0x3F);
}

#[test]
fn unmasked_results_and_flags_match_the_host() {
    compare(2, count(500_000), |rng| {
        random_mode(rng) | rng.below(64) as u16
    });
}
