//! Tests of the board. Those of its parts need no CPU: a scripted back end plays port accesses, and small devices answer;
//! `firmware` runs a whole PC.

mod board;
mod firmware;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod kvm;
mod parts;
mod pc;
mod scripted;
mod snapshot;
