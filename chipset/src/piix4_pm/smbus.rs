//! The SMBus host controller, on a bus without slaves.

use super::spec::{HostStatus, smbus as r};
use serde::{Deserialize, Serialize};

/// The SMBus registers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Smbus {
    status: u8,
    control: u8,
    command: u8,
    address: u8,
    data: [u8; 2],
    block: [u8; r::BLOCK_BYTES],
    block_index: u8,
    slave_control: u8,
    slave_event: [u8; 2],
}

/// What a write asks of the chip.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Nothing.
    None,
    /// A transaction began; it ends after [`r::ADDRESS_NS`].
    Begun,
    /// The transaction ended, or interrupt status changed.
    Status,
}

impl Smbus {
    fn status(&self) -> HostStatus {
        HostStatus::from_bits_truncate(self.status)
    }

    /// Whether a transaction is under way.
    pub fn busy(&self) -> bool {
        self.status().contains(HostStatus::BUSY)
    }

    /// Whether an enabled interrupt is pending.
    pub fn interrupt(&self) -> bool {
        let pending = self.status() - HostStatus::BUSY;
        self.control & r::INTERRUPT_ENABLE != 0 && !pending.is_empty()
    }

    fn block(&mut self) -> &mut u8 {
        let i = usize::from(self.block_index) % r::BLOCK_BYTES;
        self.block_index = ((i + 1) % r::BLOCK_BYTES) as u8;
        &mut self.block[i]
    }

    /// Reads a register.
    pub fn read(&mut self, offset: u8) -> u8 {
        match offset {
            r::HOST_STATUS => self.status,
            r::HOST_CONTROL => {
                self.block_index = 0;
                self.control
            }
            r::HOST_COMMAND => self.command,
            r::HOST_ADDRESS => self.address,
            r::HOST_DATA_0 => self.data[0],
            r::HOST_DATA_1 => self.data[1],
            r::BLOCK_DATA => *self.block(),
            r::SLAVE_CONTROL => self.slave_control,
            r::SLAVE_EVENT => self.slave_event[0],
            0xB => self.slave_event[1],
            // Slave status, shadow command and slave data: no slave access ever comes.
            _ => 0,
        }
    }

    /// Writes a register.
    pub fn write(&mut self, offset: u8, value: u8) -> Effect {
        match offset {
            r::HOST_STATUS => {
                let cleared = HostStatus::from_bits_truncate(value) - HostStatus::BUSY;
                self.status = (self.status() - cleared).bits();
                return Effect::Status;
            }
            r::HOST_CONTROL => return self.write_control(value),
            r::HOST_COMMAND => self.command = value,
            r::HOST_ADDRESS => self.address = value,
            r::HOST_DATA_0 => self.data[0] = value,
            r::HOST_DATA_1 => self.data[1] = value,
            r::BLOCK_DATA => *self.block() = value,
            r::SLAVE_CONTROL => self.slave_control = value & r::SLAVE_CONTROL_MASK,
            r::SLAVE_EVENT => self.slave_event[0] = value,
            0xB => self.slave_event[1] = value,
            _ => {}
        }
        Effect::None
    }

    fn write_control(&mut self, value: u8) -> Effect {
        self.control = value & r::CONTROL_MASK;
        let mut status = self.status();
        if value & r::KILL != 0 && status.contains(HostStatus::BUSY) {
            status.remove(HostStatus::BUSY);
            status.insert(HostStatus::FAILED);
        } else if value & r::START != 0 && value & r::KILL == 0 && status.is_empty() {
            // START has no effect while a status bit is set.
            if r::protocol_exists(value) {
                self.status = HostStatus::BUSY.bits();
                return Effect::Begun;
            }
            status.insert(HostStatus::DEVICE_ERROR);
        }
        self.status = status.bits();
        Effect::Status
    }

    /// The address was sent and nobody acknowledged it.
    pub fn not_acknowledged(&mut self) {
        if self.status().contains(HostStatus::BUSY) {
            self.status = HostStatus::DEVICE_ERROR.bits();
        }
    }
}
