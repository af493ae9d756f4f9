//! A raw image file: sector after sector.

use emu_core::host::{BlockBackend, BlockError, SECTOR_BYTES};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// A file of raw sectors, held open and locked.
#[derive(Debug)]
pub struct RawImage {
    file: File,
    name: String,
    sectors: u64,
    read_only: bool,
    /// Where the file ended when it was last known to: what lies before must be there.
    bytes: u64,
    /// Failures that were told.
    told: u32,
}

/// The most failures of one image that are told.
const TOLD_MAX: u32 = 8;

impl RawImage {
    /// A back end on an open file. What lies behind the file's end, up to `sectors`, reads as zeros.
    pub fn new(file: File, name: String, sectors: u64, read_only: bool) -> Self {
        let bytes = file.metadata().map_or(0, |m| m.len());
        Self {
            file,
            name,
            sectors,
            read_only,
            bytes,
            told: 0,
        }
    }

    /// The user must hear of a failure of the host; the guest hears of it from its drive.
    fn tell(&mut self, what: &str, lba: u64, error: io::Error) -> BlockError {
        self.told = self.told.saturating_add(1);
        if self.told <= TOLD_MAX {
            let name = &self.name;
            tracing::error!(target: "media", "{name}: sector {lba} cannot be {what}: {error}; the guest is told of a drive error");
        }
        error.into()
    }

    fn fill(&mut self, lba: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read(&mut buffer[filled..]) {
                Ok(0) => {
                    let at = lba * SECTOR_BYTES as u64 + filled as u64;
                    if at < self.bytes {
                        return Err(io::Error::new(
                            io::ErrorKind::UnexpectedEof,
                            "the file has become shorter",
                        ));
                    }
                    buffer[filled..].fill(0);
                    break;
                }
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn seek(&mut self, lba: u64, bytes: usize) -> Result<(), BlockError> {
        let end = lba.saturating_add((bytes / SECTOR_BYTES) as u64);
        if end > self.sectors {
            return Err(BlockError::OutOfRange { lba, end });
        }
        self.file.seek(SeekFrom::Start(lba * SECTOR_BYTES as u64))?;
        Ok(())
    }
}

impl BlockBackend for RawImage {
    fn sectors(&self) -> u64 {
        self.sectors
    }
    fn read_only(&self) -> bool {
        self.read_only
    }
    fn read(&mut self, lba: u64, buffer: &mut [u8]) -> Result<(), BlockError> {
        self.seek(lba, buffer.len())?;
        self.fill(lba, buffer)
            .map_err(|e| self.tell("read", lba, e))
    }
    fn write(&mut self, lba: u64, data: &[u8]) -> Result<(), BlockError> {
        if self.read_only {
            return Err(BlockError::ReadOnly);
        }
        self.seek(lba, data.len())?;
        if let Err(e) = self.file.write_all(data) {
            return Err(self.tell("written", lba, e));
        }
        let end = (lba * SECTOR_BYTES as u64).saturating_add(data.len() as u64);
        self.bytes = self.bytes.max(end);
        Ok(())
    }
    fn flush(&mut self) -> Result<(), BlockError> {
        if self.read_only {
            return Ok(());
        }
        let synced = self.file.sync_data();
        synced.map_err(|e| self.tell("made durable", 0, e))
    }
    fn describe(&self) -> String {
        self.name.clone()
    }
}
