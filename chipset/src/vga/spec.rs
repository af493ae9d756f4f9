//! The registers of the VGA: IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem" (VGA function).
//! Section names below are that manual's.

use bitflags::bitflags;
use emu_core::Frequency;

/// First address of the display memory window, A0000h.
pub const WINDOW_BASE: u64 = 0xA_0000;
/// Bytes that the widest memory map covers: A0000h to BFFFFh.
pub const WINDOW_BYTES: u64 = 0x2_0000;
/// Bytes of display memory in an IBM VGA: four maps of 64 KiB.
pub const PLANAR_BYTES: usize = 4 * PLANE_BYTES;
/// Bytes in one map.
pub const PLANE_BYTES: usize = 0x1_0000;

/// The crystal for 640 dots: 25.175 MHz.
pub const CLOCK_25_HZ: Frequency = Frequency::hz(25_175_000);
/// The crystal for 720 dots: 28.322 MHz.
pub const CLOCK_28_HZ: Frequency = Frequency::hz(28_322_000);

/// Frames of the cursor's blink period (on for half of it): vertical rate divided by 16.
pub const CURSOR_BLINK_FRAMES: u64 = 16;
/// Frames of the characters' blink period: vertical rate divided by 32.
pub const CHARACTER_BLINK_FRAMES: u64 = 32;

/// CRT controller address and data, colour emulation.
pub const PORT_CRTC_COLOUR: u16 = 0x3D4;
/// CRT controller address and data, monochrome emulation.
pub const PORT_CRTC_MONO: u16 = 0x3B4;
/// Input status 1 (read) and feature control (write), colour emulation.
pub const PORT_STATUS_COLOUR: u16 = 0x3DA;
/// Input status 1 (read) and feature control (write), monochrome emulation.
pub const PORT_STATUS_MONO: u16 = 0x3BA;
/// First of the sixteen ports that stay where they are.
pub const PORT_GENERAL: u16 = 0x3C0;

/// Offsets from [`PORT_GENERAL`].
pub mod general {
    /// Attribute controller address, and data when written in turn.
    pub const ATTRIBUTE: u16 = 0x0;
    /// Attribute controller data, read.
    pub const ATTRIBUTE_READ: u16 = 0x1;
    /// Input status 0 (read), miscellaneous output (write).
    pub const STATUS_0: u16 = 0x2;
    /// Video subsystem enable.
    pub const SUBSYSTEM_ENABLE: u16 = 0x3;
    /// Sequencer address.
    pub const SEQUENCER_INDEX: u16 = 0x4;
    /// Sequencer data.
    pub const SEQUENCER: u16 = 0x5;
    /// PEL mask.
    pub const DAC_MASK: u16 = 0x6;
    /// DAC state (read), PEL address for reading (write).
    pub const DAC_READ_INDEX: u16 = 0x7;
    /// PEL address for writing.
    pub const DAC_WRITE_INDEX: u16 = 0x8;
    /// PEL data.
    pub const DAC_DATA: u16 = 0x9;
    /// Feature control, read.
    pub const FEATURE_READ: u16 = 0xA;
    /// Miscellaneous output, read.
    pub const MISC_READ: u16 = 0xC;
    /// Graphics controller address.
    pub const GRAPHICS_INDEX: u16 = 0xE;
    /// Graphics controller data.
    pub const GRAPHICS: u16 = 0xF;
}

bitflags! {
    /// "Miscellaneous Output Register": written at 3C2h, read at 3CCh. Bit 4 is reserved.
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct MiscOutput: u8 {
        /// Vertical sync is negative.
        const VERTICAL_SYNC_NEGATIVE = 1 << 7;
        /// Horizontal sync is negative.
        const HORIZONTAL_SYNC_NEGATIVE = 1 << 6;
        /// Page bit for odd/even addressing.
        const PAGE = 1 << 5;
        /// Clock select, high bit: a clock from the feature connector.
        const CLOCK_1 = 1 << 3;
        /// Clock select, low bit: 28.322 MHz instead of 25.175 MHz.
        const CLOCK_0 = 1 << 2;
        /// The CPU can access display memory.
        const ENABLE_RAM = 1 << 1;
        /// CRT controller at 3D4h and status at 3DAh (else 3B4h and 3BAh).
        const COLOUR = 1 << 0;
    }
}

bitflags! {
    /// "Input Status Register 0", read at 3C2h.
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct Status0: u8 {
        /// A vertical retrace interrupt is pending.
        const INTERRUPT = 1 << 7;
        /// Switch sense: the comparator on the DAC's outputs. It reads 0 while one of them lies above the reference.
        const SWITCH_SENSE = 1 << 4;
    }
}

