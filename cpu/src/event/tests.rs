//! Privilege, gates, tasks, virtual-8086 mode, debug and interrupt windows, on a board of nothing but RAM.
//!
//! The segments that most tests use: 08 and 10 flat code and data of ring 0, 1B and 23 of ring 3, 28 the present TSS,
//! 30 another one, 38 a call gate to ring 0 (two parameters), 40 a task gate to 30, 48 conforming code, 50 absent
//! data. Each vector's handler is an HLT of its own.
//!
//! One file because all tests build the same descriptor tables.

mod priorities;
mod smm;
mod translations;

use crate::{CpuModel, Interpreter};
use emu_core::backend::{Attention, CpuBackend, CpuId, Exit, Special, SystemBus};
use emu_core::bus::{Gpa, PageView, Width};
use emu_core::ram::Ram;
use emu_core::x86::{
    Activity, CpuState, Cr0, Cr4, DescriptorTable, Dr6, Gpr, Rflags, Seg, SegmentAttributes as A,
    SegmentRegister, Selector,
};

const GDT: usize = 0x800;
const TSS: usize = 0x1800;
const TSS_2: usize = 0x1C00;
const CODE: usize = 0x2000;
const GATE_CODE: usize = 0x3000;
const HANDLERS: usize = 0x4000;
const STACK_0: u64 = 0x8000;
const STACK_3: u64 = 0x9000;

struct Board {
    ram: [Ram; 1],
    insns: u64,
    /// INTR rises when this many instructions have retired.
    interrupt_at: u64,
    /// INTR has fallen by the time that the CPU asks for the vector.
    nobody_answers: bool,
    nmi_at: Vec<u64>,
    ports: Vec<(u16, u32)>,
    /// How often a port was read.
    reads: u32,
    /// The port whose first access raises SMI.
    smi_port: Option<u16>,
    /// SMI comes when this many instructions have retired.
    smi_at: u64,
    halts: u32,
}

impl Board {
    fn new() -> Self {
        let ram = [Ram::new("ram", 2 << 20).expect("memory")];
        let ports = Vec::new();
        Self {
            ram,
            insns: 0,
            interrupt_at: u64::MAX,
            nobody_answers: false,
            nmi_at: Vec::new(),
            ports,
            reads: 0,
            smi_port: None,
            smi_at: u64::MAX,
            halts: 0,
        }
    }
    fn raise_smi(&mut self, port: u16) {
        if self.smi_port == Some(port) {
            self.smi_port = None;
            self.smi_at = self.insns;
        }
    }
    fn write(&self, at: usize, bytes: &[u8]) {
        self.ram[0].write(at, bytes);
    }
    fn dword(&self, at: u64) -> u32 {
        let mut b = [0; 4];
        self.ram[0].read(at as usize, &mut b);
        u32::from_le_bytes(b)
    }
    fn word(&self, at: u64) -> u16 {
        self.dword(at) as u16
    }
    fn set_dword(&self, at: usize, v: u32) {
        self.write(at, &v.to_le_bytes());
    }
    fn descriptor(&self, selector: u16, base: u32, limit: u32, attributes: u32) {
        let low = u64::from(limit & 0xFFFF) | u64::from(base & 0xFF_FFFF) << 16;
        let high = u64::from(attributes) << 8
            | u64::from(limit & 0xF_0000)
            | u64::from(base & 0xFF00_0000);
        self.write(
            GDT + usize::from(selector & !7),
            &(low | high << 32).to_le_bytes(),
        );
    }
    fn gate(&self, at: usize, selector: u16, offset: u32, rights: u8, parameters: u8) {
        let low = u64::from(offset & 0xFFFF) | u64::from(selector) << 16;
        let high = u64::from(offset & 0xFFFF_0000) | u64::from(rights) << 8;
        self.write(
            at,
            &(low | (high | u64::from(parameters)) << 32).to_le_bytes(),
        );
    }
    /// The handler of a vector: a 32-bit interrupt gate with this DPL.
    fn handler(&self, vector: usize, dpl: u8) {
        let entry = HANDLERS + vector * 16;
        self.gate(vector * 8, 0x08, entry as u32, 0x8E | dpl << 5, 0);
        self.write(entry, &[0xF4]);
    }
}

