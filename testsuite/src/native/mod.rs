//! What the host's processor itself answers. Oracles only; nothing here runs in an emulated machine.

#[cfg(target_arch = "x86_64")]
pub mod sse;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub mod vector;
#[cfg(all(test, target_arch = "x86_64", target_os = "linux"))]
mod vector_tests;
#[cfg(target_arch = "x86_64")]
pub mod x87;
