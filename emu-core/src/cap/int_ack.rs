use crate::cx::Cx;

/// What an interrupt controller puts on the bus when it is acknowledged.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Acknowledge {
    /// A vector.
    Vector(u8),
    /// The cascade number of the slave that shall answer.
    Slave(u8),
}

/// The answer to an interrupt acknowledge cycle.
pub trait IntAck {
    /// Acknowledges the highest-priority request.
    fn acknowledge(&mut self, cx: &mut Cx<'_>) -> Acknowledge;
}
