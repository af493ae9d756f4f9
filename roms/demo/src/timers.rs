//! Page 7: the interval timer and the clock, by their interrupts.

macro_rules! text {
    () => {
        r##"
    .set timer_ticks, 200          # of 100 Hz
    .set clock_ticks, 128          # of 64 Hz

timers:
    movw $(timers_title-D), %si
    callw page
    movw $(timers_text-D), %si
    callw print
    movw $(timers_running-D), %si
    callw status
    movw $0, timer_count-D
    movw $0, clock_count-D
    cli
    # IRQ 0 is interrupt 08h, IRQ 8 is 70h.
    movl 0x08*4, %eax
    movl %eax, old_timer-D
    movl 0x70*4, %eax
    movl %eax, old_clock-D
    movw $(timer_interrupt-D), 0x08*4
    movw $0, 0x08*4+2
    movw $(clock_interrupt-D), 0x70*4
    movw $0, 0x70*4+2
    # 1193182 Hz / 11932 = 100 Hz, mode 2.
    movb $0x34, %al
    outb %al, $0x43
    movb $(11932&255), %al
    outb %al, $0x40
    movb $(11932>>8), %al
    outb %al, $0x40
    # RTC: register A rate 1010 = 64 Hz, register B bit 6: periodic interrupt.
    movb $0x0a, %al
    callw cmos_read
    movb %al, old_clock_a-D
    movb $0x2a, %ah
    movb $0x0a, %al
    callw cmos_write
    movb $0x0b, %al
    callw cmos_read
    movb %al, old_clock_b-D
    movb %al, %ah
    orb $0x40, %ah
    movb $0x0b, %al
    callw cmos_write
    movb $0x0c, %al
    callw cmos_read                # reading C lets the next interrupt come
    inb $0x21, %al
    movb %al, old_mask-D
    andb $0xfa, %al                # IRQ 0 and the slave
    outb %al, $0x21
    inb $0xa1, %al
    movb %al, old_mask+1-D
    andb $0xfe, %al
    outb %al, $0xa1
    sti
1:  hlt
    callw timers_show
    cmpw $timer_ticks, timer_count-D
    jb 1b
    cmpw $clock_ticks, clock_count-D
    jb 1b
    cli
    movb old_mask-D, %al
    outb %al, $0x21
    movb old_mask+1-D, %al
    outb %al, $0xa1
    movb old_clock_a-D, %ah
    movb $0x0a, %al
    callw cmos_write
    movb old_clock_b-D, %ah
    movb $0x0b, %al
    callw cmos_write
    # The BIOS' rate again: 65536, mode 3.
    movb $0x36, %al
    outb %al, $0x43
    xorb %al, %al
    outb %al, $0x40
    outb %al, $0x40
    movl old_timer-D, %eax
    movl %eax, 0x08*4
    movl old_clock-D, %eax
    movl %eax, 0x70*4
    sti
    callw timers_show
    movw $(timers_done-D), %si
    callw print
    jmp pause

timers_show:
    pushaw
    movb $10, row-D
    movw timer_count-D, %ax
    movw $60, %cx
    mulw %cx
    movw $timer_ticks, %cx
    divw %cx
    movw timer_count-D, %bx
    callw bar
    movb $15, row-D
    movw clock_count-D, %ax
    movw $60, %cx
    mulw %cx
    movw $clock_ticks, %cx
    divw %cx
    movw clock_count-D, %bx
    callw bar
    movb $18, row-D
    movb $2, column-D
    popaw
    retw
# A bar AX of 60 long, and the number BX.
bar:
    movb $attr_value, attribute-D
    movb $2, column-D
    movw %ax, %dx
    movw %ax, %cx
    jcxz 1f
    movb $0xdb, %al
    callw put_line
1:  movw $60, %cx
    subw %dx, %cx
    jz 2f
    movb $attr_dim, attribute-D
    movb $0xb0, %al
    callw put_line
2:  movb $attr_key, attribute-D
    movb $64, column-D
    movzwl %bx, %eax
    movb $4, %cl
    callw print_dec_right
    movb $attr_text, attribute-D
    retw

# AL = register AL; register AL = AH.
cmos_read:
    outb %al, $0x70
    inb $0x71, %al
    retw
cmos_write:
    outb %al, $0x70
    movb %ah, %al
    outb %al, $0x71
    retw

timer_interrupt:
    pushw %ax
    cmpw $timer_ticks, %cs:timer_count-D
    jae 1f
    incw %cs:timer_count-D
1:  movb $0x20, %al                # end of interrupt
    outb %al, $0x20
    popw %ax
    iretw
clock_interrupt:
    pushw %ax
    movb $0x0c, %al
    outb %al, $0x70
    inb $0x71, %al
    testb $0x40, %al
    jz 1f
    cmpw $clock_ticks, %cs:clock_count-D
    jae 1f
    incw %cs:clock_count-D
1:  movb $0x20, %al
    outb %al, $0xa0
    outb %al, $0x20
    popw %ax
    iretw
timer_count: .word 0
clock_count: .word 0
old_timer: .long 0
old_clock: .long 0
old_mask: .word 0
old_clock_a: .byte 0
old_clock_b: .byte 0
timers_title: .asciz "Timers"
timers_running: .asciz "It ends by itself after two seconds."
timers_done: .asciz "\1\12Both have fired as often as asked.\1\7 The processor slept (HLT) in between."
timers_text:
    .ascii "Two chips keep time. The interval timer divides 1.19 MHz by a number; its\n"
    .ascii "output is interrupt line 0. The real-time clock runs from a battery and a\n"
    .ascii "watch crystal; line 8 is its own. Here each calls its own handler, which\n"
    .ascii "does nothing but count.\n\n\n"
    .ascii "\1\17Interval timer: divisor 11932, 100 interrupts a second, 200 in all\1\7\n\n\n\n\n"
    .asciz "\1\17Real-time clock: rate 10, 64 interrupts a second, 128 in all\1\7"
"##
    };
}
pub(crate) use text;
