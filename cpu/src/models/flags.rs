//! Features by the names that Linux's /proc/cpuinfo gives them: where CPUID shows each (SDM vol. 2, "CPUID"; AMD, "CPUID
//! Specification", 25481), and what having it means. Models are made of these names, CPUID is put together from them, and
//! the command line takes them off and adds them.

use super::features::{Features, Traits};
use super::{CpuModel, same};
use emu_core::x86::{Cr4, Efer};
use iced_x86::CpuidFeature as F;

/// A register of CPUID.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Reg {
    /// EAX.
    A,
    /// EBX.
    B,
    /// ECX.
    C,
    /// EDX.
    D,
}

/// A feature.
#[derive(Copy, Clone, Debug)]
pub struct Flag {
    /// Its name in /proc/cpuinfo.
    pub name: &'static str,
    /// CPUID's leaf.
    pub leaf: u32,
    /// Its subleaf.
    pub subleaf: u32,
    /// The register.
    pub reg: Reg,
    /// The bit.
    pub bit: u32,
    /// Instruction groups that it stands for.
    pub instructions: &'static [F],
    /// Bits of CR4 that it stands for.
    pub cr4: Cr4,
    /// Bits of IA32_EFER that it stands for.
    pub efer: Efer,
    /// What else.
    pub traits: Traits,
    /// The feature that it is a part of, and comes and goes with.
    pub part_of: Option<&'static str>,
    /// Features whose registers, tables or modes it uses.
    pub needs: &'static [&'static str],
}

const fn flag(name: &'static str, (leaf, reg): (u32, Reg), bit: u32) -> Flag {
    Flag {
        name,
        leaf,
        subleaf: 0,
        reg,
        bit,
        instructions: &[],
        cr4: Cr4::empty(),
        efer: Efer::empty(),
        traits: Traits::empty(),
        part_of: None,
        needs: &[],
    }
}

const fn insn(name: &'static str, at: (u32, Reg), bit: u32, instructions: &'static [F]) -> Flag {
    Flag {
        instructions,
        ..flag(name, at, bit)
    }
}

const fn control(name: &'static str, at: (u32, Reg), bit: u32, cr4: Cr4) -> Flag {
    Flag {
        cr4,
        ..flag(name, at, bit)
    }
}

const fn property(name: &'static str, at: (u32, Reg), bit: u32, traits: Traits) -> Flag {
    Flag {
        traits,
        ..flag(name, at, bit)
    }
}

impl Flag {
    const fn needs(self, needs: &'static [&'static str]) -> Self {
        Self { needs, ..self }
    }

    const fn and_cr4(self, cr4: Cr4) -> Self {
        Self { cr4, ..self }
    }

    const fn and_efer(self, efer: Efer) -> Self {
        Self { efer, ..self }
    }

    const fn subleaf_1(self) -> Self {
        Self { subleaf: 1, ..self }
    }

    const fn part_of(self, whole: &'static str) -> Self {
        Self {
            part_of: Some(whole),
            ..self
        }
    }

    /// Whether a model has it.
    pub fn is_in(&self, model: &CpuModel) -> bool {
        self.instructions.iter().all(|f| model.has(*f))
            && model.cr4 & self.cr4.bits() == self.cr4.bits()
            && model.efer & self.efer.bits() == self.efer.bits()
            && model.traits.contains(self.traits)
    }

    /// Whether CPUID tells of it.
    pub const fn is_in_cpuid(&self) -> bool {
        self.leaf != NOWHERE.0
    }

    /// The feature of that name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        FLAGS.iter().find(|f| f.name == name)
    }
}

const L1C: (u32, Reg) = (1, Reg::C);
const L1D: (u32, Reg) = (1, Reg::D);
const L7B: (u32, Reg) = (7, Reg::B);
const L7C: (u32, Reg) = (7, Reg::C);
const L7D: (u32, Reg) = (7, Reg::D);
const LDA: (u32, Reg) = (0xD, Reg::A);
const X1C: (u32, Reg) = (0x8000_0001, Reg::C);
const X1D: (u32, Reg) = (0x8000_0001, Reg::D);

/// A leaf that does not exist.
const NOWHERE: (u32, Reg) = (u32::MAX, Reg::A);

const FPU: &[F] = &[F::FPU, F::FPU287, F::FPU387];
const VME: Cr4 = Cr4::VME.union(Cr4::PVI);
const LONG: Efer = Efer::LME.union(Efer::LMA);

