//! Capabilities: one trait per way in which the board talks to a device.

mod apic;
mod config_mechanism;
mod display;
mod dma;
mod host_input;
mod inputs;
mod int_ack;
mod mmio;
mod pci;
mod port_io;
mod serial_port;
mod timers;

pub use apic::{ApicAgent, ApicCycle, ApicDelivery, ApicDestination, ApicMessage, LocalApic};
pub use config_mechanism::{ConfigAddress, ConfigMechanism};
pub use display::{Display, TextCell, TextScreen};
pub use dma::{DmaController, DmaCycle, DmaTransfer, IsaDma};
pub use host_input::HostInput;
pub use inputs::Inputs;
pub use int_ack::{Acknowledge, IntAck};
pub use mmio::{Mmio, MmioAddr};
pub use pci::PciFunction;
pub use port_io::{PortAddr, PortIo};
pub use serial_port::SerialPort;
pub use timers::Timers;
