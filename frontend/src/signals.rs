//! Ctrl-C, SIGTERM and SIGHUP end a run in order: what was written is complete, the counters are there, the terminal is
//! itself again. The exit code is 128 and the signal's number, as shells have it. A second signal ends it at once.

use emu_core::backend::Kick;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// What exit codes of signals begin with.
const SIGNALLED: u8 = 128;

/// Whether a signal has arrived.
#[derive(Clone, Debug, Default)]
pub struct Signals(Arc<AtomicU8>);

impl Signals {
    /// Listens from now on; `kick` brings the machine back from whatever it does.
    #[cfg(unix)]
    pub fn listen(kick: Kick) -> Self {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
        use std::sync::atomic::AtomicBool;
        let signals = Self::default();
        // A file that grows past its limit is a failed write, not the end of the program.
        let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
        let Ok(mut arriving) = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM])
        else {
            return signals;
        };
        let noted = signals.clone();
        std::thread::spawn(move || {
            for signal in arriving.forever() {
                let before = noted.0.swap(signal as u8, Ordering::Relaxed);
                if before != 0 {
                    let _ = signal_hook::low_level::emulate_default_handler(signal);
                }
                kick.kick();
            }
        });
        signals
    }

    /// Signals are a matter of Unix.
    #[cfg(not(unix))]
    pub fn listen(_kick: Kick) -> Self {
        Self::default()
    }

    /// The exit code of the signal that has arrived.
    pub fn exit_code(&self) -> Option<u8> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            signal => Some(SIGNALLED | signal),
        }
    }
}
