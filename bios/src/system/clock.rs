//! Time: INT 08h (18.2 Hz), INT 70h (clock chip), INT 1Ah functions 00h-0Bh, and the two waits of
//! INT 15h, 83h and 86h.

macro_rules! text {
    () => {
        r##"
.set B_DAYS, 0xce               # days since 1980-01-01, INT 1Ah AH=0Ah
.set TICKS_PER_DAY, 0x1800b0

proc int08_body
    sti
    push %ds
    push %dx
    push %ax
    ds_bda
    push %eax
    mov B_TICKS, %eax
    inc %eax
    cmp $TICKS_PER_DAY, %eax
    jb 1f
    xor %eax, %eax
    movb $1, B_MIDNIGHT
    incw B_DAYS
1:  mov %eax, B_TICKS
    pop %eax
    cmpb $0, B_FD_TIMEOUT
    je 2f
    decb B_FD_TIMEOUT
    jnz 2f
    # Diskette motors off, the selected drive and the controller's run bit kept.
    andb $0xf0, B_FD_MOTOR
    mov B_FD_MOTOR, %al
    shr $4, %al
    and $0x03, %al
    or $0x0c, %al
    mov $0x3f2, %dx
    out %al, %dx
2:  int $0x1c
    cli
    mov $0x20, %al
    out %al, $0x20
    pop %ax
    pop %dx
    pop %ds
    iretw

# Clock chip: periodic interrupt for the waits, alarm for INT 4Ah.
proc int70
    pushal
    push %ds
    ds_bda
    cmos 0x0c
    mov %al, %bl
    cmos 0x0b
    and %al, %bl                # reasons that are enabled
    mov %al, %bh
    test $0x40, %bl
    jz 2f
    testb $0x01, B_WAIT_ACTIVE
    jz 2f
    subl $976, B_WAIT_COUNT
    ja 2f
    # The wait is over: bit 7 of the caller's flag.
    mov %bh, %ah
    and $0xbf, %ah
    mov $0x0b, %al
    call cmos_write
    andb $0xfe, B_WAIT_ACTIVE
    push %ds
    lds B_WAIT_FLAG_PTR, %si
    orb $0x80, (%si)
    pop %ds
2:  test $0x20, %bl
    jz 3f
    sti
    int $0x4a
    cli
3:  mov $0x20, %al
    out %al, $0xa0
    out %al, $0x20
    pop %ds
    popal
    iretw

# Starts a wait of ECX microseconds; ES:BX is the flag byte. CF: one is running already.
proc wait_start
    pushfw
    cli
    testb $0x01, B_WAIT_ACTIVE
    jnz 1f
    orb $0x01, B_WAIT_ACTIVE
    mov %bx, B_WAIT_FLAG_PTR
    mov %es, B_WAIT_FLAG_PTR + 2
    mov %ecx, B_WAIT_COUNT
    in $0xa1, %al
    and $0xfe, %al
    out %al, $0xa1
    in $0x21, %al
    and $0xfb, %al
    out %al, $0x21
    cmos 0x0b
    mov %al, %ah
    or $0x40, %ah
    mov $0x0b, %al
    call cmos_write
    popfw
    clc
    ret
1:  popfw
    stc
    ret
proc wait_cancel
    pushfw
    cli
    cmos 0x0b
    mov %al, %ah
    and $0xbf, %ah
    mov $0x0b, %al
    call cmos_write
    andb $0xfe, B_WAIT_ACTIVE
    popfw
    ret

# INT 15h AH=83h: wait without blocking (AL=00 start, 01 cancel).
proc int15_83
    ds_bda
    mov R_AL(%bp), %al
    cmp $1, %al
    je 1f
    ja int15_unsupported
    mov R_ES(%bp), %es
    mov R_BX(%bp), %bx
    mov R_CX(%bp), %cx
    shl $16, %ecx
    mov R_DX(%bp), %cx
    call wait_start
    jc 2f
    movb $0, R_AH(%bp)
    caller_cf 0
    ret
1:  call wait_cancel
    movb $0, R_AH(%bp)
    caller_cf 0
    ret
2:  movb $0x83, R_AH(%bp)
    caller_cf 1
    ret

# INT 15h AH=86h: wait CX:DX microseconds.
proc int15_86
    ds_bda
    mov %ds, %ax
    mov %ax, %es
    mov $B_WAIT_ACTIVE, %bx
    mov R_CX(%bp), %cx
    shl $16, %ecx
    mov R_DX(%bp), %cx
    call wait_start
    jc 2f
1:  sti
    hlt
    cli
    testb $0x80, B_WAIT_ACTIVE
    jz 1b
    sti
    andb $0x7f, B_WAIT_ACTIVE
    movb $0, R_AH(%bp)
    caller_cf 0
    ret
2:  movb $0x83, R_AH(%bp)
    caller_cf 1
    ret

# INT 1Ah.
proc int1a_body
    cmp $0xb1, %ah
    je pci_bios_real
    sti
    frame
    ds_bda
    cmpb $0x0c, R_AH(%bp)
    jae 1f
    movzbw R_AH(%bp), %bx
    shl $1, %bx
    call *%cs:(int1a_table - F)(%bx)
    unframe_iret
1:  caller_cf 1
    unframe_iret
int1a_table:
    .word int1a_00 - F, int1a_01 - F, int1a_02 - F, int1a_03 - F
    .word int1a_04 - F, int1a_05 - F, int1a_06 - F, int1a_07 - F
    .word int1a_unsupported - F, int1a_09 - F, int1a_0a - F, int1a_0b - F

int1a_unsupported:
    caller_cf 1
    ret
# Ticks: CX:DX; AL: midnight passed since the last call.
int1a_00:
    cli
    mov B_TICKS, %ax
    mov %ax, R_DX(%bp)
    mov B_TICKS + 2, %ax
    mov %ax, R_CX(%bp)
    xor %al, %al
    xchg %al, B_MIDNIGHT
    sti
    xor %ah, %ah
    mov %ax, R_AX(%bp)
    caller_cf 0
    ret
int1a_01:
    cli
    mov R_DX(%bp), %ax
    mov %ax, B_TICKS
    mov R_CX(%bp), %ax
    mov %ax, B_TICKS + 2
    movb $0, B_MIDNIGHT
    sti
    movb $0, R_AH(%bp)
    caller_cf 0
    ret
# Clock's time, BCD.
int1a_02:
    call rtc_wait
    jc int1a_unsupported
    cli
    cmos 0x00
    mov %al, R_DH(%bp)
    cmos 0x02
    mov %al, R_CL(%bp)
    cmos 0x04
    mov %al, R_CH(%bp)
    mov %al, R_AL(%bp)
    cmos 0x0b
    sti
    and $0x01, %al
    mov %al, R_DL(%bp)
    movb $0, R_AH(%bp)
    caller_cf 0
    ret
# The clock stands still (SET) while it is written; returns register B as it was in BL.
rtc_hold:
    call rtc_wait
    jnc 1f
    call rtc_init
1:  cmos 0x0b
    and $0x7f, %al
    mov %al, %bl
    mov %al, %ah
    or $0x80, %ah
    mov $0x0b, %al
    jmp cmos_write
int1a_03:
    call rtc_hold
    mov R_DH(%bp), %ah
    mov $0x00, %al
    call cmos_write
    mov R_CL(%bp), %ah
    mov $0x02, %al
    call cmos_write
    mov R_CH(%bp), %ah
    mov $0x04, %al
    call cmos_write
    mov R_DL(%bp), %ah
    and $0x01, %ah
    and $0x62, %bl
    or $0x02, %bl
    or %bl, %ah
    mov $0x0b, %al
    call cmos_write
    mov %ah, R_AL(%bp)
    movb $0, R_AH(%bp)
    caller_cf 0
    ret
# Clock's date, BCD.
int1a_04:
    call rtc_wait
    jc int1a_unsupported
    cli
    cmos 0x07
    mov %al, R_DL(%bp)
    cmos 0x08
    mov %al, R_DH(%bp)
    cmos 0x09
    mov %al, R_CL(%bp)
    cmos 0x32
    sti
    mov %al, R_CH(%bp)
    mov %al, R_AL(%bp)
    movb $0, R_AH(%bp)
    caller_cf 0
    ret
int1a_05:
    call rtc_hold
    mov R_DL(%bp), %ah
    mov $0x07, %al
    call cmos_write
    mov R_DH(%bp), %ah
    mov $0x08, %al
    call cmos_write
    mov R_CL(%bp), %ah
    mov $0x09, %al
    call cmos_write
    mov R_CH(%bp), %ah
    mov $0x32, %al
    call cmos_write
    mov %bl, %ah
    mov $0x0b, %al
    call cmos_write
    mov %ah, R_AL(%bp)
    movb $0, R_AH(%bp)
    caller_cf 0
    ret
# Alarm: refused while one is set.
int1a_06:
    cmos 0x0b
    test $0x20, %al
    jnz int1a_unsupported
    call rtc_wait
    mov R_DH(%bp), %ah
    mov $0x01, %al
    call cmos_write
    mov R_CL(%bp), %ah
    mov $0x03, %al
    call cmos_write
    mov R_CH(%bp), %ah
    mov $0x05, %al
    call cmos_write
    cli
    in $0xa1, %al
    and $0xfe, %al
    out %al, $0xa1
    cmos 0x0c                   # an old alarm's flag does not count
    cmos 0x0b
    and $0x7f, %al
    or $0x20, %al
    jmp 1f
int1a_07:
    cli
    cmos 0x0b
    and $0x57, %al              # SET and the alarm off
1:  mov %al, %ah
    mov $0x0b, %al
    call cmos_write
    sti
    mov %ah, R_AL(%bp)
    movb $0, R_AH(%bp)
    caller_cf 0
    ret
int1a_09:
    cmos 0x01
    mov %al, R_DH(%bp)
    cmos 0x03
    mov %al, R_CL(%bp)
    cmos 0x05
    mov %al, R_CH(%bp)
    cmos 0x0b
    shr $5, %al
    and $0x01, %al
    mov %al, R_DL(%bp)
    movb $0, R_AH(%bp)
    caller_cf 0
    ret
int1a_0a:
    mov B_DAYS, %ax
    mov %ax, R_CX(%bp)
    movb $0, R_AH(%bp)
    caller_cf 0
    ret
int1a_0b:
    mov R_CX(%bp), %ax
    mov %ax, B_DAYS
    movb $0, R_AH(%bp)
    caller_cf 0
    ret

# Days since 1980-01-01 from the clock's date, at power-on.
proc days_init
    ds_bda
    cmos 0x32
    call from_bcd
    movzx %al, %ax
    imul $100, %ax, %si
    cmos 0x09
    call from_bcd
    movzx %al, %ax
    add %ax, %si                # year
    sub $1980, %si
    jb 3f
    cmp $120, %si
    ja 3f
    # Leap days before this year: one for every four years begun since 1980.
    lea 3(%si), %ax
    shr $2, %ax
    imul $365, %si, %cx
    add %ax, %cx
    cmos 0x08
    call from_bcd
    cmp $12, %al
    ja 3f
    movzx %al, %bx
    dec %bx
    js 3f
    shl $1, %bx
    add %cs:(month_days - F)(%bx), %cx
    cmp $4, %bx                 # March or later of a leap year
    jb 1f
    test $3, %si
    jnz 1f
    inc %cx
1:  cmos 0x07
    call from_bcd
    movzx %al, %ax
    dec %ax
    add %ax, %cx
    mov %cx, B_DAYS
3:  ret
month_days:
    .word 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334
"##
    };
}
pub(crate) use text;
