//! Vector instructions: who may execute them, what faults and when, and the images of FXSAVE.

mod d3now;
mod forms;
mod host;
mod published;
mod random;
mod ready;
mod saved;
mod unmasked;
mod xsave;

use crate::tests::Board;
use crate::{CpuModel, Interpreter};
use emu_core::backend::{CpuBackend, CpuId, Exit};
use emu_core::x86::{
    CpuState, Cr0, Cr4, DescriptorTable, Efer, Gpr, Rflags, Seg, SegmentAttributes as A,
    SegmentRegister, Selector,
};

const GDT: usize = 0x500;
const IDT: usize = 0x600;
const CODE: usize = 0x1000;
/// A HLT for each vector.
const HANDLERS: usize = 0x2000;
/// Where operands lie.
const DATA: usize = 0x8000;
/// The end of the code under test.
const DONE: u8 = 0x80;

/// A flat protected-mode board that halts with the vector of what happened first; the code ends with INT 80h.
struct Bench {
    board: Board,
    state: CpuState,
    model: &'static CpuModel,
}

impl Bench {
    fn new(code: &[u8]) -> Self {
        let board = Board::new(code);
        board.ram[0].write(CODE + code.len(), &[0xCD, DONE]);
        // Flat code and data of 4 GiB.
        board.ram[0].write(GDT + 8, &0x00CF_9B00_0000_FFFFu64.to_le_bytes());
        board.ram[0].write(GDT + 16, &0x00CF_9300_0000_FFFFu64.to_le_bytes());
        for v in 0..=255 {
            let gate = (HANDLERS + v) as u64 | 8 << 16 | 0x8E00 << 32;
            board.ram[0].write(IDT + 8 * v, &gate.to_le_bytes());
            board.ram[0].write(HANDLERS + v, &[0xF4]);
        }
        let model = CpuModel::by_name("max").expect("the model");
        let flat = |selector, attributes| SegmentRegister {
            selector: Selector(selector),
            base: 0,
            limit: u32::MAX,
            attributes: attributes | A::PRESENT | A::NON_SYSTEM | A::USABLE | A::BIG | A::ACCESSED,
        };
        let mut state = model.reset_state();
        state.segments = [flat(16, A::WRITABLE); 6];
        state.segments[Seg::Cs as usize] = flat(8, A::CODE | A::WRITABLE);
        (state.gdtr.base, state.gdtr.limit) = (GDT as u64, 23);
        state.idtr = DescriptorTable {
            base: IDT as u64,
            limit: 0x7FF,
        };
        state.rip = CODE as u64;
        state.gpr[Gpr::Rsp as usize] = 0xF000;
        state.cr0 = Cr0::PE | Cr0::NE | Cr0::ET;
        state.cr4 = Cr4::OSFXSR | Cr4::OSXMMEXCPT;
        state.x87.control = 0x37F;
        Self {
            board,
            state,
            model,
        }
    }

    fn with_memory(code: &[u8], memory: &[u8]) -> Self {
        let b = Self::new(code);
        b.board.ram[0].write(DATA, memory);
        b
    }

    /// The vector that ended it, and the state then.
    fn run(&mut self) -> (u8, CpuState) {
        let mut cpu = Interpreter::new(CpuId(0), self.model);
        self.board.stop_at = 1000;
        cpu.set_state(&self.state);
        assert_eq!(cpu.run(&mut self.board, None), Exit::Halted);
        let s = cpu.state();
        ((s.rip as usize).wrapping_sub(HANDLERS + 1) as u8, s)
    }

    /// The processor is AMD's.
    fn of_amd(mut self) -> Self {
        self.model = CpuModel::by_name("epyc").expect("the model");
        self
    }

