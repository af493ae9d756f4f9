//! Descriptor tables, task states and page tables that mostly make sense.

use crate::hostile;
use cpu::CpuModel;
use emu_core::testkit::Rng;
use emu_core::x86::{
    CpuState, Cr0, Cr4, DescriptorTable, Rflags, SegmentAttributes, SegmentRegister, Selector,
};

pub const GDT: usize = 0x1000;
pub const IDT: usize = 0x2000;
pub const TASKS: usize = 0x4000;
pub const LDT: usize = 0x6000;
pub const PAGE_DIRECTORY: usize = 0x8000;
/// One page table: the first megabytes.
pub const PAGE_TABLE: usize = 0x9000;
pub const POINTER_TABLE: usize = 0xA000;

/// A descriptor (SDM vol. 3, section 3.4.5): base, limit field, access byte, flags nibble.
pub fn descriptor(base: u32, limit: u32, access: u8, flags: u8) -> u64 {
    u64::from(limit & 0xFFFF)
        | u64::from(base & 0xFF_FFFF) << 16
        | u64::from(access) << 40
        | u64::from(limit >> 16 & 15) << 48
        | u64::from(flags & 15) << 52
        | u64::from(base >> 24) << 56
}

/// A gate (SDM vol. 3, sections 5.8.3 and 6.11).
pub fn gate(selector: u16, offset: u32, count: u8, access: u8) -> u64 {
    u64::from(offset & 0xFFFF)
        | u64::from(selector) << 16
        | u64::from(count & 31) << 32
        | u64::from(access) << 40
        | u64::from(offset >> 16) << 48
}

pub fn put(ram: &mut [u8], at: usize, entry: u64) {
    ram[at..at + 8].copy_from_slice(&entry.to_le_bytes());
}

pub fn place(rng: &mut Rng) -> u32 {
    0x1_0000 + rng.below(0x2_0000) as u32
}

fn fill_descriptors(ram: &mut [u8], at: usize, rng: &mut Rng) {
    let task = |n: u32| TASKS as u32 + n * 0x100;
    let usual = [
        0,
        descriptor(0, 0xF_FFFF, 0x9A, 0xC),
        descriptor(0, 0xF_FFFF, 0x92, 0xC),
        descriptor(0x1_0000, 0xFFFF, 0x9A, 0),
        descriptor(0x1_0000, 0xFFFF, 0x92, 0),
        descriptor(0, 0xF_FFFF, 0xFA, 0xC),
        descriptor(0, 0xF_FFFF, 0xF2, 0xC),
        descriptor(task(0), 0x67, 0x8B, 0),
        descriptor(task(1), 0x67, 0x89, 0),
        descriptor(task(2), 0x2B, 0x81, 0),
        descriptor(LDT as u32, 0xFF, 0x82, 0),
        gate(1 << 3, place(rng), 3, 0xEC),
        gate(3 << 3, place(rng) & 0xFFFF, 2, 0xE4),
        gate(8 << 3, 0, 0, 0xE5),
        descriptor(0x3_0000, 0x0FFF, 0x96, 4),
        descriptor(0x3_0000, 0x10, 0x92, 0),
        descriptor(0, 0xF_FFFF, 0x9E, 0xC),
        descriptor(0x1_0000, 0xFFFF, 0xFA, 0),
        descriptor(0x1_0000, 0xFFFF, 0xF2, 0),
        descriptor(task(3), 0x67, 0xE9, 0),
        gate(19 << 3, 0, 0, 0xE5),
    ];
    for n in 0..32 {
        let mut entry = match usual.get(n) {
            Some(&entry) => entry,
            None => {
                // Any type, with a base and a limit that lead somewhere.
                let access = 0x80 | rng.next_u64() as u8;
                descriptor(
                    place(rng),
                    rng.next_u64() as u32 & 0xF_FFFF,
                    access,
                    hostile::byte(rng),
                )
            }
        };
        if n > 2 && rng.below(12) == 0 {
            entry ^= 1 << rng.below(64);
        }
        put(ram, at + n * 8, entry);
    }
}

fn selector(rng: &mut Rng) -> u16 {
    (rng.below(21) as u16) << 3 | rng.below(4) as u16
}

fn fill_tasks(ram: &mut [u8], rng: &mut Rng) {
    for n in 0..4 {
        let at = TASKS + n * 0x100;
        for (i, field) in ram[at..at + 0x68].chunks_exact_mut(4).enumerate() {
            // SDM vol. 3, figure 7-2: stacks, CR3, EIP, EFLAGS, registers, selectors, LDT, I/O map.
            let value = match i {
                0 => u32::from(selector(rng)),
                1 | 3 | 5 => 0x4_0000 + rng.below(0x1_0000) as u32,
                2 => 2 << 3,
                4 => 6 << 3 | 1,
                6 => 6 << 3 | 2,
                7 => PAGE_DIRECTORY as u32,
                8 => place(rng),
                9 => rng.next_u64() as u32 & 0x0027_7FD7 | 2,
                10..18 => rng.next_u64() as u32 & 0x7_FFFF,
                18..24 => u32::from(match rng.below(3) {
                    0 => selector(rng),
                    _ if i == 19 => 1 << 3,
                    _ => 2 << 3,
                }),
                24 => [0, 10 << 3][rng.below(2) as usize],
                _ => (rng.below(0x70) as u32) << 16 | u32::from(rng.below(4) == 0),
            };
            field.copy_from_slice(&value.to_le_bytes());
        }
    }
}

