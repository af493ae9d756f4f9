//! Whole x87 instructions against the host: any state of stack, tags, control and status word before, the whole
//! state, memory and EFLAGS after. Everything but the pointers; the results of the transcendental instructions may lie
//! one unit in the last place apart, as far as the manual defines them.
#![cfg(target_arch = "x86_64")]

use cpu::softfloat::*;
use cpu::x87::arith::{self, Operation};
use cpu::x87::compare::{self, CompareFlags, Comparison};
use cpu::x87::fxsave::{self, Pointers};
use cpu::x87::image::{self, Format};
use cpu::x87::transcendental;
use cpu::x87::transfer::{self, Constant, IntegerRounding, Store};
use cpu::x87::{Fpu, Generation, control};
use testsuite::native::host;
use testsuite::native::x87 as native;
use testsuite::native::x87::{Memory, SaveImage, execute, is_defined};
use testsuite::operands::{self, Prng};

const CF: u64 = 1;
const PF: u64 = 1 << 2;
const ZF: u64 = 1 << 6;
const EFLAGS_OF_FCOMI: u64 = 0x8D5;

struct Guest<'a> {
    state: &'a mut Fpu,
    memory: &'a mut [u8; 128],
    flags: &'a mut u64,
}

impl Guest<'_> {
    fn bytes<const N: usize>(&self) -> [u8; N] {
        self.memory[..N].try_into().unwrap()
    }

    fn store<T: Copy, const N: usize>(
        &mut self,
        store: Store<T>,
        bytes: impl Fn(T) -> [u8; N],
        pop: bool,
    ) {
        if let Some(value) = store.value {
            self.memory[..N].copy_from_slice(&bytes(value));
        }
        store.commit(self.state, pop);
    }

    fn compare_to_eflags(&mut self, i: u8, kind: Comparison, pop: bool) {
        let CompareFlags { zf, pf, cf } = compare::compare_to_eflags(self.state, i, kind, pop);
        *self.flags &= !EFLAGS_OF_FCOMI;
        for (set, flag) in [(zf, ZF), (pf, PF), (cf, CF)] {
            if set {
                *self.flags |= flag;
            }
        }
    }

    fn operand(&self, escape: u8) -> Operand {
        match escape {
            0xD8 => F32(u32::from_le_bytes(self.bytes())).into(),
            0xDA => i32::from_le_bytes(self.bytes()).into(),
            0xDC => F64(u64::from_le_bytes(self.bytes())).into(),
            _ => i16::from_le_bytes(self.bytes()).into(),
        }
    }

    fn memory_form(&mut self, escape: u8, reg: u8) {
        use IntegerRounding::{Control, Truncate};
        match (escape, reg) {
            (0xD8 | 0xDA | 0xDC | 0xDE, _) => {
                let source = self.operand(escape);
                match arithmetic(reg) {
                    Some(op) => arith::arithmetic_memory(self.state, op, source),
                    None => compare::compare_memory(self.state, source, reg == 3),
                }
            }
            (0xD9, 0) => transfer::load(
                self.state,
                F32(u32::from_le_bytes(self.memory[..4].try_into().unwrap())),
            ),
            (0xD9, 2 | 3) => {
                let s = transfer::store_f32(self.state);
                self.store(s, |v| v.0.to_le_bytes(), reg == 3)
            }
            (0xD9, 4) => {
                image::load_environment(self.state, Format::Protected32, &self.memory[..28])
            }
            (0xD9, 5) => control::load_control(self.state, u16::from_le_bytes(self.bytes())),
            (0xD9, 6) => {
                let bytes = image::environment(self.state, Format::Protected32);
                self.memory[..28].copy_from_slice(&bytes);
                image::mask_exceptions(self.state);
            }
            (0xD9, _) => self.memory[..2].copy_from_slice(&self.state.control.to_le_bytes()),
            (0xDB, 0) => transfer::load(
                self.state,
                i32::from_le_bytes(self.memory[..4].try_into().unwrap()),
            ),
            (0xDB, 1) => {
                let s = transfer::store_i32(self.state, Truncate);
                self.store(s, i32::to_le_bytes, true)
            }
            (0xDB, 2 | 3) => {
                let s = transfer::store_i32(self.state, Control);
                self.store(s, i32::to_le_bytes, reg == 3)
            }
            (0xDB, 5) => transfer::load_f80(
                self.state,
                F80::from_le_bytes(self.memory[..10].try_into().unwrap()),
            ),
            (0xDB, _) => {
                let s = transfer::store_f80(self.state);
                self.store(s, F80::to_le_bytes, true)
            }
            (0xDD, 0) => transfer::load(
                self.state,
                F64(u64::from_le_bytes(self.memory[..8].try_into().unwrap())),
            ),
            (0xDD, 1) => {
                let s = transfer::store_i64(self.state, Truncate);
                self.store(s, i64::to_le_bytes, true)
            }
            (0xDD, 2 | 3) => {
                let s = transfer::store_f64(self.state);
                self.store(s, |v| v.0.to_le_bytes(), reg == 3)
            }
            (0xDD, 4) => image::restore(self.state, Format::Protected32, &self.memory[..108]),
            (0xDD, 6) => {
                self.memory[..108].copy_from_slice(&image::save(self.state, Format::Protected32));
                control::init(self.state);
            }
            (0xDD, _) => self.memory[..2].copy_from_slice(&self.state.status_word().to_le_bytes()),
            (_, 0) => transfer::load(
                self.state,
                i16::from_le_bytes(self.memory[..2].try_into().unwrap()),
            ),
            (_, 1) => {
                let s = transfer::store_i16(self.state, Truncate);
                self.store(s, i16::to_le_bytes, true)
            }
            (_, 2 | 3) => {
                let s = transfer::store_i16(self.state, Control);
                self.store(s, i16::to_le_bytes, reg == 3)
            }
            (_, 4) => transfer::load_bcd(self.state, self.memory[..10].try_into().unwrap()),
            (_, 5) => transfer::load(
                self.state,
                i64::from_le_bytes(self.memory[..8].try_into().unwrap()),
            ),
            (_, 6) => {
                let s = transfer::store_bcd(self.state);
                self.store(s, |v| v, true)
            }
            (_, _) => {
                let s = transfer::store_i64(self.state, Control);
                self.store(s, i64::to_le_bytes, true)
            }
        }
    }

    fn register_form(&mut self, escape: u8, modrm: u8) {
        use Comparison::{Ordered, Unordered};
        let (reg, i) = (modrm >> 3 & 7, modrm & 7);
        let state = &mut *self.state;
        let (cf, zf, pf) = (
            *self.flags & CF != 0,
            *self.flags & ZF != 0,
            *self.flags & PF != 0,
        );
        match (escape, reg) {
            (0xD8, _) => match arithmetic(reg) {
                Some(op) => arith::arithmetic(state, op, 0, i, false),
                None => compare::compare(state, i, Ordered, reg - 2),
            },
            (0xDC | 0xDE, 2 | 3) => {
                let pops = match (escape, reg) {
                    (0xDC, _) => reg - 2,
                    (_, 2) => 1,
                    _ => 2,
                };
                compare::compare(state, i, Ordered, pops);
            }
            // The reversed forms change places when ST(i) is the destination.
            (0xDC | 0xDE, _) => {
                let op = arithmetic(if reg < 4 { reg } else { reg ^ 1 }).unwrap();
                arith::arithmetic(state, op, i, 0, escape == 0xDE);
            }
            (0xD9, 0) => transfer::load_st(state, i),
            (0xD9 | 0xDD | 0xDF, 1) => transfer::exchange(state, i),
            (0xD9, 2) => {}
            (0xD9, 3) => transfer::store_st_unchecked(state, i),
            (0xD9, _) => match modrm {
                0xE0 => arith::change_sign(state),
                0xE1 => arith::absolute(state),
                0xE4 => compare::test(state),
                0xE5 => compare::examine(state),
                0xE8 => transfer::load_constant(state, Constant::One),
                0xE9 => transfer::load_constant(state, Constant::Log2Of10),
                0xEA => transfer::load_constant(state, Constant::Log2OfE),
                0xEB => transfer::load_constant(state, Constant::Pi),
                0xEC => transfer::load_constant(state, Constant::Log10Of2),
                0xED => transfer::load_constant(state, Constant::LnOf2),
                0xEE => transfer::load_constant(state, Constant::Zero),
                0xF0 => transcendental::two_to_the_power_minus_one(state),
                0xF1 => transcendental::logarithm(state),
                0xF2 => transcendental::tangent(state),
                0xF3 => transcendental::arc_tangent(state),
                0xF4 => arith::extract(state),
                0xF5 => arith::remainder(state, RemainderKind::Nearest),
                0xF6 => control::decrement_top(state),
                0xF7 => control::increment_top(state),
                0xF8 => arith::remainder(state, RemainderKind::Truncate),
                0xF9 => transcendental::logarithm_plus_one(state),
                0xFA => arith::square_root(state),
                0xFB => transcendental::sine_cosine(state),
                0xFC => arith::round_to_integral(state),
                0xFD => arith::scale(state),
                0xFE => transcendental::sine(state),
                0xFF => transcendental::cosine(state),
                _ => unreachable!(),
            },
            (0xDA, 5) => compare::compare(state, 1, Unordered, 2),
            (0xDA | 0xDB, 0..4) => {
                let condition = match reg {
                    0 => cf,
                    1 => zf,
                    2 => cf || zf,
                    _ => pf,
                };
                transfer::move_if(state, i, condition == (escape == 0xDA));
            }
            (0xDB, 4) => match modrm {
                0xE2 => control::clear_exceptions(state),
                0xE3 => control::init(state),
                _ => {}
            },
            (0xDB, 5) => self.compare_to_eflags(i, Unordered, false),
            (0xDB, _) => self.compare_to_eflags(i, Ordered, false),
            (0xDD, 0) => control::free(state, i),
            (0xDD, 2 | 3) => transfer::store_st(state, i, reg == 3),
            (0xDD, _) => compare::compare(state, i, Unordered, reg - 4),
            (_, 0) => control::free_and_pop(state, i),
            (_, 2 | 3) => transfer::store_st(state, i, true),
            (_, 4) => {}
            (_, 5) => self.compare_to_eflags(i, Unordered, true),
            (_, _) => self.compare_to_eflags(i, Ordered, true),
        }
    }
}

