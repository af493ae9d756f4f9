//! Functions 08h, 09h, 0Ah, 0Eh and 13h: reading and writing characters, teletype, strings.

macro_rules! text {
    () => {
        r##"
# ES:DI = the cell at row DH, column DL of page BH in text memory. Keeps the rest.
vga_text_cell:
    pushw %ax
    callw vga_text_segment
    movb %dh, %al
    mulb vga_bda_columns
    movzbw %dl, %di
    addw %ax, %di
    addw %di, %di
    pushw %dx
    movzbw %bh, %ax
    andb $7, %al
    mulw vga_bda_page_size
    addw %ax, %di
    popw %dx
    popw %ax
    retw

# 08h: AL = character, AH = attribute at the cursor of page BH; in graphics AL only, 0 if no glyph fits.
vga_f08:
    callw vga_cursor_of_page
    callw vga_kind
    cmpw $vga_kind_text, %si
    jne vga_read_glyph
    callw vga_text_cell
    movw %es:(%di), %ax
    movw %ax, vga_ax(%bp)
    retw

# 09h: AL = character, BL = attribute or colour, BH = page (mode 13h and VBE: background), CX = times.
vga_f09:
    callw vga_kind
    cmpw $vga_kind_text, %si
    jne vga_repeat_glyph
    callw vga_cursor_of_page
    callw vga_text_cell
    movb %bl, %ah
    rep stosw
    retw

# 0Ah: the same, attributes stay as they are.
vga_f0a:
    callw vga_kind
    cmpw $vga_kind_text, %si
    jne vga_repeat_glyph
    callw vga_cursor_of_page
    callw vga_text_cell
    jcxz 2f
1:  stosb
    incw %di
    loop 1b
2:  retw

# CX glyphs AL from the cursor on. Modes with one page show it whatever BH says.
vga_repeat_glyph:
    jcxz 9f
    pushw %bx
    cmpw $vga_kind_planar, %si
    je 1f
    xorb %bh, %bh
1:  callw vga_cursor_of_page
    popw %bx
1:  callw vga_glyph
    incb %dl
    cmpb vga_bda_columns, %dl
    jb 2f
    xorb %dl, %dl
    incb %dh
    cmpb vga_bda_rows, %dh
    ja 9f
2:  loop 1b
9:  retw

# 0Eh: AL = character, BL = colour in graphics modes; on the page on display.
vga_f0e:
    movb vga_bda_page, %bh
vga_teletype:
    callw vga_cursor_of_page
    cmpb $7, %al
    je vga_bell
    cmpb $8, %al
    je 1f
    cmpb $13, %al
    je 2f
    cmpb $10, %al
    je 4f
    # A character.
    callw vga_kind
    cmpw $vga_kind_text, %si
    jne 5f
    callw vga_text_cell
    movb %al, %es:(%di)
    jmp 3f
5:  pushw %bx
    cmpw $vga_kind_planar, %si
    je 6f
    xorb %bh, %bh                  # background black
6:  callw vga_glyph
    popw %bx
3:  incb %dl
    cmpb vga_bda_columns, %dl
    jb vga_move_cursor
    xorb %dl, %dl
4:  incb %dh
    cmpb vga_bda_rows, %dh
    jbe vga_move_cursor
    # Past the last row: scroll, new cells with the attribute of the cell at the cursor.
    movb vga_bda_rows, %dh
    pushw %dx
    pushw %bx
    callw vga_kind
    xorb %ah, %ah
    cmpw $vga_kind_text, %si
    jne 7f
    callw vga_text_cell
    movb %es:1(%di), %ah
7:  movb %ah, %bh
    movb $1, %al
    movb $0, vga_l_down(%bp)
    xorw %cx, %cx
    movb vga_bda_columns, %dl
    decb %dl
    callw vga_scroll
    popw %bx
    popw %dx
    jmp vga_move_cursor
2:  xorb %dl, %dl
    jmp vga_move_cursor
1:  orb %dl, %dl
    jz vga_move_cursor
    decb %dl
# The cursor of page BH to DX.
vga_move_cursor:
    jmp vga_f02

# About 0.1 s of 896 Hz: PIT channel 2 (43h = B6h: square wave) through port 61h; the time is counted by the
# refresh bit 4 of port 61h, which toggles every 15 us, and bounded where nothing toggles it.
vga_bell:
    movb $0xb6, %al
    outb %al, $0x43
    movw $1331, %ax
    outb %al, $0x42
    movb %ah, %al
    outb %al, $0x42
    inb $0x61, %al
    pushw %ax
    orb $3, %al
    outb %al, $0x61
    movw $6600, %cx
1:  movb $200, %dl
    inb $0x61, %al
    movb %al, %ah
2:  inb $0x61, %al
    xorb %ah, %al
    testb $0x10, %al
    jnz 3f
    decb %dl
    jnz 2b
3:  loop 1b
    popw %ax
    andb $0xfc, %al
    outb %al, $0x61
    retw

# 13h: ES:BP = string, CX = length, BH = page, BL = attribute, DX = position; AL bit 0: the cursor moves along,
# bit 1: the string has attributes.
vga_f13:
    cmpb $3, %al
    ja 9f
    jcxz 9f
    callw vga_cursor_of_page_to_stack
    movw vga_es(%bp), %ax
    movw %ax, %gs
    movw vga_bp(%bp), %si
    movw vga_dx(%bp), %dx
    pushw %cx
    callw vga_place_cursor
    popw %cx
1:  movb vga_bh(%bp), %bh
    movb vga_bl(%bp), %bl
    movb %gs:(%si), %al
    incw %si
    testb $2, vga_al(%bp)
    jz 2f
    movb %gs:(%si), %bl
    incw %si
2:  pushw %si
    pushw %cx
    cmpb $7, %al
    je 3f
    cmpb $8, %al
    je 3f
    cmpb $10, %al
    je 3f
    cmpb $13, %al
    je 3f
    # In text modes the attribute first; teletype keeps it.
    callw vga_kind
    cmpw $vga_kind_text, %si
    jne 3f
    callw vga_cursor_of_page
    callw vga_text_cell
    movb %bl, %es:1(%di)
3:  callw vga_teletype
    popw %cx
    popw %si
    loop 1b
    popw %dx
    testb $1, vga_al(%bp)
    jnz 9f
    movb vga_bh(%bp), %bh
    jmp vga_f02
9:  retw
vga_place_cursor:
    movb vga_bh(%bp), %bh
    jmp vga_f02
# Leaves the cursor of page BH under the return address.
vga_cursor_of_page_to_stack:
    callw vga_cursor_of_page
    popw %ax
    pushw %dx
    jmpw *%ax
"##
    };
}
pub(crate) use text;
