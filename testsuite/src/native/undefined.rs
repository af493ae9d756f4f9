//! What a processor may do as it likes with one instruction: undefined flags and results, approximations, MMX state that a
//! fault has entered already.

use super::case::Case;
use super::compare::{ST, TAGS};
use iced_x86::{Instruction, Mnemonic as M, OpKind, RflagsBits};

/// The count by which a shift or rotate shifts.
pub fn shift_count(case: &Case, insn: &Instruction) -> u64 {
    let last = insn.op_count().saturating_sub(1);
    let count = match insn.op_kind(last) {
        OpKind::Register => case.gpr[1] & 0xFF,
        _ => insn.immediate(last),
    };
    let wide = insn.op0_register().size() == 8 || insn.memory_size().size() == 8;
    count & if wide { 0x3F } else { 0x1F }
}

/// Whether SHLD or SHRD shifts by more than it has bits (SDM vol. 2, "SHLD").
pub fn double_shift_is_undefined(case: &Case, insn: &Instruction) -> bool {
    let bits = insn.op1_register().size() as u64 * 8;
    shift_count(case, insn) > bits
}

/// Flags that an instruction leaves undefined.
pub fn undefined_flags(case: &Case, insn: &Instruction) -> u64 {
    let shifts = matches!(
        insn.mnemonic(),
        M::Shl | M::Sal | M::Shr | M::Sar | M::Rol | M::Ror | M::Rcl | M::Rcr | M::Shld | M::Shrd
    );
    if shifts && shift_count(case, insn) == 0 {
        return 0;
    }
    let mut undefined = [
        (RflagsBits::CF, 1u64 << 0),
        (RflagsBits::PF, 1 << 2),
        (RflagsBits::AF, 1 << 4),
        (RflagsBits::ZF, 1 << 6),
        (RflagsBits::SF, 1 << 7),
        (RflagsBits::OF, 1 << 11),
    ]
    .iter()
    .filter(|(bit, _)| insn.rflags_undefined() & bit != 0)
    .fold(0, |flags, (_, bit)| flags | bit);
    // iced-x86 takes a count by which RCL and RCR come round for one that leaves OF alone; the manual defines it for
    // counts of 1 only (SDM vol. 2, "RCL").
    if matches!(insn.mnemonic(), M::Rcl | M::Rcr) && shift_count(case, insn) != 1 {
        undefined |= 1 << 11;
    }
    if matches!(insn.mnemonic(), M::Shld | M::Shrd) && double_shift_is_undefined(case, insn) {
        undefined |= 0x8D5;
    }
    undefined
}

/// Whether an x87 instruction may be one unit in the last place off.
pub fn is_transcendental(insn: &Instruction) -> bool {
    matches!(
        insn.mnemonic(),
        M::F2xm1 | M::Fyl2x | M::Fptan | M::Fpatan | M::Fyl2xp1 | M::Fsincos | M::Fsin | M::Fcos
    )
}

/// The operand of F2XM1 and FYL2XP1 lies where the manual leaves the result undefined (SDM vol. 2): beyond -1 to +1,
/// and beyond plus or minus (1 - sqrt(1/2)).
pub fn result_is_undefined(insn: &Instruction, sign_exponent: u64, significand: u64) -> bool {
    let magnitude = (sign_exponent & 0x7FFF, significand);
    let finite = magnitude.0 < 0x7FFF && significand >> 63 != 0;
    match insn.mnemonic() {
        M::F2xm1 => finite && magnitude > (0x3FFF, 1 << 63),
        M::Fyl2xp1 => finite && magnitude > (0x3FFD, 0x95F6_1998_0C43_36F7),
        _ => false,
    }
}

/// Takes over from `host` the x87 registers that lie one unit in the last place apart.
pub fn forgive(host: &mut [u8], ours: &mut [u8]) {
    for i in 0..8 {
        let place = 32 + 16 * i..42 + 16 * i;
        let number = |b: &[u8]| {
            let mut bytes = [0; 16];
            bytes[..10].copy_from_slice(&b[place.clone()]);
            let all = u128::from_le_bytes(bytes);
            let significand = all as u64;
            let magnitude = (all >> 64 & 0x7FFF) << 63 | u128::from(significand << 1 >> 1);
            (all >> 79, magnitude)
        };
        let (a, b) = (number(host), number(ours));
        if a.0 == b.0 && a.1.abs_diff(b.1) <= 1 {
            ours[place.clone()].copy_from_slice(&host[place]);
        }
    }
}

