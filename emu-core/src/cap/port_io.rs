use crate::bus::Width;
use crate::cx::Cx;

/// An I/O port as its device numbers it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct PortAddr {
    /// The region given in [`crate::Device::decode`].
    pub region: u16,
    /// Offset from the region's base.
    pub offset: u16,
}

/// I/O ports.
pub trait PortIo {
    /// Reads a port. Only the low `width` bits of the answer count.
    fn port_read(&mut self, at: PortAddr, width: Width, cx: &mut Cx<'_>) -> u32;
    /// Writes a port. `value` is already cut to `width`.
    fn port_write(&mut self, at: PortAddr, width: Width, value: u32, cx: &mut Cx<'_>);
}
