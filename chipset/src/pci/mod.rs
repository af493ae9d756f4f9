//! The configuration space that every PCI function has.
//!
//! **What it is**: PCI Local Bus Specification, revision 2.1, chapter 6: 256 bytes of registers with a predefined
//! header. A [`ConfigSpace`] says, once, which bits exist, what they hold after reset, which a guest can write and
//! which it clears by writing 1; it belongs to a chip's wiring. The registers themselves are [`ConfigRegisters`]
//! and belong to the chip's `State`.
//!
//! ```
//! use chipset::pci::{Bar, ConfigSpace, Command};
//! use emu_core::Width;
//! let space = ConfigSpace::new(0x1234, 0x1111)
//!     .class(0x03, 0x00, 0x00)
//!     .command(Command::IO_SPACE | Command::MEMORY_SPACE)
//!     .bar(0, Bar::Memory { bytes: 16 << 20, prefetchable: true })
//!     .rom(64 << 10);
//! let mut registers = space.reset_values();
//! let _ = space.write(&mut registers, 0x10, Width::Dword, 0xFFFF_FFFF);
//! assert_eq!(space.read(&registers, 0x10, Width::Dword), 0xFF00_0008);
//! assert_eq!(space.windows(&registers).count(), 0);
//! let _ = space.write(&mut registers, 0x10, Width::Dword, 0xE000_0000);
//! assert!(space.write(&mut registers, 0x04, Width::Word, 2), "now it decodes");
//! assert_eq!(space.windows(&registers).next().unwrap().base, 0xE000_0000);
//! ```
//!
//! In a chip, [`ConfigSpace::write`]'s answer is passed to `Cx::request_remap`, and `Device::decode` walks
//! [`ConfigSpace::windows`].
//!
//! **Not implemented**: type 1 headers (PCI-to-PCI bridges); BIST.

mod spec;
#[cfg(test)]
mod tests;

pub use spec::*;

use emu_core::Width;
use serde::{Deserialize, Serialize};
use serde_big_array::BigArray;

/// What a base address register asks for.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Bar {
    /// A window in I/O space; a power of two from 4 to 256 bytes by the specification.
    Io {
        /// Size.
        bytes: u32,
    },
    /// A window anywhere in the first 4 GiB; a power of two from 16 bytes on.
    Memory {
        /// Size.
        bytes: u32,
        /// Reads have no side effects.
        prefetchable: bool,
    },
    /// A window anywhere in a 64-bit space; takes the next register too.
    Memory64 {
        /// Size.
        bytes: u64,
        /// Reads have no side effects.
        prefetchable: bool,
    },
}

/// Which register a window belongs to.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum WindowOf {
    /// Base address register 0 to 5.
    Bar(usize),
    /// The expansion ROM register.
    Rom,
}

/// A window that a function decodes at the moment.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Window {
    /// The register that places it.
    pub of: WindowOf,
    /// I/O space (else memory).
    pub io: bool,
    /// First address.
    pub base: u64,
    /// Size.
    pub bytes: u64,
}

/// The present contents of a configuration space.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ConfigRegisters(#[serde(with = "BigArray")] [u8; CONFIG_BYTES]);

impl ConfigRegisters {
    fn get<const N: usize>(&self, offset: u8) -> [u8; N] {
        std::array::from_fn(|i| self.0[(usize::from(offset) + i) % CONFIG_BYTES])
    }
    fn put(&mut self, offset: u8, bytes: &[u8]) {
        for (i, b) in bytes.iter().enumerate() {
            self.0[(usize::from(offset) + i) % CONFIG_BYTES] = *b;
        }
    }

    /// A byte.
    pub fn u8(&self, offset: u8) -> u8 {
        self.0[usize::from(offset)]
    }
    /// 16 bits.
    pub fn u16(&self, offset: u8) -> u16 {
        u16::from_le_bytes(self.get(offset))
    }
    /// 32 bits.
    pub fn u32(&self, offset: u8) -> u32 {
        u32::from_le_bytes(self.get(offset))
    }
    /// Sets a byte from the function's side: no mask applies.
    pub fn set_u8(&mut self, offset: u8, value: u8) {
        self.put(offset, &[value]);
    }
    /// Sets 16 bits from the function's side.
    pub fn set_u16(&mut self, offset: u8, value: u16) {
        self.put(offset, &value.to_le_bytes());
    }
    /// Sets 32 bits from the function's side.
    pub fn set_u32(&mut self, offset: u8, value: u32) {
        self.put(offset, &value.to_le_bytes());
    }

