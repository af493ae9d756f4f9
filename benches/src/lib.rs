//! Guest programs of a few bytes, each a loop that spends its time on one path of the emulator, and a machine that runs
//! one of them in place of a BIOS. `cargo bench -p benches` times them.
//!
//! The programs are machine code written out by hand, with the assembly beside it: so short a code needs no assembler.

use machine::Machine;
use machine::boards::{self, BuildError, Hosts};
use machine::spec::{MachineSpec, RomSource};
use std::path::Path;

/// A guest program.
#[derive(Copy, Clone, Debug)]
pub struct Program {
    /// What it is called in the report.
    pub name: &'static str,
    /// How it starts.
    pub start: Start,
    /// Its code.
    pub code: &'static [u8],
}

/// What the host's own loop is called among the benchmarks.
pub const REFERENCE: &str = "host";

/// How the processor is set up for a program.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// In real mode.
    Real,
    /// In 32-bit protected mode with flat segments.
    Flat,
    /// The same with paging: 8 MiB in large pages, each at its own address.
    Paged,
}

impl Start {
    /// Where the program begins.
    fn entry(self) -> usize {
        match self {
            Self::Real => REAL_ENTRY,
            Self::Flat => PROTECTED_ENTRY,
            Self::Paged => PROTECTED_ENTRY + TO_PAGING.len(),
        }
    }
}

/// Size of the ROM that holds a program.
const ROM_BYTES: usize = 0x1_0000;
/// Where a real-mode program begins.
const REAL_ENTRY: usize = 0x100;
/// Where a protected-mode program begins.
const PROTECTED_ENTRY: usize = 0x122;
/// Where the processor starts.
const RESET_VECTOR: usize = 0xFFF0;
/// The machine's memory: the paging program walks through 8 MiB.
const MEMORY_BYTES: u64 = 16 << 20;
/// Instructions of the longest prologue, with room to spare.
pub const PROLOGUE_INSNS: u64 = 100;

