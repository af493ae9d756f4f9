//! System management mode: offsets and values as SDM vol. 3, chapter 32 has them.

use super::*;
use emu_core::x86::SmmState;

/// SMBASE after RESET, the handler there, and the end of the state save map.
const BASE: usize = 0x3_0000;
const HANDLER: usize = BASE + 0x8000;
const MAP: u64 = BASE as u64 + 0x8000;
/// RSM.
const RSM: [u8; 2] = [0x0F, 0xAA];

/// A CPU that finds an SMI waiting.
fn with_smi(mut s: CpuState) -> CpuState {
    s.smm.smi_pending = true;
    s
}

#[test]
fn an_smi_saves_the_state_and_starts_the_handler_in_its_own_kind_of_real_mode() {
    let (mut b, mut s) = protected(3, &[0x90]);
    b.write(HANDLER, &[0xF4]);
    s.gpr[Gpr::Rax as usize] = 0x1122_3344;
    s.gpr[Gpr::Rdi as usize] = 0x5566_7788;
    s.cr0 |= Cr0::TS | Cr0::NE;
    s.cr3 = 0x0012_3000;
    s.rflags |= Rflags::IF | Rflags::CF;
    let (exit, after) = run(&mut b, &with_smi(s));
    assert_eq!((exit, after.rip), (Exit::Halted, 0x8001));
    let cs = after.segment(Seg::Cs);
    assert_eq!(
        (cs.selector.0, cs.base, cs.limit),
        (0x3000, BASE as u64, u32::MAX)
    );
    let ds = after.segment(Seg::Ds);
    assert_eq!((ds.selector.0, ds.base, ds.limit), (0, 0, u32::MAX));
    assert_eq!(after.cr0, Cr0::NE | Cr0::ET);
    assert_eq!((after.rflags, after.dr7), (Rflags::ONE, 0x400));
    assert!(after.smm.active && after.nmi_blocked);
    let saved = |offset: u64| b.dword(MAP + offset);
    assert_eq!(saved(0x7FFC), (s.cr0).bits() as u32, "CR0");
    assert_eq!(saved(0x7FF8), 0x0012_3000, "CR3");
    assert_eq!(saved(0x7FF4), 0x203, "EFLAGS");
    assert_eq!(saved(0x7FF0), CODE as u32, "EIP");
    assert_eq!((saved(0x7FD0), saved(0x7FEC)), (0x1122_3344, 0x5566_7788));
    assert_eq!(saved(0x7FE0), STACK_3 as u32, "ESP");
    assert_eq!((saved(0x7FC4), saved(0x7FAC)), (0x28, 0x1B), "TR, CS");
    assert_eq!((saved(0x7FB0), saved(0x7FB4)), (0x23, 0x23), "SS, DS");
    assert_eq!(saved(0x7F00), 0, "no restarts");
    assert_eq!((saved(0x7EFC), saved(0x7EF8)), (0x0003_0000, BASE as u32));
}

#[test]
fn rsm_returns_as_if_nothing_had_been() {
    for cpl in [0, 3] {
        let (mut b, s) = protected(cpl, &[0x40, 0xCD, 0x80]);
        b.write(HANDLER, &RSM);
        let plain = run(&mut b, &s);
        let (exit, mut after) = run(&mut b, &with_smi(s));
        after.retired -= 1;
        assert_eq!((exit, after), plain);
    }
}

