//! PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (SDM vol. 1, section 12.10.3; vol. 2, section 4.1).

use super::exec::{Encoding, NOTHING, Source};
use super::host::vector::Registers;
use super::lane::{Lane, lane};
use crate::alu::Int;
use crate::alu::flags::{ARITHMETIC, CF, OF, SF, ZF};
use crate::interpreter::Interpreter;
use crate::op::{Instruction, OpRef, Stop};
use emu_core::x86::Gpr;
use std::marker::PhantomData;

/// Bits of the immediate byte.
mod control {
    /// Words instead of bytes.
    pub const WORDS: u8 = 1 << 0;
    /// Signed elements.
    pub const SIGNED: u8 = 1 << 1;
    /// The result is negated..
    pub const NEGATIVE: u8 = 1 << 4;
    /// ..where the second operand is valid only.
    pub const MASKED: u8 = 1 << 5;
    /// The most significant index, or a mask of elements instead of bits.
    pub const MOST_SIGNIFICANT: u8 = 1 << 6;
}

/// Elements and how many of them are valid.
struct Text {
    elements: [i32; 16],
    len: usize,
}

fn elements<T: Lane>(v: u128) -> [i32; 16] {
    let mut elements = [0; 16];
    for i in 0..super::lane::lanes::<T>() {
        elements[i as usize] = lane::<T>(v, i).value() as i32;
    }
    elements
}

/// Takes a register apart; `len`: how many elements are valid, as a register says, or up to the first that is 0.
fn text(v: u128, imm: u8, len: Option<i64>) -> Text {
    let elements = match (imm & control::WORDS != 0, imm & control::SIGNED != 0) {
        (false, false) => elements::<u8>(v),
        (true, false) => elements::<u16>(v),
        (false, true) => elements::<i8>(v),
        (true, true) => elements::<i16>(v),
    };
    let most = count(imm);
    let len = match len {
        Some(n) => n.unsigned_abs().min(most as u64) as usize,
        None => elements[..most]
            .iter()
            .position(|&e| e == 0)
            .unwrap_or(most),
    };
    Text { elements, len }
}

fn count(imm: u8) -> usize {
    if imm & control::WORDS != 0 { 8 } else { 16 }
}

/// The intermediate result 2: a bit for each element of `b`.
fn compare(a: &Text, b: &Text, imm: u8) -> u32 {
    let n = count(imm);
    let holds = |j: usize| -> bool {
        let v = b.elements[j];
        let valid = j < b.len;
        match imm >> 2 & 3 {
            // Equal to any.
            0 => valid && a.elements[..a.len].contains(&v),
            // In any of the ranges.
            1 => {
                valid
                    && a.elements[..a.len]
                        .chunks_exact(2)
                        .any(|r| r[0] <= v && v <= r[1])
            }
            // Equal, each to each.
            2 => match (j < a.len, valid) {
                (true, true) => a.elements[j] == v,
                (one, other) => one == other,
            },
            // The start of the text `a`.
            _ => (0..n - j)
                .take_while(|&i| i < a.len)
                .all(|i| j + i < b.len && a.elements[i] == b.elements[j + i]),
        }
    };
    let mut bits = 0;
    for j in 0..n {
        let negated = imm & control::NEGATIVE != 0 && (imm & control::MASKED == 0 || j < b.len);
        bits |= u32::from(holds(j) != negated) << j;
    }
    bits
}

/// The four instructions. `T` is the width of the registers that hold explicit lengths.
pub struct CompareText<T, S, N, const EXPLICIT: bool, const TO_MASK: bool>(PhantomData<(T, S, N)>);

impl<T: Int, S: Source, N: Encoding, const EXPLICIT: bool, const TO_MASK: bool> Instruction
    for CompareText<T, S, N, EXPLICIT, TO_MASK>
{
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.may(N::NEEDS, NOTHING)?;
        let [b, _] = S::get(cpu, op)?;
        let second = op.plus(1);
        let imm = second.imm as u8;
        let len = |cpu: &Interpreter, r: Gpr| EXPLICIT.then(|| cpu.regs.named::<T>(r).to_i64());
        let a = text(cpu.simd.get(second.a)[0], imm, len(cpu, Gpr::Rax));
        let b = text(b, imm, len(cpu, Gpr::Rdx));
        let bits = compare(&a, &b, imm);
        let n = count(imm);
        let most = imm & control::MOST_SIGNIFICANT != 0;
        if TO_MASK {
            let v = match (most, n) {
                (false, _) => u128::from(bits),
                (true, 8) => super::lane::build(|i| 0u16.wrapping_sub((bits >> i) as u16 & 1)),
                (true, _) => super::lane::build(|i| 0u8.wrapping_sub((bits >> i) as u8 & 1)),
            };
            let first = Registers::place(0);
            let high = if N::NEEDS.avx {
                0
            } else {
                cpu.simd.get(first)[1]
            };
            cpu.simd.registers.set(first, [v, high]);
        } else {
            let index = match (bits, most) {
                (0, _) => n as u32,
                (_, true) => bits.ilog2(),
                (_, false) => bits.trailing_zeros(),
            };
            cpu.regs.set_named::<u32>(Gpr::Rcx, index);
        }
        let flag = |set: bool, flag: u64| if set { flag } else { 0 };
        let flags = flag(bits != 0, CF)
            | flag(b.len < n, ZF)
            | flag(a.len < n, SF)
            | flag(bits & 1 != 0, OF);
        cpu.flags = cpu.flags.with(ARITHMETIC, flags);
        Ok(())
    }
}
