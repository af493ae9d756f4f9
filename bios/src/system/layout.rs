//! Names of the places in memory that the firmware and its callers share, and the macros of the other
//! files.
//!
//! The BIOS data area at 0040:0000 follows the IBM PC AT Technical Reference and the IBM PS/2 BIOS
//! Interface Technical Reference ("BIOS data area"). The extended BIOS data area is the last KiB
//! below 640 KiB: its bytes 00h and 22h-2Fh and the drive tables at 3Dh follow the same book, the
//! rest is ours.

macro_rules! text {
    () => {
        r##"
# ---- BIOS data area, offsets in segment 0040h
.set BDA, 0x40
.set B_COM, 0x00
.set B_LPT, 0x08
.set B_EBDA, 0x0e
.set B_EQUIPMENT, 0x10
.set B_MEMORY_KB, 0x13
.set B_SHIFT1, 0x17
.set B_SHIFT2, 0x18
.set B_ALT_NUMBER, 0x19
.set B_KEY_HEAD, 0x1a
.set B_KEY_TAIL, 0x1c
.set B_KEY_BUFFER, 0x1e
.set B_FD_CALIBRATED, 0x3e
.set B_FD_MOTOR, 0x3f
.set B_FD_TIMEOUT, 0x40
.set B_FD_STATUS, 0x41
.set B_FD_RESULT, 0x42
.set B_CRT_BASE, 0x63
.set B_RESUME, 0x67
.set B_TICKS, 0x6c
.set B_MIDNIGHT, 0x70
.set B_BREAK, 0x71
.set B_WARM, 0x72
.set B_HD_STATUS, 0x74
.set B_HD_COUNT, 0x75
.set B_LPT_TIMEOUT, 0x78
.set B_COM_TIMEOUT, 0x7c
.set B_KEY_START, 0x80
.set B_KEY_END, 0x82
.set B_FD_RATE, 0x8b
.set B_HD_INTERRUPT, 0x8e
.set B_FD_INFO, 0x8f
.set B_FD_MEDIA, 0x90
.set B_FD_CYLINDER, 0x94
.set B_SHIFT3, 0x96
.set B_LEDS, 0x97
.set B_WAIT_FLAG_PTR, 0x98
.set B_WAIT_COUNT, 0x9c
.set B_WAIT_ACTIVE, 0xa0
.set B_APM, 0xac                # reserved in the books; bit 0 interface connected, bit 1 engaged
.set B_APM_VERSION, 0xae        # version that the driver agreed to, BCD
.set B_PRTSC, 0x100             # 0050:0000

# ---- extended BIOS data area
.set EBDA_SEGMENT, 0x9fc0
.set EBDA_KB, 1
.set E_SIZE, 0x00
.set E_MOUSE_HANDLER, 0x22      # far pointer
.set E_MOUSE_INDEX, 0x26        # bits 0-2: bytes of the packet received; bit 7: handler... see mouse.rs
.set E_MOUSE_FLAGS, 0x27        # bits 0-2: packet size - 1; bit 7: handler installed
.set E_MOUSE_PACKET, 0x28       # 8 bytes
.set E_FDPT0, 0x3d              # fixed disk parameter tables, 16 bytes each
.set E_FDPT1, 0x4d
.set E_LOW_TOP, 0x60            # dword: end of RAM below 4 GiB
.set E_HIGH_BLOCKS, 0x64        # dword: 64 KiB blocks of RAM above 4 GiB
.set E_FLAGS, 0x68              # see F_*
.set E_LAST_BUS, 0x69
.set E_BOOT_DRIVE, 0x6a
.set E_FAULT, 0x6b               # an exception was reported
.set E_NVS_TOP, 0x6c            # dword: end of the ACPI NVS area that begins at E_LOW_TOP, or 0
.set E_IDE_BDF, 0xb4              # word: the PCI IDE controller (F_IO32)
.set E_XFER, 0xb0               # far pointer of the caller's buffer, moved on by each sector
.set E_CD, 0x70                 # El Torito emulation, see C_*
.set E_DRIVES, 0xc0             # four ATA devices of D_SIZE bytes
.set E_HD_MAP, 0x140            # four bytes: device index of BIOS drives 80h-83h, FFh: none
.set E_CD_MAP, 0x144            # four bytes: device index of CD drives E0h-E3h
.set E_CD_COUNT, 0x148
.set E_PACKET, 0x150            # 12 bytes of ATAPI packet
.set E_SENSE, 0x160             # 18 bytes of sense data
.set E_DPTE, 0x180              # device parameter table extensions, 16 bytes a device
.set E_BEV_COUNT, 0x1c0
.set E_BEV, 0x1c4               # boot entry vectors: far pointer, far pointer of the name; 8 bytes, up to 8
.set E_TRIED, 0x210             # reasons why boot devices failed, by device kind
.set E_END, 0x400

.set F_PAM, 0x01                # i440FX with PAM registers: shadow RAM is in use
.set F_PCI, 0x02
.set F_PM, 0x04                 # PIIX4 power management at PM_BASE
.set F_DEBUG_402, 0x08
.set F_DEBUG_E9, 0x10
.set F_VIDEO, 0x20
.set F_AUX, 0x40                # a PS/2 mouse port
.set F_IO32, 0x80               # 32-bit data port accesses reach the IDE controller

.set PM_BASE, 0x600
.set SMB_BASE, 0x700
.set IO_APIC_ID, 1

# ---- a device in E_DRIVES
.set D_SIZE, 32
.set D_TYPE, 0                  # 0 none, 1 ATA disk, 2 ATAPI CD-ROM
.set D_SELECT, 1                # A0h or B0h
.set D_BASE, 2
.set D_CONTROL, 4
.set D_FLAGS, 6                 # bit 0: LBA28, bit 1: LBA48, bit 2: removable
.set D_TRANSLATION, 7           # 0 none, 1 LBA assisted, 2 bit shift (large)
.set D_PHYS_CYL, 8
.set D_PHYS_HEADS, 10
.set D_PHYS_SPT, 12
.set D_CYL, 14
.set D_HEADS, 16
.set D_SPT, 18
.set D_TOTAL, 20                # qword: sectors
.set D_BYTES, 28                # sector size
.set D_IRQ, 30

# ---- El Torito emulation state in E_CD
.set C_ACTIVE, 0x70             # 0 none, 1 booted without emulation, 2 a drive is emulated
.set C_MEDIA, 0x71              # boot media type byte of the catalogue
.set C_DRIVE, 0x72              # BIOS drive number
.set C_DEVICE, 0x73             # index of the CD in E_DRIVES
.set C_LBA, 0x74                # first 2048-byte block of the image
.set C_LOAD_SEGMENT, 0x78
.set C_COUNT, 0x7a
.set C_CYL, 0x7c
.set C_HEADS, 0x7e
.set C_SPT, 0x80
.set C_STATUS, 0x82

# ---- POST scratch memory, segment 0
.set S_MOVER, 0x600
.set S_PCI_IO, 0x700
.set S_PCI_MEM, 0x704
.set S_PCI_BUS, 0x708
.set S_PCI_COMMAND, 0x70a
.set S_PCI_SWIZZLE, 0x70c
.set S_ROM_NEXT, 0x710          # segment of the next free place for an option ROM
.set S_ROM_BDF, 0x712
.set S_ACPI_COUNT, 0x714
.set S_ACPI_HIGH, 0x718         # next free byte and end of the memory above 1 MiB
.set S_ACPI_F, 0x720            # and of the room in this image
.set S_STACK, 0x7000
.set S_BUFFER, 0x8000
.set S_ACPI_FILES, 0x8100       # 56 bytes of name, address, size
.set S_ACPI_SCRIPT, 0x9000
.set S_COPY_SEGMENT, 0x1000     # 64 KiB

# ---- caller's registers, relative to BP after `frame`
.set R_ES, 0
.set R_DS, 2
.set R_EDI, 4
.set R_ESI, 8
.set R_EBP, 12
.set R_EBX, 20
.set R_EDX, 24
.set R_ECX, 28
.set R_EAX, 32
.set R_IP, 36
.set R_CS, 38
.set R_FLAGS, 40
.set R_DI, R_EDI
.set R_SI, R_ESI
.set R_BX, R_EBX
.set R_DX, R_EDX
.set R_CX, R_ECX
.set R_AX, R_EAX
.set R_AL, R_EAX
.set R_AH, R_EAX + 1
.set R_BL, R_EBX
.set R_BH, R_EBX + 1
.set R_CL, R_ECX
.set R_CH, R_ECX + 1
.set R_DL, R_EDX
.set R_DH, R_EDX + 1

# ---- macros

# A routine or table that the symbol file lists.
.macro proc name
\name:
    rom_symbol system, \name
.endm

# Saves the caller's registers; BP points at them.
.macro frame
    pushal
    push %ds
    push %es
    mov %sp, %bp
    cld
.endm
.macro unframe_iret
    pop %es
    pop %ds
    popal
    iretw
.endm
# DS := BIOS data area (clobbers AX unless another register is named).
.macro ds_bda reg=ax
    mov $BDA, %\reg
    mov %\reg, %ds
.endm
# ES := extended BIOS data area; DS := BIOS data area.
.macro es_ebda
    push $BDA
    pop %ds
    mov B_EBDA, %es
.endm
.macro caller_cf value
    .if \value
    orb $1, R_FLAGS(%bp)
    .else
    andb $0xfe, R_FLAGS(%bp)
    .endif
.endm
# Progress of the power-on self-test: port 80h.
.macro progress code
    mov $\code, %al
    out %al, $0x80
.endm
# One CMOS byte, interrupts and NMI off around it.
.macro cmos index
    mov $\index, %al
    call cmos_read
.endm
# The local APIC at ESI in virtual wire mode: the 8259As and NMI reach the CPU.
.macro apic_virtual_wire
    movl $0x000001ff, 0xf0(%esi) # software enable, spurious vector FFh
    movl $0x00000700, 0x350(%esi) # LINT0: ExtINT
    movl $0x00000400, 0x360(%esi) # LINT1: NMI
.endm
# A short pause for old peripherals: one write to an unused port.
.macro io_pause
    out %al, $0xed
.endm
"##
    };
}
pub(crate) use text;
