//! The code that starts DOS from a hard disk: a master boot record and the boot sector of a FAT16 volume.
//!
//! Both are written for the tests, so that a disk can be made without any system's own tools. They follow the
//! customs of the PC: a partition of type 0Eh is read by sector numbers (INT 13h AH=42h), any other one by
//! cylinder, head and sector (AH=02h) with the geometry of its BIOS parameter block. The boot sector finds
//! KERNEL.SYS in the root folder, follows its clusters to 0060:0000 and starts it there with the drive in BL, as
//! FreeDOS's kernel wants it.

/// The master boot record's code. It runs at 0000:0600, and starts the first partition that is marked active,
/// with that entry of the table at DS:SI.
#[rustfmt::skip]
pub const MASTER_BOOT_CODE: &[u8] = &[
    0x31, 0xC0,                          //         xor ax,ax
    0x8E, 0xD0,                          //         mov ss,ax
    0xBC, 0x00, 0x7C,                    //         mov sp,7C00h
    0x8E, 0xD8,                          //         mov ds,ax
    0x8E, 0xC0,                          //         mov es,ax
    0x89, 0xE6,                          //         mov si,sp
    0xBF, 0x00, 0x06,                    //         mov di,600h
    0xB9, 0x00, 0x01,                    //         mov cx,100h
    0xFC,                                //         cld
    0xF3, 0xA5,                          //         rep movsw
    0xEA, 0x1B, 0x06, 0x00, 0x00,        //         jmp 0:next
    0xBE, 0xBE, 0x07,                    // next:   mov si,7BEh
    0xF6, 0x04, 0x80,                    // try:    test byte [si],80h
    0x75, 0x0B,                          //         jnz found
    0x83, 0xC6, 0x10,                    //         add si,16
    0x81, 0xFE, 0xFE, 0x07,              //         cmp si,7FEh
    0x72, 0xF2,                          //         jb try
    0xEB, 0x3F,                          //         jmp short fail
    0x80, 0x7C, 0x04, 0x0E,              // found:  cmp byte [si+4],0Eh
    0x74, 0x10,                          //         je linear
    0x8A, 0x74, 0x01,                    //         mov dh,[si+1]
    0x8B, 0x4C, 0x02,                    //         mov cx,[si+2]
    0xBB, 0x00, 0x7C,                    //         mov bx,7C00h
    0xB8, 0x01, 0x02,                    //         mov ax,201h
    0xCD, 0x13,                          //         int 13h
    0xEB, 0x1A,                          //         jmp short loaded
    0x66, 0x6A, 0x00,                    // linear: push dword 0
    0x66, 0xFF, 0x74, 0x08,              //         push dword [si+8]
    0x6A, 0x00,                          //         push word 0
    0x68, 0x00, 0x7C,                    //         push word 7C00h
    0x6A, 0x01,                          //         push word 1
    0x6A, 0x10,                          //         push word 16
    0x89, 0xF7,                          //         mov di,si
    0x89, 0xE6,                          //         mov si,sp
    0xB4, 0x42,                          //         mov ah,42h
    0xCD, 0x13,                          //         int 13h
    0x89, 0xFE,                          //         mov si,di
    0x72, 0x0D,                          // loaded: jc fail
    0x81, 0x3E, 0xFE, 0x7D, 0x55, 0xAA,  //         cmp word [7DFEh],0AA55h
    0x75, 0x05,                          //         jne fail
    0xEA, 0x00, 0x7C, 0x00, 0x00,        //         jmp 0:7C00h
    0xBE, 0x80, 0x06,                    // fail:   mov si,text
    0xAC,                                // next_c: lodsb
    0x3C, 0x00,                          //         cmp al,0
    0x74, 0x09,                          //         je stop
    0xB4, 0x0E,                          //         mov ah,0Eh
    0xBB, 0x07, 0x00,                    //         mov bx,7
    0xCD, 0x10,                          //         int 10h
    0xEB, 0xF2,                          //         jmp short next_c
    0xCD, 0x18,                          // stop:   int 18h
    // text:   db "No system on this disk",13,10,0
    0x4E, 0x6F, 0x20, 0x73, 0x79, 0x73, 0x74, 0x65, 0x6D, 0x20, 0x6F, 0x6E,
    0x20, 0x74, 0x68, 0x69, 0x73, 0x20, 0x64, 0x69, 0x73, 0x6B, 0x0D, 0x0A,
    0x00,
];

