//! The run loop: slices of CPU time between the moments at which somebody outside wants to look.
//!
//! A slice ends where its owner asked for it, and nothing of the machine's state depends on where that was. When
//! the CPU halts, time jumps to the next event (deterministic clock) or the host waits for it (real-time clock).

use crate::board::{Board, BoardFault, Outcome};
use crate::pace::Pacer;
use crate::snapshot::{self, MediaIdentity, StatePart};
use emu_core::backend::{Attention, BackendCaps, BackendStats, CpuBackend, Exit, Invalidate, Kick};
use emu_core::cap::TextScreen;
use emu_core::host::{Frame, HostEvent};
use emu_core::probe::Probe;
use emu_core::snapshot::SnapshotError;
use emu_core::time::VirtTime;
use emu_core::x86::{Activity, CpuState, Rflags};

/// A CPU that nothing has woken for this long is halted for ever: no alarm or timer of the board takes longer
/// than a day to come round.
const HALTED_FOR_EVER_NS: u64 = 25 * 3600 * 1_000_000_000;

/// Which clock the machine lives by.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ClockMode {
    /// Guest time follows from the count of instructions alone.
    Deterministic,
    /// Guest time is kept from running ahead of the host's clock.
    RealTime,
}

/// What a triple fault does.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum OnTripleFault {
    /// The chipset restarts the CPU, as on a PC.
    Reset,
    /// The run ends.
    Exit,
}

/// How far to run.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Until {
    /// At most until this many instructions were retired since power-on.
    pub insns: u64,
    /// At most until this moment of guest time.
    pub time: VirtTime,
}

impl Until {
    /// No limit.
    pub const FOREVER: Self = Self {
        insns: u64::MAX,
        time: VirtTime::NEVER,
    };

    /// Until an instruction count.
    pub const fn insns(insns: u64) -> Self {
        Self {
            insns,
            time: VirtTime::NEVER,
        }
    }

    /// Until a moment.
    pub const fn time(time: VirtTime) -> Self {
        Self {
            insns: u64::MAX,
            time,
        }
    }
}

/// Why [`Machine::run`] came back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stop {
    /// The instruction count was reached.
    Insns,
    /// The moment was reached.
    Time,
    /// A frame is complete (only if [`Machine::stop_on_frame`] was asked for).
    Frame,
    /// Another thread asked with [`Kick`].
    Kicked,
    /// The probe said so.
    Probe,
    /// The guest switched the power off.
    PowerOff,
    /// A debug port ended the run with this exit code.
    Exit(u8),
    /// A triple fault, with [`OnTripleFault::Exit`].
    TripleFault,
    /// The CPU is halted and nothing can wake it.
    HaltedForEver,
    /// The board is wired wrongly.
    Fault(BoardFault),
}

/// A whole machine: a board and its CPU.
pub struct Machine {
    pub(crate) board: Board,
    pub(crate) cpu: Box<dyn CpuBackend>,
    pub(crate) cpu_model: String,
    pub(crate) media: Vec<MediaIdentity>,
    pacer: Option<Pacer>,
    /// The instruction count and the moment at which the CPU was first seen halted.
    halted_since: Option<(u64, VirtTime)>,
}

impl Machine {
    /// Puts a CPU on a board.
    pub fn new(board: Board, cpu: Box<dyn CpuBackend>, cpu_model: &str) -> Self {
        Self {
            board,
            cpu,
            cpu_model: cpu_model.to_string(),
            media: Vec::new(),
            pacer: None,
            halted_since: None,
        }
    }

    /// Says which media the machine started with; snapshots carry this.
    pub fn set_media(&mut self, media: Vec<MediaIdentity>) {
        self.media = media;
    }

    /// Chooses the clock.
    pub fn set_clock(&mut self, mode: ClockMode) {
        self.pacer = match mode {
            ClockMode::Deterministic => None,
            ClockMode::RealTime => Some(Pacer::new(self.board.now())),
        };
    }

