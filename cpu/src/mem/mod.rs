//! Memory as instructions see it: logical -> linear -> physical, and the fast way past all that.

pub mod access;
pub mod address;
pub mod device;
pub mod paging;
mod refill;
pub mod segment;
pub mod stretch;
pub mod tlb;
pub mod wide;
