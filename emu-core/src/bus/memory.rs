//! The physical memory map: overlapping ranges flattened into disjoint spans, one view for SMM and one without.

use super::decode::{Access, Decode, MemoryRange, MemoryTarget, RegionId, SmmView};
use super::{Gpa, Width};
use crate::device::DeviceId;
use crate::ram::{PAGE_BYTES, Ram};

/// Bytes of a block that stand at an address.
#[derive(Clone, Debug, PartialEq)]
pub struct RamSpan {
    /// The block.
    pub ram: Ram,
    /// Offset of the addressed byte.
    pub offset: usize,
    /// How many bytes follow contiguously, the addressed one included.
    pub len: usize,
}

/// A device register at an address.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct MmioTarget {
    /// Whose.
    pub device: DeviceId,
    /// The device's own number for the range.
    pub region: RegionId,
    /// Offset in the range.
    pub offset: u64,
    /// The widest access that it takes whole.
    pub native: Width,
}

/// What answers at an address, in one direction.
#[derive(Clone, Debug, PartialEq)]
pub enum Route {
    /// Nobody: open bus.
    Unclaimed,
    /// Memory.
    Ram(RamSpan),
    /// A device.
    Mmio(MmioTarget),
}

/// What a whole page is, for a CPU's TLB. A side is `None` unless all of the page is memory that is contiguous in
/// one block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PageView {
    /// Block and offset of the page for reads and instruction fetch.
    pub read: Option<(Ram, usize)>,
    /// Block and offset of the page for writes.
    pub write: Option<(Ram, usize)>,
}

#[derive(Clone, Debug)]
struct Span {
    start: u64,
    end: u64,
    read: Option<usize>,
    write: Option<usize>,
}

/// The memory map.
#[derive(Clone, Debug, Default)]
pub struct MemoryMap {
    ranges: Vec<MemoryRange>,
    normal: Vec<Span>,
    smm: Vec<Span>,
}

impl MemoryMap {
    /// Builds the map anew from what the devices decode.
    pub fn rebuild(&mut self, decode: &Decode) {
        self.ranges = decode.memory_ranges().to_vec();
        self.normal = self.flatten(false);
        self.smm = self.flatten(true);
    }

    fn flatten(&self, smm: bool) -> Vec<Span> {
        let seen = |r: &MemoryRange| smm || r.view == SmmView::Always;
        let mut cuts: Vec<u64> = self
            .ranges
            .iter()
            .filter(|r| seen(r))
            .flat_map(|r| [r.base, r.base + r.len])
            .collect();
        cuts.sort_unstable();
        cuts.dedup();
        let winner = |at: u64, wants: fn(Access) -> bool| {
            let mut best: Option<usize> = None;
            for (i, r) in self.ranges.iter().enumerate() {
                let rank = |r: &MemoryRange| (r.view == SmmView::SmmOnly, r.priority);
                if seen(r)
                    && wants(r.access)
                    && (r.base..r.base + r.len).contains(&at)
                    && best.is_none_or(|b| rank(r) > rank(&self.ranges[b]))
                {
                    best = Some(i);
                }
            }
            best
        };
        cuts.windows(2)
            .map(|w| Span {
                start: w[0],
                end: w[1],
                read: winner(w[0], Access::reads),
                write: winner(w[0], Access::writes),
            })
            .filter(|s| s.read.is_some() || s.write.is_some())
            .collect()
    }

    fn span(&self, gpa: Gpa, smm: bool) -> Option<&Span> {
        let spans = if smm { &self.smm } else { &self.normal };
        let i = spans.partition_point(|s| s.end <= gpa.0);
        spans.get(i).filter(|s| s.start <= gpa.0)
    }

    fn route(&self, span: Option<&Span>, range: Option<usize>, gpa: Gpa) -> Route {
        let (Some(span), Some(range)) = (span, range) else {
            return Route::Unclaimed;
        };
        let r = &self.ranges[range];
        let from_base = gpa.0 - r.base;
        match &r.target {
            MemoryTarget::Ram { ram, offset } => Route::Ram(RamSpan {
                ram: ram.clone(),
                offset: offset + from_base as usize,
                len: (span.end - gpa.0) as usize,
            }),
            MemoryTarget::Mmio { region, native } => Route::Mmio(MmioTarget {
                device: r.device,
                region: *region,
                offset: from_base,
                native: *native,
            }),
        }
    }

    /// What answers a read at `gpa`, for a CPU in (`smm`) or out of system management mode.
    pub fn read_route(&self, gpa: Gpa, smm: bool) -> Route {
        let span = self.span(gpa, smm);
        self.route(span, span.and_then(|s| s.read), gpa)
    }

    /// What takes a write at `gpa`.
    pub fn write_route(&self, gpa: Gpa, smm: bool) -> Route {
        let span = self.span(gpa, smm);
        self.route(span, span.and_then(|s| s.write), gpa)
    }

    /// Whether the same answers from `first` to `last`.
    pub fn is_one_span(&self, first: Gpa, last: Gpa, smm: bool) -> bool {
        self.span(first, smm).is_some_and(|s| last.0 < s.end)
    }

