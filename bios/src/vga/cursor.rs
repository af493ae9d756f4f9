//! Functions 01h-05h and 0Fh: cursor shape and position, light pen, page, mode.

macro_rules! text {
    () => {
        r##"
# 01h: CH = start line (bit 5: no cursor), CL = end line.
vga_f01:
    movw %cx, vga_bda_shape
    # falls through
# The shape CX goes to the CRTC. Programs written for the CGA count 8 scan lines a character; emulation moves
# an underline to the bottom of the cell and stretches a block. Keeps BX, SI, DI.
vga_set_shape:
    testb $1, vga_bda_info
    jnz 3f
    movb vga_bda_height, %dl
    cmpb $8, %dl
    jbe 3f
    testb $0xe0, %ch
    jnz 3f
    cmpb $8, %cl
    jae 3f
    cmpb %cl, %ch
    ja 3f
    movb %cl, %al
    subb %ch, %al
    cmpb $2, %al
    ja 1f
    cmpb $6, %cl
    jb 1f
    # An underline: it ends one line above the last.
    movb %dl, %cl
    subb $2, %cl
    movb %cl, %ch
    subb %al, %ch
    jmp 3f
1:  # A block: start * height / 8 to (end + 1) * height / 8 - 1.
    movb %ch, %al
    mulb %dl
    shrw $3, %ax
    movb %al, %ch
    movb %cl, %al
    incb %al
    mulb %dl
    shrw $3, %ax
    decb %al
    movb %al, %cl
3:  movw vga_bda_crtc, %dx
    movb %ch, %ah
    movb $0x0a, %al
    outw %ax, %dx
    movb %cl, %ah
    incb %al
    outw %ax, %dx
    retw

# 02h: BH = page, DH = row, DL = column.
vga_f02:
    movzbw %bh, %bx
    andb $7, %bl
    addw %bx, %bx
    movw %dx, vga_bda_cursor(%bx)
    # falls through
# The cursor of the page on display goes to the CRTC. Keeps CX, SI, DI.
vga_show_cursor:
    movzbw vga_bda_page, %bx
    addw %bx, %bx
    movw vga_bda_cursor(%bx), %bx
    movb %bh, %al
    mulb vga_bda_columns
    xorb %bh, %bh
    addw %ax, %bx
    movw vga_bda_page_start, %ax
    shrw $1, %ax
    addw %ax, %bx
    movw vga_bda_crtc, %dx
    movb $0x0e, %al
    movb %bh, %ah
    outw %ax, %dx
    incb %al
    movb %bl, %ah
    outw %ax, %dx
    retw

# 03h: BH = page; gives DX = position, CX = shape.
vga_f03:
    callw vga_cursor_of_page
    movw %dx, vga_dx(%bp)
    movw vga_bda_shape, %cx
    movw %cx, vga_cx(%bp)
    retw

# DX = the cursor of page BH. Keeps the rest.
vga_cursor_of_page:
    pushw %bx
    movzbw %bh, %bx
    andb $7, %bl
    addw %bx, %bx
    movw vga_bda_cursor(%bx), %dx
    popw %bx
    retw

# 04h: no light pen.
vga_f04:
    movb $0, vga_ah(%bp)
    retw

# 05h: AL = page to show.
vga_f05:
    cmpb $7, %al
    ja 9f
    cmpb $0x13, vga_bda_mode
    jae 9f                         # one page only
    movb %al, vga_bda_page
    xorb %ah, %ah
    mulw vga_bda_page_size
    movw %ax, vga_bda_page_start
    movw %ax, %bx
    callw vga_kind
    cmpw $vga_kind_planar, %si
    je 1f
    shrw $1, %bx                   # the CRTC counts words
1:  movw vga_bda_crtc, %dx
    movb $0x0c, %al
    movb %bh, %ah
    outw %ax, %dx
    incb %al
    movb %bl, %ah
    outw %ax, %dx
    jmp vga_show_cursor
9:  retw

# 0Fh: AL = mode, AH = columns, BH = page.
vga_f0f:
    movb vga_bda_info, %al
    andb $0x80, %al
    orb vga_bda_mode, %al
    movb vga_bda_columns, %ah
    movw %ax, vga_ax(%bp)
    movb vga_bda_page, %al
    movb %al, vga_bh(%bp)
    retw
"##
    };
}
pub(crate) use text;
