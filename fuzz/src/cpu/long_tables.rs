//! Tables and states of long mode that mostly make sense.

use super::tables::{
    GDT, IDT, LDT, PAGE_DIRECTORY, PAGE_TABLE, POINTER_TABLE, TASKS, descriptor, gate, place, put,
    register,
};
use cpu::CpuModel;
use emu_core::testkit::Rng;
use emu_core::x86::{CpuState, Cr0, Cr4, DescriptorTable, Efer, Rflags, Seg};

const PML4: usize = 0xB000;
const PML5: usize = 0xC000;
/// Where all of memory is mapped again: by the last entry of the PML4.
const UPPER: u64 = 0xFFFF_FF80_0000_0000;

/// A linear address, mostly one in the program.
fn address(rng: &mut Rng) -> u64 {
    match rng.below(16) {
        0 => rng.next_u64(),
        1..4 => UPPER | u64::from(place(rng)),
        _ => place(rng).into(),
    }
}

fn stack(rng: &mut Rng) -> u64 {
    let upper = [0, UPPER][usize::from(rng.below(4) == 0)];
    upper | (0x4_0000 + rng.below(0x1_0000))
}

fn fill_descriptors(ram: &mut [u8], rng: &mut Rng) {
    let all = 0xF_FFFF;
    let usual = [
        0,
        descriptor(0, all, 0x9A, 0xA),
        descriptor(0, all, 0x92, 0xC),
        descriptor(0, all, 0x9A, 0xC),
        descriptor(0x1_0000, 0xFFFF, 0x92, 0),
        descriptor(0, all, 0xFA, 0xA),
        descriptor(0, all, 0xF2, 0xC),
        // 16 bytes each: TSS, LDT, call gate.
        descriptor(TASKS as u32, 0x67, 0x8B, 0),
        0,
        descriptor(0, all, 0xFA, 0xC),
        descriptor(LDT as u32, 0xFF, 0x82, 0),
        0,
        gate(1 << 3, place(rng), 0, 0xEC),
        [0, UPPER >> 32][rng.below(2) as usize],
        descriptor(0x3_0000, 0x0FFF, 0x96, 4),
        descriptor(0x3_0000, 0x10, 0x92, 0),
        descriptor(0, all, 0x9E, 0xA),
        descriptor(0x1_0000, 0xFFFF, 0xFA, 0),
        descriptor(0x1_0000, 0xFFFF, 0xF2, 0),
        descriptor(TASKS as u32, 0x67, 0x89, 0),
        0,
    ];
    for (n, mut entry) in usual.into_iter().enumerate() {
        if n > 2 && rng.below(16) == 0 {
            entry ^= 1 << rng.below(64);
        }
        put(ram, GDT + n * 8, entry);
    }
}

fn fill_gates(ram: &mut [u8], rng: &mut Rng) {
    for n in 0..256 {
        let code = [1u16 << 3, 1 << 3, 16 << 3, 5 << 3][rng.below(4) as usize];
        let access = [0x8E, 0x8F, 0xEE, 0xEF][rng.below(4) as usize];
        let stack = rng.below(16).saturating_sub(8) as u8;
        let at = address(rng);
        let mut entry = gate(code, at as u32, stack, access);
        if rng.below(16) == 0 {
            entry ^= 1 << rng.below(64);
        }
        put(ram, IDT + n * 16, entry);
        put(ram, IDT + n * 16 + 8, at >> 32);
    }
}

fn fill_task(ram: &mut [u8], rng: &mut Rng) {
    for n in 0..12 {
        put(ram, TASKS + 4 + n * 8, stack(rng));
    }
    ram[TASKS + 0x66] = rng.below(0x70) as u8;
    ram[TASKS + 0x67] = 0;
}

/// `protected`: SMEP or SMAP stand, so not every page may be the program's.
fn fill_pages(ram: &mut [u8], protected: bool, user: bool, rng: &mut Rng) {
    let mut entry = |identity: u64| {
        let bits = match rng.below(64) {
            0 => 1 << rng.below(64),
            1 => 1,
            2 => 2,
            3 => 4,
            4 => 0x180,
            5 => 1 << 63,
            6..9 => rng.below(16) << 59,
            _ => 0,
        };
        identity ^ bits
    };
    for n in 0..512u64 {
        let at = n as usize * 8;
        let table = |table: usize| table as u64 | 7;
        let upper = |next: usize, random: u64| match n {
            0 | 511 => table(next),
            _ => random,
        };
        put(ram, PML5 + at, upper(PML4, entry(0)));
        put(ram, PML4 + at, upper(POINTER_TABLE, entry(0)));
        let giant = entry(n << 30 | 0x83);
        let pointer = if n == 0 { table(PAGE_DIRECTORY) } else { giant };
        put(ram, POINTER_TABLE + at, pointer);
        let large = entry(n << 21 | 0x87);
        let directory = if n == 0 { table(PAGE_TABLE) } else { large };
        put(ram, PAGE_DIRECTORY + at, directory);
        // The lower half of the program is the user's, the tables and the inner stacks are not.
        let users = match n {
            0..0x10 | 0x20..0x30 => false,
            0x10..0x20 => user,
            0x40..0x50 => user && n & 1 == 0,
            _ => true,
        };
        let rights = if users || !protected { 7 } else { 3 };
        put(ram, PAGE_TABLE + at, entry(n << 12 | rights));
    }
}