impl SystemBus for Board {
    fn attention(&self, _: CpuId) -> Attention {
        let mut a = Attention::empty();
        if self.insns >= self.interrupt_at {
            a |= Attention::INTR;
        }
        if self.nmi_at.iter().any(|&at| self.insns >= at) {
            a |= Attention::NMI;
        }
        if self.insns >= self.smi_at {
            a |= Attention::SMI;
        }
        if self.insns > 10_000 {
            a |= Attention::STOP;
        }
        a
    }
    fn accept(&mut self, _: CpuId, bits: Attention) {
        if bits.contains(Attention::NMI) {
            let now = self.insns;
            self.nmi_at.retain(|&at| now < at);
        }
        if bits.contains(Attention::SMI) {
            self.smi_at = u64::MAX;
        }
    }
    fn advance(&mut self, retired: u64) {
        self.insns += retired;
    }
    fn countdown(&self) -> u64 {
        let others = [self.interrupt_at, self.smi_at];
        let next = self.nmi_at.iter().copied().chain(others);
        next.filter(|&at| at > self.insns)
            .min()
            .unwrap_or(u64::MAX)
            .min(self.insns + 500)
            - self.insns
    }
    fn insns(&self) -> u64 {
        self.insns
    }
    fn port_read(&mut self, _: CpuId, port: u16, _: Width) -> u32 {
        self.reads += 1;
        self.raise_smi(port);
        u32::from(port)
    }
    fn port_write(&mut self, _: CpuId, port: u16, _: Width, value: u32) {
        self.ports.push((port, value));
        self.raise_smi(port);
    }
    fn mmio_read(&mut self, _: CpuId, _: Gpa, _: bool, w: Width) -> u64 {
        w.mask()
    }
    fn mmio_write(&mut self, _: CpuId, _: Gpa, _: bool, _: Width, _: u64) {}
    fn page(&self, gpa: Gpa, _: bool) -> PageView {
        if gpa.0 < 2 << 20 {
            let side = Some((self.ram[0].clone(), gpa.0 as usize & !0xFFF));
            PageView {
                read: side.clone(),
                write: side,
            }
        } else {
            PageView::default()
        }
    }
    fn acknowledge(&mut self, _: CpuId) -> Option<u8> {
        self.interrupt_at = u64::MAX;
        (!self.nobody_answers).then_some(0x70)
    }
    fn special_cycle(&mut self, _: CpuId, c: Special) {
        self.halts += u32::from(c == Special::Halt);
    }
    fn blocks(&self) -> &[Ram] {
        &self.ram
    }
}

fn segment(selector: u16, attributes: u32) -> SegmentRegister {
    let attributes = A::from_bits_retain(attributes) | A::USABLE;
    SegmentRegister {
        selector: Selector(selector),
        base: 0,
        limit: u32::MAX,
        attributes,
    }
}

/// 32-bit code and data rights, present, with this DPL.
fn rights(dpl: u32, code: bool) -> u32 {
    0xC093 | dpl << 5 | u32::from(code) << 3
}

/// A board with tables, and a CPU in protected mode at `CODE` in ring `cpl`.
fn protected(cpl: u8, code: &[u8]) -> (Board, CpuState) {
    let b = Board::new();
    b.descriptor(0x08, 0, 0xF_FFFF, rights(0, true));
    b.descriptor(0x10, 0, 0xF_FFFF, rights(0, false));
    b.descriptor(0x18, 0, 0xF_FFFF, rights(3, true));
    b.descriptor(0x20, 0, 0xF_FFFF, rights(3, false));
    b.descriptor(0x28, TSS as u32, 0x3FF, 0x8B);
    b.descriptor(0x30, TSS_2 as u32, 0x67, 0xE9);
    b.gate(GDT + 0x38, 0x08, GATE_CODE as u32, 0xEC, 2);
    b.gate(GDT + 0x40, 0x30, 0, 0xE5, 0);
    b.descriptor(0x48, 0, 0xF_FFFF, 0xC09F);
    b.descriptor(0x50, 0, 0xF_FFFF, 0xC013);
    for vector in 0..32 {
        b.handler(vector, 0);
    }
    b.handler(0x70, 0);
    b.handler(0x80, 3);
    b.set_dword(TSS + 4, STACK_0 as u32);
    b.set_dword(TSS + 8, 0x10);
    b.set_dword(TSS + 0x64, 0x0080_0000);
    b.write(CODE, code);

    let mut s = CpuModel::P6.reset_state();
    s.cr0 = Cr0::PE | Cr0::ET;
    let (cs, ds) = if cpl == 0 { (0x08, 0x10) } else { (0x1B, 0x23) };
    for seg in &mut s.segments {
        *seg = segment(ds, rights(cpl.into(), false));
    }
    s.segments[Seg::Cs as usize] = segment(cs, rights(cpl.into(), true));
    s.gdtr = DescriptorTable {
        base: GDT as u64,
        limit: 0x7F,
    };
    s.idtr = DescriptorTable {
        base: 0,
        limit: 0x7FF,
    };
    s.tr = SegmentRegister {
        base: TSS as u64,
        limit: 0x3FF,
        ..segment(0x28, 0x8B)
    };
    s.ldtr = SegmentRegister::default();
    s.rip = CODE as u64;
    s.gpr[Gpr::Rsp as usize] = if cpl == 0 { STACK_0 } else { STACK_3 };
    s.rflags = Rflags::ONE;
    (b, s)
}

fn run(board: &mut Board, state: &CpuState) -> (Exit, CpuState) {
    let mut cpu = Interpreter::new(CpuId(0), CpuModel::P6);
    cpu.set_state(state);
    let exit = cpu.run(board, None);
    (exit, cpu.state())
}

/// Runs to a halt and gives the vector whose handler halted.
fn vector(board: &mut Board, state: &CpuState) -> (usize, CpuState) {
    let (exit, s) = run(board, state);
    assert_eq!(exit, Exit::Halted, "at {:x}", s.rip);
    (((s.rip as usize).wrapping_sub(HANDLERS + 1)) / 16, s)
}

fn sp(s: &CpuState) -> u64 {
    s.gpr[Gpr::Rsp as usize]
}

