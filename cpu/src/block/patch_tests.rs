//! Immediates that are written over: a block takes the new ones as they are, and nothing else changes.

use super::*;
use crate::decode::decoder_options;
use crate::decode::legacy::Form;
use crate::decode::lower::{Lowering, Rows};
use crate::interpreter::mode;
use crate::tests::{Board, Random, flat_at_1000};
use crate::{CpuModel, Interpreter, Tuning};
use emu_core::backend::{CpuBackend, CpuId, Exit};
use iced_x86::{Decoder, DecoderError};

/// Where a block takes an immediate from, another one makes the same operations but for it.
#[test]
fn an_immediate_that_is_taken_is_all_that_an_operation_has_of_its_bytes() {
    let model = CpuModel::by_name("max").expect("a model");
    let flat = mode::PROTECTED | mode::FLAT;
    let modes = [
        (16, 0),
        (32, flat | mode::CODE_32 | mode::STACK_32),
        (64, flat | mode::CODE_64),
    ];
    let prefixes: [&[u8]; 5] = [&[], &[0x66], &[0x48], &[0x67], &[0x4D]];
    // Behind a MOV between registers, which an operation may be joined with: mov ecx,eax.
    let mov = [0x89, 0xC1];
    // Each register or group in a register, in memory, and there with a displacement and an index.
    let modrms = || (0..8u8).flat_map(|reg| [0xC1, 0x01, 0x05, 0x84].map(|rm| rm | reg << 3));
    let mut taken = 0;
    for (bits, mode) in modes {
        let lower = |bytes: &[u8]| {
            let mut l = Lowering::new(model, mode, Some(0), Rows::default());
            let mut decoder = Decoder::new(bits, bytes, decoder_options(model));
            let mut first = 0;
            while decoder.can_decode() {
                let start = decoder.position();
                let insn = decoder.decode();
                if decoder.last_error() != DecoderError::None {
                    return None;
                }
                let end = decoder.position();
                first = l.slots.len();
                let (from, to) = (start as u32, end as u32);
                l.lower(&insn, Form::Plain, &bytes[start..end], from, to);
                if start == mov.len() {
                    break;
                }
            }
            let end = decoder.position();
            let mut arena = Arena::default();
            let slots = arena.put(&l.slots);
            let ops = (first..l.slots.len()).map(|n| {
                let op = *slots.head().first().plus(n - 1);
                let registers = [op.a, op.b, op.c, op.d];
                (op.handler as usize, registers, op.imm)
            });
            (l.immediate.bytes != 0).then(|| (l.immediate, end, ops.collect::<Vec<_>>()))
        };
        for prefix in prefixes {
            for (opcode, modrm) in (0..0x200u32).flat_map(|o| modrms().map(move |m| (o, m))) {
                let mut bytes = [&mov[..], prefix].concat();
                if opcode >= 0x100 {
                    bytes.push(0x0F);
                }
                bytes.extend([opcode as u8, modrm]);
                bytes.extend([0; 12]);
                let Some((immediate, end, before)) = lower(&bytes) else {
                    continue;
                };
                taken += 1;
                for value in [0xFFu8, 0x80, 0x01, 0x7F, 0x20] {
                    bytes[end - usize::from(immediate.bytes)..end].fill(value);
                    let (other, same_end, after) = lower(&bytes).expect("it is taken too");
                    assert_eq!((other.bytes, other.slot), (immediate.bytes, immediate.slot));
                    assert_eq!(same_end, end);
                    let at = bytes[end - usize::from(immediate.bytes)..].as_ptr();
                    let mut expected = before.clone();
                    expected[usize::from(immediate.slot)].2 =
                        immediate.read(at.expose_provenance() as u64);
                    assert_eq!(after, expected, "{bits} bits, {bytes:02X?}");
                }
            }
        }
    }
    assert!(taken > 1000, "{taken}");
}

