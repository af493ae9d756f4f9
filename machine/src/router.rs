//! The router: carries the CPU's port and memory accesses to whoever decodes them.
//!
//! Whoever decodes the first address takes the access whole if it is not wider than the device takes; else it is
//! split in halves, lowest address first, as the buses of a PC do with their byte lanes, and each half is routed
//! anew. An access to memory that runs over the end of a range is split too.

use crate::board::Board;
use emu_core::backend::{Attention, CpuId, LapicRegister, Special, SystemBus};
use emu_core::bus::{Gpa, MmioTarget, OPEN_BUS, PageView, PortTarget, Route, Width};
use emu_core::cap::{MmioAddr, PortAddr};
use emu_core::device::DeviceId;
use emu_core::ram::Ram;

/// How many accesses to nobody are logged before only every 65536th is.
const UNCLAIMED_LOGGED: u64 = 64;

fn half(width: Width) -> Width {
    match width {
        Width::Qword => Width::Dword,
        Width::Dword => Width::Word,
        Width::Word | Width::Byte => Width::Byte,
    }
}

/// Bytes of a page.
const PAGE: u64 = 0x1000;
const DEVICE_PAGES: usize = 64;

/// Who answers at a page, if all of it belongs to one range of registers of one device: the first register, for reads and
/// for writes.
#[derive(Copy, Clone)]
struct DevicePage {
    /// The page's address, with SMM in bit 0; `u64::MAX`: none.
    key: u64,
    read: Option<MmioTarget>,
    write: Option<MmioTarget>,
}

/// [`DevicePage`]s by address.
pub(crate) struct DevicePages(Box<[DevicePage; DEVICE_PAGES]>);

impl Default for DevicePages {
    fn default() -> Self {
        let none = DevicePage {
            key: u64::MAX,
            read: None,
            write: None,
        };
        Self(Box::new([none; DEVICE_PAGES]))
    }
}

/// Where in a device's range a whole access leads: inside a page, and not wider than the device takes.
#[inline]
fn inside(page: &Option<MmioTarget>, gpa: Gpa, width: Width) -> Option<MmioTarget> {
    let (m, from) = (page.as_ref()?, gpa.0 % PAGE);
    let whole = width <= m.native && from + width.bytes() as u64 <= PAGE;
    whole.then(|| MmioTarget {
        offset: m.offset + from,
        ..*m
    })
}

/// Who takes a port access in one piece.
enum PortRoute {
    Device(DeviceId, PortAddr),
    PciConfig(DeviceId, u8),
    Nobody,
    Split,
}

fn port_route(target: PortTarget, width: Width) -> PortRoute {
    match target {
        PortTarget::Registers(id, at, native) if width <= native => PortRoute::Device(id, at),
        PortTarget::PciConfigData(id, byte) if usize::from(byte) + width.bytes() <= 4 => {
            PortRoute::PciConfig(id, byte)
        }
        PortTarget::Unclaimed if width == Width::Byte => PortRoute::Nobody,
        _ => PortRoute::Split,
    }
}

impl Board {
    fn note_unclaimed(&mut self, what: &str, address: u64) {
        self.unclaimed = self.unclaimed.wrapping_add(1);
        if self.unclaimed < UNCLAIMED_LOGGED || self.unclaimed.is_multiple_of(65536) {
            tracing::debug!(target: "bus", count = self.unclaimed, "{what} {address:X}h: nobody answers");
        }
    }

    /// The PCI function that configuration mechanism 1 addresses, and the byte in its space.
    fn config_target(&mut self, bridge: DeviceId, byte: u8) -> Option<(DeviceId, u8)> {
        let at = self
            .call(bridge, |d, _| {
                d.config_mechanism().and_then(|m| m.config_address())
            })
            .flatten()?;
        if at.bus != 0 {
            return None;
        }
        let id = *self.roles.pci.get(&(at.device, at.function))?;
        Some((id, (at.register & !3) | byte))
    }

