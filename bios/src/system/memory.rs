//! Memory: shadow RAM through the PAM registers of the i440FX (Intel 82441FX datasheet, "PAM[6:0]",
//! 290549), the size of memory, flat access for the copies of the power-on self-test.

macro_rules! text {
    () => {
        r##"
# DS and ES: base 0, limit 4 GiB (the descriptor caches keep the limit in real mode). Clobbers EAX.
proc flat_segments
    pushfw
    cli
    lgdtl %cs:(gdt_pointer - F)
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    jmp 1f
1:  mov $8, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %cr0, %eax
    and $0xfe, %al
    mov %eax, %cr0
    jmp 1f
1:  xor %ax, %ax
    mov %ax, %ds
    mov %ax, %es
    popfw
    ret
# DS and ES: back to the 64 KiB limit, so that no caller runs with more than a real machine gives.
proc normal_segments
    pushfw
    cli
    lgdtl %cs:(gdt_pointer - F)
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    jmp 1f
1:  mov $16, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %cr0, %eax
    and $0xfe, %al
    mov %eax, %cr0
    jmp 1f
1:  xor %ax, %ax
    mov %ax, %ds
    mov %ax, %es
    popfw
    ret

# DS, ES, FS, GS keep their values, but reach 4 GiB: "big real mode".
proc big_real_mode
    push %eax
    mov $8, %ax
    call 1f
    pop %eax
    ret
# And back to 64 KiB.
proc small_real_mode
    push %eax
    mov $16, %ax
    call 1f
    pop %eax
    ret
1:  pushfw
    push %ds
    push %es
    push %fs
    push %gs
    push %bx
    mov %ax, %bx
    cli
    lgdtl %cs:(gdt_pointer - F)
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    jmp 2f
2:  mov %bx, %ds
    mov %bx, %es
    mov %bx, %fs
    mov %bx, %gs
    and $0xfe, %al
    mov %eax, %cr0
    jmp 3f
3:  pop %bx
    pop %gs
    pop %fs
    pop %es
    pop %ds
    popfw
    ret

    .balign 8
gdt:
    .quad 0
    .quad 0x00cf93000000ffff    # 08: data, base 0, 4 GiB
    .quad 0x000093000000ffff    # 10: data, base 0, 64 KiB
gdt_end:
gdt_pointer:
    .word gdt_end - gdt - 1
    .long 0xf0000 + (gdt - F)

# Copies this image and whatever ROMs stand at C0000-EFFFF into the DRAM behind them and lets reads go
# there. Everything stays writable until shadow_protect. CF: this board has no i440FX.
proc shadow_enable
    mov $0x80000000, %eax
    mov $0xcf8, %dx
    out %eax, %dx
    mov $0xcfc, %dx
    in %dx, %eax
    cmp $0x12378086, %eax
    jne 8f
    # The other half of this ROM must be at the top of the address space.
    call flat_segments
    mov $0xfffffff0, %esi
    mov (%esi), %eax
    cmp %cs:0xfff0, %eax
    jne 7f
    # The copy runs from low memory: the ROM vanishes under it.
    push %cs
    pop %ds
    mov $(shadow_mover - F), %si
    mov $S_MOVER, %di
    mov $(shadow_mover_end - shadow_mover), %cx
    rep movsb
    xor %ax, %ax
    mov %ax, %ds
    lcallw $0, $S_MOVER
    call normal_segments
    # C0000-EFFFF by 64 KiB through a buffer.
    mov $0xc000, %bx
    mov $0x8000005a, %esi
1:  xor %ax, %ax                # a start without board reset: what stood there before does not count
    call 6f
    mov %bx, %ds
    mov $S_COPY_SEGMENT, %ax
    mov %ax, %es
    call 5f
    mov $0x3333, %ax
    call 6f
    mov $S_COPY_SEGMENT, %ax
    mov %ax, %ds
    mov %bx, %es
    call 5f
    add $2, %esi
    add $0x1000, %bx
    cmp $0xf000, %bx
    jb 1b
    clc
    ret
5:  push %si
    xor %si, %si
    xor %di, %di
    mov $0x4000, %cx
    rep movsl
    pop %si
    ret
# PAM registers at ESI := AX.
6:  push %ax
    mov %esi, %eax
    and $0xfffffffc, %eax
    mov $0xcf8, %dx
    out %eax, %dx
    mov %si, %dx
    and $2, %dx
    add $0xcfc, %dx
    pop %ax
    out %ax, %dx
    ret
7:  call normal_segments
8:  stc
    ret

shadow_mover:
    mov $0x80000058, %eax
    mov $0xcf8, %dx
    out %eax, %dx
    mov $0xcfc, %dx
    in %dx, %eax
    and $0xffff00ff, %eax
    or $0x3000, %eax
    out %eax, %dx
    mov $0xffff0000, %esi
    mov $0x000f0000, %edi
    mov $0x4000, %ecx
    rep movsl (%esi), %es:(%edi)
    lretw
shadow_mover_end:

# Shadow RAM becomes read-only.
proc shadow_protect
    es_ebda
    testb $F_PAM, %es:E_FLAGS
    jz 1f
    mov $0x80000058, %eax
    mov $0xcf8, %dx
    out %eax, %dx
    mov $0xcfc, %dx
    in %dx, %eax
    and $0xff, %eax
    or $0x11111000, %eax
    out %eax, %dx
    mov $0x8000005c, %eax
    mov $0xcf8, %dx
    out %eax, %dx
    mov $0xcfc, %dx
    mov $0x11111111, %eax
    out %eax, %dx
1:  ret

# The size of memory as the CMOS tells it: 15h/16h KiB of base memory, 30h/31h (else 17h/18h) KiB above
# 1 MiB, 34h/35h blocks of 64 KiB above 16 MiB, 5Bh-5Dh blocks of 64 KiB above 4 GiB.
proc memory_size
    es_ebda
    mov $0x15, %ah
    call cmos_word
    test %ax, %ax
    jnz 1f
    mov $640, %ax
1:  cmp $640, %ax
    jbe 2f
    mov $640, %ax
2:  sub $EBDA_KB, %ax
    mov %ax, B_MEMORY_KB
    mov $0x34, %ah
    call cmos_word
    movzx %ax, %eax
    test %eax, %eax
    jz 3f
    shl $16, %eax
    add $0x1000000, %eax
    jmp 5f
3:  mov $0x30, %ah
    call cmos_word
    test %ax, %ax
    jnz 4f
    mov $0x17, %ah
    call cmos_word
4:  movzx %ax, %eax
    shl $10, %eax
    add $0x100000, %eax
5:  mov %eax, %es:E_LOW_TOP
    cmos 0x5d
    movzx %al, %ecx
    shl $16, %ecx
    mov $0x5b, %ah
    call cmos_word
    mov %ax, %cx
    mov %ecx, %es:E_HIGH_BLOCKS
    ret

# AX := CMOS bytes AH (low) and AH + 1 (high).
proc cmos_word
    push %bx
    mov %ah, %bl
    mov %bl, %al
    inc %al
    call cmos_read
    mov %al, %bh
    mov %bl, %al
    call cmos_read
    mov %bh, %ah
    pop %bx
    ret

# AL := CMOS byte AL.
proc cmos_read
    pushfw
    cli
    or $0x80, %al
    out %al, $0x70
    in $0x71, %al
    push %ax
    mov $0x0d, %al
    out %al, $0x70
    pop %ax
    popfw
    ret
# CMOS byte AL := AH.
proc cmos_write
    pushfw
    cli
    push %ax
    or $0x80, %al
    out %al, $0x70
    mov %ah, %al
    out %al, $0x71
    mov $0x0d, %al
    out %al, $0x70
    pop %ax
    popfw
    ret
"##
    };
}
pub(crate) use text;