    /// What the page that holds `gpa` is, for a TLB.
    pub fn page(&self, gpa: Gpa, smm: bool) -> PageView {
        let start = Gpa(gpa.0 & !(PAGE_BYTES as u64 - 1));
        let whole = |route| match route {
            Route::Ram(s) if s.len >= PAGE_BYTES && s.offset.is_multiple_of(PAGE_BYTES) => {
                Some((s.ram, s.offset))
            }
            _ => None,
        };
        PageView {
            read: whole(self.read_route(start, smm)),
            write: whole(self.write_route(start, smm)),
        }
    }

    /// Reads memory as a bus master does. Bytes that are not memory read as FFh: a device's registers are not
    /// reached by another device's DMA read.
    pub fn read(&self, gpa: Gpa, buffer: &mut [u8]) {
        let mut done = 0;
        while done < buffer.len() {
            let at = Gpa(gpa.0.wrapping_add(done as u64));
            let rest = &mut buffer[done..];
            let n = match self.read_route(at, false) {
                Route::Ram(s) => {
                    let n = rest.len().min(s.len);
                    s.ram.read(s.offset, &mut rest[..n]);
                    n
                }
                _ => {
                    rest[0] = 0xFF;
                    1
                }
            };
            done += n;
        }
    }

    /// Writes memory as a bus master does; calls `other` for each byte that is not memory.
    pub fn write(&self, gpa: Gpa, data: &[u8], mut other: impl FnMut(Gpa, u8)) {
        let mut done = 0;
        while done < data.len() {
            let at = Gpa(gpa.0.wrapping_add(done as u64));
            let rest = &data[done..];
            done += match self.write_route(at, false) {
                Route::Ram(s) => {
                    let n = rest.len().min(s.len);
                    s.ram.write(s.offset, &rest[..n]);
                    n
                }
                _ => {
                    other(at, rest[0]);
                    1
                }
            };
        }
    }

    /// Every distinct block of memory in the map.
    pub fn blocks(&self) -> Vec<Ram> {
        let mut blocks: Vec<Ram> = Vec::new();
        for r in &self.ranges {
            if let MemoryTarget::Ram { ram, .. } = &r.target
                && !blocks.contains(ram)
            {
                blocks.push(ram.clone());
            }
        }
        blocks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shadow(read_ram: bool, write_ram: bool) -> (MemoryMap, Ram, Ram) {
        let (dram, rom) = (
            Ram::new("dram", 0x2000).unwrap(),
            Ram::new("rom", 0x1000).unwrap(),
        );
        let mut d = Decode::default();
        d.ram(
            0x1000,
            0x1000,
            &rom,
            0,
            Access::Read,
            Decode::PRIORITY_BACKGROUND,
        );
        for (on, access) in [(read_ram, Access::Read), (write_ram, Access::Write)] {
            if on {
                d.ram(
                    0x1000,
                    0x1000,
                    &dram,
                    0x1000,
                    access,
                    Decode::PRIORITY_CHIPSET,
                );
            }
        }
        d.ram(
            0,
            0x1000,
            &dram,
            0,
            Access::ReadWrite,
            Decode::PRIORITY_CHIPSET,
        );
        let mut map = MemoryMap::default();
        map.rebuild(&d);
        (map, dram, rom)
    }

    #[test]
    fn reads_come_from_rom_while_writes_go_to_the_shadow_ram() {
        let (map, dram, rom) = shadow(false, true);
        rom.write_u8(5, 0xAA);
        map.write(Gpa(0x1005), &[0x55], |_, _| panic!("memory"));
        assert_eq!(dram.read_u8(0x1005), 0x55);
        let mut b = [0];
        map.read(Gpa(0x1005), &mut b);
        assert_eq!(b[0], 0xAA);
        let page = map.page(Gpa(0x1234), false);
        assert_eq!(page.read, Some((rom, 0)));
        assert_eq!(page.write, Some((dram, 0x1000)));
    }

    #[test]
    fn writes_to_rom_reach_nobody() {
        let (map, _, rom) = shadow(false, false);
        let mut lost = 0;
        map.write(Gpa(0x0FFF), &[1, 2, 3], |_, _| lost += 1);
        assert_eq!((lost, rom.read_u8(0)), (2, 0));
    }

    #[test]
    fn smram_is_seen_only_in_smm() {
        let ram = Ram::new("dram", 0x1000).unwrap();
        let mut d = Decode::default();
        d.mmio(3, 0, 0x1000, Width::Dword);
        d.memory_range(
            0,
            0x1000,
            Access::ReadWrite,
            SmmView::SmmOnly,
            Decode::PRIORITY_CHIPSET,
            MemoryTarget::Ram {
                ram: ram.clone(),
                offset: 0,
            },
        );
        let mut map = MemoryMap::default();
        map.rebuild(&d);
        assert!(matches!(map.read_route(Gpa(8), false), Route::Mmio(m) if m.offset == 8));
        assert!(matches!(map.read_route(Gpa(8), true), Route::Ram(_)));
    }

    #[test]
    fn a_page_that_is_only_partly_memory_is_not_given_to_a_tlb() {
        let ram = Ram::new("dram", 0x1000).unwrap();
        let mut d = Decode::default();
        d.ram(0, 0x800, &ram, 0, Access::ReadWrite, 0);
        let mut map = MemoryMap::default();
        map.rebuild(&d);
        assert_eq!(map.page(Gpa(0), false), PageView::default());
    }
}
