//! CPUID: the model's leaves, and what of them the local APIC decides.

use super::msr::{MISC_LIMIT_CPUID, MISC_XD_DISABLE};
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::models::identity::LEAF_TOPOLOGY;
use crate::op::{Instruction, OpRef, Stop};
use crate::simd::xsave;
use emu_core::backend::LapicRegister;
use emu_core::x86::{Cr4, Gpr};

/// CPUID.1:EDX: a local APIC.
const FEATURE_APIC: u32 = 1 << 9;
/// IA32_APIC_BASE: the local APIC is enabled.
const APIC_BASE_ENABLE: u64 = 1 << 11;

/// CPUID.1:ECX: XSAVE is switched on.
const FEATURE_OSXSAVE: u32 = 1 << 27;
/// CPUID.1:ECX: MONITOR and MWAIT.
const FEATURE_MONITOR: u32 = 1 << 3;
/// The leaf of XSAVE.
const LEAF_XSAVE: u32 = 0xD;
/// CPUID.7:ECX: protection keys are switched on.
const FEATURE_OSPKE: u32 = 1 << 4;
/// CPUID.8000_0001h:EDX: execute-disable.
const FEATURE_XD: u32 = 1 << 20;

/// CPUID.
pub struct Cpuid;

/// EAX, ECX and EDX of a leaf with what control registers and IA32_MISC_ENABLE switch.
fn switched(cpu: &Interpreter, leaf: u32, [mut a, mut c, mut d]: [u32; 3]) -> [u32; 3] {
    let misc = cpu.msr.misc_enable;
    match leaf {
        0 if misc & MISC_LIMIT_CPUID != 0 => a = a.min(2),
        1 => {
            if cpu.cr4.contains(Cr4::OSXSAVE) {
                c |= FEATURE_OSXSAVE;
            }
            if !cpu.monitor_enabled() {
                c &= !FEATURE_MONITOR;
            }
        }
        7 if cpu.cr4.contains(Cr4::PKE) => c |= FEATURE_OSPKE,
        0x8000_0001 if misc & MISC_XD_DISABLE != 0 => d &= !FEATURE_XD,
        _ => {}
    }
    [a, c, d]
}

impl Instruction for Cpuid {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let faults = cpu.cpuid_faults();
        cpu.ensure(!faults, Fault::GP0)?;
        let leaf = cpu.regs.named::<u32>(Gpr::Rax);
        let subleaf = cpu.regs.named::<u32>(Gpr::Rcx);
        let [a, mut b, c, mut d] = cpu.model.cpuid(leaf, subleaf);
        let leaf = cpu.model.answering_leaf(leaf);
        if leaf == LEAF_TOPOLOGY && c != 0 {
            d = cpu.id.0.into();
        }
        if leaf == LEAF_XSAVE && subleaf < 2 && b != 0 {
            // The size of the area that XCR0 asks for, in standard and in compacted form.
            b = xsave::area_bytes(cpu.simd.xcr0(), subleaf == 1);
        }
        if leaf == 1 && d & FEATURE_APIC != 0 {
            let id = cpu.id;
            // Without a local APIC, and while IA32_APIC_BASE disables it, the bit is clear (SDM vol. 3, section 10.4.3).
            let base = cpu.bus().lapic_read(id, LapicRegister::Base);
            if base.is_none_or(|base| base & APIC_BASE_ENABLE == 0) {
                d &= !FEATURE_APIC;
            }
            b = b & 0x00FF_FFFF | u32::from(id.0) << 24;
        }
        if leaf == 1 && cpu.model.microcode != 0 {
            // The update's revision is told in IA32_BIOS_SIGN_ID (SDM vol. 3, section 10.11.7.1).
            cpu.msr.microcode_signature = u64::from(cpu.model.microcode) << 32;
        }
        let [a, c, d] = switched(cpu, leaf, [a, c, d]);
        cpu.regs.set_named(Gpr::Rax, a);
        cpu.regs.set_named(Gpr::Rbx, b);
        cpu.regs.set_named(Gpr::Rcx, c);
        cpu.regs.set_named(Gpr::Rdx, d);
        Ok(())
    }
}
