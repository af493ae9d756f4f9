//! An ATA channel with its devices: hard disks, and CD-ROM drives with packet interface.
//!
//! **Standard**: AT Attachment with Packet Interface - 6 (INCITS 361, T13/1410D); for CD-ROM drives also SFF-8020i
//! revision 2.6 and MMC-3.
//!
//! A [`Channel`] is no chip of its own: it is what hangs on the cable of a host adapter, which passes register accesses
//! to it, moves data when [`Channel::dma_request`] says so, and leads [`Channel::interrupt`] to its line. Two devices
//! share the cable: both see every register write, the selected one answers and executes.
//!
//! - `disk`: commands of a hard disk; `identify`: what devices say of themselves; `smart`: a disk's health
//! - `atapi`: packet protocol of a CD-ROM drive; `mmc`: its commands; `cd_sector`: sectors as they stand on a disc
//!
//! Disk work is done at once on the back end but completes after a time in guest time.
//!
//! **Not implemented**: the security feature set (IDENTIFY says so, its commands abort); overlapped and queued
//! commands; READ/WRITE LONG; host protected area passwords (SET MAX SET PASSWORD and its kin abort); CFA, removable
//! media and streaming feature sets. CD-ROM drives: images hold one session with one track of mode 1, so there is no
//! audio to play, no CD-TEXT, no PMA and no ATIP; READ TRACK INFORMATION and READ FORMAT CAPACITIES, commands of
//! recorders, end in ILLEGAL REQUEST (invalid command operation code).
//!
//! **Known inaccuracies**: latencies are short constants, not those of a turning disk; the write cache is the host's
//! (FLUSH CACHE flushes it).

mod atapi;
#[cfg(test)]
mod atapi_tests;
mod cd_sector;
mod disk;
mod identify;
mod mmc;
mod smart;
pub mod spec;
#[cfg(test)]
mod tests;

use emu_core::Cx;
use emu_core::bus::Width;
use emu_core::event::TimerId;
use emu_core::host::{BlockBackend, SECTOR_BYTES};
use serde::{Deserialize, Serialize};
use spec::*;

pub use atapi::CdRom;
pub use disk::Disk;

/// Time from a reset until the devices are ready: ours, disks take up to 31 s to spin up.
pub const RESET_NS: u64 = 1_000_000;
/// Time from a command until its first answer: ours.
pub const COMMAND_NS: u64 = 20_000;
/// Time for a sector between the medium and the device's buffer: ours.
pub const SECTOR_NS: u64 = 10_000;
/// Sectors that a device moves between two looks at the medium in a DMA transfer: ours.
const DMA_BLOCK_SECTORS: u32 = 64;
/// The largest buffer of a device.
const BUFFER_MAX: usize = 1 << 17;

/// What a device calls itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// Model, 40 characters at most.
    pub model: String,
    /// Serial number, 20 characters at most.
    pub serial: String,
    /// Firmware revision, 8 characters at most.
    pub firmware: String,
}

impl Identity {
    /// A device of this project with a serial number.
    pub fn new(model: &str, serial: &str) -> Self {
        Self {
            model: model.into(),
            serial: serial.into(),
            firmware: "1.0".into(),
        }
    }
}

/// A device on the cable.
pub enum Unit {
    /// A hard disk.
    Disk(Disk),
    /// A CD-ROM drive.
    CdRom(CdRom),
}

impl Unit {
    /// A hard disk on a back end.
    pub fn disk(backend: Box<dyn BlockBackend>, identity: Identity) -> Self {
        Self::Disk(Disk { backend, identity })
    }

    /// A CD-ROM drive, with a disc in it or without. The disc's image is addressed in sectors of 512 bytes.
    pub fn cdrom(medium: Option<Box<dyn BlockBackend>>, identity: Identity) -> Self {
        Self::CdRom(CdRom { medium, identity })
    }

    fn signature(&self) -> (u8, u8) {
        match self {
            Self::Disk(_) => SIGNATURE_DISK,
            Self::CdRom(_) => SIGNATURE_PACKET,
        }
    }
}

