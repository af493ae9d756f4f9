//! Functions 1Bh (state information) and 1Ch (save and restore), shared with VBE function 4F04h.

macro_rules! text {
    () => {
        r##"
# 1Bh: BX = 0: 64 bytes to ES:DI.
vga_f1b:
    orw %bx, %bx
    jnz 9f
    movw $vga_functionality-vga_0, %ax
    stosw
    movw %cs, %ax
    stosw
    movw $vga_bda_mode, %si        # 30 bytes, mode to CGA palette
    movw $30, %cx
    rep movsb
    movb vga_bda_rows, %al
    incb %al
    stosb
    movw vga_bda_height, %ax
    stosw
    pushw %di
    pushw %es
    movw $0x1a00, %ax
    int $0x10
    popw %es
    popw %di
    movw %bx, %ax                  # display codes
    stosw
    movzbw vga_bda_mode, %bx
    cmpw $0x13, %bx
    jbe 1f
    movw $0x13, %bx                # VBE: as mode 13h
1:  addw %bx, %bx
    movw %cs:vga_mode_colors-vga_0(%bx), %ax
    stosw
    shrw $1, %bx
    movb %cs:vga_mode_pages-vga_0(%bx), %al
    stosb
    # Scan lines: 0 200, 1 350, 2 400, 3 480.
    movb %cs:vga_mode_lines-vga_0(%bx), %al
    cmpb $4, %al
    jb 2f
    movb $2, %al
    testb $0x10, vga_bda_control
    jnz 2f
    decb %al
    testb $0x80, vga_bda_control
    jz 2f
    decb %al
2:  stosb
    # Character blocks: map A, map B (sequencer 3).
    movw $0x3c4, %dx
    movb $3, %al
    outb %al, %dx
    incw %dx
    inb %dx, %al
    movb %al, %ah
    movb %al, %bl
    shrb $2, %al
    andb $3, %al
    testb $0x20, %ah
    jz 3f
    orb $4, %al
3:  stosb
    movb %bl, %al
    andb $3, %al
    testb $0x10, %bl
    jz 4f
    orb $4, %al
4:  stosb
    # Flags.
    movb $1, %ah
    movb vga_bda_control, %al
    movb %al, %bl
    andb $0x0e, %al
    orb %al, %ah
    testb $1, vga_bda_info
    jnz 5f
    orb $0x10, %ah
5:  movb %ah, %bl
    movb $0x10, %al
    callw vga_attr_read
    shlb $2, %ah
    andb $0x20, %ah
    orb %ah, %bl
    movb %bl, %al
    stosb
    xorw %ax, %ax
    stosw
    stosb
    movb $3, %al                   # 256 KiB
    stosb
    # Save pointers: bit 4 display combination table.
    movb $0x10, %al
    stosb
    xorb %al, %al
    movw $13, %cx
    rep stosb
    movb $0x1b, vga_al(%bp)
9:  retw
# Static functionality table: modes 0-7, 0Dh-13h; 200, 350, 400 lines; 8 sets, 2 at once; all functions but the light pen.
vga_functionality:
    .byte 0xff, 0xe0, 0x0f, 0, 0, 0, 0, 7, 8, 2, 0xff, 0x0e, 0, 0, 0x10, 0
    .balign 2
vga_mode_colors:
    .word 16, 16, 16, 16, 4, 4, 2, 0, 0, 0, 0, 0, 0, 16, 16, 0, 16, 2, 16, 256
vga_mode_pages:
    .byte 8, 8, 8, 8, 1, 1, 1, 8, 0, 0, 0, 0, 0, 8, 4, 2, 2, 1, 1, 1
vga_mode_lines:                    # 4: by the text modes' setting
    .byte 4, 4, 4, 4, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1, 1, 3, 3, 0

# 1Ch: AL = 0 size, 1 save, 2 restore; CX bits: 0 registers, 1 BIOS data, 2 DAC; buffer at ES:BX.
vga_f1c:
    cmpb $2, %al
    ja 9f
    andw $7, %cx
    callw vga_state
    jc 9f
    movb $0x1c, vga_al(%bp)
    # The size, if asked for, goes back in BX.
    movw vga_l_size(%bp), %bx
    orw %bx, %bx
    jz 9f
    movw %bx, vga_bx(%bp)
9:  retw

    .set vga_l_size, -2            # word: blocks of 64 bytes, 0 if not asked for
    .set vga_l_parts, -4           # word

# The parts of a saved state, in the order in which they stand: 8 DISPI, 1 registers, 2 BIOS data, 4 DAC.
    .set vga_state_dispi, 18
    .set vga_state_registers, 66
    .set vga_state_bios, 52
    .set vga_state_dac, 770

# AL = 0 size to vga_l_size, 1 save to ES:BX, 2 restore from it; CX = parts. Carry if no part is asked for.
vga_state:
    movw $0, vga_l_size(%bp)
    movw %cx, vga_l_parts(%bp)
    orw %cx, %cx
    stc
    jz 9f
    cmpb $1, %al
    je 1f
    ja 2f
    movw $63, %ax
    testb $8, %cl
    jz 3f
    addw $vga_state_dispi, %ax
3:  testb $1, %cl
    jz 3f
    addw $vga_state_registers, %ax
3:  testb $2, %cl
    jz 3f
    addw $vga_state_bios, %ax
3:  testb $4, %cl
    jz 3f
    addw $vga_state_dac, %ax
3:  shrw $6, %ax
    movw %ax, vga_l_size(%bp)
    clc
9:  retw
1:  movw %bx, %di
    testb $8, vga_l_parts(%bp)
    jz 1f
    callw vga_save_dispi
1:  testb $1, vga_l_parts(%bp)
    jz 1f
    callw vga_save_registers
1:  testb $2, vga_l_parts(%bp)
    jz 1f
    callw vga_save_bios
1:  testb $4, vga_l_parts(%bp)
    jz 1f
    callw vga_save_dac
1:  clc
    retw
2:  movw %bx, %si
    testb $8, vga_l_parts(%bp)
    jz 1f
    callw vga_restore_dispi
1:  testb $1, vga_l_parts(%bp)
    jz 1f
    callw vga_restore_registers
1:  testb $2, vga_l_parts(%bp)
    jz 1f
    callw vga_restore_bios
1:  testb $4, vga_l_parts(%bp)
    jz 1f
    callw vga_restore_dac
1:  clc
    retw

# Registers 0 to AH-1 behind index port DX to ES:DI; and back.
vga_save_indexed:
    xorb %al, %al
1:  outb %al, %dx
    pushw %ax
    incw %dx
    inb %dx, %al
    decw %dx
    stosb
    popw %ax
    incb %al
    cmpb %ah, %al
    jb 1b
    retw
vga_restore_indexed:
    movb %ah, %cl
    xorb %ch, %ch
1:  lodsb %es:(%si), %al
    movb %al, %ah
    movb %ch, %al
    outw %ax, %dx
    incb %ch
    cmpb %cl, %ch
    jb 1b
    retw

vga_save_registers:
    movw $0x3cc, %dx
    inb %dx, %al
    stosb                          # miscellaneous output
    movw $0x3d4, %bx
    testb $1, %al
    jnz 1f
    movb $0xb4, %bl
1:  movb $0xca, %dl
    inb %dx, %al
    stosb                          # feature control
    movb $0xc4, %dl
    inb %dx, %al
    stosb                          # the indexes
    movw %bx, %dx
    inb %dx, %al
    stosb
    movw $0x3ce, %dx
    inb %dx, %al
    stosb
    callw vga_attr_reset
    movb $0xc0, %dl
    inb %dx, %al
    stosb
    pushw %ax
    movb $0xc4, %dl
    movb $5, %ah
    callw vga_save_indexed
    movw %bx, %dx
    movb $0x19, %ah
    callw vga_save_indexed
    movw $0x3ce, %dx
    movb $9, %ah
    callw vga_save_indexed
    xorb %cl, %cl
1:  callw vga_attr_reset
    movw $0x3c0, %dx
    movb %cl, %al
    outb %al, %dx
    incw %dx
    inb %dx, %al
    stosb
    incb %cl
    cmpb $0x15, %cl
    jb 1b
    callw vga_attr_reset
    popw %ax
    decw %dx
    outb %al, %dx                  # the index again, with its screen-on bit
    # The other index registers as they were.
    movb %es:-64(%di), %al
    movb $0xc4, %dl
    outb %al, %dx
    movb %es:-63(%di), %al
    movw %bx, %dx
    outb %al, %dx
    movb %es:-62(%di), %al
    movw $0x3ce, %dx
    outb %al, %dx
    retw

vga_restore_registers:
    pushw %si
    movw $0x3c4, %dx
    movw $0x0100, %ax
    outw %ax, %dx                  # reset while the clock changes
    lodsb %es:(%si), %al
    movw $0x3d4, %bx
    testb $1, %al
    jnz 1f
    movb $0xb4, %bl
1:  movb $0xc2, %dl
    outb %al, %dx
    lodsb %es:(%si), %al
    movw %bx, %dx
    addb $6, %dl
    outb %al, %dx                  # feature control
    addw $4, %si
    movw $0x3c4, %dx
    movb $5, %ah
    callw vga_restore_indexed
    movw $0x0300, %ax
    outw %ax, %dx
    movw %bx, %dx
    movw $0x0011, %ax              # CRTC 0-7 unlocked
    outw %ax, %dx
    movb $0x19, %ah
    callw vga_restore_indexed
    movw $0x3ce, %dx
    movb $9, %ah
    callw vga_restore_indexed
    callw vga_attr_reset
    movw $0x3c0, %dx
    xorb %cl, %cl
1:  movb %cl, %al
    outb %al, %dx
    lodsb %es:(%si), %al
    outb %al, %dx
    incb %cl
    cmpb $0x15, %cl
    jb 1b
    popw %bx
    pushw %si
    movw %bx, %si
    movb %es:5(%si), %al
    outb %al, %dx
    movb %es:2(%si), %al
    movb $0xc4, %dl
    outb %al, %dx
    movb $0xce, %dl
    movb %es:4(%si), %al
    outb %al, %dx
    movw $0x3d4, %dx
    testb $1, %es:(%si)
    jnz 1f
    movb $0xb4, %dl
1:  movb %es:3(%si), %al
    outb %al, %dx
    popw %si
    retw

vga_save_bios:
    movw $vga_bda_mode, %si
    movw $30, %cx
    rep movsb
    movw $vga_bda_rows, %si
    movw $7, %cx
    rep movsb
    movw $vga_bda_save_ptr, %si
    movsw
    movsw
    movb vga_bda_equipment, %al
    andb $0x30, %al
    stosb
    pushw $0
    popw %fs
    movl %fs:0x1f*4, %eax
    stosl
    movl %fs:0x43*4, %eax
    stosl
    xorw %ax, %ax
    stosw
    retw
vga_restore_bios:
    movw $vga_bda_mode, %di
    movw $30, %cx
    callw 1f
    movw $vga_bda_rows, %di
    movw $7, %cx
    callw 1f
    movw $vga_bda_save_ptr, %di
    movw $4, %cx
    callw 1f
    lodsb %es:(%si), %al
    andb $0x30, %al
    andb $0xcf, vga_bda_equipment
    orb %al, vga_bda_equipment
    pushw $0
    popw %fs
    lodsl %es:(%si), %eax
    movl %eax, %fs:0x1f*4
    lodsl %es:(%si), %eax
    movl %eax, %fs:0x43*4
    addw $2, %si
    retw
1:  lodsb %es:(%si), %al
    movb %al, (%di)
    incw %di
    loop 1b
    retw

vga_save_dac:
    movw $0x3c6, %dx
    inb %dx, %al
    stosb
    movb $0xc8, %dl
    inb %dx, %al
    stosb
    movb $0xc7, %dl
    xorb %al, %al
    outb %al, %dx
    movb $0xc9, %dl
    movw $768, %cx
    rep insb
    movb $0xc8, %dl
    movb %es:-769(%di), %al
    outb %al, %dx
    retw
vga_restore_dac:
    movw $0x3c6, %dx
    lodsb %es:(%si), %al
    outb %al, %dx
    lodsb %es:(%si), %al
    pushw %ax
    movb $0xc8, %dl
    xorb %al, %al
    outb %al, %dx
    incw %dx
    movw $768, %cx
1:  lodsb %es:(%si), %al
    outb %al, %dx
    loop 1b
    popw %ax
    decw %dx
    outb %al, %dx
    retw

# DISPI registers 1-9. The enable register goes first on the way out, and last on the way back, with the memory kept.
vga_save_dispi:
    movw $1, %bx
1:  movw %bx, %ax
    callw vga_dispi_read
    stosw
    incw %bx
    cmpw $9, %bx
    jbe 1b
    retw
vga_restore_dispi:
    callw vga_dispi_check
    jc 3f
    callw vga_dispi_off
    testb $1, %es:6(%si)
    jz 3f
    movw $1, %bx
    movb $3, %dl
    callw 1f                       # resolution, depth
    movw $vga_dispi_enable, %ax
    movw %es:6(%si), %cx
    orb $0x80, %cl
    callw vga_dispi_write
    movw $5, %bx                   # bank, virtual size, start: only an enabled display takes them
    movb $9, %dl
    callw 1f
3:  addw $vga_state_dispi, %si
    retw
# Registers BX to DL from the saved state at ES:SI, but for the virtual height, which follows from the width.
1:  movw %bx, %ax
    movw %bx, %di
    addw %di, %di
    addw %si, %di
    movw %es:-2(%di), %cx
    cmpb $vga_dispi_height, %al
    je 2f
    callw vga_dispi_write
2:  incw %bx
    cmpb %dl, %bl
    jbe 1b
    retw
"##
    };
}
pub(crate) use text;
