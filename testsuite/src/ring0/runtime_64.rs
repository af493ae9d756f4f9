//! The runtime's part in long mode: the way into a case, the handlers of all exceptions, and the way out.
//!
//! Compatibility mode comes before and behind it ([`super::runtime`]). A handler's stack is the one that the case's state
//! leads to, or IST1 for the double fault.

use super::layout::*;
use super::runtime::{
    Assembled, EFER_REGISTER, WITH_ERROR_CODE, dword, load_msrs, of_head, of_record,
    out_of_the_case, word,
};
use super::sandbox::MAIN_TASK;
use iced_x86::IcedError;
use iced_x86::code_asm::*;

/// CR4.PAE alone.
const PAE: u32 = 1 << 5;

fn qword(at: u32) -> AsmMemoryOperand {
    qword_ptr(u64::from(at))
}

/// The order of a case's head.
fn loaded() -> [AsmRegister64; 15] {
    [
        rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15,
    ]
}

/// From CS = 64-bit code, CPL 0, to the first instruction of a case.
pub fn enter() -> Assembled {
    use head::*;
    let mut a = CodeAssembler::new(64)?;
    // LTR wants it available.
    a.and(byte_ptr(GDT + u32::from(MAIN_TASK) + 5), 0xFDu32)?;
    a.mov(ax, word(of_head(LDTR)))?;
    a.lldt(ax)?;
    a.mov(eax, dword(of_head(TR)))?;
    a.ltr(ax)?;
    a.mov(eax, dword(of_head(LONG_CR4)))?;
    a.mov(cr4, rax)?;
    a.mov(eax, dword(of_head(LONG_CR3)))?;
    a.mov(cr3, rax)?;
    for (r, n) in [(es, ES), (ds, DS), (fs, FS), (gs, GS)] {
        a.mov(eax, dword(of_head(n)))?;
        a.mov(r, ax)?;
    }
    load_msrs(&mut a)?;
    // What a 16-bit stack leaves of RSP leads to no page.
    a.mov(esp, ENTRY_STACK)?;
    for n in (0..5).rev() {
        a.push(qword(of_head(FRAME + 2 * n)))?;
    }
    a.mov(eax, dword(of_head(DR7)))?;
    a.mov(dr7, rax)?;
    for (n, r) in loaded().into_iter().enumerate() {
        a.mov(r, qword(of_head(LONG_REGISTERS + 2 * n)))?;
    }
    a.iretq()?;
    a.assemble(ENTER_64.into())
}

/// For each vector: saves RAX, and leaves the vector in the upper word of EAX.
pub fn stubs() -> Assembled {
    let mut bytes = Vec::new();
    for vector in 0..VECTORS {
        let mut a = CodeAssembler::new(64)?;
        a.mov(dr0, rax)?;
        a.mov(eax, vector << 16)?;
        a.jmp(u64::from(HANDLER_64))?;
        let mut stub = a.assemble((STUBS_64 + vector * STUB_BYTES).into())?;
        stub.resize(STUB_BYTES as usize, 0xCC);
        bytes.extend(stub);
    }
    Ok(bytes)
}

/// Stores RAX: its lower half in one field, its upper in another.
fn halves(a: &mut CodeAssembler, low: usize, high: usize) -> Result<(), IcedError> {
    a.mov(dword(of_record(low)), eax)?;
    a.shr(rax, 32u32)?;
    a.mov(dword(of_record(high)), eax)
}

