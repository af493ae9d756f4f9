//! 82077AA floppy disk controller with its drives.
//!
//! **Datasheet**: Intel, 82077AA CHMOS Single-Chip Floppy Disk Controller, order number 290166.
//!
//! **Ports** (from the base, 3F0h on a PC): 0 SRA, 1 SRB (PS/2 mode), 2 DOR, 3 TDR, 4 MSR (read) and DSR (write),
//! 5 data, 7 DIR (read) and CCR (write). Port 6 belongs to the hard disk controller. **Lines**: INT, DRQ. Terminal
//! count arrives with the DMA cycle.
//!
//! Everything takes the time that it takes: head steps, head load, the turn of the disk until the sector passes, one
//! byte after the other. A command to a drive in which nothing turns waits, as the chip does, until something turns or
//! the chip is reset. A data rate that is not the medium's finds no address mark, which is how firmware tells media
//! apart.
//!
//! - `drive`: drives, media, tracks, and where the disk stands at a given time
//! - `command`: command and result phases, seeks
//! - `execution`: the execution phase of the commands that read or write a track
//!
//! **Not implemented**: PS/2 Model 30 mode; tape drives; write precompensation (kept, without effect on a disk image);
//! SRB's data toggles; drives 2 and 3.
//!
//! **Known inaccuracies**: a raw image holds sectors of 512 bytes in its own geometry; whatever else FORMAT TRACK
//! makes, and deleted data marks, live in the controller's state until the disk is changed. All sectors of a track
//! follow in numerical order without interleave. FM fields pass at the pace of MFM ones. A write that the host is too
//! slow for leaves the sector as it was, not half written. Gap lengths are those of the standard format, whatever
//! gap 2 the perpendicular mode asks for. The rate of 250 kbit/s that a hardware reset selects (table 2-6) shows in the
//! registers only: until the guest writes CCR or DSR, the chip works at the rate of the disk in the selected drive and
//! with implied seeks, because firmware written for emulators neither selects a rate nor seeks
//! (`docs/decisions/0003-unprogrammed-floppy.md`).

mod command;
mod drive;
mod execution;
pub mod spec;
#[cfg(test)]
mod tests;

pub use drive::{Density, DriveType, Geometry, Medium, SPIN_UP_NS};

use drive::{DriveState, Look};
use emu_core::bus::{Decode, Width};
use emu_core::cap::{HostInput, IsaDma, PortAddr, PortIo, Timers};
use emu_core::event::TimerId;
use emu_core::host::{BlockBackend, DriveId, HostEvent};
use emu_core::snapshot::Snapshot;
use emu_core::time::VirtTime;
use emu_core::{Cx, Device, Line, ResetKind};
use execution::Execution;
use serde::{Deserialize, Serialize};
use spec::*;

/// How the IDENT and MFM pins are strapped (section 2.0).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum HostMode {
    /// IBM PC/AT: DMAGATE# enables INT and DRQ; SRA and SRB are not driven.
    At,
    /// IBM PS/2: INT and DRQ are always enabled.
    Ps2,
}

/// How the chip is placed on its board.
#[derive(Clone, Debug)]
pub struct Config {
    /// First port.
    pub base: u16,
    /// Strapping.
    pub mode: HostMode,
    /// Interrupt.
    pub irq: Line,
    /// DMA request.
    pub drq: Line,
    /// Which drives are there.
    pub drives: [Option<DriveType>; DRIVES],
}

/// Drives that a chip may have here.
pub const DRIVES: usize = 2;
/// Drives that its commands can name.
const DRIVE_NUMBERS: usize = 4;

/// Time from the end of a reset until the chip is ready and has polled the drives: ours.
pub const RESET_NS: u64 = 50_000;
/// Time of a seek that needs no step: ours.
const NO_STEP_NS: u64 = 10_000;

const TIMER_EXECUTION: TimerId = 0;
const TIMER_RESET: TimerId = 1;
const TIMER_SEEK: TimerId = 2; // one per drive number

const REGION: u16 = 0;

/// What phase a command is in (section 4).
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Phase {
    /// Command phase: the chip takes bytes.
    Command,
    /// Execution phase.
    Execution,
    /// Result phase: the chip gives bytes.
    Result,
}

/// A seek under way.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Seek {
    /// Steps outwards (negative) or inwards.
    steps: i16,
    /// Where the chip will believe the head to be.
    pcn: u8,
    /// Whether it ends at track 0 or not at all.
    recalibrate: bool,
}

