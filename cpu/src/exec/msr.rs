//! RDMSR and WRMSR: the registers that the model's CPUID bits promise (SDM vol. 4, chapter 2). All others fault.
//!
//! **Not implemented**: IA32_APIC_BASE (there is no local APIC), MTRRs, machine check, debug control, performance
//! counters, microcode update.

use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::op::{Instruction, OpRef, Stop};
use emu_core::x86::Gpr;

/// IA32_TIME_STAMP_COUNTER.
const TIME_STAMP_COUNTER: u32 = 0x10;
/// IA32_SYSENTER_CS.
const SYSENTER_CS: u32 = 0x174;
/// IA32_SYSENTER_ESP.
const SYSENTER_ESP: u32 = 0x175;
/// IA32_SYSENTER_EIP.
const SYSENTER_EIP: u32 = 0x176;

/// RDMSR.
pub struct Rdmsr;
/// WRMSR.
pub struct Wrmsr;

impl Interpreter {
    /// The time-stamp counter: it counts retired instructions.
    pub(crate) fn time_stamp(&mut self) -> u64 {
        self.synchronize();
        self.retired.wrapping_add(self.msr.tsc_offset)
    }

    fn read_msr(&mut self, msr: u32) -> Result<u64, Stop> {
        Ok(match msr {
            TIME_STAMP_COUNTER => self.time_stamp(),
            SYSENTER_CS => self.msr.sysenter_cs,
            SYSENTER_ESP => self.msr.sysenter_esp,
            SYSENTER_EIP => self.msr.sysenter_eip,
            _ => return Err(self.fault(Fault::GP0)),
        })
    }

    fn write_msr(&mut self, msr: u32, value: u64) -> Result<(), Stop> {
        let low = value & u64::from(u32::MAX);
        match msr {
            TIME_STAMP_COUNTER => {
                self.synchronize();
                // The P6 writes the low half and clears the high one (SDM vol. 3, section 18.17).
                self.msr.tsc_offset = low.wrapping_sub(self.retired);
            }
            SYSENTER_CS => self.msr.sysenter_cs = low,
            SYSENTER_ESP => self.msr.sysenter_esp = low,
            SYSENTER_EIP => self.msr.sysenter_eip = low,
            _ => return Err(self.fault(Fault::GP0)),
        }
        Ok(())
    }
}

impl Instruction for Rdmsr {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        cpu.require_cpl_0()?;
        let msr = cpu.regs.named::<u32>(Gpr::Rcx);
        let v = cpu.read_msr(msr)?;
        cpu.regs.set_named(Gpr::Rax, v as u32);
        cpu.regs.set_named(Gpr::Rdx, (v >> 32) as u32);
        Ok(())
    }
}

impl Instruction for Wrmsr {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        cpu.require_cpl_0()?;
        let msr = cpu.regs.named::<u32>(Gpr::Rcx);
        let low = u64::from(cpu.regs.named::<u32>(Gpr::Rax));
        let high = u64::from(cpu.regs.named::<u32>(Gpr::Rdx));
        cpu.write_msr(msr, high << 32 | low)
    }
}
