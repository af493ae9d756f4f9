//! How many bytes an instruction has, whether it is defined or not: by its prefixes, its opcode map, its ModR/M byte and
//! what the opcode's place in the map says of immediates (SDM vol. 2, section 2.1 and appendix A).
//!
//! A processor finds the end of an instruction before it looks at what the opcode means: an undefined one is #UD only
//! when all of its bytes could be fetched, and a page fault or #GP of the fetch comes before. Which bytes an undefined
//! opcode has is as measured on a processor with AVX-512 (family 6, model 55h), in 16-, 32- and 64-bit code:
//!
//! * The length does not depend on 66h, F2h, F3h or LOCK, but that 66h and REX.W size immediates.
//! * 0F39h, 0F3Ch and 0F3Dh lead to maps like that of 0F38h, 0F3Bh, 0F3Eh and 0F3Fh to maps like that of 0F3Ah.
//! * Without a ModR/M byte: 0F04h, 0F0Ah, 0F0Ch, 0F0Fh (with 3DNow! it has one, and the opcode behind it), 0F24h to 0F27h,
//!   0F36h.
//! * What 64-bit mode took away keeps its operands: 9Ah, EAh, 82h, D4h, D5h.
//! * Of VEX's map number the low two bits count: 1, 2 and 3 are the maps behind 0Fh, 0F38h and 0F3Ah with their lengths,
//!   0F38h to 0F3Fh then have no operands, and 66h does not size the displacement of 0F8xh; 0 is #UD at once.
//! * Of an instruction that goes on behind its 15th byte the 16th is fetched, and no more.
//!
//! On AMD's (measured on family 19h, model 11h) it is otherwise:
//!
//! * 0F39h and 0F3Bh to 0F3Fh are opcodes themselves, and without a ModR/M byte are 0F7Ah, 0F7Bh, 0FA6h, 0FA7h, 0FB9h, 0FFFh
//!   too; EXTRQ's 0F78h has two bytes behind its operands.
//! * VEX's maps but the three, and XOP's (8Fh with a reg field other than 0), have a ModR/M byte; XOP's map 10 four more bytes.
//! * 66h sizes near displacements in 64-bit mode.
//! * Nothing behind the 15th byte is fetched.
//!
//! **Known inaccuracies**: older processors are not known to have found the ends of undefined opcodes in just this way.
//! EVEX is left to iced-x86.

/// The longest instruction (SDM vol. 2, section 2.3.11).
pub const LONGEST: usize = 15;

/// Where an instruction ends.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Extent {
    /// Behind so many bytes.
    Whole(usize),
    /// Behind the bytes given.
    More,
    /// Behind the 15th byte: the 16th is there.
    TooLong,
    /// EVEX.
    Unknown,
}

/// What makes a difference between models.
#[derive(Copy, Clone, Debug)]
pub struct Maps {
    /// VEX exists.
    pub vex: bool,
    /// 3DNow! exists.
    pub d3now: bool,
    /// As AMD's processors have it.
    pub amd: bool,
}