/// All programs.
pub const PROGRAMS: &[Program] = &[
    Program {
        name: "alu, 16 bits",
        start: Start::Real,
        code: ALU,
    },
    Program {
        name: "alu, 32 bits flat",
        start: Start::Flat,
        code: ALU,
    },
    Program {
        name: "loads and stores, 16 bits",
        start: Start::Real,
        code: &[
            0x8B, 0x04, // mov ax, [si]
            0x01, 0x44, 0x02, // add [si + 2], ax
            0x89, 0x5C, 0x04, // mov [si + 4], bx
            0x8A, 0x64, 0x07, // mov ah, [si + 7]
            0x83, 0xC6, 0x08, // add si, 8
            0x81, 0xE6, 0xFF, 0x3F, // and si, 3FFFh
            0xEB, 0xEC, // jmp to the start
        ],
    },
    Program {
        name: "loads and stores, 32 bits flat",
        start: Start::Flat,
        code: &[
            0x8B, 0x06, // mov eax, [esi]
            0x01, 0x46, 0x04, // add [esi + 4], eax
            0x89, 0x5E, 0x08, // mov [esi + 8], ebx
            0x8A, 0x66, 0x0F, // mov ah, [esi + 15]
            0x83, 0xC6, 0x10, // add esi, 16
            0x81, 0xE6, 0xFF, 0x3F, 0x00, 0x00, // and esi, 3FFFh
            0xEB, 0xEA, // jmp to the start
        ],
    },
    Program {
        name: "calls and returns",
        start: Start::Real,
        code: &[
            0xE8, 0x03, 0x00, // call f
            0xEB, 0xFB, // jmp to the start
            0x90, // nop
            0x50, // f: push ax
            0x58, // pop ax
            0xC3, // ret
        ],
    },
    Program {
        name: "rep movsb of 4 KiB",
        start: Start::Real,
        code: &[
            0xB9, 0x00, 0x10, // mov cx, 1000h
            0x31, 0xF6, // xor si, si
            0xBF, 0x00, 0x40, // mov di, 4000h
            0xF3, 0xA4, // rep movsb
            0xEB, 0xF4, // jmp to the start
        ],
    },
    Program {
        name: "port reads",
        start: Start::Real,
        code: &[
            0xE4, 0x61, // in al, 61h
            0xEB, 0xFC, // jmp to the start
        ],
    },
    Program {
        name: "software interrupts",
        start: Start::Real,
        code: &[
            0xCD, 0x40, // int 40h
            0xEB, 0xFC, // jmp to the start
        ],
    },
    Program {
        name: "divide errors",
        start: Start::Real,
        code: &[
            0x30, 0xDB, // xor bl, bl
            0xF6, 0xF3, // div bl
            0xEB, 0xFA, // jmp to the start
        ],
    },
    Program {
        name: "self-modifying code",
        start: Start::Real,
        code: &[
            0xC7, 0x06, 0x00, 0x02, 0xB0, 0x00, // mov word [200h], the bytes of: mov al, 0
            0xC7, 0x06, 0x02, 0x02, 0xFE,
            0x06, // mov word [202h], the bytes of: inc byte [201h]
            0xC7, 0x06, 0x04, 0x02, 0x01, 0x02, // mov word [204h], its address
            0xC7, 0x06, 0x06, 0x02, 0xEB, 0xF8, // mov word [206h], the bytes of: jmp 200h
            0xEA, 0x00, 0x02, 0x00, 0x10, // jmp 1000h:0200h
        ],
    },
    Program {
        name: "x87",
        start: Start::Real,
        code: &[
            0xDB, 0xE3, // fninit
            0xD9, 0xEB, // loop: fldpi
            0xD9, 0xE8, // fld1
            0xDC, 0xC9, // fmul st1, st0
            0xDE, 0xF9, // fdivp st1, st0
            0xDD, 0xD8, // fstp st0
            0xEB, 0xF4, // jmp loop
        ],
    },
    Program {
        name: "TLB misses",
        start: Start::Paged,
        code: &[
            0x31, 0xF6, // xor esi, esi
            0x8B, 0x06, // loop: mov eax, [esi]
            0x81, 0xC6, 0x40, 0x10, 0x00, 0x00, // add esi, 1040h
            0x81, 0xE6, 0xFC, 0xFF, 0x7F, 0x00, // and esi, 7FFFFCh
            0xEB, 0xF0, // jmp loop
        ],
    },
    Program {
        name: "CR3 writes",
        start: Start::Paged,
        code: &[
            0xB8, 0x00, 0x00, 0x02, 0x00, // loop: mov eax, 20000h
            0x0F, 0x22, 0xD8, // mov cr3, eax
            0x8B, 0x1D, 0x00, 0x80, 0x00, 0x00, // mov ebx, [8000h]
            0x8B, 0x1D, 0x00, 0x90, 0x00, 0x00, // mov ebx, [9000h]
            0x89, 0x1D, 0x00, 0xA0, 0x00, 0x00, // mov [A000h], ebx
            0xEB, 0xE4, // jmp loop
        ],
    },
    Program {
        name: "INVLPG",
        start: Start::Paged,
        code: &[
            0x0F, 0x01, 0x3D, 0x00, 0x80, 0x00, 0x00, // loop: invlpg [8000h]
            0x8B, 0x1D, 0x00, 0x80, 0x00, 0x00, // mov ebx, [8000h]
            0xEB, 0xF1, // jmp loop
        ],
    },
    Program {
        name: "SSE2, doubles",
        start: Start::Flat,
        code: &[
            0x0F, 0x20, 0xE0, // mov eax, cr4
            0x0D, 0x00, 0x02, 0x00, 0x00, // or eax, 200h
            0x0F, 0x22, 0xE0, // mov cr4, eax
            0xB8, 0x03, 0x00, 0x00, 0x00, // mov eax, 3
            0xF2, 0x0F, 0x2A, 0xC0, // cvtsi2sd xmm0, eax
            0xF2, 0x0F, 0x2A, 0xC8, // cvtsi2sd xmm1, eax
            0xF2, 0x0F, 0x51, 0xC9, // sqrtsd xmm1, xmm1
            0x66, 0x0F, 0x28, 0xD0, // loop: movapd xmm2, xmm0
            0xF2, 0x0F, 0x59, 0xD1, // mulsd xmm2, xmm1
            0xF2, 0x0F, 0x58, 0xD1, // addsd xmm2, xmm1
            0xF2, 0x0F, 0x5E, 0xD0, // divsd xmm2, xmm0
            0xF2, 0x0F, 0x11, 0x15, 0x00, 0x80, 0x00, 0x00, // movsd [8000h], xmm2
            0xF2, 0x0F, 0x58, 0x15, 0x00, 0x80, 0x00, 0x00, // addsd xmm2, [8000h]
            0x66, 0x0F, 0x2E, 0xD1, // ucomisd xmm2, xmm1
            0xEB, 0xDA, // jmp loop
        ],
    },
    Program {
        name: "SSE2, packed integers",
        start: Start::Flat,
        code: &[
            0x0F, 0x20, 0xE0, // mov eax, cr4
            0x0D, 0x00, 0x02, 0x00, 0x00, // or eax, 200h
            0x0F, 0x22, 0xE0, // mov cr4, eax
            0xF3, 0x0F, 0x6F, 0x86, 0x00, 0x80, 0x00,
            0x00, // loop: movdqu xmm0, [esi + 8000h]
            0x66, 0x0F, 0xEF, 0xC8, // pxor xmm1, xmm0
            0x66, 0x0F, 0xFE, 0xC8, // paddd xmm1, xmm0
            0x66, 0x0F, 0x74, 0xC1, // pcmpeqb xmm0, xmm1
            0x66, 0x0F, 0x70, 0xD1, 0x1B, // pshufd xmm2, xmm1, 1Bh
            0x66, 0x0F, 0xD7, 0xC0, // pmovmskb eax, xmm0
            0x66, 0x0F, 0x7F, 0x0D, 0x00, 0x90, 0x00, 0x00, // movdqa [9000h], xmm1
            0xEB, 0xD9, // jmp loop
        ],
    },
    Program {
        name: "rep stosd of 4 KiB",
        start: Start::Flat,
        code: &[
            0xB9, 0x00, 0x04, 0x00, 0x00, // loop: mov ecx, 1024
            0xBF, 0x00, 0x80, 0x00, 0x00, // mov edi, 8000h
            0xF3, 0xAB, // rep stosd
            0xEB, 0xF2, // jmp loop
        ],
    },
    Program {
        name: "repe cmpsb of 4 KiB",
        start: Start::Flat,
        code: &[
            0xB9, 0x00, 0x10, 0x00, 0x00, // loop: mov ecx, 4096
            0xBE, 0x00, 0x80, 0x00, 0x00, // mov esi, 8000h
            0xBF, 0x00, 0xA0, 0x00, 0x00, // mov edi, A000h
            0xF3, 0xA6, // repe cmpsb
            0xEB, 0xED, // jmp loop
        ],
    },
    Program {
        name: "rep movsd of 12 bytes",
        start: Start::Flat,
        code: &[
            0xB9, 0x03, 0x00, 0x00, 0x00, // loop: mov ecx, 3
            0xBE, 0x00, 0x80, 0x00, 0x00, // mov esi, 8000h
            0xBF, 0x00, 0xA0, 0x00, 0x00, // mov edi, A000h
            0xF3, 0xA5, // rep movsd
            0xEB, 0xED, // jmp loop
        ],
    },
    Program {
        name: "VGA window",
        start: Start::Flat,
        code: &[
            0xBF, 0x00, 0x80, 0x0B, 0x00, // mov edi, B8000h
            0x66, 0x89, 0x07, // loop: mov [edi], ax
            0x40, // inc eax
            0x83, 0xC7, 0x02, // add edi, 2
            0x81, 0xE7, 0xFE, 0x8F, 0x0B, 0x00, // and edi, B8FFEh
            0xEB, 0xF1, // jmp loop
        ],
    },
    Program {
        name: "indirect calls",
        start: Start::Flat,
        code: &[
            0xB8, 0x2B, 0x01, 0x0F, 0x00, // loop: mov eax, f
            0xFF, 0xD0, // call eax
            0xEB, 0xF7, // jmp loop
            0xC3, // f: ret
        ],
    },
];

