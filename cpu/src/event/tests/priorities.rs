//! What comes first when several things happen at one boundary, what waits, and what the saved flags say; and single
//! instructions whose steps depend on each other.

use super::*;

#[test]
fn a_single_step_trap_behind_hlt_wakes_the_processor() {
    let (mut b, mut s) = protected(0, &[0xF4, 0x40]);
    s.rflags |= Rflags::TF;
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, b.dword(sp(&s))), (1, CODE as u32 + 1));
}

#[test]
fn a_single_step_traps_behind_an_instruction_that_speaks_to_the_board() {
    // pushf / pop eax / or ah,1 / push eax / popf / in al,60h / hlt
    let code = [0x9C, 0x58, 0x80, 0xCC, 0x01, 0x50, 0x9D, 0xE4, 0x60, 0xF4];
    let (mut b, s) = protected(0, &code);
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, b.dword(sp(&s))), (1, CODE as u32 + 9));
}

#[test]
fn int1_takes_a_breakpoint_that_the_load_of_ss_before_it_met_along() {
    // mov ss,[20000h] / int1 / hlt
    let (mut b, mut s) = protected(0, &[0x8E, 0x15, 0, 0, 2, 0, 0xF1, 0xF4]);
    b.set_dword(0x2_0000, 0x10);
    s.dr[0] = 0x2_0000;
    // DR0 is enabled: reads and writes of two bytes.
    s.dr7 |= 0x0007_0001;
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, b.dword(sp(&s))), (1, CODE as u32 + 7));
    assert_eq!((s.dr6 & 0xF, s.pending_debug), (1, 0));
}

#[test]
fn a_halt_behind_a_load_of_ss_ends_its_shadow() {
    // mov ss,ax / hlt
    let (mut b, mut s) = protected(0, &[0x8E, 0xD0, 0xF4]);
    s.gpr[Gpr::Rax as usize] = 0x10;
    let (exit, s) = run(&mut b, &s);
    assert_eq!((exit, s.rip), (Exit::Halted, CODE as u64 + 3));
    assert!(!s.mov_ss_shadow);
}

#[test]
fn an_interrupt_request_that_falls_before_it_is_acknowledged_does_not_end_a_halt() {
    // sti / nop / hlt / inc eax
    let (mut b, mut s) = protected(0, &[0xFB, 0x90, 0xF4, 0x40, 0x40]);
    s.gpr[Gpr::Rax as usize] = 0;
    b.interrupt_at = 3;
    b.nobody_answers = true;
    let (exit, s) = run(&mut b, &s);
    assert_eq!((exit, s.activity), (Exit::Halted, Activity::Halted));
    assert_eq!(
        (s.rip, s.gpr[Gpr::Rax as usize], b.insns),
        (CODE as u64 + 3, 0, 3)
    );
}

#[test]
fn the_shadow_of_sti_lasts_for_one_repetition_of_a_string_instruction() {
    // sti / rep stosb
    let (mut b, mut s) = protected(0, &[0xFB, 0xF3, 0xAA, 0xF4]);
    s.gpr[Gpr::Rcx as usize] = 10;
    s.gpr[Gpr::Rdi as usize] = 0x1_0000;
    b.interrupt_at = 0;
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, s.gpr[Gpr::Rcx as usize]), (0x70, 9));
    assert_eq!(b.dword(sp(&s)), CODE as u32 + 1);
}

#[test]
fn an_nmi_ends_a_shutdown_but_not_one_inside_the_handler_of_an_nmi() {
    for (blocked, end) in [(false, Exit::Halted), (true, Exit::Shutdown)] {
        let (mut b, mut s) = protected(0, &[0x40]);
        s.activity = Activity::Shutdown;
        s.nmi_blocked = blocked;
        b.nmi_at = vec![0];
        let (exit, s) = run(&mut b, &s);
        assert_eq!(exit, end);
        assert_eq!(s.gpr[Gpr::Rax as usize], 0);
    }
}

#[test]
fn the_trap_of_a_task_comes_before_an_interrupt_that_waits() {
    let (mut b, s) = protected(0, &[0xEA, 0, 0, 0, 0, 0x30, 0]);
    second_task(&b, GATE_CODE as u32, 0x202);
    b.set_dword(TSS_2 + 0x64, 1);
    b.interrupt_at = 0;
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, b.dword(sp(&s))), (1, GATE_CODE as u32));
}

