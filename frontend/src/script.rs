//! The steps of a scripted run: expectations, typing, waits and screenshots, in the order of the command line.
//!
//! Everything here happens in guest time: the screen is looked at on a grid of guest time, so a scripted run
//! under the deterministic clock repeats exactly.

use crate::characters::Tap;
use crate::cli::{Step, Wait};
use crate::exit::Mistake;
use crate::{keys, screenshot, text};
use emu_core::host::HostEvent;
use emu_core::time::VirtTime;
use machine::{Machine, Until};
use std::collections::VecDeque;

/// How often the screen and the serial port are looked at.
const LOOK_NS: u64 = 10_000_000;

/// What the present step waits for.
enum Waiting {
    Insns(u64),
    Time(VirtTime),
}

/// Steps that are still to be done.
pub struct Script {
    steps: VecDeque<Step>,
    waiting: Option<Waiting>,
    com1: Tap,
    had_steps: bool,
}

impl Script {
    pub fn new(steps: Vec<Step>, com1: Tap) -> Self {
        Self {
            had_steps: !steps.is_empty(),
            steps: steps.into(),
            waiting: None,
            com1,
        }
    }

    /// Whether there were steps and all are done.
    pub fn is_complete(&self) -> bool {
        self.had_steps && self.steps.is_empty()
    }

    /// The first expectation that is not met yet, in words.
    pub fn unmet(&self) -> Option<String> {
        self.steps.iter().find_map(|s| match s {
            Step::ExpectSerial(t) => Some(format!("--expect-serial {t:?}")),
            Step::ExpectScreen(t) => Some(format!("--expect-screen {t:?}")),
            Step::Type(_) | Step::Mouse(_) | Step::Wait(_) | Step::Screenshot(_) => None,
        })
    }

    /// The end of what COM1 has sent, if a step waits for something there.
    pub fn serial_tail(&self) -> Option<String> {
        matches!(self.steps.front(), Some(Step::ExpectSerial(_))).then(|| self.com1.tail())
    }

    /// How far to run before the next look.
    pub fn until(&self, machine: &Machine) -> Until {
        if self.steps.is_empty() {
            return Until::FOREVER;
        }
        let next_look = (machine.now().as_ns() / LOOK_NS + 1).saturating_mul(LOOK_NS);
        match self.waiting {
            Some(Waiting::Insns(n)) => Until::insns(n),
            Some(Waiting::Time(at)) => Until::time(at),
            None => Until::time(VirtTime::from_ns(next_look)),
        }
    }

    /// Does every step that can be done now.
    pub fn poll(&mut self, machine: &mut Machine) -> Result<(), Mistake> {
        while let Some(step) = self.steps.front() {
            let done = match step {
                Step::ExpectSerial(text) => self.com1.take_through(text.as_bytes()),
                Step::ExpectScreen(wanted) => machine
                    .screen_text()
                    .is_some_and(|s| text::screen_string(&s).contains(wanted.as_str())),
                Step::Screenshot(path) => {
                    screenshot::write(machine, path)?;
                    true
                }
                Step::Type(chords) => match self.waiting {
                    None => {
                        let end = keys::schedule(machine, machine.now(), chords);
                        self.waiting = Some(Waiting::Time(end));
                        false
                    }
                    Some(_) => self.is_over(machine),
                },
                Step::Mouse(event) => match self.waiting {
                    None => {
                        machine.input(HostEvent::Mouse(*event));
                        let end = machine.now().plus_ns(keys::HOLD_NS);
                        self.waiting = Some(Waiting::Time(end));
                        false
                    }
                    Some(_) => self.is_over(machine),
                },
                Step::Wait(wait) => match self.waiting {
                    None => {
                        self.waiting = Some(match *wait {
                            Wait::Insns(n) => Waiting::Insns(machine.insns().saturating_add(n)),
                            Wait::GuestNs(ns) => Waiting::Time(machine.now().plus_ns(ns)),
                        });
                        self.is_over(machine)
                    }
                    Some(_) => self.is_over(machine),
                },
            };
            if !done {
                return Ok(());
            }
            self.steps.pop_front();
            self.waiting = None;
        }
        Ok(())
    }

    fn is_over(&self, machine: &Machine) -> bool {
        match self.waiting {
            Some(Waiting::Insns(n)) => machine.insns() >= n,
            Some(Waiting::Time(at)) => machine.now() >= at,
            None => false,
        }
    }
}
