//! The execution phase of the commands that read or write a track (section 5.1).
//!
//! One timer drives it. A command looks for its sector among those that will pass, arms the timer for the moment at
//! which the data field begins, then for each byte; between the disk and the host stands the FIFO.
//!
//! One file because every command walks through the same execution phase.

use super::drive::{Id, Passing, Track, byte_clock};
use super::spec::*;
use super::{I82077aa, Phase, TIMER_EXECUTION};
use emu_core::Cx;
use emu_core::host::BlockError;
use emu_core::time::VirtTime;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// How far a command is.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Stage {
    /// An implied seek.
    Seeking,
    /// The head settles.
    HeadLoading,
    /// Nothing turns.
    Still,
    /// The sector is not there: two index pulses pass before the command gives up.
    Failing,
    /// The ID field of READ ID passes.
    Identifying,
    /// The sector's data field comes nearer.
    Approaching,
    /// Data bytes pass.
    Data,
    /// The rest of the sector passes.
    SectorEnd,
    /// FORMAT TRACK waits for the index hole.
    FormatIndex,
    /// FORMAT TRACK writes sector after sector.
    FormatSector,
    /// FORMAT TRACK writes gap 4b.
    FormatEnd,
    /// The host has not yet taken the last bytes.
    Draining,
}

/// A command in its execution phase.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Execution {
    pub(super) command: Command,
    flags: u8,
    drive: u8,
    /// The physical side.
    head: u8,
    /// The sector wanted next.
    id: Id,
    end_of_track: u8,
    /// DTL, SC, STP or the fill byte.
    last: u8,
    gap: u8,
    stage: Stage,
    st1: St1,
    st2: St2,
    /// The sector under the head.
    sector_id: Id,
    sector_index: u32,
    sector_lba: Option<u64>,
    data_at: VirtTime,
    buffer: Vec<u8>,
    /// Bytes of the buffer that have passed the head.
    position: u32,
    /// Bytes of this sector that the host gives or takes, and how many it has given.
    limit: u32,
    taken: u32,
    terminal_count: bool,
    /// Sectors that VERIFY has still to see, or that READ TRACK has seen.
    sectors: u16,
    ids: Vec<Id>,
    order: i8,
}

/// The largest data field: 128 << 7.
const SECTOR_MAX: usize = 16384;

impl Execution {
    pub(super) fn new(command: Command, bytes: &[u8]) -> Self {
        let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
        let format = command == Command::FormatTrack;
        Self {
            command,
            flags: at(0),
            drive: at(1) & 0b11,
            head: at(1) >> 2 & 1,
            id: if format {
                Id {
                    n: at(2),
                    ..Id::default()
                }
            } else {
                Id {
                    c: at(2),
                    h: at(3),
                    r: at(4),
                    n: at(5),
                }
            },
            end_of_track: if format { at(3) } else { at(6) },
            last: if format { at(5) } else { at(8) },
            gap: if format { at(4) } else { at(7) },
            stage: Stage::HeadLoading,
            st1: St1::empty(),
            st2: St2::empty(),
            // FORMAT TRACK keeps its own N here: the length of the data fields.
            sector_id: Id {
                n: if format { at(2) } else { 0 },
                ..Id::default()
            },
            sector_index: 0,
            sector_lba: None,
            data_at: VirtTime::ZERO,
            buffer: Vec::new(),
            position: 0,
            limit: 0,
            taken: 0,
            terminal_count: false,
            sectors: match command {
                Command::Verify if at(1) & VERIFY_EC != 0 => match at(8) {
                    0 => 256,
                    n => n.into(),
                },
                _ => 0,
            },
            ids: Vec::new(),
            order: 0,
        }
    }