/// What a busy device does when its time is over.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Work {
    /// Comes out of a reset.
    Reset,
    /// Reads the next block of a disk command.
    Read,
    /// Writes the block in the buffer.
    Write,
    /// Reads without transfer.
    Verify,
    /// Makes writes durable.
    Flush,
    /// Executes a command packet.
    Packet,
    /// Reads the next sectors of a disc.
    ReadDisc,
    /// Offers what is left of a packet command's data.
    MoreData,
    /// Offers the buffer.
    Offer,
    /// Nothing but telling that the command is done.
    Complete,
}

/// What a device is doing.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Phase {
    /// Waits for a command.
    Idle,
    /// BSY, until a timer fires.
    Busy(Work),
    /// The host reads the buffer through the data port.
    PioIn,
    /// The host fills the buffer through the data port.
    PioOut,
    /// The host adapter reads the buffer.
    DmaIn,
    /// The host adapter fills the buffer.
    DmaOut,
}

/// A disk command under way.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Job {
    command: u8,
    /// The next sector.
    lba: u64,
    /// Sectors not yet moved between buffer and medium.
    remaining: u32,
    /// Sectors per block.
    block: u32,
    dma: bool,
    ext: bool,
    chs: bool,
}

/// A device's registers and all else that a guest can change in it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct DriveState {
    status: Status,
    error: u8,
    /// Present and previous value of each: 48-bit commands use both.
    features: [u8; 2],
    count: [u8; 2],
    lba_low: [u8; 2],
    lba_mid: [u8; 2],
    lba_high: [u8; 2],
    device: u8,
    interrupt: bool,
    phase: Phase,
    buffer: Vec<u8>,
    position: u32,
    job: Job,
    disk: disk::DiskState,
    cd: atapi::CdState,
}

impl DriveState {
    fn new(unit: Option<&Unit>) -> Self {
        Self {
            status: Status::empty(),
            error: 0,
            features: [0; 2],
            count: [0; 2],
            lba_low: [0; 2],
            lba_mid: [0; 2],
            lba_high: [0; 2],
            device: 0,
            interrupt: false,
            phase: Phase::Idle,
            buffer: Vec::new(),
            position: 0,
            job: Job::default(),
            disk: match unit {
                Some(Unit::Disk(d)) => disk::DiskState::new(d),
                _ => disk::DiskState::default(),
            },
            cd: atapi::CdState::default(),
        }
    }

    fn busy(&self) -> bool {
        self.status.contains(Status::BSY)
    }

    fn transferring(&self) -> bool {
        matches!(
            self.phase,
            Phase::PioIn | Phase::PioOut | Phase::DmaIn | Phase::DmaOut
        )
    }
}

/// What a guest can change on a channel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChannelState {
    selected: u8,
    control: Control,
    drives: [DriveState; 2],
}

impl ChannelState {
    /// Refuses what the devices could not have got into.
    pub fn validate(&self) -> Result<(), &'static str> {
        let bad = |d: &DriveState| {
            d.buffer.len() > BUFFER_MAX
                || d.position as usize > d.buffer.len()
                || d.job.remaining > 1 << 16
                || d.job.block > DMA_BLOCK_SECTORS
                || !d.cd.is_valid()
        };
        if self.selected > 1 || self.drives.iter().any(bad) {
            return Err("an ATA transfer is out of bounds");
        }
        Ok(())
    }
}

/// Which way a device wants to move data by DMA.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum DmaDirection {
    /// To memory.
    ToHost,
    /// From memory.
    FromHost,
}

/// The cable and its two devices.
pub struct Channel {
    units: [Option<Unit>; 2],
    first_timer: TimerId,
}

/// A device during one call.
struct Drive<'a, U> {
    unit: &'a mut U,
    s: &'a mut DriveState,
    timer: TimerId,
}

impl Channel {
    /// A channel whose devices use the timers `first_timer` and `first_timer + 1` of the host adapter.
    pub fn new(units: [Option<Unit>; 2], first_timer: TimerId) -> Self {
        Self { units, first_timer }
    }