fn arithmetic(reg: u8) -> Option<Operation> {
    Some(match reg {
        0 => Operation::Add,
        1 => Operation::Mul,
        4 => Operation::Sub,
        5 => Operation::SubReverse,
        6 => Operation::Div,
        7 => Operation::DivReverse,
        _ => return None,
    })
}

fn is_transcendental(escape: u8, modrm: u8) -> bool {
    escape == 0xD9 && matches!(modrm, 0xF0..=0xF3 | 0xF9 | 0xFB | 0xFE | 0xFF)
}

/// The operand of F2XM1 and FYL2XP1 lies where the manual leaves the result undefined (SDM vol. 2): beyond -1 to +1,
/// and beyond plus or minus (1 - sqrt(1/2)).
fn result_is_undefined(modrm: u8, st0: (u16, u64)) -> bool {
    let magnitude = (st0.0 & 0x7FFF, st0.1);
    let finite = magnitude.0 < 0x7FFF && magnitude.1 >> 63 != 0;
    match modrm {
        0xF0 => finite && magnitude > (0x3FFF, 1 << 63),
        0xF9 => finite && magnitude > (0x3FFD, 0x95F6_1998_0C43_36F7),
        _ => false,
    }
}

/// The bits of the status word that a transcendental instruction leaves undefined or that tell how its own
/// approximation was rounded: C0, C3, C1.
const UNDEFINED_CONDITIONS: u16 = 0x4300;

