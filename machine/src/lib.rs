//! The board: what is wired to what, the run loop, snapshots, media.
//!
//! - [`spec`]: what a machine shall be, as plain data
//! - [`builder`]: puts a board together and names every conflict
//! - [`board`]: the devices, the fabric between them, the clock
//! - `router`: carries port and memory accesses to whoever decodes them ([`emu_core::backend::SystemBus`])
//! - [`run`]: the run loop
//! - [`inputs`]: the one door for everything that comes from outside
//! - [`snapshot`]: saving, restoring, hashing
//! - [`media`]: disk images
//! - [`boards`]: the machines that exist

mod apic;
pub mod board;
pub mod boards;
pub mod builder;
pub mod inputs;
pub mod linux;
pub mod media;
mod pace;
mod router;
pub mod run;
pub mod snapshot;
pub mod spec;

#[cfg(test)]
mod tests;

pub use board::{Board, BoardFault, DEFAULT_INSNS_PER_SECOND};
pub use builder::{BoardBuilder, Conflicts};
pub use run::{ClockMode, Machine, OnTripleFault, Stop, Until};
