//! Firmware images: ours, or a file's.

use crate::spec::{RomSource, SpecError};
use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

/// The largest system BIOS: what the address space below 4 GiB has room for.
const BIOS_MAX_BYTES: u64 = 16 << 20;
/// The largest VGA BIOS: C0000h to CFFFFh.
const VGABIOS_MAX_BYTES: u64 = 64 << 10;
const KIB64: u64 = 64 << 10;

fn read(what: &'static str, path: &Path, max: u64) -> Result<Vec<u8>, SpecError> {
    let unreadable = |reason| SpecError::RomUnreadable {
        what,
        path: path.to_path_buf(),
        reason,
    };
    // A pipe would keep us waiting.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(unreadable(std::io::Error::other("it is no regular file")));
    }
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    // One byte more than fits, so that a file that is too long is noticed without reading all of it.
    file.take(max + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    Ok(bytes)
}

fn wrong_size(what: &'static str, path: &Path, bytes: u64, rule: &'static str) -> SpecError {
    SpecError::RomSize {
        what,
        path: path.to_path_buf(),
        bytes,
        rule,
    }
}

/// The system BIOS.
pub fn bios(source: &RomSource) -> Result<Cow<'static, [u8]>, SpecError> {
    let RomSource::File(path) = source else {
        return Ok(Cow::Borrowed(bios::system_image()));
    };
    let bytes = read("BIOS", path, BIOS_MAX_BYTES)?;
    let n = bytes.len() as u64;
    if n == 0 || n > BIOS_MAX_BYTES || !n.is_multiple_of(KIB64) {
        let rule = "it must be a multiple of 64 KiB and no more than 16 MiB";
        return Err(wrong_size("BIOS", path, n, rule));
    }
    Ok(Cow::Owned(bytes))
}

/// The VGA BIOS.
pub fn vgabios(source: &RomSource) -> Result<Cow<'static, [u8]>, SpecError> {
    let RomSource::File(path) = source else {
        return Ok(Cow::Borrowed(bios::vga_image()));
    };
    let bytes = read("VGA BIOS", path, VGABIOS_MAX_BYTES)?;
    let n = bytes.len() as u64;
    if n > VGABIOS_MAX_BYTES || bytes.get(..2) != Some(&[0x55, 0xAA]) {
        let rule = "it must begin with the bytes 55h AAh and have no more than 64 KiB";
        return Err(wrong_size("VGA BIOS", path, n, rule));
    }
    Ok(Cow::Owned(bytes))
}
