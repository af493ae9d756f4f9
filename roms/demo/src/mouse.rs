//! Page 9: the mouse, by its own three bytes and interrupt line 12.

macro_rules! text {
    () => {
        r##"
mouse:
    movw $(mouse_title-D), %si
    callw page
    movw $(mouse_text-D), %si
    callw print
    movw $320, mouse_x-D
    movw $200, mouse_y-D
    movb $0, mouse_at-D
    movw $0, mouse_shown-D
    movw $0, mouse_count-D
    movb $1, mouse_moved-D
    movl $0, mouse_packet-D
    cli
    # IRQ 12 is interrupt 74h; it comes through IRQ 2 of the first controller.
    movl 0x74*4, %eax
    movl %eax, old_mouse-D
    movw $(mouse_interrupt-D), 0x74*4
    movw $0, 0x74*4+2
    inb $0x21, %al
    movb %al, mouse_mask-D
    andb $0xfb, %al
    outb %al, $0x21
    inb $0xa1, %al
    movb %al, mouse_mask+1-D
    andb $0xef, %al
    outb %al, $0xa1
    # 8042: A8h opens the second port; bit 1 of the command byte lets it interrupt, bit 5 would close it.
    movb $0xa8, %al
    callw kbc_command
    movb $0x20, %al
    callw kbc_command
    callw kbc_get
    movb %al, mouse_mode-D
    jc mouse_missing
    orb $0x02, %al
    andb $0xdf, %al
    movb %al, %ah
    movb $0x60, %al
    callw kbc_command
    movb %ah, %al
    callw kbc_put
    # Mouse: F6h as after a reset, F4h send packets. Each is acknowledged by FAh.
    movb $0xf6, %al
    callw mouse_send
    jc mouse_missing
    movb $0xf4, %al
    callw mouse_send
    jc mouse_missing
    sti
    movw $(mouse_status-D), %si
    callw status
    callw flush
1:  cmpb $0, mouse_moved-D
    je 3f
    movb $0, mouse_moved-D
    # The pointer is a cell in inverse: taken away, and shown again behind the figures.
    cmpw $0, mouse_shown-D
    je 2f
    callw mouse_cell
2:  movb $8, row-D
    movb $2, column-D
    movw $(mouse_bytes-D), %si
    callw print
    movb mouse_packet-D, %al
    callw print_hex8
    incb column-D
    movb mouse_packet+1-D, %al
    callw print_hex8
    incb column-D
    movb mouse_packet+2-D, %al
    callw print_hex8
    movw $(mouse_number-D), %si
    callw print
    movzwl mouse_count-D, %eax
    callw print_dec
    movw $(mouse_where-D), %si
    callw print
    movzwl mouse_x-D, %eax
    movb $3, %cl
    callw print_dec_right
    movw $(mouse_and-D), %si
    callw print
    movzwl mouse_y-D, %eax
    callw print_dec_right
    movw $(mouse_press-D), %si
    callw print
    movb mouse_packet-D, %bl
    movw $(mouse_left-D), %si
    movb $1, %bh
    callw mouse_button
    movw $(mouse_middle-D), %si
    movb $4, %bh
    callw mouse_button
    movw $(mouse_right-D), %si
    movb $2, %bh
    callw mouse_button
    callw mouse_cell
3:  hlt
    callw key_waits
    jc 1b
    callw flush
    callw mouse_end
    retw
mouse_missing:
    callw mouse_end
    movw $(mouse_none-D), %si
    callw print
    jmp pause

# Everything as it was: F5h sends no more packets.
mouse_end:
    cli
    movb $0xf5, %al
    callw mouse_send
    movb $0x60, %al
    callw kbc_command
    movb mouse_mode-D, %al
    callw kbc_put
    movb mouse_mask-D, %al
    outb %al, $0x21
    movb mouse_mask+1-D, %al
    outb %al, $0xa1
    movl old_mouse-D, %eax
    movl %eax, 0x74*4
    sti
    retw

# Byte AL to the mouse; carry if it does not acknowledge. Interrupts are off.
mouse_send:
    pushw %ax
    movb $0xd4, %al                # the next byte is for the second port
    callw kbc_command
    popw %ax
    callw kbc_put
    movb $16, %ah                  # what came before the acknowledgement is dropped
1:  callw kbc_get
    jc 2f
    cmpb $0xfa, %al
    je 2f
    decb %ah
    jnz 1b
    stc
2:  retw
# Command AL to the keyboard controller; byte AL to port 60h: once bit 1 of the status says that it can take it.
kbc_command:
    callw kbc_ready
    outb %al, $0x64
    retw
kbc_put:
    callw kbc_ready
    outb %al, $0x60
    retw
kbc_ready:
    pushw %ax
    xorw %cx, %cx
1:  inb $0x64, %al
    testb $2, %al
    loopnz 1b
    popw %ax
    retw
# AL = byte from port 60h, once bit 0 of the status says that one is there; carry after too long.
kbc_get:
    movw $20, %dx
    xorw %cx, %cx
1:  inb $0x64, %al
    testb $1, %al
    jnz 2f
    loop 1b
    decw %dx
    jnz 1b
    stc
    retw
2:  inb $0x60, %al
    clc
    retw

mouse_button:
    movb $attr_dim, attribute-D
    testb %bh, %bl
    jz 1f
    movb $attr_good, attribute-D
1:  jmp print
# Draws the pointer where it now is; restores the cell where it was.
mouse_cell:
    pushaw
    pushw %es
    pushw $0xb800
    popw %es
    movw mouse_shown-D, %di
    orw %di, %di
    jz 1f
    xorb $0x77, %es:(%di)
    movw $0, mouse_shown-D
    jmp 2f
1:  movw mouse_y-D, %ax
    shrw $4, %ax
    movb $160, %bl
    mulb %bl
    movw mouse_x-D, %di
    shrw $3, %di
    addw %di, %di
    addw %ax, %di
    incw %di
    xorb $0x77, %es:(%di)
    movw %di, mouse_shown-D
2:  popw %es
    popaw
    retw

# A byte has come. The first of a packet has bit 3 set: bits 0-2 buttons, 4 and 5 the signs of what follows.
mouse_interrupt:
    pushaw
    pushw %ds
    xorw %ax, %ax
    movw %ax, %ds
    inb $0x64, %al
    andb $0x21, %al
    cmpb $0x21, %al                # a byte, from the second port
    inb $0x60, %al
    jne 9f
    movzbw mouse_at-D, %bx
    orw %bx, %bx
    jnz 1f
    testb $0x08, %al
    jz 9f
1:  movb %al, mouse_coming-D(%bx)
    incw %bx
    cmpb $3, %bl
    jb 8f
    movw mouse_coming-D, %ax
    movw %ax, mouse_packet-D
    movb mouse_coming+2-D, %al
    movb %al, mouse_packet+2-D
    incw mouse_count-D
    movb mouse_packet-D, %al
    movzbw mouse_packet+1-D, %cx
    testb $0x10, %al
    jz 2f
    movb $0xff, %ch
2:  addw mouse_x-D, %cx
    jns 3f
    xorw %cx, %cx
3:  cmpw $639, %cx
    jbe 4f
    movw $639, %cx
4:  movw %cx, mouse_x-D
    movzbw mouse_packet+2-D, %cx
    testb $0x20, %al
    jz 5f
    movb $0xff, %ch
5:  negw %cx                       # the mouse counts upwards
    addw mouse_y-D, %cx
    jns 6f
    xorw %cx, %cx
6:  cmpw $399, %cx
    jbe 7f
    movw $399, %cx
7:  movw %cx, mouse_y-D
    movb $1, mouse_moved-D
    xorw %bx, %bx
8:  movb %bl, mouse_at-D
9:  movb $0x20, %al                # end of interrupt, for both controllers
    outb %al, $0xa0
    outb %al, $0x20
    popw %ds
    popaw
    iretw
mouse_x: .word 0
mouse_y: .word 0
mouse_shown: .word 0
mouse_count: .word 0
old_mouse: .long 0
mouse_mask: .word 0
mouse_mode: .byte 0
mouse_at: .byte 0
mouse_moved: .byte 0
mouse_coming: .space 3
mouse_packet: .space 4
mouse_title: .asciz "Mouse"
mouse_status: .asciz "Move the mouse and press its buttons. Any key goes back to the menu."
mouse_none: .asciz "\n\n\1\16No mouse answers at the keyboard controller.\1\7"
mouse_text:
    .ascii "A PS/2 mouse hangs on the keyboard controller's second port. It sends three\n"
    .ascii "bytes for each movement: buttons and signs, how far to the right, how far up.\n"
    .ascii "Interrupt line 12 says that one has arrived at port 60h; a routine of ours\n"
    .asciz "puts them together.\n"
mouse_bytes: .asciz "\1\7Packet \1\13"
mouse_number: .asciz "\1\7  Count \1\13"
mouse_where: .asciz "\1\7  Pointer at \1\13"
mouse_and: .asciz "\1\7, \1\13"
mouse_press: .asciz "\1\7  Buttons "
mouse_left: .asciz "left "
mouse_middle: .asciz "middle "
mouse_right: .asciz "right"
"##
    };
}
pub(crate) use text;
