//! Rewrites the images, symbol files and checksums in `roms/` (or in the folder given).

fn main() -> std::io::Result<()> {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../roms");
    let dir = std::env::args().nth(1).unwrap_or_else(|| kept.to_owned());
    bios::write_roms(std::path::Path::new(&dir))
}
