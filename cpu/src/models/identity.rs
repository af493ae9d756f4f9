//! CPUID put together from what a model executes, leaf by leaf and subleaf by subleaf (SDM vol. 2, "CPUID"): a bit is
//! offered only if its feature is in the model's list, or its control-register bit exists.
//!
//! What depends on the state of a CPU (OSXSAVE, OSPKE, the local APIC) is added by [`crate::exec::cpuid`].

use super::CpuModel;
use crate::simd::xsave::{COMPONENTS, area_bytes};
use emu_core::x86::{Cr4, Efer};
use iced_x86::CpuidFeature as F;

/// What a processor says of itself besides its features.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Twelve characters.
    pub vendor: [u8; 12],
    /// Up to 48 characters.
    pub brand: &'static str,
    /// Caches.
    pub caches: &'static [Cache],
    /// Bits of a linear address.
    pub linear_bits: u32,
}

/// A cache, as leaf 4 describes it.
#[derive(Clone, Debug)]
pub struct Cache {
    /// 1 data, 2 code, 3 both.
    pub kind: u32,
    /// 1 to 3.
    pub level: u32,
    /// Associativity.
    pub ways: u32,
    /// Sets of lines of 64 bytes.
    pub sets: u32,
}

/// EAX to EDX.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Reg {
    B = 1,
    C = 2,
    D = 3,
}

/// The bits of leaf 1 (SDM vol. 2, tables 3-10 and 3-11), leaf 7 and leaf 8000_0001h that stand for instructions.
const INSTRUCTIONS: &[(u32, Reg, u32, &[F])] = &[
    (1, Reg::D, 0, &[F::FPU]),
    (1, Reg::D, 4, &[F::TSC]),
    (1, Reg::D, 5, &[F::MSR]),
    (1, Reg::D, 8, &[F::CX8]),
    (1, Reg::D, 11, &[F::SEP]),
    (1, Reg::D, 15, &[F::CMOV]),
    (1, Reg::D, 19, &[F::CLFSH]),
    (1, Reg::D, 23, &[F::MMX]),
    (1, Reg::D, 24, &[F::FXSR]),
    (1, Reg::D, 25, &[F::SSE]),
    (1, Reg::D, 26, &[F::SSE2]),
    (1, Reg::C, 0, &[F::SSE3]),
    (1, Reg::C, 1, &[F::PCLMULQDQ]),
    (1, Reg::C, 3, &[F::MONITOR]),
    (1, Reg::C, 9, &[F::SSSE3]),
    (1, Reg::C, 12, &[F::FMA]),
    (1, Reg::C, 13, &[F::CMPXCHG16B]),
    (1, Reg::C, 19, &[F::SSE4_1]),
    (1, Reg::C, 20, &[F::SSE4_2]),
    (1, Reg::C, 22, &[F::MOVBE]),
    (1, Reg::C, 23, &[F::POPCNT]),
    (1, Reg::C, 25, &[F::AES]),
    (1, Reg::C, 26, &[F::XSAVE]),
    (1, Reg::C, 28, &[F::AVX]),
    (1, Reg::C, 29, &[F::F16C]),
    (1, Reg::C, 30, &[F::RDRAND]),
    (7, Reg::B, 0, &[F::FSGSBASE]),
    (7, Reg::B, 3, &[F::BMI1]),
    (7, Reg::B, 5, &[F::AVX2]),
    (7, Reg::B, 8, &[F::BMI2]),
    (7, Reg::B, 10, &[F::INVPCID]),
    (7, Reg::B, 18, &[F::RDSEED]),
    (7, Reg::B, 19, &[F::ADX]),
    (7, Reg::B, 20, &[F::SMAP]),
    (7, Reg::B, 23, &[F::CLFLUSHOPT]),
    (7, Reg::B, 24, &[F::CLWB]),
    (7, Reg::B, 29, &[F::SHA]),
    (7, Reg::C, 3, &[F::PKU]),
    (7, Reg::C, 9, &[F::VAES]),
    (7, Reg::C, 10, &[F::VPCLMULQDQ]),
    (7, Reg::C, 22, &[F::RDPID]),
    (0x8000_0001, Reg::C, 0, &[F::X64]),
    (0x8000_0001, Reg::C, 5, &[F::LZCNT]),
    (0x8000_0001, Reg::C, 6, &[F::SSE4A]),
    (0x8000_0001, Reg::C, 8, &[F::PREFETCHW]),
    (0x8000_0001, Reg::D, 11, &[F::SYSCALL]),
    (0x8000_0001, Reg::D, 27, &[F::RDTSCP]),
    (0x8000_0001, Reg::D, 29, &[F::X64]),
    (0x8000_0001, Reg::D, 30, &[F::D3NOWEXT]),
    (0x8000_0001, Reg::D, 31, &[F::D3NOW]),
];

