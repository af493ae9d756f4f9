//! CPUID put together from what a model executes, leaf by leaf and subleaf by subleaf (SDM vol. 2, "CPUID"): a bit is
//! offered only if the feature that it stands for is there ([`super::flags`]).
//!
//! **Not implemented**: several threads and cores (leaf 4, Bh and AMD's leaves from 8000_001Dh on speak of one), leaves
//! of what no model has (thermal sensors, frequencies): zeros, as those processors
//! answer that have the leaf but not the thing.
//!
//! What depends on the state of a CPU (OSXSAVE, OSPKE, the local APIC) is added by [`crate::exec::cpuid`].

use super::CpuModel;
use crate::exec::monitor::LINE_BYTES;
use crate::simd::xsave::{COMPONENTS, area_bytes};
use iced_x86::CpuidFeature as F;

/// What a processor says of itself besides its features.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Twelve characters.
    pub vendor: &'static [u8; 12],
    /// Up to 48 characters; none: there are no leaves for them.
    pub brand: &'static str,
    /// The brand index in leaf 1, of processors before the brand string.
    pub brand_index: u8,
    /// The highest basic leaf, as far as no feature needs a higher one.
    pub basic_max: u32,
    /// The highest extended leaf, as far as no feature needs a higher one; 0: none.
    pub extended_max: u32,
    /// Leaf 2: descriptors of caches and TLBs (AP-485, table 3-7).
    pub descriptors: [u32; 4],
    /// Caches, for leaf 4, or AMD's leaves 8000_0005h and 8000_0006h.
    pub caches: &'static [Cache],
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

impl Cache {
    /// A cache of so many KiB.
    pub const fn new(kind: u32, level: u32, kib: u32, ways: u32) -> Self {
        Self {
            kind,
            level,
            ways,
            sets: kib * 1024 / 64 / ways,
        }
    }

    const fn kib(&self) -> u32 {
        self.ways * self.sets * 64 / 1024
    }
}

/// Intel's.
pub const INTEL: &[u8; 12] = b"GenuineIntel";
/// AMD's.
pub const AMD: &[u8; 12] = b"AuthenticAMD";

/// Leaf 2 of a processor whose caches leaf 4 describes; no TLB is described.
pub const CACHES_IN_LEAF_4: [u32; 4] = [0x00FF_FF01, 0, 0, 0];

/// The features of leaf 1 that AMD repeats in EDX of leaf 8000_0001h (CPUID Specification, 25481, section 2).
const REPEATED: u32 = 0x0183_F3FF;

impl Identity {
    fn is_amd(&self) -> bool {
        self.vendor == AMD
    }

    /// The highest basic leaf.
    fn basic_max(&self, model: &CpuModel) -> u32 {
        let leaves = model.flags().filter(|f| f.is_in_cpuid()).map(|f| f.leaf);
        let needed = leaves.filter(|leaf| *leaf < EXTENDED).max();
        let sizes = if model.has(F::XSAVE) { 0xD } else { 0 };
        let line = if model.has(F::MONITOR) { 5 } else { 0 };
        let needed = needed.unwrap_or(0).max(sizes).max(line);
        self.basic_max.max(needed)
    }

    /// The highest extended leaf, 0 if there is none.
    fn extended_max(&self, model: &CpuModel) -> u32 {
        let sizes = if model.has_long_mode() { LEAF_SIZES } else { 0 };
        let leaves = model.flags().filter(|f| f.is_in_cpuid()).map(|f| f.leaf);
        let needed = leaves.filter(|leaf| *leaf >= EXTENDED).max();
        self.extended_max.max(needed.unwrap_or(0)).max(sizes)
    }

    /// The leaf that answers for one: on Intel's processors beyond the highest one that one (SDM vol. 2, "CPUID").
    pub fn answering(&self, model: &CpuModel, leaf: u32) -> u32 {
        let basic = self.basic_max(model);
        if leaf <= basic || self.is_amd() || (EXTENDED..=self.extended_max(model)).contains(&leaf) {
            leaf
        } else {
            basic
        }
    }

    /// A leaf.
    pub fn leaf(&self, model: &CpuModel, leaf: u32, subleaf: u32) -> [u32; 4] {
        let leaf = self.answering(model, leaf);
        if leaf >= EXTENDED {
            return self.extended_leaf(model, leaf);
        }
        let basic = self.basic_max(model);
        match leaf {
            _ if leaf > basic => [0; 4],
            0 => {
                let [b, d, c] = [0, 4, 8].map(|n| word(self.vendor, n));
                [basic, b, c, d]
            }
            1 => {
                let mut r = features(model, leaf, 0);
                r[0] = model.signature;
                r[1] = self.brand_index.into();
                if model.has(F::CLFSH) {
                    // The line size in units of 8 bytes.
                    r[1] |= 8 << 8;
                }
                r
            }
            2 => self.descriptors,
            4 if !self.is_amd() => self.cache(subleaf),
            5 => self.monitor_leaf(model),
            7 => features(model, leaf, subleaf),
            LEAF_COUNTERS => model.counters.leaf(),
            LEAF_TOPOLOGY if !self.is_amd() => topology(subleaf),
            0xD => xsave_leaf(model, subleaf),
            _ => [0; 4],
        }
    }

