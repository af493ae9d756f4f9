//! The decoder of the 8086, the 80186 and the 80286, for what iced-x86 does not decode or decodes as a later processor would.
//!
//! It takes prefixes off, rewrites an opcode that is another one's alias on the old processor to that one, ignores
//! the bits that the old processor ignores, and lets iced-x86 decode what is left, so there is one table of operands.
//! What has no counterpart is marked by a [`Form`].
//!
//! Sources: Intel, "The 8086 Family User's Manual" (1979), table 4-14; Intel, "iAPX 286 Programmer's Reference Manual"
//! (1985), appendix B; what both leave undefined is as captures of an 8086 and an 80286 (SingleStepTests) show it.
//!
//! **Known inaccuracies** of the 8086: FEh with 2 to 7 in the reg field acts as FFh does; LEA, LES, LDS and the far
//! forms of FFh with a register as their operand use offset 0 where the chip uses its last effective address; an
//! instruction of more than [`LONGEST_8086`] bytes (all of them prefixes) is taken as one of that many without effect.
//! **Not implemented** on the 80286: LOCK's dependence on IOPL in protected mode; F1h is a prefix without effect (the
//! chip's in-circuit-emulation forms are not there).

use crate::models::Processor;
use iced_x86::{Decoder, DecoderError, DecoderOptions, Instruction};

/// The longest instruction of the 80286; one more byte is interrupt 13 (iAPX 286 manual, appendix B, "Interrupt 13").
pub const LONGEST_80286: usize = 10;
/// As many bytes as are looked at for an 8086 instruction.
pub const LONGEST_8086: usize = 64;
/// Opcode, ModR/M byte, displacement and immediate.
const LONGEST_WITHOUT_PREFIXES: usize = 6;

/// What an instruction is besides what iced-x86 says.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum Form {
    /// Nothing.
    #[default]
    Plain,
    /// POP ES or MOV ES stands for POP CS or MOV CS.
    LoadCs,
    /// SHL stands for SETMO or SETMOC: all ones (if the count is not 0).
    SetMinusOne,
    /// IMUL or IDIV with a repeat prefix: the sign of product or quotient is inverted.
    Negated,
    /// ESC: MOV register, memory stands for the operand that is read for a coprocessor.
    Escape,
    /// ESC without a memory operand; NOP stands for it.
    EscapeRegister,
    /// Undefined: #UD.
    Undefined,
    /// More bytes than an instruction may have.
    TooLong,
}

/// A decoded instruction.
#[derive(Copy, Clone, Debug)]
pub struct Decoded {
    /// As iced-x86 decodes it, or its stand-in.
    pub insn: Instruction,
    /// What it stands for.
    pub form: Form,
    /// Its bytes, prefixes included.
    pub len: usize,
}

const LOCK: u8 = 0xF0;
/// On the 8086 another LOCK; on the 80286 a prefix of its in-circuit emulation.
const LOCK_ALIAS: u8 = 0xF1;
const REPNE: u8 = 0xF2;
const REP: u8 = 0xF3;
/// MOD of a register operand.
const REGISTER: u8 = 3;
/// MOD and R/M of a direct address, in a ModR/M byte whose other bits are 0.
const DIRECT: u8 = 6;

#[derive(Default)]
struct Prefixes {
    segment: Option<u8>,
    repeat: Option<u8>,
}

/// What is to be given to iced-x86: an opcode and the bytes behind it.
struct Rewritten {
    bytes: [u8; LONGEST_WITHOUT_PREFIXES + 2],
    len: usize,
    /// Bytes that stand in `bytes` but not in memory.
    inserted: usize,
    form: Form,
}

