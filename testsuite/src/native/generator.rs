//! Cases: for each form in turn an instruction, and a state in which it has something to do.

use super::case::{Case, CodeSize, MXCSR, TF};
use super::emit::{self, Emitted, any_selector, emit, far_selector, integer};
use super::forms::Forms;
use super::host;
use super::layout::{self, CODE, DATA, READ_ONLY, STACK};
use crate::operands::{Prng, f32_bits, f64_bits, f80, f80_beside};
use cpu::CpuModel;
use iced_x86::{
    Code, CpuidFeature as F, Decoder, FlowControl, Instruction, InstructionInfoFactory, MemorySize,
    Mnemonic as M, OpAccess, OpKind, Register, UsedMemory,
};

/// How often an instruction of a form is tried before an invalid one is taken.
const TRIES: u32 = 40;
/// CF, PF, AF, ZF, SF, DF, OF.
const FLAGS: u64 = 0xCD5;
const AC: u64 = 1 << 18;
const RCX: usize = 1;
const RDX: usize = 2;
const RSP: usize = 4;
const CS: usize = 1;
const SS: usize = 2;

/// Makes cases.
pub struct Generator {
    /// The forms of each code size.
    pub forms: Vec<(CodeSize, Forms)>,
    targets: Vec<(CodeSize, Code)>,
    factory: InstructionInfoFactory,
}

/// A case and the form that it is meant for.
#[derive(Copy, Clone, Debug)]
pub struct Generated {
    /// The case.
    pub case: Case,
    /// Its number in the run.
    pub index: u64,
    /// The index of its form among [`Generator::targets`].
    pub target: usize,
    /// It is of this form; else no bytes of it were found.
    pub emitted: bool,
}

/// Decodes as the host does.
pub fn decode(case: &Case) -> Instruction {
    let mut decoder = Decoder::with_ip(
        case.size.bits(),
        case.bytes(),
        case.rip(),
        host::decoder_options(),
    );
    decoder.decode()
}

impl Generator {
    /// For the forms of these sizes whose names contain `only` (any case).
    pub fn new(model: &CpuModel, sizes: &[CodeSize], only: Option<&str>) -> Self {
        let wanted = only.map(str::to_lowercase);
        let forms: Vec<_> = sizes
            .iter()
            .map(|&size| (size, Forms::new(model, size)))
            .collect();
        let targets = forms
            .iter()
            .flat_map(|(size, f)| f.compared.iter().map(|&code| (*size, code)))
            .filter(|(_, code)| match &wanted {
                Some(text) => format!("{code:?}").to_lowercase().contains(text),
                None => true,
            })
            .collect();
        Self {
            forms,
            targets,
            factory: InstructionInfoFactory::new(),
        }
    }

    /// What cases are made for, in turn.
    pub fn targets(&self) -> &[(CodeSize, Code)] {
        &self.targets
    }

    /// Case number `index`.
    pub fn generate(&mut self, seed: u64, index: u64) -> Generated {
        let target = (index % self.targets.len() as u64) as usize;
        let (size, code) = self.targets[target];
        let mut rng = Prng::new(seed.rotate_left(32) ^ index.wrapping_mul(0xD129_0E9B_51F3_4C25));
        for _ in 0..4 {
            rng.next_u64();
        }
        let mut case = Case::new(size);
        let mut found = false;
        for _ in 0..TRIES {
            let emitted = emit(&mut rng, code, size);
            let mut decoder = Decoder::new(size.bits(), &emitted.bytes, host::decoder_options());
            let insn = decoder.decode();
            let illegal = emitted.illegal_lock && insn.is_invalid();
            if calls_the_host(&insn) {
                continue;
            }
            if insn.code() == code || illegal {
                let len = if illegal {
                    emitted.bytes.len()
                } else {
                    insn.len()
                };
                case.code[..len].copy_from_slice(&emitted.bytes[..len]);
                case.len = len as u8;
                self.fill(&mut rng, &mut case, &emitted);
                found = insn.code() == code;
                break;
            }
        }
        Generated {
            case,
            index,
            target,
            emitted: found,
        }
    }

