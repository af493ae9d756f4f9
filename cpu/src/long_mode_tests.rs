//! Long mode from outside: programs of a few instructions on a board of nothing but RAM.
//!
//! One file because all build the same tables: 4-level paging that maps the first 2 MiB to themselves, a GDT, a TSS and
//! an IDT whose handler of vector n is a HLT at 2000h + 16 n.

use crate::{CpuModel, Interpreter};
use emu_core::backend::{Attention, CpuBackend, CpuId, Exit, Special, SystemBus};
use emu_core::bus::{Gpa, PageView, Width};
use emu_core::ram::Ram;
use emu_core::x86::{
    CpuState, Cr0, Cr4, DescriptorTable, Efer, Gpr, Rflags, Seg, SegmentAttributes as A,
    SegmentRegister, Selector,
};

const CODE: u64 = 0x1000;
const HANDLERS: u64 = 0x2000;
const GDT: u64 = 0x8000;
const IDT: u64 = 0x9000;
const TSS: u64 = 0xA000;
const PML4: u64 = 0x1_0000;
const PT: u64 = 0x1_3000;
const STACK: u64 = 0x2_0000;
/// The stacks of the TSS: RSP0, IST1.
const RSP_0: u64 = 0x2_8000;
const IST_1: u64 = 0x3_0008;
/// Memory beyond 4 GiB.
const HIGH: u64 = 5 << 30;
const CODE_64: u16 = 8;
const DATA: u16 = 0x10;
pub(crate) const CODE_32: u16 = 0x18;
const USER_32: u16 = 0x23;
const USER_DATA: u16 = 0x2B;
const USER_64: u16 = 0x33;
const GATE: u16 = 0x48;

pub(crate) struct Board {
    pub(crate) ram: [Ram; 2],
    insns: u64,
}

impl Board {
    fn set(&self, at: u64, v: u64) {
        self.ram[0].write(at as usize, &v.to_le_bytes());
    }
    fn get(&self, at: u64) -> u64 {
        let mut b = [0; 8];
        self.ram[0].read(at as usize, &mut b);
        u64::from_le_bytes(b)
    }
    /// The entry that maps a page of the first 2 MiB.
    pub(crate) fn map(&self, page: u64, entry: u64) {
        self.set(PT + (page >> 12) * 8, entry);
    }
}

impl SystemBus for Board {
    fn attention(&self, _: CpuId) -> Attention {
        if self.insns > 10_000 {
            Attention::STOP
        } else {
            Attention::empty()
        }
    }
    fn accept(&mut self, _: CpuId, _: Attention) {}
    fn advance(&mut self, retired: u64) {
        self.insns += retired;
    }
    fn countdown(&self) -> u64 {
        20_000
    }
    fn insns(&self) -> u64 {
        self.insns
    }
    fn port_read(&mut self, _: CpuId, _: u16, w: Width) -> u32 {
        w.mask() as u32
    }
    fn port_write(&mut self, _: CpuId, _: u16, _: Width, _: u32) {}
    fn mmio_read(&mut self, _: CpuId, _: Gpa, _: bool, w: Width) -> u64 {
        w.mask()
    }
    fn mmio_write(&mut self, _: CpuId, _: Gpa, _: bool, _: Width, _: u64) {}
    fn page(&self, gpa: Gpa, _: bool) -> PageView {
        let side = match gpa.0 {
            0..0x10_0000 => Some((self.ram[0].clone(), gpa.0 as usize & !0xFFF)),
            HIGH..0x1_4000_1000 => Some((self.ram[1].clone(), 0)),
            _ => None,
        };
        PageView {
            read: side.clone(),
            write: side,
        }
    }
    fn acknowledge(&mut self, _: CpuId) -> Option<u8> {
        None
    }
    fn special_cycle(&mut self, _: CpuId, _: Special) {}
    fn blocks(&self) -> &[Ram] {
        &self.ram
    }
}

pub(crate) fn register(selector: u16, raw: u64) -> SegmentRegister {
    SegmentRegister {
        selector: Selector(selector),
        base: 0,
        limit: u32::MAX,
        attributes: A::from_bits_retain((raw >> 40) as u32 & 0xF0FF) | A::USABLE,
    }
}

const D_CODE_64: u64 = 0x00AF_9B00_0000_FFFF;
const D_DATA: u64 = 0x00CF_9300_0000_FFFF;
pub(crate) const D_CODE_32: u64 = 0x00CF_9B00_0000_FFFF;
const D_USER_32: u64 = 0x00CF_FB00_0000_FFFF;
const D_USER_DATA: u64 = 0x00CF_F300_0000_FFFF;
const D_USER_64: u64 = 0x00AF_FB00_0000_FFFF;