    /// The state at power-on, before [`Self::reset`].
    pub fn power_on(&self) -> ChannelState {
        ChannelState {
            selected: 0,
            control: Control::empty(),
            drives: std::array::from_fn(|n| DriveState::new(self.units[n].as_ref())),
        }
    }

    fn drive<'a>(&'a mut self, s: &'a mut ChannelState, n: u8) -> Option<Drive<'a, Unit>> {
        let i = usize::from(n & 1);
        Some(Drive {
            unit: self.units[i].as_mut()?,
            s: &mut s.drives[i],
            timer: self.first_timer + TimerId::from(n & 1),
        })
    }

    /// The device that executes and answers: the selected one, or none.
    fn selected<'a>(&'a mut self, s: &'a mut ChannelState) -> Option<Drive<'a, Unit>> {
        let n = s.selected;
        self.drive(s, n)
    }

    /// The RESET- signal.
    pub fn reset(&mut self, s: &mut ChannelState, cx: &mut Cx<'_>) {
        s.control = Control::empty();
        s.selected = 0;
        for n in 0..2 {
            if let Some(mut d) = self.drive(s, n) {
                d.hardware_reset();
                d.begin_reset(cx);
            }
        }
    }

    /// Reads a register.
    pub fn read(&mut self, s: &mut ChannelState, reg: Reg) -> u8 {
        let hob = usize::from(s.control.contains(Control::HOB));
        let other = s.selected ^ 1;
        let absent = self.units[usize::from(s.selected & 1)].is_none();
        if absent {
            // Device 0 answers for an absent device 1 with its own registers, but a status of 0 (section 9.16);
            // nobody answers for an absent device 0.
            if other != 0 || self.units[0].is_none() {
                return FLOATING_BUS;
            }
            if matches!(reg, Reg::Status | Reg::AlternateStatus) {
                return 0;
            }
        }
        let n = if absent { other } else { s.selected };
        let d = &mut s.drives[usize::from(n & 1)];
        match reg {
            Reg::Error | Reg::Features => d.error,
            Reg::SectorCount => d.count[hob],
            Reg::LbaLow => d.lba_low[hob],
            Reg::LbaMid => d.lba_mid[hob],
            Reg::LbaHigh => d.lba_high[hob],
            Reg::Device => (d.device & !DEVICE_DEV) | (s.selected * DEVICE_DEV),
            Reg::AlternateStatus | Reg::DeviceControl => d.status.bits(),
            Reg::Status | Reg::Command => {
                d.interrupt = false;
                d.status.bits()
            }
        }
    }

    /// Writes a register.
    pub fn write(&mut self, s: &mut ChannelState, reg: Reg, value: u8, cx: &mut Cx<'_>) {
        if reg == Reg::DeviceControl || reg == Reg::AlternateStatus {
            return self.write_control(s, value, cx);
        }
        s.control -= Control::HOB;
        match reg {
            Reg::Command | Reg::Status => return self.command(s, value, cx),
            Reg::Device => s.selected = u8::from(value & DEVICE_DEV != 0),
            _ => {}
        }
        for d in s.drives.iter_mut().filter(|d| !d.busy()) {
            let pair = match reg {
                Reg::Features | Reg::Error => &mut d.features,
                Reg::SectorCount => &mut d.count,
                Reg::LbaLow => &mut d.lba_low,
                Reg::LbaMid => &mut d.lba_mid,
                Reg::LbaHigh => &mut d.lba_high,
                _ => {
                    d.device = value;
                    continue;
                }
            };
            *pair = [value, pair[0]];
        }
    }

    /// Section 9.2: software reset while SRST is set; the devices come back after it is cleared.
    fn write_control(&mut self, s: &mut ChannelState, value: u8, cx: &mut Cx<'_>) {
        let before = s.control;
        s.control = Control::from_bits_truncate(value);
        let (was, is) = (
            before.contains(Control::SRST),
            s.control.contains(Control::SRST),
        );
        if was != is {
            s.selected = 0;
        }
        for n in 0..2 {
            let Some(mut d) = self.drive(s, n) else {
                continue;
            };
            match (was, is) {
                (false, true) => d.hold_in_reset(cx),
                (true, false) => {
                    d.software_reset();
                    d.begin_reset(cx);
                }
                _ => {}
            }
        }
    }

