//! The program that runs the cases: a boot sector, a loop, and the handlers of all exceptions.
//!
//! It takes nothing but INT 13h AH=42h from the BIOS. Between cases paging is off and nothing of a case is in force. A
//! handler touches neither the stack nor a register before it has saved it: its scratch register is DR0, and its data
//! segment comes from a word in its code segment.

use super::layout::*;
use super::runtime_64;
use super::sandbox::{CODE_64, own_entry};
use iced_x86::IcedError;
use iced_x86::code_asm::*;

pub type Assembled = Result<Vec<u8>, IcedError>;

/// How many sectors are read at once, and the runtime's own.
const CHUNK_SECTORS: u32 = 64;
/// Where the boot sector reads them to.
const CHUNK: u32 = 0x2_0000;
/// Where the boot sector's variables are: behind its code.
const BOOT: u32 = 0x7C00;
const PACKET: u32 = BOOT + 0x1C0;
const BOOT_GDTR: u32 = BOOT + 0x1D0;
const BOOT_DRIVE: u32 = BOOT + 0x1D8;
const DESTINATION: u32 = BOOT + 0x1DC;
const CHUNKS: u32 = BOOT + 0x1E0;

const DEBUG_PORT: u32 = 0xE9;
pub const EFER_REGISTER: u32 = 0xC000_0080;
/// Exceptions that push an error code (SDM vol. 3, table 6-1).
pub const WITH_ERROR_CODE: u32 = 1 << 8 | 0x1F << 10 | 1 << 17;
/// How many changed dwords of a case are printed.
const CHANGES_MAX: u32 = 96;

pub fn word(at: u32) -> AsmMemoryOperand {
    word_ptr(at)
}
pub fn dword(at: u32) -> AsmMemoryOperand {
    dword_ptr(at)
}
/// A dword of the present case's head.
pub fn of_head(n: usize) -> u32 {
    HEAD + 4 * n as u32
}
/// A dword of the record.
pub fn of_record(n: usize) -> u32 {
    RECORD + 4 * n as u32
}

/// A 32-bit descriptor of 4 GiB with these access rights.
fn flat(rights: u64) -> [u8; 8] {
    (0x00CF_0000_0000_FFFF | rights << 40).to_le_bytes()
}

/// What is printed before the first case.
pub const BEGIN: &str = "begin";
/// What is printed behind the last.
pub const DONE: &str = "done";

/// Prints a line.
fn say(a: &mut CodeAssembler, line: &str) -> Result<(), IcedError> {
    for c in line.bytes().chain(*b"\n") {
        a.mov(al, u32::from(c))?;
        a.out(DEBUG_PORT, al)?;
    }
    Ok(())
}

/// Prints a line and halts.
fn say_and_stop(a: &mut CodeAssembler, line: &str) -> Result<(), IcedError> {
    say(a, line)?;
    let mut stop = a.create_label();
    a.set_label(&mut stop)?;
    a.hlt()?;
    a.jmp(stop)
}

