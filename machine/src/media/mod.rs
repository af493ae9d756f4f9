//! Disk images as back ends: raw files of floppies, hard disks and CD-ROMs.
//!
//! [`recognise`] tells from a file's size and first sectors for which drive it is meant; [`open`] makes a back end of
//! it. A file that a machine may write is locked, so that no second machine writes it too.
//!
//! **Formats**: raw sectors only. Files of other emulators' formats are recognised by their signatures and refused
//! with the command that converts them.

mod overlay;
mod raw;
#[cfg(test)]
mod tests;

pub use overlay::Overlay;
pub use raw::RawImage;

use chipset::i82077aa::Geometry;
use emu_core::host::BlockBackend;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The drive that an image is for.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum MediumKind {
    /// A floppy disk of this geometry.
    Floppy(Geometry),
    /// A hard disk.
    HardDisk,
    /// A CD-ROM.
    Cdrom,
}

/// How an image is used.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct OpenOptions {
    /// The machine shall find the medium write protected.
    pub read_only: bool,
    /// What the machine writes is kept in memory and forgotten at the end.
    pub snapshot: bool,
}

/// Why an image cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// No such file.
    #[error("{0}: there is no such file; check the path")]
    NotFound(PathBuf),
    /// A directory.
    #[error("{0}: is a directory, not a disk image; name a file")]
    Directory(PathBuf),
    /// A pipe, socket or terminal.
    #[error("{0}: is no regular file or block device; a disk image must be one")]
    NotAFile(PathBuf),
    /// No permission to read.
    #[error("{0}: cannot be read: permission denied; check the file's owner and mode")]
    Unreadable(PathBuf),
    /// No permission to write.
    #[error(
        "{0}: cannot be written: permission denied; check its mode, or add ,readonly or ,snapshot"
    )]
    Unwritable(PathBuf),
    /// Nothing in it.
    #[error("{0}: is empty (0 bytes); a disk image has at least one sector of 512 bytes")]
    Empty(PathBuf),
    /// Another machine has it.
    #[error(
        "{0}: is in use by another machine (or another drive of this one); stop that one, or add ,snapshot on both sides"
    )]
    InUse(PathBuf),
    /// Not raw.
    #[error(
        "{path}: is a {format} image, and only raw images can be used; convert it with: \
         qemu-img convert -O raw {path} disk.img"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// What it is.
        format: &'static str,
    },
    /// No floppy of that size.
    #[error(
        "{path}: {bytes} bytes are no floppy disk's size (known are 160K, 180K, 320K, 360K, 720K, 1200K, 1440K, \
         1680K, 1722K and 2880K); is the file cut short?"
    )]
    FloppySize {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// Too small for a hard disk.
    #[error(
        "{path}: {bytes} bytes are neither a floppy disk's size nor whole sectors of a hard disk; is the file cut \
         short?"
    )]
    OddSize {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// No CD.
    #[error(
        "{0}: is no CD-ROM image (no ISO 9660 volume descriptor in sector 16); give it as a floppy or hard disk"
    )]
    NotACdrom(PathBuf),
    /// Anything else.
    #[error("{path}: cannot be used as a disk image: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Where ISO 9660 (section 8.1) puts the standard identifier of the first volume descriptor.
const ISO_IDENTIFIER: (u64, &[u8]) = (0x8001, b"CD001");
/// Bytes of a CD-ROM sector.
const CD_SECTOR_BYTES: u64 = 2048;
/// Larger than any floppy disk: what is larger is a hard disk.
const FLOPPY_MAX_BYTES: u64 = 2880 * 1024;

/// Signatures of other formats: offset, bytes, name.
const FOREIGN: [(u64, &[u8], &str); 6] = [
    (0, b"QFI\xFB", "qcow"),
    (0, b"KDMV", "VMDK"),
    (0, b"# Disk DescriptorFile", "VMDK"),
    (0, b"conectix", "VHD"),
    (0, b"vhdxfile", "VHDX"),
    (0x40, b"\x7F\x10\xDA\xBE", "VDI"),
];

