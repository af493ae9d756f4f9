//! Disks that are made for the tests, and what DOS left on them, seen from outside: by dosfstools and mtools.

use super::boot_code::{FAT16_BOOT_CODE, MASTER_BOOT_CODE};
use super::package::PackageFile;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Command;

const MKFS: PackageFile = dosfstools("/sbin/mkfs.fat");
const FSCK: PackageFile = dosfstools("/sbin/fsck.fat");
pub const MCOPY: PackageFile = mtools("/usr/bin/mcopy");
const MDIR: PackageFile = mtools("/usr/bin/mdir");

/// The programs that make and check disks.
pub const PROGRAMS: [PackageFile; 4] = [MKFS, FSCK, MCOPY, MDIR];

const fn dosfstools(path: &'static str) -> PackageFile {
    PackageFile {
        package: "dosfstools",
        path,
    }
}

const fn mtools(path: &'static str) -> PackageFile {
    PackageFile {
        package: "mtools",
        path,
    }
}

const SECTOR_BYTES: u64 = 512;
/// The geometry of the disks: what every BIOS uses below 504 MiB.
const HEADS: u32 = 16;
const SECTORS_PER_TRACK: u32 = 63;

/// What starts the system.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum BootCode {
    /// The code of the diskette that the system comes from (it reads FAT12).
    OfTheDiskette,
    /// [`FAT16_BOOT_CODE`].
    Fat16,
}

/// A hard disk with one partition.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    pub sectors: u32,
    pub start_sector: u32,
    pub partition_sectors: u32,
    pub partition_type: u8,
    pub fat_bits: u8,
    pub sectors_per_cluster: u8,
    pub boot_code: BootCode,
}

impl Layout {
    /// Makes the disk and copies the system of a DOS diskette to it.
    pub fn make(&self, diskette: &Path, disk: &Path) -> Result<()> {
        self.make_empty(disk)?;
        self.write_boot_sectors(diskette, disk)?;
        let from = Volume::WHOLE.files(diskette)?;
        let to = self.volume();
        for (name, bytes) in from {
            let is_folder_or_deeper = name.contains('/');
            if !is_folder_or_deeper {
                to.write(disk, &name, &for_hard_disk(&name, bytes))?;
            }
        }
        Ok(())
    }

    /// Makes the disk: a partition with an empty volume, and the code that starts it.
    pub fn make_empty(&self, disk: &Path) -> Result<()> {
        let file = File::create(disk)?;
        file.set_len(u64::from(self.sectors) * SECTOR_BYTES)?;
        drop(file);
        run(Command::new(MKFS.find()?)
            .args(["--invariant", "-n", "BOXWOOD", "-F"])
            .arg(self.fat_bits.to_string())
            .args([
                "--offset",
                &self.start_sector.to_string(),
                "-h",
                &self.start_sector.to_string(),
            ])
            .args(["-g", &format!("{HEADS}/{SECTORS_PER_TRACK}")])
            .args(["-s", &self.sectors_per_cluster.to_string()])
            .arg(disk)
            .arg((self.partition_sectors / 2).to_string()))?;
        self.write_master_boot_record(disk)
    }

    /// Where the partition's volume lies.
    pub fn volume(&self) -> Volume {
        Volume {
            start_byte: u64::from(self.start_sector) * SECTOR_BYTES,
            bytes: Some(u64::from(self.partition_sectors) * SECTOR_BYTES),
        }
    }

    fn write_master_boot_record(&self, disk: &Path) -> Result<()> {
        let mut master = [0; 512];
        master[..MASTER_BOOT_CODE.len()].copy_from_slice(MASTER_BOOT_CODE);
        let last_sector = self.start_sector + self.partition_sectors - 1;
        let entry = &mut master[446..462];
        entry[0] = 0x80;
        entry[1..4].copy_from_slice(&cylinder_head_sector(self.start_sector));
        entry[4] = self.partition_type;
        entry[5..8].copy_from_slice(&cylinder_head_sector(last_sector));
        entry[8..12].copy_from_slice(&self.start_sector.to_le_bytes());
        entry[12..].copy_from_slice(&self.partition_sectors.to_le_bytes());
        master[510..].copy_from_slice(&[0x55, 0xAA]);
        let mut file = File::options().write(true).open(disk)?;
        Ok(file.write_all(&master)?)
    }

    fn write_boot_sectors(&self, diskette: &Path, disk: &Path) -> Result<()> {
        let mut file = File::options().read(true).write(true).open(disk)?;
        // The jump at the beginning leads behind the BIOS parameter block, which stays as mkfs.fat made it.
        let at = SeekFrom::Start(self.volume().start_byte);
        let mut boot = [0; 512];
        file.seek(at)?;
        file.read_exact(&mut boot)?;
        ensure!(boot[..3] == [0xEB, 0x3C, 0x90], "mkfs.fat's jump is new");
        let mut diskette_boot = [0; 512];
        File::open(diskette)?.read_exact(&mut diskette_boot)?;
        let code = match self.boot_code {
            BootCode::OfTheDiskette => &diskette_boot[0x3E..510],
            BootCode::Fat16 => FAT16_BOOT_CODE,
        };
        boot[0x3E..510].fill(0);
        boot[0x3E..][..code.len()].copy_from_slice(code);
        boot[510..].copy_from_slice(&[0x55, 0xAA]);
        file.seek(at)?;
        Ok(file.write_all(&boot)?)
    }
}