    /// The command register.
    pub fn command(&self) -> Command {
        Command::from_bits_truncate(self.u16(COMMAND))
    }
    /// The status register.
    pub fn status(&self) -> Status {
        Status::from_bits_truncate(self.u16(STATUS))
    }
    /// Sets bits of the status register, as an event on the bus does.
    pub fn raise_status(&mut self, bits: Status) {
        self.set_u16(STATUS, self.u16(STATUS) | bits.bits());
    }
    /// Whether the function may act as a bus master.
    pub fn bus_master(&self) -> bool {
        self.command().contains(Command::BUS_MASTER)
    }
}

/// The shape of a function's configuration space: fixed when the chip is made.
#[derive(Clone, Debug)]
pub struct ConfigSpace {
    reset: [u8; CONFIG_BYTES],
    writable: [u8; CONFIG_BYTES],
    write_1_to_clear: [u8; CONFIG_BYTES],
    bars: [Option<Bar>; BARS],
    rom_bytes: u32,
    rom_decodes_alone: bool,
}

impl ConfigSpace {
    /// A function that has only its identity; everything else reads 0 and ignores writes.
    pub fn new(vendor: u16, device: u16) -> Self {
        let space = Self {
            reset: [0; CONFIG_BYTES],
            writable: [0; CONFIG_BYTES],
            write_1_to_clear: [0; CONFIG_BYTES],
            bars: [None; BARS],
            rom_bytes: 0,
            rom_decodes_alone: false,
        };
        let mut space = space
            .value(VENDOR_ID, &vendor.to_le_bytes())
            .value(DEVICE_ID, &device.to_le_bytes());
        set(
            &mut space.write_1_to_clear,
            STATUS,
            &STATUS_WRITE_1_TO_CLEAR.to_le_bytes(),
        );
        space
    }

    /// What registers hold after reset.
    #[must_use]
    pub fn value(mut self, offset: u8, bytes: &[u8]) -> Self {
        set(&mut self.reset, offset, bytes);
        self
    }

    /// Which bits a guest can write.
    #[must_use]
    pub fn writable(mut self, offset: u8, mask: &[u8]) -> Self {
        set(&mut self.writable, offset, mask);
        self
    }

    /// Which bits a guest clears by writing 1. The status register's are set already.
    #[must_use]
    pub fn write_1_to_clear(mut self, offset: u8, mask: &[u8]) -> Self {
        set(&mut self.write_1_to_clear, offset, mask);
        self
    }

    /// Class code: base class, sub-class, programming interface.
    #[must_use]
    pub fn class(self, base: u8, sub: u8, interface: u8) -> Self {
        self.value(CLASS_CODE, &[interface, sub, base])
    }

    /// Revision ID.
    #[must_use]
    pub fn revision(self, revision: u8) -> Self {
        self.value(REVISION_ID, &[revision])
    }

    /// Header type; use [`HEADER_MULTI_FUNCTION`] on function 0 of a device that has others.
    #[must_use]
    pub fn header_type(self, header: u8) -> Self {
        self.value(HEADER_TYPE, &[header])
    }

    /// Subsystem vendor and subsystem ID.
    #[must_use]
    pub fn subsystem(self, vendor: u16, id: u16) -> Self {
        self.value(SUBSYSTEM_VENDOR_ID, &vendor.to_le_bytes())
            .value(SUBSYSTEM_ID, &id.to_le_bytes())
    }

    /// The command bits that a guest can write.
    #[must_use]
    pub fn command(self, bits: Command) -> Self {
        self.writable(COMMAND, &bits.bits().to_le_bytes())
    }

    /// The status bits that always read 1.
    #[must_use]
    pub fn status(self, bits: Status) -> Self {
        self.value(STATUS, &bits.bits().to_le_bytes())
    }

    /// An interrupt pin (1 to 4: INTA# to INTD#) and a writable interrupt line register.
    #[must_use]
    pub fn interrupt_pin(self, pin: u8) -> Self {
        self.value(INTERRUPT_PIN, &[pin])
            .writable(INTERRUPT_LINE, &[0xFF])
    }

    /// A base address register.
    ///
    /// # Panics
    /// If there is no such register or the size is no power of two: a mistake in a chip's description.
    #[must_use]
    pub fn bar(mut self, index: usize, bar: Bar) -> Self {
        let (kind, mask, low) = match bar {
            Bar::Io { bytes } => (BAR_IO, !(u64::from(bytes) - 1), bytes >= 4),
            Bar::Memory {
                bytes,
                prefetchable,
            } => (
                u32::from(prefetchable) * BAR_PREFETCHABLE,
                !(u64::from(bytes) - 1),
                bytes >= 16,
            ),
            Bar::Memory64 {
                bytes,
                prefetchable,
            } => (
                BAR_MEMORY_64 | (u32::from(prefetchable) * BAR_PREFETCHABLE),
                !(bytes - 1),
                bytes >= 16 && index + 1 < BARS,
            ),
        };
        assert!(
            index < BARS && low && mask.leading_ones() + mask.trailing_zeros() == 64,
            "base address register {index} cannot be {bar:?}"
        );
        let offset = BAR0 + 4 * index as u8;
        set(&mut self.reset, offset, &kind.to_le_bytes());
        set(&mut self.writable, offset, &(mask as u32).to_le_bytes());
        if matches!(bar, Bar::Memory64 { .. }) {
            let high = ((mask >> 32) as u32).to_le_bytes();
            set(&mut self.writable, offset + 4, &high);
        }
        self.bars[index] = Some(bar);
        self
    }