    /// Chooses what a triple fault does.
    pub fn set_on_triple_fault(&mut self, what: OnTripleFault) {
        self.board.shutdown_resets = what == OnTripleFault::Reset;
    }

    /// Whether [`Self::run`] comes back with each frame.
    pub fn stop_on_frame(&mut self, stop: bool) {
        self.board.stop_on_frame = stop;
    }

    /// The board.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// The board.
    pub fn board_mut(&mut self) -> &mut Board {
        &mut self.board
    }

    /// The CPU's state.
    pub fn cpu_state(&self) -> CpuState {
        self.cpu.state()
    }

    /// The CPU's counters.
    pub fn cpu_stats(&self) -> BackendStats {
        self.cpu.stats()
    }

    /// What the CPU's back end can do.
    pub fn cpu_caps(&self) -> BackendCaps {
        self.cpu.caps()
    }

    /// A handle with which another thread ends a slice.
    pub fn kick(&self) -> Kick {
        self.cpu.kick()
    }

    /// The present moment.
    pub fn now(&self) -> VirtTime {
        self.board.now()
    }

    /// Instructions retired since power-on.
    pub fn insns(&self) -> u64 {
        self.board.insns_retired()
    }

    /// Delivers an input now.
    pub fn input(&mut self, event: HostEvent) {
        self.board.deliver_input(event);
    }

    /// Delivers an input at a moment of guest time.
    pub fn schedule_input(&mut self, at: VirtTime, event: HostEvent) {
        self.board.inputs.schedule(at, event);
        self.board.reschedule();
    }

    /// Whether scheduled inputs still wait.
    pub fn inputs_waiting(&self) -> bool {
        !self.board.inputs.is_empty()
    }

    /// Everything that came from outside so far.
    pub fn input_log(&self) -> &[crate::inputs::LoggedInput] {
        self.board.inputs.delivered()
    }

    /// The characters on the screen, if it is in a text mode.
    pub fn screen_text(&mut self) -> Option<TextScreen> {
        self.board.screen_text()
    }

    /// Draws the present picture; false if there is no display.
    pub fn scanout(&mut self, frame: &mut Frame) -> bool {
        self.board.scanout(frame)
    }

    /// Runs until something of interest happens.
    pub fn run(&mut self, until: Until, mut probe: Option<&mut dyn Probe>) -> Stop {
        if self.board.outcome.frame_ready {
            self.board.outcome.frame_ready = false;
        }
        loop {
            if let Some(stop) = self.stopped(until) {
                return stop;
            }
            let mut end = self.slice_end(until);
            if let Some(pacer) = &mut self.pacer {
                let (now, next) = (self.board.now(), self.board.insns_retired());
                pacer.wait_until_host_reaches(now);
                let slice = self.board.clock.insns_until(now.plus_ns(Pacer::SLICE_NS));
                end = end.min(next.saturating_add(slice.max(1)));
            }
            self.board.begin_slice(end);
            if let Some(stop) = self.stopped(until) {
                return stop;
            }
            // A reborrow for each slice: the probe is the caller's.
            let exit = match probe.as_mut() {
                Some(p) => self.cpu.run(&mut self.board, Some(&mut **p)),
                None => self.cpu.run(&mut self.board, None),
            };
            match exit {
                Exit::Probe => return Stop::Probe,
                Exit::SliceEnd => {
                    if let Some(stop) = self.stopped(until) {
                        return stop;
                    }
                    if !self.board.attention.contains(Attention::STOP) {
                        return Stop::Kicked;
                    }
                }
                Exit::Shutdown | Exit::Halted => {
                    if let Some(stop) = self.stopped(until) {
                        return stop;
                    }
                    if exit == Exit::Shutdown && self.board.outcome.triple_fault {
                        return Stop::TripleFault;
                    }
                    if let Some(stop) = self.wait_for_event(until, exit) {
                        return stop;
                    }
                }
            }
        }
    }

    /// The instruction count at which the next slice ends.
    fn slice_end(&self, until: Until) -> u64 {
        let now = self.board.insns_retired();
        let to_time = self.board.clock.insns_until(until.time);
        until.insns.min(now.saturating_add(to_time))
    }

