//! Registers that configure a processor, or tell how it is configured: of Intel's from Nehalem on, and of AMD's EPYC.
//!
//! SDM vol. 4, tables 2-2, 2-15, 2-20, 2-29; Intel, "Virtualization Technology FlexMigration Application Note" (323850), section
//! 2.3.2, "CPUID Faulting"; AMD, "AMD64 Architecture Programmer's Manual", volume 2, 24593, sections 3.2.1 and 7.9.1; "Processor
//! Programming Reference for AMD Family 17h Models 01h, 08h", 54945; AMD, "Software Techniques for Managing Speculation on AMD
//! Processors", 90343.
//!
//! What they do here: MSR_SMI_COUNT counts; MSR_MISC_FEATURES_ENABLES lets CPUID fault; SYSCFG shows the RdMem and WrMem bits
//! of fixed-range MTRRs; HWCR switches MONITOR off and opens it to all levels, and makes machine-check banks writable. LFENCE
//! waits for all before it whether DE_CFG says so or not. States of MWAIT deeper than C1 do not exist, nor caches: bits that
//! steer these are held.
//!
//! **Not implemented**: I/O redirection to MWAIT (bit 10 of MSR_PKG_CST_CONFIG_CONTROL, MSR_PMG_IO_CAPTURE_BASE); bits of
//! MSR_POWER_CTL besides C1E; ratios of turbo mode, P-states, energy counters, sensors; IA32_FEATURE_CONTROL (there is neither
//! VMX nor SMX); AMD's decoding of memory (IORR, TOP_MEM, TOP_MEM2 and their bits in SYSCFG: where memory lies is the board's),
//! other bits of HWCR (address wrap, special cycles of system management mode, FERR and IGNNE, faults of configuration ports,
//! boost, effective frequency), NB_CFG, VM_CR and OSVW (there is neither
//! SVM nor OSVW), and AMD's machine-check extensions. Their
//! bits are reserved: setting one faults.
//! **Known inaccuracies**: the time-stamp counter counts instructions, at whatever rate, not at the ratio that
//! MSR_PLATFORM_INFO tells; SYSCFG's MtrrFixDramEn is held, and the board alone decides what is memory.

use crate::interpreter::Interpreter;
use crate::models::platform::C_STATES_LOCK;
use crate::models::{CpuModel, Msrs};

/// MSR_PLATFORM_INFO: CPUID can fault.
const INFO_CPUID_FAULTING: u64 = 1 << 31;
/// MSR_PKG_CST_CONFIG_CONTROL: what its lock locks.
const C_STATES_LOCKED: u64 = 0xFFFF;
/// MSR_MISC_FEATURES_ENABLES: CPUID faults at levels other than 0.
const CPUID_FAULTS: u64 = 1;
/// MSR_POWER_CTL: C1 is C1E.
const C1E: u64 = 1 << 1;

/// SYSCFG: the RdMem and WrMem bits say what is memory.
const FIXED_DRAM: u64 = 1 << 18;
/// SYSCFG: these bits can be seen and written.
const FIXED_DRAM_MODIFY: u64 = 1 << 19;
/// RdMem and WrMem of the eight ranges of a fixed-range MTRR.
pub const DRAM_BITS: u64 = 0x1818_1818_1818_1818;

/// HWCR: system management mode is locked; only reset opens it.
const SMM_LOCK: u64 = 1 << 0;
/// HWCR: page tables are not cached; INVD writes back.
const CACHES: u64 = 1 << 3 | 1 << 4;
/// HWCR: MONITOR and MWAIT are not there.
const MONITOR_OFF: u64 = 1 << 9;
/// HWCR: they can be used at every level.
const MONITOR_FOR_ALL: u64 = 1 << 10;
/// HWCR: IA32_MCi_STATUS takes every value.
const MACHINE_CHECK_WRITABLE: u64 = 1 << 18;
/// HWCR, only read: the time-stamp counter's frequency does not follow P-states.
pub const TIME_STAMP_FIXED: u64 = 1 << 24;
const HARDWARE_BITS: u64 =
    SMM_LOCK | CACHES | MONITOR_OFF | MONITOR_FOR_ALL | MACHINE_CHECK_WRITABLE | TIME_STAMP_FIXED;

/// DE_CFG: LFENCE serialises.
const LFENCE_SERIALISES: u64 = 1 << 1;

