//! Functions 06h and 07h: scrolling a window up or down, in every kind of mode.

macro_rules! text {
    () => {
        r##"
# Places below %bp that the functions share.
    .set vga_l_left, -1
    .set vga_l_right, -2
    .set vga_l_top, -3
    .set vga_l_bottom, -4
    .set vga_l_attr, -5            # attribute, or colour with bit 7 = exclusive or
    .set vga_l_lines, -6
    .set vga_l_down, -7
    .set vga_l_row, -8
    .set vga_l_back, -9            # page or background colour, as the caller had it in BH
    .set vga_l_step, -10           # bytes a cell and line
    .set vga_l_bank, -12           # word: the bank that is set
    .set vga_l_pitch, -16          # dword: bytes a scan line
    .set vga_l_bytes, -17          # bytes a pixel
    .set vga_l_depth, -18          # bits a pixel
    .set vga_l_value, -22          # dword: pixel value
    .set vga_l_xor, -23            # bit 7: exclusive or
    .set vga_l_buffer, -64
    .set vga_l_buffer_bytes, 256   # of vga_vbe_copy_line, below its return address

# AL = lines (0: all), BH = attribute of the new lines, CX = upper left, DX = lower right.
vga_f06:
    movb $0, vga_l_down(%bp)
    jmp vga_scroll
vga_f07:
    movb $1, vga_l_down(%bp)
# Needs vga_l_down. Changes all registers but BP, DS.
vga_scroll:
    cmpb vga_bda_rows, %dh
    jbe 1f
    movb vga_bda_rows, %dh
1:  cmpb vga_bda_columns, %dl
    jb 1f
    movb vga_bda_columns, %dl
    decb %dl
1:  cmpb %dh, %ch
    ja 9f
    cmpb %dl, %cl
    ja 9f
    movb %al, vga_l_lines(%bp)
    movb %bh, vga_l_attr(%bp)
    movw %cx, %ax
    movb %al, vga_l_left(%bp)
    movb %ah, vga_l_top(%bp)
    movb %dl, vga_l_right(%bp)
    movb %dh, vga_l_bottom(%bp)
    callw vga_kind
    cmpw $vga_kind_packed, %si
    jb 1f
    callw vga_vbe_begin
1:  movb vga_l_top(%bp), %al
    cmpb $0, vga_l_down(%bp)
    je 2f
    movb vga_l_bottom(%bp), %al
2:  movb %al, vga_l_row(%bp)
vga_scroll_row:
    # AH = row to make, AL = row to make it from.
    movb vga_l_row(%bp), %ah
    movb %ah, %al
    movb vga_l_lines(%bp), %bl
    orb %bl, %bl
    jz 3f
    cmpb $0, vga_l_down(%bp)
    jne 1f
    addb %bl, %al
    jc 3f
    cmpb vga_l_bottom(%bp), %al
    ja 3f
    jmp 2f
1:  subb %bl, %al
    jc 3f
    cmpb vga_l_top(%bp), %al
    jb 3f
2:  movw $vga_row_copies-vga_0, %di
    jmp 4f
3:  movw $vga_row_fills-vga_0, %di
4:  callw vga_kind
    addw %si, %di
    callw *%cs:(%di)
    pushw $0x40
    popw %ds
    cmpb $0, vga_l_down(%bp)
    jne 5f
    incb vga_l_row(%bp)
    movb vga_l_row(%bp), %al
    cmpb vga_l_bottom(%bp), %al
    jbe vga_scroll_row
    retw
5:  movb vga_l_row(%bp), %al
    decb vga_l_row(%bp)
    cmpb vga_l_top(%bp), %al
    ja vga_scroll_row
9:  retw

    .balign 2
vga_row_copies:
    .word vga_copy_text-vga_0, vga_copy_cga4-vga_0, vga_copy_cga2-vga_0, vga_copy_planar-vga_0
    .word vga_copy_chain4-vga_0, vga_copy_packed-vga_0, vga_copy_planes-vga_0
vga_row_fills:
    .word vga_fill_text-vga_0, vga_fill_cga4-vga_0, vga_fill_cga2-vga_0, vga_fill_planar-vga_0
    .word vga_fill_chain4-vga_0, vga_fill_packed-vga_0, vga_fill_planes-vga_0

# CX = cells of the window's rows.
vga_window_width:
    movzbw vga_l_right(%bp), %cx
    subb vga_l_left(%bp), %cl
    incw %cx
    retw

# DI = offset of the window's left cell in text row AL.
vga_text_offset:
    mulb vga_bda_columns
    movzbw vga_l_left(%bp), %di
    addw %ax, %di
    addw %di, %di
    addw vga_bda_page_start, %di
    retw

vga_copy_text:
    callw vga_text_segment
    pushw %ax
    callw vga_text_offset
    movw %di, %si
    popw %ax
    movb %ah, %al
    callw vga_text_offset
    callw vga_window_width
    pushw %es
    popw %ds
    rep movsw
    retw
vga_fill_text:
    callw vga_text_segment
    movb %ah, %al
    callw vga_text_offset
    callw vga_window_width
    movb vga_l_attr(%bp), %ah
    movb $0x20, %al
    rep stosw
    retw

# DI = offset of row AL, where a scan line has DX bytes and a cell vga_l_step; changes AX, DX.
vga_graphics_offset:
    pushw %dx
    mulb vga_bda_height
    popw %dx
    mulw %dx
    movw %ax, %di
    movb vga_l_left(%bp), %al
    mulb vga_l_step(%bp)
    addw %ax, %di
    retw

# Planar and mode 13h. DX = bytes a line, vga_l_step = bytes a cell: SI and DI = the rows, BX = bytes from the
# end of a line to the next's start, CX = bytes of a line, AX = lines.
vga_line_setup:
    pushw $0xa000
    popw %es
    pushw %ax
    pushw %dx
    callw vga_graphics_offset
    addw vga_bda_page_start, %di
    movw %di, %si
    popw %dx
    popw %ax
    pushw %dx
    movb %ah, %al
    callw vga_graphics_offset
    addw vga_bda_page_start, %di
    callw vga_window_width
    movb vga_l_step(%bp), %al
    mulb %cl
    movw %ax, %cx
    popw %bx
    subw %cx, %bx
    movw vga_bda_height, %ax
    retw

# Copies AX lines as vga_line_setup left them.
vga_lines_copy:
    pushw %es
    popw %ds
1:  pushw %cx
    rep movsb
    popw %cx
    addw %bx, %si
    addw %bx, %di
    decw %ax
    jnz 1b
    retw
# Fills AX lines with DL.
vga_lines_fill:
    xchgw %ax, %dx
1:  pushw %cx
    rep stosb
    popw %cx
    addw %bx, %di
    decw %dx
    jnz 1b
    retw

vga_copy_planar:
    movw vga_bda_columns, %dx
    movb $1, vga_l_step(%bp)
    callw vga_line_setup
    pushw %ax
    movw $0x3c4, %dx
    movw $0x0f02, %ax
    outw %ax, %dx
    movb $0xce, %dl
    movw $0x0105, %ax              # write mode 1: from the latches
    outw %ax, %dx
    popw %ax
    callw vga_lines_copy
    movw $0x3ce, %dx
    movw $0x0005, %ax
    outw %ax, %dx
    retw
vga_fill_planar:
    movw vga_bda_columns, %dx
    movb $1, vga_l_step(%bp)
    callw vga_line_setup
    pushw %ax
    callw vga_set_reset_on
    popw %ax
    callw vga_lines_fill
# Set/reset off again.
vga_set_reset_off:
    movw $0x3ce, %dx
    movw $0x0000, %ax
    outw %ax, %dx
    movw $0x0001, %ax
    outw %ax, %dx
    retw
# All planes written from set/reset, colour vga_l_attr.
vga_set_reset_on:
    movw $0x3c4, %dx
    movw $0x0f02, %ax
    outw %ax, %dx
    movb $0xce, %dl
    movb vga_l_attr(%bp), %ah
    movb $0, %al
    outw %ax, %dx
    movw $0x0f01, %ax
    outw %ax, %dx
    movw $0xff08, %ax
    outw %ax, %dx
    retw

vga_copy_chain4:
    movw $320, %dx
    movb $8, vga_l_step(%bp)
    callw vga_line_setup
    jmp vga_lines_copy
vga_fill_chain4:
    movw $320, %dx
    movb $8, vga_l_step(%bp)
    callw vga_line_setup
    movb vga_l_attr(%bp), %dl
    jmp vga_lines_fill

# CGA: a character row is four lines of 80 bytes in each of two banks, 8 KiB apart.
vga_copy_cga4:
    movb $2, vga_l_step(%bp)
    jmp 1f
vga_copy_cga2:
    movb $1, vga_l_step(%bp)
1:  pushw %ax
    callw vga_cga_offset
    movw %di, %si
    popw %ax
    movb %ah, %al
    callw vga_cga_offset
    callw vga_cga_width
    pushw %es
    popw %ds
    movw $2, %dx
1:  movw $4, %ax
    pushw %si
    pushw %di
    callw 2f
    popw %di
    popw %si
    addw $0x2000, %si
    addw $0x2000, %di
    decw %dx
    jnz 1b
    retw
2:  pushw %cx
    rep movsb
    popw %cx
    addw %bx, %si
    addw %bx, %di
    decw %ax
    jnz 2b
    retw
vga_fill_cga4:
    movb $2, vga_l_step(%bp)
    jmp 1f
vga_fill_cga2:
    movb $1, vga_l_step(%bp)
1:  movb %ah, %al
    callw vga_cga_offset
    callw vga_cga_width
    movw $4, %ax
    movb vga_l_attr(%bp), %dl
    pushw %di
    callw vga_lines_fill
    popw %di
    addw $0x2000, %di
    movw $4, %ax
    movb vga_l_attr(%bp), %dl
    jmp vga_lines_fill
# ES:DI = the window's left cell in row AL. Changes AX, DX.
vga_cga_offset:
    pushw $0xb800
    popw %es
    movb $80, %dl
    mulb %dl
    shlw $2, %ax
    movw %ax, %di
    movb vga_l_left(%bp), %al
    mulb vga_l_step(%bp)
    addw %ax, %di
    retw
# CX = bytes of the window's lines, BX = the rest of 80.
vga_cga_width:
    callw vga_window_width
    movb vga_l_step(%bp), %al
    mulb %cl
    movw %ax, %cx
    movw $80, %bx
    subw %cx, %bx
    retw

# VBE. EDI = byte address in the frame buffer of the window's left cell in row AL, scan line 0.
vga_vbe_row:
    pushl %edx
    mulb vga_bda_height
    movzwl %ax, %eax
    mull vga_l_pitch(%bp)
    movl %eax, %edi
    callw vga_vbe_cell
    movzbl vga_l_left(%bp), %edx
    imull %edx, %eax
    addl %eax, %edi
    popl %edx
    retw
# EAX = bytes a cell and line.
vga_vbe_cell:
    movzbl vga_l_bytes(%bp), %eax
    shll $3, %eax
    cmpb $4, vga_l_depth(%bp)
    jne 1f
    movl $1, %eax
1:  retw

vga_copy_packed:
vga_copy_planes:
    pushw %ax
    callw vga_vbe_row
    movl %edi, %esi
    popw %ax
    movb %ah, %al
    callw vga_vbe_row
    callw vga_vbe_cell
    callw vga_window_width
    movzwl %cx, %ecx
    imull %eax, %ecx               # bytes a line
    movw vga_bda_height, %bx
    cmpb $4, vga_l_depth(%bp)
    jne 1f
    movw $0x3c4, %dx
    movw $0x0f02, %ax
    outw %ax, %dx
    movb $0xce, %dl
    movw $0x0105, %ax
    outw %ax, %dx
1:  pushl %esi
    pushl %edi
    pushl %ecx
    callw vga_vbe_copy_line
    popl %ecx
    popl %edi
    popl %esi
    addl vga_l_pitch(%bp), %esi
    addl vga_l_pitch(%bp), %edi
    decw %bx
    jnz 1b
    cmpb $4, vga_l_depth(%bp)
    jne 1f
    movw $0x3ce, %dx
    movw $0x0005, %ax
    outw %ax, %dx
1:  retw

# ECX bytes from ESI to EDI, by way of a buffer as large as fits; planes go one by one, by way of the latches.
vga_vbe_copy_line:
    cmpb $4, vga_l_depth(%bp)
    je 3f
    subw $vga_l_buffer_bytes, %sp
    pushw %bx
    movw %sp, %bx
    addw $2, %bx
1:  movl $vga_l_buffer_bytes, %edx
    cmpl %ecx, %edx
    jbe 2f
    movl %ecx, %edx
2:  movzwl %si, %eax               # not across a bank's end
    negl %eax
    addl $0x10000, %eax
    cmpl %eax, %edx
    jbe 2f
    movl %eax, %edx
2:  movzwl %di, %eax
    negl %eax
    addl $0x10000, %eax
    cmpl %eax, %edx
    jbe 2f
    movl %eax, %edx
2:  pushl %ecx
    pushl %esi
    pushl %edi
    movl %esi, %eax
    callw vga_bank
    pushw %es
    popw %fs                       # FS:SI -> SS:buffer
    pushw %ss
    popw %es
    movw %bx, %di
    movw %dx, %cx
    rep movsb %fs:(%si), %es:(%di)
    popl %edi
    movl %edi, %eax
    callw vga_bank
    movw %bx, %si
    movw %dx, %cx
    pushl %edi
    rep movsb %ss:(%si), %es:(%di)
    popl %edi
    popl %esi
    popl %ecx
    addl %edx, %esi
    addl %edx, %edi
    subl %edx, %ecx
    jnz 1b
    popw %bx
    addw $vga_l_buffer_bytes, %sp
    retw
3:  movl %esi, %eax
    callw vga_bank
    movb %es:(%si), %al
    movl %edi, %eax
    callw vga_bank
    movb %al, %es:(%di)
    incl %esi
    incl %edi
    decl %ecx
    jnz 3b
    retw

vga_fill_planes:
    movb %ah, %al
    callw vga_vbe_row
    callw vga_window_width
    callw vga_set_reset_on
    movw vga_bda_height, %bx
1:  pushl %edi
    pushw %cx
2:  movl %edi, %eax
    callw vga_bank
    movb %al, %es:(%di)
    incl %edi
    decw %cx
    jnz 2b
    popw %cx
    popl %edi
    addl vga_l_pitch(%bp), %edi
    decw %bx
    jnz 1b
    jmp vga_set_reset_off

vga_fill_packed:
    pushw %ax
    movb vga_l_attr(%bp), %al
    callw vga_vbe_color
    popw %ax
    movb %ah, %al
    mulb vga_bda_height
    movw %ax, %dx                  # y
    callw vga_window_width
    movw %cx, %di
    shlw $3, %di                   # pixels a line
    movw vga_bda_height, %bx
1:  movzbw vga_l_left(%bp), %cx
    shlw $3, %cx                   # x
    pushw %di
2:  callw vga_vbe_put
    incw %cx
    decw %di
    jnz 2b
    popw %di
    incw %dx
    decw %bx
    jnz 1b
    retw
"##
    };
}
pub(crate) use text;