/// Takes over from `host` what need not be equal: registers that lie one unit in the last place apart.
fn forgive(host: &mut [u8; 108], ours: &mut [u8; 108]) {
    for i in 0..8 {
        let at = 28 + 10 * i;
        let number = |b: &[u8; 108]| {
            let significand = u64::from_le_bytes(b[at..at + 8].try_into().unwrap());
            let sign_exp = u16::from_le_bytes([b[at + 8], b[at + 9]]);
            let magnitude = u128::from(sign_exp & 0x7FFF) << 63 | u128::from(significand << 1 >> 1);
            (sign_exp >> 15, magnitude)
        };
        let (a, b) = (number(host), number(ours));
        if a.0 == b.0 && a.1.abs_diff(b.1) <= 1 {
            ours[at..at + 10].copy_from_slice(&host[at..at + 10]);
        }
    }
    for bytes in [host, ours] {
        let status = u16::from_le_bytes([bytes[4], bytes[5]]) & !UNDEFINED_CONDITIONS;
        bytes[4..6].copy_from_slice(&status.to_le_bytes());
    }
}

/// Every defined instruction: escape and ModRM; memory forms have ModRM below C0.
fn instructions() -> Vec<(u8, u8)> {
    let modrms = (0u8..8).map(|reg| reg << 3).chain(0xC0..=0xFF);
    modrms
        .flat_map(|modrm| (0xD8..=0xDF).map(move |escape| (escape, modrm)))
        .filter(|&(e, m)| is_defined(e, m))
        .collect()
}

