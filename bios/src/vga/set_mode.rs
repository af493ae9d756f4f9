//! Function 00h, set mode, and the default colours.

macro_rules! text {
    () => {
        r##"
# Offsets in an entry of the video parameter table.
    .set vga_par_columns, 0
    .set vga_par_rows, 1
    .set vga_par_height, 2
    .set vga_par_page, 3
    .set vga_par_seq, 5
    .set vga_par_misc, 9
    .set vga_par_crtc, 10
    .set vga_par_attr, 35
    .set vga_par_gfx, 55

# AL = mode, bit 7: keep the memory's content. Returns in AL what several makers' BIOSes do: 20h for modes above 7, 3Fh
# for mode 6, else 30h.
vga_f00:
    movb %al, %bh
    andb $0x7f, %al
    movb %al, %bl
    callw vga_check_mode
    jc 9f
    callw vga_dispi_off
    andb $0x7f, vga_bda_info
    andb $0x80, %bh
    orb %bh, vga_bda_info
    callw vga_program
    movb $0x20, vga_al(%bp)
    cmpb $7, %bl
    ja 9f
    movb $0x30, vga_al(%bp)
    cmpb $6, %bl
    jne 9f
    movb $0x3f, vga_al(%bp)
9:  retw

# Carry if mode BL is none of the standard ones.
vga_check_mode:
    cmpb $0x14, %bl
    cmc
    jb 1f
    pushw %bx
    xorb %bh, %bh
    cmpb $0xff, %cs:vga_parameter_index-vga_0(%bx)
    popw %bx
    je 2f
    clc
1:  retw
2:  stc
    retw

# FS:SI = the parameters of mode BL.
vga_find_parameters:
    pushw %ax
    pushw %bx
    xorb %bh, %bh
    movzbw %cs:vga_parameter_index-vga_0(%bx), %ax
    testb $0x10, vga_bda_control
    jnz 3f                         # 400 lines
    cmpb $7, %bl
    ja 3f
    je 2f
    cmpb $3, %bl
    ja 3f
    movb %bl, %al
    testb $0x80, vga_bda_control
    jnz 3f                         # 200 lines
    addb $0x13, %al                # 350 lines
    jmp 3f
2:  testb $0x80, vga_bda_control
    jnz 3f                         # a monochrome display has no 200 lines
    movb $7, %al
3:  shlw $6, %ax
    lfsw vga_bda_save_ptr, %si
    lfsw %fs:(%si), %si
    addw %ax, %si
    popw %bx
    popw %ax
    retw

# Programs mode BL, loads its colours and fonts, clears the memory, fills in the BIOS data area.
vga_program:
    # The equipment word follows the mode: the one display shows both kinds.
    andb $0xcf, vga_bda_equipment
    movb $0x20, %al
    cmpb $7, %bl
    je 1f
    cmpb $0x0f, %bl
    jne 2f
1:  movb $0x30, %al
2:  orb %al, vga_bda_equipment
    callw vga_find_parameters
    callw vga_program_registers
    callw vga_load_colors
    # BIOS data area.
    movb %bl, vga_bda_mode
    movzbw %fs:vga_par_columns(%si), %ax
    movw %ax, vga_bda_columns
    movw %fs:vga_par_page(%si), %ax
    movw %ax, vga_bda_page_size
    movw $0, vga_bda_page_start
    movb $0, vga_bda_page
    movb %fs:vga_par_rows(%si), %al
    movb %al, vga_bda_rows
    movzbw %fs:vga_par_height(%si), %ax
    movw %ax, vga_bda_height
    movw $0x3d4, %ax
    testb $1, %fs:vga_par_misc(%si)
    jnz 1f
    movb $0xb4, %al
1:  movw %ax, vga_bda_crtc
    pushw %ds
    popw %es
    movw $vga_bda_cursor, %di
    movw $8, %cx
    xorw %ax, %ax
    rep stosw
    # What a CGA's registers would hold.
    movb $0x30, %al
    cmpb $6, %bl
    jne 1f
    movb $0x3f, %al
1:  movb %al, vga_bda_palette
    movb $0x29, %al
    cmpb $7, %bl
    ja 1f
    movzbw %bl, %di
    movb %cs:vga_mode_regs-vga_0(%di), %al
1:  movb %al, vga_bda_mode_reg
    # Cursor shape: CGA's numbers in text modes, which emulation translates; none in graphics.
    xorw %ax, %ax
    movb %fs:vga_par_crtc+10(%si), %ah
    movb %fs:vga_par_crtc+11(%si), %al
    orw %ax, %ax
    jz 1f
    cmpb $7, %bl
    je 1f
    movw $0x0607, %ax
1:  movw %ax, vga_bda_shape
    # Memory.
    testb $0x80, vga_bda_info
    jnz 3f
    callw vga_kind
    movw $0xa000, %ax
    movw $0x8000, %cx
    cmpw $vga_kind_planar, %si
    jae 1f
    movb $0xb8, %ah
    movb $0x40, %ch
    cmpb $7, %bl
    jne 1f
    movb $0xb0, %ah
1:  movw %ax, %es
    movw $0x0720, %ax
    cmpw $vga_kind_text, %si
    je 2f
    xorw %ax, %ax
2:  xorw %di, %di
    rep stosw
3:  # Fonts.
    movb vga_bda_height, %al
    callw vga_font_of_height
    callw vga_set_int43
    callw vga_kind
    cmpw $vga_kind_text, %si
    jne 1f
    pushw %bx
    xorb %bl, %bl
    callw vga_load_rom_font
    popw %bx
1:  # Picture on.
    callw vga_palette_on
    retw

# Registers from FS:SI, with the screen left dark; mode in BL.
vga_program_registers:
    pushw %bx
    pushw %si
    movw %si, %di
    callw vga_attr_reset
    movw $0x3c0, %dx
    xorb %al, %al
    outb %al, %dx                  # palette off: the screen is dark
    # Sequencer, in reset while the clock changes.
    movw $0x3c4, %dx
    movw $0x0100, %ax
    outw %ax, %dx
    leaw vga_par_seq(%di), %si
    movb $1, %bl
1:  lodsb %fs:(%si), %al
    movb %al, %ah
    movb %bl, %al
    outw %ax, %dx
    incb %bl
    cmpb $5, %bl
    jb 1b
    lodsb %fs:(%si), %al
    movb %al, %bh                  # miscellaneous output
    movw $0x3c2, %dx
    outb %al, %dx
    movw $0x3c4, %dx
    movw $0x0300, %ax
    outw %ax, %dx
    # CRTC, registers 0-7 unlocked first.
    movw $0x3d4, %dx
    testb $1, %bh
    jnz 1f
    movb $0xb4, %dl
1:  movw $0x0011, %ax
    outw %ax, %dx
    xorb %bl, %bl
1:  lodsb %fs:(%si), %al
    movb %al, %ah
    movb %bl, %al
    outw %ax, %dx
    incb %bl
    cmpb $0x19, %bl
    jb 1b
    # Attribute controller: palette and overscan only if the default palette is wanted.
    addb $6, %dl                   # input status 1
    inb %dx, %al
    movw $0x3c0, %dx
    xorb %bl, %bl
1:  lodsb %fs:(%si), %al
    movb %al, %ah
    testb $8, vga_bda_control
    jz 2f
    cmpb $0x10, %bl
    jb 3f
    cmpb $0x11, %bl
    je 3f
2:  movb %bl, %al
    outb %al, %dx
    movb %ah, %al
    outb %al, %dx
3:  incb %bl
    cmpb $0x14, %bl
    jb 1b
    movb $0x14, %al                # colour select: not in the table
    outb %al, %dx
    xorb %al, %al
    outb %al, %dx
    # Graphics controller.
    movw $0x3ce, %dx
    xorb %bl, %bl
1:  lodsb %fs:(%si), %al
    movb %al, %ah
    movb %bl, %al
    outw %ax, %dx
    incb %bl
    cmpb $9, %bl
    jb 1b
    popw %si
    popw %bx
    retw

# Makes the next write to 3C0h an index, wherever the CRTC stands.
vga_attr_reset:
    pushw %ax
    pushw %dx
    movw $0x3cc, %dx
    inb %dx, %al
    movw $0x3da, %dx
    testb $1, %al
    jnz 1f
    movb $0xba, %dl
1:  inb %dx, %al
    popw %dx
    popw %ax
    retw

vga_palette_on:
    pushw %ax
    pushw %dx
    callw vga_attr_reset
    movw $0x3c0, %dx
    movb $0x20, %al
    outb %al, %dx
    popw %dx
    popw %ax
    retw

# The default colours of mode BL, whose parameters stand at FS:SI, into the DAC; the pixel mask.
vga_load_colors:
    movw $0x3c6, %dx
    movb $0xff, %al
    outb %al, %dx
    testb $8, vga_bda_control
    jnz 9f
    movzbw %bl, %di
    movb %cs:vga_color_sets-vga_0(%di), %al
    cmpb $3, %bl
    ja 1f
    cmpb $8, %fs:vga_par_height(%si)
    jne 1f
    movb $1, %al                   # text with 200 lines
1:  callw vga_color_set
9:  retw

# Colour set AL into the whole DAC. Changes AX, CX, DX, DI.
vga_color_set:
    pushw %bx
    pushw %si
    movb %al, %bh
    movw $0x3c8, %dx
    xorb %al, %al
    outb %al, %dx
    xorb %bl, %bl                  # BL = index
    cmpb $3, %bh
    je vga_color_set_256
1:  xorw %cx, %cx
    xorb %dh, %dh                  # DH, CH, CL = red, green, blue
    cmpb $64, %bl
    jae 4f
    cmpb $1, %bh
    jb 2f
    je 3f
    callw vga_color_ega
    jmp 4f
2:  callw vga_color_mono
    jmp 4f
3:  callw vga_color_cga
4:  callw vga_dac_write
    incb %bl
    jnz 1b
    popw %si
    popw %bx
    retw

vga_color_set_256:
    # 0-15: CGA's colours.
1:  movb %bl, %al
    testb $8, %al
    jz 2f
    xorb $0x18, %al
2:  pushw %bx
    movb %al, %bl
    callw vga_color_cga
    popw %bx
    callw vga_dac_write
    incb %bl
    cmpb $16, %bl
    jb 1b
    # 16-31: grays.
    movw $vga_grays-vga_0, %si
1:  lodsb %cs:(%si), %al
    movb %al, %dh
    movb %al, %ch
    movb %al, %cl
    callw vga_dac_write
    incb %bl
    cmpb $32, %bl
    jb 1b
    # 32-247: nine rounds of 24 hues, three brightnesses of three saturations.
    movw $vga_ramps-vga_0, %di
1:  movw $vga_hues-vga_0, %si
2:  pushw %bx
    lodsw %cs:(%si), %ax           # 0RGBh, each a step 0-4 of the ramp
    movw %ax, %bx
    andw $15, %bx
    movb %cs:(%bx,%di), %cl
    movb %al, %bl
    shrb $4, %bl
    movb %cs:(%bx,%di), %ch
    movb %ah, %bl
    movb %cs:(%bx,%di), %dh
    popw %bx
    callw vga_dac_write
    incb %bl
    cmpw $vga_hues-vga_0+48, %si
    jb 2b
    addw $5, %di
    cmpw $vga_ramps-vga_0+45, %di
    jb 1b
    # 248-255: black.
1:  xorw %cx, %cx
    xorb %dh, %dh
    callw vga_dac_write
    incb %bl
    jnz 1b
    popw %si
    popw %bx
    retw

# Colour BL of a set into DH, CH, CL.
vga_color_mono:
    movb %bl, %al
    andb $0x18, %al
    jz 1f
    cmpb $0x10, %al
    je 1f
    movb $0x2a, %dh
    cmpb $0x08, %al
    je 2f
    movb $0x3f, %dh
    jmp 2f
1:  xorb %dh, %dh
2:  movb %dh, %ch
    movb %dh, %cl
    retw

# Bits 2-0 red, green, blue; bit 4 intensity; 6 is brown.
vga_color_cga:
    xorw %cx, %cx
    xorb %dh, %dh
    testb $4, %bl
    jz 1f
    movb $0x2a, %dh
1:  testb $2, %bl
    jz 1f
    movb $0x2a, %ch
1:  testb $1, %bl
    jz 1f
    movb $0x2a, %cl
1:  testb $0x10, %bl
    jz 1f
    addb $0x15, %dh
    addw $0x1515, %cx
    retw
1:  movb %bl, %al
    andb $7, %al
    cmpb $6, %al
    jne 1f
    movb $0x15, %ch
1:  retw

# Bits 2-0 two thirds, bits 5-3 one third of red, green, blue.
vga_color_ega:
    movb %bl, %al
    callw 3f
    movb %ah, %cl
    shrb $1, %al
    callw 3f
    movb %ah, %ch
    shrb $1, %al
    callw 3f
    movb %ah, %dh
    retw
3:  xorb %ah, %ah
    testb $1, %al
    jz 1f
    movb $0x2a, %ah
1:  testb $8, %al
    jz 1f
    addb $0x15, %ah
1:  retw

# DH, CH, CL to the next DAC register, summed to gray if so asked for. Changes AX, CX, DX.
vga_dac_write:
    testb $2, vga_bda_control
    jz 1f
    callw vga_gray
1:  movb %dh, %al
    movw $0x3c9, %dx
    outb %al, %dx
    movb %ch, %al
    outb %al, %dx
    movb %cl, %al
    outb %al, %dx
    retw

# DH = CH = CL = 30 % red + 59 % green + 11 % blue. Changes AX.
vga_gray:
    pushw %bx
    movb $77, %al
    mulb %dh
    movw %ax, %bx
    movb $151, %al
    mulb %ch
    addw %ax, %bx
    movb $28, %al
    mulb %cl
    addw %bx, %ax
    addw $0x80, %ax
    movb %ah, %dh
    movb %ah, %ch
    movb %ah, %cl
    popw %bx
    retw

vga_grays:
    .byte 0x00,0x05,0x08,0x0b,0x0e,0x11,0x14,0x18,0x1c,0x20,0x24,0x28,0x2d,0x32,0x38,0x3f
vga_ramps:
    .byte 0x00,0x10,0x1f,0x2f,0x3f, 0x1f,0x27,0x2f,0x37,0x3f, 0x2d,0x31,0x36,0x3a,0x3f
    .byte 0x00,0x07,0x0e,0x15,0x1c, 0x0e,0x11,0x15,0x18,0x1c, 0x14,0x16,0x18,0x1a,0x1c
    .byte 0x00,0x04,0x08,0x0c,0x10, 0x08,0x0a,0x0c,0x0e,0x10, 0x0b,0x0c,0x0d,0x0f,0x10
    .balign 2
vga_hues:
    .word 0x004,0x104,0x204,0x304,0x404,0x403,0x402,0x401
    .word 0x400,0x410,0x420,0x430,0x440,0x340,0x240,0x140
    .word 0x040,0x041,0x042,0x043,0x044,0x034,0x024,0x014
"##
    };
}
pub(crate) use text;