/// What follows an opcode byte.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
struct Operands {
    modrm: Modrm,
    immediate: Immediate,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Modrm {
    None,
    /// With SIB and displacement as it says.
    Present,
    /// Every one names a register: MOV of control and debug registers (SDM vol. 2, "MOV - Move to/from Control Registers").
    Register,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Immediate {
    None,
    Byte,
    Word,
    /// ENTER's word and byte.
    WordAndByte,
    Doubleword,
    /// By operand size, never more than 32 bits.
    Sized,
    /// The same, 64 bits with REX.W.
    Full,
    /// A near displacement: 32 bits in 64-bit mode.
    Near,
    /// By operand size, and a selector.
    Far,
    /// By address size.
    Offset,
    /// Only TEST, /0 and /1 of its group, has one: a byte, or sized.
    Test(bool),
}

const fn operands(modrm: bool, immediate: Immediate) -> Operands {
    let modrm = if modrm { Modrm::Present } else { Modrm::None };
    Operands { modrm, immediate }
}

const NOTHING: Operands = operands(false, Immediate::None);
const MODRM: Operands = operands(true, Immediate::None);
const MODRM_BYTE: Operands = operands(true, Immediate::Byte);
const REGISTERS: Operands = Operands {
    modrm: Modrm::Register,
    immediate: Immediate::None,
};

/// The map without an escape byte; prefixes, 0Fh and what VEX and EVEX use are seen before.
const fn one_byte(opcode: u8) -> Operands {
    match opcode {
        0x00..=0x3F => match opcode & 7 {
            0..=3 => MODRM,
            4 => operands(false, Immediate::Byte),
            5 => operands(false, Immediate::Sized),
            _ => NOTHING,
        },
        0x62 | 0x63 | 0x84..=0x8F | 0xC4 | 0xC5 | 0xD0..=0xD3 | 0xD8..=0xDF | 0xFE | 0xFF => MODRM,
        0x68 | 0xA9 => operands(false, Immediate::Sized),
        0x69 | 0x81 | 0xC7 => operands(true, Immediate::Sized),
        0x6A | 0x70..=0x7F | 0xA8 | 0xB0..=0xB7 | 0xCD | 0xD4 | 0xD5 | 0xE0..=0xE7 | 0xEB => {
            operands(false, Immediate::Byte)
        }
        0x6B | 0x80 | 0x82 | 0x83 | 0xC0 | 0xC1 | 0xC6 => MODRM_BYTE,
        0x9A | 0xEA => operands(false, Immediate::Far),
        0xA0..=0xA3 => operands(false, Immediate::Offset),
        0xB8..=0xBF => operands(false, Immediate::Full),
        0xC2 | 0xCA => operands(false, Immediate::Word),
        0xC8 => operands(false, Immediate::WordAndByte),
        0xE8 | 0xE9 => operands(false, Immediate::Near),
        0xF6 => operands(true, Immediate::Test(false)),
        0xF7 => operands(true, Immediate::Test(true)),
        _ => NOTHING,
    }
}

/// The map behind 0Fh.
const fn two_byte(opcode: u8) -> Operands {
    match opcode {
        0x04..=0x0C | 0x0E | 0x0F | 0x24..=0x27 | 0x30..=0x3F | 0x77 => NOTHING,
        0xA0..=0xA2 | 0xA8..=0xAA | 0xC8..=0xCF => NOTHING,
        0x20..=0x23 => REGISTERS,
        0x70..=0x73 | 0xA4 | 0xAC | 0xBA | 0xC2 | 0xC4..=0xC6 => MODRM_BYTE,
        0x80..=0x8F => operands(false, Immediate::Near),
        _ => MODRM,
    }
}

/// The map behind 0Fh, but for its own escapes, of AMD's processors; `sized`: with 66h, or by VEX.
const fn two_byte_of_amd(opcode: u8, sized: bool) -> Operands {
    match opcode {
        0x39 | 0x3B..=0x3F | 0x7A | 0x7B | 0xA6 | 0xA7 | 0xB9 | 0xFF => NOTHING,
        // 3DNow!'s opcode stands behind the operands.
        0x0F => MODRM_BYTE,
        // EXTRQ's two counts.
        0x78 if sized => operands(true, Immediate::Word),
        _ => two_byte(opcode),
    }
}

/// Bytes, one after the other.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The byte behind the longest instruction is not looked at.
    stops_at_longest: bool,
}

impl Cursor<'_> {
    fn next(&mut self) -> Result<u8, Extent> {
        let byte = self.peek(0)?;
        self.at += 1;
        Ok(byte)
    }

    /// The byte `n` behind the next one.
    fn peek(&self, n: usize) -> Result<u8, Extent> {
        let at = self.at + n;
        match self.bytes.get(at.min(LONGEST)) {
            _ if at >= LONGEST && self.stops_at_longest => Err(Extent::TooLong),
            Some(_) if at >= LONGEST => Err(Extent::TooLong),
            Some(&byte) => Ok(byte),
            None => Err(Extent::More),
        }
    }

