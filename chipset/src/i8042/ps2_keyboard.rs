//! The PS/2 keyboard: IBM, "PS/2 Hardware Interface Technical Reference: Common Interfaces", section "Keyboard
//! (101- and 102-Key)".
//!
//! At power-on the basic assurance test has passed already and its completion code waits.

use super::scan_codes::{self, KeyMode, Kind, SET_3_CODES, ScanSet};
use super::spec::{BREAK_BIT, BREAK_PREFIX};
use emu_core::VirtTime;
use emu_core::host::KeyCode;
use serde::{Deserialize, Serialize};
use serde_big_array::BigArray;
use std::collections::VecDeque;

/// The basic assurance test after a Reset command: "a minimum of 300 milliseconds and a maximum of 500".
pub(super) const BAT_NS: u64 = 300_000_000;
/// The buffer holds 16 bytes; the overrun code takes the 17th place.
const BUFFER_BYTES: usize = 16;
/// Typematic rate and delay after power-on: 10.9 characters a second after 500 ms.
const DEFAULT_TYPEMATIC: u8 = 0x2B;

const ACK: u8 = 0xFA;
const RESEND: u8 = 0xFE;
const BAT_PASSED: u8 = 0xAA;
const ID: [u8; 2] = [0xAB, 0x83];
const EXTENDED_PREFIX: u8 = 0xE0;

/// Num Lock's bit in the parameter of Set Status Indicators.
const LED_NUM_LOCK: u8 = 0x02;

/// A command that waits for its parameter.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Awaiting {
    Indicators,
    ScanSet,
    Typematic,
    /// Codes of set 3 whose keys get this mode, until the next command.
    KeysFor(KeyMode),
}

/// The keyboard.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Ps2Keyboard {
    set: ScanSet,
    scanning: bool,
    indicators: u8,
    typematic: u8,
    awaiting: Option<Awaiting>,
    #[serde(with = "BigArray")]
    modes: [KeyMode; SET_3_CODES],
    /// Answers to commands: they go before scan codes.
    answers: VecDeque<u8>,
    /// Scan codes.
    buffer: VecDeque<u8>,
    last_sent: u8,
    /// Keys that are down, one bit for each usage.
    down: [u32; 8],
    /// The key that repeats, and when it does so next.
    repeat: Option<(KeyCode, VirtTime)>,
    bat_ends: Option<VirtTime>,
}

impl Ps2Keyboard {
    pub(super) fn new() -> Self {
        Self {
            set: ScanSet::Two,
            scanning: true,
            indicators: 0,
            typematic: DEFAULT_TYPEMATIC,
            awaiting: None,
            modes: scan_codes::default_modes(),
            answers: VecDeque::from([BAT_PASSED]),
            buffer: VecDeque::new(),
            last_sent: BAT_PASSED,
            down: [0; 8],
            repeat: None,
            bat_ends: None,
        }
    }

    pub(super) fn valid(&self) -> bool {
        self.answers.len() <= BUFFER_BYTES && self.buffer.len() <= BUFFER_BYTES + 1
    }

    /// Bit 0 Scroll Lock, bit 1 Num Lock, bit 2 Caps Lock.
    pub(super) fn indicators(&self) -> u8 {
        self.indicators
    }

    fn is_down(&self, key: KeyCode) -> bool {
        self.down[usize::from(key.0 / 32)] & (1 << (key.0 % 32)) != 0
    }

    /// Whether there is a byte to send. Scan codes wait while a command's parameter is due: "the keyboard responds with
    /// ACK, discontinues scanning, and waits for the option byte".
    pub(super) fn has_output(&self) -> bool {
        !self.answers.is_empty() || self.awaiting.is_none() && !self.buffer.is_empty()
    }

    /// The byte that goes onto the line.
    pub(super) fn send(&mut self) -> Option<u8> {
        let byte = match self.answers.pop_front() {
            Some(answer) => answer,
            None if self.awaiting.is_some() => return None,
            None => self.buffer.pop_front()?,
        };
        self.last_sent = byte;
        Some(byte)
    }

    /// When [`Self::tick`] has something to do.
    pub(super) fn deadline(&self) -> Option<VirtTime> {
        let repeat = self.repeat.map(|r| r.1);
        [self.bat_ends, repeat].into_iter().flatten().min()
    }

    pub(super) fn tick(&mut self, now: VirtTime) {
        if self.bat_ends.is_some_and(|at| at <= now) {
            self.bat_ends = None;
            self.answers.push_back(BAT_PASSED);
            self.scanning = true;
        }
        if let Some((key, at)) = self.repeat
            && at <= now
        {
            // "Only the first occurrence of typematic data is stored in the keyboard's buffer" while it cannot send.
            if self.buffer.is_empty() {
                self.put_codes(key, true);
            }
            self.repeat = Some((key, now.plus_ns(self.repeat_ns())));
        }
    }