bitflags! {
    /// "Input Status Register 1", read at 3BAh or 3DAh.
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct Status1: u8 {
        /// Diagnostic: the second of the two colour outputs that the attribute controller's plane enable selects.
        const DIAGNOSTIC_1 = 1 << 5;
        /// Diagnostic: the first of them.
        const DIAGNOSTIC_0 = 1 << 4;
        /// Vertical retrace interval.
        const VERTICAL_RETRACE = 1 << 3;
        /// No display data now: horizontal or vertical blanking.
        const DISPLAY_DISABLED = 1 << 0;
    }
}

/// Bits of feature control that are kept: bit 3 vertical sync select, bits 1 and 0 to the feature connector.
pub const FEATURE_MASK: u8 = 0x0B;
/// Bits of the video subsystem enable register.
pub const SUBSYSTEM_MASK: u8 = 0x01;

/// Sequencer registers.
pub mod sequencer {
    /// Bits of the address register.
    pub const INDEX_MASK: u8 = 0x07;
    /// Writable bits: reset, clocking mode, map mask, character map select, memory mode.
    pub const MASKS: [u8; 5] = [0x03, 0x3D, 0x0F, 0x3F, 0x0E];
    /// Reset: both bits must be 1 for the sequencer to run.
    pub const RESET: usize = 0;
    /// See [`RESET`].
    pub const RESET_RUN: u8 = 0x03;
    /// Clocking mode.
    pub const CLOCKING: usize = 1;
    /// Characters are 8 dots wide instead of 9.
    pub const CLOCKING_8_DOTS: u8 = 1 << 0;
    /// The dot clock is the master clock divided by 2.
    pub const CLOCKING_HALF: u8 = 1 << 3;
    /// The screen is off: the CPU has all memory cycles.
    pub const CLOCKING_SCREEN_OFF: u8 = 1 << 5;
    /// Map mask.
    pub const MAP_MASK: usize = 2;
    /// Character map select.
    pub const CHARACTER_MAP: usize = 3;
    /// Memory mode.
    pub const MEMORY_MODE: usize = 4;
    /// More than 64 KiB of memory.
    pub const MEMORY_EXTENDED: u8 = 1 << 1;
    /// Sequential addressing (else odd/even).
    pub const MEMORY_SEQUENTIAL: u8 = 1 << 2;
    /// Chain 4: address bits 0 and 1 select the map.
    pub const MEMORY_CHAIN_4: u8 = 1 << 3;
}

/// Graphics controller registers.
pub mod graphics {
    /// Bits of the address register.
    pub const INDEX_MASK: u8 = 0x0F;
    /// Writable bits of registers 0 to 8.
    pub const MASKS: [u8; 9] = [0x0F, 0x0F, 0x0F, 0x1F, 0x03, 0x7B, 0x0F, 0x0F, 0xFF];
    /// Set/reset.
    pub const SET_RESET: usize = 0;
    /// Enable set/reset.
    pub const ENABLE_SET_RESET: usize = 1;
    /// Color compare.
    pub const COLOUR_COMPARE: usize = 2;
    /// Data rotate: bits 2-0 count, bits 4-3 function.
    pub const DATA_ROTATE: usize = 3;
    /// Read map select.
    pub const READ_MAP: usize = 4;
    /// Graphics mode.
    pub const MODE: usize = 5;
    /// Read mode 1.
    pub const MODE_READ_1: u8 = 1 << 3;
    /// Odd/even addressing for reads.
    pub const MODE_ODD_EVEN: u8 = 1 << 4;
    /// Shift registers interleave pairs of maps (CGA's 4-colour modes).
    pub const MODE_SHIFT_INTERLEAVE: u8 = 1 << 5;
    /// Shift registers deliver 256-colour pixels.
    pub const MODE_SHIFT_256: u8 = 1 << 6;
    /// Miscellaneous.
    pub const MISCELLANEOUS: usize = 6;
    /// Graphics (else alphanumeric) addressing.
    pub const MISC_GRAPHICS: u8 = 1 << 0;
    /// Address bit 0 is replaced by a higher bit (chain odd maps to even).
    pub const MISC_CHAIN_ODD_EVEN: u8 = 1 << 1;
    /// Color don't care.
    pub const COLOUR_DONT_CARE: usize = 7;
    /// Bit mask.
    pub const BIT_MASK: usize = 8;
}