/// Decodes the instruction at the start of `bytes`; `ip` is its distance from the start of its block. ESC is left to
/// iced-x86 if there is a coprocessor (`fpu`). `None`: the instruction goes on behind the bytes.
pub fn decode(processor: Processor, fpu: bool, bytes: &[u8], ip: u32) -> Option<Decoded> {
    let longest = match processor {
        Processor::I8086 | Processor::I80186 => LONGEST_8086,
        Processor::I80286 => LONGEST_80286,
    };
    let mut prefixes = Prefixes::default();
    let mut n = 0;
    let opcode = loop {
        if n == longest {
            return Some(too_long(processor, n));
        }
        match *bytes.get(n)? {
            b @ (0x26 | 0x2E | 0x36 | 0x3E) => prefixes.segment = Some(b),
            b @ (REPNE | REP) => prefixes.repeat = Some(b),
            LOCK | LOCK_ALIAS => {}
            opcode => break opcode,
        }
        n += 1;
    };
    let rest = &bytes[n..bytes.len().min(n + LONGEST_WITHOUT_PREFIXES)];
    let rewritten = match processor {
        _ if fpu && matches!(opcode, 0xD8..=0xDF) => Rewritten::new(rest),
        Processor::I8086 => rewrite_8086(opcode, rest, &prefixes)?,
        Processor::I80186 => rewrite_80186(opcode, rest)?,
        Processor::I80286 => rewrite_80286(opcode, rest)?,
    };
    if rewritten.form == Form::Undefined {
        return Some(Decoded {
            insn: Instruction::default(),
            form: Form::Undefined,
            len: n + rewritten.len,
        });
    }

    let mut given = [0; LONGEST_WITHOUT_PREFIXES + 4];
    let mut len = 0;
    for b in prefixes
        .segment
        .into_iter()
        .chain(repeat_for(opcode, &prefixes))
    {
        given[len] = b;
        len += 1;
    }
    let prefix_len = len;
    given[len..len + rewritten.len].copy_from_slice(&rewritten.bytes[..rewritten.len]);
    len += rewritten.len;
    // Branch targets count from the end of the real instruction, so the stand-in begins where both end together.
    let excess = n as u64;
    let ip = u64::from(ip)
        .wrapping_add(excess)
        .wrapping_sub((prefix_len + rewritten.inserted) as u64);
    let mut decoder = Decoder::with_ip(16, &given[..len], ip & 0xFFFF, options(processor));
    let insn = decoder.decode();
    if decoder.last_error() == DecoderError::NoMoreBytes {
        return None;
    }
    let total = n + decoder.position() - prefix_len - rewritten.inserted;
    if processor == Processor::I80286 && total > longest {
        return Some(too_long(processor, total));
    }
    let form = if insn.is_invalid() {
        Form::Undefined
    } else {
        rewritten.form
    };
    Some(Decoded {
        insn,
        form,
        len: total,
    })
}

fn options(processor: Processor) -> u32 {
    match processor {
        Processor::I8086 | Processor::I80186 => DecoderOptions::NONE,
        Processor::I80286 => DecoderOptions::LOADALL286,
    }
}

fn too_long(processor: Processor, len: usize) -> Decoded {
    let form = match processor {
        // Nothing but prefixes so far, and prefixes alone do nothing.
        Processor::I8086 | Processor::I80186 => Form::EscapeRegister,
        Processor::I80286 => Form::TooLong,
    };
    Decoded {
        insn: Instruction::default(),
        form,
        len,
    }
}

/// The repeat prefix, where it means something: for string instructions, and REPNE only for those that compare.
fn repeat_for(opcode: u8, prefixes: &Prefixes) -> Option<u8> {
    let repeat = prefixes.repeat?;
    match opcode {
        0xA6 | 0xA7 | 0xAE | 0xAF => Some(repeat),
        0x6C..=0x6F | 0xA4 | 0xA5 | 0xAA..=0xAD => Some(REP),
        _ => None,
    }
}

impl Rewritten {
    fn new(rest: &[u8]) -> Self {
        let mut bytes = [0; LONGEST_WITHOUT_PREFIXES + 2];
        bytes[..rest.len()].copy_from_slice(rest);
        Self {
            bytes,
            len: rest.len(),
            inserted: 0,
            form: Form::Plain,
        }
    }

