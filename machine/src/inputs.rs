//! The one door for everything that comes from outside: keys, mouse, serial characters, media.
//!
//! Each input is stamped with guest time when it is delivered, so that a run can be repeated from its log: nothing
//! more is needed from any device. Inputs may be given now or scheduled for a moment of guest time.

use emu_core::host::{DriveId, HostEvent, KeyCode, MouseEvent};
use emu_core::time::VirtTime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A character that arrived at a serial port.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SerialByte {
    /// Which port: 0 is COM1.
    pub port: u8,
    /// The character.
    pub byte: u8,
}

/// An input as the log keeps it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum InputRecord {
    /// A key.
    Key {
        /// Which.
        key: KeyCode,
        /// Down?
        pressed: bool,
    },
    /// The mouse.
    Mouse(MouseEvent),
    /// A medium was put in (its description) or taken out.
    Medium {
        /// Which drive.
        drive: DriveId,
        /// What was put in.
        medium: Option<String>,
    },
    /// The power button.
    PowerButton,
    /// A character.
    Serial(SerialByte),
}

impl InputRecord {
    pub(crate) fn of(event: &HostEvent) -> Self {
        match event {
            HostEvent::Key { key, pressed } => Self::Key {
                key: *key,
                pressed: *pressed,
            },
            HostEvent::Mouse(m) => Self::Mouse(*m),
            HostEvent::Medium(change) => Self::Medium {
                drive: change.drive,
                medium: change.medium.as_ref().map(|m| m.describe()),
            },
            HostEvent::PowerButton => Self::PowerButton,
        }
    }
}

/// One line of the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LoggedInput {
    /// When it was delivered.
    pub at: VirtTime,
    /// After how many retired instructions.
    pub insns: u64,
    /// What it was.
    pub input: InputRecord,
}

/// Inputs that wait for their moment, and the log of those that were delivered.
#[derive(Debug, Default)]
pub struct InputQueue {
    waiting: BTreeMap<(VirtTime, u64), HostEvent>,
    next_sequence: u64,
    delivered: Vec<LoggedInput>,
}

impl InputQueue {
    /// Puts an input in the queue for `at`.
    pub fn schedule(&mut self, at: VirtTime, event: HostEvent) {
        self.waiting.insert((at, self.next_sequence), event);
        self.next_sequence += 1;
    }

    /// When the next input is due.
    pub fn next_at(&self) -> Option<VirtTime> {
        self.waiting.first_key_value().map(|(k, _)| k.0)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) fn pop(&mut self) -> Option<HostEvent> {
        self.waiting.pop_first().map(|(_, e)| e)
    }

    pub(crate) fn log(&mut self, at: VirtTime, insns: u64, input: InputRecord) {
        self.delivered.push(LoggedInput { at, insns, input });
    }

    /// Everything that was delivered, in order.
    pub fn delivered(&self) -> &[LoggedInput] {
        &self.delivered
    }
}
