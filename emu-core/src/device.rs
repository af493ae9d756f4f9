//! What a chip is to the board.

use crate::bus::Decode;
use crate::cap::{
    ApicAgent, ConfigMechanism, Display, DmaController, HostInput, Inputs, IntAck, IsaDma,
    LocalApic, Mmio, PciFunction, PortIo, SerialPort, Timers,
};
use crate::cx::{Cx, ResetKind};
use crate::ram::Ram;
use crate::snapshot::{Snapshot, SnapshotError};
use serde::{Deserialize, Serialize};

/// A device's place on its board.
#[derive(
    Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
pub struct DeviceId(pub u16);

/// A chip. The struct is { wiring, back ends, state }; only `state` changes after `new`.
///
/// Each capability is offered by returning `Some(self)`.
pub trait Device: Send + 'static {
    /// The part, as it is named in snapshots and messages: `"i8254"`.
    const KIND: &'static str;
    /// Everything about the device that a guest can change. There is no default: a device without save and
    /// restore does not compile.
    type State: Snapshot;

    /// The state to save.
    fn state(&self) -> &Self::State;
    /// The state to restore into.
    fn state_mut(&mut self) -> &mut Self::State;
    /// The reset pin. At power-on the board resets each device once before the first instruction.
    fn reset(&mut self, kind: ResetKind, cx: &mut Cx<'_>);
    /// Called after a restore, to rebuild caches only: timers and wire levels are already back.
    fn restored(&mut self) {}
    /// Says which addresses the device decodes at this moment. Whoever changes the answer requests a remap.
    fn decode(&self, _decode: &mut Decode) {}
    /// The blocks of memory that hold guest state and belong to this device, mapped at the moment or not: video
    /// RAM, flash. The board saves them with the system RAM.
    fn memory_blocks(&self) -> Vec<Ram> {
        Vec::new()
    }

    /// I/O ports.
    fn port_io(&mut self) -> Option<&mut dyn PortIo> {
        None
    }
    /// Memory-mapped registers.
    fn mmio(&mut self) -> Option<&mut dyn Mmio> {
        None
    }
    /// PCI configuration space.
    fn pci(&mut self) -> Option<&mut dyn PciFunction> {
        None
    }
    /// PCI configuration mechanism 1 (host bridges).
    fn config_mechanism(&self) -> Option<&dyn ConfigMechanism> {
        None
    }
    /// Timers.
    fn timers(&mut self) -> Option<&mut dyn Timers> {
        None
    }
    /// Wires coming in.
    fn inputs(&mut self) -> Option<&mut dyn Inputs> {
        None
    }
    /// The answer to an interrupt acknowledge cycle.
    fn int_ack(&mut self) -> Option<&mut dyn IntAck> {
        None
    }
    /// An APIC on the bus between APICs.
    fn apic_agent(&mut self) -> Option<&mut dyn ApicAgent> {
        None
    }
    /// A CPU's local APIC.
    fn local_apic(&mut self) -> Option<&mut dyn LocalApic> {
        None
    }
    /// A peripheral on an ISA DMA channel.
    fn isa_dma(&mut self) -> Option<&mut dyn IsaDma> {
        None
    }
    /// An ISA DMA controller.
    fn dma_controller(&mut self) -> Option<&mut dyn DmaController> {
        None
    }
    /// Keys, mouse movements, media changes.
    fn host_input(&mut self) -> Option<&mut dyn HostInput> {
        None
    }
    /// Characters from a host terminal, file or socket.
    fn serial_port(&mut self) -> Option<&mut dyn SerialPort> {
        None
    }
    /// A picture to show.
    fn display(&mut self) -> Option<&mut dyn Display> {
        None
    }
}

