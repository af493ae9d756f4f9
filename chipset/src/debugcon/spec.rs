//! The debug console port, as Bochs and QEMU document it for their users: no hardware has it.

/// The usual port.
pub const PORT: u16 = 0xE9;
/// The port that SeaBIOS writes its messages to.
pub const SEABIOS_PORT: u16 = 0x402;
/// What a read gives, at whatever port: software knows by it that the console is there.
pub const PRESENT: u8 = 0xE9;
