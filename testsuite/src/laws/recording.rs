//! A guest's run from power-on to the end of its script, as a log of its inputs.

use super::guest::Step;
use super::subject::{Bench, Flavour};
use super::typing;
use anyhow::{Context, Result, bail};
use emu_core::host::{HostEvent, KeyCode};
use emu_core::time::VirtTime;
use machine::inputs::InputRecord;
use machine::{Machine, Stop, Until};

/// How often the screen is looked at.
const LOOK_NS: u64 = 10_000_000;
/// How much guest time a step may take.
const PATIENCE_NS: u64 = 300_000_000_000;

/// A key, and when it arrived.
#[derive(Copy, Clone, Debug)]
pub struct Key {
    pub at: VirtTime,
    pub key: KeyCode,
    pub pressed: bool,
}

/// All that is needed to repeat a run.
#[derive(Debug)]
pub struct Recording {
    pub keys: Vec<Key>,
    /// Instructions of the whole run.
    pub insns: u64,
    /// Guest time of the whole run.
    pub ns: u64,
}

impl Recording {
    /// Runs the guest by its script.
    pub fn make(bench: &Bench) -> Result<Self> {
        let mut subject = bench.power_on(Flavour::PLAIN)?;
        for step in bench.steps() {
            take(&mut subject.machine, step).with_context(|| {
                let screen = screen(&mut subject.machine);
                format!("{step:?} was not reached; the screen shows:\n{screen}")
            })?;
        }
        let m = &subject.machine;
        let key = |input: &InputRecord| match *input {
            InputRecord::Key { key, pressed } => Ok((key, pressed)),
            ref other => bail!("{other:?} came in, though nobody sent it"),
        };
        let keys: Result<Vec<Key>> = m
            .input_log()
            .iter()
            .map(|entry| {
                let (key, pressed) = key(&entry.input)?;
                Ok(Key {
                    at: entry.at,
                    key,
                    pressed,
                })
            })
            .collect();
        Ok(Self {
            keys: keys?,
            insns: m.insns(),
            ns: m.now().as_ns(),
        })
    }

    /// So many instructions without a key.
    pub fn of_nothing(insns: u64) -> Self {
        Self {
            keys: Vec::new(),
            insns,
            ns: 0,
        }
    }

    /// Gives a machine the keys that are still to come.
    pub fn schedule(&self, machine: &mut Machine) {
        let now = machine.now();
        // A machine that has not begun has heard nothing, not even what comes at once.
        let begun = machine.insns() > 0;
        for k in &self.keys {
            if k.at > now || !begun {
                let (key, pressed) = (k.key, k.pressed);
                machine.schedule_input(k.at, HostEvent::Key { key, pressed });
            }
        }
    }
}

/// Runs until a step is done.
fn take(m: &mut Machine, step: &Step) -> Result<()> {
    match *step {
        Step::Wait(ms) => pass(m, m.now().plus_ns(ms * 1_000_000)),
        Step::Type(text) => {
            let (strokes, ns) = typing::strokes(text).context("it cannot be typed")?;
            let start = m.now();
            for s in strokes {
                let (key, pressed) = (s.key, s.pressed);
                m.schedule_input(start.plus_ns(s.after_ns), HostEvent::Key { key, pressed });
            }
            pass(m, start.plus_ns(ns))
        }
        Step::Screen(text) => pass_until(m, |screen| screen.contains(text)),
        Step::Prompt(text) => pass_until(m, |screen| {
            screen.trim_end().lines().next_back() == Some(text)
        }),
    }
}

fn pass_until(m: &mut Machine, shows: impl Fn(&str) -> bool) -> Result<()> {
    let patience = m.now().plus_ns(PATIENCE_NS);
    while !shows(&screen(m)) {
        if m.now() >= patience {
            bail!("it took too long");
        }
        let next = m.now().plus_ns(LOOK_NS);
        pass(m, next)?;
    }
    Ok(())
}

fn pass(m: &mut Machine, until: VirtTime) -> Result<()> {
    match m.run(Until::time(until), None) {
        Stop::Time => Ok(()),
        other => bail!("the machine stopped: {other:?}"),
    }
}

/// The screen's ASCII characters, row by row, each row behind a line feed.
fn screen(m: &mut Machine) -> String {
    let Some(screen) = m.screen_text() else {
        return "(graphics)".into();
    };
    let mut text = String::new();
    for row in screen.cells.chunks(screen.columns.max(1)) {
        text.push('\n');
        text.extend(row.iter().map(|c| match c.character {
            n @ 0x20..0x7F => char::from(n),
            _ => ' ',
        }));
        text.truncate(text.trim_end_matches(' ').len());
    }
    text.push('\n');
    text
}
