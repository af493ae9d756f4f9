//! Programs: random bytes with instructions strewn in that a purely random stream would hardly hit with operands that
//! make sense.

use super::{hard, long_code};
use crate::hostile;
use emu_core::testkit::Rng;

/// Instructions with a byte each of 00h that becomes something at an edge, and EEh bytes that become a place in the
/// program or a selector.
const SNIPPETS: &[&[u8]] = &[
    &[0xB8, 0xEE, 0xEE, 0x8E, 0xD8], // mov ax, sel; mov ds, ax
    &[0xB8, 0xEE, 0xEE, 0x8E, 0xD0], // mov ax, sel; mov ss, ax
    &[0xB8, 0xEE, 0xEE, 0x8E, 0xC0], // mov ax, sel; mov es, ax
    &[0xCD, 0x00],                   // int n
    &[0xCC],                         // int3
    &[0xCE],                         // into
    &[0xCF],                         // iret
    &[0x66, 0xCF],                   // iretd
    &[0x9C, 0x9D],                   // pushf; popf
    &[0x66, 0x9C, 0x66, 0x9D],       // pushfd; popfd
    &[0x68, 0x00, 0x00, 0x9D],       // push imm; popf
    &[0xFA],                         // cli
    &[0xFB],                         // sti
    &[0xF4],                         // hlt
    &[0x9A, 0xEE, 0xEE, 0xEE, 0x00], // call far
    &[0xEA, 0xEE, 0xEE, 0xEE, 0x00], // jmp far
    &[0xCB],                         // retf
    &[0xCA, 0x00, 0x00],             // retf n
    &[0xC8, 0x00, 0x00, 0x00],       // enter
    &[0xC9],                         // leave
    &[0x0F, 0x01, 0x00],             // sgdt, lgdt, smsw, lmsw, invlpg...
    &[0x0F, 0x00, 0x00],             // sldt, str, lldt, ltr, verr, verw
    &[0x0F, 0x20, 0xC0],             // mov eax, cr0
    &[0x0F, 0x22, 0xC0],             // mov cr0, eax
    &[0x0F, 0x22, 0xD8],             // mov cr3, eax
    &[0x0F, 0x22, 0xE0],             // mov cr4, eax
    &[0x66, 0x83, 0xE0, 0x11, 0x0F, 0x22, 0xC0], // and eax, 11h; mov cr0, eax
    &[0x0F, 0x23, 0x00],             // mov drN, r
    &[0x0F, 0x21, 0x00],             // mov r, drN
    &[0x0F, 0x30],                   // wrmsr
    &[0x0F, 0x32],                   // rdmsr
    &[0x0F, 0x31],                   // rdtsc
    &[0x0F, 0x33],                   // rdpmc
    &[0x0F, 0x34],                   // sysenter
    &[0x0F, 0x35],                   // sysexit
    &[0x0F, 0xA2],                   // cpuid
    &[0x0F, 0xAA],                   // rsm
    &[0x0F, 0x06],                   // clts
    &[0x0F, 0x05],                   // loadall (286), syscall
    &[0x0F, 0x09],                   // wbinvd
    &[0x0F, 0xAE, 0x00],             // fxsave, fxrstor...
    &[0x0F, 0xC7, 0x00],             // cmpxchg8b
    &[0x0F, 0x02, 0x00],             // lar
    &[0x0F, 0x03, 0x00],             // lsl
    &[0x62, 0x00],                   // bound
    &[0x63, 0x00],                   // arpl
    &[0xF3, 0xA4],                   // rep movsb
    &[0xF3, 0xA5],                   // rep movs
    &[0xF3, 0xAB],                   // rep stos
    &[0xF2, 0xAE],                   // repne scasb
    &[0xF3, 0xA6],                   // repe cmpsb
    &[0xF3, 0x6C],                   // rep insb
    &[0xF3, 0x6F],                   // rep outs
    &[0xB9, 0x00, 0x00],             // mov cx, n
    &[0x66, 0xB9, 0x00, 0x00, 0x00, 0x00], // mov ecx, n
    &[0xBC, 0xEE, 0xEE],             // mov sp, n
    &[0xBF, 0xEE, 0xEE],             // mov di, n
    &[0xBE, 0xEE, 0xEE],             // mov si, n
    &[0xE4, 0x00],                   // in al, n
    &[0xE6, 0x00],                   // out n, al
    &[0xED],                         // in ax, dx
    &[0xEF],                         // out dx, ax
    &[0xE9, 0xEE, 0xEE],             // jmp near
    &[0xE8, 0xEE, 0xEE],             // call near
    &[0xEB, 0x00],                   // jmp short
    &[0x75, 0x00],                   // jnz
    &[0xE2, 0x00],                   // loop
    &[0xD9, 0x00],                   // x87
    &[0xDB, 0x00],
    &[0xDD, 0x00],
    &[0xDF, 0x00],
    &[0xDB, 0xE3], // fninit
    &[0x9B],       // wait
    &[0x66],
    &[0x67],
    &[0xF0],
    &[0x2E],
    &[0x36],
    &[0x64],
    &[0x26],
    &[0xF2],
    &[0xF3],
    &[0x0F],
    &[0xF6, 0x00],
    &[0xF7, 0x00],
    &[0xFF, 0x00],
    &[0x8E, 0x00],
    &[0x8C, 0x00],
    &[0xC4, 0x00],
    &[0xC5, 0x00],
    &[0x0F, 0xB2, 0x00],
    &[0x17],       // pop ss
    &[0x07],       // pop es
    &[0x1F],       // pop ds
    &[0x0F, 0xA9], // pop gs
    &[0xD6],
    &[0xF1], // int1
    &[0xD4, 0x00],
    &[0xC0, 0x00],
    &[0xC7, 0x06, 0xEE, 0xEE, 0x00, 0x00], // mov word [n], n: over code and tables
    &[0x2E, 0xC6, 0x06, 0xEE, 0xEE, 0x90], // mov byte cs:[n], 90h
];

/// Fills a program; `long`: mostly for 64-bit mode.
pub fn fill(bytes: &mut [u8], long: bool, rng: &mut Rng) {
    let (random, hard) = (rng.below(4), rng.below(6));
    let mut at = 0;
    while at < bytes.len() {
        let rest = &mut bytes[at..];
        let n = if rng.below(4) < random {
            rest[0] = rng.next_u64() as u8;
            1
        } else if rng.below(8) < hard {
            let insn = hard::instruction(at, long, rng);
            let n = insn.len().min(rest.len());
            rest[..n].copy_from_slice(&insn[..n]);
            n
        } else {
            let snippets = if long && rng.below(3) != 0 {
                long_code::SNIPPETS
            } else {
                SNIPPETS
            };
            let snippet = snippets[rng.below(snippets.len() as u64) as usize];
            let n = snippet.len().min(rest.len());
            for (i, (to, &from)) in rest.iter_mut().zip(snippet).enumerate() {
                *to = match from {
                    0x00 if i > 0 => hostile::byte(rng),
                    0xEE => (rng.next_u64() as u8) & 0x7B,
                    byte => byte,
                };
            }
            n
        };
        at += n;
    }
}
