//! Sets: of instruction groups, of what a model has besides instructions, of model-specific registers.

use bitflags::bitflags;
use iced_x86::CpuidFeature;

const WORDS: usize = 3;

/// A set of instruction groups, as iced-x86 names them.
#[derive(Copy, Clone, PartialEq, Eq, Default)]
pub struct Features([u64; WORDS]);

impl Features {
    /// These groups.
    pub const fn of(groups: &[CpuidFeature]) -> Self {
        Self([0; WORDS]).with(groups)
    }

    /// The set with these groups.
    pub const fn with(mut self, groups: &[CpuidFeature]) -> Self {
        let mut n = 0;
        while n < groups.len() {
            let group = groups[n] as usize;
            self.0[group / 64] |= 1 << (group % 64);
            n += 1;
        }
        self
    }

    /// The set without these groups.
    pub const fn without(mut self, groups: &[CpuidFeature]) -> Self {
        let mut n = 0;
        while n < groups.len() {
            let group = groups[n] as usize;
            self.0[group / 64] &= !(1 << (group % 64));
            n += 1;
        }
        self
    }

    /// Whether a group is in the set.
    pub const fn contains(&self, group: CpuidFeature) -> bool {
        let group = group as usize;
        group / 64 < WORDS && self.0[group / 64] >> (group % 64) & 1 != 0
    }

    /// How many groups there are.
    pub const fn len(&self) -> u32 {
        self.0[0].count_ones() + self.0[1].count_ones() + self.0[2].count_ones()
    }

    /// Whether there is no group.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The groups.
    pub fn iter(&self) -> impl Iterator<Item = CpuidFeature> + '_ {
        CpuidFeature::values().filter(|f| self.contains(*f))
    }
}

impl std::fmt::Debug for Features {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

bitflags! {
    /// What CPUID offers that is neither an instruction nor a bit of CR4 or IA32_EFER, and what goes with a maker.
    #[derive(Copy, Clone, Debug, PartialEq, Eq)]
    pub struct Traits: u32 {
        /// A local APIC, where the board has one.
        const APIC = 1 << 0;
        /// Its x2APIC mode.
        const X2APIC = 1 << 1;
        /// Its timer can wait for a value of the time-stamp counter.
        const TSC_DEADLINE = 1 << 2;
        /// Memory-type range registers.
        const MTRR = 1 << 3;
        /// Machine-check banks.
        const MCA = 1 << 4;
        /// The page attribute table: IA32_PAT and the PAT bit of entries.
        const PAT = 1 << 5;
        /// 4 MiB pages reach beyond 4 GiB.
        const PSE36 = 1 << 6;
        /// 1 GiB pages.
        const GIANT_PAGES = 1 << 7;
        /// REP MOVSB and REP STOSB are fast.
        const FAST_STRINGS = 1 << 8;
        /// The instructions on MMX registers that came with SSE, without SSE.
        const MMX_EXTENSIONS = 1 << 9;
        /// What Intel's and AMD's manuals say differently, or leave to the processor, is as AMD's do it. By the "AMD64
        /// Architecture Programmer's Manual" (24592 to 24594, 26568, 26569) SYSCALL and SYSRET work in legacy and
        /// compatibility mode, SYSENTER and SYSEXIT not in long mode ("SYSCALL", "SYSENTER"), and 66h before a near branch
        /// counts in 64-bit mode. The rest is as measured on family 19h, model 11h: [`crate::decode::amd`] has what is
        /// decoded otherwise, and where this is asked for stands what is done otherwise.
        const AMD = 1 << 10;
        /// IA32_PERF_CAPABILITIES.
        const PERF_CAPABILITIES = 1 << 11;
        /// IA32_TSC_ADJUST.
        const TSC_ADJUST = 1 << 12;
        /// System management mode saves by Intel's map where there is long mode, not by AMD's.
        const INTEL_SAVE_MAP = 1 << 13;
        /// LOCK MOV CR0 stands for CR8 ("AMD64 Architecture Programmer's Manual", volume 3, "MOV CRn").
        const ALTERNATE_CR8 = 1 << 14;
        /// IA32_ARCH_CAPABILITIES.
        const ARCH_CAPABILITIES = 1 << 15;
    }
}

bitflags! {
    /// Model-specific registers that no CPUID bit announces (SDM vol. 4).
    #[derive(Copy, Clone, Debug, PartialEq, Eq)]
    pub struct Msrs: u32 {
        /// IA32_BIOS_SIGN_ID (AMD: the patch level, in the same place).
        const MICROCODE_SIGNATURE = 1 << 0;
        /// IA32_BIOS_UPDT_TRIG and IA32_PLATFORM_ID.
        const MICROCODE_UPDATE = 1 << 1;
        /// MSR_EBL_CR_POWERON of the P6 family.
        const BUS_CONFIGURATION = 1 << 2;
        /// IA32_MISC_ENABLE.
        const MISC_ENABLE = 1 << 3;
        /// P5_MC_ADDR and P5_MC_TYPE.
        const P5_MACHINE_CHECK = 1 << 4;
        /// IA32_APIC_BASE, where there is a local APIC.
        const APIC_BASE = 1 << 5;
        /// AMD's SYSCFG, HWCR and DE_CFG.
        const AMD_CONFIGURATION = 1 << 6;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use iced_x86::CpuidFeature as F;

    #[test]
    fn a_set_holds_what_it_was_given() {
        let set = Features::of(&[F::INTEL8086, F::SSE2, F::SSE2, F::XSAVES]);
        assert_eq!(set.len(), 3);
        assert!(set.contains(F::SSE2) && !set.contains(F::SSE3));
        let less = set.without(&[F::SSE2]);
        let left: Vec<F> = less.iter().collect();
        assert_eq!(left, [F::INTEL8086, F::XSAVES]);
        assert!(Features::default().is_empty());
        // Every group has its place.
        assert!(CpuidFeature::values().all(|f| Features::of(&[f]).contains(f)));
    }
}
