//! XSAVE and its kin, XCR0, and who may execute AVX.

use super::{Bench, DATA, DONE};
use crate::CpuModel;
use emu_core::x86::{CpuState, Cr0, Cr4, Gpr, Seg};

/// With memory operand [8000].
fn on_area(opcode: u8, reg: u8) -> Vec<u8> {
    vec![0x0F, opcode, reg << 3 | 5, 0, 0x80, 0, 0]
}
fn xsave() -> Vec<u8> {
    on_area(0xAE, 4)
}
fn xrstor() -> Vec<u8> {
    on_area(0xAE, 5)
}
fn xsaveopt() -> Vec<u8> {
    on_area(0xAE, 6)
}
fn xsavec() -> Vec<u8> {
    on_area(0xC7, 4)
}
fn xsaves() -> Vec<u8> {
    on_area(0xC7, 5)
}
fn xrstors() -> Vec<u8> {
    on_area(0xC7, 3)
}
const XGETBV: &[u8] = &[0x0F, 0x01, 0xD0];
const XSETBV: &[u8] = &[0x0F, 0x01, 0xD1];

/// XSAVE switched on, XCR0 and EDX:EAX as given.
fn bench(code: &[u8], memory: &[u8], xcr0: u64, asked: u64) -> Bench {
    let mut b = Bench::with_memory(code, memory);
    b.state.cr4 |= Cr4::OSXSAVE;
    b.state.simd.xcr0 = xcr0;
    b.state.gpr[Gpr::Rax as usize] = asked & 0xFFFF_FFFF;
    b.state.gpr[Gpr::Rdx as usize] = asked >> 32;
    b
}

/// Registers unlike their initial values.
fn fill(s: &mut CpuState) {
    (s.x87.control, s.x87.status, s.x87.not_empty) = (0x27F, 0x1800, 0x81);
    s.x87.significand = [0x1111_1111_1111_1111; 8];
    for i in 0..16 {
        let n = i as u64 + 1;
        s.simd.vectors[i] = [n, n << 8, n << 16, n << 24];
    }
    s.simd.mxcsr = 0x1FC0;
    s.pkru = 0x5555_5554;
}

fn clean() -> Vec<u8> {
    let mut area = vec![0xEE; 1024];
    area[512..576].fill(0);
    area
}

fn quadword(area: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(area[at..at + 8].try_into().expect("eight bytes"))
}

#[test]
fn xsave_writes_the_components_asked_for_where_cpuid_says() {
    let mut b = bench(&xsave(), &clean(), 0x207, u64::MAX);
    fill(&mut b.state);
    assert_eq!(b.vector(), DONE);
    let area = b.memory(DATA, 1024);
    assert_eq!((quadword(&area, 512), quadword(&area, 520)), (0x207, 0));
    assert_eq!(area[0..2], [0x7F, 0x02]);
    assert_eq!(area[24..28], 0x1FC0u32.to_le_bytes());
    assert_eq!((quadword(&area, 160), quadword(&area, 168)), (1, 0x100));
    let leaf = |n| CpuModel::by_name("max").expect("max").cpuid(0xD, n);
    let ([bytes, at, ..], [key_bytes, key_at, ..]) = (leaf(2), leaf(9));
    assert_eq!((bytes, key_bytes), (256, 8));
    let (at, key_at) = (at as usize, key_at as usize);
    assert_eq!(
        (quadword(&area, at), quadword(&area, at + 16 * 7 + 8)),
        (1 << 16, 8 << 24)
    );
    assert_eq!(quadword(&area, key_at), 0x5555_5554);
    // Registers 8 to 15 do not exist in 32-bit mode.
    assert_eq!(quadword(&area, 160 + 16 * 8), 0xEEEE_EEEE_EEEE_EEEE);
    assert_eq!(quadword(&area, at + 16 * 8), 0xEEEE_EEEE_EEEE_EEEE);
    assert_eq!(area[464..512], [0xEE; 48]);
    // The largest area ends with the last component.
    assert_eq!(leaf(0)[2] as usize, key_at + 8);
}

