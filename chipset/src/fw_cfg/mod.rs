//! The firmware configuration device: how a board tells its firmware what it is made of.
//!
//! **What it is**: QEMU's fw_cfg (specification docs/specs/fw_cfg): numbered items of bytes, some of them files with
//! names, read through a selector and a data port or by DMA. SeaBIOS and OVMF ask it for memory, CPUs, boot order,
//! ACPI and SMBIOS tables.
//!
//! **Ports**: 510h (selector, words), 511h (data, bytes), 514h-51Bh (DMA address, doublewords).
//!
//! **Not implemented**: items that the guest can write: a DMA write fails with its error bit.
//!
//! **Known inaccuracies**: a DMA read that asks for more than 1 MiB past the end of its item fails, so that no guest
//! can keep the board busy for gigabytes of zeros.

pub mod spec;
#[cfg(test)]
mod tests;

use emu_core::bus::Decode;
use emu_core::cap::{PortAddr, PortIo};
use emu_core::cx::{Cx, ResetKind};
use emu_core::snapshot::Snapshot;
use emu_core::{Device, Gpa, Width};
use serde::{Deserialize, Serialize};
use spec::DmaControl;
use std::collections::BTreeMap;

const SELECTOR: u16 = 0;
const DATA: u16 = 1;
const DMA: u16 = 2;
const CHUNK_BYTES: usize = 4096;

/// Why the items cannot be offered.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ContentsError {
    /// A name does not fit the directory.
    #[error("a firmware file's name has 1 to 55 characters without zeros; {0:?} has not")]
    Name(String),
    /// Two files of one name.
    #[error("there are two firmware files named {0:?}")]
    Duplicate(String),
    /// An item or the directory is too large.
    #[error("firmware item {0} is too large")]
    TooLarge(String),
}

/// The items that a device offers.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    items: BTreeMap<u16, Vec<u8>>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Contents {
    /// What every board has: signature, features, memory size and CPUs.
    pub fn new(ram_bytes: u64, cpus: u16) -> Self {
        Self::default()
            .item(spec::ITEM_SIGNATURE, spec::SIGNATURE)
            .item(spec::ITEM_ID, spec::ID_TRADITIONAL_AND_DMA.to_le_bytes())
            .item(spec::ITEM_UUID, [0; 16])
            .item(spec::ITEM_RAM_SIZE, ram_bytes.to_le_bytes())
            .item(spec::ITEM_NO_GRAPHIC, 0u16.to_le_bytes())
            .item(spec::ITEM_CPUS, cpus.to_le_bytes())
            .item(spec::ITEM_MAX_CPUS, cpus.to_le_bytes())
            .boot_menu(false)
    }

    /// Whether firmware shall prompt for its boot menu.
    #[must_use]
    pub fn boot_menu(self, wanted: bool) -> Self {
        self.item(spec::ITEM_BOOT_MENU, u16::from(wanted).to_le_bytes())
    }

    /// Sets an item; one that was there is replaced.
    #[must_use]
    pub fn item(mut self, key: u16, bytes: impl Into<Vec<u8>>) -> Self {
        self.items.insert(key & spec::SELECTOR_ITEM, bytes.into());
        self
    }

    /// Adds a file.
    pub fn file(
        mut self,
        name: impl Into<String>,
        bytes: impl Into<Vec<u8>>,
    ) -> Result<Self, ContentsError> {
        let name = name.into();
        if name.is_empty() || name.len() >= spec::FILE_NAME_BYTES || name.contains('\0') {
            return Err(ContentsError::Name(name));
        }
        match self.files.insert(name.clone(), bytes.into()) {
            None => Ok(self),
            Some(_) => Err(ContentsError::Duplicate(name)),
        }
    }

    /// All items, the files and their directory among them. Files come in the order of their names.
    fn into_items(self) -> Result<BTreeMap<u16, Vec<u8>>, ContentsError> {
        let Self { mut items, files } = self;
        let count = u32::try_from(files.len()).unwrap_or(u32::MAX);
        let mut directory = count.to_be_bytes().to_vec();
        for (key, (name, bytes)) in (spec::ITEM_FILE_FIRST..).zip(files) {
            let size = u32::try_from(bytes.len());
            let (Ok(size), true) = (size, key < spec::ITEM_FILE_END) else {
                return Err(ContentsError::TooLarge(name));
            };
            directory.extend(size.to_be_bytes());
            directory.extend(key.to_be_bytes());
            directory.extend([0; 2]);
            let mut padded = name.into_bytes();
            padded.resize(spec::FILE_NAME_BYTES, 0);
            directory.extend(padded);
            items.insert(key, bytes);
        }
        items.insert(spec::ITEM_FILE_DIRECTORY, directory);
        let large = items.iter().find(|i| u32::try_from(i.1.len()).is_err());
        match large {
            Some((key, _)) => Err(ContentsError::TooLarge(format!("{key:X}h"))),
            None => Ok(items),
        }
    }
}

