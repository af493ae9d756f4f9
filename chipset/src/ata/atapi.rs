//! A CD-ROM drive: the packet protocol (ATA/ATAPI-6 section 9.6 to 9.8; SFF-8020i revision 2.6).
//!
//! A command packet is taken by PIO, executed after a time, and its data move in blocks no longer than the host's byte
//! count, each with an interrupt; or as a whole by DMA.

use super::disk::Power;
use super::spec::*;
use super::{BUFFER_MAX, COMMAND_NS, Drive, Identity, Job, Phase, Work};
use emu_core::Cx;
use emu_core::host::BlockBackend;
use serde::{Deserialize, Serialize};

/// A CD-ROM drive's medium and name.
pub struct CdRom {
    pub(super) medium: Option<Box<dyn BlockBackend>>,
    pub(super) identity: Identity,
}

/// Sectors of 512 bytes in a sector of a disc.
pub(super) const BLOCKS_PER_SECTOR: u64 = 4;

impl CdRom {
    /// Sectors on the disc.
    pub(super) fn sectors(&self) -> Option<u32> {
        let blocks = self.medium.as_ref()?.sectors();
        Some(u32::try_from(blocks.div_ceil(BLOCKS_PER_SECTOR)).unwrap_or(u32::MAX))
    }

    /// The user data of a sector; what the image lacks of its last sector reads as zeros.
    pub(super) fn read_sector(&mut self, lba: u32, data: &mut [u8]) -> bool {
        let Some(medium) = &mut self.medium else {
            return false;
        };
        let first = u64::from(lba) * BLOCKS_PER_SECTOR;
        let left = medium
            .sectors()
            .saturating_sub(first)
            .min(BLOCKS_PER_SECTOR);
        let there = (left as usize * 512).min(data.len());
        data[there..].fill(0);
        if let Err(e) = medium.read(first, &mut data[..there]) {
            tracing::warn!(target: "ata", "{}: sector {lba}: {e}", medium.describe());
            return false;
        }
        true
    }
}

/// Time for a sector from the disc: ours.
pub const DISC_SECTOR_NS: u64 = 30_000;
/// Bytes of a command packet.
const PACKET_BYTES: usize = 12;
/// Sectors that the drive reads ahead into its buffer.
const READ_SECTORS: u32 = 32;

/// Sense key, additional sense code and qualifier (SFF-8020i, tables 136 and 140).
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sense {
    pub key: u8,
    pub code: u8,
    pub qualifier: u8,
    /// The sector that failed.
    pub lba: Option<u32>,
}

impl Sense {
    pub const fn new(key: u8, code: u8, qualifier: u8) -> Self {
        Self {
            key,
            code,
            qualifier,
            lba: None,
        }
    }
    pub const NONE: Self = Self::new(0, 0, 0);
    pub const NO_MEDIUM_CLOSED: Self = Self::new(0x2, 0x3A, 0x01);
    pub const NO_MEDIUM_OPEN: Self = Self::new(0x2, 0x3A, 0x02);
    pub const UNRECOVERED_READ: Self = Self::new(0x3, 0x11, 0x00);
    pub const LIST_LENGTH: Self = Self::new(0x5, 0x1A, 0x00);
    pub const INVALID_COMMAND: Self = Self::new(0x5, 0x20, 0x00);
    pub const LBA_OUT_OF_RANGE: Self = Self::new(0x5, 0x21, 0x00);
    pub const INVALID_FIELD: Self = Self::new(0x5, 0x24, 0x00);
    pub const INVALID_PARAMETER: Self = Self::new(0x5, 0x26, 0x00);
    pub const SEQUENCE_ERROR: Self = Self::new(0x5, 0x2C, 0x00);
    pub const NO_SAVED_PAGES: Self = Self::new(0x5, 0x39, 0x00);
    pub const REMOVAL_PREVENTED: Self = Self::new(0x5, 0x53, 0x02);
    pub const ILLEGAL_MODE: Self = Self::new(0x5, 0x64, 0x00);
    pub const MEDIUM_CHANGED: Self = Self::new(0x6, 0x28, 0x00);
    pub const RESET_OCCURRED: Self = Self::new(0x6, 0x29, 0x00);
}