#[test]
fn a_handler_changes_registers_and_relocates_smbase_in_the_map() {
    let (mut b, s) = protected(0, &[0xF4]);
    // mov dword cs:[0FFD0h],0C0FFEEh / mov dword cs:[0FEF8h],50000h / rsm
    let mut code = vec![0x2E, 0x66, 0xC7, 0x06, 0xD0, 0xFF, 0xEE, 0xFF, 0xC0, 0x00];
    code.extend([0x2E, 0x66, 0xC7, 0x06, 0xF8, 0xFE, 0, 0, 5, 0]);
    code.extend(RSM);
    b.write(HANDLER, &code);
    let (exit, after) = run(&mut b, &with_smi(s));
    assert_eq!((exit, after.rip), (Exit::Halted, CODE as u64 + 1));
    assert_eq!(after.gpr[Gpr::Rax as usize], 0x00C0_FFEE);
    assert_eq!(after.smm.base, 0x5_0000);
    // The next one goes there. INIT leaves it; RESET does not.
    b.write(0x5_8000, &[0x43, 0xF4]);
    let (_, after) = run(&mut b, &with_smi(after));
    assert_eq!(
        (after.segment(Seg::Cs).selector.0, after.rip),
        (0x5000, 0x8002)
    );
    let mut cpu = Interpreter::new(CpuId(0), CpuModel::P6);
    cpu.set_state(&after);
    cpu.reset(true);
    let fresh = |base| SmmState {
        base,
        ..SmmState::default()
    };
    assert_eq!(cpu.state().smm, fresh(0x5_0000));
    cpu.reset(false);
    assert_eq!(cpu.state().smm, fresh(BASE as u32));
}

#[test]
fn a_halt_goes_on_after_rsm_unless_the_handler_says_otherwise() {
    // hlt / inc eax / hlt
    let (mut b, s) = protected(0, &[0xF4, 0x40, 0xF4]);
    b.write(HANDLER, &RSM);
    let (_, halted) = run(&mut b, &s);
    let (exit, after) = run(&mut b, &with_smi(halted));
    assert_eq!(
        (exit, after.rip, b.halts),
        (Exit::Halted, CODE as u64 + 1, 2)
    );
    // mov byte cs:[0FF02h],0 / rsm
    b.write(HANDLER, &[0x2E, 0xC6, 0x06, 0x02, 0xFF, 0x00, 0x0F, 0xAA]);
    let (_, after) = run(&mut b, &with_smi(halted));
    assert_eq!(after.rip, CODE as u64 + 3);
}

#[test]
fn rsm_outside_of_system_management_mode_is_undefined() {
    let (mut b, s) = protected(0, &RSM);
    assert_eq!(vector(&mut b, &s).0, 6);
}

#[test]
fn an_nmi_a_second_smi_and_init_wait_for_rsm() {
    let (mut b, s) = protected(0, &[0x90, 0x90, 0xF4]);
    // nop x 4 / rsm
    b.write(HANDLER, &[0x90, 0x90, 0x90, 0x90, 0x0F, 0xAA]);
    b.nmi_at = vec![2];
    let (v, after) = vector(&mut b, &with_smi(s));
    assert_eq!((v, b.dword(sp(&after))), (2, CODE as u32));
    b.write(HANDLER, &[0xF4]);
    let (_, inside) = run(&mut b, &with_smi(s));
    let (exit, still) = run(&mut b, &with_smi(inside));
    assert_eq!((exit, still.rip), (Exit::Halted, inside.rip));
    let mut leaving = with_smi(inside);
    leaving.activity = Activity::Running;
    leaving.smm.init_pending = true;
    b.write(HANDLER + 1, &RSM);
    let (_, after) = run(&mut b, &leaving);
    // INIT comes first, and starts from the reset vector (nothing is there: FFh, undefined, and so on).
    assert!(!after.smm.active && !after.smm.init_pending);
    assert!(!after.cr0.contains(Cr0::PE));
}

#[test]
fn a_state_that_cannot_be_shuts_down_at_rsm() {
    let (mut b, s) = protected(0, &[0xF4]);
    // mov dword cs:[0FFFCh],80000000h (PG without PE) / rsm
    let mut code = vec![0x2E, 0x66, 0xC7, 0x06, 0xFC, 0xFF, 0, 0, 0, 0x80];
    code.extend(RSM);
    b.write(HANDLER, &code);
    let (exit, after) = run(&mut b, &with_smi(s));
    assert_eq!((exit, after.activity), (Exit::Shutdown, Activity::Shutdown));
}