    fn fill(&mut self, rng: &mut Prng, case: &mut Case, emitted: &Emitted) {
        choose_place(rng, case);
        choose_selectors(rng, case);
        for g in &mut case.gpr {
            *g = integer(rng);
        }
        if case.size == CodeSize::Bits64 {
            for base in &mut case.bases {
                *base = if rng.below(2) == 0 {
                    0
                } else {
                    rng.below(0x1_0000_0000)
                };
            }
        }
        let mut insn = decode(case);
        if let Some((at, bytes, relative)) = emitted.free_displacement {
            choose_displacement(rng, case, &insn, at, bytes, relative);
            insn = decode(case);
        }
        case.flags = 0x202 | rng.next_u64() & FLAGS;
        if rng.below(12) == 0 {
            case.flags |= AC;
        }
        // A transfer leaves the code: only the trap ends it for sure.
        if insn.flow_control() != FlowControl::Next || rng.below(2) == 0 {
            case.flags |= TF;
        }
        choose_stack(rng, case);
        if case.size == CodeSize::Bits64 && is_interrupt_return(&insn) {
            // #AC of a misaligned IRET comes while AC is still clear, and Linux takes it for a split lock, for ever.
            case.gpr[RSP] &= !15;
        }
        choose_floating_point(rng, case, &insn);
        let used: Vec<UsedMemory> = self.factory.info(&insn).used_memory().to_vec();
        for (n, memory) in used.iter().enumerate() {
            if let Some(at) = choose_address(rng, case, &insn, memory) {
                let mut bytes = [0; 128];
                let len = content(rng, case, &insn, memory, &mut bytes);
                if memory.access() != OpAccess::Write || n == 0 {
                    case.patch(at, &bytes[..len]);
                }
            }
        }
        choose_special(rng, case, &insn);
        if case.size != CodeSize::Bits64 {
            for g in &mut case.gpr[..8] {
                *g &= 0xFFFF_FFFF;
            }
            case.gpr[8..].fill(0);
        }
        if insn.is_invalid() {
            case.flags |= TF;
        }
    }
}

fn is_interrupt_return(insn: &Instruction) -> bool {
    matches!(insn.mnemonic(), M::Iret | M::Iretd | M::Iretq)
}

/// Linux' gate for system calls is the only one beside INT3 and INTO that user mode may go through.
fn calls_the_host(insn: &Instruction) -> bool {
    insn.code() == Code::Int_imm8 && insn.immediate8() == 0x80
}

fn choose_place(rng: &mut Prng, case: &mut Case) {
    let len = u64::from(case.len);
    let at = match rng.below(32) {
        0..3 => 0x1000 - rng.below(len + 1),
        3 => 0x2000 - rng.below(len + 2) - 1,
        _ => 0x400 + rng.below(0x800),
    };
    case.at = CODE + at as u16;
    case.high = case.size == CodeSize::Bits64 && rng.below(2) == 0;
}

fn choose_selectors(rng: &mut Prng, case: &mut Case) {
    let small = case.size == CodeSize::Bits16;
    if case.size == CodeSize::Bits64 {
        for n in [0, 3, 4, 5] {
            case.selectors[n] = rng.pick(&[0, layout::FLAT]);
        }
        return;
    }
    for n in [0, 3, 4, 5] {
        case.selectors[n] = match rng.below(24) {
            0 => 0,
            1 => layout::DATA_SHORT,
            2 => layout::DATA_DOWN,
            3 => layout::DATA_READ_ONLY,
            4 => layout::DATA_DOWN16,
            5 => rng.pick(&[
                layout::CODE16,
                layout::CODE32,
                layout::CS32,
                layout::CODE_EXECUTE_ONLY,
            ]),
            6..10 => layout::DATA16,
            _ if small => layout::DATA16,
            _ => layout::FLAT,
        };
        // Execute-only code is no segment that a data register takes.
        if case.selectors[n] == layout::CODE_EXECUTE_ONLY {
            case.selectors[n] = layout::DATA16;
        }
    }
    case.selectors[SS] = match rng.below(16) {
        0 => layout::DATA_SHORT,
        1 => layout::DATA_DOWN,
        2 => layout::DATA_DOWN16,
        3 => layout::FLAT,
        4 => layout::DATA16,
        _ if small => layout::DATA16,
        _ => layout::FLAT,
    };
    if !small && rng.below(4) == 0 {
        case.selectors[CS] = layout::CODE32;
    }
}

