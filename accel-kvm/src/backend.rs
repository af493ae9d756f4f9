//! The loop: until something is due, `KVM_RUN`; what it comes back with goes to the board.

use crate::slots::Slots;
use crate::sys::{self, Alarm};
use crate::{KvmError, state};
use emu_core::backend::{
    Attention, BackendCaps, BackendStats, CpuBackend, CpuId, Exit, Invalidate, Kick, Special,
    SystemBus,
};
use emu_core::bus::{Gpa, Width};
use emu_core::probe::Probe;
use emu_core::x86::{Activity, CpuState};
use kvm_bindings::CpuId as CpuidLeaves;
use kvm_ioctls::{Cap, Kvm, VcpuExit, VcpuFd, VmFd};
use std::time::Instant;

/// The only CPU.
const CPU: CpuId = CpuId(0);
/// How long the guest may run until the board looks at its clock.
const SLICE_NS: i64 = 1_000_000;
/// Leaf 1, ECX: x2APIC, TSC deadline, a hypervisor: what the board does not have, or a guest should not look for.
const NOT_OURS: u32 = 1 << 21 | 1 << 24 | 1 << 31;
const LEAVES_MAX: usize = 256;
const HYPERVISOR_LEAVES: std::ops::Range<u32> = 0x4000_0000..0x5000_0000;
const NS_PER_SECOND: u128 = 1_000_000_000;

/// A CPU under KVM.
pub struct KvmCpu {
    vcpu: VcpuFd,
    vm: VmFd,
    slots: Slots,
    /// The map as KVM has it is not that of the board.
    map_is_stale: bool,
    a20_masked: bool,
    reset: CpuState,
    /// The state between slices.
    state: CpuState,
    insns_per_second: u64,
    /// What is left of a second's `NS_PER_SECOND` after the last whole instruction.
    remainder: u128,
    kick: Kick,
    stats: BackendStats,
}

fn refused(what: &'static str) -> impl Fn(kvm_ioctls::Error) -> KvmError {
    move |e| KvmError::Refused {
        what,
        error: std::io::Error::from_raw_os_error(e.errno()),
    }
}

impl KvmCpu {
    /// With this state after a reset.
    pub fn new(reset: &CpuState, insns_per_second: u64) -> Result<Self, KvmError> {
        let kvm = Kvm::new()
            .map_err(|e| KvmError::Device(std::io::Error::from_raw_os_error(e.errno())))?;
        let needed = [
            (Cap::UserMemory, "memory slots"),
            (Cap::ReadonlyMem, "memory slots for ROM"),
            (Cap::ImmediateExit, "immediate exit"),
        ];
        for (cap, what) in needed {
            if !kvm.check_extension(cap) {
                return Err(KvmError::Lacks(what));
            }
        }
        let vm = kvm.create_vm().map_err(refused("a virtual machine"))?;
        let vcpu = vm.create_vcpu(0).map_err(refused("a CPU"))?;
        let supported = kvm.get_supported_cpuid(LEAVES_MAX);
        let supported = supported.map_err(refused("its CPUID leaves"))?;
        let mut leaves = supported.as_slice().to_vec();
        leaves.retain(|l| !HYPERVISOR_LEAVES.contains(&l.function));
        for leaf in leaves.iter_mut().filter(|l| l.function == 1) {
            leaf.ecx &= !NOT_OURS;
        }
        let leaves = CpuidLeaves::from_entries(&leaves).map_err(|_| KvmError::Lacks("CPUID"))?;
        vcpu.set_cpuid2(&leaves).map_err(refused("CPUID leaves"))?;
        state::put(&vcpu, reset).map_err(refused("the state after reset"))?;
        Ok(Self {
            vcpu,
            vm,
            slots: Slots::default(),
            map_is_stale: true,
            a20_masked: false,
            reset: *reset,
            state: *reset,
            insns_per_second,
            remainder: 0,
            kick: Kick::default(),
            stats: BackendStats::default(),
        })
    }

    /// Moves the board's clock on by the host's time since `since`.
    fn pass_time(&mut self, bus: &mut dyn SystemBus, since: &mut Instant) {
        let now = Instant::now();
        let passed = now.duration_since(*since).as_nanos();
        *since = now;
        let work = passed * u128::from(self.insns_per_second) + self.remainder;
        self.remainder = work % NS_PER_SECOND;
        let mut insns = u64::try_from(work / NS_PER_SECOND).unwrap_or(u64::MAX);
        while insns > 0 && !bus.attention(CPU).contains(Attention::STOP) {
            let n = insns.min(bus.countdown().max(1));
            bus.advance(n);
            insns -= n;
        }
    }

