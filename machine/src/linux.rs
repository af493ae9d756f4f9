//! Booting Linux without a drive: the kernel, its command line and its initial RAM disk as files of the host.
//!
//! Document: the Linux kernel's "The Linux/x86 Boot Protocol" (Documentation/arch/x86/boot.rst). The kernel is entered
//! through its real-mode code, by an expansion ROM that firmware runs: memory map, video mode and all else that the
//! kernel asks the BIOS for come from whatever firmware the machine has. This module checks the kernel's header, chooses
//! the places of all parts and fills in what a boot loader has to.
//!
//! **Not implemented**: zImage (a kernel that is loaded low), protocols before 2.02 (Linux 2.4.0-test3), the 32-bit,
//! 64-bit and EFI handover entries; `mem=` in the command line does not move the initial RAM disk.

use crate::snapshot::MediaIdentity;
use crate::spec::LinuxSpec;
use chipset::fw_cfg::Contents;
use chipset::fw_cfg::spec as fw_cfg;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The real-mode part's place: a segment of its own for it, its heap and its stack.
const SETUP_ADDRESS: u32 = 0x1_0000;
/// The command line's: behind that segment.
const COMMAND_LINE_ADDRESS: u32 = 0x2_0000;
/// Where a bzImage's protected-mode part is loaded.
const KERNEL_ADDRESS: u32 = 0x10_0000;
/// The end of the heap in the real-mode segment, less 200h (boot.rst, "heap_end_ptr").
const HEAP_END: u16 = 0xE000 - 0x200;
/// What firmware may keep of the end of memory for its tables: the initial RAM disk stays below.
const FIRMWARE_BYTES: u64 = 1 << 20;
const PAGE: u64 = 4096;

/// Offsets of header fields in the file (boot.rst, "The real-mode kernel header").
mod at {
    pub const SETUP_SECTS: usize = 0x1F1;
    pub const VID_MODE: usize = 0x1FA;
    pub const BOOT_FLAG: usize = 0x1FE;
    pub const JUMP: usize = 0x200;
    pub const HEADER: usize = 0x202;
    pub const VERSION: usize = 0x206;
    pub const TYPE_OF_LOADER: usize = 0x210;
    pub const LOADFLAGS: usize = 0x211;
    pub const RAMDISK_IMAGE: usize = 0x218;
    pub const RAMDISK_SIZE: usize = 0x21C;
    pub const HEAP_END_PTR: usize = 0x224;
    pub const CMD_LINE_PTR: usize = 0x228;
    pub const INITRD_ADDR_MAX: usize = 0x22C;
    pub const CMDLINE_SIZE: usize = 0x238;
    pub const PREF_ADDRESS: usize = 0x258;
    pub const INIT_SIZE: usize = 0x260;
}

const LOADED_HIGH: u8 = 1 << 0;
const CAN_USE_HEAP: u8 = 1 << 7;
/// A boot loader without a number of its own.
const LOADER_UNDEFINED: u8 = 0xFF;
/// Sectors of setup code where the header says 0.
const SETUP_SECTS_DEFAULT: usize = 4;
/// The most that fits below the heap.
const SETUP_SECTS_MAX: usize = 63;
const SECTOR: usize = 512;
/// Without the field cmdline_size (before 2.06), and without initrd_addr_max (before 2.03).
const COMMAND_LINE_MAX_OLD: u32 = 255;
const INITRD_MAX_OLD: u32 = 0x37FF_FFFF;

