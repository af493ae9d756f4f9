//! What the screen shows, as a file: a PNG picture, or the characters of a text mode.

use crate::exit::Mistake;
use crate::text;
use emu_core::host::Frame;
use machine::Machine;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// Writes what the screen shows at this moment; the file's ending says in which form.
pub fn write(machine: &mut Machine, path: &Path) -> Result<(), Mistake> {
    let fail = |e: &dyn std::fmt::Display| {
        Mistake::data(format!("{} cannot be written: {e}", path.display()))
    };
    if path.extension().is_some_and(|e| e == "txt") {
        let screen = machine
            .screen_text()
            .ok_or_else(|| fail(&"the screen is in a graphics mode and has no characters"))?;
        return std::fs::write(path, text::screen_string(&screen) + "\n").map_err(|e| fail(&e));
    }
    let mut frame = Frame::default();
    machine.scanout(&mut frame);
    if frame.width == 0 || frame.height == 0 {
        // A display that is off (or none at all) is a black picture of the size that it starts with.
        frame.resize(720, 400);
    }
    let file = File::create(path).map_err(|e| fail(&e))?;
    picture(&frame, BufWriter::new(file)).map_err(|e| fail(&e))
}

/// A PNG with a palette where the colours are few, as they are in all modes of 256 colours or less.
fn picture(frame: &Frame, out: impl std::io::Write) -> Result<(), png::EncodingError> {
    let (width, height) = (frame.width as u32, frame.height as u32);
    let mut encoder = png::Encoder::new(out, width, height);
    encoder.set_compression(png::Compression::High);
    encoder.set_depth(png::BitDepth::Eight);
    let rgb = |p: u32| [(p >> 16) as u8, (p >> 8) as u8, p as u8];
    let mut colours: BTreeMap<u32, u8> = BTreeMap::new();
    for pixel in &frame.pixels {
        if colours.len() <= 256 {
            colours.entry(*pixel).or_insert(0);
        }
    }
    let bytes: Vec<u8> = if colours.len() <= 256 {
        for (index, number) in (0..=u8::MAX).zip(colours.values_mut()) {
            *number = index;
        }
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_filter(png::Filter::NoFilter);
        encoder.set_palette(colours.keys().flat_map(|c| rgb(*c)).collect::<Vec<u8>>());
        frame.pixels.iter().map(|p| colours[p]).collect()
    } else {
        encoder.set_color(png::ColorType::Rgb);
        frame.pixels.iter().flat_map(|p| rgb(*p)).collect()
    };
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&bytes)?;
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encodes and decodes; gives the pixels and whether there was a palette.
    fn there_and_back(pixels: Vec<u32>, width: usize) -> (Vec<u32>, bool) {
        let height = pixels.len() / width;
        let frame = Frame {
            width,
            height,
            pixels,
        };
        let mut file = Vec::new();
        picture(&frame, &mut file).unwrap();
        let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let indexed = reader.info().color_type == png::ColorType::Indexed;
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut bytes).unwrap();
        let pixel = |b: &[u8]| u32::from_be_bytes([0, b[0], b[1], b[2]]);
        (bytes.chunks(3).map(pixel).collect(), indexed)
    }

    #[test]
    fn a_picture_keeps_every_pixel_with_few_colours_and_with_many() {
        let few: Vec<u32> = (0..1024).map(|i| (i % 256) * 0xABCD).collect();
        assert_eq!(there_and_back(few.clone(), 32), (few, true));
        let many: Vec<u32> = (0..1024).map(|i| (i % 257) * 0xABCD).collect();
        assert_eq!(there_and_back(many.clone(), 32), (many, false));
    }
}