/// A read from the disc under way.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct DiscRead {
    pub lba: u32,
    pub remaining: u32,
    /// Which fields of each sector: READ CD's byte 9; 10h is the user data alone.
    pub fields: u8,
    /// Bytes of sub-channel data behind each sector: 0, 16 or 96.
    pub sub_channel: u8,
}

/// What a command asks for.
pub(super) enum Outcome {
    /// Nothing.
    Done,
    /// Data for the host.
    Data(Vec<u8>),
    /// Sectors for the host.
    Read(DiscRead),
    /// So many bytes from the host.
    Parameters(usize),
}

/// What a guest can change in a CD-ROM drive.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct CdState {
    pub packet: [u8; PACKET_BYTES],
    pub sense: Sense,
    pub attention: Option<Sense>,
    byte_limit: u16,
    dma: bool,
    receiving_packet: bool,
    /// Data for the host, and how much of it was offered.
    response: Vec<u8>,
    offered: u32,
    pub read: DiscRead,
    pub locked: bool,
    pub tray_open: bool,
    /// What GET EVENT STATUS NOTIFICATION will tell.
    pub media_event: u8,
    pub position: u32,
    pub retry_count: u8,
    pub error_flags: u8,
    pub volumes: [u8; 8],
    pub speed_kb_s: u16,
    pub multiword_mode: Option<u8>,
    pub ultra_mode: Option<u8>,
    power: Power,
}

/// 24 times the speed of an audio disc: ours.
pub(super) const SPEED_KB_S: u16 = 24 * 176;

impl Default for CdState {
    fn default() -> Self {
        Self {
            packet: [0; PACKET_BYTES],
            sense: Sense::NONE,
            attention: Some(Sense::RESET_OCCURRED),
            byte_limit: 0,
            dma: false,
            receiving_packet: false,
            response: Vec::new(),
            offered: 0,
            read: DiscRead::default(),
            locked: false,
            tray_open: false,
            media_event: 0,
            position: 0,
            retry_count: 5,
            error_flags: 0,
            volumes: [1, 0xFF, 2, 0xFF, 0, 0, 0, 0],
            speed_kb_s: SPEED_KB_S,
            multiword_mode: Some(2),
            ultra_mode: None,
            power: Power::Active,
        }
    }
}

impl CdState {
    pub fn is_valid(&self) -> bool {
        self.response.len() <= BUFFER_MAX && self.offered as usize <= self.response.len()
    }

    pub fn asleep(&self) -> bool {
        self.power == Power::Sleep
    }

    pub fn hardware_reset(&mut self) {
        let (tray_open, media_event) = (self.tray_open, self.media_event);
        *self = Self {
            tray_open,
            media_event,
            ..Self::default()
        };
    }

    /// SRST resets the interface; the mode pages and the lock stay (SFF-8020i section 5.6).
    pub fn software_reset(&mut self) {
        self.power = Power::Active;
        self.end_transfer();
    }

    pub fn end_transfer(&mut self) {
        self.receiving_packet = false;
        self.response.clear();
        self.offered = 0;
        self.read = DiscRead::default();
    }

    pub fn medium_changed(&mut self, present: bool) {
        self.tray_open = false;
        self.position = 0;
        if present {
            self.attention = Some(Sense::MEDIUM_CHANGED);
            self.media_event = super::mmc::EVENT_NEW_MEDIA;
        } else {
            self.media_event = super::mmc::EVENT_MEDIA_REMOVAL;
        }
    }
}

