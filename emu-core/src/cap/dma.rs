use crate::bus::Gpa;
use crate::cx::Cx;

/// What a DMA cycle moves.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum DmaTransfer {
    /// Nothing: addresses are generated, the device sees DACK and TC.
    Verify,
    /// From the device to memory.
    WriteMemory,
    /// From memory to the device.
    ReadMemory,
}

/// One cycle that a DMA controller runs.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct DmaCycle {
    /// The channel as the board numbers it, 0 to 7.
    pub channel: u8,
    /// Which way.
    pub transfer: DmaTransfer,
    /// The physical address, page register included.
    pub address: Gpa,
    /// Whether this is a 16-bit channel.
    pub word: bool,
    /// Whether terminal count is reached with this cycle.
    pub terminal_count: bool,
}

/// A DMA controller. The board runs its cycles one by one as long as it grants any: it moves the byte between
/// memory and the device on the channel.
pub trait DmaController {
    /// The next cycle, if a channel requests one and may have it. The controller has already counted it.
    fn grant(&mut self, cx: &mut Cx<'_>) -> Option<DmaCycle>;
}

/// A peripheral on an ISA DMA channel. (16-bit channels pass low and high byte in one call.)
pub trait IsaDma {
    /// DACK with IOR: the device gives a datum. `tc`: this is the last one.
    fn dack_read(&mut self, tc: bool, cx: &mut Cx<'_>) -> u16;
    /// DACK with IOW: the device takes a datum.
    fn dack_write(&mut self, value: u16, tc: bool, cx: &mut Cx<'_>);
}
