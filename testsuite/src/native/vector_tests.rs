//! Every vector instruction of the table, as the host executes it and as we do.

use super::host;
use super::undefined::is_approximation;
use super::vector::{DATA, Host, PAGE_BYTES, Registers};
use crate::operands::Prng;
use cpu::{CpuModel, Interpreter};
use emu_core::backend::{Attention, CpuBackend, CpuId, Exit, Special, SystemBus};
use emu_core::bus::{Gpa, PageView, Width};
use emu_core::ram::Ram;
use emu_core::x86::{CpuState, Cr0, Cr4, Seg, SegmentAttributes as A, SegmentRegister, Selector};
use iced_x86::{
    Code, CpuidFeature as F, Decoder, DecoderError, DecoderOptions, Instruction, Mnemonic as M,
    OpKind, Register,
};
use std::collections::{BTreeMap, BTreeSet};

/// Where the instruction lies in the guest.
const CODE: u64 = 0x1000;
const RAM_BYTES: u64 = 4 << 20;

/// What is compared here, in the host as in the guest.
const FEATURES: &[(F, &str)] = &[
    (F::MMX, "mmx"),
    (F::SSE, "sse"),
    (F::SSE2, "sse2"),
    (F::SSE3, "sse3"),
    (F::SSSE3, "ssse3"),
    (F::SSE4_1, "sse4.1"),
    (F::SSE4_2, "sse4.2"),
    (F::AES, "aes"),
    (F::PCLMULQDQ, "pclmulqdq"),
    (F::AVX, "avx"),
    (F::AVX2, "avx2"),
    (F::FMA, "fma"),
    (F::F16C, "f16c"),
    (F::SHA, "sha"),
];

/// Approximations of their own, CRC32 (a general instruction), and what is not a function of its operands.
fn is_left_out(insn: &Instruction) -> bool {
    is_approximation(insn)
        || matches!(
            insn.mnemonic(),
            M::Emms | M::Crc32 | M::Ldmxcsr | M::Vldmxcsr | M::Stmxcsr | M::Vstmxcsr
        )
}

fn host_has(feature: F) -> bool {
    match feature {
        F::MMX => true,
        F::SSE => std::arch::is_x86_feature_detected!("sse"),
        F::SSE2 => std::arch::is_x86_feature_detected!("sse2"),
        F::SSE3 => std::arch::is_x86_feature_detected!("sse3"),
        F::SSSE3 => std::arch::is_x86_feature_detected!("ssse3"),
        F::SSE4_1 => std::arch::is_x86_feature_detected!("sse4.1"),
        F::SSE4_2 => std::arch::is_x86_feature_detected!("sse4.2"),
        F::AES => std::arch::is_x86_feature_detected!("aes"),
        F::PCLMULQDQ => std::arch::is_x86_feature_detected!("pclmulqdq"),
        F::AVX => std::arch::is_x86_feature_detected!("avx"),
        F::AVX2 => std::arch::is_x86_feature_detected!("avx2"),
        F::FMA => std::arch::is_x86_feature_detected!("fma"),
        F::F16C => std::arch::is_x86_feature_detected!("f16c"),
        F::SHA => std::arch::is_x86_feature_detected!("sha"),
        _ => false,
    }
}

/// A board of RAM.
struct Board {
    ram: [Ram; 1],
    insns: u64,
}

impl SystemBus for Board {
    fn attention(&self, _: CpuId) -> Attention {
        if self.insns >= 1 {
            Attention::STOP
        } else {
            Attention::empty()
        }
    }
    fn accept(&mut self, _: CpuId, _: Attention) {}
    fn advance(&mut self, retired: u64) {
        self.insns += retired;
    }
    fn countdown(&self) -> u64 {
        1
    }
    fn insns(&self) -> u64 {
        self.insns
    }
    fn port_read(&mut self, _: CpuId, _: u16, w: Width) -> u32 {
        w.mask() as u32
    }
    fn port_write(&mut self, _: CpuId, _: u16, _: Width, _: u32) {}
    fn mmio_read(&mut self, _: CpuId, _: Gpa, _: bool, w: Width) -> u64 {
        w.mask()
    }
    fn mmio_write(&mut self, _: CpuId, _: Gpa, _: bool, _: Width, _: u64) {}
    fn page(&self, gpa: Gpa, _: bool) -> PageView {
        if gpa.0 >= RAM_BYTES {
            return PageView::default();
        }
        let side = Some((self.ram[0].clone(), gpa.0 as usize & !0xFFF));
        PageView {
            read: side.clone(),
            write: side,
        }
    }
    fn blocks(&self) -> &[Ram] {
        &self.ram
    }
    fn acknowledge(&mut self, _: CpuId) -> Option<u8> {
        None
    }
    fn special_cycle(&mut self, _: CpuId, _: Special) {}
}