/// A register.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Register {
    /// MSR_SMI_COUNT.
    SmiCount,
    /// MSR_PLATFORM_INFO.
    PlatformInfo,
    /// MSR_PKG_CST_CONFIG_CONTROL.
    PackageCStates,
    /// MSR_MISC_FEATURES_ENABLES.
    MiscFeatures,
    /// MSR_POWER_CTL.
    PowerControl,
    /// SYSCFG.
    System,
    /// HWCR.
    Hardware,
    /// DE_CFG.
    Decode,
}

/// The register of a model behind a number.
pub fn register(model: &CpuModel, msr: u32) -> Option<Register> {
    use Register as R;
    let (platform, amd) = (
        model.platform.as_ref(),
        model.msrs.contains(Msrs::AMD_CONFIGURATION),
    );
    match msr {
        0x34 if platform.is_some() => Some(R::SmiCount),
        0xCE if platform.is_some() => Some(R::PlatformInfo),
        0xE2 if platform.is_some() => Some(R::PackageCStates),
        0x140 if platform.is_some_and(|p| p.cpuid_faulting) => Some(R::MiscFeatures),
        0x1FC if platform.is_some() => Some(R::PowerControl),
        0xC001_0010 if amd => Some(R::System),
        0xC001_0015 if amd => Some(R::Hardware),
        0xC001_1029 if amd => Some(R::Decode),
        _ => None,
    }
}

impl Interpreter {
    /// RDMSR.
    pub(crate) fn read_configuration_register(&self, register: Register) -> u64 {
        let c = &self.msr.configuration;
        match register {
            Register::SmiCount => c.smi_count.into(),
            Register::PlatformInfo => self.model.platform.map_or(0, |p| {
                let faulting = if p.cpuid_faulting {
                    INFO_CPUID_FAULTING
                } else {
                    0
                };
                u64::from(p.highest_ratio) << 8 | u64::from(p.efficient_ratio) << 40 | faulting
            }),
            Register::PackageCStates => c.package_c_states,
            Register::MiscFeatures => c.misc_features,
            Register::PowerControl => c.power_control,
            Register::System => c.system,
            Register::Hardware => c.hardware,
            Register::Decode => c.decode,
        }
    }

    /// WRMSR; false: it faults.
    pub(crate) fn write_configuration_register(&mut self, register: Register, value: u64) -> bool {
        let model = self.model;
        let c = &mut self.msr.configuration;
        let (place, known) = match register {
            Register::SmiCount | Register::PlatformInfo => return false,
            Register::PackageCStates => {
                let changed = c.package_c_states ^ value;
                if c.package_c_states & C_STATES_LOCK != 0 && changed & C_STATES_LOCKED != 0 {
                    return false;
                }
                let known = model.platform.map_or(0, |p| p.package_c_states);
                (&mut c.package_c_states, known)
            }
            Register::MiscFeatures => (&mut c.misc_features, CPUID_FAULTS),
            Register::PowerControl => (&mut c.power_control, C1E),
            Register::System => (&mut c.system, FIXED_DRAM | FIXED_DRAM_MODIFY),
            Register::Hardware => (&mut c.hardware, HARDWARE_BITS),
            Register::Decode => (&mut c.decode, LFENCE_SERIALISES),
        };
        if value & !known != 0 {
            return false;
        }
        *place = match register {
            // One is only read, the other only set.
            Register::Hardware => {
                value & !TIME_STAMP_FIXED | *place & (TIME_STAMP_FIXED | SMM_LOCK)
            }
            _ => value,
        };
        true
    }

    /// A system management interrupt is taken.
    pub(crate) fn count_smi(&mut self) {
        if self.model.platform.is_some() {
            let count = &mut self.msr.configuration.smi_count;
            *count = count.wrapping_add(1);
        }
    }

    /// Whether CPUID faults at this level. In system management mode it does not.
    pub(crate) fn cpuid_faults(&self) -> bool {
        self.msr.configuration.misc_features & CPUID_FAULTS != 0
            && self.cpl != 0
            && !self.smm.active
    }

    /// Whether HWCR has MONITOR and MWAIT switched off.
    pub(crate) fn monitor_is_off_in_hwcr(&self) -> bool {
        self.msr.configuration.hardware & MONITOR_OFF != 0
    }

    /// Whether HWCR opens MONITOR and MWAIT to all levels.
    pub(crate) fn monitor_is_for_all(&self) -> bool {
        self.msr.configuration.hardware & MONITOR_FOR_ALL != 0
    }

    /// Whether IA32_MCi_STATUS takes every value, not only 0.
    pub(crate) fn machine_check_is_writable(&self) -> bool {
        self.msr.configuration.hardware & MACHINE_CHECK_WRITABLE != 0
    }

