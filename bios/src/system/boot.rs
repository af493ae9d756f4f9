//! INT 19h and INT 18h: boot devices in the order of CMOS 3Dh and 38h; the boot menu; the message when
//! nothing boots.
//!
//! CMOS 3Dh low nibble first, high nibble second, 38h high nibble third device: 1 diskette, 2 hard disk,
//! 3 CD-ROM, 4 a ROM's boot entry (the encoding of Bochs and QEMU); 38h bit 0: a diskette needs no
//! signature. INT 18h goes on with the next device (BIOS Boot Specification 1.01).

macro_rules! text {
    () => {
        r##"
.set REASON_NONE, 0
.set REASON_NO_DRIVE, 1
.set REASON_NOT_READY, 2
.set REASON_READ_ERROR, 3
.set REASON_NO_SIGNATURE, 4
.set REASON_NOT_BOOTABLE, 5
.set REASON_RETURNED, 6

.set E_BOOT_ORDER, 0x200        # four devices
.set E_BOOT_STEP, 0x204
.set E_BOOT_CHOICE, 0x205       # of the menu
# E_TRIED: reason by step

proc int19_body
    cli
    xor %ax, %ax
    mov %ax, %ss
    mov $0x7c00, %sp
    sti
    cld
    es_ebda
    movb $0, %es:E_BOOT_STEP
    movl $0, %es:E_TRIED
    # The order.
    mov %es:E_BOOT_CHOICE, %al
    movb $0, %es:E_BOOT_CHOICE
    xor %ah, %ah
    test %al, %al
    jnz 1f
    cmos 0x3d
    mov %al, %ah
    shr $4, %ah
    and $0x0f, %al
    mov %al, %cl
    mov %ah, %ch
    cmos 0x38
    shr $4, %al
    movzx %al, %edx
    mov %cx, %ax
    shl $16, %edx
    movzx %ax, %eax
    or %edx, %eax
    jnz 2f
    mov $0x04030201, %eax       # nothing said: diskette, disk, CD-ROM, network
    jmp 2f
1:  movzx %al, %eax
2:  mov %eax, %es:E_BOOT_ORDER
boot_next:
    xor %ax, %ax
    mov %ax, %ss
    mov $0x7c00, %sp
    sti
    cld
    es_ebda
    movzbw %es:E_BOOT_STEP, %si
    cmp $4, %si
    jae boot_failed
    mov %es:E_BOOT_ORDER(%si), %al
    mov $REASON_NO_DRIVE, %ah
    cmp $1, %al
    je 3f
    cmp $2, %al
    je 4f
    cmp $3, %al
    je 5f
    cmp $4, %al
    je 6f
    test %al, %al
    jz 7f
    movb $0, %es:E_BOOT_ORDER(%si)
    jmp 7f
3:  call boot_floppy
    jmp boot_record_reason
4:  call boot_disk
    jmp boot_record_reason
5:  call boot_cd
    jmp boot_record_reason
6:  call boot_rom
boot_record_reason:             # AL
    es_ebda
    movzbw %es:E_BOOT_STEP, %si
    mov %al, %es:E_TRIED(%si)
7:  incb %es:E_BOOT_STEP
    jmp boot_next

proc int18_body
    cli
    xor %ax, %ax
    mov %ax, %ss
    mov $0x7c00, %sp
    es_ebda
    movzbw %es:E_BOOT_STEP, %si
    cmp $4, %si
    jae boot_failed
    mov $REASON_RETURNED, %al
    jmp boot_record_reason

boot_floppy:
    testb $0x01, B_EQUIPMENT
    mov $REASON_NO_DRIVE, %al
    jz 9f
    mov $0x00, %dl
    call boot_sector
    jc 9f
    # CMOS 38h bit 0: a diskette may lack the signature.
    cmos 0x38
    test $0x01, %al
    jnz 1f
    cmpw $0xaa55, %ss:0x7dfe
    mov $REASON_NO_SIGNATURE, %al
    jne 9f
1:  movb $0, %es:E_BOOT_DRIVE
    mov $0x00, %dl
    jmp boot_jump_7c00
9:  ret

boot_disk:
    cmpb $0, B_HD_COUNT
    mov $REASON_NO_DRIVE, %al
    je 9f
    mov $0x80, %dl
    call boot_sector
    jc 9f
    cmpw $0xaa55, %ss:0x7dfe
    mov $REASON_NO_SIGNATURE, %al
    jne 9f
    movb $0x80, %es:E_BOOT_DRIVE
    mov $0x80, %dl
boot_jump_7c00:
    xor %bx, %bx
    mov $0x7c00, %ax
# To BX:AX with DL = drive, ES:DI = PnP structure (BIOS Boot Specification).
boot_jump:
    push %bx
    push %ax
    progress 0x20
    push %cs
    pop %es
    mov $(pnp_structure - F), %di
    xor %eax, %eax
    mov %ax, %ds
    xor %ebx, %ebx
    xor %ecx, %ecx
    xor %esi, %esi
    xor %ebp, %ebp
    movzx %dl, %edx
    movzx %di, %edi
    sti
    lretw
9:  ret

# First sector of drive DL to 0:7C00. CF: AL = reason.
boot_sector:
    mov $4, %si
1:  push %si
    push %dx
    push %es
    xor %ax, %ax
    mov %ax, %es
    mov $0x0201, %ax
    mov $0x0001, %cx
    mov $0x00, %dh
    mov $0x7c00, %bx
    int $0x13
    pop %es
    pop %dx
    pop %si
    jnc 2f
    push %ax
    xor %ah, %ah
    int $0x13
    pop %ax
    dec %si
    jz 3f
    cmp $0x80, %ah              # no medium: once is enough
    jne 1b
3:  mov $REASON_NOT_READY, %al
    cmp $0x80, %ah
    stc
    je 2f
    mov $REASON_READ_ERROR, %al
    stc
2:  ret

# Each CD-ROM in turn.
boot_cd:
    mov $REASON_NO_DRIVE, %al
    xor %cx, %cx
1:  cmp %es:E_CD_COUNT, %cl
    jae 9f
    push %cx
    mov %cl, %al
    call cd_boot
    es_ebda
    pop %cx
    inc %cx
    jmp 1b
9:  ret

# Each boot entry vector in turn.
boot_rom:
    mov $REASON_NO_DRIVE, %al
    xor %cx, %cx
1:  cmp %es:E_BEV_COUNT, %cl
    jae 9f
    push %cx
    mov %cx, %di
    shl $3, %di
    pushl %es:E_BEV(%di)
    popl %eax
    push %cs
    pushw $(2f - F)
    pushl %eax
    push %cs
    pop %es
    mov $(pnp_structure - F), %di
    lretw
2:  cld
    es_ebda
    pop %cx
    inc %cx
    mov $REASON_RETURNED, %al
    jmp 1b
9:  ret

# Nothing has booted: what was tried, and why not.
boot_failed:
    print message_no_boot
    xor %si, %si
1:  es_ebda
    mov %es:E_BOOT_ORDER(%si), %al
    test %al, %al
    jz 2f
    movzx %al, %bx
    mov %es:E_TRIED(%si), %al
    push %si
    push %ax
    shl $1, %bx
    mov %cs:(boot_names - F)(%bx), %si
    call puts
    pop %ax
    movzx %al, %bx
    shl $1, %bx
    mov %cs:(boot_reasons - F)(%bx), %si
    call puts
    pop %si
2:  inc %si
    cmp $4, %si
    jb 1b
    print message_key
    progress 0xff
    # Keys typed before do not count.
3:  mov $0x01, %ah
    int $0x16
    jz 4f
    xor %ah, %ah
    int $0x16
    jmp 3b
4:  xor %ah, %ah
    int $0x16
    jmp reset_board
message_no_boot:
    .asciz "\nNo bootable device:\n"
message_key:
    .asciz "Insert a bootable medium and press a key.\n"
boot_names:
    .word 0, boot_name_floppy - F, boot_name_disk - F, boot_name_cd - F, boot_name_rom - F
boot_name_floppy:
    .asciz "  Diskette: "
boot_name_disk:
    .asciz "  Hard disk: "
boot_name_cd:
    .asciz "  CD-ROM: "
boot_name_rom:
    .asciz "  Network or other ROM: "
boot_reasons:
    .word boot_reason_0 - F, boot_reason_1 - F, boot_reason_2 - F, boot_reason_3 - F
    .word boot_reason_4 - F, boot_reason_5 - F, boot_reason_6 - F
boot_reason_0:
    .asciz "not tried\n"
boot_reason_1:
    .asciz "there is none\n"
boot_reason_2:
    .asciz "no medium, or not ready\n"
boot_reason_3:
    .asciz "its first sector cannot be read\n"
boot_reason_4:
    .asciz "no boot sector (55 AA is missing)\n"
boot_reason_5:
    .asciz "not a bootable disc (no El Torito boot record)\n"
boot_reason_6:
    .asciz "its program gave up\n"

# The menu: by F12, pressed at any time since the keyboard was found; a prompt and a second to press it only
# where the machine's configuration (fw_cfg key 0Eh) asks for it.
proc boot_menu
    call fw_cfg_menu_wanted
    jnc 1f
    print message_f12
    mov $18, %cx                # ticks
    call menu_poll
    jc menu_show
    ret
1:  mov $1, %cx
    call menu_poll_now
    jc menu_show
    ret
# Looks for F12 for CX ticks. CF: it was pressed.
menu_poll:
    ds_bda
    mov B_TICKS, %bl
1:  call menu_poll_now
    jc 3f
    cmp B_TICKS, %bl
    je 2f
    mov B_TICKS, %bl
    dec %cx
    jz 4f
2:  sti
    hlt
    jmp 1b
3:  ret
4:  clc
    ret
# Takes keys until F12. CF: it was there.
menu_poll_now:
    mov $0x11, %ah
    int $0x16
    jz 1f
    mov $0x10, %ah
    int $0x16
    cmp $0x86, %ah
    jne menu_poll_now
    stc
    ret
1:  clc
    ret
menu_show:
    print message_menu
1:  mov $0x10, %ah
    int $0x16
    cmp $27, %al
    je 2f
    sub $'0', %al
    jbe 1b
    cmp $4, %al
    ja 1b
    es_ebda
    mov %al, %es:E_BOOT_CHOICE
2:  mov $10, %al
    call putc
    ret
message_f12:
    .asciz "Press F12 for the boot menu\n"
message_menu:
    .ascii "\nBoot from:\n"
    .ascii "  1  Diskette\n"
    .ascii "  2  Hard disk\n"
    .ascii "  3  CD-ROM\n"
    .ascii "  4  Network or other ROM\n"
    .asciz "Esc: the usual order\n"

# CF: fw_cfg is there (signature "QEMU", key 0) and its boot menu word (key 0Eh) is not 0.
fw_cfg_menu_wanted:
    call fw_cfg_find
    jnc 2f
    dec %dx
    mov $0x0e, %ax
    out %ax, %dx
    inc %dx
    in %dx, %al
    mov %al, %ah
    in %dx, %al
    or %al, %ah
    jz 2f
    stc
    ret
2:  clc
    ret
"##
    };
}
pub(crate) use text;
