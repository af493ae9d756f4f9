//! The disk that runs cases.

use super::case::Case;
use super::layout::{CASES_BYTES_MAX, RUNTIME_BYTES};
use super::runtime;
use super::sandbox::Sandbox;
use anyhow::{Result, ensure};

/// Disks have whole cylinders of 16 heads and 63 sectors.
const CYLINDER_BYTES: usize = 16 * 63 * 512;

/// A bootable hard disk with these cases.
pub fn disk(cases: &[Case], pristine: &Sandbox) -> Result<Vec<u8>> {
    let mut data = pristine.bytes().to_vec();
    for case in cases {
        let words = case.encode(pristine);
        data.extend(words.into_iter().flat_map(u32::to_le_bytes));
    }
    data.extend([0; 4]);
    ensure!(data.len() <= CASES_BYTES_MAX, "too many cases for a disk");
    let mut disk = runtime::boot_sector(data.len())?;
    disk.extend(runtime::runtime()?);
    ensure!(disk.len() == 512 + RUNTIME_BYTES as usize, "the runtime");
    disk.extend(data);
    // Reads are done in chunks: what is behind must exist.
    let bytes = (disk.len() + 0x8000).next_multiple_of(CYLINDER_BYTES);
    disk.resize(bytes, 0);
    Ok(disk)
}