#[test]
fn a_real_mode_interrupt_saves_flags_and_address_and_closes_if() {
    let mut b = Board::new();
    b.write(0x21 * 4, &[0x00, 0x05, 0x30, 0x00]);
    b.write(0x800, &[0xF4]);
    b.write(0x1000, &[0xCD, 0x21]);
    let mut s = CpuModel::P6.reset_state();
    s.segments[Seg::Cs as usize].selector = Selector(0x100);
    s.segments[Seg::Cs as usize].base = 0x1000;
    s.rip = 0;
    s.gpr[Gpr::Rsp as usize] = 0x4000;
    s.rflags |= Rflags::IF | Rflags::CF;
    let (exit, s) = run(&mut b, &s);
    assert_eq!(exit, Exit::Halted);
    assert_eq!((s.segment(Seg::Cs).selector.0, s.rip), (0x30, 0x501));
    assert!(!s.rflags.contains(Rflags::IF));
    assert_eq!(sp(&s), 0x3FFA);
    assert_eq!(
        (b.word(0x3FFA), b.word(0x3FFC), b.word(0x3FFE)),
        (2, 0x100, 0x203)
    );
}

#[test]
fn a_real_mode_stack_without_room_for_the_frame_shuts_down() {
    let mut b = Board::new();
    b.write(0x1000, &[0xCD, 0x21]);
    let mut s = CpuModel::P6.reset_state();
    s.segments[Seg::Cs as usize].base = 0x1000;
    s.rip = 0;
    s.gpr[Gpr::Rsp as usize] = 1;
    let (exit, s) = run(&mut b, &s);
    assert_eq!((exit, s.activity), (Exit::Shutdown, Activity::Shutdown));
}

#[test]
fn an_interrupt_from_ring_3_switches_to_the_stack_of_the_tss() {
    let (mut b, s) = protected(3, &[0xCD, 0x80]);
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, s.cpl(), s.segment(Seg::Ss).selector.0), (0x80, 0, 0x10));
    assert_eq!(sp(&s), STACK_0 - 20);
    let frame: Vec<u32> = (0..5).map(|n| b.dword(sp(&s) + 4 * n)).collect();
    assert_eq!(frame, [CODE as u32 + 2, 0x1B, 2, STACK_3 as u32, 0x23]);
}

#[test]
fn iret_goes_back_to_ring_3_and_clears_segments_that_it_must_not_see() {
    // mov ds,[ring 0 data] in the handler; iretd. Ring 3 then does int 80h again.
    let (mut b, s) = protected(3, &[0xCD, 0x80, 0xCD, 0x20]);
    b.write(
        HANDLERS + 0x80 * 16,
        &[0xB8, 0x10, 0, 0, 0, 0x8E, 0xD8, 0xCF],
    );
    let (v, s) = vector(&mut b, &s);
    // INT 20h from ring 3: no such gate (all zero): #GP(20h * 8 + IDT).
    assert_eq!(v, 13);
    assert_eq!(b.dword(sp(&s)), 0x20 * 8 + 2);
    assert_eq!(b.dword(sp(&s) + 4), CODE as u32 + 2);
    assert_eq!(b.dword(sp(&s) + 16), STACK_3 as u32);
    assert_eq!(s.segment(Seg::Ds).selector.0, 0);
    assert!(!s.segment(Seg::Ds).attributes.contains(A::USABLE));
    assert_eq!(s.segment(Seg::Es).selector.0, 0x23);
}

#[test]
fn a_software_interrupt_through_a_gate_of_lower_dpl_is_general_protection() {
    let (mut b, s) = protected(3, &[0xCD, 0x03]);
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, b.dword(sp(&s))), (13, 3 * 8 + 2));
    // Faults save RF set.
    assert_eq!(b.dword(sp(&s) + 12) & 0x1_0000, 0x1_0000);
}

#[test]
fn a_fault_whose_gate_is_absent_becomes_a_double_fault_and_then_a_shutdown() {
    // mov ds, 50h: the descriptor is not present; #NP's gate is not present either.
    let code = [0xB8, 0x50, 0, 0, 0, 0x8E, 0xD8];
    let (mut b, s) = protected(0, &code);
    b.gate(11 * 8, 0x08, 0, 0x0E, 0);
    let (v, after) = vector(&mut b, &s);
    assert_eq!((v, b.dword(sp(&after))), (8, 0));
    assert_eq!(b.dword(sp(&after) + 4), CODE as u32 + 5);
    let (mut b, s) = protected(0, &code);
    b.gate(11 * 8, 0x08, 0, 0x0E, 0);
    b.gate(8 * 8, 0x08, 0, 0x0E, 0);
    assert_eq!(run(&mut b, &s).0, Exit::Shutdown);
}

#[test]
fn an_absent_segment_is_reported_with_its_selector() {
    let (mut b, s) = protected(0, &[0xB8, 0x50, 0, 0, 0, 0x8E, 0xD8]);
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, b.dword(sp(&s))), (11, 0x50));
}

#[test]
fn a_call_gate_copies_parameters_and_retf_removes_them_from_both_stacks() {
    // push 11h / push 22h / call 3B:0 / int 80h
    let code = [
        0x6A, 0x11, 0x6A, 0x22, 0x9A, 0, 0, 0, 0, 0x3B, 0, 0xCD, 0x80,
    ];
    let (mut b, s) = protected(3, &code);
    // mov eax,[esp+8] / mov edx,[esp+12] / retf 8
    b.write(
        GATE_CODE,
        &[0x8B, 0x44, 0x24, 8, 0x8B, 0x54, 0x24, 12, 0xCA, 8, 0],
    );
    let (v, s) = vector(&mut b, &s);
    assert_eq!(v, 0x80);
    assert_eq!(
        (s.gpr[Gpr::Rax as usize], s.gpr[Gpr::Rdx as usize]),
        (0x22, 0x11)
    );
    assert_eq!(b.dword(sp(&s) + 12), STACK_3 as u32);
    assert_eq!(b.dword(sp(&s)), CODE as u32 + 13);
    // The gate's frame: return address, parameters, old stack.
    let frame: Vec<u32> = (1..=6).map(|n| b.dword(STACK_0 - 4 * n)).collect();
    assert_eq!(frame[0], 0x23);
}