    /// The code runs in ring 3 with EFLAGS.AC asking for checks of the alignment.
    fn check_alignment(&mut self) {
        const TSS: usize = 0x700;
        let ram = &self.board.ram[0];
        ram.write(TSS + 4, &0xE000u32.to_le_bytes());
        ram.write(TSS + 8, &16u32.to_le_bytes());
        // User mode may execute INT 80h.
        let done = IDT + 8 * usize::from(DONE);
        ram.write(done + 5, &[0xEE]);
        let s = &mut self.state;
        for segment in &mut s.segments {
            segment.selector.0 |= 3;
            segment.attributes = segment.attributes.with_dpl(3);
        }
        s.tr = SegmentRegister {
            selector: Selector(24),
            base: TSS as u64,
            limit: 0x67,
            attributes: A::PRESENT | A::USABLE | A::from_bits_retain(0xB),
        };
        s.cr0 |= Cr0::AM;
        s.rflags |= Rflags::AC;
    }

    /// 64-bit mode on an identity map of 1 GiB, with a HLT at the end of the code; every fault is a shutdown.
    fn enter_64_bit(&mut self, code_bytes: usize) {
        self.board.ram[0].write(CODE + code_bytes, &[0xF4]);
        self.board.ram[0].write(0x4000, &0x5003u64.to_le_bytes());
        self.board.ram[0].write(0x5000, &0x83u64.to_le_bytes());
        let s = &mut self.state;
        s.cr3 = 0x4000;
        s.cr4 |= Cr4::PAE;
        s.efer = Efer::LME | Efer::LMA;
        s.cr0 |= Cr0::PG;
        let cs = &mut s.segments[Seg::Cs as usize].attributes;
        cs.remove(A::BIG);
        cs.insert(A::LONG);
        s.idtr.limit = 0;
    }

    fn vector(&mut self) -> u8 {
        self.run().0
    }

    fn memory(&self, at: usize, bytes: usize) -> Vec<u8> {
        let mut v = vec![0; bytes];
        self.board.ram[0].read(at, &mut v);
        v
    }
}

/// addps xmm0, xmm1; paddb mm0, mm1; and one that asks for both: cvtpi2ps xmm0, mm1.
const SSE: &[u8] = &[0x0F, 0x58, 0xC1];
const MMX: &[u8] = &[0x0F, 0xFC, 0xC1];
const BOTH: &[u8] = &[0x0F, 0x2A, 0xC1];

/// The vector with bits of CR0 set and of CR4 cleared.
fn refused(code: &[u8], cr0: Cr0, cr4: Cr4) -> u8 {
    let mut b = Bench::new(code);
    b.state.cr0 |= cr0;
    b.state.cr4 -= cr4;
    b.vector()
}

#[test]
fn control_registers_decide_who_is_undefined_and_who_finds_no_device() {
    // SDM vol. 3, tables 12-1 and 13-1: #UD is 6, #NM 7.
    let none = Cr4::empty();
    for code in [SSE, MMX, BOTH] {
        assert_eq!(refused(code, Cr0::empty(), none), DONE, "{code:02X?}");
        assert_eq!(refused(code, Cr0::TS, none), 7, "{code:02X?}");
        assert_eq!(refused(code, Cr0::EM, none), 6, "{code:02X?}");
        assert_eq!(refused(code, Cr0::EM | Cr0::TS, none), 6, "{code:02X?}");
    }
    assert_eq!(refused(SSE, Cr0::empty(), Cr4::OSFXSR), 6);
    assert_eq!(refused(SSE, Cr0::TS, Cr4::OSFXSR), 6);
    assert_eq!(refused(MMX, Cr0::empty(), Cr4::OSFXSR), DONE);
    assert_eq!(refused(BOTH, Cr0::empty(), Cr4::OSFXSR), 6);
    // SFENCE, MOVNTI [8000], eax and PREFETCHNTA ask for nothing.
    for code in [
        &[0x0Fu8, 0xAE, 0xF8] as &[u8],
        &[0x0F, 0xC3, 0x05, 0, 0x80, 0, 0],
        &[0x0F, 0x18, 0x05, 0, 0x80, 0, 0],
    ] {
        assert_eq!(refused(code, Cr0::EM | Cr0::TS, Cr4::OSFXSR), DONE);
    }
    // CRC32 eax, ecx is an integer instruction.
    let crc = &[0xF2, 0x0F, 0x38, 0xF1, 0xC1];
    assert_eq!(refused(crc, Cr0::EM | Cr0::TS, Cr4::OSFXSR), DONE);
}

