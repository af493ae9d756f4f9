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
            let mut prefixes = bytes.iter().take_while(|b| **b != 0x0F);
            cr8 && prefixes.any(|b| *b == 0xF0) && !alternate_cr8
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

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bits: u32, bytes: &[u8]) -> Instruction {
        let options = DecoderOptions::AMD | DecoderOptions::FORCE_RESERVED_NOP;
        Decoder::with_ip(bits, bytes, 0, options).decode()
    }

    #[test]
    fn rex_makes_an_exchange_of_pause() {
        for (bytes, r8) in [
            (&[0xF3, 0x41, 0x90][..], Some(Register::R8D)),
            (&[0x66, 0xF3, 0x41, 0x90], Some(Register::R8W)),
            (&[0xF3, 0x49, 0x90], Some(Register::R8)),
            (&[0xF3, 0x48, 0x90], None),
            (&[0xF3, 0x90], None),
        ] {
            let other = reading(&decode(64, bytes), bytes);
            assert_eq!(other.map(|i| i.op0_register()), r8, "{bytes:02x?}");
        }
    }

    #[test]
    fn what_intel_ignores_is_undefined() {
        for (bits, bytes, undefined) in [
            (32, &[0x0F, 0x0D, 0xEB][..], true),
            (32, &[0x0F, 0x0D, 0x0B], false),
            (32, &[0xC4, 0xE3, 0xD9, 0x22, 0xF2, 0x72], true),
            (32, &[0xC4, 0xE3, 0x59, 0x22, 0xF2, 0x72], false),
            (32, &[0xF0, 0x0F, 0x22, 0xC6], true),
            (32, &[0x0F, 0x22, 0xC6], false),
        ] {
            let insn = decode(bits, bytes);
            assert_eq!(
                is_undefined(&insn, bytes, bits, false),
                undefined,
                "{bytes:02x?}"
            );
            let by_cr8 = undefined && bytes[0] == 0xF0;
            assert_eq!(is_undefined(&insn, bytes, bits, true), undefined && !by_cr8);
        }
    }

    #[test]
    fn lock_before_verw_of_memory_does_nothing() {
        let locked = |bytes: &[u8]| {
            assert!(decode(32, bytes).is_invalid());
            locked(32, bytes, 0, DecoderOptions::AMD).map(|i| (i.mnemonic(), i.len()))
        };
        assert_eq!(locked(&[0xF0, 0x0F, 0x00, 0x28]), Some((Mnemonic::Verw, 4)));
        assert_eq!(locked(&[0xF0, 0x0F, 0x00, 0xE8]), None);
        assert_eq!(locked(&[0xF0, 0x0F, 0x00, 0x20]), None);
    }
}