/// The number of a segment register; DS for none.
pub fn segment_of(register: Register) -> usize {
    match register {
        Register::ES => 0,
        Register::CS => 1,
        Register::SS => 2,
        Register::FS => 4,
        Register::GS => 5,
        _ => 3,
    }
}

/// An offset in the window for an access of so many bytes; `None`: anywhere.
fn choose_offset(rng: &mut Prng, bytes: u64) -> Option<u16> {
    let data = u64::from(DATA);
    let aligned = !(bytes.next_power_of_two().clamp(1, 64) - 1);
    let at = match rng.below(40) {
        0..19 => data + 0x100 + (rng.below(0x1C00) & aligned),
        19..26 => data + 0x100 + rng.below(0x1C00),
        26..29 => data + 0x1000 - 1 - rng.below(bytes),
        29..31 => data + 0x2000 - rng.below(bytes + 4) - 1,
        31 => data - rng.below(bytes + 2),
        32..34 => u64::from(READ_ONLY) + rng.below(0xF00),
        34..36 => u64::from(STACK) + rng.below(0xF00),
        36 => rng.below(0x1_0000),
        37 => u64::from(CODE) + rng.below(0x2000),
        _ => return None,
    };
    Some(at as u16)
}

fn memory_bytes(size: MemorySize) -> u64 {
    (size.size() as u64).max(1)
}

/// Puts the target of an absolute or RIP-relative address into the instruction.
fn choose_displacement(
    rng: &mut Prng,
    case: &mut Case,
    insn: &Instruction,
    at: usize,
    bytes: usize,
    relative: bool,
) {
    let Some(offset) = choose_offset(rng, memory_bytes(insn.memory_size())) else {
        return;
    };
    let value = if relative {
        let next = case.rip().wrapping_add(insn.len() as u64);
        (case.window() + u64::from(offset)).wrapping_sub(next)
    } else {
        let base = case.segment_base(segment_of(insn.memory_segment()));
        (layout::LOW + u64::from(offset)).wrapping_sub(base)
    };
    if let Some(place) = case.code.get_mut(at..at + bytes) {
        place.copy_from_slice(&value.to_le_bytes()[..bytes]);
    }
}

fn choose_stack(rng: &mut Prng, case: &mut Case) {
    let at = match rng.below(20) {
        0..14 => u64::from(STACK) + 0x100 + (rng.below(0xE00) & !7),
        14..17 => u64::from(STACK) + 0x100 + rng.below(0xE00),
        17 => u64::from(STACK) + rng.pick(&[0, 2, 4, 8, 16]),
        18 => u64::from(STACK) + 0x1000 - rng.below(20),
        _ => u64::from(DATA) + rng.below(0x2000),
    };
    let window = if rng.below(2) == 0 {
        layout::LOW
    } else {
        case.window()
    };
    let linear = window + at;
    let offset = linear.wrapping_sub(case.segment_base(SS));
    let small = case.size != CodeSize::Bits64
        && layout::user_descriptor(case.selectors[SS]).is_some_and(|d| d >> 54 & 1 == 0);
    case.gpr[RSP] = if small && rng.below(3) == 0 {
        offset & 0xFFFF | rng.next_u64() & 0xFFFF_0000
    } else {
        offset
    };
}

/// Sets as much of a register as the name says.
fn set(case: &mut Case, register: Register, value: u64) {
    if !register.is_gpr() {
        return;
    }
    let n = register.full_register().number();
    let mask = match register.size() {
        1 => 0xFF,
        2 => 0xFFFF,
        4 => 0xFFFF_FFFF,
        _ => u64::MAX,
    };
    if register.is_gpr8() && !register.full_register().is_gpr() {
        return;
    }
    case.gpr[n] = case.gpr[n] & !mask | value & mask;
}

