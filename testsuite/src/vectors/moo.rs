//! The MOO format of the SingleStepTests suites: chunks of a four-letter name, a length and a payload.
//!
//! After the format's own description (`MOO.md` in the suites). Nothing in a file is trusted: each length is checked
//! against what is there, and each count against its payload.

use flate2::read::GzDecoder;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use thiserror::Error;

/// More than any file of the suites holds once it is unpacked (the largest has some 40 MB).
const UNPACKED_LIMIT_BYTES: u64 = 512 << 20;
/// Bytes of a chunk's name and length.
const CHUNK_HEADER_BYTES: usize = 8;
/// Bytes of an address and its value in a `RAM ` chunk.
const RAM_ENTRY_BYTES: usize = 5;

/// What is wrong with a file.
#[derive(Debug, Error)]
pub enum MooError {
    /// The file cannot be read or unpacked.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It unpacks to more than any such file holds.
    #[error("it unpacks to more than {UNPACKED_LIMIT_BYTES} bytes")]
    TooLarge,
    /// It does not begin with a `MOO ` chunk.
    #[error("it is not a MOO file")]
    NotMoo,
    /// A chunk or field ends before its data.
    #[error("{what} at byte {at} is cut short")]
    Truncated {
        /// Of what.
        what: &'static str,
        /// Where.
        at: usize,
    },
    /// A chunk that a test must have is not there, or stands where it has no meaning.
    #[error("test {test}: {what}")]
    Test {
        /// Index of the test in the file.
        test: u32,
        /// What is wrong.
        what: &'static str,
    },
    /// The header promises another number of tests.
    #[error("the header promises {promised} tests, {found} are there")]
    Count {
        /// In the header.
        promised: u32,
        /// In the file.
        found: usize,
    },
}

/// The sixteen-bit registers in the order of the mask bits of `REGS`.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Reg {
    Ax,
    Bx,
    Cx,
    Dx,
    Cs,
    Ss,
    Ds,
    Es,
    Sp,
    Bp,
    Si,
    Di,
    Ip,
    Flags,
}

impl Reg {
    /// Number of registers.
    pub const COUNT: usize = 14;
    /// All of them.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Ax,
        Self::Bx,
        Self::Cx,
        Self::Dx,
        Self::Cs,
        Self::Ss,
        Self::Ds,
        Self::Es,
        Self::Sp,
        Self::Bp,
        Self::Si,
        Self::Di,
        Self::Ip,
        Self::Flags,
    ];
}

/// One side of a test: registers and bytes of memory. The final side holds changes only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// Registers, by [`Reg`].
    pub regs: [Option<u16>; Reg::COUNT],
    /// Physical addresses and the bytes there.
    pub ram: Vec<(u32, u8)>,
}

impl Side {
    /// A register, if this side names it.
    pub fn reg(&self, reg: Reg) -> Option<u16> {
        self.regs[reg as usize]
    }
}

/// An exception that the processor took.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// Its vector.
    pub vector: u8,
    /// Physical address of the flags word that it pushed.
    pub flags_address: u32,
}

/// One captured execution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Test {
    /// Index in the suite's whole file.
    pub index: u32,
    /// The instruction as text.
    pub name: String,
    /// The instruction's bytes.
    pub bytes: Vec<u8>,
    /// Before.
    pub initial: Side,
    /// What changed.
    pub changes: Side,
    /// The exception, where the suite records it.
    pub exception: Option<Exception>,
    /// The test's identity.
    pub hash: Option<[u8; 20]>,
}

impl Test {
    /// The hash as the revocation list spells it.
    pub fn hash_hex(&self) -> String {
        self.hash
            .iter()
            .flatten()
            .map(|b| format!("{b:02x}"))
            .collect()
    }
}

