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

impl Registers {
    /// The address inside the window that the memory map select opens; `None` where the VGA does not answer.
    fn window(&self, at: u32) -> Option<u32> {
        if !self.cpu_access() {
            return None;
        }
        let (base, len) = match self.graphics.memory_map() {
            0 => (0, 0x2_0000),
            1 => (0, 0x1_0000),
            2 => (0x1_0000, 0x8000),
            _ => (0x1_8000, 0x8000),
        };
        at.checked_sub(base).filter(|&a| a < len)
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
