//! The bytes of an instruction of a given form: prefixes in any order, redundant ones and such as make it invalid now and
//! then, every addressing shape, immediates at their edges.

use super::case::CodeSize;
use super::layout;
use crate::operands::Prng;
use iced_x86::{
    Code, EncodingKind, Instruction, MandatoryPrefix, OpCodeInfo, OpCodeOperandKind as K,
    OpCodeTableKind, OpKind,
};

/// The longest instruction.
const LONGEST: usize = 15;

/// What was emitted.
#[derive(Clone, Debug, Default)]
pub struct Emitted {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Where a displacement stands that can be chosen freely (no base, no index): position, bytes, RIP-relative.
    pub free_displacement: Option<(usize, usize, bool)>,
    /// Meant to be invalid: LOCK where it must not stand.
    pub illegal_lock: bool,
}

/// Integers at the edges of every width, and any.
pub fn integer(rng: &mut Prng) -> u64 {
    match rng.below(10) {
        0 => rng.below(4).wrapping_sub(2),
        1 => rng.below(40),
        2 => 1 << rng.below(64),
        3 => (1u64 << rng.pick(&[7, 8, 15, 16, 31, 32, 63]))
            .wrapping_add(rng.below(3))
            .wrapping_sub(1),
        4 => 0u64
            .wrapping_sub(1 << rng.pick(&[7, 8, 15, 16, 31, 32]))
            .wrapping_add(rng.below(3))
            .wrapping_sub(1),
        5 => rng.next_u64() >> rng.below(64),
        6 => (rng.next_u64() as i64 >> rng.below(64)) as u64,
        _ => rng.next_u64(),
    }
}

fn has(info: &OpCodeInfo, kinds: &[K]) -> bool {
    info.op_kinds().iter().any(|k| kinds.contains(k))
}

const MEMORY: [K; 11] = [
    K::mem,
    K::mem_mpx,
    K::mem_mib,
    K::mem_vsib32x,
    K::mem_vsib64x,
    K::mem_vsib32y,
    K::mem_vsib64y,
    K::mem_vsib32z,
    K::mem_vsib64z,
    K::sibmem,
    K::bnd_or_mem_mpx,
];
const REGISTER_OR_MEMORY: [K; 11] = [
    K::r8_or_mem,
    K::r16_or_mem,
    K::r32_or_mem,
    K::r32_or_mem_mpx,
    K::r64_or_mem,
    K::r64_or_mem_mpx,
    K::mm_or_mem,
    K::xmm_or_mem,
    K::ymm_or_mem,
    K::zmm_or_mem,
    K::k_or_mem,
];
const IN_MODRM: [K; 22] = [
    K::r8_reg,
    K::r16_reg,
    K::r16_reg_mem,
    K::r16_rm,
    K::r32_reg,
    K::r32_reg_mem,
    K::r32_rm,
    K::r64_reg,
    K::r64_reg_mem,
    K::r64_rm,
    K::seg_reg,
    K::mm_reg,
    K::mm_rm,
    K::xmm_reg,
    K::xmm_rm,
    K::ymm_reg,
    K::ymm_rm,
    K::bnd_reg,
    K::cr_reg,
    K::dr_reg,
    K::tr_reg,
    K::k_reg,
];
const VSIB: [K; 6] = [
    K::mem_vsib32x,
    K::mem_vsib64x,
    K::mem_vsib32y,
    K::mem_vsib64y,
    K::mem_vsib32z,
    K::mem_vsib64z,
];
const IN_OPCODE: [K; 5] = [
    K::r8_opcode,
    K::r16_opcode,
    K::r32_opcode,
    K::r64_opcode,
    K::sti_opcode,
];
const IN_VVVV: [K; 6] = [
    K::r32_vvvv,
    K::r64_vvvv,
    K::xmm_vvvv,
    K::ymm_vvvv,
    K::k_vvvv,
    K::xmmp3_vvvv,
];

struct Emitter<'a> {
    rng: &'a mut Prng,
    info: &'static OpCodeInfo,
    size: CodeSize,
    out: Emitted,
    /// REX or VEX bits: R, X, B.
    rxb: [bool; 3],
    modrm: Vec<u8>,
    free: Option<(usize, usize, bool)>,
}

/// Selectors that far pointers name: mostly ones that can be transferred to.
pub fn far_selector(rng: &mut Prng) -> u16 {
    match rng.below(12) {
        0..4 => layout::CS32,
        4..7 => layout::CODE16,
        7..9 => layout::CODE32,
        9 => layout::CODE_EXECUTE_ONLY,
        _ => any_selector(rng),
    }
}

