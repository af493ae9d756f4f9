//! What interrupts the flow of instructions: faults, interrupts, tasks, debug conditions.

pub mod branches;
pub mod debug;
pub mod fault;
pub mod interrupt;
pub mod long;
pub mod smm;
pub mod task;

#[cfg(test)]
mod tests;
