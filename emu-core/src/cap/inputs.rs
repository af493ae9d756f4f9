use crate::cx::Cx;
use crate::wire::Pin;

/// Input pins.
pub trait Inputs {
    /// The level at a pin changed.
    fn input(&mut self, pin: Pin, high: bool, cx: &mut Cx<'_>);
}