#[test]
fn a_single_step_trap_that_waits_is_taken_after_the_handler() {
    let (mut b, mut s) = protected(0, &[0x90, 0x90]);
    b.write(HANDLER, &RSM);
    s.pending_debug = Dr6::BS.bits();
    let (v, after) = vector(&mut b, &with_smi(s));
    assert_eq!((v, b.dword(sp(&after))), (1, CODE as u32));
}

#[test]
fn a_model_with_long_mode_saves_and_restores_all_of_it() {
    let model = CpuModel::by_name("max").expect("a model");
    let (mut b, mut s) = protected(0, &[0xF4]);
    b.write(HANDLER, &RSM);
    for (n, r) in s.gpr.iter_mut().enumerate() {
        *r = 0x0101_0101_0101_0101 * (n as u64 + 1);
    }
    s.efer = emu_core::x86::Efer::LME | emu_core::x86::Efer::SCE;
    s.gdtr.base = 0xFFFF_8000_0000_0000;
    let mut run = |s: &CpuState| {
        let mut cpu = Interpreter::new(CpuId(0), model);
        cpu.set_state(s);
        let exit = cpu.run(&mut b, None);
        (exit, cpu.state())
    };
    let plain = run(&s);
    let (exit, mut after) = run(&with_smi(s));
    after.retired -= 1;
    assert_eq!((exit, after), plain);
    // AMD64 APM vol. 2, table 10-2.
    let saved = |at: u64| u64::from(b.dword(at)) | u64::from(b.dword(at + 4)) << 32;
    let base = BASE as u64;
    assert_eq!(saved(base + 0xFFF8), 0x0101_0101_0101_0101, "RAX");
    assert_eq!(saved(base + 0xFF80), 0x1010_1010_1010_1010, "R15");
    assert_eq!(saved(base + 0xFF78), CODE as u64, "RIP");
    assert_eq!(saved(base + 0xFE68), 0xFFFF_8000_0000_0000, "GDTR's base");
    assert_eq!(b.dword(base + 0xFEFC), 0x0003_0064, "revision");
    assert_eq!(b.dword(base + 0xFF00), BASE as u32, "SMBASE");
    assert_eq!(b.dword(base + 0xFE90) & 0xFFFF, 0x28, "TR");
}

/// The port whose first access raises SMI.
const SMI_PORT: u16 = 0xB2;

/// `mov byte cs:[at],0FFh / rsm`, as a handler that wants the I/O instruction executed again.
fn restarting(at: u16) -> Vec<u8> {
    let [low, high] = at.to_le_bytes();
    vec![0x2E, 0xC6, 0x06, low, high, 0xFF, 0x0F, 0xAA]
}

fn run_model(model: &str, b: &mut Board, s: &CpuState) -> (Exit, CpuState) {
    let model = CpuModel::named(model).expect("a model");
    let mut cpu = Interpreter::new(CpuId(0), model);
    cpu.set_state(s);
    let exit = cpu.run(b, None);
    (exit, cpu.state())
}

/// The I/O instruction restart field, by model.
const RESTART_FIELDS: [(&str, u16); 5] = [
    ("pentium", 0xFF00),
    ("p6", 0xFF00),
    ("athlon", 0xFF00),
    ("epyc", 0xFEC8),
    ("skylake,+intel_smram", 0xFF00),
];

#[test]
fn out_and_in_are_executed_again_if_the_handler_asks_for_it() {
    for (model, field) in RESTART_FIELDS {
        // out 0B2h,al / hlt
        let (mut b, mut s) = protected(0, &[0xE6, 0xB2, 0xF4]);
        b.smi_port = Some(SMI_PORT);
        s.gpr[Gpr::Rax as usize] = 0x5A;
        b.write(HANDLER, &restarting(field));
        let (exit, after) = run_model(model, &mut b, &s);
        assert_eq!((exit, after.rip), (Exit::Halted, CODE as u64 + 3));
        assert_eq!(b.ports, [(SMI_PORT, 0x5A); 2], "{model}");
        // in al,dx / hlt: the port gives its number.
        let (mut b, mut s) = protected(0, &[0xEC, 0xF4]);
        b.smi_port = Some(SMI_PORT);
        s.gpr[Gpr::Rdx as usize] = SMI_PORT.into();
        b.write(HANDLER, &restarting(field));
        let (_, after) = run_model(model, &mut b, &s);
        assert_eq!(b.reads, 2, "{model}");
        assert_eq!(after.gpr[Gpr::Rax as usize], 0xB2);
        // Without asking: once.
        let (mut b, s) = protected(0, &[0xE6, 0xB2, 0xF4]);
        b.smi_port = Some(SMI_PORT);
        b.write(HANDLER, &RSM);
        run_model(model, &mut b, &s);
        assert_eq!(b.ports.len(), 1, "{model}");
    }
}

