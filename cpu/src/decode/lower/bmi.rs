//! POPCNT, LZCNT, TZCNT, MOVBE, CRC32, ADX, BMI1, BMI2, RDPID.

use super::Lowering;
use crate::alu::Int;
use crate::alu::flags::{CF, OF};
use crate::exec::bmi::{
    AddWith, Andn, Apply, Bextr, Blsi, Blsmsk, Blsr, Bzhi, Combination, Combine, Crc32, Function,
    Lzcnt, Movbe, Mulx, Pdep, Pext, Popcnt, Rdpid, Rorx, Sarx, Shlx, Shrx, Tzcnt,
};
use crate::exec::operand::{A, B, Mem};
use crate::mem::address::Segmented;
use crate::op::Instruction;
use iced_x86::Mnemonic as M;

/// Lowers the instruction at hand if it is one of these.
pub fn lower(l: &mut Lowering<'_>) -> bool {
    match l.insn.mnemonic() {
        M::Popcnt => apply::<Popcnt>(l),
        M::Lzcnt => apply::<Lzcnt>(l),
        M::Tzcnt => apply::<Tzcnt>(l),
        M::Blsr => apply::<Blsr>(l),
        M::Blsmsk => apply::<Blsmsk>(l),
        M::Blsi => apply::<Blsi>(l),
        // The first source is a register, the second the one in register or memory.
        M::Andn => combine::<Andn>(l, 2, 1),
        M::Pdep => combine::<Pdep>(l, 2, 1),
        M::Pext => combine::<Pext>(l, 2, 1),
        // The other way round.
        M::Bextr => combine::<Bextr>(l, 1, 2),
        M::Bzhi => combine::<Bzhi>(l, 1, 2),
        M::Sarx => combine::<Sarx>(l, 1, 2),
        M::Shlx => combine::<Shlx>(l, 1, 2),
        M::Shrx => combine::<Shrx>(l, 1, 2),
        M::Rorx => {
            by_wide!(l, T => from::<Rorx<T, B>, Rorx<T, Mem<Segmented>>>(l, 1));
            l.emit_second(l.imm(2));
        }
        M::Mulx => {
            by_wide!(l, T => from::<Mulx<T, B>, Mulx<T, Mem<Segmented>>>(l, 2));
            l.emit_second(l.reg(1).into());
        }
        M::Adcx => {
            by_wide!(l, T => from::<AddWith<T, B, CF>, AddWith<T, Mem<Segmented>, CF>>(l, 1));
        }
        M::Adox => {
            by_wide!(l, T => from::<AddWith<T, B, OF>, AddWith<T, Mem<Segmented>, OF>>(l, 1));
        }
        M::Movbe => by_width!(l, 0, T => movbe::<T>(l)),
        M::Crc32 => by_width!(l, 1, T => from::<Crc32<T, B>, Crc32<T, Mem<Segmented>>>(l, 1)),
        M::Rdpid => l.emit::<Rdpid>(l.reg(0), 0, 0),
        _ => return false,
    }
    true
}

/// An instruction with destination register 0 and source `n` in a register (`R`) or in memory (`F`).
fn from<R: Instruction, F: Instruction>(l: &mut Lowering<'_>, n: u32) {
    let a = l.reg(0);
    if l.is_memory(n) {
        l.emit_memory::<F>(a);
    } else {
        l.emit::<R>(a, l.reg(n), 0);
    }
}

fn apply<O: Function>(l: &mut Lowering<'_>) {
    by_width!(l, 0, T => from::<Apply<O, T, B>, Apply<O, T, Mem<Segmented>>>(l, 1));
}

/// `source` may be memory, `other` is a register.
fn combine<O: Combination>(l: &mut Lowering<'_>, source: u32, other: u32) {
    by_wide!(l, T => from::<Combine<O, T, B>, Combine<O, T, Mem<Segmented>>>(l, source));
    l.emit_second(l.reg(other).into());
}

fn movbe<T: Int>(l: &mut Lowering<'_>) {
    if l.is_memory(0) {
        let a = l.reg(1);
        l.emit_memory::<Movbe<T, Mem<Segmented>, A>>(a);
    } else {
        let a = l.reg(0);
        l.emit_memory::<Movbe<T, A, Mem<Segmented>>>(a);
    }
}
