//! What a CPU sees of the board, and what the board sees of a CPU.

use crate::bus::{Gpa, PageView, Width};
use crate::probe::Probe;
use crate::ram::Ram;
use crate::x86::CpuState;
use bitflags::bitflags;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A CPU's place on its board.
#[derive(
    Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
pub struct CpuId(pub u8);

/// An input pin of a CPU.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum CpuPin {
    /// Maskable interrupt request: a level.
    Intr,
    /// Non-maskable interrupt: an edge.
    Nmi,
    /// System management interrupt: an edge.
    Smi,
    /// Initialise: an edge.
    Init,
    /// Address bit 20 is forced to 0 while this is low (A20M#, seen positively: high means "A20 passes").
    A20,
    /// Ignore numeric errors (IGNNE#, seen positively).
    Ignne,
}

bitflags! {
    /// What waits for a CPU's attention: one word, read at instruction boundaries and after anything that
    /// may have changed it.
    #[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
    pub struct Attention: u32 {
        /// INTR is high (a level).
        const INTR = 1 << 0;
        /// An NMI arrived (latched until accepted).
        const NMI = 1 << 1;
        /// An SMI arrived (latched until accepted).
        const SMI = 1 << 2;
        /// INIT arrived (latched until accepted).
        const INIT = 1 << 3;
        /// A reset of the board: the CPU starts from its reset state (latched until accepted).
        const RESET = 1 << 4;
        /// The memory map, the A20 gate or write tracking changed: host pointers must be dropped (latched until
        /// accepted).
        const MAP_CHANGED = 1 << 5;
        /// Some device wrote over code (latched until accepted).
        const CODE_WRITTEN = 1 << 6;
        /// The slice shall end.
        const STOP = 1 << 7;
        /// Address bit 20 is masked (a level).
        const A20_MASKED = 1 << 8;
        /// IGNNE# is asserted (a level).
        const IGNNE = 1 << 9;
    }
}

/// Bus cycles with a meaning of their own (and FERR#).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Special {
    /// HLT was executed.
    Halt,
    /// A triple fault: the CPU stopped.
    Shutdown,
    /// System management mode was entered or left.
    SmiAct(bool),
    /// The floating-point error pin.
    Ferr(bool),
    /// A performance counter has overflown that is to interrupt: the local APIC has an entry for it.
    CounterOverflow,
}

/// A register of the local APIC that a CPU reaches by an instruction of its own instead of by memory.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum LapicRegister {
    /// IA32_APIC_BASE.
    Base,
    /// The task priority as CR8 holds it: bits 3 to 0 are the TPR's bits 7 to 4.
    Cr8,
    /// IA32_TSC_DEADLINE, in cycles of [`SystemBus::cycles`] (the time-stamp counter's value minus the CPU's own
    /// offset); 0: disarmed. A CPU whose offset changes writes it anew.
    TscDeadline,
    /// A register of x2APIC mode: the MSR's number minus 800h.
    X2apic(u8),
}

