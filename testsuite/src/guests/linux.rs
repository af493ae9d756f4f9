//! The initial RAM disks of the Linux guests. That for the i386 has one program, which shows /proc/interrupts and
//! switches the machine off; that for amd64 has busybox and a script that checks what its programs compute.
//!
//! Document: Tool Interface Standard, Executable and Linking Format 1.2. The program was written for the tests; it uses nothing
//! but system calls of the i386 (mount, open, read, write, ioctl, reboot).

use super::initramfs::Archive;
use super::package::PackageFile;
use super::selftests::{self, Programs};
use super::stress_ng;
use anyhow::Result;

/// Where the program is loaded, its headers in front of it.
const BASE: u32 = 0x0804_8000;
const HEADER_BYTES: u32 = 52;
const PROGRAM_HEADER_BYTES: u32 = 32;
/// The memory that it gets: a page for itself and one for what it reads.
const MEMORY_BYTES: u32 = 0x2000;

/// The program, linked to run at 08048054h.
#[rustfmt::skip]
const PROGRAM: &[u8] = &[
    0xB8, 0x15, 0x00, 0x00, 0x00,        //       mov eax,21          mount("proc", "/proc", "proc", 0, 0)
    0xBB, 0xD4, 0x80, 0x04, 0x08,        //       mov ebx,proc
    0xB9, 0xD3, 0x80, 0x04, 0x08,        //       mov ecx,folder
    0xBA, 0xD4, 0x80, 0x04, 0x08,        //       mov edx,proc
    0x31, 0xF6,                          //       xor esi,esi
    0x31, 0xFF,                          //       xor edi,edi
    0xCD, 0x80,                          //       int 80h
    0xB8, 0x05, 0x00, 0x00, 0x00,        //       mov eax,5           open("/proc/interrupts", O_RDONLY)
    0xBB, 0xD9, 0x80, 0x04, 0x08,        //       mov ebx,file
    0x31, 0xC9,                          //       xor ecx,ecx
    0xCD, 0x80,                          //       int 80h
    0x89, 0xC6,                          //       mov esi,eax
    0xB8, 0x03, 0x00, 0x00, 0x00,        // more: mov eax,3           read(file, 08049000h, 512)
    0x89, 0xF3,                          //       mov ebx,esi
    0xB9, 0x00, 0x90, 0x04, 0x08,        //       mov ecx,8049000h
    0xBA, 0x00, 0x02, 0x00, 0x00,        //       mov edx,512
    0xCD, 0x80,                          //       int 80h
    0x85, 0xC0,                          //       test eax,eax
    0x7E, 0x10,                          //       jle off
    0x89, 0xC2,                          //       mov edx,eax
    0xB8, 0x04, 0x00, 0x00, 0x00,        //       mov eax,4           write(1, 08049000h, what was read)
    0xBB, 0x01, 0x00, 0x00, 0x00,        //       mov ebx,1
    0xCD, 0x80,                          //       int 80h
    0xEB, 0xD9,                          //       jmp more
    0xB8, 0x36, 0x00, 0x00, 0x00,        // off:  mov eax,54          ioctl(1, TCSBRK, 1): until all is sent
    0xBB, 0x01, 0x00, 0x00, 0x00,        //       mov ebx,1
    0xB9, 0x09, 0x54, 0x00, 0x00,        //       mov ecx,5409h
    0xBA, 0x01, 0x00, 0x00, 0x00,        //       mov edx,1
    0xCD, 0x80,                          //       int 80h
    0xB8, 0x58, 0x00, 0x00, 0x00,        //       mov eax,88          reboot(.., .., LINUX_REBOOT_CMD_POWER_OFF)
    0xBB, 0xAD, 0xDE, 0xE1, 0xFE,        //       mov ebx,0FEE1DEADh
    0xB9, 0x69, 0x19, 0x12, 0x28,        //       mov ecx,28121969h
    0xBA, 0xDC, 0xFE, 0x21, 0x43,        //       mov edx,4321FEDCh
    0xCD, 0x80,                          //       int 80h
    0xEB, 0xFE,                          //       jmp $
    b'/',                                // folder:
    b'p', b'r', b'o', b'c', 0,           // proc:
    b'/', b'p', b'r', b'o', b'c', b'/',  // file:
    b'i', b'n', b't', b'e', b'r', b'r', b'u', b'p', b't', b's', 0,
];

