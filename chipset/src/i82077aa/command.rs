//! Command and result phases, seeks, and the commands that touch no track (sections 5.2 and 5.3).

use super::execution::Execution;
use super::spec::*;
use super::{DRIVE_NUMBERS, I82077aa, NO_STEP_NS, Phase, Seek, TIMER_SEEK};
use emu_core::Cx;

impl I82077aa {
    /// A byte of the command phase.
    pub(super) fn command_byte(&mut self, value: u8, cx: &mut Cx<'_>) {
        self.state.command.push(value);
        let Some(command) = Command::decode(self.state.command[0]) else {
            self.state.command.clear();
            return self.result(&[St0::INVALID.bits()]);
        };
        if self.state.command.len() >= command.bytes() {
            let bytes = std::mem::take(&mut self.state.command);
            self.execute(command, &bytes, cx);
        }
    }

    /// Enters the result phase without an interrupt.
    fn result(&mut self, bytes: &[u8]) {
        self.state.phase = Phase::Result;
        self.state.result = bytes.to_vec();
        self.state.result_read = 0;
    }

    /// Enters the result phase of a command that had an execution phase: with an interrupt.
    pub(super) fn result_with_interrupt(&mut self, bytes: &[u8]) {
        self.result(bytes);
        self.state.result_interrupt = true;
    }

    /// The time of one step.
    pub(super) fn step_ns(&self) -> u64 {
        let srt = u64::from(self.state.specify[0] >> 4);
        (16 - srt) * self.rate().scale_ns(STEP_UNIT_NS)
    }

    fn execute(&mut self, command: Command, bytes: &[u8], cx: &mut Cx<'_>) {
        let drive = usize::from(bytes.get(1).copied().unwrap_or(0) & 0b11);
        let head = bytes.get(1).copied().unwrap_or(0) >> 2 & 1;
        let s = &mut self.state;
        match command {
            Command::Specify => s.specify = [bytes[1], bytes[2]],
            Command::SenseDriveStatus => {
                s.head = head;
                let st3 = self.status_3(drive, head);
                self.result(&[st3]);
            }
            Command::SenseInterruptStatus => self.sense_interrupt(),
            Command::Recalibrate => {
                // Steps outwards until track 0, at most 79 times (section 5.2.2).
                let away = self.look().map_or(RECALIBRATE_STEPS, |l| l.state.cylinder);
                let steps = -i16::from(away.min(RECALIBRATE_STEPS));
                self.begin_seek(drive, steps, 0, true, cx);
            }
            Command::Seek => {
                s.head = head;
                let steps = i16::from(bytes[2]) - i16::from(s.pcn[drive]);
                self.begin_seek(drive, steps, bytes[2], false, cx);
            }
            Command::RelativeSeek => {
                s.head = head;
                let count = i16::from(bytes[2]);
                let (steps, pcn) = if bytes[0] & DIR != 0 {
                    (count, s.pcn[drive].wrapping_add(bytes[2]))
                } else {
                    (-count, s.pcn[drive].wrapping_sub(bytes[2]))
                };
                self.begin_seek(drive, steps, pcn, false, cx);
            }
            Command::Version => self.result(&[VERSION_ENHANCED]),
            Command::Configure => {
                // The second byte is 0.
                s.configure = Configure::from_bits_truncate(bytes[2]);
                s.precompensation_track = bytes[3];
            }
            Command::Lock => {
                s.lock = bytes[0] & LOCK != 0;
                let answer = u8::from(s.lock) << 4;
                self.result(&[answer]);
            }
            Command::PerpendicularMode => {
                let mask = if bytes[1] & PERPENDICULAR_OW != 0 {
                    0x3F
                } else {
                    0x03
                };
                s.perpendicular = (s.perpendicular & !mask) | (bytes[1] & mask);
            }
            Command::DumpReg => {
                let [a, b, c, d] = s.pcn;
                let answer = [
                    a,
                    b,
                    c,
                    d,
                    s.specify[0],
                    s.specify[1],
                    s.end_of_track,
                    (u8::from(s.lock) << 7) | s.perpendicular,
                    s.configure.bits(),
                    s.precompensation_track,
                ];
                self.result(&answer);
            }
            Command::ReadTrack
            | Command::WriteData
            | Command::ReadData
            | Command::WriteDeletedData
            | Command::ReadId
            | Command::ReadDeletedData
            | Command::FormatTrack
            | Command::ScanEqual
            | Command::Verify
            | Command::ScanLowOrEqual
            | Command::ScanHighOrEqual => {
                s.head = head;
                match command {
                    Command::FormatTrack => s.end_of_track = bytes[3],
                    Command::ReadId => {}
                    _ => s.end_of_track = bytes[6],
                }
                s.phase = Phase::Execution;
                s.fifo.clear();
                s.requesting = false;
                s.execution = Some(Execution::new(command, bytes));
                self.begin_execution(cx);
            }
        }
    }

