//! Pictures of the screen as PNG files.

use crate::exit::Mistake;
use emu_core::host::Frame;
use machine::Machine;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// Writes what the screen shows at this moment.
pub fn write(machine: &mut Machine, path: &Path) -> Result<(), Mistake> {
    let mut frame = Frame::default();
    machine.scanout(&mut frame);
    if frame.width == 0 || frame.height == 0 {
        // A display that is off (or none at all) is a black picture of the size that it starts with.
        frame.resize(720, 400);
    }
    let fail = |e: &dyn std::fmt::Display| {
        Mistake::data(format!("{} cannot be written: {e}", path.display()))
    };
    let file = File::create(path).map_err(|e| fail(&e))?;
    let (width, height) = (frame.width as u32, frame.height as u32);
    let mut encoder = png::Encoder::new(BufWriter::new(file), width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let bytes: Vec<u8> = frame
        .pixels
        .iter()
        .flat_map(|p| [(p >> 16) as u8, (p >> 8) as u8, *p as u8])
        .collect();
    let mut writer = encoder.write_header().map_err(|e| fail(&e))?;
    writer.write_image_data(&bytes).map_err(|e| fail(&e))?;
    writer.finish().map_err(|e| fail(&e))
}
