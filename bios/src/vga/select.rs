//! Functions 12h (alternate select) and 1Ah (display combination), print screen.

macro_rules! text {
    () => {
        r##"
# 12h: BL = what. 30h-36h answer AL = 12h.
vga_f12:
    cmpb $0x10, %bl
    je vga_f1210
    cmpb $0x20, %bl
    je vga_f1220
    movb %bl, %ah
    subb $0x30, %ah
    cmpb $6, %ah
    ja 1f
    movzbw %ah, %si
    addw %si, %si
    callw *%cs:vga_select_functions-vga_0(%si)
    jc 1f
    movb $0x12, vga_al(%bp)
1:  retw
    .balign 2
vga_select_functions:
    .word vga_f1230-vga_0, vga_f1231-vga_0, vga_f1232-vga_0, vga_f1233-vga_0
    .word vga_f1234-vga_0, vga_f1235-vga_0, vga_f1236-vga_0

# BH = 1 monochrome, BL = 3: 256 KiB, CH = feature bits, CL = switches.
vga_f1210:
    movb vga_bda_equipment, %al
    andb $0x30, %al
    cmpb $0x30, %al
    sete %bh
    movb $3, %bl
    movw %bx, vga_bx(%bp)
    movb vga_bda_switches, %al
    movb %al, %ah
    andb $0x0f, %al
    shrb $4, %ah
    movb %al, vga_cl(%bp)
    movb %ah, vga_ch(%bp)
    retw

# INT 5 = our print screen, which knows how many rows there are.
vga_f1220:
    pushw $0
    popw %fs
    movw $vga_print_screen-vga_0, %fs:5*4
    movw %cs, %fs:5*4+2
    retw

# AL = 0: 200, 1: 350, 2: 400 lines in text modes, from the next mode set on.
vga_f1230:
    cmpb $2, %al
    ja vga_unknown
    movb vga_bda_control, %ah
    andb $0x6f, %ah
    orb %al, %al
    jnz 1f
    orb $0x80, %ah
1:  cmpb $2, %al
    jne 2f
    orb $0x10, %ah
2:  movb %ah, vga_bda_control
    clc
    retw
vga_unknown:
    stc
    retw

# AL = 0: default palette at a mode set, 1: none.
vga_f1231:
    movb $8, %ah
    jmp 1f
# AL = 0: gray scale summing, 1: none.
vga_f1233:
    movb $2, %ah
    xorb $1, %al
1:  cmpb $1, %al
    ja vga_unknown
    notb %ah
    andb %ah, vga_bda_control
    notb %ah
    orb %al, %al
    jz 2f
    orb %ah, vga_bda_control
2:  clc
    retw

# AL = 0: the CPU reaches the video memory and ports, 1: it does not (miscellaneous output bit 1).
vga_f1232:
    cmpb $1, %al
    ja vga_unknown
    movb %al, %ah
    movw $0x3cc, %dx
    inb %dx, %al
    movb $0xc2, %dl
    andb $0xfd, %al
    orb %ah, %ah
    jnz 1f
    orb $2, %al
1:  outb %al, %dx
    clc
    retw

# AL = 0: cursor emulation, 1: none.
vga_f1234:
    cmpb $1, %al
    ja vga_unknown
    andb $0xfe, vga_bda_info
    orb %al, vga_bda_info
    clc
    retw

# Display switch: there is one display.
vga_f1235:
    clc
    retw

# AL = 0: screen on, 1: off (sequencer clocking mode bit 5).
vga_f1236:
    cmpb $1, %al
    ja vga_unknown
    movb %al, %ah
    movw $0x3c4, %dx
    movb $1, %al
    outb %al, %dx
    incw %dx
    inb %dx, %al
    andb $0xdf, %al
    shlb $5, %ah
    orb %ah, %al
    outb %al, %dx
    clc
    retw

# 1Ah: AL = 0: BX = display codes (BL active, BH other); 1: set them.
vga_f1a:
    cmpb $1, %al
    ja 9f
    je 2f
    movzbw vga_bda_dcc, %si
    xorw %bx, %bx
    addw %si, %si
    cmpw $32, %si
    jae 1f
    movw %cs:vga_dcc_table-vga_0+4(%si), %bx
    # The active one goes to BL: of two, the one that the equipment word names; ours has one.
    orb %bl, %bl
    jnz 1f
    xchgb %bl, %bh
1:  movw %bx, vga_bx(%bp)
    jmp 8f
2:  # The entry with these two codes, in either order.
    movw $32, %si
3:  subw $2, %si
    js 9f
    movw %cs:vga_dcc_table-vga_0+4(%si), %ax
    cmpw %ax, %bx
    je 4f
    xchgb %al, %ah
    cmpw %ax, %bx
    jne 3b
4:  shrw $1, %si
    movw %si, %ax
    movb %al, vga_bda_dcc
8:  movb $0x1a, vga_al(%bp)
9:  retw

# INT 5: the screen's characters to printer 0; 50:0 = 1 while it runs, 0 when done, FFh after an error.
vga_print_screen:
    pushaw
    pushw %ds
    sti
    pushw $0x50
    popw %ds
    cmpb $1, 0
    je 9f
    movb $1, 0
    movb $0x0f, %ah
    int $0x10                      # AH = columns, BH = page
    movb %ah, %cl
    movb $3, %ah
    pushw %cx
    int $0x10
    popw %cx
    pushw %dx
    pushw $0x40
    popw %ds
    movb vga_bda_rows, %ch
    incb %ch
    pushw $0x50
    popw %ds
    callw vga_print_line_end
    jc 8f
    xorb %dh, %dh
1:  xorb %dl, %dl
2:  movb $2, %ah
    int $0x10
    movb $8, %ah
    int $0x10
    orb %al, %al
    jnz 3f
    movb $0x20, %al
3:  callw vga_print
    jc 8f
    incb %dl
    cmpb %cl, %dl
    jb 2b
    callw vga_print_line_end
    jc 8f
    incb %dh
    cmpb %ch, %dh
    jb 1b
    movb $0, 0
    jmp 7f
8:  movb $0xff, 0
7:  popw %dx
    movb $2, %ah
    int $0x10
9:  popw %ds
    popaw
    iretw
vga_print_line_end:
    movb $13, %al
    callw vga_print
    jc 1f
    movb $10, %al
# AL to printer 0, carry if it fails (INT 17h status: time-out, error, no paper).
vga_print:
    pushw %dx
    xorw %dx, %dx
    xorb %ah, %ah
    int $0x17
    popw %dx
    testb $0x29, %ah
    jz 1f
    stc
1:  retw
"##
    };
}
pub(crate) use text;