struct Case {
    image: SaveImage,
    memory: [u8; 128],
    flags: u64,
}

fn random_case(rng: &mut Prng, all_masked: bool) -> Case {
    let mut st = [(0, 0); 8];
    st[0] = operands::f80(rng);
    for i in 1..8 {
        st[i] = operands::f80_beside(rng, st[0]);
    }
    let masks = if all_masked {
        0x3F
    } else {
        rng.below(64) as u16
    };
    let control = 0x40 | (rng.below(32) as u16) << 8 | masks;
    let status =
        rng.next_u64() as u16 & 0x7F00 | masks & rng.below(64) as u16 | (rng.below(2) as u16) << 6;
    let tag = match rng.below(6) {
        0 => 0xFFFF,
        1 => rng.next_u64() as u16,
        2 => 3 << (2 * rng.below(8)),
        3 => !(3 << (2 * rng.below(8))),
        _ => 0,
    };
    let mut memory = [0; 128];
    for chunk in memory.chunks_exact_mut(8) {
        chunk.copy_from_slice(&rng.next_u64().to_le_bytes());
    }
    let low = match rng.below(6) {
        0 | 1 => operands::f64_bits(rng),
        2 | 3 => u64::from(operands::f32_bits(rng)),
        4 => operands::significand(rng) >> rng.below(64),
        _ => rng.next_u64(),
    };
    memory[..8].copy_from_slice(&low.to_le_bytes());
    Case {
        image: SaveImage::new(control, status, tag, &st),
        memory,
        flags: rng.next_u64() & EFLAGS_OF_FCOMI,
    }
}

/// The bytes of a FNSAVE image that are compared: not the pointers.
fn without_pointers(mut bytes: [u8; 108]) -> [u8; 108] {
    bytes[12..28].fill(0);
    bytes
}

fn describe(bytes: &[u8]) -> String {
    let word = |i: usize| u16::from_le_bytes([bytes[i], bytes[i + 1]]);
    let mut text = format!(
        "cw={:04X} sw={:04X} top={} tw={:04X}",
        word(0),
        word(4),
        word(4) >> 11 & 7,
        word(8)
    );
    for i in 0..8 {
        let at = 28 + 10 * i;
        let s = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        text += &format!(" {:04X}.{:016X}", word(at + 8), s);
    }
    text
}

fn differ(escape: u8, modrm: u8, case: &Case) -> Option<String> {
    let mut memory = Memory(case.memory);
    let (host, host_flags) = execute(escape, modrm, &case.image, &mut memory, case.flags);
    let mut state = Fpu::new(Generation::I80387).of_amd(host::is_amd());
    image::restore(&mut state, Format::Protected32, &case.image.0);
    let mut ours_memory = case.memory;
    let mut flags = case.flags;
    let mut guest = Guest {
        state: &mut state,
        memory: &mut ours_memory,
        flags: &mut flags,
    };
    if modrm < 0xC0 {
        guest.memory_form(escape, modrm >> 3);
    } else {
        guest.register_form(escape, modrm);
    }
    let ours = image::save(&state, Format::Protected32);
    let mut host_memory = memory.0;
    if matches!((escape, modrm), (0xD9 | 0xDD, 0x30)) {
        // Pointers again.
        host_memory[12..28].fill(0);
        ours_memory[12..28].fill(0);
    }
    let (mut host_state, mut our_state) = (without_pointers(host.0), without_pointers(ours));
    if is_transcendental(escape, modrm) {
        if result_is_undefined(modrm, case.image.st(0)) {
            return None;
        }
        forgive(&mut host_state, &mut our_state);
    }
    let same = host_state == our_state && host_memory == ours_memory && host_flags == flags;
    (!same).then(|| {
        format!(
            "  before {} flags={:03X} m={:02X?}\n  host   {} flags={host_flags:03X} m={:02X?}\n  ours   {} flags={flags:03X} m={:02X?}",
            describe(&case.image.0), case.flags, &case.memory[..28],
            describe(&host.0), &host_memory[..28], describe(&ours), &ours_memory[..28],
        )
    })
}