    /// An expansion ROM of a power of two bytes, 2 KiB at least.
    ///
    /// # Panics
    /// If the size is impossible: a mistake in a chip's description.
    #[must_use]
    pub fn rom(mut self, bytes: u32) -> Self {
        assert!(
            bytes.is_power_of_two() && bytes >= ROM_MIN_BYTES,
            "an expansion ROM cannot have {bytes} bytes"
        );
        let mask = !(bytes - 1) | ROM_ENABLE;
        set(&mut self.writable, EXPANSION_ROM, &mask.to_le_bytes());
        self.rom_bytes = bytes;
        self
    }

    /// The expansion ROM's own enable bit is enough: it does not wait for the command register's memory space bit, as
    /// section 6.2.5.2 wants it.
    #[must_use]
    pub fn rom_decodes_alone(mut self) -> Self {
        self.rom_decodes_alone = true;
        self
    }

    /// The registers as a reset leaves them.
    pub fn reset_values(&self) -> ConfigRegisters {
        ConfigRegisters(self.reset)
    }

    /// A configuration read.
    pub fn read(&self, registers: &ConfigRegisters, offset: u8, width: Width) -> u32 {
        registers.u32(offset) & width.mask() as u32
    }

    /// A configuration write. Says whether [`Self::windows`] gives another answer than before.
    #[must_use = "a change of the windows asks for a remap"]
    pub fn write(
        &self,
        registers: &mut ConfigRegisters,
        offset: u8,
        width: Width,
        value: u32,
    ) -> bool {
        let before: Vec<Window> = self.windows(registers).collect();
        for (i, new) in value.to_le_bytes()[..width.bytes().min(4)]
            .iter()
            .enumerate()
        {
            let at = (usize::from(offset) + i) % CONFIG_BYTES;
            let (mask, clear) = (self.writable[at], self.write_1_to_clear[at]);
            let kept = registers.0[at] & !mask & !(clear & new);
            registers.0[at] = kept | (new & mask);
        }
        !self.windows(registers).eq(before)
    }

    /// The windows that the function decodes: those whose space is enabled in the command register, that hold an
    /// address (section 6.2.5.1: 0 is none), and that lie wholly inside their space.
    pub fn windows<'a>(
        &'a self,
        registers: &'a ConfigRegisters,
    ) -> impl Iterator<Item = Window> + 'a {
        let command = registers.command();
        let bars = self.bars.iter().enumerate().filter_map(move |(i, bar)| {
            let offset = BAR0 + 4 * i as u8;
            let low = u64::from(registers.u32(offset));
            let (io, bytes, address, limit) = match (*bar)? {
                Bar::Io { bytes } => (true, u64::from(bytes), low, 0x1_0000),
                Bar::Memory { bytes, .. } => (false, u64::from(bytes), low, 1 << 32),
                Bar::Memory64 { bytes, .. } => {
                    let high = u64::from(registers.u32(offset + 4));
                    (false, bytes, (high << 32) | low, u64::MAX)
                }
            };
            let base = address & !(bytes - 1);
            let enable = if io {
                Command::IO_SPACE
            } else {
                Command::MEMORY_SPACE
            };
            let fits = base != 0 && base.checked_add(bytes).is_some_and(|end| end <= limit);
            (command.contains(enable) && fits).then_some(Window {
                of: WindowOf::Bar(i),
                io,
                base,
                bytes,
            })
        });
        let rom = registers.u32(EXPANSION_ROM);
        let rom_bytes = u64::from(self.rom_bytes);
        let rom_base = u64::from(rom) & !rom_bytes.wrapping_sub(1);
        let rom_on = rom_bytes != 0
            && rom & ROM_ENABLE != 0
            && rom_base != 0
            && rom_base + rom_bytes <= 1 << 32
            && (self.rom_decodes_alone || command.contains(Command::MEMORY_SPACE));
        bars.chain(rom_on.then_some(Window {
            of: WindowOf::Rom,
            io: false,
            base: rom_base,
            bytes: rom_bytes,
        }))
    }
}

fn set(array: &mut [u8; CONFIG_BYTES], offset: u8, bytes: &[u8]) {
    let at = usize::from(offset);
    array[at..at + bytes.len()].copy_from_slice(bytes);
}