/// Why a kernel cannot be booted.
#[derive(Debug, thiserror::Error)]
pub enum LinuxError {
    /// A file that cannot be read.
    #[error("the {what} {path} cannot be read: {reason}")]
    Unreadable {
        /// Which.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// No kernel.
    #[error(
        "{0} is no Linux kernel for the x86: it has no boot header (55h AAh at 1FEh, \"HdrS\" at 202h)"
    )]
    NotAKernel(PathBuf),
    /// A kernel that ends before its setup code does.
    #[error(
        "the kernel {path} is cut short: its setup code alone has {setup} bytes, the file {bytes}"
    )]
    CutShort {
        /// Which.
        path: PathBuf,
        /// Bytes of the setup code.
        setup: usize,
        /// Bytes of the file.
        bytes: usize,
    },
    /// More setup code than there is room for.
    #[error("the kernel {path} says that it has {0} sectors of setup code; there is room for {SETUP_SECTS_MAX}", .sectors)]
    SetupTooLarge {
        /// Which.
        path: PathBuf,
        /// How many.
        sectors: usize,
    },
    /// An old boot protocol.
    #[error("the kernel {path} has the boot protocol {}.{:02}; it takes 2.02 or later (Linux 2.4)", .version >> 8, .version & 0xFF)]
    TooOld {
        /// Which.
        path: PathBuf,
        /// Its protocol.
        version: u16,
    },
    /// A zImage.
    #[error("the kernel {0} is a zImage, which is loaded below 640 KiB; it takes a bzImage")]
    LoadedLow(PathBuf),
    /// A long command line.
    #[error("the command line has {bytes} characters; the kernel {path} takes {most}")]
    CommandLine {
        /// Which kernel.
        path: PathBuf,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        most: u32,
    },
    /// Little memory.
    #[error(
        "the {what} {path} does not fit into {memory_kib} KiB of memory: {wanted_kib} KiB are needed"
    )]
    TooLarge {
        /// Which.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What there is.
        memory_kib: u64,
        /// What it takes.
        wanted_kib: u64,
    },
    /// An initial RAM disk that does not fit between the kernel and the highest address that the kernel takes.
    #[error(
        "the initial RAM disk {path} of {bytes} bytes does not fit between the kernel and {end:X}h, the highest address that this kernel takes"
    )]
    InitrdTooHigh {
        /// Which.
        path: PathBuf,
        /// How large.
        bytes: u64,
        /// The limit.
        end: u64,
    },
}

/// A kernel that is ready to be put into memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Linux {
    setup: Vec<u8>,
    kernel: Vec<u8>,
    command_line: Vec<u8>,
    initrd: Vec<u8>,
    initrd_address: u32,
}

fn read(what: &'static str, path: &Path, memory_bytes: u64) -> Result<Vec<u8>, LinuxError> {
    let unreadable = |reason| LinuxError::Unreadable {
        what,
        path: path.to_path_buf(),
        reason,
    };
    // A pipe would keep us waiting.
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(unreadable(std::io::Error::other("it is no regular file")));
    }
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    // One byte more than memory has, so that a file that is too long is noticed without reading all of it.
    file.take(memory_bytes + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > memory_bytes {
        return Err(LinuxError::TooLarge {
            what,
            path: path.to_path_buf(),
            memory_kib: memory_bytes / 1024,
            wanted_kib: metadata.len().div_ceil(1024),
        });
    }
    Ok(bytes)
}

/// A little-endian field; 0 where the file is shorter.
fn field<const N: usize>(bytes: &[u8], at: usize) -> u64 {
    let mut value = [0; 8];
    for (i, b) in value.iter_mut().take(N).enumerate() {
        *b = bytes.get(at + i).copied().unwrap_or(0);
    }
    u64::from_le_bytes(value)
}

fn set(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at + value.len()) {
        place.copy_from_slice(value);
    }
}

/// The video mode that `vga=` asks for (boot.rst, "Special command line options").
fn video_mode(command_line: &str) -> u16 {
    let asked = command_line
        .split_ascii_whitespace()
        .filter_map(|word| word.strip_prefix("vga="))
        .next_back();
    match asked {
        None | Some("normal") => 0xFFFF,
        Some("ext") => 0xFFFE,
        Some("ask") => 0xFFFD,
        Some(number) => match number.strip_prefix("0x") {
            Some(hex) => u16::from_str_radix(hex, 16),
            None => number.parse(),
        }
        .unwrap_or(0xFFFF),
    }
}

impl Linux {
    /// Reads the files and finds a place for each part.
    pub fn open(spec: &LinuxSpec, memory_bytes: u64) -> Result<Self, LinuxError> {
        let kernel = read("kernel", &spec.kernel, memory_bytes)?;
        let initrd = match &spec.initrd {
            Some(path) => read("initial RAM disk", path, memory_bytes)?,
            None => Vec::new(),
        };
        Self::place(spec, kernel, initrd, memory_bytes)
    }

