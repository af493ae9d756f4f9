//! What a device decodes: its answer to "which addresses are yours at this moment?".

use super::Width;
use crate::device::DeviceId;
use crate::ram::Ram;

/// A device's own number for one of the ranges it decodes.
pub type RegionId = u16;

/// In which directions a range answers.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Access {
    /// Reads only; writes go to whatever else decodes the address.
    Read,
    /// Writes only.
    Write,
    /// Both.
    ReadWrite,
}

impl Access {
    /// Whether reads are answered.
    pub const fn reads(self) -> bool {
        !matches!(self, Self::Write)
    }

    /// Whether writes are taken.
    pub const fn writes(self) -> bool {
        !matches!(self, Self::Read)
    }
}

/// Who sees a memory range.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum SmmView {
    /// Everybody.
    Always,
    /// Only a CPU in system management mode.
    SmmOnly,
}

/// What stands behind a range of ports.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum PortKind {
    /// Registers of the device.
    Registers(RegionId),
    /// The data window of PCI configuration mechanism 1: the board asks this device's
    /// [`crate::cap::ConfigMechanism`] which function and register it addresses.
    PciConfigData,
}

/// A range of I/O ports that a device decodes.
#[derive(Clone, Debug)]
pub struct PortRange {
    /// Whose.
    pub device: DeviceId,
    /// First port.
    pub base: u16,
    /// Number of ports.
    pub len: u16,
    /// The widest access that the device takes whole; wider ones are split, byte lane by byte lane.
    pub native: Width,
    /// Directions.
    pub access: Access,
    /// What is there.
    pub kind: PortKind,
}

/// What stands behind a range of memory.
#[derive(Clone, Debug)]
pub enum MemoryTarget {
    /// Registers of the device; accesses wider than `native` are split.
    Mmio {
        /// The device's own number for the range.
        region: RegionId,
        /// The widest access that it takes whole.
        native: Width,
    },
    /// Bytes of a block of memory, from `offset` on.
    Ram {
        /// The block.
        ram: Ram,
        /// Offset of the range's first byte in the block.
        offset: usize,
    },
}

/// A range of physical memory that a device decodes.
#[derive(Clone, Debug)]
pub struct MemoryRange {
    /// Whose.
    pub device: DeviceId,
    /// First address.
    pub base: u64,
    /// Length in bytes.
    pub len: u64,
    /// Directions.
    pub access: Access,
    /// Who sees it.
    pub view: SmmView,
    /// Where ranges overlap, the higher priority answers.
    pub priority: u8,
    /// What is there.
    pub target: MemoryTarget,
}

/// Two devices that claim the same addresses, found when a board is built.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{first} and {second} both decode {space} {from:X}h-{to:X}h")]
pub struct Conflict {
    /// "port" or "memory".
    pub space: &'static str,
    /// One device's name.
    pub first: String,
    /// The other's.
    pub second: String,
    /// First address in dispute.
    pub from: u64,
    /// Last address in dispute.
    pub to: u64,
}

/// Collects what all devices decode. The board asks each device again whenever one requests a remap.
#[derive(Clone, Debug, Default)]
pub struct Decode {
    device: DeviceId,
    pub(super) ports: Vec<PortRange>,
    pub(super) memory: Vec<MemoryRange>,
}

impl Decode {
    /// Priority of plain RAM and ROM behind everything else.
    pub const PRIORITY_BACKGROUND: u8 = 0;
    /// Priority of PCI and ISA devices.
    pub const PRIORITY_DEVICE: u8 = 4;
    /// Priority of what the chipset steers itself (shadow RAM, SMRAM, system RAM).
    pub const PRIORITY_CHIPSET: u8 = 8;
    /// Priority of what the CPU answers itself, before any bus is asked (its local APIC).
    pub const PRIORITY_CPU: u8 = 12;

    /// Says that the ranges which follow belong to `device`; the board calls this.
    pub fn begin(&mut self, device: DeviceId) {
        self.device = device;
    }

