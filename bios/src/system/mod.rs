//! The system BIOS: 64 KiB at F0000.

pub(crate) mod entry;

/// The whole assembly text of the image; `crate::image` assembles it.
macro_rules! listing {
    () => {
        concat!(
            "rom_begin system\n",
            ".set F, .Lboxwood_system_origin\n",
            $crate::system::entry::text!(),
            "rom_end system\n",
        )
    };
}
pub(crate) use listing;
