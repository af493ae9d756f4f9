//! Registers of the 82371AB's function 3: Intel 82371AB PCI-to-ISA / IDE Xcelerator (PIIX4), order number 290562,
//! chapter 7 ("Power management PCI configuration and I/O registers").

use bitflags::bitflags;
use emu_core::Frequency;

/// Vendor ID: Intel.
pub const VENDOR: u16 = 0x8086;
/// Device ID.
pub const DEVICE: u16 = 0x7113;

/// The power management timer's clock: 14.31818 MHz divided by 4.
pub const TIMER_HZ: Frequency = Frequency::ratio(315_000_000, 22 * 4);
/// Its counter has 24 bits.
pub const TIMER_MASK: u32 = 0x00FF_FFFF;
/// TMROF_STS is set whenever the counter's highest bit changes: every 2^23 clocks.
pub const TIMER_HALF: u64 = 1 << 23;

/// PMBASE: where the power management registers stand, bits 15-6; bit 0 reads 1.
pub const PMBASE: u8 = 0x40;
/// The writable bits of [`PMBASE`] and their places.
pub const PMBASE_MASK: u32 = 0xFFC0;
/// CNTA to GPICTL: idle timers, clock control, general-purpose input control (44h to 4Fh).
pub const CNTA: u8 = 0x44;
/// DEVRESD, then DEVACTA, DEVACTB and DEVRESA to DEVRESJ (50h to 7Fh).
pub const DEVRESD: u8 = 0x50;
/// DEVACTB, 32 bits.
pub const DEVACTB: u8 = 0x58;
/// Bit 25 of [`DEVACTB`]: a write to APMC requests an SMI.
pub const APMC_EN: u32 = 1 << 25;
/// PMREGMISC: bit 0, PMIOSE, opens the I/O space at [`PMBASE`].
pub const PMREGMISC: u8 = 0x80;
/// See [`PMREGMISC`].
pub const PMIOSE: u8 = 1 << 0;
/// SMBBA: where the SMBus registers stand, bits 15-4; bit 0 reads 1.
pub const SMBBA: u8 = 0x90;
/// The writable bits of [`SMBBA`].
pub const SMBBA_MASK: u32 = 0xFFF0;
/// SMBHSTCFG: bits 3-1 interrupt select, bit 0 host enable.
pub const SMBHSTCFG: u8 = 0xD2;
/// Bit 0 of [`SMBHSTCFG`].
pub const SMB_HST_EN: u8 = 1 << 0;
/// SMBSLVC, SMBSHDW1, SMBSHDW2: slave command and shadow ports.
pub const SMBSLVC: u8 = 0xD3;
/// SMBREV: revision 0.
pub const SMBREV: u8 = 0xD6;

/// The interrupt select of [`SMBHSTCFG`].
pub const fn smbus_interrupt(config: u8) -> SmbusInterrupt {
    match (config >> 1) & 7 {
        0 => SmbusInterrupt::Smi,
        4 => SmbusInterrupt::Irq9,
        _ => SmbusInterrupt::Reserved,
    }
}

/// Where the SMBus controller's interrupt goes.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum SmbusInterrupt {
    /// SMI#.
    Smi,
    /// The interrupt line (IRQ 9).
    Irq9,
    /// Reserved values: nowhere.
    Reserved,
}

/// Length of the I/O space at [`PMBASE`].
pub const PM_BYTES: u16 = 0x40;
/// Length of the I/O space at [`SMBBA`].
pub const SMBUS_BYTES: u16 = 0x10;

