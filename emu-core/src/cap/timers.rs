use crate::cx::Cx;
use crate::event::TimerId;

/// Timers armed with [`Cx::arm`].
pub trait Timers {
    /// A timer fired; it is no longer armed. `cx.now()` may be a little past the deadline.
    fn expired(&mut self, timer: TimerId, cx: &mut Cx<'_>);
}
