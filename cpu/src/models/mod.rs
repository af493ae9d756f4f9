//! CPU models as data: what each offers, how it starts, where it differs.

pub mod branches;
pub mod counters;
pub mod features;
pub mod flags;
pub mod identity;
mod modify;
pub mod platform;
#[cfg(test)]
mod tests;

mod athlon;
mod core2;
mod epyc;
mod haswell;
mod i80186;
mod i80286;
mod i80386;
mod i80486;
mod i8086;
mod max;
mod nehalem;
mod p6;
mod pentium;
mod pentium2;
mod pentium3;
mod pentium4;
mod pentium_mmx;
mod pentium_pro;
mod sandybridge;
mod skylake;

use crate::exec::configuration::TIME_STAMP_FIXED;
use crate::exec::monitor::MISC_ENABLE_MONITOR;
use crate::x87::Generation;
pub use branches::Branches;
pub use counters::Counters;
use emu_core::x86::{CpuState, Cr4};
pub use features::{Features, Msrs, Traits};
use iced_x86::{Code, CpuidFeature, Instruction};
pub use identity::Identity;
pub use modify::ModelError;
pub use platform::Platform;

/// A processor before the 80386: its decoder, its arithmetic and its string instructions are its own.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Processor {
    /// Intel 8086: every byte sequence does something, and there is no limit to prefixes.
    I8086,
    /// Intel 80186.
    I80186,
    /// Intel 80286.
    I80286,
}

/// What becomes of a word of which only the first byte lies in its segment, on a processor that has no limits.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum SegmentEnd {
    /// The second byte is the segment's first.
    Wraps,
    /// The second byte is the one behind the segment.
    GoesOn,
}

/// A state save map of system management mode.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum SaveMap {
    /// Intel's of 32 bits (SDM vol. 3, table 32-1).
    Intel32,
    /// AMD's of 32 bits: Intel's with a field of its own.
    Amd32,
    /// Intel's of 64 bits (SDM vol. 3, table 32-3).
    Intel64 {
        /// The revision level.
        level: u16,
    },
    /// AMD's of 64 bits (AMD64 APM vol. 2, table 10-1).
    Amd64,
}

/// A CPU model.
#[derive(Clone, Debug)]
pub struct CpuModel {
    /// The name on the command line.
    pub name: &'static str,
    /// What it is.
    pub description: &'static str,
    /// Features of the processor that was sold which this one is without, by their names in /proc/cpuinfo.
    pub lacks: &'static [&'static str],
    /// Instruction groups that it executes.
    pub features: Features,
    /// What it has besides instructions.
    pub traits: Traits,
    /// Model-specific registers that no feature stands for.
    pub msrs: Msrs,
    /// The revision of the microcode update that it has; 0: none.
    pub microcode: u32,
    /// Its performance counters.
    pub counters: Counters,
    /// Its last-branch records.
    pub branches: Branches,
    /// Its clock and power management, from Nehalem on.
    pub platform: Option<Platform>,
    /// Its state save map without long mode.
    pub save_map_32: SaveMap,
    /// The revision level of Intel's state save map of 64 bits, where that is used.
    pub save_map_level: u16,
    /// Set for a model before the 80386.
    pub processor: Option<Processor>,
    /// What CPUID says besides the features; `None`: there is no CPUID.
    pub identity: Option<&'static Identity>,
    /// The floating-point unit.
    pub fpu: Generation,
    /// The instruction pointer wraps at 16 bits.
    pub ip_wraps: bool,
    /// Words at the end of a segment; `None`: segments have limits.
    pub segment_end: Option<SegmentEnd>,
    /// Bytes of the prefetch queue, if it keeps what stores change; 0: stores take effect on the next instruction.
    pub prefetch_bytes: u8,
    /// Address lines.
    pub physical_bits: u32,
    /// The value of EDX after reset: the processor signature.
    pub signature: u32,
    /// Flag bits that read as 1 whatever is written.
    pub flags_fixed: u64,
    /// Flag bits that can be written (arithmetic flags included).
    pub flags_writable: u64,
    /// CR0 bits that exist.
    pub cr0: u64,
    /// Those of them that MOV to CR0 leaves at 1.
    pub cr0_fixed: u64,
    /// CR4 bits that exist.
    pub cr4: u64,
    /// IA32_EFER bits that exist; 0: the register does not.
    pub efer: u64,
    /// CR0 after reset.
    pub reset_cr0: u64,
    /// The limit of the interrupt descriptor table after reset.
    pub reset_idt_limit: u16,
    /// Where execution starts: CS base and instruction pointer.
    pub reset_vector: (u64, u64),
}