fn io_error(path: &Path, source: io::Error) -> MediaError {
    let path = path.to_path_buf();
    match source.kind() {
        io::ErrorKind::NotFound => MediaError::NotFound(path),
        io::ErrorKind::PermissionDenied => MediaError::Unreadable(path),
        io::ErrorKind::IsADirectory => MediaError::Directory(path),
        _ => MediaError::Io { path, source },
    }
}

fn is_block_device(kind: std::fs::FileType) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::FileTypeExt::is_block_device(&kind);
    #[cfg(not(unix))]
    {
        let _ = kind;
        false
    }
}

/// Opens a file and tells its size. Files that would block or make no sense are refused before they are opened.
fn open_file(path: &Path, write: bool) -> Result<(File, u64), MediaError> {
    let kind = std::fs::metadata(path)
        .map_err(|e| io_error(path, e))?
        .file_type();
    if kind.is_dir() {
        return Err(MediaError::Directory(path.into()));
    }
    if !kind.is_file() && !is_block_device(kind) {
        return Err(MediaError::NotAFile(path.into()));
    }
    let mut file = File::options()
        .read(true)
        .write(write)
        .open(path)
        .map_err(|e| match e.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem if write => {
                MediaError::Unwritable(path.into())
            }
            _ => io_error(path, e),
        })?;
    let bytes = file.seek(SeekFrom::End(0)).map_err(|e| io_error(path, e))?;
    if bytes == 0 {
        return Err(MediaError::Empty(path.into()));
    }
    Ok((file, bytes))
}

/// What stands at an offset; `None` if the file ends before.
fn bytes_at(file: &mut File, offset: u64, len: usize) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = vec![0; len];
    file.seek(SeekFrom::Start(offset))?;
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(e) => Err(e),
    }
}

fn stands_at(file: &mut File, offset: u64, wanted: &[u8]) -> io::Result<bool> {
    Ok(bytes_at(file, offset, wanted.len())?.is_some_and(|found| found == wanted))
}

fn refuse_foreign(path: &Path, file: &mut File) -> Result<(), MediaError> {
    for (offset, signature, format) in FOREIGN {
        if stands_at(file, offset, signature).map_err(|e| io_error(path, e))? {
            return Err(MediaError::Format {
                path: path.into(),
                format,
            });
        }
    }
    Ok(())
}

/// Tells for which drive an image is meant: ISO 9660 is a CD-ROM (hybrid images too), a floppy format's size is a
/// floppy disk, anything larger a hard disk.
pub fn recognise(path: &Path) -> Result<MediumKind, MediaError> {
    let (mut file, bytes) = open_file(path, false)?;
    refuse_foreign(path, &mut file)?;
    let (offset, identifier) = ISO_IDENTIFIER;
    if stands_at(&mut file, offset, identifier).map_err(|e| io_error(path, e))? {
        return Ok(MediumKind::Cdrom);
    }
    if let Some(geometry) = Geometry::for_bytes(bytes) {
        return Ok(MediumKind::Floppy(geometry));
    }
    let boot_sector = stands_at(&mut file, 510, &[0x55, 0xAA]).map_err(|e| io_error(path, e))?;
    if bytes > FLOPPY_MAX_BYTES || (boot_sector && has_partition(path, &mut file)?) {
        return Ok(MediumKind::HardDisk);
    }
    floppy_geometry(path, &mut file, bytes).map(MediumKind::Floppy)
}

