//! Where everything lies in the machine that runs the cases: shared by the generator and the runtime.
//!
//! All addresses are physical ones. When paging is on, the runtime, its stacks, the sandbox and real mode's interrupt
//! vectors are mapped one to one; behind the sandbox one page of breakpoint instructions is mapped again and again. Nothing else
//! but the window is mapped, and what a case can write is made good behind it, so that no case goes astray or finds
//! another's traces.

/// The runtime's sectors are loaded here.
pub const RUNTIME: u32 = 0x1_0000;
/// How long the runtime is, its tables included.
pub const RUNTIME_BYTES: u32 = 0x9000;
/// Entry points of vectors 0 to 63.
pub const STUBS: u32 = RUNTIME + 0x2000;
/// The distance between two of them.
pub const STUB_BYTES: u32 = 16;
/// The same in long mode.
pub const STUBS_64: u32 = RUNTIME + 0x1000;
/// Where all of them lead.
pub const HANDLER_64: u32 = RUNTIME + 0x1400;
/// From compatibility mode to the first instruction of a case.
pub const ENTER_64: u32 = RUNTIME + 0x1A00;
/// Out of long mode, in compatibility mode.
pub const LEAVE_64: u32 = RUNTIME + 0x1E00;
/// Where all of them lead.
pub const HANDLER: u32 = RUNTIME + 0x2800;
/// The GDT that is in force between cases; a case's own begins with the same three descriptors.
pub const OWN_GDT: u32 = RUNTIME + 0x3000;
/// The operands of LGDT and LIDT for it, a word and a dword each.
pub const OWN_GDTR: u32 = RUNTIME + 0x3040;
/// The same, for no IDT.
pub const OWN_IDTR: u32 = RUNTIME + 0x3048;
/// A far pointer to [`LEAVE_64`].
pub const WAY_OUT: u32 = RUNTIME + 0x3050;
/// The TSS of the double fault's task.
pub const DOUBLE_FAULT_TSS: u32 = RUNTIME + 0x3100;
/// A page directory of 32-bit paging that maps the first 640 KiB.
pub const OWN_DIRECTORY: u32 = RUNTIME + 0x4000;
/// Its page table.
pub const OWN_TABLE: u32 = RUNTIME + 0x5000;
/// The same by PAE: the page-directory-pointer table,
pub const OWN_POINTERS: u32 = RUNTIME + 0x6000;
/// its page directory,
pub const OWN_PAE_DIRECTORY: u32 = RUNTIME + 0x7000;
/// its page table.
pub const OWN_PAE_TABLE: u32 = RUNTIME + 0x8000;

/// The end of what is mapped.
pub const MAPPED: u32 = 0xA_0000;
/// The end of the runtime's stacks.
pub const STACKS_END: u32 = 0x2_0000;
/// The page of breakpoint instructions behind the sandbox.
pub const FILLER: u32 = SANDBOX + SANDBOX_BYTES;
/// The first page, as all cases find it.
pub const FIRST_PAGE: u32 = 0x22_0000;
/// What a case leaves, in the order in which it is printed ([`super::record`]).
pub const RECORD: u32 = 0x1_A000;
/// Variables of the runtime.
pub const NEXT_CASE: u32 = 0x1_A1E0;
/// Where the present case's patches are.
pub const PATCHES: u32 = 0x1_A1E4;
/// Not 0 while a handler takes its frame off the case's stack.
pub const TAKING: u32 = 0x1_A1E8;
/// A copy of the present case's head.
pub const HEAD: u32 = 0x1_A200;
/// The top of the runtime's stack.
pub const OWN_STACK: u32 = 0x1_E000;
/// The top of the double fault's stack; zeros above it.
pub const DOUBLE_FAULT_STACK: u32 = 0x1_EF00;

/// What a case may change: tables, stacks, code, data.
pub const SANDBOX: u32 = 0x8_0000;
/// Its size.
pub const SANDBOX_BYTES: u32 = 0xB000;
/// The sandbox as it was when the case began.
pub const BEFORE: u32 = 0x20_0000;
/// The sandbox as all cases have it.
pub const PRISTINE: u32 = 0x21_0000;
/// The cases: first [`PRISTINE`]'s content, then case after case, and a zero.
pub const CASES: u32 = 0x100_0000;
/// How many bytes of cases an image may have.
pub const CASES_BYTES_MAX: usize = 0x180_0000;

