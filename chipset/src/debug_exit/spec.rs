//! The debug exit port, as the QEMU manual documents the device `isa-debug-exit` for its users: no hardware has it.

/// The usual port.
pub const PORT: u16 = 0xF4;
/// Ports that are decoded: wide enough for any write.
pub const PORTS: u16 = 4;

/// The exit code for a value written.
pub const fn exit_code(value: u32) -> u8 {
    (value << 1) as u8 | 1
}
