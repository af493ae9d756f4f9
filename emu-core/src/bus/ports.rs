//! The I/O port map: 64K ports, looked up by table.

use super::Width;
use super::decode::{Decode, PortKind};
use crate::cap::PortAddr;
use crate::device::DeviceId;

/// Who answers at a port.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum PortTarget {
    /// Nobody: open bus.
    Unclaimed,
    /// A device's registers, which take accesses up to the width given.
    Registers(DeviceId, PortAddr, Width),
    /// Byte `0..=3` of the PCI configuration data window of this host bridge.
    PciConfigData(DeviceId, u8),
}

#[derive(Clone, Debug)]
struct Entry {
    device: DeviceId,
    base: u16,
    native: Width,
    kind: PortKind,
}

/// The port map. Index 0 of the tables means that nobody decodes the port.
#[derive(Clone, Debug)]
pub struct PortMap {
    entries: Vec<Entry>,
    read: Box<[u16]>,
    write: Box<[u16]>,
}

const PORTS: usize = 0x1_0000;

impl Default for PortMap {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            read: vec![0; PORTS].into_boxed_slice(),
            write: vec![0; PORTS].into_boxed_slice(),
        }
    }
}

impl PortMap {
    /// Builds the map anew. Where ranges overlap, the one that came first answers.
    pub fn rebuild(&mut self, decode: &Decode) {
        self.entries.clear();
        self.read.fill(0);
        self.write.fill(0);
        for range in decode.port_ranges() {
            let Ok(number) = u16::try_from(self.entries.len() + 1) else {
                return;
            };
            self.entries.push(Entry {
                device: range.device,
                base: range.base,
                native: range.native,
                kind: range.kind,
            });
            let ports = usize::from(range.base)..usize::from(range.base) + usize::from(range.len);
            for port in ports {
                if range.access.reads() && self.read[port] == 0 {
                    self.read[port] = number;
                }
                if range.access.writes() && self.write[port] == 0 {
                    self.write[port] = number;
                }
            }
        }
    }

    /// Who answers a read of `port`.
    #[inline]
    pub fn read_target(&self, port: u16) -> PortTarget {
        self.target(self.read[usize::from(port)], port)
    }

    /// Who takes a write to `port`.
    #[inline]
    pub fn write_target(&self, port: u16) -> PortTarget {
        self.target(self.write[usize::from(port)], port)
    }

    #[inline]
    fn target(&self, number: u16, port: u16) -> PortTarget {
        if number == 0 {
            return PortTarget::Unclaimed;
        }
        let e = &self.entries[usize::from(number) - 1];
        let offset = port - e.base;
        match e.kind {
            PortKind::Registers(region) => {
                PortTarget::Registers(e.device, PortAddr { region, offset }, e.native)
            }
            PortKind::PciConfigData => PortTarget::PciConfigData(e.device, (offset & 3) as u8),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Access;
    use super::*;

    #[test]
    fn reads_and_writes_of_one_port_may_belong_to_different_devices() {
        let mut d = Decode::default();
        d.begin(DeviceId(1));
        d.ports_with(PortKind::Registers(0), 0x3F7, 1, Width::Byte, Access::Read);
        d.begin(DeviceId(2));
        d.ports_with(
            PortKind::Registers(5),
            0x3F0,
            8,
            Width::Byte,
            Access::ReadWrite,
        );
        let mut map = PortMap::default();
        map.rebuild(&d);
        let at = |region, offset| PortAddr { region, offset };
        assert_eq!(
            map.read_target(0x3F7),
            PortTarget::Registers(DeviceId(1), at(0, 0), Width::Byte)
        );
        assert_eq!(
            map.write_target(0x3F7),
            PortTarget::Registers(DeviceId(2), at(5, 7), Width::Byte)
        );
        assert_eq!(map.read_target(0x3F8), PortTarget::Unclaimed);
    }

    #[test]
    fn a_conflict_names_both_devices_and_the_ports() {
        let mut d = Decode::default();
        d.begin(DeviceId(1));
        d.ports(0, 0x2F8, 8, Width::Byte);
        d.begin(DeviceId(2));
        d.ports(0, 0x2FC, 8, Width::Byte);
        let c = d.conflict(|id| format!("dev{}", id.0)).expect("a conflict");
        assert_eq!(c.to_string(), "dev1 and dev2 both decode port 2FCh-2FFh");
    }

    #[test]
    fn the_last_port_can_be_decoded() {
        let mut d = Decode::default();
        d.ports(0, 0xFFFF, 1, Width::Byte);
        let mut map = PortMap::default();
        map.rebuild(&d);
        assert_ne!(map.read_target(0xFFFF), PortTarget::Unclaimed);
    }
}
