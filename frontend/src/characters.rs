//! The host's ends of serial ports and debug consoles, and the tap through which steps read what was sent.

use crate::cli::CharacterEnd;
use crate::exit::Mistake;
use emu_core::host::CharBackend;
use std::fs::File;
use std::io::{self, LineWriter, Read, Write};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How much of what was sent is kept for `--expect-serial`.
const TAP_BYTES_MAX: usize = 16 << 20;
/// How many typed characters may wait for the guest.
const STDIN_WAITING_MAX: usize = 4096;

/// What a port has sent and no step has matched yet.
#[derive(Clone, Debug, Default)]
pub struct Tap(Arc<Mutex<Vec<u8>>>);

impl Tap {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether `text` was sent; if so, everything up to its end is used up.
    pub fn take_through(&self, text: &[u8]) -> bool {
        let mut sent = self.lock();
        if text.is_empty() {
            return true;
        }
        let Some(at) = sent.windows(text.len()).position(|w| w == text) else {
            return false;
        };
        sent.drain(..at + text.len());
        true
    }

    /// The last line or so of what was sent, for messages.
    pub fn tail(&self) -> String {
        let sent = self.lock();
        let from = sent.len().saturating_sub(200);
        String::from_utf8_lossy(&sent[from..]).into_owned()
    }
}

/// Writes to a sink and remembers for the steps.
pub struct Output {
    sink: Option<Box<dyn Write + Send>>,
    tap: Option<Tap>,
}

impl CharBackend for Output {
    fn put(&mut self, byte: u8) {
        if let Some(sink) = &mut self.sink
            && sink.write_all(&[byte]).is_err()
        {
            // A reader that went away (a closed pipe, a full disk) does not stop the guest.
            self.sink = None;
        }
        if let Some(tap) = &self.tap {
            let mut sent = tap.lock();
            if sent.len() >= TAP_BYTES_MAX {
                sent.drain(..TAP_BYTES_MAX / 2);
            }
            sent.push(byte);
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some(sink) = &mut self.sink {
            // At the end of a run nobody is left who could be told.
            let _ = sink.flush();
        }
    }
}

/// Standard output, flushed at once: what a guest prints should be seen when it prints it.
struct Unbuffered(io::Stdout);

impl Write for Unbuffered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.0.write(bytes)?;
        self.0.flush()?;
        Ok(n)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Opens the host's end.
pub fn open(end: &CharacterEnd, tap: Option<Tap>) -> Result<Output, Mistake> {
    let sink: Option<Box<dyn Write + Send>> = match end {
        CharacterEnd::None => None,
        CharacterEnd::Stdio => Some(Box::new(Unbuffered(io::stdout()))),
        CharacterEnd::File(path) => {
            let file = File::create(path)
                .map_err(|e| Mistake::data(format!("{} cannot be written: {e}", path.display())))?;
            Some(Box::new(LineWriter::new(file)))
        }
    };
    Ok(Output { sink, tap })
}

/// Standard input as characters, read on a thread of its own.
pub fn stdin_bytes() -> Receiver<u8> {
    let (tx, rx) = sync_channel(STDIN_WAITING_MAX);
    std::thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        let mut byte = [0];
        while let Ok(1) = stdin.read(&mut byte) {
            if tx.send(byte[0]).is_err() {
                return;
            }
        }
    });
    rx
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_match_uses_up_what_stood_before_it() {
        let tap = Tap::default();
        let mut out = open(&CharacterEnd::None, Some(tap.clone())).unwrap();
        for byte in *b"login: login: x" {
            out.put(byte);
        }
        assert!(tap.take_through(b"login:"));
        assert!(tap.take_through(b"login:"));
        assert!(!tap.take_through(b"login:"));
        assert_eq!(tap.tail(), " x");
    }
}
