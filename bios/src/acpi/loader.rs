//! The table loader: files of bytes, and a script by which firmware brings them into memory.
//!
//! The interface is QEMU's: entries of 128 bytes, little-endian, each a command number of 32 bits and its parameters.
//! 1 allocates memory for a file and copies it there; 2 adds the address of one file to a pointer in another; 3 makes
//! the bytes of a range of a file sum up to zero by one of them. File names take 56 bytes, filled up with zeros.

/// The file of the root pointer.
pub const ROOT: &str = "etc/acpi/rsdp";
/// The file of all tables.
pub const TABLES: &str = "etc/acpi/tables";
/// The script's.
pub const SCRIPT: &str = "etc/table-loader";

const ENTRY_BYTES: usize = 128;
const NAME_BYTES: usize = 56;
const ALLOCATE: u32 = 1;
const ADD_POINTER: u32 = 2;
const ADD_CHECKSUM: u32 = 3;
/// Memory anywhere below 4 GiB, or between F0000h and FFFFFh.
const ZONE_HIGH: u8 = 1;
const ZONE_F_SEGMENT: u8 = 2;
/// The root pointer stands on a paragraph (section 5.2.4.1), the FACS on 64 bytes (5.2.9).
const ROOT_ALIGNMENT: u32 = 16;
const TABLES_ALIGNMENT: u32 = 64;

/// A file of fw_cfg.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// The tables so far, and how they are to be fitted.
#[derive(Debug)]
pub struct Script {
    root: Vec<u8>,
    tables: Vec<u8>,
    entries: Vec<[u8; ENTRY_BYTES]>,
}

/// Where a table stands among the tables.
#[derive(Copy, Clone, Debug)]
pub struct Place {
    at: usize,
    len: usize,
}

fn entry(command: u32, parameters: &[&[u8]]) -> [u8; ENTRY_BYTES] {
    let mut bytes = [0; ENTRY_BYTES];
    let all = [&command.to_le_bytes()[..], &parameters.concat()].concat();
    bytes[..all.len()].copy_from_slice(&all);
    bytes
}

fn file_name(name: &str) -> [u8; NAME_BYTES] {
    let mut bytes = [0; NAME_BYTES];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    bytes
}

fn number(n: usize) -> [u8; 4] {
    (n as u32).to_le_bytes()
}

impl Script {
    pub fn new() -> Self {
        let allocate = |name, alignment: u32, zone| {
            let alignment = alignment.to_le_bytes();
            entry(ALLOCATE, &[&file_name(name), &alignment, &[zone]])
        };
        Self {
            root: Vec::new(),
            tables: Vec::new(),
            entries: vec![
                allocate(ROOT, ROOT_ALIGNMENT, ZONE_F_SEGMENT),
                allocate(TABLES, TABLES_ALIGNMENT, ZONE_HIGH),
            ],
        }
    }

    /// Puts a table behind the others, on a multiple of 64 bytes.
    pub fn table(&mut self, bytes: &[u8]) -> Place {
        let at = self
            .tables
            .len()
            .next_multiple_of(TABLES_ALIGNMENT as usize);
        self.tables.resize(at, 0);
        self.tables.extend(bytes);
        Place {
            at,
            len: bytes.len(),
        }
    }

    /// Points bytes `at` of a table to another one.
    pub fn pointer(&mut self, table: Place, at: usize, width: usize, to: Place) {
        let at = table.at + at;
        self.tables[at..at + width].copy_from_slice(&to.at.to_le_bytes()[..width]);
        self.add_pointer(TABLES, at, width);
    }

    fn add_pointer(&mut self, file: &str, at: usize, width: usize) {
        self.entries.push(entry(
            ADD_POINTER,
            &[
                &file_name(file),
                &file_name(TABLES),
                &number(at),
                &[width as u8],
            ],
        ));
    }

    /// The checksum in byte `at` of a table, when all else in it stands.
    pub fn checksum(&mut self, table: Place, at: usize) {
        self.add_checksum(TABLES, table.at + at, table.at, table.len);
    }

    fn add_checksum(&mut self, file: &str, at: usize, start: usize, len: usize) {
        self.entries.push(entry(
            ADD_CHECKSUM,
            &[&file_name(file), &number(at), &number(start), &number(len)],
        ));
    }

    /// The root pointer: its bytes, its pointers as (place, width, table), its checksums as (place, bytes that it covers).
    pub fn root(
        &mut self,
        bytes: Vec<u8>,
        pointers: &[(usize, usize, Place)],
        checksums: &[(usize, usize)],
    ) {
        self.root = bytes;
        for &(at, width, to) in pointers {
            self.root[at..at + width].copy_from_slice(&to.at.to_le_bytes()[..width]);
            self.add_pointer(ROOT, at, width);
        }
        for &(at, covered) in checksums {
            self.add_checksum(ROOT, at, 0, covered);
        }
    }

    pub fn into_files(self) -> [File; 3] {
        let file = |name, bytes| File { name, bytes };
        [
            file(ROOT, self.root),
            file(TABLES, self.tables),
            file(SCRIPT, self.entries.concat()),
        ]
    }
}
