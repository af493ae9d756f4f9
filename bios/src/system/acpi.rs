//! ACPI tables: those that the machine offers are loaded as its script in the fw_cfg file `etc/table-loader` says
//! (`bios::acpi::loader` describes it), into the last 64 KiB of memory, which become ACPI's, and into this image.
//!
//! A script that asks for more than there is, names what it has not loaded or points out of a table, is given up as a
//! whole: then there is no root pointer. Commands that are not known are passed over.
//!
//! **Not implemented**: the command that writes an address back into a file.

macro_rules! text {
    () => {
        r##"
.set ACPI_BYTES, 0x10000
.set ACPI_FILES, 8
.set ACPI_SCRIPT_BYTES, 0x6000

# The room for what has to stand in the F segment: zeros until then.
.balign 16
acpi_room:
    .skip 64
acpi_room_end:
acpi_script:
    .ascii "etc/table-loader"
    .skip 40
message_acpi:
    .asciz "ACPI: the table loader's script cannot be followed\n"

# The image must stand in writable shadow RAM.
proc acpi_load
    es_ebda
    mov %es:E_FLAGS, %al
    and $(F_PAM | F_PM), %al
    cmp $(F_PAM | F_PM), %al
    jne 9f
    cmpl $0x200000, %es:E_LOW_TOP
    jb 9f
    call fw_cfg_find
    jnc 9f
    mov %cs, %ax
    mov %ax, %ds
    mov $(acpi_script - F), %si
    call fw_cfg_file
    jnc 9f
    # BX the script's item, ECX its size.
    cmp $ACPI_SCRIPT_BYTES, %ecx
    ja 9f
    es_ebda
    mov %es:E_LOW_TOP, %edx
    mov %edx, %es:E_NVS_TOP
    sub $ACPI_BYTES, %edx
    mov %edx, %es:E_LOW_TOP
    call flat_segments
    mov %edx, S_ACPI_HIGH
    movw $0, S_ACPI_COUNT
    movl $(0xf0000 + (acpi_room - F)), S_ACPI_F
    movl $(0xf0000 + (acpi_room_end - F)), S_ACPI_F + 4
    push %ecx
    mov %edx, %edi
    mov $(ACPI_BYTES / 4), %ecx
    xor %eax, %eax
    rep stosl %eax, %es:(%edi)
    mov %edi, S_ACPI_HIGH + 4
    pop %ecx
    mov $S_ACPI_SCRIPT, %edi
    push %cx
    call fw_cfg_read
    pop %bp
    shr $7, %bp                 # entries
    mov $S_ACPI_SCRIPT, %si
1:  test %bp, %bp
    jz 8f
    mov (%si), %eax
    cmp $1, %eax
    jb 3f
    ja 2f
    call acpi_allocate
    jmp 4f
2:  cmp $3, %eax
    ja 3f
    je 2f
    call acpi_pointer
    jmp 4f
2:  call acpi_checksum
    jmp 4f
3:  stc
4:  jnc 7f
    add $128, %si
    dec %bp
    jmp 1b
    # Given up: the memory is the system's again, and the root pointer must not be found.
7:  es_ebda
    mov %es:E_NVS_TOP, %eax
    mov %eax, %es:E_LOW_TOP
    movl $0, %es:E_NVS_TOP
    push %cs
    pop %es
    mov $(acpi_room - F), %di
    mov $((acpi_room_end - acpi_room) / 2), %cx
    xor %ax, %ax
    rep stosw
    mov $(message_acpi - F), %si
    call debug_puts
8:  call normal_segments
9:  ret

# The fw_cfg file whose name stands at DS:SI, in 56 bytes: BX its item, ECX its size. CF: it is there. ES is 0; EAX,
# DX and DI are lost.
fw_cfg_file:
    push %ebp
    xor %ebp, %ebp
1:  call fw_cfg_entry
    jnc 3f
    push %si
    push %cx
    mov $S_BUFFER, %di
    mov $56, %cx
    repe cmpsb
    pop %cx
    pop %si
    je 2f
    inc %ebp
    jmp 1b
2:  stc
3:  pop %ebp
    ret
# The first ECX bytes of item BX to ES:EDI. EDI is behind them; EAX, ECX and DX are lost.
fw_cfg_read:
    mov $0x510, %dx
    mov %bx, %ax
    out %ax, %dx
    inc %dx
    rep insb (%dx), %es:(%edi)
    ret

# The file that was loaded with the name at DS:SI: EAX its address, EDX its size. CF: there is one. CX and DI are lost.
acpi_file:
    push %bx
    mov S_ACPI_COUNT, %bx
    mov $S_ACPI_FILES, %di
1:  test %bx, %bx               # clears CF
    jz 3f
    push %si
    push %di
    mov $56, %cx
    repe cmpsb
    pop %di
    pop %si
    je 2f
    add $64, %di
    dec %bx
    jmp 1b
2:  mov 56(%di), %eax
    mov 60(%di), %edx
    stc
3:  pop %bx
    ret

# The entries at SI; all of these end with CF if they were possible. SI and BP are kept.
# Allocate: the file's name at 4, alignment at 60, zone at 64.
acpi_allocate:
    push %si
    add $4, %si
    call fw_cfg_file
    pop %si
    jnc 9f
    cmpw $ACPI_FILES, S_ACPI_COUNT
    jae 8f
    mov 60(%si), %edx
    lea -1(%edx), %eax
    test %edx, %eax
    jnz 8f                      # no power of two
    mov $S_ACPI_HIGH, %di
    cmpb $1, 64(%si)
    je 1f
    mov $S_ACPI_F, %di
    cmpb $2, 64(%si)
    jne 8f
1:  test %edx, %edx
    jnz 2f
    inc %edx
    xor %eax, %eax
2:  add (%di), %eax
    jc 8f
    neg %edx
    and %edx, %eax
    mov %eax, %edx
    add %ecx, %edx
    jc 8f
    cmp 4(%di), %edx
    ja 8f
    mov %edx, (%di)
    mov S_ACPI_COUNT, %di
    incw S_ACPI_COUNT
    shl $6, %di
    add $S_ACPI_FILES, %di
    mov %eax, 56(%di)
    mov %ecx, 60(%di)
    push %si
    push %ecx
    add $4, %si
    mov $14, %cx
    rep movsl
    pop %ecx
    pop %si
    mov %eax, %edi
    call fw_cfg_read
    stc
    ret
8:  clc
9:  ret

# Add pointer: the file that holds it at 4, the file that it leads to at 60, place at 116, width at 120.
acpi_pointer:
    push %si
    add $60, %si
    call acpi_file
    pop %si
    jnc 9f
    mov %eax, %ebx
    push %si
    add $4, %si
    call acpi_file
    pop %si
    jnc 9f
    movzbl 120(%si), %ecx
    mov 116(%si), %edi
    add %ecx, %edi
    jc 8f
    cmp %edx, %edi
    ja 8f
    sub %ecx, %edi
    add %eax, %edi
    cmp $8, %cl
    je 3f
    cmp $4, %cl
    je 2f
    cmp $2, %cl
    je 1f
    cmp $1, %cl
    jne 8f
    add %bl, (%edi)
    stc
    ret
1:  add %bx, (%edi)
    stc
    ret
2:  add %ebx, (%edi)
    stc
    ret
3:  add %ebx, (%edi)
    adcl $0, 4(%edi)
    stc
    ret
8:  clc
9:  ret

# Add checksum: the file's name at 4, place at 60, first byte of the range at 64, length at 68.
acpi_checksum:
    push %si
    add $4, %si
    call acpi_file
    pop %si
    jnc 9f
    cmp %edx, 60(%si)
    jae 8f
    mov 64(%si), %edi
    mov 68(%si), %ecx
    add %ecx, %edi
    jc 8f
    cmp %edx, %edi
    ja 8f
    sub %ecx, %edi
    add %eax, %edi
    xor %dl, %dl
1:  test %ecx, %ecx
    jz 2f
    add (%edi), %dl
    inc %edi
    dec %ecx
    jmp 1b
2:  mov 60(%si), %edi
    add %eax, %edi
    sub %dl, (%edi)
    stc
    ret
8:  clc
9:  ret
"##
    };
}
pub(crate) use text;