/// The three bytes of a partition table; sectors beyond cylinder 1023 have the entry that says so.
fn cylinder_head_sector(sector: u32) -> [u8; 3] {
    let track = sector / SECTORS_PER_TRACK;
    let (cylinder, head) = (track / HEADS, track % HEADS);
    if cylinder > 1023 {
        return [0xFE, 0xFF, 0xFF];
    }
    let high_bits = (cylinder >> 8) << 6;
    [
        head as u8,
        (sector % SECTORS_PER_TRACK + 1 + high_bits) as u8,
        cylinder as u8,
    ]
}

/// The diskette's file as it shall be on a hard disk: the shell is on another drive, and the start leaves its
/// messages on the screen.
fn for_hard_disk(name: &str, bytes: Vec<u8>) -> Vec<u8> {
    match name {
        "CONFIG.SYS" => String::from_utf8_lossy(&bytes)
            .replace("A:\\", "C:\\")
            .into(),
        "AUTOEXEC.BAT" => b"@ECHO OFF\r\n".to_vec(),
        _ => bytes,
    }
}

/// A FAT volume in an image.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Volume {
    pub start_byte: u64,
    /// To the end, if not said.
    bytes: Option<u64>,
}

/// The files of a volume by path, folders (which end with a slash) with no contents.
pub type Files = BTreeMap<String, Vec<u8>>;

impl Volume {
    /// All of a diskette.
    pub const WHOLE: Self = Self {
        start_byte: 0,
        bytes: None,
    };

    fn mtools(self, program: PackageFile, image: &Path) -> Result<Command> {
        let mut command = Command::new(program.find()?);
        // A volume that ends inside a track is no mistake here; nobody's settings shall matter.
        command
            .env("MTOOLS_SKIP_CHECK", "1")
            .env("MTOOLSRC", "/dev/null")
            .arg("-i")
            .arg(format!("{}@@{}", image.display(), self.start_byte));
        Ok(command)
    }

    /// All files and folders.
    pub fn files(self, image: &Path) -> Result<Files> {
        let list = run(self.mtools(MDIR, image)?.args(["-a", "-b", "-/", "::/"]))?;
        let mut files = Files::new();
        for path in String::from_utf8_lossy(&list).lines() {
            let path = path.strip_prefix("::/").unwrap_or(path);
            let bytes = if path.ends_with('/') {
                Vec::new()
            } else {
                run(self
                    .mtools(MCOPY, image)?
                    .arg(format!("::/{path}"))
                    .arg("-"))?
            };
            files.insert(path.to_string(), bytes);
        }
        Ok(files)
    }

    /// Writes a file.
    pub fn write(self, image: &Path, name: &str, bytes: &[u8]) -> Result<()> {
        let source = image.with_extension("file");
        std::fs::write(&source, bytes)?;
        run(self
            .mtools(MCOPY, image)?
            .arg(&source)
            .arg(format!("::/{name}")))?;
        Ok(std::fs::remove_file(&source)?)
    }

    /// Fails if `fsck.fat` finds anything that is not as it should be.
    pub fn check(self, image: &Path) -> Result<()> {
        let copy = image.with_extension("volume");
        let mut from = File::open(image)?;
        from.seek(SeekFrom::Start(self.start_byte))?;
        let bytes = self.bytes.unwrap_or(u64::MAX);
        copy_sparsely(&mut from.take(bytes), &copy)?;
        run(Command::new(FSCK.find()?).arg("-n").arg(&copy))?;
        Ok(std::fs::remove_file(&copy)?)
    }
}

/// Copies without writing the blocks that hold only zeros.
fn copy_sparsely(from: &mut impl Read, to: &Path) -> Result<()> {
    let mut file = File::create(to)?;
    let mut length = 0;
    loop {
        let mut block = Vec::new();
        from.by_ref().take(1 << 16).read_to_end(&mut block)?;
        if block.is_empty() {
            return Ok(file.set_len(length)?);
        }
        if block.iter().any(|b| *b != 0) {
            file.seek(SeekFrom::Start(length))?;
            file.write_all(&block)?;
        }
        length += block.len() as u64;
    }
}

/// Runs a program to its end; gives what it wrote.
pub fn run(command: &mut Command) -> Result<Vec<u8>> {
    let name = command.get_program().display().to_string();
    let out = command
        .output()
        .with_context(|| format!("{name} cannot be run"))?;
    if !out.status.success() {
        bail!(
            "{name}: {}\n{}{}",
            out.status,
            String::from_utf8_lossy(&out.stdout),
            String::from_utf8_lossy(&out.stderr)
        );
    }
    Ok(out.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sector_has_its_cylinder_head_and_sector_in_the_partition_table() {
        assert_eq!(cylinder_head_sector(0), [0, 1, 0]);
        assert_eq!(cylinder_head_sector(63), [1, 1, 0]);
        assert_eq!(cylinder_head_sector(16 * 63 * 513 + 62), [0, 63 | 0x80, 1]);
        assert_eq!(cylinder_head_sector(16 * 63 * 1024), [0xFE, 0xFF, 0xFF]);
    }

    #[test]
    fn the_boot_code_fits_its_places() {
        // Up to the partition table, and from behind the BIOS parameter block to the signature.
        assert!(MASTER_BOOT_CODE.len() <= 446);
        assert!(FAT16_BOOT_CODE.len() <= 510 - 0x3E);
    }

    #[test]
    fn a_sparse_copy_has_the_same_contents() {
        let path = std::env::temp_dir().join(format!("boxwood-sparse-{}", std::process::id()));
        let mut bytes = vec![0; 300_000];
        bytes[200_000] = 7;
        copy_sparsely(&mut bytes.as_slice(), &path).unwrap();
        assert!(std::fs::read(&path).unwrap() == bytes);
        std::fs::remove_file(&path).unwrap();
    }
}