/// The first sector of the disk: reads runtime and cases, and goes to protected mode.
pub fn boot_sector(case_bytes: usize) -> Assembled {
    let mut a = CodeAssembler::new(16)?;
    let (mut next, mut fail) = (a.create_label(), a.create_label());
    a.cli()?;
    a.cld()?;
    a.xor(ax, ax)?;
    a.mov(ss, ax)?;
    a.mov(esp, BOOT)?;
    a.mov(ds, ax)?;
    a.mov(es, ax)?;
    a.mov(byte_ptr(BOOT_DRIVE), dl)?;
    a.in_(al, 0x92u32)?;
    a.or(al, 2u32)?;
    a.and(al, 0xFEu32)?;
    a.out(0x92u32, al)?;
    a.sti()?;
    // The runtime.
    a.mov(si, PACKET)?;
    a.mov(ah, 0x42u32)?;
    a.mov(dl, byte_ptr(BOOT_DRIVE))?;
    a.int(0x13u32)?;
    a.jc(fail)?;
    a.mov(word(PACKET + 2), CHUNK_SECTORS)?;
    a.mov(word(PACKET + 6), CHUNK >> 4)?;
    a.mov(dword(PACKET + 8), 1 + RUNTIME_BYTES / 512)?;
    // The cases, chunk by chunk, copied behind the first megabyte with segments of 4 GiB.
    a.set_label(&mut next)?;
    a.mov(si, PACKET)?;
    a.mov(ah, 0x42u32)?;
    a.mov(dl, byte_ptr(BOOT_DRIVE))?;
    a.int(0x13u32)?;
    a.jc(fail)?;
    a.cli()?;
    a.lgdt(fword_ptr(BOOT_GDTR))?;
    a.mov(eax, cr0)?;
    a.or(al, 1u32)?;
    a.mov(cr0, eax)?;
    let mut protected = a.create_label();
    a.jmp(protected)?;
    a.set_label(&mut protected)?;
    a.mov(bx, u32::from(OWN_DATA))?;
    a.mov(ds, bx)?;
    a.mov(es, bx)?;
    a.and(al, 0xFEu32)?;
    a.mov(cr0, eax)?;
    let mut real = a.create_label();
    a.jmp(real)?;
    a.set_label(&mut real)?;
    a.xor(ax, ax)?;
    a.mov(ds, ax)?;
    a.mov(es, ax)?;
    a.cld()?;
    a.mov(esi, CHUNK)?;
    a.mov(edi, dword(DESTINATION))?;
    a.mov(ecx, CHUNK_SECTORS * 128)?;
    // REP MOVS with 32-bit addresses.
    a.db(&[0x67, 0xF3, 0x66, 0xA5])?;
    a.mov(dword(DESTINATION), edi)?;
    a.sti()?;
    a.add(dword(PACKET + 8), CHUNK_SECTORS)?;
    a.dec(word(CHUNKS))?;
    a.jnz(next)?;
    a.cli()?;
    a.lgdt(fword_ptr(BOOT_GDTR))?;
    a.mov(eax, cr0)?;
    a.or(al, 1u32)?;
    a.mov(cr0, eax)?;
    a.db(&[0x66, 0xEA])?;
    a.dd(&[RUNTIME])?;
    a.dw(&[OWN_CODE])?;
    a.set_label(&mut fail)?;
    say_and_stop(&mut a, "read error")?;
    let mut sector = a.assemble(BOOT.into())?;
    assert!(sector.len() <= (PACKET - BOOT) as usize);
    sector.resize(512, 0);
    let mut put = |at: u32, bytes: &[u8]| {
        let at = (at - BOOT) as usize;
        sector[at..at + bytes.len()].copy_from_slice(bytes);
    };
    put(PACKET, &[16, 0, (RUNTIME_BYTES / 512) as u8, 0]);
    put(PACKET + 6, &((RUNTIME >> 4) as u16).to_le_bytes());
    put(PACKET + 8, &1u64.to_le_bytes());
    put(BOOT_GDTR, &0x1Fu16.to_le_bytes());
    put(BOOT_GDTR + 2, &OWN_GDT.to_le_bytes());
    put(DESTINATION, &CASES.to_le_bytes());
    let chunks = case_bytes.div_ceil(CHUNK_SECTORS as usize * 512) as u16;
    put(CHUNKS, &chunks.to_le_bytes());
    put(BOOT + 510, &[0x55, 0xAA]);
    Ok(sector)
}

