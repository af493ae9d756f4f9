//! Serial and parallel ports: INT 14h, INT 17h, and print screen, INT 05h.

macro_rules! text {
    () => {
        r##"
# Finds the UARTs (a scratch register that keeps a value) and counts them in the equipment word.
proc serial_init
    ds_bda
    mov $B_COM, %di
    mov $(serial_ports - F), %si
1:  mov %cs:(%si), %dx
    test %dx, %dx
    jz 3f
    add $2, %si
    add $7, %dx
    mov $0x5a, %al
    out %al, %dx
    in %dx, %al
    cmp $0x5a, %al
    jne 1b
    mov $0xa5, %al
    out %al, %dx
    in %dx, %al
    cmp $0xa5, %al
    jne 1b
    sub $6, %dx                 # interrupts off
    xor %al, %al
    out %al, %dx
    dec %dx
    mov %dx, (%di)
    add $2, %di
    jmp 1b
3:  sub $B_COM, %di             # two bytes a port: the count is in bits 9-11
    shl $8, %di
    andw $0xf1ff, B_EQUIPMENT
    or %di, B_EQUIPMENT
    ret
serial_ports:
    .word 0x3f8, 0x2f8, 0x3e8, 0x2e8, 0

# Finds the printer ports (a data register that reads back).
proc printer_init
    ds_bda
    mov $B_LPT, %di
    mov $(printer_ports - F), %si
1:  mov %cs:(%si), %dx
    test %dx, %dx
    jz 3f
    add $2, %si
    add $2, %dx                 # select, no interrupt, output
    mov $0x0c, %al
    out %al, %dx
    sub $2, %dx
    mov $0xaa, %al
    out %al, %dx
    in %dx, %al
    cmp $0xaa, %al
    jne 1b
    mov $0x55, %al
    out %al, %dx
    in %dx, %al
    cmp $0x55, %al
    jne 1b
    mov %dx, (%di)
    add $2, %di
    jmp 1b
3:  sub $B_LPT, %di             # the count is in bits 14-15
    shl $13, %di
    andw $0x3fff, B_EQUIPMENT
    or %di, B_EQUIPMENT
    ret
printer_ports:
    .word 0x3bc, 0x378, 0x278, 0

# INT 14h.
proc int14_body
    sti
    frame
    ds_bda
    mov R_DX(%bp), %bx
    cmp $4, %bx
    jae 1f
    shl $1, %bx
    mov B_COM(%bx), %dx
    test %dx, %dx
    jz 1f
    shr $1, %bx
    movzbw R_AH(%bp), %si
    cmp $6, %si
    jae 1f
    shl $1, %si
    call *%cs:(int14_table - F)(%si)
    unframe_iret
1:  unframe_iret
int14_table:
    .word int14_init - F, int14_send - F, int14_receive - F, int14_status - F
    .word int14_extended - F, int14_modem - F

# DX: base of the port. Sets divisor CX and line control AL.
uart_set:
    push %ax
    add $3, %dx
    mov $0x80, %al
    out %al, %dx
    sub $3, %dx
    mov %cl, %al
    out %al, %dx
    inc %dx
    mov %ch, %al
    out %al, %dx
    add $2, %dx
    pop %ax
    out %al, %dx
    sub $2, %dx
    xor %al, %al
    out %al, %dx
    dec %dx
    ret
# Line status to AH, modem status to AL.
int14_status:
    add $5, %dx
    in %dx, %al
    mov %al, R_AH(%bp)
    inc %dx
    in %dx, %al
    mov %al, R_AL(%bp)
    ret
int14_init:
    mov R_AL(%bp), %al
    movzx %al, %si
    shr $5, %si
    shl $1, %si
    mov %cs:(serial_divisors - F)(%si), %cx
    and $0x1f, %al
    push %dx
    call uart_set
    pop %dx
    jmp int14_status
serial_divisors:
    .word 1047, 768, 384, 192, 96, 48, 24, 12
serial_divisors_extended:
    .word 1047, 768, 384, 192, 96, 48, 24, 12, 6

# Waits until port DX + offset SI has the bits AH. CF: time is up (40:7C + port, about a second each).
uart_wait:
    push %dx
    add %si, %dx
    movzbw B_COM_TIMEOUT(%bx), %cx
    test %cx, %cx
    jnz 1f
    inc %cx
1:  push %cx
    mov $0xffff, %cx
2:  in %dx, %al
    and %ah, %al
    cmp %ah, %al
    je 3f
    call refresh_edge
    loop 2b
    pop %cx
    loop 1b
    pop %dx
    stc
    ret
3:  pop %cx
    pop %dx
    clc
    ret
int14_send:
    add $4, %dx                 # DTR and RTS
    mov $0x03, %al
    out %al, %dx
    sub $4, %dx
    mov $6, %si
    mov $0x30, %ah              # DSR and CTS
    call uart_wait
    jc int14_timeout
    mov $5, %si
    mov $0x20, %ah              # transmitter empty
    call uart_wait
    jc int14_timeout
    mov R_AL(%bp), %al
    out %al, %dx
    add $5, %dx
    in %dx, %al
    and $0x7f, %al
    mov %al, R_AH(%bp)
    ret
int14_timeout:
    add $5, %dx
    in %dx, %al
    or $0x80, %al
    mov %al, R_AH(%bp)
    ret
int14_receive:
    add $4, %dx                 # DTR
    mov $0x01, %al
    out %al, %dx
    sub $4, %dx
    mov $6, %si
    mov $0x20, %ah              # DSR
    call uart_wait
    jc int14_timeout
    mov $5, %si
    mov $0x01, %ah              # data
    call uart_wait
    jc int14_timeout
    add $5, %dx
    in %dx, %al
    and $0x1e, %al
    mov %al, R_AH(%bp)
    sub $5, %dx
    in %dx, %al
    mov %al, R_AL(%bp)
    ret
# AL break, BH parity, BL stop bits, CH word length, CL rate.
int14_extended:
    movzbw R_CL(%bp), %si
    cmp $8, %si
    ja 1f
    shl $1, %si
    mov %cs:(serial_divisors_extended - F)(%si), %cx
    mov R_CH(%bp), %al
    and $0x03, %al
    mov R_BL(%bp), %ah
    and $0x01, %ah
    shl $2, %ah
    or %ah, %al
    movzbw R_BH(%bp), %si
    cmp $4, %si
    ja 1f
    or %cs:(serial_parities - F)(%si), %al
    cmpb $1, R_AL(%bp)
    jne 2f
    or $0x40, %al
2:  push %dx
    call uart_set
    pop %dx
    jmp int14_status
1:  ret
serial_parities:
    .byte 0x00, 0x08, 0x18, 0x28, 0x38
# AL 0: read, 1: write the modem control register, BL.
int14_modem:
    add $4, %dx
    cmpb $1, R_AL(%bp)
    ja 2f
    je 1f
    in %dx, %al
    mov %al, R_BL(%bp)
    jmp 2f
1:  mov R_BL(%bp), %al
    out %al, %dx
2:  sub $4, %dx
    jmp int14_status

# INT 17h.
proc int17_body
    sti
    frame
    ds_bda
    mov R_DX(%bp), %bx
    cmp $3, %bx
    jae 9f
    shl $1, %bx
    mov B_LPT(%bx), %dx
    shr $1, %bx
    test %dx, %dx
    jz 9f
    cmpb $1, R_AH(%bp)
    jb 1f
    je 5f
    cmpb $2, R_AH(%bp)
    je 6f
9:  unframe_iret
1:  mov R_AL(%bp), %al
    out %al, %dx
    inc %dx
    # Not busy: bit 7 is high. About a second for each count of 40:78.
    movzbw B_LPT_TIMEOUT(%bx), %cx
    test %cx, %cx
    jnz 2f
    inc %cx
2:  push %cx
    xor %cx, %cx
3:  in %dx, %al
    test %al, %al
    js 4f
    call refresh_edge
    loop 3b
    pop %cx
    loop 2b
    in %dx, %al
    and $0xf8, %al
    xor $0x48, %al
    or $0x01, %al
    mov %al, R_AH(%bp)
    unframe_iret
4:  pop %cx
    inc %dx
    mov $0x0d, %al              # strobe
    out %al, %dx
    io_pause
    mov $0x0c, %al
    out %al, %dx
    dec %dx
    jmp 7f
5:  add $2, %dx                 # initialise for 50 us and more
    mov $0x08, %al
    out %al, %dx
    mov $4, %cx
8:  call refresh_edge
    loop 8b
    mov $0x0c, %al
    out %al, %dx
    dec %dx
    jmp 7f
6:  inc %dx
7:  in %dx, %al
    and $0xf8, %al
    xor $0x48, %al
    mov %al, R_AH(%bp)
    unframe_iret

# INT 05h: the screen's characters to the first printer. 0050:0000: 1 in progress, FFh failed.
proc int05_body
    sti
    pushal
    push %ds
    ds_bda
    cmpb $1, B_PRTSC
    je 9f
    movb $1, B_PRTSC
    mov $0x0f, %ah
    int $0x10
    mov %ah, %cl                # columns
    mov 0x84, %ch               # rows - 1
    test %ch, %ch
    jnz 1f
    mov $24, %ch
1:  inc %ch
    mov $0x03, %ah
    push %cx
    int $0x10                   # cursor: DX
    pop %cx
    push %dx
    call print_line_end
    jc 7f
    xor %dx, %dx
2:  mov $0x02, %ah
    int $0x10
    mov $0x08, %ah
    int $0x10
    test %al, %al
    jnz 3f
    mov $' ', %al
3:  call print_char
    jc 7f
    inc %dl
    cmp %cl, %dl
    jb 2b
    call print_line_end
    jc 7f
    xor %dl, %dl
    inc %dh
    cmp %ch, %dh
    jb 2b
    mov $0, %al
    jmp 8f
7:  mov $0xff, %al
8:  mov %al, B_PRTSC
    pop %dx
    mov $0x02, %ah
    int $0x10
9:  pop %ds
    popal
    iretw
print_line_end:
    mov $13, %al
    call print_char
    jc 1f
    mov $10, %al
print_char:
    push %dx
    push %ax
    xor %dx, %dx
    xor %ah, %ah
    cmpw $0, B_LPT
    je 2f
    int $0x17
    test $0x29, %ah
    jnz 2f
    clc
    jmp 3f
2:  stc
3:  pop %ax
    pop %dx
1:  ret
"##
    };
}
pub(crate) use text;
