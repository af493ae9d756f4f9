//! The interface of QEMU's firmware configuration device, as its specification "QEMU Firmware Configuration
//! (fw_cfg) Device" (docs/specs/fw_cfg) documents it for x86.

use bitflags::bitflags;

/// Selector port, 16 bits, little-endian.
pub const PORT_SELECTOR: u16 = 0x510;
/// Data port, 8 bits.
pub const PORT_DATA: u16 = 0x511;
/// DMA address register, 64 bits, big-endian: the high half here, the low half four ports on.
pub const PORT_DMA: u16 = 0x514;

/// Bits of the selector that name an item: bit 15 architecture specific, bit 14 write mode.
pub const SELECTOR_ITEM: u16 = 0xBFFF;

/// Item: the signature.
pub const ITEM_SIGNATURE: u16 = 0x00;
/// Item: revision and features, 32 bits little-endian.
pub const ITEM_ID: u16 = 0x01;
/// Item: UUID of the machine, 16 bytes.
pub const ITEM_UUID: u16 = 0x02;
/// Item: RAM size in bytes, 64 bits.
pub const ITEM_RAM_SIZE: u16 = 0x03;
/// Item: whether there is no graphics card, 16 bits.
pub const ITEM_NO_GRAPHIC: u16 = 0x04;
/// Item: CPUs at power-on, 16 bits.
pub const ITEM_CPUS: u16 = 0x05;
/// Items of a kernel that is booted without a drive: addresses and sizes of 32 bits, and the bytes.
pub const ITEM_KERNEL_ADDRESS: u16 = 0x07;
/// See [`ITEM_KERNEL_ADDRESS`].
pub const ITEM_KERNEL_SIZE: u16 = 0x08;
/// See [`ITEM_KERNEL_ADDRESS`].
pub const ITEM_INITRD_ADDRESS: u16 = 0x0A;
/// See [`ITEM_KERNEL_ADDRESS`].
pub const ITEM_INITRD_SIZE: u16 = 0x0B;
/// See [`ITEM_KERNEL_ADDRESS`].
pub const ITEM_KERNEL_DATA: u16 = 0x11;
/// See [`ITEM_KERNEL_ADDRESS`].
pub const ITEM_INITRD_DATA: u16 = 0x12;
/// See [`ITEM_KERNEL_ADDRESS`].
pub const ITEM_COMMAND_LINE_ADDRESS: u16 = 0x13;
/// See [`ITEM_KERNEL_ADDRESS`].
pub const ITEM_COMMAND_LINE_SIZE: u16 = 0x14;
/// See [`ITEM_KERNEL_ADDRESS`].
pub const ITEM_COMMAND_LINE_DATA: u16 = 0x15;
/// See [`ITEM_KERNEL_ADDRESS`]; its real-mode part.
pub const ITEM_SETUP_ADDRESS: u16 = 0x16;
/// See [`ITEM_SETUP_ADDRESS`].
pub const ITEM_SETUP_SIZE: u16 = 0x17;
/// See [`ITEM_SETUP_ADDRESS`].
pub const ITEM_SETUP_DATA: u16 = 0x18;
/// Item of the x86: whether the timer's IRQ 0 is at pin 2 of the I/O APIC, 32 bits.
pub const ITEM_IRQ0_OVERRIDE: u16 = 0x8002;
/// Item: whether to show a boot menu, 16 bits.
pub const ITEM_BOOT_MENU: u16 = 0x0E;
/// Item: CPUs that there may ever be, 16 bits.
pub const ITEM_MAX_CPUS: u16 = 0x0F;
/// Item: the file directory.
pub const ITEM_FILE_DIRECTORY: u16 = 0x19;
/// The first file's item.
pub const ITEM_FILE_FIRST: u16 = 0x20;
/// The items that may be files end before this one.
pub const ITEM_FILE_END: u16 = 0x4000;

/// What [`ITEM_SIGNATURE`] holds.
pub const SIGNATURE: [u8; 4] = *b"QEMU";
/// Bits of [`ITEM_ID`]: the traditional interface, and DMA.
pub const ID_TRADITIONAL_AND_DMA: u32 = 0b11;
/// What the DMA address register reads as.
pub const DMA_SIGNATURE: [u8; 8] = *b"QEMU CFG";
/// Bytes of a file's name in the directory, the terminating zero included.
pub const FILE_NAME_BYTES: usize = 56;

bitflags! {
    /// The control field of a DMA access (its low 16 bits; the high 16 are a selector).
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct DmaControl: u32 {
        /// The access failed (written by the device).
        const ERROR = 1 << 0;
        /// Copy from the item to memory.
        const READ = 1 << 1;
        /// Move on in the item.
        const SKIP = 1 << 2;
        /// Select the item in the upper half first.
        const SELECT = 1 << 3;
        /// Copy from memory to the item.
        const WRITE = 1 << 4;
    }
}

/// Bytes of a DMA access structure: control (32 bits), length (32), address (64), all big-endian.
pub const DMA_ACCESS_BYTES: usize = 16;
/// How far a DMA read may go past the end of its item: a choice of ours, as the specification sets no bound.
pub const DMA_PAST_END_MAX: u32 = 1 << 20;