#[test]
fn a_task_that_cannot_be_loaded_faults_instead_of_trapping() {
    let (mut b, s) = protected(0, &[0xEA, 0, 0, 0, 0, 0x30, 0]);
    second_task(&b, GATE_CODE as u32, 2);
    b.set_dword(TSS_2 + 0x64, 1);
    // DS: absent.
    b.set_dword(TSS_2 + 0x54, 0x50);
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, b.dword(sp(&s)), s.pending_debug), (11, 0x50, 0));
}

#[test]
fn an_open_and_pending_virtual_interrupt_makes_any_instruction_fault() {
    let both = Rflags::VIF | Rflags::VIP;
    // CR4, flags, whether the NOP at 0 faults; else the HLT behind it does.
    for (cr4, flags, due) in [
        (Cr4::VME, both, true),
        (Cr4::VME, Rflags::VIP, false),
        (Cr4::VME, both | Rflags::IOPL, false),
        (Cr4::empty(), both | Rflags::IOPL, false),
    ] {
        let (mut b, mut s) = virtual_8086(&[0x90, 0xF4], flags);
        s.cr4 = cr4;
        let (v, s) = vector(&mut b, &s);
        let ip = if due { 0 } else { 1 };
        assert_eq!((v, b.dword(sp(&s)), b.dword(sp(&s) + 4)), (13, 0, ip));
    }
    let (mut b, mut s) = protected(3, &[0x90, 0xF4]);
    s.cr4 = Cr4::PVI;
    s.rflags |= both;
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, b.dword(sp(&s) + 4)), (13, CODE as u32));
}

#[test]
fn an_interrupt_between_two_iterations_saves_rf_and_one_behind_the_last_does_not() {
    // mov ecx,4 / rep movsb / nop
    for (at, rip, rf) in [(3, 5, 0x1_0000), (5, 7, 0)] {
        let (mut b, mut s) = protected(0, &[0xB9, 4, 0, 0, 0, 0xF3, 0xA4, 0x90, 0xF4]);
        s.gpr[Gpr::Rsi as usize] = 0x6000;
        s.gpr[Gpr::Rdi as usize] = 0x6100;
        s.rflags |= Rflags::IF;
        b.interrupt_at = at;
        let (v, s) = vector(&mut b, &s);
        assert_eq!((v, b.dword(sp(&s))), (0x70, CODE as u32 + rip));
        assert_eq!(b.dword(sp(&s) + 8) & 0x1_0000, rf);
    }
    // A single-step trap between two iterations saves it too.
    let (mut b, mut s) = protected(0, &[0xB9, 4, 0, 0, 0, 0xF3, 0xA4, 0x90]);
    s.rip = CODE as u64 + 5;
    s.gpr[Gpr::Rcx as usize] = 4;
    s.gpr[Gpr::Rsi as usize] = 0x6000;
    s.gpr[Gpr::Rdi as usize] = 0x6100;
    s.rflags |= Rflags::TF;
    let (v, s) = vector(&mut b, &s);
    assert_eq!((v, s.gpr[Gpr::Rcx as usize]), (1, 3));
    assert_eq!(b.dword(sp(&s)), CODE as u32 + 5);
    assert_eq!(b.dword(sp(&s) + 8) & 0x1_0100, 0x1_0100);
}

#[test]
fn a_reset_sets_the_time_stamp_to_zero_and_init_lets_it_run_on() {
    for (init, expected) in [(false, 0), (true, 1007)] {
        let mut cpu = Interpreter::new(CpuId(0), CpuModel::P6);
        let mut s = cpu.state();
        s.retired = 1000;
        s.msr.tsc_offset = 7;
        cpu.set_state(&s);
        cpu.reset(init);
        let s = cpu.state();
        assert_eq!(s.retired.wrapping_add(s.msr.tsc_offset), expected);
    }
}

#[test]
fn enter_reads_the_frame_pointers_that_it_has_just_pushed() {
    // enter 0,3 with EBP = ESP: each pointer that is read lies where the one before was pushed.
    let (mut b, mut s) = protected(0, &[0xC8, 0, 0, 3, 0xF4]);
    s.gpr[Gpr::Rbp as usize] = STACK_0;
    let (_, s) = run(&mut b, &s);
    let stack: Vec<u32> = (1..=4).map(|n| b.dword(STACK_0 - 4 * n)).collect();
    let (top, frame) = (STACK_0 as u32, STACK_0 as u32 - 4);
    assert_eq!(stack, [top, top, top, frame]);
    assert_eq!(
        (sp(&s), s.gpr[Gpr::Rbp as usize]),
        (STACK_0 - 16, STACK_0 - 4)
    );
}

