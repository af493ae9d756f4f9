//! CPUID: the model's leaves.

use crate::interpreter::Interpreter;
use crate::op::{Instruction, OpRef, Stop};
use emu_core::x86::Gpr;

/// CPUID.
pub struct Cpuid;

impl Instruction for Cpuid {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let leaf = cpu.regs.named::<u32>(Gpr::Rax);
        let subleaf = cpu.regs.named::<u32>(Gpr::Rcx);
        let [a, b, c, d] = cpu.model.cpuid(leaf, subleaf);
        cpu.regs.set_named(Gpr::Rax, a);
        cpu.regs.set_named(Gpr::Rbx, b);
        cpu.regs.set_named(Gpr::Rcx, c);
        cpu.regs.set_named(Gpr::Rdx, d);
        Ok(())
    }
}
