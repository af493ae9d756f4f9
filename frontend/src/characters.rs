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

/// Where characters are written to. A sink that fails does not stop the guest, but the run ends with a word about it.
struct Sink {
    name: String,
    to: Box<dyn Write + Send>,
    failed: Option<io::Error>,
}

impl Sink {
    fn attempt(&mut self, what: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        if self.failed.is_none()
            && let Err(e) = what(&mut self.to)
        {
            tracing::error!(target: "characters", "{} cannot be written: {e}", self.name);
            self.failed = Some(e);
        }
    }
}

type Shared = Arc<Mutex<Sink>>;

fn lock(sink: &Shared) -> MutexGuard<'_, Sink> {
    sink.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All sinks of a run, to ask at its end what became of them.
#[derive(Clone, Default)]
pub struct Sinks(Vec<Shared>);

impl Sinks {
    /// Writes what is still held back; says which sink has lost something. A reader that went away wanted no more.
    pub fn finish(&self) -> Result<(), Mistake> {
        for sink in &self.0 {
            let mut sink = lock(sink);
            sink.attempt(|to| to.flush());
            match &sink.failed {
                Some(e) if e.kind() != io::ErrorKind::BrokenPipe => {
                    let name = &sink.name;
                    return Err(Mistake::data(format!(
                        "{name} cannot be written: {e}; what the guest sent there is lost"
                    )));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Writes to a sink and remembers for the steps.
pub struct Output {
    sink: Option<Shared>,
    tap: Option<Tap>,
}

impl CharBackend for Output {
    fn put(&mut self, byte: u8) {
        if let Some(sink) = &self.sink {
            lock(sink).attempt(|to| to.write_all(&[byte]));
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
pub fn open(end: &CharacterEnd, tap: Option<Tap>, sinks: &mut Sinks) -> Result<Output, Mistake> {
    let (name, to): (_, Box<dyn Write + Send>) = match end {
        CharacterEnd::None => return Ok(Output { sink: None, tap }),
        CharacterEnd::Stdio => ("standard output".into(), Box::new(Unbuffered(io::stdout()))),
        CharacterEnd::File(path) => {
            let name = path.display().to_string();
            let file = File::create(path)
                .map_err(|e| Mistake::data(format!("{name} cannot be written: {e}")))?;
            (name, Box::new(LineWriter::new(file)))
        }
    };
    let failed = None;
    let sink = Arc::new(Mutex::new(Sink { name, to, failed }));
    sinks.0.push(sink.clone());
    let sink = Some(sink);
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
        let mut out = open(
            &CharacterEnd::None,
            Some(tap.clone()),
            &mut Sinks::default(),
        )
        .unwrap();
        for byte in *b"login: login: x" {
            out.put(byte);
        }
        assert!(tap.take_through(b"login:"));
        assert!(tap.take_through(b"login:"));
        assert!(!tap.take_through(b"login:"));
        assert_eq!(tap.tail(), " x");
    }
}