#[test]
fn a_jump_to_inner_code_is_refused_and_to_conforming_code_keeps_the_level() {
    // jmp 08:GATE_CODE from ring 3
    let far = |selector: u8| [0xEA, 0, 0x30, 0, 0, selector, 0];
    let (mut b, s) = protected(3, &far(0x08));
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, b.dword(sp(&s))), (13, 0x08));
    let (mut b, s) = protected(3, &far(0x48));
    b.write(GATE_CODE, &[0xCD, 0x80]);
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, b.dword(sp(&s) + 4)), (0x80, 0x4B));
}

/// Fills the second TSS: its task runs at `eip` in ring 0 with its stack at 7000h.
fn second_task(b: &Board, eip: u32, flags: u32) {
    b.set_dword(TSS_2 + 0x20, eip);
    b.set_dword(TSS_2 + 0x24, flags);
    b.set_dword(TSS_2 + 0x28, 0xAAAA_0001);
    b.set_dword(TSS_2 + 0x38, 0x7000);
    for (n, v) in [0x10, 0x08, 0x10, 0x10, 0x10, 0].into_iter().enumerate() {
        b.set_dword(TSS_2 + 0x48 + 4 * n, v);
    }
}

#[test]
fn a_task_that_is_called_links_back_and_iret_returns_to_the_caller() {
    // mov ebx,1234 / call 30:0 / hlt
    let code = [0xBB, 0x34, 0x12, 0, 0, 0x9A, 0, 0, 0, 0, 0x30, 0, 0xF4];
    let (mut b, s) = protected(0, &code);
    second_task(&b, GATE_CODE as u32, 2);
    b.write(GATE_CODE, &[0xCF]);
    let (exit, after) = run(&mut b, &s);
    assert_eq!(exit, Exit::Halted);
    assert_eq!(after.rip, CODE as u64 + 13);
    assert_eq!(after.gpr[Gpr::Rbx as usize], 0x1234);
    assert_eq!((after.tr.selector.0, after.tr.base), (0x28, TSS as u64));
    assert!(after.cr0.contains(Cr0::TS));
    assert!(!after.rflags.contains(Rflags::NT));
    // Types: the caller is busy again, the other one available.
    assert_eq!(b.dword(GDT as u64 + 0x2C) >> 8 & 0xF, 0xB);
    assert_eq!(b.dword(GDT as u64 + 0x34) >> 8 & 0xF, 0x9);
    assert_eq!(b.word(TSS_2 as u64), 0x28);
    // The other task was left behind its IRET, without NT in its image.
    assert_eq!(b.dword(TSS_2 as u64 + 0x20), GATE_CODE as u32 + 1);
    assert_eq!(b.dword(TSS_2 as u64 + 0x24) & 0x4000, 0);
    assert_eq!(b.dword(TSS as u64 + 0x34), 0x1234);
}

#[test]
fn a_jump_through_a_task_gate_leaves_the_old_task_available() {
    let (mut b, s) = protected(0, &[0xEA, 0, 0, 0, 0, 0x40, 0]);
    second_task(&b, GATE_CODE as u32, 2);
    b.write(GATE_CODE, &[0xF4]);
    let (exit, s) = run(&mut b, &s);
    assert_eq!(exit, Exit::Halted);
    assert_eq!(
        (s.tr.selector.0, s.gpr[Gpr::Rax as usize]),
        (0x30, 0xAAAA_0001)
    );
    assert_eq!(sp(&s), 0x7000);
    assert_eq!(b.dword(GDT as u64 + 0x2C) >> 8 & 0xF, 0x9);
    assert_eq!(b.dword(GDT as u64 + 0x34) >> 8 & 0xF, 0xB);
    assert!(!s.rflags.contains(Rflags::NT));
}

#[test]
fn a_jump_to_a_busy_task_is_refused() {
    let (mut b, s) = protected(0, &[0xEA, 0, 0, 0, 0, 0x28, 0]);
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, b.dword(sp(&s))), (13, 0x28));
}

#[test]
fn a_bad_stack_in_the_new_task_faults_in_the_new_task() {
    let (mut b, s) = protected(0, &[0xEA, 0, 0, 0, 0, 0x30, 0]);
    second_task(&b, GATE_CODE as u32, 2);
    b.set_dword(TSS_2 + 0x50, 0x23);
    // The handler of #TS is a task of its own (16-bit TSS at 1D00h, with a stack that works).
    b.descriptor(0x58, 0x1D00, 0x2B, 0x81);
    b.gate(10 * 8, 0x58, 0, 0x85, 0);
    b.write(0x1D0E, &[0xA0, 0x40]);
    b.write(0x1D1A, &[0x00, 0x60]);
    for (at, v) in [
        (0x1D22, 0x10),
        (0x1D24, 0x08),
        (0x1D26, 0x10),
        (0x1D28, 0x10),
    ] {
        b.write(at, &[v, 0]);
    }
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, s.tr.selector.0), (10, 0x58));
    // The error code is the SS selector; the faulting task is the new one, at its first instruction.
    assert_eq!((sp(&s) & 0xFFFF, b.word(0x5FFE)), (0x5FFE, 0x20));
    assert_eq!(b.word(0x1D00), 0x30);
    assert_eq!(b.dword(TSS_2 as u64 + 0x20), GATE_CODE as u32);
    assert!(s.rflags.contains(Rflags::NT));
}

