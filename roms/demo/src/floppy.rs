//! Page B: one sector from the floppy by our own FDC and 8237 programming.

macro_rules! text {
    () => {
        r##"
    .set sector_buffer, 0x2200     # 512 bytes, in one 64 KiB page

floppy:
    movw $(floppy_title-D), %si
    callw page
    movw $(floppy_text-D), %si
    callw print
    movw $(floppy_running-D), %si
    callw status
    cli
    movl 0x0e*4, %eax              # IRQ 6
    movl %eax, old_floppy-D
    movw $(floppy_interrupt-D), 0x0e*4
    movw $0, 0x0e*4+2
    inb $0x21, %al
    movb %al, floppy_mask-D
    andb $0xbf, %al
    outb %al, $0x21
    sti
    movw $(floppy_reset-D), %si
    callw print
    # Digital output register: reset, then drive 0 with its motor and DMA on.
    movb $0, floppy_fired-D
    movw $0x3f2, %dx
    movb $0x10, %al
    outb %al, %dx
    movw $50, %cx
1:  inb $0x80, %al
    loop 1b
    movb $0x1c, %al
    outb %al, %dx
    callw floppy_wait
    jc floppy_failed
    # After a reset each of four drives reports: sense interrupt status.
    movw $4, %cx
2:  pushw %cx
    callw floppy_sense
    popw %cx
    jc floppy_failed
    loop 2b
    # 500 kbit/s.
    movw $0x3f7, %dx
    xorb %al, %al
    outb %al, %dx
    movw $(floppy_specify-D), %si
    callw floppy_command
    jc floppy_failed
    movw $10, %cx                  # motor: about half a second
    callw ticks
    movw $(floppy_seek-D), %si
    callw print
    movb $0, floppy_fired-D
    movw $(floppy_recalibrate-D), %si
    callw floppy_command
    jc floppy_failed
    callw floppy_wait
    jc floppy_failed
    callw floppy_sense
    jc floppy_failed
    movw $(floppy_transfer-D), %si
    callw print
    # 8237 channel 2: single mode, write to memory, count 511, page and address of the buffer.
    cli
    movb $0x06, %al
    outb %al, $0x0a                # mask the channel
    movb $0x46, %al
    outb %al, $0x0b
    outb %al, $0x0c                # clear the byte pointer
    movb $(sector_buffer&255), %al
    outb %al, $0x04
    movb $(sector_buffer>>8), %al
    outb %al, $0x04
    movb $0, %al
    outb %al, $0x81
    outb %al, $0x0c
    movb $0xff, %al
    outb %al, $0x05
    movb $0x01, %al
    outb %al, $0x05
    movb $0x02, %al
    outb %al, $0x0a
    sti
    movb $0, floppy_fired-D
    movw $(floppy_read-D), %si
    callw floppy_command
    jc floppy_failed
    callw floppy_wait
    jc floppy_failed
    # Seven result bytes.
    movw $7, %cx
    movw $(floppy_result-D), %di
3:  callw floppy_get
    jc floppy_failed
    stosb
    loop 3b
    testb $0xc0, floppy_result-D
    jnz floppy_failed
    movw $(floppy_done-D), %si
    callw print
    movw $(floppy_result-D), %si
    movw $7, %cx
4:  lodsb
    callw print_hex8
    incb column-D
    loop 4b
    movb $attr_text, attribute-D
    # The first 208 bytes.
    addb $2, row-D
    movw $sector_buffer, %si
    movw $12, %cx
5:  pushw %cx
    movb $2, column-D
    movb $attr_dim, attribute-D
    leaw -sector_buffer(%si), %ax
    callw print_hex16
    movb $8, column-D
    movb $attr_value, attribute-D
    movw $16, %cx
6:  lodsb
    callw print_hex8
    incb column-D
    cmpb $9, %cl
    jne 7f
    incb column-D
7:  loop 6b
    incb column-D
    movb $attr_text, attribute-D
    subw $16, %si
    movw $16, %cx
8:  lodsb
    cmpb $0x20, %al
    jb 9f
    cmpb $0x7f, %al
    jb 10f
9:  movb $0xfa, %al
10: callw put
    loop 8b
    incb row-D
    popw %cx
    loop 5b
    jmp floppy_end
floppy_failed:
    movw $(floppy_none-D), %si
    callw print
floppy_end:
    cli
    movb floppy_mask-D, %al
    outb %al, $0x21
    movl old_floppy-D, %eax
    movl %eax, 0x0e*4
    sti
    # Motor off, and the controller back to the BIOS.
    movw $0x3f2, %dx
    movb $0x0c, %al
    outb %al, %dx
    xorw %ax, %ax
    xorb %dl, %dl
    int $0x13
    jmp pause

# Waits CX ticks of 55 ms. Changes AX, CX.
ticks:
    pushw %bx
    movw 0x46c, %bx
1:  hlt
    movw 0x46c, %ax
    subw %bx, %ax
    cmpw %cx, %ax
    jb 1b
    popw %bx
    retw
# Waits for the interrupt, two seconds at most; carry if it does not come.
floppy_wait:
    movw 0x46c, %bx
1:  cmpb $0, floppy_fired-D
    jne 2f
    movw 0x46c, %ax
    subw %bx, %ax
    cmpw $36, %ax
    jb 1b
    stc
    retw
2:  clc
    retw
# Byte AL to the data register once the main status register asks for it (RQM, no DIO); carry after too long.
floppy_put:
    pushw %cx
    movb %al, %ah
    xorw %cx, %cx
1:  movw $0x3f4, %dx
    inb %dx, %al
    andb $0xc0, %al
    cmpb $0x80, %al
    je 2f
    loop 1b
    popw %cx
    stc
    retw
2:  incw %dx
    movb %ah, %al
    outb %al, %dx
    popw %cx
    clc
    retw
# AL = byte from the data register (RQM and DIO).
floppy_get:
    pushw %cx
    xorw %cx, %cx
1:  movw $0x3f4, %dx
    inb %dx, %al
    andb $0xc0, %al
    cmpb $0xc0, %al
    je 2f
    loop 1b
    popw %cx
    stc
    retw
2:  incw %dx
    inb %dx, %al
    popw %cx
    clc
    retw
# Length and bytes at SI.
floppy_command:
    lodsb
    movzbw %al, %cx
1:  lodsb
    callw floppy_put
    jc 2f
    loop 1b
    clc
2:  retw
floppy_sense:
    movb $0x08, %al
    callw floppy_put
    jc 1f
    callw floppy_get
    jc 1f
    callw floppy_get
1:  retw
floppy_interrupt:
    pushw %ax
    movb $1, %cs:floppy_fired-D
    movb $0x20, %al
    outb %al, $0x20
    popw %ax
    iretw
floppy_specify: .byte 3, 0x03, 0xdf, 0x02          # step 3 ms, unload 240 ms, load 2 ms, DMA
floppy_recalibrate: .byte 2, 0x07, 0x00
floppy_read: .byte 9, 0x46, 0, 0, 0, 1, 2, 1, 0x1b, 0xff   # MFM, cylinder 0, head 0, sector 1, 512 bytes, to sector 1
floppy_fired: .byte 0
floppy_mask: .byte 0
floppy_result: .space 7
old_floppy: .long 0
floppy_title: .asciz "Floppy"
floppy_running: .asciz "Reading..."
floppy_text:
    .ascii "No BIOS here: the floppy controller is told to read the first sector of the\n"
    .ascii "disk in drive A, and the DMA controller carries each byte to memory while\n"
    .asciz "the processor waits for one interrupt, line 6.\n\n"
floppy_reset: .asciz "Reset"
floppy_seek: .asciz ", motor, recalibrate"
floppy_transfer: .asciz ", read"
floppy_done: .asciz ". Result bytes: \1\13"
floppy_none: .asciz "\n\n\1\16No answer, or an error: there may be no disk in drive A.\1\7"
"##
    };
}
pub(crate) use text;
