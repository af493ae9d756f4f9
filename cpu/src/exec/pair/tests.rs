//! Random programs of what may be paired: each pair does what its halves do one by one, whatever interrupts it.

use super::*;
use crate::long_mode_tests::{CODE_32, D_CODE_32, in_64_bit_mode, register};
use crate::tests::Random;
use crate::{CpuModel, Tuning};
use emu_core::backend::{CpuBackend, CpuId, Exit};
use emu_core::x86::Seg;
use std::collections::HashSet;

/// The first of 16 pages of data, and the page behind them, which is not there.
const DATA: u64 = 0x4_0000;
const HOLE: u64 = 0x5_0000;
/// RBX, RBP, RSI and RDI, which no instruction changes: three pointers, the last of them to the end of the data, and a small
/// index in RBP. RAX, RCX and RDX are computed with.
const POINTERS: [(usize, u64); 4] = [
    (3, DATA + 0x4000),
    (5, 3),
    (6, DATA + 0x8FF8),
    (7, HOLE - 0x20),
];

/// An instruction out of which pairs are made; `wide`: of 64-bit code.
fn instruction(r: &mut Random, wide: bool, code: &mut Vec<u8>) {
    let (to, from) = (r.below(3) as u8, r.below(3) as u8);
    let registers = 0xC0 | from << 3 | to;
    let rex = wide && r.below(2) == 0;
    if rex {
        code.push(0x48);
    }
    match r.below(10) {
        0 => code.extend([
            [0x01, 0x29, 0x21, 0x09, 0x31, 0x89][r.below(6) as usize],
            registers,
        ]),
        1 => {
            let operation = [0, 4, 5][r.below(3) as usize];
            code.extend([0x81, 0xC0 | operation << 3 | to]);
            code.extend((r.next() as u32).to_le_bytes());
        }
        2 => {
            let operation = [4, 5, 7, 0, 1][r.below(5) as usize];
            code.extend([0xC1, 0xC0 | operation << 3 | to, 1 + r.below(31) as u8]);
        }
        3 => {
            if rex {
                code.pop();
            }
            match r.below(4) {
                0 => {
                    code.push(0xB8 | to);
                    code.extend((r.next() as u32).to_le_bytes());
                }
                1 => code.push(0x50 | to),
                2 => code.push(0x58 | to),
                _ => code.extend([0x0F, 0xB6, registers]),
            }
        }
        n => {
            let opcodes: [&[u8]; 5] = [&[0x8B], &[0x89], &[0x8D], &[0x0F, 0xB6], &[0x0F, 0xB7]];
            let opcode = opcodes[r.below(5) as usize];
            if opcode.len() == 2 && rex {
                code.pop();
            }
            code.extend(opcode);
            // Seldom over the end of the data.
            let base = if r.below(100) == 0 {
                7
            } else {
                [3, 6][r.below(2) as usize]
            };
            if n < 7 {
                code.push(0x80 | to << 3 | base);
            } else {
                let scale = [0, 2, 3][r.below(3) as usize];
                code.extend([0x84 | to << 3, scale << 6 | 5 << 3 | base]);
            }
            let displacement = r.below(0x60) as i32 - 0x30;
            code.extend(displacement.to_le_bytes());
        }
    }
}

#[test]
fn a_pair_does_what_its_halves_do() {
    let pairs: HashSet<usize> = rows().iter().map(|row| row[2] as usize).collect();
    let mut met = HashSet::new();
    let mut r = Random(0x1234_5678_9ABC_DEF1);
    let mut faults = 0;
    for round in 0..5000 {
        let wide = round % 3 != 0;
        let mut code = Vec::new();
        for _ in 0..300 {
            instruction(&mut r, wide, &mut code);
        }
        code.push(0xF4);
        let data: Vec<u8> = (0..0x1_0000).map(|_| r.next() as u8).collect();
        let values = [r.next(), r.next(), r.next()];
        let mut run = |tuning: Tuning| {
            let (mut board, mut s) = in_64_bit_mode(&code);
            board.map(HOLE, 0);
            board.ram[0].write(DATA as usize, &data);
            if !wide {
                s.segments[Seg::Cs as usize] = register(CODE_32, D_CODE_32);
            }
            s.gpr[..3].copy_from_slice(&values);
            for (number, value) in POINTERS {
                s.gpr[number] = value;
            }
            let mut cpu = Interpreter::new(CpuId(0), CpuModel::by_name("max").expect("the model"));
            cpu.tune(tuning);
            cpu.set_state(&s);
            assert_eq!(cpu.run(&mut board, None), Exit::Halted);
            met.extend(cpu.blocks.handlers().map(|h| h as usize));
            let mut memory = vec![0; 1 << 20];
            board.ram[0].read(0, &mut memory);
            (cpu.state(), memory)
        };
        let expected = run(Tuning {
            shortens: false,
            ..Tuning::FAST
        });
        let got = run(Tuning::FAST);
        assert_eq!(got.0, expected.0, "{code:02X?}");
        assert!(got.1 == expected.1, "memory after {code:02X?}");
        faults += u32::from(got.0.rip >> 12 == 2);
    }
    let met = pairs.intersection(&met).count();
    assert_eq!(met, pairs.len(), "pairs that were met");
    assert!((500..4500).contains(&faults), "{faults} faults");
}
