//! 3DNow! as programs meet it: operands, the x87 registers that it uses, who may execute it. What each instruction
//! computes is tested beside it.

use super::{Bench, DATA, DONE, refused};
use emu_core::x86::{Cr0, Cr4};

fn pair(low: f32, high: f32) -> u64 {
    u64::from(low.to_bits()) | u64::from(high.to_bits()) << 32
}

/// pfadd mm1, mm2
const PFADD: &[u8] = &[0x0F, 0x0F, 0xCA, 0x9E];

#[test]
fn operands_are_in_registers_and_in_memory() {
    let mut b = Bench::new(PFADD);
    b.state.x87.significand[1] = pair(1.0, -3.0);
    b.state.x87.significand[2] = pair(0.5, 4.0);
    let (v, s) = b.run();
    assert_eq!((v, s.x87.significand[1]), (DONE, pair(1.5, 1.0)));
    assert_eq!(s.x87.significand[2], pair(0.5, 4.0));
    // pfsubr mm1, [8000h]: the opcode stands behind the displacement.
    let code = [0x0F, 0x0F, 0x0D, 0x00, 0x80, 0x00, 0x00, 0xAA];
    let mut b = Bench::with_memory(&code, &pair(10.0, 1.0).to_le_bytes());
    assert_eq!(DATA, 0x8000);
    b.state.x87.significand[1] = pair(4.0, 3.0);
    let (v, s) = b.run();
    assert_eq!((v, s.x87.significand[1]), (DONE, pair(6.0, -2.0)));
}

#[test]
fn all_x87_registers_are_in_use_afterwards_until_femms() {
    let mut b = Bench::new(PFADD);
    b.state.x87.status = 3 << 11;
    b.state.x87.not_empty = 0;
    let (v, s) = b.run();
    assert_eq!((v, s.x87.not_empty, s.x87.status), (DONE, 0xFF, 0));
    // femms
    let mut b = Bench::new(&[0x0F, 0x0E]);
    b.state.x87.not_empty = 0xFF;
    let (v, s) = b.run();
    assert_eq!((v, s.x87.not_empty), (DONE, 0));
}

#[test]
fn control_registers_and_pending_exceptions_count_as_for_mmx() {
    let none = Cr4::empty();
    assert_eq!(refused(PFADD, Cr0::EM, none), 6);
    assert_eq!(refused(PFADD, Cr0::TS, none), 7);
    assert_eq!(refused(PFADD, Cr0::empty(), Cr4::OSFXSR), DONE);
    let mut b = Bench::new(PFADD);
    (b.state.x87.control, b.state.x87.status) = (0x37E, 0x8081);
    assert_eq!(b.vector(), 16);
    // An opcode that means nothing, with all of its bytes there.
    assert_eq!(refused(&[0x0F, 0x0F, 0xCA, 0x00], Cr0::empty(), none), 6);
}
