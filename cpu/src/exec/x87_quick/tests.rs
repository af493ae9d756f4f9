//! Runs with shortcuts end as runs without them do.

use crate::tests::{Board, Random};
use crate::{CpuModel, Interpreter};
use emu_core::backend::{CpuBackend, CpuId, Exit};
use emu_core::x86::{
    CpuState, Cr0, Cr4, DescriptorTable, Efer, Gpr, Seg, SegmentAttributes as A, SegmentRegister,
    Selector, X87State,
};
use std::cell::Cell;

const CODE: usize = 0x1000;
const HANDLERS: usize = 0x2000;
const DATA: usize = 0x3000;
const DATA_BYTES: usize = 256;
const TABLES: u64 = 0x4000;
const GDT: usize = 0x8000;
const IDT: usize = 0x9000;

thread_local! {
    /// How many instructions took their shortcut.
    pub(super) static TAKEN: Cell<u64> = const { Cell::new(0) };
}

/// Instructions in memory: the first byte, and the ModRM byte's reg field.
const IN_MEMORY: [(u8, u8); 53] = [
    (0xD8, 0),
    (0xD8, 1),
    (0xD8, 2),
    (0xD8, 3),
    (0xD8, 4),
    (0xD8, 5),
    (0xD8, 6),
    (0xD8, 7),
    (0xD9, 0),
    (0xD9, 2),
    (0xD9, 3),
    (0xD9, 5),
    (0xD9, 7),
    (0xDA, 0),
    (0xDA, 1),
    (0xDA, 2),
    (0xDA, 3),
    (0xDA, 4),
    (0xDA, 5),
    (0xDA, 6),
    (0xDA, 7),
    (0xDB, 0),
    (0xDB, 1),
    (0xDB, 2),
    (0xDB, 3),
    (0xDB, 5),
    (0xDB, 7),
    (0xDC, 0),
    (0xDC, 1),
    (0xDC, 2),
    (0xDC, 3),
    (0xDC, 4),
    (0xDC, 5),
    (0xDC, 6),
    (0xDC, 7),
    (0xDD, 0),
    (0xDD, 1),
    (0xDD, 2),
    (0xDD, 3),
    (0xDD, 7),
    (0xDE, 0),
    (0xDE, 1),
    (0xDE, 2),
    (0xDE, 4),
    (0xDE, 5),
    (0xDE, 6),
    (0xDF, 0),
    (0xDF, 1),
    (0xDF, 2),
    (0xDF, 3),
    (0xDF, 5),
    (0xDF, 6),
    (0xDF, 7),
];

/// ModRM bytes of D9 that stand for one instruction each and take few steps.
const SINGLE: [u8; 18] = [
    0xD0, 0xE0, 0xE1, 0xE4, 0xE5, 0xE8, 0xE9, 0xEA, 0xEB, 0xEC, 0xED, 0xEE, 0xF6, 0xF7, 0xFA, 0xFA,
    0xFC, 0xFC,
];

impl Random {
    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    /// Sign and exponent, and significand: numbers near one another, near halves of a unit, and whatever there is.
    fn extended(&mut self) -> (u16, u64) {
        const INTEGER: u64 = 1 << 63;
        let random = self.next();
        let significand = match self.below(10) {
            0 => INTEGER,
            1 => u64::MAX,
            2 => INTEGER | random >> 40 << self.below(40),
            3 => INTEGER | 1 << 10 | random << 11,
            4 => INTEGER | 1 << 39 | random << 40,
            5 => INTEGER | u64::MAX << self.below(64),
            6 => random,
            _ => INTEGER | random,
        };
        let exponent = match self.below(16) {
            0 => 0,
            1 => 0x7FFF,
            2 => self.next() as u16 & 0x7FFF,
            3 => 16383 - 1030 + self.below(16) as u16,
            4 => 16383 + 1016 + self.below(16) as u16,
            5 => 16383 + self.below(70) as u16,
            6 => 16383 - 1 - self.below(70) as u16,
            _ => 16383 - 2 + self.below(5) as u16,
        };
        let sign = (self.next() as u16) & 0x8000;
        match self.below(12) {
            0 => (sign, 0),
            1 => (sign | 0x7FFF, INTEGER),
            _ => (sign | exponent, significand),
        }
    }

