//! The ROM header, its start-up code, and the way into and out of INT 10h.

macro_rules! text {
    () => {
        r##"
# BIOS data area, segment 40h (PS/2 BIOS Interface Technical Reference, section 3).
    .set vga_bda_equipment, 0x10   # bits 5-4: 10 colour 80x25, 11 monochrome
    .set vga_bda_mode, 0x49
    .set vga_bda_columns, 0x4a     # word
    .set vga_bda_page_size, 0x4c   # word, bytes
    .set vga_bda_page_start, 0x4e  # word, bytes
    .set vga_bda_cursor, 0x50      # 8 words: row, column
    .set vga_bda_shape, 0x60       # word: start line, end line
    .set vga_bda_page, 0x62
    .set vga_bda_crtc, 0x63        # word: 3D4h or 3B4h
    .set vga_bda_mode_reg, 0x65    # CGA mode control register, for programs that look
    .set vga_bda_palette, 0x66     # CGA colour select register, for programs that look
    .set vga_bda_rows, 0x84        # rows - 1
    .set vga_bda_height, 0x85      # word: scan lines a character
    .set vga_bda_info, 0x87        # bit 7 memory kept, 6-5 memory size, 3 inactive, 1 mono display, 0 no cursor emulation
    .set vga_bda_switches, 0x88
    .set vga_bda_control, 0x89     # bits 7,4: 00 350, 01 400, 10 200 lines; 3 no default palette, 2 mono display, 1 gray, 0 VGA
    .set vga_bda_dcc, 0x8a         # index into the display combination table
    .set vga_bda_save_ptr, 0xa8    # dword

# What a caller's registers look like while a function runs: 8(%bp) and up are PUSHAL's.
    .set vga_gs, 0
    .set vga_fs, 2
    .set vga_es, 4
    .set vga_ds, 6
    .set vga_di, 8
    .set vga_si, 12
    .set vga_bp, 16
    .set vga_bx, 24
    .set vga_bl, 24
    .set vga_bh, 25
    .set vga_dx, 28
    .set vga_dl, 28
    .set vga_dh, 29
    .set vga_cx, 32
    .set vga_cl, 32
    .set vga_ch, 33
    .set vga_ax, 36
    .set vga_al, 36
    .set vga_ah, 37
    .set vga_locals, 64            # bytes below %bp for the function's own use

vga_start:
    .byte 0x55, 0xaa
    .byte (vga_end-vga_0)/512
    jmp vga_init
    .org vga_0 + 0x18
    .word vga_pcir-vga_0           # PCI data structure
    .word 0                        # no PnP header
    .org vga_0 + 0x1e
    .ascii "IBM compatible Boxwood VGA BIOS"   # old software looks for "IBM" here
    .byte 0
vga_checksum:
    .byte 0
    rom_checksum vga, vga_start, vga_end, vga_checksum

# PCI data structure, PCI Firmware Specification 3.0, section 5.1.
    .balign 4
vga_pcir:
    .ascii "PCIR"
    .word 0x1234, 0x1111           # the standard VGA's identification
    .word 0                        # no vital product data
    .word 0x18                     # length of this structure
    .byte 0                        # revision
    .byte 0x00, 0x00, 0x03         # class: display, VGA compatible
    .word (vga_end-vga_0)/512
    .word 0x0001                   # revision of the code
    .byte 0                        # PC-AT code
    .byte 0x80                     # the last image
    .word 0

# Far call from the system BIOS after it has found the ROM.
vga_init:
    pushal
    pushw %ds
    pushw %es
    cld
    xorw %ax, %ax
    movw %ax, %ds
    cli
    # The system BIOS' INT 10h becomes INT 42h.
    movl $0xf000f065, 0x42*4
    movw $vga_int10-vga_0, 0x10*4
    movw %cs, 0x10*4+2
    movw $vga_font_8x8_upper-vga_0, 0x1f*4
    movw %cs, 0x1f*4+2
    movw $vga_font_8x16-vga_0, 0x43*4
    movw %cs, 0x43*4+2
    movw $0x40, %ax
    movw %ax, %ds
    movb $0x60, vga_bda_info       # 256 KiB, cursor emulation on
    movb $0xf9, vga_bda_switches   # switches: enhanced colour display
    movb $0x51, vga_bda_control    # 400 lines, VGA active, display switching on
    movb $0x0b, vga_bda_dcc        # VGA with colour display
    movw $vga_save_pointers-vga_0, vga_bda_save_ptr
    movw %cs, vga_bda_save_ptr+2
    andb $0xcf, vga_bda_equipment
    orb $0x20, vga_bda_equipment
    # Enable the chip: video subsystem enable 3C3h, colour addresses.
    movw $0x3c3, %dx
    movb $1, %al
    outb %al, %dx
    movw $0x3c2, %dx
    movb $0x67, %al
    outb %al, %dx
    sti
    movw $0x0003, %ax
    int $0x10
    popw %es
    popw %ds
    popal
    lretw

# INT 10h. The handler is called with the caller's registers (but BP: the frame), DS = 40h.
vga_int10:
    sti
    cld
    pushal
    pushw %ds
    pushw %es
    pushw %fs
    pushw %gs
    movw %sp, %bp
    subw $vga_locals, %sp
    pushw $0x40
    popw %ds
    cmpb $0x1c, %ah
    ja 1f
    movzbw %ah, %si
    addw %si, %si
    movw %cs:vga_functions-vga_0(%si), %si
    pushw $vga_out-vga_0
    pushw %si
    movw vga_si(%bp), %si
    retw
1:  cmpb $0x4f, %ah
    jne vga_out
    callw vga_vbe
vga_out:
    movw %bp, %sp
    popw %gs
    popw %fs
    popw %es
    popw %ds
    popal
    iretw

vga_none:
    retw

    .balign 2
vga_functions:
    .word vga_f00-vga_0, vga_f01-vga_0, vga_f02-vga_0, vga_f03-vga_0
    .word vga_f04-vga_0, vga_f05-vga_0, vga_f06-vga_0, vga_f07-vga_0
    .word vga_f08-vga_0, vga_f09-vga_0, vga_f0a-vga_0, vga_f0b-vga_0
    .word vga_f0c-vga_0, vga_f0d-vga_0, vga_f0e-vga_0, vga_f0f-vga_0
    .word vga_f10-vga_0, vga_f11-vga_0, vga_f12-vga_0, vga_f13-vga_0
    .word vga_none-vga_0, vga_none-vga_0, vga_none-vga_0, vga_none-vga_0
    .word vga_none-vga_0, vga_none-vga_0, vga_f1a-vga_0, vga_f1b-vga_0
    .word vga_f1c-vga_0

    rom_symbol vga, vga_init
    rom_symbol vga, vga_int10
    rom_symbol vga, vga_out
    rom_symbol vga, vga_functions
    rom_symbol vga, vga_program
    rom_symbol vga, vga_vbe
    rom_symbol vga, vga_parameters
    rom_symbol vga, vga_vbe_modes
    rom_symbol vga, vga_font_8x8
    rom_symbol vga, vga_font_8x14
    rom_symbol vga, vga_font_8x16

# The kind of the current mode in SI, ready to index a table of words.
    .set vga_kind_text, 0
    .set vga_kind_cga4, 2          # modes 4 and 5: two bits a pixel
    .set vga_kind_cga2, 4          # mode 6: one bit a pixel
    .set vga_kind_planar, 6        # modes 0Dh-12h
    .set vga_kind_chain4, 8        # mode 13h
    .set vga_kind_packed, 10       # VBE, 1 to 4 bytes a pixel, banked
    .set vga_kind_planes, 12       # VBE, 4 planes, banked
    .set vga_mode_vbe, 0x7f        # BIOS data area's mode number of every VBE mode
vga_kind:
    movzbw vga_bda_mode, %si
    cmpw $0x13, %si
    ja 1f
    movzbw %cs:vga_kinds-vga_0(%si), %si
    retw
1:  pushw %ax
    movw $vga_dispi_bpp, %ax
    callw vga_dispi_read
    movw $vga_kind_packed, %si
    cmpw $4, %ax
    jne 2f
    movw $vga_kind_planes, %si
2:  popw %ax
    retw
vga_kinds:
    .byte 0, 0, 0, 0, 2, 2, 4, 0, 0, 0, 0, 0, 0, 6, 6, 6, 6, 6, 6, 8

# ES = the segment of text memory.
vga_text_segment:
    pushw $0xb800
    popw %es
    cmpb $7, vga_bda_mode
    jne 1f
    pushw $0xb000
    popw %es
1:  retw
"##
    };
}
pub(crate) use text;