#[test]
fn pusha_without_room_in_real_mode_is_general_protection() {
    for (top, expected) in [(7u64, 13usize), (15, 13), (16, 0)] {
        let mut b = Board::new();
        for vector in 0..32 {
            b.write(
                vector * 4,
                &[(vector * 16) as u8, (vector >> 4) as u8, 0, 0x03],
            );
            b.write(0x3000 + vector * 16, &[0xF4]);
        }
        b.write(0x1000, &[0x60, 0xF4]);
        let mut s = CpuModel::P6.reset_state();
        s.segments[Seg::Cs as usize].selector = Selector(0x100);
        s.segments[Seg::Cs as usize].base = 0x1000;
        s.segments[Seg::Ss as usize].selector = Selector(0x800);
        s.segments[Seg::Ss as usize].base = 0x8000;
        s.rip = 0;
        s.gpr[Gpr::Rsp as usize] = top;
        let (exit, s) = run(&mut b, &s);
        assert_eq!(exit, Exit::Halted);
        let at = s.segment(Seg::Cs).base + s.rip;
        if expected == 0 {
            assert_eq!((at, sp(&s)), (0x1002, 0));
        } else {
            assert_eq!(at as usize, 0x3000 + expected * 16 + 1);
        }
    }
}

#[test]
fn reserved_bits_of_a_large_page_fault() {
    // mov eax,[400000h] through a 4 MiB page; neither PAT (bit 12) nor PSE-36 (bits 13 to 20) is there.
    for (bits, expected) in [
        (0, None),
        (1 << 12, Some(9)),
        (1 << 13, Some(9)),
        (1 << 21, Some(9)),
    ] {
        let (mut b, mut s) = protected(0, &[0xA1, 0, 0, 0x40, 0, 0xF4]);
        b.set_dword(0x1_0000, 0x83);
        b.set_dword(0x1_0004, 0x83 | bits);
        b.set_dword(0, 0x5555_AAAA);
        b.handler(0, 0);
        s.cr3 = 0x1_0000;
        s.cr4 = Cr4::PSE;
        s.cr0 |= Cr0::PG;
        let (exit, s) = run(&mut b, &s);
        assert_eq!(exit, Exit::Halted);
        match expected {
            None => assert_eq!(s.rip, CODE as u64 + 6),
            Some(code) => {
                assert_eq!(s.rip as usize, HANDLERS + 14 * 16 + 1);
                assert_eq!((b.dword(sp(&s)), s.cr2), (code, 0x40_0000));
            }
        }
    }
}

#[test]
fn large_x87_operands_are_aligned_as_a_whole() {
    // fninit, the instruction at an address, int 80h: #AC (17) or not.
    let cases: [(&[u8], u32, usize); 9] = [
        (&[0xDB, 0x2D], 0x6004, 17),         // fld m80
        (&[0xDB, 0x2D], 0x6008, 0x80),       // fld m80
        (&[0xDF, 0x25], 0x6004, 17),         // fbld
        (&[0xD9, 0x35], 0x6002, 17),         // fnstenv, 28 bytes
        (&[0xD9, 0x35], 0x6004, 0x80),       // fnstenv, 28 bytes
        (&[0x66, 0xD9, 0x35], 0x6002, 0x80), // fnstenv, 14 bytes
        (&[0x66, 0xD9, 0x25], 0x6002, 0x80), // fldenv, 14 bytes
        (&[0x66, 0xD9, 0x25], 0x6001, 17),   // fldenv, 14 bytes
        (&[0xDD, 0x35], 0x6002, 17),         // fnsave
    ];
    for (insn, address, expected) in cases {
        let mut code = vec![0xDB, 0xE3];
        code.extend(insn);
        code.extend(address.to_le_bytes());
        code.extend([0xCD, 0x80]);
        let (mut b, mut s) = protected(3, &code);
        s.cr0 |= Cr0::AM | Cr0::NE;
        s.rflags |= Rflags::AC;
        let (v, _) = vector(&mut b, &s);
        assert_eq!(v, expected, "{insn:02X?} {address:X}");
    }
}

