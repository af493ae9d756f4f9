//! Pixels of VBE modes through the 64 KiB window at A000h, and the DISPI registers.

macro_rules! text {
    () => {
        r##"
# Bochs display interface: index at 1CEh, data at 1CFh.
    .set vga_dispi_port, 0x1ce
    .set vga_dispi_id, 0           # B0C0h-B0C5h
    .set vga_dispi_xres, 1
    .set vga_dispi_yres, 2
    .set vga_dispi_bpp, 3
    .set vga_dispi_enable, 4       # bits: 0 enabled, 1 report limits, 5 8-bit DAC, 6 linear frame buffer, 7 keep memory
    .set vga_dispi_bank_reg, 5
    .set vga_dispi_width, 6        # virtual width, pixels
    .set vga_dispi_height, 7       # virtual height, lines
    .set vga_dispi_x, 8            # display start
    .set vga_dispi_y, 9
    .set vga_dispi_memory, 10      # 64 KiB units

# AX = register AX.
vga_dispi_read:
    pushw %dx
    movw $vga_dispi_port, %dx
    outw %ax, %dx
    incw %dx
    inw %dx, %ax
    popw %dx
    retw

# Register AX = CX.
vga_dispi_write:
    pushw %ax
    pushw %dx
    movw $vga_dispi_port, %dx
    outw %ax, %dx
    incw %dx
    movw %cx, %ax
    outw %ax, %dx
    popw %dx
    popw %ax
    retw

# The enable register = CX. A write to it makes the chip show bank 0 in the window, whatever the bank register
# says, so that is written again. Keeps all registers.
vga_dispi_enable_write:
    pushw %ax
    pushw %cx
    movw $vga_dispi_enable, %ax
    callw vga_dispi_write
    movw $vga_dispi_bank_reg, %ax
    callw vga_dispi_read
    movw %ax, %cx
    movw $vga_dispi_bank_reg, %ax
    callw vga_dispi_write
    popw %cx
    popw %ax
    retw

# Carry if there is no display interface with a linear frame buffer and 32 bits a pixel (B0C2h and later).
vga_dispi_check:
    pushw %ax
    pushw %cx
    movw $0xb0c5, %cx              # the chip shows what the guest says it knows
    movw $vga_dispi_id, %ax
    callw vga_dispi_read
    cmpw %cx, %ax
    je 1f
    movw $vga_dispi_id, %ax
    callw vga_dispi_write
    callw vga_dispi_read
1:  subw $0xb0c2, %ax
    cmpw $0x0e, %ax
    cmc
    popw %cx
    popw %ax
    retw

# Back to the VGA's own registers; nothing where there is no display interface.
vga_dispi_off:
    callw vga_dispi_check
    jc 1f
    pushw %ax
    pushw %cx
    movw $vga_dispi_enable, %ax
    xorw %cx, %cx
    callw vga_dispi_write
    movw $vga_dispi_bank_reg, %ax
    callw vga_dispi_write
    popw %cx
    popw %ax
1:  retw

# Fills in what the pixel routines need. Keeps all registers.
vga_vbe_begin:
    pushl %eax
    movb $0, vga_l_xor(%bp)
    movw $vga_dispi_bank_reg, %ax  # reading is quick, setting remaps memory
    callw vga_dispi_read
    movw %ax, vga_l_bank(%bp)
    movw $vga_dispi_bpp, %ax
    callw vga_dispi_read
    movb %al, vga_l_depth(%bp)
    addb $7, %al
    shrb $3, %al
    movb %al, vga_l_bytes(%bp)
    callw vga_vbe_pitch
    movl %eax, vga_l_pitch(%bp)
    popl %eax
    retw

# EAX = bytes a scan line of the current VBE mode (of one plane, if it has planes). Keeps the rest.
vga_vbe_pitch:
    pushl %ecx
    movw $vga_dispi_bpp, %ax
    callw vga_dispi_read
    movzwl %ax, %ecx
    movw $vga_dispi_width, %ax
    callw vga_dispi_read
    movzwl %ax, %eax
    cmpb $4, %cl
    jne 1f
    shrl $3, %eax
    jmp 2f
1:  addl $7, %ecx
    shrl $3, %ecx
    imull %ecx, %eax
2:  popl %ecx
    retw

# Sets the bank in which byte EAX of the frame buffer stands; ES = the window. Keeps the rest.
vga_bank:
    pushl %eax
    shrl $16, %eax
    cmpw %ax, vga_l_bank(%bp)
    je 1f
    movw %ax, vga_l_bank(%bp)
    pushw %cx
    movw %ax, %cx
    movw $vga_dispi_bank_reg, %ax
    callw vga_dispi_write
    popw %cx
1:  pushw $0xa000
    popw %es
    popl %eax
    retw

# Pixel value of colour AL: itself, or one of the 16 colours as red, green, blue. Changes EAX.
vga_vbe_color:
    cmpb $8, vga_l_depth(%bp)
    ja 1f
    movzbl %al, %eax
    jmp 3f
1:  pushl %edx
    pushw %bx
    movzbw %al, %bx
    andw $15, %bx
    shlw $2, %bx
    movl %cs:vga_rgb-vga_0(%bx), %eax
    popw %bx
    cmpb $24, vga_l_depth(%bp)
    jae 2f
    movl %eax, %edx
    shrb $3, %al                   # blue
    shrl $3, %edx
    pushl %ecx
    movl %edx, %ecx                # green and red, 3 lower
    andl $0x1f0000, %ecx
    shrl $6, %ecx                  # red at bit 10
    shrl $3, %edx
    andl $0x3e0, %edx              # green at bit 5, five bits
    cmpb $15, vga_l_depth(%bp)
    je 4f
    shll $1, %ecx
    shll $1, %edx
4:  andl $0x1f, %eax
    orl %ecx, %eax
    orl %edx, %eax
    popl %ecx
2:  popl %edx
3:  movl %eax, vga_l_value(%bp)
    retw
    .balign 4
vga_rgb:
    .long 0x000000, 0x0000aa, 0x00aa00, 0x00aaaa, 0xaa0000, 0xaa00aa, 0xaa5500, 0xaaaaaa
    .long 0x555555, 0x5555ff, 0x55ff55, 0x55ffff, 0xff5555, 0xff55ff, 0xffff55, 0xffffff

# ES = window with the pixel CX, DX set, EAX = byte address of it in the frame buffer. Keeps the rest.
vga_vbe_address:
    pushl %edx
    pushl %ecx
    movzwl %dx, %eax
    mull vga_l_pitch(%bp)
    movzwl %cx, %edx
    movzbl vga_l_bytes(%bp), %ecx
    imull %ecx, %edx
    addl %edx, %eax
    popl %ecx
    popl %edx
    retw

# Pixel CX, DX = vga_l_value, or exclusive or with it. Changes EAX.
vga_vbe_put:
    pushl %ebx
    pushl %edi
    pushl %ecx
    pushw %es
    callw vga_vbe_address
    movl %eax, %edi
    movl vga_l_value(%bp), %ebx
    movb vga_l_bytes(%bp), %cl
1:  movl %edi, %eax
    callw vga_bank
    testb $0x80, vga_l_xor(%bp)
    jnz 2f
    movb %bl, %es:(%di)
    jmp 3f
2:  xorb %bl, %es:(%di)
3:  shrl $8, %ebx
    incl %edi
    decb %cl
    jnz 1b
    popw %es
    popl %ecx
    popl %edi
    popl %ebx
    retw

# EAX = value of pixel CX, DX.
vga_vbe_get:
    cmpb $4, vga_l_depth(%bp)
    je 4f
    pushl %ebx
    pushl %edi
    pushl %ecx
    pushw %es
    callw vga_vbe_address
    movl %eax, %edi
    movzbl vga_l_bytes(%bp), %ecx
    addl %ecx, %edi
    xorl %ebx, %ebx
1:  decl %edi
    movl %edi, %eax
    callw vga_bank
    shll $8, %ebx
    movb %es:(%di), %bl
    decb %cl
    jnz 1b
    movl %ebx, %eax
    popw %es
    popl %ecx
    popl %edi
    popl %ebx
    retw
4:  pushw %bx
    pushw %cx
    pushw %dx
    pushl %edi
    pushw %es
    callw vga_vbe_bit
    callw vga_get_bit
    movzbl %al, %eax
    popw %es
    popl %edi
    popw %dx
    popw %cx
    popw %bx
    retw

# ES:DI = the byte with pixel CX, DX in a mode with planes, CL = its bit from the left. Changes EAX, EDX.
vga_vbe_bit:
    movzwl %dx, %eax
    mull vga_l_pitch(%bp)
    movzwl %cx, %edx
    shrl $3, %edx
    addl %edx, %eax
    movw %ax, %di
    andb $7, %cl
    jmp vga_bank
"##
    };
}
pub(crate) use text;