/// Attribute controller registers.
pub mod attribute {
    /// Address bits of the address register.
    pub const INDEX_MASK: u8 = 0x1F;
    /// Internal palette address source: 1 shows the picture and closes the palette to the CPU.
    pub const PALETTE_ADDRESS_SOURCE: u8 = 1 << 5;
    /// Palette registers stand at 0 to 0Fh.
    pub const PALETTES: usize = 16;
    /// Writable bits of registers 0 to 14h.
    pub const MASKS: [u8; 21] = [
        0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F,
        0x3F, 0xEF, 0xFF, 0x3F, 0x0F, 0x0F,
    ];
    /// Attribute mode control.
    pub const MODE: usize = 0x10;
    /// Graphics (else alphanumeric).
    pub const MODE_GRAPHICS: u8 = 1 << 0;
    /// Line graphics character codes C0h to DFh continue into the ninth dot.
    pub const MODE_LINE_GRAPHICS: u8 = 1 << 2;
    /// Blinking (else intensified background).
    pub const MODE_BLINK: u8 = 1 << 3;
    /// PEL panning compatibility: no panning below the split.
    pub const MODE_PANNING_COMPATIBLE: u8 = 1 << 5;
    /// PEL width: 256 colours.
    pub const MODE_256: u8 = 1 << 6;
    /// P5 and P4 come from the color select register.
    pub const MODE_P54_SELECT: u8 = 1 << 7;
    /// Overscan color.
    pub const OVERSCAN: usize = 0x11;
    /// Color plane enable; bits 5-4 select the diagnostic outputs.
    pub const PLANE_ENABLE: usize = 0x12;
    /// Horizontal PEL panning.
    pub const PANNING: usize = 0x13;
    /// Color select.
    pub const COLOUR_SELECT: usize = 0x14;
}

/// CRT controller registers.
pub mod crtc {
    /// Bits of the address register.
    pub const INDEX_MASK: u8 = 0x1F;
    /// Writable bits of registers 0 to 18h.
    pub const MASKS: [u8; 25] = [
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0x3F, 0x7F, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xEF, 0xFF,
    ];
    /// Horizontal total, less 5.
    pub const HORIZONTAL_TOTAL: usize = 0x00;
    /// Horizontal display enable end, less 1.
    pub const HORIZONTAL_DISPLAY_END: usize = 0x01;
    /// End horizontal blanking; bit 7 opens 10h and 11h for reading.
    pub const END_HORIZONTAL_BLANKING: usize = 0x03;
    /// See [`END_HORIZONTAL_BLANKING`].
    pub const COMPATIBLE_READ: u8 = 1 << 7;
    /// Vertical total, less 2.
    pub const VERTICAL_TOTAL: usize = 0x06;
    /// Overflow: ninth and tenth bits of vertical values.
    pub const OVERFLOW: usize = 0x07;
    /// The one bit of [`OVERFLOW`] that protection leaves open: bit 8 of line compare.
    pub const OVERFLOW_LINE_COMPARE: u8 = 1 << 4;
    /// Preset row scan; bits 6-5 byte panning.
    pub const PRESET_ROW_SCAN: usize = 0x08;
    /// Maximum scan line.
    pub const MAXIMUM_SCAN_LINE: usize = 0x09;
    /// 200 to 400 line conversion.
    pub const DOUBLE_SCAN: u8 = 1 << 7;
    /// Cursor start.
    pub const CURSOR_START: usize = 0x0A;
    /// The cursor is off.
    pub const CURSOR_OFF: u8 = 1 << 5;
    /// Cursor end; bits 6-5 skew.
    pub const CURSOR_END: usize = 0x0B;
    /// Start address, high byte; the low byte follows.
    pub const START_ADDRESS: usize = 0x0C;
    /// Cursor location, high byte; the low byte follows.
    pub const CURSOR_LOCATION: usize = 0x0E;
    /// Vertical retrace start.
    pub const VERTICAL_RETRACE_START: usize = 0x10;
    /// Vertical retrace end and its interrupt's control.
    pub const VERTICAL_RETRACE_END: usize = 0x11;
    /// 0 clears the pending vertical interrupt and holds it clear.
    pub const INTERRUPT_NOT_CLEARED: u8 = 1 << 4;
    /// 1 disables the vertical interrupt.
    pub const INTERRUPT_DISABLE: u8 = 1 << 5;
    /// Registers 0 to 7 are protected.
    pub const PROTECT: u8 = 1 << 7;
    /// Vertical display enable end.
    pub const VERTICAL_DISPLAY_END: usize = 0x12;
    /// Offset: half the row's length in addresses.
    pub const OFFSET: usize = 0x13;
    /// Underline location.
    pub const UNDERLINE: usize = 0x14;
    /// The address counter counts every fourth character.
    pub const COUNT_BY_4: u8 = 1 << 5;
    /// Doubleword addressing.
    pub const DOUBLEWORD: u8 = 1 << 6;
    /// CRT mode control.
    pub const MODE: usize = 0x17;
    /// Memory address bit 13 is the counter's (else row scan bit 0).
    pub const MODE_ADDRESS_13: u8 = 1 << 0;
    /// Memory address bit 14 is the counter's (else row scan bit 1).
    pub const MODE_ADDRESS_14: u8 = 1 << 1;
    /// The vertical counter counts every second line.
    pub const MODE_LINES_TIMES_2: u8 = 1 << 2;
    /// The address counter counts every second character.
    pub const MODE_COUNT_BY_2: u8 = 1 << 3;
    /// In word mode address bit 15 (else 13) wraps to bit 0.
    pub const MODE_WRAP_15: u8 = 1 << 5;
    /// Byte (else word) addressing.
    pub const MODE_BYTE: u8 = 1 << 6;
    /// Retraces run.
    pub const MODE_RETRACE: u8 = 1 << 7;
    /// Line compare.
    pub const LINE_COMPARE: usize = 0x18;
}

