//! Pages 1 and 2: CPUID and the memory map.

macro_rules! text {
    () => {
        r##"
processor:
    movw $(processor_title-D), %si
    callw page
    movw $(processor_text-D), %si
    callw print
    # CPUID exists if bit 21 of EFLAGS can be changed.
    pushfl
    popl %eax
    movl %eax, %ebx
    xorl $0x200000, %eax
    pushl %eax
    popfl
    pushfl
    popl %eax
    pushl %ebx
    popfl
    xorl %ebx, %eax
    testl $0x200000, %eax
    jnz 1f
    movw $(processor_none-D), %si
    callw print
    jmp pause
1:  xorl %eax, %eax
    cpuid
    movl %eax, cpuid_max-D
    movl %ebx, cpuid_vendor-D
    movl %edx, cpuid_vendor+4-D
    movl %ecx, cpuid_vendor+8-D
    movw $(processor_vendor-D), %si
    callw print
    movw $(cpuid_vendor-D), %si
    callw print
    movw $(processor_leaf-D), %si
    callw print
    movl cpuid_max-D, %eax
    callw print_dec
    cmpl $1, %eax
    jb pause
    movl $1, %eax
    cpuid
    movl %eax, cpuid_signature-D
    movl %edx, cpuid_features-D
    movw $(processor_family-D), %si
    callw print
    movl cpuid_signature-D, %eax
    shrl $8, %eax
    andl $15, %eax
    callw print_dec
    movw $(processor_model-D), %si
    callw print
    # Families 6 and 15 have four more bits of model.
    movl cpuid_signature-D, %eax
    movl %eax, %ebx
    shrl $4, %eax
    andl $15, %eax
    shrl $12, %ebx
    andl $0xf0, %ebx
    orl %ebx, %eax
    callw print_dec
    movw $(processor_stepping-D), %si
    callw print
    movl cpuid_signature-D, %eax
    andl $15, %eax
    callw print_dec
    # Brand string, where there is one.
    movl $0x80000000, %eax
    cpuid
    cmpl $0x80000004, %eax
    jb 3f
    movw $(cpuid_brand-D), %di
    movl $0x80000002, %eax
2:  pushl %eax
    cpuid
    stosl
    movl %ebx, %eax
    stosl
    movl %ecx, %eax
    stosl
    movl %edx, %eax
    stosl
    popl %eax
    incl %eax
    cmpl $0x80000004, %eax
    jbe 2b
    movb $0, (%di)
    movw $(processor_brand-D), %si
    callw print
    movw $(cpuid_brand-D), %si
    callw print
3:  # Features: bits of EDX, in columns.
    movw $(processor_features-D), %si
    callw print
    movl cpuid_features-D, %ebx
    movw $(feature_names-D), %si
    movw $32, %cx
4:  movw %cx, %ax                  # eight to a line
    negb %al
    andb $7, %al
    shlb $3, %al
    addb $4, %al
    movb %al, column-D
    shrl $1, %ebx
    pushfw
    movb $attr_good, attribute-D
    jc 5f
    movb $attr_dim, attribute-D
5:  callw print
    popfw
6:  lodsb
    orb %al, %al
    jnz 6b
    cmpb $60, column-D
    jb 7f
    incb row-D
7:  loop 4b
    movw $(processor_legend-D), %si
    callw print
    jmp pause

cpuid_max: .long 0
cpuid_signature: .long 0
cpuid_features: .long 0
cpuid_vendor: .space 13
cpuid_brand: .space 49
processor_title: .asciz "Processor"
processor_text:
    .ascii "The instruction CPUID lets a processor say what it is. Programs ask before\n"
    .asciz "they use what not every processor has.\n\n"
processor_none: .asciz "This processor does not know the instruction: it is older than a late 486.\n"
processor_vendor: .asciz "Vendor          \1\13"
processor_leaf: .asciz "\1\7\nHighest leaf    \1\13"
processor_family: .asciz "\1\7\nFamily          \1\13"
processor_model: .asciz "\1\7, model \1\13"
processor_stepping: .asciz "\1\7, stepping \1\13"
processor_brand: .asciz "\1\7\nName            \1\13"
processor_features: .asciz "\1\7\n\nFeatures (leaf 1, EDX bits 0 to 31):\n\n"
processor_legend: .asciz "\n\n\1\12bright\1\7: this processor has it; \1\10dark\1\7: it has not."
feature_names:
    .asciz "FPU", "VME", "DE", "PSE", "TSC", "MSR", "PAE", "MCE", "CX8", "APIC", "-", "SEP", "MTRR", "PGE", "MCA", "CMOV"
    .asciz "PAT", "PSE36", "PSN", "CLFSH", "-", "DS", "ACPI", "MMX", "FXSR", "SSE", "SSE2", "SS", "HTT", "TM", "IA64", "PBE"

memory:
    movw $(memory_title-D), %si
    callw page
    movw $(memory_text-D), %si
    callw print
    int $0x12
    movzwl %ax, %eax
    callw print_dec
    movw $(memory_head-D), %si
    callw print
    xorl %ebx, %ebx
    movl $0, memory_sum-D
1:  movl $0x0000e820, %eax
    movl $0x534d4150, %edx         # "SMAP"
    movl $20, %ecx
    movw $0x2000, %di              # a free buffer, 0000:2000
    int $0x15
    jc 8f
    cmpl $0x534d4150, %eax
    jne 8f
    movb $attr_value, attribute-D
    movl 0x2004, %eax
    callw print_hex32
    movl 0x2000, %eax
    callw print_hex32
    addb $3, column-D
    # The last byte: base + length - 1.
    movl 0x2000, %eax
    movl 0x2004, %edx
    addl 0x2008, %eax
    adcl 0x200c, %edx
    subl $1, %eax
    sbbl $0, %edx
    xchgl %eax, %edx
    callw print_hex32
    movl %edx, %eax
    callw print_hex32
    addb $3, column-D
    movl 0x2008, %eax
    shrl $10, %eax
    movl 0x200c, %edx
    shll $22, %edx
    orl %edx, %eax
    movb $9, %cl
    callw print_dec_right
    movb $attr_text, attribute-D
    addb $3, column-D
    cmpb $1, 0x2010
    jne 2f
    addl %eax, memory_sum-D
2:  movzbw 0x2010, %si
    cmpw $5, %si
    jbe 3f
    xorw %si, %si
3:  addw %si, %si
    movw memory_kinds-D(%si), %si
    callw print
    incb row-D
    movb $2, column-D
    cmpb $21, row-D
    jae 8f
    orl %ebx, %ebx
    jnz 1b
8:  movw $(memory_total-D), %si
    callw print
    movl memory_sum-D, %eax
    callw print_dec
    movw $(memory_unit-D), %si
    callw print
    jmp pause
memory_sum: .long 0
    .balign 2
memory_kinds: .word mem_kind0-D, mem_kind1-D, mem_kind2-D, mem_kind3-D, mem_kind4-D, mem_kind5-D
mem_kind0: .asciz "other"
mem_kind1: .asciz "usable"
mem_kind2: .asciz "reserved"
mem_kind3: .asciz "ACPI tables"
mem_kind4: .asciz "ACPI, keep"
mem_kind5: .asciz "faulty"
memory_title: .asciz "Memory map"
memory_text:
    .ascii "Memory is not one piece: the first megabyte has holes for the video memory\n"
    .ascii "and the ROMs, and firmware keeps some for itself. INT 15h, function E820h,\n"
    .asciz "lists what is where. Below 640 KiB, INT 12h counts \1\13"
memory_head: .asciz "\1\7 KiB.\n\n\1\17First byte         Last byte                KiB   Use\1\7\n"
memory_total: .asciz "\n\1\7Usable in all: \1\13"
memory_unit: .asciz "\1\7 KiB"
"##
    };
}
pub(crate) use text;