/// Everything that a guest can change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct State {
    dor: Dor,
    tdr: u8,
    rate: Rate,
    /// Whether CCR or DSR was written since the last hardware reset.
    rate_selected: bool,
    precompensation: u8,
    powered_down: bool,
    resetting: bool,
    phase: Phase,
    command: Vec<u8>,
    result: Vec<u8>,
    result_read: u8,
    result_interrupt: bool,
    poll_interrupt: bool,
    pending: [Option<St0>; DRIVE_NUMBERS],
    drive_busy: [bool; DRIVE_NUMBERS],
    seeks: [Option<Seek>; DRIVE_NUMBERS],
    pcn: [u8; DRIVE_NUMBERS],
    specify: [u8; 2],
    configure: Configure,
    precompensation_track: u8,
    lock: bool,
    perpendicular: u8,
    end_of_track: u8,
    head: u8,
    head_loaded_until: VirtTime,
    fifo: Vec<u8>,
    requesting: bool,
    execution: Option<Execution>,
    drives: [DriveState; DRIVES],
}

impl Snapshot for State {
    const VERSION: u16 = 2;
    fn validate(&self) -> Result<(), &'static str> {
        if self.fifo.len() > FIFO_BYTES
            || self.command.len() > COMMAND_BYTES
            || self.result.len() > RESULT_BYTES
            || usize::from(self.result_read) > self.result.len()
        {
            return Err("a buffer of the floppy controller is too long");
        }
        if self.phase == Phase::Execution && self.execution.is_none() {
            return Err("the floppy controller executes nothing");
        }
        self.execution.as_ref().map_or(Ok(()), Execution::validate)
    }
}

/// The chip, its drives and their disks.
pub struct I82077aa {
    config: Config,
    media: [Option<Medium>; DRIVES],
    state: State,
}

impl I82077aa {
    /// A chip with disks in its drives.
    pub fn new(config: Config, disks: [Option<Box<dyn BlockBackend>>; DRIVES]) -> Self {
        let media = disks.map(|d| d.map(Medium::new));
        Self {
            state: power_on(),
            config,
            media,
        }
    }

    /// The drive that the digital output register selects: its motor must run too (section 2.1.3).
    fn selected(&self) -> Option<usize> {
        let dor = self.state.dor;
        let n = usize::from(dor.bits() & Dor::DRIVE_SELECT.bits());
        let motor = dor.bits() & (Dor::MOTOR_0.bits() << n) != 0;
        (motor && self.config.drives.get(n)?.is_some()).then_some(n)
    }