/// A function of instructions with immediates, and where in it these are.
fn function(r: &mut Random, own: bool) -> (Vec<u8>, Vec<Range<usize>>) {
    // With so many bytes of immediate behind them: ALU operations on registers and memory, MOV, IMUL, pushes with a POP, a
    // compare with its jump, a copy with what is done to it, a bit test.
    let forms: [(&[u8], usize, &[u8]); 22] = [
        (&[0x05], 4, &[]),
        (&[0x81, 0xE9], 4, &[]),
        (&[0x83, 0xD2], 1, &[]),
        (&[0x66, 0x81, 0xC1], 2, &[]),
        (&[0x80, 0xF4], 1, &[]),
        (&[0x69, 0xC8], 4, &[]),
        (&[0x6B, 0xD1], 1, &[]),
        (&[0xB8], 4, &[]),
        (&[0x66, 0xB9], 2, &[]),
        (&[0xB2], 1, &[]),
        (&[0xC7, 0x05, 0, 0x30, 0, 0], 4, &[]),
        (&[0x81, 0x05, 0, 0x30, 0, 0], 4, &[]),
        (&[0x80, 0x35, 4, 0x30, 0, 0], 1, &[]),
        (&[0x83, 0x2D, 8, 0x30, 0, 0], 1, &[]),
        (&[0x69, 0x05, 0, 0x30, 0, 0], 4, &[]),
        (&[0x83, 0xF8], 1, &[0x7C, 1, 0x42]),
        (&[0x81, 0x3D, 0, 0x30, 0, 0], 4, &[0x76, 1, 0x41]),
        (&[0xA9], 4, &[0x75, 1, 0x40]),
        (&[0x68], 4, &[0x58]),
        (&[0x6A], 1, &[0x59]),
        (&[0x89, 0xC1, 0x83, 0xE1], 1, &[]),
        (&[0x0F, 0xBA, 0xE0], 1, &[0x11, 0xD2]),
    ];
    let (mut code, mut immediates) = (Vec::new(), Vec::new());
    for _ in 0..1 + r.below(30) {
        let (before, bytes, behind) = forms[r.below(forms.len() as u64) as usize];
        code.extend(before);
        immediates.push(code.len()..code.len() + bytes);
        code.extend((0..bytes).map(|_| r.next() as u8));
        code.extend(behind);
    }
    let whole: Vec<_> = immediates.iter().filter(|i| i.len() == 4).collect();
    if own && !whole.is_empty() {
        // add ecx,1 / mov [a later or earlier one],ecx, between two others.
        let target = whole[r.below(whole.len() as u64) as usize].clone();
        let store = [0x83, 0xC1, 1, 0x89, 0x0D, 0, 0, 0, 0];
        let at = if r.below(2) == 0 { 0 } else { code.len() };
        code.splice(at..at, store);
        if at == 0 {
            for i in &mut immediates {
                *i = i.start + store.len()..i.end + store.len();
            }
        }
        let target = 0x2000 + target.start + if at == 0 { store.len() } else { 0 };
        code[at + 5..at + 9].copy_from_slice(&(target as u32).to_le_bytes());
    }
    code.push(0xC3);
    (code, immediates)
}

#[test]
fn immediates_that_are_overwritten_count_from_the_next_time_on() {
    let mut r = Random(0x1234_5678_9ABC_DEF1);
    for round in 0..300 {
        let own = round % 3 == 0;
        let (code, immediates) = function(&mut r, own);
        let width = [1, 2, 4][r.below(3) as usize];
        // l: mov edi,[ebp] / mov ebx,[ebp+4] / add ebp,8 / mov [edi],bl, bx or ebx / call 2000h / dec esi / jnz l / hlt
        let store: &[u8] = match width {
            1 => &[0x88, 0x1F],
            2 => &[0x66, 0x89, 0x1F],
            _ => &[0x89, 0x1F],
        };
        let mut driver = [
            &[0x8B, 0x7D, 0, 0x8B, 0x5D, 4, 0x83, 0xC5, 8][..],
            store,
            &[0xE8],
        ]
        .concat();
        let to_function = 0x1000 - (driver.len() + 4) as i32;
        driver.extend(to_function.to_le_bytes());
        let back = -(driver.len() as i32 + 3);
        driver.extend([0x4E, 0x75, back as u8, 0xF4]);
        // Each store changes bytes of an immediate, and none besides; one that reaches out of it writes there what is there.
        let mut now = code.clone();
        now.extend([0; 8]);
        let mut table = Vec::new();
        for _ in 0..40 {
            let i = immediates[r.below(immediates.len() as u64) as usize].clone();
            let reach = if own { 0 } else { width - 1 };
            let first = i.start.saturating_sub(reach);
            let last = if own {
                i.end.saturating_sub(width).max(first)
            } else {
                i.end - 1
            };
            let at = first + r.below((last - first + 1) as u64) as usize;
            if own && (at < i.start || at + width > i.end) {
                continue;
            }
            for byte in &mut now[at.max(i.start)..(at + width).min(i.end)] {
                *byte = r.next() as u8;
            }
            let mut value = [0; 4];
            value[..width].copy_from_slice(&now[at..at + width]);
            table.extend((0x2000 + at as u32).to_le_bytes());
            table.extend(value);
        }
        if table.is_empty() {
            continue;
        }
        let run = |tuning: Tuning| {
            let mut cpu = Interpreter::new(CpuId(0), CpuModel::P6);
            cpu.tune(tuning);
            let mut s = flat_at_1000(&cpu);
            s.gpr[4] = 0x8000;
            s.gpr[5] = 0x4000;
            s.gpr[6] = table.len() as u64 / 8;
            cpu.set_state(&s);
            let mut board = Board::new(&driver);
            board.ram[0].write(0x2000, &code);
            board.ram[0].write(0x4000, &table);
            assert_eq!(cpu.run(&mut board, None), Exit::Halted);
            let data = [0x3000, 0x3004, 0x3008].map(|at| board.ram[0].read_u32(at));
            (cpu.state(), data, cpu.stats().blocks_decoded)
        };
        let (state, data, decoded) = run(Tuning::FAST);
        let plain = Tuning {
            shortens: false,
            ..Tuning::FAST
        };
        let uncached = Tuning {
            keeps_blocks: false,
            ..Tuning::FAST
        };
        for tuning in [plain, uncached] {
            let (other, other_data, _) = run(tuning);
            assert_eq!((&state, data), (&other, other_data), "{code:02X?}");
        }
        // What lies in immediates alone was not decoded again.
        if width == 1 && !own {
            assert!(decoded < table.len() as u64 / 8, "{decoded} blocks");
        }
    }
}
