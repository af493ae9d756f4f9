//! Text on the screen: written straight into the text memory at B8000, two bytes a cell.

macro_rules! text {
    () => {
        r##"
    .set attr_text, 0x07
    .set attr_dim, 0x08
    .set attr_key, 0x0e
    .set attr_value, 0x0b
    .set attr_good, 0x0a
    .set attr_bar, 0x30
# In a string: 10 new line, 1 and a byte: attribute, 2 and a byte: column.
row: .byte 0
column: .byte 0
attribute: .byte attr_text

# Back to text, an empty page with the title SI between the two bars.
page:
    pushaw
    pushw %es
    pushw %si
    movw $0x0003, %ax
    int $0x10
    movb $1, %ah
    movw $0x2000, %cx              # no cursor
    int $0x10
    movw $0xb800, %ax
    movw %ax, %es
    xorw %di, %di
    movw $(attr_bar*256+0x20), %ax
    movw $80, %cx
    rep stosw
    movw $(24*160), %di
    movw $80, %cx
    rep stosw
    movb $attr_bar, attribute-D
    movb $0, row-D
    movb $2, column-D
    popw %si
    callw print
    movb $56, column-D
    movw $(page_name-D), %si
    callw print
    movb $2, row-D
    movb $2, column-D
    movb $attr_text, attribute-D
    popw %es
    popaw
    retw
page_name: .asciz "Boxwood: a tour of a PC"

# The lower bar says SI.
status:
    pushaw
    pushw %es
    movw $0xb800, %ax
    movw %ax, %es
    movw $(24*160), %di
    movw $(attr_bar*256+0x20), %ax
    movw $80, %cx
    rep stosw
    pushw row-D
    movb attribute-D, %al
    pushw %ax
    movb $24, row-D
    movb $2, column-D
    movb $attr_bar, attribute-D
    callw print
    popw %ax
    movb %al, attribute-D
    popw row-D                     # and column
    popw %es
    popaw
    retw

# Waits for a key, having said so; AX = key as INT 16h gives it.
pause:
    movw $(pause_text-D), %si
    callw status
    callw flush
    xorw %ax, %ax
    int $0x16
    retw
pause_text: .asciz "Press any key to go back to the menu."

# Takes keys that wait out of the buffer.
flush:
    movb $1, %ah
    int $0x16
    jz 1f
    xorw %ax, %ax
    int $0x16
    jmp flush
1:  retw

print:
    pushaw
1:  lodsb
    orb %al, %al
    jz 9f
    cmpb $10, %al
    jne 2f
    incb row-D
    movb $2, column-D
    jmp 1b
2:  cmpb $1, %al
    jne 3f
    lodsb
    movb %al, attribute-D
    jmp 1b
3:  cmpb $2, %al
    jne 4f
    lodsb
    movb %al, column-D
    jmp 1b
4:  callw put
    jmp 1b
9:  popaw
    retw

# AL at row and column. Keeps all registers.
put:
    pushaw
    pushw %es
    pushw $0xb800
    popw %es
    pushw %ax
    movb row-D, %al
    movb $80, %bl
    mulb %bl
    movzbw column-D, %di
    addw %ax, %di
    addw %di, %di
    popw %ax
    movb attribute-D, %ah
    cmpw $4000, %di
    jae 1f
    stosw
1:  incb column-D
    popw %es
    popaw
    retw

# Keep all registers: EAX in decimal, AL, AX, EAX in hexadecimal.
print_dec:
    pushal
    movl $10, %ebx
    xorw %cx, %cx
1:  xorl %edx, %edx
    divl %ebx
    pushw %dx
    incw %cx
    orl %eax, %eax
    jnz 1b
2:  popw %ax
    addb $0x30, %al
    callw put
    loop 2b
    popal
    retw
# EAX in decimal in CL places, from the left filled with blanks.
print_dec_right:
    pushal
    movl %eax, %esi
    movzbl %cl, %ecx
    movl $10, %ebx
1:  decl %ecx
    jz 2f
    xorl %edx, %edx
    divl %ebx
    orl %eax, %eax
    jnz 1b
3:  movb $0x20, %al
    callw put
    decl %ecx
    jnz 3b
2:  movl %esi, %eax
    callw print_dec
    popal
    retw
print_hex32:
    rorl $16, %eax
    callw print_hex16
    rorl $16, %eax
print_hex16:
    xchgb %al, %ah
    callw print_hex8
    xchgb %al, %ah
print_hex8:
    pushw %ax
    pushw %ax
    shrb $4, %al
    callw 1f
    popw %ax
    andb $15, %al
    callw 1f
    popw %ax
    retw
1:  cmpb $10, %al
    jb 2f
    addb $7, %al
2:  addb $0x30, %al
    jmp put

# A line of CX characters AL.
put_line:
    pushw %cx
1:  callw put
    loop 1b
    popw %cx
    retw

# To the start of a vertical retrace (input status 1, bit 3). Changes AL, DX.
retrace:
    movw $0x3da, %dx
1:  inb %dx, %al
    testb $8, %al
    jnz 1b
2:  inb %dx, %al
    testb $8, %al
    jz 2b
    retw

# Carry clear if a key waits.
key_waits:
    pushw %ax
    movb $1, %ah
    int $0x16
    popw %ax
    stc
    jz 1f
    clc
1:  retw

# One sine period, 0-78: three of them and 16 make 16-250.
sine:
    .byte 39,40,41,42,43,44,45,46,47,48,48,49,50,51,52,53
    .byte 54,55,56,57,57,58,59,60,61,61,62,63,64,64,65,66
    .byte 67,67,68,69,69,70,70,71,71,72,72,73,73,74,74,75
    .byte 75,75,76,76,76,77,77,77,77,77,78,78,78,78,78,78
    .byte 78,78,78,78,78,78,78,77,77,77,77,77,76,76,76,75
    .byte 75,75,74,74,73,73,72,72,71,71,70,70,69,69,68,67
    .byte 67,66,65,64,64,63,62,61,61,60,59,58,57,57,56,55
    .byte 54,53,52,51,50,49,48,48,47,46,45,44,43,42,41,40
    .byte 39,38,37,36,35,34,33,32,31,30,30,29,28,27,26,25
    .byte 24,23,22,21,21,20,19,18,17,17,16,15,14,14,13,12
    .byte 11,11,10,9,9,8,8,7,7,6,6,5,5,4,4,3
    .byte 3,3,2,2,2,1,1,1,1,1,0,0,0,0,0,0
    .byte 0,0,0,0,0,0,0,1,1,1,1,1,2,2,2,3
    .byte 3,3,4,4,5,5,6,6,7,7,8,8,9,9,10,11
    .byte 11,12,13,14,14,15,16,17,17,18,19,20,21,21,22,23
    .byte 24,25,26,27,28,29,30,30,31,32,33,34,35,36,37,38
"##
    };
}
pub(crate) use text;
