//! INT 13h for hard disks: the classical functions and the extensions.
//!
//! Documents: IBM PS/2 and PC BIOS Interface Technical Reference, "INT 13h - Fixed disk"; Phoenix
//! Enhanced Disk Drive Specification 1.1 and 3.0.
//!
//! **Not implemented** (AH=01h): format of an ATA disk (05h-07h; the drives have no such command), read and
//! write long (0Ah, 0Bh, gone from ATA), controller RAM and drive diagnostics of the XT (12h, 13h), transfers
//! to addresses above 1 MiB.

macro_rules! text {
    () => {
        r##"
# INT 13h.
proc int13_body
    cmp $0x80, %dl
    jae 2f
    cmp $0x4b, %ah              # El Torito: drive 7Fh means any
    je 2f
    # An image on CD may stand for diskette 0; the drives move up then.
    push %ds
    push %es
    push %ax
    es_ebda
    cmpb $2, %es:C_ACTIVE
    jne 1f
    cmpb $0, %es:C_DRIVE
    jne 1f
    test %dl, %dl
    pop %ax
    pop %es
    pop %ds
    jz 2f
    dec %dl
    int $0x40
    inc %dl
    sti
    lretw $2
1:  pop %ax
    pop %es
    pop %ds
    int $0x40
    sti
    lretw $2
2:  sti
    frame
    es_ebda
    call int13_disk
    # AH: status.
    mov $BDA, %bx
    mov %bx, %ds
    mov %ah, B_HD_STATUS
    mov %ah, R_AH(%bp)
    caller_cf 0
    test %ah, %ah
    jz 3f
    caller_cf 1
3:  unframe_iret

# Out: AH = status for the caller. Routines that answer otherwise leave through hd_answered.
int13_disk:
    mov R_DL(%bp), %al
    cmpb $0, %es:C_ACTIVE
    je 1f
    cmp $0x4b, %ah
    je cd_emulation_status
    cmp %es:C_DRIVE, %al
    je cd_services
    cmpb $0x80, %es:C_DRIVE
    jne 1f
    dec %al                     # the image is drive 80h: real disks move up
1:  cmp $0xe0, %al
    jae cd_plain_services
    sub $0x80, %al
    cmp B_HD_COUNT, %al
    jae hd_no_drive
    movzx %al, %si
    movzbw %es:E_HD_MAP(%si), %di
    call device_entry           # BX
    movzbw R_AH(%bp), %si
    cmp $0x15, %si
    ja 2f
    shl $1, %si
    jmp *%cs:(hd_table - F)(%si)
2:  sub $0x41, %si
    cmp $0x0e, %si
    jae hd_bad_command
    shl $1, %si
    jmp *%cs:(hd_extension_table - F)(%si)
hd_table:
    .word hd_reset - F, hd_status - F, hd_transfer - F, hd_transfer - F
    .word hd_transfer - F, hd_bad_command - F, hd_bad_command - F, hd_bad_command - F
    .word hd_parameters - F, hd_set_parameters - F, hd_bad_command - F, hd_bad_command - F
    .word hd_seek - F, hd_reset_drive - F, hd_bad_command - F, hd_bad_command - F
    .word hd_ready - F, hd_recalibrate - F, hd_bad_command - F, hd_bad_command - F
    .word hd_diagnostic - F, hd_type - F
hd_extension_table:
    .word edd_check - F, edd_transfer - F, edd_transfer - F, edd_transfer - F
    .word edd_fixed - F, edd_fixed - F, edd_transfer - F, edd_parameters - F
    .word edd_unchanged - F, hd_bad_command - F, hd_bad_command - F, hd_bad_command - F
    .word hd_bad_command - F, edd_configure - F

hd_bad_command:
    mov $0x01, %ah
    ret
hd_ok:
    xor %ah, %ah
    ret
# The drive does not exist.
hd_no_drive:
    mov R_AH(%bp), %al
    cmp $0x15, %al
    jne 1f
    movb $0, R_AH(%bp)          # "no such drive" is an answer, not an error
    caller_cf 0
    jmp hd_answered
1:  cmp $0x00, %al
    je hd_reset_diskettes
    cmp $0x08, %al
    jne hd_bad_command
    movw $0, R_CX(%bp)
    movb $0, R_DH(%bp)
    mov B_HD_COUNT, %al
    mov %al, R_DL(%bp)
    mov $0x07, %ah
    ret
# The caller's registers are set already.
hd_answered:
    add $2, %sp
    movb $0, B_HD_STATUS
    unframe_iret

hd_reset:
    call ata_reset_drive
    jc 1f
hd_reset_diskettes:
    pushal
    mov $0, %ah
    mov $0, %dl
    int $0x40
    popal
    jmp hd_ok
1:  ret
hd_reset_drive:
    call ata_reset_drive
    jc 1f
    xor %ah, %ah
1:  ret
# Soft reset of the channel of BX. CF: AH = status.
ata_reset_drive:
    mov %es:D_CONTROL(%bx), %dx
    mov $0x0e, %al
    out %al, %dx
    call refresh_edge
    call refresh_edge
    mov $0x08, %al
    out %al, %dx
    mov $3, %cx
    call delay_ms
    call ata_wait_ready
    mov $0x05, %ah              # reset failed
    jc 1f
    mov %es:D_BASE(%bx), %dx
    add $7, %dx
    in %dx, %al
    clc
1:  ret

hd_status:
    mov B_HD_STATUS, %ah
    mov %ah, R_AL(%bp)
    ret

# EDX:ECX := block of the caller's cylinder, head, sector. CF: AH = status.
hd_chs:
    movzbl R_CL(%bp), %eax
    mov %ax, %cx
    and $0x3f, %cx
    jz 9f
    cmp %es:D_SPT(%bx), %cx
    ja 9f
    and $0xc0, %ax
    shl $2, %ax
    mov R_CH(%bp), %al
    movzbw R_DH(%bp), %dx
    cmp %es:D_HEADS(%bx), %dx
    jae 9f
    cmp %es:D_CYL(%bx), %ax
    mov $0x04, %dl
    jae 8f
    movzwl %es:D_HEADS(%bx), %edx
    imul %edx, %eax
    movzbl R_DH(%bp), %edx
    add %edx, %eax
    movzwl %es:D_SPT(%bx), %edx
    imul %edx, %eax
    movzx %cx, %ecx
    dec %ecx
    add %eax, %ecx
    xor %edx, %edx
    clc
    ret
8:  mov %dl, %ah
    stc
    ret
9:  mov $0x01, %ah
    stc
    ret

# E_XFER := far pointer AX:CX (segment, offset), its offset made small.
transfer_buffer:
    push %cx
    push %cx
    shr $4, %cx
    add %cx, %ax
    pop %cx
    and $0x0f, %cx
    mov %cx, %es:E_XFER
    mov %ax, %es:E_XFER + 2
    pop %cx
    ret

# 02h, 03h, 04h.
hd_transfer:
    call hd_chs
    jc 9f
    movzbw R_AL(%bp), %si
    test %si, %si
    jz hd_bad_command
    mov $0x09, %ah
    cmp $128, %si
    ja 9f
    push %cx
    mov R_ES(%bp), %ax
    mov R_BX(%bp), %cx
    call transfer_buffer
    pop %cx
    mov R_AH(%bp), %al
    sub $2, %al
    push %si
    call ata_transfer
    pop %cx
    jnc 1f
    sub %si, %cx                # sectors that went through
    mov %cl, R_AL(%bp)
    ret
1:  xor %ah, %ah
9:  ret

hd_parameters:
    mov %es:D_CYL(%bx), %cx
    dec %cx
    xchg %cl, %ch
    shl $6, %cl
    or %es:D_SPT(%bx), %cl
    mov %cx, R_CX(%bp)
    mov %es:D_HEADS(%bx), %al
    dec %al
    mov %al, R_DH(%bp)
    mov B_HD_COUNT, %al
    cmpb $2, %es:C_ACTIVE
    jne 1f
    cmpb $0x80, %es:C_DRIVE
    jne 1f
    inc %al
1:  mov %al, R_DL(%bp)
    movb $0, R_AL(%bp)
    jmp hd_ok

# Initialize the drive with its own geometry (91h): the translation is ours.
hd_set_parameters:
    call ata_reset_select
    jc 9f
    mov %es:D_BASE(%bx), %dx
    add $2, %dx
    mov %es:D_PHYS_SPT(%bx), %al
    test %al, %al
    jz hd_ok
    out %al, %dx
    add $4, %dx
    mov %es:D_PHYS_HEADS(%bx), %al
    dec %al
    and $0x0f, %al
    or %es:D_SELECT(%bx), %al
    out %al, %dx
    mov $0x91, %al
    jmp ata_nondata_selected
9:  mov $0x80, %ah
    ret
ata_reset_select:
    mov %es:D_BASE(%bx), %dx
    add $6, %dx
    mov %es:D_SELECT(%bx), %al
    out %al, %dx
    call ata_pause
    jmp ata_wait_ready
# Command AL to the selected drive, registers set. CF: AH = status.
ata_nondata_selected:
    mov %es:D_BASE(%bx), %dx
    add $7, %dx
    out %al, %dx
    call ata_pause
    call ata_wait_ready
    jc 8f
    in %dx, %al
    test $0x21, %al
    jnz 8f
    xor %ah, %ah
    ret
8:  call ata_error
    stc
    ret

# 0Ch: the cylinder is checked by verifying a sector there.
hd_seek:
    push R_CX(%bp)
    andb $0xc0, R_CL(%bp)
    orb $0x01, R_CL(%bp)
    call hd_chs
    pop R_CX(%bp)
    jc 9f
    mov $1, %si
    mov $2, %al
    call ata_transfer
    jc 9f
    xor %ah, %ah
9:  ret
hd_ready:
    call ata_reset_select
    mov $0x80, %ah
    jc 9f
    mov $0xaa, %ah
    test $0x40, %al
    jz 9f
    xor %ah, %ah
9:  ret
hd_recalibrate:
    xor %ecx, %ecx
    xor %edx, %edx
    mov $1, %si
    mov $2, %al
    call ata_transfer
    jc 9f
    xor %ah, %ah
9:  ret
# 14h: EXECUTE DEVICE DIAGNOSTIC.
hd_diagnostic:
    mov $0x90, %al
    call ata_nondata
    jc 9f
    mov %es:D_BASE(%bx), %dx
    inc %dx
    in %dx, %al
    mov $0x20, %ah
    and $0x7f, %al
    cmp $0x01, %al
    jne 9f
    xor %ah, %ah
9:  ret
# 15h: a fixed disk of CX:DX sectors.
hd_type:
    movzwl %es:D_CYL(%bx), %eax
    movzwl %es:D_HEADS(%bx), %ecx
    imul %ecx, %eax
    movzwl %es:D_SPT(%bx), %ecx
    imul %ecx, %eax
    mov %ax, R_DX(%bp)
    shr $16, %eax
    mov %ax, R_CX(%bp)
    movb $3, R_AH(%bp)
    caller_cf 0
    jmp hd_answered

# ---- extensions
edd_check:
    cmpw $0x55aa, R_BX(%bp)
    jne hd_bad_command
    movw $0xaa55, R_BX(%bp)
    movb $0x30, R_AH(%bp)       # EDD 3.0
    movw $0x0005, R_CX(%bp)     # packet functions; drive parameters with the extension
    caller_cf 0
    jmp hd_answered
edd_fixed:
    mov $0xb2, %ah              # volume not removable
    ret
edd_unchanged:
    jmp hd_ok
# What is asked for is what is: no prefetch, default PIO, no DMA.
edd_configure:
    mov R_AL(%bp), %al
    cmp $0x01, %al
    je 1f
    cmp $0x04, %al
    je 1f
    cmp $0x06, %al
    jne hd_bad_command
1:  movb $1, R_AL(%bp)
    jmp hd_ok

# The disk address packet at the caller's DS:SI. Out: EDX:ECX block, SI count, E_XFER. CF: AH = status.
edd_packet:
    push %ds
    push %di
    mov R_DS(%bp), %ds
    mov R_SI(%bp), %di
    cmpb $0x10, (%di)
    jb 9f
    mov 2(%di), %si
    mov 8(%di), %ecx
    mov 12(%di), %edx
    movzwl 6(%di), %eax         # segment
    push %cx
    mov 4(%di), %cx
    cmpl $0xffffffff, 4(%di)
    jne 1f
    cmpb $0x18, (%di)
    jb 1f
    # A flat address: below 1 MiB it becomes segment and offset.
    pop %cx
    cmpl $0, 20(%di)
    jne 9f
    mov 16(%di), %eax
    cmp $0x100000, %eax
    jae 9f
    push %cx
    mov %ax, %cx
    and $0x0f, %cx
    shr $4, %eax
1:  call transfer_buffer
    pop %cx
    pop %di
    pop %ds
    clc
    ret
9:  pop %di
    pop %ds
    mov $0x01, %ah
    stc
    ret

# 42h read, 43h write (AL 02h: with verification), 44h verify, 47h seek.
edd_transfer:
    cmpb $0x43, R_AH(%bp)
    jne 1f
    cmpb $2, R_AL(%bp)
    ja hd_bad_command
1:  call edd_packet
    jc 9f
    # The last block must be on the disk.
    push %edx
    push %ecx
    movzx %si, %eax
    add %eax, %ecx
    adc $0, %edx
    jc 2f
    cmp %es:D_TOTAL + 4(%bx), %edx
    jne 2f
    cmp %es:D_TOTAL(%bx), %ecx
2:  pop %ecx
    pop %edx
    jc 3f
    ja hd_bad_command
3:  cmpb $0x47, R_AH(%bp)
    jne 4f
    mov $1, %si
    mov $2, %al
    jmp 5f
4:  # In runs of at most 128 sectors; DI counts what is done.
    xor %di, %di
6:  test %si, %si
    jz hd_ok
    push %si
    cmp $128, %si
    jbe 7f
    mov $128, %si
7:  push %si
    mov R_AH(%bp), %al
    sub $0x42, %al
    call ata_transfer
    jc 8f
    pop %si
    cmpb $0x43, R_AH(%bp)
    jne 1f
    cmpb $2, R_AL(%bp)
    jne 1f
    push %si
    mov $2, %al                 # what was written is verified
    call ata_transfer
    jc 8f
    pop %si
1:  add %si, %di
    movzx %si, %eax
    add %eax, %ecx
    adc $0, %edx
    pop %ax
    sub %si, %ax
    mov %ax, %si
    jmp 6b
8:  # The packet gets the number of sectors that went through.
    pop %cx
    sub %si, %cx
    add %cx, %di
    pop %cx
    push %ds
    mov R_DS(%bp), %ds
    mov R_SI(%bp), %si
    mov %di, 2(%si)
    pop %ds
9:  ret
5:  call ata_transfer
    jc 9b
    jmp hd_ok

# 48h: drive parameters.
edd_parameters:
    mov R_DS(%bp), %ds
    mov R_SI(%bp), %si
    mov (%si), %cx
    cmp $0x1a, %cx
    jb hd_bad_command
    movw $0x0003, 2(%si)        # 64 KiB boundaries are no matter; the geometry is valid
    movzwl %es:D_PHYS_CYL(%bx), %eax
    mov %eax, 4(%si)
    movzwl %es:D_PHYS_HEADS(%bx), %eax
    mov %eax, 8(%si)
    movzwl %es:D_PHYS_SPT(%bx), %eax
    mov %eax, 12(%si)
    # More than fits in 16383 * 16 * 63: no geometry.
    cmpl $0, %es:D_TOTAL + 4(%bx)
    jne 1f
    cmpl $0xfc0000, %es:D_TOTAL(%bx)
    jb 2f
1:  movw $0x0001, 2(%si)
2:  mov %es:D_TOTAL(%bx), %eax
    mov %eax, 16(%si)
    mov %es:D_TOTAL + 4(%bx), %eax
    mov %eax, 20(%si)
    mov %es:D_BYTES(%bx), %ax
    mov %ax, 24(%si)
    cmp $0x1e, %cx
    jb 5f
# Shared with CD-ROMs: the parts behind byte 1Ah. CX: size of the caller's buffer.
edd_parameters_rest:
    # Device parameter table extension.
    push %cx
    call device_parameter_extension
    pop %cx
    mov %di, 26(%si)
    mov %es, 28(%si)
    cmp $0x42, %cx
    jb 6f
    # Device path.
    movw $0xbedd, 30(%si)
    movw $0x0024, 32(%si)
    movw $0, 34(%si)
    movl $0x20415349, 36(%si)   # "ISA "
    movl $0x20415441, 40(%si)   # "ATA     "
    cmpb $2, %es:D_TYPE(%bx)
    jne 3f
    movl $0x50415441, 40(%si)   # "ATAPI   "
3:  movl $0x20202020, 44(%si)
    cmpb $2, %es:D_TYPE(%bx)
    jne 4f
    movb $'I', 44(%si)
4:  mov %es:D_BASE(%bx), %ax
    mov %ax, 48(%si)
    movw $0, 50(%si)
    movl $0, 52(%si)
    testb $F_IO32, %es:E_FLAGS
    jz 1f
    movl $0x20494350, 36(%si)   # "PCI ": bus, slot, function
    mov %es:E_IDE_BDF, %ax
    mov %ah, 48(%si)
    mov %al, %ah
    shr $3, %al
    mov %al, 49(%si)
    and $0x07, %ah
    mov %ah, 50(%si)
1:
    xor %al, %al
    cmpb $0xb0, %es:D_SELECT(%bx)
    jne 1f
    inc %al
1:  mov %al, 56(%si)
    movb $0, 57(%si)
    movw $0, 58(%si)
    movl $0, 60(%si)
    movb $0, 64(%si)
    push %si
    mov $35, %cx
    add $30, %si
    xor %al, %al
2:  add (%si), %al
    inc %si
    loop 2b
    neg %al
    mov %al, (%si)
    pop %si
    movw $0x42, (%si)
    jmp hd_ok
5:  movw $0x1a, (%si)
    jmp hd_ok
6:  movw $0x1e, (%si)
    jmp hd_ok

# DI := filled-in extension of device BX.
device_parameter_extension:
    mov %bx, %di
    sub $E_DRIVES, %di
    shr $1, %di
    add $E_DPTE, %di
    mov %es:D_BASE(%bx), %ax
    mov %ax, %es:(%di)
    mov %es:D_CONTROL(%bx), %ax
    mov %ax, %es:2(%di)
    mov %es:D_SELECT(%bx), %al
    xor %cx, %cx
    testb $0x01, %es:D_FLAGS(%bx)
    jz 1f
    or $0x40, %al
    or $0x10, %cl               # LBA
1:  mov %al, %es:4(%di)
    movb $0xcb, %es:5(%di)
    mov %es:D_IRQ(%bx), %al
    mov %al, %es:6(%di)
    movb $0, %es:7(%di)
    movw $0, %es:8(%di)
    cmpb $0, %es:D_TRANSLATION(%bx)
    je 2f
    or $0x08, %cl               # translated
    cmpb $1, %es:D_TRANSLATION(%bx)
    jne 2f
    or $0x02, %ch               # bits 9-10: 01 LBA assisted
2:  testb $0x04, %es:D_FLAGS(%bx)
    jz 3f
    or $0x20, %cl
3:  cmpb $2, %es:D_TYPE(%bx)
    jne 4f
    or $0x40, %cl               # ATAPI
4:  testb $F_IO32, %es:E_FLAGS
    jz 5f
    or $0x80, %cl
5:  mov %cx, %es:10(%di)
    movw $0, %es:12(%di)
    movb $0x11, %es:14(%di)
    push %di
    mov $15, %cx
    xor %al, %al
6:  add %es:(%di), %al
    inc %di
    loop 6b
    neg %al
    mov %al, %es:(%di)
    pop %di
    ret
"##
    };
}
pub(crate) use text;