/// Bytes that are taken from the front, with their place in the file for messages.
#[derive(Copy, Clone)]
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize, what: &'static str) -> Result<&'a [u8], MooError> {
        let (head, tail) = self
            .bytes
            .split_at_checked(n)
            .ok_or(MooError::Truncated { what, at: self.at })?;
        self.bytes = tail;
        self.at += n;
        Ok(head)
    }

    fn u16(&mut self, what: &'static str) -> Result<u16, MooError> {
        Ok(u16::from_le_bytes(
            self.take(2, what)?.try_into().unwrap_or_default(),
        ))
    }

    fn u32(&mut self, what: &'static str) -> Result<u32, MooError> {
        Ok(u32::from_le_bytes(
            self.take(4, what)?.try_into().unwrap_or_default(),
        ))
    }

    /// A chunk's name and payload; `None` at the end.
    fn chunk(&mut self) -> Result<Option<([u8; 4], Self)>, MooError> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let name = self.take(4, "a chunk's name")?;
        let len = self.u32("a chunk's length")? as usize;
        let at = self.at;
        let bytes = self.take(len, "a chunk")?;
        Ok(Some((
            name.try_into().unwrap_or_default(),
            Self { bytes, at },
        )))
    }

    /// Bytes after their 32-bit count.
    fn counted(&mut self, what: &'static str) -> Result<&'a [u8], MooError> {
        let n = self.u32(what)? as usize;
        self.take(n, what)
    }
}

fn parse_side(mut payload: Cursor<'_>, test: u32) -> Result<Side, MooError> {
    let mut side = Side::default();
    while let Some((name, mut p)) = payload.chunk()? {
        match &name {
            b"REGS" => {
                let mask = p.u16("a register mask")?;
                if mask >> Reg::COUNT != 0 {
                    let what = "registers that this processor does not have";
                    return Err(MooError::Test { test, what });
                }
                for (i, reg) in side.regs.iter_mut().enumerate() {
                    if mask >> i & 1 != 0 {
                        *reg = Some(p.u16("a register")?);
                    }
                }
            }
            b"RAM " => {
                let count = p.u32("a count of memory bytes")? as usize;
                let bytes = count
                    .checked_mul(RAM_ENTRY_BYTES)
                    .ok_or(MooError::Truncated {
                        what: "memory",
                        at: p.at,
                    })?;
                let entries = p.take(bytes, "memory")?;
                side.ram
                    .extend(entries.chunks_exact(RAM_ENTRY_BYTES).map(|e| {
                        let address = e[..4].try_into().unwrap_or_default();
                        (u32::from_le_bytes(address), e[4])
                    }));
            }
            b"QUEU" => {
                p.counted("the prefetch queue")?;
            }
            _ => {
                let what = "a state with a chunk of unknown meaning";
                return Err(MooError::Test { test, what });
            }
        }
    }
    Ok(side)
}

fn parse_test(mut payload: Cursor<'_>) -> Result<Test, MooError> {
    let index = payload.u32("a test's index")?;
    let mut test = Test {
        index,
        ..Test::default()
    };
    let (mut initial, mut changes) = (None, None);
    while let Some((name, mut p)) = payload.chunk()? {
        match &name {
            b"NAME" => test.name = String::from_utf8_lossy(p.counted("a name")?).into_owned(),
            b"BYTS" => test.bytes = p.counted("the instruction's bytes")?.to_vec(),
            b"INIT" => initial = Some(parse_side(p, index)?),
            b"FINA" => changes = Some(parse_side(p, index)?),
            b"EXCP" => {
                let vector = p.take(1, "an exception")?[0];
                test.exception = Some(Exception {
                    vector,
                    flags_address: p.u32("an exception")?,
                });
            }
            b"HASH" => test.hash = p.take(20, "a hash")?.try_into().ok(),
            // CYCL (bus cycles), GMET and whatever a later version adds do not change the outcome.
            _ => {}
        }
    }
    let missing = |what| MooError::Test { test: index, what };
    test.initial = initial.ok_or_else(|| missing("it has no INIT chunk"))?;
    test.changes = changes.ok_or_else(|| missing("it has no FINA chunk"))?;
    if test.initial.regs.iter().any(Option::is_none) {
        return Err(missing("its initial state lacks a register"));
    }
    Ok(test)
}

/// All tests of an unpacked file.
pub fn parse(bytes: &[u8]) -> Result<Vec<Test>, MooError> {
    let mut file = Cursor { bytes, at: 0 };
    if bytes.len() < CHUNK_HEADER_BYTES || !bytes.starts_with(b"MOO ") {
        return Err(MooError::NotMoo);
    }
    let mut promised = None;
    let mut tests = Vec::new();
    while let Some((name, mut p)) = file.chunk()? {
        match &name {
            b"MOO " => {
                p.take(4, "the version")?;
                promised = Some(p.u32("the count of tests")?);
            }
            b"TEST" => tests.push(parse_test(p)?),
            _ => {}
        }
    }
    match promised {
        Some(promised) if promised as usize != tests.len() => Err(MooError::Count {
            promised,
            found: tests.len(),
        }),
        _ => Ok(tests),
    }
}

