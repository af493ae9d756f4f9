//! Page 8: scan codes.

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
    .asciz "\1\12Green\1\7: down. \1\10Dark\1\7: up, bit 7 set. \1\16Yellow\1\7: E0 or E1, which begin long codes.\n\n\1\17Scan codes\1\7 (an 89 at first is the 8 of the menu coming up)\1\17:\1\7"
"##
    };
}
pub(crate) use text;