impl CpuModel {
    /// All models, in the order in which processors were sold.
    pub const ALL: &'static [&'static Self] = &[
        &i8086::MODEL,
        &i8086::WITH_8087,
        &i8086::I8088,
        &i80186::MODEL,
        &i80286::MODEL,
        &i80286::WITH_80287,
        &i80386::MODEL,
        &i80386::WITH_80387,
        &i80486::MODEL,
        &pentium::MODEL,
        &pentium_pro::MODEL,
        &pentium_mmx::MODEL,
        &p6::MODEL,
        &pentium2::MODEL,
        &pentium3::MODEL,
        &athlon::MODEL,
        &pentium4::MODEL,
        &core2::MODEL,
        &nehalem::MODEL,
        &sandybridge::MODEL,
        &haswell::MODEL,
        &skylake::MODEL,
        &epyc::MODEL,
        &max::MODEL,
    ];
    /// The P6, with which tests begin.
    pub const P6: &'static Self = &p6::MODEL;

    /// A model by its name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        Self::ALL
            .iter()
            .find(|m| m.name.eq_ignore_ascii_case(name))
            .copied()
    }

    /// Whether there is long mode.
    pub fn has_long_mode(&self) -> bool {
        self.efer & emu_core::x86::Efer::LME.bits() != 0
    }

    /// Whether there is system management mode.
    pub fn has_smm(&self) -> bool {
        self.has(CpuidFeature::SMM)
    }

    /// The state save map of system management mode.
    pub fn save_map(&self) -> SaveMap {
        let level = self.save_map_level;
        match (
            self.has_long_mode(),
            self.traits.contains(Traits::INTEL_SAVE_MAP),
        ) {
            (false, _) => self.save_map_32,
            (true, true) => SaveMap::Intel64 { level },
            (true, false) => SaveMap::Amd64,
        }
    }

    /// Whether an instruction group is executed.
    pub const fn has(&self, feature: CpuidFeature) -> bool {
        self.features.contains(feature)
    }

    /// Whether it does as AMD's processors where they differ from Intel's: [`Traits::AMD`].
    pub fn is_amd(&self) -> bool {
        self.traits.contains(Traits::AMD)
    }

    /// Whether there is a floating-point unit.
    pub fn has_fpu(&self) -> bool {
        self.has(CpuidFeature::FPU)
    }

    /// Whether the model executes an instruction; one that it does not is undefined on it.
    pub fn offers(&self, insn: &Instruction) -> bool {
        insn.cpuid_features().iter().all(|f| self.has(*f))
            || self.traits.contains(Traits::MMX_EXTENSIONS) && is_mmx_extension(insn.code())
    }

    /// Bits of a linear address.
    pub fn linear_bits(&self) -> u32 {
        if self.cr4 & Cr4::LA57.bits() != 0 {
            57
        } else if self.has_long_mode() {
            48
        } else {
            32
        }
    }

    /// The CPUID leaf that answers for one.
    pub fn answering_leaf(&self, leaf: u32) -> u32 {
        self.identity
            .map_or(leaf, |identity| identity.answering(self, leaf))
    }

    /// A CPUID leaf.
    pub fn cpuid(&self, leaf: u32, subleaf: u32) -> [u32; 4] {
        self.identity
            .map_or([0; 4], |identity| identity.leaf(self, leaf, subleaf))
    }

    /// The state after reset (SDM vol. 3, table 10-1).
    pub fn reset_state(&self) -> CpuState {
        use emu_core::x86::{Cr0, DescriptorTable, Gpr, Rflags, Seg, SegmentAttributes as A};
        use emu_core::x86::{SegmentRegister, Selector, SmmState};
        let segment = |selector: u16, base: u64, attributes: A| SegmentRegister {
            selector: Selector(selector),
            base,
            limit: 0xFFFF,
            attributes: attributes | A::USABLE,
        };
        let data = A::PRESENT | A::NON_SYSTEM | A::WRITABLE | A::ACCESSED;
        let mut s = CpuState {
            rip: self.reset_vector.1,
            rflags: Rflags::from_bits_retain(self.flags_fixed),
            segments: [segment(0, 0, data); 6],
            ldtr: segment(0, 0, A::PRESENT | A::WRITABLE),
            tr: segment(0, 0, A::PRESENT | A::WRITABLE | A::ACCESSED | A::CODE),
            gdtr: DescriptorTable {
                base: 0,
                limit: 0xFFFF,
            },
            idtr: DescriptorTable {
                base: 0,
                limit: self.reset_idt_limit,
            },
            cr0: Cr0::from_bits_retain(self.reset_cr0),
            dr6: 0xFFFF_0FF0,
            dr7: 0x400,
            smm: SmmState {
                base: 0x3_0000,
                ..SmmState::default()
            },
            ..CpuState::default()
        };
        let selector = if self.ip_wraps { 0xFFFF } else { 0xF000 };
        s.segments[Seg::Cs as usize] = segment(selector, self.reset_vector.0, data | A::CODE);
        s.gpr[Gpr::Rdx as usize] = self.signature.into();
        if self.traits.contains(Traits::PAT) {
            // SDM vol. 3, table 12-12.
            s.msr.page_attribute_table = 0x0007_0406_0007_0406;
        }
        s.msr.performance.global_control = self.counters.reset_global_control();
        if self.msrs.contains(Msrs::AMD_CONFIGURATION) {
            s.msr.configuration.hardware = TIME_STAMP_FIXED;
        }
        if self.msrs.contains(Msrs::MISC_ENABLE) {
            // Fast strings; no branch trace, no precise events (SDM vol. 4, table 2-2).
            s.msr.misc_enable = 1 << 12 | 1 << 11 | 1;
            if self.counters.version > 0 {
                // Performance monitoring is available.
                s.msr.misc_enable |= 1 << 7;
            }
            if self.has(CpuidFeature::MONITOR) {
                s.msr.misc_enable |= MISC_ENABLE_MONITOR;
            }
        }
        // After RESET the x87 holds FINIT's control word only on later parts; the P6 starts with 0040h.
        s.x87.control = 0x0040;
        s.x87.not_empty = 0xFF;
        s
    }
}

