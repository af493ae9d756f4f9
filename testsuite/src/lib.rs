//! What needs a CPU or a whole board to be tested: vectors, oracles, guests.

pub mod conformance;
pub mod exceptions;
pub mod guests;
pub mod laws;
pub mod native;
pub mod operands;
pub mod published;
pub mod ring0;
pub mod vectors;