/// The program as an executable file for the i386, with one segment that may be read, written and executed.
fn executable() -> Vec<u8> {
    let entry = BASE + HEADER_BYTES + PROGRAM_HEADER_BYTES;
    let bytes = HEADER_BYTES + PROGRAM_HEADER_BYTES + PROGRAM.len() as u32;
    let mut file = b"\x7FELF\x01\x01\x01".to_vec();
    file.resize(16, 0);
    // Type executable, machine 80386.
    file.extend([2, 0, 3, 0]);
    for value in [1, entry, HEADER_BYTES, 0, 0] {
        file.extend(u32::to_le_bytes(value));
    }
    for value in [HEADER_BYTES, PROGRAM_HEADER_BYTES, 1, 0, 0, 0] {
        file.extend((value as u16).to_le_bytes());
    }
    // Loadable, all three rights, aligned to pages.
    for value in [1, 0, BASE, BASE, bytes, MEMORY_BYTES, 7, 0x1000] {
        file.extend(u32::to_le_bytes(value));
    }
    file.extend(PROGRAM);
    file
}

/// What an initial RAM disk holds.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum RamDisk {
    /// [`PROGRAM`].
    I386,
    /// busybox and [`SCRIPT`].
    Busybox,
    /// stress-ng, with what it needs.
    StressNg,
    /// The kernel's own tests of x86.
    Selftests(Programs),
}

/// Debian's busybox, linked statically.
pub const BUSYBOX: PackageFile = PackageFile {
    package: "busybox-static",
    path: "/bin/busybox",
};

/// The script that is /init beside busybox.
const SCRIPT: &str = "\
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
export PATH=/bin
exec </dev/ttyS0 >/dev/ttyS0 2>&1
echo machine $(uname -m)
head -c 1000000 /dev/zero | sha256sum
seq 1 5000 | awk '{print ($1*7919)%60013}' | sort -n | md5sum
gzip -c /bin/busybox | gzip -dc | cmp - /bin/busybox && echo gzip is right
i=0; while [ $i -lt 20 ]; do /bin/true & i=$((i+1)); done; wait; echo $i processes
sleep 1
poweroff -f
";
/// Of what every kernel is told: the kernel's tests of its own ciphers would take longer than all else.
pub const COMMAND_LINE: &str = "console=ttyS0 panic=-1 cryptomgr.notests";
/// The names on a disk.
pub const KERNEL_FILE: &str = "vmlinuz";
pub const RAM_DISK_FILE: &str = "initrd";
/// What the script sends; the sums are what coreutils and mawk compute.
pub const SCRIPT_SENDS: [&str; 5] = [
    "machine x86_64",
    "d29751f2649b32ff572b5e0a9f541ea660a50f94ff0beedfb0b692b924cc8025  -",
    "e661a9f6f39c1b07c87f941175ea1fe4  -",
    "gzip is right",
    "20 processes",
];

impl RamDisk {
    /// The files of packages that it is made from.
    pub fn files(self) -> Vec<PackageFile> {
        match self {
            Self::I386 => Vec::new(),
            Self::Busybox => vec![BUSYBOX],
            Self::StressNg => [&[BUSYBOX], &stress_ng::FILES[..]].concat(),
            Self::Selftests(_) => selftests::files(),
        }
    }

    /// The archive.
    pub fn make(self) -> Result<Vec<u8>> {
        let mut archive = Archive::default();
        match self {
            Self::I386 => {
                archive.folder("proc");
                archive.file("init", &executable());
            }
            Self::Busybox => {
                archive.packaged(&[BUSYBOX])?;
                archive.file("init", SCRIPT.as_bytes());
            }
            Self::StressNg => return stress_ng::make(),
            Self::Selftests(programs) => return selftests::make(programs),
        }
        Ok(archive.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_linked_where_its_strings_are() {
        let file = executable();
        let at = |address: usize| &file[address - BASE as usize..];
        assert_eq!(&file[24..28], [0x54, 0x80, 0x04, 0x08], "entry");
        assert!(at(0x0804_80D3).starts_with(b"/proc\0"));
        assert!(at(0x0804_80D9).starts_with(b"/proc/interrupts\0"));
    }
}
