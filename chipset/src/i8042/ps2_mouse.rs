//! The PS/2 mouse: IBM, "PS/2 Hardware Interface Technical Reference: Common Interfaces", section "Mouse"; its wheel
//! and side buttons as Microsoft, "Intellimouse" and "Explorer" hardware announce themselves (the sample rates 200,
//! 100, 80 and 200, 200, 80 in a row make a driver's Read Device Type give 3 and 4).
//!
//! At power-on the basic assurance test has passed already: completion code and type wait. Motion that does not
//! fit into one packet is told in the next ones, so the overflow bits are never set.

use emu_core::host::MouseEvent;
use emu_core::{Frequency, VirtTime};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The basic assurance test after a Reset command: 300 to 500 ms.
pub(super) const BAT_NS: u64 = 300_000_000;

const ACK: u8 = 0xFA;
const RESEND: u8 = 0xFE;
const ERROR: u8 = 0xFC;
const BAT_PASSED: u8 = 0xAA;

/// Sample rates that the mouse has; one that it has not is an invalid parameter.
const RATES: [u8; 7] = [10, 20, 40, 60, 80, 100, 200];
const DEFAULT_RATE: u8 = 100;
/// Resolution 0 to 3: 1, 2, 4, 8 counts per millimetre.
const DEFAULT_RESOLUTION: u8 = 2;
/// The sequences of rates that unlock the wheel and the side buttons.
const UNLOCK_WHEEL: [u8; 3] = [200, 100, 80];
const UNLOCK_BUTTONS: [u8; 3] = [200, 200, 80];

/// Motion that the mouse remembers: our choice, about a metre.
const MOTION_MAX: i32 = 1 << 14;

#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Awaiting {
    Rate,
    Resolution,
}

/// What packets hold: the type that Read Device Type gives.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Protocol {
    Standard = 0,
    Wheel = 3,
    Buttons5 = 4,
}

/// The mouse.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Ps2Mouse {
    protocol: Protocol,
    remote: bool,
    wrap: bool,
    reporting: bool,
    double_scaling: bool,
    resolution: u8,
    rate: u8,
    last_rates: [u8; 3],
    awaiting: Option<Awaiting>,
    /// The last byte was invalid: a second one is an error.
    invalid: bool,
    /// Motion not yet told, in quarters of a count at resolution 0 (host motion is at 4 counts per millimetre).
    x: i32,
    y: i32,
    /// Wheel detents towards the user.
    z: i32,
    buttons: u8,
    buttons_told: u8,
    answers: VecDeque<u8>,
    packet: VecDeque<u8>,
    /// The last answer or packet, for Resend.
    last_sent: Vec<u8>,
    /// No sample before.
    next_sample: VirtTime,
    bat_ends: Option<VirtTime>,
}

/// Room for an acknowledgement, three status bytes and a packet.
const QUEUE_BYTES_MAX: usize = 16;

impl Ps2Mouse {
    pub(super) fn new() -> Self {
        Self {
            protocol: Protocol::Standard,
            remote: false,
            wrap: false,
            reporting: false,
            double_scaling: false,
            resolution: DEFAULT_RESOLUTION,
            rate: DEFAULT_RATE,
            last_rates: [0; 3],
            awaiting: None,
            invalid: false,
            x: 0,
            y: 0,
            z: 0,
            buttons: 0,
            buttons_told: 0,
            answers: VecDeque::from([BAT_PASSED, 0]),
            packet: VecDeque::new(),
            last_sent: vec![BAT_PASSED, 0],
            next_sample: VirtTime::ZERO,
            bat_ends: None,
        }
    }

    pub(super) fn valid(&self) -> bool {
        let motion = -MOTION_MAX..=MOTION_MAX;
        self.resolution <= 3
            && RATES.contains(&self.rate)
            && self.answers.len() <= QUEUE_BYTES_MAX
            && self.packet.len() <= QUEUE_BYTES_MAX
            && self.last_sent.len() <= QUEUE_BYTES_MAX
            && [self.x, self.y, self.z].iter().all(|n| motion.contains(n))
    }

