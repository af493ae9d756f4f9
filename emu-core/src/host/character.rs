use std::sync::{Arc, Mutex, PoisonError};

/// Where a device's characters go: a terminal, a file, a socket.
pub trait CharBackend: Send {
    /// Takes one character. A back end that cannot keep up drops or buffers; it never blocks the guest.
    fn put(&mut self, byte: u8);
}

/// A character back end that remembers what it was given: for tests and for steps that wait for text.
#[derive(Clone, Debug, Default)]
pub struct CharLog(Arc<Mutex<Vec<u8>>>);

impl CharLog {
    /// Everything so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl CharBackend for CharLog {
    fn put(&mut self, byte: u8) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(byte);
    }
}