struct Guest {
    cpu: Interpreter,
    board: Board,
    start: CpuState,
}

impl Guest {
    fn new() -> Self {
        let model = CpuModel::named(&host::as_its_maker("max")).expect("the model");
        let flat = |attributes| SegmentRegister {
            selector: Selector(8),
            base: 0,
            limit: u32::MAX,
            attributes: attributes | A::PRESENT | A::NON_SYSTEM | A::USABLE | A::BIG,
        };
        let mut start = CpuState {
            rip: CODE,
            segments: [flat(A::WRITABLE | A::ACCESSED); 6],
            ..model.reset_state()
        };
        start.segments[Seg::Cs as usize] = flat(A::CODE | A::WRITABLE | A::ACCESSED);
        start.cr0 = Cr0::PE | Cr0::NE | Cr0::ET;
        start.cr4 = Cr4::OSFXSR | Cr4::OSXMMEXCPT | Cr4::OSXSAVE;
        start.simd.xcr0 = 7;
        start.x87.control = 0x37F;
        Self {
            cpu: Interpreter::new(CpuId(0), model),
            board: Board {
                ram: [Ram::new("ram", RAM_BYTES as usize).expect("memory")],
                insns: 0,
            },
            start,
        }
    }

    /// Executes as [`Host::execute`] does; false if it faulted.
    fn execute(
        &mut self,
        instruction: &[u8],
        registers: &mut Registers,
        memory: &mut [u8; PAGE_BYTES],
    ) -> bool {
        let mut s = self.start;
        for i in 0..8 {
            s.simd.vectors[i] = registers.ymm[i];
            s.x87.significand[i] = registers.mmx[i];
        }
        for (i, n) in [0, 1, 2, 3, 6, 7].into_iter().enumerate() {
            s.gpr[n] = registers.gpr[i];
        }
        s.simd.mxcsr = registers.mxcsr;
        self.board.ram[0].write(CODE as usize, instruction);
        self.board.ram[0].write(DATA as usize, memory);
        self.board.insns = 0;
        self.cpu.set_block_cache(false);
        self.cpu.set_state(&s);
        assert_eq!(self.cpu.run(&mut self.board, None), Exit::SliceEnd);
        let s = self.cpu.state();
        for i in 0..8 {
            registers.ymm[i] = s.simd.vectors[i];
            registers.mmx[i] = s.x87.significand[i];
        }
        for (i, n) in [0, 1, 2, 3, 6, 7].into_iter().enumerate() {
            registers.gpr[i] = s.gpr[n];
        }
        registers.mxcsr = s.simd.mxcsr;
        registers.flags = s.rflags.bits();
        self.board.ram[0].read(DATA as usize, memory);
        s.rip == CODE + instruction.len() as u64
    }
}

