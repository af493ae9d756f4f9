//! Page 6: VBE, 640x480 with 256 colours in a linear frame buffer, reached from real mode with a 4 GiB segment.

macro_rules! text {
    () => {
        r##"
    .set vbe_frames, 240
    .set vbe_info, 0x2000          # free memory, 512 bytes

vbe:
    # Information: is there VBE 2.0, and mode 101h with a linear frame buffer?
    movl $0x32454256, vbe_info     # "VBE2"
    movw $0x4f00, %ax
    movw $vbe_info, %di
    int $0x10
    cmpw $0x004f, %ax
    jne vbe_missing
    cmpw $0x0200, vbe_info+4
    jb vbe_missing
    movw $0x4f01, %ax
    movw $0x0101, %cx
    movw $vbe_info, %di
    int $0x10
    cmpw $0x004f, %ax
    jne vbe_missing
    testb $0x80, vbe_info
    jz vbe_missing
    movl vbe_info+40, %eax
    movl %eax, vbe_address-D
    movw vbe_info+16, %ax
    movw %ax, vbe_pitch-D
    movw $0x4f02, %ax
    movw $0x4101, %bx
    int $0x10
    cmpw $0x004f, %ax
    jne vbe_missing
    callw wave_palette
    callw a20_on
    callw unreal
    movw $0, frame-D
1:  callw retrace
    movl vbe_address-D, %edi
    xorw %cx, %cx                  # y
2:  pushl %edi
    # Sum of sines of y, of x and of x + y.
    movb frame-D, %al
    shlb $2, %al
    addb %cl, %al
    movzbw %al, %bx
    movb sine-D(%bx), %ch
    addb $16, %ch
    movb frame-D, %al
    addb %al, %al
    movzbw %al, %bx                # x
    addb %cl, %al
    addb frame-D, %al
    movzbw %al, %si                # x + y
    movw $160, %dx
    pushw %cx
3:  # Four pixels a write.
    movb $4, %cl
4:  movb sine-D(%bx), %al
    addb sine-D(%si), %al
    addb %ch, %al
    incb %bl
    incw %si
    andw $255, %si
    rorl $8, %eax
    decb %cl
    jnz 4b
    movl %eax, %fs:(%edi)
    addl $4, %edi
    decw %dx
    jnz 3b
    popw %cx
    xorb %ch, %ch
    popl %edi
    movzwl vbe_pitch-D, %eax
    addl %eax, %edi
    # y wraps in CL; lines are counted apart.
    incb %cl
    incw vbe_line-D
    cmpw $480, vbe_line-D
    jb 2b
    movw $0, vbe_line-D
    movw $vbe_frames, %ax
    callw next_frame
    jc 1b
    callw vbe_caption
    callw flush
    xorw %ax, %ax
    int $0x16
    retw

# The caption in the last 16 lines, white on black, drawn with the ROM's 8x16 characters: not every video BIOS
# writes text into its VBE modes.
vbe_caption:
    movw $0x1130, %ax
    movb $6, %bh
    int $0x10
    movw %es, %ax
    movw %ax, %gs
    movw %bp, font-D
    xorw %ax, %ax
    movw %ax, %es
    movzwl vbe_pitch-D, %eax
    imull $464, %eax, %edi
    addl vbe_address-D, %edi
    movw $(vbe_text-D), %si
1:  lodsb
    orb %al, %al
    jz 9f
    movzbw %al, %bx
    shlw $4, %bx
    addw font-D, %bx
    pushl %edi
    movb $16, %ch
2:  movb %gs:(%bx), %ah
    movb $8, %cl
3:  addb %ah, %ah
    sbbb %al, %al                  # 255 or 0
    movb %al, %fs:(%edi)
    incl %edi
    decb %cl
    jnz 3b
    movzwl vbe_pitch-D, %edx
    leal -8(%edi,%edx), %edi
    incw %bx
    decb %ch
    jnz 2b
    popl %edi
    addl $8, %edi
    jmp 1b
9:  retw

vbe_missing:
    movw $(vbe_title-D), %si
    callw page
    movw $(vbe_none-D), %si
    callw print
    jmp pause
vbe_address: .long 0
vbe_pitch: .word 0
vbe_line: .word 0
vbe_title: .asciz "VBE"
vbe_none: .asciz "This adapter has no VBE 2.0 mode 101h with a linear frame buffer."
vbe_text: .asciz "VBE mode 101h: 640x480, 256 colours, one linear frame buffer. Any key."

# Address line 20 on: by the BIOS, and by port 92h, bit 1 (bit 0 would reset).
a20_on:
    movw $0x2401, %ax
    int $0x15
    inb $0x92, %al
    orb $2, %al
    andb $0xfe, %al
    outb %al, $0x92
    retw

# "Unreal mode": FS gets a limit of 4 GiB in protected mode and keeps it in real mode. Base 0.
unreal:
    cli
    pushw %es
    lgdtw gdt_pointer-D
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    jmp 1f
1:  movw $sel_data, %bx
    movw %bx, %fs
    andb $0xfe, %al
    movl %eax, %cr0
    jmp 2f
2:  xorw %bx, %bx
    movw %bx, %fs
    popw %es
    sti
    retw
"##
    };
}
pub(crate) use text;