/// The same bytes do the same with either operand size.
const ALU: &[u8] = &[
    0x01, 0xD8, // add eax, ebx
    0x31, 0xC2, // xor edx, eax
    0xD1, 0xE2, // shl edx, 1
    0x11, 0xD3, // adc ebx, edx
    0x49, // dec ecx
    0x29, 0xC8, // sub eax, ecx
    0x21, 0xD0, // and eax, edx
    0xEB, 0xF1, // jmp to the start
];

/// Sets up stack, data segments, and the vectors of interrupts 0 and 40h; then jumps to [`REAL_ENTRY`].
const PROLOGUE: &[u8] = &[
    0xFA, // cli
    0xFC, // cld
    0xB8, 0x00, 0x10, // mov ax, 1000h
    0x8E, 0xC0, // mov es, ax
    0x8E, 0xD0, // mov ss, ax
    0xBC, 0x00, 0xF0, // mov sp, F000h
    0x31, 0xC9, // xor cx, cx
    0x8E, 0xD9, // mov ds, cx
    0xC7, 0x06, 0x00, 0x00, 0x80, 0x00, // mov word [0], the handler of divide errors
    0xC7, 0x06, 0x02, 0x00, 0x00, 0xF0, // mov word [2], F000h
    0xC7, 0x06, 0x00, 0x01, 0x90, 0x00, // mov word [100h], the handler of interrupt 40h
    0xC7, 0x06, 0x02, 0x01, 0x00, 0xF0, // mov word [102h], F000h
    0x8E, 0xD8, // mov ds, ax
    0xEA, 0x00, 0x01, 0x00, 0xF0, // jmp F000h:0100h
];

