//! RDMSR and WRMSR: the registers (SDM vol. 4, sections 2.1, 2.22 and 2.23) that a model's features promise and some that
//! software expects without one. All others fault.
//!
//! Memory types steer caches, which are not modelled; a machine check never comes up, so the banks hold what software
//! wrote. A microcode update is refused as a damaged one is: the signature stays.
//!
//! IA32_APIC_BASE, IA32_TSC_DEADLINE and the registers of x2APIC mode are the local APIC's, which is the board's: they
//! are there if the model has them and the board answers.
//!
//! Performance counters are in [`super::counters`], registers that configure a processor in [`super::configuration`],
//! IA32_DEBUGCTL and last-branch records in [`crate::event::branches`].
//!
//! **Not implemented**: test and ROB registers (33h, 34h, 11Eh, 1E0h, 119h).
//! **Known inaccuracies**: the read-only bits of MSR_EBL_CR_POWERON are 0: a 66 MHz bus, the clock ratio's code 0.

use super::monitor::MISC_ENABLE_MONITOR;
use super::{configuration, counters};
use crate::event::branches;
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::models::{Msrs, Traits};
use crate::op::{Instruction, OpRef, Stop};
use emu_core::backend::LapicRegister;
use emu_core::x86::{Cr0, Efer, Gpr, Seg};
use iced_x86::CpuidFeature as F;

/// P5_MC_ADDR and P5_MC_TYPE: only read.
const P5_MC: std::ops::RangeInclusive<u32> = 0..=1;
/// IA32_PLATFORM_ID: only read; the bits that choose among microcode updates are 0.
const PLATFORM_ID: u32 = 0x17;
/// IA32_APIC_BASE.
const APIC_BASE: u32 = 0x1B;
/// IA32_TIME_STAMP_COUNTER.
const TIME_STAMP_COUNTER: u32 = 0x10;
/// IA32_TSC_ADJUST: what software has added to the time-stamp counter (SDM vol. 3, section 18.17.3).
const TSC_ADJUST: u32 = 0x3B;
/// MSR_EBL_CR_POWERON, and its bits that software may change: error checking and bus drivers, low-power mode.
const EBL_CR_POWERON: u32 = 0x2A;
const EBL_CR_WRITABLE: u64 = 0x0400_00DE;
/// IA32_BIOS_UPDT_TRIG: only written, with the address of a microcode update.
const BIOS_UPDT_TRIG: u32 = 0x79;
/// IA32_BIOS_SIGN_ID.
const BIOS_SIGN_ID: u32 = 0x8B;
/// IA32_ARCH_CAPABILITIES: only read.
const ARCH_CAPABILITIES: u32 = 0x10A;
/// What it says (SDM vol. 4, table 2-2): nothing is executed that does not retire, so no data can be inferred from it. That is
/// RDCL_NO, SKIP_L1DFL_VMENTRY, SSB_NO, MDS_NO, IF_PSCHANGE_MC_NO, TAA_NO, SBDR_SSDP_NO, FBSDP_NO, PSDP_NO, BHI_NO, PBRSB_NO,
/// GDS_NO, RFDS_NO and ITS_NO. Operating systems then leave out what they do about it.
const NOTHING_IS_SPECULATIVE: u64 = 1 << 0
    | 1 << 3
    | 1 << 4
    | 1 << 5
    | 1 << 6
    | 1 << 8
    | 1 << 13
    | 1 << 14
    | 1 << 15
    | 1 << 20
    | 1 << 24
    | 1 << 26
    | 1 << 27
    | 1 << 62;