/// The Bochs VBE extension ("DISPI"), as the VBE display API of Bochs documents it.
pub mod dispi {
    /// Index port; data follows at the next one.
    pub const PORT_INDEX: u16 = 0x1CE;
    /// The oldest identifier.
    pub const ID_0: u16 = 0xB0C0;
    /// The newest.
    pub const ID_5: u16 = 0xB0C5;
    /// Identifier.
    pub const ID: u16 = 0;
    /// Width in pixels.
    pub const XRES: u16 = 1;
    /// Height in lines.
    pub const YRES: u16 = 2;
    /// Bits of a pixel.
    pub const BPP: u16 = 3;
    /// Enable and options.
    pub const ENABLE: u16 = 4;
    /// The 64 KiB of video memory that A0000h shows.
    pub const BANK: u16 = 5;
    /// Pixels of a row in memory.
    pub const VIRT_WIDTH: u16 = 6;
    /// Rows that video memory holds (read only).
    pub const VIRT_HEIGHT: u16 = 7;
    /// First pixel shown.
    pub const X_OFFSET: u16 = 8;
    /// First row shown.
    pub const Y_OFFSET: u16 = 9;
    /// Video memory in units of 64 KiB (read only).
    pub const VIDEO_MEMORY_64K: u16 = 10;
    /// [`ENABLE`]: on.
    pub const ENABLED: u16 = 1 << 0;
    /// [`ENABLE`]: XRES, YRES and BPP read as their maxima.
    pub const GET_CAPS: u16 = 1 << 1;
    /// [`ENABLE`]: the DAC has 8 bits.
    pub const DAC_8BIT: u16 = 1 << 5;
    /// [`ENABLE`]: linear frame buffer.
    pub const LFB_ENABLED: u16 = 1 << 6;
    /// [`ENABLE`]: video memory keeps its contents.
    pub const NO_CLEAR: u16 = 1 << 7;
    /// The bits of [`ENABLE`] that exist.
    pub const ENABLE_MASK: u16 = ENABLED | GET_CAPS | DAC_8BIT | LFB_ENABLED | NO_CLEAR;
    /// Greatest width.
    pub const MAX_XRES: u16 = 2560;
    /// Greatest height.
    pub const MAX_YRES: u16 = 1600;
    /// Greatest depth.
    pub const MAX_BPP: u16 = 32;
    /// Bytes in a bank.
    pub const BANK_BYTES: usize = 0x1_0000;
    /// Frames in a second while the extension is on. (The interface has no timing of its own: a choice of ours.)
    pub const FRAME_HZ: u64 = 60;
    /// Dots of horizontal and lines of vertical blanking that such a frame has: a choice of ours.
    pub const BLANKING: (u64, u64) = (160, 45);
}

/// The PCI function, as QEMU's "standard-vga" specification documents it.
pub mod pci {
    /// Vendor ID.
    pub const VENDOR: u16 = 0x1234;
    /// Device ID.
    pub const DEVICE: u16 = 0x1111;
    /// Revision: 2 and later have the registers of BAR 2.
    pub const REVISION: u8 = 2;
    /// The BAR of the linear frame buffer.
    pub const BAR_FRAME_BUFFER: usize = 0;
    /// The BAR of the memory-mapped registers.
    pub const BAR_REGISTERS: usize = 2;
    /// Its size.
    pub const REGISTERS_BYTES: u32 = 0x1000;
    /// Ports 3C0h to 3DFh.
    pub const REGISTERS_PORTS: std::ops::Range<u64> = 0x400..0x420;
    /// DISPI registers, one word each.
    pub const REGISTERS_DISPI: std::ops::Range<u64> = 0x500..0x516;
}
