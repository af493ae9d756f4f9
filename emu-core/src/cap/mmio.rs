use crate::bus::Width;
use crate::cx::Cx;

/// A memory-mapped register as its device numbers it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct MmioAddr {
    /// The region given in [`crate::Device::decode`].
    pub region: u16,
    /// Offset from the region's base.
    pub offset: u64,
}

/// Memory-mapped registers.
pub trait Mmio {
    /// Reads. Only the low `width` bits of the answer count.
    fn mmio_read(&mut self, at: MmioAddr, width: Width, cx: &mut Cx<'_>) -> u64;
    /// Writes. `value` is already cut to `width`.
    fn mmio_write(&mut self, at: MmioAddr, width: Width, value: u64, cx: &mut Cx<'_>);
}