/// The runtime and its tables.
pub fn runtime() -> Assembled {
    let mut bytes = vec![0; RUNTIME_BYTES as usize];
    let mut put = |at: u32, part: &[u8], end: u32| {
        assert!(part.len() <= (end - at) as usize, "too long for {at:x}");
        let at = (at - RUNTIME) as usize;
        bytes[at..at + part.len()].copy_from_slice(part);
    };
    put(RUNTIME, &start()?, NEXT);
    put(NEXT, &begin_case()?, REPORT);
    put(REPORT, &report()?, PRINT);
    put(PRINT, &print()?, STUBS_64);
    put(STUBS_64, &runtime_64::stubs()?, HANDLER_64);
    put(HANDLER_64, &runtime_64::handler()?, ENTER_64);
    put(ENTER_64, &runtime_64::enter()?, LEAVE_64);
    put(LEAVE_64, &runtime_64::leave()?, STUBS);
    put(STUBS, &stubs()?, DATA_WORD);
    put(DATA_WORD, &OWN_DATA.to_le_bytes(), HANDLER);
    put(HANDLER, &handler()?, OWN_GDT);
    put(OWN_GDT + 8, &flat(0x9B), OWN_GDTR);
    put(OWN_GDT + 16, &flat(0x93), OWN_GDTR);
    put(OWN_GDTR, &0x1Fu16.to_le_bytes(), OWN_IDTR);
    put(OWN_GDTR + 2, &OWN_GDT.to_le_bytes(), OWN_IDTR);
    put(WAY_OUT, &LEAVE_64.to_le_bytes(), DOUBLE_FAULT_TSS);
    put(WAY_OUT + 4, &OWN_CODE.to_le_bytes(), DOUBLE_FAULT_TSS);
    let mut tss = [0u8; 104];
    for (at, value) in [
        (28, OWN_DIRECTORY),
        (32, STUBS + 8 * STUB_BYTES),
        (36, 2),
        (56, DOUBLE_FAULT_STACK),
        (72, OWN_DATA.into()),
        (76, OWN_CODE.into()),
        (80, OWN_DATA.into()),
        (84, OWN_DATA.into()),
        (88, OWN_DATA.into()),
        (92, OWN_DATA.into()),
        (100, 104 << 16),
    ] {
        tss[at..at + 4].copy_from_slice(&u32::to_le_bytes(value));
    }
    put(DOUBLE_FAULT_TSS, &tss, OWN_DIRECTORY);
    put(OWN_DIRECTORY, &(OWN_TABLE | 0x27).to_le_bytes(), OWN_TABLE);
    let entries = || (0..MAPPED).step_by(0x1000).map(own_entry);
    let table: Vec<u8> = entries().flat_map(u32::to_le_bytes).collect();
    put(OWN_TABLE, &table, OWN_POINTERS);
    let pointer = u64::from(OWN_PAE_DIRECTORY | 1).to_le_bytes();
    put(OWN_POINTERS, &pointer, OWN_PAE_DIRECTORY);
    let table_at = u64::from(OWN_PAE_TABLE | 0x27).to_le_bytes();
    put(OWN_PAE_DIRECTORY, &table_at, OWN_PAE_TABLE);
    let table: Vec<u8> = entries().flat_map(|e| u64::from(e).to_le_bytes()).collect();
    put(OWN_PAE_TABLE, &table, RUNTIME + RUNTIME_BYTES);
    Ok(bytes)
}

/// For each vector: saves EAX, and leaves the vector in its upper word.
fn stubs() -> Assembled {
    let mut bytes = Vec::new();
    for vector in 0..VECTORS {
        let mut a = CodeAssembler::new(32)?;
        a.mov(dr0, eax)?;
        a.mov(eax, vector << 16)?;
        a.jmp(u64::from(HANDLER))?;
        let mut stub = a.assemble((STUBS + vector * STUB_BYTES).into())?;
        stub.resize(STUB_BYTES as usize, 0xCC);
        bytes.extend(stub);
    }
    Ok(bytes)
}

/// Where the next case begins.
const NEXT: u32 = RUNTIME + 0x100;
/// The loop's entry behind the handler.
const REPORT: u32 = RUNTIME + 0x800;
/// Prints EAX.
const PRINT: u32 = RUNTIME + 0xC00;
/// A word in the code segment that is a data selector.
const DATA_WORD: u32 = HANDLER - 4;