/// Goes on behind the instruction of two bytes that faulted.
const DIVIDE_ERROR: (usize, &[u8]) = (
    0x80,
    &[
        0x55, // push bp
        0x89, 0xE5, // mov bp, sp
        0x83, 0x46, 0x02, 0x02, // add word [bp + 2], 2
        0x5D, // pop bp
        0xCF, // iret
    ],
);

/// `iret`.
const INTERRUPT_40: (usize, &[u8]) = (0x90, &[0xCF]);

/// The operand of LGDT, and flat code and data segments behind it.
const GDT: (usize, &[u8]) = (
    0xA0,
    &[
        0x17, 0x00, 0xA8, 0x00, 0x0F, 0x00, 0x00, 0x00, // limit 17h, base F00A8h
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, // null
        0xFF, 0xFF, 0x00, 0x00, 0x00, 0x9A, 0xCF, 0x00, // 08h: code, 32 bits
        0xFF, 0xFF, 0x00, 0x00, 0x00, 0x92, 0xCF, 0x00, // 10h: data
    ],
);

/// To flat protected mode, at [`PROTECTED_ENTRY`].
const TO_PROTECTED_MODE: &[u8] = &[
    0x2E, 0x66, 0x0F, 0x01, 0x16, 0xA0, 0x00, // lgdt cs:[A0h]
    0x66, 0xB8, 0x10, 0x00, 0x00, 0x00, // mov eax, 10h
    0x0F, 0x20, 0xC1, // mov ecx, cr0
    0x41, // inc cx
    0x0F, 0x22, 0xC1, // mov cr0, ecx
    0x8E, 0xD8, // mov ds, ax
    0x8E, 0xC0, // mov es, ax
    0x8E, 0xD0, // mov ss, ax
    0x66, 0xEA, 0x22, 0x01, 0x0F, 0x00, 0x08, 0x00, // jmp 08h:000F0122h
];