/// What a guest can change.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    selector: u16,
    offset: u32,
    dma_high: u32,
}

impl Snapshot for State {
    const VERSION: u16 = 1;
}

/// The device.
#[derive(Debug)]
pub struct FwCfg {
    items: BTreeMap<u16, Vec<u8>>,
    state: State,
}

impl FwCfg {
    /// A device that offers `contents`.
    pub fn new(contents: Contents) -> Result<Self, ContentsError> {
        Ok(Self {
            items: contents.into_items()?,
            state: State::default(),
        })
    }

    fn select(&mut self, selector: u16) {
        self.state.selector = selector;
        self.state.offset = 0;
    }

    /// What is left of the selected item.
    fn rest(&self) -> &[u8] {
        self.items
            .get(&(self.state.selector & spec::SELECTOR_ITEM))
            .and_then(|item| item.get(self.state.offset as usize..))
            .unwrap_or(&[])
    }

    fn next_byte(&mut self) -> u8 {
        let byte = self.rest().first().copied().unwrap_or(0);
        self.state.offset = self.state.offset.saturating_add(1);
        byte
    }

    fn dma(&mut self, at: Gpa, cx: &mut Cx<'_>) {
        let mut access = [0; spec::DMA_ACCESS_BYTES];
        cx.dma_read(at, &mut access);
        let word = |i: usize| u32::from_be_bytes(std::array::from_fn(|n| access[i + n]));
        let (control, length) = (word(0), word(4));
        let address = (u64::from(word(8)) << 32) | u64::from(word(12));
        let asked = DmaControl::from_bits_truncate(control);
        if asked.contains(DmaControl::SELECT) {
            self.select((control >> 16) as u16);
        }
        let done = if asked.contains(DmaControl::READ) {
            self.dma_read_item(Gpa(address), length, cx)
        } else if asked.contains(DmaControl::WRITE) {
            false
        } else {
            if asked.contains(DmaControl::SKIP) {
                self.state.offset = self.state.offset.saturating_add(length);
            }
            true
        };
        let result = if done {
            DmaControl::empty()
        } else {
            DmaControl::ERROR
        };
        cx.dma_write(at, &result.bits().to_be_bytes());
    }

    fn dma_read_item(&mut self, address: Gpa, length: u32, cx: &mut Cx<'_>) -> bool {
        let rest = self.rest();
        let inside = rest.len().min(length as usize);
        let past = length - inside as u32;
        if past > spec::DMA_PAST_END_MAX {
            return false;
        }
        let mut to = address.0;
        let zeros = [0; CHUNK_BYTES];
        let outside = (0..past as usize)
            .step_by(CHUNK_BYTES)
            .map(|done| &zeros[..CHUNK_BYTES.min(past as usize - done)]);
        for piece in rest[..inside].chunks(CHUNK_BYTES).chain(outside) {
            cx.dma_write(Gpa(to), piece);
            to = to.wrapping_add(piece.len() as u64);
        }
        self.state.offset = self.state.offset.saturating_add(length);
        true
    }
}

impl Device for FwCfg {
    const KIND: &'static str = "fw_cfg";
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }
    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }
    fn reset(&mut self, kind: ResetKind, _cx: &mut Cx<'_>) {
        if kind != ResetKind::Init {
            self.state = State::default();
        }
    }
    fn decode(&self, decode: &mut Decode) {
        decode.ports(SELECTOR, spec::PORT_SELECTOR, 1, Width::Word);
        decode.ports(DATA, spec::PORT_DATA, 1, Width::Byte);
        decode.ports(DMA, spec::PORT_DMA, 8, Width::Dword);
    }
    fn port_io(&mut self) -> Option<&mut dyn PortIo> {
        Some(self)
    }
}

impl PortIo for FwCfg {
    fn port_read(&mut self, at: PortAddr, _width: Width, _cx: &mut Cx<'_>) -> u32 {
        match at.region {
            DATA => self.next_byte().into(),
            DMA => {
                let byte = |i: usize| spec::DMA_SIGNATURE.get(usize::from(at.offset) + i);
                let bytes = std::array::from_fn(|i| byte(i).copied().unwrap_or(0xFF));
                u32::from_le_bytes(bytes)
            }
            // The selector is write only.
            _ => u32::MAX,
        }
    }

    fn port_write(&mut self, at: PortAddr, width: Width, value: u32, cx: &mut Cx<'_>) {
        match (at.region, at.offset, width) {
            (SELECTOR, _, Width::Word) => self.select(value as u16),
            (DMA, 0, Width::Dword) => self.state.dma_high = value.swap_bytes(),
            (DMA, 4, Width::Dword) => {
                let high = u64::from(std::mem::take(&mut self.state.dma_high));
                let at = Gpa((high << 32) | u64::from(value.swap_bytes()));
                self.dma(at, cx);
            }
            // Writes to the data port and other widths have no effect.
            _ => {}
        }
    }
}