/// Copies a page; ECX, ESI and EDI are lost.
fn copy_page(a: &mut CodeAssembler, to: u32, from: u32) -> Result<(), IcedError> {
    a.mov(edi, to)?;
    a.mov(esi, from)?;
    a.mov(ecx, 0x1000u32 / 4)?;
    a.rep().movsd()
}

/// Before the first case.
fn start() -> Assembled {
    let mut a = CodeAssembler::new(32)?;
    a.mov(ax, u32::from(OWN_DATA))?;
    for r in [ds, es, ss, fs, gs] {
        a.mov(r, ax)?;
    }
    a.mov(esp, OWN_STACK)?;
    a.cld()?;
    a.mov(al, 0xFFu32)?;
    a.out(0x21u32, al)?;
    a.out(0xA1u32, al)?;
    a.lidt(fword_ptr(OWN_IDTR))?;
    a.mov(eax, 0x11u32)?;
    a.mov(cr0, eax)?;
    a.xor(eax, eax)?;
    a.mov(cr4, eax)?;
    for place in [PRISTINE, BEFORE, SANDBOX] {
        a.mov(esi, CASES)?;
        a.mov(edi, place)?;
        a.mov(ecx, SANDBOX_BYTES / 4)?;
        a.rep().movsd()?;
    }
    // Breakpoint instructions wherever a case could go astray, and real mode's interrupts lead into the sandbox.
    for from in [FIRST_PAGE + 0x400, FILLER] {
        a.mov(edi, from)?;
        a.mov(ecx, 0x1000u32 / 4)?;
        a.mov(eax, 0xCCCC_CCCCu32)?;
        a.rep().stosd()?;
    }
    let mut vector = a.create_label();
    a.mov(edi, FIRST_PAGE)?;
    a.mov(eax, (SANDBOX << 12) | (CODE - SANDBOX + 0xE00))?;
    a.mov(ecx, 256u32)?;
    a.set_label(&mut vector)?;
    a.stosd()?;
    a.inc(eax)?;
    a.dec(ecx)?;
    a.jnz(vector)?;
    // The double fault's stack and what is above it.
    a.mov(edi, OWN_STACK)?;
    a.mov(ecx, (DOUBLE_FAULT_STACK - OWN_STACK) / 4 + 32)?;
    a.xor(eax, eax)?;
    a.rep().stosd()?;
    a.mov(dword(NEXT_CASE), CASES + SANDBOX_BYTES)?;
    say(&mut a, BEGIN)?;
    copy_page(&mut a, 0, FIRST_PAGE)?;
    a.jmp(u64::from(NEXT))?;
    a.assemble(RUNTIME.into())
}

