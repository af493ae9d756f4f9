//! The interrupt controllers, timer, DMA controllers and clock chip at power-on, and the handlers of
//! interrupts that need no more than an answer to the chip.

macro_rules! text {
    () => {
        r##"
# 8259A pair: vectors 08h and 70h, IRQ 0, 1, 2, 6 and 8, 12-15 open.
proc pic_init
    mov $0x11, %al
    out %al, $0x20
    out %al, $0xa0
    io_pause
    mov $0x08, %al
    out %al, $0x21
    mov $0x70, %al
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
    mov $0xb8, %al
    out %al, $0x21
    mov $0x0e, %al
    out %al, $0xa1
    ret

# The local APIC of a CPU that has one (CPUID.1:EDX bit 9): virtual wire mode, so that the 8259A's INTR
# and NMI reach the core (Intel SDM volume 3, "Local APIC state after power-up": all entries masked).
proc apic_init
    pushfl
    pop %eax
    mov %eax, %ecx
    xor $0x200000, %eax         # ID flag
    push %eax
    popfl
    pushfl
    pop %eax
    push %ecx
    popfl
    xor %ecx, %eax
    test $0x200000, %eax
    jz 1f
    xor %eax, %eax
    cpuid
    test %eax, %eax
    jz 1f
    mov $1, %eax
    cpuid
    test $0x200, %edx
    jz 1f
    call flat_segments
    mov $0xfee00000, %esi
    apic_virtual_wire
    # An 82093AA, which then tells its version, gets an ID that no local APIC has.
    mov $0xfec00000, %esi
    movl $1, (%esi)
    cmpb $0x11, 0x10(%esi)
    jne 2f
    movl $0, (%esi)
    movl $(IO_APIC_ID << 24), 0x10(%esi)
2:  call normal_segments
1:  ret

# 8254: channel 0 18.2 Hz, channel 1 refresh, channel 2 the speaker's tone; speaker off.
proc pit_init
    in $0x61, %al
    and $0xfc, %al
    out %al, $0x61
    mov $0x36, %al
    out %al, $0x43
    xor %al, %al
    out %al, $0x40
    out %al, $0x40
    mov $0x54, %al
    out %al, $0x43
    mov $18, %al
    out %al, $0x41
    mov $0xb6, %al
    out %al, $0x43
    mov $0x33, %al
    out %al, $0x42
    mov $0x05, %al
    out %al, $0x42
    ret

# 8237A pair: master clear, cascade on channel 4.
proc dma_init
    xor %al, %al
    out %al, $0x0d
    out %al, $0xda
    io_pause
    out %al, $0x08
    out %al, $0xd0
    mov $0xc0, %al
    out %al, $0xd6
    xor %al, %al
    out %al, $0xd4              # channel 4 unmasked
    ret

# MC146818: 32 kHz base, 1024 Hz periodic rate, BCD, 24 hours, no interrupts.
proc rtc_init
    mov $0x260a, %ax
    call cmos_write
    mov $0x020b, %ax
    call cmos_write
    cmos 0x0c
    cmos 0x0d
    ret

# Waits until the clock's registers hold still (no update for 244 us). CF: it never does.
proc rtc_wait
    push %cx
    push %ax
    xor %cx, %cx
1:  cmos 0x0a
    test $0x80, %al
    clc
    jz 2f
    call refresh_edge
    loop 1b
    stc
2:  pop %ax
    pop %cx
    ret
# AL from BCD to binary. AH is lost.
proc from_bcd
    mov %al, %ah
    shr $4, %ah
    and $0x0f, %al
    aad
    ret

# Waits for an edge of the memory refresh signal (port 61h bit 4), 15.085 us. All registers are kept. Between two
# looks nothing is done for a while: a port read is slow on any machine, most of all on one in software.
proc refresh_edge
    push %ax
    push %cx
    xor %cx, %cx                # a bound, should the signal stand still
    in $0x61, %al
    and $0x10, %al
    mov %al, %ah
1:  .fill 40, 1, 0x90           # NOP
    in $0x61, %al
    and $0x10, %al
    cmp %al, %ah
    loope 1b
    pop %cx
    pop %ax
    ret
# Waits CX milliseconds. CX is lost.
proc delay_ms
    push %ax
1:  mov $66, %ax
2:  call refresh_edge
    dec %ax
    jnz 2b
    loop 1b
    pop %ax
    ret

# A short tone, for a full keyboard buffer.
proc beep
    push %ax
    push %cx
    mov $0xb6, %al
    out %al, $0x43
    mov $0x33, %al
    out %al, $0x42
    mov $0x05, %al
    out %al, $0x42
    in $0x61, %al
    push %ax
    or $0x03, %al
    out %al, $0x61
    mov $60, %cx
    call delay_ms
    pop %ax
    and $0xfc, %al
    out %al, $0x61
    pop %cx
    pop %ax
    ret

# An interrupt of the first controller that nobody has claimed: masked, so that it cannot repeat for
# ever (IBM PC AT BIOS, "D11"); 40:6B keeps the level.
proc int_master_unclaimed
    push %ax
    push %ds
    ds_bda
    mov $0x0b, %al
    out %al, $0x20
    io_pause
    in $0x20, %al
    mov %al, 0x6b
    test %al, %al
    jz 2f                       # spurious: no end of interrupt
    test $0x04, %al
    jnz 1f
    mov %al, %ah
    in $0x21, %al
    or %ah, %al
    out %al, $0x21
1:  mov $0x20, %al
    out %al, $0x20
2:  pop %ds
    pop %ax
    iretw

proc int_slave_unclaimed
    push %ax
    mov $0x0b, %al
    out %al, $0xa0
    io_pause
    in $0xa0, %al
    test %al, %al
    jz 1f
    mov %al, %ah
    in $0xa1, %al
    or %ah, %al
    out %al, $0xa1
    mov $0x20, %al
    out %al, $0xa0
1:  mov $0x20, %al
    out %al, $0x20
    pop %ax
    iretw

# IRQ 9 stands for the XT's IRQ 2.
proc int71
    push %ax
    mov $0x20, %al
    out %al, $0xa0
    pop %ax
    int $0x0a
    iretw

# Coprocessor error: its latch, then the XT's way through INT 2.
proc int75
    push %ax
    xor %al, %al
    out %al, $0xf0
    mov $0x20, %al
    out %al, $0xa0
    out %al, $0x20
    pop %ax
    int $0x02
    iretw

# Hard disk interrupt, either channel.
proc int76
    push %ax
    push %ds
    ds_bda
    movb $0xff, B_HD_INTERRUPT
    mov $0x20, %al
    out %al, $0xa0
    out %al, $0x20
    sti
    mov $0x9100, %ax
    int $0x15
    pop %ds
    pop %ax
    iretw

# NMI: a memory or bus error stops the machine; anything else (a coprocessor of the XT kind) returns.
proc int02
    push %ax
    push %si
    in $0x61, %al
    test $0xc0, %al
    jz 2f
    mov $(message_parity - F), %si
    test $0x80, %al
    jnz 1f
    mov $(message_channel - F), %si
1:  call puts
    cli
    hlt
    jmp 1b
2:  pop %si
    pop %ax
    iretw
message_parity:
    .asciz "\nNMI: memory parity or PCI system error\n"
message_channel:
    .asciz "\nNMI: I/O channel check\n"
"##
    };
}
pub(crate) use text;