#[test]
fn an_iteration_of_rep_outsb_is_executed_again_from_where_it_began() {
    for (model, field) in RESTART_FIELDS {
        // rep outsb / hlt: three bytes; the SMI comes behind the first.
        let (mut b, mut s) = protected(0, &[0xF3, 0x6E, 0xF4]);
        b.write(0x6000, &[1, 2, 3]);
        b.smi_port = Some(SMI_PORT);
        s.gpr[Gpr::Rcx as usize] = 3;
        s.gpr[Gpr::Rdx as usize] = SMI_PORT.into();
        s.gpr[Gpr::Rsi as usize] = 0x6000;
        b.write(HANDLER, &restarting(field));
        let (exit, after) = run_model(model, &mut b, &s);
        assert_eq!((exit, after.rip), (Exit::Halted, CODE as u64 + 3));
        let bytes: Vec<u32> = b.ports.iter().map(|p| p.1).collect();
        assert_eq!(bytes, [1, 1, 2, 3], "{model}");
        assert_eq!(after.gpr[Gpr::Rcx as usize], 0);
        assert_eq!(after.gpr[Gpr::Rsi as usize], 0x6003);
    }
}

#[test]
fn an_smi_behind_anything_else_ignores_the_restart_field() {
    for (model, field) in RESTART_FIELDS {
        // out 80h,al / inc eax / hlt, with the SMI behind the INC.
        let (mut b, s) = protected(0, &[0xE6, 0x80, 0x40, 0xF4]);
        b.write(HANDLER, &restarting(field));
        b.smi_at = 2;
        let (exit, after) = run_model(model, &mut b, &s);
        assert_eq!((exit, after.rip), (Exit::Halted, CODE as u64 + 4));
        assert_eq!(after.gpr[Gpr::Rax as usize], 1, "{model}");
        assert_eq!(b.ports.len(), 1, "{model}");
        assert_eq!(b.smi_at, u64::MAX, "it was taken");
    }
}

#[test]
fn the_map_says_which_io_instruction_it_was() {
    // rep insw in 32-bit code, two of them: the SMI comes behind the first.
    let field = |model: &str, at: u64| {
        let (mut b, mut s) = protected(0, &[0xF3, 0x66, 0x6D, 0xF4]);
        b.smi_port = Some(SMI_PORT);
        s.gpr[Gpr::Rcx as usize] = 2;
        s.gpr[Gpr::Rdx as usize] = SMI_PORT.into();
        s.gpr[Gpr::Rdi as usize] = 0x6000;
        b.write(HANDLER, &[0xF4]);
        run_model(model, &mut b, &s);
        b.dword(BASE as u64 + at)
    };
    // SDM vol. 3, tables 32-5 and 32-6: port, REP INS (0111), a word (010), IO_SMI.
    let intel = "skylake,+intel_smram";
    assert_eq!(field(intel, 0xFFA4), 0x00B2_0075);
    assert_eq!(field(intel, 0xFF9C), 0x6000, "I/O memory address");
    assert_eq!(field(intel, 0xFDE8), CODE as u32, "RIP of the instruction");
    // AMD: SZ16, REP, STR, V, RW.
    assert_eq!(field("epyc", 0xFEC0), 0x00B2_002F);
    assert_eq!(field("epyc", 0xFEA0), CODE as u32);
    assert_eq!((field("epyc", 0xFEA8), field("epyc", 0xFEB8)), (2, 0x6000));
    // K6: without the size.
    assert_eq!(field("athlon", 0xFFA4), 0x00B2_000F);
    // The P6 has no such field.
    assert_eq!(field("p6", 0xFFA4), 0);
}