/// From one case's report to the next case's instruction.
fn begin_case() -> Assembled {
    use head::*;
    let mut a = CodeAssembler::new(32)?;
    let mut all_done = a.create_label();
    a.mov(esi, dword(NEXT_CASE))?;
    a.mov(ecx, dword_ptr(esi))?;
    a.test(ecx, ecx)?;
    a.jz(all_done)?;
    a.lea(eax, dword_ptr(esi + ecx * 4))?;
    a.mov(dword(NEXT_CASE), eax)?;
    a.mov(edi, RECORD)?;
    a.xor(eax, eax)?;
    a.mov(ecx, record::DWORDS as u32)?;
    a.rep().stosd()?;
    a.mov(edi, HEAD)?;
    a.mov(ecx, DWORDS as u32)?;
    a.rep().movsd()?;
    a.mov(eax, dword(of_head(NUMBER)))?;
    let mut legacy = a.create_label();
    a.test(dword(of_head(FLAGS)), LONG)?;
    a.jz(legacy)?;
    a.or(eax, record::LONG)?;
    a.set_label(&mut legacy)?;
    a.mov(dword(of_record(record::NUMBER)), eax)?;
    // Its patches, in the sandbox and in the copy that it will be compared with.
    a.mov(dword(PATCHES), esi)?;
    a.mov(dword(TAKING), 0u32)?;
    a.lodsd()?;
    a.mov(edx, eax)?;
    let (mut patch, mut patched) = (a.create_label(), a.create_label());
    a.set_label(&mut patch)?;
    a.test(edx, edx)?;
    a.jz(patched)?;
    a.lodsd()?;
    a.movzx(edi, ax)?;
    a.shr(eax, 16u32)?;
    a.lea(ebx, dword_ptr(edi * 4 + BEFORE))?;
    a.lea(edi, dword_ptr(edi * 4 + SANDBOX))?;
    a.mov(ecx, eax)?;
    a.push(esi)?;
    a.rep().movsd()?;
    a.pop(esi)?;
    a.mov(edi, ebx)?;
    a.mov(ecx, eax)?;
    a.rep().movsd()?;
    a.dec(edx)?;
    a.jmp(patch)?;
    a.set_label(&mut patched)?;
    // Tables and tasks. LTR marks its descriptor; that is no change of the case's.
    a.lgdt(fword_ptr(of_head(GDTR) + 2))?;
    a.lidt(fword_ptr(of_head(IDTR) + 2))?;
    a.mov(ax, word(of_head(LDTR)))?;
    a.lldt(ax)?;
    a.mov(eax, dword(of_head(TR)))?;
    a.ltr(ax)?;
    a.and(eax, 0xFFF8u32)?;
    a.mov(ebx, dword_ptr(eax + (SANDBOX + 4)))?;
    a.mov(dword_ptr(eax + (BEFORE + 4)), ebx)?;
    a.mov(eax, dword(of_head(OWN_CR3)))?;
    a.mov(dword(DOUBLE_FAULT_TSS + 28), eax)?;
    a.mov(dword(DOUBLE_FAULT_TSS), 0u32)?;
    // Control and debug registers.
    a.mov(ecx, EFER_REGISTER)?;
    a.rdmsr()?;
    a.mov(eax, dword(of_head(EFER)))?;
    a.wrmsr()?;
    a.mov(eax, dword(of_head(CR4)))?;
    a.mov(cr4, eax)?;
    a.mov(eax, dword(of_head(CR3)))?;
    a.mov(cr3, eax)?;
    a.mov(eax, dword(of_head(DR1)))?;
    a.mov(dr1, eax)?;
    a.mov(eax, dword(of_head(DR1 + 1)))?;
    a.mov(dr2, eax)?;
    a.mov(eax, dword(of_head(DR1 + 2)))?;
    a.mov(dr3, eax)?;
    a.xor(eax, eax)?;
    a.mov(cr2, eax)?;
    a.mov(eax, 0xFFFF_0FF0u32)?;
    a.mov(dr6, eax)?;
    a.mov(eax, dword(of_head(CR0)))?;
    a.mov(cr0, eax)?;
    let (mut direct, mut no_segments, mut registers) =
        (a.create_label(), a.create_label(), a.create_label());
    let mut protected = a.create_label();
    a.test(dword(of_head(FLAGS)), LONG)?;
    a.jz(protected)?;
    a.db(&[0xEA])?;
    a.dd(&[ENTER_64])?;
    a.dw(&[CODE_64])?;
    a.set_label(&mut protected)?;
    // Before the segments, whose loading sets the bases.
    load_msrs(&mut a)?;
    a.test(dword(of_head(FLAGS)), BY_IRET)?;
    a.jz(direct)?;
    // Out to ring 1, 2, 3 or virtual-8086 mode.
    a.sub(esp, 36u32)?;
    a.mov(edi, esp)?;
    a.mov(esi, of_head(EIP))?;
    a.mov(ecx, 9u32)?;
    a.rep().movsd()?;
    // In virtual-8086 mode's frame DS comes behind ES, as in the head.
    a.mov(eax, dword(of_head(DR7)))?;
    a.mov(dr7, eax)?;
    a.test(dword(of_head(FLAGS)), VIRTUAL)?;
    a.jnz(no_segments)?;
    a.mov(ax, word(of_head(ES)))?;
    a.mov(es, ax)?;
    a.mov(ax, word(of_head(FS)))?;
    a.mov(fs, ax)?;
    a.mov(ax, word(of_head(GS)))?;
    a.mov(gs, ax)?;
    a.call(registers)?;
    a.mov(ds, word(of_head(DS)).cs())?;
    a.iretd()?;
    a.set_label(&mut no_segments)?;
    a.call(registers)?;
    a.iretd()?;
    // To ring 0.
    a.set_label(&mut direct)?;
    a.mov(eax, dword(of_head(DR7)))?;
    a.mov(dr7, eax)?;
    a.mov(ax, word(of_head(ES)))?;
    a.mov(es, ax)?;
    a.mov(ax, word(of_head(FS)))?;
    a.mov(fs, ax)?;
    a.mov(ax, word(of_head(GS)))?;
    a.mov(gs, ax)?;
    a.push(dword(of_head(EFLAGS)))?;
    a.popfd()?;
    a.call(registers)?;
    a.mov(ds, word(of_head(DS)).cs())?;
    a.lss(esp, fword_ptr(of_head(ESP)).cs())?;
    a.jmp(fword_ptr(of_head(EIP)).cs())?;
    // General registers.
    a.set_label(&mut registers)?;
    for (n, r) in [eax, ecx, edx, ebx, ebp, esi, edi].into_iter().enumerate() {
        a.mov(r, dword(of_head(REGISTERS + n)).cs())?;
    }
    a.ret()?;
    // All cases are done.
    a.set_label(&mut all_done)?;
    say_and_stop(&mut a, DONE)?;
    a.assemble(NEXT.into())
}