    fn command(&mut self, s: &mut ChannelState, code: u8, cx: &mut Cx<'_>) {
        if s.control.contains(Control::SRST) {
            return;
        }
        if code == command::EXECUTE_DEVICE_DIAGNOSTIC {
            // Both devices execute it, whichever is selected (section 8.11); device 0 interrupts.
            s.selected = 0;
            for n in 0..2 {
                if let Some(mut d) = self.drive(s, n) {
                    d.begin_reset(cx);
                    d.s.job.command = if n == 0 { code } else { 0 };
                }
            }
            return;
        }
        if let Some(mut d) = self.selected(s) {
            d.command(code, cx);
        }
    }

    /// Reads the data port. A byte access moves a word on the cable too.
    pub fn read_data(&mut self, s: &mut ChannelState, width: Width, cx: &mut Cx<'_>) -> u32 {
        let words = if width == Width::Dword { 2 } else { 1 };
        let Some(mut d) = self.selected(s) else {
            return u32::MAX;
        };
        let mut value = 0;
        for i in 0..words {
            value |= u32::from(d.pio_read(cx)) << (16 * i);
        }
        value & width.mask() as u32
    }

    /// Writes the data port.
    pub fn write_data(&mut self, s: &mut ChannelState, width: Width, value: u32, cx: &mut Cx<'_>) {
        let words = if width == Width::Dword { 2 } else { 1 };
        if let Some(mut d) = self.selected(s) {
            for i in 0..words {
                d.pio_write((value >> (16 * i)) as u16, cx);
            }
        }
    }

    /// The timer of device `n` fired.
    pub fn expired(&mut self, s: &mut ChannelState, n: u8, cx: &mut Cx<'_>) {
        if let Some(mut d) = self.drive(s, n)
            && let Phase::Busy(work) = d.s.phase
        {
            d.work(work, cx);
        }
    }

    /// INTRQ: the selected device drives it unless it is told not to.
    pub fn interrupt(&self, s: &ChannelState) -> bool {
        let n = usize::from(s.selected & 1);
        self.units[n].is_some() && s.drives[n].interrupt && !s.control.contains(Control::NIEN)
    }

    /// DMARQ: whether the selected device wants to move data by DMA now.
    pub fn dma_request(&self, s: &ChannelState) -> Option<DmaDirection> {
        let n = usize::from(s.selected & 1);
        self.units[n].as_ref()?;
        match s.drives[n].phase {
            Phase::DmaIn => Some(DmaDirection::ToHost),
            Phase::DmaOut => Some(DmaDirection::FromHost),
            _ => None,
        }
    }

    /// Moves data from the device that requests DMA; tells how much there was.
    pub fn dma_read(&mut self, s: &mut ChannelState, data: &mut [u8], cx: &mut Cx<'_>) -> usize {
        match self.selected(s) {
            Some(mut d) if d.s.phase == Phase::DmaIn => {
                let rest = d.s.buffer.get(d.s.position as usize..).unwrap_or(&[]);
                let n = rest.len().min(data.len());
                data[..n].copy_from_slice(&rest[..n]);
                d.moved(n, cx);
                n
            }
            _ => 0,
        }
    }

    /// Moves data to the device that requests DMA; tells how much it took.
    pub fn dma_write(&mut self, s: &mut ChannelState, data: &[u8], cx: &mut Cx<'_>) -> usize {
        match self.selected(s) {
            Some(mut d) if d.s.phase == Phase::DmaOut => {
                let at = d.s.position as usize;
                let room = d.s.buffer.get_mut(at..).unwrap_or(&mut []);
                let n = room.len().min(data.len());
                room[..n].copy_from_slice(&data[..n]);
                d.moved(n, cx);
                n
            }
            _ => 0,
        }
    }