/// A CPU in 64-bit mode at level 0 in front of `code`.
pub(crate) fn in_64_bit_mode(code: &[u8]) -> (Board, CpuState) {
    let ram = [
        Ram::new("ram", 1 << 20).expect("memory"),
        Ram::new("high", 0x1000).expect("memory"),
    ];
    let b = Board { ram, insns: 0 };
    b.ram[0].write(CODE as usize, code);
    for (n, d) in [
        0,
        D_CODE_64,
        D_DATA,
        D_CODE_32,
        D_USER_32,
        D_USER_DATA,
        D_USER_64,
    ]
    .into_iter()
    .enumerate()
    {
        b.set(GDT + 8 * n as u64, d);
    }
    for vector in 0..32 {
        let at = HANDLERS + 16 * vector;
        b.ram[0].write(at as usize, &[0xF4]);
        b.set(
            IDT + 16 * vector,
            0x8E00 << 32 | u64::from(CODE_64) << 16 | at,
        );
    }
    b.set(TSS + 4, RSP_0);
    b.set(TSS + 0x24, IST_1);
    for (n, table) in [PML4, PML4 + 0x1000, PML4 + 0x2000].into_iter().enumerate() {
        b.set(table, (PML4 + 0x1000 * (n as u64 + 1)) | 7);
    }
    for page in 0..512 {
        b.set(PT + 8 * page, page << 12 | 7);
    }
    let mut s = CpuModel::by_name("max").expect("the model").reset_state();
    s.cr0 = Cr0::PE | Cr0::PG | Cr0::ET | Cr0::NE | Cr0::WP;
    s.cr3 = PML4;
    s.cr4 = Cr4::PAE;
    s.efer = Efer::LME | Efer::LMA | Efer::SCE | Efer::NXE;
    s.segments = [register(DATA, D_DATA); 6];
    s.segments[Seg::Cs as usize] = register(CODE_64, D_CODE_64);
    s.gdtr = DescriptorTable {
        base: GDT,
        limit: 0x5F,
    };
    s.idtr = DescriptorTable {
        base: IDT,
        limit: 0x1FF,
    };
    s.tr = register(0x38, 0x8B << 40);
    s.tr.base = TSS;
    s.tr.limit = 0x67;
    s.rip = CODE;
    s.gpr[Gpr::Rsp as usize] = STACK;
    (b, s)
}

/// At level 3.
fn as_user(s: &mut CpuState) {
    s.segments = [register(USER_DATA, D_USER_DATA); 6];
    s.segments[Seg::Cs as usize] = register(USER_64, D_USER_64);
}

fn run(b: &mut Board, s: &CpuState) -> CpuState {
    let mut ends = [true, false].map(|cached| {
        let mut cpu = Interpreter::new(CpuId(0), CpuModel::by_name("max").expect("the model"));
        cpu.set_block_cache(cached);
        cpu.set_state(s);
        let mut before = vec![0; 1 << 20];
        b.ram[0].read(0, &mut before);
        b.insns = 0;
        let exit = cpu.run(b, None);
        assert_eq!(exit, Exit::Halted, "{:?}", cpu.state());
        if cached {
            b.ram[0].write(0, &before);
        }
        Some(cpu.state())
    });
    let (one, other) = (ends[0].take(), ends[1].take());
    assert_eq!(one, other, "with and without the block cache");
    one.expect("a state")
}

/// The vector whose handler the CPU halted in.
fn vector(s: &CpuState) -> u64 {
    assert!((HANDLERS..HANDLERS + 0x200).contains(&s.rip), "{:X}", s.rip);
    (s.rip - 1 - HANDLERS) / 16
}

/// The error code on top of the handler's stack.
fn error(b: &Board, s: &CpuState) -> u64 {
    b.get(s.gpr[Gpr::Rsp as usize])
}

fn reg(s: &CpuState, r: Gpr) -> u64 {
    s.gpr[r as usize]
}

#[test]
fn thirty_two_bit_results_clear_the_upper_half_and_smaller_ones_keep_it() {
    // mov rax,-1 / mov eax,1 / mov rcx,-1 / mov cx,2 / mov rbx,-1 / mov bl,3 / mov r8,123456789ABCDEFh /
    // mov spl,5 / movsxd r9,dword [rip+1] / hlt / dd 80000000h
    let (mut b, s) = in_64_bit_mode(&[
        0x48, 0xC7, 0xC0, 0xFF, 0xFF, 0xFF, 0xFF, 0xB8, 1, 0, 0, 0, 0x48, 0xC7, 0xC1, 0xFF, 0xFF,
        0xFF, 0xFF, 0x66, 0xB9, 2, 0, 0x48, 0xC7, 0xC3, 0xFF, 0xFF, 0xFF, 0xFF, 0xB3, 3, 0x49,
        0xB8, 0xEF, 0xCD, 0xAB, 0x89, 0x67, 0x45, 0x23, 0x01, 0x40, 0xB4, 5, 0x4C, 0x63, 0x0D, 1,
        0, 0, 0, 0xF4, 0, 0, 0, 0x80,
    ]);
    let s = run(&mut b, &s);
    assert_eq!(reg(&s, Gpr::Rax), 1);
    assert_eq!(reg(&s, Gpr::Rcx), 0xFFFF_FFFF_FFFF_0002);
    assert_eq!(reg(&s, Gpr::Rbx), 0xFFFF_FFFF_FFFF_FF03);
    assert_eq!(reg(&s, Gpr::R8), 0x0123_4567_89AB_CDEF);
    assert_eq!(reg(&s, Gpr::Rsp), 0x2_0005);
    assert_eq!(reg(&s, Gpr::R9), 0xFFFF_FFFF_8000_0000);
}

