//! The keys of a 104/105-key keyboard and their codes in the three scan code sets.
//!
//! IBM, "PS/2 Hardware Interface Technical Reference: Common Interfaces", section "Keyboard (101- and 102-Key)",
//! "Scan Code Tables"; the Windows and menu keys from Microsoft, "Keyboard Scan Code Specification", 1.3a.

use emu_core::host::KeyCode;
use serde::{Deserialize, Serialize};

/// A scan code set.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum ScanSet {
    One,
    Two,
    Three,
}

/// What a key sends in set 3 (in the other sets all keys are typematic and have make and break codes).
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum KeyMode {
    Typematic,
    MakeBreak,
    Make,
    TypematicMakeBreak,
}

impl KeyMode {
    pub(super) fn repeats(self) -> bool {
        matches!(self, Self::Typematic | Self::TypematicMakeBreak)
    }
    pub(super) fn breaks(self) -> bool {
        matches!(self, Self::MakeBreak | Self::TypematicMakeBreak)
    }
}

/// How a key's code is dressed in sets 1 and 2.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// The code alone.
    Plain,
    /// Behind E0h.
    Extended,
    /// Behind E0h, and with shift codes that undo Shift and Num Lock for software which knows the numeric pad only.
    Navigation,
    /// The pad's slash: behind E0h, with shift codes that undo Shift.
    Slash,
    /// Its codes depend on Shift, Ctrl and Alt.
    PrintScreen,
    /// Sends make and break at once, and depends on Ctrl.
    Pause,
}

/// A key: codes in sets 1, 2 and 3, dress, and mode in set 3 after power-on.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) struct Key {
    pub(super) set_1: u8,
    pub(super) set_2: u8,
    pub(super) set_3: u8,
    pub(super) kind: Kind,
    pub(super) mode: KeyMode,
}

pub(super) const LEFT_SHIFT: KeyCode = KeyCode(0xE1);
pub(super) const RIGHT_SHIFT: KeyCode = KeyCode(0xE5);
pub(super) const LEFT_CTRL: KeyCode = KeyCode(0xE0);
pub(super) const RIGHT_CTRL: KeyCode = KeyCode(0xE4);
pub(super) const LEFT_ALT: KeyCode = KeyCode(0xE2);
pub(super) const RIGHT_ALT: KeyCode = KeyCode(0xE6);
/// Alt + Print Screen (SysRq) in sets 1 and 2.
pub(super) const SYS_RQ: (u8, u8) = (0x54, 0x84);
/// Ctrl + Pause (Break) in sets 1 and 2, behind E0h.
pub(super) const BREAK: (u8, u8) = (0x46, 0x7E);

const fn key(codes: (u8, u8, u8), kind: Kind, mode: KeyMode) -> Key {
    let (set_1, set_2, set_3) = codes;
    Key {
        set_1,
        set_2,
        set_3,
        kind,
        mode,
    }
}

const fn repeating(set_1: u8, set_2: u8, set_3: u8) -> Key {
    key((set_1, set_2, set_3), Kind::Plain, KeyMode::Typematic)
}

const fn once(set_1: u8, set_2: u8, set_3: u8) -> Key {
    key((set_1, set_2, set_3), Kind::Plain, KeyMode::Make)
}

const fn both(set_1: u8, set_2: u8, set_3: u8) -> Key {
    key((set_1, set_2, set_3), Kind::Plain, KeyMode::MakeBreak)
}

const fn extended(set_1: u8, set_2: u8, set_3: u8, mode: KeyMode) -> Key {
    key((set_1, set_2, set_3), Kind::Extended, mode)
}

const fn navigation(set_1: u8, set_2: u8, set_3: u8, mode: KeyMode) -> Key {
    key((set_1, set_2, set_3), Kind::Navigation, mode)
}

/// The first usage in [`KEYS`].
const FIRST: u8 = 0x04;