#[test]
fn xsave_leaves_what_it_is_not_asked_for() {
    let mut memory = clean();
    memory[512] = 0x85;
    let mut b = bench(&xsave(), &memory, 7, 2);
    fill(&mut b.state);
    assert_eq!(b.vector(), DONE);
    let area = b.memory(DATA, 1024);
    // Bit 1 is written, the others stay.
    assert_eq!(quadword(&area, 512), 0x87);
    assert_eq!(area[0..24], [0xEE; 24]);
    assert_eq!(area[24..28], 0x1FC0u32.to_le_bytes());
    assert_eq!(quadword(&area, 160), 1);
    assert_eq!(area[576..1024], [0xEE; 448]);
}

#[test]
fn components_with_initial_values_are_left_out_as_a_processor_was_seen_to() {
    // Code, MXCSR, XSTATE_BV, whether XMM0 and MXCSR are written. Only x87 differs from its initial values.
    let cases: [(Vec<u8>, u32, u64, bool, bool); 6] = [
        (xsave(), 0x1F80, 1, true, true),
        (xsave(), 0x1FC0, 1, true, true),
        (xsaveopt(), 0x1F80, 1, false, true),
        (xsaveopt(), 0x1FC0, 1, false, true),
        (xsavec(), 0x1F80, 1, false, false),
        (xsavec(), 0x1FC0, 3, true, true),
    ];
    for (code, mxcsr, expected, xmm, control) in cases {
        let mut b = bench(&code, &clean(), 7, 7);
        b.state.x87.control = 0x27F;
        b.state.x87.not_empty = 0;
        b.state.simd.mxcsr = mxcsr;
        assert_eq!(b.vector(), DONE);
        let area = b.memory(DATA, 1024);
        assert_eq!(quadword(&area, 512), expected, "{code:02X?} {mxcsr:X}");
        assert_eq!(area[160] == 0, xmm, "{code:02X?} {mxcsr:X}");
        assert_eq!(area[24] != 0xEE, control, "{code:02X?} {mxcsr:X}");
    }
}

#[test]
fn a_compacted_area_has_no_holes_and_is_restored() {
    for (save, restore) in [(xsavec(), xrstor()), (xsaves(), xrstors())] {
        let mut b = bench(&save, &clean(), 0x207, 0x203);
        fill(&mut b.state);
        assert_eq!(b.vector(), DONE);
        let area = b.memory(DATA, 1024);
        let format = 1 << 63 | 0x203;
        assert_eq!(
            (quadword(&area, 512), quadword(&area, 520)),
            (0x203, format)
        );
        // PKRU follows the header: AVX is not in it.
        assert_eq!(quadword(&area, 576), 0x5555_5554);
        let mut b = bench(&restore, &area, 0x207, u64::MAX);
        b.state.simd.vectors[3] = [5; 4];
        let (v, s) = b.run();
        assert_eq!((v, s.pkru, s.simd.mxcsr), (DONE, 0x5555_5554, 0x1FC0));
        // AVX is asked for and not there: initial.
        assert_eq!(s.simd.vectors[3], [4, 4 << 8, 0, 0]);
        assert_eq!((s.x87.control, s.x87.not_empty), (0x27F, 0x81));
        // Registers 8 to 15 stay.
        assert_eq!(s.simd.vectors[8], [0; 4]);
    }
}

#[test]
fn xrstor_gives_initial_values_to_components_that_are_not_there() {
    let mut b = bench(&xrstor(), &clean(), 7, 1);
    fill(&mut b.state);
    let (v, s) = b.run();
    assert_eq!(
        (v, s.x87.control, s.x87.status, s.x87.not_empty),
        (DONE, 0x37F, 0, 0)
    );
    assert_eq!((s.x87.significand, s.x87.sign_exponent), ([0; 8], [0; 8]));
    assert_eq!(
        (s.simd.vectors[0], s.simd.mxcsr),
        ([1, 0x100, 0x1_0000, 1 << 24], 0x1FC0)
    );
}

