//! Tables that the firmware hands over: BIOS32 directory, PnP structure, PCI interrupt routing, SMBIOS, and
//! what POST fills into them. ACPI tables come from the machine (file `acpi`).
//!
//! Documents: Standard BIOS 32-bit Service Directory Proposal 0.4; Plug and Play BIOS Specification 1.0A;
//! PCI IRQ Routing Table Specification 1.0 (Microsoft); SMBIOS Reference Specification 2.4.
//!
//! Tables of boards with PCI carry a blank signature in the ROM; POST writes it into the shadow RAM where
//! PCI was found.
//!
//! **Not implemented**: PnP device nodes (every function answers 82h, not supported), SMBIOS types beyond
//! 0, 1, 3, 4, 16, 17, 19, 32, 127.

macro_rules! text {
    () => {
        r##"
.balign 16
bios32_structure:
    .ascii "    "               # _32_
    .long 0xf0000 + (bios32_directory - F)
    .byte 0, 1, 0
    .byte 0, 0, 0, 0, 0
bios32_structure_end:

.balign 16
proc pnp_structure
    .ascii "$PnP"
    .byte 0x10, 0x21
    .word 0x0000                # no event notification
    .byte 0
    .long 0
    .word pnp_entry_16 - F, 0xf000
    .word pnp_entry_16 - F
    .long 0xf0000
    .long 0                     # OEM device
    .word 0xf000
    .long 0xf0000
pnp_structure_end:
    rom_checksum system, pnp_structure, pnp_structure_end, pnp_structure + 8
# Real mode and 16-bit protected mode: a far call.
proc pnp_entry_16
    mov $0x82, %ax
    lretw

.balign 16
pir_table:
    .ascii "    "               # $PIR
    .word 0x0100
    .word pir_table_end - pir_table
    .byte 0, 1 * 8              # router: the PIIX3, 0:1.0
    .word 0x0c00                # IRQ 10 and 11 are PCI's alone
    .word 0x8086, 0x122e        # compatible with the PIIX
    .long 0
    .skip 11
    .byte 0
pir_slots:
# Slot n, pin p: PIRQ (n - 1 + p) mod 4.
.set pir_slot, 1
.rept 31
    .byte 0, pir_slot * 8
    .byte 0x60 + ((pir_slot + 3) & 3)
    .word 0xdef8
    .byte 0x60 + ((pir_slot + 0) & 3)
    .word 0xdef8
    .byte 0x60 + ((pir_slot + 1) & 3)
    .word 0xdef8
    .byte 0x60 + ((pir_slot + 2) & 3)
    .word 0xdef8
    .byte pir_slot - 1, 0
    .set pir_slot, pir_slot + 1
.endr
pir_slots_end:
pir_table_end:

# ---- SMBIOS
.balign 16
smbios_entry:
    .ascii "_SM_"
    .byte 0                     # checksum
    .byte smbios_entry_end - smbios_entry
    .byte 2, 4
    .word 64                    # longest structure, with room
    .byte 0, 0, 0, 0, 0, 0
smbios_dmi:
    .ascii "_DMI_"
    .byte 0
    .word smbios_table_end - smbios_table
    .long 0xf0000 + (smbios_table - F)
    .word 9
    .byte 0x24
smbios_entry_end:
    rom_checksum system, smbios_dmi, smbios_entry_end, smbios_dmi + 5
    rom_checksum system, smbios_entry, smbios_entry_end, smbios_entry + 4
smbios_table:
    # Type 0: BIOS.
    .byte 0, 24
    .word 0x0000
    .byte 1, 2
    .word 0xf000
    .byte 3, 0                  # date, size (n + 1) * 64 KiB
    .quad 0x0000000000018890    # PCI, PnP... see below
    .byte 0, 0
    .byte 0, 1, 0xff, 0xff
    .asciz "Boxwood"
    .asciz "0.1"
    .asciz "11/21/2026"
    .byte 0
    # Type 1: system.
    .byte 1, 27
    .word 0x0100
    .byte 1, 2, 3, 0
    .skip 16
    .byte 6, 0, 0               # woken by the power switch
    .asciz "Boxwood"
    .asciz "PC"
    .asciz "1"
    .byte 0
    # Type 3: chassis.
    .byte 3, 13
    .word 0x0300
    .byte 1, 1, 0, 0, 0, 3, 3, 3, 2
    .asciz "Boxwood"
    .byte 0
    # Type 4: processor.
    .byte 4, 35
    .word 0x0400
    .byte 1, 3, 1, 2
    .quad 0
    .byte 0, 0
    .word 0, 0, 0
    .byte 0x41, 1
    .word 0xffff, 0xffff, 0xffff
    .byte 0, 0, 0
    .asciz "CPU 0"
    .asciz "Boxwood"
    .byte 0
    # Type 16: memory array.
    .byte 16, 15
    .word 0x1000
    .byte 1, 3, 3
smbios_array_kib:
    .long 0x80000000
    .word 0xfffe, 1
    .byte 0, 0
    # Type 17: memory device.
    .byte 17, 27
    .word 0x1100
    .word 0x1000, 0xfffe
    .word 0xffff, 0xffff
smbios_device_mib:
    .word 0xffff
    .byte 9, 0, 1, 0, 7
    .word 0, 0
    .byte 0, 0, 0, 0
    .asciz "DIMM 0"
    .byte 0
    # Type 19: mapped addresses.
    .byte 19, 15
    .word 0x1300
    .long 0
smbios_mapped_end:
    .long 0
    .word 0x1000
    .byte 1
    .byte 0, 0
    # Type 32: boot status.
    .byte 32, 11
    .word 0x2000
    .skip 7
    .byte 0, 0
    # Type 127: end.
    .byte 127, 4
    .word 0x7f00
    .byte 0, 0
smbios_table_end:

# Tables with a blank signature: place, length, place of the checksum, needed flag, signature.
.macro hidden start, end, sum, flag, a, b
    .word \start - F, \end - \start, \sum - F, \flag
    .long \a, \b
.endm
    .balign 16                  # so that none of these signatures stands on a paragraph itself
hidden_tables:
    hidden bios32_structure, bios32_structure_end, bios32_structure + 10, F_PCI, 0x5f32335f, 0
    hidden pir_table, pir_table_end, pir_table + 31, F_PCI, 0x52495024, 0
    .word 0

# Fills in what depends on the machine. The image must stand in writable shadow RAM.
proc tables_finish
    es_ebda
    testb $F_PAM, %es:E_FLAGS
    jz 9f
    # Sizes of memory.
    mov %es:E_NVS_TOP, %eax
    test %eax, %eax
    jnz 1f
    mov %es:E_LOW_TOP, %eax
1:  shr $10, %eax
    mov %cs, %dx
    mov %dx, %ds
    mov %eax, smbios_array_kib - F
    mov %eax, smbios_mapped_end - F
    decl smbios_mapped_end - F
    shr $10, %eax
    cmp $0x7fff, %eax
    jae 2f
    mov %ax, smbios_device_mib - F
2:  # Signatures and checksums.
    mov $(hidden_tables - F), %si
4:  mov (%si), %di
    test %di, %di
    jz 9f
    mov %es:E_FLAGS, %al
    test %al, 6(%si)
    jz 8f
    mov 8(%si), %eax
    mov %eax, (%di)
    mov 12(%si), %eax
    test %eax, %eax
    jz 5f
    mov %eax, 4(%di)
5:  mov 4(%si), %bx
    movb $0, (%bx)
    mov 2(%si), %cx
    xor %al, %al
6:  add (%di), %al
    inc %di
    loop 6b
    neg %al
    mov %al, (%bx)
8:  add $16, %si
    jmp 4b
9:  ret
"##
    };
}
pub(crate) use text;