    /// Whether the guest takes an interrupt now.
    fn takes_interrupts(&mut self) -> bool {
        let run = self.vcpu.get_kvm_run();
        run.ready_for_interrupt_injection != 0 && run.if_flag != 0
    }

    /// Acts on what waits for the CPU; `Some` ends the slice.
    fn attend(&mut self, bus: &mut dyn SystemBus) -> Result<Option<Exit>, kvm_ioctls::Error> {
        let waiting = bus.attention(CPU);
        if waiting.intersects(Attention::RESET | Attention::INIT) {
            // INIT leaves caches and floating point alone; both are set from the reset state here.
            bus.accept(CPU, Attention::RESET | Attention::INIT);
            // Whatever it ends with: what follows is a reset.
            self.complete_access(bus);
            self.state = self.reset;
            state::put(&self.vcpu, &self.reset)?;
        }
        if waiting.contains(Attention::CODE_WRITTEN) {
            bus.accept(CPU, Attention::CODE_WRITTEN);
        }
        let masked = waiting.contains(Attention::A20_MASKED);
        if self.map_is_stale
            || waiting.contains(Attention::MAP_CHANGED)
            || masked != self.a20_masked
        {
            bus.accept(CPU, Attention::MAP_CHANGED);
            (self.map_is_stale, self.a20_masked) = (false, masked);
            if let Err(e) = self.slots.update(&self.vm, bus, masked) {
                tracing::error!(target: "kvm", "the memory map cannot be set: {e}");
                return Ok(Some(Exit::Shutdown));
            }
        }
        if waiting.contains(Attention::STOP) || self.kick.take() {
            return Ok(Some(Exit::SliceEnd));
        }
        if waiting.contains(Attention::NMI) {
            bus.accept(CPU, Attention::NMI);
            self.state.activity = Activity::Running;
            self.vcpu.nmi()?;
        }
        let pending = waiting.contains(Attention::INTR);
        if pending && self.takes_interrupts() {
            if let Some(vector) = bus.acknowledge(CPU) {
                self.state.activity = Activity::Running;
                let mut events = self.vcpu.get_vcpu_events()?;
                (events.interrupt.injected, events.interrupt.nr) = (1, vector);
                self.vcpu.set_vcpu_events(&events)?;
            }
            self.vcpu.get_kvm_run().request_interrupt_window = 0;
        } else {
            self.vcpu.get_kvm_run().request_interrupt_window = pending.into();
        }
        if self.state.activity == Activity::Halted {
            return Ok(Some(Exit::Halted));
        }
        Ok(None)
    }

    /// KVM finishes a port or memory access when it is entered again: enters it for nothing else. A repeated string
    /// instruction may then ask for the accesses of its next iterations, which are served until KVM wants no more.
    fn complete_access(&mut self, bus: &mut dyn SystemBus) -> Option<Exit> {
        self.vcpu.set_kvm_immediate_exit(1);
        let ended = loop {
            match self.step(bus) {
                Entry::Served => {}
                Entry::Interrupted => break None,
                Entry::Ended(exit) => break Some(exit),
            }
        };
        self.vcpu.set_kvm_immediate_exit(0);
        ended
    }

    /// Enters the guest once, and does what it comes back for.
    fn step(&mut self, bus: &mut dyn SystemBus) -> Entry {
        match self.vcpu.run() {
            Ok(VcpuExit::IoOut(port, data)) => {
                let data = data.to_vec();
                let size = sys::port_item_bytes(self.vcpu.get_kvm_run()).clamp(1, 4);
                for item in data.chunks_exact(size) {
                    let value = number(item) as u32;
                    bus.port_write(CPU, port, width(size), value);
                }
            }
            Ok(VcpuExit::IoIn(port, data)) => {
                let bytes = data.len();
                let size = sys::port_item_bytes(self.vcpu.get_kvm_run()).clamp(1, 4);
                for item in sys::port_data(&mut self.vcpu, bytes).chunks_exact_mut(size) {
                    let value = bus.port_read(CPU, port, width(size));
                    item.copy_from_slice(&value.to_le_bytes()[..size]);
                }
            }
            Ok(VcpuExit::MmioRead(gpa, data)) => {
                for (at, item) in pieces(gpa, data.len()) {
                    let gpa = Gpa(gpa + at as u64);
                    let value = bus.mmio_read(CPU, gpa, false, width(item));
                    data[at..at + item].copy_from_slice(&value.to_le_bytes()[..item]);
                }
            }
            Ok(VcpuExit::MmioWrite(gpa, data)) => {
                for (at, item) in pieces(gpa, data.len()) {
                    let value = number(&data[at..at + item]);
                    bus.mmio_write(CPU, Gpa(gpa + at as u64), false, width(item), value);
                }
            }
            Ok(VcpuExit::Hlt) => {
                self.state.activity = Activity::Halted;
                bus.special_cycle(CPU, Special::Halt);
            }
            Ok(VcpuExit::Shutdown) => {
                self.state.activity = Activity::Shutdown;
                bus.special_cycle(CPU, Special::Shutdown);
                return Entry::Ended(Exit::Shutdown);
            }
            Ok(VcpuExit::IrqWindowOpen | VcpuExit::Intr | VcpuExit::SetTpr) => {}
            Ok(other) => {
                let what = format!("{other:?}");
                return Entry::Ended(self.cannot_go_on(&what));
            }
            Err(e) if matches!(e.errno(), libc::EINTR | libc::EAGAIN) => {
                return Entry::Interrupted;
            }
            Err(e) => return Entry::Ended(self.cannot_go_on(&e.to_string())),
        }
        Entry::Served
    }

