//! CD-ROM: INT 13h for ATAPI drives (E0h and up), El Torito boot with and without emulation.
//!
//! Document: "El Torito" Bootable CD-ROM Format Specification 1.0 (Phoenix, IBM): boot record volume
//! descriptor, booting catalogue, functions 4Ah-4Dh.
//!
//! **Not implemented**: multiple boot images (the initial/default entry is taken), audio, starting an
//! emulation by 4Ah and 4Ch after the boot (AH=01h).

macro_rules! text {
    () => {
        r##"
.set E_CATALOG, 0x84            # dword: block of the booting catalogue

# Reads from CD BX: EAX first block, CX blocks; SI bytes dropped first, EDI bytes go to E_XFER. A change of
# medium is tried again. CF: AH = status.
proc cd_read
    push %dx
    mov $5, %dl
1:  push %eax
    movl $0, %es:E_PACKET
    movb $0x28, %es:E_PACKET
    bswap %eax
    mov %eax, %es:E_PACKET + 2
    movb $0, %es:E_PACKET + 6
    mov %ch, %es:E_PACKET + 7
    mov %cl, %es:E_PACKET + 8
    movb $0, %es:E_PACKET + 9
    movw $0, %es:E_PACKET + 10
    pushl %es:E_XFER
    call atapi_command
    jnc 3f
    popl %es:E_XFER             # the buffer as it was
    cmp $0x06, %ah              # unit attention
    jne 2f
    mov %ah, %dh
    pop %eax
    dec %dl
    jnz 1b
    mov %dh, %ah
    pop %dx
    stc
    ret
2:  mov %ah, %dh
    pop %eax
    mov %dh, %ah
    pop %dx
    stc
    ret
3:  add $4, %sp
    pop %eax
    pop %dx
    xor %ah, %ah
    ret

# Waits until CD BX has a readable medium: up to about 10 s while it says that it becomes ready. CF: it has
# none (AH = status).
proc cd_wait_ready
    push %cx
    push %si
    push %edi
    mov $40, %cx
1:  call cd_clear_packet        # TEST UNIT READY
    xor %si, %si
    xor %edi, %edi
    call atapi_command
    jnc 5f
    cmp $0x06, %ah
    je 3f
    cmp $0xaa, %ah
    jne 4f
    # Not ready: is it on its way? REQUEST SENSE, additional codes in bytes 12 and 13.
    call cd_clear_packet
    movb $0x03, %es:E_PACKET
    movb $18, %es:E_PACKET + 4
    mov %es, %ax
    push %cx
    mov $E_SENSE, %cx
    call transfer_buffer
    pop %cx
    xor %si, %si
    mov $18, %edi
    call atapi_command
    mov $0xaa, %ah
    jc 4f
    cmpw $0x0104, %es:E_SENSE + 12
    jne 4f
    push %cx
    mov $250, %cx
    call delay_ms
    pop %cx
3:  loop 1b
    mov $0xaa, %ah
4:  stc
    jmp 6f
5:  clc
6:  pop %edi
    pop %si
    pop %cx
    ret
cd_clear_packet:
    movl $0, %es:E_PACKET
    movl $0, %es:E_PACKET + 4
    movl $0, %es:E_PACKET + 8
    ret

# Device of the CD that booted: BX.
cd_device:
    movzbw %es:C_DEVICE, %di
    jmp device_entry

# INT 13h for a CD drive E0h.. that is not the one booted from.
cd_plain_services:
    sub $0xe0, %al
    cmp %es:E_CD_COUNT, %al
    jae hd_no_drive
    movzx %al, %si
    movzbw %es:E_CD_MAP(%si), %di
    call device_entry
    jmp cd_functions

# INT 13h for the drive booted from.
cd_services:
    call cd_device
    cmpb $2, %es:C_ACTIVE
    je cd_emulated
cd_functions:
    movzbw R_AH(%bp), %si
    mov %si, %ax
    cmp $0x00, %al
    je cd_reset
    cmp $0x01, %al
    je hd_status
    cmp $0x0d, %al
    je cd_reset
    cmp $0x10, %al
    je cd_ready
    cmp $0x15, %al
    je cd_type
    cmp $0x41, %al
    je cd_check
    cmp $0x42, %al
    je cd_transfer
    cmp $0x43, %al
    je cd_protected
    cmp $0x44, %al
    je cd_transfer
    cmp $0x45, %al
    je cd_lock
    cmp $0x46, %al
    je cd_eject
    cmp $0x47, %al
    je cd_transfer
    cmp $0x48, %al
    je cd_parameters
    cmp $0x49, %al
    je cd_changed
    cmp $0x4d, %al
    je cd_catalog
    cmp $0x4e, %al
    je edd_configure
    cmp $0x03, %al
    je cd_protected
    jmp hd_bad_command
cd_protected:
    mov $0x03, %ah
    ret
cd_reset:
    # DEVICE RESET (08h) is the packet devices' own.
    call ata_reset_select
    mov $0x08, %al
    mov %es:D_BASE(%bx), %dx
    add $7, %dx
    out %al, %dx
    call ata_pause
    call ata_wait_ready
    mov $0x05, %ah
    jc 1f
    xor %ah, %ah
1:  ret
cd_ready:
    call cd_wait_ready
    jc 1f
    xor %ah, %ah
1:  ret
# A drive with a change line.
cd_type:
    movb $2, R_AH(%bp)
    caller_cf 0
    jmp hd_answered
cd_check:
    cmpw $0x55aa, R_BX(%bp)
    jne hd_bad_command
    movw $0xaa55, R_BX(%bp)
    movb $0x30, R_AH(%bp)
    movw $0x0007, R_CX(%bp)
    caller_cf 0
    jmp hd_answered

cd_transfer:
    call edd_packet
    jc 9f
    test %edx, %edx
    jnz hd_bad_command
    mov %ecx, %eax
    mov %si, %cx
    xor %si, %si
    xor %edi, %edi
    cmpb $0x42, R_AH(%bp)
    jne 1f
    movzx %cx, %edi
    shl $11, %edi
1:  cmpb $0x47, R_AH(%bp)
    jne 2f
    mov $1, %cx
2:  test %cx, %cx
    jz hd_ok
    call cd_read
    jnc hd_ok
    push %ds
    mov R_DS(%bp), %ds
    mov R_SI(%bp), %si
    movw $0, 2(%si)
    pop %ds
9:  ret

# 45h: AL 0 lock, 1 unlock, 2 state. PREVENT ALLOW MEDIUM REMOVAL. One lock, not counted.
cd_lock:
    mov R_AL(%bp), %al
    cmp $2, %al
    ja hd_bad_command
    je 2f
    xor $1, %al
    mov %al, %cl
    call cd_clear_packet
    movb $0x1e, %es:E_PACKET
    mov %al, %es:E_PACKET + 4
    xor %si, %si
    xor %edi, %edi
    call atapi_command
    jc 9f
    shl $3, %cl
    mov %es:D_FLAGS(%bx), %al
    and $0xf7, %al
    or %cl, %al
    mov %al, %es:D_FLAGS(%bx)
2:  mov %es:D_FLAGS(%bx), %al
    shr $3, %al
    and $1, %al
    mov %al, R_AL(%bp)
    xor %ah, %ah
9:  ret
# 46h: START STOP UNIT, eject.
cd_eject:
    mov $0xb1, %ah              # locked
    testb $0x08, %es:D_FLAGS(%bx)
    jnz 9b
    call cd_clear_packet
    movb $0x1b, %es:E_PACKET
    movb $0x02, %es:E_PACKET + 4
    xor %si, %si
    xor %edi, %edi
    call atapi_command
    jc 9b
    jmp hd_ok
# 49h: a unit attention since the last command means a change.
cd_changed:
    call cd_clear_packet
    xor %si, %si
    xor %edi, %edi
    call atapi_command
    jnc hd_ok
    ret
cd_parameters:
    mov R_DS(%bp), %ds
    mov R_SI(%bp), %si
    mov (%si), %cx
    cmp $0x1a, %cx
    jb hd_bad_command
    movw $0x0075, 2(%si)        # removable, change line, lockable, no medium geometry
    movl $-1, 4(%si)
    movl $-1, 8(%si)
    movl $-1, 12(%si)
    movl $-1, 16(%si)
    movl $-1, 20(%si)
    mov %es:D_BYTES(%bx), %ax
    mov %ax, 24(%si)
    cmp $0x1e, %cx
    jae edd_parameters_rest
    movw $0x1a, (%si)
    jmp hd_ok

# 4Bh: the specification packet to DS:SI; AL 0 also ends the emulation.
cd_emulation_status:
    cmpb $0x7f, R_DL(%bp)
    je 1f
    mov %es:C_DRIVE, %al
    cmp R_DL(%bp), %al
    jne hd_bad_command
1:  cmpb $1, R_AL(%bp)
    ja hd_bad_command
    mov R_DS(%bp), %ds
    mov R_SI(%bp), %si
    movb $0x13, (%si)
    mov %es:C_MEDIA, %al
    mov %al, 1(%si)
    mov %es:C_DRIVE, %al
    mov %al, 2(%si)
    mov %es:C_DEVICE, %al
    mov %al, %ah
    shr $1, %al
    mov %al, 3(%si)             # controller
    mov %es:C_LBA, %ecx
    mov %ecx, 4(%si)
    and $1, %ah
    mov %ah, 8(%si)             # device: master or slave
    movb $0, 9(%si)
    movw $0, 10(%si)            # no buffer of the user's
    mov %es:C_LOAD_SEGMENT, %ax
    mov %ax, 12(%si)
    mov %es:C_COUNT, %ax
    mov %ax, 14(%si)
    # Geometry as function 08h shows it.
    mov %es:C_CYL, %cx
    dec %cx
    xchg %cl, %ch
    shl $6, %cl
    or %es:C_SPT, %cl
    mov %ch, 16(%si)
    mov %cl, 17(%si)
    mov %es:C_HEADS, %al
    dec %al
    mov %al, 18(%si)
    cmpb $0, R_AL(%bp)
    jne hd_ok
    movb $0, %es:C_ACTIVE
    jmp hd_ok

# 4Dh: part of the booting catalogue: packet: size 8, sectors, buffer, first sector.
cd_catalog:
    cmpb $0, R_AL(%bp)
    jne hd_bad_command
    cmpb $0, %es:C_ACTIVE
    je hd_bad_command
    push %ds
    mov R_DS(%bp), %ds
    mov R_SI(%bp), %si
    movzbw 1(%si), %dx
    mov 4(%si), %ax
    mov 2(%si), %cx
    movzwl 6(%si), %esi
    pop %ds
    test %dx, %dx
    jz hd_ok
    call transfer_buffer
    mov %es:E_CATALOG, %eax
    add %esi, %eax
    mov %dx, %cx
    movzx %dx, %edi
    shl $11, %edi
    xor %si, %si
    call cd_read
    jnc hd_ok
    ret

# ---- the emulated drive
cd_emulated:
    mov R_AH(%bp), %al
    cmp $0x00, %al
    je cd_reset
    cmp $0x01, %al
    je hd_status
    cmp $0x02, %al
    je cd_emulated_read
    cmp $0x03, %al
    je cd_protected
    cmp $0x04, %al
    je cd_emulated_read
    cmp $0x05, %al
    je cd_protected
    cmp $0x08, %al
    je cd_emulated_parameters
    cmp $0x09, %al
    je hd_ok
    cmp $0x0d, %al
    je cd_reset
    cmp $0x10, %al
    je cd_ready
    cmp $0x15, %al
    je cd_emulated_type
    cmp $0x4d, %al
    je cd_catalog
    jmp hd_bad_command
cd_emulated_type:
    movb $1, R_AH(%bp)          # a diskette without change line
    testb $0x80, %es:C_DRIVE
    jz 1f
    movb $3, R_AH(%bp)
    movzwl %es:C_CYL, %eax
    movzwl %es:C_HEADS, %ecx
    imul %ecx, %eax
    movzwl %es:C_SPT, %ecx
    imul %ecx, %eax
    mov %ax, R_DX(%bp)
    shr $16, %eax
    mov %ax, R_CX(%bp)
1:  caller_cf 0
    jmp hd_answered
cd_emulated_parameters:
    mov %es:C_CYL, %cx
    dec %cx
    xchg %cl, %ch
    shl $6, %cl
    or %es:C_SPT, %cl
    mov %cx, R_CX(%bp)
    mov %es:C_HEADS, %al
    dec %al
    mov %al, R_DH(%bp)
    movb $0, R_AL(%bp)
    testb $0x80, %es:C_DRIVE
    jnz 2f
    # Diskette: how many there are now, type, parameter table.
    mov B_EQUIPMENT, %al
    mov $1, %ah
    test $0x01, %al
    jz 1f
    shr $6, %al
    inc %al
    add %al, %ah
1:  mov %ah, R_DL(%bp)
    mov %es:C_MEDIA, %al
    shl $1, %al                 # 1, 2, 3: 1.2, 1.44, 2.88 MB: types 2, 4, 6
    mov %al, R_BL(%bp)
    movb $0, R_BH(%bp)
    movw $0xf000, R_ES(%bp)
    movw $(diskette_parameter_table - F), R_DI(%bp)
    jmp hd_ok
2:  mov B_HD_COUNT, %al
    inc %al
    mov %al, R_DL(%bp)
    jmp hd_ok

cd_emulated_read:
    movzbl R_CL(%bp), %eax
    mov %ax, %cx
    and $0x3f, %cx
    jz hd_bad_command
    cmp %es:C_SPT, %cx
    ja hd_bad_command
    and $0xc0, %ax
    shl $2, %ax
    mov R_CH(%bp), %al
    movzbl R_DH(%bp), %edx
    cmp %es:C_HEADS, %dx
    jae hd_bad_command
    cmp %es:C_CYL, %ax
    jae 9f
    push %ecx
    movzwl %es:C_HEADS, %ecx
    imul %ecx, %eax
    add %edx, %eax
    movzwl %es:C_SPT, %ecx
    imul %ecx, %eax
    pop %ecx
    movzx %cx, %ecx
    add %ecx, %eax
    dec %eax                    # block of 512 bytes
    movzbl R_AL(%bp), %edi
    test %di, %di
    jz hd_bad_command
    # Its 2048-byte block, and what comes before it in there.
    mov %ax, %si
    and $3, %si
    mov %di, %cx
    add %si, %cx
    add $3, %cx
    shr $2, %cx                 # blocks touched
    shl $9, %si
    shl $9, %edi
    shr $2, %eax
    add %es:C_LBA, %eax
    cmpb $0x04, R_AH(%bp)
    jne 1f
    xor %edi, %edi
    xor %si, %si
1:  push %ax
    push %cx
    mov R_ES(%bp), %ax
    mov R_BX(%bp), %cx
    call transfer_buffer
    pop %cx
    pop %ax
    call cd_read
    jnc hd_ok
    movb $0, R_AL(%bp)
    ret
9:  mov $0x04, %ah
    ret

# ---- boot. AL: number of the CD (0 = E0h). Returns if it cannot: AL = reason.
proc cd_boot
    es_ebda
    movzx %al, %si
    movzbw %es:E_CD_MAP(%si), %di
    mov %di, %ax
    mov %al, %es:C_DEVICE
    mov %si, %ax
    add $0xe0, %al
    mov %al, %es:C_DRIVE
    call device_entry
    call cd_wait_ready
    mov $REASON_NOT_READY, %al
    jc 9f
    # Block 17: the boot record volume descriptor.
    mov $17, %eax
    call cd_read_block
    mov $REASON_READ_ERROR, %al
    jc 9f
    xor %ax, %ax
    mov %ax, %ds
    mov $S_BUFFER, %si
    mov $(el_torito_descriptor - F), %di
    mov $39, %cx
1:  lodsb
    cmp %cs:(%di), %al
    mov $REASON_NOT_BOOTABLE, %al
    jne 9f
    inc %di
    loop 1b
    mov S_BUFFER + 0x47, %eax
    mov %eax, %es:E_CATALOG
    call cd_read_block
    mov $REASON_READ_ERROR, %al
    jc 9f
    # Validation entry: header 1, platform 80x86, key bytes, sum 0.
    cmpb $0x01, S_BUFFER
    jne 8f
    cmpb $0x00, S_BUFFER + 1
    jne 8f
    cmpw $0xaa55, S_BUFFER + 30
    jne 8f
    mov $16, %cx
    mov $S_BUFFER, %si
    xor %dx, %dx
2:  lodsw
    add %ax, %dx
    loop 2b
    jnz 8f
    # Initial entry: bootable.
    cmpb $0x88, S_BUFFER + 32
    jne 8f
    mov S_BUFFER + 40, %eax
    mov %eax, %es:C_LBA
    mov S_BUFFER + 38, %ax
    test %ax, %ax
    jnz 3f
    inc %ax
3:  mov %ax, %es:C_COUNT
    mov S_BUFFER + 34, %ax
    test %ax, %ax
    jnz 4f
    mov $0x07c0, %ax
4:  mov %ax, %es:C_LOAD_SEGMENT
    mov S_BUFFER + 33, %al
    and $0x0f, %al
    mov %al, %es:C_MEDIA
    cmp $4, %al
    ja 8f
    # The image's first sectors.
    movzwl %es:C_COUNT, %edi
    mov %di, %cx
    add $3, %cx
    shr $2, %cx
    shl $9, %edi
    mov %es:C_LOAD_SEGMENT, %ax
    push %cx
    xor %cx, %cx
    call transfer_buffer
    pop %cx
    xor %si, %si
    mov %es:C_LBA, %eax
    call cd_read
    mov $REASON_READ_ERROR, %al
    jc 9f
    movb $1, %es:C_ACTIVE
    mov %es:C_MEDIA, %al
    movzx %al, %si
    test %al, %al
    jz 6f
    # Emulation: geometry by kind; of a hard disk from its partition table.
    movb $2, %es:C_ACTIVE
    movb $0x00, %es:C_DRIVE
    movw $80, %es:C_CYL
    movw $2, %es:C_HEADS
    movzbw %cs:(el_torito_sectors - F)(%si), %ax
    mov %ax, %es:C_SPT
    cmp $4, %si
    jne 5f
    movb $0x80, %es:C_DRIVE
    mov %es:C_LOAD_SEGMENT, %ds
    movzbw 0x1be + 5, %ax       # last head, sector and cylinder of the first partition
    inc %ax
    mov %ax, %es:C_HEADS
    movzbw 0x1be + 6, %ax
    mov %ax, %cx
    and $0x3f, %cx
    mov %cx, %es:C_SPT
    and $0xc0, %ax
    shl $2, %ax
    mov 0x1be + 7, %al
    inc %ax
    mov %ax, %es:C_CYL
5:  jmp 7f
6:  movw $1, %es:C_CYL          # no geometry
    movw $1, %es:C_HEADS
    movw $0, %es:C_SPT
7:  mov %es:C_LOAD_SEGMENT, %bx
    mov %es:C_DRIVE, %dl
    mov %dl, %es:E_BOOT_DRIVE
    xor %ax, %ax
    cmp $0x07c0, %bx
    jne boot_jump
    xor %bx, %bx
    mov $0x7c00, %ax
    jmp boot_jump
8:  mov $REASON_NOT_BOOTABLE, %al
9:  push $BDA
    pop %ds
    ret
# Block EAX of CD BX to 0:S_BUFFER.
cd_read_block:
    push %eax
    xor %ax, %ax
    mov $S_BUFFER, %cx
    call transfer_buffer
    pop %eax
    mov $1, %cx
    xor %si, %si
    mov $2048, %edi
    jmp cd_read
el_torito_descriptor:
    .byte 0
    .ascii "CD001"
    .byte 1
    .ascii "EL TORITO SPECIFICATION"
    .byte 0, 0, 0, 0, 0, 0, 0, 0, 0
el_torito_sectors:
    .byte 0, 15, 18, 36, 0
"##
    };
}
pub(crate) use text;
