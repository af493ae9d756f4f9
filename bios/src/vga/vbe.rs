//! VBE functions 4F00h-4F0Ah on the Bochs display interface (VESA VBE Core Functions Standard 2.0, section 4).
//!
//! One file because the VBE functions share the mode table and its labels.

macro_rules! text {
    () => {
        r##"
    .set vga_l_max_x, -26
    .set vga_l_max_y, -28
    .set vga_l_max_bits, -30
    .set vga_l_memory, -32         # word: 64 KiB units

# AL = function. A handler answers with AH = 0, or with carry and AH = what it failed of.
vga_vbe:
    callw vga_dispi_check
    jc 8f
    cmpb $0x0a, %al
    ja 8f
    movw $vga_functions_vbe-vga_0, %si
    xorb %ah, %ah
    addw %ax, %ax
    addw %ax, %si
    movw %cs:(%si), %si
    cmpb $2*2, %al
    ja 2f
    callw vga_vbe_limits
    jmp 3f
2:  callw vga_vbe_memory           # the others, bank switching above all, should be quick
3:  callw *%si
    jc 1f
    movb $0, %ah
1:  movb $0x4f, %al
    movw %ax, vga_ax(%bp)
    retw
8:  movw $0x0100, vga_ax(%bp)      # not supported
    retw
    .balign 2
vga_functions_vbe:
    .word vga_vbe00-vga_0, vga_vbe01-vga_0, vga_vbe02-vga_0, vga_vbe03-vga_0
    .word vga_vbe04-vga_0, vga_vbe05-vga_0, vga_vbe06-vga_0, vga_vbe07-vga_0
    .word vga_vbe08-vga_0, vga_vbe09-vga_0, vga_vbe0a-vga_0

# The largest mode and the memory, for this call. Keeps all registers.
vga_vbe_limits:
    pushw %ax
    pushw %cx
    movw $vga_dispi_enable, %ax
    callw vga_dispi_read
    pushw %ax
    orb $2, %al                    # the geometry registers report their limits
    movw %ax, %cx
    callw vga_dispi_enable_write
    movw $vga_dispi_xres, %ax
    callw vga_dispi_read
    movw %ax, vga_l_max_x(%bp)
    movw $vga_dispi_yres, %ax
    callw vga_dispi_read
    movw %ax, vga_l_max_y(%bp)
    movw $vga_dispi_bpp, %ax
    callw vga_dispi_read
    movw %ax, vga_l_max_bits(%bp)
    popw %cx
    callw vga_dispi_enable_write
    popw %cx
    popw %ax
    # falls through
# The memory: its register came with B0C5h; before, there were 4 MiB. Keeps all registers.
vga_vbe_memory:
    pushw %ax
    pushw %cx
    movw $64, %cx
    movw $vga_dispi_id, %ax
    callw vga_dispi_read
    cmpw $0xb0c5, %ax
    jb 1f
    movw $vga_dispi_memory, %ax
    callw vga_dispi_read
    orw %ax, %ax
    jz 1f
    movw %ax, %cx
1:  movw %cx, vga_l_memory(%bp)
    popw %cx
    popw %ax
    retw

# Carry if the mode at CS:SI does not fit. Keeps all registers.
vga_vbe_fits:
    pushl %eax
    pushl %edx
    movw %cs:2(%si), %ax
    cmpw %ax, vga_l_max_x(%bp)
    jb 1f
    movw %cs:4(%si), %ax
    cmpw %ax, vga_l_max_y(%bp)
    jb 1f
    movw %cs:6(%si), %ax
    cmpw %ax, vga_l_max_bits(%bp)
    jb 1f
    callw vga_vbe_line_bytes
    movzwl %cs:4(%si), %edx
    imull %edx, %eax
    cmpw $4, %cs:6(%si)
    jne 2f
    shll $2, %eax                  # four planes
2:  movzwl vga_l_memory(%bp), %edx
    shll $16, %edx
    cmpl %eax, %edx
1:  popl %edx
    popl %eax
    retw
# EAX = bytes a scan line of the mode at CS:SI.
vga_vbe_line_bytes:
    pushl %edx
    movzwl %cs:2(%si), %eax
    movzwl %cs:6(%si), %edx
    cmpb $4, %dl
    jne 1f
    shrl $3, %eax
    jmp 2f
1:  addl $7, %edx
    shrl $3, %edx
    imull %edx, %eax
2:  popl %edx
    retw
# SI = entry of mode AX, carry if there is none or it does not fit.
vga_vbe_find:
    movw $vga_vbe_modes-vga_0, %si
1:  cmpw $0, %cs:(%si)
    je 2f
    cmpw %ax, %cs:(%si)
    je vga_vbe_fits
    addw $8, %si
    jmp 1b
2:  stc
    retw

# 00h: information block to ES:DI, 512 bytes if it begins with "VBE2".
vga_vbe00:
    movw %di, %bx                  # BX = the block
    movw $128, %cx
    xorl %edx, %edx
    cmpl $0x32454256, %es:(%bx)    # "VBE2"
    jne 1f
    incw %dx
    addw %cx, %cx
1:  xorw %ax, %ax
    rep stosw
    movl $0x41534556, %es:(%bx)    # "VESA"
    movw $0x0200, %es:4(%bx)
    movw $vga_vbe_oem-vga_0, %es:6(%bx)
    movw %cs, %es:8(%bx)
    movl $1, %es:10(%bx)           # the DAC switches to 8 bits
    leaw 0x22(%bx), %ax
    movw %ax, %es:14(%bx)
    movw %es, %es:16(%bx)
    movw vga_l_memory(%bp), %ax
    movw %ax, %es:18(%bx)
    # The modes that fit.
    leaw 0x22(%bx), %di
    movw $vga_vbe_modes-vga_0, %si
2:  movw %cs:(%si), %ax
    orw %ax, %ax
    jz 4f
    callw vga_vbe_fits
    jc 3f
    stosw
3:  addw $8, %si
    jmp 2b
4:  movw $0xffff, %ax
    stosw
    orw %dx, %dx
    jz 9f
    # Strings into the second half.
    movw $0x0100, %es:20(%bx)
    leaw 0x100(%bx), %di
    movw $vga_vbe_oem-vga_0, %si
    leaw 6(%bx), %cx
    callw 5f
    leaw 22(%bx), %cx
    callw 5f
    leaw 26(%bx), %cx
    callw 5f
    leaw 30(%bx), %cx
    callw 5f
9:  clc
    retw
# Copies the string at CS:SI to ES:DI and puts the pointer at ES:CX.
5:  xchgw %cx, %bx
    movw %di, %es:(%bx)
    movw %es, %es:2(%bx)
    xchgw %cx, %bx
6:  lodsb %cs:(%si), %al
    stosb
    orb %al, %al
    jnz 6b
    retw
vga_vbe_oem:
    .asciz "Boxwood VGA BIOS"
    .asciz "The Boxwood project"
    .asciz "VGA with Bochs display interface"
    .asciz "1.0"

# 01h: information on mode CX, 256 bytes to ES:DI.
vga_vbe01:
    movw %cx, %ax
    andw $0x1ff, %ax
    callw vga_vbe_find
    movb $1, %ah
    jc 9f
    movw %di, %bx
    movw $128, %cx
    xorw %ax, %ax
    rep stosw
    # Supported, text output, colour, graphics; with a linear frame buffer but for planes.
    movw $0x009f, %es:(%bx)
    cmpw $4, %cs:6(%si)
    jne 1f
    movw $0x001f, %es:(%bx)
1:  movb $7, %es:2(%bx)            # window A: there, readable, writable
    movw $64, %es:4(%bx)
    movw $64, %es:6(%bx)
    movw $0xa000, %es:8(%bx)
    movw $vga_vbe_window-vga_0, %es:12(%bx)
    movw %cs, %es:14(%bx)
    callw vga_vbe_line_bytes
    movw %ax, %es:16(%bx)
    movw %ax, %es:50(%bx)          # linear modes: the same
    movl %eax, %ecx
    movw %cs:2(%si), %ax
    movw %ax, %es:18(%bx)
    movw %cs:4(%si), %ax
    movw %ax, %es:20(%bx)
    movzwl %ax, %eax
    imull %eax, %ecx               # bytes an image, of one plane
    movw $0x1008, %es:22(%bx)      # characters 8x16
    cmpw $350, %ax
    jae 2f
    movb $8, %es:23(%bx)
2:  movb $1, %es:24(%bx)           # planes
    movb $1, %es:26(%bx)           # banks
    movb $1, %es:30(%bx)
    movb %cs:6(%si), %al
    movb %al, %es:25(%bx)
    movb $3, %es:27(%bx)           # memory model: planar
    cmpb $4, %al
    ja 3f
    movb $4, %es:24(%bx)
    shll $2, %ecx
    jmp 5f
3:  movb $4, %es:27(%bx)           # packed pixel
    cmpb $8, %al
    je 4f
    movb $6, %es:27(%bx)           # direct colour
    # Masks: 15, 16, 24, 32 bits.
    movw $vga_vbe_masks-vga_0, %di
    cmpb $15, %al
    je 2f
    addw $8, %di
    cmpb $16, %al
    je 2f
    addw $8, %di
    cmpb $24, %al
    je 2f
    addw $8, %di
2:  movl %cs:(%di), %eax
    movl %eax, %es:31(%bx)
    movl %eax, %es:54(%bx)
    movl %cs:4(%di), %eax
    movl %eax, %es:35(%bx)
    movl %eax, %es:58(%bx)
    cmpb $0, %cs:6(%di)
    je 4f
    movb $2, %es:39(%bx)           # the rest of a pixel may be used
4:  callw vga_frame_buffer
    movl %eax, %es:40(%bx)
5:  # Images that fit, less one.
    movzwl vga_l_memory(%bp), %eax
    shll $16, %eax
    xorl %edx, %edx
    divl %ecx
    decl %eax
    cmpl $255, %eax
    jbe 6f
    movl $255, %eax
6:  movb %al, %es:29(%bx)
    movb %al, %es:52(%bx)
    movb %al, %es:53(%bx)
    clc
9:  retw

# EAX = address of the linear frame buffer: base address 0 of PCI device 1234:1111, else E0000000h. Keeps the rest.
vga_frame_buffer:
    pushl %ebx
    pushl %ecx
    pushw %dx
    movw $0xcf8, %dx
    inl %dx, %eax
    pushl %eax
    movl $0x80000000, %ebx         # bus 0, device by device
1:  movl %ebx, %eax
    movw $0xcf8, %dx
    outl %eax, %dx
    movb $0xfc, %dl
    inl %dx, %eax
    cmpl $0x11111234, %eax
    je 2f
    addl $0x800, %ebx
    cmpl $0x80010000, %ebx
    jb 1b
    movl $0xe0000000, %ecx
    jmp 3f
2:  movl %ebx, %eax
    movb $0x10, %al
    movb $0xf8, %dl
    outl %eax, %dx
    movb $0xfc, %dl
    inl %dx, %eax
    andl $0xfffffff0, %eax
    movl %eax, %ecx
3:  popl %eax
    movb $0xf8, %dl
    outl %eax, %dx
    movl %ecx, %eax
    popw %dx
    popl %ecx
    popl %ebx
    retw

# 02h: BX = mode; bit 14 linear, bit 15 keep the memory.
vga_vbe02:
    movw %bx, %ax
    andw $0x3fff, %ax
    cmpw $0x100, %ax
    jae 1f
    # A standard mode.
    testb $0x80, %al
    jnz 8f
    movb %bh, %cl
    movb %al, %bl
    callw vga_check_mode
    jc 8f
    andb $0x80, %cl
    movb %cl, %bh
    callw vga_dispi_off
    andb $0x7f, vga_bda_info
    orb %bh, vga_bda_info
    callw vga_program
    clc
    retw
1:  andw $0x37ff, %ax              # a standard timing serves for one of the caller's (bit 11)
    callw vga_vbe_find
    jc 8f
    cmpw $4, %cs:6(%si)
    jne 2f
    testb $0x40, %bh
    jnz 8f                         # planes have no linear frame buffer
2:  andb $0x7f, vga_bda_info
    movb %bh, %al
    andb $0x80, %al
    orb %al, vga_bda_info
    pushw %bx
    pushw %si
    callw vga_dispi_off
    # The VGA behind it as in mode 12h or 13h.
    movb $0x13, %bl
    cmpw $4, %cs:6(%si)
    jne 3f
    movb $0x12, %bl
3:  callw vga_find_parameters
    callw vga_program_registers
    callw vga_load_colors
    popw %si
    popw %bx
    movw $vga_dispi_xres, %ax
    movw %cs:2(%si), %cx
    callw vga_dispi_write
    movw $vga_dispi_yres, %ax
    movw %cs:4(%si), %cx
    callw vga_dispi_write
    movw $vga_dispi_bpp, %ax
    movw %cs:6(%si), %cx
    callw vga_dispi_write
    movw $vga_dispi_enable, %ax
    movb %bh, %cl
    andw $0xc0, %cx                # bit 6 linear, bit 7 keep the memory: as DISPI has them
    orb $1, %cl
    callw vga_dispi_write
    movw $vga_dispi_width, %ax
    movw %cs:2(%si), %cx
    callw vga_dispi_write
    xorw %cx, %cx
    movw $vga_dispi_x, %ax
    callw vga_dispi_write
    movw $vga_dispi_y, %ax
    callw vga_dispi_write
    movw $vga_dispi_bank_reg, %ax
    callw vga_dispi_write
    # BIOS data area.
    andb $0xcf, vga_bda_equipment
    orb $0x20, vga_bda_equipment
    movb $vga_mode_vbe, vga_bda_mode
    movw %cs:2(%si), %ax
    shrw $3, %ax
    movw %ax, vga_bda_columns
    movw %cs:4(%si), %ax
    movb $16, %bl
    cmpw $350, %ax
    jae 4f
    movb $8, %bl
4:  divb %bl
    decb %al
    movb %al, vga_bda_rows
    movzbw %bl, %ax
    movw %ax, vga_bda_height
    xorw %ax, %ax
    movw %ax, vga_bda_page_size
    movw %ax, vga_bda_page_start
    movb %al, vga_bda_page
    movw %ax, vga_bda_shape
    movw $0x3d4, vga_bda_crtc
    pushw %ds
    popw %es
    movw $vga_bda_cursor, %di
    movw $8, %cx
    rep stosw
    movb vga_bda_height, %al
    callw vga_font_of_height
    callw vga_set_int43
    callw vga_palette_on
    clc
    retw
8:  movb $1, %ah
    stc
    retw

# 03h: BX = mode, as it was set.
vga_vbe03:
    cmpb $vga_mode_vbe, vga_bda_mode
    je 1f
    movzbw vga_bda_mode, %bx
    jmp 4f
1:  movw $vga_dispi_xres, %ax
    callw vga_dispi_read
    movw %ax, %bx
    movw $vga_dispi_yres, %ax
    callw vga_dispi_read
    movw %ax, %cx
    movw $vga_dispi_bpp, %ax
    callw vga_dispi_read
    movw %ax, %dx
    movw $vga_vbe_modes-vga_0, %si
2:  cmpw $0, %cs:(%si)
    je 5f
    cmpw %bx, %cs:2(%si)
    jne 3f
    cmpw %cx, %cs:4(%si)
    jne 3f
    cmpw %dx, %cs:6(%si)
    je 6f
3:  addw $8, %si
    jmp 2b
5:  movw $0x1ff, %bx               # set by somebody else: whole memory
    jmp 7f
6:  movw %cs:(%si), %bx
7:  movw $vga_dispi_enable, %ax
    callw vga_dispi_read
    andb $0x40, %al
    orb %al, %bh
4:  movb vga_bda_info, %al
    andb $0x80, %al
    orb %al, %bh
    movw %bx, vga_bx(%bp)
    clc
    retw

# 04h: DL = 0 size (BX = blocks of 64 bytes), 1 save to ES:BX, 2 restore; CX = parts.
vga_vbe04:
    movb $1, %ah
    cmpb $2, %dl
    ja 9f
    movb %dl, %al
    andw $15, %cx
    callw vga_state
    movb $1, %ah
    jc 9f
    movw vga_l_size(%bp), %bx
    orw %bx, %bx
    jz 8f
    movw %bx, vga_bx(%bp)
8:  clc
    retw
9:  stc
    retw

# 05h: BH = 0: window BL to bank DX, 1: DX = bank; not in linear modes.
vga_vbe05:
    movw $vga_dispi_enable, %ax
    callw vga_dispi_read
    andb $0x41, %al
    cmpb $0x41, %al
    je 7f
    orb %bl, %bl
    jnz 8f
    cmpb $1, %bh
    ja 8f
    je 1f
    movw $vga_dispi_bpp, %ax
    callw vga_dispi_read
    movw vga_l_memory(%bp), %cx
    cmpb $4, %al
    jne 2f
    shrw $2, %cx                   # of each plane
2:  cmpw %cx, %dx
    jae 8f
    movw %dx, %cx
    movw $vga_dispi_bank_reg, %ax
    callw vga_dispi_write
    clc
    retw
1:  movw $vga_dispi_bank_reg, %ax
    callw vga_dispi_read
    movw %ax, vga_dx(%bp)
    clc
    retw
7:  movb $3, %ah
    stc
    retw
8:  movb $1, %ah
    stc
    retw

# The same by far call; changes AX and DX at most.
vga_vbe_window:
    orb %bl, %bl
    jnz 9f
    cmpb $1, %bh
    ja 9f
    je 1f
    pushw %cx
    movw %dx, %cx
    movw $vga_dispi_bank_reg, %ax
    callw vga_dispi_write
    popw %cx
    movw $0x004f, %ax
    lretw
1:  movw $vga_dispi_bank_reg, %ax
    callw vga_dispi_read
    movw %ax, %dx
    movw $0x004f, %ax
    lretw
9:  movw $0x014f, %ax
    lretw

# Carry, with AH = 3, if no VBE mode is set.
vga_vbe_active:
    pushw %ax
    movw $vga_dispi_enable, %ax
    callw vga_dispi_read
    testb $1, %al
    popw %ax
    jnz 1f
    movb $3, %ah
    stc
1:  retw

# EAX = lines of EAX bytes that the memory holds, at most 65535. Changes EDX.
vga_vbe_lines:
    pushl %ecx
    movl %eax, %ecx
    movw $vga_dispi_bpp, %ax
    callw vga_dispi_read
    cmpb $4, %al
    jne 1f
    shll $2, %ecx
1:  movzwl vga_l_memory(%bp), %eax
    shll $16, %eax
    xorl %edx, %edx
    orl %ecx, %ecx
    jz 2f
    divl %ecx
2:  cmpl $0xffff, %eax
    jbe 3f
    movl $0xffff, %eax
3:  popl %ecx
    retw

# 06h: BL = 0: CX = pixels a line, 1: none, 2: CX = bytes a line; 3: the largest. Gives BX = bytes, CX = pixels, DX = lines.
vga_vbe06:
    callw vga_vbe_active
    jc 9f
    callw vga_vbe_begin
    cmpb $3, %bl
    ja 8f
    je 5f
    cmpb $1, %bl
    je 4f
    movzwl %cx, %ecx
    cmpb $4, vga_l_depth(%bp)
    je 2f
    orb %bl, %bl
    jz 3f
    movl %ecx, %eax
    movzbl vga_l_bytes(%bp), %ecx
    addl %ecx, %eax
    decl %eax
    xorl %edx, %edx
    divl %ecx
    movl %eax, %ecx
    jmp 3f
2:  orb %bl, %bl
    jz 1f
    shll $3, %ecx
1:  addl $7, %ecx                  # whole bytes
    andl $0xfffffff8, %ecx
3:  movw $vga_dispi_xres, %ax
    callw vga_dispi_read
    movzwl %ax, %eax
    cmpl %eax, %ecx
    jae 1f
    movl %eax, %ecx                # a line holds at least what is shown
1:  callw vga_vbe_widest
    cmpl %eax, %ecx
    ja 7f
    movw $vga_dispi_width, %ax
    callw vga_dispi_write
4:  movw $vga_dispi_width, %ax
    callw vga_dispi_read
    movw %ax, vga_cx(%bp)
    callw vga_vbe_pitch
    movw %ax, vga_bx(%bp)
    callw vga_vbe_lines
    movw %ax, vga_dx(%bp)
    clc
    retw
5:  callw vga_vbe_widest
    movw %ax, vga_cx(%bp)
    movzbl vga_l_bytes(%bp), %ecx
    imull %eax, %ecx
    cmpb $4, vga_l_depth(%bp)
    jne 6f
    shrl $3, %ecx
6:  movw %cx, vga_bx(%bp)
    movw $vga_dispi_yres, %ax
    callw vga_dispi_read
    movw %ax, vga_dx(%bp)
    clc
    retw
7:  movb $2, %ah
    stc
    retw
8:  movb $1, %ah
    stc
9:  retw

# EAX = pixels of the longest line with which the screen's height still fits: a multiple of 8, below 16 Ki and 64 Ki bytes.
vga_vbe_widest:
    pushl %ecx
    pushl %edx
    movw $vga_dispi_yres, %ax
    callw vga_dispi_read
    movzwl %ax, %ecx
    movzwl vga_l_memory(%bp), %eax
    shll $16, %eax
    xorl %edx, %edx
    orl %ecx, %ecx
    jz 1f
    divl %ecx                      # bytes a line, all planes
1:  cmpb $4, vga_l_depth(%bp)
    jne 2f
    addl %eax, %eax
    jmp 3f
2:  cmpl $0xffff, %eax
    jbe 4f
    movl $0xffff, %eax
4:  movzbl vga_l_bytes(%bp), %ecx
    xorl %edx, %edx
    divl %ecx
3:  andl $0xfffffff8, %eax
    cmpl $0x3ff8, %eax
    jbe 5f
    movl $0x3ff8, %eax
5:  popl %edx
    popl %ecx
    retw

# 07h: BL = 0, or 80h with the next retrace: display start CX, DX; 1: what it is.
vga_vbe07:
    callw vga_vbe_active
    jc 9f
    cmpb $1, %bl
    je 4f
    movb %bl, %al
    andb $0x7f, %al
    jnz 8f
    callw vga_vbe_begin
    # It must lie within the memory.
    movw $vga_dispi_xres, %ax
    callw vga_dispi_read
    addw %cx, %ax
    jc 7f
    movw %ax, %si
    movw $vga_dispi_width, %ax
    callw vga_dispi_read
    cmpw %si, %ax
    jb 7f
    pushl %edx
    callw vga_vbe_pitch
    callw vga_vbe_lines
    popl %edx
    movw %ax, %di
    movw $vga_dispi_yres, %ax
    callw vga_dispi_read
    addw %dx, %ax
    jc 7f
    cmpw %ax, %di
    jb 7f
    testb $0x80, %bl
    jz 3f
    pushw %cx
    pushw %dx
    callw vga_wait_retrace
    popw %dx
    popw %cx
3:  movw $vga_dispi_x, %ax
    callw vga_dispi_write
    movw $vga_dispi_y, %ax
    movw %dx, %cx
    callw vga_dispi_write
    clc
    retw
4:  movb $0, vga_bh(%bp)
    movw $vga_dispi_x, %ax
    callw vga_dispi_read
    movw %ax, vga_cx(%bp)
    movw $vga_dispi_y, %ax
    callw vga_dispi_read
    movw %ax, vga_dx(%bp)
    clc
    retw
7:  movb $2, %ah
    stc
    retw
8:  movb $1, %ah
    stc
9:  retw

# To the start of a vertical retrace, bounded where there is none. Changes AL, ECX, DX.
vga_wait_retrace:
    movw $0x3da, %dx
    movl $0x40000, %ecx
1:  inb %dx, %al
    testb $8, %al
    jz 2f
    decl %ecx
    jnz 1b
2:  inb %dx, %al
    testb $8, %al
    jnz 3f
    decl %ecx
    jg 2b
3:  retw

# 08h: BL = 0: DAC with BH bits, 1: BH = bits a colour.
vga_vbe08:
    cmpb $1, %bl
    ja 8f
    movw $vga_dispi_bpp, %ax
    callw vga_dispi_read
    movw %ax, %dx
    movw $vga_dispi_enable, %ax
    callw vga_dispi_read
    testb $1, %al
    jz 1f
    cmpb $8, %dl
    ja 7f                          # direct colour: the DAC is not in use
1:  orb %bl, %bl
    jnz 3f
    andb $0xdf, %al
    cmpb $8, %bh
    jb 2f
    orb $0x20, %al
2:  orb $0x80, %al                 # the memory stays
    movw %ax, %cx
    callw vga_dispi_enable_write
    movw $vga_dispi_enable, %ax
    callw vga_dispi_read
3:  movb $6, %bh
    testb $0x20, %al
    jz 4f
    movb $8, %bh
4:  movb %bh, vga_bh(%bp)
    clc
    retw
7:  movb $3, %ah
    stc
    retw
8:  movb $1, %ah
    stc
    retw

# 09h: BL = 0 or 80h: CX DAC registers from DX on from ES:DI (blue, green, red, 0 each); 1: to ES:DI.
vga_vbe09:
    cmpw $256, %cx
    ja 8f
    movw %cx, %ax
    addw %dx, %ax
    jc 8f
    cmpw $256, %ax
    ja 8f
    cmpb $1, %bl
    je 3f
    testb $0x7f, %bl
    jnz 7f                         # no secondary palette
    testb $0x80, %bl
    jz 1f
    pushl %ecx
    pushw %dx
    callw vga_wait_retrace
    popw %dx
    popl %ecx
1:  movb %dl, %al
    movw $0x3c8, %dx
    outb %al, %dx
    incw %dx
    jcxz 5f
2:  movb %es:2(%di), %al
    outb %al, %dx
    movb %es:1(%di), %al
    outb %al, %dx
    movb %es:(%di), %al
    outb %al, %dx
    addw $4, %di
    loop 2b
5:  clc
    retw
3:  movb %dl, %al
    movw $0x3c7, %dx
    outb %al, %dx
    movb $0xc9, %dl
    jcxz 5b
4:  inb %dx, %al
    movb %al, %es:2(%di)
    inb %dx, %al
    movb %al, %es:1(%di)
    inb %dx, %al
    movb %al, %es:(%di)
    movb $0, %es:3(%di)
    addw $4, %di
    loop 4b
    clc
    retw
7:  movb $2, %ah
    stc
    retw
8:  movb $1, %ah
    stc
    retw

# 0Ah: BL = 0: ES:DI = protected-mode table, CX = its length.
vga_vbe0a:
    orb %bl, %bl
    jnz 8b
    movw %cs, vga_es(%bp)
    movw $vga_pm-vga_0, vga_di(%bp)
    movw $vga_pm_end-vga_pm, vga_cx(%bp)
    clc
    retw

# Code that a 32-bit program copies and calls near. It keeps what it does not return, but for EAX.
    .balign 4
vga_pm:
    .word vga_pm_window-vga_pm, vga_pm_start-vga_pm, vga_pm_palette-vga_pm, vga_pm_ports-vga_pm
vga_pm_ports:
    .word 0x1ce, 0x1cf, 0x3c8, 0x3c9, 0x3da, 0xffff, 0xffff
    .code32
# BL = 0, BH = 0: window to bank DX.
vga_pm_window:
    testw %bx, %bx
    jnz 9f
    pushl %edx
    pushl %edx
    movw $vga_dispi_port, %dx
    movw $vga_dispi_bank_reg, %ax
    outw %ax, %dx
    incl %edx
    popl %eax
    outw %ax, %dx
    popl %edx
    movl $0x004f, %eax
    retl
9:  movl $0x014f, %eax
    retl
# BL = 0 or 80h: DX:CX = address of the first byte shown, in units of 4 bytes.
vga_pm_start:
    pushl %ebx
    pushl %ecx
    pushl %edx
    pushl %esi
    pushl %edi
    testb $0x80, %bl
    jz 3f
    pushl %ecx
    pushl %edx
    movl $0x40000, %ecx
    movw $0x3da, %dx
1:  inb %dx, %al
    testb $8, %al
    jz 2f
    decl %ecx
    jnz 1b
2:  inb %dx, %al
    testb $8, %al
    jnz 1f
    decl %ecx
    jg 2b
1:  popl %edx
    popl %ecx
3:  shll $16, %edx
    movzwl %cx, %ecx
    orl %ecx, %edx
    shll $2, %edx
    movl %edx, %edi                # byte address
    movw $vga_dispi_port, %dx
    movl $vga_dispi_bpp, %eax
    outw %ax, %dx
    incl %edx
    xorl %eax, %eax
    inw %dx, %ax
    addl $7, %eax
    shrl $3, %eax
    movl %eax, %esi                # bytes a pixel
    decl %edx
    movl $vga_dispi_width, %eax
    outw %ax, %dx
    incl %edx
    xorl %eax, %eax
    inw %dx, %ax
    imull %esi, %eax
    movl %eax, %ecx
    jecxz 9f
    movl %edi, %eax
    xorl %edx, %edx
    divl %ecx
    movl %eax, %edi                # line
    movl %edx, %eax
    xorl %edx, %edx
    divl %esi
    movl %eax, %esi                # pixel
    movw $vga_dispi_port, %dx
    movl $vga_dispi_x, %eax
    outw %ax, %dx
    incl %edx
    movl %esi, %eax
    outw %ax, %dx
    decl %edx
    movl $vga_dispi_y, %eax
    outw %ax, %dx
    incl %edx
    movl %edi, %eax
    outw %ax, %dx
9:  popl %edi
    popl %esi
    popl %edx
    popl %ecx
    popl %ebx
    movl $0x004f, %eax
    retl
# BL = 0 or 80h: CX DAC registers from DX on from ES:EDI.
vga_pm_palette:
    testb $0x7f, %bl
    jnz 9f
    pushl %ecx
    pushl %edx
    pushl %edi
    testb $0x80, %bl
    jz 3f
    pushl %ecx
    pushl %edx
    movl $0x40000, %ecx
    movw $0x3da, %dx
1:  inb %dx, %al
    testb $8, %al
    jz 2f
    decl %ecx
    jnz 1b
2:  inb %dx, %al
    testb $8, %al
    jnz 1f
    decl %ecx
    jg 2b
1:  popl %edx
    popl %ecx
3:  movzwl %cx, %ecx
    movb %dl, %al
    movw $0x3c8, %dx
    outb %al, %dx
    incl %edx
    jecxz 5f
4:  movb %es:2(%edi), %al
    outb %al, %dx
    movb %es:1(%edi), %al
    outb %al, %dx
    movb %es:(%edi), %al
    outb %al, %dx
    addl $4, %edi
    decl %ecx
    jnz 4b
5:  popl %edi
    popl %edx
    popl %ecx
    movl $0x004f, %eax
    retl
9:  movl $0x024f, %eax
    retl
    .code16
vga_pm_end:
"##
    };
}
pub(crate) use text;