#[test]
fn the_debug_trap_of_an_io_instruction_waits_for_the_handler() {
    // out 0B2h,al under TF.
    let (mut b, mut s) = protected(0, &[0xE6, 0xB2, 0xF4]);
    b.smi_port = Some(SMI_PORT);
    s.rflags |= Rflags::TF;
    b.write(HANDLER, &restarting(0xFF00));
    let (v, after) = vector(&mut b, &s);
    assert_eq!((v, b.dword(sp(&after))), (1, CODE as u32 + 2));
    assert_eq!(b.ports.len(), 2);
}

#[test]
fn intels_map_of_64_bits_saves_and_restores_everything() {
    for (name, revision) in [
        ("core2,+intel_smram", 0x0003_0100),
        ("nehalem,+intel_smram", 0x0003_0100),
        ("sandybridge,+intel_smram", 0x0003_0101),
        ("haswell,+intel_smram", 0x0003_0101),
        ("skylake,+intel_smram", 0x0003_0101),
    ] {
        let (mut b, mut s) = protected(0, &[0xF4]);
        b.write(HANDLER, &RSM);
        for (n, r) in s.gpr.iter_mut().enumerate() {
            *r = 0x0101_0101_0101_0101 * (n as u64 + 1);
        }
        s.efer = emu_core::x86::Efer::LME | emu_core::x86::Efer::SCE;
        s.gdtr.base = 0xFFFF_8000_1234_5678;
        s.idtr.base = 0xFFFF_8000_0000_1000;
        s.ldtr.base = 0xFFFF_8000_8765_4321;
        s.segments[Seg::Fs as usize].base = 0xFFFF_8000_0000_0007;
        let plain = run_model(name, &mut b, &s);
        let (exit, mut after) = run_model(name, &mut b, &with_smi(s));
        after.retired -= 1;
        // MSR_SMI_COUNT, where there is one, has gone on.
        after.msr.configuration.smi_count = plain.1.msr.configuration.smi_count;
        assert_eq!((exit, after), plain, "{name}");
        // SDM vol. 3, table 32-3, from SMBASE + 8000h.
        let low = |at: u64| b.dword(MAP + at);
        let saved = |at: u64| u64::from(low(at)) | u64::from(low(at + 4)) << 32;
        assert_eq!(saved(0x7FF8), s.cr0.bits(), "CR0");
        assert_eq!(saved(0x7FE8), 2, "RFLAGS");
        assert_eq!(saved(0x7FE0), s.efer.bits(), "IA32_EFER");
        assert_eq!(saved(0x7FD8), CODE as u64, "RIP");
        assert_eq!(saved(0x7FC8), 0x400, "DR7");
        assert_eq!((low(0x7FC4), low(0x7FAC)), (0x28, 0x08), "TR, CS");
        assert_eq!(saved(0x7F94), s.gpr[Gpr::Rdi as usize], "RDI");
        assert_eq!(saved(0x7F7C), s.gpr[Gpr::Rsp as usize], "RSP");
        assert_eq!(saved(0x7F5C), s.gpr[Gpr::Rax as usize], "RAX");
        assert_eq!(saved(0x7F54), s.gpr[8], "R8");
        assert_eq!(saved(0x7F1C), s.gpr[15], "R15");
        assert_eq!((low(0x7DD0), low(0x7E8C)), (0xFFFF_8000, 0x1234_5678));
        assert_eq!((low(0x7DD8), low(0x7E94)), (0xFFFF_8000, 0x1000));
        assert_eq!((low(0x7DD4), low(0x7E9C)), (0xFFFF_8000, 0x8765_4321));
        assert_eq!((low(0x7EFC), low(0x7EF8)), (revision, BASE as u32));
    }
}
