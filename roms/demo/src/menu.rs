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
menu_status: .asciz "Press the key of what you want to see. Each page says how to come back."
menu_text:
    .ascii "A PC is a processor, some memory and a handful of chips around them. This\n"
    .ascii "disk visits them one by one, with no operating system in between: what you\n"
    .ascii "see is done by a few bytes of code and the hardware itself.\n\n"
    .ascii "\1\3\332\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\302\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\277\1\7\n"
    .ascii "\1\3\263\1\16\2\0051\1\7  Processor: what CPUID tells"
    .ascii "\2\050\1\3\263\1\16\2\0539\1\7  Mouse: packets by interrupt\2\115\1\3\263\n"
    .ascii "\1\3\263\1\16\2\0052\1\7  Memory map: E820"
    .ascii "\2\050\1\3\263\1\16\2\053A\1\7  PCI: who is on the bus\2\115\1\3\263\n"
    .ascii "\1\3\263\1\16\2\0053\1\7  Text: colours and characters"
    .ascii "\2\050\1\3\263\1\16\2\053B\1\7  Floppy: a sector by DMA\2\115\1\3\263\n"
    .ascii "\1\3\263\1\16\2\0054\1\7  VGA mode 13h: plasma"
    .ascii "\2\050\1\3\263\1\16\2\053C\1\7  Speaker: a tune\2\115\1\3\263\n"
    .ascii "\1\3\263\1\16\2\0055\1\7  VGA mode X: flip and scroll"
    .ascii "\2\050\1\3\263\1\16\2\053D\1\7  Protected mode, and back\2\115\1\3\263\n"
    .ascii "\1\3\263\1\16\2\0056\1\7  VBE: linear frame buffer"
    .ascii "\2\050\1\3\263\1\16\2\053E\1\7  About this disk\2\115\1\3\263\n"
    .ascii "\1\3\263\1\16\2\0057\1\7  Timers: PIT and RTC interrupts"
    .ascii "\2\050\1\3\263\1\16\2\053F\1\7  Power off\2\115\1\3\263\n"
    .ascii "\1\3\263\1\16\2\0058\1\7  Keyboard: scan codes"
    .ascii "\2\050\1\3\263\2\115\1\3\263\n"
    .ascii "\1\3\300\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\301\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\304\331\n\n\n"
    .ascii "\1\7\332\304\304\304\304\304\277 \332\304\304\304\304\304\304\304\304\277 \332\304\304\304\304\304\277 \332\304\304\304\304\304\304\304\304\304\277 \332\304\304\304\304\304\304\304\304\304\304\277 \332\304\304\304\304\304\304\304\304\277 \332\304\304\304\304\304\304\304\304\304\277\n"
    .ascii "\263 \1\13CPU\1\7 \263 \263 \1\13memory\1\7 \263 \263 \1\13VGA\1\7 \263 \263 \1\13PIT RTC\1\7 \263 \263 \1\13keyboard\1\7 \263 \263 \1\13floppy\1\7 \263 \263 \1\13speaker\1\7 \263\n"
    .ascii "\300\304\304\302\304\304\331 \300\304\304\304\304\302\304\304\304\331 \300\304\304\302\304\304\331 \300\304\304\304\304\302\304\304\304\304\331 \300\304\304\304\304\304\302\304\304\304\304\331 \300\304\304\304\304\302\304\304\304\331 \300\304\304\304\304\302\304\304\304\304\331\n"
    .ascii "\1\3\315\315\315\317\315\315\315\315\315\315\315\315\315\317\315\315\315\315\315\315\315\315\317\315\315\315\315\315\315\315\315\315\317\315\315\315\315\315\315\315\315\315\315\315\315\317\315\315\315\315\315\315\315\315\315\315\315\317\315\315\315\315\315\315\315\315\315\315\317\315\315\315\315\315\n\1\7"
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