/// IA32_MTRRCAP: only read. Eight variable ranges, fixed ranges, write combining.
const MTRRCAP: u32 = 0xFE;
const MTRRCAP_VALUE: u64 = 8 | 1 << 8 | 1 << 10;
/// IA32_SYSENTER_CS.
const SYSENTER_CS: u32 = 0x174;
/// IA32_SYSENTER_ESP.
const SYSENTER_ESP: u32 = 0x175;
/// IA32_SYSENTER_EIP.
const SYSENTER_EIP: u32 = 0x176;
/// IA32_MCG_CAP: only read. Five banks and IA32_MCG_CTL.
const MCG_CAP: u32 = 0x179;
const MCG_CAP_VALUE: u64 = 5 | 1 << 8;
/// IA32_MCG_STATUS: RIPV, EIPV, MCIP.
const MCG_STATUS: u32 = 0x17A;
const MCG_STATUS_BITS: u64 = 7;
/// IA32_MCG_CTL.
const MCG_CTL: u32 = 0x17B;
/// IA32_MTRR_PHYSBASE0 to PHYSMASK7.
const MTRR_VARIABLE: std::ops::RangeInclusive<u32> = 0x200..=0x20F;
/// IA32_MTRR_DEF_TYPE.
const MTRR_DEF_TYPE: u32 = 0x2FF;
/// IA32_MC0_CTL; each of the five banks has CTL, STATUS, ADDR and (not on the P6) MISC.
const MC0_CTL: u32 = 0x400;
const MC_LAST: u32 = MC0_CTL + 4 * 5 - 1;

/// PHYSMASK: V.
const RANGE_VALID: u64 = 1 << 11;
/// DEF_TYPE: FE and E.
const DEF_TYPE_ENABLES: u64 = 3 << 10;

/// IA32_MISC_ENABLE, and its bits that software may change here: fast strings, limited CPUID, no execute-disable; MONITOR
/// where it exists.
const MISC_ENABLE: u32 = 0x1A0;
const MISC_ENABLE_WRITABLE: u64 = 1 | MISC_LIMIT_CPUID | MISC_XD_DISABLE;
/// CPUID goes to leaf 2 only.
pub const MISC_LIMIT_CPUID: u64 = 1 << 22;
/// Pages cannot forbid execution.
pub const MISC_XD_DISABLE: u64 = 1 << 34;
/// IA32_PAT.
const PAT: u32 = 0x277;
/// IA32_XSS: the supervisor state components of XSAVES, of which there are none.
const XSS: u32 = 0xDA0;
/// IA32_EFER.
const EFER: u32 = 0xC000_0080;
/// IA32_STAR.
const STAR: u32 = 0xC000_0081;
/// IA32_LSTAR.
const LSTAR: u32 = 0xC000_0082;
/// IA32_CSTAR.
const CSTAR: u32 = 0xC000_0083;
/// IA32_FMASK.
const FMASK: u32 = 0xC000_0084;
/// IA32_FS_BASE.
const FS_BASE: u32 = 0xC000_0100;
/// IA32_GS_BASE.
const GS_BASE: u32 = 0xC000_0101;
/// IA32_KERNEL_GS_BASE.
const KERNEL_GS_BASE: u32 = 0xC000_0102;
/// IA32_TSC_AUX.
const TSC_AUX: u32 = 0xC000_0103;

/// RDMSR.
pub struct Rdmsr;
/// WRMSR.
pub struct Wrmsr;

/// The local APIC's register behind a number, and what the model must have for it.
fn lapic_register(msr: u32) -> Option<(LapicRegister, Traits)> {
    match msr {
        APIC_BASE => Some((LapicRegister::Base, Traits::APIC)),
        0x6E0 => Some((LapicRegister::TscDeadline, Traits::TSC_DEADLINE)),
        0x800..=0x8FF => Some((LapicRegister::X2apic((msr & 0xFF) as u8), Traits::X2APIC)),
        _ => None,
    }
}

/// Whether a byte is a memory type (SDM vol. 3, table 12-8): UC, WC, WT, WP, WB.
fn is_memory_type(v: u64) -> bool {
    matches!(v & 0xFF, 0 | 1 | 4 | 5 | 6)
}

