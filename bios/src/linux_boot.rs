//! The Linux loader: an expansion ROM whose boot entry takes a kernel from fw_cfg and starts it.
//!
//! Documents: the Linux kernel's "The Linux/x86 Boot Protocol" (Documentation/arch/x86/boot.rst), section "Running the
//! kernel"; QEMU's specification of fw_cfg, for its DMA interface; Plug and Play BIOS Specification 1.0A, "Option ROM
//! header"; BIOS Boot Specification 1.01 (BEV).
//!
//! Firmware gets the ROM as the fw_cfg file `genroms/linux-boot.bin`. Whoever builds the machine has filled in the
//! kernel's header, chosen all addresses and put the parts into the items 07h to 18h; this code only moves them, by DMA,
//! to their places, and jumps to the kernel's real-mode part.

/// The whole assembly text of the image; `crate::image` assembles it.
macro_rules! listing {
    () => {
        r##"
rom_begin linux_boot
.set linux_boot_0, .Lboxwood_linux_boot_origin
.set linux_boot_selector, 0x510
.set linux_boot_data, 0x511
.set linux_boot_dma, 0x514
# fw_cfg items: address, size, bytes of the kernel, the initial RAM disk, the command line, the real-mode part.
.set linux_boot_kernel, 0x07
.set linux_boot_initrd, 0x0a
.set linux_boot_command_line, 0x13
.set linux_boot_setup, 0x16

linux_boot_start:
    .byte 0x55, 0xaa
    .byte (linux_boot_end - linux_boot_0) / 512
    jmp linux_boot_init
    .org linux_boot_0 + 0x18
    .word 0                     # no PCI data structure
    .word linux_boot_pnp - linux_boot_0
linux_boot_sum:
    .byte 0
    .balign 16
linux_boot_pnp:
    .ascii "$PnP"
    .byte 1, 2                  # revision, length / 16
    .word 0                     # no other header
    .byte 0, 0
    .long 0
    .word linux_boot_maker - linux_boot_0
    .word linux_boot_name - linux_boot_0
    .byte 0, 0, 0               # device type: none
    .byte 0x04                  # an initial program load device
    .word 0, 0
    .word linux_boot_entry - linux_boot_0
    .word 0, 0
linux_boot_pnp_end:
linux_boot_maker:
    .asciz "Boxwood"
linux_boot_name:
    .asciz "Linux kernel"
linux_boot_failure:
    .asciz "The kernel cannot be had from fw_cfg.\r\n"

# AX: a boot device is there.
linux_boot_init:
    mov $0x20, %ax
    lretw

# The boot entry vector. It comes back only if fw_cfg fails.
    rom_symbol linux_boot, linux_boot_entry
linux_boot_entry:
    cld
    # Each part: the item of its bytes, that of its size, that of its address.
    mov $0x0811, %bx
    mov $linux_boot_kernel, %cx
    call linux_boot_part
    jc linux_boot_failed
    mov $0x0b12, %bx
    mov $linux_boot_initrd, %cx
    call linux_boot_part
    jc linux_boot_failed
    mov $0x1415, %bx
    mov $linux_boot_command_line, %cx
    call linux_boot_part
    jc linux_boot_failed
    mov $0x1718, %bx
    mov $linux_boot_setup, %cx
    call linux_boot_part
    jc linux_boot_failed
    # All segments at the real-mode part, the stack below the end of its heap, interrupts off: 20h paragraphs into it.
    mov $linux_boot_setup, %ax
    call linux_boot_dword
    shr $4, %eax
    cli
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %fs
    mov %ax, %gs
    mov %ax, %ss
    mov $0xe000, %sp
    add $0x20, %ax
    push %ax
    push $0
    xor %eax, %eax
    xor %ebx, %ebx
    xor %ecx, %ecx
    xor %edx, %edx
    xor %esi, %esi
    xor %edi, %edi
    xor %ebp, %ebp
    lretw

linux_boot_failed:
    push %cs
    pop %ds
    mov $(linux_boot_failure - linux_boot_0), %si
1:  lodsb
    test %al, %al
    jz 2f
    mov $0x0e, %ah
    mov $0x0007, %bx
    int $0x10
    jmp 1b
2:  int $0x18
    lretw

# Item AX as a doubleword in EAX. DX is lost.
linux_boot_dword:
    push %cx
    push %ebx
    mov $linux_boot_selector, %dx
    out %ax, %dx
    inc %dx
    mov $4, %cx
1:  in %dx, %al
    mov %al, %bl
    ror $8, %ebx
    loop 1b
    mov %ebx, %eax
    pop %ebx
    pop %cx
    ret

# Copies item BL, whose size is in item BH, to the address in item CL. CF: it failed.
linux_boot_part:
    push %bp
    movzx %bh, %ax
    call linux_boot_dword
    test %eax, %eax
    jz 3f
    mov %eax, %esi              # length
    mov %cx, %ax
    call linux_boot_dword
    # The access structure, big-endian, on the stack: control, length, address.
    bswap %eax
    push %eax
    pushl $0
    mov %esi, %eax
    bswap %eax
    push %eax
    movzx %bl, %eax
    shl $16, %eax
    or $0x0a, %al               # select, read
    bswap %eax
    push %eax
    mov %sp, %bp
    xor %eax, %eax
    mov %ss, %ax
    shl $4, %eax
    movzx %sp, %edx
    add %edx, %eax
    bswap %eax
    push %eax
    mov $linux_boot_dma, %dx
    xor %eax, %eax
    out %eax, %dx
    add $4, %dx
    pop %eax
    out %eax, %dx
1:  mov (%bp), %eax
    bswap %eax
    test $1, %al
    jnz 2f
    test %eax, %eax
    jnz 1b
    add $16, %sp
3:  clc
    pop %bp
    ret
2:  add $16, %sp
    stc
    pop %bp
    ret
    .balign 512, 0
linux_boot_end:
    rom_checksum linux_boot, linux_boot_pnp, linux_boot_pnp_end, linux_boot_pnp + 9
    rom_checksum linux_boot, linux_boot_start, linux_boot_end, linux_boot_sum
rom_end linux_boot
"##
    };
}
pub(crate) use listing;
