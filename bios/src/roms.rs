//! Writing the built images into `roms/`.

use std::path::Path;

/// Every image that this host can assemble.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub fn built_images() -> Vec<crate::image::Image> {
    vec![
        crate::image::built_system(),
        crate::image::built_vga(),
        crate::image::built_linux_boot(),
    ]
}

/// Every image that this host can assemble: none, its compiler has no x86 assembler.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
pub fn built_images() -> Vec<crate::image::Image> {
    Vec::new()
}

/// Writes each image (`NAME.bin`), its symbols (`NAME.sym`) and the checksums of all files of the
/// folder (`SHA256SUMS`, as `sha256sum -c` reads it).
pub fn write_roms(dir: &Path) -> std::io::Result<()> {
    for image in built_images() {
        std::fs::write(dir.join(image.name).with_extension("bin"), &image.bytes)?;
        std::fs::write(
            dir.join(image.name).with_extension("sym"),
            image.symbol_file(),
        )?;
    }
    write_sums(dir)
}

/// Rewrites `SHA256SUMS` over the images and symbol files that stand in `dir`.
pub fn write_sums(dir: &Path) -> std::io::Result<()> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kept = ["bin", "sym", "img"]
            .iter()
            .any(|ending| Path::new(&name).extension().is_some_and(|e| e == *ending));
        if kept && entry.file_type()?.is_file() {
            names.push(name);
        }
    }
    names.sort();
    let mut sums = String::new();
    for name in names {
        let digest = crate::sha256::digest(&std::fs::read(dir.join(&name))?);
        sums.extend(digest.iter().map(|byte| format!("{byte:02x}")));
        sums.push_str(&format!("  {name}\n"));
    }
    std::fs::write(dir.join("SHA256SUMS"), sums)
}

#[cfg(test)]
mod tests {
    /// Fails after a change of the assembly until `cargo run -p bios --example write-roms` has run.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    #[test]
    fn the_kept_system_image_is_the_assembled_one() {
        let built = crate::image::built_system();
        assert!(built.bytes == crate::system_image(), "run write-roms");
        assert!(
            built.symbol_file() == crate::system_symbols(),
            "run write-roms"
        );
        let loader = crate::image::built_linux_boot();
        assert!(loader.bytes == crate::linux_boot_image(), "run write-roms");
    }

    #[test]
    fn the_linux_loader_is_an_expansion_rom_with_a_boot_entry() {
        let rom = crate::linux_boot_image();
        assert_eq!(rom[..2], [0x55, 0xAA]);
        assert_eq!(rom.len(), usize::from(rom[2]) * 512);
        let sum = |bytes: &[u8]| bytes.iter().fold(0u8, |s, &b| s.wrapping_add(b));
        assert_eq!(sum(rom), 0);
        let pnp = usize::from(u16::from_le_bytes([rom[0x1A], rom[0x1B]]));
        let header = &rom[pnp..pnp + 32];
        assert_eq!(&header[..4], b"$PnP");
        assert_eq!(sum(header), 0);
        let entry = u16::from_le_bytes([header[0x1A], header[0x1B]]);
        assert!(entry != 0 && usize::from(entry) < rom.len());
    }

    #[test]
    fn the_system_image_ends_with_the_reset_vector_and_the_model_byte() {
        let image = crate::system_image();
        assert_eq!(image.len(), 0x1_0000);
        // jmp far F000:E05B; date of 8 characters; model byte of a PC/AT.
        assert_eq!(image[0xfff0..0xfff5], [0xea, 0x5b, 0xe0, 0x00, 0xf0]);
        assert_eq!(image[0xfff7], b'/');
        assert_eq!(image[0xfffe], 0xfc);
    }
}