    fn undefined(rest: &[u8]) -> Self {
        Self {
            form: Form::Undefined,
            ..Self::new(rest)
        }
    }

    fn with_opcode(mut self, opcode: u8) -> Self {
        self.bytes[0] = opcode;
        self
    }

    fn with_reg(mut self, reg: u8) -> Self {
        self.bytes[1] = self.bytes[1] & !0x38 | reg << 3;
        self
    }

    fn with_form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// A register operand becomes the memory operand at offset 0.
    fn with_direct_0(mut self) -> Self {
        let reg = self.bytes[1] & 0x38;
        self.bytes[1..4].copy_from_slice(&[reg | DIRECT, 0, 0]);
        self.len = 4;
        self.inserted = 2;
        self
    }
}

fn fields(modrm: u8) -> (u8, u8) {
    (modrm >> 6, modrm >> 3 & 7)
}

fn rewrite_8086(opcode: u8, rest: &[u8], prefixes: &Prefixes) -> Option<Rewritten> {
    let same = Rewritten::new(rest);
    Some(match opcode {
        0x0F => same.with_opcode(0x07).with_form(Form::LoadCs),
        0x60..=0x6F => same.with_opcode(opcode + 0x10),
        0xC0 | 0xC1 | 0xC8 | 0xC9 => same.with_opcode(opcode + 2),
        0x82 => same.with_opcode(0x80),
        0x8C
        | 0x8E
        | 0x8F
        | 0xC6
        | 0xC7
        | 0xD0..=0xD3
        | 0xD8..=0xDF
        | 0xF6
        | 0xF7
        | 0xFE
        | 0xFF
        | 0x8D
        | 0xC4
        | 0xC5 => {
            let (mode, reg) = fields(*rest.get(1)?);
            match opcode {
                0x8C => same.with_reg(reg & 3),
                0x8E if reg & 3 == 1 => same.with_reg(0).with_form(Form::LoadCs),
                0x8E => same.with_reg(reg & 3),
                0x8F | 0xC6 | 0xC7 => same.with_reg(0),
                0xD0..=0xD3 if reg == 6 => same.with_reg(4).with_form(Form::SetMinusOne),
                0xD8..=0xDF => escape(same, mode),
                0xF6 | 0xF7 => match reg {
                    1 => same.with_reg(0),
                    5 | 7 if prefixes.repeat.is_some() => same.with_form(Form::Negated),
                    _ => same,
                },
                0xFE if reg < 2 => same,
                0xFE | 0xFF => {
                    let same = same.with_opcode(0xFF);
                    match reg {
                        3 | 5 if mode == REGISTER => same.with_direct_0(),
                        7 => same.with_reg(6),
                        _ => same,
                    }
                }
                0x8D | 0xC4 | 0xC5 if mode == REGISTER => same.with_direct_0(),
                _ => same,
            }
        }
        _ => same,
    })
}

/// As the 80286, without its instructions.
fn rewrite_80186(opcode: u8, rest: &[u8]) -> Option<Rewritten> {
    match opcode {
        0x0F | 0x63 => Some(Rewritten::undefined(rest)),
        _ => rewrite_80286(opcode, rest),
    }
}

