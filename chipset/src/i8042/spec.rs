//! Registers and commands of the keyboard controller, from IBM, "PS/2 Hardware Interface Technical Reference:
//! Common Interfaces" (S84F-9809), section "Keyboard and Auxiliary Device Controller", and IBM, "PC/AT Technical
//! Reference", section "Keyboard Controller".

use bitflags::bitflags;
use serde::{Deserialize, Serialize};

/// Port of the data registers (output buffer and input buffer).
pub const DATA_PORT: u16 = 0x60;
/// Port of status (read) and commands (write).
pub const COMMAND_PORT: u16 = 0x64;

/// One byte on a device's serial line: 11 bits of 80 us. (The interface allows 60 to 100 us a bit.)
pub const SERIAL_BYTE_NS: u64 = 11 * 80_000;
/// How long the controller's firmware needs to see a byte in its input buffer: our choice.
pub const INPUT_LATENCY_NS: u64 = 10_000;
/// A device that does not clock a byte in is given up after this time ("15 milliseconds").
pub const SEND_TIMEOUT_NS: u64 = 15_000_000;
/// Length of the pulses of commands F0h-FFh ("approximately 6 microseconds").
pub const PULSE_NS: u64 = 6_000;

bitflags! {
    /// The status register.
    #[derive(Copy, Clone, PartialEq, Eq, Debug)]
    pub struct Status: u8 {
        /// Output buffer full: a byte waits at the data port.
        const OUTPUT_FULL = 0x01;
        /// Input buffer full: the controller has not yet taken the last byte written.
        const INPUT_FULL = 0x02;
        /// System flag: bit 2 of the command byte.
        const SYSTEM = 0x04;
        /// The last byte written was a command (1) or data (0).
        const COMMAND = 0x08;
        /// The key lock is open (1).
        const NOT_INHIBITED = 0x10;
        /// The byte in the output buffer is from the auxiliary device.
        const AUXILIARY = 0x20;
        /// General time-out.
        const TIMEOUT = 0x40;
        /// Parity error: never set, for the lines have no noise.
        const PARITY = 0x80;
    }
}

bitflags! {
    /// The controller command byte (RAM byte 0). Bit 7 is reserved; bit 3 (inhibit override) is the AT's.
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    pub struct CommandByte: u8 {
        /// IRQ1 when the output buffer fills.
        const KEYBOARD_INTERRUPT = 0x01;
        /// IRQ12 when the output buffer fills with a byte of the auxiliary device.
        const AUXILIARY_INTERRUPT = 0x02;
        /// System flag.
        const SYSTEM = 0x04;
        /// The key lock is ignored.
        const INHIBIT_OVERRIDE = 0x08;
        /// The keyboard's clock is held.
        const KEYBOARD_DISABLED = 0x10;
        /// The auxiliary device's clock is held.
        const AUXILIARY_DISABLED = 0x20;
        /// Scan codes of set 2 become those of set 1.
        const TRANSLATE = 0x40;
    }
}

bitflags! {
    /// The output port (P20-P27).
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    pub struct OutputPort: u8 {
        /// P20: low resets the CPU.
        const NOT_RESET = 0x01;
        /// P21: address line 20 is passed on.
        const A20 = 0x02;
        /// P22: data to the auxiliary device.
        const AUXILIARY_DATA = 0x04;
        /// P23: clock to the auxiliary device.
        const AUXILIARY_CLOCK = 0x08;
        /// P24: IRQ1.
        const IRQ1 = 0x10;
        /// P25: IRQ12.
        const IRQ12 = 0x20;
        /// P26: clock to the keyboard.
        const KEYBOARD_CLOCK = 0x40;
        /// P27: data to the keyboard.
        const KEYBOARD_DATA = 0x80;
    }
}

/// Input port: P10 and P11, the data lines of the two devices, high when idle.
pub const INPUT_DATA_LINES: u8 = 0x03;
/// Input port: P17, high while the key lock is open.
pub const INPUT_KEY_UNLOCKED: u8 = 0x80;
/// Input port of an AT board: key lock open, color display (P16 low), no manufacturing jumper (P15), all base
/// memory on the board (P14).
pub const INPUT_PORT_AT: u8 = 0xB0;

/// Test inputs (command E0h): T0 and T1, the two clock lines.
pub const TEST_KEYBOARD_CLOCK: u8 = 0x01;
/// T1.
pub const TEST_AUXILIARY_CLOCK: u8 = 0x02;