    /// The selected drive.
    fn look(&mut self) -> Option<Look<'_>> {
        let n = self.selected()?;
        Some(Look {
            kind: self.config.drives[n]?,
            medium: self.media[n].as_mut(),
            state: &mut self.state.drives[n],
        })
    }

    /// Drives INT and DRQ.
    fn update_lines(&mut self, cx: &mut Cx<'_>) {
        let s = &self.state;
        let gate = self.config.mode == HostMode::Ps2 || s.dor.contains(Dor::DMA_GATE);
        let non_dma = s.specify[1] & ND != 0;
        let request = s.requesting && s.phase == Phase::Execution;
        let int = s.result_interrupt
            || s.poll_interrupt
            || s.pending
                .iter()
                .flatten()
                .any(|p| !p.contains(St0::POLLING))
            || (request && non_dma);
        cx.set_line(self.config.irq, gate && int);
        cx.set_line(self.config.drq, gate && request && !non_dma);
    }

    /// What any reset does to the machinery (section 3).
    fn stop(&mut self, cx: &mut Cx<'_>) {
        let s = &mut self.state;
        s.phase = Phase::Command;
        s.command.clear();
        s.result.clear();
        s.result_read = 0;
        s.result_interrupt = false;
        s.poll_interrupt = false;
        s.pending = [None; DRIVE_NUMBERS];
        s.drive_busy = [false; DRIVE_NUMBERS];
        s.seeks = [None; DRIVE_NUMBERS];
        s.pcn = [0; DRIVE_NUMBERS];
        s.fifo.clear();
        s.requesting = false;
        s.execution = None;
        s.powered_down = false;
        s.perpendicular &= !0b11;
        let kept = if s.lock {
            s.configure & (Configure::FIFO_DISABLE | Configure::THRESHOLD)
        } else {
            s.precompensation_track = 0;
            Configure::FIFO_DISABLE
        };
        s.configure = kept;
        for timer in TIMER_EXECUTION..TIMER_SEEK + DRIVE_NUMBERS as u16 {
            cx.disarm(timer);
        }
    }

    fn software_reset(&mut self, cx: &mut Cx<'_>) {
        self.stop(cx);
        self.state.resetting = true;
        cx.arm(TIMER_RESET, cx.now().plus_ns(RESET_NS));
    }

    fn reset_over(&mut self) {
        self.state.resetting = false;
        if !self.state.configure.contains(Configure::POLL_DISABLE) {
            for (n, p) in self.state.pending.iter_mut().enumerate() {
                *p = Some(St0::from_bits_retain(St0::POLLING.bits() | n as u8));
            }
            self.state.poll_interrupt = true;
        }
    }

    fn write_dor(&mut self, value: u8, cx: &mut Cx<'_>) {
        let before = self.state.dor;
        let selected = self.selected();
        self.state.dor = Dor::from_bits_retain(value);
        for n in 0..DRIVES {
            let on = value & (Dor::MOTOR_0.bits() << n) != 0;
            let since = &mut self.state.drives[n].motor_since;
            match (on, *since) {
                (true, None) => *since = Some(cx.now()),
                (false, Some(_)) => {
                    *since = None;
                    self.flush(n);
                }
                _ => {}
            }
        }
        match (
            before.contains(Dor::NOT_RESET),
            value & Dor::NOT_RESET.bits() != 0,
        ) {
            (true, false) => self.stop(cx),
            (false, true) => self.software_reset(cx),
            _ if selected != self.selected() => self.look_again(cx),
            _ => {}
        }
    }

    fn flush(&mut self, n: usize) {
        if let Some(m) = &mut self.media[n]
            && let Err(e) = m.backend.flush()
        {
            tracing::warn!(target: "i82077aa", "{}: {e}", m.backend.describe());
        }
    }

    /// Main status register.
    fn msr(&self) -> Msr {
        let s = &self.state;
        if s.resetting || s.powered_down || !s.dor.contains(Dor::NOT_RESET) {
            return Msr::empty();
        }
        let mut msr = Msr::empty();
        for (n, busy) in s.drive_busy.iter().enumerate() {
            msr.set(Msr::from_bits_retain(Msr::DRIVE_0_BUSY.bits() << n), *busy);
        }
        match s.phase {
            Phase::Command => {
                msr |= Msr::RQM;
                msr.set(Msr::COMMAND_BUSY, !s.command.is_empty());
            }
            Phase::Result => msr |= Msr::RQM | Msr::DIO | Msr::COMMAND_BUSY,
            Phase::Execution => {
                msr |= Msr::COMMAND_BUSY;
                if s.specify[1] & ND != 0 {
                    msr |= Msr::NON_DMA;
                    msr.set(Msr::RQM, s.requesting);
                    let reads = s
                        .execution
                        .as_ref()
                        .is_some_and(|e| !e.command.host_writes());
                    msr.set(Msr::DIO, reads);
                }
            }
        }
        msr
    }

    fn disk_change(&self) -> bool {
        self.selected()
            .is_some_and(|n| self.state.drives[n].disk_change)
    }

    fn read_dir(&self) -> u8 {
        let change = if self.disk_change() {
            DIR_DISK_CHANGE
        } else {
            0
        };
        match self.config.mode {
            // The other bits are not driven.
            HostMode::At => change | !DIR_DISK_CHANGE,
            HostMode::Ps2 => {
                let slow = matches!(self.state.rate, Rate::Kbps250 | Rate::Kbps300);
                change
                    | DIR_PS2_ALWAYS_1
                    | (self.state.rate.bits() << 1)
                    | (u8::from(slow) * DIR_PS2_NOT_HIGH_DENSITY)
            }
        }
    }

    fn read_status_a(&mut self, cx: &mut Cx<'_>) -> u8 {
        if self.config.mode == HostMode::At {
            return 0xFF;
        }
        let now = cx.now();
        let head = self.state.head & 1 != 0;
        let stepping = self.state.seeks.iter().flatten().next().copied();
        let interrupt = cx.line_level(self.config.irq);
        let second = self.config.drives[1].is_some();
        let mut a = StatusA::NOT_WRITE_PROTECT | StatusA::NOT_INDEX | StatusA::NOT_TRACK_0;
        if let Some(look) = self.look() {
            let protected = look.medium.as_ref().is_some_and(|m| m.backend.read_only());
            a.set(StatusA::NOT_WRITE_PROTECT, !protected);
            a.set(StatusA::NOT_INDEX, !look.index_pulse(now));
            a.set(StatusA::NOT_TRACK_0, look.state.cylinder != 0);
        }
        a.set(StatusA::HEAD_SELECT, head);
        a.set(StatusA::DIRECTION, stepping.is_some_and(|s| s.steps > 0));
        a.set(StatusA::STEP, stepping.is_some());
        a.set(StatusA::NOT_DRIVE_2, !second);
        a.set(StatusA::INTERRUPT_PENDING, interrupt);
        a.bits()
    }

    fn read_status_b(&self) -> u8 {
        if self.config.mode == HostMode::At {
            return 0xFF;
        }
        let s = &self.state;
        let mut b = StatusB::ALWAYS_1;
        b.set(StatusB::MOTOR_0, s.dor.contains(Dor::MOTOR_0));
        b.set(StatusB::MOTOR_1, s.dor.contains(Dor::MOTOR_1));
        b.set(StatusB::DRIVE_SELECT_0, s.dor.bits() & 1 != 0);
        let writes = s
            .execution
            .as_ref()
            .is_some_and(|e| e.command.records() && e.passes_data());
        b.set(StatusB::WRITE_ENABLE, writes);
        b.bits()
    }

    fn read_data(&mut self) -> u8 {
        let s = &mut self.state;
        match s.phase {
            Phase::Result => {
                let value = s.result.get(usize::from(s.result_read)).copied();
                s.result_read = s.result_read.saturating_add(1);
                s.result_interrupt = false;
                if usize::from(s.result_read) >= s.result.len() {
                    s.phase = Phase::Command;
                    s.result.clear();
                    s.result_read = 0;
                }
                value.unwrap_or(0)
            }
            Phase::Execution if s.specify[1] & ND != 0 => self.give_byte(),
            _ => 0,
        }
    }

    fn write_data(&mut self, value: u8, cx: &mut Cx<'_>) {
        match self.state.phase {
            Phase::Command if self.msr().contains(Msr::RQM) => self.command_byte(value, cx),
            Phase::Execution if self.state.specify[1] & ND != 0 => self.take_byte(value),
            _ => {}
        }
    }

    fn set_rate(&mut self, bits: u8, cx: &mut Cx<'_>) {
        let before = self.rate();
        self.state.rate = Rate::from_bits(bits);
        self.state.rate_selected = true;
        if self.rate() != before {
            self.look_again(cx);
        }
    }

    /// The data rate at which the chip works: what CCR or DSR says; until one of them is written, that of the disk in
    /// the selected drive (**Known inaccuracies**).
    fn rate(&self) -> Rate {
        let of_the_disk = || {
            let n = self.selected()?;
            let geometry = self.media[n].as_ref()?.geometry?;
            let (rate, _) = self.config.drives[n]?.reads(geometry.density)?;
            Some(rate)
        };
        if self.state.rate_selected {
            self.state.rate
        } else {
            of_the_disk().unwrap_or(self.state.rate)
        }
    }
}

