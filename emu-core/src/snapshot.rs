//! Snapshots: how a state becomes bytes, and the container that holds the sections of a machine.
//!
//! # Container format
//! All numbers are little-endian.
//! ```text
//! magic "BOXWOOD\x1A", u32 format version (1)
//! then sections, each:  u16 name length, name (UTF-8), u16 section version, u64 payload length,
//!                       u32 CRC-32 (IEEE) of name, version and payload, payload
//! last section: named "end", empty; a file that stops before it was cut short.
//! ```

use serde::Serialize;
use serde::de::DeserializeOwned;

/// State that can be saved and restored. Its shape cannot change without `VERSION`.
pub trait Snapshot: Serialize + DeserializeOwned {
    /// The version of the shape.
    const VERSION: u16;
    /// Refuses a state that the device could not have got into by itself (an index past a buffer, say): what a
    /// snapshot holds is as untrusted as any other file.
    fn validate(&self) -> Result<(), &'static str> {
        Ok(())
    }
}

/// Why a snapshot cannot be written or read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Not a snapshot at all.
    #[error("this is not a Boxwood snapshot")]
    NotASnapshot,
    /// Written by another version of the container.
    #[error("snapshot format {0} is not known to this Boxwood (it knows {FORMAT_VERSION})")]
    Format(u32),
    /// The file ends too early.
    #[error("the snapshot is cut short in section {0:?}")]
    CutShort(String),
    /// A checksum does not match.
    #[error("section {0:?} of the snapshot is damaged (its checksum does not match)")]
    Damaged(String),
    /// A section that the machine needs is not there.
    #[error("the snapshot has no section {0:?}: it was taken from a differently built machine")]
    Missing(String),
    /// A section that this machine has no place for.
    #[error("the snapshot's section {0:?} belongs to nothing in this machine")]
    Unknown(String),
    /// A section has another version.
    #[error("section {section:?} has version {found}, this Boxwood reads version {expected}")]
    Version {
        /// Which.
        section: String,
        /// In the file.
        found: u16,
        /// Known here.
        expected: u16,
    },
    /// A section's contents make no sense.
    #[error("section {section:?} of the snapshot is not valid: {reason}")]
    Invalid {
        /// Which.
        section: String,
        /// Why.
        reason: String,
    },
}

/// The version of the container that this code writes.
pub const FORMAT_VERSION: u32 = 1;
const MAGIC: &[u8; 8] = b"BOXWOOD\x1A";
const END: &str = "end";

fn invalid(section: &str, reason: impl ToString) -> SnapshotError {
    SnapshotError::Invalid {
        section: section.into(),
        reason: reason.to_string(),
    }
}

/// A state's bytes.
pub fn encode<S: Snapshot>(section: &str, state: &S) -> Result<Vec<u8>, SnapshotError> {
    postcard::to_stdvec(state).map_err(|e| invalid(section, e))
}

/// A state from its bytes: the version must match, all bytes must be used, and the state must be valid.
pub fn decode<S: Snapshot>(section: &str, version: u16, bytes: &[u8]) -> Result<S, SnapshotError> {
    if version != S::VERSION {
        let (section, expected) = (section.into(), S::VERSION);
        return Err(SnapshotError::Version {
            section,
            found: version,
            expected,
        });
    }
    let (state, rest): (S, _) =
        postcard::take_from_bytes(bytes).map_err(|e| invalid(section, e))?;
    if !rest.is_empty() {
        return Err(invalid(section, "bytes are left over"));
    }
    state
        .validate()
        .map_err(|reason| invalid(section, reason))?;
    Ok(state)
}

/// Writes a container.
#[derive(Debug)]
pub struct Writer(Vec<u8>);

impl Default for Writer {
    fn default() -> Self {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(FORMAT_VERSION.to_le_bytes());
        Self(bytes)
    }
}

fn checksum(name: &str, version: u16, payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(name.as_bytes());
    crc.update(&version.to_le_bytes());
    crc.update(payload);
    crc.finalize()
}

impl Writer {
    /// Adds a section.
    pub fn section(&mut self, name: &str, version: u16, payload: &[u8]) {
        let name = &name[..name.floor_char_boundary(usize::from(u16::MAX))];
        self.0.extend((name.len() as u16).to_le_bytes());
        self.0.extend(name.as_bytes());
        self.0.extend(version.to_le_bytes());
        self.0.extend((payload.len() as u64).to_le_bytes());
        self.0
            .extend(checksum(name, version, payload).to_le_bytes());
        self.0.extend(payload);
    }

    /// The finished file.
    pub fn finish(mut self) -> Vec<u8> {
        self.section(END, 0, &[]);
        self.0
    }
}

/// A section of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section<'a> {
    /// Its name.
    pub name: &'a str,
    /// The version of its contents.
    pub version: u16,
    /// Its contents.
    pub payload: &'a [u8],
}

/// Reads a container, checking every checksum.
pub fn read(file: &[u8]) -> Result<Vec<Section<'_>>, SnapshotError> {
    let mut rest = file
        .strip_prefix(MAGIC)
        .ok_or(SnapshotError::NotASnapshot)?;
    let cut = |name: &str| SnapshotError::CutShort(name.to_string());
    let format = u32::from_le_bytes(take(&mut rest).ok_or_else(|| cut("header"))?);
    if format != FORMAT_VERSION {
        return Err(SnapshotError::Format(format));
    }
    let mut sections: Vec<Section<'_>> = Vec::new();
    loop {
        let after = sections.last().map_or("header", |s| s.name);
        let name_len = u16::from_le_bytes(take(&mut rest).ok_or_else(|| cut(after))?);
        let name = take_slice(&mut rest, name_len.into()).ok_or_else(|| cut(after))?;
        let name = std::str::from_utf8(name).map_err(|_| SnapshotError::Damaged(after.into()))?;
        let version = u16::from_le_bytes(take(&mut rest).ok_or_else(|| cut(name))?);
        let len = u64::from_le_bytes(take(&mut rest).ok_or_else(|| cut(name))?);
        let crc = u32::from_le_bytes(take(&mut rest).ok_or_else(|| cut(name))?);
        let len = usize::try_from(len).map_err(|_| cut(name))?;
        let payload = take_slice(&mut rest, len).ok_or_else(|| cut(name))?;
        if checksum(name, version, payload) != crc {
            return Err(SnapshotError::Damaged(name.into()));
        }
        if name == END {
            return Ok(sections);
        }
        sections.push(Section {
            name,
            version,
            payload,
        });
    }
}

fn take_slice<'a>(rest: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(n)?;
    *rest = tail;
    Some(head)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    take_slice(rest, N).and_then(|s| s.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut w = Writer::default();
        w.section("cpu0", 3, b"hello");
        w.section("rtc", 1, b"");
        w.finish()
    }

    #[test]
    fn sections_come_back_as_they_were_written() {
        let file = sample();
        let sections = read(&file).unwrap();
        assert_eq!(sections.len(), 2);
        assert_eq!(
            sections[0],
            Section {
                name: "cpu0",
                version: 3,
                payload: b"hello"
            }
        );
    }

    #[test]
    fn a_file_cut_anywhere_is_refused() {
        let file = sample();
        for n in 0..file.len() {
            assert!(read(&file[..n]).is_err(), "cut at {n}");
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_behind_the_header_is_noticed() {
        let file = sample();
        for i in 0..file.len() * 8 {
            let mut bad = file.clone();
            bad[i / 8] ^= 1 << (i % 8);
            assert!(read(&bad).is_err(), "bit {i}");
        }
    }
}