/// Any selector but those whose descriptors tell of the host's kernel (TSS, LDT, TLS, CPU number) or of 64-bit code.
pub fn any_selector(rng: &mut Prng) -> u16 {
    match rng.below(12) {
        0 => rng.below(4) as u16,
        1 => rng.pick(&[0x08, 0x10, 0x18, 0x0B, 0x1B]),
        2 => rng.pick(&[0x80u16, 0xFFF8, 0x87, 0x4F, 0x57, 0xFFFF, 0xFFFB]),
        3 => layout::CS32 & !3 | rng.below(4) as u16,
        4 => layout::FLAT & !3 | rng.below(4) as u16,
        _ => {
            (rng.below(layout::LOCALS.len() as u64) as u16) << 3
                | 4
                | rng.pick(&[0, 1, 2, 3, 3, 3, 3, 3])
        }
    }
}

/// An instruction of the form.
pub fn emit(rng: &mut Prng, code: Code, size: CodeSize) -> Emitted {
    let mut e = Emitter {
        rng,
        info: code.op_code(),
        size,
        out: Emitted::default(),
        rxb: [false; 3],
        modrm: Vec::new(),
        free: None,
    };
    e.emit();
    e.out
}

/// The address size of an instruction of which only the bytes know it.
pub fn address_bits(insn: &Instruction, size: CodeSize) -> u32 {
    let registers = [insn.op0_kind(), insn.op1_kind()];
    for kind in registers {
        match kind {
            OpKind::MemorySegSI | OpKind::MemoryESDI | OpKind::MemorySegDI => return 16,
            OpKind::MemorySegESI | OpKind::MemoryESEDI | OpKind::MemorySegEDI => return 32,
            OpKind::MemorySegRSI | OpKind::MemoryESRDI | OpKind::MemorySegRDI => return 64,
            _ => {}
        }
    }
    size.bits()
}

