//! PCI at power-on: buses are numbered, I/O and memory ranges assigned, interrupts routed, the PIIX
//! functions switched on.
//!
//! Documents: PCI Local Bus Specification 2.1, "Configuration mechanism #1", "Base address registers";
//! PCI-to-PCI Bridge Architecture Specification 1.0; Intel 82371SB (PIIX3) 290550 and 82371AB (PIIX4)
//! 290562: PIRQ route control 60h-63h, IDE timing 40h/42h, PMBASE 40h, PMREGMISC 80h, SMBBASE 90h.
//!
//! Ranges: I/O from C000h, memory from E0000000h to FEBFFFFFh, each aligned to its size, in the order of
//! the scan; a bridge gets windows of 4 KiB and 1 MiB steps.
//!
//! **Not implemented**: prefetchable bridge windows (everything behind a bridge goes into its plain
//! memory window), VGA behind a bridge, hot plug, ranges above 4 GiB.

macro_rules! text {
    () => {
        r##"
.set PCI_MEM_START, 0xe0000000
.set PCI_MEM_END, 0xfec00000
.set PCI_IO_START, 0xc000

# Configuration space, mechanism 1. BX: bus and device/function, DI: register; ECX/CX/CL: value. All
# other registers are kept.
pci_select:
    movzx %bx, %eax
    shl $8, %eax
    or $0x80000000, %eax
    mov %di, %dx
    and $0xfc, %dl
    mov %dl, %al
    mov $0xcf8, %dx
    out %eax, %dx
    mov %di, %dx
    and $0x03, %dx
    add $0xcfc, %dx
    ret
.macro pci_access name, operation
proc pci_\name
    push %eax
    push %dx
    call pci_select
    \operation
    pop %dx
    pop %eax
    ret
.endm
.macro pci_op_rd32
    in %dx, %eax
    mov %eax, %ecx
.endm
.macro pci_op_rd16
    in %dx, %ax
    mov %ax, %cx
.endm
.macro pci_op_rd8
    in %dx, %al
    mov %al, %cl
.endm
.macro pci_op_wr32
    mov %ecx, %eax
    out %eax, %dx
.endm
.macro pci_op_wr16
    mov %cx, %ax
    out %ax, %dx
.endm
.macro pci_op_wr8
    mov %cl, %al
    out %al, %dx
.endm
    pci_access rd32, pci_op_rd32
    pci_access rd16, pci_op_rd16
    pci_access rd8, pci_op_rd8
    pci_access wr32, pci_op_wr32
    pci_access wr16, pci_op_wr16
    pci_access wr8, pci_op_wr8

proc pci_init
    es_ebda
    # The address register of mechanism 1 reads back.
    mov $0x80000000, %eax
    mov $0xcf8, %dx
    out %eax, %dx
    in %dx, %eax
    cmp $0x80000000, %eax
    jne 1f
    xor %bx, %bx
    xor %di, %di
    call pci_rd32
    cmp $0xffffffff, %ecx
    je 1f
    orb $F_PCI, %es:E_FLAGS
    xor %ax, %ax
    mov %ax, %ds
    movl $PCI_IO_START, S_PCI_IO
    movl $PCI_MEM_START, S_PCI_MEM
    mov %es:E_LOW_TOP, %eax
    cmp $PCI_MEM_START, %eax
    jbe 2f
    add $0xffffff, %eax         # memory reaches into the range: begin behind it
    and $0xff000000, %eax
    mov %eax, S_PCI_MEM
2:  movb $0, S_PCI_BUS
    movw $0, S_PCI_SWIZZLE
    xor %bh, %bh
    call pci_scan_bus
    mov S_PCI_BUS, %al
    es_ebda
    mov %al, %es:E_LAST_BUS
    # The copy that the 32-bit services see, if this image stands in RAM.
    mov %cs, %dx
    mov %dx, %ds
    mov %al, pci_last_bus - F
1:  ret

# Every function of bus BH. DS = 0.
proc pci_scan_bus
    xor %bl, %bl
1:  xor %di, %di
    call pci_rd16
    cmp $0xffff, %cx
    je 4f
    call pci_setup_function
    test $0x07, %bl
    jnz 2f
    mov $0x0e, %di
    call pci_rd8
    test $0x80, %cl
    jz 5f                       # a single function
2:  inc %bl
    jnz 1b
    ret
4:  test $0x07, %bl
    jnz 2b
5:  add $8, %bl
    jnc 1b
    ret

# One function: BX.
proc pci_setup_function
    pushal
    mov $0x0a, %di
    call pci_rd16
    mov %cx, %bp                # class and subclass
    cmp $0x0600, %cx            # host bridge: nothing to assign
    je 9f
    mov $0x0e, %di
    call pci_rd8
    and $0x7f, %cl
    # SI: end of the base address registers.
    mov $0x28, %si
    cmp $0, %cl
    je 1f
    mov $0x18, %si
    cmp $1, %cl
    je 1f
    mov $0x10, %si
1:  mov $0x04, %di              # decoders off while the registers are sized
    call pci_rd16
    and $0xfffc, %cx
    call pci_wr16
    movw $0x0004, S_PCI_COMMAND
    mov $0x10, %di
2:  cmp %si, %di
    jae 3f
    call pci_setup_bar
    add $4, %di
    jmp 2b
3:  # Expansion ROM: a range, not yet enabled.
    mov $0x30, %di
    cmp $0x28, %si
    je 4f
    mov $0x38, %di
    cmp $0x18, %si
    jne 5f
4:  mov $0xfffff800, %ecx
    call pci_wr32
    call pci_rd32
    and $0xfffff800, %ecx
    jz 5f
    call pci_allocate_memory
    call pci_wr32
5:  cmp $0x18, %si
    jne 6f
    call pci_setup_bridge
6:  call pci_setup_chip
    mov $0x04, %di
    call pci_rd16
    or S_PCI_COMMAND, %cx
    call pci_wr16
    # Latency timer.
    mov $0x0d, %di
    mov $0x40, %cl
    call pci_wr8
    # Interrupt line: the route of its pin.
    mov $0x3d, %di
    call pci_rd8
    test %cl, %cl
    jz 9f
    cmp $4, %cl
    ja 9f
    xor %ch, %ch
    mov %cx, %ax
    movzx %bl, %cx
    shr $3, %cx
    add %cx, %ax
    add S_PCI_SWIZZLE, %ax
    sub $2, %ax                 # pin 1 of slot 1 is PIRQA
    and $3, %ax
    mov %ax, %di
    mov %cs:(pirq_irqs - F)(%di), %cl
    cmp $0x0680, %bp            # power management: its interrupt is wired to IRQ 9
    jne 7f
    mov $9, %cl
7:  mov $0x3c, %di
    call pci_wr8
9:  popal
    ret
pirq_irqs:
    .byte 10, 10, 11, 11

# The base address register DI: measured and assigned; DI moves over the upper half of a 64-bit one.
pci_setup_bar:
    push %ebx
    mov $0xffffffff, %ecx
    call pci_wr32
    call pci_rd32
    test %ecx, %ecx
    jz 9f
    test $0x01, %cl
    jz 3f
    # I/O.
    and $0xfffffffc, %ecx
    or $0xffff0000, %ecx
    neg %ecx                    # size
    mov S_PCI_IO, %eax
    add %ecx, %eax
    dec %eax
    mov %ecx, %edx
    neg %edx
    and %edx, %eax              # start
    add %eax, %ecx
    cmp $0x10000, %ecx
    ja 8f
    mov %ecx, S_PCI_IO
    mov %eax, %ecx
    call pci_wr32
    orw $0x0001, S_PCI_COMMAND
    jmp 9f
3:  mov %cl, %al
    and $0x06, %al
    and $0xfffffff0, %ecx
    test %ecx, %ecx
    jz 4f                    # 4 GiB or more: not placed
    push %ax
    call pci_allocate_memory
    pop %ax
    call pci_wr32
    test %ecx, %ecx
    jz 5f
    orw $0x0002, S_PCI_COMMAND
5:  cmp $0x04, %al
    jne 9f
    add $4, %di
    xor %ecx, %ecx
    call pci_wr32
    jmp 9f
4:  cmp $0x04, %al
    jne 8f
    xor %ecx, %ecx
    call pci_wr32
    add $4, %di
8:  xor %ecx, %ecx
    call pci_wr32
9:  pop %ebx
    ret

# ECX: the mask that a memory register read back; ECX := the range given to it, 0 if there is no room.
pci_allocate_memory:
    push %eax
    push %edx
    mov %ecx, %edx              # mask
    neg %ecx                    # size
    mov S_PCI_MEM, %eax
    add %ecx, %eax
    jc 1f
    dec %eax
    and %edx, %eax
    add %eax, %ecx
    jc 1f
    cmp $PCI_MEM_END, %ecx
    ja 1f
    mov %ecx, S_PCI_MEM
    mov %eax, %ecx
    jmp 2f
1:  xor %ecx, %ecx
2:  pop %edx
    pop %eax
    ret

# A PCI-to-PCI bridge: BX. Its bus is scanned with windows that begin here.
pci_setup_bridge:
    pushal
    pushw S_PCI_SWIZZLE
    pushw S_PCI_COMMAND
    # Align both allocators to what a window can express.
    mov S_PCI_IO, %eax
    add $0xfff, %eax
    and $0xfffff000, %eax
    mov %eax, S_PCI_IO
    push %eax
    mov S_PCI_MEM, %eax
    add $0xfffff, %eax
    and $0xfff00000, %eax
    mov %eax, S_PCI_MEM
    push %eax
    # Bus numbers.
    mov $0x18, %di
    mov %bh, %cl
    call pci_wr8
    incb S_PCI_BUS
    mov S_PCI_BUS, %cl
    mov $0x19, %di
    call pci_wr8
    mov $0x1a, %di
    push %cx
    mov $0xff, %cl
    call pci_wr8
    pop %cx
    # Interrupt pins rotate with the slot number of the bridge; slot numbers behind it count from 0
    # where those of bus 0 count from 1.
    push %bx
    movzx %bl, %ax
    shr $3, %ax
    add %ax, S_PCI_SWIZZLE
    mov %cl, %bh
    call pci_scan_bus
    pop %bx
    mov S_PCI_BUS, %cl
    mov $0x1a, %di
    call pci_wr8
    # Memory window.
    pop %edx
    mov S_PCI_MEM, %eax
    cmp %edx, %eax
    jne 1f
    mov $0xfff0, %ecx           # none: base above limit
    jmp 2f
1:  add $0xfffff, %eax
    and $0xfff00000, %eax
    mov %eax, S_PCI_MEM
    dec %eax
    and $0xfff00000, %eax
    mov %eax, %ecx
    shr $16, %edx
    mov %dx, %cx
2:  mov $0x20, %di
    call pci_wr32
    mov $0xfff0, %ecx           # prefetchable: none
    mov $0x24, %di
    call pci_wr32
    # I/O window.
    pop %edx
    mov S_PCI_IO, %eax
    cmp %edx, %eax
    jne 3f
    mov $0x00f0, %cx
    jmp 4f
3:  add $0xfff, %eax
    and $0xfffff000, %eax
    mov %eax, S_PCI_IO
    dec %eax
    mov %ah, %ch
    and $0xf0, %ch
    mov %dh, %cl
    and $0xf0, %cl
4:  mov $0x1c, %di
    call pci_wr16
    popw S_PCI_COMMAND
    orw $0x0007, S_PCI_COMMAND
    popw S_PCI_SWIZZLE
    popal
    ret

# What particular chips need. BX.
pci_setup_chip:
    pushal
    mov $0x08, %di
    call pci_rd32
    shr $16, %ecx
    cmp $0x0300, %cx            # VGA: its fixed ports and window have no base address registers
    jne 9f
    orw $0x0003, S_PCI_COMMAND
9:  xor %di, %di
    call pci_rd32
    cmp $0x70008086, %ecx
    je 1f
    cmp $0x71108086, %ecx
    je 1f
    cmp $0x70108086, %ecx
    je 3f
    cmp $0x71118086, %ecx
    je 3f
    cmp $0x71138086, %ecx
    je 4f
    popal
    ret
1:  # PIIX3/PIIX4 ISA bridge: PIRQA-D, and these interrupts as levels.
    mov $0x60, %di
    mov $0x0b0b0a0a, %ecx
    call pci_wr32
    mov $0x4d0, %dx
    xor %al, %al
    out %al, %dx
    inc %dx
    mov $0x0e, %al
    out %al, %dx
    popal
    ret
3:  # IDE: both channels decoded.
    mov $0x40, %di
    mov $0x80008000, %ecx
    call pci_wr32
    orw $0x0005, S_PCI_COMMAND
    es_ebda
    orb $F_IO32, %es:E_FLAGS
    mov %bx, %es:E_IDE_BDF
    xor %ax, %ax
    mov %ax, %ds
    popal
    ret
4:  # Power management and SMBus: bases, enables, ACPI mode.
    mov $0x40, %di
    mov $(PM_BASE | 1), %ecx
    call pci_wr32
    mov $0x80, %di
    mov $0x01, %cl
    call pci_wr8
    mov $0x90, %di
    mov $(SMB_BASE | 1), %ecx
    call pci_wr32
    mov $0xd2, %di
    mov $0x09, %cl
    call pci_wr8
    mov $(PM_BASE + 4), %dx
    in %dx, %ax
    or $0x0001, %ax             # SCI_EN
    out %ax, %dx
    orw $0x0001, S_PCI_COMMAND
    es_ebda
    orb $F_PM, %es:E_FLAGS
    xor %ax, %ax
    mov %ax, %ds
    popal
    ret
"##
    };
}
pub(crate) use text;