fn get(case: &Case, register: Register) -> u64 {
    if !register.is_gpr() {
        return 0;
    }
    let value = case.gpr[register.full_register().number()];
    match register.size() {
        1 => value & 0xFF,
        2 => value & 0xFFFF,
        4 => value & 0xFFFF_FFFF,
        _ => value,
    }
}

/// Gives the registers of an address values that lead it to a place, and says which, as an offset in the window.
fn choose_address(
    rng: &mut Prng,
    case: &mut Case,
    insn: &Instruction,
    m: &UsedMemory,
) -> Option<u16> {
    let base = m.base();
    if insn.is_stack_instruction() && base.full_register() == Register::RSP {
        // What a push writes or a pop reads lies where the stack pointer is.
        let linear = case.segment_base(SS).wrapping_add(case.gpr[RSP]);
        return in_window(linear);
    }
    let bytes = memory_bytes(m.memory_size());
    let offset = choose_offset(rng, bytes);
    if m.vsib_size() != 0 {
        choose_vector_index(rng, case, m);
    }
    let (Some(offset), true) = (offset, base.is_gpr() || m.index().is_gpr()) else {
        // No register to choose; the displacement already leads somewhere.
        let linear = case
            .segment_base(segment_of(m.segment()))
            .wrapping_add(m.displacement());
        return in_window(linear);
    };
    let linear = if m.base().size() == 8 || m.index().size() == 8 {
        let view = if rng.below(2) == 0 {
            layout::LOW
        } else {
            layout::HIGH
        };
        view + u64::from(offset)
    } else {
        layout::LOW + u64::from(offset)
    };
    let wanted = linear.wrapping_sub(case.segment_base(segment_of(m.segment())));
    let wanted = wanted.wrapping_sub(m.displacement());
    let scale = m.scale().max(1) as u64;
    if !base.is_gpr() {
        set(case, m.index(), wanted / scale);
    } else if m.index().is_gpr() && m.index() != Register::AL {
        if m.index().full_register() == base.full_register() {
            set(case, base, wanted / (scale + 1));
        } else {
            let index = if rng.below(2) == 0 {
                rng.below(0x100)
            } else {
                integer(rng)
            };
            set(case, m.index(), index);
            let index = get(case, m.index());
            set(case, base, wanted.wrapping_sub(index.wrapping_mul(scale)));
        }
    } else {
        let index = get(case, m.index());
        set(case, base, wanted.wrapping_sub(index));
    }
    // Rarely an address that no processor takes.
    if base.size() == 8 && rng.below(40) == 0 {
        let bit = 47 + rng.below(17);
        set(case, base, get(case, base) ^ 1 << bit);
        return None;
    }
    Some(offset)
}

fn in_window(linear: u64) -> Option<u16> {
    [layout::LOW, layout::HIGH]
        .iter()
        .map(|base| linear.wrapping_sub(*base))
        .find(|at| *at < layout::WINDOW_BYTES)
        .map(|at| at as u16)
}

/// Elements of a gather's index: near each other, and now and then anywhere.
fn choose_vector_index(rng: &mut Prng, case: &mut Case, m: &UsedMemory) {
    let n = m.index().number() & 15;
    let wide = m.vsib_size() == 8;
    let mut bytes = [0; 32];
    for chunk in bytes.chunks_exact_mut(if wide { 8 } else { 4 }) {
        let element = if rng.below(30) == 0 {
            integer(rng)
        } else {
            rng.below(0x80).wrapping_sub(0x20)
        };
        chunk.copy_from_slice(&element.to_le_bytes()[..chunk.len()]);
    }
    case.fx[160 + 16 * n..176 + 16 * n].copy_from_slice(&bytes[..16]);
    for half in 0..2 {
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[16 + 8 * half..24 + 8 * half]);
        case.ymm_high[n][half] = u64::from_le_bytes(word);
    }
}

/// Somewhere in the code, as the instruction pointer counts.
fn code_target(rng: &mut Prng, case: &Case) -> u64 {
    match rng.below(8) {
        0 => integer(rng),
        _ => {
            let linear = case.window() + u64::from(CODE) + rng.below(0x2000);
            linear.wrapping_sub(case.segment_base(CS))
        }
    }
}

