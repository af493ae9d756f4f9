//! Ways to look at a machine. The emulation runs on its own thread; a display takes pictures from it and sends it
//! what the user does.

pub mod terminal;
pub mod window;

use crate::exit::Mistake;
use crate::keys::Chord;
use crate::session::Outcome;
use emu_core::cap::TextScreen;
use emu_core::host::{Frame, KeyCode, MouseEvent};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a user does.
#[derive(Debug)]
pub enum UiEvent {
    /// A key went down or up.
    Key { key: KeyCode, pressed: bool },
    /// The mouse moved or a button changed.
    Mouse(MouseEvent),
    /// Keys were typed where nobody reports a release.
    Typed(Chord),
    /// The display was closed.
    Quit,
}

/// One picture of the machine.
#[derive(Debug, Default)]
pub struct Picture {
    /// As pixels.
    pub frame: Frame,
    /// As characters, in a text mode.
    pub text: Option<TextScreen>,
}

#[derive(Debug, Default)]
struct Slot {
    picture: Picture,
    fresh: bool,
}

/// Where a picture waits to be drawn: the emulation never waits for the display.
#[derive(Clone, Debug, Default)]
pub struct Screen(Arc<Mutex<Slot>>);

impl Screen {
    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets `draw` make a new picture if the last one was taken; false if the display is behind.
    pub fn offer(&self, draw: impl FnOnce(&mut Picture)) -> bool {
        let mut slot = self.lock();
        if slot.fresh {
            return false;
        }
        draw(&mut slot.picture);
        slot.fresh = true;
        true
    }

    /// Takes the picture, if there is a new one: swaps it with `mine`.
    pub fn take(&self, mine: &mut Picture) -> bool {
        let mut slot = self.lock();
        let fresh = std::mem::take(&mut slot.fresh);
        if fresh {
            std::mem::swap(&mut slot.picture, mine);
        }
        fresh
    }
}

/// The emulation's end of a display.
pub struct UiLink {
    pub events: Receiver<UiEvent>,
    pub screen: Screen,
    /// Tells the display that a picture waits.
    pub notify: Box<dyn Fn() + Send>,
}

/// How the emulation's thread ends.
pub type Ending = Result<Outcome, Mistake>;

/// Runs the emulation on a thread of its own; a panic there is our defect and becomes exit code 70.
pub fn spawn_emulation(
    run: impl FnOnce() -> Ending + Send + 'static,
    done: impl FnOnce() + Send + 'static,
) -> std::thread::JoinHandle<Ending> {
    std::thread::spawn(move || {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
        done();
        result.unwrap_or_else(|_| Ok(defect()))
    })
}

/// The outcome of a run that our own defect has ended.
pub fn defect() -> Outcome {
    Outcome {
        code: crate::exit::INTERNAL,
        words: Vec::new(),
    }
}
