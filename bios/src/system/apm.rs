//! Advanced Power Management 1.2 (APM BIOS Interface Specification 1.2): real mode, 16- and 32-bit
//! protected mode. Power off goes through the PIIX4's PMCNTRL register (82371AB datasheet 290562).
//!
//! **Not implemented**: standby and suspend (error 60h), batteries (there are none), timers and events of
//! the power switch.
//!
//! State: 40:AC bits 0-1 the connected interface (1 real, 2 16-bit, 3 32-bit), bit 2 disengaged, bit 3
//! disabled; 40:AE the version that the driver asked for. In protected mode the data segment's selector
//! follows the code selectors in the caller's table.

macro_rules! text {
    () => {
        r##"
# AL: function; BX, CX, DX: parameters. DS: segment 0040h. Out: AH and CF, registers.
.macro apm_service mode
apm_service_\mode:
    cmp $0x04, %al
    je apm_disconnect_\mode
    cmp $0x05, %al
    je apm_idle_\mode
    cmp $0x06, %al
    je apm_ok_\mode
    cmp $0x07, %al
    je apm_set_state_\mode
    cmp $0x08, %al
    je apm_enable_\mode
    cmp $0x09, %al
    je apm_defaults_\mode
    cmp $0x0a, %al
    je apm_status_\mode
    cmp $0x0b, %al
    je apm_event_\mode
    cmp $0x0c, %al
    je apm_get_state_\mode
    cmp $0x0d, %al
    je apm_device_\mode
    cmp $0x0e, %al
    je apm_version_\mode
    cmp $0x0f, %al
    je apm_engage_\mode
    cmp $0x10, %al
    je apm_capabilities_\mode
    mov $0x0c, %ah              # function not supported
    stc
    ret
apm_ok_\mode:
    xor %ah, %ah                # clears CF
    ret
apm_device_error_\mode:
    mov $0x09, %ah
    stc
    ret
apm_range_error_\mode:
    mov $0x0a, %ah
    stc
    ret
apm_disconnect_\mode:
    test %bx, %bx
    jnz apm_device_error_\mode
    testb $0x03, B_APM
    jz 1f
    andb $0xfc, B_APM
    movw $0, B_APM_VERSION
    jmp apm_ok_\mode
1:  mov $0x03, %ah
    stc
    ret
apm_idle_\mode:
    sti
    hlt
    jmp apm_ok_\mode
apm_set_state_\mode:
    cmp $0x0001, %bx
    jne apm_device_error_\mode
    cmp $0x0003, %cx
    je 1f
    ja apm_range_error_\mode
    mov $0x60, %ah              # cannot enter this state
    stc
    ret
1:  cli
    mov $(PM_BASE + 4), %dx     # PMCNTRL: SUS_TYP 0 (soft off), SUS_EN
    in %dx, %ax
    and $0xc3ff, %ax
    or $0x2000, %ax
    out %ax, %dx
    # A board without it may have the port of the emulators.
    mov $0x8900, %dx
    mov $'S', %al
    out %al, %dx
    mov $'h', %al
    out %al, %dx
    mov $'u', %al
    out %al, %dx
    mov $'t', %al
    out %al, %dx
    mov $'d', %al
    out %al, %dx
    mov $'o', %al
    out %al, %dx
    mov $'w', %al
    out %al, %dx
    mov $'n', %al
    out %al, %dx
    mov $0x60, %ah
    stc
    ret
apm_enable_\mode:
    cmp $0x0001, %bx
    je 1f
    cmp $0xffff, %bx
    jne apm_device_error_\mode
1:  cmp $1, %cx
    ja apm_range_error_\mode
    orb $0x08, B_APM
    test %cx, %cx
    jz 2f
    andb $0xf7, B_APM
2:  jmp apm_ok_\mode
apm_defaults_\mode:
    cmp $0x0001, %bx
    je 1f
    cmp $0xffff, %bx
    jne apm_device_error_\mode
1:  andb $0xf3, B_APM
    jmp apm_ok_\mode
apm_status_\mode:
    cmp $0x0001, %bx
    jne apm_device_error_\mode
    mov $0x01ff, %bx            # on line power, battery unknown
    mov $0x80ff, %cx            # no system battery
    mov $0xffff, %dx
    jmp apm_ok_\mode
apm_event_\mode:
    mov $0x80, %ah              # none pending
    stc
    ret
apm_get_state_\mode:
    cmp $0x0001, %bx
    jne apm_device_error_\mode
    xor %cx, %cx
    jmp apm_ok_\mode
apm_device_\mode:
    cmp $0x0001, %bx
    jne apm_device_error_\mode
    cmp $1, %cx
    ja apm_range_error_\mode
    jmp apm_ok_\mode
apm_version_\mode:
    test %bx, %bx
    jnz apm_device_error_\mode
    cmp $0x0102, %cx
    jbe 1f
    mov $0x0102, %cx
1:  mov %cx, B_APM_VERSION
    mov %cx, %ax
    clc
    ret
apm_engage_\mode:
    cmp $0x0001, %bx
    jne apm_device_error_\mode
    cmp $1, %cx
    ja apm_range_error_\mode
    orb $0x04, B_APM
    test %cx, %cx
    jz apm_ok_\mode
    andb $0xfb, B_APM
    jmp apm_ok_\mode
apm_capabilities_\mode:
    test %bx, %bx
    jnz apm_device_error_\mode
    xor %bl, %bl
    xor %cx, %cx
    jmp apm_ok_\mode
.endm

    apm_service 16

# INT 15h AH=53h.
int15_53:
    ds_bda
    mov R_AX(%bp), %ax
    mov R_BX(%bp), %bx
    mov R_CX(%bp), %cx
    mov R_DX(%bp), %dx
    cmp $0x00, %al
    je apm_check
    cmp $0x03, %al
    jbe apm_connect
    call apm_service_16
    mov %bx, R_BX(%bp)
    mov %cx, R_CX(%bp)
    mov %dx, R_DX(%bp)
apm_finish:
    caller_cf 0                 # CF of the service is lost here, AH tells it
    jmp 1f
1:  mov %ah, R_AH(%bp)
    cmpb $0x0e, R_AL(%bp)
    jne 2f
    test %bx, %bx
    jnz 2f
    mov %ax, R_AX(%bp)          # driver version: AX is the answer
    ret
2:  test %ah, %ah
    jz 3f
    caller_cf 1
3:  ret
apm_check:
    test %bx, %bx
    jnz apm_bad_device
    movw $0x0102, R_AX(%bp)
    movw $0x504d, R_BX(%bp)     # "PM"
    movw $0x0003, R_CX(%bp)     # 16- and 32-bit interfaces
    testb $0x08, B_APM
    jz 1f
    orw $0x0008, R_CX(%bp)
1:  testb $0x04, B_APM
    jz 2f
    orw $0x0010, R_CX(%bp)
2:  caller_cf 0
    ret
apm_bad_device:
    mov $0x09, %ah
    jmp apm_finish
apm_connect:
    test %bx, %bx
    jnz apm_bad_device
    mov B_APM, %bl
    and $0x03, %bl
    jz 1f
    # Connected already: 02 real, 05 16-bit, 07 32-bit.
    mov $0x02, %ah
    cmp $2, %bl
    jb 2f
    mov $0x05, %ah
    je 2f
    mov $0x07, %ah
2:  mov $1, %bx                 # no driver version
    jmp apm_finish
1:  or %al, B_APM
    movw $0x0101, B_APM_VERSION
    cmp $0x02, %al
    jb 5f
    je 4f
    movw $0xf000, R_AX(%bp)
    movl $(apm_entry_32 - F), R_EBX(%bp)
    movw $0xf000, R_CX(%bp)
    movw $BDA, R_DX(%bp)
    movl $0xffffffff, R_ESI(%bp)
    movw $0x0100, R_DI(%bp)
    caller_cf 0
    ret
4:  movw $0xf000, R_AX(%bp)
    movw $(apm_entry_16 - F), R_BX(%bp)
    movw $BDA, R_CX(%bp)
    movw $0xffff, R_SI(%bp)
    movw $0x0100, R_DI(%bp)
    caller_cf 0
    ret
5:  jmp int15_ok

# 16-bit protected mode: a far call; the data selector follows ours.
proc apm_entry_16
    push %ds
    push %ax
    mov %cs, %ax
    add $8, %ax
    mov %ax, %ds
    pop %ax
    call apm_service_16
    pop %ds
    lretw

    .code32
    apm_service 32
# 32-bit protected mode: the data selector is the second behind ours.
proc apm_entry_32
    push %ds
    push %eax
    mov %cs, %eax
    add $16, %eax
    mov %eax, %ds
    pop %eax
    call apm_service_32
    pop %ds
    lretl
    .code16
"##
    };
}
pub(crate) use text;