/// Puts the tables into memory and the CPU into 64-bit or compatibility mode.
pub fn enter(model: &CpuModel, ram: &mut [u8], state: &mut CpuState, rng: &mut Rng) {
    fill_descriptors(ram, rng);
    fill_gates(ram, rng);
    fill_task(ram, rng);
    let user = rng.below(3) == 0;
    let optional = Cr4::from_bits_truncate(rng.next_u64() & model.cr4);
    let mut cr4 = (optional - Cr4::LA57) | Cr4::PAE;
    if rng.below(2) == 0 {
        cr4 -= Cr4::SMEP | Cr4::SMAP;
    }
    state.cr3 = PML4 as u64;
    if rng.below(4) == 0 {
        cr4 |= Cr4::LA57;
        state.cr3 = PML5 as u64;
    }
    let protected = cr4.intersects(Cr4::SMEP | Cr4::SMAP);
    fill_pages(ram, protected, user, rng);
    if cr4.contains(Cr4::PCIDE) {
        state.cr3 |= rng.below(8);
    }
    state.cr4 = cr4;
    state.cr0 |= Cr0::PE | Cr0::PG | Cr0::NE;
    if rng.below(2) == 0 {
        state.cr0 |= Cr0::WP | Cr0::AM;
    }
    state.efer = Efer::LME | Efer::LMA | Efer::SCE;
    if rng.below(4) != 0 {
        state.efer |= Efer::NXE;
    }
    if rng.below(2) == 0 {
        state.pkru = rng.next_u64() as u32 & !3;
    }
    state.gdtr = DescriptorTable {
        base: GDT as u64,
        limit: 0xA7,
    };
    state.idtr = DescriptorTable {
        base: IDT as u64,
        limit: 0xFFF,
    };
    state.ldtr = register(10 << 3, LDT as u64, 0xFF, 0x82);
    state.tr = register(7 << 3, TASKS as u64, 0x67, 0x8B);
    for gpr in &mut state.gpr {
        match rng.below(16) {
            0 => *gpr = rng.next_u64(),
            1..4 => *gpr |= UPPER,
            _ => {}
        }
    }
    state.gpr[4] = stack(rng);
    let compatible = rng.below(4) == 0;
    let (code, data, dpl) = match (user, compatible) {
        (true, false) => (5 << 3 | 3, 6 << 3 | 3, 0x60),
        (true, true) => (9 << 3 | 3, 6 << 3 | 3, 0x60),
        (false, false) => (1 << 3, 2 << 3, 0),
        (false, true) => (3 << 3, 2 << 3, 0),
    };
    let size = if compatible { 0x4000 } else { 0x2000 };
    state.segments = [register(data, 0, u32::MAX, 0xC093 | dpl); 6];
    state.segments[Seg::Cs as usize] = register(code, 0, u32::MAX, 0x809B | size | dpl);
    if !compatible {
        state.segments[Seg::Gs as usize].base = address(rng) & !(1 << 63) & 0x7FFF_FFFF_FFFF;
    }
    state.msr.star = 0x23 << 48 | 0x08 << 32;
    state.msr.sysenter_cs = 8;
    state.msr.lstar = place(rng).into();
    state.msr.sysenter_eip = UPPER | u64::from(place(rng));
    state.msr.sysenter_esp = stack(rng);
    state.msr.fmask = rng.next_u64() & 0x4_7700;
    state.msr.kernel_gs_base = UPPER | u64::from(place(rng));
    let lower = if user { 0x1_0000 } else { 0x2_0000 };
    state.rip = lower + rng.below(0x1_0000);
    if !compatible && rng.below(4) == 0 {
        state.rip |= UPPER;
    }
    let mut flags = Rflags::ONE | Rflags::from_bits_truncate(rng.next_u64() & 0x0004_7FD5);
    if rng.below(4) != 0 {
        flags -= Rflags::TF | Rflags::NT;
    }
    state.rflags = flags;
    if rng.below(6) == 0 {
        for dr in &mut state.dr {
            *dr = address(rng);
        }
        state.dr7 = rng.next_u64() & 0xFFFF_03FF | 0x400;
    }
}
