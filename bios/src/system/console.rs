//! Messages: to the screen through INT 10h once there is a video BIOS, and to a debug port: 402h or
//! E9h, whichever answers E9h when read (the convention of QEMU and Bochs).

macro_rules! text {
    () => {
        r##"
proc debug_port_find
    es_ebda
    mov $0x402, %dx
    in %dx, %al
    cmp $0xe9, %al
    jne 1f
    orb $F_DEBUG_402, %es:E_FLAGS
    ret
1:  in $0xe9, %al
    cmp $0xe9, %al
    jne 2f
    orb $F_DEBUG_E9, %es:E_FLAGS
2:  ret

# AL to the debug port. All registers are kept.
proc debug_putc
    push %dx
    push %es
    push %ds
    push %ax
    es_ebda
    pop %ax
    testb $F_DEBUG_402, %es:E_FLAGS
    jz 1f
    mov $0x402, %dx
    out %al, %dx
1:  testb $F_DEBUG_E9, %es:E_FLAGS
    jz 2f
    out %al, $0xe9
2:  pop %ds
    pop %es
    pop %dx
    ret

# AL to screen and debug port; a line feed returns the carriage too. All registers are kept.
proc putc
    call debug_putc
    pushal
    cmp $10, %al
    jne 1f
    mov $0x0e0d, %ax
    mov $0x0007, %bx
    int $0x10
    mov $10, %al
1:  mov $0x0e, %ah
    mov $0x0007, %bx
    int $0x10
    popal
    ret

# The string at CS:SI, zero-terminated. SI ends behind it, all other registers are kept.
proc puts
    push %ax
1:  lodsb %cs:(%si), %al
    test %al, %al
    jz 2f
    call putc
    jmp 1b
2:  pop %ax
    ret
proc debug_puts
    push %ax
1:  lodsb %cs:(%si), %al
    test %al, %al
    jz 2f
    call debug_putc
    jmp 1b
2:  pop %ax
    ret
.macro print label
    push %si
    mov $(\label - F), %si
    call puts
    pop %si
.endm

# EAX in decimal.
proc print_decimal
    pushal
    xor %cx, %cx
    mov $10, %ebx
1:  xor %edx, %edx
    div %ebx
    push %dx
    inc %cx
    test %eax, %eax
    jnz 1b
2:  pop %ax
    add $'0', %al
    call putc
    loop 2b
    popal
    ret
# AL, AX in hexadecimal.
proc print_hex16
    xchg %al, %ah
    call print_hex8
    xchg %al, %ah
proc print_hex8
    push %ax
    shr $4, %al
    call 1f
    pop %ax
    push %ax
    and $15, %al
    call 1f
    pop %ax
    ret
1:  add $'0', %al
    cmp $'9', %al
    jbe 2f
    add $('a' - '9' - 1), %al
2:  jmp putc

proc banner
    print message_banner
    es_ebda
    mov %es:E_LOW_TOP, %eax
    mov %es:E_NVS_TOP, %ecx
    test %ecx, %ecx
    jz 1f
    mov %ecx, %eax
1:  shr $10, %eax
    call print_decimal
    print message_kib
    ret
message_banner:
    .ascii "Boxwood BIOS\n\n"
    .asciz "Memory: "
message_kib:
    .asciz " KiB\n"
"##
    };
}
pub(crate) use text;