/// What every exception of a case leads to.
fn handler() -> Assembled {
    use record::*;
    let mut a = CodeAssembler::new(32)?;
    let at = |n: usize| dword(of_record(n));
    a.mov(ax, ds)?;
    a.mov(ds, word(DATA_WORD).cs())?;
    a.mov(at(VECTOR), eax)?;
    a.mov(eax, dr0)?;
    let registers = [eax, ecx, edx, ebx, esp, ebp, esi, edi];
    for (n, r) in registers.into_iter().enumerate() {
        a.mov(at(REGISTERS + n), r)?;
    }
    for (n, r) in [es, fs, gs, ss].into_iter().enumerate() {
        a.mov(eax, r)?;
        a.movzx(eax, ax)?;
        a.mov(at(SEGMENTS + n), eax)?;
    }
    a.mov(eax, cr2)?;
    a.mov(at(CR2), eax)?;
    let (mut broken, mut popped) = (a.create_label(), a.create_label());
    a.movzx(ecx, word(of_record(VECTOR) + 2))?;
    a.cmp(dword(TAKING), 0u32)?;
    a.jnz(broken)?;
    a.mov(dword(TAKING), 1u32)?;
    a.mov(eax, WITH_ERROR_CODE)?;
    let mut no_code = a.create_label();
    a.cmp(ecx, 31u32)?;
    a.ja(no_code)?;
    a.bt(eax, ecx)?;
    a.jnc(no_code)?;
    a.pop(at(ERROR))?;
    a.set_label(&mut no_code)?;
    a.pop(at(EIP))?;
    a.pop(at(CS))?;
    a.pop(at(EFLAGS))?;
    let (mut outer, mut virtual_8086) = (a.create_label(), a.create_label());
    a.test(at(EFLAGS), 1u32 << 17)?;
    a.jnz(virtual_8086)?;
    a.test(at(CS), 3u32)?;
    a.jnz(outer)?;
    a.mov(at(ESP), esp)?;
    a.mov(eax, at(SEGMENTS + 3))?;
    a.mov(at(SS), eax)?;
    a.jmp(popped)?;
    a.set_label(&mut outer)?;
    a.pop(at(ESP))?;
    a.pop(at(SS))?;
    a.jmp(popped)?;
    a.set_label(&mut broken)?;
    a.or(byte_ptr(of_record(VECTOR) + 3), BROKEN >> 8)?;
    a.jmp(popped)?;
    a.set_label(&mut virtual_8086)?;
    for n in [ESP, SS, VIRTUAL, VIRTUAL + 1, VIRTUAL + 2, VIRTUAL + 3] {
        a.pop(at(n))?;
    }
    a.set_label(&mut popped)?;
    a.mov(ax, u32::from(OWN_DATA))?;
    a.mov(ss, ax)?;
    a.mov(esp, OWN_STACK)?;
    a.pushfd()?;
    a.pop(at(OWN_EFLAGS))?;
    // IRET: POPF would leave VIF and VIP alone.
    let mut clean = a.create_label();
    a.push(2u32)?;
    a.popfd()?;
    a.push(2u32)?;
    a.push(cs)?;
    a.call(clean)?;
    a.set_label(&mut clean)?;
    // Behind the IRETD.
    a.add(dword_ptr(esp), 5i32)?;
    a.iretd()?;
    a.mov(eax, dr6)?;
    a.mov(at(DR6), eax)?;
    a.mov(eax, dr7)?;
    a.mov(at(DR7), eax)?;
    a.mov(eax, 0x400u32)?;
    a.mov(dr7, eax)?;
    a.mov(eax, cr0)?;
    a.mov(at(CR0), eax)?;
    a.mov(eax, cr3)?;
    a.mov(at(CR3), eax)?;
    a.mov(eax, cr4)?;
    a.mov(at(CR4), eax)?;
    a.sldt(eax)?;
    a.shl(eax, 16u32)?;
    a.str(ax)?;
    a.mov(at(TASK), eax)?;
    a.mov(eax, dword(DOUBLE_FAULT_TSS))?;
    a.mov(at(LINK), eax)?;
    out_of_the_case(&mut a)?;
    a.assemble(HANDLER.into())
}