    fn skip(&mut self, n: usize) -> Result<(), Extent> {
        for _ in 0..n {
            self.next()?;
        }
        Ok(())
    }
}

/// Where the first instruction of `bytes` ends, in code of so many bits.
pub fn extent(bits: u32, bytes: &[u8], maps: Maps) -> Extent {
    let mut cursor = Cursor {
        bytes,
        at: 0,
        stops_at_longest: maps.amd,
    };
    match walk(bits, &mut cursor, maps) {
        Ok(()) => Extent::Whole(cursor.at),
        Err(extent) => extent,
    }
}

fn walk(bits: u32, c: &mut Cursor<'_>, maps: Maps) -> Result<(), Extent> {
    let (mut size_prefix, mut address_prefix, mut rex) = (false, false, 0);
    let opcode = loop {
        let byte = c.next()?;
        match byte {
            0x66 => size_prefix = true,
            0x67 => address_prefix = true,
            0x26 | 0x2E | 0x36 | 0x3E | 0x64 | 0x65 | 0xF0 | 0xF2 | 0xF3 => {}
            0x40..=0x4F if bits == 64 => {
                rex = byte;
                continue;
            }
            _ => break byte,
        }
        // REX counts only right before the opcode.
        rex = 0;
    };
    let address_bits = match (bits, address_prefix) {
        (64, false) => 64,
        (16, false) | (32, true) => 16,
        _ => 32,
    };
    let is_vector = |c: &Cursor<'_>| Ok(bits == 64 || c.peek(0)? >= 0xC0);
    let (kind, in_vex) = match opcode {
        0xC4 if maps.vex && is_vector(c)? => {
            let map = c.next()? & if maps.amd { 0x1F } else { 3 };
            if map == 0 && !maps.amd {
                return Ok(());
            }
            c.next()?;
            let opcode = c.next()?;
            let kind = match map {
                1 if maps.amd => two_byte_of_amd(opcode, true),
                _ if maps.amd && map != 3 => MODRM,
                1 => two_byte(opcode),
                2 => MODRM,
                _ => MODRM_BYTE,
            };
            (kind, true)
        }
        0xC5 if maps.vex && is_vector(c)? => {
            c.next()?;
            let opcode = c.next()?;
            let kind = match maps.amd {
                true => two_byte_of_amd(opcode, true),
                false => two_byte(opcode),
            };
            (kind, true)
        }
        0x62 if is_vector(c)? => return Err(Extent::Unknown),
        // XOP, where POP has a reg field other than 0.
        0x8F if maps.amd && c.peek(0)? & 0x38 != 0 => {
            let map = c.next()? & 0x1F;
            c.skip(2)?;
            let immediate = if map == 10 {
                Immediate::Doubleword
            } else {
                Immediate::None
            };
            (operands(true, immediate), true)
        }
        0x0F => (escaped(c, maps, size_prefix)?, false),
        _ => (one_byte(opcode), false),
    };
    let reg = match kind.modrm {
        Modrm::None => 0,
        Modrm::Present => modrm(c, address_bits)?,
        Modrm::Register => c.next()? >> 3 & 7,
    };
    let wide = rex & 8 != 0;
    let operand_bytes = match (bits, size_prefix && !in_vex) {
        _ if wide => 4,
        (16, false) | (32 | 64, true) => 2,
        _ => 4,
    };
    c.skip(match kind.immediate {
        Immediate::None => 0,
        Immediate::Byte => 1,
        Immediate::Word => 2,
        Immediate::WordAndByte => 3,
        Immediate::Doubleword => 4,
        Immediate::Sized => operand_bytes,
        Immediate::Full if wide => 8,
        Immediate::Full => operand_bytes,
        Immediate::Near if bits == 64 && !maps.amd => 4,
        Immediate::Near => operand_bytes,
        Immediate::Far => operand_bytes + 2,
        Immediate::Offset => address_bits / 8,
        Immediate::Test(_) if reg > 1 => 0,
        Immediate::Test(false) => 1,
        Immediate::Test(true) => operand_bytes,
    })
}

