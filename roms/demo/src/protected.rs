//! Page D: protected mode with paging, rings and a task switch, and back to real mode.

macro_rules! text {
    () => {
        r##"
    .set sel_code, 0x08
    .set sel_data, 0x10
    .set sel_code16, 0x18
    .set sel_data16, 0x20
    .set sel_code3, 0x28+3
    .set sel_data3, 0x30+3
    .set sel_task1, 0x38
    .set sel_task2, 0x40
    .set sel_gate, 0x48+3
# Free memory that the tour uses.
    .set pm_idt, 0x20000           # 256 gates
    .set pm_directory, 0x30000
    .set pm_table0, 0x31000        # 0-4 MiB: identity
    .set pm_table1, 0x32000        # 4-8 MiB: a few pages
    .set pm_spare, 0x33000         # the page that comes on demand
    .set pm_stack0, 0x38000
    .set pm_stack3, 0x3a000
    .set pm_stack2, 0x3c000

    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9a000000ffff       # 08 code, ring 0, 32 bits
    .quad 0x00cf92000000ffff       # 10 data, ring 0
    .quad 0x00009a000000ffff       # 18 code, 16 bits, 64 KiB
    .quad 0x000092000000ffff       # 20 data, 64 KiB
    .quad 0x00cffa000000ffff       # 28 code, ring 3
    .quad 0x00cff2000000ffff       # 30 data, ring 3
    .word 103, tss1-D, 0x8900, 0   # 38 task state segments
    .word 103, tss2-D, 0x8900, 0   # 40
    .word gate_procedure-D, sel_code, 0xec01, 0   # 48 call gate for ring 3, one parameter
gdt_end:
gdt_pointer:
    .word gdt_end-gdt-1
    .long gdt-D
idt_pointer:
    .word 0x7ff
    .long pm_idt
real_idt:
    .word 0x3ff
    .long 0

    .balign 4
tss1: .space 104
tss2: .space 104
# What the tour found, to be told afterwards.
pm_cr0: .long 0
pm_alias: .long 0
pm_fault_address: .long 0
pm_fault_code: .long 0
pm_fault_value: .long 0
pm_ring: .long 0
pm_gate_cs: .long 0
pm_gate_parameter: .long 0
pm_int_cs: .long 0
pm_gp_code: .long 0
pm_gp_address: .long 0
pm_task: .long 0
pm_task_nt: .long 0
pm_task_back: .long 0
pm_unexpected: .long 0
real_sp: .word 0

protected:
    movw $(protected_title-D), %si
    callw page
    movw $(protected_text-D), %si
    callw print
    callw a20_on
    # Clean slate.
    movw $(pm_cr0-D), %di
    xorw %ax, %ax
    movw $(real_sp-pm_cr0), %cx
    rep stosb
    cli
    movw %sp, real_sp-D
    lgdtw gdt_pointer-D
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $sel_code, $(pm_entry-D)

    .code32
pm_entry:
    movw $sel_data, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw %ax, %fs
    movw %ax, %gs
    movl $pm_stack0, %esp
    cld
    # Interrupt gates: all to the same place, but for the three of the tour.
    movl $pm_idt, %edi
    movl $256, %ecx
1:  movl $(sel_code*0x10000), %eax
    movw $(pm_other-D), %ax
    stosl
    movl $0x00008e00, %eax
    stosl
    loop 1b
    movw $(pm_protection-D), pm_idt+13*8
    movw $(pm_page-D), pm_idt+14*8
    movw $(pm_service-D), pm_idt+0x80*8
    movb $0xee, pm_idt+0x80*8+5    # ring 3 may call it
    lidt idt_pointer-D
    # Task state segment 1: the stack for what comes up from ring 3.
    movl $(tss1-D), %edi
    xorl %eax, %eax
    movl $52, %ecx                 # both
    rep stosl
    movl $pm_stack0, tss1-D+4
    movl $sel_data, tss1-D+8
    movw $104, tss1-D+102
    movb $0x89, gdt-D+sel_task1+5
    movb $0x89, gdt-D+sel_task2+5
    movw $sel_task1, %ax
    ltr %ax
    # Page tables: 4 MiB as they are, for all rings; 400000h is the text memory; 401000h is not there.
    movl $pm_directory, %edi
    xorl %eax, %eax
    movl $0xc00, %ecx
    rep stosl
    movl $(pm_table0+7), pm_directory
    movl $(pm_table1+7), pm_directory+4
    movl $pm_table0, %edi
    movl $7, %eax
2:  stosl
    addl $0x1000, %eax
    cmpl $0x400007, %eax
    jb 2b
    movl $0xb8007, pm_table1
    movl $pm_directory, %eax
    movl %eax, %cr3
    movl %cr0, %eax
    orl $0x80000000, %eax
    movl %eax, %cr0
    jmp 3f
3:  movl %cr0, %eax
    movl %eax, pm_cr0-D
    # The alias: written at 400000h + cell, read at B8000h.
    movw $0x0e11, 0x400000+8*160+152
    movzwl 0xb8000+8*160+152, %eax
    movl %eax, pm_alias-D
    # A page that is not there: the handler supplies it, the instruction runs again.
    movl $0x12345678, 0x401234
    movl pm_spare+0x234, %eax
    movl %eax, pm_fault_value-D
    # Down to ring 3, by returning to where we never were.
    pushl $sel_data3
    pushl $pm_stack3
    pushl $2
    pushl $sel_code3
    pushl $(ring3-D)
    iretl

# Ring 3.
ring3:
    movw $sel_data3, %ax
    movw %ax, %ds
    movw %ax, %es
    xorl %eax, %eax
    movw %cs, %ax
    andl $3, %eax
    movl %eax, pm_ring-D
    pushl $0x42                    # the gate's parameter
    lcall $sel_gate, $0
    movl $1, %eax
    int $0x80
ring3_forbidden:
    cli                            # not in ring 3: #GP
    movl $2, %eax
    int $0x80
    ud2

# Behind the call gate, in ring 0.
gate_procedure:
    xorl %eax, %eax
    movw %cs, %ax
    movl %eax, pm_gate_cs-D
    movl 8(%esp), %eax
    movl %eax, pm_gate_parameter-D
    lretl $4

# INT 80h: EAX = 1: just look; 2: the way back.
pm_service:
    cmpl $2, %eax
    je pm_back
    xorl %eax, %eax
    movw %cs, %ax
    movl %eax, pm_int_cs-D
    iretl

# General protection: remember, and step over the one-byte instruction.
pm_protection:
    popl pm_gp_code-D
    pushl %eax
    movl 4(%esp), %eax
    movl %eax, pm_gp_address-D
    cmpl $(ring3_forbidden-D), %eax
    jne pm_other
    incl 4(%esp)
    popl %eax
    iretl

# Page fault: give the page.
pm_page:
    popl pm_fault_code-D
    pushl %eax
    movl %cr2, %eax
    movl %eax, pm_fault_address-D
    cmpl $0x401234, %eax
    jne pm_other
    movl $(pm_spare+7), pm_table1+4
    movl %cr3, %eax
    movl %eax, %cr3
    popl %eax
    iretl

pm_other:
    movl $1, pm_unexpected-D
    jmp pm_leave

# Ring 0 again: a task switch by a call to a task state segment, and back by IRET.
pm_back:
    movw $sel_data, %ax
    movw %ax, %ds
    movw %ax, %es
    movl $pm_stack0, %esp
    movl $pm_directory, tss2-D+28
    movl $(task2-D), tss2-D+32
    movl $2, tss2-D+36
    movl $pm_stack2, tss2-D+56
    movl $sel_data, %eax
    movl %eax, tss2-D+72           # ES
    movl $sel_code, tss2-D+76
    movl %eax, tss2-D+80           # SS, DS, FS, GS
    movl %eax, tss2-D+84
    movl %eax, tss2-D+88
    movl %eax, tss2-D+92
    movw $104, tss2-D+102
    movl $pm_directory, tss1-D+28  # the switch back loads CR3 from here
    lcall $sel_task2, $0
    str %ax
    movzwl %ax, %eax
    movl %eax, pm_task_back-D
    jmp pm_leave

task2:
    str %ax
    movzwl %ax, %eax
    movl %eax, pm_task-D
    pushfl
    popl %eax
    shrl $14, %eax
    andl $1, %eax
    movl %eax, pm_task_nt-D        # nested task
    iretl
    ud2

# Out: paging off, 16-bit segments, protection off.
pm_leave:
    movl %cr0, %eax
    andl $0x7fffffff, %eax
    movl %eax, %cr0
    xorl %eax, %eax
    movl %eax, %cr3
    ljmpl $sel_code16, $(pm_leave16-D)
    .code16
pm_leave16:
    movw $sel_data16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw %ax, %fs
    movw %ax, %gs
    movl %cr0, %eax
    andb $0xfe, %al
    movl %eax, %cr0
    ljmpw $0, $(pm_real-D)
pm_real:
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw %ax, %fs
    movw %ax, %gs
    movw real_sp-D, %sp
    lidtw real_idt-D
    sti
    # The report. Lines: text, then a value's address; a zero text ends.
    movw $(report-D), %bx
    movb $7, row-D
1:  movb $2, column-D
    movb $attr_text, attribute-D
    movw (%bx), %si
    orw %si, %si
    jz 2f
    callw print
    movw 2(%bx), %si
    orw %si, %si
    jz 3f
    movb $60, column-D
    movb $attr_value, attribute-D
    movl (%si), %eax
    callw print_hex32
    # Expected, where it is one value on every machine.
    movb $attr_good, attribute-D
    incb column-D
    cmpw $0, 8(%bx)
    je 3f
    cmpl 4(%bx), %eax
    movw $(report_ok-D), %si
    je 4f
    movb $0x0c, attribute-D
    movw $(report_bad-D), %si
4:  callw print
3:  addw $10, %bx
    incb row-D
    jmp 1b
2:  cmpl $0, pm_unexpected-D
    je 5f
    movw $(report_unexpected-D), %si
    callw print
5:  jmp pause

    .macro line text, value, expected, check
    .word \text-D, \value-D
    .long \expected
    .word \check
    .endm
report:
    line report1, pm_cr0, 0, 0
    line report2, pm_alias, 0x0e11, 1
    line report3, pm_fault_address, 0x401234, 1
    line report4, pm_fault_code, 2, 1
    line report5, pm_fault_value, 0x12345678, 1
    line report6, pm_ring, 3, 1
    line report7, pm_gate_cs, sel_code, 1
    line report8, pm_gate_parameter, 0x42, 1
    line report9, pm_int_cs, sel_code, 1
    line report10, pm_gp_address, (ring3_forbidden-D), 1
    line report11, pm_task, sel_task2, 1
    line report12, pm_task_nt, 1, 1
    line report13, pm_task_back, sel_task1, 1
    .word report14-D, 0
    .long 0
    .word 0
    .word 0
report_ok: .asciz "right"
report_bad: .asciz "wrong"
report_unexpected: .asciz "\1\14An exception came that the tour did not ask for."
report1: .asciz "Protection and paging are on: CR0"
report2: .asciz "  a cell written at 400000h shows at B8000h, on the right"
report3: .asciz "Touching a page that is not there faults: CR2"
report4: .asciz "  error code: a write, in ring 0, to a page not present"
report5: .asciz "  the handler supplies the page, the write is done again"
report6: .asciz "IRET to ring 3: the privilege level there"
report7: .asciz "  a call gate leads back to ring 0: CS there"
report8: .asciz "  and copies a parameter from stack to stack"
report9: .asciz "  so does an interrupt gate, INT 80h: CS there"
report10: .asciz "  CLI is forbidden: general protection at EIP"
report11: .asciz "A call to a task state segment switches tasks: TR"
report12: .asciz "  the new task is nested: flag NT"
report13: .asciz "  its IRET switches back: TR"
report14: .asciz "And back in real mode, from where this is printed."
protected_title: .asciz "Protected mode"
protected_text:
    .ascii "From real mode to 32-bit protected mode with paging, down to ring 3, through\n"
    .ascii "two gates, into another task and back again: it took no longer than this\n"
    .asciz "page to appear. Here is what was seen on the way.\n"
"##
    };
}
pub(crate) use text;