#[test]
fn the_t_bit_of_a_tss_traps_before_the_first_instruction_of_the_task() {
    let (mut b, s) = protected(0, &[0xEA, 0, 0, 0, 0, 0x30, 0]);
    second_task(&b, GATE_CODE as u32, 2);
    b.set_dword(TSS_2 + 0x64, 1);
    b.write(GATE_CODE, &[0x40, 0xF4]);
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, b.dword(sp(&s))), (1, GATE_CODE as u32));
    assert_eq!(s.dr6 & Dr6::BT.bits(), Dr6::BT.bits());
    assert_eq!(s.gpr[Gpr::Rax as usize], 0xAAAA_0001);
}

/// A CPU in virtual-8086 mode at 0200:0000 with these flags.
fn virtual_8086(code: &[u8], flags: Rflags) -> (Board, CpuState) {
    let (b, mut s) = protected(0, code);
    s.rflags = Rflags::ONE | Rflags::VM | flags;
    for (n, seg) in s.segments.iter_mut().enumerate() {
        let selector = 0x100 + n as u16;
        *seg = SegmentRegister {
            selector: Selector(selector),
            base: u64::from(selector) << 4,
            limit: 0xFFFF,
            attributes: A::from_bits_retain(0xF3) | A::USABLE,
        };
    }
    s.segments[Seg::Cs as usize].selector = Selector(0x200);
    s.segments[Seg::Cs as usize].base = 0x2000;
    s.rip = 0;
    s.gpr[Gpr::Rsp as usize] = 0x8000;
    (b, s)
}

#[test]
fn an_interrupt_from_virtual_8086_mode_saves_and_clears_the_data_segments() {
    let (mut b, s) = virtual_8086(&[0xCD, 0x80], Rflags::IOPL);
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, s.cpl()), (0x80, 0));
    assert!(!s.rflags.contains(Rflags::VM));
    let frame: Vec<u32> = (0..9).map(|n| b.dword(sp(&s) + 4 * n)).collect();
    assert_eq!(
        frame,
        [
            2, 0x200, 0x2_3002, 0x8000, 0x102, 0x100, 0x103, 0x104, 0x105
        ]
    );
    for seg in [Seg::Ds, Seg::Es, Seg::Fs, Seg::Gs] {
        assert!(!s.segment(seg).attributes.contains(A::USABLE));
    }
}

#[test]
fn iret_enters_virtual_8086_mode_again_as_it_was_left() {
    // int 80h / int 80h; the handler returns the first time (it counts in a byte of memory).
    let (mut b, s) = virtual_8086(&[0xCD, 0x80, 0xCD, 0x80], Rflags::IOPL);
    // inc byte ss:[600h] / cmp byte ss:[600h],1 / jne +1 / iretd / hlt
    let handler = [
        0x36, 0xFE, 5, 0, 6, 0, 0, 0x36, 0x80, 0x3D, 0, 6, 0, 0, 1, 0x75, 1, 0xCF, 0xF4,
    ];
    b.gate(0x80 * 8, 0x08, GATE_CODE as u32, 0xEE, 0);
    b.write(GATE_CODE, &handler);
    let (exit, s) = run(&mut b, &s);
    assert_eq!(exit, Exit::Halted);
    let frame: Vec<u32> = (0..9).map(|n| b.dword(sp(&s) + 4 * n)).collect();
    assert_eq!(frame[0], 4);
    assert_eq!(frame[1], 0x200);
    assert_eq!(frame[3..], [0x8000, 0x102, 0x100, 0x103, 0x104, 0x105]);
}

#[test]
fn virtual_8086_mode_below_iopl_3_traps_what_touches_interrupts() {
    for code in [
        &[0xCD, 0x80][..],
        &[0xFA],
        &[0xFB],
        &[0x9C],
        &[0x9D],
        &[0xCF],
    ] {
        let (mut b, s) = virtual_8086(code, Rflags::empty());
        let (v, s) = vector(&mut b, &s);
        assert_eq!(
            (v, b.dword(sp(&s)), b.dword(sp(&s) + 4)),
            (13, 0, 0),
            "{code:x?}"
        );
    }
}

#[test]
fn with_vme_an_interrupt_goes_to_the_programs_own_handler_unless_its_bit_is_set() {
    let go = |bit: bool| {
        // sti / int 21h
        let (b, mut s) = virtual_8086(&[0xFB, 0xCD, 0x21], Rflags::empty());
        s.cr4 = Cr4::VME;
        // The IDT moves away, so that the vector table is the program's.
        s.idtr.base = 0x1_0000;
        b.gate(0x1_0000 + 13 * 8, 0x08, HANDLERS as u32 + 13 * 16, 0x8E, 0);
        b.write(0x21 * 4, &[0x00, 0x01, 0x20, 0x02]);
        b.write(0x2300, &[0xF4]);
        // The map lies right before the I/O map.
        b.set_dword(TSS + 0x64, 0x00A0_0000);
        b.write(
            TSS + 0x80 + 0x21 / 8,
            &[if bit { 1 << (0x21 % 8) } else { 0 }],
        );
        (b, s)
    };
    // HLT in virtual-8086 mode is #GP: the image shows where it was and with which flags.
    let (mut b, s) = go(false);
    let (v, s) = vector(&mut b, &s);
    assert_eq!(v, 13);
    assert_eq!((b.dword(sp(&s) + 4), b.dword(sp(&s) + 8)), (0x100, 0x220));
    // VIF was set by STI, pushed as IF with IOPL 3, and cleared.
    assert_eq!(b.dword(sp(&s) + 12) & 0x8_0200, 0);
    let top = 0x102 * 16 + 0x8000 - 6;
    assert_eq!(
        (b.word(top), b.word(top + 2), b.word(top + 4)),
        (3, 0x200, 0x3202)
    );

    let (mut b, s) = go(true);
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, b.dword(sp(&s) + 4)), (13, 1));
}

