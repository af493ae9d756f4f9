//! What the host's processor itself answers. Oracles only; nothing here runs in an emulated machine.

#[cfg(target_arch = "x86_64")]
pub mod sse;
#[cfg(target_arch = "x86_64")]
pub mod x87;
