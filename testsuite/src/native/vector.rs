//! The host's vector instructions as an oracle: one instruction without a 64-bit prefix on given registers and a page of
//! memory that lies at the same address for the host and for the guest.
//!
//! x86-64 Linux hosts with AVX only.
#![expect(
    unsafe_code,
    reason = "the point of this file: executing vector instructions of the host"
)]

use std::arch::asm;

/// Where the page of operands lies, for the host as for the guest.
pub const DATA: u64 = 0x20_0000;
/// Where the instruction lies on the host.
const CODE: u64 = 0x30_0000;
/// Bytes of a page.
pub const PAGE_BYTES: usize = 0x1000;

/// Registers before and after.
#[repr(C, align(32))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Registers {
    /// YMM0 to YMM7.
    pub ymm: [[u64; 4]; 8],
    /// MM0 to MM7.
    pub mmx: [u64; 8],
    /// RAX, RCX, RDX, RBX, RSI, RDI.
    pub gpr: [u64; 6],
    /// MXCSR.
    pub mxcsr: u32,
    /// The host's own, kept here meanwhile.
    pub host_mxcsr: u32,
    /// Flags after the instruction.
    pub flags: u64,
}

/// The pages; there is one set for the process.
pub struct Host {
    _only_one: (),
}

fn map(at: u64, protection: u64) -> bool {
    // mmap with MAP_PRIVATE, MAP_ANONYMOUS and MAP_FIXED_NOREPLACE.
    let (number, flags) = (9u64, 0x2u64 | 0x20 | 0x10_0000);
    let result: u64;
    // SAFETY: the call maps fresh pages where nothing is mapped, or fails.
    unsafe {
        asm!(
            "syscall",
            inout("rax") number => result,
            in("rdi") at,
            in("rsi") PAGE_BYTES as u64,
            in("rdx") protection,
            in("r10") flags,
            in("r8") u64::MAX,
            in("r9") 0u64,
            out("rcx") _,
            out("r11") _,
        );
    }
    result == at
}

impl Host {
    /// Maps the pages; none if the host cannot.
    pub fn new() -> Option<Self> {
        let ready = std::arch::is_x86_feature_detected!("avx") && map(DATA, 3) && map(CODE, 7);
        ready.then_some(Self { _only_one: () })
    }

    /// Executes `instruction` with these registers and this memory, and leaves what it made of them.
    ///
    /// The caller vouches that the instruction is one that the host has, that it ends, that it reads and writes
    /// nothing but these registers and the page, and that no exception is unmasked.
    pub fn execute(
        &mut self,
        instruction: &[u8],
        registers: &mut Registers,
        memory: &mut [u8; PAGE_BYTES],
    ) {
        assert!(instruction.len() <= 15 && registers.mxcsr & 0x1F80 == 0x1F80);
        // SAFETY: both pages are mapped and used here alone; the caller vouches for the instruction; registers that it
        // may change are declared or kept on the stack.
        unsafe {
            let code = std::ptr::with_exposed_provenance_mut::<u8>(CODE as usize);
            let data = std::ptr::with_exposed_provenance_mut::<u8>(DATA as usize);
            code.copy_from_nonoverlapping(instruction.as_ptr(), instruction.len());
            code.add(instruction.len()).write(0xC3);
            data.copy_from_nonoverlapping(memory.as_ptr(), PAGE_BYTES);
            asm!(
                "push rbx",
                "push rbp",
                "stmxcsr [r15 + 372]",
                "ldmxcsr [r15 + 368]",
                "vmovdqu ymm0, [r15]",
                "vmovdqu ymm1, [r15 + 32]",
                "vmovdqu ymm2, [r15 + 64]",
                "vmovdqu ymm3, [r15 + 96]",
                "vmovdqu ymm4, [r15 + 128]",
                "vmovdqu ymm5, [r15 + 160]",
                "vmovdqu ymm6, [r15 + 192]",
                "vmovdqu ymm7, [r15 + 224]",
                "movq mm0, [r15 + 256]",
                "movq mm1, [r15 + 264]",
                "movq mm2, [r15 + 272]",
                "movq mm3, [r15 + 280]",
                "movq mm4, [r15 + 288]",
                "movq mm5, [r15 + 296]",
                "movq mm6, [r15 + 304]",
                "movq mm7, [r15 + 312]",
                "mov rax, [r15 + 320]",
                "mov rcx, [r15 + 328]",
                "mov rdx, [r15 + 336]",
                "mov rbx, [r15 + 344]",
                "mov rsi, [r15 + 352]",
                "mov rdi, [r15 + 360]",
                "call r14",
                "mov [r15 + 320], rax",
                "mov [r15 + 328], rcx",
                "mov [r15 + 336], rdx",
                "mov [r15 + 344], rbx",
                "mov [r15 + 352], rsi",
                "mov [r15 + 360], rdi",
                "pushfq",
                "pop rax",
                "mov [r15 + 376], rax",
                "vmovdqu [r15], ymm0",
                "vmovdqu [r15 + 32], ymm1",
                "vmovdqu [r15 + 64], ymm2",
                "vmovdqu [r15 + 96], ymm3",
                "vmovdqu [r15 + 128], ymm4",
                "vmovdqu [r15 + 160], ymm5",
                "vmovdqu [r15 + 192], ymm6",
                "vmovdqu [r15 + 224], ymm7",
                "movq [r15 + 256], mm0",
                "movq [r15 + 264], mm1",
                "movq [r15 + 272], mm2",
                "movq [r15 + 280], mm3",
                "movq [r15 + 288], mm4",
                "movq [r15 + 296], mm5",
                "movq [r15 + 304], mm6",
                "movq [r15 + 312], mm7",
                "emms",
                "stmxcsr [r15 + 368]",
                "ldmxcsr [r15 + 372]",
                "vzeroupper",
                "pop rbp",
                "pop rbx",
                in("r15") &raw mut *registers,
                in("r14") CODE,
                out("rax") _, out("rcx") _, out("rdx") _, out("rsi") _, out("rdi") _,
                out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
                out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
                out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
                out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
                out("mm0") _, out("mm1") _, out("mm2") _, out("mm3") _,
                out("mm4") _, out("mm5") _, out("mm6") _, out("mm7") _,
                out("st(0)") _, out("st(1)") _, out("st(2)") _, out("st(3)") _,
                out("st(4)") _, out("st(5)") _, out("st(6)") _, out("st(7)") _,
            );
            data.copy_to_nonoverlapping(memory.as_mut_ptr(), PAGE_BYTES);
        }
    }
}
