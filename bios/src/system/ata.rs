//! ATA and ATAPI devices on the two classical channels (1F0h/3F6h, 170h/376h): detection at power-on,
//! sector transfer by PIO, packet commands.
//!
//! Documents: ATA/ATAPI-6 (T13/1410D): "Software reset", "Device signature", IDENTIFY DEVICE words;
//! SFF-8020i: PACKET protocol.
//!
//! One file because ATA and ATAPI share the register protocol and its labels.

macro_rules! text {
    () => {
        r##"
.set ATA_ERROR_TIMEOUT, 0x80

# Finds the devices, sets the parameters of INT 13h.
proc ata_init
    es_ebda
    xor %di, %di                # device index
    mov $(ata_channels - F), %si
1:  mov %cs:(%si), %dx          # base
    call ata_reset_channel
    jc 3f
    call ata_probe              # master
    inc %di
    call ata_probe              # slave
    inc %di
    jmp 4f
3:  add $2, %di
4:  add $6, %si
    cmp $4, %di
    jb 1b
    # Disks in order become 80h.., CD-ROMs E0h...
    xor %di, %di
5:  call device_entry           # BX
    cmpb $1, %es:D_TYPE(%bx)
    jb 7f
    mov %di, %ax
    je 6f
    movzbw %es:E_CD_COUNT, %si
    mov %al, %es:E_CD_MAP(%si)
    incb %es:E_CD_COUNT
    jmp 7f
6:  movzbw B_HD_COUNT, %si
    mov %al, %es:E_HD_MAP(%si)
    incb B_HD_COUNT
    call disk_geometry
7:  inc %di
    cmp $4, %di
    jb 5b
    call disk_tables
    xor %di, %di
8:  call device_entry
    cmpb $0, %es:D_TYPE(%bx)
    je 9f
    call device_report
9:  inc %di
    cmp $4, %di
    jb 8b
    ret
ata_channels:
    .word 0x1f0, 0x3f6, 14
    .word 0x170, 0x376, 15

# BX := place of device DI in the EBDA.
device_entry:
    mov %di, %bx
    shl $5, %bx
    add $E_DRIVES, %bx
    ret

# Resets the channel at CS:SI. CF: nobody is there.
ata_reset_channel:
    mov %cs:2(%si), %dx
    mov $0x0e, %al              # SRST, nIEN
    out %al, %dx
    call refresh_edge
    call refresh_edge
    mov $0x0a, %al              # nIEN until the devices are known
    out %al, %dx
    mov $3, %cx
    call delay_ms
    # Somebody keeps what is written to the cylinder registers, or an empty bus reads FFh.
    mov %cs:(%si), %dx
    add $7, %dx
    mov $0xffff, %cx            # 1 s; a spinning-up drive may take longer and is seen later
1:  in %dx, %al
    cmp $0xff, %al
    je 2f
    test $0x80, %al
    jz 3f
    call refresh_edge
    loop 1b
2:  # A slave alone: select it.
    dec %dx
    mov $0xb0, %al
    out %al, %dx
    inc %dx
    call refresh_edge
    in %dx, %al
    cmp $0xff, %al
    je 9f
    test $0x80, %al
    jnz 9f
3:  clc
    ret
9:  stc
    ret

# Device DI of the channel at CS:SI.
ata_probe:
    pushal
    call device_entry
    mov %cs:(%si), %ax
    mov %ax, %es:D_BASE(%bx)
    mov %cs:2(%si), %ax
    mov %ax, %es:D_CONTROL(%bx)
    mov %cs:4(%si), %al
    mov %al, %es:D_IRQ(%bx)
    mov $0xa0, %al
    test $1, %di
    jz 1f
    mov $0xb0, %al
1:  mov %al, %es:D_SELECT(%bx)
    mov %es:D_BASE(%bx), %dx
    add $6, %dx
    out %al, %dx
    call ata_pause
    mov %al, %ah
    in %dx, %al                 # the register must keep it
    cmp $0xff, %al
    je 9f
    inc %dx
    in %dx, %al
    test %al, %al
    jz 2f
    cmp $0xff, %al
    je 9f
2:  sub $3, %dx                 # signature: cylinder low and high
    in %dx, %al
    mov %al, %cl
    inc %dx
    in %dx, %al
    mov %al, %ch
    cmp $0xeb14, %cx
    je 5f
    # An ATA disk answers IDENTIFY DEVICE.
    mov $0xec, %al
    call ata_identify
    jc 9f
    movb $1, %es:D_TYPE(%bx)
    call disk_identified
    jmp 8f
5:  mov $0xa1, %al
    call ata_identify
    jc 9f
    mov S_BUFFER, %ax           # word 0: ATAPI, type 5 CD-ROM
    and $0xdf00, %ax
    cmp $0x8500, %ax
    jne 8f
    movb $2, %es:D_TYPE(%bx)
    movb $4, %es:D_FLAGS(%bx)
    movw $2048, %es:D_BYTES(%bx)
8:  push $BDA
    pop %ds
    # Interrupts of this channel on.
    mov %es:D_CONTROL(%bx), %dx
    mov $0x08, %al
    out %al, %dx
9:  push $BDA
    pop %ds
    popal
    ret

# Command AL (IDENTIFY) to device BX; 512 bytes to 0:S_BUFFER; DS := 0. CF: it does not answer.
ata_identify:
    push %ax
    xor %ax, %ax
    mov %ax, %ds
    pop %ax
    mov %es:D_BASE(%bx), %dx
    add $7, %dx
    out %al, %dx
    call ata_pause
    in %dx, %al
    test %al, %al
    jz 9f                       # nobody
    call ata_wait_drq
    jc 9f
    sub $7, %dx
    push %es
    push %di
    xor %ax, %ax
    mov %ax, %es
    mov $S_BUFFER, %di
    mov $256, %cx
    rep insw
    pop %di
    pop %es
    clc
    ret
9:  stc
    ret

# 400 ns and more: four reads of the alternate status. Keeps all registers.
ata_pause:
    push %ax
    push %dx
    mov %es:D_CONTROL(%bx), %dx
    in %dx, %al
    in %dx, %al
    in %dx, %al
    in %dx, %al
    pop %dx
    pop %ax
    ret
# Waits until device BX is not busy, up to 30 s. AL = status. CF: time is up.
ata_wait_ready:
    push %ecx
    push %dx
    mov %es:D_CONTROL(%bx), %dx
    mov $2000000, %ecx
1:  in %dx, %al
    test $0x80, %al
    jz 2f
    call refresh_edge
    dec %ecx
    jnz 1b
    stc
2:  pop %dx
    pop %ecx
    ret
# Waits for DRQ. CF: error or time is up (AL = status).
ata_wait_drq:
    call ata_wait_ready
    jc 1f
    test $0x21, %al             # ERR, DF
    jnz 2f
    push %cx
    mov $0x1000, %cx
3:  test $0x08, %al
    jnz 4f
    push %dx
    mov %es:D_CONTROL(%bx), %dx
    call refresh_edge
    in %dx, %al
    pop %dx
    test $0x21, %al
    jnz 5f
    loop 3b
5:  pop %cx
2:  stc
1:  ret
4:  pop %cx
    clc
    ret

# What IDENTIFY DEVICE at 0:S_BUFFER says about disk BX.
disk_identified:
    movw $512, %es:D_BYTES(%bx)
    mov S_BUFFER + 2, %ax
    mov %ax, %es:D_PHYS_CYL(%bx)
    mov S_BUFFER + 6, %ax
    mov %ax, %es:D_PHYS_HEADS(%bx)
    mov S_BUFFER + 12, %ax
    mov %ax, %es:D_PHYS_SPT(%bx)
    movzwl S_BUFFER + 2, %eax
    movzwl S_BUFFER + 6, %ecx
    imul %ecx, %eax
    movzwl S_BUFFER + 12, %ecx
    imul %ecx, %eax
    xor %edx, %edx
    testw $0x0200, S_BUFFER + 98 # LBA
    jz 1f
    orb $0x01, %es:D_FLAGS(%bx)
    mov S_BUFFER + 120, %eax
    mov S_BUFFER + 166, %cx
    and $0xc400, %cx
    cmp $0x4400, %cx            # word 83 valid, 48-bit addresses
    jne 1f
    orb $0x02, %es:D_FLAGS(%bx)
    mov S_BUFFER + 200, %eax
    movzwl S_BUFFER + 204, %edx
1:  mov %eax, %es:D_TOTAL(%bx)
    mov %edx, %es:D_TOTAL + 4(%bx)
    testw $0x0080, S_BUFFER
    jz 2f
    orb $0x04, %es:D_FLAGS(%bx)
2:  ret

# Model name of device BX (words 27-46 of its identification), type, size.
device_report:
    pushal
    mov $(message_disk - F), %si
    cmpb $1, %es:D_TYPE(%bx)
    je 1f
    mov $(message_cdrom - F), %si
1:  call puts
    mov %di, %ax
    add $'0', %al
    call putc
    mov $':', %al
    call putc
    mov $' ', %al
    call putc
    mov %es:D_BASE(%bx), %dx
    add $6, %dx
    mov %es:D_SELECT(%bx), %al
    out %al, %dx
    call ata_pause
    call ata_wait_ready
    mov $0xec, %al
    cmpb $1, %es:D_TYPE(%bx)
    je 2f
    mov $0xa1, %al
2:  call ata_identify
    jc 6f
    in %dx, %al
    # Bytes of each word are swapped; trailing blanks are dropped.
    mov $20, %cx
    mov $(S_BUFFER + 92), %di
3:  cmpw $0x2020, (%di)
    jne 4f
    sub $2, %di
    loop 3b
    jmp 6f
4:  mov $(S_BUFFER + 54), %si
5:  mov 1(%si), %al
    call putc
    mov (%si), %al
    call putc
    add $2, %si
    loop 5b
6:  cmpb $1, %es:D_TYPE(%bx)
    jne 7f
    mov $' ', %al
    call putc
    mov %es:D_TOTAL(%bx), %eax
    mov %es:D_TOTAL + 4(%bx), %edx
    shrd $11, %edx, %eax
    call print_decimal
    print message_mib
7:  mov $10, %al
    call putc
    push $BDA
    pop %ds
    # The interrupt that the command left is answered by reading the status.
    mov %es:D_BASE(%bx), %dx
    add $7, %dx
    in %dx, %al
    popal
    ret
message_disk:
    .asciz "Disk "
message_cdrom:
    .asciz "CD-ROM "
message_mib:
    .asciz " MiB"

# The geometry that INT 13h shows for disk BX, device DI. CMOS 39h: two bits a device: 0 none, 1 LBA, 2
# large, 3 revised large; where it says none and the disk is too large, we choose.
disk_geometry:
    pushal
    cmos 0x39
    mov %di, %cx
    shl $1, %cl
    shr %cl, %al
    and $3, %al
    mov %es:D_PHYS_CYL(%bx), %si
    mov %es:D_PHYS_HEADS(%bx), %cx
    mov %es:D_PHYS_SPT(%bx), %dx
    test %si, %si
    jz 6f                       # no CHS geometry at all: LBA
    test %al, %al
    jnz 1f
    cmp $1024, %si
    jbe 5f
    mov $1, %al
    testb $1, %es:D_FLAGS(%bx)
    jnz 1f
    mov $2, %al
1:  cmp $1, %al
    je 6f
    # Large: cylinders halved, heads doubled; revised: 16 heads become 15 first.
    cmp $3, %al
    jne 2f
    cmp $16, %cx
    jne 2f
    cmp $8192, %si
    jbe 2f
    movzx %si, %eax
    shl $4, %eax
    push %edx
    xor %edx, %edx
    push %ecx
    mov $15, %ecx
    div %ecx
    pop %ecx
    pop %edx
    cmp $0xffff, %eax
    jbe 3f
    mov $0xffff, %eax
3:  mov %ax, %si
    mov $15, %cx
2:  movb $2, %es:D_TRANSLATION(%bx)
4:  cmp $1024, %si
    jbe 5f
    cmp $128, %cx
    jae 5f
    shr $1, %si
    shl $1, %cx
    jmp 4b
6:  # LBA assisted: 63 sectors; 16, 32, 64, 128 or 255 heads.
    movb $1, %es:D_TRANSLATION(%bx)
    mov %es:D_TOTAL(%bx), %eax
    cmpl $0, %es:D_TOTAL + 4(%bx)
    je 7f
    mov $0xffffffff, %eax
7:  xor %edx, %edx
    mov $63, %ecx
    div %ecx
    mov $16, %ecx
8:  mov %ecx, %edx
    shl $10, %edx
    cmp %edx, %eax
    jbe 9f
    shl $1, %ecx
    cmp $256, %ecx
    jb 8b
    mov $255, %ecx
9:  xor %edx, %edx
    div %ecx
    cmp $1024, %eax
    jbe 1f
    mov $1024, %eax
1:  test %eax, %eax
    jnz 2f
    inc %ax
2:  mov %ax, %si
    mov $63, %dx
5:  cmp $1024, %si
    jbe 1f
    mov $1024, %si
1:  mov %si, %es:D_CYL(%bx)
    mov %cx, %es:D_HEADS(%bx)
    mov %dx, %es:D_SPT(%bx)
    popal
    ret

# Fixed disk parameter tables of the first two disks (INT 41h, 46h) and the device parameter table
# extensions.
disk_tables:
    pushal
    xor %si, %si
1:  movzbw %es:E_HD_MAP(%si), %di
    cmp $0xff, %di
    je 3f
    call device_entry
    mov $E_FDPT0, %di
    test %si, %si
    jz 2f
    mov $E_FDPT1, %di
2:  call disk_table
    push %ds
    xor %ax, %ax
    mov %ax, %ds
    mov $(0x41 * 4), %bx
    test %si, %si
    jz 4f
    mov $(0x46 * 4), %bx
4:  mov %di, (%bx)
    mov %es, 2(%bx)
    pop %ds
3:  inc %si
    cmp $2, %si
    jb 1b
    popal
    ret
# ES:DI := table of disk BX: the translated form (signature A0h) if it is translated.
disk_table:
    mov %es:D_CYL(%bx), %ax
    mov %ax, %es:(%di)
    mov %es:D_HEADS(%bx), %al
    mov %al, %es:2(%di)
    movw $0, %es:5(%di)         # write precompensation: none
    mov %es:D_PHYS_HEADS(%bx), %al
    mov $0, %ah
    cmp $8, %al
    jbe 1f
    mov $0x08, %ah              # more than 8 heads
1:  or $0xc0, %ah               # no retries, as IBM's table 47 has it
    mov %ah, %es:8(%di)
    mov %es:D_SPT(%bx), %al
    mov %al, %es:14(%di)
    cmpb $0, %es:D_TRANSLATION(%bx)
    je 2f
    movb $0xa0, %es:3(%di)
    mov %es:D_PHYS_SPT(%bx), %al
    mov %al, %es:4(%di)
    mov %es:D_PHYS_CYL(%bx), %ax
    mov %ax, %es:9(%di)
    mov %es:D_PHYS_HEADS(%bx), %al
    mov %al, %es:11(%di)
    # Byte 15: sum 0.
    push %di
    mov $15, %cx
    xor %al, %al
3:  add %es:(%di), %al
    inc %di
    loop 3b
    neg %al
    mov %al, %es:(%di)
    pop %di
    ret
2:  mov %es:D_CYL(%bx), %ax
    mov %ax, %es:12(%di)        # landing zone
    ret

# ---- transfer. ES: EBDA, BX: device.
# Issues command AL to disk BX: EDX:ECX address (48 bits), SI number of sectors (1-256), AH 1: the 48-bit
# form. CF: AL = status.
ata_start:
    push %edx
    push %ecx
    push %si
    push %ax
    push %edx
    mov %es:D_BASE(%bx), %dx
    add $6, %dx
    mov %es:D_SELECT(%bx), %al
    out %al, %dx
    call ata_pause
    call ata_wait_ready
    pop %edx
    pop %ax
    jc 9f
    push %ax
    push %edi
    mov %edx, %edi              # high half of the address
    mov %es:D_BASE(%bx), %dx
    add $2, %dx
    test %ah, %ah
    jz 1f
    # 48 bits: the high bytes first.
    mov %si, %ax
    xchg %al, %ah
    out %al, %dx
    inc %dx
    mov %ecx, %eax
    shr $24, %eax
    out %al, %dx
    inc %dx
    mov %di, %ax
    out %al, %dx
    inc %dx
    mov %ah, %al
    out %al, %dx
    sub $3, %dx
1:  mov %si, %ax
    out %al, %dx
    inc %dx
    mov %cl, %al
    out %al, %dx
    inc %dx
    mov %ch, %al
    out %al, %dx
    inc %dx
    mov %ecx, %eax
    shr $16, %eax
    out %al, %dx
    inc %dx
    shr $8, %eax
    and $0x0f, %al
    or $0x40, %al               # LBA
    or %es:D_SELECT(%bx), %al
    out %al, %dx
    inc %dx
    pop %edi
    pop %ax
    out %al, %dx
    call ata_pause
    clc
9:  pop %si
    pop %ecx
    pop %edx
    ret

# The same for a disk without LBA: the address becomes the physical cylinder, head and sector.
ata_start_chs:
    pushal
    mov %al, %ah
    mov %es:D_BASE(%bx), %dx
    add $6, %dx
    mov %es:D_SELECT(%bx), %al
    out %al, %dx
    call ata_pause
    call ata_wait_ready
    jc 9f
    push %ax
    mov %ecx, %eax
    xor %edx, %edx
    movzwl %es:D_PHYS_SPT(%bx), %ecx
    test %ecx, %ecx
    jz 8f
    div %ecx
    mov %dx, %di
    inc %di                     # sector
    xor %edx, %edx
    movzwl %es:D_PHYS_HEADS(%bx), %ecx
    test %ecx, %ecx
    jz 8f
    div %ecx
    mov %ax, %cx                # cylinder
    mov %dl, %ah                # head
    mov %es:D_BASE(%bx), %dx
    add $2, %dx
    push %ax
    mov %si, %ax
    out %al, %dx
    inc %dx
    mov %di, %ax
    out %al, %dx
    inc %dx
    mov %cl, %al
    out %al, %dx
    inc %dx
    mov %ch, %al
    out %al, %dx
    inc %dx
    pop %ax
    mov %ah, %al
    or %es:D_SELECT(%bx), %al
    out %al, %dx
    inc %dx
    pop %ax
    mov %ah, %al
    out %al, %dx
    call ata_pause
    popal
    clc
    ret
8:  pop %ax
9:  popal
    stc
    ret

# Reads, writes or verifies sectors of disk BX.
# In: EDX:ECX LBA, SI count (1-256), AL 0 read, 1 write, 2 verify; E_XFER: far pointer of the buffer, its
# offset below 512.
# Out: CF clear, or CF and AH = INT 13h status; SI = sectors not done.
proc ata_transfer
    push %edx
    push %di
    push %bp
    movzx %al, %bp              # operation
    # Which command: LBA48 if the disk has it and the address needs it.
    xor %ah, %ah
    testb $0x01, %es:D_FLAGS(%bx)
    jz 3f
    testb $0x02, %es:D_FLAGS(%bx)
    jz 1f
    test %edx, %edx
    jnz 2f
    push %ecx
    push %edi
    movzx %si, %edi
    add %edi, %ecx
    jc 4f
    cmp $0x0fffffff, %ecx
4:  pop %edi
    pop %ecx
    ja 2f
    jc 2f
1:  mov %cs:(ata_commands - F)(%bp), %al
    call ata_start
    jmp 5f
2:  mov $1, %ah
    mov %cs:(ata_commands_48 - F)(%bp), %al
    call ata_start
    jmp 5f
3:  mov %cs:(ata_commands - F)(%bp), %al
    call ata_start_chs
5:  jc 8f
    cmp $2, %bp
    je 7f
    # One sector at a time.
6:  call ata_wait_drq
    jc 8f
    mov %es:D_BASE(%bx), %dx
    call ata_move_sector
    dec %si
    jnz 6b
7:  call ata_pause
    call ata_wait_ready
    jc 8f
    test $0x21, %al
    jnz 8f
    cmp $2, %bp
    jne 9f
    xor %si, %si
9:  # Read the status: the interrupt is answered.
    mov %es:D_BASE(%bx), %dx
    add $7, %dx
    in %dx, %al
    xor %ah, %ah
    pop %bp
    pop %di
    pop %edx
    clc
    ret
8:  call ata_error
    pop %bp
    pop %di
    pop %edx
    stc
    ret
ata_commands:
    .byte 0x20, 0x30, 0x40
ata_commands_48:
    .byte 0x24, 0x34, 0x42

# One sector of 512 bytes between port DX and the buffer, which moves on. BP: 0 read, 1 write.
ata_move_sector:
    push %ds
    push %si
    push %cx
    push %ax
    mov %es:E_FLAGS, %al
    lds %es:E_XFER, %si
    mov $128, %cx
    test %bp, %bp
    jnz 3f
    push %es
    push %di
    mov %ds, %di
    mov %di, %es
    mov %si, %di
    test $F_IO32, %al
    jz 1f
    rep insl
    jmp 2f
1:  shl $1, %cx
    rep insw
2:  pop %di
    pop %es
    jmp 5f
3:  test $F_IO32, %al
    jz 4f
    rep outsl
    jmp 5f
4:  shl $1, %cx
    rep outsw
5:  addw $32, %es:E_XFER + 2
    pop %ax
    pop %cx
    pop %si
    pop %ds
    ret

# AH := INT 13h status for device BX's error register.
ata_error:
    mov $0x80, %ah
    test $0x80, %al             # still busy: time is up
    jnz 2f
    push %dx
    mov %es:D_BASE(%bx), %dx
    add $7, %dx
    in %dx, %al
    sub $6, %dx
    mov %al, %ah
    in %dx, %al
    pop %dx
    test $0x20, %ah             # device fault
    mov $0x20, %ah
    jnz 2f
    test $0x10, %al             # ID not found
    mov $0x04, %ah
    jnz 2f
    test $0x40, %al             # uncorrectable
    mov $0x10, %ah
    jnz 2f
    test $0x80, %al             # interface CRC
    jnz 2f
    mov $0x02, %ah
    test $0x01, %al             # address mark
    jnz 2f
    mov $0x40, %ah
    test $0x02, %al             # track 0
    jnz 2f
    mov $0x01, %ah              # aborted
    test $0x04, %al
    jnz 2f
    mov $0xbb, %ah              # undefined
2:  ret

# A command without data, AL, for disk BX. CF: AH = status.
ata_nondata:
    push %dx
    push %ax
    mov %es:D_BASE(%bx), %dx
    add $6, %dx
    mov %es:D_SELECT(%bx), %al
    out %al, %dx
    call ata_pause
    call ata_wait_ready
    jc 8f
    pop %ax
    push %ax
    inc %dx
    out %al, %dx
    call ata_pause
    call ata_wait_ready
    jc 8f
    in %dx, %al
    test $0x21, %al
    jnz 8f
    pop %ax
    pop %dx
    xor %ah, %ah
    ret
8:  pop %dx
    pop %dx
    call ata_error
    stc
    ret

# ---- ATAPI
# Sends the packet at E_PACKET to device BX and receives data: SI bytes are dropped first, then EDI bytes
# go to the buffer of E_XFER, the rest is dropped. CF: AH = status (the device's sense key in AL).
proc atapi_command
    push %ecx
    push %edx
    push %si
    push %edi
    mov %es:D_BASE(%bx), %dx
    add $6, %dx
    mov %es:D_SELECT(%bx), %al
    out %al, %dx
    call ata_pause
    call ata_wait_ready
    jc 8f
    sub $5, %dx                 # features: PIO
    xor %al, %al
    out %al, %dx
    add $3, %dx                 # byte count limit: 2048, one block at a time
    out %al, %dx
    inc %dx
    mov $0x08, %al
    out %al, %dx
    add $2, %dx
    mov $0xa0, %al
    out %al, %dx
    call ata_pause
    call ata_wait_drq
    jc 8f
    # The packet.
    push %si
    mov %es:D_BASE(%bx), %dx
    mov $6, %cx
    mov $E_PACKET, %si
1:  mov %es:(%si), %ax
    out %ax, %dx
    add $2, %si
    loop 1b
    pop %si
2:  call ata_pause
    call ata_wait_ready
    jc 8f
    test $0x08, %al
    jz 6f
    # Data: the byte count stands in the cylinder registers.
    mov %es:D_BASE(%bx), %dx
    add $4, %dx
    in %dx, %al
    mov %al, %cl
    inc %dx
    in %dx, %al
    mov %al, %ch
    sub $5, %dx
    inc %cx
    shr $1, %cx
    test %cx, %cx
    jz 2b
3:  # Words: dropped, stored, dropped.
    test %si, %si
    jnz 4f
    test %edi, %edi
    jnz 5f
    in %dx, %ax
    loop 3b
    jmp 2b
4:  in %dx, %ax
    sub $2, %si
    loop 3b
    jmp 2b
5:  # As many as fit, in one go.
    push %cx
    movzx %cx, %ecx
    push %edi
    shr $1, %edi
    cmp %edi, %ecx
    jbe 7f
    mov %edi, %ecx
7:  pop %edi
    movzx %cx, %eax
    sub %eax, %edi
    sub %eax, %edi
    push %es
    push %di
    push %cx
    les %es:E_XFER, %di
    rep insw
    pop %cx
    pop %di
    pop %es
    # The buffer moves on; its offset stays small.
    push %ax
    shl $1, %ax
    add %es:E_XFER, %ax
    push %ax
    shr $4, %ax
    add %ax, %es:E_XFER + 2
    pop %ax
    and $0x0f, %ax
    mov %ax, %es:E_XFER
    pop %ax
    pop %cx
    sub %ax, %cx
    jnz 3b
    jmp 2b
6:  mov %es:D_BASE(%bx), %dx
    add $7, %dx
    in %dx, %al                 # answers the interrupt
    test $0x21, %al
    jnz 7f
    xor %ah, %ah
    pop %edi
    pop %si
    pop %edx
    pop %ecx
    clc
    ret
7:  sub $6, %dx
    in %dx, %al
    shr $4, %al                 # sense key
    mov $0xaa, %ah              # not ready
    cmp $2, %al
    je 9f
    mov $0x06, %ah              # unit attention: changed
    cmp $6, %al
    je 9f
    mov $0x10, %ah              # medium error
    cmp $3, %al
    je 9f
    mov $0x20, %ah
    cmp $4, %al
    je 9f
    mov $0x01, %ah
    cmp $5, %al
    je 9f
    mov $0xbb, %ah
    jmp 9f
8:  mov $0x80, %ah
    xor %al, %al
9:  pop %edi
    pop %si
    pop %edx
    pop %ecx
    stc
    ret
"##
    };
}
pub(crate) use text;
