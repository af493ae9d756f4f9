//! Page 3: text colours and code page 437.

macro_rules! text {
    () => {
        r##"
colors:
    movw $(colors_title-D), %si
    callw page
    # Attribute bit 7 as background intensity instead of blinking.
    movw $0x1003, %ax
    xorw %bx, %bx
    int $0x10
    movw $(colors_text-D), %si
    callw print
    # 16 rows of 16 attributes, and of 16 characters.
    xorb %bl, %bl
    movb $7, row-D
1:  movb $attr_dim, attribute-D
    movb $3, column-D
    movb %bl, %al
    callw print_hex8
    movb $6, column-D
2:  movb %bl, attribute-D
    movb %bl, %al
    andb $15, %al
    cmpb $10, %al
    jb 3f
    addb $7, %al
3:  addb $0x30, %al
    callw put
    movb $0x20, %al
    callw put
    incb %bl
    testb $15, %bl
    jnz 2b
    incb row-D
    orb %bl, %bl
    jnz 1b
    movb $7, row-D
1:  movb $attr_dim, attribute-D
    movb $44, column-D
    movb %bl, %al
    callw print_hex8
    movb $47, column-D
    movb $attr_value, attribute-D
2:  movb %bl, %al
    callw put
    incb column-D
    incb %bl
    testb $15, %bl
    jnz 2b
    incb row-D
    orb %bl, %bl
    jnz 1b
    jmp pause
colors_title: .asciz "Text"
colors_text:
    .ascii "Text memory at B8000 holds two bytes a cell: a character and its colours,\n"
    .ascii "four bits of background and four of foreground. The adapter does the rest.\n\n"
    .asciz "\2\6\1\17All 256 colour pairs\2\57Code page 437\1\7"
"##
    };
}
pub(crate) use text;