    fn place(
        spec: &LinuxSpec,
        file: Vec<u8>,
        initrd: Vec<u8>,
        memory_bytes: u64,
    ) -> Result<Self, LinuxError> {
        let path = spec.kernel.clone();
        if field::<2>(&file, at::BOOT_FLAG) != 0xAA55
            || file.get(at::HEADER..at::HEADER + 4) != Some(b"HdrS")
        {
            return Err(LinuxError::NotAKernel(path));
        }
        let version = field::<2>(&file, at::VERSION) as u16;
        if version < 0x0202 {
            return Err(LinuxError::TooOld { path, version });
        }
        if field::<1>(&file, at::LOADFLAGS) as u8 & LOADED_HIGH == 0 {
            return Err(LinuxError::LoadedLow(path));
        }
        let sectors = match field::<1>(&file, at::SETUP_SECTS) as usize {
            0 => SETUP_SECTS_DEFAULT,
            n => n,
        };
        if sectors > SETUP_SECTS_MAX {
            return Err(LinuxError::SetupTooLarge { path, sectors });
        }
        let setup_bytes = (sectors + 1) * SECTOR;
        if file.len() <= setup_bytes {
            return Err(LinuxError::CutShort {
                path,
                setup: setup_bytes,
                bytes: file.len(),
            });
        }
        let most = match version {
            0x0206.. => field::<4>(&file, at::CMDLINE_SIZE) as u32,
            _ => COMMAND_LINE_MAX_OLD,
        };
        // Memory from there to the video memory is free, less what firmware keeps at its end.
        let most = most.min(0x7_0000);
        if spec.append.len() > most as usize {
            return Err(LinuxError::CommandLine {
                path,
                bytes: spec.append.len(),
                most,
            });
        }
        let (head, kernel) = file.split_at(setup_bytes);
        // What the kernel needs before it knows of the RAM disk: its own length, and room to unpack itself (2.10).
        let mut kernel_end = u64::from(KERNEL_ADDRESS) + kernel.len() as u64;
        // The header ends where its jump leads; fields behind that are code.
        let header_end = at::JUMP + 2 + field::<1>(&file, at::JUMP + 1) as usize;
        if version >= 0x020A && header_end >= at::INIT_SIZE + 4 {
            let preferred = field::<8>(head, at::PREF_ADDRESS).max(u64::from(KERNEL_ADDRESS));
            kernel_end = kernel_end.max(preferred.saturating_add(field::<4>(head, at::INIT_SIZE)));
        }
        let top = memory_bytes.saturating_sub(FIRMWARE_BYTES);
        let too_large = |what, path: &Path, wanted: u64| LinuxError::TooLarge {
            what,
            path: path.to_path_buf(),
            memory_kib: memory_bytes / 1024,
            wanted_kib: wanted.saturating_add(FIRMWARE_BYTES).div_ceil(1024),
        };
        if kernel_end > top {
            return Err(too_large("kernel", &path, kernel_end));
        }
        let mut initrd_address = 0;
        if let Some(name) = &spec.initrd
            && !initrd.is_empty()
        {
            let len = initrd.len() as u64;
            let limit = match version {
                0x0203.. => field::<4>(head, at::INITRD_ADDR_MAX) + 1,
                _ => u64::from(INITRD_MAX_OLD) + 1,
            };
            let place = |end: u64| {
                let start = end.checked_sub(len)? & !(PAGE - 1);
                (start >= kernel_end).then_some(start)
            };
            let start = place(top.min(limit));
            initrd_address = match start {
                Some(start) => start as u32,
                None if limit < top && place(top).is_some() => {
                    return Err(LinuxError::InitrdTooHigh {
                        path: name.clone(),
                        bytes: len,
                        end: limit - 1,
                    });
                }
                None => {
                    let wanted = kernel_end.saturating_add(len);
                    return Err(too_large("initial RAM disk", name, wanted));
                }
            };
        }
        let mut setup = head.to_vec();
        set(
            &mut setup,
            at::VID_MODE,
            &video_mode(&spec.append).to_le_bytes(),
        );
        set(&mut setup, at::TYPE_OF_LOADER, &[LOADER_UNDEFINED]);
        let flags = setup[at::LOADFLAGS] | CAN_USE_HEAP;
        set(&mut setup, at::LOADFLAGS, &[flags]);
        set(&mut setup, at::HEAP_END_PTR, &HEAP_END.to_le_bytes());
        set(
            &mut setup,
            at::CMD_LINE_PTR,
            &COMMAND_LINE_ADDRESS.to_le_bytes(),
        );
        set(&mut setup, at::RAMDISK_IMAGE, &initrd_address.to_le_bytes());
        let initrd_bytes = initrd.len() as u32;
        set(&mut setup, at::RAMDISK_SIZE, &initrd_bytes.to_le_bytes());
        let mut command_line = spec.append.clone().into_bytes();
        command_line.push(0);
        Ok(Self {
            setup,
            kernel: kernel.to_vec(),
            command_line,
            initrd,
            initrd_address,
        })
    }