#[test]
fn an_mmx_instruction_first_takes_a_pending_x87_exception() {
    let mut b = Bench::new(MMX);
    // Invalid, unmasked and raised.
    b.state.x87.control = 0x37E;
    b.state.x87.status = 0x8081;
    assert_eq!(b.vector(), 16);
    let mut b = Bench::new(SSE);
    b.state.x87.control = 0x37E;
    b.state.x87.status = 0x8081;
    assert_eq!(b.vector(), DONE);
}

#[test]
fn mmx_instructions_mark_all_x87_registers_used_and_emms_marks_them_empty() {
    // movd mm3, ecx
    let mut b = Bench::new(&[0x0F, 0x6E, 0xD9]);
    b.state.gpr[Gpr::Rcx as usize] = 0x8765_4321;
    b.state.x87.status = 3 << 11;
    b.state.x87.not_empty = 0;
    let (v, s) = b.run();
    assert_eq!((v, s.x87.not_empty, s.x87.status), (DONE, 0xFF, 0));
    assert_eq!(
        (s.x87.significand[3], s.x87.sign_exponent[3]),
        (0x8765_4321, 0xFFFF)
    );
    // emms
    let mut b = Bench::new(&[0x0F, 0x77]);
    b.state.x87.not_empty = 0xFF;
    let (v, s) = b.run();
    assert_eq!((v, s.x87.not_empty), (DONE, 0));
}

#[test]
fn operands_of_sse_are_aligned_but_for_those_that_say_otherwise() {
    // #GP is 13. movaps and addps and movups xmm0, [8008]; movaps [8008], xmm0; movups [8008], xmm0; lddqu xmm0.
    for (code, expected) in [
        (&[0x0Fu8, 0x28, 0x05] as &[u8], 13),
        (&[0x0F, 0x58, 0x05], 13),
        (&[0x0F, 0x10, 0x05], DONE),
        (&[0x0F, 0x29, 0x05], 13),
        (&[0x0F, 0x11, 0x05], DONE),
        (&[0xF2, 0x0F, 0xF0, 0x05], DONE),
        (&[0xF3, 0x0F, 0x58, 0x05], DONE),
        (&[0x66, 0x0F, 0x38, 0x2A, 0x05], 13),
    ] {
        let mut code = code.to_vec();
        code.extend([0x08, 0x80, 0, 0]);
        assert_eq!(Bench::new(&code).vector(), expected, "{code:02X?}");
        let n = code.len();
        code[n - 4] = 0x10;
        assert_eq!(Bench::new(&code).vector(), DONE, "{code:02X?}");
    }
}

/// One operation on XMM0 and XMM1 with an MXCSR; the vector, MXCSR and the low quadword of XMM0 after it.
fn float(code: &[u8], mxcsr: u32, cr4: Cr4, a: u64, b: u64) -> (u8, u32, u64) {
    let mut bench = Bench::new(code);
    bench.state.cr4 = cr4;
    bench.state.simd.mxcsr = mxcsr;
    let ones = 0x3F80_0000_3F80_0000;
    bench.state.simd.vectors[0] = [a, ones, 0, 0];
    bench.state.simd.vectors[1] = [b, ones, 0, 0];
    let (v, s) = bench.run();
    (v, s.simd.mxcsr, s.simd.vectors[0][0])
}

#[test]
fn an_unmasked_exception_leaves_the_result_and_is_xm_or_undefined() {
    let both = Cr4::OSFXSR | Cr4::OSXMMEXCPT;
    // divsd xmm0, xmm1: 1.0 / 0.0, ZM clear.
    let (divsd, one) = (&[0xF2, 0x0F, 0x5E, 0xC1], 0x3FF0_0000_0000_0000);
    assert_eq!(float(divsd, 0x1D80, both, one, 0), (19, 0x1D84, one));
    assert_eq!(float(divsd, 0x1D80, Cr4::OSFXSR, one, 0), (6, 0x1D84, one));
    let infinity = 0x7FF0_0000_0000_0000;
    assert_eq!(float(divsd, 0x1F80, both, one, 0), (DONE, 0x1F84, infinity));
    // Flags that stand already do not fault by themselves.
    assert_eq!(float(divsd, 0x1D84, both, one, one), (DONE, 0x1D84, one));
}