#[test]
fn a_task_state_without_room_for_the_redirection_map_refuses_the_interrupt() {
    for io_map in [0u16, 31, 0x3E0, 0xFFFF] {
        // int 21h
        let (mut b, mut s) = virtual_8086(&[0xCD, 0x21], Rflags::empty());
        s.cr4 = Cr4::VME;
        s.tr.limit = 0x3BF;
        b.set_dword(TSS + 0x64, u32::from(io_map) << 16);
        let (v, s) = vector(&mut b, &s);
        assert_eq!((v, b.dword(sp(&s))), (13, 0), "{io_map:X}");
    }
}

#[test]
fn a_pending_virtual_interrupt_makes_sti_fault() {
    let (mut b, mut s) = virtual_8086(&[0xFB], Rflags::VIP);
    s.cr4 = Cr4::VME;
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, b.dword(sp(&s))), (13, 0));
}

#[test]
fn ring_3_may_not_change_if_and_iopl_by_popf() {
    // push 3202h / popfd / pushfd / pop eax / int 80h
    let (mut b, s) = protected(3, &[0x68, 2, 0x32, 0, 0, 0x9D, 0x9C, 0x58, 0xCD, 0x80]);
    let (_, s) = vector(&mut b, &s);
    assert_eq!(s.gpr[Gpr::Rax as usize], 2);
}

#[test]
fn privileged_instructions_fault_in_ring_3() {
    let codes: [&[u8]; 10] = [
        &[0xF4],                            // hlt
        &[0xFA],                            // cli
        &[0x0F, 0x20, 0xC0],                // mov eax,cr0
        &[0x0F, 0x22, 0xC0],                // mov cr0,eax
        &[0x0F, 0x21, 0xC0],                // mov eax,dr0
        &[0x0F, 0x01, 0x15, 0, 0x20, 0, 0], // lgdt
        &[0x0F, 0x00, 0xD8],                // ltr ax
        &[0x0F, 0x06],                      // clts
        &[0x0F, 0x32],                      // rdmsr
        &[0x0F, 0x09],                      // wbinvd
    ];
    for code in codes {
        let (mut b, s) = protected(3, code);
        let (v, s) = vector(&mut b, &s);
        assert_eq!(
            (v, b.dword(sp(&s)), b.dword(sp(&s) + 4)),
            (13, 0, CODE as u32),
            "{code:x?}"
        );
    }
}

#[test]
fn the_io_map_decides_about_each_port() {
    // out 80h,al / out 81h,al
    let (mut b, mut s) = protected(3, &[0xE6, 0x80, 0xE6, 0x81]);
    s.gpr[Gpr::Rax as usize] = 0x5A;
    // The map begins at 80h; port 81h is forbidden.
    b.write(TSS + 0x80 + 0x80 / 8, &[0b10]);
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, b.dword(sp(&s) + 4)), (13, CODE as u32 + 2));
    assert_eq!(b.ports, [(0x80, 0x5A)]);
    // A word access to 80h touches 81h.
    let (mut b, s) = protected(3, &[0x66, 0xE7, 0x80]);
    b.write(TSS + 0x80 + 0x80 / 8, &[0b10]);
    assert_eq!(vector(&mut b, &s).0, 13);
    assert!(b.ports.is_empty());
}

#[test]
fn single_step_traps_behind_one_instruction() {
    let (mut b, mut s) = protected(0, &[0x40, 0x40, 0xF4]);
    s.rflags |= Rflags::TF;
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, s.gpr[Gpr::Rax as usize]), (1, 1));
    assert_eq!(b.dword(sp(&s)), CODE as u32 + 1);
    assert_eq!(b.dword(sp(&s) + 8) & 0x1_0100, 0x100);
    assert_eq!(s.dr6 & 0xE00F, Dr6::BS.bits());
    assert!(!s.rflags.contains(Rflags::TF));
}

#[test]
fn loading_ss_holds_the_trap_until_the_next_instruction_is_done() {
    // mov ss,ax / inc ebx / inc ebx
    let (mut b, mut s) = protected(0, &[0x8E, 0xD0, 0x43, 0x43, 0xF4]);
    s.gpr[Gpr::Rax as usize] = 0x10;
    s.rflags |= Rflags::TF;
    let (v, s) = vector(&mut b, &s);
    assert_eq!(
        (v, s.gpr[Gpr::Rbx as usize], b.dword(sp(&s))),
        (1, 1, CODE as u32 + 3)
    );
}