/// A quadword of operands: integers and floats at their edges.
fn operand(rng: &mut Prng) -> u64 {
    let single = |rng: &mut Prng| -> u32 {
        let exponent = rng.pick(&[0u32, 0, 1, 2, 100, 126, 127, 128, 150, 253, 254, 255, 255]);
        let fraction = rng.pick(&[0u64, 1, 0x40_0000, 0x7F_FFFF, 0x20_0000, 0x1000]) as u32;
        let fraction = if rng.below(2) == 0 {
            fraction
        } else {
            rng.next_u64() as u32 & 0x7F_FFFF
        };
        (rng.below(2) as u32) << 31 | exponent << 23 | fraction
    };
    match rng.below(6) {
        0 => rng.next_u64(),
        1 => {
            let exponent = rng.pick(&[
                0u64, 0, 1, 2, 890, 897, 1000, 1022, 1023, 1024, 1050, 1054, 1086, 1150, 2045,
                2046, 2047, 2047,
            ]);
            let fraction = match rng.below(3) {
                0 => rng.pick(&[0, 1, 1 << 51, (1 << 52) - 1, 1 << 28, 1 << 29]),
                _ => rng.next_u64() >> 12,
            };
            rng.below(2) << 63 | exponent << 52 | fraction
        }
        2 => (0..8).fold(0, |v, i| {
            v | rng.pick(&[0u64, 1, 0x7F, 0x80, 0x81, 0xFF, 3, 0x11]) << (8 * i)
        }),
        3 => rng.pick(&[0, 1, u64::MAX, 1 << 63, 31, 16, 64, 7]),
        _ => u64::from(single(rng)) | u64::from(single(rng)) << 32,
    }
}

/// Encodings without 64-bit prefixes: each opcode of the three maps, register and memory forms.
fn encodings(rng: &mut Prng) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for opcode in 0..=255u8 {
        for map in 1..4u8 {
            for prefix in 0..4u8 {
                for modrm in 0..2 {
                    // Register forms without (E)SP and (E)BP, memory at [ESI].
                    let pick = |rng: &mut Prng| rng.pick(&[0u8, 1, 2, 3, 6, 7]);
                    for reg in 0..8 {
                        let reg = if matches!(reg, 4 | 5) && rng.below(2) == 0 {
                            pick(rng)
                        } else {
                            reg
                        };
                        let modrm = match modrm {
                            0 => 0xC0 | reg << 3 | pick(rng),
                            _ => reg << 3 | 6,
                        };
                        let mut tail = vec![opcode, modrm];
                        tail.extend(rng.next_u64().to_le_bytes());
                        let mut legacy = Vec::new();
                        legacy.extend([0x66u8, 0xF3, 0xF2].get(prefix as usize));
                        legacy.push(0x0F);
                        legacy.extend([0x38u8, 0x3A].get((map as usize).wrapping_sub(2)));
                        legacy.extend(&tail);
                        all.push(legacy);
                        for wl in 0..4u8 {
                            let v = if rng.below(2) == 0 {
                                0xF
                            } else {
                                8 | pick(rng)
                            };
                            let byte = (wl & 1) << 7 | v << 3 | (wl >> 1) << 2 | prefix;
                            let mut vex = vec![0xC4, 0xE0 | map, byte];
                            vex.extend(&tail);
                            all.push(vex);
                        }
                    }
                }
            }
        }
    }
    all
}

/// Form and registers.
fn identity(insn: &Instruction) -> (Code, Vec<Register>) {
    let registers = (0..insn.op_count()).map(|n| insn.op_register(n));
    (insn.code(), registers.collect())
}

/// Whether the instruction is one to compare: on vector registers, of a feature that both sides have.
fn is_chosen(insn: &Instruction, features: &BTreeSet<F>) -> bool {
    let known = insn.cpuid_features().iter().all(|f| features.contains(f));
    let safe = (0..insn.op_count()).all(|n| match insn.op_kind(n) {
        OpKind::Register => {
            let r = insn.op_register(n).full_register32();
            !matches!(r, Register::ESP | Register::EBP)
                && !insn.op_register(n).is_segment_register()
        }
        OpKind::Memory => {
            insn.memory_base() == Register::ESI
                && insn.memory_index() == Register::None
                && insn.memory_displ_size() == 0
        }
        OpKind::Immediate8 => true,
        OpKind::MemorySegEDI => true,
        _ => false,
    });
    known && safe && !is_left_out(insn)
}