#[test]
fn an_exception_found_before_computing_hides_those_of_the_other_lanes_only_if_it_is_unmasked() {
    let both = Cr4::OSFXSR | Cr4::OSXMMEXCPT;
    // divps: lane 0 is 1 / 0, lane 1 is 1 / 3, inexact.
    let divps = &[0x0F, 0x5E, 0xC1];
    let (a, b) = (0x3F80_0000_3F80_0000, 0x4040_0000_0000_0000);
    assert_eq!(float(divps, 0x1D80, both, a, b), (19, 0x1D84, a));
    let masked = float(divps, 0x1F80, both, a, b);
    assert_eq!(masked, (DONE, 0x1FA6 & !2, 0x3EAA_AAAB_7F80_0000));
    // Inexact unmasked as well as found: both are reported only without an unmasked exception before computing.
    assert_eq!(float(divps, 0x0F80, both, a, b), (19, 0x0FA4, a));
}

#[test]
fn denormals_are_zeros_and_tiny_results_flush_as_mxcsr_says() {
    let both = Cr4::OSFXSR | Cr4::OSXMMEXCPT;
    // addsd of the least denormal and 0.
    let addsd = &[0xF2, 0x0F, 0x58, 0xC1];
    assert_eq!(float(addsd, 0x1F80, both, 1, 0), (DONE, 0x1F82, 1));
    assert_eq!(float(addsd, 0x1FC0, both, 1, 0), (DONE, 0x1FC0, 0));
    // mulsd of the least normal number and 0.5: exact and tiny; FTZ gives 0 with underflow and inexact.
    let mulsd = &[0xF2, 0x0F, 0x59, 0xC1];
    let (least, half) = (0x0010_0000_0000_0000, 0x3FE0_0000_0000_0000);
    assert_eq!(
        float(mulsd, 0x1F80, both, least, half),
        (DONE, 0x1F80, 0x0008_0000_0000_0000)
    );
    assert_eq!(float(mulsd, 0x9F80, both, least, half), (DONE, 0x9FB0, 0));
    // Underflow unmasked: exact tiny results fault, and FTZ does not matter.
    assert_eq!(float(mulsd, 0x9780, both, least, half), (19, 0x9790, least));
}

#[test]
fn ldmxcsr_refuses_reserved_bits() {
    // ldmxcsr [8000]; stmxcsr [8004]
    let code = &[
        0x0F, 0xAE, 0x15, 0, 0x80, 0, 0, 0x0F, 0xAE, 0x1D, 4, 0x80, 0, 0,
    ];
    for (mxcsr, expected) in [(0xFFBFu32, DONE), (0xFFFF, DONE), (0x1_0000, 13)] {
        let mut b = Bench::with_memory(code, &mxcsr.to_le_bytes());
        assert_eq!(b.vector(), expected, "{mxcsr:X}");
        if expected == DONE {
            assert_eq!(b.memory(DATA + 4, 4), mxcsr.to_le_bytes());
        }
    }
}

#[test]
fn masked_byte_stores_touch_only_the_bytes_chosen() {
    // maskmovdqu xmm0, xmm1
    let mut b = Bench::with_memory(&[0x66, 0x0F, 0xF7, 0xC1], &[0xEE; 16]);
    b.state.simd.vectors[0] = [0x0706_0504_0302_0100, 0x0F0E_0D0C_0B0A_0908, 0, 0];
    b.state.simd.vectors[1] = [0x8000_0000_0000_0080, 0x7F80_0000_0000_0000, 0, 0];
    b.state.gpr[Gpr::Rdi as usize] = DATA as u64;
    assert_eq!(b.vector(), DONE);
    let mut expected = [0xEE; 16];
    (expected[0], expected[7], expected[14]) = (0, 7, 14);
    assert_eq!(b.memory(DATA, 16), expected);
}