#[test]
fn an_instruction_breakpoint_faults_before_and_rf_lets_it_pass() {
    let (mut b, mut s) = protected(0, &[0x40, 0x43, 0xF4]);
    s.dr[0] = CODE as u64 + 1;
    s.dr7 = 0x402;
    let (v, at) = vector(&mut b, &s);
    assert_eq!(
        (v, at.gpr[Gpr::Rax as usize], at.gpr[Gpr::Rbx as usize]),
        (1, 1, 0)
    );
    assert_eq!(b.dword(sp(&at)), CODE as u32 + 1);
    assert_eq!(at.dr6 & 0xE00F, 1);
    // The handler sets RF in the image and returns: the instruction executes.
    let (mut b, _) = protected(0, &[0x40, 0x43, 0xF4]);
    b.gate(8, 0x08, GATE_CODE as u32, 0x8E, 0);
    // or dword [esp+8],10000h / iretd
    b.write(GATE_CODE, &[0x81, 0x4C, 0x24, 8, 0, 0, 1, 0, 0xCF]);
    let (exit, s) = run(&mut b, &s);
    assert_eq!(
        (exit, s.rip, s.gpr[Gpr::Rbx as usize]),
        (Exit::Halted, CODE as u64 + 3, 1)
    );
    assert!(!s.rflags.contains(Rflags::RF));
}

#[test]
fn a_data_breakpoint_traps_behind_the_store_and_not_for_its_neighbour() {
    // mov [6004h],eax / mov [6001h],al / inc eax
    let code = [0xA3, 4, 0x60, 0, 0, 0xA2, 1, 0x60, 0, 0, 0x40, 0xF4];
    let (mut b, mut s) = protected(0, &code);
    s.dr[1] = 0x6000;
    // Breakpoint 1: enabled, writes, four bytes.
    s.dr7 = 0x400 | 1 << 2 | 0b1101 << 20;
    let (v, s) = vector(&mut b, &s);
    assert_eq!(
        (v, b.dword(sp(&s)), s.dr6 & 0xE00F),
        (1, CODE as u32 + 10, 2)
    );
}

#[test]
fn general_detect_faults_and_is_cleared_for_the_handler() {
    let (mut b, mut s) = protected(0, &[0x0F, 0x21, 0xC0, 0xF4]);
    s.dr7 = 0x400 | 1 << 13;
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, b.dword(sp(&s)), s.dr7), (1, CODE as u32, 0x400));
    assert_eq!(s.dr6 & 0xE00F, Dr6::BD.bits());
}

#[test]
fn an_interrupt_waits_for_the_instruction_behind_sti() {
    // nop / sti / inc eax / inc eax
    let (mut b, s) = protected(0, &[0x90, 0xFB, 0x40, 0x40, 0xF4]);
    b.interrupt_at = 1;
    let (v, s) = vector(&mut b, &s);
    assert_eq!(
        (v, s.gpr[Gpr::Rax as usize], b.dword(sp(&s))),
        (0x70, 1, CODE as u32 + 3)
    );
    assert!(!s.rflags.contains(Rflags::IF));
}

#[test]
fn an_nmi_is_held_until_iret() {
    // Handler of the NMI: inc ebx / inc ebx / iretd
    let (mut b, s) = protected(0, &[0x40, 0x40, 0x40, 0x40, 0xF4]);
    b.gate(2 * 8, 0x08, GATE_CODE as u32, 0x8E, 0);
    b.write(GATE_CODE, &[0x43, 0x43, 0xCF]);
    b.nmi_at = vec![1, 2];
    let (exit, s) = run(&mut b, &s);
    assert_eq!(exit, Exit::Halted);
    assert_eq!((s.gpr[Gpr::Rax as usize], s.gpr[Gpr::Rbx as usize]), (4, 4));
    assert_eq!(s.rip, CODE as u64 + 5);
    assert!(!s.nmi_blocked);
    // Both frames were pushed in the same place: the second came after the first was gone.
    assert_eq!(sp(&s), STACK_0);
    assert_eq!(b.insns, 5 + 6);
}

#[test]
fn a_page_fault_reports_address_and_cause() {
    // mov [3000h + 400000h],eax in ring 3: not present.
    let (mut b, mut s) = protected(3, &[0xA3, 0, 0x30, 0x40, 0]);
    // One table maps the first 4 MiB for all, at 1:1.
    b.set_dword(0x1_0000, 0x1_1007);
    for page in 0..1024 {
        b.set_dword(0x1_1000 + 4 * page, (page << 12) as u32 | 7);
    }
    s.cr3 = 0x1_0000;
    s.cr0 |= Cr0::PG;
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, s.cr2), (14, 0x40_3000));
    // Write, by the user, page not present.
    assert_eq!((b.dword(sp(&s)), b.dword(sp(&s) + 4)), (6, CODE as u32));
}

#[test]
fn limits_kept_from_protected_mode_reach_all_memory_in_real_mode() {
    // mov eax,10h / mov ds,ax / mov eax,cr0 / and al,FEh / mov cr0,eax / mov dword [123456h],55h / hlt
    let code = [
        0xB8, 0x10, 0, 0, 0, 0x8E, 0xD8, 0x0F, 0x20, 0xC0, 0x24, 0xFE, 0x0F, 0x22, 0xC0, 0xC7,
        0x05, 0x56, 0x34, 0x12, 0, 0x55, 0, 0, 0, 0xF4,
    ];
    let (mut b, s) = protected(0, &code);
    let (exit, s) = run(&mut b, &s);
    assert_eq!((exit, s.cr0.contains(Cr0::PE)), (Exit::Halted, false));
    assert_eq!(b.dword(0x12_3456), 0x55);
}