    pub(super) fn has_output(&self) -> bool {
        !self.answers.is_empty() || !self.packet.is_empty()
    }

    pub(super) fn send(&mut self) -> Option<u8> {
        self.answers.pop_front().or_else(|| self.packet.pop_front())
    }

    pub(super) fn deadline(&self) -> Option<VirtTime> {
        let sample =
            (self.streams() && self.has_news() && !self.has_output()).then_some(self.next_sample);
        [self.bat_ends, sample].into_iter().flatten().min()
    }

    fn streams(&self) -> bool {
        self.reporting && !self.remote && !self.wrap && self.bat_ends.is_none()
    }

    fn has_news(&self) -> bool {
        self.counts(self.x) != 0
            || self.counts(self.y) != 0
            || (self.z != 0 && self.protocol != Protocol::Standard)
            || self.buttons_shown() != self.buttons_told
    }

    fn buttons_shown(&self) -> u8 {
        match self.protocol {
            Protocol::Buttons5 => self.buttons & 0x1F,
            _ => self.buttons & 0x07,
        }
    }

    pub(super) fn tick(&mut self, now: VirtTime) {
        if self.bat_ends.is_some_and(|at| at <= now) {
            self.bat_ends = None;
            self.answer(&[BAT_PASSED, 0]);
        }
        if self.streams() && self.has_news() && !self.has_output() && self.next_sample <= now {
            let packet = self.sample(self.double_scaling);
            self.last_sent.clone_from(&packet);
            self.packet.extend(packet);
            let period = Frequency::hz(self.rate.into()).ns_of(1);
            self.next_sample = now.plus_ns(period);
        }
    }

    pub(super) fn moved(&mut self, event: MouseEvent) {
        let add = |sum: i32, n: i32| sum.saturating_add(n).clamp(-MOTION_MAX, MOTION_MAX);
        self.x = add(self.x, event.dx);
        self.y = add(self.y, event.dy);
        self.z = add(self.z, event.wheel.saturating_neg());
        self.buttons = event.buttons & 0x1F;
    }

    /// Whole counts at the present resolution.
    fn counts(&self, motion: i32) -> i32 {
        (motion << self.resolution) / (1 << DEFAULT_RESOLUTION)
    }

    /// Takes what one packet can tell of a direction.
    fn take_counts(&self, motion: i32) -> (i32, i32) {
        let told = self.counts(motion).clamp(-255, 255);
        let rest = motion - (told << DEFAULT_RESOLUTION) / (1 << self.resolution);
        (told, rest)
    }

    /// A data report; the counters start anew.
    fn sample(&mut self, double_scaling: bool) -> Vec<u8> {
        let (x, rest_x) = self.take_counts(self.x);
        let (y, rest_y) = self.take_counts(self.y);
        (self.x, self.y) = (rest_x, rest_y);
        let scale = |n: i32| {
            let scaled = match n.abs() {
                small @ 0..=1 => small,
                2 => 1,
                3 => 3,
                4 => 6,
                5 => 9,
                large => (2 * large).min(255),
            };
            if double_scaling {
                scaled * n.signum()
            } else {
                n
            }
        };
        let (x, y) = (scale(x), scale(y));
        self.buttons_told = self.buttons_shown();
        let signs = u8::from(x < 0) << 4 | u8::from(y < 0) << 5;
        let mut packet = vec![0x08 | signs | self.buttons & 7, x as u8, y as u8];
        match self.protocol {
            Protocol::Standard => self.z = 0,
            Protocol::Wheel => {
                let z = self.z.clamp(-8, 7);
                self.z -= z;
                packet.push(z as u8);
            }
            Protocol::Buttons5 => {
                let z = self.z.clamp(-8, 7);
                self.z -= z;
                packet.push(z as u8 & 0x0F | (self.buttons & 0x18) << 1);
            }
        }
        packet
    }