/// An offset and selector of a far pointer that fit together, mostly.
fn far_target(rng: &mut Prng) -> (u64, u16) {
    let selector = far_selector(rng);
    let base = layout::user_descriptor(selector).map_or(0, |d| u64::from(layout::base_of(d)));
    let linear = layout::LOW + u64::from(CODE) + rng.below(0x2000);
    let offset = if rng.below(10) == 0 {
        integer(rng)
    } else {
        linear.wrapping_sub(base)
    };
    (offset, selector)
}

/// What an instruction finds in memory. Returns how many bytes.
fn content(
    rng: &mut Prng,
    case: &Case,
    insn: &Instruction,
    m: &UsedMemory,
    to: &mut [u8; 128],
) -> usize {
    let len = (memory_bytes(m.memory_size()) as usize).min(128);
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(place) = to.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    };
    let slot = match insn.op_code().operand_size() {
        0 => (case.size.bits() / 8) as usize,
        n => (n / 8) as usize,
    };
    let flags = 0x202 | rng.next_u64() & 0x0024_4FD5;
    match insn.mnemonic() {
        M::Ret => {
            put(0, &code_target(rng, case).to_le_bytes());
            return 8;
        }
        M::Retf => {
            let (offset, selector) = far_target(rng);
            put(0, &offset.to_le_bytes());
            put(slot, &selector.to_le_bytes());
            return slot + 2;
        }
        M::Iret | M::Iretd | M::Iretq => {
            let (offset, selector) = far_target(rng);
            put(0, &offset.to_le_bytes());
            put(slot, &u64::from(selector).to_le_bytes());
            put(2 * slot, &flags.to_le_bytes());
            if slot == 8 {
                put(24, &case.gpr[RSP].to_le_bytes());
                put(32, &u64::from(layout::FLAT).to_le_bytes());
            }
            return 5 * slot;
        }
        M::Popf | M::Popfd | M::Popfq => {
            put(0, &flags.to_le_bytes());
            return 8;
        }
        M::Jmp | M::Call if insn.flow_control() != FlowControl::Next => {
            put(0, &code_target(rng, case).to_le_bytes());
        }
        M::Mov | M::Pop | M::Verr | M::Verw | M::Lar | M::Lsl => {
            put(0, &integer(rng).to_le_bytes());
            if len <= 2 || insn.op0_register().is_segment_register() {
                put(0, &any_selector(rng).to_le_bytes());
            }
            return len;
        }
        M::Fxrstor | M::Fxrstor64 => {
            for i in 0..16 {
                put(8 * i, &rng.next_u64().to_le_bytes());
            }
            if rng.below(8) != 0 {
                put(MXCSR, &(rng.next_u64() as u32 & 0xFFFF).to_le_bytes());
            }
            return 128;
        }
        M::Ldmxcsr | M::Vldmxcsr => {
            let mask = if rng.below(8) == 0 { u32::MAX } else { 0xFFFF };
            put(0, &(rng.next_u64() as u32 & mask).to_le_bytes());
            return 4;
        }
        _ => {}
    }
    match m.memory_size() {
        MemorySize::SegPtr16 | MemorySize::SegPtr32 | MemorySize::SegPtr64 => {
            let (offset, mut selector) = far_target(rng);
            if insn.flow_control() == FlowControl::Next {
                selector = any_selector(rng);
            }
            put(0, &offset.to_le_bytes());
            put(len - 2, &selector.to_le_bytes());
        }
        MemorySize::Float80 => {
            let (sign_exponent, significand) = f80(rng);
            put(0, &significand.to_le_bytes());
            put(8, &sign_exponent.to_le_bytes());
        }
        MemorySize::Bcd if rng.below(4) != 0 => {
            for i in 0..9 {
                put(i, &[(rng.below(10) << 4 | rng.below(10)) as u8]);
            }
            put(9, &[rng.pick(&[0, 0x80])]);
        }
        size if insn.flow_control() == FlowControl::Next => {
            for at in (0..len).step_by(8) {
                put(at, &element(rng, float_kind(insn, size)).to_le_bytes());
            }
        }
        _ => {}
    }
    len
}

