//! The display memory window: from a CPU address to maps and offsets.
//!
//! Video memory is kept with the four maps interleaved: byte `4 * offset + map`. So the four bytes that the VGA
//! reads and writes at once are one doubleword, and a CPU doubleword in chain-4 mode is one too.

use super::Registers;
use super::graphics::spread;
use super::spec::{MiscOutput, PLANE_BYTES, dispi};
use emu_core::Width;
use emu_core::ram::Ram;

/// What a picture is drawn from.
pub trait VideoMemory {
    /// The four maps' bytes at an offset.
    fn maps(&self, offset: usize) -> u32;
    /// Bytes as the linear frame buffer shows them; those past the end read 0.
    fn bytes(&self, offset: usize, buffer: &mut [u8]);
}

impl VideoMemory for Ram {
    fn maps(&self, offset: usize) -> u32 {
        self.read_u32(offset.wrapping_mul(4))
    }
    fn bytes(&self, offset: usize, buffer: &mut [u8]) {
        let inside = self.len_bytes().saturating_sub(offset).min(buffer.len());
        self.read(offset, &mut buffer[..inside]);
        buffer[inside..].fill(0);
    }
}

impl VideoMemory for [u8] {
    fn maps(&self, offset: usize) -> u32 {
        let mut b = [0; 4];
        self.bytes(offset.wrapping_mul(4), &mut b);
        u32::from_le_bytes(b)
    }
    fn bytes(&self, offset: usize, buffer: &mut [u8]) {
        let rest = self.get(offset..).unwrap_or(&[]);
        let inside = rest.len().min(buffer.len());
        buffer[..inside].copy_from_slice(&rest[..inside]);
        buffer[inside..].fill(0);
    }
}

/// Where a CPU address leads.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
struct Place {
    /// Offset in each map.
    offset: usize,
    /// The maps that a write may reach by its address.
    write_maps: u8,
    /// The map that read mode 0 reads.
    read_map: u8,
}

/// How the window is laid out.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
enum Layout {
    /// In none of the ways below.
    #[default]
    Other,
    /// Words are characters with their attributes: bytes of maps 0 and 1 at one offset.
    Pairs,
    /// Aligned doublewords are the four maps at one offset.
    Chain4,
}

/// The window as the registers have it at present, as far as an access can be done in one piece.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Window {
    layout: Layout,
    /// Reads give what is in memory.
    reads: bool,
    /// Writes change memory to what is written.
    writes: bool,
    /// Where it begins, in bytes from A0000h, and how long it is.
    base: u32,
    len: u32,
    /// The address bits that count for an offset, what is put in their place, and what is added.
    mask: usize,
    bit_0: usize,
    bank: usize,
}

impl Window {
    /// The place in video memory of an access in one piece, `at` bytes from A0000h.
    #[inline]
    fn whole(&self, at: u32, width: Width) -> Option<usize> {
        let inside = at.wrapping_sub(self.base);
        if inside >= self.len || at & (width.bytes() as u32 - 1) != 0 {
            return None;
        }
        let place = inside as usize & 0xFFFF;
        match self.layout {
            Layout::Pairs if width == Width::Word => {
                Some(((place & self.mask | self.bit_0) + self.bank) * 4)
            }
            Layout::Chain4 if width <= Width::Dword => {
                let offset = (place & 0xFFFC | place >> 14) & self.mask;
                Some((offset + self.bank) * 4 + (place & 3))
            }
            _ => None,
        }
    }
}

impl Registers {
    /// The window as the registers have it.
    pub(super) fn present_window(&self) -> Window {
        let Some((base, len)) = self.open_window().filter(|_| !self.dispi.packed()) else {
            return Window::default();
        };
        let (s, g) = (&self.sequencer, &self.graphics);
        let layout = if s.chain_4() {
            Layout::Chain4
        } else if s.odd_even()
            && g.chain_odd_even()
            && g.read_odd_even()
            && g.read_map() < 2
            && g.memory_map() != 0
        {
            Layout::Pairs
        } else {
            Layout::Other
        };
        let maps = if layout == Layout::Pairs {
            0b11
        } else {
            0b1111
        };
        let limit = if s.extended_memory() { 0xFFFF } else { 0x3FFF };
        let pairs = layout == Layout::Pairs;
        Window {
            layout,
            reads: !g.read_mode_1(),
            writes: g.passes_data_through() && s.map_mask() == maps,
            base,
            len,
            mask: if pairs { limit & !1 } else { limit },
            bit_0: usize::from(pairs && !self.misc().contains(MiscOutput::PAGE)),
            bank: if self.dispi.mode().is_some() {
                self.dispi.bank() * PLANE_BYTES
            } else {
                0
            },
        }
    }

    /// The address inside the window that the memory map select opens; `None` where the VGA does not answer.
    fn window(&self, at: u32) -> Option<u32> {
        let (base, len) = self.open_window()?;
        at.checked_sub(base).filter(|&a| a < len)
    }

