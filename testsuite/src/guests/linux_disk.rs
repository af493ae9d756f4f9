//! A hard disk with a Linux kernel and its RAM disk, which SYSLINUX or another boot loader starts.

use super::disk::{self, BootCode, Layout, MCOPY};
use super::linux::{COMMAND_LINE, KERNEL_FILE, RAM_DISK_FILE};
use super::package::PackageFile;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;

/// SYSLINUX's installer; it writes with mtools.
pub const SYSLINUX: PackageFile = PackageFile {
    package: "syslinux",
    path: "/usr/bin/syslinux",
};

/// 32 MiB that sector numbers reach.
const LAYOUT: Layout = Layout {
    sectors: 64 * 16 * 63,
    start_sector: 63,
    partition_sectors: 64 * 16 * 63 - 64,
    partition_type: 0x0E,
    fat_bits: 16,
    sectors_per_cluster: 4,
    boot_code: BootCode::Fat16,
};

/// Makes the disk, with SYSLINUX if that shall start it.
pub fn make(kernel: &Path, ram_disk: &[u8], syslinux: bool, disk: &Path) -> Result<()> {
    LAYOUT.make_empty(disk)?;
    let volume = LAYOUT.volume();
    volume.write(disk, KERNEL_FILE, &std::fs::read(kernel)?)?;
    volume.write(disk, RAM_DISK_FILE, ram_disk)?;
    if !syslinux {
        return Ok(());
    }
    let configuration = format!(
        "DEFAULT linux\nLABEL linux\nKERNEL {KERNEL_FILE}\nINITRD {RAM_DISK_FILE}\nAPPEND {COMMAND_LINE}\n"
    );
    volume.write(disk, "syslinux.cfg", configuration.as_bytes())?;
    let mtools = MCOPY.find()?;
    let folder = mtools.parent().context("mcopy has no folder")?;
    let mut path = folder.as_os_str().to_os_string();
    if let Some(rest) = std::env::var_os("PATH") {
        path.push(":");
        path.push(rest);
    }
    disk::run(
        Command::new(SYSLINUX.find()?)
            .env("PATH", path)
            .args(["--install", "--offset"])
            .arg(volume.start_byte.to_string())
            .arg(disk),
    )?;
    Ok(())
}