#[test]
fn arithmetic_of_64_bits_has_the_carry_of_bit_63() {
    // mov rax,-1 / add rax,1 / sbb rcx,rcx / mov rdx,1 / shl rdx,63 / mul rdx / cqo / bswap r10 / hlt
    let (mut b, mut s) = in_64_bit_mode(&[
        0x48, 0xC7, 0xC0, 0xFF, 0xFF, 0xFF, 0xFF, 0x48, 0x83, 0xC0, 1, 0x48, 0x19, 0xC9, 0x48,
        0xC7, 0xC0, 6, 0, 0, 0, 0xBA, 1, 0, 0, 0, 0x48, 0xC1, 0xE2, 63, 0x48, 0xF7, 0xE2, 0x49,
        0x0F, 0xCA, 0xF4,
    ]);
    s.gpr[Gpr::R10 as usize] = 0x0102_0304_0506_0708;
    let s = run(&mut b, &s);
    assert_eq!(reg(&s, Gpr::Rcx), u64::MAX);
    assert_eq!((reg(&s, Gpr::Rdx), reg(&s, Gpr::Rax)), (3, 0));
    assert_eq!(reg(&s, Gpr::R10), 0x0807_0605_0403_0201);
}

#[test]
fn addresses_that_are_not_canonical_fault_by_the_segment() {
    let cases: [(&[u8], u64); 6] = [
        // mov eax,[rcx] / lea rsp,[rcx+8] and push rax / mov eax,[rbp+0] / jmp rcx / mov [abs 64],eax / mov eax,fs:[rcx]
        (&[0x8B, 0x01], 13),
        (&[0x48, 0x8D, 0x61, 8, 0x50], 12),
        (&[0x8B, 0x45, 0x00], 12),
        (&[0xFF, 0xE1], 13),
        (&[0xA3, 0, 0, 0, 0, 0, 0x80, 0, 0], 13),
        (&[0x64, 0x8B, 0x01], 13),
    ];
    for (code, expected) in cases {
        let (mut b, mut s) = in_64_bit_mode(code);
        // The handler's stack: the one that pushes has none.
        b.set(IDT + 16 * 12, b.get(IDT + 16 * 12) | 1 << 32);
        s.gpr[Gpr::Rcx as usize] = 0x8000_0000_0000;
        s.gpr[Gpr::Rbp as usize] = 0xFFFF_7FFF_FFFF_FFFF;
        let s = run(&mut b, &s);
        assert_eq!((vector(&s), error(&b, &s)), (expected, 0), "{code:02X?}");
    }
}

#[test]
fn an_80_bit_operand_may_end_beyond_the_lower_half_but_its_first_part_may_not() {
    // fninit / fld1, then fld tword [rcx], fstp tword [rcx], fnstenv [rcx]: what a processor (Skylake) raises where the
    // last canonical page is not there.
    const HOLE: u64 = 0x8000_0000_0000;
    let insns: [(&[u8], u64); 3] = [(&[0xDB, 0x29], 8), (&[0xDB, 0x39], 8), (&[0xD9, 0x31], 4)];
    for (insn, first) in insns {
        for (at, expected) in [
            (HOLE - first - 1, 14),
            (HOLE - first, 14),
            (HOLE - first + 1, 13),
        ] {
            let mut code = vec![0xDB, 0xE3, 0xD9, 0xE8];
            code.extend(insn);
            let (mut b, mut s) = in_64_bit_mode(&code);
            s.gpr[Gpr::Rcx as usize] = at;
            let s = run(&mut b, &s);
            assert_eq!(vector(&s), expected, "{insn:02X?} {at:X}");
            if expected == 14 {
                assert_eq!(s.cr2, at, "{insn:02X?}");
            }
        }
    }
}

