use std::io;

/// Bytes in the unit of addressing of a block back end.
pub const SECTOR_BYTES: usize = 512;

/// Why a block back end failed.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// Past the end of the medium.
    #[error("sectors {lba} to {end} lie past the end of the medium")]
    OutOfRange {
        /// First sector asked for.
        lba: u64,
        /// One past the last.
        end: u64,
    },
    /// The medium cannot be written.
    #[error("the medium is write protected")]
    ReadOnly,
    /// The host failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A disk image, or whatever else keeps sectors of 512 bytes.
///
/// Calls are synchronous; the device model makes them complete as events in guest time.
pub trait BlockBackend: Send {
    /// Size in sectors.
    fn sectors(&self) -> u64;
    /// Whether writes are refused.
    fn read_only(&self) -> bool;
    /// Reads whole sectors.
    fn read(&mut self, lba: u64, buffer: &mut [u8]) -> Result<(), BlockError>;
    /// Writes whole sectors.
    fn write(&mut self, lba: u64, data: &[u8]) -> Result<(), BlockError>;
    /// Makes what was written durable.
    fn flush(&mut self) -> Result<(), BlockError>;
    /// What stands for this medium in messages: a file name.
    fn describe(&self) -> String;
}

/// A disk in memory: for tests, and for images that a run must not change.
#[derive(Clone, Debug)]
pub struct MemoryDisk {
    bytes: Vec<u8>,
    read_only: bool,
}

impl MemoryDisk {
    /// A disk that holds `bytes`, padded to whole sectors.
    pub fn new(mut bytes: Vec<u8>, read_only: bool) -> Self {
        bytes.resize(bytes.len().next_multiple_of(SECTOR_BYTES), 0);
        Self { bytes, read_only }
    }

    /// All bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn range(&self, lba: u64, len: usize) -> Result<std::ops::Range<usize>, BlockError> {
        let end = lba.saturating_add((len / SECTOR_BYTES) as u64);
        if end > self.sectors() {
            return Err(BlockError::OutOfRange { lba, end });
        }
        let start = lba as usize * SECTOR_BYTES;
        Ok(start..start + len)
    }
}

impl BlockBackend for MemoryDisk {
    fn sectors(&self) -> u64 {
        (self.bytes.len() / SECTOR_BYTES) as u64
    }
    fn read_only(&self) -> bool {
        self.read_only
    }
    fn read(&mut self, lba: u64, buffer: &mut [u8]) -> Result<(), BlockError> {
        let range = self.range(lba, buffer.len())?;
        buffer.copy_from_slice(&self.bytes[range]);
        Ok(())
    }
    fn write(&mut self, lba: u64, data: &[u8]) -> Result<(), BlockError> {
        if self.read_only {
            return Err(BlockError::ReadOnly);
        }
        let range = self.range(lba, data.len())?;
        self.bytes[range].copy_from_slice(data);
        Ok(())
    }
    fn flush(&mut self) -> Result<(), BlockError> {
        Ok(())
    }
    fn describe(&self) -> String {
        format!("a disk of {} sectors in memory", self.sectors())
    }
}
