//! CPU models as data: what each offers, how it starts, where it differs.

mod i80286;
mod i8086;
mod identity;
mod max;
mod p6;

use crate::x87::Generation;
use emu_core::x86::CpuState;
use iced_x86::{CpuidFeature, Instruction};
pub use identity::Identity;

/// A processor before the 80386: its decoder, its arithmetic and its string instructions are its own.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Processor {
    /// Intel 8086: every byte sequence does something, and there is no limit to prefixes.
    I8086,
    /// Intel 80286.
    I80286,
}

/// Properties of paging that no control-register bit stands for.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Paging {
    /// 4 MiB pages reach beyond 4 GiB.
    pub pse_36: bool,
    /// The page attribute table: IA32_PAT and the PAT bit of entries.
    pub attribute_table: bool,
    /// 1 GiB pages.
    pub giant: bool,
}

/// A CPU model.
#[derive(Clone, Debug)]
pub struct CpuModel {
    /// The name on the command line.
    pub name: &'static str,
    /// What it is.
    pub description: &'static str,
    /// Instruction groups that it executes, as iced-x86 names them.
    pub features: &'static [CpuidFeature],
    /// Set for a model before the 80386.
    pub processor: Option<Processor>,
    /// CPUID leaves from 0 on; empty: no CPUID, or that of `identity`.
    pub cpuid: &'static [[u32; 4]],
    /// What CPUID says where it is put together from the model's features.
    pub identity: Option<&'static Identity>,
    /// The floating-point unit.
    pub fpu: Generation,
    /// The instruction pointer wraps at 16 bits, and word accesses at the end of a segment wrap to its start.
    pub ip_wraps: bool,
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
    /// CR4 bits that exist.
    pub cr4: u64,
    /// IA32_EFER bits that exist; 0: the register does not.
    pub efer: u64,
    /// Properties of paging that no control-register bit stands for.
    pub paging: Paging,
    /// CR0 after reset.
    pub reset_cr0: u64,
    /// The limit of the interrupt descriptor table after reset.
    pub reset_idt_limit: u16,
    /// Where execution starts: CS base and instruction pointer.
    pub reset_vector: (u64, u64),
}

impl CpuModel {
    /// All models.
    pub const ALL: &'static [&'static Self] = &[
        &i8086::MODEL,
        &i8086::WITH_8087,
        &i80286::MODEL,
        &i80286::WITH_80287,
        &p6::MODEL,
        &max::MODEL,
    ];
    /// The model that a machine has when none is named.
    pub const DEFAULT: &'static Self = &p6::MODEL;

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

    /// Whether an instruction group is executed.
    pub fn has(&self, feature: CpuidFeature) -> bool {
        self.features.contains(&feature)
    }

    /// Whether there is a floating-point unit.
    pub fn has_fpu(&self) -> bool {
        self.features.contains(&CpuidFeature::FPU)
    }

    /// Whether the model executes an instruction; one that it does not is undefined on it.
    pub fn offers(&self, insn: &Instruction) -> bool {
        insn.cpuid_features()
            .iter()
            .all(|f| self.features.contains(f))
    }

    /// The CPUID leaf that answers for one.
    pub fn answering_leaf(&self, leaf: u32) -> u32 {
        self.identity
            .map_or(leaf, |identity| identity.answering(self, leaf))
    }

    /// A CPUID leaf. Beyond the highest basic leaf the highest one answers (SDM vol. 2, "CPUID").
    pub fn cpuid(&self, leaf: u32, subleaf: u32) -> [u32; 4] {
        if let Some(identity) = self.identity {
            return identity.leaf(self, leaf, subleaf);
        }
        self.cpuid
            .get(leaf as usize)
            .or(self.cpuid.last())
            .copied()
            .unwrap_or_default()
    }

    /// The state after reset (SDM vol. 3, table 10-1).
    pub fn reset_state(&self) -> CpuState {
        use emu_core::x86::{Cr0, DescriptorTable, Gpr, Rflags, Seg, SegmentAttributes as A};
        use emu_core::x86::{SegmentRegister, Selector};
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
            ..CpuState::default()
        };
        let selector = if self.ip_wraps { 0xFFFF } else { 0xF000 };
        s.segments[Seg::Cs as usize] = segment(selector, self.reset_vector.0, data | A::CODE);
        s.gpr[Gpr::Rdx as usize] = self.signature.into();
        if self.paging.attribute_table {
            // SDM vol. 3, table 12-12.
            s.msr.page_attribute_table = 0x0007_0406_0007_0406;
        }
        if self.identity.is_some() {
            // Fast strings; no branch trace, no precise events (SDM vol. 4, table 2-2).
            s.msr.misc_enable = 1 << 12 | 1 << 11 | 1;
        }
        // After RESET the x87 holds FINIT's control word only on later parts; the P6 starts with 0040h.
        s.x87.control = 0x0040;
        s.x87.not_empty = 0xFF;
        s
    }
}