fn power_on() -> State {
    State {
        dor: Dor::empty(),
        tdr: 0,
        rate: Rate::Kbps250,
        rate_selected: false,
        precompensation: 0,
        powered_down: false,
        resetting: false,
        phase: Phase::Command,
        command: Vec::new(),
        result: Vec::new(),
        result_read: 0,
        result_interrupt: false,
        poll_interrupt: false,
        pending: [None; DRIVE_NUMBERS],
        drive_busy: [false; DRIVE_NUMBERS],
        seeks: [None; DRIVE_NUMBERS],
        pcn: [0; DRIVE_NUMBERS],
        specify: [0; 2],
        configure: Configure::FIFO_DISABLE,
        precompensation_track: 0,
        lock: false,
        perpendicular: 0,
        end_of_track: 0,
        head: 0,
        head_loaded_until: VirtTime::ZERO,
        fifo: Vec::new(),
        requesting: false,
        execution: None,
        drives: std::array::from_fn(|_| DriveState {
            // A drive does not know what it held before the power came on.
            disk_change: true,
            ..DriveState::default()
        }),
    }
}

impl Device for I82077aa {
    const KIND: &'static str = "i82077aa";
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }
    fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    fn reset(&mut self, kind: ResetKind, cx: &mut Cx<'_>) {
        if kind == ResetKind::Init {
            return;
        }
        let drives = std::mem::take(&mut self.state.drives);
        self.stop(cx);
        self.state = power_on();
        if kind == ResetKind::Hard {
            // The mechanics stay where they are; the motors stop with DOR.
            self.state.drives = drives;
            for n in 0..DRIVES {
                self.state.drives[n].motor_since = None;
                self.flush(n);
            }
        }
        self.update_lines(cx);
    }

    fn decode(&self, decode: &mut Decode) {
        decode.ports(REGION, self.config.base, 6, Width::Byte);
        decode.ports(REGION + 1, self.config.base + 7, 1, Width::Byte);
    }

    fn port_io(&mut self) -> Option<&mut dyn PortIo> {
        Some(self)
    }
    fn timers(&mut self) -> Option<&mut dyn Timers> {
        Some(self)
    }
    fn isa_dma(&mut self) -> Option<&mut dyn IsaDma> {
        Some(self)
    }
    fn host_input(&mut self) -> Option<&mut dyn HostInput> {
        Some(self)
    }
}

