//! The US keyboard: from characters and key names to keys, and how long a typist holds them.

use crate::cli::Typing;
use emu_core::host::{HostEvent, KeyCode};
use emu_core::time::VirtTime;
use machine::Machine;

/// How long a typed key stays down, in guest time: long enough for a guest that polls, far below the half
/// second after which a keyboard starts to repeat.
pub const HOLD_NS: u64 = 40_000_000;
/// The pause between two keys: together 12.5 keys a second, which fills a 15-key buffer only if nobody reads it.
const GAP_NS: u64 = 40_000_000;

const LEFT_CTRL: KeyCode = KeyCode(0xE0);
const LEFT_SHIFT: KeyCode = KeyCode(0xE1);
const LEFT_ALT: KeyCode = KeyCode(0xE2);

/// Keys that go down together: modifiers first, the last one is the key itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chord(pub Vec<KeyCode>);

/// Keys by name (USB HID Usage Tables, page 07h).
const NAMED: [(&str, u8); 49] = [
    ("enter", 0x28),
    ("esc", 0x29),
    ("backspace", 0x2A),
    ("tab", 0x2B),
    ("space", 0x2C),
    ("caps", 0x39),
    ("f1", 0x3A),
    ("f2", 0x3B),
    ("f3", 0x3C),
    ("f4", 0x3D),
    ("f5", 0x3E),
    ("f6", 0x3F),
    ("f7", 0x40),
    ("f8", 0x41),
    ("f9", 0x42),
    ("f10", 0x43),
    ("f11", 0x44),
    ("f12", 0x45),
    ("print", 0x46),
    ("scroll", 0x47),
    ("pause", 0x48),
    ("ins", 0x49),
    ("home", 0x4A),
    ("pgup", 0x4B),
    ("del", 0x4C),
    ("end", 0x4D),
    ("pgdn", 0x4E),
    ("right", 0x4F),
    ("left", 0x50),
    ("down", 0x51),
    ("up", 0x52),
    ("num", 0x53),
    ("kp/", 0x54),
    ("kp*", 0x55),
    ("kp-", 0x56),
    ("kp+", 0x57),
    ("kpenter", 0x58),
    ("menu", 0x65),
    ("ctrl", 0xE0),
    ("shift", 0xE1),
    ("alt", 0xE2),
    ("win", 0xE3),
    ("rctrl", 0xE4),
    ("rshift", 0xE5),
    ("altgr", 0xE6),
    ("rwin", 0xE7),
    ("insert", 0x49),
    ("delete", 0x4C),
    ("escape", 0x29),
];

/// The characters of the US layout by key: unshifted, shifted.
const PUNCTUATION: [(char, char, u8); 21] = [
    ('1', '!', 0x1E),
    ('2', '@', 0x1F),
    ('3', '#', 0x20),
    ('4', '$', 0x21),
    ('5', '%', 0x22),
    ('6', '^', 0x23),
    ('7', '&', 0x24),
    ('8', '*', 0x25),
    ('9', '(', 0x26),
    ('0', ')', 0x27),
    ('-', '_', 0x2D),
    ('=', '+', 0x2E),
    ('[', '{', 0x2F),
    (']', '}', 0x30),
    ('\\', '|', 0x31),
    (';', ':', 0x33),
    ('\'', '"', 0x34),
    ('`', '~', 0x35),
    (',', '<', 0x36),
    ('.', '>', 0x37),
    ('/', '?', 0x38),
];

/// The key by that name.
pub fn named(name: &str) -> Option<KeyCode> {
    let name = name.to_ascii_lowercase();
    if let Some((_, code)) = NAMED.iter().find(|(n, _)| *n == name) {
        return Some(KeyCode(*code));
    }
    let mut chars = name.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => key_of(c).filter(|(_, shift)| !shift).map(|(key, _)| key),
        _ => None,
    }
}

/// The key that types a character, and whether Shift is held.
fn key_of(c: char) -> Option<(KeyCode, bool)> {
    match c {
        'a'..='z' => Some((KeyCode(c as u8 - b'a' + 0x04), false)),
        'A'..='Z' => Some((KeyCode(c as u8 - b'A' + 0x04), true)),
        '\n' | '\r' => Some((KeyCode(0x28), false)),
        '\t' => Some((KeyCode(0x2B), false)),
        ' ' => Some((KeyCode(0x2C), false)),
        '\x1B' => Some((KeyCode(0x29), false)),
        '\x08' | '\x7F' => Some((KeyCode(0x2A), false)),
        _ => PUNCTUATION.iter().find_map(|&(plain, shifted, code)| {
            (c == plain || c == shifted).then_some((KeyCode(code), c == shifted))
        }),
    }
}

