//! The VGA BIOS: an expansion ROM at C000:0000 for a VGA with the Bochs display interface (DISPI).
//!
//! Written from IBM's "Personal System/2 and Personal Computer BIOS Interface Technical Reference"
//! (INT 10h, save pointer table, video parameters), the "VGA" part of the "PS/2 Hardware Interface Technical
//! Reference" (registers), VESA's "VBE Core Functions Standard 2.0" and the public description of the
//! Bochs display interface (index port 1CEh, data port 1CFh).
//!
//! * INT 10h functions 00h-13h, 1Ah-1Ch in all standard modes (0-7, 0Dh-13h) and VBE functions
//!   4F00h-4F0Ah. INT 42h is set to the system BIOS' old video entry, INT 1Fh and 43h to the fonts.
//! * The code is relocatable in 64 KiB steps: all its data is addressed through CS. It needs an 80386 or
//!   later. It keeps no data of its own: the BIOS data area and the chip's registers are the state.
//! * A VBE mode stands in the BIOS data area as mode 7Fh; 4F03h derives its number from the chip.
//! * Text output, scrolling and pixels work in VBE modes too, through the 64 KiB window at A000h.
//!
//! **Not implemented**: the alphanumeric, graphics and palette override tables of the save pointer table
//! (the video parameter table is honoured); the light pen (no VGA has one); INT 10h function 12h
//! with BL=35h (switching between two displays: the call answers that it is supported and does
//! nothing, as on a machine with one display); VBE text modes 108h-10Ch; VBE 4F10h (display power) and 4F15h
//! (DDC): the Bochs display interface has neither, the calls answer "not supported".
//!
//! **Known inaccuracies**: for a glyph of mode 13h and of VBE modes, functions 09h and 0Ah do not wrap at the
//! right edge other than by going on with the next scan lines; a VBE mode number that asks for its own CRTC timing
//! (bit 11) is set with the standard timing.

pub(crate) mod character;
pub(crate) mod charset;
pub(crate) mod cursor;
pub(crate) mod entry;
pub(crate) mod font_8x14;
pub(crate) mod font_8x16;
pub(crate) mod font_8x8;
pub(crate) mod glyph;
pub(crate) mod modes;
pub(crate) mod palette;
pub(crate) mod pixel;
pub(crate) mod scroll;
pub(crate) mod select;
pub(crate) mod set_mode;
pub(crate) mod state;
pub(crate) mod vbe;
pub(crate) mod vbe_modes;
pub(crate) mod vbe_window;

#[cfg(test)]
mod tests;

/// The whole assembly text of the image; `crate::image` assembles it.
macro_rules! listing {
    () => {
        concat!(
            "rom_begin vga\n",
            ".set vga_0, .Lboxwood_vga_origin\n",
            $crate::vga::entry::text!(),
            $crate::vga::set_mode::text!(),
            $crate::vga::cursor::text!(),
            $crate::vga::scroll::text!(),
            $crate::vga::character::text!(),
            $crate::vga::glyph::text!(),
            $crate::vga::pixel::text!(),
            $crate::vga::palette::text!(),
            $crate::vga::charset::text!(),
            $crate::vga::select::text!(),
            $crate::vga::state::text!(),
            $crate::vga::vbe::text!(),
            $crate::vga::vbe_window::text!(),
            $crate::vga::vbe_modes::text!(),
            $crate::vga::modes::text!(),
            $crate::vga::font_8x16::text!(),
            $crate::vga::font_8x14::text!(),
            $crate::vga::font_8x8::text!(),
            "    .balign 512, 0\nvga_end:\n",
            "rom_end vga\n",
        )
    };
}
pub(crate) use listing;
