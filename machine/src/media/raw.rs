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
}

impl RawImage {
    /// A back end on an open file. What lies behind the file's end, up to `sectors`, reads as zeros.
    pub fn new(file: File, name: String, sectors: u64, read_only: bool) -> Self {
        Self {
            file,
            name,
            sectors,
            read_only,
        }
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
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read(&mut buffer[filled..]) {
                Ok(0) => {
                    buffer[filled..].fill(0);
                    break;
                }
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }
    fn write(&mut self, lba: u64, data: &[u8]) -> Result<(), BlockError> {
        if self.read_only {
            return Err(BlockError::ReadOnly);
        }
        self.seek(lba, data.len())?;
        Ok(self.file.write_all(data)?)
    }
    fn flush(&mut self) -> Result<(), BlockError> {
        if self.read_only {
            return Ok(());
        }
        Ok(self.file.sync_data()?)
    }
    fn describe(&self) -> String {
        self.name.clone()
    }
}
