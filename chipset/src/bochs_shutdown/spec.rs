//! Bochs' shutdown port, as the Bochs User Manual documents it: no hardware has it.

/// The port.
pub const PORT: u16 = 0x8900;
/// What has to be written, byte after byte.
pub const WORD: &[u8; 8] = b"Shutdown";