    /// A medium is put into the CD-ROM drive at position `n`, or taken out.
    pub fn change_medium(
        &mut self,
        s: &mut ChannelState,
        n: u8,
        medium: Option<Box<dyn BlockBackend>>,
    ) {
        if let Some(Drive {
            unit: Unit::CdRom(cd),
            s,
            ..
        }) = self.drive(s, n)
        {
            s.cd.medium_changed(medium.is_some());
            cd.medium = medium;
        }
    }

    /// How many bytes the device could move at once.
    pub fn dma_bytes(&self, s: &ChannelState) -> usize {
        let d = &s.drives[usize::from(s.selected & 1)];
        d.buffer.len().saturating_sub(d.position as usize)
    }
}

impl Drive<'_, Unit> {
    fn with_disk(&mut self) -> Result<Drive<'_, Disk>, Drive<'_, CdRom>> {
        let (s, timer) = (&mut *self.s, self.timer);
        match &mut *self.unit {
            Unit::Disk(unit) => Ok(Drive { unit, s, timer }),
            Unit::CdRom(unit) => Err(Drive { unit, s, timer }),
        }
    }

    /// What only the RESET- signal does.
    fn hardware_reset(&mut self) {
        match self.with_disk() {
            Ok(d) => d.s.disk.hardware_reset(d.unit),
            Err(d) => d.s.cd.hardware_reset(),
        }
    }

    fn software_reset(&mut self) {
        match self.with_disk() {
            Ok(d) => d.s.disk.software_reset(d.unit),
            Err(d) => d.s.cd.software_reset(),
        }
    }

    fn hold_in_reset(&mut self, cx: &mut Cx<'_>) {
        cx.disarm(self.timer);
        let s = &mut *self.s;
        s.phase = Phase::Idle;
        s.status = Status::BSY;
        s.interrupt = false;
        s.buffer.clear();
        s.position = 0;
        s.job = Job::default();
        s.cd.end_transfer();
    }

    fn begin_reset(&mut self, cx: &mut Cx<'_>) {
        self.hold_in_reset(cx);
        self.busy(Work::Reset, RESET_NS, cx);
    }

    /// A write to the command register.
    fn command(&mut self, code: u8, cx: &mut Cx<'_>) {
        if code == command::DEVICE_RESET && matches!(self.unit, Unit::CdRom(_)) {
            // Section 8.10: even while busy, and without interrupt.
            self.hold_in_reset(cx);
            self.work(Work::Reset, cx);
            return;
        }
        if self.s.busy() || self.s.disk.asleep() || self.s.cd.asleep() {
            return;
        }
        if self.s.transferring() {
            // The host gave up a transfer.
            self.quiet();
            self.s.cd.end_transfer();
        }
        self.s.interrupt = false;
        self.s.error = 0;
        self.s.status -= Status::ERR | Status::DF;
        match self.with_disk() {
            Ok(mut d) => d.disk_command(code, cx),
            Err(mut d) => d.atapi_command(code, cx),
        }
    }

    fn work(&mut self, work: Work, cx: &mut Cx<'_>) {
        match work {
            Work::Reset => {
                let diagnostic = self.s.job.command == command::EXECUTE_DEVICE_DIAGNOSTIC;
                let (mid, high) = self.unit.signature();
                self.put_signature(mid, high);
                self.quiet();
                if matches!(self.unit, Unit::CdRom(_)) {
                    // A packet device is not ready until its first command (section 9.12).
                    self.s.status = Status::empty();
                }
                self.s.error = DIAGNOSTIC_PASSED;
                self.s.interrupt = diagnostic;
                self.s.job = Job::default();
                return;
            }
            Work::Offer => return self.offer(false),
            Work::Complete => return self.done(),
            _ => {}
        }
        match (self.with_disk(), work) {
            (Ok(mut d), Work::Read) => d.read_block(),
            (Ok(mut d), Work::Write) => d.write_block(cx),
            (Ok(mut d), Work::Verify) => d.verify(),
            (Ok(mut d), Work::Flush) => d.flush(),
            (Err(mut d), Work::Packet) => d.execute_packet(cx),
            (Err(mut d), Work::ReadDisc) => d.read_disc(),
            (Err(mut d), Work::MoreData) => d.offer_data(),
            // Only a damaged snapshot asks a disk for a disc's work, or the reverse.
            (Ok(mut d), _) => d.fail(Error::ABRT),
            (Err(mut d), _) => d.fail(Error::ABRT),
        }
    }

    fn pio_read(&mut self, cx: &mut Cx<'_>) -> u16 {
        if self.s.phase != Phase::PioIn {
            return 0xFFFF;
        }
        let at = self.s.position as usize;
        let byte = |i: usize| self.s.buffer.get(at + i).copied().unwrap_or(0);
        let value = u16::from_le_bytes([byte(0), byte(1)]);
        self.moved(2, cx);
        value
    }

    fn pio_write(&mut self, value: u16, cx: &mut Cx<'_>) {
        if self.s.phase == Phase::PioOut {
            let at = self.s.position as usize;
            for (slot, byte) in self.s.buffer.iter_mut().skip(at).zip(value.to_le_bytes()) {
                *slot = byte;
            }
            self.moved(2, cx);
        }
    }

    /// So many bytes went over the cable.
    fn moved(&mut self, bytes: usize, cx: &mut Cx<'_>) {
        let len = self.s.buffer.len();
        let position = (self.s.position as usize).saturating_add(bytes).min(len);
        self.s.position = position as u32;
        if position >= len {
            match self.with_disk() {
                Ok(mut d) => d.block_moved(cx),
                Err(mut d) => d.data_moved(cx),
            }
        }
    }
}

