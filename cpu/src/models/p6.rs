//! The P6 family (a Pentium II without MMX): what Boxwood's other 32-bit models are measured from.
//!
//! The local APIC is the board's: where there is none, CPUID's bit is off.
//!
//! **The real chip also has** MMX: its CPUID bit is off here, so software sees a part without it.
//! It has performance counters, last-branch records and system management mode, which no CPUID bit announces: see
//! [`crate::exec::msr`] and [`crate::exec::system`].

use super::CpuModel;
use crate::x87::Generation;
use iced_x86::CpuidFeature as F;

/// CPUID leaf 1, EDX (Intel, AP-485 "Intel Processor Identification and the CPUID Instruction", table 3-5).
mod feature {
    pub const FPU: u32 = 1 << 0;
    pub const VME: u32 = 1 << 1;
    pub const DE: u32 = 1 << 2;
    pub const PSE: u32 = 1 << 3;
    pub const TSC: u32 = 1 << 4;
    pub const MSR: u32 = 1 << 5;
    pub const PAE: u32 = 1 << 6;
    pub const MCE: u32 = 1 << 7;
    pub const CX8: u32 = 1 << 8;
    pub const APIC: u32 = 1 << 9;
    pub const SEP: u32 = 1 << 11;
    pub const MTRR: u32 = 1 << 12;
    pub const PGE: u32 = 1 << 13;
    pub const MCA: u32 = 1 << 14;
    pub const CMOV: u32 = 1 << 15;
    pub const ALL: u32 =
        FPU | VME | DE | PSE | TSC | MSR | PAE | MCE | CX8 | APIC | SEP | MTRR | PGE | MCA | CMOV;
}

/// Family 6, model 1, stepping 9. (SYSENTER works from model 3, stepping 3 on; model 3 stepping 4 is the first
/// Pentium II that offers it, so that is the signature.)
const SIGNATURE: u32 = 0x0634;

/// The model.
pub static MODEL: CpuModel = CpuModel {
    name: "p6",
    description: "Intel P6 family (Pentium II class, without MMX)",
    features: &[
        F::INTEL8086,
        F::INTEL186,
        F::INTEL286,
        F::INTEL386,
        F::INTEL486,
        F::CPUID,
        F::CMOV,
        F::CX8,
        F::TSC,
        F::MSR,
        F::RDPMC,
        F::SEP,
        F::FPU,
        F::FPU287,
        F::FPU387,
        F::MULTIBYTENOP,
        F::PAUSE,
        F::SMM,
    ],
    processor: None,
    cpuid: &[
        // "GenuineIntel" in EBX, EDX, ECX.
        [2, 0x756E_6547, 0x6C65_746E, 0x4965_6E69],
        [SIGNATURE, 0, 0, feature::ALL],
        // Caches and TLBs (AP-485, table 3-7): one query tells all. Code TLB of 32 entries, 2 for large pages; 16 KiB
        // code cache; data TLB of 64 entries, 8 for large pages; 16 KiB data cache; 512 KiB second-level cache.
        [0x0302_0101, 0, 0, 0x0C04_0843],
    ],
    identity: None,
    fpu: Generation::I80387,
    ip_wraps: false,
    prefetch_bytes: 0,
    physical_bits: 36,
    signature: SIGNATURE,
    flags_fixed: 0x0000_0002,
    flags_writable: 0x003F_7FD5,
    cr0: 0xE005_003F,
    // VME, PVI, TSD, DE, PSE, PAE, MCE, PGE, PCE.
    cr4: 0x0000_01FF,
    efer: 0,
    paging: super::Paging {
        pse_36: false,
        attribute_table: false,
        giant: false,
    },
    reset_cr0: 0x6000_0010,
    reset_idt_limit: 0xFFFF,
    reset_vector: (0xFFFF_0000, 0xFFF0),
};