/// The geometry of a floppy image. A bootable image without the unused sectors at its end (GRUB's rescue disk is one)
/// is taken for the larger format that it was cut from; but not if its own BIOS parameter block says that something is
/// missing.
fn floppy_geometry(path: &Path, file: &mut File, bytes: u64) -> Result<Geometry, MediaError> {
    if let Some(geometry) = Geometry::for_bytes(bytes) {
        return Ok(geometry);
    }
    let refused = || MediaError::FloppySize {
        path: path.into(),
        bytes,
    };
    let boot = bytes_at(file, 0, 512).map_err(|e| io_error(path, e))?;
    let boot = boot.ok_or_else(refused)?;
    if !bytes.is_multiple_of(512) || boot[510..] != [0x55, 0xAA] {
        return Err(refused());
    }
    let word = |at: usize| u64::from(u16::from_le_bytes([boot[at], boot[at + 1]]));
    let (bytes_per_sector, total) = (word(11), word(19));
    if bytes_per_sector == 512 && total * 512 > bytes {
        return Err(refused());
    }
    [1440 * 1024, 2880 * 1024]
        .into_iter()
        .find(|whole| bytes <= *whole)
        .and_then(Geometry::for_bytes)
        .ok_or_else(refused)
}

/// Whether the first sector holds a partition table: an entry with a type, and no status but 00h or 80h.
fn has_partition(path: &Path, file: &mut File) -> Result<bool, MediaError> {
    let table = bytes_at(file, 446, 64).map_err(|e| io_error(path, e))?;
    let Some(table) = table else {
        return Ok(false);
    };
    let entries = || table.chunks_exact(16);
    Ok(entries().all(|e| e[0] & 0x7F == 0) && entries().any(|e| e[4] != 0))
}

/// Opens an image for a drive.
///
/// A hard disk's or CD-ROM's file may end inside a sector: the rest of that sector reads as zeros, and appears in the
/// file once the machine writes it.
pub fn open(
    path: &Path,
    kind: DriveSlot,
    options: OpenOptions,
) -> Result<Box<dyn BlockBackend>, MediaError> {
    let read_only = options.read_only || kind == DriveSlot::Cdrom;
    let writes_file = !read_only && !options.snapshot;
    let (mut file, bytes) = open_file(path, writes_file)?;
    refuse_foreign(path, &mut file)?;
    let mut bytes = bytes;
    match kind {
        DriveSlot::Floppy => bytes = floppy_geometry(path, &mut file, bytes)?.bytes(),
        DriveSlot::HardDisk if bytes < 512 => {
            return Err(MediaError::OddSize {
                path: path.into(),
                bytes,
            });
        }
        DriveSlot::Cdrom => {
            let (offset, identifier) = ISO_IDENTIFIER;
            if !stands_at(&mut file, offset, identifier).map_err(|e| io_error(path, e))? {
                return Err(MediaError::NotACdrom(path.into()));
            }
        }
        _ => {}
    }
    // Readers share; a writer is alone. A writer may well start while another machine only reads what it has in
    // memory, but then both would see each other's changes: so readers exclude it too.
    let locked = if writes_file {
        file.try_lock()
    } else {
        file.try_lock_shared()
    };
    match locked {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(MediaError::InUse(path.into())),
        // A file system without locks: nothing to hold on to.
        Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => {
            tracing::warn!(target: "media", "{}: cannot be locked: {e}", path.display());
        }
        Err(TryLockError::Error(e)) => return Err(io_error(path, e)),
    }
    let unit = if kind == DriveSlot::Cdrom {
        CD_SECTOR_BYTES
    } else {
        512
    };
    let image = RawImage::new(
        file,
        path.display().to_string(),
        bytes.next_multiple_of(unit) / 512,
        !writes_file,
    );
    Ok(if options.snapshot && !read_only {
        Box::new(Overlay::new(Box::new(image)))
    } else {
        Box::new(image)
    })
}

/// Into which drive an image is put.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum DriveSlot {
    /// A floppy drive.
    Floppy,
    /// A hard disk.
    HardDisk,
    /// A CD-ROM drive.
    Cdrom,
}

impl From<MediumKind> for DriveSlot {
    fn from(kind: MediumKind) -> Self {
        match kind {
            MediumKind::Floppy(_) => Self::Floppy,
            MediumKind::HardDisk => Self::HardDisk,
            MediumKind::Cdrom => Self::Cdrom,
        }
    }
}