fn offset(at: PortAddr) -> u16 {
    if at.region == REGION { at.offset } else { 7 }
}

impl PortIo for I82077aa {
    fn port_read(&mut self, at: PortAddr, _width: Width, cx: &mut Cx<'_>) -> u32 {
        let value = match Reg::for_read(offset(at)) {
            Some(Reg::StatusA) => self.read_status_a(cx),
            Some(Reg::StatusB) => self.read_status_b(),
            Some(Reg::DigitalOutput) => self.state.dor.bits(),
            Some(Reg::TapeDrive) => self.state.tdr | !TDR_TAPE_SELECT,
            Some(Reg::MainStatus) => self.msr().bits(),
            Some(Reg::DigitalInput) => self.read_dir(),
            Some(Reg::Data) => {
                let v = self.read_data();
                self.after_transfer(cx);
                v
            }
            _ => 0xFF,
        };
        self.update_lines(cx);
        value.into()
    }

    fn port_write(&mut self, at: PortAddr, _width: Width, value: u32, cx: &mut Cx<'_>) {
        let value = value as u8;
        match Reg::for_write(offset(at)) {
            Some(Reg::DigitalOutput) => self.write_dor(value, cx),
            Some(Reg::TapeDrive) => self.state.tdr = value & TDR_TAPE_SELECT,
            Some(Reg::DataRateSelect) => {
                let dsr = Dsr::from_bits_truncate(value);
                self.set_rate(value, cx);
                self.state.precompensation = (dsr & Dsr::PRECOMPENSATION).bits() >> 2;
                if dsr.contains(Dsr::SOFTWARE_RESET) && self.state.dor.contains(Dor::NOT_RESET) {
                    self.software_reset(cx);
                }
                if dsr.contains(Dsr::POWER_DOWN) {
                    self.state.powered_down = true;
                }
            }
            Some(Reg::Data) => {
                self.write_data(value, cx);
                self.after_transfer(cx);
            }
            Some(Reg::ConfigControl) => self.set_rate(value, cx),
            _ => {}
        }
        self.update_lines(cx);
    }
}

impl Timers for I82077aa {
    fn expired(&mut self, timer: TimerId, cx: &mut Cx<'_>) {
        match timer {
            TIMER_EXECUTION => self.execution_event(cx),
            TIMER_RESET => self.reset_over(),
            n => self.seek_over(usize::from(n - TIMER_SEEK)),
        }
        self.update_lines(cx);
    }
}

impl IsaDma for I82077aa {
    fn dack_read(&mut self, tc: bool, cx: &mut Cx<'_>) -> u16 {
        let dma = self.state.phase == Phase::Execution && self.state.specify[1] & ND == 0;
        let value = if dma { self.give_byte() } else { 0xFF };
        if dma && tc {
            self.terminal_count(cx);
        }
        self.after_transfer(cx);
        self.update_lines(cx);
        value.into()
    }

    fn dack_write(&mut self, value: u16, tc: bool, cx: &mut Cx<'_>) {
        if self.state.phase == Phase::Execution && self.state.specify[1] & ND == 0 {
            self.take_byte(value as u8);
            if tc {
                self.terminal_count(cx);
            }
        }
        self.after_transfer(cx);
        self.update_lines(cx);
    }
}

impl HostInput for I82077aa {
    fn host_input(&mut self, event: HostEvent, cx: &mut Cx<'_>) {
        if let HostEvent::Medium(change) = event
            && let DriveId::Floppy(n) = change.drive
            && let n = usize::from(n)
            && self.config.drives.get(n).is_some_and(Option::is_some)
        {
            self.flush(n);
            self.media[n] = change.medium.map(Medium::new);
            let drive = &mut self.state.drives[n];
            drive.disk_change = true;
            drive.deleted.clear();
            drive.formatted.clear();
            self.look_again(cx);
            self.update_lines(cx);
        }
    }
}
