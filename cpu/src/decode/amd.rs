//! What AMD's processors decode otherwise than Intel's, beyond what iced-x86 knows of it (its option: near branches of 16 bits
//! in 64-bit mode, no far pointers of 64 bits, UD0 without ModR/M). As measured on family 19h, model
//! 11h.

use super::extent::LONGEST;
use iced_x86::{Code, Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

/// Another instruction that the bytes mean, or `None`: as Intel's processors read them. F3h REX.B 90h is XCHG of R8 with RAX;
/// on Intel's it is PAUSE, REX or not.
pub fn reading(insn: &Instruction, bytes: &[u8]) -> Option<Instruction> {
    let [.., rex @ 0x40..=0x4F, 0x90] = bytes else {
        return None;
    };
    if insn.code() != Code::Pause || rex & 1 == 0 {
        return None;
    }
    let (code, r8, rax) = match (rex & 8 != 0, bytes.contains(&0x66)) {
        (true, _) => (Code::Xchg_r64_RAX, Register::R8, Register::RAX),
        (false, false) => (Code::Xchg_r32_EAX, Register::R8D, Register::EAX),
        (false, true) => (Code::Xchg_r16_AX, Register::R8W, Register::AX),
    };
    let mut xchg = *insn;
    xchg.set_code(code);
    xchg.set_op0_kind(OpKind::Register);
    xchg.set_op0_register(r8);
    xchg.set_op1_kind(OpKind::Register);
    xchg.set_op1_register(rax);
    Some(xchg)
}

/// Whether it is undefined: PREFETCHW and its kin without memory, which on Intel's are NOPs; VPEXTRD and VPINSRD with VEX.W
/// outside 64-bit mode, which do not look at it on Intel's; LOCK MOV CR0 where it does not
/// stand for CR8.
pub fn is_undefined(insn: &Instruction, bytes: &[u8], bits: u32, alternate_cr8: bool) -> bool {
    match insn.mnemonic() {
        Mnemonic::Reservednop => {
            let prefetch = matches!(
                insn.code(),
                Code::Reservednop_rm16_r16_0F0D
                    | Code::Reservednop_rm32_r32_0F0D
                    | Code::Reservednop_rm64_r64_0F0D
            );
            prefetch && insn.op0_kind() == OpKind::Register
        }
        Mnemonic::Vpextrd | Mnemonic::Vpinsrd => {
            let vex = bytes.iter().position(|b| *b == 0xC4);
            let last = vex.and_then(|at| bytes.get(at + 2));
            bits != 64 && last.is_some_and(|b| b & 0x80 != 0)
        }
        Mnemonic::Mov => {
            let cr8 = [insn.op0_register(), insn.op1_register()].contains(&Register::CR8);
            cr8 && insn.has_lock_prefix() && !alternate_cr8
        }
        _ => false,
    }
}

/// LOCK VERW of memory, which AMD's execute as if LOCK were not there: what the bytes of an instruction that
/// iced-x86 found undefined mean.
pub fn locked(bits: u32, bytes: &[u8], ip: u64, options: u32) -> Option<Instruction> {
    if !bytes.iter().take(LONGEST).any(|b| *b == 0xF0) {
        return None;
    }
    let lenient = options | DecoderOptions::NO_INVALID_CHECK;
    let insn = Decoder::with_ip(bits, bytes, ip, lenient).decode();
    (insn.mnemonic() == Mnemonic::Verw && insn.op0_kind() == OpKind::Memory).then_some(insn)
}

/// Opcodes behind 0Fh that have no ModR/M byte: UD1 and UD0.
pub const BARE: [u8; 2] = [0xB9, 0xFF];