#[test]
fn mxcsr_is_restored_as_a_processor_was_seen_to() {
    // Compacted, asked for, XSTATE_BV, MXCSR afterwards; memory holds 1FC0h, the register 1FA0h.
    for (compacted, asked, present, expected) in [
        (false, 1, 7, 0x1FA0),
        (false, 2, 0, 0x1FC0),
        (false, 4, 0, 0x1FC0),
        (true, 1, 7, 0x1FA0),
        (true, 2, 0, 0x1F80),
        (true, 2, 2, 0x1FC0),
        (true, 4, 7, 0x1FA0),
        (true, 6, 4, 0x1F80),
    ] {
        let mut memory = vec![0; 1024];
        memory[24..28].copy_from_slice(&0x1FC0u32.to_le_bytes());
        memory[0..2].copy_from_slice(&[0x7F, 3]);
        memory[512] = present;
        if compacted {
            memory[520..528].copy_from_slice(&(1u64 << 63 | 7).to_le_bytes());
        }
        let mut b = bench(&xrstor(), &memory, 7, asked);
        b.state.simd.mxcsr = 0x1FA0;
        let (v, s) = b.run();
        assert_eq!(
            (v, s.simd.mxcsr),
            (DONE, expected),
            "{compacted} {asked} {present}"
        );
    }
}

#[test]
fn xrstor_refuses_a_header_with_reserved_bits_and_changes_nothing() {
    let compact = 1u64 << 63;
    // XSTATE_BV, XCOMP_BV, a byte of the header's rest, code, whether it is taken.
    let cases: [(u64, u64, usize, Vec<u8>, bool); 10] = [
        (7, 0, 63, xrstor(), true),
        (8, 0, 63, xrstor(), false),
        (0, 2, 63, xrstor(), false),
        (0, 0, 16, xrstor(), false),
        (0, 0, 24, xrstor(), true),
        (3, compact | 7, 0, xrstor(), true),
        (4, compact | 3, 0, xrstor(), false),
        (0, compact | 8, 0, xrstor(), false),
        (0, compact | 7, 63, xrstor(), false),
        (7, 0, 0, xrstors(), false),
    ];
    for (present, format, spoilt, code, taken) in cases {
        let mut memory = vec![0; 1024];
        memory[512..520].copy_from_slice(&present.to_le_bytes());
        memory[520..528].copy_from_slice(&format.to_le_bytes());
        if spoilt > 0 {
            memory[512 + spoilt] = 1;
        }
        let mut b = bench(&code, &memory, 7, 7);
        fill(&mut b.state);
        let before = b.state;
        let (v, s) = b.run();
        let what = format!("{present:X} {format:X} {spoilt}");
        assert_eq!(v, if taken { DONE } else { 13 }, "{what}");
        assert_eq!(s.simd == before.simd, !taken, "{what}");
    }
    // A bad MXCSR.
    let mut memory = vec![0; 1024];
    memory[27] = 1;
    assert_eq!(bench(&xrstor(), &memory, 7, 2).vector(), 13);
    assert_eq!(bench(&xrstor(), &memory, 7, 1).vector(), DONE);
}

#[test]
fn xsave_faults_in_the_order_of_the_manual() {
    for code in [xsave(), xsaveopt(), xsavec(), xsaves(), xrstor(), xrstors()] {
        let mut b = bench(&code, &clean(), 7, 0);
        b.state.cr0 |= Cr0::TS;
        assert_eq!(b.vector(), 7);
        b.state.cr4 -= Cr4::OSXSAVE;
        assert_eq!(b.vector(), 6);
        let mut odd = code.clone();
        odd[3] = 0x10;
        assert_eq!(bench(&odd, &clean(), 7, 0).vector(), 13);
    }
}

#[test]
fn xcr0_takes_only_what_there_is() {
    for (v, ecx, expected) in [
        (7u64, 0, DONE),
        (1, 0, DONE),
        (0x207, 0, DONE),
        (3, 0, DONE),
        (0, 0, 13),
        (2, 0, 13),
        (5, 0, 13),
        (0xF, 0, 13),
        (1 << 63 | 1, 0, 13),
        (7, 1, 13),
    ] {
        let mut b = bench(XSETBV, &[], 1, v);
        b.state.gpr[Gpr::Rcx as usize] = ecx;
        let (vector, s) = b.run();
        assert_eq!(vector, expected, "{v:X} {ecx}");
        assert_eq!(s.simd.xcr0, if expected == DONE { v } else { 1 });
        b.state.cr4 -= Cr4::OSXSAVE;
        assert_eq!(b.vector(), 6);
    }
}

