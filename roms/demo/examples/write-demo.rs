//! Rewrites `roms/demo.bin`, and with an argument also the whole disk image of that name.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn main() -> std::io::Result<()> {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../demo.bin");
    let built = demo_disk::image::built();
    std::fs::write(kept, built)?;
    if let Some(path) = std::env::args().nth(1) {
        let mut disk = built.to_vec();
        disk.resize(demo_disk::DISK_BYTES, 0);
        std::fs::write(path, disk)?;
    }
    Ok(())
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
fn main() {
    eprintln!(
        "write-demo: this host's compiler has no x86 assembler; roms/demo.bin stays as it is"
    );
}