/// What every exception of a case leads to.
pub fn handler() -> Assembled {
    use record::*;
    let mut a = CodeAssembler::new(64)?;
    let at = |n: usize| dword(of_record(n));
    a.mov(ax, ds)?;
    a.mov(at(VECTOR), eax)?;
    a.mov(rax, dr0)?;
    for (n, r) in [rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi]
        .into_iter()
        .enumerate()
    {
        a.mov(rax, r)?;
        halves(&mut a, REGISTERS + n, UPPER + n)?;
    }
    for (n, r) in [r8, r9, r10, r11, r12, r13, r14, r15]
        .into_iter()
        .enumerate()
    {
        a.mov(qword(of_record(R8 + 2 * n)), r)?;
    }
    for (n, r) in [es, fs, gs, ss].into_iter().enumerate() {
        a.mov(eax, r)?;
        a.movzx(eax, ax)?;
        a.mov(at(SEGMENTS + n), eax)?;
    }
    a.mov(rax, cr2)?;
    halves(&mut a, CR2, CR2_UPPER)?;
    let (mut broken, mut popped, mut no_code) =
        (a.create_label(), a.create_label(), a.create_label());
    a.movzx(ecx, word(of_record(VECTOR) + 2))?;
    a.cmp(dword(TAKING), 0u32)?;
    a.jnz(broken)?;
    a.mov(dword(TAKING), 1u32)?;
    a.mov(eax, WITH_ERROR_CODE)?;
    a.cmp(ecx, 31u32)?;
    a.ja(no_code)?;
    a.bt(eax, ecx)?;
    a.jnc(no_code)?;
    a.pop(rax)?;
    a.mov(at(ERROR), eax)?;
    a.set_label(&mut no_code)?;
    a.pop(rax)?;
    halves(&mut a, EIP, EIP_UPPER)?;
    a.pop(rax)?;
    a.mov(at(CS), eax)?;
    a.pop(rax)?;
    a.mov(at(EFLAGS), eax)?;
    a.pop(rax)?;
    halves(&mut a, ESP, ESP_UPPER)?;
    a.pop(rax)?;
    a.mov(at(SS), eax)?;
    a.jmp(popped)?;
    a.set_label(&mut broken)?;
    a.or(byte_ptr(of_record(VECTOR) + 3), BROKEN >> 8)?;
    a.set_label(&mut popped)?;
    a.mov(esp, OWN_STACK)?;
    a.pushfq()?;
    a.pop(rax)?;
    // The arithmetic flags are the handler's own doing.
    a.and(eax, !0x8D5i32)?;
    a.mov(at(OWN_EFLAGS), eax)?;
    // IRETQ: POPF would leave VIF and VIP alone.
    let mut clean = a.create_label();
    // SS: null, which CPL 0 may have in 64-bit mode; SYSENTER's need not be a descriptor's.
    a.push(0i32)?;
    a.push(OWN_STACK as i32)?;
    a.push(2i32)?;
    a.mov(eax, cs)?;
    a.push(rax)?;
    a.lea(rax, qword_ptr(clean))?;
    a.push(rax)?;
    a.iretq()?;
    a.set_label(&mut clean)?;
    a.mov(rax, dr6)?;
    a.mov(at(DR6), eax)?;
    a.mov(rax, dr7)?;
    a.mov(at(DR7), eax)?;
    a.mov(eax, 0x400u32)?;
    a.mov(dr7, rax)?;
    a.mov(rax, cr0)?;
    a.mov(at(CR0), eax)?;
    a.mov(rax, cr3)?;
    a.mov(at(CR3), eax)?;
    a.mov(rax, cr4)?;
    a.mov(at(CR4), eax)?;
    a.mov(rax, cr8)?;
    a.mov(at(CR8), eax)?;
    a.xor(eax, eax)?;
    a.mov(cr8, rax)?;
    a.sldt(eax)?;
    a.shl(eax, 16u32)?;
    a.str(ax)?;
    a.mov(at(TASK), eax)?;
    a.mov(ecx, EFER_REGISTER)?;
    a.rdmsr()?;
    a.mov(at(EFER), eax)?;
    for n in 0..3 {
        a.mov(ecx, head::MSRS[n])?;
        a.rdmsr()?;
        a.mov(at(BASES + 2 * n), eax)?;
        a.mov(at(BASES + 2 * n + 1), edx)?;
    }
    // PCIDE must be off before paging is.
    a.mov(eax, PAE)?;
    a.mov(cr4, rax)?;
    a.lgdt(fword_ptr(OWN_GDTR))?;
    a.jmp(fword_ptr(WAY_OUT))?;
    a.assemble(HANDLER_64.into())
}

/// From compatibility mode to the report.
pub fn leave() -> Assembled {
    let mut a = CodeAssembler::new(32)?;
    a.mov(ax, u32::from(OWN_DATA))?;
    a.mov(ds, ax)?;
    a.mov(ss, ax)?;
    a.mov(esp, OWN_STACK)?;
    out_of_the_case(&mut a)?;
    a.assemble(LEAVE_64.into())
}
