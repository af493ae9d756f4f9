//! Random vector instructions in 16-, 32- and 64-bit code: nothing panics, and the block cache changes nothing.

use super::Bench;
use crate::tests::Random;
use crate::{CpuModel, Interpreter};
use emu_core::backend::{CpuBackend, CpuId};
use emu_core::x86::{CpuState, Cr4, Seg, SegmentAttributes as A};

/// One instruction: legacy or VEX, any opcode of any map, operands near the data.
fn instruction(r: &mut Random, code: &mut Vec<u8>) {
    let (map, opcode) = (1 + r.below(3) as u8, r.next() as u8);
    if r.below(2) == 0 {
        code.extend([0x66u8, 0xF3, 0xF2].get(r.below(5) as usize));
        if r.below(4) == 0 {
            code.push(0x40 | r.below(16) as u8);
        }
        code.push(0x0F);
        code.extend([0x38u8, 0x3A].get(usize::from(map).wrapping_sub(2)));
    } else {
        let first = (r.next() as u8 | 0xC0) & 0xE0 | map;
        code.extend([0xC4, first, r.next() as u8]);
    }
    // A register, [esi + disp8], [edi + edx * 4 + disp8].
    let reg = (r.next() as u8) & 0x38;
    match r.below(3) {
        0 => code.extend([opcode, 0xC0 | reg | r.below(8) as u8]),
        1 => code.extend([opcode, 0x46 | reg, r.next() as u8]),
        _ => code.extend([opcode, 0x44 | reg, 0x97, r.next() as u8]),
    }
    if map == 3 {
        code.push(r.next() as u8);
    }
}

fn random_state(r: &mut Random, s: &mut CpuState) {
    for v in s.simd.vectors.iter_mut().flatten() {
        *v = match r.below(4) {
            0 => r.next(),
            1 => r.below(64),
            2 => (r.next() & 0x801F_FFFF_801F_FFFF) | r.next() & 0x7F80_0000_7F80_0000,
            _ => u64::MAX << r.below(64),
        };
    }
    s.x87.significand.iter_mut().for_each(|v| *v = r.next());
    for (n, v) in s.gpr.iter_mut().enumerate() {
        if n != 4 {
            *v = 0x8000 + r.below(0x800);
        }
    }
    s.simd.mxcsr = if r.below(3) == 0 {
        r.next() as u32 & 0xFFFF
    } else {
        0x1F80
    };
    s.simd.xcr0 = [7, 7, 7, 0x207, 3, 1][r.below(6) as usize];
    s.cr4 |= Cr4::OSXSAVE;
    if r.below(16) == 0 {
        s.cr4 ^= Cr4::OSXMMEXCPT;
    }
}

fn run(b: &mut Bench, cached: bool) -> CpuState {
    let mut cpu = Interpreter::new(CpuId(0), CpuModel::by_name("max").expect("a model"));
    cpu.set_block_cache(cached);
    b.board.stop_at = 40;
    cpu.set_state(&b.state);
    cpu.run(&mut b.board, None);
    cpu.state()
}

#[test]
fn random_vector_instructions_run_the_same_with_and_without_the_block_cache() {
    let mut r = Random(0x1234_5678_9ABC_DEF1);
    let mut done = 0;
    for case in 0..6000 {
        let mut code = Vec::new();
        for _ in 0..4 {
            instruction(&mut r, &mut code);
        }
        let bits = case % 3;
        let seed = r.next();
        let mut results = [true, false].map(|cached| {
            let mut b = Bench::new(&code);
            let mut r = Random(seed | 1);
            random_state(&mut r, &mut b.state);
            let memory: Vec<u8> = (0..0x1000).map(|_| r.next() as u8).collect();
            b.board.ram[0].write(super::DATA, &memory);
            match bits {
                0 => b.enter_64_bit(code.len()),
                1 => b.state.segments[Seg::Cs as usize].attributes.remove(A::BIG),
                _ => {}
            }
            let state = run(&mut b, cached);
            (state, b.memory(super::DATA, 0x1000))
        });
        let [with, without] = &mut results;
        assert_eq!(with, without, "{code:02X?}");
        done += u32::from(with.0.rip as usize >= super::CODE + code.len());
    }
    assert!(done > 100, "{done} came through");
}