/// How far apart two addresses are, round the end of the address space too.
pub fn distance(a: u64, b: u64) -> u64 {
    (a.wrapping_sub(b) as i64).unsigned_abs()
}

/// Whether an operand is an MMX register.
pub fn uses_mmx(insn: &Instruction) -> bool {
    (0..insn.op_count()).any(|n| insn.op_register(n).is_mm())
}

/// TOP in an FXSAVE image.
pub fn top(fx: &[u8]) -> usize {
    usize::from(fx[3] >> 3 & 7)
}

/// Lets an FXSAVE image enter MMX state as far as another one has: TOP, tags.
pub fn enter_mmx_as_far(fx: &mut [u8], other: &[u8]) {
    if top(other) == 0 {
        let top = top(fx);
        fx[ST..ST + 8 * 16].rotate_right(16 * top);
        fx[3] &= !0x38;
    }
    if other[TAGS] == 0xFF {
        fx[TAGS] = 0xFF;
    }
}

/// Whether it stores what a mask selects.
pub fn is_masked_store(insn: &Instruction) -> bool {
    matches!(
        insn.mnemonic(),
        M::Maskmovq
            | M::Maskmovdqu
            | M::Vmaskmovdqu
            | M::Vmaskmovps
            | M::Vmaskmovpd
            | M::Vpmaskmovd
            | M::Vpmaskmovq
    )
}

/// Whether its result is an approximation with a bound.
pub fn is_approximation(insn: &Instruction) -> bool {
    matches!(
        insn.mnemonic(),
        M::Rcpps
            | M::Rcpss
            | M::Rsqrtps
            | M::Rsqrtss
            | M::Vrcpps
            | M::Vrcpss
            | M::Vrsqrtps
            | M::Vrsqrtss
    )
}

/// Two approximations of one value, each at most 1.5 x 2^-12 off: at most twice that apart.
pub fn near(host: u32, ours: u32) -> bool {
    let (h, o) = (
        f64::from(f32::from_bits(host)),
        f64::from(f32::from_bits(ours)),
    );
    host == ours || (h.is_finite() && o.is_finite() && (h - o).abs() <= 3.0 / 4096.0 * h.abs())
}

/// A case of these bytes, and their instruction.
#[cfg(test)]
pub fn case_of(size: super::case::CodeSize, bytes: &[u8]) -> (Case, Instruction) {
    let mut case = Case::new(size);
    case.code[..bytes.len()].copy_from_slice(bytes);
    case.len = bytes.len() as u8;
    (case, super::generator::decode(&case))
}

#[cfg(test)]
mod tests {
    use super::super::case::CodeSize;
    use super::*;

    #[test]
    fn undefined_flags_follow_the_count_of_a_shift() {
        const OF: u64 = 1 << 11;
        const AF: u64 = 1 << 4;
        // shl eax, cl
        let (mut case, insn) = case_of(CodeSize::Bits32, &[0xD3, 0xE0]);
        case.gpr[1] = 0x20;
        assert_eq!(undefined_flags(&case, &insn), 0);
        case.gpr[1] = 2;
        assert_eq!(undefined_flags(&case, &insn), OF | AF);
        // shl eax, 1
        let (case, insn) = case_of(CodeSize::Bits32, &[0xD1, 0xE0]);
        assert_eq!(undefined_flags(&case, &insn), AF);
        // shld ax, cx, 17
        let (case, insn) = case_of(CodeSize::Bits16, &[0x0F, 0xA4, 0xC8, 17]);
        assert_eq!(undefined_flags(&case, &insn), 0x8D5);
    }

    #[test]
    fn entering_mmx_state_turns_the_registers_back_and_only_if_the_other_did() {
        let mut fx = Case::new(CodeSize::Bits32).fx;
        // TOP 3: ST(0) is R3, ST(5) is R0.
        fx[3] = 3 << 3;
        fx[ST] = 0x33;
        fx[ST + 5 * 16] = 0x11;
        let mut other = fx;
        enter_mmx_as_far(&mut fx, &other);
        assert_eq!(fx, other);
        other[3] = 0;
        other[TAGS] = 0xFF;
        enter_mmx_as_far(&mut fx, &other);
        assert_eq!((top(&fx), fx[TAGS]), (0, 0xFF));
        assert_eq!((fx[ST], fx[ST + 3 * 16]), (0x11, 0x33));
    }
}
