//! Tests of the board without a CPU: a scripted back end plays port accesses, and small devices answer.

mod board;
mod parts;
mod pc;
mod scripted;