/// The bits that stand for what a bit of CR4 switches.
const CONTROLS: &[(u32, Reg, u32, Cr4)] = &[
    (1, Reg::D, 1, Cr4::VME),
    (1, Reg::D, 2, Cr4::DE),
    (1, Reg::D, 3, Cr4::PSE),
    (1, Reg::D, 6, Cr4::PAE),
    (1, Reg::D, 7, Cr4::MCE),
    (1, Reg::D, 13, Cr4::PGE),
    (1, Reg::C, 17, Cr4::PCIDE),
    (7, Reg::B, 7, Cr4::SMEP),
    (7, Reg::C, 2, Cr4::UMIP),
    (7, Reg::C, 16, Cr4::LA57),
];

/// The highest extended leaf.
const EXTENDED_MAX: u32 = 0x8000_0008;

impl Identity {
    /// The highest basic leaf.
    fn basic_max(&self, model: &CpuModel) -> u32 {
        if model.has(F::XSAVE) { 0xD } else { 7 }
    }

    /// The leaf that answers for one: beyond the highest one that one.
    pub fn answering(&self, model: &CpuModel, leaf: u32) -> u32 {
        if (0x8000_0000..=EXTENDED_MAX).contains(&leaf) {
            leaf
        } else {
            leaf.min(self.basic_max(model))
        }
    }

    /// A leaf.
    pub fn leaf(&self, model: &CpuModel, leaf: u32, subleaf: u32) -> [u32; 4] {
        let leaf = self.answering(model, leaf);
        match leaf {
            0 => {
                let [b, d, c] = [0, 4, 8].map(|n| word(&self.vendor, n));
                [self.basic_max(model), b, c, d]
            }
            1 => {
                let mut r = self.features(model, leaf);
                r[0] = model.signature;
                if model.has(F::CLFSH) {
                    // The line size in units of 8 bytes.
                    r[1] = 8 << 8;
                }
                // The local APIC and its TSC deadline, where the board has one.
                r[2] |= 1 << 24;
                r[3] |= 1 << 9;
                // MTRR and MCA; PAT and PSE-36.
                r[3] |= 1 << 12 | 1 << 14;
                r[3] |= u32::from(model.paging.attribute_table) << 16;
                r[3] |= u32::from(model.paging.pse_36) << 17;
                r
            }
            // Leaf 4 describes the caches; no TLB is described.
            2 => [0x00FF_FF01, 0, 0, 0],
            4 => self.cache(subleaf),
            7 if subleaf == 0 => self.features(model, leaf),
            0xD => xsave_leaf(model, subleaf),
            0x8000_0000 => [EXTENDED_MAX, 0, 0, 0],
            0x8000_0001 => {
                let mut r = self.features(model, leaf);
                r[3] |= u32::from(model.efer & Efer::NXE.bits() != 0) << 20;
                r[3] |= u32::from(model.paging.giant) << 26;
                r
            }
            0x8000_0002..=0x8000_0004 => {
                let start = 16 * (leaf - 0x8000_0002) as usize;
                let brand = self.brand.as_bytes().get(start..).unwrap_or(&[]);
                [0, 4, 8, 12].map(|n| word(brand, n))
            }
            // Size, associativity (6: 8 ways) and line of the second-level cache.
            0x8000_0006 => {
                let bytes = |c: &Cache| c.ways * c.sets * 64;
                let second = self.caches.iter().find(|c| c.level == 2).map_or(0, bytes);
                [0, 0, (second / 1024) << 16 | 6 << 12 | 64, 0]
            }
            0x8000_0008 => [model.physical_bits | self.linear_bits << 8, 0, 0, 0],
            _ => [0; 4],
        }
    }