#[test]
fn page_faults_tell_by_their_code_what_was_wrong() {
    const PAGE: u64 = 0x4_0000;
    let (read, write, call): (&[u8], &[u8], &[u8]) = (&[0x8B, 0x01], &[0x89, 0x01], &[0xFF, 0xE1]);
    let nx = 1 << 63;
    // Code, entry, at level 3, CR4, AC, PKRU; the error code, or none.
    type Case<'a> = (&'a [u8], u64, bool, Cr4, bool, u32, Option<u64>);
    let none = Cr4::empty();
    let cases: [Case<'_>; 20] = [
        (read, PAGE, false, none, false, 0, Some(0)),
        (write, PAGE, true, none, false, 0, Some(6)),
        (write, PAGE | 5, false, none, false, 0, Some(3)),
        (write, PAGE | 5, true, none, false, 0, Some(7)),
        (read, PAGE | 3, true, none, false, 0, Some(5)),
        (read, PAGE | 7 | 1 << 41, false, none, false, 0, Some(9)),
        (call, PAGE | 7 | nx, false, none, false, 0, Some(0x11)),
        (call, PAGE | 7 | nx, true, none, false, 0, Some(0x15)),
        (read, PAGE | 7 | nx, true, none, false, 0, None),
        (call, PAGE | 7, false, Cr4::SMEP, false, 0, Some(0x11)),
        (call, PAGE | 3, false, Cr4::SMEP, false, 0, None),
        (read, PAGE | 7, false, Cr4::SMAP, false, 0, Some(1)),
        (write, PAGE | 7, false, Cr4::SMAP, false, 0, Some(3)),
        (read, PAGE | 7, false, Cr4::SMAP, true, 0, None),
        (read, PAGE | 3, false, Cr4::SMAP, false, 0, None),
        (
            read,
            PAGE | 7 | 2 << 59,
            true,
            Cr4::PKE,
            false,
            0x10,
            Some(0x25),
        ),
        (
            write,
            PAGE | 7 | 2 << 59,
            true,
            Cr4::PKE,
            false,
            0x20,
            Some(0x27),
        ),
        (read, PAGE | 7 | 2 << 59, true, Cr4::PKE, false, 0x20, None),
        (
            read,
            PAGE | 7 | 2 << 59,
            false,
            Cr4::PKE,
            false,
            0x10,
            Some(0x21),
        ),
        (read, PAGE | 3 | 2 << 59, false, Cr4::PKE, false, 0x10, None),
    ];
    for (n, (code, entry, user, cr4, ac, pkru, expected)) in cases.into_iter().enumerate() {
        // Then UD2.
        let (mut b, mut s) = in_64_bit_mode(&[code, &[0x0F, 0x0B]].concat());
        if user {
            as_user(&mut s);
        } else {
            // The rest belongs to level 0.
            for page in 0..512 {
                b.map(page << 12, page << 12 | 3);
            }
        }
        b.map(PAGE, entry);
        b.ram[0].write(PAGE as usize, &[0x0F, 0x0B]);
        s.cr4 |= cr4;
        s.pkru = pkru;
        s.rflags.set(Rflags::AC, ac);
        s.gpr[Gpr::Rcx as usize] = PAGE;
        let s = run(&mut b, &s);
        match expected {
            None => assert_eq!(vector(&s), 6, "case {n}"),
            Some(code) => {
                assert_eq!(
                    (vector(&s), error(&b, &s), s.cr2),
                    (14, code, PAGE),
                    "case {n}"
                );
            }
        }
    }
}

#[test]
fn an_interrupt_aligns_its_stack_and_takes_the_one_that_its_gate_names() {
    for (user, gate_stack, top) in [
        (false, 0, STACK - 0x10),
        (false, 1, IST_1 - 8),
        (true, 0, RSP_0),
        (true, 1, IST_1 - 8),
    ] {
        // int3
        let (mut b, mut s) = in_64_bit_mode(&[0xCC]);
        if user {
            as_user(&mut s);
        }
        s.gpr[Gpr::Rsp as usize] = STACK - 7;
        b.set(IDT + 48, b.get(IDT + 48) | gate_stack << 32 | 0x6000 << 32);
        let ss = s.segment(Seg::Ss).selector.0;
        let cs = s.segment(Seg::Cs).selector.0;
        let s = run(&mut b, &s);
        assert_eq!(vector(&s), 3);
        assert_eq!(reg(&s, Gpr::Rsp), top - 40);
        let frame: Vec<u64> = (0..5).map(|n| b.get(top - 40 + 8 * n)).collect();
        assert_eq!(frame, [CODE + 1, cs.into(), 2, STACK - 7, ss.into()]);
        let now = s.segment(Seg::Ss).selector.0;
        assert_eq!((now, s.cpl()), (if user { 0 } else { DATA }, 0));
    }
}

#[test]
fn syscall_and_sysret_lead_there_and_back() {
    // syscall / hlt at level 3: #GP
    let (mut b, mut s) = in_64_bit_mode(&[0x0F, 0x05, 0xF4]);
    as_user(&mut s);
    s.msr.star = 0x20 << 48 | u64::from(CODE_64) << 32;
    s.msr.lstar = 0x5000;
    s.msr.fmask = Rflags::IF.bits();
    s.rflags |= Rflags::IF | Rflags::CF;
    // sysretq
    b.ram[0].write(0x5000, &[0x48, 0x0F, 0x07]);
    let s = run(&mut b, &s);
    assert_eq!((vector(&s), b.get(reg(&s, Gpr::Rsp) + 8)), (13, CODE + 2));
    assert_eq!(reg(&s, Gpr::Rcx), CODE + 2);
    assert_eq!(reg(&s, Gpr::R11), 0x203);
    let cs = b.get(reg(&s, Gpr::Rsp) + 16);
    assert_eq!(cs, USER_64.into());
}