impl Emitter<'_> {
    fn chance(&mut self, one_in: u64) -> bool {
        self.rng.below(one_in) == 0
    }

    fn emit(&mut self) {
        let info = self.info;
        let long = self.size == CodeSize::Bits64;
        let mut prefixes = self.legacy_prefixes();
        let address_bits = self.address_bits(&mut prefixes);
        if long {
            for bit in &mut self.rxb {
                *bit = self.rng.below(2) == 0;
            }
        }
        let mut opcode = info.op_code();
        if has(info, &IN_OPCODE) {
            opcode |= self.rng.below(8) as u32;
        }
        self.modrm_bytes(address_bits);
        self.shuffle(&mut prefixes);
        let mut bytes = prefixes;
        match info.encoding() {
            EncodingKind::VEX => self.vex(&mut bytes),
            _ => self.rex_and_map(&mut bytes),
        }
        let opcode_bytes = opcode.to_be_bytes();
        bytes.extend(&opcode_bytes[4 - (info.op_code_len().clamp(1, 2) as usize)..]);
        if let Some((at, n, relative)) = self.free {
            self.out.free_displacement = Some((bytes.len() + at, n, relative));
        }
        bytes.extend(&self.modrm);
        self.immediates(&mut bytes, address_bits);
        bytes.truncate(LONGEST);
        self.out.bytes = bytes;
    }

    /// All prefixes but REX and VEX.
    fn legacy_prefixes(&mut self) -> Vec<u8> {
        let info = self.info;
        let mut p = Vec::new();
        let memory =
            has(info, &MEMORY) || has(info, &REGISTER_OR_MEMORY) || has(info, &[K::mem_offs]);
        let strings = has(info, &[K::seg_rSI, K::es_rDI, K::seg_rDI, K::seg_rBX_al]);
        let one_in = if memory || strings { 5 } else { 60 };
        if self.chance(one_in) {
            p.push(self.rng.pick(&[0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65]));
        }
        if info.encoding() != EncodingKind::Legacy {
            return p;
        }
        if info.can_use_lock_prefix() {
            if self.chance(3) {
                p.push(0xF0);
            }
        } else if self.chance(80) {
            p.push(0xF0);
            self.out.illegal_lock = true;
        }
        match (self.size, info.operand_size()) {
            (CodeSize::Bits16, 32) | (CodeSize::Bits32 | CodeSize::Bits64, 16) => p.push(0x66),
            _ if info.mandatory_prefix() == MandatoryPrefix::P66 => {}
            _ if self.chance(40) => p.push(0x66),
            _ => {}
        }
        match info.mandatory_prefix() {
            MandatoryPrefix::P66 => p.push(0x66),
            MandatoryPrefix::PF3 => p.push(0xF3),
            MandatoryPrefix::PF2 => p.push(0xF2),
            _ => {
                let repeats = info.can_use_rep_prefix() || info.can_use_repne_prefix();
                if self.chance(if repeats { 2 } else { 40 }) {
                    p.push(self.rng.pick(&[0xF2, 0xF3]));
                }
            }
        }
        p
    }

    /// Chooses the address size; adds its prefix.
    fn address_bits(&mut self, prefixes: &mut Vec<u8>) -> u32 {
        let own = self.size.bits();
        let other = match self.size {
            CodeSize::Bits16 => 32,
            CodeSize::Bits32 => 16,
            CodeSize::Bits64 => 32,
        };
        let wanted = match self.info.address_size() {
            0 if has(self.info, &VSIB) || has(self.info, &[K::sibmem]) => {
                if own == 16 {
                    32
                } else {
                    own
                }
            }
            0 => {
                if self.chance(6) {
                    other
                } else {
                    own
                }
            }
            n => n,
        };
        if wanted != own {
            prefixes.push(0x67);
        }
        wanted
    }

    fn shuffle(&mut self, prefixes: &mut [u8]) {
        for i in (1..prefixes.len()).rev() {
            prefixes.swap(i, self.rng.below(i as u64 + 1) as usize);
        }
    }

    fn rex_and_map(&mut self, bytes: &mut Vec<u8>) {
        if self.size == CodeSize::Bits64 {
            let info = self.info;
            let wide =
                info.operand_size() == 64 && !info.default_op_size64() && !info.force_op_size64();
            let wide = wide || info.operand_size() == 64 && self.chance(8);
            let [r, x, b] = self.rxb;
            let rex =
                0x40 | u8::from(wide) << 3 | u8::from(r) << 2 | u8::from(x) << 1 | u8::from(b);
            let rex = if info.operand_size() == 0 && self.chance(3) {
                rex | 8
            } else {
                rex
            };
            if rex != 0x40 || self.chance(4) {
                // A REX that another prefix follows counts for nothing.
                if self.chance(60) && !bytes.is_empty() {
                    bytes.insert(0, rex);
                } else {
                    bytes.push(rex);
                }
            }
        }
        match self.info.table() {
            OpCodeTableKind::T0F => bytes.push(0x0F),
            OpCodeTableKind::T0F38 => bytes.extend([0x0F, 0x38]),
            OpCodeTableKind::T0F3A => bytes.extend([0x0F, 0x3A]),
            _ => {}
        }
    }

    fn vex(&mut self, bytes: &mut Vec<u8>) {
        let info = self.info;
        let map = match info.table() {
            OpCodeTableKind::T0F => 1,
            OpCodeTableKind::T0F38 => 2,
            OpCodeTableKind::T0F3A => 3,
            _ => 0,
        };
        let pp = match info.mandatory_prefix() {
            MandatoryPrefix::P66 => 1,
            MandatoryPrefix::PF3 => 2,
            MandatoryPrefix::PF2 => 3,
            _ => 0,
        };
        let l = if info.is_lig() {
            self.rng.below(2) as u32
        } else {
            info.l()
        };
        let w = if info.is_wig() || (info.is_wig32() && self.size != CodeSize::Bits64) {
            self.rng.below(2) == 0
        } else {
            info.w() != 0
        };
        let long = self.size == CodeSize::Bits64;
        let mut vvvv = if has(info, &IN_VVVV) {
            self.rng.below(16) as u8
        } else {
            0
        };
        if !long {
            vvvv &= 7;
        }
        let vvvv = !vvvv & 15;
        let [r, x, b] = self.rxb.map(|bit| long && bit);
        let last = vvvv << 3 | (l as u8) << 2 | pp;
        if map == 1 && !w && !x && !b && self.rng.below(2) == 0 {
            bytes.extend([0xC5, u8::from(!r) << 7 | last]);
        } else {
            let first = u8::from(!r) << 7 | u8::from(!x) << 6 | u8::from(!b) << 5 | map;
            bytes.extend([0xC4, first, u8::from(w) << 7 | last]);
        }
    }

    /// ModR/M, SIB and displacement.
    fn modrm_bytes(&mut self, address_bits: u32) {
        let info = self.info;
        let may_be_memory = has(info, &REGISTER_OR_MEMORY);
        let must_be_memory = has(info, &MEMORY);
        let needed = may_be_memory || must_be_memory || has(info, &IN_MODRM) || info.is_group();
        if !needed || info.op_code_len() > 1 {
            return;
        }
        let mut reg = self.rng.below(8) as u8;
        if info.is_group() {
            reg = info.group_index() as u8;
        } else if has(info, &[K::seg_reg]) && !self.chance(30) {
            reg = self.rng.below(6) as u8;
        }
        let memory = must_be_memory || (may_be_memory && self.rng.below(5) < 3);
        if !memory {
            let rm = match info.rm_group_index() {
                n if info.is_rm_group() && n >= 0 => n as u8,
                _ => self.rng.below(8) as u8,
            };
            self.modrm.push(0xC0 | reg << 3 | rm);
        } else if address_bits == 16 {
            self.memory_16(reg);
        } else {
            self.memory_32(reg);
        }
    }

    fn memory_16(&mut self, reg: u8) {
        let (mode, rm) = (self.rng.below(3) as u8, self.rng.below(8) as u8);
        self.modrm.push(mode << 6 | reg << 3 | rm);
        let bytes = match mode {
            0 if rm == 6 => {
                self.free = Some((1, 2, false));
                2
            }
            0 => 0,
            n => usize::from(n),
        };
        let displacement = self.displacement(bytes);
        self.modrm.extend(&displacement.to_le_bytes()[..bytes]);
    }

    fn memory_32(&mut self, reg: u8) {
        let sib_needed = has(self.info, &VSIB) || has(self.info, &[K::sibmem]);
        let mode = self.rng.below(3) as u8;
        let rm = if sib_needed {
            4
        } else {
            self.rng.below(8) as u8
        };
        self.modrm.push(mode << 6 | reg << 3 | rm);
        let mut bytes = match mode {
            0 if rm == 5 => {
                self.free = Some((1, 4, self.size == CodeSize::Bits64));
                4
            }
            0 => 0,
            1 => 1,
            _ => 4,
        };
        if rm == 4 {
            let sib = self.rng.next_u64() as u8;
            let sib = if self.chance(8) {
                sib & 0xC0 | 0x25
            } else {
                sib
            };
            self.modrm.push(sib);
            if mode == 0 && sib & 7 == 5 {
                bytes = 4;
                if sib >> 3 & 7 == 4 && !self.rxb[1] {
                    self.free = Some((2, 4, false));
                }
            }
        }
        let displacement = self.displacement(bytes);
        self.modrm.extend(&displacement.to_le_bytes()[..bytes]);
    }

    fn displacement(&mut self, bytes: usize) -> u64 {
        match bytes {
            4 if self.rng.below(2) == 0 => self.rng.below(0x2000).wrapping_sub(0x1000),
            _ => integer(self.rng),
        }
    }

    fn immediates(&mut self, bytes: &mut Vec<u8>, address_bits: u32) {
        for &kind in self.info.op_kinds() {
            let n = match kind {
                K::imm8 | K::imm8sex16 | K::imm8sex32 | K::imm8sex64 => 1,
                K::xmm_is4 | K::ymm_is4 | K::xmm_is5 | K::ymm_is5 => 1,
                K::imm16 => 2,
                K::imm32 | K::imm32sex64 => 4,
                K::imm64 => 8,
                K::br16_1 | K::br32_1 | K::br64_1 => 1,
                K::br16_2 | K::brdisp_2 | K::xbegin_2 => 2,
                K::br32_4 | K::br64_4 | K::brdisp_4 | K::xbegin_4 => 4,
                K::mem_offs => {
                    let n = (address_bits / 8) as usize;
                    self.out.free_displacement = Some((bytes.len(), n, false));
                    n
                }
                K::farbr2_2 | K::farbr4_2 => {
                    let n = if kind == K::farbr2_2 { 2 } else { 4 };
                    let offset = match self.rng.below(4) {
                        0 => integer(self.rng),
                        1 => layout::LOW + u64::from(layout::CODE) + self.rng.below(0x1000),
                        _ => u64::from(layout::CODE) + self.rng.below(0x1000),
                    };
                    bytes.extend(&offset.to_le_bytes()[..n]);
                    bytes.extend(&far_selector(self.rng).to_le_bytes());
                    continue;
                }
                _ => continue,
            };
            let value = match kind {
                K::br16_2 | K::br32_4 | K::br64_4 if self.rng.below(3) != 0 => {
                    self.rng.below(0x1000).wrapping_sub(0x800)
                }
                _ => integer(self.rng),
            };
            bytes.extend(&value.to_le_bytes()[..n]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::forms::Forms;
    use crate::native::host;
    use crate::native::suite::richest_model;
    use iced_x86::Decoder;

    #[test]
    fn every_form_that_is_compared_is_emitted() {
        let mut rng = Prng::new(1);
        let mut missed = Vec::new();
        for size in CodeSize::ALL {
            for code in Forms::new(richest_model().unwrap(), size).compared {
                let met = (0..400).any(|_| {
                    let e = emit(&mut rng, code, size);
                    let mut d = Decoder::new(size.bits(), &e.bytes, host::decoder_options());
                    d.decode().code() == code
                });
                if !met {
                    missed.push((size, code));
                }
            }
        }
        assert!(missed.is_empty(), "{missed:?}");
    }
}
