//! The keys of the US keyboard that the scripts use (USB HID Usage Tables, page 07h), and a typist.

use emu_core::host::KeyCode;

/// How long a key is held, and how long the typist then waits.
const HOLD_NS: u64 = 25_000_000;
const GAP_NS: u64 = 25_000_000;

const LEFT_SHIFT: KeyCode = KeyCode(0xE1);

/// A key that goes down or up so long after the typist began.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Stroke {
    pub after_ns: u64,
    pub key: KeyCode,
    pub pressed: bool,
}

fn key_of(c: char) -> Option<(KeyCode, bool)> {
    let (code, shift) = match c {
        'a'..='z' => (c as u8 - b'a' + 0x04, false),
        '1'..='9' => (c as u8 - b'1' + 0x1E, false),
        '0' => (0x27, false),
        '\n' => (0x28, false),
        '\x1B' => (0x29, false),
        ' ' => (0x2C, false),
        '-' => (0x2D, false),
        '\\' => (0x31, false),
        ';' => (0x33, false),
        ':' => (0x33, true),
        '.' => (0x37, false),
        '/' => (0x38, false),
        _ => return None,
    };
    Some((KeyCode(code), shift))
}

/// The strokes that type a text, and how long they take; `None` if a character is on no key that is known here.
pub fn strokes(text: &str) -> Option<(Vec<Stroke>, u64)> {
    let mut strokes = Vec::new();
    let mut after_ns = 0;
    for c in text.chars() {
        let (key, shift) = key_of(c)?;
        let mut push = |after_ns, key, pressed| {
            strokes.push(Stroke {
                after_ns,
                key,
                pressed,
            });
        };
        if shift {
            push(after_ns, LEFT_SHIFT, true);
        }
        push(after_ns, key, true);
        after_ns += HOLD_NS;
        push(after_ns, key, false);
        if shift {
            push(after_ns, LEFT_SHIFT, false);
        }
        after_ns += GAP_NS;
    }
    Some((strokes, after_ns))
}