    pub(super) fn validate(&self) -> Result<(), &'static str> {
        let len = self.buffer.len();
        if len > SECTOR_MAX
            || self.position as usize > len
            || self.limit as usize > SECTOR_MAX
            || self.taken > self.limit
            || self.ids.len() > 256
            || self.head > 1
        {
            return Err("the floppy controller's transfer is out of bounds");
        }
        Ok(())
    }

    /// Whether data bytes pass at the moment.
    pub(super) fn passes_data(&self) -> bool {
        matches!(
            self.stage,
            Stage::Data | Stage::SectorEnd | Stage::FormatSector
        )
    }

    fn passing(&self) -> Passing {
        Passing {
            id: self.sector_id,
            index: self.sector_index as usize,
            at: VirtTime::ZERO,
            lba: self.sector_lba,
        }
    }

    fn mfm(&self) -> bool {
        self.flags & MFM != 0
    }

    /// Whether the host takes the data.
    fn host_reads(&self) -> bool {
        matches!(
            self.command,
            Command::ReadData | Command::ReadDeletedData | Command::ReadTrack
        )
    }
}

impl I82077aa {
    fn fifo_capacity(&self) -> usize {
        if self.state.configure.contains(Configure::FIFO_DISABLE) {
            1
        } else {
            FIFO_BYTES
        }
    }

    fn threshold(&self) -> usize {
        usize::from((self.state.configure & Configure::THRESHOLD).bits()) + 1
    }

    /// When the chip asks the host for service (section 4.2).
    fn update_request(&mut self) {
        let (capacity, threshold) = (self.fifo_capacity(), self.threshold());
        let s = &mut self.state;
        let Some(e) = &s.execution else {
            s.requesting = false;
            return;
        };
        let full = s.fifo.len();
        s.requesting = if e.terminal_count {
            false
        } else if e.command == Command::FormatTrack {
            e.taken < e.limit
        } else if e.host_reads() {
            let sector_done = e.position >= e.limit;
            let wanted = if capacity == 1 {
                1
            } else {
                (FIFO_BYTES - threshold).max(1)
            };
            full > 0 && (s.requesting || sector_done || full >= wanted)
        } else if e.command.host_writes() && e.taken < e.limit {
            let low = if capacity == 1 { 0 } else { threshold };
            full < capacity && (s.requesting || full <= low)
        } else {
            false
        };
    }

    /// The host reads a byte of data.
    pub(super) fn give_byte(&mut self) -> u8 {
        let s = &mut self.state;
        let reads = s.execution.as_ref().is_some_and(Execution::host_reads);
        let value = if reads && !s.fifo.is_empty() {
            s.fifo.remove(0)
        } else {
            0xFF
        };
        self.update_request();
        value
    }

    /// The host writes a byte of data.
    pub(super) fn take_byte(&mut self, value: u8) {
        let capacity = self.fifo_capacity();
        let s = &mut self.state;
        if let Some(e) = &mut s.execution
            && e.command.host_writes()
            && e.taken < e.limit
            && !e.terminal_count
        {
            if e.command == Command::FormatTrack {
                e.buffer.push(value);
                e.taken += 1;
            } else if s.fifo.len() < capacity {
                s.fifo.push(value);
                e.taken += 1;
            }
        }
        self.update_request();
    }

    /// The host says that this was the last byte.
    pub(super) fn terminal_count(&mut self, cx: &mut Cx<'_>) {
        let rate = self.rate();
        let Some(e) = &mut self.state.execution else {
            return;
        };
        e.terminal_count = true;
        if e.host_reads() {
            self.state.fifo.clear();
            if e.stage == Stage::Data {
                // The rest of the sector passes and its CRC is checked.
                e.stage = Stage::SectorEnd;
                let rest = e.buffer.len() as u64 + DATA_CRC_BYTES;
                cx.arm(
                    TIMER_EXECUTION,
                    e.data_at.plus_ns(byte_clock(rate).ns_of(rest)),
                );
            }
        }
        self.update_request();
    }

    /// After any transfer with the host: a command whose last bytes are taken is over.
    pub(super) fn after_transfer(&mut self, cx: &mut Cx<'_>) {
        let drained = self.state.fifo.is_empty();
        if let Some(e) = &self.state.execution
            && e.stage == Stage::Draining
            && (drained || e.terminal_count)
        {
            let tc = e.terminal_count;
            self.end_of_sector(tc, cx);
        }
    }