/// Offsets of the power management registers.
pub mod pm {
    /// PMSTS, 16 bits.
    pub const STATUS: u8 = 0x00;
    /// PMEN, 16 bits.
    pub const ENABLE: u8 = 0x02;
    /// PMCNTRL, 16 bits.
    pub const CONTROL: u8 = 0x04;
    /// PMTMR, 24 bits, read only.
    pub const TIMER: u8 = 0x08;
    /// GPSTS, 16 bits.
    pub const GP_STATUS: u8 = 0x0C;
    /// GPEN, 16 bits.
    pub const GP_ENABLE: u8 = 0x0E;
    /// PCNTRL, 32 bits.
    pub const PROCESSOR: u8 = 0x10;
    /// PLVL2 and PLVL3: reads enter a clock state.
    pub const LEVEL_2: u8 = 0x14;
    /// GLBSTS, 16 bits.
    pub const GLOBAL_STATUS: u8 = 0x18;
    /// DEVSTS, 32 bits.
    pub const DEVICE_STATUS: u8 = 0x1C;
    /// GLBEN, 16 bits.
    pub const GLOBAL_ENABLE: u8 = 0x20;
    /// GLBCTL, 32 bits.
    pub const GLOBAL_CONTROL: u8 = 0x28;
    /// DEVCTL, 32 bits.
    pub const DEVICE_CONTROL: u8 = 0x2C;
    /// GPIREG, 24 bits, read only.
    pub const GP_INPUTS: u8 = 0x30;
    /// GPOREG, 32 bits.
    pub const GP_OUTPUTS: u8 = 0x34;
}

bitflags! {
    /// PMSTS (cleared by writing 1) and, where the same bits exist, PMEN.
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct PmEvents: u16 {
        /// RSM_STS: a resume event.
        const RESUME = 1 << 15;
        /// PWRBTNOR_STS: the power button was held for four seconds.
        const POWER_BUTTON_OVERRIDE = 1 << 11;
        /// RTC_STS: the RTC's interrupt rose.
        const RTC = 1 << 10;
        /// PWRBTN_STS: the power button was pressed.
        const POWER_BUTTON = 1 << 8;
        /// GBL_STS: BIOS_RLS was written.
        const GLOBAL = 1 << 5;
        /// BM_STS: a bus master was active.
        const BUS_MASTER = 1 << 4;
        /// TMROF_STS: the timer's highest bit changed.
        const TIMER = 1 << 0;
    }
}

/// The bits of PMEN that exist: RTC_EN, PWRBTN_EN, GBL_EN, TMROF_EN.
pub const PM_ENABLE_MASK: u16 = 0x0521;

bitflags! {
    /// PMCNTRL. Bits 12-10 are the suspend type.
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct PmControl: u16 {
        /// SUS_EN, write only: enter the state that the suspend type names.
        const SUSPEND = 1 << 13;
        /// GBL_RLS, write only: sets BIOS_STS.
        const GLOBAL_RELEASE = 1 << 2;
        /// BRLD_EN_BM: bus masters reload the burst timer.
        const BUS_MASTER_RELOAD = 1 << 1;
        /// SCI_EN: events raise SCI (else SMI).
        const SCI = 1 << 0;
    }
}

/// The bits of PMCNTRL that keep what is written: SUS_TYP, BRLD_EN_BM, SCI_EN.
pub const PM_CONTROL_MASK: u16 = 0x1C03;
/// SUS_TYP's place in PMCNTRL.
pub const fn suspend_type(control: u16) -> u16 {
    (control >> 10) & 7
}
/// SUS_TYP: soft off or suspend to disk.
pub const SUSPEND_SOFT_OFF: u16 = 0;

/// GPSTS: LID_STS, RI_STS, GPI_STS, USB_STS, THRM_STS, cleared by writing 1. GPEN has the same bits.
pub const GP_MASK: u16 = 0x0F01;

/// PCNTRL's writable bits: clock control enables (17-9) and throttling (4-1).
pub const PROCESSOR_MASK: u32 = 0x0003_FE1E;

bitflags! {
    /// GLBSTS: causes of an SMI.
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct GlobalStatus: u16 {
        /// IRQ_RSM_STS, cleared by writing 1.
        const IRQ_RESUME = 1 << 11;
        /// EXTSMI_STS, cleared by writing 1.
        const EXTSMI = 1 << 10;
        /// GSTBY_STS, cleared by writing 1.
        const STANDBY = 1 << 8;
        /// GP_STS: an enabled bit of GPSTS is set (read only).
        const GENERAL_PURPOSE = 1 << 7;
        /// PM1_STS: an enabled bit of PMSTS is set (read only).
        const PM1 = 1 << 6;
        /// APM_STS: APMC was written, cleared by writing 1.
        const APM = 1 << 5;
        /// DEV_STS: a bit of DEVSTS is set (read only).
        const DEVICE = 1 << 4;
        /// LEGACY_USB_STS (read only).
        const LEGACY_USB = 1 << 1;
        /// BIOS_STS: GBL_RLS was written, cleared by writing 1.
        const BIOS = 1 << 0;
    }
}