    /// Period of repetition: (8 + A) x 2^B / 240 s, A in bits 2-0, B in bits 4-3.
    fn repeat_ns(&self) -> u64 {
        let (a, b) = (u64::from(self.typematic & 7), (self.typematic >> 3) & 3);
        ((8 + a) << b) * 1_000_000_000 / 240
    }

    /// Delay before repetition: bits 6-5, in steps of 250 ms from 250 ms.
    fn delay_ns(&self) -> u64 {
        (u64::from((self.typematic >> 5) & 3) + 1) * 250_000_000
    }

    fn set_defaults(&mut self) {
        self.set = ScanSet::Two;
        self.typematic = DEFAULT_TYPEMATIC;
        self.modes = scan_codes::default_modes();
        self.clear_buffer();
    }

    fn clear_buffer(&mut self) {
        self.buffer.clear();
        self.repeat = None;
    }

    /// A byte from the system.
    pub(super) fn receive(&mut self, byte: u8, now: VirtTime) {
        self.answers.clear();
        if byte < 0xED
            && let Some(awaiting) = self.awaiting
        {
            self.parameter(awaiting, byte);
            return;
        }
        self.awaiting = None;
        if let Some(answer) = self.command(byte, now) {
            self.answers.push_front(answer);
        }
    }

    fn parameter(&mut self, awaiting: Awaiting, byte: u8) {
        self.awaiting = None;
        match awaiting {
            Awaiting::Indicators => self.indicators = byte & 7,
            Awaiting::Typematic => self.typematic = byte & 0x7F,
            Awaiting::ScanSet => match byte {
                0 => {
                    let set = match self.set {
                        ScanSet::One => 1,
                        ScanSet::Two => 2,
                        ScanSet::Three => 3,
                    };
                    self.answers.extend([ACK, set]);
                    return;
                }
                1 => self.set = ScanSet::One,
                2 => self.set = ScanSet::Two,
                3 => self.set = ScanSet::Three,
                _ => {
                    self.answers.push_back(RESEND);
                    return;
                }
            },
            Awaiting::KeysFor(mode) => {
                self.awaiting = Some(awaiting);
                match self.modes.get_mut(usize::from(byte)) {
                    Some(key) => *key = mode,
                    None => {
                        self.answers.push_back(RESEND);
                        return;
                    }
                }
            }
        }
        self.answers.push_back(ACK);
    }

    /// Acts on a command and gives its first answer.
    fn command(&mut self, byte: u8, now: VirtTime) -> Option<u8> {
        let await_keys = |mode| Some(Awaiting::KeysFor(mode));
        match byte {
            0xED => self.awaiting = Some(Awaiting::Indicators),
            0xEE => return Some(0xEE),
            0xF0 => {
                self.clear_buffer();
                self.awaiting = Some(Awaiting::ScanSet);
            }
            0xF2 => self.answers.extend(ID),
            0xF3 => self.awaiting = Some(Awaiting::Typematic),
            0xF4 => {
                self.clear_buffer();
                self.scanning = true;
            }
            0xF5 => {
                self.set_defaults();
                self.scanning = false;
            }
            0xF6 => self.set_defaults(),
            0xF7 => self.set_all(KeyMode::Typematic),
            0xF8 => self.set_all(KeyMode::MakeBreak),
            0xF9 => self.set_all(KeyMode::Make),
            0xFA => self.set_all(KeyMode::TypematicMakeBreak),
            0xFB => self.awaiting = await_keys(KeyMode::Typematic),
            0xFC => self.awaiting = await_keys(KeyMode::MakeBreak),
            0xFD => self.awaiting = await_keys(KeyMode::Make),
            0xFE => return Some(self.last_sent),
            0xFF => {
                self.set_defaults();
                self.indicators = 0;
                self.scanning = false;
                self.bat_ends = Some(now.plus_ns(BAT_NS));
            }
            _ => return Some(RESEND),
        }
        Some(ACK)
    }

    fn set_all(&mut self, mode: KeyMode) {
        self.clear_buffer();
        self.modes = [mode; SET_3_CODES];
    }

    /// A key goes down or up.
    pub(super) fn key(&mut self, code: KeyCode, pressed: bool, now: VirtTime) {
        let Some(key) = scan_codes::lookup(code) else {
            return;
        };
        if self.is_down(code) == pressed {
            return;
        }
        if self.repeat.is_some_and(|r| r.0 == code || pressed) {
            self.repeat = None;
        }
        if !pressed {
            // The codes of a release depend on the modifiers as they are while it goes up.
            self.put_down(code, false);
        }
        if self.scanning {
            self.put_codes(code, pressed);
            let mode = self.modes[usize::from(key.set_3)];
            let repeats = match self.set {
                ScanSet::Three => mode.repeats(),
                _ => key.kind != Kind::Pause,
            };
            if pressed && repeats {
                self.repeat = Some((code, now.plus_ns(self.delay_ns())));
            }
        }
        if pressed {
            self.put_down(code, true);
        }
    }

