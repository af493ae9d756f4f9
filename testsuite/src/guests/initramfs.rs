//! Linux' initial RAM disks.
//!
//! Document: the Linux kernel's "initramfs buffer format" (Documentation/driver-api/early-userspace/buffer-format.rst).

use super::package::PackageFile;
use anyhow::{Context, Result};
use std::collections::BTreeSet;

/// Modes of what is in an archive.
const FOLDER: u32 = 0o040_755;
const EXECUTABLE: u32 = 0o100_755;

/// An archive in the "newc" format.
#[derive(Default, Debug)]
pub struct Archive {
    bytes: Vec<u8>,
    folders: BTreeSet<String>,
    inodes: u32,
}

impl Archive {
    /// Adds an executable file, and the folders in which it lies; the path is written without a slash in front.
    pub fn file(&mut self, path: &str, contents: &[u8]) {
        if let Some((folder, _)) = path.rsplit_once('/') {
            self.folder(folder);
        }
        self.entry(path, EXECUTABLE, contents);
    }

    /// Adds a folder and those in which it lies.
    pub fn folder(&mut self, path: &str) {
        if let Some((above, _)) = path.rsplit_once('/') {
            self.folder(above);
        }
        if self.folders.insert(path.to_owned()) {
            self.entry(path, FOLDER, &[]);
        }
    }

    /// Adds files of packages where the packages have them.
    pub fn packaged(&mut self, files: &[PackageFile]) -> Result<()> {
        for file in files {
            let from = file.find()?;
            let contents = std::fs::read(&from).with_context(|| from.display().to_string())?;
            self.file(file.path.trim_start_matches('/'), &contents);
        }
        Ok(())
    }

    /// A header with fields of eight hexadecimal digits, name and contents on doublewords.
    fn entry(&mut self, path: &str, mode: u32, contents: &[u8]) {
        self.inodes += 1;
        let name_bytes = path.len() as u32 + 1;
        let size = contents.len() as u32;
        let bytes = &mut self.bytes;
        bytes.extend(b"070701");
        let inode = self.inodes;
        for value in [inode, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name_bytes, 0] {
            bytes.extend(format!("{value:08X}").bytes());
        }
        bytes.extend(path.bytes().chain([0]));
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend(contents);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }

    /// The whole archive.
    pub fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[]);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_begins_on_a_doubleword_behind_its_folders() {
        let mut archive = Archive::default();
        archive.file("usr/bin/a", &[1, 2, 3]);
        archive.file("usr/bin/b", &[]);
        let disk = archive.finish();
        assert_eq!(disk.len() % 4, 0);
        let starts: Vec<_> = (0..disk.len())
            .filter(|&at| disk[at..].starts_with(b"070701"))
            .collect();
        assert!(starts.iter().all(|at| at % 4 == 0));
        let names: Vec<_> = starts
            .iter()
            .map(|at| disk[at + 110..].split(|&b| b == 0).next().unwrap())
            .collect();
        let wanted = ["usr", "usr/bin", "usr/bin/a", "usr/bin/b", "TRAILER!!!"];
        assert_eq!(names, wanted.map(str::as_bytes));
    }
}