    /// The head is where it is; the implied seek comes first (section 5.1 and CONFIGURE).
    pub(super) fn begin_execution(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now();
        let step_ns = self.step_ns();
        let s = &mut self.state;
        let Some(e) = &mut s.execution else {
            return;
        };
        let drive = usize::from(e.drive);
        let seeks = (s.configure.contains(Configure::IMPLIED_SEEK) || !s.rate_selected)
            && !matches!(e.command, Command::ReadId | Command::FormatTrack);
        let steps = i16::from(e.id.c) - i16::from(s.pcn[drive]);
        if seeks && steps != 0 {
            e.stage = Stage::Seeking;
            s.drive_busy[drive] = true;
            let time = u64::from(steps.unsigned_abs()).saturating_mul(step_ns);
            cx.arm(TIMER_EXECUTION, now.plus_ns(time));
        } else {
            self.load_head(cx);
        }
    }

    fn load_head(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now();
        let loaded = now < self.state.head_loaded_until;
        let units = match u64::from(self.state.specify[1] >> 1) {
            0 => 128,
            n => n,
        };
        let time = units * self.rate().scale_ns(HEAD_LOAD_UNIT_NS);
        if let Some(e) = &mut self.state.execution {
            e.stage = Stage::HeadLoading;
        }
        let at = if loaded { now } else { now.plus_ns(time) };
        cx.arm(TIMER_EXECUTION, at);
    }

    /// Disk, drive or data rate changed under a running command: it looks again.
    pub(super) fn look_again(&mut self, cx: &mut Cx<'_>) {
        if let Some(e) = &self.state.execution
            && !matches!(
                e.stage,
                Stage::Seeking | Stage::HeadLoading | Stage::Draining
            )
        {
            self.state.fifo.clear();
            self.search(cx);
        }
    }

    /// Finds what the command wants on the track and arms the timer for it.
    fn search(&mut self, cx: &mut Cx<'_>) {
        let (now, rate) = (cx.now(), self.rate());
        let Some(mut e) = self.state.execution.take() else {
            return;
        };
        e.buffer.clear();
        e.position = 0;
        e.taken = 0;
        e.limit = 0;
        // What an earlier look, before the disk was changed, had found.
        e.st1 -= St1::MISSING_ADDRESS_MARK;
        e.st2 -= St2::WRONG_CYLINDER | St2::BAD_CYLINDER;
        if e.command != Command::ReadTrack {
            e.st1 -= St1::NO_DATA;
        }
        let clock = byte_clock(rate);
        let mut at = None;
        let mut protected = false;
        e.stage = Stage::Still;
        if let Some(look) = self.look()
            && let Some(from) = look.turning_from(now)
        {
            protected = look.medium.as_ref().is_some_and(|m| m.backend.read_only());
            if e.command == Command::FormatTrack {
                e.stage = Stage::FormatIndex;
                e.ids.clear();
                e.limit = 4;
                at = Some(look.index_after(from, 0));
            } else {
                match look.track(e.head, rate, e.mfm()) {
                    Track::Still => {}
                    Track::Unreadable => {
                        e.st1 |= St1::MISSING_ADDRESS_MARK;
                        e.stage = Stage::Failing;
                        at = Some(look.index_after(from, 1));
                    }
                    Track::Sectors(sectors) => {
                        let passing = look.passing(&sectors, rate, from);
                        let found = match e.command {
                            Command::ReadId => passing.first(),
                            Command::ReadTrack => {
                                passing.iter().find(|p| p.index == usize::from(e.sectors))
                            }
                            _ => passing.iter().find(|p| p.id == e.id),
                        };
                        if let Some(p) = found {
                            e.sector_id = p.id;
                            e.sector_index = p.index as u32;
                            e.sector_lba = p.lba;
                            let id_end = p.at.plus_ns(clock.ns_of(ID_FIELD_BYTES));
                            e.data_at =
                                p.at.plus_ns(clock.ns_of(ID_FIELD_BYTES + ID_TO_DATA_BYTES));
                            e.limit = match (p.id.n, e.last) {
                                // With N = 0, DTL is the number of bytes (section 5.1.1).
                                (0, n) => u32::from(n).min(128),
                                _ => p.id.data_bytes() as u32,
                            };
                            (e.stage, at) = if e.command == Command::ReadId {
                                (Stage::Identifying, Some(id_end))
                            } else {
                                (Stage::Approaching, Some(e.data_at))
                            };
                        } else {
                            e.st1 |= if e.command == Command::ReadTrack {
                                St1::MISSING_ADDRESS_MARK
                            } else {
                                St1::NO_DATA
                            };
                            if let Some((id, _)) = sectors.iter().find(|s| s.0.c != e.id.c) {
                                e.st2 |= if id.c == 0xFF {
                                    St2::BAD_CYLINDER
                                } else {
                                    St2::WRONG_CYLINDER
                                };
                            }
                            e.stage = Stage::Failing;
                            at = Some(look.index_after(from, 1));
                        }
                    }
                }
            }
        }
        let records = e.command.records();
        self.state.execution = Some(e);
        if records && protected {
            return self.fail(St0::ABNORMAL, St1::NOT_WRITABLE, St2::empty(), cx);
        }
        match at {
            Some(at) => cx.arm(TIMER_EXECUTION, at),
            None => cx.disarm(TIMER_EXECUTION),
        }
        self.state.requesting = false;
        self.update_request();
    }

