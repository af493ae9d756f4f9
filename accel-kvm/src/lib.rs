//! One CPU of a board executed by the host's processor through Linux' KVM (Linux documentation, "The Definitive KVM
//! (Kernel-based Virtual Machine) API Documentation").
//!
//! The board is the one that the interpreter runs on: what the board maps as plain memory becomes memory slots, ROM those that
//! cannot be written; everything else, ports too, exits to the same bus. Interrupts come from the board's own
//! controllers, not from the kernel's. The state is the same [`emu_core::x86::CpuState`].
//!
//! Guest time follows the host's clock: as many instructions are counted as the board's rate gives for the time that
//! passed. A run does not repeat.
//!
//! **Not implemented**: more than one CPU; the model's CPUID (the guest sees what KVM supports on this host, without
//! what the board's local APIC does not have); system management mode (an SMI waits for ever); PKRU, MTRRs, IA32_TSC_AUX, the
//! x87 selectors, machine-check registers and the time-stamp counter are not moved between back ends; probes.
//!
//! **Known inaccuracies**: a repeated string instruction on a port may be handed over in one piece; an instruction that KVM
//! cannot execute stops the CPU (as a shutdown), with a line in the log.

use emu_core::backend::CpuBackend;
use emu_core::x86::CpuState;
use thiserror::Error;

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod backend;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod slots;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod state;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod sys;

/// Why there is no KVM.
#[derive(Debug, Error)]
pub enum KvmError {
    /// /dev/kvm cannot be opened.
    #[error("/dev/kvm cannot be used ({0}): is KVM there, and may you open it?")]
    Device(std::io::Error),
    /// It lacks something.
    #[error("this host's KVM has no {0}")]
    Lacks(&'static str),
    /// A call failed.
    #[error("KVM refuses {what}: {error}")]
    Refused {
        /// Which.
        what: &'static str,
        /// How.
        error: std::io::Error,
    },
    /// Another host.
    #[error("KVM is there on x86-64 Linux hosts only")]
    NoLinux,
}

/// A CPU that stands as `reset` says, on a board with so many instructions a guest second.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub fn cpu(reset: &CpuState, insns_per_second: u64) -> Result<Box<dyn CpuBackend>, KvmError> {
    Ok(Box::new(backend::KvmCpu::new(reset, insns_per_second)?))
}

/// There is none.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
pub fn cpu(_: &CpuState, _: u64) -> Result<Box<dyn CpuBackend>, KvmError> {
    Err(KvmError::NoLinux)
}