/// The chord that types a character, with Ctrl and Alt held as given.
pub fn chord_of(c: char, ctrl: bool, alt: bool) -> Option<Chord> {
    let (key, shift) = key_of(c)?;
    Some(with_modifiers(key, ctrl, shift, alt))
}

/// A key with modifiers.
pub fn with_modifiers(key: KeyCode, ctrl: bool, shift: bool, alt: bool) -> Chord {
    let held = [(ctrl, LEFT_CTRL), (shift, LEFT_SHIFT), (alt, LEFT_ALT)];
    let mut keys: Vec<_> = held.iter().filter(|h| h.0).map(|h| h.1).collect();
    keys.push(key);
    Chord(keys)
}

/// Parses the text of `--type`.
pub fn parse(text: &str) -> Result<Typing, String> {
    let mut chords = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let chord = match c {
            '\\' => match chars.next() {
                Some('n') => chord_of('\n', false, false),
                Some('t') => chord_of('\t', false, false),
                Some(c @ ('\\' | '<')) => chord_of(c, false, false),
                other => {
                    let what =
                        other.map_or_else(|| "at the end".into(), |c| format!("before {c:?}"));
                    return Err(format!(
                        "a backslash {what} means nothing: there are \\n \\t \\\\ \\<"
                    ));
                }
            },
            '<' => {
                let name: String = chars.by_ref().take_while(|c| *c != '>').collect();
                let keys = split_chord(&name).iter().map(|n| named(n)).collect();
                let keys: Option<Vec<_>> = keys;
                Some(Chord(keys.ok_or_else(|| {
                    format!("<{name}> is no key (a plain '<' is written \\<)")
                })?))
            }
            c => chord_of(c, false, false),
        };
        chords.push(chord.ok_or_else(|| format!("{c:?} is on no key of the US keyboard"))?);
    }
    Ok(Typing(chords))
}

/// `ctrl-alt-del` in its parts; the minus key itself may be the last one.
fn split_chord(name: &str) -> Vec<&str> {
    match name.strip_suffix("--") {
        Some(rest) => rest.split('-').chain(["-"]).collect(),
        None if name == "-" || name == "kp-" => vec![name],
        None => name.split('-').collect(),
    }
}

/// Schedules the chords one after the other from `start` on; gives the moment at which the typist is done.
pub fn schedule(machine: &mut Machine, start: VirtTime, chords: &[Chord]) -> VirtTime {
    let mut at = start;
    for Chord(keys) in chords {
        for &key in keys {
            machine.schedule_input(at, HostEvent::Key { key, pressed: true });
        }
        at = at.plus_ns(HOLD_NS);
        for &key in keys.iter().rev() {
            let pressed = false;
            machine.schedule_input(at, HostEvent::Key { key, pressed });
        }
        at = at.plus_ns(GAP_NS);
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_names_become_keys() {
        let codes = |text: &str| -> Vec<Vec<u8>> {
            let chords = parse(text).unwrap().0;
            chords
                .iter()
                .map(|c| c.0.iter().map(|k| k.0).collect())
                .collect()
        };
        assert_eq!(codes("aZ\\n"), [vec![0x04], vec![0xE1, 0x1D], vec![0x28]]);
        assert_eq!(codes("<ctrl-alt-del>"), [[0xE0, 0xE2, 0x4C]]);
        assert_eq!(codes("<F12><left>\\\\"), [[0x45], [0x50], [0x31]]);
        assert_eq!(codes("\\<|"), [[0xE1, 0x36], [0xE1, 0x31]]);
        assert_eq!(
            codes("<ctrl-c><kp-><ctrl-->"),
            [vec![0xE0, 0x06], vec![0x56], vec![0xE0, 0x2D]]
        );
        for bad in ["<nokey>", "\\q", "\\", "é", "<", "<>"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_printable_ascii_character_has_a_key() {
        for c in ' '..='~' {
            assert!(chord_of(c, false, false).is_some(), "{c}");
        }
    }
}