#[test]
fn sysret_to_an_address_that_is_not_canonical_faults_at_level_0() {
    let (mut b, mut s) = in_64_bit_mode(&[0x48, 0x0F, 0x07]);
    s.gpr[Gpr::Rcx as usize] = 1 << 47;
    let s = run(&mut b, &s);
    assert_eq!(
        (vector(&s), b.get(reg(&s, Gpr::Rsp) + 16)),
        (13, CODE_64.into())
    );
}

#[test]
fn a_tf_that_sysret_loads_traps_before_the_next_instruction_and_one_that_syscall_masks_not_at_all()
{
    // sysretq
    let (mut b, mut s) = in_64_bit_mode(&[0x48, 0x0F, 0x07]);
    s.msr.star = 0x20 << 48 | u64::from(CODE_64) << 32;
    s.gpr[Gpr::Rcx as usize] = 0x5000;
    s.gpr[Gpr::R11 as usize] = Rflags::TF.bits();
    b.ram[0].write(0x5000, &[0x0F, 0x0B]);
    let s = run(&mut b, &s);
    assert_eq!((vector(&s), b.get(reg(&s, Gpr::Rsp))), (1, 0x5000));
    // syscall / hlt
    let (mut b, mut s) = in_64_bit_mode(&[0x0F, 0x05]);
    as_user(&mut s);
    s.msr.star = u64::from(CODE_64) << 32;
    s.msr.lstar = 0x5000;
    s.msr.fmask = Rflags::TF.bits();
    s.rflags |= Rflags::TF;
    b.ram[0].write(0x5000, &[0xF4]);
    let s = run(&mut b, &s);
    assert_eq!((s.rip, reg(&s, Gpr::R11)), (0x5001, 0x102));
}

#[test]
fn a_far_return_leads_to_compatibility_mode_where_addresses_have_32_bits() {
    // push CODE_32 / push 5000h / retfq
    let (mut b, s) = in_64_bit_mode(&[0x6A, CODE_32 as u8, 0x68, 0, 0x50, 0, 0, 0x48, 0xCB]);
    // dec eax (a REX prefix in 64-bit mode) / mov ebx,[0FFFFFFFFh+51h] / hlt
    b.ram[0].write(0x5000, &[0x48, 0xB9, 0x51, 0, 0, 0, 0x8B, 0x59, 0xFF, 0xF4]);
    b.set(0x50, 0x1122_3344);
    let s = run(&mut b, &s);
    assert_eq!(s.rip, 0x500A);
    assert_eq!(reg(&s, Gpr::Rax) as u32, u32::MAX);
    assert_eq!(reg(&s, Gpr::Rbx), 0x1122_3344);
    assert_eq!(s.segment(Seg::Cs).selector.0, CODE_32);
}

#[test]
fn iretq_takes_a_null_stack_but_not_to_level_3() {
    for (cs, ss, expected) in [
        (CODE_64, 0, 6),
        (USER_64, 3, 13),
        (USER_64, USER_DATA, 6),
        (USER_32, USER_DATA, 6),
    ] {
        let (mut b, mut s) = in_64_bit_mode(&[0x48, 0xCF]);
        let frame = [0x5000, cs.into(), 2, STACK - 0x100, u64::from(ss)];
        for (at, v) in (STACK - 40..).step_by(8).zip(frame) {
            b.set(at, v);
        }
        s.gpr[Gpr::Rsp as usize] = STACK - 40;
        b.ram[0].write(0x5000, &[0x0F, 0x0B]);
        let s = run(&mut b, &s);
        assert_eq!(vector(&s), expected, "{cs:X} {ss:X}");
        if expected == 6 {
            assert_eq!(b.get(reg(&s, Gpr::Rsp) + 8), cs.into());
            assert_eq!(b.get(reg(&s, Gpr::Rsp) + 24), STACK - 0x100);
        }
    }
}

#[test]
fn the_way_to_an_outer_level_clears_null_selectors_and_hides_inner_segments_but_keeps_the_base_of_fs()
 {
    // IRETQ to a HLT at level 3.
    let (mut b, mut s) = in_64_bit_mode(&[0x48, 0xCF, 0xF4]);
    let base = 0x1234_5678_9000;
    let fs = &mut s.segments[Seg::Fs as usize];
    (fs.selector, fs.base) = (Selector(3), base);
    fs.attributes = A::empty();
    s.segments[Seg::Es as usize] = register(DATA, D_DATA);
    s.segments[Seg::Ds as usize] = register(USER_DATA, D_USER_DATA);
    let frame = [CODE + 2, USER_64.into(), 2, STACK, USER_DATA.into()];
    for (at, v) in (STACK - 40..).step_by(8).zip(frame) {
        b.set(at, v);
    }
    s.gpr[Gpr::Rsp as usize] = STACK - 40;
    let s = run(&mut b, &s);
    assert_eq!(vector(&s), 13, "HLT at level 3");
    let segment = |n| s.segment(n);
    assert_eq!(
        (segment(Seg::Fs).selector.0, segment(Seg::Fs).base),
        (0, base)
    );
    assert_eq!(segment(Seg::Es).selector.0, 0);
    assert!(!segment(Seg::Es).attributes.contains(A::USABLE));
    assert_eq!(segment(Seg::Ds).selector.0, USER_DATA);
}