#[test]
fn xgetbv_tells_what_is_enabled_and_what_of_it_is_in_use() {
    for (ecx, mxcsr, expected) in [(0, 0x1F80, 7), (1, 0x1F80, 5), (1, 0x1FC0, 7)] {
        let mut b = bench(XGETBV, &[], 7, 0);
        b.state.gpr[Gpr::Rcx as usize] = ecx;
        b.state.simd.mxcsr = mxcsr;
        b.state.x87.control = 0x27F;
        b.state.simd.vectors[5][2] = 1;
        let (v, s) = b.run();
        assert_eq!(v, DONE);
        assert_eq!(s.gpr[0] | s.gpr[2] << 32, expected);
    }
    let mut b = bench(XGETBV, &[], 7, 0);
    b.state.gpr[Gpr::Rcx as usize] = 2;
    assert_eq!(b.vector(), 13);
    b.state.cr4 -= Cr4::OSXSAVE;
    assert_eq!(b.vector(), 6);
}

#[test]
fn cpuid_sizes_the_area_by_xcr0_and_shows_osxsave() {
    // mov eax, D; xor ecx, ecx; cpuid
    let code = &[0xB8, 0x0D, 0, 0, 0, 0x31, 0xC9, 0x0F, 0xA2];
    for (xcr0, bytes) in [(1, 576), (3, 576), (7, 832), (0x207, 840), (0x203, 840)] {
        let (v, s) = bench(code, &[], xcr0, 0).run();
        assert_eq!((v, s.gpr[3], s.gpr[1], s.gpr[0]), (DONE, bytes, 840, 0x207));
    }
    // mov eax, D; mov ecx, 1; cpuid: XSAVEOPT, XSAVEC, XGETBV with ECX = 1, XSAVES.
    let code = &[0xB8, 0x0D, 0, 0, 0, 0xB9, 1, 0, 0, 0, 0x0F, 0xA2];
    for (xcr0, bytes) in [(1, 576), (7, 832), (0x203, 584)] {
        let (v, s) = bench(code, &[], xcr0, 0).run();
        assert_eq!((v, s.gpr[0], s.gpr[3], s.gpr[1]), (DONE, 0xF, bytes, 0));
    }
    // mov eax, 1; cpuid
    let code = &[0xB8, 1, 0, 0, 0, 0x0F, 0xA2];
    let mut b = bench(code, &[], 1, 0);
    assert_ne!(b.run().1.gpr[1] & 1 << 27, 0);
    b.state.cr4 -= Cr4::OSXSAVE;
    assert_eq!(b.run().1.gpr[1] & 1 << 27, 0);
}

#[test]
fn vex_asks_for_osxsave_and_both_of_xcr0s_bits_and_not_for_osfxsr() {
    // vaddps xmm0, xmm1, xmm2
    let code = &[0xC5, 0xF0, 0x58, 0xC2];
    for xcr0 in [1, 3, 7, 0x207] {
        let mut b = bench(code, &[], xcr0, 0);
        b.state.cr4 -= Cr4::OSFXSR;
        b.state.cr0 |= Cr0::EM;
        let enabled = xcr0 & 6 == 6;
        assert_eq!(b.vector(), if enabled { DONE } else { 6 });
        b.state.cr0 |= Cr0::TS;
        assert_eq!(b.vector(), if enabled { 7 } else { 6 });
        b.state.cr4 -= Cr4::OSXSAVE;
        assert_eq!(b.vector(), 6);
    }
}

#[test]
fn vex_clears_what_lies_above_its_result_and_legacy_sse_does_not() {
    // vaddps xmm0, xmm1, xmm2; addps xmm3, xmm2
    let mut b = bench(&[0xC5, 0xF0, 0x58, 0xC2, 0x0F, 0x58, 0xDA], &[], 7, 0);
    b.state.simd.vectors = [[0, 0, 5, 6]; 16];
    let (v, s) = b.run();
    assert_eq!((v, s.simd.vectors[0]), (DONE, [0; 4]));
    assert_eq!(s.simd.vectors[3], [0, 0, 5, 6]);
}

#[test]
fn masked_moves_do_not_look_at_lanes_that_are_not_chosen() {
    // vmaskmovps xmm0, xmm1, [8FF8] and back: the upper half lies beyond the limit of DS.
    let load = &[0xC4, 0xE2, 0x71, 0x2C, 0x05, 0xF8, 0x8F, 0, 0];
    let store = &[0xC4, 0xE2, 0x71, 0x2E, 0x05, 0xF8, 0x8F, 0, 0];
    for code in [load, store] {
        for (upper, expected) in [(0, DONE), (1 << 31, 13)] {
            let mut b = bench(code, &[], 7, 0);
            b.state.segments[3].limit = 0x8FFF;
            b.state.simd.vectors[1] = [1 << 63 | 1 << 31, upper, 0, 0];
            assert_eq!(b.vector(), expected);
        }
    }
}