/// The place of a fixed-range register among them.
fn fixed_range(msr: u32) -> Option<usize> {
    match msr {
        0x250 => Some(0),
        0x258 | 0x259 => Some((msr - 0x258) as usize + 1),
        0x268..=0x26F => Some((msr - 0x268) as usize + 3),
        _ => None,
    }
}

/// Whether a variable-range register can hold a value (SDM vol. 3, section 12.11.2.3).
fn variable_range_can_hold(msr: u32, v: u64, physical_bits: u32) -> bool {
    let address = ((1u64 << physical_bits) - 1) & !0xFFF;
    if msr & 1 == 0 {
        v & !(address | 0xFF) == 0 && is_memory_type(v)
    } else {
        v & !(address | RANGE_VALID) == 0
    }
}

/// Whether a byte is an entry of the page attribute table (SDM vol. 3, table 12-10).
fn is_page_attribute(v: u64) -> bool {
    matches!(v & 0xFF, 0 | 1 | 4 | 5 | 6 | 7)
}

impl Interpreter {
    /// The time-stamp counter: it counts retired instructions, and time while the CPU is halted.
    pub(crate) fn time_stamp(&mut self) -> u64 {
        self.synchronize();
        self.cycles().wrapping_add(self.msr.tsc_offset)
    }

    /// Software adds to the time-stamp counter: IA32_TSC_ADJUST, where there is one, tells how much in all.
    fn add_to_time_stamp(&mut self, added: u64) {
        self.msr.tsc_offset = self.msr.tsc_offset.wrapping_add(added);
        if self.model.traits.contains(Traits::TSC_ADJUST) {
            self.msr.tsc_adjust = self.msr.tsc_adjust.wrapping_add(added);
        }
    }

    /// The board's cycles; outside of a slice, when nobody counts, the instructions alone.
    pub(crate) fn cycles(&mut self) -> u64 {
        if self.is_attached() {
            self.bus().cycles()
        } else {
            self.retired
        }
    }

    /// The local APIC's register behind a number, if the model has it and a board is there.
    fn lapic_register(&self, msr: u32) -> Option<LapicRegister> {
        let (register, needed) = lapic_register(msr)?;
        let there = self.model.traits.contains(needed)
            && (msr != APIC_BASE || self.model.msrs.contains(Msrs::APIC_BASE));
        (self.is_attached() && there).then_some(register)
    }

    fn read_lapic(&mut self, register: LapicRegister) -> Option<u64> {
        self.device_access();
        let id = self.id;
        let value = self.bus().lapic_read(id, register)?;
        Some(match register {
            LapicRegister::TscDeadline if value != 0 => value.wrapping_add(self.msr.tsc_offset),
            _ => value,
        })
    }

    fn write_lapic(&mut self, register: LapicRegister, value: u64) -> bool {
        self.device_access();
        let id = self.id;
        let value = match register {
            // Every cycle of the past is as good as another; 0 would say "disarmed".
            LapicRegister::TscDeadline if value != 0 => {
                let left = value.saturating_sub(self.time_stamp());
                self.cycles().saturating_add(left).max(1)
            }
            _ => value,
        };
        self.bus().lapic_write(id, register, value)
    }