    /// The execution timer.
    pub(super) fn execution_event(&mut self, cx: &mut Cx<'_>) {
        let rate = self.rate();
        let Some(e) = &mut self.state.execution else {
            return;
        };
        match e.stage {
            Stage::Seeking => {
                let drive = usize::from(e.drive);
                let steps = i16::from(e.id.c) - i16::from(self.state.pcn[drive]);
                self.state.pcn[drive] = e.id.c;
                self.state.drive_busy[drive] = false;
                self.step(steps);
                self.load_head(cx);
            }
            Stage::HeadLoading => self.search(cx),
            Stage::Still | Stage::Draining => {}
            Stage::Failing => {
                self.fail(St0::ABNORMAL, St1::empty(), St2::empty(), cx);
            }
            Stage::Identifying => {
                e.id = e.sector_id;
                self.finish(St0::empty(), cx);
            }
            Stage::Approaching => self.data_field(cx),
            Stage::Data => self.data_byte(cx),
            Stage::SectorEnd => self.sector_passed(cx),
            Stage::FormatIndex => {
                e.stage = Stage::FormatSector;
                e.data_at = cx.now();
                if e.end_of_track == 0 {
                    e.stage = Stage::FormatEnd;
                    let end = self.look().map(|l| l.index_after(cx.now(), 0));
                    cx.arm(TIMER_EXECUTION, end.unwrap_or(cx.now()));
                } else {
                    let first = byte_clock(rate).ns_of(TRACK_PREAMBLE_BYTES);
                    cx.arm(TIMER_EXECUTION, cx.now().plus_ns(first));
                }
            }
            Stage::FormatSector => self.format_sector(cx),
            Stage::FormatEnd => self.format_end(cx),
        }
    }