#[test]
fn fisttp_cuts_whatever_the_rounding_control_says() {
    // fld dword [8010] three times; fisttp word [8000], dword [8004], qword [8008]
    let mut code = Vec::new();
    for _ in 0..3 {
        code.extend([0xD9, 0x05, 0x10, 0x80, 0, 0]);
    }
    code.extend([0xDF, 0x0D, 0x00, 0x80, 0, 0]);
    code.extend([0xDB, 0x0D, 0x04, 0x80, 0, 0]);
    code.extend([0xDD, 0x0D, 0x08, 0x80, 0, 0]);
    let mut memory = [0xEE; 20];
    // -2.75
    memory[16..].copy_from_slice(&0xC030_0000u32.to_le_bytes());
    let mut b = Bench::with_memory(&code, &memory);
    // Round down.
    b.state.x87.control = 0x77F;
    b.state.x87.not_empty = 0;
    let (v, s) = b.run();
    assert_eq!((v, s.x87.not_empty), (DONE, 0));
    let expected = [0xFE, 0xFF, 0xEE, 0xEE, 0xFE, 0xFF, 0xFF, 0xFF, 0xFE];
    assert_eq!(b.memory(DATA, 9), expected);
    assert_eq!(b.memory(DATA + 9, 7), [0xFF; 7]);
}

#[test]
fn registers_8_to_15_are_named_in_64_bit_mode() {
    let code: &[&[u8]] = &[
        // cvtsi2sd xmm9, r10
        &[0xF2, 0x4D, 0x0F, 0x2A, 0xCA],
        // addsd xmm15, xmm9
        &[0xF2, 0x45, 0x0F, 0x58, 0xF9],
        // movq r11, xmm15
        &[0x66, 0x4D, 0x0F, 0x7E, 0xFB],
        // vpaddq ymm8, ymm12, ymm13
        &[0xC4, 0x41, 0x1D, 0xD4, 0xC5],
        // vpblendvb xmm10, xmm11, xmm12, xmm13
        &[0xC4, 0x43, 0x21, 0x4C, 0xD4, 0xD0],
        // vpgatherqq xmm14, [r9 + xmm11 * 8], xmm13
        &[0xC4, 0x02, 0x91, 0x91, 0x34, 0xD9],
        // fxsave64 [r8]
        &[0x49, 0x0F, 0xAE, 0x00],
    ];
    let code = code.concat();
    let mut b = Bench::with_memory(&code, &[0xEE; 1024]);
    b.enter_64_bit(code.len());
    let s = &mut b.state;
    s.cr4 |= Cr4::OSXSAVE;
    s.simd.xcr0 = 7;
    s.gpr[Gpr::R8 as usize] = DATA as u64;
    s.gpr[Gpr::R9 as usize] = 0xA000;
    s.gpr[Gpr::R10 as usize] = 3;
    s.x87.instruction_pointer = 0x1122_3344_5566_7788;
    s.simd.vectors[15] = [0x3FF0_0000_0000_0000, 5, 6, 7];
    s.simd.vectors[11] = [1, 2, 0, 0];
    s.simd.vectors[12] = [0x10, 0x20, 0x30, 0x40];
    s.simd.vectors[13] = [u64::MAX, 0, u64::MAX, 1];
    b.board.ram[0].write(0xA008, &0x1234u64.to_le_bytes());
    b.board.ram[0].write(0xA010, &0x5678u64.to_le_bytes());
    let (_, s) = b.run();
    assert_eq!(s.rip as usize, CODE + code.len() + 1);
    // 1.0 + 3.0
    assert_eq!(s.gpr[Gpr::R11 as usize], 0x4010_0000_0000_0000);
    assert_eq!(s.simd.vectors[15], [0x4010_0000_0000_0000, 5, 6, 7]);
    assert_eq!(s.simd.vectors[8], [0xF, 0x20, 0x2F, 0x41]);
    assert_eq!(s.simd.vectors[10], [0x10, 2, 0, 0]);
    assert_eq!(s.simd.vectors[14], [0x1234, 0, 0, 0]);
    assert_eq!(s.simd.vectors[13], [0; 4]);
    let area = b.memory(DATA, 512);
    assert_eq!(area[8..16], 0x1122_3344_5566_7788u64.to_le_bytes());
    assert_eq!(
        area[160 + 16 * 15..][..8],
        0x4010_0000_0000_0000u64.to_le_bytes()
    );
    assert!(area[416..].iter().all(|&v| v == 0xEE));
}