/// All features that Boxwood executes.
pub const FLAGS: &[Flag] = &[
    insn("fpu", L1D, 0, FPU),
    control("vme", L1D, 1, VME),
    control("de", L1D, 2, Cr4::DE),
    control("pse", L1D, 3, Cr4::PSE),
    insn("tsc", L1D, 4, &[F::TSC]).and_cr4(Cr4::TSD),
    insn("msr", L1D, 5, &[F::MSR]),
    control("pae", L1D, 6, Cr4::PAE),
    control("mce", L1D, 7, Cr4::MCE),
    insn("cx8", L1D, 8, &[F::CX8]),
    property("apic", L1D, 9, Traits::APIC),
    insn("sep", L1D, 11, &[F::SEP]).needs(&["msr"]),
    property("mtrr", L1D, 12, Traits::MTRR).needs(&["msr"]),
    control("pge", L1D, 13, Cr4::PGE),
    property("mca", L1D, 14, Traits::MCA).needs(&["msr", "mce"]),
    insn("cmov", L1D, 15, &[F::CMOV]),
    property("pat", L1D, 16, Traits::PAT).needs(&["msr"]),
    property("pse36", L1D, 17, Traits::PSE36).needs(&["pse"]),
    insn("clflush", L1D, 19, &[F::CLFSH]),
    insn("mmx", L1D, 23, &[F::MMX]).needs(&["fpu"]),
    insn("fxsr", L1D, 24, &[F::FXSR])
        .and_cr4(Cr4::OSFXSR)
        .needs(&["fpu"]),
    insn("sse", L1D, 25, &[F::SSE])
        .and_cr4(Cr4::OSXMMEXCPT)
        .needs(&["fxsr", "mmx"]),
    insn("sse2", L1D, 26, &[F::SSE2]).needs(&["sse"]),
    insn("pni", L1C, 0, &[F::SSE3]).needs(&["sse2"]),
    insn("pclmulqdq", L1C, 1, &[F::PCLMULQDQ]).needs(&["sse2"]),
    insn("monitor", L1C, 3, &[F::MONITOR]),
    insn("ssse3", L1C, 9, &[F::SSSE3]).needs(&["sse2"]),
    insn("fma", L1C, 12, &[F::FMA]).needs(&["avx"]),
    insn("cx16", L1C, 13, &[F::CMPXCHG16B]).needs(&["lm"]),
    property("pdcm", L1C, 15, Traits::PERF_CAPABILITIES).needs(&["msr"]),
    control("pcid", L1C, 17, Cr4::PCIDE).needs(&["lm"]),
    insn("sse4_1", L1C, 19, &[F::SSE4_1]).needs(&["sse2"]),
    insn("sse4_2", L1C, 20, &[F::SSE4_2]).needs(&["sse2"]),
    property("x2apic", L1C, 21, Traits::X2APIC).needs(&["apic", "msr"]),
    insn("movbe", L1C, 22, &[F::MOVBE]),
    insn("popcnt", L1C, 23, &[F::POPCNT]),
    property("tsc_deadline_timer", L1C, 24, Traits::TSC_DEADLINE).needs(&["apic", "tsc", "msr"]),
    insn("aes", L1C, 25, &[F::AES]).needs(&["sse2"]),
    insn("xsave", L1C, 26, &[F::XSAVE])
        .and_cr4(Cr4::OSXSAVE)
        .needs(&["fxsr"]),
    insn("avx", L1C, 28, &[F::AVX]).needs(&["xsave", "sse2"]),
    insn("f16c", L1C, 29, &[F::F16C]).needs(&["avx"]),
    insn("rdrand", L1C, 30, &[F::RDRAND]),
    insn("fsgsbase", L7B, 0, &[F::FSGSBASE])
        .and_cr4(Cr4::FSGSBASE)
        .needs(&["lm"]),
    property("tsc_adjust", L7B, 1, Traits::TSC_ADJUST).needs(&["tsc", "msr"]),
    insn("bmi1", L7B, 3, &[F::BMI1]),
    insn("avx2", L7B, 5, &[F::AVX2]).needs(&["avx"]),
    control("smep", L7B, 7, Cr4::SMEP),
    insn("bmi2", L7B, 8, &[F::BMI2]),
    property("erms", L7B, 9, Traits::FAST_STRINGS),
    insn("invpcid", L7B, 10, &[F::INVPCID]),
    insn("rdseed", L7B, 18, &[F::RDSEED]),
    insn("adx", L7B, 19, &[F::ADX]),
    insn("smap", L7B, 20, &[F::SMAP]).and_cr4(Cr4::SMAP),
    insn("clflushopt", L7B, 23, &[F::CLFLUSHOPT]).needs(&["clflush"]),
    insn("clwb", L7B, 24, &[F::CLWB]).needs(&["clflush"]),
    insn("sha_ni", L7B, 29, &[F::SHA]).needs(&["sse2"]),
    control("umip", L7C, 2, Cr4::UMIP),
    insn("pku", L7C, 3, &[F::PKU])
        .and_cr4(Cr4::PKE)
        .needs(&["lm"]),
    control("la57", L7C, 16, Cr4::LA57).needs(&["lm"]),
    insn("rdpid", L7C, 22, &[F::RDPID]),
    property("arch_capabilities", L7D, 29, Traits::ARCH_CAPABILITIES).needs(&["msr"]),
    insn("xsaveopt", LDA, 0, &[F::XSAVEOPT])
        .subleaf_1()
        .needs(&["xsave"]),
    insn("xsavec", LDA, 1, &[F::XSAVEC])
        .subleaf_1()
        .needs(&["xsave"]),
    insn("xgetbv1", LDA, 2, &[F::XSAVEC])
        .subleaf_1()
        .part_of("xsavec"),
    insn("xsaves", LDA, 3, &[F::XSAVES])
        .subleaf_1()
        .needs(&["xsavec"]),
    insn("lahf_lm", X1C, 0, &[F::X64]).part_of("lm"),
    property("cr8_legacy", X1C, 4, Traits::ALTERNATE_CR8).needs(&["lm", "amd"]),
    insn("abm", X1C, 5, &[F::LZCNT]),
    insn("3dnowprefetch", X1C, 8, &[F::PREFETCHW]),
    insn("syscall", X1D, 11, &[F::SYSCALL])
        .and_efer(Efer::SCE)
        .needs(&["msr"]),
    Flag {
        efer: Efer::NXE,
        ..flag("nx", X1D, 20)
    }
    .needs(&["msr", "pae"]),
    property("mmxext", X1D, 22, Traits::MMX_EXTENSIONS).needs(&["mmx"]),
    property("pdpe1gb", X1D, 26, Traits::GIANT_PAGES).needs(&["lm"]),
    insn("rdtscp", X1D, 27, &[F::RDTSCP]).needs(&["tsc"]),
    insn("3dnowext", X1D, 30, &[F::D3NOWEXT]).needs(&["3dnow"]),
    insn("3dnow", X1D, 31, &[F::D3NOW]).needs(&["mmx"]),
    insn("lm", X1D, 29, &[F::X64]).and_efer(LONG).needs(&[
        "fpu", "cx8", "msr", "pae", "pge", "cmov", "pat", "clflush", "mmx", "fxsr", "sse", "sse2",
        "syscall", "nx",
    ]),
    // Names of ours: CPUID has no bits for them.
    property("amd", NOWHERE, 0, Traits::AMD),
    property("intel_smram", NOWHERE, 0, Traits::INTEL_SAVE_MAP).needs(&["lm"]),
];

