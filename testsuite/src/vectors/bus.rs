//! A board with nothing but writable memory: what the processors of the suites were wired to.

use emu_core::backend::{Attention, CpuId, Special, SystemBus};
use emu_core::bus::{Gpa, PageView, Width};
use emu_core::ram::{DirtyClient, OutOfMemory, PAGE_BYTES, Ram};

/// Memory, no devices. Ports read as all ones, as the suites' bus does.
///
/// Memory holds a known pattern wherever a test says nothing, so that a store to a place that the test does not name
/// is seen.
pub struct FlatBus {
    ram: Ram,
    blocks: [Ram; 1],
    pattern: Box<[u8]>,
    latched: Attention,
    retired: u64,
    stop_at: u64,
}

impl FlatBus {
    /// `len_bytes` of memory, a power of two and at least a page: addresses wrap there.
    pub fn new(len_bytes: usize) -> Result<Self, OutOfMemory> {
        let pattern: Box<[u8]> = (0..len_bytes as u32)
            .map(|a| (a.wrapping_mul(0x9E37_79B1) >> 24) as u8)
            .collect();
        let ram = Ram::with_contents("flat", &pattern)?;
        let mut bus = Self {
            blocks: [ram.clone()],
            ram,
            pattern,
            latched: Attention::empty(),
            retired: 0,
            stop_at: 0,
        };
        bus.restore(&mut Vec::new());
        Ok(bus)
    }

    fn wrap(&self, address: u64) -> usize {
        address as usize & (self.pattern.len() - 1)
    }

    /// The memory.
    pub fn ram(&self) -> &Ram {
        &self.ram
    }

    /// Writes a byte as a test's preparation.
    pub fn set(&mut self, address: u32, value: u8) {
        let at = self.wrap(address.into());
        self.ram.write_u8(at, value);
    }

    /// What is in memory.
    pub fn get(&self, address: u32) -> u8 {
        self.ram.read_u8(self.wrap(address.into()))
    }

    /// What memory holds where a test names nothing.
    pub fn background(&self, address: u32) -> u8 {
        self.pattern[self.wrap(address.into())]
    }

    /// Allows so many instructions, then asks the CPU to stop. Tells it of what the preparation overwrote.
    pub fn allow(&mut self, insns: u64) {
        self.stop_at = self.retired.saturating_add(insns);
        if self.ram.code_was_written() {
            self.latched |= Attention::CODE_WRITTEN;
        }
    }

    /// Whether the CPU used up what it was allowed.
    pub fn is_spent(&self) -> bool {
        self.retired >= self.stop_at
    }

    /// Restores the pattern and adds to `differing` all addresses that did not hold it, with what they held.
    pub fn restore(&mut self, differing: &mut Vec<(u32, u8)>) {
        let mut page = [0; PAGE_BYTES];
        for n in 0..self.ram.pages() {
            if !self.ram.take_dirty(n, DirtyClient::Snapshot) {
                continue;
            }
            let base = n * PAGE_BYTES;
            let pattern = &self.pattern[base..base + PAGE_BYTES];
            self.ram.read(base, &mut page);
            if page == pattern {
                continue;
            }
            for (i, value) in page.iter().enumerate() {
                if *value != pattern[i] {
                    differing.push(((base + i) as u32, *value));
                    self.ram.write_u8(base + i, pattern[i]);
                }
            }
            self.ram.take_dirty(n, DirtyClient::Snapshot);
        }
    }
}

impl SystemBus for FlatBus {
    fn attention(&self, _: CpuId) -> Attention {
        let stop = if self.is_spent() {
            Attention::STOP
        } else {
            Attention::empty()
        };
        self.latched | stop
    }

    fn accept(&mut self, _: CpuId, bits: Attention) {
        self.latched.remove(bits);
    }

    fn advance(&mut self, retired: u64) {
        self.retired = self.retired.saturating_add(retired);
    }

    fn countdown(&self) -> u64 {
        self.stop_at.saturating_sub(self.retired)
    }

    fn insns(&self) -> u64 {
        self.retired
    }

    fn port_read(&mut self, _: CpuId, _: u16, width: Width) -> u32 {
        width.mask() as u32
    }

    fn port_write(&mut self, _: CpuId, _: u16, _: Width, _: u32) {}

    // The CPU comes here for what does not fit its fast path: an access over the end of memory.
    fn mmio_read(&mut self, _: CpuId, gpa: Gpa, _: bool, width: Width) -> u64 {
        (0..width.bytes() as u64).rev().fold(0, |value, i| {
            let at = self.wrap(gpa.0.wrapping_add(i));
            value << 8 | u64::from(self.ram.read_u8(at))
        })
    }

    fn mmio_write(&mut self, _: CpuId, gpa: Gpa, _: bool, width: Width, value: u64) {
        for i in 0..width.bytes() {
            let at = self.wrap(gpa.0.wrapping_add(i as u64));
            self.ram.write_u8(at, (value >> (8 * i)) as u8);
        }
    }

    fn page(&self, gpa: Gpa, _: bool) -> PageView {
        let offset = self.wrap(gpa.0) & !(PAGE_BYTES - 1);
        PageView {
            read: Some((self.ram.clone(), offset)),
            write: Some((self.ram.clone(), offset)),
        }
    }

    fn acknowledge(&mut self, _: CpuId) -> Option<u8> {
        None
    }

    fn special_cycle(&mut self, _: CpuId, _: Special) {}

    fn blocks(&self) -> &[Ram] {
        &self.blocks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CPU: CpuId = CpuId(0);

    #[test]
    fn memory_wraps_at_its_end() {
        let mut bus = FlatBus::new(1 << 20).unwrap();
        bus.mmio_write(CPU, Gpa(0xF_FFFF), false, Width::Word, 0x1234);
        assert_eq!((bus.get(0xF_FFFF), bus.get(0)), (0x34, 0x12));
        assert_eq!(
            bus.mmio_read(CPU, Gpa(0xF_FFFF), false, Width::Word),
            0x1234
        );
        assert_eq!(bus.page(Gpa(0x10_1234), false).read.unwrap().1, 0x1000);
    }

    #[test]
    fn every_changed_byte_is_found_and_put_back() {
        let mut bus = FlatBus::new(1 << 20).unwrap();
        let old = bus.background(0x54321);
        bus.set(0x54321, !old);
        bus.set(0x10, bus.background(0x10));
        let mut differing = Vec::new();
        bus.restore(&mut differing);
        assert_eq!(differing, [(0x54321, !old)]);
        assert_eq!(bus.get(0x54321), old);
        differing.clear();
        bus.restore(&mut differing);
        assert!(differing.is_empty());
    }

    #[test]
    fn ports_read_as_all_ones() {
        let mut bus = FlatBus::new(1 << 20).unwrap();
        assert_eq!(bus.port_read(CPU, 0x60, Width::Byte), 0xFF);
        assert_eq!(bus.port_read(CPU, 0x60, Width::Word), 0xFFFF);
    }
}
