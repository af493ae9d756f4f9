//! Registers of the 82371SB, function 0: Intel 82371FB (PIIX) and 82371SB (PIIX3) PCI ISA IDE Xcelerator, order
//! number 290550, sections 2.2 ("PCI to ISA bridge registers") and 2.5 ("ISA-compatible registers").

use bitflags::bitflags;

/// Vendor ID: Intel.
pub const VENDOR: u16 = 0x8086;
/// Device ID.
pub const DEVICE: u16 = 0x7000;

/// IORT, ISA I/O recovery timer; default 4Dh.
pub const IORT: u8 = 0x4C;
/// XBCS, X-bus chip select, 16 bits; see [`XBusSelect`].
pub const XBCS: u8 = 0x4E;
/// PIRQRC[A:D], PIRQx route control.
pub const PIRQRC: u8 = 0x60;
/// TOM, top of memory; default 02h.
pub const TOM: u8 = 0x69;
/// The writable bits of [`TOM`].
pub const TOM_MASK: u8 = 0xFE;
/// MSTAT, miscellaneous status, 16 bits.
pub const MSTAT: u8 = 0x6A;
/// The writable bits of [`MSTAT`]: NB retry enable, EXTSMI# mode, USB enable, header type bit enable, internal DMA.
pub const MSTAT_MASK: u16 = 0x00D6;
/// MBIRQ0, motherboard device IRQ route control.
pub const MBIRQ0: u8 = 0x70;
/// MBDMA[1:0], motherboard device DMA control; default 04h.
pub const MBDMA: u8 = 0x76;
/// The writable bits of [`MBDMA`].
pub const MBDMA_MASK: u8 = 0x8F;
/// PCSC, programmable chip select control, 16 bits; default 0002h.
pub const PCSC: u8 = 0x78;
/// APICBASE, APIC base address relocation.
pub const APICBASE: u8 = 0x80;
/// The writable bits of [`APICBASE`].
pub const APICBASE_MASK: u8 = 0x7F;
/// DLC, deterministic latency control.
pub const DLC: u8 = 0x82;
/// The writable bits of [`DLC`]: SERR#, USB passive release, passive release, delayed transactions.
pub const DLC_MASK: u8 = 0x0F;
/// SMICNTL, SMI control; default 08h. Bit 0 is the SMI# gate.
pub const SMICNTL: u8 = 0xA0;
/// The writable bits of [`SMICNTL`].
pub const SMICNTL_MASK: u8 = 0x1F;
/// Bit 0 of [`SMICNTL`], CSMIGATE: SMI# can be asserted.
pub const SMI_GATE: u8 = 1 << 0;
/// SMIEN, SMI enable, 16 bits.
pub const SMIEN: u8 = 0xA2;
/// The writable bits of [`SMIEN`].
pub const SMIEN_MASK: u16 = 0x01FF;
/// SEE, system event enable, 32 bits.
pub const SEE: u8 = 0xA4;
/// The writable bits of [`SEE`].
pub const SEE_MASK: u32 = 0xE000_FFFB;
/// FTMR, fast-off timer; default 0Fh.
pub const FTMR: u8 = 0xA8;
/// SMIREQ, SMI request, 16 bits: status, cleared by writing 0.
pub const SMIREQ: u8 = 0xAA;
/// Bit 7 of [`SMIEN`] and [`SMIREQ`]: a write to APMC.
pub const SMI_APMC: u16 = 1 << 7;
/// CTLTMR, clock scale STPCLK# low timer.
pub const CTLTMR: u8 = 0xAC;
/// CTHTMR, clock scale STPCLK# high timer.
pub const CTHTMR: u8 = 0xAE;

/// PIRQRC and MBIRQ0, bit 7: the route is off.
pub const ROUTE_OFF: u8 = 1 << 7;
/// The writable bits of a PIRQRC register.
pub const PIRQRC_MASK: u8 = 0x8F;
/// The writable bits of [`MBIRQ0`]; bit 6 lets the route share its interrupt, bit 5 selects the interrupt line.
pub const MBIRQ_MASK: u8 = 0xEF;
/// The interrupts that a route may name; the others are reserved (table of PIRQRC[3:0]).
pub const ROUTABLE: u16 = 0b1101_1110_1111_1000;

bitflags! {
    /// X-bus chip select register; default 0003h.
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct XBusSelect: u16 {
        /// APIC chip select enable.
        const APIC = 1 << 8;
        /// BIOSCS# for FFF80000h to FFFDFFFFh.
        const EXTENDED_BIOS = 1 << 7;
        /// BIOSCS# for E0000h to EFFFFh.
        const LOWER_BIOS = 1 << 6;
        /// FERR# is turned into IRQ 13.
        const COPROCESSOR_ERROR = 1 << 5;
        /// IRQ 12 is the mouse's.
        const MOUSE = 1 << 4;
        /// BIOSCS# for writes too.
        const BIOS_WRITE = 1 << 2;
        /// Keyboard controller chip select.
        const KEYBOARD = 1 << 1;
        /// RTC chip select.
        const RTC = 1 << 0;
    }
}

/// APMC, advanced power management control port; the status port APMS follows.
pub const PORT_APMC: u16 = 0xB2;
/// RC, reset control register.
pub const PORT_RC: u16 = 0xCF9;

bitflags! {
    /// Reset control register.
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct ResetControl: u8 {
        /// RCPU: a change from 0 to 1 resets.
        const RESET_CPU = 1 << 2;
        /// SRST: that reset is hard (CPURST and PCIRST#) instead of soft (INIT).
        const HARD = 1 << 1;
    }
}