/// What follows an opcode behind 0Fh, without VEX.
fn escaped(c: &mut Cursor<'_>, maps: Maps, size_prefix: bool) -> Result<Operands, Extent> {
    let opcode = c.next()?;
    if maps.amd && !matches!(opcode, 0x38 | 0x3A) {
        return Ok(two_byte_of_amd(opcode, size_prefix));
    }
    Ok(match opcode {
        0x38 | 0x39 | 0x3C | 0x3D => {
            c.next()?;
            MODRM
        }
        0x3A | 0x3B | 0x3E | 0x3F => {
            c.next()?;
            MODRM_BYTE
        }
        0x0F if maps.d3now => MODRM_BYTE,
        _ => two_byte(opcode),
    })
}

/// Goes over a ModR/M byte with SIB and displacement; gives its reg field.
fn modrm(c: &mut Cursor<'_>, address_bits: usize) -> Result<u8, Extent> {
    let byte = c.next()?;
    let (mode, reg, rm) = (byte >> 6, byte >> 3 & 7, byte & 7);
    if mode == 3 {
        return Ok(reg);
    }
    let mut base = rm;
    if address_bits != 16 && rm == 4 {
        base = c.next()? & 7;
    }
    c.skip(match (mode, address_bits) {
        (0, 16) if rm == 6 => 2,
        (0, 32 | 64) if base == 5 => 4,
        (1, _) => 1,
        (2, 16) => 2,
        (2, _) => 4,
        _ => 0,
    })?;
    Ok(reg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use iced_x86::{CpuidFeature as F, Decoder, DecoderError, DecoderOptions};

    const ALL: Maps = Maps {
        vex: true,
        d3now: true,
        amd: false,
    };

    #[test]
    fn defined_instructions_are_as_long_as_the_decoder_finds_them() {
        let prefixes: [&[u8]; 8] = [
            &[],
            &[0x66],
            &[0x67],
            &[0xF2],
            &[0xF3],
            &[0x66, 0x67],
            &[0x48],
            &[0x66, 0x4F],
        ];
        let escapes: [&[u8]; 12] = [
            &[],
            &[0x0F],
            &[0x0F, 0x38],
            &[0x0F, 0x3A],
            &[0xC5, 0xF8],
            &[0xC5, 0xFD],
            &[0xC4, 0xE1, 0xF9],
            &[0xC4, 0xE2, 0x7D],
            &[0xC4, 0xE2, 0x78],
            &[0xC4, 0xE2, 0xFB],
            &[0xC4, 0xE3, 0x7D],
            &[0xC4, 0xE3, 0x79],
        ];
        let mut seen = 0;
        for bits in [16, 32, 64] {
            for (prefix, escape) in prefixes
                .iter()
                .flat_map(|p| escapes.iter().map(move |e| (p, e)))
            {
                let step = if prefix.is_empty() { 1 } else { 7 };
                let operands = (0..=255u8).step_by(step);
                for (opcode, modrm) in
                    (0..=255u8).flat_map(|o| operands.clone().map(move |m| (o, m)))
                {
                    let mut bytes = [prefix, *escape, &[opcode, modrm, 0x25][..]].concat();
                    bytes.extend([0x9E; 13]);
                    let mut decoder =
                        Decoder::new(bits, &bytes, DecoderOptions::FORCE_RESERVED_NOP);
                    let insn = decoder.decode();
                    // AMD's XOP and SSE4A are on no model's list.
                    let strange = |f: &F| matches!(f, F::XOP | F::LWP | F::TBM | F::SSE4A);
                    if decoder.last_error() != DecoderError::None
                        || insn.cpuid_features().iter().any(strange)
                    {
                        continue;
                    }
                    let found = extent(bits, &bytes, ALL);
                    if found == Extent::Unknown {
                        assert_eq!(insn.encoding(), iced_x86::EncodingKind::EVEX);
                        continue;
                    }
                    assert_eq!(found, Extent::Whole(insn.len()), "{bits} {bytes:02x?}");
                    assert_eq!(extent(bits, &bytes[..insn.len() - 1], ALL), Extent::More);
                    seen += 1;
                }
            }
        }
        assert!(seen > 500_000, "{seen}");
    }

    #[test]
    fn undefined_instructions_have_the_bytes_that_a_processor_fetched() {
        let length = |bits, bytes: &[u8]| match extent(bits, bytes, ALL) {
            Extent::Whole(n) => n,
            other => panic!("{bytes:02x?}: {other:?}"),
        };
        let tail = [0x85, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66];
        for (bits, start, expected) in [
            // Undefined by prefix, opcode, map, group, mode.
            (32, &[0xF3, 0x0F, 0x0D, 0x44][..], 6),
            (32, &[0x0F, 0x04], 2),
            (32, &[0x0F, 0x27], 2),
            (32, &[0x0F, 0x39, 0x00, 0x44], 6),
            (32, &[0x0F, 0x3F, 0x00, 0x44], 7),
            (16, &[0xF2, 0x0F, 0x71, 0x80], 7),
            (32, &[0xC6, 0xC8], 3),
            (32, &[0xC7, 0xC8], 6),
            (32, &[0x66, 0xC7, 0xC8], 5),
            (32, &[0x8F, 0xC8], 2),
            (32, &[0xDE, 0xD8], 2),
            (64, &[0x06], 1),
            (64, &[0xD6], 1),
            (64, &[0x9A], 7),
            (64, &[0x66, 0xEA], 6),
            (64, &[0x82, 0x80], 7),
            (32, &[0xC4, 0xE0], 2),
            (32, &[0xC4, 0xE5, 0x78, 0x10, 0x44], 7),
            (32, &[0xC4, 0xFB, 0x78, 0x10, 0xC0], 6),
            (32, &[0xC5, 0xF8, 0x0F], 3),
            (32, &[0xC5, 0xF8, 0x38], 3),
            (32, &[0x66, 0xC5, 0xF8, 0x80], 8),
            (16, &[0xC5, 0xF8, 0x80], 5),
        ] {
            let bytes = [start, &tail[..]].concat();
            assert_eq!(length(bits, &bytes), expected, "{bits} {start:02x?}");
        }
        let without = Maps {
            vex: false,
            d3now: false,
            amd: false,
        };
        assert_eq!(extent(32, &[0x0F, 0x0F], without), Extent::Whole(2));
        assert_eq!(extent(32, &[0xC4, 0xC0], without), Extent::Whole(2));
    }

    #[test]
    fn near_displacements_of_amd_follow_the_operand_size_and_ud1_ends_behind_its_opcode() {
        let amd = Maps { amd: true, ..ALL };
        let length = |maps, bytes: &[u8]| extent(64, bytes, maps);
        let jcc = [0x66, 0x0F, 0x82, 0, 0, 0, 0];
        assert_eq!(length(ALL, &jcc), Extent::Whole(7));
        assert_eq!(length(amd, &jcc), Extent::Whole(5));
        assert_eq!(length(ALL, &[0x0F, 0xB9]), Extent::More);
        assert_eq!(length(amd, &[0x0F, 0xB9]), Extent::Whole(2));
    }

    #[test]
    fn the_sixteenth_byte_tells_that_an_instruction_is_too_long() {
        for bytes in [[0x66; 16], {
            let mut b = [0x66; 16];
            b[14] = 0x0F;
            b[15] = 0x04;
            b
        }] {
            assert_eq!(extent(32, &bytes, ALL), Extent::TooLong);
            assert_eq!(extent(32, &bytes[..15], ALL), Extent::More);
        }
        let mut fits = [0x66; 16];
        fits[13] = 0x0F;
        fits[14] = 0x04;
        assert_eq!(extent(32, &fits[..15], ALL), Extent::Whole(15));
    }
}