/// Turns paging on, with large pages.
const TO_PAGING: &[u8] = &[
    0xC7, 0x05, 0x00, 0x00, 0x02, 0x00, 0x83, 0x00, 0x00, 0x00, // mov dword [20000h], 83h
    0xC7, 0x05, 0x04, 0x00, 0x02, 0x00, 0x83, 0x00, 0x40, 0x00, // mov dword [20004h], 400083h
    0x0F, 0x20, 0xE0, // mov eax, cr4
    0x83, 0xC8, 0x10, // or eax, PSE
    0x0F, 0x22, 0xE0, // mov cr4, eax
    0xB8, 0x00, 0x00, 0x02, 0x00, // mov eax, 20000h
    0x0F, 0x22, 0xD8, // mov cr3, eax
    0x0F, 0x20, 0xC0, // mov eax, cr0
    0x0D, 0x00, 0x00, 0x00, 0x80, // or eax, PG
    0x0F, 0x22, 0xC0, // mov cr0, eax
];

/// The ROM that holds a program.
pub fn rom(program: &Program) -> Vec<u8> {
    let mut rom = vec![0x90; ROM_BYTES];
    let mut put = |at: usize, bytes: &[u8]| rom[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, PROLOGUE);
    put(DIVIDE_ERROR.0, DIVIDE_ERROR.1);
    put(INTERRUPT_40.0, INTERRUPT_40.1);
    put(GDT.0, GDT.1);
    if program.start != Start::Real {
        put(REAL_ENTRY, TO_PROTECTED_MODE);
    }
    if program.start == Start::Paged {
        put(PROTECTED_ENTRY, TO_PAGING);
    }
    put(program.start.entry(), program.code);
    put(RESET_VECTOR, &[0xEA, 0x00, 0x00, 0x00, 0xF0]); // jmp F000h:0000h
    rom
}

/// A machine about to execute a program in place of a BIOS. The ROM is written to a file in `folder`.
pub fn machine(program: &Program, folder: &Path) -> Result<Machine, BuildError> {
    let path = folder.join(program.name.replace([' ', ','], "-") + ".rom");
    std::fs::write(&path, rom(program)).map_err(|e| BuildError::Firmware(e.to_string()))?;
    let spec = MachineSpec {
        memory_bytes: MEMORY_BYTES,
        bios: RomSource::File(path),
        ..MachineSpec::default()
    };
    boards::build(&spec, Hosts::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use machine::{Stop, Until};

    #[test]
    fn every_program_stays_in_its_loop() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tmp");
        std::fs::create_dir_all(&folder).unwrap();
        for program in PROGRAMS {
            let entry = program.start.entry();
            let its_code = 0xF_0000 + entry as u64..0xF_0000 + (entry + program.code.len()) as u64;
            let handlers = 0xF_0080..0xF_0091;
            let in_ram = 0x1_0200..0x1_0208;
            let mut guest = machine(program, &folder).unwrap();
            for insns in 100_000..100_040 {
                assert_eq!(guest.run(Until::insns(insns), None), Stop::Insns);
                let cpu = guest.cpu_state();
                let at = (cpu.segments[1].base + cpu.rip) & 0xF_FFFF;
                assert!(
                    its_code.contains(&at) || handlers.contains(&at) || in_ram.contains(&at),
                    "{}: at {at:05X}",
                    program.name
                );
                let protected = cpu.cr0.bits() & 1 != 0;
                assert_eq!(protected, program.start != Start::Real, "{}", program.name);
                let paged = cpu.cr0.bits() >> 31 != 0;
                assert_eq!(paged, program.start == Start::Paged, "{}", program.name);
            }
        }
    }
}