#[test]
fn a_gather_that_faults_keeps_the_lanes_done_and_goes_on() {
    // vpgatherdd xmm0, [esi + xmm2 * 1], xmm3
    let code = &[0xC4, 0xE2, 0x61, 0x90, 0x04, 0x16];
    let mut memory = vec![0; 0x1000];
    memory[..8].copy_from_slice(&[1, 0, 0, 0, 2, 0, 0, 0]);
    let mut b = bench(code, &memory, 7, 0);
    b.state.segments[3].limit = 0x8FFF;
    b.state.gpr[Gpr::Rsi as usize] = DATA as u64;
    b.state.simd.vectors[2] = [4 << 32, 0x7_0000_0000 | 0x1000, 0, 0];
    b.state.simd.vectors[3] = [u64::MAX, u64::MAX, 9, 9];
    let (v, s) = b.run();
    assert_eq!(v, 13);
    assert_eq!(s.simd.vectors[0], [2 << 32 | 1, 0, 0, 0]);
    assert_eq!(s.simd.vectors[3], [0, u64::MAX, 0, 0]);
}

/// xrstor [8000]; other bytes into ST(0), XMM0, YMM0's upper half and MXCSR of the area; `between`; `save`. Tells which of the
/// four are written.
fn written_again(restore: &[u8], asked: u8, between: &[u8], save: &[u8], format: u64) -> (u8, u64) {
    let put = |at: u16, v: u8| {
        let [low, high] = at.to_le_bytes();
        vec![0xC6, 0x05, low, high, 0, 0, v]
    };
    let mut code = vec![0xB0, asked];
    code.extend(restore);
    for (at, v) in [
        (0x8020, 0xC1),
        (0x80A0, 0xC2),
        (0x8240, 0xC3),
        (0x8019, 0x9F),
    ] {
        code.extend(put(at, v));
    }
    code.extend([0xB0, 7]);
    code.extend(between);
    code.extend(save);
    let mut area = vec![0; 1024];
    area[..2].copy_from_slice(&[0x7F, 3]);
    (area[4], area[32], area[39], area[40], area[41]) = (1, 0x11, 0x80, 0xFF, 0x3F);
    area[24..28].copy_from_slice(&0x1F80u32.to_le_bytes());
    for i in 0..8 {
        area[160 + 16 * i] = 0x11;
        area[576 + 16 * i] = 0x11;
    }
    area[512] = 7;
    area[520..528].copy_from_slice(&format.to_le_bytes());
    let mut b = bench(&code, &area, 7, 7);
    // All in use, whatever is restored.
    b.state.simd.vectors = [[5; 4]; 16];
    assert_eq!(b.vector(), DONE, "{between:02X?}");
    let area = b.memory(DATA, 1024);
    let wrong = [(32, 0xC1), (160, 0xC2), (576, 0xC3), (25, 0x9F)];
    let written = (0..4).filter(|n| area[wrong[*n].0] != wrong[*n].1);
    (written.map(|n| 1 << n).sum(), quadword(&area, 512))
}

