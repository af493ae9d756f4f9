//! Writes kept in memory over an image that stays as it is.

use emu_core::host::{BlockBackend, BlockError, SECTOR_BYTES};
use std::collections::BTreeMap;

/// A medium whose changes are forgotten at the end.
pub struct Overlay {
    below: Box<dyn BlockBackend>,
    written: BTreeMap<u64, Box<[u8; SECTOR_BYTES]>>,
}

impl Overlay {
    /// Nothing written yet.
    pub fn new(below: Box<dyn BlockBackend>) -> Self {
        Self {
            below,
            written: BTreeMap::new(),
        }
    }
}

impl BlockBackend for Overlay {
    fn sectors(&self) -> u64 {
        self.below.sectors()
    }
    fn read_only(&self) -> bool {
        false
    }
    fn read(&mut self, lba: u64, buffer: &mut [u8]) -> Result<(), BlockError> {
        self.below.read(lba, buffer)?;
        let end = lba.saturating_add((buffer.len() / SECTOR_BYTES) as u64);
        for (at, sector) in self.written.range(lba..end) {
            let start = (at - lba) as usize * SECTOR_BYTES;
            buffer[start..start + SECTOR_BYTES].copy_from_slice(&sector[..]);
        }
        Ok(())
    }
    fn write(&mut self, lba: u64, data: &[u8]) -> Result<(), BlockError> {
        let end = lba.saturating_add((data.len() / SECTOR_BYTES) as u64);
        if end > self.sectors() {
            return Err(BlockError::OutOfRange { lba, end });
        }
        let (sectors, _rest) = data.as_chunks::<SECTOR_BYTES>();
        for (at, sector) in (lba..end).zip(sectors) {
            self.written.insert(at, Box::new(*sector));
        }
        Ok(())
    }
    fn flush(&mut self) -> Result<(), BlockError> {
        Ok(())
    }
    fn describe(&self) -> String {
        format!("{} (writes kept in memory)", self.below.describe())
    }
}