/// Runs `rounds` of each form and gives the differences, one a form, and how many forms and cases there were.
fn compare(rounds: u32, seed: u64) -> Option<(BTreeMap<String, String>, BTreeSet<Code>, u64)> {
    let mut host = Host::new()?;
    let mut guest = Guest::new();
    let mut rng = Prng::new(seed);
    let model = CpuModel::named(&host::as_its_maker("max")).ok()?;
    let features: BTreeSet<F> = FEATURES
        .iter()
        .map(|f| f.0)
        .filter(|f| host_has(*f) && model.has(*f))
        .collect();
    let (mut differences, mut forms, mut cases) = (BTreeMap::new(), BTreeSet::new(), 0);
    for _ in 0..rounds {
        for bytes in encodings(&mut rng) {
            let mut decoder = Decoder::with_ip(32, &bytes, 0, DecoderOptions::NONE);
            let insn = decoder.decode();
            if decoder.last_error() != DecoderError::None || !is_chosen(&insn, &features) {
                continue;
            }
            // The host executes it in 64-bit mode, where some forms are others.
            if Decoder::with_ip(64, &bytes, 0, DecoderOptions::NONE)
                .iter()
                .next()
                .is_none_or(|other| identity(&other) != identity(&insn))
            {
                continue;
            }
            let bytes = &bytes[..insn.len()];
            let mut before = Registers {
                gpr: [0; 6],
                mxcsr: 0x1F80 | (rng.next_u64() as u32 & 0xE040),
                ..Registers::default()
            };
            if rng.below(2) == 0 {
                before.mxcsr = 0x1F80;
            }
            before
                .ymm
                .iter_mut()
                .flatten()
                .for_each(|v| *v = operand(&mut rng));
            before.mmx.iter_mut().for_each(|v| *v = operand(&mut rng));
            before
                .gpr
                .iter_mut()
                .for_each(|v| *v = operand(&mut rng) >> 32);
            (before.gpr[4], before.gpr[5]) = (DATA + 64 * rng.below(32), DATA + rng.below(2048));
            let mut memory = [0; PAGE_BYTES];
            for chunk in memory.chunks_exact_mut(8) {
                chunk.copy_from_slice(&operand(&mut rng).to_le_bytes());
            }
            let (mut theirs, mut ours) = (before, before);
            let (mut their_memory, mut our_memory) = (memory, memory);
            host.execute(bytes, &mut theirs, &mut their_memory);
            let done = guest.execute(bytes, &mut ours, &mut our_memory);
            // The upper half of general registers is not there in 32-bit code.
            theirs.gpr.iter_mut().for_each(|v| *v &= 0xFFFF_FFFF);
            let writes_flags = insn.rflags_modified() != 0;
            let mask = if writes_flags { 0x8D5 } else { 0 };
            let same = done
                && theirs.ymm == ours.ymm
                && theirs.mmx == ours.mmx
                && theirs.gpr == ours.gpr
                && theirs.mxcsr == ours.mxcsr
                && (theirs.flags ^ ours.flags) & mask == 0
                && their_memory == our_memory;
            forms.insert(insn.code());
            cases += 1;
            if !same {
                let text = format!(
                    "{bytes:02X?} done {done} operands {:?}\nbefore {before:X?}\ntheirs {theirs:X?}\nours   {ours:X?}",
                    (0..insn.op_count())
                        .map(|n| insn.op_register(n))
                        .collect::<Vec<_>>()
                );
                differences
                    .entry(format!("{:?}", insn.code()))
                    .or_insert(text);
            }
        }
    }
    Some((differences, forms, cases))
}

#[test]
fn vector_instructions_do_what_the_host_does() {
    let rounds = std::env::var("BOXWOOD_ROUNDS")
        .ok()
        .and_then(|v| v.parse().ok());
    let seed = std::env::var("BOXWOOD_SEED")
        .ok()
        .and_then(|v| v.parse().ok());
    let Some((differences, forms, cases)) = compare(rounds.unwrap_or(2), seed.unwrap_or(1)) else {
        eprintln!("this host has no AVX: nothing to compare with");
        return;
    };
    println!("{cases} cases, {} forms", forms.len());
    for (form, text) in differences.iter().take(400) {
        println!("== {form}\n{text}");
    }
    let names: Vec<&String> = differences.keys().collect();
    assert!(names.is_empty(), "{} forms differ: {names:?}", names.len());
    assert!(cases > 1000, "{cases} cases");
}