/// What kind of numbers an instruction works on.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Numbers {
    Integers,
    Singles,
    Doubles,
    Halves,
}

fn float_kind(insn: &Instruction, size: MemorySize) -> Numbers {
    let element = size.element_type();
    match element {
        MemorySize::Float32 => return Numbers::Singles,
        MemorySize::Float64 => return Numbers::Doubles,
        MemorySize::Float16 => return Numbers::Halves,
        _ => {}
    }
    let name = format!("{:?}", insn.mnemonic());
    if name.ends_with("ps") || name.ends_with("ss") {
        Numbers::Singles
    } else if name.ends_with("pd") || name.ends_with("sd") {
        Numbers::Doubles
    } else {
        Numbers::Integers
    }
}

/// Eight bytes of numbers.
fn element(rng: &mut Prng, kind: Numbers) -> u64 {
    match kind {
        Numbers::Integers => integer(rng),
        Numbers::Singles => u64::from(f32_bits(rng)) << 32 | u64::from(f32_bits(rng)),
        Numbers::Doubles => f64_bits(rng),
        Numbers::Halves => {
            rng.next_u64() & rng.pick(&[u64::MAX, 0x83FF_FC00_7C00_8001, 0x7FFF_0001_FFFF_8400])
        }
    }
}

fn choose_floating_point(rng: &mut Prng, case: &mut Case, insn: &Instruction) {
    let features = insn.cpuid_features();
    let uses = |wanted: &[F]| features.iter().any(|f| wanted.contains(f));
    let x87 = uses(&[F::FPU, F::FPU287, F::FPU387, F::MMX, F::D3NOW, F::FXSR]);
    let integer_only = uses(&[F::BMI1, F::BMI2, F::ADX, F::MOVBE, F::POPCNT, F::LZCNT])
        || features.iter().all(|f| {
            matches!(
                f,
                F::INTEL8086 | F::INTEL186 | F::INTEL386 | F::X64 | F::INTEL486
            )
        });
    let every = rng.below(64) == 0;
    if x87 || every || (!integer_only && rng.below(4) == 0) {
        choose_x87(rng, case, uses(&[F::MMX, F::D3NOW]));
    }
    if (!integer_only && !uses(&[F::FPU, F::FPU287, F::FPU387])) || every {
        choose_sse(rng, case, insn);
    }
}

fn choose_x87(rng: &mut Prng, case: &mut Case, integers: bool) {
    let masks: u16 = if rng.below(5) == 0 {
        rng.below(64) as u16
    } else {
        0x3F
    };
    let control = 0x40 | (rng.below(32) as u16) << 8 | masks;
    let mut status = rng.next_u64() as u16 & 0x7F7F;
    if rng.below(8) != 0 {
        // Nothing pending.
        status &= !0x3F | masks;
    }
    if status & !control & 0x3F != 0 {
        status |= 0x8080;
    }
    let tags = match rng.below(8) {
        0 => 0,
        1 | 2 => rng.next_u64() as u8,
        _ => 0xFF,
    };
    let fx = &mut case.fx;
    fx[..2].copy_from_slice(&control.to_le_bytes());
    fx[2..4].copy_from_slice(&status.to_le_bytes());
    fx[4] = tags;
    let opcode = (rng.next_u64() as u16 & 0x7FF).to_le_bytes();
    let pointers = [rng.next_u64() as u32, rng.next_u64() as u32].map(u32::to_le_bytes);
    // A host of AMD's loses them whenever its kernel switches to another thread, but for an unmasked exception.
    if status & 0x80 != 0 || !host::is_amd() {
        fx[6..8].copy_from_slice(&opcode);
        fx[8..12].copy_from_slice(&pointers[0]);
        fx[16..20].copy_from_slice(&pointers[1]);
    }
    let first = f80(rng);
    for i in 0..8 {
        let (sign_exponent, significand) = match i {
            0 => first,
            _ if integers => (0xFFFF, integer(rng)),
            _ => f80_beside(rng, first),
        };
        fx[32 + 16 * i..40 + 16 * i].copy_from_slice(&significand.to_le_bytes());
        fx[40 + 16 * i..42 + 16 * i].copy_from_slice(&sign_exponent.to_le_bytes());
    }
}