#[test]
fn enter_reads_each_enclosing_frame_pointer_before_it_is_pushed() {
    // enter 4,3, whose third push meets an absent page. A processor was asked: #SS for the frame pointer comes first.
    for (rbp, expected) in [(0x8FD2_5589_0000_0010, 12), (0x3_0000, 14)] {
        let (mut b, mut s) = in_64_bit_mode(&[0xC8, 4, 0, 3]);
        b.map(STACK - 0x1000, 0);
        s.gpr[Gpr::Rsp as usize] = STACK + 0x10;
        s.gpr[Gpr::Rbp as usize] = rbp;
        for v in [12, 14] {
            // Their handlers need a stack of their own: IST1.
            let gate = IDT + 16 * v;
            b.set(gate, b.get(gate) | 1 << 32);
        }
        let s = run(&mut b, &s);
        assert_eq!(vector(&s), expected);
    }
}

#[test]
fn a_call_gate_has_an_entry_point_of_64_bits_and_copies_nothing() {
    // call far [rip] / m16:32
    let (mut b, mut s) = in_64_bit_mode(&[0xFF, 0x1D, 0, 0, 0, 0, 0, 0, 0, 0, GATE as u8 | 3, 0]);
    as_user(&mut s);
    b.set(
        GDT + u64::from(GATE),
        0xEC00 << 32 | u64::from(CODE_64) << 16 | 0x5000,
    );
    b.ram[0].write(0x5000, &[0xF4]);
    let s = run(&mut b, &s);
    assert_eq!((s.rip, reg(&s, Gpr::Rsp), s.cpl()), (0x5001, RSP_0 - 32, 0));
    let frame: Vec<u64> = (0..4).map(|n| b.get(RSP_0 - 32 + 8 * n)).collect();
    assert_eq!(frame, [CODE + 6, USER_64.into(), STACK, USER_DATA.into()]);
}

#[test]
fn a_call_gate_pushes_as_64_bit_mode_does_though_compatibility_mode_calls() {
    // call 48:0
    let (mut b, mut s) = in_64_bit_mode(&[0x9A, 0, 0, 0, 0, GATE as u8, 0]);
    s.segments[Seg::Cs as usize] = register(CODE_32, D_CODE_32);
    s.segments[Seg::Ss as usize].base = 0x1000;
    b.set(
        GDT + u64::from(GATE),
        0x8C00 << 32 | u64::from(CODE_64) << 16 | 0x5000,
    );
    b.ram[0].write(0x5000, &[0xF4]);
    let s = run(&mut b, &s);
    assert_eq!((s.rip, reg(&s, Gpr::Rsp)), (0x5001, STACK - 16));
    let frame = [b.get(STACK - 16), b.get(STACK - 8)];
    assert_eq!(frame, [CODE + 7, CODE_32.into()]);
}

#[test]
fn a_near_call_writes_its_return_address_before_its_target_is_found_not_canonical() {
    // As a processor (Skylake) does: call rax
    let (mut b, mut s) = in_64_bit_mode(&[0xFF, 0xD0]);
    s.gpr[Gpr::Rax as usize] = 1 << 63;
    s.gpr[Gpr::Rsp as usize] = STACK + 0x800;
    as_user(&mut s);
    let end = run(&mut b, &s);
    assert_eq!(vector(&end), 13);
    assert_eq!(b.get(STACK + 0x7F8), CODE + 2);
    // The frame: RIP and RSP are those of the call.
    let frame = reg(&end, Gpr::Rsp) + 8;
    assert_eq!((b.get(frame), b.get(frame + 24)), (CODE, STACK + 0x800));
    // Where it cannot be written, that comes first.
    b.map(STACK, STACK | 5);
    assert_eq!(vector(&run(&mut b, &s)), 14);
}

#[test]
fn pages_beyond_4_gib_and_of_2_mib_are_reached() {
    // mov [rcx],rdx / mov rbx,[rcx] / mov rax,[rsi] / hlt
    let (mut b, mut s) =
        in_64_bit_mode(&[0x48, 0x89, 0x11, 0x48, 0x8B, 0x19, 0x48, 0x8B, 0x06, 0xF4]);
    b.map(0x4_0000, HIGH | 3);
    // The second entry of the page directory: 2 MiB at 0.
    b.set(PML4 + 0x2008, 0x83);
    b.set(0x50, 0x55AA);
    s.gpr[Gpr::Rcx as usize] = 0x4_0008;
    s.gpr[Gpr::Rdx as usize] = 0x1234_5678_9ABC_DEF0;
    s.gpr[Gpr::Rsi as usize] = 0x20_0050;
    let s = run(&mut b, &s);
    assert_eq!(reg(&s, Gpr::Rbx), 0x1234_5678_9ABC_DEF0);
    assert_eq!(reg(&s, Gpr::Rax), 0x55AA);
    // Accessed and dirty.
    assert_eq!(b.get(PT + 0x200) & 0x60, 0x60);
    assert_eq!(b.get(PML4 + 0x2008) & 0x60, 0x20);
}

