use crate::cx::Cx;
use crate::host::HostEvent;

/// Events from outside: keys, mouse, media. All arrive through the board's one log, stamped with guest time; the
/// board sends each to the device that it is for.
pub trait HostInput {
    /// Takes an event; one that does not concern the device is ignored.
    fn host_input(&mut self, event: HostEvent, cx: &mut Cx<'_>);
}
