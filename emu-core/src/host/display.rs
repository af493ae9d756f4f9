/// A picture: rows of 00RRGGBB pixels.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Frame {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The pixels, row by row.
    pub pixels: Vec<u32>,
}

impl Frame {
    /// Sets the size; a picture of another size starts black.
    pub fn resize(&mut self, width: usize, height: usize) {
        if (self.width, self.height) != (width, height) {
            self.width = width;
            self.height = height;
            self.pixels.clear();
            self.pixels.resize(width * height, 0);
        }
    }
}