#[test]
fn an_operand_over_the_top_of_the_address_space_goes_on_at_address_0() {
    // mov [-4],rbx / mov rax,[-4] / hlt
    let code = [
        0x48, 0x89, 0x1C, 0x25, 0xFC, 0xFF, 0xFF, 0xFF, 0x48, 0x8B, 0x04, 0x25, 0xFC, 0xFF, 0xFF,
        0xFF, 0xF4,
    ];
    let (mut b, mut s) = in_64_bit_mode(&code);
    // The last entry of each table leads to the same tables; the last page is the one at 40000h.
    for level in 0..3 {
        let table = PML4 + 0x1000 * level;
        b.set(table + 0xFF8, (table + 0x1000) | 3);
    }
    b.map(0x1F_F000, 0x4_0000 | 3);
    s.gpr[Gpr::Rbx as usize] = 0x8877_6655_4433_2211;
    let s = run(&mut b, &s);
    assert_eq!(reg(&s, Gpr::Rax), 0x8877_6655_4433_2211);
    assert_eq!(b.get(0x4_0FF8) >> 32, 0x4433_2211);
    assert_eq!(b.get(0) as u32, 0x8877_6655);
}

#[test]
fn five_level_paging_reaches_57_bits() {
    // mov rax,[rcx] / hlt
    let (mut b, mut s) = in_64_bit_mode(&[0x48, 0x8B, 0x01, 0xF4]);
    const PML5: u64 = 0x1_8000;
    b.set(PML5, PML4 | 7);
    b.set(PML5 + 8, PML4 | 7);
    s.cr3 = PML5;
    s.cr4 |= Cr4::LA57;
    s.gpr[Gpr::Rcx as usize] = 1 << 48 | 0x50;
    b.set(0x50, 0x77);
    assert_eq!(reg(&run(&mut b, &s), Gpr::Rax), 0x77);
}

#[test]
fn bases_of_fs_and_gs_are_written_and_swapped() {
    // wrgsbase rax / swapgs / rdgsbase rbx / mov rcx,gs:[0] / wrfsbase rdx: #GP
    let (mut b, mut s) = in_64_bit_mode(&[
        0xF3, 0x48, 0x0F, 0xAE, 0xD8, 0x0F, 0x01, 0xF8, 0xF3, 0x48, 0x0F, 0xAE, 0xCB, 0x65, 0x48,
        0x8B, 0x0C, 0x25, 0, 0, 0, 0, 0xF3, 0x48, 0x0F, 0xAE, 0xD2,
    ]);
    s.cr4 |= Cr4::FSGSBASE;
    s.gpr[Gpr::Rax as usize] = 0xFFFF_8000_0000_0000;
    s.gpr[Gpr::Rdx as usize] = 1 << 63;
    s.msr.kernel_gs_base = 0x5_0000;
    b.set(0x5_0000, 0xABCD);
    let s = run(&mut b, &s);
    assert_eq!(vector(&s), 13);
    assert_eq!((reg(&s, Gpr::Rbx), reg(&s, Gpr::Rcx)), (0x5_0000, 0xABCD));
    assert_eq!(s.msr.kernel_gs_base, 0xFFFF_8000_0000_0000);
}

#[test]
fn compare_and_exchange_of_16_bytes_wants_them_aligned() {
    for (at, expected) in [(0x4_0000u64, 6), (0x4_0008, 13)] {
        // cmpxchg16b [rsi] / ud2
        let (mut b, mut s) = in_64_bit_mode(&[0x48, 0x0F, 0xC7, 0x0E, 0x0F, 0x0B]);
        b.set(at, 1);
        b.set(at + 8, 2);
        s.gpr[Gpr::Rsi as usize] = at;
        s.gpr[Gpr::Rax as usize] = 1;
        s.gpr[Gpr::Rdx as usize] = 2;
        s.gpr[Gpr::Rbx as usize] = 3;
        s.gpr[Gpr::Rcx as usize] = 4;
        let s = run(&mut b, &s);
        assert_eq!(vector(&s), expected);
        if expected == 6 {
            assert_eq!((b.get(at), b.get(at + 8)), (3, 4));
        }
    }
}

