//! Page 5: mode X, 320x240 with four planes: page flipping and smooth scrolling.

macro_rules! text {
    () => {
        r##"
    .set flip_frames, 360
    .set scroll_frames, 480         # 320 pixels there, 159 back

# CRTC values that make 240 lines of the 480-line timing, with planes side by side.
mode_x_crtc:
    .word 0x0d06, 0x3e07, 0x4109, 0xea10, 0xac11, 0xdf12, 0x0014, 0xe715, 0x0616, 0xe317

mode_x:
    movw $0x0013, %ax
    int $0x10
    movw $0x3c4, %dx
    movw $0x0604, %ax              # unchain the planes
    outw %ax, %dx
    movw $0x0100, %ax
    outw %ax, %dx
    movw $0x3c2, %dx
    movb $0xe3, %al
    outb %al, %dx
    movw $0x3c4, %dx
    movw $0x0300, %ax
    outw %ax, %dx
    movw $0x3d4, %dx
    movw $0x2c11, %ax              # unlock CRTC 0-7
    outw %ax, %dx
    movw $(mode_x_crtc-D), %si
    movw $10, %cx
1:  lodsw
    outw %ax, %dx
    loop 1b
    callw wave_palette
    # Below the waves' 16 colours 1-14 are free: dark blues for the backdrop.
    movw $0x3c8, %dx
    movb $1, %al
    outb %al, %dx
    incw %dx
    movb $1, %cl
1:  movb $0, %al
    outb %al, %dx
    movb %cl, %al
    outb %al, %dx
    addb %al, %al
    addb $6, %al
    outb %al, %dx
    incb %cl
    cmpb $14, %cl
    jbe 1b
    movw $0xa000, %ax
    movw %ax, %es

    # Two pages: one shows while the other is drawn.
    movw $80, pitch-D
    movw $0, frame-D
    movw $0, drawn_page-D
1:  callw mode_x_backdrop
    movw $6, %cx
2:  # Diamond CX: x and y from sines at different paces.
    pushw %cx
    movb frame-D, %al
    addb %al, %al
    movb %cl, %ah
    shlb $5, %ah
    addb %ah, %al
    movzbw %al, %bx
    movzbw sine-D(%bx), %ax
    movw %ax, %bx
    addw %ax, %ax
    addw %bx, %ax
    addw $34, %ax
    movw %ax, diamond_x-D
    movb frame-D, %al
    movb %al, %ah
    shrb $1, %ah
    addb %ah, %al
    movb %cl, %ah
    shlb $4, %ah
    addb %ah, %al
    movb %cl, %ah
    shlb $3, %ah
    addb %ah, %al
    movzbw %al, %bx
    movzbw sine-D(%bx), %ax
    addw %ax, %ax
    addw $36, %ax
    movw %ax, diamond_y-D
    movb %cl, %al
    shlb $5, %al                   # below the white of 255
    movb %al, line_color-D
    callw diamond
    popw %cx
    loop 2b
    movw $(flip_text-D), %si
    movw $4, %cx
    movw $228, %dx
    callw mode_x_text
    # Show it: the start address is taken over at the next retrace.
    movw $0x3d4, %dx
    movb $0x0c, %al
    movb drawn_page+1-D, %ah
    outw %ax, %dx
    incb %al
    movb drawn_page-D, %ah
    outw %ax, %dx
    callw retrace
    xorw $0x4b00, drawn_page-D
    movw $flip_frames, %ax
    callw next_frame
    jc 1b
    callw flush
    xorw %ax, %ax
    int $0x16

    # A picture 640 pixels wide, through which the screen moves by single pixels.
    movw $160, pitch-D
    movw $0, drawn_page-D
    movw $0x3d4, %dx
    movw $0x5013, %ax              # 160 bytes from line to line
    outw %ax, %dx
    movw $0x000c, %ax
    outw %ax, %dx
    movw $0x000d, %ax
    outw %ax, %dx
    # Colour = x xor y in half of the palette, plane by plane.
    movb $0, %ch
1:  movb %ch, %cl
    movw $0x0102, %ax
    shlb %cl, %ah
    movw $0x3c4, %dx
    outw %ax, %dx
    xorw %di, %di
    xorw %dx, %dx                  # y
2:  movzbw %ch, %bx                # x
3:  movw %bx, %ax
    xorw %dx, %ax
    andb $0x7f, %al
    addb $0x40, %al
    stosb
    addw $4, %bx
    cmpw $640, %bx
    jb 3b
    incw %dx
    cmpw $240, %dx
    jb 2b
    incb %ch
    cmpb $4, %ch
    jb 1b
    movw $(scroll_text-D), %si
    movw $208, %cx
    movw $228, %dx
    callw mode_x_text
    movw $0, frame-D
1:  # Pixel panning counts half pixels here, and takes effect with the start address.
    movw frame-D, %bx
    cmpw $320, %bx
    jb 2f
    negw %bx
    addw $640, %bx
2:  movw %bx, %ax
    shrw $2, %ax
    pushw %ax
    movw $0x3d4, %dx
    movb %al, %cl
    movb $0x0c, %al
    outw %ax, %dx
    incb %al
    movb %cl, %ah
    outw %ax, %dx
    popw %ax
    callw retrace                  # 3DAh was read: 3C0h takes an index
    movw $0x3c0, %dx
    movb $0x33, %al
    outb %al, %dx
    movb %bl, %al
    andb $3, %al
    addb %al, %al
    outb %al, %dx
    movw $scroll_frames, %ax
    callw next_frame
    jc 1b
    xorw %ax, %ax
    movw %ax, %es
    callw flush
    xorw %ax, %ax
    int $0x16
    retw

pitch: .word 80
drawn_page: .word 0
diamond_x: .word 0
diamond_y: .word 0
line_color: .byte 0
flip_text: .asciz "Mode X: two pages, flipped. Any key."
scroll_text: .asciz "640 pixels wide. Any key."

# The backdrop: bands of blue, darker towards the bottom.
mode_x_backdrop:
    movw $0x3c4, %dx
    movw $0x0f02, %ax
    outw %ax, %dx
    movw drawn_page-D, %di
    xorw %bx, %bx
1:  movb %bl, %al
    shrb $4, %al                   # 15 bands of 16 lines; the last two alike
    negb %al
    addb $14, %al
    jnz 2f
    incb %al
2:  movb %al, %ah
    movw $40, %cx
    rep stosw
    incw %bx
    cmpw $240, %bx
    jb 1b
    retw

# A diamond of radius 24 around diamond_x, diamond_y.
diamond:
    movw $-24, %bp
1:  movw %bp, %ax
    orw %ax, %ax
    jns 2f
    negw %ax
2:  movw $24, %si
    subw %ax, %si                  # half width
    movw diamond_x-D, %ax
    movw %ax, %bx
    subw %si, %ax
    addw %si, %bx
    movw diamond_y-D, %dx
    addw %bp, %dx
    callw span
    incb line_color-D
    incw %bp
    cmpw $24, %bp
    jle 1b
    retw

# Pixels AX to BX of line DX in line_color: whole bytes of four pixels, the ends by plane mask.
span:
    pushaw
    movw %ax, %si
    movw %dx, %ax
    mulw pitch-D
    addw drawn_page-D, %ax
    movw %ax, %di
    movw %si, %cx
    andb $3, %cl
    movb $0x0f, %ah
    shlb %cl, %ah
    andb $0x0f, %ah                # left mask
    movb %bl, %cl
    andb $3, %cl
    xorb $3, %cl
    movb $0x0f, %ch
    shrb %cl, %ch                  # right mask
    shrw $2, %si
    shrw $2, %bx
    addw %si, %di
    subw %si, %bx                  # bytes between
    movw $0x3c4, %dx
    movb $2, %al
    jnz 1f
    andb %ch, %ah
    outw %ax, %dx
    movb line_color-D, %al
    movb %al, %es:(%di)
    jmp 9f
1:  outw %ax, %dx
    movb line_color-D, %cl
    movb %cl, %es:(%di)
    incw %di
    movb $0x0f, %ah
    outw %ax, %dx
    decw %bx
    jz 3f
2:  movb %cl, %es:(%di)
    incw %di
    decw %bx
    jnz 2b
3:  movb %ch, %ah
    outw %ax, %dx
    movb %cl, %es:(%di)
9:  popaw
    retw

# String SI at pixel CX, line DX, white on what is there, with the ROM's 8x8 characters.
mode_x_text:
    pushaw
    pushw %es
    pushw %cx
    pushw %dx
    pushw %si
    movw $0x1130, %ax
    movb $3, %bh
    int $0x10
    movw %es, %ax
    movw %ax, %fs
    movw %bp, font-D
    popw %si
    popw %dx
    popw %cx
    popw %es
    movb $255, line_color-D
1:  lodsb
    orb %al, %al
    jz 9f
    movzbw %al, %di
    shlw $3, %di
    addw font-D, %di
    pushw %dx
    movb $8, %bh
2:  movb %fs:(%di), %bl
    pushw %cx
3:  addb %bl, %bl
    jnc 4f
    pushw %bx
    movw %cx, %ax
    movw %cx, %bx
    callw span
    popw %bx
4:  incw %cx
    orb %bl, %bl
    jnz 3b
    popw %cx
    incw %di
    incw %dx
    decb %bh
    jnz 2b
    popw %dx
    addw $8, %cx
    jmp 1b
9:  popaw
    retw
font: .word 0
"##
    };
}
pub(crate) use text;
