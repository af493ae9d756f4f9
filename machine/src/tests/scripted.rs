//! A CPU back end that plays a script: enough to drive a board through its `SystemBus`.

use emu_core::backend::*;
use emu_core::bus::{Gpa, Width};
use emu_core::probe::Probe;
use emu_core::x86::{Activity, CpuState, Rflags};

/// One scripted instruction.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    Out(u16, Width, u32),
    In(u16, Width),
    Store(u64, Width, u64),
    Load(u64, Width),
    /// That many instructions that touch nothing.
    Spin(u64),
    Halt,
    Shutdown,
}

/// Plays its script once, then halts for ever. RAX holds the last value read, RBX the sum of the vectors taken,
/// RIP the place in the script, RCX what is left of a spin.
pub struct Scripted {
    script: Vec<Op>,
    state: CpuState,
    kick: Kick,
}

const ME: CpuId = CpuId(0);

impl Scripted {
    pub fn new(script: &[Op]) -> Self {
        let state = CpuState {
            rflags: Rflags::IF,
            ..CpuState::default()
        };
        Self {
            script: script.to_vec(),
            state,
            kick: Kick::default(),
        }
    }
}

impl CpuBackend for Scripted {
    fn run(&mut self, bus: &mut dyn SystemBus, _probe: Option<&mut dyn Probe>) -> Exit {
        loop {
            let attention = bus.attention(ME);
            bus.accept(ME, Attention::MAP_CHANGED | Attention::CODE_WRITTEN);
            if attention.intersects(Attention::RESET | Attention::INIT) {
                bus.accept(ME, Attention::RESET | Attention::INIT);
                self.state.rip = 0;
                self.state.activity = Activity::Running;
            }
            if attention.contains(Attention::STOP) || self.kick.take() {
                return Exit::SliceEnd;
            }
            if attention.contains(Attention::INTR)
                && let Some(vector) = bus.acknowledge(ME)
            {
                self.state.gpr[3] += u64::from(vector);
                self.state.activity = Activity::Running;
                continue;
            }
            match self.state.activity {
                Activity::Halted | Activity::Waiting { .. } => return Exit::Halted,
                Activity::Shutdown => return Exit::Shutdown,
                Activity::Running => {}
            }
            if bus.countdown() == 0 {
                bus.advance(0);
                continue;
            }
            let Some(&op) = self.script.get(self.state.rip as usize) else {
                self.state.activity = Activity::Halted;
                continue;
            };
            self.state.rip += 1;
            let mut retired = 1;
            match op {
                Op::Out(port, width, value) => bus.port_write(ME, port, width, value),
                Op::In(port, width) => self.state.gpr[0] = bus.port_read(ME, port, width).into(),
                Op::Store(gpa, width, value) => bus.mmio_write(ME, Gpa(gpa), false, width, value),
                Op::Load(gpa, width) => {
                    self.state.gpr[0] = bus.mmio_read(ME, Gpa(gpa), false, width);
                }
                Op::Spin(n) => {
                    let left = if self.state.gpr[1] == 0 {
                        n
                    } else {
                        self.state.gpr[1]
                    };
                    retired = left.min(bus.countdown());
                    self.state.gpr[1] = left - retired;
                    if self.state.gpr[1] > 0 {
                        self.state.rip -= 1;
                    }
                }
                Op::Halt => self.state.activity = Activity::Halted,
                Op::Shutdown => {
                    self.state.activity = Activity::Shutdown;
                    bus.special_cycle(ME, Special::Shutdown);
                }
            }
            bus.advance(retired);
            self.state.retired += retired;
        }
    }
    fn state(&self) -> CpuState {
        self.state
    }
    fn set_state(&mut self, state: &CpuState) {
        self.state = *state;
    }
    fn invalidate(&mut self, _what: Invalidate) {}
    fn kick(&self) -> Kick {
        self.kick.clone()
    }
    fn caps(&self) -> BackendCaps {
        BackendCaps::default()
    }
    fn stats(&self) -> BackendStats {
        BackendStats::default()
    }
}
