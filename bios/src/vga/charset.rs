//! Function 11h: character sets.

macro_rules! text {
    () => {
        r##"
# BX = offset of the ROM's set of height AL (8, 14 or else 16).
vga_font_of_height:
    movw $vga_font_8x8-vga_0, %bx
    cmpb $8, %al
    je 1f
    movw $vga_font_8x14-vga_0, %bx
    cmpb $14, %al
    je 1f
    movw $vga_font_8x16-vga_0, %bx
1:  retw

# INT 43h = set BX of the ROM. vga_program needs BL kept: the mode stands in the BIOS data area by then.
vga_set_int43:
    pushw %ds
    pushw $0
    popw %ds
    movw %bx, 0x43*4
    movw %cs, 0x43*4+2
    popw %ds
    movb vga_bda_mode, %bl
    retw

# The ROM's set of height AL into block BL of plane 2.
vga_load_rom_font:
    pushw %bx
    callw vga_font_of_height
    movw %bx, %si
    popw %bx
    pushw %cs
    popw %fs
    movb %al, %bh
    movw $256, %cx
    xorw %dx, %dx
# CX characters of BH bytes from FS:SI on, to DX on in block BL. Changes AX, CX, DX, SI, DI, ES.
vga_load_font:
    movzbw %bl, %ax                # blocks 0-3 stand 16 KiB apart, 4-7 between them
    andw $3, %ax
    shlw $14, %ax
    movw %ax, %di
    testb $4, %bl
    jz 1f
    addw $0x2000, %di
1:  shlw $5, %dx
    addw %dx, %di
    callw vga_font_access
    pushw $0xa000
    popw %es
    jcxz 4f
2:  pushw %cx
    pushw %di
    movzbw %bh, %cx
    cmpw $32, %cx
    jbe 3f
    movw $32, %cx
3:  rep movsb %fs:(%si), %es:(%di)
    popw %di
    addw $32, %di
    popw %cx
    loop 2b
4:  # falls through
# The graphics controller and sequencer back to text.
vga_font_done:
    movw $0x3c4, %dx
    movw $0x0302, %ax
    outw %ax, %dx
    movw $0x0304, %ax
    outw %ax, %dx
    movb $0xce, %dl
    movw $0x0004, %ax
    outw %ax, %dx
    movw $0x1005, %ax
    outw %ax, %dx
    movw $0x0e06, %ax
    cmpb $7, vga_bda_mode
    jne 1f
    movb $0x0a, %ah
1:  outw %ax, %dx
    retw
# Plane 2 at A000h, byte by byte. Changes AX, DX.
vga_font_access:
    movw $0x3c4, %dx
    movw $0x0402, %ax
    outw %ax, %dx
    movw $0x0704, %ax
    outw %ax, %dx
    movb $0xce, %dl
    movw $0x0204, %ax
    outw %ax, %dx
    movw $0x0005, %ax
    outw %ax, %dx
    movw $0x0406, %ax
    outw %ax, %dx
    retw

vga_f11:
    cmpb $0x30, %al
    je vga_f1130
    movb %al, %ah
    andb $0xf0, %ah
    cmpb $0x20, %ah
    je vga_f112x
    ja 9f
    # 00h-04h and 10h-14h: text mode sets; 1xh also makes the screen fit.
    movw vga_si(%bp), %si
    andb $0x0f, %al
    je 1f
    cmpb $3, %al
    je 5f
    ja 4f
    movb $14, %ah                  # 01h
    cmpb $1, %al
    je 3f
    movb $8, %ah                   # 02h
    jmp 3f
4:  movb $16, %ah                  # 04h
    cmpb $4, %al
    jne 9f
3:  movb %ah, %al
    pushw %ax
    callw vga_load_rom_font
    popw %ax
    movb %al, %bh
    jmp 2f
1:  movw vga_es(%bp), %ax          # user set: ES:BP, CX characters from DX on, BH bytes each
    movw %ax, %fs
    movw vga_bp(%bp), %si
    orb %bh, %bh
    jz 9f
    callw vga_load_font
2:  testb $0x10, vga_al(%bp)
    jz 9f
    jmp vga_fit_height
5:  # 03h: BL = character map select.
    testb $0x10, vga_al(%bp)
    jnz 9f
    movw $0x3c4, %dx
    movb $3, %al
    movb %bl, %ah
    outw %ax, %dx
9:  retw

# Characters of BH lines: CRTC, rows, page size and cursor follow.
vga_fit_height:
    movzbw %bh, %ax
    movw %ax, vga_bda_height
    movw vga_bda_crtc, %dx
    movb $9, %al
    outb %al, %dx
    incw %dx
    inb %dx, %al
    movb %al, %cl                  # maximum scan line: bit 7: lines are doubled
    andb $0xe0, %al
    movb %bh, %ah
    decb %ah
    orb %ah, %al
    outb %al, %dx
    decw %dx
    cmpb $7, vga_bda_mode
    jne 1f
    movb $0x14, %al                # underline below the character
    outw %ax, %dx
1:  # Lines on the screen: rows and height of the mode's parameters, whatever set is loaded now.
    movb vga_bda_mode, %bl
    callw vga_find_parameters
    movb %fs:vga_par_rows(%si), %al
    incb %al
    mulb %fs:vga_par_height(%si)
1:  cmpb %bh, %ah                  # 256 rows or more: nonsense, leave the rows alone
    jae 2f
    divb %bh
    movb %al, %ch
    decb %al
    movb %al, vga_bda_rows
    # The last whole row ends the picture; bit 8 of its line stays as the mode has it.
    movb %ch, %al
    mulb %bh
    testb $0x80, %cl
    jz 1f
    shlw $1, %ax
1:  decw %ax
    movb %al, %ah
    movb $0x12, %al
    outw %ax, %dx
    # Page size: cells of two bytes, up to a whole number of 256.
    movzbw %ch, %ax
    mulb vga_bda_columns
    shlw $1, %ax
    addw $0xff, %ax
    xorb %al, %al
    movw %ax, vga_bda_page_size
    # Cursor: an underline again.
    movw $0x0607, %cx
    cmpb $8, %bh
    jae 1f
    movb %bh, %cl
    decb %cl
    movb %cl, %ch
1:  movw %cx, vga_bda_shape
    jmp vga_set_shape
2:  retw

# 20h-24h: graphics modes' sets.
vga_f112x:
    pushw $0
    popw %fs
    andb $0x0f, %al
    jnz 1f
    movw vga_bp(%bp), %ax
    movw %ax, %fs:0x1f*4
    movw vga_es(%bp), %ax
    movw %ax, %fs:0x1f*4+2
    retw
1:  cmpb $1, %al
    je 2f
    cmpb $4, %al
    ja 9f
    movb $14, %ah
    cmpb $2, %al
    je 1f
    movb $8, %ah
    cmpb $3, %al
    je 1f
    movb $16, %ah
1:  movb %ah, %al
    pushw %bx
    callw vga_font_of_height
    movw %bx, %fs:0x43*4
    popw %bx
    movw %cs, %fs:0x43*4+2
    movzbw %al, %cx
    jmp 3f
2:  movw vga_bp(%bp), %ax
    movw %ax, %fs:0x43*4
    movw vga_es(%bp), %ax
    movw %ax, %fs:0x43*4+2
3:  movw %cx, vga_bda_height
    # BL = rows: 0 DL, 1 14, 2 25, 3 43.
    movb %dl, %al
    cmpb $3, %bl
    ja 9f
    xorb %bh, %bh
    orb %bl, %bl
    jz 4f
    movb %cs:vga_row_numbers-vga_0(%bx), %al
4:  decb %al
    movb %al, vga_bda_rows
9:  retw
vga_row_numbers:
    .byte 0, 14, 25, 43

# 30h: ES:BP = set BH, CX = lines a character, DL = rows - 1 on the screen.
vga_f1130:
    movw vga_bda_height, %ax
    movw %ax, vga_cx(%bp)
    movb vga_bda_rows, %al
    movb %al, vga_dl(%bp)
    pushw $0
    popw %fs
    movw %fs:0x1f*4, %ax
    movw %fs:0x1f*4+2, %cx
    cmpb $1, %bh
    jb 1f
    movw %fs:0x43*4, %ax
    movw %fs:0x43*4+2, %cx
    je 1f
    cmpb $7, %bh
    ja 9b
    movzbw %bh, %si
    addw %si, %si
    movw %cs:vga_rom_fonts-vga_0-4(%si), %ax
    movw %cs, %cx
1:  movw %ax, vga_bp(%bp)
    movw %cx, vga_es(%bp)
    retw
    .balign 2
vga_rom_fonts:
    .word vga_font_8x14-vga_0, vga_font_8x8-vga_0, vga_font_8x8_upper-vga_0
    .word vga_font_9-vga_0, vga_font_8x16-vga_0, vga_font_9-vga_0
# Replacements for cells of nine dots: none, the sets are drawn to serve both. A zero ends the list.
vga_font_9:
    .word 0
"##
    };
}
pub(crate) use text;