    fn put_down(&mut self, key: KeyCode, down: bool) {
        let bit = 1 << (key.0 % 32);
        let word = &mut self.down[usize::from(key.0 / 32)];
        *word = if down { *word | bit } else { *word & !bit };
    }

    /// Appends the codes of one press or release to the buffer.
    fn put_codes(&mut self, code: KeyCode, pressed: bool) {
        let codes = match self.set {
            ScanSet::Three => self.codes_of_set_3(code, pressed),
            ScanSet::One | ScanSet::Two => self.codes_of_set_1_or_2(code, pressed),
        };
        if self.buffer.len() + codes.len() <= BUFFER_BYTES {
            self.buffer.extend(codes);
        } else if !codes.is_empty() && self.buffer.len() <= BUFFER_BYTES {
            let overrun = if self.set == ScanSet::One { 0xFF } else { 0x00 };
            self.buffer.truncate(BUFFER_BYTES);
            if self.buffer.back() != Some(&overrun) {
                self.buffer.push_back(overrun);
            }
        }
    }

    fn codes_of_set_3(&self, code: KeyCode, pressed: bool) -> Vec<u8> {
        match scan_codes::lookup(code) {
            Some(key) if pressed => vec![key.set_3],
            Some(key) if self.modes[usize::from(key.set_3)].breaks() => {
                vec![BREAK_PREFIX, key.set_3]
            }
            _ => Vec::new(),
        }
    }

    fn codes_of_set_1_or_2(&self, code: KeyCode, pressed: bool) -> Vec<u8> {
        let Some(key) = scan_codes::lookup(code) else {
            return Vec::new();
        };
        let mut out = Vec::with_capacity(10);
        let set_1 = self.set == ScanSet::One;
        let mut put = |extended: bool, codes: (u8, u8), make: bool| {
            if extended {
                out.push(EXTENDED_PREFIX);
            }
            match (set_1, make) {
                (true, true) => out.push(codes.0),
                (true, false) => out.push(codes.0 | BREAK_BIT),
                (false, true) => out.push(codes.1),
                (false, false) => out.extend([BREAK_PREFIX, codes.1]),
            }
        };
        let codes = (key.set_1, key.set_2);
        let (left, right) = ((0x2A, 0x12), (0x36, 0x59));
        let left_down = self.is_down(scan_codes::LEFT_SHIFT);
        let right_down = self.is_down(scan_codes::RIGHT_SHIFT);
        let shift = left_down || right_down;
        let ctrl = self.is_down(scan_codes::LEFT_CTRL) || self.is_down(scan_codes::RIGHT_CTRL);
        let alt = self.is_down(scan_codes::LEFT_ALT) || self.is_down(scan_codes::RIGHT_ALT);
        let num_lock = self.indicators & LED_NUM_LOCK != 0;
        match key.kind {
            Kind::Plain => put(false, codes, pressed),
            Kind::Extended => put(true, codes, pressed),
            Kind::Navigation | Kind::Slash => {
                let undo_shift = shift && (key.kind == Kind::Slash || !num_lock);
                let fake_shift = !shift && num_lock && key.kind == Kind::Navigation;
                // On the way down the shift codes go before the key's, on the way up behind it and the other way round.
                if !pressed {
                    put(true, codes, false);
                }
                if undo_shift && left_down {
                    put(true, left, !pressed);
                }
                if undo_shift && right_down {
                    put(true, right, !pressed);
                }
                if fake_shift {
                    put(true, left, pressed);
                }
                if pressed {
                    put(true, codes, true);
                }
            }
            Kind::PrintScreen if alt => put(false, scan_codes::SYS_RQ, pressed),
            Kind::PrintScreen if shift || ctrl => put(true, codes, pressed),
            Kind::PrintScreen if pressed => {
                put(true, left, true);
                put(true, codes, true);
            }
            Kind::PrintScreen => {
                put(true, codes, false);
                put(true, left, false);
            }
            Kind::Pause if !pressed => {}
            Kind::Pause if ctrl => {
                put(true, scan_codes::BREAK, true);
                put(true, scan_codes::BREAK, false);
            }
            Kind::Pause if set_1 => out.extend([0xE1, 0x1D, 0x45, 0xE1, 0x9D, 0xC5]),
            Kind::Pause => out.extend([0xE1, 0x14, 0x77, 0xE1, 0xF0, 0x14, 0xF0, 0x77]),
        }
        out
    }
}
