//! Tables that the firmware hands over: BIOS32 directory, PnP structure, PCI interrupt routing, SMBIOS,
//! ACPI, and what POST fills into them.
//!
//! Documents: Standard BIOS 32-bit Service Directory Proposal 0.4; Plug and Play BIOS Specification 1.0A;
//! PCI IRQ Routing Table Specification 1.0 (Microsoft); SMBIOS Reference Specification 2.4; ACPI
//! Specification 1.0b.
//!
//! Tables of boards with PCI or power management carry a blank signature in the ROM; POST writes it into
//! the shadow RAM where that hardware was found.
//!
//! **Not implemented**: PnP device nodes (every function answers 82h, not supported), AML beyond
//! `\_S5` and the PCI root with its interrupt routing, SMBIOS types beyond 0, 1, 3, 4, 16, 17, 19, 32, 127.

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

# ---- ACPI
.macro acpi_header signature, end, start, revision
    .ascii "\signature"
    .long \end - \start
    .byte \revision, 0
    .ascii "BOXWD "
    .ascii "BOXWOODP"
    .long 1
    .ascii "BXWD"
    .long 1
.endm
# Package length (two bytes) of what ends at END; START is behind the length.
.macro aml_length start, end
    .byte 0x40 | ((\end - \start + 2) & 0x0f), (\end - \start + 2) >> 4
.endm
# Word address space descriptor: type 1 I/O, 2 bus numbers; fixed, produced, positively decoded.
.macro aml_word_range type, flags, first, last
    .byte 0x88, 0x0d, 0x00, \type, 0x0c, \flags
    .word 0, \first, \last, 0, \last - \first + 1
.endm
# Double word address space descriptor: memory, read and write.
.macro aml_dword_range first, last
    .byte 0x87, 0x17, 0x00, 0x00, 0x0c, 0x01
    .long 0, \first, \last, 0, \last - \first + 1
.endm
.balign 16
rsdp:
    .ascii "        "           # RSD PTR
    .byte 0
    .ascii "BOXWD "
    .byte 0
    .long 0xf0000 + (rsdt - F)
rsdp_end:
.balign 16
rsdt:
    acpi_header "RSDT", rsdt_end, rsdt, 1
    .long 0xf0000 + (fadt - F)
rsdt_end:
    rom_checksum system, rsdt, rsdt_end, rsdt + 9
.balign 16
fadt:
    acpi_header "FACP", fadt_end, fadt, 1
    .long 0                     # FACS: POST fills it in
    .long 0xf0000 + (dsdt - F)
    .byte 0, 0
    .word 9                     # SCI
    .long 0                     # no SMI command: the hardware is in ACPI mode
    .byte 0, 0, 0, 0
    .long PM_BASE, 0
    .long PM_BASE + 4, 0
    .long 0
    .long PM_BASE + 8
    .long 0, 0
    .byte 4, 2, 0, 4, 0, 0, 0, 0
    .word 0x0fff, 0x0fff        # no C2, no C3
    .word 0, 0
    .byte 0, 0
    .byte 0, 0, 0x32
    .byte 0, 0, 0
    .long 0x00000025            # WBINVD, C1, no fixed sleep button
fadt_end:
.balign 16
dsdt:
    acpi_header "DSDT", dsdt_end, dsdt, 1
    .byte 0x08                  # Name (\_S5, Package (4) {0, 0, 0, 0})
    .ascii "_S5_"
    .byte 0x12, 0x06, 0x04, 0x00, 0x00, 0x00, 0x00
    .byte 0x10                  # Scope (\_SB)
    aml_length aml_sb, aml_sb_end
aml_sb:
    .ascii "\\_SB_"
    .byte 0x5b, 0x82            # Device (PCI0)
    aml_length aml_pci0, aml_sb_end
aml_pci0:
    .ascii "PCI0"
    .byte 0x08                  # Name (_HID, EisaId ("PNP0A03"))
    .ascii "_HID"
    .byte 0x0c, 0x41, 0xd0, 0x0a, 0x03
    .byte 0x08                  # Name (_ADR, 0)
    .ascii "_ADR"
    .byte 0x00
    .byte 0x08                  # Name (_CRS, ResourceTemplate () {..})
    .ascii "_CRS"
    .byte 0x11
    aml_length aml_crs, aml_crs_end
aml_crs:
    .byte 0x0a, aml_crs_end - aml_crs_data
aml_crs_data:
    aml_word_range 2, 0x00, 0x0000, 0x00ff # buses
    .byte 0x47, 0x01, 0xf8, 0x0c, 0xf8, 0x0c, 0x01, 0x08 # the bridge's own ports
    aml_word_range 1, 0x03, 0x0000, 0x0cf7
    aml_word_range 1, 0x03, 0x0d00, 0xffff
    aml_dword_range 0x000a0000, 0x000bffff
    aml_dword_range PCI_MEM_START, PCI_MEM_END - 1
    .byte 0x79, 0x00
aml_crs_end:
    .byte 0x08                  # Name (_PRT, Package (124) {..})
    .ascii "_PRT"
    .byte 0x12
    aml_length aml_prt, aml_sb_end
aml_prt:
    .byte 31 * 4
# Slot n, pin p: PIRQ (n - 1 + p) mod 4; PIRQA and B are IRQ 10, C and D IRQ 11 (pirq_irqs).
.set aml_slot, 1
.rept 31
    .set aml_pin, 0
    .rept 4
    .byte 0x12, 0x0c, 0x04
    .byte 0x0c
    .word 0xffff, aml_slot
    .byte 0x0a, aml_pin, 0x00
    .byte 0x0a, 10 + (((aml_slot + 3 + aml_pin) >> 1) & 1)
    .set aml_pin, aml_pin + 1
    .endr
    .set aml_slot, aml_slot + 1
.endr
aml_sb_end:
dsdt_end:
    rom_checksum system, dsdt, dsdt_end, dsdt + 9

# Tables with a blank signature: place, length, place of the checksum, needed flag, signature.
.macro hidden start, end, sum, flag, a, b
    .word \start - F, \end - \start, \sum - F, \flag
    .long \a, \b
.endm
hidden_tables:
    hidden bios32_structure, bios32_structure_end, bios32_structure + 10, F_PCI, 0x5f32335f, 0
    hidden pir_table, pir_table_end, pir_table + 31, F_PCI, 0x52495024, 0
    hidden rsdp, rsdp_end, rsdp + 8, F_PM, 0x20445352, 0x20525450
    hidden fadt, fadt_end, fadt + 9, F_PM, 0x50434146, 0
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
2:  # FACS at the beginning of the NVS area.
    cmpl $0, %es:E_NVS_TOP
    je 3f
    mov %es:E_LOW_TOP, %edi
    mov %edi, fadt + 36 - F
    push %ds
    push %es
    call flat_segments
    push %edi
    mov $0x4000, %ecx
    xor %eax, %eax
    cld
    rep stosl %eax, %es:(%edi)
    pop %edi
    movl $0x53434146, (%edi)    # "FACS"
    movl $64, 4(%edi)
    call normal_segments
    pop %es
    pop %ds
3:  # Signatures and checksums.
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
