//! The bus master engine of one channel (sections 2.7 and 3.7).
//!
//! It moves data as long as three things hold: START is set, the function may master the bus, and the device asks for
//! DMA in the direction that the command register names. (In the other direction nothing moves, and the transfer hangs
//! until it is stopped.) After the last byte of the last descriptor ACTIVE falls; a device that still has data then
//! waits, and its driver finds neither ACTIVE nor INTERRUPT: the descriptors were too short.

use super::spec::*;
use crate::ata::{Channel, ChannelState, DmaDirection};
use emu_core::{Cx, Gpa};
use serde::{Deserialize, Serialize};

/// One channel's engine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct BusMaster {
    pub command: BmCommand,
    pub status: BmStatus,
    pub table: u32,
    /// Where the next descriptor stands.
    next: u32,
    /// What is left of the present region.
    address: u32,
    left: u32,
    last: bool,
}

impl BusMaster {
    pub fn new() -> Self {
        Self {
            command: BmCommand::empty(),
            status: BmStatus::empty(),
            table: 0,
            next: 0,
            address: 0,
            left: 0,
            last: false,
        }
    }

    pub fn validate(&self) -> Result<(), &'static str> {
        if self.left > 1 << 16 {
            return Err("a bus master region is too long");
        }
        Ok(())
    }

    pub fn write_command(&mut self, value: u8) {
        let was = self.command.contains(BmCommand::START);
        let mut command = BmCommand::from_bits_truncate(value);
        if was && command.contains(BmCommand::START) {
            // The direction must not change while the engine runs.
            command.set(
                BmCommand::TO_MEMORY,
                self.command.contains(BmCommand::TO_MEMORY),
            );
        }
        self.command = command;
        let is = command.contains(BmCommand::START);
        if is && !was {
            self.status |= BmStatus::ACTIVE;
            self.next = self.table & TABLE_MASK;
            self.left = 0;
            self.last = false;
        } else if !is {
            self.status -= BmStatus::ACTIVE;
        }
    }

    pub fn write_status(&mut self, value: u8) {
        let value = BmStatus::from_bits_truncate(value);
        self.status -= value & (BmStatus::ERROR | BmStatus::INTERRUPT);
        let notes = BmStatus::DRIVE_0_DMA | BmStatus::DRIVE_1_DMA;
        self.status = (self.status - notes) | (value & notes);
    }

    fn running(&self) -> bool {
        self.command.contains(BmCommand::START) && self.status.contains(BmStatus::ACTIVE)
    }

    /// Takes the next descriptor; false if the one before was the last.
    fn next_descriptor(&mut self, cx: &mut Cx<'_>) -> bool {
        if self.last {
            self.status -= BmStatus::ACTIVE;
            return false;
        }
        let mut prd = [0; PRD_BYTES as usize];
        cx.dma_read(Gpa(self.next.into()), &mut prd);
        let [a, b, c, d, e, f, g, h] = prd;
        self.address = u32::from_le_bytes([a, b, c, d]) & PRD_ADDRESS;
        let word = u32::from_le_bytes([e, f, g, h]);
        self.left = match word & PRD_COUNT {
            0 => 0x1_0000,
            n => n,
        };
        self.last = word & PRD_END != 0;
        // The table must not cross 64 KiB: the pointer's carry stops there.
        self.next = (self.next & 0xFFFF_0000) | (self.next.wrapping_add(PRD_BYTES as u32) & 0xFFFF);
        true
    }

    /// Moves what can be moved.
    pub fn run(&mut self, channel: &mut Channel, s: &mut ChannelState, cx: &mut Cx<'_>) {
        let to_memory = self.command.contains(BmCommand::TO_MEMORY);
        let wanted = if to_memory {
            DmaDirection::ToHost
        } else {
            DmaDirection::FromHost
        };
        while self.running() && channel.dma_request(s) == Some(wanted) {
            if self.left == 0 && !self.next_descriptor(cx) {
                return;
            }
            let bytes = channel.dma_bytes(s).min(self.left as usize);
            let mut data = vec![0; bytes];
            let at = Gpa(self.address.into());
            let moved = if to_memory {
                let n = channel.dma_read(s, &mut data, cx);
                cx.dma_write(at, &data[..n]);
                n
            } else {
                cx.dma_read(at, &mut data);
                channel.dma_write(s, &data, cx)
            };
            if moved == 0 {
                return;
            }
            self.address = self.address.wrapping_add(moved as u32);
            self.left = self.left.saturating_sub(moved as u32);
            if self.left == 0 && self.last {
                self.status -= BmStatus::ACTIVE;
            }
        }
    }
}
