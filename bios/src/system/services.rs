//! INT 15h: system services; INT 11h and 12h.
//!
//! Facts: IBM PS/2 and PC BIOS Interface Technical Reference, "INT 15h"; Advanced Configuration and Power
//! Interface Specification, "INT 15H, E820H"; Ralf Brown's Interrupt List for the rest.
//!
//! **Not implemented** (AH=86h, carry): cassette 00h-03h, joystick 84h, EISA D8h, and whatever is not in
//! the table below.

macro_rules! text {
    () => {
        r##"
proc int15_body
    cmp $0x4f, %ah              # keyboard intercept: nobody has hooked it, the key counts
    je 4f
    sti
    frame
    movzbw R_AH(%bp), %bx
    mov $(int15_table - F), %si
1:  mov %cs:(%si), %al
    cmp %al, %bl
    je 3f
    add $3, %si
    cmp $(int15_table_end - F), %si
    jb 1b
    call int15_unsupported
    unframe_iret
3:  call *%cs:1(%si)
    unframe_iret
4:  push %bp
    mov %sp, %bp
    orw $1, 6(%bp)
    pop %bp
    iretw

.macro service number, routine
    .byte \number
    .word \routine - F
.endm
int15_table:
    service 0x90, int15_hook
    service 0x91, int15_hook
    service 0x24, int15_24
    service 0x53, int15_53
    service 0x80, int15_hook
    service 0x81, int15_hook
    service 0x82, int15_hook
    service 0x83, int15_83
    service 0x85, int15_hook
    service 0x86, int15_86
    service 0x87, int15_87
    service 0x88, int15_88
    service 0x89, int15_89
    service 0xc0, int15_c0
    service 0xc1, int15_c1
    service 0xc2, int15_c2
    service 0xe8, int15_e8
int15_table_end:

int15_unsupported:
    movb $0x86, R_AH(%bp)
    caller_cf 1
    ret
int15_ok:
    movb $0, R_AH(%bp)
    caller_cf 0
    ret
# Hooks for operating systems: nothing to do.
int15_hook:
    jmp int15_ok

# A20 gate. Either of its two inputs opens it, port 92h and the keyboard controller's output port.
int15_24:
    mov R_AL(%bp), %bl
    cmp $1, %bl
    jb 1f
    je 2f
    cmp $3, %bl
    jb 3f
    ja int15_unsupported
    movw $0x0003, R_BX(%bp)     # through the keyboard controller and through port 92h
    jmp int15_ok
1:  call a20_close_92
    call a20_close_keyboard
    jmp int15_ok
2:  in $0x92, %al
    and $0xfe, %al
    or $0x02, %al
    out %al, $0x92
    jmp int15_ok
3:  call a20_state
    mov %al, R_AL(%bp)
    jmp int15_ok
proc a20_close_92
    in $0x92, %al
    and $0xfc, %al
    out %al, $0x92
    ret
# D1h, DDh: output port with A20 low. Comes back when the controller has taken it.
proc a20_close_keyboard
    mov $0xd1, %al
    call kbc_command
    mov $0xdd, %al
    call kbc_data
    jmp kbc_wait_input
# AL := 1 if address line 20 passes: whether FFFF:0500 is another word than 0000:04F0.
proc a20_state
    push %ds
    push %es
    push %bx
    pushfw
    cli
    xor %ax, %ax
    mov %ax, %ds
    dec %ax
    mov %ax, %es
    mov 0x4f0, %bx
    mov %es:0x500, %ax
    not %ax
    mov %ax, 0x4f0
    cmp %es:0x500, %ax
    setne %al
    mov %bx, 0x4f0
    popfw
    pop %bx
    pop %es
    pop %ds
    ret

# Block move between any two places: ES:SI points at a table with the descriptors of source (10h) and
# destination (18h); CX words.
int15_87:
    cmpw $0x8000, R_CX(%bp)
    ja 9f
    mov R_ES(%bp), %es
    mov R_SI(%bp), %si
    mov %es:0x12(%si), %ebx
    and $0xffffff, %ebx
    movzbl %es:0x17(%si), %eax
    shl $24, %eax
    or %eax, %ebx
    mov %es:0x1a(%si), %edx
    and $0xffffff, %edx
    movzbl %es:0x1f(%si), %eax
    shl $24, %eax
    or %eax, %edx
    movzwl R_CX(%bp), %ecx
    pushfw
    cli
    in $0x92, %al
    push %ax
    and $0xfe, %al
    or $0x02, %al
    out %al, $0x92
    call flat_segments
    mov %ebx, %esi
    mov %edx, %edi
    cld
    rep movsw (%esi), %es:(%edi)
    call normal_segments
    pop %ax
    and $0xfe, %al
    out %al, $0x92
    popfw
    orb $0x40, R_FLAGS(%bp)     # ZF
    jmp int15_ok
9:  movb $0x02, R_AH(%bp)
    andb $0xbf, R_FLAGS(%bp)
    caller_cf 1
    ret

# KiB above 1 MiB, as far as 16 bits tell it.
int15_88:
    call memory_above_1m
    cmp $0xfc00, %eax
    jbe 1f
    mov $0xfc00, %eax
1:  mov %ax, R_AX(%bp)
    caller_cf 0
    ret
# EAX := KiB between 1 MiB and the end of memory below 4 GiB.
memory_above_1m:
    es_ebda
    mov %es:E_LOW_TOP, %eax
    sub $0x100000, %eax
    jnc 1f
    xor %eax, %eax
1:  shr $10, %eax
    ret

# To protected mode: ES:SI points at a GDT (08 GDT, 10 IDT, 18 DS, 20 ES, 28 SS, 30 CS, 38 for the BIOS);
# BH and BL are the new vectors of the interrupt controllers. Returns in protected mode.
int15_89:
    cli
    in $0x92, %al
    and $0xfe, %al
    or $0x02, %al
    out %al, $0x92
    mov $0x11, %al
    out %al, $0x20
    out %al, $0xa0
    io_pause
    mov R_BH(%bp), %al
    out %al, $0x21
    mov R_BL(%bp), %al
    out %al, $0xa1
    io_pause
    mov $0x04, %al
    out %al, $0x21
    mov $0x02, %al
    out %al, $0xa1
    io_pause
    mov $0x01, %al
    out %al, $0x21
    out %al, $0xa1
    io_pause
    mov $0xff, %al
    out %al, $0x21
    out %al, $0xa1
    mov R_ES(%bp), %es
    mov R_SI(%bp), %si
    # Our own code descriptor.
    movw $0xffff, %es:0x38(%si)
    movw $0x0000, %es:0x3a(%si)
    movw $0x9b0f, %es:0x3c(%si)
    movw $0x0000, %es:0x3e(%si)
    movb $0, R_AH(%bp)
    caller_cf 0
    lgdtl %es:0x08(%si)
    lidtl %es:0x10(%si)
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    ljmpw $0x38, $(1f - F)
1:  mov $0x28, %ax
    mov %ax, %ss
    mov $0x18, %ax
    mov %ax, %ds
    mov $0x20, %ax
    mov %ax, %es
    add $2, %sp                 # the return to the dispatcher
    mov %sp, %bp
    movw $0x30, R_CS(%bp)
    andw $0xfdff, R_FLAGS(%bp)
    add $4, %sp                 # the saved ES and DS are real-mode values
    popal
    iretw

int15_c0:
    movw $0xf000, R_ES(%bp)
    movw $(configuration_table - F), R_BX(%bp)
    jmp int15_ok

int15_c1:
    ds_bda
    mov B_EBDA, %ax
    mov %ax, R_ES(%bp)
    jmp int15_ok

int15_e8:
    mov R_AL(%bp), %al
    cmp $0x20, %al
    je int15_e820
    cmp $0x01, %al
    je int15_e801
    cmp $0x81, %al
    je int15_e881
    jmp int15_unsupported
# KiB between 1 and 16 MiB, 64 KiB blocks above.
e801_sizes:
    call memory_above_1m
    mov %eax, %ecx
    xor %edx, %edx
    cmp $0x3c00, %ecx
    jbe 1f
    mov $0x3c00, %ecx
    sub %ecx, %eax
    shr $6, %eax
    mov %eax, %edx
1:  ret
int15_e801:
    call e801_sizes
    mov %cx, R_AX(%bp)
    mov %cx, R_CX(%bp)
    mov %dx, R_BX(%bp)
    mov %dx, R_DX(%bp)
    caller_cf 0
    ret
int15_e881:
    call e801_sizes
    mov %ecx, R_EAX(%bp)
    mov %ecx, R_ECX(%bp)
    mov %edx, R_EBX(%bp)
    mov %edx, R_EDX(%bp)
    caller_cf 0
    ret

# The memory map.
int15_e820:
    cmpl $0x534d4150, R_EDX(%bp)
    jne int15_unsupported
    cmpl $20, R_ECX(%bp)
    jb int15_unsupported
    mov R_EBX(%bp), %ebx
    cmp $E820_ENTRIES, %ebx
    jae int15_unsupported
1:  call e820_entry
    jnc 2f
    inc %bx
    cmp $E820_ENTRIES, %bx
    jb 1b
    jmp int15_unsupported
2:  mov R_ES(%bp), %es
    mov R_DI(%bp), %si
    mov %eax, %es:(%si)
    mov %edx, %es:4(%si)
    mov %ecx, %es:8(%si)
    mov %edi, %es:12(%si)
    movzx %bh, %eax
    mov %eax, %es:16(%si)
    # The next one that exists, 0 behind the last.
    xor %bh, %bh
3:  inc %bx
    cmp $E820_ENTRIES, %bx
    jae 4f
    call e820_entry
    mov $0, %bh
    jc 3b
    jmp 5f
4:  xor %bx, %bx
5:  movzx %bx, %ebx
    mov %ebx, R_EBX(%bp)
    movl $20, R_ECX(%bp)
    movl $0x534d4150, R_EAX(%bp)
    caller_cf 0
    ret
# Entry BL: EDX:EAX start, EDI:ECX length, BH type. CF: it is empty.
.set E820_ENTRIES, 7
e820_entry:
    es_ebda
    xor %edx, %edx
    xor %edi, %edi
    movzwl B_MEMORY_KB, %ecx
    shl $10, %ecx
    mov $1, %bh
    xor %eax, %eax
    cmp $1, %bl
    jb 8f
    mov $2, %bh
    jne 1f
    mov %ecx, %eax              # extended BIOS data area
    mov $0xa0000, %ecx
    jmp 7f
1:  cmp $3, %bl
    jae 2f
    mov $0xf0000, %eax
    mov $0x10000, %ecx
    jmp 8f
2:  ja 3f
    mov $1, %bh
    mov $0x100000, %eax
    mov %es:E_LOW_TOP, %ecx
    jmp 7f
3:  cmp $5, %bl
    jae 4f
    mov $4, %bh
    mov %es:E_LOW_TOP, %eax
    mov %es:E_NVS_TOP, %ecx
    jmp 7f
4:  ja 5f
    mov $0xfffc0000, %eax
    mov $0x00040000, %ecx
    jmp 8f
5:  mov $1, %bh
    xor %eax, %eax
    inc %edx                    # 4 GiB
    mov %es:E_HIGH_BLOCKS, %ecx
    mov %ecx, %edi
    shl $16, %ecx
    shr $16, %edi
    push %ecx
    or %edi, %ecx
    pop %ecx
    jz 9f
    clc
    ret
7:  sub %eax, %ecx
    jbe 9f
8:  test %ecx, %ecx
    jz 9f
    clc
    ret
9:  stc
    ret

proc int11_body
    push %ds
    ds_bda
    mov B_EQUIPMENT, %ax
    pop %ds
    iretw
proc int12_body
    push %ds
    ds_bda
    mov B_MEMORY_KB, %ax
    pop %ds
    iretw
"##
    };
}
pub(crate) use text;