/// Page tables that map all but the page at 20000h one to one, and a data segment (58h) from 1F000h on; paging is on.
fn without_a_page(limit: u32, code: &[u8]) -> (Board, CpuState) {
    let (b, mut s) = protected(0, code);
    b.set_dword(0x1_0000, 0x1_1003);
    for page in 0..0x40usize {
        let present = u32::from(page != 0x20) * 3;
        b.set_dword(0x1_1000 + 4 * page, (page as u32) << 12 | present);
    }
    b.descriptor(0x58, 0x1_F000, limit, 0x4093);
    s.cr3 = 0x1_0000;
    s.cr0 |= Cr0::PG | Cr0::NE;
    (b, s)
}

#[test]
fn parts_of_an_x87_operand_are_checked_one_behind_the_other() {
    // mov ax,58h / mov ds,ax / fninit / fld1 / the instruction at an offset / int 80h, as a processor (Skylake) does it.
    let insns: [(&[u8], u32); 8] = [
        (&[0xDB, 0x2D], 0),       // fld m80
        (&[0xDB, 0x3D], 2),       // fstp m80
        (&[0xD9, 0x25], 0),       // fldenv, 28 bytes
        (&[0xD9, 0x35], 2),       // fnstenv
        (&[0xDD, 0x25], 0),       // frstor, 108 bytes
        (&[0xDD, 0x35], 2),       // fnsave
        (&[0x66, 0xD9, 0x35], 2), // fnstenv, 14 bytes
        (&[0x66, 0xDD, 0x25], 0), // frstor, 94 bytes
    ];
    for (insn, write) in insns {
        let bytes: u32 = match *insn {
            [0xDB, ..] => 10,
            [0xD9, ..] => 28,
            [0xDD, ..] => 108,
            [0x66, 0xD9, ..] => 14,
            _ => 94,
        };
        let extended = bytes == 10;
        let first = match insn[0] {
            0xDB => 8,
            0x66 => 2,
            _ => 4,
        };
        // The page behind 1FFFFh is not there: (offset, limit, vector, CR2 if it is a page fault).
        let behind = 0x1000 - first;
        let last = if extended {
            0x2_0000
        } else {
            0x1_F000 + behind + bytes - 1
        };
        let cases = [
            (0x800, 0x800 + bytes - 1, 0x80, 0),
            (0x800, 0x800 + bytes - 2, 13, 0),
            // The first part is there, the rest is not; the last byte of an image is looked at first.
            (behind, 0xF_FFFF, 14, last),
            // The first part crosses the boundary.
            (behind + 1, 0xF_FFFF, 14, 0x2_0000),
            // The page of the first part comes before the limit of the second.
            (0x1000, 0x1000 + bytes - 2, 14, 0x2_0000),
            (0x1000, 0x1000 + first - 2, 13, 0),
            (behind, behind + bytes - 2, 13, 0),
        ];
        for (offset, limit, expected, cr2) in cases {
            let mut code = vec![0x66, 0xB8, 0x58, 0, 0x8E, 0xD8, 0xDB, 0xE3, 0xD9, 0xE8];
            code.extend(insn);
            code.extend(u32::to_le_bytes(offset));
            code.extend([0xCD, 0x80]);
            let (mut b, s) = without_a_page(limit, &code);
            let (v, s) = vector(&mut b, &s);
            let at = format!("{insn:02X?} {offset:X} {limit:X}");
            assert_eq!(v, expected, "{at}");
            if v == 14 {
                assert_eq!((s.cr2, b.dword(sp(&s))), (cr2.into(), write), "{at}");
            }
        }
    }
}

#[test]
fn parts_of_an_x87_operand_wrap_by_the_size_of_the_address() {
    // mov ax,58h / mov ds,ax / fninit / fld1 / mov bx,FFF8h / the instruction at [bx] / int 80h: as a processor does it.
    for insn in [[0xDB, 0x3F], [0xDB, 0x2F], [0xD9, 0x37], [0xDD, 0x27]] {
        let mut code = vec![0x66, 0xB8, 0x58, 0, 0x8E, 0xD8, 0xDB, 0xE3, 0xD9, 0xE8];
        code.extend([0x66, 0xBB, 0xF8, 0xFF, 0x67]);
        code.extend(insn);
        code.extend([0xCD, 0x80]);
        let (mut b, s) = protected(0, &code);
        b.descriptor(0x58, 0x2_0000, 0xFFFF, 0x4093);
        let (v, _) = vector(&mut b, &s);
        assert_eq!(v, 0x80, "{insn:02X?}");
        if insn == [0xDB, 0x3F] {
            // 1.0: the exponent 3FFFh stands at the segment's start.
            assert_eq!(b.word(0x2_0000), 0x3FFF);
        }
    }
}