    fn x87(&mut self) -> X87State {
        let mut x87 = X87State::default();
        for i in 0..8 {
            (x87.sign_exponent[i], x87.significand[i]) = self.extended();
        }
        x87.control = 0x37F;
        match self.below(4) {
            0 => x87.control = self.next() as u16 & 0xF7F | 0x40,
            1 => x87.control = 0x7F | (self.next() as u16 & 0xF00),
            _ => {}
        }
        x87.status = self.next() as u16 & 0x7FFF;
        if self.below(4) != 0 {
            x87.status &= !0xFF;
        }
        x87.not_empty = match self.below(3) {
            0 => self.next() as u8,
            // The four at the top of the stack.
            _ => 0x0F_u8.rotate_left(u32::from(x87.status >> 11 & 7)),
        };
        x87
    }

    fn data(&mut self) -> [u8; DATA_BYTES] {
        let mut data = [0; DATA_BYTES];
        for eight in data.chunks_exact_mut(8) {
            let random = self.next();
            let value = match self.below(8) {
                0 => random,
                1 => (random as i64 >> self.below(64)) as u64,
                2 => 0x3FF0_0000_0000_0000 | random >> 40 << self.below(30),
                3 => 0x3F80_0000_3F80_0000 | random & 0x807F_FFFF_807F_FFFF,
                4 => random & 1 << 63,
                5 => u64::from(random as u16),
                _ => 0x3FE0_0000_0000_0000 | random & 0x803F_FFFF_FFFF_FFFF,
            };
            eight.copy_from_slice(&value.to_le_bytes());
        }
        data
    }

    /// One instruction. EBX points to the data, and ECX is 1.
    fn instruction(&mut self, code: &mut Vec<u8>) {
        let random = self.next() as u8;
        let st = 0xC0 | random & 7;
        match self.below(8) {
            0..=2 => {
                let (first, reg) = self.one_of(&IN_MEMORY);
                let at = self.below(DATA_BYTES as u64 / 2 / 8) as u8 * 8;
                if self.below(3) == 0 {
                    // [ebx + ecx * 8 + at]
                    code.extend([first, 0x44 | reg << 3, 0xCB, at]);
                } else {
                    code.extend([first, 0x43 | reg << 3, at]);
                }
            }
            3 => code.extend([0xD9, self.one_of(&SINGLE)]),
            4 | 5 => {
                let first = self.one_of(&[0xD8, 0xDC, 0xDE]);
                code.extend([first, st | random & 0x38]);
            }
            // What else there is with ST(i), and FCOMPP, FUCOMPP, FNSTSW, WAIT.
            6 => {
                let first = self.one_of(&[0xD9, 0xDA, 0xDB, 0xDD, 0xDF]);
                let reg = match first {
                    0xD9 => self.below(2),
                    0xDA => self.below(4),
                    0xDB => self.one_of(&[0, 1, 2, 3, 5, 6]),
                    0xDD => self.one_of(&[0, 2, 3, 4, 5]),
                    _ => self.one_of(&[0, 1, 2, 3, 5, 6]),
                };
                code.extend([first, st | (reg as u8) << 3]);
            }
            _ => {
                let two = [[0xDE, 0xD9], [0xDA, 0xE9], [0xDF, 0xE0], [0x9B, 0x90]];
                code.extend(self.one_of(&two));
            }
        }
    }
}