    pub(crate) fn route_port_read(&mut self, port: u16, width: Width) -> u32 {
        let mask = width.mask() as u32;
        match port_route(self.fabric.ports.read_target(port), width) {
            PortRoute::Device(id, at) => {
                let value = self.call(id, |d, cx| d.port_io().map(|p| p.port_read(at, width, cx)));
                self.settle();
                value.flatten().unwrap_or(OPEN_BUS as u32) & mask
            }
            PortRoute::PciConfig(bridge, byte) => {
                let value = self.config_target(bridge, byte).and_then(|(id, offset)| {
                    self.call(id, |d, cx| {
                        d.pci().map(|p| p.config_read(offset, width, cx))
                    })?
                });
                self.settle();
                value.unwrap_or(OPEN_BUS as u32) & mask
            }
            PortRoute::Nobody => {
                self.note_unclaimed("read of port", port.into());
                OPEN_BUS as u32 & mask
            }
            PortRoute::Split => {
                let h = half(width);
                let low = self.route_port_read(port, h);
                let high = self.route_port_read(port.wrapping_add(h.bytes() as u16), h);
                low | (high << h.bits())
            }
        }
    }

    pub(crate) fn route_port_write(&mut self, port: u16, width: Width, value: u32) {
        let value = value & width.mask() as u32;
        match port_route(self.fabric.ports.write_target(port), width) {
            PortRoute::Device(id, at) => {
                self.call(id, |d, cx| {
                    if let Some(p) = d.port_io() {
                        p.port_write(at, width, value, cx);
                    }
                });
                self.settle();
            }
            PortRoute::PciConfig(bridge, byte) => {
                if let Some((id, offset)) = self.config_target(bridge, byte) {
                    self.call(id, |d, cx| {
                        if let Some(p) = d.pci() {
                            p.config_write(offset, width, value, cx);
                        }
                    });
                }
                self.settle();
            }
            PortRoute::Nobody => self.note_unclaimed("write to port", port.into()),
            PortRoute::Split => {
                let h = half(width);
                self.route_port_write(port, h, value);
                let next = port.wrapping_add(h.bytes() as u16);
                self.route_port_write(next, h, value >> h.bits());
            }
        }
    }

    /// Whether the device range that answers at `gpa` holds the last byte of the access too.
    fn mmio_whole(last: &Route, m: &MmioTarget, width: Width) -> bool {
        width <= m.native
            && matches!(last, Route::Mmio(l) if l.device == m.device && l.region == m.region
                && l.offset.wrapping_sub(m.offset) == width.bytes() as u64 - 1)
    }

    /// Who answers at the page of an address.
    #[inline]
    fn device_page(&mut self, gpa: Gpa, smm: bool) -> &DevicePage {
        let key = gpa.0 & !(PAGE - 1) | u64::from(smm);
        let slot = (gpa.0 / PAGE) as usize % DEVICE_PAGES;
        if self.device_pages.0[slot].key != key {
            self.device_pages.0[slot] = self.find_device_page(key, Gpa(gpa.0 & !(PAGE - 1)), smm);
        }
        &self.device_pages.0[slot]
    }

    #[inline(never)]
    fn find_device_page(&self, key: u64, first: Gpa, smm: bool) -> DevicePage {
        let last = Gpa(first.0 | (PAGE - 1));
        let memory = &self.fabric.memory;
        // What answers may change and change back inside the page, so the map says how far it does not.
        let whole = |first, last| match (first, last) {
            (Route::Mmio(a), Route::Mmio(b)) => {
                let same = a.device == b.device
                    && a.region == b.region
                    && b.offset.wrapping_sub(a.offset) == PAGE - 1;
                same.then_some(a)
            }
            _ => None,
        };
        let one = memory.is_one_span(first, last, smm);
        DevicePage {
            key,
            read: whole(memory.read_route(first, smm), memory.read_route(last, smm))
                .filter(|_| one),
            write: whole(
                memory.write_route(first, smm),
                memory.write_route(last, smm),
            )
            .filter(|_| one),
        }
    }