    fn extended_leaf(&self, model: &CpuModel, leaf: u32) -> [u32; 4] {
        match leaf {
            _ if leaf > self.extended_max(model) => [0; 4],
            EXTENDED => {
                let [b, d, c] = match self.is_amd() {
                    true => [0, 4, 8].map(|n| word(self.vendor, n)),
                    false => [0; 3],
                };
                [self.extended_max(model), b, c, d]
            }
            0x8000_0001 => {
                let mut r = features(model, leaf, 0);
                if self.is_amd() {
                    r[0] = model.signature;
                    r[3] |= features(model, 1, 0)[3] & REPEATED;
                }
                r
            }
            0x8000_0002..=0x8000_0004 => {
                let start = 16 * (leaf - 0x8000_0002) as usize;
                let brand = self.brand.as_bytes().get(start..).unwrap_or(&[]);
                [0, 4, 8, 12].map(|n| word(brand, n))
            }
            // Size, associativity, lines a tag and line of the first-level caches: data, code. No TLB is described.
            0x8000_0005 if self.is_amd() => {
                let of = |kind| {
                    let cache = self.caches.iter().find(|c| c.level == 1 && c.kind == kind);
                    cache.map_or(0, |c| c.kib() << 24 | c.ways << 16 | 1 << 8 | 64)
                };
                [0, 0, of(1), of(2)]
            }
            // Size, associativity and line of the second-level cache.
            0x8000_0006 => {
                let second = self.caches.iter().find(|c| c.level == 2);
                let second = second.map_or(0, |c| {
                    c.kib() << 16 | associativity(c.ways) << 12 | u32::from(self.is_amd()) << 8 | 64
                });
                let third = self.caches.iter().find(|c| c.level == 3);
                let third = third.map_or(0, |c| {
                    // In units of 512 KiB.
                    (c.kib() / 512) << 18 | associativity(c.ways) << 12 | 1 << 8 | 64
                });
                let third = if self.is_amd() { third } else { 0 };
                [0, 0, second, third]
            }
            LEAF_SIZES => [model.physical_bits | model.linear_bits() << 8, 0, 0, 0],
            _ => [0; 4],
        }
    }

    /// Leaf 5: the line that MONITOR watches; MWAIT knows of masked interrupts; the sub-states of C0 (AMD's processors count
    /// one) and of C1.
    fn monitor_leaf(&self, model: &CpuModel) -> [u32; 4] {
        if !model.has(F::MONITOR) {
            return [0; 4];
        }
        let states = if self.is_amd() { 0x11 } else { 0x10 };
        [LINE_BYTES, LINE_BYTES, 3, states]
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

/// Where extended leaves begin.
const EXTENDED: u32 = 0x8000_0000;
/// The sizes of addresses.
const LEAF_SIZES: u32 = 0x8000_0008;
/// The leaf of performance counters.
const LEAF_COUNTERS: u32 = 0xA;
/// The leaf of processor topology.
pub const LEAF_TOPOLOGY: u32 = 0xB;

/// The bits of a leaf that stand for features.
fn features(model: &CpuModel, leaf: u32, subleaf: u32) -> [u32; 4] {
    let mut r = [0; 4];
    for flag in model.flags().filter(|f| f.is_in_cpuid()) {
        if (flag.leaf, flag.subleaf) == (leaf, subleaf) {
            r[flag.reg as usize] |= 1 << flag.bit;
        }
    }
    r
}

/// The code for an associativity in leaf 8000_0006h (AMD, CPUID Specification, 25481).
fn associativity(ways: u32) -> u32 {
    match ways {
        0..=2 => ways,
        3..=4 => 4,
        5..=8 => 6,
        9..=16 => 8,
        17..=32 => 0xA,
        _ => 0xF,
    }
}

/// Leaf Bh: one thread of one core. EDX, the x2APIC ID, is added by [`crate::exec::cpuid`].
fn topology(level: u32) -> [u32; 4] {
    match level {
        0 => [0, 1, 1 << 8, 0],
        1 => [0, 1, 2 << 8 | 1, 0],
        _ => [0, 0, level & 0xFF, 0],
    }
}

/// Leaf Dh: the components of XSAVE. The sizes of subleaves 0 and 1 are those for XCR0 after reset.
fn xsave_leaf(model: &CpuModel, subleaf: u32) -> [u32; 4] {
    let all = model.state_components();
    let component = COMPONENTS.iter().find(|c| c.number == subleaf);
    match (subleaf, component) {
        _ if all == 0 => [0; 4],
        (0, _) => [
            all as u32,
            area_bytes(0, false),
            area_bytes(all, false),
            (all >> 32) as u32,
        ],
        (1, _) => {
            let mut r = features(model, 0xD, 1);
            r[1] = area_bytes(0, true);
            r
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
    use crate::models::{Features, Traits};
    use emu_core::x86::Cr4;

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
        model.features = Features::of(&[F::FPU, F::FPU287, F::FPU387, F::CMOV]);
        model.cr4 = Cr4::PGE.bits();
        model.efer = 0;
        model.traits = Traits::APIC | Traits::MTRR | Traits::MCA | Traits::PAT | Traits::PSE36;
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