fn choose_sse(rng: &mut Prng, case: &mut Case, insn: &Instruction) {
    let masks: u32 = if rng.below(4) == 0 {
        rng.below(64) as u32
    } else {
        0x3F
    };
    let flags = rng.next_u64() as u32 & rng.next_u64() as u32 & 0x3F;
    let modes = rng.next_u64() as u32 & 0xE000 | if rng.below(3) == 0 { 0x40 } else { 0 };
    let mxcsr = masks << 7 | flags | modes;
    case.fx[MXCSR..MXCSR + 4].copy_from_slice(&mxcsr.to_le_bytes());
    let kind = match rng.below(8) {
        0 => Numbers::Integers,
        _ => float_kind(insn, insn.memory_size()),
    };
    let registers = if case.size == CodeSize::Bits64 { 16 } else { 8 };
    for n in 0..registers {
        for half in 0..2 {
            let at = 160 + 16 * n + 8 * half;
            case.fx[at..at + 8].copy_from_slice(&element(rng, kind).to_le_bytes());
            case.ymm_high[n][half] = element(rng, kind);
        }
    }
    // Equal and nearly equal operands.
    if rng.below(4) == 0 {
        let (from, to) = (
            rng.below(registers as u64) as usize,
            rng.below(registers as u64) as usize,
        );
        case.fx
            .copy_within(160 + 16 * from..176 + 16 * from, 160 + 16 * to);
    }
}

/// What some instructions need so that they do more than fault.
fn choose_special(rng: &mut Prng, case: &mut Case, insn: &Instruction) {
    if insn.has_rep_prefix() || insn.has_repne_prefix() {
        let count = rng.below(20);
        case.gpr[RCX] = match rng.below(4) {
            0 => rng.next_u64() & !0xFFFF | count,
            _ => count,
        };
        let addresses_are_small = emit::address_bits(insn, case.size) == 16;
        if !addresses_are_small {
            case.gpr[RCX] = match emit::address_bits(insn, case.size) {
                32 => case.gpr[RCX] & !0xFFFF_FFFF | count,
                _ => count,
            };
        }
    }
    match insn.mnemonic() {
        M::Bt | M::Bts | M::Btr | M::Btc
            if insn.op1_kind() == OpKind::Register && rng.below(4) != 0 =>
        {
            set(
                case,
                insn.op1_register(),
                rng.below(0x800).wrapping_sub(0x400),
            );
        }
        M::Div | M::Idiv if rng.below(3) != 0 => {
            let high = rng.pick(&[0, 0, 1, u64::MAX]);
            match insn.op0_kind() {
                _ if insn.code() == Code::Div_rm8 || insn.code() == Code::Idiv_rm8 => {
                    case.gpr[0] = case.gpr[0] & !0xFF00 | high & 0xFF00;
                }
                _ if insn.op0_register().full_register() != Register::RDX => case.gpr[RDX] = high,
                _ => {}
            }
        }
        M::Verr | M::Verw | M::Lar | M::Lsl | M::Mov => {
            let last = insn.op_count().saturating_sub(1);
            let selects = insn.mnemonic() != M::Mov || insn.op0_register().is_segment_register();
            if selects && insn.op_kind(last) == OpKind::Register {
                set(case, insn.op_register(last), any_selector(rng).into());
            }
        }
        M::Jmp | M::Call if insn.op0_kind() == OpKind::Register => {
            let target = code_target(rng, case);
            set(case, insn.op0_register(), target);
        }
        M::Cmpxchg | M::Cmpxchg8b | M::Cmpxchg16b if rng.below(2) == 0 && case.patch_count != 0 => {
            let word = |at: usize| {
                let mut bytes = [0; 8];
                bytes.copy_from_slice(&case.patches[0].bytes[at..at + 8]);
                u64::from_le_bytes(bytes)
            };
            (case.gpr[0], case.gpr[RDX]) = match insn.mnemonic() {
                M::Cmpxchg8b => (word(0), word(0) >> 32),
                _ => (word(0), word(8)),
            };
        }
        _ => {}
    }
}