    /// The data field begins to pass.
    fn data_field(&mut self, cx: &mut Cx<'_>) {
        let Some(e) = &self.state.execution else {
            return;
        };
        let (command, head, flags, passing) = (e.command, e.head, e.flags, e.passing());
        let wanted = e.id;
        let mut mark_differs = false;
        let buffer = if command.records() {
            vec![0; passing.id.data_bytes()]
        } else {
            let Some((data, deleted)) = self.look().and_then(|mut l| l.read_sector(head, &passing))
            else {
                // The host cannot read the sector: to the guest its CRC is wrong.
                return self.fail(St0::ABNORMAL, St1::DATA_ERROR, St2::DATA_ERROR_IN_DATA, cx);
            };
            mark_differs = deleted != (command == Command::ReadDeletedData);
            data
        };
        let Some(e) = &mut self.state.execution else {
            return;
        };
        e.limit = e.limit.min(buffer.len() as u32);
        e.buffer = buffer;
        if command == Command::ReadTrack {
            if passing.id != wanted {
                e.st1 |= St1::NO_DATA;
            }
        } else if mark_differs {
            e.st2 |= St2::CONTROL_MARK;
            if flags & SK != 0 {
                // Tables 5-4 and 5-5: the sector is skipped.
                return self.next_sector(false, cx);
            }
        }
        let Some(e) = &mut self.state.execution else {
            return;
        };
        e.order = 0;
        e.stage = Stage::Data;
        if command == Command::Verify {
            e.stage = Stage::SectorEnd;
        }
        self.arm_data(cx);
        self.update_request();
    }

    /// Arms the timer for the next byte, or for the end of the sector.
    fn arm_data(&mut self, cx: &mut Cx<'_>) {
        let clock = byte_clock(self.rate());
        if let Some(e) = &self.state.execution {
            let bytes = if e.stage == Stage::Data {
                u64::from(e.position) + 1
            } else {
                e.buffer.len() as u64 + DATA_CRC_BYTES
            };
            cx.arm(TIMER_EXECUTION, e.data_at.plus_ns(clock.ns_of(bytes)));
        }
    }

    /// A byte of the data field has passed.
    fn data_byte(&mut self, cx: &mut Cx<'_>) {
        let capacity = self.fifo_capacity();
        let s = &mut self.state;
        let Some(e) = &mut s.execution else {
            return;
        };
        let position = e.position as usize;
        let with_host = e.position < e.limit;
        let (host_reads, scan) = (e.host_reads(), e.command.is_scan());
        let mut overrun = false;
        if let Some(slot) = e.buffer.get_mut(position) {
            if host_reads {
                if with_host && !e.terminal_count {
                    if s.fifo.len() < capacity {
                        s.fifo.push(*slot);
                    } else {
                        overrun = true;
                    }
                }
            } else if with_host {
                // After terminal count zeros are written (section 5.1.3).
                let byte = if !s.fifo.is_empty() {
                    Some(s.fifo.remove(0))
                } else {
                    e.terminal_count.then_some(0)
                };
                match byte {
                    None => overrun = true,
                    Some(b) if !scan => *slot = b,
                    // FFh on either side matches anything.
                    Some(b) if b == 0xFF || *slot == 0xFF || e.order != 0 => {}
                    Some(b) => {
                        e.order = match (*slot).cmp(&b) {
                            Ordering::Less => -1,
                            Ordering::Equal => 0,
                            Ordering::Greater => 1,
                        }
                    }
                }
            }
        }
        if overrun {
            return self.fail(St0::ABNORMAL, St1::OVERRUN, St2::empty(), cx);
        }
        e.position = e.position.saturating_add(1);
        if e.position as usize >= e.buffer.len() {
            e.stage = Stage::SectorEnd;
        }
        self.arm_data(cx);
        self.update_request();
    }

    /// The sector and its CRC have passed.
    fn sector_passed(&mut self, cx: &mut Cx<'_>) {
        let Some(e) = &mut self.state.execution else {
            return;
        };
        let (head, passing) = (e.head, e.passing());
        if e.command.records() {
            let data = std::mem::take(&mut e.buffer);
            let deleted = e.command == Command::WriteDeletedData;
            let written = self
                .look()
                .map(|mut l| l.write_sector(head, &passing, &data, deleted));
            match written {
                Some(Err(error)) => return self.write_failed(&error, cx),
                Some(Ok(())) => {}
                // The drive went away: the sector is not written.
                None => return self.search(cx),
            }
        }
        let Some(e) = &self.state.execution else {
            return;
        };
        let tc = e.terminal_count;
        if e.host_reads() && !tc && !self.state.fifo.is_empty() && self.is_last_sector() {
            if let Some(e) = &mut self.state.execution {
                e.stage = Stage::Draining;
            }
            cx.disarm(TIMER_EXECUTION);
            return self.update_request();
        }
        self.end_of_sector(tc, cx);
    }

