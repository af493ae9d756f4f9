//! The commands of a hard disk (ATA/ATAPI-6 section 8).

use super::spec::*;
use super::{
    COMMAND_NS, DMA_BLOCK_SECTORS, Drive, Identity, Job, Phase, SECTOR_NS, Work, sector_bytes,
};
use emu_core::Cx;
use emu_core::host::{BlockBackend, BlockError, SECTOR_BYTES};
use emu_core::time::VirtTime;
use serde::{Deserialize, Serialize};

/// A hard disk's back end and name.
pub struct Disk {
    pub(super) backend: Box<dyn BlockBackend>,
    pub(super) identity: Identity,
}

/// A logical geometry.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Chs {
    pub cylinders: u16,
    pub heads: u8,
    pub sectors: u8,
}

impl Disk {
    /// The default translation: 16 heads of 63 sectors (annex B of ATA-5 tells how).
    pub(super) fn default_chs(&self) -> Chs {
        let cylinders = (self.backend.sectors() / (16 * 63)).clamp(1, CYLINDERS_MAX);
        Chs {
            cylinders: cylinders as u16,
            heads: 16,
            sectors: 63,
        }
    }
}

/// Power mode.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) enum Power {
    /// Active or idle.
    #[default]
    Active,
    /// The spindle stands.
    Standby,
    /// Only a reset wakes it.
    Sleep,
}

/// What a guest can change in a disk, beyond its registers.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct DiskState {
    /// Sectors that a guest can reach (SET MAX ADDRESS).
    pub accessible: u64,
    /// What the next hardware reset makes of `accessible`.
    pub accessible_after_reset: u64,
    /// Whether the last command was READ NATIVE MAX ADDRESS (EXT).
    pub native_max_read: [bool; 2],
    pub chs: Chs,
    pub multiple: u8,
    /// SET FEATURES 03h: the mode as its sector count gives it, multiword and Ultra DMA apart.
    pub multiword_mode: Option<u8>,
    pub ultra_mode: Option<u8>,
    pub write_cache: bool,
    pub read_ahead: bool,
    pub keep_settings: bool,
    pub power: Power,
    pub standby_after_ns: u64,
    pub last_active: VirtTime,
    pub smart: super::smart::SmartState,
    pub sector_buffer: Vec<u8>,
}

impl DiskState {
    pub fn new(disk: &Disk) -> Self {
        let mut s = Self {
            accessible: disk.backend.sectors(),
            accessible_after_reset: disk.backend.sectors(),
            ..Self::default()
        };
        s.smart.enabled = true;
        s.hardware_reset(disk);
        s
    }

    pub fn hardware_reset(&mut self, disk: &Disk) {
        self.keep_settings = false;
        self.accessible = self.accessible_after_reset;
        self.software_reset(disk);
    }

    pub fn software_reset(&mut self, disk: &Disk) {
        self.power = Power::Active;
        self.native_max_read = [false; 2];
        if !self.keep_settings {
            self.chs = disk.default_chs();
            self.multiple = 0;
            self.write_cache = true;
            self.read_ahead = true;
            self.multiword_mode = Some(2);
            self.ultra_mode = None;
            self.standby_after_ns = 0;
        }
    }

    /// Whether only a reset helps.
    pub fn asleep(&self) -> bool {
        self.power == Power::Sleep
    }

    /// The power mode, standby timer included.
    pub fn power_at(&self, now: VirtTime) -> Power {
        let idle = now.since(self.last_active);
        if self.power == Power::Active
            && self.standby_after_ns != 0
            && idle >= self.standby_after_ns
        {
            Power::Standby
        } else {
            self.power
        }
    }
}

/// The standby timer's periods (table 27).
fn standby_ns(count: u8) -> u64 {
    const SECOND: u64 = 1_000_000_000;
    match u64::from(count) {
        0 => 0,
        n @ 1..=240 => n * 5 * SECOND,
        n @ 241..=251 => (n - 240) * 30 * 60 * SECOND,
        252 => 21 * 60 * SECOND,
        // Vendor specific, 8 to 12 hours; the next value is reserved.
        253 | 254 => 8 * 3600 * SECOND,
        _ => (21 * 60 + 15) * SECOND,
    }
}

