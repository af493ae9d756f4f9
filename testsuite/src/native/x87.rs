//! The host's own x87, as an oracle: any register-form or memory-form instruction of the escape opcodes D8-DF is
//! executed on a given FPU state, and the state after it is read back. An unmasked exception stays pending and is
//! read, not taken: only no-wait instructions follow.
//!
//! x86-64 hosts only. On a processor that deprecates FCS and FDS these are stored as zero.
#![expect(
    unsafe_code,
    reason = "the point of this file: executing x87 instructions of the host"
)]

use std::arch::{asm, global_asm};

/// What FNSAVE stores in 32-bit protected mode: environment (28 bytes), then ST(0) to ST(7), ten bytes each
/// (SDM vol. 1, figures 8-9 and 8-13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(16))]
pub struct SaveImage(pub [u8; 108]);

impl SaveImage {
    /// An image with the given control, status and tag words and registers ST(0) to ST(7).
    pub fn new(control: u16, status: u16, tag: u16, st: &[(u16, u64); 8]) -> Self {
        let mut image = Self([0; 108]);
        image.set_word(0, control);
        image.set_word(4, status);
        image.set_word(8, tag);
        for (i, (sign_exp, significand)) in st.iter().enumerate() {
            let at = 28 + 10 * i;
            image.0[at..at + 8].copy_from_slice(&significand.to_le_bytes());
            image.set_word(at + 8, *sign_exp);
        }
        image
    }

    fn set_word(&mut self, at: usize, value: u16) {
        self.0[at..at + 2].copy_from_slice(&value.to_le_bytes());
    }

    fn word(&self, at: usize) -> u16 {
        u16::from_le_bytes([self.0[at], self.0[at + 1]])
    }

    /// The control word.
    pub fn control(&self) -> u16 {
        self.word(0)
    }

    /// The status word.
    pub fn status(&self) -> u16 {
        self.word(4)
    }

    /// The tag word.
    pub fn tag(&self) -> u16 {
        self.word(8)
    }

    /// ST(i): sign and exponent, significand.
    pub fn st(&self, i: usize) -> (u16, u64) {
        let at = 28 + 10 * (i & 7);
        let mut significand = [0; 8];
        significand.copy_from_slice(&self.0[at..at + 8]);
        (self.word(at + 8), u64::from_le_bytes(significand))
    }
}

/// The bytes a memory operand is read from and written to; as long as the longest FNSAVE image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(16))]
pub struct Memory(pub [u8; 128]);

/// The arithmetic flags FCMOVcc reads and FCOMI writes: CF, PF, ZF (and SF, OF, AF).
pub const ARITHMETIC_FLAGS: u64 = 0x8D5;

// One stub of 4 bytes for each instruction: 64 register forms (ModRM C0-FF), then 8 memory forms at [rdi], for each
// of D8-DF. `wait`ing for earlier exceptions is part of the instructions, and no stub follows another.
global_asm!(
    ".pushsection .text.boxwood_x87_stubs, \"ax\", @progbits",
    ".balign 16",
    ".globl boxwood_x87_stub_table",
    "boxwood_x87_stub_table:",
    ".set boxwood_x87_escape, 0xD8",
    ".rept 8",
    ".set boxwood_x87_modrm, 0xC0",
    ".rept 64",
    ".byte boxwood_x87_escape, boxwood_x87_modrm, 0xC3, 0xCC",
    ".set boxwood_x87_modrm, boxwood_x87_modrm + 1",
    ".endr",
    ".set boxwood_x87_modrm, 7",
    ".rept 8",
    ".byte boxwood_x87_escape, boxwood_x87_modrm, 0xC3, 0xCC",
    ".set boxwood_x87_modrm, boxwood_x87_modrm + 8",
    ".endr",
    ".set boxwood_x87_escape, boxwood_x87_escape + 1",
    ".endr",
    ".popsection",
);

unsafe extern "C" {
    #[link_name = "boxwood_x87_stub_table"]
    static STUBS: [[u8; 4]; 8 * 72];
}

/// Whether a processor with the P6 instruction set and SSE3 defines the instruction (undocumented aliases
/// included), so that it raises no invalid-opcode exception. `modrm` names ST(i) by C0-FF; for a memory form only
/// bits 5-3 count.
pub fn is_defined(escape: u8, modrm: u8) -> bool {
    let reg = modrm >> 3 & 7;
    if modrm < 0xC0 {
        return !matches!((escape, reg), (0xD9, 1) | (0xDB, 4 | 6) | (0xDD, 5));
    }
    match escape {
        0xD8 | 0xDC => true,
        0xD9 => !matches!(modrm, 0xD1..=0xD7 | 0xE2 | 0xE3 | 0xE6 | 0xE7 | 0xEF),
        0xDA => reg < 4 || modrm == 0xE9,
        0xDB => reg < 4 || (0xE0..=0xE4).contains(&modrm) || reg == 5 || reg == 6,
        0xDD => reg < 6,
        0xDE => reg != 3 || modrm == 0xD9,
        0xDF => reg < 4 || modrm == 0xE0 || reg == 5 || reg == 6,
        _ => false,
    }
}