    /// Where the window begins that the memory map select opens, and its length.
    fn open_window(&self) -> Option<(u32, u32)> {
        if !self.cpu_access() {
            return None;
        }
        Some(match self.graphics.memory_map() {
            0 => (0, 0x2_0000),
            1 => (0, 0x1_0000),
            2 => (0x1_0000, 0x8000),
            _ => (0x1_8000, 0x8000),
        })
    }

    fn cpu_access(&self) -> bool {
        self.misc().contains(MiscOutput::ENABLE_RAM) && self.subsystem_enabled()
    }

    /// The byte of video memory that the banked window of a DISPI mode shows.
    fn banked(&self, at: u32) -> Option<usize> {
        let packed = self.dispi.mode()?.packed();
        (packed && self.cpu_access() && (at as usize) < dispi::BANK_BYTES)
            .then(|| self.dispi.bank() * dispi::BANK_BYTES + at as usize)
    }

    fn place(&self, at: u32) -> Place {
        let low = (at & 3) as u8;
        let mut offset = (at & 0xFFFF) as usize;
        let (write_maps, read_map);
        if self.sequencer.chain_4() {
            // Address bits 15 and 14 take the places of the two that select the map.
            offset = (offset & 0xFFFC) | (offset >> 14);
            write_maps = 1 << low;
            read_map = low;
        } else {
            if self.graphics.chain_odd_even() {
                let bit0 = if self.graphics.memory_map() == 0 {
                    at & 0x1_0000 != 0
                } else {
                    !self.misc().contains(MiscOutput::PAGE)
                };
                offset = (offset & !1) | usize::from(bit0);
            }
            write_maps = match (self.sequencer.odd_even(), low & 1) {
                (false, _) => 0b1111,
                (true, 0) => 0b0101,
                (true, _) => 0b1010,
            };
            read_map = if self.graphics.read_odd_even() {
                (self.graphics.read_map() & 2) | (low & 1)
            } else {
                self.graphics.read_map()
            };
        }
        if !self.sequencer.extended_memory() {
            offset &= 0x3FFF;
        }
        if self.dispi.mode().is_some() {
            offset += self.dispi.bank() * PLANE_BYTES;
        }
        Place {
            offset,
            write_maps,
            read_map,
        }
    }

    fn read_byte(&mut self, vram: &Ram, at: u32) -> u8 {
        if self.dispi.packed() {
            return self.banked(at).map_or(0xFF, |i| vram.read_u8(i));
        }
        let Some(at) = self.window(at) else {
            return 0xFF;
        };
        let place = self.place(at);
        self.graphics.latch(vram.maps(place.offset));
        self.graphics.cpu_read(place.read_map)
    }

    fn write_byte(&mut self, vram: &Ram, at: u32, value: u8) {
        if self.dispi.packed() {
            if let Some(i) = self.banked(at) {
                vram.write_u8(i, value);
            }
            return;
        }
        let Some(at) = self.window(at) else {
            return;
        };
        let place = self.place(at);
        let maps = place.write_maps & self.sequencer.map_mask();
        let at = place.offset * 4;
        if maps.is_power_of_two() {
            let map = maps.trailing_zeros();
            let byte = (self.graphics.cpu_write(value) >> (8 * map)) as u8;
            vram.write_u8(at + map as usize, byte);
        } else if maps != 0 {
            let (new, mask) = (self.graphics.cpu_write(value), spread(maps));
            vram.write_u32(at, (vram.read_u32(at) & !mask) | (new & mask));
        }
    }

    /// Whether an aligned access of this width is one piece of interleaved memory: whole groups of four maps in
    /// chain-4 mode, pairs in odd/even mode. Gives its offset in video memory.
    fn whole(&self, at: u32, width: Width) -> Option<usize> {
        let bytes = width.bytes() as u32;
        if bytes == 1 || !at.is_multiple_of(bytes) {
            return None;
        }
        if self.dispi.packed() {
            return self.banked(at);
        }
        let chain_4 = self.sequencer.chain_4() && width == Width::Dword;
        let pair = !self.sequencer.chain_4()
            && width == Width::Word
            && self.sequencer.odd_even()
            && self.graphics.chain_odd_even()
            && self.graphics.read_odd_even()
            && self.graphics.read_map() < 2;
        let at = self.window(at).filter(|_| chain_4 || pair)?;
        Some(self.place(at).offset * 4)
    }

    /// A CPU read at `at` bytes from A0000h, where `window` is [`Self::present_window`].
    #[inline]
    pub(super) fn read_by(&mut self, window: &Window, vram: &Ram, at: u32, width: Width) -> u64 {
        match window.whole(at, width).filter(|_| window.reads) {
            Some(place) => {
                let maps = vram.read_u32(place & !3);
                self.graphics.latch(maps);
                u64::from(maps >> (8 * (place & 3))) & width.mask()
            }
            None => self.window_read(vram, at, width),
        }
    }

