//! Page C: a tune on the speaker.

macro_rules! text {
    () => {
        r##"
speaker:
    movw $(speaker_title-D), %si
    callw page
    movw $(speaker_text-D), %si
    callw print
    movw $(speaker_running-D), %si
    callw status
    callw flush
    movw $(tune-D), %si
    movb $6, %ch                   # column of the note
1:  lodsb                          # index of the note, FFh ends
    cmpb $0xff, %al
    je 9f
    movzbw %al, %bx
    lodsb
    movb %al, %cl                  # ticks
    # A bar as high as the note.
    movb $21, %al
    subb %bl, %al
    movb %al, row-D
    movb $attr_value, attribute-D
2:  movb %ch, column-D
    movb $0xdb, %al
    callw put
    incb row-D
    cmpb $22, row-D
    jb 2b
    movb %ch, column-D
    movb $attr_key, attribute-D
    movb note_names-D(%bx), %al
    callw put
    # PIT channel 2, mode 3, gated and led to the speaker by port 61h, bits 0 and 1.
    addw %bx, %bx
    movb $0xb6, %al
    outb %al, $0x43
    movw note_divisors-D(%bx), %ax
    outb %al, $0x42
    movb %ah, %al
    outb %al, $0x42
    inb $0x61, %al
    orb $3, %al
    outb %al, $0x61
    pushw %cx
    movzbw %cl, %cx
    decw %cx
    callw ticks
    inb $0x61, %al
    andb $0xfc, %al
    outb %al, $0x61
    movw $1, %cx
    callw ticks
    popw %cx
    addb $2, %ch
    callw key_waits
    jc 1b
9:  jmp pause

# 1193182 Hz / frequency, C4 to C5.
note_divisors: .word 4560, 4063, 3619, 3416, 3044, 2712, 2416, 2280
note_names: .ascii "CDEFGABC"
tune:
    .byte 2,5, 2,5, 3,5, 4,5, 4,5, 3,5, 2,5, 1,5, 0,5, 0,5, 1,5, 2,5, 2,7, 1,3, 1,9
    .byte 2,5, 2,5, 3,5, 4,5, 4,5, 3,5, 2,5, 1,5, 0,5, 0,5, 1,5, 2,5, 1,7, 0,3, 0,9
    .byte 0xff
speaker_title: .asciz "Speaker"
speaker_running: .asciz "It ends by itself, or with a key."
speaker_text:
    .ascii "The third counter of the interval timer drives the speaker: a square wave of\n"
    .ascii "1193182 Hz divided by what it is given. A note is nothing but a divisor,\n"
    .asciz "here of Beethoven's Ode to Joy. Counter 0 tells how long each one lasts.\n"
"##
    };
}
pub(crate) use text;
