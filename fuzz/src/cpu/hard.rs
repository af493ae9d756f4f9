//! Instructions where ways of execution come apart most easily: over the ends of pages, over themselves, into page
//! tables, with breakpoints and single steps, and from one task to the next.

use super::tables::PAGE_TABLE;
use crate::hostile;
use emu_core::testkit::Rng;

/// Where programs lie, for segments with base 0.
const PROGRAM: u32 = 0x1_0000;

/// One of them, for the place `at` in the program: for 16-bit or 32-bit code, or mostly for 64-bit code.
pub fn instruction(at: usize, long: bool, rng: &mut Rng) -> Vec<u8> {
    let long = long && rng.below(8) != 0;
    let wide = long || rng.below(2) == 0;
    let place = PROGRAM + at as u32;
    let mut code = Vec::new();
    if long && rng.below(4) == 0 {
        return super::long_code::instruction(at, rng);
    }
    match rng.below(14) {
        0 | 1 => {
            // jmp: so near the end of a page that the instruction there may reach over it.
            let end = (place & !0xFFF) + ((rng.below(5) as u32) << 12);
            let target = end.wrapping_sub(rng.below(16) as u32);
            code.push(0xE9);
            let next = place + if wide { 5 } else { 3 };
            number(&mut code, wide, target.wrapping_sub(next));
        }
        2 => {
            // jmp: a little back or forth, so that blocks overlap.
            code.extend([0xEB, rng.below(32) as u8]);
        }
        3 | 4 => {
            // mov byte [near here],n
            let prefixes: &[u8] = if rng.below(2) == 0 { &[] } else { &[0x2E] };
            code.extend(prefixes);
            code.push(0xC6);
            absolute(&mut code, 0, wide, long);
            number(&mut code, wide, near(place, rng));
            code.push(hostile::byte(rng));
        }
        5 => {
            // mov dword [entry of the page table],n: the program's pages, its data's, its stack's.
            let page = 0x10 + rng.below(0x40) as u32;
            let entry = PAGE_TABLE as u32 + page * [4, 8][rng.below(2) as usize];
            let frame = [page, 0x10 + rng.below(0x40) as u32][rng.below(2) as usize];
            if !wide {
                code.extend([0x66, 0x67]);
            }
            code.push(0xC7);
            absolute(&mut code, 0, true, long);
            code.extend(entry.to_le_bytes());
            let bits = [7, 7, 0x67, 5, 3, 6, 0][rng.below(7) as usize];
            code.extend((frame << 12 | bits).to_le_bytes());
        }
        6 => {
            // invlpg
            if !wide {
                code.push(0x67);
            }
            code.extend([0x0F, 0x01]);
            absolute(&mut code, 7, true, long);
            code.extend(near(place, rng).to_le_bytes());
        }
        7 => code.extend([0x0F, 0x20, 0xD8, 0x0F, 0x22, 0xD8]), // mov eax,cr3; mov cr3,eax
        8 | 9 => {
            // (E)SI, (E)DI and (E)CX, then a repeated string instruction over the end of a page or over itself.
            for register in [0xBE, 0xBF] {
                let end = (near(place, rng) & !0xFFF) + 0x1000;
                let over = match rng.below(3) {
                    0 => place + rng.below(24) as u32,
                    _ => end - rng.below(24) as u32,
                };
                code.push(register);
                number(&mut code, wide, over);
            }
            code.push(0xB9);
            number(&mut code, wide, rng.below(40) as u32);
            if rng.below(3) == 0 {
                code.push(0xFD);
            }
            code.push([0xF2, 0xF3][rng.below(2) as usize]);
            let which = [0xA4, 0xA5, 0xA6, 0xAA, 0xAB, 0xAC, 0xAE, 0x6C, 0x6D, 0x6E];
            code.push(which[rng.below(which.len() as u64) as usize]);
        }
        10 => {
            // pushf; pop ax; or ah,1; push ax; popf: single steps.
            code.extend([0x9C, 0x58, 0x80, 0xCC, 0x01, 0x50, 0x9D]);
        }
        11 => {
            // mov eax,n; mov drN,eax; mov eax,n; mov dr7,eax
            let number = rng.below(4) as u8;
            for (register, value) in [
                (number, near(place, rng)),
                (7, rng.next_u64() as u32 & 0xFFFF_00FF | 0x400),
            ] {
                if !wide {
                    code.push(0x66);
                }
                code.push(0xB8);
                code.extend(value.to_le_bytes());
                code.extend([0x0F, 0x23, 0xC0 | register << 3]);
            }
        }
        12 => {
            // jmp or call: a task, a task gate, a call gate.
            let selector = [8u16, 9, 11, 12, 13, 19, 20][rng.below(7) as usize] << 3;
            code.push([0x9A, 0xEA][rng.below(2) as usize]);
            number(&mut code, wide, 0);
            code.extend((selector | rng.below(4) as u16).to_le_bytes());
        }
        _ => {
            // sti or mov ss,ax, and behind its shadow something that faults, traps or waits.
            let first: &[u8] = [&[0xFB][..], &[0x8C, 0xD0, 0x8E, 0xD0]][rng.below(2) as usize];
            code.extend(first);
            let then: &[u8] = [
                &[0xCC][..],
                &[0xF4],
                &[0x0F, 0x0B],
                &[0xCD, 0x80],
                &[0xF3, 0xAA],
                &[0x9D],
                &[0xFA],
            ][rng.below(7) as usize];
            code.extend(then);
        }
    }
    code
}

/// ModR/M and SIB bytes of a memory operand that is only a displacement.
fn absolute(code: &mut Vec<u8>, register: u8, wide: bool, long: bool) {
    let register = register << 3;
    match (wide, long) {
        (_, true) => code.extend([register | 4, 0x25]),
        (true, false) => code.push(register | 5),
        (false, false) => code.push(register | 6),
    }
}

/// A place in the program or in the page behind.
pub fn near(place: u32, rng: &mut Rng) -> u32 {
    match rng.below(3) {
        0 => place + rng.below(0x40) as u32,
        1 => place.wrapping_sub(rng.below(0x40) as u32),
        _ => (place & !0xFFF) + rng.below(0x2000) as u32,
    }
}

/// Adds an operand of the code's own width; of a place in memory 16-bit code has the offset in the program.
fn number(code: &mut Vec<u8>, wide: bool, n: u32) {
    if wide {
        code.extend(n.to_le_bytes());
    } else {
        code.extend((n as u16).to_le_bytes());
    }
}