/// A [`Device`] of any type, as the board keeps it.
pub trait DynDevice: Send {
    /// [`Device::KIND`].
    fn kind(&self) -> &'static str;
    /// The version of the state's shape.
    fn version(&self) -> u16;
    /// The state's bytes.
    fn save(&self) -> Result<Vec<u8>, SnapshotError>;
    /// Takes a state back. On error the device is as it was.
    fn load(&mut self, version: u16, bytes: &[u8]) -> Result<(), SnapshotError>;
    /// [`Device::reset`].
    fn reset(&mut self, kind: ResetKind, cx: &mut Cx<'_>);
    /// [`Device::restored`].
    fn restored(&mut self);
    /// [`Device::decode`].
    fn decode(&self, decode: &mut Decode);
    /// [`Device::memory_blocks`].
    fn memory_blocks(&self) -> Vec<Ram>;
    /// [`Device::port_io`].
    fn port_io(&mut self) -> Option<&mut dyn PortIo>;
    /// [`Device::mmio`].
    fn mmio(&mut self) -> Option<&mut dyn Mmio>;
    /// [`Device::pci`].
    fn pci(&mut self) -> Option<&mut dyn PciFunction>;
    /// [`Device::config_mechanism`].
    fn config_mechanism(&self) -> Option<&dyn ConfigMechanism>;
    /// [`Device::timers`].
    fn timers(&mut self) -> Option<&mut dyn Timers>;
    /// [`Device::inputs`].
    fn inputs(&mut self) -> Option<&mut dyn Inputs>;
    /// [`Device::int_ack`].
    fn int_ack(&mut self) -> Option<&mut dyn IntAck>;
    /// [`Device::apic_agent`].
    fn apic_agent(&mut self) -> Option<&mut dyn ApicAgent>;
    /// [`Device::local_apic`].
    fn local_apic(&mut self) -> Option<&mut dyn LocalApic>;
    /// [`Device::isa_dma`].
    fn isa_dma(&mut self) -> Option<&mut dyn IsaDma>;
    /// [`Device::dma_controller`].
    fn dma_controller(&mut self) -> Option<&mut dyn DmaController>;
    /// [`Device::host_input`].
    fn host_input(&mut self) -> Option<&mut dyn HostInput>;
    /// [`Device::serial_port`].
    fn serial_port(&mut self) -> Option<&mut dyn SerialPort>;
    /// [`Device::display`].
    fn display(&mut self) -> Option<&mut dyn Display>;
}

impl<D: Device> DynDevice for D {
    fn kind(&self) -> &'static str {
        D::KIND
    }
    fn version(&self) -> u16 {
        D::State::VERSION
    }
    fn save(&self) -> Result<Vec<u8>, SnapshotError> {
        crate::snapshot::encode(D::KIND, self.state())
    }
    fn load(&mut self, version: u16, bytes: &[u8]) -> Result<(), SnapshotError> {
        *self.state_mut() = crate::snapshot::decode(D::KIND, version, bytes)?;
        Ok(())
    }
    fn reset(&mut self, kind: ResetKind, cx: &mut Cx<'_>) {
        Device::reset(self, kind, cx);
    }
    fn restored(&mut self) {
        Device::restored(self);
    }
    fn decode(&self, decode: &mut Decode) {
        Device::decode(self, decode);
    }
    fn memory_blocks(&self) -> Vec<Ram> {
        Device::memory_blocks(self)
    }
    fn port_io(&mut self) -> Option<&mut dyn PortIo> {
        Device::port_io(self)
    }
    fn mmio(&mut self) -> Option<&mut dyn Mmio> {
        Device::mmio(self)
    }
    fn pci(&mut self) -> Option<&mut dyn PciFunction> {
        Device::pci(self)
    }
    fn config_mechanism(&self) -> Option<&dyn ConfigMechanism> {
        Device::config_mechanism(self)
    }
    fn timers(&mut self) -> Option<&mut dyn Timers> {
        Device::timers(self)
    }
    fn inputs(&mut self) -> Option<&mut dyn Inputs> {
        Device::inputs(self)
    }
    fn int_ack(&mut self) -> Option<&mut dyn IntAck> {
        Device::int_ack(self)
    }
    fn apic_agent(&mut self) -> Option<&mut dyn ApicAgent> {
        Device::apic_agent(self)
    }
    fn local_apic(&mut self) -> Option<&mut dyn LocalApic> {
        Device::local_apic(self)
    }
    fn isa_dma(&mut self) -> Option<&mut dyn IsaDma> {
        Device::isa_dma(self)
    }
    fn dma_controller(&mut self) -> Option<&mut dyn DmaController> {
        Device::dma_controller(self)
    }
    fn host_input(&mut self) -> Option<&mut dyn HostInput> {
        Device::host_input(self)
    }
    fn serial_port(&mut self) -> Option<&mut dyn SerialPort> {
        Device::serial_port(self)
    }
    fn display(&mut self) -> Option<&mut dyn Display> {
        Device::display(self)
    }
}