impl<U> Drive<'_, U> {
    /// The signature that stands in the registers after a reset (section 9.12).
    fn put_signature(&mut self, mid: u8, high: u8) {
        let s = &mut *self.s;
        s.count = [1, 0];
        s.lba_low = [1, 0];
        s.lba_mid = [mid, 0];
        s.lba_high = [high, 0];
        s.device = 0;
    }

    /// BSY for a time, then some work.
    fn busy(&mut self, work: Work, ns: u64, cx: &mut Cx<'_>) {
        self.s.status = (self.s.status - Status::DRQ - Status::ERR - Status::DF) | Status::BSY;
        self.s.phase = Phase::Busy(work);
        cx.arm(self.timer, cx.now().plus_ns(ns));
    }

    /// The command is done.
    fn done(&mut self) {
        self.quiet();
        self.s.interrupt = true;
    }

    /// The command is done, and the host knows already.
    fn quiet(&mut self) {
        let s = &mut *self.s;
        s.status = Status::DRDY | Status::DSC;
        s.phase = Phase::Idle;
        s.buffer.clear();
        s.position = 0;
    }

    /// The command failed.
    fn fail(&mut self, error: Error) {
        self.done();
        self.s.status |= Status::ERR;
        self.s.error = error.bits();
    }

    /// The buffer is ready for the host to read.
    fn offer(&mut self, dma: bool) {
        let s = &mut *self.s;
        s.position = 0;
        s.status = Status::DRDY | Status::DSC | Status::DRQ;
        s.phase = if dma { Phase::DmaIn } else { Phase::PioIn };
        s.interrupt |= !dma;
    }

    /// The buffer is ready to be filled by the host.
    fn demand(&mut self, bytes: usize, dma: bool, interrupt: bool) {
        let s = &mut *self.s;
        s.buffer.clear();
        s.buffer.resize(bytes.min(BUFFER_MAX), 0);
        s.position = 0;
        s.status = Status::DRDY | Status::DSC | Status::DRQ;
        s.phase = if dma { Phase::DmaOut } else { Phase::PioOut };
        s.interrupt |= interrupt;
    }
}

/// Bytes of so many sectors.
fn sector_bytes(sectors: u32) -> usize {
    sectors as usize * SECTOR_BYTES
}