    fn stopped(&mut self, until: Until) -> Option<Stop> {
        if let Some(fault) = &self.board.fault {
            return Some(Stop::Fault(fault.clone()));
        }
        let outcome = self.board.outcome;
        if outcome.power_off {
            return Some(Stop::PowerOff);
        }
        if let Some(code) = outcome.exit {
            return Some(Stop::Exit(code));
        }
        if outcome.triple_fault {
            return Some(Stop::TripleFault);
        }
        if self.board.insns_retired() >= until.insns {
            return Some(Stop::Insns);
        }
        if self.board.now() >= until.time {
            return Some(Stop::Time);
        }
        if outcome.frame_ready {
            self.board.outcome.frame_ready = false;
            if self.board.stop_on_frame {
                return Some(Stop::Frame);
            }
        }
        None
    }

    /// The CPU does nothing: moves time to the next event.
    fn wait_for_event(&mut self, until: Until, exit: Exit) -> Option<Stop> {
        let now = self.board.now();
        let insns = self.board.insns_retired();
        let since = match self.halted_since {
            Some((at, since)) if at == insns => since,
            _ => {
                self.halted_since = Some((insns, now));
                now
            }
        };
        let state = self.cpu.state();
        let deaf = exit == Exit::Shutdown
            || state.activity == Activity::Halted && !state.rflags.contains(Rflags::IF);
        let woken = Attention::NMI | Attention::SMI | Attention::INIT | Attention::RESET;
        if self.board.attention.intersects(woken) {
            return None;
        }
        let next = self.board.next_deadline();
        // With interrupts off only NMI, SMI or a reset could help; a board whose devices have not asked for one by
        // the time that every periodic timer has come round will not do so later either.
        let patience_ns = if deaf { DEAF_NS } else { HALTED_FOR_EVER_NS };
        if next == VirtTime::NEVER && until.time == VirtTime::NEVER
            || now.since(since) > patience_ns
        {
            return Some(Stop::HaltedForEver);
        }
        let target = next.min(until.time);
        match &mut self.pacer {
            None => self.board.jump_to(target),
            Some(pacer) => {
                // Sleep in steps, so that keys and a closed window are noticed.
                let step = target.min(now.plus_ns(Pacer::SLEEP_NS));
                pacer.wait_until_host_reaches(step);
                self.board.jump_to(step);
                if self.cpu.kick().take() {
                    return Some(Stop::Kicked);
                }
            }
        }
        None
    }

    /// The power button of the case: everything is reset, as by the reset line.
    pub fn reset(&mut self) {
        self.board.fabric.requests.reset = Some(emu_core::ResetKind::Hard);
        self.board.settle();
    }

    /// Everything about the machine as a snapshot file.
    pub fn save(&self) -> Result<Vec<u8>, SnapshotError> {
        snapshot::save(self)
    }

    /// Takes a snapshot back. One that is refused changes nothing.
    pub fn restore(&mut self, file: &[u8]) -> Result<(), SnapshotError> {
        snapshot::restore(self, file)?;
        self.board.outcome = Outcome::default();
        self.halted_since = None;
        self.cpu.invalidate(Invalidate::All);
        if self.pacer.is_some() {
            self.pacer = Some(Pacer::new(self.board.now()));
        }
        Ok(())
    }

    /// A digest of everything a guest can observe: all CPUs, all RAM blocks, every device, events, wires, time.
    pub fn state_hash(&self) -> Result<u128, SnapshotError> {
        snapshot::state_hash(self)
    }

    /// The digests that [`Self::state_hash`] is made of: tells where two states differ.
    pub fn state_parts(&self) -> Result<Vec<StatePart>, SnapshotError> {
        snapshot::state_parts(self)
    }
}

/// How long a CPU that takes no interrupts is watched before it is declared dead: longer than the one-minute
/// period of the slowest timer that could raise an NMI or SMI.
const DEAF_NS: u64 = 120 * 1_000_000_000;