/// Loads `image`, executes one instruction with the given arithmetic flags, and returns the state and flags after
/// it. A memory form accesses `memory`.
///
/// # Panics
/// If the instruction is not defined, or if `image` has an unmasked exception pending, which the instruction would
/// take.
pub fn execute(
    escape: u8,
    modrm: u8,
    image: &SaveImage,
    memory: &mut Memory,
    flags: u64,
) -> (SaveImage, u64) {
    assert!(
        is_defined(escape, modrm),
        "{escape:02X} {modrm:02X} is not defined"
    );
    assert!(
        image.status() & !image.control() & 0x3F == 0,
        "an unmasked exception is pending"
    );
    let index = usize::from(escape - 0xD8) * 72
        + match modrm {
            0xC0.. => usize::from(modrm - 0xC0),
            _ => 64 + usize::from(modrm >> 3),
        };
    let mut image = *image;
    let mut flags = flags & ARITHMETIC_FLAGS | 2;
    // SAFETY: `is_defined` admits only x87 instructions that do not fault with #UD and never transfer control; the
    // stub returns at once. FRSTOR loads a state with no unmasked exception pending, so neither the instruction nor
    // anything after it raises #MF: FNSAVE does not wait, and leaves the FPU initialised, as the ABI wants it.
    // Memory forms access at most 108 bytes at RDI, inside `memory`; all x87 registers are declared clobbered; the
    // flags pushed are the arithmetic ones and the reserved bit 1.
    unsafe {
        let stub = (&raw const STUBS).cast::<[u8; 4]>().add(index);
        asm!(
            "frstor [{image}]",
            "push {flags}",
            "popfq",
            "call {stub}",
            "pushfq",
            "pop {flags}",
            "fnsave [{image}]",
            image = in(reg) &raw mut image,
            stub = in(reg) stub,
            flags = inout(reg) flags,
            in("rdi") &raw mut *memory,
            out("ax") _,
            out("st(0)") _, out("st(1)") _, out("st(2)") _, out("st(3)") _,
            out("st(4)") _, out("st(5)") _, out("st(6)") _, out("st(7)") _,
            out("mm0") _, out("mm1") _, out("mm2") _, out("mm3") _,
            out("mm4") _, out("mm5") _, out("mm6") _, out("mm7") _,
        );
    }
    (image, flags & ARITHMETIC_FLAGS)
}

/// The 512 bytes of FXSAVE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(16))]
pub struct FxArea(pub [u8; 512]);

/// What FNSAVE with a 16-bit operand stores (SDM vol. 1, figure 8-11), in the first 94 bytes.
pub fn save_16(image: &SaveImage) -> [u8; 94] {
    let mut bytes = [0; 94];
    // SAFETY: FRSTOR reads 108 bytes, FNSAVE writes 94 and leaves the FPU initialised without waiting.
    unsafe {
        asm!(
            "frstor [{image}]",
            "data16 fnsave [{bytes}]",
            image = in(reg) &raw const *image,
            bytes = in(reg) &raw mut bytes,
            clobber_abi("sysv64"),
        );
    }
    bytes
}

/// The state after FRSTOR with a 16-bit operand.
pub fn restore_16(bytes: &[u8; 94]) -> SaveImage {
    let mut image = SaveImage([0; 108]);
    // SAFETY: FRSTOR reads 94 bytes; FNSAVE writes 108 and leaves the FPU initialised without waiting.
    unsafe {
        asm!(
            "data16 frstor [{bytes}]",
            "fnsave [{image}]",
            image = in(reg) &raw mut image,
            bytes = in(reg) &raw const *bytes,
            clobber_abi("sysv64"),
        );
    }
    image
}

/// What FXSAVE stores.
pub fn fxsave(image: &SaveImage) -> FxArea {
    let mut area = FxArea([0; 512]);
    // SAFETY: FRSTOR reads 108 bytes, FXSAVE writes 512 aligned ones; FNINIT leaves the FPU as the ABI wants it.
    unsafe {
        asm!(
            "frstor [{image}]",
            "fxsave [{area}]",
            "fninit",
            image = in(reg) &raw const *image,
            area = in(reg) &raw mut area,
            clobber_abi("sysv64"),
        );
    }
    area
}

/// The x87 state after FXRSTOR of the first 160 bytes; the SSE part is the host's own.
pub fn fxrstor(x87: &[u8; 160]) -> SaveImage {
    let mut area = FxArea([0; 512]);
    let mut image = SaveImage([0; 108]);
    // SAFETY: the area comes from FXSAVE, so MXCSR and the XMM registers get their own values back and no reserved
    // bit is set; FNSAVE does not wait and leaves the FPU initialised.
    unsafe {
        asm!(
            "fxsave [{area}]",
            area = in(reg) &raw mut area,
            options(nostack, preserves_flags),
        );
        area.0[..24].copy_from_slice(&x87[..24]);
        area.0[32..160].copy_from_slice(&x87[32..]);
        asm!(
            "fxrstor [{area}]",
            "fnsave [{image}]",
            area = in(reg) &raw const area,
            image = in(reg) &raw mut image,
            clobber_abi("sysv64"),
        );
    }
    image
}
