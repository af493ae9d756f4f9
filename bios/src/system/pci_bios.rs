//! PCI BIOS services (PCI BIOS Specification 2.1): INT 1Ah AH=B1h in real mode, and the 32-bit entry that
//! the BIOS32 service directory (`_32_`) gives. One text, assembled for both modes.

macro_rules! text {
    () => {
        r##"
.set PCI_OK, 0x00
.set PCI_UNSUPPORTED, 0x81
.set PCI_BAD_VENDOR, 0x83
.set PCI_NOT_FOUND, 0x86
.set PCI_BAD_REGISTER, 0x87
.set PCI_SET_FAILED, 0x88
.set PCI_BUFFER_SMALL, 0x89

# In AL: function. Out: AH and CF, values as the specification has them.
.macro pci_service mode
pci_service_\mode:
    cmp $0x08, %al
    jae 1f
    cmp $0x01, %al
    je pci_present_\mode
    cmp $0x02, %al
    je pci_find_device_\mode
    cmp $0x03, %al
    je pci_find_class_\mode
    cmp $0x06, %al
    je pci_special_\mode
    jmp pci_unsupported_\mode
1:  cmp $0x0d, %al
    jbe pci_config_\mode
    cmp $0x0e, %al
    je pci_routing_\mode
    cmp $0x0f, %al
    je pci_set_irq_\mode
pci_unsupported_\mode:
    mov $PCI_UNSUPPORTED, %ah
    stc
    ret

pci_present_\mode:
    call pci_get_last_bus_\mode
    mov $0x20494350, %edx
    mov $0x0210, %bx
    mov $0x0001, %ax            # mechanism 1, no special cycles through mechanism 2
    clc
    ret

# ECX := dword DI of function BX. EAX, EDX are lost.
pci_fetch_\mode:
    call pci_point_\mode
    in %dx, %eax
    mov %eax, %ecx
    ret
# Selects register DI of function BX; DX := its data port.
pci_point_\mode:
    movzx %bx, %eax
    shl $8, %eax
    or $0x80000000, %eax
    mov %edi, %edx
    and $0xfc, %dl
    mov %dl, %al
    mov $0xcf8, %dx
    out %eax, %dx
    mov %edi, %edx
    and $0x03, %edx
    add $0xcfc, %edx
    ret

# Goes through all functions; in EBP: wanted dword, EDI: register, AL: bits to shift away, SI: index.
# Out: CF clear and BX, or CF set.
pci_search_\mode:
    push %eax
    push %ecx
    push %edx
    push %esi
    push %edi
    call pci_get_last_bus_\mode
    mov %cl, %ch
    mov $0xff, %cl
    movzx %cx, %ecx
    push %ecx                   # last function
    mov %al, %ah
    shl $16, %eax
    push %eax                   # shift in bits 31-24
    xor %ebx, %ebx
1:  test $0x07, %bl
    jz 2f
    # A function above 0 of a device that has one only is no function.
    push %ebx
    push %edi
    and $0xf8, %bl
    mov $0x0c, %edi
    call pci_fetch_\mode
    pop %edi
    pop %ebx
    test $0x800000, %ecx
    jz 3f
2:  push %edi
    xor %edi, %edi
    call pci_fetch_\mode
    pop %edi
    cmp $0xffff, %cx
    je 3f
    call pci_fetch_\mode
    mov %ecx, %edx
    pop %ecx
    push %ecx
    shr $24, %ecx
    shr %cl, %edx
    cmp %ebp, %edx
    jne 3f
    sub $1, %si
    jc 5f
3:  inc %ebx
    pop %eax
    pop %ecx
    push %ecx
    push %eax
    cmp %ecx, %ebx
    jbe 1b
    stc
    jmp 6f
5:  clc
6:  pop %eax
    pop %ecx
    pop %edi
    pop %esi
    pop %edx
    pop %ecx
    pop %eax
    ret

pci_find_device_\mode:
    cmp $0xffff, %dx
    mov $PCI_BAD_VENDOR, %ah
    je 9f
    push %ebp
    push %edi
    mov %ecx, %ebp
    shl $16, %ebp
    mov %dx, %bp
    xor %edi, %edi
    push %eax
    xor %al, %al
    jmp 1f
pci_find_class_\mode:
    push %ebp
    push %edi
    mov %ecx, %ebp
    and $0xffffff, %ebp
    mov $0x08, %edi
    push %eax
    mov $8, %al
1:  push %ebx
    call pci_search_\mode
    jc 2f
    movzx %bx, %edi
    pop %ebx
    mov %di, %bx
    pop %eax
    pop %edi
    pop %ebp
    mov $PCI_OK, %ah
    clc
    ret
2:  pop %ebx
    pop %eax
    pop %edi
    pop %ebp
    mov $PCI_NOT_FOUND, %ah
9:  stc
    ret

pci_special_\mode:
    push %ebx
    push %edx
    push %eax
    movzx %bh, %eax
    shl $16, %eax
    or $0x8000ff00, %eax
    push %edx
    mov $0xcf8, %dx
    out %eax, %dx
    pop %eax
    mov $0xcfc, %dx
    out %eax, %dx
    pop %eax
    pop %edx
    pop %ebx
    mov $PCI_OK, %ah
    clc
    ret

# 08-0A: read byte, word, dword; 0B-0D: write.
pci_config_\mode:
    push %edx
    push %eax
    cmp $0xff, %di
    ja 8f
    mov %al, %ah
    sub $0x08, %ah
    cmp $3, %ah
    jb 1f
    sub $3, %ah
1:  mov %ah, %dl                # 0, 1, 2: mask 0, 1, 3
    cmp $2, %dl
    jne 2f
    inc %dl
2:  movzx %dl, %edx
    test %edi, %edx
    jnz 8f
    push %eax
    call pci_point_\mode
    pop %eax
    cmp $0x08, %al
    jne 3f
    in %dx, %al
    mov %al, %cl
    jmp 7f
3:  cmp $0x09, %al
    jne 3f
    in %dx, %ax
    mov %ax, %cx
    jmp 7f
3:  cmp $0x0a, %al
    jne 3f
    in %dx, %eax
    mov %eax, %ecx
    jmp 7f
3:  cmp $0x0b, %al
    jne 3f
    mov %cl, %al
    out %al, %dx
    jmp 7f
3:  cmp $0x0c, %al
    jne 3f
    mov %cx, %ax
    out %ax, %dx
    jmp 7f
3:  mov %ecx, %eax
    out %eax, %dx
7:  pop %eax
    pop %edx
    mov $PCI_OK, %ah
    clc
    ret
8:  pop %eax
    pop %edx
    mov $PCI_BAD_REGISTER, %ah
    stc
    ret

# Routes interrupt CL to pin CH (0Ah-0Dh) of function BX. Routes are shared by several pins and are fixed
# at power-on: only a request for what is so already succeeds.
pci_set_irq_\mode:
    push %edx
    push %ecx
    push %edi
    push %eax
    mov $0x3c, %edi
    push %ecx
    call pci_fetch_\mode
    mov %ecx, %edx
    pop %ecx
    cmp %cl, %dl
    jne 1f
    sub $0x09, %ch
    cmp %ch, %dh
    jne 1f
    pop %eax
    pop %edi
    pop %ecx
    pop %edx
    mov $PCI_OK, %ah
    clc
    ret
1:  pop %eax
    pop %edi
    pop %ecx
    pop %edx
    mov $PCI_SET_FAILED, %ah
    stc
    ret
.endm

    pci_service 16

pci_get_last_bus_16:
    mov %cs:(pci_last_bus - F), %cl
    ret
pci_last_bus:
    .byte 0

# ES:DI: word size of the buffer, far pointer to it.
pci_routing_16:
    push %cx
    push %si
    push %ds
    mov %es:(%di), %cx
    movw $(pir_slots_end - pir_slots), %es:(%di)
    cmp $(pir_slots_end - pir_slots), %cx
    jb 1f
    push %es
    push %di
    les %es:2(%di), %di
    push %cs
    pop %ds
    mov $(pir_slots - F), %si
    mov $(pir_slots_end - pir_slots), %cx
    cld
    rep movsb
    pop %di
    pop %es
    mov $0x0c00, %bx            # IRQ 10 and 11 are PCI's alone
    mov $PCI_OK, %ah
    jmp 2f
1:  mov $PCI_BUFFER_SMALL, %ah
    stc
2:  pop %ds
    pop %si
    pop %cx
    ret

# INT 1Ah AH=B1h.
proc pci_bios_real
    push %ds
    push %es
    push %eax
    es_ebda
    testb $F_PCI, %es:E_FLAGS
    pop %eax
    pop %es
    pop %ds
    jz 1f
    push %bp
    mov %sp, %bp
    andw $0xfffe, 6(%bp)
    cld
    call pci_service_16
    jnc 2f
    orw $1, 6(%bp)
2:  pop %bp
    iretw
1:  push %bp
    mov %sp, %bp
    orw $1, 6(%bp)
    mov $PCI_UNSUPPORTED, %ah
    pop %bp
    iretw
    .code32
    pci_service 32
pci_get_last_bus_32:
    push %eax
    call 1f
1:  pop %eax
    mov %cs:(pci_last_bus - 1b)(%eax), %cl
    pop %eax
    ret

# ES:EDI: word size of the buffer, its 32-bit offset and selector.
pci_routing_32:
    push %ecx
    push %esi
    push %edx
    movzwl %es:(%edi), %ecx
    movw $(pir_slots_end - pir_slots), %es:(%edi)
    cmp $(pir_slots_end - pir_slots), %ecx
    jb 2f
    push %es
    push %edi
    les %es:2(%edi), %edi
    call 1f
1:  pop %edx
    lea (pir_slots - 1b)(%edx), %esi
    mov $(pir_slots_end - pir_slots), %ecx
    cld
    rep movsb %cs:(%esi), %es:(%edi)
    pop %edi
    pop %es
    mov $0x0c00, %bx
    mov $PCI_OK, %ah
    clc
    jmp 3f
2:  mov $PCI_BUFFER_SMALL, %ah
    stc
3:  pop %edx
    pop %esi
    pop %ecx
    ret

# The 32-bit PCI BIOS: a far call, AH = B1h.
proc pci_bios_32
    pushf
    cmp $0xb1, %ah
    jne 1f
    popf
    call pci_service_32
    lret
1:  popf
    mov $PCI_UNSUPPORTED, %ah
    stc
    lret

# The BIOS32 service directory: EAX = service, EBL = 0; out AL, EBX base, ECX length, EDX entry.
proc bios32_directory
    pushf
    test %bl, %bl
    jnz 2f
    cmp $0x49435024, %eax       # $PCI
    jne 1f
    mov $0xf0000, %ebx
    mov $0x10000, %ecx
    mov $(pci_bios_32 - F), %edx
    xor %al, %al
    popf
    lret
1:  mov $0x80, %al              # no such service
    popf
    lret
2:  mov $0x81, %al              # no such function
    popf
    lret
    .code16
"##
    };
}
pub(crate) use text;