#[test]
fn xsaveopt_leaves_out_what_is_unmodified_since_xrstor_from_there_as_a_processor_was_seen_to() {
    // ST(0) 1, XMM0 2, YMM0 4, MXCSR 8: seen on a Xeon with AVX-512, by a program of these instructions.
    let xsave_there = [0x0F, 0xAE, 0x25, 0, 0x90, 0, 0];
    let xrstor_1 = [&[0xB0, 1][..], &xrstor(), &[0xB0, 7]].concat();
    let cases: [(&str, u8, &[u8], u8); 8] = [
        ("nothing", 7, &[], 8),
        ("xsave elsewhere", 7, &xsave_there, 8),
        ("paddb xmm3,xmm3", 7, &[0x66, 0x0F, 0xFC, 0xDB], 0xA),
        ("fchs", 7, &[0xD9, 0xE0], 9),
        (
            "ldmxcsr 1FA0h",
            7,
            &[
                0xC7, 5, 0, 0x90, 0, 0, 0xA0, 0x1F, 0, 0, 0x0F, 0xAE, 0x15, 0, 0x90, 0, 0,
            ],
            0xA,
        ),
        ("asked for x87", 1, &[], 0xE),
        ("asked for AVX", 4, &[], 0xB),
        ("x87 again", 7, &xrstor_1, 0xE),
    ];
    for (what, asked, between, expected) in cases {
        let (written, present) = written_again(&xrstor(), asked, between, &xsaveopt(), 0);
        assert_eq!((written, present), (expected, 7), "{what}");
    }
    // Another address; FXRSTOR.
    let xsaveopt_there = [
        0x0F, 0xAE, 0x35, 0, 0x90, 0, 0, 0x0F, 0xAE, 0x2D, 0, 0x90, 0, 0,
    ];
    assert_eq!(
        written_again(&xrstor(), 7, &xsaveopt_there, &xsaveopt(), 0).0,
        0xF
    );
    let fx = [
        0x0F, 0xAE, 0x05, 0, 0x90, 0, 0, 0x0F, 0xAE, 0x0D, 0, 0x90, 0, 0,
    ];
    assert_eq!(written_again(&xrstor(), 7, &fx, &xsaveopt(), 0).0, 0xB);
    // XSAVE and XSAVEC never leave out anything that is modified or not.
    assert_eq!(written_again(&xrstor(), 7, &[], &xsave(), 0).0, 0xF);
}

#[test]
fn xsaves_leaves_out_what_is_unmodified_if_the_formats_are_the_same() {
    let compacted = 1 << 63 | 7;
    // MXCSR belongs to SSE then (SDM vol. 1, section 13.11).
    type Case = (Vec<u8>, Vec<u8>, u64, &'static [u8], u8);
    let cases: [Case; 6] = [
        (xrstors(), xsaves(), compacted, &[], 0),
        (xrstor(), xsaves(), compacted, &[], 0),
        (xrstors(), xsaves(), compacted, &[0xD9, 0xE0], 1),
        (xrstors(), xsavec(), compacted, &[], 0xF),
        (xrstor(), xsaves(), 0, &[], 0xF),
        // mov al, 3: another format; what is not asked for is not written.
        (xrstors(), xsaves(), compacted, &[0xB0, 3], 0xB),
    ];
    for (restore, save, format, between, expected) in cases {
        let (written, present) = written_again(&restore, 7, between, &save, format);
        let asked = if between == [0xB0, 3] { 3 } else { 7 };
        assert_eq!(
            (written, present),
            (expected, asked),
            "{restore:02X?} {save:02X?}"
        );
    }
}

#[test]
fn amds_look_at_the_alignment_of_an_xsave_area_first_and_at_the_end_of_what_is_asked_for() {
    const X87_SSE: u64 = 3;
    const AVX: u64 = 4;
    // Where the area lies in a stack segment with the limit FFFFh, what is asked for, and the vector.
    let cases = [
        (0xFCC0, AVX, DONE),
        (0xFD00, AVX, 12),
        (0xFD00, X87_SSE, DONE),
        (0xFDC0, X87_SSE, DONE),
        (0xFE00, X87_SSE, 12),
        (0x8001, X87_SSE, 13),
        (0x8020, X87_SSE, 13),
        (0xFFF0, X87_SSE, 13),
        (0x1_0001, X87_SSE, 13),
        (0x1_0000, X87_SSE, 12),
    ];
    // xsave, xsavec, xrstor [ss:ebx]: no component is in use.
    for code in [
        [0x36, 0x0F, 0xAE, 0x23],
        [0x36, 0x0F, 0xC7, 0x23],
        [0x36, 0x0F, 0xAE, 0x2B],
    ] {
        for (address, asked, vector) in cases {
            let mut b = bench(&code, &[], 7, asked).of_amd();
            // No #AC comes of it.
            b.check_alignment();
            b.state.segments[Seg::Ss as usize].limit = 0xFFFF;
            b.state.gpr[Gpr::Rsp as usize] = 0x7000;
            b.state.gpr[Gpr::Rbx as usize] = address;
            assert_eq!(b.vector(), vector, "{code:02X?} {address:X} {asked}");
        }
    }
}
