//! One run: the machine, what is asked of it, and whoever looks at it. Runs on a thread of its own when there is
//! a window or a terminal.

use crate::characters::Sinks;
use crate::cli::SaveAt;
use crate::display::{UiEvent, UiLink};
use crate::exit::{self, Mistake};
use crate::script::Script;
use crate::signals::Signals;
use crate::trace::Tracer;
use crate::{keys, stats, text};
use emu_core::host::HostEvent;
use emu_core::probe::Probe;
use emu_core::time::VirtTime;
use machine::{Machine, Stop, Until};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

/// How often a run with somebody outside (a display, standard input, a host timeout) looks at them, in guest time.
const LOOK_OUTSIDE_NS: u64 = 10_000_000;
/// How often a machine that has stopped for good looks whether its window was closed.
const LOOK_WHEN_DEAD: Duration = Duration::from_millis(50);

/// What a run is asked to do.
#[derive(Default)]
pub struct Orders {
    pub timeout_insns: Option<u64>,
    pub timeout_host: Option<Duration>,
    pub saves: Vec<SaveAt>,
    pub stats: Option<PathBuf>,
}

/// A run.
pub struct Session {
    machine: Machine,
    script: Script,
    orders: Orders,
    tracer: Option<Tracer>,
    stdin: Option<Receiver<u8>>,
    sinks: Sinks,
    signals: Signals,
    ui: Option<UiLink>,
    started: Instant,
    /// Until when keys that were typed in a terminal are still going down and up.
    typing_until: VirtTime,
    words: Vec<String>,
}

/// How a run ended.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The exit code.
    pub code: u8,
    /// What is to be said about it, once no display is in the way.
    pub words: Vec<String>,
}