    /// Decodes `len` ports from `base` on as `region`; accesses wider than `native` arrive split.
    pub fn ports(&mut self, region: RegionId, base: u16, len: u16, native: Width) {
        self.ports_with(
            PortKind::Registers(region),
            base,
            len,
            native,
            Access::ReadWrite,
        );
    }

    /// As [`Self::ports`], for one direction or another kind of range.
    pub fn ports_with(
        &mut self,
        kind: PortKind,
        base: u16,
        len: u16,
        native: Width,
        access: Access,
    ) {
        let len = len
            .min(u16::MAX - base)
            .max(u16::from(base == u16::MAX && len > 0));
        if len > 0 {
            self.ports.push(PortRange {
                device: self.device,
                base,
                len,
                native,
                access,
                kind,
            });
        }
    }

    /// Decodes `len` bytes of memory from `base` on as registers.
    pub fn mmio(&mut self, region: RegionId, base: u64, len: u64, native: Width) {
        self.memory_range(
            base,
            len,
            Access::ReadWrite,
            SmmView::Always,
            Self::PRIORITY_DEVICE,
            MemoryTarget::Mmio { region, native },
        );
    }

    /// Decodes memory as bytes of `ram` from `offset` on.
    pub fn ram(
        &mut self,
        base: u64,
        len: u64,
        ram: &Ram,
        offset: usize,
        access: Access,
        priority: u8,
    ) {
        let target = MemoryTarget::Ram {
            ram: ram.clone(),
            offset,
        };
        self.memory_range(base, len, access, SmmView::Always, priority, target);
    }

    /// The general form.
    pub fn memory_range(
        &mut self,
        base: u64,
        len: u64,
        access: Access,
        view: SmmView,
        priority: u8,
        target: MemoryTarget,
    ) {
        let len = len.min(u64::MAX - base);
        let len = match &target {
            MemoryTarget::Ram { ram, offset } => {
                len.min(ram.len_bytes().saturating_sub(*offset) as u64)
            }
            MemoryTarget::Mmio { .. } => len,
        };
        if len > 0 {
            let device = self.device;
            self.memory.push(MemoryRange {
                device,
                base,
                len,
                access,
                view,
                priority,
                target,
            });
        }
    }

    /// All port ranges so far.
    pub fn port_ranges(&self) -> &[PortRange] {
        &self.ports
    }

    /// All memory ranges so far.
    pub fn memory_ranges(&self) -> &[MemoryRange] {
        &self.memory
    }

    /// The first pair of ranges that dispute an address in the same direction (for memory: at equal priority).
    /// The builder asks once; what a guest programs later is settled by order, as a bus would by luck.
    pub fn conflict(&self, name: impl Fn(DeviceId) -> String) -> Option<Conflict> {
        let disputed =
            |a: Access, b: Access| (a.reads() && b.reads()) || (a.writes() && b.writes());
        for (i, a) in self.ports.iter().enumerate() {
            for b in &self.ports[..i] {
                let from = a.base.max(b.base);
                let to = (a.base + (a.len - 1)).min(b.base + (b.len - 1));
                if from <= to && disputed(a.access, b.access) {
                    return Some(Conflict {
                        space: "port",
                        first: name(b.device),
                        second: name(a.device),
                        from: from.into(),
                        to: to.into(),
                    });
                }
            }
        }
        for (i, a) in self.memory.iter().enumerate() {
            for b in &self.memory[..i] {
                let from = a.base.max(b.base);
                let to = (a.base + (a.len - 1)).min(b.base + (b.len - 1));
                if from <= to
                    && a.priority == b.priority
                    && a.view == b.view
                    && disputed(a.access, b.access)
                {
                    return Some(Conflict {
                        space: "memory",
                        first: name(b.device),
                        second: name(a.device),
                        from,
                        to,
                    });
                }
            }
        }
        None
    }
}
