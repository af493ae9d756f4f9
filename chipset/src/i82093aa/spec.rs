//! Registers of the 82093AA: Intel "82093AA I/O Advanced Programmable Interrupt Controller (IOAPIC)", order number
//! 290566, section 3.

use emu_core::cap::ApicDelivery;

/// Interrupt inputs.
pub const PINS: u16 = 24;

/// IOREGSEL, the register select: bits 7 to 0.
pub const IOREGSEL: u64 = 0x00;
/// IOWIN, the window to the selected register.
pub const IOWIN: u64 = 0x10;
/// The chip select covers this much.
pub const BYTES: u64 = 0x20;

/// IOAPICID: bits 27 to 24.
pub const ID: u8 = 0x00;
/// IOAPICVER, read only.
pub const VERSION: u8 = 0x01;
/// IOAPICARB, read only: bits 27 to 24.
pub const ARBITRATION: u8 = 0x02;
/// IOREDTBL: two registers for each pin.
pub const REDIRECTION: u8 = 0x10;

/// What IOAPICVER reads as: version 11h, the highest entry in bits 23 to 16.
pub const VERSION_VALUE: u32 = 0x11 | (PINS as u32 - 1) << 16;
/// The bits of IOAPICID and IOAPICARB.
pub const ID_MASK: u32 = 0x0F00_0000;

/// Redirection entry: the vector.
pub const VECTOR: u64 = 0xFF;
/// The place of the delivery mode.
pub const DELIVERY_SHIFT: u32 = 8;
/// The destination is logical.
pub const LOGICAL: u64 = 1 << 11;
/// Delivery status, read only: the message waits to be sent.
pub const SEND_PENDING: u64 = 1 << 12;
/// The pin is active low.
pub const ACTIVE_LOW: u64 = 1 << 13;
/// Remote IRR, read only: a level-triggered interrupt was accepted and not yet ended.
pub const REMOTE_IRR: u64 = 1 << 14;
/// The pin is level triggered.
pub const LEVEL: u64 = 1 << 15;
/// Masked.
pub const MASKED: u64 = 1 << 16;
/// The place of the destination.
pub const DESTINATION_SHIFT: u32 = 56;
/// The bits of a redirection entry that can be written.
pub const WRITABLE: u64 = 0xFF00_0000_0001_AFFF;
/// A redirection entry after reset: masked.
pub const REDIRECTION_RESET: u64 = MASKED;

/// The delivery mode of a redirection entry; `None`: reserved.
pub fn delivery(entry: u64) -> Option<ApicDelivery> {
    match entry >> DELIVERY_SHIFT & 7 {
        0 => Some(ApicDelivery::Fixed),
        1 => Some(ApicDelivery::LowestPriority),
        2 => Some(ApicDelivery::Smi),
        4 => Some(ApicDelivery::Nmi),
        5 => Some(ApicDelivery::Init),
        7 => Some(ApicDelivery::ExtInt),
        _ => None,
    }
}