impl Drive<'_, Disk> {
    fn backend(&mut self) -> &mut dyn BlockBackend {
        &mut *self.unit.backend
    }

    /// A command of its own, or one that a disk does not know.
    pub(super) fn disk_command(&mut self, code: u8, cx: &mut Cx<'_>) {
        use command::*;
        let native_max_read = std::mem::take(&mut self.s.disk.native_max_read);
        let power = self.s.disk.power_at(cx.now());
        if !matches!(code, CHECK_POWER_MODE | CHECK_POWER_MODE_OLD) {
            self.s.disk.last_active = cx.now();
        }
        match code {
            READ_SECTORS | READ_SECTORS_NO_RETRY => self.begin_read(code, false, 1, false, cx),
            READ_SECTORS_EXT => self.begin_read(code, true, 1, false, cx),
            READ_MULTIPLE | READ_MULTIPLE_EXT => match self.s.disk.multiple {
                0 => self.fail(Error::ABRT),
                n => self.begin_read(code, code == READ_MULTIPLE_EXT, n.into(), false, cx),
            },
            READ_DMA | READ_DMA_NO_RETRY => {
                self.begin_read(code, false, DMA_BLOCK_SECTORS, true, cx);
            }
            READ_DMA_EXT => self.begin_read(code, true, DMA_BLOCK_SECTORS, true, cx),
            WRITE_SECTORS | WRITE_SECTORS_NO_RETRY => self.begin_write(code, false, 1, false),
            WRITE_SECTORS_EXT => self.begin_write(code, true, 1, false),
            WRITE_MULTIPLE | WRITE_MULTIPLE_EXT => match self.s.disk.multiple {
                0 => self.fail(Error::ABRT),
                n => self.begin_write(code, code == WRITE_MULTIPLE_EXT, n.into(), false),
            },
            WRITE_DMA | WRITE_DMA_NO_RETRY => {
                self.begin_write(code, false, DMA_BLOCK_SECTORS, true);
            }
            WRITE_DMA_EXT => self.begin_write(code, true, DMA_BLOCK_SECTORS, true),
            READ_VERIFY | READ_VERIFY_NO_RETRY | READ_VERIFY_EXT => {
                if self.begin(code, code == READ_VERIFY_EXT, DMA_BLOCK_SECTORS, false) {
                    let ns = COMMAND_NS + u64::from(self.s.job.remaining) * SECTOR_NS;
                    self.busy(Work::Verify, ns, cx);
                }
            }
            SEEK..=SEEK_LAST => match self.address(false) {
                Some((lba, _)) if lba < self.s.disk.accessible => {
                    self.busy(Work::Complete, COMMAND_NS, cx);
                }
                _ => self.fail(Error::IDNF),
            },
            RECALIBRATE..=RECALIBRATE_LAST => self.busy(Work::Complete, COMMAND_NS, cx),
            INITIALIZE_DEVICE_PARAMETERS => self.initialize_parameters(),
            IDENTIFY_DEVICE => {
                self.s.buffer = {
                    let second = self.s.device & DEVICE_DEV != 0;
                    super::identify::disk(self.unit, &self.s.disk, second)
                };
                self.s.job = Job::default();
                self.busy(Work::Offer, COMMAND_NS, cx);
            }
            SET_MULTIPLE_MODE => {
                let n = self.s.count[0];
                if n > MULTIPLE_MAX || (n != 0 && !n.is_power_of_two()) {
                    self.s.disk.multiple = 0;
                    self.fail(Error::ABRT);
                } else {
                    self.s.disk.multiple = n;
                    self.done();
                }
            }
            SET_FEATURES => self.set_features(),
            FLUSH_CACHE | FLUSH_CACHE_EXT => self.busy(Work::Flush, COMMAND_NS, cx),
            STANDBY_IMMEDIATE | STANDBY_IMMEDIATE_OLD => self.set_power(Power::Standby),
            IDLE_IMMEDIATE | IDLE_IMMEDIATE_OLD => self.set_power(Power::Active),
            STANDBY | STANDBY_OLD | IDLE | IDLE_OLD => {
                self.s.disk.standby_after_ns = standby_ns(self.s.count[0]);
                self.set_power(match code {
                    STANDBY | STANDBY_OLD => Power::Standby,
                    _ => Power::Active,
                });
            }
            CHECK_POWER_MODE | CHECK_POWER_MODE_OLD => {
                self.s.count[0] = match power {
                    Power::Active => POWER_ACTIVE,
                    _ => POWER_STANDBY,
                };
                self.done();
            }
            SLEEP | SLEEP_OLD => self.set_power(Power::Sleep),
            READ_BUFFER => {
                self.s.buffer = self.s.disk.sector_buffer.clone();
                self.s.buffer.resize(SECTOR_BYTES, 0);
                self.s.job = Job::default();
                self.busy(Work::Offer, COMMAND_NS, cx);
            }
            WRITE_BUFFER => {
                self.s.job = Job {
                    command: code,
                    ..Job::default()
                };
                self.demand(SECTOR_BYTES, false, false);
            }
            READ_NATIVE_MAX | READ_NATIVE_MAX_EXT => {
                let last = self.backend().sectors().saturating_sub(1);
                let ext = code == READ_NATIVE_MAX_EXT;
                self.s.disk.native_max_read[usize::from(ext)] = true;
                let last = if ext {
                    last
                } else {
                    last.min(LBA28_SECTORS - 1)
                };
                self.put_lba(last, ext);
                self.done();
            }
            SET_MAX if self.s.features[0] == 0 => self.set_max(false, native_max_read[0]),
            SET_MAX_ADDRESS_EXT => self.set_max(true, native_max_read[1]),
            SMART => self.smart(cx),
            _ => self.fail(Error::ABRT),
        }
    }

    fn set_power(&mut self, power: Power) {
        self.s.disk.power = power;
        self.done();
    }

    /// The address that the registers hold, and whether it is CHS; `None`: there is no such sector.
    fn address(&self, ext: bool) -> Option<(u64, bool)> {
        let s = &self.s;
        let byte = |pair: &[u8; 2], i: usize, shift: u32| u64::from(pair[i]) << shift;
        let low = byte(&s.lba_low, 0, 0) | byte(&s.lba_mid, 0, 8) | byte(&s.lba_high, 0, 16);
        if ext {
            let high = byte(&s.lba_low, 1, 24) | byte(&s.lba_mid, 1, 32) | byte(&s.lba_high, 1, 40);
            return Some((low | high, false));
        }
        let head = u64::from(s.device & 0x0F);
        if s.device & DEVICE_LBA != 0 {
            return Some((low | (head << 24), false));
        }
        let chs = s.disk.chs;
        let cylinder = low >> 8;
        let sector = low & 0xFF;
        let exists = cylinder < u64::from(chs.cylinders)
            && head < u64::from(chs.heads)
            && (1..=u64::from(chs.sectors)).contains(&sector);
        let lba = (cylinder * u64::from(chs.heads) + head) * u64::from(chs.sectors) + sector;
        exists.then(|| (lba.wrapping_sub(1), true))
    }

    fn put_lba(&mut self, lba: u64, ext: bool) {
        let s = &mut *self.s;
        let b = lba.to_le_bytes();
        s.lba_low[0] = b[0];
        s.lba_mid[0] = b[1];
        s.lba_high[0] = b[2];
        if ext {
            s.lba_low[1] = b[3];
            s.lba_mid[1] = b[4];
            s.lba_high[1] = b[5];
        } else {
            s.device = (s.device & 0xF0) | (b[3] & 0x0F);
        }
    }

    /// Leaves a sector's address in the registers, in the form of the command.
    fn put_address(&mut self, lba: u64) {
        let (ext, chs) = (self.s.job.ext, self.s.job.chs);
        if !chs {
            return self.put_lba(lba, ext);
        }
        let g = self.s.disk.chs;
        let (heads, sectors) = (u64::from(g.heads).max(1), u64::from(g.sectors).max(1));
        let s = &mut *self.s;
        s.lba_low[0] = (lba % sectors + 1) as u8;
        s.device = (s.device & 0xF0) | ((lba / sectors % heads) as u8 & 0x0F);
        let cylinder = (lba / sectors / heads) as u16;
        [s.lba_mid[0], s.lba_high[0]] = cylinder.to_le_bytes();
    }

    fn put_count(&mut self) {
        let count = self.s.job.remaining.to_le_bytes();
        self.s.count[0] = count[0];
        if self.s.job.ext {
            self.s.count[1] = count[1];
        }
    }

    /// Takes address and count from the registers.
    fn begin(&mut self, code: u8, ext: bool, block: u32, dma: bool) -> bool {
        let s = &self.s;
        let remaining = match (ext, s.count) {
            (true, [0, 0]) => 1 << 16,
            (true, [low, high]) => u32::from(u16::from_le_bytes([low, high])),
            (false, [0, _]) => 256,
            (false, [n, _]) => n.into(),
        };
        if ext && s.device & DEVICE_LBA == 0 {
            self.fail(Error::ABRT);
            return false;
        }
        let Some((lba, chs)) = self.address(ext) else {
            self.fail(Error::IDNF);
            return false;
        };
        self.s.job = Job {
            command: code,
            lba,
            remaining,
            block,
            dma,
            ext,
            chs,
        };
        if dma && self.s.disk.multiword_mode.is_none() && self.s.disk.ultra_mode.is_none() {
            self.fail(Error::ABRT);
            return false;
        }
        if lba >= self.s.disk.accessible {
            self.put_address(lba);
            self.fail(Error::IDNF);
            return false;
        }
        true
    }

    fn begin_read(&mut self, code: u8, ext: bool, block: u32, dma: bool, cx: &mut Cx<'_>) {
        if self.begin(code, ext, block, dma) {
            self.schedule_read(COMMAND_NS, cx);
        }
    }

    fn next_block(&self) -> u32 {
        self.s.job.block.min(self.s.job.remaining)
    }

    fn schedule_read(&mut self, more_ns: u64, cx: &mut Cx<'_>) {
        let ns = more_ns + u64::from(self.next_block()) * SECTOR_NS;
        self.busy(Work::Read, ns, cx);
    }

    /// How many sectors of the next block exist; fails with IDNF if none does.
    fn existing(&mut self) -> Option<u32> {
        let (lba, wanted) = (self.s.job.lba, self.next_block());
        let left = self.s.disk.accessible.saturating_sub(lba);
        let n = u64::from(wanted).min(left) as u32;
        if n == 0 {
            self.put_address(lba);
            self.put_count();
            self.fail(Error::IDNF);
            return None;
        }
        Some(n)
    }

    /// A sector failed on the host: to the guest it is uncorrectable, missing, or protected.
    fn host_failure(&mut self, lba: u64, write: bool, error: &BlockError) {
        tracing::warn!(target: "ata", "{}: sector {lba}: {error}", self.backend().describe());
        self.put_address(lba);
        self.put_count();
        match (error, write) {
            (BlockError::OutOfRange { .. }, _) => self.fail(Error::IDNF),
            (BlockError::ReadOnly, _) => self.fail(Error::WP | Error::ABRT),
            (BlockError::Io(_), false) => self.fail(Error::UNC),
            (BlockError::Io(_), true) => {
                self.fail(Error::ABRT);
                self.s.status |= Status::DF;
            }
        }
        self.s.disk.smart.count_error();
    }

    /// Reads up to `n` sectors, fewer if one in the middle fails.
    fn read_sectors(&mut self, lba: u64, n: u32) -> Result<Vec<u8>, BlockError> {
        let mut data = vec![0; sector_bytes(n)];
        let Err(error) = self.backend().read(lba, &mut data) else {
            return Ok(data);
        };
        for (i, sector) in data.chunks_exact_mut(SECTOR_BYTES).enumerate() {
            if let Err(e) = self.backend().read(lba + i as u64, sector) {
                if i == 0 {
                    return Err(e);
                }
                data.truncate(i * SECTOR_BYTES);
                return Ok(data);
            }
        }
        Err(error)
    }

    pub(super) fn read_block(&mut self) {
        let Some(n) = self.existing() else {
            return;
        };
        let lba = self.s.job.lba;
        match self.read_sectors(lba, n) {
            Ok(data) => {
                let n = (data.len() / SECTOR_BYTES) as u32;
                self.s.buffer = data;
                self.sectors_done(n);
                self.offer(self.s.job.dma);
            }
            Err(e) => self.host_failure(lba, false, &e),
        }
    }

    /// So many sectors went between medium and buffer.
    fn sectors_done(&mut self, n: u32) {
        let job = &mut self.s.job;
        job.remaining = job.remaining.saturating_sub(n);
        job.lba = job.lba.saturating_add(n.into());
        let last = job.lba.saturating_sub(1);
        self.put_address(last);
        self.put_count();
    }

    fn begin_write(&mut self, code: u8, ext: bool, block: u32, dma: bool) {
        if !self.begin(code, ext, block, dma) {
            return;
        }
        if self.backend().read_only() {
            return self.fail(Error::WP | Error::ABRT);
        }
        if let Some(n) = self.existing() {
            self.demand(sector_bytes(n), dma, false);
        }
    }

    pub(super) fn write_block(&mut self, cx: &mut Cx<'_>) {
        let data = std::mem::take(&mut self.s.buffer);
        let lba = self.s.job.lba;
        if let Err(_first) = self.backend().write(lba, &data) {
            // Sector by sector, to tell which one cannot be kept.
            for (i, sector) in data.chunks_exact(SECTOR_BYTES).enumerate() {
                let at = lba.saturating_add(i as u64);
                if let Err(e) = self.backend().write(at, sector) {
                    self.s.job.remaining = self.s.job.remaining.saturating_sub(i as u32);
                    return self.host_failure(at, true, &e);
                }
            }
        }
        self.sectors_done((data.len() / SECTOR_BYTES) as u32);
        if !self.s.disk.write_cache {
            let flushed = self.backend().flush();
            if let Err(e) = flushed {
                return self.host_failure(lba, true, &e);
            }
        }
        self.s.disk.last_active = cx.now();
        if self.s.job.remaining == 0 {
            self.done();
        } else if let Some(n) = self.existing() {
            let dma = self.s.job.dma;
            self.demand(sector_bytes(n), dma, !dma);
        }
    }

    /// A whole block went over the cable.
    pub(super) fn block_moved(&mut self, cx: &mut Cx<'_>) {
        match self.s.phase {
            Phase::PioIn | Phase::DmaIn if self.s.job.remaining > 0 => self.schedule_read(0, cx),
            Phase::PioIn => self.quiet(),
            Phase::DmaIn => self.done(),
            Phase::PioOut if self.s.job.command == command::WRITE_BUFFER => {
                self.s.disk.sector_buffer = std::mem::take(&mut self.s.buffer);
                self.busy(Work::Complete, COMMAND_NS, cx);
            }
            Phase::PioOut | Phase::DmaOut => {
                let sectors = self.s.buffer.len() / SECTOR_BYTES;
                self.busy(Work::Write, sectors as u64 * SECTOR_NS, cx);
            }
            Phase::Idle | Phase::Busy(_) => {}
        }
    }

    pub(super) fn verify(&mut self) {
        while self.s.job.remaining > 0 {
            let Some(n) = self.existing() else {
                return;
            };
            let lba = self.s.job.lba;
            match self.read_sectors(lba, n) {
                Ok(data) => self.sectors_done((data.len() / SECTOR_BYTES).max(1) as u32),
                Err(e) => return self.host_failure(lba, false, &e),
            }
        }
        self.done();
    }

    pub(super) fn flush(&mut self) {
        match self.backend().flush() {
            Ok(()) => self.done(),
            Err(e) => {
                tracing::warn!(target: "ata", "{}: {e}", self.backend().describe());
                self.fail(Error::ABRT);
                self.s.status |= Status::DF;
            }
        }
    }

    /// Section 8.16 of ATA-5: sectors per track and heads of the logical geometry.
    fn initialize_parameters(&mut self) {
        let (sectors, heads) = (self.s.count[0], (self.s.device & 0x0F) + 1);
        if sectors == 0 {
            return self.fail(Error::ABRT);
        }
        let per_cylinder = u64::from(sectors) * u64::from(heads);
        let cylinders = (self.s.disk.accessible / per_cylinder).min(0xFFFF);
        self.s.disk.chs = Chs {
            cylinders: cylinders as u16,
            heads,
            sectors,
        };
        self.done();
    }

    fn set_features(&mut self) {
        let (subcommand, count) = (self.s.features[0], self.s.count[0]);
        let d = &mut self.s.disk;
        match subcommand {
            feature::ENABLE_WRITE_CACHE => d.write_cache = true,
            feature::DISABLE_WRITE_CACHE => {
                d.write_cache = false;
                let flushed = self.backend().flush();
                if flushed.is_err() {
                    return self.fail(Error::ABRT);
                }
            }
            feature::ENABLE_READ_AHEAD => d.read_ahead = true,
            feature::DISABLE_READ_AHEAD => d.read_ahead = false,
            feature::DISABLE_REVERTING => d.keep_settings = true,
            feature::ENABLE_REVERTING => d.keep_settings = false,
            // Table 44: PIO default modes, PIO 0 to 4, multiword DMA 0 to 2, Ultra DMA 0 to 5.
            feature::SET_TRANSFER_MODE => match count {
                0x00 | 0x01 | 0x08..=0x0C => {}
                0x20..=0x22 => {
                    d.multiword_mode = Some(count & 7);
                    d.ultra_mode = None;
                }
                0x40..=0x45 => {
                    d.ultra_mode = Some(count & 7);
                    d.multiword_mode = None;
                }
                _ => return self.fail(Error::ABRT),
            },
            _ => return self.fail(Error::ABRT),
        }
        self.done();
    }

    /// Section 8.47: only directly after READ NATIVE MAX ADDRESS of the same width.
    fn set_max(&mut self, ext: bool, allowed: bool) {
        let native = self.backend().sectors();
        // A CHS address may be given too, where the command is not EXT.
        let Some((last, _)) = self.address(ext) else {
            return self.fail(Error::IDNF);
        };
        if !allowed {
            return self.fail(Error::ABRT);
        }
        if last >= native {
            return self.fail(Error::IDNF);
        }
        self.s.disk.accessible = last + 1;
        // Bit 0 of the count: the value outlives a reset.
        if self.s.count[0] & 1 != 0 {
            self.s.disk.accessible_after_reset = last + 1;
        }
        self.put_lba(last, ext);
        self.done();
    }
}
