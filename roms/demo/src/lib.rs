//! The demo disk: a hardware tour that boots when `boxwood` is started with no argument.
//!
//! It is real code for a 386 or later, written as assembly in this crate's Rust files and assembled by the compiler
//! itself; no assembler is installed. [`image`] is the whole floppy; `roms/demo.bin` keeps the sectors that are
//! not zero, a test asserts that it is what the compiler assembles, and
//! `cargo run -p demo-disk --example write-demo` rewrites it.
//!
//! Memory: the boot sector stands at 0000:7C00, the program follows it directly, the stack grows down from 7C00h;
//! 2000h-23FFh are buffers, 20000h-3FFFFh belong to the protected-mode page. All segments are 0, so that an
//! offset is a linear address in protected mode too (`label-D`).

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod about;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod boot;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod colors;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod floppy;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub mod image;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod keyboard;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod menu;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod mode_x;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod mouse;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod pci;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod plasma;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod processor;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod protected;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod screen;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod speaker;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod timers;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod vbe;

use std::sync::LazyLock;

/// A 3.5 inch disk of 1.44 MB: 80 cylinders, 2 heads, 18 sectors of 512 bytes.
pub const DISK_BYTES: usize = 80 * 2 * 18 * 512;

/// The whole floppy disk.
pub fn image() -> &'static [u8] {
    static DISK: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut disk = include_bytes!("../../demo.bin").to_vec();
        disk.resize(DISK_BYTES, 0);
        disk
    });
    &DISK
}

/// The whole assembly text; [`mod@image`] assembles it.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
macro_rules! listing {
    () => {
        concat!(
            r#"
    .pushsection .rodata.boxwood_demo, "a", @progbits
    .balign 16
    .globl boxwood_demo_start
    .hidden boxwood_demo_start
boxwood_demo_start:
origin:
    .set D, origin - 0x7c00
    .code16
"#,
            $crate::boot::text!(),
            $crate::menu::text!(),
            $crate::screen::text!(),
            $crate::processor::text!(),
            $crate::colors::text!(),
            $crate::plasma::text!(),
            $crate::mode_x::text!(),
            $crate::vbe::text!(),
            $crate::timers::text!(),
            $crate::keyboard::text!(),
            $crate::mouse::text!(),
            $crate::pci::text!(),
            $crate::floppy::text!(),
            $crate::speaker::text!(),
            $crate::protected::text!(),
            $crate::about::text!(),
            r#"
program_end:
    # The rest of a FAT12 disk: two tables at sectors 64 and 73, the root directory at 82 with the volume's name.
    .org origin + 64*512
    .byte 0xf0, 0xff, 0xff
    .org origin + 73*512
    .byte 0xf0, 0xff, 0xff
    .org origin + 82*512
    .ascii "BOXWOODDEMO"
    .byte 0x08
    .org origin + 83*512
    .globl boxwood_demo_end
    .hidden boxwood_demo_end
boxwood_demo_end:
    .popsection
    .code64
"#
        )
    };
}
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(crate) use listing;

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails after a change of the assembly until `cargo run -p demo-disk --example write-demo` has run.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    #[test]
    fn the_kept_disk_is_the_assembled_one() {
        let kept = &include_bytes!("../../demo.bin")[..];
        assert!(image::built() == kept, "run write-demo");
    }

    #[test]
    fn the_disk_is_a_bootable_fat12_floppy_of_1440_kib() {
        let disk = image();
        assert_eq!(disk.len(), 1_474_560);
        assert_eq!(disk[510..512], [0x55, 0xaa]);
        let word = |at: usize| u16::from_le_bytes([disk[at], disk[at + 1]]);
        assert_eq!(word(11), 512, "bytes a sector");
        assert_eq!(word(19), 2880, "sectors");
        assert_eq!((word(24), word(26)), (18, 2), "sectors a track, heads");
        // The first table begins with the medium's byte, behind the reserved sectors.
        let table = usize::from(word(14)) * 512;
        assert_eq!(disk[table..table + 3], [0xf0, 0xff, 0xff]);
    }
}
