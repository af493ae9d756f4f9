//! System management mode on the whole board: APMC, SMI#, SMRAM.

use super::*;
use emu_core::Gpa;
use emu_core::backend::{CpuId, SystemBus};
use emu_core::bus::Width;

const CPU: CpuId = CpuId(0);

/// Writes a register of a PCI function on bus 0.
fn config_write(pc: &mut Pc, device: u32, register: u32, width: Width, value: u32) {
    let b = &mut pc.machine.board;
    let address = 0x8000_0000 | device << 11 | register & !3;
    b.port_write(CPU, 0xCF8, Width::Dword, address);
    b.port_write(CPU, 0xCFC + (register & 3) as u16, width, value);
}

#[test]
fn a_write_to_apmc_runs_a_handler_in_smram_that_nothing_else_sees() {
    // The handler writes to SMBASE's place in the map of 32 bits.
    let mut pc = Pc::with(MachineSpec {
        cpu: "p6".into(),
        ..MachineSpec::default()
    });
    // 82441FX SMRAM: enabled, not open. 82371SB SMIEN: APMC; SMICNTL: the gate.
    config_write(&mut pc, 0, 0x72, Width::Byte, 0x0A);
    config_write(&mut pc, 1, 0xA2, Width::Word, 0x80);
    config_write(&mut pc, 1, 0xA0, Width::Byte, 0x09);
    // The first handler moves SMBASE to A0000h: mov dword cs:[0FEF8h],0A0000h / rsm
    let relocate = [
        0x2E, 0x66, 0xC7, 0x06, 0xF8, 0xFE, 0, 0, 0x0A, 0, 0x0F, 0xAA,
    ];
    pc.poke(0x3_8000, &relocate);
    pc.outb(0xB2, 0);
    assert_eq!(pc.machine.cpu.state().smm.base, 0xA_0000);
    // The second one lies below the screen's memory: mov al,cs:[9000h] / mov [5000h],al / rsm
    let handler = [0x2E, 0xA0, 0x00, 0x90, 0xA2, 0x00, 0x50, 0x0F, 0xAA];
    pc.poke(0xA_8000, &handler);
    pc.poke(0xA_9000, &[0x5A]);
    pc.poke(0x5000, &[0]);
    pc.outb(0xB2, 0);
    assert_eq!(pc.peek_u8(0x5000), 0x5A);
    let state = pc.machine.cpu.state();
    assert!(!state.smm.active && !state.nmi_blocked);
    // mov ax,0A900h / mov ds,ax / mov al,[0]: outside, DRAM does not answer.
    let outside = pc.code(&[0xB8, 0x00, 0xA9, 0x8E, 0xD8, 0xA0, 0, 0], Regs::default());
    assert_ne!(outside.al(), 0x5A);
    let seen = |pc: &Pc, smm| pc.machine.board.page(Gpa(0xA_9000), smm).read.is_some();
    assert!(seen(&pc, true) && !seen(&pc, false));
    // With the gate closed nothing happens.
    pc.poke(0x5000, &[0]);
    config_write(&mut pc, 1, 0xA0, Width::Byte, 0x08);
    pc.outb(0xB2, 0);
    assert_eq!(pc.peek_u8(0x5000), 0);
}