    /// What snapshots remember: firmware may yet have to read it.
    pub fn identities(&self, spec: &LinuxSpec) -> Vec<MediaIdentity> {
        let of = |drive: &str, path: &Path, bytes: usize| MediaIdentity {
            drive: drive.to_string(),
            medium: path.display().to_string(),
            sectors: bytes.div_ceil(SECTOR) as u64,
        };
        let bytes = self.setup.len() + self.kernel.len();
        let mut all = vec![of("the kernel", &spec.kernel, bytes)];
        if let Some(path) = &spec.initrd {
            all.push(of("the initial RAM disk", path, self.initrd.len()));
        }
        all
    }

    /// The items and files by which the loader and firmware find it all.
    pub fn offer(self, contents: Contents) -> Result<Contents, chipset::fw_cfg::ContentsError> {
        let size = |bytes: &[u8]| (bytes.len() as u32).to_le_bytes();
        let contents = contents
            .item(fw_cfg::ITEM_KERNEL_ADDRESS, KERNEL_ADDRESS.to_le_bytes())
            .item(fw_cfg::ITEM_KERNEL_SIZE, size(&self.kernel))
            .item(fw_cfg::ITEM_KERNEL_DATA, self.kernel)
            .item(
                fw_cfg::ITEM_INITRD_ADDRESS,
                self.initrd_address.to_le_bytes(),
            )
            .item(fw_cfg::ITEM_INITRD_SIZE, size(&self.initrd))
            .item(fw_cfg::ITEM_INITRD_DATA, self.initrd)
            .item(
                fw_cfg::ITEM_COMMAND_LINE_ADDRESS,
                COMMAND_LINE_ADDRESS.to_le_bytes(),
            )
            .item(fw_cfg::ITEM_COMMAND_LINE_SIZE, size(&self.command_line))
            .item(fw_cfg::ITEM_COMMAND_LINE_DATA, self.command_line)
            .item(fw_cfg::ITEM_SETUP_ADDRESS, SETUP_ADDRESS.to_le_bytes())
            .item(fw_cfg::ITEM_SETUP_SIZE, size(&self.setup))
            .item(fw_cfg::ITEM_SETUP_DATA, self.setup);
        // SeaBIOS goes by this file, our BIOS by CMOS.
        contents
            .file("genroms/linux-boot.bin", bios::linux_boot_image())?
            .file("bootorder", *b"/rom@genroms/linux-boot.bin\0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use emu_core::testkit::Rng;

    const MIB: u64 = 1 << 20;

    fn spec(append: &str, initrd: bool) -> LinuxSpec {
        LinuxSpec {
            kernel: "vmlinuz".into(),
            initrd: initrd.then(|| "initrd.gz".into()),
            append: append.into(),
        }
    }

    /// A bzImage of protocol 2.12 with three sectors of setup code and a protected-mode part of 1000 bytes.
    fn kernel() -> Vec<u8> {
        let mut k = vec![0x90; 4 * 512 + 1000];
        k[..0x280].fill(0);
        set(&mut k, 0x1F1, &[3]);
        set(&mut k, 0x1FE, &[0x55, 0xAA, 0xEB, 0x66]);
        set(&mut k, 0x202, b"HdrS");
        set(&mut k, 0x206, &[0x0C, 0x02]);
        set(&mut k, 0x211, &[1]);
        set(&mut k, 0x22C, &0x7FFF_FFFFu32.to_le_bytes());
        set(&mut k, 0x238, &2047u32.to_le_bytes());
        set(&mut k, 0x258, &(16 * MIB).to_le_bytes());
        set(&mut k, 0x260, &(8 * MIB as u32).to_le_bytes());
        k
    }

    fn placed(file: Vec<u8>, initrd: u64, memory_mib: u64) -> Result<Linux, String> {
        let spec = spec("console=ttyS0", initrd > 0);
        Linux::place(&spec, file, vec![7; initrd as usize], memory_mib * MIB)
            .map_err(|e| e.to_string())
    }

    #[test]
    fn the_header_is_filled_in_as_the_protocol_wants() {
        let linux = placed(kernel(), 5 * MIB + 1, 64).unwrap();
        let at = |at, n| linux.setup[at..at + n].to_vec();
        assert_eq!(linux.setup.len(), 2048);
        assert_eq!(linux.kernel.len(), 1000);
        assert_eq!(at(0x1FA, 2), [0xFF, 0xFF]);
        assert_eq!(at(0x210, 1), [0xFF]);
        assert_eq!(at(0x211, 1), [0x81]);
        assert_eq!(at(0x224, 2), [0x00, 0xDE]);
        assert_eq!(at(0x228, 4), [0, 0, 2, 0]);
        // 63 MiB less 5 MiB and a byte, on a page: 39FF000h.
        assert_eq!(at(0x218, 4), [0x00, 0xF0, 0x9F, 0x03]);
        assert_eq!(at(0x21C, 4), [0x01, 0x00, 0x50, 0x00]);
        assert_eq!(linux.command_line, b"console=ttyS0\0");
    }

    #[test]
    fn the_ram_disk_stays_below_the_kernels_limit() {
        let mut k = kernel();
        set(&mut k, 0x22C, &0x01FF_FFFFu32.to_le_bytes());
        assert_eq!(
            placed(k.clone(), MIB, 64).unwrap().initrd_address,
            0x1F0_0000
        );
        let e = placed(k, 9 * MIB, 64).unwrap_err();
        assert!(e.contains("between the kernel and 1FFFFFFh"), "{e}");
    }

    #[test]
    fn what_is_no_bzimage_is_refused_with_a_sentence() {
        let broken = |f: fn(&mut Vec<u8>)| {
            let mut k = kernel();
            f(&mut k);
            placed(k, 0, 64).unwrap_err()
        };
        for (f, words) in [
            ((|k| k.clear()) as fn(&mut Vec<u8>), "no Linux kernel"),
            (|k| k.truncate(0x202), "no Linux kernel"),
            (|k| k[0x1FE] = 0, "no Linux kernel"),
            (|k| k[0x202] = b'h', "no Linux kernel"),
            (|k| k.truncate(2048), "cut short"),
            (|k| k[0x1F1] = 0, "its setup code alone has 2560 bytes"),
            (|k| k[0x1F1] = 64, "64 sectors of setup code"),
            (|k| k[0x206] = 1, "protocol 2.01"),
            (|k| k[0x211] = 0, "zImage"),
            (|k| set(k, 0x238, &5u32.to_le_bytes()), "takes 5"),
            (|k| set(k, 0x260, &[0xFF; 4]), "does not fit into 65536 KiB"),
            (|k| set(k, 0x258, &[0xFF; 8]), "does not fit into 65536 KiB"),
        ] {
            let e = if words.starts_with("its") {
                // Four sectors of setup code where the header says none, in a file that has fewer.
                let mut k = kernel();
                f(&mut k);
                k.truncate(2500);
                placed(k, 0, 64).unwrap_err()
            } else {
                broken(f)
            };
            assert!(e.contains(words), "{e}");
        }
        assert!(placed(kernel(), 0, 24).unwrap_err().contains("the kernel"));
        let e = placed(kernel(), 50 * MIB, 64).unwrap_err();
        assert!(e.contains("initial RAM disk"), "{e}");
    }

    #[test]
    fn an_older_kernel_has_the_limits_of_its_protocol() {
        let mut k = kernel();
        set(&mut k, 0x206, &[0x02, 0x02]);
        let linux = placed(k.clone(), MIB, 2048).unwrap();
        assert_eq!(linux.initrd_address, 0x37F0_0000);
        let long = "x".repeat(256);
        let e = Linux::place(&spec(&long, false), k, Vec::new(), 64 * MIB).unwrap_err();
        assert!(e.to_string().contains("takes 255"), "{e}");
    }

    #[test]
    fn the_command_line_asks_for_a_video_mode() {
        for (text, mode) in [
            ("quiet", 0xFFFF),
            ("vga=normal", 0xFFFF),
            ("a vga=ext", 0xFFFE),
            ("vga=ask b", 0xFFFD),
            ("vga=791", 791),
            ("vga=0x317", 0x317),
            ("vga=1 vga=0x0f00", 0xF00),
            ("vga=what", 0xFFFF),
        ] {
            assert_eq!(video_mode(text), mode, "{text}");
        }
    }

    #[test]
    fn damaged_headers_neither_panic_nor_overflow() {
        let mut rng = Rng::new(3);
        for _ in 0..20_000 {
            let mut k = kernel();
            for _ in 0..=rng.below(6) {
                let at = 0x1F0 + rng.below(0x80) as usize;
                k[at] = [0, 1, 0x7F, 0x80, 0xFF, rng.next_u64() as u8][rng.below(6) as usize];
            }
            if rng.below(8) == 0 {
                k.truncate(rng.below(k.len() as u64) as usize);
            }
            let memory = 1 + rng.below(64);
            if let Ok(linux) = placed(k, rng.below(3) * 4096, memory) {
                let end = u64::from(linux.initrd_address) + linux.initrd.len() as u64;
                assert!(end <= memory * MIB);
                assert!(linux.setup.len() <= 0x8000);
            }
        }
    }
}
