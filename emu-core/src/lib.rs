//! The words that all of Boxwood shares: time, events, wires, memory, buses, devices, CPU state.
//!
//! This crate knows no chip, no CPU behaviour and no host. Everything above it (chips, CPU back ends, the
//! board, the front end) speaks in these types, so a newcomer reads this crate first.
#![warn(missing_docs)]

pub mod backend;
pub mod bus;
pub mod cap;
pub mod cx;
pub mod device;
pub mod event;
pub mod host;
pub mod probe;
pub mod ram;
pub mod snapshot;
pub mod testkit;
pub mod time;
pub mod wire;
pub mod x86;

pub use bus::{Gpa, Width};
pub use cx::{Cx, Fabric, ResetKind};
pub use device::{Device, DeviceId, DynDevice};
pub use time::{Frequency, VirtTime};
pub use wire::Line;
