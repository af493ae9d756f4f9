//! Instructions on flags alone, NOP, and the undefined instruction.

use crate::alu::Flags;
use crate::alu::flags::{AF, CF, PF, SF, ZF};
use crate::context::Context;
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::op::{FlagUse, Hot, Instruction, OpRef, Stop};
use crate::registers::HIGH_BYTE;
use emu_core::x86::{Exception, Rflags};

/// #UD.
pub struct Undefined;

impl Instruction for Undefined {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        Err(cpu.fault(Fault::UD))
    }
}

/// An instruction of more than 15 bytes: #GP(0) (SDM vol. 3, section 6.15, "Interrupt 13").
pub struct TooLong;

impl Instruction for TooLong {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        Err(cpu.fault(Fault::of(Exception::GeneralProtection)))
    }
}

/// No operation.
pub struct Nop;

impl Hot for Nop {
    const CALM: bool = true;
    const FLAGS: FlagUse = FlagUse::NONE;
    #[inline(always)]
    fn run<X: Context>(_: &mut X, _: OpRef) -> Result<(), X::Stop> {
        Ok(())
    }
}

/// CF := 0.
pub struct Clc;
/// CF := 1.
pub struct Stc;
/// CF := NOT CF.
pub struct Cmc;
/// DF := 0.
pub struct Cld;
/// DF := 1.
pub struct Std;
/// AH := SF:ZF:0:AF:0:PF:1:CF.
pub struct Lahf;
/// SF:ZF:0:AF:0:PF:1:CF := AH.
pub struct Sahf;
/// AL := CF ? FFh : 0 (undocumented until the Pentium Pro's opcode map named it).
pub struct Salc;

impl Instruction for Clc {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        cpu.flags = cpu.flags.with(CF, 0);
        Ok(())
    }
}
impl Instruction for Stc {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        cpu.flags = cpu.flags.with(CF, CF);
        Ok(())
    }
}
impl Instruction for Cmc {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        cpu.flags = cpu.flags.with(CF, if cpu.flags.cf() { 0 } else { CF });
        Ok(())
    }
}
impl Instruction for Cld {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        cpu.rflags.remove(Rflags::DF);
        Ok(())
    }
}
impl Instruction for Std {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        cpu.rflags.insert(Rflags::DF);
        Ok(())
    }
}
impl Instruction for Lahf {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let bits = cpu.flags.bits() & (SF | ZF | AF | PF | CF) | Rflags::ONE.bits();
        cpu.regs.set(HIGH_BYTE, bits as u8);
        Ok(())
    }
}
impl Instruction for Sahf {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let ah: u8 = cpu.regs.get(HIGH_BYTE);
        let old: Flags = cpu.flags;
        cpu.flags = old.with(SF | ZF | AF | PF | CF, ah.into());
        Ok(())
    }
}
impl Instruction for Salc {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        cpu.regs.set(0, if cpu.flags.cf() { 0xFFu8 } else { 0 });
        Ok(())
    }
}
