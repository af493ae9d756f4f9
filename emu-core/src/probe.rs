//! The one observation interface: debugger, gdb, tracer, profiler, coverage, differential tests.
//!
//! A run without a probe contains no probe code. With one, each hook is called in program order.

use crate::backend::CpuId;
use crate::bus::{Gpa, Width};
use crate::x86::CpuState;

/// Whether to go on.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Execute it.
    Continue,
    /// Return from the run before it.
    Stop,
}

/// An instruction that is about to execute.
#[derive(Copy, Clone, Debug)]
pub struct Execute<'a> {
    /// Whose.
    pub cpu: CpuId,
    /// The instructions that the board retired before it.
    pub insns: u64,
    /// Linear address.
    pub linear: u64,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// 16, 32 or 64.
    pub code_bits: u8,
}

/// How memory is touched.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum MemoryAccess {
    /// A load.
    Read,
    /// A store.
    Write,
}

/// A load or store of an instruction.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Memory {
    /// Whose.
    pub cpu: CpuId,
    /// The instructions that the board retired before the one that does it.
    pub insns: u64,
    /// The instruction pointer there.
    pub rip: u64,
    /// Load or store.
    pub access: MemoryAccess,
    /// Linear address.
    pub linear: u64,
    /// Physical address of the first byte.
    pub gpa: Gpa,
    /// Size.
    pub width: Width,
    /// What was loaded or stored.
    pub value: u64,
}

/// A port access.
#[derive(Copy, Clone, Debug)]
pub struct Port {
    /// Whose.
    pub cpu: CpuId,
    /// Read or write.
    pub access: MemoryAccess,
    /// Which.
    pub port: u16,
    /// Size.
    pub width: Width,
    /// What was read or written.
    pub value: u32,
}

/// An event that is delivered through the vector table.
#[derive(Copy, Clone, Debug)]
pub struct Delivery {
    /// Whose.
    pub cpu: CpuId,
    /// Vector.
    pub vector: u8,
    /// Error code, if one is pushed.
    pub error: Option<u32>,
    /// CR2 for a page fault.
    pub fault_address: Option<u64>,
}

/// Which loads and stores a probe wants to hear of.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Watched {
    /// None.
    Nothing,
    /// Those that touch any of these linear addresses, the first to the last. All others go on at full speed.
    Addresses(u64, u64),
    /// All.
    Everything,
}

/// Hooks; each does nothing unless it is overridden.
pub trait Probe {
    /// Whether [`Self::execute`] shall be called. Without, instructions run at full speed.
    fn wants_execute(&self) -> bool {
        true
    }
    /// Before each instruction (each REP iteration is not one of its own). `state` gives the registers.
    fn execute(&mut self, _at: &Execute<'_>, _state: &dyn Fn() -> CpuState) -> Verdict {
        Verdict::Continue
    }
    /// When [`Self::memory`] shall be called.
    fn watched(&self) -> Watched {
        Watched::Nothing
    }
    /// After a load or store.
    fn memory(&mut self, _m: &Memory) {}
    /// After a port access.
    fn port(&mut self, _p: &Port) {}
    /// Before a hardware interrupt is delivered.
    fn interrupt(&mut self, _d: &Delivery) {}
    /// Before an exception or software interrupt is delivered.
    fn exception(&mut self, _d: &Delivery) {}
    /// The CPU was reset.
    fn reset(&mut self, _cpu: CpuId) {}
}
