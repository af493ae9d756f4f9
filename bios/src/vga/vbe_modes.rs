//! The VBE modes: VESA's numbers 100h-11Bh, and from 11Ch on those that users of the Bochs display interface know.

macro_rules! text {
    () => {
        r##"
    .macro vga_vbe_mode number, x, y, bits
    .word \number, \x, \y, \bits
    .endm
    .balign 4
vga_vbe_modes:
    vga_vbe_mode 0x100, 640, 400, 8
    vga_vbe_mode 0x101, 640, 480, 8
    vga_vbe_mode 0x102, 800, 600, 4
    vga_vbe_mode 0x103, 800, 600, 8
    vga_vbe_mode 0x104, 1024, 768, 4
    vga_vbe_mode 0x105, 1024, 768, 8
    vga_vbe_mode 0x106, 1280, 1024, 4
    vga_vbe_mode 0x107, 1280, 1024, 8
    vga_vbe_mode 0x10d, 320, 200, 15
    vga_vbe_mode 0x10e, 320, 200, 16
    vga_vbe_mode 0x10f, 320, 200, 24
    vga_vbe_mode 0x110, 640, 480, 15
    vga_vbe_mode 0x111, 640, 480, 16
    vga_vbe_mode 0x112, 640, 480, 24
    vga_vbe_mode 0x113, 800, 600, 15
    vga_vbe_mode 0x114, 800, 600, 16
    vga_vbe_mode 0x115, 800, 600, 24
    vga_vbe_mode 0x116, 1024, 768, 15
    vga_vbe_mode 0x117, 1024, 768, 16
    vga_vbe_mode 0x118, 1024, 768, 24
    vga_vbe_mode 0x119, 1280, 1024, 15
    vga_vbe_mode 0x11a, 1280, 1024, 16
    vga_vbe_mode 0x11b, 1280, 1024, 24
    vga_vbe_mode 0x11c, 1600, 1200, 8
    vga_vbe_mode 0x11d, 1600, 1200, 15
    vga_vbe_mode 0x11e, 1600, 1200, 16
    vga_vbe_mode 0x11f, 1600, 1200, 24
    vga_vbe_mode 0x140, 320, 200, 32
    vga_vbe_mode 0x141, 640, 400, 32
    vga_vbe_mode 0x142, 640, 480, 32
    vga_vbe_mode 0x143, 800, 600, 32
    vga_vbe_mode 0x144, 1024, 768, 32
    vga_vbe_mode 0x145, 1280, 1024, 32
    vga_vbe_mode 0x146, 320, 200, 8
    vga_vbe_mode 0x147, 1600, 1200, 32
    vga_vbe_mode 0x148, 1152, 864, 8
    vga_vbe_mode 0x149, 1152, 864, 15
    vga_vbe_mode 0x14a, 1152, 864, 16
    vga_vbe_mode 0x14b, 1152, 864, 24
    vga_vbe_mode 0x14c, 1152, 864, 32
    vga_vbe_mode 0x178, 1280, 800, 16
    vga_vbe_mode 0x179, 1280, 800, 24
    vga_vbe_mode 0x17a, 1280, 800, 32
    vga_vbe_mode 0x17b, 1280, 960, 16
    vga_vbe_mode 0x17c, 1280, 960, 24
    vga_vbe_mode 0x17d, 1280, 960, 32
    vga_vbe_mode 0x17e, 1440, 900, 16
    vga_vbe_mode 0x17f, 1440, 900, 24
    vga_vbe_mode 0x180, 1440, 900, 32
    vga_vbe_mode 0x181, 1400, 1050, 16
    vga_vbe_mode 0x182, 1400, 1050, 24
    vga_vbe_mode 0x183, 1400, 1050, 32
    vga_vbe_mode 0x184, 1680, 1050, 16
    vga_vbe_mode 0x185, 1680, 1050, 24
    vga_vbe_mode 0x186, 1680, 1050, 32
    vga_vbe_mode 0x187, 1920, 1200, 16
    vga_vbe_mode 0x188, 1920, 1200, 24
    vga_vbe_mode 0x189, 1920, 1200, 32
    vga_vbe_mode 0x18d, 1280, 720, 16
    vga_vbe_mode 0x18e, 1280, 720, 24
    vga_vbe_mode 0x18f, 1280, 720, 32
    vga_vbe_mode 0x190, 1920, 1080, 16
    vga_vbe_mode 0x191, 1920, 1080, 24
    vga_vbe_mode 0x192, 1920, 1080, 32
    .word 0

# Sizes and places of red, green, blue and the rest, by depth.
vga_vbe_masks:
    .byte 5, 10, 5, 5, 5, 0, 1, 15
    .byte 5, 11, 6, 5, 5, 0, 0, 0
    .byte 8, 16, 8, 8, 8, 0, 0, 0
    .byte 8, 16, 8, 8, 8, 0, 8, 24
"##
    };
}
pub(crate) use text;