#[test]
fn questions_about_selectors_answer_in_zf() {
    // A descriptor that the test marked as accessed, so that rights are known: 10h is C093h.
    let ask = |op: [u8; 3], selector: u64, cpl: u8| {
        // op / setz dl / int 80h
        let mut code = op.to_vec();
        code.extend([0x0F, 0x94, 0xC2, 0xCD, 0x80]);
        let (mut b, mut s) = protected(cpl, &code);
        s.gpr[Gpr::Rax as usize] = selector;
        s.gpr[Gpr::Rcx as usize] = 0;
        s.gpr[Gpr::Rdx as usize] = 0;
        let (_, s) = vector(&mut b, &s);
        (s.gpr[Gpr::Rdx as usize] == 1, s.gpr[Gpr::Rcx as usize])
    };
    let (lar, lsl) = ([0x0F, 0x02, 0xC8], [0x0F, 0x03, 0xC8]);
    let (verr, verw) = ([0x0F, 0x00, 0xE0], [0x0F, 0x00, 0xE8]);
    assert_eq!(ask(lar, 0x10, 0), (true, 0xC0_9300));
    assert_eq!(ask(lsl, 0x10, 0), (true, 0xFFFF_FFFF));
    assert_eq!(ask(lsl, 0x30, 0), (true, 0x67));
    assert_eq!(ask(lar, 0x38, 3), (true, 0xEC00));
    assert_eq!(ask(lsl, 0x38, 3), (false, 0));
    assert_eq!(ask(lar, 0x10, 3), (false, 0));
    assert_eq!(ask(lar, 0x13, 0), (false, 0));
    assert_eq!(ask(lar, 0x48, 3), (true, 0xC0_9F00));
    assert_eq!(ask(lar, 0, 0), (false, 0));
    assert_eq!(ask(lar, 0x1000, 0), (false, 0));
    assert!(ask(verr, 0x23, 3).0 && ask(verw, 0x23, 3).0);
    assert!(ask(verr, 0x1B, 3).0 && !ask(verw, 0x1B, 3).0);
    assert!(!ask(verr, 0x10, 3).0);
}

#[test]
fn the_accessed_bit_is_set_when_a_segment_is_loaded() {
    let (mut b, s) = protected(0, &[0xB8, 0x60, 0, 0, 0, 0x8E, 0xE0, 0xF4]);
    b.descriptor(0x60, 0x1234, 0xFFF, 0x92);
    let (_, s) = run(&mut b, &s);
    assert_eq!(b.dword(GDT as u64 + 0x64) >> 8 & 0xFF, 0x93);
    let fs = s.segment(Seg::Fs);
    assert_eq!((fs.base, fs.limit), (0x1234, 0xFFF));
}

#[test]
fn sysenter_and_sysexit_change_rings_without_memory() {
    // sysenter; at GATE_CODE: mov edx,5000h / mov ecx,9000h / sysexit; at 5000h: int 80h
    let (mut b, mut s) = protected(3, &[0x0F, 0x34]);
    s.msr.sysenter_cs = 0x08;
    s.msr.sysenter_eip = GATE_CODE as u64;
    s.msr.sysenter_esp = 0x7800;
    b.write(
        GATE_CODE,
        &[0xBA, 0, 0x50, 0, 0, 0xB9, 0, 0x90, 0, 0, 0x0F, 0x35],
    );
    b.write(0x5000, &[0xCD, 0x80]);
    let (v, s) = vector(&mut b, &s);
    assert_eq!(v, 0x80);
    let frame: Vec<u32> = (0..5).map(|n| b.dword(sp(&s) + 4 * n)).collect();
    assert_eq!(
        (frame[0], frame[1], frame[3], frame[4]),
        (0x5002, 0x1B, 0x9000, 0x23)
    );
}

#[test]
fn a_fault_while_an_interrupt_is_delivered_is_marked_external() {
    let (mut b, mut s) = protected(0, &[0x90, 0x90, 0xF4]);
    s.rflags |= Rflags::IF;
    b.gate(0x70 * 8, 0x50, 0, 0x8E, 0);
    b.interrupt_at = 1;
    let (v, s) = vector(&mut b, &s);
    // Selector 50h is no code segment: #GP(50h + EXT), and the interrupted instruction is saved.
    assert_eq!(
        (v, b.dword(sp(&s)), b.dword(sp(&s) + 4)),
        (13, 0x51, CODE as u32 + 1)
    );
}

#[test]
fn the_time_stamp_counts_retired_instructions() {
    // rdtsc / mov ebx,eax / nop / nop / rdtsc / hlt
    let (mut b, s) = protected(0, &[0x0F, 0x31, 0x89, 0xC3, 0x90, 0x90, 0x0F, 0x31, 0xF4]);
    let (_, s) = run(&mut b, &s);
    let (first, second) = (s.gpr[Gpr::Rbx as usize], s.gpr[Gpr::Rax as usize]);
    assert_eq!(second - first, 4);
    assert_eq!(b.halts, 1);
}

#[test]
fn an_unknown_model_specific_register_faults() {
    let (mut b, mut s) = protected(0, &[0x0F, 0x32]);
    s.gpr[Gpr::Rcx as usize] = 0x1234_5678;
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, b.dword(sp(&s))), (13, 0));
}
