use crate::bus::Width;
use crate::cx::Cx;

/// One PCI function's configuration space. Which BARs it decodes stands in [`crate::Device::decode`].
pub trait PciFunction {
    /// Reads configuration space at a byte offset. The access never crosses a doubleword.
    fn config_read(&mut self, offset: u8, width: Width, cx: &mut Cx<'_>) -> u32;
    /// Writes configuration space.
    fn config_write(&mut self, offset: u8, width: Width, value: u32, cx: &mut Cx<'_>);
}
