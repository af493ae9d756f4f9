//! The menu.

macro_rules! text {
    () => {
        r##"
menu:
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    cld
    movw $(menu_title-D), %si
    callw page
    movw $(menu_text-D), %si
    callw print
    movw $(menu_status-D), %si
    callw status
    callw flush
1:  xorw %ax, %ax
    int $0x16
    # Letters in either case.
    cmpb $0x41, %al
    jb 2f
    orb $0x20, %al
2:  movw $(menu_keys-D), %si
    xorw %bx, %bx
3:  cmpb %al, (%bx,%si)
    je 4f
    incw %bx
    cmpw $15, %bx
    jb 3b
    jmp 1b
4:  addw %bx, %bx
    callw *menu_items-D(%bx)
    jmp menu

menu_title: .asciz "Demo disk"
menu_status: .asciz "Press the key of what you want to see."
menu_text:
    .ascii "A PC is a processor, some memory and a handful of chips around them. This\n"
    .ascii "disk visits them one by one, with no operating system in between: what you\n"
    .ascii "see is done by a few bytes of code and the hardware itself.\n\n"
    .ascii "\1\16\2\6 1\1\7  Processor: what CPUID tells"
    .ascii "\1\16\2\53 9\1\7  Mouse\n"
    .ascii "\1\16\2\6 2\1\7  Memory map: E820"
    .ascii "\1\16\2\53 A\1\7  PCI: who is on the bus\n"
    .ascii "\1\16\2\6 3\1\7  Text: colours and characters"
    .ascii "\1\16\2\53 B\1\7  Floppy: a sector by DMA\n"
    .ascii "\1\16\2\6 4\1\7  VGA mode 13h: plasma"
    .ascii "\1\16\2\53 C\1\7  Speaker: a tune\n"
    .ascii "\1\16\2\6 5\1\7  VGA mode X: flip and scroll"
    .ascii "\1\16\2\53 D\1\7  Protected mode, and back\n"
    .ascii "\1\16\2\6 6\1\7  VBE: linear frame buffer"
    .ascii "\1\16\2\53 E\1\7  About this disk\n"
    .ascii "\1\16\2\6 7\1\7  Timers: PIT and RTC interrupts"
    .ascii "\1\16\2\53 F\1\7  Power off\n"
    .ascii "\1\16\2\6 8\1\7  Keyboard: scan codes\n\n"
    .ascii "\1\10Each page ends with a key, or by itself; the bar below says which.\1\7"
    .byte 0
menu_keys: .ascii "123456789abcdef"
    .balign 2
menu_items:
    .word processor-D, memory-D, colors-D, plasma-D, mode_x-D, vbe-D, timers-D, keyboard-D
    .word mouse-D, pci-D, floppy-D, speaker-D, protected-D, about-D, power_off-D
"##
    };
}
pub(crate) use text;