    /// A CPU write at `at` bytes from A0000h, where `window` is [`Self::present_window`].
    #[inline]
    pub(super) fn write_by(
        &mut self,
        window: &Window,
        vram: &Ram,
        at: u32,
        width: Width,
        value: u64,
    ) {
        let place = window.whole(at, width).filter(|_| window.writes);
        match (place, width) {
            (Some(place), Width::Byte) => vram.write_u8(place, value as u8),
            (Some(place), Width::Word) => vram.write_u16(place, value as u16),
            (Some(place), Width::Dword) => vram.write_u32(place, value as u32),
            _ => self.window_write(vram, at, width, value),
        }
    }

    /// A CPU read at `at` bytes from A0000h.
    pub(super) fn window_read(&mut self, vram: &Ram, at: u32, width: Width) -> u64 {
        if let Some(offset) = self.whole(at, width) {
            let mut b = [0; 8];
            vram.read(offset, &mut b[..width.bytes()]);
            if self.dispi.packed() {
                return u64::from_le_bytes(b);
            }
            self.graphics.latch(vram.read_u32(offset));
            if !self.graphics.read_mode_1() {
                return u64::from_le_bytes(b);
            }
        }
        (0..width.bytes() as u32).fold(0, |v, i| {
            v | u64::from(self.read_byte(vram, at + i)) << (8 * i)
        })
    }

    /// A CPU write at `at` bytes from A0000h.
    pub(super) fn window_write(&mut self, vram: &Ram, at: u32, width: Width, value: u64) {
        let maps = if width == Width::Word { 0b11 } else { 0b1111 };
        let plain = self.dispi.packed()
            || (self.graphics.passes_data_through()
                && self.sequencer.map_mask() & maps == maps
                // In odd/even mode maps 2 and 3 would be written along with 0 and 1.
                && (width != Width::Word || self.sequencer.map_mask() == maps));
        if plain && let Some(offset) = self.whole(at, width) {
            vram.write(offset, &value.to_le_bytes()[..width.bytes()]);
            return;
        }
        for i in 0..width.bytes() as u32 {
            self.write_byte(vram, at + i, (value >> (8 * i)) as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(seed: &mut u64) -> u64 {
        *seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        *seed >> 33
    }

    /// Registers in the states that programs put them into, and in any: an access in one piece is the same as byte by byte.
    #[test]
    fn accesses_in_one_piece_are_those_of_the_registers() {
        const BYTES: usize = 512 << 10;
        let rams = [(); 2].map(|()| Ram::new("vram", BYTES).expect("memory"));
        for i in 0..BYTES {
            rams.iter().for_each(|r| r.write_u8(i, (i * 7) as u8));
        }
        let (mut seed, mut in_one_piece) = (1, 0);
        for round in 0..4000 {
            let mut a = Registers::new(BYTES);
            // Memory enabled; text mode, mode 13h, and neither.
            a.write(
                0x3C2,
                if next(&mut seed).is_multiple_of(8) {
                    0
                } else {
                    0x63
                } ^ (next(&mut seed) as u8 & 0x20),
            );
            let (maps, memory, mode, misc) = match round % 3 {
                0 => (0x03, 0x02, 0x10, 0x0E),
                1 => (0x0F, 0x0E, 0x40, 0x05),
                _ => {
                    let mut any = || next(&mut seed) as u8;
                    (any(), any(), any(), any())
                }
            };
            for (index, port, value) in [
                (2, 0x3C4, maps),
                (4, 0x3C4, memory),
                (5, 0x3CE, mode),
                (6, 0x3CE, misc),
                (8, 0x3CE, 0xFF),
            ] {
                a.write(port, index);
                a.write(port + 1, value);
            }
            if next(&mut seed).is_multiple_of(4) {
                a.write(0x3CE, next(&mut seed) as u8 % 9);
                a.write(0x3CF, next(&mut seed) as u8);
            }
            let mut b = a.clone();
            let window = a.present_window();
            for _ in 0..8 {
                let width = [Width::Byte, Width::Word, Width::Dword, Width::Qword]
                    [next(&mut seed) as usize % 4];
                let at = next(&mut seed) as u32 % 0x2_0000;
                let at = at.min(0x2_0000 - width.bytes() as u32);
                let value = next(&mut seed) << 31 ^ next(&mut seed);
                if next(&mut seed).is_multiple_of(2) {
                    let read = a.read_by(&window, &rams[0], at, width);
                    assert_eq!(read, b.window_read(&rams[1], at, width));
                } else {
                    a.write_by(&window, &rams[0], at, width, value);
                    b.window_write(&rams[1], at, width, value);
                }
                in_one_piece += u32::from(window.whole(at, width).is_some());
                assert_eq!(a, b);
            }
        }
        let all = |r: &Ram| {
            let mut bytes = vec![0; BYTES];
            r.read(0, &mut bytes);
            bytes
        };
        assert!(all(&rams[0]) == all(&rams[1]));
        assert!(in_one_piece > 3000);
    }
}
