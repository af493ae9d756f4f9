//! Option ROMs: those that stand at C0000-EFFFF, and those behind the expansion ROM registers of PCI
//! functions, which are copied there.
//!
//! Documents: PCI Local Bus Specification 2.1, "Expansion ROMs"; Plug and Play BIOS Specification 1.0A,
//! "Option ROMs"; BIOS Boot Specification 1.01 (BCV, BEV); POST Memory Manager Specification 1.01: option ROMs
//! are entered in big real mode. Those that reach for their memory-mapped registers rely on it, whether there is a
//! memory manager or not.

macro_rules! text {
    () => {
        r##"
# The display's ROM, before anything is shown.
proc video_rom_init
    movw $0xc000, %ss:S_ROM_NEXT
    es_ebda
    testb $F_PAM, %es:E_FLAGS
    jz 2f
    testb $F_PCI, %es:E_FLAGS
    jz 2f
    mov $0x030000, %ecx         # VGA
    xor %si, %si
    mov $0x03, %al
    call pci_service_16
    jnc 1f
    mov $0x000100, %ecx         # VGA of before PCI 2.0
    xor %si, %si
    mov $0x03, %al
    call pci_service_16
    jc 2f
1:  mov $0xc000, %ax
    call pci_rom_copy
2:  mov $0xc000, %ax
    call rom_run
    jc 3f
    es_ebda
    orb $F_VIDEO, %es:E_FLAGS
    mov $0x0003, %ax            # not every ROM leaves a mode set
    int $0x10
    ret
3:  mov $(message_no_video - F), %si
    call debug_puts
    movw $0xc800, %ss:S_ROM_NEXT
    ret
message_no_video:
    .asciz "no video BIOS at C000:0000\n"

# All others.
proc option_roms_init
    # Those that stand there already.
    mov %ss:S_ROM_NEXT, %ax
    cmp $0xc800, %ax
    jae 1f
    mov $0xc800, %ax
1:  movw $0, %ss:S_ROM_BDF
    push %ax
    call rom_run
    pop %cx
    jc 2f
    mov %ss:S_ROM_NEXT, %ax
    jmp 3f
2:  mov %cx, %ax
    add $0x80, %ax
3:  cmp $0xf000, %ax
    jb 1b
    # Those of PCI functions.
    es_ebda
    mov %es:E_FLAGS, %al
    and $(F_PAM | F_PCI), %al
    cmp $(F_PAM | F_PCI), %al
    jne 9f
    xor %bx, %bx
4:  test $0x07, %bl
    jz 5f
    push %bx
    and $0xf8, %bl
    mov $0x0e, %di
    call pci_rd8
    pop %bx
    test $0x80, %cl
    jz 6f
5:  xor %di, %di
    call pci_rd16
    cmp $0xffff, %cx
    je 6f
    mov $0x0e, %di
    call pci_rd8
    test $0x7f, %cl
    jnz 6f
    mov $0x0b, %di
    call pci_rd8
    cmp $0x03, %cl              # displays have had their turn
    je 6f
    mov %ss:S_ROM_NEXT, %ax
    call pci_rom_copy
    jc 6f
    push %bx
    mov %ss:S_ROM_NEXT, %ax
    call rom_run
    pop %bx
6:  inc %bx
    jz 9f
    es_ebda
    cmp %es:E_LAST_BUS, %bh
    jbe 4b
9:  es_ebda
    testb $F_PAM, %es:E_FLAGS
    jz 1f
    call fw_cfg_roms
1:  ret

# ROMs that the machine's configuration offers: the fw_cfg files of the folder genroms.
fw_cfg_roms:
    call fw_cfg_find
    jnc 9f
    xor %ebp, %ebp              # number of the file
1:  call fw_cfg_entry
    jnc 9f
    mov %ecx, %esi
    mov %cs, %ax
    mov %ax, %ds
    push %si
    mov $(fw_cfg_rom_folder - F), %si
    mov $S_BUFFER, %di
    mov $(fw_cfg_rom_folder_end - fw_cfg_rom_folder), %cx
    repe cmpsb
    pop %si
    jne 8f
    # There must be room for it.
    cmp $0xfe00, %esi
    ja 8f
    mov %ss:S_ROM_NEXT, %ax
    mov %ax, %es
    movzx %ax, %eax
    shl $4, %eax
    add %esi, %eax
    cmp $0xf0000, %eax
    ja 8f
    mov $0x510, %dx
    mov %bx, %ax
    out %ax, %dx
    inc %dx
    mov %si, %cx
    xor %di, %di
    rep insb
    movw $0, %ss:S_ROM_BDF
    mov %es, %ax
    push %bp
    call rom_run
    pop %bp
8:  inc %bp
    jmp 1b
9:  ret
fw_cfg_rom_folder:
    .ascii "genroms/"
fw_cfg_rom_folder_end:

# File EBP of fw_cfg's directory: BX its item, ECX its size, its name in the 56 bytes at S_BUFFER. CF: there is one.
# ES is 0; EAX, DX and DI are lost.
fw_cfg_entry:
    cmp $256, %ebp              # more files than any machine has
    jae 9f
    mov $0x510, %dx
    mov $0x19, %ax
    out %ax, %dx
    inc %dx
    call fw_cfg_dword
    cmp %eax, %ebp
    jae 9f
    mov %bp, %cx
    shl $6, %cx
    jz 2f
1:  in %dx, %al
    loop 1b
2:  call fw_cfg_dword           # size
    push %eax
    call fw_cfg_dword           # item, two reserved bytes
    shr $16, %eax
    mov %ax, %bx
    xor %ax, %ax
    mov %ax, %es
    mov $S_BUFFER, %di
    mov $56, %cx
    rep insb
    pop %ecx
    stc
    ret
9:  clc
    ret

# CF: fw_cfg is there (item 0: "QEMU"). EAX, EBX, CX and DX are lost.
fw_cfg_find:
    xor %ax, %ax
    mov $0x510, %dx
    out %ax, %dx
    inc %dx
    call fw_cfg_dword
    cmp $0x51454d55, %eax       # as a big-endian number
    stc
    je 1f
    clc
1:  ret
# EAX := the next four bytes of the item, most significant first. DX: the data port. CX is lost.
fw_cfg_dword:
    push %ebx
    mov $4, %cx
1:  in %dx, %al
    shl $8, %ebx
    mov %al, %bl
    loop 1b
    mov %ebx, %eax
    pop %ebx
    ret

# Copies the x86 image of function BX's ROM to segment AX. CF: it has none or there is no room.
proc pci_rom_copy
    pushal
    push %ds
    push %es
    mov %ax, %bp                # destination
    mov %bx, %ss:S_ROM_BDF
    mov $0x30, %di
    call pci_rd32
    and $0xfffff800, %ecx
    jz 8f
    push %ecx
    or $1, %cl
    call pci_wr32
    mov $0x04, %di
    call pci_rd16
    push %cx
    or $0x02, %cl
    call pci_wr16
    pop %dx                     # command register as it was
    pop %esi
    push %esi
    push %dx
    call flat_segments
    # Through the chain of images.
1:  cmpw $0xaa55, (%esi)
    jne 6f
    movzwl 0x18(%esi), %eax
    test %ax, %ax
    jz 3f
    add %esi, %eax
    cmpl $0x52494350, (%eax)    # "PCIR"
    jne 3f
    cmpb $0, 0x14(%eax)         # code type: PC-AT
    je 3f
    testb $0x80, 0x15(%eax)     # the last one
    jnz 6f
    movzwl 0x10(%eax), %eax
    test %ax, %ax
    jz 6f
    shl $9, %eax
    add %eax, %esi
    jmp 1b
3:  movzbl 2(%esi), %ecx
    test %cl, %cl
    jz 6f
    shl $9, %ecx                # bytes
    movzx %bp, %edi
    shl $4, %edi
    mov %edi, %eax
    add %ecx, %eax
    cmp $0xf0000, %eax
    ja 6f
    shr $2, %ecx
    rep movsl (%esi), %es:(%edi)
    clc
    jmp 7f
6:  stc
7:  pushfw
    call normal_segments
    popfw
    setc %al
    pop %cx
    mov $0x04, %di
    call pci_wr16
    pop %ecx
    mov $0x30, %di
    call pci_wr32               # ROM decoder off
    cmp $1, %al
    cmc
    jmp 9f
8:  stc
9:  pop %es
    pop %ds
    popal
    ret

# Runs the ROM at segment AX if a good one is there: its entry, then what its PnP headers offer. CF: none.
# S_ROM_NEXT moves behind it.
proc rom_run
    pushal
    push %ds
    push %es
    mov %ax, %ds
    cmpw $0xaa55, 0
    jne 8f
    movzbl 2, %ecx
    test %ecx, %ecx
    jz 8f
    shl $9, %ecx
    xor %esi, %esi
    xor %bl, %bl
1:  add (%esi), %bl
    inc %esi
    dec %ecx
    jnz 1b
    test %bl, %bl
    jnz 8f
    mov $3, %bx
    call rom_call
    # Its size may have shrunk.
    movzbw 2, %cx
    shl $5, %cx
    mov %ds, %ax
    add %cx, %ax
    add $0x7f, %ax
    and $0xff80, %ax
    mov %ax, %ss:S_ROM_NEXT
    # PnP expansion headers.
    mov 0x1a, %si
    mov $8, %cx
2:  test %si, %si
    jz 7f
    cmpw $0x5024, (%si)         # "$PnP", in two halves: the anchor shall stand in no code
    jne 7f
    cmpw $0x506e, 2(%si)
    jne 7f
    mov 0x16(%si), %bx          # boot connection vector: it takes part in INT 13h
    test %bx, %bx
    jz 3f
    push %cx
    push %si
    call rom_call
    pop %si
    pop %cx
3:  mov 0x1a(%si), %bx          # boot entry vector
    test %bx, %bx
    jz 4f
    push %cx
    push %ds
    es_ebda
    pop %ds
    movzbw %es:E_BEV_COUNT, %di
    cmp $8, %di
    jae 5f
    incb %es:E_BEV_COUNT
    shl $3, %di
    mov %bx, %es:E_BEV(%di)
    mov %ds, %es:E_BEV + 2(%di)
    mov 0x10(%si), %ax          # product name
    mov %ax, %es:E_BEV + 4(%di)
    mov %ds, %es:E_BEV + 6(%di)
5:  pop %cx
4:  mov 6(%si), %si
    loop 2b
7:  pop %es
    pop %ds
    popal
    clc
    ret
8:  pop %es
    pop %ds
    popal
    stc
    ret

# Far call to DS:BX: AX = bus and function (PCI), BX and DX = FFFFh (no ISA PnP), ES:DI = PnP structure.
rom_call:
    pushal
    push %ds
    push %es
    call big_real_mode
    mov %ss:S_ROM_BDF, %ax
    push %cs
    pushw $(1f - F)
    push %ds
    push %bx
    push %cs
    pop %es
    mov $(pnp_structure - F), %di
    mov $0xffff, %bx
    mov $0xffff, %dx
    lretw
1:  cld
    call small_real_mode
    pop %es
    pop %ds
    popal
    ret
"##
    };
}
pub(crate) use text;