fn rewrite_80286(opcode: u8, rest: &[u8]) -> Option<Rewritten> {
    let same = Rewritten::new(rest);
    let undefined = Rewritten::undefined(rest);
    Some(match opcode {
        0x0F => match *rest.get(1)? {
            0x00..=0x06 => same,
            _ => undefined,
        },
        0x64..=0x67 => undefined,
        0x82 => same.with_opcode(0x80),
        0x62
        | 0x8C..=0x8F
        | 0xC0
        | 0xC1
        | 0xC4..=0xC7
        | 0xD0..=0xD3
        | 0xD8..=0xDF
        | 0xF6
        | 0xF7
        | 0xFE
        | 0xFF => {
            let (mode, reg) = fields(*rest.get(1)?);
            match opcode {
                0x62 | 0x8D | 0xC4 | 0xC5 if mode == REGISTER => undefined,
                0x8C if reg > 3 => undefined,
                0x8E if reg > 3 || reg == 1 => undefined,
                0x8F | 0xC6 | 0xC7 if reg != 0 => undefined,
                0xC0 | 0xC1 | 0xD0..=0xD3 if reg == 6 => same.with_reg(4),
                0xD8..=0xDF => escape(same, mode),
                0xF6 | 0xF7 if reg == 1 => same.with_reg(0),
                0xFE if reg > 1 => undefined,
                0xFF if reg == 7 || mode == REGISTER && (reg == 3 || reg == 5) => undefined,
                _ => same,
            }
        }
        _ => same,
    })
}

