//! Power-on self-test: what happens between the reset vector and INT 19h.
//!
//! Port 80h shows the step (the `progress` lines below are the list). The CMOS shutdown byte 0Fh is
//! obeyed first (IBM PC AT Technical Reference, "CMOS RAM: shutdown status byte"):
//! 04 = INT 19h; 05 = EOI and jump through 40:67; 09 = return from INT 15h AH=87h; 0A = jump through
//! 40:67; 0B = IRET and 0C = RETF with the stack at 40:67; everything else is a full start.

macro_rules! text {
    () => {
        r##"
proc post
    cli
    cld
    progress 0x01
    # The shutdown byte, read and cleared with NMI off.
    mov $0x8f, %al
    out %al, $0x70
    in $0x71, %al
    mov %al, %bl
    mov $0x8f, %al
    out %al, $0x70
    xor %al, %al
    out %al, $0x71
    mov $0x0d, %al
    out %al, $0x70
    in $0x71, %al
    mov $BDA, %ax
    mov %ax, %ds
    cmp $0x04, %bl
    je resume
    cmp $0x05, %bl
    je resume
    cmp $0x09, %bl
    jb cold_start
    cmp $0x0c, %bl
    ja cold_start

# A processor reset asked for by software. A board reset has also taken the shadow RAM away: give the
# option ROMs and this image back first. No stack is used.
resume:
    mov $0x80000000, %eax
    mov $0xcf8, %dx
    out %eax, %dx
    mov $0xcfc, %dx
    in %dx, %eax
    cmp $0x12378086, %eax
    jne 1f
    mov $0x80000058, %eax
    mov $0xcf8, %dx
    out %eax, %dx
    mov $0xcfc, %dx
    in %dx, %eax
    test $0x3000, %eax
    jnz 1f
    and $0xff, %eax
    or $0x11111000, %eax
    out %eax, %dx
    mov $0x8000005c, %eax
    mov $0xcf8, %dx
    out %eax, %dx
    mov $0xcfc, %dx
    mov $0x11111111, %eax
    out %eax, %dx
1:  # INIT has masked the pins of a local APIC: the virtual wire again. Without a stack CPUID cannot be looked for, but
    # the version register tells.
    lgdtl %cs:(gdt_pointer - F)
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    jmp 1f
1:  mov $8, %dx
    mov %dx, %ds
    mov $0xfee00000, %esi
    mov 0x30(%esi), %ecx
    and $0xf0, %cl
    cmp $0x10, %cl
    jne 1f
    apic_virtual_wire
1:  mov $16, %dx
    mov %dx, %ds
    and $0xfe, %al
    mov %eax, %cr0
    jmp 1f
1:  mov $BDA, %ax
    mov %ax, %ds
    cmp $0x04, %bl
    je resume_boot
    cmp $0x05, %bl
    je resume_eoi
    cmp $0x0a, %bl
    je resume_jump
    # 09, 0B, 0C: the stack is at 40:67.
    mov B_RESUME + 2, %ss
    mov B_RESUME, %sp
    cmp $0x0b, %bl
    je 2f
    cmp $0x0c, %bl
    je 3f
    pop %ds
    pop %es
    popaw
2:  iretw
3:  lretw
resume_eoi:
    in $0x60, %al               # whatever the keyboard had to say
    mov $0x20, %al
    out %al, $0xa0
    out %al, $0x20
resume_jump:
    ljmpw *B_RESUME
resume_boot:
    xor %ax, %ax
    mov %ax, %ss
    mov $S_STACK, %sp
    call pic_init
    sti
    int $0x19

cold_start:
    progress 0x02
    xor %ax, %ax
    mov %ax, %ss
    mov $S_STACK, %sp
    push B_WARM
    # Caches on: CD and NW are set by a reset (no effect on a 386).
    mov %cr0, %eax
    and $0x9fffffff, %eax
    mov %eax, %cr0
    # A20 open: the flat copies below need it.
    in $0x92, %al
    or $0x02, %al
    and $0xfe, %al
    out %al, $0x92
    progress 0x03
    call shadow_enable          # CF: no PAM registers
    sbb %cx, %cx
    inc %cx                     # 1: shadow RAM
    progress 0x04
    # BIOS data area, extended BIOS data area, vectors.
    push %cx
    call data_areas_init
    pop %cx
    pop %ax
    es_ebda
    mov %cl, %es:E_FLAGS
    cmp $0x1234, %ax
    jne 1f
    mov %ax, B_WARM
1:  call debug_port_find
    mov $(message_start - F), %si
    call debug_puts
    progress 0x05
    call memory_size
    progress 0x06
    call dma_init
    call pic_init
    call apic_init
    call pit_init
    call rtc_init
    progress 0x07
    call pci_init
    progress 0x08
    call keyboard_controller_init
    progress 0x09
    call video_rom_init
    call banner
    progress 0x0a
    sti
    call keyboard_init
    call mouse_init
    call rtc_to_ticks
    call days_init
    progress 0x0b
    call serial_init
    call printer_init
    call fpu_init
    progress 0x0c
    call floppy_init
    progress 0x0d
    call ata_init
    progress 0x0e
    call option_roms_init
    progress 0x0f
    call acpi_load
    call tables_finish
    call boot_menu
    progress 0x10
    cli
    call shadow_protect
    es_ebda
    movw $0, B_WARM
    call a20_close_92           # as an AT starts its system
    sti
    progress 0x00
    int $0x19

# Vectors, BIOS data area (40:72 excepted), extended BIOS data area.
proc data_areas_init
    xor %ax, %ax
    mov %ax, %es
    xor %di, %di
    mov $256, %cx
    # All vectors: an IRET; the hardware ones: an EOI and an IRET.
1:  movw $(dummy_iret - F), %es:(%di)
    movw $0xf000, %es:2(%di)
    add $4, %di
    loop 1b
    push %cs
    pop %ds
    mov $(vector_table - F), %si
    mov $(0x08 * 4), %di
    mov $24, %cx
    call 3f
    mov $(vector_table_70 - F), %si
    mov $(0x70 * 4), %di
    mov $8, %cx
    call 3f
    movw $(exception_00 - F), %es:0x00 * 4
    movw $(int02 - F), %es:0x02 * 4
    movw $(int05 - F), %es:0x05 * 4
    movw $(exception_06 - F), %es:0x06 * 4
    movw $(exception_07 - F), %es:0x07 * 4
    movw $(int40 - F), %es:0x40 * 4
    # INT 1Dh and 1Eh are pointers; 1Fh has no table until a video BIOS sets it; 60h-67h are the user's.
    movl $0, %es:0x1f * 4
    mov $(0x60 * 4), %di
    mov $16, %cx
    xor %ax, %ax
    rep stosw
    # BIOS data area.
    mov $BDA, %ax
    mov %ax, %es
    mov %ax, %ds
    xor %di, %di
    xor %ax, %ax
    mov $128, %cx
    rep stosw
    movb $0, B_PRTSC
    mov $EBDA_SEGMENT, %ax
    mov %ax, B_EBDA
    mov %ax, %es
    xor %di, %di
    xor %ax, %ax
    mov $(EBDA_KB * 512), %cx
    rep stosw
    movb $EBDA_KB, %es:E_SIZE
    movl $0xffffffff, %es:E_HD_MAP
    movl $0xffffffff, %es:E_CD_MAP
    movw $B_KEY_BUFFER, B_KEY_HEAD
    movw $B_KEY_BUFFER, B_KEY_TAIL
    movw $B_KEY_BUFFER, B_KEY_START
    movw $(B_KEY_BUFFER + 32), B_KEY_END
    movb $0x10, B_SHIFT3
    movl $0x14141414, B_LPT_TIMEOUT
    movl $0x01010101, B_COM_TIMEOUT
    # Equipment: from CMOS 14h (floppies, FPU, video); the rest as it is found.
    cmos 0x14
    and $0x33, %al              # video bits, FPU, floppy present
    or $0x02, %al               # refined by fpu_init
    xor %ah, %ah
    mov %ax, B_EQUIPMENT
    ret
3:  movsw                       # offsets from the table, segment F000
    movw $0xf000, %es:(%di)
    add $2, %di
    loop 3b
    ret

# The clock's time as ticks since midnight: 65536 * 1193182 / 65536 ticks... 18.2065 a second. Exactly:
# ticks = seconds * 1193182 / 65536.
proc rtc_to_ticks
    ds_bda
    call rtc_wait
    jc 9f
    cmos 0x00
    call from_bcd
    movzx %al, %ecx
    cmos 0x02
    call from_bcd
    movzx %al, %eax
    imul $60, %eax, %eax
    add %eax, %ecx
    cmos 0x04
    call from_bcd
    movzx %al, %eax
    imul $3600, %eax, %eax
    add %ecx, %eax
    mov $1193182, %ecx
    mul %ecx
    shrd $16, %edx, %eax
    cmp $0x1800b0, %eax
    jb 1f
    xor %eax, %eax
1:  cli
    mov %eax, B_TICKS
    sti
9:  ret

# A coprocessor: FNINIT and a status word of zero (Intel 387 manual, "recognizing the 387").
proc fpu_init
    ds_bda
    andb $0xfd, B_EQUIPMENT
    mov %cr0, %eax
    and $0xfffffff3, %eax       # EM, TS off
    mov %eax, %cr0
    push $0x5a5a
    mov %sp, %bp
    fninit
    fnstsw (%bp)
    pop %ax
    test %al, %al
    jnz 1f
    push $0x5a5a
    fnstcw (%bp)
    pop %ax
    and $0x103f, %ax
    cmp $0x3f, %ax
    jne 1f
    orb $0x02, B_EQUIPMENT
    mov %cr0, %eax
    or $0x02, %al               # MP
    and $0xffffffdf, %eax       # NE off: errors arrive as IRQ 13
    mov %eax, %cr0
    ret
1:  mov %cr0, %eax
    or $0x04, %al               # EM
    mov %eax, %cr0
    ret

message_start:
    .asciz "Boxwood BIOS: power-on self-test\n"
"##
    };
}
pub(crate) use text;