    fn answer(&mut self, bytes: &[u8]) {
        self.answers.clear();
        self.answers.extend(bytes);
        self.last_sent = bytes.to_vec();
    }

    fn set_defaults(&mut self) {
        self.remote = false;
        self.wrap = false;
        self.reporting = false;
        self.double_scaling = false;
        self.resolution = DEFAULT_RESOLUTION;
        self.rate = DEFAULT_RATE;
        self.forget_motion();
    }

    fn forget_motion(&mut self) {
        (self.x, self.y, self.z) = (0, 0, 0);
    }

    /// A byte from the system. It ends whatever the mouse was sending.
    pub(super) fn receive(&mut self, byte: u8, now: VirtTime) {
        self.packet.clear();
        if self.wrap && byte != 0xEC && byte != 0xFF {
            self.answer(&[byte]);
            return;
        }
        let taken = match self.awaiting.take() {
            Some(Awaiting::Rate) if RATES.contains(&byte) => {
                self.set_rate(byte);
                self.answer(&[ACK]);
                true
            }
            Some(Awaiting::Resolution) if byte <= 3 => {
                self.resolution = byte;
                self.answer(&[ACK]);
                true
            }
            Some(awaiting) if byte < 0xE6 => {
                // "An invalid parameter": the same command waits for the next byte once more.
                if !self.invalid {
                    self.awaiting = Some(awaiting);
                }
                false
            }
            _ => self.command(byte, now),
        };
        // A second invalid byte in a row is an error.
        let second = self.invalid;
        self.invalid = !taken && !second;
        if !taken {
            self.answer(&[if second { ERROR } else { RESEND }]);
        }
    }

    fn set_rate(&mut self, rate: u8) {
        self.rate = rate;
        self.last_rates = [self.last_rates[1], self.last_rates[2], rate];
        match (self.last_rates, self.protocol) {
            (UNLOCK_WHEEL, Protocol::Standard) => self.protocol = Protocol::Wheel,
            (UNLOCK_BUTTONS, Protocol::Wheel) => self.protocol = Protocol::Buttons5,
            _ => {}
        }
    }

    /// False if there is no such command.
    fn command(&mut self, byte: u8, now: VirtTime) -> bool {
        match byte {
            0xE6 => self.double_scaling = false,
            0xE7 => self.double_scaling = true,
            0xE8 => self.awaiting = Some(Awaiting::Resolution),
            0xE9 => {
                let b = self.buttons;
                let status = u8::from(self.remote) << 6
                    | u8::from(self.reporting) << 5
                    | u8::from(self.double_scaling) << 4
                    | (b & 1) << 2
                    | (b & 4) >> 1
                    | (b & 2) >> 1;
                self.answer(&[ACK, status, self.resolution, self.rate]);
                return true;
            }
            0xEA => {
                self.remote = false;
                self.forget_motion();
            }
            0xEB => {
                // Scaling applies to stream mode only.
                let mut answer = vec![ACK];
                answer.extend(self.sample(false));
                self.answer(&answer);
                return true;
            }
            0xEC => {
                self.wrap = false;
                self.forget_motion();
            }
            0xEE => self.wrap = true,
            0xF0 => {
                self.remote = true;
                self.forget_motion();
            }
            0xF2 => {
                self.answer(&[ACK, self.protocol as u8]);
                return true;
            }
            0xF3 => self.awaiting = Some(Awaiting::Rate),
            0xF4 => {
                self.reporting = true;
                self.forget_motion();
            }
            0xF5 => self.reporting = false,
            0xF6 => self.set_defaults(),
            0xFE => {
                let again = self.last_sent.clone();
                self.answer(&again);
                return true;
            }
            0xFF => {
                self.set_defaults();
                self.protocol = Protocol::Standard;
                self.last_rates = [0; 3];
                self.bat_ends = Some(now.plus_ns(BAT_NS));
            }
            _ => return false,
        }
        self.answer(&[ACK]);
        true
    }
}
