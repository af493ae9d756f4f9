//! Functions 0Bh-0Dh: CGA colours and single pixels.

macro_rules! text {
    () => {
        r##"
# 0Bh: BH = 0: BL = border, in modes 4-6 also background (text: border), bit 4 intense CGA colours; BH = 1: CGA palette BL.
vga_f0b:
    cmpb $1, %bh
    ja 9f
    je 2f
    movb vga_bda_palette, %al
    andb $0xe0, %al
    movb %bl, %ah
    andb $0x1f, %ah
    orb %ah, %al
    movb %al, vga_bda_palette
    # IRGB to the attribute controller's coding: I is bit 4.
    movb %bl, %ah
    andb $0x0f, %ah
    testb $8, %ah
    jz 1f
    addb $8, %ah
1:  movb $0x11, %al
    callw vga_attr_write
    callw vga_kind
    cmpw $vga_kind_text, %si
    je 9f
    xorb %al, %al
    callw vga_attr_write
    # Colours 1-3: intensity.
    movb $1, %cl
1:  movb %cl, %al
    callw vga_attr_read
    andb $0xef, %ah
    movb %bl, %ch
    andb $0x10, %ch
    orb %ch, %ah
    movb %cl, %al
    callw vga_attr_write
    incb %cl
    cmpb $4, %cl
    jb 1b
9:  retw
2:  movb vga_bda_palette, %al
    andb $0xdf, %al
    testb $1, %bl
    jz 1f
    orb $0x20, %al
1:  movb %al, vga_bda_palette
    callw vga_kind
    cmpw $vga_kind_text, %si
    je 9b
    # Colours 1-3: green, red, brown, or with blue added.
    andb $1, %bl
    movb $1, %cl
1:  movb %cl, %al
    callw vga_attr_read
    andb $0x10, %ah
    movb %cl, %ch
    addb %ch, %ch
    orb %bl, %ch
    orb %ch, %ah
    movb %cl, %al
    callw vga_attr_write
    incb %cl
    cmpb $4, %cl
    jb 1b
    retw

# Text modes have no pixels: as if the pixel were outside.
# 0Ch: AL = colour (bit 7: exclusive or, but not in modes of 256 colours or more), BH = page, CX = x, DX = y.
vga_f0c:
    movb %al, vga_l_attr(%bp)
    movb %bh, vga_l_back(%bp)
    callw vga_kind
    jmpw *%cs:vga_pixel_writes-vga_0(%si)
vga_f0d:
    movb %bh, vga_l_back(%bp)
    callw vga_kind
    callw *%cs:vga_pixel_reads-vga_0(%si)
    movb %al, vga_al(%bp)
    retw
    .balign 2
vga_pixel_writes:
    .word vga_none-vga_0, vga_put_cga4-vga_0, vga_put_cga2-vga_0, vga_put_planar-vga_0
    .word vga_put_chain4-vga_0, vga_put_packed-vga_0, vga_put_planes-vga_0
vga_pixel_reads:
    .word vga_get_none-vga_0, vga_get_cga4-vga_0, vga_get_cga2-vga_0, vga_get_planar-vga_0
    .word vga_get_chain4-vga_0, vga_get_packed-vga_0, vga_get_packed-vga_0
vga_get_none:
    xorb %al, %al
    retw

# ES:DI = the byte of the CGA scan line DX where byte column CX stands. Changes DX.
vga_cga_pixel:
    pushw $0xb800
    popw %es
    xorw %di, %di
    shrw $1, %dx
    jnc 1f
    movw $0x2000, %di
1:  imulw $80, %dx, %dx
    addw %dx, %di
    addw %cx, %di
    retw

vga_put_cga4:
    movb $3, %bl                   # mask of one pixel
    movb %cl, %bh
    shrw $2, %cx
    andb $3, %bh
    xorb $3, %bh
    addb %bh, %bh                  # shift
    jmp 1f
vga_put_cga2:
    movb $1, %bl
    movb %cl, %bh
    shrw $3, %cx
    andb $7, %bh
    xorb $7, %bh
1:  callw vga_cga_pixel
    movb %bh, %cl
    movb vga_l_attr(%bp), %al
    andb %bl, %al
    shlb %cl, %al
    shlb %cl, %bl
    testb $0x80, vga_l_attr(%bp)
    jnz 2f
    notb %bl
    andb %bl, %es:(%di)
    orb %al, %es:(%di)
    retw
2:  xorb %al, %es:(%di)
    retw
vga_get_cga4:
    movb $3, %bl
    movb %cl, %bh
    shrw $2, %cx
    andb $3, %bh
    xorb $3, %bh
    addb %bh, %bh
    jmp 1f
vga_get_cga2:
    movb $1, %bl
    movb %cl, %bh
    shrw $3, %cx
    andb $7, %bh
    xorb $7, %bh
1:  callw vga_cga_pixel
    movb %bh, %cl
    movb %es:(%di), %al
    shrb %cl, %al
    andb %bl, %al
    retw

# ES:DI = the byte of pixel CX, DX in page vga_l_back, CL = its bit counted from the left. Changes AX, DX.
vga_planar_pixel:
    pushw $0xa000
    popw %es
    movw %dx, %ax
    mulw vga_bda_columns
    movw %ax, %di
    movw %cx, %ax
    shrw $3, %ax
    addw %ax, %di
    movzbw vga_l_back(%bp), %ax
    andb $7, %al
    mulw vga_bda_page_size
    addw %ax, %di
    andb $7, %cl
    retw

vga_put_planar:
    callw vga_planar_pixel
# The pixel at ES:DI, bit CL from the left, gets colour vga_l_attr by write mode 2.
vga_put_bit:
    movw $0x3ce, %dx
    movw $0x8008, %ax
    shrb %cl, %ah
    outw %ax, %dx
    movw $0x0205, %ax
    outw %ax, %dx
    movb vga_l_attr(%bp), %bl
    testb $0x80, %bl
    jz 1f
    movw $0x1803, %ax
    outw %ax, %dx
1:  movb %es:(%di), %al            # fills the latches
    movb %bl, %es:(%di)
    movw $0x0003, %ax
    outw %ax, %dx
    movw $0x0005, %ax
    outw %ax, %dx
    movw $0xff08, %ax
    outw %ax, %dx
    retw

vga_get_planar:
    callw vga_planar_pixel
# AL = colour of the pixel at ES:DI, bit CL from the left.
vga_get_bit:
    movb $0x80, %bl
    shrb %cl, %bl
    xorb %cl, %cl
    movw $0x3ce, %dx
    movw $0x0304, %ax
1:  outw %ax, %dx
    addb %cl, %cl
    testb %bl, %es:(%di)
    jz 2f
    incb %cl
2:  decb %ah
    jns 1b
    movw $0x0004, %ax
    outw %ax, %dx
    movb %cl, %al
    retw

vga_put_chain4:
    pushw $0xa000
    popw %es
    imulw $320, %dx, %di
    addw %cx, %di
    movb vga_l_attr(%bp), %al
    movb %al, %es:(%di)
    retw
vga_get_chain4:
    pushw $0xa000
    popw %es
    imulw $320, %dx, %di
    addw %cx, %di
    movb %es:(%di), %al
    retw

vga_put_packed:
    callw vga_vbe_begin
    movb vga_l_attr(%bp), %al
    callw vga_vbe_color
    jmp vga_vbe_put
vga_get_packed:
    callw vga_vbe_begin
    jmp vga_vbe_get
vga_put_planes:
    callw vga_vbe_begin
    callw vga_vbe_bit
    jmp vga_put_bit
"##
    };
}
pub(crate) use text;
