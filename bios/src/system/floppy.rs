//! INT 13h for diskettes, by programming the 82077AA and channel 2 of the 8237A; INT 0Eh.
//!
//! Documents: Intel 82077AA datasheet 290166 (command set, DOR, CCR, DIR); IBM PC AT Technical Reference,
//! "Diskette BIOS": 40:3E-48, 40:8B-95, the parameter table of INT 1Eh, status codes.
//!
//! The medium is recognised by reading an address mark at each data rate that the drive (CMOS 10h) knows;
//! 40:90 and 40:91 keep what was found: bits 7-6 rate (00 500, 01 300, 10 250, 11 1000 kbit/s), bit 5
//! double step, bit 4 established, bits 2-0 the kind.
//!
//! One file because INT 13h for diskettes and the controller driver below it share their labels.

macro_rules! text {
    () => {
        r##"
# Status codes.
.set FD_OK, 0x00
.set FD_BAD_COMMAND, 0x01
.set FD_NO_MARK, 0x02
.set FD_PROTECTED, 0x03
.set FD_NO_SECTOR, 0x04
.set FD_CHANGED, 0x06
.set FD_OVERRUN, 0x08
.set FD_BOUNDARY, 0x09
.set FD_UNKNOWN_MEDIA, 0x0c
.set FD_CRC, 0x10
.set FD_CONTROLLER, 0x20
.set FD_SEEK, 0x40
.set FD_TIMEOUT, 0x80

proc floppy_init
    ds_bda
    andb $0x3e, B_EQUIPMENT
    movb $0, B_FD_CALIBRATED
    cmos 0x10
    test %al, %al
    jz 9f
    mov %al, %ah
    # Number of drives: bits 7-6 count from 0, bit 0: there is one.
    orb $0x01, B_EQUIPMENT
    test $0x0f, %al
    jz 1f
    orb $0x40, B_EQUIPMENT
1:  # 40:8F: each drive's nibble: determined, and for all but 360K drives 80 tracks and change line.
    xor %bl, %bl
    mov %ah, %al
    shr $4, %al
    call 3f
    mov %al, %bl
    mov %ah, %al
    and $0x0f, %al
    call 3f
    shl $4, %al
    or %bl, %al
    mov %al, B_FD_INFO
    call fd_reset
    ret
3:  test %al, %al
    jz 4f
    cmp $1, %al
    mov $0x04, %al
    je 4f
    mov $0x07, %al
4:  ret
9:  ret

# INT 0Eh: the controller has finished.
proc int0e_body
    push %ax
    push %ds
    ds_bda
    orb $0x80, B_FD_CALIBRATED
    mov $0x20, %al
    out %al, $0x20
    sti
    mov $0x9101, %ax
    int $0x15
    pop %ds
    pop %ax
    iretw

# INT 13h for DL < 80h; also INT 40h.
proc int13_floppy_body
    sti
    frame
floppy_services:
    ds_bda
    movzbw R_AH(%bp), %bx
    cmp $0x19, %bx
    jae 1f
    shl $1, %bx
    call *%cs:(floppy_table - F)(%bx)
    jmp 2f
1:  call fd_bad_command
2:  unframe_iret
floppy_table:
    .word fd_service_reset - F, fd_service_status - F, fd_service_transfer - F, fd_service_transfer - F
    .word fd_service_transfer - F, fd_service_format - F, fd_bad_command - F, fd_bad_command - F
    .word fd_service_parameters - F, fd_bad_command - F, fd_bad_command - F, fd_bad_command - F
    .word fd_bad_command - F, fd_bad_command - F, fd_bad_command - F, fd_bad_command - F
    .word fd_bad_command - F, fd_bad_command - F, fd_bad_command - F, fd_bad_command - F
    .word fd_bad_command - F, fd_service_type - F, fd_service_change - F, fd_service_set_type - F
    .word fd_service_set_media - F

fd_bad_command:
    mov $FD_BAD_COMMAND, %ah
# AH: status, to the caller and to 40:41.
fd_finish:
    mov $BDA, %bx
    mov %bx, %ds
    mov %ah, B_FD_STATUS
    mov %ah, R_AH(%bp)
    caller_cf 0
    test %ah, %ah
    jz 1f
    caller_cf 1
1:  ret

# BX := drive if there is one of that number, AL its type from CMOS 10h. CF: there is none.
fd_drive:
    movzbw R_DL(%bp), %bx
# BX: drive. AL := type.
fd_drive_type:
    cmp $1, %bx
    ja 9f
    cmos 0x10
    test %bx, %bx
    jnz 1f
    shr $4, %al
1:  and $0x0f, %al
    jz 9f
    clc
    ret
9:  stc
    ret

fd_service_reset:
    call fd_reset
    jmp fd_finish

fd_service_status:
    mov B_FD_STATUS, %ah
    mov %ah, R_AH(%bp)
    caller_cf 0
    test %ah, %ah
    jz 1f
    caller_cf 1
1:  ret

# AH=08h.
fd_service_parameters:
    movb $0, R_AH(%bp)
    mov B_EQUIPMENT, %dl
    mov %dl, %dh
    and $0x01, %dl
    jz 1f
    shr $6, %dh
    and $0x03, %dh
    inc %dh
    mov %dh, %dl
1:  xor %cx, %cx
    push %dx
    call fd_drive
    pop %dx
    jc 2f
    movzx %al, %si
    cmp $6, %si
    ja 2f
    mov %al, R_BL(%bp)
    movb $0, R_BH(%bp)
    shl $1, %si
    mov %cs:(fd_limits - F)(%si), %cx
    shl $1, %si
    mov %cs:(fd_tables_index - F)(%si), %ax
    mov %ax, R_DI(%bp)
    movw $0xf000, R_ES(%bp)
    mov %cx, R_CX(%bp)
    mov %dl, R_DL(%bp)
    movb $1, R_DH(%bp)
    movb $0, R_AL(%bp)
    mov $0, %ah
    jmp fd_finish
2:  # No such drive.
    movw $0, R_AX(%bp)
    movw $0, R_BX(%bp)
    movw $0, R_CX(%bp)
    movw $0, R_DI(%bp)
    movw $0, R_ES(%bp)
    movb $0, R_DH(%bp)
    mov %dl, R_DL(%bp)
    caller_cf 0
    ret
# Last cylinder and last sector by drive type.
fd_limits:
    .word 0
    .byte 9, 39
    .byte 15, 79
    .byte 9, 79
    .byte 18, 79
    .byte 36, 79
    .byte 36, 79
fd_tables_index:
    .word 0, 0
    .word fd_table_360k - F, 0, fd_table_1200k - F, 0, fd_table_720k - F, 0
    .word fd_table_1440k - F, 0, fd_table_2880k - F, 0, fd_table_2880k - F, 0
# Step rate and head unload; head load, DMA; motor off ticks; sector size; sectors; gap; length; format
# gap; fill; head settle ms; motor start 1/8 s; last cylinder; data rate; drive type.
.macro fd_table sectors, gap, format_gap, last, rate, type
    .byte 0xaf, 0x02, 0x25, 0x02, \sectors, \gap, 0xff, \format_gap, 0xf6, 0x0f, 0x04, \last, \rate, \type
.endm
fd_table_360k:
    fd_table 9, 0x2a, 0x50, 39, 0x80, 1
fd_table_1200k:
    fd_table 15, 0x1b, 0x54, 79, 0x00, 2
fd_table_720k:
    fd_table 9, 0x2a, 0x50, 79, 0x80, 3
fd_table_1440k:
    fd_table 18, 0x1b, 0x6c, 79, 0x00, 4
fd_table_2880k:
    fd_table 36, 0x1b, 0x50, 79, 0xc0, 6

# AH=15h: AH 0 none, 1 no change line, 2 change line.
fd_service_type:
    movb $0, R_AH(%bp)
    caller_cf 0
    call fd_drive
    jc 1f
    movb $1, R_AH(%bp)
    cmp $1, %al
    je 1f
    movb $2, R_AH(%bp)
1:  ret

# AH=16h: has the medium been changed?
fd_service_change:
    call fd_drive
    jc fd_bad_command
    mov $FD_CHANGED, %ah
    cmp $1, %al
    je fd_finish                # a drive without the line
    call fd_select
    mov $0x3f7, %dx
    in %dx, %al
    xor %ah, %ah
    test %al, %al
    jns fd_finish
    mov $FD_CHANGED, %ah
    jmp fd_finish

# AH=17h: AL 1 360K in 360K, 2 360K in 1.2M, 3 1.2M, 4 720K.
fd_service_set_type:
    call fd_drive
    jc fd_bad_command
    mov $0x93, %ah
    cmpb $1, R_AL(%bp)
    je 1f
    mov $0x74, %ah
    cmpb $2, R_AL(%bp)
    je 1f
    mov $0x15, %ah
    cmpb $3, R_AL(%bp)
    je 1f
    mov $0x97, %ah
    cmpb $4, R_AL(%bp)
    jne fd_bad_command
1:  push %ax
    call fd_clear_change
    pop %cx
    cmp $FD_TIMEOUT, %ah
    je fd_finish
    movzbw R_DL(%bp), %bx
    mov %ch, B_FD_MEDIA(%bx)
    xor %ah, %ah
    jmp fd_finish

# AH=18h: CH last cylinder, CL sectors: ES:DI := table for formatting such a medium.
fd_service_set_media:
    call fd_drive
    jc fd_bad_command
    movzx %al, %si
    mov $(fd_media_list - F), %di
    mov R_CX(%bp), %cx
1:  mov %cs:(%di), %al
    test %al, %al
    jz 3f
    cmp %ch, %al
    jne 2f
    cmp %cl, %cs:1(%di)
    jne 2f
    mov %cs:2(%di), %al         # drives that can do it
    mov %si, %dx
    xchg %cx, %dx
    shr %cl, %al
    mov %dx, %cx
    test $1, %al
    jz 2f
    mov %cs:3(%di), %ah         # state
    cmp $2, %si
    jne 4f
    cmp $39, %ch
    jne 4f
    mov $0x74, %ah              # 360K in a 1.2M drive: 300 kbit/s, double step
4:  push %ax
    push %di
    call fd_clear_change
    pop %di
    pop %cx
    cmp $FD_TIMEOUT, %ah
    je fd_finish
    movzbw R_DL(%bp), %bx
    mov %ch, B_FD_MEDIA(%bx)
    mov %cs:4(%di), %ax
    mov %ax, R_DI(%bp)
    movw $0xf000, R_ES(%bp)
    xor %ah, %ah
    jmp fd_finish
2:  add $6, %di
    jmp 1b
3:  mov $FD_UNKNOWN_MEDIA, %ah
    jmp fd_finish
.macro fd_medium last, sectors, drives, state, table
    .byte \last, \sectors, \drives, \state
    .word \table - F
.endm
fd_media_list:
    fd_medium 39, 9, 0x06, 0x93, fd_table_360k
    fd_medium 79, 15, 0x04, 0x15, fd_table_1200k
    fd_medium 79, 9, 0x78, 0x97, fd_table_720k
    fd_medium 79, 18, 0x70, 0x17, fd_table_1440k
    fd_medium 79, 36, 0x60, 0xd7, fd_table_2880k
    .byte 0

# AH=02h-04h: read, write, verify AL sectors.
fd_service_transfer:
    call fd_drive
    jc fd_bad_command
    cmpb $0, R_AL(%bp)
    je fd_bad_command
    cmpb $1, R_DH(%bp)
    ja fd_bad_command
    call fd_prepare
    jc fd_transfer_failed
    call fd_seek_caller
    jc fd_transfer_failed
    # 8237A mode: 46h to memory, 4Ah from memory, 42h verify; single, channel 2.
    movzbw R_AL(%bp), %cx
    call fd_sector_bytes        # AX bytes a sector
    mul %cx
    test %dx, %dx
    jnz 4f
    mov %ax, %cx
    mov $0x46, %al
    cmpb $0x02, R_AH(%bp)
    je 1f
    mov $0x4a, %al
    cmpb $0x03, R_AH(%bp)
    je 1f
    mov $0x42, %al
1:  call fd_dma
    mov $FD_BOUNDARY, %ah
    jc fd_transfer_failed
    # READ DATA E6h, WRITE DATA C5h (multi-track, MFM).
    mov $0xe6, %al
    cmpb $0x03, R_AH(%bp)
    jne 2f
    mov $0xc5, %al
2:  call fd_send
    jc fd_transfer_failed
    call fd_head_drive
    call fd_send
    jc fd_transfer_failed
    mov R_CH(%bp), %al
    call fd_send
    jc fd_transfer_failed
    mov R_DH(%bp), %al
    call fd_send
    jc fd_transfer_failed
    mov R_CL(%bp), %al
    call fd_send
    jc fd_transfer_failed
    mov $3, %si                 # sector size, last sector, gap, data length
3:  call fd_parameter
    call fd_send
    jc fd_transfer_failed
    inc %si
    cmp $7, %si
    jb 3b
    call fd_complete
    jc fd_transfer_failed
    movb $FD_OK, B_FD_STATUS
    call fd_motor_off_later
    xor %ah, %ah
    jmp fd_finish
4:  mov $FD_BOUNDARY, %ah
fd_transfer_failed:
    call fd_motor_off_later
    movb $0, R_AL(%bp)
    jmp fd_finish

# AH=05h: format a track; ES:BX: four bytes a sector.
fd_service_format:
    call fd_drive
    jc fd_bad_command
    cmpb $1, R_DH(%bp)
    ja fd_bad_command
    call fd_prepare_format
    jc fd_transfer_failed
    call fd_seek_caller
    jc fd_transfer_failed
    mov $4, %si
    call fd_parameter
    movzx %al, %cx
    shl $2, %cx
    mov $0x4a, %al
    call fd_dma
    mov $FD_BOUNDARY, %ah
    jc fd_transfer_failed
    mov $0x4d, %al
    call fd_send
    jc fd_transfer_failed
    call fd_head_drive
    call fd_send
    jc fd_transfer_failed
    mov $(fd_format_order - F), %di
1:  mov %cs:(%di), %al
    test %al, %al
    jz 2f
    movzx %al, %si
    call fd_parameter
    call fd_send
    jc fd_transfer_failed
    inc %di
    jmp 1b
2:  call fd_complete
    jc fd_transfer_failed
    call fd_motor_off_later
    xor %ah, %ah
    jmp fd_finish
fd_format_order:
    .byte 3, 4, 7, 8, 0         # sector size, sectors, gap, fill byte

# AL := byte SI of the parameter table of INT 1Eh. The table describes the usual medium; a track of 2.88 MB
# (1 Mbit/s) is never shorter than 36 sectors.
fd_parameter:
    call fd_table_byte
    cmp $4, %si
    jne 1f
    push %bx
    movzbw R_DL(%bp), %bx
    testb $0x40, B_FD_MEDIA(%bx)
    jz 2f
    testb $0x80, B_FD_MEDIA(%bx)
    jz 2f
    cmp $36, %al
    jae 2f
    mov $36, %al
2:  pop %bx
1:  ret
fd_table_byte:
    push %es
    push %bx
    xor %bx, %bx
    mov %bx, %es
    les %es:0x1e * 4, %bx
    mov %es:(%bx,%si), %al
    pop %bx
    pop %es
    ret
fd_sector_bytes:
    push %cx
    mov $3, %si
    call fd_parameter
    mov %al, %cl
    and $0x07, %cl
    mov $128, %ax
    shl %cl, %ax
    pop %cx
    ret
# AL := head and drive byte of a command.
fd_head_drive:
    mov R_DH(%bp), %al
    shl $2, %al
    or R_DL(%bp), %al
    ret

# Keeps the motor on for the time of the parameter table.
fd_motor_off_later:
    push %ax
    mov $2, %si
    call fd_parameter
    mov %al, B_FD_TIMEOUT
    pop %ax
    ret

# Selects drive R_DL with its motor on, waits for the motor to be up to speed.
fd_select:
    cli
    movb $0xff, B_FD_TIMEOUT
    mov R_DL(%bp), %cl
    mov $1, %al
    shl %cl, %al                # motor bit
    mov B_FD_MOTOR, %ah
    and $0x3f, %ah
    mov %ah, %ch
    and $0x0f, %ah
    or %al, %ah
    mov %cl, %bl
    shl $4, %bl
    or %bl, %ah
    mov %ah, B_FD_MOTOR
    # DOR: motors, DMA gate, run, drive.
    and $0x0f, %ah
    shl $4, %ah
    or $0x0c, %ah
    or %cl, %ah
    xchg %al, %ah
    mov $0x3f2, %dx
    out %al, %dx
    sti
    test %ah, %ch
    jnz 2f                      # it was on
    mov $0x90fd, %ax
    clc
    int $0x15
    jc 2f
    mov $10, %si
    call fd_parameter
    call fd_motor_wait
2:  movb $0xff, B_FD_TIMEOUT
    ret

# Waits AL eighths of a second: halted while the timer interrupts. Its ticks count, or, if somebody keeps them for
# himself, the clock's seconds.
fd_motor_wait:
    movzx %al, %cx
    jcxz 9f
    in $0x21, %al
    test $1, %al
    jnz 6f
    imul $9, %cx, %ax           # 2.28 ticks of 54.9 ms, and the one that has begun
    shr $2, %ax
    inc %ax
    mov B_TICKS, %bx
    add %ax, %bx                # ticks that end the wait
    mov %cx, %si
    shr $3, %si
    add $2, %si                 # seconds that do so
    cmos 0x00
    mov %al, %ch
1:  sti
    hlt
    mov B_TICKS, %ax
    sub %bx, %ax
    jns 9f
    cmos 0x00
    cmp %al, %ch
    je 1b
    mov %al, %ch
    dec %si
    jnz 1b
9:  ret
6:  push %cx
    mov $125, %cx
    call delay_ms
    pop %cx
    loop 6b
    ret

# Sends AL to the controller. CF: it does not take it (AH = status).
fd_send:
    push %cx
    push %dx
    push %ax
    mov $0x3f4, %dx
    mov $0x4000, %cx
1:  in %dx, %al
    and $0xc0, %al
    cmp $0x80, %al
    je 2f
    call refresh_edge
    loop 1b
    pop %ax
    mov $FD_TIMEOUT, %ah
    stc
    jmp 3f
2:  pop %ax
    inc %dx
    out %al, %dx
    clc
3:  pop %dx
    pop %cx
    ret
# AL := result byte. CF: none comes.
fd_receive:
    push %cx
    push %dx
    mov $0x3f4, %dx
    mov $0x4000, %cx
1:  in %dx, %al
    and $0xc0, %al
    cmp $0xc0, %al
    je 2f
    call refresh_edge
    loop 1b
    stc
    jmp 3f
2:  inc %dx
    in %dx, %al
    clc
3:  pop %dx
    pop %cx
    ret
# All result bytes to 40:42. CF: the controller does not come to an end (AH = status).
fd_results:
    push %cx
    push %dx
    push %di
    mov $B_FD_RESULT, %di
    mov $7, %cx
1:  call fd_receive
    jc 3f
    mov %al, (%di)
    inc %di
    mov $2, %al                 # 12 us until the next byte or the end shows
2:  call refresh_edge
    dec %al
    jnz 2b
    mov $0x3f4, %dx
    in %dx, %al
    test $0x10, %al             # busy
    jz 4f
    loop 1b
3:  mov $FD_CONTROLLER, %ah
    stc
4:  pop %di
    pop %dx
    pop %cx
    ret

# Waits for the interrupt, up to about 2 s. CF: none came (AH = status).
fd_wait:
    push %bx
    push %cx
    sti
    mov $0x9001, %ax
    clc
    int $0x15
    jc 3f
    mov $37, %cx
    mov B_TICKS, %bl
1:  cli
    testb $0x80, B_FD_CALIBRATED
    jnz 2f
    cmp B_TICKS, %bl
    je 4f
    mov B_TICKS, %bl
    dec %cx
    jz 3f
4:  sti
    hlt
    jmp 1b
2:  andb $0x7f, B_FD_CALIBRATED
    sti
    pop %cx
    pop %bx
    clc
    ret
3:  sti
    pop %cx
    pop %bx
    mov $FD_TIMEOUT, %ah
    stc
    ret

# Resets the controller. AH = status.
fd_reset:
    cli
    andb $0x70, B_FD_CALIBRATED
    mov B_FD_MOTOR, %al
    mov %al, %ah
    and $0x0f, %al
    shl $4, %al
    shr $4, %ah
    and $0x03, %ah
    or %ah, %al
    or $0x08, %al
    mov $0x3f2, %dx
    out %al, %dx
    call refresh_edge
    call refresh_edge
    or $0x04, %al
    out %al, %dx
    sti
    call fd_wait
    jc 9f
    # The polling interrupt: four sense commands.
    mov $4, %bl
1:  mov $0x08, %al
    call fd_send
    jc 9f
    call fd_results
    jc 9f
    mov B_FD_RESULT, %al
    and $0xc0, %al
    cmp $0xc0, %al
    je 2f
    cmp $0x80, %al
    je 3f
2:  dec %bl
    jnz 1b
3:  call fd_specify
    jc 9f
    xor %ah, %ah
    ret
9:  mov $FD_CONTROLLER, %ah
    stc
    ret
fd_specify:
    mov $0x03, %al
    call fd_send
    jc 1f
    xor %si, %si
    call fd_parameter
    call fd_send
    jc 1f
    inc %si
    call fd_parameter
    call fd_send
1:  ret

# Seek to cylinder AL of the medium (0: recalibrate if the drive is not). CF: AH = status.
fd_seek:
    mov R_DL(%bp), %cl
    mov $1, %ah
    shl %cl, %ah
    test %ah, B_FD_CALIBRATED
    jnz 1f
    push %ax
    call fd_recalibrate
    pop %cx
    jc 9f
    mov %cl, %al
1:  movzbw R_DL(%bp), %bx
    testb $0x20, B_FD_MEDIA(%bx)
    jz 2f
    shl $1, %al
2:  cmp B_FD_CYLINDER(%bx), %al
    je 8f
    mov %al, %ch
    movb $0xff, B_FD_CYLINDER(%bx)
    mov $0x0f, %al
    call fd_send
    jc 9f
    call fd_head_drive
    call fd_send
    jc 9f
    mov %ch, %al
    call fd_send
    jc 9f
    call fd_sense
    jc 9f
    mov %ch, B_FD_CYLINDER(%bx)
    # Head settle time.
    mov $9, %si
    call fd_parameter
    movzx %al, %cx
    test %cx, %cx
    jz 8f
    call delay_ms
8:  clc
9:  ret
# To cylinder 0, with a second try: 77 steps need not be enough for 80 cylinders.
fd_recalibrate:
    mov $2, %ch
1:  mov $0x07, %al
    call fd_send
    jc 9f
    mov R_DL(%bp), %al
    call fd_send
    jc 9f
    call fd_sense
    jnc 2f
    cmp $FD_SEEK, %ah
    jne 8f
    dec %ch
    jnz 1b
8:  stc
    ret
2:  mov R_DL(%bp), %cl
    movzx %cl, %bx
    mov $1, %al
    shl %cl, %al
    or %al, B_FD_CALIBRATED
    movb $0, B_FD_CYLINDER(%bx)
    clc
9:  ret
# End of a seek. CF: AH = status.
fd_sense:
    call fd_wait
    jc 9f
    mov $0x08, %al
    call fd_send
    jc 9f
    call fd_results
    jc 9f
    mov B_FD_RESULT, %al
    and $0x60, %al
    cmp $0x20, %al              # seek end without abnormal termination (bit 6)
    je 8f
    mov $FD_SEEK, %ah
    stc
    ret
8:  clc
9:  ret

# Seek to the caller's cylinder.
fd_seek_caller:
    mov R_CH(%bp), %al
    jmp fd_seek

# The drive's change line. CF clear: not changed. CF: AH = 06h changed (media state forgotten), 80h no
# medium.
fd_clear_change:
    call fd_select
    mov $0x3f7, %dx
    in %dx, %al
    test %al, %al
    jns 8f
    movzbw R_DL(%bp), %bx
    movb $0, B_FD_MEDIA(%bx)
    # The line falls with a step while a medium is in.
    mov R_DL(%bp), %cl
    mov $1, %al
    shl %cl, %al
    not %al
    and %al, B_FD_CALIBRATED
    movb $0xff, B_FD_CYLINDER(%bx)
    mov $1, %al
    call fd_seek
    jc 7f
    mov $0, %al
    call fd_seek
    jc 7f
    mov $0x3f7, %dx
    in %dx, %al
    test %al, %al
    js 7f
    mov $FD_CHANGED, %ah
    stc
    ret
7:  mov $FD_TIMEOUT, %ah
    stc
    ret
8:  xor %ah, %ah
    ret

# Motor, change line, medium, data rate. CF: AH = status.
fd_prepare:
    movzbw R_DL(%bp), %bx
    call fd_drive_type
    push %ax
    call fd_select
    pop %ax
    cmp $1, %al
    je 1f
    push %ax
    call fd_clear_change
    pop %cx
    jc 9f
    mov %cl, %al
1:  movzbw R_DL(%bp), %bx
    testb $0x10, B_FD_MEDIA(%bx)
    jnz fd_set_rate
    # Trials for this type of drive.
    movzx %al, %si
    cmp $6, %si
    jbe 2f
    mov $4, %si
2:  shl $2, %si
    add $(fd_trials - F), %si
    mov $4, %di
3:  mov %cs:(%si), %al
    test %al, %al
    jz 8f
    push %si
    push %di
    movzbw R_DL(%bp), %bx
    mov %al, B_FD_MEDIA(%bx)
    andb $0xef, B_FD_MEDIA(%bx)
    push %ax
    call fd_set_rate
    call fd_read_id
    pop %cx
    pop %di
    pop %si
    jnc 4f
    cmp $FD_TIMEOUT, %ah
    je 9f
    inc %si
    dec %di
    jnz 3b
8:  mov $FD_UNKNOWN_MEDIA, %ah
    movzbw R_DL(%bp), %bx
    movb $0, B_FD_MEDIA(%bx)
9:  stc
    ret
4:  movzbw R_DL(%bp), %bx
    mov %cl, B_FD_MEDIA(%bx)
    clc
    ret
# States to try, by drive type: established, rate, double step, kind.
fd_trials:
    .byte 0x17, 0x97, 0, 0
    .byte 0x93, 0, 0, 0
    .byte 0x15, 0x74, 0, 0
    .byte 0x97, 0, 0, 0
    .byte 0x17, 0x97, 0, 0
    .byte 0x17, 0xd7, 0x97, 0
    .byte 0x17, 0xd7, 0x97, 0

# For formatting: the state that AH=17h or 18h has set, or the one that is established.
fd_prepare_format:
    call fd_drive_type
    push %ax
    call fd_select
    pop %ax
    cmp $1, %al
    je 1f
    call fd_clear_change
    jc 9f
1:  movzbw R_DL(%bp), %bx
    testb $0x10, B_FD_MEDIA(%bx)
    jnz fd_set_rate
    mov $FD_UNKNOWN_MEDIA, %ah
    stc
9:  ret

# Data rate of the drive's medium to the controller; SPECIFY follows the parameter table.
fd_set_rate:
    movzbw R_DL(%bp), %bx
    mov B_FD_MEDIA(%bx), %al
    shr $6, %al
    mov $0x3f7, %dx
    out %al, %dx
    mov %al, %ah
    shl $6, %ah
    andb $0x3f, B_FD_RATE
    or %ah, B_FD_RATE
    jmp fd_specify

# Reads an address mark on cylinder 0. CF: AH = status.
fd_read_id:
    xor %al, %al
    call fd_seek
    jc 9f
    mov $0x4a, %al
    call fd_send
    jc 9f
    mov R_DL(%bp), %al
    call fd_send
    jc 9f
    jmp fd_complete
9:  ret

# Waits for the end of a command, reads and judges its result. CF: AH = status.
fd_complete:
    call fd_wait
    jc 8f
    call fd_results
    jc 9f
    mov B_FD_RESULT, %al
    test $0xc0, %al
    jz 7f
    mov $FD_CONTROLLER, %ah
    and $0xc0, %al
    cmp $0x40, %al
    jne 9f
    mov B_FD_RESULT + 1, %al
    mov $FD_NO_SECTOR, %ah
    test $0x80, %al
    jnz 9f
    mov $FD_CRC, %ah
    test $0x20, %al
    jnz 9f
    mov $FD_OVERRUN, %ah
    test $0x10, %al
    jnz 9f
    mov $FD_NO_SECTOR, %ah
    test $0x04, %al
    jnz 9f
    mov $FD_PROTECTED, %ah
    test $0x02, %al
    jnz 9f
    mov $FD_NO_MARK, %ah
    test $0x01, %al
    jnz 9f
    mov $FD_CONTROLLER, %ah
9:  stc
    ret
7:  clc
    ret
8:  # A command that never ends: the controller is reset, the medium is to be found anew.
    push %ax
    call fd_reset
    movzbw R_DL(%bp), %bx
    movb $0, B_FD_MEDIA(%bx)
    pop %ax
    mov $FD_TIMEOUT, %ah
    stc
    ret

# Channel 2: CX bytes at the caller's ES:BX, mode AL. CF: they cross a 64 KiB boundary.
fd_dma:
    push %ax
    movzwl R_ES(%bp), %eax
    shl $4, %eax
    movzwl R_BX(%bp), %edx
    add %edx, %eax
    dec %cx
    mov %ax, %dx
    add %cx, %dx
    pop %dx
    jc 9f
    cli
    push %eax
    mov $0x06, %al              # masked
    out %al, $0x0a
    out %al, $0x0c              # flip-flop
    mov %dl, %al
    out %al, $0x0b
    pop %eax
    out %al, $0x04
    mov %ah, %al
    out %al, $0x04
    shr $16, %eax
    out %al, $0x81
    mov %cl, %al
    out %al, $0x05
    mov %ch, %al
    out %al, $0x05
    mov $0x02, %al
    out %al, $0x0a
    sti
    clc
9:  ret
"##
    };
}
pub(crate) use text;