/// The sandbox's parts, as linear addresses.
pub const GDT: u32 = SANDBOX;
/// Its size.
pub const GDT_BYTES: u32 = 0x400;
/// The local descriptor table.
pub const LDT: u32 = SANDBOX + 0x400;
/// Its size.
pub const LDT_BYTES: u32 = 0x100;
/// The interrupt descriptor table.
pub const IDT: u32 = SANDBOX + 0x600;
/// How many vectors it has.
pub const VECTORS: u32 = 64;
/// The TSS of the task in which a case begins.
pub const TSS: u32 = SANDBOX + 0xA00;
/// Its size with the interrupt redirection and I/O permission bitmaps.
pub const TSS_BYTES: u32 = 0x200;
/// Where its I/O permission bitmap begins; the redirection bitmap is the 32 bytes before.
pub const IO_BITMAP: u32 = 0x90;
/// Another 32-bit TSS.
pub const TSS_32: u32 = SANDBOX + 0xC00;
/// A 16-bit TSS.
pub const TSS_16: u32 = SANDBOX + 0xD00;
/// The stacks of rings 0 to 3.
pub const STACKS: u32 = SANDBOX + 0x1000;
/// The size of each.
pub const STACK_BYTES: u32 = 0x400;
/// Where a stack pointer is at first.
pub const STACK_START: u32 = 0x280;
/// The page directory of 32-bit paging, or the page-directory-pointer table.
pub const DIRECTORY: u32 = SANDBOX + 0x2000;
/// The page directory of PAE paging.
pub const PAE_DIRECTORY: u32 = SANDBOX + 0x3000;
/// The page table of the window.
pub const TABLE: u32 = SANDBOX + 0x4000;
/// Operands in memory.
pub const OPERANDS: u32 = SANDBOX + 0x5000;
/// Code: breakpoint instructions all over, and the one that is tested.
pub const CODE: u32 = SANDBOX + 0x6000;
/// Two pages of data.
pub const DATA: u32 = SANDBOX + 0x7000;
/// The linear addresses that [`TABLE`] maps.
pub const WINDOW: u32 = 0x2000_0000;
/// In long mode [`DIRECTORY`] is the PML4 and [`PAE_DIRECTORY`] the page-directory-pointer table; this is the page directory.
pub const DIRECTORY_64: u32 = SANDBOX + 0x9000;
/// Its first page table: the first 640 KiB, as elsewhere.
pub const IDENTITY: u32 = SANDBOX + 0xA000;
/// The linear addresses that the second, [`TABLE`], maps. Both page-directory-pointer entries lead to the same directory.
pub const WINDOW_64: u32 = 0x4020_0000;
/// The runtime's stack, mapped once more, in long mode and alone.
pub const ENTRY_STACK: u32 = 0xF_F000;
/// What is mapped in the lower half is also mapped here, by the PML4's entry 256.
pub const HIGH_HALF: u64 = 0xFFFF_8000_0000_0000;

/// Selectors that every case has: code and data of the runtime, the double fault's task.
pub const OWN_CODE: u16 = 0x08;
/// Data.
pub const OWN_DATA: u16 = 0x10;
/// Double fault.
pub const DOUBLE_FAULT_TASK: u16 = 0x18;

