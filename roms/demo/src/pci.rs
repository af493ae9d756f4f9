//! Page A: the PCI functions, by configuration mechanism 1.

macro_rules! text {
    () => {
        r##"
pci:
    movw $(pci_title-D), %si
    callw page
    movw $(pci_text-D), %si
    callw print
    # Bit 31 of CF8h stays set where mechanism 1 is.
    movw $0xcf8, %dx
    movl $0x80000000, %eax
    outl %eax, %dx
    inl %dx, %eax
    cmpl $0x80000000, %eax
    je 1f
    movw $(pci_none-D), %si
    callw print
    jmp pause
1:  movw $(pci_head-D), %si
    callw print
    movl $0x80000000, %ebx         # enable, bus 0, device, function, register
2:  xorb %bl, %bl
    callw pci_read
    cmpw $0xffff, %ax
    je 6f
    movl %eax, pci_id-D
    # Bus, device, function.
    movb $attr_value, attribute-D
    movl %ebx, %eax
    shrl $16, %eax
    callw print_hex8
    movb $0x3a, %al
    callw put
    movb %bh, %al
    shrb $3, %al
    callw print_hex8
    movb $0x2e, %al
    callw put
    movb %bh, %al
    andb $7, %al
    addb $0x30, %al
    callw put
    movb $12, column-D
    movl pci_id-D, %eax
    callw print_hex16
    movb $0x3a, %al
    callw put
    movl pci_id-D, %eax
    shrl $16, %eax
    callw print_hex16
    movb $24, column-D
    movb $8, %bl
    callw pci_read
    shrl $8, %eax
    movl %eax, %ecx                # class, subclass, interface
    shrl $8, %eax
    callw print_hex16
    movb $0x2e, %al
    callw put
    movb %cl, %al
    callw print_hex8
    movb $34, column-D
    movb $attr_text, attribute-D
    shrl $8, %ecx
    movw $(pci_classes-D), %si
3:  lodsw
    orw %ax, %ax
    jz 4f
    cmpw %cx, %ax
    je 4f
5:  lodsb
    orb %al, %al
    jnz 5b
    jmp 3b
4:  callw print
    # Interrupt line, for those that have a pin.
    movb $0x3c, %bl
    callw pci_read
    orb %ah, %ah
    jz 7f
    movb $68, column-D
    movzbl %al, %eax
    callw print_dec
7:  incb row-D
    movb $2, column-D
    cmpb $23, row-D
    jae 9f
6:  # Next function, or the next device if this one has a single function.
    testb $7, %bh
    jnz 8f
    movb $0x0c, %bl
    callw pci_read
    testl $0x00800000, %eax
    jnz 8f
    orb $7, %bh
8:  incb %bh
    jnz 2b
9:  jmp pause

pci_read:
    movw $0xcf8, %dx
    movl %ebx, %eax
    outl %eax, %dx
    movb $0xfc, %dl
    inl %dx, %eax
    retw

pci_id: .long 0
pci_title: .asciz "PCI"
pci_text:
    .ascii "Every PCI function answers to its place on the bus: who made it, what it is\n"
    .asciz "and what it wants. Port CF8h takes the place, port CFCh gives the answer.\n\n"
pci_none: .asciz "This machine has no PCI bus.\n"
pci_head: .asciz "\1\17Place     Vendor:dev. Class     What                              IRQ\n"
pci_classes:
    .word 0x0001
    .asciz "VGA of an old kind"
    .word 0x0100
    .asciz "SCSI controller"
    .word 0x0101
    .asciz "IDE controller"
    .word 0x0106
    .asciz "SATA controller"
    .word 0x0108
    .asciz "NVMe controller"
    .word 0x0200
    .asciz "Ethernet card"
    .word 0x0280
    .asciz "Network card"
    .word 0x0300
    .asciz "VGA"
    .word 0x0380
    .asciz "Display controller"
    .word 0x0401
    .asciz "Sound card"
    .word 0x0403
    .asciz "Sound (HD Audio)"
    .word 0x0500
    .asciz "Memory"
    .word 0x0600
    .asciz "Host bridge"
    .word 0x0601
    .asciz "ISA bridge"
    .word 0x0604
    .asciz "PCI bridge"
    .word 0x0680
    .asciz "Bridge, power management"
    .word 0x0700
    .asciz "Serial port"
    .word 0x0c03
    .asciz "USB controller"
    .word 0x0c05
    .asciz "SMBus controller"
    .word 0
    .asciz "-"
"##
    };
}
pub(crate) use text;
