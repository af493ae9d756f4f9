//! Where the beam is: the raster that the registers describe, in guest time.

use super::Registers;
use super::spec::{CLOCK_25_HZ, CLOCK_28_HZ, MiscOutput, dispi};
use emu_core::{Frequency, VirtTime};

/// Frames shorter than this do not each get an event of their own: a choice of ours, so that a raster of a few dots
/// cannot flood the board.
const SHORTEST_EVENT_NS: u64 = 2_000_000;

/// The raster of a mode.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Raster {
    dot_clock: Frequency,
    line_dots: u64,
    shown_dots: u64,
    total_lines: u64,
    shown_lines: u64,
    retrace_start: u64,
    retrace_lines: u64,
    retrace_runs: bool,
}

/// A place in a raster.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Beam {
    /// Frames completed since the raster began.
    pub frame: u64,
    /// Scan line, 0 the first that is shown.
    pub line: u64,
    /// Dot of the line, 0 the first that is shown.
    pub dot: u64,
}

impl Raster {
    /// The raster that registers describe.
    pub fn new(registers: &Registers) -> Self {
        if let Some(mode) = registers.dispi.mode() {
            let (line_dots, total_lines) = (
                u64::from(mode.width) + dispi::BLANKING.0,
                u64::from(mode.height) + dispi::BLANKING.1,
            );
            return Self {
                dot_clock: Frequency::hz(dispi::FRAME_HZ * line_dots * total_lines),
                line_dots,
                shown_dots: mode.width.into(),
                total_lines,
                shown_lines: mode.height.into(),
                retrace_start: u64::from(mode.height) + dispi::BLANKING.1 / 4,
                retrace_lines: 2,
                retrace_runs: true,
            };
        }
        let (crtc, sequencer) = (&registers.crtc, &registers.sequencer);
        let misc = registers.misc();
        let crystal = if misc.contains(MiscOutput::CLOCK_0) && !misc.contains(MiscOutput::CLOCK_1) {
            CLOCK_28_HZ
        } else {
            CLOCK_25_HZ
        };
        let character = sequencer.character_dots() as u64;
        Self {
            dot_clock: crystal.divided_by(sequencer.clocks_per_dot() as u64),
            line_dots: u64::from(crtc.horizontal_total()) * character,
            shown_dots: u64::from(crtc.columns()) * character,
            total_lines: crtc.vertical_total().into(),
            shown_lines: crtc.lines().into(),
            retrace_start: crtc.retrace_start().into(),
            retrace_lines: crtc.retrace_lines().into(),
            retrace_runs: crtc.retrace_runs(),
        }
    }

    fn frame_dots(&self) -> u64 {
        self.line_dots * self.total_lines
    }

    /// Where the beam is at `now` if the raster began at `epoch`.
    pub fn beam(&self, epoch: VirtTime, now: VirtTime) -> Beam {
        let dots = self.dot_clock.ticks_at(epoch, now);
        let in_frame = dots % self.frame_dots();
        Beam {
            frame: dots / self.frame_dots(),
            line: in_frame / self.line_dots,
            dot: in_frame % self.line_dots,
        }
    }

    /// Whether the beam is in the vertical retrace.
    pub fn in_retrace(&self, beam: &Beam) -> bool {
        // A retrace that begins late runs on into the next frame.
        self.retrace_happens()
            && (beam.line + self.total_lines - self.retrace_start) % self.total_lines
                < self.retrace_lines
    }

    /// Whether the vertical counter ever reaches the retrace.
    pub fn retrace_happens(&self) -> bool {
        self.retrace_runs && self.retrace_start < self.total_lines
    }

    /// Whether the beam draws the picture (else it is in the border, blanked or in retrace).
    pub fn shows(&self, beam: &Beam) -> bool {
        beam.line < self.shown_lines && beam.dot < self.shown_dots
    }

    /// The next beginning of a vertical retrace after `now` (of the frame's last line, if there is no retrace).
    pub fn next_retrace(&self, epoch: VirtTime, now: VirtTime) -> VirtTime {
        let line = self.retrace_start.min(self.total_lines - 1);
        let frame_ns = self.dot_clock.ns_of(self.frame_dots()).max(1);
        let step = SHORTEST_EVENT_NS.div_ceil(frame_ns);
        let at = |frame: u64| {
            let dots = frame.saturating_mul(self.frame_dots());
            let dots = dots.saturating_add(line * self.line_dots);
            self.dot_clock.time_of(epoch, dots)
        };
        let frame = self.beam(epoch, now).frame;
        (0..=2)
            .map(|n| at((frame / step).saturating_add(n).saturating_mul(step)))
            .find(|&t| t > now)
            .unwrap_or(VirtTime::NEVER)
    }

    /// How long a frame lasts, in nanoseconds, rounded up.
    pub fn frame_ns(&self) -> u64 {
        self.dot_clock.ns_of(self.frame_dots())
    }
}
