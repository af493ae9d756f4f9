use crate::backend::LapicRegister;
use crate::cx::Cx;
use crate::time::VirtTime;

/// For whom an interrupt message is.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ApicDestination {
    /// The local APIC with this ID.
    Physical(u32),
    /// The local APICs that this message destination address selects.
    Logical(u32),
    /// Every local APIC.
    All,
    /// Every local APIC but the sender.
    Others,
}

/// How an interrupt message is to be taken (SDM vol. 3, section 10.6.1; 82093AA data sheet, section 3.2.4).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ApicDelivery {
    /// To all addressed, at the vector.
    Fixed,
    /// To the one among those addressed that does the least important work.
    LowestPriority,
    /// As an SMI.
    Smi,
    /// As an NMI.
    Nmi,
    /// As INIT.
    Init,
    /// Start-up: the vector is the number of the page where a waiting CPU begins.
    Startup,
    /// As an interrupt of an 8259A, which is acknowledged then.
    ExtInt,
}

/// An interrupt message between APICs.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct ApicMessage {
    /// For whom.
    pub destination: ApicDestination,
    /// What it is.
    pub delivery: ApicDelivery,
    /// The vector.
    pub vector: u8,
    /// Level triggered: its end is announced with [`ApicCycle::EndOfInterrupt`].
    pub level: bool,
    /// The sender's own number for what caused it, given back with [`ApicAgent::sent`].
    pub tag: u8,
}

/// What goes over the APIC bus (or, later, the system bus) between local APICs and I/O APICs.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ApicCycle {
    /// An interrupt.
    Interrupt(ApicMessage),
    /// A level-triggered interrupt of this vector was served.
    EndOfInterrupt(u8),
}

/// An APIC on the bus. The board passes [`ApicCycle`]s around after the call that sent them.
pub trait ApicAgent {
    /// The agent's rank for a message if it takes part in its delivery: of several for [`ApicDelivery::LowestPriority`]
    /// the one with the lowest rank gets it, for all others each.
    fn rank(&self, message: &ApicMessage) -> Option<u8>;
    /// Takes a message; false: it cannot.
    fn receive(&mut self, message: &ApicMessage, cx: &mut Cx<'_>) -> bool;
    /// A message of this agent's was delivered; `accepted`: by somebody.
    fn sent(&mut self, tag: u8, accepted: bool, cx: &mut Cx<'_>);
    /// A level-triggered interrupt was served somewhere.
    fn end_of_interrupt(&mut self, vector: u8, cx: &mut Cx<'_>);
}

/// A CPU's local APIC, as its CPU sees it besides memory and pins.
pub trait LocalApic {
    /// Reads a register; `None`: the instruction faults.
    fn read(&mut self, register: LapicRegister, cx: &mut Cx<'_>) -> Option<u64>;
    /// Writes a register; false: the instruction faults, and nothing has changed. `deadline`: the moment that a value for
    /// [`LapicRegister::TscDeadline`] means.
    fn write(
        &mut self,
        register: LapicRegister,
        value: u64,
        deadline: VirtTime,
        cx: &mut Cx<'_>,
    ) -> bool;
}