    /// The device behind a register: each CPU's own local APIC where theirs stand.
    fn mmio_device(&self, cpu: CpuId, decoded: DeviceId) -> DeviceId {
        let own = self.roles.local_apics.get(usize::from(cpu.0));
        match own {
            Some(&own) if self.roles.local_apics.contains(&decoded) => own,
            _ => decoded,
        }
    }

    /// Reads registers of a device in one piece.
    #[inline]
    fn read_registers(&mut self, cpu: CpuId, m: &MmioTarget, width: Width) -> u64 {
        let at = MmioAddr {
            region: m.region,
            offset: m.offset,
        };
        let device = self.mmio_device(cpu, m.device);
        let value = self.call(device, |d, cx| d.mmio().map(|p| p.mmio_read(at, width, cx)));
        self.settle();
        value.flatten().unwrap_or(OPEN_BUS) & width.mask()
    }

    /// Writes registers of a device in one piece.
    #[inline]
    fn write_registers(&mut self, cpu: CpuId, m: &MmioTarget, width: Width, value: u64) {
        let at = MmioAddr {
            region: m.region,
            offset: m.offset,
        };
        let device = self.mmio_device(cpu, m.device);
        self.call(device, |d, cx| {
            if let Some(p) = d.mmio() {
                p.mmio_write(at, width, value, cx);
            }
        });
        self.settle();
    }

    pub(crate) fn route_mmio_read(&mut self, cpu: CpuId, gpa: Gpa, smm: bool, width: Width) -> u64 {
        match inside(&self.device_page(gpa, smm).read, gpa, width) {
            Some(m) => self.read_registers(cpu, &m, width),
            None => self.route_any_read(cpu, gpa, smm, width),
        }
    }

    #[inline(never)]
    fn route_any_read(&mut self, cpu: CpuId, gpa: Gpa, smm: bool, width: Width) -> u64 {
        let last = Gpa(gpa.0.wrapping_add(width.bytes() as u64 - 1));
        match self.fabric.memory.read_route(gpa, smm) {
            Route::Ram(s) if s.len >= width.bytes() => {
                let mut bytes = [0; 8];
                s.ram.read(s.offset, &mut bytes[..width.bytes()]);
                u64::from_le_bytes(bytes)
            }
            Route::Mmio(m)
                if Self::mmio_whole(&self.fabric.memory.read_route(last, smm), &m, width) =>
            {
                self.read_registers(cpu, &m, width)
            }
            Route::Unclaimed if width == Width::Byte => {
                self.note_unclaimed("read of memory", gpa.0);
                OPEN_BUS & width.mask()
            }
            _ => {
                let h = half(width);
                let low = self.route_mmio_read(cpu, gpa, smm, h);
                let next = Gpa(gpa.0.wrapping_add(h.bytes() as u64));
                low | (self.route_mmio_read(cpu, next, smm, h) << h.bits())
            }
        }
    }

    pub(crate) fn route_mmio_write(
        &mut self,
        cpu: CpuId,
        gpa: Gpa,
        smm: bool,
        width: Width,
        value: u64,
    ) {
        let value = value & width.mask();
        match inside(&self.device_page(gpa, smm).write, gpa, width) {
            Some(m) => self.write_registers(cpu, &m, width, value),
            None => self.route_any_write(cpu, gpa, smm, width, value),
        }
    }