/// Usages 04h (A) to 65h (menu), in order.
#[rustfmt::skip]
const KEYS: [Key; 0x62] = [
    // A to Z
    repeating(0x1E, 0x1C, 0x1C), repeating(0x30, 0x32, 0x32), repeating(0x2E, 0x21, 0x21), repeating(0x20, 0x23, 0x23),
    repeating(0x12, 0x24, 0x24), repeating(0x21, 0x2B, 0x2B), repeating(0x22, 0x34, 0x34), repeating(0x23, 0x33, 0x33),
    repeating(0x17, 0x43, 0x43), repeating(0x24, 0x3B, 0x3B), repeating(0x25, 0x42, 0x42), repeating(0x26, 0x4B, 0x4B),
    repeating(0x32, 0x3A, 0x3A), repeating(0x31, 0x31, 0x31), repeating(0x18, 0x44, 0x44), repeating(0x19, 0x4D, 0x4D),
    repeating(0x10, 0x15, 0x15), repeating(0x13, 0x2D, 0x2D), repeating(0x1F, 0x1B, 0x1B), repeating(0x14, 0x2C, 0x2C),
    repeating(0x16, 0x3C, 0x3C), repeating(0x2F, 0x2A, 0x2A), repeating(0x11, 0x1D, 0x1D), repeating(0x2D, 0x22, 0x22),
    repeating(0x15, 0x35, 0x35), repeating(0x2C, 0x1A, 0x1A),
    // 1 to 0
    repeating(0x02, 0x16, 0x16), repeating(0x03, 0x1E, 0x1E), repeating(0x04, 0x26, 0x26), repeating(0x05, 0x25, 0x25),
    repeating(0x06, 0x2E, 0x2E), repeating(0x07, 0x36, 0x36), repeating(0x08, 0x3D, 0x3D), repeating(0x09, 0x3E, 0x3E),
    repeating(0x0A, 0x46, 0x46), repeating(0x0B, 0x45, 0x45),
    // Enter, Escape, Backspace, Tab, Space
    repeating(0x1C, 0x5A, 0x5A), once(0x01, 0x76, 0x08), repeating(0x0E, 0x66, 0x66), repeating(0x0F, 0x0D, 0x0D),
    repeating(0x39, 0x29, 0x29),
    // - = [ ] \ and the key left of Enter on 102-key keyboards
    repeating(0x0C, 0x4E, 0x4E), repeating(0x0D, 0x55, 0x55), repeating(0x1A, 0x54, 0x54), repeating(0x1B, 0x5B, 0x5B),
    repeating(0x2B, 0x5D, 0x5C), repeating(0x2B, 0x5D, 0x53),
    // ; ' ` , . /
    repeating(0x27, 0x4C, 0x4C), repeating(0x28, 0x52, 0x52), repeating(0x29, 0x0E, 0x0E), repeating(0x33, 0x41, 0x41),
    repeating(0x34, 0x49, 0x49), repeating(0x35, 0x4A, 0x4A),
    // Caps Lock, F1 to F12
    both(0x3A, 0x58, 0x14),
    once(0x3B, 0x05, 0x07), once(0x3C, 0x06, 0x0F), once(0x3D, 0x04, 0x17), once(0x3E, 0x0C, 0x1F),
    once(0x3F, 0x03, 0x27), once(0x40, 0x0B, 0x2F), once(0x41, 0x83, 0x37), once(0x42, 0x0A, 0x3F),
    once(0x43, 0x01, 0x47), once(0x44, 0x09, 0x4F), once(0x57, 0x78, 0x56), once(0x58, 0x07, 0x5E),
    // Print Screen, Scroll Lock, Pause
    key((0x37, 0x7C, 0x57), Kind::PrintScreen, KeyMode::Make), once(0x46, 0x7E, 0x5F),
    key((0x45, 0x77, 0x62), Kind::Pause, KeyMode::Make),
    // Insert, Home, Page Up, Delete, End, Page Down
    navigation(0x52, 0x70, 0x67, KeyMode::Make), navigation(0x47, 0x6C, 0x6E, KeyMode::Make),
    navigation(0x49, 0x7D, 0x6F, KeyMode::Make), navigation(0x53, 0x71, 0x64, KeyMode::Typematic),
    navigation(0x4F, 0x69, 0x65, KeyMode::Make), navigation(0x51, 0x7A, 0x6D, KeyMode::Make),
    // Right, Left, Down, Up
    navigation(0x4D, 0x74, 0x6A, KeyMode::Typematic), navigation(0x4B, 0x6B, 0x61, KeyMode::Typematic),
    navigation(0x50, 0x72, 0x60, KeyMode::Typematic), navigation(0x48, 0x75, 0x63, KeyMode::Typematic),
    // The pad: Num Lock / * - + Enter 1 to 9, 0, .
    once(0x45, 0x77, 0x76), key((0x35, 0x4A, 0x77), Kind::Slash, KeyMode::Make), once(0x37, 0x7C, 0x7E),
    once(0x4A, 0x7B, 0x84), repeating(0x4E, 0x79, 0x7C), extended(0x1C, 0x5A, 0x79, KeyMode::Make),
    once(0x4F, 0x69, 0x69), once(0x50, 0x72, 0x72), once(0x51, 0x7A, 0x7A), once(0x4B, 0x6B, 0x6B),
    once(0x4C, 0x73, 0x73), once(0x4D, 0x74, 0x74), once(0x47, 0x6C, 0x6C), once(0x48, 0x75, 0x75),
    once(0x49, 0x7D, 0x7D), once(0x52, 0x70, 0x70), once(0x53, 0x71, 0x71),
    // The key right of Left Shift on 102-key keyboards; the menu key
    repeating(0x56, 0x61, 0x13), extended(0x5D, 0x2F, 0x8D, KeyMode::MakeBreak),
];

/// Usages E0h to E7h: Ctrl, Shift, Alt, Windows, left and then right.
#[rustfmt::skip]
const MODIFIERS: [Key; 8] = [
    both(0x1D, 0x14, 0x11), both(0x2A, 0x12, 0x12), both(0x38, 0x11, 0x19), extended(0x5B, 0x1F, 0x8B, KeyMode::MakeBreak),
    extended(0x1D, 0x14, 0x58, KeyMode::Make), both(0x36, 0x59, 0x59), extended(0x38, 0x11, 0x39, KeyMode::Make),
    extended(0x5C, 0x27, 0x8C, KeyMode::MakeBreak),
];

/// One more than the highest code of set 3.
pub(super) const SET_3_CODES: usize = 0x90;

/// The key with this usage, if the keyboard has it.
pub(super) fn lookup(code: KeyCode) -> Option<&'static Key> {
    match code.0.checked_sub(0xE0) {
        Some(n) => MODIFIERS.get(usize::from(n)),
        None => KEYS.get(usize::from(code.0.checked_sub(FIRST)?)),
    }
}

/// The modes of set 3 after power-on, by its codes.
pub(super) fn default_modes() -> [KeyMode; SET_3_CODES] {
    let mut modes = [KeyMode::TypematicMakeBreak; SET_3_CODES];
    for key in KEYS.iter().chain(&MODIFIERS) {
        modes[usize::from(key.set_3)] = key.mode;
    }
    modes
}
