use crate::cx::Cx;

/// What an interrupt controller puts on the bus when it is acknowledged.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Acknowledge {
    /// A vector.
    Vector(u8),
    /// The cascade number of the slave that shall answer.
    Slave(u8),
    /// Nothing: the request came in from another controller behind this one, which shall answer (a local APIC's
    /// ExtINT).
    External,
}

/// The answer to an interrupt acknowledge cycle.
pub trait IntAck {
    /// Acknowledges the highest-priority request.
    fn acknowledge(&mut self, cx: &mut Cx<'_>) -> Acknowledge;
    /// Whether the controller, as a slave, answers to this cascade number. The board asks before it passes a
    /// [`Acknowledge::Slave`] on; where no slave answers, the vector is open bus.
    fn answers_to(&self, _cascade: u8) -> bool {
        true
    }
}