    /// The register that holds plain state under a number, if it is one of these.
    fn plain_msr(&mut self, msr: u32) -> Option<&mut u64> {
        let (long, model) = (self.model.has_long_mode(), self.model);
        let (sep, mtrr, mca) = (
            model.has(F::SEP),
            model.traits.contains(Traits::MTRR),
            model.traits.contains(Traits::MCA),
        );
        let m = &mut self.msr;
        Some(match msr {
            MISC_ENABLE if model.msrs.contains(Msrs::MISC_ENABLE) => &mut m.misc_enable,
            PAT if model.traits.contains(Traits::PAT) => &mut m.page_attribute_table,
            STAR if model.has(F::SYSCALL) => &mut m.star,
            LSTAR if model.has(F::SYSCALL) => &mut m.lstar,
            CSTAR if model.has(F::SYSCALL) => &mut m.cstar,
            FMASK if long => &mut m.fmask,
            KERNEL_GS_BASE if long => &mut m.kernel_gs_base,
            TSC_AUX if model.has(F::RDTSCP) || model.has(F::RDPID) => &mut m.tsc_aux,
            EBL_CR_POWERON if model.msrs.contains(Msrs::BUS_CONFIGURATION) => {
                &mut m.bus_configuration
            }
            BIOS_SIGN_ID if model.msrs.contains(Msrs::MICROCODE_SIGNATURE) => {
                &mut m.microcode_signature
            }
            SYSENTER_CS if sep => &mut m.sysenter_cs,
            SYSENTER_ESP if sep => &mut m.sysenter_esp,
            SYSENTER_EIP if sep => &mut m.sysenter_eip,
            MCG_STATUS if mca => &mut m.machine_check_status,
            MCG_CTL if mca => &mut m.machine_check_control,
            MTRR_DEF_TYPE if mtrr => &mut m.mtrr.default_type,
            MC0_CTL..=MC_LAST if mca => {
                let bank = m.machine_check.get_mut(((msr - MC0_CTL) / 4) as usize)?;
                match msr & 3 {
                    0 => &mut bank.control,
                    1 => &mut bank.status,
                    2 => &mut bank.address,
                    _ => return None,
                }
            }
            _ if mtrr && MTRR_VARIABLE.contains(&msr) => {
                m.mtrr.variable.get_mut((msr & 0xF) as usize)?
            }
            _ if mtrr => m.mtrr.fixed.get_mut(fixed_range(msr)?)?,
            _ => return None,
        })
    }

    pub(super) fn read_msr(&mut self, msr: u32) -> Result<u64, Stop> {
        if let Some(register) = self.lapic_register(msr) {
            let value = self.read_lapic(register);
            return value.ok_or_else(|| self.fault(Fault::GP0));
        }
        if let Some(register) = counters::register(self.model, msr) {
            return Ok(self.read_counter_register(register));
        }
        if let Some(register) = configuration::register(self.model, msr) {
            return Ok(self.read_configuration_register(register));
        }
        if let Some(register) = branches::register(self.model, msr) {
            return Ok(self.read_branch_register(register));
        }
        Ok(match msr {
            TIME_STAMP_COUNTER => self.time_stamp(),
            TSC_ADJUST if self.model.traits.contains(Traits::TSC_ADJUST) => self.msr.tsc_adjust,
            ARCH_CAPABILITIES if self.model.traits.contains(Traits::ARCH_CAPABILITIES) => {
                NOTHING_IS_SPECULATIVE
            }
            MTRRCAP if self.model.traits.contains(Traits::MTRR) => MTRRCAP_VALUE,
            MCG_CAP if self.model.traits.contains(Traits::MCA) => MCG_CAP_VALUE,
            PLATFORM_ID if self.model.msrs.contains(Msrs::MICROCODE_UPDATE) => 0,
            _ if P5_MC.contains(&msr) && self.model.msrs.contains(Msrs::P5_MACHINE_CHECK) => 0,
            EFER if self.model.efer != 0 => self.efer.bits(),
            XSS if self.model.has(F::XSAVES) => 0,
            FS_BASE if self.model.has_long_mode() => self.segment(Seg::Fs).base,
            GS_BASE if self.model.has_long_mode() => self.segment(Seg::Gs).base,
            _ => match self.plain_msr(msr) {
                Some(v) => {
                    let v = *v;
                    match fixed_range(msr) {
                        Some(_) => v & !self.hidden_dram_bits(),
                        None => v,
                    }
                }
                None => return Err(self.fault(Fault::GP0)),
            },
        })
    }

