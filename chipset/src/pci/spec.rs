//! PCI Local Bus Specification, revision 2.1, chapter 6: the predefined header of configuration space (type 0).

use bitflags::bitflags;

/// Bytes in a function's configuration space (section 6.1).
pub const CONFIG_BYTES: usize = 256;

/// Vendor ID, 16 bits.
pub const VENDOR_ID: u8 = 0x00;
/// Device ID, 16 bits.
pub const DEVICE_ID: u8 = 0x02;
/// Command register, 16 bits.
pub const COMMAND: u8 = 0x04;
/// Status register, 16 bits.
pub const STATUS: u8 = 0x06;
/// Revision ID.
pub const REVISION_ID: u8 = 0x08;
/// Programming interface, the low byte of the class code; sub-class and base class follow.
pub const CLASS_CODE: u8 = 0x09;
/// Cache line size in doublewords.
pub const CACHE_LINE_SIZE: u8 = 0x0C;
/// Latency timer in PCI clocks.
pub const LATENCY_TIMER: u8 = 0x0D;
/// Header type; bit 7: the device has several functions.
pub const HEADER_TYPE: u8 = 0x0E;
/// Bit 7 of [`HEADER_TYPE`].
pub const HEADER_MULTI_FUNCTION: u8 = 0x80;
/// The first base address register; six doublewords.
pub const BAR0: u8 = 0x10;
/// How many base address registers a type 0 header has.
pub const BARS: usize = 6;
/// Subsystem vendor ID, 16 bits.
pub const SUBSYSTEM_VENDOR_ID: u8 = 0x2C;
/// Subsystem ID, 16 bits.
pub const SUBSYSTEM_ID: u8 = 0x2E;
/// Expansion ROM base address register.
pub const EXPANSION_ROM: u8 = 0x30;
/// Offset of the first capability (section 6.7 of revision 2.2).
pub const CAPABILITIES: u8 = 0x34;
/// Interrupt line: written by firmware for the operating system, without effect.
pub const INTERRUPT_LINE: u8 = 0x3C;
/// Interrupt pin: 0 none, 1 to 4 INTA# to INTD#.
pub const INTERRUPT_PIN: u8 = 0x3D;

bitflags! {
    /// Command register (section 6.2.2).
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct Command: u16 {
        /// The function answers in I/O space.
        const IO_SPACE = 1 << 0;
        /// The function answers in memory space.
        const MEMORY_SPACE = 1 << 1;
        /// The function may act as a bus master.
        const BUS_MASTER = 1 << 2;
        /// The function listens to special cycles.
        const SPECIAL_CYCLES = 1 << 3;
        /// The function may use Memory Write and Invalidate.
        const MEMORY_WRITE_INVALIDATE = 1 << 4;
        /// A VGA function listens to palette writes without answering.
        const VGA_PALETTE_SNOOP = 1 << 5;
        /// Parity errors are acted upon.
        const PARITY_ERROR_RESPONSE = 1 << 6;
        /// Address and data stepping.
        const WAIT_CYCLE_CONTROL = 1 << 7;
        /// The SERR# driver is enabled.
        const SERR_ENABLE = 1 << 8;
        /// Fast back-to-back cycles to different devices are allowed.
        const FAST_BACK_TO_BACK = 1 << 9;
    }
}

bitflags! {
    /// Status register (section 6.2.3).
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct Status: u16 {
        /// A list of capabilities begins at offset 34h (revision 2.2).
        const CAPABILITIES_LIST = 1 << 4;
        /// The function can run at 66 MHz.
        const CAPABLE_66_MHZ = 1 << 5;
        /// User definable features are supported.
        const USER_DEFINABLE = 1 << 6;
        /// As a target the function takes fast back-to-back cycles.
        const FAST_BACK_TO_BACK = 1 << 7;
        /// As a bus master it saw a parity error. Cleared by writing 1.
        const MASTER_DATA_PARITY_ERROR = 1 << 8;
        /// DEVSEL# timing, low bit: 00 fast, 01 medium, 10 slow.
        const DEVSEL_MEDIUM = 1 << 9;
        /// DEVSEL# timing, high bit.
        const DEVSEL_SLOW = 1 << 10;
        /// As a target it ended a cycle with target abort. Cleared by writing 1.
        const SIGNALED_TARGET_ABORT = 1 << 11;
        /// As a master its cycle was ended with target abort. Cleared by writing 1.
        const RECEIVED_TARGET_ABORT = 1 << 12;
        /// As a master it ended a cycle because nobody answered. Cleared by writing 1.
        const RECEIVED_MASTER_ABORT = 1 << 13;
        /// It asserted SERR#. Cleared by writing 1.
        const SIGNALED_SYSTEM_ERROR = 1 << 14;
        /// It detected a parity error. Cleared by writing 1.
        const DETECTED_PARITY_ERROR = 1 << 15;
    }
}

/// The bits of [`Status`] that are cleared by writing 1 (section 6.2.3).
pub const STATUS_WRITE_1_TO_CLEAR: u16 = 0xF900;

/// Bit 0 of a base address register: it maps into I/O space (section 6.2.5.1).
pub const BAR_IO: u32 = 1;
/// Bits 2:1 of a memory base address register: 10b, anywhere in a 64-bit space.
pub const BAR_MEMORY_64: u32 = 0b100;
/// Bit 3 of a memory base address register: prefetchable.
pub const BAR_PREFETCHABLE: u32 = 0b1000;
/// Bit 0 of the expansion ROM register: the ROM is enabled (section 6.2.5.2).
pub const ROM_ENABLE: u32 = 1;
/// The smallest expansion ROM window: bits 10:1 of the register are reserved.
pub const ROM_MIN_BYTES: u32 = 0x800;
