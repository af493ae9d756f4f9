//! Function 10h: the attribute controller's palette and the DAC.

macro_rules! text {
    () => {
        r##"
vga_f10:
    cmpb $0x1b, %al
    ja 1f
    movzbw %al, %si
    addw %si, %si
    jmpw *%cs:vga_palette_functions-vga_0(%si)
1:  retw
    .balign 2
vga_palette_functions:
    .word vga_f1000-vga_0, vga_f1001-vga_0, vga_f1002-vga_0, vga_f1003-vga_0
    .word vga_none-vga_0, vga_none-vga_0, vga_none-vga_0, vga_f1007-vga_0
    .word vga_f1008-vga_0, vga_f1009-vga_0, vga_none-vga_0, vga_none-vga_0
    .word vga_none-vga_0, vga_none-vga_0, vga_none-vga_0, vga_none-vga_0
    .word vga_f1010-vga_0, vga_none-vga_0, vga_f1012-vga_0, vga_f1013-vga_0
    .word vga_none-vga_0, vga_f1015-vga_0, vga_none-vga_0, vga_f1017-vga_0
    .word vga_f1018-vga_0, vga_f1019-vga_0, vga_f101a-vga_0, vga_f101b-vga_0

# Attribute register AL = AH; the screen stays on. Keeps all registers.
vga_attr_write:
    pushw %ax
    pushw %dx
    callw vga_attr_reset
    movw $0x3c0, %dx
    outb %al, %dx
    movb %ah, %al
    outb %al, %dx
    movb $0x20, %al
    outb %al, %dx
    popw %dx
    popw %ax
    retw
# AH = attribute register AL. Keeps the rest.
vga_attr_read:
    pushw %dx
    pushw %ax
    callw vga_attr_reset
    movw $0x3c0, %dx
    outb %al, %dx
    incw %dx
    inb %dx, %al
    movb %al, %ah
    callw vga_attr_reset
    decw %dx
    movb $0x20, %al
    outb %al, %dx
    popw %dx                       # the caller's AL
    movb %dl, %al
    popw %dx
    retw

# 1000h: BL = register, BH = value.
vga_f1000:
    cmpb $0x14, %bl
    ja 1f
    movb %bl, %al
    movb %bh, %ah
    jmp vga_attr_write
1:  retw
# 1001h: BH = border.
vga_f1001:
    movb $0x11, %al
    movb %bh, %ah
    jmp vga_attr_write
# 1002h: ES:DX = 16 palette registers and the border.
vga_f1002:
    movw %dx, %si
    xorb %al, %al
1:  movb %es:(%si), %ah
    incw %si
    callw vga_attr_write
    incb %al
    cmpb $0x10, %al
    jb 1b
    movb %es:(%si), %ah
    incb %al
    jmp vga_attr_write
# 1003h: BL = 0: attribute bit 7 is the background's intensity, 1: it blinks.
vga_f1003:
    movb $0x10, %al
    callw vga_attr_read
    andb $0xf7, %ah
    andb $0xdf, vga_bda_mode_reg
    testb $1, %bl
    jz 1f
    orb $0x08, %ah
    orb $0x20, vga_bda_mode_reg
1:  jmp vga_attr_write
# 1007h: BH = register BL.
vga_f1007:
    cmpb $0x14, %bl
    ja 1f
    movb %bl, %al
    callw vga_attr_read
    movb %ah, vga_bh(%bp)
1:  retw
# 1008h: BH = border.
vga_f1008:
    movb $0x11, %al
    callw vga_attr_read
    movb %ah, vga_bh(%bp)
    retw
# 1009h: 16 palette registers and the border to ES:DX.
vga_f1009:
    movw %dx, %di
    xorb %al, %al
1:  callw vga_attr_read
    movb %ah, %es:(%di)
    incw %di
    incb %al
    cmpb $0x10, %al
    jb 1b
    incb %al
    callw vga_attr_read
    movb %ah, %es:(%di)
    retw

# 1010h: DAC register BX = DH, CH, CL.
vga_f1010:
    movb %dh, %ah
    movw $0x3c8, %dx
    movb %bl, %al
    outb %al, %dx
    movb %ah, %dh
    jmp vga_dac_write
# 1012h: CX registers from BX on, from ES:DX.
vga_f1012:
    movw %dx, %si
    movw $0x3c8, %dx
    movb %bl, %al
    outb %al, %dx
    movw %cx, %di
1:  orw %di, %di
    jz 2f
    movb %es:(%si), %dh
    movw %es:1(%si), %cx
    xchgb %cl, %ch
    addw $3, %si
    callw vga_dac_write
    decw %di
    jmp 1b
2:  retw
# 1013h: BL = 0: BH = 0: 4 pages of 64, 1: 16 pages of 16; BL = 1: BH = page.
vga_f1013:
    movb $0x10, %al
    callw vga_attr_read
    orb %bl, %bl
    jnz 1f
    andb $0x7f, %ah
    shlb $7, %bh
    orb %bh, %ah
    jmp vga_attr_write
1:  cmpb $1, %bl
    jne 3f
    andb $0x0f, %bh
    testb $0x80, %ah
    jnz 2f
    shlb $2, %bh                   # colour select bits 3-2 with pages of 64
    andb $0x0f, %bh
2:  movb $0x14, %al
    movb %bh, %ah
    jmp vga_attr_write
3:  retw
# 1015h: DH, CH, CL = DAC register BX.
vga_f1015:
    movw $0x3c7, %dx
    movb %bl, %al
    outb %al, %dx
    movb $0xc9, %dl
    inb %dx, %al
    movb %al, vga_dh(%bp)
    inb %dx, %al
    movb %al, vga_ch(%bp)
    inb %dx, %al
    movb %al, vga_cl(%bp)
    retw
# 1017h: CX registers from BX on to ES:DX.
vga_f1017:
    movw %dx, %di
    movw $0x3c7, %dx
    movb %bl, %al
    outb %al, %dx
    movb $0xc9, %dl
    jcxz 2f
1:  inb %dx, %al
    stosb
    inb %dx, %al
    stosb
    inb %dx, %al
    stosb
    loop 1b
2:  retw
# 1018h: pixel mask = BL. 1019h: BL = pixel mask.
vga_f1018:
    movw $0x3c6, %dx
    movb %bl, %al
    outb %al, %dx
    retw
vga_f1019:
    movw $0x3c6, %dx
    inb %dx, %al
    movb %al, vga_bl(%bp)
    retw
# 101Ah: BL = paging mode, BH = page.
vga_f101a:
    movb $0x10, %al
    callw vga_attr_read
    movb %ah, %bl
    shrb $7, %bl
    movb $0x14, %al
    callw vga_attr_read
    andb $0x0f, %ah
    orb %bl, %bl
    jnz 1f
    shrb $2, %ah
1:  movb %ah, %bh
    movw %bx, vga_bx(%bp)
    retw
# 101Bh: CX registers from BX on to gray.
vga_f101b:
    movw %cx, %di
1:  orw %di, %di
    jz 2f
    movw $0x3c7, %dx
    movb %bl, %al
    outb %al, %dx
    movb $0xc9, %dl
    inb %dx, %al
    movb %al, %ah
    inb %dx, %al
    movb %al, %ch
    inb %dx, %al
    movb %al, %cl
    pushw %ax
    movw $0x3c8, %dx
    movb %bl, %al
    outb %al, %dx
    popw %ax
    movb %ah, %dh
    callw vga_gray
    callw vga_dac_write
    incb %bl
    decw %di
    jmp 1b
2:  retw
"##
    };
}
pub(crate) use text;
