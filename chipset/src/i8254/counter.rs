//! One counter of an 8254, advanced by any number of clock pulses at once.
//!
//! Between two *transitions* (a load, a terminal count, a change of OUT) the counting element only counts down,
//! so a counter computes how many pulses lie before the next transition and jumps there.

use super::spec::{self, Access, Mode};
use serde::{Deserialize, Serialize};

/// One counter. The names CR, CE, OL and null count are the datasheet's (section "Counter 0, 1, 2").
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Counter {
    /// Bits 5-0 of the last control word.
    control: u8,
    mode: Mode,
    access: Access,
    /// CR: the count register as written.
    cr: u16,
    /// CE: the counting element, in binary also where it counts in decimal.
    ce: u32,
    /// The count in CE was loaded from an odd CR (mode 3).
    odd: bool,
    out: bool,
    gate: bool,
    /// CE goes on counting (as far as GATE lets it).
    counting: bool,
    /// A count was written since the control word.
    written: bool,
    /// The next pulse loads CE.
    load: bool,
    /// GATE rose: the next pulse loads CE.
    trigger: bool,
    /// The next zero strobes OUT (modes 4 and 5).
    strobe_armed: bool,
    null_count: bool,
    /// First byte of a two-byte count.
    low_written: Option<u8>,
    /// The next read gives the second byte of two.
    read_high: bool,
    /// OL, while latched.
    latched_count: Option<u16>,
    latched_status: Option<u8>,
}

impl Counter {
    pub(super) fn new(gate: bool) -> Self {
        Self {
            control: 0x30,
            mode: Mode::InterruptOnTerminalCount,
            access: Access::LowThenHigh,
            cr: 0,
            ce: 0,
            odd: false,
            out: false,
            gate,
            counting: false,
            written: false,
            load: false,
            trigger: false,
            strobe_armed: false,
            null_count: true,
            low_written: None,
            read_high: false,
            latched_count: None,
            latched_status: None,
        }
    }

    pub(super) fn valid(&self) -> bool {
        self.ce < self.modulus() && (self.mode != Mode::SquareWave || self.ce.is_multiple_of(2))
    }

    pub(super) fn out(&self) -> bool {
        self.out
    }

    fn bcd(&self) -> bool {
        self.control & spec::CONTROL_BCD != 0
    }

    fn modulus(&self) -> u32 {
        if self.bcd() { 10_000 } else { 0x1_0000 }
    }

    /// CR as a number of pulses: zero is the largest count.
    fn initial_count(&self) -> u32 {
        let n = if self.bcd() {
            from_bcd(self.cr)
        } else {
            self.cr.into()
        };
        match n % self.modulus() {
            0 => self.modulus(),
            n => n,
        }
    }

    /// CE as it reads.
    fn count(&self) -> u16 {
        if self.bcd() {
            to_bcd(self.ce)
        } else {
            self.ce as u16
        }
    }

    /// Whether GATE lets CE count.
    fn enabled(&self) -> bool {
        let gated = match self.mode {
            Mode::HardwareRetriggerableOneShot | Mode::HardwareTriggeredStrobe => true,
            _ => self.gate,
        };
        self.counting && gated
    }

    /// CE counts down, `pulses` times, without reaching anything.
    fn count_down(&mut self, pulses: u64) {
        if !self.enabled() {
            return;
        }
        let step = if self.mode == Mode::SquareWave { 2 } else { 1 };
        let modulus = u64::from(self.modulus());
        let down = (pulses % modulus) * step % modulus;
        self.ce = ((u64::from(self.ce) + modulus - down) % modulus) as u32;
    }

    /// Pulses until CE has come down to `target`, at least one.
    fn pulses_to(&self, target: u32) -> u64 {
        let modulus = self.modulus();
        match (self.ce + modulus - target) % modulus {
            0 => modulus.into(),
            n => n.into(),
        }
    }

    /// In how many pulses (1 is the next one) something else than counting down happens.
    fn next_transition(&self) -> Option<u64> {
        if self.load || self.trigger {
            return Some(1);
        }
        if !self.out
            && matches!(
                self.mode,
                Mode::SoftwareTriggeredStrobe | Mode::HardwareTriggeredStrobe
            )
        {
            return Some(1);
        }
        if !self.enabled() {
            return None;
        }
        match self.mode {
            Mode::InterruptOnTerminalCount | Mode::HardwareRetriggerableOneShot => {
                (!self.out).then(|| self.pulses_to(0))
            }
            Mode::RateGenerator if self.ce == 1 => Some(1),
            Mode::RateGenerator => Some(self.pulses_to(1)),
            Mode::SquareWave => Some(match (self.odd, self.out) {
                (true, true) => u64::from(self.ce) / 2 + 1,
                (true, false) => u64::from(self.ce / 2).max(1),
                (false, _) => self.pulses_to(0) / 2,
            }),
            Mode::SoftwareTriggeredStrobe | Mode::HardwareTriggeredStrobe => {
                self.strobe_armed.then(|| self.pulses_to(0))
            }
        }
    }

    /// In how many pulses OUT may change next. Sometimes it does not: then ask again.
    pub(super) fn next_output_change(&self) -> Option<u64> {
        self.next_transition()
    }

    fn load_ce(&mut self) {
        let n = self.initial_count();
        self.odd = n % 2 == 1;
        let n = match self.mode {
            Mode::SquareWave => n & !1,
            _ => n,
        };
        self.ce = n % self.modulus();
        self.load = false;
        self.trigger = false;
        self.counting = true;
        self.null_count = false;
        self.strobe_armed = true;
    }

