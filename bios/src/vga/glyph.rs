//! Glyphs in graphics modes: drawing one, and recognising one.

macro_rules! text {
    () => {
        r##"
# FS:SI = the bitmap of character AL. Modes 4-6 have their upper half at INT 1Fh, 8 bytes each. Changes AX.
vga_find_glyph:
    pushw $0
    popw %fs
    cmpb $6, vga_bda_mode
    ja 1f
    lfsw %fs:0x43*4, %si
    testb $0x80, %al
    jz 2f
    pushw $0
    popw %fs
    lfsw %fs:0x1f*4, %si
    andb $0x7f, %al
2:  xorb %ah, %ah
    shlw $3, %ax
    addw %ax, %si
    retw
1:  lfsw %fs:0x43*4, %si
    mulb vga_bda_height
    addw %ax, %si
    retw

# Draws AL at row DH, column DL: BL = colour (bit 7: exclusive or), BH = page or background. Keeps AX, BX, CX, DX.
vga_glyph:
    pushl %eax
    pushl %ebx
    pushl %ecx
    pushl %edx
    movb %bl, vga_l_attr(%bp)
    movb %bh, vga_l_back(%bp)
    callw vga_kind
    movw %cs:vga_glyphs-vga_0(%si), %di
    callw vga_find_glyph
    callw *%di
    popl %edx
    popl %ecx
    popl %ebx
    popl %eax
    retw
    .balign 2
vga_glyphs:
    .word vga_none-vga_0, vga_glyph_cga4-vga_0, vga_glyph_cga2-vga_0, vga_glyph_planar-vga_0
    .word vga_glyph_chain4-vga_0, vga_glyph_packed-vga_0, vga_glyph_planes-vga_0

# ES:DI = the cell at row DH, column DL of page vga_l_back, planar modes. Changes AX, DX.
vga_planar_cell:
    pushw $0xa000
    popw %es
    movzbw %dl, %di
    movb vga_bda_height, %al
    mulb %dh
    mulw vga_bda_columns
    addw %ax, %di
    movzbw vga_l_back(%bp), %ax
    andb $7, %al
    mulw vga_bda_page_size
    addw %ax, %di
    retw

vga_glyph_planar:
    callw vga_planar_cell
    movw vga_bda_height, %cx
    movw vga_bda_columns, %bx
    movb vga_l_attr(%bp), %ah
    movw $0x3c4, %dx
    movb $2, %al
    testb $0x80, %ah
    jnz 3f
    # Zeros into the planes where the colour has none, the bitmap into the others.
    xorb $0x0f, %ah
    andb $0x0f, %ah
    outw %ax, %dx
    pushw %di
    pushw %cx
1:  movb $0, %es:(%di)
    addw %bx, %di
    loop 1b
    popw %cx
    popw %di
    xorb $0x0f, %ah
    outw %ax, %dx
2:  lodsb %fs:(%si), %al
    movb %al, %es:(%di)
    addw %bx, %di
    loop 2b
    jmp 5f
3:  andb $0x0f, %ah
    outw %ax, %dx
    movb $0xce, %dl
    movw $0x1803, %ax
    outw %ax, %dx
4:  lodsb %fs:(%si), %al
    movb %es:(%di), %ah            # fills the latches
    movb %al, %es:(%di)
    addw %bx, %di
    loop 4b
    movw $0x0003, %ax
    outw %ax, %dx
5:  movw $0x3c4, %dx
    movw $0x0f02, %ax
    outw %ax, %dx
    retw

# ES:DI = CGA cell of DL bytes columns... row DH, byte column AL. Changes AX.
vga_cga_cell:
    pushw $0xb800
    popw %es
    movzbw %al, %di
    movb $80, %al
    mulb %dh
    shlw $2, %ax
    addw %ax, %di
    retw

vga_glyph_cga4:
    movb %dl, %al
    addb %al, %al
    callw vga_cga_cell
    movw $8, %cx
1:  pushw %cx
    lodsb %fs:(%si), %al
    movb vga_l_attr(%bp), %ah
    andb $3, %ah
    xorw %bx, %bx
    movw $8, %cx
2:  shlw $2, %bx
    addb %al, %al
    jnc 3f
    orb %ah, %bl
3:  loop 2b
    xchgb %bl, %bh                 # the left pixels stand in the first byte
    testb $0x80, vga_l_attr(%bp)
    jz 4f
    xorw %es:(%di), %bx
4:  movw %bx, %es:(%di)
    popw %cx
    callw vga_cga_next
    loop 1b
    retw

vga_glyph_cga2:
    movb %dl, %al
    callw vga_cga_cell
    movw $8, %cx
1:  lodsb %fs:(%si), %al
    testb $1, vga_l_attr(%bp)
    jnz 2f
    xorb %al, %al
2:  testb $0x80, vga_l_attr(%bp)
    jz 3f
    xorb %es:(%di), %al
3:  movb %al, %es:(%di)
    callw vga_cga_next
    loop 1b
    retw

# DI to the next scan line: the other bank, or back and 80 bytes on.
vga_cga_next:
    xorw $0x2000, %di
    testw $0x2000, %di
    jnz 1f
    addw $80, %di
1:  retw

# ES:DI = the cell at row DH, column DL in mode 13h. Changes AX, DX.
vga_chain4_cell:
    pushw $0xa000
    popw %es
    movzbw %dl, %di
    shlw $3, %di
    movb vga_bda_height, %al
    mulb %dh
    movw $320, %dx
    mulw %dx
    addw %ax, %di
    retw

vga_glyph_chain4:
    callw vga_chain4_cell
    movw vga_bda_height, %cx
1:  lodsb %fs:(%si), %al
    movb %al, %ah
    movw $8, %bx
2:  addb %ah, %ah
    movb vga_l_attr(%bp), %al
    jc 3f
    testb $0x80, %al
    jnz 5f
    movb vga_l_back(%bp), %al
    jmp 4f
3:  testb $0x80, %al
    jz 4f
    xorb %es:(%di), %al
    xorb $0x80, %al
4:  movb %al, %es:(%di)
5:  incw %di
    decw %bx
    jnz 2b
    addw $312, %di
    loop 1b
    retw

vga_glyph_packed:
    callw vga_vbe_begin
    movb vga_l_attr(%bp), %al
    movb %al, vga_l_xor(%bp)
    andb $0x7f, %al
    callw vga_vbe_color
    movzbw %dl, %cx
    shlw $3, %cx                   # x
    movb vga_bda_height, %al
    mulb %dh
    movw %ax, %dx                  # y
    movw vga_bda_height, %di
1:  lodsb %fs:(%si), %al
    movb %al, %bl
    movb $8, %bh
2:  addb %bl, %bl
    jc 3f
    testb $0x80, vga_l_xor(%bp)
    jnz 4f
    pushl vga_l_value(%bp)
    movl $0, vga_l_value(%bp)
    callw vga_vbe_put
    popl vga_l_value(%bp)
    jmp 4f
3:  callw vga_vbe_put
4:  incw %cx
    decb %bh
    jnz 2b
    subw $8, %cx
    incw %dx
    decw %di
    jnz 1b
    retw

vga_glyph_planes:
    callw vga_vbe_begin
    movb vga_bda_height, %al
    mulb %dh
    movzbl %dl, %edx
    movzwl %ax, %eax
    movl %edx, %edi
    mull vga_l_pitch(%bp)
    addl %eax, %edi                # byte address in a plane
    movw $0x3ce, %dx
    movw $0x1803, %ax
    testb $0x80, vga_l_attr(%bp)
    jz 1f
    outw %ax, %dx
1:  movw vga_bda_height, %cx
    movb vga_l_attr(%bp), %bl
    movw $0x3c4, %dx
2:  movl %edi, %eax
    callw vga_bank
    testb $0x80, %bl
    jnz 3f
    movb $2, %al
    movb %bl, %ah
    xorb $0x0f, %ah
    andb $0x0f, %ah
    outw %ax, %dx
    movb $0, %es:(%di)
3:  movb $2, %al
    movb %bl, %ah
    andb $0x0f, %ah
    outw %ax, %dx
    lodsb %fs:(%si), %al
    movb %es:(%di), %ah
    movb %al, %es:(%di)
    addl vga_l_pitch(%bp), %edi
    loop 2b
    movw $0x0f02, %ax
    outw %ax, %dx
    movb $0xce, %dl
    movw $0x0003, %ax
    outw %ax, %dx
    retw

# Function 08h in graphics modes; SI = kind, cursor in DX, page in BH. The cell becomes a bitmap in the buffer
# (a pixel that is not 0 sets its bit), which is compared with each glyph.
vga_read_glyph:
    movb %bh, vga_l_back(%bp)
    movw vga_bda_height, %cx
    cmpw $vga_kind_cga2, %si
    ja 1f
    movw $8, %cx
1:  cmpw $vga_kind_packed, %si
    jb 1f
    callw vga_vbe_begin
1:  pushw %cx
    movw %cs:vga_cell_reads-vga_0(%si), %di
    leaw vga_l_buffer(%bp), %si
    callw *%di
    popw %cx
    xorb %bl, %bl
2:  movb %bl, %al
    callw vga_find_glyph
    pushw %ss
    popw %es
    leaw vga_l_buffer(%bp), %di
    pushw %cx
    repe cmpsb %es:(%di), %fs:(%si)
    popw %cx
    je 3f
    incb %bl
    jnz 2b
3:  movb %bl, vga_al(%bp)
    retw
    .balign 2
vga_cell_reads:
    .word vga_none-vga_0, vga_cell_cga4-vga_0, vga_cell_cga2-vga_0, vga_cell_planar-vga_0
    .word vga_cell_chain4-vga_0, vga_cell_packed-vga_0, vga_cell_packed-vga_0

# Each puts CX lines of the cell at DX to SS:SI.
vga_cell_cga4:
    movb %dl, %al
    addb %al, %al
    callw vga_cga_cell
1:  movw %es:(%di), %bx
    xchgb %bl, %bh
    xorb %al, %al
    movb $8, %ah
2:  addb %al, %al
    testw $0xc000, %bx
    jz 3f
    incb %al
3:  shlw $2, %bx
    decb %ah
    jnz 2b
    movb %al, %ss:(%si)
    incw %si
    callw vga_cga_next
    loop 1b
    retw
vga_cell_cga2:
    movb %dl, %al
    callw vga_cga_cell
1:  movb %es:(%di), %al
    movb %al, %ss:(%si)
    incw %si
    callw vga_cga_next
    loop 1b
    retw
vga_cell_planar:
    callw vga_planar_cell
    movw $0x3ce, %dx
    movw $0x0805, %ax              # read mode 1: bits set where the pixel equals register 2
    outw %ax, %dx
    movw $0x0002, %ax
    outw %ax, %dx
    movw $0x0f07, %ax
    outw %ax, %dx
1:  movb %es:(%di), %al
    notb %al
    movb %al, %ss:(%si)
    incw %si
    addw vga_bda_columns, %di
    loop 1b
    movw $0x0005, %ax
    outw %ax, %dx
    retw
vga_cell_chain4:
    callw vga_chain4_cell
1:  movb $8, %ah
2:  addb %al, %al
    cmpb $0, %es:(%di)
    je 3f
    orb $1, %al
3:  incw %di
    decb %ah
    jnz 2b
    movb %al, %ss:(%si)
    incw %si
    addw $312, %di
    loop 1b
    retw
vga_cell_packed:
    movw %cx, %di
    movzbw %dl, %cx
    shlw $3, %cx
    movb vga_bda_height, %al
    mulb %dh
    movw %ax, %dx
1:  movb $8, %bh
2:  addb %bl, %bl
    callw vga_vbe_get
    orl %eax, %eax
    jz 3f
    orb $1, %bl
3:  incw %cx
    decb %bh
    jnz 2b
    movb %bl, %ss:(%si)
    incw %si
    subw $8, %cx
    incw %dx
    decw %di
    jnz 1b
    retw
"##
    };
}
pub(crate) use text;