    fn write_failed(&mut self, error: &BlockError, cx: &mut Cx<'_>) {
        tracing::warn!(target: "i82077aa", "write to a floppy image failed: {error}");
        match error {
            BlockError::ReadOnly => {
                self.fail(St0::ABNORMAL, St1::NOT_WRITABLE, St2::empty(), cx);
            }
            // The host cannot keep the data: the drive reports a fault.
            _ => self.fail(
                St0::ABNORMAL | St0::EQUIPMENT_CHECK,
                St1::empty(),
                St2::empty(),
                cx,
            ),
        }
    }

    /// Whether the command ends with the present sector even without terminal count.
    fn is_last_sector(&self) -> bool {
        let Some(e) = &self.state.execution else {
            return true;
        };
        if e.command == Command::ReadTrack {
            return e.sectors.saturating_add(1) >= u16::from(e.end_of_track);
        }
        let other_side = e.flags & MT != 0 && e.head == 0;
        (e.st2.contains(St2::CONTROL_MARK) && e.flags & SK == 0)
            || (e.id.r == e.end_of_track && !other_side)
    }

    /// Decides how to go on behind a sector.
    fn end_of_sector(&mut self, tc: bool, cx: &mut Cx<'_>) {
        let Some(e) = &mut self.state.execution else {
            return;
        };
        if e.command.is_scan() {
            let satisfied = match e.command {
                Command::ScanEqual => e.order == 0,
                Command::ScanLowOrEqual => e.order <= 0,
                _ => e.order >= 0,
            };
            if satisfied {
                e.st2.set(St2::SCAN_EQUAL_HIT, e.order == 0);
                return self.finish(St0::empty(), cx);
            }
            if tc {
                e.st2 |= St2::SCAN_NOT_SATISFIED;
                return self.finish(St0::empty(), cx);
            }
        }
        // Tables 5-4 and 5-5: behind a sector of the other kind nothing is looked for, and the address stays.
        let deleted = e.st2.contains(St2::CONTROL_MARK) && e.flags & SK == 0;
        if deleted && e.command != Command::ReadTrack {
            return self.finish(St0::empty(), cx);
        }
        let mut tc = tc;
        if e.command == Command::Verify && e.sectors > 0 {
            e.sectors -= 1;
            tc = e.sectors == 0;
        }
        self.next_sector(tc, cx);
    }

    /// Moves the address to the next sector (table 5-6); ends the command if this was the last.
    fn next_sector(&mut self, tc: bool, cx: &mut Cx<'_>) {
        let Some(e) = &mut self.state.execution else {
            return;
        };
        if e.command == Command::ReadTrack {
            e.sectors = e.sectors.saturating_add(1);
            e.id.r = e.id.r.wrapping_add(1);
            if tc || e.sectors >= u16::from(e.end_of_track) {
                return self.finish(St0::empty(), cx);
            }
            return self.search(cx);
        }
        // STP: scans may look at every second sector.
        let stride = match e.command.is_scan() {
            true if e.last == 2 => 2,
            _ => 1,
        };
        let next = u16::from(e.id.r) + stride;
        let past = if e.command.is_scan() {
            next > u16::from(e.end_of_track)
        } else {
            e.id.r == e.end_of_track
        };
        if !past {
            e.id.r = next as u8;
            return match tc {
                true => self.finish(St0::empty(), cx),
                false => self.search(cx),
            };
        }
        let other_side = e.flags & MT != 0 && e.head == 0;
        if !other_side && e.command.is_scan() {
            e.st2 |= St2::SCAN_NOT_SATISFIED;
            return self.finish(St0::empty(), cx);
        }
        e.id.r = 1;
        if e.flags & MT != 0 {
            e.id.h ^= 1;
        }
        if other_side {
            if !tc {
                e.head = 1;
                self.state.head = 1;
                return self.search(cx);
            }
        } else {
            e.id.c = e.id.c.wrapping_add(1);
        }
        let counted = tc || (e.command == Command::Verify && e.sectors == 0);
        if counted {
            self.finish(St0::empty(), cx);
        } else {
            self.fail(St0::ABNORMAL, St1::END_OF_CYLINDER, St2::empty(), cx);
        }
    }

