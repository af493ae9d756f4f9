use crate::host::Frame;

/// One character cell of a text mode.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct TextCell {
    /// Character code (code page 437 in the usual fonts).
    pub character: u8,
    /// Attribute byte.
    pub attribute: u8,
}

/// What a text mode shows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TextScreen {
    /// Characters in a row.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// The cells, row by row.
    pub cells: Vec<TextCell>,
    /// Column and row of the cursor, if it is shown.
    pub cursor: Option<(usize, usize)>,
    /// The 16 colours that attributes name, as 00RRGGBB.
    pub palette: [u32; 16],
    /// Whether attribute bit 7 blinks (else it is a bright background).
    pub blink: bool,
}

/// A device with a picture.
pub trait Display {
    /// Draws the present picture, resizing the frame as needed.
    fn scanout(&mut self, frame: &mut Frame);
    /// The characters on the screen, if it is in a text mode.
    fn text(&self) -> Option<TextScreen>;
}