    /// What a register with reserved bits makes of a value; `None`: it faults.
    fn accepted(&self, msr: u32, value: u64) -> Option<u64> {
        let low = value & u64::from(u32::MAX);
        let (v, ok) = match msr {
            SYSENTER_ESP | SYSENTER_EIP if self.model.has_long_mode() => {
                (value, self.is_canonical(value))
            }
            SYSENTER_CS | SYSENTER_ESP | SYSENTER_EIP => (low, true),
            LSTAR | CSTAR | KERNEL_GS_BASE => (value, self.is_canonical(value)),
            FMASK | TSC_AUX => (value, value == low),
            PAT => (value, (0..8).all(|n| is_page_attribute(value >> (8 * n)))),
            MISC_ENABLE => {
                let mut writable = MISC_ENABLE_WRITABLE;
                if self.model.has(F::MONITOR) {
                    writable |= MISC_ENABLE_MONITOR;
                }
                let kept = self.msr.misc_enable & !writable;
                (kept | value & writable, true)
            }
            EBL_CR_POWERON => (value & EBL_CR_WRITABLE, true),
            MCG_STATUS => (value, value & !MCG_STATUS_BITS == 0),
            // STATUS can only be cleared (SDM vol. 3, section 16.3.2.2), unless HWCR says otherwise.
            MC0_CTL..=MC_LAST if msr & 3 == 1 => {
                (value, value == 0 || self.machine_check_is_writable())
            }
            MTRR_DEF_TYPE => {
                let known = value & !(DEF_TYPE_ENABLES | 0xFF) == 0;
                (value, known && is_memory_type(value))
            }
            _ if MTRR_VARIABLE.contains(&msr) => (
                value,
                variable_range_can_hold(msr, value, self.model.physical_bits),
            ),
            _ if let Some(n) = fixed_range(msr) => {
                let hidden = self.hidden_dram_bits();
                let types = value & !(configuration::DRAM_BITS & !hidden);
                let kept = self.msr.mtrr.fixed[n] & hidden;
                (
                    value | kept,
                    (0..8).all(|n| is_memory_type(types >> (8 * n))),
                )
            }
            _ => (value, true),
        };
        ok.then_some(v)
    }

    pub(super) fn write_msr(&mut self, msr: u32, value: u64) -> Result<(), Stop> {
        if let Some(register) = self.lapic_register(msr) {
            let done = self.write_lapic(register, value);
            return self.ensure(done, Fault::GP0);
        }
        if let Some(register) = counters::register(self.model, msr) {
            let done = self.write_counter_register(register, value);
            return self.ensure(done, Fault::GP0);
        }
        if let Some(register) = configuration::register(self.model, msr) {
            let done = self.write_configuration_register(register, value);
            return self.ensure(done, Fault::GP0);
        }
        if let Some(register) = branches::register(self.model, msr) {
            let done = self.write_branch_register(register, value);
            return self.ensure(done, Fault::GP0);
        }
        match msr {
            TIME_STAMP_COUNTER => {
                // The P6 writes the low half and clears the high one (SDM vol. 3, section 18.17).
                let value = if self.model.has_long_mode() {
                    value
                } else {
                    value & u64::from(u32::MAX)
                };
                let added = value.wrapping_sub(self.time_stamp());
                self.add_to_time_stamp(added);
                return Ok(());
            }
            TSC_ADJUST if self.model.traits.contains(Traits::TSC_ADJUST) => {
                self.add_to_time_stamp(value.wrapping_sub(self.msr.tsc_adjust));
                return Ok(());
            }
            BIOS_UPDT_TRIG if self.model.msrs.contains(Msrs::MICROCODE_UPDATE) => return Ok(()),
            EFER if self.model.efer != 0 => return self.write_efer(value),
            XSS if self.model.has(F::XSAVES) => return self.ensure(value == 0, Fault::GP0),
            FS_BASE | GS_BASE if self.model.has_long_mode() => {
                let canonical = self.is_canonical(value);
                self.ensure(canonical, Fault::GP0)?;
                let seg = if msr == FS_BASE { Seg::Fs } else { Seg::Gs };
                self.set_segment_base(seg, value);
                return Ok(());
            }
            _ => {}
        }
        let accepted = self.accepted(msr, value);
        match (self.plain_msr(msr), accepted) {
            (Some(register), Some(v)) => {
                *register = v;
                Ok(())
            }
            _ => Err(self.fault(Fault::GP0)),
        }
    }
}