/// The boot code of a FAT16 volume, for the place behind the BIOS parameter block. It moves itself to 1FE0:7C00.
/// The drive is kept at 24h of the parameter block, the partition's type at 25h, the number of the first FAT's
/// sector at -4 and that of the data area's first sector at -8.
#[rustfmt::skip]
pub const FAT16_BOOT_CODE: &[u8] = &[
    0xFA,                                // start:  cli
    0x31, 0xC0,                          //         xor ax,ax
    0x8E, 0xD8,                          //         mov ds,ax
    0xBD, 0x00, 0x7C,                    //         mov bp,7C00h
    0x8A, 0x44, 0x04,                    //         mov al,[si+4]
    0x88, 0x56, 0x24,                    //         mov [bp+drive],dl
    0x88, 0x46, 0x25,                    //         mov [bp+kind],al
    0xB8, 0xE0, 0x1F,                    //         mov ax,1FE0h
    0x8E, 0xC0,                          //         mov es,ax
    0x89, 0xEE,                          //         mov si,bp
    0x89, 0xEF,                          //         mov di,bp
    0xB9, 0x00, 0x01,                    //         mov cx,100h
    0xFC,                                //         cld
    0xF3, 0xA5,                          //         rep movsw
    0xEA, 0x63, 0x7C, 0xE0, 0x1F,        //         jmp 1FE0h:moved
    0x8E, 0xD8,                          // moved:  mov ds,ax
    0x8E, 0xD0,                          //         mov ss,ax
    0x8D, 0x66, 0xF0,                    //         lea sp,[bp-10h]
    0xFB,                                //         sti
    0x66, 0x0F, 0xB7, 0x5E, 0x0E,        //         movzx ebx,word [bp+0Eh]
    0x66, 0x03, 0x5E, 0x1C,              //         add ebx,[bp+1Ch]
    0x66, 0x89, 0x5E, 0xFC,              //         mov [bp+fat],ebx
    0x66, 0x0F, 0xB6, 0x46, 0x10,        //         movzx eax,byte [bp+10h]
    0x66, 0x0F, 0xB7, 0x4E, 0x16,        //         movzx ecx,word [bp+16h]
    0x66, 0xF7, 0xE1,                    //         mul ecx
    0x66, 0x01, 0xD8,                    //         add eax,ebx
    0x66, 0x0F, 0xB7, 0x56, 0x11,        //         movzx edx,word [bp+11h]
    0x89, 0xD1,                          //         mov cx,dx
    0xC1, 0xEA, 0x04,                    //         shr dx,4
    0x66, 0x01, 0xC2,                    //         add edx,eax
    0x66, 0x89, 0x56, 0xF8,              //         mov [bp+data],edx
    0xBB, 0x00, 0x80,                    // root:   mov bx,8000h
    0xE8, 0x77, 0x00,                    //         call read
    0x66, 0x40,                          //         inc eax
    0x89, 0xDF,                          //         mov di,bx
    0x60,                                // entry:  pusha
    0xBE, 0x87, 0x7D,                    //         mov si,name
    0xB9, 0x0B, 0x00,                    //         mov cx,11
    0xF3, 0xA6,                          //         repe cmpsb
    0x61,                                //         popa
    0x74, 0x10,                          //         je file
    0x49,                                //         dec cx
    0x0F, 0x84, 0xB0, 0x00,              //         jz fail
    0x83, 0xC7, 0x20,                    //         add di,32
    0x81, 0xFF, 0x00, 0x82,              //         cmp di,8200h
    0x72, 0xE6,                          //         jb entry
    0xEB, 0xDA,                          //         jmp short root
    0x66, 0x0F, 0xB7, 0x45, 0x1A,        // file:   movzx eax,word [di+1Ah]
    0x6A, 0x60,                          //         push word 60h
    0x07,                                //         pop es
    0x66, 0x50,                          // chain:  push eax
    0x66, 0x48,                          //         dec eax
    0x66, 0x48,                          //         dec eax
    0x66, 0x0F, 0xB6, 0x4E, 0x0D,        //         movzx ecx,byte [bp+0Dh]
    0x66, 0xF7, 0xE1,                    //         mul ecx
    0x66, 0x03, 0x46, 0xF8,              //         add eax,[bp+data]
    0x31, 0xDB,                          // piece:  xor bx,bx
    0xE8, 0x38, 0x00,                    //         call read
    0x8C, 0xC2,                          //         mov dx,es
    0x83, 0xC2, 0x20,                    //         add dx,20h
    0x8E, 0xC2,                          //         mov es,dx
    0x66, 0x40,                          //         inc eax
    0xE2, 0xF0,                          //         loop piece
    0x66, 0x58,                          //         pop eax
    0x06,                                //         push es
    0x1E,                                //         push ds
    0x07,                                //         pop es
    0x89, 0xC6,                          //         mov si,ax
    0x66, 0x0F, 0xB6, 0xC4,              //         movzx eax,ah
    0x66, 0x03, 0x46, 0xFC,              //         add eax,[bp+fat]
    0xBB, 0x00, 0x80,                    //         mov bx,8000h
    0xE8, 0x18, 0x00,                    //         call read
    0x07,                                //         pop es
    0x81, 0xE6, 0xFF, 0x00,              //         and si,0FFh
    0x01, 0xF6,                          //         add si,si
    0x66, 0x0F, 0xB7, 0x00,              //         movzx eax,word [bx+si]
    0x83, 0xF8, 0xF8,                    //         cmp ax,0FFF8h
    0x72, 0xB9,                          //         jb chain
    0x8A, 0x5E, 0x24,                    //         mov bl,[bp+drive]
    0xEA, 0x00, 0x00, 0x60, 0x00,        //         jmp 60h:0
    0x66, 0x60,                          // read:   pushad
    0x8A, 0x56, 0x24,                    //         mov dl,[bp+drive]
    0x80, 0x7E, 0x25, 0x0E,              //         cmp byte [bp+kind],0Eh
    0x75, 0x16,                          //         jne chs
    0x66, 0x6A, 0x00,                    //         push dword 0
    0x66, 0x50,                          //         push eax
    0x06,                                //         push es
    0x53,                                //         push bx
    0x6A, 0x01,                          //         push word 1
    0x6A, 0x10,                          //         push word 16
    0x89, 0xE6,                          //         mov si,sp
    0xB4, 0x42,                          //         mov ah,42h
    0xCD, 0x13,                          //         int 13h
    0x8D, 0x64, 0x10,                    //         lea sp,[si+16]
    0xEB, 0x28,                          //         jmp short done
    0x66, 0x0F, 0xB7, 0x4E, 0x18,        // chs:    movzx ecx,word [bp+18h]
    0x66, 0x99,                          //         cdq
    0x66, 0xF7, 0xF1,                    //         div ecx
    0x42,                                //         inc dx
    0x88, 0xD1,                          //         mov cl,dl
    0x66, 0x0F, 0xB7, 0x76, 0x1A,        //         movzx esi,word [bp+1Ah]
    0x66, 0x99,                          //         cdq
    0x66, 0xF7, 0xF6,                    //         div esi
    0x88, 0xD6,                          //         mov dh,dl
    0x8A, 0x56, 0x24,                    //         mov dl,[bp+drive]
    0x88, 0xC5,                          //         mov ch,al
    0xC0, 0xE4, 0x06,                    //         shl ah,6
    0x08, 0xE1,                          //         or cl,ah
    0xB8, 0x01, 0x02,                    //         mov ax,201h
    0xCD, 0x13,                          //         int 13h
    0x66, 0x61,                          // done:   popad
    0x72, 0x01,                          //         jc fail
    0xC3,                                //         ret
    0xBE, 0x77, 0x7D,                    // fail:   mov si,text
    0xAC,                                // next_c: lodsb
    0x3C, 0x00,                          //         cmp al,0
    0x74, 0x09,                          //         je stop
    0xB4, 0x0E,                          //         mov ah,0Eh
    0xBB, 0x07, 0x00,                    //         mov bx,7
    0xCD, 0x10,                          //         int 10h
    0xEB, 0xF2,                          //         jmp short next_c
    0xCD, 0x18,                          // stop:   int 18h
    // text:   db "No KERNEL.SYS",13,10,0
    0x4E, 0x6F, 0x20, 0x4B, 0x45, 0x52, 0x4E, 0x45, 0x4C, 0x2E, 0x53, 0x59,
    0x53, 0x0D, 0x0A, 0x00,
    // name:   db "KERNEL  SYS"
    0x4B, 0x45, 0x52, 0x4E, 0x45, 0x4C, 0x20, 0x20, 0x53, 0x59, 0x53,
];
