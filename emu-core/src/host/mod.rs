//! What a host supplies: block and character back ends, displays, input. Traits and plain data only.

mod block;
mod character;
mod display;
mod input;

pub use block::{BlockBackend, BlockError, MemoryDisk, SECTOR_BYTES};
pub use character::{CharBackend, CharLog};
pub use display::Frame;
pub use input::{DriveId, HostEvent, KeyCode, MediumChange, MouseEvent};
