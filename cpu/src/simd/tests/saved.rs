//! FXSAVE and FXRSTOR.

use super::{Bench, DATA, DONE};
use emu_core::x86::{Cr0, Cr4, Gpr, Seg, SegmentAttributes as A};

/// fxsave [8000] and fxrstor [8000].
const FXSAVE: &[u8] = &[0x0F, 0xAE, 0x05, 0, 0x80, 0, 0];
const FXRSTOR: &[u8] = &[0x0F, 0xAE, 0x0D, 0, 0x80, 0, 0];

#[test]
fn fxsave_writes_each_field_where_the_manual_has_it_and_nothing_else() {
    let mut b = Bench::with_memory(FXSAVE, &[0xEE; 512]);
    let s = &mut b.state;
    (s.x87.control, s.x87.status, s.x87.not_empty) = (0x27F, 0x1800, 0x81);
    for i in 0..8 {
        s.x87.significand[i] = 0x1111_1111_1111_1111 * (i as u64 + 1);
        s.x87.sign_exponent[i] = 0x4000 + i as u16;
        s.simd.vectors[i] = [i as u64, !(i as u64), 7, 7];
    }
    s.simd.mxcsr = 0x9FC0;
    assert_eq!(b.vector(), DONE);
    let area = b.memory(DATA, 512);
    assert_eq!(area[0..6], [0x7F, 0x02, 0x00, 0x18, 0x81, 0x00]);
    assert_eq!(area[24..32], [0xC0, 0x9F, 0, 0, 0xFF, 0xFF, 0, 0]);
    // TOP is 3: ST(0) is R3.
    assert_eq!(area[32..40], [0x44; 8]);
    assert_eq!(area[40..48], [0x03, 0x40, 0, 0, 0, 0, 0, 0]);
    assert_eq!(area[160 + 16 * 5..][..8], 5u64.to_le_bytes());
    assert_eq!(area[160 + 16 * 5 + 8..][..8], (!5u64).to_le_bytes());
    // XMM8 to XMM15 do not exist in this mode, and the last 96 bytes are software's.
    assert!(area[288..].iter().all(|&v| v == 0xEE));
}

#[test]
fn fxrstor_loads_what_fxsave_wrote_and_refuses_a_bad_mxcsr_whole() {
    let mut saved = Bench::new(FXSAVE);
    saved.state.x87.status = 0x2041;
    saved.state.x87.not_empty = 0x42;
    saved.state.x87.significand = [5; 8];
    saved.state.simd.vectors[7] = [1, 2, 3, 4];
    assert_eq!(saved.vector(), DONE);
    let mut area = saved.memory(DATA, 512);
    let mut b = Bench::with_memory(FXRSTOR, &area);
    b.state.simd.vectors[7][3] = 9;
    let (v, s) = b.run();
    assert_eq!(v, DONE);
    assert_eq!(
        (s.x87.status, s.x87.not_empty, s.x87.significand),
        (0x2041, 0x42, [5; 8])
    );
    // The upper half of a YMM register stays.
    assert_eq!(s.simd.vectors[7], [1, 2, 0, 9]);
    area[26] = 1;
    let mut b = Bench::with_memory(FXRSTOR, &area);
    let before = b.state;
    let (v, s) = b.run();
    assert_eq!(v, 13);
    assert_eq!((s.x87, s.simd), (before.x87, before.simd));
}

#[test]
fn fxsave_finds_no_device_with_em_or_ts_and_wants_sixteen_byte_alignment() {
    for code in [FXSAVE, FXRSTOR] {
        for cr0 in [Cr0::EM, Cr0::TS] {
            let mut b = Bench::new(code);
            b.state.cr0 |= cr0;
            b.state.cr4 -= Cr4::OSFXSR;
            assert_eq!(b.vector(), 7);
        }
        let mut code = code.to_vec();
        code[3] = 8;
        assert_eq!(Bench::new(&code).vector(), 13);
    }
}

#[test]
fn amds_look_at_the_first_doubleword_of_an_fxsave_area_then_at_its_alignment_then_at_its_end() {
    // Where the area lies in a stack segment with the limit FFFFh; the vector without and with checks of the alignment.
    let cases = [
        (0x8000, DONE, DONE),
        (0x8001, 13, 17),
        (0x8002, 13, 17),
        (0x8004, 13, 13),
        (0x8008, 13, 13),
        (0xFE00, DONE, DONE),
        (0xFE10, 12, 12),
        (0xFF02, 13, 17),
        (0xFFFB, 13, 17),
        (0xFFFC, 13, 13),
        (0xFFFD, 12, 12),
        (0x1_0001, 12, 12),
    ];
    // fxsave [ss:eax], fxrstor [ss:eax]
    for code in [[0x36, 0x0F, 0xAE, 0x00], [0x36, 0x0F, 0xAE, 0x08]] {
        for (address, unchecked, checked) in cases {
            for (checks, vector) in [(false, unchecked), (true, checked)] {
                let mut b = Bench::new(&code).of_amd();
                if checks {
                    b.check_alignment();
                }
                b.state.segments[Seg::Ss as usize].limit = 0xFFFF;
                // Where interrupts are taken no stack is left of the area.
                b.state.gpr[Gpr::Rsp as usize] = 0x7000;
                b.state.gpr[Gpr::Rax as usize] = address;
                assert_eq!(b.vector(), vector, "{code:02X?} {address:X} {checks}");
            }
        }
    }
}

#[test]
fn amds_go_on_with_an_fxsave_area_at_the_start_of_a_segment_where_16_bit_addresses_end() {
    // fxsave [bx], fxrstor [bx]
    for (reg, restores) in [(0x07, false), (0x0F, true)] {
        let mut b = Bench::new(&[0x67, 0x0F, 0xAE, reg]).of_amd();
        b.state.segments[Seg::Ds as usize].base = DATA as u64;
        b.state.gpr[Gpr::Rbx as usize] = 0xFF50;
        // XMM0 is the last that lies before the end, XMM1 the first behind.
        let [last, first] = [DATA + 0xFFF0, DATA];
        if restores {
            b.board.ram[0].write(last, &5u64.to_le_bytes());
            b.board.ram[0].write(first, &6u64.to_le_bytes());
            let (vector, s) = b.run();
            assert_eq!(vector, DONE);
            assert_eq!([s.simd.vectors[0][0], s.simd.vectors[1][0]], [5, 6]);
        } else {
            b.state.simd.vectors[0] = [5, 0, 0, 0];
            b.state.simd.vectors[1] = [6, 0, 0, 0];
            assert_eq!(b.vector(), DONE);
            assert_eq!([b.memory(last, 1), b.memory(first, 1)], [[5], [6]]);
            assert_eq!(b.memory(DATA + 0x1_0000, 16), [0; 16]);
        }
    }
}

#[test]
fn amds_find_an_fxsave_area_misaligned_before_they_find_it_read_only() {
    // fxsave [eax]
    for (address, vector) in [(0x8001, 17), (0x8004, 13), (0x8000, 13)] {
        let mut b = Bench::new(&[0x0F, 0xAE, 0x00]).of_amd();
        b.check_alignment();
        b.state.segments[Seg::Ds as usize]
            .attributes
            .remove(A::WRITABLE);
        b.state.gpr[Gpr::Rax as usize] = address;
        assert_eq!(b.vector(), vector, "{address:X}");
    }
}