/// Why a run goes no further.
enum End {
    Code(u8),
    Limit(&'static str),
    Ended(&'static str),
}

impl Session {
    pub fn new(machine: Machine, script: Script, mut orders: Orders) -> Self {
        orders.saves.sort_by_key(|s| s.insns);
        Self {
            machine,
            script,
            orders,
            tracer: None,
            stdin: None,
            sinks: Sinks::default(),
            signals: Signals::default(),
            ui: None,
            started: Instant::now(),
            typing_until: VirtTime::ZERO,
            words: Vec::new(),
        }
    }

    pub fn with_tracer(mut self, tracer: Option<Tracer>) -> Self {
        self.tracer = tracer;
        self
    }

    pub fn with_stdin(mut self, stdin: Option<Receiver<u8>>) -> Self {
        self.stdin = stdin;
        self
    }

    /// What must be complete when the run ends.
    pub fn with_sinks(mut self, sinks: Sinks) -> Self {
        self.sinks = sinks;
        self
    }

    /// What may end the run from outside.
    pub fn with_signals(mut self) -> Self {
        self.signals = Signals::listen(self.machine.kick());
        self
    }

    pub fn with_ui(mut self, ui: Option<UiLink>) -> Self {
        self.machine.stop_on_frame(ui.is_some());
        self.ui = ui;
        self
    }

    /// Runs to the end.
    pub fn run(mut self) -> Result<Outcome, Mistake> {
        self.started = Instant::now();
        let end = self.run_to_end()?;
        let code = self.verdict(end);
        if let Some(path) = &self.orders.stats {
            stats::write(&self.machine, self.started.elapsed(), path)?;
        }
        if let Some(tracer) = self.tracer.take() {
            tracer.close()?;
        }
        self.sinks.finish()?;
        let words = std::mem::take(&mut self.words);
        Ok(Outcome { code, words })
    }

    fn verdict(&mut self, end: End) -> u8 {
        let unmet = self.script.unmet();
        match (end, unmet) {
            (End::Code(code), _) => code,
            (End::Limit(_) | End::Ended(_), None) => exit::OK,
            (End::Limit(what), Some(unmet)) => {
                self.complain(&format!("{what} passed before {unmet} was met"));
                exit::LIMIT
            }
            (End::Ended(what), Some(unmet)) => {
                self.complain(&format!("{what} before {unmet} was met"));
                exit::ENDED_EARLY
            }
        }
    }

    /// Says what is wrong, with what the screen shows at this moment.
    fn complain(&mut self, sentence: &str) {
        self.words.push(format!("boxwood: {sentence}"));
        if let Some(tail) = self.script.serial_tail() {
            self.words.push(format!("COM1 ends with: {tail:?}"));
        }
        self.words.push(match self.machine.screen_text() {
            Some(screen) => text::screen_string(&screen),
            None => "(the screen is in a graphics mode, or off)".into(),
        });
    }

    fn run_to_end(&mut self) -> Result<End, Mistake> {
        loop {
            if let Some(end) = self.hear_outside() {
                return Ok(end);
            }
            self.script.poll(&mut self.machine)?;
            if self.script.is_complete() && self.ui.is_none() {
                return Ok(End::Code(exit::OK));
            }
            self.save_if_due()?;
            if self
                .orders
                .timeout_insns
                .is_some_and(|n| self.machine.insns() >= n)
            {
                return Ok(End::Limit("the limit of instructions"));
            }
            if self
                .orders
                .timeout_host
                .is_some_and(|t| self.started.elapsed() >= t)
            {
                return Ok(End::Limit("the time limit"));
            }
            let until = self.until();
            let probe = self.tracer.as_mut().map(|t| t as &mut dyn Probe);
            match self.machine.run(until, probe) {
                Stop::Insns | Stop::Time | Stop::Kicked | Stop::Probe => {}
                Stop::Frame => self.show(),
                Stop::PowerOff => {
                    // What it sent last may be what is waited for.
                    self.script.poll(&mut self.machine)?;
                    return Ok(End::Ended("the guest switched the power off"));
                }
                Stop::Exit(code) => return Ok(End::Code(code)),
                Stop::TripleFault => {
                    self.complain("triple fault");
                    return Ok(End::Code(exit::TRIPLE_FAULT));
                }
                Stop::HaltedForEver => {
                    self.show();
                    self.script.poll(&mut self.machine)?;
                    if self.script.is_complete() && self.ui.is_none() {
                        return Ok(End::Code(exit::OK));
                    }
                    match self.wait_for_close() {
                        Some(end) => return Ok(end),
                        None => continue,
                    }
                }
                Stop::Fault(fault) => {
                    self.words.push(format!("boxwood: {fault}"));
                    return Ok(End::Code(exit::INTERNAL));
                }
            }
        }
    }

    fn until(&self) -> Until {
        let mut until = self.script.until(&self.machine);
        if let Some(n) = self.orders.timeout_insns {
            until.insns = until.insns.min(n);
        }
        if let Some(save) = self.orders.saves.first() {
            until.insns = until.insns.min(save.insns);
        }
        let outside =
            self.ui.is_some() || self.stdin.is_some() || self.orders.timeout_host.is_some();
        if outside {
            until.time = until.time.min(self.machine.now().plus_ns(LOOK_OUTSIDE_NS));
        }
        until
    }

    fn save_if_due(&mut self) -> Result<(), Mistake> {
        while let Some(save) = self.orders.saves.first() {
            if save.insns > self.machine.insns() {
                break;
            }
            let name = save.file.display();
            if save.insns < self.machine.insns() {
                return Err(Mistake::usage(format!(
                    "--save-at {}={name}: the machine starts at instruction {} already",
                    save.insns,
                    self.machine.insns()
                )));
            }
            let saved = self.machine.save().map_err(|e| e.to_string());
            saved
                .and_then(|bytes| std::fs::write(&save.file, bytes).map_err(|e| e.to_string()))
                .map_err(|e| Mistake::data(format!("{name} cannot be written: {e}")))?;
            self.orders.saves.remove(0);
        }
        Ok(())
    }

    /// Takes what came from the display and from standard input.
    fn hear_outside(&mut self) -> Option<End> {
        if let Some(code) = self.signals.exit_code() {
            return Some(End::Code(code));
        }
        while let Some(ui) = &self.ui {
            match ui.events.try_recv() {
                Ok(event) => {
                    if let Some(end) = self.hear(event) {
                        return Some(end);
                    }
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    return Some(End::Ended("the display was closed"));
                }
            }
        }
        if let Some(stdin) = &self.stdin {
            while self.machine.board_mut().serial_room(0) > 0 {
                let Ok(byte) = stdin.try_recv() else {
                    break;
                };
                self.machine.board_mut().serial_receive(0, byte);
            }
        }
        None
    }

    fn hear(&mut self, event: UiEvent) -> Option<End> {
        match event {
            UiEvent::Key { key, pressed } => self.machine.input(HostEvent::Key { key, pressed }),
            UiEvent::Mouse(m) => self.machine.input(HostEvent::Mouse(m)),
            UiEvent::Typed(chord) => {
                let start = self.typing_until.max(self.machine.now());
                self.typing_until = keys::schedule(&mut self.machine, start, &[chord]);
            }
            UiEvent::Quit => return Some(End::Ended("the display was closed")),
        }
        None
    }

    /// Hands the present picture to the display, if it has drawn the last one.
    fn show(&mut self) {
        let Some(ui) = &self.ui else {
            return;
        };
        let machine = &mut self.machine;
        let given = ui.screen.offer(|picture| {
            picture.text = machine.screen_text();
            machine.scanout(&mut picture.frame);
        });
        if given {
            (ui.notify)();
        }
    }

    /// Nothing can wake the CPU: a display keeps showing the last picture until it is closed.
    fn wait_for_close(&mut self) -> Option<End> {
        let Some(ui) = &self.ui else {
            self.complain("the CPU is halted and nothing can wake it");
            return Some(End::Code(exit::HALTED_FOR_EVER));
        };
        loop {
            match ui.events.recv_timeout(LOOK_WHEN_DEAD) {
                Ok(UiEvent::Quit) | Err(RecvTimeoutError::Disconnected) => {
                    return Some(End::Code(exit::HALTED_FOR_EVER));
                }
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            }
            if let Some(code) = self.signals.exit_code() {
                return Some(End::Code(code));
            }
            if self
                .orders
                .timeout_host
                .is_some_and(|t| self.started.elapsed() >= t)
            {
                return None;
            }
        }
    }
}
