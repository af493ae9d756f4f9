//! The system BIOS: 64 KiB at F0000 (and the same bytes below 4 GiB), for a board of the i440FX, PIIX3 and
//! PIIX4 kind; on one without PCI it runs from its ROM.
//!
//! Conventions of the code: real mode, code segment F000, `F` is the start of the image and `label - F` an
//! offset in the segment. It never writes to its own segment after POST and keeps its variables in the BIOS
//! data area and the extended BIOS data area. Services run on the caller's stack; `frame` (file `layout`)
//! puts the caller's registers where BP points. Needs a 386 or later.

pub(crate) mod acpi;
pub(crate) mod apm;
pub(crate) mod ata;
pub(crate) mod boot;
pub(crate) mod cdrom;
pub(crate) mod chips;
pub(crate) mod clock;
pub(crate) mod console;
pub(crate) mod disk;
pub(crate) mod entry;
pub(crate) mod exception;
pub(crate) mod floppy;
pub(crate) mod keyboard;
pub(crate) mod keymap;
pub(crate) mod layout;
pub(crate) mod memory;
pub(crate) mod mouse;
pub(crate) mod option_rom;
pub(crate) mod pci;
pub(crate) mod pci_bios;
pub(crate) mod ports;
pub(crate) mod post;
pub(crate) mod services;
pub(crate) mod tables;

/// The whole assembly text of the image; `crate::image` assembles it.
macro_rules! listing {
    () => {
        concat!(
            "rom_begin system\n",
            ".set F, .Lboxwood_system_origin\n",
            $crate::system::layout::text!(),
            $crate::system::post::text!(),
            $crate::system::memory::text!(),
            $crate::system::console::text!(),
            $crate::system::chips::text!(),
            $crate::system::exception::text!(),
            $crate::system::clock::text!(),
            $crate::system::keyboard::text!(),
            $crate::system::keymap::text!(),
            $crate::system::mouse::text!(),
            $crate::system::ports::text!(),
            $crate::system::services::text!(),
            $crate::system::apm::text!(),
            $crate::system::pci::text!(),
            $crate::system::pci_bios::text!(),
            $crate::system::option_rom::text!(),
            $crate::system::acpi::text!(),
            $crate::system::floppy::text!(),
            $crate::system::ata::text!(),
            $crate::system::disk::text!(),
            $crate::system::cdrom::text!(),
            $crate::system::boot::text!(),
            $crate::system::tables::text!(),
            $crate::system::entry::text!(),
            "rom_end system\n",
        )
    };
}
pub(crate) use listing;