/// Gives [`head::MSRS`] the case's values, so that none holds what an earlier case left there.
pub fn load_msrs(a: &mut CodeAssembler) -> Result<(), IcedError> {
    for (n, register) in head::MSRS.into_iter().enumerate() {
        a.mov(ecx, register)?;
        a.mov(eax, dword(of_head(head::MSR_VALUES + 2 * n)))?;
        a.mov(edx, dword(of_head(head::MSR_VALUES + 2 * n + 1)))?;
        a.wrmsr()?;
    }
    Ok(())
}

/// Leaves the case's world for the report.
pub fn out_of_the_case(a: &mut CodeAssembler) -> Result<(), IcedError> {
    a.mov(eax, 0x11u32)?;
    a.mov(cr0, eax)?;
    a.xor(eax, eax)?;
    a.mov(cr4, eax)?;
    a.mov(ecx, EFER_REGISTER)?;
    a.rdmsr()?;
    a.xor(eax, eax)?;
    a.wrmsr()?;
    a.lgdt(fword_ptr(OWN_GDTR))?;
    a.lidt(fword_ptr(OWN_IDTR))?;
    a.xor(eax, eax)?;
    a.lldt(ax)?;
    a.mov(ax, u32::from(OWN_DATA))?;
    a.mov(es, ax)?;
    a.mov(fs, ax)?;
    a.mov(gs, ax)?;
    a.jmp(u64::from(REPORT))
}