fn state(x87: X87State, wide: bool) -> CpuState {
    let model = model();
    let flat = |selector, attributes| SegmentRegister {
        selector: Selector(selector),
        base: 0,
        limit: u32::MAX,
        attributes: attributes | A::PRESENT | A::NON_SYSTEM | A::USABLE | A::BIG | A::ACCESSED,
    };
    let mut state = model.reset_state();
    state.segments = [flat(16, A::WRITABLE); 6];
    state.segments[Seg::Cs as usize] = flat(8, A::CODE | A::WRITABLE);
    state.segments[Seg::Ss as usize].selector = Selector(24);
    (state.gdtr.base, state.gdtr.limit) = (GDT as u64, 31);
    state.idtr = DescriptorTable {
        base: IDT as u64,
        limit: if wide { 0 } else { 0x7FF },
    };
    state.rip = CODE as u64;
    state.gpr[Gpr::Rbx as usize] = DATA as u64;
    state.gpr[Gpr::Rcx as usize] = 1;
    state.gpr[Gpr::Rsp as usize] = 0xF000;
    state.cr0 = Cr0::PE | Cr0::NE | Cr0::ET;
    state.cr4 = Cr4::OSFXSR | Cr4::OSXMMEXCPT;
    state.x87 = x87;
    if wide {
        // The first 2 MiB mapped to themselves; every fault is a shutdown.
        state.cr3 = TABLES;
        state.cr4 |= Cr4::PAE;
        state.efer = Efer::LME | Efer::LMA;
        state.cr0 |= Cr0::PG;
        let cs = &mut state.segments[Seg::Cs as usize].attributes;
        cs.remove(A::BIG);
        cs.insert(A::LONG);
    }
    state
}

fn model() -> &'static CpuModel {
    CpuModel::by_name("max").expect("the model")
}

fn board(code: &[u8], data: &[u8]) -> Board {
    let mut board = Board::new(code);
    let ram = &board.ram[0];
    ram.write(DATA, data);
    ram.write(GDT + 8, &0x00CF_9B00_0000_FFFFu64.to_le_bytes());
    ram.write(GDT + 16, &0x00CF_9300_0000_FFFFu64.to_le_bytes());
    ram.write(GDT + 24, &0x00CF_9300_0000_FFFFu64.to_le_bytes());
    for v in 0..32 {
        let gate = (HANDLERS + v) as u64 | 8 << 16 | 0x8E00 << 32;
        ram.write(IDT + 8 * v, &gate.to_le_bytes());
        ram.write(HANDLERS + v, &[0xF4]);
    }
    ram.write(TABLES as usize, &(TABLES + 0x1003).to_le_bytes());
    ram.write(TABLES as usize + 0x1000, &(TABLES + 0x2003).to_le_bytes());
    ram.write(TABLES as usize + 0x2000, &0x83u64.to_le_bytes());
    board.stop_at = 1000;
    board
}

#[test]
fn runs_with_shortcuts_end_as_those_without() {
    let mut random = Random(0x1234_5678_9ABC_DEF1);
    let mut done = 0;
    for case in 0..40_000 {
        // mov eax, [ebx]; mov [ebx], eax: the TLB knows the data.
        let mut code = vec![0x8B, 0x03, 0x89, 0x03];
        for _ in 0..10 {
            random.instruction(&mut code);
        }
        code.push(0xF4);
        let data = random.data();
        let start = state(random.x87(), case & 1 != 0);
        let [with, without] = [true, false].map(|cached| {
            let mut board = board(&code, &data);
            let mut cpu = Interpreter::new(CpuId(0), model());
            cpu.set_block_cache(cached);
            cpu.set_state(&start);
            let exit = cpu.run(&mut board, None);
            let mut memory = [0; DATA_BYTES];
            board.ram[0].read(DATA, &mut memory);
            (exit, cpu.state(), memory)
        });
        done += u32::from(with.0 == Exit::Halted && with.1.rip == (CODE + code.len()) as u64);
        assert_eq!(with, without, "{code:02x?}\n{start:x?}");
    }
    assert!(done > 15_000, "{done}");
    let taken = TAKEN.get();
    assert!(taken > 100_000, "{taken}");
}
