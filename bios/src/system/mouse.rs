//! The PS/2 pointing device: INT 74h and INT 15h AH=C2h (IBM PS/2 BIOS Interface Technical Reference,
//! "Pointing Device BIOS Interface").
//!
//! EBDA 22h: far pointer of the user's handler; 26h bits 0-2: bytes of the packet that have arrived; 27h
//! bit 7: a handler is installed, bits 0-2: bytes of a packet.

macro_rules! text {
    () => {
        r##"
proc mouse_init
    es_ebda
    movb $0x03, %es:E_MOUSE_FLAGS
    testb $F_AUX, %es:E_FLAGS
    jz 1f
    orb $0x04, B_EQUIPMENT
1:  ret

proc int74
    pushal
    push %ds
    push %es
    cld
    es_ebda
    in $0x64, %al
    and $0x21, %al
    cmp $0x21, %al
    jne 8f
    in $0x60, %al
    testb $0x80, %es:E_MOUSE_FLAGS
    jz 8f
    movzbw %es:E_MOUSE_INDEX, %bx
    and $0x07, %bx
    mov %al, %es:E_MOUSE_PACKET(%bx)
    inc %bx
    mov %es:E_MOUSE_FLAGS, %cl
    and $0x07, %cl
    mov %bl, %es:E_MOUSE_INDEX
    cmp %cl, %bl
    jb 8f
    movb $0, %es:E_MOUSE_INDEX
    # Status, X, Y, Z as words.
    xor %ax, %ax
    mov %es:E_MOUSE_PACKET, %al
    push %ax
    mov %es:E_MOUSE_PACKET + 1, %al
    push %ax
    mov %es:E_MOUSE_PACKET + 2, %al
    push %ax
    xor %ax, %ax
    cmp $4, %cl
    jb 1f
    mov %es:E_MOUSE_PACKET + 3, %al
1:  push %ax
    sti
    lcallw *%es:E_MOUSE_HANDLER
    add $8, %sp
8:  cli
    mov $0x20, %al
    out %al, $0xa0
    out %al, $0x20
    pop %es
    pop %ds
    popal
    iretw

# INT 15h AH=C2h.
proc int15_c2
    es_ebda
    testb $F_AUX, %es:E_FLAGS
    jz c2_interface_error
    movzbw R_AL(%bp), %bx
    cmp $8, %bx
    jae c2_function_error
    shl $1, %bx
    call *%cs:(c2_table - F)(%bx)
    # AH: status.
    mov %ah, R_AH(%bp)
    caller_cf 0
    test %ah, %ah
    jz 1f
    caller_cf 1
1:  ret
c2_interface_error:
    movb $0x03, R_AH(%bp)
    caller_cf 1
    ret
c2_function_error:
    movb $0x01, R_AH(%bp)
    caller_cf 1
    ret
c2_table:
    .word c2_enable - F, c2_reset - F, c2_rate - F, c2_resolution - F
    .word c2_type - F, c2_initialise - F, c2_extended - F, c2_handler - F

# Between these two the mouse may be talked to: keyboard silent, no interrupts. The command byte as it
# was stays in DH.
aux_begin:
    cli
    call kbc_get_mode
    mov %al, %dh
    mov $0x54, %al              # keyboard off, mouse on, no interrupts
    call kbc_set_mode
    jmp kbc_flush
aux_end:
    mov %dh, %al
    call kbc_set_mode
    sti
    ret
# Sends AL to the mouse, waits for its acknowledge. CF: none; AH = status.
aux_send:
    push %cx
    mov %al, %dl
    mov $3, %ah
1:  mov $0xd4, %al
    call kbc_command
    mov %dl, %al
    call kbc_data
    mov $0x4000, %cx
    call kbc_read
    jc 3f
    cmp $0xfa, %al
    je 4f
    cmp $0xfe, %al
    jne 3f
    dec %ah
    jnz 1b
    mov $0x04, %ah
    jmp 5f
3:  mov $0x03, %ah
5:  stc
    pop %cx
    ret
4:  xor %ah, %ah
    clc
    pop %cx
    ret
# AL := a byte of the mouse. CF: none; AH = status.
aux_receive:
    push %cx
    mov $0xffff, %cx
    call kbc_read
    pop %cx
    mov $0x03, %ah
    jc 1f
    mov $0x00, %ah
1:  ret
# Sends AL alone. AH = status.
aux_simple:
    mov %al, %bl
    call aux_begin
    mov %bl, %al
    call aux_send
    mov %ah, %bl
    call aux_end
    mov %bl, %ah
    ret
# Sends BL and its parameter BH. AH = status.
aux_pair:
    call aux_begin
    mov %bl, %al
    call aux_send
    jc 1f
    mov %bh, %al
    call aux_send
1:  mov %ah, %bl
    call aux_end
    mov %bl, %ah
    ret

c2_enable:
    mov R_BH(%bp), %al
    cmp $1, %al
    ja c2_input_error
    je 1f
    mov $0xf5, %al
    call aux_simple
    test %ah, %ah
    jnz 2f
    cli
    call kbc_get_mode
    or $0x20, %al
    and $0xfd, %al
    call kbc_set_mode
    sti
    xor %ah, %ah
    ret
1:  testb $0x80, %es:E_MOUSE_FLAGS
    jz c2_no_handler
    movb $0, %es:E_MOUSE_INDEX
    call aux_begin
    and $0xdf, %dh
    or $0x02, %dh
    mov $0xf4, %al
    call aux_send
    mov %ah, %bl
    in $0xa1, %al
    and $0xef, %al
    out %al, $0xa1
    call aux_end
    mov %bl, %ah
2:  ret
c2_input_error:
    mov $0x02, %ah
    ret
c2_no_handler:
    mov $0x05, %ah
    ret

c2_reset:
    call aux_begin
    or $0x20, %dh
    and $0xfd, %dh
    mov $0xff, %al
    call aux_send
    jc 1f
    call aux_receive
    jc 1f
    mov %al, R_BL(%bp)
    call aux_receive
    jc 1f
    mov %al, R_BH(%bp)
1:  movb $0, %es:E_MOUSE_INDEX
    mov %ah, %bl
    call aux_end
    mov %bl, %ah
    ret

c2_rate:
    movzbw R_BH(%bp), %si
    cmp $7, %si
    jae c2_input_error
    mov %cs:(mouse_rates - F)(%si), %bh
    mov $0xf3, %bl
    jmp aux_pair
mouse_rates:
    .byte 10, 20, 40, 60, 80, 100, 200

c2_resolution:
    mov R_BH(%bp), %bh
    cmp $4, %bh
    jae c2_input_error
    mov $0xe8, %bl
    jmp aux_pair

c2_type:
    call aux_begin
    mov $0xf2, %al
    call aux_send
    jc 1f
    call aux_receive
    jc 1f
    mov %al, R_BH(%bp)
1:  mov %ah, %bl
    call aux_end
    mov %bl, %ah
    ret

c2_initialise:
    mov R_BH(%bp), %al
    dec %al
    cmp $8, %al
    jae c2_input_error
    inc %al
    cmp $8, %al
    jb 1f
    mov $7, %al                 # three bits: the field of 27h holds no more
1:  mov %es:E_MOUSE_FLAGS, %ah
    and $0xf8, %ah
    or %ah, %al
    mov %al, %es:E_MOUSE_FLAGS
    push R_BX(%bp)
    call c2_reset
    pop R_BX(%bp)
    ret

c2_extended:
    mov R_BH(%bp), %al
    cmp $1, %al
    jb 1f
    cmp $2, %al
    ja c2_input_error
    add $0xe5, %al              # E6h: 1:1, E7h: 2:1
    jmp aux_simple
1:  call aux_begin
    mov $0xe9, %al
    call aux_send
    jc 2f
    call aux_receive
    jc 2f
    mov %al, R_BL(%bp)
    call aux_receive
    jc 2f
    mov %al, R_CL(%bp)
    call aux_receive
    jc 2f
    mov %al, R_DL(%bp)
2:  mov %ah, %bl
    call aux_end
    mov %bl, %ah
    ret

c2_handler:
    cli
    mov R_BX(%bp), %ax
    mov %ax, %es:E_MOUSE_HANDLER
    or R_ES(%bp), %ax
    pushfw
    mov R_ES(%bp), %ax
    mov %ax, %es:E_MOUSE_HANDLER + 2
    movb $0, %es:E_MOUSE_INDEX
    orb $0x80, %es:E_MOUSE_FLAGS
    popfw
    jnz 1f
    andb $0x7f, %es:E_MOUSE_FLAGS
1:  sti
    xor %ah, %ah
    ret
"##
    };
}
pub(crate) use text;
