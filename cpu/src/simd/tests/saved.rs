//! FXSAVE and FXRSTOR.

use super::{Bench, DATA, DONE};
use emu_core::x86::{Cr0, Cr4};

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