/// The instructions on MMX registers, and the store fence, that came with SSE and that AMD's processors have without it
/// (AMD, "AMD Extensions to the 3DNow! and MMX Instruction Sets", 22466). Prefetches are hints that do nothing.
fn is_mmx_extension(code: Code) -> bool {
    matches!(
        code,
        Code::Pshufw_mm_mmm64_imm8
            | Code::Pinsrw_mm_r32m16_imm8
            | Code::Pinsrw_mm_r64m16_imm8
            | Code::Pextrw_r32_mm_imm8
            | Code::Pextrw_r64_mm_imm8
            | Code::Pmovmskb_r32_mm
            | Code::Pmovmskb_r64_mm
            | Code::Pminub_mm_mmm64
            | Code::Pmaxub_mm_mmm64
            | Code::Pavgb_mm_mmm64
            | Code::Pavgw_mm_mmm64
            | Code::Pmulhuw_mm_mmm64
            | Code::Movntq_m64_mm
            | Code::Pminsw_mm_mmm64
            | Code::Pmaxsw_mm_mmm64
            | Code::Psadbw_mm_mmm64
            | Code::Maskmovq_rDI_mm_mm
            | Code::Sfence
    )
}

/// The model of a name that tests know.
#[cfg(test)]
pub(crate) fn model(name: &str) -> &'static CpuModel {
    CpuModel::by_name(name).expect("a model")
}

/// Whether two names are the same.
const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut n = 0;
    while n < a.len() {
        if a[n] != b[n] {
            return false;
        }
        n += 1;
    }
    true
}