/// Reads a file; `.gz` is unpacked.
pub fn read(path: &Path) -> Result<Vec<Test>, MooError> {
    let file = File::open(path)?;
    let mut bytes = Vec::new();
    let limit = UNPACKED_LIMIT_BYTES + 1;
    if path.extension().is_some_and(|e| e == "gz") {
        GzDecoder::new(file).take(limit).read_to_end(&mut bytes)?;
    } else {
        file.take(limit).read_to_end(&mut bytes)?;
    }
    if bytes.len() as u64 >= limit {
        return Err(MooError::TooLarge);
    }
    parse(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(name: &[u8; 4], payload: &[u8]) -> Vec<u8> {
        let len = (payload.len() as u32).to_le_bytes();
        [name, &len[..], payload].concat()
    }

    fn sample() -> Vec<u8> {
        let regs: Vec<u8> = std::iter::once(0x3FFFu16)
            .chain(0x1000..0x100E)
            .flat_map(u16::to_le_bytes)
            .collect();
        let ram = [&1u32.to_le_bytes()[..], &0x000F_FFFFu32.to_le_bytes(), &[9]].concat();
        let init = [
            chunk(b"REGS", &regs),
            chunk(b"RAM ", &ram),
            chunk(b"QUEU", &[0; 4]),
        ]
        .concat();
        let fina = [
            chunk(b"REGS", &[0x01, 0x20, 1, 0, 2, 0]),
            chunk(b"RAM ", &[0; 4]),
        ]
        .concat();
        let test = [
            &7u32.to_le_bytes()[..],
            &chunk(b"NAME", b"\x03\0\0\0nop"),
            &chunk(b"BYTS", b"\x01\0\0\0\x90"),
            &chunk(b"INIT", &init),
            &chunk(b"FINA", &fina),
            &chunk(b"EXCP", &[13, 4, 3, 2, 1]),
            &chunk(b"HASH", &[0xAB; 20]),
        ]
        .concat();
        [
            chunk(b"MOO ", b"\x01\x01\0\0\x01\0\0\0C286"),
            chunk(b"META", &[0; 31]),
            chunk(b"TEST", &test),
        ]
        .concat()
    }

    #[test]
    fn a_test_is_read_with_its_states_exception_and_hash() {
        let tests = parse(&sample()).unwrap();
        let t = &tests[0];
        assert_eq!(
            (t.index, t.name.as_str(), &t.bytes[..]),
            (7, "nop", &[0x90][..])
        );
        assert_eq!(t.initial.reg(Reg::Ax), Some(0x1000));
        assert_eq!(t.initial.reg(Reg::Flags), Some(0x100D));
        assert_eq!(t.initial.ram, [(0xF_FFFF, 9)]);
        assert_eq!(t.changes.reg(Reg::Ax), Some(1));
        assert_eq!(t.changes.reg(Reg::Flags), Some(2));
        assert_eq!(t.changes.reg(Reg::Ip), None);
        let exception = Exception {
            vector: 13,
            flags_address: 0x0102_0304,
        };
        assert_eq!(t.exception, Some(exception));
        assert_eq!(t.hash_hex(), "ab".repeat(20));
    }

    #[test]
    fn a_file_cut_short_anywhere_is_an_error() {
        let whole = sample();
        for n in 0..whole.len() {
            assert!(parse(&whole[..n]).is_err(), "{n} bytes");
        }
    }

    #[test]
    fn a_file_with_any_byte_changed_is_read_or_refused_but_never_panics() {
        let whole = sample();
        for at in 0..whole.len() {
            for value in [0, 0x7F, 0x80, 0xFF] {
                let mut bad = whole.clone();
                bad[at] = value;
                let _ = parse(&bad);
            }
        }
    }

    #[test]
    fn a_count_that_no_file_can_hold_allocates_nothing() {
        let huge = [&u32::MAX.to_le_bytes()[..], &[0; 5]].concat();
        let cursor = chunk(b"RAM ", &huge);
        let side = parse_side(
            Cursor {
                bytes: &cursor,
                at: 0,
            },
            0,
        );
        assert!(matches!(side, Err(MooError::Truncated { .. })));
    }
}
