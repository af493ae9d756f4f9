//! Exceptions of the processor that no program handles: they are named on the screen and on the debug port,
//! and the processor halts. An IRET would execute the faulting instruction again, for ever.
//!
//! Documents: Intel Architecture Software Developer's Manual volume 3, "Real-address mode exceptions":
//! vectors 00h, 06h and 07h are exceptions alone, 0Ch and 0Dh are IRQ 4 and IRQ 5 too. Vectors 01h, 03h
//! and 04h are traps, whose IRET goes on behind the instruction.

macro_rules! text {
    () => {
        r##"
proc exception_00
    push $0x00
    jmp exception
proc exception_06
    push $0x06
    jmp exception
proc exception_07
    push $0x07
    jmp exception
proc exception_0c
    push $0x0c
    jmp 1f
proc exception_0d
    push $0x0d
1:  # A line that is in service is an interrupt; one that the mask lets through may be one whose handler
    # has ended it and then come here.
    push %ax
    push %cx
    push %bp
    mov %sp, %bp
    mov 6(%bp), %cl
    and $7, %cl
    mov $1, %ch
    shl %cl, %ch
    mov $0x0b, %al
    out %al, $0x20
    io_pause
    in $0x20, %al
    mov %al, %ah
    in $0x21, %al
    not %al
    or %ah, %al
    test %ch, %al
    pop %bp
    pop %cx
    pop %ax
    jz exception
    add $2, %sp
    jmp int_master_unclaimed

# The vector stands on the stack, above it IP, CS and flags.
exception:
    frame
    lds 38(%bp), %si
    mov R_IP(%bp), %bl
    mov %bl, %bh
    mov $0xcd, %bl              # the INT instruction of that vector
    cmp $2, %si
    jb 1f
    cmp %bx, -2(%si)
    je 7f
1:  es_ebda                     # DS
    cmpb $0, %es:E_FAULT
    movb $1, %es:E_FAULT
    mov 40(%bp), %ds
    jne 6f                      # the message itself brought this about
    print message_exception
    mov R_IP(%bp), %al
    call print_hex8
    mov $(exception_names - F), %di
2:  cmp %cs:(%di), %al
    je 3f
    add $3, %di
    cmp $(exception_names_end - F), %di
    jb 2b
    jmp 4f
3:  push %si
    mov %cs:1(%di), %si
    call puts
    pop %si
4:  print message_at
    mov 40(%bp), %ax
    call print_hex16
    mov $':', %al
    call putc
    mov %si, %ax
    call print_hex16
    print message_code
    mov $8, %cx
5:  mov $' ', %al
    call putc
    lodsb
    call print_hex8
    loop 5b
    print message_halted
6:  cli
    hlt
    jmp 6b
7:  # Somebody's INT instruction: there is nothing to do.
    pop %es
    pop %ds
    popal
    add $2, %sp
    iretw
message_exception:
    .asciz "\nBoxwood BIOS: exception "
message_at:
    .asciz " at "
message_code:
    .asciz ", code"
message_halted:
    .asciz "\nNo program handles it. The processor is halted.\n"
exception_names:
    .byte 0x00
    .word 1f - F
    .byte 0x06
    .word 2f - F
    .byte 0x07
    .word 3f - F
    .byte 0x0c
    .word 4f - F
    .byte 0x0d
    .word 5f - F
exception_names_end:
1:  .asciz " (divide error)"
2:  .asciz " (invalid opcode)"
3:  .asciz " (no coprocessor)"
4:  .asciz " (stack fault)"
5:  .asciz " (general protection)"
"##
    };
}
pub(crate) use text;
