//! The last 8 KiB: entry points and tables at the addresses where the IBM PC AT BIOS has them (IBM PC AT
//! Technical Reference, "ROM BIOS listings, compatibility section"), the reset vector, date and model byte.

macro_rules! text {
    () => {
        r##"
# A near jump backwards over more than 32 KiB: IP wraps at 64 KiB.
.macro jump target
    .byte 0xe9
    .word \target - 1f + 0x10000
1:
.endm
.macro at address, name
.org F + \address
\name:
    rom_symbol system, \name
.endm
    at 0xe05b, reset_entry
    jump post
    at 0xe2c3, nmi_entry
    jump int02
    at 0xe3fe, int13_entry
    jump int13_body
    # Fixed disk parameter table of a drive that the AT called type 1; INT 41h points at the real ones.
    at 0xe401, fixed_disk_parameter_table
    .word 306
    .byte 4
    .word 0, 128
    .byte 0, 0, 0, 0, 0
    .word 305
    .byte 17, 0
    at 0xe6f2, int19_entry
    jump int19_body
    at 0xe6f5, configuration_table
    .word 8
    .byte 0xfc, 0x01, 0x00
    # Second 8259A, clock, keyboard intercept (4Fh), extended BIOS data area.
    .byte 0x74
    .byte 0x40                  # INT 16h AH=09h
    .byte 0x00, 0x00, 0x00
    at 0xe739, int14_entry
    jump int14_body
    at 0xe82e, int16_entry
    jump int16_body
    at 0xe987, int09_entry
    jump int09_body
    at 0xec59, int40
    jump int13_floppy_body
    at 0xef57, int0e_entry
    jump int0e_body
    at 0xefc7, diskette_parameter_table
    .byte 0xaf, 0x02, 0x25, 0x02, 18, 0x1b, 0xff, 0x6c, 0xf6, 0x0f, 0x04
    at 0xefd2, int17_entry
    jump int17_body
    at 0xf065, int10_entry
    iretw
    # Video parameters of the monochrome and colour adapters: 6845 registers for 40x25, 80x25, graphics and
    # monochrome, page sizes, columns, mode registers.
    at 0xf0a4, video_parameters
    .byte 0x38, 0x28, 0x2d, 0x0a, 0x1f, 0x06, 0x19, 0x1c, 0x02, 0x07, 0x06, 0x07, 0, 0, 0, 0
    .byte 0x71, 0x50, 0x5a, 0x0a, 0x1f, 0x06, 0x19, 0x1c, 0x02, 0x07, 0x06, 0x07, 0, 0, 0, 0
    .byte 0x38, 0x28, 0x2d, 0x0a, 0x7f, 0x06, 0x64, 0x70, 0x02, 0x01, 0x06, 0x07, 0, 0, 0, 0
    .byte 0x61, 0x50, 0x52, 0x0f, 0x19, 0x06, 0x19, 0x19, 0x02, 0x0d, 0x0b, 0x0c, 0, 0, 0, 0
    .word 0x0800, 0x1000, 0x4000, 0x4000
    .byte 40, 40, 80, 80, 40, 40, 80, 80
    .byte 0x2c, 0x28, 0x2d, 0x29, 0x2a, 0x2e, 0x1e, 0x29
    at 0xf841, int12_entry
    jump int12_body
    at 0xf84d, int11_entry
    jump int11_body
    at 0xf859, int15_entry
    jump int15_body
    # Characters 00h-7Fh, 8 by 8: copied from the VGA BIOS's set when the image is built.
    at 0xfa6e, font_8x8
    .skip 1024
font_8x8_end:
    at 0xfe6e, int1a_entry
    jump int1a_body
    at 0xfea5, int08_entry
    jump int08_body
    at 0xfef3, vector_table
    .word int08_entry - F, int09_entry - F, int_master_unclaimed - F, int_master_unclaimed - F
    .word exception_0c - F, exception_0d - F, int0e_entry - F, int_master_unclaimed - F
    .word int10_entry - F, int11_entry - F, int12_entry - F, int13_entry - F
    .word int14_entry - F, int15_entry - F, int16_entry - F, int17_entry - F
    .word int18_entry - F, int19_entry - F, int1a_entry - F, dummy_iret - F
    .word dummy_iret - F, video_parameters - F, diskette_parameter_table - F, dummy_iret - F
vector_table_70:
    .word int70 - F, int71 - F, int_slave_unclaimed - F, int_slave_unclaimed - F
    .word int74 - F, int75 - F, int76 - F, int76 - F
int18_entry:
    jump int18_body
    at 0xff53, dummy_iret
    iretw
    at 0xff54, int05
    jump int05_body
    at 0xfff0, reset_vector
    .byte 0xea
    .word 0xe05b, 0xf000
    at 0xfff5, release_date
    .ascii "11/21/26"
    .byte 0
    at 0xfffe, model_byte
    .byte 0xfc
    .byte 0
"##
    };
}
pub(crate) use text;
