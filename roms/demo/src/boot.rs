//! The boot sector (a FAT12 one, so that DOS and `fsck.fat` take the disk for what it is) and the loader.

macro_rules! text {
    () => {
        r##"
boot_start:
    jmp boot_code
    .org origin + 3
    .ascii "BOXWOOD "
    .word 512                      # bytes a sector
    .byte 1                        # sectors a cluster
    .word 64                       # reserved sectors: this one and the program
    .byte 2                        # file allocation tables
    .word 224                      # root directory entries
    .word 2880                     # sectors
    .byte 0xf0                     # 3.5 inch, 1.44 MB
    .word 9                        # sectors a table
    .word 18, 2                    # sectors a track, heads
    .long 0, 0
    .byte 0, 0, 0x29
    .long 0x42585744
    .ascii "BOXWOODDEMO"
    .ascii "FAT12   "

boot_code:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $0x7c00, %sp
    sti
    cld
    ljmpw $0, $(boot_here-D)
boot_here:
    movb %dl, boot_drive-D
    movw $0x0003, %ax
    int $0x10
    movw $(boot_banner-D), %si
    callw boot_print
    # The program follows this sector on the disk and in memory; whole tracks at a time.
    movw $((program_end-boot_end+511)/512), %di
    movw $0x7e00, %bx
    movw $0x0002, %cx              # cylinder 0, sector 2
    movb $0, %dh
1:  movw $19, %ax                  # sectors up to the track's end
    subb %cl, %al
    cmpw %di, %ax
    jbe 2f
    movw %di, %ax
2:  movb $4, boot_tries-D
3:  pushw %ax
    movb $2, %ah
    movb boot_drive-D, %dl
    int $0x13
    popw %ax
    jnc 4f
    pushw %ax
    xorw %ax, %ax
    int $0x13
    popw %ax
    decb boot_tries-D
    jnz 3b
    movw $(boot_failed-D), %si
    callw boot_print
    xorw %ax, %ax
    int $0x16
    int $0x19
4:  subw %ax, %di
    jz menu
    shlw $9, %ax
    addw %ax, %bx
    movb $1, %cl
    xorb $1, %dh
    jnz 1b
    incb %ch
    jmp 1b

boot_print:
    lodsb
    orb %al, %al
    jz 1f
    movb $0x0e, %ah
    movw $7, %bx
    int $0x10
    jmp boot_print
1:  retw

boot_drive: .byte 0
boot_tries: .byte 0
boot_banner: .asciz "Boxwood demo disk\r\n"
boot_failed: .asciz "The disk cannot be read. Press a key to boot again.\r\n"
    .org origin + 510
    .word 0xaa55
boot_end:
"##
    };
}
pub(crate) use text;