fn run(seed: u64, default_cases: u64, all_masked: bool) {
    let cases = std::env::var("BOXWOOD_CASES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(default_cases);
    let instructions = instructions();
    let mut rng = Prng::new(seed);
    let mut failures: Vec<((u8, u8), u64, String)> = Vec::new();
    for _ in 0..cases / instructions.len() as u64 {
        let case = random_case(&mut rng, all_masked);
        for &(escape, modrm) in &instructions {
            if let Some(text) = differ(escape, modrm, &case) {
                match failures.iter_mut().find(|f| f.0 == (escape, modrm)) {
                    Some(f) => {
                        f.1 += 1;
                        if f.1 < 6 {
                            f.2 = format!("{}\n{text}", f.2);
                        }
                    }
                    None => failures.push(((escape, modrm), 1, text)),
                }
            }
        }
    }
    failures.sort_by_key(|f| f.0);
    for ((escape, modrm), times, first) in &failures {
        eprintln!("{escape:02X} {modrm:02X}: {times} differences, the first:\n{first}");
    }
    assert!(
        failures.is_empty(),
        "{} instructions differ",
        failures.len()
    );
}

#[test]
fn every_instruction_with_exceptions_masked_leaves_the_state_the_host_leaves() {
    run(11, 400_000, true);
}

#[test]
fn every_instruction_with_exceptions_unmasked_leaves_the_state_the_host_leaves() {
    run(12, 400_000, false);
}

/// Images other than that of FNSAVE in 32-bit protected mode, pointers left out; random bytes are loaded, so that
/// reserved bits and any combination of flags, masks and tags occur.
#[test]
fn images_of_fnsave_frstor_fxsave_and_fxrstor_match_the_host() {
    let mut rng = Prng::new(13);
    for _ in 0..20_000 {
        let case = random_case(&mut rng, false);
        let mut fpu = Fpu::new(Generation::I80387);
        image::restore(&mut fpu, Format::Protected32, &case.image.0);

        let mut host = native::save_16(&case.image);
        let mut ours = image::save(&fpu, Format::Protected16);
        host[6..14].fill(0);
        ours[6..14].fill(0);
        assert_eq!(host[..], ours[..94]);

        let mut bytes = [0; 94];
        for byte in &mut bytes {
            *byte = rng.next_u64() as u8;
        }
        let host = native::restore_16(&bytes);
        image::restore(&mut fpu, Format::Protected16, &bytes);
        let ours = image::save(&fpu, Format::Protected32);
        assert_eq!(describe(&host.0), describe(&ours), "{:X?}", &bytes[..6]);

        // FXSAVE does not normalise anything either.
        let mut fpu = Fpu::new(Generation::I80387);
        image::restore(&mut fpu, Format::Protected32, &case.image.0);
        let host = native::fxsave(&case.image).0;
        let ours = fxsave::header(&fpu, Pointers::Segmented);
        assert_eq!(host[..6], ours[..6]);
        for i in 0..8 {
            let at = 32 + 16 * usize::from(i);
            assert_eq!(host[at..at + 10], fxsave::register(&fpu, i)[..10]);
        }

        let mut area = [0; 160];
        for byte in &mut area {
            *byte = rng.next_u64() as u8;
        }
        let host = native::fxrstor(&area);
        let mut fpu = Fpu::new(Generation::I80387);
        fxsave::load_header(
            &mut fpu,
            Pointers::Segmented,
            area[..24].try_into().unwrap(),
        );
        for i in 0..8 {
            let at = 32 + 16 * usize::from(i);
            fxsave::load_register(&mut fpu, i, area[at..at + 16].try_into().unwrap());
        }
        let ours = image::save(&fpu, Format::Protected32);
        assert_eq!(describe(&host.0), describe(&ours), "{:X?}", &area[..8]);
    }
}