    #[inline(never)]
    fn route_any_write(&mut self, cpu: CpuId, gpa: Gpa, smm: bool, width: Width, value: u64) {
        let last = Gpa(gpa.0.wrapping_add(width.bytes() as u64 - 1));
        match self.fabric.memory.write_route(gpa, smm) {
            Route::Ram(s) if s.len >= width.bytes() => {
                s.ram.write(s.offset, &value.to_le_bytes()[..width.bytes()]);
                if s.ram.code_was_written() {
                    self.attention |= Attention::CODE_WRITTEN;
                }
            }
            Route::Mmio(m)
                if Self::mmio_whole(&self.fabric.memory.write_route(last, smm), &m, width) =>
            {
                self.write_registers(cpu, &m, width, value);
            }
            Route::Unclaimed if width == Width::Byte => {
                self.note_unclaimed("write to memory", gpa.0);
            }
            _ => {
                let h = half(width);
                self.route_mmio_write(cpu, gpa, smm, h, value);
                let next = Gpa(gpa.0.wrapping_add(h.bytes() as u64));
                self.route_mmio_write(cpu, next, smm, h, value >> h.bits());
            }
        }
    }

    /// A byte that a bus master wrote to a device's registers. A CPU's local APIC is not on the bus.
    pub(crate) fn post_byte(&mut self, gpa: Gpa, byte: u8) {
        if let Route::Mmio(m) = self.fabric.memory.write_route(gpa, false)
            && !self.roles.local_apics.contains(&m.device)
        {
            let at = MmioAddr {
                region: m.region,
                offset: m.offset,
            };
            self.call(m.device, |d, cx| {
                if let Some(p) = d.mmio() {
                    p.mmio_write(at, Width::Byte, byte.into(), cx);
                }
            });
        }
    }
}

impl SystemBus for Board {
    fn attention(&self, _cpu: CpuId) -> Attention {
        self.attention
    }
    fn accept(&mut self, _cpu: CpuId, bits: Attention) {
        let latched = Attention::NMI
            | Attention::SMI
            | Attention::INIT
            | Attention::RESET
            | Attention::MAP_CHANGED
            | Attention::CODE_WRITTEN;
        self.attention -= bits & latched;
    }
    fn advance(&mut self, retired: u64) {
        self.count(retired);
    }
    fn countdown(&self) -> u64 {
        self.insns_to_due()
    }
    fn pending(&self, _cpu: CpuId) -> (Attention, u64) {
        (self.attention, self.insns_to_due())
    }
    fn insns(&self) -> u64 {
        self.insns_retired()
    }
    fn cycles(&self) -> u64 {
        self.clock.cycles()
    }
    fn port_read(&mut self, _cpu: CpuId, port: u16, width: Width) -> u32 {
        self.route_port_read(port, width)
    }
    fn port_write(&mut self, _cpu: CpuId, port: u16, width: Width, value: u32) {
        self.route_port_write(port, width, value);
    }
    fn mmio_read(&mut self, cpu: CpuId, gpa: Gpa, smm: bool, width: Width) -> u64 {
        self.route_mmio_read(cpu, gpa, smm, width)
    }
    fn mmio_write(&mut self, cpu: CpuId, gpa: Gpa, smm: bool, width: Width, value: u64) {
        self.route_mmio_write(cpu, gpa, smm, width, value);
    }
    fn page(&self, gpa: Gpa, smm: bool) -> PageView {
        self.fabric.memory.page(gpa, smm)
    }
    fn acknowledge(&mut self, cpu: CpuId) -> Option<u8> {
        self.int_ack(cpu)
    }
    fn lapic_read(&mut self, cpu: CpuId, register: LapicRegister) -> Option<u64> {
        self.read_local_apic(cpu, register)
    }
    fn lapic_write(&mut self, cpu: CpuId, register: LapicRegister, value: u64) -> bool {
        self.write_local_apic(cpu, register, value)
    }
    fn special_cycle(&mut self, cpu: CpuId, cycle: Special) {
        match cycle {
            Special::Shutdown => self.cpu_shut_down(),
            Special::Ferr(asserted) => self.ferr(cpu, asserted),
            Special::CounterOverflow => self.counter_overflow(cpu),
            // The memory map has a view of its own for SMM, and nobody on the board heeds HLT.
            Special::Halt | Special::SmiAct(_) => {}
        }
    }
    fn blocks(&self) -> &[Ram] {
        &self.blocks
    }
}
