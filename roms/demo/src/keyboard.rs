//! Pages 8 and 9: scan codes and the mouse.

macro_rules! text {
    () => {
        r##"
keyboard:
    movw $(keyboard_title-D), %si
    callw page
    movw $(keyboard_text-D), %si
    callw print
    movw $(keyboard_status-D), %si
    callw status
    movw $0, codes_in-D
    movw $0, codes_out-D
    cli
    movl 0x09*4, %eax
    movl %eax, old_keyboard-D
    movw $(keyboard_interrupt-D), 0x09*4
    movw $0, 0x09*4+2
    sti
    movb $9, row-D
    movb $2, column-D
1:  movw codes_out-D, %bx
    cmpw codes_in-D, %bx
    jne 2f
    hlt
    jmp 1b
2:  andw $15, %bx
    movb codes-D(%bx), %cl
    incw codes_out-D
    # A make code in green, a break code (bit 7) dark, prefixes in yellow.
    movb $attr_key, attribute-D
    cmpb $0xe0, %cl
    jae 3f
    movb $attr_good, attribute-D
    testb $0x80, %cl
    jz 3f
    movb $attr_dim, attribute-D
3:  movb %cl, %al
    callw print_hex8
    incb column-D
    cmpb $76, column-D
    jb 4f
    movb $2, column-D
    incb row-D
    cmpb $22, row-D
    jb 4f
    movb $9, row-D
4:  cmpb $0x81, %cl                # Esc let go
    jne 1b
    cli
    movl old_keyboard-D, %eax
    movl %eax, 0x09*4
    sti
    jmp flush

keyboard_interrupt:
    pushw %ax
    pushw %bx
    inb $0x60, %al
    movw %cs:codes_in-D, %bx
    andw $15, %bx
    movb %al, %cs:codes-D(%bx)
    incw %cs:codes_in-D
    movb $0x20, %al
    outb %al, $0x20
    popw %bx
    popw %ax
    iretw
codes: .space 16
codes_in: .word 0
codes_out: .word 0
old_keyboard: .long 0
keyboard_title: .asciz "Keyboard"
keyboard_status: .asciz "Press keys. Esc goes back to the menu when you let it go."
keyboard_text:
    .ascii "The keyboard sends a number for each key that goes down, and another one when\n"
    .ascii "it comes up again; interrupt line 1 says that one has arrived at port 60h.\n"
    .asciz "\1\12Green\1\7: down. \1\10Dark\1\7: up, bit 7 set. \1\16Yellow\1\7: E0 or E1, which begin long codes.\n\n\1\17Scan codes:\1\7"

mouse:
    movw $(mouse_title-D), %si
    callw page
    movw $(mouse_text-D), %si
    callw print
    movw $0xc205, %ax              # initialise, packets of 3 bytes
    movb $3, %bh
    int $0x15
    jc mouse_missing
    movw $0xc207, %ax              # our handler
    movw $(mouse_handler-D), %bx
    int $0x15
    jc mouse_missing
    movw $0xc200, %ax              # enable
    movb $1, %bh
    int $0x15
    jc mouse_missing
    movw $320, mouse_x-D
    movw $200, mouse_y-D
    movb $0, mouse_buttons-D
    movw $0, mouse_shown-D
    movb $1, mouse_moved-D
    movw $(mouse_status-D), %si
    callw status
    callw flush
1:  cmpb $0, mouse_moved-D
    je 3f
    movb $0, mouse_moved-D
    # The pointer is a cell in inverse.
    cmpw $0, mouse_shown-D
    je 4f
    callw mouse_cell
4:
    movb $9, row-D
    movb $2, column-D
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
    movb mouse_buttons-D, %bl
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
    movw $0xc200, %ax              # disable
    xorb %bh, %bh
    int $0x15
    retw
mouse_missing:
    movw $(mouse_none-D), %si
    callw print
    jmp pause
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

# Far call from the BIOS with four words: status, x, y, z.
mouse_handler:
    pushw %bp
    movw %sp, %bp
    pushaw
    pushw %ds
    pushw $0
    popw %ds
    movw 12(%bp), %ax              # bits 0-2 buttons, 4 and 5 the signs
    movb %al, %bl
    andb $7, %bl
    movb %bl, mouse_buttons-D
    movzbw 10(%bp), %cx
    testb $0x10, %al
    jz 1f
    movb $0xff, %ch
1:  addw mouse_x-D, %cx
    jns 2f
    xorw %cx, %cx
2:  cmpw $639, %cx
    jbe 3f
    movw $639, %cx
3:  movw %cx, mouse_x-D
    movzbw 8(%bp), %cx
    testb $0x20, %al
    jz 4f
    movb $0xff, %ch
4:  negw %cx                       # the mouse counts upwards
    addw mouse_y-D, %cx
    jns 5f
    xorw %cx, %cx
5:  cmpw $399, %cx
    jbe 6f
    movw $399, %cx
6:  movw %cx, mouse_y-D
    movb $1, mouse_moved-D
    popw %ds
    popaw
    popw %bp
    lretw
mouse_x: .word 0
mouse_y: .word 0
mouse_shown: .word 0
mouse_buttons: .byte 0
mouse_moved: .byte 0
mouse_title: .asciz "Mouse"
mouse_status: .asciz "Move the mouse and press its buttons. Any key goes back to the menu."
mouse_none: .asciz "\n\n\1\16No mouse answers at the keyboard controller.\1\7"
mouse_text:
    .ascii "A PS/2 mouse hangs on the keyboard controller's second port. It sends three\n"
    .ascii "bytes for each movement, by interrupt line 12; the BIOS collects them and\n"
    .asciz "calls a routine of ours with the packet (INT 15h, function C2h).\n"
mouse_where: .asciz "\1\7Pointer at \1\13"
mouse_and: .asciz "\1\7, \1\13"
mouse_press: .asciz "\1\7    Buttons: "
mouse_left: .asciz "left "
mouse_middle: .asciz "middle "
mouse_right: .asciz "right"
"##
    };
}
pub(crate) use text;