    fn status_3(&mut self, drive: usize, head: u8) -> u8 {
        let mut st3 = St3::ALWAYS_1 | St3::from_bits_retain(drive as u8);
        st3.set(St3::HEAD, head != 0);
        if let Some(look) = self.look() {
            st3.set(St3::TRACK_0, look.state.cylinder == 0);
            let protected = look.medium.is_some_and(|m| m.backend.read_only());
            st3.set(St3::WRITE_PROTECTED, protected);
        }
        st3.bits()
    }

    /// Section 5.2.4. Without anything to report the command is invalid.
    fn sense_interrupt(&mut self) {
        let s = &mut self.state;
        let Some(drive) = (0..DRIVE_NUMBERS).find(|&n| s.pending[n].is_some()) else {
            return self.result(&[St0::INVALID.bits()]);
        };
        let st0 = s.pending[drive].take().unwrap_or(St0::INVALID);
        if st0.contains(St0::SEEK_END) {
            s.drive_busy[drive] = false;
        }
        s.poll_interrupt = false;
        let answer = [st0.bits(), s.pcn[drive]];
        self.result(&answer);
    }

    fn begin_seek(
        &mut self,
        drive: usize,
        steps: i16,
        pcn: u8,
        recalibrate: bool,
        cx: &mut Cx<'_>,
    ) {
        let time = match u64::from(steps.unsigned_abs()) {
            0 => NO_STEP_NS,
            n => n.saturating_mul(self.step_ns()),
        };
        self.state.drive_busy[drive] = true;
        self.state.pending[drive] = None;
        self.state.seeks[drive] = Some(Seek {
            steps,
            pcn,
            recalibrate,
        });
        cx.arm(TIMER_SEEK + drive as u16, cx.now().plus_ns(time));
    }

    /// Moves the selected drive's head; says whether track 0 stopped it.
    pub(super) fn step(&mut self, steps: i16) -> bool {
        let Some(look) = self.look() else {
            return false;
        };
        let wanted = i16::from(look.state.cylinder).saturating_add(steps);
        let last = i16::from(look.kind.last_cylinder());
        if steps != 0 && look.medium.is_some() {
            look.state.disk_change = false;
        }
        look.state.cylinder = wanted.clamp(0, last) as u8;
        wanted < 0
    }

    /// The last step of a seek is done.
    pub(super) fn seek_over(&mut self, drive: usize) {
        let Some(seek) = self.state.seeks.get_mut(drive).and_then(Option::take) else {
            return;
        };
        let stopped = self.step(seek.steps);
        let at_0 = self.look().is_some_and(|l| l.state.cylinder == 0);
        let mut st0 = St0::SEEK_END | St0::from_bits_retain(drive as u8);
        st0.set(St0::HEAD, self.state.head != 0 && !seek.recalibrate);
        let failed = if seek.recalibrate { !at_0 } else { stopped };
        if failed {
            st0 |= St0::EQUIPMENT_CHECK | St0::ABNORMAL;
        }
        self.state.pcn[drive] = if stopped { 0 } else { seek.pcn };
        self.state.pending[drive] = Some(st0);
    }
}