impl Drive<'_, CdRom> {
    pub(super) fn atapi_command(&mut self, code: u8, cx: &mut Cx<'_>) {
        use command::*;
        match code {
            PACKET => self.begin_packet(),
            IDENTIFY_PACKET_DEVICE => {
                self.s.buffer = super::identify::packet(self.unit, &self.s.cd);
                self.s.job = Job {
                    command: code,
                    ..Job::default()
                };
                self.busy(Work::Offer, COMMAND_NS, cx);
            }
            IDENTIFY_DEVICE | READ_SECTORS => {
                // Section 9.12: aborted, with the signature that tells what the device is.
                let (mid, high) = SIGNATURE_PACKET;
                let device = self.s.device;
                self.put_signature(mid, high);
                self.s.device = device;
                self.fail(Error::ABRT);
            }
            SET_FEATURES if self.s.features[0] == feature::SET_TRANSFER_MODE => {
                let cd = &mut self.s.cd;
                match self.s.count[0] {
                    0x00 | 0x01 | 0x08..=0x0C => {}
                    n @ 0x20..=0x22 => (cd.multiword_mode, cd.ultra_mode) = (Some(n & 7), None),
                    n @ 0x40..=0x42 => (cd.multiword_mode, cd.ultra_mode) = (None, Some(n & 7)),
                    _ => return self.fail(Error::ABRT),
                }
                self.done();
            }
            STANDBY_IMMEDIATE => self.set_power(Power::Standby),
            IDLE_IMMEDIATE => self.set_power(Power::Active),
            SLEEP => self.set_power(Power::Sleep),
            CHECK_POWER_MODE => {
                self.s.count[0] = match self.s.cd.power {
                    Power::Active => POWER_ACTIVE,
                    _ => POWER_STANDBY,
                };
                self.done();
            }
            _ => self.fail(Error::ABRT),
        }
    }

    fn set_power(&mut self, power: Power) {
        self.s.cd.power = power;
        self.done();
    }

    fn put_reason(&mut self, reason: Reason) {
        self.s.count[0] = reason.bits();
    }

    fn begin_packet(&mut self) {
        let s = &mut *self.s;
        s.job = Job {
            command: command::PACKET,
            ..Job::default()
        };
        s.cd.end_transfer();
        s.cd.receiving_packet = true;
        s.cd.power = Power::Active;
        // Features: bit 0 DMA; bit 1, overlap, is not supported.
        s.cd.dma = s.features[0] & 1 != 0;
        s.cd.byte_limit = u16::from_le_bytes([s.lba_mid[0], s.lba_high[0]]);
        if s.features[0] & 2 != 0 {
            return self.fail(Error::ABRT);
        }
        self.demand(PACKET_BYTES, false, false);
        self.put_reason(Reason::COD);
    }

    /// A block of data went over the cable.
    pub(super) fn data_moved(&mut self, cx: &mut Cx<'_>) {
        match self.s.phase {
            Phase::PioOut if self.s.cd.receiving_packet => {
                self.s.cd.receiving_packet = false;
                let n = self.s.buffer.len().min(PACKET_BYTES);
                self.s.cd.packet = [0; PACKET_BYTES];
                self.s.cd.packet[..n].copy_from_slice(&self.s.buffer[..n]);
                self.busy(Work::Packet, COMMAND_NS, cx);
            }
            Phase::PioOut | Phase::DmaOut => {
                let parameters = std::mem::take(&mut self.s.buffer);
                match self.mode_select(&parameters) {
                    Ok(()) => self.packet_done(),
                    Err(sense) => self.check_condition(sense),
                }
            }
            // IDENTIFY PACKET DEVICE.
            Phase::PioIn if self.s.job.command != command::PACKET => self.quiet(),
            Phase::PioIn | Phase::DmaIn => {
                let cd = &self.s.cd;
                if (cd.offered as usize) < cd.response.len() {
                    self.busy(Work::MoreData, COMMAND_NS, cx);
                } else if cd.read.remaining > 0 {
                    self.schedule_read(cx);
                } else {
                    self.packet_done();
                }
            }
            Phase::Idle | Phase::Busy(_) => {}
        }
    }

    pub(super) fn execute_packet(&mut self, cx: &mut Cx<'_>) {
        match self.mmc_command() {
            Ok(Outcome::Done) => self.packet_done(),
            Ok(Outcome::Data(data)) if data.is_empty() => self.packet_done(),
            Ok(Outcome::Data(mut data)) => {
                data.truncate(BUFFER_MAX);
                self.s.cd.response = data;
                self.s.cd.offered = 0;
                self.offer_data();
            }
            Ok(Outcome::Read(read)) => {
                self.s.cd.read = read;
                if read.remaining == 0 {
                    self.packet_done();
                } else {
                    self.schedule_read(cx);
                }
            }
            Ok(Outcome::Parameters(bytes)) => {
                self.demand(bytes, self.s.cd.dma, true);
                if self.s.cd.dma {
                    self.s.interrupt = false;
                }
                self.put_reason(Reason::empty());
                [self.s.lba_mid[0], self.s.lba_high[0]] = (bytes as u16).to_le_bytes();
            }
            Err(sense) => self.check_condition(sense),
        }
    }

    fn schedule_read(&mut self, cx: &mut Cx<'_>) {
        let n = self.s.cd.read.remaining.min(READ_SECTORS);
        self.busy(Work::ReadDisc, u64::from(n) * DISC_SECTOR_NS, cx);
    }

    /// Reads some sectors into the drive's buffer.
    pub(super) fn read_disc(&mut self) {
        let read = self.s.cd.read;
        let mut data = Vec::new();
        for i in 0..read.remaining.min(READ_SECTORS) {
            let lba = read.lba.saturating_add(i);
            match self.disc_sector(lba, &read) {
                Ok(sector) => data.extend(sector),
                Err(sense) => return self.check_condition(sense),
            }
            self.s.cd.position = lba;
        }
        let n = read.remaining.min(READ_SECTORS);
        self.s.cd.read.lba = read.lba.saturating_add(n);
        self.s.cd.read.remaining = read.remaining - n;
        data.truncate(BUFFER_MAX);
        if data.is_empty() {
            // READ CD without any field.
            return self.packet_done();
        }
        self.s.cd.response = data;
        self.s.cd.offered = 0;
        self.offer_data();
    }

    /// Offers the next block of the response.
    pub(super) fn offer_data(&mut self) {
        let cd = &mut self.s.cd;
        let from = cd.offered as usize;
        let left = cd.response.len().saturating_sub(from);
        // Section 9.8: a byte count limit of 0 or FFFFh counts as FFFEh; blocks but the last are even.
        let limit = match cd.byte_limit {
            0 | 0xFFFF => 0xFFFE,
            n => usize::from(n & !1).max(2),
        };
        let n = if cd.dma { left } else { left.min(limit) };
        let block = cd.response.get(from..from + n).unwrap_or(&[]).to_vec();
        cd.offered = (from + n) as u32;
        let dma = cd.dma;
        self.s.buffer = block;
        self.put_reason(Reason::IO);
        if !dma {
            [self.s.lba_mid[0], self.s.lba_high[0]] = (n as u16).to_le_bytes();
        }
        self.offer(dma);
    }

    fn packet_done(&mut self) {
        self.s.cd.end_transfer();
        self.put_reason(Reason::COD | Reason::IO);
        self.done();
    }

    /// The command ends with CHECK CONDITION: the sense key shows in the error register.
    fn check_condition(&mut self, sense: Sense) {
        self.s.cd.end_transfer();
        self.s.cd.sense = sense;
        self.put_reason(Reason::COD | Reason::IO);
        self.fail(Error::ABRT);
        self.s.error |= sense.key << 4;
    }
}