#[test]
fn a_gather_that_is_single_stepped_traps_before_it_faults_at_a_later_element() {
    // vpgatherdd xmm0, [eax+xmm1], xmm2: element 0 lies in the segment, element 1 beyond it.
    let gather = [0xC4, 0xE2, 0x69, 0x90, 0x04, 0x08];
    let run = |stepped: bool, second: u64| {
        let mut b = Bench::with_memory(&gather, &[0x11, 0x22, 0x33, 0x44]);
        b.state.cr4 |= Cr4::OSXSAVE;
        b.state.simd.xcr0 = 7;
        b.state.segments[Seg::Ds as usize].limit = 0xFFFF;
        b.state.gpr[Gpr::Rax as usize] = DATA as u64;
        b.state.simd.vectors[0] = [9, 9, 9, 9];
        b.state.simd.vectors[1] = [second << 32, 0, 0, 0];
        b.state.simd.vectors[2] = [u64::MAX, 0, 9, 9];
        if stepped {
            b.state.rflags |= Rflags::TF;
        }
        let (vector, s) = b.run();
        let stack = s.gpr[Gpr::Rsp as usize] as usize + if vector == 13 { 4 } else { 0 };
        let eip = u32::from_le_bytes(b.memory(stack, 4).try_into().unwrap());
        let flags = u32::from_le_bytes(b.memory(stack + 8, 4).try_into().unwrap());
        let resume = flags & 1 << 16 != 0;
        (vector, eip as usize - CODE, resume, s.simd.vectors)
    };
    for (stepped, vector) in [(false, 13), (true, 1)] {
        let (met, at, resume, vectors) = run(stepped, 0x1_0000);
        assert_eq!((met, at, resume), (vector, 0, true));
        assert_eq!(vectors[0], [0x4433_2211, 9, 9, 9]);
        assert_eq!(vectors[2], [0xFFFF_FFFF_0000_0000, 0, 0, 0]);
    }
    let (vector, at, resume, vectors) = run(true, 0);
    assert_eq!((vector, at, resume), (1, gather.len(), false));
    assert_eq!(vectors[0], [0x4433_2211_4433_2211, 9, 0, 0]);
    assert_eq!(vectors[2], [0; 4]);
}

#[test]
fn what_must_be_aligned_is_checked_before_the_segment_but_an_fxsave_area_behind_it() {
    // movaps xmm0, [ss:eax]; fxrstor [ss:eax], both unaligned and beyond the limit of the stack segment.
    for (code, vector) in [
        (&[0x36, 0x0F, 0x28, 0x00][..], 13),
        (&[0x36, 0x0F, 0xAE, 0x08], 12),
    ] {
        let mut b = Bench::new(code);
        b.state.segments[Seg::Ss as usize].limit = 0xFFFF;
        b.state.gpr[Gpr::Rax as usize] = 0x1_0001;
        assert_eq!(b.vector(), vector, "{code:02X?}");
    }
}

#[test]
fn a_masked_store_of_bytes_looks_only_at_quadwords_with_a_selected_byte() {
    // maskmovdqu xmm0, xmm1 at the end of the segment: of the upper quadword nothing is selected.
    let store = [0x66, 0x0F, 0xF7, 0xC1];
    for (upper, vector) in [(0, DONE), (0x80, 13)] {
        let mut b = Bench::new(&store);
        b.state.segments[Seg::Ds as usize].limit = 0xFFFF;
        b.state.gpr[Gpr::Rdi as usize] = 0xFFF8;
        b.state.simd.vectors[0] = [0x1122_3344_5566_7788, 0, 0, 0];
        b.state.simd.vectors[1] = [0x8000_0000_0000_0080, upper, 0, 0];
        assert_eq!(b.vector(), vector);
        let stored = if vector == DONE { [0x88, 0x11] } else { [0, 0] };
        assert_eq!(b.memory(0xFFF8, 1)[0], stored[0]);
        assert_eq!(b.memory(0xFFFF, 1)[0], stored[1]);
    }
}