/// What a CPU sees of the board. `cpu` is the index of the one that asks.
pub trait SystemBus {
    /// What waits for this CPU.
    fn attention(&self, cpu: CpuId) -> Attention;
    /// Takes latched bits (NMI, SMI, INIT, RESET, MAP_CHANGED, CODE_WRITTEN) off the word.
    fn accept(&mut self, cpu: CpuId, bits: Attention);
    /// Counts retired instructions (time follows from the count) and runs the events that are then due.
    fn advance(&mut self, retired: u64);
    /// Instructions until the next event: a CPU retires no more than this before it calls [`Self::advance`].
    fn countdown(&self) -> u64;
    /// What waits for this CPU, and the instructions until the next event: what a CPU looks at behind each access to a
    /// device, in one call.
    fn pending(&self, cpu: CpuId) -> (Attention, u64) {
        (self.attention(cpu), self.countdown())
    }
    /// Instructions retired since power-on, as of the last [`Self::advance`].
    fn insns(&self) -> u64;
    /// Cycles of the time-stamp counter's clock since power-on, as of the last [`Self::advance`]: one for each retired
    /// instruction, and the length of each halt.
    fn cycles(&self) -> u64 {
        self.insns()
    }
    /// Reads a port; the caller has advanced to the present instruction.
    fn port_read(&mut self, cpu: CpuId, port: u16, width: Width) -> u32;
    /// Writes a port.
    fn port_write(&mut self, cpu: CpuId, port: u16, width: Width, value: u32);
    /// Reads memory that is not plain RAM. `smm`: the CPU is in system management mode.
    fn mmio_read(&mut self, cpu: CpuId, gpa: Gpa, smm: bool, width: Width) -> u64;
    /// Writes memory that is not plain RAM.
    fn mmio_write(&mut self, cpu: CpuId, gpa: Gpa, smm: bool, width: Width, value: u64);
    /// What the page at `gpa` is, for a TLB entry.
    fn page(&self, gpa: Gpa, smm: bool) -> PageView;
    /// Acknowledges an interrupt: the board walks the PIC cascade. `None` if INTR fell in the meantime and nothing
    /// answers.
    fn acknowledge(&mut self, cpu: CpuId) -> Option<u8>;
    /// Reads a register of this CPU's local APIC; `None`: it has none, or no such register (the instruction faults).
    fn lapic_read(&mut self, _cpu: CpuId, _register: LapicRegister) -> Option<u64> {
        None
    }
    /// Writes a register of this CPU's local APIC; false: the instruction faults, and nothing has changed.
    #[must_use]
    fn lapic_write(&mut self, _cpu: CpuId, _register: LapicRegister, _value: u64) -> bool {
        false
    }
    /// Reports a special cycle.
    fn special_cycle(&mut self, cpu: CpuId, cycle: Special);
    /// All blocks of memory on the board.
    fn blocks(&self) -> &[Ram];
}

/// Why a CPU stopped running.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Exit {
    /// [`Attention::STOP`] or a kick.
    SliceEnd,
    /// Halted with nothing to wake it: time may jump to the next event.
    Halted,
    /// In shutdown: only a reset (or NMI) helps.
    Shutdown,
    /// The probe asked to stop before the next instruction.
    Probe,
}

/// What a CPU must forget; used between slices only.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Invalidate {
    /// Host pointers and translations.
    Memory,
    /// Host pointers for stores, so that dirty pages are marked again.
    WriteTracking,
    /// Everything, decoded code too.
    All,
}

/// What a back end can do.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct BackendCaps {
    /// Events fire at exact instruction counts, and runs repeat.
    pub exact: bool,
    /// Probes see every instruction.
    pub probes: bool,
}

/// Asks a CPU on another thread to return from [`CpuBackend::run`] soon.
#[derive(Clone, Debug, Default)]
pub struct Kick(Arc<AtomicBool>);

impl Kick {
    /// Asks.
    pub fn kick(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    #[inline]
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Whether somebody asked; clears the request.
    #[inline]
    pub fn take(&self) -> bool {
        self.0.load(Ordering::Relaxed) && self.0.swap(false, Ordering::Relaxed)
    }
}

/// Counters of a back end, for `--stats`.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct BackendStats {
    /// Blocks decoded.
    pub blocks_decoded: u64,
    /// TLB entries filled by a page walk.
    pub tlb_fills: u64,
    /// Returns from [`CpuBackend::run`].
    pub exits: u64,
}

/// Executes one CPU's instructions.
pub trait CpuBackend: Send {
    /// Runs until there is a reason to return.
    fn run(&mut self, bus: &mut dyn SystemBus, probe: Option<&mut dyn Probe>) -> Exit;
    /// The whole architectural state.
    fn state(&self) -> CpuState;
    /// Replaces the architectural state.
    fn set_state(&mut self, state: &CpuState);
    /// Forgets what was derived from memory; between slices only. Inside a slice the CPU acts on [`Attention`] itself.
    fn invalidate(&mut self, what: Invalidate);
    /// A handle that ends a slice from another thread.
    fn kick(&self) -> Kick;
    /// What this back end can do.
    fn caps(&self) -> BackendCaps;
    /// Counters since power-on.
    fn stats(&self) -> BackendStats;
}
