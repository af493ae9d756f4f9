//! Puts a board together and names every conflict: nothing is found out only when a guest trips over it.

use crate::board::{Board, Roles, Slot};
use emu_core::bus::Decode;
use emu_core::cx::Fabric;
use emu_core::device::{Device, DeviceId, DynDevice};
use emu_core::ram::Ram;
use emu_core::time::Frequency;
use emu_core::wire::{Line, NetId, Sink};

/// What is wrong with a board's plan: every conflict, one a line.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the board cannot be built: {}", .0.join("; "))]
pub struct Conflicts(pub Vec<String>);

/// A board under construction.
#[derive(Default)]
pub struct BoardBuilder {
    fabric: Fabric,
    slots: Vec<Slot>,
    blocks: Vec<Ram>,
    roles: Roles,
    conflicts: Vec<String>,
}

impl BoardBuilder {
    /// A new net.
    pub fn net(&mut self, name: &str) -> NetId {
        self.fabric.wires.add_net(name)
    }

    /// A new output line on a net.
    pub fn line(&mut self, net: NetId) -> Line {
        self.fabric.wires.add_line(net)
    }

    /// A line on a net of its own that leads to `sink`.
    pub fn wire(&mut self, name: &str, sink: Sink) -> Line {
        let net = self.net(name);
        self.connect(net, sink);
        self.line(net)
    }

    /// Leads a net to one more input.
    pub fn connect(&mut self, net: NetId, sink: Sink) {
        self.fabric.wires.connect(net, sink);
    }

    /// A block of memory that belongs to the machine's state, whether it is mapped at the moment or not.
    pub fn block(&mut self, ram: &Ram) {
        if self.blocks.iter().any(|b| b.name() == ram.name()) {
            self.conflicts
                .push(format!("two blocks of memory are called {}", ram.name()));
        }
        self.blocks.push(ram.clone());
    }

    /// Puts a device on the board.
    pub fn add(&mut self, name: &str, device: impl Device) -> DeviceId {
        self.add_boxed(name, Box::new(device))
    }

    /// Puts a device on the board.
    pub fn add_boxed(&mut self, name: &str, device: Box<dyn DynDevice>) -> DeviceId {
        if self.slots.iter().any(|s| s.name == name) {
            self.conflicts
                .push(format!("two devices are called {name}"));
        }
        let id = DeviceId(self.slots.len() as u16);
        let name = name.to_string();
        self.slots.push(Slot { name, device });
        id
    }

    /// The id that the next device will get: wires may lead to it before it exists.
    pub fn next_id(&self) -> DeviceId {
        DeviceId(self.slots.len() as u16)
    }

    fn name(&self, id: DeviceId) -> String {
        let slot = self.slots.get(usize::from(id.0));
        slot.map_or_else(|| format!("device {}", id.0), |s| s.name.clone())
    }

    fn take_role(&mut self, what: &str, before: Option<DeviceId>, id: DeviceId) {
        if let Some(before) = before {
            let (a, b) = (self.name(before), self.name(id));
            self.conflicts.push(format!("{a} and {b} are both {what}"));
        }
    }

    /// The interrupt controller that is acknowledged first.
    pub fn pic_master(&mut self, id: DeviceId) {
        let before = self.roles.pic_master.replace(id);
        self.take_role("the first interrupt controller", before, id);
    }

    /// The slave at a cascade input.
    pub fn pic_slave(&mut self, input: u8, id: DeviceId) {
        let before = self.roles.pic_slaves[usize::from(input & 7)].replace(id);
        let what = format!("the interrupt controller at cascade input {input}");
        self.take_role(&what, before, id);
    }

    /// The local APIC of the next CPU.
    pub fn local_apic(&mut self, id: DeviceId) {
        self.roles.local_apics.push(id);
        self.roles.apics.push(id);
    }

    /// An I/O APIC.
    pub fn io_apic(&mut self, id: DeviceId) {
        self.roles.apics.push(id);
    }

    /// The ISA DMA controller.
    pub fn dma_controller(&mut self, id: DeviceId) {
        let before = self.roles.dma_controller.replace(id);
        self.take_role("the DMA controller", before, id);
    }

    /// The peripheral on a DMA channel.
    pub fn dma_channel(&mut self, channel: u8, id: DeviceId) {
        let before = self.roles.dma_channels[usize::from(channel & 7)].replace(id);
        self.take_role(&format!("on DMA channel {channel}"), before, id);
    }

    /// A PCI function of bus 0.
    pub fn pci(&mut self, device: u8, function: u8, id: DeviceId) {
        let before = self.roles.pci.insert((device, function), id);
        let what = format!("PCI function 0:{device:02X}.{function}");
        self.take_role(&what, before, id);
    }

    /// A device that takes keys, mouse movements or media.
    pub fn host_input(&mut self, id: DeviceId) {
        self.roles.host_inputs.push(id);
    }

    /// The next serial port.
    pub fn serial_port(&mut self, id: DeviceId) {
        self.roles.serial_ports.push(id);
    }

    /// The display.
    pub fn display(&mut self, id: DeviceId) {
        let before = self.roles.display.replace(id);
        self.take_role("the display", before, id);
    }

    /// The line that the CPU's FERR# drives.
    pub fn ferr(&mut self, line: Line) {
        self.roles.ferr = Some(line);
    }

    /// The line that the CPU's performance counters drive.
    pub fn counter_overflow(&mut self, line: Line) {
        self.roles.counter_overflow = Some(line);
    }

    /// Checks everything and powers the board on.
    pub fn finish(mut self, rate: Frequency) -> Result<Board, Conflicts> {
        for (b, second) in self.slots.iter().enumerate() {
            for (a, first) in self.slots[..b].iter().enumerate() {
                let mut decode = Decode::default();
                decode.begin(DeviceId(a as u16));
                first.device.decode(&mut decode);
                decode.begin(DeviceId(b as u16));
                second.device.decode(&mut decode);
                let name = |id: DeviceId| self.slots[usize::from(id.0)].name.clone();
                if let Some(conflict) = decode.conflict(name) {
                    self.conflicts.push(conflict.to_string());
                }
            }
        }
        for net in self.fabric.wires.nets() {
            for sink in self.fabric.wires.sinks(net) {
                if let Sink::Device(id, _) = sink
                    && usize::from(id.0) >= self.slots.len()
                {
                    let net = self.fabric.wires.net_name(net);
                    self.conflicts
                        .push(format!("net {net} leads to a device that is not there"));
                }
            }
        }
        for slot in &self.slots {
            for block in slot.device.memory_blocks() {
                if self.blocks.contains(&block) {
                    continue;
                }
                if self.blocks.iter().any(|b| b.name() == block.name()) {
                    self.conflicts
                        .push(format!("two blocks of memory are called {}", block.name()));
                }
                self.blocks.push(block);
            }
        }
        if !self.conflicts.is_empty() {
            return Err(Conflicts(self.conflicts));
        }
        Ok(Board::new(
            self.slots,
            self.fabric,
            self.blocks,
            self.roles,
            rate,
        ))
    }
}