#[test]
fn long_mode_is_entered_by_paging_and_only_with_pae() {
    for (cr4, enters) in [(Cr4::PAE, true), (Cr4::empty(), false)] {
        // mov cr0,eax / hlt, in 32-bit code
        let (mut b, mut s) = in_64_bit_mode(&[0x0F, 0x22, 0xC0, 0xF4]);
        s.segments[Seg::Cs as usize] = register(CODE_32, D_CODE_32);
        s.efer = Efer::LME;
        s.cr4 = cr4;
        s.cr0 -= Cr0::PG;
        s.gpr[Gpr::Rax as usize] = (s.cr0 | Cr0::PG).bits();
        if !enters {
            // A handler for 32-bit protected mode.
            s.idtr.base = 0x5_0000;
            b.set(
                0x5_0000 + 13 * 8,
                0x8E00 << 32 | u64::from(CODE_32) << 16 | 0x20D0,
            );
        }
        let s = run(&mut b, &s);
        assert_eq!(s.efer.contains(Efer::LMA), enters);
        assert_eq!(s.rip, if enters { CODE + 4 } else { 0x20D1 });
    }
}

#[test]
fn control_registers_refuse_what_would_break_long_mode() {
    // mov cr4,rax / mov cr0,rax / mov cr3,rax / wrmsr / mov cr8,rax
    let cr4 = |v: Cr4| ([0x0F, 0x22, 0xE0].to_vec(), v.bits());
    let cases = [
        cr4(Cr4::empty()),
        cr4(Cr4::PAE | Cr4::LA57),
        cr4(Cr4::PAE | Cr4::VMXE),
        ([0x0F, 0x22, 0xC0].to_vec(), Cr0::PE.bits()),
        ([0x0F, 0x22, 0xC0].to_vec(), 1 << 32 | 0x8000_0001),
        ([0x0F, 0x22, 0xD8].to_vec(), 1 << 40),
        ([0x44, 0x0F, 0x22, 0xC0].to_vec(), 16),
        ([0x0F, 0x23, 0xF8].to_vec(), 1 << 32),
        // EFER without LME while paging.
        ([0x0F, 0x30].to_vec(), 1),
    ];
    for (code, rax) in cases {
        let (mut b, mut s) = in_64_bit_mode(&code);
        s.gpr[Gpr::Rax as usize] = rax;
        s.gpr[Gpr::Rcx as usize] = 0xC000_0080;
        let after = run(&mut b, &s);
        assert_eq!((vector(&after), error(&b, &after)), (13, 0), "{code:02X?}");
        assert_eq!(
            (after.cr0, after.cr3, after.cr4, after.efer),
            (s.cr0, s.cr3, s.cr4, s.efer)
        );
    }
}

#[test]
fn umip_hides_the_tables_from_programs() {
    for (code, hidden) in [
        ([0x0F, 0x01, 0x01], true),
        ([0x0F, 0x01, 0x09], true),
        ([0x0F, 0x00, 0xC0], true),
        ([0x0F, 0x00, 0xC8], true),
        ([0x0F, 0x01, 0xE0], true),
        // rdtsc / nop
        ([0x0F, 0x31, 0x90], false),
    ] {
        let (mut b, mut s) = in_64_bit_mode(&[&code[..], &[0x0F, 0x0B]].concat());
        as_user(&mut s);
        s.cr4 |= Cr4::UMIP;
        s.gpr[Gpr::Rcx as usize] = 0x4_0000;
        let s = run(&mut b, &s);
        assert_eq!(vector(&s), if hidden { 13 } else { 6 }, "{code:02X?}");
    }
}

#[test]
fn what_64_bit_mode_does_not_have_is_undefined() {
    for code in [
        &[0x06][..],
        &[0x27],
        &[0x60],
        &[0x82, 0xC0, 0],
        &[0x9A, 0, 0, 0, 0, 0, 0],
        &[0xCE],
        &[0xD4, 10],
        &[0xD6],
        &[0xEA, 0, 0, 0, 0, 0, 0],
    ] {
        let (mut b, s) = in_64_bit_mode(code);
        assert_eq!(vector(&run(&mut b, &s)), 6, "{code:02X?}");
    }
}

#[test]
fn a_displacement_that_nearly_overflows_is_counted_from_behind_the_instruction() {
    // 20 times nop / lea rax,[rip+7FFFFFFFh] / hlt
    let mut code = vec![0x90; 20];
    code.extend([0x48, 0x8D, 0x05, 0xFF, 0xFF, 0xFF, 0x7F, 0xF4]);
    let (mut b, s) = in_64_bit_mode(&code);
    let s = run(&mut b, &s);
    assert_eq!(reg(&s, Gpr::Rax), CODE + 27 + 0x7FFF_FFFF);
}

#[test]
fn repeated_strings_count_with_all_of_rcx() {
    // rep stosq / hlt
    let (mut b, mut s) = in_64_bit_mode(&[0xF3, 0x48, 0xAB, 0xF4]);
    s.gpr[Gpr::Rcx as usize] = 3;
    s.gpr[Gpr::Rdi as usize] = 0x4_0FF4;
    s.gpr[Gpr::Rax as usize] = 0x1111_2222_3333_4444;
    let s = run(&mut b, &s);
    assert_eq!((reg(&s, Gpr::Rcx), reg(&s, Gpr::Rdi)), (0, 0x4_100C));
    assert_eq!(b.get(0x4_1004), 0x1111_2222_3333_4444);
}