    fn cannot_go_on(&mut self, why: &str) -> Exit {
        let at = self.vcpu.get_regs().map_or(0, |r| r.rip);
        tracing::error!(target: "kvm", "KVM cannot go on at RIP {at:x}: {why}");
        self.state.activity = Activity::Shutdown;
        Exit::Shutdown
    }
}

/// What became of entering the guest.
enum Entry {
    /// It came back for something, which is done.
    Served,
    /// A signal, or the wish for no more than to complete an access.
    Interrupted,
    /// The slice is at its end.
    Ended(Exit),
}

/// Bytes as a number.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |v, b| v << 8 | u64::from(*b))
}

fn width(bytes: usize) -> Width {
    match bytes {
        1 => Width::Byte,
        2 => Width::Word,
        4 => Width::Dword,
        _ => Width::Qword,
    }
}

/// An access of any length as naturally aligned ones: offset and length.
fn pieces(gpa: u64, bytes: usize) -> Vec<(usize, usize)> {
    let mut all = Vec::new();
    let mut at = 0;
    while at < bytes {
        let mut size = 8;
        while size > bytes - at || !(gpa + at as u64).is_multiple_of(size as u64) {
            size /= 2;
        }
        all.push((at, size));
        at += size;
    }
    all
}

impl CpuBackend for KvmCpu {
    fn run(&mut self, bus: &mut dyn SystemBus, _: Option<&mut dyn Probe>) -> Exit {
        self.stats.exits += 1;
        let mut since = Instant::now();
        let alarm = Alarm::every_ns(SLICE_NS);
        if let Err(e) = &alarm {
            tracing::error!(target: "kvm", "there is no timer for the guest's slices: {e}");
            return Exit::Shutdown;
        }
        let exit = loop {
            self.pass_time(bus, &mut since);
            match self.attend(bus) {
                Ok(Some(exit)) => break exit,
                Ok(None) => {}
                Err(e) => break self.cannot_go_on(&e.to_string()),
            }
            if let Entry::Ended(exit) = self.step(bus) {
                break exit;
            }
        };
        drop(alarm);
        let exit = self.complete_access(bus).unwrap_or(exit);
        self.slots.note_writes(&self.vm);
        let activity = self.state.activity;
        if let Err(e) = state::take(&self.vcpu, &mut self.state) {
            tracing::error!(target: "kvm", "the state cannot be read: {e}");
        }
        self.state.activity = activity;
        self.state.retired = bus.insns();
        exit
    }

    fn state(&self) -> CpuState {
        self.state
    }

    fn set_state(&mut self, state: &CpuState) {
        self.state = *state;
        if let Err(e) = state::put(&self.vcpu, state) {
            tracing::error!(target: "kvm", "the state cannot be set: {e}");
        }
    }

    fn invalidate(&mut self, what: Invalidate) {
        // KVM follows memory by itself; only the map can be stale.
        if what != Invalidate::WriteTracking {
            self.map_is_stale = true;
        }
    }

    fn kick(&self) -> Kick {
        self.kick.clone()
    }

    fn caps(&self) -> BackendCaps {
        BackendCaps::default()
    }

    fn stats(&self) -> BackendStats {
        self.stats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_of_any_length_is_made_of_aligned_ones() {
        assert_eq!(pieces(0xFEE0_0020, 4), [(0, 4)]);
        assert_eq!(pieces(0xA_0001, 4), [(0, 1), (1, 2), (3, 1)]);
        assert_eq!(pieces(0xA_0000, 8), [(0, 8)]);
        assert_eq!(pieces(0xA_0004, 3), [(0, 2), (2, 1)]);
        assert!(pieces(0, 0).is_empty());
    }
}