    /// The bits of a fixed-range MTRR that are hidden: they read as 0, and writing 0 leaves them as they are.
    pub(crate) fn hidden_dram_bits(&self) -> u64 {
        if self.msr.configuration.system & FIXED_DRAM_MODIFY == 0 {
            DRAM_BITS
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Fault;
    use crate::models::model;
    use crate::op::Stop;
    use crate::tests::Board;
    use emu_core::backend::{CpuBackend, CpuId, Exit};
    use emu_core::x86::{CpuState, Cr0, Gpr, Seg, SegmentAttributes, Selector};

    fn cpu(name: &str) -> Interpreter {
        let model = model(name);
        let mut cpu = Interpreter::new(CpuId(0), model);
        cpu.set_state(&model.reset_state());
        cpu
    }

    /// A register: its number, the models that have it, what it holds after reset, the bits that can be changed one by one.
    /// SDM vol. 4: MSR_SMI_COUNT, MSR_PLATFORM_INFO (bits 15:8, 31, 47:40), MSR_PKG_CST_CONFIG_CONTROL (bits 2:0, 15, 30:24;
    /// Sandy Bridge: 2:0, 15, 28:25; Haswell: 3:0, 15, 28:25), MSR_MISC_FEATURES_ENABLES (bit 0), MSR_POWER_CTL (bit 1). 54945:
    /// SYSCFG (bits 18, 19), HWCR (bits 0, 3, 4, 9, 10, 18; 24 is 1), DE_CFG (bit 1).
    type Row = (u32, &'static [&'static str], u64, u64);

    #[rustfmt::skip]
    const REGISTERS: &[Row] = &[
        (0x34, &["nehalem", "sandybridge", "haswell", "skylake"], 0, 0),
        (0x3B, &["haswell", "skylake", "max"], 0, u64::MAX),
        (0xCE, &["nehalem"], 0x0C00_0000_1400, 0),
        (0xCE, &["sandybridge"], 0x1000_0000_2200, 0),
        (0xCE, &["haswell", "skylake"], 0x0800_8000_2200, 0),
        (0xE2, &["nehalem"], 0, 0x7F00_8007),
        (0xE2, &["sandybridge"], 0, 0x1E00_8007),
        (0xE2, &["haswell", "skylake"], 0, 0x1E00_800F),
        (0x140, &["haswell", "skylake"], 0, 1),
        (0x1FC, &["nehalem", "sandybridge", "haswell", "skylake"], 0, 2),
        (0xC001_0010, &["epyc"], 0, 0x000C_0000),
        (0xC001_0015, &["epyc"], 0x0100_0000, 0x0004_0619),
        (0xC001_1029, &["epyc"], 0, 2),
    ];

    #[test]
    fn each_register_is_there_where_the_manuals_have_it_and_takes_the_bits_that_they_list() {
        for m in CpuModel::ALL.iter().filter(|m| m.processor.is_none()) {
            for &(msr, ..) in REGISTERS {
                let row = REGISTERS
                    .iter()
                    .find(|(n, names, ..)| *n == msr && names.contains(&m.name));
                let mut cpu = cpu(m.name);
                let Some(&(_, _, reset, writable)) = row else {
                    assert_eq!(cpu.read_msr(msr), Err(Stop::Fault), "{} {msr:x}", m.name);
                    assert_eq!(cpu.write_msr(msr, 0), Err(Stop::Fault));
                    continue;
                };
                assert_eq!(cpu.read_msr(msr), Ok(reset), "{} {msr:x}", m.name);
                for bit in (0..64).map(|n| 1u64 << n) {
                    let mut cpu = self::cpu(m.name);
                    let flipped = reset ^ bit;
                    let written = cpu.write_msr(msr, flipped);
                    let (accepted, read) = match (writable & bit != 0, reset & bit != 0) {
                        (true, _) => (true, flipped),
                        // HWCR's bit 24 is only read.
                        (false, true) if writable != 0 => (true, reset),
                        (false, _) => (false, reset),
                    };
                    assert_eq!(written.is_ok(), accepted, "{} {msr:x} {bit:x}", m.name);
                    assert!(accepted || cpu.fault == Fault::GP0);
                    assert_eq!(cpu.read_msr(msr), Ok(read), "{} {msr:x} {bit:x}", m.name);
                }
            }
        }
    }

    #[test]
    fn locks_stay_until_reset() {
        let mut c = cpu("skylake");
        assert_eq!(c.write_msr(0xE2, 0x8003), Ok(()));
        // Bits 15 to 0 are locked, those above are not.
        for locked in [0, 0x8002, 0x0003] {
            assert_eq!(c.write_msr(0xE2, locked), Err(Stop::Fault), "{locked:x}");
        }
        assert_eq!(c.write_msr(0xE2, 0x0600_8003), Ok(()));
        assert_eq!(c.read_msr(0xE2), Ok(0x0600_8003));
        c.reset(true);
        assert_eq!(c.read_msr(0xE2), Ok(0x0600_8003));
        c.reset(false);
        assert_eq!(c.read_msr(0xE2), Ok(0));
        let mut c = cpu("epyc");
        assert_eq!(c.write_msr(0xC001_0015, 0x11), Ok(()));
        assert_eq!(c.write_msr(0xC001_0015, 0), Ok(()));
        assert_eq!(c.read_msr(0xC001_0015), Ok(0x0100_0001));
    }

    #[test]
    fn rdmem_and_wrmem_are_hidden_and_kept_unless_syscfg_shows_them() {
        let mut c = cpu("epyc");
        let (plain, dram) = (0x0600_0506_0401_0600, 0x1E18_0D16_0419_0600);
        assert_eq!(c.write_msr(0x250, dram), Err(Stop::Fault));
        assert_eq!(c.write_msr(0xC001_0010, 1 << 19), Ok(()));
        assert_eq!(c.write_msr(0x250, dram), Ok(()));
        // 18h + 2 and 20h are no types.
        for bad in [0x1A, 0x20] {
            assert_eq!(c.write_msr(0x250, bad), Err(Stop::Fault));
        }
        assert_eq!(c.read_msr(0x250), Ok(dram));
        assert_eq!(c.write_msr(0xC001_0010, 0), Ok(()));
        assert_eq!(c.read_msr(0x250), Ok(plain));
        assert_eq!(c.write_msr(0x250, 0), Ok(()));
        assert_eq!(c.read_msr(0x250), Ok(0));
        assert_eq!(c.write_msr(0xC001_0010, 1 << 19), Ok(()));
        assert_eq!(c.read_msr(0x250), Ok(dram & DRAM_BITS));
        // Intel's have no such bits.
        assert_eq!(cpu("skylake").write_msr(0x250, dram), Err(Stop::Fault));
    }

    #[test]
    fn machine_check_status_takes_values_where_hwcr_says_so() {
        let mut c = cpu("epyc");
        assert_eq!(c.write_msr(0x401, 1 << 63), Err(Stop::Fault));
        assert_eq!(c.write_msr(0xC001_0015, 1 << 18), Ok(()));
        assert_eq!(c.write_msr(0x401, 1 << 63), Ok(()));
        assert_eq!(c.read_msr(0x401), Ok(1 << 63));
    }

    #[test]
    fn max_says_that_nothing_can_be_inferred_from_speculation() {
        let mut c = cpu("max");
        assert_eq!(model("max").cpuid(7, 0)[3] >> 29 & 1, 1);
        let said = c.read_msr(0x10A);
        // RDCL_NO and MDS_NO, but not RSBA, which says the opposite, nor RRSBA.
        assert!(said.is_ok_and(|v| v & 0x21 == 0x21 && v & (1 << 2 | 1 << 19) == 0));
        assert_eq!(c.write_msr(0x10A, 0), Err(Stop::Fault));
        assert_eq!(cpu("skylake").read_msr(0x10A), Err(Stop::Fault));
    }

    #[test]
    fn tsc_adjust_tells_what_software_added_and_adds() {
        let mut c = cpu("max");
        c.retired = 1000;
        assert_eq!(c.read_msr(0x10), Ok(1000));
        assert_eq!(c.write_msr(0x10, 5000), Ok(()));
        assert_eq!(c.read_msr(0x3B), Ok(4000));
        assert_eq!(c.write_msr(0x3B, u64::MAX), Ok(()));
        assert_eq!(c.read_msr(0x10), Ok(999));
        assert_eq!(model("max").cpuid(7, 0)[1] & 2, 2);
        assert_eq!(model("epyc").cpuid(7, 0)[1] & 2, 0);
    }

    /// Runs so many instructions at 1000h in real mode, or with the privilege level 3; interrupts 6 and 13 go to 3006h and
    /// 300Dh, the handler of system management mode is at 38000h.
    fn run(name: &str, code: &[u8], insns: u64, change: impl Fn(&mut CpuState)) -> CpuState {
        let mut s = model(name).reset_state();
        for segment in &mut s.segments {
            segment.selector = Selector(0);
            segment.base = 0;
        }
        s.rip = 0x1000;
        s.gpr[Gpr::Rsp as usize] = 0x8000;
        s.gpr[Gpr::Rax as usize] = 1;
        change(&mut s);
        let mut board = Board::new(code);
        board.stop_at = insns;
        board.ram[0].write(4 * 6, &[0x06, 0x30, 0, 0]);
        board.ram[0].write(4 * 13, &[0x0D, 0x30, 0, 0]);
        // rsm
        board.ram[0].write(0x3_8000, &[0x0F, 0xAA]);
        let mut cpu = Interpreter::new(CpuId(0), model(name));
        cpu.set_state(&s);
        assert_eq!(cpu.run(&mut board, None), Exit::SliceEnd);
        cpu.state()
    }

    /// At level 3 of protected mode, without descriptors: a fault shuts the CPU down.
    fn level_3(s: &mut CpuState) {
        s.cr0 |= Cr0::PE;
        for seg in [Seg::Cs, Seg::Ss] {
            let segment = &mut s.segments[seg as usize];
            segment.selector = Selector(3);
            segment.attributes = segment.attributes.with_dpl(3) | SegmentAttributes::ACCESSED;
        }
    }

    fn fault_at_level_3(name: &str, code: &[u8], hardware: u64, features: u64) -> Option<Fault> {
        let mut s = model(name).reset_state();
        for segment in &mut s.segments {
            segment.selector = Selector(0);
            segment.base = 0;
        }
        s.rip = 0x1000;
        level_3(&mut s);
        s.msr.configuration.hardware |= hardware;
        s.msr.configuration.misc_features |= features;
        let mut board = Board::new(code);
        board.stop_at = 1;
        let mut cpu = Interpreter::new(CpuId(0), model(name));
        cpu.set_state(&s);
        let exit = cpu.run(&mut board, None);
        (exit == Exit::Shutdown || cpu.state().rip == 0x1000).then_some(cpu.fault)
    }

    #[test]
    fn cpuid_faults_outside_of_level_0_if_asked_to() {
        let cpuid = [0x0F, 0xA2];
        assert_eq!(fault_at_level_3("haswell", &cpuid, 0, 0), None);
        assert!(fault_at_level_3("haswell", &cpuid, 0, 1).is_some());
        let after = run("haswell", &cpuid, 1, |s| {
            s.msr.configuration.misc_features = 1
        });
        assert_eq!(after.rip, 0x1002);
    }

    #[test]
    fn hwcr_switches_monitor_off_and_opens_it_to_all_levels() {
        let monitor = [0x0F, 0x01, 0xC8];
        let at_level_0 = |hardware: u64| {
            run("epyc", &monitor, 1, |s| {
                s.gpr[Gpr::Rcx as usize] = 0;
                s.gpr[Gpr::Rdx as usize] = 0;
                s.msr.configuration.hardware |= hardware;
            })
            .rip
        };
        assert_eq!((at_level_0(0), at_level_0(MONITOR_OFF)), (0x1003, 0x3006));
        assert!(fault_at_level_3("epyc", &monitor, 0, 0).is_some());
        assert_eq!(fault_at_level_3("epyc", &monitor, MONITOR_FOR_ALL, 0), None);
        let both = MONITOR_FOR_ALL | MONITOR_OFF;
        assert!(fault_at_level_3("epyc", &monitor, both, 0).is_some());
        // cpuid
        let ecx = |hardware: u64| {
            let s = run("epyc", &[0x0F, 0xA2], 1, |s| {
                s.msr.configuration.hardware |= hardware
            });
            s.gpr[Gpr::Rcx as usize] >> 3 & 1
        };
        assert_eq!((ecx(0), ecx(MONITOR_OFF)), (1, 0));
    }

    #[test]
    fn system_management_interrupts_are_counted_where_there_is_a_count() {
        let nops = [0x90; 4];
        for (name, count) in [("nehalem", 8), ("core2", 7)] {
            let after = run(name, &nops, 2, |s| {
                s.smm.smi_pending = true;
                s.msr.configuration.smi_count = 7;
            });
            assert_eq!(after.msr.configuration.smi_count, count, "{name}");
            assert!(!after.smm.active);
        }
    }

    #[test]
    fn cpuid_tells_the_revision_of_the_microcode_in_its_register() {
        for (name, signature) in [
            ("skylake", 0xBA << 32),
            ("haswell", 0x22 << 32),
            ("sandybridge", 0x29 << 32),
            ("core2", 5 << 32),
        ] {
            let after = run(name, &[0x0F, 0xA2], 1, |s| {
                s.msr.microcode_signature = 5 << 32
            });
            assert_eq!(after.msr.microcode_signature, signature, "{name}");
        }
    }
}
