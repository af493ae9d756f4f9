//! Whatever changes what vector instructions ask for counts at once: for those that are done in few steps as for the others.

use super::{Bench, DATA, DONE};
use crate::{CpuModel, Interpreter};
use emu_core::backend::{CpuBackend, CpuId};
use emu_core::x86::{CpuState, Cr0, Cr4};

/// addsd xmm0, xmm1; vaddsd xmm0, xmm0, xmm1.
const ADD: &[u8] = &[0xF2, 0x0F, 0x58, 0xC1];
const VADD: &[u8] = &[0xC5, 0xFB, 0x58, 0xC1];

/// Numbers whose sum is not exact, that being known and masked.
fn bench(code: &[&[u8]], memory: &[u8]) -> Bench {
    let mut b = Bench::with_memory(&code.concat(), memory);
    b.state.cr4 |= Cr4::OSXSAVE;
    b.state.simd.xcr0 = 7;
    b.state.simd.mxcsr = 0x1FA0;
    b.state.simd.vectors[0][0] = 1f64.to_bits();
    b.state.simd.vectors[1][0] = 1e-20f64.to_bits();
    b
}

/// The vector that ends it and the state then, which do not depend on the block cache.
fn run(b: &mut Bench) -> (u8, CpuState) {
    let (vector, with) = b.run();
    let mut cpu = Interpreter::new(CpuId(0), CpuModel::by_name("max").expect("a model"));
    cpu.set_block_cache(false);
    cpu.set_state(&b.state);
    cpu.run(&mut b.board, None);
    assert_eq!(cpu.state(), with);
    (vector, with)
}

#[test]
fn control_registers_count_at_once() {
    let or_cr0: &[u8] = &[0x0F, 0x20, 0xC0, 0x83, 0xC8, 0x08, 0x0F, 0x22, 0xC0];
    let emulate: &[u8] = &[0x0F, 0x20, 0xC0, 0x83, 0xC8, 0x04, 0x0F, 0x22, 0xC0];
    let lmsw: &[u8] = &[0x66, 0xB8, 9, 0, 0x0F, 0x01, 0xF0];
    let clts: &[u8] = &[0x0F, 0x06];
    // mov eax, cr4 / and eax, mask / mov cr4, eax
    let no_fxsr: &[u8] = &[
        0x0F, 0x20, 0xE0, 0x25, 0xFF, 0xFD, 0xFF, 0xFF, 0x0F, 0x22, 0xE0,
    ];
    let no_xsave: &[u8] = &[
        0x0F, 0x20, 0xE0, 0x25, 0xFF, 0xFF, 0xFB, 0xFF, 0x0F, 0x22, 0xE0,
    ];
    // mov eax, 3 / xor edx, edx / xor ecx, ecx / xsetbv
    let no_avx: &[u8] = &[0xB8, 3, 0, 0, 0, 0x31, 0xD2, 0x31, 0xC9, 0x0F, 0x01, 0xD1];
    for (change, add, vector) in [
        (or_cr0, ADD, 7),
        (or_cr0, VADD, 7),
        (lmsw, ADD, 7),
        (emulate, ADD, 6),
        (emulate, VADD, DONE),
        (no_fxsr, ADD, 6),
        (no_fxsr, VADD, DONE),
        (no_xsave, ADD, DONE),
        (no_xsave, VADD, 6),
        (no_avx, ADD, DONE),
        (no_avx, VADD, 6),
    ] {
        let (met, _) = run(&mut bench(&[ADD, VADD, change, add], &[]));
        assert_eq!(met, vector, "{change:02X?} {add:02X?}");
        // With CLTS between, task switches and others that set TS are forgotten.
        if change != emulate && vector == 7 {
            let (met, _) = run(&mut bench(&[ADD, change, clts, add], &[]));
            assert_eq!(met, DONE, "{change:02X?} {add:02X?}");
        }
    }
    let mut b = bench(&[clts, ADD, VADD], &[]);
    b.state.cr0 |= Cr0::TS;
    assert_eq!(run(&mut b).0, DONE);
}

#[test]
fn mxcsr_counts_at_once() {
    let at = |opcode: &[u8]| [opcode, &(DATA as u32).to_le_bytes()].concat();
    // The same, but for what MXCSR says: rounding up, and the exception not masked.
    for (mxcsr, vector, sum) in [
        (0x1FA0u32, DONE, 1f64.to_bits()),
        (0x1F80, DONE, 1f64.to_bits()),
        (0x5FA0, DONE, 1f64.to_bits() + 1),
        (0x0FA0, 19, 1f64.to_bits()),
    ] {
        let mut area = vec![0; 512];
        area[24..28].copy_from_slice(&mxcsr.to_le_bytes());
        area[160..168].copy_from_slice(&1f64.to_bits().to_le_bytes());
        area[176..184].copy_from_slice(&1e-20f64.to_bits().to_le_bytes());
        let (ldmxcsr, fxrstor) = (at(&[0x0F, 0xAE, 0x15]), at(&[0x0F, 0xAE, 0x0D]));
        let (from_area, from_word) = (area.clone(), mxcsr.to_le_bytes());
        for (change, memory) in [
            (&fxrstor, from_area.as_slice()),
            (&ldmxcsr, from_word.as_slice()),
        ] {
            for add in [ADD, VADD] {
                let (met, s) = run(&mut bench(&[ADD, change, add], memory));
                assert_eq!(met, vector, "{mxcsr:x} {change:02X?} {add:02X?}");
                let v = s.simd.vectors[0][0];
                assert_eq!(v, sum, "{mxcsr:x} {change:02X?} {add:02X?}");
                assert_eq!(s.simd.mxcsr, mxcsr | 0x20);
            }
        }
    }
}