impl CpuModel {
    /// The model with these features; a name that does not exist fails to compile.
    pub(super) const fn with(mut self, names: &[&str]) -> Self {
        let mut n = 0;
        while n < names.len() {
            let mut i = 0;
            while !same(FLAGS[i].name, names[n]) {
                i += 1;
            }
            self = self.with_flag(&FLAGS[i]);
            n += 1;
        }
        self
    }

    /// The model with a feature.
    pub(super) const fn with_flag(mut self, flag: &Flag) -> Self {
        self.features = self.features.with(flag.instructions);
        self.cr4 |= flag.cr4.bits();
        self.efer |= flag.efer.bits();
        self.traits = self.traits.union(flag.traits);
        self
    }

    /// The model without a feature. What it shares with another one goes too; that other one then is not there.
    pub(super) const fn without_flag(mut self, flag: &Flag) -> Self {
        self.features = self.features.without(flag.instructions);
        self.cr4 &= !flag.cr4.bits();
        self.efer &= !flag.efer.bits();
        self.traits = self.traits.difference(flag.traits);
        self
    }

    /// Its features, as far as they have a name.
    pub fn flags(&self) -> impl Iterator<Item = &'static Flag> + '_ {
        FLAGS.iter().filter(|f| f.is_in(self))
    }

    /// The instruction groups that every processor from the 80386 on has.
    pub(super) const BASE_386: Features =
        Features::of(&[F::INTEL8086, F::INTEL186, F::INTEL286, F::INTEL386]);
}