/// Prints the record and what has changed in the sandbox, and makes the sandbox pristine again.
fn report() -> Assembled {
    let mut a = CodeAssembler::new(32)?;
    a.mov(al, u32::from(b'#'))?;
    a.out(DEBUG_PORT, al)?;
    a.mov(esi, RECORD)?;
    a.mov(ecx, record::DWORDS as u32)?;
    let mut field = a.create_label();
    a.test(dword(of_head(head::FLAGS)), head::LONG)?;
    a.jnz(field)?;
    a.mov(ecx, record::LEGACY_DWORDS as u32)?;
    a.set_label(&mut field)?;
    a.lodsd()?;
    a.push(ecx)?;
    a.call(u64::from(PRINT))?;
    a.pop(ecx)?;
    a.dec(ecx)?;
    a.jnz(field)?;
    let (mut more, mut same, mut quiet) = (a.create_label(), a.create_label(), a.create_label());
    a.mov(esi, BEFORE)?;
    a.mov(edi, SANDBOX)?;
    a.mov(ecx, SANDBOX_BYTES / 4)?;
    a.mov(ebp, CHANGES_MAX)?;
    a.set_label(&mut more)?;
    a.repe().cmpsd()?;
    a.jz(same)?;
    a.mov(edx, dword_ptr(edi - 4))?;
    a.mov(eax, dword_ptr(esi - 4))?;
    a.mov(dword_ptr(edi - 4), eax)?;
    a.dec(ebp)?;
    a.js(quiet)?;
    a.push(ecx)?;
    a.lea(eax, dword_ptr(esi - (BEFORE + 4)))?;
    a.call(u64::from(PRINT))?;
    a.mov(eax, edx)?;
    a.call(u64::from(PRINT))?;
    a.pop(ecx)?;
    a.set_label(&mut quiet)?;
    a.test(ecx, ecx)?;
    a.jnz(more)?;
    a.set_label(&mut same)?;
    a.mov(al, u32::from(b'\n'))?;
    a.out(DEBUG_PORT, al)?;
    // What the case had patched, and the descriptor of its task.
    let (mut patch, mut done) = (a.create_label(), a.create_label());
    a.mov(esi, dword(PATCHES))?;
    a.lodsd()?;
    a.mov(edx, eax)?;
    a.set_label(&mut patch)?;
    a.test(edx, edx)?;
    a.jz(done)?;
    a.lodsd()?;
    a.movzx(ebx, ax)?;
    a.shr(eax, 16u32)?;
    a.lea(ebp, dword_ptr(esi + eax * 4))?;
    for place in [SANDBOX, BEFORE] {
        a.lea(esi, dword_ptr(ebx * 4 + PRISTINE))?;
        a.lea(edi, dword_ptr(ebx * 4 + place))?;
        a.mov(ecx, eax)?;
        a.rep().movsd()?;
    }
    a.mov(esi, ebp)?;
    a.dec(edx)?;
    a.jmp(patch)?;
    a.set_label(&mut done)?;
    a.mov(eax, dword(of_head(head::TR)))?;
    a.and(eax, 0xFFF8u32)?;
    a.mov(ebx, dword_ptr(eax + (PRISTINE + 4)))?;
    a.mov(dword_ptr(eax + (BEFORE + 4)), ebx)?;
    a.mov(dword_ptr(eax + (SANDBOX + 4)), ebx)?;
    // What it may have written elsewhere.
    copy_page(&mut a, 0, FIRST_PAGE)?;
    a.mov(edi, FILLER)?;
    a.mov(ecx, 0x1000u32 / 4)?;
    a.mov(eax, 0xCCCC_CCCCu32)?;
    a.rep().stosd()?;
    a.jmp(u64::from(NEXT))?;
    a.assemble(REPORT.into())
}

/// Prints EAX in hexadecimal and a space; EBX and ECX are lost.
fn print() -> Assembled {
    let mut a = CodeAssembler::new(32)?;
    let mut digit = a.create_label();
    a.mov(ebx, eax)?;
    a.xor(ecx, ecx)?;
    a.test(eax, eax)?;
    a.jz(digit)?;
    a.bsr(ecx, eax)?;
    a.and(ecx, 0x1Cu32)?;
    a.set_label(&mut digit)?;
    a.mov(eax, ebx)?;
    a.shr(eax, cl)?;
    a.and(al, 0x0Fu32)?;
    a.cmp(al, 10u32)?;
    a.sbb(al, 0x69u32)?;
    a.das()?;
    a.out(DEBUG_PORT, al)?;
    a.sub(ecx, 4u32)?;
    a.jns(digit)?;
    a.mov(al, u32::from(b' '))?;
    a.out(DEBUG_PORT, al)?;
    a.ret()?;
    a.assemble(PRINT.into())
}
