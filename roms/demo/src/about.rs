//! Pages E and F: about, and power off.

macro_rules! text {
    () => {
        r##"
about:
    movw $(about_title-D), %si
    callw page
    movw $(about_text-D), %si
    callw print
    jmp pause
about_title: .asciz "About"
about_text:
    .ascii "\1\17Boxwood\1\7 is a PC in pure software: an exact, fast, observable x86 machine for\n"
    .ascii "people who write operating systems, test instruction sets, run DOS and old\n"
    .ascii "Windows, or teach how a computer works.\n\n"
    .ascii "Boxwood is also the fine-grained wood that precise rulers and instruments\n"
    .ascii "were made of.\n\n"
    .ascii "This disk is part of it. It needs a 386 or later and nothing else, and runs\n"
    .ascii "on a real PC as well. Its source, assembly language in Rust files, is in the\n"
    .ascii "folder \1\13roms/demo\1\7, a short file for each of the things shown here.\n\n"
    .ascii "To run something of your own:\n\n"
    .ascii "   \1\13boxwood run floppy.img\1\7        a disk image, floppy, hard disk or CD\n"
    .ascii "   \1\13boxwood run --help\1\7            everything else\n\n"
    .asciz "Licence: MIT or Apache 2.0, as you like."

power_off:
    movw $(power_title-D), %si
    callw page
    movw $(power_text-D), %si
    callw print
    # APM: present? connect, version 1.2, all devices off.
    movw $0x5300, %ax
    xorw %bx, %bx
    int $0x15
    jc 1f
    cmpw $0x504d, %bx              # "PM"
    jne 1f
    movw $0x5301, %ax
    xorw %bx, %bx
    int $0x15
    movw $0x530e, %ax
    xorw %bx, %bx
    movw $0x0102, %cx
    int $0x15
    movw $0x5308, %ax
    movw $1, %bx
    movw $1, %cx
    int $0x15
    movw $0x5307, %ax
    movw $1, %bx
    movw $3, %cx
    int $0x15
1:  # PIIX4 power management (8086:7113): sleep type 0 (soft off) and enable in PMCNTRL, base + 4.
    movl $0x80000000, %ebx
2:  xorb %bl, %bl
    callw pci_read
    cmpl $0x71138086, %eax
    je 3f
    incb %bh
    jnz 2b
    jmp 4f
3:  movb $0x40, %bl
    callw pci_read
    andw $0xffc0, %ax
    jz 4f
    movw %ax, %dx
    addw $4, %dx
    movw $0x2000, %ax
    outw %ax, %dx
4:  # Some emulators listen at port 8900h.
    movw $(power_word-D), %si
    movw $0x8900, %dx
    movw $8, %cx
    rep outsb
    movw $(power_none-D), %si
    callw print
    jmp pause
power_title: .asciz "Power off"
power_word: .ascii "Shutdown"
power_text:
    .ascii "The firmware is asked first (APM, INT 15h function 5307h), then the power\n"
    .asciz "management chip itself.\n\n"
power_none: .asciz "\1\16Neither could do it. You may turn the machine off now.\1\7"
"##
    };
}
pub(crate) use text;