    /// FORMAT TRACK is at a sector's place: its four bytes must have come.
    fn format_sector(&mut self, cx: &mut Cx<'_>) {
        let clock = byte_clock(self.rate());
        let now = cx.now();
        let Some(e) = &mut self.state.execution else {
            return;
        };
        let Some(&[c, h, r, n]) = e.buffer.first_chunk::<4>() else {
            return self.fail(St0::ABNORMAL, St1::OVERRUN, St2::empty(), cx);
        };
        e.ids.push(Id { c, h, r, n });
        e.id = Id { c, h, r, n };
        e.buffer.clear();
        e.taken = 0;
        // The data field is as long as the command's N says.
        let size = 128u64 << (self.state.execution.as_ref().map_or(0, |e| e.sector_id.n) & 7);
        let Some(e) = &mut self.state.execution else {
            return;
        };
        let slot = ID_FIELD_BYTES + ID_TO_DATA_BYTES + size + DATA_CRC_BYTES + u64::from(e.gap);
        let next = now.plus_ns(clock.ns_of(slot));
        let done = e.terminal_count || e.ids.len() >= usize::from(e.end_of_track);
        let started = e.data_at;
        let end = self.look().map_or(now, |l| l.index_after(started, 0));
        let Some(e) = &mut self.state.execution else {
            return;
        };
        if done || next >= end {
            e.stage = Stage::FormatEnd;
            e.limit = 0;
            cx.arm(TIMER_EXECUTION, end.max(now));
        } else {
            cx.arm(TIMER_EXECUTION, next);
        }
        self.update_request();
    }

    fn format_end(&mut self, cx: &mut Cx<'_>) {
        let rate = self.rate();
        let Some(e) = &self.state.execution else {
            return;
        };
        let (head, mfm, fill, ids) = (e.head, e.mfm(), e.last, e.ids.clone());
        let written = self
            .look()
            .map(|mut l| l.format(head, rate, mfm, &ids, fill));
        match written {
            Some(Err(error)) => self.write_failed(&error, cx),
            _ => self.finish(St0::empty(), cx),
        }
    }

    fn fail(&mut self, st0: St0, st1: St1, st2: St2, cx: &mut Cx<'_>) {
        if let Some(e) = &mut self.state.execution {
            e.st1 |= st1;
            e.st2 |= st2;
        }
        self.finish(st0, cx);
    }

    /// Enters the result phase.
    fn finish(&mut self, st0: St0, cx: &mut Cx<'_>) {
        cx.disarm(TIMER_EXECUTION);
        let Some(e) = self.state.execution.take() else {
            return;
        };
        self.state.fifo.clear();
        self.state.requesting = false;
        let units = match u64::from(self.state.specify[0] & 0x0F) {
            0 => 16,
            n => n,
        };
        let unload = units * self.rate().scale_ns(HEAD_UNLOAD_UNIT_NS);
        self.state.head_loaded_until = cx.now().plus_ns(unload);
        let st0 = st0.bits() | (e.head << 2) | e.drive;
        self.result_with_interrupt(&[
            st0,
            e.st1.bits(),
            e.st2.bits(),
            e.id.c,
            e.id.h,
            e.id.r,
            e.id.n,
        ]);
        debug_assert_eq!(self.state.phase, Phase::Result);
    }
}
