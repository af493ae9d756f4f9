//! Entry points at their classical addresses.

macro_rules! text {
    () => {
        r##"
.org F + 0xe05b
post:
    rom_symbol system, post
    mov $0x402, %dx
    mov $'B', %al
    out %al, %dx
1:  hlt
    jmp 1b
.org F + 0xfff0
reset_vector:
    .byte 0xea
    .word post - F, 0xf000
    .ascii "11/21/26"
    .byte 0
    .byte 0xfc
    .byte 0
"##
    };
}
pub(crate) use text;