/// The head of a case: dword by dword.
pub mod head {
    /// The case's length in dwords; 0 ends the list.
    pub const LENGTH: usize = 0;
    /// The case's number.
    pub const NUMBER: usize = 1;
    /// [`BY_IRET`], [`VIRTUAL`].
    pub const FLAGS: usize = 2;
    pub const CR0: usize = 3;
    pub const CR3: usize = 4;
    pub const CR4: usize = 5;
    pub const EFER: usize = 6;
    pub const DR7: usize = 7;
    /// DR1 to DR3; DR0 is the handlers' scratch register.
    pub const DR1: usize = 8;
    /// CR3 of the double fault's task.
    pub const OWN_CR3: usize = 11;
    pub const LDTR: usize = 12;
    pub const TR: usize = 13;
    /// The limit in the upper word, the base in the next dword.
    pub const GDTR: usize = 14;
    pub const IDTR: usize = 16;
    /// EAX ECX EDX EBX EBP ESI EDI.
    pub const REGISTERS: usize = 18;
    /// The frame of an IRET to virtual-8086 mode.
    pub const EIP: usize = 25;
    pub const CS: usize = 26;
    pub const EFLAGS: usize = 27;
    pub const ESP: usize = 28;
    pub const SS: usize = 29;
    pub const ES: usize = 30;
    pub const DS: usize = 31;
    pub const FS: usize = 32;
    pub const GS: usize = 33;
    /// Long mode: RAX RCX RDX RBX RBP RSI RDI R8 to R15, two dwords each.
    pub const LONG_REGISTERS: usize = 34;
    /// The frame of an IRETQ: RIP, CS, RFLAGS, RSP, SS.
    pub const FRAME: usize = 64;
    /// The values of [`MSRS`].
    pub const MSR_VALUES: usize = 74;
    /// CR3 and CR4 with what only long mode can have.
    pub const LONG_CR3: usize = 94;
    pub const LONG_CR4: usize = 95;
    /// How many.
    pub const DWORDS: usize = 96;

    /// FS.base, GS.base, KernelGSbase, STAR, LSTAR, CSTAR, FMASK; SYSENTER's.
    pub const MSRS: [u32; 10] = [
        0xC000_0100,
        0xC000_0101,
        0xC000_0102,
        0xC000_0081,
        0xC000_0082,
        0xC000_0083,
        0xC000_0084,
        0x174,
        0x175,
        0x176,
    ];

    /// The case begins by IRET, at an outer level.
    pub const BY_IRET: u32 = 1;
    /// It begins in virtual-8086 mode.
    pub const VIRTUAL: u32 = 2;
    /// It begins in long mode.
    pub const LONG: u32 = 4;
}

/// What a case leaves: dword by dword.
pub mod record {
    /// With [`LONG`] in long mode.
    pub const NUMBER: usize = 0;
    /// Vector in the upper word, DS at the handler in the lower; [`BROKEN`].
    pub const VECTOR: usize = 1;
    pub const ERROR: usize = 2;
    pub const EIP: usize = 3;
    pub const CS: usize = 4;
    pub const EFLAGS: usize = 5;
    /// From the frame, or what they are behind it.
    pub const ESP: usize = 6;
    pub const SS: usize = 7;
    /// ES DS FS GS of a frame of virtual-8086 mode.
    pub const VIRTUAL: usize = 8;
    /// EAX ECX EDX EBX ESP EBP ESI EDI at the handler.
    pub const REGISTERS: usize = 12;
    /// ES FS GS SS at the handler.
    pub const SEGMENTS: usize = 20;
    /// EFLAGS at the handler.
    pub const OWN_EFLAGS: usize = 24;
    pub const CR0: usize = 25;
    pub const CR2: usize = 26;
    pub const CR3: usize = 27;
    pub const CR4: usize = 28;
    pub const DR6: usize = 29;
    pub const DR7: usize = 30;
    /// LDTR in the upper word, TR in the lower.
    pub const TASK: usize = 31;
    /// The back link of the double fault's TSS.
    pub const LINK: usize = 32;
    /// So many are printed outside of long mode.
    pub const LEGACY_DWORDS: usize = 33;
    /// The upper halves of [`EIP`], [`ESP`] and [`CR2`].
    pub const EIP_UPPER: usize = 33;
    pub const ESP_UPPER: usize = 34;
    pub const CR2_UPPER: usize = 35;
    pub const EFER: usize = 36;
    pub const CR8: usize = 37;
    /// The upper halves of [`REGISTERS`].
    pub const UPPER: usize = 38;
    /// R8 to R15, two dwords each.
    pub const R8: usize = 46;
    /// The bases of FS and GS, and the one that SWAPGS has, two dwords each.
    pub const BASES: usize = 62;
    pub const DWORDS: usize = 68;

    /// In [`NUMBER`]: all fields are printed.
    pub const LONG: u32 = 1 << 31;
    /// In the upper word of [`VECTOR`]: the frame cannot be read by POP, which caused this exception.
    pub const BROKEN: u32 = 0x100;
}