/// Commands to the controller.
pub mod command {
    /// 20h-3Fh: read a byte of RAM.
    pub const READ_RAM: u8 = 0x20;
    /// 60h-7Fh: write a byte of RAM.
    pub const WRITE_RAM: u8 = 0x60;
    /// Low bits of both: the address.
    pub const RAM_ADDRESS: u8 = 0x1F;
    /// Version of the firmware (not IBM's; usual in compatible controllers).
    pub const VERSION: u8 = 0xA1;
    /// Is a password installed?
    pub const TEST_PASSWORD: u8 = 0xA4;
    /// Load a password: scan codes up to a zero.
    pub const LOAD_PASSWORD: u8 = 0xA5;
    /// Lock the keyboard until the password is typed.
    pub const ENABLE_PASSWORD: u8 = 0xA6;
    /// Hold the auxiliary device's clock.
    pub const DISABLE_AUXILIARY: u8 = 0xA7;
    /// Release it.
    pub const ENABLE_AUXILIARY: u8 = 0xA8;
    /// Test the lines to the auxiliary device.
    pub const TEST_AUXILIARY: u8 = 0xA9;
    /// Self test.
    pub const SELF_TEST: u8 = 0xAA;
    /// Test the lines to the keyboard.
    pub const TEST_KEYBOARD: u8 = 0xAB;
    /// Hold the keyboard's clock.
    pub const DISABLE_KEYBOARD: u8 = 0xAD;
    /// Release it.
    pub const ENABLE_KEYBOARD: u8 = 0xAE;
    /// Read the input port.
    pub const READ_INPUT_PORT: u8 = 0xC0;
    /// Show input port bits 3-0 in status bits 7-4.
    pub const POLL_INPUT_LOW: u8 = 0xC1;
    /// Show input port bits 7-4 in status bits 7-4.
    pub const POLL_INPUT_HIGH: u8 = 0xC2;
    /// Read the output port.
    pub const READ_OUTPUT_PORT: u8 = 0xD0;
    /// Write the output port.
    pub const WRITE_OUTPUT_PORT: u8 = 0xD1;
    /// Write the output buffer as if the keyboard had.
    pub const WRITE_KEYBOARD_OUTPUT: u8 = 0xD2;
    /// Write the output buffer as if the auxiliary device had.
    pub const WRITE_AUXILIARY_OUTPUT: u8 = 0xD3;
    /// Send a byte to the auxiliary device.
    pub const SEND_TO_AUXILIARY: u8 = 0xD4;
    /// Read the test inputs.
    pub const READ_TEST_INPUTS: u8 = 0xE0;
    /// F0h-FFh: pulse output port bits low where bits 3-0 are zero.
    pub const PULSE: u8 = 0xF0;
}

/// Answer to [`command::SELF_TEST`].
pub const SELF_TEST_PASSED: u8 = 0x55;
/// Answer to the tests of the lines: no error.
pub const LINES_GOOD: u8 = 0x00;
/// Answer to [`command::TEST_PASSWORD`]: installed.
pub const PASSWORD_INSTALLED: u8 = 0xFA;
/// Answer to [`command::TEST_PASSWORD`]: none.
pub const NO_PASSWORD: u8 = 0xF1;
/// Answer to [`command::VERSION`]: our choice.
pub const FIRMWARE_VERSION: u8 = 0x10;
/// What the controller puts in the output buffer when a device does not take a byte.
pub const RESEND: u8 = 0xFE;
/// RAM byte whose value is given to the system when the password is enabled, if it is not zero.
pub const RAM_SECURITY_ON: usize = 0x13;
/// RAM byte whose value is given to the system when the password was typed, if it is not zero.
pub const RAM_SECURITY_OFF: usize = 0x14;
/// RAM bytes: two make codes that are passed over while the password is compared (the shift keys).
pub const RAM_PASSED_OVER: [usize; 2] = [0x16, 0x17];
/// The longest password that is kept: our choice.
pub const PASSWORD_BYTES_MAX: usize = 16;

/// Prefix of a break code in sets 2 and 3.
pub const BREAK_PREFIX: u8 = 0xF0;
/// Break bit in set 1.
pub const BREAK_BIT: u8 = 0x80;

/// Scan code set 2 to set 1, as the controller translates (codes from 85h on stay as they are).
pub const TRANSLATION: [u8; 0x85] = [
    0xFF, 0x43, 0x41, 0x3F, 0x3D, 0x3B, 0x3C, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3E, 0x0F, 0x29,
    0x59, // 00h
    0x65, 0x38, 0x2A, 0x70, 0x1D, 0x10, 0x02, 0x5A, 0x66, 0x71, 0x2C, 0x1F, 0x1E, 0x11, 0x03,
    0x5B, // 10h
    0x67, 0x2E, 0x2D, 0x20, 0x12, 0x05, 0x04, 0x5C, 0x68, 0x39, 0x2F, 0x21, 0x14, 0x13, 0x06,
    0x5D, // 20h
    0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5E, 0x6A, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09,
    0x5F, // 30h
    0x6B, 0x33, 0x25, 0x17, 0x18, 0x0B, 0x0A, 0x60, 0x6C, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0C,
    0x61, // 40h
    0x6D, 0x73, 0x28, 0x74, 0x1A, 0x0D, 0x62, 0x6E, 0x3A, 0x36, 0x1C, 0x1B, 0x75, 0x2B, 0x63,
    0x76, // 50h
    0x55, 0x56, 0x77, 0x78, 0x79, 0x7A, 0x0E, 0x7B, 0x7C, 0x4F, 0x7D, 0x4B, 0x47, 0x7E, 0x7F,
    0x6F, // 60h
    0x52, 0x53, 0x50, 0x4C, 0x4D, 0x48, 0x01, 0x45, 0x57, 0x4E, 0x51, 0x4A, 0x37, 0x49, 0x46,
    0x54, // 70h
    0x80, 0x81, 0x82, 0x41, 0x54, // 80h
];