/// The bits of GLBSTS that are cleared by writing 1.
pub const GLOBAL_STATUS_CLEAR: u16 = 0x0D21;
/// The bits of GLBEN that exist.
pub const GLOBAL_ENABLE_MASK: u16 = 0x0D03;
/// GLBEN bit 1, BIOS_EN: GBL_RLS requests an SMI.
pub const BIOS_EN: u16 = 1 << 1;
/// GLBCTL bit 0, SMI_EN.
pub const SMI_EN: u32 = 1 << 0;
/// GLBCTL bit 1, BIOS_RLS, write only: sets GBL_STS.
pub const BIOS_RLS: u32 = 1 << 1;
/// The bits of GLBCTL that keep what is written: polarities, the standby timer, EOS, SMI_EN.
pub const GLOBAL_CONTROL_MASK: u32 = 0x0705_FF05;
/// DEVCTL's writable bits.
pub const DEVICE_CONTROL_MASK: u32 = 0x1FFF_FFFF;
/// GPOREG after reset.
pub const GP_OUTPUTS_RESET: u32 = 0x7FFF_BFFF;
/// GPOREG's writable bits: GPO 0 to 30.
pub const GP_OUTPUTS_MASK: u32 = 0x7FFF_FFFF;

/// Offsets of the SMBus registers.
pub mod smbus {
    /// SMBHSTSTS.
    pub const HOST_STATUS: u8 = 0x0;
    /// SMBSLVSTS.
    pub const SLAVE_STATUS: u8 = 0x1;
    /// SMBHSTCNT.
    pub const HOST_CONTROL: u8 = 0x2;
    /// SMBHSTCMD.
    pub const HOST_COMMAND: u8 = 0x3;
    /// SMBHSTADD.
    pub const HOST_ADDRESS: u8 = 0x4;
    /// SMBHSTDAT0.
    pub const HOST_DATA_0: u8 = 0x5;
    /// SMBHSTDAT1.
    pub const HOST_DATA_1: u8 = 0x6;
    /// SMBBLKDAT.
    pub const BLOCK_DATA: u8 = 0x7;
    /// SMBSLVCNT.
    pub const SLAVE_CONTROL: u8 = 0x8;
    /// SMBSLVEVT, 16 bits.
    pub const SLAVE_EVENT: u8 = 0xA;
    /// SMBHSTCNT bit 6, START, write only.
    pub const START: u8 = 1 << 6;
    /// SMBHSTCNT bit 1, KILL.
    pub const KILL: u8 = 1 << 1;
    /// SMBHSTCNT bit 0, INTEREN.
    pub const INTERRUPT_ENABLE: u8 = 1 << 0;
    /// SMBHSTCNT's bits that keep what is written: protocol, KILL, INTEREN.
    pub const CONTROL_MASK: u8 = 0x1F;
    /// SMBSLVCNT's bits.
    pub const SLAVE_CONTROL_MASK: u8 = 0x0F;
    /// Bytes of the block data array.
    pub const BLOCK_BYTES: usize = 32;
    /// The protocols that exist: quick, byte, byte data, word data, block.
    pub const fn protocol_exists(control: u8) -> bool {
        matches!((control >> 2) & 7, 0..=3 | 5)
    }
    /// How long the bus takes to find that nobody acknowledges an address: start, eight bits, acknowledge, stop at
    /// 16 kHz. (The bus clock is specified as 10 to 16 kHz: a choice of ours.)
    pub const ADDRESS_NS: u64 = 11 * 1_000_000_000 / 16_000;
}

bitflags! {
    /// SMBHSTSTS.
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct HostStatus: u8 {
        /// FAILED: a transaction was killed.
        const FAILED = 1 << 4;
        /// BUS_ERR: a collision.
        const BUS_ERROR = 1 << 3;
        /// DEV_ERR: no such protocol, nobody acknowledged, or a time-out.
        const DEVICE_ERROR = 1 << 2;
        /// INTER: a transaction is complete.
        const INTERRUPT = 1 << 1;
        /// HOST_BUSY (read only).
        const BUSY = 1 << 0;
    }
}
