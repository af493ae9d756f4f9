//! The keyboard: controller and keyboard at power-on, INT 09h, INT 16h.
//!
//! Facts: IBM PC AT Technical Reference and IBM PS/2 BIOS Interface Technical Reference, "INT 09h",
//! "INT 16h". Keys that a 84-key keyboard lacks stand in the buffer with character E0h or F0h;
//! functions 00h and 01h translate or skip them, 10h/11h and 20h/21h show them.
//!
//! One file because INT 09h and INT 16h share the buffer and the key tables.

macro_rules! text {
    () => {
        r##"
# ---- the 8042
# Waits until a command or data byte may be written. CF: time is up.
proc kbc_wait_input
    push %ax
    push %cx
    mov $0x2000, %cx
1:  in $0x64, %al
    test $0x02, %al
    jz 2f                       # CF is clear
    call refresh_edge
    loop 1b
    stc
2:  pop %cx
    pop %ax
    ret
# AL := next byte of the output buffer, within CX * 15 us. CF: there was none. CX is lost.
proc kbc_read
1:  in $0x64, %al
    test $0x01, %al
    jnz 2f
    call refresh_edge
    loop 1b
    stc
    ret
2:  in $0x60, %al
    clc
    ret
# Command AL.
proc kbc_command
    call kbc_wait_input
    out %al, $0x64
    ret
# Data AL.
proc kbc_data
    call kbc_wait_input
    out %al, $0x60
    ret
# Drops what is in the output buffer.
proc kbc_flush
    push %ax
    push %cx
    mov $64, %cx
1:  in $0x64, %al
    test $0x01, %al
    jz 2f
    in $0x60, %al
    call refresh_edge
    loop 1b
2:  pop %cx
    pop %ax
    ret
# AL := command byte; CF: no answer.
proc kbc_get_mode
    push %cx
    mov $0x20, %al
    call kbc_command
    mov $0x2000, %cx
    call kbc_read
    pop %cx
    ret
# Command byte := AL.
proc kbc_set_mode
    push %ax
    mov $0x60, %al
    call kbc_command
    pop %ax
    jmp kbc_data

proc keyboard_controller_init
    es_ebda
    mov $0xad, %al
    call kbc_command
    mov $0xa7, %al
    call kbc_command
    call kbc_flush
    mov $0xaa, %al              # self-test
    call kbc_command
    mov $0xffff, %cx
    call kbc_read
    jc 9f
    cmp $0x55, %al
    jne 9f
    mov $0xab, %al              # keyboard interface test
    call kbc_command
    mov $0x4000, %cx
    call kbc_read
    jc 9f
    test %al, %al
    jnz 9f
    # A second port shows in the command byte: its disable bit follows A8h and A7h.
    mov $0xa8, %al
    call kbc_command
    call kbc_get_mode
    test $0x20, %al
    jnz 1f
    mov $0xa7, %al
    call kbc_command
    call kbc_get_mode
    test $0x20, %al
    jz 1f
    orb $F_AUX, %es:E_FLAGS
1:  mov $0x74, %al              # both disabled, no interrupts, translation, system flag
    call kbc_set_mode
    jmp a20_close_keyboard      # from here on port 92h alone holds A20 open
9:  mov $(message_kbc - F), %si
    call debug_puts
    ret
message_kbc:
    .asciz "keyboard controller: self-test failed\n"
message_keyboard:
    .asciz "Keyboard not found\n"

# Resets the keyboard and opens its interrupt.
proc keyboard_init
    pushfw
    cli
    mov $0x64, %al              # keyboard clock on
    call kbc_set_mode
    mov $0xff, %al
    call keyboard_send
    jc 1f
    mov $0xffff, %cx            # basic assurance test: up to 1 s
    call kbc_read
    jc 1f
    cmp $0xaa, %al
    jne 1f
    mov $0xf4, %al
    call keyboard_send
    jmp 2f
1:  print message_keyboard
2:  mov $0x65, %al
    call kbc_set_mode
    popfw
    ret

# Sends AL to the keyboard and waits for its acknowledge. CF: none. Interrupts are off in the caller.
proc keyboard_send
    push %cx
    push %dx
    mov $3, %dl
    mov %al, %dh
1:  mov %dh, %al
    call kbc_data
    mov $0x2000, %cx
    call kbc_read
    jc 3f
    cmp $0xfa, %al
    je 2f
    cmp $0xfe, %al
    stc
    jne 3f
    dec %dl
    jnz 1b
    stc
    jmp 3f
2:  clc
3:  pop %dx
    pop %cx
    ret

# Shows the lock state on the keyboard's lamps if it has changed. DS = BIOS data area, interrupts off.
proc leds_update
    mov B_SHIFT1, %al
    shr $4, %al
    and $0x07, %al
    mov B_LEDS, %ah
    and $0x07, %ah
    cmp %al, %ah
    je 9f
    testb $0x40, B_LEDS
    jnz 9f
    orb $0x40, B_LEDS
    push %ax
    mov $0xed, %al
    call keyboard_send
    pop %ax
    jc 1f
    andb $0xf8, B_LEDS
    or %al, B_LEDS
    call keyboard_send
    jnc 2f
1:  orb $0x80, B_LEDS
2:  andb $0xbf, B_LEDS
9:  ret

# ---- INT 09h
proc int09_body
    pushal
    push %ds
    push %es
    cld
    ds_bda
    in $0x64, %al
    test $0x01, %al
    jz key_eoi
    in $0x60, %al
    mov $0x4f, %ah
    stc
    int $0x15
    jnc key_eoi
    mov $BDA, %bx
    mov %bx, %ds
    cmp $0xfa, %al
    jne 1f
    orb $0x10, B_LEDS
    jmp key_eoi
1:  cmp $0xfe, %al
    jne 1f
    orb $0x20, B_LEDS
    jmp key_eoi
1:  cmp $0xe0, %al
    jne 1f
    orb $0x02, B_SHIFT3
    jmp key_eoi
1:  cmp $0xe1, %al
    jne 1f
    orb $0x01, B_SHIFT3
    jmp key_eoi
1:  cmp $0xff, %al
    je key_overrun
    test %al, %al
    jz key_overrun
    # BL: key number, BH: bit 1 an E0 key, AL bit 7: released.
    mov %al, %bl
    and $0x7f, %bl
    mov B_SHIFT3, %bh
    and $0x03, %bh
    andb $0xfd, B_SHIFT3
    test $0x01, %bh
    jz 2f
    # E1 1D 45 E1 9D C5: the pause key.
    cmp $0x1d, %bl
    je key_eoi
    andb $0xfe, B_SHIFT3
    cmp $0x45, %al
    je key_pause
    jmp key_eoi
2:  test $0x02, %bh
    jz 3f
    cmp $0x2a, %bl              # the keyboard's own shifts around E0 keys
    je key_eoi
    cmp $0x36, %bl
    je key_eoi
    # Shift state.
3:  mov $0x02, %ah
    cmp $0x2a, %bl
    je key_shift
    mov $0x01, %ah
    cmp $0x36, %bl
    je key_shift
    cmp $0x1d, %bl
    je key_ctrl
    cmp $0x38, %bl
    je key_alt
    mov $0x40, %ah
    cmp $0x3a, %bl
    je key_lock
    cmp $0x45, %bl
    je key_num
    cmp $0x46, %bl
    je key_scroll
    cmp $0x54, %bl
    je key_sysreq
    cmp $0x52, %bl
    je key_insert
key_typed:
    test %al, %al
    js key_done                 # released
    testb $0x08, B_SHIFT2       # paused: any key goes on and is swallowed
    jz 5f
    andb $0xf7, B_SHIFT2
    jmp key_eoi
5:  mov B_SHIFT1, %ah
    cmp $0x53, %bl
    jne 6f
    and $0x0c, %ah
    cmp $0x0c, %ah
    je key_reboot
    mov B_SHIFT1, %ah
6:  cmp $0x37, %bl
    jne 7f
    test $0x02, %bh
    jz 7f
    test $0x0c, %ah
    jnz 7f
    # Print screen.
    mov $0x20, %al
    out %al, $0x20
    sti
    int $0x05
    jmp key_return
7:  # Alt and the digits of the keypad make a character by its number.
    test $0x08, %ah
    jz 9f
    test $0x02, %bh
    jnz 8f
    cmp $0x47, %bl
    jb 8f
    cmp $0x53, %bl
    jae 8f
    movzx %bl, %si
    mov %cs:(keypad_digits - F - 0x47)(%si), %cl
    cmp $10, %cl
    jae 8f
    mov B_ALT_NUMBER, %al
    mov $10, %ch
    mul %ch
    add %cl, %al
    mov %al, B_ALT_NUMBER
    jmp key_done
8:  movb $0, B_ALT_NUMBER
9:  call key_translate          # AX; CF: no key
    jc key_done
    call key_eoi_now
    call key_store
    jc key_full
    mov $0x9102, %ax
    sti
    int $0x15
    jmp key_return
key_full:
    call beep
    jmp key_return
key_overrun:
    call key_eoi_now
    call beep
    jmp key_return

key_shift:
    test %al, %al
    js 1f
    or %ah, B_SHIFT1
    jmp key_done
1:  not %ah
    and %ah, B_SHIFT1
    jmp key_done

key_ctrl:
    mov $0x0401, %cx            # CH: bit in 40:96 and 40:17, CL: bit in 40:18
    jmp 1f
key_alt:
    mov $0x0802, %cx
1:  test $0x02, %bh
    jnz 3f
    test %al, %al
    js 2f
    or %cl, B_SHIFT2
    jmp 5f
2:  not %cl
    and %cl, B_SHIFT2
    not %cl
    jmp 5f
3:  test %al, %al
    js 4f
    or %ch, B_SHIFT3
    jmp 5f
4:  not %ch
    and %ch, B_SHIFT3
    not %ch
5:  # Pressed is the left or the right one.
    not %ch
    and %ch, B_SHIFT1
    not %ch
    test %cl, B_SHIFT2
    jnz 6f
    test %ch, B_SHIFT3
    jz 7f
6:  or %ch, B_SHIFT1
    jmp key_done
7:  cmp $0x38, %bl
    jne key_done
    # Alt is up: the number typed on the keypad becomes a character.
    xor %ax, %ax
    xchg B_ALT_NUMBER, %al
    test %al, %al
    jz key_done
    call key_eoi_now
    call key_store
    jc key_full
    jmp key_return

key_num:
    testb $0x04, B_SHIFT1       # Ctrl and NumLock: pause, as on the 84-key keyboard
    jz 1f
    test %al, %al
    jns key_pause
1:  mov $0x20, %ah
    jmp key_lock
key_scroll:
    test $0x02, %bh
    jnz 1f
    testb $0x04, B_SHIFT1
    jz 2f
1:  test %al, %al
    js key_done
    jmp key_break
2:  mov $0x10, %ah
key_lock:
    test %al, %al
    js 1f
    test %ah, B_SHIFT2
    jnz key_done                # it repeats
    or %ah, B_SHIFT2
    xor %ah, B_SHIFT1
    call leds_update
    jmp key_done
1:  not %ah
    and %ah, B_SHIFT2
    jmp key_done

# Insert toggles its state unless it types a digit.
key_insert:
    test %al, %al
    js 3f
    mov B_SHIFT1, %ah
    test $0x0c, %ah
    jnz key_typed
    test $0x02, %bh
    jnz 2f
    test $0x20, %ah             # num lock xor shift: a digit
    jz 1f
    test $0x03, %ah
    jz key_typed
    jmp 2f
1:  test $0x03, %ah
    jnz key_typed
2:  testb $0x80, B_SHIFT2
    jnz key_typed
    orb $0x80, B_SHIFT2
    xorb $0x80, B_SHIFT1
    jmp key_typed
3:  andb $0x7f, B_SHIFT2
    jmp key_done

key_sysreq:
    mov $0x8500, %cx
    test %al, %al
    jns 1f
    andb $0xfb, B_SHIFT2
    inc %cx
    jmp 2f
1:  testb $0x04, B_SHIFT2
    jnz key_done
    orb $0x04, B_SHIFT2
2:  call key_eoi_now
    mov %cx, %ax
    sti
    int $0x15
    jmp key_return

key_break:
    mov B_KEY_START, %ax
    mov %ax, B_KEY_HEAD
    mov %ax, B_KEY_TAIL
    movb $0x80, B_BREAK
    call key_eoi_now
    sti
    int $0x1b
    ds_bda
    xor %ax, %ax
    call key_store
    jmp key_return

key_pause:
    testb $0x08, B_SHIFT2
    jnz key_done
    orb $0x08, B_SHIFT2
    call key_eoi_now
1:  sti
    hlt
    cli
    testb $0x08, B_SHIFT2
    jnz 1b
    jmp key_return

key_reboot:
    movw $0x1234, B_WARM
    jmp reset_board

key_done:
key_eoi:
    call key_eoi_now
key_return:
    pop %es
    pop %ds
    popal
    iretw

key_eoi_now:
    push %ax
    mov $0x20, %al
    out %al, $0x20
    pop %ax
    ret

# AX := what key BL (BH bit 1: E0) types in the present shift state. CF: nothing.
proc key_translate
    mov B_SHIFT1, %ah
    test $0x02, %bh
    jz 3f
    # The keys that only the 101-key keyboard has.
    mov $(keymap_e0 - F), %si
1:  mov %cs:(%si), %al
    test %al, %al
    jz 8f
    cmp %al, %bl
    je 2f
    add $9, %si
    jmp 1b
2:  inc %si
    jmp 5f
3:  cmp $0x58, %bl
    ja 8f
    movzx %bl, %si
    shl $3, %si
    add $(keymap - F), %si
    # Caps lock and num lock turn the shift over for letters and keypad.
    mov %ah, %al
    cmp $0x47, %bl
    jb 4f
    cmp $0x53, %bl
    ja 5f
    test $0x20, %al
    jz 5f
    jmp 6f
4:  test $0x40, %al
    jz 5f
    mov %cs:(%si), %al          # a letter in the first column
    cmp $'a', %al
    jb 5f
    cmp $'z', %al
    ja 5f
6:  test $0x0c, %ah
    jnz 5f
    test $0x03, %ah
    jnz 7f
    add $2, %si
    jmp 7f
5:  test $0x08, %ah
    jz 1f
    add $6, %si
    jmp 7f
1:  test $0x04, %ah
    jz 2f
    add $4, %si
    jmp 7f
2:  test $0x03, %ah
    jz 7f
    add $2, %si
7:  mov %cs:(%si), %ax
    cmp $0xffff, %ax
    je 8f
    clc
    ret
8:  stc
    ret

# AX into the buffer. CF: it is full. DS = BIOS data area.
proc key_store
    push %bx
    push %si
    pushfw
    cli
    mov B_KEY_TAIL, %bx
    mov %bx, %si
    call key_next
    cmp B_KEY_HEAD, %bx
    je 1f
    mov %ax, (%si)
    mov %bx, B_KEY_TAIL
    popfw
    pop %si
    pop %bx
    clc
    ret
1:  popfw
    pop %si
    pop %bx
    stc
    ret
# BX := the place behind BX in the buffer.
key_next:
    add $2, %bx
    cmp B_KEY_END, %bx
    jb 1f
    mov B_KEY_START, %bx
1:  ret

# ---- INT 16h
proc int16_body
    sti
    frame
    ds_bda
    movzbw R_AH(%bp), %bx
    mov $(int16_table - F), %si
1:  mov %cs:(%si), %al
    cmp $0xff, %al
    je 2f
    cmp %al, %bl
    je 3f
    add $3, %si
    jmp 1b
3:  call *%cs:1(%si)
2:  unframe_iret
int16_table:
    .byte 0x00
    .word int16_00 - F
    .byte 0x01
    .word int16_01 - F
    .byte 0x02
    .word int16_02 - F
    .byte 0x03
    .word int16_03 - F
    .byte 0x05
    .word int16_05 - F
    .byte 0x09
    .word int16_09 - F
    .byte 0x0a
    .word int16_0a - F
    .byte 0x10
    .word int16_10 - F
    .byte 0x11
    .word int16_11 - F
    .byte 0x12
    .word int16_12 - F
    .byte 0x20
    .word int16_10 - F
    .byte 0x21
    .word int16_11 - F
    .byte 0x22
    .word int16_12 - F
    .byte 0xff

# AX := oldest key, still in the buffer, BX its place. ZF: none. Interrupts are off then.
key_peek:
    cli
    mov B_KEY_HEAD, %bx
    cmp B_KEY_TAIL, %bx
    je 1f
    mov (%bx), %ax
1:  ret
# Takes the key at BX out.
key_take:
    call key_next
    mov %bx, B_KEY_HEAD
    sti
    ret
# Waits for a key: AX.
key_wait:
    call key_peek
    jne 3f
    sti
    mov $0x9002, %ax
    int $0x15
1:  call key_peek
    jne 3f
    sti
    hlt
    jmp 1b
3:  jmp key_take

int16_10:
    call key_wait
    call key_enhanced
    mov %ax, R_AX(%bp)
    ret
# Keys marked F0h type no character.
key_enhanced:
    cmp $0xf0, %al
    jne 1f
    test %ah, %ah
    jz 1f
    xor %al, %al
1:  ret
int16_11:
    call key_peek
    sti
    je 1f
    call key_enhanced
    mov %ax, R_AX(%bp)
    andb $0xbf, R_FLAGS(%bp)
    ret
1:  orb $0x40, R_FLAGS(%bp)
    ret

int16_00:
    call key_wait
    call key_classic
    jc int16_00
    mov %ax, R_AX(%bp)
    ret
int16_01:
    call key_peek
    je 1f
    call key_classic
    jc 2f
    sti
    mov %ax, R_AX(%bp)
    andb $0xbf, R_FLAGS(%bp)
    ret
1:  sti
    orb $0x40, R_FLAGS(%bp)
    ret
2:  call key_take               # a key that the 84-key keyboard lacks
    jmp int16_01

# The key AX as the 84-key keyboard has it. CF: it has no such key.
key_classic:
    cmp $0xe0, %ah              # Enter and / of the keypad
    jne 2f
    mov $0x1c, %ah
    cmp $0x0d, %al
    je 8f
    cmp $0x0a, %al
    je 8f
    mov $0x35, %ah
    jmp 8f
2:  cmp $0x84, %ah
    ja 9f
    cmp $0xf0, %al
    jne 3f
    test %ah, %ah               # Alt 240 types the character F0h
    jnz 9f
3:  cmp $0xe0, %al
    jne 8f
    test %ah, %ah
    jz 8f
    xor %al, %al
8:  clc
    ret
9:  stc
    ret

int16_02:
    mov B_SHIFT1, %al
    mov %al, R_AL(%bp)
    ret
int16_12:
    mov B_SHIFT1, %al
    mov %al, R_AL(%bp)
    mov B_SHIFT2, %al
    mov %al, %ah
    and $0x73, %al
    and $0x04, %ah              # system request to bit 7
    shl $5, %ah
    or %ah, %al
    mov B_SHIFT3, %ah
    and $0x0c, %ah
    or %ah, %al
    mov %al, R_AH(%bp)
    ret
# Typematic rate (BL) and delay (BH).
int16_03:
    cmpb $0x05, R_AL(%bp)
    jne 1f
    mov R_BX(%bp), %bx
    test $0xe0, %bl
    jnz 1f
    test $0xfc, %bh
    jnz 1f
    shl $5, %bh
    or %bh, %bl
    cli
    mov $0xf3, %al
    call keyboard_send
    jc 2f
    mov %bl, %al
    call keyboard_send
2:  sti
1:  ret
int16_05:
    mov R_CX(%bp), %ax
    call key_store
    setc %al
    mov %al, R_AL(%bp)
    ret
# What there is: 0305h, 0Ah, 10h-12h, 20h-22h.
int16_09:
    movb $0x74, R_AL(%bp)
    ret
# Keyboard ID.
int16_0a:
    movw $0, R_BX(%bp)
    cli
    mov $0xf2, %al
    call keyboard_send
    jc 1f
    mov $0x400, %cx
    call kbc_read
    jc 1f
    mov %al, R_BL(%bp)
    mov $0x400, %cx
    call kbc_read
    jc 1f
    mov %al, R_BH(%bp)
1:  sti
    ret

# Resets the whole board: keyboard controller, then PIIX3 reset control, then a shutdown of the CPU.
proc reset_board
    cli
    xor %ah, %ah
    mov $0x0f, %al
    call cmos_write
    mov $0x02, %al
    mov $0xcf9, %dx
    out %al, %dx
    mov $0x06, %al
    out %al, %dx
    call kbc_wait_input
    mov $0xfe, %al
    out %al, $0x64
    mov $500, %cx
    call delay_ms
    lidtl %cs:(null_idt - F)
    int3
1:  hlt
    jmp 1b
null_idt:
    .word 0
    .long 0
"##
    };
}
pub(crate) use text;