    /// The pulse that [`Self::next_transition`] announced.
    fn transition(&mut self) {
        if self.load || self.trigger {
            self.load_ce();
            self.out = match self.mode {
                Mode::InterruptOnTerminalCount | Mode::HardwareRetriggerableOneShot => false,
                Mode::RateGenerator => self.ce != 1,
                _ => true,
            };
            return;
        }
        match self.mode {
            Mode::InterruptOnTerminalCount | Mode::HardwareRetriggerableOneShot => {
                self.ce = 0;
                self.out = true;
            }
            Mode::RateGenerator if self.ce == 1 => {
                self.load_ce();
                self.out = self.ce != 1;
            }
            Mode::RateGenerator => {
                self.ce = 1;
                self.out = false;
            }
            Mode::SquareWave => {
                self.out = !self.out;
                self.load_ce();
            }
            Mode::SoftwareTriggeredStrobe | Mode::HardwareTriggeredStrobe if self.out => {
                self.ce = 0;
                self.out = false;
                self.strobe_armed = false;
            }
            Mode::SoftwareTriggeredStrobe | Mode::HardwareTriggeredStrobe => {
                self.count_down(1);
                self.out = true;
            }
        }
    }

    /// `pulses` clock pulses pass.
    pub(super) fn advance(&mut self, mut pulses: u64) {
        while pulses > 0 {
            match self.next_transition() {
                Some(n) if n <= pulses => {
                    self.count_down(n - 1);
                    self.transition();
                    pulses -= n;
                    self.skip_periods(&mut pulses);
                }
                _ => {
                    self.count_down(pulses);
                    return;
                }
            }
        }
    }

    /// Modes 2 and 3 repeat: behind a reload, whole periods change nothing.
    fn skip_periods(&self, pulses: &mut u64) {
        let repeats = matches!(self.mode, Mode::RateGenerator | Mode::SquareWave)
            && self.enabled()
            && !self.null_count;
        if repeats {
            let period = match (self.mode, self.initial_count()) {
                (Mode::SquareWave, 1) => 2,
                (_, n) => n,
            };
            *pulses %= u64::from(period);
        }
    }

    pub(super) fn set_gate(&mut self, high: bool) {
        if self.gate == high {
            return;
        }
        self.gate = high;
        match self.mode {
            Mode::InterruptOnTerminalCount | Mode::SoftwareTriggeredStrobe => {}
            Mode::RateGenerator | Mode::SquareWave if !high => self.out = true,
            _ => self.trigger |= high && self.written,
        }
    }

    /// A control word for this counter that is no latch command.
    pub(super) fn program(&mut self, word: u8, access: Access) {
        let shown = self.count();
        *self = Self {
            control: word & spec::CONTROL_BITS,
            mode: Mode::decode(word),
            access,
            ..Self::new(self.gate)
        };
        self.out = self.mode != Mode::InterruptOnTerminalCount;
        let kept = if self.bcd() {
            from_bcd(shown) % self.modulus()
        } else {
            shown.into()
        };
        self.ce = match self.mode {
            Mode::SquareWave => kept & !1,
            _ => kept,
        };
    }

    pub(super) fn write(&mut self, byte: u8) {
        let cr = match (self.access, self.low_written) {
            (Access::Low, _) => byte.into(),
            (Access::High, _) => u16::from(byte) << 8,
            (Access::LowThenHigh, None) => {
                self.low_written = Some(byte);
                if self.mode == Mode::InterruptOnTerminalCount {
                    self.counting = false;
                    self.load = false;
                    self.out = false;
                }
                return;
            }
            (Access::LowThenHigh, Some(low)) => u16::from_le_bytes([low, byte]),
        };
        self.low_written = None;
        self.cr = cr;
        self.written = true;
        self.null_count = true;
        match self.mode {
            Mode::InterruptOnTerminalCount => {
                self.out = false;
                self.load = true;
            }
            Mode::SoftwareTriggeredStrobe => self.load = true,
            Mode::RateGenerator | Mode::SquareWave => self.load |= !self.counting,
            Mode::HardwareRetriggerableOneShot | Mode::HardwareTriggeredStrobe => {}
        }
    }

    pub(super) fn read(&mut self) -> u8 {
        if let Some(status) = self.latched_status.take() {
            return status;
        }
        let [low, high] = self.latched_count.unwrap_or(self.count()).to_le_bytes();
        let (byte, last) = match self.access {
            Access::Low => (low, true),
            Access::High => (high, true),
            Access::LowThenHigh => {
                self.read_high = !self.read_high;
                if self.read_high {
                    (low, false)
                } else {
                    (high, true)
                }
            }
        };
        if last {
            self.latched_count = None;
        }
        byte
    }

    /// Counter latch command: a count that is latched already stays.
    pub(super) fn latch_count(&mut self) {
        if self.latched_count.is_none() {
            self.latched_count = Some(self.count());
        }
    }

    pub(super) fn latch_status(&mut self) {
        if self.latched_status.is_none() {
            let out = if self.out { spec::STATUS_OUTPUT } else { 0 };
            let null = if self.null_count {
                spec::STATUS_NULL_COUNT
            } else {
                0
            };
            self.latched_status = Some(out | null | self.control);
        }
    }
}

fn from_bcd(raw: u16) -> u32 {
    (0..4)
        .rev()
        .fold(0, |n, digit| n * 10 + u32::from((raw >> (4 * digit)) & 0xF))
}

fn to_bcd(n: u32) -> u16 {
    let digit = |power: u32| (n / power % 10) as u16;
    digit(1000) << 12 | digit(100) << 8 | digit(10) << 4 | digit(1)
}
