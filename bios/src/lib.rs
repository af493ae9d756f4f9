//! Guest firmware: the system BIOS and the VGA BIOS.
//!
//! The firmware is real 16-bit code that runs on the emulated CPU. It is written as assembly in Rust
//! source files ([`system`], `vga`), assembled by the compiler itself through `global_asm!`, placed in a
//! read-only section of the host program and read back as bytes ([`image`]). No assembler is
//! installed. The built images are kept in `roms/`, so that hosts whose compiler cannot assemble x86
//! code have them too; a test asserts that the kept and the freshly assembled images agree.
//!
//! [`system_image`] is what a machine maps below 1 MiB and below 4 GiB. [`acpi`] makes the tables that the machine
//! offers to whatever firmware it runs.

pub mod acpi;
pub mod image;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod linux_boot;
pub mod roms;
mod sha256;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod system;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod vga;

#[cfg(test)]
mod system_tests;

pub use roms::write_roms;

/// The system BIOS as it is kept in `roms/bios.bin`: 64 KiB, mapped so that its last byte is the last
/// byte below 1 MiB and below 4 GiB.
pub fn system_image() -> &'static [u8] {
    include_bytes!("../../roms/bios.bin")
}

/// The symbols of [`system_image`], as text: one `address name` pair a line, the address linear, in
/// hexadecimal.
pub fn system_symbols() -> &'static str {
    include_str!("../../roms/bios.sym")
}

/// The VGA BIOS as it is kept in `roms/vgabios.bin`: an expansion ROM for C000:0000 and for the VGA's
/// expansion-ROM base address register.
pub fn vga_image() -> &'static [u8] {
    include_bytes!("../../roms/vgabios.bin")
}

/// The Linux loader as it is kept in `roms/linux-boot.bin`: an expansion ROM that boots the kernel which the machine
/// offers through fw_cfg.
pub fn linux_boot_image() -> &'static [u8] {
    include_bytes!("../../roms/linux-boot.bin")
}

/// The symbols of [`vga_image`], as [`system_symbols`] has them.
pub fn vga_symbols() -> &'static str {
    include_str!("../../roms/vgabios.sym")
}