/// ESC: a word at the memory operand is read, whatever the coprocessor's instruction.
fn escape(same: Rewritten, mode: u8) -> Rewritten {
    if mode == REGISTER {
        // MOV AX, register has the right length; nothing of it is used.
        same.with_opcode(0x8B).with_form(Form::EscapeRegister)
    } else {
        same.with_opcode(0x8B).with_form(Form::Escape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use iced_x86::{Code, Register};

    fn old(bytes: &[u8]) -> Decoded {
        decode(Processor::I8086, false, bytes, 0x100).expect("complete")
    }

    fn at(bytes: &[u8]) -> Decoded {
        decode(Processor::I80286, false, bytes, 0x100).expect("complete")
    }

    #[test]
    fn aliases_of_the_8086_decode_as_what_they_stand_for() {
        assert_eq!(old(&[0x60, 5]).insn.code(), Code::Jo_rel8_16);
        assert_eq!(old(&[0x6F, 5]).insn.near_branch16(), 0x107);
        assert_eq!(old(&[0xC0, 4, 0]).insn.code(), Code::Retnw_imm16);
        assert_eq!(old(&[0xC9]).insn.code(), Code::Retfw);
        assert_eq!(old(&[0xFF, 0xFC]).insn.code(), Code::Push_rm16);
        assert_eq!(old(&[0xF7, 0xC8, 1, 2]).insn.code(), Code::Test_rm16_imm16);
        assert_eq!(old(&[0xC7, 0xF8, 1, 2]).insn.code(), Code::Mov_rm16_imm16);
        assert_eq!(old(&[0x8C, 0xF8]).insn.op1_register(), Register::DS);
        assert_eq!(old(&[0xD6]).insn.code(), Code::Salc);
        assert_eq!(old(&[0x82, 0xC0, 1]).insn.code(), Code::Add_rm8_imm8);
    }

    #[test]
    fn forms_that_only_the_8086_has_are_marked() {
        assert_eq!(old(&[0x0F]).form, Form::LoadCs);
        assert_eq!(old(&[0x8E, 0xE8]).form, Form::LoadCs);
        assert_eq!(old(&[0xD2, 0x37]).form, Form::SetMinusOne);
        assert_eq!(old(&[0xF2, 0xF7, 0xF9]).form, Form::Negated);
        assert_eq!(old(&[0xF7, 0xF9]).form, Form::Plain);
        assert_eq!(old(&[0xDD, 0x1E, 0x34, 0x12]).form, Form::Escape);
        let lea = old(&[0x8D, 0xC3]);
        assert_eq!((lea.len, lea.insn.memory_displacement64()), (2, 0));
    }

    #[test]
    fn prefixes_count_as_bytes_and_the_last_of_a_kind_wins() {
        let d = old(&[0x26, 0xF1, 0x3E, 0xF0, 0x8B, 0x07]);
        assert_eq!((d.len, d.insn.memory_segment()), (6, Register::DS));
        let d = old(&[0xF3, 0x2E, 0xF2, 0xA7]);
        assert!(d.insn.has_repne_prefix() && !d.insn.has_rep_prefix());
        assert_eq!(d.insn.memory_segment(), Register::CS);
        let d = old(&[0xF2, 0xA4]);
        assert!(d.insn.has_rep_prefix());
        // NOP, not PAUSE.
        assert_eq!(old(&[0xF3, 0x90]).insn.code(), Code::Nopw);
    }

    #[test]
    fn branches_behind_prefixes_lead_to_the_same_place() {
        let d = old(&[0x2E, 0x2E, 0x2E, 0xEB, 0xFE]);
        assert_eq!((d.len, d.insn.near_branch16()), (5, 0x103));
        let d = at(&[0x2E, 0xF0, 0xE9, 0x00, 0x10]);
        assert_eq!((d.len, d.insn.near_branch16()), (5, 0x1105));
    }

    #[test]
    fn the_80286_refuses_what_it_does_not_know() {
        for bytes in [
            &[0x66, 0x90][..],
            &[0x0F, 0x80, 0, 0],
            &[0x62, 0xC0],
            &[0x8E, 0xC8],
            &[0x8E, 0xE0],
            &[0x8C, 0xE0],
            &[0xC4, 0xC0],
            &[0xC5, 0xF8, 0x77],
            &[0x8F, 0xE8, 0],
            &[0xC6, 0xF8, 0],
            &[0xFF, 0xD8],
            &[0xFF, 0xF8],
            &[0xFE, 0xD0],
            &[0x8D, 0xC0],
        ] {
            assert_eq!(at(bytes).form, Form::Undefined, "{bytes:02X?}");
        }
        assert_eq!(at(&[0xD0, 0x37]).insn.code(), Code::Shl_rm8_1);
        assert_eq!(at(&[0x0F, 0x01, 0xE0]).insn.code(), Code::Smsw_rm16);
        assert_eq!(at(&[0x0F, 0x05]).form, Form::Plain);
        assert_eq!(at(&[0xC8, 1, 0, 2]).insn.code(), Code::Enterw_imm16_imm8);
    }

    #[test]
    fn ten_bytes_are_the_limit_on_the_80286_only() {
        let mut bytes = [0x2E; 16];
        bytes[9] = 0x90;
        assert_eq!((at(&bytes).form, at(&bytes).len), (Form::Plain, 10));
        bytes[9] = 0x2E;
        bytes[10] = 0x90;
        assert_eq!(at(&bytes).form, Form::TooLong);
        assert_eq!((old(&bytes).form, old(&bytes).len), (Form::Plain, 11));
        // C7 06 with address and immediate takes six: five prefixes are one too many.
        let bytes = [0x2E, 0x2E, 0x2E, 0x2E, 0x2E, 0xC7, 6, 0, 0, 0, 0];
        assert_eq!(at(&bytes).form, Form::TooLong);
        assert_eq!(at(&bytes[1..]).form, Form::Plain);
    }

    #[test]
    fn bytes_that_end_early_ask_for_more() {
        for bytes in [
            &[][..],
            &[0x2E],
            &[0xC7],
            &[0xC7, 6, 0],
            &[0xC8, 0],
            &[0x0F],
            &[0x9A, 0, 0],
        ] {
            assert!(
                decode(Processor::I80286, false, bytes, 0).is_none(),
                "{bytes:02X?}"
            );
        }
        assert!(decode(Processor::I8086, false, &[0x8D], 0).is_none());
        assert_eq!(old(&[0x2E; 80]).len, LONGEST_8086);
    }

    #[test]
    fn no_three_bytes_panic() {
        for first in 0..=255u8 {
            for second in 0..=255u8 {
                for third in [0, 0x7F, 0x80, 0xFF] {
                    let bytes = [first, second, third, third, third, third, third, third];
                    let d = old(&bytes);
                    assert_ne!(d.form, Form::Undefined, "{bytes:02X?}");
                    at(&bytes);
                }
            }
        }
    }
}
