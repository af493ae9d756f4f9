//! The firmware that guests are booted with.

use super::package::PackageFile;
use anyhow::Result;
use std::ffi::OsString;

/// A system BIOS and a VGA BIOS.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Firmware {
    pub name: &'static str,
    /// The option and the file; none for what boxwood brings itself.
    pub roms: &'static [(&'static str, PackageFile)],
}

/// What boxwood brings itself.
pub const OURS: Firmware = Firmware {
    name: "Boxwood",
    roms: &[],
};

/// SeaBIOS and its VGA BIOS.
pub const SEABIOS: Firmware = Firmware {
    name: "SeaBIOS",
    roms: &[
        (
            "--bios",
            PackageFile {
                package: "seabios",
                path: "/usr/share/seabios/bios.bin",
            },
        ),
        (
            "--vgabios",
            PackageFile {
                package: "seabios",
                path: "/usr/share/seabios/vgabios-stdvga.bin",
            },
        ),
    ],
};

/// Bochs' BIOS and the VGA BIOS that goes with it.
pub const BOCHS: Firmware = Firmware {
    name: "Bochs BIOS",
    roms: &[
        (
            "--bios",
            PackageFile {
                package: "bochsbios",
                path: "/usr/share/bochs/BIOS-bochs-latest",
            },
        ),
        (
            "--vgabios",
            PackageFile {
                package: "vgabios",
                path: "/usr/share/vgabios/vgabios.bin",
            },
        ),
    ],
};

impl Firmware {
    /// The options that choose it.
    pub fn options(self) -> Result<Vec<OsString>> {
        let mut options = Vec::new();
        for (option, file) in self.roms {
            options.push((*option).into());
            options.push(file.find()?.into());
        }
        Ok(options)
    }
}
