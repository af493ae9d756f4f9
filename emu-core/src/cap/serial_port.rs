use crate::cx::Cx;

/// A port that receives characters from the host. What it sends goes to its own character back end.
pub trait SerialPort {
    /// How many characters the port can take now.
    fn receive_room(&self) -> usize;
    /// A character arrives.
    fn receive(&mut self, byte: u8, cx: &mut Cx<'_>);
}
