//! Page 4: a plasma in mode 13h.

macro_rules! text {
    () => {
        r##"
    .set plasma_frames, 420        # six seconds

# The palette: three sines, a third of a circle apart; but 0 is black and 15 and 255 are white.
wave_palette:
    movw $0x3c8, %dx
    xorb %al, %al
    outb %al, %dx
    incw %dx
    xorw %bx, %bx
1:  movb %bl, %al
    callw 2f
    addb $85, %al
    callw 2f
    addb $85, %al
    callw 2f
    incb %bl
    jnz 1b
    movw $(wave_fixed-D), %si
    movb $3, %cl
3:  lodsb
    decw %dx
    outb %al, %dx
    incw %dx
    lodsb
    outb %al, %dx
    outb %al, %dx
    outb %al, %dx
    decb %cl
    jnz 3b
    retw
2:  pushw %ax
    movzbw %al, %si
    movb sine-D(%si), %al
    movb $13, %ah
    mulb %ah
    shrw $4, %ax
    outb %al, %dx
    popw %ax
    retw
wave_fixed: .byte 0, 0, 15, 63, 255, 63

plasma:
    movw $0x0013, %ax
    int $0x10
    callw wave_palette
    movw $0xa000, %ax
    movw %ax, %es
    movw $0, frame-D
1:  callw retrace
    # Sum of three sines: of x, of y and of both, each moving at its own pace.
    xorw %di, %di
    xorb %cl, %cl                  # y
2:  movb %cl, %al
    addb %al, %al
    subb frame-D, %al
    movzbw %al, %bx
    movb sine-D(%bx), %ch
    addb $16, %ch
    movb frame-D, %dl
    movzbw %dl, %bx
    addb %dl, %dl
    addb frame-D, %dl
    addb %cl, %dl
    movzbw %dl, %si
    movw $320, %dx
3:  movb sine-D(%bx), %al
    addb sine-D(%si), %al
    addb %ch, %al
    stosb
    incb %bl
    incw %si
    andw $255, %si
    decw %dx
    jnz 3b
    incb %cl
    cmpb $200, %cl
    jb 2b
    movw $plasma_frames, %ax
    callw next_frame
    jc 1b
    xorw %ax, %ax
    movw %ax, %es
    movw $(plasma_text-D), %si
    movw $0x1800, %dx
# The caption by the BIOS, which writes text in mode 13h too; then a key.
    movb $2, %ah
    xorb %bh, %bh
    int $0x10
1:  lodsb
    orb %al, %al
    jz 2f
    movb $0x0e, %ah
    movw $0x000f, %bx
    int $0x10
    jmp 1b
2:  callw flush
    xorw %ax, %ax
    int $0x16
    retw
frame: .word 0

# On to the next of AX pictures; a key leads to the last one. Carry while there are more.
next_frame:
    incw frame-D
    callw key_waits
    jc 1f
    pushw %ax
    callw flush
    popw %ax
    cmpw %ax, frame-D
    jae 1f
    movw %ax, frame-D
    decw frame-D
1:  cmpw %ax, frame-D
    retw
plasma_text: .asciz "Mode 13h: 320x200x256. Any key."
"##
    };
}
pub(crate) use text;