fn fill_gates(ram: &mut [u8], rng: &mut Rng) {
    for n in 0..256 {
        let code = [1u16 << 3, 3 << 3, 1 << 3, 16 << 3][rng.below(4) as usize];
        let access = [0x8E, 0x8F, 0xEE, 0xEF, 0x86, 0xE7, 0xE5, 0x85][rng.below(8) as usize];
        let target = if access & 7 == 5 { 8 << 3 } else { code };
        let offset = if target == 3 << 3 {
            rng.below(0x1_0000) as u32
        } else {
            place(rng)
        };
        let mut entry = gate(target, offset, 0, access);
        if rng.below(16) == 0 {
            entry = rng.next_u64();
        }
        put(ram, IDT + n * 8, entry);
    }
}

fn fill_pages(ram: &mut [u8], pae: bool, rng: &mut Rng) {
    let mut entry = |identity: u64| match rng.below(24) {
        0 => rng.next_u64() >> rng.below(40),
        1 => identity & !1,
        2 => identity & !2,
        3 => identity | 0x180,
        4 => place(rng) as u64 & !0xFFF | 7,
        n => identity & !(u64::from(n == 5) << 2),
    };
    if pae {
        for n in 0..4 {
            let pointer = if n == 0 {
                PAGE_DIRECTORY as u64 | 1
            } else {
                entry(1) & !0x1E6
            };
            put(ram, POINTER_TABLE + n * 8, pointer);
        }
        for n in 0..512 {
            let table = if n == 0 {
                PAGE_TABLE as u64 | 7
            } else {
                entry(0x83 | (n as u64) << 21)
            };
            put(ram, PAGE_DIRECTORY + n * 8, table);
            put(ram, PAGE_TABLE + n * 8, entry((n as u64) << 12 | 7));
        }
    } else {
        for n in 0..1024 {
            let table = if n == 0 {
                PAGE_TABLE as u64 | 7
            } else {
                entry(0x83 | (n as u64) << 22)
            };
            let page = entry((n as u64) << 12 | 7);
            let at = n * 4;
            ram[PAGE_DIRECTORY + at..][..4].copy_from_slice(&(table as u32).to_le_bytes());
            ram[PAGE_TABLE + at..][..4].copy_from_slice(&(page as u32).to_le_bytes());
        }
    }
}

pub fn register(selector: u16, base: u64, limit: u32, attributes: u32) -> SegmentRegister {
    SegmentRegister {
        selector: Selector(selector),
        base,
        limit,
        attributes: SegmentAttributes::from_bits_retain(
            attributes | SegmentAttributes::USABLE.bits(),
        ),
    }
}

/// Puts the tables into memory and the CPU into one of the protected modes.
pub fn protect(model: &CpuModel, ram: &mut [u8], state: &mut CpuState, rng: &mut Rng) {
    let is_386 = model.processor.is_none();
    fill_descriptors(ram, GDT, rng);
    fill_descriptors(ram, LDT, rng);
    fill_tasks(ram, rng);
    fill_gates(ram, rng);
    state.gdtr = DescriptorTable {
        base: GDT as u64,
        limit: 0xFF,
    };
    state.idtr = DescriptorTable {
        base: IDT as u64,
        limit: 0x7FF,
    };
    state.ldtr = register(10 << 3, LDT as u64, 0xFF, 0x82);
    state.tr = register(7 << 3, TASKS as u64, 0x67, 0x8B);
    state.cr0 |= Cr0::PE;
    state.gpr[4] = 0x4_0000 + rng.below(0x1_0000);
    let mut flags = Rflags::ONE | Rflags::from_bits_truncate(rng.next_u64() & 0x0000_7FD5);
    if rng.below(4) != 0 {
        flags -= Rflags::TF | Rflags::NT;
    }
    if !is_386 {
        let data = register(4 << 3, 0x1_0000, 0xFFFF, 0x93);
        state.segments = [data; 6];
        state.segments[1] = register(3 << 3, 0x1_0000, 0xFFFF, 0x9B);
        state.rflags = flags;
        return;
    }
    match rng.below(4) {
        0 => {
            // Virtual-8086 mode.
            flags |= Rflags::VM;
            for segment in &mut state.segments {
                let selector = 0x1000 + rng.below(0x2000) as u16;
                *segment = register(selector, u64::from(selector) << 4, 0xFFFF, 0xF3);
            }
            state.rip = rng.below(0x1000);
        }
        ring => {
            let (code, data, dpl) = match ring {
                1 => (5 << 3 | 3, 6 << 3 | 3, 0x60),
                _ => (1 << 3, 2 << 3, 0),
            };
            state.segments = [register(data, 0, u32::MAX, 0xC093 | dpl); 6];
            state.segments[1] = register(code, 0, u32::MAX, 0xC09B | dpl);
            state.rip = place(rng).into();
        }
    }
    state.rflags = flags;
    let pae = rng.below(3) == 0;
    fill_pages(ram, pae, rng);
    let mut cr4 = Cr4::from_bits_truncate(rng.next_u64() & 0x8F) - Cr4::PAE;
    if rng.below(2) == 0 {
        state.cr0 |= Cr0::PG;
        state.cr3 = PAGE_DIRECTORY as u64;
        if pae {
            cr4 |= Cr4::PAE;
            state.cr3 = POINTER_TABLE as u64;
            state.pdpte = [PAGE_DIRECTORY as u64 | 1, 0, 0, 0];
        }
        if rng.below(2) == 0 {
            state.cr0 |= Cr0::WP | Cr0::AM;
        }
    }
    state.cr4 = Cr4::from_bits_truncate(cr4.bits() & model.cr4);
    if rng.below(6) == 0 {
        // Breakpoints in the program and its data.
        for dr in &mut state.dr {
            *dr = place(rng).into();
        }
        state.dr7 = rng.next_u64() & 0xFFFF_03FF | 0x400;
    }
}
