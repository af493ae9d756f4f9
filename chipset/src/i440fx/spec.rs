//! Registers of the 82441FX: Intel 440FX PCIset, 82441FX PCI and Memory Controller (PMC), order number 290549,
//! chapter 3 ("Register description").

use bitflags::bitflags;

/// Vendor ID: Intel.
pub const VENDOR: u16 = 0x8086;
/// Device ID.
pub const DEVICE: u16 = 0x1237;
/// Revision ID: the B stepping.
pub const REVISION: u8 = 0x02;

/// CONFADD, the configuration address register: doubleword accesses only (section 3.1).
pub const PORT_CONFADD: u16 = 0xCF8;
/// CONFDATA, the configuration data window.
pub const PORT_CONFDATA: u16 = 0xCFC;
/// Bit 31 of CONFADD: configuration space is mapped.
pub const CONFADD_ENABLE: u32 = 1 << 31;
/// The bits of CONFADD that exist: enable, bus, device, function, register.
pub const CONFADD_MASK: u32 = 0x80FF_FFFC;

/// PMCCFG, PMC configuration, 16 bits: bit 15 WSC protocol enable, bits 9-8 host frequency, bit 6 ECC test, bits
/// 5-4 data integrity mode; bit 14 (row select) and bit 2 (in-order queue depth) are strapped.
pub const PMCCFG: u8 = 0x50;
/// The writable bits of [`PMCCFG`].
pub const PMCCFG_MASK: u16 = 0x8370;
/// DETURBO, deturbo counter.
pub const DETURBO: u8 = 0x53;
/// DRT, DRAM row type, 16 bits: two for each of eight rows.
pub const DRT: u8 = 0x55;
/// DRAMC, DRAM control: refresh rate and type, EDO detection.
pub const DRAMC: u8 = 0x57;
/// The writable bits of [`DRAMC`].
pub const DRAMC_MASK: u8 = 0x37;
/// DRAMT, DRAM timing.
pub const DRAMT: u8 = 0x58;
/// The writable bits of [`DRAMT`].
pub const DRAMT_MASK: u8 = 0x7F;
/// PAM0 to PAM6, programmable attribute map.
pub const PAM: u8 = 0x59;
/// Each PAM register has two halves with a read and a write enable.
pub const PAM_MASK: u8 = 0x33;
/// Read enable in a half of a PAM register: reads go to DRAM.
pub const PAM_READ: u8 = 1 << 0;
/// Write enable in a half of a PAM register: writes go to DRAM.
pub const PAM_WRITE: u8 = 1 << 1;
/// DRB0 to DRB7, DRAM row boundary in units of 8 MiB.
pub const DRB: u8 = 0x60;
/// FDHC, fixed DRAM hole control: bits 7-6.
pub const FDHC: u8 = 0x68;
/// The writable bits of [`FDHC`].
pub const FDHC_MASK: u8 = 0xC0;
/// MTT, multi-transaction timer.
pub const MTT: u8 = 0x70;
/// CLT, CPU latency timer.
pub const CLT: u8 = 0x71;
/// SMRAM control; see [`Smram`].
pub const SMRAM: u8 = 0x72;
/// ERRCMD, error command.
pub const ERRCMD: u8 = 0x90;
/// The writable bits of [`ERRCMD`].
pub const ERRCMD_MASK: u8 = 0x1B;
/// ERRSTS, error status: bit 4 multi-bit, bit 0 single-bit error, cleared by writing 1.
pub const ERRSTS: u8 = 0x91;
/// The bits of [`ERRSTS`] that are cleared by writing 1.
pub const ERRSTS_CLEAR: u8 = 0x11;
/// TRC, turbo and reset control; see [`TurboReset`].
pub const TRC: u8 = 0x93;

bitflags! {
    /// System management RAM control (section "SMRAM"). The low three bits, C_BASE_SEG, always read 010b: A0000h.
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct Smram: u8 {
        /// D_OPEN: SMRAM is visible outside SMM.
        const OPEN = 1 << 6;
        /// D_CLS: SMRAM is closed to data references, also in SMM.
        const CLOSED = 1 << 5;
        /// D_LCK: clears D_OPEN and makes it and itself read only until reset.
        const LOCK = 1 << 4;
        /// G_SMRAME: SMRAM exists.
        const ENABLE = 1 << 3;
    }
}

/// C_BASE_SEG: A0000h to BFFFFh.
pub const SMRAM_BASE_SEGMENT: u8 = 0b010;
/// Where SMRAM lies.
pub const SMRAM_BASE: u64 = 0xA_0000;
/// Its length.
pub const SMRAM_BYTES: u64 = 0x2_0000;

bitflags! {
    /// Turbo and reset control (section "TRC").
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct TurboReset: u8 {
        /// The CPU's built-in self test runs at the next hard reset.
        const BIST = 1 << 3;
        /// Reset CPU: a change from 0 to 1 resets.
        const RESET_CPU = 1 << 2;
        /// That reset is hard instead of soft (INIT).
        const HARD = 1 << 1;
        /// Deturbo mode.
        const DETURBO = 1 << 0;
    }
}

/// A hole in DRAM that FDHC opens: (first address, length).
pub const fn hole(fdhc: u8) -> Option<(u64, u64)> {
    match fdhc >> 6 {
        1 => Some((512 << 10, 128 << 10)),
        2 => Some((15 << 20, 1 << 20)),
        _ => None,
    }
}

/// The segments of the thirteen PAM fields: (register, upper half, first address, length).
pub const PAM_SEGMENTS: [(u8, bool, u64, u64); 13] = [
    (0, true, 0xF_0000, 0x1_0000),
    (1, false, 0xC_0000, 0x4000),
    (1, true, 0xC_4000, 0x4000),
    (2, false, 0xC_8000, 0x4000),
    (2, true, 0xC_C000, 0x4000),
    (3, false, 0xD_0000, 0x4000),
    (3, true, 0xD_4000, 0x4000),
    (4, false, 0xD_8000, 0x4000),
    (4, true, 0xD_C000, 0x4000),
    (5, false, 0xE_0000, 0x4000),
    (5, true, 0xE_4000, 0x4000),
    (6, false, 0xE_8000, 0x4000),
    (6, true, 0xE_C000, 0x4000),
];