    fn features(&self, model: &CpuModel, leaf: u32) -> [u32; 4] {
        let mut r = [0; 4];
        for (l, reg, bit, features) in INSTRUCTIONS {
            if *l == leaf && features.iter().all(|f| model.has(*f)) {
                r[*reg as usize] |= 1 << bit;
            }
        }
        for (l, reg, bit, control) in CONTROLS {
            if *l == leaf && model.cr4 & control.bits() != 0 {
                r[*reg as usize] |= 1 << bit;
            }
        }
        r
    }

    fn cache(&self, n: u32) -> [u32; 4] {
        let Some(c) = self.caches.get(n as usize) else {
            return [0; 4];
        };
        [
            // Self-initialising.
            c.kind | c.level << 5 | 1 << 8,
            63 | (c.ways - 1) << 22,
            c.sets - 1,
            0,
        ]
    }
}

/// Leaf Dh: the components of XSAVE. The sizes of subleaves 0 and 1 are those for XCR0 after reset.
fn xsave_leaf(model: &CpuModel, subleaf: u32) -> [u32; 4] {
    let all = model.state_components();
    let component = COMPONENTS.iter().find(|c| c.number == subleaf);
    match (subleaf, component) {
        (0, _) => [
            all as u32,
            area_bytes(0, false),
            area_bytes(all, false),
            (all >> 32) as u32,
        ],
        (1, _) => {
            let bit = |feature, bit: u32| u32::from(model.has(feature)) << bit;
            let a = bit(F::XSAVEOPT, 0) | bit(F::XSAVEC, 1) | bit(F::XSAVEC, 2) | bit(F::XSAVES, 3);
            [a, area_bytes(0, true), 0, 0]
        }
        (_, Some(c)) if all >> c.number & 1 != 0 => [c.bytes, c.at, 0, 0],
        _ => [0; 4],
    }
}

/// Four characters as a register holds them; zeros behind the end.
fn word(text: &[u8], at: usize) -> u32 {
    let byte = |n: usize| text.get(at + n).copied().unwrap_or(0);
    u32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn max() -> &'static CpuModel {
        CpuModel::by_name("max").expect("the model")
    }

    #[test]
    fn the_brand_and_the_vendor_are_read_in_order() {
        let [highest, b, c, d] = max().cpuid(0, 0);
        assert!(highest >= 7);
        let vendor: Vec<u8> = [b, d, c].iter().flat_map(|r| r.to_le_bytes()).collect();
        assert_eq!(vendor, b"GenuineIntel");
        let brand: Vec<u8> = (0x8000_0002..=0x8000_0004)
            .flat_map(|leaf| max().cpuid(leaf, 0))
            .flat_map(u32::to_le_bytes)
            .take_while(|b| *b != 0)
            .collect();
        assert_eq!(String::from_utf8_lossy(&brand), "Boxwood Virtual CPU max");
    }

    #[test]
    fn features_are_offered_exactly_if_they_are_listed() {
        let mut model = max().clone();
        assert_ne!(model.cpuid(7, 0)[1] & 1 << 8, 0, "BMI2");
        assert_ne!(model.cpuid(0x8000_0001, 0)[3] & 1 << 29, 0, "long mode");
        model.features = &[F::FPU, F::CMOV];
        model.cr4 = Cr4::PGE.bits();
        model.efer = 0;
        assert_eq!(model.cpuid(7, 0), [0; 4]);
        assert_eq!(model.cpuid(0x8000_0001, 0)[3] & (1 << 29 | 1 << 20), 0);
        // FPU; APIC, MTRR, PGE, MCA, CMOV, PAT, PSE-36.
        assert_eq!(model.cpuid(1, 0)[3], 0x0003_F201);
        assert_eq!(model.cpuid(7, 1), [0; 4]);
    }

    #[test]
    fn address_sizes_are_those_that_paging_has() {
        assert_eq!(max().cpuid(0x8000_0008, 0)[0], 57 << 8 | 40);
        assert_eq!(max().cpuid(0x8000_0000, 0)[0], 0x8000_0008);
    }

    #[test]
    fn a_leaf_beyond_the_highest_answers_as_the_highest_basic_one() {
        for leaf in [0x20, 0x4000_0000, 0x8000_0009, u32::MAX] {
            let highest = max().cpuid(0, 0)[0];
            assert_eq!(max().cpuid(leaf, 0), max().cpuid(highest, 0));
        }
    }
}
