//! The host's own scalar SSE (and FMA) arithmetic, as an oracle: one instruction under a given MXCSR, all exceptions
//! masked, and the flags it raised.
//!
//! x86-64 hosts only; the fused operations need AVX-512F.
#![expect(
    unsafe_code,
    reason = "the point of this file: executing SSE instructions of the host"
)]

use std::arch::{asm, global_asm};

/// The instructions, in the order of the stubs. Operands are XMM0 = a, XMM1 = b, XMM2 = c, RAX = a; the result is in
/// XMM0, in RAX, or in EFLAGS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Instruction {
    /// a + b, single
    Addss,
    /// a + b, double
    Addsd,
    /// a - b
    Subss,
    /// a - b
    Subsd,
    /// a * b
    Mulss,
    /// a * b
    Mulsd,
    /// a / b
    Divss,
    /// a / b
    Divsd,
    /// square root of b
    Sqrtss,
    /// square root of b
    Sqrtsd,
    /// b, single to double
    Cvtss2sd,
    /// b, double to single
    Cvtsd2ss,
    /// RAX = b rounded, 32 bits
    Cvtss2si,
    /// RAX = b rounded, 64 bits
    Cvtsd2si64,
    /// RAX = b truncated, 64 bits
    Cvttss2si64,
    /// RAX = b truncated, 32 bits
    Cvttsd2si,
    /// 64-bit RAX to single
    Cvtsi2ss64,
    /// 64-bit RAX to double
    Cvtsi2sd64,
    /// compares a with b, a quiet NaN is invalid
    Comiss,
    /// compares a with b, a quiet NaN is invalid
    Comisd,
    /// compares a with b
    Ucomiss,
    /// compares a with b
    Ucomisd,
    /// b * a + c: VFMADD213 a, b, c
    Vfmadd213ss,
    /// b * a + c
    Vfmadd213sd,
}

// One stub of 16 bytes for each.
global_asm!(
    ".pushsection .text.boxwood_sse_stubs, \"ax\", @progbits",
    ".balign 16",
    ".globl boxwood_sse_stub_table",
    "boxwood_sse_stub_table:",
    "addss xmm0, xmm1",
    "ret",
    ".balign 16",
    "addsd xmm0, xmm1",
    "ret",
    ".balign 16",
    "subss xmm0, xmm1",
    "ret",
    ".balign 16",
    "subsd xmm0, xmm1",
    "ret",
    ".balign 16",
    "mulss xmm0, xmm1",
    "ret",
    ".balign 16",
    "mulsd xmm0, xmm1",
    "ret",
    ".balign 16",
    "divss xmm0, xmm1",
    "ret",
    ".balign 16",
    "divsd xmm0, xmm1",
    "ret",
    ".balign 16",
    "sqrtss xmm0, xmm1",
    "ret",
    ".balign 16",
    "sqrtsd xmm0, xmm1",
    "ret",
    ".balign 16",
    "cvtss2sd xmm0, xmm1",
    "ret",
    ".balign 16",
    "cvtsd2ss xmm0, xmm1",
    "ret",
    ".balign 16",
    "cvtss2si eax, xmm1",
    "ret",
    ".balign 16",
    "cvtsd2si rax, xmm1",
    "ret",
    ".balign 16",
    "cvttss2si rax, xmm1",
    "ret",
    ".balign 16",
    "cvttsd2si eax, xmm1",
    "ret",
    ".balign 16",
    "cvtsi2ss xmm0, rax",
    "ret",
    ".balign 16",
    "cvtsi2sd xmm0, rax",
    "ret",
    ".balign 16",
    "comiss xmm0, xmm1",
    "ret",
    ".balign 16",
    "comisd xmm0, xmm1",
    "ret",
    ".balign 16",
    "ucomiss xmm0, xmm1",
    "ret",
    ".balign 16",
    "ucomisd xmm0, xmm1",
    "ret",
    // EVEX forms, encoded by hand for assemblers that would choose VEX: VFMADD213SS/SD XMM0, XMM1, XMM2.
    ".balign 16",
    ".byte 0x62, 0xF2, 0x75, 0x08, 0xA9, 0xC2",
    "ret",
    ".balign 16",
    ".byte 0x62, 0xF2, 0xF5, 0x08, 0xA9, 0xC2",
    "ret",
    ".popsection",
);

unsafe extern "C" {
    #[link_name = "boxwood_sse_stub_table"]
    static STUBS: [[u8; 16]; 24];
}

/// What an instruction left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Low half of XMM0.
    pub xmm: u64,
    /// RAX.
    pub rax: u64,
    /// MXCSR bits 5-0: the flags it raised.
    pub flags: u8,
    /// ZF, PF, CF.
    pub comparison: (bool, bool, bool),
}

/// Whether the host has the instruction.
pub fn is_supported(instruction: Instruction) -> bool {
    !matches!(
        instruction,
        Instruction::Vfmadd213ss | Instruction::Vfmadd213sd
    ) || std::arch::is_x86_feature_detected!("avx512f")
}

/// Executes one instruction under the rounding control, DAZ and FTZ of `mxcsr`.
///
/// # Panics
/// If the host lacks the instruction.
pub fn execute(instruction: Instruction, mxcsr: u32, operands: [u64; 3]) -> Outcome {
    assert!(is_supported(instruction), "{instruction:?}");
    const MASKS: u32 = 0x1F80;
    let mut guest_mxcsr = mxcsr & 0xE040 | MASKS;
    let mut host_mxcsr = 0u32;
    let [a, b, c] = operands;
    let (rax, xmm, flags): (u64, u64, u64);
    // SAFETY: the stub is the one of a supported instruction, works on registers alone and returns; all exceptions
    // are masked; MXCSR is as before at the end; what a call may clobber is declared.
    unsafe {
        let stub = (&raw const STUBS)
            .cast::<[u8; 16]>()
            .add(instruction as usize);
        asm!(
            "movq xmm0, rax",
            "movq xmm1, {b}",
            "movq xmm2, {c}",
            "stmxcsr [{host}]",
            "ldmxcsr [{guest}]",
            "call {stub}",
            "stmxcsr [{guest}]",
            "ldmxcsr [{host}]",
            "pushfq",
            "pop rdx",
            "movq rcx, xmm0",
            b = in(reg) b,
            c = in(reg) c,
            host = in(reg) &raw mut host_mxcsr,
            guest = in(reg) &raw mut guest_mxcsr,
            stub = in(reg) stub,
            inout("rax") a => rax,
            out("rcx") xmm,
            out("rdx") flags,
            out("xmm0") _, out("xmm1") _, out("xmm2") _,
        );
    }
    let flag = |bit: u32| flags >> bit & 1 != 0;
    Outcome {
        xmm,
        rax,
        flags: (guest_mxcsr & 0x3F) as u8,
        comparison: (flag(6), flag(2), flag(0)),
    }
}