impl Interpreter {
    /// IA32_EFER (SDM vol. 3, section 10.8.5): LME stays as it is while there is paging, LMA always.
    fn write_efer(&mut self, value: u64) -> Result<(), Stop> {
        self.ensure(value & !self.model.efer == 0, Fault::GP0)?;
        let new = (Efer::from_bits_retain(value) - Efer::LMA) | self.efer & Efer::LMA;
        let changed = self.efer ^ new;
        let stays = changed.contains(Efer::LME) && self.cr0.contains(Cr0::PG);
        self.ensure(!stays, Fault::GP0)?;
        self.efer = new;
        self.trigger_monitor();
        if changed.contains(Efer::NXE) {
            self.flush_tlb(false);
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
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.require_cpl_0()?;
        let msr = cpu.regs.named::<u32>(Gpr::Rcx);
        let low = u64::from(cpu.regs.named::<u32>(Gpr::Rax));
        let high = u64::from(cpu.regs.named::<u32>(Gpr::Rdx));
        cpu.write_msr(msr, high << 32 | low)?;
        // Translations may have been dropped, and the local APIC may have something to say.
        cpu.rip = cpu.next_rip(op);
        cpu.poll = true;
        Err(Stop::Branch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CpuModel;
    use emu_core::backend::CpuId;

    #[test]
    fn registers_that_cpuid_promises_hold_what_is_written_and_refuse_reserved_bits() {
        // Number, a value that it takes, a value that faults.
        let cases: [(u32, u64, Option<u64>); 18] = [
            (0x174, 0x10, None),
            (0x175, 0xFFFF_0000, None),
            (0x176, 0xC000_0000, None),
            (0x2A, 0x0400_00DE, None),
            (0x8B, 0, None),
            (0x17A, 7, Some(8)),
            (0x17B, u64::MAX, None),
            (0x200, 0xF_8000_0006, Some(0x10_0000_0000)),
            (0x20E, 0x1000, Some(2)),
            (0x201, 0xF_F800_0800, Some(0x400)),
            (0x250, 0x0606_0606_0606_0606, Some(0x0600_0606_0606_0607)),
            (0x259, 0x0001_0405_0600_0000, Some(2)),
            (0x26F, 0x0505_0505_0505_0505, Some(3 << 56)),
            (0x2FF, 0xC06, Some(0x1006)),
            (0x400, u64::MAX, None),
            (0x401, 0, Some(1)),
            (0x40E, 0x1234, None),
            (0x412, 5, None),
        ];
        let mut cpu = Interpreter::new(CpuId(0), CpuModel::P6);
        for (msr, good, bad) in cases {
            assert_eq!(cpu.write_msr(msr, good), Ok(()), "{msr:X}");
            if let Some(bad) = bad {
                assert_eq!(cpu.write_msr(msr, bad), Err(Stop::Fault), "{msr:X}");
                assert_eq!(cpu.fault, Fault::GP0);
            }
            assert_eq!(cpu.read_msr(msr), Ok(good), "{msr:X}");
        }
        assert_eq!(cpu.read_msr(0xFE), Ok(0x508));
        assert_eq!(cpu.read_msr(0x179), Ok(0x105));
        assert_eq!(cpu.write_msr(0x79, 0x1000), Ok(()));
        // Read-only, write-only, not there.
        for msr in [0xFE, 0x179, 0x403, 0x414, 0x210, 0x1B, 0xC3, 0x188, 0x1DB] {
            assert_eq!(cpu.write_msr(msr, 0), Err(Stop::Fault), "{msr:X}");
        }
        for msr in [0x79, 0x403, 0x414, 0x251, 0x1B, 0xC3, 0x1DA, 0x277] {
            assert_eq!(cpu.read_msr(msr), Err(Stop::Fault), "{msr:X}");
        }
    }
}
